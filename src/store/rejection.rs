//! Table `rejection`: what could not be taken, until somebody deals with it.

use sqlx::AnyConnection;

use super::db::{Column, sql};
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::RejectionId;

const PLACE: Place = Place { table: "rejection", column: "payload_sealed" };

/// A rejected item of a source.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// Row id.
    pub id: RejectionId,
    /// Which source sent it.
    pub source: String,
    /// Why, as a code.
    pub code: String,
    /// Why, in words, without the value itself.
    pub message: String,
    /// How often it came.
    pub times: i64,
    /// When it came last.
    pub received_at: Timestamp,
    /// When somebody dealt with it.
    pub resolved_at: Option<Timestamp>,
}

/// Keeps a rejected item. The same item again counts up and opens it anew instead of filling the
/// disk.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_rejection(
    conn: &mut AnyConnection,
    db: &Db,
    id: RejectionId,
    source: &str,
    payload: &str,
    reason: (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = id.to_string();
    sqlx::query(
        "INSERT INTO rejection (id, source, payload_hash, payload_sealed, code, message, times, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7) \
         ON CONFLICT (source, payload_hash) DO UPDATE SET times = rejection.times + 1, \
         received_at = excluded.received_at, code = excluded.code, message = excluded.message, \
         resolved_at = NULL",
    )
    .bind(key.clone())
    .bind(source.to_owned())
    .bind(db.index("rejection", payload))
    .bind(db.sealer.seal(PLACE, &key, payload)?)
    .bind(reason.0.to_owned())
    .bind(reason.1.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// The id under which an item is kept as rejected.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_id(
    conn: &mut AnyConnection,
    db: &Db,
    source: &str,
    payload: &str,
) -> Result<Option<RejectionId>, StoreError> {
    let id: Option<String> =
        sqlx::query_scalar("SELECT id FROM rejection WHERE source = $1 AND payload_hash = $2")
            .bind(source.to_owned())
            .bind(db.index("rejection", payload))
            .fetch_optional(conn)
            .await?;
    id.map(|id| parse("rejection", "id", &id, &id)).transpose()
}

/// Whether anything of a source waits to be mended.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_open(conn: &mut AnyConnection, source: &str) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM rejection WHERE source = $1 AND resolved_at IS NULL LIMIT 1",
    )
    .bind(source.to_owned())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Whose rejections are asked for.
#[derive(Clone, Debug)]
pub enum OfSources {
    /// Everybody's.
    All,
    /// Those of these sources.
    These(Vec<String>),
}

impl OfSources {
    /// The condition on `source`, with the parameter that [`OfSources::json`] gives.
    pub(super) fn condition(&self, db: &Db, n: usize) -> String {
        match self {
            Self::All => format!("CAST(${n} AS TEXT) IS NOT NULL"),
            Self::These(_) => {
                format!("source IN (SELECT s.id FROM {})", db.rows(n, "s", &[Column::Text("id")]))
            }
        }
    }

    pub(super) fn json(&self) -> String {
        let ids: &[String] = match self {
            Self::All => &[],
            Self::These(ids) => ids,
        };
        let rows: Vec<_> = ids.iter().map(|id| serde_json::json!({"id": id})).collect();
        serde_json::Value::Array(rows).to_string()
    }
}

/// The source an item came from.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_source(
    conn: &mut AnyConnection,
    id: RejectionId,
) -> Result<Option<String>, StoreError> {
    let found = sqlx::query_scalar("SELECT source FROM rejection WHERE id = $1");
    Ok(found.bind(id.to_string()).fetch_optional(conn).await?)
}

/// Open rejections by id after `after`.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_open(
    db: &Db,
    of: &OfSources,
    after: Option<RejectionId>,
    limit: i64,
) -> Result<Vec<Rejection>, StoreError> {
    type Row = (String, String, String, String, i64, i64, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(sql(format!(
        "SELECT id, source, code, message, times, received_at, resolved_at FROM rejection \
         WHERE resolved_at IS NULL AND id > $1 AND {} ORDER BY id LIMIT $2",
        of.condition(db, 3)
    )))
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .bind(of.json())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, source, code, message, times, received_at, resolved_at)| {
            Ok(Rejection {
                id: parse("rejection", "id", &id, &id)?,
                source,
                code,
                message,
                times,
                received_at: Timestamp::from_ms(received_at),
                resolved_at: super::row::time(resolved_at),
            })
        })
        .collect()
}

/// The item itself as it was received, for the one who mends it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_payload(db: &Db, id: RejectionId) -> Result<Option<String>, StoreError> {
    let key = id.to_string();
    let sealed: Option<String> =
        sqlx::query_scalar("SELECT payload_sealed FROM rejection WHERE id = $1")
            .bind(key.clone())
            .fetch_optional(db.reader())
            .await?;
    sealed.map(|sealed| db.sealer.open(PLACE, &key, &sealed)).transpose()
}

/// Notes that somebody dealt with it; `false` when it is not open.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_resolved(
    conn: &mut AnyConnection,
    id: RejectionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE rejection SET resolved_at = $2 WHERE id = $1 AND resolved_at IS NULL")
            .bind(id.to_string())
            .bind(now.as_ms())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}
