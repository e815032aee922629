//! What was not understood, for the office to work off: taught as an example, or set aside.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Params, done, known_only, listed, page, param, row_id};
use crate::domain::message::MessageText;
use crate::service::by::By;
use crate::service::question::{day_begins, described, ignore, reopen};
use crate::service::teach::{Outcome, Trial, teach, teachable, wordings};
use crate::store::question_group::GroupState;
use crate::store::question_list::{Group, GroupFilter, find_group, list_groups};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/questions`: the most often asked first. Without `all` only what two people asked.
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    known_only(&params, &["state", "all", "since", "cursor", "limit"])?;
    let limit = page(&params)?;
    let day: Option<NaiveDate> = param(&params, "since")?;
    let filter = GroupFilter {
        state: param(&params, "state")?.unwrap_or(GroupState::Open),
        is_all: param(&params, "all")?.unwrap_or(false),
        since: day.map(|day| day_begins(web.app.zone(None), day)),
        after: param(&params, "cursor")?,
        within: caller.within(),
    };
    let rows = list_groups(&web.app.db, &filter, limit).await?;
    Ok(listed("questions", &rows, limit, |row| row.id.to_string(), |group| view(group, &caller)))
}

/// `GET /v1/questions/{id}`: with every wording, for the one who decides.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    let id = row_id(&id)?;
    let group = find_group(&web.app.db, id).await?.ok_or(Error::NotFound)?;
    caller.covers(group.area.as_ref())?;
    let texts = wordings(&web.app.db, id).await?;
    let mut shown_group = view(&group, &caller);
    shown_group["texts"] = texts.iter().map(MessageText::expose).collect();
    Ok(Json(shown_group))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Teaching {
    label: String,
    /// Also if known examples are then understood in another way.
    #[serde(default)]
    accept: bool,
}

/// `POST /v1/questions/{id}/teach`
pub(in crate::web) async fn teach_one(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
    request: Result<Json<Teaching>, JsonRejection>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    caller.to_whole()?;
    let id = row_id(&id)?;
    let Ok(Json(request)) = request else {
        return Err(Error::BadBody("an object with label is needed".to_owned()));
    };
    let label = teachable(&request.label).ok_or_else(|| {
        Error::BadBody("label is none that can be taught: see `kabar answers list`".to_owned())
    })?;
    match teach(&web.app, id, label, &By::from(&caller.actor()), request.accept).await? {
        Outcome::NotOpen => Err(Error::NotFound),
        Outcome::WouldShift(trial) => Err(Error::Conflict(format!(
            "{} of {} known examples would be understood in another way; send \"accept\": true if \
             that is right",
            trial.shifts.len(),
            trial.known
        ))),
        Outcome::Taught(trial) => Ok(Json(came_of(&trial, label))),
    }
}

fn came_of(trial: &Trial, label: &str) -> Value {
    json!({"label": label, "texts": trial.texts, "understood": trial.understood,
           "known": trial.known, "changed": trial.shifts.len()})
}

/// `POST /v1/questions/{id}/ignore`
pub(in crate::web) async fn ignore_one(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    caller.to_whole()?;
    let id = row_id(&id)?;
    let is_done = ignore(&web.app, id, &By::from(&caller.actor())).await?;
    done(is_done)
}

/// `POST /v1/questions/{id}/reopen`
pub(in crate::web) async fn reopen_one(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    caller.to_whole()?;
    let id = row_id(&id)?;
    let is_done = reopen(&web.app, id, &By::from(&caller.actor())).await?;
    done(is_done)
}

/// The words of a citizen are for those only who may answer them.
fn view(group: &Group, caller: &Caller) -> Value {
    let mut view = described(group);
    if !caller.may_mend() {
        view["sample"] = Value::Null;
    }
    view
}
