//! Twilio's error codes in our words, one row each.
//!
//! The same numbers refuse a request and explain a message that failed later. Source: Twilio's list
//! of errors as of 2026. A code that is not listed is judged by the HTTP status, with a warning.

use std::time::Duration;

use serde_json::Value;

use crate::channel::http_call::{cut, unreadable};
use crate::channel::{Accepted, Fault, Scope, SendError};
use crate::domain::consent::Lesson;
use crate::domain::redact::redact_digits;

/// What a code asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Refused before processing; the account waits.
    Throttled,
    /// Did not reach the phone this time; the same may be tried again.
    Later,
    /// No phone that takes SMS has this number.
    NotReachable,
    /// Whoever has the number wrote STOP to the provider.
    OptedOut,
    /// Will never be taken as it is.
    Rejected,
    /// Somebody must mend the account.
    Misconfigured,
    /// May have gone out.
    Unknown,
}

use Meaning as M;

/// Every code that is known: code, what it asks, what it means.
pub const CODES: &[(i64, Meaning, &str)] = &[
    (20_001, M::Misconfigured, "Twilio does not know what is asked of it"),
    (20_003, M::Misconfigured, "account id or token is not taken"),
    (20_005, M::Misconfigured, "the account is not active"),
    (20_403, M::Misconfigured, "the account may not send"),
    (20_404, M::Misconfigured, "api_url or account_sid is not known to Twilio"),
    (20_429, M::Throttled, "too many requests at once"),
    (20_500, M::Unknown, "something went wrong at Twilio"),
    (20_503, M::Throttled, "Twilio is temporarily down"),
    (20_504, M::Unknown, "Twilio did not hear from its own machines in time"),
    (21_211, M::NotReachable, "the number is not valid"),
    (21_212, M::Misconfigured, "the sender is not valid"),
    (21_408, M::Rejected, "the account may not send to the recipient's country"),
    (21_602, M::Rejected, "the message has no text"),
    (21_603, M::Misconfigured, "no sender is given"),
    (21_604, M::Rejected, "no recipient is given"),
    (21_606, M::Misconfigured, "the sender cannot send SMS"),
    (21_609, M::Misconfigured, "the address to be called back is not valid"),
    (21_610, M::OptedOut, "the recipient wrote STOP to this sender"),
    (21_611, M::Throttled, "too much waits at the sender"),
    (21_612, M::Rejected, "this sender cannot reach this number"),
    (21_614, M::NotReachable, "the number is no mobile number"),
    (21_617, M::Rejected, "the text is longer than 1600 characters"),
    (21_659, M::Misconfigured, "the sender is no number of Twilio's"),
    (21_660, M::Misconfigured, "the sender belongs to another account"),
    (21_703, M::Misconfigured, "the messaging service has no sender"),
    (21_705, M::Misconfigured, "the messaging service is not known"),
    (30_001, M::Throttled, "too much waits at Twilio"),
    (30_002, M::Misconfigured, "the account is suspended"),
    (30_003, M::Later, "the phone could not be reached"),
    (30_004, M::Rejected, "the recipient's network blocked the message"),
    (30_005, M::NotReachable, "the number is unknown or no longer in use"),
    (30_006, M::NotReachable, "the number is a landline or its network takes no SMS"),
    (30_007, M::Rejected, "the network filtered the message out"),
    (30_008, M::Later, "the network gave no reason"),
    (30_022, M::Throttled, "the network's rate for this sender is used up"),
    (30_036, M::Later, "the message was not brought in the time it was worth"),
    (30_410, M::Later, "the network did not answer in time"),
];

/// Looks a code up.
#[must_use]
pub fn meaning(code: i64) -> Option<(Meaning, &'static str)> {
    let at = CODES.binary_search_by_key(&code, |row| row.0).ok()?;
    Some((CODES[at].1, CODES[at].2))
}

