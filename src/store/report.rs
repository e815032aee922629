//! Tables `report_count` and `report_figure`: what the reports show, counted beforehand in runs.
//!
//! A run goes through its rows in order of their ids, a chunk at a time; where it stands commits with what it
//! counted, so that a crash neither loses nor repeats a chunk. Its figures are shown once it is over.

use sqlx::{AnyConnection, Row as _};

use super::db::{Column, sql};
use super::row::{parse, time};
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::words;

words! {
    /// What is counted.
    pub enum Counted {
        /// Messages of a day, and how long they took.
        Message = "message",
        /// Questions of a day.
        Question = "question",
        /// Cards, as they are now.
        Card = "card",
    }
}

/// How far a count has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What.
    pub what: Counted,
    /// Of which day, `YYYY-MM-DD`; empty for what has none.
    pub day: String,
    /// Of when its figures are; nothing before the first.
    pub done_at: Option<Timestamp>,
    /// The run that goes on, or the last.
    pub run: i64,
    /// When that began; nothing while none goes on.
    pub begun_at: Option<Timestamp>,
    /// The last row it counted.
    pub cursor: String,
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Of which day; empty for none.
    pub day: String,
    /// What it is.
    pub name: String,
    /// How many.
    pub count: i64,
}

/// A message as far as it is counted.
#[derive(Clone, Debug)]
pub struct MessageSeen {
    /// Row id, the cursor.
    pub id: String,
    /// Where it is in its life.
    pub status: String,
    /// Channel.
    pub channel: String,
    /// Dotted area code of whom it is about.
    pub area: Option<String>,
    /// When what it tells of happened, for announcements that arrived.
    pub happened_at: Option<Timestamp>,
    /// On the phone.
    pub delivered_at: Option<Timestamp>,
    /// Opened.
    pub read_at: Option<Timestamp>,
}

/// Something else that is counted.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Row id, the cursor.
    pub id: String,
    /// What was understood, or the status of a card.
    pub word: String,
    /// Dotted area code of whose it is.
    pub area: Option<String>,
}

/// All counts, by what and day.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_counts(db: &Db) -> Result<Vec<Count>, StoreError> {
    let rows = sqlx::query(
        "SELECT what, day, done_at, run, begun_at, cursor FROM report_count ORDER BY what, day",
    )
    .fetch_all(db.reader())
    .await?;
    rows.iter()
        .map(|row| {
            let what: String = row.try_get(0)?;
            Ok(Count {
                what: parse("report_count", "what", &what, &what)?,
                day: row.try_get(1)?,
                done_at: time(row.try_get(2)?),
                run: row.try_get(3)?,
                begun_at: time(row.try_get(4)?),
                cursor: row.try_get(5)?,
            })
        })
        .collect()
}

/// Begins the run after that one; `false` when another process did so first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn begin_run(
    tx: &mut AnyConnection,
    (what, day): (Counted, &str),
    run: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO report_count (what, day, done_run, run, begun_at, cursor) VALUES ($1, $2, 0, $3 + 1, $4, '') \
         ON CONFLICT (what, day) DO UPDATE SET run = excluded.run, begun_at = excluded.begun_at, cursor = '' \
         WHERE report_count.run = $3 AND report_count.begun_at IS NULL",
    )
    .bind(what.as_str())
    .bind(day.to_owned())
    .bind(run)
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves a run on from where it stood; `false` when another process did so first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn move_on(
    tx: &mut AnyConnection,
    count: &Count,
    cursor: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE report_count SET cursor = $5 WHERE what = $1 AND day = $2 AND run = $3 AND cursor = $4 \
         AND begun_at IS NOT NULL",
    )
    .bind(count.what.as_str())
    .bind(count.day.clone())
    .bind(count.run)
    .bind(count.cursor.clone())
    .bind(cursor.to_owned())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds what a chunk came to: area digits, name and number.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn add_figures(
    tx: &mut AnyConnection,
    db: &Db,
    count: &Count,
    figures: impl IntoIterator<Item = ((String, String), i64)>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = figures
        .into_iter()
        .map(|((area, name), n)| serde_json::json!({"area": area, "name": name, "n": n}))
        .collect();
    let columns = [Column::Text("area"), Column::Text("name"), Column::Int("n")];
    let statement = sql(format!(
        // Without a WHERE, SQLite takes ON for the condition of a join.
        "INSERT INTO report_figure (what, area, day, run, name, count) \
         SELECT CAST($2 AS TEXT), r.area, CAST($3 AS TEXT), CAST($4 AS BIGINT), r.name, r.n FROM {} WHERE true \
         ON CONFLICT (what, area, day, run, name) DO UPDATE SET count = report_figure.count + excluded.count",
        db.rows(1, "r", &columns)
    ));
    sqlx::query(statement)
        .bind(serde_json::Value::Array(rows).to_string())
        .bind(count.what.as_str())
        .bind(count.day.clone())
        .bind(count.run)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends a run: its figures are shown from now on, those of the runs before are gone.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn end_run(tx: &mut AnyConnection, count: &Count) -> Result<(), StoreError> {
    let (what, day) = (count.what.as_str(), count.day.clone());
    sqlx::query(
        "UPDATE report_count SET done_run = run, done_at = begun_at, begun_at = NULL, cursor = '' \
         WHERE what = $1 AND day = $2 AND run = $3",
    )
    .bind(what)
    .bind(day.clone())
    .bind(count.run)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM report_figure WHERE what = $1 AND day = $2 AND run < $3")
        .bind(what)
        .bind(day)
        .bind(count.run)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets what is older than that day.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_before(tx: &mut AnyConnection, day: &str) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM report_figure WHERE day <> '' AND day < $1",
        "DELETE FROM report_count WHERE day <> '' AND day < $1",
    ] {
        sqlx::query(statement).bind(day.to_owned()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// The figures of an area since a day, by day and name.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_figures(
    db: &Db,
    what: Counted,
    area: &str,
    since: &str,
) -> Result<Vec<Figure>, StoreError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT f.day, f.name, f.count FROM report_figure f \
         JOIN report_count c ON c.what = f.what AND c.day = f.day AND c.done_run = f.run \
         WHERE f.what = $1 AND f.area = $2 AND f.day >= $3 ORDER BY f.day, f.name",
    )
    .bind(what.as_str())
    .bind(area.to_owned())
    .bind(since.to_owned())
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().map(|(day, name, count)| Figure { day, name, count }).collect())
}

