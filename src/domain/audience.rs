//! Whom a broadcast is for: an area down to the RT, what state their card is in, a list somebody uploaded.
//!
//! Pure rules about one person at a time; who is on file is the store's business. What is kept of an audience
//! names nobody.

use chrono::{Months, NaiveDate};
use serde_json::{Map, Value, json};

use super::area::AreaCode;
use super::document::Document;
use super::language::Language;
use super::nik::Nik;

/// From this age on somebody has a card of their own, and is written to without their parents.
const GROWN_UP: u32 = 17;

/// What state somebody's card is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardCondition {
    /// Has a NIK and was never recorded.
    NotRecorded,
    /// Turns 17 from now until then.
    Turning17 {
        /// Months from now.
        months: u32,
    },
    /// Lies ready and was not fetched.
    Uncollected {
        /// For at least so many days.
        days: u32,
    },
}

/// Whom a broadcast is for. Every part that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Who lives in one of these. None lies in another.
    pub areas: Vec<AreaCode>,
    /// Who lives in that dusun.
    pub dusun: Option<String>,
    /// Who lives in that RW.
    pub rw: Option<String>,
    /// Who lives in that RT.
    pub rt: Option<String>,
    /// Whose card is in that state.
    pub card: Option<CardCondition>,
    /// Who has that paper on its way or in hand.
    pub document: Option<Document>,
    /// Who is answered in that language.
    pub language: Option<Language>,
    /// Only those on the list that was uploaded.
    pub is_list: bool,
}

/// Why a text is no audience.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudienceError {
    /// A part has a value that is none.
    #[error("{part} of the audience cannot be read; {hint}")]
    Part {
        /// Which.
        part: &'static str,
        /// How it is written.
        hint: &'static str,
    },
    /// A part that does not exist.
    #[error(
        "an audience has no part of that name; it has areas, dusun, rw, rt, card, document, language, list"
    )]
    Unknown,
}

impl Audience {
    /// Areas it names, at most.
    pub const MOST_AREAS: usize = 100;
    /// Months ahead in which somebody turns 17, at most.
    pub const MOST_MONTHS: u32 = 24;
    /// Days that a card lies, at most.
    pub const MOST_DAYS: u32 = 3650;
    /// Everybody in an area.
    #[must_use]
    pub fn of_area(area: AreaCode) -> Self {
        Self { areas: vec![area], ..Self::default() }
    }

