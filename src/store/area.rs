//! Table `area`: what the administrative areas are called.
//!
//! Names are for people to read. Many areas share one, so nothing is ever looked up by a name; what
//! somebody named is compared with the areas around them.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::db::{Column, sql};
use super::row::{area_range, parse};
use super::{Db, StoreError};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::clock::Timestamp;

/// The names of these areas, as far as they are known.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_names(
    conn: &mut AnyConnection,
    db: &Db,
    codes: &[AreaCode],
) -> Result<BTreeMap<AreaCode, String>, StoreError> {
    let codes: Vec<_> =
        codes.iter().map(|code| serde_json::json!({"code": code.to_string()})).collect();
    let statement = sql(format!(
        "SELECT a.code, a.name FROM {} JOIN area a ON a.code = r.code",
        db.rows(1, "r", &[Column::Text("code")])
    ));
    let rows: Vec<(String, String)> = sqlx::query_as(statement)
        .bind(serde_json::Value::Array(codes).to_string())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|(code, name)| Ok((parse("area", "code", &code, &code)?, name))).collect()
}

/// The names of an area and of all that lies in it, in the order of their codes, up to so many.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_names(
    conn: &mut AnyConnection,
    within: &AreaCode,
    limit: i64,
) -> Result<Vec<(AreaCode, String)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT code, name FROM area WHERE code = $1 OR code LIKE $1 || '.%' ORDER BY code LIMIT $2",
    )
    .bind(within.to_string())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|(code, name)| Ok((parse("area", "code", &code, &code)?, name))).collect()
}

/// The areas with a name within one, the widest first, each with what is in it behind it up to the kecamatan; of
/// a kecamatan its desa too.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_within(
    db: &Db,
    within: &AreaCode,
    limit: i64,
) -> Result<Vec<(AreaCode, String)>, StoreError> {
    let [from, to] = area_range(within);
    // Dots and digits: of a whole kabupaten the desa would be too many to choose from.
    let longest =
        if within.level() == AreaLevel::Kabupaten || within.plain().len() < 4 { 8 } else { 13 };
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT code, name FROM area WHERE replace(code, '.', '') >= $1 AND replace(code, '.', '') < $2 \
         AND length(code) <= $3 ORDER BY code LIMIT $4",
    )
    .bind(from)
    .bind(to)
    .bind(longest)
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.into_iter().map(|(code, name)| Ok((parse("area", "code", &code, &code)?, name))).collect()
}

/// Writes names, new or changed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_areas(
    conn: &mut AnyConnection,
    db: &Db,
    names: &BTreeMap<AreaCode, String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<_> = names
        .iter()
        .map(|(code, name)| serde_json::json!({"code": code.to_string(), "name": name}))
        .collect();
    let statement = sql(format!(
        // Without a WHERE, SQLite takes ON for the condition of a join.
        "INSERT INTO area (code, name, updated_at) SELECT r.code, r.name, CAST($2 AS BIGINT) FROM {} WHERE true \
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at",
        db.rows(1, "r", &[Column::Text("code"), Column::Text("name")])
    ));
    sqlx::query(statement)
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}
