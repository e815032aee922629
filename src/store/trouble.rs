//! What needs an officer's hand, counted and listed for an area: failed messages nobody has dealt with, visits,
//! tickets, unknown questions.
//!
//! Counts end at a bound: a morning page says "a thousand and more", it does not read a table.

use sqlx::{AnyConnection, Row as _};

use super::content::{parse_content, zone_from_hours};
use super::db::sql;
use super::rejection::OfSources;
use super::row::{area_range, area_ranges, is_few, parse, parse_opt, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::{AreaCode, Zone};
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, MessageId, PersonId};
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus};
use crate::domain::outbound::Content;
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;

/// Rows that are counted at most.
pub const COUNTED: i64 = 1000;

/// Failures that are counted at most, the newest: of each it has to be looked what its card was told since, and no two
/// of those looks go to the same page of a large database.
const FAILURES: i64 = 300;

/// How much there is of something, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pile {
    /// How many, [`COUNTED`] at most.
    pub count: i64,
    /// The oldest of those counted.
    pub oldest: Option<Timestamp>,
}

impl Pile {
    /// With what a statement counted beside it.
    fn with(self, (count, oldest): (i64, Option<i64>)) -> Self {
        let oldest = [self.oldest, time(oldest)].into_iter().flatten().min();
        Self { count: (self.count + count).min(COUNTED), oldest }
    }
}

/// Whose failures are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Within<'a> {
    /// Of people who live there.
    pub area: &'a AreaCode,
    /// Also of people of whom that is not known.
    pub with_unknown: bool,
    /// Planned since then.
    pub since: Timestamp,
}

/// A message that failed and that nothing newer has replaced.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Row id, the cursor.
    pub id: MessageId,
    /// On which channel.
    pub channel: ChannelKind,
    /// What it was for.
    pub class: MessageClass,
    /// Announcement kind, or the intent answered.
    pub template: String,
    /// What the citizen can quote.
    pub reference: Option<String>,
    /// Which card.
    pub card: Option<CardId>,
    /// Provider's code.
    pub code: Option<String>,
    /// The same in the provider's words.
    pub reason: Option<String>,
    /// Planned.
    pub created_at: Timestamp,
    /// Failed.
    pub failed_at: Option<Timestamp>,
    /// The person's name.
    pub name: Option<PersonName>,
    /// The person's number.
    pub phone: Option<PhoneNumber>,
    /// What their area is called, else its code.
    pub area: Option<String>,
}

// What goes on by itself (to the next channel, or once more), what something newer replaced, and what was told in
// person needs no hand.
const FAILED: &str = "m.status = 'failed' AND m.class <> 'broadcast' AND m.handled_at IS NULL \
                      AND m.template NOT IN ('survey_invitation', 'outage_over') AND m.fallback_at IS NULL \
                      AND NOT EXISTS (SELECT 1 FROM message n WHERE n.card_id = m.card_id AND n.id > m.id \
                      AND n.class = 'announcement') \
                      AND NOT EXISTS (SELECT 1 FROM visit v WHERE v.message_id = COALESCE(m.first_id, m.id) \
                      AND v.closed_at IS NOT NULL)";

/// Behind every id.
const NEWEST: &str = "msg_Z"; // behind every id, in whatever order a database sorts letters: they begin with a digit

/// How failures are looked for: of the area `$1` to `$2`, or of none if `$3` is 1, with ids between `$4` and
/// `$5`.
enum Walk {
    /// Area by area, and then put in order: there are few.
    Area,
    /// Newest first, leaving out those of other areas: soon there are enough.
    Newest,
}

impl Walk {
    /// So many failures are few.
    const FEW: i64 = 2_000;

    async fn choose(db: &Db, within: Within<'_>) -> Result<Self, StoreError> {
        if within.with_unknown {
            return Ok(Self::Newest);
        }
        let failed = "status = 'failed' AND class <> 'broadcast' AND handled_at IS NULL AND area >= $1 AND area < $2";
        let is_few = is_few(db, ("message", failed), area_range(within.area), Self::FEW).await?;
        Ok(if is_few { Self::Area } else { Self::Newest })
    }

