//! Coming in and leaving: login and password, the code of the second factor, the way out.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::desk::{Desk, set_cookie};
use super::form::Filled;
use super::page::{Page, language_of, show as shown};
use crate::service::officer::{self, Code, SignIn};
use crate::store::session::Stage;
use crate::web::Web;
use crate::web::error::Error;

/// Why somebody is still at the door.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Wrong,
    Locked(u64),
}

#[derive(Template)]
#[template(path = "login.html", config = "src/web/console/askama.toml")]
struct LoginPage {
    page: Page,
    refused: Option<Refused>,
    login: String,
    next: String,
}

#[derive(Template)]
#[template(path = "code.html", config = "src/web/console/askama.toml")]
struct CodePage {
    page: Page,
    refused: Option<Refused>,
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the form's fields")]
pub(super) struct Login {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    code: String,
    #[serde(default)]
    next: String,
}

/// Only a page of our own is gone to after the door.
fn safe(next: &str) -> &str {
    let is_page = next.starts_with("/console/") || next.starts_with("/kurir/");
    let is_ours = is_page && !next.contains(['\\', '\r', '\n']);
    if is_ours { next } else { "/console" }
}

pub(super) async fn show(
    State(web): State<Web>,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Error> {
    let page = Page::outside(&web, language_of(&headers), "/console/masuk");
    shown(&LoginPage { page, refused: None, login: String::new(), next })
}

pub(super) async fn sign_in(
    State(web): State<Web>,
    headers: HeaderMap,
    Filled(form): Filled<Login>,
) -> Result<Response, Error> {
    let refused = match officer::sign_in(&web.app, &form.login, form.password).await? {
        SignIn::In(secret, Stage::Full) => return Ok(enter(&web, &secret, safe(&form.next))),
        SignIn::In(secret, Stage::Password) => {
            let query = serde_urlencoded::to_string([("next", &form.next)]).unwrap_or_default();
            return Ok(enter(&web, &secret, &format!("/console/kode?{query}")));
        }
        SignIn::Wrong => Refused::Wrong,
        SignIn::Locked(wait) => Refused::Locked(wait.as_secs().div_ceil(60)),
    };
    let page = Page::outside(&web, language_of(&headers), "/console/masuk");
    let login = form.login.chars().take(40).collect();
    shown(&LoginPage { page, refused: Some(refused), login, next: form.next })
}

/// Goes to a page with a new cookie.
pub(super) fn enter(web: &Web, secret: &str, to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    set_cookie(web, &mut response, Some(secret));
    response
}

pub(super) async fn show_code(
    State(web): State<Web>,
    desk: Option<axum::Extension<Desk>>,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Error> {
    let Some(axum::Extension(desk)) = desk else {
        return Ok(Redirect::to("/console/masuk").into_response());
    };
    if desk.stage == Stage::Full {
        return Ok(Redirect::to(safe(&next)).into_response());
    }
    let mut page = Page::outside(&web, desk.language(), "/console/kode");
    page.csrf.clone_from(&desk.csrf);
    shown(&CodePage { page, refused: None, next })
}

pub(super) async fn take_code(
    State(web): State<Web>,
    desk: Option<axum::Extension<Desk>>,
    Filled(form): Filled<CodeForm>,
) -> Result<Response, Error> {
    let Some(axum::Extension(desk)) = desk else {
        return Ok(Redirect::to("/console/masuk").into_response());
    };
    if desk.stage == Stage::Full {
        return Ok(Redirect::to(safe(&form.next)).into_response());
    }
    let outcome = officer::second_factor(&web.app, &desk.officer, &desk.secret, &form.code).await?;
    let refused = match outcome {
        Ok(secret) => return Ok(enter(&web, &secret, safe(&form.next))),
        Err(Code::Locked(wait)) => Refused::Locked(wait.as_secs().div_ceil(60)),
        Err(_) => Refused::Wrong,
    };
    let mut page = Page::outside(&web, desk.language(), "/console/kode");
    page.csrf.clone_from(&desk.csrf);
    shown(&CodePage { page, refused: Some(refused), next: form.next })
}

pub(super) async fn sign_out(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    officer::sign_out(&web.app, &desk.officer, &desk.secret).await?;
    let mut response = Redirect::to("/console/masuk").into_response();
    set_cookie(&web, &mut response, None);
    Ok(response)
}
