//! How well texts are understood, measured on labelled messages: `kabar ask --evaluate FILE`, and the figures CI holds.
//!
//! Only counts; what is right is said by the file. The file must be other texts than those that were learned.

use std::collections::BTreeMap;
use std::fmt;

use super::label::{CLARIFY, CLARIFY_TOPIC, OUT_OF_SCOPE, is_label, is_outside};
use super::{Meaning, Understanding};

/// A labelled message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// What it means.
    pub label: String,
    /// What it may also be taken for; empty for none.
    pub also: String,
    /// How it is written: `chat`, `typo`, `ramble` …
    pub style: String,
    /// The message.
    pub text: String,
}

/// Reads lines of label, second label or nothing, style and text, set apart by tabs. Empty lines and those that
/// begin with `#` are passed over.
///
/// # Errors
/// The first line that cannot be read, and why.
pub fn parse(file: &str) -> Result<Vec<Labelled>, String> {
    let lines = file.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let wrong = |what: &str| format!("line {}: {what}", number + 1);
            let mut fields = line.splitn(4, '\t');
            let (Some(label), Some(also), Some(style), Some(text)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(wrong("has not four fields set apart by tabs: label, second label or nothing, style, text"));
            };
            for word in [label, also] {
                let is_missing = word.is_empty() && !label.is_empty();
                if !is_missing && !is_label(word) {
                    return Err(wrong(&format!("`{word}` is no label")));
                }
            }
            let [label, also, style, text] = [label, also, style, text].map(str::to_owned);
            Ok(Labelled { label, also, style, text })
        })
        .collect()
}

/// What became of some messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many.
    pub messages: u32,
    /// The label was the likeliest, whatever followed from it.
    pub first: u32,
    /// It was among the three likeliest.
    pub first_three: u32,
    /// Answered rightly; of a topic without a question: asked back.
    pub right: u32,
    /// Asked back, with the right label among what was offered.
    pub rightly_asked: u32,
    /// Answered, or sent to an agency, and wrongly.
    pub wrong: u32,
    /// Not answered from the office's own answers, and not asked about them either.
    pub kept_out: u32,
}

impl Counts {
    /// A count as a share of the messages, in percent; 100 of none.
    #[must_use]
    pub fn percent(&self, count: u32) -> f64 {
        share(count, self.messages)
    }

    fn add(&mut self, line: &Labelled, meaning: &Meaning, ranked: &[(&str, f32)]) {
        let fits = |label: &str| label == line.label || (!label.is_empty() && label == line.also);
        let is_topic = [line.label.as_str(), line.also.as_str()].contains(&CLARIFY_TOPIC);
        let has_asked = meaning.intent == CLARIFY;
        let is_right = if has_asked { is_topic } else { fits(&meaning.intent) };
        let is_rightly_asked =
            has_asked && !is_topic && meaning.alternatives.iter().any(|label| fits(label));
        let said_nothing = has_asked || meaning.intent == OUT_OF_SCOPE;
        self.messages += 1;
        self.first += u32::from(ranked.first().is_some_and(|(label, _)| fits(label)));
        self.first_three += u32::from(ranked.iter().take(3).any(|(label, _)| fits(label)));
        self.right += u32::from(is_right);
        self.rightly_asked += u32::from(is_rightly_asked);
        self.wrong += u32::from(!is_right && !said_nothing);
        self.kept_out += u32::from(is_outside(&meaning.intent));
    }
}

/// A count as a share, in percent; 100 of none.
fn share(count: u32, of: u32) -> f64 {
    if of == 0 { 100.0 } else { 100.0 * f64::from(count) / f64::from(of) }
}

