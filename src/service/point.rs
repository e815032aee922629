//! The places that serve citizens, as facts for an answer: the nearest first, each with its
//! calendar and how it is today.
//!
//! Puts rows together and changes how a place is; which of them an answer names is decided by the
//! dialogue.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::appointment::closing::{self, Closed};
use super::officer::note;
use super::{App, ServiceError};
use crate::dialogue::{AreaFact, PointFact};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::calendar::{Calendar, Closure, SpecialDay, Week};
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
use crate::domain::officer::Actor;
use crate::domain::reason::check_reason;
use crate::domain::service_point::{BlankoStock, PointState, PointStatus};
use crate::store::area::list_names;
use crate::store::holiday::{Holiday, delete_holiday, list_holidays, upsert_holiday};
use crate::store::service_point::{Change, Condition, ServicePoint, list_nearest, set_condition};
use crate::store::service_session::Points;
use crate::store::session_plan::lay_anew;
use crate::store::{StoreError, Tx};

/// Points looked at for one question.
const MAX_POINTS: i64 = 500;
/// Facts handed to the dialogue.
const MAX_FACTS: usize = 60;
/// Areas of one kabupaten, desa and all; the largest has some 850.
const MAX_AREAS: i64 = 1_500;
/// What was said of the stock of blank cards so many days ago says nothing about today.
const STOCK_HOLDS: i64 = 30;
/// How far ahead holidays are looked at.
const LOOK_AHEAD: Days = Days::new(400);
/// The points on file, the nearest to that area first.
///
/// # Errors
/// When the database fails.
pub async fn facts(
    app: &App,
    tx: &mut Tx,
    area: &AreaCode,
    now: Timestamp,
) -> Result<Vec<PointFact>, ServiceError> {
    let near = if area.plain().is_empty() { &app.settings.office_area } else { area };
    let mut points = list_nearest(tx, near, MAX_POINTS).await?;
    points.sort_by_key(|(point, _)| {
        (usize::MAX - shared(&point.area, near), point.area.plain().len(), point.code.clone())
    });
    points.truncate(MAX_FACTS);
    if points.is_empty() {
        return Ok(Vec::new());
    }
    let today = now.in_zone(near.zone().offset()).date_naive();
    let end = today.checked_add_days(LOOK_AHEAD).unwrap_or(today);
    // A day earlier, for a place whose clock is behind.
    let start = today.pred_opt().unwrap_or(today);
    let holidays = list_holidays(tx, (start, end)).await?;
    Ok(points.into_iter().map(|point| fact(point, &holidays, now)).collect())
}

/// What the areas of the asker's kabupaten are called, with and without a point.
///
/// # Errors
/// When the database fails.
pub async fn areas(app: &App, tx: &mut Tx, area: &AreaCode) -> Result<Vec<AreaFact>, ServiceError> {
    let near = if area.plain().is_empty() { &app.settings.office_area } else { area };
    let Some(kabupaten) = near.kabupaten() else { return Ok(Vec::new()) };
    let names = list_names(tx, &kabupaten, MAX_AREAS).await?;
    Ok(names.into_iter().map(|(code, name)| AreaFact { code, name }).collect())
}

/// How many levels of the tree two areas have in common, in digits.
pub(super) fn shared(one: &AreaCode, other: &AreaCode) -> usize {
    [10, 6, 4, 2]
        .into_iter()
        .find(|end| {
            let (one, other) = (one.plain().get(..*end), other.plain().get(..*end));
            one.is_some() && one == other
        })
        .unwrap_or(0)
}

fn fact(
    (point, condition): (ServicePoint, Condition),
    holidays: &[Holiday],
    now: Timestamp,
) -> PointFact {
    let at = now.in_zone(point.area.zone().offset()).naive_local();
    fact_at((point, condition), holidays, at)
}

