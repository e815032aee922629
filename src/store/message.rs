//! Table `message`, the outbox: planning, withdrawing and claiming. What comes of a claimed message
//! is `settled`'s.
//!
//! Every move guards the status it starts from, so that two processes can never take a message back
//! a step.

use sqlx::{AnyConnection, Row as _};

use super::content::{
    content_json, parse_content, parse_recipient, recipient_json, zone_from_hours, zone_hours,
};
use super::db::sql;
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::Zone;
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, ContactId, MessageId, PersonId, RunId};
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus};
use crate::domain::outbound::{Content, Recipient};
use crate::domain::reference::Reference;

const fn place(column: &'static str) -> Place {
    Place { table: "message", column }
}

/// A message about to be planned.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Row id, which providers echo.
    pub id: MessageId,
    /// What caused it; the same cause never plans two.
    pub idem_key: String,
    /// The account that is to send it; empty when there is none.
    pub account: String,
    /// On which channel.
    pub channel: ChannelKind,
    /// What it is for.
    pub class: MessageClass,
    /// `Queued`, or `Cancelled` when it is only noted that and why nothing is sent.
    pub status: MessageStatus,
    /// Why it is or is not sent.
    pub why: &'static str,
    /// Announcement kind, or the intent answered.
    pub template: String,
    /// What the citizen can quote.
    pub reference: Option<Reference>,
    /// To whom.
    pub recipient: Option<Recipient>,
    /// Hash of the address; see [`recipient_hash`].
    pub recipient_hash: String,
    /// Whose conversation.
    pub contact_id: Option<ContactId>,
    /// Whose card.
    pub person_id: Option<PersonId>,
    /// Which card.
    pub card_id: Option<CardId>,
    /// The words in every form.
    pub content: Content,
    /// The recipient's zone.
    pub zone: Zone,
    /// Not before.
    pub due_at: Timestamp,
    /// Not from then on.
    pub expires_at: Option<Timestamp>,
    /// The first message of the same news, when this one follows it on another channel.
    pub first_id: Option<MessageId>,
    /// No word of its arrival by then: the next channel.
    pub fallback_at: Option<Timestamp>,
    /// Another channel would follow.
    pub has_next: bool,
    /// Hash of address and words; see [`text_hash`].
    pub text_hash: Option<String>,
    /// Segments of an SMS.
    pub parts: Option<i64>,
    /// What they cost.
    pub rupiah: Option<i64>,
    /// The run of a broadcast it belongs to.
    pub run_id: Option<RunId>,
    /// Now.
    pub created_at: Timestamp,
}

/// The hash by which the same words to the same address are recognised.
#[must_use]
pub fn text_hash(db: &Db, recipient_hash: &str, words: &str) -> String {
    db.index("text", &format!("{recipient_hash}/{words}"))
}

/// How often the same words were planned for the same address since `since`, and how many answers of
/// any words.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_repeats(
    conn: &mut AnyConnection,
    text_hash: &str,
    recipient_hash: &str,
    since: Timestamp,
) -> Result<(i64, i64), StoreError> {
    let found = sqlx::query_as(
        "SELECT (SELECT COUNT(*) FROM message WHERE text_hash = $1 AND created_at > $3 \
         AND status <> 'cancelled'), \
         (SELECT COUNT(*) FROM message WHERE recipient_hash = $2 AND created_at > $3 \
         AND class = 'reply' AND why <> 'officer' AND status <> 'cancelled')",
    )
    .bind(text_hash.to_owned())
    .bind(recipient_hash.to_owned())
    .bind(since.as_ms())
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// The message that a cause has planned.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_cause(
    conn: &mut AnyConnection,
    idem_key: &str,
) -> Result<Option<MessageId>, StoreError> {
    let id: Option<String> = sqlx::query_scalar("SELECT id FROM message WHERE idem_key = $1")
        .bind(idem_key.to_owned())
        .fetch_optional(conn)
        .await?;
    id.map(|id| parse("message", "id", &id, &id)).transpose()
}

/// The hash a message's address is looked up by: of the phone, else of the BSUID.
#[must_use]
pub fn recipient_hash(db: &Db, portfolio: &str, to: &Recipient) -> String {
    super::consent::address_hashes(db, portfolio, to).into_iter().next().unwrap_or_default()
}

