//! Table `message` as chains: news that goes on to the next channel when one brings no word of its
//! arrival, and stops as soon as any channel does.

use sqlx::{AnyConnection, Row as _};

use super::content::{parse_content, zone_from_hours};
use super::db::{Column, sql};
use super::row::{parse, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::Zone;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, MessageId, PersonId};
use crate::domain::message::{ChannelKind, MessageStatus};
use crate::domain::outbound::Content;
use crate::domain::reference::Reference;

/// News whose last message has reached nobody in time.
#[derive(Clone, Debug)]
pub struct Overdue {
    /// The message.
    pub id: MessageId,
    /// The first of its chain; itself when it is the first.
    pub first_id: MessageId,
    /// Where it is in its life.
    pub status: MessageStatus,
    /// The channel it is on.
    pub channel: ChannelKind,
    /// Announcement kind.
    pub template: String,
    /// What the citizen can quote.
    pub reference: Option<Reference>,
    /// Whose card.
    pub person_id: PersonId,
    /// Which card.
    pub card_id: CardId,
    /// The words in every form.
    pub content: Content,
    /// The recipient's zone.
    pub zone: Zone,
    /// Not sent from then on.
    pub expires_at: Option<Timestamp>,
    /// Why it failed, the provider's code.
    pub failure_code: Option<String>,
    /// Channels its chain has been on.
    pub tried: Vec<ChannelKind>,
}

/// Messages whose deadline is over, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_overdue(
    db: &Db,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<MessageId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM message WHERE fallback_at <= $1 AND class = 'announcement' \
         AND status IN ('queued', 'sent', 'failed') ORDER BY fallback_at, id LIMIT $2",
    )
    .bind(now.as_ms())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|(id,)| parse("message", "id", id, id)).collect()
}

/// Takes one of them for this transaction; none when it has moved on meanwhile.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_overdue(
    conn: &mut AnyConnection,
    db: &Db,
    id: MessageId,
    now: Timestamp,
) -> Result<Option<Overdue>, StoreError> {
    let key = id.to_string();
    let statement = format!(
        "SELECT first_id, status, template, reference, person_id, card_id, content_sealed, zone, \
         expires_at, failure_code, channel FROM message WHERE id = $1 AND fallback_at <= $2 \
         AND class = 'announcement' AND status IN ('queued', 'sent', 'failed'){}",
        db.for_update()
    );
    let row = sqlx::query(sql(statement))
        .bind(key.clone())
        .bind(now.as_ms())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let first: Option<String> = row.try_get(0)?;
    let first = first.unwrap_or_else(|| key.clone());
    lock_first(conn, db, &first).await?;
    let status: String = row.try_get(1)?;
    let reference: Option<String> = row.try_get(3)?;
    let person: Option<String> = row.try_get(4)?;
    let card: Option<String> = row.try_get(5)?;
    let content: String = row.try_get(6)?;
    let channel: String = row.try_get(10)?;
    let place = Place { table: "message", column: "content_sealed" };
    let content = db.sealer.open(place, &key, &content)?;
    let tried: Vec<(String,)> =
        sqlx::query_as("SELECT DISTINCT channel FROM message WHERE id = $1 OR first_id = $1")
            .bind(first.clone())
            .fetch_all(conn)
            .await?;
    let corrupt = |column| StoreError::Corrupt {
        table: "message",
        column,
        id: key.clone(),
        reason: "not a value of its kind",
    };
    Ok(Some(Overdue {
        first_id: parse("message", "first_id", &key, &first)?,
        status: parse("message", "status", &key, &status)?,
        channel: parse("message", "channel", &key, &channel)?,
        template: row.try_get(2)?,
        reference: reference.and_then(|text| Reference::find_in(&text)),
        person_id: parse("message", "person_id", &key, &person.unwrap_or_default())?,
        card_id: parse("message", "card_id", &key, &card.unwrap_or_default())?,
        content: parse_content(&content).ok_or_else(|| corrupt("content_sealed"))?,
        zone: zone_from_hours(row.try_get(7)?),
        expires_at: time(row.try_get(8)?),
        failure_code: row.try_get(9)?,
        tried: tried
            .iter()
            .map(|(word,)| parse("message", "channel", &key, word))
            .collect::<Result<_, _>>()?,
        id,
    }))
}

/// Ends a message's deadline, or sets the next one. A message that still waits is withdrawn when
/// another follows it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_followed(
    conn: &mut AnyConnection,
    id: MessageId,
    next_deadline: Option<Timestamp>,
    is_withdrawn: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE message SET fallback_at = $2, updated_at = $4, \
         status = CASE WHEN $3 = 1 AND status = 'queued' THEN 'cancelled' ELSE status END, \
         why = CASE WHEN $3 = 1 AND status = 'queued' THEN 'next_channel' ELSE why END WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(next_deadline.map(Timestamp::as_ms))
    .bind(i64::from(is_withdrawn))
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks announcements to an address as arrived because somebody answered from there. Returns which.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_answered(
    conn: &mut AnyConnection,
    hashes: &[String],
    channel: ChannelKind,
    now: Timestamp,
) -> Result<Vec<MessageId>, StoreError> {
    let mut found = Vec::new();
    for hash in hashes {
        let rows: Vec<(String,)> = sqlx::query_as(
            "UPDATE message SET status = 'delivered', delivered_at = $3, fallback_at = NULL, \
             unknown_until = NULL, sent_at = COALESCE(sent_at, sending_at), updated_at = $3 \
             WHERE recipient_hash = $1 AND channel = $2 AND class = 'announcement' \
             AND status IN ('sent', 'unknown') AND sending_at <= $3 RETURNING id",
        )
        .bind(hash.clone())
        .bind(channel.as_str())
        .bind(now.as_ms())
        .fetch_all(&mut *conn)
        .await?;
        for (id,) in rows {
            found.push(parse("message", "id", &id, &id)?);
        }
    }
    Ok(found)
}

