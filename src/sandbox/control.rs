//! The control API and the page: look at the phones, write as their owners, inject faults.
//!
//! For tests and for people at the page. Carries no rule of a provider; all it does goes
//! through the methods of [`Sandbox`].

use std::convert::Infallible;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fault::MAX_FAULTS;
use super::phone::MAX_PHONES;
use super::{Fault, Input, Phone, Presence, Sandbox, Template, WriteError};

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/", get(page))
        .route("/control/phones", get(phones).post(add_phone))
        .route("/control/phones/{who}", get(phone))
        .route("/control/phones/{who}/write", post(write))
        .route("/control/phones/{who}/read", post(read))
        .route("/control/sent", get(sent))
        .route("/control/faults", get(faults).post(set_faults).delete(end_faults))
        .route("/control/templates", put(set_templates))
        .route("/control/reset", post(reset))
        .route("/control/events", get(events))
        .route("/control/files/{id}", get(super::media::show))
}

async fn page() -> Html<&'static str> {
    Html(include_str!("pages/phones.html"))
}

#[derive(Deserialize)]
struct PhonesQuery {
    /// Part of a number or a name.
    q: Option<String>,
    /// Only phones that changed after this revision.
    since: Option<u64>,
    limit: Option<usize>,
    /// How many of the latest messages of each phone.
    messages: Option<usize>,
}

async fn phones(State(sandbox): State<Sandbox>, Query(query): Query<PhonesQuery>) -> Json<Value> {
    let wanted = query.q.unwrap_or_default().trim().to_lowercase();
    let digits: String = wanted.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix('0').unwrap_or(&digits);
    let is_wanted = |phone: &&Phone| {
        wanted.is_empty()
            || phone.name.to_lowercase().contains(&wanted)
            || phone.user_id.to_lowercase() == wanted
            || (!digits.is_empty() && phone.number.contains(digits))
    };
    let limit = query.limit.unwrap_or(MAX_PHONES);
    let messages = query.messages.unwrap_or(usize::MAX);
    sandbox.look(|memory| {
        let changed = |phone: &&Phone| query.since.is_none_or(|since| phone.revision > since);
        let phones: Vec<Value> = memory
            .phones
            .newest_first()
            .filter(is_wanted)
            .filter(changed)
            .take(limit)
            .map(|phone| view(phone, messages))
            .collect();
        let matching = memory.phones.newest_first().filter(is_wanted).count();
        let revision = memory.phones.revision();
        let now_ms = sandbox.now().as_ms();
        Json(json!({ "revision": revision, "now_ms": now_ms, "total": memory.phones.len(),
            "matching": matching, "phones": phones, "accounts": accounts(&sandbox) }))
    })
}

/// The businesses there are, without their secrets.
fn accounts(sandbox: &Sandbox) -> Vec<Value> {
    let meta = sandbox.0.settings.accounts.iter().map(|account| {
        json!({ "id": account.phone_number_id, "label": account.label, "channel": "whatsapp",
            "number": account.display_phone_number })
    });
    let others = sandbox.0.settings.others.iter().map(
        |other| json!({ "id": other.id(), "label": other.label(), "channel": other.channel() }),
    );
    meta.chain(others).collect()
}

fn view(phone: &Phone, messages: usize) -> Value {
    let skipped = phone.bubbles.len().saturating_sub(messages);
    let bubbles: Vec<_> = phone.bubbles.iter().skip(skipped).collect();
    json!({
        "number": phone.number, "user_id": phone.user_id, "name": phone.name,
        "hides_number": phone.hides_number, "whatsapp": phone.whatsapp, "is_stranger": phone.is_stranger,
        "typing_until_ms": phone.typing_until_ms, "revision": phone.revision,
        "activity": phone.activity, "bubbles": bubbles,
    })
}

