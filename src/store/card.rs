//! Tables `card` and `card_update`: where each card is, and how it came there.

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::card::{CardStatus, CardUpdate, HomeDelivery};
use crate::domain::card_plan::{CardOnFile, UpdateOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::id::{CardId, HoldId, PersonId, UpdateId};

const COLUMNS: &str = "id, person_id, document, serial, status, status_at, service_point, home_date, \
                       home_from, home_to, last_announced";

/// A card on file.
#[derive(Clone, Debug)]
pub struct Card {
    /// Row id.
    pub id: CardId,
    /// Whose.
    pub person_id: PersonId,
    /// Which paper.
    pub document: Document,
    /// 1 for the first of its kind, then its reprints.
    pub serial: i64,
    /// State and what was said of it.
    pub on_file: CardOnFile,
    /// Which point has it.
    pub service_point: Option<String>,
    /// Appointment of its home delivery.
    pub home_delivery: Option<HomeDelivery>,
}

fn read(row: &sqlx::any::AnyRow) -> Result<Card, StoreError> {
    let id: String = row.try_get(0)?;
    let person: String = row.try_get(1)?;
    let document: String = row.try_get(2)?;
    let status: String = row.try_get(4)?;
    let date: Option<String> = row.try_get(7)?;
    let time = |index| -> Result<_, StoreError> {
        let text: Option<String> = row.try_get(index)?;
        super::row::parse_opt("card", "home_from", &id, text.map(|t| format!("{t}:00")).as_deref())
    };
    let home_delivery = match date {
        Some(date) => Some(HomeDelivery {
            date: parse("card", "home_date", &id, &date)?,
            from: time(8)?,
            to: time(9)?,
        }),
        None => None,
    };
    Ok(Card {
        person_id: parse("card", "person_id", &id, &person)?,
        document: parse("card", "document", &id, &document)?,
        serial: row.try_get(3)?,
        on_file: CardOnFile {
            status: parse("card", "status", &id, &status)?,
            status_at: Timestamp::from_ms(row.try_get(5)?),
            last_announced: row.try_get(10)?,
        },
        service_point: row.try_get(6)?,
        home_delivery,
        id: parse("card", "id", &id, &id)?,
    })
}

/// The person's latest card of that kind, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_latest(
    conn: &mut AnyConnection,
    db: &Db,
    person: PersonId,
    document: Document,
) -> Result<Option<Card>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM card WHERE person_id = $1 AND document = $2 \
         ORDER BY serial DESC LIMIT 1{}",
        db.for_update()
    );
    let row = sqlx::query(sql(statement))
        .bind(person.to_string())
        .bind(document.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The card of that id, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_card(
    conn: &mut AnyConnection,
    db: &Db,
    id: CardId,
) -> Result<Option<Card>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM card WHERE id = $1{}", db.for_update());
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

/// What an update said of its card, and when that was.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_said(
    conn: &mut AnyConnection,
    id: UpdateId,
) -> Result<Option<(CardStatus, Timestamp)>, StoreError> {
    let key = id.to_string();
    let row: Option<(String, i64)> =
        sqlx::query_as("SELECT status, occurred_at FROM card_update WHERE id = $1")
            .bind(key.clone())
            .fetch_optional(conn)
            .await?;
    row.map(|(status, at)| {
        Ok((parse("card_update", "status", &key, &status)?, Timestamp::from_ms(at)))
    })
    .transpose()
}

/// One card.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_card(db: &Db, id: CardId) -> Result<Option<Card>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM card WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// A person's cards, each kind's latest only, by kind.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_current(
    conn: &mut AnyConnection,
    person: PersonId,
) -> Result<Vec<Card>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM card WHERE person_id = $1 AND NOT EXISTS (SELECT 1 FROM card newer \
         WHERE newer.person_id = card.person_id AND newer.document = card.document \
         AND newer.serial > card.serial) ORDER BY document"
    );
    let rows = sqlx::query(sql(statement)).bind(person.to_string()).fetch_all(conn).await?;
    rows.iter().map(read).collect()
}

