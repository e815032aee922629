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
use crate::dialogue::visit_fact::{BookingFact, Lack, SessionFact, SlotNow, VisitHoles};
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

    fn sessions_for(&self, service: PointService) -> Vec<SessionFact> {
        let mut sessions = self.sessions();
        sessions.retain(|session| session.services.contains(&service));
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
        let is_served = !self.sessions_for(service).is_empty();
        let title = self.button(Button::Book).title;
        is_served.then(|| Choice { id: Picked::Visit(label).id(), title })
    }

    /// What a text says of appointments; nothing when it speaks of something else.
    pub(in crate::dialogue) fn appointment(&self) -> Option<Said> {
        let said = words(&self.input.text);
        let has = |set: &[&str]| said.iter().any(|word| set.contains(&word.as_str()));
        if let Some(code) = AppointmentCode::find_in(&self.input.text) {
            let own = self.booking().own.into_iter().find(|own| own.code == code.as_str());
            return match own {
                Some(own) if has(CANCEL) => Some(self.unbook(&own)),
                Some(own) => Some(self.tell_own(&[own])),
                None if self.input.complaint.is_none() => {
                    Some(self.say_visit(Line::AppointmentOwnNone, &VisitHoles::default()))
                }
                None => None,
            };
        }
        if !has(THING) || said.len() > MOST_WORDS {
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
        let sessions = self.sessions();
        let booking = self.booking();
        let (portal, prepare) = booking.portal.clone().unwrap_or_default();
        let holes = VisitHoles { portal, prepare, ..VisitHoles::default() };
        if sessions.is_empty() {
            let answer = self.answer_of_file(INTENT);
            if holes.portal.is_empty() {
                return answer;
            }
            let portal = self.say_visit(Line::AppointmentPortal, &holes);
            return Said { answered: Some(INTENT.to_owned()), ..portal };
        }
        let is_served = |label: &&String| {
            let service = self.script.visit_service(label);
            service.is_some_and(|one| sessions.iter().any(|other| other.services.contains(&one)))
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
        let (booking, _) = (self.booking(), self.sessions());
        let Some(visit) = self.script.visit(label) else { return self.online() };
        if let Some(said) = self.refused(&booking, label) {
            return said;
        }
        let sessions = visit.service().map(|service| self.sessions_for(service));
        if sessions.is_none_or(|sessions| sessions.is_empty()) {
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
                name: paper.name(self.language).to_owned(),
                how: paper.how(self.language).to_owned(),
                is_missing: answers.get(at) == Some(&false),
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
        let flow =
            Flow::Appointment { service: label.to_owned(), answers, place: None, after: None };
        self.say_visit(Line::AppointmentAsk, &holes).going_on(flow)
    }

    /// Up to three places to come to: at the nearest point, or at one that was picked, from a day on.
    fn offer_slots(
        &self,
        label: &str,
        answers: Vec<bool>,
        place: Option<String>,
        after: Option<NaiveDate>,
    ) -> Said {
        let Some(visit) = self.script.visit(label) else { return self.online() };
        let all = visit.service().map(|service| self.sessions_for(service)).unwrap_or_default();
        let fits = |session: &&SessionFact| {
            place.as_ref().is_none_or(|place| session.place == *place)
                && after.is_none_or(|after| session.date > after)
        };
        let open: Vec<&SessionFact> =
            all.iter().filter(fits).filter(|session| session.comes.is_some()).collect();
        let full: Vec<&SessionFact> = all.iter().filter(fits).collect();
        let is_full = open.is_empty();
        let shown = pick(if is_full { &full } else { &open }, place.is_some());
        let mut holes = self.visit_holes(label, &answers);
        holes.slots = shown.iter().map(|session| (*session).clone()).collect();
        let mut choices: Vec<Choice> = (1..)
            .zip(&shown)
            .map(|(n, session)| slot_choice(session, label, (n, self.is_sms())))
            .collect();
        let others = place_names(&all);
        let last = shown.iter().map(|session| session.date).max();
        let is_more = full.iter().any(|session| last.is_some_and(|last| session.date > last));
        if is_more {
            choices.push(self.button(Button::OtherDay));
        }
        if others.len() > 1 {
            choices.push(self.button(Button::OtherPlace));
        }
        let after = last.map(|day| day.to_string());
        let flow = Flow::Appointment { service: label.to_owned(), answers, place, after };
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
        let Flow::Appointment { service, answers, place, after } = self.flow()? else {
            return None;
        };
        match button {
            Button::PaperYes => Some(self.answer_paper(service, answers, true)),
            Button::PaperNo => Some(self.answer_paper(service, answers, false)),
            Button::OtherDay => {
                let after = after.as_ref().and_then(|day| day.parse().ok());
                Some(self.offer_slots(service, answers.clone(), place.clone(), after))
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
        let sessions = self.sessions_for(service);
        let choices: Vec<Choice> = place_names(&sessions)
            .into_iter()
            .take(MAX_CHOICES)
            .map(|session| Choice {
                id: Picked::Place(&session.id.to_string()).id(),
                title: title(&session.place_short),
            })
            .collect();
        let flow = Flow::Appointment {
            service: label.to_owned(),
            answers: answers.to_vec(),
            place: None,
            after: None,
        };
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
        let line = match &comes {
            Some(_) => Line::AppointmentBooked,
            None if may_wait => Line::AppointmentWaiting,
            None => {
                // Filled meanwhile.
                let mut choices = vec![Choice {
                    id: Picked::Wait(&format!("{id} {label}")).id(),
                    title: self.button(Button::Wait).title,
                }];
                choices.push(self.button(Button::OtherDay));
                let flow = Flow::Appointment {
                    service: label.to_owned(),
                    answers,
                    place: None,
                    after: None,
                };
                let said = self.offer_visit(Line::AppointmentFull, &holes, choices);
                return Some(said.going_on(flow));
            }
        };
        let lacks = holes.papers.iter().filter(|paper| paper.is_missing);
        let effect = Effect::Book {
            session: id,
            service: label.to_owned(),
            code: now.code,
            lacks: lacks.map(|paper| paper.name.clone()).collect(),
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
