//! The answers as they hold for one area: which rules lie over which answer, in which words, and
//! what has not been looked up for long.
//!
//! Knows every rule of every area; an asker is told only those of their own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::answer::{Answer, Body, Local, LocalRule, day};
use super::own::OwnAnswer;
use super::visit::{Papers, check_faults};
use super::wording::{Rule, Wish, Wording};
use crate::domain::area::AreaCode;
use crate::domain::day_words::DayNames;

/// An answer older than this should be compared with its source again.
const STALE_AFTER: Days = Days::new(365);
/// A long name of an office, with which every text must still fit.
const LONG_OFFICE: &str =
    "Dinas Kependudukan dan Pencatatan Sipil Kabupaten Penukal Abab Lematang Ilir";
/// A long name of an area, for the same.
const LONG_AREA: &str = "Kabupaten Penukal Abab Lematang Ilir";
/// Where the rules of areas stand, below `message_templates`.
const FOLDER: &str = "answers/area/";

/// An answer or a rule that nobody has looked up for a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Its file, below `message_templates`.
    pub file: String,
    /// When it was last looked up.
    pub checked_on: NaiveDate,
}

/// What an area says otherwise of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Which area.
    pub area: AreaCode,
    /// What it is called, if that is known.
    pub name: Option<String>,
    /// Who says so.
    pub source: String,
    /// When that was last looked up.
    pub checked_on: Option<NaiveDate>,
    /// Whether it is the office's own words from the console.
    pub is_own: bool,
}

/// Whether what was looked up on a day should be looked up again.
pub(super) fn is_stale(checked_on: NaiveDate, today: NaiveDate) -> bool {
    checked_on.checked_add_days(STALE_AFTER).is_some_and(|end| end < today)
}

/// The rules of areas, and the words in which answers are told.
#[derive(Clone, Debug)]
pub(super) struct Locals {
    /// By label, the widest area first.
    rules: BTreeMap<String, Vec<LocalRule>>,
    /// File of each label's answer.
    files: BTreeMap<String, String>,
    wording: Wording,
    names: BTreeMap<AreaCode, String>,
}

impl Locals {
    /// What is told of a label in an area, in the form wished for.
    pub(super) fn text(
        &self,
        answer: &Answer,
        area: &AreaCode,
        office: Option<&str>,
        wish: Wish,
    ) -> Option<String> {
        let rules: Vec<&LocalRule> = self
            .rules
            .get(&answer.intent)
            .into_iter()
            .flatten()
            .filter(|rule| area.is_within(&rule.code))
            .collect();
        let (body, said) = self.lay(answer, &rules);
        self.wording.compose(&answer.title, &body, &said, office, wish).ok()
    }

    /// The parts as they hold under these rules, and who says so, the narrowest area first.
    fn lay(&self, answer: &Answer, rules: &[&LocalRule]) -> (Body, Vec<Rule>) {
        let body = answer.under(rules.iter().copied());
        let own = Rule {
            standing: answer.standing().as_str(),
            area: None,
            source: answer.source.clone(),
            source_en: answer.source_en.clone(),
            checked_on: day(&answer.checked_on),
        };
        let local = rules.iter().rev().map(|rule| Rule {
            standing: "local",
            area: rule.local.area.clone().or_else(|| self.names.get(&rule.code).cloned()),
            source: rule.local.source.clone(),
            source_en: rule.local.source_en.clone(),
            checked_on: day(&rule.local.checked_on),
        });
        (body, local.chain([own]).collect())
    }

    /// The papers asked for before somebody of an area comes, where `check` is what is asked everywhere.
    pub(super) fn check(&self, label: &str, area: &AreaCode, check: Vec<String>) -> Vec<String> {
        let rules = self.rules.get(label).into_iter().flatten();
        let own = rules.filter(|rule| area.is_within(&rule.code));
        own.fold(check, |check, rule| rule.local.visit.lay(check))
    }

