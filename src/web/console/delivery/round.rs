//! One round's page: its cards in the order of the way, what citizens answered and couriers reported, and what can be
//! done with it.

use askama::Template;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::NaiveDate;
use serde::Deserialize;

use super::super::desk::Desk;
use super::super::form::Filled;
use super::super::page::{Page, show as shown};
use super::{
    Called, Done, HERE, Line, PAGE, clock, couriers, home_words, line, masked, today, word,
};
use crate::domain::audit::Action;
use crate::domain::id::{ItemId, RoundId};
use crate::domain::officer::Right;
use crate::domain::round::{ItemState, Next, RoundState};
use crate::service::officer::note_look_hourly;
use crate::service::round::{self as service, RoundError};
use crate::store::round::{Round, find_round};
use crate::store::round_item::{self, Item};
use crate::store::round_plan::count_states;
use crate::store::round_report::list_conflicts;
use crate::web::Web;
use crate::web::error::Error;

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
    /// It has not left: what is handed over is handed over at the counter.
    is_before: bool,
    change: bool,
    start: bool,
    close: bool,
    settle: bool,
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
    let came = [
        item.outcome.map_or("", |one| word::outcome(page, one)),
        item.old_card.map_or("", |one| word::old_card(page, one)),
    ];
    let came = word::said_in_one(&came, ", ");
    let follows = follows.map_or("", |next| word::next(page, next));
    let outcome = word::said_in_one(&[&came, follows], " → ");
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
        outcome,
        note: item.note.unwrap_or_default(),
        marks,
        may_hand_over: (is_open || item.state == ItemState::Failed)
            && desk.may(Right::OverrideHandOver),
        may_be_there: item.next == Some(Next::Absent)
            && item.next_done_at.is_some()
            && desk.may(Right::PlanRounds),
    }
}

pub(super) async fn show(
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
                row.may_hand_over &= is_running || is_before;
                row
            })
            .collect(),
        clashes,
        couriers: if is_before && may_plan { couriers(&web, &desk).await? } else { Vec::new() },
        courier: round.courier.to_string(),
        can: Can {
            announce: may_plan && is_before && is_untold,
            change: may_plan && is_before,
            is_before,
            start: may_plan && round.state == RoundState::Announced && round.day <= today(&web),
            close: may_plan && is_running,
            settle: desk.may(Right::OverrideHandOver),
        },
        said: word::done(&page, &done.selesai, &done.kartu),
        page,
    })
}

/// A button of a round's page, pressed by somebody who may see that round.
pub(super) struct Pressed {
    web: Web,
    desk: Desk,
    id: RoundId,
}

impl FromRequestParts<Web> for Pressed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Error> {
        let desk = Desk::from_request_parts(parts, web).await?;
        let Ok(Path(id)) = Path::<String>::from_request_parts(parts, web).await else {
            return Err(Error::NotFound);
        };
        let id = theirs(web, &desk, &id).await?.id;
        Ok(Self { web: web.clone(), desk, id })
    }
}

fn back_to(id: RoundId, word: &str) -> Response {
    Redirect::to(&format!("{HERE}/putaran/{id}?selesai={word}")).into_response()
}

/// The round's page again, with a word of what came of it.
fn after(id: RoundId, came: Result<impl AsRef<str>, RoundError>) -> Result<Response, Error> {
    Ok(match came {
        Ok(good) => back_to(id, good.as_ref()),
        Err(error) => back_to(id, word::refused(error)?),
    })
}

/// A word of what was done, with how many cards it was done to.
fn counted(word: &str, cards: usize) -> String {
    format!("{word}&kartu={cards}")
}

pub(super) async fn announce(Pressed { web, desk, id }: Pressed) -> Result<Response, Error> {
    let came = service::announce(&web.app, &desk.actor, id).await;
    after(
        id,
        came.map(|(told, left)| match left {
            0 => counted("kabar", told),
            left => counted("kabar_sisa", left),
        }),
    )
}

pub(super) async fn cancel(Pressed { web, desk, id }: Pressed) -> Result<Response, Error> {
    after(id, service::cancel(&web.app, &desk.actor, id).await.map(|told| counted("batal", told)))
}

pub(super) async fn start(Pressed { web, desk, id }: Pressed) -> Result<Response, Error> {
    let came = service::start(&web.app, &desk.actor, id).await;
    after(
        id,
        came.map(|(given, missing)| match missing {
            0 => counted("mulai", given),
            missing => counted("mulai_kurang", missing),
        }),
    )
}

pub(super) async fn close(Pressed { web, desk, id }: Pressed) -> Result<Response, Error> {
    after(id, service::close(&web.app, &desk.actor, id).await.map(|_| "tutup"))
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

pub(super) async fn move_to(
    Pressed { web, desk, id }: Pressed,
    Filled(form): Filled<MoveForm>,
) -> Result<Response, Error> {
    let parts = (form.hari.parse().ok(), clock(&form.dari), clock(&form.sampai));
    let (Some(day), Some(from), Some(to)) = parts else { return Ok(back_to(id, "jam")) };
    let came = service::move_to(&web.app, &desk.actor, id, (day, from, to)).await;
    after(id, came.map(|cards| counted("pindah", cards)))
}

#[derive(Deserialize)]
pub(super) struct CourierForm {
    #[serde(default)]
    kurir: String,
}

pub(super) async fn reassign(
    Pressed { web, desk, id }: Pressed,
    Filled(form): Filled<CourierForm>,
) -> Result<Response, Error> {
    let Ok(courier) = form.kurir.parse() else { return Ok(back_to(id, "kurir")) };
    after(id, service::reassign(&web.app, &desk.actor, id, courier).await.map(|()| "ganti"))
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

pub(super) async fn hand_over(
    Pressed { web, desk, id }: Pressed,
    Filled(form): Filled<WordForm>,
) -> Result<Response, Error> {
    let Ok(item) = form.kartu.parse() else { return Ok(back_to(id, "tolak")) };
    let words = (form.penerima.as_str(), form.alasan.as_str());
    match service::hand_over_by_word(&web.app, &desk.actor, (id, item), words).await {
        Ok("done") => Ok(back_to(id, "serah")),
        Ok("conflict") => Ok(back_to(id, "tentang")),
        Ok("too_early") => Ok(back_to(id, "belum")),
        Ok("not_here") => Ok(back_to(id, "bukan_sini")),
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

pub(super) async fn settle(
    Pressed { web, desk, id }: Pressed,
    Filled(form): Filled<ClashForm>,
) -> Result<Response, Error> {
    let which = (id, form.laporan.as_str());
    let came = service::settle_conflict(&web.app, &desk.actor, which, form.benar == "ya").await;
    after(id, came.map(|()| "konflik"))
}

/// Somebody who was said to have died or moved still lives there.
pub(super) async fn still_there(
    Pressed { web, desk, id }: Pressed,
    Filled(form): Filled<WordForm>,
) -> Result<Response, Error> {
    let Ok(item) = form.kartu.parse() else { return Ok(back_to(id, "keadaan")) };
    let came = service::take_back_absence(&web.app, &desk.actor, (id, item)).await;
    after(id, came.map(|()| "ada"))
}
