//! Table `message` after a call, and table `attempt`: what came of it, and what time decides.
//!
//! Every move guards the status it starts from, so that a receipt that outran its own call, or a
//! process that lost its lease, never takes a message back a step.

use std::time::Duration;

use serde::Serialize;
use sqlx::AnyConnection;

use super::db::{Column, sql};
use super::seal::Place;
use super::{Db, StoreError, inbox};
use crate::domain::clock::Timestamp;
use crate::domain::id::{AttemptId, MessageId};
use crate::domain::message::{MessageClass, MessageStatus, UnknownWait};

const fn place(column: &'static str) -> Place {
    Place { table: "message", column }
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
    /// What becomes of the deadline after which the next channel is tried.
    pub fallback: Fallback,
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

/// The deadline after which news goes on to the next channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Stays what it is.
    Keep,
    /// There is none.
    None,
    /// This one.
    At(Timestamp),
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

/// A row of [`mark_settled`]'s statement, written straight into its parameter.
#[derive(Serialize)]
struct SettledRow<'a> {
    id: String,
    status: &'static str,
    due: Option<i64>,
    wait: Option<i64>,
    back: i64,
    why: Option<&'static str>,
    pid: Option<String>,
    psealed: Option<String>,
    code: Option<&'a str>,
    reason: Option<&'a str>,
    keep: i64,
    fall: Option<i64>,
}

/// A row of `attempt`.
#[derive(Serialize)]
struct AttemptRow<'a> {
    id: String,
    message_id: String,
    number: i64,
    started_at: i64,
    finished_at: Option<i64>,
    outcome: &'static str,
    code: Option<&'a str>,
    detail: Option<&'a str>,
}

fn json_rows<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(rows)
        .map_err(|_| StoreError::Unusable("rows that JSON cannot hold".to_owned()))
}

/// Records what came of calls, all of them in the caller's transaction. A message that a receipt has
/// moved on meanwhile, or that another process holds by now, keeps its status; only the provider's
/// id is added.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_settled(
    conn: &mut AnyConnection,
    db: &Db,
    (account, owner): (&str, &str),
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
            attempts.push(AttemptRow {
                id: attempt.id.to_string(),
                message_id: id.clone(),
                number: attempt.number,
                started_at: attempt.started_at.as_ms(),
                finished_at: attempt.finished_at.map(Timestamp::as_ms),
                outcome: attempt.outcome,
                code: item.code.as_deref(),
                detail: item.reason.as_deref(),
            });
        }
        let next_at = |status| item.next_at.filter(|_| item.status == status).map(Timestamp::as_ms);
        rows.push(SettledRow {
            id,
            status: item.status.as_str(),
            due: next_at(MessageStatus::Queued),
            wait: next_at(MessageStatus::Unknown),
            back: i64::from(!item.is_counted),
            why: item.why,
            pid: provider.map(|pid| provider_id_hash(db, account, pid)),
            psealed: sealed,
            code: item.code.as_deref(),
            reason: item.reason.as_deref(),
            keep: i64::from(item.fallback == Fallback::Keep),
            fall: match item.fallback {
                Fallback::At(at) => Some(at.as_ms()),
                Fallback::Keep | Fallback::None => None,
            },
        });
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
        Column::Int("keep"),
        Column::Int("fall"),
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
         fallback_at = CASE WHEN r.keep = 1 OR message.fallback_at IS NULL THEN message.fallback_at \
         WHEN {held} OR (r.status = 'sent' AND message.status IN ('queued', 'unknown', 'sent')) \
         THEN r.fall ELSE message.fallback_at END, \
         provider_id_hash = COALESCE(r.pid, message.provider_id_hash), \
         provider_id_sealed = COALESCE(r.psealed, message.provider_id_sealed), \
         sent_at = CASE WHEN r.status = 'sent' THEN COALESCE(message.sent_at, $2) ELSE message.sent_at END, \
         failed_at = CASE WHEN {held} AND r.status = 'failed' THEN $2 ELSE message.failed_at END, \
         failure_code = CASE WHEN {held} THEN r.code ELSE message.failure_code END, \
         failure_reason = CASE WHEN {held} THEN r.reason ELSE message.failure_reason END \
         FROM {} WHERE message.id = r.id",
        db.rows(1, "r", &columns)
    );
    let rows = json_rows(&rows)?;
    if db.engine() == super::Engine::Postgres {
        // In the order of ids, as receipts take them: neither waits for the other in a circle.
        let lock = format!(
            "SELECT m.id FROM message m WHERE m.id IN (SELECT r.id FROM {}) ORDER BY m.id FOR UPDATE",
            db.rows(1, "r", &[Column::Text("id")])
        );
        sqlx::query(sql(lock)).bind(rows.clone()).execute(&mut *conn).await?;
    }
    sqlx::query(sql(statement))
        .bind(rows)
        .bind(now.as_ms())
        .bind(owner.to_owned())
        .execute(&mut *conn)
        .await?;
    insert_attempts(conn, db, &attempts).await
}

