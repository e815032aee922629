//! What an appointment can be made for, and what somebody should have with them: the papers that are asked one by one
//! before a place is offered.
//!
//! The words stand in `dialogue/visit.toml`, and which of them a service asks for in its answer, under `[visit]`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::line::fault;
use super::script::Script;
use crate::domain::area::AreaCode;
use crate::domain::language::Language;
use crate::domain::service_point::PointService;

/// Where the papers are.
pub(super) const FILE: &str = "dialogue/visit.toml";
/// Questions before a place is offered, at most.
const MOST_QUESTIONS: usize = 4;
/// Longest name of a service, in characters: it stands in messages with a limit.
const LONGEST_NAME: usize = 40;

/// A paper that somebody should have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paper {
    name: String,
    name_en: String,
    ask: String,
    ask_en: String,
    how: String,
    how_en: String,
}

impl Paper {
    pub(super) fn name(&self, language: Language) -> &str {
        match language {
            Language::Indonesian => &self.name,
            Language::English => &self.name_en,
        }
    }

    pub(super) fn ask(&self, language: Language) -> &str {
        match language {
            Language::Indonesian => &self.ask,
            Language::English => &self.ask_en,
        }
    }

    pub(super) fn how(&self, language: Language) -> &str {
        match language {
            Language::Indonesian => &self.how,
            Language::English => &self.how_en,
        }
    }

    fn words(&self) -> [(&'static str, &str); 6] {
        [
            ("name", &self.name),
            ("name_en", &self.name_en),
            ("ask", &self.ask),
            ("ask_en", &self.ask_en),
            ("how", &self.how),
            ("how_en", &self.how_en),
        ]
    }
}

/// All papers, by their names in the files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Papers {
    paper: BTreeMap<String, Paper>,
}

impl Papers {
    pub(super) fn get(&self, id: &str) -> Option<&Paper> {
        self.paper.get(id)
    }

    /// What is wrong with the words: they stand in every channel as they are.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (id, paper) in &self.paper {
            for (what, text) in paper.words() {
                if let Some(fault) = fault(text, true) {
                    faults.push(format!("{FILE}: `paper.{id}.{what}` {fault}"));
                }
            }
        }
        faults
    }
}

/// What an answer says of coming for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    service: String,
    name: String,
    name_en: String,
    check: Vec<String>,
}

/// What an area asks otherwise before somebody comes; whatever it leaves out stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalVisit {
    check: Option<Vec<String>>,
    #[serde(default)]
    check_add: Vec<String>,
}

impl LocalVisit {
    /// The papers as they are asked for there.
    pub(super) fn lay(&self, before: Vec<String>) -> Vec<String> {
        let mut check = self.check.clone().unwrap_or(before);
        for id in &self.check_add {
            if !check.contains(id) {
                check.push(id.clone());
            }
        }
        check
    }

    /// Whether it says anything at all.
    pub(super) const fn is_some(&self) -> bool {
        self.check.is_some() || !self.check_add.is_empty()
    }
}

/// What is wrong with the papers asked for.
pub(super) fn check_faults(check: &[String], papers: &Papers) -> Vec<String> {
    let mut faults = Vec::new();
    if !(1..=MOST_QUESTIONS).contains(&check.len()) {
        faults.push(format!("`visit.check` must name 1 to {MOST_QUESTIONS} papers"));
    }
    for id in check.iter().filter(|id| papers.get(id).is_none()) {
        faults.push(format!("`visit.check` names `{id}`, which is no paper of {FILE}"));
    }
    faults
}

impl Visit {
    /// What must be done at a place for it.
    #[must_use]
    pub fn service(&self) -> Option<PointService> {
        self.service.parse().ok()
    }

    /// What it is called in a sentence.
    #[must_use]
    pub fn name(&self, language: Language) -> &str {
        match language {
            Language::Indonesian => &self.name,
            Language::English => &self.name_en,
        }
    }

    /// The papers that are asked for, in that order.
    pub(super) fn check(&self) -> &[String] {
        &self.check
    }

    pub(super) fn faults(&self, papers: &Papers) -> Vec<String> {
        let mut faults = Vec::new();
        if self.service().is_none() {
            let known: Vec<&str> = PointService::ALL.iter().map(|s| s.as_str()).collect();
            faults.push(format!("`visit.service` is none of {}: take one", known.join(", ")));
        }
        faults.extend(check_faults(&self.check, papers));
        for name in [&self.name, &self.name_en] {
            if name.chars().count() > LONGEST_NAME || fault(name, true).is_some() {
                faults.push(format!("`visit.name` must have 1 to {LONGEST_NAME} plain characters"));
            }
        }
        faults
    }
}

impl Script {
    /// What must be done at a place for a label; nothing where no appointment is made for it.
    #[must_use]
    pub fn visit_service(&self, label: &str) -> Option<PointService> {
        self.visit(label)?.service()
    }

    pub(super) fn visit(&self, label: &str) -> Option<&Visit> {
        self.answer(label)?.visit.as_ref()
    }

