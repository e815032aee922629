//! Percakapan: what citizens put before an officer, and the conversation in which it is answered.
//!
//! Whoever opens one has read it, and that is noted by the service; what lies beyond an officer's area is not there.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;

use super::desk::Desk;
use super::form::Filled;
use super::listing::{Tab, cursor, last_of_full, named, slug};
use super::page::{Page, show as shown};
use super::talk_words::{
    category_name, channel_name, kind_name, outcome, person, refusal, state_name, status_name,
};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{MessageId, TicketId};
use crate::domain::message::MessageStatus;
use crate::domain::officer::Right;
use crate::domain::ticket::{ComplaintCategory, TicketKind, TicketState};
use crate::service::by::By;
use crate::service::talk::{self, Measure, Talk};
use crate::service::ticket::{self, TicketError};
use crate::store::area::find_names;
use crate::store::officer::list_names;
use crate::store::talk::{Said, Speaker};
use crate::store::ticket::Ticket;
use crate::store::ticket_entry::{Entry, Happening};
use crate::store::ticket_list::{Sight, Wanted, count_seen, list_seen};
use crate::web::Web;
use crate::web::error::Error;

const HERE: &str = "/console/percakapan";
const PAGE: i64 = 50;
/// How often an open conversation is looked at for something new, and how often before the browser asks anew.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const LOOKS: u32 = 25;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, answer) = (Need::Right(Right::SeeConversations), Need::Right(Right::Answer));
    rooms
        .get("/console/percakapan", see, list)
        .get("/console/percakapan/{id}", see, open)
        .get("/console/percakapan/{id}/langsung", see, live)
        .post("/console/percakapan/{id}/ambil", answer, take)
        .post("/console/percakapan/{id}/balas", answer, reply)
        .post("/console/percakapan/{id}/ukur", answer, measure)
        .post("/console/percakapan/{id}/tutup", answer, close)
}

struct Row {
    id: String,
    kind: &'static str,
    category: &'static str,
    is_pungli: bool,
    number: String,
    channel: &'static str,
    area: String,
    opened: String,
    waits: String,
    due: String,
    is_late: bool,
    who: String,
}

#[derive(Template)]
#[template(path = "talks.html", config = "src/web/console/askama.toml")]
struct TalksPage {
    page: Page,
    state: TicketState,
    states: Vec<Tab>,
    kinds: Vec<Tab>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// One message as it is shown.
struct Line {
    is_ours: bool,
    who: String,
    at: String,
    words: String,
    choices: Vec<String>,
    state: &'static str,
    is_bad: bool,
    failure: String,
}

/// Something that happened to the ticket.
struct Happened {
    at: String,
    what: &'static str,
    who: String,
}

#[derive(Template)]
#[template(path = "talk_said.html", config = "src/web/console/askama.toml")]
struct SaidPart {
    page: Page,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "talk_measure.html", config = "src/web/console/askama.toml")]
struct MeasurePart {
    page: Page,
    measure: Measure,
}

#[derive(Template)]
#[template(path = "talk.html", config = "src/web/console/askama.toml")]
#[expect(clippy::struct_excessive_bools, reason = "each is asked by the page")]
struct TalkPage {
    page: Page,
    row: Row,
    state: TicketState,
    is_talk: bool,
    who: Option<String>,
    complaint: Option<String>,
    lines: Vec<Line>,
    older: Option<String>,
    is_newest: bool,
    has_channel: bool,
    is_window_open: bool,
    until: Option<String>,
    may_answer: bool,
    /// Who has it, if somebody else does.
    other: Option<(String, String)>,
    closed: String,
    happened: Vec<Happened>,
    canned: Vec<(String, String, String)>,
    words: String,
    measure: Measure,
    problem: Option<&'static str>,
    told: Option<&'static str>,
    key: String,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    #[serde(default)]
    keadaan: String,
    #[serde(default)]
    jenis: String,
    #[serde(default)]
    sesudah: String,
}

#[derive(Deserialize)]
pub(super) struct Opened {
    sebelum: Option<i64>,
    #[serde(default)]
    kabar: String,
}

#[derive(Deserialize)]
pub(super) struct Taking {
    /// From whom, where another officer is relieved.
    #[serde(default)]
    from: String,
}

