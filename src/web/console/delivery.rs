//! `/console/antar`: rounds of couriers, what citizens answered and couriers reported, and what
//! needs a hand.
//!
//! What a form asks for is done by `service::round`; what it refuses is said here in words.

use std::collections::BTreeMap;
use std::str::FromStr;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{Days, NaiveDate, NaiveTime};
use serde::Deserialize;
use sqlx::AnyConnection;

use super::area::{Names, Offer, offers};
use super::delivery_word as word;
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
use crate::domain::round::{ItemState, Next, RoundState};
use crate::service::officer::{note_look, note_look_hourly};
use crate::service::round::{self as service, Found, RoundError, Wish};
use crate::store::officer::{list_names, list_officers};
use crate::store::round::{Round, find_round, list_ended_of, list_live_of};
use crate::store::round_item::{self, Item};
use crate::store::round_plan::{Alarms, count_alarms, count_states, list_alarmed};
use crate::store::round_report::list_conflicts;
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
        .get("/console/antar/putaran/{id}", see, show)
        .post("/console/antar/putaran/{id}/kabarkan", plan, announce)
        .post("/console/antar/putaran/{id}/pindah", plan, move_to)
        .post("/console/antar/putaran/{id}/kurir", plan, reassign)
        .post("/console/antar/putaran/{id}/batal", plan, cancel)
        .post("/console/antar/putaran/{id}/mulai", plan, start)
        .post("/console/antar/putaran/{id}/tutup", plan, close)
        .post("/console/antar/putaran/{id}/serahkan", by_word, hand_over)
        .post("/console/antar/putaran/{id}/konflik", by_word, settle)
        .post("/console/antar/putaran/{id}/masih-ada", plan, still_there)
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
    alarms: Alarms,
    alarmed: Vec<(RoundId, String)>,
    couriers: Vec<(String, String)>,
    areas: Vec<Offer>,
    area: String,
    tomorrow: NaiveDate,
    may_plan: bool,
    said: (&'static str, String),
}

/// A card as the round's page shows it.
struct Row {
    id: ItemId,
    position: i64,
    name: String,
    home: String,
    reference: String,
    attempt: i64,
    state: &'static str,
    answer: String,
    outcome: String,
    note: String,
    /// What of it needs a hand.
    marks: Vec<&'static str>,
    may_hand_over: bool,
    may_be_there: bool,
}

/// A report that contradicts what is on file.
struct Clash {
    key: String,
    name: String,
    said: String,
    why: &'static str,
    code: &'static str,
    at: String,
}

