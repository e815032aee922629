//! Broadcasts of sosialisasi: written with a preview of every phone, agreed to by a second person, sent, held,
//! and followed live.
//!
//! Every rule about them is the service's; here forms are read and what it says is shown.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{NaiveDateTime, TimeZone as _};
use futures_util::stream;
use serde::Deserialize;

use super::desk::Desk;
use super::form::Filled;
use super::label;
use super::page::{Page, show as shown};
use super::{Need, Rooms, broadcast_words as words};
use crate::domain::area::AreaCode;
use crate::domain::audience::{Audience, CardCondition};
use crate::domain::broadcast::{BroadcastState, Move, Notice, Schedule};
use crate::domain::clock::Timestamp;
use crate::domain::id::{BroadcastId, MessageId, RunId};
use crate::domain::message::ChannelKind;
use crate::domain::officer::Right;
use crate::domain::phone::PhoneNumber;
use crate::domain::timetable::Timetable;
use crate::service::broadcast::{
    self as service, BroadcastError, Draft, Failure, Look, Preview, RunReport,
};
use crate::store::broadcast::Broadcast;
use crate::web::Web;
use crate::web::error::Error;

/// Rows of a page.
const PAGE: i64 = 50;
/// Dates of a timetable that are shown.
const DATES: usize = 5;
/// How often a page that is followed live looks again, and how often at most before it asks anew.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const MOST_LOOKS: u32 = 900;
const HERE: &str = "/console/siaran";

/// The routes.
pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let see = Need::Right(Right::SeeBroadcasts);
    let write = Need::Right(Right::Broadcast);
    rooms
        .get("/console/siaran", see, list)
        .get("/console/siaran/baru", write, new)
        .post("/console/siaran/baru", write, create)
        .get("/console/siaran/{id}", see, show)
        .get("/console/siaran/{id}/ubah", write, edit)
        .post("/console/siaran/{id}/ubah", write, change)
        .get("/console/siaran/{id}/gagal", see, failures)
        .get("/console/siaran/{id}/langsung", see, follow)
        .post("/console/siaran/{id}/uji", write, test)
        .post("/console/siaran/{id}/ajukan", write, submit)
        .post("/console/siaran/{id}/setujui", Need::Right(Right::Approve), approve)
        .post("/console/siaran/{id}/tolak", Need::Right(Right::Approve), reject)
        .post("/console/siaran/{id}/kirim", write, send)
        .post("/console/siaran/{id}/jeda", write, pause)
        .post("/console/siaran/{id}/lanjut", write, resume)
        .post("/console/siaran/{id}/batal", write, cancel)
        .post("/console/siaran/{id}/ulang", write, retry)
}

/// A broadcast in a list.
struct Row {
    id: String,
    title: String,
    state: &'static str,
    state_words: String,
    area: String,
    when: String,
    updated: String,
    recipients: Option<i64>,
}

#[derive(Template)]
#[template(path = "broadcast_list.html", config = "src/web/console/askama.toml")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    next: Option<String>,
    may_write: bool,
}

#[derive(Deserialize)]
pub(super) struct Cursor {
    #[serde(default)]
    before: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    problem: String,
}

fn state_words(web: &Web, page: &Page, state: BroadcastState) -> String {
    if page.is_english() {
        state.as_str().replace('_', " ")
    } else {
        web.app.templates.broadcast().state(state).to_owned()
    }
}

async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(cursor): Query<Cursor>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let before: Option<BroadcastId> = cursor.before.parse().ok();
    let found = service::list(&web.app, &desk.actor, before, PAGE).await?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == PAGE);
    let next = found.last().filter(|_| is_full).map(|row| row.id.to_string());
    let rows = found
        .iter()
        .map(|one| Row {
            id: one.id.to_string(),
            title: one.notice.title.clone(),
            state: one.state.as_str(),
            state_words: state_words(&web, &page, one.state),
            area: one.area.to_string(),
            when: service::schedule_words(&web.app, &one.schedule),
            updated: page.time(&one.updated_at),
            recipients: one.recipients.and_then(|count| i64::try_from(count).ok()),
        })
        .collect();
    let may_write = desk.may(Right::Broadcast);
    shown(&ListPage { page, rows, next, may_write })
}

