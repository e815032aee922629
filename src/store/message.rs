//! Table `message`, the outbox: planning, claiming, recording what came of a call.
//!
//! Every move guards the status it starts from, so that two processes, or a receipt that outran
//! its own call, can never take a message back a step.

use sqlx::{AnyConnection, Row as _};

use super::db::{Column, sql};
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::Zone;
use crate::domain::clock::Timestamp;
use crate::domain::id::{AttemptId, CardId, ContactId, MessageId, PersonId};
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus, MessageText, UnknownWait};
use crate::domain::outbound::{Bsuid, Choice, Content, Recipient, TemplateCall};
use crate::domain::phone::PhoneNumber;
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
    /// Now.
    pub created_at: Timestamp,
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
         zone, due_at, expires_at, attempts, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         0, $20, $20) ON CONFLICT (idem_key) DO NOTHING",
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

/// When and as what the message with that reference was sent, if it was.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_reference(
    conn: &mut AnyConnection,
    reference: &Reference,
) -> Result<Option<Timestamp>, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT sent_at FROM message WHERE reference = $1 AND sent_at IS NOT NULL",
    )
    .bind(reference.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(found.map(Timestamp::from_ms))
}

/// Withdraws the announcements of a card that still wait, because something newer is known.
/// Returns how many there were.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn cancel_waiting_of_card(
    conn: &mut AnyConnection,
    card: CardId,
    why: &'static str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET status = 'cancelled', why = $2, updated_at = $3 \
         WHERE card_id = $1 AND class = 'announcement' AND status = 'queued'",
    )
    .bind(card.to_string())
    .bind(why)
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Withdraws everything but replies that still waits for an address.
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
        count += sqlx::query(
            "UPDATE message SET status = 'cancelled', why = $2, updated_at = $3 \
             WHERE recipient_hash = $1 AND class <> 'reply' AND status = 'queued'",
        )
        .bind(hash.clone())
        .bind(why)
        .bind(now.as_ms())
        .execute(&mut *conn)
        .await?
        .rows_affected();
    }
    Ok(count)
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
    /// When the recipient last wrote to us.
    pub last_inbound_at: Option<Timestamp>,
}

