//! In: citizens' messages, and who must prove what at the webhook.

use kabar::sandbox::{FaultKind, Side};
use reqwest::StatusCode;

use super::Gateway;
use super::desk::Desk;
use super::proof::Proof;
use crate::support::citizen::Citizen;
use crate::support::{Start, citizen, list};

/// The office knows the card of that citizen, who heard of it.
async fn told(start: Start, gateway: &'static Gateway) -> (Desk, Citizen) {
    let desk = Desk::open(start, gateway).await;
    let siti = citizen(6);
    desk.announce(&siti).await;
    assert_eq!(desk.on_phone(&siti).len(), 1);
    (desk, siti)
}

/// Nobody can write to a gateway that takes no answers.
async fn assert_takes_no_answers(desk: &Desk, siti: &Citizen) {
    assert!(desk.write(siti, "halo").is_err());
    desk.settle().await;
    assert_eq!(desk.on_phone(siti).len(), 1);
}

pub async fn who_asks_by_sms_gets_one_answer(start: Start, gateway: &'static Gateway) {
    let (desk, siti) = told(start, gateway).await;
    if !gateway.is_two_way {
        return assert_takes_no_answers(&desk, &siti).await;
    }
    desk.write(&siti, "sudah jadi belum?").unwrap();
    desk.settle().await;
    let bubbles = desk.on_phone(&siti);
    assert_eq!(bubbles.len(), 2, "one answer: {bubbles:?}");
    assert!(bubbles[1].text.contains("sudah dicetak"), "{}", bubbles[1].text);
    let states = desk.app.states().await;
    assert_eq!(states[1], (desk.end().to_owned(), "asked".to_owned()));
    desk.advance(3600).await;
    assert_eq!(desk.on_phone(&siti).len(), 2);
}

pub async fn a_webhook_that_comes_twice_is_answered_once(start: Start, gateway: &'static Gateway) {
    let (desk, siti) = told(start, gateway).await;
    if !gateway.is_two_way {
        return assert_takes_no_answers(&desk, &siti).await;
    }
    let before = desk.hooks.seen().len();
    desk.fault(FaultKind::DuplicateWebhook, 1);
    desk.write(&siti, "sudah jadi belum?").unwrap();
    desk.settle().await;
    desk.advance(3600).await;
    assert_eq!(desk.on_phone(&siti).len(), 2, "one answer");
    assert_eq!(desk.count("inbound").await, 1);
    if !matches!(gateway.proof, Proof::NoWebhook) {
        let bodies: Vec<_> =
            desk.hooks.seen().drain(before..).map(|hook| (hook.path, hook.body)).collect();
        let copies = bodies.iter().filter(|body| **body == bodies[0]).count();
        assert_eq!(copies, 2, "it came twice");
    }
    // Whoever says the same again is answered again.
    desk.write(&siti, "sudah jadi belum?").unwrap();
    desk.settle().await;
    assert_eq!(desk.on_phone(&siti).len(), 3);
}

pub async fn who_writes_stop_hears_nothing_more(start: Start, gateway: &'static Gateway) {
    let (desk, siti) = told(start, gateway).await;
    if !gateway.is_two_way {
        return assert_takes_no_answers(&desk, &siti).await;
    }
    desk.write(&siti, "STOP").unwrap();
    desk.settle().await;
    let bubbles = desk.on_phone(&siti);
    assert_eq!(bubbles.len(), 2, "one answer: {bubbles:?}");
    assert!(bubbles[1].text.contains("tidak akan"), "{}", bubbles[1].text);
    desk.app.card(&siti, "siap ambil").await;
    desk.settle().await;
    desk.advance(3600).await;
    let states = desk.app.states().await;
    assert_eq!(states[2], ("cancelled".to_owned(), "opted_out".to_owned()));
    assert_eq!(desk.on_phone(&siti).len(), 2);
}

/// What comes first while the door is shut is imitated by strangers before it may come in.
async fn assert_only_the_genuine_is_taken(desk: &Desk, gateway: &Gateway) {
    let genuine = desk.hooks.first().await;
    let forgeries = gateway.proof.forgeries(&genuine);
    assert!(!forgeries.is_empty());
    for forgery in forgeries {
        let status = forgery.post(&desk.app.http, &desk.app.url).await;
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        assert!(refused.contains(&status), "{status} for {forgery:?}");
    }
    desk.app.run_until_idle().await;
    assert_eq!(desk.count("inbox").await, 0, "nothing is stored");
    desk.hooks.open();
    // Not every provider brings again what was turned away, and whoever does repeats itself.
    assert_eq!(genuine.post(&desk.app.http, &desk.app.url).await, StatusCode::OK);
    assert_ne!(desk.count("inbox").await, 0, "what is genuine is taken");
    desk.settle().await;
}

/// Whatever is posted to the address of an account that has no webhook.
async fn assert_has_no_webhook(desk: &Desk, gateway: &Gateway) {
    let url = format!("{}/hooks/sms/{}", desk.app.url, gateway.name);
    for tail in ["", "/inbound", "/dlr"] {
        for request in
            [desk.app.http.get(format!("{url}{tail}")), desk.app.http.post(format!("{url}{tail}"))]
        {
            let status = request.query(&[("from", "+628123456789"), ("text", "halo")]).send().await;
            let status = status.unwrap().status();
            assert!(status.is_client_error(), "{status}");
        }
    }
    assert_eq!(desk.count("inbox").await, 0);
    assert!(desk.hooks.seen().iter().all(|hook| hook.status.is_client_error()));
}

pub async fn a_webhook_without_its_proof_is_refused_and_stores_nothing(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    if matches!(gateway.proof, Proof::NoWebhook) || !gateway.is_two_way {
        return assert_has_no_webhook(&desk, gateway).await;
    }
    desk.hooks.shut();
    let siti = citizen(6);
    desk.write(&siti, "sudah jadi belum?").unwrap();
    assert_only_the_genuine_is_taken(&desk, gateway).await;
    let phone = desk.sandbox.phone(&siti.e164).unwrap();
    let sides: Vec<_> = phone.bubbles.iter().map(|bubble| bubble.side).collect();
    assert_eq!(sides, [Side::Citizen, Side::Office], "one question, one answer");
}

pub async fn a_receipt_without_its_proof_is_refused_and_stores_nothing(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    if matches!(gateway.proof, Proof::NoWebhook) || !gateway.has_receipts {
        return assert_has_no_webhook(&desk, gateway).await;
    }
    desk.hooks.shut();
    desk.app.card(&citizen(6), "CARD_PRINTED").await;
    desk.app.run_until_idle().await;
    assert_only_the_genuine_is_taken(&desk, gateway).await;
    let story = desk.app.story(&desk.message().await).await;
    assert!(!list(&story["receipts"]).is_empty(), "{story}");
}
