//! `/console/petugas`: who works with the console; added, moved, given a new password, locked out and let in.
//!
//! What may be done to whom is decided by the service; a password is shown on the page that made it, and never
//! again.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::area::{Names, Offer, offers};
use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, role_name, show as shown};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::OfficerId;
use crate::domain::officer::{OfficerRole, Right};
use crate::service::officer::{self, Change, OfficerError};
use crate::store::officer::{Officer, find_officer, list_officers};
use crate::web::Web;
use crate::web::error::Error;

const HERE: &str = "/console/petugas";
/// Officers of a page.
const PAGE: i64 = 50;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let need = Need::Right(Right::ManageOfficers);
    rooms
        .get("/console/petugas", need, list)
        .get("/console/petugas/baru", need, show_new)
        .post("/console/petugas/baru", need, add)
        .get("/console/petugas/{id}", need, show)
        .post("/console/petugas/{id}/tempat", need, move_to)
        .post("/console/petugas/{id}/sandi", need, new_password)
        .post("/console/petugas/{id}/kode", need, forget_code)
        .post("/console/petugas/{id}/kunci", need, lock_out)
        .post("/console/petugas/{id}/buka", need, let_in)
}

/// What stands beside an officer's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Disabled,
    /// Too many wrong passwords.
    Held,
    MustChange,
    SecondFactor,
    PasswordOnly,
}

fn marks(web: &Web, officer: &Officer) -> Vec<Mark> {
    if officer.disabled_at.is_some() {
        return vec![Mark::Disabled];
    }
    let is_held = officer.locked_until.is_some_and(|until| until > web.app.now());
    let held = is_held.then_some(Mark::Held);
    let must_change = officer.must_change.then_some(Mark::MustChange);
    let factor = if officer.has_totp { Mark::SecondFactor } else { Mark::PasswordOnly };
    held.into_iter().chain(must_change).chain([factor]).collect()
}

/// An officer as the page shows them.
struct Line {
    id: String,
    login: String,
    name: String,
    role: &'static str,
    area: String,
    /// How they come in: each is a mark of its own.
    marks: Vec<Mark>,
    is_disabled: bool,
    has_totp: bool,
    last_login_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl Line {
    fn new(web: &Web, page: &Page, names: &Names, desk: &Desk, officer: &Officer) -> Self {
        Self {
            id: officer.id.to_string(),
            login: officer.login.clone(),
            name: officer.name.clone(),
            role: role_name(officer.role, desk.language()),
            area: names.show(page, &officer.area),
            marks: marks(web, officer),
            is_disabled: officer.disabled_at.is_some(),
            has_totp: officer.has_totp,
            last_login_at: officer.last_login_at,
            created_at: officer.created_at,
        }
    }
}

/// A role that a form offers.
struct RoleOffer {
    word: &'static str,
    name: &'static str,
    is_chosen: bool,
}

fn roles(desk: &Desk, chosen: Option<OfficerRole>) -> Vec<RoleOffer> {
    OfficerRole::ALL
        .iter()
        .filter(|role| desk.actor.role.may_manage(**role))
        .map(|role| RoleOffer {
            word: role.as_str(),
            name: role_name(*role, desk.language()),
            is_chosen: chosen == Some(*role),
        })
        .collect()
}

/// Why something was not done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Taken,
    BadLogin,
    Area,
    Forbidden,
}

#[derive(Template)]
#[template(path = "officers.html", config = "src/web/console/askama.toml")]
struct OfficersPage {
    page: Page,
    officers: Vec<Line>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "officer_new.html", config = "src/web/console/askama.toml")]
struct NewPage {
    page: Page,
    roles: Vec<RoleOffer>,
    areas: Vec<Offer>,
    form: NewOfficer,
    refused: Option<Refused>,
}

#[derive(Template)]
#[template(path = "officer.html", config = "src/web/console/askama.toml")]
struct OfficerPage {
    page: Page,
    officer: Line,
    area_code: String,
    roles: Vec<RoleOffer>,
    areas: Vec<Offer>,
    /// It is their own account, which they cannot lock.
    is_self: bool,
    given: Option<String>,
    is_new: bool,
    done: String,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
pub(super) struct After {
    sesudah: Option<String>,
}

#[derive(Deserialize, Default)]
pub(super) struct NewOfficer {
    login: String,
    name: String,
    role: String,
    area: String,
}

#[derive(Deserialize)]
pub(super) struct Place {
    role: String,
    area: String,
}

#[derive(Deserialize, Default)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(after): Query<After>,
) -> Result<Response, Error> {
    let after = match after.sesudah.and_then(|id| id.parse::<OfficerId>().ok()) {
        Some(id) => find_officer(&web.app.db, id).await?.map(|o| o.login).unwrap_or_default(),
        None => String::new(),
    };
    let rows = list_officers(&web.app.db, desk.area(), &after, PAGE + 1).await?;
    let mut officers: Vec<&Officer> = rows.iter().collect();
    let has_more = officers.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    if has_more {
        officers.pop();
    }
    let next = officers.last().filter(|_| has_more).map(|officer| officer.id.to_string());
    let codes: Vec<AreaCode> = officers.iter().map(|officer| officer.area.clone()).collect();
    let names = Names::of(&web, &codes).await?;
    let page = Page::new(&web, &desk, HERE);
    let officers =
        officers.iter().map(|officer| Line::new(&web, &page, &names, &desk, officer)).collect();
    shown(&OfficersPage { page, officers, next })
}

