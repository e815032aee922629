//! The day a question asks about: today, tomorrow, a weekday, a date.
//!
//! Pure: knows the words of `dialogue/place.toml` and which day it is where the question is asked.
//! A day that is past, or so far off that no calendar knows it, is no day; what a place does on it
//! is decided in `place`.

use chrono::{Datelike as _, Days, NaiveDate};
use serde::Deserialize;

use super::state::words;

/// How far ahead holidays are on file.
const LOOK_AHEAD: Days = Days::new(365);
/// Days answered at once; who names more asks for the week.
const MOST: usize = 2;

/// The words for days, as people type them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedDays {
    today: Vec<String>,
    tomorrow: Vec<String>,
    after_tomorrow: Vec<String>,
    /// What stands before a weekday: `hari`.
    day: Vec<String>,
    /// The evening before a day is named after it: `malam minggu`.
    eve: Vec<String>,
    /// What stands before a number: `tanggal`.
    date: Vec<String>,
    next: Vec<String>,
    last: Vec<String>,
    /// Every such day: no single one is meant.
    every: Vec<String>,
    this: Vec<String>,
    /// Between the first and the last of several days.
    through: Vec<String>,
    /// Words for a week; some of them are also a Sunday.
    week: Vec<String>,
    /// Monday first.
    weekdays: [Vec<String>; 7],
    months: [Vec<String>; 12],
}

/// A weekday and where it stands.
struct Hit {
    at: usize,
    day: NaiveDate,
}

impl AskedDays {
    /// The days that a text names, the earliest first; nothing where it names none, or a span.
    pub(super) fn find(&self, text: &str, today: NaiveDate) -> Vec<NaiveDate> {
        let said = words(text);
        let mut days: Vec<NaiveDate> = written(text, today);
        let mut hits: Vec<Hit> = Vec::new();
        let mut at = 0;
        while at < said.len() {
            let rest = said.get(at..).unwrap_or_default();
            let (taken, day) = if let Some(taken) = starts(rest, &self.today) {
                (taken, Some(today))
            } else if let Some(taken) = starts(rest, &self.after_tomorrow) {
                (taken, today.checked_add_days(Days::new(2)))
            } else if let Some(taken) = starts(rest, &self.tomorrow) {
                // "Besok Kamis" is the Thursday to come.
                let is_of_next = said.get(at + taken).is_some_and(|word| {
                    self.weekday(&said, at + taken).is_some() || number(word).is_some()
                });
                (taken, if is_of_next { None } else { today.succ_opt() })
            } else if let Some((taken, day)) = self.dated(&said, at, today) {
                (taken, day)
            } else if let Some(weekday) = self.weekday(&said, at) {
                let (taken, day) = self.of_weekday(&said, at, weekday, today);
                hits.extend(day.map(|day| Hit { at, day }));
                (taken, None)
            } else {
                (1, None)
            };
            days.extend(day);
            at += taken;
        }
        if self.is_span(&hits, &said, text) {
            return Vec::new();
        }
        days.extend(hits.into_iter().map(|hit| hit.day));
        let last = today.checked_add_days(LOOK_AHEAD).unwrap_or(today);
        days.retain(|day| (today..=last).contains(day));
        days.sort_unstable();
        days.dedup();
        if days.len() > MOST { Vec::new() } else { days }
    }

    /// `senin sampai jumat`, `senin-jumat`.
    fn is_span(&self, hits: &[Hit], said: &[String], text: &str) -> bool {
        let lower = text.to_lowercase();
        hits.windows(2).any(|pair| {
            let [first, second] = pair else { return false };
            let between = said.get(first.at + 1..second.at).unwrap_or_default();
            let word = |hit: &Hit| said.get(hit.at).map_or("", String::as_str);
            between.iter().any(|word| self.through.contains(word))
                || lower.contains(&format!("{}-{}", word(first), word(second)))
        })
    }

