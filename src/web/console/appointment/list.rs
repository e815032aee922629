//! The sessions of a day or a week, and the month in which the van goes round and recording days are held.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{Datelike as _, Days, Months, NaiveDate};
use serde::Deserialize;

use super::{HERE, Line, Notice, day_name, failed, line, today};
use crate::domain::area::AreaCode;
use crate::domain::officer::Right;
use crate::domain::service_session::SessionKind;
use crate::service::appointment::list_sessions;
use crate::store::service_session::Counted;
use crate::web::Web;
use crate::web::console::area::Names;
use crate::web::console::desk::Desk;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// Days of a week.
const WEEK: u64 = 7;
/// How far the next day with sessions is looked for.
const LOOK_AHEAD: Days = Days::new(31);

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    hari: String,
    #[serde(default)]
    lihat: String,
    #[serde(default)]
    selesai: String,
}

/// The sessions of one day.
struct Day {
    name: String,
    is_today: bool,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "sessions.html", config = "src/web/console/askama.toml")]
struct SessionsPage {
    page: Page,
    notice: Option<Notice>,
    days: Vec<Day>,
    is_week: bool,
    chosen: NaiveDate,
    before: NaiveDate,
    after: NaiveDate,
    /// Where nothing is found: the next day on which there is something, and how one reads it.
    next: Option<(NaiveDate, String)>,
    may_run: bool,
    may_plan: bool,
}

/// A day that can be read and lies where sessions may lie.
fn day_of(text: &str) -> Option<NaiveDate> {
    text.parse::<NaiveDate>().ok().filter(|day| (2020..=2100).contains(&day.year()))
}

async fn by_day(
    web: &Web,
    desk: &Desk,
    page: &Page,
    (from, until): (NaiveDate, NaiveDate),
    fits: impl Fn(&Counted) -> bool,
) -> Result<BTreeMap<NaiveDate, Vec<Line>>, Error> {
    let mut found = match list_sessions(&web.app, &desk.actor, (from, until)).await {
        Ok(found) => found,
        Err(error) => return Err(failed(page, error)),
    };
    found.retain(fits);
    let codes: Vec<AreaCode> = found.iter().map(|one| one.session.area.clone()).collect();
    let names = Names::of(web, &codes).await?;
    let mut days: BTreeMap<NaiveDate, Vec<Line>> = BTreeMap::new();
    for one in &found {
        days.entry(one.session.day).or_default().push(line(web, page, &names, one));
    }
    Ok(days)
}

pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let today = today(&web);
    let chosen = day_of(&asked.hari).unwrap_or(today);
    let is_week = asked.lihat == "minggu";
    let step = Days::new(if is_week { WEEK } else { 1 });
    let (before, after) = (
        chosen.checked_sub_days(step).unwrap_or(chosen),
        chosen.checked_add_days(step).unwrap_or(chosen),
    );
    let last = if is_week { after.pred_opt().unwrap_or(chosen) } else { chosen };
    let mut found = by_day(&web, &desk, &page, (chosen, last), |_| true).await?;
    // A day without sessions is shown where it was asked for by itself.
    if !is_week {
        found.entry(chosen).or_default();
    }
    let mut next = None;
    if found.values().all(Vec::is_empty) {
        let from = last.succ_opt().unwrap_or(last);
        let until = last.checked_add_days(LOOK_AHEAD).unwrap_or(last);
        let later = by_day(&web, &desk, &page, (from, until), |_| true).await?;
        next = later.into_keys().next().map(|day| (day, day_name(&page, day)));
    }
    let days = found.into_iter().map(|(day, lines)| Day {
        name: day_name(&page, day),
        is_today: day == today,
        lines,
    });
    let notice = (asked.selesai == "ditambah").then(|| {
        Notice::good(page.t(
            "Sesi ditambahkan. Warga bisa memesan tempat mulai sekarang.",
            "The session was put down. Citizens can book from now on.",
        ))
    });
    shown(&SessionsPage {
        days: days.collect(),
        notice,
        is_week,
        chosen,
        before,
        after,
        next,
        may_run: desk.may(Right::RunCounter),
        may_plan: desk.may(Right::ChangePoints),
        page,
    })
}

#[derive(Deserialize)]
pub(super) struct Month {
    #[serde(default)]
    bulan: String,
}

#[derive(Template)]
#[template(path = "session_month.html", config = "src/web/console/askama.toml")]
struct MonthPage {
    page: Page,
    name: String,
    before: String,
    after: String,
    days: Vec<Day>,
    may_run: bool,
    may_plan: bool,
}

pub(super) async fn show_month(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Month>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let today = today(&web);
    let first = day_of(&format!("{}-01", asked.bulan)).or_else(|| today.with_day(1));
    let first = first.unwrap_or(today);
    let month = Months::new(1);
    let before = first.checked_sub_months(month).unwrap_or(first);
    let after = first.checked_add_months(month).unwrap_or(first);
    let last = after.pred_opt().unwrap_or(first);
    let goes_out = |one: &Counted| one.session.kind != SessionKind::Counter;
    let found = by_day(&web, &desk, &page, (first, last), goes_out).await?;
    let days = found.into_iter().map(|(day, lines)| Day {
        name: day_name(&page, day),
        is_today: day == today,
        lines,
    });
    shown(&MonthPage {
        days: days.collect(),
        name: page.month(first),
        before: before.format("%Y-%m").to_string(),
        after: after.format("%Y-%m").to_string(),
        may_run: desk.may(Right::RunCounter),
        may_plan: desk.may(Right::ChangePoints),
        page,
    })
}