/// Plans a message; `false` when its cause has planned one already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_message(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewMessage,
) -> Result<bool, StoreError> {
    let id = new.id.to_string();
    let recipient = new
        .recipient
        .as_ref()
        .map(|to| db.sealer.seal(place("recipient_sealed"), &id, &recipient_json(to)))
        .transpose()?;
    let content = db.sealer.seal(place("content_sealed"), &id, &content_json(&new.content))?;
    let done = sqlx::query(
        "INSERT INTO message (id, idem_key, account, channel, class, lane, status, why, template, \
         reference, recipient_hash, recipient_sealed, contact_id, person_id, card_id, content_sealed, \
         zone, due_at, expires_at, attempts, created_at, updated_at, first_id, fallback_at, text_hash, \
         parts, rupiah, has_next, run_id, area) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         0, $20, $20, $21, $22, $23, $24, $25, $26, $27, \
         COALESCE((SELECT replace(person.area, '.', '') FROM person WHERE person.id = $14), '')) ON CONFLICT (idem_key) DO NOTHING",
    )
    .bind(id)
    .bind(new.idem_key.clone())
    .bind(new.account.clone())
    .bind(new.channel.as_str())
    .bind(new.class.as_str())
    .bind(new.class.lane())
    .bind(new.status.as_str())
    .bind(new.why)
    .bind(new.template.clone())
    .bind(new.reference.as_ref().map(ToString::to_string))
    .bind(new.recipient_hash.clone())
    .bind(recipient)
    .bind(new.contact_id.map(|id| id.to_string()))
    .bind(new.person_id.map(|id| id.to_string()))
    .bind(new.card_id.map(|id| id.to_string()))
    .bind(content)
    .bind(zone_hours(new.zone))
    .bind(new.due_at.as_ms())
    .bind(new.expires_at.map(Timestamp::as_ms))
    .bind(new.created_at.as_ms())
    .bind(new.first_id.map(|id| id.to_string()))
    .bind(new.fallback_at.map(Timestamp::as_ms))
    .bind(new.text_hash.clone())
    .bind(new.parts)
    .bind(new.rupiah)
    .bind(i64::from(new.has_next))
    .bind(new.run_id.map(|id| id.to_string()))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a reference was given to a message before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_reference_taken(
    conn: &mut AnyConnection,
    reference: &Reference,
) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM message WHERE reference = $1")
            .bind(reference.to_string())
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

/// A message that was sent, as its reference finds it.
#[derive(Clone, Debug)]
pub struct Referred {
    /// When.
    pub sent_at: Timestamp,
    /// Announcement kind.
    pub template: String,
    /// About which paper.
    pub document: Option<String>,
}

/// The message with that reference, if it was sent.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_reference(
    conn: &mut AnyConnection,
    reference: &Reference,
) -> Result<Option<Referred>, StoreError> {
    let found: Option<(i64, String, Option<String>)> = sqlx::query_as(
        "SELECT m.sent_at, m.template, c.document FROM message m LEFT JOIN card c ON c.id = m.card_id \
         WHERE m.reference = $1 AND m.sent_at IS NOT NULL ORDER BY m.id LIMIT 1",
    )
    .bind(reference.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|(sent_at, template, document)| Referred {
        sent_at: Timestamp::from_ms(sent_at),
        template,
        document,
    }))
}

/// Withdraws the announcements of a card that still wait, because something newer is known. Those
/// in the provider's hand, or of unclear outcome, are not sent a second time from now on, and none
/// goes on to another channel. Returns how many waited.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn cancel_waiting_of_card(
    conn: &mut AnyConnection,
    card: CardId,
    why: &'static str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let touched: Vec<(String,)> = sqlx::query_as(
        "UPDATE message SET \
         expires_at = CASE WHEN status IN ('sending', 'unknown') THEN $3 ELSE expires_at END, \
         why = CASE WHEN status IN ('queued', 'sending', 'unknown') THEN $2 ELSE why END, \
         status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END, \
         fallback_at = NULL, updated_at = $3 WHERE card_id = $1 AND class = 'announcement' \
         AND (status IN ('queued', 'sending', 'unknown') OR fallback_at IS NOT NULL) RETURNING status",
    )
    .bind(card.to_string())
    .bind(why)
    .bind(now.as_ms())
    .fetch_all(conn)
    .await?;
    Ok(count_cancelled(&touched))
}

