//! Tables `attachment` and `attachment_handle`: files that broadcasts bring, each kept once by what is in it, and
//! the names by which providers know them.
//!
//! A file goes when no broadcast brings it any more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

use super::row::time;
use super::{Db, StoreError};
use crate::domain::attachment::FileKind;
use crate::domain::clock::Timestamp;

/// The name by which a provider knows a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// The name.
    pub name: String,
    /// Not from then on.
    pub expires_at: Option<Timestamp>,
}

/// The hash under which a file is kept.
#[must_use]
pub fn file_hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Keeps a file, unless it is there.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_file(
    tx: &mut AnyConnection,
    hash: &str,
    kind: FileKind,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO attachment (hash, kind, size, body, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (hash) DO NOTHING",
    )
    .bind(hash.to_owned())
    .bind(kind.as_str())
    .bind(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
    .bind(STANDARD.encode(bytes))
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes a file away that no broadcast brings any more, with what providers call it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn drop_unused(tx: &mut AnyConnection, hash: &str) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM attachment_handle WHERE hash = $1 AND NOT EXISTS \
         (SELECT 1 FROM broadcast WHERE file_hash = $1)",
        "DELETE FROM attachment WHERE hash = $1 AND NOT EXISTS \
         (SELECT 1 FROM broadcast WHERE file_hash = $1)",
    ] {
        sqlx::query(statement).bind(hash.to_owned()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// All of a file.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_bytes(db: &Db, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let body: Option<String> = sqlx::query_scalar("SELECT body FROM attachment WHERE hash = $1")
        .bind(hash.to_owned())
        .fetch_optional(db.reader())
        .await?;
    let corrupt = |_| StoreError::Corrupt {
        table: "attachment",
        column: "body",
        id: hash.to_owned(),
        reason: "not base64",
    };
    body.map(|body| STANDARD.decode(body).map_err(corrupt)).transpose()
}

/// How the provider of an account calls a file.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_handle(db: &Db, hash: &str, account: &str) -> Result<Option<Handle>, StoreError> {
    let found: Option<(String, Option<i64>)> = sqlx::query_as(
        "SELECT handle, expires_at FROM attachment_handle WHERE hash = $1 AND account = $2",
    )
    .bind(hash.to_owned())
    .bind(account.to_owned())
    .fetch_optional(db.reader())
    .await?;
    Ok(found.map(|(name, expires_at)| Handle { name, expires_at: time(expires_at) }))
}

/// Keeps how the provider of an account calls a file, in place of what it was called before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn keep_handle(
    db: &Db,
    hash: &str,
    account: &str,
    handle: &Handle,
) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "INSERT INTO attachment_handle (hash, account, handle, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (hash, account) DO UPDATE SET handle = excluded.handle, expires_at = excluded.expires_at",
    )
    .bind(hash.to_owned())
    .bind(account.to_owned())
    .bind(handle.name.clone())
    .bind(handle.expires_at.map(Timestamp::as_ms))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets how the provider of an account calls a file: it must be uploaded anew.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn forget_handle(db: &Db, hash: &str, account: &str) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    sqlx::query("DELETE FROM attachment_handle WHERE hash = $1 AND account = $2")
        .bind(hash.to_owned())
        .bind(account.to_owned())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}
