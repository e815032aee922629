//! What a chat has that is still to come, at a counter and at home, and taking it back.

use crate::dialogue::home_fact::{HomeFact, HomeHoles, HomeVisitFact};
use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::picked::{Button, Picked};
use crate::dialogue::script::MAX_CHOICES;
use crate::dialogue::turn::{Said, Turn, said};
use crate::dialogue::visit_fact::{AppointmentFact, VisitHoles};
use crate::domain::id::{AppointmentId, HomeVisitId};
use crate::domain::outbound::Choice;

impl Turn<'_> {
    pub(super) fn home(&self) -> HomeFact {
        self.fact(self.input.home.as_ref(), Need::Home)
    }

    /// "My appointment, when?"
    pub(in crate::dialogue) fn own_appointments(&self) -> Said {
        self.tell_own(&self.booking().own)
    }

    pub(super) fn tell_own(&self, own: &[AppointmentFact]) -> Said {
        let holes = VisitHoles { own: own.to_vec(), ..VisitHoles::default() };
        let line = if own.is_empty() { Line::AppointmentOwnNone } else { Line::AppointmentOwn };
        self.say_visit(line, &holes)
    }

    /// Where their requests for a visit are.
    pub(super) fn tell_homes(&self, own: &[HomeVisitFact]) -> Said {
        let holes = HomeHoles { own: own.to_vec(), ..HomeHoles::default() };
        let line = if own.is_empty() { Line::HomeVisitOwnNone } else { Line::HomeVisitOwn };
        self.say_home(line, &holes)
    }

    /// What stands below an answer about the status.
    pub(in crate::dialogue) fn own_below(&self, intent: &str) -> Vec<String> {
        if intent != "status_card" {
            return Vec::new();
        }
        let (booked, homes) = (self.booking().own, self.home().own);
        let mut below = Vec::new();
        if !booked.is_empty() {
            below.push(self.tell_own(&booked).text);
        }
        if !homes.is_empty() {
            below.push(self.tell_homes(&homes).text);
        }
        below
    }

    /// BATAL of somebody who has something: which? Nothing where they have none.
    pub(in crate::dialogue) fn cancel_own(&self) -> Option<Said> {
        let (booked, homes) = (self.booking().own, self.home().own);
        match (booked.is_empty(), homes.is_empty()) {
            (true, true) => None,
            (true, false) => Some(self.ask_withdraw()),
            (false, true) => Some(self.ask_unbook()),
            (false, false) => {
                let (mut first, second) = (self.ask_unbook(), self.ask_withdraw());
                let keep = first.choices.pop();
                first.choices.extend(second.choices);
                first.choices.pop();
                first.choices.truncate(MAX_CHOICES - 1);
                first.choices.extend(keep);
                if self.is_sms() {
                    return Some(first);
                }
                first.text = format!("{}\n\n{}", first.text, second.text);
                Some(first)
            }
        }
    }

    pub(super) fn ask_unbook(&self) -> Said {
        let own = self.booking().own;
        if own.is_empty() {
            return self.tell_own(&[]);
        }
        let choice = |own: &AppointmentFact| Choice {
            id: Picked::Unbook(&own.id.to_string()).id(),
            title: format!("{} {}", self.button(Button::Unbook).title, own.code),
        };
        let mut choices: Vec<Choice> = own.iter().take(MAX_CHOICES - 1).map(choice).collect();
        choices.push(self.button(Button::KeepAppointment));
        let holes = VisitHoles { own, ..VisitHoles::default() };
        self.offer_visit(Line::AppointmentUnbookAsk, &holes, choices).over()
    }

    pub(super) fn ask_withdraw(&self) -> Said {
        let own = self.home().own;
        if own.is_empty() {
            return self.tell_homes(&[]);
        }
        let mut choices: Vec<Choice> =
            own.iter().take(MAX_CHOICES - 1).map(|own| self.withdraw_button(own)).collect();
        choices.push(self.button(Button::KeepVisit));
        let holes = HomeHoles { own, ..HomeHoles::default() };
        self.offer_home(Line::HomeVisitWithdrawAsk, &holes, choices).over()
    }

    fn withdraw_button(&self, own: &HomeVisitFact) -> Choice {
        Choice {
            id: Picked::Withdraw(&own.id.to_string()).id(),
            title: format!("{} {}", self.button(Button::Unbook).title, own.number),
        }
    }

    /// One that was picked to be cancelled; nothing is when it is none of theirs any more.
    pub(in crate::dialogue) fn follow_unbook(&self, id: &str) -> Said {
        let own = self.booking().own;
        let id: Option<AppointmentId> = id.parse().ok();
        match own.iter().find(|own| Some(own.id) == id) {
            Some(own) => self.unbook(own),
            None => self.tell_own(&own),
        }
    }

    pub(super) fn unbook(&self, own: &AppointmentFact) -> Said {
        let holes = VisitHoles { own: vec![own.clone()], ..VisitHoles::default() };
        self.say_visit(Line::AppointmentUnbooked, &holes).over().with(Effect::Unbook(own.id))
    }

    /// The same of a request for a visit.
    pub(in crate::dialogue) fn follow_withdraw(&self, id: &str) -> Said {
        let own = self.home().own;
        let id: Option<HomeVisitId> = id.parse().ok();
        match own.iter().find(|own| Some(own.id) == id) {
            Some(own) => self.withdraw(own),
            None => self.tell_homes(&own),
        }
    }

    pub(super) fn withdraw(&self, own: &HomeVisitFact) -> Said {
        let holes = HomeHoles {
            own: vec![own.clone()],
            number: own.number.clone(),
            ..HomeHoles::default()
        };
        self.say_home(Line::HomeVisitWithdrawn, &holes).over().with(Effect::Withdraw(own.id))
    }

    pub(super) fn say_home(&self, line: Line, home: &HomeHoles) -> Said {
        self.offer_home(line, home, Vec::new())
    }

    pub(super) fn offer_home(&self, line: Line, home: &HomeHoles, choices: Vec<Choice>) -> Said {
        let holes = Holes { home: Some(home), ..self.holes() };
        said(super::home_visit::INTENT, self.text(line, holes), choices)
    }
}