/// Takes up to `limit` due messages of an account, lane by lane, and commits them as `sending`.
/// The attempt is counted here, before the call, so that a crash while sending still uses one up.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_due(
    db: &Db,
    account: &str,
    portfolio: &str,
    owner: &str,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Claimed>, StoreError> {
    let statement = format!(
        "WITH due AS (SELECT id FROM message WHERE account = $1 AND lane = $2 AND status = 'queued' \
         AND due_at <= $3 AND (expires_at IS NULL OR expires_at > $3) ORDER BY due_at, id LIMIT $4{}) \
         UPDATE message SET status = 'sending', claimed_by = $5, attempts = attempts + 1, \
         sending_at = $3, updated_at = $3 WHERE id IN (SELECT id FROM due) \
         RETURNING id, class, recipient_hash, recipient_sealed, content_sealed, attempts, zone, why, \
         (SELECT MAX(last_inbound_at) FROM contact WHERE contact.channel = message.channel \
          AND contact.portfolio = $6 \
          AND (contact.phone_hash = message.recipient_hash OR contact.bsuid_hash = message.recipient_hash))",
        db.skip_locked()
    );
    let mut tx = db.begin().await?;
    let mut claimed = Vec::new();
    for lane in 0..=2_i64 {
        let missing = limit - i64::try_from(claimed.len()).unwrap_or(i64::MAX);
        if missing <= 0 {
            break;
        }
        let rows = sqlx::query(sql(statement.clone()))
            .bind(account.to_owned())
            .bind(lane)
            .bind(now.as_ms())
            .bind(missing)
            .bind(owner.to_owned())
            .bind(portfolio.to_owned())
            .fetch_all(&mut *tx)
            .await?;
        let mut lane_rows =
            rows.iter().map(|row| read_claimed(db, row)).collect::<Result<Vec<_>, _>>()?;
        // RETURNING gives rows in any order; a person's messages must leave in theirs.
        lane_rows.sort_by_key(|message| message.id);
        claimed.append(&mut lane_rows);
    }
    tx.commit().await?;
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
    Ok(Claimed {
        class: parse("message", "class", &id, &class)?,
        recipient_hash: row.try_get(2)?,
        recipient: parse_recipient(&recipient).ok_or_else(|| corrupt(&id, "recipient_sealed"))?,
        content: parse_content(&content).ok_or_else(|| corrupt(&id, "content_sealed"))?,
        attempts: row.try_get(5)?,
        zone: zone_from_hours(row.try_get(6)?),
        why: row.try_get(7)?,
        last_inbound_at: super::row::time(row.try_get(8)?),
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

/// What becomes of a message after a call.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Which.
    pub id: MessageId,
    /// `Sent`, `Failed`, `Unknown`, `Cancelled`, or `Queued` to be tried again.
    pub status: MessageStatus,
    /// The provider's id of it.
    pub provider_message_id: Option<String>,
    /// When to try again, or until when to wait for a receipt.
    pub next_at: Option<Timestamp>,
    /// Whether the call counts as one of the message's attempts.
    pub is_counted: bool,
    /// One word, where it changes.
    pub why: Option<&'static str>,
    /// The provider's code of a failure.
    pub code: Option<String>,
    /// The failure in words.
    pub reason: Option<String>,
    /// The call, for the message's story; none when there was no call.
    pub attempt: Option<Attempt>,
}

/// One call of a provider.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Row id.
    pub id: AttemptId,
    /// 1, 2, …
    pub number: i64,
    /// Begun.
    pub started_at: Timestamp,
    /// Answered or given up; none when the process died.
    pub finished_at: Option<Timestamp>,
    /// One word.
    pub outcome: &'static str,
}

/// Records what came of calls, in one transaction for all of them. A message that a receipt has
/// moved on meanwhile, or that another process holds by now, keeps its status; only the provider's
/// id is added.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_settled(
    db: &Db,
    owner: &str,
    settled: &[Settled],
    now: Timestamp,
) -> Result<(), StoreError> {
    if settled.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(settled.len());
    let mut attempts = Vec::with_capacity(settled.len());
    for item in settled {
        let id = item.id.to_string();
        let provider = item.provider_message_id.as_deref();
        let sealed = provider
            .map(|plain| db.sealer.seal(place("provider_id_sealed"), &id, plain))
            .transpose()?;
        if let Some(attempt) = &item.attempt {
            attempts.push(serde_json::json!({
                "id": attempt.id.to_string(), "message_id": id, "number": attempt.number,
                "started_at": attempt.started_at.as_ms(),
                "finished_at": attempt.finished_at.map(Timestamp::as_ms),
                "outcome": attempt.outcome, "code": item.code, "detail": item.reason,
            }));
        }
        let is = |status| item.status == status;
        rows.push(serde_json::json!({
            "id": id, "status": item.status.as_str(),
            "due": is(MessageStatus::Queued).then_some(item.next_at.map(Timestamp::as_ms)),
            "wait": is(MessageStatus::Unknown).then_some(item.next_at.map(Timestamp::as_ms)),
            "back": i64::from(!item.is_counted), "why": item.why,
            "pid": provider.map(|pid| provider_id_hash(db, pid)), "psealed": sealed,
            "code": item.code, "reason": item.reason,
        }));
    }
    let columns = [
        Column::Text("id"),
        Column::Text("status"),
        Column::Int("due"),
        Column::Int("wait"),
        Column::Int("back"),
        Column::Text("why"),
        Column::Text("pid"),
        Column::Text("psealed"),
        Column::Text("code"),
        Column::Text("reason"),
    ];
    // Each assignment sees the row as it was. Only a message this process still holds takes the new
    // status, but for "sent", which is certain and also settles one that was given up as unknown.
    let held = "message.status = 'sending' AND message.claimed_by = $3";
    let statement = format!(
        "UPDATE message SET \
         status = CASE WHEN ({held}) OR (r.status = 'sent' AND message.status IN \
         ('sending', 'unknown', 'queued')) THEN r.status ELSE message.status END, \
         claimed_by = CASE WHEN message.claimed_by = $3 THEN NULL ELSE message.claimed_by END, \
         updated_at = $2, \
         due_at = CASE WHEN {held} THEN COALESCE(r.due, message.due_at) ELSE message.due_at END, \
         unknown_until = CASE WHEN {held} THEN r.wait WHEN r.status = 'sent' THEN NULL \
         ELSE message.unknown_until END, \
         attempts = CASE WHEN {held} THEN message.attempts - r.back ELSE message.attempts END, \
         why = CASE WHEN {held} THEN COALESCE(r.why, message.why) ELSE message.why END, \
         provider_id_hash = COALESCE(r.pid, message.provider_id_hash), \
         provider_id_sealed = COALESCE(r.psealed, message.provider_id_sealed), \
         sent_at = CASE WHEN r.status = 'sent' THEN COALESCE(message.sent_at, $2) ELSE message.sent_at END, \
         failed_at = CASE WHEN {held} AND r.status = 'failed' THEN $2 ELSE message.failed_at END, \
         failure_code = CASE WHEN {held} THEN r.code ELSE message.failure_code END, \
         failure_reason = CASE WHEN {held} THEN r.reason ELSE message.failure_reason END \
         FROM {} WHERE message.id = r.id",
        db.rows(1, "r", &columns)
    );
    let mut tx = db.begin().await?;
    sqlx::query(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(now.as_ms())
        .bind(owner.to_owned())
        .execute(&mut *tx)
        .await?;
    insert_attempts(&mut tx, db, attempts).await?;
    tx.commit().await?;
    Ok(())
}

async fn insert_attempts(
    conn: &mut AnyConnection,
    db: &Db,
    attempts: Vec<serde_json::Value>,
) -> Result<(), StoreError> {
    if attempts.is_empty() {
        return Ok(());
    }
    let columns = [
        Column::Text("id"),
        Column::Text("message_id"),
        Column::Int("number"),
        Column::Int("started_at"),
        Column::Int("finished_at"),
        Column::Text("outcome"),
        Column::Text("code"),
        Column::Text("detail"),
    ];
    let statement = format!(
        "INSERT INTO attempt (id, message_id, number, started_at, finished_at, outcome, code, detail) \
         SELECT a.id, a.message_id, a.number, a.started_at, a.finished_at, a.outcome, a.code, a.detail FROM {}",
        db.rows(1, "a", &columns)
    );
    sqlx::query(sql(statement))
        .bind(serde_json::Value::Array(attempts).to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// The hash under which a provider's id of a message is looked up.
#[must_use]
pub fn provider_id_hash(db: &Db, provider_message_id: &str) -> String {
    db.index("provider_message_id", provider_message_id)
}

/// Takes over what a former owner of an account left in flight: its calls have an unknown outcome
/// and wait for a receipt, counted from the call. Returns how many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_abandoned(
    db: &Db,
    account: &str,
    owner: &str,
    waits: &UnknownWait,
    ids: &(dyn Fn() -> AttemptId + Sync),
    now: Timestamp,
) -> Result<usize, StoreError> {
    let ms = |class| i64::try_from(waits.of(class).as_millis()).unwrap_or(i64::MAX);
    let mut tx = db.begin().await?;
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "UPDATE message SET status = 'unknown', claimed_by = NULL, updated_at = $3, \
         unknown_until = sending_at + CASE class WHEN 'reply' THEN $4 WHEN 'announcement' THEN $5 ELSE $6 END \
         WHERE account = $1 AND status = 'sending' AND (claimed_by IS NULL OR claimed_by <> $2) \
         RETURNING id, attempts, sending_at",
    )
    .bind(account.to_owned())
    .bind(owner.to_owned())
    .bind(now.as_ms())
    .bind(ms(MessageClass::Reply))
    .bind(ms(MessageClass::Announcement))
    .bind(ms(MessageClass::Broadcast))
    .fetch_all(&mut *tx)
    .await?;
    let attempts = rows
        .iter()
        .map(|(id, number, started_at)| {
            serde_json::json!({
                "id": ids().to_string(), "message_id": id, "number": number, "started_at": started_at,
                "finished_at": null, "outcome": "unknown", "code": "process_ended",
                "detail": "the sending process ended before the provider answered",
            })
        })
        .collect();
    insert_attempts(&mut tx, db, attempts).await?;
    tx.commit().await?;
    Ok(rows.len())
}

/// Decides messages whose waiting time for a receipt is over: replies and announcements are sent
/// again, broadcasts are reported as failed. Returns how many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn settle_unknown(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let mut tx = db.begin().await?;
    let again = sqlx::query(
        "UPDATE message SET status = 'queued', why = 'sent_again_after_unknown', due_at = $1, \
         unknown_until = NULL, updated_at = $1 \
         WHERE status = 'unknown' AND unknown_until <= $1 AND class <> 'broadcast'",
    )
    .bind(now.as_ms())
    .execute(&mut *tx)
    .await?;
    let given_up = sqlx::query(
        "UPDATE message SET status = 'failed', failed_at = $1, unknown_until = NULL, updated_at = $1, \
         failure_code = 'unknown_outcome', \
         failure_reason = 'the provider gave no clear answer and no receipt came; not sent again, so that nobody hears twice' \
         WHERE status = 'unknown' AND unknown_until <= $1 AND class = 'broadcast'",
    )
    .bind(now.as_ms())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(again.rows_affected() + given_up.rows_affected())
}