/// What a code teaches about the address, on a refusal as on a later word.
#[must_use]
pub fn lesson(code: i64) -> Option<Lesson> {
    match code {
        30_003 | 30_004 | 30_008 | 30_036 => Some(Lesson::Undelivered),
        _ => match meaning(code)?.0 {
            M::NotReachable => Some(Lesson::NotReachable),
            M::OptedOut => Some(Lesson::OptedOut),
            _ => None,
        },
    }
}

/// What an answer to a message means.
///
/// # Errors
/// Unless Twilio took it.
pub fn interpret(
    status: u16,
    answer: Option<&Value>,
    after: Option<Duration>,
) -> Result<Accepted, SendError> {
    let Some(answer) = answer.filter(|_| (200..300).contains(&status)) else {
        return Err(refusal(status, answer, after));
    };
    let Some(sid) = answer["sid"].as_str().filter(|sid| !sid.is_empty()) else {
        return Err(SendError::Unknown(unreadable(status)));
    };
    // Taken and given up at once: no callback follows, because the first state has none.
    if matches!(answer["status"].as_str(), Some("failed" | "undelivered" | "canceled")) {
        let fault = failure(answer["error_code"].as_i64());
        return Err(SendError::Rejected(fault));
    }
    Ok(Accepted::of(cut(sid, 64).to_owned()))
}

/// The caller's decision for an answer that is no success.
#[must_use]
pub fn refusal(status: u16, answer: Option<&Value>, after: Option<Duration>) -> SendError {
    match answer.and_then(|answer| Some((answer, answer["code"].as_i64()?))) {
        Some((answer, code)) => {
            let words = redact_digits(cut(answer["message"].as_str().unwrap_or_default(), 300));
            classify(code, status, &words, after)
        }
        None => match status {
            // The token is not taken, or the address is not that of the API.
            300..=399 | 401 | 403..=405 => SendError::Misconfigured(unreadable(status)),
            // Something between us and Twilio refused; the message itself was not looked at.
            400..=499 => {
                SendError::Retry { after, scope: Scope::Account, fault: unreadable(status) }
            }
            _ => SendError::Unknown(unreadable(status)),
        },
    }
}

/// The caller's decision for a code, with what Twilio added.
#[must_use]
pub fn classify(code: i64, status: u16, details: &str, after: Option<Duration>) -> SendError {
    let found = meaning(code);
    let words = found.map_or("unlisted code", |found| found.1);
    let detail = if details.is_empty() { words.to_owned() } else { format!("{words}: {details}") };
    let fault = Fault { lesson: lesson(code), ..Fault::new(code.to_string(), detail) };
    let asked = found.map_or_else(
        || {
            tracing::warn!(code, status, "Twilio answered with a code that is not in our table");
            match status {
                401 | 403 | 404 => M::Misconfigured,
                429 => M::Throttled,
                400..=499 => M::Rejected,
                _ => M::Unknown,
            }
        },
        |found| found.0,
    );
    match asked {
        M::Throttled => SendError::Retry { after, scope: Scope::Account, fault },
        M::Later => SendError::Retry { after, scope: Scope::Message, fault },
        M::NotReachable | M::OptedOut => SendError::RecipientGone(fault),
        M::Rejected => SendError::Rejected(fault),
        M::Misconfigured => SendError::Misconfigured(fault),
        M::Unknown => SendError::Unknown(fault),
    }
}

