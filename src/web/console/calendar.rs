//! `/console/tempat/kalender`: days on which places are closed or open at other hours, by year.
//!
//! Everybody sees the days that hold in their area, also those decreed above it; each changes those of their own.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{Datelike as _, Days, NaiveDate};
use serde::Deserialize;

use super::appointment::Off;
use super::area::{Names, Offer, offers};
use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, show as shown};
use super::point::HERE;
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::calendar::{Span, parse_spans};
use crate::domain::officer::Right;
use crate::service::point::{add_days, remove_day};
use crate::store::holiday::{Holiday, list_holidays};
use crate::web::Web;
use crate::web::error::Error;

/// Days written at once, at most.
const MOST_DAYS: i64 = 62;
/// Longest name of a day.
const LONGEST_NAME: usize = 60;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, change) = (Need::Right(Right::SeePoints), Need::Right(Right::ChangePoints));
    rooms
        .get("/console/tempat/kalender", see, show)
        .post("/console/tempat/kalender", change, add)
        .post("/console/tempat/kalender/hapus", change, remove)
}

struct Line {
    date: NaiveDate,
    /// The same as one reads it.
    day: String,
    weekday: &'static str,
    name: String,
    area: String,
    area_code: String,
    hours: Option<String>,
    is_past: bool,
    may_remove: bool,
}

/// What came of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Saved,
    Removed,
    Days,
    Name,
    Hours,
    Area,
}

#[derive(Template)]
#[template(path = "calendar.html", config = "src/web/console/askama.toml")]
struct CalendarPage {
    page: Page,
    year: i32,
    days: Vec<Line>,
    may_change: bool,
    sees_all: bool,
    areas: Vec<Offer>,
    form: DayForm,
    outcome: Option<Outcome>,
    /// What became of sessions.
    off: Option<String>,
}

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    tahun: Option<i32>,
    #[serde(default)]
    selesai: String,
}

#[derive(Deserialize, Default)]
pub(super) struct DayForm {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    hours: String,
    #[serde(default)]
    area: String,
}

#[derive(Deserialize)]
pub(super) struct Which {
    date: String,
    area: String,
}

/// The days of the week in both languages, from Monday.
pub(super) const WEEKDAYS: ([&str; 7], [&str; 7]) = (
    ["Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"],
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
);

/// What the weekday of a day is called.
pub(super) fn weekday(page: &Page, date: NaiveDate) -> &'static str {
    let names = if page.is_english() { WEEKDAYS.1 } else { WEEKDAYS.0 };
    names.get(date.weekday().num_days_from_monday() as usize).copied().unwrap_or_default()
}

fn this_day(web: &Web) -> NaiveDate {
    web.app.now().in_zone(web.app.zone(None).offset()).date_naive()
}

/// Whether a day holds in somebody's area, or in a part of it.
fn concerns(desk: &Desk, area: Option<&AreaCode>) -> bool {
    area.is_none_or(|area| area.is_within(desk.area()) || desk.area().is_within(area))
}

async fn page_of(
    web: &Web,
    desk: &Desk,
    year: i32,
    form: DayForm,
    (outcome, off): (Option<Outcome>, Off),
) -> Result<Response, Error> {
    let (from, to) = (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31));
    let (Some(from), Some(to)) = (from, to) else { return Err(Error::NotFound) };
    let mut reading = web.app.db.reading().await?;
    let rows = list_holidays(&mut reading, (from, to)).await?;
    drop(reading);
    let rows: Vec<Holiday> =
        rows.into_iter().filter(|day| concerns(desk, day.area.as_ref())).collect();
    let codes: Vec<AreaCode> = rows.iter().filter_map(|day| day.area.clone()).collect();
    let names = Names::of(web, &codes).await?;
    let page = Page::new(web, desk, HERE);
    let today = this_day(web);
    let may_change = desk.may(Right::ChangePoints);
    let days = rows
        .iter()
        .map(|day| Line {
            date: day.date,
            day: page.date(day.date),
            weekday: weekday(&page, day.date),
            name: day.name.clone(),
            area: match &day.area {
                Some(area) => names.show(&page, area),
                None => page.t("semua tempat", "all places").to_owned(),
            },
            area_code: day.area.as_ref().map(ToString::to_string).unwrap_or_default(),
            hours: day.hours.as_deref().map(written),
            is_past: day.date < today,
            may_remove: may_change && desk.covers(web, day.area.as_ref()).is_ok(),
        })
        .collect();
    shown(&CalendarPage {
        off: off.words(&page),
        page,
        year,
        days,
        may_change,
        sees_all: desk.sees_all(web),
        areas: offers(web, desk).await?,
        form,
        outcome,
    })
}

