//! The gateway's answers and its reasons of failure in our words, one row each.
//!
//! The gateway has no error codes but HTTP statuses; why a message failed on the phone it says in
//! the words of Android's `SmsManager`. All of those concern the phone that sends and its network,
//! which is also all that is known of a SIM without credit: they teach nothing about the phone that
//! was to get it.

use std::time::Duration;

use serde_json::Value;

use crate::channel::http_call::{cut, unreadable};
use crate::channel::{Accepted, Fault, Scope, SendError};
use crate::domain::consent::Lesson;
use crate::domain::redact::redact_digits;

/// What a status asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Will never be taken as it is.
    Rejected,
    /// Somebody must mend the account.
    Misconfigured,
    /// Refused; the account waits.
    Throttled,
}

use Meaning as M;

/// Every refusing status that is known: status, what it asks, what it means.
pub const STATUSES: &[(u16, Meaning, &str)] = &[
    (400, M::Rejected, "the gateway refused the request"),
    (401, M::Misconfigured, "user or password is not taken by the gateway"),
    (403, M::Misconfigured, "the user may not send at this gateway"),
    (404, M::Misconfigured, "api_url is not the address of a gateway"),
    (405, M::Misconfigured, "api_url is not the address of a gateway"),
    (413, M::Rejected, "the message is too large for the gateway"),
    (429, M::Throttled, "too many requests to the gateway"),
];

/// Reasons of failure, without the `RESULT_ERROR_`, `RESULT_` or `RESULT_RIL_` before them.
const REASONS: &[(&str, &str)] = &[
    ("RADIO_OFF", "the gateway's phone is in flight mode"),
    ("RADIO_NOT_AVAILABLE", "the gateway's phone has no radio"),
    ("NO_SERVICE", "the gateway's phone has no network"),
    ("NETWORK_NOT_READY", "the gateway's phone has no network"),
    ("LIMIT_EXCEEDED", "the gateway's phone sent too many messages"),
    ("REQUEST_RATE_LIMITED", "the gateway's phone sent too many messages"),
    ("SIM_ABSENT", "the gateway's phone has no SIM"),
    ("NO_DEFAULT_SMS_APP", "the gateway's phone has no app for SMS"),
    ("FDN_CHECK_FAILURE", "the gateway's SIM only writes to fixed numbers"),
    ("NO_MEMORY", "the gateway's phone has no memory left"),
    ("NO_RESOURCES", "the gateway's phone is out of resources"),
    ("MODEM_ERR", "the modem of the gateway's phone failed"),
    ("MODEM_ERROR", "the modem of the gateway's phone failed"),
    ("INVALID_SMSC_ADDRESS", "the gateway's SIM names no message centre"),
    ("SYSTEM_ERR", "the gateway's phone failed"),
    ("SYSTEM_ERROR", "the gateway's phone failed"),
    ("INTERNAL_ERR", "the gateway's phone failed"),
    ("INTERNAL_ERROR", "the gateway's phone failed"),
    (
        "GENERIC_FAILURE",
        "the gateway's phone or its network failed; see whether its SIM has credit",
    ),
    ("NETWORK_REJECT", "the network refused the gateway's SIM; see whether it has credit"),
    ("NETWORK_ERR", "the network of the gateway's phone failed"),
    ("NETWORK_ERROR", "the network of the gateway's phone failed"),
    ("CANCELLED", "cancelled on the gateway's phone"),
];

/// What an answer to a message means.
///
/// # Errors
/// Unless the gateway took it.
pub fn interpret(
    status: u16,
    answer: Option<&Value>,
    after: Option<Duration>,
    our_id: &str,
) -> Result<Accepted, SendError> {
    let accepted = |id: &str| Accepted::of(cut(id, 64).to_owned());
    match answer {
        // The id is ours, so a message of that id is this one: it was taken by an earlier request
        // whose answer we did not hear. That is what makes a repeat safe here.
        _ if status == 409 => Ok(accepted(our_id)),
        Some(answer) if (200..300).contains(&status) => match answer["id"].as_str() {
            Some(id) if !id.is_empty() => Ok(accepted(id)),
            _ => Err(SendError::Unknown(unreadable(status))),
        },
        answer => Err(classify(status, answer, after)),
    }
}

