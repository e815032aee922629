//! Cards that wait to be brought home, and what of rounds needs a hand: reads over several tables.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::{AnyConnection, Row as _};

use super::db::{Column, sql};
use super::round_item::Item;
use super::row::{area_range, parse, parse_opt};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{CardId, ItemId, PersonId, RoundId};
use crate::domain::round::{Next, Outcome};

/// Cards looked at for one plan, at most.
const MOST: i64 = 20_000;

/// A card that could be brought.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which.
    pub card: CardId,
    /// Whose.
    pub person: PersonId,
    /// Where it is on its way.
    pub status: CardStatus,
    /// Since when it waits, however often it went back.
    pub since: Timestamp,
    /// Digits of the area where its holder lives.
    pub area: String,
    /// Who has it.
    pub holder: Option<Holder>,
    /// The item before, if there was one: what follows, the attempt, and how that ended.
    pub last: Option<(ItemId, Option<Next>, i64, Option<Outcome>)>,
    /// The day its holder wished for.
    pub wish: Option<chrono::NaiveDate>,
    /// There is a number of theirs.
    pub has_phone: bool,
    /// RT.
    pub rt: String,
    /// RW.
    pub rw: String,
}

/// Printed cards of an area that are on no round, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_candidates(
    conn: &mut AnyConnection,
    db: &Db,
    area: &AreaCode,
) -> Result<Vec<Candidate>, StoreError> {
    let [from, to] = area_range(area);
    let rows = sqlx::query(
        "SELECT c.id, c.person_id, c.status, COALESCE(l.waits_since, c.status_at), c.area, h.holder, l.id, \
         l.next, l.attempt, l.outcome, l.wish_day, p.rt_sealed, p.rw_sealed, p.phone_hash FROM card c JOIN person p ON p.id = c.person_id \
         LEFT JOIN custody h ON h.card_id = c.id AND h.until_at IS NULL \
         LEFT JOIN round_item l ON l.id = (SELECT MAX(m.id) FROM round_item m WHERE m.card_id = c.id) \
         WHERE c.status IN ('printed', 'shipped') AND c.area >= $1 AND c.area < $2 \
         AND NOT EXISTS (SELECT 1 FROM round_item o WHERE o.card_id = c.id AND o.state IN ('planned', 'announced')) \
         AND NOT EXISTS (SELECT 1 FROM card n WHERE n.person_id = c.person_id AND n.document = c.document \
         AND n.serial > c.serial) ORDER BY COALESCE(l.waits_since, c.status_at), c.id LIMIT $3",
    )
    .bind(from)
    .bind(to)
    .bind(MOST)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Candidate, StoreError> {
    let id: String = row.try_get(0)?;
    let person: String = row.try_get(1)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let maybe = |index: usize| row.try_get::<Option<String>, _>(index);
    let open = |column, index: usize| -> Result<String, StoreError> {
        let sealed = maybe(index)?;
        let place = Place { table: "person", column };
        let plain = sealed.map(|sealed| db.sealer.open(place, &person, &sealed)).transpose()?;
        Ok(plain.unwrap_or_default())
    };
    let last = match maybe(6)? {
        Some(item) => Some((
            parse("round_item", "id", &item, &item)?,
            parse_opt("round_item", "next", &item, maybe(7)?.as_deref())?,
            row.try_get(8)?,
            parse_opt("round_item", "outcome", &item, maybe(9)?.as_deref())?,
        )),
        None => None,
    };
    Ok(Candidate {
        status: parse("card", "status", &id, &word(2)?)?,
        since: Timestamp::from_ms(row.try_get(3)?),
        area: word(4)?,
        holder: parse_opt("custody", "holder", &id, maybe(5)?.as_deref())?,
        last,
        wish: parse_opt("round_item", "wish_day", &id, maybe(10)?.as_deref())?,
        rt: open("rt_sealed", 11)?,
        rw: open("rw_sealed", 12)?,
        has_phone: maybe(13)?.is_some(),
        person: parse("card", "person_id", &id, &person)?,
        card: parse("card", "id", &id, &id)?,
    })
}

/// Of these cards those that can be put onto a round, with who has each: printed, and on none. Nobody
/// else puts one onto a round, or hands it over, before the transaction ends.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_free(
    conn: &mut AnyConnection,
    db: &Db,
    cards: &[CardId],
) -> Result<HashMap<CardId, Option<Holder>>, StoreError> {
    let ids: Vec<_> = cards.iter().map(|id| json!({ "id": id.to_string() })).collect();
    let ids = Value::Array(ids).to_string();
    let wanted = db.rows(1, "r", &[Column::Text("id")]);
    // In the order of ids, so that two who plan at once wait for one another and not both forever.
    // What they wrote meanwhile only the statement after this one sees.
    sqlx::query(sql(format!(
        "SELECT id FROM card WHERE id IN (SELECT r.id FROM {wanted}) ORDER BY id{}",
        db.for_update()
    )))
    .bind(ids.clone())
    .fetch_all(&mut *conn)
    .await?;
    // The status is looked at here and not there: an index by it would be walked instead of the ids.
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(sql(format!(
        "SELECT c.id, c.status, h.holder FROM card c \
         LEFT JOIN custody h ON h.card_id = c.id AND h.until_at IS NULL \
         WHERE c.id IN (SELECT r.id FROM {wanted}) AND NOT EXISTS \
         (SELECT 1 FROM round_item o WHERE o.card_id = c.id AND o.state IN ('planned', 'announced'))"
    )))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let mut free = HashMap::with_capacity(rows.len());
    for (id, status, holder) in &rows {
        let status: CardStatus = parse("card", "status", id, status)?;
        if matches!(status, CardStatus::Printed | CardStatus::Shipped) {
            let holder = parse_opt("custody", "holder", id, holder.as_deref())?;
            free.insert(parse("card", "id", id, id)?, holder);
        }
    }
    Ok(free)
}

