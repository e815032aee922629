//! Who asked to be told of what: the webhooks registered at the server.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{AndroidPhone, authorise, problem};
use crate::sandbox::Sandbox;

/// Webhooks of all accounts together.
const MAX_HOOKS: usize = 1_000;
/// What one can ask to be told.
const EVENTS: [&str; 10] = [
    "sms:received",
    "sms:sent",
    "sms:delivered",
    "sms:failed",
    "sms:cancelled",
    "sms:data-received",
    "mms:received",
    "mms:downloaded",
    "system:ping",
    "app:started",
];

struct Hook {
    account: String,
    id: String,
    event: String,
    url: String,
}

impl Hook {
    fn view(&self) -> Value {
        json!({ "id": self.id, "deviceId": null, "event": self.event, "url": self.url })
    }
}

/// The webhooks of all accounts.
#[derive(Default)]
pub(super) struct Hooks(Vec<Hook>);

impl Hooks {
    /// Where an event goes: webhook id and address, each address once.
    pub(super) fn places(&self, account: &AndroidPhone, event: &str) -> Vec<(String, String)> {
        let mut places: Vec<(String, String)> = Vec::new();
        let registered = self
            .0
            .iter()
            .filter(|hook| hook.account == account.id && hook.event == event)
            .map(|hook| (hook.id.clone(), hook.url.clone()));
        let own = (!account.webhook_url.is_empty())
            .then(|| ("LreFUt-sandbox".to_owned(), account.webhook_url.clone()));
        for place in registered.chain(own) {
            if !places.iter().any(|known| known.1 == place.1) {
                places.push(place);
            }
        }
        places
    }
}

pub(super) async fn list(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    let account = match authorise(&sandbox, &headers) {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    sandbox.look(|memory| {
        let hooks = memory.android.hooks.0.iter().filter(|hook| hook.account == account.id);
        Json(hooks.map(Hook::view).collect::<Vec<_>>()).into_response()
    })
}

/// Registers, or replaces the webhook of the same id.
pub(super) async fn register(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match authorise(&sandbox, &headers) {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (Some(event), Some(url)) = (body["event"].as_str(), body["url"].as_str()) else {
        return problem(400, "Fields Event and URL are required");
    };
    if !EVENTS.contains(&event) {
        return problem(400, "Field Event is not an event");
    }
    // The app posts without TLS to its own phone only.
    if !(url.starts_with("https://") || url.starts_with("http://127.0.0.1")) || url.len() > 2_000 {
        return problem(400, "url must start with https:// or http://127.0.0.1");
    }
    let new_id = format!("{:08x}-{:08x}", sandbox.0.seed >> 32, sandbox.serial());
    let id = body["id"].as_str().filter(|id| !id.is_empty()).unwrap_or(&new_id);
    if id.len() > super::MAX_ID {
        return problem(400, "Field ID must have at most 36 characters");
    }
    let hook = Hook {
        account: account.id,
        id: id.to_owned(),
        event: event.to_owned(),
        url: url.to_owned(),
    };
    let view = hook.view();
    let is_kept = sandbox.change(|memory| {
        let hooks = &mut memory.android.hooks.0;
        hooks.retain(|known| !(known.account == hook.account && known.id == hook.id));
        let has_room = hooks.len() < MAX_HOOKS;
        if has_room {
            hooks.push(hook);
        }
        has_room
    });
    if !is_kept {
        return problem(400, "too many webhooks");
    }
    (StatusCode::CREATED, Json(view)).into_response()
}

pub(super) async fn remove(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let account = match authorise(&sandbox, &headers) {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    sandbox.change(|memory| {
        memory.android.hooks.0.retain(|hook| !(hook.account == account.id && hook.id == id));
    });
    StatusCode::NO_CONTENT.into_response()
}
