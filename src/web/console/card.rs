//! `Kartu`: cards of one's area by their status, and the search by name, reference, NIK or number.
//!
//! What is searched for never stands in an address, names and numbers are masked in every list, and every search is
//! in the audit log with what kind it was, never with what was typed.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Redirect, Response};
use serde::Deserialize;

use super::desk::Desk;
use super::failed::PAGE;
use super::form::Filled;
use super::label;
use super::listing::last_of_full;
use super::page::{Page, show as shown};
use super::{Need, Rooms, card_export, card_story};
use crate::domain::audit::Action;
use crate::domain::card::CardStatus;
use crate::domain::id::CardId;
use crate::domain::officer::Right;
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;
use crate::service::find_card::{self, Kind, Sought};
use crate::service::officer::note_look;
use crate::store::card_list::{self, COUNTED, CardLine};
use crate::web::Web;
use crate::web::error::Error;

/// Where the page is.
pub(super) const HERE: &str = "/console/kartu";

/// The page's rooms.
pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let see = Need::Right(Right::SeeCards);
    rooms
        .get(HERE, see, list)
        .get("/console/kartu/cari", see, back)
        .post("/console/kartu/cari", see, find)
        .get("/console/kartu/{id}", see, card_story::show)
        .get("/console/kartu/unduh/{status}/{form}", Need::Right(Right::Export), card_export::send)
}

/// A card in a list, as it is shown and exported.
pub(super) struct Row {
    pub(super) id: CardId,
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) area: String,
    pub(super) document: String,
    pub(super) status: &'static str,
    pub(super) since: String,
    pub(super) point: String,
}

pub(super) fn row(page: &Page, line: &CardLine) -> Row {
    let name = label::document(page, line.document);
    let area = line.area_name.clone();
    Row {
        id: line.id,
        name: line.name.as_ref().map(PersonName::masked).unwrap_or_default(),
        phone: line.phone.as_ref().map(PhoneNumber::masked).unwrap_or_default(),
        area: area.or(line.area.as_ref().map(ToString::to_string)).unwrap_or_default(),
        document: if line.serial > 1 {
            format!("{name} ({})", line.serial)
        } else {
            name.to_owned()
        },
        status: label::card_status(page, line.status),
        since: page.time(&line.status_at),
        point: line.service_point.clone().unwrap_or_default(),
    }
}

struct Chip {
    status: CardStatus,
    name: &'static str,
    count: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "cards.html", config = "src/web/console/askama.toml")]
struct CardsPage {
    page: Page,
    chips: Vec<Chip>,
    status: CardStatus,
    rows: Vec<Row>,
    next: Option<CardId>,
    may_export: bool,
}

#[derive(Template)]
#[template(path = "found.html", config = "src/web/console/askama.toml")]
struct FoundPage {
    page: Page,
    rows: Vec<Row>,
    kind: Kind,
    has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    status: String,
    #[serde(default)]
    sesudah: String,
}

async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let within = (desk.area(), desk.sees_all(&web));
    let status: CardStatus = wanted.status.parse().unwrap_or(CardStatus::ReadyToCollect);
    let mut chips = Vec::new();
    for &each in CardStatus::ALL {
        let count = card_list::count_by_status(&web.app.db, each, within).await?;
        if count > 0 || each == status {
            let more = if count >= COUNTED { "+" } else { "" };
            chips.push(Chip {
                status: each,
                name: label::card_status(&page, each),
                count: format!("{}{more}", page.number(&count)),
                is_here: each == status,
            });
        }
    }
    let after = wanted.sesudah.parse().ok();
    let lines = card_list::list_by_status(&web.app.db, status, within, after, PAGE).await?;
    note_look(&web.app, &desk.actor, Action::Searched, &format!("cards:{status}")).await?;
    shown(&CardsPage {
        rows: lines.iter().map(|line| row(&page, line)).collect(),
        next: last_of_full(&lines, PAGE).map(|last| last.id),
        page,
        chips,
        status,
        may_export: desk.may(Right::Export),
    })
}

/// Whoever reloads what a search found begins anew: the address has no words to search for.
async fn back() -> Redirect {
    Redirect::to(HERE)
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

async fn find(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<Search>,
) -> Result<Response, Error> {
    let found = find_card::find(&web.app, &desk.actor, Sought::Typed(&form.q)).await?;
    let page = Page::new(&web, &desk, HERE);
    shown(&FoundPage {
        rows: found.lines.iter().map(|line| row(&page, line)).collect(),
        page,
        kind: found.kind,
        has_more: found.has_more,
    })
}

impl FoundPage {
    fn is_digits(&self) -> bool {
        self.kind == Kind::Digits
    }

    fn is_empty(&self) -> bool {
        self.kind == Kind::Empty
    }
}
