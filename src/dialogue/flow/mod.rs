//! What is said and done, one file a matter; which of them has its turn is decided in `step`.

mod appointment;
mod complaint;
pub(super) mod cut;
mod data;
mod delivery;
mod delivery_words;
mod human;
mod language;
mod question;
mod status;
mod survey;

use super::line::Line;
use super::script::Button;
use super::state::{Flow, is_yes, words};
use super::turn::{Said, Turn};

impl Turn<'_> {
    /// What was begun goes on with a text that picks none of its choices; nothing when the text is
    /// about something else.
    pub(super) fn go_on(&self) -> Option<Said> {
        match self.flow()? {
            Flow::Complaint { category, text } => {
                self.go_on_complaining(*category, text.as_deref())
            }
            Flow::Deletion => {
                let words = words(&self.input.text);
                matches!(words.as_slice(), [word] if is_yes(word)).then(|| self.delete())?
            }
            Flow::Survey { left, taps } => self.go_on_rating(left, *taps),
            Flow::Receiver { item } => self.take_receiver(item.as_deref()),
            Flow::Day { item } => self.take_day(item.as_deref()),
            Flow::Appointment { service, answers, .. } => self.go_on_visiting(service, answers),
        }
    }

    /// Not what was offered: what is going on is left.
    pub(super) fn leave(&self) -> Option<Said> {
        match self.flow()? {
            Flow::Deletion => Some(self.say("data_deletion", Line::DeletionLeft)),
            Flow::Complaint { .. } => Some(self.say("complaint", Line::PungliLeft)),
            Flow::Survey { .. }
            | Flow::Receiver { .. }
            | Flow::Day { .. }
            | Flow::Appointment { .. } => None,
        }
    }

    /// The answer to a question that is long over.
    pub(super) fn expired(&self) -> Said {
        let again = match &self.state.flow {
            Some(Flow::Complaint { .. }) => Some("complaint"),
            Some(Flow::Deletion) => Some("data_deletion"),
            Some(Flow::Survey { .. }) => Some("survey"),
            Some(Flow::Appointment { .. }) => Some("online_registration"),
            Some(Flow::Receiver { .. } | Flow::Day { .. }) | None => None,
        };
        let mut choices: Vec<_> = again
            .and_then(|label| self.script.offer_in(label, self.language))
            .into_iter()
            .collect();
        if choices.is_empty() {
            choices.push(self.button(Button::Status));
            choices.push(self.button(Button::Requirements));
        }
        choices.push(self.button(Button::Menu));
        self.offer("expired", Line::Expired, choices)
    }
}
