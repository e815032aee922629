//! `/console/kunjungan-rumah`: officers who come to somebody: asked for, given a day, settled.
//!
//! The way there stands on a request's own page alone, and each look at it is noted. Who is told of what is the
//! service's business.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{NaiveDate, NaiveTime};
use serde::Deserialize;

use super::area::{Names, Offer, offers};
use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, show as shown};
use super::trail::who_name;
use super::{Need, Rooms};
use crate::domain::appointment::Origin;
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::home_visit::{
    HomeVisit, HomeVisitState, HomeVisitWork, LONGEST_PLACE, LONGEST_WORDS, VisitFor,
};
use crate::domain::id::HomeVisitId;
use crate::domain::officer::Right;
use crate::service::home_visit::{
    HomeVisitError, HomeVisitWish, HomeVisitWord, act, answer_before, look_at, request,
};
use crate::store::home_visit::list_home_visits;
use crate::web::Web;
use crate::web::error::Error;

/// The page's way.
pub(super) const HERE: &str = "/console/kunjungan-rumah";
/// Requests that are open, and those that are over, as many as are shown.
const SHOWN: (i64, i64) = (200, 50);

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (run, plan) = (Need::Right(Right::RunCounter), Need::Right(Right::ChangePoints));
    rooms
        .get("/console/kunjungan-rumah", run, list)
        .post("/console/kunjungan-rumah", run, ask)
        .get("/console/kunjungan-rumah/{id}", run, show)
        .post("/console/kunjungan-rumah/{id}/jadwal", plan, schedule)
        .post("/console/kunjungan-rumah/{id}/tolak", plan, decline)
        .post("/console/kunjungan-rumah/{id}/selesai", run, finish)
        .post("/console/kunjungan-rumah/{id}/batal", run, withdraw)
}

/// A request as the list shows it: nothing that leads to a door.
struct Line {
    id: String,
    number: String,
    whom: &'static str,
    work: &'static str,
    area: String,
    state: &'static str,
    since: Timestamp,
    is_late: bool,
    day: String,
}

/// What came of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Asked,
    Scheduled,
    Settled,
    Area,
    Place,
    Time,
    Officers,
    Reason,
    Early,
    State,
}

#[derive(Template)]
#[template(path = "home_visits.html", config = "src/web/console/askama.toml")]
struct ListPage {
    page: Page,
    open: Vec<Line>,
    past: Vec<Line>,
    days: i64,
    whoms: Vec<(&'static str, &'static str)>,
    works: Vec<(&'static str, &'static str)>,
    areas: Vec<Offer>,
    longest: usize,
    form: AskForm,
    outcome: Option<Outcome>,
}

#[derive(Template)]
#[template(path = "home_visit.html", config = "src/web/console/askama.toml")]
struct VisitPage {
    page: Page,
    line: Line,
    place: String,
    origin: &'static str,
    by: String,
    officers: String,
    because: Option<String>,
    is_open: bool,
    is_scheduled: bool,
    may_plan: bool,
    form: WordForm,
    longest: usize,
    today: NaiveDate,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

#[derive(Deserialize, Default)]
pub(super) struct AskForm {
    #[serde(default)]
    area: String,
    #[serde(default)]
    whom: String,
    #[serde(default)]
    work: String,
    #[serde(default)]
    place: String,
}

#[derive(Deserialize, Default)]
pub(super) struct WordForm {
    #[serde(default)]
    day: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    officers: String,
    #[serde(default)]
    reason: String,
}

fn whom_name(page: &Page, whom: VisitFor) -> &'static str {
    match whom {
        VisitFor::Elderly => page.t("Lanjut usia", "Elderly"),
        VisitFor::Ill => page.t("Sakit", "Ill"),
        VisitFor::Disabled => page.t("Penyandang disabilitas", "Person with a disability"),
        VisitFor::MentalDisorder => page.t("Gangguan jiwa", "Mental disorder"),
        VisitFor::Confined => page.t("Di lapas atau rumah sakit", "In prison or hospital"),
    }
}

fn work_name(page: &Page, work: HomeVisitWork) -> &'static str {
    match work {
        HomeVisitWork::Recording => page.t("Perekaman", "Recording"),
        HomeVisitWork::HandOver => page.t("Cetak dan serah KTP-el", "Printing and hand-over"),
        HomeVisitWork::FamilyCard => page.t("Kartu Keluarga", "Family card"),
    }
}

