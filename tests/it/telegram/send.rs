//! Out: what reaches the phone, and what each refusal means.

use kabar::channel::FileSource;
use kabar::domain::attachment::{Attachment, FileKind};
use kabar::domain::outbound::Pin;
use kabar::domain::service_point::GeoPoint;

use super::*;

#[tokio::test]
async fn a_message_stands_on_the_phone_with_its_buttons_under_the_id_we_are_told() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let message = message(&siti, "KTP-el *Anda* sudah jadi.", &[("do:status", "Cek status")]);
    let accepted = in_time(bench.client.send(&message)).await.unwrap();
    let chat = siti.chat.unwrap().expose();
    assert!(accepted.provider_message_id.starts_with(&format!("{chat}:")));
    let phone = bench.sandbox.phone(SITI).unwrap();
    let bubble = phone.bubble(&accepted.provider_message_id).unwrap();
    assert_eq!((bubble.text.as_str(), bubble.channel), ("KTP-el *Anda* sudah jadi.", "telegram"));
    assert_eq!(bubble.buttons[0].title, "Cek status");
    let sent = bench.sandbox.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body["link_preview_options"]["is_disabled"], true);
    assert!(sent[0].body.get("parse_mode").is_none());
}

#[tokio::test]
async fn a_place_stands_on_the_phone_with_its_name_and_address() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let pin = Pin {
        place: GeoPoint::parse("-7.546", "112.233").unwrap(),
        name: "Kantor Kecamatan Jombang".to_owned(),
        address: "Jalan Contoh 1".to_owned(),
    };
    let message = Outbound { form: Form::Pin(pin), ..message(&siti, "", &[]) };
    let accepted = in_time(bench.client.send(&message)).await.unwrap();
    let phone = bench.sandbox.phone(SITI).unwrap();
    let bubble = phone.bubble(&accepted.provider_message_id).unwrap();
    assert_eq!(bubble.kind, "venue");
    assert_eq!(bubble.text, "📍 Kantor Kecamatan Jombang\nJalan Contoh 1\n-7.546, 112.233");
    let chat = siti.chat.unwrap().expose();
    let bad = json!({"chat_id": chat, "latitude": -97.5, "longitude": 112.2, "title": "x", "address": "y"});
    assert_eq!(bench.call("sendVenue", &bad).await["ok"], false);
    let nameless = json!({"chat_id": chat, "latitude": -7.5, "longitude": 112.2, "title": "x"});
    assert_eq!(bench.call("sendVenue", &nameless).await["ok"], false);
}

#[tokio::test]
async fn a_picture_comes_with_the_first_message_and_is_named_in_the_next() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let png = b"\x89PNG\r\n\x1a\n....".to_vec();
    let sends = async |kind: FileKind, source: FileSource, text: &str| {
        let file = Attachment { hash: "ab".repeat(32), kind, name: kind.name_of("Poster") };
        let text = MessageText::new(text);
        let form = Form::WithFile { file, source, template: None, text };
        in_time(bench.client.send(&Outbound { form, ..message(&siti, "", &[]) })).await
    };
    let first = sends(FileKind::Png, FileSource::Bytes(png.into()), "Pengumuman").await.unwrap();
    let id = first.file.expect("the name of the file");
    let again = sends(FileKind::Png, FileSource::Known(id.clone()), "Pengumuman").await.unwrap();
    assert_eq!(again.file.as_deref(), Some(id.as_str()));
    let sent = bench.sandbox.sent();
    let is_new = |n: usize| sent[n].body["photo"]["is_new"].clone();
    assert_eq!((sent.len(), is_new(0), is_new(1)), (2, json!(true), json!(false)));
    let phone = bench.sandbox.phone(SITI).unwrap();
    let bubble = phone.bubble(&again.provider_message_id).unwrap();
    assert_eq!((bubble.kind.as_str(), bubble.text.as_str()), ("photo", "Pengumuman"));
    assert_eq!(bubble.file.as_ref().unwrap().id, id);

    // Longer words than fit under it follow by themselves.
    let long = "kata ".repeat(300);
    let pdf = FileSource::Bytes(b"%PDF-1.4".to_vec().into());
    let paper = sends(FileKind::Pdf, pdf, &long).await.unwrap();
    let phone = bench.sandbox.phone(SITI).unwrap();
    let bubble = phone.bubble(&paper.provider_message_id).unwrap();
    assert_eq!((bubble.kind.as_str(), bubble.text.as_str()), ("document", ""));
    assert_eq!(bubble.file.as_ref().unwrap().name, "Poster.pdf");
    assert_eq!(phone.bubbles.back().unwrap().text, long.trim());

    let unknown = sends(FileKind::Png, FileSource::Known("x".to_owned()), "a").await.unwrap_err();
    assert!(matches!(unknown, SendError::Rejected(_)), "{unknown}");
}

#[tokio::test]
async fn the_longest_text_and_a_longer_one_are_taken() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    for length in [4096, 5000] {
        let id = bench.sends(&siti, &"😀".repeat(length)).await.unwrap();
        let phone = bench.sandbox.phone(SITI).unwrap();
        assert_eq!(phone.bubble(&id).unwrap().text.encode_utf16().count(), 4096);
    }
}

