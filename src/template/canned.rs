//! Ready answers that an officer picks in a conversation.
//!
//! Citizens read them, so they are held to what every sentence keeps; what becomes of one after an officer has
//! picked it is the officer's own word, and not looked at here.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::folder::own_or;
use super::problem::Problem;
use super::segment::{segments, to_gsm};
use super::text::Text;
use super::writing;
use crate::domain::redact::redact;

const FILE: &str = "console/canned.toml";
const BUILT_IN: &str = include_str!("../../message_templates/console/canned.toml");

/// Parts that an SMS of one may have, with the longest name of an office.
const MAX_PARTS: usize = 3;
/// Longest title: it stands on a button.
const MAX_TITLE: usize = 30;
const LONG_OFFICE: &str =
    "Dinas Kependudukan dan Pencatatan Sipil Kabupaten Penukal Abab Lematang Ilir";
/// The only placeholder.
const OFFICE: &str = "office";

/// One ready answer.
#[derive(Clone, Debug)]
pub struct Canned {
    /// By which it is asked for.
    pub id: String,
    /// What officers read on its button.
    pub title: String,
    text: Text,
}

impl Canned {
    /// Its words, with the office's name.
    #[must_use]
    pub fn words(&self, office: &str) -> String {
        self.text.map(|_| office.to_owned())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    canned: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    title: String,
    text: String,
}

/// Reads `console/canned.toml` of that folder; the built-in one where the folder has none.
pub(super) fn load(
    dir: Option<&Path>,
    capitals: Option<&BTreeSet<String>>,
    problems: &mut Vec<Problem>,
) -> Vec<Canned> {
    let content = match own_or(dir, FILE, BUILT_IN) {
        Ok(content) => content,
        Err(problem) => {
            problems.push(problem);
            return Vec::new();
        }
    };
    parse(&content, capitals, problems)
}

fn parse(
    content: &str,
    capitals: Option<&BTreeSet<String>>,
    problems: &mut Vec<Problem>,
) -> Vec<Canned> {
    let file: File = match toml::from_str(content) {
        Ok(file) => file,
        Err(error) => {
            problems.push(Problem::of_toml(FILE, content, &error));
            return Vec::new();
        }
    };
    let mut ids = BTreeSet::new();
    let mut all = Vec::new();
    for entry in file.canned {
        let Entry { id, title, text } = entry;
        let text = Text::parse(FILE, &text, problems);
        writing::check(&text, capitals, problems);
        let canned = Canned { id, title, text };
        let faults = faults(&canned, ids.insert(canned.id.clone()));
        for (what, hint) in faults {
            problems.push(Problem::new(FILE, format!("{}: {what}", canned.id), hint));
        }
        all.push(canned);
    }
    all
}

fn faults(canned: &Canned, is_first: bool) -> Vec<(String, &'static str)> {
    let mut faults = Vec::new();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if canned.id.is_empty() || !canned.id.chars().all(is_plain) {
        faults.push(("the id is none".to_owned(), "small letters, digits and _"));
    }
    if !is_first {
        faults.push(("the id stands twice".to_owned(), "give each answer its own"));
    }
    if !(1..=MAX_TITLE).contains(&canned.title.trim().chars().count()) {
        faults.push(("the title is empty or too long".to_owned(), "1 to 30 characters"));
    }
    for name in canned.text.placeholders().into_iter().filter(|name| *name != OFFICE) {
        faults.push((format!("the placeholder {name}"), "only office is known here"));
    }
    let words = to_gsm(&canned.words(LONG_OFFICE));
    let cost = segments(&words);
    if cost.encoding != super::segment::Encoding::Gsm7 {
        let what = "a character that plain SMS does not have".to_owned();
        faults.push((what, "use letters, digits and plain punctuation"));
    } else if cost.parts > MAX_PARTS {
        faults.push((format!("{} parts as SMS", cost.parts), "shorten it to three"));
    }
    if redact(&words).text != words {
        let what = "something like a NIK, a phone number or a code".to_owned();
        faults.push((what, "leave it out: it is sent to many people"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(content: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let capitals = BTreeSet::from(["KK".to_owned()]);
        parse(content, Some(&capitals), &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    fn one(id: &str, title: &str, text: &str) -> String {
        format!("[[canned]]\nid = \"{id}\"\ntitle = \"{title}\"\ntext = \"{text}\"\n")
    }

    #[test]
    fn a_ready_answer_is_held_to_what_every_sentence_keeps() {
        assert_eq!(
            problems(&one("kk", "Bawa KK", "Bawa KK ke {{ office }}.")),
            Vec::<String>::new()
        );
        for (id, title, text, expected) in [
            ("Kk", "Bawa", "Bawa KK.", "the id is none"),
            ("kk", "", "Bawa KK.", "the title is empty"),
            ("kk", "Bawa", "Bawa KK!", "an exclamation mark"),
            ("kk", "Bawa", "SEGERA bawa KK.", "SEGERA in capitals"),
            ("kk", "Bawa", "Bawa {{ nama }}.", "the placeholder nama"),
            ("kk", "Bawa", "Lihat dukcapil.go.id", "looks like a link"),
            ("kk", "Bawa", "Kirim ke 081234567890.", "something like a NIK"),
            ("kk", "Bawa", "Bawa KK ✓", "plain SMS does not have"),
            ("kk", "Bawa", &"bawa kartu ".repeat(50), "parts as SMS"),
        ] {
            let found = problems(&one(id, title, text));
            assert!(
                found.iter().any(|problem| problem.contains(expected)),
                "{expected}: {found:?}"
            );
        }
        let twice = format!("{}{}", one("kk", "A", "Bawa KK."), one("kk", "B", "Bawa KK."));
        assert!(problems(&twice)[0].contains("stands twice"));
    }

    #[test]
    fn a_folder_without_the_file_has_the_built_in_answers() {
        let mut found = Vec::new();
        let dir = tempfile::tempdir().unwrap();
        assert!(load(Some(dir.path()), None, &mut found).len() > 4);
        std::fs::create_dir(dir.path().join("console")).unwrap();
        std::fs::write(dir.path().join(FILE), one("kk", "Bawa KK", "Bawa KK ke {{ office }}."))
            .unwrap();
        let own = load(Some(dir.path()), None, &mut found);
        assert_eq!(own[0].words("kantor"), "Bawa KK ke kantor.");
        assert_eq!((own.len(), found), (1, Vec::new()));
    }
}
