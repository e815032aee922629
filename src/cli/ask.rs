//! `kabar ask`: answers questions from standard input, with no database and no network.

use std::io::{BufRead as _, Write as _};

use kabar::dialogue::{self, Script, State};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::message::ChannelKind;
use kabar::service::conversation;
use kabar::understand::Understanding;

/// What depends on who asks, and so has no answer here.
const PERSONAL: [&str; 1] = ["status_card"];
/// Longest line read; a longer one is cut, as a channel would.
const LONGEST_LINE: usize = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object a line: text, intent, confidence, alternatives, answer
    #[arg(long)]
    jsonl: bool,
    /// A folder `message_templates` of your own
    #[arg(long, value_name = "DIR")]
    templates: Option<std::path::PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let (_, script) = super::office::texts(args.templates.as_deref())?;
    let understanding = super::office::train(&script)?;
    let mut out = std::io::stdout().lock();
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
