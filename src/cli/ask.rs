//! `kabar ask`: answers questions from standard input, with no database and no network.

use std::io::{BufRead as _, Write as _};

use kabar::dialogue::{self, Script, State};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::message::ChannelKind;
use kabar::service::conversation;
use kabar::understand::report::{self, Report};
use kabar::understand::{CLARIFY, Understanding};

/// What depends on who asks, and so has no answer here.
const PERSONAL: [&str; 1] = ["status_card"];
/// Longest line read; a longer one is cut, as a channel would.
const LONGEST_LINE: usize = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object a line: text, intent, confidence, alternatives, answer
    #[arg(long)]
    jsonl: bool,
    /// Measure on a file of labelled messages instead: label, second label or nothing, style and
    /// text, set apart by tabs
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    evaluate: Vec<std::path::PathBuf>,
    /// With --evaluate: list every message that was neither answered rightly nor rightly asked about
    #[arg(long, requires = "evaluate")]
    misses: bool,
    /// A folder `message_templates` of your own
    #[arg(long, value_name = "DIR")]
    templates: Option<std::path::PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match read_and_answer(args) {
        Err(error) if super::output::is_unread(&error) => Ok(()),
        done => done,
    }
}

fn read_and_answer(args: &Args) -> anyhow::Result<()> {
    let (_, script) = super::office::texts(args.templates.as_deref())?;
    let understanding = super::office::train(&script)?;
    let mut out = std::io::stdout().lock();
    if !args.evaluate.is_empty() {
        return evaluate(&mut out, args, &understanding);
    }
    let mut input = std::io::stdin().lock();
    let mut raw = Vec::new();
    loop {
        raw.clear();
        if input.read_until(b'\n', &mut raw)? == 0 {
            return Ok(());
        }
        raw.truncate(LONGEST_LINE);
        let line = String::from_utf8_lossy(&raw);
        let text = line.trim_end_matches(['\n', '\r']);
        answer(&mut out, args.jsonl, text, &script, &understanding)?;
        out.flush()?;
    }
}

/// Reads labelled messages and prints how they were understood.
fn evaluate(
    out: &mut impl std::io::Write,
    args: &Args,
    understanding: &Understanding,
) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for file in &args.evaluate {
        let name = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| {
            super::hinted(format!("{name}: {error}"), "name a file that is there")
        })?;
        lines.extend(report::parse(&text).map_err(|error| {
            super::hinted(
                format!("{name}: {error}"),
                "tests/understanding has files to compare with",
            )
        })?);
    }
    if args.misses {
        for line in &lines {
            let meaning = understanding.understand(&line.text);
            let fits = |label: &String| *label == line.label || *label == line.also;
            let has_asked = meaning.intent == CLARIFY;
            let is_offered = has_asked && meaning.alternatives.iter().any(fits);
            if !fits(&meaning.intent) && !is_offered {
                let intent = &meaning.intent;
                writeln!(
                    out,
                    "{}\t{intent}\t{:.2}\t{}",
                    line.label, meaning.confidence, line.text
                )?;
            }
        }
        writeln!(out)?;
    }
    write!(out, "{}", Report::measure(understanding, &lines))?;
    Ok(())
}

fn answer(
    out: &mut impl std::io::Write,
    is_json: bool,
    text: &str,
    script: &Script,
    understanding: &Understanding,
) -> anyhow::Result<()> {
    let office = "Dukcapil";
    let now = SystemClock.now();
    let input =
        conversation::read_text(understanding, office, text, None, ChannelKind::Whatsapp, now);
    let meaning = input.meaning.clone();
    let step = dialogue::step(script, &State::default(), &input);
    let is_personal = PERSONAL.contains(&step.intent.as_str());
    let reply = step.replies.first().map(|reply| reply.text.clone()).filter(|_| !is_personal);
    if is_json {
        let confidence = (f64::from(meaning.confidence) * 1000.0).round() / 1000.0;
        let line = serde_json::json!({
            "text": text, "intent": step.intent, "confidence": confidence,
            "alternatives": meaning.alternatives, "answer": reply,
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(out, "{} ({:.2})", step.intent, meaning.confidence)?;
        match reply {
            Some(reply) => writeln!(out, "{reply}\n")?,
            None => writeln!(out, "(depends on who asks)\n")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kabar::understand::LABELS;

    use super::*;

    #[test]
    fn what_depends_on_who_asks_has_no_answer_and_the_rest_has_one() {
        let script = Script::embedded(LABELS).unwrap();
        let understanding = crate::cli::office::train(&script).unwrap();
        let ask = |text: &str| {
            let mut out = Vec::new();
            answer(&mut out, true, text, &script, &understanding).unwrap();
            serde_json::from_slice::<serde_json::Value>(&out).unwrap()
        };
        let status = ask("ktp sy udah jadi blm ya?");
        assert_eq!(
            (status["intent"].as_str(), status["answer"].as_str()),
            (Some("status_card"), None)
        );
        let lost = ask("syarat ktp hilang apa aja?");
        assert_eq!(lost["intent"], "req_ktp_lost");
        assert!(lost["answer"].as_str().unwrap().to_lowercase().contains("gratis"));
    }
}
