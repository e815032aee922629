//! Payloads as Meta posts them, our own and, where they are at hand, Meta's published examples:
//! each is taken apart without loss and read without complaint.

use std::path::{Path, PathBuf};

use kabar::channel::RawKind;
use kabar::channel::whatsapp::webhook::{is_signed, read, split};
use kabar::channel::{Event, InboundBody};
use kabar::domain::message::ReceiptKind;
use kabar::domain::template_state::TemplateState;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.sort();
    files
}

/// How many messages, statuses and changes without either a body holds, counted by hand.
fn counted(body: &Value) -> (usize, usize, usize) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut counts = (0, 0, 0);
    for entry in list(&body["entry"]) {
        for change in list(&entry["changes"]) {
            let messages = list(&change["value"]["messages"]).len();
            let statuses = list(&change["value"]["statuses"]).len();
            counts.0 += messages;
            counts.1 += statuses;
            counts.2 += usize::from(messages + statuses == 0);
        }
    }
    counts
}

fn check(name: &str, body: &Value) {
    let events = split(body.to_string().as_bytes());
    let of = |kind| events.iter().filter(|event| event.kind == kind).count();
    let found = (of(RawKind::Message), of(RawKind::Receipt), of(RawKind::Other));
    assert_eq!(found, counted(body), "{name}");
    let mut keys: Vec<_> = events.iter().map(|event| event.key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), events.len(), "{name}: each event is one of its own");
    for event in &events {
        let understood = read(&event.payload);
        assert!(
            match event.kind {
                // Senders without an Indonesian number are no people we know how to answer.
                RawKind::Message => matches!(understood, Event::Message(_) | Event::Other),
                RawKind::Receipt => matches!(understood, Event::Receipt(_)),
                RawKind::Other =>
                    matches!(understood, Event::Template(_) | Event::DayLimit(_) | Event::Other),
            },
            "{name}: {understood:?}"
        );
    }
}

/// What one of our own payloads says.
fn own(name: &str) -> Vec<Event> {
    let body = json(&root().join("tests/fixtures/whatsapp").join(name));
    split(body.to_string().as_bytes()).iter().map(|event| read(&event.payload)).collect()
}

fn inbound(name: &str) -> InboundBody {
    match own(name).as_slice() {
        [Event::Message(inbound)] => {
            assert!(inbound.from.phone.is_some() || inbound.from.bsuid.is_some(), "{name}");
            inbound.body.clone()
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn words(body: &InboundBody) -> String {
    match body {
        InboundBody::Text(text) => text.expose().to_owned(),
        InboundBody::Choice { id, title } => format!("{id}={}", title.expose()),
        InboundBody::Unreadable => "unreadable".to_owned(),
        InboundBody::Silent => "silent".to_owned(),
    }
}

#[test]
fn every_payload_of_ours_is_taken_apart_without_loss() {
    let all = files(&root().join("tests/fixtures/whatsapp"));
    assert!(all.len() >= 12, "{}", all.len());
    for path in all {
        check(&path.display().to_string(), &json(&path));
    }
}

#[test]
fn each_kind_of_message_is_read_for_what_it_says() {
    for (file, expected) in [
        ("text.json", "ktp sy udah jadi blm ya? 🙏"),
        ("button.json", "STATUS=Cek status"),
        ("button_reply.json", "card:crd_1=Siti A."),
        ("list_reply.json", "req_ktp_lost=KTP hilang"),
        ("location.json", "unreadable"),
        ("image_with_caption.json", "ini suratnya pak"),
        ("unsupported.json", "silent"),
        ("number_change.json", "silent"),
        ("user_id_only.json", "cek status"),
    ] {
        assert_eq!(words(&inbound(file)), expected, "{file}");
    }
}

#[test]
fn each_kind_of_status_is_read_for_what_it_says() {
    let receipt = |file: &str| match own(file).as_slice() {
        [Event::Receipt(receipt)] => receipt.clone(),
        other => panic!("{file}: {other:?}"),
    };
    let sent = receipt("status_sent.json");
    assert_eq!(sent.kind, ReceiptKind::Sent);
    assert!(sent.message.is_some(), "our id is echoed");
    assert_eq!(receipt("status_delivered.json").kind, ReceiptKind::Delivered);
    let failed = receipt("status_failed.json");
    assert_eq!(failed.kind, ReceiptKind::Failed);
    assert_eq!(failed.fault.unwrap().code, "131026");
}

#[test]
fn several_things_in_one_body_are_all_there_and_what_is_not_ours_is_kept() {
    let kinds: Vec<_> = own("batched.json")
        .iter()
        .map(|event| match event {
            Event::Message(_) => "message",
            Event::Receipt(_) => "receipt",
            Event::Phone(_)
            | Event::OptOut(_)
            | Event::Template(_)
            | Event::DayLimit(_)
            | Event::Other => "other",
        })
        .collect();
    assert_eq!(kinds, ["message", "message", "receipt", "receipt", "receipt", "other"]);
    assert_eq!(own("user_id_update.json"), [Event::Other]);
    let told = own("template_status.json");
    let [Event::Template(news)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (news.name.as_str(), news.state),
        ("kabar_card_printed_v1", Some(TemplateState::Paused))
    );
}

#[test]
fn metas_published_examples_and_captures_are_taken_apart_without_loss() {
    let folder = root().join("../shared/fixtures");
    if !folder.is_dir() {
        return;
    }
    let examples = json(&folder.join("meta-openapi/webhook-examples.json"));
    for (name, body) in examples.as_object().unwrap() {
        check(name, body);
    }
    for path in files(&folder.join("whaloc")) {
        check(&path.display().to_string(), &json(&path));
    }
    let vectors = json(&folder.join("signature-vectors.json"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut count = 0;
    for vector in vectors.as_array().unwrap() {
        if vector["scheme"].as_str().is_some_and(|scheme| scheme.starts_with("meta ")) {
            let (secret, body) = (text(&vector["secret"]), text(&vector["body_bytes_utf8"]));
            let header = text(&vector["header"]);
            assert!(is_signed(&secret, body.as_bytes(), &header), "{body}");
            assert!(!is_signed(&secret, format!("{body} ").as_bytes(), &header), "{body}");
            count += 1;
        }
    }
    assert!(count >= 5, "{count} vectors");
}
