//! A place, a day, from when to when, and how many may come: hours of a counter, a day of recording, or a stop of
//! the mobile van.
//!
//! Pure: what a session may be, how many of its places are kept from the chat, and when who comes, so that people come
//! spread over it. Who has which place is `appointment`'s.

use chrono::{NaiveDate, NaiveTime, Timelike as _, Weekday};

use super::area::AreaCode;
use super::clock::Timestamp;
use super::id::{ServiceSessionId, SessionPlanId};
use super::reason::ReasonError;
use super::service_point::{GeoPoint, PointService};
use crate::words;

/// Places of one session, at most.
pub const MAX_QUOTA: i64 = 500;
/// Longest name of a place, and longest reason, in characters.
pub const LONGEST_WORDS: usize = 80;
/// Longest name of a place for SMS.
const LONGEST_SHORT: usize = 30;
/// People are told to come at every fifth minute.
const STEP_MINUTES: i64 = 5;

words! {
    /// What a session is.
    pub enum SessionKind {
        /// Hours of a point's counter.
        Counter = "counter",
        /// A day of recording in a kecamatan or desa.
        RecordingDay = "recording_day",
        /// A stop of the mobile van.
        Mobile = "mobile",
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSession {
    /// Row id.
    pub id: ServiceSessionId,
    /// What it is.
    pub kind: SessionKind,
    /// Code of the point; none for a place of its own.
    pub point: Option<String>,
    /// The plan it was laid out from.
    pub plan: Option<SessionPlanId>,
    /// Where, as citizens read it.
    pub place: String,
    /// The same for SMS.
    pub place_short: String,
    /// In which area.
    pub area: AreaCode,
    /// On the map.
    pub map: Option<GeoPoint>,
    /// On which day, by the place's clock.
    pub day: NaiveDate,
    /// From when.
    pub from: NaiveTime,
    /// Until when.
    pub to: NaiveTime,
    /// When it begins.
    pub begins_at: Timestamp,
    /// When it is over.
    pub ends_at: Timestamp,
    /// When those who are booked are reminded.
    pub remind_at: Timestamp,
    /// What is done there.
    pub services: Vec<PointService>,
    /// How many may come.
    pub quota: i64,
    /// Of these, kept from the chat.
    pub held: i64,
    /// When it was put down.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// Called off.
    pub closed: Option<CalledOff>,
    /// It is over and everybody's state final.
    pub settled_at: Option<Timestamp>,
}

/// A session does not take place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledOff {
    /// When that was said.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, as citizens read it.
    pub because: String,
}

/// The hours of a point's counter on one weekday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPlan {
    /// Row id.
    pub id: SessionPlanId,
    /// Code of the point.
    pub point: String,
    /// On which weekday.
    pub weekday: Weekday,
    /// From when.
    pub from: NaiveTime,
    /// Until when.
    pub to: NaiveTime,
    /// What is done.
    pub services: Vec<PointService>,
    /// Places of each session.
    pub quota: i64,
    /// Of these, kept from the chat; none for the office's share.
    pub held: Option<i64>,
    /// When it was written down.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
}

/// Why a session cannot be put down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Ends before it begins.
    #[error("a session ends after it begins, on the same day")]
    Window,
    /// None, or too many.
    #[error("a session has 1 to {MAX_QUOTA} places")]
    Quota,
    /// Fewer than are taken already.
    #[error("more places than that are taken already: the quota cannot be less")]
    Taken,
    /// All are kept, or more.
    #[error("at least one place is left to the chat: fewer are kept than there are")]
    Held,
    /// Nothing is done there.
    #[error("say what is done there: at least one service")]
    Services,
    /// Has passed, or is too far ahead.
    #[error("the day is today or one of the next 120, and the session not over yet")]
    Day,
    /// No words, or too many.
    #[error("the place has 1 to {LONGEST_WORDS} characters on one line, for SMS {LONGEST_SHORT}")]
    Place,
    /// A reason that citizens cannot be given.
    #[error(transparent)]
    Reason(#[from] ReasonError),
}

/// Hours and places, checked.
///
/// # Errors
/// [`SessionError`] with what does not fit.
pub const fn check_quota(quota: i64) -> Result<(), SessionError> {
    if quota >= 1 && quota <= MAX_QUOTA { Ok(()) } else { Err(SessionError::Quota) }
}

/// Hours, services and places, checked.
///
/// # Errors
/// [`SessionError`] with what does not fit.
pub fn check(
    (from, to): (NaiveTime, NaiveTime),
    services: &[PointService],
    quota: i64,
) -> Result<(), SessionError> {
    check_quota(quota)?;
    if from >= to {
        return Err(SessionError::Window);
    }
    if services.is_empty() { Err(SessionError::Services) } else { Ok(()) }
}

