//! The words of a broadcast: the office's approved template around a notice, its SMS, and what officers read
//! about states, timetables and why somebody is left out.
//!
//! Checked when it is loaded, with the longest notice there can be; what a notice says is the officer's.

use std::collections::BTreeMap;

use chrono::Timelike as _;
use serde::Deserialize;

use super::announcement::{Sample, Wording};
use super::by_channel::ByChannel;
use super::check;
use super::folder::Files;
use super::problem::Problem;
use super::render::{RenderError, Rendered, fill};
use super::segment::{segments, to_gsm};
use super::text::{Engine, Text};
use super::vocabulary::Vocabulary;
use super::writing;
use crate::domain::area::Zone;
use crate::domain::attachment::{FileKind, FileRefusal};
use crate::domain::broadcast::{Alarm, BroadcastState, LeftOut, Notice, Schedule};
use crate::domain::message::ChannelKind;
use crate::domain::timetable::Timetable;

const FOLDER: &str = "broadcasts/sosialisasi";
const WORDS: &str = "broadcasts/words.toml";
const FILLED: &[&str] = &["office", "place", "text", "time", "title"];
/// Longest name an office may have, as its configuration takes it.
const OFFICE_CHARS: usize = 100;
/// Longest value of a placeholder: the notice itself, and the dot that an SMS may add.
const VALUE_CHARS: usize = Notice::LONGEST[1] + 1;

/// The template of broadcasts and the words about them.
#[derive(Debug)]
pub struct BroadcastTemplate {
    /// What it is for.
    pub purpose: String,
    /// Meta's code of its language.
    pub language: String,
    /// Meta's category of it.
    pub category: String,
    /// The line below the body on WhatsApp.
    pub footer: Option<String>,
    picture: Option<String>,
    document: Option<String>,
    /// Values to try it with, and to show to Meta.
    pub samples: Vec<Sample>,
    wording: Wording,
    absent: Absent,
    words: Words,
    phrases: Phrases,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    purpose: String,
    whatsapp: MetaWhatsapp,
    placeholders: BTreeMap<String, String>,
    absent: Absent,
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaWhatsapp {
    name: String,
    language: String,
    category: String,
    footer: Option<String>,
    /// The same template with a picture as its header.
    picture: Option<String>,
    /// The same template with a PDF as its header.
    document: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Absent {
    time: ByChannel<String>,
    place: ByChannel<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    states: BTreeMap<String, String>,
    schedule: BTreeMap<String, String>,
    left_out: BTreeMap<String, String>,
    alarms: BTreeMap<String, AlarmWords>,
    file: BTreeMap<String, String>,
}

/// Why a broadcast holds itself, and what to do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmWords {
    /// What is wrong.
    pub what: String,
    /// What to do next.
    pub next: String,
}

#[derive(Debug)]
struct Phrases {
    once: Text,
    daily: Text,
    weekly: Text,
    monthly: Text,
    other: Text,
}

impl BroadcastTemplate {
    /// Name of the WhatsApp template.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.wording.template
    }

    /// The body as it is registered with Meta, with named parameters.
    #[must_use]
    pub fn whatsapp_body(&self) -> String {
        self.wording.whatsapp_body()
    }

    /// Name of the WhatsApp template that has such a file as its header.
    #[must_use]
    pub fn with_file(&self, kind: FileKind) -> Option<&str> {
        if kind.is_picture() { self.picture.as_deref() } else { self.document.as_deref() }
    }

    /// Why a file cannot be sent on WhatsApp, in words.
    #[must_use]
    pub fn file_refusal(&self, refusal: FileRefusal) -> &str {
        self.words.file.get(refusal.as_str()).map_or("", String::as_str)
    }

    /// That an SMS brings no file, in words.
    #[must_use]
    pub fn sms_without_file(&self) -> &str {
        self.words.file.get("sms").map_or("", String::as_str)
    }

    /// A state in words.
    #[must_use]
    pub fn state(&self, state: BroadcastState) -> &str {
        self.words.states.get(state.as_str()).map_or("", String::as_str)
    }

