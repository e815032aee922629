//! Visits without queueing: sessions are laid out and called off, places are given out in chats and at counters, and
//! those who have one are reminded.
//!
//! Who gets which place is `domain::appointment`'s; here a session is held while its roll changes, and what changed is
//! written with who is to be told of it in one transaction.

mod chat;
pub(in crate::service) mod closing;
mod desk;
mod outage;
mod plan;
mod session;
mod step;
mod tell;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use self::closing::Calendars;
use super::{App, ServiceError, announce};
use crate::domain::appointment::{
    AppointmentCode, AppointmentEvent, AppointmentState, Entry, NotACode, Roll, Tell,
};
use crate::domain::area::{AreaCode, Zone};
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::{AppointmentId, ServiceSessionId};
use crate::domain::officer::{Actor, Right};
use crate::domain::service_session::{ServiceSession, SessionError, SessionPlan};
use crate::store::appointment as store;
use crate::store::service_session as session_store;
use crate::store::{StoreError, Tx, waiting};

/// No place is given out from then on.
const END_OF_DAY: NaiveTime = match NaiveTime::from_hms_opt(23, 59, 59) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

pub use crate::domain::appointment_policy::{AppointmentPolicy, Portal};
pub(in crate::service) use chat::{
    Asked, book_for_chat, cancel_for_chat, facts, own_facts, served, slot_now,
};
pub use closing::Closed;
pub use desk::{Case, DeskWish, book, cancel, find_case, open_case, settle, take_back};
pub use plan::{NewPlan, add_plans, end_plan, list_plans};
pub use session::{NewSession, add_session, call_off, change_quota, list_sessions, show_session};
pub use step::step;

/// Why something could not be done with a session or an appointment.
#[derive(Debug, thiserror::Error)]
pub enum AppointmentError {
    /// There is none, or it is not theirs to see.
    #[error("there is no such session or appointment in this area")]
    NotFound,
    /// It is not theirs to do.
    #[error("this role does not run sessions, or not these")]
    Forbidden,
    /// What was given does not fit.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The point is not known, or not in the area.
    #[error("there is no service point of that code in this area")]
    Point,
    /// Not something that is done in a session.
    #[error("no appointment is made for this, or this session does not serve it")]
    Service,
    /// The session is over, or was called off.
    #[error("the session is over or was called off")]
    Over,
    /// Other weekly hours of the point are at the same time for the same.
    #[error(
        "there are weekly hours for that already: {} on {} from {} to {}; end them first, or choose other hours or services",
        .0.id, .0.weekday, .0.from.format("%H:%M"), .0.to.format("%H:%M")
    )]
    Planned(Box<SessionPlan>),
    /// No place is free.
    #[error("no place is free in this session")]
    Full,
    /// No code.
    #[error(transparent)]
    Code(#[from] NotACode),
    /// The appointment is somewhere else on its way.
    #[error("the appointment is {0}: this cannot be done any more")]
    State(AppointmentState),
    /// Nobody can have failed to come to what has not begun.
    #[error("the session has not begun")]
    Early,
    /// A name that is too long.
    #[error("the name has at most 80 characters on one line")]
    Who,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] ServiceError),
}

impl From<StoreError> for AppointmentError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// The zone of a session's place.
fn zone(session: &ServiceSession) -> Zone {
    session.area.zone()
}

/// The moment of a time of day at a place.
fn moment(area: &AreaCode, at: NaiveDateTime) -> Timestamp {
    // A fixed offset maps every local time to exactly one moment.
    let moment = at.and_local_timezone(area.zone().offset()).single();
    moment.map_or(Timestamp::from_ms(0), Timestamp::from)
}

/// When those who come on a day are reminded: the day before.
fn remind_at(app: &App, area: &AreaCode, day: NaiveDate) -> Timestamp {
    let before = day.pred_opt().unwrap_or(day);
    moment(area, before.and_time(app.settings.appointment.remind_at))
}

/// The time of day from which places of a session may still be given out: any before its day.
fn not_before(session: &ServiceSession, now: Timestamp, lead: Duration) -> NaiveTime {
    let at = now.after(lead).in_zone(zone(session).offset()).naive_local();
    match at.date().cmp(&session.day) {
        Ordering::Less => NaiveTime::MIN,
        Ordering::Equal => at.time(),
        Ordering::Greater => END_OF_DAY,
    }
}

/// Whether there is time enough to tell somebody that they have a place after all.
fn may_move_up(app: &App, session: &ServiceSession, now: Timestamp) -> bool {
    session.is_ahead(now) && now.after(app.settings.appointment.move_up_before) <= session.begins_at
}

