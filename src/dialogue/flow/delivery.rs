//! Answers to an announced home delivery: by a button below the announcement, or in words.
//!
//! What words mean is `delivery_words`'; a question about receiving or addresses is answered as ever.

use chrono::Datelike as _;

use super::delivery_words::{answer_in, receiver_in, weekday_in};
use crate::dialogue::input::{DeliveryFact, Effect, Need};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::picked::{Button, Picked};
use crate::dialogue::script::Script;
use crate::dialogue::state::Flow;
use crate::dialogue::turn::{Said, Turn, said};
use crate::domain::language::Language;
use crate::domain::outbound::Choice;
use crate::domain::round::Answer;

const INTENT: &str = "home_delivery_when";
/// From here on what was understood counts for more than single words.
const SURE: f32 = 0.7;

impl Script {
    /// What can be answered to an announced day.
    #[must_use]
    pub fn delivery_choices(&self, language: Language) -> Vec<Choice> {
        [
            Button::DeliveryHome,
            Button::DeliveryDay,
            Button::DeliveryFamily,
            Button::DeliveryAddress,
            Button::DeliveryCollect,
        ]
        .into_iter()
        .map(|button| self.button(button, language))
        .collect()
    }

    /// The same below the announcement of one item: whoever is visited twice answers what they see.
    #[must_use]
    pub fn delivery_choices_of(&self, item: &str, language: Language) -> Vec<Choice> {
        let named = |choice: Choice| match Picked::parse(&choice.id) {
            Some(Picked::Button(button)) => {
                Choice { id: Picked::Delivery(button, item).id(), ..choice }
            }
            _ => choice,
        };
        self.delivery_choices(language).into_iter().map(named).collect()
    }
}

