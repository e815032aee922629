//! Twilio's Messages API, played locally: the routes an account calls.
//!
//! Takes a request through the doors of the real one: account, form, sender, queue. What is called
//! back is `event.rs`, how a refusal looks is `refusal.rs`.

mod event;
mod refusal;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::course::Fate;
use super::fault::FaultKind;
use super::sms::{Line, Writing, basic, not_json};
use super::{Input, Mark, Sandbox, Sent, Side, WriteError, sms};
use crate::domain::clock::Timestamp;
use refusal::Refusal;

/// The longest text.
const MAX_TEXT: usize = 1_600;

/// An account.
#[derive(Clone)]
pub struct TwilioAccount {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// Its id.
    pub account_sid: String,
    /// Its token, which also signs webhooks.
    pub auth_token: String,
    /// The number or name it sends from, or its messaging service (`MG…`).
    pub sender: String,
    /// Where messages to its number go; empty for nowhere.
    pub inbound_url: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    const BASE: &str = "/twilio/2010-04-01/Accounts";
    Router::new()
        .route(&format!("{BASE}/{{file}}"), get(account))
        .route(&format!("{BASE}/{{account}}/Messages.json"), post(messages))
        .route(&format!("{BASE}/{{account}}/Messages/{{file}}"), get(message))
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    sandbox: &Sandbox,
    account: &TwilioAccount,
    number: &str,
    input: Input,
) -> Result<String, WriteError> {
    let writing = Writing::read(input)?;
    let at = sandbox.now();
    let (id, text) = (new_sid(sandbox), writing.shown());
    let line =
        Line { id: &id, account: &account.id, side: Side::Citizen, text: &text, echo: None, at };
    let (from, to, sid) = (number.to_owned(), account.clone(), id.clone());
    sms::send_in(sandbox, number, &line, move |sandbox| async move {
        event::bring_in(&sandbox, &to, &from, &sid, writing).await;
    })?;
    Ok(id)
}

/// An id like Twilio's: `SM` and 32 hexadecimal digits.
fn new_sid(sandbox: &Sandbox) -> String {
    format!("SM{:016x}{:016x}", sandbox.0.seed, sandbox.serial())
}

/// The account whose id and token a request carries, if it is also the one it is about.
fn authorise(
    sandbox: &Sandbox,
    headers: &HeaderMap,
    about: &str,
) -> Result<TwilioAccount, Refusal> {
    let given = basic(headers);
    let found = sandbox.0.settings.others.iter().find_map(|other| match (other, &given) {
        (super::Counterpart::Twilio(account), Some((user, password)))
            if account.account_sid == *user && account.auth_token == *password =>
        {
            Some(account.clone())
        }
        _ => None,
    });
    let account = found.ok_or_else(|| Refusal::new(20_003, "Authenticate"))?;
    if account.account_sid != about {
        let path = format!("The requested resource /2010-04-01/Accounts/{about} was not found");
        return Err(Refusal::new(20_404, path));
    }
    Ok(account)
}

async fn account(
    State(sandbox): State<Sandbox>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let sid = file.strip_suffix(".json").unwrap_or(&file);
    match authorise(&sandbox, &headers, sid) {
        Ok(account) => Json(json!({ "sid": account.account_sid, "friendly_name": account.label,
            "status": "active", "type": "Full", "owner_account_sid": account.account_sid,
            "uri": format!("/2010-04-01/Accounts/{sid}.json") }))
        .into_response(),
        Err(refusal) => refusal.answer(),
    }
}

/// A request that is right in itself.
struct Request {
    /// Digits with country code.
    number: String,
    body: String,
    service: Option<String>,
    callback: Option<String>,
}

