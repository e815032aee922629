//! Tables `question_group`, `question_text` and `question_asker`: what several citizens asked in
//! their own words and nobody understood, how often, and what the office decided about it.
//!
//! Who asked is kept as a hash only, and not for long. Which questions belong together is decided
//! elsewhere.

use sqlx::AnyConnection;

use super::db::{mark, sql};
use super::row::{parse, parse_opt};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::QuestionGroupId;
use crate::domain::message::MessageText;
use crate::words;

pub(super) const TABLE: &str = "question_group";
pub(super) const SAMPLE: Place = Place { table: TABLE, column: "sample_sealed" };
const STEMS: Place = Place { table: TABLE, column: "stems_sealed" };
pub(super) const TEXT: Place = Place { table: "question_text", column: "text_sealed" };

words! {
    /// What was decided about a group.
    pub enum GroupState {
        /// Nothing yet.
        Open = "open",
        /// Its texts are examples now.
        Taught = "taught",
        /// It needs no answer.
        Ignored = "ignored",
    }
}

/// A group about to be made.
#[derive(Clone, Debug)]
pub struct NewGroup<'a> {
    /// Row id.
    pub id: QuestionGroupId,
    /// The stems of its wording, by which it is found again.
    pub stems: &'a str,
    /// The wording.
    pub sample: &'a MessageText,
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// One asking of a group.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// The group.
    pub group: QuestionGroupId,
    /// Hash of the address it came from.
    pub address_hash: &'a str,
    /// The day, where the office is.
    pub day: &'a str,
    /// Labels it seemed near to.
    pub near: &'a [String],
    /// Where whoever asked lives.
    pub area: Option<&'a AreaCode>,
    /// When it was asked.
    pub at: Timestamp,
    /// What was taught earlier than that and is asked all the same was not learnt: it is open again.
    pub taught_before: Timestamp,
}

/// Labels with blanks between them.
pub(super) fn labels(near: &str) -> Vec<String> {
    near.split_whitespace().map(str::to_owned).collect()
}

fn key_hash(db: &Db, stems: &str) -> String {
    db.index("question", stems)
}

fn asker_hash(db: &Db, address_hash: &str, day: &str) -> String {
    db.index("question_asker", &format!("{day}/{address_hash}"))
}

/// The group that has a wording of those stems, whatever was decided about it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_stems(
    conn: &mut AnyConnection,
    db: &Db,
    stems: &str,
) -> Result<Option<QuestionGroupId>, StoreError> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM question_group WHERE key_hash = $1 \
         UNION ALL SELECT group_id FROM question_text WHERE key_hash = $1 LIMIT 1",
    )
    .bind(key_hash(db, stems))
    .fetch_optional(conn)
    .await?;
    id.map(|id| parse(TABLE, "id", &id, &id)).transpose()
}

/// Open groups asked since then with the stems of their first wording, the latest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_recent(
    conn: &mut AnyConnection,
    db: &Db,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(QuestionGroupId, String)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, stems_sealed FROM question_group WHERE state = 'open' AND last_at >= $1 \
         ORDER BY last_at DESC, id DESC LIMIT $2",
    )
    .bind(since.as_ms())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(id, sealed)| {
            Ok((parse(TABLE, "id", &id, &id)?, db.sealer.open(STEMS, &id, &sealed)?))
        })
        .collect()
}

