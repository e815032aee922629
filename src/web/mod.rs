//! The HTTP side: routes, limits, and nothing else. Handlers read the request, call one service,
//! and write the answer.

mod api;
mod auth;
pub mod console;
mod error;
mod health;
mod hooks;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;

use crate::service::App;

/// Meta posts at most 3 MB.
const WEBHOOK_BYTES: usize = 3 * 1024 * 1024;
/// One JSON body of the API; a stream has no such bound.
const JSON_BYTES: usize = 16 * 1024 * 1024;
/// A request that takes longer is given up; streams of card updates are exempt.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);
/// The same for one that brings a file: 15 MB over the line of a desa.
const LONGEST_UPLOAD: Duration = Duration::from_secs(300);

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Web {
    /// The services.
    pub app: Arc<App>,
    /// How the outside reaches this service, without a slash at the end; some providers sign it.
    pub public_url: Arc<str>,
}

/// Gives a request up that takes too long.
async fn in_time(request: Request, next: Next) -> Response {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_form = kind.is_some_and(|kind| kind.starts_with(b"multipart/"));
    let has_file = is_form || request.uri().path().ends_with("/attachment");
    let longest = if has_file { LONGEST_UPLOAD } else { LONGEST_REQUEST };
    let answer = tokio::time::timeout(longest, next.run(request)).await;
    answer.unwrap_or_else(|_| error::Error::Slow.into_response())
}

/// Method and path of every route of the API, for a test that walks them all.
#[must_use]
pub fn api_routes() -> Vec<String> {
    api::names()
}

/// All routes.
pub fn router(web: Web) -> Router {
    let hooks = Router::new()
        .route("/hooks/{channel}/{account}", get(hooks::receive).post(hooks::receive))
        .route("/hooks/{channel}/{account}/{*tail}", get(hooks::receive).post(hooks::receive))
        .layer(DefaultBodyLimit::max(WEBHOOK_BYTES));
    let rest = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(api::router())
        .merge(hooks)
        .layer(from_fn(in_time))
        .merge(console::router(&web));
    rest.merge(api::stream_router())
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(CatchPanicLayer::custom(|_| error::panicked()))
        .with_state(web)
}
