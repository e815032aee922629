//! Zenziva's console API, played locally under `/zenziva`.
//!
//! Every answer is HTTP 200 with a status inside, as there. It calls nobody: what becomes of a
//! message is seen on the phone alone, and citizens cannot write back.

use std::collections::HashMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::course::Fate;
use super::fault::FaultKind;
use super::{Bubble, Counterpart, Input, Mark, Sandbox, Sent, Side, WriteError, phone};

/// Sent to the same number too often.
const TOO_OFTEN: u32 = 89;
/// What every account has left.
const CREDIT: &str = "250000";

/// An account.
#[derive(Clone)]
pub struct ZenzivaAccount {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// User key.
    pub userkey: String,
    /// Pass key.
    pub passkey: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/zenziva/reguler/api/sendsms/", post(send))
        .route("/zenziva/api/balance/", get(balance))
}

type Form = HashMap<String, String>;

fn account(sandbox: &Sandbox, form: &Form) -> Option<ZenzivaAccount> {
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let is_it = |account: &&ZenzivaAccount| {
        given("userkey") == account.userkey && given("passkey") == account.passkey
    };
    let accounts = sandbox.0.settings.others.iter().filter_map(|other| match other {
        Counterpart::Zenziva(account) => Some(account),
        _ => None,
    });
    accounts.into_iter().find(is_it).cloned()
}

fn wrong_login() -> Response {
    axum::Json(json!({ "status": "5", "text": "Userkey / Passkey Salah" })).into_response()
}

async fn balance(State(sandbox): State<Sandbox>, RawQuery(query): RawQuery) -> Response {
    let form: Form = serde_urlencoded::from_str(&query.unwrap_or_default()).unwrap_or_default();
    if account(&sandbox, &form).is_none() {
        return wrong_login();
    }
    let answer = json!({
        "credit": CREDIT, "expired": "31 Desember 2099", "status": "1", "text": "Success",
    });
    axum::Json(answer).into_response()
}

/// Its documents show a form; JSON is taken as well.
fn read(headers: &HeaderMap, body: &[u8]) -> Form {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return serde_json::from_slice(body).unwrap_or_default();
    }
    serde_urlencoded::from_bytes(body).unwrap_or_default()
}

async fn send(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let form = read(&headers, &body);
    let Some(account) = account(&sandbox, &form) else { return wrong_login() };
    let to = form.get("to").map(String::as_str).unwrap_or_default();
    let text = form.get("message").cloned().unwrap_or_default();
    let refusal = match phone::digits(to) {
        Some(number) if !text.is_empty() => match refusing_fault(&sandbox, &number) {
            None => return accept(&sandbox, &account, body.len(), &form, number, text).await,
            Some(refusal) => refusal,
        },
        Some(_) => Refusal::Status(6),
        None => Refusal::Status(1),
    };
    record(&sandbox, &account, body.len(), &form, &Outcome::Refused(&refusal));
    refusal.answer()
}

/// How a request ends that is not accepted.
enum Refusal {
    /// With a status and its words.
    Status(u32),
    /// With a page of whatever stands before the service.
    Page(u16),
}

impl Refusal {
    fn answer(&self) -> Response {
        let words = match self {
            Self::Page(status) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
                let page = "<html><body><h1>Sorry, not now</h1></body></html>";
                return (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
            }
            // In JSON 1 is success, so that a bad number has to come in the older form.
            Self::Status(1) => {
                let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response>\n<message>\n\
                           <status>1</status>\n<text>Nomor tujuan tidak valid</text>\n</message>\n\
                           </response>";
                return ([(header::CONTENT_TYPE, "text/xml")], xml).into_response();
            }
            Self::Status(5) => return wrong_login(),
            Self::Status(6) => "Konten SMS ditolak",
            Self::Status(TOO_OFTEN) => "Pengiriman SMS berulang-ulang ke satu nomor",
            Self::Status(99) => "Credit tidak mencukupi",
            Self::Status(_) => "Error",
        };
        let Self::Status(status) = self else { return StatusCode::BAD_GATEWAY.into_response() };
        axum::Json(json!({ "status": status.to_string(), "text": words })).into_response()
    }
}

