//! The words that messages are built from: papers, days, hours, ways to address somebody, states.
//!
//! They stand in `vocabulary.toml`, so that no Indonesian stands in Rust, and every phrase is tried
//! when it is loaded. What comes out here is words only, never a decision.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime, Timelike as _};

use file::{AddressedTo, FILE, Paper};

use super::by_channel::ByChannel;
use super::problem::Problem;
use super::text::{Engine, Text};
use crate::domain::area::Zone;
use crate::domain::calendar::{Week, WeekNames};
use crate::domain::card::CardStatus;
use crate::domain::day_words::{DayForm, DayWords};
use crate::domain::document::Document;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::person::PersonName;
use crate::domain::round::Outcome;

/// The words of one office in one language, checked. Cloning it is cheap.
#[derive(Clone)]
pub struct Vocabulary {
    inner: Arc<Inner>,
    language: Language,
}

struct Inner {
    engine: Engine,
    capitals: BTreeSet<String>,
    id: Spoken,
    en: Spoken,
    addressed: BTreeMap<Document, AddressedTo>,
    stop_answered: String,
    stop_unanswered: String,
    nobody_home: Missed,
    unclear_address: Missed,
    old_card_missing: Missed,
}

/// What is said of a visit in vain.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Missed {
    reason: ByChannel<String>,
    next: ByChannel<String>,
}

/// The words of one language.
struct Spoken {
    named: ByChannel<Text>,
    unnamed: ByChannel<String>,
    family: ByChannel<Text>,
    weekdays: ByChannel<[String; 7]>,
    days: DayWords,
    between: ByChannel<Text>,
    from: ByChannel<Text>,
    until: ByChannel<Text>,
    no_window: ByChannel<String>,
    place: ByChannel<String>,
    hours: ByChannel<String>,
    written: ByChannel<Text>,
    reopens: ByChannel<Text>,
    desa: Text,
    kelurahan: Text,
    list_button: String,
    documents: BTreeMap<Document, Paper>,
    statuses: BTreeMap<CardStatus, String>,
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vocabulary")
    }
}

impl Vocabulary {
    /// Reads and checks `vocabulary.toml`. `None` when it cannot be used; then there are problems.
    pub(super) fn parse(content: Option<&String>, problems: &mut Vec<Problem>) -> Option<Self> {
        let Some(content) = content else {
            let hint = "put it beside the folder announcements";
            problems.push(Problem::new(FILE, "the file is missing", hint));
            return None;
        };
        let language = Language::default();
        file::read(content, problems).map(|inner| Self { inner: Arc::new(inner), language })
    }

    /// The same words in that language; without this they are Indonesian.
    #[must_use]
    pub fn speaking(&self, language: Language) -> Self {
        Self { inner: Arc::clone(&self.inner), language }
    }

    /// How somebody is addressed, by the masked name if there is one.
    #[must_use]
    pub fn addressee(&self, name: Option<&PersonName>, channel: ChannelKind) -> String {
        self.address(name, &self.spoken().named, channel)
    }

    /// How whoever reads about this paper is addressed: its holder, or the family of a child or of
    /// somebody who has died.
    #[must_use]
    pub fn addressee_for(
        &self,
        document: Document,
        name: Option<&PersonName>,
        channel: ChannelKind,
    ) -> String {
        let form = match self.inner.addressed[&document] {
            AddressedTo::Holder => &self.spoken().named,
            AddressedTo::Family => &self.spoken().family,
        };
        self.address(name, form, channel)
    }

    /// What a paper is called.
    #[must_use]
    pub fn document(&self, document: Document, channel: ChannelKind) -> String {
        self.paper(document).name.on(channel).clone()
    }

    /// What to bring, or to have at hand, when a paper is handed over.
    #[must_use]
    pub fn bring(&self, document: Document, channel: ChannelKind) -> String {
        self.paper(document).bring.on(channel).clone()
    }

    /// What is said of a card when somebody asks; follows the paper and the name.
    #[must_use]
    pub fn status(&self, status: CardStatus) -> String {
        self.spoken().statuses[&status].clone()
    }

    /// Where to go when no service point is known.
    #[must_use]
    pub fn place(&self, channel: ChannelKind) -> String {
        self.spoken().place.on(channel).clone()
    }

    /// When to go when no service hours are known.
    #[must_use]
    pub fn hours(&self, channel: ChannelKind) -> String {
        self.spoken().hours.on(channel).clone()
    }