    /// Why somebody is left out, in words.
    #[must_use]
    pub fn left_out(&self, reason: LeftOut) -> &str {
        self.words.left_out.get(reason.as_str()).map_or("", String::as_str)
    }

    /// Why a broadcast holds itself, and what to do.
    #[must_use]
    pub fn alarm(&self, alarm: Alarm) -> &AlarmWords {
        // Present for every alarm: words in which one is missing are not loaded.
        &self.words.alarms[alarm.as_str()]
    }
}

/// Fills the template with a notice. An SMS ends with how to stop, whatever it costs; the words for that are
/// others where the sender takes no answers.
pub(super) fn render(
    engine: &Engine,
    template: &BroadcastTemplate,
    vocabulary: &Vocabulary,
    (office, notice): (&str, &Notice),
    (channel, takes_answers): (ChannelKind, bool),
) -> Result<Rendered, RenderError> {
    let absent = &template.absent;
    let or = |given: &Option<String>, absent: &ByChannel<String>| {
        given.clone().unwrap_or_else(|| absent.on(channel).clone())
    };
    // The words around a value bring their own dot.
    let without_dot = |text: &str| text.trim_end_matches(['.', ' ']).to_owned();
    let mut text = notice.text.clone();
    if channel == ChannelKind::Sms && !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    let values = BTreeMap::from([
        ("office", office.to_owned()),
        ("title", without_dot(&notice.title)),
        ("text", text),
        ("time", without_dot(&or(&notice.time, &absent.time))),
        ("place", without_dot(&or(&notice.place, &absent.place))),
    ]);
    let wording = &template.wording;
    let text = wording.texts.on(channel);
    let mut rendered = fill(engine, text, wording, channel, &values, VALUE_CHARS)?;
    if channel == ChannelKind::Sms {
        rendered.text = to_gsm(&vocabulary.and_stop(&rendered.text, takes_answers));
        rendered.segments = Some(segments(&rendered.text));
    }
    Ok(rendered)
}

/// A schedule in words.
pub(super) fn schedule_words(
    engine: &Engine,
    template: &BroadcastTemplate,
    vocabulary: &Vocabulary,
    schedule: &Schedule,
    zone: Zone,
) -> String {
    let phrases = &template.phrases;
    let say = |text: &Text, values: &[(&str, String)]| {
        let values: BTreeMap<&str, String> = values.iter().cloned().collect();
        // Each phrase was tried with these very names when it was loaded.
        engine.fill(text, &values).unwrap_or_default()
    };
    let zone_label = ("zone", zone.label().to_owned());
    match schedule {
        Schedule::Now => template.words.schedule.get("now").cloned().unwrap_or_default(),
        Schedule::At(at) => {
            let local = at.in_zone(zone.offset());
            let time = format!("{:02}.{:02}", local.hour(), local.minute());
            let date = vocabulary.date(local.date_naive());
            say(&phrases.once, &[("date", date), ("time", time), zone_label])
        }
        Schedule::Timetable(timetable) => {
            let (hour, minute) = timetable.hour_and_minute();
            let time = ("time", format!("{hour:02}.{minute:02}"));
            let and = template.words.schedule.get("and").map_or("", String::as_str);
            match days(timetable) {
                Days::All => say(&phrases.daily, &[time, zone_label]),
                Days::Weekdays(days) => {
                    let names =
                        days.iter().map(|day| vocabulary.weekday(*day).to_owned()).collect();
                    say(&phrases.weekly, &[("weekdays", listed(names, and)), time, zone_label])
                }
                Days::OfMonth(days) => {
                    let numbers = days.iter().map(ToString::to_string).collect();
                    say(&phrases.monthly, &[("days", listed(numbers, and)), time, zone_label])
                }
                Days::Other => {
                    say(&phrases.other, &[("cron", timetable.to_string()), time, zone_label])
                }
            }
        }
    }
}

enum Days {
    All,
    Weekdays(Vec<usize>),
    OfMonth(Vec<u32>),
    Other,
}

fn days(timetable: &Timetable) -> Days {
    match (timetable.weekdays(), timetable.days(), timetable.months()) {
        (None, None, None) => Days::All,
        (Some(days), None, None) => Days::Weekdays(days),
        (None, Some(days), None) => Days::OfMonth(days),
        _ => Days::Other,
    }
}

