//! Addresses that are not written to.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Params, done, known_only, listed, page, param, row_id, shown};
use crate::domain::message::ChannelKind;
use crate::domain::phone::PhoneNumber;
use crate::store::suppression::{Suppression, list_active, release};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/suppressions`
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    caller.to_whole()?;
    known_only(&params, &["cursor", "limit"])?;
    let limit = page(&params)?;
    let rows = list_active(&web.app.db, param(&params, "cursor")?, limit).await?;
    let view = |row: &Suppression| {
        let phone = row.address.as_ref().and_then(|address| address.phone.as_ref());
        json!({"id": row.id.to_string(), "address": phone.map(PhoneNumber::masked),
                   "channel": row.channel.map_or("all", ChannelKind::as_str),
                   "reason": row.reason.as_str(), "code": row.code, "since": shown(row.created_at)})
    };
    Ok(listed("suppressions", &rows, limit, |row| row.id.to_string(), view))
}

/// `POST /v1/suppressions/{id}/release`
pub(in crate::web) async fn release_one(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    caller.to_whole()?;
    let id = row_id(&id)?;
    let is_done = release(&web.app.db, id, &caller.name(), web.app.now()).await?;
    done(is_done)
}
