//! What went wrong at sources and sending accounts: rejected updates, held ones, silence. Whoever works in a part of
//! the area finds here what belongs to its sources and accounts alone.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::desk::Desk;
use super::failed::PAGE;
use super::label;
use super::listing::last_of_full;
use super::page::{Page, show as shown};
use super::today::HERE;
use crate::domain::id::{HoldId, RejectionId};
use crate::domain::officer::Right;
use crate::service::source_trouble;
use crate::store::account::StopScope;
use crate::store::hold::Decision;
use crate::store::notice::NoticeKind;
use crate::store::rejection::Rejection;
use crate::web::Web;
use crate::web::error::Error;

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
    let rows =
        source_trouble::list_rejections(&web.app, &desk.actor, wanted.sesudah.parse().ok(), PAGE)
            .await?;
    let page = Page::new(&web, &desk, HERE);
    shown(&RejectedPage {
        next: last_of_full(&rows, PAGE).map(|last| last.id),
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
    let id: RejectionId = id.parse().map_err(|_| Error::NotFound)?;
    let item = source_trouble::find_item(&web.app, &desk.actor, id).await?;
    let item = item.ok_or(Error::NotFound)?;
    shown(&RejectionPage { page: Page::new(&web, &desk, HERE), id, item })
}

pub(super) async fn resolve(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    if source_trouble::resolve(&web.app, &desk.actor, id).await? {
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
    let page = Page::new(&web, &desk, HERE);
    let rows = source_trouble::list_holds(&web.app, &desk.actor)
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
    if source_trouble::decide(&web.app, &desk.actor, id, decision).await? {
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
    let page = Page::new(&web, &desk, HERE);
    let notices = source_trouble::list_notices(&web.app, &desk.actor).await?;
    let states = source_trouble::list_states(&web.app, &desk.actor).await?;
    let sources = states
        .iter()
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
    let stopped = source_trouble::list_stopped(&web.app, &desk.actor).await?;
    let accounts = stopped
        .into_iter()
        .map(|(account, stop)| AccountRow {
            channel: label::channel(account.channel),
            since: page.ago(&stop.at),
            retry: page.time(&stop.retry_at),
            is_bulk_only: stop.scope == StopScope::Bulk,
            reason: label::reason(&page, Some(account.channel), &stop.code),
            detail: stop.reason,
            id: account.id.clone(),
        })
        .collect();
    shown(&SystemPage { page, sources, accounts })
}
