//! Table `contact`: addresses that wrote to us, their service window and their conversation.
//!
//! People are keyed by (portfolio, BSUID) or (portfolio, chat) with the phone optional, or by the
//! phone where that is all we see. When one message shows both, two rows that were one person become one.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::{ContactId, EventId, InboundId, PersonId};
use crate::domain::message::{ChannelKind, MessageText};
use crate::domain::outbound::{Bsuid, ChatId, Recipient};
use crate::domain::phone::PhoneNumber;

const fn place(column: &'static str) -> Place {
    Place { table: "contact", column }
}

/// Somebody who wrote to us.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Row id.
    pub id: ContactId,
    /// How they are reached.
    pub address: Recipient,
    /// State of their conversation, as the dialogue wrote it.
    pub dialogue: Option<String>,
    /// When they last wrote.
    pub last_inbound_at: Option<Timestamp>,
}

/// The hash under which a BSUID is looked up; it is scoped to its portfolio.
#[must_use]
pub fn bsuid_hash(db: &Db, portfolio: &str, bsuid: &Bsuid) -> String {
    db.index("bsuid", &format!("{portfolio}/{}", bsuid.expose()))
}

/// The hash under which a chat is looked up. Only the bot that was started may write there.
#[must_use]
pub fn chat_hash(db: &Db, portfolio: &str, chat: ChatId) -> String {
    db.index("chat", &format!("{portfolio}/{}", chat.expose()))
}

/// Finds or makes the contact that wrote, learns what the message shows of it, and opens its
/// service window. The row is held until the end of the transaction, which keeps two messages of
/// one person in order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn record_inbound(
    conn: &mut AnyConnection,
    db: &Db,
    key: (ChannelKind, &str),
    from: &Recipient,
    new_id: ContactId,
    at: Timestamp,
) -> Result<Contact, StoreError> {
    let (channel, portfolio) = key;
    let phone_hash = from.phone.as_ref().map(|phone| super::person::phone_hash(db, phone));
    let bsuid = from.bsuid.as_ref().map(|id| bsuid_hash(db, portfolio, id));
    let chat = from.chat.map(|id| chat_hash(db, portfolio, id));
    let statement = format!(
        "SELECT id, phone_sealed, bsuid_sealed, dialogue_sealed, last_inbound_at, chat_sealed \
         FROM contact WHERE channel = $1 AND portfolio = $2 \
         AND (phone_hash = $3 OR bsuid_hash = $4 OR chat_hash = $5) \
         ORDER BY id LIMIT 2{}",
        db.for_update()
    );
    let rows = sqlx::query(sql(statement))
        .bind(channel.as_str())
        .bind(portfolio.to_owned())
        .bind(phone_hash)
        .bind(bsuid)
        .bind(chat)
        .fetch_all(&mut *conn)
        .await?;
    let mut found = rows.iter().map(|row| read(db, row)).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        sqlx::query(
            "INSERT INTO contact (id, channel, portfolio, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(new_id.to_string())
        .bind(channel.as_str())
        .bind(portfolio.to_owned())
        .bind(at.as_ms())
        .execute(&mut *conn)
        .await?;
        found.push(Contact {
            id: new_id,
            address: Recipient::default(),
            dialogue: None,
            last_inbound_at: None,
        });
    }
    if found.len() == 2 {
        merge(conn, &found[0], &found[1]).await?;
    }
    let mut contact = found.swap_remove(0);
    if let Some(other) = found.pop() {
        contact.address.phone = contact.address.phone.or(other.address.phone);
        contact.address.bsuid = contact.address.bsuid.or(other.address.bsuid);
        contact.address.chat = contact.address.chat.or(other.address.chat);
    }
    contact.address.phone = from.phone.clone().or(contact.address.phone);
    contact.address.bsuid = from.bsuid.clone().or(contact.address.bsuid);
    contact.address.chat = from.chat.or(contact.address.chat);
    contact.last_inbound_at = contact.last_inbound_at.max(Some(at));
    write(conn, db, portfolio, &contact, at).await?;
    Ok(contact)
}

/// Finds or makes the contact of a chat that nobody wrote from yet.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_chat(
    conn: &mut AnyConnection,
    db: &Db,
    (channel, portfolio): (ChannelKind, &str),
    chat: ChatId,
    new_id: ContactId,
    now: Timestamp,
) -> Result<ContactId, StoreError> {
    let hash = chat_hash(db, portfolio, chat);
    let found: Option<String> = sqlx::query_scalar(
        "SELECT id FROM contact WHERE channel = $1 AND portfolio = $2 AND chat_hash = $3",
    )
    .bind(channel.as_str())
    .bind(portfolio.to_owned())
    .bind(hash.clone())
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(id) = found {
        return parse("contact", "id", &id, &id);
    }
    let id = new_id.to_string();
    sqlx::query(
        "INSERT INTO contact (id, channel, portfolio, created_at, updated_at, chat_hash, chat_sealed) \
         VALUES ($1, $2, $3, $4, $4, $5, $6)",
    )
    .bind(id.clone())
    .bind(channel.as_str())
    .bind(portfolio.to_owned())
    .bind(now.as_ms())
    .bind(hash)
    .bind(db.sealer.seal(place("chat_sealed"), &id, &chat.expose().to_string())?)
    .execute(conn)
    .await?;
    Ok(new_id)
}

