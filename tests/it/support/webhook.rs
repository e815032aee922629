//! Webhooks as Meta posts them: entries, changes, escaped letters, and the signature over it all.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use super::meta::Request;

/// What the accounts of the tests sign with.
pub const APP_SECRET: &str = "a secret of the test app";
/// What proves their subscription.
pub const VERIFY_TOKEN: &str = "a word of the test";
/// The number of the first account.
pub const NUMBER_ID: &str = "106540352242922";

/// A body of one change with those messages and statuses.
pub fn body(messages: &[Value], statuses: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398",
           "changes": [change(messages, statuses)]}]})
}

/// One change of the field `messages`.
pub fn change(messages: &[Value], statuses: &[Value]) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "622112345678", "phone_number_id": NUMBER_ID},
    });
    if !messages.is_empty() {
        value["contacts"] = messages
            .iter()
            .map(|message| {
                json!({"profile": {"name": "Warga"}, "wa_id": message["from"],
                       "user_id": message["from_user_id"]})
            })
            .collect();
        value["messages"] = messages.into();
    }
    if !statuses.is_empty() {
        value["statuses"] = statuses.into();
    }
    json!({"field": "messages", "value": without_nulls(value)})
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, inner)| !inner.is_null())
            .map(|(name, inner)| (name, without_nulls(inner)))
            .collect(),
        Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// Somebody writes from a number, `6281…` as Meta has it.
pub fn text(id: &str, from: &str, words: &str, at: i64) -> Value {
    json!({"id": id, "from": from.trim_start_matches('+'), "timestamp": at.to_string(),
           "type": "text", "text": {"body": words}})
}

/// Somebody presses a button of an interactive message.
pub fn pressed(id: &str, from: &str, choice: &(String, String), at: i64) -> Value {
    json!({"id": id, "from": from.trim_start_matches('+'), "timestamp": at.to_string(),
           "type": "interactive", "interactive": {"type": "button_reply",
           "button_reply": {"id": choice.0, "title": choice.1}}})
}

/// Somebody presses a quick reply below a template.
pub fn quick_reply(id: &str, from: &str, payload: &str, title: &str, at: i64) -> Value {
    json!({"id": id, "from": from.trim_start_matches('+'), "timestamp": at.to_string(),
           "type": "button", "button": {"payload": payload, "text": title}})
}

/// A word about a message that was taken.
pub fn status(about: &Request, kind: &str, at: i64) -> Value {
    let id = about.id.as_deref().expect("only what was taken has receipts");
    json!({"id": id, "status": kind, "timestamp": at.to_string(),
           "recipient_id": about.to().trim_start_matches('+'),
           "biz_opaque_callback_data": about.echo(),
           "pricing": {"billable": true, "pricing_model": "PMP", "category": "utility"}})
}

/// The word that a message that was taken could not be brought.
pub fn failed(about: &Request, code: i64, at: i64) -> Value {
    let mut status = status(about, "failed", at);
    status["errors"] = json!([{"code": code, "title": "as the test asked"}]);
    status
}

/// The bytes Meta signs: everything beyond ASCII escaped, in lower case.
pub fn escaped(body: &Value) -> Vec<u8> {
    let mut text = String::new();
    for unit in body.to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => write!(text, "\\u{unit:04x}").unwrap(),
        }
    }
    text.into_bytes()
}

/// The header that goes with those bytes.
pub fn signature(secret: &str, bytes: &[u8]) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    format!("sha256={}", hex::encode(mac.chain_update(bytes).finalize().into_bytes()))
}