/// Puts cards onto rounds, many in one statement; those that are on another one stay there. Gives how many it put.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_items(
    conn: &mut AnyConnection,
    db: &Db,
    items: &[Item],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let values = items.iter().map(|item| {
        json!({
            "id": item.id.to_string(), "round": item.round.to_string(), "card": item.card.to_string(),
            "person": item.person.to_string(), "position": item.position, "attempt": item.attempt,
            "state": item.state.as_str(), "origin": item.origin.to_string(),
            "before": item.before.as_str(), "waits": item.waits_since.map(Timestamp::as_ms),
            "wish": item.wish.map(|day| day.to_string()),
        })
    });
    let columns = [
        Column::Text("id"),
        Column::Text("round"),
        Column::Text("card"),
        Column::Text("person"),
        Column::Int("position"),
        Column::Int("attempt"),
        Column::Text("state"),
        Column::Text("origin"),
        Column::Text("before"),
        Column::Int("waits"),
        Column::Text("wish"),
    ];
    // "WHERE true" tells SQLite's parser that ON belongs to the INSERT and not to a join.
    let done = sqlx::query(sql(format!(
        "INSERT INTO round_item (id, round_id, card_id, person_id, position, attempt, state, origin, \
         before_status, waits_since, wish_day, wrong_codes, version, updated_at) \
         SELECT n.id, n.round, n.card, n.person, n.position, n.attempt, n.state, n.origin, n.before, \
         n.waits, n.wish, 0, 1, CAST($2 AS BIGINT) FROM {} WHERE true \
         ON CONFLICT (card_id) WHERE state IN ('planned', 'announced') DO NOTHING",
        db.rows(1, "n", &columns)
    )))
    .bind(Value::Array(values.collect()).to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Notes of visits that what was to follow them followed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn follow(
    conn: &mut AnyConnection,
    db: &Db,
    items: &[ItemId],
    now: Timestamp,
) -> Result<(), StoreError> {
    let ids: Vec<_> = items.iter().map(|id| json!({ "id": id.to_string() })).collect();
    sqlx::query(sql(format!(
        "UPDATE round_item SET next_done_at = $2, updated_at = $2, version = version + 1 \
         WHERE id IN (SELECT r.id FROM {}) AND next_done_at IS NULL",
        db.rows(1, "r", &[Column::Text("id")])
    )))
    .bind(Value::Array(ids).to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a holder was told of a day for their card since a moment, as far as we know.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_told(
    conn: &mut AnyConnection,
    card: CardId,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let found: Option<(String,)> = sqlx::query_as(
        "SELECT id FROM message WHERE card_id = $1 \
         AND template IN ('home_delivery_scheduled', 'home_delivery_moved') AND created_at >= $2 AND status NOT IN ('queued', 'cancelled', 'failed', 'expired') LIMIT 1",
    )
    .bind(card.to_string())
    .bind(since.as_ms())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Whether the code last told of a card was withdrawn before it left.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_code_withdrawn(
    conn: &mut AnyConnection,
    card: CardId,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let last: Option<(String,)> = sqlx::query_as(
        "SELECT status FROM message WHERE card_id = $1 AND template = 'home_delivery_code' \
         AND created_at >= $2 ORDER BY id DESC LIMIT 1",
    )
    .bind(card.to_string())
    .bind(since.as_ms())
    .fetch_optional(conn)
    .await?;
    Ok(last.is_some_and(|(status,)| status == "cancelled"))
}

/// Items of a round whose code is still to be told.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_without_code(
    conn: &mut AnyConnection,
    round: RoundId,
    limit: i64,
) -> Result<Vec<ItemId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM round_item WHERE round_id = $1 AND state = 'announced' AND code_at IS NULL \
         ORDER BY position, id LIMIT $2",
    )
    .bind(round.to_string())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(id,)| parse("round_item", "id", id, id)).collect()
}

