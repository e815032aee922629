//! Table `delivery_round`: a courier's way on one day.

use chrono::{NaiveDate, NaiveTime};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, time};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{OfficerId, RoundId};
use crate::domain::round::RoundState;

const TABLE: &str = "delivery_round";
const COLUMNS: &str = "id, area, day, time_from, time_to, courier_id, capacity, state, made_by, made_at, \
                       announced_at, started_at, ended_at";

/// A round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Row id.
    pub id: RoundId,
    /// Where.
    pub area: AreaCode,
    /// On which day.
    pub day: NaiveDate,
    /// Start of the window.
    pub from: NaiveTime,
    /// End of the window.
    pub to: NaiveTime,
    /// Who carries the cards.
    pub courier: OfficerId,
    /// Cards at most.
    pub capacity: i64,
    /// Where it is.
    pub state: RoundState,
    /// Who planned it.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// Its citizens were told.
    pub announced_at: Option<Timestamp>,
    /// The courier took the cards.
    pub started_at: Option<Timestamp>,
    /// Closed or cancelled.
    pub ended_at: Option<Timestamp>,
}

fn read(row: &AnyRow) -> Result<Round, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let clock = |index: usize, column| parse(TABLE, column, &id, &format!("{}:00", word(index)?));
    let area = word(1)?;
    Ok(Round {
        area: if area.is_empty() {
            AreaCode::nationwide()
        } else {
            AreaCode::parse(&area).map_err(|_| corrupt(&id, "area"))?
        },
        day: parse(TABLE, "day", &id, &word(2)?)?,
        from: clock(3, "time_from")?,
        to: clock(4, "time_to")?,
        courier: parse(TABLE, "courier_id", &id, &word(5)?)?,
        capacity: row.try_get(6)?,
        state: parse(TABLE, "state", &id, &word(7)?)?,
        made_by: word(8)?,
        made_at: Timestamp::from_ms(row.try_get(9)?),
        announced_at: time(row.try_get(10)?),
        started_at: time(row.try_get(11)?),
        ended_at: time(row.try_get(12)?),
        id: parse(TABLE, "id", &id, &id)?,
    })
}

fn corrupt(id: &str, column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: TABLE,
        column,
        id: id.to_owned(),
        reason: "not a value of its kind",
    }
}

