//! Answers to an announced home delivery: by a button below the announcement, or in words.
//!
//! Only what is clearly an answer counts as one; a question about receiving or addresses is answered
//! as ever.

use crate::dialogue::input::{DeliveryFact, Effect, Need};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::script::{Button, Picked, Script};
use crate::dialogue::state::{Flow, words};
use crate::dialogue::turn::{Said, Turn, said};
use crate::domain::language::Language;
use crate::domain::outbound::Choice;
use crate::domain::round::Answer;

const INTENT: &str = "home_delivery_when";
/// What says more is a story, and no answer.
const MOST_WORDS: usize = 12;
/// Words of a name, at most.
const NAME_WORDS: usize = 5;

const ASKING: &[&str] = &[
    "apakah",
    "apa",
    "bisa",
    "bisakah",
    "boleh",
    "bolehkah",
    "bagaimana",
    "gimana",
    "kapan",
    "siapa",
    "mana",
    "dimana",
    "kenapa",
    "berapa",
    "kalau",
    "kalo",
];
const NOT: &[&str] =
    &["tidak", "gak", "ga", "nggak", "enggak", "ngga", "tak", "bukan", "belum", "kosong", "tdk"];
const FAMILY: &[&str] = &[
    "istri",
    "suami",
    "anak",
    "ibu",
    "bapak",
    "ayah",
    "mama",
    "papa",
    "kakak",
    "adik",
    "mertua",
    "keluarga",
    "nenek",
    "kakek",
    "orangtua",
    "om",
    "tante",
    "paman",
    "bibi",
    "menantu",
    "keponakan",
];
const RECEIVE: &[&str] =
    &["diterima", "terima", "diwakili", "wakil", "diwakilkan", "titip", "dititipkan"];
const FILLERS: &[&str] = &[
    "saya", "aku", "ku", "kami", "yang", "bernama", "nama", "namanya", "oleh", "ya", "aja", "saja",
    "di", "rumah",
];

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
}

/// What a text answers, and the name in it.
fn answer_in(text: &str) -> Option<(Answer, Option<String>)> {
    let said = words(text);
    if said.is_empty() || said.len() > MOST_WORDS || text.contains('?') {
        return None;
    }
    let has = |set: &[&str]| said.iter().any(|word| set.contains(&word.as_str()));
    if has(ASKING) {
        return None;
    }
    let spaced = said.join(" ");
    let holds = |phrases: &[&str]| phrases.iter().any(|phrase| spaced.contains(phrase));
    let is_not = has(NOT);
    if holds(&[
        "alamat salah",
        "salah alamat",
        "alamatnya salah",
        "alamat keliru",
        "alamat beda",
        "sudah pindah alamat",
        "bukan alamat",
    ]) {
        return Some((Answer::WrongAddress, None));
    }
    if holds(&[
        "ambil sendiri",
        "saya ambil",
        "diambil sendiri",
        "ambil saja",
        "ambil aja",
        "ambil ke kantor",
    ]) {
        return Some((Answer::WillCollect, None));
    }
    if has(RECEIVE) && has(FAMILY)
        || matches!(spaced.as_str(), "keluarga" | "diwakili" | "diwakili keluarga")
    {
        return Some((Answer::Family, name_in(text)));
    }
    let is_home =
        holds(&["di rumah", "dirumah", "ada orang", "ada yang di rumah"]) || spaced == "ada";
    if holds(&[
        "hari lain",
        "ganti hari",
        "besok saja",
        "besok aja",
        "lusa saja",
        "lusa aja",
        "tunda",
        "diundur",
        "ganti jadwal",
        "jadwal lain",
    ]) || (is_home && is_not)
    {
        return Some((Answer::AnotherDay, None));
    }
    is_home.then_some((Answer::Home, None))
}

/// The name behind the word for a relative: `istri saya Siti Aminah`.
fn name_in(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let bare = |part: &str| part.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let at = parts.iter().rposition(|part| FAMILY.contains(&bare(part).as_str()))?;
    let relative = bare(parts.get(at)?);
    let rest = parts.get(at + 1..)?;
    let names: Vec<&str> = rest
        .iter()
        .copied()
        .filter(|part| !FILLERS.contains(&bare(part).as_str()))
        .take(NAME_WORDS)
        .collect();
    let name = names.join(" ").trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let is_name =
        name.chars().any(char::is_alphabetic) && !name.chars().any(|c| c.is_ascii_digit());
    is_name.then(|| if relative == "keluarga" { name } else { format!("{relative} {name}") })
}

