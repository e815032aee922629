//! Talks, complaints and requests that citizens put before an officer.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Params, known_only, next, page, param, shown, shown_opt};
use crate::domain::id::TicketId;
use crate::domain::ticket::ComplaintCategory;
use crate::service::ticket::{self, TicketError};
use crate::store::StoreError;
use crate::store::ticket::{Ticket, TicketFilter, find_ticket, list_tickets};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

fn view(ticket: &Ticket) -> Value {
    json!({"id": ticket.id.to_string(), "kind": ticket.kind.as_str(), "state": ticket.state.as_str(),
           "number": ticket.number, "category": ticket.category.map(ComplaintCategory::as_str),
           "is_pungli": ticket.category.is_some_and(ComplaintCategory::is_pungli),
           "area": ticket.area.as_ref().map(ToString::to_string), "account": ticket.account,
           "opened_at": shown(ticket.opened_at), "touched_at": shown(ticket.touched_at),
           "due_at": shown_opt(ticket.due_at), "taken_at": shown_opt(ticket.taken_at),
           "taken_by": ticket.taken_by, "closed_at": shown_opt(ticket.closed_at),
           "closed_by": ticket.closed_by})
}

/// `GET /v1/tickets`: without what anybody wrote.
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    known_only(&params, &["state", "kind", "area", "cursor", "limit"])?;
    let limit = page(&params)?;
    let is_all = params.get("state").is_some_and(|state| state == "all");
    let filter = TicketFilter {
        state: if is_all { None } else { param(&params, "state")? },
        is_all,
        kind: param(&params, "kind")?,
        area: param(&params, "area")?,
        within: caller.within().cloned(),
        after: param(&params, "cursor")?,
    };
    let rows = list_tickets(&web.app.db, &filter, limit).await?;
    let cursor = next(&rows, limit, |row| row.id.to_string());
    let tickets: Vec<Value> = rows.iter().map(view).collect();
    Ok(Json(json!({"tickets": tickets, "next_cursor": cursor})))
}

/// `GET /v1/tickets/{id}`: with all that was written; the look is noted.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    let whole = ticket::show(&web.app, theirs(&web, &caller, &id).await?, &caller.name()).await?;
    let entries: Vec<Value> = whole
        .entries
        .iter()
        .map(|entry| {
            json!({"what": entry.what.as_str(), "words": entry.words, "note": entry.note,
                   "by": entry.by, "at": shown(entry.at)})
        })
        .collect();
    let mut body = view(&whole.ticket);
    body["text"] = json!(whole.text);
    body["entries"] = json!(entries);
    Ok(Json(body))
}

/// `POST /v1/tickets/{id}/take`
pub(in crate::web) async fn take(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    caller.to_mend()?;
    ticket::take(&web.app, theirs(&web, &caller, &id).await?, &caller.name()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an officer writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Words {
    text: String,
}

/// `POST /v1/tickets/{id}/reply`
pub(in crate::web) async fn reply(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Json<Words>, axum::extract::rejection::JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Error> {
    caller.to_mend()?;
    let Json(words) = body.map_err(|_| Error::BadBody("send {\"text\": \"…\"}".to_owned()))?;
    let message =
        ticket::reply(&web.app, theirs(&web, &caller, &id).await?, &words.text, &caller.name())
            .await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"message": message.to_string()}))))
}

/// `POST /v1/tickets/{id}/close`
pub(in crate::web) async fn close(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    let is_told =
        ticket::close(&web.app, theirs(&web, &caller, &id).await?, &caller.name()).await?;
    Ok(Json(json!({"is_told": is_told})))
}

/// The id of a ticket that lies in the caller's area.
async fn theirs(web: &Web, caller: &Caller, id: &str) -> Result<TicketId, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = web.app.db.begin().await?;
    let found = find_ticket(&mut tx, id).await?.ok_or(Error::NotFound)?;
    tx.rollback().await.map_err(StoreError::from)?;
    caller.covers(found.area.as_ref())?;
    Ok(id)
}

impl From<TicketError> for Error {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::NotFound => Self::NotFound,
            TicketError::NotOpen
            | TicketError::Closed
            | TicketError::WindowClosed
            | TicketError::NoAccount => Self::Conflict(error.to_string()),
            TicketError::Length | TicketError::Personal => Self::BadBody(error.to_string()),
            TicketError::Service(error) => error.into(),
        }
    }
}
