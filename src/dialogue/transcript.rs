//! Conversations as text files: `> citizen` and `< bot`, under a head of facts.
//!
//! Reads and writes the form, and plays a file against a script. Made for tests and for the
//! conversation in a terminal; nothing of the service depends on it.
//!
//! ```text
//! ## What this conversation is about.
//! # channel: sms
//! # registered: yes
//! # point: Kantor Kecamatan Jombang | Jombang | at: 2026-11-23 09.00 | week: 08.00-15.00|…
//! # card: Siti A. | KTP-el | sudah dicetak | 21 November | place: Kecamatan Jombang
//! > sudah jadi belum?
//! < KTP-el Siti A.: sudah dicetak …
//! > [Cek status]
//! * opt_out
//! ~ 31m
//! ! taken
//! ```
//! `…` stands for anything, `[title]` is a button, `*` names what the office has to do, `~` lets time
//! pass, and `!` is something an officer does (`taken`, `closed`). Between two turns the state goes
//! through its stored form, as if the program had been started anew.

use std::time::Duration;

use super::home_line::Homes;
use super::input::{
    CardFact, ComplaintFact, DeliveryFact, Effect, Input, KeptFact, KeptTicket, Meaning, Need,
    OutageFact, ReferenceFact, Reply, Step, TicketFact,
};
use super::kept_line::{kept_person, take_kept};
use super::mention::AreaFact;
use super::place::PointFact;
use super::point_line::point;
use super::script::Script;
use super::session_line::Visits;
use super::state::State;
use super::step::step;
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::message::ChannelKind;
use crate::domain::survey;
use crate::domain::ticket::{ComplaintNumber, TicketState};

/// A conversation read from a file.
#[derive(Clone)]
pub struct Transcript {
    /// What is known of the phone when it begins.
    pub facts: Facts,
    /// Its turns, in order.
    pub turns: Vec<Turn>,
}

/// What is known of the phone.
#[derive(Clone)]
pub struct Facts {
    /// By which channel it writes.
    pub channel: ChannelKind,
    /// It is on file.
    pub is_registered: bool,
    /// It asked to stop.
    pub is_opted_out: bool,
    /// The office's name.
    pub office: String,
    /// The cards registered to it.
    pub cards: Vec<CardFact>,
    /// Where its owner lives.
    pub area: AreaCode,
    /// Places that serve citizens, the nearest first.
    pub points: Vec<PointFact>,
    /// What areas round about are called.
    pub areas: Vec<AreaFact>,
    /// References, and when they were sent.
    pub references: Vec<ReferenceFact>,
    /// How many others wait for an officer.
    pub waiting: i64,
    /// When the office opens; nothing while it is open.
    pub office_opens: Option<String>,
    /// What is kept of it.
    pub kept: KeptFact,
    /// Its talk with an officer.
    pub ticket: Option<TicketFact>,
    /// The number that the next complaint gets.
    pub number: String,
    /// Complaints it made.
    pub complaints: Vec<ComplaintFact>,
    /// Cards that are on their way home.
    pub deliveries: Vec<DeliveryFact>,
    /// What keeps the office from working.
    pub outages: Vec<OutageFact>,
    /// Sessions ahead, and the appointments of this chat.
    pub visits: Visits,
    /// Requests of this chat for officers to come.
    pub homes: Homes,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            channel: ChannelKind::Whatsapp,
            is_registered: true,
            is_opted_out: false,
            office: "Disdukcapil Kabupaten Jombang".to_owned(),
            cards: Vec::new(),
            area: AreaCode::nationwide(),
            points: Vec::new(),
            areas: Vec::new(),
            references: Vec::new(),
            waiting: 0,
            office_opens: None,
            kept: KeptFact::default(),
            ticket: None,
            number: "P-7KQ4".to_owned(),
            complaints: Vec::new(),
            deliveries: Vec::new(),
            outages: Vec::new(),
            visits: Visits::new(),
            homes: Homes::new(),
        }
    }
}

