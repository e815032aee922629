//! One answer of `message_templates/answers`: what is said to a label, and where it comes from.
//!
//! Checks itself when it is loaded. What a label means is decided elsewhere.

use chrono::NaiveDate;
use serde::Deserialize;

use super::line::{AnswerHoles, fault, render};

/// Longest answer a citizen is asked to read, in characters.
const MAX_TEXT: usize = 700;
/// Longest title of a button.
pub(super) const MAX_BUTTON: usize = 20;
/// Fewest example questions from which an answer is found reliably.
const MIN_EXAMPLES: usize = 12;

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
    /// What a citizen reads; may hold `{{ office }}`.
    pub text: String,
    /// What stands in an SMS, where the text is too long or holds letters that SMS does not know.
    pub sms: Option<String>,
    /// What to bring.
    #[serde(default)]
    pub bring: Vec<String>,
    /// Numbers of the forms.
    #[serde(default)]
    pub forms: Vec<String>,
    /// The rule it rests on.
    pub legal_basis: Option<String>,
    /// What it costs.
    pub cost: Option<String>,
    /// Who says so.
    pub source: String,
    /// When that was last looked up.
    pub checked_on: String,
    /// How citizens ask for it.
    pub examples: Vec<String>,
}

impl Answer {
    /// The words for a channel, with the office's name filled in.
    pub(super) fn render(&self, office: &str, is_sms: bool) -> Result<String, minijinja::Error> {
        let source = self.sms.as_deref().filter(|_| is_sms).unwrap_or(&self.text);
        render(source, AnswerHoles { office })
    }

    /// Everything that is wrong with it.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for is_sms in [false, true] {
            match self.render("Disdukcapil Kabupaten Contoh", is_sms) {
                Ok(text) => {
                    let which = if is_sms { "the SMS" } else { "`text`" };
                    faults.extend(fault(&text, is_sms).map(|fault| format!("{which} {fault}")));
                }
                Err(error) => {
                    faults.push(format!("cannot be rendered ({error:#}): only office is known"));
                }
            }
        }
        if self.text.trim().chars().count() > MAX_TEXT {
            faults.push(format!("`text` is longer than {MAX_TEXT} characters: shorten it"));
        }
        let button = self.button.chars().count();
        if button == 0 || button > MAX_BUTTON {
            faults.push(format!("`button` must have 1 to {MAX_BUTTON} characters"));
        }
        if self.title.trim().is_empty() || self.source.trim().is_empty() {
            faults.push("`title` and `source` must say something".into());
        }
        if NaiveDate::parse_from_str(&self.checked_on, "%Y-%m-%d").is_err() {
            faults.push("`checked_on` is no date: write it like 2026-11-22".into());
        }
        if self.examples.len() < MIN_EXAMPLES {
            faults.push(format!("has fewer than {MIN_EXAMPLES} examples: add some"));
        }
        faults
    }
}
