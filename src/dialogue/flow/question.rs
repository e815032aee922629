//! Questions with an answer in a file, two of them at once, the long form of the last one, and what
//! is asked back.

use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::Line;
use crate::dialogue::place::{Ask, PlaceWords};
use crate::dialogue::script::Button;
use crate::dialogue::state::words;
use crate::dialogue::step::{FEW_WORDS, fits_chat};
use crate::dialogue::turn::{Said, Turn, said};
use crate::domain::outbound::Choice;

/// Labels that begin something of their own; their files give the button and the examples.
const FLOWS: &[&str] = &["complaint", "data_deletion", "human", "language", "survey"];

impl Turn<'_> {
    /// What was understood, both of it where two things were asked.
    pub(in crate::dialogue) fn understood(&self) -> Said {
        let meaning = &self.input.meaning;
        let first = self.answer(&meaning.intent);
        match meaning.also.as_deref() {
            Some(also)
                if also != meaning.intent
                    && self.is_plain(&meaning.intent)
                    && self.is_plain(also) =>
            {
                self.both(first, also)
            }
            _ => first,
        }
    }

    /// Whether a label is answered with words and nothing else.
    fn is_plain(&self, label: &str) -> bool {
        let is_answer = self.script.answer(label).is_some() && !FLOWS.contains(&label);
        is_answer || label == "status_card"
    }

    fn both(&self, mut first: Said, also: &str) -> Said {
        let second = self.answer(also);
        let whole = joined(&first.text, &second.text);
        let are_choices_clear = first.choices.is_empty() || second.choices.is_empty();
        if !self.is_sms() && fits_chat(&whole) && are_choices_clear {
            first.text = whole;
            first.answered = match (first.answered, second.answered) {
                (Some(first), Some(second)) => Some(format!("{first} {second}")),
                (first, second) => first.or(second),
            };
            if !second.choices.is_empty() {
                first.choices = second.choices;
                first.all_choices = second.all_choices;
            }
            first.effects.extend(second.effects);
            first.pin = first.pin.or(second.pin);
        } else if first.choices.len() < MAX_BUTTONS {
            first.choices.extend(self.script.offer_in(also, self.language));
        }
        first
    }

    pub(in crate::dialogue) fn answer(&self, intent: &str) -> Said {
        let input = self.input;
        match intent {
            "human" => return self.human(),
            "language" => return self.language(),
            "complaint" => return self.complain(),
            "data_deletion" => return self.ask_deletion(),
            "survey" => return self.survey(),
            // "When is it delivered?" of somebody with a card asks for that card, not for the rule.
            "home_delivery_when" if !self.registered_cards().is_empty() => return self.status(),
            _ => {}
        }
        if let Some(said) = self.places(intent, false) {
            return said;
        }
        if let Some(text) = self.short(intent) {
            let answered = Some(intent.to_owned());
            let answer = Said { answered, ..said(intent, text, Vec::new()) };
            return if matches!(intent, "scam_check" | "fee") {
                self.with_report(answer)
            } else {
                answer
            };
        }
        match intent {
            "status_card" => self.status(),
            "clarify" | "clarify_topic" => self.ask_back(),
            "greeting" => self.say(intent, Line::Greeting),
            "thanks" => self.say(intent, Line::Thanks),
            "ack" => self.say(intent, Line::Ack),
            "help_capabilities" => self.say(intent, Line::Menu),
            "stop" => self.say(intent, Line::StopQuestion),
            "subscribe" if input.is_opted_out => self.say(intent, Line::SubscribeStopped),
            "subscribe" if input.is_registered => self.say(intent, Line::SubscribeActive),
            "subscribe" => self.say(intent, Line::SubscribeUnregistered),
            _ => self.unknown(),
        }
    }

    fn short(&self, label: &str) -> Option<String> {
        let input = self.input;
        self.script.answer_in(label, &input.area, input.channel, self.language, &input.office)
    }

    /// What is on file about the places asked for, if anything is.
    fn places(&self, label: &str, is_full: bool) -> Option<Said> {
        if !PlaceWords::concern(label) {
            return None;
        }
        let points = self.fact(self.input.points.as_ref(), Need::Points);
        let told = self.script.place().tell(Ask {
            label,
            text: &self.input.text,
            points: &points,
            is_sms: self.is_sms(),
            is_full,
            language: self.language,
        })?;
        let answered = Some(label.to_owned());
        Some(Said { pin: told.pin, answered, ..said(label, told.text, Vec::new()) })
    }

    /// The long form of what was answered last, in as many messages as it takes.
    pub(in crate::dialogue) fn full(&self) -> Said {
        let input = self.input;
        // Two questions of one message were answered together.
        let answered = self.state.answered.as_deref().unwrap_or_default();
        let mut labels = answered.split_whitespace();
        let label = labels.next().unwrap_or_default();
        if let Some(said) = self.data_in_full(label) {
            return said;
        }
        if let Some(said) = self.places(label, true) {
            return said;
        }
        let full =
            |label: &str| self.script.answer_full(label, &input.area, input.channel, self.language);
        match (full(label), labels.next().and_then(full)) {
            (Some(first), Some(second)) => said(label, joined(&first, &second), Vec::new()),
            (Some(text), None) | (None, Some(text)) => said(label, text, Vec::new()),
            (None, None) => self.say("help_capabilities", Line::FullNone),
        }
    }

    fn unknown(&self) -> Said {
        self.say("out_of_scope", Line::Unknown).with(Effect::UnknownQuestion)
    }

    fn ask_back(&self) -> Said {
        let labels = &self.input.meaning.alternatives;
        let mut choices: Vec<Choice> = Vec::new();
        let offers = labels.iter().filter_map(|label| self.script.offer_in(label, self.language));
        for choice in offers.take(3) {
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        if choices.is_empty() {
            return self.unknown();
        }
        if choices.len() == 1 {
            choices.push(self.button(Button::Menu));
        }
        self.offer("clarify", Line::AskBack, choices)
    }

    pub(in crate::dialogue) fn ask_requirements(&self) -> Said {
        let labels = self.script.requirements();
        let choices =
            labels.iter().filter_map(|label| self.script.offer_in(label, self.language)).collect();
        self.offer("clarify", Line::Requirements, choices)
    }

    /// Is this message real? Whoever holds it may ask, whoever it went to.
    pub(in crate::dialogue) fn vouch(&self) -> Option<Said> {
        let reference = self.input.reference.as_ref()?;
        let intent = self.input.meaning.intent.as_str();
        let is_about =
            matches!(intent, "scam_check" | "clarify" | "clarify_topic" | "out_of_scope");
        let is_doubted = words(&self.input.text).iter().any(|word| DOUBTS.contains(&word.as_str()));
        if !is_about && !is_doubted && words(&self.input.text).len() > FEW_WORDS {
            return None;
        }
        let is_known = reference.sent_on.is_some();
        let line = if is_known { Line::ReferenceKnown } else { Line::ReferenceUnknown };
        Some(self.say("scam_check", line))
    }
}

/// Words by which somebody asks of a message whether it is real.
const DOUBTS: &[&str] =
    &["asli", "benar", "bener", "betul", "resmi", "penipuan", "penipu", "hoax", "hoaks"];
/// Most buttons under a message of a chat.
const MAX_BUTTONS: usize = 3;

/// Two answers in one message. What both end with, like how to get the rest, is said once.
fn joined(first: &str, second: &str) -> String {
    let shared = match (first.rsplit_once('\n'), second.rsplit_once('\n')) {
        (Some((before, a)), Some((_, b))) if a == b => before,
        _ => first,
    };
    format!("{shared}\n\n{second}")
}
