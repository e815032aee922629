//! The weekly hours of counters, and the sessions that are laid out from them: never on a day on which the point is
//! closed, and no day twice.

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, Weekday};

use super::{AppointmentError, moment, remind_at};
use crate::domain::audit::Action;
use crate::domain::calendar::Calendar;
use crate::domain::id::SessionPlanId;
use crate::domain::officer::{Actor, Right};
use crate::domain::service_point::{PointService, PointStatus};
use crate::domain::service_session::{
    ServiceSession, SessionKind, SessionPlan, check, held_of, held_or,
};
use crate::service::officer::note;
use crate::service::point::session_hours;
use crate::service::{App, ServiceError};
use crate::store::holiday::list_holidays;
use crate::store::service_point::{Condition, ServicePoint, find_with_condition, lock_point};
use crate::store::service_session as store;
use crate::store::{StoreError, Tx, session_plan};

/// Plans looked at in one round.
const BATCH: i64 = 50;

/// The weekly hours of a counter, about to be written down.
#[derive(Clone, Debug)]
pub struct NewPlan {
    /// Code of the point.
    pub point: String,
    /// On which weekday.
    pub weekday: Weekday,
    /// From when to when.
    pub window: (NaiveTime, NaiveTime),
    /// What is done.
    pub services: Vec<PointService>,
    /// Places of each session.
    pub quota: i64,
    /// Of these, kept from the chat; none for the office's share.
    pub held: Option<i64>,
}

/// A point for somebody who has a right where it is.
pub(super) async fn find_point(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    right: Right,
    code: &str,
) -> Result<(ServicePoint, Condition), AppointmentError> {
    if !actor.may(right) {
        return Err(AppointmentError::Forbidden);
    }
    let point = find_with_condition(tx, code).await?.ok_or(AppointmentError::Point)?;
    if actor.covers(Some(&point.0.area), &app.settings.office_area) {
        Ok(point)
    } else {
        Err(AppointmentError::Point)
    }
}