    /// Monday is 0.
    fn weekday(&self, said: &[String], at: usize) -> Option<usize> {
        let word = said.get(at)?;
        let found = self.weekdays.iter().position(|names| names.contains(word))?;
        if !self.week.contains(word) {
            return Some(found);
        }
        // "Minggu" is Sunday and week.
        let before = at.checked_sub(1).and_then(|before| said.get(before));
        let is_day_before = before.is_some_and(|word| {
            self.day.contains(word)
                || self.eve.contains(word)
                || self.weekdays.iter().any(|names| names.contains(word))
        });
        let is_counted = before.is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit()));
        let is_week_after = said.get(at + 1).is_some_and(|word| {
            [&self.next, &self.last, &self.this].iter().any(|list| list.contains(word))
        });
        (is_day_before || !(is_counted || is_week_after)).then_some(found)
    }

    /// The day that a weekday means, and how many words say it.
    fn of_weekday(
        &self,
        said: &[String],
        at: usize,
        weekday: usize,
        today: NaiveDate,
    ) -> (usize, Option<NaiveDate>) {
        let is = |at: Option<usize>, list: &[String]| {
            at.and_then(|at| said.get(at)).is_some_and(|word| list.contains(word))
        };
        let before = at.checked_sub(1);
        // "Setiap hari Senin".
        let before_day = if is(before, &self.day) { at.checked_sub(2) } else { before };
        if is(before_day, &self.every) || is(before, &self.last) || is(Some(at + 1), &self.last) {
            return (2, None);
        }
        let today_at = today.weekday().num_days_from_monday() as usize;
        let ahead = (weekday + 7 - today_at) % 7;
        let is_week_next = is(Some(at + 1), &self.week) && is(Some(at + 2), &self.next);
        let (taken, ahead) = if is_week_next {
            (3, 7 - today_at + weekday)
        } else if is(Some(at + 1), &self.next) || is(before, &self.next) {
            (2, if ahead == 0 { 7 } else { ahead })
        } else {
            let has_tail = is(Some(at + 1), &self.tomorrow) || is(Some(at + 1), &self.this);
            (if has_tail { 2 } else { 1 }, ahead)
        };
        let ahead = match (is(before, &self.eve), ahead) {
            (true, 0) => 6,
            (true, ahead) => ahead - 1,
            (false, ahead) => ahead,
        };
        (taken, today.checked_add_days(Days::new(ahead as u64)))
    }

    /// `25 desember`, `25 desember 2026`, `december 25`, `tanggal 25`.
    fn dated(
        &self,
        said: &[String],
        at: usize,
        today: NaiveDate,
    ) -> Option<(usize, Option<NaiveDate>)> {
        let word = |ahead: usize| said.get(at + ahead);
        let day = |ahead: usize| word(ahead).and_then(|word| number(word));
        let month = |ahead: usize| word(ahead).and_then(|word| self.month(word));
        let year = |ahead: usize| word(ahead).and_then(|word| read_year(word));
        if let Some((day, month)) = day(0).zip(month(1)).or_else(|| day(1).zip(month(0))) {
            let year = year(2);
            return Some((if year.is_some() { 3 } else { 2 }, to_come(day, month, year, today)));
        }
        // "Tanggal 25 Desember" is read by its number.
        let is_alone = self.date.contains(word(0)?) && month(2).is_none();
        let day = day(1).filter(|_| is_alone)?;
        let this = today.with_day(day).filter(|date| *date >= today);
        let date = this.or_else(|| {
            let next = today.with_day(1)?.checked_add_months(chrono::Months::new(1))?;
            next.with_day(day)
        });
        Some((2, date))
    }

    fn month(&self, word: &str) -> Option<u32> {
        let found = self.months.iter().position(|names| names.iter().any(|name| name == word))?;
        u32::try_from(found + 1).ok()
    }
}

/// How many words of the text's beginning are one of these phrases.
fn starts(rest: &[String], phrases: &[String]) -> Option<usize> {
    phrases
        .iter()
        .map(|phrase| phrase.split(' '))
        .filter(|phrase| {
            let mut given = rest.iter();
            phrase.clone().all(|word| given.next().is_some_and(|given| given == word))
        })
        .map(Iterator::count)
        .max()
}

