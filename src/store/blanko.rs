//! Tables `blanko_entry` and `blanko_printed`: the ledger of blank cards, point by point.

use chrono::NaiveDate;
use sqlx::AnyConnection;

use super::row::{area_range, parse};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::blanko::EntryKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::{BlankoEntryId, CardId};
use crate::domain::service_point::BlankoStock;

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Row id.
    pub id: BlankoEntryId,
    /// At which point.
    pub point: String,
    /// What it is.
    pub kind: EntryKind,
    /// How many.
    pub cards: i64,
    /// Of which day.
    pub day: NaiveDate,
    /// What else was written.
    pub note: Option<String>,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Adds a line.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_entry(conn: &mut AnyConnection, entry: &Entry) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO blanko_entry (id, point, kind, cards, day, note, said_by, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(entry.id.to_string())
    .bind(entry.point.clone())
    .bind(entry.kind.as_str())
    .bind(entry.cards)
    .bind(entry.day.to_string())
    .bind(entry.note.clone())
    .bind(entry.by.clone())
    .bind(entry.at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// The lines of a point from its last count on, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_since_count(
    conn: &mut AnyConnection,
    point: &str,
) -> Result<Vec<Entry>, StoreError> {
    list(
        conn,
        "SELECT id, point, kind, cards, day, note, said_by, created_at FROM blanko_entry WHERE point = $1 \
         AND id >= COALESCE((SELECT MAX(id) FROM blanko_entry WHERE point = $1 AND kind = 'counted'), '') \
         ORDER BY id",
        point,
    )
    .await
}

/// When the cards of a point were last counted, else when the first came; none while nobody said how many there are.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_count_at(
    conn: &mut AnyConnection,
    point: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = sqlx::query_scalar(
        "SELECT COALESCE(MAX(CASE WHEN kind = 'counted' THEN created_at END), \
         MIN(CASE WHEN kind = 'delivered' THEN created_at END)) FROM blanko_entry WHERE point = $1",
    )
    .bind(point.to_owned())
    .fetch_one(conn)
    .await?;
    Ok(at.map(Timestamp::from_ms))
}

/// What is expected at a point from a day on, whatever was counted meanwhile.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_expected(
    conn: &mut AnyConnection,
    point: &str,
    from: NaiveDate,
) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT day, cards FROM blanko_entry WHERE point = $1 AND kind = 'expected' AND day >= $2 \
         ORDER BY day, id LIMIT 50",
    )
    .bind(point.to_owned())
    .bind(from.to_string())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(day, cards)| Ok((parse("blanko_entry", "day", point, &day)?, cards)))
        .collect()
}

/// The last lines of a point, the newest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_last(conn: &mut AnyConnection, point: &str) -> Result<Vec<Entry>, StoreError> {
    list(
        conn,
        "SELECT id, point, kind, cards, day, note, said_by, created_at FROM blanko_entry WHERE point = $1 \
         ORDER BY id DESC LIMIT 50",
        point,
    )
    .await
}

async fn list(
    conn: &mut AnyConnection,
    statement: &'static str,
    point: &str,
) -> Result<Vec<Entry>, StoreError> {
    type Row = (String, String, String, i64, String, Option<String>, String, i64);
    let rows: Vec<Row> = sqlx::query_as(statement).bind(point.to_owned()).fetch_all(conn).await?;
    rows.into_iter()
        .map(|(id, point, kind, cards, day, note, by, at)| {
            Ok(Entry {
                point,
                kind: parse("blanko_entry", "kind", &id, &kind)?,
                cards,
                day: parse("blanko_entry", "day", &id, &day)?,
                note,
                by,
                at: Timestamp::from_ms(at),
                id: parse("blanko_entry", "id", &id, &id)?,
            })
        })
        .collect()
}

/// Cards that were printed at a point since a moment.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_printed(
    conn: &mut AnyConnection,
    point: &str,
    since: NaiveDate,
) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT day, CAST(SUM(cards) AS BIGINT) FROM blanko_printed WHERE point = $1 AND day >= $2 \
         GROUP BY day ORDER BY day",
    )
    .bind(point.to_owned())
    .bind(since.to_string())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(day, cards)| Ok((parse("blanko_printed", "day", point, &day)?, cards)))
        .collect()
}

