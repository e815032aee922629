//! The short word at the end of a message by which a citizen or an officer names it: `K7QX-3M`.
//!
//! It is read aloud and copied by hand, so it has no letters that look alike and ends in a check
//! character. It is a name and no secret: knowing it must never open anything by itself.

use std::fmt;
use std::str::FromStr;

/// 29 characters without `0 O 1 I L U V`. Their number is prime, which is what makes the check
/// notice every single slip.
const ALPHABET: &[u8; 29] = b"ABCDEFGHJKMNPQRSTWXYZ23456789";
/// The letters among them; a reference begins with one, so that none looks like a number.
const LETTERS: u64 = 21;
const BASE: u64 = ALPHABET.len() as u64;
/// Characters that carry something, in front of the check character.
const CARRYING: usize = 5;

/// A message's reference, as it is shown: four characters, a dash, two characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

/// Why a text is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not six characters.
    #[error("a reference has six characters, like K7QX-3M")]
    WrongLength,
    /// A character that no reference has.
    #[error("a reference has none of 0 O 1 I L U V, and begins with a letter")]
    UnknownCharacter,
    /// The last character does not belong to the others: a slip of ear or hand.
    #[error("the reference was misread or mistyped somewhere")]
    CheckFailed,
}

impl Reference {
    /// The reference drawn by a random number. There are about 15 million of them, so whoever
    /// keeps them must be ready to draw again.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        let mut rest = random / LETTERS;
        let mut values = [random % LETTERS; CARRYING];
        for value in &mut values[1..] {
            *value = rest % BASE;
            rest /= BASE;
        }
        Self::of_values(values)
    }

    /// Reads a reference in whatever case, with or without its dash, spaces, dots and `Ref`.
    ///
    /// # Errors
    /// [`ReferenceError`] when it cannot be one, or has a slip in it.
    pub fn parse(raw: &str) -> Result<Self, ReferenceError> {
        let mut letters = String::with_capacity(CARRYING + 1);
        for c in raw.chars() {
            if c.is_alphanumeric() {
                letters.push(c.to_ascii_uppercase());
            }
        }
        let is_whole = |text: &&str| text.chars().count() == CARRYING + 1;
        // A reference may itself begin with REF, hence by length.
        let code = [letters.as_str()]
            .into_iter()
            .chain(["REF", "REFERENSI"].iter().filter_map(|word| letters.strip_prefix(word)))
            .find(is_whole)
            .ok_or(ReferenceError::WrongLength)?;
        let value = |c: char| ALPHABET.iter().position(|&a| char::from(a) == c).map(|at| at as u64);
        let values = code
            .chars()
            .map(value)
            .collect::<Option<Vec<u64>>>()
            .ok_or(ReferenceError::UnknownCharacter)?;
        let Some((carrying, [check])) = values.split_first_chunk::<CARRYING>() else {
            return Err(ReferenceError::WrongLength);
        };
        if carrying[0] >= LETTERS {
            return Err(ReferenceError::UnknownCharacter);
        }
        if check_value(*carrying) != *check {
            return Err(ReferenceError::CheckFailed);
        }
        Ok(Self::of_values(*carrying))
    }

    /// The first reference that stands in a longer text: written with its dash, right after the
    /// word `Ref`, or with a digit among its letters. Anything else of six letters is an ordinary
    /// word.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        let mut after_ref = false;
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '-') {
            let has_form = word.len() == CARRYING + 2 && word.as_bytes()[4] == b'-';
            let is_no_word = word.len() == CARRYING + 1
                && word.bytes().any(|b| b.is_ascii_digit())
                && word.bytes().any(|b| b.is_ascii_alphabetic());
            if (has_form || after_ref || is_no_word)
                && let Ok(found) = Self::parse(word)
            {
                return Some(found);
            }
            if !word.is_empty() {
                after_ref = ["ref", "referensi"].iter().any(|r| word.eq_ignore_ascii_case(r));
            }
        }
        None
    }

    /// The reference as it is shown and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_values(values: [u64; CARRYING]) -> Self {
        let mut text = String::with_capacity(CARRYING + 2);
        for (at, value) in values.into_iter().chain([check_value(values)]).enumerate() {
            if at == 4 {
                text.push('-');
            }
            let index = usize::try_from(value).unwrap_or_default() % ALPHABET.len();
            text.push(char::from(ALPHABET[index]));
        }
        Self(text)
    }
}