/// The caller's decision for an answer that is no success.
#[must_use]
pub fn classify(status: u16, answer: Option<&Value>, after: Option<Duration>) -> SendError {
    let words = answer.map(said).unwrap_or_default();
    let lower = words.to_lowercase();
    let fault = |code: &str, meaning: &str| {
        let detail =
            if words.is_empty() { meaning.to_owned() } else { format!("{meaning}: {words}") };
        Fault::new(code, detail)
    };
    let code = format!("http_{status}");
    // The documentation names the error, the server itself only says it in the message.
    if status == 503 && (lower.contains("queue limit") || lower.contains("queuelimit")) {
        let fault = fault("QueueLimitExceeded", "too much waits at the gateway's phone");
        return SendError::Retry { after, scope: Scope::Account, fault };
    }
    if status == 400 && lower.contains("device") {
        return SendError::Misconfigured(fault(&code, "no phone stands behind the gateway"));
    }
    let row = STATUSES.iter().find(|row| row.0 == status);
    match (row, status) {
        (Some((_, M::Rejected, meaning)), _) => {
            let fault = fault(&code, meaning);
            let is_number = lower.contains("phone") && lower.contains("invalid");
            SendError::Rejected(if is_number {
                fault.teaching(Lesson::NotReachable)
            } else {
                fault
            })
        }
        (Some((_, M::Misconfigured, meaning)), _) => {
            SendError::Misconfigured(fault(&code, meaning))
        }
        (Some((_, M::Throttled, meaning)), _) => {
            SendError::Retry { after, scope: Scope::Account, fault: fault(&code, meaning) }
        }
        (None, 300..=399) => {
            SendError::Misconfigured(fault(&code, "api_url is not the address of a gateway"))
        }
        (None, 400..=499) => {
            tracing::warn!(status, "the Android gateway answered with an unknown status");
            let fault = fault(&code, "the gateway refused the request");
            SendError::Retry { after, scope: Scope::Account, fault }
        }
        // Success without a readable answer, 5xx, or no HTTP at all.
        (None, _) => SendError::Unknown(fault(&code, "the gateway gave no clear answer")),
    }
}

/// Why the phone could not bring a message.
#[must_use]
pub fn failure(reason: &str) -> Fault {
    let reason = redact_digits(cut(reason.trim(), 200));
    let is_code = !reason.is_empty()
        && reason.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !is_code {
        let detail = if reason.is_empty() {
            "the phone could not send it".to_owned()
        } else {
            format!("the phone could not send it: {reason}")
        };
        return Fault::new("failed", detail);
    }
    let name = ["RESULT_ERROR_", "RESULT_RIL_", "RESULT_"]
        .into_iter()
        .find_map(|start| reason.strip_prefix(start))
        .unwrap_or(&reason);
    // `RIL_NETWORK_ERR` and the like also stand bare.
    let name = name.strip_prefix("RIL_").unwrap_or(name);
    let row = REASONS.iter().find(|row| row.0 == name);
    let words = row.map_or("the gateway's phone or its network did not take it", |row| row.1);
    Fault::new(reason.clone(), words)
}

