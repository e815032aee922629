//! Messages and their stories.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::{Params, known_only, listed, page, param, row_id, shown, shown_opt};
use crate::domain::phone::PhoneNumber;
use crate::store::message_list::{self, MessageFilter, MessageLine};
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

const FILTERS: &[&str] =
    &["status", "class", "channel", "card", "why", "reference", "phone", "cursor", "limit"];

/// `GET /v1/messages`
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    known_only(&params, FILTERS)?;
    let limit = page(&params)?;
    let phone =
        match params.get("phone").filter(|raw| !raw.is_empty()) {
            Some(raw) => Some(PhoneNumber::parse(raw).map_err(|_| {
                Error::BadParameter("phone is no Indonesian mobile number".to_owned())
            })?),
            None => None,
        };
    let filter = MessageFilter {
        status: param(&params, "status")?,
        class: param(&params, "class")?,
        channel: param(&params, "channel")?,
        card: param(&params, "card")?,
        why: param(&params, "why")?,
        reference: param(&params, "reference")?,
        phone,
        before: param(&params, "cursor")?,
        within: caller.within().cloned(),
    };
    let rows = message_list::list_messages(&web.app.db, &filter, limit).await?;
    Ok(listed("messages", &rows, limit, |row| row.id.to_string(), |row| line(row, &caller)))
}

/// `GET /v1/messages/{id}`
pub(in crate::web) async fn show(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    let id = row_id(&id)?;
    let message = message_list::find_message(&web.app.db, id).await?.ok_or(Error::NotFound)?;
    if caller.within().is_some() {
        caller.covers(message_list::find_area(&web.app.db, id).await?.as_ref())?;
    }
    let attempts = message_list::list_attempts(&web.app.db, id).await?;
    let receipts = message_list::list_receipts(&web.app.db, id).await?;
    let mut shown_message = line(&message, &caller);
    shown_message["attempts_made"] = attempts
        .iter()
        .map(|a| {
            json!({"number": a.number, "started_at": shown(a.started_at),
                   "finished_at": shown_opt(a.finished_at), "outcome": a.outcome, "code": a.code,
                   "detail": a.detail})
        })
        .collect();
    shown_message["receipts"] = receipts
        .iter()
        .map(|r| {
            json!({"kind": r.kind.as_str(), "happened_at": shown(r.happened_at),
                   "received_at": shown(r.received_at), "code": r.code, "detail": r.detail})
        })
        .collect();
    Ok(Json(shown_message))
}

fn line(m: &MessageLine, caller: &Caller) -> Value {
    // WhatsApp's id of a message holds the recipient's number.
    let provider_id = m.provider_message_id.as_ref().filter(|_| caller.is_admin());
    json!({
        "id": m.id.to_string(), "status": m.status.as_str(), "why": m.why, "class": m.class.as_str(),
        "channel": m.channel.as_str(), "account": m.account, "template": m.template,
        "reference": m.reference, "recipient": m.recipient, "card": m.card_id.map(|id| id.to_string()),
        "provider_message_id": provider_id, "attempts": m.attempts,
        "failure": m.failure_code.as_ref().map(|code| json!({"code": code, "reason": m.failure_reason})),
        "due_at": shown(m.due_at), "expires_at": shown_opt(m.expires_at),
        "created_at": shown(m.created_at), "sent_at": shown_opt(m.sent_at),
        "delivered_at": shown_opt(m.delivered_at), "read_at": shown_opt(m.read_at),
        "failed_at": shown_opt(m.failed_at), "follows": m.first_id.map(|id| id.to_string()),
        "segments": m.parts, "rupiah": m.rupiah,
    })
}
