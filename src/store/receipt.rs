//! Table `receipt`: providers' words about our messages, and what they do to them.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::db::{Column, sql};
use super::row::parse;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::{MessageId, ReceiptId};
use crate::domain::message::{MessageStatus, ReceiptKind};

/// A receipt whose message is known.
#[derive(Clone, Debug)]
pub struct NewReceipt {
    /// Row id.
    pub id: ReceiptId,
    /// About which message.
    pub message: MessageId,
    /// What it says.
    pub kind: ReceiptKind,
    /// When, by the provider's clock.
    pub happened_at: Timestamp,
    /// Reason of a failure.
    pub code: Option<String>,
    /// The same in words.
    pub detail: Option<String>,
    /// The account it came to.
    pub account: String,
    /// The provider's id of the message, where the receipt names it.
    pub provider_message_id: Option<String>,
}

/// Finds which messages the ids of providers' accounts belong to; the newest where a provider gave an
/// id out again.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_messages(
    conn: &mut AnyConnection,
    db: &Db,
    provider_ids: &[(String, String)],
) -> Result<HashMap<(String, String), MessageId>, StoreError> {
    if provider_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let by_hash: HashMap<String, &(String, String)> = provider_ids
        .iter()
        .map(|pair| (super::settled::provider_id_hash(db, &pair.0, &pair.1), pair))
        .collect();
    let rows: Vec<_> = by_hash.keys().map(|hash| serde_json::json!({"hash": hash})).collect();
    let statement = format!(
        "SELECT m.provider_id_hash, m.id FROM {} JOIN message m ON m.provider_id_hash = p.hash \
         ORDER BY m.id",
        db.rows(1, "p", &[Column::Text("hash")])
    );
    let found: Vec<(String, String)> = sqlx::query_as(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .fetch_all(conn)
        .await?;
    found
        .into_iter()
        .filter_map(|(hash, id)| by_hash.get(&hash).map(|pid| ((*pid).clone(), id)))
        .map(|(pid, id)| Ok((pid, parse("message", "id", &id, &id)?)))
        .collect()
}

/// Which account each of these messages was given to.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_accounts(
    conn: &mut AnyConnection,
    db: &Db,
    messages: &[MessageId],
) -> Result<HashMap<MessageId, String>, StoreError> {
    if messages.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<_> =
        messages.iter().map(|id| serde_json::json!({"id": id.to_string()})).collect();
    let statement = format!(
        "SELECT m.id, m.account FROM {} JOIN message m ON m.id = r.id",
        db.rows(1, "r", &[Column::Text("id")])
    );
    let found: Vec<(String, String)> = sqlx::query_as(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .fetch_all(conn)
        .await?;
    found
        .into_iter()
        .map(|(id, account)| Ok((parse("message", "id", &id, &id)?, account)))
        .collect()
}

/// Writes receipts and moves their messages forward; never backward, in whatever order they come.
/// Returns the messages that exist, with their new status.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn apply_receipts(
    conn: &mut AnyConnection,
    db: &Db,
    receipts: &[NewReceipt],
    now: Timestamp,
) -> Result<HashMap<MessageId, MessageStatus>, StoreError> {
    if receipts.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> =
        receipts.iter().map(|r| serde_json::json!({"id": r.message.to_string()})).collect();
    // In the order of ids: two processes holding receipts of the same messages must not wait for
    // each other.
    let statement = format!(
        "SELECT m.id, m.status FROM message m WHERE m.id IN (SELECT r.id FROM {}) ORDER BY m.id{}",
        db.rows(1, "r", &[Column::Text("id")]),
        db.for_update()
    );
    let found: Vec<(String, String)> = sqlx::query_as(sql(statement))
        .bind(serde_json::Value::Array(ids).to_string())
        .fetch_all(&mut *conn)
        .await?;
    let mut status = HashMap::with_capacity(found.len());
    for (id, word) in found {
        let key: MessageId = parse("message", "id", &id, &id)?;
        status.insert(key, parse::<MessageStatus>("message", "status", &id, &word)?);
    }
    for receipt in receipts {
        if let Some(now_at) = status.get_mut(&receipt.message) {
            *now_at = now_at.advance(receipt.kind);
        }
    }
    let known: Vec<&NewReceipt> =
        receipts.iter().filter(|r| status.contains_key(&r.message)).collect();
    insert(conn, db, &known, now).await?;
    update(conn, db, &known, &status, now).await?;
    Ok(status)
}

