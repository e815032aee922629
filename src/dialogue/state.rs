//! What is remembered between two messages: what was offered, answered and begun last.
//!
//! Kept by the store in sealed form; the titles hold (masked) names, and a complaint the words of
//! whoever makes it. Every part may be missing: a state of an older version still reads.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::home_visit::{HomeVisitWork, VisitFor};
use crate::domain::language::Language;
use crate::domain::outbound::Choice;
use crate::domain::survey::Element;
use crate::domain::ticket::ComplaintCategory;

/// After this time a bare "1" no longer means the first choice of long ago.
const OFFER_LASTS: Duration = Duration::from_secs(24 * 60 * 60);
/// After this time nobody still thinks of what was begun.
const FLOW_LASTS: Duration = Duration::from_secs(30 * 60);
/// For so long nobody is asked again to rate what they rated.
const RATING_LASTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// As much of a question as is kept for what it named.
const LONGEST_ASKED: usize = 200;

/// The memory of a conversation.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What was offered last, in the order of its numbers.
    #[serde(default)]
    pub offered: Vec<Offer>,
    /// When, in milliseconds since the epoch.
    #[serde(default)]
    pub offered_at_ms: i64,
    /// The language they are answered in.
    #[serde(default)]
    pub language: Language,
    /// The label answered last, whose long form LENGKAP brings.
    #[serde(default)]
    pub answered: Option<String>,
    /// The question about places answered or asked back last: what it named holds for a choice.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// What was begun and is not over.
    #[serde(default)]
    pub flow: Option<Flow>,
    /// When it last went on.
    #[serde(default)]
    pub flow_at_ms: i64,
    /// What they rated.
    #[serde(default)]
    pub rated: Vec<Element>,
    /// When they rated last.
    #[serde(default)]
    pub rated_at_ms: i64,
}

/// Something that takes more than one message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Flow {
    /// A complaint: first what it is about, then the story.
    Complaint {
        /// What it is about, once that is known.
        category: Option<ComplaintCategory>,
        /// The story, once that is known.
        text: Option<String>,
    },
    /// Is the data really to be deleted?
    Deletion,
    /// Who of the family receives the card that is brought?
    Receiver {
        /// An item of the visit that is asked about; none for the next.
        #[serde(default)]
        item: Option<String>,
    },
    /// On which other day is the card to be brought?
    Day {
        /// As for the receiver.
        #[serde(default)]
        item: Option<String>,
    },
    /// An appointment at a counter.
    Appointment {
        /// What for: a label.
        service: String,
        /// Which papers are there, in the order in which they are asked.
        answers: Vec<bool>,
        /// The place that was picked.
        place: Option<String>,
        /// The last day that was offered.
        after: Option<String>,
        /// The place of which that day is.
        #[serde(default)]
        after_at: Option<String>,
    },
    /// Officers are asked to come; what is known so far, in the order in which it is asked.
    HomeVisit {
        /// To whom.
        whom: Option<VisitFor>,
        /// What for.
        work: Option<HomeVisitWork>,
        /// Code of the kecamatan, and then of the desa.
        area: Option<String>,
        /// The way there.
        place: Option<String>,
    },
    /// The survey.
    Survey {
        /// What is still to be asked; the first of them was asked last.
        left: Vec<Element>,
        /// Answers since it was begun or gone on with.
        taps: usize,
    },
}

/// A question, redacted, and when it was asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its beginning.
    pub text: String,
    /// In milliseconds since the epoch.
    pub at_ms: i64,
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
    /// The beginning of a question, to be kept until the next one.
    pub(super) fn asking(text: &str, now: Timestamp) -> Option<Asked> {
        let text: String = text.chars().take(LONGEST_ASKED).collect();
        (!text.trim().is_empty()).then(|| Asked { text, at_ms: now.as_ms() })
    }

    pub(super) fn offering(choices: &[Choice], now: Timestamp) -> Self {
        Self {
            offered: choices
                .iter()
                .map(|choice| Offer { id: choice.id.clone(), title: choice.title.clone() })
                .collect(),
            offered_at_ms: now.as_ms(),
            ..Self::default()
        }
    }

    /// What was begun, unless that is too long ago.
    pub(super) fn flow(&self, now: Timestamp) -> Option<&Flow> {
        let is_live = now.since(Timestamp::from_ms(self.flow_at_ms)) <= FLOW_LASTS;
        self.flow.as_ref().filter(|_| is_live)
    }

    /// What was rated lately.
    pub(super) fn rated(&self, now: Timestamp) -> &[Element] {
        let is_lately = now.since(Timestamp::from_ms(self.rated_at_ms)) <= RATING_LASTS;
        if is_lately { &self.rated } else { &[] }
    }

    /// Whether a text answers what was offered so long ago that it no longer holds.
    pub(super) fn is_late_answer(&self, text: &str, now: Timestamp) -> bool {
        let is_over = now.since(Timestamp::from_ms(self.offered_at_ms)) > OFFER_LASTS;
        let words = words(text);
        let is_yes_or_no = matches!(words.as_slice(), [word] if is_yes(word) || is_no(word));
        is_over
            && !self.offered.is_empty()
            && (is_yes_or_no || self.picked_at_any_time(text).is_some())
    }

    /// The id of the offer that a text picks: by its number, its title, or the first word of its
    /// title when no other offer begins with it.
    pub(super) fn picked(&self, text: &str, now: Timestamp) -> Option<&str> {
        if now.since(Timestamp::from_ms(self.offered_at_ms)) > OFFER_LASTS {
            return None;
        }
        self.picked_at_any_time(text)
    }

    fn picked_at_any_time(&self, text: &str) -> Option<&str> {
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

pub(super) fn is_yes(word: &str) -> bool {
    matches!(word, "ya" | "iya" | "y" | "yes")
}

pub(super) fn is_no(word: &str) -> bool {
    matches!(word, "tidak" | "gak" | "nggak" | "ga" | "no")
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
        let flow = if self.flow.is_some() { ", in the middle of something" } else { "" };
        write!(f, "State({} offered{flow})", self.offered.len())
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
    fn a_state_of_the_first_version_still_reads() -> Result<(), serde_json::Error> {
        let old = r#"{"offered":[{"id":"do:status","title":"Cek status"}],"offered_at_ms":5}"#;
        let state = serde_json::from_str::<State>(old)?;
        assert_eq!(state.picked("1", Timestamp::from_ms(6)), Some("do:status"));
        assert_eq!(state.language, Language::Indonesian);
        Ok(())
    }

    #[test]
    fn what_was_begun_is_over_after_half_an_hour() {
        let begun = State { flow: Some(Flow::Deletion), flow_at_ms: 0, ..State::default() };
        let after = Timestamp::from_ms(0).after(FLOW_LASTS);
        assert!(begun.flow(after).is_some());
        assert!(begun.flow(after.after(Duration::from_millis(1))).is_none());
    }

    #[test]
    fn an_answer_that_comes_a_day_late_is_seen_as_one_and_a_question_is_not() {
        let later = Timestamp::from_ms(0).after(OFFER_LASTS + Duration::from_millis(1));
        for text in ["1", "siti", "ya", "Tidak"] {
            assert!(state().is_late_answer(text, later), "{text}");
            assert!(!state().is_late_answer(text, Timestamp::from_ms(1)), "{text}");
            assert!(!State::default().is_late_answer(text, later), "{text}");
        }
        assert!(!state().is_late_answer("syarat ktp hilang", later));
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
