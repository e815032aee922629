//! Updates as Telegram sends them, and the refusals its server is known to give: every one of the
//! first is read for what it says, every one of the latter has a meaning.

use std::path::{Path, PathBuf};

use kabar::channel::telegram::webhook::{event, read};
use kabar::channel::telegram::{Failure, codes};
use kabar::channel::{Event, InboundBody, RawKind, SendError};
use kabar::domain::clock::Timestamp;
use kabar::domain::consent::Lesson;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One of our own payloads, as a word or two.
fn said(name: &str) -> String {
    let (raw, _) = event(json(&root().join("tests/fixtures/telegram").join(name)), NOW);
    let understood = read(&raw.payload);
    assert_eq!(raw.kind == RawKind::Other, understood == Event::Other, "{name}");
    match understood {
        Event::Message(inbound) => {
            assert_eq!(inbound.from.chat.unwrap().expose(), 5_512_340_987, "{name}");
            match inbound.body {
                InboundBody::Text(text) => text.expose().to_owned(),
                InboundBody::Choice { id, title } => format!("{id}={}", title.expose()),
                InboundBody::Unreadable => "unreadable".to_owned(),
                InboundBody::Silent => "silent".to_owned(),
            }
        }
        Event::Phone(proof) => format!("phone {}", proof.phone.expose()),
        Event::OptOut(out) if out.is_over => "back".to_owned(),
        Event::OptOut(_) => "opted out".to_owned(),
        Event::Receipt(_) | Event::Template(_) => panic!("{name}: a word of another provider"),
        Event::DayLimit(_) | Event::Other => "other".to_owned(),
    }
}

#[test]
fn each_kind_of_update_is_read_for_what_it_says() {
    let expected = [
        ("button.json", "do:status=Cek status"),
        ("button_inaccessible.json", "do:menu=do:menu"),
        ("channel_post.json", "other"),
        ("edited.json", "other"),
        ("group.json", "other"),
        ("kicked.json", "opted out"),
        ("member.json", "back"),
        ("other_bot.json", "other"),
        ("other_contact.json", "unreadable"),
        ("own_contact.json", "phone +6281234567890"),
        ("photo_with_caption.json", "ini suratnya pak"),
        ("pinned.json", "silent"),
        ("start.json", "/start K7QX3M"),
        ("text.json", "ktp sy udah jadi blm ya? 🙏"),
        ("unknown_kind.json", "other"),
        ("voice.json", "unreadable"),
    ];
    for (file, words) in expected {
        assert_eq!(said(file), words, "{file}");
    }
    let folder = root().join("tests/fixtures/telegram");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names, expected.map(|(file, _)| file), "every file is read");
}

#[test]
fn somebody_elses_number_is_not_kept() {
    let update = json(&root().join("tests/fixtures/telegram/other_contact.json"));
    let (raw, _) = event(update, NOW);
    assert!(!raw.payload.contains("81399900011"), "{}", raw.payload);
}

/// The status that comes with a description, by the name it begins with.
fn status(description: &str) -> u16 {
    let name = description.split(':').next().unwrap_or_default();
    match name {
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "Not Found" => 404,
        "Conflict" => 409,
        "Too Many Requests" => 429,
        "Internal Server Error" => 500,
        _ => 400,
    }
}

#[test]
fn every_description_of_telegrams_server_has_a_meaning() {
    let path = root().join("../shared/fixtures/telegram/server-error-strings.json");
    if !path.is_file() {
        return;
    }
    let known = json(&path);
    let mut descriptions: Vec<String> =
        serde_json::from_value(known["prefixed"].clone()).expect("a list of texts");
    for row in known["status_errors"].as_array().unwrap() {
        descriptions.push(format!("Bad Request: {}", row[1].as_str().unwrap()));
    }
    assert!(descriptions.len() > 100, "{}", descriptions.len());
    for description in descriptions {
        let status = status(&description);
        let failure = Failure::Refused { status, description: description.clone(), after: None };
        let found = codes::classify(&failure);
        let is_fine = match status {
            401 | 404 => matches!(found, SendError::Misconfigured(_)),
            403 => matches!(found, SendError::RecipientGone(_)),
            409 | 429 => matches!(found, SendError::Retry { .. }),
            500 => matches!(found, SendError::Unknown(_)),
            _ => matches!(
                found,
                SendError::Rejected(_) | SendError::RecipientGone(_) | SendError::Misconfigured(_)
            ),
        };
        assert!(is_fine, "{description}: {found:?}");
        if description.contains("kicked") || description.contains("blocked") {
            assert_eq!(found.fault().lesson, Some(Lesson::OptedOut), "{description}");
        }
    }
}
