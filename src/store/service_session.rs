//! Table `service_session`: the days on which somebody is served.

use chrono::{NaiveDate, NaiveTime};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, parse_opt, time};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ServiceSessionId, SessionPlanId};
use crate::domain::service_point::{GeoPoint, PointService};
use crate::domain::service_session::{CalledOff, ServiceSession};

const TABLE: &str = "service_session";
const COLUMNS: &str = "s.id, s.kind, s.point, s.plan_id, s.place, s.place_short, s.area, s.map, s.day, \
                       s.time_from, s.time_to, s.begins_at, s.ends_at, s.services, s.quota, s.held, \
                       s.made_at, s.made_by, s.closed_at, s.closed_by, s.closed_because, s.settled_at, s.remind_at";
/// A session and how many are on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The session.
    pub session: ServiceSession,
    /// Places taken: booked and served.
    pub taken: i64,
    /// Of these, who came.
    pub served: i64,
    /// Places given out by officers.
    pub by_desk: i64,
    /// How many wait for one.
    pub waiting: i64,
    /// How many are still to be told something.
    pub untold: i64,
}

/// Service points whose calendar changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    /// One alone, by its code.
    pub code: Option<String>,
    /// All of an area; everywhere where none is given.
    pub area: Option<AreaCode>,
    /// From which day to which it changes.
    pub days: (NaiveDate, NaiveDate),
}

impl Points {
    pub(super) fn area_range(&self) -> [String; 2] {
        area_range(self.area.as_ref().unwrap_or(&AreaCode::nationwide()))
    }
}

pub(super) fn clock(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

pub(super) fn corrupt(table: &'static str, id: &str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column, id: id.to_owned(), reason: "not a value of its kind" }
}

pub(super) fn services_text(services: &[PointService]) -> String {
    services.iter().map(|service| service.as_str()).collect::<Vec<_>>().join(",")
}

fn read(row: &AnyRow) -> Result<ServiceSession, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let text = |index: usize| row.try_get::<Option<String>, _>(index);
    let clock = |index: usize, column| parse(TABLE, column, &id, &format!("{}:00", word(index)?));
    let area = word(6)?;
    let map = match text(7)? {
        Some(map) => Some(GeoPoint::parse_stored(&map).ok_or_else(|| corrupt(TABLE, &id, "map"))?),
        None => None,
    };
    let closed_at = time(row.try_get(18)?);
    let closed = match closed_at {
        Some(at) => Some(CalledOff {
            at,
            by: text(19)?.unwrap_or_default(),
            because: text(20)?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(ServiceSession {
        kind: parse(TABLE, "kind", &id, &word(1)?)?,
        point: text(2)?,
        plan: parse_opt(TABLE, "plan_id", &id, text(3)?.as_deref())?,
        place: word(4)?,
        place_short: word(5)?,
        area: AreaCode::parse(&area).map_err(|_| corrupt(TABLE, &id, "area"))?,
        map,
        day: parse(TABLE, "day", &id, &word(8)?)?,
        from: clock(9, "time_from")?,
        to: clock(10, "time_to")?,
        begins_at: Timestamp::from_ms(row.try_get(11)?),
        ends_at: Timestamp::from_ms(row.try_get(12)?),
        services: PointService::parse_list(&word(13)?)
            .map_err(|_| corrupt(TABLE, &id, "services"))?,
        quota: row.try_get(14)?,
        held: row.try_get(15)?,
        made_at: Timestamp::from_ms(row.try_get(16)?),
        made_by: word(17)?,
        closed,
        settled_at: time(row.try_get(21)?),
        remind_at: Timestamp::from_ms(row.try_get(22)?),
        id: parse(TABLE, "id", &id, &id)?,
    })
}

/// The sessions at points that lie ahead and are not called off, by their ids.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_at_points(
    conn: &mut AnyConnection,
    points: &Points,
    now: Timestamp,
) -> Result<Vec<ServiceSession>, StoreError> {
    let [from, to] = points.area_range();
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM service_session s WHERE s.settled_at IS NULL AND s.closed_at IS NULL AND s.ends_at > $1 \
         AND s.point IS NOT NULL AND s.area >= $2 AND s.area < $3 AND s.day >= $4 AND s.day <= $5 \
         AND ($6 = '' OR s.point = $6) ORDER BY s.id"
    )))
    .bind(now.as_ms())
    .bind(from)
    .bind(to)
    .bind(points.days.0.to_string())
    .bind(points.days.1.to_string())
    .bind(points.code.clone().unwrap_or_default())
    .fetch_all(conn)
    .await?;
    rows.iter().map(read).collect()
}