fn state_name(page: &Page, state: HomeVisitState) -> &'static str {
    match state {
        HomeVisitState::Requested => page.t("Menunggu jadwal", "Waits for a day"),
        HomeVisitState::Scheduled => page.t("Terjadwal", "Scheduled"),
        HomeVisitState::Done => page.t("Sudah dikunjungi", "Done"),
        HomeVisitState::Declined => page.t("Ditolak", "Declined"),
        HomeVisitState::Cancelled => page.t("Dibatalkan pemohon", "Taken back"),
    }
}

fn line(web: &Web, page: &Page, names: &Names, visit: &HomeVisit) -> Line {
    let clock = |time: NaiveTime| time.format("%H.%M").to_string();
    let day = visit.schedule.as_ref().map_or_else(String::new, |schedule| {
        let (from, to) = (clock(schedule.from), clock(schedule.to));
        format!("{}, {from}–{to} {}", page.date(schedule.day), visit.area.zone().label())
    });
    let is_waiting = visit.state == HomeVisitState::Requested;
    Line {
        id: visit.id.to_string(),
        number: visit.number.to_string(),
        whom: whom_name(page, visit.whom),
        work: work_name(page, visit.work),
        area: names.show(page, &visit.area),
        // What had a day was not refused: it was called off.
        state: if visit.state == HomeVisitState::Declined && visit.schedule.is_some() {
            page.t("Dibatalkan kantor", "Called off by the office")
        } else {
            state_name(page, visit.state)
        },
        since: visit.made_at,
        is_late: is_waiting && visit.made_at < answer_before(&web.app),
        day,
    }
}

async fn list_page(
    web: &Web,
    desk: &Desk,
    form: AskForm,
    outcome: Option<Outcome>,
) -> Result<Response, Error> {
    let open = list_home_visits(&web.app.db, desk.area(), true, SHOWN.0).await?;
    let past = list_home_visits(&web.app.db, desk.area(), false, SHOWN.1).await?;
    let codes: Vec<AreaCode> = open.iter().chain(&past).map(|visit| visit.area.clone()).collect();
    let names = Names::of(web, &codes).await?;
    let page = Page::new(web, desk, HERE);
    let lines = |visits: &[HomeVisit]| {
        visits.iter().map(|visit| line(web, &page, &names, visit)).collect::<Vec<_>>()
    };
    shown(&ListPage {
        open: lines(&open),
        past: lines(&past),
        days: web.app.settings.appointment.home_visit_days,
        whoms: VisitFor::ALL.iter().map(|whom| (whom.as_str(), whom_name(&page, *whom))).collect(),
        works: HomeVisitWork::ALL
            .iter()
            .map(|work| (work.as_str(), work_name(&page, *work)))
            .collect(),
        areas: offers(web, desk).await?,
        longest: LONGEST_PLACE,
        form,
        outcome,
        page,
    })
}

async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let outcome = (done.selesai == "usul").then_some(Outcome::Asked);
    list_page(&web, &desk, AskForm::default(), outcome).await
}

async fn ask(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<AskForm>,
) -> Result<Response, Error> {
    let whom = form.whom.parse().map_err(|_| Error::BadParameter("whom".to_owned()))?;
    let work = form.work.parse().map_err(|_| Error::BadParameter("work".to_owned()))?;
    let Ok(area) = AreaCode::parse(form.area.trim()) else {
        return list_page(&web, &desk, form, Some(Outcome::Area)).await;
    };
    let wish = HomeVisitWish { area, whom, work, place: form.place.clone() };
    match request(&web.app, &desk.actor, wish).await {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}?selesai=usul")).into_response()),
        Err(error) => list_page(&web, &desk, form, Some(refused(error)?)).await,
    }
}

