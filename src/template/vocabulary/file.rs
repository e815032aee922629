//! How `vocabulary.toml` is read, and what it must have: words for every paper and every state,
//! and in each phrase just the placeholders that are filled.
//!
//! Nothing has a default here: a word that is missing is a problem, not an empty place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::Inner;
use crate::domain::card::CardStatus;
use crate::domain::document::Document;
use crate::template::by_channel::ByChannel;
use crate::template::problem::Problem;
use crate::template::text::{Engine, Text};
use crate::template::writing;

/// The file, relative to `message_templates`.
pub(super) const FILE: &str = "vocabulary.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    writing: RawWriting,
    addressee: RawAddressee,
    date: RawDate,
    window: RawWindow,
    unknown: RawUnknown,
    stop: RawStop,
    list: RawList,
    documents: BTreeMap<String, Paper>,
    statuses: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWriting {
    capitals: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAddressee {
    named: ByChannel<String>,
    unnamed: ByChannel<String>,
    family: ByChannel<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDate {
    weekdays: [String; 7],
    weekdays_short: [String; 7],
    months: [String; 12],
    months_short: [String; 12],
    long: String,
    short: String,
    day: String,
    day_and_year: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWindow {
    between: ByChannel<String>,
    from: ByChannel<String>,
    until: ByChannel<String>,
    unknown: ByChannel<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUnknown {
    place: ByChannel<String>,
    hours: ByChannel<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStop {
    answered: String,
    unanswered: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    open: String,
}

/// The words of one paper.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paper {
    pub(super) name: ByChannel<String>,
    pub(super) bring: ByChannel<String>,
    pub(super) addressed_to: AddressedTo,
}

/// Who reads about a paper.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AddressedTo {
    Holder,
    Family,
}

/// Reads and checks the file; `None` when there are problems.
pub(super) fn read(content: &str, problems: &mut Vec<Problem>) -> Option<Inner> {
    let raw: Raw = match toml::from_str(content) {
        Ok(raw) => raw,
        Err(error) => {
            problems.push(Problem::of_toml(FILE, content, &error));
            return None;
        }
    };
    let known = problems.len();
    let reader = Reader { engine: Engine::new(), capitals: raw.writing.capitals.clone(), problems };
    let inner = reader.read(raw);
    (problems.len() == known).then_some(inner)
}

/// Turns what the file says into checked words, collecting problems on the way.
struct Reader<'a> {
    engine: Engine,
    capitals: BTreeSet<String>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn read(mut self, raw: Raw) -> Inner {
        let RawDate { weekdays, weekdays_short, months, months_short, long, short, .. } = raw.date;
        let date = ByChannel { text: long, sms: short };
        for (list, words) in [
            ("date.weekdays", &weekdays[..]),
            ("date.weekdays_short", &weekdays_short),
            ("date.months", &months),
            ("date.months_short", &months_short),
        ] {
            for word in words {
                self.plain(list, word, true);
            }
        }
        let documents = self.complete("documents", raw.documents, Document::ALL);
        for (document, paper) in &documents {
            self.plain_pair(&format!("documents.{document}.name"), paper.name.clone());
            self.plain_pair(&format!("documents.{document}.bring"), paper.bring.clone());
        }
        let statuses = self.complete("statuses", raw.statuses, CardStatus::ALL);
        for (status, words) in &statuses {
            self.plain(&format!("statuses.{status}"), words, false);
        }
        Inner {
            named: self.phrases("addressee.named", &raw.addressee.named, &["name"]),
            unnamed: self.plain_pair("addressee.unnamed", raw.addressee.unnamed),
            family: self.phrases("addressee.family", &raw.addressee.family, &["name"]),
            weekdays: ByChannel { text: weekdays, sms: weekdays_short },
            months: ByChannel { text: months, sms: months_short },
            date: self.phrases("date.long, date.short", &date, &["weekday", "day", "month"]),
            day: self.phrase("date.day", &raw.date.day, &["day", "month"], false),
            day_and_year: self.phrase(
                "date.day_and_year",
                &raw.date.day_and_year,
                &["day", "month", "year"],
                false,
            ),
            between: self.phrases("window.between", &raw.window.between, &["from", "to", "zone"]),
            from: self.phrases("window.from", &raw.window.from, &["from", "zone"]),
            until: self.phrases("window.until", &raw.window.until, &["to", "zone"]),
            no_window: self.plain_pair("window.unknown", raw.window.unknown),
            place: self.plain_pair("unknown.place", raw.unknown.place),
            hours: self.plain_pair("unknown.hours", raw.unknown.hours),
            stop_answered: self.sms("stop.answered", raw.stop.answered),
            stop_unanswered: self.sms("stop.unanswered", raw.stop.unanswered),
            list_button: self
                .plain_pair(
                    "list.open",
                    ByChannel { text: raw.list.open.clone(), sms: raw.list.open },
                )
                .text,
            documents,
            statuses,
            capitals: self.capitals,
            engine: self.engine,
        }
    }

    /// A table that must name every value of its kind and nothing else.
    fn complete<K: FromStr + Copy + Ord + fmt::Display, V>(
        &mut self,
        table: &str,
        given: BTreeMap<String, V>,
        all: &[K],
    ) -> BTreeMap<K, V> {
        let mut read = BTreeMap::new();
        for (word, value) in given {
            if let Ok(key) = word.parse() {
                read.insert(key, value);
            } else {
                let words = all.iter().map(K::to_string).collect::<Vec<_>>().join(", ");
                let what = format!("{table}.{word} is not known");
                self.problems.push(Problem::new(FILE, what, format!("known are {words}")));
            }
        }
        for key in all.iter().filter(|key| !read.contains_key(*key)) {
            let what = format!("{table}.{key} is missing");
            self.problems.push(Problem::new(FILE, what, "every one needs its words"));
        }
        read
    }

    fn phrases(&mut self, key: &str, given: &ByChannel<String>, names: &[&str]) -> ByChannel<Text> {
        ByChannel {
            text: self.phrase(key, &given.text, names, false),
            sms: self.phrase(key, &given.sms, names, true),
        }
    }

    /// A phrase with just these placeholders, compiled and tried.
    fn phrase(&mut self, key: &str, source: &str, names: &[&str], is_sms: bool) -> Text {
        let text = self.checked(key, source, names, is_sms);
        self.engine.add(&text, self.problems);
        let values: BTreeMap<&str, &str> = names.iter().map(|name| (*name, "x")).collect();
        if self.engine.fill(&text, &values).is_err() {
            let hint = "mend its placeholders";
            self.problems.push(Problem::new(text.file(), "it cannot be filled", hint));
        }
        text
    }

    fn plain_pair(&mut self, key: &str, given: ByChannel<String>) -> ByChannel<String> {
        self.plain(key, &given.text, false);
        self.plain(key, &given.sms, true);
        given
    }

    /// Words without placeholders that stand in an SMS alone.
    fn sms(&mut self, key: &str, words: String) -> String {
        self.plain(key, &words, true);
        words
    }

    /// Words without placeholders.
    fn plain(&mut self, key: &str, words: &str, is_sms: bool) {
        self.checked(key, words, &[], is_sms);
    }

    fn checked(&mut self, key: &str, source: &str, names: &[&str], is_sms: bool) -> Text {
        let form = if is_sms { " for SMS" } else { "" };
        let text = Text::parse(&format!("{FILE} ({key}{form})"), source, self.problems);
        let mut found = text.placeholders();
        let mut expected = names.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        if found != expected {
            let list = if names.is_empty() { "no placeholder".into() } else { names.join(", ") };
            let what = format!("its placeholders must be: {list}");
            self.problems.push(Problem::new(text.file(), what, "every one, and no other"));
        }
        writing::check(&text, Some(&self.capitals), self.problems);
        if is_sms {
            writing::check_gsm(text.file(), &text.map(|_| String::new()), self.problems);
        }
        text
    }
}
