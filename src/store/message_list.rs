//! Reading messages back for people: lists with a cursor, and one message's whole story.

use std::fmt::Write as _;

use sqlx::Row as _;

use super::db::sql;
use super::row::{area_range, is_few, parse, parse_opt, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, MessageId};
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus, ReceiptKind};
use crate::domain::phone::PhoneNumber;

pub(super) const COLUMNS: &str = "id, account, channel, class, status, why, template, reference, recipient_sealed, \
                       card_id, due_at, expires_at, attempts, failure_code, failure_reason, created_at, \
                       sent_at, delivered_at, read_at, failed_at, provider_id_sealed, first_id, parts, rupiah";

/// How a page of messages is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    /// Newest first until a page is full: where much fits, that is soon.
    Newest,
    /// Those of one desa, which an index holds newest first.
    Desa,
    /// Those of a wider area with little in it: picked out of the same index, and then put in order.
    Area,
    /// By the index of what is scarce, and then put in order.
    Scarce,
    /// What of a small area did not go well, and then put in order.
    Ended,
}

/// Up to so many messages are picked out by an index alone and put in order.
const FEW: i64 = 20_000;
/// The same where each is fetched for it.
const FEW_FETCHED: i64 = 5_000;
const TABLE: &str = "message m";
/// Said beside one of these statuses, for the index that holds them alone.
const ENDED: &str = "m.status IN ('unknown', 'failed', 'expired', 'cancelled')";
/// The same in other words, for the index of them by area: SQLite would follow the first ones to the first index.
const ENDED_OF_AREA: &str = "m.status NOT IN ('queued', 'sending', 'sent', 'delivered', 'read')";

impl Walk {
    async fn choose(db: &Db, filter: &MessageFilter) -> Result<Self, StoreError> {
        // What is scarce was written of late and lies together; an area's messages lie all over the table.
        if let Some(scarce) = filter.scarce() {
            let rows = format!("{scarce} AND CAST($1 AS TEXT) <= CAST($2 AS TEXT)");
            if is_few(db, (TABLE, &rows), Default::default(), FEW_FETCHED).await? {
                return Ok(Self::Scarce);
            }
        }
        let Some(area) = &filter.within else { return Ok(Self::Newest) };
        if area.level() == AreaLevel::Desa {
            return Ok(Self::Desa);
        }
        let in_area = "m.area >= $1 AND m.area < $2";
        let (rows, few, walk) = if filter.ended().is_some() {
            (format!("{in_area} AND {ENDED_OF_AREA}"), FEW_FETCHED, Self::Ended)
        } else {
            (in_area.to_owned(), FEW, Self::Area)
        };
        let is_few = is_few(db, (TABLE, &rows), area_range(area), few).await?;
        Ok(if is_few { walk } else { Self::Newest })
    }

    /// Where it looks, up to the id `$1` and in the area `$2` to `$3`. What is made into a longer text is no column
    /// of an index any more.
    const fn begin(self, is_within: bool) -> &'static str {
        match (self, is_within) {
            (Self::Newest, false) => "message m WHERE m.id < $1",
            (Self::Newest, true) => {
                "message m WHERE m.area || '' >= $2 AND m.area || '' < $3 AND m.id < $1"
            }
            // Nothing lies below a desa: its range holds one code.
            (Self::Desa, _) => "message m WHERE m.area = $2 AND m.area < $3 AND m.id < $1",
            (Self::Area | Self::Ended, _) => {
                "message m WHERE m.area >= $2 AND m.area < $3 AND m.id || '' < $1"
            }
            (Self::Scarce, false) => "message m WHERE m.id || '' < $1",
            (Self::Scarce, true) => {
                "message m WHERE m.area || '' >= $2 AND m.area || '' < $3 AND m.id || '' < $1"
            }
        }
    }

    /// The order.
    const fn order(self) -> &'static str {
        match self {
            Self::Newest | Self::Desa => "m.id DESC",
            Self::Area | Self::Scarce | Self::Ended => "m.id || '' DESC",
        }
    }
}

impl MessageFilter {
    /// The status, when it is one of those that have an index of their own.
    fn ended(&self) -> Option<MessageStatus> {
        self.status.filter(|status| ENDED.contains(status.as_str()))
    }

    /// What is often scarce and has an index of its own. As words of the statement: what an index holds is decided
    /// before values are looked at.
    fn scarce(&self) -> Option<&'static str> {
        match self.status? {
            MessageStatus::Queued => Some("m.status = 'queued'"),
            MessageStatus::Sending => Some("m.status = 'sending'"),
            _ => None,
        }
    }
}

fn columns() -> String {
    COLUMNS.split(", ").map(|column| format!("m.{column}")).collect::<Vec<_>>().join(", ")
}

