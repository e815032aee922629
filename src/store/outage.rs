//! Tables `outage` and `outage_told`: when an office could not work, and who heard of it.

use sqlx::AnyConnection;

use super::db::sql;
use super::row::{area_range, parse};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, OutageId, PersonId};
use crate::domain::outage::{Outage, OutageWork};

const FIELDS: &str = "id, kind, area, reason, since, begun_at, begun_by, lifted_at, work, reached";
type Row = (String, String, String, String, i64, i64, String, Option<i64>, Option<String>, String);

fn read(row: Row) -> Result<Outage, StoreError> {
    let (id, kind, area, reason, since, begun_at, begun_by, lifted_at, work, reached) = row;
    Ok(Outage {
        kind: parse("outage", "kind", &id, &kind)?,
        area: parse("outage", "area", &id, &area)?,
        reason,
        since: Timestamp::from_ms(since),
        begun_at: Timestamp::from_ms(begun_at),
        begun_by,
        lifted_at: lifted_at.map(Timestamp::from_ms),
        work: super::row::parse_opt("outage", "work", &id, work.as_deref())?,
        reached,
        id: parse("outage", "id", &id, &id)?,
    })
}

/// Keeps an outage that has just been declared.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_outage(conn: &mut AnyConnection, outage: &Outage) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO outage (id, kind, area, reason, since, begun_at, begun_by, work) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(outage.id.to_string())
    .bind(outage.kind.as_str())
    .bind(outage.area.to_string())
    .bind(outage.reason.clone())
    .bind(outage.since.as_ms())
    .bind(outage.begun_at.as_ms())
    .bind(outage.begun_by.clone())
    .bind(outage.work.map(OutageWork::as_str))
    .execute(conn)
    .await?;
    Ok(())
}

/// An outage, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_outage(
    conn: &mut AnyConnection,
    db: &Db,
    id: OutageId,
) -> Result<Option<Outage>, StoreError> {
    let statement = format!("SELECT {FIELDS} FROM outage WHERE id = $1{}", db.for_update());
    let row: Option<Row> =
        sqlx::query_as(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.map(read).transpose()
}

/// Outages of which somebody is still to be told.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_work(db: &Db) -> Result<Vec<OutageId>, StoreError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT id FROM outage WHERE work IS NOT NULL ORDER BY id LIMIT 20")
            .fetch_all(db.reader())
            .await?;
    rows.iter().map(|(id,)| parse("outage", "id", id, id)).collect()
}

/// Outages that run now, within an area or around it, the oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_running(conn: &mut AnyConnection) -> Result<Vec<Outage>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(sql(format!(
        "SELECT {FIELDS} FROM outage WHERE lifted_at IS NULL ORDER BY id LIMIT 200"
    )))
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Outages that are over, the last first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_lifted(db: &Db, limit: i64) -> Result<Vec<Outage>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(sql(format!(
        "SELECT {FIELDS} FROM outage WHERE lifted_at IS NOT NULL ORDER BY id DESC LIMIT $1"
    )))
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Notes how far telling has come; with no work nothing is left to tell.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_work(
    conn: &mut AnyConnection,
    id: OutageId,
    work: Option<OutageWork>,
    reached: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE outage SET work = $2, reached = $3 WHERE id = $1")
        .bind(id.to_string())
        .bind(work.map(OutageWork::as_str))
        .bind(reached.to_owned())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that an outage is over; `false` when it was before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lift(
    conn: &mut AnyConnection,
    id: OutageId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE outage SET lifted_at = $2, lifted_by = $3, work = 'over', reached = '' \
         WHERE id = $1 AND lifted_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Cards of an area in a state, of KTP-el or of all papers, in the order of an index, behind a row: area and card.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_waiting(
    conn: &mut AnyConnection,
    area: &AreaCode,
    status: CardStatus,
    (reached, after): (&str, &str),
    (of_all_papers, limit): (bool, i64),
) -> Result<Vec<(String, CardId, PersonId)>, StoreError> {
    let [from, to] = area_range(area);
    let from = if reached > from.as_str() { reached.to_owned() } else { from };
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT area, id, person_id FROM card WHERE status = $1 AND area >= $2 AND area < $3 \
         AND (area > $2 OR id > $4) AND ($6 = 1 OR document = 'ktp-el') ORDER BY area, id LIMIT $5",
    )
    .bind(status.as_str())
    .bind(from)
    .bind(to)
    .bind(after.to_owned())
    .bind(limit)
    .bind(i64::from(of_all_papers))
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(area, id, person)| {
            let card = parse("card", "id", &id, &id)?;
            Ok((area, card, parse("card", "person_id", &id, &person)?))
        })
        .collect()
}

/// Whether an outage stands beside somebody already: they heard of it, or of another one that runs.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_row(
    conn: &mut AnyConnection,
    id: OutageId,
    person: PersonId,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM outage_told WHERE person_id = $2 AND outage_id = $1",
    )
    .bind(id.to_string())
    .bind(person.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Whether somebody heard on that day of another outage that still runs.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn heard_of_other(
    conn: &mut AnyConnection,
    id: OutageId,
    person: PersonId,
    day: chrono::NaiveDate,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM outage_told t JOIN outage o ON o.id = t.outage_id \
         WHERE t.person_id = $2 AND t.outage_id <> $1 AND t.day = $3 AND o.lifted_at IS NULL LIMIT 1",
    )
    .bind(id.to_string())
    .bind(person.to_string())
    .bind(day.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// What somebody heard of an outage that is over they know of another one that still keeps their card: the end of that
/// one is the end for them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn pass_on(
    conn: &mut AnyConnection,
    (to, person): (OutageId, PersonId),
    card: CardId,
    day: chrono::NaiveDate,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO outage_told (outage_id, person_id, card_id, day) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (outage_id, person_id) DO UPDATE SET day = excluded.day",
    )
    .bind(to.to_string())
    .bind(person.to_string())
    .bind(card.to_string())
    .bind(day.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that somebody heard of an outage; without a day, that another one was told in its place.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_told(
    conn: &mut AnyConnection,
    id: OutageId,
    (person, card): (PersonId, CardId),
    day: Option<chrono::NaiveDate>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO outage_told (outage_id, person_id, card_id, day) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (outage_id, person_id) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(person.to_string())
    .bind(card.to_string())
    .bind(day.map(|day| day.to_string()).unwrap_or_default())
    .execute(conn)
    .await?;
    Ok(())
}

/// Those beside whom an outage stands and who have not heard that it is over, behind a person; with whether they heard
/// that it began.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_told(
    conn: &mut AnyConnection,
    id: OutageId,
    after: &str,
    limit: i64,
) -> Result<Vec<(PersonId, CardId, bool)>, StoreError> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT person_id, card_id, day FROM outage_told WHERE outage_id = $1 AND person_id > $2 \
         AND over_at IS NULL ORDER BY person_id LIMIT $3",
    )
    .bind(id.to_string())
    .bind(after.to_owned())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(person, card, day)| {
            let id = parse("outage_told", "card_id", &person, &card)?;
            Ok((parse("outage_told", "person_id", &person, &person)?, id, !day.is_empty()))
        })
        .collect()
}

/// Notes that somebody heard that it is over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_over(
    conn: &mut AnyConnection,
    id: OutageId,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE outage_told SET over_at = $3 WHERE outage_id = $1 AND person_id = $2")
        .bind(id.to_string())
        .bind(person.to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}

/// How many heard of an outage.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_told(db: &Db, id: OutageId) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM outage_told WHERE outage_id = $1 AND day <> ''")
        .bind(id.to_string())
        .fetch_one(db.reader())
        .await?)
}