/// Whether a holder heard of a day on which their card is brought, that day is still to come, and nothing they heard
/// since took it back.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn waits_for_day(
    conn: &mut AnyConnection,
    card: CardId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // What is on its way counts: it may have arrived.
    let last: Option<(String, String, Option<i64>)> = sqlx::query_as(
        "SELECT template, status, expires_at FROM message WHERE card_id = $1 AND template IN \
         ('home_delivery_scheduled', 'home_delivery_moved', 'home_delivery_cancelled', 'home_delivery_missed', \
         'ready_to_collect') \
         AND status NOT IN ('queued', 'cancelled', 'failed', 'expired') ORDER BY id DESC LIMIT 1",
    )
    .bind(card.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(last.is_some_and(|(template, status, expires_at)| {
        let is_day = template.parse().is_ok_and(|kind: AnnouncementKind| kind.is_of_delivery_day());
        let is_on_its_way = matches!(status.as_str(), "sending" | "unknown");
        let is_to_come = expires_at.is_none_or(|at| at > now.as_ms());
        is_day && (is_on_its_way || is_to_come)
    }))
}

/// Cancels what of one kind still waits about a card.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn cancel_waiting_of_kind(
    conn: &mut AnyConnection,
    card: CardId,
    kind: AnnouncementKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE message SET status = 'cancelled', why = 'superseded', fallback_at = NULL, updated_at = $3 \
         WHERE card_id = $1 AND template = $2 AND class = 'announcement' AND status = 'queued'",
    )
    .bind(card.to_string())
    .bind(kind.as_str())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// How many of the rows that one statement touched waited before it; those cancelled earlier are
/// never touched.
fn count_cancelled(touched: &[(String,)]) -> u64 {
    let cancelled = MessageStatus::Cancelled.as_str();
    touched.iter().filter(|(status,)| status == cancelled).count() as u64
}

/// Withdraws everything but replies that still waits for an address; what is of unclear outcome is
/// not sent a second time.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn cancel_waiting_of_address(
    conn: &mut AnyConnection,
    hashes: &[String],
    why: &'static str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut count = 0;
    for hash in hashes {
        let touched: Vec<(String,)> = sqlx::query_as(
            "UPDATE message SET \
             expires_at = CASE WHEN status IN ('sending', 'unknown') THEN $3 ELSE expires_at END, \
             why = CASE WHEN status IN ('queued', 'sending', 'unknown') THEN $2 ELSE why END, \
             status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END, \
             fallback_at = NULL, updated_at = $3 WHERE recipient_hash = $1 AND class <> 'reply' \
             AND (status IN ('queued', 'sending', 'unknown') OR fallback_at IS NOT NULL) \
             RETURNING status",
        )
        .bind(hash.clone())
        .bind(why)
        .bind(now.as_ms())
        .fetch_all(&mut *conn)
        .await?;
        count += count_cancelled(&touched);
    }
    Ok(count)
}

/// Withdraws the oldest replies that wait for an address, but for the newest `keep`: whoever writes
/// faster than we may answer is answered on what they wrote last. An officer's words are no such
/// answer. Returns how many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn cancel_oldest_replies(
    conn: &mut AnyConnection,
    recipient_hash: &str,
    keep: i64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET status = 'cancelled', why = 'overtaken', updated_at = $3 WHERE id IN \
         (SELECT id FROM message WHERE recipient_hash = $1 AND class = 'reply' AND status = 'queued' \
         AND why <> 'officer' ORDER BY id DESC LIMIT 1000 OFFSET $2) AND status = 'queued'",
    )
    .bind(recipient_hash.to_owned())
    .bind(keep)
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// A message in the hand of the sender.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Which.
    pub id: MessageId,
    /// What it is for.
    pub class: MessageClass,
    /// To whom.
    pub recipient: Recipient,
    /// Hash of the address, for the limits per recipient.
    pub recipient_hash: String,
    /// The words in every form.
    pub content: Content,
    /// Calls made, this one included.
    pub attempts: i64,
    /// The recipient's zone.
    pub zone: Zone,
    /// Why it waits, one word.
    pub why: String,
    /// Not sent from then on.
    pub expires_at: Option<Timestamp>,
    /// Another channel would follow.
    pub has_next: bool,
    /// When the recipient last wrote to us.
    pub last_inbound_at: Option<Timestamp>,
    /// Why it must not leave after all, if it is no reply.
    pub refusal: Option<ClaimRefusal>,
}