impl Request {
    fn read(form: &[(String, String)], account: &TwilioAccount) -> Result<Self, Refusal> {
        let field = |name: &str| {
            let found = form.iter().find(|field| field.0 == name).map(|field| field.1.as_str());
            found.filter(|value| !value.is_empty())
        };
        let to =
            field("To").ok_or_else(|| Refusal::new(21_604, "A 'To' phone number is required."))?;
        let is_number = to.strip_prefix('+').is_some_and(|digits| {
            (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        });
        if !is_number {
            let words = format!("Invalid 'To' Phone Number: {to}");
            return Err(Refusal::new(21_211, words));
        }
        let service = field("MessagingServiceSid");
        match (service, field("From")) {
            (Some(service), _) if service == account.sender => {}
            (Some(_), _) => {
                return Err(Refusal::new(21_705, "The Messaging Service SID is invalid."));
            }
            (None, Some(from)) if from == account.sender => {}
            (None, Some(from)) => {
                let words = format!("'{from}' is not a valid, SMS-capable sender of this account.");
                return Err(Refusal::new(21_606, words));
            }
            (None, None) => return Err(Refusal::new(21_603, "A 'From' phone number is required.")),
        }
        let body =
            field("Body").ok_or_else(|| Refusal::new(21_602, "Message body is required."))?;
        if body.chars().count() > MAX_TEXT {
            let words = "The concatenated message body exceeds the 1600 character limit.";
            return Err(Refusal::new(21_617, words));
        }
        let callback = field("StatusCallback");
        if callback.is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(Refusal::new(21_609, "The 'StatusCallback' URL is not a valid URL."));
        }
        Ok(Self {
            number: to.trim_start_matches('+').to_owned(),
            body: body.to_owned(),
            service: service.map(str::to_owned),
            callback: callback.map(str::to_owned),
        })
    }
}

async fn messages(
    State(sandbox): State<Sandbox>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match authorise(&sandbox, &headers, &sid) {
        Ok(account) => account,
        Err(refusal) => return refusal.answer(),
    };
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let kept = form.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
    let kept = Value::Object(kept.collect::<Map<_, _>>());
    let now = sandbox.now();
    let record = |phone: Option<&str>, message_id: Option<&str>, error_code: Option<u32>| {
        let sent = Sent {
            at_ms: now.as_ms(),
            account: account.id.clone(),
            phone: phone.map(str::to_owned),
            message_id: message_id.map(str::to_owned),
            error_code,
            body: kept.clone(),
        };
        sandbox.change(|memory| memory.record(body.len(), sent));
    };
    let request = match Request::read(&form, &account) {
        Ok(request) => request,
        Err(refusal) => {
            record(None, None, Some(refusal.code));
            return refusal.answer();
        }
    };
    if let Some((answer, code)) = refusing_fault(&sandbox, &request.number, now) {
        record(None, None, code);
        return answer;
    }
    let id = new_sid(&sandbox);
    record(Some(&request.number), Some(&id), None);
    accept(&sandbox, &account, request, id, now).await
}

/// A fault that keeps a good request from being taken: the answer and its code.
fn refusing_fault(
    sandbox: &Sandbox,
    number: &str,
    now: Timestamp,
) -> Option<(Response, Option<u32>)> {
    let refuse = |refusal: Refusal| {
        let code = refusal.code;
        Some((refusal.answer(), Some(code)))
    };
    if sandbox.is_full() {
        return refuse(Refusal::new(20_429, "Too Many Requests"));
    }
    sandbox.change(|memory| {
        let faults = &mut memory.faults;
        if faults.strike(FaultKind::Throttle, "twilio", &[number], now).is_some() {
            let left = faults.seconds_left(FaultKind::Throttle, now);
            return refuse(Refusal::new(20_429, "Too Many Requests").after(left));
        }
        if let Some(fault) = faults.strike(FaultKind::Refuse, "twilio", &[number], now) {
            let code = fault.code.unwrap_or(21_211);
            return refuse(Refusal::new(code, "Refused on request").with(fault.status));
        }
        let fault = faults.strike(FaultKind::NotJson, "twilio", &[number], now)?;
        Some((not_json(fault.status), None))
    })
}