/// A fault that refuses this message. Zenziva itself knows too fast for one number only; too fast
/// for the whole account is what the web server before it says.
fn refusing_fault(sandbox: &Sandbox, number: &str) -> Option<Refusal> {
    let now = sandbox.now();
    let full = sandbox.is_full();
    sandbox.change(|memory| {
        let mut strike = |kind| memory.faults.strike(kind, "zenziva", &[number], now);
        if full || strike(FaultKind::Throttle).is_some() {
            return Some(Refusal::Page(429));
        }
        if strike(FaultKind::PairLimit).is_some() {
            return Some(Refusal::Status(TOO_OFTEN));
        }
        if let Some(fault) = strike(FaultKind::NotJson) {
            return Some(Refusal::Page(fault.status.unwrap_or(502)));
        }
        strike(FaultKind::Refuse).map(|fault| Refusal::Status(fault.code.unwrap_or(1)))
    })
}

/// What came of a request, as the log keeps it.
enum Outcome<'a> {
    Refused(&'a Refusal),
    Accepted { number: &'a str, id: &'a str },
}

fn record(
    sandbox: &Sandbox,
    account: &ZenzivaAccount,
    size: usize,
    form: &Form,
    outcome: &Outcome<'_>,
) {
    let fields = form.iter().filter(|(name, _)| *name != "passkey");
    let (number, id, error_code) = match outcome {
        Outcome::Accepted { number, id } => (Some(*number), Some(*id), None),
        Outcome::Refused(Refusal::Status(status)) => (None, None, Some(*status)),
        Outcome::Refused(Refusal::Page(status)) => (None, None, Some(u32::from(*status))),
    };
    let sent = Sent {
        at_ms: sandbox.now().as_ms(),
        account: account.id.clone(),
        phone: number.map(str::to_owned),
        message_id: id.map(str::to_owned),
        error_code,
        body: fields.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect(),
    };
    sandbox.change(|memory| memory.record(size, sent));
}

async fn accept(
    sandbox: &Sandbox,
    account: &ZenzivaAccount,
    size: usize,
    form: &Form,
    number: String,
    text: String,
) -> Response {
    let now = sandbox.now();
    let id = format!("{}{:06}", sandbox.0.seed % 1_000, sandbox.serial());
    record(sandbox, account, size, form, &Outcome::Accepted { number: &number, id: &id });
    let bubble = Bubble {
        id: id.clone(),
        at_ms: now.as_ms(),
        side: Side::Office,
        channel: "sms",
        account: account.id.clone(),
        kind: "text".to_owned(),
        header: None,
        text,
        footer: None,
        buttons: Vec::new(),
        menu: None,
        file: None,
        mark: Mark::Accepted,
        error_code: None,
        echo: None,
        is_by_number: true,
    };
    let fate = sandbox.change(|memory| {
        memory.phones.show(&number, bubble, now);
        Fate::weigh(memory, "zenziva", &[&number], now, false)
    });
    let ending = fate.ending.clone();
    let (own, sent_id) = (sandbox.clone(), id.clone());
    fate.start(sandbox, move |step| {
        let code = step.error_code(99);
        own.change(|memory| memory.phones.mark(&number, &sent_id, step.mark(), code));
        async {}
    })
    .await;
    if let Some(nothing) = ending.before_answer(sandbox).await {
        return nothing;
    }
    if let Some(status) = ending.status {
        return Refusal::Page(status).answer();
    }
    let to = form.get("to").cloned().unwrap_or_default();
    let answer = json!({ "messageId": id, "to": to, "status": "1", "text": "Success" });
    axum::Json(answer).into_response()
}

/// Nobody can write to it: its senders are names.
pub(super) fn write(
    _sandbox: &Sandbox,
    _account: &ZenzivaAccount,
    _number: &str,
    _input: Input,
) -> Result<String, WriteError> {
    Err(WriteError::UnknownAccount)
}
