//! What Meta posts to us: checks the signature, cuts a body into its events, reads an event.
//!
//! A body may hold a thousand updates of many kinds; each becomes an event of its own, and what
//! is not understood is kept all the same, because Meta has no history to ask again.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{codes, limit, template};
use crate::channel::{
    Event, Fault, HookAnswer, HookRefusal, HookRequest, Inbound, InboundBody, RawEvent, RawKind,
    Receipt,
};
use crate::domain::clock::Timestamp;
use crate::domain::message::{MessageText, ReceiptKind};
use crate::domain::outbound::{Bsuid, Recipient};
use crate::domain::phone::PhoneNumber;
use crate::domain::redact::{redact, redact_digits};

/// Meta asks whether the address is meant (GET), or tells what happened (POST).
pub(super) fn receive(
    app_secret: &str,
    verify_token: &str,
    request: &HookRequest<'_>,
) -> Result<HookAnswer, HookRefusal> {
    if !request.tail.is_empty() {
        return Err(HookRefusal::NotFound);
    }
    if *request.method == http::Method::GET {
        let query: HashMap<String, String> =
            serde_urlencoded::from_str(request.query).map_err(|_| HookRefusal::Forbidden)?;
        let part = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let is_meant = part("hub.mode") == "subscribe"
            && bool::from(verify_token.as_bytes().ct_eq(part("hub.verify_token").as_bytes()));
        if !is_meant {
            return Err(HookRefusal::Forbidden);
        }
        // The challenge goes back word for word to whoever knows the token.
        let body = part("hub.challenge").to_owned();
        return Ok(HookAnswer { content_type: Some("text/plain"), body, ..HookAnswer::default() });
    }
    let header = request.headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    if !is_signed(app_secret, request.body, header.unwrap_or_default()) {
        return Err(HookRefusal::Unsigned);
    }
    Ok(HookAnswer::quiet(split(request.body)))
}

/// Whether `header` (`sha256=<hex>`) is the signature of exactly these bytes; in constant time.
#[must_use]
pub fn is_signed(app_secret: &str, raw: &[u8], header: &str) -> bool {
    let Some(hex_digest) = header.strip_prefix("sha256=") else { return false };
    let Ok(expected) = hex::decode(hex_digest) else { return false };
    Hmac::<Sha256>::new_from_slice(app_secret.as_bytes())
        .is_ok_and(|mac| mac.chain_update(raw).verify_slice(&expected).is_ok())
}

/// Cuts a body into its events. Nothing is lost: a change that holds no list we know is an event
/// as a whole, and so is a body that is no JSON.
#[must_use]
pub fn split(raw: &[u8]) -> Vec<RawEvent> {
    let Ok(body) = serde_json::from_slice::<Value>(raw) else {
        let text = String::from_utf8_lossy(raw).into_owned();
        return vec![other(&text)];
    };
    let mut events = Vec::new();
    for entry in list(&body["entry"]) {
        for change in list(&entry["changes"]) {
            split_change(change, &entry["time"], &mut events);
        }
    }
    if events.is_empty() {
        events.push(other(&body.to_string()));
    }
    events
}

fn split_change(change: &Value, time: &Value, events: &mut Vec<RawEvent>) {
    let value = &change["value"];
    let before = events.len();
    let number = value["metadata"]["phone_number_id"].as_str();
    if change["field"] == "messages" {
        for message in list(&value["messages"]) {
            let id = message["id"].as_str().unwrap_or_default();
            let contact = contact_of(value, message);
            let mut message = message.clone();
            redact_words(&mut message);
            push(
                events,
                RawKind::Message,
                number,
                &format!("m:{id}"),
                id,
                [("message", message), ("contact", contact)],
            );
        }
        for status in list(&value["statuses"]) {
            let id = status["id"].as_str().unwrap_or_default();
            let word = status["status"].as_str().unwrap_or_default();
            push(
                events,
                RawKind::Receipt,
                number,
                &format!("s:{id}:{word}"),
                id,
                [("status", status.clone()), ("none", Value::Null)],
            );
        }
    }
    if events.len() == before {
        let mut change = change.clone();
        if let (true, Some(parts)) = (is_about_account(&change), change.as_object_mut()) {
            // Approved today and approved again next month read the same but for this, and are two events.
            parts.insert("time".to_owned(), time.clone());
        }
        let mut event = other(&change.to_string());
        event.provider_id = number.map(str::to_owned);
        events.push(event);
    }
}

fn is_about_template(change: &Value) -> bool {
    change["field"].as_str().is_some_and(|field| template::FIELDS.contains(&field))
}

fn is_about_limit(change: &Value) -> bool {
    change["field"].as_str().is_some_and(|field| limit::FIELDS.contains(&field))
}

/// Whether it says how something stands: it may say the same again on another day.
fn is_about_account(change: &Value) -> bool {
    is_about_template(change) || is_about_limit(change)
}

/// Keys of a message whose values are Meta's, not the citizen's, and must stay as they are.
const NOT_WORDS: &[&str] = &[
    "id",
    "from",
    "from_user_id",
    "from_parent_user_id",
    "timestamp",
    "type",
    "payload",
    "message_id",
    "wa_id",
    "new_wa_id",
    "user_id",
    "sha256",
    "mime_type",
    "url",
    "group_id",
];

