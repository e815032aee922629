//! Table `appointment`: who has which place of a session, or waits for one.
//!
//! What somebody lacked and the name told at the counter are sealed. Who writes a place holds its session.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, parse_opt, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::appointment::{AppointmentCode, AppointmentState, Entry, Origin, Tell};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{AppointmentId, ContactId, OutageId, PersonId, ServiceSessionId};

const TABLE: &str = "appointment";
const COLUMNS: &str = "id, code, session_id, service, origin, contact_id, person_id, who_sealed, lacks_sealed, \
                       seat, comes, state, tell, reminded_at, made_at, made_by, ended_at, ended_by";

/// What a place in a session is read from.
const ENTRY_COLUMNS: &str = "id, origin, contact_id, service, seat, comes, state";

const fn place(column: &'static str) -> Place {
    Place { table: TABLE, column }
}

/// An appointment.
#[derive(Clone, PartialEq, Eq)]
pub struct Appointment {
    /// Row id.
    pub id: AppointmentId,
    /// What citizens and officers call it.
    pub code: AppointmentCode,
    /// In which session.
    pub session: ServiceSessionId,
    /// What for: the label of an answer.
    pub service: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whose chat.
    pub contact: Option<ContactId>,
    /// Whom the chat belongs to, where that is one person.
    pub person: Option<PersonId>,
    /// A name told at the counter.
    pub who: Option<String>,
    /// What they did not have when they asked.
    pub lacks: Vec<String>,
    /// Which place.
    pub seat: Option<i64>,
    /// When they were told to come.
    pub comes: Option<NaiveTime>,
    /// Where it is.
    pub state: AppointmentState,
    /// What they are still to be told.
    pub tell: Option<Tell>,
    /// When the reminder was dealt with.
    pub reminded_at: Option<Timestamp>,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom: chat, or an officer.
    pub made_by: String,
    /// When it left waiting or booked.
    pub ended_at: Option<Timestamp>,
    /// By whose word.
    pub ended_by: Option<String>,
}

impl std::fmt::Debug for Appointment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Appointment({}, {}, {})", self.id, self.code, self.state)
    }
}

fn corrupt(id: &str, column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: TABLE,
        column,
        id: id.to_owned(),
        reason: "not a value of its kind",
    }
}

fn clock(id: &str, text: Option<String>) -> Result<Option<NaiveTime>, StoreError> {
    parse_opt(TABLE, "comes", id, text.map(|text| format!("{text}:00")).as_deref())
}

fn read(db: &Db, row: &AnyRow) -> Result<Appointment, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let text = |index: usize| row.try_get::<Option<String>, _>(index);
    let who =
        text(7)?.map(|sealed| db.sealer.open(place("who_sealed"), &id, &sealed)).transpose()?;
    let lacks = db.sealer.open(place("lacks_sealed"), &id, &word(8)?)?;
    Ok(Appointment {
        code: parse(TABLE, "code", &id, &word(1)?)?,
        session: parse(TABLE, "session_id", &id, &word(2)?)?,
        service: word(3)?,
        origin: parse(TABLE, "origin", &id, &word(4)?)?,
        contact: parse_opt(TABLE, "contact_id", &id, text(5)?.as_deref())?,
        person: parse_opt(TABLE, "person_id", &id, text(6)?.as_deref())?,
        who,
        lacks: serde_json::from_str(&lacks).map_err(|_| corrupt(&id, "lacks_sealed"))?,
        seat: row.try_get(9)?,
        comes: clock(&id, text(10)?)?,
        state: parse(TABLE, "state", &id, &word(11)?)?,
        tell: parse_opt(TABLE, "tell", &id, text(12)?.as_deref())?,
        reminded_at: time(row.try_get(13)?),
        made_at: Timestamp::from_ms(row.try_get(14)?),
        made_by: word(15)?,
        ended_at: time(row.try_get(16)?),
        ended_by: text(17)?,
        id: parse(TABLE, "id", &id, &id)?,
    })
}