/// The session, held until the end of the transaction, for somebody who has that right where it is.
async fn open(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    right: Right,
    id: ServiceSessionId,
) -> Result<ServiceSession, AppointmentError> {
    let session = session_store::lock_session(tx, &app.db, id).await?;
    let session = session.ok_or(AppointmentError::NotFound)?;
    if !actor.covers(Some(&session.area), &app.settings.office_area) {
        return Err(AppointmentError::NotFound);
    }
    if actor.may(right) { Ok(session) } else { Err(AppointmentError::Forbidden) }
}

async fn roll(tx: &mut Tx, session: &ServiceSession) -> Result<Roll, ServiceError> {
    Ok(Roll::new(session, store::list_entries(tx, session.id).await?))
}

/// The same for who gives places away: none outside of the hours in which its place is open by now.
async fn open_roll(app: &App, tx: &mut Tx, session: &ServiceSession) -> Result<Roll, ServiceError> {
    let mut roll = roll(tx, session).await?;
    roll.open = Calendars::default().stand(app, tx, session).await?.cut();
    Ok(roll)
}

/// Writes what changed on a roll since then; those who moved up and those whom the office called off are to be told.
async fn save(
    tx: &mut Tx,
    (before, after): (&Roll, &Roll),
    by: &str,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let known: BTreeMap<AppointmentId, _> =
        before.entries().iter().map(|entry| (entry.id, entry)).collect();
    let changed = || {
        after.entries().iter().filter(|entry| known.get(&entry.id).is_some_and(|k| *k != *entry))
    };
    // Places that got free are written before those who get them.
    for entry in changed().filter(|entry| !entry.state.is_open()) {
        end(tx, entry, by, now).await?;
    }
    for entry in changed().filter(|entry| entry.state.is_open()) {
        let tell = entry.contact.map(|_| Tell::MovedUp);
        store::set_state(tx, entry, tell, by, now).await?;
        store::mark_moved(tx, entry.id, now).await?;
    }
    Ok(())
}

/// Writes that somebody does not wait or have a place any more; whom the office called off is to be told.
async fn end(tx: &mut Tx, entry: &Entry, by: &str, now: Timestamp) -> Result<(), ServiceError> {
    let is_off = entry.state == AppointmentState::CalledOff && entry.contact.is_some();
    let tell = is_off.then_some(Tell::CalledOff);
    store::set_state(tx, entry, tell, by, now).await?;
    // What still waits to be said of a place that is gone is not true any more.
    for kind in [AnnouncementKind::AppointmentMovedUp, AnnouncementKind::AppointmentReminder] {
        let key = announce::key_of(&format!("{kind}:{}", entry.id));
        waiting::withdraw(tx, &key, "superseded", now).await?;
    }
    Ok(())
}

/// Those of a session who moved up and were never told so: nobody can blame them for not coming.
async fn unheard(
    tx: &mut Tx,
    session: ServiceSessionId,
) -> Result<Vec<AppointmentId>, ServiceError> {
    let prefix = announce::key_of(&format!("{}:", AnnouncementKind::AppointmentMovedUp));
    Ok(store::list_unheard(tx, session, &prefix).await?)
}

/// Something happens to an appointment of a session that is held; who waits moves up where there is time.
async fn happen(
    app: &App,
    tx: &mut Tx,
    session: &ServiceSession,
    (id, event): (AppointmentId, AppointmentEvent),
    by: &str,
) -> Result<bool, ServiceError> {
    let now = app.now();
    let before = open_roll(app, tx, session).await?;
    let mut after = before.clone();
    if !after.happen(id, event) {
        return Ok(false);
    }
    if may_move_up(app, session, now) {
        after.fill(not_before(session, now, Duration::ZERO));
    }
    save(tx, (&before, &after), by, now).await?;
    Ok(true)
}

/// A code that no appointment still to come has. There are 700,000; a taken one is drawn again.
async fn free_code(tx: &mut Tx) -> Result<AppointmentCode, ServiceError> {
    const DRAWS: usize = 8;
    let draw = || getrandom::u64().map_err(|_| ServiceError::Text("no randomness".to_owned()));
    let mut code = AppointmentCode::from_random(draw()?);
    for _ in 0..DRAWS {
        if !store::is_code_taken(tx, &code).await? {
            break;
        }
        code = AppointmentCode::from_random(draw()?);
    }
    Ok(code)
}
