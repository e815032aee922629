//! The hours of the night in which nobody is announced anything.
//!
//! Answers one question: when may a message leave that wants to leave now. The hours are those of
//! the recipient's own zone, which the caller brings; a reply to somebody who is awake and writing
//! is never held back, so callers do not ask for it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{FixedOffset, NaiveTime, Timelike as _};

use super::clock::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A daily window in which messages wait, perhaps across midnight; or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    window: Option<(NaiveTime, NaiveTime)>,
}

/// Why a text names no quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuietHoursError {
    /// Neither two times nor `off`.
    #[error("quiet hours are written like 20:00-07:00, or off")]
    NotAWindow,
    /// One of the two is no time of day.
    #[error("a time of quiet hours lies between 00:00 and 23:59 and is written like 07:00")]
    NotATime,
    /// The end is the beginning: either nothing or the whole day, and nobody can tell which.
    #[error("quiet hours that begin and end at the same time mean nothing; write off for none")]
    NoLength,
}

impl QuietHours {
    /// No quiet hours.
    #[must_use]
    pub const fn off() -> Self {
        Self { window: None }
    }

    /// Reads `20:00-07:00` or `off`, also with spaces and with dots instead of colons.
    ///
    /// # Errors
    /// [`QuietHoursError`] when it is neither, or when the window has no length.
    pub fn parse(raw: &str) -> Result<Self, QuietHoursError> {
        let raw = raw.trim();
        if raw.eq_ignore_ascii_case("off") {
            return Ok(Self::off());
        }
        let (from, to) = raw.split_once(['-', '–']).ok_or(QuietHoursError::NotAWindow)?;
        // The end of a day is the beginning of the next one; it cannot be the start of a window.
        let to = if matches!(to.trim(), "24:00" | "24.00") { "00:00" } else { to };
        let (from, to) = (time_of_day(from)?, time_of_day(to)?);
        if from == to {
            return Err(QuietHoursError::NoLength);
        }
        Ok(Self { window: Some((from, to)) })
    }

    /// The first moment from `now` on that is not quiet on a clock of zone `offset`: `now` itself,
    /// or the end of the window.
    #[must_use]
    pub fn next_allowed(&self, now: Timestamp, offset: FixedOffset) -> Timestamp {
        let Some((from, to)) = self.window else { return now };
        let (from, to) = (of_day_ms(from), of_day_ms(to));
        // Reckoned on the day's own milliseconds: zones here have no summer time.
        let offset_ms = i64::from(offset.local_minus_utc()) * 1000;
        let local = (now.as_ms().rem_euclid(DAY_MS) + offset_ms).rem_euclid(DAY_MS);
        let is_quiet =
            if from < to { (from..to).contains(&local) } else { local >= from || local < to };
        if !is_quiet {
            return now;
        }
        let wait = (to - local).rem_euclid(DAY_MS);
        now.after(Duration::from_millis(wait.unsigned_abs()))
    }

    /// The moment at which `wait` has passed since `from`, quiet hours not counted.
    #[must_use]
    pub fn after_waking(&self, from: Timestamp, wait: Duration, offset: FixedOffset) -> Timestamp {
        let Some((quiet_from, quiet_to)) = self.window else { return from.after(wait) };
        let quiet_ms = (of_day_ms(quiet_to) - of_day_ms(quiet_from)).rem_euclid(DAY_MS);
        let waking_ms = DAY_MS - quiet_ms;
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 4);
        let start = self.next_allowed(from, offset);
        // How much of this day's waking hours is over already.
        let offset_ms = i64::from(offset.local_minus_utc()) * 1000;
        let local = (start.as_ms().rem_euclid(DAY_MS) + offset_ms).rem_euclid(DAY_MS);
        let used_ms = (local - of_day_ms(quiet_to)).rem_euclid(DAY_MS);
        let nights = used_ms.saturating_add(wait_ms) / waking_ms;
        let all = wait_ms.saturating_add(nights.saturating_mul(quiet_ms));
        start.after(Duration::from_millis(all.unsigned_abs()))
    }
}

