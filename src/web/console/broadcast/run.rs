//! How a broadcast goes: its runs, live, and the failures of the last one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Deserialize;

use super::preview::so_far;
use super::{HERE, PAGE, count, id, state_words, words};
use crate::domain::broadcast::BroadcastState;
use crate::domain::id::{BroadcastId, MessageId, RunId};
use crate::service::broadcast::{self as service, Counted, Failure, RunReport};
use crate::store::broadcast::Broadcast;
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::label;
use crate::web::console::listing::last_of_full;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// How often a page that is followed live looks again, and how often at most before it asks anew.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const MOST_LOOKS: u32 = 900;

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

pub(super) fn progress_part(
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

/// A stream of what `look` finds, until it finds nothing any more: the buttons are others then, and the page is
/// loaded anew. `look` is told whether it is the first time.
fn live<F>(
    web: Web,
    desk: Desk,
    id: BroadcastId,
    look: fn(Arc<(Web, Desk)>, BroadcastId, bool) -> F,
) -> Response
where
    F: Future<Output = Option<String>> + Send + 'static,
{
    let events = stream::unfold((Arc::new((web, desk)), 0_u32), move |(seat, looks)| async move {
        if looks >= MOST_LOOKS {
            return None;
        }
        let (event, looks) = match look(Arc::clone(&seat), id, looks == 0).await {
            Some(part) => (Event::default().event("part").data(part), looks + 1),
            None => (Event::default().event("end").data("end"), MOST_LOOKS),
        };
        Some((Ok::<_, Infallible>(event), (seat, looks)))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// The progress again and again, until nothing moves any more.
pub(super) async fn follow(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    // Refused here, not in the middle of a stream.
    service::show(&web.app, &desk.actor, id).await?;
    Ok(live(web, desk, id, moving))
}

async fn moving(seat: Arc<(Web, Desk)>, id: BroadcastId, is_first: bool) -> Option<String> {
    let (web, desk) = &*seat;
    if !is_first {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let one = service::show(&web.app, &desk.actor, id).await.ok()?;
    let runs = service::report(&web.app, &desk.actor, id).await.ok()?;
    let part = progress_part(web, &Page::new(web, desk, HERE), &one, &runs).ok()?;
    (one.state == BroadcastState::Sending).then_some(part)
}

/// How far the count is, again and again, until it is over and the page is loaded anew.
pub(super) async fn follow_count(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    service::show(&web.app, &desk.actor, id).await?;
    Ok(live(web, desk, id, counting))
}

async fn counting(seat: Arc<(Web, Desk)>, id: BroadcastId, _is_first: bool) -> Option<String> {
    let (web, desk) = &*seat;
    match service::counted(&web.app, &desk.actor, id, LOOK_EVERY).await {
        Ok(Counted::SoFar(people)) => Some(so_far(&Page::new(web, desk, HERE), people)),
        Ok(Counted::Done(_)) | Err(_) => None,
    }
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

pub(super) async fn failures(
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
    let next = last_of_full(&found, PAGE).map(|row| row.id.to_string());
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
