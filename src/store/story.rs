//! Everything that happened around one person's card, read for its timeline: messages with their words' fate, what
//! the person's contacts wrote, their tickets, the visits.

use sqlx::Row as _;

use super::db::{Column, sql};
use super::message_list::{self, MessageLine};
use super::person::{Person, phone_hash};
use super::row::{parse, parse_opt, time};
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, ContactId, PersonId, TicketId, VisitId};
use crate::domain::message::ChannelKind;
use crate::domain::ticket::{TicketKind, TicketState};

/// The newest messages to a person about a card, or about none.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_messages(
    db: &Db,
    person: PersonId,
    card: CardId,
    limit: i64,
) -> Result<Vec<MessageLine>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {} FROM message WHERE person_id = $1 AND (card_id IS NULL OR card_id = $2) \
         ORDER BY id DESC LIMIT $3",
        message_list::COLUMNS
    )))
    .bind(person.to_string())
    .bind(card.to_string())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| message_list::read(db, row)).collect()
}

/// The contacts through which a person writes: bound to them, or of their number.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_contacts(
    db: &Db,
    person: &Person,
) -> Result<Vec<(ContactId, ChannelKind)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, channel FROM contact WHERE phone_hash = $1 \
         UNION SELECT c.id, c.channel FROM binding b JOIN contact c ON c.id = b.contact_id \
         WHERE b.person_id = $2 ORDER BY id LIMIT 20",
    )
    .bind(person.phone.as_ref().map(|phone| phone_hash(db, phone)))
    .bind(person.id.to_string())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, channel)| {
            Ok((parse("contact", "id", &id, &id)?, parse("contact", "channel", &id, &channel)?))
        })
        .collect()
}

/// A ticket, as far as a card's story names it.
#[derive(Clone, Debug)]
pub struct TicketLine {
    /// Row id.
    pub id: TicketId,
    /// What it is about.
    pub kind: TicketKind,
    /// Where it is.
    pub state: TicketState,
    /// The number of a complaint.
    pub number: Option<String>,
    /// Since when.
    pub opened_at: Timestamp,
}

/// The newest tickets of these conversations.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_tickets(
    db: &Db,
    contacts: &[ContactId],
    limit: i64,
) -> Result<Vec<TicketLine>, StoreError> {
    let rows: Vec<_> =
        contacts.iter().map(|id| serde_json::json!({"contact": id.to_string()})).collect();
    let statement = format!(
        "SELECT t.id, t.kind, t.state, t.number, t.opened_at FROM {} JOIN ticket t ON t.contact_id = r.contact \
         ORDER BY t.id DESC LIMIT $2",
        db.rows(1, "r", &[Column::Text("contact")])
    );
    let rows: Vec<(String, String, String, Option<String>, i64)> = sqlx::query_as(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(limit)
        .fetch_all(db.reader())
        .await?;
    rows.into_iter()
        .map(|(id, kind, state, number, opened_at)| {
            Ok(TicketLine {
                kind: parse("ticket", "kind", &id, &kind)?,
                state: parse("ticket", "state", &id, &state)?,
                number,
                opened_at: Timestamp::from_ms(opened_at),
                id: parse("ticket", "id", &id, &id)?,
            })
        })
        .collect()
}

/// A visit, as far as a card's story names it.
#[derive(Clone, Debug)]
pub struct VisitLine {
    /// Row id.
    pub id: VisitId,
    /// Why no channel brought the news.
    pub reason: String,
    /// When it came to this.
    pub created_at: Timestamp,
    /// When it was settled.
    pub closed_at: Option<Timestamp>,
    /// How: told, reached, superseded.
    pub outcome: Option<String>,
    /// Who told them.
    pub closed_by: Option<String>,
}

/// The visits for a card's news.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_visits(
    db: &Db,
    person: PersonId,
    card: CardId,
    limit: i64,
) -> Result<Vec<VisitLine>, StoreError> {
    // Through the messages, which have an index by person: settled visits have none of their own.
    let rows = sqlx::query(
        "SELECT v.id, v.reason, v.created_at, v.closed_at, v.outcome, v.closed_by FROM message m \
         JOIN visit v ON v.message_id = m.id WHERE m.person_id = $1 AND v.card_id = $2 \
         ORDER BY m.id DESC LIMIT $3",
    )
    .bind(person.to_string())
    .bind(card.to_string())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter()
        .map(|row| {
            let id: String = row.try_get(0)?;
            Ok(VisitLine {
                reason: row.try_get(1)?,
                created_at: Timestamp::from_ms(row.try_get(2)?),
                closed_at: time(row.try_get(3)?),
                outcome: row.try_get(4)?,
                closed_by: row.try_get(5)?,
                id: parse("visit", "id", &id, &id)?,
            })
        })
        .collect()
}

/// When a card's holder was asked how it was.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_survey(db: &Db, card: CardId) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<Option<i64>> = sqlx::query_scalar("SELECT survey_at FROM card WHERE id = $1")
        .bind(card.to_string())
        .fetch_optional(db.reader())
        .await?;
    Ok(time(at.flatten()))
}

/// Whose a card is, by the message that is about it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_of_message(
    db: &Db,
    message: crate::domain::id::MessageId,
) -> Result<Option<(Option<PersonId>, Option<CardId>)>, StoreError> {
    let key = message.to_string();
    let row: Option<(Option<String>, Option<String>)> =
        sqlx::query_as("SELECT person_id, card_id FROM message WHERE id = $1")
            .bind(key.clone())
            .fetch_optional(db.reader())
            .await?;
    row.map(|(person, card)| {
        Ok((
            parse_opt("message", "person_id", &key, person.as_deref())?,
            parse_opt("message", "card_id", &key, card.as_deref())?,
        ))
    })
    .transpose()
}
