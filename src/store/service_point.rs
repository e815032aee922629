//! Table `service_point`: where cards are made, kept and handed over.

use sqlx::AnyConnection;

use super::StoreError;
use super::row::parse;
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;

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
}

/// The point with that code.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_point(
    conn: &mut AnyConnection,
    code: &str,
) -> Result<Option<ServicePoint>, StoreError> {
    type Row = (String, String, String, String, Option<String>, String, String);
    let row: Option<Row> = sqlx::query_as(
        "SELECT code, name, short_name, area, address, hours, hours_short FROM service_point \
         WHERE code = $1",
    )
    .bind(code.to_owned())
    .fetch_optional(conn)
    .await?;
    row.map(|(code, name, short_name, area, address, hours, hours_short)| {
        Ok(ServicePoint {
            area: parse("service_point", "area", &code, &area)?,
            code,
            name,
            short_name,
            address,
            hours,
            hours_short,
        })
    })
    .transpose()
}

/// Writes a point, new or changed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_point(
    conn: &mut AnyConnection,
    point: &ServicePoint,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO service_point (code, name, short_name, area, address, hours, hours_short, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (code) DO UPDATE SET name = excluded.name, \
         short_name = excluded.short_name, area = excluded.area, address = excluded.address, \
         hours = excluded.hours, hours_short = excluded.hours_short, updated_at = excluded.updated_at",
    )
    .bind(point.code.clone())
    .bind(point.name.clone())
    .bind(point.short_name.clone())
    .bind(point.area.to_string())
    .bind(point.address.clone())
    .bind(point.hours.clone())
    .bind(point.hours_short.clone())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}