/// Writes a card as an update leaves it: the one on file changed, or else a new one of that id.
/// `announced` is the fingerprint that stays on file as last said.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_card(
    conn: &mut AnyConnection,
    before: Option<&Card>,
    owner: (PersonId, CardId),
    update: &CardUpdate,
    announced: Option<&str>,
    now: Timestamp,
) -> Result<CardId, StoreError> {
    let (person, new_id) = owner;
    let home = update.home_delivery.as_ref();
    let clock = |t: chrono::NaiveTime| t.format("%H:%M").to_string();
    let statement = if before.is_some() {
        "UPDATE card SET status = $2, status_at = $3, service_point = COALESCE($4, service_point), \
         home_date = $5, home_from = $6, home_to = $7, last_announced = $8, updated_at = $9 \
         WHERE id = $1"
    } else {
        "INSERT INTO card (id, status, status_at, service_point, home_date, home_from, home_to, \
         last_announced, created_at, updated_at, person_id, document, area, serial) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, \
         COALESCE((SELECT replace(area, '.', '') FROM person WHERE person.id = $10), ''), \
         (SELECT COALESCE(MAX(serial), 0) + 1 FROM card WHERE person_id = $10 AND document = $11))"
    };
    let id = before.map_or(new_id, |card| card.id);
    let query = sqlx::query(statement)
        .bind(id.to_string())
        .bind(update.status.as_str())
        .bind(update.occurred_at.as_ms())
        .bind(update.service_point.clone())
        .bind(home.map(|h| h.date.to_string()))
        .bind(home.and_then(|h| h.from).map(clock))
        .bind(home.and_then(|h| h.to).map(clock))
        .bind(announced.map(str::to_owned))
        .bind(now.as_ms());
    let query = if before.is_some() {
        query
    } else {
        query.bind(person.to_string()).bind(update.document.as_str())
    };
    query.execute(conn).await?;
    Ok(id)
}

/// Notes that the card's state has not been told to anybody yet.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn forget_announced(conn: &mut AnyConnection, card: CardId) -> Result<(), StoreError> {
    sqlx::query("UPDATE card SET last_announced = NULL WHERE id = $1")
        .bind(card.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes what was last told of a card.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn note_announced(
    conn: &mut AnyConnection,
    card: CardId,
    fingerprint: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE card SET last_announced = $2 WHERE id = $1")
        .bind(card.to_string())
        .bind(fingerprint.to_owned())
        .execute(conn)
        .await?;
    Ok(())
}

/// What the source said before under the same id: its content hash.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_update(
    conn: &mut AnyConnection,
    source: &str,
    external_id_hash: &str,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT content_hash FROM card_update WHERE source = $1 AND external_id_hash = $2",
    )
    .bind(source.to_owned())
    .bind(external_id_hash.to_owned())
    .fetch_optional(conn)
    .await?)
}

/// An update about to join a card's history.
#[derive(Debug)]
pub struct NewUpdate<'a> {
    /// Row id.
    pub id: UpdateId,
    /// Which source said it.
    pub source: &'a str,
    /// Keyed hash of the source's id.
    pub external_id_hash: &'a str,
    /// Keyed hash of the content.
    pub content_hash: &'a str,
    /// The card.
    pub card: CardId,
    /// The update itself.
    pub update: &'a CardUpdate,
    /// What became of it.
    pub outcome: UpdateOutcome,
    /// What it waits for.
    pub hold: Option<HoldId>,
}

/// Adds an update to its card's history.
///
/// # Errors
/// [`StoreError::Database`] when the source used the id before; look first.
pub async fn insert_update(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewUpdate<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = new.id.to_string();
    let place = Place { table: "card_update", column: "external_id_sealed" };
    let sealed = db.sealer.seal(place, &id, &new.update.external_id)?;
    sqlx::query(
        "INSERT INTO card_update (id, source, external_id_hash, content_hash, external_id_sealed, \
         card_id, status, occurred_at, received_at, outcome, hold_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(id)
    .bind(new.source.to_owned())
    .bind(new.external_id_hash.to_owned())
    .bind(new.content_hash.to_owned())
    .bind(sealed)
    .bind(new.card.to_string())
    .bind(new.update.status.as_str())
    .bind(new.update.occurred_at.as_ms())
    .bind(now.as_ms())
    .bind(new.outcome.as_str())
    .bind(new.hold.map(|hold| hold.to_string()))
    .execute(conn)
    .await?;
    Ok(())
}

/// One line of a card's history.
#[derive(Clone, Debug)]
pub struct HistoryLine {
    /// Row id.
    pub id: UpdateId,
    /// Which source said it.
    pub source: String,
    /// The state it told.
    pub status: CardStatus,
    /// When, by the source's word.
    pub occurred_at: Timestamp,
    /// When we heard.
    pub received_at: Timestamp,
    /// What became of it.
    pub outcome: UpdateOutcome,
}

/// A card's history, oldest state first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_history(db: &Db, card: CardId) -> Result<Vec<HistoryLine>, StoreError> {
    let rows: Vec<(String, String, String, i64, i64, String)> = sqlx::query_as(
        "SELECT id, source, status, occurred_at, received_at, outcome FROM card_update \
         WHERE card_id = $1 ORDER BY occurred_at, id LIMIT 1000",
    )
    .bind(card.to_string())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, source, status, occurred_at, received_at, outcome)| {
            Ok(HistoryLine {
                source,
                status: parse("card_update", "status", &id, &status)?,
                occurred_at: Timestamp::from_ms(occurred_at),
                received_at: Timestamp::from_ms(received_at),
                outcome: parse("card_update", "outcome", &id, &outcome)?,
                id: parse("card_update", "id", &id, &id)?,
            })
        })
        .collect()
}
