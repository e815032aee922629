//! What the codes of a message centre mean for us, one tested row per command status (SMPP 3.4,
//! 5.1.3) and per state of a receipt (5.2.28 and appendix B).
//!
//! A status other than 0 says that the centre did not take the message, so trying again is safe
//! wherever it may help. Two say too little for that: a system error may have come after the
//! message was taken, and an unknown error may mean anything; their outcome counts as unknown.

use std::time::Duration;

use crate::channel::{Fault, Scope, SendError};
use crate::domain::consent::Lesson;
use crate::domain::message::ReceiptKind;

/// What a status asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The whole account waits so many seconds.
    Slower(u64),
    /// This message waits so many seconds.
    Later(u64),
    /// This message will never be taken.
    Rejected,
    /// There is no such number.
    NotReachable,
    /// Could not be brought this time.
    Undelivered,
    /// The account is set up wrongly.
    Misconfigured,
    /// Nobody knows.
    Unknown,
}

use Meaning as M;

/// Ordered by status.
const STATUSES: &[(u32, Meaning, &str)] = &[
    (0x01, M::Rejected, "message length is not valid"),
    (0x02, M::Rejected, "command length is not valid"),
    (0x03, M::Misconfigured, "the centre does not know this command"),
    (0x04, M::Slower(5), "the link is not bound for sending"),
    (0x05, M::Slower(5), "the account is bound already"),
    (0x06, M::Rejected, "priority is not valid"),
    (0x07, M::Rejected, "request for a receipt is not valid"),
    (0x08, M::Unknown, "system error at the centre"),
    (0x0a, M::Misconfigured, "the centre does not accept this sender"),
    (0x0b, M::NotReachable, "destination address is not valid"),
    (0x0c, M::Rejected, "message id is not valid"),
    (0x0d, M::Misconfigured, "the centre refused to bind"),
    (0x0e, M::Misconfigured, "password is not valid"),
    (0x0f, M::Misconfigured, "system_id is not valid"),
    (0x14, M::Slower(10), "the centre's queue is full"),
    (0x15, M::Misconfigured, "service type is not valid"),
    (0x42, M::Rejected, "replacing is not supported"),
    (0x43, M::Rejected, "esm_class is not valid"),
    (0x45, M::Rejected, "the centre failed to take the message"),
    (0x48, M::Misconfigured, "type of the sender's number is not valid"),
    (0x49, M::Misconfigured, "numbering plan of the sender is not valid"),
    (0x50, M::Rejected, "type of the destination's number is not valid"),
    (0x51, M::Rejected, "numbering plan of the destination is not valid"),
    (0x53, M::Misconfigured, "system_type is not valid"),
    (0x54, M::Rejected, "replace_if_present is not valid"),
    (0x58, M::Slower(2), "too fast for this account"),
    (0x61, M::Rejected, "scheduled time is not valid"),
    (0x62, M::Rejected, "validity period is not valid"),
    (0x63, M::Rejected, "predefined message is not known"),
    (0x64, M::Later(30), "temporary error at the receiving side"),
    (0x65, M::Rejected, "permanent error at the receiving side"),
    (0x66, M::Rejected, "rejected by the receiving side"),
    (0xc0, M::Rejected, "optional part is not valid"),
    (0xc1, M::Rejected, "optional parameter is not allowed"),
    (0xc2, M::Rejected, "length of a parameter is not valid"),
    (0xc3, M::Rejected, "an expected parameter is missing"),
    (0xc4, M::Rejected, "value of a parameter is not valid"),
    (0xfe, M::Undelivered, "could not be brought"),
    (0xff, M::Unknown, "unknown error at the centre"),
];

/// The status as it is written everywhere: `0x58`.
fn written(status: u32) -> String {
    format!("{status:#04x}")
}

/// The caller's decision for the status of an answer to `submit_sm`.
#[must_use]
pub fn classify(status: u32) -> SendError {
    let row = STATUSES.binary_search_by_key(&status, |row| row.0).ok().map(|at| STATUSES[at]);
    let Some((_, meaning, words)) = row else {
        let fault = Fault::new(written(status), "unlisted status of the centre");
        tracing::warn!(status, "the centre answered with a status that is not in our table");
        return SendError::Retry { after: None, scope: Scope::Message, fault };
    };
    let fault = Fault::new(written(status), words);
    let wait = |seconds| Some(Duration::from_secs(seconds));
    match meaning {
        M::Slower(seconds) => {
            SendError::Retry { after: wait(seconds), scope: Scope::Account, fault }
        }
        M::Later(seconds) => {
            SendError::Retry { after: wait(seconds), scope: Scope::Message, fault }
        }
        M::Rejected => SendError::Rejected(fault),
        M::NotReachable => SendError::RecipientGone(fault.teaching(Lesson::Undelivered)),
        M::Undelivered => SendError::Rejected(fault.teaching(Lesson::Undelivered)),
        M::Misconfigured => SendError::Misconfigured(fault),
        M::Unknown => SendError::Unknown(fault),
    }
}

