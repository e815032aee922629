//! Table `service_point`: where cards are made, kept and handed over, and how it is there just now.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::calendar::Week;
use crate::domain::clock::Timestamp;
use crate::domain::service_point::{BlankoStock, GeoPoint, PointService, PointState, PointStatus};

const COLUMNS: &str = "code, name, short_name, area, address, hours, hours_short, week, map, \
                       services, schedule, contact, status, closed_until, closed_because, blanko, \
                       blanko_at, state_at, state_by";

/// A place that serves citizens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePoint {
    /// Its code, as sources name it: `kec-jombang`.
    pub code: String,
    /// Its name in full.
    pub name: String,
    /// Its name for SMS.
    pub short_name: String,
    /// Where it is.
    pub area: AreaCode,
    /// Street, if told.
    pub address: Option<String>,
    /// Opening hours in words.
    pub hours: String,
    /// The same for SMS.
    pub hours_short: String,
    /// What else is known of it.
    pub detail: Detail,
}

/// What is known of a place besides its name and hours in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The hours of each weekday.
    pub week: Option<Week>,
    /// On the map.
    pub map: Option<GeoPoint>,
    /// What is done there.
    pub services: Vec<PointService>,
    /// Where a mobile place is when.
    pub schedule: Option<String>,
    /// Its public number.
    pub contact: Option<String>,
}

impl Detail {
    /// What is told here, and where nothing is, what was known before.
    #[must_use]
    pub fn or(self, known: Self) -> Self {
        Self {
            week: self.week.or(known.week),
            map: self.map.or(known.map),
            services: if self.services.is_empty() { known.services } else { self.services },
            schedule: self.schedule.or(known.schedule),
            contact: self.contact.or(known.contact),
        }
    }
}

/// How a place is just now, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it works.
    pub state: PointState,
    /// Whether it has blank cards.
    pub blanko: BlankoStock,
    /// Of when that is.
    pub blanko_at: Option<Timestamp>,
    /// When somebody last said so.
    pub said_at: Option<Timestamp>,
    /// Who.
    pub said_by: Option<String>,
}

/// A change of how a place is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Whether it works.
    State(PointState),
    /// Whether it has blank cards.
    Blanko(BlankoStock),
}

/// The point with that code.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_point(
    conn: &mut AnyConnection,
    code: &str,
) -> Result<Option<ServicePoint>, StoreError> {
    Ok(find_with_condition(conn, code).await?.map(|(point, _)| point))
}

/// The same with how it is just now.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_with_condition(
    conn: &mut AnyConnection,
    code: &str,
) -> Result<Option<(ServicePoint, Condition)>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM service_point WHERE code = $1")))
        .bind(code.to_owned())
        .fetch_optional(conn)
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// Points in order of their codes, up to so many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_points(
    conn: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<(ServicePoint, Condition)>, StoreError> {
    let rows =
        sqlx::query(sql(format!("SELECT {COLUMNS} FROM service_point ORDER BY code LIMIT $1")))
            .bind(limit)
            .fetch_all(conn)
            .await?;
    rows.iter().map(read).collect()
}

/// The points nearest to an area, up to so many: those of the same kecamatan first, then of the same kabupaten, then
/// of the same province.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_nearest(
    conn: &mut AnyConnection,
    near: &AreaCode,
    limit: i64,
) -> Result<Vec<(ServicePoint, Condition)>, StoreError> {
    let digits = near.plain();
    // A shorter code has no kecamatan to be in: '-' begins none.
    let prefix = |end: usize| digits.get(..end).map_or_else(|| "-".to_owned(), |d| format!("{d}%"));
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM service_point ORDER BY \
         CASE WHEN replace(area, '.', '') LIKE $1 THEN 0 WHEN replace(area, '.', '') LIKE $2 THEN 1 \
         WHEN replace(area, '.', '') LIKE $3 THEN 2 ELSE 3 END, code LIMIT $4"
    )))
    .bind(prefix(6))
    .bind(prefix(4))
    .bind(prefix(2))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(read).collect()
}

/// Points within an area in order of their codes, after a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_within(
    conn: &mut AnyConnection,
    within: &AreaCode,
    after: &str,
    limit: i64,
) -> Result<Vec<(ServicePoint, Condition)>, StoreError> {
    let [from, to] = area_range(within);
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM service_point WHERE code > $1 AND replace(area, '.', '') >= $2 \
         AND replace(area, '.', '') < $3 ORDER BY code LIMIT $4"
    )))
    .bind(after.to_owned())
    .bind(from)
    .bind(to)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(read).collect()
}

