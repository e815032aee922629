//! Meta's WhatsApp Cloud API, played locally: the Graph routes a business calls.
//!
//! Takes a request through the same doors in the same order as Meta: token, number, form,
//! window, pair rate (`rule.rs`). What then happens to the message is `course.rs`, what citizens
//! do is `citizen.rs`. Strict where Meta is strict: a request that passes here should pass there.

mod citizen;
mod course;
mod event;
mod lookup;
mod media;
mod part;
mod refusal;
mod request;
mod rule;
mod template;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::course::Ending;
use super::{Bubble, Mark, Sandbox, Sent, Side};
use refusal::Refusal;
use request::{Request, To};
use rule::Verdict;

pub(super) use citizen::{read, write};
pub(super) use event::Batches;
#[cfg(test)]
pub(super) use event::{escape, signature};
pub use template::Template;

/// How long "is typing" stands.
const TYPING_MS: i64 = 25_000;

/// A business number, and where Meta would post its events.
#[derive(Clone)]
pub struct WhatsappAccount {
    /// Meta's id of the number.
    pub phone_number_id: String,
    /// Meta's id of the business account it belongs to.
    pub waba_id: String,
    /// The token its requests carry.
    pub access_token: String,
    /// The secret its webhooks are signed with.
    pub app_secret: String,
    /// Where signed webhooks go.
    pub webhook_url: String,
    /// The number itself, as people write it: `+62 …`.
    pub display_phone_number: String,
    /// The name shown above a chat.
    pub label: String,
}

impl WhatsappAccount {
    fn digits(&self) -> String {
        self.display_phone_number.chars().filter(char::is_ascii_digit).collect()
    }

    /// The calling code at the beginning of its number.
    fn country(&self) -> String {
        let digits = self.digits();
        let length = match digits.as_bytes() {
            [b'1' | b'7', ..] => 1,
            [b'2', b'0' | b'7', ..]
            | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
            | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
            | [b'5', b'1'..=b'8', ..]
            | [b'6', b'0'..=b'6', ..]
            | [b'8', b'1' | b'2' | b'4' | b'6', ..]
            | [b'9', b'0'..=b'5' | b'8', ..] => 2,
            _ => 3,
        };
        digits.chars().take(length).collect()
    }
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/{version}/{id}/messages", post(messages))
        .merge(lookup::routes())
        .merge(media::routes())
}

/// The token of a request.
fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The account with which the request may do something, chosen among those of its token.
fn authorise<'a>(
    sandbox: &'a Sandbox,
    headers: &HeaderMap,
    id: &str,
    has_id: impl Fn(&WhatsappAccount) -> bool,
) -> Result<&'a WhatsappAccount, Refusal> {
    let token = token(headers).ok_or_else(Refusal::bad_token)?;
    let mut own =
        sandbox.0.settings.accounts.iter().filter(|account| account.access_token == token);
    let first = own.next().ok_or_else(Refusal::bad_token)?;
    std::iter::once(first)
        .chain(own)
        .find(|account| has_id(account))
        .ok_or_else(|| Refusal::unknown_object(id))
}

