//! Who sits at the desk: from the cookie to an officer, and whether they may come through a door.
//!
//! The right of every route is checked here, before its page is reached; what lies in which area, each page asks
//! of its [`Desk`].

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::Need;
use crate::domain::area::AreaCode;
use crate::domain::language::Language;
use crate::domain::officer::{Actor, OfficerRole, Right};
use crate::service::officer as service;
use crate::store::officer::Officer;
use crate::store::session::Stage;
use crate::web::Web;
use crate::web::error::Error;

/// Name of the cookie with the session's secret.
const COOKIE: &str = "kabar_session";
/// Name of the cookie with the language before logging in.
pub(super) const LANGUAGE_COOKIE: &str = "kabar_bahasa";

/// An officer who is logged in.
#[derive(Clone)]
pub(super) struct Desk {
    /// Who.
    pub(super) officer: Officer,
    /// The same, for the rules about rights.
    pub(super) actor: Actor,
    /// How far they have come in.
    pub(super) stage: Stage,
    /// The cookie's secret.
    pub(super) secret: String,
    /// What their forms must carry.
    pub(super) csrf: String,
    /// They must set up a second factor before anything else.
    needs_second_factor: bool,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({})", self.officer.id)
    }
}

impl Desk {
    /// Whether they have a right.
    pub(super) fn may(&self, right: Right) -> bool {
        self.actor.may(right)
    }

    /// Refuses what is not in their area, as if it were not there.
    pub(super) fn covers(&self, web: &Web, area: Option<&AreaCode>) -> Result<(), Error> {
        if self.actor.covers(area, &web.app.settings.office_area) {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    /// Their area, for lists.
    pub(super) fn area(&self) -> &AreaCode {
        &self.actor.area
    }

    /// Whether they see also what has no area: it is the whole office's.
    pub(super) fn sees_all(&self, web: &Web) -> bool {
        self.actor.covers(None, &web.app.settings.office_area)
    }

    /// The language of their pages.
    pub(super) fn language(&self) -> Language {
        self.officer.language
    }
}

impl FromRequestParts<Web> for Desk {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or(Error::Unauthorized)
    }
}

/// A cookie's value.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Where its cookie goes to, and nowhere else: officers' pages, and the courier's.
const PATHS: [&str; 2] = ["/console", "/kurir"];

/// Sets the session's cookie, or ends it. Scripts never see it, and no other site sends it along with a form.
pub(super) fn set_cookie(web: &Web, response: &mut Response, secret: Option<&str>) {
    let secure = if web.public_url.starts_with("https://") { "; Secure" } else { "" };
    let (value, age) = match secret {
        Some(secret) => (secret, service::LONGEST.as_secs()),
        None => ("", 0),
    };
    for path in PATHS {
        let cookie =
            format!("{COOKIE}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

/// Finds out who it is.
pub(super) async fn find(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let secret = cookie(request.headers(), COOKIE)
        .filter(|secret| secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_owned);
    if let Some(secret) = secret {
        match service::who(&web.app, &secret).await {
            Ok(Some((officer, session))) => {
                // A courier's or a helper's phone may have no room for one more app.
                let is_helper = matches!(officer.role, OfficerRole::Courier | OfficerRole::Partner);
                let desk = Desk {
                    needs_second_factor: web.app.settings.needs_second_factor
                        && !officer.has_totp
                        && !is_helper,
                    actor: officer.actor(),
                    officer,
                    stage: session.stage,
                    csrf: web.app.db.index("csrf", &secret),
                    secret,
                };
                request.extensions_mut().insert(desk.clone());
                let mut response = next.run(request).await;
                // The page that an error becomes is made further out.
                response.extensions_mut().insert(desk);
                return response;
            }
            Ok(None) => {}
            Err(error) => return Error::from(error).into_response(),
        }
    }
    next.run(request).await
}

/// Lets through whoever may, sends to the door whoever is not logged in, and refuses the rest.
pub(super) async fn require(need: Need, request: Request, next: Next) -> Response {
    if need == Need::Nothing {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let desk = request.extensions().get::<Desk>();
    let Some(desk) = desk.filter(|desk| desk.stage == Stage::Full) else {
        let is_half = desk.is_some();
        return to_door(&request, is_half);
    };
    // A password that somebody else knows is changed before anything else.
    let is_about_oneself = path.starts_with("/console/akun")
        || path.starts_with("/console/keluar")
        || path.starts_with("/console/bahasa");
    if desk.officer.must_change && !is_about_oneself {
        return Redirect::to("/console/akun").into_response();
    }
    if desk.needs_second_factor && !is_about_oneself {
        return Redirect::to("/console/akun/kode").into_response();
    }
    match need {
        Need::Right(right) if !desk.may(right) => Error::Forbidden("another").into_response(),
        _ => next.run(request).await,
    }
}

fn to_door(request: &Request, is_half: bool) -> Response {
    let door = if is_half { "/console/kode" } else { "/console/masuk" };
    // A fragment of a page cannot be answered with a page: the script goes to the door by itself.
    if request.headers().contains_key("hx-request") {
        return ([("hx-redirect", door)], "").into_response();
    }
    let is_page = request.method() == axum::http::Method::GET && request.uri().path() != "/console";
    let next = request.uri().path_and_query().map(ToString::to_string).filter(|_| is_page);
    let query = next.map(|next| serde_urlencoded::to_string([("next", next)]).unwrap_or_default());
    match query {
        Some(query) => Redirect::to(&format!("{door}?{query}")).into_response(),
        None => Redirect::to(door).into_response(),
    }
}
