//! `/console/gangguan`: an office that cannot work says so, and that it works again.
//!
//! Declared once; who is told, and that nobody hears it twice, is the service's business.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{NaiveDateTime, TimeZone as _};
use serde::Deserialize;

use super::area::{Names, Offer, offers};
use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, show as shown};
use super::trail::who_name;
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::officer::Right;
use crate::domain::outage::{Outage, OutageError, OutageKind};
use crate::domain::reason;
use crate::service::outage::{OutageRefusal, declare, lift};
use crate::store::outage::{count_told, list_lifted, list_running};
use crate::web::Web;
use crate::web::error::Error;

/// The page's way.
pub(super) const HERE: &str = "/console/gangguan";
/// Outages that are over, as many as are shown.
const PAST: i64 = 50;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, change) = (Need::Right(Right::SeePoints), Need::Right(Right::ChangePoints));
    rooms.get("/console/gangguan", see, show).post("/console/gangguan", change, begin).post(
        "/console/gangguan/{id}/selesai",
        change,
        end,
    )
}

struct Line {
    id: String,
    kind: &'static str,
    area: String,
    reason: String,
    since: Timestamp,
    by: String,
    lifted_at: Option<Timestamp>,
    is_telling: bool,
    told: i64,
    may_lift: bool,
}

/// What came of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Declared,
    Lifted,
    Reason,
    Since,
    Area,
    Twice,
}

#[derive(Template)]
#[template(path = "outages.html", config = "src/web/console/askama.toml")]
struct OutagesPage {
    page: Page,
    running: Vec<Line>,
    past: Vec<Line>,
    kinds: Vec<(&'static str, &'static str)>,
    areas: Vec<Offer>,
    area: String,
    longest: usize,
    may_change: bool,
    form: OutageForm,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

#[derive(Deserialize, Default)]
pub(super) struct OutageForm {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    area: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    since: String,
}

pub(super) fn kind_name(page: &Page, kind: OutageKind) -> &'static str {
    match kind {
        OutageKind::NoBlanko => page.t("Blangko kosong", "No blank cards"),
        OutageKind::Server => page.t("Server atau jaringan pusat", "Server or central network"),
        OutageKind::Printer => page.t("Printer", "Printer"),
    }
}

/// Whether an outage concerns somebody's area, or a part of it.
pub(super) fn concerns(desk: &Desk, outage: &Outage) -> bool {
    outage.area.is_within(desk.area()) || desk.area().is_within(&outage.area)
}

async fn line(
    web: &Web,
    desk: &Desk,
    (page, names): (&Page, &Names),
    outage: &Outage,
) -> Result<Line, Error> {
    Ok(Line {
        id: outage.id.to_string(),
        kind: kind_name(page, outage.kind),
        area: names.show(page, &outage.area),
        reason: outage.reason.clone(),
        since: outage.since,
        by: who_name(web, page, &outage.begun_by).await?,
        lifted_at: outage.lifted_at,
        is_telling: outage.work.is_some(),
        told: count_told(&web.app.db, outage.id).await?,
        may_lift: desk.may(Right::ChangePoints) && outage.area.is_within(desk.area()),
    })
}

async fn page_of(
    web: &Web,
    desk: &Desk,
    form: OutageForm,
    outcome: Option<Outcome>,
) -> Result<Response, Error> {
    let mut reading = web.app.db.reading().await?;
    let mut running = list_running(&mut reading).await?;
    drop(reading);
    let mut past = list_lifted(&web.app.db, PAST).await?;
    running.retain(|outage| concerns(desk, outage));
    past.retain(|outage| concerns(desk, outage));
    let codes: Vec<AreaCode> =
        running.iter().chain(&past).map(|outage| outage.area.clone()).collect();
    let names = Names::of(web, &codes).await?;
    let page = Page::new(web, desk, HERE);
    let (mut lines, mut past_lines) = (Vec::new(), Vec::new());
    for outage in &running {
        lines.push(line(web, desk, (&page, &names), outage).await?);
    }
    for outage in &past {
        past_lines.push(line(web, desk, (&page, &names), outage).await?);
    }
    let kinds =
        OutageKind::ALL.iter().map(|kind| (kind.as_str(), kind_name(&page, *kind))).collect();
    shown(&OutagesPage {
        running: lines,
        past: past_lines,
        kinds,
        areas: offers(web, desk).await?,
        area: own_area(web, desk).to_string(),
        longest: reason::LONGEST,
        may_change: desk.may(Right::ChangePoints),
        form,
        outcome,
        page,
    })
}

/// The area of somebody; that of the office where theirs is wider.
fn own_area(web: &Web, desk: &Desk) -> AreaCode {
    let office = &web.app.settings.office_area;
    if office.is_within(desk.area()) { office.clone() } else { desk.area().clone() }
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let outcome = match done.selesai.as_str() {
        "mulai" => Some(Outcome::Declared),
        "pulih" => Some(Outcome::Lifted),
        _ => None,
    };
    page_of(&web, &desk, OutageForm::default(), outcome).await
}

fn to_page(word: &str) -> Response {
    Redirect::to(&format!("{HERE}?selesai={word}")).into_response()
}

async fn begin(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<OutageForm>,
) -> Result<Response, Error> {
    let kind: OutageKind = form.kind.parse().map_err(|_| Error::BadParameter("kind".to_owned()))?;
    let Ok(area) = AreaCode::parse(form.area.trim()) else {
        return page_of(&web, &desk, form, Some(Outcome::Area)).await;
    };
    let since = match form.since.trim() {
        "" => None,
        text => {
            let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok();
            let offset = web.app.zone(Some(&area)).offset();
            match local.and_then(|local| offset.from_local_datetime(&local).single()) {
                Some(at) => Some(Timestamp::from(at)),
                None => return page_of(&web, &desk, form, Some(Outcome::Since)).await,
            }
        }
    };
    let outcome = match declare(&web.app, &desk.actor, (kind, &area), &form.reason, since).await {
        Ok(_) => return Ok(to_page("mulai")),
        Err(OutageRefusal::Service(error)) => return Err(error.into()),
        Err(OutageRefusal::Forbidden) => return Err(Error::Forbidden("declare outages")),
        Err(OutageRefusal::NotFound) => Outcome::Area,
        Err(OutageRefusal::Refused(_)) => Outcome::Twice,
        Err(OutageRefusal::Words(OutageError::Ahead)) => Outcome::Since,
        Err(OutageRefusal::Words(_)) => Outcome::Reason,
    };
    page_of(&web, &desk, form, Some(outcome)).await
}

async fn end(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    match lift(&web.app, &desk.actor, id).await {
        // Two officers who press at once both meant that it is over.
        Ok(()) | Err(OutageRefusal::Refused(_)) => Ok(to_page("pulih")),
        Err(OutageRefusal::Service(error)) => Err(error.into()),
        Err(OutageRefusal::Forbidden) => Err(Error::Forbidden("lift outages")),
        Err(_) => Err(Error::NotFound),
    }
}

impl Line {
    fn is_beginning(&self) -> bool {
        self.is_telling && self.lifted_at.is_none()
    }
}
