//! Tables `session_plan` and `service_session`: the weekly hours of counters, and the days on which somebody is served.

use chrono::{NaiveDate, NaiveTime, Weekday};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, parse_opt, time};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ServiceSessionId, SessionPlanId};
use crate::domain::service_point::{GeoPoint, PointService};
use crate::domain::service_session::{CalledOff, ServiceSession, SessionPlan};

const TABLE: &str = "service_session";
const COLUMNS: &str = "s.id, s.kind, s.point, s.plan_id, s.place, s.place_short, s.area, s.map, s.day, \
                       s.time_from, s.time_to, s.begins_at, s.ends_at, s.services, s.quota, s.held, \
                       s.made_at, s.made_by, s.closed_at, s.closed_by, s.closed_because, s.settled_at, s.remind_at";
const PLAN_COLUMNS: &str =
    "id, point, weekday, time_from, time_to, services, quota, made_at, made_by, held";
const WEEKDAYS: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

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

fn clock(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

fn corrupt(table: &'static str, id: &str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column, id: id.to_owned(), reason: "not a value of its kind" }
}

fn services_text(services: &[PointService]) -> String {
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

fn read_plan(row: &AnyRow) -> Result<SessionPlan, StoreError> {
    const TABLE: &str = "session_plan";
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let clock = |index: usize, column| parse(TABLE, column, &id, &format!("{}:00", word(index)?));
    let weekday: i64 = row.try_get(2)?;
    let weekday = usize::try_from(weekday).ok().and_then(|at| WEEKDAYS.get(at).copied());
    Ok(SessionPlan {
        point: word(1)?,
        weekday: weekday.ok_or_else(|| corrupt(TABLE, &id, "weekday"))?,
        from: clock(3, "time_from")?,
        to: clock(4, "time_to")?,
        services: PointService::parse_list(&word(5)?)
            .map_err(|_| corrupt(TABLE, &id, "services"))?,
        quota: row.try_get(6)?,
        made_at: Timestamp::from_ms(row.try_get(7)?),
        made_by: word(8)?,
        held: row.try_get(9)?,
        id: parse(TABLE, "id", &id, &id)?,
    })
}

/// Writes down a plan.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_plan(conn: &mut AnyConnection, plan: &SessionPlan) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session_plan (id, point, weekday, time_from, time_to, services, quota, made_at, made_by, held) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(plan.id.to_string())
    .bind(plan.point.clone())
    .bind(i64::from(plan.weekday.num_days_from_monday()))
    .bind(clock(plan.from))
    .bind(clock(plan.to))
    .bind(services_text(&plan.services))
    .bind(plan.quota)
    .bind(plan.made_at.as_ms())
    .bind(plan.made_by.clone())
    .bind(plan.held)
    .execute(conn)
    .await?;
    Ok(())
}

/// A plan that has not ended.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_plan(
    conn: &mut AnyConnection,
    id: SessionPlanId,
) -> Result<Option<SessionPlan>, StoreError> {
    let statement =
        format!("SELECT {PLAN_COLUMNS} FROM session_plan WHERE id = $1 AND ended_at IS NULL");
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(read_plan).transpose()
}

/// The plans of a point that have not ended, by weekday and hour.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_plans(
    conn: &mut AnyConnection,
    point: &str,
) -> Result<Vec<SessionPlan>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {PLAN_COLUMNS} FROM session_plan WHERE point = $1 AND ended_at IS NULL \
         ORDER BY weekday, time_from, id LIMIT 100"
    )))
    .bind(point.to_owned())
    .fetch_all(conn)
    .await?;
    rows.iter().map(read_plan).collect()
}

/// Plans that have not ended and are not laid out up to a day.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_to_lay_out(
    db: &Db,
    up_to: NaiveDate,
    limit: i64,
) -> Result<Vec<SessionPlanId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM session_plan WHERE ended_at IS NULL AND (laid_to IS NULL OR laid_to < $1) \
         ORDER BY id LIMIT $2",
    )
    .bind(up_to.to_string())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|(id,)| parse("session_plan", "id", id, id)).collect()
}

/// The last day for which a plan was laid out, and holds it until the end of the transaction; none when it has ended.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_laid_to(
    conn: &mut AnyConnection,
    db: &Db,
    id: SessionPlanId,
) -> Result<Option<Option<NaiveDate>>, StoreError> {
    let statement = format!(
        "SELECT laid_to FROM session_plan WHERE id = $1 AND ended_at IS NULL{}",
        db.for_update()
    );
    let key = id.to_string();
    let row: Option<(Option<String>,)> =
        sqlx::query_as(sql(statement)).bind(key.clone()).fetch_optional(conn).await?;
    row.map(|(day,)| parse_opt("session_plan", "laid_to", &key, day.as_deref())).transpose()
}

/// Notes up to which day a plan is laid out.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_laid_to(
    conn: &mut AnyConnection,
    id: SessionPlanId,
    day: NaiveDate,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE session_plan SET laid_to = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(day.to_string())
        .execute(conn)
        .await?;
    Ok(())
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

/// Ends a plan; `false` when it had.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn end_plan(
    conn: &mut AnyConnection,
    id: SessionPlanId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE session_plan SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
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

/// Sessions of an area that citizens can still come to, by their beginning.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_ahead(
    conn: &mut AnyConnection,
    area: &AreaCode,
    (now, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<ServiceSession>, StoreError> {
    let [from, to] = area_range(area);
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM service_session s WHERE s.settled_at IS NULL AND s.closed_at IS NULL \
         AND s.ends_at > $1 AND s.begins_at < $2 AND s.area >= $3 AND s.area < $4 \
         AND NOT EXISTS (SELECT 1 FROM session_plan p WHERE p.id = s.plan_id AND p.ended_at IS NOT NULL) \
         ORDER BY s.begins_at, s.id LIMIT $5"
    )))
    .bind(now.as_ms())
    .bind(until.as_ms())
    .bind(from)
    .bind(to)
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

/// Calls a session off; `false` when it was, or is over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn close(
    conn: &mut AnyConnection,
    id: ServiceSessionId,
    closed: &CalledOff,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE service_session SET closed_at = $2, closed_by = $3, closed_because = $4 \
         WHERE id = $1 AND closed_at IS NULL AND settled_at IS NULL",
    )
    .bind(id.to_string())
    .bind(closed.at.as_ms())
    .bind(closed.by.clone())
    .bind(closed.because.clone())
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