/// A time written with hours and minutes, like `7:00` or `07.00`.
fn time_of_day(raw: &str) -> Result<NaiveTime, QuietHoursError> {
    let (hour, minute) = raw.trim().split_once([':', '.']).ok_or(QuietHoursError::NotATime)?;
    let number = |text: &str, lengths: &[usize]| {
        let is_plain = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if is_plain { text.parse::<u32>().ok() } else { None }
    };
    number(hour, &[1, 2])
        .zip(number(minute, &[2]))
        .and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0))
        .ok_or(QuietHoursError::NotATime)
}

fn of_day_ms(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1000
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.window {
            None => f.write_str("off"),
            Some((from, to)) => write!(f, "{}-{}", from.format("%H:%M"), to.format("%H:%M")),
        }
    }
}

impl FromStr for QuietHours {
    type Err = QuietHoursError;
    fn from_str(text: &str) -> Result<Self, QuietHoursError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::super::area::Zone;
    use super::*;

    fn at(rfc3339: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(rfc3339).unwrap().into()
    }

    fn next(hours: &str, now: &str, zone: Zone) -> String {
        let allowed = QuietHours::parse(hours).unwrap().next_allowed(at(now), zone.offset());
        allowed.in_zone(zone.offset()).to_rfc3339()
    }

    #[test]
    fn a_wait_does_not_count_the_night() {
        let hours = QuietHours::parse("20:00-07:00").unwrap();
        let after = |from: &str, hours_long: u64| {
            let wait = Duration::from_secs(hours_long * 3600);
            let end = hours.after_waking(at(from), wait, Zone::Wib.offset());
            end.in_zone(Zone::Wib.offset()).to_rfc3339()
        };
        let day = |time: &str| format!("2026-11-21T{time}:00+07:00");
        assert_eq!(after(&day("09:00"), 4), day("13:00"));
        assert_eq!(after(&day("19:00"), 4), "2026-11-22T10:00:00+07:00");
        assert_eq!(after(&day("22:00"), 4), "2026-11-22T11:00:00+07:00");
        assert_eq!(after(&day("07:00"), 13), "2026-11-22T07:00:00+07:00");
        assert_eq!(after(&day("07:00"), 26), "2026-11-23T07:00:00+07:00");
        let off = QuietHours::off().after_waking(
            at(&day("23:00")),
            Duration::from_secs(60),
            Zone::Wib.offset(),
        );
        assert_eq!(off, at(&day("23:01")));
    }

    proptest! {
        #[test]
        fn the_end_of_a_wait_is_never_quiet_and_never_early(ms in 1_700_000_000_000_i64..1_900_000_000_000, wait in 0_u64..400_000) {
            let hours = QuietHours::parse("20:00-07:00").unwrap();
            let (from, wait) = (Timestamp::from_ms(ms), Duration::from_secs(wait));
            let end = hours.after_waking(from, wait, Zone::Wita.offset());
            prop_assert!(end >= from.after(wait));
            prop_assert_eq!(hours.next_allowed(end, Zone::Wita.offset()), end);
        }
    }

    #[test]
    fn what_wants_to_leave_at_night_leaves_at_seven() {
        for now in
            ["2026-11-21T20:00:00+07:00", "2026-11-21T22:30:00+07:00", "2026-11-22T06:59:59+07:00"]
        {
            assert_eq!(next("20:00-07:00", now, Zone::Wib), "2026-11-22T07:00:00+07:00", "{now}");
        }
    }

    #[test]
    fn the_beginning_is_quiet_and_the_end_is_not() {
        for now in
            ["2026-11-21T07:00:00+07:00", "2026-11-21T12:00:00+07:00", "2026-11-21T19:59:59+07:00"]
        {
            assert_eq!(next("20:00-07:00", now, Zone::Wib), now);
        }
        let just_before = at("2026-11-21T07:00:00+07:00").before(Duration::from_millis(1));
        let hours = QuietHours::parse("20:00-07:00").unwrap();
        assert_eq!(
            hours.next_allowed(just_before, Zone::Wib.offset()),
            at("2026-11-21T07:00:00+07:00")
        );
    }

