//! A session: who comes and who waits, a place given at the desk, how many may come, and calling it off.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::counter::done_words;
use super::{
    Fields, HERE, Line, Notice, clock, counted_of, failed, field, line, places_of, refused,
    span_words, state_name,
};
use crate::domain::appointment::{AppointmentState, Origin};
use crate::domain::id::ServiceSessionId;
use crate::domain::officer::Right;
use crate::domain::person::PersonName;
use crate::domain::reason;
use crate::domain::service_session::{LONGEST_WORDS, ServiceSession};
use crate::service::appointment::{
    AppointmentError, DeskWish, book, call_off, change_quota, show_session,
};
use crate::store::appointment::Appointment;
use crate::web::Web;
use crate::web::console::area::Names;
use crate::web::console::desk::Desk;
use crate::web::console::form::Filled;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// Somebody on a session's list.
struct Guest {
    id: String,
    code: String,
    time: String,
    service: String,
    who: Option<String>,
    lacks: String,
    by: &'static str,
    state: &'static str,
    colour: &'static str,
    is_booked: bool,
    is_open: bool,
    is_missed: bool,
}

#[derive(Template)]
#[template(path = "session.html", config = "src/web/console/askama.toml")]
struct SessionPage {
    page: Page,
    notice: Option<Notice>,
    line: Line,
    because: Option<String>,
    guests: Vec<Guest>,
    line_of_waiting: Vec<Guest>,
    gone: Vec<Guest>,
    /// What a place can be given for: label and name.
    services: Vec<(String, String)>,
    /// Places that nobody has.
    free: i64,
    is_ahead: bool,
    has_begun: bool,
    may_plan: bool,
    longest: usize,
    /// So long before the session who waits hears of a place at the latest.
    ahead: String,
    who: String,
    service: String,
}

#[derive(Template)]
#[template(path = "session_off.html", config = "src/web/console/askama.toml")]
struct OffPage {
    page: Page,
    notice: Option<Notice>,
    line: Line,
    /// Who hears it in their chat.
    told: i64,
    /// Who has no chat: the office tells them itself.
    untold: i64,
    longest: usize,
    because: String,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
    #[serde(default)]
    janji: String,
}

fn id_of(id: &str) -> Result<ServiceSessionId, Error> {
    id.parse().map_err(|_| Error::NotFound)
}

fn guest(web: &Web, page: &Page, one: &Appointment) -> Guest {
    let who = one.who.as_deref().and_then(PersonName::parse).map(|name| name.masked());
    Guest {
        id: one.id.to_string(),
        code: one.code.to_string(),
        time: one.comes.map(clock).unwrap_or_default(),
        service: web.app.script().visit_name(&one.service, page.language()),
        who,
        lacks: web.app.script().paper_names(&one.lacks, page.language()).join(", "),
        by: match one.origin {
            Origin::Chat => page.t("chat", "chat"),
            Origin::Desk => page.t("loket", "counter"),
        },
        state: state_name(page, one.state),
        colour: match one.state {
            AppointmentState::Served => "good",
            AppointmentState::NoShow => "bad",
            AppointmentState::Booked => "info",
            _ => "",
        },
        is_booked: one.state == AppointmentState::Booked,
        is_open: one.state.is_open(),
        is_missed: one.state == AppointmentState::NoShow,
    }
}

async fn look(
    web: &Web,
    desk: &Desk,
    page: &Page,
    id: ServiceSessionId,
) -> Result<(ServiceSession, Vec<Appointment>), Error> {
    match show_session(&web.app, &desk.actor, id).await {
        Ok(found) => Ok(found),
        Err(error) => Err(failed(page, error)),
    }
}

fn states(all: &[Appointment]) -> Vec<(AppointmentState, bool)> {
    all.iter().map(|one| (one.state, one.origin == Origin::Desk)).collect()
}

/// What came of the last form, where it says so with the list at hand.
fn notice_of(page: &Page, done: &Done, all: &[Appointment], zone: &str) -> Option<Notice> {
    let words = match done.selesai.as_str() {
        "diberi" => {
            let given = all.iter().find(|one| one.id.to_string() == done.janji)?;
            let time = given.comes.map(clock).unwrap_or_default();
            return Some(Notice::good(format!(
                "{} {}, {} {time} {zone}. {}",
                page.t("Tempat diberikan. Kode", "A place was given. Code"),
                given.code,
                page.t("datang pukul", "at"),
                page.t("Tuliskan untuk warganya.", "Write it down for the citizen."),
            )));
        }
        "kuota" => page.t(
            "Kuota diubah. Yang menunggu naik selama masih ada waktu memberi tahu.",
            "The quota was changed. Who waits moves up while there is time to tell them.",
        ),
        "dibatalkan" => page.t(
            "Sesi dibatalkan. Pesan untuk semua yang memesan lewat chat sedang dikirim.",
            "The session was called off. Everybody who booked by chat is being told.",
        ),
        other => return done_words(page, other),
    };
    Some(Notice::good(words))
}

