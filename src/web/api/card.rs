//! A card and its history.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::{row_id, shown};
use crate::domain::audit::Action;
use crate::service::officer::note_look;
use crate::store::card::{find_card, list_history};
use crate::store::person::find_person;
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

/// `GET /v1/cards/{id}`
pub(in crate::web) async fn show(
    State(web): State<Web>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    caller.to_read()?;
    let id = row_id(&id)?;
    let card = find_card(&web.app.db, id).await?.ok_or(Error::NotFound)?;
    let holder =
        find_person(&mut *web.app.db.reading().await?, &web.app.db, card.person_id).await?;
    caller.covers(holder.and_then(|person| person.area).as_ref())?;
    note_look(&web.app, &caller.actor(), Action::LookedAtCard, &id.to_string()).await?;
    let history: Vec<Value> = list_history(&web.app.db, id)
        .await?
        .iter()
        .map(|line| {
            json!({"id": line.id.to_string(), "source": line.source, "status": line.status.as_str(),
                   "occurred_at": shown(line.occurred_at), "received_at": shown(line.received_at),
                   "outcome": line.outcome.as_str()})
        })
        .collect();
    Ok(Json(json!({
        "id": card.id.to_string(), "person": card.person_id.to_string(),
        "document": card.document.as_str(), "serial": card.serial,
        "status": card.on_file.status.as_str(), "status_at": shown(card.on_file.status_at),
        "service_point": card.service_point,
        "home_delivery": card.home_delivery.as_ref().map(|home| json!({
            "date": home.date.to_string(),
            "from": home.from.map(|t| t.format("%H:%M").to_string()),
            "to": home.to.map(|t| t.format("%H:%M").to_string()),
        })),
        "history": history,
    })))
}