/// Whether an appointment that is still to come has that code.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_code_taken(
    conn: &mut AnyConnection,
    code: &AppointmentCode,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM appointment WHERE code = $1 AND state IN ('waiting', 'booked')",
    )
    .bind(code.as_str().to_owned())
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// Keeps an appointment.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_appointment(
    conn: &mut AnyConnection,
    db: &Db,
    new: &Appointment,
) -> Result<(), StoreError> {
    let id = new.id.to_string();
    let who =
        new.who.as_ref().map(|who| db.sealer.seal(place("who_sealed"), &id, who)).transpose()?;
    let lacks = serde_json::to_string(&new.lacks).map_err(|_| corrupt(&id, "lacks_sealed"))?;
    sqlx::query(
        "INSERT INTO appointment (id, code, session_id, service, origin, contact_id, person_id, who_sealed, \
         lacks_sealed, seat, comes, state, made_at, made_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(id.clone())
    .bind(new.code.as_str().to_owned())
    .bind(new.session.to_string())
    .bind(new.service.clone())
    .bind(new.origin.as_str())
    .bind(new.contact.map(|contact| contact.to_string()))
    .bind(new.person.map(|person| person.to_string()))
    .bind(who)
    .bind(db.sealer.seal(place("lacks_sealed"), &id, &lacks)?)
    .bind(new.seat)
    .bind(new.comes.map(|comes| comes.format("%H:%M").to_string()))
    .bind(new.state.as_str())
    .bind(new.made_at.as_ms())
    .bind(new.made_by.clone())
    .execute(conn)
    .await?;
    Ok(())
}

/// Everything on a session, as far as its places go.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_entries(
    conn: &mut AnyConnection,
    session: ServiceSessionId,
) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {ENTRY_COLUMNS} FROM appointment \
         WHERE session_id = $1 AND state IN ('waiting', 'booked', 'served') ORDER BY id"
    )))
    .bind(session.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(read_entry).collect()
}

fn read_entry(row: &AnyRow) -> Result<Entry, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let text = |index: usize| row.try_get::<Option<String>, _>(index);
    Ok(Entry {
        origin: parse(TABLE, "origin", &id, &word(1)?)?,
        contact: parse_opt(TABLE, "contact_id", &id, text(2)?.as_deref())?,
        service: word(3)?,
        seat: row.try_get(4)?,
        comes: clock(&id, text(5)?)?,
        state: parse(TABLE, "state", &id, &word(6)?)?,
        id: parse(TABLE, "id", &id, &id)?,
    })
}

/// The same of several sessions, by their ids.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_entries_of(
    conn: &mut AnyConnection,
    sessions: &[ServiceSessionId],
) -> Result<BTreeMap<ServiceSessionId, Vec<Entry>>, StoreError> {
    let mut all: BTreeMap<ServiceSessionId, Vec<Entry>> = BTreeMap::new();
    if sessions.is_empty() {
        return Ok(all);
    }
    let places: Vec<String> = (1..=sessions.len()).map(|n| format!("${n}")).collect();
    let statement = format!(
        "SELECT {ENTRY_COLUMNS}, session_id FROM appointment WHERE session_id IN ({}) \
         AND state IN ('waiting', 'booked', 'served') ORDER BY id",
        places.join(", ")
    );
    let mut query = sqlx::query(sql(statement));
    for session in sessions {
        query = query.bind(session.to_string());
    }
    for row in query.fetch_all(conn).await? {
        let session: String = row.try_get(7)?;
        let session = parse(TABLE, "session_id", &session, &session)?;
        all.entry(session).or_default().push(read_entry(&row)?);
    }
    Ok(all)
}