async fn merge(conn: &mut AnyConnection, kept: &Contact, gone: &Contact) -> Result<(), StoreError> {
    for statement in [
        "INSERT INTO binding (person_id, contact_id, bound_at, source) \
         SELECT person_id, $1, bound_at, source FROM binding WHERE contact_id = $2 \
         ON CONFLICT (person_id, contact_id) DO NOTHING",
        "DELETE FROM binding WHERE contact_id = $2 AND contact_id <> $1",
        "UPDATE inbound SET contact_id = $1 WHERE contact_id = $2",
        // Of two open talks or requests of what turns out to be one person the kept one goes on.
        "UPDATE ticket SET state = 'closed', closed_at = touched_at, closed_by = 'merged' \
         WHERE contact_id = $2 AND closed_at IS NULL AND kind <> 'complaint' AND EXISTS \
         (SELECT 1 FROM ticket kept WHERE kept.contact_id = $1 AND kept.kind = ticket.kind \
         AND kept.closed_at IS NULL)",
        "UPDATE ticket SET contact_id = $1 WHERE contact_id = $2",
        "UPDATE message SET contact_id = $1 WHERE contact_id = $2",
        // Of two for the same in one session a place goes before a wait, and the kept one before the other.
        "UPDATE appointment SET state = 'cancelled', ended_at = made_at, ended_by = 'merged' \
         WHERE contact_id = $1 AND state = 'waiting' AND EXISTS \
         (SELECT 1 FROM appointment other WHERE other.contact_id = $2 AND other.service = appointment.service \
         AND other.session_id = appointment.session_id AND other.state = 'booked')",
        "UPDATE appointment SET state = 'cancelled', ended_at = made_at, ended_by = 'merged' \
         WHERE contact_id = $2 AND state IN ('waiting', 'booked') AND EXISTS \
         (SELECT 1 FROM appointment kept WHERE kept.contact_id = $1 AND kept.service = appointment.service \
         AND kept.session_id = appointment.session_id AND kept.state IN ('waiting', 'booked'))",
        "UPDATE appointment SET contact_id = $1 WHERE contact_id = $2",
        "UPDATE home_visit SET contact_id = $1 WHERE contact_id = $2",
        "UPDATE question SET contact_id = $1 WHERE contact_id = $2",
        "DELETE FROM contact WHERE id = $2 AND id <> $1",
    ] {
        sqlx::query(statement)
            .bind(kept.id.to_string())
            .bind(gone.id.to_string())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn write(
    conn: &mut AnyConnection,
    db: &Db,
    portfolio: &str,
    contact: &Contact,
    at: Timestamp,
) -> Result<(), StoreError> {
    let id = contact.id.to_string();
    let phone = contact.address.phone.as_ref();
    let bsuid = contact.address.bsuid.as_ref();
    let chat = contact.address.chat.map(|chat| chat.expose().to_string());
    let seal = |column, value: Option<&str>| {
        value.map(|plain| db.sealer.seal(place(column), &id, plain)).transpose()
    };
    sqlx::query(
        "UPDATE contact SET phone_hash = $2, phone_sealed = $3, bsuid_hash = $4, bsuid_sealed = $5, \
         last_inbound_at = $6, updated_at = $7, chat_hash = $8, chat_sealed = $9 WHERE id = $1",
    )
    .bind(id.clone())
    .bind(phone.map(|phone| super::person::phone_hash(db, phone)))
    .bind(seal("phone_sealed", phone.map(PhoneNumber::expose))?)
    .bind(bsuid.map(|id| bsuid_hash(db, portfolio, id)))
    .bind(seal("bsuid_sealed", bsuid.map(Bsuid::expose))?)
    .bind(contact.last_inbound_at.map(Timestamp::as_ms))
    .bind(at.as_ms())
    .bind(contact.address.chat.map(|chat| chat_hash(db, portfolio, chat)))
    .bind(seal("chat_sealed", chat.as_deref())?)
    .execute(conn)
    .await?;
    Ok(())
}

/// The contact of that id.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_contact(
    conn: &mut AnyConnection,
    db: &Db,
    id: ContactId,
) -> Result<Option<Contact>, StoreError> {
    let row = sqlx::query(
        "SELECT id, phone_sealed, bsuid_sealed, dialogue_sealed, last_inbound_at, chat_sealed \
         FROM contact WHERE id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// The channel of a contact, and the scope in which its ids name people.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_key(
    conn: &mut AnyConnection,
    id: ContactId,
) -> Result<Option<(ChannelKind, String)>, StoreError> {
    let key = id.to_string();
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT channel, portfolio FROM contact WHERE id = $1")
            .bind(key.clone())
            .fetch_optional(conn)
            .await?;
    row.map(|(channel, portfolio)| Ok((parse("contact", "channel", &key, &channel)?, portfolio)))
        .transpose()
}

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Contact, StoreError> {
    let id: String = row.try_get(0)?;
    let open = |column, value: Option<String>| {
        value.map(|sealed| db.sealer.open(place(column), &id, &sealed)).transpose()
    };
    let phone = open("phone_sealed", row.try_get(1)?)?;
    let bsuid = open("bsuid_sealed", row.try_get(2)?)?;
    let chat = open("chat_sealed", row.try_get(5)?)?;
    Ok(Contact {
        address: Recipient {
            phone: phone.and_then(|raw| PhoneNumber::parse_international(&raw).ok()),
            bsuid: bsuid.as_deref().and_then(Bsuid::parse),
            chat: chat.and_then(|id| id.parse().ok()).and_then(ChatId::new),
        },
        dialogue: open("dialogue_sealed", row.try_get(3)?)?,
        last_inbound_at: super::row::time(row.try_get(4)?),
        id: parse("contact", "id", &id, &id)?,
    })
}

/// Writes the state of a conversation.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_dialogue(
    conn: &mut AnyConnection,
    db: &Db,
    id: ContactId,
    state: &str,
) -> Result<(), StoreError> {
    let key = id.to_string();
    let sealed = db.sealer.seal(place("dialogue_sealed"), &key, state)?;
    sqlx::query("UPDATE contact SET dialogue_sealed = $2 WHERE id = $1")
        .bind(key)
        .bind(sealed)
        .execute(conn)
        .await?;
    Ok(())
}

/// A message that a citizen wrote, about to be kept.
#[derive(Debug)]
pub struct NewInbound<'a> {
    /// Row id.
    pub id: InboundId,
    /// Who wrote.
    pub contact: ContactId,
    /// The inbox row it came from.
    pub event: EventId,
    /// Our account it came to.
    pub account: &'a str,
    /// The redacted words.
    pub text: &'a MessageText,
    /// What was understood.
    pub intent: &'a str,
    /// When.
    pub received_at: Timestamp,
}

