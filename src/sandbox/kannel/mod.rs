//! Kannel's `sendsms`, played locally under `/kannel`, as smsbox 1.4.5 answers.
//!
//! Gives no message ids and signs nothing. Receipts go to the address that the request names, with
//! its escapes filled, and citizens' messages to the address of the user's `sms-service`: each once,
//! for Kannel does not call again when nobody takes them.

mod address;

use std::collections::HashMap;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::Value;

use super::course::{Fate, Step};
use super::fault::FaultKind;
use super::post::Parcel;
use super::{Bubble, Counterpart, Input, Mark, Sandbox, Sent, Side, WriteError, phone};
use crate::domain::gsm7::is_gsm7;

const DENIED: &str = "Number(s) has/have been denied by white- and/or black-lists.";
/// The longest text of one message.
const MAX_TEXT: usize = 4_096;

/// A `sendsms` user.
#[derive(Clone)]
pub struct KannelUser {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
    /// The number or name it sends from.
    pub sender: String,
    /// Where messages to its number go: the beginning of a `get-url`, with the secret in its query
    /// (`…/mo?s=…`) where the receiver wants one.
    pub inbound_url: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new().route("/kannel/cgi-bin/sendsms", get(sendsms))
}

type Query = HashMap<String, String>;

/// A reply of smsbox: status and words.
type Reply = (u16, &'static str);

async fn sendsms(State(sandbox): State<Sandbox>, RawQuery(raw): RawQuery) -> Response {
    let raw = raw.unwrap_or_default();
    let query: Query = serde_urlencoded::from_str(&raw).unwrap_or_default();
    let users = sandbox.0.settings.others.iter().filter_map(|other| match other {
        Counterpart::Kannel(user) => Some(user),
        _ => None,
    });
    let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let user = users
        .clone()
        .find(|user| given("username") == user.username && given("password") == user.password);
    let Some(user) = user else {
        return reply((403, "Authorization failed for sendsms"));
    };
    let user = user.clone();
    let number = match checked(&query) {
        Ok(number) => number,
        Err(refusal) => return refuse(&sandbox, &user, raw.len(), &query, refusal),
    };
    if let Some(refusal) = refusing_fault(&sandbox, &number) {
        return refuse(&sandbox, &user, raw.len(), &query, refusal);
    }
    accept(&sandbox, &user, raw.len(), &query, number).await
}

/// The number it goes to; looked at in Kannel's order.
fn checked(query: &Query) -> Result<String, Reply> {
    let to = query.get("to").ok_or((400, "Missing receiver number, rejected"))?.trim();
    if to.is_empty() {
        return Err((400, "Empty receiver number not allowed, rejected"));
    }
    if !to.chars().all(|c| c.is_ascii_digit() || c == '+') {
        return Err((400, DENIED));
    }
    let field = |name: &str| query.get(name).map(String::as_str);
    if field("dlr-mask").is_some_and(|mask| mask.parse::<u32>().is_err()) {
        return Err((400, "DLR-Mask field misformed, rejected"));
    }
    if field("validity").is_some_and(|minutes| minutes.parse::<u32>().is_err()) {
        return Err((400, "Validity field misformed, rejected"));
    }
    if field("coding").is_some_and(|coding| !matches!(coding, "0" | "1" | "2")) {
        return Err((400, "Coding field misformed, rejected"));
    }
    phone::digits(to).ok_or((400, DENIED))
}

/// A fault that refuses this message. 503 stands for being too fast, which Kannel has no word for.
fn refusing_fault(sandbox: &Sandbox, number: &str) -> Option<Reply> {
    let now = sandbox.now();
    let full = sandbox.is_full();
    sandbox.change(|memory| {
        let mut strike = |kind| memory.faults.strike(kind, "kannel", &[number], now);
        if full || strike(FaultKind::Throttle).is_some() {
            return Some((503, "Temporal failure, try again later."));
        }
        if let Some(fault) = strike(FaultKind::NotJson) {
            return Some((fault.status.unwrap_or(502), "<html><h1>Bad Gateway</h1></html>"));
        }
        strike(FaultKind::Refuse).map(|fault| match fault.code {
            Some(401 | 403) => (403, "Authorization failed for sendsms"),
            Some(503) => (503, "Temporal failure, try again later."),
            _ => (400, DENIED),
        })
    })
}

fn reply((status, words): Reply) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(header::CONTENT_TYPE, "text/html")], words).into_response()
}

