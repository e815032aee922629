//! One answer of `message_templates/answers`: what is said to a label, where it comes from, and
//! what an area says otherwise.
//!
//! Only the parts and how an area's rule lies over the national one. How the parts become a text is
//! decided in `wording`; what a label means is decided elsewhere.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::own::OwnAnswer;
use super::visit::{LocalVisit, Visit};
use crate::domain::area::AreaCode;
use crate::words;

/// Longest title of a button.
pub(super) const MAX_BUTTON: usize = 20;
/// Fewest example questions from which an answer is found reliably.
const MIN_EXAMPLES: usize = 12;

words! {
    /// On what an answer rests.
    pub enum Standing {
        /// A rule that holds in the whole country.
        National = "national",
        /// What several offices do; there is no rule for all of them.
        Practice = "practice",
        /// Nobody has compared it with a rule yet; it says where to ask.
        Unverified = "unverified",
        /// What this service itself does.
        Own = "own",
    }
}

/// A form to fill in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PaperForm {
    /// Its number: `F-1.02`.
    pub number: String,
    /// What it is called.
    pub name: String,
    /// In which case it is needed, where that is not always.
    pub when: Option<String>,
}

/// An answer and everything kept about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The label it answers.
    pub intent: String,
    /// What it is about, in a few words.
    pub title: String,
    /// What stands on a button that offers it; at most 20 characters.
    pub button: String,
    /// The same in English.
    pub button_en: String,
    /// One or two sentences that come first; may hold `{{ office }}`.
    pub lead: Option<String>,
    /// What to bring.
    #[serde(default)]
    pub bring: Vec<String>,
    /// What to do, one after the other.
    #[serde(default)]
    pub steps: Vec<String>,
    /// What to fill in.
    #[serde(default)]
    pub forms: Vec<PaperForm>,
    /// Where to go.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// How long it takes, as published; never a promise.
    pub duration: Option<String>,
    /// What it costs, and the law that says so.
    pub cost: Option<String>,
    /// What else somebody should know before they set out.
    pub note: Option<String>,
    /// The whole answer in place of the parts, where there is nothing to bring.
    pub text: Option<String>,
    /// What stands in an SMS, where the parts or the text do not fit.
    pub sms: Option<String>,
    /// What only the full form adds.
    pub more: Option<String>,
    /// The rule it rests on.
    pub legal_basis: Option<String>,
    /// The same in English, where it is more than a title and a year.
    pub legal_basis_en: Option<String>,
    /// The same in plain English, short enough for every channel.
    pub english: String,
    /// Whether that is a rule, a habit, or not known for certain.
    #[serde(default = "national")]
    standing: String,
    /// Who says so.
    pub source: String,
    /// The same in English, where it is more than a title and a year.
    pub source_en: Option<String>,
    /// When that was last looked up.
    pub checked_on: String,
    /// How citizens ask for it.
    pub examples: Vec<String>,
    /// What is asked before somebody comes for it, where appointments are made.
    pub visit: Option<Visit>,
}

fn national() -> String {
    Standing::National.to_string()
}

/// What an area says otherwise, as its file holds it. Whatever it leaves out stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Local {
    /// What the area is called, where the table of areas does not say it.
    pub(super) area: Option<String>,
    lead: Option<String>,
    bring: Option<Vec<String>>,
    #[serde(default)]
    bring_add: Vec<String>,
    steps: Option<Vec<String>>,
    #[serde(default)]
    steps_add: Vec<String>,
    forms: Option<Vec<PaperForm>>,
    #[serde(default)]
    forms_add: Vec<PaperForm>,
    #[serde(rename = "where")]
    place: Option<String>,
    duration: Option<String>,
    cost: Option<String>,
    note: Option<String>,
    note_add: Option<String>,
    text: Option<String>,
    sms: Option<String>,
    more: Option<String>,
    legal_basis: Option<String>,
    legal_basis_en: Option<String>,
    english: Option<String>,
    pub(super) source: String,
    pub(super) source_en: Option<String>,
    pub(super) checked_on: String,
    /// What is asked before somebody comes for it.
    #[serde(default)]
    pub(super) visit: LocalVisit,
    /// All parts at once in place of those above: an office's own words, which no file holds.
    #[serde(skip)]
    whole: Option<Box<Body>>,
}

