//! Questions with an answer in a file, two of them at once, the long form of the last one, and what
//! is asked back.

use std::time::Duration;

use super::appointment;
use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::Line;
use crate::dialogue::picked::{Button, Picked};
use crate::dialogue::place::PlaceWords;
use crate::dialogue::state::words;
use crate::dialogue::step::{FEW_WORDS, fits_chat};
use crate::dialogue::told::Ask;
use crate::dialogue::turn::{Said, Turn, said};
use crate::domain::clock::Timestamp;
use crate::domain::outbound::Choice;

/// Labels that begin something of their own; their files give the button and the examples.
const FLOWS: &[&str] = &["complaint", "data_deletion", "human", "language", "survey"];

impl Turn<'_> {
    /// What was understood, both of it where two things were asked.
    pub(in crate::dialogue) fn understood(&self) -> Said {
        let (input, meaning) = (self.input, &self.input.meaning);
        let today = input.now.in_zone(input.area.zone().offset()).date_naive();
        let is_unsure = matches!(meaning.intent.as_str(), "clarify" | "out_of_scope");
        let words = self.script.place();
        if is_unsure && words.hours_of_day(&input.text, &meaning.alternatives, today) {
            return self.answer("opening_hours");
        }
        let second = meaning.also.as_deref().or(meaning.perhaps.as_deref());
        let may_visit = self.script.visit(&meaning.intent).is_some();
        // Whoever complains is heard, and not sent to the counter that they complain of.
        if may_visit && self.complains() {
            return self.complain();
        }
        let mut first = self.answer(&meaning.intent);
        if may_visit && second == Some("complaint") {
            let books =
                |choice: &Choice| matches!(Picked::parse(&choice.id), Some(Picked::Visit(_)));
            first.choices.retain(|choice| !books(choice));
        }
        let Some(second) = second.filter(|second| *second != meaning.intent) else { return first };
        if !self.is_plain(&meaning.intent) {
            return first;
        }
        if meaning.also.is_some() && self.is_plain(second) {
            return self.both(first, second);
        }
        // What begins something of its own begins with a press.
        first.choices = few(first.choices, self.script.offer_in(second, self.language));
        first
    }

    /// Whether a label is answered with words and nothing else.
    fn is_plain(&self, label: &str) -> bool {
        let is_answer = self.script.answer(label).is_some() && !FLOWS.contains(&label);
        is_answer || label == "status_card"
    }

    /// Two answers: in one message where they fit, otherwise one after the other.
    fn both(&self, mut first: Said, also: &str) -> Said {
        let second = self.answer(also);
        let whole = joined(&first.text, &second.text);
        // Of somebody with many cards the first answer may have gone on in further messages.
        if !self.is_sms() && fits_chat(&whole) && first.more.is_empty() {
            first.text = whole;
        } else {
            first.more.push(second.text);
        }
        first.more.extend(second.more);
        first.answered = match (first.answered, second.answered) {
            (Some(first), Some(second)) => Some(format!("{first} {second}")),
            (first, second) => first.or(second),
        };
        // Of a list of cards none may be left out; what else was offered gives way.
        if first.all_choices.is_none() {
            if second.all_choices.is_some() {
                first.choices = second.choices;
                first.all_choices = second.all_choices;
            } else {
                first.choices = few(first.choices, second.choices);
            }
        }
        first.effects.extend(second.effects);
        first.pin = first.pin.or(second.pin);
        first.flow = first.flow.or(second.flow);
        first
    }

    /// What is said to a label, and what lies nearest behind it: the next stops, and the way to an appointment.
    pub(in crate::dialogue) fn answer(&self, intent: &str) -> Said {
        let mut answer = self.answer_alone(intent);
        if let Some(stops) = self.stops_below(intent).or_else(|| self.home_below(intent)) {
            let whole = joined(&answer.text, &stops.text);
            if !self.is_sms() && fits_chat(&whole) && answer.more.is_empty() {
                answer.text = whole;
            } else {
                answer.more.push(stops.text);
            }
            answer.choices = few(answer.choices, stops.choices);
        }
        if answer.intent == intent && answer.flow.is_none() {
            answer.choices = few(answer.choices, self.book_button(intent));
        }
        answer
    }

    /// The answer as it stands in its file.
    pub(in crate::dialogue) fn answer_of_file(&self, intent: &str) -> Said {
        let text = self.short(intent).unwrap_or_default();
        Said { answered: Some(intent.to_owned()), ..said(intent, text, Vec::new()) }
    }

    fn answer_alone(&self, intent: &str) -> Said {
        let input = self.input;
        match intent {
            "human" => return self.human(),
            "language" => return self.language(),
            "complaint" => return self.complain(),
            "data_deletion" => return self.ask_deletion(),
            "survey" => return self.survey(),
            appointment::INTENT => return self.online(),
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
        let asked = self.asked();
        let told = self.script.place().tell(Ask {
            label,
            text: asked.as_ref().map_or("", |asked| asked.text.as_str()),
            points: &points,
            areas: &self.input.areas,
            ago: asked.as_ref().map_or(Duration::ZERO, |asked| {
                self.input.now.since(Timestamp::from_ms(asked.at_ms))
            }),
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
        let labels: Vec<&str> = answered.split_whitespace().collect();
        if let Some(said) = labels.first().and_then(|label| self.data_in_full(label)) {
            return said;
        }
        let mut pin = None;
        let full: Vec<String> = labels
            .iter()
            .filter_map(|label| match self.places(label, true) {
                Some(said) => {
                    pin = pin.take().or(said.pin);
                    Some(said.text)
                }
                None => self.script.answer_full(label, &input.area, input.channel, self.language),
            })
            .collect();
        let Some(text) = full.into_iter().reduce(|first, second| joined(&first, &second)) else {
            return self.say("help_capabilities", Line::FullNone);
        };
        let label = labels.first().copied().unwrap_or_default();
        Said { pin, ..said(label, text, Vec::new()) }
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

/// What was offered and what else may be, without repeating any, as far as there is room.
fn few(mut choices: Vec<Choice>, more: impl IntoIterator<Item = Choice>) -> Vec<Choice> {
    for choice in more {
        if choices.len() < MAX_BUTTONS && !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    choices
}

/// Two answers in one message. What both end with, like how to get the rest, is said once.
fn joined(first: &str, second: &str) -> String {
    let shared = match (first.rsplit_once('\n'), second.rsplit_once('\n')) {
        (Some((before, a)), Some((_, b))) if a == b => before,
        _ => first,
    };
    format!("{shared}\n\n{second}")
}
