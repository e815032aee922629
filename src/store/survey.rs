//! Table `survey_answer`: ratings, counted by day. It knows no people.

use sqlx::AnyConnection;

use super::row::parse;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::id::CardId;
use crate::domain::survey::{Element, Score, Tally};

/// A rating about to be counted.
#[derive(Clone, Copy, Debug)]
pub struct Rating<'a> {
    /// The paper that was received.
    pub document: Option<Document>,
    /// Where.
    pub area: &'a AreaCode,
    /// What is rated.
    pub element: Element,
    /// How.
    pub score: Score,
    /// On which day.
    pub day: chrono::NaiveDate,
}

/// Counts a rating.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_rating(conn: &mut AnyConnection, rating: &Rating<'_>) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO survey_answer (document, area, element, score, day, answers) \
         VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT (document, area, element, score, day) \
         DO UPDATE SET answers = survey_answer.answers + 1",
    )
    .bind(rating.document.map_or("", Document::as_str))
    .bind(rating.area.to_string())
    .bind(rating.element.as_str())
    .bind(i64::from(rating.score.get()))
    .bind(rating.day.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// What was answered about each element, in an area (everywhere for none), since a day (ever for
/// none). Elements without an answer are left out.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_tallies(
    conn: &mut AnyConnection,
    area: Option<&AreaCode>,
    since: Option<chrono::NaiveDate>,
) -> Result<Vec<Tally>, StoreError> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT element, CAST(SUM(answers) AS BIGINT), CAST(SUM(answers * score) AS BIGINT) \
         FROM survey_answer WHERE ($1 = '' OR area = $1 OR area LIKE $1 || '.%') AND day >= $2 \
         GROUP BY element",
    )
    .bind(area.map(ToString::to_string).unwrap_or_default())
    .bind(since.map(|day| day.to_string()).unwrap_or_default())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(element, answers, sum)| {
            Ok(Tally { element: parse("survey_answer", "element", "", &element)?, answers, sum })
        })
        .collect()
}

/// Notes when a card's holder is to be asked how it was, or that nobody is; whoever was asked about
/// a card is not asked again. Gives whether that changed anything: nearly no card is to be asked
/// about, and its row shall not be written for that.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_due(
    conn: &mut AnyConnection,
    card: CardId,
    due_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE card SET survey_due_at = $2 WHERE id = $1 AND survey_at IS NULL \
         AND (survey_due_at IS NOT NULL OR CAST($2 AS BIGINT) IS NOT NULL)",
    )
    .bind(card.to_string())
    .bind(due_at.map(Timestamp::as_ms))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Cards whose holders are to be asked now, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<CardId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM card WHERE survey_due_at <= $1 ORDER BY survey_due_at, id LIMIT $2",
    )
    .bind(now.as_ms())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|(id,)| parse("card", "id", id, id)).collect()
}

/// Takes a card off those; `false` when another process did, or it is not due any more.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_due(
    conn: &mut AnyConnection,
    card: CardId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE card SET survey_due_at = NULL, survey_at = $2 WHERE id = $1 AND survey_due_at <= $2",
    )
    .bind(card.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
