//! One turn of the conversation.
//!
//! The order of the rules is the point of this file: a command always works, then an officer who is
//! in the conversation has the word, then what was pressed or picked, what was begun, a typed NIK,
//! a reference, and last what was understood. What each of them says is in `flow`.

use std::cell::RefCell;

use super::command::{self, Command};
use super::flow::cut;
use super::input::{CODE_UNKNOWN, Connection, Effect, Input, Reply, Step};
use super::line::{Holes, Line, MAX_CHARS, MAX_SMS_UNITS, sms_units};
use super::picked::{Button, Picked};
use super::script::Script;
use super::state::{State, words};
use super::turn::{Said, Turn, said};
use crate::domain::message::ChannelKind;

/// Most words of a message that only carries a number, or a card's reference.
pub(super) const FEW_WORDS: usize = 5;

/// Answers one message. The texts were checked when the script was loaded.
#[must_use]
pub fn step(script: &Script, state: &State, input: &Input) -> Step {
    let needs = RefCell::new(Vec::new());
    let language = state.language;
    let turn = Turn { script, state, input, language, needs: &needs };
    let said = turn.keep_going(turn.decide());
    let turn =
        Turn { script, state, input, language: said.language.unwrap_or(language), needs: &needs };
    let mut step = turn.finish(said);
    step.needs = needs.take();
    step.needs.dedup();
    step
}

