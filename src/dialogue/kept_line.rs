//! What is kept of a chat and of a person, as it stands in the head of a transcript. Made for tests only.

use super::input::{KeptFact, KeptPerson};
use super::transcript::number;

/// `since | received | sent | people: 1 | consent: 2 November 2026 | questions: 1 | stranger: yes | appointment: J-7KQ4 |
/// home visit: R-7KQ4`.
pub(super) fn take_kept(kept: &mut KeptFact, value: &str) -> Result<(), String> {
    let mut parts = value.split('|').map(str::trim);
    parts.next().unwrap_or_default().clone_into(&mut kept.since);
    kept.received = number(parts.next().unwrap_or_default())?;
    kept.sent = number(parts.next().unwrap_or_default())?;
    for part in parts {
        match part.split_once(": ") {
            Some(("people", count)) => {
                kept.people = count.parse().map_err(|_| format!("`{count}` is no number"))?;
            }
            Some(("consent", day)) => kept.consent_since = Some(day.to_owned()),
            Some(("questions", count)) => kept.questions = number(count)?,
            Some(("appointment", code)) => kept.appointments.push(code.to_owned()),
            Some(("home visit", number)) => kept.home_visits.push(number.to_owned()),
            Some(("stranger", word)) => kept.is_stranger = word == "yes",
            _ => return Err(format!("`{part}` is nothing that is kept")),
        }
    }
    Ok(())
}

/// `Siti A. | +62 812-****-**90 | 1 November 2026 | area | address | channel: whatsapp | crd_1: 4`.
pub(super) fn kept_person(value: &str) -> Result<KeptPerson, String> {
    let mut parts = value.split('|').map(str::trim);
    let mut next = || parts.next().map(str::to_owned);
    let mut person = KeptPerson { who: next(), phone: next(), ..KeptPerson::default() };
    person.since = next().unwrap_or_default();
    for part in parts {
        match part.split_once(": ") {
            None if part == "area" => person.has_area = true,
            None if part == "address" => person.has_address = true,
            Some(("channel", channel)) => person.channel = Some(channel.to_owned()),
            Some((card, count)) => {
                person.updates.insert(card.to_owned(), number(count)?);
            }
            None => return Err(format!("`{part}` is nothing that is kept of a person")),
        }
    }
    Ok(person)
}
