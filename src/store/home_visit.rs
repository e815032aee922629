//! Table `home_visit`: officers who come to somebody, asked for and scheduled.
//!
//! For whom it is and the way there are sealed. Who changes a request holds its row.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, parse_opt, time};
use super::seal::Place;
use super::trouble::{IN_AREA, Pile, pile};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::home_visit::{HomeVisit, HomeVisitNumber, Schedule, VisitFor};
use crate::domain::id::{ContactId, HomeVisitId};

const TABLE: &str = "home_visit";
const COLUMNS: &str = "id, number, origin, contact_id, area, whom_sealed, work, place_sealed, state, day, from_time, \
                       to_time, officers, because, changes, made_at, made_by, ended_at";
const WHOM: Place = Place { table: TABLE, column: "whom_sealed" };
const PLACE: Place = Place { table: TABLE, column: "place_sealed" };

fn read(db: &Db, row: &AnyRow) -> Result<HomeVisit, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let text = |index: usize| row.try_get::<Option<String>, _>(index);
    let clock = |index: usize, column| {
        let text = text(index)?.map(|text| format!("{text}:00"));
        parse_opt(TABLE, column, &id, text.as_deref())
    };
    let day = parse_opt(TABLE, "day", &id, text(9)?.as_deref())?;
    let schedule = match (day, clock(10, "from_time")?, clock(11, "to_time")?) {
        (Some(day), Some(from), Some(to)) => Some(Schedule { day, from, to, officers: word(12)? }),
        _ => None,
    };
    Ok(HomeVisit {
        number: parse(TABLE, "number", &id, &word(1)?)?,
        origin: parse(TABLE, "origin", &id, &word(2)?)?,
        contact: parse_opt(TABLE, "contact_id", &id, text(3)?.as_deref())?,
        area: parse(TABLE, "area", &id, &word(4)?)?,
        whom: whom(db, &id, &word(5)?)?,
        work: parse(TABLE, "work", &id, &word(6)?)?,
        place: db.sealer.open(PLACE, &id, &word(7)?)?,
        state: parse(TABLE, "state", &id, &word(8)?)?,
        schedule,
        because: text(13)?,
        changes: row.try_get(14)?,
        made_at: Timestamp::from_ms(row.try_get(15)?),
        made_by: word(16)?,
        ended_at: time(row.try_get(17)?),
        id: parse(TABLE, "id", &id, &id)?,
    })
}

/// For whom; before it was sealed it stood there as a word.
fn whom(db: &Db, id: &str, kept: &str) -> Result<VisitFor, StoreError> {
    match kept.parse() {
        Ok(whom) => Ok(whom),
        Err(_) => parse(TABLE, "whom_sealed", id, &db.sealer.open(WHOM, id, kept)?),
    }
}

/// Whether a request that is still open has that number.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_number_taken(
    conn: &mut AnyConnection,
    number: &HomeVisitNumber,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM home_visit WHERE number = $1 AND state IN ('requested', 'scheduled')",
    )
    .bind(number.as_str().to_owned())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// The requests of a chat that are still open, the oldest first; one whose day lies before `settled` and was never
