//! Table `point_staff`: which officers work at a service point, from when to when.

use sqlx::AnyConnection;

use super::StoreError;
use super::row::parse;
use crate::domain::clock::Timestamp;
use crate::domain::id::OfficerId;

/// Somebody who works at a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Who.
    pub officer: OfficerId,
    /// Since when.
    pub since: Timestamp,
}

/// Notes that somebody works at a point from now on; `false` when they do already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_staff(
    conn: &mut AnyConnection,
    point: &str,
    officer: OfficerId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO point_staff (point, officer_id, since_at, since_by) VALUES ($1, $2, $3, $4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(point.to_owned())
    .bind(officer.to_string())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that somebody works at a point no more; `false` when they did not.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn end_staff(
    conn: &mut AnyConnection,
    point: &str,
    officer: OfficerId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE point_staff SET until_at = $3, until_by = $4 WHERE point = $1 AND officer_id = $2 \
         AND until_at IS NULL",
    )
    .bind(point.to_owned())
    .bind(officer.to_string())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Who works at a point, the longest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_staff(conn: &mut AnyConnection, point: &str) -> Result<Vec<Staff>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT officer_id, since_at FROM point_staff WHERE point = $1 AND until_at IS NULL \
         ORDER BY since_at, officer_id LIMIT 200",
    )
    .bind(point.to_owned())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(officer, since)| {
            let officer = parse("point_staff", "officer_id", point, &officer)?;
            Ok(Staff { officer, since: Timestamp::from_ms(since) })
        })
        .collect()
}

/// The points at which somebody works.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_points_of(
    conn: &mut AnyConnection,
    officer: OfficerId,
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT point FROM point_staff WHERE officer_id = $1 AND until_at IS NULL ORDER BY point LIMIT 50",
    )
    .bind(officer.to_string())
    .fetch_all(conn)
    .await?)
}
