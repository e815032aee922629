//! Forms as Twilio posts them, and, where they are at hand, its published answers and signatures:
//! each is read for what it says.

use std::path::Path;

use kabar::channel::sms::twilio::codes::interpret;
use kabar::channel::sms::twilio::webhook::{
    has_digest, inbound_event, is_signed, read, status_event,
};
use kabar::channel::{Event, InboundBody, RawKind};
use kabar::domain::clock::Timestamp;
use kabar::domain::consent::Lesson;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);
const ID: &str = "msg_01KAHV6R00ABCDEFGHJKMNPQRS";

type Form = Vec<(String, String)>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What one of our own forms says, in a word or two.
fn said(name: &str) -> String {
    let path = root().join("tests/fixtures/twilio").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let form: Form = serde_urlencoded::from_str(text.trim()).unwrap();
    let event = if name.starts_with("inbound") {
        inbound_event(&form, NOW)
    } else {
        status_event(&form, Some(ID), NOW)
    };
    let understood = read(&event.payload);
    assert_eq!(event.kind == RawKind::Other, understood == Event::Other, "{name}");
    match understood {
        Event::Message(inbound) => match inbound.body {
            InboundBody::Text(text) => {
                format!("{}: {}", inbound.from.phone.unwrap().expose(), text.expose())
            }
            InboundBody::Unreadable => "unreadable".to_owned(),
            other => panic!("{other:?}"),
        },
        Event::Receipt(receipt) => {
            assert_eq!(receipt.message.unwrap().to_string(), ID);
            assert_eq!(receipt.provider_message_id.len(), 34);
            let code = receipt.fault.map(|fault| format!(" {}", fault.code)).unwrap_or_default();
            format!("{}{code}", receipt.kind.as_str())
        }
        Event::Other => "other".to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_form_of_ours_is_read_for_what_it_says() {
    let expected = [
        ("canceled.txt", "failed canceled"),
        ("delivered.txt", "delivered"),
        ("failed.txt", "failed 30007"),
        ("inbound.txt", "+6281200000001: ktp sy udah jadi blm ya? 🙏 a&b=c+d"),
        ("inbound_picture.txt", "unreadable"),
        ("inbound_short_code.txt", "other"),
        ("inbound_stop.txt", "+6281200000001: STOP"),
        ("queued.txt", "other"),
        ("read.txt", "read"),
        ("sending.txt", "other"),
        ("sent.txt", "sent"),
        ("undelivered.txt", "failed 30005"),
    ];
    let folder = std::fs::read_dir(root().join("tests/fixtures/twilio")).unwrap();
    assert_eq!(folder.count(), expected.len());
    for (file, words) in expected {
        assert_eq!(said(file), words, "{file}");
    }
}

#[test]
fn the_published_answers_to_a_message_are_accepted() {
    let folder = root().join("../shared/fixtures");
    if !folder.is_dir() {
        return;
    }
    let examples = json(&folder.join("twilio/messages-api-examples.json"));
    let created = examples["create"]["201"].as_object().unwrap();
    assert!(created.len() >= 7, "{} answers", created.len());
    for (name, answer) in created {
        let accepted = interpret(201, Some(answer), None).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(accepted.provider_message_id, answer["sid"].as_str().unwrap(), "{name}");
    }
    // The same message, given up before the request was answered.
    let mut failed = created["create"].clone();
    failed["status"] = "failed".into();
    failed["error_code"] = 30_006.into();
    let error = interpret(201, Some(&failed), None).unwrap_err();
    assert_eq!(error.fault().lesson, Some(Lesson::NotReachable));
}

#[test]
fn the_published_signatures_hold() {
    let folder = root().join("../shared/fixtures");
    if !folder.is_dir() {
        return;
    }
    let vectors = json(&folder.join("signature-vectors.json"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut same, mut signed, mut digests) = (Form::new(), 0, 0);
    for vector in vectors.as_array().unwrap() {
        if text(&vector["scheme"]) == "twilio bodySHA256" {
            assert!(has_digest(text(&vector["body"]).as_bytes(), &text(&vector["hex"])));
            digests += 1;
        }
        if text(&vector["scheme"]) != "twilio X-Twilio-Signature" {
            continue;
        }
        let form = match vector["params"].as_array() {
            Some(list) => list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            None => same.clone(),
        };
        if same.is_empty() {
            same.clone_from(&form);
        }
        let (token, url) = (text(&vector["token"]), text(&vector["url"]));
        let header = text(&vector["header"]);
        assert!(is_signed(&token, &url, &form, &header), "{url}");
        assert!(!is_signed("another", &url, &form, &header), "{url}");
        signed += 1;
    }
    assert!(signed >= 6 && digests >= 1, "{signed} signatures, {digests} digests");
}
