//! Table `broadcast`: notices to many, and their way from a draft to their end.
//!
//! Moves are decided above; every write here takes the row as its reader held it, locked.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, parse_opt, time};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::attachment::Attachment;
use crate::domain::audience::Audience;
use crate::domain::broadcast::{Alarm, BroadcastState, Notice, Schedule};
use crate::domain::clock::Timestamp;
use crate::domain::id::BroadcastId;
use crate::domain::officer::{Actor, OfficerRole};
use crate::domain::timetable::Timetable;

const TABLE: &str = "broadcast";
const COLUMNS: &str = "id, state, title, body, place, time_words, audience, schedule, area, maker, maker_role, \
                       maker_area, checker, checked_at, note, recipients, alarm, alarm_code, next_at, file_hash, \
                       file_kind, file_name, \
                       created_at, updated_at";

/// A broadcast.
#[derive(Clone, Debug)]
pub struct Broadcast {
    /// Row id.
    pub id: BroadcastId,
    /// Where it is in its life.
    pub state: BroadcastState,
    /// What it says.
    pub notice: Notice,
    /// The picture or the PDF that it brings.
    pub attachment: Option<Attachment>,
    /// Whom it is for.
    pub audience: Audience,
    /// When it goes out.
    pub schedule: Schedule,
    /// The smallest area that holds its audience.
    pub area: AreaCode,
    /// Who wrote or changed it last.
    pub maker: Actor,
    /// The second person who agreed.
    pub checker: Option<String>,
    /// When they did.
    pub checked_at: Option<Timestamp>,
    /// Why it was sent back.
    pub note: Option<String>,
    /// How many it would reach, counted when it was submitted.
    pub recipients: Option<u64>,
    /// Why it holds itself.
    pub alarm: Option<Alarm>,
    /// The provider's code.
    pub alarm_code: Option<String>,
    /// When it goes out next.
    pub next_at: Option<Timestamp>,
    /// First written.
    pub created_at: Timestamp,
    /// Last changed.
    pub updated_at: Timestamp,
}

fn read(row: &AnyRow) -> Result<Broadcast, StoreError> {
    let id: String = row.try_get("id")?;
    let word = |column: &'static str| row.try_get::<String, _>(column);
    let words = |column: &'static str| row.try_get::<Option<String>, _>(column);
    let ms = |column: &'static str| row.try_get::<Option<i64>, _>(column);
    let audience = serde_json::from_str(&word("audience")?).ok();
    let maker = Actor {
        id: word("maker")?,
        role: parse(TABLE, "maker_role", &id, &word("maker_role")?)?,
        area: stored_area(&id, "maker_area", &word("maker_area")?)?,
    };
    Ok(Broadcast {
        state: parse(TABLE, "state", &id, &word("state")?)?,
        notice: Notice {
            title: word("title")?,
            text: word("body")?,
            place: words("place")?,
            time: words("time_words")?,
        },
        attachment: match (words("file_hash")?, words("file_kind")?, words("file_name")?) {
            (Some(hash), Some(kind), Some(name)) => {
                Some(Attachment { kind: parse(TABLE, "file_kind", &id, &kind)?, hash, name })
            }
            _ => None,
        },
        audience: audience
            .and_then(|value| Audience::parse(&value).ok())
            .ok_or_else(|| corrupt(&id, "audience"))?,
        schedule: parse_schedule(&word("schedule")?).ok_or_else(|| corrupt(&id, "schedule"))?,
        area: stored_area(&id, "area", &word("area")?)?,
        maker,
        checker: words("checker")?,
        checked_at: time(ms("checked_at")?),
        note: words("note")?,
        recipients: ms("recipients")?.map(|count| u64::try_from(count).unwrap_or(0)),
        alarm: parse_opt(TABLE, "alarm", &id, words("alarm")?.as_deref())?,
        alarm_code: words("alarm_code")?,
        next_at: time(ms("next_at")?),
        created_at: Timestamp::from_ms(row.try_get("created_at")?),
        updated_at: Timestamp::from_ms(row.try_get("updated_at")?),
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

/// Areas stand as digits, which compare the same everywhere; none at all is the whole country.
fn stored_area(id: &str, column: &'static str, digits: &str) -> Result<AreaCode, StoreError> {
    if digits.is_empty() { Ok(AreaCode::nationwide()) } else { parse(TABLE, column, id, digits) }
}

fn stored_schedule(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Now => "now".to_owned(),
        Schedule::At(at) => format!("at:{}", at.as_ms()),
        Schedule::Timetable(timetable) => format!("cron:{timetable}"),
    }
}

fn parse_schedule(stored: &str) -> Option<Schedule> {
    match stored.split_once(':') {
        None => (stored == "now").then_some(Schedule::Now),
        Some(("at", ms)) => ms.parse().ok().map(|ms| Schedule::At(Timestamp::from_ms(ms))),
        Some(("cron", line)) => Timetable::parse(line).ok().map(Schedule::Timetable),
        Some(_) => None,
    }
}

/// Adds a broadcast.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_broadcast(tx: &mut AnyConnection, new: &Broadcast) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO broadcast (id, state, title, body, audience, schedule, area, maker, maker_role, maker_area, \
         created_at, updated_at) VALUES ($1, $2, '', '', '{}', 'now', '', '', $3, '', $4, $4)",
    )
    .bind(new.id.to_string())
    .bind(new.state.as_str())
    .bind(OfficerRole::Desa.as_str())
    .bind(new.created_at.as_ms())
    .execute(&mut *tx)
    .await?;
    update_broadcast(tx, new).await
}