/// What stands in the form.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    areas: String,
    #[serde(default)]
    dusun: String,
    #[serde(default)]
    rw: String,
    #[serde(default)]
    rt: String,
    #[serde(default)]
    card: String,
    #[serde(default)]
    months: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    document: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    when: String,
    #[serde(default)]
    at: String,
    #[serde(default)]
    weekday: String,
    #[serde(default)]
    monthday: String,
    #[serde(default)]
    clock: String,
    #[serde(default)]
    cron: String,
}

#[derive(Template)]
#[template(path = "broadcast_form.html", config = "src/web/console/askama.toml")]
struct FormPage {
    page: Page,
    form: Written,
    action: String,
    problem: Option<String>,
    weekdays: [(&'static str, &'static str); 7],
}

fn form(
    web: &Web,
    desk: &Desk,
    form: Written,
    action: String,
    problem: Option<String>,
) -> Result<Response, Error> {
    let page = Page::new(web, desk, HERE);
    let weekdays = [
        ("MON", page.t("Senin", "Monday")),
        ("TUE", page.t("Selasa", "Tuesday")),
        ("WED", page.t("Rabu", "Wednesday")),
        ("THU", page.t("Kamis", "Thursday")),
        ("FRI", page.t("Jumat", "Friday")),
        ("SAT", page.t("Sabtu", "Saturday")),
        ("SUN", page.t("Minggu", "Sunday")),
    ];
    shown(&FormPage { page, form, action, problem, weekdays })
}

async fn new(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let area = desk.area().to_string();
    let office = web.app.settings.office_area.to_string();
    let areas = if area.is_empty() { office } else { area };
    let written = Written { areas, when: "now".to_owned(), ..Written::default() };
    form(&web, &desk, written, format!("{HERE}/baru"), None)
}

