//! Calls whose outcome nobody heard: settled by a receipt where one tells, and by their wait where
//! none does.

use std::time::Duration;

use kabar::sandbox::{Fault, FaultKind};

use super::Gateway;
use super::desk::{Desk, PATIENCE};
use crate::support::{LEASE_OVER, Start, citizen};

/// How long an announcement of unknown outcome waits for a receipt, in seconds.
const WAIT: u64 = 600;

/// The call ends in that way after the message was taken; receipts go their way.
async fn settled_by_the_receipt(desk: &Desk, gateway: &Gateway, fault: Fault) {
    let siti = citizen(6);
    desk.faults(vec![Fault { count: Some(1), ..fault }]);
    desk.announce(&siti).await;
    assert_eq!(desk.on_phone(&siti).len(), 1, "it was taken");
    let message = desk.message().await;
    if gateway.has_receipts && gateway.has_echo {
        assert_eq!(message["status"], "delivered", "{message}");
        assert_eq!(message["failure"], serde_json::Value::Null);
        desk.advance(WAIT).await;
        desk.advance(3600).await;
        assert_eq!(desk.on_phone(&siti).len(), 1);
        assert_eq!(desk.sandbox.sent().len(), 1, "never sent again");
    } else {
        // Nothing that comes names the call: its wait decides.
        assert_eq!(message["status"], "unknown", "{message}");
        repeated_after_the_wait(desk, gateway).await;
    }
}

/// The answer comes after its call was given up, and says all the same what came of it.
async fn settled_by_the_late_answer(desk: &Desk, slow: Fault) {
    desk.faults(vec![Fault { count: Some(1), ..slow }]);
    desk.announce(&citizen(6)).await;
    assert_eq!(desk.message().await["status"], "unknown");
    let settled = async {
        while desk.message().await["status"] == "unknown" {
            desk.settle().await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("a late answer");
    desk.advance(WAIT).await;
    desk.advance(3600).await;
    assert_eq!(desk.message().await["status"], "delivered");
    assert_eq!(desk.sandbox.sent().len(), 1, "never sent again");
    assert_eq!(desk.on_phone(&citizen(6)).len(), 1);
}

/// What is unknown now is sent again after its wait, once.
async fn repeated_after_the_wait(desk: &Desk, gateway: &Gateway) {
    let siti = citizen(6);
    desk.advance(WAIT - 1).await;
    assert_eq!(desk.sandbox.sent().len(), 1, "not before its wait is over");
    desk.advance(1).await;
    assert_eq!(desk.sandbox.sent().len(), 2, "sent again");
    let bubbles = if gateway.repeat_is_safe { 1 } else { 2 };
    assert_eq!(desk.on_phone(&siti).len(), bubbles);
    desk.advance(3600).await;
    let message = desk.message().await;
    assert!(["sent", "delivered"].contains(&message["status"].as_str().unwrap()), "{message}");
    assert_eq!(message["attempts"], 2);
    assert_eq!(desk.sandbox.sent().len(), 2, "and not a third time");
    assert_eq!(desk.on_phone(&siti).len(), bubbles);
}

pub async fn a_connection_cut_after_the_message_was_taken_is_settled_by_the_receipt(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    settled_by_the_receipt(&desk, gateway, Fault::new(FaultKind::HangUp)).await;
}

pub async fn a_connection_cut_without_a_receipt_is_tried_again_after_its_wait(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    let once = |kind| Fault { count: Some(1), ..Fault::new(kind) };
    desk.faults(vec![once(FaultKind::HangUp), once(FaultKind::Silent)]);
    desk.announce(&citizen(6)).await;
    let message = desk.message().await;
    assert_eq!(message["status"], "unknown", "{message}");
    super::send::assert_failure_is_told(&message["failure"], &citizen(6).e164);
    repeated_after_the_wait(&desk, gateway).await;
}

pub async fn an_answer_that_comes_too_late_is_settled_by_the_receipt(
    start: Start,
    gateway: &'static Gateway,
) {
    let mut start = start;
    start.timeout = Duration::from_millis(300);
    let desk = Desk::open(start, gateway).await;
    let slow = Fault { seconds: Some(2), ..Fault::new(FaultKind::Slow) };
    if gateway.hears_late_answers {
        return settled_by_the_late_answer(&desk, slow).await;
    }
    settled_by_the_receipt(&desk, gateway, slow).await;
}

pub async fn an_error_after_the_message_was_taken_is_settled_by_the_receipt(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    settled_by_the_receipt(&desk, gateway, Fault::new(FaultKind::ErrorAfterAccept)).await;
}

pub async fn an_answer_nobody_can_read_misses_nobody(start: Start, gateway: &'static Gateway) {
    let desk = Desk::open(start, gateway).await;
    desk.fault(FaultKind::NotJson, 1);
    desk.announce(&citizen(6)).await;
    for _ in 0..4 {
        desk.advance(WAIT).await;
    }
    assert_eq!(desk.on_phone(&citizen(6)).len(), 1);
    assert_eq!(desk.message().await["status"], desk.end());
    assert_eq!(desk.sandbox.sent().len(), 2);
}

pub async fn a_crash_after_the_message_was_taken_is_settled_by_the_receipt(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    let siti = citizen(6);
    desk.app.card(&siti, "CARD_PRINTED").await;
    desk.app.send_step().await;
    assert!(desk.app.wait_for_call().await);
    assert_eq!(desk.on_phone(&siti).len(), 1, "it was taken");
    desk.app.crash().await;
    desk.unlink().await;
    assert_eq!(desk.message().await["status"], "sending");

    desk.app.new_sender("second process").await;
    desk.app.clock.advance(LEASE_OVER);
    desk.link().await;
    desk.settle().await;
    let message = desk.message().await;
    if gateway.has_receipts && gateway.has_echo {
        assert_eq!(message["status"], "delivered", "{message}");
        desk.advance(3600).await;
        assert_eq!(desk.sandbox.sent().len(), 1, "never sent again");
    } else {
        assert_eq!(message["status"], "unknown", "{message}");
        desk.advance(WAIT).await;
        let bubbles = if gateway.repeat_is_safe { 1 } else { 2 };
        assert_eq!(desk.on_phone(&siti).len(), bubbles);
    }
}
