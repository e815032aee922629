//! Table `session`: who is logged in to the console. The cookie's secret itself is never kept.

use sqlx::{AnyConnection, Row as _};

use super::row::parse;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::OfficerId;
use crate::words;

words! {
    /// How far somebody has come in.
    pub enum Stage {
        /// The password was right; the second factor is still to come.
        Password = "password",
        /// All the way.
        Full = "full",
    }
}

/// A session that is valid.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose.
    pub officer: OfficerId,
    /// How far.
    pub stage: Stage,
    /// When it was last used.
    pub seen_at: Timestamp,
}

/// Begins a session.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_session(
    tx: &mut AnyConnection,
    db: &Db,
    secret: &str,
    officer: OfficerId,
    stage: Stage,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session (id_hash, officer_id, stage, created_at, seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $4, $5)",
    )
    .bind(db.index("session", secret))
    .bind(officer.to_string())
    .bind(stage.as_str())
    .bind(now.as_ms())
    .bind(expires_at.as_ms())
    .execute(tx)
    .await?;
    Ok(())
}

/// The session with that secret, used since `idle_since` and not over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_session(
    db: &Db,
    secret: &str,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let row = sqlx::query(
        "SELECT officer_id, stage, seen_at FROM session \
         WHERE id_hash = $1 AND expires_at > $2 AND seen_at >= $3",
    )
    .bind(db.index("session", secret))
    .bind(now.as_ms())
    .bind(idle_since.as_ms())
    .fetch_optional(db.reader())
    .await?;
    row.map(|row| {
        let officer: String = row.try_get("officer_id")?;
        Ok(Session {
            stage: parse("session", "stage", &officer, row.try_get("stage")?)?,
            seen_at: Timestamp::from_ms(row.try_get("seen_at")?),
            officer: parse("session", "officer_id", &officer, &officer)?,
        })
    })
    .transpose()
}

/// Notes that it was used.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_seen(db: &Db, secret: &str, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE session SET seen_at = $2 WHERE id_hash = $1 AND seen_at < $2")
        .bind(db.index("session", secret))
        .bind(now.as_ms())
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Ends one session.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_session(
    tx: &mut AnyConnection,
    db: &Db,
    secret: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE id_hash = $1")
        .bind(db.index("session", secret))
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends all sessions of somebody: the password was changed, or they may no longer come in.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_sessions_of(
    tx: &mut AnyConnection,
    officer: OfficerId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE officer_id = $1")
        .bind(officer.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets sessions that are over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_old(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM session WHERE expires_at <= $1")
        .bind(now.as_ms())
        .execute(db.writer())
        .await?;
    Ok(done.rows_affected())
}
