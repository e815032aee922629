//! Table `session_plan`: the weekly hours of counters, and up to which day their sessions were laid out.

use chrono::{NaiveDate, Weekday};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{parse, parse_opt};
use super::service_session::{Points, clock, corrupt, services_text};
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::SessionPlanId;
use crate::domain::service_point::PointService;
use crate::domain::service_session::SessionPlan;

const TABLE: &str = "session_plan";
const COLUMNS: &str =
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

fn read_plan(row: &AnyRow) -> Result<SessionPlan, StoreError> {
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
        format!("SELECT {COLUMNS} FROM session_plan WHERE id = $1 AND ended_at IS NULL");
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
        "SELECT {COLUMNS} FROM session_plan WHERE point = $1 AND ended_at IS NULL \
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
    rows.iter().map(|(id,)| parse(TABLE, "id", id, id)).collect()
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
    row.map(|(day,)| parse_opt(TABLE, "laid_to", &key, day.as_deref())).transpose()
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

/// Has the plans of points looked at anew from today on, and holds them until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lay_anew(conn: &mut AnyConnection, points: &Points) -> Result<(), StoreError> {
    let [from, to] = points.area_range();
    sqlx::query(
        "UPDATE session_plan SET laid_to = NULL WHERE ended_at IS NULL AND point IN (SELECT code FROM service_point \
         WHERE replace(area, '.', '') >= $1 AND replace(area, '.', '') < $2) AND ($3 = '' OR point = $3)",
    )
    .bind(from)
    .bind(to)
    .bind(points.code.clone().unwrap_or_default())
    .execute(conn)
    .await?;
    Ok(())
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
