//! SMS Gateway for Android, played locally: its server's routes for those who send.
//!
//! Takes a request through the doors of the real one: user, form, queue, id. An id is taken once.
//! What the phone then tells is `event.rs`, whom it tells is `hook.rs`.

mod event;
mod hook;

use std::collections::{HashMap, HashSet, VecDeque};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use chrono::DateTime;
use serde_json::{Value, json};

use super::course::Fate;
use super::fault::FaultKind;
use super::sms::{Line, Writing, basic, not_json};
use super::{Bubble, Input, Mark, Sandbox, Sent, Side, WriteError, phone, sms};
use crate::domain::clock::Timestamp;

/// Ids of messages that are remembered; the oldest make room.
const MAX_IDS: usize = 100_000;
/// The longest id the gateway takes.
const MAX_ID: usize = 36;
/// The longest text.
const MAX_TEXT: usize = 65_535;
/// Numbers in one request.
const MAX_NUMBERS: usize = 100;

/// A phone with a SIM behind its server.
#[derive(Clone)]
pub struct AndroidPhone {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// User of its API.
    pub username: String,
    /// Password of its API.
    pub password: String,
    /// What its webhooks are signed with.
    pub webhook_key: String,
    /// Its SIM's number.
    pub number: String,
    /// Where its webhooks go besides those that were registered; empty for nowhere.
    pub webhook_url: String,
}

/// What the server remembers besides what stands on the phones.
#[derive(Default)]
pub(super) struct Server {
    ids: HashSet<(String, String)>,
    ids_by_age: VecDeque<(String, String)>,
    hooks: hook::Hooks,
    heard_at: HashMap<String, Timestamp>,
}

impl Server {
    /// Forgets messages and keeps webhooks.
    pub(super) fn forget_messages(&mut self) {
        self.ids.clear();
        self.ids_by_age.clear();
    }

    /// Whether that id is new to the account; from now on it is not.
    fn take_id(&mut self, account: &str, id: &str) -> bool {
        let key = (account.to_owned(), id.to_owned());
        if !self.ids.insert(key.clone()) {
            return false;
        }
        self.ids_by_age.push_back(key);
        if self.ids_by_age.len() > MAX_IDS
            && let Some(oldest) = self.ids_by_age.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    /// When a SIM hears a message: not two in the same millisecond.
    fn hear(&mut self, account: &str, now: Timestamp) -> Timestamp {
        let last = self.heard_at.get(account).map_or(i64::MIN, |last| last.as_ms());
        let at = Timestamp::from_ms(now.as_ms().max(last.saturating_add(1)));
        self.heard_at.insert(account.to_owned(), at);
        at
    }
}

pub(super) fn routes() -> Router<Sandbox> {
    const BASE: &str = "/android/3rdparty/v1";
    Router::new()
        .route(&format!("{BASE}/messages"), post(messages))
        .route(&format!("{BASE}/messages/{{id}}"), get(message))
        .route(&format!("{BASE}/webhooks"), get(hook::list).post(hook::register))
        .route(&format!("{BASE}/webhooks/{{id}}"), delete(hook::remove))
        .route(&format!("{BASE}/health"), get(health))
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    sandbox: &Sandbox,
    account: &AndroidPhone,
    number: &str,
    input: Input,
) -> Result<String, WriteError> {
    let writing = Writing::read(input)?;
    let now = sandbox.now();
    let at = sandbox.change(|memory| memory.android.hear(&account.id, now));
    let text = writing.shown();
    let id = format!("sms_{:x}_{}", sandbox.0.seed, sandbox.serial());
    let line =
        Line { id: &id, account: &account.id, side: Side::Citizen, text: &text, echo: None, at };
    let (from, to) = (number.to_owned(), account.clone());
    sms::send_in(sandbox, number, &line, move |sandbox| async move {
        let (word, payload) = event::heard(&to, &from, at, writing);
        event::tell(&sandbox, &to, &word, payload).await;
    })?;
    Ok(id)
}

/// The account whose user and password a request carries.
fn authorise(sandbox: &Sandbox, headers: &HeaderMap) -> Result<AndroidPhone, Box<Response>> {
    let given = basic(headers);
    let found = sandbox.0.settings.others.iter().find_map(|other| match (other, &given) {
        (super::Counterpart::Android(account), Some((user, password)))
            if account.username == *user && account.password == *password =>
        {
            Some(account.clone())
        }
        _ => None,
    });
    found.ok_or_else(|| Box::new(problem(401, "Unauthorized")))
}

fn problem(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({ "message": message }))).into_response()
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "pass", "version": "sandbox", "releaseId": 1, "checks": {} }))
}

