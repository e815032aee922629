//! Everything the conversation can say, loaded and checked at once.
//!
//! Answers, lines, buttons, and the examples from which the understanding is trained. A script
//! that loads has a text for every label and every line; nothing is checked again later.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use serde::Deserialize;

use super::answer::{Answer, MAX_BUTTON};
use super::command;
use super::embedded::{FILES, VOCABULARY};
use super::line::{Holes, Line, LineSample, LineText, render};
use super::local::{Locals, LocalsLoading, Stale, Variant, is_stale};
use super::own::OwnAnswer;
use super::picked::{Button, Picked};
use super::place::{PlaceWords, PointFact};
use super::question;
use super::visit::{self, Papers};
use super::wording::{self, Wish};
use crate::domain::area::AreaCode;
use crate::domain::day_words::{DayNames, DayWords};
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Choice;

/// Longest text beside a command in Telegram's menu that no phone cuts.
const MAX_MENU_TEXT: usize = 60;
/// Most entries of a list on WhatsApp.
pub(super) const MAX_CHOICES: usize = 10;

/// Labels that the conversation answers by itself; all others need an answer file.
const CONVERSATION: &[&str] = &[
    "status_card",
    "clarify_topic",
    "subscribe",
    "stop",
    "greeting",
    "thanks",
    "ack",
    "help_capabilities",
    "out_of_scope",
];

/// The loaded script.
#[derive(Clone, Debug)]
pub struct Script {
    answers: BTreeMap<String, Answer>,
    locals: Locals,
    place: PlaceWords,
    lines: BTreeMap<Line, LineText>,
    buttons: BTreeMap<(Button, Language), String>,
    requirements: Vec<String>,
    /// (label, example); a topic's label carries what to offer.
    examples: Vec<(String, String)>,
    spelling: String,
    menu: Vec<MenuEntry>,
    papers: Papers,
}

/// Something that the office tells without being asked in that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// An officer ended the talk.
    HumanClosed,
    /// An officer is done with a complaint.
    ComplaintClosed,
    /// The office dealt with a request to delete.
    DeletionClosed,
}

