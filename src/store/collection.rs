//! Table `card` as what waits: at a point to be collected, or for a blank card.

use std::fmt;
use std::str::FromStr;

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, area_ranges, parse, parse_opt};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::blanko::MOST_COUNTED;
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::id::{CardId, PersonId};
use crate::domain::person::PersonName;

/// A card's place on the reminder ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lying {
    /// Since when it lies ready.
    pub since: Timestamp,
    /// Rungs behind it.
    pub step: i64,
    /// When its holder said that they have it.
    pub taken_said_at: Option<Timestamp>,
}

/// Notes that a card lies ready since then, and when its holder is reminded.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn begin_lying(
    conn: &mut AnyConnection,
    card: CardId,
    since: Timestamp,
    due_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE card SET collect_since = $2, collect_step = 0, collect_due_at = $3, taken_said_at = NULL \
         WHERE id = $1",
    )
    .bind(card.to_string())
    .bind(since.as_ms())
    .bind(due_at.map(Timestamp::as_ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a card does not lie ready any more.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn end_lying(conn: &mut AnyConnection, card: CardId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE card SET collect_since = NULL, collect_step = 0, collect_due_at = NULL, taken_said_at = NULL \
         WHERE id = $1",
    )
    .bind(card.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when a card lies ready; none when it does not.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_lying(
    conn: &mut AnyConnection,
    card: CardId,
) -> Result<Option<Lying>, StoreError> {
    let row: Option<(Option<i64>, i64, Option<i64>)> =
        sqlx::query_as("SELECT collect_since, collect_step, taken_said_at FROM card WHERE id = $1")
            .bind(card.to_string())
            .fetch_optional(conn)
            .await?;
    Ok(row.and_then(|(since, step, said)| {
        let since = Timestamp::from_ms(since?);
        Some(Lying { since, step, taken_said_at: said.map(Timestamp::from_ms) })
    }))
}

/// Cards whose holders are to be reminded now, the longest due first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<CardId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM card WHERE collect_due_at <= $1 ORDER BY collect_due_at, id LIMIT $2",
    )
    .bind(now.as_ms())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|(id,)| parse("card", "id", id, id)).collect()
}

/// Takes a card's rung; `false` when another process did, or it is not due any more.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_due(
    conn: &mut AnyConnection,
    card: CardId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE card SET collect_due_at = NULL WHERE id = $1 AND collect_due_at <= $2")
            .bind(card.to_string())
            .bind(now.as_ms())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a card on a rung: so many are behind it, and the next is due then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_rung(
    conn: &mut AnyConnection,
    card: CardId,
    step: i64,
    due_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE card SET collect_step = $2, collect_due_at = $3 \
         WHERE id = $1 AND collect_since IS NOT NULL",
    )
    .bind(card.to_string())
    .bind(step)
    .bind(due_at.map(Timestamp::as_ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a citizen's word that they have a card, or takes it back. `false` when it does not lie ready.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_taken_said(
    conn: &mut AnyConnection,
    card: CardId,
    at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE card SET taken_said_at = $2, collect_due_at = NULL \
         WHERE id = $1 AND collect_since IS NOT NULL",
    )
    .bind(card.to_string())
    .bind(at.map(Timestamp::as_ms))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a card into the queue for a blank card, or takes it out.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_queued(
    conn: &mut AnyConnection,
    card: CardId,
    queued: Option<(Timestamp, i64)>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE card SET queue_at = $2, queue_rank = $3 WHERE id = $1")
        .bind(card.to_string())
        .bind(queued.map(|(at, _)| at.as_ms()))
        .bind(queued.map_or(1, |(_, rank)| rank))
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether a card of an area waits for a blank card behind those that go first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn waits_behind(db: &Db, area: &AreaCode) -> Result<bool, StoreError> {
    let office: String = area.plain().chars().take(4).collect();
    let [from, to] = area_range(area);
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM card WHERE queue_at IS NOT NULL AND substr(area, 1, 4) = $1 \
         AND queue_rank > 0 AND area >= $2 AND area < $3 LIMIT 1",
    )
    .bind(office)
    .bind(from)
    .bind(to)
    .fetch_optional(db.reader())
    .await?;
    Ok(found.is_some())
}

/// Lets the cards of an area that wait for a blank card go first; gives how many did not before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn let_first(conn: &mut AnyConnection, area: &AreaCode) -> Result<u64, StoreError> {
    let [from, to] = area_range(area);
    let done = sqlx::query(
        "UPDATE card SET queue_rank = 0 WHERE queue_at IS NOT NULL AND queue_rank > 0 \
         AND area >= $1 AND area < $2",
    )
    .bind(from)
    .bind(to)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// How many cards of the same kabupaten wait before one, up to [`MOST_COUNTED`]; none when it does not wait.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_before(
    conn: &mut AnyConnection,
    card: CardId,
) -> Result<Option<i64>, StoreError> {
    let key = card.to_string();
    let row: Option<(String, i64, Option<i64>)> =
        sqlx::query_as("SELECT substr(area, 1, 4), queue_rank, queue_at FROM card WHERE id = $1")
            .bind(key.clone())
            .fetch_optional(&mut *conn)
            .await?;
    let Some((office, rank, Some(at))) = row else { return Ok(None) };
    if office.len() < 4 {
        return Ok(None);
    }
    // Those of a better rank, then those of the same who came earlier: two walks of one index.
    let better: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM card WHERE queue_at IS NOT NULL \
         AND substr(area, 1, 4) = $1 AND queue_rank < $2 LIMIT $3) AS better",
    )
    .bind(office.clone())
    .bind(rank)
    .bind(MOST_COUNTED)
    .fetch_one(&mut *conn)
    .await?;
    let earlier: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM card WHERE queue_at IS NOT NULL \
         AND substr(area, 1, 4) = $1 AND queue_rank = $2 AND (queue_at, id) < ($3, $4) LIMIT $5) AS earlier",
    )
    .bind(office)
    .bind(rank)
    .bind(at)
    .bind(key)
    .bind(MOST_COUNTED)
    .fetch_one(conn)
    .await?;
    Ok(Some((better + earlier).min(MOST_COUNTED)))
}

