//! One-time codes of the counter, which tie a chat to a person.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shown;
use crate::domain::nik::Nik;
use crate::service::connect::issue_code;
use crate::store::StoreError;
use crate::store::person::find_by_nik;
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Request {
    nik: String,
}

/// `POST /v1/binding-codes` with the NIK in the body: an address would end in logs.
pub(in crate::web) async fn issue(
    State(web): State<Web>,
    caller: Caller,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Error> {
    caller.to_mend()?;
    let Ok(Json(request)) = request else {
        return Err(Error::BadBody("an object with nik is needed".to_owned()));
    };
    let nik = Nik::parse(&request.nik).map_err(|error| Error::BadBody(format!("nik: {error}")))?;
    let mut tx = web.app.db.begin().await?;
    let known = find_by_nik(&mut tx, &web.app.db, &nik).await?.ok_or(Error::NotFound)?;
    tx.rollback().await.map_err(StoreError::from)?;
    caller.covers(known.area.as_ref())?;
    let issued = issue_code(&web.app, &nik, &caller.name()).await?.ok_or(Error::NotFound)?;
    let body = json!({"code": issued.code, "links": issued.links,
                      "expires_at": shown(issued.expires_at)});
    Ok((StatusCode::CREATED, Json(body)))
}
