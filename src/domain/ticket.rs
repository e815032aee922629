//! What a citizen puts before an officer: a talk, a complaint, a request to have data deleted.
//!
//! Only the words for it and the number by which a citizen follows a complaint; who may look at it
//! is decided elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// What a ticket is about.
    pub enum TicketKind {
        /// Somebody wants to talk to a person.
        Human = "human",
        /// A complaint about the service.
        Complaint = "complaint",
        /// A request to have one's data deleted.
        Deletion = "deletion",
    }
}

words! {
    /// Where a ticket is. Never back.
    pub enum TicketState {
        /// Waits for an officer.
        Open = "open",
        /// An officer has it.
        Taken = "taken",
        /// Done.
        Closed = "closed",
    }
}

words! {
    /// What a complaint is about.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ComplaintCategory {
        /// It takes too long, or was put off.
        Delay = "delay",
        /// How somebody of the office behaved.
        Officer = "officer",
        /// Made harder than the rules are.
        Obstruction = "obstruction",
        /// Money was asked for: pungutan liar.
        Pungli = "pungli",
        /// Anything else.
        Other = "other",
    }
}

impl ComplaintCategory {
    /// Whether money was asked for, which is a crime and followed apart.
    #[must_use]
    pub const fn is_pungli(self) -> bool {
        matches!(self, Self::Pungli)
    }
}

/// Characters without `0 O 1 I L U V`, as in the references of messages.
const ALPHABET: &[u8; 29] = b"ABCDEFGHJKMNPQRSTWXYZ23456789";
const BASE: u64 = ALPHABET.len() as u64;
const LENGTH: usize = 4;

/// The number of a complaint: `P-7KQ4`. A name and no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComplaintNumber(String);

/// A text that is no number of a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number of a complaint is written like P-7KQ4")]
pub struct NotANumber;

impl ComplaintNumber {
    /// The number drawn by a random number. There are 700,000: whoever keeps them must be ready to
    /// draw again.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        let mut text = "P-".to_owned();
        let mut rest = random;
        for _ in 0..LENGTH {
            let index = usize::try_from(rest % BASE).unwrap_or_default();
            text.push(ALPHABET.get(index).copied().map_or('A', char::from));
            rest /= BASE;
        }
        Self(text)
    }

    /// The first number that stands in a text, in any case; without its dash only where a digit
    /// shows that it is no word.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_alphanumeric() && c != '-').find_map(Self::read)
    }

    fn read(word: &str) -> Option<Self> {
        let word = word.to_ascii_uppercase();
        let rest = word.strip_prefix('P')?;
        let code = rest.strip_prefix('-').unwrap_or(rest);
        let is_plain = code.len() == LENGTH && code.bytes().all(|b| ALPHABET.contains(&b));
        let is_marked = code.len() < rest.len() || code.bytes().any(|b| b.is_ascii_digit());
        (is_plain && is_marked).then(|| Self(format!("P-{code}")))
    }

    /// The number as it is shown and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ComplaintNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ComplaintNumber {
    type Err = NotANumber;
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        Self::read(text.trim()).ok_or(NotANumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_any_case_and_in_a_sentence() {
        for text in ["P-7KQ4", "p-7kq4", "nomor p7kq4 gimana?", "(P-7KQ4)", "pengaduan P-7KQ4."] {
            assert_eq!(
                ComplaintNumber::find_in(text).map(|n| n.0).as_deref(),
                Some("P-7KQ4"),
                "{text}"
            );
        }
        for text in ["pasar", "P-0000", "P-7KQ", "p 7kq4", "PANAS", "17", ""] {
            assert_eq!(ComplaintNumber::find_in(text), None, "{text}");
        }
    }

    #[test]
    fn every_number_that_is_drawn_reads_as_itself() {
        for random in (0..u64::MAX).step_by(1 << 58) {
            let number = ComplaintNumber::from_random(random);
            assert_eq!(number.as_str().parse(), Ok(number.clone()));
        }
    }
}
