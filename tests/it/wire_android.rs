//! Events as SMS Gateway for Android posts them, our own and, where they are at hand, those of its
//! documentation: each is read for what it says.

use std::path::Path;

use kabar::channel::sms::android::webhook::{cut_out, is_signed, read};
use kabar::channel::{Event, InboundBody, RawEvent, RawKind};
use kabar::domain::clock::Timestamp;
use kabar::domain::message::ReceiptKind;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One of our own events.
fn own(name: &str) -> RawEvent {
    let path = root().join("tests/fixtures/android").join(name);
    cut_out(&std::fs::read(&path).unwrap(), NOW)
}

/// What it says, in a word or two.
fn said(event: &RawEvent) -> String {
    match read(&event.payload) {
        Event::Message(inbound) => match inbound.body {
            InboundBody::Text(text) => {
                format!("{}: {}", inbound.from.phone.unwrap().expose(), text.expose())
            }
            other => panic!("{other:?}"),
        },
        Event::Receipt(receipt) => receipt.kind.as_str().to_owned(),
        Event::Other => "other".to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_event_of_ours_is_read_for_what_it_says() {
    let expected = [
        ("cancelled.json", "other"),
        ("delivered.json", "delivered"),
        ("failed.json", "failed"),
        ("picture.json", "other"),
        ("ping.json", "other"),
        ("received.json", "+6281200000001: ktp sy udah jadi blm ya? 🙏"),
        ("received_older.json", "+6281200000002: BERHENTI"),
        ("received_short_code.json", "other"),
        ("sent.json", "sent"),
    ];
    let folder = std::fs::read_dir(root().join("tests/fixtures/android")).unwrap();
    assert_eq!(folder.count(), expected.len());
    for (file, words) in expected {
        let event = own(file);
        assert_eq!(said(&event), words, "{file}");
        assert_eq!(event.kind == RawKind::Other, words == "other", "{file}");
        assert!(!event.payload.contains("3517091204560001"), "{file}");
    }
}

#[test]
fn moments_are_those_of_the_phone_whatever_its_zone() {
    let at = |name: &str| match read(&own(name).payload) {
        Event::Message(inbound) => inbound.sent_at,
        Event::Receipt(receipt) => {
            assert_eq!(receipt.message.unwrap().to_string(), "msg_01KAHV6R00ABCDEFGHJKMNPQRS");
            receipt.happened_at
        }
        other => panic!("{other:?}"),
    };
    // 2026-11-23T02:15:04Z, written in Jakarta and in Jayapura.
    assert_eq!(at("received.json"), Timestamp::from_ms(1_795_400_104_217));
    assert_eq!(at("received_older.json"), Timestamp::from_ms(1_795_400_104_000));
    assert_eq!(at("failed.json"), Timestamp::from_ms(1_795_400_200_000));
}

#[test]
fn the_events_of_the_documentation_are_read_as_what_they_are_called() {
    let folder = root().join("../shared/fixtures");
    if !folder.is_dir() {
        return;
    }
    let examples = json(&folder.join("asg/webhook-examples.json"));
    let mut count = 0;
    for example in examples.as_array().unwrap() {
        let name = example["event"].as_str().unwrap();
        let event = cut_out(example["body"].to_string().as_bytes(), NOW);
        let understood = read(&event.payload);
        let receipt = |kind| matches!(&understood, Event::Receipt(found) if found.kind == kind);
        let is_right = match name {
            "sms:sent" => receipt(ReceiptKind::Sent),
            "sms:delivered" => receipt(ReceiptKind::Delivered),
            "sms:failed" => receipt(ReceiptKind::Failed),
            // Its writer's number has neither a country code nor the form of an Indonesian one.
            _ => understood == Event::Other,
        };
        assert!(is_right, "{name}: {understood:?}");
        count += 1;
    }
    assert!(count >= 9, "{count} events");
    let vectors = json(&folder.join("signature-vectors.json"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ours = |vector: &&Value| text(&vector["scheme"]).starts_with("android-sms-gateway");
    for vector in vectors.as_array().unwrap().iter().filter(ours) {
        let (key, body) = (text(&vector["key"]), text(&vector["body"]));
        let (at, header) = (text(&vector["X-Timestamp"]), text(&vector["header"]));
        assert!(is_signed(&key, body.as_bytes(), &at, &header), "{body}");
        assert!(!is_signed(&key, body.as_bytes(), "1700000001", &header), "{body}");
    }
}