/// What the log shows of a request: everything but the password.
fn shown(query: &Query) -> Value {
    query
        .iter()
        .filter(|(name, _)| *name != "password")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn refuse(
    sandbox: &Sandbox,
    user: &KannelUser,
    size: usize,
    query: &Query,
    refusal: Reply,
) -> Response {
    let sent = Sent {
        at_ms: sandbox.now().as_ms(),
        account: user.id.clone(),
        phone: None,
        message_id: None,
        error_code: Some(refusal.0.into()),
        body: shown(query),
    };
    sandbox.change(|memory| memory.record(size, sent));
    reply(refusal)
}

/// What is known of an accepted message.
#[derive(Clone)]
struct Course {
    id: String,
    number: String,
    from: String,
    dlr_url: String,
    mask: u32,
}

async fn accept(
    sandbox: &Sandbox,
    user: &KannelUser,
    size: usize,
    query: &Query,
    number: String,
) -> Response {
    let field = |name: &str| query.get(name).cloned().unwrap_or_default();
    let course = Course {
        id: smsc_id(sandbox),
        number,
        from: query.get("from").cloned().unwrap_or_else(|| user.sender.clone()),
        dlr_url: field("dlr-url"),
        mask: field("dlr-mask").parse().unwrap_or_default(),
    };
    let text = as_shown(&field("text"), &field("coding"));
    let now = sandbox.now();
    let fate = sandbox.change(|memory| {
        let sent = Sent {
            at_ms: now.as_ms(),
            account: user.id.clone(),
            phone: Some(course.number.clone()),
            message_id: Some(course.id.clone()),
            error_code: None,
            body: shown(query),
        };
        memory.record(size, sent);
        let bubble = Bubble {
            echo: echo(&course.dlr_url),
            ..bubble(Side::Office, &course.id, user, text, now.as_ms())
        };
        memory.phones.show(&course.number, bubble, now);
        Fate::weigh(memory, "kannel", &[&course.number], now, false)
    });
    let ending = fate.ending.clone();
    let own = sandbox.clone();
    fate.start(sandbox, move |step| {
        let (own, course) = (own.clone(), course.clone());
        async move { take(&own, &course, step).await }
    })
    .await;
    if let Some(nothing) = ending.before_answer(sandbox).await {
        return nothing;
    }
    match ending.status {
        Some(status) => reply((status, "Internal Server Error")),
        None => reply((202, "0: Accepted for delivery")),
    }
}

fn bubble(side: Side, id: &str, user: &KannelUser, text: String, at_ms: i64) -> Bubble {
    Bubble {
        id: id.to_owned(),
        at_ms,
        side,
        channel: "sms",
        account: user.id.clone(),
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
    }
}

/// In the default alphabet Kannel puts a question mark for what it does not have.
fn as_shown(text: &str, coding: &str) -> String {
    if coding == "2" {
        return text.to_owned();
    }
    let mut utf8 = [0; 4];
    text.chars().map(|c| if is_gsm7(c.encode_utf8(&mut utf8)) { c } else { '?' }).collect()
}

/// Our side's id of a message, if it stands in the address of the receipts.
fn echo(dlr_url: &str) -> Option<String> {
    let at = dlr_url.find("msg_")?;
    let id: String = dlr_url[at..].chars().take(30).collect();
    id[4..].chars().all(|c| c.is_ascii_alphanumeric()).then_some(id).filter(|id| id.len() == 30)
}

/// An id of the form an SMSC gives.
fn smsc_id(sandbox: &Sandbox) -> String {
    format!("{:04X}{:08X}", sandbox.0.seed >> 48, sandbox.serial())
}

async fn take(sandbox: &Sandbox, course: &Course, step: Step) {
    let code = step.error_code(11);
    sandbox.change(|memory| memory.phones.mark(&course.number, &course.id, step.mark(), code));
    let (kind, answer) = match step {
        Step::Sent => (8, "ACK/".to_owned()),
        Step::Delivered => (1, receipt(&course.id, "DELIVRD", 0)),
        // Nobody hears of it when an SMS is read.
        Step::Read => return,
        Step::Failed { code: Some(16) } => {
            (16, "NACK/0x0000000b/Invalid Destination Address".to_owned())
        }
        Step::Failed { .. } => (2, receipt(&course.id, "UNDELIV", code.unwrap_or_default())),
    };
    if course.dlr_url.is_empty() || course.mask & kind == 0 {
        return;
    }
    let seconds = sandbox.now().as_ms() / 1_000;
    let id = if kind == 16 { "" } else { course.id.as_str() };
    let url = address::filled(&course.dlr_url, |escape| {
        Some(match escape {
            'd' => kind.to_string(),
            'A' => answer.clone(),
            'F' => id.to_owned(),
            'T' => seconds.to_string(),
            'i' => "SANDBOX".to_owned(),
            'p' => format!("+{}", course.number),
            'P' => course.from.clone(),
            _ => return None,
        })
    });
    call(sandbox, url).await;
}

/// A receipt as SMSCs write it, with the beginning of the message left out.
fn receipt(id: &str, stat: &str, err: u32) -> String {
    let dlvrd = u8::from(stat == "DELIVRD");
    format!("id:{id} sub:001 dlvrd:{dlvrd:03} stat:{stat} err:{err:03} text:")
}

/// Calls an address once, or twice where a fault wants it. Whether it was taken.
async fn call(sandbox: &Sandbox, url: String) -> bool {
    let now = sandbox.now();
    let parcel = Parcel { method: Method::GET, url, headers: Vec::new(), body: Vec::new() };
    let taken = sandbox.0.post.post(&parcel).await;
    let again = sandbox
        .change(|memory| memory.faults.strike(FaultKind::DuplicateWebhook, "kannel", &[], now));
    if again.is_some() {
        return sandbox.0.post.post(&parcel).await || taken;
    }
    taken
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    sandbox: &Sandbox,
    user: &KannelUser,
    number: &str,
    input: Input,
) -> Result<String, WriteError> {
    if sandbox.is_full() {
        return Err(WriteError::Busy);
    }
    let text = match input {
        Input::Text(text) => text,
        // There is nothing to press in an SMS, and nothing else to send.
        Input::Press { .. } => return Err(WriteError::NoSuchButton),
        Input::Raw(_) => return Err(WriteError::BadText),
    };
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        return Err(WriteError::BadText);
    }
    let now = sandbox.now();
    let id = format!("{:08x}-0000-4000-8000-{:012x}", sandbox.0.seed >> 32, sandbox.serial());
    let url = address::inbound(user, number, &text, &id, now.as_ms() / 1_000);
    let line = sandbox.change(|memory| {
        memory.phones.show(number, bubble(Side::Citizen, &id, user, text, now.as_ms()), now);
        memory.phones.get(number).map(|phone| phone.line.clone()).ok_or(WriteError::Busy)
    })?;
    let (own, sent_id, number) = (sandbox.clone(), id.clone(), number.to_owned());
    sandbox.later(async move {
        let _in_order = line.lock().await;
        own.change(|memory| memory.phones.mark(&number, &sent_id, Mark::Sent, None));
        let mark = if call(&own, url).await { Mark::Delivered } else { Mark::Failed };
        own.change(|memory| memory.phones.mark(&number, &sent_id, mark, None));
    });
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_alphabet_loses_what_it_does_not_have() {
        assert_eq!(as_shown("{€ “Ж”", "0"), "{€ ???");
        assert_eq!(as_shown("“Ж”", "2"), "“Ж”");
    }

    #[test]
    fn our_id_is_found_where_it_travels() {
        let id = "msg_01KAHV6R00ABCDEFGHJKMNPQRS";
        assert_eq!(echo(&format!("http://x/dlr?m={id}&s=1")).as_deref(), Some(id));
        assert_eq!(echo("http://x/dlr?m=msg_01"), None);
        assert_eq!(echo(""), None);
    }
}
