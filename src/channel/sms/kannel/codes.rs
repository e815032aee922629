//! Kannel's replies to `sendsms` and the types of its receipts in our words, one row each.
//!
//! Source: gw/smsbox.c of Kannel 1.4.5, each reply seen there or provoked. A reply that is not
//! listed is never repeated in words: a proxy's page may quote the address, and with it the
//! password.

use std::time::Duration;

use crate::channel::http_call::unreadable;
use crate::channel::{Fault, Scope, SendError};
use crate::domain::consent::Lesson;
use crate::domain::message::ReceiptKind;

/// What a reply asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Taken.
    Accepted,
    /// Somebody must mend the account.
    Misconfigured,
    /// Does not take this number. It may be Kannel's own configuration, which then denies everybody.
    Denied,
    /// Will never be taken as it is.
    Rejected,
    /// Not taken; everything waits.
    Later,
}

use Meaning as M;

/// Every reply that is known: how it begins, what it asks, our code for it, what it means.
pub const REPLIES: &[(&str, Meaning, &str, &str)] = &[
    ("0:", M::Accepted, "accepted", "accepted for delivery"),
    ("3:", M::Accepted, "queued", "no route is up; kept for later"),
    (
        "Authorization failed",
        M::Misconfigured,
        "authorization_failed",
        "Kannel takes this username and password not, or not from this address",
    ),
    ("Unknown request", M::Misconfigured, "unknown_request", "the address is not that of sendsms"),
    ("Sender missing", M::Misconfigured, "sender_missing", "no sender is given or preset"),
    ("Missing receiver", M::Denied, "missing_receiver", "the receiver's number is missing"),
    ("Empty receiver", M::Denied, "empty_receiver", "the receiver's number is empty"),
    (
        "Number(s) has/have been denied",
        M::Denied,
        "number_denied",
        "Kannel's white- or blacklist denies the number, or its sendsms-chars has no plus sign",
    ),
    ("Charset or body misformed", M::Rejected, "text_misformed", "the text could not be read"),
    ("DLR-URL field misformed", M::Rejected, "dlr_url_misformed", "the receipts' address is wrong"),
    ("DLR-Mask field misformed", M::Rejected, "dlr_mask_misformed", "the receipts' mask is wrong"),
    ("Coding field misformed", M::Rejected, "coding_misformed", "the coding is wrong"),
    ("Temporal failure", M::Later, "temporal_failure", "Kannel cannot take messages just now"),
];

/// The caller's decision for a reply; nothing when the message was taken.
///
/// # Errors
/// [`SendError`], unless it was taken.
pub fn classify(status: u16, reply: &str, after: Option<Duration>) -> Result<(), SendError> {
    let reply = reply.trim_start();
    let row = REPLIES.iter().find(|row| reply.starts_with(row.0));
    let fault = |code: &str, words: &str| Fault::new(code, words);
    let later = |fault| SendError::Retry { after, scope: Scope::Account, fault };
    Err(match (status, row) {
        (200..=299, Some((_, M::Accepted, ..))) => return Ok(()),
        (300..=599, Some((_, M::Misconfigured, code, words))) => {
            SendError::Misconfigured(fault(code, words))
        }
        (400, Some((_, M::Denied, code, words))) => SendError::RecipientGone(fault(code, words)),
        (400, Some((_, M::Rejected, code, words))) => SendError::Rejected(fault(code, words)),
        (400, _) => SendError::Rejected(fault("http_400", "refused in words we do not know")),
        (503, Some((_, M::Later, code, words))) => later(fault(code, words)),
        (429, _) => later(fault("http_429", "something before Kannel asks to go slower")),
        (300..=499, _) => SendError::Misconfigured(unreadable(status)),
        _ => SendError::Unknown(unreadable(status)),
    })
}

/// The types of receipts that say something: `%d`, what it says. 4 (queued at the SMSC) and
/// whatever is not listed says nothing that anybody waits for.
pub const TYPES: &[(&str, ReceiptKind)] = &[
    ("1", ReceiptKind::Delivered),
    ("2", ReceiptKind::Failed),
    ("8", ReceiptKind::Sent),
    ("16", ReceiptKind::Failed),
];

/// What a type of receipt says.
#[must_use]
pub fn kind(kind: &str) -> Option<ReceiptKind> {
    TYPES.iter().find(|row| row.0 == kind).map(|row| row.1)
}

