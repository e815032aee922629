//! Table `source_row`: what each record of a watched source said when it was last taken.
//!
//! Holds hashes only: enough to see that a record says something else, not what it says.

use std::collections::HashMap;

use serde_json::json;
use sqlx::{AnyConnection, Row as _};

use super::db::{Column, sql};
use super::row::parse_opt;
use super::{Db, StoreError};
use crate::domain::absence::Absence;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, RejectionId};
use crate::domain::snapshot::Known;

/// A record as it was last taken.
#[derive(Clone, Debug)]
pub struct SourceRow {
    /// Hash of its name.
    pub key_hash: String,
    /// What it said.
    pub known: Known,
    /// Why it could not be taken.
    pub rejection: Option<RejectionId>,
    /// Whose.
    pub nik_hash: Option<String>,
    /// Why they are not told.
    pub absence: Option<Absence>,
    /// It stands in a register, whose word on who lives there counts.
    pub is_register: bool,
}

/// What stands for somebody who lives in a register.
const HERE: &str = "here";

/// The hash of a record's name.
#[must_use]
pub fn key_hash(db: &Db, source: &str, key: &str) -> String {
    db.index("source_key", &format!("{source}/{key}"))
}

/// The records among these that were taken before, by the hash of their name.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_rows(
    db: &Db,
    source: &str,
    keys: &[&str],
) -> Result<HashMap<String, SourceRow>, StoreError> {
    // SQLite keeps to the order of a CROSS JOIN. Left to choose, it goes through all rows of the source
    // and for each through all keys.
    let wanted: Vec<_> = keys.iter().map(|key| json!({"key_hash": key})).collect();
    let statement = format!(
        "SELECT r.key_hash, r.state_hash, r.content_hash, r.version, r.occurred_at, r.seen_at, \
         r.news_at, r.rejection_id, r.nik_hash, r.absence \
         FROM {} CROSS JOIN source_row AS r \
         WHERE r.source = $1 AND r.key_hash = wanted.key_hash",
        db.rows(2, "wanted", &[Column::Text("key_hash")])
    );
    let rows = sqlx::query(sql(statement))
        .bind(source.to_owned())
        .bind(serde_json::Value::Array(wanted).to_string())
        .fetch_all(db.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let key_hash: String = row.try_get(0)?;
            let rejection: Option<String> = row.try_get(7)?;
            let absence: Option<String> = row.try_get(9)?;
            let news_at: Option<i64> = row.try_get(6)?;
            let found = SourceRow {
                known: Known {
                    state_hash: row.try_get(1)?,
                    content_hash: row.try_get(2)?,
                    version: row.try_get(3)?,
                    occurred_at: Timestamp::from_ms(row.try_get(4)?),
                    seen_at: Timestamp::from_ms(row.try_get(5)?),
                    is_news: news_at.is_some(),
                    is_rejected: rejection.is_some(),
                },
                rejection: parse_opt(
                    "source_row",
                    "rejection_id",
                    &key_hash,
                    rejection.as_deref(),
                )?,
                nik_hash: row.try_get(8)?,
                is_register: absence.is_some(),
                absence: absence_of(&key_hash, absence.as_deref())?,
                key_hash: key_hash.clone(),
            };
            Ok((key_hash, found))
        })
        .collect()
}

