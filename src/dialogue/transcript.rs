//! Conversations as text files: `> citizen` and `< bot`, under a head of facts.
//!
//! Reads and writes the form, and plays a file against a script. Made for tests and for the
//! conversation in a terminal; nothing of the service depends on it.
//!
//! ```text
//! ## What this conversation is about.
//! # channel: sms
//! # registered: yes
//! # card: Siti A. | KTP-el | sudah dicetak | 21 November | place: Kecamatan Jombang
//! > sudah jadi belum?
//! < KTP-el Siti A.: sudah dicetak …
//! > [Cek status]
//! * opt_out
//! ```
//! `…` stands for anything, `[title]` is a button, `*` names what the office has to do.

use super::input::{CardFact, Effect, Input, Meaning, ReferenceFact, Reply};
use super::script::Script;
use super::state::State;
use super::step::step;
use crate::domain::clock::Timestamp;
use crate::domain::message::ChannelKind;

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
    /// References, and when they were sent to it.
    pub references: Vec<ReferenceFact>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            channel: ChannelKind::Whatsapp,
            is_registered: true,
            is_opted_out: false,
            office: "Disdukcapil Kabupaten Jombang".to_owned(),
            cards: Vec::new(),
            references: Vec::new(),
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
}

impl Transcript {
    /// Reads a file.
    ///
    /// # Errors
    /// The line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut facts = Facts::default();
        let mut turns: Vec<Turn> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let (mark, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
            let rest = rest.trim();
            let taken = match (mark, turns.last_mut()) {
                ("", _) => Ok(()),
                ("#", None) => facts.take(rest),
                (">", _) => {
                    turns.push(Turn {
                        line: number,
                        said: rest.to_owned(),
                        expected: Vec::new(),
                        effects: Vec::new(),
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
                _ => Err("begins with none of # > < *, or stands in the wrong place".to_owned()),
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
        let mut problems = Vec::new();
        for turn in &self.turns {
            let input = facts.input(&turn.said, &state, understand);
            let next = step(script, &state, &input);
            let lines: Vec<String> = next.replies.iter().flat_map(lines_of).collect();
            let effects: Vec<&str> =
                next.effects.iter().map(|effect| effect_name(*effect)).collect();
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
                match effect {
                    Effect::OptOut => facts.is_opted_out = true,
                    Effect::OptIn => facts.is_opted_out = false,
                    Effect::WrongPerson => {
                        facts.is_registered = false;
                        facts.cards.clear();
                    }
                    Effect::UnknownQuestion | Effect::Prefer(_) => {}
                }
            }
            state = next.state;
        }
        problems
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
            "card" => self.cards.push(card(value, self.cards.len() + 1)?),
            "reference" => {
                let (reference, sent_on) = match value.split_once('|') {
                    Some((reference, day)) => (reference, Some(day.trim().to_owned())),
                    None => (value, None),
                };
                self.references
                    .push(ReferenceFact { reference: reference.trim().to_owned(), sent_on });
            }
            _ => return Err(format!("`{key}` is no fact")),
        }
        Ok(())
    }

    fn input(&self, said: &str, state: &State, understand: &dyn Fn(&str) -> Meaning) -> Input {
        let pressed = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let choice = pressed.and_then(|title| {
            state.offered.iter().find(|offer| offer.title == title).map(|offer| offer.id.clone())
        });
        let text = if choice.is_some() { pressed.unwrap_or(said) } else { said };
        Input {
            text: text.to_owned(),
            had_nik: text.contains("[NIK]"),
            choice,
            meaning: understand(text),
            is_registered: self.is_registered,
            is_opted_out: self.is_opted_out,
            cards: self.cards.clone(),
            reference: self.references.iter().find(|r| text.contains(&r.reference)).cloned(),
            connection: None,
            served: ChannelKind::ALL.to_vec(),
            reachable: ChannelKind::ALL.to_vec(),
            office: self.office.clone(),
            channel: self.channel,
            now: Timestamp::from_ms(0),
        }
    }
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
    };
    for part in parts {
        match part.split_once(':') {
            Some(("place", words)) => card.place = Some(words.trim().to_owned()),
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
    if !reply.choices.is_empty() {
        let titles: Vec<String> = reply.choices.iter().map(|c| format!("[{}]", c.title)).collect();
        lines.push(titles.join(" "));
    }
    lines
}

/// The name of an effect in a transcript.
#[must_use]
pub const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::OptOut => "opt_out",
        Effect::OptIn => "opt_in",
        Effect::WrongPerson => "wrong_person",
        Effect::Prefer(ChannelKind::Whatsapp) => "prefer_whatsapp",
        Effect::Prefer(ChannelKind::Telegram) => "prefer_telegram",
        Effect::Prefer(ChannelKind::Sms) => "prefer_sms",
        Effect::UnknownQuestion => "unknown_question",
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
