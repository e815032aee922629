//! Puts the parts of an answer into words: the short form for a phone, and the full form.
//!
//! The words between the parts stand in `message_templates/dialogue/answer.toml`; here is only which
//! part is left out first where an SMS would get too long. Never decides what is true.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::answer::{Body, PaperForm};
use super::line::{fault, render};
use crate::domain::day_words::{DayForm, DayNames};
use crate::domain::gsm7;
use crate::domain::language::Language;

/// The file, below `message_templates`.
pub(super) const FILE: &str = "dialogue/answer.toml";
/// Longest short form, in characters: what somebody is asked to read on a phone.
const MAX_SHORT: usize = 700;
/// Longest full form, in characters.
const MAX_FULL: usize = 1_600;
/// Two parts of an SMS.
const MAX_SMS: usize = 2 * 153;
/// Three messages of three parts each, with room for where they are cut.
const MAX_SMS_FULL: usize = 3 * 3 * 153 - 60;
/// How often an SMS may be made shorter: note, place, forms, lead.
const CUTS: u8 = 4;

/// The words between the parts of an answer, in every language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wording {
    id: Words,
    en: Words,
    /// Come from the vocabulary.
    #[serde(skip)]
    days: DayNames,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    office: String,
    area: String,
    short: String,
    sms: String,
    full: String,
    sms_full: String,
}

/// Who says it, and when that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The word of a [`super::answer::Standing`], or `local`.
    pub(super) standing: &'static str,
    /// The area, for a local rule; nothing where its name is not known.
    pub(super) area: Option<String>,
    pub(super) source: String,
    /// The same for English readers, where it is not a title alone.
    pub(super) source_en: Option<String>,
    pub(super) checked_on: Option<NaiveDate>,
}

/// In which form an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) is_full: bool,
    pub(super) is_sms: bool,
    pub(super) language: Language,
}

impl Wish {
    /// Every form there is.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for &language in Language::ALL {
            for (is_full, is_sms) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(Self { is_full, is_sms, language });
            }
        }
        all
    }

    /// How a fault names it.
    pub(super) fn name(self) -> String {
        let form = if self.is_full { "full form" } else { "short form" };
        let channel = if self.is_sms { "SMS" } else { "chat" };
        format!("the {form} for {channel} ({})", self.language)
    }
}

/// What may stand in the texts of `answer.toml`.
#[derive(Serialize)]
struct Holes<'a> {
    title: &'a str,
    lead: &'a str,
    text: &'a str,
    bring: &'a [String],
    steps: &'a [String],
    forms: &'a [PaperForm],
    numbers: String,
    place: &'a str,
    duration: &'a str,
    cost: &'a str,
    note: &'a str,
    more: &'a str,
    legal_basis: &'a str,
    rules: Vec<RuleHole>,
    /// The area of the narrowest local rule.
    local: &'a str,
    is_cut: bool,
}

#[derive(Serialize)]
struct RuleHole {
    standing: &'static str,
    area: String,
    source: String,
    date: String,
}

#[derive(Serialize)]
struct OfficeHole<'a> {
    office: &'a str,
}

impl Wording {
    fn words(&self, language: Language) -> &Words {
        match language {
            Language::Indonesian => &self.id,
            Language::English => &self.en,
        }
    }

    /// Takes over how days are said.
    pub(super) fn name_days(&mut self, days: &DayNames) {
        self.days = days.clone();
    }

    /// The answer in the form wished for. `office` is its own name, where that is known.
    pub(super) fn compose(
        &self,
        title: &str,
        body: &Body,
        rules: &[Rule],
        office: Option<&str>,
        wish: Wish,
    ) -> Result<String, minijinja::Error> {
        let words = self.words(wish.language);
        let body = fill(body, office.unwrap_or(&words.office))?;
        let source = match (wish.is_full, wish.is_sms) {
            (false, false) => &words.short,
            (false, true) => &words.sms,
            (true, false) => &words.full,
            (true, true) => &words.sms_full,
        };
        let mut text = String::new();
        // In a chat there is room; in an SMS one part after the other gives way.
        let cuts = if wish.is_sms && !wish.is_full { CUTS } else { 0 };
        for cut in 0..=cuts {
            let mut holes = words.holes(title, &body, rules, wish, cut);
            holes.rules = rules.iter().map(|rule| self.rule(rule, wish.language)).collect();
            text = render(source, holes)?;
            if !wish.is_sms || units(&text) <= MAX_SMS {
                break;
            }
        }
        Ok(text)
    }

    fn rule(&self, rule: &Rule, language: Language) -> RuleHole {
        let say = |date| self.days.of(language).say(DayForm::DayAndYear, date);
        let source = match (language, &rule.source_en) {
            (Language::English, Some(source)) => source,
            _ => &rule.source,
        };
        RuleHole {
            standing: rule.standing,
            area: rule.area.clone().unwrap_or_else(|| self.words(language).area.clone()),
            source: source.clone(),
            date: rule.checked_on.map(say).unwrap_or_default(),
        }
    }

