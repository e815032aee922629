//! What Twilio posts to us: checks the signature over our public address and the form, keeps what
//! happened, reads it.
//!
//! `…/status` takes the callbacks of our messages, with our id in the query; `…/inbound` is the
//! address that the office gives Twilio for messages to its number. Nothing is answered by Twilio
//! itself: the reply is an empty set of instructions.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::codes;
use crate::channel::http_call::cut;
use crate::channel::sms::address::writer;
use crate::channel::{
    Event, Fault, HookAnswer, HookRefusal, HookRequest, Inbound, InboundBody, RawEvent, RawKind,
    Receipt,
};
use crate::domain::clock::Timestamp;
use crate::domain::message::{MessageText, ReceiptKind};
use crate::domain::outbound::Recipient;
use crate::domain::redact::redact;

/// Instructions to do nothing.
const NOTHING: &str = "<Response/>";

/// An event as it is stored.
#[derive(Debug, Serialize, Deserialize)]
enum Stored {
    /// Somebody wrote; without text it was a picture.
    #[serde(rename = "message")]
    Message { from: String, at_ms: i64, text: Option<String> },
    /// A word about a message of ours.
    #[serde(rename = "receipt")]
    Receipt { id: Option<String>, sid: String, status: String, code: Option<i64>, at_ms: i64 },
}

/// Names and values, in the order in which they came.
type Form = Vec<(String, String)>;

/// Twilio posts one event.
pub(super) fn receive(token: &str, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
    if !matches!(request.tail, "status" | "inbound") {
        return Err(HookRefusal::NotFound);
    }
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let signature = header("x-twilio-signature").ok_or(HookRefusal::Unsigned)?;
    let query: Form = serde_urlencoded::from_str(request.query).unwrap_or_default();
    let is_json = header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let form = if is_json {
        // The signature covers the address alone; the address names the digest of the body.
        let digest = field(&query, "bodySHA256").unwrap_or_default();
        if !has_digest(request.body, digest)
            || !is_signed(token, request.url, &Form::new(), signature)
        {
            return Err(HookRefusal::Unsigned);
        }
        fields_of_json(request.body)
    } else {
        let form: Form =
            serde_urlencoded::from_bytes(request.body).map_err(|_| HookRefusal::Unsigned)?;
        if *request.method != http::Method::POST || !is_signed(token, request.url, &form, signature)
        {
            return Err(HookRefusal::Unsigned);
        }
        form
    };
    if request.tail == "status" {
        let event = status_event(&form, field(&query, "m"), request.now);
        return Ok(HookAnswer::quiet(vec![event]));
    }
    let events = vec![inbound_event(&form, request.now)];
    Ok(HookAnswer { events, content_type: Some("text/xml"), body: NOTHING.to_owned() })
}

/// Whether `signature` (base64) is that of the address and the form; in constant time. Twilio signs
/// an address now with its port and now without, so both count.
#[must_use]
pub fn is_signed(token: &str, url: &str, form: &[(String, String)], signature: &str) -> bool {
    let Ok(expected) = STANDARD.decode(signature) else { return false };
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in form {
        sorted.entry(name).or_default().insert(value);
    }
    let is_of = |url: &str| {
        Hmac::<Sha1>::new_from_slice(token.as_bytes()).is_ok_and(|mut mac| {
            mac.update(url.as_bytes());
            for (name, values) in &sorted {
                for value in values {
                    mac.update(name.as_bytes());
                    mac.update(value.as_bytes());
                }
            }
            mac.verify_slice(&expected).is_ok()
        })
    };
    writings(url).iter().any(|url| is_of(url))
}

/// An address as it is, without its port, and with the port its scheme implies.
fn writings(url: &str) -> Vec<String> {
    let mut writings = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return writings };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            writings.push(format!("{scheme}://{bare}{path}"));
        }
        _ => {
            let port = if scheme == "http" { 80 } else { 443 };
            writings.push(format!("{scheme}://{host}:{port}{path}"));
        }
    }
    writings
}

/// Whether `digest` (hex) is the SHA-256 of exactly these bytes.
#[must_use]
pub fn has_digest(raw: &[u8], digest: &str) -> bool {
    let Ok(expected) = hex::decode(digest) else { return false };
    Sha256::digest(raw).as_slice().ct_eq(&expected).into()
}

fn fields_of_json(raw: &[u8]) -> Form {
    let Ok(Value::Object(fields)) = serde_json::from_slice(raw) else { return Form::new() };
    fields
        .into_iter()
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            _ => None,
        })
        .collect()
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
}

