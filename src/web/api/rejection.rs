//! Items that were rejected, until somebody deals with them.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Params, done, known_only, listed, page, param, row_id, shown};
use crate::service::source_trouble::{find_item, list_rejections, resolve as mend};
use crate::store::rejection::Rejection;
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/rejections`
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    known_only(&params, &["cursor", "limit"])?;
    let limit = page(&params)?;
    let rows = list_rejections(&web.app, &caller.actor(), param(&params, "cursor")?, limit).await?;
    let view = |row: &Rejection| {
        json!({"id": row.id.to_string(), "source": row.source, "code": row.code,
                   "message": row.message, "times": row.times, "received_at": shown(row.received_at)})
    };
    Ok(listed("rejections", &rows, limit, |row| row.id.to_string(), view))
}

/// `GET /v1/rejections/{id}`: with the item as received, for the one who mends it.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    let id = row_id(&id)?;
    let payload = find_item(&web.app, &caller.actor(), id).await?.ok_or(Error::NotFound)?;
    Ok(Json(json!({"id": id.to_string(), "item": payload})))
}

/// `POST /v1/rejections/{id}/resolve`
pub(in crate::web) async fn resolve(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    let id = row_id(&id)?;
    let is_done = mend(&web.app, &caller.actor(), id).await?;
    done(is_done)
}