#[derive(Deserialize)]
pub(super) struct Reply {
    #[serde(default)]
    words: String,
    /// `send`, `preview`, or the id of a ready answer.
    #[serde(default, rename = "do")]
    what: String,
    #[serde(default)]
    key: String,
}

#[derive(Deserialize)]
pub(super) struct Closing {
    /// `tell` or `silent`.
    #[serde(default)]
    how: String,
}

const STATES: [(TicketState, &str); 3] = [
    (TicketState::Open, "menunggu"),
    (TicketState::Taken, "ditangani"),
    (TicketState::Closed, "selesai"),
];
const KINDS: [(TicketKind, &str); 3] = [
    (TicketKind::Human, "percakapan"),
    (TicketKind::Complaint, "pengaduan"),
    (TicketKind::Deletion, "hapus-data"),
];

pub(super) async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(query): Query<Listed>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let state = named(&STATES, &query.keadaan).unwrap_or(TicketState::Open);
    let kind = named(&KINDS, &query.jenis);
    let after = cursor(&query.sesudah)?;
    let sight = Sight { within: desk.area(), has_unplaced: desk.sees_all(&web) };
    let counts = count_seen(&web.app.db, &sight).await?;
    let tickets = list_seen(&web.app.db, &sight, Wanted { state, kind, after }, PAGE).await?;
    let next = last_of_full(&tickets, PAGE).map(|last| last.id);
    let names = list_names(&web.app.db).await?;
    let areas = area_names(&web, tickets.iter().filter_map(|ticket| ticket.area.as_ref())).await?;
    let rows = tickets.iter().map(|one| row(&web, &page, one, &names, &areas)).collect();
    let count = |of: TicketState, kind: Option<TicketKind>| {
        let fits = |(state, other, _): &&(TicketState, TicketKind, i64)| {
            *state == of && kind.is_none_or(|kind| kind == *other)
        };
        (of != TicketState::Closed)
            .then(|| counts.iter().filter(fits).map(|(_, _, count)| count).sum())
    };
    let states = STATES
        .iter()
        .map(|(of, slug)| Tab {
            name: state_name(&page, *of),
            href: address(slug, kind, None),
            count: count(*of, None),
            is_here: *of == state,
        })
        .collect();
    let here = slug(&STATES, &state);
    let all = std::iter::once((None, page.t("Semua", "All")))
        .chain(KINDS.iter().map(|(kind, _)| (Some(*kind), kind_name(&page, *kind))));
    let kinds = all
        .map(|(of, name)| Tab {
            name,
            href: address(here, of, None),
            count: count(state, of),
            is_here: of == kind,
        })
        .collect();
    let next = next.map(|id| address(here, kind, Some(id)));
    shown(&TalksPage { page, state, states, kinds, rows, next })
}

fn address(state: &str, kind: Option<TicketKind>, after: Option<TicketId>) -> String {
    let kind = kind.map_or("", |kind| slug(&KINDS, &kind));
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let fields = [("keadaan", state), ("jenis", kind), ("sesudah", after.as_str())];
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let query = serde_urlencoded::to_string(given.collect::<Vec<_>>()).unwrap_or_default();
    format!("{HERE}?{query}")
}

async fn area_names(
    web: &Web,
    codes: impl Iterator<Item = &AreaCode>,
) -> Result<BTreeMap<AreaCode, String>, Error> {
    let codes: Vec<AreaCode> = codes.cloned().collect();
    if codes.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(find_names(&mut *web.app.db.reading().await?, &web.app.db, &codes).await?)
}

fn row(
    web: &Web,
    page: &Page,
    ticket: &Ticket,
    names: &BTreeMap<String, String>,
    areas: &BTreeMap<AreaCode, String>,
) -> Row {
    let channel = web.app.account(&ticket.account).map(|account| account.channel);
    let is_over = ticket.state == TicketState::Closed;
    let area = ticket.area.as_ref();
    Row {
        id: ticket.id.to_string(),
        kind: kind_name(page, ticket.kind),
        category: ticket.category.map_or("", |category| category_name(page, category)),
        is_pungli: ticket.category.is_some_and(ComplaintCategory::is_pungli),
        number: ticket.number.clone().unwrap_or_default(),
        channel: channel.map_or("–", channel_name),
        area: area
            .map(|area| areas.get(area).cloned().unwrap_or_else(|| area.to_string()))
            .unwrap_or_default(),
        opened: page.time(&ticket.opened_at),
        waits: page.ago(&ticket.opened_at),
        due: ticket.due_at.as_ref().map(|due| page.time(due)).unwrap_or_default(),
        is_late: !is_over && ticket.due_at.is_some_and(|due| due <= web.app.now()),
        who: match (&ticket.closed_by, &ticket.taken_by) {
            (Some(by), _) if is_over => person(page, names, by),
            (_, Some(by)) => person(page, names, by),
            _ => String::new(),
        },
    }
}

