//! Jawaban, its first half: what citizens asked and was not understood, and what the office decides about it.
//!
//! The words are a citizen's: only those see them who may answer citizens or teach, and the look is noted. What is
//! taught holds for everybody, so that only those teach whose area is the whole office's.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::answer_words::title;
use super::desk::Desk;
use super::form::Filled;
use super::listing::{Tab, cursor, last_of_full, named, slug};
use super::page::{Page, show as shown};
use super::talk_words::person;
use super::{Need, Rooms};
use crate::domain::audit::Action;
use crate::domain::id::QuestionGroupId;
use crate::domain::message::MessageText;
use crate::domain::officer::Right;
use crate::service::by::By;
use crate::service::officer::note_look;
use crate::service::teach::{self, Outcome, Trial, search, teachable, wordings};
use crate::service::{question as service, teach::all_teachable};
use crate::store::officer::list_names;
use crate::store::question_group::GroupState;
use crate::store::question_list::{Group, GroupFilter, find_group, list_groups};
use crate::web::Web;
use crate::web::error::Error;

pub(super) const HERE: &str = "/console/jawaban";
const PAGE: i64 = 50;
/// Answers that are offered as buttons.
const OFFERED: usize = 3;
/// Answers that a search finds.
const FOUND: usize = 8;
/// Known examples that are named where teaching would change them.
const NAMED: usize = 20;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, teach) = (Need::Right(Right::SeeAnswers), Need::Right(Right::Teach));
    rooms
        .get("/console/jawaban", see, list)
        .get("/console/jawaban/tanya/{id}", see, open)
        .post("/console/jawaban/tanya/{id}/cari", teach, find)
        .post("/console/jawaban/tanya/{id}/ajar", teach, teach_one)
        .post("/console/jawaban/tanya/{id}/sisihkan", teach, set_aside)
        .post("/console/jawaban/tanya/{id}/buka", teach, reopen)
}

const STATES: [(GroupState, &str); 3] = [
    (GroupState::Open, "belum"),
    (GroupState::Taught, "diajarkan"),
    (GroupState::Ignored, "disisihkan"),
];

/// An answer that a question may mean.
struct Offer {
    label: String,
    title: String,
}

struct Row {
    id: String,
    /// The first wording; none for those who may not read it.
    sample: Option<String>,
    times: i64,
    is_shared: bool,
    last: String,
    near: Vec<Offer>,
    /// What it was taught as.
    label: String,
    who: String,
    at: String,
}

#[derive(Template)]
#[template(path = "questions.html", config = "src/web/console/askama.toml")]
struct QuestionsPage {
    page: Page,
    state: GroupState,
    states: Vec<Tab>,
    is_all: bool,
    rows: Vec<Row>,
    next: Option<String>,
    may_teach: bool,
    told: Option<&'static str>,
}

/// A known example that would be understood in another way.
struct Shifted {
    text: String,
    before: String,
    after: String,
}

/// What teaching would change.
struct Doubt {
    label: String,
    title: String,
    known: usize,
    count: usize,
    shifts: Vec<Shifted>,
}

#[derive(Template)]
#[template(path = "question.html", config = "src/web/console/askama.toml")]
struct QuestionPage {
    page: Page,
    row: Row,
    state: GroupState,
    texts: Vec<String>,
    may_teach: bool,
    search: String,
    found: Option<Vec<Offer>>,
    all: Vec<Offer>,
    doubt: Option<Doubt>,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    #[serde(default)]
    keadaan: String,
    #[serde(default)]
    semua: String,
    #[serde(default)]
    sesudah: String,
    #[serde(default)]
    kabar: String,
}

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    words: String,
}

#[derive(Deserialize)]
pub(super) struct Teaching {
    label: String,
    #[serde(default)]
    sure: String,
}

/// Whether somebody may read what citizens wrote.
fn may_read(desk: &Desk) -> bool {
    desk.may(Right::Answer) || desk.may(Right::Teach)
}