/// Takes NIKs and the like out of whatever a citizen may have written, before it is stored.
fn redact_words(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).text,
        Value::Array(items) => items.iter_mut().for_each(redact_words),
        Value::Object(map) => map
            .iter_mut()
            .filter(|(key, _)| !NOT_WORDS.contains(&key.as_str()))
            .for_each(|(_, value)| redact_words(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn push(
    events: &mut Vec<RawEvent>,
    kind: RawKind,
    number: Option<&str>,
    key: &str,
    id: &str,
    parts: [(&str, Value); 2],
) {
    let payload: Map<String, Value> = parts
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let payload = Value::Object(payload).to_string();
    // Without an id the content is all that tells one event from another.
    let key = if id.is_empty() { format!("{key}{}", digest(&payload)) } else { key.to_owned() };
    events.push(RawEvent {
        key,
        kind,
        provider_id: number.map(str::to_owned),
        sought: None,
        payload,
    });
}

fn other(text: &str) -> RawEvent {
    RawEvent {
        key: format!("o:{}", digest(text)),
        kind: RawKind::Other,
        provider_id: None,
        sought: None,
        payload: text.to_owned(),
    }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The entry of `contacts` that belongs to a message: the one that names its sender, or the only
/// one there is.
fn contact_of(value: &Value, message: &Value) -> Value {
    let contacts = list(&value["contacts"]);
    let is_sender = |contact: &&Value| {
        let same = |a: &Value, b: &Value| a.is_string() && a == b;
        same(&contact["wa_id"], &message["from"])
            || same(&contact["user_id"], &message["from_user_id"])
    };
    let found = contacts.iter().find(is_sender).or(match contacts {
        [only] => Some(only),
        _ => None,
    });
    found.cloned().unwrap_or(Value::Null)
}

/// Reads a stored event. Whatever does not fit any form we know is [`Event::Other`].
#[must_use]
pub fn read(payload: &str) -> Event {
    let Ok(event) = serde_json::from_str::<Value>(payload) else { return Event::Other };
    if event["message"].is_object() {
        return read_message(&event["message"], &event["contact"])
            .map_or(Event::Other, Event::Message);
    }
    if event["status"].is_object() {
        return read_status(&event["status"]).map_or(Event::Other, Event::Receipt);
    }
    if is_about_template(&event) {
        return template::read(&event).unwrap_or(Event::Other);
    }
    if is_about_limit(&event) {
        return limit::read(&event).unwrap_or(Event::Other);
    }
    Event::Other
}

fn read_message(message: &Value, contact: &Value) -> Option<Inbound> {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let phone = word(&message["from"]).or_else(|| word(&contact["wa_id"]));
    let bsuid = word(&message["from_user_id"]).or_else(|| word(&contact["user_id"]));
    let from = Recipient {
        phone: phone.and_then(|raw| PhoneNumber::parse_international(&raw).ok()),
        bsuid: bsuid.as_deref().and_then(Bsuid::parse),
        chat: None,
    };
    if from == Recipient::default() {
        return None;
    }
    Some(Inbound { from, sent_at: moment(&message["timestamp"])?, body: read_body(message) })
}

fn read_body(message: &Value) -> InboundBody {
    let text = |value: &Value| MessageText::new(value.as_str().unwrap_or_default());
    let kind = message["type"].as_str().unwrap_or_default();
    match kind {
        "text" => InboundBody::Text(text(&message["text"]["body"])),
        "button" => InboundBody::Choice {
            id: message["button"]["payload"].as_str().unwrap_or_default().to_owned(),
            title: text(&message["button"]["text"]),
        },
        "interactive" => {
            let inner = &message["interactive"];
            let reply =
                [&inner["button_reply"], &inner["list_reply"]].into_iter().find(|r| r.is_object());
            reply.map_or(InboundBody::Unreadable, |reply| InboundBody::Choice {
                id: reply["id"].as_str().unwrap_or_default().to_owned(),
                title: text(&reply["title"]),
            })
        }
        "reaction" | "system" | "unsupported" | "edit" | "revoke" => InboundBody::Silent,
        _ => match message[kind]["caption"].as_str() {
            Some(caption) => InboundBody::Text(MessageText::new(caption)),
            None => InboundBody::Unreadable,
        },
    }
}

fn read_status(status: &Value) -> Option<Receipt> {
    let kind = match status["status"].as_str()? {
        "sent" => ReceiptKind::Sent,
        "delivered" => ReceiptKind::Delivered,
        "read" | "played" => ReceiptKind::Read,
        "failed" => ReceiptKind::Failed,
        _ => return None,
    };
    let error = &status["errors"][0];
    let fault = error["code"].as_i64().map(|code| {
        let words = codes::meaning(code).map(|found| found.1);
        let details = error["error_data"]["details"].as_str().or_else(|| error["title"].as_str());
        let details = redact_digits(details.unwrap_or_default());
        let detail = words.map_or(details.clone(), |words| {
            if details.is_empty() { words.to_owned() } else { format!("{words}: {details}") }
        });
        Fault {
            lesson: codes::lesson(code),
            alarm: codes::alarm(code),
            ..Fault::new(code.to_string(), detail)
        }
    });
    Some(Receipt {
        message: status["biz_opaque_callback_data"].as_str().and_then(|id| id.parse().ok()),
        provider_message_id: status["id"].as_str()?.to_owned(),
        kind,
        happened_at: moment(&status["timestamp"])?,
        fault,
    })
}

/// Seconds as text or number; some senders give milliseconds, which are recognised by their size.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    const MS_FROM: i64 = 100_000_000_000;
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let ms = if number >= MS_FROM { number } else { number.checked_mul(1000)? };
    (0..=253_402_300_799_000).contains(&ms).then(|| Timestamp::from_ms(ms))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: &Value) -> Vec<u8> {
        json!({"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": [
            {"field": "messages", "value": value}
        ]}]})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn signatures_are_those_of_metas_scheme_and_of_these_bytes_alone() {
        let raw = br#"{"object":"whatsapp_business_account"}"#;
        let header = "sha256=b6978b21c4467654c466607663db9b43fae44b71083568df403e0a077089208e";
        assert!(is_signed("test-app-secret", raw, header));
        assert!(!is_signed("other-secret", raw, header));
        assert!(!is_signed("test-app-secret", b"{}", header));
        for wrong in ["", "sha256=", "sha256=zz", &header[7..], "sha1=b6978b21"] {
            assert!(!is_signed("test-app-secret", raw, wrong), "{wrong}");
        }
    }

    #[test]
    fn every_message_and_status_of_a_body_becomes_an_event_and_repeats_share_a_key() {
        let raw = body(&json!({
            "metadata": {"phone_number_id": "106"},
            "messages": [{"id": "wamid.A", "from": "628", "type": "text"}, {"id": "wamid.B", "type": "order"}],
            "statuses": [{"id": "wamid.C", "status": "sent"}, {"id": "wamid.C", "status": "delivered"}],
        }));
        let events = split(&raw);
        assert_eq!(
            events.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(),
            ["m:wamid.A", "m:wamid.B", "s:wamid.C:sent", "s:wamid.C:delivered"]
        );
        assert!(events.iter().all(|e| e.provider_id.as_deref() == Some("106")));
        assert_eq!(split(&raw), events);
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        assert_eq!(split(b"no json")[0].kind, RawKind::Other);
        assert_eq!(split(b"{}").len(), 1);
        let template = json!({"entry": [{"changes": [{"field": "message_template_status_update", "value": {}}]}]});
        assert_eq!(split(template.to_string().as_bytes())[0].kind, RawKind::Other);
    }

    #[test]
    fn a_text_with_a_null_character_and_a_sender_without_a_phone_is_read() {
        let raw = body(&json!({
            "contacts": [{"user_id": "ID.123abc", "profile": {"name": "x"}}],
            "messages": [{"id": "wamid.A", "from_user_id": "ID.123abc", "timestamp": "1763700000",
                          "type": "text", "text": {"body": "ha\u{0}lo"}}],
        }));
        let Event::Message(inbound) = read(&split(&raw)[0].payload) else { panic!() };
        assert_eq!(
            inbound.from,
            Recipient { bsuid: Bsuid::parse("ID.123abc"), ..Recipient::default() }
        );
        assert_eq!(inbound.sent_at, Timestamp::from_ms(1_763_700_000_000));
        assert_eq!(inbound.body, InboundBody::Text(MessageText::new("halo")));
    }

    #[test]
    fn a_nik_does_not_get_past_the_door_and_the_sender_does() {
        let raw = body(&json!({"messages": [{"id": "wamid.6281234567890", "from": "6281234567890",
            "timestamp": "1763700000", "type": "image", "image": {"id": "9", "caption": "NIK 3517091204560001"}}]}));
        let event = &split(&raw)[0];
        assert!(!event.payload.contains("3517091204560001"));
        let Event::Message(inbound) = read(&event.payload) else { panic!() };
        assert!(inbound.from.phone.is_some());
        assert_eq!(inbound.body, InboundBody::Text(MessageText::new("NIK [NIK]")));
    }

    #[test]
    fn a_failed_status_says_why_and_whose_it_is() {
        let raw = body(
            &json!({"statuses": [{"id": "wamid.C", "status": "failed", "timestamp": 1_763_700_000,
            "biz_opaque_callback_data": "msg_01KAHV6R00ABCDEFGHJKMNPQRS",
            "errors": [{"code": 131_026, "title": "Message undeliverable"}]}]}),
        );
        let Event::Receipt(receipt) = read(&split(&raw)[0].payload) else { panic!() };
        assert_eq!(receipt.kind, ReceiptKind::Failed);
        assert_eq!(receipt.message.unwrap().to_string(), "msg_01KAHV6R00ABCDEFGHJKMNPQRS");
        assert_eq!(receipt.fault.unwrap().code, "131026");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw: Vec<u8>) {
            for event in split(&raw) {
                let _ = read(&event.payload);
            }
        }
    }
}