/// A [`Local`] with the area whose rule it is.
#[derive(Clone, Debug)]
pub(super) struct LocalRule {
    pub(super) code: AreaCode,
    pub(super) file: String,
    pub(super) local: Local,
}

/// The parts of an answer as they hold for one area.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) lead: Option<String>,
    pub(super) bring: Vec<String>,
    pub(super) steps: Vec<String>,
    pub(super) forms: Vec<PaperForm>,
    pub(super) place: Option<String>,
    pub(super) duration: Option<String>,
    pub(super) cost: Option<String>,
    pub(super) note: Option<String>,
    pub(super) text: Option<String>,
    pub(super) sms: Option<String>,
    pub(super) more: Option<String>,
    pub(super) legal_basis: Option<String>,
    pub(super) legal_basis_en: Option<String>,
    pub(super) english: String,
}

impl Answer {
    /// When it was last looked up.
    #[must_use]
    pub fn checked_day(&self) -> Option<NaiveDate> {
        day(&self.checked_on)
    }

    /// On what it rests.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.parse().unwrap_or(Standing::Unverified)
    }

    /// Its parts under the rules of areas, the widest area first.
    pub(super) fn under<'a>(&self, rules: impl Iterator<Item = &'a LocalRule>) -> Body {
        let mut body = Body {
            lead: self.lead.clone(),
            bring: self.bring.clone(),
            steps: self.steps.clone(),
            forms: self.forms.clone(),
            place: self.place.clone(),
            duration: self.duration.clone(),
            cost: self.cost.clone(),
            note: self.note.clone(),
            text: self.text.clone(),
            sms: self.sms.clone(),
            more: self.more.clone(),
            legal_basis: self.legal_basis.clone(),
            legal_basis_en: self.legal_basis_en.clone(),
            english: self.english.clone(),
        };
        for rule in rules {
            rule.local.lie_over(&mut body);
        }
        body
    }

    /// What is wrong with it before it is put into words.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.text.is_some() == self.lead.is_some() {
            faults.push(
                "needs `lead` with its parts, or `text` and nothing to bring: give one of both"
                    .into(),
            );
        }
        if self.text.is_some() && !(self.bring.is_empty() && self.forms.is_empty()) {
            faults.push("`text` stands beside `bring` or `forms`: write a `lead` instead".into());
        }
        // Who has to bring something comes on purpose, and must know that nobody may charge them.
        if !self.bring.is_empty() && !self.cost.as_deref().is_some_and(is_free) {
            faults.push("`cost` must say \"Gratis\" and the law that says so".into());
        }
        for (name, button) in [("button", &self.button), ("button_en", &self.button_en)] {
            if !(1..=MAX_BUTTON).contains(&button.chars().count()) {
                faults.push(format!("`{name}` must have 1 to {MAX_BUTTON} characters"));
            }
        }
        if self.title.trim().is_empty() || self.source.trim().is_empty() {
            faults.push("`title` and `source` must say something".into());
        }
        if self.standing.parse::<Standing>().is_err() {
            let known: Vec<&str> = Standing::ALL.iter().map(|s| s.as_str()).collect();
            faults.push(format!("`standing` is none of {}: take one", known.join(", ")));
        }
        faults.extend(date_fault(&self.checked_on));
        if self.examples.len() < MIN_EXAMPLES {
            faults.push(format!("has fewer than {MIN_EXAMPLES} examples: add some"));
        }
        faults
    }
}

