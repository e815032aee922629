//! `/kurir`: what a courier carries, on a cheap phone that is without network most of the day.
//!
//! The page keeps the round and the queue of reports on the phone by itself (`assets/courier.js`); what is on it
//! without a script works too, online. Here stand the doors: whose round it is and what a report means is decided by
//! `service::round`. No NIK and no phone number ever comes this way.

mod sheet;
mod words;

use askama::Template;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, show as shown};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::id::RoundId;
use crate::domain::officer::Right;
use crate::domain::round::RoundState;
use crate::service::officer::note_look_hourly;
use crate::service::round::{CourierRound, Report, RoundError, for_courier, report};
use crate::store::round::{Round, list_live_of};
use crate::web::Web;
use crate::web::error::Error;

use words::{WORDS, word};

/// Rounds that one courier sees at most; those that are over are none of them.
const MOST_ROUNDS: i64 = 100;
/// Reports of one call; the phone sends fewer.
const MOST_REPORTS: usize = 100;

const WORKER: &str = include_str!("../assets/courier_sw.js");

impl From<RoundError> for Error {
    fn from(error: RoundError) -> Self {
        match error {
            RoundError::NotFound => Self::NotFound,
            RoundError::Forbidden => Self::Forbidden("another"),
            RoundError::Service(error) => error.into(),
            other => Self::Conflict(other.to_string()),
        }
    }
}

/// One round in the list.
struct Row {
    id: String,
    day: String,
    window: String,
    area: String,
    state: &'static str,
    cards: usize,
    /// It is carried today or tomorrow: the phone fetches it while there is network.
    is_near: bool,
}

#[derive(Template)]
#[template(path = "courier_list.html", config = "src/web/console/askama.toml")]
struct ListPage {
    page: Page,
    words: Vec<(&'static str, &'static str)>,
    officer: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "courier_shell.html", config = "src/web/console/askama.toml")]
struct ShellPage {
    page: Page,
    words: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "courier_round.html", config = "src/web/console/askama.toml")]
struct RoundPage {
    page: Page,
    words: Vec<(&'static str, &'static str)>,
    officer: String,
    round: CourierRound,
    day: String,
    window: String,
    /// What came of the form that was just sent.
    told: Option<String>,
    is_good: bool,
    /// The item whose form is open, and the form's key.
    open: String,
    key: String,
    may_override: bool,
}

impl RoundPage {
    fn word(&self, group: &str, key: &str) -> &'static str {
        word(&self.page, group, key)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Told {
    /// The item whose form is asked for, or was sent.
    butir: String,
    hasil: String,
    kenapa: String,
}

#[derive(Deserialize)]
struct Sent {
    reports: Vec<Value>,
}

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let carry = Need::Right(Right::CarryCards);
    rooms
        .get("/kurir", carry, to_list)
        .get("/kurir/", carry, list)
        .get("/kurir/luring", carry, shell)
        .get("/kurir/saya", carry, whoami)
        .get("/kurir/sw.js", Need::Nothing, worker)
        .get("/kurir/manifest.webmanifest", Need::Nothing, manifest)
        .get("/kurir/putaran/{id}", carry, show)
        .get("/kurir/putaran/{id}/data", carry, data)
        .post("/kurir/putaran/{id}/laporan", carry, take)
        .post("/kurir/putaran/{id}/catat", carry, take_form)
        .get("/kurir/putaran/{id}/lembar", carry, sheet::show)
}

/// A page of the courier's, whose reader speaks that language.
fn words_of(page: &Page) -> Vec<(&'static str, &'static str)> {
    WORDS.iter().map(|(key, id, en)| (*key, page.t(id, en))).collect()
}

fn id_of(id: &str) -> Result<RoundId, Error> {
    id.parse().map_err(|_| Error::NotFound)
}

/// A day as one reads it; as it came where it is none.
fn day_of(page: &Page, date: &str) -> String {
    date.parse().map_or_else(|_| date.to_owned(), |day| page.date(day))
}

/// Its window as one reads it: `09.00–12.00`.
fn window_of(round: &CourierRound) -> String {
    format!("{}–{}", round.from, round.to).replace(':', ".")
}

async fn to_list() -> Redirect {
    Redirect::to("/kurir/")
}

async fn list(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, "/kurir/");
    let today = |round: &Round| {
        web.app.now().in_zone(web.app.zone(Some(&round.area)).offset()).date_naive()
    };
    let mut reading = web.app.db.reading().await?;
    let everywhere = AreaCode::nationwide();
    let mine = Some(desk.officer.id);
    let found = list_live_of(&mut reading, &everywhere, mine, None, MOST_ROUNDS).await?;
    drop(reading);
    let mut rows = Vec::new();
    for round in &found {
        let seen = for_courier(&web.app, &desk.actor, round.id).await?;
        rows.push(Row {
            id: round.id.to_string(),
            day: page.date(round.day),
            window: window_of(&seen),
            area: round.area.to_string(),
            state: word(&page, "round", round.state.as_str()),
            cards: seen.items.iter().filter(|item| item.state != "left").count(),
            is_near: round.state == RoundState::Out
                || round.day <= today(round) + chrono::Days::new(1),
        });
    }
    let officer = desk.officer.id.to_string();
    shown(&ListPage { words: words_of(&page), page, officer, rows })
}