#[derive(Template)]
#[template(path = "delivery.html", config = "src/web/console/askama.toml")]
struct RoundPage {
    page: Page,
    round: Line,
    day: NaiveDate,
    from: String,
    to: String,
    rows: Vec<Row>,
    clashes: Vec<Clash>,
    couriers: Vec<(String, String)>,
    courier: String,
    can: Can,
    said: (&'static str, String),
}

/// What can be done with a round now.
#[expect(clippy::struct_excessive_bools, reason = "each is a form that the page shows or does not")]
struct Can {
    announce: bool,
    change: bool,
    start: bool,
    close: bool,
    settle: bool,
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
    let alarms = count_alarms(&mut reading, desk.area(), today).await?;
    let alarmed = list_alarmed(&mut reading, desk.area(), today, ALARMED).await?;
    drop(reading);
    let codes: Vec<AreaCode> = found.iter().map(|round| round.area.clone()).collect();
    let called = Called::of(&web, &codes).await?;
    note_look(&web.app, &desk.actor, Action::Searched, "rounds").await?;
    let rounds = found.iter().zip(&counts);
    shown(&ListPage {
        rounds: rounds.map(|(round, counts)| line(&page, &called, round, counts)).collect(),
        is_past,
        next,
        questions,
        alarms,
        alarmed: alarmed.into_iter().map(|(id, day)| (id, page.date(day))).collect(),
        couriers: couriers(&web, &desk).await?,
        areas: offers(&web, &desk).await?,
        area: desk.area().to_string(),
        tomorrow: today.checked_add_days(Days::new(1)).unwrap_or(today),
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
    let days = form.putaran.parse::<usize>().unwrap_or(1).clamp(1, 10);
    let wish = Wish {
        area,
        from,
        to,
        capacity: form.muat.parse().unwrap_or(0),
        slots: first.iter_days().take(days).map(|day| (day, courier)).collect(),
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

async fn theirs(web: &Web, desk: &Desk, id: &str) -> Result<Round, Error> {
    let id: RoundId = id.parse().map_err(|_| Error::NotFound)?;
    let mut reading = web.app.db.reading().await?;
    let round = find_round(&mut reading, id).await?.ok_or(Error::NotFound)?;
    desk.covers(web, Some(&round.area))?;
    Ok(round)
}

fn row(page: &Page, desk: &Desk, item: Item, home: &round_item::Home) -> Row {
    let is_open = item.state.is_open();
    let mut answer = item.answer.map_or("", |one| word::answer(page, one)).to_owned();
    if let Some(receiver) = &item.receiver {
        answer = format!("{answer} ({receiver})");
    }
    let follows = item.next.filter(|_| item.next_done_at.is_none());
    let outcome = [
        item.outcome.map_or("", |one| word::outcome(page, one)),
        follows.map_or("", |next| word::next(page, next)),
    ];
    let marks = word::marks(page, &item);
    Row {
        id: item.id,
        position: item.position,
        name: masked(home),
        home: home_words(home),
        reference: item.reference.unwrap_or_default(),
        attempt: item.attempt,
        state: word::item_state(page, item.state),
        answer,
        outcome: outcome.into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join(" → "),
        note: item.note.unwrap_or_default(),
        marks,
        may_hand_over: (is_open || item.state == ItemState::Failed)
            && desk.may(Right::OverrideHandOver),
        may_be_there: item.next == Some(Next::Absent)
            && item.next_done_at.is_some()
            && desk.may(Right::PlanRounds),
    }
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let round = theirs(&web, &desk, &id).await?;
    let page = Page::new(&web, &desk, HERE);
    let db = &web.app.db;
    let mut reading = db.reading().await?;
    let items = round_item::list_of_round(&mut reading, db, round.id).await?;
    let homes = round_item::list_homes(&mut reading, db, round.id).await?;
    let conflicts = list_conflicts(&mut reading, db, Some(round.id), PAGE).await?;
    let counts = count_states(&mut reading, round.id).await?;
    drop(reading);
    let nowhere = round_item::Home::default();
    let person = |id: ItemId| items.iter().find(|item| item.id == id).map(|item| item.person);
    let clashes = conflicts
        .iter()
        .map(|one| Clash {
            key: one.key.clone(),
            name: person(one.item).and_then(|id| homes.get(&id)).map(masked).unwrap_or_default(),
            said: word::said(&page, &one.said),
            why: word::conflict(&page, &one.why),
            code: word::code(&page, one.code.as_deref()),
            at: page.time(&one.received_at),
        })
        .collect();
    let called = Called::of(&web, std::slice::from_ref(&round.area)).await?;
    note_look_hourly(&web.app, &desk.actor, Action::LookedAtRound, &round.id.to_string()).await?;
    let is_before = matches!(round.state, RoundState::Planned | RoundState::Announced);
    // Also what was interrupted on the way goes on by the same button.
    let is_untold = items.iter().any(|item| item.state == ItemState::Planned);
    let may_plan = desk.may(Right::PlanRounds);
    let is_running = round.state == RoundState::Out;
    shown(&RoundPage {
        round: line(&page, &called, &round, &counts),
        day: round.day,
        from: round.from.format("%H:%M").to_string(),
        to: round.to.format("%H:%M").to_string(),
        rows: items
            .into_iter()
            .map(|item| {
                let home = homes.get(&item.person).unwrap_or(&nowhere);
                let mut row = row(&page, &desk, item, home);
                row.may_hand_over &= is_running;
                row
            })
            .collect(),
        clashes,
        couriers: if is_before && may_plan { couriers(&web, &desk).await? } else { Vec::new() },
        courier: round.courier.to_string(),
        can: Can {
            announce: may_plan && is_before && is_untold,
            change: may_plan && is_before,
            start: may_plan && round.state == RoundState::Announced && round.day <= today(&web),
            close: may_plan && is_running,
            settle: desk.may(Right::OverrideHandOver),
        },
        said: word::done(&page, &done.selesai, &done.kartu),
        page,
    })
}

fn back_to(id: RoundId, word: &str) -> Response {
    Redirect::to(&format!("{HERE}/putaran/{id}?selesai={word}")).into_response()
}

/// The round's page again, with a word of what came of it.
fn after<T>(id: RoundId, came: Result<T, RoundError>, good: &str) -> Result<Response, Error> {
    Ok(match came {
        Ok(_) => back_to(id, good),
        Err(error) => back_to(id, word::refused(error)?),
    })
}

async fn announce(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    after(id, service::announce(&web.app, &desk.actor, id).await, "kabar")
}

async fn cancel(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    after(id, service::cancel(&web.app, &desk.actor, id).await, "batal")
}

async fn start(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    let came = service::start(&web.app, &desk.actor, id).await;
    let (given, missing) = came.as_ref().map_or((0, 0), |(given, missing)| (*given, *missing));
    let word = if missing > 0 {
        format!("mulai_kurang&kartu={missing}")
    } else {
        format!("mulai&kartu={given}")
    };
    after(id, came, &word)
}

async fn close(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    after(id, service::close(&web.app, &desk.actor, id).await, "tutup")
}

#[derive(Deserialize)]
pub(super) struct MoveForm {
    #[serde(default)]
    hari: String,
    #[serde(default)]
    dari: String,
    #[serde(default)]
    sampai: String,
}

async fn move_to(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<MoveForm>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    let parts = (form.hari.parse().ok(), clock(&form.dari), clock(&form.sampai));
    let (Some(day), Some(from), Some(to)) = parts else { return Ok(back_to(id, "jam")) };
    after(id, service::move_to(&web.app, &desk.actor, id, (day, from, to)).await, "pindah")
}

#[derive(Deserialize)]
pub(super) struct CourierForm {
    #[serde(default)]
    kurir: String,
}

async fn reassign(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<CourierForm>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    let Ok(courier) = form.kurir.parse() else { return Ok(back_to(id, "kurir")) };
    after(id, service::reassign(&web.app, &desk.actor, id, courier).await, "ganti")
}

#[derive(Deserialize)]
pub(super) struct WordForm {
    #[serde(default)]
    kartu: String,
    #[serde(default)]
    penerima: String,
    #[serde(default)]
    alasan: String,
}

async fn hand_over(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<WordForm>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    let Ok(item) = form.kartu.parse() else { return Ok(back_to(id, "tolak")) };
    let words = (form.penerima.as_str(), form.alasan.as_str());
    match service::hand_over_by_word(&web.app, &desk.actor, (id, item), words).await {
        Ok("done") => Ok(back_to(id, "serah")),
        Ok("conflict") => Ok(back_to(id, "tentang")),
        Ok("too_early") => Ok(back_to(id, "belum")),
        Ok(_) => Ok(back_to(id, "tolak")),
        Err(error) => Ok(back_to(id, word::refused(error)?)),
    }
}

#[derive(Deserialize)]
pub(super) struct ClashForm {
    #[serde(default)]
    laporan: String,
    #[serde(default)]
    benar: String,
}

async fn settle(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<ClashForm>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    let which = (id, form.laporan.as_str());
    let came = service::settle_conflict(&web.app, &desk.actor, which, form.benar == "ya").await;
    after(id, came, "konflik")
}

/// Somebody who was said to have died or moved still lives there.
async fn still_there(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<WordForm>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?.id;
    let Ok(item) = form.kartu.parse() else { return Ok(back_to(id, "keadaan")) };
    let came = service::take_back_absence(&web.app, &desk.actor, (id, item)).await;
    after(id, came, "ada")
}

#[derive(Deserialize)]
pub(super) struct AnswerForm {
    #[serde(default)]
    jawab: String,
    #[serde(default)]
    alamat: String,
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
    let came = service::settle_question(&web.app, &desk.actor, id, found, &form.alamat).await;
    let word = match came {
        Ok(()) => "jawab",
        Err(error) => word::refused(error)?,
    };
    Ok(Redirect::to(&format!("{HERE}?selesai={word}")).into_response())
}
