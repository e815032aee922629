//! Table `own_answer`: what the office says in its own words, with its drafts and all that it said before.
//!
//! What the parts mean is not known here.

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{parse, time};
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::OwnAnswerId;
use crate::words;

words! {
    /// Where a version is.
    pub enum VersionState {
        /// Being written.
        Draft = "draft",
        /// Citizens read it.
        Published = "published",
        /// A later one took its place.
        Replaced = "replaced",
        /// Taken back: the file's words are told again.
        Withdrawn = "withdrawn",
    }
}

/// One version of an answer.
#[derive(Clone, Debug)]
pub struct Version {
    /// Row id.
    pub id: OwnAnswerId,
    /// Which answer.
    pub label: String,
    /// Where it is.
    pub state: VersionState,
    /// Its parts as JSON.
    pub parts: String,
    /// Who wrote it last.
    pub written_by: String,
    /// When.
    pub written_at: Timestamp,
    /// Who let citizens read it.
    pub published_by: Option<String>,
    /// When.
    pub published_at: Option<Timestamp>,
    /// Who replaced it or took it back.
    pub ended_by: Option<String>,
    /// When.
    pub ended_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, label, state, parts, written_by, written_at, published_by, published_at, ended_by, ended_at";

fn read(row: &sqlx::any::AnyRow) -> Result<Version, StoreError> {
    let id: String = row.try_get(0)?;
    let state: String = row.try_get(2)?;
    Ok(Version {
        label: row.try_get(1)?,
        state: parse("own_answer", "state", &id, &state)?,
        parts: row.try_get(3)?,
        written_by: row.try_get(4)?,
        written_at: Timestamp::from_ms(row.try_get(5)?),
        published_by: row.try_get(6)?,
        published_at: time(row.try_get(7)?),
        ended_by: row.try_get(8)?,
        ended_at: time(row.try_get(9)?),
        id: parse("own_answer", "id", &id, &id)?,
    })
}

/// Keeps a draft; the one there was of that answer is written over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_draft(
    conn: &mut AnyConnection,
    id: OwnAnswerId,
    (label, parts): (&str, &str),
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO own_answer (id, label, state, parts, written_by, written_at) \
         VALUES ($1, $2, 'draft', $3, $4, $5) \
         ON CONFLICT (label, state) WHERE state IN ('draft', 'published') DO UPDATE SET \
         parts = excluded.parts, written_by = excluded.written_by, written_at = excluded.written_at",
    )
    .bind(id.to_string())
    .bind(label.to_owned())
    .bind(parts.to_owned())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Throws a draft away; `false` when there is none.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_draft(conn: &mut AnyConnection, label: &str) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM own_answer WHERE label = $1 AND state = 'draft'")
        .bind(label.to_owned())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends the version that citizens read; `false` when there is none.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_ended(
    conn: &mut AnyConnection,
    label: &str,
    state: VersionState,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE own_answer SET state = $2, ended_by = $3, ended_at = $4 \
         WHERE label = $1 AND state = 'published'",
    )
    .bind(label.to_owned())
    .bind(state.as_str())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets citizens read a draft as it was when somebody looked at it; `false` when it is another by now.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_published(
    conn: &mut AnyConnection,
    label: &str,
    written_at: Timestamp,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE own_answer SET state = 'published', published_by = $3, published_at = $4 \
         WHERE label = $1 AND state = 'draft' AND written_at = $2",
    )
    .bind(label.to_owned())
    .bind(written_at.as_ms())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The versions of an answer, the newest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_versions(db: &Db, label: &str, limit: i64) -> Result<Vec<Version>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM own_answer WHERE label = $1 ORDER BY id DESC LIMIT $2"
    )))
    .bind(label.to_owned())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// What citizens read, of every answer that the office says in its own words; and the drafts.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_present(db: &Db) -> Result<Vec<Version>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM own_answer WHERE state IN ('draft', 'published') ORDER BY label, state"
    )))
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(read).collect()
}