impl Turn<'_> {
    /// What is announced to whoever writes and still to come.
    fn deliveries(&self) -> Vec<DeliveryFact> {
        if !self.input.is_registered {
            return Vec::new();
        }
        self.fact(self.input.deliveries.as_ref(), Need::Deliveries)
    }

    /// A text that answers an announced day; nothing when it does not, or when none is announced.
    pub(in crate::dialogue) fn delivery(&self) -> Option<Said> {
        let (answer, receiver) = answer_in(&self.input.text)?;
        let deliveries = self.deliveries();
        if deliveries.is_empty() {
            return None;
        }
        Some(self.answer_delivery(&deliveries, answer, receiver))
    }

    /// A button below the announcement.
    pub(in crate::dialogue) fn follow_delivery(&self, answer: Answer) -> Said {
        let deliveries = self.deliveries();
        if deliveries.is_empty() {
            return self.say(INTENT, Line::DeliveryGone);
        }
        self.answer_delivery(&deliveries, answer, None)
    }

    /// A day that was offered instead.
    pub(in crate::dialogue) fn follow_day(&self, day: &str) -> Said {
        let deliveries = self.deliveries();
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

    /// The name of whoever receives it, which was asked for.
    pub(in crate::dialogue) fn take_receiver(&self) -> Option<Said> {
        let said = words(&self.input.text);
        let is_name = (1..=NAME_WORDS).contains(&said.len())
            && !said.iter().any(|word| word.chars().any(|c| c.is_ascii_digit()));
        if !is_name || self.input.text.contains('?') {
            return None;
        }
        let deliveries = self.deliveries();
        if deliveries.is_empty() {
            return None;
        }
        let name = name_in(&self.input.text).unwrap_or_else(|| self.input.text.trim().to_owned());
        Some(self.answer_delivery(&deliveries, Answer::Family, Some(name)))
    }

    fn answer_delivery(
        &self,
        deliveries: &[DeliveryFact],
        answer: Answer,
        receiver: Option<String>,
    ) -> Said {
        let day = deliveries.first().map_or("", |one| one.day.as_str());
        let line = match (answer, &receiver) {
            (Answer::AnotherDay, _) => return self.ask_day(deliveries),
            (Answer::Family, None) => {
                return self.say(INTENT, Line::DeliveryFamilyAsk).going_on(Flow::Receiver);
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

    fn ask_day(&self, deliveries: &[DeliveryFact]) -> Said {
        let days = deliveries.first().map(|one| one.days.as_slice()).unwrap_or_default();
        let choice = |(date, label): &(chrono::NaiveDate, String)| Choice {
            id: Picked::Day(&date.to_string()).id(),
            title: label.clone(),
        };
        let text = self.text(Line::DeliveryDayAsk, self.holes());
        said(INTENT, text, days.iter().map(choice).collect())
    }
}

fn items(deliveries: &[DeliveryFact]) -> Vec<String> {
    deliveries.iter().map(|one| one.item.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_clearly_an_answer_is_one_and_a_question_is_not() {
        let cases = [
            ("saya di rumah", Some((Answer::Home, None))),
            ("Ada", Some((Answer::Home, None))),
            ("ya, ada orang di rumah", Some((Answer::Home, None))),
            ("besok saja", Some((Answer::AnotherDay, None))),
            ("maaf saya tidak di rumah", Some((Answer::AnotherDay, None))),
            ("GANTI HARI", Some((Answer::AnotherDay, None))),
            ("diterima istri saya Siti", Some((Answer::Family, Some("istri Siti".to_owned())))),
            ("diwakili keluarga", Some((Answer::Family, None))),
            ("diterima ibu saya", Some((Answer::Family, None))),
            ("alamat salah", Some((Answer::WrongAddress, None))),
            ("saya ambil sendiri", Some((Answer::WillCollect, None))),
            ("boleh diterima istri saya", None),
            ("kalau saya tidak di rumah bagaimana", None),
            ("di rumah saya?", None),
            ("ktp saya hilang", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(answer_in(text), expected, "{text}");
        }
    }
}