/// A line of the menu that Telegram shows for a bot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MenuEntry {
    command: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MenuFile {
    menu: Vec<MenuEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinesFile {
    #[serde(default)]
    requirements: Vec<String>,
    line: BTreeMap<String, LineText>,
}

/// Of the vocabulary only what is said of days.
#[derive(Deserialize)]
struct VocabularyFile {
    date: DayWords,
    en: VocabularyInEnglish,
}

#[derive(Deserialize)]
struct VocabularyInEnglish {
    date: DayWords,
}

#[derive(Deserialize)]
struct ButtonsFile {
    #[serde(default)]
    en: BTreeMap<String, String>,
    #[serde(flatten)]
    titles: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ExamplesFile {
    #[serde(default)]
    topic: Vec<Topic>,
    #[serde(flatten)]
    labels: BTreeMap<String, LabelExamples>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    offer: Vec<String>,
    examples: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelExamples {
    examples: Vec<String>,
}

impl Script {
    /// Reads `answers` and `dialogue` below the folder `message_templates`. `labels` are the words
    /// the understanding knows.
    ///
    /// # Errors
    /// Everything that is wrong, one entry each: the file, the problem, and what to do.
    pub fn load(dir: &Path, labels: &[&str]) -> Result<Self, Vec<String>> {
        let mut files = Vec::new();
        for folder in ["answers", "dialogue"] {
            files.extend(read_folder(dir, folder, "toml").map_err(|problem| vec![problem])?);
        }
        // A folder copied before there were questions still understands; what it has goes before.
        if dir.join(question::FOLDER).is_dir() {
            let questions = read_folder(dir, question::FOLDER, "txt");
            files.extend(questions.map_err(|problem| vec![problem])?);
        }
        let built_in = question::FILES.iter().filter(|(name, _)| !dir.join(name).is_file());
        files.extend(built_in.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        files.extend(read_areas(dir).map_err(|problem| vec![problem])?);
        files.push(read_vocabulary(dir).map_err(|problem| vec![problem])?);
        Self::from_files(files.iter().map(|(name, text)| (name.as_str(), text.as_str())), labels)
    }

    /// The script that is compiled in.
    ///
    /// # Errors
    /// As [`Script::load`].
    pub fn embedded(labels: &[&str]) -> Result<Self, Vec<String>> {
        let files = FILES.iter().chain(question::FILES).chain([&VOCABULARY]).copied();
        Self::from_files(files, labels)
    }

    /// Pairs of label and example question, for training the understanding.
    pub fn examples(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.examples.iter().map(|(label, text)| (label.as_str(), text.as_str()));
        self.answers
            .values()
            .flat_map(|a| a.examples.iter().map(|text| (a.intent.as_str(), text.as_str())))
            .chain(own)
    }

    /// The table of spellings, as its file holds it.
    #[must_use]
    pub fn spelling(&self) -> &str {
        &self.spelling
    }

    /// What stands in the menu of a Telegram bot: commands without the slash, and what each is for.
    #[must_use]
    pub fn menu(&self) -> Vec<(String, String)> {
        self.menu.iter().map(|entry| (entry.command.clone(), entry.text.clone())).collect()
    }

    /// The answer to a label; nothing for those the conversation answers by itself.
    #[must_use]
    pub fn answer(&self, label: &str) -> Option<&Answer> {
        self.answers.get(label)
    }

    /// What a citizen of an area reads in answer to a label, short enough for a phone; where the
    /// area has a rule of its own, that one.
    #[must_use]
    pub fn answer_in(
        &self,
        label: &str,
        area: &AreaCode,
        channel: ChannelKind,
        language: Language,
        office: &str,
    ) -> Option<String> {
        let wish = Wish { is_full: false, is_sms: channel == ChannelKind::Sms, language };
        self.locals.text(self.answers.get(label)?, area, Some(office), wish)
    }

    /// The same with everything that is known: steps, names of forms, the law, who says so and when
    /// that was looked up. For SMS it may take three messages.
    #[must_use]
    pub fn answer_full(
        &self,
        label: &str,
        area: &AreaCode,
        channel: ChannelKind,
        language: Language,
    ) -> Option<String> {
        let wish = Wish { is_full: true, is_sms: channel == ChannelKind::Sms, language };
        self.locals.text(self.answers.get(label)?, area, None, wish)
    }

    /// Every answer, by its label.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.answers.values()
    }

    /// What areas say otherwise of an answer, the widest first.
    #[must_use]
    pub fn variants(&self, label: &str) -> Vec<Variant> {
        self.locals.variants(label)
    }

    /// Whether what was looked up on that day should be looked up again.
    #[must_use]
    pub fn is_stale(checked_on: NaiveDate, today: NaiveDate) -> bool {
        is_stale(checked_on, today)
    }

    /// The parts of an answer as they hold in an area: what an officer begins with who puts it into the office's
    /// own words.
    #[must_use]
    pub fn parts(&self, label: &str, area: &AreaCode) -> Option<OwnAnswer> {
        Some(self.locals.parts(self.answers.get(label)?, area))
    }

    /// The same script with the office's own words laid over its answers; of what is no answer, nothing. `name` is
    /// what the area is called.
    #[must_use]
    pub fn with_own<'a>(
        &self,
        area: &AreaCode,
        name: Option<&str>,
        own: impl Iterator<Item = (&'a str, &'a OwnAnswer)>,
    ) -> Self {
        let mut script = self.clone();
        for (label, own) in own.filter(|(label, _)| self.answers.contains_key(*label)) {
            script.locals.add_own(label, area, own, name.map(str::to_owned));
        }
        script
    }

    /// What is wrong with the office's own words for an answer, in any form; the rules are those of the files.
    #[must_use]
    pub fn own_faults(&self, area: &AreaCode, label: &str, own: &OwnAnswer) -> Vec<String> {
        let mut faults = own.faults();
        if let (true, Some(answer)) = (faults.is_empty(), self.answers.get(label)) {
            let script = self.with_own(area, None, std::iter::once((label, own)));
            let known = self.locals.faults(answer);
            let new = script.locals.faults(answer).into_iter().filter(|one| !known.contains(one));
            faults.extend(new.map(|(_, what)| what));
        }
        faults
    }

    /// Every line of the conversation, filled with a sample, with what stands on its buttons.
    #[must_use]
    pub fn line_samples(&self, language: Language) -> Vec<LineSample> {
        let titles = |text: &LineText| {
            let buttons = text.choices.iter().filter_map(|word| word.parse().ok());
            buttons.map(|button| self.button(button, language).title).collect()
        };
        self.lines.iter().map(|(line, text)| text.sample(*line, language, titles(text))).collect()
    }

    /// Answers and rules of areas that nobody has looked up for a year.
    #[must_use]
    pub fn stale(&self, today: NaiveDate) -> Vec<Stale> {
        self.locals.stale(self.answers.values(), today)
    }

    /// How many answers there are, and how many rules of areas.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.answers.len(), self.locals.count())
    }

    /// Areas that have rules of their own.
    #[must_use]
    pub fn local_areas(&self) -> BTreeSet<AreaCode> {
        self.locals.areas()
    }

    /// What areas are called, for rules whose file does not say it.
    pub fn name_areas(&mut self, names: BTreeMap<AreaCode, String>) {
        self.locals.name(names);
    }

    /// The words about places.
    pub(super) fn place(&self) -> &PlaceWords {
        &self.place
    }

    /// What is said of one place to whoever asks when it is open, for showing it beforehand.
    #[must_use]
    pub fn hours_of(&self, point: &PointFact, language: Language) -> String {
        self.place.hours(point, language)
    }

    /// A line filled in for somebody outside of a turn, such as by an officer.
    #[must_use]
    pub fn note(
        &self,
        note: Note,
        number: &str,
        language: Language,
        channel: ChannelKind,
    ) -> String {
        let line = match note {
            Note::HumanClosed => Line::HumanClosed,
            Note::ComplaintClosed => Line::ComplaintClosed,
            Note::DeletionClosed => Line::DeletionClosed,
        };
        let holes = Holes { number, ..Holes::default() };
        self.line(line)
            .and_then(|text| render(text.source(channel == ChannelKind::Sms, language), holes).ok())
            .unwrap_or_default()
    }

    pub(super) fn line(&self, line: Line) -> Option<&LineText> {
        self.lines.get(&line)
    }

    pub(super) const fn locals(&self) -> &Locals {
        &self.locals
    }

    pub(super) fn papers(&self) -> &Papers {
        &self.papers
    }

    pub(super) fn requirements(&self) -> &[String] {
        &self.requirements
    }

    pub(super) fn button(&self, button: Button, language: Language) -> Choice {
        let titles = &self.buttons;
        let title = titles
            .get(&(button, language))
            .or_else(|| titles.get(&(button, Language::Indonesian)))
            .cloned()
            .unwrap_or_default();
        Choice { id: Picked::Button(button).id(), title }
    }

    /// How a label is offered; nothing for labels that nobody would pick.
    pub(super) fn offer_in(&self, label: &str, language: Language) -> Option<Choice> {
        if let Some(answer) = self.answers.get(label) {
            let id = Picked::Answer(label).id();
            let title = match language {
                Language::Indonesian => &answer.button,
                Language::English => &answer.button_en,
            };
            return Some(Choice { id, title: title.clone() });
        }
        match label {
            "status_card" => Some(self.button(Button::Status, language)),
            "help_capabilities" => Some(self.button(Button::Menu, language)),
            _ => None,
        }
    }

    fn from_files<'a>(
        files: impl Iterator<Item = (&'a str, &'a str)>,
        labels: &[&str],
    ) -> Result<Self, Vec<String>> {
        let mut loading = Loading::default();
        for (name, text) in files {
            match question::label_of(name) {
                Some(label) => loading.take_questions(name, label, text, labels),
                None => loading.take(name, text),
            }
        }
        loading.finish(labels)
    }
}