/// The gateway's own words of an error, without numbers.
fn said(answer: &Value) -> String {
    let word = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let (error, message) = (word("error"), word("message"));
    let both = if error.is_empty() || message.is_empty() {
        format!("{error}{message}")
    } else {
        format!("{error}: {message}")
    };
    redact_digits(cut(&both, 300))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "msg_01KAHV6R00ABCDEFGHJKMNPQRS";

    fn outcome(status: u16, answer: Option<&Value>) -> &'static str {
        match interpret(status, answer, None, ID) {
            Ok(_) => "accepted",
            Err(error) => error.word(),
        }
    }

    #[test]
    fn a_message_is_accepted_once_and_its_repeat_is_the_same_message() {
        let taken = json!({"id": ID, "state": "Pending"});
        let accepted = interpret(202, Some(&taken), None, ID).unwrap();
        assert_eq!(accepted.provider_message_id, ID);
        let repeated = json!({"message": "duplicate id"});
        assert_eq!(interpret(409, Some(&repeated), None, ID).unwrap(), accepted);
        assert_eq!(interpret(409, None, None, ID).unwrap(), accepted);
    }

    #[test]
    fn every_status_asks_for_its_decision() {
        let said = json!({"message": "no"});
        for (status, word) in [
            (400, "rejected"),
            (401, "misconfigured"),
            (403, "misconfigured"),
            (404, "misconfigured"),
            (405, "misconfigured"),
            (413, "rejected"),
            (429, "retry"),
            (302, "misconfigured"),
            (418, "retry"),
            (500, "unknown"),
            (502, "unknown"),
            (503, "unknown"),
            (504, "unknown"),
            (200, "unknown"),
            (202, "unknown"),
        ] {
            assert_eq!(outcome(status, Some(&said)), word, "{status}");
            assert_eq!(outcome(status, None), word, "{status} without a body");
        }
        for status in STATUSES.windows(2) {
            assert!(status[0].0 < status[1].0, "sorted, no status twice");
        }
    }

    #[test]
    fn a_full_queue_makes_the_account_wait_as_long_as_it_asks() {
        let wait = Some(Duration::from_secs(120));
        for body in [
            json!({"error": "QueueLimitExceeded", "message": "queue limits exceeded: too many"}),
            json!({"message": "queue limits exceeded: too many pending messages: 9 / 9"}),
        ] {
            let Err(SendError::Retry { after, scope, fault }) =
                interpret(503, Some(&body), wait, ID)
            else {
                panic!("{body}")
            };
            assert_eq!((after, scope), (wait, Scope::Account));
            assert_eq!(fault.code, "QueueLimitExceeded");
        }
    }

    #[test]
    fn an_invalid_number_teaches_and_its_digits_are_not_kept() {
        let body = json!({"message": "invalid phone number in row 1: +6281200000001"});
        let Err(SendError::Rejected(fault)) = interpret(400, Some(&body), None, ID) else {
            panic!()
        };
        assert_eq!(fault.lesson, Some(Lesson::NotReachable));
        assert!(!fault.detail.contains("6281200000001"), "{}", fault.detail);
        let body = json!({"message": "field ttl is wrong"});
        let Err(error) = interpret(400, Some(&body), None, ID) else { panic!() };
        assert_eq!(error.fault().lesson, None);
        let body = json!({"message": "device not found"});
        assert_eq!(outcome(400, Some(&body)), "misconfigured");
    }

    #[test]
    fn no_failure_of_the_gateways_phone_teaches_about_the_recipient() {
        for (reason, code) in [
            ("RESULT_ERROR_GENERIC_FAILURE", "RESULT_ERROR_GENERIC_FAILURE"),
            ("RESULT_RIL_NETWORK_REJECT", "RESULT_RIL_NETWORK_REJECT"),
            ("RESULT_SOMETHING_NEW", "RESULT_SOMETHING_NEW"),
            ("Network error", "failed"),
            ("", "failed"),
        ] {
            let fault = failure(reason);
            assert_eq!((fault.code.as_str(), fault.lesson), (code, None), "{reason}");
        }
        for (name, words) in REASONS {
            for start in ["RESULT_ERROR_", "RESULT_", "RESULT_RIL_"] {
                let fault = failure(&format!("{start}{name}"));
                assert_eq!((fault.detail.as_str(), fault.lesson), (*words, None), "{start}{name}");
            }
        }
        assert_eq!(failure("RESULT_ERROR_NO_SERVICE").code, "RESULT_ERROR_NO_SERVICE");
        let free = failure("could not reach +62 812-0000-0001");
        assert_eq!(free.code, "failed");
        assert!(!free.detail.contains("0001"), "{}", free.detail);
    }
}