/// `Senin, Rabu dan Jumat`.
fn listed(mut words: Vec<String>, and: &str) -> String {
    match (words.pop(), words.is_empty()) {
        (None, _) => String::new(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} {and} {last}", words.join(", ")),
    }
}

/// Reads and checks the folder of broadcasts and takes its files out of `files`.
pub(super) fn read(
    files: &mut Files,
    vocabulary: Option<&Vocabulary>,
    engine: &mut Engine,
    problems: &mut Vec<Problem>,
) -> Option<BroadcastTemplate> {
    let meta: Option<Meta> = parse(files, &format!("{FOLDER}/meta.toml"), problems);
    let words: Option<Words> = parse(files, WORDS, problems);
    let text = read_text(files, "id.txt", engine, problems);
    let sms = read_text(files, "id.sms.txt", engine, problems);
    let (meta, words, text, sms) = (meta?, words?, text?, sms?);
    let phrases = phrases(&words, engine, problems)?;
    check_words(&words, problems);
    let template = BroadcastTemplate {
        purpose: meta.purpose,
        language: meta.whatsapp.language,
        category: meta.whatsapp.category,
        footer: meta.whatsapp.footer,
        picture: meta.whatsapp.picture,
        document: meta.whatsapp.document,
        samples: meta.samples,
        wording: Wording {
            template: meta.whatsapp.name,
            texts: ByChannel { text, sms },
            buttons: Vec::new(),
        },
        absent: meta.absent,
        words,
        phrases,
    };
    check_template(&template, &meta.placeholders, vocabulary, engine, problems);
    Some(template)
}

fn parse<T: serde::de::DeserializeOwned>(
    files: &mut Files,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let Some(content) = files.remove(path) else {
        problems.push(Problem::new(path, "the file is missing", "broadcasts need it"));
        return None;
    };
    toml::from_str(&content)
        .map_err(|error| problems.push(Problem::of_toml(path, &content, &error)))
        .ok()
}

fn read_text(
    files: &mut Files,
    file: &str,
    engine: &mut Engine,
    problems: &mut Vec<Problem>,
) -> Option<Text> {
    let path = format!("{FOLDER}/{file}");
    let Some(content) = files.remove(&path) else {
        problems.push(Problem::new(&path, "the file is missing", "broadcasts need it"));
        return None;
    };
    let text = Text::parse(&path, &content, problems);
    engine.add(&text, problems);
    Some(text)
}

fn phrases(words: &Words, engine: &mut Engine, problems: &mut Vec<Problem>) -> Option<Phrases> {
    let mut phrase = |name: &str, values: &[&str]| {
        let Some(source) = words.schedule.get(name) else {
            let what = format!("schedule.{name} is missing");
            problems.push(Problem::new(WORDS, what, "say that timetable in words"));
            return None;
        };
        let text = Text::parse(&format!("{WORDS}#{name}"), source, problems);
        for used in text.placeholders().into_iter().filter(|used| !values.contains(used)) {
            let what = format!("schedule.{name} has a placeholder {used} that never gets a value");
            problems.push(Problem::new(WORDS, what, values.join(", ")));
        }
        engine.add(&text, problems);
        Some(text)
    };
    let found = [
        phrase("once", &["date", "time", "zone"]),
        phrase("daily", &["time", "zone"]),
        phrase("weekly", &["weekdays", "time", "zone"]),
        phrase("monthly", &["days", "time", "zone"]),
        phrase("other", &["cron", "time", "zone"]),
    ];
    let [once, daily, weekly, monthly, other] = found;
    Some(Phrases { once: once?, daily: daily?, weekly: weekly?, monthly: monthly?, other: other? })
}

