//! What officers do with appointments: give a place to somebody at the counter, open a case by its code, note who
//! came and who did not.

use std::time::Duration;

use super::{AppointmentError, free_code, happen, not_before, open, open_roll, roll, unheard};
use crate::domain::appointment::{
    AppointmentCode, AppointmentEvent, AppointmentState, Entry, Origin,
};
use crate::domain::audit::Action;
use crate::domain::id::{AppointmentId, ServiceSessionId};
use crate::domain::officer::{Actor, Right};
use crate::domain::person::PersonName;
use crate::domain::service_session::{LONGEST_WORDS, ServiceSession};
use crate::service::App;
use crate::service::officer::{note, note_look_hourly};
use crate::store::appointment::{self as store, Appointment};
use crate::store::{StoreError, Tx, person, service_session as session_store};

/// What somebody at the counter wants.
#[derive(Clone, Debug)]
pub struct DeskWish {
    /// What for: the label of an answer for which appointments are made.
    pub service: String,
    /// Their name, where it is told.
    pub who: Option<String>,
}

/// A case that was opened by its code.
#[derive(Clone, Debug)]
pub struct Case {
    /// The appointment.
    pub appointment: Appointment,
    /// Its session.
    pub session: ServiceSession,
    /// Who, masked; nothing where nobody said.
    pub who: Option<String>,
}

/// Gives a place to somebody at the counter or on the phone, those first that are kept for them.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn book(
    app: &App,
    actor: &Actor,
    id: ServiceSessionId,
    wish: &DeskWish,
) -> Result<Appointment, AppointmentError> {
    let now = app.now();
    let who = wish.who.as_deref().map(str::trim).filter(|who| !who.is_empty());
    if who
        .is_some_and(|who| who.chars().count() > LONGEST_WORDS || who.chars().any(char::is_control))
    {
        return Err(AppointmentError::Who);
    }
    let mut tx = app.db.begin().await?;
    let session = open(app, &mut tx, actor, Right::RunCounter, id).await?;
    if !session.is_ahead(now) {
        return Err(AppointmentError::Over);
    }
    let serves = app.script().visit_service(&wish.service).is_some_and(|s| session.serves(s));
    if !serves {
        return Err(AppointmentError::Service);
    }
    let mut roll = open_roll(app, &mut tx, &session).await?;
    let entry = Entry {
        id: app.ids.next(now),
        origin: Origin::Desk,
        contact: None,
        service: wish.service.clone(),
        seat: None,
        comes: None,
        state: AppointmentState::Waiting,
    };
    let id = entry.id;
    // Who stands at the counter while it is open may have any place that is free.
    let earliest = if now < session.begins_at {
        not_before(&session, now, Duration::ZERO)
    } else {
        session.from
    };
    roll.join(entry, earliest, false).map_err(|_| AppointmentError::Full)?;
    let entry = roll.entries().iter().find(|entry| entry.id == id).cloned();
    let entry = entry.ok_or(AppointmentError::Full)?;
    let appointment = Appointment {
        id,
        code: free_code(&mut tx).await?,
        session: session.id,
        service: entry.service,
        origin: Origin::Desk,
        contact: None,
        person: None,
        who: who.map(str::to_owned),
        lacks: Vec::new(),
        seat: entry.seat,
        comes: entry.comes,
        state: entry.state,
        tell: None,
        reminded_at: None,
        made_at: now,
        made_by: actor.id.clone(),
        ended_at: None,
        ended_by: None,
    };
    store::insert_appointment(&mut tx, &app.db, &appointment).await?;
    note(app, &mut tx, actor, Action::BookedAppointment, &appointment.id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(appointment)
}

/// Opens a case by the code that somebody says at the counter, however it is typed; the look is noted.
///
/// # Errors
/// [`AppointmentError`]: no code, or none in the officer's area.
pub async fn find_case(app: &App, actor: &Actor, typed: &str) -> Result<Case, AppointmentError> {
    if !actor.may(Right::RunCounter) {
        return Err(AppointmentError::Forbidden);
    }
    let code = AppointmentCode::parse_typed(typed)?;
    let mut tx = app.db.begin().await?;
    let found = store::find_by_code(&mut tx, &app.db, &code).await?;
    let case = case_of(app, &mut tx, actor, found).await?;
    let object = case.appointment.id.to_string();
    note(app, &mut tx, actor, Action::OpenedAppointment, &object, None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(case)
}

/// Opens a case that stands on a session's list; the look is noted once an hour.
///
/// # Errors
/// [`AppointmentError`]: none, or not in the officer's area.
pub async fn open_case(
    app: &App,
    actor: &Actor,
    id: AppointmentId,
) -> Result<Case, AppointmentError> {
    if !actor.may(Right::RunCounter) {
        return Err(AppointmentError::Forbidden);
    }
    let mut tx = app.db.begin().await?;
    let found = store::find_appointment(&mut tx, &app.db, id).await?;
    let case = case_of(app, &mut tx, actor, found).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    note_look_hourly(app, actor, Action::OpenedAppointment, &id.to_string()).await?;
    Ok(case)
}

/// An appointment with its session, for somebody in whose area that is.
async fn case_of(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    found: Option<Appointment>,
) -> Result<Case, AppointmentError> {
    let appointment = found.ok_or(AppointmentError::NotFound)?;
    let session = session_store::find_session(tx, appointment.session).await?;
    let session = session.ok_or(AppointmentError::NotFound)?;
    if !actor.covers(Some(&session.area), &app.settings.office_area) {
        return Err(AppointmentError::NotFound);
    }
    let who = who(app, tx, &appointment).await?;
    Ok(Case { appointment, session, who })
}

/// Who comes, masked: the name told at the counter, or of the one person whom the chat belongs to.
async fn who(
    app: &App,
    tx: &mut Tx,
    appointment: &Appointment,
) -> Result<Option<String>, AppointmentError> {
    if let Some(who) = &appointment.who {
        return Ok(PersonName::parse(who).map(|name| name.masked()));
    }
    let Some(id) = appointment.person else { return Ok(None) };
    let person = person::find_person(tx, &app.db, id).await?;
    Ok(person.and_then(|person| person.name).map(|name| name.masked()))
}

/// Notes that somebody came, or did not. Gives how they stand then: who moved up and was never told so is no no-show.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn settle(
    app: &App,
    actor: &Actor,
    id: AppointmentId,
    has_come: bool,
) -> Result<AppointmentState, AppointmentError> {
    let event = if has_come { AppointmentEvent::Serve } else { AppointmentEvent::Miss };
    change(app, actor, (id, event), Action::SettledAppointment).await
}

/// Takes a place back that somebody does not want any more, by their own word at the counter or on the phone.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn cancel(
    app: &App,
    actor: &Actor,
    id: AppointmentId,
) -> Result<AppointmentState, AppointmentError> {
    change(app, actor, (id, AppointmentEvent::Cancel), Action::CancelledAppointment).await
}

