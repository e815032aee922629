//! News that no channel brought, for somebody to tell in person.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Params, done, known_only, listed, page, param, row_id, shown};
use crate::domain::person::PersonName;
use crate::store::visit::{Visit, find_area, list_open, mark_told};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/visits`: with names, RT and RW, for the officer who goes there.
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    known_only(&params, &["area", "cursor", "limit"])?;
    let limit = page(&params)?;
    let area = caller.narrowed(param(&params, "area")?)?;
    let rows = list_open(&web.app.db, area.as_ref(), param(&params, "cursor")?, limit).await?;
    let view = |row: &Visit| {
        json!({"id": row.id.to_string(), "message": row.message.to_string(),
                   "name": row.name.as_ref().map(PersonName::expose),
                   "area": row.area.as_ref().map(ToString::to_string), "area_name": row.area_name,
                   "rt": row.rt, "rw": row.rw,
                   "news": row.template, "words": row.words, "reason": row.reason,
                   "since": shown(row.created_at)})
    };
    Ok(listed("visits", &rows, limit, |row| row.id.to_string(), view))
}

/// `POST /v1/visits/{id}/told`
pub(in crate::web) async fn told(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    let id = row_id(&id)?;
    let area = find_area(&mut *web.app.db.reading().await?, id).await?.ok_or(Error::NotFound)?;
    caller.covers(area.as_ref())?;
    let is_done = mark_told(&web.app.db, id, &caller.name(), web.app.now()).await?;
    done(is_done)
}