/// One message of the citizen and what is expected of it.
#[derive(Clone)]
pub struct Turn {
    /// Line of the file, from 1.
    pub line: usize,
    /// What the citizen wrote, or the title of a button in brackets.
    pub said: String,
    /// The lines of the reply.
    pub expected: Vec<String>,
    /// The names of the effects.
    pub effects: Vec<String>,
    /// Time that passes before it.
    pub wait: Duration,
    /// What an officer does before it.
    pub event: Option<Event>,
}

/// What an officer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Takes what this chat put before them.
    Taken,
    /// Closes it.
    Closed,
    /// All places of all sessions are taken.
    Full,
    /// All sessions are called off.
    CalledOff,
    /// All requested visits are given a day.
    Scheduled,
}

impl Transcript {
    /// Reads a file.
    ///
    /// # Errors
    /// The line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut facts = Facts::default();
        let mut turns: Vec<Turn> = Vec::new();
        let (mut wait, mut event) = (Duration::ZERO, None);
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let (mark, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
            let rest = rest.trim();
            let taken = match (mark, turns.last_mut()) {
                ("", _) => Ok(()),
                ("#", None) => facts.take(rest),
                ("~", _) => read_wait(rest).map(|time| wait += time),
                ("!", _) => read_event(rest).map(|what| event = Some(what)),
                (">", _) => {
                    turns.push(Turn {
                        line: number,
                        said: rest.to_owned(),
                        expected: Vec::new(),
                        effects: Vec::new(),
                        wait: std::mem::take(&mut wait),
                        event: event.take(),
                    });
                    Ok(())
                }
                ("<", Some(turn)) => {
                    turn.expected.push(rest.to_owned());
                    Ok(())
                }
                ("*", Some(turn)) => {
                    turn.effects.push(rest.to_owned());
                    Ok(())
                }
                _ => {
                    Err("begins with none of # > < * ~ !, or stands in the wrong place".to_owned())
                }
            };
            taken.map_err(|problem| format!("line {number}: {problem}"))?;
        }
        Ok(Self { facts, turns })
    }

    /// Plays the conversation; gives every turn that went otherwise.
    #[must_use]
    pub fn play(&self, script: &Script, understand: &dyn Fn(&str) -> Meaning) -> Vec<String> {
        let mut facts = self.facts.clone();
        let mut state = State::default();
        let mut now = Timestamp::from_ms(0);
        let mut problems = Vec::new();
        for turn in &self.turns {
            now = now.after(turn.wait);
            if let Some(event) = turn.event {
                facts.happen(event);
            }
            let input = facts.input(&turn.said, &state, understand, now);
            let next = facts.step(script, &state, input);
            let lines: Vec<String> = next.replies.iter().flat_map(lines_of).collect();
            let effects: Vec<String> = next.effects.iter().map(effect_name).collect();
            if !fits(&turn.expected, &lines) || turn.effects != effects {
                problems.push(format!(
                    "line {}: > {}\nexpected:\n  {}\n  * {:?}\ngot ({}):\n  {}\n  * {effects:?}",
                    turn.line,
                    turn.said,
                    turn.expected.join("\n  "),
                    turn.effects,
                    next.intent,
                    lines.join("\n  "),
                ));
            }
            for effect in &next.effects {
                facts.follow(effect);
            }
            state = match stored(&next.state) {
                Ok(state) => state,
                Err(problem) => {
                    problems.push(format!("line {}: {problem}", turn.line));
                    next.state
                }
            };
        }
        problems
    }
}

/// A state as it comes back from the database.
fn stored(state: &State) -> Result<State, String> {
    let json = serde_json::to_string(state).map_err(|error| error.to_string())?;
    let back: State = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    if back == *state {
        Ok(back)
    } else {
        Err("the state is another one when it is read back".to_owned())
    }
}

fn read_wait(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write it like 31m or 25h");
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "m" => Ok(Duration::from_secs(number * 60)),
        "h" => Ok(Duration::from_secs(number * 3600)),
        _ => Err(wrong()),
    }
}