/// Whether a centre that refuses to bind means our credentials, rather than the moment.
#[must_use]
pub const fn is_about_credentials(status: u32) -> bool {
    matches!(status, 0x0d..=0x0f | 0x53)
}

/// The state of a receipt's parameter 0x0427 in the word of its text.
#[must_use]
pub const fn state(number: u8) -> &'static str {
    match number {
        1 => "ENROUTE",
        2 => "DELIVRD",
        3 => "EXPIRED",
        4 => "DELETED",
        5 => "UNDELIV",
        6 => "ACCEPTD",
        8 => "REJECTD",
        // 7, and 0 and 9 of version 5.0.
        _ => "UNKNOWN",
    }
}

/// What a receipt's state says, and why it failed. `None` where it says nothing: what is unknown
/// to the centre may still be on its way.
#[must_use]
pub fn receipt(state: &str, error: &str) -> Option<(ReceiptKind, Option<Fault>)> {
    let (words, lesson) = match state {
        "DELIVRD" => return Some((ReceiptKind::Delivered, None)),
        // On its way: with the next centre, or taken by hand.
        "ENROUTE" | "ACCEPTD" => return Some((ReceiptKind::Sent, None)),
        "EXPIRED" => ("not brought within its validity", Some(Lesson::Undelivered)),
        "DELETED" => ("deleted at the centre", None),
        "UNDELIV" => ("could not be brought", Some(Lesson::Undelivered)),
        "REJECTD" => ("rejected on its way", None),
        _ => return None,
    };
    let detail = match error.trim_matches('0') {
        "" => words.to_owned(),
        _ => format!("{words}, error {error} of the operator"),
    };
    Some((ReceiptKind::Failed, Some(Fault { lesson, ..Fault::new(state, detail) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_no_status_twice() {
        assert!(STATUSES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_status_has_its_decision() {
        let decided = |status: u32| match classify(status) {
            SendError::Retry { after, scope, .. } => {
                format!("retry {scope:?} {}", after.map_or(0, |after| after.as_secs()))
            }
            other => other.word().to_owned(),
        };
        for (status, expected) in [
            (0x01, "rejected"),
            (0x02, "rejected"),
            (0x03, "misconfigured"),
            (0x04, "retry Account 5"),
            (0x05, "retry Account 5"),
            (0x08, "unknown"),
            (0x0a, "misconfigured"),
            (0x0b, "recipient_gone"),
            (0x0d, "misconfigured"),
            (0x0e, "misconfigured"),
            (0x0f, "misconfigured"),
            (0x14, "retry Account 10"),
            (0x15, "misconfigured"),
            (0x43, "rejected"),
            (0x45, "rejected"),
            (0x48, "misconfigured"),
            (0x49, "misconfigured"),
            (0x50, "rejected"),
            (0x53, "misconfigured"),
            (0x58, "retry Account 2"),
            (0x61, "rejected"),
            (0x64, "retry Message 30"),
            (0x65, "rejected"),
            (0x66, "rejected"),
            (0xc4, "rejected"),
            (0xfe, "rejected"),
            (0xff, "unknown"),
            (0x0400, "retry Message 0"),
        ] {
            assert_eq!(decided(status), expected, "{status:#x}");
        }
        assert_eq!(classify(0x0b).fault().lesson, Some(Lesson::Undelivered));
        assert_eq!(classify(0x0b).fault().code, "0x0b");
        assert_eq!(classify(0x0400).fault().code, "0x400");
    }

    #[test]
    fn only_four_statuses_of_a_bind_are_about_credentials() {
        let about: Vec<u32> = (0..0x100).filter(|status| is_about_credentials(*status)).collect();
        assert_eq!(about, [0x0d, 0x0e, 0x0f, 0x53]);
    }

    #[test]
    fn every_state_of_a_receipt_has_its_meaning() {
        for (number, word, kind) in [
            (1, "ENROUTE", Some(ReceiptKind::Sent)),
            (2, "DELIVRD", Some(ReceiptKind::Delivered)),
            (3, "EXPIRED", Some(ReceiptKind::Failed)),
            (4, "DELETED", Some(ReceiptKind::Failed)),
            (5, "UNDELIV", Some(ReceiptKind::Failed)),
            (6, "ACCEPTD", Some(ReceiptKind::Sent)),
            (7, "UNKNOWN", None),
            (8, "REJECTD", Some(ReceiptKind::Failed)),
            (9, "UNKNOWN", None),
            (255, "UNKNOWN", None),
        ] {
            assert_eq!(state(number), word);
            let found = receipt(word, "000");
            assert_eq!(found.as_ref().map(|(kind, _)| *kind), kind, "{word}");
        }
        let (_, fault) = receipt("UNDELIV", "011").unwrap();
        let fault = fault.unwrap();
        assert_eq!(fault.lesson, Some(Lesson::Undelivered));
        assert_eq!(fault.detail, "could not be brought, error 011 of the operator");
    }
}