/// The figures over a set of labelled messages.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// All of them.
    pub all: Counts,
    /// Those the office answers.
    pub in_scope: Counts,
    /// Those it does not, redirects among them.
    pub outside: Counts,
    /// By style.
    pub styles: BTreeMap<String, Counts>,
    /// By label.
    pub labels: BTreeMap<String, Counts>,
    /// By confidence in tenths: how many were answered with it, and how many of these rightly.
    pub confidence: [(u32, u32); 10],
    /// What was taken for what, and how often; answers only.
    pub confused: BTreeMap<(String, String), u32>,
    /// Messages with two questions,
    pub doubles: u32,
    /// of which both were answered,
    pub both_answered: u32,
    /// or one, and the other offered, or both.
    pub both_offered: u32,
}

impl Report {
    /// Lets the understanding read every message, as a citizen's would be read after redaction.
    #[must_use]
    pub fn measure(understanding: &Understanding, lines: &[Labelled]) -> Self {
        let mut report = Self::default();
        for line in lines {
            let meaning = understanding.understand(&line.text);
            let ranked = understanding.rank(&line.text);
            report.add(line, &meaning, &ranked);
        }
        report
    }

    fn add(&mut self, line: &Labelled, meaning: &Meaning, ranked: &[(&str, f32)]) {
        let side = if is_outside(&line.label) { &mut self.outside } else { &mut self.in_scope };
        let before = side.wrong;
        side.add(line, meaning, ranked);
        let is_wrong = side.wrong > before;
        self.all.add(line, meaning, ranked);
        self.styles.entry(line.style.clone()).or_default().add(line, meaning, ranked);
        self.labels.entry(line.label.clone()).or_default().add(line, meaning, ranked);
        if is_wrong {
            *self.confused.entry((line.label.clone(), meaning.intent.clone())).or_default() += 1;
        }
        if meaning.intent != CLARIFY && meaning.intent != OUT_OF_SCOPE {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let tenth = (meaning.confidence.clamp(0.0, 0.999) * 10.0) as usize;
            if let Some((answered, right)) = self.confidence.get_mut(tenth) {
                *answered += 1;
                *right += u32::from(!is_wrong);
            }
        }
        if line.style == "double" && !line.also.is_empty() {
            let has_both = |said: &[&str]| {
                said.contains(&line.label.as_str()) && said.contains(&line.also.as_str())
            };
            let intent = meaning.intent.as_str();
            self.doubles += 1;
            if has_both(&[intent, meaning.also.as_deref().unwrap_or_default()]) {
                self.both_answered += 1;
            } else {
                let mut said = vec![intent, meaning.perhaps.as_deref().unwrap_or_default()];
                if meaning.intent == CLARIFY {
                    said.extend(meaning.alternatives.iter().map(String::as_str));
                }
                self.both_offered += u32::from(has_both(&said));
            }
        }
    }

    /// Right, or rightly asked back, of what the office answers; in percent.
    #[must_use]
    pub fn helped(&self) -> f64 {
        self.in_scope.percent(self.in_scope.right + self.in_scope.rightly_asked)
    }

    /// Outside messages that got neither an answer of the office nor an offer of one; in percent.
    #[must_use]
    pub fn outside_recall(&self) -> f64 {
        self.outside.percent(self.outside.kept_out)
    }

    /// Messages with two questions of which both were answered; in percent.
    #[must_use]
    pub fn both(&self) -> f64 {
        share(self.both_answered, self.doubles)
    }

    /// The same with those of which one or both were offered; in percent.
    #[must_use]
    pub fn both_or_offered(&self) -> f64 {
        share(self.both_answered + self.both_offered, self.doubles)
    }

