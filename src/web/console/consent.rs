//! `Persetujuan warga`: somebody who stands before a citizen registers that they agree to be messaged, and carries the
//! names of those who have no number yet.
//!
//! Partners from outside the office use it: it shows names, RT and RW, and nothing else of anybody.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::desk::Desk;
use super::failed::PAGE;
use super::form::Filled;
use super::listing::last_of_full;
use super::page::{Page, show as shown};
use super::{Need, Rooms};
use crate::domain::audit::Action;
use crate::domain::id::PersonId;
use crate::domain::officer::Right;
use crate::domain::phone::PhoneNumber;
use crate::service::consent::{Registered, register};
use crate::service::officer::note_look;
use crate::store::card_list::list_names;
use crate::web::Web;
use crate::web::error::Error;

const HERE: &str = "/console/persetujuan";

/// The page's rooms.
pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let may = Need::Right(Right::RegisterConsent);
    rooms.get(HERE, may, show).post(HERE, may, take).get("/console/persetujuan/nama", may, names)
}

/// What came of the last form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Nothing,
    Done,
    BadPhone,
    NotAgreed,
    NoMatch,
    TooMany,
}

#[derive(Template)]
#[template(path = "consent.html", config = "src/web/console/askama.toml")]
struct ConsentPage {
    page: Page,
    came: Came,
    phone: String,
    proof: String,
}

#[derive(Deserialize)]
struct Flash {
    #[serde(default)]
    selesai: String,
}

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    phone: String,
    #[serde(default)]
    proof: String,
    #[serde(default)]
    agreed: String,
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(flash): Query<Flash>,
) -> Result<Response, Error> {
    let came = if flash.selesai.is_empty() { Came::Nothing } else { Came::Done };
    let page = Page::new(&web, &desk, HERE);
    shown(&ConsentPage { page, came, phone: String::new(), proof: String::new() })
}

async fn take(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<Form>,
) -> Result<Response, Error> {
    // Strict, unlike a spreadsheet's cell: two numbers in one box are nobody's consent.
    let is_plain = form.phone.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c));
    let came = match PhoneNumber::parse(&form.phone).ok().filter(|_| is_plain) {
        None => Came::BadPhone,
        Some(_) if form.agreed.is_empty() => Came::NotAgreed,
        Some(phone) => match register(&web.app, &desk.actor, &phone, &form.proof).await? {
            Registered::Done => {
                return Ok(Redirect::to(&format!("{HERE}?selesai=1")).into_response());
            }
            Registered::NoMatch => Came::NoMatch,
            Registered::TooManyTries => Came::TooMany,
        },
    };
    let cut = |text: &str| text.chars().take(40).collect();
    let page = Page::new(&web, &desk, HERE);
    shown(&ConsentPage { page, came, phone: cut(&form.phone), proof: cut(&form.proof) })
}

struct NameRow {
    name: String,
    rt: String,
    rw: String,
}

#[derive(Template)]
#[template(path = "names.html", config = "src/web/console/askama.toml")]
struct NamesPage {
    page: Page,
    rows: Vec<NameRow>,
    next: Option<PersonId>,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    sesudah: String,
}

async fn names(
    State(web): State<Web>,
    desk: Desk,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Error> {
    let lines = list_names(&web.app.db, desk.area(), wanted.sesudah.parse().ok(), PAGE).await?;
    note_look(&web.app, &desk.actor, Action::Exported, "names").await?;
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "–".to_owned());
    shown(&NamesPage {
        page: Page::new(&web, &desk, HERE),
        next: last_of_full(&lines, PAGE).map(|last| last.id),
        rows: lines
            .iter()
            .map(|line| NameRow {
                name: line.name.as_ref().map(|name| name.expose().to_owned()).unwrap_or_default(),
                rt: part(&line.rt),
                rw: part(&line.rw),
            })
            .collect(),
    })
}
