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
use axum::routing::{get, patch, post, put};
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

/// All routes.
pub fn router(web: Web) -> Router {
    let streams = Router::new()
        .route("/v1/card-updates", post(api::card_update::post))
        .layer(DefaultBodyLimit::disable());
    let hooks = Router::new()
        .route("/hooks/{channel}/{account}", get(hooks::receive).post(hooks::receive))
        .route("/hooks/{channel}/{account}/{*tail}", get(hooks::receive).post(hooks::receive))
        .layer(DefaultBodyLimit::max(WEBHOOK_BYTES));
    let rest = Router::new()
        .route("/v1", get(api::index))
        .route("/v1/messages", get(api::message::list))
        .route("/v1/messages/{id}", get(api::message::show))
        .route("/v1/cards/{id}", get(api::card::show))
        .route("/v1/rejections", get(api::rejection::list))
        .route("/v1/rejections/{id}", get(api::rejection::show))
        .route("/v1/rejections/{id}/resolve", post(api::rejection::resolve))
        .route("/v1/unreachable", get(api::person::list_unreachable))
        .route("/v1/visits", get(api::visit::list))
        .route("/v1/visits/{id}/told", post(api::visit::told))
        .route("/v1/suppressions", get(api::suppression::list))
        .route("/v1/suppressions/{id}/release", post(api::suppression::release_one))
        .route("/v1/sources", get(api::source::list))
        .route("/v1/notices", get(api::source::list_notices))
        .route("/v1/holds", get(api::hold::list))
        .route("/v1/holds/{id}/announce", post(api::hold::announce))
        .route("/v1/holds/{id}/silence", post(api::hold::silence))
        .route("/v1/questions", get(api::question::list))
        .route("/v1/questions/{id}", get(api::question::show))
        .route("/v1/questions/{id}/teach", post(api::question::teach_one))
        .route("/v1/questions/{id}/ignore", post(api::question::ignore_one))
        .route("/v1/questions/{id}/reopen", post(api::question::reopen_one))
        .route("/v1/service-points", get(api::service_point::list))
        .route("/v1/service-points/{code}", patch(api::service_point::patch))
        .route("/v1/tickets", get(api::ticket::list))
        .route("/v1/tickets/{id}", get(api::ticket::show))
        .route("/v1/tickets/{id}/take", post(api::ticket::take))
        .route("/v1/tickets/{id}/reply", post(api::ticket::reply))
        .route("/v1/tickets/{id}/close", post(api::ticket::close))
        .route("/v1/broadcasts", get(api::broadcast::list).post(api::broadcast::create))
        .route("/v1/broadcasts/{id}", get(api::broadcast::show).put(api::broadcast::change))
        .route("/v1/broadcasts/{id}/list", put(api::broadcast::set_list))
        .route("/v1/broadcasts/{id}/preview", get(api::broadcast::preview))
        .route("/v1/broadcasts/{id}/failures", get(api::broadcast::failures))
        .route("/v1/broadcasts/{id}/test", post(api::broadcast::test))
        .route("/v1/broadcasts/{id}/{act}", post(api::broadcast::act))
        .route("/v1/opt-outs", post(api::opt_out::post))
        .route("/v1/binding-codes", post(api::binding_code::issue))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(hooks)
        .merge(console::router(&web))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST_REQUEST));
    rest.merge(streams)
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(CatchPanicLayer::custom(|_| error::panicked()))
        .with_state(web)
}
