//! What somebody changes about themselves: language, password, second factor; and the first page they see.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;

use super::appointment::COUNTER;
use super::desk::{Desk, LANGUAGE_COOKIE};
use super::door::enter;
use super::form::Filled;
use super::page::{Page, show as shown};
use crate::domain::language::Language;
use crate::domain::officer::Right;
use crate::service::officer::{self, Code, OfficerError, SHORTEST_PASSWORD, TotpSetUp};
use crate::service::officer_chat::{self, ChatCode};
use crate::store::officer::set_language;
use crate::store::officer_chat::tied_since;
use crate::store::point_staff::list_points_of;
use crate::web::Web;
use crate::web::error::Error;

#[derive(Template)]
#[template(path = "account.html", config = "src/web/console/askama.toml")]
struct AccountPage {
    page: Page,
    login: String,
    area: String,
    has_totp: bool,
    must_change: bool,
    is_refused: bool,
    shortest: usize,
    telegram: Option<Telegram>,
}

/// The chat from which they give commands; none where the office has no bot.
struct Telegram {
    since: Option<String>,
    code: Option<ChatCode>,
}

#[derive(Template)]
#[template(path = "totp.html", config = "src/web/console/askama.toml")]
struct TotpPage {
    page: Page,
    letters: String,
    picture: String,
    is_wrong: bool,
}

#[derive(Deserialize)]
pub(super) struct Passwords {
    old: String,
    new: String,
}

#[derive(Deserialize)]
pub(super) struct FirstCode {
    code: String,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    language: String,
    #[serde(default)]
    here: String,
}

/// The first page: where the work is, or what somebody may see at all.
///
/// Who works at a point's counter and leads nobody begins there.
///
/// # Errors
/// When the database fails.
pub(super) async fn first(State(web): State<Web>, desk: Desk) -> Result<Redirect, Error> {
    let is_counter = desk.may(Right::RunCounter) && !desk.may(Right::ManageOfficers);
    if is_counter {
        let points = list_points_of(&mut *web.app.db.reading().await?, desk.officer.id).await?;
        if !points.is_empty() {
            return Ok(Redirect::to(COUNTER));
        }
    }
    let page = Page::new(&web, &desk, "");
    Ok(Redirect::to(page.ways.first().map_or("/console/akun", |way| way.path)))
}

async fn account(
    web: &Web,
    desk: &Desk,
    is_refused: bool,
    code: Option<ChatCode>,
) -> Result<Response, Error> {
    let page = Page::new(web, desk, "/console/akun");
    let telegram = if officer_chat::is_offered(&web.app) {
        let since = tied_since(&web.app.db, desk.officer.id).await?;
        Some(Telegram { since: since.map(|at| page.time(&at)), code })
    } else {
        None
    };
    shown(&AccountPage {
        page,
        telegram,
        login: desk.officer.login.clone(),
        area: desk.officer.area.to_string(),
        has_totp: desk.officer.has_totp,
        must_change: desk.officer.must_change,
        is_refused,
        shortest: SHORTEST_PASSWORD,
    })
}

pub(super) async fn show(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    account(&web, &desk, false, None).await
}

pub(super) async fn tie_chat(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    if !officer_chat::is_offered(&web.app) {
        return Err(Error::NotFound);
    }
    let code = officer_chat::make_code(&web.app, &desk.officer).await?;
    account(&web, &desk, false, Some(code)).await
}

pub(super) async fn untie_chat(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    officer_chat::untie(&web.app, &desk.officer).await?;
    Ok(Redirect::to("/console/akun").into_response())
}

pub(super) async fn change_password(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<Passwords>,
) -> Result<Response, Error> {
    match officer::change_password(&web.app, &desk.officer, form.old, form.new).await {
        Ok(secret) => Ok(enter(&web, &secret, "/console")),
        Err(OfficerError::Service(error)) => Err(error.into()),
        Err(_) => account(&web, &desk, true, None).await,
    }
}

pub(super) async fn show_totp(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    totp(&web, &desk, false).await
}

async fn totp(web: &Web, desk: &Desk, is_wrong: bool) -> Result<Response, Error> {
    let Some(TotpSetUp { letters, address }) =
        officer::set_up_totp(&web.app, &desk.officer).await?
    else {
        return Ok(Redirect::to("/console/akun").into_response());
    };
    let picture = QrCode::new(address.as_bytes())
        .map(|code| code.render::<svg::Color<'_>>().min_dimensions(220, 220).build())
        .unwrap_or_default();
    shown(&TotpPage { page: Page::new(web, desk, "/console/akun"), letters, picture, is_wrong })
}

pub(super) async fn confirm_totp(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<FirstCode>,
) -> Result<Response, Error> {
    match officer::confirm_totp(&web.app, &desk.officer, &form.code).await? {
        Code::Right => Ok(Redirect::to("/console/akun").into_response()),
        Code::Wrong | Code::Locked(_) => totp(&web, &desk, true).await,
    }
}

pub(super) async fn speak(
    State(web): State<Web>,
    desk: Desk,
    Filled(choice): Filled<Choice>,
) -> Result<Response, Error> {
    let language: Language = choice
        .language
        .parse()
        .map_err(|_| Error::BadParameter("the language is id or en".to_owned()))?;
    set_language(&web.app.db, desk.officer.id, language).await?;
    let to = Some(choice.here).filter(|here| here.starts_with("/console") || here == "/kurir/");
    let mut response = Redirect::to(to.as_deref().unwrap_or("/console")).into_response();
    let cookie =
        format!("{LANGUAGE_COOKIE}={language}; Path=/console; SameSite=Lax; Max-Age=31536000");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