/// The first of what is counted by days: its id tells when it was.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_first(db: &Db, what: Counted) -> Result<Option<String>, StoreError> {
    let statement = match what {
        Counted::Message => "SELECT MIN(id) FROM message",
        Counted::Question => "SELECT MIN(id) FROM inbound",
        Counted::Card => "SELECT MIN(id) FROM card",
    };
    Ok(sqlx::query_scalar(statement).fetch_one(db.reader()).await?)
}

/// Messages after one id and before another.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_messages(
    db: &Db,
    (after, before): (&str, &str),
    limit: i64,
) -> Result<Vec<MessageSeen>, StoreError> {
    let rows = sqlx::query(
        "SELECT m.id, m.status, m.channel, p.area, m.delivered_at, m.read_at, \
         CASE WHEN m.class = 'announcement' AND m.delivered_at IS NOT NULL THEN \
         (SELECT MAX(u.occurred_at) FROM card_update u \
          WHERE u.card_id = m.card_id AND u.received_at <= m.created_at) END \
         FROM message m LEFT JOIN person p ON p.id = m.person_id \
         WHERE m.id > $1 AND m.id < $2 ORDER BY m.id LIMIT $3",
    )
    .bind(after.to_owned())
    .bind(before.to_owned())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(MessageSeen {
                id: row.try_get(0)?,
                status: row.try_get(1)?,
                channel: row.try_get(2)?,
                area: row.try_get(3)?,
                delivered_at: time(row.try_get(4)?),
                read_at: time(row.try_get(5)?),
                happened_at: time(row.try_get(6)?),
            })
        })
        .collect()
}

/// What citizens wrote after one id and before another: what was understood, and where they live as far as their
/// chat or number is one person's on file.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_questions(
    db: &Db,
    (after, before): (&str, &str),
    limit: i64,
) -> Result<Vec<Seen>, StoreError> {
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT i.id, i.intent, COALESCE(\
         (SELECT MIN(p.area) FROM binding b JOIN person p ON p.id = b.person_id WHERE b.contact_id = c.id), \
         (SELECT MIN(p.area) FROM person p WHERE p.phone_hash = c.phone_hash)) \
         FROM inbound i JOIN contact c ON c.id = i.contact_id \
         WHERE i.id > $1 AND i.id < $2 ORDER BY i.id LIMIT $3",
    )
    .bind(after.to_owned())
    .bind(before.to_owned())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().map(|(id, word, area)| Seen { id, word, area }).collect())
}

/// Cards after an id, with their status.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_cards(
    db: &Db,
    document: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Seen>, StoreError> {
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT c.id, CASE WHEN c.document = $4 THEN c.status ELSE '' END, p.area \
         FROM card c JOIN person p ON p.id = c.person_id WHERE c.id > $1 AND c.id < $2 ORDER BY c.id LIMIT $3",
    )
    .bind(after.to_owned())
    .bind("crd_Z")
    .bind(limit)
    .bind(document.to_owned())
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().map(|(id, word, area)| Seen { id, word, area }).collect())
}
