//! Sessions one by one: put down, shown, made larger or smaller, and called off.

use std::time::Duration;

use chrono::{Days, NaiveDate, NaiveTime};

use super::plan::find_point;
use super::{
    AppointmentError, closing, may_move_up, moment, not_before, open, open_roll, remind_at, save,
};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::id::ServiceSessionId;
use crate::domain::officer::{Actor, Right};
use crate::domain::reason::check_reason;
use crate::domain::service_point::{GeoPoint, PointService};
use crate::domain::service_session::{
    ServiceSession, SessionError, SessionKind, check, check_place, check_quota, held_or,
};
use crate::service::App;
use crate::service::officer::{note, note_look_hourly};
use crate::store::StoreError;
use crate::store::appointment::{self as appointments, Appointment};
use crate::store::service_session::{self as store, Counted};

/// A session is put down so far ahead, at most.
const MAX_AHEAD: u64 = 120;
/// Sessions of one list, at most.
const MAX_LISTED: i64 = 500;

/// A session about to be put down.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What it is.
    pub kind: SessionKind,
    /// Code of the point at which it takes place.
    pub point: Option<String>,
    /// A place of its own, with the words for SMS; what is left out is the point's.
    pub place: Option<(String, Option<String>)>,
    /// Where that is.
    pub area: Option<AreaCode>,
    /// On the map.
    pub map: Option<GeoPoint>,
    /// On which day.
    pub day: NaiveDate,
    /// From when to when.
    pub window: (NaiveTime, NaiveTime),
    /// What is done.
    pub services: Vec<PointService>,
    /// How many may come.
    pub quota: i64,
    /// Of these, kept from the chat; none for the office's share.
    pub held: Option<i64>,
}

/// Puts down a session: a day of recording, a stop of the mobile van, or a counter's day besides its plan.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn add_session(
    app: &App,
    actor: &Actor,
    new: NewSession,
) -> Result<ServiceSessionId, AppointmentError> {
    if !actor.may(Right::ChangePoints) {
        return Err(AppointmentError::Forbidden);
    }
    check(new.window, &new.services, new.quota)?;
    let held = held_or(new.quota, new.held, app.settings.appointment.held_percent)?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let point = match &new.point {
        Some(code) => Some(find_point(app, &mut tx, actor, Right::ChangePoints, code).await?.0),
        None => None,
    };
    let area = new.area.or_else(|| point.as_ref().map(|point| point.area.clone()));
    let area = area.filter(|area| !area.plain().is_empty());
    let area = area.ok_or(AppointmentError::Session(SessionError::Place))?;
    if !actor.covers(Some(&area), &app.settings.office_area) {
        return Err(AppointmentError::NotFound);
    }
    let (place, place_short) = match (&new.place, &point) {
        (Some((place, short)), _) => check_place(place, short.as_deref())?,
        (None, Some(point)) => (point.name.clone(), point.short_name.clone()),
        (None, None) => return Err(SessionError::Place.into()),
    };
    let today = now.in_zone(area.zone().offset()).date_naive();
    let ends_at = moment(&area, new.day.and_time(new.window.1));
    if ends_at <= now || today.checked_add_days(Days::new(MAX_AHEAD)).is_none_or(|d| new.day > d) {
        return Err(SessionError::Day.into());
    }
    let session = ServiceSession {
        id: app.ids.next(now),
        kind: new.kind,
        point: new.point,
        plan: None,
        place,
        place_short,
        map: new.map.or_else(|| point.and_then(|point| point.detail.map)),
        day: new.day,
        from: new.window.0,
        to: new.window.1,
        begins_at: moment(&area, new.day.and_time(new.window.0)),
        ends_at,
        remind_at: remind_at(app, &area, new.day),
        services: new.services,
        quota: new.quota,
        held,
        made_at: now,
        made_by: actor.id.clone(),
        closed: None,
        settled_at: None,
        area,
    };
    store::insert_session(&mut tx, &session).await?;
    let detail = format!("{} {} {}", session.kind, session.area, session.day);
    note(app, &mut tx, actor, Action::AddedSession, &session.id.to_string(), Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(session.id)
}

/// The sessions in an officer's area from one day up to another, with how many are on each.
///
/// # Errors
/// [`AppointmentError::Forbidden`], or when the database fails.
pub async fn list_sessions(
    app: &App,
    actor: &Actor,
    days: (NaiveDate, NaiveDate),
) -> Result<Vec<Counted>, AppointmentError> {
    if !actor.may(Right::SeePoints) {
        return Err(AppointmentError::Forbidden);
    }
    let mut tx = app.db.begin().await?;
    let found = store::list_counted(&mut tx, &actor.area, days, MAX_LISTED).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    Ok(found)
}

/// A session with everybody on it, by the time to come; the look is noted.
///
/// # Errors
/// [`AppointmentError`] when it is not theirs to see.
pub async fn show_session(
    app: &App,
    actor: &Actor,
    id: ServiceSessionId,
) -> Result<(ServiceSession, Vec<Appointment>), AppointmentError> {
    let mut tx = app.db.begin().await?;
    let session = store::find_session(&mut tx, id).await?.ok_or(AppointmentError::NotFound)?;
    if !actor.covers(Some(&session.area), &app.settings.office_area) {
        return Err(AppointmentError::NotFound);
    }
    if !actor.may(Right::RunCounter) {
        return Err(AppointmentError::Forbidden);
    }
    let found = appointments::list_of_session(&mut tx, &app.db, id).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    note_look_hourly(app, actor, Action::LookedAtSession, &id.to_string()).await?;
    Ok((session, found))
}

/// Changes how many may come and how many of these places are kept from the chat (the office's share where nobody
/// says); who waits moves up where there is room and time.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn change_quota(
    app: &App,
    actor: &Actor,
    id: ServiceSessionId,
    (quota, held): (i64, Option<i64>),
) -> Result<(), AppointmentError> {
    check_quota(quota)?;
    let held = held_or(quota, held, app.settings.appointment.held_percent)?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let session = open(app, &mut tx, actor, Right::ChangePoints, id).await?;
    if !session.is_ahead(now) {
        return Err(AppointmentError::Over);
    }
    let before = open_roll(app, &mut tx, &session).await?;
    let mut after = before.clone();
    if !after.resize(quota, held) {
        return Err(SessionError::Taken.into());
    }
    if may_move_up(app, &session, now) {
        after.fill(not_before(&session, now, Duration::ZERO));
    }
    save(&mut tx, (&before, &after), &actor.id, now).await?;
    store::set_quota(&mut tx, id, (quota, held)).await?;
    let detail = quota.to_string();
    note(app, &mut tx, actor, Action::ChangedQuota, &id.to_string(), Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Calls a session off: everybody with a place or in the line is told from then on. Gives how many will be.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn call_off(
    app: &App,
    actor: &Actor,
    id: ServiceSessionId,
    because: &str,
) -> Result<u64, AppointmentError> {
    let because = check_reason(because).map_err(SessionError::from)?;
    let mut tx = app.db.begin().await?;
    let session = open(app, &mut tx, actor, Right::ChangePoints, id).await?;
    if !session.is_ahead(app.now()) {
        return Err(AppointmentError::Over);
    }
    let (told, _) = closing::call_off(app, &mut tx, actor, (&session, &because), false).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(told)
}
