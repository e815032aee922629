//! One broadcast: what it says on every phone, whom it reaches, what it costs, and what can be done with it now.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::audience::Written;
use super::list::Cursor;
use super::run::progress_part;
use super::{DATES, HERE, count, id, words};
use crate::domain::attachment::Attachment;
use crate::domain::broadcast::{BroadcastState, Move, Notice};
use crate::domain::officer::Right;
use crate::service::broadcast::{self as service, Counted, Look, Preview, RunReport};
use crate::service::officer::name_of;
use crate::store::broadcast::Broadcast;
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::label;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// How long a page waits for a count to be over.
const PATIENCE: Duration = Duration::from_millis(600);

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
#[expect(clippy::struct_excessive_bools, reason = "one for each part that may be left out")]
#[template(path = "broadcast.html", config = "src/web/console/askama.toml")]
struct ShowPage {
    page: Page,
    id: String,
    /// When it was changed last: what is decided here is decided of this.
    seen: i64,
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
    /// That it is still being counted, and how far it is.
    counting: Option<String>,
    /// What became of a list that was just uploaded.
    list: Option<[i64; 3]>,
    file: Option<Attachment>,
    is_picture: bool,
    file_refusal: Option<String>,
    sms_without_file: String,
}

/// How far a count is, in words.
pub(super) fn so_far(page: &Page, people: u64) -> String {
    let counting = page.t("Sedang menghitung penerima:", "Counting recipients:");
    format!(
        "{counting} {} {}",
        page.number(&count(people)),
        page.t("warga sejauh ini…", "people so far…")
    )
}

pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Query(cursor): Query<Cursor>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let one = service::show(&web.app, &desk.actor, id(&text)?).await?;
    let runs = service::report(&web.app, &desk.actor, one.id).await?;
    let is_before = runs.is_empty();
    let (mut preview, mut counting): (Option<Preview>, _) = (None, None);
    if is_before && desk.may(Right::Broadcast) {
        match service::counted(&web.app, &desk.actor, one.id, PATIENCE).await? {
            Counted::Done(found) => preview = Some(*found),
            Counted::SoFar(people) => counting = Some(so_far(&page, people)),
        }
    }
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
        seen: one.updated_at.as_ms(),
        notice: one.notice.clone(),
        when: service::schedule_words(&web.app, &one.schedule),
        dates: service::next_dates(&web.app, &one.schedule, DATES)
            .iter()
            .map(|at| page.time(at))
            .collect(),
        audience: Written::of(&web, &one),
        maker: name_of(&web.app, &one.maker.id).await?,
        checker: match &one.checker {
            Some(checker) => Some(name_of(&web.app, checker).await?),
            None => None,
        },
        note: one.note.clone(),
        looks: service::looks(&web.app, &one.notice)?,
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
        has_run: !is_before,
        counting,
        list: cursor.kept.map(|kept| {
            [kept, cursor.unknown.unwrap_or(0), cursor.unreadable.unwrap_or(0)].map(count)
        }),
        is_picture: one.attachment.as_ref().is_some_and(|file| file.kind.is_picture()),
        file: one.attachment.clone(),
        file_refusal: preview
            .as_ref()
            .and_then(|preview| preview.file)
            .map(|refusal| texts.file_refusal(refusal).to_owned()),
        sms_without_file: texts.sms_without_file().to_owned(),
        page,
    })
}
