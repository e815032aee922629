//! `kabar answers draft`: the skeleton of an answer file, with the wordings of a question in it.

use std::path::{Path, PathBuf};

use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::QuestionGroupId;
use kabar::domain::message::MessageText;
use kabar::service::teach::wordings;
use kabar::store::question_list::find_group;

use super::no_such;
use crate::cli::{ConfigArg, hinted, init, office, one_line};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Draft {
    /// As it stands on the list: qgr_…
    #[arg(value_name = "GROUP")]
    id: QuestionGroupId,
    /// Where to write it; as it holds words of citizens, only its owner can read it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) async fn run(args: Draft) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let zone = config.office_area.zone();
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let group = find_group(&db, args.id).await?.ok_or_else(|| no_such(args.id))?;
    let texts = wordings(&db, args.id).await?;
    db.close().await;
    let today = SystemClock.now().in_zone(zone.offset()).date_naive().to_string();
    write(&args.file, &skeleton(&texts, &group.near, &today))?;
    println!(
        "Wrote {} with {} examples. Fill it in, put it into the folder `answers` of your texts, and \
         run `kabar templates check`.",
        args.file.display(),
        texts.len()
    );
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if file.symlink_metadata().is_ok() {
        return Err(hinted(
            format!("{} exists already and is left as it is", file.display()),
            "name another file",
        ));
    }
    init::write_private(file, text)
}

/// The file with everything an answer needs; what is empty is for a human to fill in.
fn skeleton(texts: &[MessageText], near: &[String], today: &str) -> String {
    let near = if near.is_empty() { "none".to_owned() } else { near.join(", ") };
    let examples: Vec<String> = texts
        .iter()
        .map(|text| format!("  {},", toml::Value::String(one_line(text.expose()))))
        .collect();
    let examples = examples.join("\n");
    format!(
        "# A new answer. The neighbours of this file show how each part is written.\n\
         # Take names and places of citizens out of the examples, and add more: an answer needs twelve.\n\
         # The question seemed near to: {near}.\n\
         \n\
         # A label of the list; a new one has to be added to the program.\n\
         intent = \"\"\n\
         # At most 20 characters, and the same in English.\n\
         button = \"\"\n\
         button_en = \"\"\n\
         title = \"\"\n\
         # What a citizen reads, and the same in plain English.\n\
         text = \"\"\n\
         english = \"\"\n\
         legal_basis = \"\"\n\
         # Who says so, the same for English readers, and when that was looked up.\n\
         source = \"\"\n\
         source_en = \"\"\n\
         checked_on = \"{today}\"\n\
         examples = [\n{examples}\n]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_a_file_that_reads_whatever_citizens_wrote() {
        let texts = [
            "ktp \"bapak\" luntur",
            "a\\b'c\n[examples]\n'''\"\"\"",
            "\u{1b}[2J \u{7f} {{ office }}",
            "",
        ]
        .map(MessageText::new);
        let near = ["req_ktp_damaged".to_owned(), "photo_change".to_owned()];
        let draft = skeleton(&texts, &near, "2026-11-22");
        let table: toml::Table = draft.parse().unwrap();
        let examples: Vec<&str> =
            table["examples"].as_array().unwrap().iter().filter_map(|e| e.as_str()).collect();
        assert_eq!(examples.len(), 4, "{draft}");
        assert_eq!(examples[0], "ktp \"bapak\" luntur");
        assert_eq!(examples[1], "a\\b'c [examples] '''\"\"\"");
        assert_eq!(table["checked_on"].as_str(), Some("2026-11-22"));
        assert!(draft.contains("near to: req_ktp_damaged, photo_change."));
    }
}