/// A request that is right in itself.
struct Request {
    id: String,
    text: String,
    /// Digits with country code.
    numbers: Vec<String>,
    wants_receipt: bool,
    sim: Option<u64>,
}

impl Request {
    fn read(body: &Value, skips_check: bool, new_id: String) -> Result<Self, String> {
        let id = match &body["id"] {
            Value::Null => new_id,
            Value::String(id) if !id.is_empty() && id.len() <= MAX_ID => id.clone(),
            _ => return Err("Field ID must be a text of at most 36 characters".to_owned()),
        };
        // `message` is how earlier versions called it.
        let text = body["textMessage"]["text"].as_str().or_else(|| body["message"].as_str());
        let text = text
            .filter(|text| !text.is_empty() && text.len() <= MAX_TEXT)
            .ok_or("No message content provided")?;
        if body["ttl"].is_number() && body["validUntil"].is_string() {
            return Err("Fields TTL and ValidUntil exclude each other".to_owned());
        }
        if body["validUntil"].as_str().is_some_and(|at| DateTime::parse_from_rfc3339(at).is_err()) {
            return Err("Field ValidUntil is no date and time".to_owned());
        }
        let is_whole = |name: &str, range: std::ops::RangeInclusive<i64>| match &body[name] {
            Value::Null => Ok(()),
            value if value.as_i64().is_some_and(|number| range.contains(&number)) => Ok(()),
            _ => Err(format!("Field {name} is out of range")),
        };
        is_whole("priority", -128..=127)?;
        is_whole("simNumber", 1..=3)?;
        is_whole("ttl", 5..=i64::MAX)?;
        let given = body["phoneNumbers"].as_array().map(Vec::as_slice).unwrap_or_default();
        if given.is_empty() || given.len() > MAX_NUMBERS {
            return Err("Field PhoneNumbers must have 1 to 100 entries".to_owned());
        }
        let mut numbers = Vec::new();
        for (row, number) in given.iter().enumerate() {
            let written = number.as_str().unwrap_or_default();
            let digits = phone::digits(written)
                .filter(|_| skips_check || written.starts_with('+'))
                .ok_or_else(|| format!("invalid phone number in row {}: {written}", row + 1))?;
            numbers.push(digits);
        }
        Ok(Self {
            id,
            text: text.to_owned(),
            numbers,
            wants_receipt: body["withDeliveryReport"].as_bool().unwrap_or(true),
            sim: body["simNumber"].as_u64(),
        })
    }
}

#[derive(serde::Deserialize)]
struct Params {
    #[serde(default, rename = "skipPhoneValidation")]
    skip_phone_validation: bool,
}

