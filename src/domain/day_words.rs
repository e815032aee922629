//! How a day is said in a language: the one place that puts a date into words.
//!
//! Names of days and months and the order of the parts are handed in, so that no language stands
//! here. Every text that names a day takes it from here, so that two texts never say one day in two
//! ways.

use chrono::{Datelike as _, NaiveDate};
use serde::Deserialize;

use super::language::Language;

/// In which form a day is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayForm {
    /// With its weekday: `Selasa, 24 November`.
    Long,
    /// The same for an SMS: `Sel 24 Nov`.
    Short,
    /// A day of this year: `24 November`.
    Day,
    /// A day of any year: `24 November 2026`.
    DayAndYear,
}

/// The words of one language. A form may hold `{{ weekday }}`, `{{ day }}`, `{{ month }}` and
/// `{{ year }}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayWords {
    /// Monday first.
    pub weekdays: [String; 7],
    /// The same for an SMS.
    pub weekdays_short: [String; 7],
    /// January first.
    pub months: [String; 12],
    /// The same for an SMS.
    pub months_short: [String; 12],
    /// [`DayForm::Long`].
    pub long: String,
    /// [`DayForm::Short`].
    pub short: String,
    /// [`DayForm::Day`].
    pub day: String,
    /// [`DayForm::DayAndYear`].
    pub day_and_year: String,
}

/// The words of every language.
#[derive(Clone, Debug, Default)]
pub struct DayNames {
    /// In Indonesian.
    pub id: DayWords,
    /// In English.
    pub en: DayWords,
}

impl DayNames {
    /// The words of a language.
    #[must_use]
    pub const fn of(&self, language: Language) -> &DayWords {
        match language {
            Language::Indonesian => &self.id,
            Language::English => &self.en,
        }
    }
}

impl DayWords {
    /// A day in words.
    #[must_use]
    pub fn say(&self, form: DayForm, date: NaiveDate) -> String {
        let (form, weekday, month) = match form {
            DayForm::Long => (&self.long, self.weekday(date), self.month(date)),
            DayForm::Short => (
                &self.short,
                named(&self.weekdays_short, weekday_of(date)),
                named(&self.months_short, date.month0()),
            ),
            DayForm::Day => (&self.day, "", self.month(date)),
            DayForm::DayAndYear => (&self.day_and_year, "", self.month(date)),
        };
        let (day, year) = (date.day().to_string(), date.year().to_string());
        fill(form, &[("weekday", weekday), ("day", &day), ("month", month), ("year", &year)])
    }

    /// The name of its weekday.
    #[must_use]
    pub fn weekday(&self, date: NaiveDate) -> &str {
        named(&self.weekdays, weekday_of(date))
    }

    /// The name of its month.
    #[must_use]
    pub fn month(&self, date: NaiveDate) -> &str {
        named(&self.months, date.month0())
    }
}

/// A phrase with values in its plain placeholders; what has no value is left out.
fn fill(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name.trim());
        filled.push_str(before);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled + rest
}

fn weekday_of(date: NaiveDate) -> u32 {
    date.weekday().num_days_from_monday()
}

fn named(names: &[String], at: u32) -> &str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_said_in_each_form_with_the_names_handed_in() {
        let name = |prefix: &str, n: usize| format!("{prefix}{}", n + 1);
        let words = DayWords {
            weekdays: std::array::from_fn(|n| name("day", n)),
            weekdays_short: std::array::from_fn(|n| name("d", n)),
            months: std::array::from_fn(|n| name("month", n)),
            months_short: std::array::from_fn(|n| name("m", n)),
            long: "{{ weekday }}, {{ day }} {{ month }}".to_owned(),
            short: "{{ weekday }} {{ day }} {{ month }}".to_owned(),
            day: "{{month}} {{  day }}".to_owned(),
            day_and_year: "{{ day }} {{ month }} {{ year }}".to_owned(),
        };
        let date = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        assert_eq!(words.say(DayForm::Long, date), "day2, 24 month11");
        assert_eq!(words.say(DayForm::Short, date), "d2 24 m11");
        assert_eq!(words.say(DayForm::Day, date), "month11 24");
        assert_eq!(words.say(DayForm::DayAndYear, date), "24 month11 2026");
    }
}