/// Makes an open group nobody has asked yet; one of the same stems stays as it is.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_group(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewGroup<'_>,
) -> Result<(), StoreError> {
    let id = new.id.to_string();
    sqlx::query(
        "INSERT INTO question_group (id, key_hash, stems_sealed, sample_sealed, near, times, first_at, \
         last_at, state) VALUES ($1, $2, $3, $4, '', 0, $5, $5, 'open') \
         ON CONFLICT (key_hash) DO NOTHING",
    )
    .bind(id.clone())
    .bind(key_hash(db, new.stems))
    .bind(db.sealer.seal(STEMS, &id, new.stems)?)
    .bind(db.sealer.seal(SAMPLE, &id, new.sample.expose())?)
    .bind(new.asked_at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps another wording of a group, unless it has `most` of them already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_text(
    conn: &mut AnyConnection,
    db: &Db,
    group: QuestionGroupId,
    (stems, text): (&str, &MessageText),
    most: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = key_hash(db, stems);
    if lock(conn, db, &group.to_string()).await?.is_none() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO question_text (key_hash, group_id, text_sealed, added_at) \
         SELECT $1, $2, $3, $4 WHERE (SELECT COUNT(*) FROM question_text WHERE group_id = $2) < $5 \
         ON CONFLICT (key_hash) DO NOTHING",
    )
    .bind(key.clone())
    .bind(group.to_string())
    .bind(db.sealer.seal(TEXT, &key, text.expose())?)
    .bind(now.as_ms())
    .bind(most)
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds a group until the end of the transaction; nothing when it is gone. A row that refers to it
/// shares a lock on it, and two that share one could not both have it for themselves afterwards.
async fn lock(
    conn: &mut AnyConnection,
    db: &Db,
    id: &str,
) -> Result<Option<(i64, Option<String>)>, StoreError> {
    let statement =
        format!("SELECT times, area FROM question_group WHERE id = $1{}", db.for_update());
    Ok(sqlx::query_as(sql(statement)).bind(id.to_owned()).fetch_optional(conn).await?)
}

/// How many groups an address asked on a day.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_asked(
    conn: &mut AnyConnection,
    db: &Db,
    address_hash: &str,
    day: &str,
) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM question_asker WHERE asker_hash = $1")
        .bind(asker_hash(db, address_hash, day))
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// Counts an asking; `false` when the same address asked the same that day, or the group is gone.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn note_asked(
    conn: &mut AnyConnection,
    db: &Db,
    asking: &Asking<'_>,
) -> Result<bool, StoreError> {
    let id = asking.group.to_string();
    let Some((times, before)) = lock(conn, db, &id).await? else { return Ok(false) };
    let new = sqlx::query(
        "INSERT INTO question_asker (asker_hash, group_id, asked_at) VALUES ($1, $2, $3) \
         ON CONFLICT (asker_hash, group_id) DO NOTHING",
    )
    .bind(asker_hash(db, asking.address_hash, asking.day))
    .bind(id.clone())
    .bind(asking.at.as_ms())
    .execute(&mut *conn)
    .await?;
    if new.rows_affected() == 0 {
        return Ok(false);
    }
    let before: Option<AreaCode> = parse_opt(TABLE, "area", &id, before.as_deref())?;
    let area = match (before, asking.area) {
        (_, area) if times == 0 => area.cloned(),
        (Some(before), Some(area)) => before.common(area),
        _ => None,
    };
    // Every value on the right is the one from before this statement.
    sqlx::query(
        "UPDATE question_group SET times = times + 1, near = $2, area = $3, \
         last_at = CASE WHEN last_at < $4 THEN $4 ELSE last_at END, \
         shared_at = CASE WHEN shared_at IS NULL AND first_asker_hash <> $5 THEN $4 \
          ELSE shared_at END, \
         first_asker_hash = CASE WHEN shared_at IS NOT NULL OR first_asker_hash <> $5 THEN NULL \
          ELSE $5 END, \
         state = CASE WHEN state = 'taught' AND decided_at < $6 THEN 'open' ELSE state END \
         WHERE id = $1",
    )
    .bind(id.clone())
    .bind(asking.near.join(" "))
    .bind(area.map(|area| area.to_string()))
    .bind(asking.at.as_ms())
    .bind(db.index("question_first_asker", &format!("{id}/{}", asking.address_hash)))
    .bind(asking.taught_before.as_ms())
    .execute(conn)
    .await?;
    Ok(true)
}

/// Drops what is too many of the open groups: first those that one person asked, and of them the
/// oldest.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn drop_oldest(conn: &mut AnyConnection, most: i64) -> Result<u64, StoreError> {
    let open: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM question_group WHERE state = 'open'")
        .fetch_one(&mut *conn)
        .await?;
    if open <= most {
        return Ok(0);
    }
    let done = sqlx::query(
        "DELETE FROM question_group WHERE id IN (SELECT id FROM question_group WHERE state = 'open' \
         ORDER BY CASE WHEN shared_at IS NULL THEN 0 ELSE 1 END, last_at, id LIMIT $1)",
    )
    .bind(open - most)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets who asked before that moment.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn forget_askers(db: &Db, before: Timestamp) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM question_asker WHERE asked_at < $1",
        "UPDATE question_group SET first_asker_hash = NULL \
         WHERE first_asker_hash IS NOT NULL AND last_at < $1",
    ] {
        sqlx::query(statement).bind(before.as_ms()).execute(db.writer()).await?;
    }
    Ok(())
}

/// Notes what was decided about a group that is open; `false` when there is no such group.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_decided(
    conn: &mut AnyConnection,
    id: QuestionGroupId,
    (state, label): (GroupState, Option<&str>),
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE question_group SET state = $2, label = $3, decided_by = $4, decided_at = $5 \
         WHERE id = $1 AND state = 'open'",
    )
    .bind(id.to_string())
    .bind(state.as_str())
    .bind(label.map(str::to_owned))
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Opens a group again; `false` when it is open, or there is no such group.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_open(
    conn: &mut AnyConnection,
    id: QuestionGroupId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const OPEN: &str = "UPDATE question_group SET state = 'open', label = NULL, decided_by = $2, \
                        decided_at = $3 WHERE id = $1 AND state <> 'open'";
    mark(conn, OPEN, id.to_string(), by, now).await
}
