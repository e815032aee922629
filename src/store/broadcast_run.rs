//! Table `broadcast_run`: each time a broadcast goes out, how far it is, and what became of its messages.
//!
//! Its place among the recipients is written in the transaction that puts them into the outbox, and only
//! where it still stands where the writer read it: nobody is passed over, and nobody comes twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{parse, parse_opt, time};
use super::{Db, StoreError};
use crate::domain::broadcast::{LeftOut, RunState};
use crate::domain::clock::Timestamp;
use crate::domain::id::{BroadcastId, MessageId, RunId};
use crate::domain::message::{ChannelKind, MessageStatus};

const TABLE: &str = "broadcast_run";
const COLUMNS: &str = "id, broadcast_id, state, due_at, retry_of, position, recipients, left_out, ways, \
                       started_at, expanded_at, departed_at, finished_at";

/// Recipients that one account writes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayTally {
    /// How many.
    pub recipients: u64,
    /// Segments of SMS.
    pub parts: u64,
    /// What they cost, as far as it is known.
    pub rupiah: u64,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Row id.
    pub id: RunId,
    /// Of which broadcast.
    pub broadcast: BroadcastId,
    /// Where it is.
    pub state: RunState,
    /// The date it was due.
    pub due_at: Timestamp,
    /// The run whose failures it tries again.
    pub retry_of: Option<RunId>,
    /// How far its recipients are in the outbox.
    pub position: Option<String>,
    /// Put into the outbox so far.
    pub recipients: u64,
    /// Left out so far.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Recipients by account.
    pub ways: BTreeMap<String, WayTally>,
    /// Begun.
    pub started_at: Timestamp,
    /// All recipients are in the outbox.
    pub expanded_at: Option<Timestamp>,
    /// Nothing of it waits any more.
    pub departed_at: Option<Timestamp>,
    /// Over.
    pub finished_at: Option<Timestamp>,
}

impl Run {
    /// A run that begins now.
    #[must_use]
    pub fn begin(
        id: RunId,
        broadcast: BroadcastId,
        due_at: Timestamp,
        retry_of: Option<RunId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            broadcast,
            state: RunState::Sending,
            due_at,
            retry_of,
            position: None,
            recipients: 0,
            left_out: BTreeMap::new(),
            ways: BTreeMap::new(),
            started_at: now,
            expanded_at: None,
            departed_at: None,
            finished_at: None,
        }
    }
}

fn read(row: &AnyRow) -> Result<Run, StoreError> {
    let id: String = row.try_get("id")?;
    let word = |column: &'static str| row.try_get::<String, _>(column);
    let words = |column: &'static str| row.try_get::<Option<String>, _>(column);
    let ms = |column: &'static str| row.try_get::<Option<i64>, _>(column);
    let left_out: BTreeMap<String, u64> =
        serde_json::from_str(&word("left_out")?).unwrap_or_default();
    Ok(Run {
        broadcast: parse(TABLE, "broadcast_id", &id, &word("broadcast_id")?)?,
        state: parse(TABLE, "state", &id, &word("state")?)?,
        due_at: Timestamp::from_ms(row.try_get("due_at")?),
        retry_of: parse_opt(TABLE, "retry_of", &id, words("retry_of")?.as_deref())?,
        position: words("position")?,
        recipients: u64::try_from(row.try_get::<i64, _>("recipients")?).unwrap_or(0),
        left_out: left_out
            .into_iter()
            .filter_map(|(reason, count)| Some((reason.parse().ok()?, count)))
            .collect(),
        ways: serde_json::from_str(&word("ways")?).unwrap_or_default(),
        started_at: Timestamp::from_ms(row.try_get("started_at")?),
        expanded_at: time(ms("expanded_at")?),
        departed_at: time(ms("departed_at")?),
        finished_at: time(ms("finished_at")?),
        id: parse(TABLE, "id", &id, &id)?,
    })
}

fn left_out_json(left_out: &BTreeMap<LeftOut, u64>) -> String {
    let map: BTreeMap<&str, u64> = left_out.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    serde_json::json!(map).to_string()
}

