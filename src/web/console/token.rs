//! `/console/token`: tokens for programs that call the API; made, shown once, revoked.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::NaiveDate;
use serde::Deserialize;

use super::area::{Names, Offer, offers};
use super::desk::Desk;
use super::form::Filled;
use super::listing::last_of_full;
use super::page::{Page, show as shown};
use super::trail::who_name;
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::TokenId;
use crate::domain::officer::Right;
use crate::service::question::day_begins;
use crate::service::token::{Mint, Order, TokenError, make, revoke};
use crate::store::token::{Role, TokenLine, list_tokens};
use crate::web::Web;
use crate::web::error::Error;

const HERE: &str = "/console/token";
/// Tokens of a page.
const PAGE: i64 = 50;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let need = Need::Right(Right::ManageTokens);
    rooms.get("/console/token", need, list).post("/console/token", need, add).post(
        "/console/token/{id}/cabut",
        need,
        revoke_one,
    )
}

/// Whether a token still works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Valid,
    Over,
    Revoked,
}

struct Line {
    id: String,
    name: String,
    role: String,
    area: String,
    made_at: Timestamp,
    made_by: String,
    expires_at: Option<Timestamp>,
    life: Life,
}

/// Why no token was made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Name,
    Area,
    Day,
    PartialSource,
    Forbidden,
}

#[derive(Template)]
#[template(path = "tokens.html", config = "src/web/console/askama.toml")]
struct TokensPage {
    page: Page,
    tokens: Vec<Line>,
    next: Option<String>,
    roles: Vec<(&'static str, &'static str, bool)>,
    areas: Vec<Offer>,
    form: NewToken,
    refused: Option<Refused>,
    given: Option<String>,
    is_revoked: bool,
}

#[derive(Deserialize)]
pub(super) struct NewToken {
    name: String,
    role: String,
    area: String,
    #[serde(default)]
    expires: String,
}

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    sebelum: Option<String>,
    #[serde(default)]
    selesai: String,
}

#[derive(Default)]
struct View {
    before: Option<TokenId>,
    form: Option<NewToken>,
    refused: Option<Refused>,
    given: Option<String>,
    is_revoked: bool,
}

/// What a token may do, in words.
fn role_name(page: &Page, role: Role) -> &'static str {
    let english = page.is_english();
    match (role, english) {
        (Role::Source, false) => "Mengirim perubahan kartu",
        (Role::Source, true) => "Pushes card updates",
        (Role::Office, false) => "Kantor: membaca dan menindaklanjuti",
        (Role::Office, true) => "Office: reads and mends",
        (Role::Auditor, false) => "Auditor: hanya membaca",
        (Role::Auditor, true) => "Auditor: reads only",
        (Role::Admin, false) => "Administrator: semuanya",
        (Role::Admin, true) => "Administrator: everything",
    }
}

fn is_theirs(web: &Web, desk: &Desk, area: &AreaCode) -> bool {
    desk.sees_all(web) || desk.covers(web, Some(area)).is_ok()
}

async fn page_of(web: &Web, desk: &Desk, view: View) -> Result<Response, Error> {
    let rows = list_tokens(&web.app.db, view.before, PAGE).await?;
    let next = last_of_full(&rows, PAGE).map(|token| token.id.to_string());
    let rows: Vec<&TokenLine> =
        rows.iter().filter(|token| is_theirs(web, desk, &token.area)).collect();
    let codes: Vec<AreaCode> = rows.iter().map(|token| token.area.clone()).collect();
    let names = Names::of(web, &codes).await?;
    let page = Page::new(web, desk, HERE);
    let mut tokens = Vec::with_capacity(rows.len());
    for token in rows {
        let is_over = token.expires_at.is_some_and(|at| at <= web.app.now());
        tokens.push(Line {
            id: token.id.to_string(),
            name: token.name.clone(),
            role: role_name(&page, token.role).to_owned(),
            area: names.show(&page, &token.area),
            made_at: token.created_at,
            made_by: who_name(web, &page, &token.made_by).await?,
            expires_at: token.expires_at,
            life: match (token.revoked_at, is_over) {
                (Some(_), _) => Life::Revoked,
                (None, true) => Life::Over,
                (None, false) => Life::Valid,
            },
        });
    }
    let form = view.form.unwrap_or_else(|| NewToken {
        name: String::new(),
        role: Role::Office.as_str().to_owned(),
        area: desk.area().to_string(),
        expires: String::new(),
    });
    let roles = Role::ALL
        .iter()
        .map(|role| (role.as_str(), role_name(&page, *role), form.role == role.as_str()))
        .collect();
    shown(&TokensPage {
        page,
        tokens,
        next,
        roles,
        areas: offers(web, desk).await?,
        form,
        refused: view.refused,
        given: view.given,
        is_revoked: view.is_revoked,
    })
}

async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let before = asked.sebelum.and_then(|id| id.parse().ok());
    let is_revoked = asked.selesai == "dicabut";
    page_of(&web, &desk, View { before, is_revoked, ..View::default() }).await
}

fn mint(web: &Web) -> Mint<'_> {
    let app = &web.app;
    Mint { db: &app.db, ids: &app.ids, office: &app.settings.office_area, now: app.now() }
}

/// Reads the form; a last day is the whole of that day.
fn order(web: &Web, form: &NewToken) -> Result<Order, Refused> {
    let area = AreaCode::parse(&form.area).map_err(|_| Refused::Area)?;
    let expires_at = if form.expires.is_empty() {
        None
    } else {
        let day: NaiveDate = form.expires.parse().map_err(|_| Refused::Day)?;
        let after = day.succ_opt().ok_or(Refused::Day)?;
        Some(day_begins(web.app.zone(None), after))
    };
    let role = form.role.parse().map_err(|_| Refused::Forbidden)?;
    Ok(Order { name: form.name.clone(), role, area, expires_at })
}

async fn add(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<NewToken>,
) -> Result<Response, Error> {
    let made = match order(&web, &form) {
        Ok(order) => make(mint(&web), &desk.actor, &order).await.map_err(|error| match error {
            TokenError::Forbidden => Ok(Refused::Forbidden),
            TokenError::Name => Ok(Refused::Name),
            TokenError::Over => Ok(Refused::Day),
            TokenError::PartialSource => Ok(Refused::PartialSource),
            TokenError::Store(error) => Err(error),
        }),
        Err(refused) => Err(Ok(refused)),
    };
    let view = match made {
        Ok((_, secret)) => View { given: Some(secret), ..View::default() },
        Err(Ok(refused)) => View { refused: Some(refused), form: Some(form), ..View::default() },
        Err(Err(error)) => return Err(error.into()),
    };
    page_of(&web, &desk, view).await
}

async fn revoke_one(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id: TokenId = id.parse().map_err(|_| Error::NotFound)?;
    match revoke(mint(&web), &desk.actor, id).await {
        Ok(true) => Ok(Redirect::to(&format!("{HERE}?selesai=dicabut")).into_response()),
        Ok(false) => Err(Error::NotFound),
        Err(TokenError::Store(error)) => Err(error.into()),
        Err(_) => Err(Error::Forbidden("another")),
    }
}
