//! Table `holiday`: days on which places are closed, or open at other hours.

use chrono::NaiveDate;
use sqlx::AnyConnection;

use super::StoreError;
use super::row::parse;
use crate::domain::area::AreaCode;
use crate::domain::calendar::{Span, parse_spans};
use crate::domain::clock::Timestamp;

/// A day that is not like others, somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// Which day.
    pub date: NaiveDate,
    /// Where it holds; nothing for everywhere.
    pub area: Option<AreaCode>,
    /// What citizens are told.
    pub name: String,
    /// The hours of that day; nothing when closed.
    pub hours: Option<Vec<Span>>,
}

/// The days from one to another, wherever they hold.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_holidays(
    conn: &mut AnyConnection,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Vec<Holiday>, StoreError> {
    type Row = (String, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT date, area, name, hours FROM holiday WHERE date >= $1 AND date <= $2 \
         ORDER BY date, area",
    )
    .bind(from.to_string())
    .bind(to.to_string())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(read).collect()
}

/// The day as it is on file for just that area.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_holiday(
    conn: &mut AnyConnection,
    date: NaiveDate,
    area: Option<&AreaCode>,
) -> Result<Option<Holiday>, StoreError> {
    let row =
        sqlx::query_as("SELECT date, area, name, hours FROM holiday WHERE date = $1 AND area = $2")
            .bind(date.to_string())
            .bind(area.map(ToString::to_string).unwrap_or_default())
            .fetch_optional(conn)
            .await?;
    row.map(read).transpose()
}

/// Writes a day, new or changed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_holiday(
    conn: &mut AnyConnection,
    holiday: &Holiday,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hours = holiday
        .hours
        .as_ref()
        .map(|spans| spans.iter().map(ToString::to_string).collect::<Vec<String>>().join(", "));
    sqlx::query(
        "INSERT INTO holiday (date, area, name, hours, updated_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (date, area) DO UPDATE SET name = excluded.name, hours = excluded.hours, \
         updated_at = excluded.updated_at",
    )
    .bind(holiday.date.to_string())
    .bind(holiday.area.as_ref().map(ToString::to_string).unwrap_or_default())
    .bind(holiday.name.clone())
    .bind(hours)
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a day out; `false` when it is not on file for just that area.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_holiday(
    conn: &mut AnyConnection,
    date: NaiveDate,
    area: Option<&AreaCode>,
) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM holiday WHERE date = $1 AND area = $2")
        .bind(date.to_string())
        .bind(area.map(ToString::to_string).unwrap_or_default())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn read(
    (date, area, name, hours): (String, String, String, Option<String>),
) -> Result<Holiday, StoreError> {
    const TABLE: &str = "holiday";
    let corrupt = |column| StoreError::Corrupt {
        table: TABLE,
        column,
        id: date.clone(),
        reason: "not a value of its kind",
    };
    Ok(Holiday {
        area: match area.as_str() {
            "" => None,
            area => Some(parse(TABLE, "area", &date, area)?),
        },
        hours: match hours {
            Some(hours) => Some(parse_spans(&hours).map_err(|_| corrupt("hours"))?),
            None => None,
        },
        date: date.parse().map_err(|_| corrupt("date"))?,
        name,
    })
}