/// The names of a place in full and for SMS; where the short one is missing, as much of the long one as fits.
///
/// # Errors
/// [`SessionError::Place`] when they do not fit.
pub fn check_place(place: &str, short: Option<&str>) -> Result<(String, String), SessionError> {
    let place = place.trim();
    let short = short.map(str::trim).filter(|short| !short.is_empty());
    let is_fit = |text: &str, longest| {
        (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    if !is_fit(place, LONGEST_WORDS) || !short.is_none_or(|short| is_fit(short, LONGEST_SHORT)) {
        return Err(SessionError::Place);
    }
    let short = short.map_or_else(|| shortened(place), str::to_owned);
    Ok((place.to_owned(), short))
}

fn shortened(place: &str) -> String {
    let mut short = String::new();
    for word in place.split_whitespace() {
        if short.chars().count() + word.chars().count() + 1 > LONGEST_SHORT {
            break;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
    }
    if short.is_empty() { place.chars().take(LONGEST_SHORT).collect() } else { short }
}

/// How many places are kept from the chat: the percentage, rounded up, never all.
#[must_use]
pub fn held_of(quota: i64, percent: i64) -> i64 {
    let held = (quota.saturating_mul(percent.clamp(0, 90)) + 99) / 100;
    held.clamp(0, (quota - 1).max(0))
}

/// How many places are kept from the chat: as many as somebody said, else the percentage.
///
/// # Errors
/// [`SessionError::Held`] when none would be left, or fewer than none are kept.
pub fn held_or(quota: i64, said: Option<i64>, percent: i64) -> Result<i64, SessionError> {
    match said {
        None => Ok(held_of(quota, percent)),
        Some(held) if (0..quota).contains(&held) => Ok(held),
        Some(_) => Err(SessionError::Held),
    }
}

/// Whether a place is one of those that are kept. They lie spread over the session.
#[must_use]
pub const fn is_held(quota: i64, held: i64, seat: i64) -> bool {
    quota > 0 && seat < quota && (seat + 1) * held / quota > seat * held / quota
}

/// When whoever has a place comes: the session in as many parts as it has places, at a fifth minute.
#[must_use]
pub fn comes_at((from, to): (NaiveTime, NaiveTime), quota: i64, seat: i64) -> NaiveTime {
    let minutes = |time: NaiveTime| i64::from(time.hour() * 60 + time.minute());
    let (start, end) = (minutes(from), minutes(to));
    let seat = seat.clamp(0, (quota - 1).max(0));
    let exact = start + (end - start).max(0) * seat / quota.max(1);
    let rounded = (exact / STEP_MINUTES * STEP_MINUTES).max(start);
    let seconds = u32::try_from(rounded * 60).unwrap_or(0);
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or(from)
}

impl ServiceSession {
    /// Whether citizens can still come to it.
    #[must_use]
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.closed.is_none() && self.settled_at.is_none() && self.ends_at > now
    }

    /// Whether something is done there.
    #[must_use]
    pub fn serves(&self, service: PointService) -> bool {
        self.services.contains(&service)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn people_come_spread_over_the_session_at_every_fifth_minute() {
        let window = (time(7, 30), time(11, 30));
        let times: Vec<String> =
            (0..5).map(|seat| comes_at(window, 20, seat).format("%H.%M").to_string()).collect();
        assert_eq!(times, ["07.30", "07.40", "07.50", "08.05", "08.15"]);
    }

    #[test]
    fn of_twenty_places_four_are_kept_and_lie_spread() {
        assert_eq!((held_of(20, 20), held_of(1, 20), held_of(3, 20), held_of(10, 0)), (4, 0, 1, 0));
        let held: Vec<i64> = (0..20).filter(|seat| is_held(20, 4, *seat)).collect();
        assert_eq!(held, [4, 9, 14, 19]);
    }

    #[test]
    fn as_many_are_kept_as_somebody_said_and_never_all() {
        assert_eq!((held_or(20, None, 20), held_or(20, Some(0), 20)), (Ok(4), Ok(0)));
        assert_eq!(held_or(20, Some(19), 20), Ok(19));
        assert_eq!(
            (held_or(20, Some(20), 20), held_or(20, Some(-1), 20)),
            (Err(SessionError::Held), Err(SessionError::Held))
        );
    }

    #[test]
    fn a_place_has_words_for_sms_even_where_nobody_wrote_any() {
        let long = "Balai Desa Sumbermulyo, Dusun Sumber, RT 03 RW 02";
        assert_eq!(check_place(long, None).unwrap().1, "Balai Desa Sumbermulyo, Dusun");
        assert_eq!(check_place(" ", None), Err(SessionError::Place));
        assert_eq!(check_place("a\nb", None), Err(SessionError::Place));
    }

    proptest! {
        #[test]
        fn nobody_is_told_to_come_before_it_begins_or_when_it_is_over(
            from in 0_u32..1430, length in 1_u32..600, quota in 1_i64..=500, seat in 0_i64..600,
        ) {
            let to = (from + length).min(1439);
            prop_assume!(from < to);
            let window = (time(from / 60, from % 60), time(to / 60, to % 60));
            let comes = comes_at(window, quota, seat);
            prop_assert!(comes >= window.0 && comes < window.1);
        }

        #[test]
        fn as_many_places_are_kept_as_were_said(quota in 1_i64..=500, percent in 0_i64..=100) {
            let held = held_of(quota, percent);
            let counted = (0..quota).filter(|seat| is_held(quota, held, *seat)).count();
            prop_assert_eq!(i64::try_from(counted).unwrap(), held);
            prop_assert!(held < quota);
        }
    }
}
