//! What Telegram tells us, at our webhook or when asked: one update is one event.
//!
//! Read as plain JSON, so that an update of a kind nobody knows yet is kept. Only what a person does
//! in a private chat is a message; groups, channels and other bots are never answered.

use hex::ToHex as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::channel::{
    Event, HookRefusal, HookRequest, Inbound, InboundBody, OptOut, PhoneProof, RawEvent, RawKind,
};
use crate::domain::clock::Timestamp;
use crate::domain::message::MessageText;
use crate::domain::nik::Nik;
use crate::domain::outbound::{ChatId, Recipient};
use crate::domain::phone::PhoneNumber;
use crate::domain::redact::redact;

/// The header with our secret in every request of Telegram's.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// An event and, where it is a pressed button, the id by which that is acknowledged.
pub(super) type Taken = (RawEvent, Option<String>);

/// Checks that Telegram calls, and takes its update.
pub(super) fn receive(
    secret: Option<&str>,
    request: &HookRequest<'_>,
) -> Result<Taken, HookRefusal> {
    if !request.tail.is_empty() {
        return Err(HookRefusal::NotFound);
    }
    if *request.method != http::Method::POST {
        return Err(HookRefusal::Forbidden);
    }
    let given = request.headers.get(SECRET_HEADER).map(http::HeaderValue::as_bytes);
    let is_genuine = match (secret, given) {
        (Some(secret), Some(given)) => bool::from(secret.as_bytes().ct_eq(given)),
        // Without a secret of ours we never asked to be called.
        _ => false,
    };
    if !is_genuine {
        return Err(HookRefusal::Unsigned);
    }
    let Ok(update) = serde_json::from_slice::<Value>(request.body) else {
        let text = redact(&String::from_utf8_lossy(request.body)).text;
        return Ok((other(&Value::String(text)), None));
    };
    Ok(event(update, request.now))
}

/// Makes an event of an update that came at that time.
#[must_use]
pub fn event(mut update: Value, now: Timestamp) -> (RawEvent, Option<String>) {
    let pressed = update["callback_query"]["id"].as_str().map(str::to_owned);
    // Somebody's own number is what they handed over; that of somebody else is none of our business.
    let own = is_own_contact(&update["message"])
        .then(|| update["message"]["contact"]["phone_number"].clone());
    let sought = sought(&update["message"]);
    redact_words(&mut update);
    if let Some(own) = own {
        update["message"]["contact"]["phone_number"] = own;
    }
    let Some(id) = update["update_id"].as_i64() else { return (other(&update), pressed) };
    let kind = match understand(&update, now) {
        Some(_) => RawKind::Message,
        None => RawKind::Other,
    };
    let payload = json!({ "update": update, "at": now.as_ms() }).to_string();
    (RawEvent { key: format!("u:{id}"), kind, provider_id: None, sought, payload }, pressed)
}

/// The word by which officers look for a card.
const SEARCH: &str = "/kartu";

/// The NIK that is all that somebody looks for in a private chat.
fn sought(message: &Value) -> Option<Nik> {
    person(&message["chat"], &message["from"])?;
    let (word, rest) = message["text"].as_str()?.trim().split_once(char::is_whitespace)?;
    let word = word.split('@').next()?;
    word.eq_ignore_ascii_case(SEARCH).then(|| Nik::parse(rest).ok()).flatten()
}

/// Without an id the content is all that tells one event from another.
fn other(content: &Value) -> RawEvent {
    let payload = json!({ "update": content }).to_string();
    let digest: String = Sha256::digest(payload.as_bytes()).encode_hex();
    RawEvent {
        key: format!("o:{digest}"),
        kind: RawKind::Other,
        provider_id: None,
        sought: None,
        payload,
    }
}

/// Keys whose values are Telegram's or ours, not the citizen's, and must stay as they are.
const NOT_WORDS: &[&str] = &[
    "id",
    "type",
    "status",
    "data",
    "callback_data",
    "file_id",
    "file_unique_id",
    "inline_message_id",
    "language_code",
    "mime_type",
];

