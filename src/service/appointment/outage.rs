//! What an outage means for those who come soon: they hear of it once, and once more when it is over. Whoever heard as
//! the holder of a card that waits hears nothing more on account of an appointment.

use std::time::Duration;

use super::tell;
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::OutageId;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::outage::{Outage, OutageKind};
use crate::domain::service_point::PointService;
use crate::domain::service_session::ServiceSession;
use crate::service::announce::{self, ToContact, or_pass_by};
use crate::service::{App, ServiceError};
use crate::store::appointment::{self as store, Appointment};
use crate::store::{
    StoreError, Tx, outage as outage_store, outage_appointment, service_session as session_store,
    waiting,
};

/// Those who come within so long are told.
const SOON: Duration = Duration::from_secs(24 * 3600);
/// Appointments looked at in one transaction.
const PAGE: i64 = 100;

/// Tells those who come soon of outages that run, and of those that are over; returns how many were looked at.
pub(super) async fn look(app: &App) -> Result<u64, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut count = 0;
    for outage in outage_store::list_running(&mut tx).await? {
        // Holders of cards come first: who is both hears it once.
        if outage.work.is_some() {
            continue;
        }
        let of = (outage.id, &outage.area);
        let page =
            store::list_for_outage(&mut tx, &app.db, of, (now, now.after(SOON)), PAGE).await?;
        for appointment in &page {
            let told = tell_begun(app, &mut tx, &outage, appointment, now).await;
            let has_heard = or_pass_by(told, &appointment.id)?;
            outage_appointment::insert_outage_told(
                &mut tx,
                (outage.id, appointment.id),
                has_heard,
                now,
            )
            .await?;
            count += 1;
        }
    }
    for (outage, id) in outage_appointment::list_outage_over(&mut tx, PAGE).await? {
        if let Some(appointment) = store::find_appointment(&mut tx, &app.db, id).await? {
            let told = tell_over(app, &mut tx, outage, &appointment, now).await;
            or_pass_by(told, &id)?;
        }
        outage_appointment::set_outage_over(&mut tx, (outage, id), now).await?;
        count += 1;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(count)
}

/// Whether an outage keeps an office from what somebody comes for.
fn concerns(app: &App, kind: OutageKind, label: &str) -> bool {
    match kind {
        OutageKind::NoBlanko | OutageKind::Printer => {
            app.script().visit_service(label) == Some(PointService::Printing)
        }
        OutageKind::Server => true,
    }
}

async fn tell_begun(
    app: &App,
    tx: &mut Tx,
    outage: &Outage,
    appointment: &Appointment,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    if !concerns(app, outage.kind, &appointment.service) {
        return Ok(false);
    }
    let session = session_store::find_session(tx, appointment.session).await?;
    let Some(session) = session else { return Ok(false) };
    let today = now.in_zone(session.area.zone().offset()).date_naive();
    if let Some(person) = appointment.person
        && (outage_store::has_row(tx, outage.id, person).await?
            || outage_store::heard_of_other(tx, outage.id, person, today).await?)
    {
        return Ok(true);
    }
    say_begun(app, tx, outage, (appointment, &session), now).await
}

async fn tell_over(
    app: &App,
    tx: &mut Tx,
    outage: OutageId,
    appointment: &Appointment,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let own = cause(outage, appointment);
    // Who heard of it as the holder of a card has no message of the appointment's own.
    let begun = match appointment.person {
        Some(person) if !waiting::is_written(tx, &announce::key_of(&own)).await? => {
            format!("{}:{outage}:{person}", AnnouncementKind::OutageBegun)
        }
        _ => own,
    };
    // Who has not heard yet that it began need not hear that it is over.
    let has_heard = !waiting::take_back(tx, &announce::key_of(&begun), now).await?;
    let session = session_store::find_session(tx, appointment.session).await?;
    // Whose session went by meanwhile hears that it did not take place, once it is settled.
    if let Some(session) =
        session.filter(|session| session.closed.is_none() && session.begins_at > now)
        && has_heard
        && appointment.state.is_open()
        && !is_hindered(app, tx, appointment, &session).await?
    {
        let kind = AnnouncementKind::AppointmentResumed;
        let cause = format!("{kind}:{outage}:{}", appointment.id);
        tell::tell_of(app, tx, (kind, &cause), (appointment, &session), now).await?;
        // It says when to come, as the reminder would.
        if now >= session.remind_at {
            store::claim_reminder(tx, appointment.id, now).await?;
        }
    }
    Ok(())
}

/// Whether an outage still keeps somebody from coming: then the end of that one is told.
async fn is_hindered(
    app: &App,
    tx: &mut Tx,
    appointment: &Appointment,
    session: &ServiceSession,
) -> Result<bool, ServiceError> {
    let running = outage_store::list_running(tx).await?;
    Ok(running.iter().any(|outage| {
        session.area.is_within(&outage.area) && concerns(app, outage.kind, &appointment.service)
    }))
}

fn cause(outage: OutageId, appointment: &Appointment) -> String {
    format!("{}:{outage}:{}", AnnouncementKind::OutageBegun, appointment.id)
}

async fn say_begun(
    app: &App,
    tx: &mut Tx,
    outage: &Outage,
    (appointment, session): (&Appointment, &ServiceSession),
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let kind = AnnouncementKind::OutageBegun;
    let Some(contact) = appointment.contact else { return Ok(false) };
    if !app.settings.policy.enabled.contains(&kind) {
        return Ok(false);
    }
    let words = app.templates.vocabulary();
    let name = app.script().visit_name(&appointment.service, Language::Indonesian);
    let document = format!("Janji {} ({name})", appointment.code);
    let values = [
        (
            "addressee",
            words.addressee(None, ChannelKind::Whatsapp),
            words.addressee(None, ChannelKind::Sms),
        ),
        ("document", document.clone(), document),
        ("reason", outage.reason.clone(), outage.reason.clone()),
    ];
    let cause = cause(outage.id, appointment);
    let to = ToContact {
        contact,
        person: appointment.person,
        area: &session.area,
        kind,
        cause: &cause,
        expires_at: Some(session.ends_at),
    };
    announce::plan_for_contact(app, tx, &to, &values, now).await
}
