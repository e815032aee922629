//! How `vocabulary.toml` is read, and what it must have: words for every paper and every state,
//! and in each phrase just the placeholders that are filled.
//!
//! Nothing has a default here: a word that is missing is a problem, not an empty place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::{Inner, Missed, Spoken};
use crate::domain::card::CardStatus;
use crate::domain::day_words::DayWords;
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
    date: DayWords,
    window: RawWindow,
    unknown: RawUnknown,
    point: RawPoint,
    stop: RawStop,
    missed: RawMissed,
    list: RawList,
    documents: BTreeMap<String, RawPaper>,
    statuses: BTreeMap<String, String>,
    en: RawSpoken,
}

/// The words that differ from language to language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpoken {
    addressee: RawAddressee,
    date: DayWords,
    window: RawWindow,
    unknown: RawUnknown,
    point: RawPoint,
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
struct RawPoint {
    hours: ByChannel<String>,
    reopens: ByChannel<String>,
    desa: String,
    kelurahan: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStop {
    answered: String,
    unanswered: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMissed {
    nobody_home: Missed,
    unclear_address: Missed,
    old_card_missing: Missed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    open: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPaper {
    name: ByChannel<String>,
    bring: ByChannel<String>,
    addressed_to: AddressedTo,
}

/// The words of one paper.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paper {
    pub(super) name: ByChannel<String>,
    pub(super) bring: ByChannel<String>,
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
        let (mut addressed, mut papers) = (BTreeMap::new(), BTreeMap::new());
        for (word, RawPaper { name, bring, addressed_to }) in raw.documents {
            if let Ok(document) = word.parse::<Document>() {
                addressed.insert(document, addressed_to);
            }
            papers.insert(word, Paper { name, bring });
        }
        let indonesian = RawSpoken {
            addressee: raw.addressee,
            date: raw.date,
            window: raw.window,
            unknown: raw.unknown,
            point: raw.point,
            list: raw.list,
            documents: papers,
            statuses: raw.statuses,
        };
        Inner {
            id: self.spoken("", indonesian),
            en: self.spoken("en.", raw.en),
            stop_answered: self.sms("stop.answered", raw.stop.answered),
            stop_unanswered: self.sms("stop.unanswered", raw.stop.unanswered),
            nobody_home: self.missed("nobody_home", raw.missed.nobody_home),
            unclear_address: self.missed("unclear_address", raw.missed.unclear_address),
            old_card_missing: self.missed("old_card_missing", raw.missed.old_card_missing),
            addressed,
            capitals: self.capitals,
            engine: self.engine,
        }
    }

    /// The words of one language; `of` stands before its keys in the file.
    fn spoken(&mut self, of: &str, raw: RawSpoken) -> Spoken {
        let key = |name: &str| format!("{of}{name}");
        self.days(of, &raw.date);
        let documents = self.complete(&key("documents"), raw.documents, Document::ALL);
        for (document, paper) in &documents {
            self.plain_pair(&key(&format!("documents.{document}.name")), paper.name.clone());
            self.plain_pair(&key(&format!("documents.{document}.bring")), paper.bring.clone());
        }
        let statuses = self.complete(&key("statuses"), raw.statuses, CardStatus::ALL);
        for (status, words) in &statuses {
            self.plain(&key(&format!("statuses.{status}")), words, false);
        }
        let (addressee, window) = (raw.addressee, raw.window);
        Spoken {
            named: self.phrases(&key("addressee.named"), &addressee.named, &["name"]),
            unnamed: self.plain_pair(&key("addressee.unnamed"), addressee.unnamed),
            family: self.phrases(&key("addressee.family"), &addressee.family, &["name"]),
            weekdays: ByChannel {
                text: raw.date.weekdays.clone(),
                sms: raw.date.weekdays_short.clone(),
            },
            days: raw.date,
            between: self.phrases(&key("window.between"), &window.between, &["from", "to", "zone"]),
            from: self.phrases(&key("window.from"), &window.from, &["from", "zone"]),
            until: self.phrases(&key("window.until"), &window.until, &["to", "zone"]),
            no_window: self.plain_pair(&key("window.unknown"), window.unknown),
            place: self.plain_pair(&key("unknown.place"), raw.unknown.place),
            hours: self.plain_pair(&key("unknown.hours"), raw.unknown.hours),
            written: self.phrases(&key("point.hours"), &raw.point.hours, &["hours"]),
            desa: self.phrase(&key("point.desa"), &raw.point.desa, &["name"], false),
            kelurahan: self.phrase(&key("point.kelurahan"), &raw.point.kelurahan, &["name"], false),
            reopens: self.phrases(&key("point.reopens"), &raw.point.reopens, &["hours", "date"]),
            list_button: self.sms(&key("list.open"), raw.list.open),
            documents,
            statuses,
        }
    }

    /// Looks at the words for days; how they are put together is known to `domain`.
    fn days(&mut self, of: &str, words: &DayWords) {
        for (list, words) in [
            ("date.weekdays", &words.weekdays[..]),
            ("date.weekdays_short", &words.weekdays_short),
            ("date.months", &words.months),
            ("date.months_short", &words.months_short),
        ] {
            for word in words {
                self.plain(&format!("{of}{list}"), word, true);
            }
        }
        let (long, short) = (words.long.clone(), words.short.clone());
        let key = format!("{of}date.long, {of}date.short");
        self.phrases(&key, &ByChannel { text: long, sms: short }, &["weekday", "day", "month"]);
        self.phrase(&format!("{of}date.day"), &words.day, &["day", "month"], false);
        let key = format!("{of}date.day_and_year");
        self.phrase(&key, &words.day_and_year, &["day", "month", "year"], false);
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

    /// What is said of a visit in vain.
    fn missed(&mut self, why: &str, given: Missed) -> Missed {
        Missed {
            reason: self.plain_pair(&format!("missed.{why}.reason"), given.reason),
            next: self.plain_pair(&format!("missed.{why}.next"), given.next),
        }
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
