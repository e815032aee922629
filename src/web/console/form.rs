//! Forms: they come from our own pages, or they are not read.
//!
//! Every request that changes something must come from the same site and carry the token of its session. The
//! token is derived from the session's secret, so that none is kept.

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;

use super::FORM_BYTES;
use super::desk::Desk;
use super::page::StaleForm;
use super::upload::{Upload, is_upload};
use crate::web::Web;
use crate::web::error::Error;

/// The field of every form that carries the token, and the header that may carry it instead.
const FIELD: &str = "csrf";
const HEADER: &str = "x-csrf";

/// A form that was filled in.
#[derive(Debug)]
pub(super) struct Filled<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Web> for Filled<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &Web) -> Result<Self, Error> {
        let body = to_bytes(request.into_body(), FORM_BYTES)
            .await
            .map_err(|_| Error::TooLarge("a form has at most 256 KiB".to_owned()))?;
        serde_urlencoded::from_bytes(&body)
            .map(Self)
            .map_err(|error| Error::BadBody(error.to_string()))
    }
}

fn is_token(desk: &Desk, token: &str) -> bool {
    desk.csrf.as_bytes().ct_eq(token.as_bytes()).into()
}

/// Refuses what another site makes a browser send.
pub(super) async fn only_ours(State(web): State<Web>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    if !is_same_site(&web, &request) {
        return (Extension(StaleForm), Error::Forbidden("this site's own form")).into_response();
    }
    // Before logging in there is no session whose rights a foreign form could use.
    let Some(desk) = request.extensions().get::<Desk>().cloned() else {
        return next.run(request).await;
    };
    let by_header = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    if by_header.is_some_and(|token| is_token(&desk, token)) {
        return next.run(request).await;
    }
    if is_upload(&request) {
        return only_with_token(&desk, request, next).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, FORM_BYTES).await else {
        return Error::TooLarge("a form has at most 256 KiB".to_owned()).into_response();
    };
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let token = fields.iter().find(|(name, _)| name == FIELD).map(|(_, token)| token.as_str());
    if !token.is_some_and(|token| is_token(&desk, token)) {
        return (Extension(StaleForm), Error::Forbidden("the form's token")).into_response();
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// The same for a form with files, which is handed on as it was read.
async fn only_with_token(desk: &Desk, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let headless = |body| {
        let mut request = Request::new(body);
        (*request.uri_mut(), *request.headers_mut()) = (parts.uri.clone(), parts.headers.clone());
        request
    };
    let upload = match Upload::read(headless(body)).await {
        Ok(upload) => upload,
        Err(error) => return error.into_response(),
    };
    if !upload.word(FIELD).is_some_and(|token| is_token(desk, token)) {
        return (Extension(StaleForm), Error::Forbidden("the form's token")).into_response();
    }
    let mut request = Request::from_parts(parts, Body::empty());
    request.extensions_mut().insert(upload);
    next.run(request).await
}

fn is_same_site(web: &Web, request: &Request) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return true };
    let host = text("host").unwrap_or_default();
    origin == &*web.public_url || origin.split_once("://").is_some_and(|(_, own)| own == host)
}