/// Takes NIKs and the like out of whatever a citizen may have written, before it is stored.
fn redact_words(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).text,
        Value::Array(items) => items.iter_mut().for_each(redact_words),
        Value::Object(map) => map
            .iter_mut()
            .filter(|(key, value)| value.is_object() || !NOT_WORDS.contains(&key.as_str()))
            .for_each(|(_, value)| redact_words(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reads a stored event. Whatever does not fit any form we know is [`Event::Other`].
#[must_use]
pub fn read(payload: &str) -> Event {
    let Ok(event) = serde_json::from_str::<Value>(payload) else { return Event::Other };
    let at = event["at"].as_i64().map(Timestamp::from_ms);
    at.and_then(|at| understand(&event["update"], at)).unwrap_or(Event::Other)
}

/// What an update says; nothing for those that are only kept.
fn understand(update: &Value, at: Timestamp) -> Option<Event> {
    let part = |name: &str| update.get(name).filter(|part| part.is_object());
    if let Some(message) = part("message") {
        return read_message(message, at);
    }
    if let Some(press) = part("callback_query") {
        return read_press(press, at);
    }
    part("my_chat_member").and_then(read_membership)
}

/// The person on the other side of a private chat.
fn person(chat: &Value, from: &Value) -> Option<Recipient> {
    let is_person = chat["type"] == "private" && from["is_bot"] == false;
    let chat = ChatId::new(chat["id"].as_i64()?).filter(|_| is_person)?;
    Some(Recipient { chat: Some(chat), ..Recipient::default() })
}

fn read_message(message: &Value, at: Timestamp) -> Option<Event> {
    let from = person(&message["chat"], &message["from"])?;
    if is_own_contact(message)
        && let Some(phone) = phone(&message["contact"]["phone_number"])
    {
        return Some(Event::Phone(PhoneProof { from, phone }));
    }
    let sent_at = moment(&message["date"]).unwrap_or(at);
    Some(Event::Message(Inbound { from, sent_at, body: read_body(message) }))
}

/// Whether a contact is the writer's own account. Anybody may forward anybody's.
fn is_own_contact(message: &Value) -> bool {
    let writer = &message["from"]["id"];
    writer.is_i64() && message["contact"]["user_id"] == *writer
}

/// A number as Telegram writes it: with country code, with or without the plus sign.
fn phone(value: &Value) -> Option<PhoneNumber> {
    let raw = value.as_str()?.trim();
    PhoneNumber::parse_international(raw.strip_prefix('+').unwrap_or(raw)).ok()
}

/// What a person sends and we cannot read. Anything else without words is a note of Telegram's own.
const MEDIA: &[&str] = &[
    "animation",
    "audio",
    "checklist",
    "contact",
    "dice",
    "document",
    "game",
    "invoice",
    "live_photo",
    "location",
    "paid_media",
    "photo",
    "poll",
    "sticker",
    "story",
    "venue",
    "video",
    "video_note",
    "voice",
];

fn read_body(message: &Value) -> InboundBody {
    match message["text"].as_str().or_else(|| message["caption"].as_str()) {
        Some(text) => InboundBody::Text(MessageText::new(text)),
        None if MEDIA.iter().any(|kind| message.get(kind).is_some()) => InboundBody::Unreadable,
        None => InboundBody::Silent,
    }
}

/// A pressed button. Telegram gives no time of it: the message is as old as the message.
fn read_press(press: &Value, at: Timestamp) -> Option<Event> {
    let message = &press["message"];
    let from = person(&message["chat"], &press["from"])?;
    let id = press["data"].as_str()?.to_owned();
    let rows = message["reply_markup"]["inline_keyboard"].as_array();
    let mut buttons = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
    let label = buttons
        .find(|button| button["callback_data"] == *id)
        .and_then(|button| button["text"].as_str());
    let title = MessageText::new(label.unwrap_or(&id));
    let body = InboundBody::Choice { id, title };
    Some(Event::Message(Inbound { from, sent_at: at, body }))
}

/// In a private chat this comes only when somebody blocks or unblocks the bot (Bot API, Update).
fn read_membership(change: &Value) -> Option<Event> {
    let from = person(&change["chat"], &change["from"])?;
    let is_over = match change["new_chat_member"]["status"].as_str()? {
        "kicked" | "left" => false,
        "member" => true,
        _ => return None,
    };
    Some(Event::OptOut(OptOut { from, is_over }))
}

/// Unix seconds of any year people may see.
fn moment(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().filter(|seconds| (1..=253_402_300_799).contains(seconds))?;
    Some(Timestamp::from_ms(seconds * 1000))
}

#[cfg(test)]
mod tests;
