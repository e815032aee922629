//! Table `source_file`: files that a watched folder brought, by what is in them.
//!
//! Holds a hash and counts; neither a file's name nor a word of it.

use sqlx::AnyConnection;

use super::row::{parse_opt, time};
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::words;

words! {
    /// What became of a file.
    pub enum FileResult {
        /// Read to its end.
        Done = "done",
        /// Not readable, or not to its end.
        Failed = "failed",
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// When it was read to its end, or given up.
    pub finished_at: Option<Timestamp>,
    /// What became of it.
    pub result: Option<FileResult>,
    /// What became of its rows.
    pub tally: Option<String>,
}

/// The hash under which a file is known: keyed, so that nobody can tell from it which file it was.
#[must_use]
pub fn file_hash(db: &Db, source: &str, content: &str) -> String {
    db.index("source_file", &format!("{source}/{content}"))
}

/// What is known of a file; none when it never came.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_file(
    db: &Db,
    source: &str,
    hash: &str,
) -> Result<Option<SourceFile>, StoreError> {
    let row: Option<(Option<i64>, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT finished_at, result, tally FROM source_file WHERE source = $1 AND file_hash = $2",
    )
    .bind(source.to_owned())
    .bind(hash.to_owned())
    .fetch_optional(db.reader())
    .await?;
    let Some((finished_at, result, tally)) = row else { return Ok(None) };
    let result = parse_opt("source_file", "result", hash, result.as_deref())?;
    Ok(Some(SourceFile { finished_at: time(finished_at), result, tally }))
}

/// Notes that a file is taken up, for the first time or anew.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_started(
    db: &Db,
    source: &str,
    hash: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO source_file (source, file_hash, started_at) VALUES ($1, $2, $3) \
         ON CONFLICT (source, file_hash) DO UPDATE SET started_at = excluded.started_at, \
         finished_at = NULL, result = NULL, tally = NULL",
    )
    .bind(source.to_owned())
    .bind(hash.to_owned())
    .bind(now.as_ms())
    .execute(db.writer())
    .await?;
    Ok(())
}

/// Notes what became of a file.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_finished(
    conn: &mut AnyConnection,
    (source, hash): (&str, &str),
    result: FileResult,
    tally: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE source_file SET finished_at = $3, result = $4, tally = $5 \
         WHERE source = $1 AND file_hash = $2",
    )
    .bind(source.to_owned())
    .bind(hash.to_owned())
    .bind(now.as_ms())
    .bind(result.as_str())
    .bind(tally.to_owned())
    .execute(conn)
    .await?;
    Ok(())
}
