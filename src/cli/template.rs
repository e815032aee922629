//! `kabar templates`: check and show the texts citizens read.

use std::path::PathBuf;
use std::process::ExitCode;

use kabar::domain::card::AnnouncementKind;
use kabar::domain::document::Document;
use kabar::domain::message::ChannelKind;
use kabar::template::Templates;

use super::{hinted, office};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check every text; all faults are shown
    Check {
        /// A folder `message_templates` of your own
        #[arg(long, value_name = "DIR")]
        templates: Option<PathBuf>,
    },
    /// Show one announcement on every channel, and as it is registered with Meta
    Show {
        /// `card_printed`, `home_delivery_scheduled`, …
        name: String,
        /// A folder `message_templates` of your own
        #[arg(long, value_name = "DIR")]
        templates: Option<PathBuf>,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { templates } => {
            let (found, script) = office::texts(templates.as_deref())?;
            let examples = script.examples().count();
            let (answers, rules) = script.counts();
            println!(
                "{} announcements, {answers} answers, {rules} rules of areas and {examples} example \
                 questions, no faults",
                found.announcements().count()
            );
        }
        Command::Show { name, templates } => {
            let kind = name.parse::<AnnouncementKind>().map_err(|_| {
                let known: Vec<&str> =
                    AnnouncementKind::ALL.iter().map(|kind| kind.as_str()).collect();
                hinted(format!("there is no announcement {name:?}"), known.join(", "))
            })?;
            show(&office::texts(templates.as_deref())?.0, kind)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(templates: &Templates, kind: AnnouncementKind) -> anyhow::Result<()> {
    let announcement = templates.announcement(kind);
    println!("{}\n{}\n", kind, announcement.purpose);
    for wording in announcement.wordings() {
        println!(
            "WhatsApp template {} ({}, {})",
            wording.template, announcement.language, announcement.category
        );
        println!("{}", wording.whatsapp_body());
        if let Some(footer) = &announcement.footer {
            println!("-- {footer}");
        }
        for button in &wording.buttons {
            println!("[{}]", button.title);
        }
        println!();
    }
    for sample in templates.samples(kind) {
        for channel in [ChannelKind::Whatsapp, ChannelKind::Sms] {
            let rendered =
                templates.render_for(kind, Document::KtpEl, channel, &sample.values(channel))?;
            let segments =
                rendered.segments.map(|s| format!(", {} segment", s.parts)).unwrap_or_default();
            println!("[{channel}{segments}] {}", rendered.text);
        }
    }
    Ok(())
}
