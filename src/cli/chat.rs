//! `kabar chat`: the whole conversation in a terminal, printed in the form of `tests/dialogues`.

use std::io::{BufRead as _, IsTerminal as _};

use kabar::dialogue::{self, State, transcript};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::message::ChannelKind;
use kabar::domain::phone::PhoneNumber;
use kabar::service::{conversation, knowledge, needed};

use super::{ConfigArg, hinted, office, output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Write as the owner of this number; needs a configuration
    #[arg(long = "as", value_name = "PHONE")]
    phone: Option<String>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let phone = match &args.phone {
        Some(raw) => Some(PhoneNumber::parse(raw).map_err(|error| {
            hinted(format!("--as: {error}"), "a mobile number like 0812-3456-7890")
        })?),
        None => None,
    };
    // Without a number nothing on file matters, and no office is needed.
    let app = match &phone {
        Some(_) => Some(office::open(office::load(&args.config)?).await?.app),
        None => None,
    };
    let (_, script) = office::texts(None)?;
    let script = app.as_ref().map_or(script, |app| (*app.script()).clone());
    let understanding = match &app {
        Some(app) => knowledge::understanding(app).await?,
        None => office::train(&script)?,
    };
    let name =
        app.as_ref().map_or_else(|| "Dukcapil".to_owned(), |app| app.settings.office_name.clone());
    let mut state = State::default();
    // Typed words are on the screen already; piped ones belong to the transcript.
    let is_terminal = std::io::stdin().is_terminal();
    let mut input_lines = std::io::stdin().lock().lines();
    loop {
        if is_terminal {
            print!("> ");
            output::flush();
        }
        let Some(line) = input_lines.next().filter(|_| !output::is_over()) else { break };
        let line = line?;
        if !is_terminal {
            println!("> {line}");
        }
        let now = SystemClock.now();
        // A title in brackets is a button pressed.
        let pressed = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let offered = |title: &str| state.offered.iter().find(|offer| offer.title == title);
        let choice = pressed.and_then(offered).map(|offer| offer.id.clone());
        let mut input = conversation::read_text(
            &understanding,
            &name,
            &line,
            choice,
            ChannelKind::Whatsapp,
            now,
        );
        if let (Some(app), Some(phone)) = (&app, &phone) {
            conversation::add_facts(app, phone, state.language, &mut input).await?;
        }
        let mut step = dialogue::step(&script, &state, &input);
        if !step.needs.is_empty() {
            if let Some(app) = &app {
                needed::add_needed_facts(app, &step.needs, state.language, &mut input).await?;
            }
            // Nothing is kept here: any number shows what would be said.
            input.number = input.number.or_else(|| Some("P-7KQ4".to_owned()));
            step = dialogue::step(&script, &state, &input);
        }
        for reply in &step.replies {
            for line in transcript::lines_of(reply) {
                println!("< {line}");
            }
        }
        for effect in &step.effects {
            println!("* {}", transcript::effect_name(effect));
        }
        state = step.state;
    }
    Ok(())
}
