//! Meta's webhook. Whoever is refused is told nothing but that.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use crate::channel::whatsapp::webhook;
use crate::service::inbox;
use crate::web::Web;

/// Meta asks whether this address is meant: the challenge goes back to whoever knows the token.
pub(in crate::web) async fn verify(
    State(web): State<Web>,
    Path(account): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let part = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let is_meant = web.whatsapp.get(&account).is_some_and(|secrets| {
        let token = secrets.verify_token.expose_secret().as_bytes();
        part("hub.mode") == "subscribe"
            && bool::from(token.ct_eq(part("hub.verify_token").as_bytes()))
    });
    if is_meant {
        part("hub.challenge").to_owned().into_response()
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

/// Meta tells what happened. 200 only after every event of the body is committed; 503 when the
/// database is away, so that Meta sends it again.
pub(in crate::web) async fn receive(
    State(web): State<Web>,
    Path(account): Path<String>,
    headers: HeaderMap,
    raw: Result<Bytes, BytesRejection>,
) -> StatusCode {
    let raw = match raw {
        Ok(raw) => raw,
        Err(rejection) => return rejection.status(),
    };
    let signature = headers
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_signed = web.whatsapp.get(&account).is_some_and(|secrets| {
        webhook::is_signed(secrets.app_secret.expose_secret(), &raw, signature)
    });
    if !is_signed {
        return StatusCode::UNAUTHORIZED;
    }
    match inbox::store_whatsapp(&web.app, &account, &raw).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::error!("webhook not stored: {}", crate::telemetry::chain(&error));
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