impl Written {
    fn check(&self, web: &Web, page: &Page) -> Result<Draft, String> {
        let notice = Notice::parse(&self.title, &self.text, &self.place, &self.time)
            .map_err(|error| words::notice(page, error))?;
        let number =
            |text: &str, problem: &str| text.trim().parse::<u32>().map_err(|_| problem.to_owned());
        let areas = self
            .areas
            .split([',', ' ', '\n', ';'])
            .map(str::trim)
            .filter(|code| !code.is_empty())
            .map(|code| {
                let problem = page.t(
                    "Kode wilayah tidak terbaca. Tulis seperti 35.17.09:",
                    "The area code cannot be read. Write it like 35.17.09:",
                );
                AreaCode::parse(code).map_err(|_| format!("{problem} {code}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let audience = Audience {
            areas,
            dusun: some(&self.dusun),
            rw: some(&self.rw),
            rt: some(&self.rt),
            card: match self.card.as_str() {
                "not_recorded" => Some(CardCondition::NotRecorded),
                "turning_17" => Some(CardCondition::Turning17 {
                    months: number(
                        &self.months,
                        page.t(
                            "Tulis jumlah bulannya dengan angka.",
                            "Give the months as a number.",
                        ),
                    )?,
                }),
                "uncollected" => Some(CardCondition::Uncollected {
                    days: number(
                        &self.days,
                        page.t("Tulis jumlah harinya dengan angka.", "Give the days as a number."),
                    )?,
                }),
                _ => None,
            },
            document: some(&self.document)
                .map(|word| word.parse().map_err(|_| format!("{word}?")))
                .transpose()?,
            language: some(&self.language)
                .map(|word| word.parse().map_err(|_| format!("{word}?")))
                .transpose()?,
            is_list: false,
        };
        Ok(Draft { notice, audience: audience.tidied(), schedule: self.schedule(web, page)? })
    }

    fn schedule(&self, web: &Web, page: &Page) -> Result<Schedule, String> {
        let clock = || {
            let time = chrono::NaiveTime::parse_from_str(self.clock.trim(), "%H:%M")
                .map_err(|_| page.t("Tulis jamnya seperti 08:00.", "Write the time like 08:00."))?;
            Ok::<_, String>(time.format("%-M %-H").to_string())
        };
        let timetable = |line: &str| {
            Timetable::parse(line)
                .map(Schedule::Timetable)
                .map_err(|error| words::timetable(page, error))
        };
        match self.when.as_str() {
            "at" => {
                let naive = NaiveDateTime::parse_from_str(self.at.trim(), "%Y-%m-%dT%H:%M")
                    .map_err(|_| {
                        page.t("Pilih tanggal dan jamnya.", "Choose the date and the time.")
                    })?;
                let zone = web.app.settings.office_area.zone().offset();
                let at = zone.from_local_datetime(&naive).single().map(Timestamp::from);
                let at = at.filter(|at| *at > web.app.now());
                Ok(Schedule::At(at.ok_or_else(|| {
                    page.t(
                        "Waktu itu sudah lewat. Pilih yang akan datang.",
                        "That moment has passed. Choose one to come.",
                    )
                })?))
            }
            "weekly" => timetable(&format!("{} * * {}", clock()?, self.weekday)),
            "monthly" => {
                let day: u32 = self.monthday.trim().parse().map_err(|_| {
                    page.t(
                        "Tulis tanggalnya dengan angka, 1 sampai 28.",
                        "Give the day as a number, 1 to 28.",
                    )
                })?;
                timetable(&format!("{} {day} * *", clock()?))
            }
            "cron" => timetable(self.cron.trim()),
            _ => Ok(Schedule::Now),
        }
    }

    fn of(web: &Web, one: &Broadcast) -> Self {
        let zone = web.app.settings.office_area.zone().offset();
        let areas: Vec<String> = one.audience.areas.iter().map(ToString::to_string).collect();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (card, months, days) = match one.audience.card {
            None => ("", String::new(), String::new()),
            Some(CardCondition::NotRecorded) => ("not_recorded", String::new(), String::new()),
            Some(CardCondition::Turning17 { months }) => {
                ("turning_17", months.to_string(), String::new())
            }
            Some(CardCondition::Uncollected { days }) => {
                ("uncollected", String::new(), days.to_string())
            }
        };
        let (when, at, cron) = match &one.schedule {
            Schedule::Now => ("now", String::new(), String::new()),
            Schedule::At(at) => {
                ("at", at.in_zone(zone).format("%Y-%m-%dT%H:%M").to_string(), String::new())
            }
            Schedule::Timetable(line) => ("cron", String::new(), line.to_string()),
        };
        Self {
            title: one.notice.title.clone(),
            text: one.notice.text.clone(),
            place: text(&one.notice.place),
            time: text(&one.notice.time),
            areas: areas.join(", "),
            dusun: text(&one.audience.dusun),
            rw: text(&one.audience.rw),
            rt: text(&one.audience.rt),
            card: card.to_owned(),
            months,
            days,
            document: one.audience.document.map_or("", |document| document.as_str()).to_owned(),
            language: one.audience.language.map_or("", |word| word.as_str()).to_owned(),
            when: when.to_owned(),
            at,
            cron,
            ..Self::default()
        }
    }
}

async fn create(
    State(web): State<Web>,
    desk: Desk,
    Filled(written): Filled<Written>,
) -> Result<Response, Error> {
    let action = format!("{HERE}/baru");
    let draft = match written.check(&web, &Page::new(&web, &desk, HERE)) {
        Ok(draft) => draft,
        Err(problem) => return form(&web, &desk, written, action, Some(problem)),
    };
    match service::create(&web.app, &desk.actor, &draft).await {
        Ok(id) => Ok(Redirect::to(&format!("{HERE}/{id}")).into_response()),
        Err(BroadcastError::Service(error)) => Err(error.into()),
        Err(error) => {
            let problem = words::draft(&Page::new(&web, &desk, HERE), &error);
            form(&web, &desk, written, action, Some(problem))
        }
    }
}

fn id(text: &str) -> Result<BroadcastId, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

async fn edit(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
) -> Result<Response, Error> {
    let one = service::show(&web.app, &desk.actor, id(&text)?).await?;
    form(&web, &desk, Written::of(&web, &one), format!("{HERE}/{}/ubah", one.id), None)
}

async fn change(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Filled(written): Filled<Written>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    let action = format!("{HERE}/{id}/ubah");
    let draft = match written.check(&web, &Page::new(&web, &desk, HERE)) {
        Ok(draft) => draft,
        Err(problem) => return form(&web, &desk, written, action, Some(problem)),
    };
    match service::change(&web.app, &desk.actor, id, &draft).await {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}/{id}")).into_response()),
        Err(error @ (BroadcastError::NotFound | BroadcastError::Service(_))) => Err(error.into()),
        Err(error) => {
            let problem = words::draft(&Page::new(&web, &desk, HERE), &error);
            form(&web, &desk, written, action, Some(problem))
        }
    }
}

/// How one run went, as far as it is.
struct Progress {
    done: u64,
    total: u64,
    started: String,
    finished: Option<String>,
    states: Vec<(String, i64)>,
    failures: Vec<(String, String, i64)>,
    left_out: Vec<(String, i64)>,
}

#[derive(Template)]
#[template(path = "broadcast_progress.html", config = "src/web/console/askama.toml")]
struct ProgressPart<'a> {
    page: &'a Page,
    runs: &'a [Progress],
    alarm: Option<(String, String)>,
    state: &'static str,
    state_words: String,
}

/// A number as the page writes it.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn progress(web: &Web, page: &Page, report: &RunReport) -> Progress {
    let run = &report.run;
    let texts = web.app.templates.broadcast();
    Progress {
        done: report.settled,
        total: run.recipients,
        started: page.time(&run.started_at),
        finished: run.finished_at.as_ref().map(|at| page.time(at)),
        states: report
            .states
            .iter()
            .map(|(status, number)| (words::status(page, *status), count(*number)))
            .collect(),
        failures: report
            .failures
            .iter()
            .map(|kind| {
                let why = label::reason(page, Some(kind.channel), &kind.code).why;
                (kind.code.clone(), why.to_owned(), count(kind.count))
            })
            .collect(),
        left_out: run
            .left_out
            .iter()
            .map(|(reason, number)| (texts.left_out(*reason).to_owned(), count(*number)))
            .collect(),
    }
}