impl Local {
    /// An office's own words for a whole answer.
    pub(super) fn of_office(own: &OwnAnswer, area: Option<String>) -> Self {
        Self {
            area,
            source: own.source.clone(),
            checked_on: own.checked_on.clone(),
            whole: Some(Box::new(own.body())),
            ..Self::default()
        }
    }

    /// Whether it is an office's own and stands in no file.
    pub(super) const fn is_office(&self) -> bool {
        self.whole.is_some()
    }

    fn lie_over(&self, body: &mut Body) {
        if let Some(whole) = &self.whole {
            body.clone_from(whole);
            return;
        }
        if self.text.is_some() {
            // A whole text replaces the parts it would otherwise contradict.
            *body = Body { english: std::mem::take(&mut body.english), ..Body::default() };
        }
        if self.lead.is_some() {
            body.text = None;
        }
        let replace = |field: &mut Option<String>, own: &Option<String>| {
            if own.is_some() {
                field.clone_from(own);
            }
        };
        replace(&mut body.lead, &self.lead);
        replace(&mut body.place, &self.place);
        replace(&mut body.duration, &self.duration);
        replace(&mut body.cost, &self.cost);
        replace(&mut body.note, &self.note);
        replace(&mut body.text, &self.text);
        replace(&mut body.more, &self.more);
        if self.legal_basis.is_some() {
            body.legal_basis_en.clone_from(&self.legal_basis_en);
        }
        replace(&mut body.legal_basis, &self.legal_basis);
        // An SMS text of the wider area no longer tells what is changed here.
        body.sms.clone_from(&self.sms);
        if let Some(english) = &self.english {
            body.english.clone_from(english);
        }
        if let Some(bring) = &self.bring {
            body.bring.clone_from(bring);
        }
        if let Some(steps) = &self.steps {
            body.steps.clone_from(steps);
        }
        if let Some(forms) = &self.forms {
            body.forms.clone_from(forms);
        }
        body.bring.extend(self.bring_add.iter().cloned());
        body.steps.extend(self.steps_add.iter().cloned());
        body.forms.extend(self.forms_add.iter().cloned());
        if let Some(more) = &self.note_add {
            body.note = Some(match body.note.take() {
                Some(note) => format!("{note} {more}"),
                None => more.clone(),
            });
        }
    }

    /// Whether it changes nothing at all.
    fn is_empty(&self) -> bool {
        let texts = [
            &self.lead,
            &self.place,
            &self.duration,
            &self.cost,
            &self.note,
            &self.note_add,
            &self.text,
            &self.sms,
            &self.more,
            &self.legal_basis,
        ];
        let lists = [&self.bring_add, &self.steps_add];
        texts.iter().all(|text| text.is_none())
            && lists.iter().all(|list| list.is_empty())
            && self.forms_add.is_empty()
            && self.bring.is_none()
            && self.steps.is_none()
            && self.forms.is_none()
            && !self.visit.is_some()
    }

    /// What is wrong with it before it is put into words.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.is_empty() {
            faults.push("changes nothing: give a field, or remove the file".into());
        }
        if self.source.trim().is_empty() {
            faults.push("`source` must say who says so in this area".into());
        }
        if self.english.is_none() {
            faults.push(
                "`english` is missing: without it English readers get the national rule".into(),
            );
        }
        if self.cost.as_deref().is_some_and(|cost| !is_free(cost)) {
            faults.push("`cost` must say \"Gratis\", and then what may be charged apart".into());
        }
        faults.extend(date_fault(&self.checked_on));
        faults
    }
}

pub(super) fn is_free(cost: &str) -> bool {
    cost.to_lowercase().contains("gratis")
}

pub(super) fn date_fault(date: &str) -> Option<String> {
    day(date).is_none().then(|| "`checked_on` is no date: write it like 2026-11-22".into())
}

/// The day that a file names.
pub(super) fn day(date: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()
}