async fn one(
    web: &Web,
    desk: &Desk,
    id: ServiceSessionId,
    (fields, done, refusal): (&Fields, &Done, Option<Notice>),
) -> Result<Response, Error> {
    let page = Page::new(web, desk, HERE);
    let (session, all) = look(web, desk, &page, id).await?;
    let now = web.app.now();
    let notice = refusal.or_else(|| notice_of(&page, done, &all, session.area.zone().label()));
    let names = Names::of(web, std::slice::from_ref(&session.area)).await?;
    let script = web.app.script();
    let serves = |label: &str| script.visit_service(label).is_some_and(|s| session.serves(s));
    let mut services = script.visits(page.language());
    services.retain(|(label, _)| serves(label));
    let of = |fits: &dyn Fn(&Appointment) -> bool| {
        all.iter().filter(|one| fits(one)).map(|one| guest(web, &page, one)).collect::<Vec<_>>()
    };
    let waits = |one: &Appointment| one.state == AppointmentState::Waiting;
    let comes = |one: &Appointment| one.state.takes_seat() || one.state == AppointmentState::NoShow;
    let mut waiting: Vec<&Appointment> = all.iter().filter(|one| waits(one)).collect();
    waiting.sort_by_key(|one| one.id);
    let (is_ahead, has_begun) = (session.is_ahead(now), session.begins_at <= now);
    let because = session.closed.as_ref().map(|closed| closed.because.clone());
    let line_of_waiting = waiting.into_iter().map(|one| guest(web, &page, one)).collect();
    let (guests, gone) = (of(&comes), of(&|one| !waits(one) && !comes(one)));
    let line = line(web, &page, &names, &counted_of(session, &states(&all)));
    shown(&SessionPage {
        notice,
        because,
        guests,
        line_of_waiting,
        gone,
        services,
        free: (line.quota - line.taken).max(0),
        is_ahead,
        has_begun,
        may_plan: desk.may(Right::ChangePoints),
        longest: LONGEST_WORDS,
        ahead: span_words(&page, web.app.settings.appointment.move_up_before),
        who: field(fields, "who").to_owned(),
        service: field(fields, "service").to_owned(),
        line,
        page,
    })
}

pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    one(&web, &desk, id_of(&id)?, (&Fields::new(), &done, None)).await
}

/// The page once more, with why not.
async fn again(
    web: &Web,
    desk: &Desk,
    (id, fields): (ServiceSessionId, &Fields),
    error: AppointmentError,
) -> Result<Response, Error> {
    let notice = refused(&Page::new(web, desk, HERE), error)?;
    let done = Done { selesai: String::new(), janji: String::new() };
    one(web, desk, id, (fields, &done, Some(notice))).await
}

pub(super) async fn give(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Fields>,
) -> Result<Response, Error> {
    let id = id_of(&id)?;
    let who = field(&form, "who");
    let wish = DeskWish {
        service: field(&form, "service").to_owned(),
        who: (!who.is_empty()).then(|| who.to_owned()),
    };
    match book(&web.app, &desk.actor, id, &wish).await {
        Ok(given) => {
            let to = format!("{HERE}/sesi/{id}?selesai=diberi&janji={}", given.id);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => again(&web, &desk, (id, &form), error).await,
    }
}

pub(super) async fn resize(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Fields>,
) -> Result<Response, Error> {
    let id = id_of(&id)?;
    let result = match places_of(&form) {
        Ok(places) => change_quota(&web.app, &desk.actor, id, places).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}/sesi/{id}?selesai=kuota")).into_response()),
        Err(error) => again(&web, &desk, (id, &form), error).await,
    }
}

async fn off_page(
    web: &Web,
    desk: &Desk,
    id: ServiceSessionId,
    (because, notice): (&str, Option<Notice>),
) -> Result<Response, Error> {
    let page = Page::new(web, desk, HERE);
    let (session, all) = look(web, desk, &page, id).await?;
    let names = Names::of(web, std::slice::from_ref(&session.area)).await?;
    let count = |has_chat: bool| {
        let open = all.iter().filter(|one| one.state.is_open());
        let count = open.filter(|one| one.contact.is_some() == has_chat).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    };
    shown(&OffPage {
        notice,
        told: count(true),
        untold: count(false),
        longest: reason::LONGEST,
        because: because.to_owned(),
        line: line(web, &page, &names, &counted_of(session, &states(&all))),
        page,
    })
}

pub(super) async fn ask_off(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    off_page(&web, &desk, id_of(&id)?, ("", None)).await
}

pub(super) async fn take_off(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Fields>,
) -> Result<Response, Error> {
    let id = id_of(&id)?;
    let because = field(&form, "because");
    match call_off(&web.app, &desk.actor, id, because).await {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}/sesi/{id}?selesai=dibatalkan")).into_response()),
        Err(error) => {
            let notice = refused(&Page::new(&web, &desk, HERE), error)?;
            off_page(&web, &desk, id, (because, Some(notice))).await
        }
    }
}
