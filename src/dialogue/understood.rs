//! Whether one turn of a conversation understood what was asked, for the office's list of what was
//! not.
//!
//! Looks at a turn from outside, and changes nothing of it. What is done about a question that was
//! not understood is not known here.

use super::command;
use super::input::{Effect, Input, Step};
use super::picked::{Button, Picked};
use super::state::State;

/// How far a question was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Understood {
    /// It was answered, or was no question.
    Yes,
    /// It was not.
    No,
    /// The bot asked what was meant; the next message shows whether what it offered was right.
    AskedBack,
    /// The citizen took one of the answers that were offered: the question before was understood.
    TakenUp,
}

/// Judges the turn that led from `state` with `input` to `step`.
#[must_use]
pub fn judge(state: &State, input: &Input, step: &Step) -> Understood {
    let picked = input.choice.as_deref().or_else(|| state.picked(&input.text, input.now));
    let is_command = command::parse(&input.text).is_some();
    if step.effects.contains(&Effect::UnknownQuestion) {
        return Understood::No;
    }
    if is_command || input.connection.is_some() {
        return Understood::Yes;
    }
    match picked.and_then(Picked::parse) {
        // Whoever asks for the menu found nothing in what was offered.
        Some(Picked::Answer(_) | Picked::Card(_) | Picked::Button(Button::Status)) => {
            Understood::TakenUp
        }
        None if step.intent == "clarify" => Understood::AskedBack,
        Some(_) | None => Understood::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::step;
    use crate::dialogue::tests::{input, script};

    /// What becomes of each message in turn.
    fn judged(messages: &[(&str, Option<&str>)]) -> Vec<Understood> {
        let mut state = State::default();
        let turn = |(text, choice): &(&str, Option<&str>)| {
            let mut input = input(text);
            input.choice = choice.map(str::to_owned);
            let step = step(script(), &state, &input);
            let judged = judge(&state, &input, &step);
            state = step.state;
            judged
        };
        messages.iter().map(turn).collect()
    }

    #[test]
    fn a_question_asked_back_is_understood_once_an_answer_is_taken() {
        use Understood::{AskedBack, No, TakenUp, Yes};
        assert_eq!(judged(&[("ktp", None), ("2", None)]), [AskedBack, TakenUp]);
        assert_eq!(judged(&[("ktp", None), ("KTP hilang", None)]), [AskedBack, TakenUp]);
        let pressed = ("Cek status", Some("do:status"));
        assert_eq!(judged(&[("ktp", None), pressed]), [AskedBack, TakenUp]);
        assert_eq!(judged(&[("ktp", None), ("menu", None)]), [AskedBack, Yes]);
        assert_eq!(judged(&[("ktp", None), ("ktp", None)]), [AskedBack, AskedBack]);
        assert_eq!(judged(&[("ktp", None), ("qwrtzp xkcd", None)]), [AskedBack, No]);
        assert_eq!(judged(&[("syarat ktp hilang apa aja", None)]), [Yes]);
    }

    #[test]
    fn what_the_menu_asks_is_no_question_of_a_citizen() {
        let pressed = ("Syarat", Some("do:requirements"));
        assert_eq!(judged(&[("/syarat", None)]), [Understood::Yes]);
        assert_eq!(judged(&[("menu", None), pressed]), [Understood::Yes; 2]);
    }
}