/// Holds a point until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_point(conn: &mut AnyConnection, db: &Db, code: &str) -> Result<(), StoreError> {
    let statement = format!("SELECT code FROM service_point WHERE code = $1{}", db.for_update());
    sqlx::query(sql(statement)).bind(code.to_owned()).fetch_optional(conn).await?;
    Ok(())
}

/// Writes a point, new or changed; how it is just now stays as it was.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_point(
    conn: &mut AnyConnection,
    point: &ServicePoint,
    now: Timestamp,
) -> Result<(), StoreError> {
    let services: Vec<&str> = point.detail.services.iter().map(|s| s.as_str()).collect();
    sqlx::query(
        "INSERT INTO service_point (code, name, short_name, area, address, hours, hours_short, week, map, \
         services, schedule, contact, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, short_name = excluded.short_name, \
         area = excluded.area, address = excluded.address, hours = excluded.hours, \
         hours_short = excluded.hours_short, week = excluded.week, map = excluded.map, \
         services = excluded.services, schedule = excluded.schedule, contact = excluded.contact, \
         updated_at = excluded.updated_at",
    )
    .bind(point.code.clone())
    .bind(point.name.clone())
    .bind(point.short_name.clone())
    .bind(point.area.to_string())
    .bind(point.address.clone())
    .bind(point.hours.clone())
    .bind(point.hours_short.clone())
    .bind(point.detail.week.as_ref().map(ToString::to_string))
    .bind(point.detail.map.as_ref().map(ToString::to_string))
    .bind((!services.is_empty()).then(|| services.join(",")))
    .bind(point.detail.schedule.clone())
    .bind(point.detail.contact.clone())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Says how a place is from now on; `false` when there is no such place.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_condition(
    conn: &mut AnyConnection,
    code: &str,
    change: &Change,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = match change {
        Change::State(state) => sqlx::query(
            "UPDATE service_point SET state_at = $2, state_by = $3, status = $4, closed_until = $5, \
             closed_because = $6 WHERE code = $1",
        )
        .bind(code.to_owned())
        .bind(now.as_ms())
        .bind(by.to_owned())
        .bind(state.status.as_str())
        .bind(state.until.map(|day| day.to_string()))
        .bind(state.because.clone()),
        Change::Blanko(stock) => sqlx::query(
            "UPDATE service_point SET state_at = $2, state_by = $3, blanko = $4, blanko_at = $2 \
             WHERE code = $1",
        )
        .bind(code.to_owned())
        .bind(now.as_ms())
        .bind(by.to_owned())
        .bind(stock.as_str()),
    };
    Ok(query.execute(conn).await?.rows_affected() == 1)
}

fn read(row: &AnyRow) -> Result<(ServicePoint, Condition), StoreError> {
    const TABLE: &str = "service_point";
    let code: String = row.try_get(0)?;
    let corrupt = |column| StoreError::Corrupt {
        table: TABLE,
        column,
        id: code.clone(),
        reason: "not a value of its kind",
    };
    let text = |at: usize| row.try_get::<Option<String>, _>(at);
    let area: String = row.try_get(3)?;
    let week = match text(7)? {
        Some(week) => Some(Week::parse(&week).ok_or_else(|| corrupt("week"))?),
        None => None,
    };
    let map = match text(8)? {
        Some(map) => Some(GeoPoint::parse_stored(&map).ok_or_else(|| corrupt("map"))?),
        None => None,
    };
    let services =
        PointService::parse_list(&text(9)?.unwrap_or_default()).map_err(|_| corrupt("services"))?;
    let status: String = row.try_get(12)?;
    let until = match text(13)? {
        Some(day) => Some(day.parse().map_err(|_| corrupt("closed_until"))?),
        None => None,
    };
    let blanko: String = row.try_get(15)?;
    let point = ServicePoint {
        name: row.try_get(1)?,
        short_name: row.try_get(2)?,
        area: parse(TABLE, "area", &code, &area)?,
        address: text(4)?,
        hours: row.try_get(5)?,
        hours_short: row.try_get(6)?,
        detail: Detail { week, map, services, schedule: text(10)?, contact: text(11)? },
        code: code.clone(),
    };
    let condition = Condition {
        state: PointState {
            status: parse::<PointStatus>(TABLE, "status", &code, &status)?,
            until,
            because: text(14)?,
        },
        blanko: parse(TABLE, "blanko", &code, &blanko)?,
        blanko_at: row.try_get::<Option<i64>, _>(16)?.map(Timestamp::from_ms),
        said_at: row.try_get::<Option<i64>, _>(17)?.map(Timestamp::from_ms),
        said_by: text(18)?,
    };
    Ok((point, condition))
}