/// News has arrived: what else of its chain still waits is withdrawn, what is on its way is not
/// repeated, no other channel is tried, and nobody needs to tell it in person any more.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_reached(
    conn: &mut AnyConnection,
    db: &Db,
    arrived: &[MessageId],
    now: Timestamp,
) -> Result<(), StoreError> {
    if arrived.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = arrived.iter().map(|id| serde_json::json!({"id": id.to_string()})).collect();
    let rows = serde_json::Value::Array(rows).to_string();
    // Almost no news has a chain or a visit: one look finds those that have.
    let statement = format!(
        "SELECT COALESCE(m.first_id, m.id) FROM {} JOIN message m ON m.id = r.id \
         WHERE m.first_id IS NOT NULL \
         OR EXISTS (SELECT 1 FROM message f WHERE f.first_id = m.id) \
         OR EXISTS (SELECT 1 FROM visit v WHERE v.message_id = m.id AND v.closed_at IS NULL)",
        db.rows(1, "r", &[Column::Text("id")])
    );
    let chains: Vec<(String,)> =
        sqlx::query_as(sql(statement)).bind(rows).fetch_all(&mut *conn).await?;
    for (first,) in chains {
        withdraw_chain(conn, db, &first, "reached", now).await?;
        super::visit::close_reached(conn, &first, now).await?;
    }
    Ok(())
}

/// Withdraws what still waits of a chain; what is on its way is not repeated, and no other channel is
/// tried.
pub(super) async fn withdraw_chain(
    conn: &mut AnyConnection,
    db: &Db,
    first: &str,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Whoever goes on to the next channel holds the first message; what they added is seen after.
    lock_first(conn, db, first).await?;
    sqlx::query(
        "UPDATE message SET fallback_at = NULL, updated_at = $2, \
         expires_at = CASE WHEN status IN ('sending', 'unknown') THEN $2 ELSE expires_at END, \
         why = CASE WHEN status IN ('queued', 'sending', 'unknown') THEN $3 ELSE why END, \
         status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END \
         WHERE id = $1 OR first_id = $1",
    )
    .bind(first.to_owned())
    .bind(now.as_ms())
    .bind(why.to_owned())
    .execute(conn)
    .await?;
    Ok(())
}

async fn lock_first(conn: &mut AnyConnection, db: &Db, first: &str) -> Result<(), StoreError> {
    let statement = format!("SELECT id FROM message WHERE id = $1{}", db.for_update());
    sqlx::query(sql(statement)).bind(first.to_owned()).execute(conn).await?;
    Ok(())
}

/// Announcements to addresses that may have reached a stranger, each the latest of its card: what its
/// holder has not heard. Handed-over cards are no news.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_misdirected(
    conn: &mut AnyConnection,
    hashes: &[String],
) -> Result<Vec<Misdirected>, StoreError> {
    let mut found = Vec::new();
    for hash in hashes {
        let rows: Vec<(String, String, String, String)> = sqlx::query_as(
            "SELECT COALESCE(m.first_id, m.id), m.person_id, m.card_id, m.template FROM message m \
             WHERE m.recipient_hash = $1 AND m.class = 'announcement' AND m.person_id IS NOT NULL \
             AND m.card_id IS NOT NULL AND m.template NOT IN ('card_issued', 'survey_invitation', \
             'collection_reminder', 'outage_begun', 'outage_over', 'home_delivery_code', 'home_delivery_cancelled', 'home_delivery_missed') \
             AND NOT (m.template IN ('home_delivery_scheduled', 'home_delivery_moved') AND EXISTS (SELECT 1 FROM card c \
             WHERE c.id = m.card_id AND c.status <> 'home_delivery_scheduled') \
             AND EXISTS (SELECT 1 FROM round_item i WHERE i.card_id = m.card_id)) \
             AND m.status IN ('queued', 'sending', 'unknown', 'sent', 'delivered', 'read') \
             AND m.id = (SELECT MAX(o.id) FROM message o WHERE o.card_id = m.card_id \
             AND o.class = 'announcement' AND o.template NOT IN ('collection_reminder', 'outage_begun', \
             'outage_over', 'home_delivery_code', 'home_delivery_cancelled', 'home_delivery_missed')) ORDER BY m.id LIMIT 50",
        )
        .bind(hash.clone())
        .fetch_all(&mut *conn)
        .await?;
        for (first, person, card, template) in rows {
            found.push(Misdirected {
                first_id: parse("message", "id", &first, &first)?,
                person_id: parse("message", "person_id", &first, &person)?,
                card_id: parse("message", "card_id", &first, &card)?,
                template,
            });
        }
    }
    Ok(found)
}

/// News that went to somebody else.
#[derive(Clone, Debug)]
pub struct Misdirected {
    /// The first message of the news.
    pub first_id: MessageId,
    /// Whose card.
    pub person_id: PersonId,
    /// Which card.
    pub card_id: CardId,
    /// Announcement kind.
    pub template: String,
}