/// Takes back the sessions of a plan that lie ahead and that nobody ever asked for; how many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_unused(
    conn: &mut AnyConnection,
    plan: SessionPlanId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM service_session WHERE plan_id = $1 AND begins_at > $2 AND closed_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM appointment a WHERE a.session_id = service_session.id)",
    )
    .bind(plan.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Puts down a session; `false` when its plan was laid out for that day already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_session(
    conn: &mut AnyConnection,
    session: &ServiceSession,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO service_session (id, kind, point, plan_id, place, place_short, area, map, day, time_from, \
         time_to, begins_at, ends_at, services, quota, held, made_at, made_by, \
         remind_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
         ON CONFLICT DO NOTHING",
    )
    .bind(session.id.to_string())
    .bind(session.kind.as_str())
    .bind(session.point.clone())
    .bind(session.plan.map(|plan| plan.to_string()))
    .bind(session.place.clone())
    .bind(session.place_short.clone())
    .bind(session.area.plain().to_owned())
    .bind(session.map.as_ref().map(ToString::to_string))
    .bind(session.day.to_string())
    .bind(clock(session.from))
    .bind(clock(session.to))
    .bind(session.begins_at.as_ms())
    .bind(session.ends_at.as_ms())
    .bind(services_text(&session.services))
    .bind(session.quota)
    .bind(session.held)
    .bind(session.made_at.as_ms())
    .bind(session.made_by.clone())
    .bind(session.remind_at.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A session.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_session(
    conn: &mut AnyConnection,
    id: ServiceSessionId,
) -> Result<Option<ServiceSession>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM service_session s WHERE s.id = $1");
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

/// A session, held until the end of the transaction: whoever gives out its places holds it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_session(
    conn: &mut AnyConnection,
    db: &Db,
    id: ServiceSessionId,
) -> Result<Option<ServiceSession>, StoreError> {
    let statement =
        format!("SELECT {COLUMNS} FROM service_session s WHERE s.id = $1{}", db.for_update());
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

/// Sessions that citizens can still come to, of the area from `$3` to `$4`.
const AHEAD: &str = "s.settled_at IS NULL AND s.closed_at IS NULL AND s.ends_at > $1 AND s.begins_at < $2 \
     AND s.area >= $3 AND s.area < $4 \
     AND NOT EXISTS (SELECT 1 FROM session_plan p WHERE p.id = s.plan_id AND p.ended_at IS NOT NULL)";

/// What is done at the sessions of an area that citizens can still come to.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_served(
    conn: &mut AnyConnection,
    area: &AreaCode,
    (now, until): (Timestamp, Timestamp),
) -> Result<Vec<PointService>, StoreError> {
    let [from, to] = area_range(area);
    let statement = format!("SELECT DISTINCT s.services FROM service_session s WHERE {AHEAD}");
    let rows: Vec<(String,)> = sqlx::query_as(sql(statement))
        .bind(now.as_ms())
        .bind(until.as_ms())
        .bind(from)
        .bind(to)
        .fetch_all(conn)
        .await?;
    let mut all = Vec::new();
    for (services,) in rows {
        let services =
            PointService::parse_list(&services).map_err(|_| corrupt(TABLE, "", "services"))?;
        all.extend(services);
    }
    all.sort_unstable_by_key(|service| service.as_str());
    all.dedup();
    Ok(all)
}

/// The next sessions of an area that citizens can still come to, up to so many of each place and kind of work and so
/// many in all: the nearest to `near` first, then by their beginning.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_ahead(
    conn: &mut AnyConnection,
    (area, near): (&AreaCode, &AreaCode),
    (now, until): (Timestamp, Timestamp),
    (of_place, limit): (i64, i64),
) -> Result<Vec<ServiceSession>, StoreError> {
    let [from, to] = area_range(area);
    let digits = near.plain();
    // A shorter code has no desa or kecamatan to be in: '-' begins none.
    let prefix = |end: usize| digits.get(..end).map_or_else(|| "-".to_owned(), |d| format!("{d}%"));
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM (SELECT s.*, ROW_NUMBER() OVER (PARTITION BY s.place, s.services \
         ORDER BY s.begins_at, s.id) AS nth FROM service_session s WHERE {AHEAD}) s WHERE s.nth <= $5 \
         ORDER BY CASE WHEN s.area LIKE $6 THEN 0 WHEN s.area LIKE $7 THEN 1 ELSE 2 END, s.begins_at, s.id LIMIT $8"
    )))
    .bind(now.as_ms())
    .bind(until.as_ms())
    .bind(from)
    .bind(to)
    .bind(of_place)
    .bind(prefix(10))
    .bind(prefix(6))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(read).collect()
}

