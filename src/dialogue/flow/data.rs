//! What is kept about somebody, and the request to delete it. Nothing is deleted here: a request
//! goes to the office.

use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::state::Flow;
use crate::dialogue::turn::{Said, Turn, said};

impl Turn<'_> {
    /// DATA SAYA: only what belongs to whoever writes.
    pub(in crate::dialogue) fn data_mine(&self) -> Said {
        let kept = self.fact(self.input.kept.as_ref(), Need::Kept);
        let holes = Holes {
            cards: self.registered_cards(),
            since: &kept.since,
            received: kept.received,
            sent: kept.sent,
            ..self.holes()
        };
        let text = self.text(Line::DataMine, holes);
        said(
            "privacy",
            text,
            self.script.offer_in("data_deletion", self.language).into_iter().collect(),
        )
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