/// Dates in figures: `25/12`, `25/12/2026`, `25-12-2026`, `2026-12-25`.
fn written(text: &str, today: NaiveDate) -> Vec<NaiveDate> {
    let mut found = Vec::new();
    let mut tokens = text.split_whitespace().peekable();
    while let Some(token) = tokens.next() {
        let token = token.trim_matches(|c: char| !c.is_ascii_digit());
        // "1/2 hari" is half a day.
        if tokens.peek().is_some_and(|next| next.to_lowercase().starts_with("hari")) {
            continue;
        }
        let parts: Vec<&str> = token.split(['/', '-']).collect();
        let is_slash = token.contains('/');
        let date = match parts.as_slice() {
            [day, month] if is_slash => {
                read_day(day).zip(month.parse().ok()).and_then(|(d, m)| to_come(d, m, None, today))
            }
            [year, month, day] if year.len() == 4 => token.parse().ok().or_else(|| {
                NaiveDate::from_ymd_opt(read_year(year)?, month.parse().ok()?, read_day(day)?)
            }),
            [day, month, year] => read_year(year).and_then(|year| {
                NaiveDate::from_ymd_opt(year, month.parse().ok()?, read_day(day)?)
            }),
            _ => None,
        };
        found.extend(date);
    }
    found
}

/// That day in the year given, else the next time it comes.
fn to_come(day: u32, month: u32, year: Option<i32>, today: NaiveDate) -> Option<NaiveDate> {
    if let Some(year) = year {
        return NaiveDate::from_ymd_opt(year, month, day);
    }
    (today.year()..=today.year() + 1)
        .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
        .find(|date| *date >= today)
}

/// `25`, `25th`.
fn number(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_bare = matches!(word.get(digits.len()..), Some("" | "st" | "nd" | "rd" | "th"));
    if is_bare { read_day(digits) } else { None }
}

fn read_day(digits: &str) -> Option<u32> {
    let is_short = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_short { digits.parse().ok().filter(|day| (1..=31).contains(day)) } else { None }
}

fn read_year(digits: &str) -> Option<i32> {
    digits.parse().ok().filter(|year| digits.len() == 4 && (2000..2200).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::tests::script;

    /// The days found on Monday, 23 November 2026, as day and month.
    fn found(text: &str) -> Vec<(u32, u32)> {
        let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let days = script().place().days().find(text, today);
        days.iter().map(|day| (day.day(), day.month())).collect()
    }

    #[test]
    fn a_day_is_understood_as_people_name_it() {
        for (text, day) in [
            ("hari ini masih buka?", (23, 11)),
            ("besok buka jam berapa", (24, 11)),
            ("bsk libur ga", (24, 11)),
            ("besok lusa buka", (25, 11)),
            ("lusa?", (25, 11)),
            ("hari sabtu buka?", (28, 11)),
            ("senin buka ga", (23, 11)),
            ("senin depan libur gak", (30, 11)),
            ("senin minggu depan", (30, 11)),
            ("jumat depan", (27, 11)),
            ("jumat minggu depan", (4, 12)),
            ("besok kamis buka apa tutup", (26, 11)),
            ("kamis besok buka", (26, 11)),
            ("jum'at buka sampai jam berapa", (27, 11)),
            ("hari minggu depan buka", (29, 11)),
            ("minggu buka?", (29, 11)),
            ("malam minggu ada pelayanan", (28, 11)),
            ("25 desember buka tidak", (25, 12)),
            ("tanggal 25 desember 2026", (25, 12)),
            ("tgl 1 mei libur", (1, 5)),
            ("tgl 25 buka", (25, 11)),
            ("tanggal 2 buka", (2, 12)),
            ("25/12 buka?", (25, 12)),
            ("2026-12-25", (25, 12)),
            ("dino setu buka mboten", (28, 11)),
            ("are you open tomorrow", (24, 11)),
            ("open on december 25th?", (25, 12)),
            ("is it open next monday", (30, 11)),
        ] {
            assert_eq!(found(text), [day], "{text}");
        }
        assert_eq!(found("sabtu minggu buka?"), [(28, 11), (29, 11)]);
    }

    #[test]
    fn what_names_no_single_day_is_none() {
        for text in [
            "buka jam berapa",
            "minggu depan libur?",
            "minggu ini buka sampai siang?",
            "2 minggu lagi buka?",
            "senin sampai jumat buka jam berapa",
            "senin-jumat buka?",
            "tiap hari senin buka?",
            "kemarin buka? senin kemarin tutup",
            "buka 08-15?",
            "buka 1/2 hari?",
            "jam 8 buka",
            "21 november 2026",
            "31 februari",
            "senin selasa rabu buka?",
            "1 januari 2031",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