/// Whether somebody may decide what everybody is answered.
pub(super) fn may_teach(web: &Web, desk: &Desk) -> bool {
    desk.may(Right::Teach) && desk.sees_all(web)
}

/// Refuses whoever may not.
pub(super) fn must_teach(web: &Web, desk: &Desk) -> Result<(), Error> {
    if may_teach(web, desk) { Ok(()) } else { Err(Error::Forbidden("another")) }
}

fn offer(web: &Web, page: &Page, label: &str) -> Offer {
    Offer { label: label.to_owned(), title: title(web, page, label) }
}

fn row(
    web: &Web,
    page: &Page,
    group: &Group,
    names: &BTreeMap<String, String>,
    is_read: bool,
) -> Row {
    let near = group.near.iter().filter(|label| teachable(label).is_some()).take(OFFERED);
    Row {
        id: group.id.to_string(),
        sample: is_read.then(|| group.sample.expose().to_owned()),
        times: group.times,
        is_shared: group.is_shared,
        last: page.time(&group.last_at),
        near: near.map(|label| offer(web, page, label)).collect(),
        label: group.label.as_deref().map(|label| title(web, page, label)).unwrap_or_default(),
        who: group.decided_by.as_deref().map(|by| person(page, names, by)).unwrap_or_default(),
        at: group.decided_at.as_ref().map(|at| page.time(at)).unwrap_or_default(),
    }
}

fn address(state: &str, is_all: bool, after: Option<QuestionGroupId>) -> String {
    let mut fields = vec![("keadaan", state.to_owned())];
    if is_all {
        fields.push(("semua", "1".to_owned()));
    }
    fields.extend(after.map(|id| ("sesudah", id.to_string())));
    format!("{HERE}?{}", serde_urlencoded::to_string(fields).unwrap_or_default())
}

pub(super) async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(query): Query<Listed>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let state = named(&STATES, &query.keadaan).unwrap_or(GroupState::Open);
    let is_all = query.semua == "1";
    let after = cursor(&query.sesudah)?;
    let within = (!desk.sees_all(&web)).then(|| desk.area());
    let filter = GroupFilter { state, is_all, since: None, after, within };
    let groups = list_groups(&web.app.db, &filter, PAGE).await?;
    let is_read = may_read(&desk);
    if is_read && !groups.is_empty() {
        note_look(&web.app, &desk.actor, Action::ReadConversation, "questions").await?;
    }
    let names = list_names(&web.app.db).await?;
    let here = slug(&STATES, &state);
    let next = last_of_full(&groups, PAGE).map(|last| address(here, is_all, Some(last.id)));
    let rows = groups.iter().map(|group| row(&web, &page, group, &names, is_read)).collect();
    let state_name = |state| match state {
        GroupState::Open => page.t("Belum dijawab", "Not answered yet"),
        GroupState::Taught => page.t("Diajarkan", "Taught"),
        GroupState::Ignored => page.t("Disisihkan", "Set aside"),
    };
    let states = STATES
        .iter()
        .map(|(of, slug)| Tab {
            name: state_name(*of),
            href: address(slug, false, None),
            count: None,
            is_here: *of == state,
        })
        .collect();
    let told = match query.kabar.as_str() {
        "diajarkan" => Some(page.t(
            "Sudah diajarkan. Pertanyaan seperti itu sekarang dijawab.",
            "Taught. Questions like that are answered now.",
        )),
        "disisihkan" => Some(page.t("Sudah disisihkan.", "Set aside.")),
        "dibuka" => Some(page.t(
            "Sudah dibuka lagi; yang diajarkan darinya ditarik.",
            "Open again; what it taught is withdrawn.",
        )),
        "berubah" => Some(page.t(
            "Pertanyaan itu sudah diputuskan orang lain.",
            "Somebody else decided about that question already.",
        )),
        _ => None,
    };
    let may_teach = may_teach(&web, &desk);
    shown(&QuestionsPage { page, state, states, is_all, rows, next, may_teach, told })
}

