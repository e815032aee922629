//! What an office says in its own words where a file says something else: a whole answer, part by part.
//!
//! Only its parts and what is wrong with them by themselves. Every form of it is tried where the files' are.

use serde::{Deserialize, Serialize};

use super::answer::{Body, PaperForm, date_fault, is_free};

/// The parts of an answer in an office's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnAnswer {
    /// One or two sentences that come first.
    pub lead: Option<String>,
    /// The whole answer in place of the parts, where there is nothing to bring.
    pub text: Option<String>,
    /// What to bring.
    pub bring: Vec<String>,
    /// What to do, one after the other.
    pub steps: Vec<String>,
    /// What to fill in.
    pub forms: Vec<PaperForm>,
    /// Where to go.
    pub place: Option<String>,
    /// How long it takes, as published.
    pub duration: Option<String>,
    /// What it costs, and the law that says so.
    pub cost: Option<String>,
    /// What else somebody should know.
    pub note: Option<String>,
    /// What only the full form adds.
    pub more: Option<String>,
    /// The rule it rests on.
    pub legal_basis: Option<String>,
    /// The same in English, where its title alone does not say it.
    pub legal_basis_en: Option<String>,
    /// What stands in an SMS, where the parts do not fit.
    pub sms: Option<String>,
    /// The same in plain English.
    pub english: String,
    /// Who says so.
    pub source: String,
    /// When that was looked up.
    pub checked_on: String,
}

impl OwnAnswer {
    pub(super) fn of(body: Body, source: &str, checked_on: &str) -> Self {
        Self {
            lead: body.lead,
            text: body.text,
            bring: body.bring,
            steps: body.steps,
            forms: body.forms,
            place: body.place,
            duration: body.duration,
            cost: body.cost,
            note: body.note,
            more: body.more,
            legal_basis: body.legal_basis,
            legal_basis_en: body.legal_basis_en,
            sms: body.sms,
            english: body.english,
            source: source.to_owned(),
            checked_on: checked_on.to_owned(),
        }
    }

    pub(super) fn body(&self) -> Body {
        Body {
            lead: self.lead.clone(),
            text: self.text.clone(),
            bring: self.bring.clone(),
            steps: self.steps.clone(),
            forms: self.forms.clone(),
            place: self.place.clone(),
            duration: self.duration.clone(),
            cost: self.cost.clone(),
            note: self.note.clone(),
            more: self.more.clone(),
            legal_basis: self.legal_basis.clone(),
            legal_basis_en: self.legal_basis_en.clone(),
            sms: self.sms.clone(),
            english: self.english.clone(),
        }
    }

    /// What is wrong with it before it is put into words.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.text.is_some() == self.lead.is_some() {
            faults.push("needs `lead` with its parts, or `text` and nothing to bring".to_owned());
        }
        if self.text.is_some() && !(self.bring.is_empty() && self.forms.is_empty()) {
            faults.push("`text` stands beside `bring` or `forms`: write a `lead` instead".into());
        }
        let is_told = self.cost.as_deref().is_some_and(is_free);
        if !is_told && (!self.bring.is_empty() || self.cost.is_some()) {
            faults.push("`cost` must say \"Gratis\" and the law that says so".into());
        }
        if self.source.trim().is_empty() {
            faults.push("`source` must say who says so".into());
        }
        if self.english.trim().is_empty() {
            faults.push("`english` is missing".into());
        }
        faults.extend(date_fault(&self.checked_on));
        faults
    }
}
