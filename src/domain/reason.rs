//! A reason that an officer writes and citizens read after "karena": short, one line, and nothing that looks like a
//! fraud's message.

use super::redact::{is_marked, redact};

/// Longest reason, in characters: it stands within a sentence, also of an SMS.
pub const LONGEST: usize = 80;

/// What citizens are told we never send, and what would be read as a hole of a template.
const NEVER: [&str; 7] = ["http", "www.", "wa.me", "t.me/", "bit.ly", "://", "{{"];

/// Why citizens cannot be given a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// None, or one that is too long.
    #[error("the reason has 1 to {0} characters: citizens read it")]
    Length(usize),
    /// A line break, or something else that is no letter.
    #[error("the reason stands on one line, without control characters")]
    Control,
    /// It leads somewhere.
    #[error("the reason has a link or braces: citizens are told that we send no links")]
    Link,
    /// It has the number of a person or a phone.
    #[error("the reason has a NIK, a phone number or a code: leave it out")]
    Number,
}

/// A reason as citizens read it, without the full stop that their sentence has already.
///
/// # Errors
/// [`ReasonError`] with what does not fit.
pub fn check_reason(reason: &str) -> Result<String, ReasonError> {
    let reason = reason.trim().trim_end_matches('.').trim();
    if !(1..=LONGEST).contains(&reason.chars().count()) {
        return Err(ReasonError::Length(LONGEST));
    }
    if reason.chars().any(char::is_control) {
        return Err(ReasonError::Control);
    }
    let lower = reason.to_lowercase();
    if NEVER.iter().any(|never| lower.contains(never)) {
        return Err(ReasonError::Link);
    }
    if is_marked(&redact(reason).text) {
        return Err(ReasonError::Number);
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line_without_links_or_numbers_of_people() {
        let check = check_reason;
        assert_eq!(check(" printer rusak. ").unwrap(), "printer rusak");
        for fine in [
            "listrik padam sampai 15.00",
            "kantor tutup 24 Desember 2026",
            "2 dari 3 alat rekam rusak",
        ] {
            assert_eq!(check(fine).as_deref(), Ok(fine));
        }
        for bad in ["", " . ", &"a".repeat(81)] {
            assert_eq!(check(bad), Err(ReasonError::Length(80)), "{bad}");
        }
        assert_eq!(check("a\nb"), Err(ReasonError::Control));
        for link in ["lihat HTTP://x", "buka Www.x.id", "chat WA.me/62", "{{ ref }}", "ftp://x"] {
            assert_eq!(check(link), Err(ReasonError::Link), "{link}");
        }
        for number in ["NIK 3517 0901 0190 0001 salah", "hubungi 0812-3456-7890"] {
            assert_eq!(check(number), Err(ReasonError::Number), "{number}");
        }
    }
}