    /// The condition. What is made into a longer text is no column of an index any more.
    const fn condition(&self) -> &'static str {
        match self {
            Self::Area => {
                "m.area >= $1 AND m.area < $2 AND CAST($3 AS BIGINT) = 0 AND m.id || '' >= $4 AND m.id || '' < $5"
            }
            Self::Newest => {
                "((m.area || '' >= $1 AND m.area || '' < $2) OR ($3 = 1 AND m.area || '' = '')) AND m.id >= $4 AND m.id < $5"
            }
        }
    }

    /// The order.
    const fn order(&self) -> &'static str {
        match self {
            Self::Area => "m.id || '' DESC",
            Self::Newest => "m.id DESC",
        }
    }
}

/// Failures by channel and code, as many as were counted.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    /// The most frequent first.
    pub kinds: Vec<(ChannelKind, String, Pile)>,
    /// There are more than were counted: each kind may have more, and older ones.
    pub is_cut: bool,
}

/// Failures by channel and code, of the newest 300.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_failures(db: &Db, within: Within<'_>) -> Result<Failures, StoreError> {
    let [from, to] = area_range(within.area);
    let walk = Walk::choose(db, within).await?;
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(sql(format!(
        "SELECT channel, code, COUNT(*), MIN(created_at) FROM (SELECT m.channel, \
         COALESCE(m.failure_code, '') AS code, m.created_at FROM message m \
         WHERE {FAILED} AND {} ORDER BY {} LIMIT $6) AS newest \
         GROUP BY channel, code ORDER BY 3 DESC, 1, 2",
        walk.condition(),
        walk.order()
    )))
    .bind(from)
    .bind(to)
    .bind(i64::from(within.with_unknown))
    .bind(MessageId::floor(within.since).to_string())
    .bind(NEWEST)
    .bind(FAILURES)
    .fetch_all(db.reader())
    .await?;
    let is_cut = rows.iter().map(|row| row.2).sum::<i64>() >= FAILURES;
    let kinds = rows.into_iter().map(|(channel, code, count, oldest)| {
        let channel = parse("message", "channel", "", &channel)?;
        Ok((channel, code, Pile { count, oldest: Some(Timestamp::from_ms(oldest)) }))
    });
    Ok(Failures { kinds: kinds.collect::<Result<_, StoreError>>()?, is_cut })
}

/// Failures, newest first, before a cursor; of one channel and code where one is given.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_failures(
    db: &Db,
    within: Within<'_>,
    kind: Option<(ChannelKind, &str)>,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Failure>, StoreError> {
    let [from, to] = area_range(within.area);
    let walk = Walk::choose(db, within).await?;
    let rows = sqlx::query(sql(format!(
        "SELECT m.id, m.channel, m.class, m.template, m.reference, m.card_id, m.failure_code, m.failure_reason, \
         m.created_at, m.failed_at, p.id, p.name_sealed, p.phone_sealed, COALESCE(a.name, p.area) FROM message m \
         LEFT JOIN person p ON p.id = m.person_id LEFT JOIN area a ON a.code = p.area \
         WHERE {FAILED} AND {} \
         AND ($6 = '' OR (m.channel = $6 AND COALESCE(m.failure_code, '') = $7)) ORDER BY {} LIMIT $8",
        walk.condition(),
        walk.order()
    )))
    .bind(from)
    .bind(to)
    .bind(i64::from(within.with_unknown))
    .bind(MessageId::floor(within.since).to_string())
    .bind(before.map_or_else(|| NEWEST.to_owned(), |id| id.to_string()))
    .bind(kind.map_or("", |(channel, _)| channel.as_str()))
    .bind(kind.map_or("", |(_, code)| code).to_owned())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Failure, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let person: Option<String> = row.try_get(10)?;
    let open = |column, index: usize| -> Result<Option<String>, StoreError> {
        let sealed: Option<String> = row.try_get(index)?;
        let place = Place { table: "person", column };
        let person = person.as_deref().unwrap_or_default();
        sealed.map(|sealed| db.sealer.open(place, person, &sealed)).transpose()
    };
    let card: Option<String> = row.try_get(5)?;
    Ok(Failure {
        channel: parse("message", "channel", &id, &word(1)?)?,
        class: parse("message", "class", &id, &word(2)?)?,
        template: word(3)?,
        reference: row.try_get(4)?,
        card: parse_opt("message", "card_id", &id, card.as_deref())?,
        code: row.try_get(6)?,
        reason: row.try_get(7)?,
        created_at: Timestamp::from_ms(row.try_get(8)?),
        failed_at: time(row.try_get(9)?),
        name: open("name_sealed", 11)?.as_deref().and_then(PersonName::parse),
        phone: open("phone_sealed", 12)?
            .and_then(|raw| PhoneNumber::parse_international(&raw).ok()),
        area: row.try_get(13)?,
        id: parse("message", "id", &id, &id)?,
    })
}