/// What somebody should look at: counts for an area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// Printed cards that nobody has in their hands, a thousand at most.
    pub nobodys: i64,
    /// Cards that a courier still has though the day is over.
    pub kept: i64,
    /// Items that five wrong codes locked.
    pub locked: i64,
    /// Reports that contradict what is on file.
    pub conflicts: i64,
    /// People of whom a desa is asked where they live, or how to reach them.
    pub questions: i64,
    /// Rounds whose day is over and that nobody ended.
    pub stale: i64,
    /// Cards that were not where a courier should have taken them from.
    pub missing: i64,
    /// Cards wished for tomorrow or earlier that no round brings.
    pub wishes: i64,
}

impl Alarms {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.nobodys
            + self.kept
            + self.locked
            + self.conflicts
            + self.questions
            + self.stale
            + self.missing
            + self.wishes
    }
}

/// Counts what needs a hand in an area; `today` tells which days are over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_alarms(
    conn: &mut AnyConnection,
    area: &AreaCode,
    today: chrono::NaiveDate,
) -> Result<Alarms, StoreError> {
    // An office that brings no cards home need not say where each of them lies.
    const COUNTS: [&str; 8] = [
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM (SELECT 1 AS one FROM delivery_round LIMIT 1) AS any_round \
         CROSS JOIN card k WHERE k.held_at IS NULL \
         AND NOT (k.status NOT IN ('printed', 'shipped', 'home_delivery_scheduled', 'ready_to_collect')) \
         AND k.area >= $1 AND k.area < $2 AND $3 <> '' LIMIT 1000) AS few",
        // Beside couriers only those have a card whose word begins with another letter, in whatever order letters go.
        "SELECT COUNT(*) FROM custody c JOIN card k ON k.id = c.card_id \
         WHERE c.until_at IS NULL AND c.holder > 'courier' AND c.holder < 'd' AND k.area >= $1 AND k.area < $2 \
         AND NOT EXISTS (SELECT 1 FROM round_item i JOIN delivery_round r ON r.id = i.round_id \
         WHERE i.card_id = c.card_id AND r.ended_at IS NULL AND r.day >= $3)",
        "SELECT COUNT(*) FROM round_item i JOIN delivery_round r ON r.id = i.round_id \
         WHERE r.ended_at IS NULL AND r.area >= $1 AND r.area < $2 AND $3 <> '' \
         AND i.wrong_codes >= 5 AND i.state IN ('planned', 'announced', 'failed')",
        "SELECT COUNT(*) FROM round_report p JOIN delivery_round r ON r.id = p.round_id \
         WHERE r.area >= $1 AND r.area < $2 AND $3 <> '' AND p.result = 'conflict' AND p.settled_at IS NULL",
        "SELECT COUNT(*) FROM round_item i JOIN card c ON c.id = i.card_id \
         WHERE i.next IN ('ask_desa', 'not_reached') \
         AND i.next_done_at IS NULL AND c.area >= $1 AND c.area < $2 AND $3 <> ''",
        "SELECT COUNT(*) FROM delivery_round r WHERE r.ended_at IS NULL AND r.area >= $1 AND r.area < $2 \
         AND r.day < $3",
        "SELECT COUNT(*) FROM round_item i JOIN card c ON c.id = i.card_id WHERE i.next = 'again' \
         AND i.next_done_at IS NULL AND i.missing_at IS NOT NULL AND c.area >= $1 AND c.area < $2 AND $3 <> ''",
        "SELECT COUNT(*) FROM round_item i JOIN card c ON c.id = i.card_id WHERE i.next = 'day' \
         AND i.next_done_at IS NULL AND c.area >= $1 AND c.area < $2 AND i.wish_day <= $4 AND $3 <> ''",
    ];
    let [from, to] = area_range(area);
    let tomorrow = today.checked_add_days(chrono::Days::new(1)).unwrap_or(today).to_string();
    let mut found = [0; 8];
    for (statement, count) in COUNTS.into_iter().zip(&mut found) {
        let query = sqlx::query_scalar(statement)
            .bind(from.clone())
            .bind(to.clone())
            .bind(today.to_string());
        let query = if statement.contains("$4") { query.bind(tomorrow.clone()) } else { query };
        *count = query.fetch_one(&mut *conn).await?;
    }
    let [nobodys, kept, locked, conflicts, questions, stale, missing, wishes] = found;
    Ok(Alarms { nobodys, kept, locked, conflicts, questions, stale, missing, wishes })
}

