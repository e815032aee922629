//! A whole conversation: what a citizen wrote and what went to them, in one order.
//!
//! Reads tables `inbound` and `message` and opens what is sealed; who may read it is decided elsewhere.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Row as _};

use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::ContactId;
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus, MessageText};

const INBOUND: Place = Place { table: "inbound", column: "text_sealed" };
const MESSAGE: Place = Place { table: "message", column: "content_sealed" };

/// One message of either side.
#[derive(Clone, Debug)]
pub struct Said {
    /// When it was written or planned.
    pub at: Timestamp,
    /// Its words.
    pub words: MessageText,
    /// Who said it.
    pub from: Speaker,
}

/// Whose words they are.
#[derive(Clone, Debug)]
pub enum Speaker {
    /// The citizen's; with what was understood.
    Citizen {
        /// The label.
        intent: String,
    },
    /// Ours.
    Office {
        /// Whether it answers, tells of a card, or goes to many.
        class: MessageClass,
        /// Where the message is.
        status: MessageStatus,
        /// What stood on the buttons below it.
        choices: Vec<String>,
        /// Which officer wrote it; none where the bot did.
        by: Option<String>,
        /// Why it failed, in words.
        failure: Option<String>,
    },
}

/// The newest messages of a conversation before a moment, in their order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_said(
    conn: &mut AnyConnection,
    db: &Db,
    contact: ContactId,
    before: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Said>, StoreError> {
    let before = before.map_or(i64::MAX, Timestamp::as_ms);
    let mut said = list_written(conn, db, contact, before, limit).await?;
    said.extend(list_sent(conn, db, contact, before, limit).await?);
    // What a citizen asked stands before the answer of the same moment.
    said.sort_by_key(|one| (one.at, matches!(one.from, Speaker::Office { .. })));
    let surplus = said.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(said.split_off(surplus))
}

async fn list_written(
    conn: &mut AnyConnection,
    db: &Db,
    contact: ContactId,
    before: i64,
    limit: i64,
) -> Result<Vec<Said>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, text_sealed, intent, received_at FROM inbound \
         WHERE contact_id = $1 AND received_at < $2 ORDER BY received_at DESC, id DESC LIMIT $3",
    )
    .bind(contact.to_string())
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let mut said = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let (id, sealed): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        said.push(Said {
            words: MessageText::new(db.sealer.open(INBOUND, &id, &sealed)?),
            from: Speaker::Citizen { intent: row.try_get(2)? },
            at: Timestamp::from_ms(row.try_get(3)?),
        });
    }
    Ok(said)
}

async fn list_sent(
    conn: &mut AnyConnection,
    db: &Db,
    contact: ContactId,
    before: i64,
    limit: i64,
) -> Result<Vec<Said>, StoreError> {
    let writers: BTreeMap<String, String> = sqlx::query_as(
        "SELECT message_id, by_whom FROM ticket_entry WHERE what = 'reply' AND message_id IS NOT NULL \
         AND by_whom IS NOT NULL AND ticket_id IN (SELECT id FROM ticket WHERE contact_id = $1)",
    )
    .bind(contact.to_string())
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .collect();
    let rows = sqlx::query(
        "SELECT id, content_sealed, status, channel, failure_reason, created_at, class FROM message \
         WHERE contact_id = $1 AND created_at < $2 ORDER BY created_at DESC, id DESC LIMIT $3",
    )
    .bind(contact.to_string())
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let mut said = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let (id, sealed): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (status, channel): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        let channel: ChannelKind = parse("message", "channel", &id, &channel)?;
        let class: String = row.try_get(6)?;
        let json = db.sealer.open(MESSAGE, &id, &sealed)?;
        let content = super::content::parse_content(&json).ok_or(StoreError::Corrupt {
            table: "message",
            column: "content_sealed",
            id: id.clone(),
            reason: "not a message's content",
        })?;
        let words = match content.sms {
            Some(sms) if channel == ChannelKind::Sms => sms,
            _ => content.text,
        };
        said.push(Said {
            words,
            from: Speaker::Office {
                class: parse("message", "class", &id, &class)?,
                status: parse("message", "status", &id, &status)?,
                choices: content.choices.into_iter().map(|choice| choice.title).collect(),
                by: writers.get(&id).cloned(),
                failure: row.try_get(4)?,
            },
            at: Timestamp::from_ms(row.try_get(5)?),
        });
    }
    Ok(said)
}