/// Why a message failed, from the SMSC's words: `NACK/0x0000000b/Invalid Destination Address` when
/// it refused (type 16), a receipt `… stat:UNDELIV err:011 …` when it could not bring it (type 2).
/// It teaches nothing where the fault may be ours or the operator's.
#[must_use]
pub fn failure(kind: &str, answer: &str) -> Fault {
    if kind == "16" {
        let mut parts = answer.splitn(3, '/').skip(1).map(str::trim);
        let code = parts.next().filter(|code| !code.is_empty()).unwrap_or("dlr_16");
        let words = parts.next().unwrap_or_default();
        let fault = Fault::new(code, joined("the SMSC refused it", words));
        // ESME_RINVDSTADR: the one refusal that is about the number.
        let is_number = code.eq_ignore_ascii_case("0x0000000b")
            || words.to_ascii_lowercase().contains("invalid destination");
        return if is_number { fault.teaching(Lesson::Undelivered) } else { fault };
    }
    let stat = field(answer, "stat:");
    let err = field(answer, "err:");
    let code = match (stat, err) {
        (Some(stat), Some(err)) => format!("{stat}/{err}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "dlr_2".to_owned(),
    };
    let fault = Fault::new(code, "the SMSC could not bring it");
    let is_about_the_phone = stat.is_some_and(|stat| {
        stat.eq_ignore_ascii_case("UNDELIV") || stat.eq_ignore_ascii_case("EXPIRED")
    });
    if is_about_the_phone { fault.teaching(Lesson::Undelivered) } else { fault }
}

fn joined(words: &str, more: &str) -> String {
    if more.is_empty() { words.to_owned() } else { format!("{words}: {more}") }
}

/// The value behind a name in a receipt's text.
fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let at = answer.to_ascii_lowercase().find(name)? + name.len();
    answer[at..].split_whitespace().next().filter(|value| value.len() <= 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(status: u16, reply: &str) -> &'static str {
        classify(status, reply, None).map_or_else(|error| error.word(), |()| "accepted")
    }

    #[test]
    fn every_reply_leads_where_its_meaning_demands() {
        for (begins, meaning, code, _) in REPLIES {
            let (status, expected) = match meaning {
                M::Accepted => (202, "accepted"),
                M::Misconfigured => (403, "misconfigured"),
                M::Denied => (400, "recipient_gone"),
                M::Rejected => (400, "rejected"),
                M::Later => (503, "retry"),
            };
            let reply = format!("\r\n{begins} and more");
            assert_eq!(decided(status, &reply), expected, "{begins}");
            if let Err(error) = classify(status, &reply, None) {
                assert_eq!(&error.fault().code, code);
                assert_eq!(error.fault().lesson, None, "{begins}");
            }
        }
    }

    #[test]
    fn only_a_2xx_that_says_so_is_accepted() {
        assert_eq!(decided(200, "0: Accepted for delivery"), "accepted");
        assert_eq!(decided(201, "3: Queued for later delivery"), "accepted");
        assert_eq!(decided(200, "<html>login</html>"), "unknown");
        assert_eq!(decided(202, ""), "unknown");
        assert_eq!(decided(202, "Authorization failed for sendsms"), "unknown");
        assert_eq!(decided(500, "0: Accepted for delivery"), "unknown");
        assert_eq!(decided(404, "0: Accepted for delivery"), "misconfigured");
    }

    #[test]
    fn what_is_not_listed_goes_by_its_status_and_is_not_quoted() {
        for (status, expected) in [
            (302, "misconfigured"),
            (400, "rejected"),
            (401, "misconfigured"),
            (403, "misconfigured"),
            (404, "misconfigured"),
            (429, "retry"),
            (500, "unknown"),
            (502, "unknown"),
            (503, "unknown"),
            (999, "unknown"),
        ] {
            let page = "no luck with /cgi-bin/sendsms?password=hunter2";
            assert_eq!(decided(status, page), expected, "{status}");
            let Err(error) = classify(status, page, None) else { panic!() };
            assert!(!error.to_string().contains("hunter2"));
        }
        let fault = |status, reply| classify(status, reply, None).unwrap_err().fault().code.clone();
        assert_eq!(fault(401, "Authorization failed for sendsms"), "authorization_failed");
    }

    #[test]
    fn every_type_of_receipt_says_one_thing() {
        for (word, expected) in TYPES {
            assert_eq!(kind(word), Some(*expected));
        }
        for word in ["4", "32", "0", "", "x", "01"] {
            assert_eq!(kind(word), None, "{word}");
        }
    }

    #[test]
    fn a_failure_keeps_the_code_and_only_a_wrong_number_teaches_that_it_is_wrong() {
        let nack = |words: &str| failure("16", words);
        let wrong = nack("NACK/0x0000000b/Invalid Destination Address");
        assert_eq!((wrong.code.as_str(), wrong.lesson), ("0x0000000b", Some(Lesson::Undelivered)));
        assert!(wrong.detail.ends_with("Invalid Destination Address"));
        let system = nack("NACK/0x00000008/System Error");
        assert_eq!((system.code.as_str(), system.lesson), ("0x00000008", None));
        assert_eq!((nack("").code.as_str(), nack("NACK/").code.as_str()), ("dlr_16", "dlr_16"));
        let receipt = "id:A5 sub:001 dlvrd:001 stat:UNDELIV err:011 ";
        let lost = failure("2", receipt);
        assert_eq!((lost.code.as_str(), lost.lesson), ("UNDELIV/011", Some(Lesson::Undelivered)));
        let late = failure("2", "Stat:EXPIRED");
        assert_eq!((late.code.as_str(), late.lesson), ("EXPIRED", Some(Lesson::Undelivered)));
        for (answer, code) in [
            ("stat:REJECTD err:045", "REJECTD/045"),
            ("stat:DELETED", "DELETED"),
            ("err:011", "011"),
            ("", "dlr_2"),
        ] {
            let fault = failure("2", answer);
            assert_eq!((fault.code.as_str(), fault.lesson), (code, None), "{answer}");
        }
    }
}
