//! What somebody with an appointment is told without asking: the day before, when a place got free, and when the
//! office calls it off. It goes to the chat that asked, whoever is on file for it.

use super::zone;
use crate::domain::appointment::{AppointmentState, Tell};
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
use crate::domain::service_session::ServiceSession;
use crate::service::announce::{self, ToContact, or_pass_by};
use crate::service::{App, ServiceError};
use crate::store::appointment::{self as store, Appointment};
use crate::store::{StoreError, Tx, outage_appointment, service_session as session_store};

/// Appointments told of in one transaction.
const PAGE: i64 = 50;
/// Pages in one round: what else is due must not wait.
const PAGES: usize = 10;

/// Tells one chat of its appointment. `false` when it has none, or must not be written to.
pub(super) async fn tell(
    app: &App,
    tx: &mut Tx,
    kind: AnnouncementKind,
    (appointment, session): (&Appointment, &ServiceSession),
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let cause = format!("{kind}:{}", appointment.id);
    tell_of(app, tx, (kind, &cause), (appointment, session), now).await
}

/// The same by a cause of its own, for what may be told more than once.
pub(super) async fn tell_of(
    app: &App,
    tx: &mut Tx,
    (kind, cause): (AnnouncementKind, &str),
    (appointment, session): (&Appointment, &ServiceSession),
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let Some(contact) = appointment.contact else { return Ok(false) };
    if !app.settings.policy.enabled.contains(&kind) {
        return Ok(false);
    }
    let words = app.templates.vocabulary();
    let script = app.script();
    let name = script.visit_name(&appointment.service, Language::Indonesian);
    let bring = script.visit_bring(&appointment.service, &session.area, Language::Indonesian);
    let time = appointment.comes.map(|comes| comes.format("%H.%M").to_string()).unwrap_or_default();
    let time = format!("{time} {}", zone(session).label());
    let because = match &session.closed {
        Some(closed) => closed.because.clone(),
        None => outage_appointment::find_off_reason(tx, appointment.id).await?.unwrap_or_default(),
    };
    let same = |name, value: String| (name, value.clone(), value);
    let all = [
        same("service", name),
        same("bring", bring),
        ("place", session.place.clone(), session.place_short.clone()),
        ("date", words.date(session.day), words.date_short(session.day)),
        same("time", time),
        same("code", appointment.code.to_string()),
        same("reason", because),
    ];
    let to = ToContact {
        contact,
        person: appointment.person,
        area: &session.area,
        kind,
        cause,
        expires_at: (kind != AnnouncementKind::AppointmentCancelled).then_some(session.begins_at),
    };
    announce::plan_for_contact(app, tx, &to, &all, now).await
}

/// Tells those who are still to be told something; returns how many were looked at.
pub(super) async fn tell_all(app: &App) -> Result<u64, ServiceError> {
    let mut count = 0;
    for _ in 0..PAGES {
        let now = app.now();
        let mut tx = app.db.begin().await?;
        let page = store::list_untold(&mut tx, &app.db, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for appointment in &page {
            if let Some(session) = session_store::find_session(&mut tx, appointment.session).await?
                && let Some(kind) = kind_of(appointment)
            {
                let told = tell(app, &mut tx, kind, (appointment, &session), now).await;
                or_pass_by(told, &appointment.id)?;
                // Who hears on the eve that there is a place needs no reminder the same evening.
                if kind == AnnouncementKind::AppointmentMovedUp && now >= session.remind_at {
                    store::claim_reminder(&mut tx, appointment.id, now).await?;
                }
            }
            store::mark_told(&mut tx, appointment.id).await?;
            count += 1;
        }
        tx.commit().await.map_err(StoreError::from)?;
    }
    Ok(count)
}

/// What there is to tell; nothing where it has been overtaken.
fn kind_of(appointment: &Appointment) -> Option<AnnouncementKind> {
    match (appointment.tell?, appointment.state) {
        (Tell::CalledOff, AppointmentState::CalledOff) => {
            Some(AnnouncementKind::AppointmentCancelled)
        }
        (Tell::MovedUp, AppointmentState::Booked) => Some(AnnouncementKind::AppointmentMovedUp),
        _ => None,
    }
}
