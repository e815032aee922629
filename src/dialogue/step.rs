//! One turn of the conversation.
//!
//! The order of the rules is the point of this file: a command always works, then what was
//! pressed or picked, then a typed NIK, a reference, and last what was understood. One message
//! gets one reply.

use super::command::{self, Command};
use super::input::{CODE_UNKNOWN, CardFact, Connection, Effect, Input, Reply, Step};
use super::line::{Holes, Line, render};
use super::script::{Button, MAX_CHOICES, Picked, Script};
use super::state::{State, words};
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Choice;

/// Answers one message. The texts were checked when the script was loaded.
#[must_use]
pub fn step(script: &Script, state: &State, input: &Input) -> Step {
    Turn { script, input }.take(state)
}

struct Turn<'a> {
    script: &'a Script,
    input: &'a Input,
}

/// What a rule decided, before channel and state come in.
struct Said {
    intent: String,
    text: String,
    choices: Vec<Choice>,
    /// The choices again, where not all of them fit on the screen but all may be typed.
    all_choices: Option<Vec<Choice>>,
    effects: Vec<Effect>,
}

impl Said {
    fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}

impl Turn<'_> {
    fn take(&self, state: &State) -> Step {
        let said = self.decide(state);
        self.finish(said)
    }

    fn decide(&self, state: &State) -> Said {
        let input = self.input;
        if let Some(connection) = &input.connection {
            return self.connect(connection);
        }
        if let Some(command) = command::parse(&input.text) {
            return self.obey(command);
        }
        let picked = input.choice.as_deref().or_else(|| state.picked(&input.text, input.now));
        if let Some(said) = picked.and_then(Picked::parse).and_then(|picked| self.follow(picked)) {
            return said;
        }
        let intent = input.meaning.intent.as_str();
        // People are used to CEK#KTP#NIK: that asks for the status, whatever else is in it.
        if input.had_nik && (self.script.answer(intent).is_none() || is_redirect(intent)) {
            return self.status();
        }
        let is_about_message = matches!(intent, "scam_check" | "clarify" | "out_of_scope");
        if let Some(reference) = input.reference.as_ref().filter(|_| is_about_message) {
            let line = match reference.sent_on {
                Some(_) => Line::ReferenceKnown,
                None => Line::ReferenceUnknown,
            };
            return self.say("scam_check", line);
        }
        self.answer(intent)
    }

    fn obey(&self, command: Command) -> Said {
        match command {
            Command::Stop => self.say("stop", Line::Stopped).with(Effect::OptOut),
            Command::Start if self.input.is_registered => {
                self.say("subscribe", Line::Started).with(Effect::OptIn)
            }
            Command::Start => self.say("subscribe", Line::StartedUnregistered).with(Effect::OptIn),
            Command::WrongPerson => {
                self.say("wrong_person", Line::WrongPerson).with(Effect::WrongPerson)
            }
            Command::Menu => self.say("help_capabilities", Line::Menu),
            // Whoever opens a chat wants to hear from us; before that no bot may write there.
            Command::Open if self.input.is_registered => {
                self.say("greeting", Line::Greeting).with(Effect::OptIn)
            }
            Command::Open => self.unregistered("greeting").with(Effect::OptIn),
            Command::Status => self.status(),
            Command::Requirements => self.ask_requirements(),
            Command::Prefer(_) if !self.input.is_registered => self.unregistered("subscribe"),
            Command::Prefer(channel) => {
                let holes = Holes { channel: channel.as_str(), ..self.holes() };
                if self.input.reachable.contains(&channel) {
                    let text = self.text(Line::Preferred, holes);
                    said("subscribe", text, Vec::new()).with(Effect::Prefer(channel))
                } else if self.input.served.contains(&channel) {
                    said("subscribe", self.text(Line::NotConnected, holes), Vec::new())
                } else {
                    said("subscribe", self.text(Line::NotServed, holes), Vec::new())
                }
            }
        }
    }

    fn connect(&self, connection: &Connection) -> Said {
        match connection {
            Connection::Code { who } => {
                let text = self.text(Line::Connected, Holes { who, ..self.holes() });
                let choices = vec![self.script.button(Button::Status)];
                said("subscribe", text, choices).with(Effect::OptIn).with(self.here())
            }
            Connection::UnknownCode => self.say(CODE_UNKNOWN, Line::CodeUnknown),
            Connection::Phone if self.input.is_registered => {
                self.say("subscribe", Line::PhoneConnected).with(Effect::OptIn).with(self.here())
            }
            Connection::Phone => self.say("subscribe", Line::Unregistered),
        }
    }

    /// Whoever ties a chat to themselves wants to be told there.
    const fn here(&self) -> Effect {
        Effect::Prefer(self.input.channel)
    }

    /// Nobody is on file for whoever writes. A chat may still be tied to somebody.
    fn unregistered(&self, intent: &str) -> Said {
        let is_chat = self.input.channel == ChannelKind::Telegram;
        self.say(intent, if is_chat { Line::UnregisteredChat } else { Line::Unregistered })
    }

    /// What was pressed or picked; nothing when it belongs to no choice of ours (any more).
    fn follow(&self, picked: Picked<'_>) -> Option<Said> {
        Some(match picked {
            Picked::Button(Button::Status) => self.status(),
            Picked::Button(Button::Requirements) => self.ask_requirements(),
            Picked::Button(Button::Menu) => self.say("help_capabilities", Line::Menu),
            Picked::Button(Button::Stop) => self.obey(Command::Stop),
            Picked::Button(Button::Start) => self.obey(Command::Start),
            Picked::Button(Button::SharePhone) if self.input.is_registered => {
                self.say("subscribe", Line::SubscribeActive)
            }
            Picked::Button(Button::SharePhone) => self.unregistered("subscribe"),
            Picked::Button(Button::Keep) => self.say("stop", Line::Kept),
            Picked::Answer(label) => {
                self.script.answer(label)?;
                self.answer(label)
            }
            Picked::Card(id) => {
                // Only cards of the phone that writes are looked at, whatever id comes in.
                let card = self.registered_cards().iter().find(|card| card.id == id)?;
                self.status_of(&card.who)
            }
        })
    }

    fn answer(&self, intent: &str) -> Said {
        let input = self.input;
        let is_sms = input.channel == ChannelKind::Sms;
        // "When is it delivered?" of somebody with a card asks for that card, not for the rule.
        if intent == "home_delivery_when" && !self.registered_cards().is_empty() {
            return self.status();
        }
        if let Some(answer) = self.script.answer(intent) {
            let text = answer.render(&input.office, is_sms).unwrap_or_default();
            return said(intent, text, Vec::new());
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
            _ => self.say("out_of_scope", Line::Unknown).with(Effect::UnknownQuestion),
        }
    }

    fn ask_back(&self) -> Said {
        let labels = &self.input.meaning.alternatives;
        let mut choices: Vec<Choice> = Vec::new();
        for choice in labels.iter().filter_map(|label| self.script.offer(label)).take(3) {
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        if choices.is_empty() {
            return self.say("out_of_scope", Line::Unknown).with(Effect::UnknownQuestion);
        }
        if choices.len() == 1 {
            choices.push(self.script.button(Button::Menu));
        }
        self.offer("clarify", Line::AskBack, choices)
    }

    fn ask_requirements(&self) -> Said {
        let labels = self.script.requirements();
        let choices = labels.iter().filter_map(|label| self.script.offer(label)).collect();
        self.offer("clarify", Line::Requirements, choices)
    }

    /// The cards that may be told of: none unless the phone is on file.
    fn registered_cards(&self) -> &[CardFact] {
        if self.input.is_registered { &self.input.cards } else { &[] }
    }

    fn status(&self) -> Said {
        if !self.input.is_registered {
            return self.unregistered("status_card");
        }
        let people = self.people();
        match people.as_slice() {
            [] => self.say("status_card", Line::StatusNone),
            [one] => self.status_of(&one.who),
            many => match self.named_in_text(many) {
                Some(one) => self.status_of(&one.who),
                None => self.choose(many),
            },
        }
    }

    /// The first card of each person, by masked name.
    fn people(&self) -> Vec<&CardFact> {
        let mut people: Vec<&CardFact> = Vec::new();
        for card in self.registered_cards() {
            if people.iter().all(|other| other.who != card.who) {
                people.push(card);
            }
        }
        people
    }

    /// The one person whose first name stands in the text ("ktp budi sudah jadi?").
    fn named_in_text<'b>(&self, people: &[&'b CardFact]) -> Option<&'b CardFact> {
        let text = words(&self.input.text);
        let mut named = people.iter().filter(|card| {
            words(&card.who).first().is_some_and(|first| first.len() >= 3 && text.contains(first))
        });
        named.next().filter(|_| named.next().is_none()).copied()
    }

    fn choose(&self, people: &[&CardFact]) -> Said {
        let all: Vec<Choice> = people
            .iter()
            .map(|card| Choice {
                id: Picked::Card(&card.id).id(),
                title: card.who.chars().take(20).collect(),
            })
            .collect();
        let mut shown = all.clone();
        shown.truncate(MAX_CHOICES);
        let holes = Holes { more: shown.len() < all.len(), ..self.holes() };
        let text = self.text(Line::StatusChoose, holes);
        Said { all_choices: Some(all), ..said("status_card", text, shown) }
    }

    fn status_of(&self, who: &str) -> Said {
        let cards: Vec<CardFact> =
            self.registered_cards().iter().filter(|card| card.who == who).cloned().collect();
        let text = self.text(Line::Status, Holes { cards: &cards, ..self.holes() });
        said("status_card", text, Vec::new())
    }

    fn say(&self, intent: &str, line: Line) -> Said {
        let names = self.script.line(line).map(|text| text.choices.as_slice()).unwrap_or_default();
        let choices = names
            .iter()
            .filter_map(|name| name.parse().ok())
            .map(|button| self.script.button(button))
            .collect();
        self.offer(intent, line, choices)
    }

    fn offer(&self, intent: &str, line: Line, choices: Vec<Choice>) -> Said {
        said(intent, self.text(line, self.holes()), choices)
    }

    fn holes(&self) -> Holes<'_> {
        let reference = self.input.reference.as_ref();
        Holes {
            office: &self.input.office,
            is_opted_out: self.input.is_opted_out,
            reference: reference.map_or("", |r| r.reference.as_str()),
            sent_on: reference.and_then(|r| r.sent_on.as_deref()).unwrap_or(""),
            ..Holes::default()
        }
    }

    fn text(&self, line: Line, holes: Holes<'_>) -> String {
        let is_sms = self.input.channel == ChannelKind::Sms;
        self.script
            .line(line)
            .and_then(|text| render(text.source(is_sms), holes).ok())
            .unwrap_or_default()
    }

    fn finish(&self, said: Said) -> Step {
        let is_sms = self.input.channel == ChannelKind::Sms;
        let offered = said.all_choices.as_ref().unwrap_or(&said.choices);
        let state = State::offering(offered, self.input.now);
        let (mut text, mut choices) = (said.text, said.choices);
        if self.input.had_nik {
            let warning = self.text(Line::NikWarning, self.holes());
            text = format!("{warning}{}{text}", if is_sms { " " } else { "\n\n" });
        }
        if is_sms && !choices.is_empty() {
            let numbered: Vec<String> = choices
                .iter()
                .enumerate()
                .map(|(index, choice)| format!("{} {}", index + 1, choice.title))
                .collect();
            let list = numbered.join(", ");
            let list = self.text(Line::ChoicesSms, Holes { choices: &list, ..self.holes() });
            text = format!("{text} {list}");
            choices.clear();
        }
        let replies = if text.is_empty() { vec![] } else { vec![Reply { text, choices }] };
        Step { state, replies, effects: said.effects, intent: said.intent }
    }
}

fn said(intent: &str, text: String, choices: Vec<Choice>) -> Said {
    Said { intent: intent.to_owned(), text, choices, all_choices: None, effects: Vec::new() }
}

fn is_redirect(intent: &str) -> bool {
    intent.starts_with("redirect_")
}
