//! The counter: one field for the code that somebody says, and the case behind it, with what is to be noted.
//!
//! A case shows no more than the appointment holds: no NIK, and a name only masked, where one was told.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{
    Fields, HERE, Line, Notice, clock, counted_of, failed, field, is_unsettled, line, refused,
    state_name, today,
};
use crate::domain::appointment::{AppointmentState, Origin};
use crate::domain::area::AreaCode;
use crate::domain::id::{AppointmentId, ServiceSessionId};
use crate::service::appointment::{
    AppointmentError, Case, cancel, find_case, list_sessions, open_case, settle, take_back,
};
use crate::web::Web;
use crate::web::console::area::Names;
use crate::web::console::desk::Desk;
use crate::web::console::form::Filled;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// The counter's way.
pub(in crate::web::console) const COUNTER: &str = "/console/kunjungan/loket";
/// Longest code that is looked at, in characters: the rest is no code.
const LONGEST_TYPED: usize = 40;

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

#[derive(Template)]
#[template(path = "counter.html", config = "src/web/console/askama.toml")]
struct CounterPage {
    page: Page,
    notice: Option<Notice>,
    typed: String,
    lines: Vec<Line>,
}

/// A paper that a service asks for, and whether they say that they have it.
struct Paper {
    name: String,
    has: bool,
}

#[derive(Template)]
#[template(path = "case.html", config = "src/web/console/askama.toml")]
#[expect(clippy::struct_excessive_bools, reason = "one for each form or note that the page shows")]
struct CasePage {
    page: Page,
    notice: Option<Notice>,
    id: String,
    code: String,
    service: String,
    who: Option<String>,
    state: &'static str,
    is_booked: bool,
    is_open: bool,
    is_missed: bool,
    has_begun: bool,
    is_other_day: bool,
    comes: Option<String>,
    papers: Vec<Paper>,
    /// They were asked in the chat which papers they have.
    was_asked: bool,
    line: Line,
}

/// What an officer does with an appointment.
#[derive(Clone, Copy)]
enum CaseAct {
    /// They came.
    Serve,
    /// They did not.
    Miss,
    /// That they did not was noted by mistake.
    TakeBack,
    /// They do not want it any more.
    Cancel,
}

impl CaseAct {
    /// As its address says it.
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "hadir" => Self::Serve,
            "tidak-hadir" => Self::Miss,
            "urungkan" => Self::TakeBack,
            "batal" => Self::Cancel,
            _ => return None,
        })
    }
}

/// What a button did, in words.
pub(super) fn done_words(page: &Page, done: &str) -> Option<Notice> {
    let words = match done {
        "hadir" => page.t("Dicatat: datang.", "Noted: they came."),
        "tidak-hadir" => page.t("Dicatat: tidak datang.", "Noted: they did not come."),
        "lewat" => page.t(
            "Dicatat: lewat. Mereka belum sempat dikabari bahwa mendapat tempat, jadi tidak dihitung tidak datang.",
            "Noted: gone by. They were never told that they had a place, so it does not count as not coming.",
        ),
        "urungkan" => page
            .t("Catatan tidak datang dihapus.", "The note that they did not come was taken back."),
        "batal" => page.t(
            "Janji dibatalkan. Tempatnya untuk yang menunggu.",
            "The appointment was cancelled. The place goes to whoever waits.",
        ),
        _ => return None,
    };
    Some(Notice::good(words))
}

async fn counter_page(
    web: &Web,
    desk: &Desk,
    typed: &str,
    notice: Option<Notice>,
) -> Result<Response, Error> {
    let page = Page::new(web, desk, COUNTER);
    let (today, now) = (today(web), web.app.now());
    let found = match list_sessions(&web.app, &desk.actor, (today, today)).await {
        Ok(found) => found,
        Err(error) => return Err(failed(&page, error)),
    };
    let codes: Vec<AreaCode> = found.iter().map(|one| one.session.area.clone()).collect();
    let names = Names::of(web, &codes).await?;
    let open = found.iter().filter(|one| one.session.is_ahead(now) || is_unsettled(one, now));
    let lines = open.map(|one| line(web, &page, &names, one)).collect();
    let typed = typed.chars().take(LONGEST_TYPED).collect();
    shown(&CounterPage { page, notice, typed, lines })
}

pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, COUNTER);
    let notice = done_words(&page, &done.selesai);
    counter_page(&web, &desk, "", notice).await
}

