//! How far a query was read: what its cursor column says, and a little before that.
//!
//! A cursor is a time, in words or as a number, or it is a number that only grows. Looks at texts
//! alone; never at a clock or a database.

use std::time::Duration;

use chrono::{FixedOffset, NaiveDate, NaiveDateTime};

use crate::domain::clock::Timestamp;
use crate::domain::raw_update::parse_moment;

/// Numbers are given out in another order than they become visible: so many are looked at again.
const BACK: i64 = 1000;
/// Numbers that are times: from the year 2001 to 2286, in seconds, thousandths and millionths.
const SECONDS: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;
const THOUSAND: i64 = 1000;
/// Clocks of two zones are not that far apart.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How many of it make a second, for a number that is a time.
fn per_second(number: i64) -> Option<i64> {
    [1, THOUSAND, THOUSAND * THOUSAND].into_iter().find(|unit| SECONDS.contains(&(number / unit)))
}

/// A number without its fraction.
fn whole(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.chars().all(|c| c.is_ascii_digit()) { whole.parse().ok() } else { None }
}

/// A time as databases keep it: in words or as a number.
pub(super) fn moment(text: &str, zone: FixedOffset) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(number) = whole(text) {
        let unit = per_second(number)?;
        return Some(Timestamp::from_ms(if unit == 1 {
            number * THOUSAND
        } else {
            number / (unit / THOUSAND)
        }));
    }
    parse_moment(text, zone)
}

/// Whether a reading may go on from there: one wrong date years ahead would hide all that follows,
/// in words as well as in a number that reads as a time.
pub(super) fn is_usable(text: &str, zone: FixedOffset, now: Timestamp) -> bool {
    if ["infinity", "-infinity"].contains(&text) || text.starts_with("0000-") {
        return false;
    }
    moment(text, zone).is_none_or(|at| at <= now.after(DAY))
}

/// A little before a position, in the form that the position has: where the cursor is a text, it
/// is compared as one.
pub(super) fn step_back(position: &str, overlap: Duration) -> String {
    if let Some(number) = whole(position) {
        let back = match per_second(number) {
            Some(unit) => {
                i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX / unit).saturating_mul(unit)
            }
            None => BACK,
        };
        return number.saturating_sub(back).to_string();
    }
    step_back_in_words(position, overlap).unwrap_or_else(|| position.to_owned())
}

/// Moves the clock and leaves the zone alone.
fn step_back_in_words(position: &str, overlap: Duration) -> Option<String> {
    let (day, clock) = position.split_at_checked(10)?;
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    let zone_at = clock.find(['+', '-', 'Z']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone_at);
    let seconds = clock.split('.').next().unwrap_or_default();
    let (form, from) = match seconds.len() {
        0 => ("%Y-%m-%d", day.and_hms_opt(0, 0, 0)?),
        length => {
            let form = match (seconds.starts_with('T'), length) {
                (true, 9) => "%Y-%m-%dT%H:%M:%S",
                (true, _) => "%Y-%m-%dT%H:%M",
                (false, 9) => "%Y-%m-%d %H:%M:%S",
                (false, _) => "%Y-%m-%d %H:%M",
            };
            (form, NaiveDateTime::parse_from_str(&position[..10 + length], form).ok()?)
        }
    };
    let back = chrono::Duration::from_std(overlap).ok()?;
    Some(format!("{}{zone}", from.checked_sub_signed(back)?.format(form)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_MINUTES: Duration = Duration::from_secs(600);

    fn wib() -> FixedOffset {
        FixedOffset::east_opt(7 * 3600).unwrap()
    }

    #[test]
    fn a_reading_begins_a_little_before_the_last_one_ended_and_keeps_the_form() {
        let cases = [
            ("2026-11-21 08:00:00", "2026-11-21 07:50:00"),
            ("2026-11-21 08:00:00.123456", "2026-11-21 07:50:00"),
            ("2026-11-21 08:00:00.5+07", "2026-11-21 07:50:00+07"),
            ("2026-11-21T08:00:00+07:00", "2026-11-21T07:50:00+07:00"),
            ("2026-11-21T01:00:00Z", "2026-11-21T00:50:00Z"),
            ("2026-11-21 08:00", "2026-11-21 07:50"),
            ("2026-11-21", "2026-11-20"),
            ("1795300000", "1795299400"),
            ("1795300000.75", "1795299400"),
            ("1795300000000", "1795299400000"),
            ("1795300000000000", "1795299400000000"),
            ("5000", "4000"),
            ("5000.00", "4000"),
            ("7000000000000000000", "6999999999999999000"),
            ("A-17", "A-17"),
            ("infinity", "infinity"),
            ("ééééééé", "ééééééé"),
        ];
        for (at, before) in cases {
            assert_eq!(step_back(at, TEN_MINUTES), before, "{at}");
        }
    }

    #[test]
    fn a_time_is_understood_in_words_and_as_a_number() {
        let ms = |text: &str| moment(text, wib()).map(Timestamp::as_ms);
        for text in [
            "1795300000",
            "1795300000000",
            "1795300000000000",
            "1795300000.0",
            "2026-11-22 05:26:40",
            "2026-11-21 22:26:40Z",
            "2026-11-22 05:26:40+07",
        ] {
            assert_eq!(ms(text), Some(1_795_300_000_000), "{text}");
        }
        assert_eq!(ms("5000"), None);
        assert_eq!(ms(""), None);
    }

    #[test]
    fn a_date_years_ahead_or_none_at_all_is_no_place_to_go_on_from() {
        let now = Timestamp::from_ms(1_795_300_000_000);
        for text in [
            "2036-01-01",
            "infinity",
            "-infinity",
            "0000-00-00 00:00:00",
            "2082758400",
            "2082758400.5",
            "2082758400000",
            "2082758400000000",
            "1795386401",
        ] {
            assert!(!is_usable(text, wib(), now), "{text}");
        }
        for text in [
            "2026-11-22 10:00:00",
            "2026-01-01",
            "A-17",
            "1795386400",
            "1795300000000",
            "1795300000000000",
            "999999999",
            "20261122080000",
            "7000000000000000000",
        ] {
            assert!(is_usable(text, wib(), now), "{text}");
        }
    }
}