/// Adds a run; `false` when one of that date is there already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_run(tx: &mut AnyConnection, run: &Run) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO broadcast_run (id, broadcast_id, state, due_at, retry_of, recipients, left_out, ways, started_at) \
         VALUES ($1, $2, $3, $4, $5, 0, '{}', '{}', $6) ON CONFLICT (broadcast_id, due_at) DO NOTHING",
    )
    .bind(run.id.to_string())
    .bind(run.broadcast.to_string())
    .bind(run.state.as_str())
    .bind(run.due_at.as_ms())
    .bind(run.retry_of.map(|id| id.to_string()))
    .bind(run.started_at.as_ms())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes how far a run is, if it still stands where it was read and its messages may leave.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn advance_run(
    tx: &mut AnyConnection,
    run: &Run,
    from: Option<&str>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE broadcast_run SET position = $2, recipients = $3, left_out = $4, ways = $5, expanded_at = $6 \
         WHERE id = $1 AND COALESCE(position, '') = $7 AND expanded_at IS NULL AND state = 'sending'",
    )
    .bind(run.id.to_string())
    .bind(run.position.clone())
    .bind(i64::try_from(run.recipients).unwrap_or(i64::MAX))
    .bind(left_out_json(&run.left_out))
    .bind(serde_json::json!(run.ways).to_string())
    .bind(run.expanded_at.map(Timestamp::as_ms))
    .bind(from.unwrap_or_default().to_owned())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Runs that are not over, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_active(db: &Db) -> Result<Vec<Run>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM broadcast_run WHERE finished_at IS NULL ORDER BY id LIMIT 200"
    );
    let rows = sqlx::query(sql(statement)).fetch_all(db.reader()).await?;
    rows.iter().map(read).collect()
}

/// All runs of a broadcast, newest first, at most 200.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_runs(tx: &mut AnyConnection, id: BroadcastId) -> Result<Vec<Run>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM broadcast_run WHERE broadcast_id = $1 ORDER BY id DESC LIMIT 200"
    );
    let rows = sqlx::query(sql(statement)).bind(id.to_string()).fetch_all(tx).await?;
    rows.iter().map(read).collect()
}

/// The run of that id.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_run(db: &Db, id: RunId) -> Result<Option<Run>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM broadcast_run WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Puts all runs of a broadcast that are not over into a state.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_states(
    tx: &mut AnyConnection,
    id: BroadcastId,
    state: RunState,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE broadcast_run SET state = $2, finished_at = $3 WHERE broadcast_id = $1 AND finished_at IS NULL",
    )
    .bind(id.to_string())
    .bind(state.as_str())
    .bind(state.is_over().then_some(now.as_ms()))
    .execute(tx)
    .await?;
    Ok(())
}

/// Withdraws what still waits of a broadcast's runs; what is of unclear outcome is never sent a second time
/// anyway. Returns how many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn cancel_waiting(
    tx: &mut AnyConnection,
    id: BroadcastId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET status = 'cancelled', why = 'withdrawn', updated_at = $2 WHERE status = 'queued' \
         AND run_id IN (SELECT id FROM broadcast_run WHERE broadcast_id = $1)",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Notes that nothing of a run waits any more, or that it is over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_departed(
    tx: &mut AnyConnection,
    id: RunId,
    is_over: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE broadcast_run SET departed_at = COALESCE(departed_at, $2), \
         state = CASE WHEN $3 = 1 THEN 'finished' ELSE state END, \
         finished_at = CASE WHEN $3 = 1 THEN CAST($2 AS BIGINT) ELSE finished_at END \
         WHERE id = $1 AND finished_at IS NULL AND state = 'sending'",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .bind(i64::from(is_over))
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many messages of a run wait in the outbox, by account.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_queued(db: &Db, id: RunId) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT account, COUNT(*) FROM message WHERE run_id = $1 AND status = 'queued' GROUP BY account",
    )
    .bind(id.to_string())
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().map(|(id, count)| (id, u64::try_from(count).unwrap_or(0))).collect())
}