#[tokio::test]
async fn a_bot_finds_out_who_never_started_it_and_who_blocked_it() {
    let bench = Bench::start().await;
    let lesson = async |to: &Recipient| match bench.sends(to, "halo").await {
        Err(SendError::RecipientGone(fault)) => fault.lesson,
        other => panic!("{other:?}"),
    };
    assert_eq!(lesson(&stranger()).await, Some(Lesson::NotReachable));
    let siti = bench.siti().await;
    bench.does(Input::Raw(json!({ "type": "kicked" }).as_object().unwrap().clone()));
    assert_eq!(lesson(&siti).await, Some(Lesson::OptedOut));
    bench.sandbox.reset();
    bench.sandbox.add_phone(SITI, None, false).unwrap();
    // "Forbidden: bot can't initiate conversation with a user", which teloxide does not know.
    assert_eq!(lesson(&siti).await, Some(Lesson::NotReachable));
}

#[tokio::test]
async fn refusals_asked_for_by_status_mean_what_the_status_says() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let refused = async |code: u16| {
        bench.fault(json!({ "kind": "refuse", "code": code, "provider": "telegram" }));
        bench.sends(&siti, "halo").await.unwrap_err()
    };
    assert!(matches!(refused(400).await, SendError::RecipientGone(_)));
    assert!(matches!(refused(401).await, SendError::Misconfigured(_)));
    assert!(matches!(refused(403).await, SendError::RecipientGone(_)));
    assert!(matches!(refused(404).await, SendError::Misconfigured(_)));
    assert!(matches!(refused(429).await, SendError::Retry { after: Some(_), .. }));
    assert!(matches!(refused(500).await, SendError::Unknown(_)));
}

#[tokio::test]
async fn too_fast_means_that_the_chat_waits_as_long_as_telegram_says_and_not_the_bot() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    bench.fault(json!({ "kind": "throttle", "seconds": 35 }));
    for _ in 0..2 {
        match bench.sends(&siti, "halo").await.unwrap_err() {
            SendError::Retry { after: Some(after), scope, fault } => {
                assert!((30..=35).contains(&after.as_secs()), "{after:?}");
                assert_eq!((scope, fault.code.as_str()), (Scope::Recipient, "429"));
            }
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_failed_server_is_unknown_at_once_though_teloxide_would_sleep_on_it() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    for (kind, status) in [("not_json", 502), ("error_after_accept", 500), ("not_json", 503)] {
        bench.fault(json!({ "kind": kind, "status": status }));
        let error = bench.sends(&siti, "halo").await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{error}");
        assert_eq!(error.fault().code, format!("http_{status}"));
    }
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    bench.fault(json!({ "kind": "not_json", "status": 413 }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert!(matches!(error, SendError::Retry { scope: Scope::Account, .. }), "{error}");
    bench.fault(json!({ "kind": "not_json", "status": 200 }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)), "{error}");
    bench.fault(json!({ "kind": "hang_up" }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert_eq!((error.word(), error.fault().code.as_str()), ("unknown", "no_answer"));
    assert_eq!(bench.sandbox.sent().len(), 3, "each was one request");
}

#[tokio::test]
async fn a_slow_answer_is_unknown_when_the_time_is_over_and_taken_before() {
    let bench = Bench::start_with(|shared, _| shared.timeout = Duration::from_millis(50)).await;
    let siti = bench.siti().await;
    bench.fault(json!({ "kind": "slow", "seconds": 60 }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert_eq!((error.word(), error.fault().code.as_str()), ("unknown", "timeout"));
    let patient = Bench::start().await;
    let siti = patient.siti().await;
    patient.fault(json!({ "kind": "slow", "seconds": 1 }));
    patient.sends(&siti, "halo").await.unwrap();
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_address_say_so_without_the_token() {
    let wrong = Bench::start_with(|_, settings| {
        settings.bot_token = "7000000009:rahasia-lain".to_owned().into();
    })
    .await;
    let refused = wrong.sends(&stranger(), "halo").await.unwrap_err();
    assert!(matches!(refused, SendError::Misconfigured(_)), "{refused}");
    let nowhere = Bench::start_with(|_, settings| {
        settings.api_url = "http://127.0.0.1:9/".to_owned();
    })
    .await;
    let unreached = nowhere.sends(&stranger(), "halo").await.unwrap_err();
    assert!(matches!(unreached, SendError::Retry { scope: Scope::Account, .. }), "{unreached}");
    let broken = Bench::start_with(|_, settings| {
        settings.api_url = "http://[::1".to_owned();
    })
    .await;
    let not_made = broken.client.probe().await.unwrap_err();
    assert!(matches!(not_made, SendError::Misconfigured(_)), "{not_made}");
    for error in [refused, unreached, not_made] {
        assert!(!format!("{error} {error:?}").contains("rahasia"), "{error:?}");
    }
}

#[tokio::test]
async fn a_probe_gives_the_bots_name_and_sends_nothing() {
    let bench = Bench::start().await;
    assert_eq!(bench.client.invitation("K7QX3M9P"), None);
    assert_eq!(in_time(bench.client.probe()).await.unwrap(), "@kabar_contoh_bot");
    let link = bench.client.invitation("K7QX3M9P").unwrap();
    assert_eq!(link, "https://t.me/kabar_contoh_bot?start=K7QX3M9P");
    assert_eq!(bench.sandbox.sent().len(), 0);
}