fn written(spans: &[Span]) -> String {
    spans.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
    Query(off): Query<Off>,
) -> Result<Response, Error> {
    let year = asked.tahun.filter(|year| (2000..=2100).contains(year));
    let year = year.unwrap_or_else(|| this_day(&web).year());
    let outcome = match asked.selesai.as_str() {
        "ditambah" => Some(Outcome::Saved),
        "dihapus" => Some(Outcome::Removed),
        _ => None,
    };
    let area = desk.area().to_string();
    let area = if desk.sees_all(&web) { String::new() } else { area };
    page_of(&web, &desk, year, DayForm { area, ..DayForm::default() }, (outcome, off)).await
}

/// The days of a form, or what is wrong with it.
fn days_of(form: &DayForm) -> Result<Vec<Holiday>, Outcome> {
    let from: NaiveDate = form.from.parse().map_err(|_| Outcome::Days)?;
    let to = match form.to.as_str() {
        "" => from,
        day => day.parse().map_err(|_| Outcome::Days)?,
    };
    let length = (to - from).num_days();
    if !(0..MOST_DAYS).contains(&length) || !(2000..=2100).contains(&from.year()) {
        return Err(Outcome::Days);
    }
    let name = form.name.trim();
    let is_fit = (1..=LONGEST_NAME).contains(&name.chars().count());
    if !is_fit || name.chars().any(char::is_control) {
        return Err(Outcome::Name);
    }
    let hours = match form.hours.trim() {
        "" => None,
        hours => Some(parse_spans(hours).map_err(|_| Outcome::Hours)?),
    };
    let area = match form.area.trim() {
        "" => None,
        area => Some(AreaCode::parse(area).map_err(|_| Outcome::Area)?),
    };
    let one = |date| Holiday {
        date,
        area: area.clone(),
        name: name.to_owned(),
        // No hours at all is a day on which it is closed.
        hours: hours.clone().filter(|hours| !hours.is_empty()),
    };
    let length = u64::try_from(length).unwrap_or(0);
    Ok((0..=length).filter_map(|ahead| from.checked_add_days(Days::new(ahead))).map(one).collect())
}

async fn add(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<DayForm>,
) -> Result<Response, Error> {
    let year = this_day(&web).year();
    let days = match days_of(&form) {
        Ok(days) => days,
        Err(outcome) => {
            return page_of(&web, &desk, year, form, (Some(outcome), Off::default())).await;
        }
    };
    let area = days.first().and_then(|day| day.area.clone());
    if desk.covers(&web, area.as_ref()).is_err() {
        let outcome = (Some(Outcome::Area), Off::default());
        return page_of(&web, &desk, year, form, outcome).await;
    }
    let year = days.first().map_or(year, |day| day.date.year());
    let off = Off::query(add_days(&web.app, &days, &desk.actor).await?);
    let to = format!("{HERE}/kalender?tahun={year}&selesai=ditambah{off}");
    Ok(Redirect::to(&to).into_response())
}

async fn remove(
    State(web): State<Web>,
    desk: Desk,
    Filled(which): Filled<Which>,
) -> Result<Response, Error> {
    let date: NaiveDate = which.date.parse().map_err(|_| Error::NotFound)?;
    let area = match which.area.as_str() {
        "" => None,
        area => Some(AreaCode::parse(area).map_err(|_| Error::NotFound)?),
    };
    desk.covers(&web, area.as_ref())?;
    let closed = remove_day(&web.app, date, area.as_ref(), &desk.actor).await?;
    let off = Off::query(closed.ok_or(Error::NotFound)?);
    let to = format!("{HERE}/kalender?tahun={}&selesai=dihapus{off}", date.year());
    Ok(Redirect::to(&to).into_response())
}