/// Why a message that had been taken failed.
#[must_use]
pub fn failure(code: Option<i64>) -> Fault {
    let Some(code) = code else {
        return Fault::new("failed", "Twilio gave no reason").teaching(Lesson::Undelivered);
    };
    let words = meaning(code).map_or("unlisted code", |found| found.1);
    Fault { lesson: lesson(code), ..Fault::new(code.to_string(), words) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_no_code_twice() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_code_asks_for_its_decision_and_teaches_its_lesson() {
        let opted_out = Some(Lesson::OptedOut);
        let not_reachable = Some(Lesson::NotReachable);
        let undelivered = Some(Lesson::Undelivered);
        let rows = [
            (20_001, "misconfigured", None),
            (20_003, "misconfigured", None),
            (20_005, "misconfigured", None),
            (20_403, "misconfigured", None),
            (20_404, "misconfigured", None),
            (20_429, "retry", None),
            (20_500, "unknown", None),
            (20_503, "retry", None),
            (20_504, "unknown", None),
            (21_211, "recipient_gone", not_reachable),
            (21_212, "misconfigured", None),
            (21_408, "rejected", None),
            (21_602, "rejected", None),
            (21_603, "misconfigured", None),
            (21_604, "rejected", None),
            (21_606, "misconfigured", None),
            (21_609, "misconfigured", None),
            (21_610, "recipient_gone", opted_out),
            (21_611, "retry", None),
            (21_612, "rejected", None),
            (21_614, "recipient_gone", not_reachable),
            (21_617, "rejected", None),
            (21_659, "misconfigured", None),
            (21_660, "misconfigured", None),
            (21_703, "misconfigured", None),
            (21_705, "misconfigured", None),
            (30_001, "retry", None),
            (30_002, "misconfigured", None),
            (30_003, "retry", undelivered),
            (30_004, "rejected", undelivered),
            (30_005, "recipient_gone", not_reachable),
            (30_006, "recipient_gone", not_reachable),
            (30_007, "rejected", None),
            (30_008, "retry", undelivered),
            (30_022, "retry", None),
            (30_036, "retry", undelivered),
            (30_410, "retry", None),
        ];
        assert_eq!(rows.len(), CODES.len(), "a row of the table without one here");
        for (code, word, lesson) in rows {
            let error = classify(code, 400, "", None);
            assert_eq!((error.word(), error.fault().lesson), (word, lesson), "{code}");
            assert_eq!(failure(Some(code)).lesson, lesson, "{code}");
        }
    }

    #[test]
    fn a_wait_concerns_the_account_or_the_message() {
        let scope = |code| match classify(code, 429, "", None) {
            SendError::Retry { scope, .. } => scope,
            other => panic!("{other}"),
        };
        for code in [20_429, 20_503, 21_611, 30_001, 30_022] {
            assert_eq!(scope(code), Scope::Account, "{code}");
        }
        for code in [30_003, 30_008, 30_410] {
            assert_eq!(scope(code), Scope::Message, "{code}");
        }
    }

    #[test]
    fn an_unlisted_code_and_an_answer_without_one_are_judged_by_the_status() {
        let with_code = json!({"code": 99_999, "message": "to +6281200000001", "status": 0});
        let odd = json!({"error": "nope"});
        for (status, listed, unlisted) in [
            (400, "rejected", "retry"),
            (401, "misconfigured", "misconfigured"),
            (403, "misconfigured", "misconfigured"),
            (404, "misconfigured", "misconfigured"),
            (429, "retry", "retry"),
            (500, "unknown", "unknown"),
            (503, "unknown", "unknown"),
            (302, "unknown", "misconfigured"),
        ] {
            let error = interpret(status, Some(&with_code), None).unwrap_err();
            assert_eq!(error.word(), listed, "{status}");
            assert!(!error.fault().detail.contains("81200000001"));
            for answer in [Some(&odd), None] {
                let error = interpret(status, answer, None).unwrap_err();
                assert_eq!(error.word(), unlisted, "{status}");
            }
        }
    }

    #[test]
    fn only_a_message_with_an_id_that_did_not_fail_at_once_is_taken() {
        let sid = "SM00000000000000000000000000000001";
        let taken = json!({"sid": sid, "status": "queued", "error_code": null});
        assert_eq!(interpret(201, Some(&taken), None).unwrap().provider_message_id, sid);
        assert!(matches!(interpret(201, Some(&json!({})), None), Err(SendError::Unknown(_))));
        assert!(matches!(interpret(200, None, None), Err(SendError::Unknown(_))));
        let failed = json!({"sid": sid, "status": "failed", "error_code": 30_006});
        let Err(SendError::Rejected(fault)) = interpret(201, Some(&failed), None) else { panic!() };
        assert_eq!(fault.lesson, Some(Lesson::NotReachable));
    }
}
