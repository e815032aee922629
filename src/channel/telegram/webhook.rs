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
    Ok(match serde_json::from_slice::<Value>(request.body) {
        Ok(update) => event(update, request.now),
        Err(_) => {
            let text = redact(&String::from_utf8_lossy(request.body)).text;
            (other(&Value::String(text)), None)
        }
    })
}

/// Makes an event of an update that came at that time.
#[must_use]
pub fn event(mut update: Value, now: Timestamp) -> (RawEvent, Option<String>) {
    let pressed = update["callback_query"]["id"].as_str().map(str::to_owned);
    // Somebody's own number is what they handed over; that of somebody else is none of our business.
    let own = is_own_contact(&update["message"])
        .then(|| update["message"]["contact"]["phone_number"].clone());
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
    (RawEvent { key: format!("u:{id}"), kind, provider_id: None, payload }, pressed)
}

/// Without an id the content is all that tells one event from another.
fn other(content: &Value) -> RawEvent {
    let payload = json!({ "update": content }).to_string();
    let digest: String = Sha256::digest(payload.as_bytes()).encode_hex();
    RawEvent { key: format!("o:{digest}"), kind: RawKind::Other, provider_id: None, payload }
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
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    fn taken(update: &Value) -> RawEvent {
        event(update.clone(), NOW).0
    }

    fn understood(update: &Value) -> Event {
        read(&taken(update).payload)
    }

    fn message(fields: &Value) -> Value {
        let mut message = json!({"message_id": 7, "date": 1_763_700_000,
            "chat": {"id": 700_123, "type": "private", "first_name": "Siti"},
            "from": {"id": 700_123, "is_bot": false, "first_name": "Siti", "language_code": "id"}});
        for (key, value) in fields.as_object().unwrap() {
            message[key] = value.clone();
        }
        json!({"update_id": 1000, "message": message})
    }

    fn body_of(fields: &Value) -> InboundBody {
        match understood(&message(fields)) {
            Event::Message(inbound) => inbound.body,
            other => panic!("{other:?}"),
        }
    }

    fn siti() -> Recipient {
        Recipient { chat: ChatId::new(700_123), ..Recipient::default() }
    }

    fn knock(
        secret: Option<&str>,
        given: Option<&'static str>,
        body: &[u8],
    ) -> Result<Taken, HookRefusal> {
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(SECRET_HEADER, http::HeaderValue::from_static(given));
        }
        receive(
            secret,
            &HookRequest {
                method: &Method::POST,
                tail: "",
                query: "",
                url: "https://kabar.example.go.id/hooks/telegram/bot",
                now: NOW,
                headers: &headers,
                body,
            },
        )
    }

    #[test]
    fn only_who_knows_the_secret_gets_in() {
        assert!(knock(Some("kunci_1"), Some("kunci_1"), b"{}").is_ok());
        for (secret, given) in [
            (Some("kunci_1"), Some("kunci_2")),
            (Some("kunci_1"), Some("kunci_")),
            (Some("kunci_1"), Some("")),
            (Some("kunci_1"), None),
            (None, Some("kunci_1")),
            (None, None),
        ] {
            assert_eq!(
                knock(secret, given, b"{}"),
                Err(HookRefusal::Unsigned),
                "{secret:?} {given:?}"
            );
        }
    }

    #[test]
    fn only_posts_to_the_address_itself_are_taken() {
        let mut headers = HeaderMap::new();
        headers.insert(SECRET_HEADER, http::HeaderValue::from_static("kunci"));
        let request = HookRequest {
            method: &Method::POST,
            tail: "more",
            query: "",
            url: "",
            now: NOW,
            headers: &headers,
            body: b"{}",
        };
        assert_eq!(receive(Some("kunci"), &request), Err(HookRefusal::NotFound));
        let request = HookRequest { method: &Method::GET, tail: "", ..request };
        assert_eq!(receive(Some("kunci"), &request), Err(HookRefusal::Forbidden));
    }

    #[test]
    fn a_text_is_read_with_its_writer_and_its_time_and_a_repeat_has_the_same_key() {
        let update = message(&json!({"text": "/start ABCD"}));
        let Event::Message(inbound) = understood(&update) else { panic!() };
        assert_eq!(inbound.from, siti());
        assert_eq!(inbound.sent_at, Timestamp::from_ms(1_763_700_000_000));
        assert_eq!(inbound.body, InboundBody::Text(MessageText::new("/start ABCD")));
        let raw = taken(&update);
        assert_eq!((raw.key.as_str(), raw.kind), ("u:1000", RawKind::Message));
        assert_eq!(event(update, NOW.after(std::time::Duration::from_secs(9))).0.key, raw.key);
    }

    #[test]
    fn a_nik_does_not_get_past_the_door() {
        for fields in [
            json!({"text": "NIK 3517091204560001"}),
            json!({"photo": [], "caption": "3517 0912 0456 0001"}),
            json!({"document": {"file_name": "3517091204560001.pdf", "file_id": "x"}}),
            json!({"text": "x", "reply_to_message": {"text": "3517091204560001"}}),
        ] {
            let payload = taken(&message(&fields)).payload;
            assert!(!payload.replace(' ', "").contains("3517091204560001"), "{payload}");
        }
        let (raw, _) = knock(Some("k"), Some("k"), b"no json 3517091204560001").unwrap();
        assert!(!raw.payload.contains("3517091204560001"), "{}", raw.payload);
    }

    #[test]
    fn what_cannot_be_read_is_said_to_be_so_and_notes_of_telegram_are_silent() {
        let caption = body_of(&json!({"photo": [{}], "caption": "KTP saya"}));
        assert_eq!(caption, InboundBody::Text(MessageText::new("KTP saya")));
        for kind in MEDIA {
            let fields = Value::Object([((*kind).to_owned(), json!({}))].into_iter().collect());
            assert_eq!(body_of(&fields), InboundBody::Unreadable, "{kind}");
        }
        for kind in ["pinned_message", "write_access_allowed", "message_auto_delete_timer_changed"]
        {
            let fields = Value::Object([(kind.to_owned(), json!({}))].into_iter().collect());
            assert_eq!(body_of(&fields), InboundBody::Silent, "{kind}");
        }
    }

    fn press(message: &Value) -> Value {
        json!({"update_id": 1001, "callback_query": {"id": "4382934720153342", "data": "do:menu",
            "chat_instance": "1", "message": message,
            "from": {"id": 700_123, "is_bot": false, "first_name": "Siti"}}})
    }

    #[test]
    fn a_pressed_button_is_a_choice_with_its_label_at_the_time_it_came() {
        let update = press(&json!({"message_id": 9, "date": 1_700_000_000,
            "chat": {"id": 700_123, "type": "private"},
            "reply_markup": {"inline_keyboard": [[{"text": "Cek status", "callback_data": "do:status"}],
                                                 [{"text": "Menu", "callback_data": "do:menu"}]]}}));
        let (raw, pressed) = event(update, NOW);
        assert_eq!(pressed.as_deref(), Some("4382934720153342"));
        let Event::Message(inbound) = read(&raw.payload) else { panic!() };
        let title = MessageText::new("Menu");
        assert_eq!(inbound.body, InboundBody::Choice { id: "do:menu".to_owned(), title });
        assert_eq!(inbound.sent_at, NOW);
    }

    #[test]
    fn a_button_on_a_message_that_is_gone_is_named_by_its_id() {
        let update =
            press(&json!({"message_id": 9, "date": 0, "chat": {"id": 700_123, "type": "private"}}));
        let Event::Message(inbound) = understood(&update) else { panic!() };
        let title = MessageText::new("do:menu");
        assert_eq!(inbound.body, InboundBody::Choice { id: "do:menu".to_owned(), title });
    }

    #[test]
    fn only_the_writers_own_contact_proves_a_number() {
        for number in ["6281234567890", "+6281234567890", "+62 812-3456-7890"] {
            let own = json!({"contact": {"phone_number": number, "first_name": "Siti", "user_id": 700_123}});
            let Event::Phone(proof) = understood(&message(&own)) else { panic!("{number}") };
            assert_eq!((proof.from, proof.phone.expose()), (siti(), "+6281234567890"));
        }
        for other in [
            json!({"phone_number": "6281234567890", "user_id": 700_124}),
            json!({"phone_number": "6281234567890"}),
            json!({"phone_number": "halo", "user_id": 700_123}),
        ] {
            let update = message(&json!({"contact": other}));
            let Event::Message(inbound) = understood(&update) else { panic!("{other}") };
            assert_eq!(inbound.body, InboundBody::Unreadable);
            assert!(!taken(&update).payload.contains("6281234567890"), "{other}");
        }
    }

    #[test]
    fn who_blocks_the_bot_opts_out_and_who_unblocks_it_comes_back() {
        let change = |kind: &str, status: &str| {
            json!({"update_id": 1002, "my_chat_member": {"date": 1_763_700_000,
                "chat": {"id": 700_123, "type": kind}, "from": {"id": 700_123, "is_bot": false},
                "new_chat_member": {"status": status, "user": {"id": 1, "is_bot": true}}}})
        };
        for (status, is_over) in [("kicked", false), ("member", true)] {
            let expected = Event::OptOut(OptOut { from: siti(), is_over });
            assert_eq!(understood(&change("private", status)), expected);
        }
        assert_eq!(understood(&change("private", "new word")), Event::Other);
        assert_eq!(understood(&change("group", "kicked")), Event::Other);
    }

    #[test]
    fn groups_channels_bots_edits_and_news_are_kept_and_never_answered() {
        let mut group = message(&json!({"text": "halo"}));
        group["message"]["chat"] = json!({"id": -100_123, "type": "supergroup"});
        let mut bot = message(&json!({"text": "halo"}));
        bot["message"]["from"]["is_bot"] = true.into();
        let mut nobody = message(&json!({"text": "halo"}));
        nobody["message"]["from"] = Value::Null;
        let inline = press(&Value::Null);
        let edited =
            json!({"update_id": 5, "edited_message": message(&json!({"text": "x"}))["message"]});
        let news = json!({"update_id": 6, "hologram": {"waves": true}});
        for update in [group, bot, nobody, inline, edited, news, json!([]), json!(3)] {
            let raw = taken(&update);
            assert_eq!(raw.kind, RawKind::Other, "{update}");
            assert_eq!(read(&raw.payload), Event::Other, "{update}");
        }
        assert!(
            taken(&json!({"update_id": 6, "hologram": {"waves": true}})).payload.contains("waves")
        );
    }

    #[test]
    fn what_has_no_id_is_told_apart_by_its_content() {
        let one = taken(&json!({"a": 1}));
        assert_eq!(one.key, taken(&json!({"a": 1})).key);
        assert_ne!(one.key, taken(&json!({"a": 2})).key);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw: Vec<u8>) {
            let (event, _) = knock(Some("k"), Some("k"), &raw).unwrap();
            let _ = read(&event.payload);
            let _ = read(&String::from_utf8_lossy(&raw));
        }

        #[test]
        fn no_values_in_known_places_make_it_panic(id: i64, date: i64, chat: i64, text: String) {
            let mut update = message(&serde_json::json!({"text": text}));
            update["update_id"] = id.into();
            update["message"]["date"] = date.into();
            update["message"]["chat"]["id"] = chat.into();
            let is_private = chat > 0;
            let read = understood(&update);
            proptest::prop_assert_eq!(matches!(read, Event::Message(_)), is_private);
        }
    }
}
