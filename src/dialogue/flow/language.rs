//! In which language somebody is answered.

use crate::dialogue::line::Line;
use crate::dialogue::picked::Button;
use crate::dialogue::state::words;
use crate::dialogue::turn::{Said, Turn};
use crate::domain::language::Language;

/// Languages that are understood and not spoken, and the word for language in them.
const REGIONAL: &[&str] = &[
    "jawa",
    "jowo",
    "sunda",
    "sundanese",
    "javanese",
    "madura",
    "banjar",
    "bali",
    "minang",
    "batak",
    "bugis",
    "dayak",
    "ngaju",
    "betawi",
    "daerah",
    "krama",
    "ngoko",
    "basa",
    "boso",
];

impl Turn<'_> {
    /// Somebody speaks of a language: which one?
    pub(in crate::dialogue) fn language(&self) -> Said {
        let words = words(&self.input.text);
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        if has(&["english", "inggris"]) {
            self.speak(Language::English)
        } else if has(REGIONAL) {
            self.say("language", Line::LanguageRegional)
        } else if has(&["indonesia", "indonesian"]) {
            self.speak(Language::Indonesian)
        } else {
            self.say("language", Line::LanguageAsk)
        }
    }

    pub(in crate::dialogue) fn speak(&self, language: Language) -> Said {
        let said = self.speaking(language).say("language", Line::LanguageSet);
        Said { language: Some(language), ..said }
    }

    pub(in crate::dialogue) fn follow_language(&self, button: Button) -> Option<Said> {
        match button {
            Button::Indonesian => Some(self.speak(Language::Indonesian)),
            Button::English => Some(self.speak(Language::English)),
            _ => None,
        }
    }
}