/// Rounds of an area in which something needs a hand, the oldest first: past their day and not
/// ended, locked, contradicted, or with a card that was missing.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_alarmed(
    conn: &mut AnyConnection,
    area: &AreaCode,
    today: chrono::NaiveDate,
    limit: i64,
) -> Result<Vec<(RoundId, chrono::NaiveDate)>, StoreError> {
    let [from, to] = area_range(area);
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT r.id, r.day FROM delivery_round r WHERE r.area >= $1 AND r.area < $2 \
         AND ((r.ended_at IS NULL AND r.day < $3) \
         OR r.id IN (SELECT p.round_id FROM round_report p WHERE p.result = 'conflict' AND p.settled_at IS NULL) \
         OR r.id IN (SELECT i.round_id FROM round_item i WHERE i.next = 'again' AND i.next_done_at IS NULL \
         AND i.missing_at IS NOT NULL) \
         OR (r.ended_at IS NULL AND EXISTS (SELECT 1 FROM round_item i WHERE i.round_id = r.id \
         AND i.wrong_codes >= 5 AND i.state IN ('planned', 'announced', 'failed')))) \
         ORDER BY r.day, r.id LIMIT $4",
    )
    .bind(from)
    .bind(to)
    .bind(today.to_string())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|(id, day)| {
            let table = "delivery_round";
            Ok((parse(table, "id", id, id)?, parse(table, "day", id, day)?))
        })
        .collect()
}

/// How many items of each state and outcome a round has.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_states(
    conn: &mut AnyConnection,
    round: RoundId,
) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT state, COUNT(*) FROM round_item WHERE round_id = $1 GROUP BY state ORDER BY state",
    )
    .bind(round.to_string())
    .fetch_all(conn)
    .await?)
}