fn read_event(text: &str) -> Result<Event, String> {
    match text {
        "taken" => Ok(Event::Taken),
        "closed" => Ok(Event::Closed),
        "full" => Ok(Event::Full),
        "called off" => Ok(Event::CalledOff),
        "scheduled" => Ok(Event::Scheduled),
        _ => Err(format!(
            "`{text}` is nothing an officer does: taken, closed, full, called off or scheduled"
        )),
    }
}

impl Facts {
    fn take(&mut self, fact: &str) -> Result<(), String> {
        if fact.starts_with('#') {
            return Ok(());
        }
        let (key, value) = fact.split_once(':').ok_or("a fact is `key: value`")?;
        let value = value.trim();
        let yes_or_no = || match value {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(format!("`{key}` is yes or no")),
        };
        match key.trim() {
            "channel" => {
                self.channel = value.parse().map_err(|_| "no such channel".to_owned())?;
            }
            "registered" => self.is_registered = yes_or_no()?,
            "opted out" => self.is_opted_out = yes_or_no()?,
            "office" => value.clone_into(&mut self.office),
            "area" => self.area = value.parse().map_err(|_| "no area code".to_owned())?,
            "session" => self.visits.take(value)?,
            "blocked" => self.visits.booking.is_blocked = yes_or_no()?,
            "home visits" => self.homes.fact.most = number(value)?,
            "portal" => {
                let (name, prepare) = value.split_once('|').ok_or("a name and what to prepare")?;
                let portal = (name.trim().to_owned(), prepare.trim().to_owned());
                self.visits.booking.portal = Some(portal);
            }
            "point" => self.points.push(point(value)?),
            "known area" => {
                let (code, name) = value.split_once(' ').ok_or("a code and a name")?;
                let code = code.parse().map_err(|_| "no area code".to_owned())?;
                self.areas.push(AreaFact { code, name: name.to_owned() });
            }
            "delivery" => {
                let (day, others) = value.split_once('|').unwrap_or((value, ""));
                let other = |part: &str| {
                    let (date, words) = part.split_once('=').ok_or("a day and its words")?;
                    let date = date.trim().parse().map_err(|_| "no day like 2026-11-25")?;
                    Ok::<_, &str>((date, words.trim().to_owned()))
                };
                let others = others.split('|').filter(|part| !part.trim().is_empty());
                self.deliveries.push(DeliveryFact {
                    item: format!("itm_{}", self.deliveries.len() + 1),
                    visit: day.trim().to_owned(),
                    day: day.trim().to_owned(),
                    days: others.map(other).collect::<Result<_, _>>()?,
                });
            }
            "outage" => {
                let mut parts = value.split('|').map(|part| part.trim().to_owned());
                let mut next = |what| parts.next().ok_or(format!("the outage has no {what}"));
                self.outages.push(OutageFact {
                    kind: next("kind")?,
                    since: next("day")?,
                    reason: next("reason")?,
                });
            }
            "card" => self.cards.push(card(value, self.cards.len() + 1)?),
            "reference" => {
                let mut parts = value.split('|').map(|part| part.trim().to_owned());
                self.references.push(ReferenceFact {
                    reference: parts.next().unwrap_or_default(),
                    sent_on: parts.next(),
                    kind: parts.next().unwrap_or_else(|| "card_printed".to_owned()),
                    document: parts.next().unwrap_or_else(|| "ktp-el".to_owned()),
                });
            }
            "waiting" => self.waiting = number(value)?,
            "office opens" => self.office_opens = Some(value.to_owned()),
            "number" => value.clone_into(&mut self.number),
            "kept" => take_kept(&mut self.kept, value)?,
            "kept person" => self.kept.own = Some(kept_person(value)?),
            "kept ticket" => {
                let mut words = value.split(' ').map(str::to_owned);
                self.kept.tickets.push(KeptTicket {
                    kind: words.next().unwrap_or_default(),
                    state: words.next().unwrap_or_default(),
                    number: words.next(),
                });
            }
            _ => return Err(format!("`{key}` is no fact")),
        }
        Ok(())
    }

