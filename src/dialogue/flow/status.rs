//! Where is my card? Told of the cards on file for the phone that writes, and of no others.

use crate::dialogue::input::{CardFact, Effect, OutageFact};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::picked::Picked;
use crate::dialogue::script::MAX_CHOICES;
use crate::dialogue::state::words;
use crate::dialogue::turn::{Said, Turn, said};
use crate::domain::message::ChannelKind;
use crate::domain::outage::OutageKind;
use crate::domain::outbound::Choice;

impl Turn<'_> {
    /// Nobody is on file for whoever writes. A chat may still be tied to somebody.
    pub(in crate::dialogue) fn unregistered(&self, intent: &str) -> Said {
        let is_chat = self.input.channel == ChannelKind::Telegram;
        self.say(intent, if is_chat { Line::UnregisteredChat } else { Line::Unregistered })
    }

    /// The cards that may be told of: none unless the phone is on file.
    pub(in crate::dialogue) fn registered_cards(&self) -> &[CardFact] {
        if self.input.is_registered { &self.input.cards } else { &[] }
    }

    pub(in crate::dialogue) fn status(&self) -> Said {
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

    /// They say that they have their card; nothing when none lies ready.
    pub(in crate::dialogue) fn taken(&self) -> Option<Said> {
        let ready: Vec<&CardFact> =
            self.registered_cards().iter().filter(|card| card.is_ready).collect();
        match ready.as_slice() {
            [] => None,
            [one] => self.taken_one(&one.id),
            many => {
                let choice = |card: &&CardFact| Choice {
                    id: Picked::Taken(&card.id).id(),
                    title: card.who.chars().take(20).collect(),
                };
                let choices: Vec<Choice> = many.iter().take(MAX_CHOICES).map(choice).collect();
                Some(self.offer("status_card", Line::TakenChoose, choices))
            }
        }
    }

    /// The same of one card; nothing when it is none of theirs, or does not lie ready.
    pub(in crate::dialogue) fn taken_one(&self, id: &str) -> Option<Said> {
        let card = self.registered_cards().iter().find(|card| card.id == id && card.is_ready)?;
        let holes = Holes { cards: std::slice::from_ref(card), ..self.holes() };
        let text = self.text(Line::TakenNoted, holes);
        Some(said("card_taken", text, Vec::new()).with(Effect::Taken(card.id.clone())))
    }

    /// What stands below an answer while the office cannot work.
    pub(in crate::dialogue) fn outage_below(&self, intent: &str) -> Option<String> {
        let is_of_server = |kind: &str| kind == OutageKind::Server.as_str();
        let concerns = |outage: &&OutageFact| match intent {
            "status_card" => {
                self.registered_cards().iter().any(|card| card.kept_by.contains(&outage.kind))
            }
            "blanko_out" => !is_of_server(&outage.kind),
            "opening_hours" => true,
            _ => false,
        };
        let outages: Vec<OutageFact> =
            self.input.outages.iter().filter(concerns).cloned().collect();
        if outages.is_empty() {
            return None;
        }
        let holes = Holes { outages: &outages, ..self.holes() };
        Some(self.text(Line::OutageRunning, holes)).filter(|text| !text.is_empty())
    }

    pub(in crate::dialogue) fn status_of(&self, who: &str) -> Said {
        let cards: Vec<CardFact> =
            self.registered_cards().iter().filter(|card| card.who == who).cloned().collect();
        let text = self.text(Line::Status, Holes { cards: &cards, ..self.holes() });
        said("status_card", text, Vec::new())
    }
}
