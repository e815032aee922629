//! What it means for sessions that the calendar of their place changes: what is not open any more is called off and
//! told as when an officer calls it off, and what opens is laid out by its plans.
//!
//! A day of recording or a stop that an officer put down on a day off is held all the same: only what is closed later
//! takes it away.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveTime};

use super::{end, moment, roll};
use crate::domain::appointment::{AppointmentEvent, AppointmentState, Entry, Roll};
use crate::domain::audit::Action;
use crate::domain::calendar::Calendar;
use crate::domain::officer::Actor;
use crate::domain::service_session::{CalledOff, ServiceSession};
use crate::service::officer::note;
use crate::service::point::session_hours;
use crate::service::{App, ServiceError};
use crate::store::appointment as appointments;
use crate::store::holiday::{Holiday, list_holidays};
use crate::store::service_point::find_with_condition;
use crate::store::service_session::{self as store, Points};
use crate::store::{Tx, session_plan};

/// Sessions are put down so many days ahead, at most, and some more for the weeks around a day off.
const LOOK_AHEAD: Days = Days::new(140);
/// What a day off is called may be said of the days before it as well.
const LOOK_BACK: Days = Days::new(8);

/// What was called off because places closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// Sessions, and such as were made shorter.
    pub sessions: u64,
    /// Appointments whose holders are told in their chat.
    pub told: u64,
    /// Appointments without a chat: the office tells them itself.
    pub untold: u64,
}

/// What the calendar of its place makes of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is held.
    Held,
    /// The place is closed at that time; why, where that is no ordinary day off.
    Shut(Option<String>),
    /// The place is open for a part of it.
    Cut((NaiveTime, NaiveTime), Option<String>),
}

impl Stand {
    /// In which hours of it the place is open, where that is not in all.
    pub(super) const fn cut(&self) -> Option<(NaiveTime, NaiveTime)> {
        match self {
            Self::Cut(window, _) => Some(*window),
            Self::Held | Self::Shut(_) => None,
        }
    }
}

/// The hours of places, looked up once for each.
#[derive(Default)]
pub(super) struct Calendars {
    holidays: Option<Vec<Holiday>>,
    points: BTreeMap<String, Option<Calendar>>,
}

impl Calendars {
    /// How a session stands in the calendar of its place.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn stand(
        &mut self,
        app: &App,
        tx: &mut Tx,
        session: &ServiceSession,
    ) -> Result<Stand, ServiceError> {
        let Some(code) = &session.point else { return Ok(Stand::Held) };
        if !self.points.contains_key(code) {
            let found = find_with_condition(tx, code).await?;
            let holidays = self.holidays(app, tx).await?;
            let calendar = found.map(|point| session_hours(&point, holidays));
            self.points.insert(code.clone(), calendar);
        }
        let calendar = self.points.get(code).and_then(Option::as_ref);
        Ok(calendar.map_or(Stand::Held, |calendar| stand(calendar, session)))
    }

    async fn holidays(&mut self, app: &App, tx: &mut Tx) -> Result<&[Holiday], ServiceError> {
        if self.holidays.is_none() {
            let today = today(app);
            let from = today.checked_sub_days(LOOK_BACK).unwrap_or(today);
            let to = today.checked_add_days(LOOK_AHEAD).unwrap_or(today);
            self.holidays = Some(list_holidays(tx, (from, to)).await?);
        }
        Ok(self.holidays.as_deref().unwrap_or_default())
    }
}

fn today(app: &App) -> NaiveDate {
    app.now().in_zone(app.zone(None).offset()).date_naive()
}

fn stand(calendar: &Calendar, session: &ServiceSession) -> Stand {
    let (spans, why) = calendar.hours_on(session.day);
    let why = why.map(|why| why.trim_end_matches('.').to_owned());
    let from = spans.first().map(|span| span.from.max(session.from));
    let to = spans.last().map(|span| span.to.min(session.to));
    let window = from.zip(to).filter(|(from, to)| from < to);
    match window {
        // What an officer put down besides the hours of the place gives way to a closure or a holiday alone.
        _ if session.plan.is_none() && (why.is_none() || window.is_some()) => Stand::Held,
        None => Stand::Shut(why),
        Some(window) if window == (session.from, session.to) => Stand::Held,
        Some(window) => Stand::Cut(window, why),
    }
}

/// Every day on which a point may have sessions.
#[must_use]
pub(in crate::service) fn all_days_of(app: &App, code: &str) -> Points {
    let today = today(app);
    let from = today.pred_opt().unwrap_or(today);
    let to = today.checked_add_days(LOOK_AHEAD).unwrap_or(today);
    Points { code: Some(code.to_owned()), area: None, days: (from, to) }
}

