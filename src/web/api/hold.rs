//! Changes of a source that were so many at once that the office is asked whether they are news.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{row_id, shown};
use crate::service::source_trouble::{decide, list_holds};
use crate::store::hold::{Decision, Hold};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/holds`
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    let view = |hold: &Hold| {
        json!({"id": hold.id.to_string(), "source": hold.source, "status": hold.status.as_str(),
               "waiting": hold.waiting, "since": shown(hold.opened_at),
               "last_at": shown(hold.last_at), "decision": hold.decision.map(Decision::as_str)})
    };
    let holds: Vec<Value> = list_holds(&web.app, &caller.actor()).await?.iter().map(view).collect();
    Ok(Json(json!({"holds": holds})))
}

/// `POST /v1/holds/{id}/announce`: they are news.
pub(in crate::web) async fn announce(
    state: State<Web>,
    caller: Caller,
    id: Path<String>,
) -> Result<StatusCode, Error> {
    settle(state, caller, id, Decision::Announce).await
}

/// `POST /v1/holds/{id}/silence`: they are not.
pub(in crate::web) async fn silence(
    state: State<Web>,
    caller: Caller,
    id: Path<String>,
) -> Result<StatusCode, Error> {
    settle(state, caller, id, Decision::Silent).await
}

async fn settle(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
    decision: Decision,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    let id = row_id(&id)?;
    let is_done = decide(&web.app, &caller.actor(), id, decision).await?;
    if is_done { Ok(StatusCode::ACCEPTED) } else { Err(Error::NotFound) }
}