/// Ends waiting messages whose moment has passed. Returns how many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn expire_due(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET status = 'expired', why = 'moment_passed', updated_at = $1 \
         WHERE status = 'queued' AND expires_at <= $1",
    )
    .bind(now.as_ms())
    .execute(db.writer())
    .await?;
    Ok(done.rows_affected())
}

fn zone_hours(zone: Zone) -> i64 {
    i64::from(zone.offset().local_minus_utc() / 3600)
}

const fn zone_from_hours(hours: i64) -> Zone {
    match hours {
        8 => Zone::Wita,
        9 => Zone::Wit,
        _ => Zone::Wib,
    }
}

fn recipient_json(to: &Recipient) -> String {
    serde_json::json!({
        "phone": to.phone.as_ref().map(PhoneNumber::expose),
        "bsuid": to.bsuid.as_ref().map(Bsuid::expose),
    })
    .to_string()
}

pub(super) fn parse_recipient(json: &str) -> Option<Recipient> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    Some(Recipient {
        phone: value["phone"].as_str().and_then(|p| PhoneNumber::parse_international(p).ok()),
        bsuid: value["bsuid"].as_str().and_then(Bsuid::parse),
    })
}

fn content_json(content: &Content) -> String {
    let template = content.template.as_ref().map(|call| {
        let params: Vec<_> =
            call.params.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        serde_json::json!({"name": call.name, "language": call.language, "params": params})
    });
    let choices: Vec<_> =
        content.choices.iter().map(|c| (c.id.as_str(), c.title.as_str())).collect();
    serde_json::json!({"template": template, "text": content.text.expose(), "choices": choices})
        .to_string()
}

pub(super) fn parse_content(json: &str) -> Option<Content> {
    #[derive(serde::Deserialize)]
    struct Call {
        name: String,
        language: String,
        params: Vec<(String, String)>,
    }
    #[derive(serde::Deserialize)]
    struct Stored {
        template: Option<Call>,
        text: String,
        choices: Vec<(String, String)>,
    }
    let stored: Stored = serde_json::from_str(json).ok()?;
    Some(Content {
        template: stored.template.map(|call| TemplateCall {
            name: call.name,
            language: call.language,
            params: call.params.into_iter().map(|(n, v)| (n, MessageText::new(v))).collect(),
        }),
        text: MessageText::new(stored.text),
        choices: stored.choices.into_iter().map(|(id, title)| Choice { id, title }).collect(),
    })
}