/// Sessions of an area from one day up to another, those called off included, with how many are on each.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_counted(
    conn: &mut AnyConnection,
    area: &AreaCode,
    (from_day, to_day): (NaiveDate, NaiveDate),
    limit: i64,
) -> Result<Vec<Counted>, StoreError> {
    let [from, to] = area_range(area);
    let count = |what: &str| {
        format!(
            "(SELECT COUNT(*) FROM appointment a WHERE a.session_id = s.id AND {what}) AS BIGINT"
        )
    };
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS}, CAST({}), CAST({}), CAST({}), CAST({}), CAST({}) FROM service_session s \
         WHERE s.day >= $1 AND s.day <= $2 AND s.area >= $3 AND s.area < $4 \
         ORDER BY s.day, s.time_from, s.place, s.id LIMIT $5",
        count("a.state IN ('booked', 'served')"),
        count("a.state = 'served'"),
        count("a.state IN ('booked', 'served') AND a.origin = 'desk'"),
        count("a.state = 'waiting'"),
        count("a.tell IS NOT NULL"),
    )))
    .bind(from_day.to_string())
    .bind(to_day.to_string())
    .bind(from)
    .bind(to)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Counted {
                session: read(row)?,
                taken: row.try_get(23)?,
                served: row.try_get(24)?,
                by_desk: row.try_get(25)?,
                waiting: row.try_get(26)?,
                untold: row.try_get(27)?,
            })
        })
        .collect()
}

/// Changes how many may come.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_quota(
    conn: &mut AnyConnection,
    id: ServiceSessionId,
    (quota, held): (i64, i64),
) -> Result<(), StoreError> {
    sqlx::query("UPDATE service_session SET quota = $2, held = $3 WHERE id = $1")
        .bind(id.to_string())
        .bind(quota)
        .bind(held)
        .execute(conn)
        .await?;
    Ok(())
}

/// Changes from when to when it is, and how many may come.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_window(
    conn: &mut AnyConnection,
    session: &ServiceSession,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE service_session SET time_from = $2, time_to = $3, begins_at = $4, ends_at = $5, quota = $6, held = $7 \
         WHERE id = $1",
    )
    .bind(session.id.to_string())
    .bind(clock(session.from))
    .bind(clock(session.to))
    .bind(session.begins_at.as_ms())
    .bind(session.ends_at.as_ms())
    .bind(session.quota)
    .bind(session.held)
    .execute(conn)
    .await?;
    Ok(())
}

/// Calls a session off, by itself or because its place closed; `false` when it was, or is over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn close(
    conn: &mut AnyConnection,
    id: ServiceSessionId,
    closed: &CalledOff,
    is_shut: bool,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE service_session SET closed_at = $2, closed_by = $3, closed_because = $4, shut_at = $5 \
         WHERE id = $1 AND closed_at IS NULL AND settled_at IS NULL",
    )
    .bind(id.to_string())
    .bind(closed.at.as_ms())
    .bind(closed.by.clone())
    .bind(closed.because.clone())
    .bind(is_shut.then(|| closed.at.as_ms()))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sessions that were over before then and are not settled.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_over(
    db: &Db,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<ServiceSessionId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM service_session WHERE settled_at IS NULL AND ends_at <= $1 \
         ORDER BY ends_at, id LIMIT $2",
    )
    .bind(before.as_ms())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|(id,)| parse(TABLE, "id", id, id)).collect()
}

/// Everybody's state in it is final.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_settled(
    conn: &mut AnyConnection,
    id: ServiceSessionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE service_session SET settled_at = $2 WHERE id = $1 AND settled_at IS NULL")
        .bind(id.to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}