/// Keeps what a citizen wrote.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_inbound(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewInbound<'_>,
) -> Result<(), StoreError> {
    let id = new.id.to_string();
    let place = Place { table: "inbound", column: "text_sealed" };
    let sealed = db.sealer.seal(place, &id, new.text.expose())?;
    sqlx::query(
        "INSERT INTO inbound (id, contact_id, event_id, account, text_sealed, intent, received_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(new.contact.to_string())
    .bind(new.event.to_string())
    .bind(new.account.to_owned())
    .bind(sealed)
    .bind(new.intent.to_owned())
    .bind(new.received_at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// The contacts of a person on a channel: bound at the counter, or a chat whose owner proved to have
/// the person's number. Newest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_of_person(
    conn: &mut AnyConnection,
    db: &Db,
    (channel, portfolio): (ChannelKind, &str),
    person: PersonId,
    phone: Option<&PhoneNumber>,
) -> Result<Vec<Contact>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, phone_sealed, bsuid_sealed, dialogue_sealed, last_inbound_at, chat_sealed \
         FROM contact WHERE channel = $1 AND portfolio = $2 \
         AND ((chat_hash IS NOT NULL AND phone_hash = $3) OR id IN (SELECT contact_id FROM binding WHERE person_id = $4)) \
         ORDER BY last_inbound_at DESC, id LIMIT 10",
    )
    .bind(channel.as_str())
    .bind(portfolio.to_owned())
    .bind(phone.map(|phone| super::person::phone_hash(db, phone)))
    .bind(person.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// How often a contact was understood so since then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_intent(
    conn: &mut AnyConnection,
    contact: ContactId,
    intent: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar(
        "SELECT COUNT(*) FROM inbound WHERE contact_id = $1 AND received_at > $2 AND intent = $3",
    )
    .bind(contact.to_string())
    .bind(since.as_ms())
    .bind(intent.to_owned())
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// How often citizens were understood so since then, by what was understood.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_intents(db: &Db, since: Timestamp) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT intent, COUNT(*) FROM inbound WHERE received_at >= $1 GROUP BY intent",
    )
    .bind(since.as_ms())
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().collect())
}