/// Whether something of a run still waits, and whether of something that left nobody has heard more. Both are
/// seen at one moment: a message may go from one state into another.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_open(db: &Db, id: RunId) -> Result<(bool, bool), StoreError> {
    let (waiting, unheard): (i64, i64) = sqlx::query_as(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM message WHERE run_id = $1 \
         AND status IN ('queued', 'sending', 'unknown')) THEN CAST(1 AS BIGINT) ELSE 0 END, \
         CASE WHEN EXISTS (SELECT 1 FROM message WHERE run_id = $1 AND status = 'sent') \
         THEN CAST(1 AS BIGINT) ELSE 0 END",
    )
    .bind(id.to_string())
    .fetch_one(db.reader())
    .await?;
    Ok((waiting == 1, unheard == 1))
}

/// Messages of a run by their states.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_states(db: &Db, id: RunId) -> Result<BTreeMap<MessageStatus, u64>, StoreError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT status, COUNT(*) FROM message WHERE run_id = $1 GROUP BY status")
            .bind(id.to_string())
            .fetch_all(db.reader())
            .await?;
    rows.iter()
        .map(|(status, count)| {
            let status = parse("message", "status", &id.to_string(), status)?;
            Ok((status, u64::try_from(*count).unwrap_or(0)))
        })
        .collect()
}

/// How many people an account has begun to write to since then, or is about to: whoever only got answers is not
/// counted, nobody twice, and what somebody holds back takes no room.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_begun(db: &Db, account: &str, since: Timestamp) -> Result<u64, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT recipient_hash FROM message WHERE account = $1 AND class <> 'reply' \
         AND sent_at IS NOT NULL AND sent_at > $2 UNION SELECT recipient_hash FROM message WHERE account = $1 \
         AND class = 'broadcast' AND status IN ('queued', 'sending', 'unknown') AND (run_id IS NULL OR run_id IN \
         (SELECT id FROM broadcast_run WHERE finished_at IS NULL AND state = 'sending'))) AS begun",
    )
    .bind(account.to_owned())
    .bind(since.as_ms())
    .fetch_one(db.reader())
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Failures of a run of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureKind {
    /// Where: the same code means something else elsewhere.
    pub channel: ChannelKind,
    /// The provider's code.
    pub code: String,
    /// The same in words.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// Failures of a run by their channel and code, the most frequent first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_failures(db: &Db, id: RunId) -> Result<Vec<FailureKind>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT channel, COALESCE(failure_code, ''), COALESCE(MIN(failure_reason), ''), COUNT(*) FROM message \
         WHERE run_id = $1 AND status = 'failed' GROUP BY channel, failure_code \
         ORDER BY COUNT(*) DESC, failure_code, channel LIMIT 50",
    )
    .bind(id.to_string())
    .fetch_all(db.reader())
    .await?;
    let kind = |(channel, code, reason, count): (String, String, String, i64)| {
        let channel = parse("message", "channel", &id.to_string(), &channel)?;
        Ok(FailureKind { channel, code, reason, count: u64::try_from(count).unwrap_or(0) })
    };
    rows.into_iter().map(kind).collect()
}

/// Ids of failed messages of a run, in order, after a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_failed(
    db: &Db,
    id: RunId,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<MessageId>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM message WHERE run_id = $1 AND status = 'failed' AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(id.to_string())
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|id| parse("message", "id", id, id)).collect()
}

/// The broadcast and the run a message belongs to.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_of_message(
    tx: &mut AnyConnection,
    id: MessageId,
) -> Result<Option<BroadcastId>, StoreError> {
    let found: Option<String> = sqlx::query_scalar(
        "SELECT broadcast_id FROM broadcast_run WHERE id = (SELECT run_id FROM message WHERE message.id = $1)",
    )
    .bind(id.to_string())
    .fetch_optional(tx)
    .await?;
    found.map(|id| parse(TABLE, "broadcast_id", &id, &id)).transpose()
}
