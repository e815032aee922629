//! `/console/tempat`: the places that serve citizens, how each is today, and what citizens are told of it.
//!
//! What is changed here is told to the next citizen who asks. The calendar has a file of its own.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{NaiveDate, NaiveTime};
use serde::Deserialize;

use super::appointment::Off;
use super::area::Names;
use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, role_name, show as shown};
use super::trail::who_name;
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
use crate::domain::officer::{OfficerRole, Right};
use crate::domain::service_point::{BlankoStock, PointService, PointState, PointStatus};
use crate::service::appointment::Closed;
use crate::service::point::{change, check_state, told};
use crate::service::point_staff::{StaffError, assign, end, fits};
use crate::store::officer::{Officer, list_officers};
use crate::store::point_staff::{Staff, list_staff};
use crate::store::service_point::{
    Change, Condition, ServicePoint, find_with_condition, list_within,
};
use crate::web::Web;
use crate::web::error::Error;

/// The page's way.
pub(super) const HERE: &str = "/console/tempat";
/// Places of a page.
const PAGE: i64 = 50;
/// Officers of a kabupaten looked at, at most.
const OFFICERS: i64 = 2_000;
/// When citizens begin to ask: the preview of tomorrow is of then.
const MORNING: u32 = 6;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, change) = (Need::Right(Right::SeePoints), Need::Right(Right::ChangePoints));
    let staff = Need::Right(Right::ManageOfficers);
    rooms
        .get("/console/tempat", see, list)
        .get("/console/tempat/titik/{code}", see, show)
        .post("/console/tempat/titik/{code}/keadaan", change, set_state)
        .post("/console/tempat/titik/{code}/blanko", change, set_blanko)
        .post("/console/tempat/titik/{code}/petugas", staff, add_staff)
        .post("/console/tempat/titik/{code}/petugas/{id}/akhiri", staff, end_staff)
}

/// A place as the list shows it.
struct Line {
    code: String,
    name: String,
    area: String,
    address: Option<String>,
    hours: String,
    services: String,
    status: PointStatus,
    until: Option<String>,
    because: String,
    blanko: BlankoStock,
}

#[derive(Template)]
#[template(path = "points.html", config = "src/web/console/askama.toml")]
struct PointsPage {
    page: Page,
    points: Vec<Line>,
    next: Option<String>,
}

/// What came of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Saved,
    NoReason,
    LongReason,
    Past,
}

#[derive(Template)]
#[template(path = "point.html", config = "src/web/console/askama.toml")]
struct PointPage {
    page: Page,
    point: Line,
    contact: Option<String>,
    schedule: Option<String>,
    map: Option<String>,
    said_at: Option<Timestamp>,
    said_by: String,
    blanko_at: Option<Timestamp>,
    today: NaiveDate,
    told_today: String,
    told_tomorrow: String,
    may_change: bool,
    stocks: Vec<(&'static str, &'static str, bool)>,
    form: StateForm,
    outcome: Option<Outcome>,
    /// What became of sessions.
    off: Option<String>,
    staff: Vec<Worker>,
    supervisors: String,
    /// Whom its dinas may put there: id and name.
    candidates: Vec<(String, String)>,
    may_staff: bool,
}

/// Somebody who works at a place.
struct Worker {
    id: String,
    name: String,
    role: &'static str,
    since: Timestamp,
}

#[derive(Deserialize)]
pub(super) struct StaffForm {
    officer: String,
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    sesudah: String,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

#[derive(Deserialize, Default)]
pub(super) struct StateForm {
    status: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    because: String,
}

#[derive(Deserialize)]
pub(super) struct StockForm {
    blanko: String,
}

/// What a service is called.
pub(super) fn service_name(page: &Page, service: PointService) -> &'static str {
    let (id, en) = match service {
        PointService::Recording => ("perekaman", "recording"),
        PointService::Printing => ("pencetakan", "printing"),
        PointService::Collection => ("pengambilan", "collection"),
        PointService::Kk => ("kartu keluarga", "family cards"),
        PointService::Akta => ("akta", "certificates"),
        PointService::Kia => ("KIA", "child cards"),
        PointService::Ikd => ("IKD", "digital identity"),
        PointService::Move => ("pindah datang", "moving"),
    };
    if page.is_english() { en } else { id }
}

fn stock_name(page: &Page, stock: BlankoStock) -> &'static str {
    let (id, en) = match stock {
        BlankoStock::Unknown => ("belum diketahui", "not known"),
        BlankoStock::Available => ("tersedia", "available"),
        BlankoStock::Low => ("menipis", "running low"),
        BlankoStock::None => ("habis", "none left"),
    };
    if page.is_english() { en } else { id }
}