    /// The same with areas that lie in others taken out, in their order.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        self.areas.sort();
        let mut kept: Vec<AreaCode> = Vec::new();
        for area in self.areas {
            // An area sorts before all that lie in it.
            if !kept.last().is_some_and(|last| area.is_within(last)) {
                kept.push(area);
            }
        }
        self.areas = kept;
        self
    }

    /// The smallest area that holds all of them; the whole country where they have none in common.
    #[must_use]
    pub fn reach(&self) -> AreaCode {
        let mut areas = self.areas.iter().cloned();
        let first = areas.next().unwrap_or_else(AreaCode::nationwide);
        areas.fold(first, |reach, area| reach.common(&area).unwrap_or_else(AreaCode::nationwide))
    }

    /// Reads the JSON form, as the API takes and the database keeps it.
    ///
    /// # Errors
    /// [`AudienceError`].
    pub fn parse(value: &Value) -> Result<Self, AudienceError> {
        let part = |part, hint| AudienceError::Part { part, hint };
        let map = value.as_object().ok_or(AudienceError::Unknown)?;
        let mut audience = Self::default();
        for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let word = || value.as_str().map(str::trim).filter(|word| !word.is_empty());
            match name.as_str() {
                "areas" => audience.areas = areas(value).ok_or(part("areas", "[\"35.17.09\"]"))?,
                "dusun" => audience.dusun = word().map(str::to_owned),
                "rw" => audience.rw = word().map(str::to_owned),
                "rt" => audience.rt = word().map(str::to_owned),
                "card" => {
                    let hint = "{\"state\": \"not_recorded\"}, {\"state\": \"turning_17\", \"months\": 3} \
                                or {\"state\": \"uncollected\", \"days\": 14}";
                    audience.card = Some(condition(value).ok_or(part("card", hint))?);
                }
                "document" => {
                    let document = word().and_then(|word| word.parse().ok());
                    audience.document =
                        Some(document.ok_or(part("document", "\"ktp-el\", \"kia\", …"))?);
                }
                "language" => {
                    let language = word().and_then(|word| word.parse().ok());
                    audience.language = Some(language.ok_or(part("language", "\"id\" or \"en\""))?);
                }
                "list" => {
                    audience.is_list = value.as_bool().ok_or(part("list", "true or false"))?;
                }
                _ => return Err(AudienceError::Unknown),
            }
        }
        Ok(audience.tidied())
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        let codes: Vec<String> = self.areas.iter().map(ToString::to_string).collect();
        put("areas", (!codes.is_empty()).then(|| json!(codes)));
        put("dusun", self.dusun.as_ref().map(|word| json!(word)));
        put("rw", self.rw.as_ref().map(|word| json!(word)));
        put("rt", self.rt.as_ref().map(|word| json!(word)));
        put("card", self.card.map(CardCondition::to_json));
        put("document", self.document.map(|document| json!(document.as_str())));
        put("language", self.language.map(|language| json!(language.as_str())));
        put("list", self.is_list.then_some(Value::Bool(true)));
        Value::Object(map)
    }

    /// Whether somebody who lives there is meant.
    #[must_use]
    pub fn has_home(&self, home: &Home<'_>) -> bool {
        is_same(self.dusun.as_deref(), home.dusun, false)
            && is_same(self.rw.as_deref(), home.rw, true)
            && is_same(self.rt.as_deref(), home.rt, true)
    }

    /// Whether a home is asked for more closely than by its area.
    #[must_use]
    pub const fn asks_for_home(&self) -> bool {
        self.dusun.is_some() || self.rw.is_some() || self.rt.is_some()
    }

    /// Whether somebody of that age is meant; who has no known birthday is not where an age is asked for.
    #[must_use]
    pub fn has_age(&self, birthday: Option<NaiveDate>, today: NaiveDate) -> bool {
        let Some(CardCondition::Turning17 { months }) = self.card else { return true };
        let turns = birthday.and_then(|day| day.checked_add_months(Months::new(12 * GROWN_UP)));
        let until = today.checked_add_months(Months::new(months));
        turns.zip(until).is_some_and(|(turns, until)| today <= turns && turns <= until)
    }
}

/// Where within a desa somebody lives, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Home<'a> {
    /// Dusun.
    pub dusun: Option<&'a str>,
    /// RW.
    pub rw: Option<&'a str>,
    /// RT.
    pub rt: Option<&'a str>,
}

/// Whether somebody is under age, by their NIK. Whose birthday is not known counts as grown up: the registry
/// holds old NIKs with dates that never were.
#[must_use]
pub fn is_minor(nik: &Nik, today: NaiveDate) -> bool {
    let turns =
        nik.birthday(today).and_then(|day| day.checked_add_months(Months::new(12 * GROWN_UP)));
    turns.is_some_and(|turns| turns > today)
}

