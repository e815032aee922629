//! What a conversation is told of sessions and of its own appointments, and what it does: book, wait, cancel.
//!
//! A place is looked at and given out in one transaction that holds its session, so that what a citizen reads is what
//! they have.

use std::time::Duration;

use chrono::NaiveTime;

use super::closing::{Calendars, Stand};
use super::{free_code, happen, may_move_up, not_before, open_roll, roll, zone};
use crate::dialogue::{AppointmentFact, BookingFact, SessionFact, SlotNow};
use crate::domain::appointment::{
    AppointmentCode, AppointmentEvent, AppointmentState, Entry, Origin, Roll,
};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{AppointmentId, ContactId, PersonId, ServiceSessionId};
use crate::domain::language::Language;
use crate::domain::outbound::Pin;
use crate::domain::service_point::PointService;
use crate::domain::service_session::ServiceSession;
use crate::service::point::shared;
use crate::service::{App, ServiceError};
use crate::store::appointment::{self as store, Appointment};
use crate::store::{Tx, service_session as session_store};

/// Sessions that an answer can name: of all places, and of one place for the same work.
const MAX_SESSIONS: i64 = 80;
const MAX_OF_PLACE: i64 = 16;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Whoever is told a time must have the time to come.
const LEAD: Duration = Duration::from_secs(45 * 60);

/// What somebody in a chat asks for.
#[derive(Clone, Debug)]
pub(in crate::service) struct Asked<'a> {
    /// Whose chat.
    pub contact: ContactId,
    /// Whom it belongs to, where that is one person.
    pub person: Option<PersonId>,
    /// Which session.
    pub session: ServiceSessionId,
    /// The code that they are told.
    pub code: &'a str,
    /// What for.
    pub service: &'a str,
    /// What they lack.
    pub lacks: &'a [String],
}

fn time_words(time: NaiveTime, session: &ServiceSession) -> String {
    format!("{} {}", time.format("%H.%M"), zone(session).label())
}

fn fact(
    app: &App,
    session: &ServiceSession,
    roll: &Roll,
    (language, now): (Language, Timestamp),
) -> SessionFact {
    let words = app.templates.vocabulary().speaking(language);
    let comes = roll.next_for_chat(not_before(session, now, LEAD));
    SessionFact {
        id: session.id,
        place: session.place.clone(),
        place_short: session.place_short.clone(),
        kind: session.kind,
        area: session.area.clone(),
        day: words.date(session.day),
        day_short: words.date_short(session.day),
        date: session.day,
        comes: comes.map(|comes| time_words(comes, session)),
        comes_short: comes.map(|comes| comes.format("%H.%M").to_string()),
        window: words.window(Some(session.from), Some(session.to), zone(session)),
        window_short: words.window_short(Some(session.from), Some(session.to), zone(session)),
        waiting: roll.waiting(),
        may_wait: may_move_up(app, session, now),
        is_reminded: now < session.remind_at,
        services: session.services.clone(),
        pin: session.map.map(|place| Pin {
            place,
            name: session.place.clone(),
            address: words.date(session.day),
        }),
    }
}

/// The area itself, the office's where it is not known, and its kabupaten.
fn near_and_around<'a>(app: &'a App, area: &'a AreaCode) -> (&'a AreaCode, AreaCode) {
    let near = if area.plain().is_empty() { &app.settings.office_area } else { area };
    (near, near.kabupaten().unwrap_or_else(|| near.clone()))
}

/// Until when sessions are offered.
fn ahead(app: &App, now: Timestamp) -> Timestamp {
    let days = app.settings.appointment.days_ahead + 1;
    now.after(Duration::from_secs(days * DAY.as_secs()))
}

/// What is done at the sessions ahead in somebody's kabupaten.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn served(
    app: &App,
    tx: &mut Tx,
    area: &AreaCode,
    now: Timestamp,
) -> Result<Vec<PointService>, ServiceError> {
    let (_, around) = near_and_around(app, area);
    Ok(session_store::list_served(tx, &around, (now, ahead(app, now))).await?)
}

/// The sessions ahead in somebody's kabupaten that citizens can come to, the nearest places first, each place's by day.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn facts(
    app: &App,
    tx: &mut Tx,
    area: &AreaCode,
    (language, now): (Language, Timestamp),
) -> Result<Vec<SessionFact>, ServiceError> {
    let (near, around) = near_and_around(app, area);
    let until = ahead(app, now);
    let limits = (MAX_OF_PLACE, MAX_SESSIONS);
    let mut found = session_store::list_ahead(tx, (&around, near), (now, until), limits).await?;
    found.sort_by_key(|session| {
        (usize::MAX - shared(&session.area, near), session.begins_at, session.id)
    });
    let ids: Vec<ServiceSessionId> = found.iter().map(|session| session.id).collect();
    let mut entries = store::list_entries_of(tx, &ids).await?;
    let mut calendars = Calendars::default();
    let mut facts = Vec::new();
    for session in found {
        // What an officer put down besides the hours of the place is held.
        let stand = calendars.stand(app, tx, &session).await?;
        if session.plan.is_some() && matches!(stand, Stand::Shut(_)) {
            continue;
        }
        let mut roll = Roll::new(&session, entries.remove(&session.id).unwrap_or_default());
        roll.open = stand.cut();
        facts.push(fact(app, &session, &roll, (language, now)));
    }
    // One place after the other, in the order of how near they are and how soon they serve.
    let mut order: Vec<String> = Vec::new();
    for fact in &facts {
        if !order.contains(&fact.place) {
            order.push(fact.place.clone());
        }
    }
    facts.sort_by_key(|fact| (order.iter().position(|place| *place == fact.place), fact.date));
    Ok(facts)
}

