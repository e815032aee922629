//! Zenziva's status codes in our words, one row each.
//!
//! Source: client libraries of 2017 to 2024 and their recorded answers; Zenziva publishes no
//! reference. A code that is not listed is retried with a warning.

use std::time::Duration;

use super::answer::{Answer, Kind};
use crate::channel::http_call::unreadable;
use crate::channel::{Fault, Scope, SendError};
use crate::domain::consent::Lesson;
use crate::domain::redact::redact_digits;

/// What a code asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// No such number.
    NotReachable,
    /// Somebody must mend the account.
    Misconfigured,
    /// Will never be taken as it is.
    Rejected,
    /// This recipient waits.
    PairThrottled,
}

use Meaning as M;

/// Every code that is known: code, what it asks, what it means. In JSON 1 is success, in XML 0.
pub const CODES: &[(i64, Meaning, &str)] = &[
    (1, M::NotReachable, "the number is not valid"),
    (5, M::Misconfigured, "user key or pass key wrong"),
    (6, M::Rejected, "the content is refused"),
    (89, M::PairThrottled, "sent to the same number too often"),
    (99, M::Misconfigured, "out of credit"),
];

/// The caller's decision for an answer: the provider's id, if it gave one.
///
/// # Errors
/// [`SendError`], unless the message was taken.
pub fn classify(
    status: u16,
    answer: Option<&Answer>,
    after: Option<Duration>,
) -> Result<Option<String>, SendError> {
    let is_ok = (200..300).contains(&status);
    // Beyond 499 nobody knows what became of it, whatever the answer says.
    let answer = answer.filter(|_| status < 500);
    let Some(answer) = answer else { return Err(without_code(status, after)) };
    if is_wrong_login(&answer.text) {
        return Err(refused(5, answer, after));
    }
    match (answer.kind, answer.status) {
        (Kind::Json, Some(1)) | (Kind::Xml, Some(0)) if is_ok => Ok(answer.message_id.clone()),
        (Kind::Json, Some(1)) | (Kind::Xml, Some(0)) | (_, None) => {
            Err(without_code(status, after))
        }
        (_, Some(code)) => Err(refused(code, answer, after)),
    }
}

/// A wrong login comes with 0, with 5 or with no status at all; its words are always about the keys.
fn is_wrong_login(text: &str) -> bool {
    let text = text.to_lowercase();
    (text.contains("passkey") || text.contains("userkey"))
        && ["salah", "wrong", "invalid", "tidak"].iter().any(|word| text.contains(word))
}

fn refused(code: i64, answer: &Answer, after: Option<Duration>) -> SendError {
    let row = CODES.iter().find(|row| row.0 == code);
    let words = row.map_or("unlisted code", |row| row.2);
    let said = redact_digits(&answer.text);
    let detail = if said.is_empty() { words.to_owned() } else { format!("{words}: {said}") };
    let fault = Fault::new(code.to_string(), detail);
    match row.map(|row| row.1) {
        Some(M::NotReachable) => SendError::RecipientGone(fault.teaching(Lesson::NotReachable)),
        Some(M::Misconfigured) => SendError::Misconfigured(fault),
        Some(M::Rejected) => SendError::Rejected(fault),
        Some(M::PairThrottled) => SendError::Retry { after, scope: Scope::Recipient, fault },
        None => {
            tracing::warn!(code, "Zenziva answered with a code that is not in our table");
            SendError::Retry { after, scope: Scope::Message, fault }
        }
    }
}

/// An answer without a code: all there is to go by is the HTTP status.
fn without_code(status: u16, after: Option<Duration>) -> SendError {
    let fault = unreadable(status);
    match status {
        // The keys are not taken, or the address is not that of the API.
        300..=399 | 401 | 403 | 404 => SendError::Misconfigured(fault),
        // Something before Zenziva refused; the message itself was not looked at.
        400..=499 => SendError::Retry { after, scope: Scope::Account, fault },
        _ => SendError::Unknown(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(status: u16, answer: &str) -> Result<Option<String>, SendError> {
        classify(status, Answer::read(answer.as_bytes()).as_ref(), None)
    }

    fn word(status: u16, answer: &str) -> &'static str {
        decided(status, answer).map_or_else(|error| error.word(), |_| "accepted")
    }

    #[test]
    fn every_code_leads_where_its_meaning_demands() {
        for (code, meaning, words) in CODES {
            let answer = format!("<response><status>{code}</status><text>x</text></response>");
            let error = decided(200, &answer).unwrap_err();
            let expected = match meaning {
                M::NotReachable => "recipient_gone",
                M::Misconfigured => "misconfigured",
                M::Rejected => "rejected",
                M::PairThrottled => "retry",
            };
            assert_eq!((error.word(), &error.fault().code), (expected, &code.to_string()));
            assert_eq!(error.fault().detail, format!("{words}: x"));
            let teaches = error.fault().lesson == Some(Lesson::NotReachable);
            assert_eq!(teaches, *meaning == M::NotReachable);
            if let SendError::Retry { scope, .. } = error {
                assert_eq!(scope, Scope::Recipient);
            }
            if *code != 1 {
                let json = format!(r#"{{"status":"{code}","text":"x"}}"#);
                assert_eq!(word(200, &json), expected, "the same in JSON: {code}");
            }
        }
    }

    #[test]
    fn success_is_1_in_json_and_0_in_xml_and_never_the_other_way_round() {
        assert_eq!(decided(200, r#"{"status":1,"messageId":"157365"}"#), Ok(Some("157365".into())));
        assert_eq!(decided(201, r#"{"status":"1"}"#), Ok(None));
        assert_eq!(word(200, "<response><status>0</status></response>"), "accepted");
        assert_eq!(word(200, r#"{"status":0,"text":"lain"}"#), "retry");
        assert_eq!(word(200, "<response><status>1</status></response>"), "recipient_gone");
    }

    #[test]
    fn a_wrong_login_is_known_by_its_words_whatever_the_status() {
        for answer in [
            r#"{"status":"0","text":"Userkey atau Passkey Salah"}"#,
            r#"{"status":5,"text":"Userkey / Passkey Salah"}"#,
            r#"{"status":1,"text":"Passkey tidak valid"}"#,
            r#"{"response":"Wrong Userkey or Passkey"}"#,
            "<response><message><status>0</status><text>Userkey Salah</text></message></response>",
        ] {
            let error = decided(200, answer).unwrap_err();
            assert_eq!((error.word(), &*error.fault().code), ("misconfigured", "5"), "{answer}");
        }
    }

    #[test]
    fn an_answer_without_a_code_goes_by_its_http_status() {
        for (status, expected) in [
            (200, "unknown"),
            (302, "misconfigured"),
            (401, "misconfigured"),
            (404, "misconfigured"),
            (400, "retry"),
            (429, "retry"),
            (500, "unknown"),
            (503, "unknown"),
        ] {
            for page in ["<html>halo</html>", "{}", ""] {
                assert_eq!(word(status, page), expected, "{status} {page}");
            }
        }
        assert_eq!(word(500, r#"{"status":1}"#), "unknown");
        assert_eq!(word(400, r#"{"status":1}"#), "retry");
        assert_eq!(word(400, r#"{"status":6}"#), "rejected");
    }

    #[test]
    fn digits_of_the_providers_words_are_removed() {
        let error = decided(200, r#"{"status":6,"text":"to 6281234567890"}"#).unwrap_err();
        assert!(!error.fault().detail.contains("6281234567890"));
    }
}