/// Takes back that somebody did not come, which was noted by mistake. While the session is not settled they have their
/// place again; afterwards nobody said whether they came.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn take_back(
    app: &App,
    actor: &Actor,
    id: AppointmentId,
) -> Result<AppointmentState, AppointmentError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let found = store::find_appointment(&mut tx, &app.db, id).await?;
    let session = found.ok_or(AppointmentError::NotFound)?.session;
    let session = open(app, &mut tx, actor, Right::RunCounter, session).await?;
    // What is held now is what counts.
    let found = store::find_appointment(&mut tx, &app.db, id).await?;
    let appointment = found.ok_or(AppointmentError::NotFound)?;
    let mut roll = roll(&mut tx, &session).await?;
    let missed = Entry {
        id,
        origin: appointment.origin,
        contact: appointment.contact,
        service: appointment.service,
        seat: appointment.seat,
        comes: appointment.comes,
        state: appointment.state,
    };
    let entry = roll.take_back(missed).ok_or(AppointmentError::State(appointment.state))?;
    // The code may be another's by now, and a place at the same session may have been booked anew.
    let is_over = session.settled_at.is_some() || session.closed.is_some();
    let is_doubled = store::is_code_taken(&mut tx, &appointment.code).await?
        || roll.entries().iter().any(|other| other.id != id && other.is_same(&entry));
    let entry = if is_over || is_doubled {
        let state = entry.state.after(AppointmentEvent::Lapse).unwrap_or(entry.state);
        Entry { state, ..entry }
    } else {
        entry
    };
    store::set_state(&mut tx, &entry, None, &actor.id, now).await?;
    let detail = AppointmentEvent::TakeBack.as_str();
    note(app, &mut tx, actor, Action::SettledAppointment, &id.to_string(), Some(detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(entry.state)
}

async fn change(
    app: &App,
    actor: &Actor,
    (id, event): (AppointmentId, AppointmentEvent),
    action: Action,
) -> Result<AppointmentState, AppointmentError> {
    let mut tx = app.db.begin().await?;
    let found = store::find_appointment(&mut tx, &app.db, id).await?;
    let session = found.ok_or(AppointmentError::NotFound)?.session;
    let session = open(app, &mut tx, actor, Right::RunCounter, session).await?;
    if event == AppointmentEvent::Miss && app.now() < session.begins_at {
        return Err(AppointmentError::Early);
    }
    // Who moved up and was never told cannot have known.
    let is_blameless =
        event == AppointmentEvent::Miss && unheard(&mut tx, session.id).await?.contains(&id);
    let event = if is_blameless { AppointmentEvent::Lapse } else { event };
    let has_happened = happen(app, &mut tx, &session, (id, event), &actor.id).await?;
    let found = store::find_appointment(&mut tx, &app.db, id).await?;
    let state = found.ok_or(AppointmentError::NotFound)?.state;
    if !has_happened {
        return Err(AppointmentError::State(state));
    }
    note(app, &mut tx, actor, action, &id.to_string(), Some(event.as_str())).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(state)
}