/// The group that a path names, if all who asked live in the officer's area.
async fn theirs(web: &Web, desk: &Desk, id: &str) -> Result<Group, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let group = find_group(&web.app.db, id).await?.ok_or(Error::NotFound)?;
    desk.covers(web, group.area.as_ref())?;
    Ok(group)
}

/// What is shown beside a question.
#[derive(Default)]
struct Beside {
    search: String,
    found: Option<Vec<&'static str>>,
    doubt: Option<(&'static str, Trial)>,
}

async fn show(web: &Web, desk: &Desk, group: Group, beside: Beside) -> Result<Response, Error> {
    let page = Page::new(web, desk, HERE);
    let is_read = may_read(desk);
    let texts = if is_read {
        let id = group.id.to_string();
        note_look(&web.app, &desk.actor, Action::ReadConversation, &id).await?;
        wordings(&web.app.db, group.id).await?
    } else {
        Vec::new()
    };
    let names = list_names(&web.app.db).await?;
    let doubt = beside.doubt.map(|(label, trial)| Doubt {
        label: label.to_owned(),
        title: title(web, &page, label),
        known: trial.known,
        count: trial.shifts.len(),
        shifts: trial
            .shifts
            .into_iter()
            .take(NAMED)
            .map(|shift| Shifted {
                text: shift.text,
                before: title(web, &page, &shift.before),
                after: title(web, &page, &shift.after),
            })
            .collect(),
    });
    let mut all: Vec<Offer> = all_teachable().map(|label| offer(web, &page, label)).collect();
    all.sort_by_key(|offer| offer.title.to_lowercase());
    let found = beside.found;
    shown(&QuestionPage {
        row: row(web, &page, &group, &names, is_read),
        state: group.state,
        texts: texts.iter().map(MessageText::expose).map(str::to_owned).collect(),
        may_teach: may_teach(web, desk),
        search: beside.search,
        found: found.map(|found| found.iter().map(|one| offer(web, &page, one)).collect()),
        all,
        doubt,
        page,
    })
}

pub(super) async fn open(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let group = theirs(&web, &desk, &id).await?;
    show(&web, &desk, group, Beside::default()).await
}

pub(super) async fn find(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Search>,
) -> Result<Response, Error> {
    let group = theirs(&web, &desk, &id).await?;
    let found = Some(search(&web.app, &form.words, FOUND));
    show(&web, &desk, group, Beside { search: form.words, found, ..Beside::default() }).await
}

fn back(state: &str, word: &str) -> Response {
    Redirect::to(&format!("{HERE}?keadaan={state}&kabar={word}")).into_response()
}

pub(super) async fn teach_one(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Teaching>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    let group = theirs(&web, &desk, &id).await?;
    let label = teachable(&form.label)
        .ok_or_else(|| Error::BadParameter("that is no answer that can be taught".to_owned()))?;
    let by = By::from(&desk.actor);
    match teach::teach(&web.app, group.id, label, &by, form.sure == "1").await? {
        Outcome::NotOpen => Ok(back("belum", "berubah")),
        Outcome::Taught(_) => Ok(back("belum", "diajarkan")),
        Outcome::WouldShift(trial) => {
            let doubt = Some((label, trial));
            show(&web, &desk, group, Beside { doubt, ..Beside::default() }).await
        }
    }
}

pub(super) async fn set_aside(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    let group = theirs(&web, &desk, &id).await?;
    let is_done = service::ignore(&web.app, group.id, &By::from(&desk.actor)).await?;
    Ok(back("belum", if is_done { "disisihkan" } else { "berubah" }))
}

pub(super) async fn reopen(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    let group = theirs(&web, &desk, &id).await?;
    let is_done = service::reopen(&web.app, group.id, &By::from(&desk.actor)).await?;
    Ok(back("belum", if is_done { "dibuka" } else { "berubah" }))
}