async fn insert(
    conn: &mut AnyConnection,
    db: &Db,
    receipts: &[&NewReceipt],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<_> = receipts
        .iter()
        .map(|r| {
            serde_json::json!({
                "id": r.id.to_string(), "message_id": r.message.to_string(), "kind": r.kind.as_str(),
                "happened_at": r.happened_at.as_ms(), "code": r.code, "detail": r.detail,
            })
        })
        .collect();
    let columns = [
        Column::Text("id"),
        Column::Text("message_id"),
        Column::Text("kind"),
        Column::Int("happened_at"),
        Column::Text("code"),
        Column::Text("detail"),
    ];
    let statement = format!(
        "INSERT INTO receipt (id, message_id, kind, happened_at, received_at, code, detail) \
         SELECT r.id, r.message_id, r.kind, r.happened_at, CAST($2 AS BIGINT), r.code, r.detail FROM {} \
         WHERE true ON CONFLICT (message_id, kind) DO NOTHING",
        db.rows(1, "r", &columns)
    );
    sqlx::query(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}

async fn update(
    conn: &mut AnyConnection,
    db: &Db,
    receipts: &[&NewReceipt],
    status: &HashMap<MessageId, MessageStatus>,
    now: Timestamp,
) -> Result<(), StoreError> {
    // One row a message, with the earliest moment of each kind.
    let mut rows: HashMap<MessageId, serde_json::Map<String, serde_json::Value>> = HashMap::new();
    for receipt in receipts {
        let Some(end) = status.get(&receipt.message) else { continue };
        let row = rows.entry(receipt.message).or_default();
        row.insert("id".to_owned(), receipt.message.to_string().into());
        row.insert("status".to_owned(), end.as_str().into());
        row.insert(format!("{}_at", receipt.kind), receipt.happened_at.as_ms().into());
        if receipt.kind == ReceiptKind::Failed && *end == MessageStatus::Failed {
            row.insert("code".to_owned(), receipt.code.clone().into());
            row.insert("reason".to_owned(), receipt.detail.clone().into());
        }
        if let Some(pid) = &receipt.provider_message_id {
            let place = super::seal::Place { table: "message", column: "provider_id_sealed" };
            let sealed = db.sealer.seal(place, &receipt.message.to_string(), pid)?;
            let hash = super::settled::provider_id_hash(db, &receipt.account, pid);
            row.insert("pid".to_owned(), hash.into());
            row.insert("psealed".to_owned(), sealed.into());
        }
    }
    let columns = [
        Column::Text("id"),
        Column::Text("status"),
        Column::Int("sent_at"),
        Column::Int("delivered_at"),
        Column::Int("read_at"),
        Column::Int("failed_at"),
        Column::Text("code"),
        Column::Text("reason"),
        Column::Text("pid"),
        Column::Text("psealed"),
    ];
    let statement = format!(
        "UPDATE message SET status = r.status, updated_at = $2, unknown_until = NULL, \
         sent_at = COALESCE(message.sent_at, r.sent_at, r.delivered_at, r.read_at), \
         delivered_at = COALESCE(message.delivered_at, r.delivered_at, r.read_at), \
         read_at = COALESCE(message.read_at, r.read_at), \
         fallback_at = CASE WHEN r.status IN ('delivered', 'read') OR message.fallback_at IS NULL THEN NULL \
         WHEN r.status = 'failed' THEN $2 ELSE message.fallback_at END, \
         failed_at = CASE WHEN r.status = 'failed' THEN COALESCE(message.failed_at, r.failed_at) ELSE NULL END, \
         failure_code = CASE WHEN r.status = 'failed' THEN COALESCE(r.code, message.failure_code) ELSE NULL END, \
         failure_reason = CASE WHEN r.status = 'failed' THEN COALESCE(r.reason, message.failure_reason) ELSE NULL END, \
         provider_id_hash = COALESCE(message.provider_id_hash, r.pid), \
         provider_id_sealed = COALESCE(message.provider_id_sealed, r.psealed) \
         FROM {} WHERE message.id = r.id",
        db.rows(1, "r", &columns)
    );
    let rows: Vec<_> = rows.into_values().map(serde_json::Value::Object).collect();
    sqlx::query(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}