async fn messages(
    State(sandbox): State<Sandbox>,
    Query(params): Query<Params>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match authorise(&sandbox, &headers) {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let text = || Value::from(String::from_utf8_lossy(&body).into_owned());
    let json: Value = serde_json::from_slice(&body).unwrap_or_else(|_| text());
    let new_id = format!("{:016x}{:05}", sandbox.0.seed, sandbox.serial() % 100_000);
    let now = sandbox.now();
    let request = match Request::read(&json, params.skip_phone_validation, new_id) {
        Ok(request) => request,
        Err(message) => {
            record(&sandbox, &account, body.len(), json, Err(Some(400)));
            return problem(400, &message);
        }
    };
    if let Some((answer, code)) = refusing_fault(&sandbox, &request.numbers[0], now) {
        record(&sandbox, &account, body.len(), json, Err(code));
        return answer;
    }
    if !sandbox.change(|memory| memory.android.take_id(&account.id, &request.id)) {
        record(&sandbox, &account, body.len(), json, Err(Some(409)));
        return problem(409, "message with the same ID already exists");
    }
    record(&sandbox, &account, body.len(), json, Ok((&request.numbers[0], &request.id)));
    accept(&sandbox, &account, request, now).await
}

/// Keeps a request, with its phone and id or its error code.
fn record(
    sandbox: &Sandbox,
    account: &AndroidPhone,
    size: usize,
    body: Value,
    outcome: Result<(&String, &String), Option<u32>>,
) {
    let sent = Sent {
        at_ms: sandbox.now().as_ms(),
        account: account.id.clone(),
        phone: outcome.ok().map(|taken| taken.0.clone()),
        message_id: outcome.ok().map(|taken| taken.1.clone()),
        error_code: outcome.err().flatten(),
        body,
    };
    sandbox.change(|memory| memory.record(size, sent));
}

/// A fault that keeps a good request from being taken: the answer and its code.
fn refusing_fault(
    sandbox: &Sandbox,
    number: &str,
    now: Timestamp,
) -> Option<(Response, Option<u32>)> {
    let full = |after: Option<u64>| {
        let body = json!({ "error": "QueueLimitExceeded",
            "message": "queue limits exceeded: too many pending messages: 100 / 100" });
        let mut answer = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
        if let Some(after) = after {
            answer.headers_mut().insert(header::RETRY_AFTER, after.into());
        }
        Some((answer, Some(503)))
    };
    if sandbox.is_full() {
        return full(None);
    }
    sandbox.change(|memory| {
        let faults = &mut memory.faults;
        if faults.strike(FaultKind::Throttle, "android", &[number], now).is_some() {
            return full(faults.seconds_left(FaultKind::Throttle, now));
        }
        if let Some(fault) = faults.strike(FaultKind::Refuse, "android", &[number], now) {
            let status = fault.code.and_then(|code| u16::try_from(code).ok());
            let status = status.filter(|status| (400..600).contains(status)).unwrap_or(400);
            return Some((problem(status, "Refused on request"), Some(u32::from(status))));
        }
        let fault = faults.strike(FaultKind::NotJson, "android", &[number], now)?;
        Some((not_json(fault.status), None))
    })
}

/// Puts the message on its screens, lets its course begin, and answers.
async fn accept(
    sandbox: &Sandbox,
    account: &AndroidPhone,
    request: Request,
    now: Timestamp,
) -> Response {
    let mut ending = None;
    for number in &request.numbers {
        let line = Line {
            id: &request.id,
            account: &account.id,
            side: Side::Office,
            text: &request.text,
            echo: Some(&request.id),
            at: now,
        };
        let fate = sandbox.change(|memory| {
            memory.phones.show(number, line.bubble(), now);
            Fate::weigh(memory, "android", &[number], now, false)
        });
        ending.get_or_insert_with(|| fate.ending.clone());
        let told = event::Told {
            account: account.clone(),
            id: request.id.clone(),
            number: number.clone(),
            wants_receipt: request.wants_receipt,
            sim: request.sim,
        };
        event::start(sandbox, fate, told).await;
    }
    let ending = ending.unwrap_or_default();
    if let Some(nothing) = ending.before_answer(sandbox).await {
        return nothing;
    }
    if let Some(status) = ending.status {
        return problem(status, "failed to handle request");
    }
    let location = format!("/android/3rdparty/v1/messages/{}", request.id);
    let recipients = request.numbers.iter().map(|number| (number.as_str(), Mark::Accepted));
    let state = state(account, &request.id, recipients);
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(state)).into_response()
}

fn state<'a>(
    account: &AndroidPhone,
    id: &str,
    recipients: impl Iterator<Item = (&'a str, Mark)>,
) -> Value {
    let recipients: Vec<(&str, &str)> = recipients
        .map(|(number, mark)| {
            let word = match mark {
                Mark::Accepted => "Pending",
                Mark::Sent => "Sent",
                Mark::Delivered | Mark::Read => "Delivered",
                Mark::Failed => "Failed",
            };
            (number, word)
        })
        .collect();
    let whole = recipients.first().map_or("Pending", |first| first.1);
    let list: Vec<Value> = recipients
        .iter()
        .map(|(number, word)| json!({ "phoneNumber": format!("+{number}"), "state": word }))
        .collect();
    json!({ "id": id, "deviceId": event::device_id(account), "state": whole, "isHashed": false,
        "isEncrypted": false, "recipients": list, "states": {} })
}

async fn message(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let account = match authorise(&sandbox, &headers) {
        Ok(account) => account,
        Err(answer) => return *answer,
    };
    let is_it = |bubble: &&Bubble| bubble.id == id && bubble.account == account.id;
    sandbox.look(|memory| {
        let found: Vec<(&str, Mark)> = memory
            .phones
            .newest_first()
            .filter_map(|phone| {
                let bubble = phone.bubbles.iter().rev().find(is_it)?;
                Some((phone.number.as_str(), bubble.mark))
            })
            .collect();
        if found.is_empty() {
            return problem(404, "message not found");
        }
        Json(state(&account, &id, found.into_iter())).into_response()
    })
}
