//! `/console/antar`: rounds of couriers, what citizens answered and couriers reported, and what
//! needs a hand.
//!
//! What a form asks for is done by `service::round`; what it refuses is said here in words.

mod round;
mod word;

use std::collections::BTreeMap;
use std::str::FromStr;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{NaiveDate, NaiveTime};
use serde::Deserialize;
use sqlx::AnyConnection;

use super::area::{Names, Offer, offers};
use super::desk::Desk;
use super::form::Filled;
use super::listing::last_of_full;
use super::page::{Page, show as shown};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ItemId, OfficerId, RoundId};
use crate::domain::officer::{OfficerRole, Right};
use crate::domain::person::PersonName;
use crate::domain::round::Next;
use crate::service::officer::note_look;
use crate::service::round::{self as service, Found, RightHome, Wish};
use crate::store::officer::{list_names, list_officers};
use crate::store::round::{Round, list_ended_of, list_live_of};
use crate::store::round_item;
use crate::store::round_plan::{Alarms, count_alarms, count_states, list_alarmed};
use crate::web::Web;
use crate::web::error::Error;

/// Where the page is.
pub(super) const HERE: &str = "/console/antar";
/// Rounds and questions of a page.
const PAGE: i64 = 100;
/// Rounds that need a look and are linked, at most.
const ALARMED: i64 = 20;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let see = Need::Right(Right::SeeCards);
    let plan = Need::Right(Right::PlanRounds);
    let by_word = Need::Right(Right::OverrideHandOver);
    rooms
        .get(HERE, see, list)
        .post("/console/antar/rencana", plan, make)
        .get("/console/antar/putaran/{id}", see, round::show)
        .post("/console/antar/putaran/{id}/kabarkan", plan, round::announce)
        .post("/console/antar/putaran/{id}/pindah", plan, round::move_to)
        .post("/console/antar/putaran/{id}/kurir", plan, round::reassign)
        .post("/console/antar/putaran/{id}/batal", plan, round::cancel)
        .post("/console/antar/putaran/{id}/mulai", plan, round::start)
        .post("/console/antar/putaran/{id}/tutup", plan, round::close)
        .post("/console/antar/putaran/{id}/serahkan", by_word, round::hand_over)
        .post("/console/antar/putaran/{id}/konflik", by_word, round::settle)
        .post("/console/antar/putaran/{id}/masih-ada", plan, round::still_there)
        .post("/console/antar/tanya/{id}", plan, answer)
}

/// A round as the list shows it.
struct Line {
    id: RoundId,
    day: String,
    window: String,
    area: String,
    courier: String,
    state: &'static str,
    counts: String,
}

/// An address that a desa is asked about.
struct Question {
    id: ItemId,
    is_unreached: bool,
    name: String,
    home: String,
    note: String,
}

/// A card in an office whose holder died or moved away.
struct Lying {
    round: RoundId,
    name: String,
    home: String,
    why: &'static str,
}

