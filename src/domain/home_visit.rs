//! Officers who come to somebody old, ill or disabled: for whom, what for, and where a request is.
//!
//! Pure: one total function says what becomes of a request. Nothing here knows a name, a NIK or a document; where to
//! go is words of whoever asked.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use super::appointment::Origin;
use super::area::AreaCode;
use super::clock::Timestamp;
use super::id::{ContactId, HomeVisitId};
use crate::words;

/// Longest words for the way there, in characters.
pub const LONGEST_PLACE: usize = 160;
/// Longest reason, and longest words for who goes.
pub const LONGEST_WORDS: usize = 80;

words! {
    /// Who cannot come to a counter.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum VisitFor {
        /// Somebody old.
        Elderly = "elderly",
        /// Somebody ill.
        Ill = "ill",
        /// Somebody with a disability.
        Disabled = "disabled",
        /// Somebody with a mental disorder.
        MentalDisorder = "mental_disorder",
        /// Somebody in a prison or a hospital.
        Confined = "confined",
    }
}

words! {
    /// What the officers come for.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum HomeVisitWork {
        /// Face, fingers and eyes.
        Recording = "recording",
        /// A printed card is brought.
        HandOver = "hand_over",
        /// The family's card.
        FamilyCard = "family_card",
    }
}

words! {
    /// Where a request is.
    pub enum HomeVisitState {
        /// Waits for the office.
        Requested = "requested",
        /// Has a day.
        Scheduled = "scheduled",
        /// They were there.
        Done = "done",
        /// The office does not come.
        Declined = "declined",
        /// The asker does not want it any more.
        Cancelled = "cancelled",
    }
}

words! {
    /// Something that happens to a request.
    pub enum HomeVisitEvent {
        /// The office says when, or says another day.
        Schedule = "schedule",
        /// The officers were there.
        Finish = "finish",
        /// The office says no.
        Decline = "decline",
        /// The asker takes it back.
        Cancel = "cancel",
    }
}

impl HomeVisitState {
    /// Whether it is still to come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Scheduled)
    }

    /// What becomes of it; nothing when that cannot happen to it.
    #[must_use]
    pub const fn after(self, event: HomeVisitEvent) -> Option<Self> {
        use HomeVisitEvent as E;
        match (self, event) {
            (Self::Requested | Self::Scheduled, E::Schedule) => Some(Self::Scheduled),
            (Self::Requested | Self::Scheduled, E::Decline) => Some(Self::Declined),
            (Self::Requested | Self::Scheduled, E::Cancel) => Some(Self::Cancelled),
            (Self::Scheduled, E::Finish) => Some(Self::Done),
            (Self::Requested, E::Finish) | (Self::Done | Self::Declined | Self::Cancelled, _) => {
                None
            }
        }
    }
}

/// When they come, and who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// On which day.
    pub day: NaiveDate,
    /// From when.
    pub from: NaiveTime,
    /// Until when.
    pub to: NaiveTime,
    /// Who goes, in the office's words; citizens do not read it.
    pub officers: String,
}

/// A request for officers to come.
#[derive(Clone, PartialEq, Eq)]
pub struct HomeVisit {
    /// Row id.
    pub id: HomeVisitId,
    /// What the asker and officers call it.
    pub number: HomeVisitNumber,
    /// Where it comes from.
    pub origin: Origin,
    /// Whose chat is answered.
    pub contact: Option<ContactId>,
    /// Where to go.
    pub area: AreaCode,
    /// To whom.
    pub whom: VisitFor,
    /// What for.
    pub work: HomeVisitWork,
    /// The way there, in words.
    pub place: String,
    /// Where it is.
    pub state: HomeVisitState,
    /// When they come; none before that is known.
    pub schedule: Option<Schedule>,
    /// Why it was declined.
    pub because: Option<String>,
    /// How often it was scheduled.
    pub changes: i64,
    /// When it was asked for.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

impl fmt::Debug for HomeVisit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HomeVisit({}, {}, {})", self.id, self.number, self.state)
    }
}

impl HomeVisit {
    /// What happens to it; `false`, and nothing changed, when that cannot happen.
    #[must_use]
    pub fn happen(&mut self, event: HomeVisitEvent) -> bool {
        match self.state.after(event) {
            Some(state) => {
                self.state = state;
                true
            }
            None => false,
        }
    }
}

/// Why a schedule does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It ends before it begins.
    #[error("the visit ends before it begins: give from and until, like 09:00 and 12:00")]
    Backwards,
    /// It is not ahead.
    #[error("the day and time are over already: give one that is ahead")]
    Past,
    /// Nobody goes, or too many words.
    #[error("say who goes, in 1 to {LONGEST_WORDS} characters on one line")]
    Officers,
}

