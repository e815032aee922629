//! What the gateway posts to us: checks the signature and its age, keeps what happened, reads it.
//!
//! One body is one event. Of a message only its writer, its words without numbers and its moment
//! are kept; whatever we do not know is kept as it came, without what a citizen may have typed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::codes;
use crate::channel::http_call::cut;
use crate::channel::sms::address::writer;
use crate::channel::{
    Event, HookAnswer, HookRefusal, HookRequest, Inbound, InboundBody, RawEvent, RawKind, Receipt,
};
use crate::domain::clock::Timestamp;
use crate::domain::message::{MessageText, ReceiptKind};
use crate::domain::outbound::Recipient;
use crate::domain::redact::{redact, redact_digits};

/// How far the gateway's clock may be from ours, in seconds.
const TOLERANCE: u64 = 300;

/// An event as it is stored.
#[derive(Debug, Serialize, Deserialize)]
enum Stored {
    /// Somebody wrote.
    #[serde(rename = "message")]
    Message { from: String, at_ms: i64, text: String },
    /// A word about a message of ours.
    #[serde(rename = "receipt")]
    Receipt { id: String, status: String, at_ms: i64, reason: Option<String> },
}

/// The gateway posts one event.
pub(super) fn receive(key: &str, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
    if !request.tail.is_empty() {
        return Err(HookRefusal::NotFound);
    }
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(timestamp)) = (header("x-signature"), header("x-timestamp")) else {
        return Err(HookRefusal::Unsigned);
    };
    if *request.method != http::Method::POST
        || !is_signed(key, request.body, timestamp, signature)
        || !is_fresh(timestamp, request.now)
    {
        return Err(HookRefusal::Unsigned);
    }
    Ok(HookAnswer::quiet(vec![cut_out(request.body, request.now)]))
}

/// Whether `signature` is that of exactly these bytes followed by that timestamp; in constant time.
#[must_use]
pub fn is_signed(key: &str, raw: &[u8], timestamp: &str, signature: &str) -> bool {
    let Ok(expected) = hex::decode(signature) else { return false };
    Hmac::<Sha256>::new_from_slice(key.as_bytes()).is_ok_and(|mac| {
        mac.chain_update(raw).chain_update(timestamp).verify_slice(&expected).is_ok()
    })
}

/// Whether a request was signed within the last minutes: an older one may be somebody's copy.
fn is_fresh(timestamp: &str, now: Timestamp) -> bool {
    timestamp
        .trim()
        .parse::<i64>()
        .is_ok_and(|seconds| (now.as_ms() / 1000).abs_diff(seconds) <= TOLERANCE)
}

/// The event of a body, `now` being the moment it came.
#[must_use]
pub fn cut_out(raw: &[u8], now: Timestamp) -> RawEvent {
    let Ok(body) = serde_json::from_slice::<Value>(raw) else {
        return other(Value::from(String::from_utf8_lossy(raw).into_owned()));
    };
    let word = body["event"].as_str().unwrap_or_default().to_owned();
    let payload = &body["payload"];
    let known = match word.as_str() {
        "sms:received" => message(payload, now),
        "sms:sent" => receipt("sent", payload, "sentAt", now),
        "sms:delivered" => receipt("delivered", payload, "deliveredAt", now),
        "sms:failed" => receipt("failed", payload, "failedAt", now),
        _ => None,
    };
    known.unwrap_or_else(|| other(body))
}

fn message(payload: &Value, now: Timestamp) -> Option<RawEvent> {
    let word = |name: &str| payload[name].as_str();
    // Older versions of the app call the sender `phoneNumber`.
    let from = writer(word("sender").or_else(|| word("phoneNumber"))?)?;
    let text = word("message")?;
    let received_at = word("receivedAt").unwrap_or_default();
    // The id is made from the content alone; the same words later are another message.
    let id = word("messageId").map_or_else(|| digest(text), |id| cut(id, 64).to_owned());
    let name = digest(&format!("{id}\n{received_at}\n{}", from.expose()));
    let at_ms = moment(received_at).unwrap_or(now).as_ms();
    let stored = Stored::Message { from: from.expose().to_owned(), at_ms, text: redact(text).text };
    event(format!("m:{name}"), RawKind::Message, &stored)
}

fn receipt(status: &str, payload: &Value, at: &str, now: Timestamp) -> Option<RawEvent> {
    let id = cut(payload["messageId"].as_str().filter(|id| !id.is_empty())?, 64).to_owned();
    let at = payload[at].as_str().and_then(moment);
    let reason = payload["reason"].as_str().map(|reason| redact_digits(cut(reason, 200)));
    let key = format!("s:{id}:{status}");
    let at_ms = at.unwrap_or(now).as_ms();
    let stored = Stored::Receipt { id, status: status.to_owned(), at_ms, reason };
    event(key, RawKind::Receipt, &stored)
}

fn event(key: String, kind: RawKind, stored: &Stored) -> Option<RawEvent> {
    let payload = serde_json::to_string(stored).ok()?;
    Some(RawEvent { key, kind, provider_id: None, sought: None, payload })
}

