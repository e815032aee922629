//! What two questions have in common: the stems of their words, whatever their order.
//!
//! By it the office sees as one question what many people ask in their own words. It says nothing of
//! what a question means, and keeps no text.

use std::collections::BTreeSet;

use super::spelling::Spelling;

/// Two questions are about the same when so much of all their words is in both.
const SAME: f64 = 0.6;

/// The stems of a text, each once and in the order of the alphabet.
#[derive(Clone, PartialEq, Eq)]
pub struct Gist(BTreeSet<String>);

impl Gist {
    /// What a text is about; nothing when it holds no words.
    #[must_use]
    pub fn of(spelling: &Spelling, text: &str) -> Option<Self> {
        let stems: BTreeSet<String> = spelling.stems(text).into_iter().collect();
        (!stems.is_empty()).then_some(Self(stems))
    }

    /// Reads back what [`Gist::words`] gave.
    #[must_use]
    pub fn parse(words: &str) -> Self {
        Self(words.split_whitespace().map(str::to_owned).collect())
    }

    /// The stems with blanks between them: the same for every order of the same words.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The one of several that is nearest to this, if one is near enough; of equals the first.
    pub fn nearest<'a, T>(&self, others: impl IntoIterator<Item = (T, &'a Self)>) -> Option<T> {
        let mut best: Option<(f64, T)> = None;
        for (name, other) in others {
            let likeness = self.likeness(other);
            if likeness >= SAME && best.as_ref().is_none_or(|(most, _)| likeness > *most) {
                best = Some((likeness, name));
            }
        }
        best.map(|(_, name)| name)
    }

    /// Jaccard's index: stems in both, of all stems in either.
    fn likeness(&self, other: &Self) -> f64 {
        let shared = self.0.intersection(&other.0).count();
        let all = self.0.len() + other.0.len() - shared;
        // No text has so many words that a count would not fit.
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        if all == 0 { 0.0 } else { count(shared) / count(all) }
    }
}

impl std::fmt::Debug for Gist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gist({} stems)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gist(text: &str) -> Gist {
        Gist::of(&Spelling::embedded(), text).unwrap()
    }

    #[test]
    fn the_same_words_in_any_order_and_spelling_are_one_question() {
        let one = gist("ktp bapak luntur warnanya");
        for text in [
            "warnanya luntur ktp bapak",
            "KTP bapak luntur, warnanya luntur!",
            "e-ktp bapak warnanya luntur ya min",
        ] {
            assert_eq!(gist(text).words(), one.words(), "{text}");
        }
        assert_ne!(gist("kk bapak luntur warnanya").words(), one.words());
    }

    #[test]
    fn what_is_nearly_the_same_joins_and_what_shares_a_word_does_not() {
        let known = [("luntur", gist("ktp bapak luntur warnanya")), ("hilang", gist("ktp hilang"))];
        let near = |text: &str| gist(text).nearest(known.iter().map(|(name, g)| (*name, g)));
        assert_eq!(near("warna ktp ibu bapak luntur"), Some("luntur"));
        assert_eq!(near("ktp hilang dicuri"), Some("hilang"));
        assert_eq!(near("ktp"), None, "half of two words");
        assert_eq!(near("akta cerai kakek"), None);
    }

    #[test]
    fn of_several_the_nearest_is_taken_and_of_equals_the_first() {
        let known = [gist("ktp luntur warna"), gist("ktp luntur"), gist("luntur ktp")];
        let found = gist("ktp luntur").nearest(known.iter().enumerate());
        assert_eq!(found, Some(1));
    }

    #[test]
    fn a_text_without_words_is_about_nothing() {
        for text in ["", "?!", "[NIK]", "12 34", "…"] {
            assert_eq!(Gist::of(&Spelling::embedded(), text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_of_a_question_reads_back_as_itself(text in any::<String>()) {
            if let Some(gist) = Gist::of(&Spelling::embedded(), &text) {
                prop_assert_eq!(Gist::parse(&gist.words()), gist.clone());
                prop_assert_eq!(gist.nearest([((), &gist)]), Some(()));
            }
        }
    }
}
