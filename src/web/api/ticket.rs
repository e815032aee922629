//! Talks, complaints and requests that citizens put before an officer.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Params, known_only, listed, page, param, row_id, shown};
use crate::domain::id::TicketId;
use crate::service::by::By;
use crate::service::ticket::{self, TicketError, described};
use crate::store::ticket::{TicketFilter, find_ticket, list_tickets};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

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
    Ok(listed("tickets", &rows, limit, |row| row.id.to_string(), described))
}

/// `GET /v1/tickets/{id}`: with all that was written; the look is noted.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    let id = theirs(&web, &caller, &id).await?;
    let whole = ticket::show(&web.app, id, &By::from(&caller.actor())).await?;
    let entries: Vec<Value> = whole
        .entries
        .iter()
        .map(|entry| {
            json!({"what": entry.what.as_str(), "words": entry.words, "note": entry.note,
                   "by": entry.by, "at": shown(entry.at)})
        })
        .collect();
    let mut body = described(&whole.ticket);
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
    let id = theirs(&web, &caller, &id).await?;
    ticket::take(&web.app, id, &By::from(&caller.actor())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an officer writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Words {
    text: String,
}

/// `POST /v1/tickets/{id}/reply`: with an `Idempotency-Key` the same is sent once, however often a
/// client that heard no answer repeats it.
pub(in crate::web) async fn reply(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Words>, axum::extract::rejection::JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Error> {
    caller.to_mend()?;
    let Json(words) = body.map_err(|_| Error::BadBody("send {\"text\": \"…\"}".to_owned()))?;
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default());
    let (id, by) = (theirs(&web, &caller, &id).await?, By::from(&caller.actor()));
    let message = ticket::reply(&web.app, id, &words.text, &by, key).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"message": message.to_string()}))))
}

/// `POST /v1/tickets/{id}/close`
pub(in crate::web) async fn close(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_mend()?;
    let id = theirs(&web, &caller, &id).await?;
    let is_told = ticket::close(&web.app, id, &By::from(&caller.actor()), true).await?;
    Ok(Json(json!({"is_told": is_told})))
}

/// The id of a ticket that lies in the caller's area.
async fn theirs(web: &Web, caller: &Caller, id: &str) -> Result<TicketId, Error> {
    let id = row_id(id)?;
    let found = find_ticket(&mut *web.app.db.reading().await?, id).await?;
    caller.covers(found.ok_or(Error::NotFound)?.area.as_ref())?;
    Ok(id)
}

impl From<TicketError> for Error {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::NotFound => Self::NotFound,
            TicketError::NotOpen
            | TicketError::Closed
            | TicketError::Elsewhere
            | TicketError::WindowClosed
            | TicketError::NoAccount => Self::Conflict(error.to_string()),
            TicketError::Length | TicketError::Personal => Self::BadBody(error.to_string()),
            TicketError::Key => Self::BadParameter(error.to_string()),
            TicketError::Service(error) => error.into(),
        }
    }
}
