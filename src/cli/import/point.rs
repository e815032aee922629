//! `kabar import service-points` and `holidays`: where citizens are served, and when not.
//!
//! All of a file is taken in or nothing. What a file does not tell of a point stays as it was, so
//! that an older file takes nothing away.

use anyhow::Context as _;
use chrono::{Datelike as _, Days, NaiveDate};
use indicatif::ProgressBar;
use kabar::domain::area::AreaCode;
use kabar::domain::calendar::{Span, Week, parse_spans};
use kabar::domain::message::ChannelKind;
use kabar::domain::officer::Actor;
use kabar::domain::raw_update::parse_day;
use kabar::domain::service_point::{GeoPoint, PointService, PointState, PointStatus};
use kabar::service::App;
use kabar::service::appointment::Closed;
use kabar::service::point::{look_anew, write_days};
use kabar::source::spreadsheet::{HolidayRow, Rows, ServicePointRow};
use kabar::store::holiday::{Holiday, find_holiday};
use kabar::store::service_point::{self, Change, Detail, ServicePoint};
use kabar::template::Vocabulary;

use super::super::point::called_off;
use super::report::Count;
use super::{Args, LONGEST_TEXT, place};

/// Days that one row of holidays may cover.
const LONGEST_HOLIDAY: u64 = 62;
/// Who set the state of a point that came with a file.
const IMPORT: &str = "import";

