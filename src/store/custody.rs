//! Table `custody`: who held which card from when to when.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::db::{Column, sql};
use super::row::{parse, time};
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{CardId, CustodyId};

/// A time during which somebody held a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Row id.
    pub id: CustodyId,
    /// Who.
    pub holder: Holder,
    /// Since when.
    pub from: Timestamp,
    /// Until when; nothing while they hold it.
    pub until: Option<Timestamp>,
    /// Who handed it over.
    pub by: String,
    /// One word, or the id of the round or list.
    pub why: String,
}

type HeldRow = (String, String, i64, Option<i64>, String, String);

fn read((id, holder, from, until, by, why): HeldRow) -> Result<Held, StoreError> {
    Ok(Held {
        holder: parse("custody", "holder", &id, &holder)?,
        from: Timestamp::from_ms(from),
        until: time(until),
        by,
        why,
        id: parse("custody", "id", &id, &id)?,
    })
}

/// Who holds a card now; the card's row is held until the end of the transaction, so that nobody
/// else hands it over meanwhile.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_holder(
    conn: &mut AnyConnection,
    db: &Db,
    card: CardId,
) -> Result<Option<Held>, StoreError> {
    let key = card.to_string();
    sqlx::query(sql(format!("SELECT id FROM card WHERE id = $1{}", db.for_update())))
        .bind(key.clone())
        .fetch_optional(&mut *conn)
        .await?;
    find_holder(conn, card).await
}

/// Who holds a card now.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_holder(
    conn: &mut AnyConnection,
    card: CardId,
) -> Result<Option<Held>, StoreError> {
    let row: Option<HeldRow> = sqlx::query_as(
        "SELECT id, holder, from_at, until_at, by_whom, why FROM custody \
         WHERE card_id = $1 AND until_at IS NULL",
    )
    .bind(card.to_string())
    .fetch_optional(conn)
    .await?;
    row.map(read).transpose()
}

/// Ends the time of whoever holds the card, and begins that of somebody else.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else handed it over in that very moment.
pub async fn pass_on(
    conn: &mut AnyConnection,
    id: CustodyId,
    (card, to): (CardId, &Holder),
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE custody SET until_at = $2 WHERE card_id = $1 AND until_at IS NULL")
        .bind(card.to_string())
        .bind(now.as_ms())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO custody (id, card_id, holder, from_at, by_whom, why) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(card.to_string())
    .bind(to.to_string())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .bind(why.to_owned())
    .execute(&mut *conn)
    .await?;
    sqlx::query("UPDATE card SET held_at = $2 WHERE id = $1 AND held_at IS NULL")
        .bind(card.to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}

/// Begins the time of whoever has cards that nobody had: row, card, holder and why of each.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody has one of them.
pub async fn begin(
    conn: &mut AnyConnection,
    db: &Db,
    rows: &[(CustodyId, CardId, Holder, String)],
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = rows.iter().map(|(id, card, holder, why)| {
        json!({ "id": id.to_string(), "card": card.to_string(), "holder": holder.to_string(), "why": why })
    });
    let values = Value::Array(values.collect()).to_string();
    let columns =
        [Column::Text("id"), Column::Text("card"), Column::Text("holder"), Column::Text("why")];
    sqlx::query(sql(format!(
        "INSERT INTO custody (id, card_id, holder, from_at, by_whom, why) \
         SELECT n.id, n.card, n.holder, CAST($2 AS BIGINT), CAST($3 AS TEXT), n.why FROM {}",
        db.rows(1, "n", &columns)
    )))
    .bind(values.clone())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(&mut *conn)
    .await?;
    sqlx::query(sql(format!(
        "UPDATE card SET held_at = CAST($2 AS BIGINT) WHERE held_at IS NULL AND id IN (SELECT n.card FROM {})",
        db.rows(1, "n", &columns)
    )))
    .bind(values)
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Through whose hands a card went, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_of_card(db: &Db, card: CardId) -> Result<Vec<Held>, StoreError> {
    let rows: Vec<HeldRow> = sqlx::query_as(
        "SELECT id, holder, from_at, until_at, by_whom, why FROM custody WHERE card_id = $1 \
         ORDER BY id LIMIT 200",
    )
    .bind(card.to_string())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Cards that somebody holds, by id after `after`.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_held(
    conn: &mut AnyConnection,
    holder: &Holder,
    after: Option<CardId>,
    limit: i64,
) -> Result<Vec<CardId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT card_id FROM custody WHERE holder = $1 AND until_at IS NULL AND card_id > $2 \
         ORDER BY card_id LIMIT $3",
    )
    .bind(holder.to_string())
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(id,)| parse("custody", "card_id", id, id)).collect()
}
