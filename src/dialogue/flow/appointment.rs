//! An appointment at a counter: what it is for, which papers are there, a place and a time, and a code.
//!
//! No document, name or NIK is asked. Whatever else is asked in the middle of it is answered, and the question that was
//! open is put once more; MENU and BATAL lead out.

use chrono::NaiveDate;

use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::picked::{Button, Picked};
use crate::dialogue::script::MAX_CHOICES;
use crate::dialogue::state::{Flow, is_no, is_yes, words};
use crate::dialogue::turn::{Said, Turn, said};
use crate::dialogue::visit_fact::{
    AppointmentFact, BookingFact, Lack, SessionFact, SlotNow, VisitHoles,
};
use crate::domain::appointment::AppointmentCode;
use crate::domain::id::ServiceSessionId;
use crate::domain::outbound::Choice;
use crate::domain::service_point::PointService;
use crate::domain::service_session::SessionKind;

/// What is answered when appointments are asked for without saying what for.
pub(in crate::dialogue) const INTENT: &str = "online_registration";
/// Slots offered at once.
const MOST_SLOTS: usize = 3;
/// What says more tells something else.
const MOST_WORDS: usize = 9;

const THING: &[&str] =
    &["janji", "antrian", "antrean", "antri", "booking", "appointment", "kunjungan"];
pub(super) const WISH: &[&str] = &[
    "buat", "bikin", "mau", "ambil", "daftar", "booking", "pesan", "minta", "ingin", "pengen",
    "book", "make", "gawe", "nggawe", "damel",
];
pub(super) const OWN: &[&str] =
    &["saya", "aku", "ku", "kulo", "my", "kapan", "jam", "kode", "hari"];
pub(super) const CANCEL: &[&str] = &["batal", "batalkan", "membatalkan", "cancel", "gajadi"];
const HAVE: &[&str] = &["ada", "sudah", "udah", "sdh", "punya", "siap", "wis", "sampun", "have"];
const HAVE_NOT: &[&str] =
    &["belum", "blm", "belom", "durung", "dereng", "tidak", "gak", "ga", "nggak", "not"];