/// The page without anything on it, which the phone keeps for the time without network.
async fn shell(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let page = Page::outside(&web, desk.language(), "/kurir/");
    shown(&ShellPage { words: words_of(&page), page })
}

/// Who is logged in, for a phone that several couriers use.
async fn whoami(desk: Desk) -> Response {
    Json(json!({"officer": desk.officer.id.to_string()})).into_response()
}

async fn worker() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], WORKER).into_response()
}

/// What makes the page an app on the phone's first screen.
async fn manifest(State(web): State<Web>) -> Response {
    let manifest = json!({
        "name": format!("Kurir – {}", web.app.settings.office_name), "short_name": "Kurir", "lang": "id",
        "start_url": "/kurir/", "scope": "/kurir/", "display": "standalone",
        "background_color": "#f1f4f2", "theme_color": "#0b6b4f",
        "icons": [{"src": "/console/assets/courier.svg", "sizes": "any", "type": "image/svg+xml"}],
    });
    ([(header::CONTENT_TYPE, "application/manifest+json")], manifest.to_string()).into_response()
}

/// A round with names and streets, which somebody is then known to have seen.
async fn look(web: &Web, desk: &Desk, id: RoundId) -> Result<CourierRound, Error> {
    let round = for_courier(&web.app, &desk.actor, id).await?;
    note_look_hourly(&web.app, &desk.actor, Action::LookedAtRound, &id.to_string()).await?;
    Ok(round)
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Query(asked): Query<Told>,
) -> Result<Response, Error> {
    let round = look(&web, &desk, id_of(&id)?).await?;
    let page = Page::new(&web, &desk, "/kurir/");
    let item = round.items.iter().find(|item| item.id == asked.butir);
    let told = item.filter(|_| !asked.hasil.is_empty()).map(|item| {
        let reason = word(&page, "why", &asked.kenapa);
        let verdict = if reason.is_empty() { word(&page, "result", &asked.hasil) } else { reason };
        let verdict = verdict.replace("{n}", &item.attempts_left.to_string());
        format!("{}. {}: {verdict}", item.position, item.name)
    });
    let is_good = asked.hasil == "done";
    let open = item.filter(|_| !is_good).map(|item| item.id.clone()).unwrap_or_default();
    let day = day_of(&page, &round.date);
    let window = window_of(&round);
    let words = words_of(&page);
    let may_override = desk.may(Right::OverrideHandOver);
    let key = new_key()?;
    let officer = desk.officer.id.to_string();
    shown(&RoundPage {
        page,
        words,
        officer,
        round,
        day,
        window,
        told,
        is_good,
        open,
        key,
        may_override,
    })
}

/// Under which a form is one report, however often it is sent.
fn new_key() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| Error::Internal)?;
    Ok(hex::encode(bytes))
}

/// The round as the phone keeps it, and what it needs to send reports in this session.
async fn data(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let round = look(&web, &desk, id_of(&id)?).await?;
    let may_override = desk.may(Right::OverrideHandOver);
    let officer = desk.officer.id.to_string();
    let data = json!({
        "csrf": desk.csrf, "officer": officer, "may_override": may_override, "round": round,
    });
    Ok(Json(data).into_response())
}

async fn take(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Error> {
    let id = id_of(&id)?;
    let too_large = || Error::TooLarge("a call has at most 100 reports and 256 KiB".to_owned());
    let body = body.map_err(|_| too_large())?;
    let sent: Sent = serde_json::from_slice(&body)
        .map_err(|_| Error::BadBody("reports: a list of reports".to_owned()))?;
    if sent.reports.len() > MOST_REPORTS {
        return Err(too_large());
    }
    // One that cannot be read is answered as such: it must not hold up for ever those behind it.
    let mut readable = Vec::new();
    let mut answers = Vec::new();
    for value in sent.reports {
        let key = value.get("key").cloned().unwrap_or_default();
        match serde_json::from_value::<Report>(value) {
            Ok(report) => readable.push(report),
            Err(_) => answers
                .push(json!({"key": key, "result": "refused", "item": null, "why": "unreadable"})),
        }
    }
    let taken = report(&web.app, &desk.actor, id, readable).await?;
    answers.extend(taken.iter().map(|reported| json!(reported)));
    Ok(Json(json!({"reported": answers})).into_response())
}

/// The same from a page without a script: one report, and the page again with what came of it.
async fn take_form(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(fields): Filled<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let said = Report {
        key: field("key"),
        item: field("item"),
        at: web.app.now().as_ms(),
        outcome: field("outcome"),
        by: field("by"),
        receiver: field("receiver"),
        code: field("code"),
        old_card: field("old_card"),
        reason: field("reason"),
        note: field("note"),
        version: field("version").parse().unwrap_or_default(),
    };
    let item = said.item.clone();
    let taken = report(&web.app, &desk.actor, id_of(&id)?, vec![said]).await?;
    let (result, why) = taken.first().map_or(("refused", ""), |reported| {
        match (reported.result.as_str(), reported.why.as_str()) {
            ("repeated", first) => (first, ""),
            other => other,
        }
    });
    let query =
        serde_urlencoded::to_string([("butir", item.as_str()), ("hasil", result), ("kenapa", why)]);
    let to = format!("/kurir/putaran/{id}?{}", query.unwrap_or_default());
    Ok(Redirect::to(&to).into_response())
}