    /// Answers that were wrong, of all messages; in percent.
    #[must_use]
    pub fn confidently_wrong(&self) -> f64 {
        self.all.percent(self.all.wrong)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CONFUSIONS_SHOWN: usize = 15;
        writeln!(
            f,
            "{:32} {:>5} {:>7} {:>7} {:>7} {:>7} {:>7}",
            "percent of", "n", "first", "of 3", "right", "asked", "wrong"
        )?;
        let groups = [("all", &self.all), ("in scope", &self.in_scope), ("outside", &self.outside)];
        let groups = groups.into_iter().chain(self.styles.iter().map(|(k, v)| (k.as_str(), v)));
        for (name, counts) in groups.chain(self.labels.iter().map(|(k, v)| (k.as_str(), v))) {
            let [first, three, right, asked, wrong] = [
                counts.first,
                counts.first_three,
                counts.right,
                counts.rightly_asked,
                counts.wrong,
            ]
            .map(|count| counts.percent(count));
            writeln!(
                f,
                "{name:32} {:5} {first:7.1} {three:7.1} {right:7.1} {asked:7.1} {wrong:7.1}",
                counts.messages
            )?;
        }
        writeln!(f, "\nconfidence of answers: share that is right")?;
        for (tenth, (answered, right)) in self.confidence.iter().enumerate() {
            if *answered > 0 {
                let share = 100.0 * f64::from(*right) / f64::from(*answered);
                writeln!(f, "  0.{tenth} to 0.{:<2} {answered:6} answers {share:6.1}", tenth + 1)?;
            }
        }
        let mut confused: Vec<_> = self.confused.iter().collect();
        confused.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        if !confused.is_empty() {
            writeln!(f, "\nwrong answers, most frequent first")?;
        }
        for ((label, taken_for), times) in confused.into_iter().take(CONFUSIONS_SHOWN) {
            writeln!(f, "  {times:3} {label} answered as {taken_for}")?;
        }
        if self.doubles > 0 {
            writeln!(
                f,
                "\nof {} messages with two questions both answered: {}, the other offered: {}",
                self.doubles, self.both_answered, self.both_offered
            )?;
        }
        writeln!(
            f,
            "\nright or rightly asked back in scope {:.1} (asking back {:.1}), outside recall {:.1}, confidently wrong {:.1}",
            self.helped(),
            self.in_scope.percent(self.in_scope.rightly_asked),
            self.outside_recall(),
            self.confidently_wrong(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        assert!(parse("fee\t\tchat\tbayar gak\n# note\n\n").is_ok_and(|lines| lines.len() == 1));
        assert!(
            parse("fee\t\tchat\tbayar\nfee chat bayar").is_err_and(|e| e.starts_with("line 2"))
        );
        assert!(parse("feee\t\tchat\tbayar").is_err_and(|e| e.contains("feee")));
    }

    #[test]
    fn right_asked_and_wrong_are_counted_apart() {
        let meaning = |intent: &str, offered: &[&str]| Meaning {
            intent: intent.into(),
            confidence: 0.9,
            alternatives: offered.iter().map(|label| (*label).to_owned()).collect(),
            also: None,
            perhaps: None,
        };
        let line = |label: &str| Labelled {
            label: label.into(),
            also: String::new(),
            style: "chat".into(),
            text: String::new(),
        };
        let mut report = Report::default();
        report.add(&line("fee"), &meaning("fee", &[]), &[("fee", 0.9)]);
        report.add(&line("fee"), &meaning(CLARIFY, &["duration", "fee"]), &[("duration", 0.4)]);
        report.add(&line("fee"), &meaning("duration", &[]), &[("duration", 0.9)]);
        report.add(&line("fee"), &meaning(OUT_OF_SCOPE, &[]), &[]);
        report.add(&line("redirect_tax"), &meaning("fee", &[]), &[("fee", 0.9)]);
        report.add(&line("redirect_tax"), &meaning(OUT_OF_SCOPE, &[]), &[]);
        report.add(&line(CLARIFY_TOPIC), &meaning(CLARIFY, &["fee", "duration"]), &[]);
        let Counts { messages, right, rightly_asked, wrong, .. } = report.in_scope;
        assert_eq!((messages, right, rightly_asked, wrong), (5, 2, 1, 1));
        assert!((report.helped() - 60.0).abs() < 1e-9);
        assert!((report.outside_recall() - 50.0).abs() < 1e-9);
        assert_eq!(report.all.wrong, 2);
        assert_eq!(report.confused.len(), 2);
        assert!(report.to_string().contains("redirect_tax answered as fee"));
    }
}