impl Turn<'_> {
    pub(super) fn booking(&self) -> BookingFact {
        self.fact(self.input.booking.as_ref(), Need::Booking)
    }

    fn sessions(&self) -> Vec<SessionFact> {
        self.fact(self.input.sessions.as_ref(), Need::Sessions)
    }

    /// Whether somebody can come for that, at any place.
    fn is_served(&self, service: PointService) -> bool {
        self.fact(self.input.served_by_visit.as_ref(), Need::Served).contains(&service)
    }

    fn sessions_for(&self, service: PointService) -> Vec<SessionFact> {
        let mut sessions = self.sessions();
        sessions.retain(|session| session.services.contains(&service));
        sessions
    }

    /// Those in which there is a place, or one may wait for one: only they are offered.
    fn open_for(&self, service: PointService) -> Vec<SessionFact> {
        let mut sessions = self.sessions_for(service);
        sessions.retain(|session| session.comes.is_some() || session.may_wait);
        sessions
    }

    pub(super) fn say_visit(&self, line: Line, visit: &VisitHoles) -> Said {
        self.say_with(INTENT, line, Holes { visit: Some(visit), ..self.holes() })
    }

    pub(super) fn offer_visit(&self, line: Line, visit: &VisitHoles, choices: Vec<Choice>) -> Said {
        said(INTENT, self.text(line, Holes { visit: Some(visit), ..self.holes() }), choices)
    }

    /// The button that begins an appointment for a label; nothing where none can be made for it.
    pub(in crate::dialogue) fn book_button(&self, label: &str) -> Option<Choice> {
        let service = self.script.visit(label)?.service()?;
        let is_served = self.is_served(service);
        let title = self.button(Button::Book).title;
        is_served.then(|| Choice { id: Picked::Visit(label).id(), title })
    }

    /// What a text says of appointments; nothing when it speaks of something else.
    pub(in crate::dialogue) fn appointment(&self) -> Option<Said> {
        let said = words(&self.input.text);
        let has = |set: &[&str]| said.iter().any(|word| set.contains(&word.as_str()));
        let guesses = AppointmentCode::guesses_in(&self.input.text);
        if !guesses.is_empty() {
            let is_it =
                |own: &AppointmentFact| guesses.iter().any(|code| code.as_str() == own.code);
            // What is not as it is printed is a word like `jam23`, unless nothing but a code is left beside BATAL.
            let is_meant = AppointmentCode::find_in(&self.input.text).is_some()
                || (has(CANCEL) && said.len() <= 2);
            match self.booking().own.into_iter().find(is_it) {
                Some(own) if has(CANCEL) => return Some(self.unbook(&own)),
                Some(own) => return Some(self.tell_own(&[own])),
                None if is_meant && self.input.complaint.is_some() => return None,
                None if is_meant => {
                    return Some(self.say_visit(Line::AppointmentOwnNone, &VisitHoles::default()));
                }
                None => {}
            }
        }
        // Who complains of a queue does not ask for a place in it.
        if !has(THING) || said.len() > MOST_WORDS || self.complains() {
            return None;
        }
        if has(CANCEL) {
            return Some(self.ask_unbook());
        }
        if has(WISH) || said.len() == 1 {
            return Some(self.begin_named(&said));
        }
        let is_own = has(OWN) && said.iter().any(|word| word == "janji" || word == "appointment");
        is_own.then(|| self.own_appointments())
    }

    /// What the appointment is for, where the text says so: by what was understood, or by the name of a service in it.
    fn begin_named(&self, text: &[String]) -> Said {
        let meaning = &self.input.meaning;
        let labels = self.script.visit_labels();
        let understood = [Some(&meaning.intent), meaning.also.as_ref(), meaning.perhaps.as_ref()];
        let understood = understood.into_iter().flatten();
        let mut understood = understood.filter(|label| labels.contains(label));
        let is_named = |label: &&String| {
            let title = self.script.offer_in(label, self.language);
            let title = title.map(|title| words(&title.title)).unwrap_or_default();
            !title.is_empty() && title.iter().all(|word| text.contains(word))
        };
        match understood.next().or_else(|| labels.iter().find(is_named)) {
            Some(label) => self.begin_visit(label),
            None => self.online(),
        }
    }

    /// Where appointments or applications online are asked for, whatever for.
    pub(in crate::dialogue) fn online(&self) -> Said {
        let served = self.fact(self.input.served_by_visit.as_ref(), Need::Served);
        let booking = self.booking();
        let (portal, prepare) = booking.portal.clone().unwrap_or_default();
        let holes = VisitHoles { portal, prepare, ..VisitHoles::default() };
        if served.is_empty() {
            let answer = self.answer_of_file(INTENT);
            if holes.portal.is_empty() {
                return answer;
            }
            let portal = self.say_visit(Line::AppointmentPortal, &holes);
            return Said { answered: Some(INTENT.to_owned()), ..portal };
        }
        let is_served = |label: &&String| {
            self.script.visit_service(label).is_some_and(|service| served.contains(&service))
        };
        let labels = self.script.visit_labels();
        let choice = |label: &String| {
            let title = self.script.offer_in(label, self.language)?.title;
            Some(Choice { id: Picked::Visit(label).id(), title })
        };
        let choices: Vec<Choice> =
            labels.iter().filter(is_served).filter_map(choice).take(MAX_CHOICES).collect();
        let said = self.offer_visit(Line::AppointmentService, &holes, choices);
        Said { is_over: true, answered: Some(INTENT.to_owned()), ..said }
    }

    /// Begins an appointment for a label.
    pub(in crate::dialogue) fn begin_visit(&self, label: &str) -> Said {
        let booking = self.booking();
        let Some(visit) = self.script.visit(label) else { return self.online() };
        let is_served = visit.service().is_some_and(|service| self.is_served(service));
        if let Some(said) = self.refused(&booking, label) {
            return said;
        }
        if !is_served {
            let holes = self.visit_holes(label, &[]);
            return self.say_visit(Line::AppointmentNone, &holes).over();
        }
        self.ask_paper(label, Vec::new(), true)
    }

    /// Why somebody can make no appointment in the chat.
    fn refused(&self, booking: &BookingFact, label: &str) -> Option<Said> {
        let holes = VisitHoles {
            service: self.script.visit_name(label, self.language),
            own: booking.own.clone(),
            most: booking.most,
            ..VisitHoles::default()
        };
        if booking.is_blocked {
            return Some(self.say_visit(Line::AppointmentBlocked, &holes).over());
        }
        let is_full = i64::try_from(booking.own.len()).is_ok_and(|count| count >= booking.most);
        (is_full && !booking.own.is_empty())
            .then(|| self.say_visit(Line::AppointmentMost, &holes).over())
    }

    /// The papers asked for where whoever writes lives.
    fn check(&self, label: &str) -> Vec<String> {
        self.script.visit_check(label, &self.input.area)
    }

    fn visit_holes(&self, label: &str, answers: &[bool]) -> VisitHoles {
        let papers = self.check(label).into_iter().enumerate().filter_map(|(at, id)| {
            let paper = self.script.papers().get(&id)?;
            Some(Lack {
                is_missing: answers.get(at) == Some(&false),
                name: paper.name(self.language).to_owned(),
                how: paper.how(self.language).to_owned(),
                id,
            })
        });
        VisitHoles {
            service: self.script.visit_name(label, self.language),
            papers: papers.collect(),
            ..VisitHoles::default()
        }
    }

    /// The next paper; once all are known, the places.
    fn ask_paper(&self, label: &str, answers: Vec<bool>, is_first: bool) -> Said {
        if self.script.visit(label).is_none() {
            return self.online();
        }
        let check = self.check(label);
        let paper = check.get(answers.len()).and_then(|id| self.script.papers().get(id));
        let Some(paper) = paper else { return self.offer_slots(label, answers, None, None) };
        let ask = paper.ask(self.language).to_owned();
        let left = check.len().saturating_sub(answers.len());
        let holes = VisitHoles { ask, left, is_first, ..self.visit_holes(label, &answers) };
        let flow = begun(label, answers);
        self.say_visit(Line::AppointmentAsk, &holes).going_on(flow)
    }

    /// Up to three places to come to: at the nearest point, or at one that was picked, and what follows what was shown
    /// last.
    fn offer_slots(
        &self,
        label: &str,
        answers: Vec<bool>,
        place: Option<String>,
        last: Option<&Last>,
    ) -> Said {
        let Some(visit) = self.script.visit(label) else { return self.online() };
        let all = visit.service().map(|service| self.open_for(service)).unwrap_or_default();
        let is_there =
            |session: &&SessionFact| place.as_ref().is_none_or(|place| session.place == *place);
        let fit: Vec<&SessionFact> = all.iter().filter(is_there).collect();
        let full = rest(&fit, last);
        if full.is_empty() && (place.is_some() || last.is_some()) {
            // What was picked or shown last is gone by now; elsewhere, or on days before, there is something.
            return self.offer_slots(label, answers, None, None);
        }
        let open: Vec<&SessionFact> =
            full.iter().filter(|session| session.comes.is_some()).copied().collect();
        let is_full = open.is_empty();
        let from = if is_full { &full } else { &open };
        let shown = match last {
            None => pick(from, place.is_some()),
            Some(_) => from.iter().take(MOST_SLOTS).copied().collect(),
        };
        let last = if last.is_none() && place.is_none() {
            last_of_first(&shown)
        } else {
            shown.last().copied()
        };
        let mut holes = self.visit_holes(label, &answers);
        holes.slots = shown.iter().map(|session| (*session).clone()).collect();
        let mut choices: Vec<Choice> = (1..)
            .zip(&shown)
            .map(|(n, session)| slot_choice(session, label, (n, self.is_sms())))
            .collect();
        let others = place_names(&all);
        let last = last.map(|session| Last { place: session.place.clone(), day: session.date });
        let left = rest(&fit, last.as_ref());
        if left.iter().any(|session| shown.iter().all(|one| one.id != session.id)) {
            choices.push(self.button(Button::OtherDay));
        }
        if others.len() > 1 {
            choices.push(self.button(Button::OtherPlace));
        }
        let (after, after_at) = last.map(|last| (last.day.to_string(), last.place)).unzip();
        let service = label.to_owned();
        let flow = Flow::Appointment { service, answers, place, after, after_at };
        let line = if shown.is_empty() {
            Line::AppointmentNone
        } else if is_full {
            Line::AppointmentAllFull
        } else {
            Line::AppointmentSlots
        };
        let said = self.offer_visit(line, &holes, choices);
        if shown.is_empty() { said.over() } else { said.going_on(flow) }
    }

    /// A button of the questions and the slots.
    pub(in crate::dialogue) fn follow_visit(&self, button: Button) -> Option<Said> {
        if button == Button::Book {
            return Some(self.online());
        }
        let Flow::Appointment { service, answers, place, after, after_at } = self.flow()? else {
            return None;
        };
        match button {
            Button::PaperYes => Some(self.answer_paper(service, answers, true)),
            Button::PaperNo => Some(self.answer_paper(service, answers, false)),
            Button::OtherDay => {
                let day = after.as_ref().and_then(|day| day.parse().ok());
                let last = after_at.clone().zip(day).map(|(place, day)| Last { place, day });
                Some(self.offer_slots(service, answers.clone(), place.clone(), last.as_ref()))
            }
            Button::OtherPlace => Some(self.ask_place(service, answers)),
            _ => None,
        }
    }

    fn answer_paper(&self, service: &str, answers: &[bool], is_there: bool) -> Said {
        let count = self.check(service).len();
        let mut answers = answers.to_vec();
        // All is asked already: the places are what is open.
        if answers.len() < count {
            answers.push(is_there);
        }
        self.ask_paper(service, answers, false)
    }

    fn ask_place(&self, label: &str, answers: &[bool]) -> Said {
        let Some(service) = self.script.visit_service(label) else { return self.online() };
        let sessions = self.open_for(service);
        let choices: Vec<Choice> = place_names(&sessions)
            .into_iter()
            .take(MAX_CHOICES)
            .map(|session| Choice {
                id: Picked::Place(&session.id.to_string()).id(),
                title: title(&session.place_short),
            })
            .collect();
        let flow = begun(label, answers.to_vec());
        let holes = VisitHoles {
            service: self.script.visit_name(label, self.language),
            ..VisitHoles::default()
        };
        self.offer_visit(Line::AppointmentPlace, &holes, choices).going_on(flow)
    }

    /// A place that was picked, named by one of its sessions.
    pub(in crate::dialogue) fn follow_place(&self, id: &str) -> Option<Said> {
        let Flow::Appointment { service, answers, .. } = self.flow()? else { return None };
        let sessions = self.sessions();
        let place = sessions.iter().find(|session| session.id.to_string() == id);
        let place = place.map(|session| session.place.clone());
        Some(self.offer_slots(service, answers.clone(), place, None))
    }

    /// A text in the middle of it; nothing when it is about something else.
    pub(in crate::dialogue) fn go_on_visiting(
        &self,
        service: &str,
        answers: &[bool],
    ) -> Option<Said> {
        let text = words(&self.input.text);
        let has = |set: &[&str]| text.iter().any(|word| set.contains(&word.as_str()));
        let count = self.check(service).len();
        let is_short = text.len() <= MOST_WORDS && !self.input.text.contains('?');
        if answers.len() < count && is_short && !text.is_empty() {
            if has(HAVE_NOT) || text.iter().any(|word| is_no(word)) {
                return Some(self.answer_paper(service, answers, false));
            }
            if has(HAVE) || text.first().is_some_and(|word| is_yes(word)) {
                return Some(self.answer_paper(service, answers, true));
            }
        }
        if answers.len() >= count && is_short {
            let sessions = self.sessions();
            let named = sessions.iter().find(|session| {
                let place = words(&session.place_short);
                text.iter().any(|word| word.len() > 3 && place.contains(word))
            });
            if let Some(named) = named {
                let place = Some(named.place.clone());
                return Some(self.offer_slots(service, answers.to_vec(), place, None));
            }
        }
        let is_unclear = matches!(
            self.input.meaning.intent.as_str(),
            "clarify" | "clarify_topic" | "out_of_scope" | "ack" | "greeting" | "thanks"
        );
        is_unclear.then(|| {
            let pending = self.pending(service, answers);
            let text = self.text(Line::AppointmentAgain, self.holes());
            Said { text: format!("{text}\n\n{}", pending.text), ..pending }
        })
    }

    /// The question that is open.
    pub(super) fn pending(&self, service: &str, answers: &[bool]) -> Said {
        self.ask_paper(service, answers.to_vec(), false)
    }

    /// A slot that was picked, or a place in the line for it.
    pub(in crate::dialogue) fn follow_slot(&self, slot: &str, may_wait: bool) -> Option<Said> {
        let (id, label) = slot.split_once(' ')?;
        let id: ServiceSessionId = id.parse().ok()?;
        self.script.visit(label)?;
        let (booking, _) = (self.booking(), self.sessions());
        let now: SlotNow = self.fact(self.input.slot.as_ref(), Need::Slot(id));
        let answers: Vec<bool> = match self.flow() {
            Some(Flow::Appointment { service, answers, .. }) if service == label => answers.clone(),
            _ => Vec::new(),
        };
        let mut holes = self.visit_holes(label, &answers);
        let Some(session) = now.session else {
            holes.reason = now.called_off.unwrap_or_default();
            let gone =
                self.text(Line::AppointmentGone, Holes { visit: Some(&holes), ..self.holes() });
            let again = self.offer_slots(label, answers, None, None);
            return Some(Said { text: format!("{gone}\n\n{}", again.text), ..again });
        };
        if let Some(own) = booking.own.iter().find(|own| own.session == id && own.service == label)
        {
            holes.own = vec![own.clone()];
            return Some(self.say_visit(Line::AppointmentTwice, &holes).over());
        }
        if let Some(said) = self.refused(&booking, label) {
            return Some(said);
        }
        let comes = session.comes.clone();
        holes.code.clone_from(&now.code);
        holes.line = session.waiting + 1;
        holes.slots = vec![session.clone()];
        let minutes = booking.move_up_before.as_secs() / 60;
        holes.ahead = (minutes / 60, minutes % 60);
        let line = match &comes {
            Some(_) => Line::AppointmentBooked,
            None if may_wait && session.may_wait => Line::AppointmentWaiting,
            None => {
                // Filled meanwhile.
                let mut choices = Vec::new();
                if session.may_wait {
                    let title = self.button(Button::Wait).title;
                    choices.push(Choice { id: Picked::Wait(&format!("{id} {label}")).id(), title });
                }
                choices.push(self.button(Button::OtherDay));
                let said = self.offer_visit(Line::AppointmentFull, &holes, choices);
                return Some(said.going_on(begun(label, answers)));
            }
        };
        let lacks = holes.papers.iter().filter(|paper| paper.is_missing);
        let effect = Effect::Book {
            session: id,
            service: label.to_owned(),
            code: now.code,
            lacks: lacks.map(|paper| paper.id.clone()).collect(),
        };
        let mut said = self.say_visit(line, &holes).over().with(effect);
        said.pin = session.pin.filter(|_| !self.is_sms() && comes.is_some());
        Some(said)
    }

    /// The next stops of the van or days of recording, below an answer about them.
    pub(in crate::dialogue) fn stops_below(&self, label: &str) -> Option<Said> {
        let kinds: &[SessionKind] = match label {
            "mobile_service" => &[SessionKind::Mobile],
            "location_service_points" => &[SessionKind::Mobile, SessionKind::RecordingDay],
            "req_recording" => &[SessionKind::RecordingDay],
            _ => return None,
        };
        let mut stops = self.sessions();
        stops.retain(|session| kinds.contains(&session.kind));
        stops.truncate(MOST_SLOTS);
        if stops.is_empty() {
            return None;
        }
        let holes = VisitHoles { slots: stops, ..VisitHoles::default() };
        let choices = vec![self.button(Button::Book)];
        Some(self.offer_visit(Line::AppointmentStops, &holes, choices))
    }
}