    fn input(
        &self,
        said: &str,
        state: &State,
        understand: &dyn Fn(&str) -> Meaning,
        now: Timestamp,
    ) -> Input {
        let pressed = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let choice = pressed.and_then(|title| {
            state.offered.iter().find(|offer| offer.title == title).map(|offer| offer.id.clone())
        });
        let text = if choice.is_some() { pressed.unwrap_or(said) } else { said };
        let complaint = ComplaintNumber::find_in(text).map(|found| {
            let own = self.complaints.iter().find(|own| own.number == found.as_str()).cloned();
            own.unwrap_or(ComplaintFact { number: found.to_string(), state: None })
        });
        let names = |reference: &&ReferenceFact| {
            let bare = |text: &str| text.replace('-', "").to_uppercase();
            bare(text).contains(&bare(&reference.reference))
        };
        Input {
            text: text.to_owned(),
            had_nik: text.contains("[NIK]"),
            choice,
            meaning: understand(text),
            is_registered: self.is_registered,
            is_opted_out: self.is_opted_out,
            cards: self.cards.clone(),
            reference: self.references.iter().find(names).cloned(),
            connection: None,
            served: ChannelKind::ALL.to_vec(),
            reachable: ChannelKind::ALL.to_vec(),
            office: self.office.clone(),
            channel: self.channel,
            area: self.area.clone(),
            points: None,
            areas: Vec::new(),
            ticket: self.ticket,
            complaint,
            number: None,
            waiting: None,
            office_opens: None,
            kept: None,
            survey: None,
            deliveries: None,
            outages: self.outages.clone(),
            sessions: None,
            served_by_visit: None,
            booking: None,
            slot: None,
            home: None,
            desas: None,
            now,
        }
    }

    /// One step, with the facts that it turns out to need.
    fn step(&self, script: &Script, state: &State, mut input: Input) -> Step {
        let first = step(script, state, &input);
        if first.needs.is_empty() {
            return first;
        }
        for need in &first.needs {
            match need {
                Need::Number => input.number = Some(self.number.clone()),
                Need::Queue => {
                    input.waiting = Some(self.waiting);
                    input.office_opens.clone_from(&self.office_opens);
                }
                Need::Kept => input.kept = Some(self.kept.clone()),
                Need::Points => {
                    input.points = Some(self.points.clone());
                    input.areas.clone_from(&self.areas);
                }
                Need::Deliveries => input.deliveries = Some(self.deliveries.clone()),
                Need::Sessions => input.sessions = Some(self.visits.facts()),
                Need::Served => input.served_by_visit = Some(self.visits.served()),
                Need::Booking => input.booking = Some(self.visits.booking.clone()),
                Need::Slot(id) => input.slot = Some(self.visits.slot(*id)),
                Need::Home => input.home = Some(self.homes.fact.clone()),
                Need::Desas => input.desas = Some(self.areas.clone()),
                Need::Survey => input.survey = Some(survey::order(&[])),
            }
        }
        step(script, state, &input)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Taken => {
                if let Some(ticket) = &mut self.ticket {
                    ticket.is_taken = true;
                }
                self.move_complaints(TicketState::Taken);
            }
            Event::Closed => {
                self.ticket = None;
                self.move_complaints(TicketState::Closed);
            }
            Event::Full => self.visits.fill(),
            Event::CalledOff => self.visits.call_off(),
            Event::Scheduled => self.homes.schedule(),
        }
    }

    fn move_complaints(&mut self, state: TicketState) {
        for complaint in &mut self.complaints {
            complaint.state = Some(state);
        }
    }

    fn follow(&mut self, effect: &Effect) {
        match effect {
            Effect::OptOut => self.is_opted_out = true,
            Effect::OptIn => self.is_opted_out = false,
            Effect::WrongPerson => {
                self.is_registered = false;
                self.cards.clear();
            }
            Effect::OpenTicket => {
                self.ticket = Some(TicketFact { place: self.waiting + 1, is_taken: false });
            }
            Effect::CloseTicket => self.ticket = None,
            Effect::Book { session, service, lacks, .. } => {
                self.visits.book(*session, service, lacks);
            }
            Effect::Unbook(id) => self.visits.unbook(*id),
            Effect::AskVisit { number, area, .. } => {
                let named = self.areas.iter().find(|known| known.code == *area);
                self.homes.ask(number, named.map_or("", |known| known.name.as_str()));
            }
            Effect::Withdraw(id) => self.homes.withdraw(*id),
            Effect::Complain { number, .. } => {
                let state = Some(TicketState::Open);
                self.complaints.push(ComplaintFact { number: number.clone(), state });
            }
            Effect::UnknownQuestion
            | Effect::Prefer(_)
            | Effect::RequestDeletion
            | Effect::AnswerDelivery { .. }
            | Effect::Taken(_)
            | Effect::Rate { .. } => {}
        }
    }
}