/// The words for days; those compiled in where the folder has none.
fn read_vocabulary(dir: &Path) -> Result<(String, String), String> {
    let (name, built_in) = VOCABULARY;
    let path = dir.join(name);
    if !path.is_file() {
        return Ok((name.to_owned(), built_in.to_owned()));
    }
    let text = std::fs::read_to_string(path);
    text.map(|text| (name.to_owned(), text))
        .map_err(|error| format!("{name}: cannot be read ({error}), check its permissions"))
}

/// The rules of areas, one folder each; there may be none.
fn read_areas(dir: &Path) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    let Ok(areas) = std::fs::read_dir(dir.join("answers/area")) else { return Ok(files) };
    for area in areas {
        let area = area.map_err(|error| {
            format!("answers/area: cannot be read ({error}), check its permissions")
        })?;
        let name = area.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        if area.path().is_dir() {
            files.extend(read_folder(dir, &format!("answers/area/{name}"), "toml")?);
        }
    }
    files.sort();
    Ok(files)
}

fn read_folder(dir: &Path, folder: &str, kind: &str) -> Result<Vec<(String, String)>, String> {
    let unreadable = |error: std::io::Error| {
        format!("{folder}: cannot be read ({error}), check the folder and its permissions")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir.join(folder)).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // Editors leave hidden files and copies beside the real ones.
        let is_meant = path.extension().is_some_and(|extension| extension == kind);
        if name.starts_with('.') || !is_meant {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        files.push((format!("{folder}/{name}"), text));
    }
    files.sort();
    Ok(files)
}

