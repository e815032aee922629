//! Watched sources: how far each is read, and whether it can be read.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{shown, shown_opt};
use crate::service::source_trouble;
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/sources`
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    let now = web.app.now();
    let states = source_trouble::list_states(&web.app, &caller.actor()).await?;
    let sources: Vec<Value> = states
        .iter()
        .map(|(id, state)| {
            let lag = state.read_at.map(|at| now.since(at).as_secs());
            json!({"id": id, "read_at": shown_opt(state.read_at), "lag_seconds": lag,
                   "scanned_at": shown_opt(state.scanned_at),
                   "changed_at": shown_opt(state.changed_at),
                   "failing_since": shown_opt(state.failed_at), "failure": state.failure})
        })
        .collect();
    Ok(Json(json!({"sources": sources})))
}

/// `GET /v1/notices`: what somebody should look at.
pub(in crate::web) async fn list_notices(
    State(web): State<Web>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    let notices: Vec<Value> = source_trouble::list_notices(&web.app, &caller.actor())
        .await?
        .iter()
        .map(|notice| {
            json!({"id": notice.id.to_string(), "kind": notice.kind.as_str(),
                   "subject": notice.subject, "detail": notice.detail,
                   "since": shown(notice.opened_at)})
        })
        .collect();
    Ok(Json(json!({"notices": notices})))
}
