//! Meta's error codes in our words, one row each.
//!
//! Source: Meta's error code table and messaging documentation as of 2026. HTTP statuses of the
//! same code differ between its own pages, so only the code counts. A code that is not listed is
//! retried with a warning.

use std::time::Duration;

use crate::channel::{Fault, Scope, SendError};
use crate::domain::broadcast::Alarm;
use crate::domain::consent::Lesson;

/// What a code asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Refused before processing; the whole number waits.
    Throttled,
    /// Refused before processing; this recipient waits.
    PairThrottled,
    /// Refused; the same may be sent after that many seconds.
    Later(u64),
    /// Free words outside the window.
    WindowClosed,
    /// Nobody to be reached at this address on WhatsApp.
    NotReachable,
    /// May not be written to by this number, though it is on WhatsApp.
    RecipientGone,
    /// Asked Meta for no marketing.
    NoMarketing,
    /// Too many recipients complained: nothing but answers until somebody looks.
    Restricted,
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
    (0, M::Misconfigured, "access token could not be checked"),
    (1, M::Unknown, "unknown error at Meta"),
    (2, M::Unknown, "Meta is temporarily down"),
    (3, M::Misconfigured, "the app lacks the capability to send"),
    (4, M::Throttled, "app call limit reached"),
    (10, M::Misconfigured, "permission missing or removed"),
    (33, M::Rejected, "phone number id unknown or not visible to this token"),
    (100, M::Rejected, "invalid parameter"),
    (190, M::Misconfigured, "access token invalid or expired"),
    (368, M::Misconfigured, "account temporarily blocked for policy violations"),
    (613, M::Throttled, "call limit reached"),
    (80_007, M::Throttled, "business account rate limit reached"),
    (130_403, M::RecipientGone, "this business has blocked the recipient"),
    (130_429, M::Throttled, "throughput limit of the number reached"),
    (
        130_472,
        M::Rejected,
        "recipient is part of an experiment at Meta and gets no marketing messages",
    ),
    (130_497, M::RecipientGone, "not allowed to message people in the recipient's country"),
    (131_000, M::Unknown, "something went wrong at Meta"),
    (131_005, M::Misconfigured, "access denied"),
    (131_008, M::Rejected, "required parameter missing"),
    (131_009, M::Rejected, "parameter value not valid"),
    (131_016, M::Unknown, "service temporarily unavailable"),
    (131_021, M::RecipientGone, "recipient is the sender itself"),
    (
        131_026,
        M::NotReachable,
        "not on WhatsApp, or has not accepted its terms, or uses too old an app",
    ),
    (131_030, M::RecipientGone, "recipient is not on the list of allowed test numbers"),
    (131_031, M::Misconfigured, "account locked"),
    (131_037, M::Misconfigured, "display name of the number is not approved yet"),
    (131_042, M::Misconfigured, "payment problem"),
    (131_045, M::Misconfigured, "phone number is not registered correctly"),
    (131_047, M::WindowClosed, "more than 24 hours since the recipient wrote"),
    (
        131_048,
        M::Restricted,
        "sending limited because too many recipients reported or blocked this number",
    ),
    (
        131_049,
        M::Rejected,
        "not brought, to keep the number of marketing messages per person healthy",
    ),
    (131_050, M::NoMarketing, "recipient asked to get no marketing messages"),
    (131_051, M::Rejected, "message type not supported"),
    (131_052, M::Unknown, "media could not be downloaded"),
    (131_053, M::Unknown, "media could not be uploaded"),
    (131_055, M::Misconfigured, "marketing messages are not allowed here"),
    (131_056, M::PairThrottled, "too many messages to this recipient in a short time"),
    (131_057, M::Unknown, "account in maintenance"),
    (131_062, M::Rejected, "this message needs a phone number, not a user id"),
    (131_063, M::Misconfigured, "marketing messages are not allowed here"),
    (131_064, M::Misconfigured, "account restricted"),
    (132_000, M::Rejected, "number of template parameters does not match the registered template"),
    (132_001, M::Rejected, "template is not registered under this name and language"),
    (132_005, M::Rejected, "template text too long with these parameters"),
    (132_007, M::Rejected, "template violates a policy"),
    (132_008, M::Rejected, "template parameter value not valid"),
    (132_012, M::Rejected, "template parameter format does not match"),
    (132_015, M::Rejected, "template is paused because of low quality"),
    (132_016, M::Rejected, "template is disabled because of low quality"),
    (132_018, M::Rejected, "template parameters not valid"),
    (132_068, M::Rejected, "flow is blocked"),
    (132_069, M::Rejected, "flow is throttled"),
    (133_000, M::Misconfigured, "deregistration of the number is incomplete"),
    (133_004, M::Unknown, "server temporarily unavailable"),
    (133_005, M::Misconfigured, "two-step PIN of the number is wrong"),
    (133_006, M::Misconfigured, "phone number must be verified again"),
    (133_008, M::Misconfigured, "too many PIN attempts for the number"),
    (133_009, M::Misconfigured, "PIN of the number was entered too fast"),
    (133_010, M::Misconfigured, "phone number is not registered"),
    (133_015, M::Misconfigured, "phone number was deleted recently"),
    (133_016, M::Misconfigured, "too many registrations of the number; locked for 72 hours"),
    (134_100, M::Misconfigured, "only marketing messages are allowed on this endpoint"),
    (134_101, M::Later(600), "template is still being synchronised"),
    (134_102, M::Rejected, "template is not available for use"),
    (135_000, M::Rejected, "unknown parameter in the request"),
];

