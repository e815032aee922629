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
use crate::domain::id::{CardId, PersonId};
use crate::domain::nik::Nik;
use crate::domain::officer::Right;
use crate::domain::person::{PersonName, name_words};
use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;
use crate::service::officer::{note, note_look};
use crate::store::card_list::{self, COUNTED, CardLine};
use crate::store::{StoreError, search};
use crate::web::Web;
use crate::web::error::Error;

/// Where the page is.
pub(super) const HERE: &str = "/console/kartu";
/// People that a search shows; who finds more adds a word.
const FOUND: usize = 50;

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

/// What somebody searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Name,
    Nik,
    Phone,
    Reference,
    /// Digits that are neither a NIK nor a number.
    Digits,
    /// Nothing to search by.
    Empty,
}

impl Kind {
    /// As it stands in the audit log.
    const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Nik => "nik",
            Self::Phone => "phone",
            Self::Reference => "reference",
            Self::Digits => "digits",
            Self::Empty => "nothing",
        }
    }
}

async fn find(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<Search>,
) -> Result<Response, Error> {
    let (kind, people) = search_for(&web, &desk, &form.q).await?;
    let lines = card_list::list_of_people(&web.app.db, &people[..people.len().min(FOUND)]).await?;
    let office = &web.app.settings.office_area;
    let seen: Vec<&CardLine> =
        lines.iter().filter(|line| desk.actor.covers(line.area.as_ref(), office)).collect();
    let mut tx = web.app.db.begin().await?;
    let detail = format!("{} cards", seen.len());
    note(&web.app, &mut tx, &desk.actor, Action::Searched, kind.word(), Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    let page = Page::new(&web, &desk, HERE);
    shown(&FoundPage {
        rows: seen.into_iter().map(|line| row(&page, line)).collect(),
        page,
        kind,
        has_more: people.len() > FOUND,
    })
}

async fn search_for(web: &Web, desk: &Desk, typed: &str) -> Result<(Kind, Vec<PersonId>), Error> {
    let db = &web.app.db;
    let typed: String = typed.trim().chars().take(PersonName::MAX_CHARS).collect();
    if let Some(reference) = Reference::find_in(&typed)
        && let Some(person) = search::look_up_reference(db, &reference).await?
    {
        return Ok((Kind::Reference, vec![person]));
    }
    let digits = typed.chars().filter(char::is_ascii_digit).count();
    if digits >= 8 && !typed.contains(char::is_alphabetic) {
        return Ok(match (Nik::parse(&typed), PhoneNumber::parse(&typed)) {
            (Ok(nik), _) => (Kind::Nik, search::find_by_nik(db, &nik).await?),
            (_, Ok(phone)) => (Kind::Phone, search::find_by_phone(db, &phone).await?),
            _ => (Kind::Digits, Vec::new()),
        });
    }
    let words = name_words(&typed);
    if words.is_empty() {
        return Ok((Kind::Empty, Vec::new()));
    }
    let within = (desk.area(), desk.sees_all(web));
    let limit = i64::try_from(FOUND + 1).unwrap_or(i64::MAX);
    Ok((Kind::Name, search::find_by_words(db, &words, within, limit).await?))
}

impl FoundPage {
    fn is_digits(&self) -> bool {
        self.kind == Kind::Digits
    }

    fn is_empty(&self) -> bool {
        self.kind == Kind::Empty
    }
}
