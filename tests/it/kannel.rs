//! Our Kannel adapter against a real Kannel: what leaves here arrives at an operator as it was
//! written, and what comes back is understood.

use std::time::Duration;

use kabar::channel::{Channel as _, Event, Form, Inbound, InboundBody, Outbound};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::IdSource;
use kabar::domain::message::{MessageText, ReceiptKind};
use kabar::domain::outbound::Recipient;
use kabar::domain::phone::PhoneNumber;

use crate::support::kannel::{Kannel, SECRET};

fn message(text: &str) -> Outbound {
    Outbound {
        id: IdSource::default().next(SystemClock.now()),
        to: Recipient::of_phone(PhoneNumber::parse("0812-0000-0001").unwrap()),
        form: Form::Free { text: MessageText::new(text), choices: vec![] },
        list_button: None,
        valid_until: None,
    }
}

#[tokio::test]
async fn every_text_reaches_the_operator_in_the_coding_it_needs() {
    let mut kannel = Kannel::start().await;
    let mut operator = kannel.operator(None).await;
    let client = kannel.client();
    for (text, expected) in [
        ("KTP Siti: siap & 100%+", "text KTP Siti: siap & 100%+"),
        ("harga {10} €", "text harga {10} €"),
        ("“Ж”", "ucs-2 +%1C%04%16+%1D"),
        ("😀", "ucs-2 %D8%3D%DE%00"),
    ] {
        let message = message(text);
        let accepted = client.send(&message).await.unwrap();
        assert_eq!(accepted.provider_message_id, message.id.to_string());
        let found = operator.message().await;
        assert_eq!(found, format!("13013 +6281200000001 {expected}"));
    }
}

#[tokio::test]
async fn a_long_text_arrives_whole_in_parts_that_belong_together() {
    let mut kannel = Kannel::start().await;
    let mut operator = kannel.operator(None).await;
    let text: String = ('a'..='z').cycle().take(300).collect();
    kannel.client().send(&message(&text)).await.unwrap();
    let mut whole = String::new();
    for part in ["01", "02"] {
        let found = operator.message().await;
        let (head, words) = found.rsplit_once(' ').unwrap();
        assert!(head.starts_with("13013 +6281200000001 udh %05%00%03"), "{found}");
        assert!(head.ends_with(&format!("%02%{part} data")), "{found}");
        whole.push_str(words);
    }
    assert_eq!(whole, text);
}

#[tokio::test]
async fn receipts_come_back_with_our_id() {
    let mut kannel = Kannel::start().await;
    let _operator = kannel.operator(None).await;
    let message = message("halo");
    // Receipts have whole seconds.
    let before = SystemClock.now().before(Duration::from_secs(1));
    kannel.client().send(&message).await.unwrap();
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let Event::Receipt(receipt) = kannel.event().await else { panic!("no receipt") };
        assert_eq!(receipt.message, Some(message.id));
        assert_eq!(receipt.provider_message_id, message.id.to_string());
        assert!(receipt.happened_at >= before, "by Kannel's clock");
        kinds.push(receipt.kind.as_str());
    }
    // Kannel gives no word on their order, and has turned them round.
    kinds.sort_unstable();
    assert_eq!(kinds, [ReceiptKind::Delivered.as_str(), ReceiptKind::Sent.as_str()]);
}

#[tokio::test]
async fn what_citizens_write_reaches_us_and_kannel_answers_nothing_itself() {
    let mut kannel = Kannel::start().await;
    for (brings, text) in [
        ("+6281200000002 13013 text STOP sekarang", "STOP sekarang"),
        ("+6281200000002 13013 ucs2 %04%16%00a%D8%3D%DE%00", "Жa😀"),
    ] {
        let mut operator = kannel.operator(Some(brings)).await;
        let Event::Message(Inbound { from, body, .. }) = kannel.event().await else {
            panic!("no message: {brings}")
        };
        assert_eq!(from.phone.unwrap().expose(), "+6281200000002");
        assert_eq!(body, InboundBody::Text(MessageText::new(text)));
        kannel.client().send(&message("jawaban")).await.unwrap();
        assert_eq!(operator.message().await, "13013 +6281200000001 text jawaban");
        // Both receipts of the answer, so that the next call is a message again.
        kannel.call().await;
        kannel.call().await;
    }
}

#[tokio::test]
async fn a_wrong_password_stops_the_account_and_a_right_one_is_tried_without_sending() {
    let mut kannel = Kannel::start().await;
    let mut operator = kannel.operator(None).await;
    let wrong = kannel.client_with("hunter2");
    for error in [wrong.send(&message("halo")).await.unwrap_err(), wrong.probe().await.unwrap_err()]
    {
        assert_eq!(error.word(), "misconfigured");
        assert_eq!(error.fault().code, "authorization_failed");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    let found = kannel.client().probe().await.unwrap();
    assert!(found.contains("receipts") && !found.contains(SECRET), "{found}");
    kannel.client().send(&message("pertama")).await.unwrap();
    assert_eq!(operator.message().await, "13013 +6281200000001 text pertama");
}

#[tokio::test]
async fn without_a_route_a_message_is_kept_and_brought_when_there_is_one() {
    let mut kannel = Kannel::start().await;
    kannel.client().send(&message("nanti")).await.unwrap();
    let mut operator = kannel.operator(None).await;
    assert_eq!(operator.message().await, "13013 +6281200000001 text nanti");
}

#[tokio::test]
async fn a_kannel_that_knows_no_plus_sign_is_found_out_before_a_number_suffers() {
    let kannel = Kannel::start_taking("0123456789").await;
    let error = kannel.client().probe().await.unwrap_err();
    assert_eq!((error.word(), &*error.fault().code), ("misconfigured", "number_denied"));
    let error = kannel.client().send(&message("halo")).await.unwrap_err();
    assert_eq!(error.word(), "recipient_gone");
}

#[tokio::test]
async fn a_kannel_that_is_down_is_tried_again() {
    let mut kannel = Kannel::start().await;
    kannel.go_down();
    let error = kannel.client().send(&message("halo")).await.unwrap_err();
    assert_eq!(error.word(), "retry");
}
