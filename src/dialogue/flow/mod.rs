//! What is said and done, one file a matter; which of them has its turn is decided in `step`.

mod appointment;
mod complaint;
pub(super) mod cut;
mod data;
mod delivery;
mod delivery_words;
mod home_visit;
mod human;
mod language;
mod own_visit;
mod question;
mod status;
mod survey;

use super::input::Effect;
use super::line::Line;
use super::picked::Button;
use super::state::{Flow, is_yes, words};
use super::step::fits_chat;
use super::turn::{Said, Turn};

/// What no longer leaves questions in the middle.
const LEAVING: &[&str] =
    &["help_capabilities", "stop", "subscribe", "wrong_person", "human", "cancel", "language"];

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
            Flow::HomeVisit { .. } => self.go_on_home(),
        }
    }

    /// An answer to something else in the middle of questions: the one that is open is put once more.
    pub(super) fn keep_going(&self, mut answer: Said) -> Said {
        let is_left = answer.is_over
            || answer.is_silent
            || answer.flow.is_some()
            || !answer.effects.iter().all(|effect| *effect == Effect::UnknownQuestion)
            || LEAVING.contains(&answer.intent.as_str());
        let pending = match self.flow() {
            _ if is_left => None,
            Some(Flow::Appointment { service, answers, .. }) => {
                Some(self.pending(service, answers))
            }
            Some(Flow::HomeVisit { .. }) => self.pending_home(),
            _ => None,
        };
        let Some(pending) = pending else { return answer };
        let whole = format!("{}\n\n{}", answer.text, pending.text);
        if !self.is_sms() && fits_chat(&whole) && answer.more.is_empty() {
            answer.text = whole;
        } else {
            answer.more.push(pending.text);
        }
        Said { choices: pending.choices, all_choices: None, flow: pending.flow, ..answer }
    }

    /// Not what was offered: what is going on is left.
    pub(super) fn leave(&self) -> Option<Said> {
        match self.flow()? {
            Flow::Deletion => Some(self.say("data_deletion", Line::DeletionLeft)),
            Flow::Complaint { .. } => Some(self.say("complaint", Line::PungliLeft)),
            Flow::Survey { .. }
            | Flow::Receiver { .. }
            | Flow::Day { .. }
            | Flow::Appointment { .. }
            | Flow::HomeVisit { .. } => None,
        }
    }

    /// The answer to a question that is long over.
    pub(super) fn expired(&self) -> Said {
        let again = match &self.state.flow {
            Some(Flow::Complaint { .. }) => Some("complaint"),
            Some(Flow::Deletion) => Some("data_deletion"),
            Some(Flow::Survey { .. }) => Some("survey"),
            Some(Flow::Appointment { .. }) => Some("online_registration"),
            Some(Flow::HomeVisit { .. }) => Some(home_visit::INTENT),
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