/// Looks a code up; the ranges of permission codes included.
#[must_use]
pub fn meaning(code: i64) -> Option<(Meaning, &'static str)> {
    if let Ok(at) = CODES.binary_search_by_key(&code, |row| row.0) {
        return Some((CODES[at].1, CODES[at].2));
    }
    (200..=299).contains(&code).then_some((M::Misconfigured, "permission missing or removed"))
}

/// What a code teaches about the address, on a refusal as on a later word.
#[must_use]
pub fn lesson(code: i64) -> Option<Lesson> {
    match meaning(code)?.0 {
        M::NotReachable => Some(Lesson::NotReachable),
        M::NoMarketing => Some(Lesson::NoMarketing),
        M::WindowClosed => Some(Lesson::WindowClosed),
        _ => None,
    }
}

/// Why a broadcast must hold itself, on a refusal as on a later word.
#[must_use]
pub const fn alarm(code: i64) -> Option<Alarm> {
    match code {
        131_048 => Some(Alarm::Quality),
        132_015 => Some(Alarm::TemplatePaused),
        132_016 => Some(Alarm::TemplateDisabled),
        _ => None,
    }
}

/// The caller's decision for a code, with what the provider added.
#[must_use]
pub fn classify(
    code: i64,
    subcode: Option<i64>,
    details: &str,
    after: Option<Duration>,
) -> SendError {
    // An unknown phone number id comes as the general code 100 with subcode 33: then it is the
    // account, not the message, that is wrong.
    let found = if code == 100 && subcode == Some(33) {
        Some((M::Misconfigured, "phone number id unknown or not visible to this token"))
    } else {
        meaning(code)
    };
    let fault = |words: &str| {
        let detail =
            if details.is_empty() { words.to_owned() } else { format!("{words}: {details}") };
        Fault { lesson: lesson(code), alarm: alarm(code), ..Fault::new(code.to_string(), detail) }
    };
    let Some((meaning, words)) = found else {
        tracing::warn!(code, "Meta answered with a code that is not in our table; trying again");
        let fault = fault("unlisted code");
        return SendError::Retry { after, scope: Scope::Message, fault };
    };
    let fault = fault(words);
    match meaning {
        M::Throttled => SendError::Retry { after, scope: Scope::Account, fault },
        M::PairThrottled => SendError::Retry { after, scope: Scope::Recipient, fault },
        M::Later(seconds) => SendError::Retry {
            after: after.or(Some(Duration::from_secs(seconds))),
            scope: Scope::Message,
            fault,
        },
        M::WindowClosed => SendError::WindowClosed(fault),
        M::NotReachable | M::RecipientGone => SendError::RecipientGone(fault),
        M::Rejected | M::NoMarketing => SendError::Rejected(fault),
        M::Restricted => SendError::Restricted(fault),
        M::Misconfigured => SendError::Misconfigured(fault),
        M::Unknown => SendError::Unknown(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_no_code_twice() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn only_what_was_refused_before_processing_is_sent_again_by_itself() {
        let retried: Vec<i64> = CODES
            .iter()
            .filter(|row| matches!(classify(row.0, None, "", None), SendError::Retry { .. }))
            .map(|row| row.0)
            .collect();
        assert_eq!(retried, [4, 613, 80_007, 130_429, 131_056, 134_101]);
    }

    #[test]
    fn a_wait_concerns_the_number_or_the_recipient() {
        let scope = |code| match classify(code, None, "", None) {
            SendError::Retry { scope, .. } => scope,
            other => panic!("{other}"),
        };
        assert_eq!(scope(130_429), Scope::Account);
        assert_eq!(scope(131_056), Scope::Recipient);
        assert_eq!(scope(999_999), Scope::Message);
    }

    #[test]
    fn every_permission_code_and_the_unknown_number_stop_the_account() {
        for code in [0, 3, 10, 190, 200, 250, 299, 368, 131_031, 133_010] {
            assert!(
                matches!(classify(code, None, "", None), SendError::Misconfigured(_)),
                "{code}"
            );
        }
        assert!(matches!(classify(100, Some(33), "", None), SendError::Misconfigured(_)));
        assert!(matches!(classify(100, None, "", None), SendError::Rejected(_)));
    }
}