fn check_words(words: &Words, problems: &mut Vec<Problem>) {
    let mut has = |section: &str, name: &str, is_there: bool| {
        if !is_there {
            let what = format!("{section}.{name} is missing or empty");
            problems.push(Problem::new(WORDS, what, "officers read it; say it in a few words"));
        }
    };
    let is_said = |map: &BTreeMap<String, String>, name: &str| {
        map.get(name).is_some_and(|w| !w.trim().is_empty())
    };
    for state in BroadcastState::ALL {
        has("states", state.as_str(), is_said(&words.states, state.as_str()));
    }
    for reason in LeftOut::ALL {
        has("left_out", reason.as_str(), is_said(&words.left_out, reason.as_str()));
    }
    for alarm in Alarm::ALL {
        let said = words.alarms.get(alarm.as_str());
        let is_whole = said.is_some_and(|w| !w.what.trim().is_empty() && !w.next.trim().is_empty());
        has("alarms", alarm.as_str(), is_whole);
    }
    let refusals = FileRefusal::ALL.iter().map(|refusal| refusal.as_str());
    for name in refusals.chain(["sms"]) {
        has("file", name, is_said(&words.file, name));
    }
    for name in ["now", "and"] {
        has("schedule", name, is_said(&words.schedule, name));
    }
}