/// What a form says about a refusal; what no form can mend is an error.
fn refused(error: HomeVisitError) -> Result<Outcome, Error> {
    use crate::domain::home_visit::ScheduleError;
    Ok(match error {
        HomeVisitError::Area => Outcome::Area,
        HomeVisitError::Place => Outcome::Place,
        HomeVisitError::Schedule(ScheduleError::Officers) => Outcome::Officers,
        HomeVisitError::Schedule(_) => Outcome::Time,
        HomeVisitError::Reason(_) => Outcome::Reason,
        HomeVisitError::Early => Outcome::Early,
        HomeVisitError::State(_) | HomeVisitError::TooMany => Outcome::State,
        HomeVisitError::NotFound => return Err(Error::NotFound),
        HomeVisitError::Forbidden => return Err(Error::Forbidden("home visits")),
        HomeVisitError::Other(error) => return Err(error.into()),
    })
}

fn id_of(id: &str) -> Result<HomeVisitId, Error> {
    id.parse().map_err(|_| Error::NotFound)
}

async fn visit_page(
    web: &Web,
    desk: &Desk,
    id: &str,
    (form, outcome): (WordForm, Option<Outcome>),
) -> Result<Response, Error> {
    let visit = match look_at(&web.app, &desk.actor, id_of(id)?).await {
        Ok(visit) => visit,
        Err(HomeVisitError::Other(error)) => return Err(error.into()),
        Err(HomeVisitError::Forbidden) => return Err(Error::Forbidden("home visits")),
        Err(_) => return Err(Error::NotFound),
    };
    let names = Names::of(web, std::slice::from_ref(&visit.area)).await?;
    let page = Page::new(web, desk, HERE);
    let form = match &visit.schedule {
        Some(schedule) if outcome.is_none() || form.day.is_empty() => WordForm {
            day: schedule.day.to_string(),
            from: schedule.from.format("%H:%M").to_string(),
            to: schedule.to.format("%H:%M").to_string(),
            officers: schedule.officers.clone(),
            ..form
        },
        _ => form,
    };
    let by = match visit.origin {
        Origin::Chat => String::new(),
        Origin::Desk => who_name(web, &page, &visit.made_by).await?,
    };
    let zone = visit.area.zone().offset();
    shown(&VisitPage {
        line: line(web, &page, &names, &visit),
        origin: match visit.origin {
            Origin::Chat => page.t("keluarga, lewat chat", "the family, by chat"),
            Origin::Desk => page.t("petugas", "an officer"),
        },
        by,
        officers: visit.schedule.map(|schedule| schedule.officers).unwrap_or_default(),
        because: visit.because,
        is_open: visit.state.is_open(),
        is_scheduled: visit.state == HomeVisitState::Scheduled,
        may_plan: desk.may(Right::ChangePoints),
        place: visit.place,
        form,
        longest: LONGEST_WORDS,
        today: web.app.now().in_zone(zone).date_naive(),
        outcome,
        page,
    })
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let outcome = match done.selesai.as_str() {
        "jadwal" => Some(Outcome::Scheduled),
        "catat" => Some(Outcome::Settled),
        _ => None,
    };
    visit_page(&web, &desk, &id, (WordForm::default(), outcome)).await
}

async fn say(
    web: &Web,
    desk: &Desk,
    id: &str,
    (word, form): (HomeVisitWord, WordForm),
) -> Result<Response, Error> {
    let done = if matches!(word, HomeVisitWord::Schedule { .. }) { "jadwal" } else { "catat" };
    match act(&web.app, &desk.actor, id_of(id)?, word).await {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}/{id}?selesai={done}")).into_response()),
        Err(error) => visit_page(web, desk, id, (form, Some(refused(error)?))).await,
    }
}

async fn schedule(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<WordForm>,
) -> Result<Response, Error> {
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let day = form.day.trim().parse::<NaiveDate>().ok();
    let (Some(day), Some(from), Some(to)) = (day, time(&form.from), time(&form.to)) else {
        return visit_page(&web, &desk, &id, (form, Some(Outcome::Time))).await;
    };
    let officers = form.officers.clone();
    say(&web, &desk, &id, (HomeVisitWord::Schedule { day, from, to, officers }, form)).await
}

async fn decline(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<WordForm>,
) -> Result<Response, Error> {
    say(&web, &desk, &id, (HomeVisitWord::Decline(form.reason.clone()), form)).await
}

async fn finish(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    say(&web, &desk, &id, (HomeVisitWord::Finish, WordForm::default())).await
}

async fn withdraw(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    say(&web, &desk, &id, (HomeVisitWord::Withdraw, WordForm::default())).await
}