fn today_at(web: &Web, area: &AreaCode) -> NaiveDate {
    web.app.now().in_zone(area.zone().offset()).date_naive()
}

fn line(
    web: &Web,
    page: &Page,
    names: &Names,
    (point, condition): &(ServicePoint, Condition),
) -> Line {
    let state = condition.state.on(today_at(web, &point.area));
    let services: Vec<&str> =
        point.detail.services.iter().map(|service| service_name(page, *service)).collect();
    Line {
        code: point.code.clone(),
        name: point.name.clone(),
        area: names.show(page, &point.area),
        address: point.address.clone(),
        hours: point.hours.clone(),
        services: services.join(", "),
        status: state.status,
        until: state.until.map(|day| page.date(day)),
        because: state.because.unwrap_or_default(),
        blanko: condition.blanko,
    }
}

async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(after): Query<After>,
) -> Result<Response, Error> {
    let mut reading = web.app.db.reading().await?;
    let mut rows = list_within(&mut reading, desk.area(), &after.sesudah, PAGE + 1).await?;
    drop(reading);
    let has_more = i64::try_from(rows.len()).is_ok_and(|length| length > PAGE);
    if has_more {
        rows.pop();
    }
    let next = rows.last().filter(|_| has_more).map(|(point, _)| point.code.clone());
    let codes: Vec<AreaCode> = rows.iter().map(|(point, _)| point.area.clone()).collect();
    let names = Names::of(&web, &codes).await?;
    let page = Page::new(&web, &desk, HERE);
    let points = rows.iter().map(|row| line(&web, &page, &names, row)).collect();
    shown(&PointsPage { page, points, next })
}

/// A place in somebody's area; others are not there.
async fn theirs(web: &Web, desk: &Desk, code: &str) -> Result<(ServicePoint, Condition), Error> {
    let mut reading = web.app.db.reading().await?;
    let found = find_with_condition(&mut reading, code).await?.ok_or(Error::NotFound)?;
    drop(reading);
    desk.covers(web, Some(&found.0.area))?;
    Ok(found)
}

async fn one(
    web: &Web,
    desk: &Desk,
    found: (ServicePoint, Condition),
    form: Option<StateForm>,
    (outcome, off): (Option<Outcome>, Off),
) -> Result<Response, Error> {
    let names = Names::of(web, std::slice::from_ref(&found.0.area)).await?;
    let page = Page::new(web, desk, HERE);
    let now = web.app.now().in_zone(found.0.area.zone().offset()).naive_local();
    let morning = NaiveTime::from_hms_opt(MORNING, 0, 0).unwrap_or(NaiveTime::MIN);
    let tomorrow = now.date().succ_opt().unwrap_or(now.date()).and_time(morning);
    let mut words =
        told(&web.app, found.clone(), &[now, tomorrow], Language::Indonesian).await?.into_iter();
    let (point, condition) = &found;
    let said_by = match condition.said_by.as_deref() {
        Some(by) => who_name(web, &page, by).await?,
        None => String::new(),
    };
    let stocks = BlankoStock::ALL
        .iter()
        .map(|stock| (stock.as_str(), stock_name(&page, *stock), *stock == condition.blanko))
        .collect();
    let people = people_of(web, desk, &page, point).await?;
    shown(&PointPage {
        staff: people.staff,
        supervisors: people.supervisors,
        candidates: people.candidates,
        may_staff: desk.may(Right::ManageOfficers),
        point: line(web, &page, &names, &found),
        contact: point.detail.contact.clone(),
        schedule: point.detail.schedule.clone(),
        map: point.detail.map.map(|map| map.to_string()),
        said_at: condition.said_at,
        said_by,
        blanko_at: condition.blanko_at,
        today: now.date(),
        told_today: words.next().unwrap_or_default(),
        told_tomorrow: words.next().unwrap_or_default(),
        may_change: desk.may(Right::ChangePoints),
        stocks,
        form: form.unwrap_or_default(),
        outcome,
        off: off.words(&page),
        page,
    })
}

/// Who works at a place, who supervises them, and who else could work there.
struct People {
    staff: Vec<Worker>,
    supervisors: String,
    candidates: Vec<(String, String)>,
}

