//! The few words that always work: stop, start, wrong person, menu.
//!
//! A message is a command only as a whole; a sentence that merely holds the word ("kapan mulai?")
//! is a question and none of this file's business.

use super::state::words;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Send nothing more.
    Stop,
    /// Messages are welcome again.
    Start,
    /// This phone is not theirs.
    WrongPerson,
    /// Show what can be asked.
    Menu,
}

/// The whole message, in small letters and without spaces.
const COMMANDS: &[(&str, Command)] = &[
    ("berhenti", Command::Stop),
    ("stop", Command::Stop),
    ("unsubscribe", Command::Stop),
    ("mulai", Command::Start),
    ("start", Command::Start),
    ("bukansaya", Command::WrongPerson),
    ("salahorang", Command::WrongPerson),
    ("salahnomor", Command::WrongPerson),
    ("nomorsalah", Command::WrongPerson),
    ("salahsambung", Command::WrongPerson),
    ("menu", Command::Menu),
    ("bantuan", Command::Menu),
];

/// Polite words around a command that change nothing.
const POLITE: &[&str] = &[
    "tolong", "mohon", "mau", "ingin", "saya", "aku", "sy", "dong", "ya", "aja", "saja", "min",
    "admin", "pak", "bu", "bapak", "ibu", "kak", "mas", "mbak", "please", "maaf",
];

/// The command that a message is, if it is one.
pub(super) fn parse(text: &str) -> Option<Command> {
    // Asked as a question it is no order.
    if text.contains('?') || text.contains('？') {
        return None;
    }
    let words = words(text);
    let plain: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !POLITE.contains(word)).collect();
    let said_with_saya: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word == "saya" || !POLITE.contains(word))
        .collect();
    find(&words.concat())
        .or_else(|| find(&plain.concat()))
        .or_else(|| find(&said_with_saya.concat()))
        .or_else(|| {
            let first = find(plain.first()?)?;
            plain.iter().all(|word| find(word) == Some(first)).then_some(first)
        })
}

fn find(joined: &str) -> Option<Command> {
    COMMANDS.iter().find(|(word, _)| *word == joined).map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_works_in_any_case_spacing_and_politeness() {
        for text in [
            "BERHENTI",
            "berhenti.",
            "B E R H E N T I",
            "Stop!",
            "stop stop",
            "s.t.o.p",
            "unsubscribe",
            "tolong berhenti",
            "saya mau berhenti ya",
            "STOP\n",
            " Stop dong pak",
            "berhenti/stop",
        ] {
            assert_eq!(parse(text), Some(Command::Stop), "{text}");
        }
        for text in ["MULAI", "start", "mau mulai", "M U L A I"] {
            assert_eq!(parse(text), Some(Command::Start), "{text}");
        }
        for text in [
            "BUKAN SAYA",
            "bukansaya",
            "Maaf, bukan saya pak",
            "salah  orang!",
            "SALAHORANG",
            "salah nomor",
            "nomor salah pak",
        ] {
            assert_eq!(parse(text), Some(Command::WrongPerson), "{text}");
        }
        for text in ["menu", "Bantuan", "MENU."] {
            assert_eq!(parse(text), Some(Command::Menu), "{text}");
        }
    }

    #[test]
    fn a_sentence_that_holds_the_word_is_no_command() {
        for text in [
            "jangan berhenti kirim kabar",
            "kapan mulai?",
            "mulai jam berapa",
            "stop?",
            "berhenti kerja",
            "salah orang tua di kk",
            "bukan",
            "menu makan siang",
            "bantuan sosial",
            "",
            "?!",
            "itu bukan saya di foto",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
