//! The adapter for SMS Gateway for Android against the gateway as the sandbox plays it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kabar::channel::{NotStored, Outbound, RawEvent, RawKind, Scope, SendError, Sink};
use kabar::domain::clock::Clock as _;
use kabar::domain::message::ReceiptKind;
use kabar::sandbox::{AndroidPhone, Counterpart, Input};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::desk::{Desk, SITI};

fn keys(base: &str) -> String {
    format!(
        "api_url = \"{base}/android/3rdparty/v1\"\nusername = \"desa\"\npassword = \"rahasia\"\n\
         webhook_key = \"kunci\"\nsim_number = 1\n"
    )
}

fn phone(webhook_url: &str) -> AndroidPhone {
    AndroidPhone {
        id: "hp-desa".into(),
        label: "HP Desa".into(),
        username: "desa".into(),
        password: "rahasia".into(),
        webhook_key: "kunci".into(),
        number: "+6281100000000".into(),
        webhook_url: webhook_url.into(),
    }
}

/// A desk whose phone posts to us without being asked.
async fn desk() -> Desk {
    Desk::start("android", keys, |url| Counterpart::Android(phone(url))).await
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn webhooks(desk: &Desk) -> Vec<Value> {
    let url = format!("{}/android/3rdparty/v1/webhooks", desk.base);
    let answer = client().get(url).basic_auth("desa", Some("rahasia")).send().await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_message_says_until_when_it_is_worth_sending() {
    let desk = desk().await;
    let valid_until = Some(desk.clock.now().after(Duration::from_secs(86_400)));
    let message = Outbound { valid_until, ..desk.outbound(SITI, "KTP-el sudah jadi.") };
    desk.channel.send(&message).await.unwrap();
    let body = desk.sandbox.sent()[0].body.clone();
    let written = chrono::DateTime::parse_from_rfc3339(body["validUntil"].as_str().unwrap());
    assert_eq!(Some(written.unwrap().into()), valid_until);
    assert!(body.get("ttl").is_none(), "the two exclude each other");
}

struct NoSink;

#[async_trait]
impl Sink for NoSink {
    async fn store(&self, _: Vec<RawEvent>) -> Result<(), NotStored> {
        Err(NotStored)
    }
}

#[tokio::test]
async fn a_message_arrives_and_its_receipts_carry_our_id() {
    let desk = desk().await;
    let message = desk.outbound(SITI, "KTP-el Ibu sudah jadi. ✓");
    let accepted = desk.channel.send(&message).await.unwrap();
    assert_eq!(accepted.provider_message_id, message.id.to_string());
    let receipts = desk.receipts().await;
    let kinds: Vec<_> = receipts.iter().map(|receipt| receipt.kind).collect();
    assert_eq!(kinds, [ReceiptKind::Sent, ReceiptKind::Delivered]);
    for receipt in receipts {
        assert_eq!(receipt.message, Some(message.id));
        assert_eq!(receipt.happened_at, desk.clock.now());
        assert_eq!(receipt.fault, None);
    }
    let phone = desk.sandbox.phone(SITI).unwrap();
    assert_eq!(phone.bubbles[0].text, "KTP-el Ibu sudah jadi. ✓");
    assert_eq!((phone.bubbles[0].channel, phone.bubbles.len()), ("sms", 1));
}

#[tokio::test]
async fn the_same_message_twice_is_one_message() {
    let desk = desk().await;
    let message = desk.outbound(SITI, "sekali saja");
    let first = desk.channel.send(&message).await.unwrap();
    assert_eq!(desk.channel.send(&message).await.unwrap(), first);
    assert_eq!(desk.sandbox.phone(SITI).unwrap().bubbles.len(), 1);
    assert_eq!(desk.sandbox.sent().last().unwrap().error_code, Some(409));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_unknown_and_the_repeat_finds_the_message() {
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
        desk.channel.send(&message).await.unwrap();
        assert_eq!(desk.sandbox.phone(SITI).unwrap().bubbles.len(), 1, "{fault}");
        assert_eq!(desk.words().await, ["sent", "delivered"], "{fault}");
    }
}

#[tokio::test]
async fn a_full_queue_makes_the_account_wait_and_nothing_was_taken() {
    let desk = desk().await;
    desk.fault(json!({"kind": "throttle", "seconds": 90}));
    let message = desk.outbound(SITI, "halo");
    let error = desk.channel.send(&message).await.unwrap_err();
    let SendError::Retry { after, scope, fault } = error else { panic!("{error}") };
    assert_eq!((after, scope), (Some(Duration::from_secs(90)), Scope::Account));
    assert_eq!(fault.code, "QueueLimitExceeded");
    assert!(desk.sandbox.phone(SITI).is_none());
    desk.sandbox.set_faults(vec![]);
    desk.channel.send(&message).await.unwrap();
}

#[tokio::test]
async fn refusals_name_whose_fault_it_is() {
    let desk = desk().await;
    for (fault, word) in [
        (json!({"kind": "refuse"}), "rejected"),
        (json!({"kind": "refuse", "code": 403}), "misconfigured"),
        (json!({"kind": "refuse", "code": 500}), "unknown"),
        (json!({"kind": "not_json"}), "unknown"),
        (json!({"kind": "not_json", "status": 200}), "unknown"),
        (json!({"kind": "not_json", "status": 404}), "misconfigured"),
    ] {
        desk.fault(fault.clone());
        let error = desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap_err();
        assert_eq!(error.word(), word, "{fault}: {error}");
    }
    let wrong = |base: &str| keys(base).replace("rahasia", "salah");
    let desk = Desk::start("android", wrong, |url| Counterpart::Android(phone(url))).await;
    let error = desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap_err();
    assert!(matches!(error, SendError::Misconfigured(_)), "{error}");
    let error = desk.channel.probe().await.unwrap_err();
    assert!(matches!(error, SendError::Misconfigured(_)), "{error}");
}

#[tokio::test]
async fn a_failure_on_the_phone_says_why() {
    let desk = desk().await;
    for (code, reason) in [
        (None, "RESULT_ERROR_GENERIC_FAILURE"),
        (Some(4), "RESULT_ERROR_NO_SERVICE"),
        (Some(120), "RESULT_RIL_SIM_ABSENT"),
    ] {
        desk.fault(json!({"kind": "fail", "code": code}));
        desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap();
        let receipts = desk.receipts().await;
        let [receipt] = receipts.as_slice() else { panic!("{receipts:?}") };
        let fault = receipt.fault.clone().unwrap();
        assert_eq!(receipt.kind, ReceiptKind::Failed);
        assert_eq!((fault.code.as_str(), fault.lesson), (reason, None));
    }
}

#[tokio::test]
async fn receipts_come_early_twice_or_the_wrong_way_round_and_are_told_apart() {
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
async fn a_citizen_writes_and_every_message_is_one_of_its_own() {
    let desk = desk().await;
    for text in ["STATUS", "STATUS", "NIK saya 3517091204560001 🙏"] {
        desk.sandbox.write(SITI, Some("hp-desa"), Input::Text(text.into())).unwrap();
    }
    let heard = desk.heard().await;
    let mut keys: Vec<_> = heard.iter().map(|(raw, _)| raw.key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3, "the same words again are another message");
    assert!(!heard[2].0.payload.contains("3517091204560001"));
    desk.fault(json!({"kind": "duplicate_webhook"}));
    desk.sandbox.write(SITI, None, Input::Text("BERHENTI".into())).unwrap_err();
    desk.sandbox.write(SITI, Some("hp-desa"), Input::Text("BERHENTI".into())).unwrap();
    let heard = desk.heard().await;
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].0, heard[1].0, "brought again it is the same");
}

#[tokio::test]
async fn what_is_no_text_of_a_citizen_is_kept_and_not_answered() {
    let desk = desk().await;
    for raw in [
        json!({"type": "sms:received", "sender": "98108", "message": "Pulsa habis"}),
        json!({"type": "mms:received", "subject": "foto"}),
        json!({"type": "system:ping"}),
    ] {
        let Value::Object(raw) = raw else { panic!() };
        desk.sandbox.write(SITI, Some("hp-desa"), Input::Raw(raw)).unwrap();
    }
    let kinds: Vec<_> = desk.heard().await.iter().map(|(raw, _)| raw.kind).collect();
    assert_eq!(kinds, [RawKind::Other; 3]);
}

#[tokio::test]
async fn the_adapter_registers_what_is_missing_of_its_webhooks_and_then_hears() {
    let desk = Desk::start("android", keys, |_| Counterpart::Android(phone(""))).await;
    let says = desk.channel.probe().await.unwrap();
    assert!(says.contains("sms:received"), "{says}");
    for round in 0..2 {
        let (channel, stop) = (Arc::clone(&desk.channel), CancellationToken::new());
        let ending = stop.clone();
        let listening = tokio::spawn(async move { channel.listen(Arc::new(NoSink), ending).await });
        while webhooks(&desk).await.len() < 4 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        listening.await.unwrap();
        let mut events: Vec<String> = webhooks(&desk)
            .await
            .iter()
            .map(|hook| {
                assert_eq!(hook["url"], desk.hook_url.as_str());
                hook["event"].as_str().unwrap().to_owned()
            })
            .collect();
        events.sort();
        let all = ["sms:delivered", "sms:failed", "sms:received", "sms:sent"];
        assert_eq!(events, all, "round {round}");
        if round == 0 {
            // Somebody takes one away; the next start brings that one back and no other.
            let gone = webhooks(&desk).await[1]["id"].as_str().unwrap().to_owned();
            let answer = client()
                .delete(format!("{}/android/3rdparty/v1/webhooks/{gone}", desk.base))
                .basic_auth("desa", Some("rahasia"))
                .send();
            assert_eq!(answer.await.unwrap().status(), 204);
        }
    }
    assert!(!desk.channel.probe().await.unwrap().contains("will be registered"));
    desk.channel.send(&desk.outbound(SITI, "halo")).await.unwrap();
    assert_eq!(desk.words().await, ["sent", "delivered"]);
    desk.sandbox.write(SITI, None, Input::Text("terima kasih".into())).unwrap();
    assert_eq!(desk.texts().await, [(SITI.to_owned(), "terima kasih".to_owned())]);
}

#[tokio::test]
async fn the_gateway_tells_where_a_message_stands_and_takes_no_unknown_webhook() {
    let desk = desk().await;
    let message = desk.outbound(SITI, "halo");
    desk.channel.send(&message).await.unwrap();
    desk.sandbox.idle().await;
    let base = format!("{}/android/3rdparty/v1", desk.base);
    let url = format!("{base}/messages/{}", message.id);
    let answer = client().get(&url).basic_auth("desa", Some("rahasia")).send().await.unwrap();
    let state: Value = answer.json().await.unwrap();
    assert_eq!(state["state"], "Delivered");
    assert_eq!(state["recipients"][0]["phoneNumber"], SITI);
    assert_eq!(client().get(&url).send().await.unwrap().status(), 401);
    for hook in [
        json!({"event": "sms:received", "url": "http://desa.example/hook"}),
        json!({"event": "sms:gone", "url": "https://desa.example/hook"}),
        json!({"url": "https://desa.example/hook"}),
    ] {
        let answer = client()
            .post(format!("{base}/webhooks"))
            .basic_auth("desa", Some("rahasia"))
            .json(&hook)
            .send();
        assert_eq!(answer.await.unwrap().status(), 400, "{hook}");
    }
}