/// What can be done with it now, by whom.
#[expect(clippy::struct_excessive_bools, reason = "one for each button")]
struct Acts {
    change: bool,
    submit: bool,
    approve: bool,
    send: bool,
    pause: bool,
    resume: bool,
    cancel: bool,
    retry: bool,
}

impl Acts {
    fn of(desk: &Desk, one: &Broadcast, runs: &[RunReport]) -> Self {
        let writes = desk.may(Right::Broadcast);
        let can = |happens: Move| writes && one.state.after(happens).is_some();
        let has_failures = runs.first().is_some_and(|report| !report.failures.is_empty());
        let is_other = desk.actor.id != one.maker.id;
        Self {
            change: can(Move::Change),
            submit: can(Move::Submit),
            approve: desk.may(Right::Approve)
                && is_other
                && one.state.after(Move::Approve).is_some(),
            send: one.state == BroadcastState::Approved && writes,
            pause: can(Move::Pause),
            resume: can(Move::Resume),
            cancel: can(Move::Cancel),
            retry: can(Move::Retry) && has_failures,
        }
    }
}

struct WayLine {
    channel: &'static str,
    account: String,
    recipients: i64,
    parts: Option<i64>,
    rupiah: Option<i64>,
    takes: String,
}

#[derive(Template)]
#[template(path = "broadcast.html", config = "src/web/console/askama.toml")]
struct ShowPage {
    page: Page,
    id: String,
    notice: Notice,
    when: String,
    dates: Vec<String>,
    audience: Written,
    maker: String,
    checker: Option<String>,
    note: Option<String>,
    looks: Vec<Look>,
    people: Option<i64>,
    recipients: Option<i64>,
    needs_second: bool,
    ways: Vec<WayLine>,
    rupiah: Option<i64>,
    takes: String,
    left_out: Vec<(String, i64)>,
    acts: Acts,
    progress: String,
    is_live: bool,
    done: &'static str,
    problem: &'static str,
    has_run: bool,
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Query(cursor): Query<Cursor>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let one = service::show(&web.app, &desk.actor, id(&text)?).await?;
    let runs = service::report(&web.app, &desk.actor, one.id).await?;
    let is_before = runs.is_empty();
    let preview: Option<Preview> = if is_before && desk.may(Right::Broadcast) {
        Some(service::preview(&web.app, &desk.actor, one.id).await?)
    } else {
        None
    };
    let texts = web.app.templates.broadcast();
    let ways = preview.iter().flat_map(|preview| &preview.ways).map(|way| WayLine {
        channel: label::channel(way.channel),
        account: way.account.clone(),
        recipients: count(way.recipients),
        parts: way.parts.map(count),
        rupiah: way.rupiah.map(count),
        takes: way.days.map_or_else(
            || words::duration(&page, way.takes),
            |days| format!("{days} {}", page.t("hari", "days")),
        ),
    });
    let ways = ways.collect();
    let left_out = preview.iter().flat_map(|preview| &preview.left_out);
    let left_out =
        left_out.map(|(why, number)| (texts.left_out(*why).to_owned(), count(*number))).collect();
    let is_live = matches!(one.state, BroadcastState::Sending);
    let progress = progress_part(&web, &page, &one, &runs)?;
    shown(&ShowPage {
        id: one.id.to_string(),
        notice: one.notice.clone(),
        when: service::schedule_words(&web.app, &one.schedule),
        dates: service::next_dates(&web.app, &one.schedule, DATES)
            .iter()
            .map(|at| page.time(at))
            .collect(),
        audience: Written::of(&web, &one),
        maker: name_of(&web, &one.maker.id).await?,
        checker: match &one.checker {
            Some(checker) => Some(name_of(&web, checker).await?),
            None => None,
        },
        note: one.note.clone(),
        looks: service::looks(&web.app, &one.notice)?,
        has_run: !is_before,
        people: preview.as_ref().map(|preview| count(preview.people)),
        recipients: preview.as_ref().map(|preview| count(preview.recipients)),
        needs_second: preview.as_ref().is_some_and(|preview| preview.needs_second),
        ways,
        rupiah: preview.as_ref().and_then(|preview| preview.rupiah).map(count),
        takes: preview.as_ref().map_or_else(String::new, |p| words::duration(&page, p.takes)),
        left_out,
        acts: Acts::of(&desk, &one, &runs),
        progress,
        is_live,
        done: words::said(&page, &cursor.done),
        problem: words::problem(&page, &cursor.problem),
        page,
    })
}