/// How many cards of an area's kabupaten wait for a blank card, up to [`MOST_COUNTED`].
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_queue(db: &Db, area: &AreaCode) -> Result<i64, StoreError> {
    let office: String = area.plain().chars().take(4).collect();
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM card WHERE queue_at IS NOT NULL \
         AND substr(area, 1, 4) = $1 LIMIT $2) AS queue",
    )
    .bind(office)
    .bind(MOST_COUNTED)
    .fetch_one(db.reader())
    .await?)
}

/// Whether a card's own history tells of a recording: then it is somebody's first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn was_recorded(conn: &mut AnyConnection, card: CardId) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM card_update u JOIN card c ON c.id = u.card_id \
         WHERE u.card_id = $1 AND c.serial = 1 AND u.status = 'recorded' LIMIT 1",
    )
    .bind(card.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Whether a suket is on file for the holder of a card.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_suket(conn: &mut AnyConnection, person: PersonId) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM card WHERE person_id = $1 AND document = 'suket' LIMIT 1",
    )
    .bind(person.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// An unclaimed card, as an officer's list shows it.
#[derive(Clone, Debug)]
pub struct Unclaimed {
    /// Row id, the cursor.
    pub id: CardId,
    /// Which paper.
    pub document: Document,
    /// Since when it lies.
    pub since: Timestamp,
    /// Rungs behind it.
    pub step: i64,
    /// When its holder said that they have it.
    pub taken_said_at: Option<Timestamp>,
    /// Which point has it.
    pub service_point: Option<String>,
    /// Whose.
    pub person: PersonId,
    /// The holder's name.
    pub name: Option<PersonName>,
    /// Where the holder lives.
    pub area: Option<AreaCode>,
    /// The holder's RW and RT.
    pub place: (Option<String>, Option<String>),
    /// The last part of the reference of the last message about it.
    pub reference: Option<String>,
}

pub(super) const FIELDS: &str = "c.id, c.document, c.collect_since, c.collect_step, c.taken_said_at, \
                      COALESCE(s.short_name, c.service_point), p.id, p.name_sealed, p.area, p.rw_sealed, \
                      p.rt_sealed, (SELECT m.reference FROM message m WHERE m.card_id = c.id \
                      AND m.reference IS NOT NULL ORDER BY m.id DESC LIMIT 1)";
pub(super) const JOINS: &str =
    "JOIN person p ON p.id = c.person_id LEFT JOIN service_point s ON s.code = c.service_point";

pub(super) fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Unclaimed, StoreError> {
    let id: String = row.try_get(0)?;
    let document: String = row.try_get(1)?;
    let person: String = row.try_get(6)?;
    let area: Option<String> = row.try_get(8)?;
    let open = |column, index: usize| -> Result<Option<String>, StoreError> {
        let sealed: Option<String> = row.try_get(index)?;
        let place = Place { table: "person", column };
        sealed.map(|sealed| db.sealer.open(place, &person, &sealed)).transpose()
    };
    Ok(Unclaimed {
        document: parse("card", "document", &id, &document)?,
        since: Timestamp::from_ms(row.try_get::<Option<i64>, _>(2)?.unwrap_or_default()),
        step: row.try_get(3)?,
        taken_said_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_ms),
        service_point: row.try_get(5)?,
        name: open("name_sealed", 7)?.as_deref().and_then(PersonName::parse),
        area: parse_opt("person", "area", &person, area.as_deref())?,
        place: (open("rw_sealed", 9)?, open("rt_sealed", 10)?),
        reference: row.try_get(11)?,
        person: parse("person", "id", &person, &person)?,
        id: parse("card", "id", &id, &id)?,
    })
}