type Fault = (&'static str, String);

pub(super) async fn points(
    app: &App,
    args: &Args,
    rows: &mut Rows<'_>,
    bar: &ProgressBar,
) -> anyhow::Result<Count> {
    let mut count = Count::default();
    let mut tx = app.db.begin().await?;
    while let Some(row) = rows.next() {
        let row = row.context("the file breaks off; nothing was changed")?;
        match check_point(row.to_service_point(), app.templates.vocabulary()) {
            Err((code, message)) => count.reject(place(&row), code, &message),
            Ok((mut point, status)) => {
                let known = service_point::find_with_condition(&mut tx, &point.code).await?;
                // What somebody closed by hand is opened by hand; a file made before knows nothing of it.
                let is_closed_by_hand = known.as_ref().is_some_and(|(_, condition)| {
                    condition.state.status == PointStatus::Closed
                        && condition.said_by.as_deref() != Some(IMPORT)
                });
                let status = status.filter(|_| !is_closed_by_hand);
                let mut is_same = false;
                if let Some((known, condition)) = &known {
                    point.detail = point.detail.or(known.detail.clone());
                    is_same = *known == point
                        && status.is_none_or(|status| status == condition.state.status);
                }
                match known {
                    None => count.new += 1,
                    Some(_) if is_same => count.unchanged += 1,
                    Some(_) => count.changed += 1,
                }
                if !is_same {
                    let now = app.now();
                    service_point::upsert_point(&mut tx, &point, now).await?;
                    if let Some(status) = status {
                        let state = PointState { status, until: None, because: None };
                        let change = Change::State(state);
                        let code = &point.code;
                        service_point::set_condition(&mut tx, code, &change, IMPORT, now).await?;
                    }
                    look_anew(app, &mut tx, &point.code).await?;
                }
            }
        }
        bar.set_position(rows.reached());
    }
    if args.dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(count)
}

fn check_point(
    row: ServicePointRow,
    words: &Vocabulary,
) -> Result<(ServicePoint, Option<PointStatus>), Fault> {
    let week = week(&row.weekdays)?;
    for (name, text) in [("code", &row.code), ("name", &row.name)] {
        if text.trim().is_empty() {
            return Err(("missing_field", format!("{name} is required")));
        }
    }
    if row.hours.trim().is_empty() && week.is_none() {
        return Err(("missing_field", "hours is required, in words or by weekday".to_owned()));
    }
    let texts = [
        &row.code,
        &row.name,
        &row.short_name,
        &row.hours,
        &row.hours_short,
        &row.address,
        &row.schedule,
        &row.contact,
    ];
    if texts.iter().any(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(("too_long", format!("a text has more than {LONGEST_TEXT} characters")));
    }
    let area = AreaCode::parse(&row.area).map_err(|error| ("invalid_area", error.to_string()))?;
    let map = match (row.latitude.is_empty(), row.longitude.is_empty()) {
        (true, true) => None,
        _ => Some(
            GeoPoint::parse(&row.latitude, &row.longitude)
                .map_err(|error| ("invalid_place", error.to_string()))?,
        ),
    };
    let services = PointService::parse_list(&row.services).map_err(|word| {
        let known: Vec<&str> = PointService::ALL.iter().map(|s| s.as_str()).collect();
        ("unknown_service", format!("`{word}` is no service: {}", known.join(", ")))
    })?;
    let status = match row.status.trim().to_lowercase().as_str() {
        "" => None,
        "running" | "berjalan" | "aktif" | "buka" => Some(PointStatus::Running),
        "preparation" | "persiapan" | "disiapkan" => Some(PointStatus::Preparation),
        _ => {
            let what = "status is running (berjalan) or preparation (persiapan); \
                        `kabar point close` closes a point";
            return Err(("invalid_status", what.to_owned()));
        }
    };
    let or = |text: String, other: String| if text.is_empty() { other } else { text };
    let optional = |text: String| (!text.is_empty()).then_some(text);
    let said = |channel| week.as_ref().map_or_else(String::new, |week| words.week(week, channel));
    let hours = or(row.hours.clone(), said(ChannelKind::Whatsapp));
    // Where the office words its hours itself, the same words stand in an SMS.
    let hours_short = if row.hours.is_empty() { said(ChannelKind::Sms) } else { row.hours };
    let point = ServicePoint {
        short_name: or(row.short_name, row.name.clone()),
        hours_short: or(row.hours_short, hours_short),
        address: optional(row.address),
        code: row.code,
        name: row.name,
        area,
        hours,
        detail: Detail {
            week,
            map,
            services,
            schedule: optional(row.schedule),
            contact: optional(row.contact),
        },
    };
    Ok((point, status))
}

/// The hours of a week; nothing where no weekday says anything.
fn week(raw: &[String; 7]) -> Result<Option<Week>, Fault> {
    if raw.iter().all(|day| day.trim().is_empty()) {
        return Ok(None);
    }
    let mut days: [Vec<Span>; 7] = Default::default();
    for (day, raw) in days.iter_mut().zip(raw) {
        *day = parse_spans(raw).map_err(|error| ("invalid_hours", error.to_string()))?;
    }
    let week = Week::new(days);
    if week.is_empty() {
        return Err(("invalid_hours", "the point is never open: give hours on some day".into()));
    }
    Ok(Some(week))
}

pub(super) async fn holidays(
    app: &App,
    args: &Args,
    rows: &mut Rows<'_>,
    bar: &ProgressBar,
) -> anyhow::Result<Count> {
    let mut count = Count::default();
    let mut written = Vec::new();
    let mut tx = app.db.begin().await?;
    while let Some(row) = rows.next() {
        let row = row.context("the file breaks off; nothing was changed")?;
        match check_holiday(&row.to_holiday()) {
            Err((code, message)) => count.reject(place(&row), code, &message),
            Ok(days) => {
                for day in days {
                    match find_holiday(&mut tx, day.date, day.area.as_ref()).await? {
                        None => count.new += 1,
                        Some(known) if known == day => {
                            count.unchanged += 1;
                            continue;
                        }
                        Some(_) => count.changed += 1,
                    }
                    written.push(day);
                }
            }
        }
        bar.set_position(rows.reached());
    }
    let closed = write_days(app, &mut tx, &written, &Actor::cli()).await?;
    if closed != Closed::default() {
        let would = if args.dry_run { "nothing was written; it would be: " } else { "" };
        eprintln!("note: {would}{}", called_off(closed));
    }
    if args.dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(count)
}

/// The days of a row, one each.
fn check_holiday(row: &HolidayRow) -> Result<Vec<Holiday>, Fault> {
    let day = |raw: &str| {
        parse_day(raw).ok_or(("invalid_date", "a day is written like 2026-12-24".to_owned()))
    };
    if row.name.trim().is_empty() {
        return Err(("missing_field", "name is required: citizens are told it".to_owned()));
    }
    if row.name.chars().count() > LONGEST_TEXT {
        return Err(("too_long", format!("the name has more than {LONGEST_TEXT} characters")));
    }
    let first = day(&row.date)?;
    let last = if row.until.trim().is_empty() { first } else { day(&row.until)? };
    let area = match row.area.trim() {
        "" => None,
        area => Some(AreaCode::parse(area).map_err(|e| ("invalid_area", e.to_string()))?),
    };
    let hours = parse_spans(&row.hours).map_err(|error| ("invalid_hours", error.to_string()))?;
    let week = week(&row.weekdays)?;
    if last < first || (last - first).num_days().unsigned_abs() > LONGEST_HOLIDAY {
        let what = format!("the last day is before the first, or over {LONGEST_HOLIDAY} days on");
        return Err(("invalid_date", what));
    }
    let days = (0..).map_while(|ahead| {
        first.checked_add_days(Days::new(ahead)).filter(|day: &NaiveDate| *day <= last)
    });
    Ok(days
        .map(|date| {
            let spans = week.as_ref().map_or(hours.as_slice(), |week| week.hours(date.weekday()));
            Holiday {
                date,
                area: area.clone(),
                name: row.name.trim().to_owned(),
                hours: (!spans.is_empty()).then(|| spans.to_vec()),
            }
        })
        .collect())
}
