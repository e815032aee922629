//! What is kept about somebody, and the request to delete it. Nothing is deleted here: a request
//! goes to the office.

use crate::dialogue::input::{Effect, KeptFact, Need};
use crate::dialogue::line::{Holes, Line, MAX_CHARS, MAX_SMS_UNITS, sms_units};
use crate::dialogue::state::Flow;
use crate::dialogue::turn::{Said, Turn, said};

/// What was answered last when it was this; the long form of it is told by LENGKAP.
const LABEL: &str = "data_mine";
/// Longest short form in a chat.
const MAX_SHORT: usize = 700;
/// Cards and tickets named at most; the rest is counted.
const MOST_SHOWN: usize = 10;

impl Turn<'_> {
    /// DATA SAYA: only what belongs to whoever writes.
    pub(in crate::dialogue) fn data_mine(&self) -> Said {
        let kept = self.fact(self.input.kept.as_ref(), Need::Kept);
        let text = self.fitting(Line::DataMine, &kept, MAX_SHORT);
        // In an SMS the words say what to send, and there is no room for a list of one choice.
        let offered = self.script.offer_in("data_deletion", self.language);
        let choices = offered.into_iter().filter(|_| !self.is_sms()).collect();
        Said { answered: Some(LABEL.to_owned()), ..said("privacy", text, choices) }
    }

    /// The same with everything there is to say; nothing when something else was answered last.
    pub(in crate::dialogue) fn data_in_full(&self, label: &str) -> Option<Said> {
        if label != LABEL {
            return None;
        }
        let kept = self.fact(self.input.kept.as_ref(), Need::Kept);
        let part = |line| self.fitting(line, &kept, MAX_CHARS);
        let more = vec![part(Line::DataTalk), part(Line::DataRights)];
        Some(Said { more, ..said("privacy", part(Line::DataPerson), Vec::new()) })
    }

    /// A line with as many cards and tickets by name as fit into one message.
    fn fitting(&self, line: Line, kept: &KeptFact, most: usize) -> String {
        let fits = |text: &str| {
            let is_short = text.chars().count() <= most;
            if self.is_sms() { sms_units(text) <= MAX_SMS_UNITS } else { is_short }
        };
        let mut text = String::new();
        for shown in (0..=MOST_SHOWN).rev() {
            let holes = Holes {
                cards: self.registered_cards(),
                kept: Some(kept),
                shown,
                rated: self.state.rated(self.input.now).len(),
                ..self.holes()
            };
            text = self.text(line, holes);
            if fits(&text) {
                break;
            }
        }
        text
    }

    pub(in crate::dialogue) fn ask_deletion(&self) -> Said {
        self.say("data_deletion", Line::DeletionAsk).going_on(Flow::Deletion)
    }

    /// Said yes; nothing when nobody asked just now.
    pub(in crate::dialogue) fn delete(&self) -> Option<Said> {
        let is_asked = matches!(self.flow()?, Flow::Deletion);
        is_asked.then(|| {
            self.say("data_deletion", Line::DeletionNoted)
                .with(Effect::RequestDeletion)
                .with(Effect::OptOut)
        })
    }
}
