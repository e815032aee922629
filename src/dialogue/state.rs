//! What is remembered between two messages: the choices that were offered last.
//!
//! Kept by the store in sealed form; the titles hold (masked) names.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::outbound::Choice;

/// After this time a bare "1" no longer means the first choice of long ago.
const OFFER_LASTS: Duration = Duration::from_secs(24 * 60 * 60);

/// The memory of a conversation.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What was offered last, in the order of its numbers.
    #[serde(default)]
    pub offered: Vec<Offer>,
    /// When, in milliseconds since the epoch.
    #[serde(default)]
    pub offered_at_ms: i64,
}

/// One thing that was offered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The choice's id.
    pub id: String,
    /// What it was called.
    pub title: String,
}

impl State {
    pub(super) fn offering(choices: &[Choice], now: Timestamp) -> Self {
        Self {
            offered: choices
                .iter()
                .map(|choice| Offer { id: choice.id.clone(), title: choice.title.clone() })
                .collect(),
            offered_at_ms: now.as_ms(),
        }
    }

    /// The id of the offer that a text picks: by its number, its title, or the first word of its
    /// title when no other offer begins with it.
    pub(super) fn picked(&self, text: &str, now: Timestamp) -> Option<&str> {
        if now.since(Timestamp::from_ms(self.offered_at_ms)) > OFFER_LASTS {
            return None;
        }
        let words = words(text);
        if let [number] | [_, number] = words.as_slice()
            && let Ok(number) = number.parse::<usize>()
            && (words.len() == 1 || is_number_word(words.first().map_or("", String::as_str)))
        {
            return self.offered.get(number.checked_sub(1)?).map(|offer| offer.id.as_str());
        }
        if words.is_empty() {
            return None;
        }
        let title_words = |offer: &Offer| self::words(&offer.title);
        self.only(|offer| title_words(offer) == words)
            .or_else(|| {
                self.only(|offer| words.len() == 1 && title_words(offer).first() == words.first())
            })
            .map(|offer| offer.id.as_str())
    }

    fn only(&self, fits: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        let mut fitting = self.offered.iter().filter(|offer| fits(offer));
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

fn is_number_word(word: &str) -> bool {
    matches!(word, "no" | "nomor" | "nomer" | "pilih" | "angka" | "yang")
}

/// The words of a text in small letters, without punctuation.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} offered)", self.offered.len())
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offer({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let choice = |id: &str, title: &str| Choice { id: id.into(), title: title.into() };
        State::offering(
            &[choice("a", "Siti A."), choice("b", "Budi S."), choice("c", "Budi W.")],
            Timestamp::from_ms(0),
        )
    }

    fn picked(text: &str) -> Option<String> {
        state().picked(text, Timestamp::from_ms(1)).map(str::to_owned)
    }

    #[test]
    fn a_number_a_title_or_a_first_name_picks() {
        for text in ["1", " 1. ", "no 1", "nomor 1", "Siti A.", "siti a", "SITI"] {
            assert_eq!(picked(text).as_deref(), Some("a"), "{text}");
        }
        assert_eq!(picked("budi w").as_deref(), Some("c"));
    }

    #[test]
    fn what_fits_none_or_two_offers_picks_nothing() {
        for text in ["0", "4", "budi", "", "1 ktp", "17 tahun", "siti aminah"] {
            assert_eq!(picked(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_means_nothing_a_day_later() {
        let later = Timestamp::from_ms(0).after(OFFER_LASTS + Duration::from_millis(1));
        assert_eq!(state().picked("1", later), None);
    }

    #[test]
    fn the_state_survives_being_stored_and_shows_no_name_in_debug() -> Result<(), serde_json::Error>
    {
        let json = serde_json::to_string(&state())?;
        assert_eq!(serde_json::from_str::<State>(&json)?, state());
        assert_eq!(serde_json::from_str::<State>("{}")?, State::default());
        assert!(!format!("{:?}", state()).contains("Siti"));
        Ok(())
    }
}