/// An officer's name; other names, of tokens and the command line, stay as they are.
async fn name_of(web: &Web, who: &str) -> Result<String, Error> {
    let Ok(id) = who.parse() else { return Ok(who.to_owned()) };
    let found = crate::store::officer::find_officer(&web.app.db, id).await?;
    Ok(found.map_or_else(|| who.to_owned(), |officer| officer.name))
}

fn progress_part(
    web: &Web,
    page: &Page,
    one: &Broadcast,
    runs: &[RunReport],
) -> Result<String, Error> {
    let texts = web.app.templates.broadcast();
    let alarm = one.alarm.map(|alarm| {
        let said = texts.alarm(alarm);
        (said.what.clone(), said.next.clone())
    });
    let runs: Vec<Progress> = runs.iter().map(|report| progress(web, page, report)).collect();
    let part = ProgressPart {
        page,
        runs: &runs,
        alarm,
        state: one.state.as_str(),
        state_words: state_words(web, page, one.state),
    };
    part.render().map_err(|error| {
        tracing::error!("a part of a page cannot be made: {error}");
        Error::Internal
    })
}

/// The progress again and again, until nothing moves any more.
async fn follow(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    // Refused here, not in the middle of a stream.
    service::show(&web.app, &desk.actor, id).await?;
    let events = stream::unfold((web, desk, 0_u32, false), move |state| async move {
        let (web, desk, looks, is_over) = state;
        if is_over || looks >= MOST_LOOKS {
            return None;
        }
        if looks > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let page = Page::new(&web, &desk, HERE);
        let seen = async {
            let one = service::show(&web.app, &desk.actor, id).await?;
            let runs = service::report(&web.app, &desk.actor, id).await?;
            let part = progress_part(&web, &page, &one, &runs)?;
            Ok::<_, Error>((part, one.state == BroadcastState::Sending))
        };
        let (event, is_over) = match seen.await {
            Ok((part, true)) => (Event::default().event("part").data(part), false),
            // The buttons are others now: the page is loaded anew.
            Ok((_, false)) | Err(_) => (Event::default().event("end").data("end"), true),
        };
        Some((Ok::<_, Infallible>(event), (web, desk, looks + 1, is_over)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

#[derive(Template)]
#[template(path = "broadcast_failures.html", config = "src/web/console/askama.toml")]
struct FailuresPage {
    page: Page,
    id: String,
    rows: Vec<FailureRow>,
    next: Option<String>,
}

struct FailureRow {
    channel: &'static str,
    recipient: String,
    code: String,
    reason: label::Reason,
    at: String,
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: String,
}

async fn failures(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Query(after): Query<After>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let id = id(&text)?;
    let runs = service::report(&web.app, &desk.actor, id).await?;
    let run: RunId = runs.first().map(|report| report.run.id).ok_or(Error::NotFound)?;
    let after: Option<MessageId> = after.after.parse().ok();
    let found: Vec<Failure> = service::failures(&web.app, &desk.actor, run, after, PAGE).await?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == PAGE);
    let next = found.last().filter(|_| is_full).map(|row| row.id.to_string());
    let rows = found
        .into_iter()
        .map(|row| FailureRow {
            channel: label::channel(row.channel),
            recipient: row.recipient.unwrap_or_default(),
            reason: label::reason(
                &page,
                Some(row.channel),
                row.code.as_deref().unwrap_or_default(),
            ),
            code: row.code.unwrap_or_default(),
            at: page.time_opt(row.failed_at.as_ref()),
        })
        .collect();
    shown(&FailuresPage { page, id: id.to_string(), rows, next })
}

#[derive(Deserialize)]
pub(super) struct Test {
    channel: String,
    phone: String,
}

async fn test(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Filled(form): Filled<Test>,
) -> Result<Response, Error> {
    let channel: ChannelKind =
        form.channel.parse().map_err(|_| Error::BadParameter("no such channel".to_owned()))?;
    let id = id(&text)?;
    let Ok(phone) = PhoneNumber::parse(&form.phone) else { return Ok(not_done(id, "nomor")) };
    after(id, "uji", service::test(&web.app, &desk.actor, id, channel, &phone).await)
}

fn not_done(id: BroadcastId, why: &str) -> Response {
    Redirect::to(&format!("{HERE}/{id}?problem={why}")).into_response()
}

/// Goes back to the broadcast, which says what was done, or why not.
fn after<T>(
    id: BroadcastId,
    done: &str,
    outcome: Result<T, BroadcastError>,
) -> Result<Response, Error> {
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}/{id}?done={done}")).into_response()),
        Err(error) => match words::refusal(&error) {
            Some(why) => Ok(not_done(id, why)),
            None => Err(error.into()),
        },
    }
}

#[derive(Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    reason: String,
}

async fn reject(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Filled(form): Filled<Reason>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    match service::reject(&web.app, &desk.actor, id, &form.reason).await {
        Err(BroadcastError::Invalid { .. }) => Ok(not_done(id, "alasan")),
        outcome => after(id, "tolak", outcome),
    }
}

/// Makes the handler of an act that needs nothing but the broadcast.
macro_rules! act {
    ($($name:ident => $done:literal),+ $(,)?) => {$(
        async fn $name(
            State(web): State<Web>,
            desk: Desk,
            Path(text): Path<String>,
        ) -> Result<Response, Error> {
            let id = id(&text)?;
            after(id, $done, service::$name(&web.app, &desk.actor, id).await)
        }
    )+};
}

act! {
    submit => "ajukan",
    approve => "setujui",
    send => "kirim",
    pause => "jeda",
    resume => "lanjut",
    cancel => "batal",
    retry => "ulang",
}