/// Writes down what records said, in the transaction that takes them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_rows(
    conn: &mut AnyConnection,
    db: &Db,
    source: &str,
    rows: &[SourceRow],
) -> Result<(), StoreError> {
    const COLUMNS: &[Column] = &[
        Column::Text("key_hash"),
        Column::Text("state_hash"),
        Column::Text("content_hash"),
        Column::Int("version"),
        Column::Int("occurred_at"),
        Column::Int("seen_at"),
        Column::Int("news_at"),
        Column::Text("rejection_id"),
        Column::Text("nik_hash"),
        Column::Text("absence"),
    ];
    if rows.is_empty() {
        return Ok(());
    }
    let values: Vec<_> = rows
        .iter()
        .map(|row| {
            let known = &row.known;
            json!({
                "key_hash": row.key_hash, "state_hash": known.state_hash,
                "content_hash": known.content_hash, "version": known.version,
                "occurred_at": known.occurred_at.as_ms(), "seen_at": known.seen_at.as_ms(),
                "news_at": known.is_news.then_some(known.occurred_at.as_ms()),
                "rejection_id": row.rejection.map(|id| id.to_string()),
                "nik_hash": row.nik_hash,
                "absence": row.absence.map(Absence::as_str).or(row.is_register.then_some(HERE)),
            })
        })
        .collect();
    // "WHERE true" tells SQLite's parser that ON belongs to the INSERT and not to a join.
    let statement = format!(
        "INSERT INTO source_row (source, key_hash, state_hash, content_hash, version, occurred_at, \
         seen_at, news_at, rejection_id, nik_hash, absence) \
         SELECT CAST($1 AS TEXT), n.key_hash, n.state_hash, n.content_hash, n.version, n.occurred_at, \
         n.seen_at, n.news_at, n.rejection_id, n.nik_hash, n.absence FROM {} WHERE true \
         ON CONFLICT (source, key_hash) DO UPDATE SET state_hash = excluded.state_hash, \
         content_hash = excluded.content_hash, version = excluded.version, \
         occurred_at = excluded.occurred_at, seen_at = excluded.seen_at, news_at = excluded.news_at, \
         rejection_id = excluded.rejection_id, nik_hash = excluded.nik_hash, absence = excluded.absence",
        db.rows(2, "n", COLUMNS)
    );
    sqlx::query(sql(statement))
        .bind(source.to_owned())
        .bind(serde_json::Value::Array(values).to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// What every watched register says of somebody: why they are gone, or none where they live.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_absences(
    conn: &mut AnyConnection,
    nik_hash: &str,
) -> Result<Vec<Option<Absence>>, StoreError> {
    let words: Vec<(Option<String>,)> = sqlx::query_as(
        "SELECT absence FROM source_row WHERE nik_hash = $1 AND absence IS NOT NULL \
         ORDER BY seen_at DESC LIMIT 100",
    )
    .bind(nik_hash.to_owned())
    .fetch_all(conn)
    .await?;
    words.into_iter().map(|(word,)| absence_of(nik_hash, word.as_deref())).collect()
}

fn absence_of(id: &str, word: Option<&str>) -> Result<Option<Absence>, StoreError> {
    parse_opt("source_row", "absence", id, word.filter(|word| *word != HERE))
}

/// Notes what somebody of the office found out at the door: that the holder died, or moved away.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn note_absence(
    conn: &mut AnyConnection,
    source: &str,
    nik_hash: &str,
    absence: Absence,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO source_row (source, key_hash, state_hash, content_hash, version, occurred_at, seen_at, \
         nik_hash, absence) VALUES ($1, $2, $2, $2, 1, $3, $3, $2, $4) \
         ON CONFLICT (source, key_hash) DO UPDATE SET absence = excluded.absence, seen_at = excluded.seen_at",
    )
    .bind(source.to_owned())
    .bind(nik_hash.to_owned())
    .bind(now.as_ms())
    .bind(absence.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes back what [`note_absence`] noted of somebody.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn take_back_absence(
    conn: &mut AnyConnection,
    source: &str,
    nik_hash: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM source_row WHERE source = $1 AND key_hash = $2")
        .bind(source.to_owned())
        .bind(nik_hash.to_owned())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a card's state is no news, whatever source showed it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn forget_news(conn: &mut AnyConnection, card: CardId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE source_row SET news_at = NULL WHERE nik_hash = \
         (SELECT nik_hash FROM person WHERE id = (SELECT person_id FROM card WHERE card.id = $1))",
    )
    .bind(card.to_string())
    .execute(conn)
    .await?;
    Ok(())
}
