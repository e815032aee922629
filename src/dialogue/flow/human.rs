//! A person, please: the talk with an officer, during which the bot keeps silent.

use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::state::Flow;
use crate::dialogue::turn::{Said, Turn};

impl Turn<'_> {
    /// Whether an officer is in the conversation.
    pub(in crate::dialogue) fn is_with_officer(&self) -> bool {
        self.input.ticket.is_some_and(|ticket| ticket.is_taken)
    }

    /// Ten wishes are one, and keep its place.
    pub(in crate::dialogue) fn human(&self) -> Said {
        let waiting = self.fact(self.input.waiting.as_ref(), Need::Queue);
        if let Some(ticket) = self.input.ticket {
            let holes = Holes { place: ticket.place, ..self.holes() };
            return self.say_with("human", Line::HumanWaiting, holes);
        }
        let holes = Holes { place: waiting + 1, ..self.holes() };
        self.say_with("human", Line::HumanOpened, holes).with(Effect::OpenTicket)
    }

    /// SELESAI ends the talk, or the survey; otherwise it is a word like any other.
    pub(in crate::dialogue) fn done(&self) -> Option<Said> {
        if self.input.ticket.is_some() {
            return Some(self.say("human", Line::HumanDone).with(Effect::CloseTicket));
        }
        matches!(self.flow()?, Flow::Survey { .. }).then(|| self.say("survey", Line::SurveyEnd))
    }
}