    /// What appointments can be made for, those first that most people ask for.
    pub(super) fn visit_labels(&self) -> Vec<String> {
        let first = self.requirements().iter();
        let mut labels: Vec<String> =
            first.filter(|label| self.visit(label).is_some()).cloned().collect();
        for answer in self.answers().filter(|answer| answer.visit.is_some()) {
            if !labels.contains(&answer.intent) {
                labels.push(answer.intent.clone());
            }
        }
        labels
    }

    /// What appointments can be made for: labels, and what they are called.
    #[must_use]
    pub fn visits(&self, language: Language) -> Vec<(String, String)> {
        let named = self.answers().filter_map(|answer| {
            let visit = answer.visit.as_ref()?;
            Some((answer.intent.clone(), visit.name(language).to_owned()))
        });
        named.collect()
    }

    /// What a service is called in a sentence; the label where no appointment is made for it any more.
    #[must_use]
    pub fn visit_name(&self, label: &str, language: Language) -> String {
        self.visit(label).map_or_else(|| label.to_owned(), |visit| visit.name(language).to_owned())
    }

    /// The papers that are asked for in an area, in that order.
    pub(super) fn visit_check(&self, label: &str, area: &AreaCode) -> Vec<String> {
        let check = self.visit(label).map(|visit| visit.check().to_vec()).unwrap_or_default();
        self.locals().check(label, area, check)
    }

    /// What to bring to it in an area, in a few words for every channel.
    #[must_use]
    pub fn visit_bring(&self, label: &str, area: &AreaCode, language: Language) -> String {
        self.paper_names(&self.visit_papers(label, area), language).join(", ")
    }

    /// The same one by one, in the order in which they are asked, by their names in the files.
    #[must_use]
    pub fn visit_papers(&self, label: &str, area: &AreaCode) -> Vec<String> {
        let mut papers = self.visit_check(label, area);
        papers.retain(|id| self.papers().get(id).is_some());
        papers
    }

    /// What papers are called; what is no paper of the files (any more) stands there as it is.
    #[must_use]
    pub fn paper_names(&self, papers: &[String], language: Language) -> Vec<String> {
        let name = |id: &String| {
            self.papers()
                .get(id)
                .map_or_else(|| id.clone(), |paper| paper.name(language).to_owned())
        };
        papers.iter().map(name).collect()
    }

    /// Whether somebody lacks a paper, by what was noted when they were asked: its name in the files, or what it is
    /// called in some language.
    #[must_use]
    pub fn is_lacking(&self, lacks: &[String], paper: &str) -> bool {
        let called = self.papers().get(paper);
        let is_it = |lack: &String| {
            lack == paper
                || called.is_some_and(|called| {
                    Language::ALL.iter().any(|language| called.name(*language) == lack)
                })
        };
        lacks.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use crate::dialogue::Script;
    use crate::dialogue::tests::{self, LOCAL};
    use crate::domain::area::AreaCode;
    use crate::domain::language::Language;

    /// `answers/area/35.17/ktp_lost.toml` and one of a kecamatan in it.
    fn load(wide: &str, narrow: &str) -> Result<Script, Vec<String>> {
        let rule =
            |area: &str, visit: &str| format!("area = \"{area}\"\n{LOCAL}\n[visit]\n{visit}");
        let (wide, narrow) = (rule("Kabupaten Jombang", wide), rule("Kecamatan Diwek", narrow));
        tests::load(&[
            ("answers/area/35.17/ktp_lost.toml", wide.as_str()),
            ("answers/area/35.17.08/ktp_lost.toml", narrow.as_str()),
        ])
    }

    #[test]
    fn an_area_asks_for_other_papers_before_an_appointment_or_for_one_more() {
        let script =
            load("check = [\"kk\"]", "check_add = [\"kk\", \"old_ktp\"]").expect("it loads");
        for (area, bring) in [
            ("36.03.01", "surat kehilangan dari kepolisian, KK"),
            ("35.17.09.2018", "KK"),
            ("35.17.08.2014", "KK, KTP-el lama"),
        ] {
            let area = AreaCode::parse(area).expect("a code");
            assert_eq!(
                script.visit_bring("req_ktp_lost", &area, Language::Indonesian),
                bring,
                "{area}"
            );
        }
    }

    #[test]
    fn an_area_that_asks_for_no_known_paper_or_too_many_is_refused_by_name() {
        for (visit, what) in [
            ("check = [\"birth\"]", "names `birth`"),
            ("check = []", "must name 1 to 4"),
            ("check_add = [\"proof\", \"phone\", \"own_ktp\"]", "must name 1 to 4"),
        ] {
            let problems = load("check_add = [\"kk\"]", visit).err().unwrap_or_default().join("\n");
            let is_told =
                problems.contains("answers/area/35.17.08/ktp_lost.toml") && problems.contains(what);
            assert!(is_told, "{visit}: {problems}");
        }
    }
}