/// The same at a moment of the place's own clock.
fn fact_at(
    (point, condition): (ServicePoint, Condition),
    holidays: &[Holiday],
    at: NaiveDateTime,
) -> PointFact {
    let zone = point.area.zone().offset();
    let state = condition.state.on(at.date());
    let as_of = condition.blanko_at.map(|at| at.in_zone(zone).date_naive());
    let is_old = as_of.is_none_or(|as_of| (at.date() - as_of).num_days() > STOCK_HOLDS);
    let blanko = if is_old { BlankoStock::Unknown } else { condition.blanko };
    PointFact {
        calendar: calendar(&point, &state, holidays),
        name: point.name,
        short_name: point.short_name,
        area: point.area,
        address: point.address,
        hours: (point.hours, point.hours_short),
        at,
        services: point.detail.services,
        state,
        blanko: (blanko, as_of),
        schedule: point.detail.schedule,
        contact: point.detail.contact,
        place: point.detail.map,
    }
}

fn calendar(point: &ServicePoint, state: &PointState, holidays: &[Holiday]) -> Option<Calendar> {
    let week = point.detail.week.clone()?;
    let mut special: BTreeMap<NaiveDate, SpecialDay> = BTreeMap::new();
    // In the order of their areas, the widest first: what is said nearer by holds.
    for day in holidays {
        if day.area.as_ref().is_none_or(|area| point.area.is_within(area)) {
            let (name, hours) = (day.name.clone(), day.hours.clone());
            special.insert(day.date, SpecialDay { name, hours });
        }
    }
    let closure = (state.status == PointStatus::Closed).then(|| Closure {
        until: state.until,
        because: state.because.clone().unwrap_or_default(),
    });
    Some(Calendar { week, special, closure })
}

/// The hours in which there can be sessions at a place: where none are known, any hour but of days on which it is
/// closed.
pub(super) fn session_hours(
    (point, condition): &(ServicePoint, Condition),
    holidays: &[Holiday],
) -> Calendar {
    let mut point = point.clone();
    point.detail.week.get_or_insert_with(Week::always);
    calendar(&point, &condition.state, holidays).unwrap_or_default()
}

/// The day on which a place opens again that is closed all day; none while it is open, or no hours are known.
///
/// # Errors
/// When the database fails.
pub(super) async fn reopening(
    tx: &mut Tx,
    point: &ServicePoint,
    condition: &Condition,
    at: Timestamp,
) -> Result<Option<NaiveDate>, ServiceError> {
    if point.detail.week.is_none() {
        return Ok(None);
    }
    let at = at.in_zone(point.area.zone().offset()).naive_local();
    let end = at.date().checked_add_days(LOOK_AHEAD).unwrap_or(at.date());
    let holidays = list_holidays(tx, (at.date(), end)).await?;
    let Some(calendar) = calendar(point, &condition.state.on(at.date()), &holidays) else {
        return Ok(None);
    };
    let is_open = !calendar.hours_on(at.date()).0.is_empty();
    Ok(calendar.next_opening(at).filter(|_| !is_open).map(|at| at.date()))
}

/// When the nearest place with known hours opens next, in words; nothing while it is open, and
/// where no hours are known.
///
/// # Errors
/// When the database fails.
pub async fn office_opens(
    app: &App,
    tx: &mut Tx,
    area: &AreaCode,
    language: Language,
    now: Timestamp,
) -> Result<Option<String>, ServiceError> {
    let zone = if area.plain().is_empty() { app.zone(None) } else { app.zone(Some(area)) };
    let words = app.templates.vocabulary().speaking(language);
    for point in facts(app, tx, area, now).await? {
        let is_serving = point.state.status == PointStatus::Running && point.schedule.is_none();
        let Some(calendar) = point.calendar.filter(|_| is_serving) else { continue };
        if calendar.is_open(point.at) {
            return Ok(None);
        }
        if let Some(next) = calendar.next_opening(point.at) {
            let time = words.window(Some(next.time()), None, zone);
            return Ok(Some(format!("{}, {time}", words.date(next.date()))));
        }
    }
    Ok(None)
}