/// A callback about a message of ours; `m` is our id out of the address.
#[must_use]
pub fn status_event(form: &[(String, String)], m: Option<&str>, now: Timestamp) -> RawEvent {
    let sid = field(form, "MessageSid").or_else(|| field(form, "SmsSid")).unwrap_or_default();
    let status =
        field(form, "MessageStatus").or_else(|| field(form, "SmsStatus")).unwrap_or_default();
    if sid.is_empty() || kind_of(status).is_none() {
        return other(form);
    }
    let (sid, status) = (cut(sid, 64).to_owned(), status.to_owned());
    let code = field(form, "ErrorCode").and_then(|code| code.trim().parse().ok());
    let id = m.map(|m| cut(m, 64).to_owned());
    let key = format!("s:{sid}:{status}");
    let stored = Stored::Receipt { id, sid, status, code, at_ms: now.as_ms() };
    event(key, RawKind::Receipt, &stored).unwrap_or_else(|| other(form))
}

/// A message that came to our number.
#[must_use]
pub fn inbound_event(form: &[(String, String)], now: Timestamp) -> RawEvent {
    let Some(from) = field(form, "From").and_then(writer) else { return other(form) };
    let sid = field(form, "MessageSid").or_else(|| field(form, "SmsMessageSid"));
    let sid = sid.map_or_else(|| digest(form), |sid| cut(sid, 64).to_owned());
    let text = field(form, "Body").filter(|text| !text.is_empty());
    let text = text.map(|text| redact(text).text);
    let stored = Stored::Message { from: from.expose().to_owned(), at_ms: now.as_ms(), text };
    event(format!("m:{sid}"), RawKind::Message, &stored).unwrap_or_else(|| other(form))
}

fn event(key: String, kind: RawKind, stored: &Stored) -> Option<RawEvent> {
    let payload = serde_json::to_string(stored).ok()?;
    Some(RawEvent { key, kind, provider_id: None, sought: None, payload })
}

/// What nobody needs to act upon: kept, without numbers that a citizen may have typed.
fn other(form: &[(String, String)]) -> RawEvent {
    let kept: Vec<(&str, String)> =
        form.iter().map(|(name, value)| (cut(name, 64), redact(value).text)).collect();
    let payload = serde_json::to_string(&kept).unwrap_or_default();
    let key = format!("o:{}", digest(form));
    RawEvent { key, kind: RawKind::Other, provider_id: None, sought: None, payload }
}

fn digest(form: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    for (name, value) in form {
        for part in [name, value] {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hex::encode(hash.finalize())
}

/// What a state of a message is to us; those on the way to `sent` are nothing.
fn kind_of(status: &str) -> Option<ReceiptKind> {
    match status {
        "sent" => Some(ReceiptKind::Sent),
        "delivered" => Some(ReceiptKind::Delivered),
        "read" => Some(ReceiptKind::Read),
        "undelivered" | "failed" | "canceled" => Some(ReceiptKind::Failed),
        _ => None,
    }
}

/// Reads a stored event. Whatever does not fit any form we know is [`Event::Other`].
#[must_use]
pub fn read(payload: &str) -> Event {
    match serde_json::from_str(payload) {
        Ok(Stored::Message { from, at_ms, text }) => match writer(&from) {
            Some(phone) => Event::Message(Inbound {
                from: Recipient::of_phone(phone),
                sent_at: Timestamp::from_ms(at_ms),
                body: text.map_or(InboundBody::Unreadable, |text| {
                    InboundBody::Text(MessageText::new(text))
                }),
            }),
            None => Event::Other,
        },
        Ok(Stored::Receipt { id, sid, status, code, at_ms }) => {
            let Some(kind) = kind_of(&status) else { return Event::Other };
            let fault = match (kind, status.as_str(), code) {
                (ReceiptKind::Failed, "canceled", None) => {
                    Some(Fault::new("canceled", "the message was cancelled at Twilio"))
                }
                (ReceiptKind::Failed, _, code) => Some(codes::failure(code)),
                _ => None,
            };
            Event::Receipt(Receipt {
                message: id.and_then(|id| id.parse().ok()),
                provider_message_id: sid,
                kind,
                happened_at: Timestamp::from_ms(at_ms),
                fault,
            })
        }
        Err(_) => Event::Other,
    }
}

#[cfg(test)]
mod tests;