/// Everything on a session, for those who may see it: by the time to come, then the line.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_of_session(
    conn: &mut AnyConnection,
    db: &Db,
    session: ServiceSessionId,
) -> Result<Vec<Appointment>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM appointment WHERE session_id = $1 \
         ORDER BY CASE WHEN comes IS NULL THEN 1 ELSE 0 END, comes, id"
    )))
    .bind(session.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// An appointment.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_appointment(
    conn: &mut AnyConnection,
    db: &Db,
    id: AppointmentId,
) -> Result<Option<Appointment>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM appointment WHERE id = $1");
    let row = sqlx::query(sql(statement)).bind(id.to_string()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// The appointment of that code: the one that is still to come, else the last that was.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_code(
    conn: &mut AnyConnection,
    db: &Db,
    code: &AppointmentCode,
) -> Result<Option<Appointment>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM appointment WHERE code = $1 \
         ORDER BY CASE WHEN state IN ('waiting', 'booked') THEN 0 ELSE 1 END, id DESC LIMIT 1"
    );
    let row =
        sqlx::query(sql(statement)).bind(code.as_str().to_owned()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// What a chat has that is still to come, in the order in which it was made.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_open_of(
    conn: &mut AnyConnection,
    db: &Db,
    contact: ContactId,
) -> Result<Vec<Appointment>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM appointment WHERE contact_id = $1 AND state IN ('waiting', 'booked') \
         ORDER BY id LIMIT 20"
    )))
    .bind(contact.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// How often a chat did not come since then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_missed(
    conn: &mut AnyConnection,
    contact: ContactId,
    since: Timestamp,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM appointment WHERE contact_id = $1 AND state = 'no_show' AND ended_at > $2",
    )
    .bind(contact.to_string())
    .bind(since.as_ms())
    .fetch_one(conn)
    .await?)
}

/// Writes where an appointment is: its place, its state, and when and by whose word it ended.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_state(
    conn: &mut AnyConnection,
    entry: &Entry,
    tell: Option<Tell>,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_over = !entry.state.is_open();
    sqlx::query(
        "UPDATE appointment SET seat = $2, comes = $3, state = $4, tell = $5, ended_at = $6, ended_by = $7 \
         WHERE id = $1",
    )
    .bind(entry.id.to_string())
    .bind(entry.seat)
    .bind(entry.comes.map(|comes| comes.format("%H:%M").to_string()))
    .bind(entry.state.as_str())
    .bind(tell.map(Tell::as_str))
    .bind(is_over.then(|| now.as_ms()))
    .bind(is_over.then(|| by.to_owned()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes why an appointment alone was called off and not its session.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_off_because(
    conn: &mut AnyConnection,
    id: AppointmentId,
    because: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE appointment SET off_because = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(because.to_owned())
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives out the places of a session anew, to those who keep one.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_seats(
    conn: &mut AnyConnection,
    session: ServiceSessionId,
    entries: &[Entry],
) -> Result<(), StoreError> {
    // All at once could give somebody a place that another has not left yet.
    sqlx::query("UPDATE appointment SET seat = NULL WHERE session_id = $1 AND state IN ('booked', 'served')")
        .bind(session.to_string())
        .execute(&mut *conn)
        .await?;
    for entry in entries.iter().filter(|entry| entry.state.takes_seat()) {
        sqlx::query("UPDATE appointment SET seat = $2 WHERE id = $1")
            .bind(entry.id.to_string())
            .bind(entry.seat)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Notes that somebody who waited got a place.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_moved(
    conn: &mut AnyConnection,
    id: AppointmentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE appointment SET moved_at = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(now.as_ms())
        .execute(conn)
        .await?;
    Ok(())
}

/// Those of a session who got a place after they had waited for one, and whom no message of theirs told so; its key is
/// that prefix and the appointment's id.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_unheard(
    conn: &mut AnyConnection,
    session: ServiceSessionId,
    prefix: &str,
) -> Result<Vec<AppointmentId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT a.id FROM appointment a WHERE a.session_id = $1 AND a.moved_at IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM message m WHERE m.idem_key = $2 || a.id AND m.status IN ('sent', 'delivered', 'read'))",
    )
    .bind(session.to_string())
    .bind(prefix.to_owned())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(id,)| parse(TABLE, "id", id, id)).collect()
}

