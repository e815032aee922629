//! The one-time code with which somebody at the counter ties a chat to a person: `K7QX-3M9P`.
//!
//! Read from a slip of paper and typed on a phone, so it has no letters that look alike. It opens the
//! news of one person, once, and is kept as a keyed hash only.

use std::fmt;

/// Letters and digits without `0 O 1 I L U V`.
const ALPHABET: &[u8; 29] = b"ABCDEFGHJKMNPQRSTWXYZ23456789";
const LENGTH: usize = 8;
/// Every code has two digits at least: no word that a citizen may write is one.
const DIGITS: usize = 2;

/// A code.
#[derive(Clone, PartialEq, Eq)]
pub struct BindingCode(String);

impl BindingCode {
    /// The code drawn by random numbers; none for a draw without enough digits, then draw again.
    #[must_use]
    pub fn from_random(mut random: u64) -> Option<Self> {
        let base = ALPHABET.len() as u64;
        let mut letters = String::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            let at = usize::try_from(random % base).unwrap_or(0);
            letters.push(char::from(ALPHABET[at]));
            random /= base;
        }
        Self::parse(&letters)
    }

    /// Reads a code in whatever case, with or without its dash and spaces.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .take(LENGTH + 1)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let is_code = letters.len() == LENGTH
            && letters.bytes().all(|b| ALPHABET.contains(&b))
            && letters.bytes().filter(u8::is_ascii_digit).count() >= DIGITS;
        is_code.then_some(Self(letters))
    }

    /// The code that a message is: alone, after the word "kode", or behind Telegram's `/start`.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = ["/start", "kode"].iter().find_map(|word| {
            let (head, rest) = text.split_at_checked(word.len())?;
            let is_word = head.eq_ignore_ascii_case(word)
                && rest.starts_with(|c: char| c.is_whitespace() || c == ':');
            is_word.then(|| rest.trim_start_matches([' ', ':']))
        });
        Self::parse(rest.unwrap_or(text))
    }

    /// The code without its dash, as a link carries it and a hash is made of it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The code as it is printed.
    #[must_use]
    pub fn printed(&self) -> String {
        let (head, tail) = self.0.split_at(LENGTH / 2);
        format!("{head}-{tail}")
    }
}

impl fmt::Debug for BindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BindingCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Option<String> {
        BindingCode::find_in(text).map(|code| code.printed())
    }

    #[test]
    fn a_code_is_found_as_people_write_it() {
        for text in [
            "K7QX-3M9P",
            " k7qx3m9p ",
            "K7QX 3M9P",
            "/start K7QX3M9P",
            "kode: K7QX-3M9P",
            "Kode k7qx-3m9p",
        ] {
            assert_eq!(found(text).as_deref(), Some("K7QX-3M9P"), "{text}");
        }
    }

    #[test]
    fn words_references_and_numbers_are_no_codes() {
        for text in [
            "sebentar",
            "BERHENTI",
            "Ref K7QX-3M",
            "K7QX-3M9P jadi belum",
            "08123456",
            "23456789x",
            "",
            "/start",
            "kodenya K7QX3M9P",
            "\u{1f600}\u{1f600}",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(random: u64) {
            if let Some(code) = BindingCode::from_random(random) {
                prop_assert_eq!(BindingCode::find_in(&code.printed()), Some(code));
            }
        }
    }
}
