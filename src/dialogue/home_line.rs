//! Requests for officers to come, as a transcript holds them, and what becomes of them there. Made for tests only.

use super::home_fact::{HomeFact, HomeVisitFact};
use crate::domain::clock::Timestamp;
use crate::domain::id::{HomeVisitId, IdSource};

/// The requests of a transcript.
#[derive(Clone)]
pub struct Homes {
    /// What the chat is told of.
    pub fact: HomeFact,
}

const NUMBERS: [&str; 3] = ["R-7KQ4", "R-W4HT", "R-9PXB"];

impl Homes {
    /// None, in an office that takes two of a chat and answers within three days.
    #[must_use]
    pub fn new() -> Self {
        let number = NUMBERS[0].to_owned();
        Self { fact: HomeFact { most: 2, days: 3, number, ..HomeFact::default() } }
    }

    /// A request is kept.
    pub fn ask(&mut self, number: &str, desa: &str) {
        let count = self.fact.own.len();
        let at = Timestamp::from_ms(i64::try_from(count).unwrap_or(0));
        self.fact.own.push(HomeVisitFact {
            id: IdSource::default().next(at),
            number: number.to_owned(),
            desa: desa.to_owned(),
            day: String::new(),
            day_short: String::new(),
            window: String::new(),
            window_short: String::new(),
        });
        let next = NUMBERS.get(count + 1).copied().unwrap_or("R-K3MS");
        next.clone_into(&mut self.fact.number);
    }

    /// The office gives all of them a day.
    pub fn schedule(&mut self) {
        for own in &mut self.fact.own {
            "Selasa, 24 November".clone_into(&mut own.day);
            "Sel 24 Nov".clone_into(&mut own.day_short);
            "pukul 09.00-12.00 WIB".clone_into(&mut own.window);
            "09-12 WIB".clone_into(&mut own.window_short);
        }
    }

    /// One is taken back.
    pub fn withdraw(&mut self, id: HomeVisitId) {
        self.fact.own.retain(|own| own.id != id);
    }
}

impl Default for Homes {
    fn default() -> Self {
        Self::new()
    }
}