impl Turn<'_> {
    fn decide(&self) -> Said {
        let input = self.input;
        if let Some(connection) = &input.connection {
            return self.connect(connection);
        }
        if let Some(command) = command::parse(&input.text)
            && let Some(said) = self.obey(command)
        {
            return said;
        }
        let pressed = input.choice.as_deref();
        if self.is_with_officer() {
            // A number or a word typed now answers the officer, not what the bot offered before.
            return match pressed.and_then(Picked::parse) {
                Some(Picked::Button(Button::Stop)) => {
                    self.say("stop", Line::Stopped).with(Effect::OptOut)
                }
                Some(Picked::Button(Button::Menu)) => self.say("human", Line::HumanHere),
                _ => Self::silent("human"),
            };
        }
        let picked = pressed.or_else(|| self.state.picked(&input.text, input.now));
        let picked = picked.and_then(Picked::parse);
        if let Some(said) = picked.and_then(|picked| self.follow(picked)) {
            return said;
        }
        if picked.is_some_and(Picked::belongs_to_flow)
            || self.state.is_late_answer(&input.text, input.now)
        {
            return self.expired();
        }
        if let Some(said) = self.go_on().or_else(|| self.story_told_late()) {
            return said;
        }
        let asked = self.delivery().or_else(|| self.home_visit());
        if let Some(said) = asked.or_else(|| self.appointment()) {
            return said;
        }
        let intent = input.meaning.intent.as_str();
        // People are used to CEK#KTP#NIK, and to a NIK alone: that asks for the status.
        let is_about_nothing_else =
            matches!(intent, "clarify" | "clarify_topic" | "out_of_scope") || is_redirect(intent);
        if input.had_nik && is_about_nothing_else && words(&input.text).len() <= FEW_WORDS {
            return self.status();
        }
        if input.complaint.is_some() {
            return self.complaint_state();
        }
        if let Some(said) = self.vouch() {
            return said;
        }
        // Whoever waits for an officer tells them, and does not want to be misunderstood meanwhile.
        let is_unclear = matches!(
            intent,
            "clarify" | "clarify_topic" | "out_of_scope" | "complaint" | "greeting" | "ack"
        );
        if input.ticket.is_some() && is_unclear {
            return self.human();
        }
        self.understood()
    }

    fn obey(&self, command: Command) -> Option<Said> {
        let is_registered = self.input.is_registered;
        // Words like these belong to a talk between people.
        if self.is_with_officer()
            && matches!(
                command,
                Command::Full
                    | Command::Speak(_)
                    | Command::Continue
                    | Command::Survey
                    | Command::WrongPerson
                    | Command::Taken
                    | Command::Prefer(_)
            )
        {
            return None;
        }
        // What goes on over several messages cannot while the bot keeps silent.
        if self.is_with_officer() && matches!(command, Command::DataDelete | Command::Report) {
            return Some(self.say("human", Line::HumanHere));
        }
        Some(match command {
            Command::Stop => self.say("stop", Line::Stopped).with(Effect::OptOut),
            Command::Start if is_registered => {
                self.say("subscribe", Line::Started).with(Effect::OptIn)
            }
            Command::Start => self.say("subscribe", Line::StartedUnregistered).with(Effect::OptIn),
            Command::WrongPerson => {
                self.say("wrong_person", Line::WrongPerson).with(Effect::WrongPerson)
            }
            Command::Menu | Command::Cancel if self.is_with_officer() => {
                self.say("human", Line::HumanHere)
            }
            Command::Menu => self.say("help_capabilities", Line::Menu),
            Command::Cancel => self.cancel(),
            // Whoever opens a chat wants to hear from us; before that no bot may write there.
            Command::Open if is_registered => {
                self.say("greeting", Line::Greeting).with(Effect::OptIn)
            }
            Command::Open => self.unregistered("greeting").with(Effect::OptIn),
            Command::Status => self.status(),
            Command::Requirements => self.ask_requirements(),
            Command::Prefer(_) if !is_registered => self.unregistered("subscribe"),
            Command::Prefer(channel) => self.prefer(channel),
            Command::Full => self.full(),
            Command::DataMine => self.data_mine(),
            Command::DataDelete => self.ask_deletion(),
            Command::Speak(language) => self.speak(language),
            Command::Done => return self.done(),
            Command::Continue => return self.continue_survey(),
            Command::Survey => self.survey(),
            // Who has no card that lies ready means something else.
            Command::Taken => return self.taken(),
            // The button that takes up the offer to report bears the same word.
            Command::Report => {
                self.follow_complaint(Button::Report).unwrap_or_else(|| self.complain())
            }
        })
    }

    fn prefer(&self, channel: ChannelKind) -> Said {
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

    fn connect(&self, connection: &Connection) -> Said {
        // Whoever ties a chat to themselves wants to be told there.
        let here = Effect::Prefer(self.input.channel);
        match connection {
            Connection::Code { who } => {
                let text = self.text(Line::Connected, Holes { who, ..self.holes() });
                let choices = vec![self.button(Button::Status)];
                said("subscribe", text, choices).with(Effect::OptIn).with(here)
            }
            Connection::UnknownCode => self.say(CODE_UNKNOWN, Line::CodeUnknown),
            Connection::Phone if self.input.is_registered => {
                self.say("subscribe", Line::PhoneConnected).with(Effect::OptIn).with(here)
            }
            Connection::Phone => self.say("subscribe", Line::Unregistered),
        }
    }

    /// Leaves whatever is going on.
    fn cancel(&self) -> Said {
        if let Some(ticket) = &self.input.ticket
            && self.flow().is_none()
        {
            // The reminder of an appointment asks for this very word: a question that waits for an officer is not meant.
            if !ticket.is_taken
                && let Some(said) = self.cancel_own()
            {
                return said;
            }
            return self.say("human", Line::HumanDone).with(Effect::CloseTicket);
        }
        if self.flow().is_none()
            && let Some(said) = self.cancel_own()
        {
            return said;
        }
        if self.flow().is_some() || !self.state.offered.is_empty() {
            self.say("cancel", Line::Cancelled)
        } else {
            self.say("cancel", Line::NothingToCancel)
        }
    }

    /// What was pressed or picked; nothing when it belongs to no choice of ours (any more).
    fn follow(&self, picked: Picked<'_>) -> Option<Said> {
        let button = match picked {
            Picked::Button(button) => button,
            Picked::Answer(label) => {
                self.script.answer(label)?;
                return Some(self.answer(label));
            }
            Picked::Taken(id) => return self.taken_one(id),
            Picked::Card(id) => {
                // Only cards of the phone that writes are looked at, whatever id comes in.
                let card = self.registered_cards().iter().find(|card| card.id == id)?;
                return Some(self.status_of(&card.who));
            }
            Picked::Day(day) => return Some(self.follow_day(day)),
            Picked::Visit(label) => return Some(self.begin_visit(label)),
            Picked::Slot(slot) => return self.follow_slot(slot, false),
            Picked::Wait(slot) => return self.follow_slot(slot, true),
            Picked::Place(session) => return self.follow_place(session),
            Picked::Unbook(id) => return Some(self.follow_unbook(id)),
            Picked::Area(code) => return self.follow_area(code),
            Picked::Withdraw(id) => return Some(self.follow_withdraw(id)),
            Picked::Delivery(button, item) => return self.follow_delivery(button, Some(item)),
        };
        match button {
            Button::Status => Some(self.status()),
            Button::Requirements => Some(self.ask_requirements()),
            Button::Menu => self.obey(Command::Menu),
            Button::Stop => self.obey(Command::Stop),
            Button::Start => self.obey(Command::Start),
            Button::SharePhone if self.input.is_registered => {
                Some(self.say("subscribe", Line::SubscribeActive))
            }
            Button::SharePhone => Some(self.unregistered("subscribe")),
            Button::Keep => Some(self.say("stop", Line::Kept)),
            Button::Human => Some(self.human()),
            Button::Indonesian | Button::English => self.follow_language(button),
            Button::Continue => self.continue_survey(),
            Button::Rate1 | Button::Rate2 | Button::Rate3 | Button::Rate4 => self.rate(button),
            Button::DeliveryHome
            | Button::DeliveryDay
            | Button::DeliveryFamily
            | Button::DeliveryAddress
            | Button::DeliveryCollect => self.follow_delivery(button, None),
            Button::DeleteYes => self.delete(),
            Button::Book
            | Button::PaperYes
            | Button::PaperNo
            | Button::OtherDay
            | Button::OtherPlace
            | Button::Wait
            | Button::Unbook => self.follow_visit(button),
            Button::KeepAppointment => Some(self.own_appointments()),
            Button::AskVisit
            | Button::KeepVisit
            | Button::VisitElderly
            | Button::VisitIll
            | Button::VisitDisabled
            | Button::VisitMental
            | Button::VisitConfined
            | Button::WorkRecording
            | Button::WorkHandOver
            | Button::WorkFamilyCard
            | Button::SendVisit
            | Button::RefillVisit
            | Button::DropVisit => self.follow_home(button),
            Button::No => self.leave(),
            Button::Report
            | Button::CategoryDelay
            | Button::CategoryOfficer
            | Button::CategoryObstruction
            | Button::CategoryPungli
            | Button::CategoryOther => self.follow_complaint(button),
        }
    }

    fn finish(&self, said: Said) -> Step {
        let now = self.input.now;
        let asked = {
            let offered = said.all_choices.as_ref().unwrap_or(&said.choices);
            self.asked_next(&said, offered)
        };
        let (effects, intent) = (said.effects, said.intent);
        if said.is_silent {
            let state = self.state.clone();
            return Step { state, replies: vec![], effects, intent, needs: vec![] };
        }
        let offered = said.all_choices.as_ref().unwrap_or(&said.choices);
        let mut rated = self.state.rated(now).to_vec();
        for effect in &effects {
            if let Effect::Rate { element, .. } = effect {
                rated.push(*element);
            }
        }
        let state = State {
            language: self.language,
            asked,
            answered: said.answered.or_else(|| self.state.answered.clone()),
            flow: said.flow,
            flow_at_ms: now.as_ms(),
            rated_at_ms: if rated.len() > self.state.rated(now).len() {
                now.as_ms()
            } else {
                self.state.rated_at_ms
            },
            rated,
            ..State::offering(offered, now)
        };
        let separator = if self.is_sms() { " " } else { "\n\n" };
        let mut text = said.text;
        if self.input.had_nik {
            let warning = self.text(Line::NikWarning, self.holes());
            text = format!("{warning}{separator}{text}");
        }
        let mut texts = vec![text];
        texts.extend(said.more);
        let below = self.outage_below(&intent).into_iter().chain(self.own_below(&intent));
        for more in below {
            let fits = |text: &str| {
                if self.is_sms() { sms_units(text) <= MAX_SMS_UNITS } else { fits_chat(text) }
            };
            join(&mut texts, more, separator, fits);
        }
        let mut choices = said.choices;
        if self.is_sms() && !choices.is_empty() {
            let numbered: Vec<String> = choices
                .iter()
                .enumerate()
                .map(|(index, choice)| format!("{} {}", index + 1, choice.title))
                .collect();
            let list = numbered.join(", ");
            let list = self.text(Line::ChoicesSms, Holes { choices: &list, ..self.holes() });
            join(&mut texts, list, separator, |text| sms_units(text) <= MAX_SMS_UNITS);
            choices.clear();
        }
        let texts: Vec<String> = texts
            .iter()
            .flat_map(|text| cut::messages(text, self.is_sms()))
            .take(cut::MOST)
            .collect();
        let mut replies: Vec<Reply> = texts.into_iter().map(Reply::words).collect();
        if let Some(last) = replies.last_mut() {
            last.choices = choices;
        }
        replies.extend(said.pin.map(Reply::place));
        Step { state, replies, effects, intent, needs: vec![] }
    }
}

/// Adds to the last message, or as a message of its own where that would make it too long.
fn join(texts: &mut Vec<String>, more: String, separator: &str, fits: impl Fn(&str) -> bool) {
    let joined =
        texts.last().filter(|last| !last.is_empty()).map(|last| format!("{last}{separator}{more}"));
    match (joined, texts.last_mut()) {
        (Some(joined), Some(last)) if fits(&joined) => *last = joined,
        (None, Some(last)) => *last = more,
        _ => texts.push(more),
    }
}

/// Whether two answers can stand in one message of a chat; each by itself has at most 700 characters.
pub(super) fn fits_chat(text: &str) -> bool {
    text.chars().count() <= MAX_CHARS
}

fn is_redirect(intent: &str) -> bool {
    intent.starts_with("redirect_")
}
