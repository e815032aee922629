//! Table `round_report`: what couriers reported, each once.

use sqlx::AnyConnection;

use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::{ItemId, RoundId};
use crate::domain::round::Verdict;

const SAID: Place = Place { table: "round_report", column: "said_sealed" };

/// A report about to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewReport<'a> {
    /// Which round.
    pub round: RoundId,
    /// Made by the phone.
    pub key: &'a str,
    /// Which item.
    pub item: ItemId,
    /// What became of it.
    pub result: Verdict,
    /// One word more.
    pub why: &'a str,
    /// As it came, without the code.
    pub said: &'a str,
    /// By the phone's clock.
    pub said_at: Timestamp,
    /// Who sent it.
    pub by: &'a str,
    /// Of a hand-over that contradicts: whether the code said was right, one word.
    pub code: Option<&'static str>,
}

/// What became of a report that came before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_report(
    conn: &mut AnyConnection,
    round: RoundId,
    key: &str,
) -> Result<Option<(ItemId, Verdict)>, StoreError> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT item_id, result FROM round_report WHERE round_id = $1 AND report_key = $2",
    )
    .bind(round.to_string())
    .bind(key.to_owned())
    .fetch_optional(conn)
    .await?;
    row.map(|(item, result)| {
        Ok((
            parse("round_report", "item_id", &item, &item)?,
            parse("round_report", "result", &item, &result)?,
        ))
    })
    .transpose()
}

/// Keeps a report.
///
/// # Errors
/// [`StoreError::Conflict`] when one with its key came in that very moment.
pub async fn insert_report(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewReport<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = format!("{} {}", new.round, new.key);
    sqlx::query(
        "INSERT INTO round_report (round_id, report_key, item_id, result, why, said_sealed, said_at, \
         received_at, by_whom, code) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(new.round.to_string())
    .bind(new.key.to_owned())
    .bind(new.item.to_string())
    .bind(new.result.as_str())
    .bind(new.why.to_owned())
    .bind(db.sealer.seal(SAID, &row, new.said)?)
    .bind(new.said_at.as_ms())
    .bind(now.as_ms())
    .bind(new.by.to_owned())
    .bind(new.code)
    .execute(conn)
    .await?;
    Ok(())
}

/// A report that contradicts what is on file.
#[derive(Clone)]
pub struct Conflict {
    /// Which round.
    pub round: RoundId,
    /// Made by the phone.
    pub key: String,
    /// Which item.
    pub item: ItemId,
    /// One word why.
    pub why: String,
    /// The report as it came, as JSON.
    pub said: String,
    /// By the phone's clock.
    pub said_at: Timestamp,
    /// By ours.
    pub received_at: Timestamp,
    /// Of a hand-over: whether the code said was right, one word.
    pub code: Option<String>,
}

type ConflictRow = (String, String, String, String, String, i64, i64, Option<String>);

/// Conflicts that nobody settled, of a round or of all, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_conflicts(
    conn: &mut AnyConnection,
    db: &Db,
    round: Option<RoundId>,
    limit: i64,
) -> Result<Vec<Conflict>, StoreError> {
    let rows: Vec<ConflictRow> = sqlx::query_as(
        "SELECT round_id, report_key, item_id, why, said_sealed, said_at, received_at, code FROM round_report \
         WHERE result = 'conflict' AND settled_at IS NULL AND ($1 = '' OR round_id = $1) \
         ORDER BY received_at, report_key LIMIT $2",
    )
    .bind(round.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(round, key, item, why, said, said_at, received_at, code)| {
            let row = format!("{round} {key}");
            Ok(Conflict {
                said: db.sealer.open(SAID, &row, &said)?,
                round: parse("round_report", "round_id", &row, &round)?,
                item: parse("round_report", "item_id", &row, &item)?,
                key,
                why,
                said_at: Timestamp::from_ms(said_at),
                received_at: Timestamp::from_ms(received_at),
                code,
            })
        })
        .collect()
}

/// Notes that somebody settled a conflict; `false` when it is none (any more).
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_settled(
    conn: &mut AnyConnection,
    (round, key): (RoundId, &str),
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE round_report SET settled_at = $3, settled_by = $4 WHERE round_id = $1 AND report_key = $2 \
         AND result = 'conflict' AND settled_at IS NULL",
    )
    .bind(round.to_string())
    .bind(key.to_owned())
    .bind(now.as_ms())
    .bind(by.to_owned())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