/// A message as officers and integrators see it: without its words, its number masked.
#[derive(Clone, Debug)]
pub struct MessageLine {
    /// Row id.
    pub id: MessageId,
    /// Sending account; empty when there was none.
    pub account: String,
    /// Channel.
    pub channel: ChannelKind,
    /// What it is for.
    pub class: MessageClass,
    /// Where it is in its life.
    pub status: MessageStatus,
    /// Why it was or was not sent, one word.
    pub why: String,
    /// Announcement kind or intent.
    pub template: String,
    /// What the citizen can quote.
    pub reference: Option<String>,
    /// Masked number.
    pub recipient: Option<String>,
    /// Which card.
    pub card_id: Option<CardId>,
    /// The provider's id of it.
    pub provider_message_id: Option<String>,
    /// Not before.
    pub due_at: Timestamp,
    /// Not from then on.
    pub expires_at: Option<Timestamp>,
    /// Calls made.
    pub attempts: i64,
    /// Code of a failure.
    pub failure_code: Option<String>,
    /// The failure in words.
    pub failure_reason: Option<String>,
    /// Planned.
    pub created_at: Timestamp,
    /// Taken by the provider.
    pub sent_at: Option<Timestamp>,
    /// On the phone.
    pub delivered_at: Option<Timestamp>,
    /// Opened.
    pub read_at: Option<Timestamp>,
    /// Known to have failed.
    pub failed_at: Option<Timestamp>,
    /// The first message of the same news, when this one followed it on another channel.
    pub first_id: Option<MessageId>,
    /// Segments of an SMS.
    pub parts: Option<i64>,
    /// What they cost.
    pub rupiah: Option<i64>,
}

/// Which messages are asked for; every part that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// In that status.
    pub status: Option<MessageStatus>,
    /// Of that class.
    pub class: Option<MessageClass>,
    /// On that channel.
    pub channel: Option<ChannelKind>,
    /// About that card.
    pub card: Option<CardId>,
    /// With that reason.
    pub why: Option<String>,
    /// With that reference.
    pub reference: Option<String>,
    /// To that number.
    pub phone: Option<PhoneNumber>,
    /// Older than that one: the cursor of the page before.
    pub before: Option<MessageId>,
    /// About people of that area.
    pub within: Option<AreaCode>,
}

/// Messages, newest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_messages(
    db: &Db,
    filter: &MessageFilter,
    limit: i64,
) -> Result<Vec<MessageLine>, StoreError> {
    let phone = filter.phone.as_ref().map(|phone| super::person::phone_hash(db, phone));
    let conditions = [
        ("status", filter.status.map(|s| s.as_str().to_owned())),
        ("class", filter.class.map(|c| c.as_str().to_owned())),
        ("channel", filter.channel.map(|c| c.as_str().to_owned())),
        ("card_id", filter.card.map(|c| c.to_string())),
        ("why", filter.why.clone()),
        ("reference", filter.reference.clone()),
        ("recipient_hash", phone),
    ];
    let walk = Walk::choose(db, filter).await?;
    let begin = walk.begin(filter.within.is_some());
    // What an index alone puts in order is fetched afterwards, as much of it as is shown.
    let is_by_id = walk == Walk::Area;
    let mut statement = if is_by_id {
        format!("SELECT {} FROM message m WHERE m.id IN (SELECT m.id FROM {begin}", columns())
    } else {
        format!("SELECT {} FROM {begin}", columns())
    };
    let mut values = vec![filter.before.map_or_else(|| "msg_Z".to_owned(), |id| id.to_string())];
    if let Some(area) = &filter.within {
        values.extend(area_range(area));
    }
    if walk == Walk::Scarce {
        let _ = write!(statement, " AND {}", filter.scarce().unwrap_or_default());
    }
    match (walk, filter.ended()) {
        (Walk::Newest, Some(status)) => {
            let _ = write!(statement, " AND m.status = '{status}' AND {ENDED}");
        }
        (Walk::Desa, Some(status)) => {
            let _ = write!(statement, " AND m.status = '{status}' AND {ENDED_OF_AREA}");
        }
        // Whoever looks by the area must not be led by the status of everybody.
        (Walk::Ended, Some(status)) => {
            let _ = write!(statement, " AND m.status || '' = '{status}' AND {ENDED_OF_AREA}");
        }
        _ => {}
    }
    if walk == Walk::Newest && filter.class == Some(MessageClass::Broadcast) {
        statement.push_str(" AND m.class = 'broadcast'");
    }
    for (column, value) in conditions {
        if let Some(value) = value
            && !(filter.ended().is_some() && column == "status")
        {
            values.push(value);
            let _ = write!(statement, " AND m.{column} = ${}", values.len());
        }
    }
    let _ = write!(statement, " ORDER BY {} LIMIT ${}", walk.order(), values.len() + 1);
    if is_by_id {
        statement.push_str(") ORDER BY m.id DESC");
    }
    let mut query = sqlx::query(sql(statement));
    for value in values {
        query = query.bind(value);
    }
    let rows = query.bind(limit).fetch_all(db.reader()).await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// One message.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_message(db: &Db, id: MessageId) -> Result<Option<MessageLine>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM message WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db.reader())
        .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// Where somebody lives whom a message is about; nothing where it is about nobody, or that is not known.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_area(db: &Db, id: MessageId) -> Result<Option<AreaCode>, StoreError> {
    let id = id.to_string();
    let area: Option<Option<String>> = sqlx::query_scalar(
        "SELECT p.area FROM message m JOIN person p ON p.id = m.person_id WHERE m.id = $1",
    )
    .bind(id.clone())
    .fetch_optional(db.reader())
    .await?;
    parse_opt("person", "area", &id, area.flatten().as_deref())
}