/// Cards that were printed at a point since its last count.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_printed_since_count(
    conn: &mut AnyConnection,
    point: &str,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(cards), 0) AS BIGINT) FROM blanko_printed WHERE point = $1 AND counted = \
         COALESCE((SELECT MAX(id) FROM blanko_entry WHERE point = $1 AND kind = 'counted'), '')",
    )
    .bind(point.to_owned())
    .fetch_one(conn)
    .await?)
}

/// Cards used by hand entry at a point since a day.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_used(
    conn: &mut AnyConnection,
    point: &str,
    since: NaiveDate,
) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT day, CAST(SUM(cards) AS BIGINT) FROM blanko_entry WHERE point = $1 AND kind = 'used' \
         AND day >= $2 GROUP BY day ORDER BY day",
    )
    .bind(point.to_owned())
    .bind(since.to_string())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(day, cards)| Ok((parse("blanko_entry", "day", point, &day)?, cards)))
        .collect()
}

/// Marks a card's blank card as taken off the ledger; `false` when it was before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_used(
    conn: &mut AnyConnection,
    card: CardId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE card SET blanko_used_at = $2 WHERE id = $1 AND blanko_used_at IS NULL")
            .bind(card.to_string())
            .bind(now.as_ms())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts a printed card.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_printed(
    conn: &mut AnyConnection,
    point: &str,
    day: NaiveDate,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO blanko_printed (point, day, counted, cards, last_at) VALUES ($1, $2, \
         COALESCE((SELECT MAX(id) FROM blanko_entry WHERE point = $1 AND kind = 'counted'), ''), 1, $3) \
         ON CONFLICT (point, day, counted) DO UPDATE SET cards = blanko_printed.cards + 1, \
         last_at = excluded.last_at",
    )
    .bind(point.to_owned())
    .bind(day.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// The point whose blank cards are used for somebody: the one named if it keeps a ledger, else the
/// only one of the kecamatan that does, else of the kabupaten.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_ledger(
    conn: &mut AnyConnection,
    named: Option<&str>,
    area: Option<&AreaCode>,
) -> Result<Option<String>, StoreError> {
    if let Some(code) = named {
        let found: Option<String> =
            sqlx::query_scalar("SELECT point FROM blanko_entry WHERE point = $1 LIMIT 1")
                .bind(code.to_owned())
                .fetch_optional(&mut *conn)
                .await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    // The only ledger of the kecamatan, else the only one of the kabupaten: of two nobody can say which.
    for around in [area.and_then(AreaCode::kecamatan), area.and_then(AreaCode::kabupaten)] {
        let Some(around) = around else { continue };
        let [from, to] = area_range(&around);
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT p.code FROM service_point p WHERE replace(p.area, '.', '') >= $1 \
             AND replace(p.area, '.', '') < $2 AND EXISTS (SELECT 1 FROM blanko_entry b WHERE b.point = p.code) \
             ORDER BY p.code LIMIT 2",
        )
        .bind(from)
        .bind(to)
        .fetch_all(&mut *conn)
        .await?;
        if let [one] = found.as_slice() {
            return Ok(Some(one.clone()));
        }
    }
    Ok(None)
}

/// Says how a point's stock is, by its ledger. With `is_entry` somebody has just written into it; otherwise a word that
/// was said by hand since the last entry stays.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_stock(
    conn: &mut AnyConnection,
    point: &str,
    stock: BlankoStock,
    is_entry: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE service_point SET blanko = $2, blanko_at = $3, blanko_ledger_at = $3 WHERE code = $1 \
         AND ($4 = 1 OR blanko_at IS NULL OR blanko_at = blanko_ledger_at)",
    )
    .bind(point.to_owned())
    .bind(stock.as_str())
    .bind(now.as_ms())
    .bind(i64::from(is_entry))
    .execute(conn)
    .await?;
    Ok(())
}

/// Points of an area that keep a ledger.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_ledgers(db: &Db, area: &AreaCode) -> Result<Vec<String>, StoreError> {
    let [from, to] = area_range(area);
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT p.code FROM service_point p WHERE replace(p.area, '.', '') >= $1 \
         AND replace(p.area, '.', '') < $2 AND EXISTS (SELECT 1 FROM blanko_entry b WHERE b.point = p.code) \
         ORDER BY p.code LIMIT 500",
    )
    .bind(from)
    .bind(to)
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().map(|(code,)| code).collect())
}
