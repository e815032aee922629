//! What time alone changes of visits: plans are laid out, those who come tomorrow reminded, those who are to be told
//! something told, and sessions that are over settled.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::NaiveTime;

use super::closing::{Calendars, Closed, Stand, follow};
use super::{outage, plan, roll, save, tell, unheard};
use crate::domain::appointment::{AppointmentEvent, AppointmentState, finds_open};
use crate::domain::card::AnnouncementKind;
use crate::domain::id::ServiceSessionId;
use crate::domain::officer::Actor;
use crate::domain::service_session::ServiceSession;
use crate::service::announce::or_pass_by;
use crate::service::{App, ServiceError};
use crate::store::appointment as store;
use crate::store::{StoreError, Tx, outage_appointment, service_session as session_store};

/// Who calls off what closed.
const CALENDAR: &str = "calendar";
/// Sessions settled, and appointments reminded of, in one round.
const BATCH: i64 = 200;

/// Looks once; returns how many were dealt with.
///
/// # Errors
/// When the database fails; what was not looked at waits for the next round.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let work = store::find_work(&app.db, app.now()).await?;
    let mut told = 0;
    if work.is_untold {
        told += tell::tell_all(app).await?;
    }
    // Before the reminders: nobody is told to come whom an outage keeps away.
    if work.is_hindered {
        told += outage::look(app).await?;
    }
    if work.is_due {
        told += remind(app).await?;
    }
    if told > 0 {
        app.signals.wake_outbox();
    }
    Ok(told + settle(app).await? + plan::lay_out(app).await?)
}

async fn remind(app: &App) -> Result<u64, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let due = store::list_to_remind(&mut tx, &app.db, now, BATCH).await?;
    let mut count = 0;
    let mut calendars = Calendars::default();
    let mut looked: BTreeMap<ServiceSessionId, Option<Held>> = BTreeMap::new();
    for appointment in &due {
        if let Entry::Vacant(place) = looked.entry(appointment.session) {
            let session = session_store::find_session(&mut tx, appointment.session).await?;
            let (session, closed) = held(app, &mut tx, &mut calendars, session).await?;
            place.insert(session);
            // Who was called off is told in the next round.
            count += closed.sessions;
        }
        // Whose place closed meanwhile is not booked any more.
        if !store::claim_reminder(&mut tx, appointment.id, now).await? {
            continue;
        }
        count += 1;
        let is_open =
            |held: &&Held| appointment.comes.is_none_or(|comes| finds_open(held.open, comes));
        if let Some(Held { session, .. }) =
            looked.get(&appointment.session).and_then(Option::as_ref).filter(is_open)
        {
            let kind = AnnouncementKind::AppointmentReminder;
            let told = tell::tell(app, &mut tx, kind, (appointment, session), now).await;
            or_pass_by(told, &appointment.id)?;
        }
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(count)
}

/// A session that takes place.
struct Held {
    session: ServiceSession,
    /// The hours in which its place is open, where they are less than its own.
    open: Option<(NaiveTime, NaiveTime)>,
}

/// A session that takes place as the calendar of its place stands; nobody is told to come to one that does not. What
/// closed without having been called off is called off now.
async fn held(
    app: &App,
    tx: &mut Tx,
    calendars: &mut Calendars,
    session: Option<ServiceSession>,
) -> Result<(Option<Held>, Closed), ServiceError> {
    let mut closed = Closed::default();
    let Some(session) = session else { return Ok((None, closed)) };
    let stand = calendars.stand(app, tx, &session).await?;
    let open = stand.cut();
    // What an officer put down besides the hours of the place is held.
    if session.plan.is_none() {
        return Ok((Some(Held { session, open }), closed));
    }
    let is_shut = matches!(stand, Stand::Shut(_));
    let actor = Actor { id: CALENDAR.to_owned(), ..Actor::cli() };
    follow(app, tx, &actor, (&session, stand), &mut closed).await?;
    Ok(((!is_shut).then_some(Held { session, open }), closed))
}

async fn settle(app: &App) -> Result<u64, ServiceError> {
    let before = app.now().before(app.settings.appointment.grace);
    let mut count = 0;
    for id in session_store::list_over(&app.db, before, BATCH).await? {
        settle_one(app, id).await?;
        count += 1;
    }
    Ok(count)
}

/// Whoever has not come by the end has not come; where nobody noted at all who came, nobody is blamed.
async fn settle_one(app: &App, id: ServiceSessionId) -> Result<(), ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let Some(session) = session_store::lock_session(&mut tx, &app.db, id).await? else {
        return Ok(());
    };
    if session.settled_at.is_some() {
        return Ok(());
    }
    let before = roll(&mut tx, &session).await?;
    let mut after = before.clone();
    let is_kept = before.entries().iter().any(|entry| entry.state == AppointmentState::Served);
    let kept_away = outage_appointment::list_kept_away(&mut tx, id).await?;
    let unheard = unheard(&mut tx, id).await?;
    for entry in before.entries() {
        let is_booked = entry.state == AppointmentState::Booked;
        let event = if is_booked && kept_away.contains(&entry.id) {
            AppointmentEvent::CallOff
        } else if is_booked && is_kept && !unheard.contains(&entry.id) {
            AppointmentEvent::Miss
        } else {
            AppointmentEvent::Lapse
        };
        after.happen(entry.id, event);
    }
    save(&mut tx, (&before, &after), "settled", now).await?;
    session_store::mark_settled(&mut tx, id, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}