/// Puts the message on its screen, lets its course begin, and answers.
async fn accept(
    sandbox: &Sandbox,
    account: &TwilioAccount,
    request: Request,
    id: String,
    now: Timestamp,
) -> Response {
    let number = request.number.as_str();
    let line = Line {
        id: &id,
        account: &account.id,
        side: Side::Office,
        text: &request.body,
        echo: request.callback.as_deref(),
        at: now,
    };
    let fate = sandbox.change(|memory| {
        memory.phones.show(number, line.bubble(), now);
        Fate::weigh(memory, "twilio", &[number], now, false)
    });
    let ending = fate.ending.clone();
    let status = if request.service.is_some() { "accepted" } else { "queued" };
    let view = view(account, &id, number, &request.body, status, now);
    let told = event::Told {
        account: account.clone(),
        sid: id,
        number: request.number.clone(),
        service: request.service,
        callback: request.callback,
    };
    event::start(sandbox, fate, told).await;
    if let Some(nothing) = ending.before_answer(sandbox).await {
        return nothing;
    }
    if let Some(status) = ending.status {
        return Refusal::new(20_500, "Internal Server Error").with(Some(status)).answer();
    }
    (StatusCode::CREATED, Json(view)).into_response()
}

/// A message as Twilio shows it.
fn view(
    account: &TwilioAccount,
    sid: &str,
    number: &str,
    body: &str,
    status: &str,
    at: Timestamp,
) -> Value {
    let is_service = account.sender.starts_with("MG");
    let written = at.utc().format("%a, %d %b %Y %H:%M:%S +0000").to_string();
    json!({
        "sid": sid,
        "account_sid": account.account_sid,
        "api_version": "2010-04-01",
        "to": format!("+{number}"),
        "from": if is_service { Value::Null } else { account.sender.clone().into() },
        "messaging_service_sid": if is_service { account.sender.clone().into() } else { Value::Null },
        "body": body,
        "status": status,
        "direction": "outbound-api",
        "num_segments": if is_service { "0".to_owned() } else { segments(body).to_string() },
        "num_media": "0",
        "error_code": null,
        "error_message": null,
        "date_created": written,
        "date_updated": written,
        "date_sent": null,
        "price": null,
        "price_unit": null,
        "uri": format!("/2010-04-01/Accounts/{}/Messages/{sid}.json", account.account_sid),
    })
}

/// Roughly how many SMS a text takes: whatever is not ASCII is counted in the wide writing.
fn segments(text: &str) -> usize {
    let (length, one, each) = if text.is_ascii() {
        (text.len(), 160, 153)
    } else {
        (text.encode_utf16().count(), 70, 67)
    };
    if length <= one { 1 } else { length.div_ceil(each) }
}

async fn message(
    State(sandbox): State<Sandbox>,
    Path((sid, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let account = match authorise(&sandbox, &headers, &sid) {
        Ok(account) => account,
        Err(refusal) => return refusal.answer(),
    };
    let id = file.strip_suffix(".json").unwrap_or(&file);
    sandbox.look(|memory| {
        let found = memory.phones.newest_first().find_map(|phone| {
            let bubble = phone.bubble(id).filter(|bubble| bubble.account == account.id)?;
            Some((phone.number.as_str(), bubble))
        });
        let Some((number, bubble)) = found else {
            let words = format!("The requested resource /Messages/{id}.json was not found");
            return Refusal::new(20_404, words).answer();
        };
        let status = match bubble.mark {
            Mark::Accepted => "queued",
            Mark::Sent => "sent",
            Mark::Delivered | Mark::Read => "delivered",
            Mark::Failed => "undelivered",
        };
        let at = Timestamp::from_ms(bubble.at_ms);
        let mut view = view(&account, id, number, &bubble.text, status, at);
        view["error_code"] = bubble.error_code.into();
        Json(view).into_response()
    })
}
