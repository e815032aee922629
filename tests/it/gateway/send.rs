//! Out: what reaches the phone, in which words, and what a refusal means.

use kabar::sandbox::{Fault, FaultKind};

use super::Gateway;
use super::desk::{Death, Desk};
use crate::support::{Start, citizen, word};

pub async fn an_announcement_reaches_the_phone_once_and_is_sent(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    desk.fault(FaultKind::Silent, 1);
    let siti = citizen(6);
    desk.announce(&siti).await;

    let bubbles = desk.on_phone(&siti);
    assert_eq!(bubbles.len(), 1, "{bubbles:?}");
    assert_eq!((bubbles[0].channel, bubbles[0].account.as_str()), ("sms", gateway.name));
    let message = desk.message().await;
    assert!(bubbles[0].text.contains(&word(&message["reference"])), "{}", bubbles[0].text);
    assert!(!bubbles[0].text.contains(&siti.nik), "no NIK ever leaves");
    assert_eq!((&message["status"], &message["attempts"]), (&"sent".into(), &1.into()));
    let named = word(&message["provider_message_id"]);
    if gateway.names_message {
        assert_eq!(named, bubbles[0].id);
    } else {
        assert!(!named.is_empty(), "{message}");
    }
    desk.advance(3600).await;
    assert_eq!(desk.on_phone(&siti).len(), 1);
    assert_eq!(desk.sandbox.sent().len(), 1, "one request");
}

pub async fn a_long_text_arrives_whole_and_in_one_piece(start: Start, gateway: &'static Gateway) {
    let desk = Desk::open(start, gateway).await;
    let gsm: String =
        "KTP-el Bapak/Ibu siap diambil di Kec. Jombang. ".chars().cycle().take(400).collect();
    let other: String = "“KTP-el” siap diambil 🙏 ".chars().cycle().take(400).collect();
    for (n, words) in [(1, gsm), (2, other)] {
        desk.plan(&citizen(n), &words).await;
        let bubbles = desk.on_phone(&citizen(n));
        assert_eq!(bubbles.len(), 1, "{bubbles:?}");
        assert_eq!(bubbles[0].text, words);
    }
    for (status, _) in desk.app.states().await {
        assert_eq!(status, desk.end(), "the whole message has one status");
    }
}

pub async fn letters_outside_the_sms_alphabet_arrive_unchanged(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    let texts = [
        "Kata petugas: “kartu Anda jadi” – ambil besok 🙏",
        "50% + 1 & 2 = 3? <b> \"kutip\" 'a' #1; a/b\\c {d} [e] ~ ^ | €",
        "baris satu\nbaris dua",
    ];
    for (n, words) in texts.into_iter().enumerate() {
        let reader = citizen(n + 1);
        desk.plan(&reader, words).await;
        let bubbles = desk.on_phone(&reader);
        assert_eq!(bubbles.len(), 1, "{bubbles:?}");
        assert_eq!(bubbles[0].text, words);
    }
}

pub async fn a_throttled_account_pauses_and_burns_no_message(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    desk.faults(vec![Fault { seconds: Some(30), ..Fault::new(FaultKind::Throttle) }]);
    desk.announce(&citizen(1)).await;
    let message = desk.message().await;
    assert_eq!((&message["status"], &message["attempts"]), (&"queued".into(), &0.into()));
    let asked = desk.sandbox.sent().len();
    assert_eq!(asked, 1, "one request, and then a pause");
    desk.announce(&citizen(2)).await;
    assert_eq!(desk.sandbox.sent().len(), asked, "the second waits with the first");

    for _ in 0..24 {
        desk.advance(5).await;
    }
    for n in [1, 2] {
        assert_eq!(desk.on_phone(&citizen(n)).len(), 1);
    }
    for message in desk.app.messages().await {
        assert_eq!((&message["status"], &message["attempts"]), (&desk.end().into(), &1.into()));
    }
}

pub async fn a_refused_message_fails_with_a_code_and_a_reason_without_personal_data(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open(start, gateway).await;
    desk.fault(FaultKind::Refuse, 1);
    let siti = citizen(6);
    desk.announce(&siti).await;
    assert!(desk.on_phone(&siti).is_empty());
    let message = desk.message().await;
    assert_eq!(message["status"], "failed", "{message}");
    assert_failure_is_told(&message["failure"], &siti.e164);

    desk.advance(3600).await;
    assert_eq!(desk.sandbox.sent().len(), 1, "never asked again");
    desk.announce(&citizen(7)).await;
    assert_eq!(desk.on_phone(&citizen(7)).len(), 1, "nobody else is refused");
}

/// A failure has a code, and a reason in words that name nobody.
pub fn assert_failure_is_told(failure: &serde_json::Value, number: &str) {
    assert!(!word(&failure["code"]).is_empty(), "{failure}");
    let reason = word(&failure["reason"]);
    assert!(reason.split(' ').count() > 1, "{reason:?} is no reason");
    let own = &number[number.len() - 7..];
    assert!(!reason.contains(own), "{reason}");
    let digits = reason.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    assert!(digits.unwrap_or(0) < 7, "{reason}");
}

pub async fn a_gateway_that_refuses_connections_delays_no_other_account(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open_beside(start, gateway, Some(Death::Refuses)).await;
    let (near, far) = (citizen(1), citizen(2).of_area("51.71.01.1001"));
    desk.announce(&far).await;
    desk.announce(&near).await;
    assert_eq!(desk.on_phone(&near).len(), 1);
    let messages = desk.app.messages().await;
    assert_eq!(messages[1]["status"], desk.end());
    assert_eq!((&messages[0]["status"], &messages[0]["attempts"]), (&"queued".into(), &0.into()));
    // Hours of it cost the message nothing either.
    for _ in 0..10 {
        desk.advance(600).await;
    }
    let waiting = &desk.app.messages().await[0];
    assert_eq!((&waiting["status"], &waiting["attempts"]), (&"queued".into(), &0.into()));
}

pub async fn a_gateway_that_never_answers_delays_no_other_account(
    start: Start,
    gateway: &'static Gateway,
) {
    let desk = Desk::open_beside(start, gateway, Some(Death::IsSilent)).await;
    let (near, far) = (citizen(1), citizen(2).of_area("51.71.01.1001"));
    desk.app.card(&far, "CARD_PRINTED").await;
    desk.app.step_every_account().await;
    // Nobody waits for the call that is under way.
    desk.app.card(&near, "CARD_PRINTED").await;
    desk.app.step_every_account().await;
    desk.app.drain_account(gateway.name).await;
    assert_eq!(desk.on_phone(&near).len(), 1);
    let messages = desk.app.messages().await;
    assert_eq!(messages[1]["status"], "sent");
    assert_ne!(messages[0]["status"], "sent");
}
