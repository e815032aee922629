//! What the provider says later: in any order, twice, early, and that it could not be done.

use kabar::sandbox::FaultKind;
use kabar::service::inbox;
use serde_json::Value;

use super::Gateway;
use super::desk::Desk;
use crate::support::{Start, citizen, list};

pub async fn a_receipt_says_that_the_message_was_delivered(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    desk.announce(&citizen(6)).await;
    let message = desk.message().await;
    assert_eq!(message["status"], desk.end(), "{message}");
    assert_eq!(message["delivered_at"].is_string(), gateway.has_receipts);
    let receipts = list(&desk.app.story(&message).await["receipts"]);
    assert_eq!(receipts.is_empty(), !gateway.has_receipts, "{receipts:?}");
    desk.advance(24 * 3600).await;
    assert_eq!(desk.message().await["status"], desk.end(), "its last word");
}

/// With that fault the message ends as without it, after one request.
async fn ends_well_with(start: Start, gateway: &'static Gateway, kind: FaultKind) -> Desk {
    let desk = Desk::open(start, gateway).await;
    desk.fault(kind, 1);
    desk.announce(&citizen(6)).await;
    desk.advance(3600).await;
    assert_eq!(desk.message().await["status"], desk.end());
    assert_eq!(desk.on_phone(&citizen(6)).len(), 1);
    assert_eq!(desk.sandbox.sent().len(), 1, "sent once");
    desk
}

pub async fn receipts_in_the_wrong_order_end_at_delivered(start: Start, gateway: &'static Gateway) {
    ends_well_with(start, gateway, FaultKind::ReorderStatus).await;
}

pub async fn receipts_that_come_twice_change_nothing(start: Start, gateway: &'static Gateway) {
    let desk = ends_well_with(start, gateway, FaultKind::DuplicateStatus).await;
    let story = desk.app.story(&desk.message().await).await;
    let mut kinds: Vec<_> =
        list(&story["receipts"]).iter().map(|r| r["kind"].to_string()).collect();
    let all = kinds.len();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), all, "each word once: {story}");
}

pub async fn a_receipt_before_the_answer_to_its_own_call_is_not_lost(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    desk.fault(FaultKind::EarlyStatus, 1);
    desk.app.card(&citizen(6), "CARD_PRINTED").await;
    desk.app.send_step().await;
    assert!(desk.app.wait_for_call().await);
    // The receipt came first, and is looked at before anybody reads the answer.
    inbox::step(&desk.app.app).await.unwrap();
    let message = desk.message().await;
    if gateway.has_receipts && gateway.has_echo {
        assert!(message["status"] != "sending", "{message}");
    } else {
        assert_eq!(message["status"], "sending", "{message}");
    }
    desk.settle().await;
    desk.advance(60).await;
    let message = desk.message().await;
    assert_eq!(message["status"], desk.end(), "{message}");
    assert_eq!(message["failure"], Value::Null);
    assert_eq!(desk.on_phone(&citizen(6)).len(), 1);
    assert_eq!(desk.sandbox.sent().len(), 1, "sent once");
}

pub async fn a_receipt_of_failure_ends_the_message_with_its_reason(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    desk.fault(FaultKind::Fail, 1);
    let siti = citizen(6);
    desk.announce(&siti).await;
    desk.advance(3600).await;
    let message = desk.message().await;
    if gateway.has_receipts {
        assert_eq!(message["status"], "failed", "{message}");
        super::send::assert_failure_is_told(&message["failure"], &siti.e164);
    } else {
        assert_eq!(message["status"], "sent", "nobody tells");
    }
    assert_eq!(desk.sandbox.sent().len(), 1, "not sent again by itself");
}
