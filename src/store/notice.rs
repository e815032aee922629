//! Table `notice`: what somebody of the office should look at, until it is so no longer.

use sqlx::AnyConnection;

use super::row::parse;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::NoticeId;
use crate::words;

words! {
    /// What a notice is about.
    pub enum NoticeKind {
        /// A source cannot be read.
        SourceFailing = "source_failing",
        /// Nothing has changed in a source for longer than usual.
        SourceSilent = "source_silent",
        /// More of a source is rejected than usual.
        SourceRejects = "source_rejects",
        /// So much changed at once that somebody must say whether it is news.
        Held = "held",
    }
}

/// A notice.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Row id.
    pub id: NoticeId,
    /// What it is about.
    pub kind: NoticeKind,
    /// Id of what it is about.
    pub subject: String,
    /// In words.
    pub detail: String,
    /// Since when.
    pub opened_at: Timestamp,
}

/// Opens a notice, or brings the words of the open one up to date; `true` when it is new.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_notice(
    conn: &mut AnyConnection,
    id: NoticeId,
    (kind, subject): (NoticeKind, &str),
    detail: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let kept: String = sqlx::query_scalar(
        "INSERT INTO notice (id, kind, subject, detail, opened_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO UPDATE SET detail = excluded.detail \
         RETURNING id",
    )
    .bind(id.to_string())
    .bind(kind.as_str())
    .bind(subject.to_owned())
    .bind(detail.to_owned())
    .bind(now.as_ms())
    .fetch_one(conn)
    .await?;
    Ok(kept == id.to_string())
}

/// Closes a notice that is open.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn close_notice(
    conn: &mut AnyConnection,
    kind: NoticeKind,
    subject: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE notice SET closed_at = $3 WHERE kind = $1 AND subject = $2 AND closed_at IS NULL",
    )
    .bind(kind.as_str())
    .bind(subject.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes what is said of sources that are watched no longer.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn close_unwatched(
    conn: &mut AnyConnection,
    watched: &[&str],
    now: Timestamp,
) -> Result<(), StoreError> {
    let open: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, subject FROM notice WHERE closed_at IS NULL AND kind LIKE 'source%'",
    )
    .fetch_all(&mut *conn)
    .await?;
    for (id, _) in open.iter().filter(|(_, subject)| !watched.contains(&subject.as_str())) {
        sqlx::query("UPDATE notice SET closed_at = $2 WHERE id = $1")
            .bind(id.clone())
            .bind(now.as_ms())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// The open notices, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_open(db: &Db) -> Result<Vec<Notice>, StoreError> {
    let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
        "SELECT id, kind, subject, detail, opened_at FROM notice WHERE closed_at IS NULL \
         ORDER BY id LIMIT 1000",
    )
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, kind, subject, detail, opened_at)| {
            Ok(Notice {
                kind: parse("notice", "kind", &id, &kind)?,
                subject,
                detail,
                opened_at: Timestamp::from_ms(opened_at),
                id: parse("notice", "id", &id, &id)?,
            })
        })
        .collect()
}