pub(super) async fn find(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<Fields>,
) -> Result<Response, Error> {
    let typed = field(&form, "kode");
    let page = Page::new(&web, &desk, COUNTER);
    let notice = match find_case(&web.app, &desk.actor, typed).await {
        Ok(case) => {
            let to = format!("{HERE}/janji/{}", case.appointment.id);
            return Ok(Redirect::to(&to).into_response());
        }
        Err(AppointmentError::NotFound) => Notice::bad(page.t(
            "Tidak ada janji dengan kode itu di wilayah Anda. Minta warga menunjukkan pesannya.",
            "No appointment of your area has that code. Ask to see the message.",
        )),
        Err(error) => refused(&page, error)?,
    };
    counter_page(&web, &desk, typed, Some(notice)).await
}

fn id_of(id: &str) -> Result<AppointmentId, Error> {
    id.parse().map_err(|_| Error::NotFound)
}

async fn case_page(
    web: &Web,
    desk: &Desk,
    id: AppointmentId,
    notice: Option<Notice>,
) -> Result<Response, Error> {
    let page = Page::new(web, desk, COUNTER);
    let Case { appointment, session, who } = match open_case(&web.app, &desk.actor, id).await {
        Ok(case) => case,
        Err(error) => return Err(failed(&page, error)),
    };
    let script = web.app.script();
    let names = Names::of(web, std::slice::from_ref(&session.area)).await?;
    let asked = script.visit_papers(&appointment.service, &session.area);
    let names_of = script.paper_names(&asked, page.language()).into_iter();
    let papers = asked
        .iter()
        .zip(names_of)
        .map(|(id, name)| Paper { has: !script.is_lacking(&appointment.lacks, id), name });
    let papers = papers.collect();
    let (now, zone) = (web.app.now(), session.area.zone());
    let comes = appointment.comes.map(|comes| format!("{} {}", clock(comes), zone.label()));
    let is_other_day = now.in_zone(zone.offset()).date_naive() != session.day;
    let has_begun = session.begins_at <= now;
    shown(&CasePage {
        notice,
        id: appointment.id.to_string(),
        code: appointment.code.to_string(),
        service: script.visit_name(&appointment.service, page.language()),
        who,
        state: state_name(&page, appointment.state),
        is_booked: appointment.state == AppointmentState::Booked,
        is_open: appointment.state.is_open(),
        is_missed: appointment.state == AppointmentState::NoShow,
        has_begun,
        is_other_day,
        comes,
        papers,
        was_asked: appointment.origin == Origin::Chat,
        line: line(web, &page, &names, &counted_of(session, &[])),
        page,
    })
}

pub(super) async fn show_case(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    case_page(&web, &desk, id_of(&id)?, None).await
}

/// What came of a button: back to where it stands, or the case with why not.
async fn after(
    web: &Web,
    desk: &Desk,
    (id, form): (AppointmentId, &Fields),
    (act, what): (CaseAct, &str),
    result: Result<AppointmentState, AppointmentError>,
) -> Result<Response, Error> {
    match result {
        Ok(state) => {
            let done = match (act, state) {
                (CaseAct::Miss, AppointmentState::Lapsed) => "lewat",
                _ => what,
            };
            // From a session's list one goes back to the list, from the counter to the next citizen.
            let to = match field(form, "sesi").parse::<ServiceSessionId>() {
                Ok(session) => format!("{HERE}/sesi/{session}?selesai={done}"),
                Err(_) => format!("{COUNTER}?selesai={done}"),
            };
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => {
            let notice = refused(&Page::new(web, desk, COUNTER), error)?;
            case_page(web, desk, id, Some(notice)).await
        }
    }
}

pub(super) async fn note(
    State(web): State<Web>,
    desk: Desk,
    Path((id, what)): Path<(String, String)>,
    Filled(form): Filled<Fields>,
) -> Result<Response, Error> {
    let id = id_of(&id)?;
    let (app, actor) = (&web.app, &desk.actor);
    let act = CaseAct::parse(&what).ok_or(Error::NotFound)?;
    let result = match act {
        CaseAct::Serve => settle(app, actor, id, true).await,
        CaseAct::Miss => settle(app, actor, id, false).await,
        CaseAct::TakeBack => take_back(app, actor, id).await,
        CaseAct::Cancel => cancel(app, actor, id).await,
    };
    after(&web, &desk, (id, &form), (act, &what), result).await
}