/// settled is not.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_open_of(
    conn: &mut AnyConnection,
    db: &Db,
    contact: ContactId,
    settled: chrono::NaiveDate,
) -> Result<Vec<HomeVisit>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM home_visit WHERE contact_id = $1 \
         AND (state = 'requested' OR (state = 'scheduled' AND day >= $2)) ORDER BY id"
    )))
    .bind(contact.to_string())
    .bind(settled.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Keeps a request that was just made.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_home_visit(
    conn: &mut AnyConnection,
    db: &Db,
    visit: &HomeVisit,
) -> Result<(), StoreError> {
    let id = visit.id.to_string();
    let sealed = db.sealer.seal(PLACE, &id, &visit.place)?;
    let whom = db.sealer.seal(WHOM, &id, visit.whom.as_str())?;
    sqlx::query(
        "INSERT INTO home_visit (id, number, origin, contact_id, area, whom_sealed, work, place_sealed, state, officers, \
         changes, made_at, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, $10, $11)",
    )
    .bind(id)
    .bind(visit.number.as_str().to_owned())
    .bind(visit.origin.as_str())
    .bind(visit.contact.map(|contact| contact.to_string()))
    .bind(visit.area.to_string())
    .bind(whom)
    .bind(visit.work.as_str())
    .bind(sealed)
    .bind(visit.state.as_str())
    .bind(visit.made_at.as_ms())
    .bind(visit.made_by.clone())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what became of a request. A schedule that is new has not been reminded of.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn update_home_visit(
    conn: &mut AnyConnection,
    visit: &HomeVisit,
    by: &str,
) -> Result<(), StoreError> {
    let schedule = visit.schedule.as_ref();
    let clock = |time: chrono::NaiveTime| time.format("%H:%M").to_string();
    sqlx::query(
        "UPDATE home_visit SET state = $2, day = $3, from_time = $4, to_time = $5, officers = $6, because = $7, \
         reminded_at = CASE WHEN changes = $8 THEN reminded_at ELSE NULL END, changes = $8, ended_at = $9, \
         ended_by = $10 WHERE id = $1",
    )
    .bind(visit.id.to_string())
    .bind(visit.state.as_str())
    .bind(schedule.map(|schedule| schedule.day.to_string()))
    .bind(schedule.map(|schedule| clock(schedule.from)))
    .bind(schedule.map(|schedule| clock(schedule.to)))
    .bind(schedule.map(|schedule| schedule.officers.clone()).unwrap_or_default())
    .bind(visit.because.clone())
    .bind(visit.changes)
    .bind(visit.ended_at.map(Timestamp::as_ms))
    .bind(visit.ended_at.map(|_| by.to_owned()))
    .execute(conn)
    .await?;
    Ok(())
}

/// A request.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_home_visit(
    conn: &mut AnyConnection,
    db: &Db,
    id: HomeVisitId,
) -> Result<Option<HomeVisit>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM home_visit WHERE id = $1");
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// A request, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_home_visit(
    conn: &mut AnyConnection,
    db: &Db,
    id: HomeVisitId,
) -> Result<Option<HomeVisit>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM home_visit WHERE id = $1{}", db.for_update());
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// The requests of an area that are open or over: those that wait the longest first, then by day; those that are
/// over the last first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_home_visits(
    db: &Db,
    area: &AreaCode,
    is_open: bool,
    limit: i64,
) -> Result<Vec<HomeVisit>, StoreError> {
    let [from, to] = area_range(area);
    let which = if is_open {
        "state IN ('requested', 'scheduled') ORDER BY CASE WHEN state = 'requested' THEN 0 ELSE 1 END, day, from_time, made_at"
    } else {
        "state IN ('done', 'declined', 'cancelled') ORDER BY ended_at DESC"
    };
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM home_visit WHERE replace(area, '.', '') >= $1 AND replace(area, '.', '') < $2 \
         AND {which}, id LIMIT $3"
    )))
    .bind(from)
    .bind(to)
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Requests of an area made before then that the office has not answered.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_unanswered(
    db: &Db,
    area: &AreaCode,
    before: Timestamp,
) -> Result<Pile, StoreError> {
    let rows = format!(
        "SELECT made_at AS at FROM home_visit WHERE state = 'requested' AND made_at < $5 AND {IN_AREA}"
    );
    pile(db, &rows, (area, false), Some(before)).await
}

/// How many visits of an area had their day before `settled` and nobody said what came of them, and the first such day.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_unsettled(
    db: &Db,
    area: &AreaCode,
    settled: chrono::NaiveDate,
) -> Result<(i64, Option<chrono::NaiveDate>), StoreError> {
    let [from, to] = area_range(area);
    let (count, first): (i64, Option<String>) = sqlx::query_as(
        "SELECT COUNT(*), MIN(day) FROM home_visit WHERE state = 'scheduled' AND day < $3 \
         AND replace(area, '.', '') >= $1 AND replace(area, '.', '') < $2",
    )
    .bind(from)
    .bind(to)
    .bind(settled.to_string())
    .fetch_one(db.reader())
    .await?;
    Ok((count, parse_opt(TABLE, "day", "", first.as_deref())?))
}

/// Requests scheduled up to a day whose asker was not reminded, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_unreminded(
    conn: &mut AnyConnection,
    db: &Db,
    (until, after): (chrono::NaiveDate, &str),
    limit: i64,
) -> Result<Vec<HomeVisit>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM home_visit WHERE state = 'scheduled' AND reminded_at IS NULL AND day <= $1 \
         AND id > $2 ORDER BY id LIMIT $3{}",
        db.for_update()
    )))
    .bind(until.to_string())
    .bind(after.to_owned())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Notes that the reminder was dealt with.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_reminded(
    conn: &mut AnyConnection,
    id: HomeVisitId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE home_visit SET reminded_at = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}