impl Turn<'_> {
    /// What is announced to whoever writes and still to come: the visit of an item, else the next.
    fn deliveries(&self, item: Option<&str>) -> Vec<DeliveryFact> {
        if !self.input.is_registered {
            return Vec::new();
        }
        let mut all: Vec<DeliveryFact> =
            self.fact(self.input.deliveries.as_ref(), Need::Deliveries);
        let mut of = all.iter().filter(|one| item.is_none_or(|item| one.item == item));
        let visit = of.next().map(|one| one.visit.clone());
        all.retain(|one| Some(&one.visit) == visit.as_ref());
        all
    }

    /// A text that answers an announced day; nothing when it does not, or when none is announced.
    pub(in crate::dialogue) fn delivery(&self) -> Option<Said> {
        let (answer, receiver) = answer_in(&self.input.text)?;
        let meaning = &self.input.meaning;
        // A name is free text: whoever complains or asks about a fraud names nobody who receives.
        let is_other = matches!(meaning.intent.as_str(), "complaint" | "scam_check");
        if receiver.is_some() && is_other && meaning.confidence >= SURE {
            return None;
        }
        let deliveries = self.deliveries(None);
        if deliveries.is_empty() {
            return None;
        }
        Some(self.answer_delivery(&deliveries, answer, receiver))
    }

    /// A button below the announcement, of an item or of what is next; nothing for another button.
    pub(in crate::dialogue) fn follow_delivery(
        &self,
        button: Button,
        item: Option<&str>,
    ) -> Option<Said> {
        let answer = match button {
            Button::DeliveryHome => Answer::Home,
            Button::DeliveryDay => Answer::AnotherDay,
            Button::DeliveryFamily => Answer::Family,
            Button::DeliveryAddress => Answer::WrongAddress,
            Button::DeliveryCollect => Answer::WillCollect,
            _ => return None,
        };
        let deliveries = self.deliveries(item);
        if deliveries.is_empty() {
            return Some(self.say(INTENT, Line::DeliveryGone));
        }
        Some(self.answer_delivery(&deliveries, answer, None))
    }

    /// A day that was offered instead, with an item of the visit.
    pub(in crate::dialogue) fn follow_day(&self, picked: &str) -> Said {
        let (day, item) =
            picked.split_once(':').map_or((picked, None), |(day, item)| (day, Some(item)));
        let deliveries = self.deliveries(item);
        let found = deliveries
            .first()
            .and_then(|one| one.days.iter().find(|(date, _)| date.to_string() == day));
        let Some((date, label)) = found else { return self.say(INTENT, Line::DeliveryGone) };
        let holes = Holes { day: label, ..self.holes() };
        self.say_with(INTENT, Line::DeliveryDayNoted, holes).with(Effect::AnswerDelivery {
            items: items(&deliveries),
            answer: Answer::AnotherDay,
            day: Some(*date),
            receiver: None,
        })
    }

    /// The name of whoever receives it, which was asked for; or what they say instead.
    pub(in crate::dialogue) fn take_receiver(&self, item: Option<&str>) -> Option<Said> {
        let said = answer_in(&self.input.text);
        let (answer, receiver) = match said {
            Some((answer, receiver)) if answer != Answer::Family || receiver.is_some() => {
                (answer, receiver)
            }
            _ => (Answer::Family, Some(receiver_in(&self.input.text)?)),
        };
        let deliveries = self.deliveries(item);
        if deliveries.is_empty() {
            return None;
        }
        Some(self.answer_delivery(&deliveries, answer, receiver))
    }

    /// The day that was asked for, named by its day of the week.
    pub(in crate::dialogue) fn take_day(&self, item: Option<&str>) -> Option<Said> {
        let weekday = weekday_in(&self.input.text)?;
        let deliveries = self.deliveries(item);
        let days = &deliveries.first()?.days;
        let mut fitting = days.iter().filter(|(date, _)| date.weekday() == weekday);
        match (fitting.next(), fitting.next()) {
            (Some((date, _)), None) => Some(self.follow_day(&day_of(*date, deliveries.first()))),
            _ => Some(self.offer_days(&deliveries, Line::DeliveryDayOther)),
        }
    }

    fn answer_delivery(
        &self,
        deliveries: &[DeliveryFact],
        answer: Answer,
        receiver: Option<String>,
    ) -> Said {
        let day = deliveries.first().map_or("", |one| one.day.as_str());
        let line = match (answer, &receiver) {
            (Answer::AnotherDay, _) => return self.offer_days(deliveries, Line::DeliveryDayAsk),
            (Answer::Family, None) => {
                let item = deliveries.first().map(|one| one.item.clone());
                return self.say(INTENT, Line::DeliveryFamilyAsk).going_on(Flow::Receiver { item });
            }
            (Answer::Family, Some(_)) => Line::DeliveryFamilyNoted,
            (Answer::WrongAddress, _) => Line::DeliveryAddress,
            (Answer::WillCollect, _) => Line::DeliveryCollect,
            (Answer::Home | Answer::NotMe, _) => Line::DeliveryHome,
        };
        let holes = Holes { day, receiver: receiver.as_deref().unwrap_or(""), ..self.holes() };
        let items = items(deliveries);
        self.say_with(INTENT, line, holes).with(Effect::AnswerDelivery {
            items,
            answer,
            day: None,
            receiver,
        })
    }

    fn offer_days(&self, deliveries: &[DeliveryFact], line: Line) -> Said {
        let days = deliveries.first().map(|one| one.days.as_slice()).unwrap_or_default();
        let choice = |(date, label): &(chrono::NaiveDate, String)| Choice {
            id: Picked::Day(&day_of(*date, deliveries.first())).id(),
            title: label.clone(),
        };
        let text = self.text(line, self.holes());
        let item = deliveries.first().map(|one| one.item.clone());
        said(INTENT, text, days.iter().map(choice).collect()).going_on(Flow::Day { item })
    }
}

/// A day instead of that of a visit, as it comes back.
fn day_of(date: chrono::NaiveDate, visit: Option<&DeliveryFact>) -> String {
    visit.map_or_else(|| date.to_string(), |one| format!("{date}:{}", one.item))
}

fn items(deliveries: &[DeliveryFact]) -> Vec<String> {
    deliveries.iter().map(|one| one.item.clone()).collect()
}
