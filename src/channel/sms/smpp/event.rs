//! Events as they are stored: what goes into a payload, and what it says when it is read later.
//!
//! A NIK or code that a citizen typed is taken out here, before anything is stored; raw octets
//! never are.

use serde::{Deserialize, Serialize};

use super::codes;
use super::receipt::Said;
use crate::channel::sms::address::writer;
use crate::channel::{Event, Fault, Inbound, InboundBody, RawEvent, RawKind, Receipt, SendError};
use crate::domain::clock::Timestamp;
use crate::domain::id::MessageId;
use crate::domain::message::{MessageText, ReceiptKind};
use crate::domain::outbound::Recipient;
use crate::domain::phone::PhoneNumber;
use crate::domain::redact::redact;

/// A type of number: with country code (SMPP 3.4, 5.2.5).
const INTERNATIONAL: u8 = 1;
/// A type of number: a name.
const ALPHANUMERIC: u8 = 5;

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Payload {
    /// Somebody wrote.
    Message {
        from: String,
        /// When it came; SMPP does not say when it was written.
        at_ms: i64,
        /// Nothing for what is no text.
        text: Option<String>,
    },
    /// A receipt.
    Receipt { id: String, state: String, error: String, at_ms: i64 },
    /// An answer to a submission that nobody waited for any more.
    LateAnswer { message: String, id: String, status: u32, at_ms: i64 },
    /// Something else, without its words.
    Other { what: String },
}

fn raw(key: String, kind: RawKind, payload: &Payload) -> RawEvent {
    let payload = serde_json::to_string(payload).unwrap_or_default();
    RawEvent { key, kind, provider_id: None, sought: None, payload }
}

/// The number that a sender's address stands for, if it is one.
fn phone(ton: u8, address: &str) -> Option<PhoneNumber> {
    if ton == ALPHANUMERIC || address.contains(char::is_alphabetic) {
        return None;
    }
    if ton == INTERNATIONAL {
        return PhoneNumber::parse_international(address).ok();
    }
    // Many centres leave the type open.
    writer(address)
}

/// The event of a citizen's message; one of a sender without a number is kept and never answered.
pub(super) fn message(
    key: String,
    ton: u8,
    source: &str,
    text: Option<&str>,
    now: Timestamp,
) -> RawEvent {
    match phone(ton, source) {
        Some(from) => {
            let payload = Payload::Message {
                from: from.expose().to_owned(),
                at_ms: now.as_ms(),
                text: text.map(|text| redact(text).text),
            };
            raw(key, RawKind::Message, &payload)
        }
        None => other(key, "a message of a sender that is no phone number"),
    }
}

/// The event of a receipt.
pub(super) fn receipt(key: String, said: Said, now: Timestamp) -> RawEvent {
    let Said { id, state, error } = said;
    let payload = Payload::Receipt { id, state, error, at_ms: now.as_ms() };
    raw(key, RawKind::Receipt, &payload)
}

/// The event of an answer that came too late: it settles what was left unknown.
pub(super) fn late_answer(message: MessageId, id: String, status: u32, now: Timestamp) -> RawEvent {
    let message = message.to_string();
    let key = format!("late:{message}:{id}:{status:x}");
    let payload = Payload::LateAnswer { message, id, status, at_ms: now.as_ms() };
    raw(key, RawKind::Receipt, &payload)
}

/// The event of something that nothing follows from.
pub(super) fn other(key: String, what: &str) -> RawEvent {
    raw(key, RawKind::Other, &Payload::Other { what: what.to_owned() })
}

/// Reads a stored event.
pub(super) fn read(payload: &str) -> Event {
    let Ok(payload) = serde_json::from_str::<Payload>(payload) else { return Event::Other };
    match payload {
        Payload::Message { from, at_ms, text } => {
            let Ok(phone) = PhoneNumber::parse_international(&from) else { return Event::Other };
            let body = text
                .map_or(InboundBody::Unreadable, |text| InboundBody::Text(MessageText::new(text)));
            let sent_at = Timestamp::from_ms(at_ms);
            Event::Message(Inbound { from: Recipient::of_phone(phone), sent_at, body })
        }
        Payload::Receipt { id, state, error, at_ms } => codes::receipt(&state, &error)
            .map_or(Event::Other, |(kind, fault)| {
                Event::Receipt(word(None, id, kind, at_ms, fault))
            }),
        Payload::LateAnswer { message, id, status, at_ms } => {
            let Ok(message) = message.parse() else { return Event::Other };
            let (kind, fault) = match status {
                0 => (ReceiptKind::Sent, None),
                _ => match codes::classify(status) {
                    SendError::Rejected(fault) | SendError::RecipientGone(fault) => {
                        (ReceiptKind::Failed, Some(fault))
                    }
                    // Not taken, and worth another try: the wait of its class decides.
                    _ => return Event::Other,
                },
            };
            Event::Receipt(word(Some(message), id, kind, at_ms, fault))
        }
        Payload::Other { .. } => Event::Other,
    }
}

