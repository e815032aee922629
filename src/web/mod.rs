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
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::service::App;

/// Meta posts at most 3 MB.
const WEBHOOK_BYTES: usize = 3 * 1024 * 1024;
/// One JSON body of the API; a stream has no such bound.
const JSON_BYTES: usize = 16 * 1024 * 1024;
/// A request that takes longer is given up; streams of card updates are exempt.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Web {
    /// The services.
    pub app: Arc<App>,
    /// How the outside reaches this service, without a slash at the end; some providers sign it.
    pub public_url: Arc<str>,
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
        .merge(console::router(&web))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST_REQUEST));
    rest.merge(api::stream_router())
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(CatchPanicLayer::custom(|_| error::panicked()))
        .with_state(web)
}