    /// The hours of a place as its office has written them; told in another language from its week,
    /// where that is known.
    #[must_use]
    pub fn hours_of(&self, written: &str, week: Option<&Week>, channel: ChannelKind) -> String {
        match week.filter(|week| !week.is_empty() && self.language != Language::default()) {
            Some(week) => self.week(week, channel),
            None => self.fill(self.spoken().written.on(channel), &[("hours", written)]),
        }
    }

    /// A number with its thousands apart.
    #[must_use]
    pub fn number(&self, number: i64) -> String {
        let separator = if self.language == Language::English { ',' } else { '.' };
        let digits = number.unsigned_abs().to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        text
    }

    /// What the office of a desa or a kelurahan is called.
    #[must_use]
    pub fn desa_office(&self, name: &str, is_kelurahan: bool) -> String {
        let words = self.spoken();
        self.fill(if is_kelurahan { &words.kelurahan } else { &words.desa }, &[("name", name)])
    }

    /// Why a visit was in vain and what comes next, each in a chat and in an SMS; none after what brings nobody a
    /// second time.
    #[must_use]
    pub fn missed(&self, outcome: Outcome) -> Option<[(&'static str, String, String); 2]> {
        let words = match outcome {
            Outcome::NobodyHome => &self.inner.nobody_home,
            Outcome::UnclearAddress => &self.inner.unclear_address,
            Outcome::OldCardMissing => &self.inner.old_card_missing,
            _ => return None,
        };
        let both = |words: &ByChannel<String>| (words.text.clone(), words.sms.clone());
        let ((why, why_sms), (next, next_sms)) = (both(&words.reason), both(&words.next));
        Some([("reason", why, why_sms), ("next", next, next_sms)])
    }

    /// Hours of a place that is closed all day, with the day on which it opens again.
    #[must_use]
    pub fn reopens(&self, hours: &str, date: NaiveDate, channel: ChannelKind) -> String {
        let date =
            if channel == ChannelKind::Sms { self.date_short(date) } else { self.date(date) };
        self.fill(self.spoken().reopens.on(channel), &[("hours", hours), ("date", &date)])
    }

    /// An SMS announcement with how to stop at its end. Where the sender takes answers it is left
    /// out if the SMS would take one segment more for it: STOP works all the same.
    #[must_use]
    pub fn with_stop(&self, sms: &str, takes_answers: bool) -> String {
        let whole = self.and_stop(sms, takes_answers);
        let parts = |text: &str| super::segment::segments(text).parts;
        if takes_answers && parts(&whole) > parts(sms) { sms.to_owned() } else { whole }
    }

    /// An SMS that nobody asked for with how to stop at its end, whatever that costs.
    #[must_use]
    pub fn and_stop(&self, sms: &str, takes_answers: bool) -> String {
        let stop =
            if takes_answers { &self.inner.stop_answered } else { &self.inner.stop_unanswered };
        let separator = if sms.ends_with(['.', '?']) { " " } else { ". " };
        format!("{sms}{separator}{stop}")
    }

    /// What a weekday is called; Monday is 0.
    #[must_use]
    pub fn weekday(&self, day: usize) -> &str {
        self.spoken().days.weekdays.get(day).map_or("", String::as_str)
    }

    /// What stands on the button that opens a list of choices.
    #[must_use]
    pub fn list_button(&self) -> &str {
        &self.spoken().list_button
    }

    /// A day with its weekday: `Selasa, 24 November`.
    #[must_use]
    pub fn date(&self, date: NaiveDate) -> String {
        self.spoken().days.say(DayForm::Long, date)
    }

    /// The same for an SMS: `Sel 24 Nov`.
    #[must_use]
    pub fn date_short(&self, date: NaiveDate) -> String {
        self.spoken().days.say(DayForm::Short, date)
    }

    /// A day of this year: `24 November`.
    #[must_use]
    pub fn day(&self, date: NaiveDate) -> String {
        self.spoken().days.say(DayForm::Day, date)
    }

    /// A day of any year: `24 November 2026`.
    #[must_use]
    pub fn day_and_year(&self, date: NaiveDate) -> String {
        self.spoken().days.say(DayForm::DayAndYear, date)
    }

    /// A time of day with its zone: `pukul 09.00–12.00 WIB`. Words for an unknown time when
    /// neither end is given.
    #[must_use]
    pub fn window(&self, from: Option<NaiveTime>, to: Option<NaiveTime>, zone: Zone) -> String {
        self.window_on(ChannelKind::Whatsapp, from.map(full_time), to.map(full_time), zone)
    }

    /// The same for an SMS: `09-12 WIB`.
    #[must_use]
    pub fn window_short(
        &self,
        from: Option<NaiveTime>,
        to: Option<NaiveTime>,
        zone: Zone,
    ) -> String {
        self.window_on(ChannelKind::Sms, from.map(short_time), to.map(short_time), zone)
    }

    /// The hours of a week: `Senin–Kamis 08.00–15.00, Jumat 08.00–11.00`, in an SMS `Sen-Kam 08-15,
    /// Jum 08-11`.
    #[must_use]
    pub fn week(&self, week: &Week, channel: ChannelKind) -> String {
        let is_short = channel == ChannelKind::Sms;
        let dash = if is_short { "-" } else { "–" };
        week.words(WeekNames { weekdays: self.spoken().weekdays.on(channel), dash, is_short })
    }

    fn spoken(&self) -> &Spoken {
        match self.language {
            Language::Indonesian => &self.inner.id,
            Language::English => &self.inner.en,
        }
    }

    /// Words that may stand in capitals in a text.
    pub(super) fn capitals(&self) -> &BTreeSet<String> {
        &self.inner.capitals
    }

    /// Present for every paper: a vocabulary in which one is missing is not loaded.
    fn paper(&self, document: Document) -> &Paper {
        &self.spoken().documents[&document]
    }

    fn address(
        &self,
        name: Option<&PersonName>,
        form: &ByChannel<Text>,
        channel: ChannelKind,
    ) -> String {
        // A name without any letter masks to nothing.
        match name.map(PersonName::masked).filter(|masked| !masked.is_empty()) {
            Some(masked) => self.fill(form.on(channel), &[("name", &masked)]),
            None => self.spoken().unnamed.on(channel).clone(),
        }
    }

    fn window_on(
        &self,
        channel: ChannelKind,
        from: Option<String>,
        to: Option<String>,
        zone: Zone,
    ) -> String {
        let inner = self.spoken();
        let zone = ("zone", zone.label());
        match (from, to) {
            (Some(from), Some(to)) => {
                self.fill(inner.between.on(channel), &[("from", &from), ("to", &to), zone])
            }
            (Some(from), None) => self.fill(inner.from.on(channel), &[("from", &from), zone]),
            (None, Some(to)) => self.fill(inner.until.on(channel), &[("to", &to), zone]),
            (None, None) => inner.no_window.on(channel).clone(),
        }
    }

    fn fill(&self, text: &Text, values: &[(&str, &str)]) -> String {
        // Each phrase was tried with these very names when it was loaded. Should it fail all the
        // same, the empty value makes the renderer refuse the message, naming the placeholder.
        self.inner.engine.fill(text, &values.iter().copied().collect()).unwrap_or_default()
    }
}

fn full_time(time: NaiveTime) -> String {
    time.format("%H.%M").to_string()
}

fn short_time(time: NaiveTime) -> String {
    let format = if time.minute() == 0 { "%H" } else { "%H.%M" };
    time.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::folder;

    const CONTENT: &str = include_str!("../../../message_templates/vocabulary.toml");

    fn vocabulary() -> Vocabulary {
        Vocabulary::parse(folder::embedded().get(FILE), &mut Vec::new()).unwrap()
    }

    fn problems_with(from: &str, to: &str) -> String {
        assert!(CONTENT.contains(from), "{from}");
        let mut problems = Vec::new();
        let content = CONTENT.replacen(from, to, 1);
        assert!(Vocabulary::parse(Some(&content), &mut problems).is_none(), "{from} -> {to}");
        problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    }

    fn time(hour: u32, minute: u32) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(hour, minute, 0)
    }