    /// What is wrong with the papers that areas ask for: file, and problem.
    pub(super) fn check_faults(&self, answer: &Answer, papers: &Papers) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let rules = self.rules.get(&answer.intent).into_iter().flatten();
        for rule in rules.filter(|rule| rule.local.visit.is_some()) {
            let Some(visit) = &answer.visit else {
                let what = "has a `visit`, but no appointment is made for that answer: remove it";
                problems.push((rule.file.clone(), what.to_owned()));
                continue;
            };
            let check = self.check(&answer.intent, &rule.code, visit.check().to_vec());
            let faults = check_faults(&check, papers).into_iter();
            problems.extend(faults.map(|what| (rule.file.clone(), what)));
        }
        problems
    }

    /// What areas say otherwise of an answer, the widest first.
    pub(super) fn variants(&self, label: &str) -> Vec<Variant> {
        let rules = self.rules.get(label).into_iter().flatten();
        let variant = |rule: &LocalRule| Variant {
            area: rule.code.clone(),
            name: rule.local.area.clone().or_else(|| self.names.get(&rule.code).cloned()),
            source: rule.local.source.clone(),
            checked_on: day(&rule.local.checked_on),
            is_own: rule.local.is_office(),
        };
        rules.map(variant).collect()
    }

    /// The parts of an answer as they hold in an area, and who says so.
    pub(super) fn parts(&self, answer: &Answer, area: &AreaCode) -> OwnAnswer {
        let rules: Vec<&LocalRule> = self
            .rules
            .get(&answer.intent)
            .into_iter()
            .flatten()
            .filter(|rule| area.is_within(&rule.code))
            .collect();
        let body = answer.under(rules.iter().copied());
        let said = rules.last().map(|rule| &rule.local);
        let (source, checked_on) = said
            .map_or((&answer.source, &answer.checked_on), |said| (&said.source, &said.checked_on));
        OwnAnswer::of(body, source, checked_on)
    }

    /// Lays an office's own words over what the files say there.
    pub(super) fn add_own(
        &mut self,
        label: &str,
        area: &AreaCode,
        own: &OwnAnswer,
        name: Option<String>,
    ) {
        let local = Local::of_office(own, name);
        let rules = self.rules.entry(label.to_owned()).or_default();
        rules.push(LocalRule { code: area.clone(), file: format!("console: {label}"), local });
        // Behind the file of the same area, before those of the areas within it.
        rules.sort_by_key(|rule| rule.code.plain().len());
    }

    /// Areas that have rules of their own.
    pub(super) fn areas(&self) -> BTreeSet<AreaCode> {
        self.rules.values().flatten().map(|rule| rule.code.clone()).collect()
    }

    /// How many rules of areas there are.
    pub(super) fn count(&self) -> usize {
        self.rules.values().map(Vec::len).sum()
    }

    pub(super) fn name(&mut self, names: BTreeMap<AreaCode, String>) {
        self.names = names;
    }

    /// What was looked up more than a year before that day, answers first.
    pub(super) fn stale<'a>(
        &self,
        answers: impl Iterator<Item = &'a Answer>,
        today: NaiveDate,
    ) -> Vec<Stale> {
        let answers = answers.map(|answer| {
            let file = self.files.get(&answer.intent).cloned().unwrap_or_default();
            (file, day(&answer.checked_on))
        });
        let rules = self
            .rules
            .values()
            .flatten()
            .map(|rule| (rule.file.clone(), day(&rule.local.checked_on)));
        answers
            .chain(rules)
            .filter_map(|(file, checked_on)| Some(Stale { file, checked_on: checked_on? }))
            .filter(|found| is_stale(found.checked_on, today))
            .collect()
    }
}

/// The same while the files are read.
#[derive(Default)]
pub(super) struct LocalsLoading {
    rules: Vec<LocalRule>,
    /// Label by the name of its file.
    labels: BTreeMap<String, String>,
    pub(super) wording: Option<Wording>,
}

impl LocalsLoading {
    /// Whether a file holds the rule of an area.
    pub(super) fn is_rule(name: &str) -> bool {
        name.starts_with(FOLDER)
    }

    /// Notes which file holds the answer to a label.
    pub(super) fn note(&mut self, name: &str, intent: &str) {
        self.labels.insert(stem(name).to_owned(), intent.to_owned());
    }

    /// Takes the rule of an area; gives what is wrong with it.
    pub(super) fn take(&mut self, name: &str, local: Local) -> Vec<String> {
        let mut faults = local.faults();
        let folder = name.strip_prefix(FOLDER).and_then(|rest| rest.split_once('/'));
        match folder.map(|(code, _)| AreaCode::parse(code)) {
            Some(Ok(code)) => self.rules.push(LocalRule { code, file: name.to_owned(), local }),
            _ => {
                faults
                    .push("stands in no folder named by an area code, like 35.17: move it".into());
            }
        }
        faults
    }

    /// Puts everything together and tries every text; gives (file, problem) where something is
    /// wrong.
    pub(super) fn finish(
        self,
        answers: &BTreeMap<String, Answer>,
        days: &DayNames,
    ) -> Result<Locals, Vec<(String, String)>> {
        let mut problems = Vec::new();
        let Some(mut wording) = self.wording else {
            let what = "is missing or cannot be read: answers are put together from it";
            return Err(vec![(super::wording::FILE.to_owned(), what.to_owned())]);
        };
        wording.name_days(days);
        let files = self
            .labels
            .iter()
            .map(|(stem, label)| (label.clone(), format!("answers/{stem}.toml")))
            .collect();
        let mut locals = Locals { rules: BTreeMap::new(), files, wording, names: BTreeMap::new() };
        for rule in self.rules {
            match self.labels.get(stem(&rule.file)) {
                Some(label) => locals.rules.entry(label.clone()).or_default().push(rule),
                None => problems.push((
                    rule.file.clone(),
                    "changes no answer: name it like a file of `answers`".to_owned(),
                )),
            }
        }
        for rules in locals.rules.values_mut() {
            rules.sort_by_key(|rule| rule.code.plain().len());
        }
        for answer in answers.values() {
            problems.extend(locals.faults(answer));
        }
        if problems.is_empty() { Ok(locals) } else { Err(problems) }
    }
}

impl Locals {
    /// What is wrong with an answer in any of its forms, alone and under each rule.
    pub(super) fn faults(&self, answer: &Answer) -> Vec<(String, String)> {
        let rules = self.rules.get(&answer.intent).map(Vec::as_slice).unwrap_or_default();
        let file = self.files.get(&answer.intent).cloned().unwrap_or_default();
        let alone = (file, Vec::new());
        let under = rules.iter().map(|rule| {
            let above = rules.iter().filter(|other| rule.code.is_within(&other.code));
            (rule.file.clone(), above.collect())
        });
        let mut problems = Vec::new();
        for (file, rules) in std::iter::once(alone).chain(under) {
            let (body, mut said) = self.lay(answer, &rules);
            for rule in said.iter_mut().filter(|rule| rule.standing == "local") {
                rule.area.get_or_insert_with(|| LONG_AREA.to_owned());
            }
            for wish in Wish::all() {
                let fault = self.wording.fault(&answer.title, &body, &said, LONG_OFFICE, wish);
                problems.extend(fault.map(|what| (file.clone(), what)));
            }
        }
        problems
    }
}

/// The name of a file without its folders and its ending.
fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.strip_suffix(".toml").unwrap_or(name)
}