#[derive(Default)]
struct Loading {
    answers: BTreeMap<String, Answer>,
    locals: LocalsLoading,
    place: Option<PlaceWords>,
    days: DayNames,
    lines: BTreeMap<Line, LineText>,
    buttons: BTreeMap<(Button, Language), String>,
    requirements: Vec<String>,
    examples: Vec<(String, String)>,
    spelling: String,
    menu: Vec<MenuEntry>,
    papers: Papers,
    problems: Vec<String>,
}

impl Loading {
    fn take(&mut self, name: &str, text: &str) {
        let taken = match name {
            "dialogue/spelling.toml" => {
                text.clone_into(&mut self.spelling);
                toml::from_str::<toml::Table>(text).map(|_| ())
            }
            "dialogue/buttons.toml" => toml::from_str(text).map(|file| self.take_buttons(&file)),
            "dialogue/telegram.toml" => toml::from_str(text).map(|file| self.take_menu(file)),
            "dialogue/examples.toml" => toml::from_str(text).map(|file| self.take_examples(file)),
            _ if name == VOCABULARY.0 => toml::from_str(text).map(|file: VocabularyFile| {
                self.days = DayNames { id: file.date, en: file.en.date };
            }),
            wording::FILE => toml::from_str(text).map(|words| self.locals.wording = Some(words)),
            super::place::FILE => toml::from_str(text).map(|words| self.place = Some(words)),
            visit::FILE => toml::from_str(text).map(|papers| self.papers = papers),
            _ if LocalsLoading::is_rule(name) => toml::from_str(text).map(|local| {
                for fault in self.locals.take(name, local) {
                    self.problem(name, &fault);
                }
            }),
            _ if name.starts_with("answers/") => {
                toml::from_str(text).map(|answer| self.take_answer(name, answer))
            }
            _ => toml::from_str(text).map(|file| self.take_lines(name, file)),
        };
        if let Err(error) = taken {
            self.problem(name, &format!("{}, compare it with its neighbours", one_line(&error)));
        }
    }

    fn take_questions(&mut self, name: &str, label: &str, text: &str, labels: &[&str]) {
        match question::parse(label, text, labels) {
            Ok(pairs) => self.examples.extend(pairs),
            Err(faults) => {
                for fault in faults {
                    self.problem(name, &fault);
                }
            }
        }
    }

    fn take_answer(&mut self, name: &str, answer: Answer) {
        for fault in answer.faults() {
            self.problem(name, &fault);
        }
        self.locals.note(name, &answer.intent);
        if let Some(other) = self.answers.insert(answer.intent.clone(), answer) {
            self.problem(name, &format!("`{}` has two answers: remove one", other.intent));
        }
    }

