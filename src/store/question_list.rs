//! The groups of table `question_group` as the office reads them.
//!
//! Only looks; what is decided about a group is written in `question_group`.

use sqlx::Row as _;

use super::db::sql;
use super::question_group::{GroupState, SAMPLE, TABLE, TEXT, labels};
use super::row::{area_range, parse, parse_opt, time};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::QuestionGroupId;
use crate::domain::message::MessageText;

/// A group as the office sees it.
#[derive(Clone, Debug)]
pub struct Group {
    /// Row id, the cursor.
    pub id: QuestionGroupId,
    /// Its first wording.
    pub sample: MessageText,
    /// Labels it seemed near to, the nearest first.
    pub near: Vec<String>,
    /// The smallest area that holds all who asked, if there is one.
    pub area: Option<AreaCode>,
    /// How often it was asked; one person counts once a day.
    pub times: i64,
    /// Whether two different people asked it.
    pub is_shared: bool,
    /// Asked first.
    pub first_at: Timestamp,
    /// Asked last.
    pub last_at: Timestamp,
    /// What was decided.
    pub state: GroupState,
    /// What it was taught as.
    pub label: Option<String>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// Which groups are wanted.
#[derive(Clone, Copy, Debug)]
pub struct GroupFilter<'a> {
    /// What was decided about them.
    pub state: GroupState,
    /// Of the open ones also those that only one person asked.
    pub is_all: bool,
    /// Asked since then.
    pub since: Option<Timestamp>,
    /// After this one.
    pub after: Option<QuestionGroupId>,
    /// Asked by people of that area alone.
    pub within: Option<&'a AreaCode>,
}

const COLUMNS: &str = "id, sample_sealed, near, area, times, shared_at, first_at, last_at, state, \
                       label, decided_by, decided_at";

/// Groups, the most often asked first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_groups(
    db: &Db,
    filter: &GroupFilter<'_>,
    limit: i64,
) -> Result<Vec<Group>, StoreError> {
    let [from, to] = filter.within.map(area_range).unwrap_or_default();
    let statement = format!(
        "SELECT {COLUMNS} FROM question_group WHERE state = $1 AND last_at >= $2 \
         AND (shared_at IS NOT NULL OR $3 = 1 OR state <> 'open') \
         AND ($4 = '' OR (times, id) < (SELECT times, id FROM question_group WHERE id = $4)) \
         AND ($6 = '' OR (replace(area, '.', '') >= $6 AND replace(area, '.', '') < $7)) \
         ORDER BY times DESC, id DESC LIMIT $5"
    );
    let rows = sqlx::query(sql(statement))
        .bind(filter.state.as_str())
        .bind(filter.since.map_or(i64::MIN, Timestamp::as_ms))
        .bind(i64::from(filter.is_all))
        .bind(filter.after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .bind(from)
        .bind(to)
        .fetch_all(db.reader())
        .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// How many open groups asked since then were asked by one person alone.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_single(db: &Db, since: Option<Timestamp>) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar(
        "SELECT COUNT(*) FROM question_group WHERE state = 'open' AND shared_at IS NULL \
         AND last_at >= $1",
    )
    .bind(since.map_or(i64::MIN, Timestamp::as_ms))
    .fetch_one(db.reader())
    .await?;
    Ok(count)
}

/// One group.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_group(db: &Db, id: QuestionGroupId) -> Result<Option<Group>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM question_group WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db.reader())
        .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// The further wordings of a group, the oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_texts(db: &Db, id: QuestionGroupId) -> Result<Vec<MessageText>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT key_hash, text_sealed FROM question_text WHERE group_id = $1 \
         ORDER BY added_at, key_hash",
    )
    .bind(id.to_string())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(key, sealed)| Ok(MessageText::new(db.sealer.open(TEXT, &key, &sealed)?)))
        .collect()
}

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Group, StoreError> {
    let id: String = row.try_get(0)?;
    let sample: String = row.try_get(1)?;
    let near: String = row.try_get(2)?;
    let area: Option<String> = row.try_get(3)?;
    let state: String = row.try_get(8)?;
    Ok(Group {
        sample: MessageText::new(db.sealer.open(SAMPLE, &id, &sample)?),
        near: labels(&near),
        area: parse_opt(TABLE, "area", &id, area.as_deref())?,
        times: row.try_get(4)?,
        is_shared: row.try_get::<Option<i64>, _>(5)?.is_some(),
        first_at: Timestamp::from_ms(row.try_get(6)?),
        last_at: Timestamp::from_ms(row.try_get(7)?),
        state: parse(TABLE, "state", &id, &state)?,
        label: row.try_get(9)?,
        decided_by: row.try_get(10)?,
        decided_at: time(row.try_get(11)?),
        id: parse(TABLE, "id", &id, &id)?,
    })
}