/// Writes down weekly hours of counters, all or none; their sessions are laid out with the next round.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn add_plans(
    app: &App,
    actor: &Actor,
    plans: Vec<NewPlan>,
) -> Result<Vec<SessionPlanId>, AppointmentError> {
    let mut tx = app.db.begin().await?;
    let mut ids = Vec::new();
    for new in plans {
        ids.push(write_plan(app, &mut tx, actor, new).await?);
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(ids)
}

async fn write_plan(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    new: NewPlan,
) -> Result<SessionPlanId, AppointmentError> {
    check(new.window, &new.services, new.quota)?;
    held_or(new.quota, new.held, 0)?;
    let now = app.now();
    find_point(app, tx, actor, Right::ChangePoints, &new.point).await?;
    // Of two who write down the same at once the second waits, and finds what the first wrote.
    lock_point(tx, &app.db, &new.point).await?;
    let known = session_plan::list_plans(tx, &new.point).await?;
    if let Some(other) = known.into_iter().find(|other| is_doubled(&new, other)) {
        return Err(AppointmentError::Planned(Box::new(other)));
    }
    let plan = SessionPlan {
        id: app.ids.next(now),
        point: new.point,
        weekday: new.weekday,
        from: new.window.0,
        to: new.window.1,
        services: new.services,
        quota: new.quota,
        held: new.held,
        made_at: now,
        made_by: actor.id.clone(),
    };
    session_plan::insert_plan(tx, &plan).await?;
    let (object, detail) = (plan.id.to_string(), format!("{} {}", plan.point, plan.weekday));
    note(app, tx, actor, Action::PlannedSessions, &object, Some(&detail)).await?;
    Ok(plan.id)
}

/// Whether the same people would be served twice: the hours overlap, for something that both do.
fn is_doubled(new: &NewPlan, other: &SessionPlan) -> bool {
    new.weekday == other.weekday
        && new.window.0 < other.to
        && other.from < new.window.1
        && new.services.iter().any(|service| other.services.contains(service))
}

/// Ends a plan: nothing more is laid out, and what nobody asked for yet is taken back.
///
/// # Errors
/// [`AppointmentError`] with what stands in the way.
pub async fn end_plan(app: &App, actor: &Actor, id: SessionPlanId) -> Result<(), AppointmentError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let plan = session_plan::find_plan(&mut tx, id).await?.ok_or(AppointmentError::NotFound)?;
    find_point(app, &mut tx, actor, Right::ChangePoints, &plan.point).await?;
    session_plan::end_plan(&mut tx, id, &actor.id, now).await?;
    store::delete_unused(&mut tx, id, now).await?;
    note(app, &mut tx, actor, Action::EndedPlan, &id.to_string(), Some(&plan.point)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// The weekly hours of a point's counter.
///
/// # Errors
/// [`AppointmentError`] when the point is not theirs to see.
pub async fn list_plans(
    app: &App,
    actor: &Actor,
    point: &str,
) -> Result<Vec<SessionPlan>, AppointmentError> {
    let mut tx = app.db.begin().await?;
    find_point(app, &mut tx, actor, Right::SeePoints, point).await?;
    let plans = session_plan::list_plans(&mut tx, point).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    Ok(plans)
}

/// Lays out what is missing of the days ahead; returns how many plans were looked at.
pub(super) async fn lay_out(app: &App) -> Result<u64, ServiceError> {
    let now = app.now();
    let today = now.in_zone(app.zone(None).offset()).date_naive();
    let ahead = Days::new(app.settings.appointment.days_ahead);
    let up_to = today.checked_add_days(ahead).unwrap_or(today);
    let mut count = 0;
    for id in session_plan::list_to_lay_out(&app.db, up_to, BATCH).await? {
        let mut tx = app.db.begin().await?;
        let Some(laid_to) = session_plan::lock_laid_to(&mut tx, &app.db, id).await? else {
            continue;
        };
        let Some(plan) = session_plan::find_plan(&mut tx, id).await? else { continue };
        let first = laid_to.and_then(|day| day.succ_opt()).map_or(today, |day| day.max(today));
        if let Some(point) = find_with_condition(&mut tx, &plan.point).await? {
            lay_out_plan(app, &mut tx, (&plan, &point), (first, up_to)).await?;
        }
        session_plan::set_laid_to(&mut tx, id, up_to).await?;
        tx.commit().await.map_err(StoreError::from)?;
        count += 1;
    }
    Ok(count)
}

async fn lay_out_plan(
    app: &App,
    tx: &mut Tx,
    (plan, point): (&SessionPlan, &(ServicePoint, Condition)),
    (first, last): (NaiveDate, NaiveDate),
) -> Result<(), ServiceError> {
    let now = app.now();
    // A point that does not serve yet lays nothing out; one that is closed says until when.
    if point.1.state.status == PointStatus::Preparation {
        return Ok(());
    }
    // The days around say whether hours are of a day alone.
    let around = (
        first.checked_sub_days(Days::new(8)).unwrap_or(first),
        last.checked_add_days(Days::new(8)).unwrap_or(last),
    );
    let calendar = session_hours(point, &list_holidays(tx, around).await?);
    for day in first.iter_days().take_while(|day| *day <= last) {
        if day.weekday() != plan.weekday {
            continue;
        }
        let Some((from, to)) = open_window(plan, &calendar, day) else { continue };
        let area = &point.0.area;
        let session = ServiceSession {
            id: app.ids.next(now),
            kind: SessionKind::Counter,
            point: Some(plan.point.clone()),
            plan: Some(plan.id),
            place: point.0.name.clone(),
            place_short: point.0.short_name.clone(),
            area: area.clone(),
            map: point.0.detail.map,
            day,
            from,
            to,
            begins_at: moment(area, day.and_time(from)),
            ends_at: moment(area, day.and_time(to)),
            remind_at: remind_at(app, area, day),
            services: plan.services.clone(),
            quota: plan.quota,
            held: plan
                .held
                .unwrap_or_else(|| held_of(plan.quota, app.settings.appointment.held_percent)),
            made_at: now,
            made_by: "plan".to_owned(),
            closed: None,
            settled_at: None,
        };
        if session.begins_at > now {
            store::insert_session(tx, &session).await?;
        }
    }
    Ok(())
}

/// As much of a plan's hours as the point is open on a day; nothing when it is closed.
fn open_window(
    plan: &SessionPlan,
    calendar: &Calendar,
    day: NaiveDate,
) -> Option<(NaiveTime, NaiveTime)> {
    let (spans, _) = calendar.hours_on(day);
    let from = spans.first()?.from.max(plan.from);
    let to = spans.last()?.to.min(plan.to);
    (from < to).then_some((from, to))
}