    fn take_lines(&mut self, name: &str, file: LinesFile) {
        self.requirements.extend(file.requirements);
        for (word, text) in file.line {
            let Ok(line) = word.parse::<Line>() else {
                self.problem(name, &format!("`line.{word}` is not known: check its name"));
                continue;
            };
            for fault in text.faults() {
                self.problem(name, &format!("`line.{word}` {fault}"));
            }
            for button in text.choices.iter().filter(|b| b.parse::<Button>().is_err()) {
                self.problem(name, &format!("`line.{word}` offers `{button}`: no such button"));
            }
            if self.lines.insert(line, text).is_some() {
                self.problem(name, &format!("`line.{word}` stands twice: remove one"));
            }
        }
    }

    fn take_buttons(&mut self, file: &ButtonsFile) {
        let name = "dialogue/buttons.toml";
        let indonesian = file.titles.iter().map(|title| (Language::Indonesian, title));
        let english = file.en.iter().map(|title| (Language::English, title));
        for (language, (word, title)) in indonesian.chain(english) {
            match word.parse::<Button>() {
                Ok(button) if (1..=MAX_BUTTON).contains(&title.chars().count()) => {
                    self.buttons.insert((button, language), title.clone());
                }
                Ok(_) => {
                    self.problem(name, &format!("`{word}` must have 1 to {MAX_BUTTON} characters"));
                }
                Err(_) => self.problem(name, &format!("`{word}` is no button: check its name")),
            }
        }
    }

    fn take_menu(&mut self, file: MenuFile) {
        for entry in &file.menu {
            let is_obeyed = !entry.command.contains(['/', ' ', '@'])
                && command::parse(&format!("/{}", entry.command)).is_some();
            if !is_obeyed {
                let what = format!("`{}` is no command: check its name", entry.command);
                self.problem("dialogue/telegram.toml", &what);
            }
            if !(1..=MAX_MENU_TEXT).contains(&entry.text.chars().count()) {
                let what = format!("`{}` must have 1 to {MAX_MENU_TEXT} characters", entry.command);
                self.problem("dialogue/telegram.toml", &what);
            }
        }
        self.menu = file.menu;
    }

    fn take_examples(&mut self, file: ExamplesFile) {
        let name = "dialogue/examples.toml";
        for (label, list) in file.labels {
            if !CONVERSATION.contains(&label.as_str()) {
                self.problem(name, &format!("`{label}` is not answered by the conversation: put its examples into its answer"));
            }
            self.examples.extend(list.examples.into_iter().map(|text| (label.clone(), text)));
        }
        for topic in file.topic {
            if !(2..=3).contains(&topic.offer.len()) {
                self.problem(name, "a topic must offer two or three labels");
            }
            let label = format!("clarify_topic/{}", topic.offer.join("/"));
            self.examples.extend(topic.examples.into_iter().map(|text| (label.clone(), text)));
        }
    }

    fn finish(mut self, labels: &[&str]) -> Result<Script, Vec<String>> {
        self.check_labels(labels);
        let locals = match std::mem::take(&mut self.locals).finish(&self.answers, &self.days) {
            Ok(locals) => {
                let faults =
                    self.answers.values().flat_map(|a| locals.check_faults(a, &self.papers));
                let faults: Vec<(String, String)> = faults.collect();
                for (file, what) in faults {
                    self.problem(&file, &what);
                }
                Some(locals)
            }
            Err(problems) => {
                for (file, what) in problems {
                    self.problem(&file, &what);
                }
                None
            }
        };
        match &mut self.place {
            Some(words) => {
                words.name_days(&self.days);
                self.problems.extend(words.faults());
            }
            None => self.problem(super::place::FILE, "is missing or cannot be read: write it"),
        }
        for line in Line::ALL.iter().filter(|line| !self.lines.contains_key(line)) {
            self.problems.push(format!("dialogue: `line.{line}` is missing, write it"));
        }
        self.check_buttons();
        self.check_visits();
        if !(2..=MAX_CHOICES).contains(&self.requirements.len()) {
            self.problems.push(format!(
                "dialogue/menu.toml: `requirements` must list 2 to {MAX_CHOICES} labels"
            ));
        }
        if let (true, Some(locals), Some(mut place)) =
            (self.problems.is_empty(), locals, self.place)
        {
            place.learn(&self.spelling);
            let own = self.answers.values().flat_map(|answer| &answer.examples);
            for text in own.chain(self.examples.iter().map(|(_, text)| text)) {
                place.learn(text);
            }
            Ok(Script {
                answers: self.answers,
                locals,
                place,
                lines: self.lines,
                buttons: self.buttons,
                requirements: self.requirements,
                examples: self.examples,
                spelling: self.spelling,
                menu: self.menu,
                papers: self.papers,
            })
        } else {
            Err(self.problems)
        }
    }

