//! Tables `collection_list` and `collection_item`: cards that went to a desa, and the paper that says so.

use sqlx::{AnyConnection, Row as _};

use super::collection::{FIELDS, JOINS, Unclaimed, read};
use super::db::sql;
use super::row::{area_range, parse};
use super::trouble::{IN_AREA, Pile, pile};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, CollectionId};

/// Cards that went to a desa together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionList {
    /// Row id.
    pub id: CollectionId,
    /// As it stands on the paper.
    pub number: String,
    /// Which desa.
    pub area: AreaCode,
    /// Where the cards lie there.
    pub place: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When the desa took them.
    pub taken_at: Option<Timestamp>,
    /// By whose word.
    pub taken_by: Option<String>,
    /// When it was said that it does not go there after all.
    pub cancelled_at: Option<Timestamp>,
}

type ListRow =
    (String, String, String, String, i64, String, Option<i64>, Option<String>, Option<i64>);
const LIST_FIELDS: &str =
    "id, number, area, place, made_at, made_by, taken_at, taken_by, cancelled_at";

fn read_list(row: ListRow) -> Result<CollectionList, StoreError> {
    let (id, number, area, place, made_at, made_by, taken_at, taken_by, cancelled_at) = row;
    Ok(CollectionList {
        area: parse("collection_list", "area", &id, &area)?,
        number,
        place,
        made_at: Timestamp::from_ms(made_at),
        made_by,
        taken_at: taken_at.map(Timestamp::from_ms),
        taken_by,
        cancelled_at: cancelled_at.map(Timestamp::from_ms),
        id: parse("collection_list", "id", &id, &id)?,
    })
}

/// Keeps a list with its cards in their order.
///
/// # Errors
/// As every statement: [`StoreError`]; also when a card stands on an open list.
pub async fn insert_list(
    conn: &mut AnyConnection,
    list: &CollectionList,
    cards: &[CardId],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO collection_list (id, number, area, place, made_at, made_by) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(list.id.to_string())
    .bind(list.number.clone())
    .bind(list.area.to_string())
    .bind(list.place.clone())
    .bind(list.made_at.as_ms())
    .bind(list.made_by.clone())
    .execute(&mut *conn)
    .await?;
    for (position, card) in (1_i64..).zip(cards) {
        sqlx::query("INSERT INTO collection_item (list_id, position, card_id) VALUES ($1, $2, $3)")
            .bind(list.id.to_string())
            .bind(position)
            .bind(card.to_string())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// A list.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_list(
    conn: &mut AnyConnection,
    id: CollectionId,
) -> Result<Option<CollectionList>, StoreError> {
    let row: Option<ListRow> =
        sqlx::query_as(sql(format!("SELECT {LIST_FIELDS} FROM collection_list WHERE id = $1")))
            .bind(id.to_string())
            .fetch_optional(conn)
            .await?;
    row.map(read_list).transpose()
}

/// Lists of an area, the newest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_lists(
    db: &Db,
    area: &AreaCode,
    limit: i64,
) -> Result<Vec<CollectionList>, StoreError> {
    let [from, to] = area_range(area);
    let rows: Vec<ListRow> = sqlx::query_as(sql(format!(
        "SELECT {LIST_FIELDS} FROM collection_list WHERE replace(area, '.', '') >= $1 \
         AND replace(area, '.', '') < $2 ORDER BY id DESC LIMIT $3"
    )))
    .bind(from)
    .bind(to)
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.into_iter().map(read_list).collect()
}

/// How many lists begin with a text: the number of the next.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_numbers(conn: &mut AnyConnection, like: &str) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM collection_list WHERE number LIKE $1")
        .bind(like.to_owned())
        .fetch_one(conn)
        .await?)
}

/// One card of a list, and whether it was handed over.
#[derive(Clone, Debug)]
pub struct ListItem {
    /// On the paper.
    pub position: i64,
    /// The card.
    pub card: Unclaimed,
    /// When it went into the citizen's hand.
    pub handed_at: Option<Timestamp>,
}

/// The cards of a list, in their order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_items(db: &Db, id: CollectionId) -> Result<Vec<ListItem>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {FIELDS}, i.position, i.handed_at FROM collection_item i JOIN card c ON c.id = i.card_id {JOINS} \
         WHERE i.list_id = $1 ORDER BY i.position"
    )))
    .bind(id.to_string())
    .fetch_all(db.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(ListItem {
                card: read(db, row)?,
                position: row.try_get(12)?,
                handed_at: row.try_get::<Option<i64>, _>(13)?.map(Timestamp::from_ms),
            })
        })
        .collect()
}

/// The cards of a list that nobody has in their hand yet, in their order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_cards_of(
    conn: &mut AnyConnection,
    id: CollectionId,
) -> Result<Vec<CardId>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT card_id FROM collection_item WHERE list_id = $1 AND handed_at IS NULL AND released_at IS NULL ORDER BY position",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|card| parse("collection_item", "card_id", &card, &card)).collect()
}

/// Notes that a list does not go to its desa after all, and gives its cards free; `false` when the desa has them, or
/// that was noted before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn cancel_list(
    conn: &mut AnyConnection,
    id: CollectionId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let key = id.to_string();
    let done = sqlx::query(
        "UPDATE collection_list SET cancelled_at = $2, cancelled_by = $3 \
         WHERE id = $1 AND taken_at IS NULL AND cancelled_at IS NULL",
    )
    .bind(key.clone())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE collection_item SET released_at = $2 WHERE list_id = $1 AND handed_at IS NULL",
    )
    .bind(key)
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(true)
}

/// Gives one card of a list free: it did not go to the desa.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_item(
    conn: &mut AnyConnection,
    (list, card): (CollectionId, CardId),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE collection_item SET released_at = $3 \
         WHERE list_id = $1 AND card_id = $2 AND handed_at IS NULL",
    )
    .bind(list.to_string())
    .bind(card.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists of an area made before then that no desa has taken.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_untaken(
    db: &Db,
    area: &AreaCode,
    before: Timestamp,
) -> Result<Pile, StoreError> {
    let rows = format!(
        "SELECT made_at AS at FROM collection_list WHERE taken_at IS NULL AND cancelled_at IS NULL \
         AND made_at < $5 AND {IN_AREA}"
    );
    pile(db, &rows, (area, false), Some(before)).await
}

/// Notes that the desa has the cards of a list; `false` when that was noted before, or the list was cancelled.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_list_taken(
    conn: &mut AnyConnection,
    id: CollectionId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE collection_list SET taken_at = $2, taken_by = $3 \
         WHERE id = $1 AND taken_at IS NULL AND cancelled_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes on its list that a card went into the citizen's hand.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_item_handed(
    conn: &mut AnyConnection,
    card: CardId,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE collection_item SET handed_at = $2, handed_by = $3 \
         WHERE card_id = $1 AND handed_at IS NULL AND released_at IS NULL",
    )
    .bind(card.to_string())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(conn)
    .await?;
    Ok(())
}

/// The list on which a card stands until it is handed over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_list_of(
    conn: &mut AnyConnection,
    card: CardId,
) -> Result<Option<CollectionId>, StoreError> {
    let id: Option<String> =
        sqlx::query_scalar("SELECT list_id FROM collection_item WHERE card_id = $1 AND handed_at IS NULL AND released_at IS NULL")
            .bind(card.to_string())
            .fetch_optional(conn)
            .await?;
    id.map(|id| parse("collection_item", "list_id", &id, &id)).transpose()
}