async fn phone(State(sandbox): State<Sandbox>, Path(who): Path<String>) -> Response {
    match sandbox.phone(&who) {
        Some(phone) => Json(view(&phone, usize::MAX)).into_response(),
        None => problem(StatusCode::NOT_FOUND, "there is no such phone"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPhone {
    number: String,
    name: Option<String>,
    #[serde(default)]
    hides_number: bool,
    #[serde(default)]
    whatsapp: Presence,
}

async fn add_phone(State(sandbox): State<Sandbox>, Json(new): Json<NewPhone>) -> Response {
    match sandbox.add_phone(&new.number, new.name.as_deref(), new.hides_number) {
        Ok(number) => {
            sandbox.set_presence(&number, new.whatsapp);
            Json(json!({ "number": number })).into_response()
        }
        Err(error) => write_problem(error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writing {
    text: Option<String>,
    button_id: Option<String>,
    /// Accepted for the reader's sake; the label is taken from the message.
    #[serde(rename = "title")]
    _title: Option<String>,
    message_id: Option<String>,
    /// A message of any type, as the provider would pass it on.
    raw: Option<Map<String, Value>>,
    /// The id of the business number to write to.
    to: Option<String>,
}

async fn write(
    State(sandbox): State<Sandbox>,
    Path(who): Path<String>,
    Json(writing): Json<Writing>,
) -> Response {
    let input = match (writing.text, writing.button_id, writing.raw) {
        (Some(text), None, None) => Input::Text(text),
        (None, Some(button_id), None) => Input::Press { button_id, message_id: writing.message_id },
        (None, None, Some(raw)) => Input::Raw(raw),
        _ => {
            let title = "give one of text, button_id and raw";
            return problem(StatusCode::UNPROCESSABLE_ENTITY, title);
        }
    };
    match sandbox.write(&who, writing.to.as_deref(), input) {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(error) => write_problem(error),
    }
}

async fn read(State(sandbox): State<Sandbox>, Path(who): Path<String>) -> StatusCode {
    sandbox.read(&who);
    StatusCode::NO_CONTENT
}

async fn sent(State(sandbox): State<Sandbox>) -> Response {
    Json(sandbox.sent()).into_response()
}

async fn faults(State(sandbox): State<Sandbox>) -> Json<Vec<Fault>> {
    let now = sandbox.now();
    Json(sandbox.look(|memory| memory.faults.list(now)))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Fault>),
    One(Fault),
}

async fn set_faults(State(sandbox): State<Sandbox>, Json(faults): Json<OneOrMany>) -> Response {
    let faults = match faults {
        OneOrMany::Many(faults) => faults,
        OneOrMany::One(fault) => vec![fault],
    };
    if faults.len() > MAX_FAULTS {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "at most 100 faults at once");
    }
    sandbox.set_faults(faults);
    StatusCode::NO_CONTENT.into_response()
}

async fn end_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.set_faults(Vec::new());
    StatusCode::NO_CONTENT
}

async fn set_templates(
    State(sandbox): State<Sandbox>,
    Json(templates): Json<Vec<Template>>,
) -> StatusCode {
    sandbox.set_templates(templates);
    StatusCode::NO_CONTENT
}

async fn reset(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.reset();
    StatusCode::NO_CONTENT
}

/// One event with the latest revision whenever something changed. Ends at shutdown, so that an
/// open page does not hold the server up.
async fn events(
    State(sandbox): State<Sandbox>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let closing = sandbox.0.closing.clone();
    let mut watch = sandbox.0.revision.subscribe();
    watch.mark_changed();
    let revisions = stream::unfold(watch, |mut watch| async move {
        watch.changed().await.ok()?;
        let revision = *watch.borrow_and_update();
        Some((Ok(Event::default().data(revision.to_string())), watch))
    });
    Sse::new(revisions.take_until(closing.cancelled_owned())).keep_alive(KeepAlive::default())
}

fn write_problem(error: WriteError) -> Response {
    let status = match error {
        WriteError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        WriteError::UnknownAccount | WriteError::NoSuchButton => StatusCode::NOT_FOUND,
        WriteError::BadNumber | WriteError::BadText => StatusCode::UNPROCESSABLE_ENTITY,
    };
    problem(status, &error.to_string())
}

fn problem(status: StatusCode, title: &str) -> Response {
    let body = Json(json!({ "status": status.as_u16(), "title": title }));
    (status, [("content-type", "application/problem+json")], body).into_response()
}
