//! A person's name, and the little of it that may be shown.

use std::fmt;

/// A person's name as the source wrote it. Masks itself in `Debug`; has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonName(String);

/// Titles in front of names.
const TITLES: &[&str] = &["h", "hj", "kh", "dr", "drs", "dra", "ir", "prof", "ust", "tgk", "rr"];

impl PersonName {
    /// Longest name taken, in characters; OpenSID keeps 100.
    pub const MAX_CHARS: usize = 150;

    /// Takes a name with outer and doubled white space removed; `None` when nothing is left.
    /// Control characters become spaces, and what exceeds [`Self::MAX_CHARS`] is cut.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let cleaned: String = raw
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(Self::MAX_CHARS)
            .collect();
        let joined = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
        (!joined.is_empty()).then_some(Self(joined))
    }

    /// The whole name, where it is really needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The words by which the name is found, in small letters and each once: what is shorter than two letters
    /// (an initial) tells nobody apart, and an apostrophe is written by some and left out by others.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        name_words(&self.0)
    }

    /// The first name and the initial of the next, as citizens read it: `Siti A.`, and `Siti`
    /// alone when there is no second. Written in capitals at the source, it is lowered.
    #[must_use]
    pub fn masked(&self) -> String {
        let is_name = |word: &&str| {
            let bare: String = word.chars().filter(|c| c.is_alphabetic()).collect();
            bare.chars().count() > 1 && !TITLES.contains(&bare.to_lowercase().as_str())
        };
        let is_word = |word: &&str| word.chars().any(char::is_alphabetic);
        // Titles and initials in front tell nobody apart; where there is nothing else, they stay.
        let has_name = self.0.split(' ').any(|word| is_name(&word));
        let mut words =
            self.0.split(' ').filter(is_word).skip_while(|word| has_name && !is_name(word));
        let first = words.next().map(capitalised).unwrap_or_default();
        match words.next().and_then(|w| w.chars().find(|c| c.is_alphabetic())) {
            Some(initial) => format!("{first} {}.", initial.to_uppercase()),
            None => first,
        }
    }
}

/// Words of a name that are looked at; no name needs more.
const MAX_WORDS: usize = 12;

/// The words of a name as somebody typed it, as [`PersonName::words`] has them.
#[must_use]
pub fn name_words(text: &str) -> Vec<String> {
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, '\'' | '’' | '`'))
        .flat_map(char::to_lowercase)
        .collect();
    let mut words: Vec<String> = Vec::new();
    for word in bare.split(|c: char| !c.is_alphanumeric()) {
        let is_new = word.chars().nth(1).is_some() && words.iter().all(|known| known != word);
        if is_new && words.len() < MAX_WORDS {
            words.push(word.to_owned());
        }
    }
    words
}

fn capitalised(word: &str) -> String {
    let word: String = word
        .chars()
        .filter(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
        .take(20)
        .collect();
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| {
        c.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect()
    })
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(raw: &str) -> String {
        PersonName::parse(raw).map(|n| n.masked()).unwrap_or_default()
    }

    #[test]
    fn only_the_first_name_and_one_initial_are_shown() {
        assert_eq!(masked("Siti Aminah"), "Siti A.");
        assert_eq!(masked("  SITI\tAMINAH  BINTI\nHASAN "), "Siti A.");
        assert_eq!(masked("Suparman"), "Suparman");
        assert_eq!(masked("M. Yusuf Hadi"), "Yusuf H.");
        assert_eq!(masked("H. AHMAD"), "Ahmad");
        assert_eq!(masked("Drs. H. Slamet Riyadi"), "Slamet R.");
        assert_eq!(masked("M."), "M");
        assert_eq!(masked("Nur'aini, S.Pd"), "Nur'aini S.");
    }

    #[test]
    fn a_name_is_found_by_its_words_however_they_are_written() {
        let words = |raw: &str| PersonName::parse(raw).unwrap().words();
        assert_eq!(words("SITI Nur'aini, S.Pd"), ["siti", "nuraini", "pd"]);
        assert_eq!(words("siti nuraini"), ["siti", "nuraini"]);
        assert_eq!(words("M. Yusuf Yusuf-Hadi"), ["yusuf", "hadi"]);
        assert!(name_words(" . ").is_empty());
    }

    #[test]
    fn a_name_of_nothing_is_no_name_and_debug_shows_none() {
        assert!(PersonName::parse(" \u{0} ").is_none());
        let name = PersonName::parse("Siti Aminah");
        assert!(!format!("{name:?}").contains("Siti"));
    }
}