fn other(mut body: Value) -> RawEvent {
    // The name is taken before anything is taken out, so that two stay two.
    let key = format!("o:{}", digest(&body.to_string()));
    redact_words(&mut body);
    RawEvent {
        key,
        kind: RawKind::Other,
        provider_id: None,
        sought: None,
        payload: body.to_string(),
    }
}

/// Texts anywhere in what we do not know may be a citizen's.
fn redact_words(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).text,
        Value::Array(items) => items.iter_mut().for_each(redact_words),
        Value::Object(map) => map.values_mut().for_each(redact_words),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Reads a stored event. Whatever does not fit any form we know is [`Event::Other`].
#[must_use]
pub fn read(payload: &str) -> Event {
    match serde_json::from_str(payload) {
        Ok(Stored::Message { from, at_ms, text }) => match writer(&from) {
            Some(phone) => Event::Message(Inbound {
                from: Recipient::of_phone(phone),
                sent_at: Timestamp::from_ms(at_ms),
                body: InboundBody::Text(MessageText::new(text)),
            }),
            None => Event::Other,
        },
        Ok(Stored::Receipt { id, status, at_ms, reason }) => {
            let Ok(kind) = status.parse::<ReceiptKind>() else { return Event::Other };
            let fault = (kind == ReceiptKind::Failed)
                .then(|| codes::failure(reason.as_deref().unwrap_or_default()));
            let message = id.parse().ok();
            let happened_at = Timestamp::from_ms(at_ms);
            Event::Receipt(Receipt { message, provider_message_id: id, kind, happened_at, fault })
        }
        Err(_) => Event::Other,
    }
}