/// How far a list of unclaimed cards was read: values, so that it holds when the card is collected meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Since when the last card lay.
    pub since: Timestamp,
    /// That card.
    pub card: CardId,
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.since.as_ms(), self.card)
    }
}

/// A text that says of no list how far it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("how far a list was read is written like 1795400000000.crd_01J…")]
pub struct NotReached;

impl FromStr for Reached {
    type Err = NotReached;
    fn from_str(text: &str) -> Result<Self, NotReached> {
        let (since, card) = text.split_once('.').ok_or(NotReached)?;
        let since = since.parse().map(Timestamp::from_ms).map_err(|_| NotReached)?;
        Ok(Self { since, card: card.parse().map_err(|_| NotReached)? })
    }
}

impl Unclaimed {
    /// Where a list goes on behind this card.
    #[must_use]
    pub const fn reached(&self) -> Reached {
        Reached { since: self.since, card: self.id }
    }
}

/// Unclaimed cards of an area that lie since `until` or longer, the longest first, behind what was read.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_unclaimed(
    db: &Db,
    area: &AreaCode,
    until: Timestamp,
    after: Option<Reached>,
    limit: i64,
) -> Result<Vec<Unclaimed>, StoreError> {
    let [from, to] = area_range(area);
    let rows = sqlx::query(sql(format!(
        "SELECT {FIELDS} FROM card c {JOINS} WHERE c.collect_since IS NOT NULL AND c.area >= $1 AND c.area < $2 \
         AND c.collect_since <= $3 AND (c.collect_since, c.id) > ($4, $5) \
         ORDER BY c.collect_since, c.id LIMIT $6"
    )))
    .bind(from)
    .bind(to)
    .bind(until.as_ms())
    .bind(after.map_or(i64::MIN, |after| after.since.as_ms()))
    .bind(after.map(|after| after.card.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Cards that citizens of an area say they have, the oldest word first; with the second those of whom no area is known
/// before them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_taken_said(
    db: &Db,
    (area, with_unknown): (&AreaCode, bool),
    limit: i64,
) -> Result<Vec<Unclaimed>, StoreError> {
    let mut cards = Vec::new();
    for [from, to] in area_ranges(area, with_unknown) {
        let rows = sqlx::query(sql(format!(
            "SELECT {FIELDS} FROM card c {JOINS} WHERE c.taken_said_at IS NOT NULL AND c.area >= $1 AND c.area < $2 \
             ORDER BY c.taken_said_at, c.id LIMIT $3"
        )))
        .bind(from)
        .bind(to)
        .bind(limit)
        .fetch_all(db.reader())
        .await?;
        for row in &rows {
            cards.push(read(db, row)?);
        }
    }
    Ok(cards)
}

/// Unclaimed cards of one desa.
#[derive(Clone, Debug)]
pub struct DesaCount {
    /// Which desa; as far as it is known.
    pub area: Option<AreaCode>,
    /// All of them, and those that lie longer than each of three times.
    pub cards: [i64; 4],
    /// Since when the oldest lies.
    pub oldest: Timestamp,
}

/// Unclaimed cards of an area, desa by desa, by age; with the second also those of whom no area is known.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_unclaimed(
    db: &Db,
    (area, with_unknown): (&AreaCode, bool),
    until: [Timestamp; 3],
) -> Result<Vec<DesaCount>, StoreError> {
    type Row = (String, i64, i64, i64, i64, i64);
    let [first, second, third] = until.map(Timestamp::as_ms);
    let mut rows: Vec<Row> = Vec::new();
    for [from, to] in area_ranges(area, with_unknown) {
        let found = sqlx::query_as(
            "SELECT area, COUNT(*), \
             CAST(SUM(CASE WHEN collect_since <= $3 THEN 1 ELSE 0 END) AS BIGINT), \
             CAST(SUM(CASE WHEN collect_since <= $4 THEN 1 ELSE 0 END) AS BIGINT), \
             CAST(SUM(CASE WHEN collect_since <= $5 THEN 1 ELSE 0 END) AS BIGINT), MIN(collect_since) \
             FROM card WHERE collect_since IS NOT NULL AND area >= $1 AND area < $2 GROUP BY area ORDER BY area",
        )
        .bind(from)
        .bind(to)
        .bind(first)
        .bind(second)
        .bind(third)
        .fetch_all(db.reader())
        .await?;
        rows.extend(found);
    }
    let count = |(area, all, first, second, third, oldest): Row| DesaCount {
        area: AreaCode::parse(&area).ok().filter(|area| !area.plain().is_empty()),
        cards: [all, first, second, third],
        oldest: Timestamp::from_ms(oldest),
    };
    Ok(rows.into_iter().map(count).collect())
}
