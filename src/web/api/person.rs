//! People whom no message can reach.

use axum::Json;
use axum::extract::{Query, State};
use serde_json::{Value, json};

use super::{Params, known_only, listed, page, param};
use crate::service::card::{self, Unreachable};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/unreachable`
pub(in crate::web) async fn list_unreachable(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    known_only(&params, &["cursor", "limit"])?;
    let limit = page(&params)?;
    let after = param(&params, "cursor")?;
    let rows = card::list_unreachable(&web.app, caller.within(), after, limit).await?;
    let view = |row: &Unreachable| json!({"id": row.id, "name": row.name, "area": row.area, "problem": row.problem});
    Ok(listed("people", &rows, limit, |row| row.id.clone(), view))
}