    #[test]
    fn days_are_said_in_words() {
        let words = vocabulary();
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        assert_eq!(words.date(day), "Selasa, 24 November");
        assert_eq!(words.date_short(day), "Sel 24 Nov");
        assert_eq!(words.day(day), "24 November");
        assert_eq!(words.day_and_year(day), "24 November 2026");
        let sunday = NaiveDate::from_ymd_opt(2027, 1, 3).unwrap();
        assert_eq!(words.date(sunday), "Minggu, 3 Januari");
    }

    #[test]
    fn the_same_is_said_in_english_to_who_reads_that() {
        let words = vocabulary().speaking(Language::English);
        let day = NaiveDate::from_ymd_opt(2027, 5, 9).unwrap();
        assert_eq!(words.date(day), "Sunday, 9 May");
        assert_eq!(words.date_short(day), "Sun 9 May");
        assert_eq!(words.day_and_year(day), "9 May 2027");
        assert_eq!(words.window(time(9, 0), time(12, 0), Zone::Wib), "09.00–12.00 WIB");
        assert_eq!(words.document(Document::AktaLahir, ChannelKind::Whatsapp), "Birth certificate");
        assert!(words.status(CardStatus::Printed).starts_with("printed"));
        assert_eq!(words.addressee(None, ChannelKind::Whatsapp), "Sir/Madam");
    }