/// A message an officer has in hand.
#[derive(Clone, Debug)]
pub struct InHand {
    /// Which.
    pub id: MessageId,
    /// The first of its chain; itself when it is the first.
    pub first_id: MessageId,
    /// What it was for.
    pub class: MessageClass,
    /// Where it is in its life.
    pub status: MessageStatus,
    /// Announcement kind, or the intent answered.
    pub template: String,
    /// What the citizen can quote.
    pub reference: Option<Reference>,
    /// Whose card.
    pub person: Option<PersonId>,
    /// Which card.
    pub card: Option<CardId>,
    /// The words in every form.
    pub content: Content,
    /// The recipient's zone.
    pub zone: Zone,
    /// Not sent from then on.
    pub expires_at: Option<Timestamp>,
    /// Whether something newer was said of its card.
    pub is_replaced: bool,
}

/// Takes a message for this transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_message(
    conn: &mut AnyConnection,
    db: &Db,
    id: MessageId,
) -> Result<Option<InHand>, StoreError> {
    let key = id.to_string();
    let statement = format!(
        "SELECT first_id, class, status, template, reference, person_id, card_id, content_sealed, zone, expires_at, \
         (SELECT COUNT(*) FROM message n WHERE n.card_id = message.card_id AND n.id > message.id \
         AND n.class = 'announcement') FROM message WHERE id = $1{}",
        db.for_update()
    );
    let row = sqlx::query(sql(statement)).bind(key.clone()).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let word = |index: usize| row.try_get::<String, _>(index);
    let text = |index: usize| row.try_get::<Option<String>, _>(index);
    let place = Place { table: "message", column: "content_sealed" };
    let content = parse_content(&db.sealer.open(place, &key, &word(7)?)?);
    Ok(Some(InHand {
        first_id: parse("message", "first_id", &key, &text(0)?.unwrap_or_else(|| key.clone()))?,
        class: parse("message", "class", &key, &word(1)?)?,
        status: parse("message", "status", &key, &word(2)?)?,
        template: word(3)?,
        reference: text(4)?.and_then(|text| Reference::find_in(&text)),
        person: parse_opt("message", "person_id", &key, text(5)?.as_deref())?,
        card: parse_opt("message", "card_id", &key, text(6)?.as_deref())?,
        content: content.ok_or_else(|| StoreError::Corrupt {
            table: "message",
            column: "content_sealed",
            id: key.clone(),
            reason: "not a value of its kind",
        })?,
        zone: zone_from_hours(row.try_get(8)?),
        expires_at: time(row.try_get(9)?),
        is_replaced: row.try_get::<i64, _>(10)? > 0,
        id,
    }))
}

/// Notes that somebody dealt with a failure; `false` when it is none, or was dealt with.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_handled(
    conn: &mut AnyConnection,
    id: MessageId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET handled_at = $2, fallback_at = NULL, updated_at = $2 \
         WHERE id = $1 AND status IN ('failed', 'cancelled') AND handled_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A pile that is counted by one statement of `at`, bounded: within the area `$1` to `$2`, with what has none if `$3` is
/// 1, and before `$5`.
pub(super) async fn pile(
    db: &Db,
    rows: &str,
    (within, with_unknown): (&AreaCode, bool),
    at: Option<Timestamp>,
) -> Result<Pile, StoreError> {
    let [from, to] = area_range(within);
    let (count, oldest): (i64, Option<i64>) = sqlx::query_as(sql(format!(
        "SELECT COUNT(*), MIN(at) FROM ({rows} LIMIT $4) AS few WHERE CAST($5 AS BIGINT) IS NOT NULL"
    )))
    .bind(from)
    .bind(to)
    .bind(i64::from(with_unknown))
    .bind(COUNTED)
    .bind(at.map_or(0, Timestamp::as_ms))
    .fetch_one(db.reader())
    .await?;
    Ok(Pile { count, oldest: time(oldest) })
}

