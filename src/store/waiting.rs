//! Table `message`: taking back one message that still waits, known by what caused it.

use sqlx::AnyConnection;

use super::StoreError;
use crate::domain::clock::Timestamp;
use crate::domain::message::MessageStatus;

/// Withdraws the message of a key. One in the provider's hand, or of unclear outcome, is not sent a second time from now
/// on. `true` when it waited: then nobody has it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn withdraw(
    conn: &mut AnyConnection,
    key: &str,
    why: &'static str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let status: Option<String> = sqlx::query_scalar(
        "UPDATE message SET \
         expires_at = CASE WHEN status IN ('sending', 'unknown') THEN $3 ELSE expires_at END, why = $2, \
         status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END, fallback_at = NULL, \
         updated_at = $3 WHERE idem_key = $1 AND status IN ('queued', 'sending', 'unknown') RETURNING status",
    )
    .bind(key.to_owned())
    .bind(why)
    .bind(now.as_ms())
    .fetch_optional(conn)
    .await?;
    Ok(status.as_deref() == Some(MessageStatus::Cancelled.as_str()))
}

/// Withdraws the message of a key. `true` when nobody has heard it, nor will: it waited, or never left.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn take_back(
    conn: &mut AnyConnection,
    key: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if withdraw(conn, key, "superseded", now).await? {
        return Ok(true);
    }
    let never: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM message WHERE idem_key = $1 AND status IN ('cancelled', 'failed', 'expired')",
    )
    .bind(key.to_owned())
    .fetch_optional(conn)
    .await?;
    Ok(never.is_some())
}

/// Whether a message of that key was ever written.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_written(conn: &mut AnyConnection, key: &str) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM message WHERE idem_key = $1")
            .bind(key.to_owned())
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}