#[derive(Template)]
#[template(path = "deliveries.html", config = "src/web/console/askama.toml")]
struct ListPage {
    page: Page,
    rounds: Vec<Line>,
    /// Rounds that are over are shown, and not those to come.
    is_past: bool,
    /// Where the next page begins.
    next: Option<String>,
    questions: Vec<Question>,
    lying: Vec<Lying>,
    alarms: Alarms,
    alarmed: Vec<(RoundId, String)>,
    couriers: Vec<(String, String)>,
    areas: Vec<Offer>,
    area: String,
    /// The next working day: rounds are planned for it as a rule.
    next_day: NaiveDate,
    may_plan: bool,
    said: (&'static str, String),
}

impl ListPage {
    /// Cards in nobody's hand, which are counted to a bound.
    fn nobodys(&self) -> String {
        super::today::many(&self.page, self.alarms.nobodys)
    }
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
    /// How many cards the word speaks of.
    #[serde(default)]
    kartu: String,
    /// Which rounds: `lewat` for those that are over.
    #[serde(default)]
    lihat: String,
    /// The row behind which a page begins.
    #[serde(default)]
    sesudah: String,
}

fn today(web: &Web) -> NaiveDate {
    web.app.now().in_zone(web.app.zone(None).offset()).date_naive()
}

fn window(round: &Round) -> String {
    format!("{}–{}", round.from.format("%H.%M"), round.to.format("%H.%M"))
}

/// What couriers are called, and areas.
struct Called {
    couriers: BTreeMap<String, String>,
    areas: Names,
}

impl Called {
    /// Asked for when no other connection is held: there are few.
    async fn of(web: &Web, areas: &[AreaCode]) -> Result<Self, Error> {
        let areas = Names::of(web, areas).await?;
        Ok(Self { couriers: list_names(&web.app.db).await?, areas })
    }
}

fn line(page: &Page, called: &Called, round: &Round, counts: &[(String, i64)]) -> Line {
    let count = |(state, count): &(String, i64)| {
        let state = state.parse().map_or("", |state| word::item_state(page, state));
        format!("{count} {state}")
    };
    let courier = called.couriers.get(&round.courier.to_string());
    Line {
        id: round.id,
        day: page.date(round.day),
        window: window(round),
        area: called.areas.show(page, &round.area),
        courier: courier.cloned().unwrap_or_default(),
        state: word::round_state(page, round.state),
        counts: counts.iter().map(count).collect::<Vec<_>>().join(", "),
    }
}

/// Where a card goes, for somebody of the office: no NIK, the name masked.
fn home_words(home: &round_item::Home) -> String {
    let part = |name: &str, value: &Option<String>| {
        value.as_deref().filter(|value| !value.is_empty()).map(|value| format!("{name}{value}"))
    };
    let parts = [
        part("RT ", &home.rt),
        part("RW ", &home.rw),
        part("", &home.dusun),
        part("", &home.address),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn masked(home: &round_item::Home) -> String {
    home.name.as_deref().and_then(PersonName::parse).map(|name| name.masked()).unwrap_or_default()
}

/// The day or moment, and the id, of the row behind which a page begins.
fn behind<T: FromStr>(text: &str) -> Result<Option<(T, RoundId)>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let (at, id) = text.split_once(' ').ok_or(Error::NotFound)?;
    let at = at.parse().map_err(|_| Error::NotFound)?;
    Ok(Some((at, id.parse().map_err(|_| Error::NotFound)?)))
}

/// A page of rounds to come, or of those that are over, and where the next one begins.
async fn page_of_rounds(
    reading: &mut AnyConnection,
    desk: &Desk,
    asked: &Done,
    is_past: bool,
) -> Result<(Vec<Round>, Option<String>), Error> {
    let found = if is_past {
        let after = behind::<i64>(&asked.sesudah)?;
        let after = after.map(|(at, id)| (Timestamp::from_ms(at), id));
        list_ended_of(reading, desk.area(), after, PAGE).await?
    } else {
        list_live_of(reading, desk.area(), None, behind(&asked.sesudah)?, PAGE).await?
    };
    let next = last_of_full(&found, PAGE).map(|last| match last.ended_at {
        Some(at) if is_past => format!("lihat=lewat&sesudah={}+{}", at.as_ms(), last.id),
        _ => format!("sesudah={}+{}", last.day, last.id),
    });
    Ok((found, next))
}

async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Done>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let today = today(&web);
    let db = &web.app.db;
    let is_past = asked.lihat == "lewat";
    let mut reading = db.reading().await?;
    let (found, next) = page_of_rounds(&mut reading, &desk, &asked, is_past).await?;
    let mut counts = Vec::with_capacity(found.len());
    for round in &found {
        counts.push(count_states(&mut reading, round.id).await?);
    }
    let mut questions = Vec::new();
    for item in round_item::list_questions(&mut reading, db, desk.area(), PAGE).await? {
        let home = round_item::find_home(&mut reading, db, item.person).await?;
        questions.push(Question {
            id: item.id,
            is_unreached: item.next == Some(Next::NotReached),
            name: masked(&home),
            home: home_words(&home),
            note: item.note.unwrap_or_default(),
        });
    }
    let mut lying = Vec::new();
    for item in round_item::list_without_holder(&mut reading, db, desk.area(), PAGE).await? {
        let home = round_item::find_home(&mut reading, db, item.person).await?;
        let why = item.outcome.map_or("", |outcome| word::outcome(&page, outcome));
        lying.push(Lying { round: item.round, name: masked(&home), home: home_words(&home), why });
    }
    let alarms = count_alarms(&mut reading, desk.area(), today).await?;
    let alarmed = list_alarmed(&mut reading, desk.area(), today, ALARMED).await?;
    drop(reading);
    let days = service::days_from(&web.app, desk.area(), today, 2).await?;
    let codes: Vec<AreaCode> = found.iter().map(|round| round.area.clone()).collect();
    let called = Called::of(&web, &codes).await?;
    note_look(&web.app, &desk.actor, Action::Searched, "rounds").await?;
    let rounds = found.iter().zip(&counts);
    shown(&ListPage {
        rounds: rounds.map(|(round, counts)| line(&page, &called, round, counts)).collect(),
        is_past,
        next,
        questions,
        lying,
        alarms,
        alarmed: alarmed.into_iter().map(|(id, day)| (id, page.date(day))).collect(),
        couriers: couriers(&web, &desk).await?,
        areas: offers(&web, &desk).await?,
        area: desk.area().to_string(),
        next_day: days.last().copied().unwrap_or(today),
        may_plan: desk.may(Right::PlanRounds),
        said: word::done(&page, &asked.selesai, &asked.kartu),
        page,
    })
}

/// Who may carry cards in somebody's area, couriers first.
async fn couriers(web: &Web, desk: &Desk) -> Result<Vec<(String, String)>, Error> {
    let mut found = list_officers(&web.app.db, desk.area(), "", 500).await?;
    found.retain(|one| one.disabled_at.is_none() && one.role.may(Right::CarryCards));
    found.sort_by_key(|one| (one.role != OfficerRole::Courier, one.name.clone()));
    Ok(found.into_iter().map(|one| (one.id.to_string(), one.name)).collect())
}

#[derive(Deserialize)]
pub(super) struct PlanForm {
    #[serde(default)]
    wilayah: String,
    #[serde(default)]
    hari: String,
    #[serde(default)]
    dari: String,
    #[serde(default)]
    sampai: String,
    #[serde(default)]
    kurir: String,
    #[serde(default)]
    muat: String,
    #[serde(default)]
    putaran: String,
    #[serde(default)]
    tempat: String,
}

fn clock(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(&text.trim().replace('.', ":"), "%H:%M").ok()
}

async fn make(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<PlanForm>,
) -> Result<Response, Error> {
    let back = |word: &str| Ok(Redirect::to(&format!("{HERE}?selesai={word}")).into_response());
    let Ok(area) = AreaCode::parse(&form.wilayah) else { return back("wilayah") };
    let Ok(first) = form.hari.parse::<NaiveDate>() else { return back("hari") };
    let (Some(from), Some(to)) = (clock(&form.dari), clock(&form.sampai)) else {
        return back("jam");
    };
    let Ok(courier) = form.kurir.parse::<OfficerId>() else { return back("kurir") };
    let count = form.putaran.parse::<usize>().unwrap_or(1).clamp(1, 10);
    let days = service::days_from(&web.app, &area, first, count).await?;
    let wish = Wish {
        area,
        from,
        to,
        capacity: form.muat.parse().unwrap_or(0),
        slots: days.into_iter().map(|day| (day, courier)).collect(),
        point: Some(form.tempat.trim().to_owned()).filter(|code| !code.is_empty()),
    };
    match service::plan(&web.app, &desk.actor, &wish).await {
        Ok(made) if made.len() == 1 => {
            let id = made.first().map(ToString::to_string).unwrap_or_default();
            Ok(Redirect::to(&format!("{HERE}/putaran/{id}?selesai=rencana")).into_response())
        }
        Ok(_) => back("rencana"),
        Err(error) => back(word::refused(error)?),
    }
}

#[derive(Deserialize)]
pub(super) struct AnswerForm {
    #[serde(default)]
    jawab: String,
    #[serde(default)]
    alamat: String,
    #[serde(default)]
    rt: String,
    #[serde(default)]
    rw: String,
}

async fn answer(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<AnswerForm>,
) -> Result<Response, Error> {
    let id: ItemId = id.parse().map_err(|_| Error::NotFound)?;
    let found = match form.jawab.as_str() {
        "antar" => Found::Again,
        "ambil" => Found::Collect,
        "pindah" => Found::Moved,
        _ => return Ok(Redirect::to(&format!("{HERE}?selesai=tolak")).into_response()),
    };
    let home = RightHome { rt: &form.rt, rw: &form.rw, address: &form.alamat };
    let came = service::settle_question(&web.app, &desk.actor, id, found, &home).await;
    let word = match came {
        Ok(()) => "jawab",
        Err(error) => word::refused(error)?,
    };
    Ok(Redirect::to(&format!("{HERE}?selesai={word}")).into_response())
}