/// Compares what was asked for with what is on file: `3`, `003` and `RW 03` are one.
fn is_same(asked: Option<&str>, on_file: Option<&str>, is_number: bool) -> bool {
    let Some(asked) = asked else { return true };
    let plain = |text: &str| {
        let lower = text.trim().to_lowercase();
        if is_number {
            let digits: String = lower.chars().filter(char::is_ascii_digit).collect();
            digits.trim_start_matches('0').to_owned()
        } else {
            let name = lower.strip_prefix("dusun ").unwrap_or(&lower);
            name.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    };
    on_file.is_some_and(|on_file| plain(on_file) == plain(asked))
}

fn areas(value: &Value) -> Option<Vec<AreaCode>> {
    let list = value.as_array().filter(|list| list.len() <= Audience::MOST_AREAS)?;
    list.iter().map(|code| AreaCode::parse(code.as_str()?).ok()).collect()
}

fn condition(value: &Value) -> Option<CardCondition> {
    let number = |name: &str, most: u32| {
        let number = u32::try_from(value[name].as_u64()?).ok()?;
        (1..=most).contains(&number).then_some(number)
    };
    match value["state"].as_str()? {
        "not_recorded" => Some(CardCondition::NotRecorded),
        "turning_17" => {
            Some(CardCondition::Turning17 { months: number("months", Audience::MOST_MONTHS)? })
        }
        "uncollected" => {
            Some(CardCondition::Uncollected { days: number("days", Audience::MOST_DAYS)? })
        }
        _ => None,
    }
}

impl CardCondition {
    fn to_json(self) -> Value {
        match self {
            Self::NotRecorded => json!({"state": "not_recorded"}),
            Self::Turning17 { months } => json!({"state": "turning_17", "months": months}),
            Self::Uncollected { days } => json!({"state": "uncollected", "days": days}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    #[test]
    fn an_audience_reads_back_as_itself() {
        for value in [
            json!({}),
            json!({"areas": ["35.17.09.2018"], "dusun": "Krajan", "rw": "3", "rt": "001"}),
            json!({"areas": ["35.17.08", "35.17.09"], "card": {"state": "turning_17", "months": 3}}),
            json!({"card": {"state": "uncollected", "days": 14}, "document": "kia", "language": "en"}),
            json!({"card": {"state": "not_recorded"}, "list": true}),
        ] {
            assert_eq!(Audience::parse(&value).unwrap().to_json(), value);
        }
    }

    #[test]
    fn what_is_no_audience_is_refused_by_its_part() {
        for (value, part) in [
            (json!({"areas": ["Jabon"]}), "areas"),
            (json!({"card": {"state": "turning_17"}}), "card"),
            (json!({"card": {"state": "uncollected", "days": 0}}), "card"),
            (json!({"document": "sim"}), "document"),
            (json!({"list": 1}), "list"),
        ] {
            let found = Audience::parse(&value);
            assert!(
                matches!(found, Err(AudienceError::Part { part: p, .. }) if p == part),
                "{value}"
            );
        }
        assert_eq!(Audience::parse(&json!({"area": "35"})), Err(AudienceError::Unknown));
    }

    #[test]
    fn an_area_within_another_is_named_once_and_the_reach_holds_them_all() {
        let of = |codes: &[&str]| {
            let areas = codes.iter().map(|code| area(code)).collect();
            Audience { areas, ..Audience::default() }.tidied()
        };
        let tidy = of(&["35.17.09.2018", "35.17.08", "35.17.09", "35.17.08"]);
        assert_eq!(tidy.areas, [area("35.17.08"), area("35.17.09")]);
        assert_eq!(tidy.reach(), area("35.17"));
        assert_eq!(of(&["35.17", "62.03"]).reach(), AreaCode::nationwide());
        assert_eq!(of(&["35.17.09.2018"]).reach(), area("35.17.09.2018"));
    }

    #[test]
    fn a_home_is_found_however_its_numbers_are_written() {
        let audience = Audience {
            dusun: Some("Krajan".into()),
            rw: Some("3".into()),
            rt: Some("RT 01".into()),
            ..Audience::default()
        };
        let home = |dusun, rw, rt| Home { dusun, rw, rt };
        assert!(audience.has_home(&home(Some("DUSUN  KRAJAN"), Some("003"), Some("1"))));
        assert!(!audience.has_home(&home(Some("Krajan"), Some("003"), Some("11"))));
        assert!(
            !audience.has_home(&home(None, Some("003"), Some("1"))),
            "not on file is not there"
        );
        assert!(Audience::default().has_home(&Home::default()));
    }

    #[test]
    fn who_turns_17_within_the_months_is_meant_and_nobody_else() {
        let audience =
            Audience { card: Some(CardCondition::Turning17 { months: 3 }), ..Audience::default() };
        let today = day(2026, 11, 22);
        let born = |date| audience.has_age(Some(date), today);
        assert!(born(day(2009, 11, 22)), "today");
        assert!(born(day(2010, 2, 22)), "the last day");
        assert!(!born(day(2010, 2, 23)));
        assert!(!born(day(2009, 11, 21)), "17 yesterday");
        assert!(!audience.has_age(None, today));
        assert!(Audience::default().has_age(None, today));
    }

    #[test]
    fn a_nik_tells_a_child_from_a_grown_up_on_the_very_day() {
        let nik = |middle: &str| Nik::parse(&format!("351709{middle}0001")).unwrap();
        let today = day(2026, 11, 22);
        assert!(!is_minor(&nik("221109"), today), "17 today");
        assert!(is_minor(&nik("231109"), today), "17 tomorrow");
        assert!(is_minor(&nik("631109"), today), "a girl, 17 tomorrow");
        assert!(!is_minor(&nik("010130"), today), "1930, for 2030 is still to come");
        assert!(!is_minor(&nik("990999"), today), "no date at all");
    }
}