pub(super) fn number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn card(value: &str, number: usize) -> Result<CardFact, String> {
    let mut parts = value.split('|').map(str::trim);
    let mut next = |what| parts.next().map(str::to_owned).ok_or(format!("the card has no {what}"));
    let mut card = CardFact {
        id: format!("crd_{number}"),
        who: next("holder")?,
        document: next("document")?,
        status: next("status")?,
        as_of: next("day")?,
        place: None,
        appointment: None,
        bring: None,
        is_ready: false,
        kept_by: Vec::new(),
        ahead: None,
    };
    for part in parts {
        match part.split_once(':') {
            Some(("place", words)) => {
                card.place = Some(words.trim().to_owned());
                card.is_ready = true;
            }
            Some(("ahead", words)) => {
                card.ahead = Some(words.trim().to_owned());
                card.kept_by = vec!["no_blanko".to_owned(), "printer".to_owned()];
            }
            Some(("appointment", words)) => card.appointment = Some(words.trim().to_owned()),
            Some(("bring", words)) => card.bring = Some(words.trim().to_owned()),
            _ => return Err(format!("`{part}` is no part of a card")),
        }
    }
    Ok(card)
}

/// A reply as lines of a transcript, the choices last: `[Cek status] [Syarat]`.
#[must_use]
pub fn lines_of(reply: &Reply) -> Vec<String> {
    let mut lines: Vec<String> =
        reply.text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    if let Some(pin) = &reply.pin {
        lines.push(format!("({})", pin.place));
    }
    if !reply.choices.is_empty() {
        let titles: Vec<String> = reply.choices.iter().map(|c| format!("[{}]", c.title)).collect();
        lines.push(titles.join(" "));
    }
    lines
}

/// An effect as it stands in a transcript: its name, and what it carries, but for a citizen's words.
#[must_use]
pub fn effect_name(effect: &Effect) -> String {
    match effect {
        Effect::Complain { number, category, .. } => {
            format!("{} {number} {category}", effect.name())
        }
        Effect::AnswerDelivery { answer, day, receiver, .. } => {
            let day = day.map(|day| format!(" {day}")).unwrap_or_default();
            let receiver = receiver.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            format!("{} {answer}{day}{receiver}", effect.name())
        }
        Effect::Book { service, lacks, .. } => {
            format!("{} {service} {}", effect.name(), lacks.join(", ")).trim_end().to_owned()
        }
        Effect::AskVisit { whom, work, area, .. } => {
            format!("{} {whom} {work} {area}", effect.name())
        }
        Effect::Rate { element, score } => format!("{} {element} {}", effect.name(), score.get()),
        _ => effect.name().to_owned(),
    }
}

/// Whether the lines are as expected; a line that is only `…` stands for any number of lines.
#[must_use]
pub fn fits(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "…" => {
            (0..=lines.len()).any(|skipped| fits(rest, lines.get(skipped..).unwrap_or_default()))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, others)| fits_line(first, line) && fits(rest, others)),
    }
}

fn fits_line(expected: &str, line: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else { return expected == line };
    let Some(mut left) = line.strip_prefix(start.trim_end()) else { return false };
    let mut parts: Vec<&str> = rest.split('…').map(str::trim).collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(end)
}