fn clock(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

/// Adds a round.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_round(conn: &mut AnyConnection, round: &Round) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO delivery_round (id, area, day, time_from, time_to, courier_id, capacity, state, \
         made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(round.id.to_string())
    .bind(round.area.plain().to_owned())
    .bind(round.day.to_string())
    .bind(clock(round.from))
    .bind(clock(round.to))
    .bind(round.courier.to_string())
    .bind(round.capacity)
    .bind(round.state.as_str())
    .bind(round.made_by.clone())
    .bind(round.made_at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what of a round changes.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn save_round(conn: &mut AnyConnection, round: &Round) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE delivery_round SET day = $2, time_from = $3, time_to = $4, courier_id = $5, capacity = $6, \
         state = $7, announced_at = $8, started_at = $9, ended_at = $10 WHERE id = $1",
    )
    .bind(round.id.to_string())
    .bind(round.day.to_string())
    .bind(clock(round.from))
    .bind(clock(round.to))
    .bind(round.courier.to_string())
    .bind(round.capacity)
    .bind(round.state.as_str())
    .bind(round.announced_at.map(Timestamp::as_ms))
    .bind(round.started_at.map(Timestamp::as_ms))
    .bind(round.ended_at.map(Timestamp::as_ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// A round, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_round(
    conn: &mut AnyConnection,
    db: &Db,
    id: RoundId,
) -> Result<Option<Round>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM delivery_round WHERE id = $1{}", db.for_update());
    let row = sqlx::query(sql(text)).bind(id.to_string()).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

/// A round.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_round(
    conn: &mut AnyConnection,
    id: RoundId,
) -> Result<Option<Round>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM delivery_round WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Rounds of an area that are still to come or under way, however old, the oldest day first. With a
/// `courier` only theirs. A page goes on behind a day and id.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_live_of(
    conn: &mut AnyConnection,
    area: &AreaCode,
    courier: Option<OfficerId>,
    after: Option<(NaiveDate, RoundId)>,
    limit: i64,
) -> Result<Vec<Round>, StoreError> {
    let [from, to] = area_range(area);
    let (day, id) = after.map(|(day, id)| (day.to_string(), id.to_string())).unwrap_or_default();
    let text = format!(
        "SELECT {COLUMNS} FROM delivery_round WHERE ended_at IS NULL AND area >= $1 AND area < $2 \
         AND ($3 = '' OR courier_id = $3) AND (day > $4 OR (day = $4 AND id > $5)) \
         ORDER BY day, id LIMIT $6"
    );
    let rows = sqlx::query(sql(text))
        .bind(from)
        .bind(to)
        .bind(courier.map(|id| id.to_string()).unwrap_or_default())
        .bind(day)
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

/// Rounds of an area that are over, those that ended last first, behind one of them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_ended_of(
    conn: &mut AnyConnection,
    area: &AreaCode,
    after: Option<(Timestamp, RoundId)>,
    limit: i64,
) -> Result<Vec<Round>, StoreError> {
    let [from, to] = area_range(area);
    let (at, id) = after.map_or((i64::MAX, String::new()), |(at, id)| (at.as_ms(), id.to_string()));
    let text = format!(
        "SELECT {COLUMNS} FROM delivery_round WHERE ended_at IS NOT NULL AND area >= $1 AND area < $2 \
         AND (ended_at < $3 OR (ended_at = $3 AND id < $4)) ORDER BY ended_at DESC, id DESC LIMIT $5"
    );
    let rows = sqlx::query(sql(text))
        .bind(from)
        .bind(to)
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

/// Rounds that are neither closed nor cancelled, of days from one to another, in their order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_live(
    conn: &mut AnyConnection,
    (since, until): (NaiveDate, NaiveDate),
    limit: i64,
) -> Result<Vec<Round>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM delivery_round WHERE ended_at IS NULL AND day >= $1 AND day <= $2 \
         ORDER BY day, id LIMIT $3"
    );
    let rows = sqlx::query(sql(text))
        .bind(since.to_string())
        .bind(until.to_string())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

/// How many cards a courier already has to bring on a day within a window.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_taken(
    conn: &mut AnyConnection,
    courier: OfficerId,
    day: NaiveDate,
    (from, to): (NaiveTime, NaiveTime),
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM delivery_round r JOIN round_item i ON i.round_id = r.id \
         WHERE r.courier_id = $1 AND r.day = $2 AND r.ended_at IS NULL AND r.time_from < $4 \
         AND r.time_to > $3 AND i.state IN ('planned', 'announced')",
    )
    .bind(courier.to_string())
    .bind(day.to_string())
    .bind(clock(from))
    .bind(clock(to))
    .fetch_one(conn)
    .await?)
}

/// How many cards a round still has to bring.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_open(conn: &mut AnyConnection, round: RoundId) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM round_item WHERE round_id = $1 AND state IN ('planned', 'announced')",
    )
    .bind(round.to_string())
    .fetch_one(conn)
    .await?)
}

/// Rounds that reach somebody who lives there and are still to come after a day: with room left,
/// the next first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_with_room(
    conn: &mut AnyConnection,
    home: &AreaCode,
    after: NaiveDate,
    limit: i64,
) -> Result<Vec<Round>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM delivery_round WHERE ended_at IS NULL AND day > $1 \
         AND state IN ('planned', 'announced') AND area = substr($2, 1, length(area)) \
         AND capacity > (SELECT COUNT(*) FROM round_item i WHERE i.round_id = delivery_round.id \
         AND i.state IN ('planned', 'announced')) ORDER BY day, id LIMIT $3"
    );
    let rows = sqlx::query(sql(text))
        .bind(after.to_string())
        .bind(home.plain().to_owned())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}
