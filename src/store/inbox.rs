//! Table `inbox`: every provider event, stored before the provider is answered.

use sqlx::AnyConnection;

use super::db::{Column, sql};
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::EventId;
use crate::words;

const PLACE: Place = Place { table: "inbox", column: "payload_sealed" };

words! {
    /// What an event is about, as far as its adapter could see at the door.
    pub enum EventKind {
        /// Somebody wrote.
        Message = "message",
        /// A word about one of our messages.
        Receipt = "receipt",
        /// An officer's command, handed over by whoever saw at the inbox that it is one.
        Officer = "officer",
        /// Something else: kept, and looked at where we know what to do with it.
        Other = "other",
    }
}

words! {
    /// What became of an event.
    pub enum EventState {
        /// Not looked at yet, or to be looked at again.
        Waiting = "waiting",
        /// Its consequences are committed.
        Done = "done",
        /// Nothing follows from it.
        Ignored = "ignored",
        /// Given up, with the reason.
        Failed = "failed",
    }
}

/// An event at the door.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Row id.
    pub id: EventId,
    /// What makes the event one: the same key is the same event.
    pub key: String,
    /// Our account it came to.
    pub account: String,
    /// What it is about.
    pub kind: EventKind,
    /// The event as received.
    pub payload: String,
}

/// An event waiting for its consequences.
#[derive(Clone, Debug)]
pub struct Event {
    /// Row id.
    pub id: EventId,
    /// Our account it came to.
    pub account: String,
    /// The event as received.
    pub payload: String,
    /// When it was received.
    pub received_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
}

/// Stores events; repeats are passed over. Returns how many were new.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_events(
    conn: &mut AnyConnection,
    db: &Db,
    events: &[NewEvent],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let rows = events
        .iter()
        .map(|event| {
            let id = event.id.to_string();
            let payload = db.sealer.seal(PLACE, &id, &event.payload)?;
            Ok(serde_json::json!({
                "id": id,
                "event_key": db.index("event", &format!("{}/{}", event.account, event.key)),
                "account": event.account,
                "kind": event.kind.as_str(),
                "payload": payload,
            }))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let columns = ["id", "event_key", "account", "kind", "payload"].map(Column::Text);
    let statement = format!(
        "INSERT INTO inbox (id, event_key, account, kind, payload_sealed, received_at, state, due_at, attempts) \
         SELECT e.id, e.event_key, e.account, e.kind, e.payload, CAST($2 AS BIGINT), 'waiting', CAST($2 AS BIGINT), 0 \
         FROM {} WHERE true ON CONFLICT (event_key) DO NOTHING",
        db.rows(1, "e", &columns)
    );
    let done = sqlx::query(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Takes waiting events of one kind in the order of their arrival, for this transaction alone.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_events(
    conn: &mut AnyConnection,
    db: &Db,
    kind: EventKind,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let statement = format!(
        "SELECT id, account, payload_sealed, received_at, attempts FROM inbox \
         WHERE state = 'waiting' AND kind = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3{}",
        db.skip_locked()
    );
    let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(sql(statement))
        .bind(kind.as_str())
        .bind(now.as_ms())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|(id, account, sealed, received_at, attempts)| {
            Ok(Event {
                payload: db.sealer.open(PLACE, &id, &sealed)?,
                id: parse("inbox", "id", &id, &id)?,
                account,
                received_at: Timestamp::from_ms(received_at),
                attempts,
            })
        })
        .collect()
}

/// Hands an event over to those who work off another kind, in its place.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_kind(
    conn: &mut AnyConnection,
    id: EventId,
    kind: EventKind,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE inbox SET kind = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(kind.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Settles events.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_events(
    conn: &mut AnyConnection,
    db: &Db,
    done: &[(EventId, EventState)],
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if done.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = done
        .iter()
        .map(|(id, state)| serde_json::json!({"id": id.to_string(), "state": state.as_str()}))
        .collect();
    let statement = format!(
        "UPDATE inbox SET state = e.state, error = $2, done_at = $3, attempts = attempts + 1 FROM {} \
         WHERE inbox.id = e.id",
        db.rows(1, "e", &[Column::Text("id"), Column::Text("state")])
    );
    sqlx::query(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(error.map(str::to_owned))
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}

/// Puts an event back until `due_at`, with the reason.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn postpone_event(
    conn: &mut AnyConnection,
    id: EventId,
    due_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE inbox SET due_at = $2, error = $3, attempts = attempts + 1 WHERE id = $1")
        .bind(id.to_string())
        .bind(due_at.as_ms())
        .bind(error.to_owned())
        .execute(conn)
        .await?;
    Ok(())
}

/// The clock was set back from `before` to `now`: what had been due is due still.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn bring_back(
    conn: &mut AnyConnection,
    (now, before): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE inbox SET due_at = $1 WHERE state = 'waiting' AND due_at > $1 AND due_at <= $2",
    )
    .bind(now.as_ms())
    .bind(before.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// How many events wait, and since when the oldest.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn waiting(db: &Db) -> Result<(i64, Option<Timestamp>), StoreError> {
    let (count, oldest): (i64, Option<i64>) =
        sqlx::query_as("SELECT COUNT(*), MIN(received_at) FROM inbox WHERE state = 'waiting'")
            .fetch_one(db.reader())
            .await?;
    Ok((count, super::row::time(oldest)))
}