/// A weighted sum. Weights that differ, modulo a prime, notice each changed character and each
/// exchange of two, the check itself included. Beginning them with 19 lets the `K7QX-3M` that
/// people know from the documentation be a real one.
fn check_value(values: [u64; CARRYING]) -> u64 {
    (19..).zip(values).map(|(weight, value)| weight * value).sum::<u64>() % BASE
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_found_in_a_sentence_and_ordinary_words_are_not_taken_for_one() {
        let found = |text| Reference::find_in(text).map(|r| r.to_string());
        assert_eq!(found("apa benar pesan ini? Ref K7QX-3M."), Some("K7QX-3M".to_owned()));
        assert_eq!(found("ref: k7qx3m asli?"), Some("K7QX-3M".to_owned()));
        assert_eq!(found("(k7qx-3m)"), Some("K7QX-3M".to_owned()));
        assert_eq!(found("k7qx3m asli?"), Some("K7QX-3M".to_owned()));
        assert_eq!(found("KTP-el saya sudah jadi? ref"), None);
    }

    #[test]
    fn it_looks_like_four_characters_a_dash_and_two() {
        for random in [0, 1, 20, 21, 12_345_678, u64::MAX] {
            let text = Reference::from_random(random).to_string();
            assert_eq!(text.len(), 7, "{text}");
            assert_eq!(text.as_bytes()[4], b'-', "{text}");
            assert!(text.as_bytes()[0].is_ascii_alphabetic(), "{text}");
            assert!(!text.contains(['0', 'O', '1', 'I', 'L', 'U', 'V']), "{text}");
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_a_real_one() {
        assert_eq!(Reference::parse("k7qx 3m").unwrap().as_str(), "K7QX-3M");
        assert_eq!(Reference::parse("K7QX-3N"), Err(ReferenceError::CheckFailed));
    }

    #[test]
    fn different_numbers_draw_different_references() {
        let drawn: std::collections::HashSet<Reference> =
            (0..LETTERS * BASE * 3).map(Reference::from_random).collect();
        assert_eq!(drawn.len() as u64, LETTERS * BASE * 3);
    }

    #[test]
    fn it_is_read_however_a_citizen_writes_it() {
        let reference = Reference::from_random(7_654_321);
        let shown = reference.to_string();
        let bare = shown.replace('-', "");
        let spaced: String = bare.chars().flat_map(|c| [c, ' ']).collect();
        for raw in [
            shown.clone(),
            shown.to_lowercase(),
            bare.clone(),
            spaced,
            format!("Ref {shown}"),
            format!("REF: {bare}."),
            format!("ref{}", bare.to_lowercase()),
            format!("Referensi {shown}"),
        ] {
            assert_eq!(Reference::parse(&raw), Ok(reference.clone()), "{raw}");
        }
    }

    #[test]
    fn what_cannot_be_a_reference_is_refused_with_the_reason() {
        use ReferenceError as E;
        for (raw, error) in [
            ("", E::WrongLength),
            ("Ref", E::WrongLength),
            ("K7QX-3", E::WrongLength),
            ("K7QX-3MM", E::WrongLength),
            ("K0QX-3M", E::UnknownCharacter),
            ("KÉQX-3M", E::UnknownCharacter),
            ("27QX-3M", E::UnknownCharacter),
        ] {
            assert_eq!(Reference::parse(raw), Err(error), "{raw}");
        }
    }

    #[test]
    fn a_reference_that_begins_with_ref_is_read_whole() {
        let position = |c: u8| ALPHABET.iter().position(|&a| a == c).unwrap() as u64;
        let values = [position(b'R'), position(b'E'), position(b'F'), 7, 9];
        let reference = Reference::of_values(values);
        assert!(reference.as_str().starts_with("REF"));
        assert_eq!(Reference::parse(&reference.as_str().replace('-', "")), Ok(reference));
    }

    #[test]
    fn a_reference_is_found_in_a_sentence_however_it_is_typed() {
        let shown = "K7QX-3M";
        for text in
            ["Ref K7QX-3M asli?", "ref:k7qx-3m", "k7qx3m", "ini k7qx-3m benar gak", "REF k7qx3m"]
        {
            let found = Reference::find_in(text);
            assert_eq!(found.as_ref().map(Reference::as_str), Some(shown), "{text}");
        }
        for text in ["syarat", "kartek", "ktp123", "081234", "ref saja"] {
            assert_eq!(Reference::find_in(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_itself(random: u64) {
            let reference = Reference::from_random(random);
            prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        }

        #[test]
        fn one_wrong_character_is_always_noticed(random: u64, at in 0..6_usize, to in 0..29_usize) {
            let right: Vec<u8> = Reference::from_random(random).0.bytes().filter(|&b| b != b'-').collect();
            let mut wrong = right.clone();
            wrong[at] = ALPHABET[to];
            let is_noticed = Reference::parse(std::str::from_utf8(&wrong).unwrap()).is_err();
            prop_assert_eq!(is_noticed, wrong != right);
        }

        #[test]
        fn two_exchanged_characters_are_always_noticed(random: u64, a in 0..6_usize, b in 0..6_usize) {
            let right: Vec<u8> = Reference::from_random(random).0.bytes().filter(|&b| b != b'-').collect();
            let mut wrong = right.clone();
            wrong.swap(a, b);
            let is_noticed = Reference::parse(std::str::from_utf8(&wrong).unwrap()).is_err();
            prop_assert_eq!(is_noticed, wrong != right);
        }

        #[test]
        fn no_text_makes_the_parser_stumble(raw in ".{0,20}") {
            let _ = Reference::parse(&raw);
        }
    }
}
