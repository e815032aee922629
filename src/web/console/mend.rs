//! What is the whole office's to mend: rejected updates, held ones, sources and sending accounts in trouble. Whoever
//! works in a part of the area finds nothing here.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::desk::Desk;
use super::failed::PAGE;
use super::label;
use super::page::{Page, show as shown};
use super::today::HERE;
use crate::domain::audit::Action;
use crate::domain::id::{HoldId, RejectionId};
use crate::domain::officer::Right;
use crate::service::mend;
use crate::service::officer::note_look;
use crate::store::account::StopScope;
use crate::store::hold::{self, Decision};
use crate::store::notice::{self, NoticeKind};
use crate::store::rejection::{self, Rejection};
use crate::store::{account, source};
use crate::web::Web;
use crate::web::error::Error;

/// Only the whole office's officers see what has no area.
fn only_office(web: &Web, desk: &Desk) -> Result<(), Error> {
    desk.covers(web, None)
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    sesudah: String,
    #[serde(default)]
    selesai: String,
}

struct RejectedRow {
    id: RejectionId,
    source: String,
    why: &'static str,
    next: &'static str,
    message: String,
    times: i64,
    at: String,
}

#[derive(Template)]
#[template(path = "rejected.html", config = "src/web/console/askama.toml")]
struct RejectedPage {
    page: Page,
    rows: Vec<RejectedRow>,
    next: Option<RejectionId>,
    done: String,
    may_mend: bool,
}

#[derive(Template)]
#[template(path = "rejection.html", config = "src/web/console/askama.toml")]
struct RejectionPage {
    page: Page,
    id: RejectionId,
    item: String,
}

/// Why an item was rejected, in words, and what to do.
fn rejected(page: &Page, code: &str) -> (&'static str, &'static str) {
    let (why, next) = match code {
        "invalid_nik" => (
            ("NIK salah tulis atau rusak.", "The NIK is misspelt or damaged."),
            (
                "Perbaiki NIK di sumbernya, lalu kirim lagi.",
                "Mend the NIK at its source and send it again.",
            ),
        ),
        "unknown_status" => (
            ("Kata status tidak dikenal.", "The status word is not known."),
            (
                "Pakai kata status SIAK atau OpenSID di sumbernya.",
                "Use a status word of SIAK or OpenSID at the source.",
            ),
        ),
        "missing_field" => (
            ("Ada kolom wajib yang kosong.", "A required field is empty."),
            (
                "Lengkapi di sumbernya, lalu kirim lagi.",
                "Fill it in at the source and send it again.",
            ),
        ),
        "conflicting_id" => (
            (
                "Nomor data ini sudah dipakai untuk isi yang lain.",
                "This id was used before for other content.",
            ),
            ("Beri nomor baru di sumbernya.", "Give it a new id at the source."),
        ),
        _ => (
            ("Data tidak bisa dibaca.", "The item cannot be read."),
            ("Perbaiki di sumbernya, lalu kirim lagi.", "Mend it at the source and send it again."),
        ),
    };
    (page.t(why.0, why.1), page.t(next.0, next.1))
}

fn rejected_row(page: &Page, rejection: &Rejection) -> RejectedRow {
    let (why, next) = rejected(page, &rejection.code);
    RejectedRow {
        id: rejection.id,
        source: rejection.source.clone(),
        why,
        next,
        message: rejection.message.clone(),
        times: rejection.times,
        at: page.time(&rejection.received_at),
    }
}

pub(super) async fn list_rejections(
    State(web): State<Web>,
    desk: Desk,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Error> {
    only_office(&web, &desk)?;
    let rows = rejection::list_open(&web.app.db, wanted.sesudah.parse().ok(), PAGE).await?;
    let page = Page::new(&web, &desk, HERE);
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == PAGE);
    shown(&RejectedPage {
        next: rows.last().filter(|_| is_full).map(|last| last.id),
        rows: rows.iter().map(|row| rejected_row(&page, row)).collect(),
        page,
        done: wanted.selesai,
        may_mend: desk.may(Right::Mend),
    })
}

/// The item as it was received, for whoever mends it: it holds a citizen's data.
pub(super) async fn show_rejection(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    only_office(&web, &desk)?;
    let id: RejectionId = id.parse().map_err(|_| Error::NotFound)?;
    let item = rejection::find_payload(&web.app.db, id).await?.ok_or(Error::NotFound)?;
    note_look(&web.app, &desk.actor, Action::LookedAtCard, &id.to_string()).await?;
    shown(&RejectionPage { page: Page::new(&web, &desk, HERE), id, item })
}

pub(super) async fn resolve(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    if mend::resolve(&web.app, &desk.actor, id).await? {
        Ok(Redirect::to(&format!("{HERE}/ditolak?selesai=1")).into_response())
    } else {
        Err(Error::NotFound)
    }
}

struct HoldRow {
    id: HoldId,
    source: String,
    status: &'static str,
    waiting: i64,
    since: String,
    decision: Option<Decision>,
}