pub(super) fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<MessageLine, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let open = |column, sealed: Option<String>| {
        let place = Place { table: "message", column };
        sealed.map(|sealed| db.sealer.open(place, &id, &sealed)).transpose()
    };
    let recipient = open("recipient_sealed", row.try_get(8)?)?;
    let card: Option<String> = row.try_get(9)?;
    let first: Option<String> = row.try_get(21)?;
    Ok(MessageLine {
        account: word(1)?,
        channel: parse("message", "channel", &id, &word(2)?)?,
        class: parse("message", "class", &id, &word(3)?)?,
        status: parse("message", "status", &id, &word(4)?)?,
        why: word(5)?,
        template: word(6)?,
        reference: row.try_get(7)?,
        recipient: recipient.as_deref().and_then(super::content::parse_recipient).map(|to| match (
            to.phone, to.bsuid,
        ) {
            (Some(phone), _) => phone.masked(),
            (None, Some(_)) => "BSUID".to_owned(),
            (None, None) => "chat".to_owned(),
        }),
        card_id: parse_opt("message", "card_id", &id, card.as_deref())?,
        due_at: Timestamp::from_ms(row.try_get(10)?),
        expires_at: time(row.try_get(11)?),
        attempts: row.try_get(12)?,
        failure_code: row.try_get(13)?,
        failure_reason: row.try_get(14)?,
        created_at: Timestamp::from_ms(row.try_get(15)?),
        sent_at: time(row.try_get(16)?),
        delivered_at: time(row.try_get(17)?),
        read_at: time(row.try_get(18)?),
        failed_at: time(row.try_get(19)?),
        first_id: parse_opt("message", "first_id", &id, first.as_deref())?,
        parts: row.try_get(22)?,
        rupiah: row.try_get(23)?,
        provider_message_id: open("provider_id_sealed", row.try_get(20)?)?,
        id: parse("message", "id", &id, &id)?,
    })
}

/// One call of a provider, as it was.
#[derive(Clone, Debug)]
pub struct AttemptLine {
    /// 1, 2, …
    pub number: i64,
    /// Begun.
    pub started_at: Timestamp,
    /// Answered or given up.
    pub finished_at: Option<Timestamp>,
    /// One word.
    pub outcome: String,
    /// Provider's code.
    pub code: Option<String>,
    /// In words.
    pub detail: Option<String>,
}

/// A message's calls, in order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_attempts(db: &Db, id: MessageId) -> Result<Vec<AttemptLine>, StoreError> {
    type Row = (i64, i64, Option<i64>, String, Option<String>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT number, started_at, finished_at, outcome, code, detail FROM attempt \
         WHERE message_id = $1 ORDER BY started_at, number LIMIT 200",
    )
    .bind(id.to_string())
    .fetch_all(db.reader())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(number, started_at, finished_at, outcome, code, detail)| AttemptLine {
            number,
            started_at: Timestamp::from_ms(started_at),
            finished_at: time(finished_at),
            outcome,
            code,
            detail,
        })
        .collect())
}

/// A provider's word, as it was.
#[derive(Clone, Debug)]
pub struct ReceiptLine {
    /// What it says.
    pub kind: ReceiptKind,
    /// By the provider's clock.
    pub happened_at: Timestamp,
    /// By ours.
    pub received_at: Timestamp,
    /// Reason of a failure.
    pub code: Option<String>,
    /// In words.
    pub detail: Option<String>,
}

/// A message's receipts, as they happened.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_receipts(db: &Db, id: MessageId) -> Result<Vec<ReceiptLine>, StoreError> {
    type Row = (String, i64, i64, Option<String>, Option<String>);
    let key = id.to_string();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT kind, happened_at, received_at, code, detail FROM receipt WHERE message_id = $1 \
         ORDER BY happened_at, id",
    )
    .bind(key.clone())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(kind, happened_at, received_at, code, detail)| {
            Ok(ReceiptLine {
                kind: parse("receipt", "kind", &key, &kind)?,
                happened_at: Timestamp::from_ms(happened_at),
                received_at: Timestamp::from_ms(received_at),
                code,
                detail,
            })
        })
        .collect()
}

/// How many messages are in each status, by lane: the picture of the queue.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_waiting(db: &Db) -> Result<Vec<(String, MessageClass, i64, i64)>, StoreError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT account, class, COUNT(*), MIN(due_at) FROM message WHERE status = 'queued' \
         GROUP BY account, class",
    )
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(account, class, count, oldest)| {
            Ok((account, parse("message", "class", "", &class)?, count, oldest))
        })
        .collect()
}
