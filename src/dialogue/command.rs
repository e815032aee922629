//! The few words that always work: stop, start, wrong person, menu, cancel and the like.
//!
//! A message is a command only as a whole; a sentence that merely holds the word ("kapan mulai?")
//! is a question and none of this file's business.

use super::state::words;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;

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
    /// A chat was opened, perhaps with a code that the service has looked at already.
    Open,
    /// Where is my card?
    Status,
    /// Which requirements?
    Requirements,
    /// Told by this channel first.
    Prefer(ChannelKind),
    /// Leave whatever is going on.
    Cancel,
    /// The long form of the last answer.
    Full,
    /// What is kept about me?
    DataMine,
    /// Delete it.
    DataDelete,
    /// Answer in this language.
    Speak(Language),
    /// The talk with an officer is over.
    Done,
    /// Go on with the survey.
    Continue,
    /// Rate the service.
    Survey,
    /// Report something, as answers about money invite to.
    Report,
    /// Their card is in their hands.
    Taken,
}

/// Telegram's commands, without the slash; also what its menu lists.
const SLASHES: &[(&str, Command)] = &[
    ("start", Command::Open),
    ("status", Command::Status),
    ("syarat", Command::Requirements),
    ("berhenti", Command::Stop),
    ("stop", Command::Stop),
    ("mulai", Command::Start),
    ("bantuan", Command::Menu),
    ("help", Command::Menu),
    ("menu", Command::Menu),
    ("batal", Command::Cancel),
    ("lengkap", Command::Full),
    ("datasaya", Command::DataMine),
    ("hapusdata", Command::DataDelete),
    ("selesai", Command::Done),
    ("lanjut", Command::Continue),
    ("nilai", Command::Survey),
    ("english", Command::Speak(Language::English)),
];

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
    ("batal", Command::Cancel),
    ("batalkan", Command::Cancel),
    ("cancel", Command::Cancel),
    ("lengkap", Command::Full),
    ("lengkapnya", Command::Full),
    ("selengkapnya", Command::Full),
    ("detail", Command::Full),
    ("datasaya", Command::DataMine),
    ("hapusdata", Command::DataDelete),
    ("hapusdatasaya", Command::DataDelete),
    ("english", Command::Speak(Language::English)),
    ("inggris", Command::Speak(Language::English)),
    ("bahasainggris", Command::Speak(Language::English)),
    ("indonesia", Command::Speak(Language::Indonesian)),
    ("bahasaindonesia", Command::Speak(Language::Indonesian)),
    ("full", Command::Full),
    ("selesai", Command::Done),
    ("done", Command::Done),
    ("lanjut", Command::Continue),
    ("lanjutkan", Command::Continue),
    ("nilai", Command::Survey),
    ("survei", Command::Survey),
    ("survey", Command::Survey),
    ("lapor", Command::Report),
    ("laporkan", Command::Report),
    ("diambil", Command::Taken),
    ("sudahdiambil", Command::Taken),
    ("sudahsayaambil", Command::Taken),
    ("sudahdiambilktpnya", Command::Taken),
    ("ktpsudahdiambil", Command::Taken),
    ("ktpnyasudahdiambil", Command::Taken),
    ("ktpsudahsayaambil", Command::Taken),
    ("sudahambil", Command::Taken),
    ("sudahambilktp", Command::Taken),
    ("sdhdiambil", Command::Taken),
    ("udahdiambil", Command::Taken),
    ("udahsayaambil", Command::Taken),
    ("sampundipendhet", Command::Taken),
];

/// Polite words around a command that change nothing.
const POLITE: &[&str] = &[
    "tolong", "mohon", "mau", "ingin", "saya", "aku", "sy", "dong", "ya", "aja", "saja", "min",
    "admin", "pak", "bu", "bapak", "ibu", "kak", "mas", "mbak", "please", "maaf",
];

/// Of these, the words of a wish.
const WISH: &[&str] = &["tolong", "mohon", "mau", "ingin", "please"];

/// `/status`, `/status@kabar_bot`, `/start abc`.
fn slash(text: &str) -> Option<Command> {
    let word = text.trim().strip_prefix('/')?.split_whitespace().next()?;
    let word = word.split('@').next()?.to_lowercase();
    SLASHES.iter().find(|(name, _)| *name == word).map(|(_, command)| *command)
}