fn line(page: &Page, said: Said, names: &BTreeMap<String, String>) -> Line {
    let at = page.time(&said.at);
    let words = said.words.expose().to_owned();
    match said.from {
        Speaker::Citizen { .. } => Line {
            is_ours: false,
            who: page.t("Warga", "Citizen").to_owned(),
            at,
            words,
            choices: Vec::new(),
            state: "",
            is_bad: false,
            failure: String::new(),
        },
        Speaker::Office { status, choices, by, failure, .. } => Line {
            is_ours: true,
            who: match by {
                Some(by) => person(page, names, &by),
                None => page.t("Jawaban otomatis", "Automatic answer").to_owned(),
            },
            at,
            words,
            choices,
            state: status_name(page, status),
            is_bad: matches!(status, MessageStatus::Failed | MessageStatus::Expired),
            failure: failure.unwrap_or_default(),
        },
    }
}

fn happened(page: &Page, entry: &Entry, names: &BTreeMap<String, String>) -> Option<Happened> {
    let what = match entry.what {
        Happening::Opened => page.t("Masuk antrean", "Put in the queue"),
        Happening::Taken => page.t("Diambil", "Taken"),
        Happening::Looked => page.t("Dibaca", "Read"),
        Happening::Closed => page.t("Ditutup", "Closed"),
        // The words themselves stand in the conversation.
        Happening::Inbound | Happening::Reply => return None,
    };
    let who = entry.by.as_deref().map(|by| person(page, names, by)).unwrap_or_default();
    Some(Happened { at: page.time(&entry.at), what, who })
}

/// The ticket that a path names, if it lies in the officer's area.
async fn theirs(web: &Web, desk: &Desk, id: &str) -> Result<TicketId, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let found = talk::find(&web.app, id).await?.ok_or(Error::NotFound)?;
    desk.covers(web, found.area.as_ref())?;
    Ok(id)
}

/// What is shown beside the conversation itself.
#[derive(Default)]
struct Beside {
    words: String,
    problem: Option<&'static str>,
    told: Option<&'static str>,
    is_newest: bool,
}

async fn show(web: &Web, desk: &Desk, talk: Talk, beside: Beside) -> Result<Response, Error> {
    let page = Page::new(web, desk, HERE);
    let names = list_names(&web.app.db).await?;
    let areas = area_names(web, talk.ticket.area.iter()).await?;
    let row = row(web, &page, &talk.ticket, &names, &areas);
    let me = &desk.actor.id;
    let other = talk.ticket.taken_by.as_ref().filter(|by| *by != me);
    let other = other.map(|by| (by.clone(), person(&page, &names, by)));
    let ticket = &talk.ticket;
    let closed = ticket.closed_at.as_ref().map(|at| page.time(at)).unwrap_or_default();
    let until = talk.window_until.as_ref().map(|until| page.time(until));
    let older = talk.older.map(|at| format!("{HERE}/{}?sebelum={}", ticket.id, at.as_ms()));
    let happened = talk.entries.iter().filter_map(|entry| happened(&page, entry, &names)).collect();
    shown(&TalkPage {
        state: ticket.state,
        is_talk: ticket.kind == TicketKind::Human,
        who: talk.who,
        complaint: talk.complaint,
        older,
        is_newest: beside.is_newest,
        has_channel: talk.channel.is_some(),
        is_window_open: talk.is_window_open,
        until,
        may_answer: desk.may(Right::Answer),
        other: other.filter(|_| ticket.state == TicketState::Taken),
        closed,
        happened,
        canned: talk::canned(&web.app),
        measure: talk::measure(&beside.words),
        words: beside.words,
        problem: beside.problem,
        told: beside.told,
        key: web.app.ids.next::<MessageId>(web.app.now()).to_string(),
        lines: talk.said.into_iter().map(|said| line(&page, said, &names)).collect(),
        row,
        page,
    })
}