/// How a place is to be from now on, checked.
///
/// # Errors
/// What does not fit, and what to do.
pub fn check_state(
    status: PointStatus,
    until: Option<NaiveDate>,
    because: Option<&str>,
    today: NaiveDate,
) -> Result<PointState, String> {
    let because = because.map(str::trim).filter(|because| !because.is_empty());
    if status != PointStatus::Closed && (until.is_some() || because.is_some()) {
        return Err("until and because belong to `closed` only".into());
    }
    if status == PointStatus::Closed && because.is_none() {
        return Err("say why it is closed: citizens are told the reason".into());
    }
    if until.is_some_and(|until| until < today) {
        return Err("the last day of the closure has passed: give one to come".into());
    }
    let because = because.map(check_reason).transpose();
    Ok(PointState { status, until, because: because.map_err(|error| error.to_string())? })
}

/// A place as the API has it.
#[must_use]
pub fn described(point: &ServicePoint, condition: &Condition) -> serde_json::Value {
    let (detail, state) = (&point.detail, &condition.state);
    let services: Vec<&str> = detail.services.iter().map(|service| service.as_str()).collect();
    let moment = |at: Option<Timestamp>| {
        at.map(|at| at.utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    };
    serde_json::json!({
        "code": point.code, "name": point.name, "area": point.area.to_string(),
        "address": point.address, "hours": point.hours,
        "week": detail.week.as_ref().map(ToString::to_string),
        "map": detail.map.as_ref().map(ToString::to_string),
        "services": services, "schedule": detail.schedule, "contact": detail.contact,
        "status": state.status.as_str(), "until": state.until.map(|day| day.to_string()),
        "because": state.because, "blanko": condition.blanko.as_str(),
        "blanko_as_of": moment(condition.blanko_at),
        "said_at": moment(condition.said_at), "said_by": condition.said_by,
    })
}

/// Changes how a place is; sessions of days on which it is closed now are called off. Gives which; nothing when there
/// is no such place.
///
/// # Errors
/// When the database fails.
pub async fn change(
    app: &App,
    code: &str,
    changes: &[Change],
    actor: &Actor,
) -> Result<Option<Closed>, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let is_state = changes.iter().any(|change| matches!(change, Change::State(_)));
    let before = if is_state {
        Some(closing::before(app, &mut tx, closing::all_days_of(app, code)).await?)
    } else {
        None
    };
    for change in changes {
        if !set_condition(&mut tx, code, change, &actor.id, now).await? {
            tx.rollback().await.map_err(StoreError::from)?;
            return Ok(None);
        }
        let detail = match change {
            Change::State(state) => match state.until {
                Some(until) => format!("{} {until}", state.status),
                None => state.status.to_string(),
            },
            Change::Blanko(stock) => format!("blanko {stock}"),
        };
        note(app, &mut tx, actor, Action::ChangedPoint, code, Some(&detail)).await?;
    }
    let closed = match before {
        Some(before) => closing::after(app, &mut tx, actor, before).await?,
        None => Closed::default(),
    };
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Some(closed))
}

/// Has the plans of a place looked at anew, as something about it changed: what they lay out now is laid out.
///
/// # Errors
/// When the database fails.
pub async fn look_anew(app: &App, tx: &mut Tx, code: &str) -> Result<(), ServiceError> {
    Ok(lay_anew(tx, &closing::all_days_of(app, code)).await?)
}

