//! The adapter for Twilio against Twilio as the sandbox plays it.

use std::time::Duration;

use kabar::channel::{Event, InboundBody, Outbound, RawKind, Scope, SendError};
use kabar::domain::clock::Clock as _;
use kabar::domain::consent::Lesson;
use kabar::domain::message::ReceiptKind;
use kabar::sandbox::{Counterpart, Input, TwilioAccount};
use serde_json::{Value, json};

use crate::support::desk::{Desk, SITI};

const NUMBER: &str = "+15550001111";

fn keys(base: &str, sender: &str) -> String {
    format!(
        "api_url = \"{base}/twilio\"\naccount_sid = \"AC0001\"\nauth_token = \"rahasia\"\n\
         sender = \"{sender}\"\n"
    )
}

fn account(hook_url: &str, sender: &str) -> TwilioAccount {
    TwilioAccount {
        id: "tw-desa".into(),
        label: "Dukcapil Contoh".into(),
        account_sid: "AC0001".into(),
        auth_token: "rahasia".into(),
        sender: sender.into(),
        inbound_url: format!("{hook_url}/inbound"),
    }
}

async fn desk_of(sender: &str) -> Desk {
    let counterpart = |url: &str| Counterpart::Twilio(account(url, sender));
    Desk::start("twilio", |base| keys(base, sender), counterpart).await
}

async fn desk() -> Desk {
    desk_of(NUMBER).await
}

#[tokio::test]
async fn a_message_says_for_how_many_seconds_it_is_worth_sending() {
    let desk = desk().await;
    let valid_until = Some(desk.clock.now().after(Duration::from_secs(7_200)));
    let message = Outbound { valid_until, ..desk.outbound(SITI, "KTP-el sudah jadi.") };
    desk.channel.send(&message).await.unwrap();
    assert_eq!(desk.sandbox.sent()[0].body["ValidityPeriod"], "7200");
}