    #[test]
    fn the_same_moment_is_night_in_jayapura_and_still_day_in_jombang() {
        let now = "2026-11-21T11:30:00Z";
        assert_eq!(next("20:00-07:00", now, Zone::Wit), "2026-11-22T07:00:00+09:00");
        assert_eq!(next("20:00-07:00", now, Zone::Wita), "2026-11-21T19:30:00+08:00");
        assert_eq!(next("20:00-07:00", now, Zone::Wib), "2026-11-21T18:30:00+07:00");
    }

    #[test]
    fn a_window_within_one_day_works_as_well() {
        assert_eq!(
            next("12:00-13:00", "2026-11-21T12:15:00+08:00", Zone::Wita),
            "2026-11-21T13:00:00+08:00"
        );
        let now = "2026-11-21T11:59:00+08:00";
        assert_eq!(next("12:00-13:00", now, Zone::Wita), now);
        assert_eq!(
            next("20:00-24:00", "2026-11-21T23:00:00+08:00", Zone::Wita),
            "2026-11-22T00:00:00+08:00"
        );
    }

    #[test]
    fn off_holds_nothing_back() {
        let midnight = at("2026-11-21T00:00:00+07:00");
        for hours in [QuietHours::off(), QuietHours::parse(" OFF ").unwrap()] {
            assert_eq!(hours.next_allowed(midnight, Zone::Wib.offset()), midnight);
            assert_eq!(hours.to_string(), "off");
        }
    }

    #[test]
    fn other_ways_of_writing_are_printed_in_one() {
        for raw in ["20:00-07:00", " 20.00 - 07.00 ", "20:00–7:00"] {
            assert_eq!(QuietHours::parse(raw).unwrap().to_string(), "20:00-07:00", "{raw}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused_with_the_reason() {
        use QuietHoursError as E;
        for (raw, error) in [
            ("", E::NotAWindow),
            ("20:00", E::NotAWindow),
            ("none", E::NotAWindow),
            ("20-07", E::NotATime),
            ("25:00-07:00", E::NotATime),
            ("24:00-07:00", E::NotATime),
            ("20:60-07:00", E::NotATime),
            ("20:00-07:0", E::NotATime),
            ("20:00-07:00-08:00", E::NotATime),
            ("+20:00-07:00", E::NotATime),
            ("07:00-07:00", E::NoLength),
            ("00:00-24:00", E::NoLength),
        ] {
            assert_eq!(QuietHours::parse(raw), Err(error), "{raw}");
        }
    }

    fn window() -> impl Strategy<Value = QuietHours> {
        let minute = || 0..24 * 60_u32;
        (minute(), minute()).prop_filter_map("a window has a length", |(from, to)| {
            let clock = |m: u32| format!("{:02}:{:02}", m / 60, m % 60);
            QuietHours::parse(&format!("{}-{}", clock(from), clock(to))).ok()
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_itself(hours in window()) {
            prop_assert_eq!(hours.to_string().parse(), Ok(hours));
        }

        #[test]
        fn the_result_is_allowed_is_not_in_the_past_and_is_less_than_a_day_away(
            hours in window(), ms in -4_000_000_000_000..8_000_000_000_000_i64, zone in 0..3_usize,
        ) {
            let offset = [Zone::Wib, Zone::Wita, Zone::Wit][zone].offset();
            let now = Timestamp::from_ms(ms);
            let allowed = hours.next_allowed(now, offset);
            prop_assert!(allowed >= now);
            prop_assert!(allowed.since(now) < Duration::from_secs(24 * 60 * 60));
            prop_assert_eq!(hours.next_allowed(allowed, offset), allowed);
            let (from, to) = hours.window.unwrap();
            let local = allowed.in_zone(offset).time();
            let is_inside =
                if from < to { from <= local && local < to } else { from <= local || local < to };
            prop_assert!(!is_inside);
            prop_assert!(allowed == now || local == to);
        }

        #[test]
        fn the_ends_of_time_do_not_overflow(hours in window()) {
            for ms in [i64::MIN, i64::MAX] {
                let now = Timestamp::from_ms(ms);
                prop_assert!(hours.next_allowed(now, Zone::Wit.offset()) >= now);
            }
        }
    }
}