async fn insert_attempts(
    conn: &mut AnyConnection,
    db: &Db,
    attempts: &[AttemptRow<'_>],
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
    sqlx::query(sql(statement)).bind(json_rows(attempts)?).execute(conn).await?;
    Ok(())
}

/// The hash under which a provider's id of a message is looked up. Ids of some providers are small
/// numbers that others give out as well, so they count within their account.
#[must_use]
pub fn provider_id_hash(db: &Db, account: &str, provider_message_id: &str) -> String {
    db.index("provider_message_id", &format!("{account}/{provider_message_id}"))
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
    let attempts: Vec<AttemptRow<'_>> = rows
        .iter()
        .map(|(id, number, started_at)| AttemptRow {
            id: ids().to_string(),
            message_id: id.clone(),
            number: *number,
            started_at: *started_at,
            finished_at: None,
            outcome: "unknown",
            code: Some("process_ended"),
            detail: Some("the sending process ended before the provider answered"),
        })
        .collect();
    insert_attempts(&mut tx, db, &attempts).await?;
    tx.commit().await?;
    Ok(rows.len())
}

/// Decides messages whose waiting time for a receipt is over: replies and announcements are sent
/// again as long as fewer than `max_unclear` calls ended so, all others are reported as failed:
/// where no receipt ever comes, nobody must hear the same without end. Returns how many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn settle_unknown(db: &Db, max_unclear: i64, now: Timestamp) -> Result<u64, StoreError> {
    let mut tx = db.begin().await?;
    let again = sqlx::query(
        "UPDATE message SET status = 'queued', why = 'sent_again_after_unknown', due_at = $1, \
         unknown_until = NULL, updated_at = $1 \
         WHERE status = 'unknown' AND unknown_until <= $1 AND class <> 'broadcast' \
         AND (expires_at IS NULL OR expires_at > $1) \
         AND (SELECT COUNT(*) FROM attempt WHERE attempt.message_id = message.id \
         AND attempt.outcome = 'unknown') < $2",
    )
    .bind(now.as_ms())
    .bind(max_unclear)
    .execute(&mut *tx)
    .await?;
    let given_up = sqlx::query(
        "UPDATE message SET status = 'failed', failed_at = $1, unknown_until = NULL, updated_at = $1, \
         fallback_at = CASE WHEN fallback_at IS NULL OR expires_at <= $1 THEN NULL ELSE $1 END, \
         failure_code = 'unknown_outcome', \
         failure_reason = 'the provider gave no clear answer and no receipt came; not sent again, so that nobody hears twice' \
         WHERE status = 'unknown' AND unknown_until <= $1 AND (class = 'broadcast' OR expires_at <= $1 \
         OR (SELECT COUNT(*) FROM attempt WHERE attempt.message_id = message.id \
         AND attempt.outcome = 'unknown') >= $2)",
    )
    .bind(now.as_ms())
    .bind(max_unclear)
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
        "UPDATE message SET status = 'expired', updated_at = $1, fallback_at = NULL, \
         why = CASE WHEN why IN ('superseded', 'opted_out', 'suppressed') THEN why ELSE 'moment_passed' END \
         WHERE status = 'queued' AND expires_at <= $1",
    )
    .bind(now.as_ms())
    .execute(db.writer())
    .await?;
    Ok(done.rows_affected())
}

/// The clock was set back from `before` to `now`: what had been due is due still, and an unclear outcome waits no longer
/// than `longest`. Returns how many messages that changed; again does no harm.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn bring_back(
    db: &Db,
    (now, before): (Timestamp, Timestamp),
    longest: Duration,
) -> Result<u64, StoreError> {
    let mut tx = db.begin().await?;
    let due = sqlx::query(
        "UPDATE message SET due_at = $1 WHERE status = 'queued' AND due_at > $1 AND due_at <= $2",
    )
    .bind(now.as_ms())
    .bind(before.as_ms())
    .execute(&mut *tx)
    .await?;
    let unclear = sqlx::query(
        "UPDATE message SET unknown_until = $1 WHERE status = 'unknown' AND unknown_until > $1",
    )
    .bind(now.after(longest).as_ms())
    .execute(&mut *tx)
    .await?;
    inbox::bring_back(&mut tx, (now, before)).await?;
    tx.commit().await?;
    Ok(due.rows_affected() + unclear.rows_affected())
}