    #[test]
    fn hours_are_said_with_the_zone_and_may_be_half_known() {
        let words = vocabulary();
        let (nine, noon, half) = (time(9, 0), time(12, 0), time(9, 30));
        assert_eq!(words.window(nine, noon, Zone::Wib), "pukul 09.00–12.00 WIB");
        assert_eq!(words.window_short(nine, noon, Zone::Wib), "09-12 WIB");
        assert_eq!(words.window_short(half, noon, Zone::Wita), "09.30-12 WITA");
        assert_eq!(words.window(half, None, Zone::Wit), "mulai pukul 09.30 WIT");
        assert_eq!(words.window(None, noon, Zone::Wib), "sebelum pukul 12.00 WIB");
        assert_eq!(words.window(None, None, Zone::Wib), "pada jam kerja");
        assert_eq!(words.window_short(None, None, Zone::Wib), "jam kerja");
    }

    #[test]
    fn people_are_addressed_by_their_masked_name_if_they_have_one() {
        let words = vocabulary();
        let siti = PersonName::parse("SITI AMINAH");
        let digits = PersonName::parse("123");
        let (chat, sms) = (ChannelKind::Telegram, ChannelKind::Sms);
        assert_eq!(words.addressee(siti.as_ref(), chat), "Bapak/Ibu Siti A.");
        assert_eq!(words.addressee(siti.as_ref(), sms), "Bpk/Ibu Siti A.");
        assert_eq!(words.addressee(digits.as_ref(), chat), "Bapak/Ibu");
        assert_eq!(words.addressee(None, sms), "Bpk/Ibu");
        let child = words.addressee_for(Document::Kia, siti.as_ref(), chat);
        assert_eq!(child, "keluarga Siti A.");
        assert_eq!(words.addressee_for(Document::Kia, None, chat), "Bapak/Ibu");
        assert_eq!(words.addressee_for(Document::Kk, siti.as_ref(), chat), "Bapak/Ibu Siti A.");
    }

    #[test]
    fn states_and_papers_have_words() {
        let words = vocabulary();
        assert!(words.status(CardStatus::Printed).starts_with("sudah dicetak"));
        assert_eq!(words.document(Document::Kia, ChannelKind::Sms), "KIA");
        assert!(words.bring(Document::KtpEl, ChannelKind::Whatsapp).contains("KTP lama"));
        for &document in Document::ALL {
            let bring = words.bring(document, ChannelKind::Whatsapp);
            assert_eq!(bring.contains("KTP lama"), document == Document::KtpEl, "{document}");
        }
    }

    #[test]
    fn what_a_neighbour_may_read_tells_a_double_record_from_no_other_state_at_the_office() {
        let words = vocabulary();
        assert_eq!(words.status(CardStatus::Duplicate), words.status(CardStatus::Adjudicated));
    }

    #[test]
    fn a_damaged_vocabulary_is_refused_with_the_place_of_the_fault() {
        for (from, to, expected) in [
            ("issued = ", "handed_over = ", "statuses.handed_over is not known"),
            ("issued = ", "handed_over = ", "statuses.issued is missing"),
            ("[documents.kia]", "[documents.kartu]", "documents.kia is missing"),
            ("\"Senin\", ", "", "vocabulary.toml:"),
            (
                "\"Senin\"",
                "\"{{ day }}\"",
                "date.weekdays for SMS): its placeholders must be: no placeholder",
            ),
            (
                "{{ day }} {{ month }}\"",
                "{{ day }}\"",
                "date.short): its placeholders must be: weekday, day, month",
            ),
            (
                "Bapak/Ibu {{ name }}",
                "Bapak/Ibu {{ nama }}",
                "addressee.named): its placeholders must be: name",
            ),
            ("Bpk/Ibu {{ name }}", "Bpk‑Ibu 🙂 {{ name }}", "makes an SMS short and dear"),
            ("sudah diserahkan", "SUDAH diserahkan", "SUDAH in capitals"),
            ("issued = \"handed over\"", "", "en.statuses.issued is missing"),
            ("\"Sunday\"", "\"{{ day }}\"", "en.date.weekdays for SMS): its placeholders must be"),
            ("sudah diserahkan", "", "the text is empty"),
            ("[unknown]", "[unknown]\nspeed = \"x\"", "unknown field `speed`"),
            ("unnamed = {", "unnamed = { x = \"y\",", "expected a text, or {"),
            ("= \"family\"", "= \"nobody\"", "unknown variant `nobody`"),
        ] {
            let found = problems_with(from, to);
            assert!(found.contains(expected), "{from} -> {to}: {found}");
        }
    }
}