/// "kirim lewat SMS saja": a way, one channel, and nothing else of weight.
fn wish(words: &[String]) -> Option<Command> {
    const WAYS: &[&str] = &["lewat", "via", "pakai", "liwat"];
    const AROUND: &[&str] =
        &["kirim", "kabari", "kabar", "dikabari", "ke", "lebih", "suka", "pilih"];
    let channel = |word: &str| match word {
        "sms" => Some(ChannelKind::Sms),
        "wa" | "whatsapp" => Some(ChannelKind::Whatsapp),
        "telegram" | "tele" => Some(ChannelKind::Telegram),
        _ => None,
    };
    let mut wished = words.iter().filter_map(|word| channel(word));
    let one = wished.next().filter(|_| wished.next().is_none())?;
    let has_way = words.iter().any(|word| WAYS.contains(&word.as_str()));
    let is_plain = words.iter().all(|word| {
        let word = word.as_str();
        channel(word).is_some() || [WAYS, AROUND, POLITE].iter().any(|list| list.contains(&word))
    });
    (has_way && is_plain).then_some(Command::Prefer(one))
}

/// The command that a message is, if it is one.
pub(super) fn parse(text: &str) -> Option<Command> {
    if let Some(command) = slash(text) {
        return Some(command);
    }
    // Asked as a question it is no order.
    if text.contains('?') || text.contains('？') {
        return None;
    }
    let words = words(text);
    if let Some(command) = wish(&words) {
        return Some(command);
    }
    let plain: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !POLITE.contains(word)).collect();
    let said_with_saya: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word == "saya" || !POLITE.contains(word))
        .collect();
    // Whoever wants to collect a card does not have it.
    let is_wish = words.iter().any(|word| WISH.contains(&word.as_str()));
    find(&words.concat())
        .or_else(|| find(&plain.concat()))
        .or_else(|| find(&said_with_saya.concat()))
        .or_else(|| {
            let first = find(plain.first()?)?;
            plain.iter().all(|word| find(word) == Some(first)).then_some(first)
        })
        .filter(|command| !(is_wish && *command == Command::Taken))
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
    fn what_leads_through_a_conversation_works_as_a_whole_message_only() {
        for (text, command) in [
            ("BATAL", Command::Cancel),
            ("batal dong", Command::Cancel),
            ("LENGKAP", Command::Full),
            ("selengkapnya ya", Command::Full),
            ("Data saya", Command::DataMine),
            ("HAPUS DATA", Command::DataDelete),
            ("tolong hapus data saya", Command::DataDelete),
            ("English please", Command::Speak(Language::English)),
            ("bahasa Inggris", Command::Speak(Language::English)),
            ("Bahasa Indonesia", Command::Speak(Language::Indonesian)),
            ("Selesai.", Command::Done),
            ("lanjut", Command::Continue),
            ("NILAI", Command::Survey),
            ("LAPOR", Command::Report),
        ] {
            assert_eq!(parse(text), Some(command), "{text}");
        }
        for text in ["batal nikah", "syarat lengkap", "data saya aman?", "kapan selesai", "nilai 9"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn telegrams_commands_work_with_the_bots_name_and_a_payload() {
        assert_eq!(parse("/status"), Some(Command::Status));
        assert_eq!(parse("/syarat@kabar_bot"), Some(Command::Requirements));
        assert_eq!(parse("/start K7QX3M9P"), Some(Command::Open));
        assert_eq!(parse("/STOP"), Some(Command::Stop));
        assert_eq!(parse("/berhenti"), Some(Command::Stop));
        assert_eq!(parse("/bantuan"), Some(Command::Menu));
        assert_eq!(parse("/"), None);
        assert_eq!(parse("/rahasia"), None);
    }

    #[test]
    fn somebody_may_choose_the_channel() {
        for text in ["lewat SMS", "kirim lewat sms saja", "tolong kabari saya via SMS ya"] {
            assert_eq!(parse(text), Some(Command::Prefer(ChannelKind::Sms)), "{text}");
        }
        assert_eq!(parse("pakai WA aja"), Some(Command::Prefer(ChannelKind::Whatsapp)));
        assert_eq!(parse("lewat telegram"), Some(Command::Prefer(ChannelKind::Telegram)));
        for text in ["sms", "lewat sms atau wa", "daftar lewat wa bisa", "lewat mana", "lewat sms?"]
        {
            assert!(!matches!(parse(text), Some(Command::Prefer(_))), "{text}");
        }
    }

    #[test]
    fn whoever_wants_to_collect_a_card_does_not_say_that_they_have_it() {
        for text in ["diambil", "sudah diambil pak", "saya sudah ambil", "sudah saya ambil ya"] {
            assert_eq!(parse(text), Some(Command::Taken), "{text}");
        }
        for text in ["mau diambil pak", "saya mau diambil", "tolong diambil", "ingin diambil ya"] {
            assert_eq!(parse(text), None, "{text}");
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