/// What a chat has that is still to come, and whether it may have more.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn own_facts(
    app: &App,
    tx: &mut Tx,
    contact: Option<ContactId>,
    (language, now): (Language, Timestamp),
) -> Result<BookingFact, ServiceError> {
    let policy = &app.settings.appointment;
    let portal = policy.portal.clone().map(|portal| (portal.name, portal.prepare));
    let Some(contact) = contact else {
        return Ok(BookingFact {
            most: policy.most_open,
            portal,
            move_up_before: policy.move_up_before,
            ..BookingFact::default()
        });
    };
    let missed = store::count_missed(tx, contact, now.before(policy.missed_within)).await?;
    let mut own = Vec::new();
    for appointment in store::list_open_of(tx, &app.db, contact).await? {
        let session = session_store::find_session(tx, appointment.session).await?;
        let Some(session) = session.filter(|session| session.ends_at > now) else { continue };
        own.push(own_fact(app, tx, &appointment, &session, language).await?);
    }
    Ok(BookingFact {
        own,
        is_blocked: missed >= policy.most_missed,
        most: policy.most_open,
        portal,
        move_up_before: policy.move_up_before,
    })
}

async fn own_fact(
    app: &App,
    tx: &mut Tx,
    appointment: &Appointment,
    session: &ServiceSession,
    language: Language,
) -> Result<AppointmentFact, ServiceError> {
    let words = app.templates.vocabulary().speaking(language);
    let line = match appointment.state {
        AppointmentState::Waiting => {
            roll(tx, session).await?.place_in_line(appointment.id).unwrap_or(0)
        }
        _ => 0,
    };
    Ok(AppointmentFact {
        id: appointment.id,
        code: appointment.code.to_string(),
        service: appointment.service.clone(),
        session: session.id,
        place: session.place.clone(),
        place_short: session.place_short.clone(),
        day: words.date(session.day),
        day_short: words.date_short(session.day),
        time: appointment.comes.map(|comes| time_words(comes, session)).unwrap_or_default(),
        line,
        lacks: app.script().paper_names(&appointment.lacks, language),
    })
}

/// How a session is at this moment, which it stays until the end of the transaction, and the code of whoever asks for
/// a place; nothing when it does not take place any more.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn slot_now(
    app: &App,
    tx: &mut Tx,
    id: ServiceSessionId,
    (language, now): (Language, Timestamp),
) -> Result<SlotNow, ServiceError> {
    let session = session_store::lock_session(tx, &app.db, id).await?;
    let Some(session) = session else { return Ok(SlotNow::default()) };
    if !session.is_ahead(now) {
        let off = session.closed.as_ref().map(|closed| closed.because.clone());
        return Ok(SlotNow { called_off: off, ..SlotNow::default() });
    }
    let roll = open_roll(app, tx, &session).await?;
    Ok(SlotNow {
        session: Some(fact(app, &session, &roll, (language, now))),
        code: free_code(tx).await?.to_string(),
        called_off: None,
    })
}

/// Gives somebody the place, or the place in the line, that they were just told of.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn book_for_chat(
    app: &App,
    tx: &mut Tx,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let Some(session) = session_store::lock_session(tx, &app.db, asked.session).await? else {
        return Ok(());
    };
    let Ok(code) = asked.code.parse::<AppointmentCode>() else { return Ok(()) };
    let mut roll = open_roll(app, tx, &session).await?;
    let entry = Entry {
        id: app.ids.next(now),
        origin: Origin::Chat,
        contact: Some(asked.contact),
        service: asked.service.to_owned(),
        seat: None,
        comes: None,
        state: AppointmentState::Waiting,
    };
    let id = entry.id;
    let may_wait = may_move_up(app, &session, now);
    let joined = roll.join(entry, not_before(&session, now, LEAD), may_wait);
    if !session.is_ahead(now) || joined.is_err() {
        return Ok(());
    }
    let Some(entry) = roll.entries().iter().find(|entry| entry.id == id) else { return Ok(()) };
    let appointment = Appointment {
        id,
        code,
        session: session.id,
        service: entry.service.clone(),
        origin: Origin::Chat,
        contact: entry.contact,
        person: asked.person,
        who: None,
        lacks: asked.lacks.to_vec(),
        seat: entry.seat,
        comes: entry.comes,
        state: entry.state,
        tell: None,
        // Who books after the hour of the reminder has just been told.
        reminded_at: (now >= session.remind_at).then_some(now),
        made_at: now,
        made_by: "chat".to_owned(),
        ended_at: None,
        ended_by: None,
    };
    store::insert_appointment(tx, &app.db, &appointment).await?;
    Ok(())
}

/// Takes back an appointment of that chat; of another's, nothing.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn cancel_for_chat(
    app: &App,
    tx: &mut Tx,
    contact: ContactId,
    id: AppointmentId,
) -> Result<(), ServiceError> {
    let found = store::find_appointment(tx, &app.db, id).await?;
    let Some(appointment) = found.filter(|found| found.contact == Some(contact)) else {
        return Ok(());
    };
    let session = session_store::lock_session(tx, &app.db, appointment.session).await?;
    if let Some(session) = session {
        happen(app, tx, &session, (id, AppointmentEvent::Cancel), "chat").await?;
    }
    Ok(())
}