pub(super) async fn open(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Query(query): Query<Opened>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?;
    let before = query.sebelum.map(Timestamp::from_ms);
    let talk = talk::open(&web.app, id, before, &By::from(&desk.actor)).await?;
    let page = Page::new(&web, &desk, HERE);
    let told = outcome(&page, &query.kabar);
    let beside = Beside { told, is_newest: before.is_none(), ..Beside::default() };
    show(&web, &desk, talk, beside).await
}

fn back(id: TicketId, word: &str) -> Response {
    Redirect::to(&format!("{HERE}/{id}?kabar={word}")).into_response()
}

pub(super) async fn take(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Taking>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?;
    let by = By::from(&desk.actor);
    let taken = if form.from.is_empty() {
        ticket::take(&web.app, id, &by).await
    } else {
        ticket::relieve(&web.app, id, &form.from, &by).await
    };
    match taken {
        Ok(()) => Ok(back(id, "diambil")),
        Err(TicketError::NotOpen | TicketError::Closed) => Ok(back(id, "berubah")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn reply(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Reply>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?;
    let by = By::from(&desk.actor);
    let mut beside = Beside { words: form.words, is_newest: true, ..Beside::default() };
    if form.what == "send" {
        let key = Some(form.key.as_str()).filter(|key| !key.is_empty());
        match ticket::reply(&web.app, id, &beside.words, &by, key).await {
            Ok(_) => return Ok(back(id, "terkirim")),
            Err(TicketError::Service(error)) => return Err(error.into()),
            Err(error) => beside.problem = Some(refusal(&Page::new(&web, &desk, HERE), &error)),
        }
    } else if let Some((_, _, words)) =
        talk::canned(&web.app).into_iter().find(|(id, ..)| *id == form.what)
    {
        let own = beside.words.trim_end();
        beside.words = if own.is_empty() { words } else { format!("{own}\n{words}") };
    }
    let talk = talk::open(&web.app, id, None, &by).await?;
    show(&web, &desk, talk, beside).await
}

pub(super) async fn measure(
    State(web): State<Web>,
    desk: Desk,
    Path(_): Path<String>,
    Filled(form): Filled<Reply>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    shown(&MeasurePart { page, measure: talk::measure(&form.words) })
}

pub(super) async fn close(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Closing>,
) -> Result<Response, Error> {
    let id = theirs(&web, &desk, &id).await?;
    match ticket::close(&web.app, id, &By::from(&desk.actor), form.how == "tell").await {
        Ok(true) => Ok(back(id, "ditutup")),
        Ok(false) => Ok(back(id, "diam")),
        Err(TicketError::Closed | TicketError::Elsewhere) => Ok(back(id, "berubah")),
        Err(error) => Err(error.into()),
    }
}

/// What one open conversation is followed with.
struct Following {
    web: Web,
    desk: Desk,
    id: TicketId,
    last: String,
    looks: u32,
    is_over: bool,
}

/// The conversation again whenever something in it changes. It ends after a while, and the browser comes back:
/// so somebody who may no longer read it is not told for longer than that.
pub(super) async fn live(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    let id = theirs(&web, &desk, &id).await?;
    // Whoever follows it reads it, whether they opened the page just now or came back.
    ticket::show(&web.app, id, &By::from(&desk.actor)).await?;
    let following = Following { web, desk, id, last: String::new(), looks: 0, is_over: false };
    Ok(Sse::new(unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    })))
}

impl Following {
    async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        while self.looks < LOOKS {
            if self.looks > 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            self.looks += 1;
            let talk = talk::follow(&self.web.app, self.id).await.ok()?;
            if talk.ticket.state == TicketState::Closed {
                self.is_over = true;
                return Some(Event::default().event("end").data("end"));
            }
            let names = list_names(&self.web.app.db).await.ok()?;
            let page = Page::new(&self.web, &self.desk, HERE);
            let lines = talk.said.into_iter().map(|said| line(&page, said, &names)).collect();
            let part = SaidPart { page, lines }.render().ok()?;
            if part != self.last {
                self.last.clone_from(&part);
                return Some(Event::default().event("part").data(part));
            }
        }
        None
    }
}