/// The session that was shown last, by its place and day: what follows comes after it.
struct Last {
    place: String,
    day: NaiveDate,
}

/// An appointment of which the papers, or the places, are asked.
fn begun(label: &str, answers: Vec<bool>) -> Flow {
    let service = label.to_owned();
    Flow::Appointment { service, answers, place: None, after: None, after_at: None }
}

/// What follows what was shown last: later days of its place, then the places further away.
fn rest<'a>(sessions: &[&'a SessionFact], last: Option<&Last>) -> Vec<&'a SessionFact> {
    let Some(last) = last else { return sessions.to_vec() };
    let first = sessions.iter().position(|session| session.place == last.place).unwrap_or(0);
    let is_left = |session: &&&SessionFact| session.place != last.place || session.date > last.day;
    sessions.iter().skip(first).filter(is_left).copied().collect()
}

/// Of what was picked at first the last of the nearest place.
fn last_of_first<'a>(shown: &[&'a SessionFact]) -> Option<&'a SessionFact> {
    let first = shown.first()?;
    shown.iter().rfind(|session| session.place == first.place).copied()
}

/// Up to three: of one place by day; else the two first of the nearest place and the first of the next.
fn pick<'a>(sessions: &[&'a SessionFact], is_one_place: bool) -> Vec<&'a SessionFact> {
    let mut shown: Vec<&SessionFact> = Vec::new();
    let Some(first) = sessions.first() else { return shown };
    let near = sessions.iter().filter(|session| session.place == first.place);
    let other = sessions.iter().find(|session| session.place != first.place);
    let of_near = if other.is_some() && !is_one_place { MOST_SLOTS - 1 } else { MOST_SLOTS };
    shown.extend(near.take(of_near));
    shown.extend(other.filter(|_| !is_one_place));
    shown
}

/// The first session of each place, in their order.
fn place_names(sessions: &[SessionFact]) -> Vec<&SessionFact> {
    let mut first: Vec<&SessionFact> = Vec::new();
    for session in sessions {
        if first.iter().all(|other| other.place != session.place) {
            first.push(session);
        }
    }
    first
}

fn slot_choice(session: &SessionFact, label: &str, (n, is_sms): (usize, bool)) -> Choice {
    let id = format!("{} {label}", session.id);
    let time = session.comes_short.as_deref().unwrap_or("");
    let id = if session.comes.is_some() { Picked::Slot(&id).id() } else { Picked::Wait(&id).id() };
    // In an SMS the choices are numbered and say where; on a button there is no room for that.
    let title = if is_sms {
        format!("{} {} {time}", session.place_short, session.day_short).trim().to_owned()
    } else {
        title(format!("{n}. {} {time}", session.day_short).trim())
    };
    Choice { id, title }
}

pub(super) fn title(text: &str) -> String {
    text.chars().take(20).collect()
}
