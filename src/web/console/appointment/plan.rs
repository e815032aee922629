//! The weekly hours of a point's counter: on which days, from when to when, for how many; and their end.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::Weekday;
use serde::Deserialize;

use super::{
    Fields, Notice, Tick, clock, failed, field, has, refused, services_of, terms_of, ticks,
};
use crate::domain::officer::Right;
use crate::domain::service_session::SessionPlan;
use crate::service::appointment::{AppointmentError, NewPlan, add_plans, end_plan, list_plans};
use crate::store::service_point::find_with_condition;
use crate::web::Web;
use crate::web::console::calendar::WEEKDAYS;
use crate::web::console::desk::Desk;
use crate::web::console::form::Filled;
use crate::web::console::page::{Page, show as shown};
use crate::web::console::point::{HERE as POINTS, service_name};
use crate::web::error::Error;

const WEEK: [(Weekday, &str); 7] = [
    (Weekday::Mon, "mon"),
    (Weekday::Tue, "tue"),
    (Weekday::Wed, "wed"),
    (Weekday::Thu, "thu"),
    (Weekday::Fri, "fri"),
    (Weekday::Sat, "sat"),
    (Weekday::Sun, "sun"),
];

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

/// A plan as its page shows it.
struct PlanLine {
    id: String,
    weekday: &'static str,
    hours: String,
    services: String,
    quota: i64,
    held: Option<i64>,
}

#[derive(Template)]
#[template(path = "plans.html", config = "src/web/console/askama.toml")]
struct PlansPage {
    page: Page,
    notice: Option<Notice>,
    code: String,
    name: String,
    plans: Vec<PlanLine>,
    days: Vec<Tick>,
    services: Vec<Tick>,
    days_ahead: u64,
    share: i64,
    may_plan: bool,
    fields: Fields,
}

impl PlansPage {
    fn value(&self, name: &str) -> &str {
        field(&self.fields, name)
    }
}

pub(super) fn weekday_name(page: &Page, day: Weekday) -> &'static str {
    let names = if page.is_english() { WEEKDAYS.1 } else { WEEKDAYS.0 };
    names.get(day.num_days_from_monday() as usize).copied().unwrap_or_default()
}

fn plan_line(page: &Page, zone: &str, plan: &SessionPlan) -> PlanLine {
    let services: Vec<&str> =
        plan.services.iter().map(|service| service_name(page, *service)).collect();
    PlanLine {
        id: plan.id.to_string(),
        weekday: weekday_name(page, plan.weekday),
        hours: format!("{}–{} {zone}", clock(plan.from), clock(plan.to)),
        services: services.join(", "),
        quota: plan.quota,
        held: plan.held,
    }
}

async fn plans_page(
    web: &Web,
    desk: &Desk,
    code: &str,
    (fields, notice): (Fields, Option<Notice>),
) -> Result<Response, Error> {
    let page = Page::new(web, desk, POINTS);
    let plans = match list_plans(&web.app, &desk.actor, code).await {
        Ok(plans) => plans,
        Err(AppointmentError::Point) => return Err(Error::NotFound),
        Err(error) => return Err(failed(&page, error)),
    };
    let found = find_with_condition(&mut *web.app.db.reading().await?, code).await?;
    let (point, _) = found.ok_or(Error::NotFound)?;
    let zone = point.area.zone().label();
    let days = WEEK.map(|(day, word)| Tick {
        word,
        name: weekday_name(&page, day),
        is_chosen: has(&fields, "day", word),
    });
    shown(&PlansPage {
        notice,
        plans: plans.iter().map(|plan| plan_line(&page, zone, plan)).collect(),
        code: point.code,
        name: point.name,
        days: days.into_iter().collect(),
        services: ticks(&page, &fields),
        days_ahead: web.app.settings.appointment.days_ahead,
        share: web.app.settings.appointment.held_percent,
        may_plan: desk.may(Right::ChangePoints),
        fields,
        page,
    })
}

pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, POINTS);
    let words = match done.selesai.as_str() {
        "ditambah" => Some(page.t(
            "Jadwal disimpan. Sesinya segera tersedia bagi warga.",
            "The hours were saved. Their sessions are open to citizens soon.",
        )),
        "diakhiri" => Some(page.t(
            "Jadwal diakhiri. Sesi yang sudah dipesan warga tetap berjalan.",
            "The hours were ended. Sessions that citizens have booked stay.",
        )),
        _ => None,
    };
    plans_page(&web, &desk, &code, (Fields::new(), words.map(Notice::good))).await
}

fn to_plans(code: &str, done: &str) -> Response {
    let code: String = serde_urlencoded::to_string([("", code)]).unwrap_or_default();
    let code = code.trim_start_matches('=').replace('+', "%20");
    Redirect::to(&format!("{POINTS}/titik/{code}/jadwal?selesai={done}")).into_response()
}

/// The plans of a form, one for each day of the week.
fn plans_of(code: &str, fields: &Fields) -> Result<Vec<NewPlan>, AppointmentError> {
    let (window, quota, held) = terms_of(fields)?;
    let services = services_of(fields);
    let on = |weekday| NewPlan {
        point: code.to_owned(),
        weekday,
        window,
        services: services.clone(),
        quota,
        held,
    };
    let chosen = WEEK.iter().filter(|(_, word)| has(fields, "day", word));
    Ok(chosen.map(|(day, _)| on(*day)).collect())
}

pub(super) async fn add(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Filled(form): Filled<Fields>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, POINTS);
    let plans = match plans_of(&code, &form) {
        Ok(plans) => plans,
        Err(error) => {
            let notice = refused(&page, error)?;
            return plans_page(&web, &desk, &code, (form, Some(notice))).await;
        }
    };
    if plans.is_empty() {
        let words = page.t("Pilih paling sedikit satu hari.", "Choose at least one day.");
        return plans_page(&web, &desk, &code, (form, Some(Notice::bad(words)))).await;
    }
    match add_plans(&web.app, &desk.actor, plans).await {
        Ok(_) => Ok(to_plans(&code, "ditambah")),
        Err(AppointmentError::Point) => Err(Error::NotFound),
        Err(error) => {
            let notice = refused(&page, error)?;
            plans_page(&web, &desk, &code, (form, Some(notice))).await
        }
    }
}

pub(super) async fn end(
    State(web): State<Web>,
    desk: Desk,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    match end_plan(&web.app, &desk.actor, id).await {
        Ok(()) => Ok(to_plans(&code, "diakhiri")),
        Err(AppointmentError::Point) => Err(Error::NotFound),
        Err(error) => {
            let notice = refused(&Page::new(&web, &desk, POINTS), error)?;
            plans_page(&web, &desk, &code, (Fields::new(), Some(notice))).await
        }
    }
}
