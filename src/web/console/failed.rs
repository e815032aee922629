//! Failed messages and news to be told in person: the lists behind `Hari ini`, with what can be done about each.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::desk::Desk;
use super::form::Filled;
use super::label;
use super::listing::last_of_full;
use super::page::{Page, show as shown};
use super::today::{HERE, within};
use crate::domain::audit::Action;
use crate::domain::id::{CardId, MessageId, VisitId};
use crate::domain::message::{ChannelKind, MessageClass};
use crate::domain::officer::Right;
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;
use crate::service::mend::{self, Again};
use crate::service::officer::note_look;
use crate::store::trouble::{Failure, list_failures};
use crate::store::visit::{Visit, list_within};
use crate::web::Web;
use crate::web::error::Error;

/// Rows of a page.
pub(super) const PAGE: i64 = 50;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    alasan: String,
    #[serde(default)]
    sebelum: String,
    #[serde(default)]
    selesai: String,
}

struct Row {
    id: MessageId,
    name: String,
    phone: String,
    area: String,
    channel: &'static str,
    subject: &'static str,
    reference: String,
    card: Option<CardId>,
    failed: String,
    code: String,
    reason: label::Reason,
    may_send: bool,
}

#[derive(Template)]
#[template(path = "failed.html", config = "src/web/console/askama.toml")]
struct FailedPage {
    page: Page,
    rows: Vec<Row>,
    kind: String,
    next: Option<MessageId>,
    done: String,
    may_mend: bool,
}

/// The kind of failures that a link names: `whatsapp:131026`.
fn kind(text: &str) -> Option<(ChannelKind, &str)> {
    let (channel, code) = text.split_once(':')?;
    Some((channel.parse().ok()?, code))
}

fn row(page: &Page, failure: &Failure) -> Row {
    let code = failure.code.clone().unwrap_or_default();
    Row {
        id: failure.id,
        name: failure.name.as_ref().map(PersonName::masked).unwrap_or_default(),
        phone: failure.phone.as_ref().map(PhoneNumber::masked).unwrap_or_default(),
        area: failure.area.clone().unwrap_or_default(),
        channel: label::channel(failure.channel),
        subject: label::subject(page, &failure.template),
        reference: failure.reference.clone().unwrap_or_default(),
        card: failure.card,
        failed: page.time(&failure.failed_at.unwrap_or(failure.created_at)),
        reason: label::reason(page, Some(failure.channel), &code),
        code,
        may_send: failure.class == MessageClass::Announcement,
    }
}

pub(super) async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Error> {
    let before = wanted.sebelum.parse().ok();
    let failures =
        list_failures(&web.app.db, within(&web, &desk), kind(&wanted.alasan), before, PAGE).await?;
    note_look(&web.app, &desk.actor, Action::Searched, "failed_messages").await?;
    let page = Page::new(&web, &desk, HERE);
    let kind = kind(&wanted.alasan).map_or(String::new(), |_| wanted.alasan.clone());
    shown(&FailedPage {
        rows: failures.iter().map(|failure| row(&page, failure)).collect(),
        next: last_of_full(&failures, PAGE).map(|last| last.id),
        page,
        kind,
        done: wanted.selesai,
        may_mend: desk.may(Right::Mend),
    })
}

#[derive(Deserialize)]
pub(super) struct Back {
    /// The card from whose page it was asked.
    #[serde(default)]
    kartu: String,
}

impl Back {
    /// Where to go on, with a word of what was done.
    fn to(&self, list: &str, done: &str) -> Redirect {
        match self.kartu.parse::<CardId>() {
            Ok(card) => Redirect::to(&format!("/console/kartu/{card}?selesai={done}")),
            Err(_) => Redirect::to(&format!("{HERE}/{list}?selesai={done}")),
        }
    }
}

pub(super) async fn send_again(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(back): Filled<Back>,
) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let done = match mend::send_again(&web.app, &desk.actor, id).await? {
        Again::NotFound => return Err(Error::NotFound),
        Again::Queued(_) => "lagi",
        Again::NotFailed => "sudah",
        Again::Replaced => "diganti",
        Again::TooLate => "lewat",
        Again::NoWay => "buntu",
    };
    Ok(back.to("gagal", done).into_response())
}

pub(super) async fn set_aside(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(back): Filled<Back>,
) -> Result<Response, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    if mend::set_aside(&web.app, &desk.actor, id).await? {
        Ok(back.to("gagal", "beres").into_response())
    } else {
        Err(Error::NotFound)
    }
}

struct VisitRow {
    id: VisitId,
    name: String,
    area: String,
    rt: String,
    rw: String,
    subject: &'static str,
    words: String,
    since: String,
    reason: label::Reason,
}

#[derive(Template)]
#[template(path = "visit.html", config = "src/web/console/askama.toml")]
struct VisitPage {
    page: Page,
    rows: Vec<VisitRow>,
    next: Option<VisitId>,
    done: String,
    may_tell: bool,
}

fn visit_row(page: &Page, visit: &Visit) -> VisitRow {
    let area = visit.area_name.clone();
    VisitRow {
        id: visit.id,
        name: visit.name.as_ref().map(|name| name.expose().to_owned()).unwrap_or_default(),
        area: area.or(visit.area.as_ref().map(ToString::to_string)).unwrap_or_default(),
        rt: visit.rt.clone().unwrap_or_default(),
        rw: visit.rw.clone().unwrap_or_default(),
        subject: label::subject(page, &visit.template),
        words: visit.words.clone().unwrap_or_default(),
        since: page.ago(&visit.created_at),
        reason: label::reason(page, None, &visit.reason),
    }
}

#[derive(Deserialize)]
pub(super) struct VisitsWanted {
    #[serde(default)]
    sesudah: String,
    #[serde(default)]
    selesai: String,
}

pub(super) async fn list_visits(
    State(web): State<Web>,
    desk: Desk,
    Query(wanted): Query<VisitsWanted>,
) -> Result<Response, Error> {
    let within = (desk.area(), desk.sees_all(&web));
    let visits = list_within(&web.app.db, within, wanted.sesudah.parse().ok(), PAGE).await?;
    note_look(&web.app, &desk.actor, Action::Searched, "visits").await?;
    let page = Page::new(&web, &desk, HERE);
    shown(&VisitPage {
        rows: visits.iter().map(|visit| visit_row(&page, visit)).collect(),
        next: last_of_full(&visits, PAGE).map(|last| last.id),
        page,
        done: wanted.selesai,
        may_tell: desk.may(Right::CarryCards),
    })
}

pub(super) async fn told(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    // A courier has a list of their own, and not this one.
    if !desk.may(Right::SeeWork) {
        return Err(Error::NotFound);
    }
    let id = id.parse().map_err(|_| Error::NotFound)?;
    if mend::told(&web.app, &desk.actor, id).await? {
        Ok(Redirect::to(&format!("{HERE}/kunjungan?selesai=1")).into_response())
    } else {
        Err(Error::NotFound)
    }
}