/// Puts days of one area into the calendar, new or changed; gives which sessions are called off by it.
///
/// # Errors
/// When the database fails.
pub async fn add_days(app: &App, days: &[Holiday], actor: &Actor) -> Result<Closed, ServiceError> {
    let mut tx = app.db.begin().await?;
    let closed = write_days(app, &mut tx, days, actor).await?;
    for day in days {
        let hours = if day.hours.is_some() { "other hours" } else { "closed" };
        let object = named(day.date, day.area.as_ref());
        note(app, &mut tx, actor, Action::ChangedCalendar, &object, Some(hours)).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(closed)
}

/// Writes days of any areas into the calendar, in a transaction of the caller's; gives which sessions are called off by
/// it.
///
/// # Errors
/// When the database fails.
pub async fn write_days(
    app: &App,
    tx: &mut Tx,
    days: &[Holiday],
    actor: &Actor,
) -> Result<Closed, ServiceError> {
    let Some(points) = points_of(days) else { return Ok(Closed::default()) };
    let before = closing::before(app, tx, points).await?;
    for day in days {
        upsert_holiday(tx, day, app.now()).await?;
    }
    closing::after(app, tx, actor, before).await
}

/// Where and from when to when days of the calendar change something; nothing where there are none.
fn points_of(days: &[Holiday]) -> Option<Points> {
    let first = days.iter().map(|day| day.date).min()?;
    let last = days.iter().map(|day| day.date).max()?;
    let area = days.first().and_then(|day| day.area.clone());
    let area = area.filter(|area| days.iter().all(|day| day.area.as_ref() == Some(area)));
    Some(Points { code: None, area, days: (first, last) })
}

/// Takes a day out of the calendar; nothing when it does not stand there. Sessions are laid out for it again, and one
/// that was called off stays so; those that were held in the hours of that day alone are called off, and counted.
///
/// # Errors
/// When the database fails.
pub async fn remove_day(
    app: &App,
    date: NaiveDate,
    area: Option<&AreaCode>,
    actor: &Actor,
) -> Result<Option<Closed>, ServiceError> {
    let mut tx = app.db.begin().await?;
    let points = Points { code: None, area: area.cloned(), days: (date, date) };
    let before = closing::before(app, &mut tx, points).await?;
    if !delete_holiday(&mut tx, date, area).await? {
        return Ok(None);
    }
    let object = named(date, area);
    note(app, &mut tx, actor, Action::ChangedCalendar, &object, Some("removed")).await?;
    // Hours of the day alone may have opened the place.
    let closed = closing::after(app, &mut tx, actor, before).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Some(closed))
}

/// Under which name a day of the calendar stands in the audit log.
fn named(date: NaiveDate, area: Option<&AreaCode>) -> String {
    area.map_or_else(|| date.to_string(), |area| format!("{date} {area}"))
}

/// What citizens who ask are told of a place at some moment of its clock, today's question or another day's.
///
/// # Errors
/// When the database fails.
pub async fn told(
    app: &App,
    point: (ServicePoint, Condition),
    at: &[NaiveDateTime],
    language: Language,
) -> Result<Vec<String>, ServiceError> {
    let mut tx = app.db.begin().await?;
    let (from, to) = (at.iter().min(), at.iter().max());
    let day = |at: Option<&NaiveDateTime>| at.map_or(NaiveDate::MIN, NaiveDateTime::date);
    let end = day(to).checked_add_days(LOOK_AHEAD).unwrap_or(NaiveDate::MAX);
    let holidays = list_holidays(&mut tx, (day(from), end)).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    let one = |at: &NaiveDateTime| {
        let fact = fact_at(point.clone(), &holidays, *at);
        app.script().hours_of(&fact, language)
    };
    Ok(at.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearness_is_counted_by_levels_and_not_by_digits() {
        let area = |raw| AreaCode::parse(raw).unwrap();
        let asker = area("35.17.08.2014");
        assert_eq!(shared(&area("35.17.08"), &asker), 6);
        assert_eq!(shared(&area("35.17.09"), &asker), 4, "09 and 08 share a digit, not a level");
        assert_eq!(shared(&area("35.17"), &asker), 4);
        assert_eq!(shared(&area("36.03"), &asker), 0);
    }

    #[test]
    fn a_closure_needs_a_reason_and_a_day_to_come() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day);
        let today = day(23).unwrap();
        let check = |status, until, because| check_state(status, until, because, today);
        assert!(check(PointStatus::Closed, day(23), Some("renovasi")).is_ok());
        assert!(check(PointStatus::Closed, None, Some("renovasi")).is_ok());
        assert!(check(PointStatus::Closed, day(22), Some("renovasi")).is_err());
        assert!(check(PointStatus::Closed, None, Some("  ")).is_err());
        assert!(check(PointStatus::Closed, None, Some("a\nb")).is_err());
        assert!(check(PointStatus::Closed, None, Some("info di WWW.x.id")).is_err());
        assert!(check(PointStatus::Running, None, Some("renovasi")).is_err());
        assert!(check(PointStatus::Preparation, None, None).is_ok());
    }
}