impl Schedule {
    /// A schedule that can be told; `now` is the clock of the place.
    ///
    /// # Errors
    /// [`ScheduleError`] with what does not fit.
    pub fn parse(
        day: NaiveDate,
        (from, to): (NaiveTime, NaiveTime),
        officers: &str,
        now: chrono::NaiveDateTime,
    ) -> Result<Self, ScheduleError> {
        if to <= from {
            return Err(ScheduleError::Backwards);
        }
        if day.and_time(from) <= now {
            return Err(ScheduleError::Past);
        }
        let officers = line(officers, LONGEST_WORDS).ok_or(ScheduleError::Officers)?;
        Ok(Self { day, from, to, officers })
    }
}

/// Words on one line, trimmed; nothing when there are none or too many.
#[must_use]
pub fn line(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    let is_fit =
        (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    is_fit.then(|| text.to_owned())
}

/// Characters without `0 O 1 I L U V`, as in the references of messages.
const ALPHABET: &[u8; 29] = b"ABCDEFGHJKMNPQRSTWXYZ23456789";
const BASE: u64 = ALPHABET.len() as u64;
const LENGTH: usize = 4;

/// The number of a request: `R-7KQ4`. A name and no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HomeVisitNumber(String);

/// A text that is no number of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number of a home visit is written like R-7KQ4")]
pub struct NotANumber;

impl HomeVisitNumber {
    /// The number drawn by a random number. There are 700,000: whoever keeps them must be ready to draw again.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        let mut text = "R-".to_owned();
        let mut rest = random;
        for _ in 0..LENGTH {
            let index = usize::try_from(rest % BASE).unwrap_or_default();
            text.push(ALPHABET.get(index).copied().map_or('A', char::from));
            rest /= BASE;
        }
        Self(text)
    }

    /// The number that stands in a citizen's text, in any case, with or without the dash. RT and RW with a number
    /// behind them are none.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_alphanumeric() && c != '-').find_map(|word| {
            let word = word.to_ascii_uppercase();
            let rest = word.strip_prefix('R')?;
            let code = rest.strip_prefix('-').unwrap_or(rest);
            let number = code.strip_prefix(['T', 'W']).unwrap_or(code);
            let is_rt = number.len() < code.len() && number.bytes().all(|b| b.is_ascii_digit());
            let is_marked =
                code.len() < rest.len() || (!is_rt && code.bytes().any(|b| b.is_ascii_digit()));
            is_marked.then(|| format!("R-{code}").parse().ok()).flatten()
        })
    }

    /// The number as it is shown and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HomeVisitNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HomeVisitNumber {
    type Err = NotANumber;
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let code = text.strip_prefix("R-").ok_or(NotANumber)?;
        let is_plain = code.len() == LENGTH && code.bytes().all(|b| ALPHABET.contains(&b));
        if is_plain { Ok(Self(text.to_owned())) } else { Err(NotANumber) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_request_that_is_over_stays_over_and_only_a_scheduled_one_is_ever_done(
            events in prop::collection::vec(prop::sample::select(HomeVisitEvent::ALL), 0..12),
        ) {
            let mut state = HomeVisitState::Requested;
            for event in events {
                let before = state;
                if let Some(after) = before.after(event) {
                    prop_assert!(before.is_open(), "{before} after {event}");
                    prop_assert!(after != HomeVisitState::Requested, "nothing goes back to the pile");
                    if after == HomeVisitState::Done {
                        prop_assert_eq!(before, HomeVisitState::Scheduled);
                    }
                    state = after;
                } else {
                    prop_assert!(!before.is_open() || event == HomeVisitEvent::Finish);
                }
            }
        }

        #[test]
        fn a_number_that_was_printed_is_read_back(random in any::<u64>()) {
            let number = HomeVisitNumber::from_random(random);
            prop_assert_eq!(number.to_string().parse(), Ok(number));
        }
    }

    #[test]
    fn a_number_is_found_however_it_is_typed_and_rt_and_rw_are_none() {
        let found = |text| HomeVisitNumber::find_in(text).map(|number| number.to_string());
        assert_eq!(found("batal r-7kq4 ya").as_deref(), Some("R-7KQ4"));
        assert_eq!(found("BATAL R7KQ4").as_deref(), Some("R-7KQ4"));
        for text in ["RT 03 RW 05", "RT234 RW567", "kunjungan rumah", "R-", "rusak", "J-7KQ4", ""] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_schedule_lies_ahead_runs_forwards_and_names_who_goes() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let at = |hour| day.and_time(clock(hour));
        let parse =
            |from, to, who, now| Schedule::parse(day, (clock(from), clock(to)), who, at(now));
        assert!(parse(9, 12, " Budi dan Tini ", 8).is_ok_and(|s| s.officers == "Budi dan Tini"));
        assert_eq!(parse(12, 9, "Budi", 8), Err(ScheduleError::Backwards));
        assert_eq!(parse(9, 12, "Budi", 9), Err(ScheduleError::Past));
        assert_eq!(parse(9, 12, "  ", 8), Err(ScheduleError::Officers));
    }
}
