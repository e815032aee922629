//! Places that serve citizens, and how they are just now.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Params, done, known_only};
use crate::domain::service_point::{BlankoStock, PointStatus};
use crate::service::point::{change, check_state, described};
use crate::store::service_point::{Change, find_point, list_points};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// Points of an office, at most.
const MOST: i64 = 10_000;

/// A change; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Patch {
    status: Option<String>,
    until: Option<String>,
    because: Option<String>,
    blanko: Option<String>,
}

/// `GET /v1/service-points`
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    known_only(&params, &[])?;
    let points = list_points(&mut *web.app.db.reading().await?, MOST).await?;
    let rows: Vec<Value> = points
        .iter()
        .filter(|(point, _)| caller.covers(Some(&point.area)).is_ok())
        .map(|(point, now)| described(point, now))
        .collect();
    Ok(Json(json!({ "service_points": rows })))
}

/// `PATCH /v1/service-points/{code}`
pub(in crate::web) async fn patch(
    State(web): State<Web>,
    caller: Caller,
    Path(code): Path<String>,
    patch: Result<Json<Patch>, JsonRejection>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    let Ok(Json(patch)) = patch else {
        let what = "an object with status, until, because or blanko is needed";
        return Err(Error::BadBody(what.to_owned()));
    };
    let zone = web.app.zone(None).offset();
    let today = web.app.now().in_zone(zone).date_naive();
    let changes = changes(patch, today).map_err(Error::BadBody)?;
    let point = find_point(&mut *web.app.db.reading().await?, &code).await?;
    caller.covers(Some(&point.ok_or(Error::NotFound)?.area))?;
    let is_done = change(&web.app, &code, &changes, &caller.actor()).await?;
    done(is_done.is_some())
}

fn changes(patch: Patch, today: NaiveDate) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    if let Some(status) = patch.status {
        let status: PointStatus =
            status.parse().map_err(|_| "status is running, preparation or closed".to_owned())?;
        let until = patch.until.map(|day| day.parse()).transpose();
        let until = until.map_err(|_| "until is a day like 2026-12-04".to_owned())?;
        let state = check_state(status, until, patch.because.as_deref(), today)?;
        changes.push(Change::State(state));
    } else if patch.until.is_some() || patch.because.is_some() {
        return Err("until and because stand beside status only".to_owned());
    }
    if let Some(stock) = patch.blanko {
        let stock: BlankoStock =
            stock.parse().map_err(|_| "blanko is available, low, none or unknown".to_owned())?;
        changes.push(Change::Blanko(stock));
    }
    if changes.is_empty() {
        return Err("nothing to change: give status or blanko".to_owned());
    }
    Ok(changes)
}
