//! Webhooks: the account's adapter proves the raw bytes, every event is stored, and only then the
//! answer is 200. Whoever is refused is told nothing but that.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Web;
use crate::channel::{HookRefusal, HookRequest};
use crate::service::inbox;

#[derive(Deserialize)]
pub(super) struct Place {
    channel: String,
    account: String,
    #[serde(default)]
    tail: String,
}

/// A provider calls. 200 only after every event is committed; 503 when the database is away, so
/// that the provider calls again.
pub(super) async fn receive(
    State(web): State<Web>,
    Path(place): Path<Place>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return rejection.status().into_response(),
    };
    let account = web.app.account(&place.account);
    let Some(account) = account.filter(|account| account.channel.as_str() == place.channel) else {
        // As if it were there and the secret wrong: nobody learns which accounts exist.
        let status =
            if method == Method::GET { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
        return status.into_response();
    };
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let request = HookRequest {
        method: &method,
        tail: &place.tail,
        query: uri.query().unwrap_or_default(),
        url: &format!("{}{path}", web.public_url),
        now: web.app.now(),
        headers: &headers,
        body: &body,
    };
    let answer = match account.adapter.receive(&request) {
        Ok(answer) => answer,
        Err(refusal) => {
            return match refusal {
                HookRefusal::Unsigned => StatusCode::UNAUTHORIZED,
                HookRefusal::Forbidden => StatusCode::FORBIDDEN,
                HookRefusal::NotFound => StatusCode::NOT_FOUND,
            }
            .into_response();
        }
    };
    if let Err(error) = inbox::store(&web.app, account, answer.events).await {
        tracing::error!("webhook not stored: {}", crate::telemetry::chain(&error));
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answer.content_type {
        Some(kind) => ([(header::CONTENT_TYPE, kind)], answer.body).into_response(),
        None => StatusCode::OK.into_response(),
    }
}