/// Writes all that may change of a broadcast that the caller has locked.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn update_broadcast(
    tx: &mut AnyConnection,
    changed: &Broadcast,
) -> Result<(), StoreError> {
    let recipients = changed.recipients.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    sqlx::query(
        "UPDATE broadcast SET state = $2, title = $3, body = $4, place = $5, time_words = $6, audience = $7, \
         schedule = $8, area = $9, maker = $10, maker_role = $11, maker_area = $12, checker = $13, \
         checked_at = $14, note = $15, recipients = $16, alarm = $17, alarm_code = $18, next_at = $19, \
         updated_at = $20, file_hash = $21, file_kind = $22, file_name = $23 WHERE id = $1",
    )
    .bind(changed.id.to_string())
    .bind(changed.state.as_str())
    .bind(changed.notice.title.clone())
    .bind(changed.notice.text.clone())
    .bind(changed.notice.place.clone())
    .bind(changed.notice.time.clone())
    .bind(changed.audience.to_json().to_string())
    .bind(stored_schedule(&changed.schedule))
    .bind(changed.area.plain().to_owned())
    .bind(changed.maker.id.clone())
    .bind(changed.maker.role.as_str())
    .bind(changed.maker.area.plain().to_owned())
    .bind(changed.checker.clone())
    .bind(changed.checked_at.map(Timestamp::as_ms))
    .bind(changed.note.clone())
    .bind(recipients)
    .bind(changed.alarm.map(Alarm::as_str))
    .bind(changed.alarm_code.clone())
    .bind(changed.next_at.map(Timestamp::as_ms))
    .bind(changed.updated_at.as_ms())
    .bind(changed.attachment.as_ref().map(|file| file.hash.clone()))
    .bind(changed.attachment.as_ref().map(|file| file.kind.as_str()))
    .bind(changed.attachment.as_ref().map(|file| file.name.clone()))
    .execute(tx)
    .await?;
    Ok(())
}

/// A broadcast, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_broadcast(
    tx: &mut AnyConnection,
    db: &Db,
    id: BroadcastId,
) -> Result<Option<Broadcast>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM broadcast WHERE id = $1{}", db.for_update());
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(tx).await?;
    row.as_ref().map(read).transpose()
}

/// A broadcast.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_broadcast(db: &Db, id: BroadcastId) -> Result<Option<Broadcast>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM broadcast WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Broadcasts whose whole audience lies in an area, newest first, before a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_broadcasts(
    db: &Db,
    within: &AreaCode,
    before: Option<BroadcastId>,
    limit: i64,
) -> Result<Vec<Broadcast>, StoreError> {
    let [from, to] = area_range(within);
    let statement = format!(
        "SELECT {COLUMNS} FROM broadcast WHERE id < $1 AND area >= $2 AND area < $3 ORDER BY id DESC LIMIT $4"
    );
    let rows = sqlx::query(sql(statement))
        .bind(before.map_or_else(|| "~".to_owned(), |id| id.to_string()))
        .bind(from)
        .bind(to)
        .bind(limit)
        .fetch_all(db.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// Broadcasts whose time has come.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_due(db: &Db, now: Timestamp) -> Result<Vec<BroadcastId>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM broadcast WHERE next_at <= $1 AND state IN ('scheduled', 'sending') ORDER BY next_at LIMIT 50",
    )
    .bind(now.as_ms())
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|id| parse(TABLE, "id", id, id)).collect()
}

/// Whether somebody ever wrote or changed a broadcast.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_written(
    tx: &mut AnyConnection,
    id: BroadcastId,
    who: &str,
) -> Result<bool, StoreError> {
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM audit WHERE object = $1 AND who = $2 AND action = 'wrote_broadcast'",
    )
    .bind(id.to_string())
    .bind(who.to_owned())
    .fetch_one(tx)
    .await?;
    Ok(found > 0)
}