/// Why a message that was planned must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimRefusal {
    /// The recipient asked to stop, or is somebody else.
    Withdrawn,
    /// The address cannot be reached on this channel.
    NotOnChannel,
}

fn refusal(class: &str, opted_out: i64, suppressed_on: Option<&str>) -> Option<ClaimRefusal> {
    match suppressed_on {
        _ if class == MessageClass::Reply.as_str() => None,
        _ if opted_out > 0 => Some(ClaimRefusal::Withdrawn),
        Some("") => Some(ClaimRefusal::Withdrawn),
        Some(_) => Some(ClaimRefusal::NotOnChannel),
        None => None,
    }
}

/// Takes due messages of an account, lane by lane, as `sending`: up to the first of `limits` in all, and of the lanes
/// behind the replies no more than the second. What belongs to a run that is held stays. No call may begin before the
/// caller has committed.
/// The attempt is counted here, before the call, so that a crash while sending still uses one up.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_due(
    conn: &mut AnyConnection,
    db: &Db,
    (account, owner): (&str, &str),
    portfolio: &str,
    now: Timestamp,
    limits: (i64, i64),
) -> Result<Vec<Claimed>, StoreError> {
    // SQLite plans a statement anew at each binding of a bare LIMIT, whose value it looks at; a sum is left alone.
    let statement = |condition: &str| {
        sql(format!(
            "WITH due AS (SELECT id FROM message WHERE account = $1 AND lane = $2 AND status = 'queued' \
         AND due_at <= $3 AND (expires_at IS NULL OR expires_at > $3){condition} ORDER BY due_at, id LIMIT $4 + 0{}) \
         UPDATE message SET status = 'sending', claimed_by = $5, attempts = attempts + 1, \
         sending_at = $3, updated_at = $3 WHERE id IN (SELECT id FROM due) \
         RETURNING id, class, recipient_hash, recipient_sealed, content_sealed, attempts, zone, why, \
         (SELECT MAX(last_inbound_at) FROM contact WHERE contact.channel = message.channel \
          AND contact.portfolio = $6 \
          AND (contact.phone_hash = message.recipient_hash OR contact.bsuid_hash = message.recipient_hash)), \
         (SELECT COUNT(*) FROM consent WHERE consent.address_hash = message.recipient_hash \
          AND (consent.opted_out_at IS NOT NULL \
          OR (message.class = 'broadcast' AND consent.no_marketing_at IS NOT NULL))), \
         (SELECT MIN(suppression.channel) FROM suppression \
          WHERE suppression.address_hash = message.recipient_hash \
          AND suppression.channel IN ('', message.channel) AND suppression.released_at IS NULL), \
         expires_at, has_next",
            db.skip_locked()
        ))
    };
    let is_let_go = " AND (run_id IS NULL OR EXISTS \
                     (SELECT 1 FROM broadcast_run WHERE broadcast_run.id = run_id AND state = 'sending'))";
    let mut claimed = Vec::new();
    for lane in 0..=2_i64 {
        let limit = if lane == 0 { limits.0 } else { limits.1 };
        let missing = limit - i64::try_from(claimed.len()).unwrap_or(i64::MAX);
        if missing <= 0 {
            break;
        }
        let rows = sqlx::query(statement(if lane == 2 { is_let_go } else { "" }))
            .bind(account.to_owned())
            .bind(lane)
            .bind(now.as_ms())
            .bind(missing)
            .bind(owner.to_owned())
            .bind(portfolio.to_owned())
            .fetch_all(&mut *conn)
            .await?;
        let mut lane_rows =
            rows.iter().map(|row| read_claimed(db, row)).collect::<Result<Vec<_>, _>>()?;
        // RETURNING gives rows in any order; a person's messages must leave in theirs.
        lane_rows.sort_by_key(|message| message.id);
        claimed.append(&mut lane_rows);
    }
    Ok(claimed)
}