    /// What is wrong with an answer in that form, if anything.
    pub(super) fn fault(
        &self,
        title: &str,
        body: &Body,
        rules: &[Rule],
        office: &str,
        wish: Wish,
    ) -> Option<String> {
        let text = match self.compose(title, body, rules, Some(office), wish) {
            Ok(text) => text,
            Err(error) => {
                let what = format!("cannot be rendered ({error:#}): only office is known");
                return Some(format!("{} {what}", wish.name()));
            }
        };
        let found = if wish.is_full { full_fault(&text, wish.is_sms) } else { None };
        let found = found.or_else(|| {
            // Only what is read beside buttons has that rule's limit.
            let first: String = text.chars().take(MAX_SHORT).collect();
            fault(if wish.is_full { &first } else { &text }, wish.is_sms && !wish.is_full)
        });
        let found = found.or_else(|| link(&text)).or_else(|| {
            let (limit, length) = match (wish.is_full, wish.is_sms) {
                (false, true) => (MAX_SMS, units(&text)),
                (false, false) => (MAX_SHORT, text.chars().count()),
                (true, true) => (MAX_SMS_FULL, units(&text)),
                (true, false) => (MAX_FULL, text.chars().count()),
            };
            let advice = match (wish.language, wish.is_sms) {
                (Language::English, _) => "shorten `english`",
                (_, true) => "shorten `bring`, or give an `sms` text",
                _ => "shorten it",
            };
            (length > limit).then(|| format!("has {length} letters of {limit}: {advice}"))
        });
        found.map(|what| format!("{} {what}", wish.name()))
    }
}

impl Words {
    fn holes<'a>(
        &'a self,
        title: &'a str,
        body: &'a Body,
        rules: &'a [Rule],
        wish: Wish,
        cut: u8,
    ) -> Holes<'a> {
        let of = |text: &'a Option<String>| text.as_deref().unwrap_or("");
        let unless = |cuts: u8, text: &'a str| if cut >= cuts { "" } else { text };
        let is_english = wish.language == Language::English;
        let is_sms_short = wish.is_sms && !wish.is_full;
        let own_sms = body.sms.as_deref().filter(|_| is_sms_short && !is_english);
        let text = match own_sms {
            _ if is_english => body.english.as_str(),
            Some(sms) => sms,
            None => of(&body.text),
        };
        // What has a text of its own has no parts beside it.
        let has_parts = !is_english && own_sms.is_none();
        let parts = |list: &'a [String]| if has_parts { list } else { &[] };
        // What is needed in some cases only stands in the full form, with the case.
        let always = body.forms.iter().filter(|form| form.when.is_none());
        let numbers: Vec<&str> = always.map(|form| form.number.as_str()).collect();
        let has_numbers = has_parts && !(is_sms_short && cut >= 3);
        let has_more = !body.steps.is_empty() || !body.forms.is_empty() || body.more.is_some();
        Holes {
            title,
            lead: if has_parts { unless(4, of(&body.lead)) } else { "" },
            text,
            bring: parts(&body.bring),
            steps: parts(&body.steps),
            forms: if has_parts { &body.forms } else { &[] },
            numbers: if has_numbers { numbers.join(", ") } else { String::new() },
            place: if has_parts { unless(2, of(&body.place)) } else { "" },
            duration: if has_parts { of(&body.duration) } else { "" },
            cost: if has_parts { of(&body.cost) } else { "" },
            note: if has_parts { unless(1, of(&body.note)) } else { "" },
            more: if is_english { "" } else { of(&body.more) },
            legal_basis: if is_english && body.legal_basis_en.is_some() {
                of(&body.legal_basis_en)
            } else {
                of(&body.legal_basis)
            },
            local: rules
                .iter()
                .find(|rule| rule.standing == "local")
                .map_or("", |rule| rule.area.as_deref().unwrap_or(&self.area)),
            rules: Vec::new(),
            is_cut: !is_english && (cut > 0 || has_more || own_sms.is_some()),
        }
    }
}

/// The body with the office's name in its holes.
fn fill(body: &Body, office: &str) -> Result<Body, minijinja::Error> {
    let mut body = body.clone();
    for text in [
        &mut body.lead,
        &mut body.place,
        &mut body.note,
        &mut body.text,
        &mut body.sms,
        &mut body.more,
    ] {
        if let Some(source) = text.as_deref() {
            *text = Some(render(source, OfficeHole { office })?);
        }
    }
    body.english = render(&body.english, OfficeHole { office })?;
    Ok(body)
}

/// Letters of a text as an SMS counts them; none is left out of the count.
fn units(text: &str) -> usize {
    text.chars().map(|c| gsm7::septets(c).unwrap_or(2)).sum()
}

fn full_fault(text: &str, is_sms: bool) -> Option<String> {
    if text.contains('!') {
        return Some("has an exclamation mark: leave it out".into());
    }
    (is_sms && !gsm7::is_gsm7(text))
        .then(|| "has letters that SMS does not know: write plain hyphens and quotes".into())
}

/// A word that a phone would make a link of.
fn link(text: &str) -> Option<String> {
    const ENDINGS: [&str; 5] = ["id", "com", "org", "net", "co"];
    let found = text.split(|c: char| c.is_whitespace() || "(),;:".contains(c)).any(|word| {
        let word = word.split('/').next().unwrap_or(word).trim_end_matches('.');
        word.rsplit_once('.').is_some_and(|(name, ending)| {
            !name.is_empty() && ENDINGS.contains(&ending.to_lowercase().as_str())
        })
    });
    found.then(|| "has an address that phones make a link of: name the publisher in words".into())
}