async fn new_page(
    web: &Web,
    desk: &Desk,
    form: NewOfficer,
    refused: Option<Refused>,
) -> Result<Response, Error> {
    let areas = offers(web, desk).await?;
    let page = Page::new(web, desk, HERE);
    let roles = roles(desk, form.role.parse().ok());
    shown(&NewPage { page, roles, areas, form, refused })
}

async fn show_new(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let form = NewOfficer { area: desk.area().to_string(), ..NewOfficer::default() };
    new_page(&web, &desk, form, None).await
}

async fn add(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<NewOfficer>,
) -> Result<Response, Error> {
    let role = form.role.parse().map_err(|_| Error::BadParameter("role".to_owned()))?;
    let Ok(area) = AreaCode::parse(&form.area) else {
        return new_page(&web, &desk, form, Some(Refused::Area)).await;
    };
    let added = officer::add(&web.app, &desk.actor, &form.login, &form.name, role, &area).await;
    match added {
        Ok((id, password)) => {
            let new = find_officer(&web.app.db, id).await?.ok_or(Error::NotFound)?;
            one(&web, &desk, &new, View { given: Some(password), is_new: true, ..View::default() })
                .await
        }
        Err(OfficerError::Taken) => new_page(&web, &desk, form, Some(Refused::Taken)).await,
        Err(OfficerError::Forbidden) => new_page(&web, &desk, form, Some(Refused::Forbidden)).await,
        Err(OfficerError::BadLogin) => new_page(&web, &desk, form, Some(Refused::BadLogin)).await,
        Err(error) => Err(told(error)),
    }
}

fn told(error: OfficerError) -> Error {
    match error {
        OfficerError::Service(error) => error.into(),
        OfficerError::NotFound => Error::NotFound,
        OfficerError::Forbidden
        | OfficerError::Taken
        | OfficerError::BadLogin
        | OfficerError::BadPassword => Error::Forbidden("another"),
    }
}

/// What a page says besides the officer.
#[derive(Default)]
struct View {
    given: Option<String>,
    is_new: bool,
    done: String,
    refused: Option<Refused>,
}

async fn one(web: &Web, desk: &Desk, officer: &Officer, view: View) -> Result<Response, Error> {
    let names = Names::of(web, std::slice::from_ref(&officer.area)).await?;
    let page = Page::new(web, desk, HERE);
    shown(&OfficerPage {
        officer: Line::new(web, &page, &names, desk, officer),
        page,
        area_code: officer.area.to_string(),
        roles: roles(desk, Some(officer.role)),
        areas: offers(web, desk).await?,
        is_self: officer.id == desk.officer.id,
        given: view.given,
        is_new: view.is_new,
        done: view.done,
        refused: view.refused,
    })
}

/// An officer whom somebody may manage; others are not there.
async fn theirs(web: &Web, desk: &Desk, id: &str) -> Result<Officer, Error> {
    let id: OfficerId = id.parse().map_err(|_| Error::NotFound)?;
    let officer = find_officer(&web.app.db, id).await?.ok_or(Error::NotFound)?;
    desk.covers(web, Some(&officer.area))?;
    if desk.actor.role.may_manage(officer.role) { Ok(officer) } else { Err(Error::NotFound) }
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Query(Done { selesai }): Query<Done>,
) -> Result<Response, Error> {
    let officer = theirs(&web, &desk, &id).await?;
    one(&web, &desk, &officer, View { done: selesai, ..View::default() }).await
}

async fn change(web: &Web, desk: &Desk, id: &str, change: &Change) -> Result<Response, Error> {
    let officer = theirs(web, desk, id).await?;
    match officer::change(&web.app, &desk.actor, officer.id, change).await {
        Ok(None) => Ok(Redirect::to(&format!("{HERE}/{id}?selesai=ya")).into_response()),
        Ok(given) => {
            let officer = theirs(web, desk, id).await?;
            one(web, desk, &officer, View { given, ..View::default() }).await
        }
        Err(OfficerError::Forbidden) => {
            let view = View { refused: Some(Refused::Forbidden), ..View::default() };
            one(web, desk, &officer, view).await
        }
        Err(error) => Err(told(error)),
    }
}

async fn move_to(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(place): Filled<Place>,
) -> Result<Response, Error> {
    let role = place.role.parse().map_err(|_| Error::BadParameter("role".to_owned()))?;
    let Ok(area) = AreaCode::parse(&place.area) else {
        let officer = theirs(&web, &desk, &id).await?;
        let view = View { refused: Some(Refused::Area), ..View::default() };
        return one(&web, &desk, &officer, view).await;
    };
    change(&web, &desk, &id, &Change::Place(role, area)).await
}

async fn new_password(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    change(&web, &desk, &id, &Change::Password).await
}

async fn forget_code(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    change(&web, &desk, &id, &Change::Totp).await
}

async fn lock_out(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    change(&web, &desk, &id, &Change::Disable).await
}

async fn let_in(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    change(&web, &desk, &id, &Change::Enable).await
}