fn check_template(
    template: &BroadcastTemplate,
    declared: &BTreeMap<String, String>,
    vocabulary: Option<&Vocabulary>,
    engine: &Engine,
    problems: &mut Vec<Problem>,
) {
    let meta = format!("{FOLDER}/meta.toml");
    let capitals = vocabulary.map(Vocabulary::capitals);
    let texts = &template.wording.texts;
    for name in [&template.picture, &template.document].into_iter().flatten() {
        check::name(&meta, name, problems);
        if *name == template.wording.template {
            let what = format!("{name} stands for two templates");
            problems.push(Problem::new(&meta, what, "one with a header has a name of its own"));
        }
    }
    check::name(&meta, &template.wording.template, problems);
    check::whatsapp(&texts.text, problems);
    for text in [&texts.text, &texts.sms] {
        writing::check(text, capitals, problems);
        let used = text.placeholders();
        for name in FILLED {
            if !used.contains(name) || !declared.contains_key(*name) {
                let what = format!("the placeholder {name} is not declared and used");
                problems.push(Problem::new(
                    text.file(),
                    what,
                    "a notice has it; say where it stands",
                ));
            }
        }
        for name in used.iter().filter(|name| !FILLED.contains(name)) {
            let what = format!("the placeholder {name} never gets a value");
            problems.push(Problem::new(
                text.file(),
                what,
                format!("there are {}", FILLED.join(", ")),
            ));
        }
    }
    let mut report = |what: &str, hint: &str| problems.push(Problem::new(&meta, what, hint));
    if template.language != "id" {
        report("the language is not \"id\"", "texts in id.txt are \"id\"");
    }
    if template.category != "marketing" {
        report("the category is not \"marketing\"", "Meta counts unasked notices as such");
    }
    if template.samples.len() < 2 {
        report("fewer than two samples", "give two at least, one of them with long values");
    }
    if template
        .footer
        .as_ref()
        .is_some_and(|footer| footer.chars().count() > check::MAX_FOOTER_CHARS)
    {
        report("the footer is too long", "60 characters at most");
    }
    if !texts.text.source().contains("BERHENTI") {
        report("id.txt does not say how to stop", "end it with how to answer BERHENTI");
    }
    let Some(vocabulary) = vocabulary else { return };
    let [title, text, place, time] = Notice::LONGEST.map(|chars| "x".repeat(chars));
    let longest = Notice { title, text, place: Some(place), time: Some(time) };
    let office = "x".repeat(OFFICE_CHARS);
    for &channel in ChannelKind::ALL {
        let rendered = render(engine, template, vocabulary, (&office, &longest), (channel, true));
        if let Err(error) = rendered {
            let what = format!("the longest notice does not fit on {channel}: {error}");
            report(&what, "shorten the words around it; 1,024 characters is all there is");
        }
    }
    for (number, sample) in (1..).zip(&template.samples) {
        let values = sample.values(ChannelKind::Whatsapp);
        if FILLED.iter().any(|name| !values.contains_key(name)) || values.len() != FILLED.len() {
            let what = format!("sample {number} does not have a value for every placeholder");
            report(&what, &format!("there are {}", FILLED.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::template::{Templates, folder};

    fn templates() -> Templates {
        Templates::embedded().unwrap()
    }

    fn notice() -> Notice {
        Notice::parse("perekaman KTP-el.", "Bawa fotokopi KK", "Balai Desa Jabon", "").unwrap()
    }

    #[test]
    fn a_notice_is_told_on_every_channel_and_ends_with_how_to_stop() {
        let templates = templates();
        let say = |channel, answers| {
            templates.render_broadcast("Dukcapil", &notice(), channel, answers).unwrap()
        };
        let chat = say(ChannelKind::Whatsapp, true);
        assert!(chat.text.contains("tentang perekaman KTP-el.\n"), "{}", chat.text);
        assert!(chat.text.contains("Waktu: hari kerja pada jam kantor"));
        assert!(chat.text.ends_with("Balas BERHENTI bila tidak ingin menerima pengumuman lagi."));
        assert!(chat.params.iter().all(|(_, value)| !value.contains(['\n', '\t'])));
        let sms = say(ChannelKind::Sms, true);
        assert!(sms.text.ends_with("Gratis. Berhenti? Balas STOP"), "{}", sms.text);
        let sms = say(ChannelKind::Sms, false);
        assert!(sms.text.ends_with("Berhenti? Hubungi kantor desa"), "{}", sms.text);
        assert_eq!(sms.segments.unwrap().parts, 1);
    }

    #[test]
    fn a_timetable_is_said_in_words() {
        let templates = templates();
        let say = |line| {
            let schedule = Schedule::Timetable(Timetable::parse(line).unwrap());
            templates.schedule_words(&schedule, Zone::Wib)
        };
        assert_eq!(say("0 8 * * *"), "setiap hari pukul 08.00 WIB");
        assert_eq!(say("30 8 * * MON"), "setiap Senin pukul 08.30 WIB");
        assert_eq!(say("0 8 * * FRI,MON,WED"), "setiap Senin, Rabu dan Jumat pukul 08.00 WIB");
        assert_eq!(say("0 9 1,15 * *"), "setiap tanggal 1 dan 15 pukul 09.00 WIB");
        assert_eq!(say("0 9 1 1 *"), "sesuai jadwal 0 9 1 1 *, pukul 09.00 WIB");
        let at = Schedule::At(Timestamp::from_ms(1_795_237_200_000));
        assert_eq!(
            templates.schedule_words(&at, Zone::Wit),
            "sekali, Sabtu, 21 November, pukul 14.00 WIT"
        );
    }

    #[track_caller]
    fn refused(file: &str, from: &str, to: &str, expected: &str) {
        let mut files = folder::embedded();
        let content = files.get_mut(&format!("broadcasts/{file}")).unwrap();
        assert!(content.contains(from), "{from:?} is not in {file}");
        *content = content.replacen(from, to, 1);
        let found = Templates::from_files(files, None, Vec::new());
        let found: Vec<String> =
            found.err().into_iter().flatten().map(|problem| problem.to_string()).collect();
        assert!(
            found.iter().any(|p| p.contains(expected)),
            "expected {expected:?}, found {found:#?}"
        );
    }

    #[test]
    fn what_is_wrong_with_the_folder_is_said() {
        refused("sosialisasi/id.txt", "BERHENTI", "saja", "does not say how to stop");
        refused(
            "sosialisasi/id.txt",
            "{{ place }}",
            "balai",
            "the placeholder place is not declared and used",
        );
        refused(
            "sosialisasi/id.txt",
            "Waktu:",
            &"kata ".repeat(40),
            "the longest notice does not fit",
        );
        refused("sosialisasi/meta.toml", "\"marketing\"", "\"utility\"", "the category");
        refused(
            "sosialisasi/meta.toml",
            "kabar_sosialisasi_v1",
            "Kabar",
            "no WhatsApp template name",
        );
        refused("words.toml", "shared = ", "share = ", "left_out.shared is missing");
        refused("words.toml", "[alarms.quality]", "[alarms.mutu]", "alarms.quality is missing");
        refused("words.toml", "{{ weekdays }}", "{{ hari }}", "hari that never gets a value");
    }
}