#[tokio::test]
async fn a_message_arrives_and_its_callbacks_carry_our_id() {
    for (sender, is_two_way) in [(NUMBER, true), ("DUKCAPIL", false), ("MG0001", false)] {
        let desk = desk_of(sender).await;
        assert_eq!(desk.channel.offer().is_two_way, is_two_way);
        let message = desk.outbound(SITI, "KTP-el & KK sudah jadi + siap. ✓");
        let accepted = desk.channel.send(&message).await.unwrap();
        let receipts = desk.receipts().await;
        let kinds: Vec<_> = receipts.iter().map(|receipt| receipt.kind).collect();
        assert_eq!(kinds, [ReceiptKind::Sent, ReceiptKind::Delivered], "{sender}");
        for receipt in receipts {
            assert_eq!(receipt.message, Some(message.id));
            assert_eq!(receipt.provider_message_id, accepted.provider_message_id);
            assert_eq!(receipt.happened_at, desk.clock.now());
        }
        let phone = desk.sandbox.phone(SITI).unwrap();
        assert_eq!(phone.bubbles[0].text, "KTP-el & KK sudah jadi + siap. ✓");
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_unknown_and_the_callback_settles_it() {
    for fault in [
        json!({"kind": "hang_up", "count": 1}),
        json!({"kind": "slow", "count": 1}),
        json!({"kind": "error_after_accept", "count": 1}),
        json!({"kind": "error_after_accept", "status": 503, "count": 1}),
    ] {
        let desk = desk().await;
        desk.fault(fault.clone());
        let message = desk.outbound(SITI, "halo");
        let error = desk.channel.send(&message).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{fault}: {error}");
        let receipts = desk.receipts().await;
        assert_eq!(receipts.len(), 2, "{fault}");
        assert!(receipts.iter().all(|receipt| receipt.message == Some(message.id)), "{fault}");
    }
}

#[tokio::test]
async fn too_many_requests_make_the_account_wait_and_nothing_was_taken() {
    let desk = desk().await;
    desk.fault(json!({"kind": "throttle", "seconds": 30}));
    let message = desk.outbound(SITI, "halo");
    let error = desk.channel.send(&message).await.unwrap_err();
    let SendError::Retry { after, scope, fault } = error else { panic!("{error}") };
    assert_eq!((after, scope), (Some(Duration::from_secs(30)), Scope::Account));
    assert_eq!(fault.code, "20429");
    assert!(desk.sandbox.phone(SITI).is_none());
}

#[tokio::test]
async fn refusals_name_whose_fault_it_is_and_what_they_teach() {
    let desk = desk().await;
    for (fault, word, lesson) in [
        (json!({"kind": "refuse"}), "recipient_gone", Some(Lesson::NotReachable)),
        (json!({"kind": "refuse", "code": 21_610}), "recipient_gone", Some(Lesson::OptedOut)),
        (json!({"kind": "refuse", "code": 21_617}), "rejected", None),
        (json!({"kind": "refuse", "code": 20_003}), "misconfigured", None),
        (json!({"kind": "refuse", "code": 30_002}), "misconfigured", None),
        (json!({"kind": "refuse", "code": 20_503}), "retry", None),
        (json!({"kind": "refuse", "code": 77_777}), "rejected", None),
        (json!({"kind": "refuse", "code": 77_777, "status": 500}), "unknown", None),
        (json!({"kind": "not_json"}), "unknown", None),
        (json!({"kind": "not_json", "status": 404}), "misconfigured", None),
    ] {
        desk.fault(fault.clone());
        let error = desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap_err();
        assert_eq!((error.word(), error.fault().lesson), (word, lesson), "{fault}: {error}");
    }
}

#[tokio::test]
async fn a_wrong_token_or_sender_is_the_accounts_fault() {
    let probe = desk().await.channel.probe().await.unwrap();
    assert_eq!(probe, "Dukcapil Contoh, active");
    for (right, wrong, code) in [
        ("rahasia", "salah", "20003"),
        ("AC0001", "AC0002", "20003"),
        (NUMBER, "+15550002222", "21606"),
    ] {
        let keys = |base: &str| keys(base, NUMBER).replace(right, wrong);
        let counterpart = |url: &str| Counterpart::Twilio(account(url, NUMBER));
        let desk = Desk::start("twilio", keys, counterpart).await;
        let error = desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap_err();
        assert!(matches!(error, SendError::Misconfigured(_)), "{error}");
        assert_eq!(error.fault().code, code);
        assert_eq!(desk.channel.probe().await.is_err(), code == "20003");
        assert!(desk.sandbox.phone(SITI).is_none());
    }
}

#[tokio::test]
async fn a_failure_on_the_way_says_why() {
    let desk = desk().await;
    for (code, found, lesson) in [
        (None, "30008", Some(Lesson::Undelivered)),
        (Some(30_005), "30005", Some(Lesson::NotReachable)),
        (Some(30_007), "30007", None),
        (Some(21_610), "21610", Some(Lesson::OptedOut)),
    ] {
        desk.fault(json!({"kind": "fail", "code": code}));
        desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap();
        let receipts = desk.receipts().await;
        let [receipt] = receipts.as_slice() else { panic!("{receipts:?}") };
        assert_eq!(receipt.kind, ReceiptKind::Failed);
        let fault = receipt.fault.clone().unwrap();
        assert_eq!((fault.code.as_str(), fault.lesson), (found, lesson));
    }
}

#[tokio::test]
async fn callbacks_come_early_twice_or_the_wrong_way_round() {
    let desk = desk().await;
    for (kind, words) in [
        ("early_status", vec!["sent", "delivered"]),
        ("reorder_status", vec!["delivered", "sent"]),
        ("duplicate_status", vec!["sent", "sent", "delivered", "delivered"]),
        ("duplicate_webhook", vec!["sent", "sent", "delivered", "delivered"]),
        ("silent", vec![]),
    ] {
        desk.fault(json!({"kind": kind}));
        desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap();
        let heard = desk.heard().await;
        let mut keys: Vec<&str> = heard.iter().map(|(raw, _)| raw.key.as_str()).collect();
        let found: Vec<_> =
            keys.iter().map(|key| key.rsplit(':').next().unwrap().to_owned()).collect();
        assert_eq!(found, words, "{kind}");
        keys.sort_unstable();
        keys.dedup();
        assert!(keys.len() <= 2, "{kind}: a repeat has the key of the first");
    }
}

#[tokio::test]
async fn a_citizen_writes_and_is_heard_with_every_letter() {
    let desk = desk().await;
    for text in ["STOP", "a&b=c+d 🙏 %20", "NIK saya 3517091204560001"] {
        desk.sandbox.write(SITI, Some("tw-desa"), Input::Text(text.into())).unwrap();
    }
    let texts =
        ["STOP", "a&b=c+d 🙏 %20", "NIK saya [NIK]"].map(|text| (SITI.to_owned(), text.into()));
    assert_eq!(desk.texts().await, texts);
    desk.fault(json!({"kind": "duplicate_webhook"}));
    desk.sandbox.write(SITI, Some("tw-desa"), Input::Text("STATUS".into())).unwrap();
    let heard = desk.heard().await;
    assert_eq!((heard.len(), &heard[0].0), (2, &heard[1].0));
}

#[tokio::test]
async fn a_picture_is_unreadable_and_a_short_code_is_nobody() {
    let desk = desk().await;
    let raw = |raw: Value| match raw {
        Value::Object(raw) => Input::Raw(raw),
        _ => panic!(),
    };
    let picture = raw(json!({"type": "mms", "NumMedia": 1, "MediaContentType0": "image/jpeg"}));
    desk.sandbox.write(SITI, Some("tw-desa"), picture).unwrap();
    let code = raw(json!({"type": "text", "From": "98108", "Body": "Pulsa habis"}));
    desk.sandbox.write(SITI, Some("tw-desa"), code).unwrap();
    let heard = desk.heard().await;
    let Event::Message(inbound) = &heard[0].1 else { panic!() };
    assert_eq!(inbound.body, InboundBody::Unreadable);
    assert_eq!((heard[1].0.kind, &heard[1].1), (RawKind::Other, &Event::Other));
}

#[tokio::test]
async fn twilio_says_what_is_wrong_in_its_own_shape_and_where_a_message_stands() {
    let desk = desk().await;
    let url = format!("{}/twilio/2010-04-01/Accounts/AC0001", desk.base);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let long = "x".repeat(1_601);
    for (form, code) in [
        (vec![("From", NUMBER), ("Body", "x")], 21_604),
        (vec![("To", "0812"), ("From", NUMBER), ("Body", "x")], 21_211),
        (vec![("To", SITI), ("Body", "x")], 21_603),
        (vec![("To", SITI), ("From", "X"), ("Body", "x")], 21_606),
        (vec![("To", SITI), ("MessagingServiceSid", "MG9"), ("Body", "x")], 21_705),
        (vec![("To", SITI), ("From", NUMBER)], 21_602),
        (vec![("To", SITI), ("From", NUMBER), ("Body", long.as_str())], 21_617),
        (vec![("To", SITI), ("From", NUMBER), ("Body", "x"), ("StatusCallback", "x")], 21_609),
    ] {
        let answer = client
            .post(format!("{url}/Messages.json"))
            .basic_auth("AC0001", Some("rahasia"))
            .body(serde_urlencoded::to_string(&form).unwrap())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400);
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["code"], &body["status"]), (&json!(code), &json!(400)));
        assert_eq!(body["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
    }
    let accepted = desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap();
    desk.sandbox.idle().await;
    let message = format!("{url}/Messages/{}.json", accepted.provider_message_id);
    let answer = client.get(message).basic_auth("AC0001", Some("rahasia")).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["status"], &body["num_segments"]), (&json!("delivered"), &json!("1")));
    let other = url.replace("AC0001", "AC0009.json");
    let answer = client.get(other).basic_auth("AC0001", Some("rahasia")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
}