fn word(
    message: Option<MessageId>,
    provider_message_id: String,
    kind: ReceiptKind,
    at_ms: i64,
    fault: Option<Fault>,
) -> Receipt {
    let happened_at = Timestamp::from_ms(at_ms);
    Receipt { message, provider_message_id, kind, happened_at, fault }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    #[test]
    fn a_sender_is_a_phone_in_every_way_centres_write_it_and_nothing_else_is() {
        for (ton, address, expected) in [
            (1, "6281234567890", Some("+6281234567890")),
            (1, "14155550123", Some("+14155550123")),
            (0, "+6281234567890", Some("+6281234567890")),
            (0, "6281234567890", Some("+6281234567890")),
            (2, "081234567890", Some("+6281234567890")),
            (2, "81234567890", Some("+6281234567890")),
            (1, "4915112345678", Some("+4915112345678")),
            (0, "4915112345678", None),
            (2, "6505551212", None),
            (0, "98108123456789", None),
            (3, "13013", None),
            (1, "13013", None),
            (5, "TELKOMSEL", None),
            (5, "6281234567890", None),
            (0, "", None),
        ] {
            let found = phone(ton, address);
            assert_eq!(found.as_ref().map(PhoneNumber::expose), expected, "{ton} {address}");
        }
    }

    #[test]
    fn a_message_is_read_as_it_was_stored_and_without_its_nik() {
        let event = message("k".into(), 1, "6281234567890", Some("NIK 3517091204560001\0"), NOW);
        assert_eq!(event.kind, RawKind::Message);
        assert!(!event.payload.contains("3517091204560001"));
        let Event::Message(inbound) = read(&event.payload) else { panic!() };
        assert_eq!(inbound.body, InboundBody::Text(MessageText::new("NIK [NIK]")));
        assert_eq!(inbound.sent_at, NOW);
        let picture = message("k".into(), 1, "6281234567890", None, NOW);
        let Event::Message(inbound) = read(&picture.payload) else { panic!() };
        assert_eq!(inbound.body, InboundBody::Unreadable);
        let advert = message("k".into(), 5, "TELKOMSEL", Some("Promo!"), NOW);
        assert_eq!((advert.kind, read(&advert.payload)), (RawKind::Other, Event::Other));
        let service = message("k".into(), 0, "6505551212", Some("Promo!"), NOW);
        assert_eq!((service.kind, read(&service.payload)), (RawKind::Other, Event::Other));
    }

    #[test]
    fn a_receipt_is_read_with_its_fault() {
        let said = |state: &str| Said { id: "a1".into(), state: state.into(), error: "011".into() };
        let Event::Receipt(word) = read(&receipt("k".into(), said("UNDELIV"), NOW).payload) else {
            panic!()
        };
        assert_eq!((word.kind, word.provider_message_id.as_str()), (ReceiptKind::Failed, "a1"));
        assert_eq!(word.fault.unwrap().code, "UNDELIV");
        assert_eq!(read(&receipt("k".into(), said("UNKNOWN"), NOW).payload), Event::Other);
    }

    #[test]
    fn an_answer_that_came_too_late_settles_its_message() {
        let id: MessageId = "msg_01KAHV6R00ABCDEFGHJKMNPQRS".parse().unwrap();
        let kind = |status| match read(&late_answer(id, "a1".into(), status, NOW).payload) {
            Event::Receipt(word) => {
                assert_eq!(word.message, Some(id));
                Some(word.kind)
            }
            _ => None,
        };
        assert_eq!(kind(0), Some(ReceiptKind::Sent));
        assert_eq!(kind(0x0b), Some(ReceiptKind::Failed));
        assert_eq!(kind(0x58), None);
    }

    proptest! {
        #[test]
        fn whatever_is_stored_is_read_without_complaint(payload in ".{0,200}") {
            prop_assert_eq!(read(&payload), Event::Other);
        }
    }
}
