//! Cards that lie ready and that nobody collects: when their holders are reminded, and how long a card has lain.
//!
//! Pure rules. A rung of the ladder that was missed for days is not made up for: who was silent for a month shall not
//! be written to three times in a morning.

use std::time::Duration;

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeDelta};

use super::clock::Timestamp;

/// A rung that could not be told for so long is left out.
const LATE: TimeDelta = TimeDelta::days(3);
/// Reminders leave from then on,
const FIRST_HOUR: u32 = 8;
/// spread over so many minutes.
const SPREAD: u64 = 8 * 60;
/// Longest time after which one is reminded.
pub const LONGEST_DAYS: u16 = 365;
/// Most rungs.
const MOST_RUNGS: usize = 12;

/// After how many days a holder is reminded; no rung reminds nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder(Vec<u16>);

impl Default for Ladder {
    fn default() -> Self {
        Self(vec![7, 30, 90])
    }
}

/// Why days are no ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("days rise from 1 to {LONGEST_DAYS}, at most {MOST_RUNGS} of them")]
pub struct LadderError;

/// The next rung of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Rungs behind it, and itself.
    pub step: i64,
    /// When it is due.
    pub at: Timestamp,
}

impl Ladder {
    /// Takes days in rising order.
    ///
    /// # Errors
    /// [`LadderError`] when they do not rise, or are too long or too many.
    pub fn new(days: Vec<u16>) -> Result<Self, LadderError> {
        let rises = days.windows(2).all(|pair| pair.first() < pair.last());
        let fits = days.iter().all(|day| (1..=LONGEST_DAYS).contains(day));
        if rises && fits && days.len() <= MOST_RUNGS { Ok(Self(days)) } else { Err(LadderError) }
    }

    /// The days.
    #[must_use]
    pub fn days(&self) -> &[u16] {
        &self.0
    }

    /// The first rung behind `step` that is not too late already. `draw` is any number of the card's own: it spreads
    /// what falls on one day over that day.
    #[must_use]
    pub fn next(
        &self,
        since: Timestamp,
        step: i64,
        draw: u64,
        zone: FixedOffset,
        now: Timestamp,
    ) -> Option<Rung> {
        let first = usize::try_from(step).unwrap_or(0);
        let day = since.in_zone(zone).date_naive();
        let rungs = (1_i64..).zip(&self.0).skip(first);
        rungs
            .filter_map(|(step, days)| Some(Rung { step, at: moment(day, *days, draw, zone)? }))
            .find(|rung| rung.at.utc() + LATE > now.utc())
    }
}

fn moment(since: NaiveDate, days: u16, draw: u64, zone: FixedOffset) -> Option<Timestamp> {
    let day = since.checked_add_days(chrono::Days::new(u64::from(days)))?;
    let start = day.and_time(NaiveTime::from_hms_opt(FIRST_HOUR, 0, 0)?);
    let start = start.and_local_timezone(zone).single().map(Timestamp::from)?;
    Some(start.after(Duration::from_secs(draw % SPREAD * 60)))
}

/// For how many days something has lain, by the recipient's clock.
#[must_use]
pub fn days_lain(since: Timestamp, now: Timestamp, zone: FixedOffset) -> i64 {
    (now.in_zone(zone).date_naive() - since.in_zone(zone).date_naive()).num_days().max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_400_000_000);

    fn wib() -> FixedOffset {
        FixedOffset::east_opt(7 * 3600).unwrap()
    }

    fn days(count: u64) -> Duration {
        Duration::from_secs(count * 86_400)
    }

    #[test]
    fn a_ladder_rises_and_ends_within_a_year() {
        for good in [vec![], vec![1], vec![7, 30, 90], vec![364, 365]] {
            assert!(Ladder::new(good.clone()).is_ok(), "{good:?}");
        }
        for bad in [vec![0], vec![7, 7], vec![30, 7], vec![366], (1..=13).collect()] {
            assert!(Ladder::new(bad.clone()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn rungs_follow_each_other_and_what_was_missed_for_days_is_left_out() {
        let ladder = Ladder::default();
        let steps = |since: u64| {
            ladder.next(NOW.before(days(since)), 0, 0, wib(), NOW).map(|rung| rung.step)
        };
        assert_eq!(steps(0), Some(1));
        assert_eq!(steps(9), Some(1), "two days late");
        assert_eq!(steps(12), Some(2));
        assert_eq!(steps(50), Some(3));
        assert_eq!(steps(120), None);
        assert_eq!(ladder.next(NOW, 3, 0, wib(), NOW), None);
        assert_eq!(Ladder::new(vec![]).unwrap().next(NOW, 0, 0, wib(), NOW), None);
    }

    proptest! {
        #[test]
        fn a_reminder_falls_on_its_day_between_eight_and_four(draw: u64, ago in 0_u64..6) {
            let since = NOW.before(days(ago));
            let rung = Ladder::default().next(since, 0, draw, wib(), NOW).unwrap();
            let at = rung.at.in_zone(wib());
            prop_assert_eq!(days_lain(since, rung.at, wib()), 7);
            prop_assert!((8..16).contains(&chrono::Timelike::hour(&at)));
        }
    }
}