fn read_claimed(db: &Db, row: &sqlx::any::AnyRow) -> Result<Claimed, StoreError> {
    let id: String = row.try_get(0)?;
    let class: String = row.try_get(1)?;
    let recipient: Option<String> = row.try_get(3)?;
    let content: String = row.try_get(4)?;
    let recipient = match recipient {
        Some(sealed) => db.sealer.open(place("recipient_sealed"), &id, &sealed)?,
        None => "{}".to_owned(),
    };
    let content = db.sealer.open(place("content_sealed"), &id, &content)?;
    let suppressed_on: Option<String> = row.try_get(10)?;
    Ok(Claimed {
        class: parse("message", "class", &id, &class)?,
        recipient_hash: row.try_get(2)?,
        recipient: parse_recipient(&recipient).ok_or_else(|| corrupt(&id, "recipient_sealed"))?,
        content: parse_content(&content).ok_or_else(|| corrupt(&id, "content_sealed"))?,
        attempts: row.try_get(5)?,
        zone: zone_from_hours(row.try_get(6)?),
        why: row.try_get(7)?,
        last_inbound_at: super::row::time(row.try_get(8)?),
        expires_at: super::row::time(row.try_get(11)?),
        has_next: row.try_get::<Option<i64>, _>(12)? == Some(1),
        refusal: refusal(&class, row.try_get(9)?, suppressed_on.as_deref()),
        id: parse("message", "id", &id, &id)?,
    })
}

fn corrupt(id: &str, column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "message",
        column,
        id: id.to_owned(),
        reason: "not a value of its kind",
    }
}

/// Whether the last so many messages to an address on a channel of which the provider told the end
/// could all not be brought. Failures of our own account say nothing about the address.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_only_failed(
    conn: &mut AnyConnection,
    recipient_hash: &str,
    channel: ChannelKind,
    last: i64,
) -> Result<bool, StoreError> {
    let failed: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT status FROM message WHERE recipient_hash = $1 AND channel = $2 \
         AND (status IN ('delivered', 'read') OR (status = 'failed' AND EXISTS (SELECT 1 FROM receipt \
         WHERE receipt.message_id = message.id AND receipt.kind = 'failed'))) \
         ORDER BY id DESC LIMIT $3) AS latest WHERE status = 'failed'",
    )
    .bind(recipient_hash.to_owned())
    .bind(channel.as_str())
    .bind(last)
    .fetch_one(conn)
    .await?;
    Ok(failed >= last)
}

/// Sends announcements again as their template whose free words came too late for the service
/// window, as a later word of the provider says. Returns those it concerns; for all others that
/// word is a failure like any other: what was superseded or went on to another channel stays so.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn requeue_window_closed(
    conn: &mut AnyConnection,
    id: MessageId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET status = 'queued', why = 'window_closed', due_at = $2, sent_at = NULL, \
         unknown_until = NULL, claimed_by = NULL, updated_at = $2 \
         WHERE id = $1 AND class = 'announcement' AND channel = 'whatsapp' AND why <> 'window_closed' \
         AND fallback_at IS NOT NULL \
         AND status IN ('sending', 'unknown', 'sent') AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// To whom messages went, for what a later word teaches about the address.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_recipient(
    conn: &mut AnyConnection,
    db: &Db,
    id: MessageId,
) -> Result<Option<(ChannelKind, String, Recipient)>, StoreError> {
    let key = id.to_string();
    let row: Option<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT channel, recipient_hash, recipient_sealed FROM message WHERE id = $1",
    )
    .bind(key.clone())
    .fetch_optional(conn)
    .await?;
    let Some((channel, hash, sealed)) = row else { return Ok(None) };
    let recipient = match sealed {
        Some(sealed) => {
            let json = db.sealer.open(place("recipient_sealed"), &key, &sealed)?;
            parse_recipient(&json).ok_or_else(|| corrupt(&key, "recipient_sealed"))?
        }
        None => Recipient::default(),
    };
    Ok(Some((parse("message", "channel", &key, &channel)?, hash, recipient)))
}