async fn messages(
    State(sandbox): State<Sandbox>,
    Path((_version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match authorise(&sandbox, &headers, &id, |account| account.phone_number_id == id)
    {
        Ok(account) => account.clone(),
        Err(refusal) => return refusal.answer(sandbox.serial()),
    };
    let Ok(json) = serde_json::from_slice::<Value>(&body) else {
        let raw = Value::from(String::from_utf8_lossy(&body).into_owned());
        let refusal = Refusal::new(100, "The request body is not valid JSON.");
        return refuse(&sandbox, &account, body.len(), raw, &refusal);
    };
    if json.get("status").is_some() {
        return match mark_read(&sandbox, &account, &json) {
            Ok(()) => axum::Json(json!({ "success": true })).into_response(),
            Err(refusal) => refusal.answer(sandbox.serial()),
        };
    }
    match request::read(&json, &account.country()) {
        Ok(request) => send(&sandbox, &account, body.len(), json, request).await,
        Err(refusal) => refuse(&sandbox, &account, body.len(), json, &refusal),
    }
}

/// Records and answers a request that is not accepted.
fn refuse(
    sandbox: &Sandbox,
    account: &WhatsappAccount,
    size: usize,
    body: Value,
    refusal: &Refusal,
) -> Response {
    let sent = Sent {
        at_ms: sandbox.now().as_ms(),
        account: account.phone_number_id.clone(),
        phone: None,
        message_id: None,
        error_code: Some(refusal.code),
        body,
    };
    sandbox.change(|memory| memory.record(size, sent));
    refusal.answer(sandbox.serial())
}

async fn send(
    sandbox: &Sandbox,
    account: &WhatsappAccount,
    size: usize,
    body: Value,
    request: Request,
) -> Response {
    let answer_to = match &request.to {
        To::Number { input, .. } | To::User(input) => input.clone(),
    };
    let verdict = sandbox.change(|memory| rule::judge(sandbox, memory, account, request));
    let course = match verdict {
        Verdict::Accepted(course) => *course,
        Verdict::Refused(refusal) => return refuse(sandbox, account, size, body, &refusal),
        Verdict::NotJson(status) => {
            let sent = Sent {
                at_ms: sandbox.now().as_ms(),
                account: account.phone_number_id.clone(),
                phone: None,
                message_id: None,
                error_code: None,
                body,
            };
            sandbox.change(|memory| memory.record(size, sent));
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let page = "<html><body><h1>Sorry, something went wrong.</h1></body></html>";
            return (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
        }
    };
    let sent = Sent {
        at_ms: sandbox.now().as_ms(),
        account: account.phone_number_id.clone(),
        phone: Some(course.number.clone()),
        message_id: Some(course.message_id.clone()),
        error_code: None,
        body,
    };
    sandbox.change(|memory| memory.record(size, sent));
    let ending = course.fate.ending.clone();
    let mut answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": answer_to }],
        "messages": [{ "id": course.message_id }],
    });
    if course.is_by_number {
        answer["contacts"][0]["wa_id"] = course.number.clone().into();
    } else {
        answer["contacts"][0]["user_id"] = answer_to.into();
    }
    if course.template_category.is_some() {
        answer["messages"][0]["message_status"] = "accepted".into();
    }
    course::start(sandbox, account, course).await;
    end(sandbox, ending, answer).await
}

/// Answers an accepted request the way the faults in force want it.
async fn end(sandbox: &Sandbox, ending: Ending, answer: Value) -> Response {
    if let Some(nothing) = ending.before_answer(sandbox).await {
        return nothing;
    }
    if let Some(status) = ending.status {
        let mut answer = Refusal::new(131_000, "Something went wrong.").answer(sandbox.serial());
        *answer.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return answer;
    }
    axum::Json(answer).into_response()
}

/// An id of the form Meta gives: it holds the other side's number and a random part.
fn message_id(sandbox: &Sandbox, number: &str, is_outbound: bool) -> String {
    let serial = format!("{:08X}{:010X}", sandbox.0.seed >> 32, sandbox.serial());
    let mut bytes = vec![0x1c, 0x18, u8::try_from(number.len()).unwrap_or(0)];
    bytes.extend_from_slice(number.as_bytes());
    bytes.extend_from_slice(&[0x15, 0x02, 0x00, if is_outbound { 0x11 } else { 0x12 }, 0x18]);
    bytes.push(u8::try_from(serial.len()).unwrap_or(0));
    bytes.extend_from_slice(serial.as_bytes());
    bytes.push(0);
    format!("wamid.{}", STANDARD.encode(bytes))
}

/// Blue ticks on the citizen's message, and "is typing" if asked for.
fn mark_read(sandbox: &Sandbox, account: &WhatsappAccount, body: &Value) -> Result<(), Refusal> {
    if body.get("status").and_then(Value::as_str) != Some("read") {
        return Err(Refusal::new(131_009, "Param status must be 'read'."));
    }
    let id = body
        .get("message_id")
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::new(131_008, "Parameter message_id is missing."))?;
    let is_typing = body.get("typing_indicator").is_some();
    let until = sandbox.now().as_ms() + TYPING_MS;
    sandbox.change(|memory| {
        let is_it = |bubble: &Bubble| {
            bubble.side == Side::Citizen
                && bubble.id == id
                && bubble.account == account.phone_number_id
        };
        let number = memory
            .phones
            .newest_first()
            .find(|phone| phone.bubbles.iter().rev().any(is_it))
            .map(|phone| phone.number.clone())
            .ok_or_else(|| Refusal::new(131_009, "There is no message of that id."))?;
        if let Some(phone) = memory.phones.get_mut(&number) {
            for bubble in phone.bubbles.iter_mut().filter(|bubble| is_it(bubble)) {
                bubble.mark = Mark::Read;
            }
            if is_typing {
                phone.typing_until_ms = until;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calling_code_is_read_off_the_number() {
        let account = |number: &str| WhatsappAccount {
            phone_number_id: String::new(),
            waba_id: String::new(),
            access_token: String::new(),
            app_secret: String::new(),
            webhook_url: String::new(),
            display_phone_number: number.to_owned(),
            label: String::new(),
        };
        for (number, code) in
            [("+62 321-000000", "62"), ("+1 555", "1"), ("+670 77", "670"), ("", "")]
        {
            assert_eq!(account(number).country(), code);
        }
    }
}