#[derive(Template)]
#[template(path = "held.html", config = "src/web/console/askama.toml")]
struct HeldPage {
    page: Page,
    rows: Vec<HoldRow>,
    done: String,
    may_mend: bool,
}

pub(super) async fn list_holds(
    State(web): State<Web>,
    desk: Desk,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Error> {
    only_office(&web, &desk)?;
    let page = Page::new(&web, &desk, HERE);
    let rows = hold::list_open(&web.app.db)
        .await?
        .into_iter()
        .map(|hold| HoldRow {
            id: hold.id,
            status: label::card_status(&page, hold.status),
            waiting: hold.waiting,
            since: page.ago(&hold.opened_at),
            decision: hold.decision,
            source: hold.source,
        })
        .collect();
    shown(&HeldPage { page, rows, done: wanted.selesai, may_mend: desk.may(Right::Mend) })
}

pub(super) async fn announce(
    web: State<Web>,
    desk: Desk,
    id: Path<String>,
) -> Result<Response, Error> {
    decide(web, desk, id, Decision::Announce).await
}

pub(super) async fn silence(
    web: State<Web>,
    desk: Desk,
    id: Path<String>,
) -> Result<Response, Error> {
    decide(web, desk, id, Decision::Silent).await
}

async fn decide(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    decision: Decision,
) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    if mend::decide(&web.app, &desk.actor, id, decision).await? {
        Ok(Redirect::to(&format!("{HERE}/tertahan?selesai={decision}")).into_response())
    } else {
        Err(Error::NotFound)
    }
}

struct SourceRow {
    id: String,
    read: String,
    changed: String,
    why: Vec<(&'static str, &'static str, String)>,
}

struct AccountRow {
    id: String,
    channel: &'static str,
    since: String,
    retry: String,
    is_bulk_only: bool,
    reason: label::Reason,
    detail: String,
}

#[derive(Template)]
#[template(path = "system.html", config = "src/web/console/askama.toml")]
struct SystemPage {
    page: Page,
    sources: Vec<SourceRow>,
    accounts: Vec<AccountRow>,
}

/// What a notice says of a source, and what to do.
fn noticed(page: &Page, kind: NoticeKind) -> (&'static str, &'static str) {
    let (why, next) = match kind {
        NoticeKind::SourceFailing => (
            ("Tidak bisa dibaca.", "It cannot be read."),
            (
                "Periksa apakah server atau foldernya menyala dan kata sandinya benar.",
                "See whether its server or folder is up and the password right.",
            ),
        ),
        NoticeKind::SourceSilent => (
            ("Lebih lama diam dari biasanya.", "Silent for longer than usual."),
            (
                "Tanyakan kepada operatornya apakah data masih diperbarui.",
                "Ask its operator whether data are still being updated.",
            ),
        ),
        NoticeKind::SourceRejects => (
            ("Lebih banyak data ditolak dari biasanya.", "More is rejected than usual."),
            (
                "Buka daftar Data yang ditolak dan perbaiki di sumbernya.",
                "Open the list of rejected updates and mend them at the source.",
            ),
        ),
        NoticeKind::Held => (
            ("Perubahan ditahan.", "Changes are held."),
            ("Putuskan di daftar Perubahan yang ditahan.", "Decide in the list of held changes."),
        ),
    };
    (page.t(why.0, why.1), page.t(next.0, next.1))
}

pub(super) async fn list_system(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    only_office(&web, &desk)?;
    let page = Page::new(&web, &desk, HERE);
    let notices = notice::list_open(&web.app.db).await?;
    let states = source::list_states(&web.app.db).await?;
    let is_watched = |id: &str| web.app.sources.iter().any(|watched| watched.id == id);
    let sources = states
        .iter()
        .filter(|(id, _)| is_watched(id))
        .map(|(id, state)| SourceRow {
            id: id.clone(),
            read: page.time_opt(state.read_at.as_ref()),
            changed: page.time_opt(state.changed_at.as_ref()),
            why: notices
                .iter()
                .filter(|notice| notice.subject == *id && notice.kind != NoticeKind::Held)
                .map(|notice| {
                    let (why, next) = noticed(&page, notice.kind);
                    (why, next, page.ago(&notice.opened_at))
                })
                .collect(),
        })
        .collect();
    let stopped = account::list_stopped(&web.app.db).await?;
    let accounts = stopped
        .into_iter()
        .filter_map(|(id, stop)| {
            let channel = web.app.account(&id)?.channel;
            Some(AccountRow {
                channel: label::channel(channel),
                since: page.ago(&stop.at),
                retry: page.time(&stop.retry_at),
                is_bulk_only: stop.scope == StopScope::Bulk,
                reason: label::reason(&page, Some(channel), &stop.code),
                detail: stop.reason,
                id,
            })
        })
        .collect();
    shown(&SystemPage { page, sources, accounts })
}