/// The sessions that are held as things are, before the calendar of their places changes; what their plans laid out is
/// looked at anew afterwards.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn before(
    app: &App,
    tx: &mut Tx,
    points: Points,
) -> Result<Vec<ServiceSession>, ServiceError> {
    // The plans before the sessions, in the order in which laying out holds them.
    session_plan::lay_anew(tx, &points).await?;
    let mut calendars = Calendars::default();
    let mut held = Vec::new();
    for session in store::list_at_points(tx, &points, app.now()).await? {
        if !matches!(calendars.stand(app, tx, &session).await?, Stand::Shut(_)) {
            held.push(session);
        }
    }
    Ok(held)
}

/// Calls off what of these sessions is not held any more as the calendar stands now.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn after(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    held: Vec<ServiceSession>,
) -> Result<Closed, ServiceError> {
    let mut calendars = Calendars::default();
    let mut closed = Closed::default();
    for session in held {
        let stand = calendars.stand(app, tx, &session).await?;
        follow(app, tx, actor, (&session, stand), &mut closed).await?;
    }
    Ok(closed)
}

/// Does with a session what the calendar of its place says, where it says why.
///
/// # Errors
/// When the database fails.
pub(super) async fn follow(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    (session, stand): (&ServiceSession, Stand),
    closed: &mut Closed,
) -> Result<(), ServiceError> {
    let (window, because) = match stand {
        Stand::Shut(Some(because)) => (None, because),
        Stand::Cut(window, Some(because)) => (Some(window), because),
        _ => return Ok(()),
    };
    // Somebody may have booked, or called it off, since it was looked at.
    let session = store::lock_session(tx, &app.db, session.id).await?;
    let Some(session) = session.filter(|session| session.is_ahead(app.now())) else {
        return Ok(());
    };
    let off = match window {
        None => call_off(app, tx, actor, (&session, &because), true).await?,
        Some(window) => shorten(app, tx, actor, (session, &because), window).await?,
    };
    closed.sessions += 1;
    closed.told += off.0;
    closed.untold += off.1;
    Ok(())
}

/// Those whom the office called off between two states of a roll: with a chat, and without.
fn count_off(before: &Roll, after: &Roll) -> (u64, u64) {
    let off = |(old, new): &(&Entry, &Entry)| {
        old.state != new.state && new.state == AppointmentState::CalledOff
    };
    let both = before.entries().iter().zip(after.entries()).filter(off);
    both.fold((0, 0), |(told, untold), (_, entry)| match entry.contact {
        Some(_) => (told + 1, untold),
        None => (told, untold + 1),
    })
}

/// Calls a session off that is held by the transaction; gives how many will be told in their chat, and how many have
/// none.
///
/// # Errors
/// When the database fails.
pub(super) async fn call_off(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    (session, because): (&ServiceSession, &str),
    is_shut: bool,
) -> Result<(u64, u64), ServiceError> {
    let now = app.now();
    let off = CalledOff { at: now, by: actor.id.clone(), because: because.to_owned() };
    store::close(tx, session.id, &off, is_shut).await?;
    let before = roll(tx, session).await?;
    let mut after = before.clone();
    for entry in before.entries() {
        after.happen(entry.id, AppointmentEvent::CallOff);
    }
    super::save(tx, (&before, &after), &actor.id, now).await?;
    let off = count_off(&before, &after);
    let detail = format!("{} to be told", off.0);
    note(app, tx, actor, Action::CalledOffSession, &session.id.to_string(), Some(&detail)).await?;
    Ok(off)
}

/// Makes a session shorter that is held by the transaction: who was to come outside of its hours is called off.
async fn shorten(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    (mut session, because): (ServiceSession, &str),
    window: (NaiveTime, NaiveTime),
) -> Result<(u64, u64), ServiceError> {
    let now = app.now();
    let before = roll(tx, &session).await?;
    let mut after = before.clone();
    after.shorten(window);
    (session.from, session.to) = window;
    (session.quota, session.held) = (after.quota, after.held);
    session.begins_at = moment(&session.area, session.day.and_time(session.from));
    session.ends_at = moment(&session.area, session.day.and_time(session.to));
    store::set_window(tx, &session).await?;
    for (old, new) in before.entries().iter().zip(after.entries()) {
        if old.state != new.state {
            end(tx, new, &actor.id, now).await?;
            appointments::set_off_because(tx, new.id, because).await?;
        }
    }
    appointments::set_seats(tx, session.id, after.entries()).await?;
    let off = count_off(&before, &after);
    let detail =
        format!("{} {}-{}", session.day, window.0.format("%H:%M"), window.1.format("%H:%M"));
    let object = session.id.to_string();
    note(app, tx, actor, Action::ShortenedSession, &object, Some(&detail)).await?;
    Ok(off)
}