/// What there is to do for appointments, so that nothing is held where there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Somebody is still to be told something.
    pub is_untold: bool,
    /// Somebody is to be reminded.
    pub is_due: bool,
    /// An outage runs, or is over and somebody has not heard so.
    pub is_hindered: bool,
}

/// A booked appointment of whose session its holder is to be reminded by `$1`, and was not. Whom an outage keeps away is
/// told to come once it is over.
const DUE: &str = "state = 'booked' AND reminded_at IS NULL AND session_id IN \
    (SELECT id FROM service_session WHERE settled_at IS NULL AND closed_at IS NULL \
    AND remind_at <= $1 AND begins_at > $1) AND NOT EXISTS (SELECT 1 FROM outage_appointment o \
    WHERE o.appointment_id = appointment.id AND o.over_at IS NULL)";

/// Looks for it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_work(db: &Db, now: Timestamp) -> Result<Work, StoreError> {
    let row: (i64, i64, i64) = sqlx::query_as(sql(format!(
        "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM appointment WHERE tell IS NOT NULL) THEN 1 ELSE 0 END AS BIGINT), \
         CAST(CASE WHEN EXISTS (SELECT 1 FROM appointment WHERE {DUE}) THEN 1 ELSE 0 END AS BIGINT), \
         CAST(CASE WHEN EXISTS (SELECT 1 FROM outage WHERE lifted_at IS NULL) OR EXISTS \
         (SELECT 1 FROM outage_appointment WHERE over_at IS NULL) THEN 1 ELSE 0 END AS BIGINT)"
    )))
    .bind(now.as_ms())
    .fetch_one(db.reader())
    .await?;
    Ok(Work { is_untold: row.0 == 1, is_due: row.1 == 1, is_hindered: row.2 == 1 })
}

/// Those who are still to be told something, the oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_untold(
    conn: &mut AnyConnection,
    db: &Db,
    limit: i64,
) -> Result<Vec<Appointment>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM appointment WHERE tell IS NOT NULL ORDER BY id LIMIT $1{}",
        db.for_update()
    )))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// They were told, or cannot be.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_told(conn: &mut AnyConnection, id: AppointmentId) -> Result<(), StoreError> {
    sqlx::query("UPDATE appointment SET tell = NULL WHERE id = $1")
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// Booked appointments that their holders are to be reminded of by now, and were not.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_to_remind(
    conn: &mut AnyConnection,
    db: &Db,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Appointment>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM appointment WHERE {DUE} ORDER BY id LIMIT $2"
    )))
    .bind(now.as_ms())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Takes the reminder of an appointment; `false` when somebody did before, or it is not booked any more.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_reminder(
    conn: &mut AnyConnection,
    id: AppointmentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE appointment SET reminded_at = $2 WHERE id = $1 AND reminded_at IS NULL AND state = 'booked'",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Booked appointments of an outage's area whose sessions begin before then, and that were not looked at for it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_for_outage(
    conn: &mut AnyConnection,
    db: &Db,
    (outage, area): (OutageId, &AreaCode),
    (now, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Appointment>, StoreError> {
    let [from, to] = area_range(area);
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM appointment WHERE state = 'booked' AND session_id IN \
         (SELECT id FROM service_session WHERE settled_at IS NULL AND closed_at IS NULL AND ends_at > $1 \
          AND begins_at < $2 AND area >= $3 AND area < $4) AND NOT EXISTS \
         (SELECT 1 FROM outage_appointment o WHERE o.appointment_id = appointment.id AND o.outage_id = $5) \
         ORDER BY id LIMIT $6"
    )))
    .bind(now.as_ms())
    .bind(until.as_ms())
    .bind(from)
    .bind(to)
    .bind(outage.to_string())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_come_reads_back() {
        let id = "apt_1";
        let eight = NaiveTime::from_hms_opt(8, 5, 0);
        assert_eq!(clock(id, Some("08:05".to_owned())).unwrap(), eight);
        assert_eq!(clock(id, None).unwrap(), None);
        assert!(clock(id, Some("pagi".to_owned())).is_err());
    }
}