/// The condition of a [`pile`] that holds it to its area.
pub(super) const IN_AREA: &str = "((replace(area, '.', '') >= $1 AND replace(area, '.', '') < $2) \
                       OR ($3 = 1 AND area IS NULL))";

/// News that waits to be told in person.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_visits(db: &Db, within: (&AreaCode, bool)) -> Result<Pile, StoreError> {
    let rows = format!(
        "SELECT created_at AS at FROM visit WHERE closed_at IS NULL AND {IN_AREA} ORDER BY id"
    );
    pile(db, &rows, within, None).await
}

/// Talks, complaints and requests that no officer has taken.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_waiting_tickets(db: &Db, within: (&AreaCode, bool)) -> Result<Pile, StoreError> {
    let rows = format!(
        "SELECT opened_at AS at FROM ticket WHERE closed_at IS NULL AND state = 'open' AND {IN_AREA} ORDER BY id"
    );
    pile(db, &rows, within, None).await
}

/// Those whose day has passed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_overdue_tickets(
    db: &Db,
    within: (&AreaCode, bool),
    now: Timestamp,
) -> Result<Pile, StoreError> {
    let rows = format!(
        "SELECT due_at AS at FROM ticket WHERE closed_at IS NULL AND due_at < $5 AND {IN_AREA} ORDER BY id"
    );
    pile(db, &rows, within, Some(now)).await
}

/// Questions that several people asked and nobody has taught.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_questions(db: &Db, within: (&AreaCode, bool)) -> Result<Pile, StoreError> {
    let rows = format!(
        "SELECT first_at AS at FROM question_group WHERE state = 'open' AND shared_at IS NOT NULL AND {IN_AREA}"
    );
    pile(db, &rows, within, None).await
}

/// Items of sources that could not be taken.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_rejections(db: &Db, of: &OfSources) -> Result<Pile, StoreError> {
    let (count, oldest): (i64, Option<i64>) = sqlx::query_as(sql(format!(
        "SELECT COUNT(*), MIN(at) FROM (SELECT received_at AS at FROM rejection \
         WHERE resolved_at IS NULL AND {} ORDER BY id LIMIT $1) AS few",
        of.condition(db, 2)
    )))
    .bind(COUNTED)
    .bind(of.json())
    .fetch_one(db.reader())
    .await?;
    Ok(Pile { count, oldest: time(oldest) })
}

/// Cards of an area that have lain since `until` or longer, and since when the oldest lies; counted up to [`COUNTED`].
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_unclaimed(
    db: &Db,
    (area, with_unknown): (&AreaCode, bool),
    until: Timestamp,
) -> Result<Pile, StoreError> {
    let mut pile = Pile::default();
    for [from, to] in area_ranges(area, with_unknown) {
        let row: (i64, Option<i64>) = sqlx::query_as(
            "SELECT COUNT(*), MIN(collect_since) FROM (SELECT collect_since FROM card \
             WHERE collect_since IS NOT NULL AND area >= $1 AND area < $2 AND collect_since <= $3 LIMIT $4) AS lying",
        )
        .bind(from)
        .bind(to)
        .bind(until.as_ms())
        .bind(COUNTED)
        .fetch_one(db.reader())
        .await?;
        pile = pile.with(row);
    }
    Ok(pile)
}

/// Cards of which citizens of an area say that they have them, and since when.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_taken_said(
    db: &Db,
    (area, with_unknown): (&AreaCode, bool),
) -> Result<Pile, StoreError> {
    let mut pile = Pile::default();
    for [from, to] in area_ranges(area, with_unknown) {
        let row: (i64, Option<i64>) = sqlx::query_as(
            "SELECT COUNT(*), MIN(taken_said_at) FROM (SELECT taken_said_at FROM card \
             WHERE taken_said_at IS NOT NULL AND area >= $1 AND area < $2 LIMIT $3) AS said",
        )
        .bind(from)
        .bind(to)
        .bind(COUNTED)
        .fetch_one(db.reader())
        .await?;
        pile = pile.with(row);
    }
    Ok(pile)
}
