//! What every rule of a turn works with: the input, the words for what is said, and the shape of
//! what a rule decided before channel and state come in.

use std::cell::RefCell;

use super::command::{self, Command};
use super::input::{Effect, Input, Need};
use super::line::{Holes, Line, render};
use super::picked::{Button, Picked};
use super::place::PlaceWords;
use super::script::Script;
use super::state::{Asked, Flow, State};
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::{Choice, Pin};

/// One message about to be answered.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) script: &'a Script,
    pub(super) state: &'a State,
    pub(super) input: &'a Input,
    /// The language of this answer.
    pub(super) language: Language,
    /// Facts that were missing.
    pub(super) needs: &'a RefCell<Vec<Need>>,
}

/// What a rule decided.
#[derive(Default)]
pub(super) struct Said {
    pub(super) intent: String,
    pub(super) text: String,
    /// What follows in messages of its own.
    pub(super) more: Vec<String>,
    pub(super) choices: Vec<Choice>,
    /// The choices again, where not all of them fit on the screen but all may be typed.
    pub(super) all_choices: Option<Vec<Choice>>,
    pub(super) effects: Vec<Effect>,
    /// A place on the map, to be sent after the words.
    pub(super) pin: Option<Pin>,
    /// What is going on from now on.
    pub(super) flow: Option<Flow>,
    /// The label whose long form can be asked for.
    pub(super) answered: Option<String>,
    /// The language from now on.
    pub(super) language: Option<Language>,
    /// Nothing is said, and nothing changes.
    pub(super) is_silent: bool,
    /// What was begun is done or given up.
    pub(super) is_over: bool,
}

impl Said {
    pub(super) fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    pub(super) const fn over(mut self) -> Self {
        self.is_over = true;
        self
    }

    pub(super) fn going_on(mut self, flow: Flow) -> Self {
        self.flow = Some(flow);
        self
    }
}

pub(super) fn said(intent: &str, text: String, choices: Vec<Choice>) -> Said {
    Said { intent: intent.to_owned(), text, choices, ..Said::default() }
}

impl<'a> Turn<'a> {
    pub(super) fn is_sms(&self) -> bool {
        self.input.channel == ChannelKind::Sms
    }

    /// The same turn, answered in another language.
    pub(super) fn speaking(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// What was begun, unless that is too long ago.
    pub(super) fn flow(&self) -> Option<&'a Flow> {
        self.state.flow(self.input.now)
    }

    /// A fact; where it is missing, a stand-in for this time, and the step is taken again.
    pub(super) fn fact<T: Default + Clone>(&self, fact: Option<&T>, need: Need) -> T {
        fact.cloned().unwrap_or_else(|| {
            self.needs.borrow_mut().push(need);
            T::default()
        })
    }

    /// Whether this message only goes on with a question asked before: a choice, or LENGKAP.
    fn is_follow_up(&self) -> bool {
        let picked = self.input.choice.as_deref();
        picked.or_else(|| self.state.picked(&self.input.text, self.input.now)).is_some()
            || command::parse(&self.input.text) == Some(Command::Full)
    }

    /// The question that is being answered; nothing where only something was pressed.
    pub(super) fn asked(&self) -> Option<Asked> {
        if self.is_follow_up() {
            self.state.asked.clone()
        } else {
            State::asking(&self.input.text, self.input.now)
        }
    }

    /// What is kept of the question for the next message.
    pub(super) fn asked_next(&self, said: &Said, offered: &[Choice]) -> Option<Asked> {
        let is_place = |choice: &Choice| matches!(Picked::parse(&choice.id), Some(Picked::Answer(label)) if PlaceWords::concern(label));
        match &said.answered {
            _ if offered.iter().any(is_place) => self.asked(),
            Some(labels) if labels.split(' ').any(PlaceWords::concern) => self.asked(),
            // LENGKAP still belongs to the answer before.
            None if self.state.answered.is_some() => self.state.asked.clone(),
            _ => None,
        }
    }

    /// Nothing is said: somebody else is speaking.
    pub(super) fn silent(intent: &str) -> Said {
        Said { is_silent: true, ..said(intent, String::new(), Vec::new()) }
    }

    pub(super) fn button(&self, button: Button) -> Choice {
        self.script.button(button, self.language)
    }

    /// A line with the choices that its file gives it.
    pub(super) fn say(&self, intent: &str, line: Line) -> Said {
        self.say_with(intent, line, self.holes())
    }

    pub(super) fn say_with(&self, intent: &str, line: Line, holes: Holes<'_>) -> Said {
        let names = self.script.line(line).map(|text| text.choices.as_slice()).unwrap_or_default();
        let choices = names
            .iter()
            .filter_map(|name| name.parse().ok())
            .map(|button| self.button(button))
            .collect();
        said(intent, self.text(line, holes), choices)
    }

    /// A line with other choices.
    pub(super) fn offer(&self, intent: &str, line: Line, choices: Vec<Choice>) -> Said {
        said(intent, self.text(line, self.holes()), choices)
    }

    pub(super) fn holes(&self) -> Holes<'a> {
        let reference = self.input.reference.as_ref();
        let complaint = self.input.complaint.as_ref();
        Holes {
            office: &self.input.office,
            is_opted_out: self.input.is_opted_out,
            is_registered: self.input.is_registered,
            reference: reference.map_or("", |r| r.reference.as_str()),
            sent_on: reference.and_then(|r| r.sent_on.as_deref()).unwrap_or(""),
            kind: reference.map_or("", |r| r.kind.as_str()),
            document: reference.map_or("", |r| r.document.as_str()),
            number: complaint.map_or("", |c| c.number.as_str()),
            state: complaint.and_then(|c| c.state).map_or("", |state| state.as_str()),
            opens: self.input.office_opens.as_deref().unwrap_or(""),
            ..Holes::default()
        }
    }

    pub(super) fn text(&self, line: Line, holes: Holes<'_>) -> String {
        self.script
            .line(line)
            .and_then(|text| render(text.source(self.is_sms(), self.language), holes).ok())
            .unwrap_or_default()
    }
}
