//! When something happens again and again: a line of cron words, on the clock of the office's zone.
//!
//! Five fields as everybody writes them, with weekdays by their names: the numbers mean other days to other
//! programs. Nothing may happen more than once a day.

use std::fmt;
use std::str::FromStr;

use cron::{Schedule as Cron, TimeUnitSpec as _};

use super::area::Zone;
use super::clock::Timestamp;

/// A line of cron words.
#[derive(Clone)]
pub struct Timetable {
    source: String,
    cron: Box<Cron>,
}

/// Why a line is no timetable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// Not five fields.
    #[error("a timetable has five parts: minute, hour, day, month, weekday, like \"0 8 * * MON\"")]
    Fields,
    /// A weekday as a number.
    #[error(
        "weekdays are written by name, MON to SUN: their numbers mean other days to other programs"
    )]
    WeekdayNumber,
    /// Not understood.
    #[error(
        "the timetable is not understood; \"0 8 * * MON-FRI\" is 8 o'clock from Monday to Friday"
    )]
    Unreadable,
    /// Several times within a day.
    #[error(
        "the timetable comes more than once a day; nobody should read the same notice so often"
    )]
    TooOften,
    /// No such date.
    #[error("the timetable never comes, like the 31st of February")]
    Never,
}

impl Timetable {
    /// Reads five fields.
    ///
    /// # Errors
    /// [`TimetableError`].
    pub fn parse(raw: &str) -> Result<Self, TimetableError> {
        let fields: Vec<&str> = raw.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(TimetableError::Fields);
        };
        if weekday.chars().any(|c| c.is_ascii_digit()) {
            return Err(TimetableError::WeekdayNumber);
        }
        let source = format!("{minute} {hour} {day} {month} {}", weekday.to_uppercase());
        let cron =
            Cron::from_str(&format!("0 {source}")).map_err(|_| TimetableError::Unreadable)?;
        if cron.minutes().count() != 1 || cron.hours().count() != 1 {
            return Err(TimetableError::TooOften);
        }
        let timetable = Self { source, cron: Box::new(cron) };
        // 2026-01-01: any moment will do to see whether a date ever comes.
        let some_day = Timestamp::from_ms(1_767_225_600_000);
        timetable.next_after(some_day, Zone::Wib).map(|_| timetable).ok_or(TimetableError::Never)
    }

    /// The next moment after another.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp, zone: Zone) -> Option<Timestamp> {
        self.next_dates(moment, zone, 1).pop()
    }

    /// The next moments after another, at most so many.
    #[must_use]
    pub fn next_dates(&self, moment: Timestamp, zone: Zone, count: usize) -> Vec<Timestamp> {
        let from = moment.in_zone(zone.offset());
        self.cron.after(&from).take(count).map(Timestamp::from).collect()
    }

    /// The time of day.
    #[must_use]
    pub fn hour_and_minute(&self) -> (u32, u32) {
        let first = |unit: &[u32]| unit.first().copied().unwrap_or(0);
        let hours: Vec<u32> = self.cron.hours().iter().collect();
        let minutes: Vec<u32> = self.cron.minutes().iter().collect();
        (first(&hours), first(&minutes))
    }

    /// The weekdays it is bound to, Monday is 0; none when any will do.
    #[must_use]
    pub fn weekdays(&self) -> Option<Vec<usize>> {
        let unit = self.cron.days_of_week();
        // The crate counts from Sunday, which is 1.
        let mut days: Vec<usize> = unit.iter().map(|day| (day as usize + 5) % 7).collect();
        days.sort_unstable();
        (!unit.is_all()).then_some(days)
    }

    /// The days of the month it is bound to; none when any will do.
    #[must_use]
    pub fn days(&self) -> Option<Vec<u32>> {
        let unit = self.cron.days_of_month();
        (!unit.is_all()).then(|| unit.iter().collect())
    }

    /// The months it is bound to, from 1; none when any will do.
    #[must_use]
    pub fn months(&self) -> Option<Vec<u32>> {
        let unit = self.cron.months();
        (!unit.is_all()).then(|| unit.iter().collect())
    }
}

impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Debug for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timetable({})", self.source)
    }
}

impl PartialEq for Timetable {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Timetable {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 21 November 2026, noon in Jombang.
    const NOON: Timestamp = Timestamp::from_ms(1_795_237_200_000);

    fn shown(line: &str, zone: Zone, count: usize) -> Vec<String> {
        let dates = Timetable::parse(line).unwrap().next_dates(NOON, zone, count);
        let form = |at: Timestamp| at.in_zone(zone.offset()).format("%a %d.%m. %H:%M").to_string();
        dates.into_iter().map(form).collect()
    }

    #[test]
    fn the_dates_follow_the_words_on_the_offices_own_clock() {
        assert_eq!(shown("0 8 * * MON", Zone::Wib, 2), ["Mon 23.11. 08:00", "Mon 30.11. 08:00"]);
        assert_eq!(shown("30 12 * * *", Zone::Wib, 2), ["Sat 21.11. 12:30", "Sun 22.11. 12:30"]);
        // Noon in Jombang is two hours later in Jayapura.
        assert_eq!(shown("30 12 * * *", Zone::Wit, 1), ["Sun 22.11. 12:30"]);
        assert_eq!(shown("0 9 1 * *", Zone::Wib, 2), ["Tue 01.12. 09:00", "Fri 01.01. 09:00"]);
    }

    #[test]
    fn weekdays_go_by_their_names_and_monday_is_the_first() {
        let of = |line| Timetable::parse(line).unwrap().weekdays();
        assert_eq!(of("0 8 * * mon-fri"), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(of("0 8 * * SUN,WED"), Some(vec![2, 6]));
        assert_eq!(of("0 8 1 * *"), None);
        assert_eq!(Timetable::parse("5 8 * * *").unwrap().hour_and_minute(), (8, 5));
    }

    #[test]
    fn what_is_ambiguous_too_often_or_never_is_refused() {
        use TimetableError as E;
        for (line, expected) in [
            ("0 8 * *", E::Fields),
            ("0 0 8 * * MON", E::Fields),
            ("0 8 * * 1", E::WeekdayNumber),
            ("0 8 * * MONDAI", E::Unreadable),
            ("x 8 * * *", E::Unreadable),
            ("61 8 * * *", E::Unreadable),
            ("* 8 * * *", E::TooOften),
            ("0 8,20 * * *", E::TooOften),
            ("0 8 31 2 *", E::Never),
        ] {
            assert_eq!(Timetable::parse(line), Err(expected), "{line}");
        }
    }

    #[test]
    fn a_printed_timetable_reads_back_as_itself() {
        let timetable = Timetable::parse(" 0  8 * *  mon ").unwrap();
        assert_eq!(timetable.to_string(), "0 8 * * MON");
        assert_eq!(Timetable::parse(&timetable.to_string()), Ok(timetable));
    }
}
