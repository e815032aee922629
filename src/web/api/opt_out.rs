//! Somebody asked at the counter to hear nothing more.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::domain::phone::PhoneNumber;
use crate::service::stop;
use crate::store::StoreError;
use crate::store::person::list_by_phone;
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Request {
    phone: String,
}

/// `POST /v1/opt-outs` with the number in the body: an address would end in logs.
pub(in crate::web) async fn post(
    State(web): State<Web>,
    caller: Caller,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    let Ok(Json(request)) = request else {
        return Err(Error::BadBody("an object with phone is needed".to_owned()));
    };
    // Strict, unlike a spreadsheet's cell: nobody shall be cut off because two numbers stood in one.
    let is_plain = request.phone.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c));
    let phone = PhoneNumber::parse(&request.phone)
        .ok()
        .filter(|_| is_plain)
        .ok_or_else(|| Error::BadBody("phone is no Indonesian mobile number".to_owned()))?;
    if caller.within().is_some() {
        // Only whoever knows all that have this number can say that they want to hear nothing more.
        let mut tx = web.app.db.begin().await?;
        let people = list_by_phone(&mut tx, &web.app.db, &phone).await?;
        tx.rollback().await.map_err(StoreError::from)?;
        if people.is_empty() {
            return Err(Error::NotFound);
        }
        people.iter().try_for_each(|person| caller.covers(person.area.as_ref()))?;
    }
    stop::opt_out_phone(&web.app, &phone).await?;
    tracing::info!(by = caller.name(), "somebody was opted out at the counter");
    Ok(StatusCode::NO_CONTENT)
}