    /// What is asked before a visit has words.
    fn check_visits(&mut self) {
        self.problems.extend(self.papers.faults());
        for answer in self.answers.values() {
            let faults = answer.visit.as_ref().map(|visit| visit.faults(&self.papers));
            let named = |fault| format!("answers: `{}` {fault}", answer.intent);
            self.problems.extend(faults.into_iter().flatten().map(named));
        }
    }

    /// Every button has words in every language, and no two say the same.
    fn check_buttons(&mut self) {
        let mut problems = Vec::new();
        for &language in Language::ALL {
            let file = "dialogue/buttons.toml";
            let has_title = |button: &Button| self.buttons.contains_key(&(*button, language));
            for button in Button::ALL.iter().filter(|button| !has_title(button)) {
                problems.push(format!("{file}: `{button}` is missing ({language}), write it"));
            }
            let of_answers = self.answers.values().map(|answer| match language {
                Language::Indonesian => &answer.button,
                Language::English => &answer.button_en,
            });
            let own = self.buttons.iter().filter(|((_, of), _)| *of == language);
            let mut titles = BTreeSet::new();
            for title in of_answers.chain(own.map(|(_, title)| title)) {
                if !titles.insert(title.to_lowercase()) {
                    let what = format!("two buttons say `{title}` ({language}), change one");
                    problems.push(format!("answers: {what}"));
                }
            }
        }
        self.problems.extend(problems);
    }

    fn check_labels(&mut self, labels: &[&str]) {
        let mut problems = Vec::new();
        for label in self.answers.keys().filter(|label| !labels.contains(&label.as_str())) {
            problems.push(format!("answers: `{label}` is no label, check `intent`"));
        }
        for label in labels {
            let is_conversation = CONVERSATION.contains(label);
            if is_conversation == self.answers.contains_key(*label) {
                problems.push(if is_conversation {
                    format!("answers: `{label}` is answered by the conversation, remove its file")
                } else {
                    format!("answers: `{label}` has no answer, write one")
                });
            }
            let has_examples = |(of, _): &(String, String)| of.split('/').next() == Some(*label);
            if is_conversation && !self.examples.iter().any(has_examples) {
                problems
                    .push(format!("dialogue/examples.toml: `{label}` has no examples, add some"));
            }
        }
        let offered = self.examples.iter().flat_map(|(label, _)| label.split('/').skip(1));
        let unknown: BTreeSet<&str> = offered
            .chain(self.requirements.iter().map(String::as_str))
            .filter(|label| *label != "status_card" && !self.answers.contains_key(*label))
            .collect();
        for label in unknown {
            problems.push(format!("dialogue: `{label}` is offered but has no answer, check it"));
        }
        self.problems.extend(problems);
    }

    fn problem(&mut self, file: &str, what: &str) {
        self.problems.push(format!("{file}: {what}"));
    }
}

/// The parser's message with its line number, without the excerpt it draws.
fn one_line(error: &toml::de::Error) -> String {
    error.to_string().lines().next().map_or_else(String::new, |first| {
        format!("{} ({})", first.trim_start_matches("TOML parse error "), error.message())
    })
}