/// `2026-02-18T02:10:00.000+07:00`.
fn moment(text: &str) -> Option<Timestamp> {
    let at = chrono::DateTime::parse_from_rfc3339(text.trim()).ok()?;
    (0..=9999).contains(&chrono::Datelike::year(&at)).then(|| Timestamp::from(at))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);
    const ID: &str = "msg_01KAHV6R00ABCDEFGHJKMNPQRS";

    fn signature(key: &str, body: &[u8], timestamp: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        hex::encode(mac.chain_update(body).chain_update(timestamp).finalize().into_bytes())
    }

    fn post(body: &[u8], headers: &[(&'static str, String)]) -> Result<HookAnswer, HookRefusal> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
            })
            .collect();
        receive(
            "k",
            &HookRequest {
                method: &Method::POST,
                tail: "",
                query: "",
                url: "https://kabar.example/hooks/sms/hp",
                now: NOW,
                headers: &headers,
                body,
            },
        )
    }

    fn signed(body: &[u8], at: i64) -> Result<HookAnswer, HookRefusal> {
        let at = at.to_string();
        post(body, &[("x-signature", signature("k", body, &at)), ("x-timestamp", at)])
    }

    fn one(body: &Value) -> RawEvent {
        cut_out(body.to_string().as_bytes(), NOW)
    }

    fn received(sender: &str, text: &str) -> Value {
        json!({"deviceId": "d", "event": "sms:received", "id": "e", "webhookId": "w", "payload": {
            "messageId": "c0ffee", "message": text, "sender": sender, "recipient": null,
            "simNumber": 1, "receivedAt": "2026-11-18T20:06:40.000+07:00"}})
    }

    fn about(event: &str, at: &str) -> Value {
        json!({"deviceId": "d", "event": event, "id": "e", "webhookId": "w", "payload": {
            "messageId": ID, "recipient": "+6281200000001", "phoneNumber": "+6281200000001",
            "simNumber": 1, "partsCount": 2, at: "2026-11-18T20:06:40.000+07:00",
            "reason": "RESULT_ERROR_GENERIC_FAILURE"}})
    }

    #[test]
    fn the_signature_is_over_the_bytes_and_the_time_behind_them() {
        // Computed by the documented rule with another program.
        let header = "b4ee1c6fba111dae5b747eae692108e3f80dbce661d1d827b7af9bc8a335ea38";
        let body = br#"{"event":"sms:received"}"#;
        assert!(is_signed("test-key", body, "1700000000", header));
        assert!(is_signed("test-key", body, "1700000000", &header.to_uppercase()));
        assert!(!is_signed("test-key", body, "1700000001", header));
        assert!(!is_signed("test-kex", body, "1700000000", header));
        assert!(!is_signed("test-key", b"{}", "1700000000", header));
        for wrong in ["", "zz", &header[2..]] {
            assert!(!is_signed("test-key", body, "1700000000", wrong), "{wrong}");
        }
    }

    #[test]
    fn a_request_is_taken_within_five_minutes_either_way_and_with_both_headers() {
        let body = received("+6281200000001", "halo").to_string().into_bytes();
        let now = NOW.as_ms() / 1000;
        for (at, is_taken) in [(0, true), (-300, true), (300, true), (-301, false), (301, false)] {
            assert_eq!(signed(&body, now + at).is_ok(), is_taken, "{at}");
        }
        assert_eq!(signed(&body, i64::MIN), Err(HookRefusal::Unsigned));
        let at = now.to_string();
        assert_eq!(post(&body, &[("x-timestamp", at.clone())]), Err(HookRefusal::Unsigned));
        let alone = [("x-signature", signature("k", &body, &at))];
        assert_eq!(post(&body, &alone), Err(HookRefusal::Unsigned));
        let other = [("x-signature", signature("other", &body, &at)), ("x-timestamp", at)];
        assert_eq!(post(&body, &other), Err(HookRefusal::Unsigned));
    }

    #[test]
    fn a_citizens_message_is_known_by_content_time_and_writer() {
        let event = one(&received("0812-0000-0001", "STATUS"));
        assert_eq!(event.kind, RawKind::Message);
        assert_eq!(one(&received("+6281200000001", "STATUS")).key, event.key);
        let mut later = received("0812-0000-0001", "STATUS");
        later["payload"]["receivedAt"] = "2026-11-18T20:06:41.000+07:00".into();
        assert_ne!(one(&later).key, event.key);
        assert_ne!(one(&received("0812-0000-0002", "STATUS")).key, event.key);
        let Event::Message(inbound) = read(&event.payload) else { panic!() };
        assert_eq!(inbound.from.phone.unwrap().expose(), "+6281200000001");
        assert_eq!(inbound.sent_at, Timestamp::from_ms(1_795_007_200_000));
        assert_eq!(inbound.body, InboundBody::Text(MessageText::new("STATUS")));
    }

    #[test]
    fn older_versions_name_the_writer_otherwise_and_a_bad_time_becomes_ours() {
        let mut body = received("", "halo");
        let payload = body["payload"].as_object_mut().unwrap();
        payload.remove("sender");
        payload.insert("phoneNumber".into(), "+6281200000001".into());
        payload.insert("receivedAt".into(), "yesterday".into());
        let Event::Message(inbound) = read(&one(&body).payload) else { panic!() };
        assert_eq!(inbound.sent_at, NOW);
    }

    #[test]
    fn a_nik_does_not_get_past_the_door() {
        for body in [
            received("+6281200000001", "NIK saya 3517091204560001"),
            received("TSEL-INFO", "NIK saya 3517091204560001"),
            json!({"event": "mms:downloaded", "payload": {"body": "3517091204560001"}}),
        ] {
            assert!(!one(&body).payload.contains("3517091204560001"), "{body}");
        }
        assert!(!cut_out(b"NIK 3517091204560001", NOW).payload.contains("3517091204560001"));
    }

    #[test]
    fn a_short_code_or_a_name_is_kept_and_never_answered() {
        for sender in ["98108", "TSEL-INFO", "", "123"] {
            let event = one(&received(sender, "Pulsa Anda habis"));
            assert_eq!(event.kind, RawKind::Other, "{sender}");
            assert_eq!(read(&event.payload), Event::Other, "{sender}");
        }
    }

    #[test]
    fn every_receipt_names_our_message() {
        for (event, at, kind) in [
            ("sms:sent", "sentAt", ReceiptKind::Sent),
            ("sms:delivered", "deliveredAt", ReceiptKind::Delivered),
            ("sms:failed", "failedAt", ReceiptKind::Failed),
        ] {
            let raw = one(&about(event, at));
            assert_eq!(raw.kind, RawKind::Receipt);
            assert_eq!(raw.key, format!("s:{ID}:{}", event.trim_start_matches("sms:")));
            assert!(!raw.payload.contains("81200000001"), "no number is kept");
            let Event::Receipt(receipt) = read(&raw.payload) else { panic!("{event}") };
            assert_eq!(receipt.kind, kind);
            assert_eq!(receipt.message.unwrap().to_string(), ID);
            assert_eq!(receipt.happened_at, Timestamp::from_ms(1_795_007_200_000));
            assert_eq!(receipt.fault.is_some(), kind == ReceiptKind::Failed);
        }
    }

    #[test]
    fn what_nobody_needs_is_kept_as_other() {
        for word in ["system:ping", "app:started", "sms:cancelled", "mms:received", "", "x"] {
            let event = one(&json!({"event": word, "payload": {"messageId": ID}}));
            assert_eq!((event.kind, read(&event.payload)), (RawKind::Other, Event::Other));
        }
        let without = json!({"event": "sms:sent", "payload": {"messageId": ""}});
        assert_eq!(one(&without).kind, RawKind::Other);
    }

    #[test]
    fn json_that_is_no_object_is_kept_as_other() {
        for body in ["0", "null", "true", "\"x\"", "[1]", "{\"payload\": 3}"] {
            let event = cut_out(body.as_bytes(), NOW);
            assert_eq!(
                (event.kind, read(&event.payload)),
                (RawKind::Other, Event::Other),
                "{body}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw: Vec<u8>, word: String) {
            let _ = read(&cut_out(&raw, NOW).payload);
            let _ = read(&word);
            let odd = json!({"event": "sms:received", "payload": {"sender": word, "message": word,
                "receivedAt": word}});
            let _ = read(&one(&odd).payload);
            let _ = codes::failure(&word);
        }
    }
}