async fn people_of(
    web: &Web,
    desk: &Desk,
    page: &Page,
    point: &ServicePoint,
) -> Result<People, Error> {
    let staff = list_staff(&mut *web.app.db.reading().await?, &point.code).await?;
    let office = point.area.kabupaten().unwrap_or_else(|| point.area.clone());
    let officers = list_officers(&web.app.db, &office, "", OFFICERS).await?;
    let supervises = |officer: &&Officer| {
        officer.role == OfficerRole::Dinas
            && officer.disabled_at.is_none()
            && point.area.is_within(&officer.area)
    };
    let supervisors: Vec<&str> =
        officers.iter().filter(supervises).map(|officer| officer.name.as_str()).collect();
    let worker = |one: &Staff| {
        let officer = officers.iter().find(|officer| officer.id == one.officer)?;
        Some(Worker {
            id: one.officer.to_string(),
            name: officer.name.clone(),
            role: role_name(officer.role, page.language()),
            since: one.since,
        })
    };
    let works = |officer: &Officer| staff.iter().any(|one| one.officer == officer.id);
    let candidates = officers
        .iter()
        .filter(|officer| {
            desk.may(Right::ManageOfficers) && fits(officer, point) && !works(officer)
        })
        .map(|officer| (officer.id.to_string(), officer.name.clone()))
        .collect();
    Ok(People {
        staff: staff.iter().filter_map(worker).collect(),
        supervisors: supervisors.join(", "),
        candidates,
    })
}

fn refused(error: StaffError) -> Error {
    match error {
        StaffError::Service(error) => error.into(),
        StaffError::NotFound => Error::NotFound,
        StaffError::Forbidden => Error::Forbidden("say who works at a point"),
        StaffError::Unfit => Error::BadParameter("officer".to_owned()),
    }
}

async fn add_staff(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Filled(form): Filled<StaffForm>,
) -> Result<Response, Error> {
    let officer = form.officer.parse().map_err(|_| Error::NotFound)?;
    assign(&web.app, &desk.actor, &code, officer).await.map_err(refused)?;
    Ok(to_point(&code, Closed::default()))
}

async fn end_staff(
    State(web): State<Web>,
    desk: Desk,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, Error> {
    let officer = id.parse().map_err(|_| Error::NotFound)?;
    end(&web.app, &desk.actor, &code, officer).await.map_err(refused)?;
    Ok(to_point(&code, Closed::default()))
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Query(done): Query<Done>,
    Query(off): Query<Off>,
) -> Result<Response, Error> {
    let found = theirs(&web, &desk, &code).await?;
    let outcome = (done.selesai == "ya").then_some(Outcome::Saved);
    one(&web, &desk, found, None, (outcome, off)).await
}

fn to_point(code: &str, closed: Closed) -> Response {
    let code: String = serde_urlencoded::to_string([("", code)]).unwrap_or_default();
    let code = code.trim_start_matches('=').replace('+', "%20");
    let off = Off::query(closed);
    Redirect::to(&format!("{HERE}/titik/{code}?selesai=ya{off}")).into_response()
}

/// How a place is to be, or why not.
fn state_of(form: &StateForm, today: NaiveDate) -> Result<Result<PointState, Outcome>, Error> {
    let status: PointStatus =
        form.status.parse().map_err(|_| Error::BadParameter("status".to_owned()))?;
    if status != PointStatus::Closed {
        return Ok(Ok(PointState { status, until: None, because: None }));
    }
    let because = form.because.trim();
    if because.is_empty() {
        return Ok(Err(Outcome::NoReason));
    }
    let until = match form.until.as_str() {
        "" => None,
        day => match day.parse::<NaiveDate>() {
            Ok(day) if day >= today => Some(day),
            _ => return Ok(Err(Outcome::Past)),
        },
    };
    Ok(check_state(status, until, Some(because), today).map_err(|_| Outcome::LongReason))
}

async fn set_state(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Filled(form): Filled<StateForm>,
) -> Result<Response, Error> {
    let found = theirs(&web, &desk, &code).await?;
    match state_of(&form, today_at(&web, &found.0.area))? {
        Ok(state) => {
            let closed = change(&web.app, &code, &[Change::State(state)], &desk.actor).await?;
            Ok(to_point(&code, closed.unwrap_or_default()))
        }
        Err(outcome) => one(&web, &desk, found, Some(form), (Some(outcome), Off::default())).await,
    }
}

async fn set_blanko(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Filled(form): Filled<StockForm>,
) -> Result<Response, Error> {
    theirs(&web, &desk, &code).await?;
    let stock = form.blanko.parse().map_err(|_| Error::BadParameter("blanko".to_owned()))?;
    change(&web.app, &code, &[Change::Blanko(stock)], &desk.actor).await?;
    Ok(to_point(&code, Closed::default()))
}
