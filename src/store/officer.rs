//! Table `officer`: people who work with the console.

use super::token::Role;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::OfficerId;

/// Keeps a new officer with the hash of their password; `false` when the login is taken.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_officer(
    db: &Db,
    id: OfficerId,
    login: &str,
    role: Role,
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO officer (id, login, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (login) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(login.to_owned())
    .bind(password_hash.to_owned())
    .bind(role.as_str())
    .bind(now.as_ms())
    .execute(db.writer())
    .await?;
    Ok(done.rows_affected() == 1)
}
