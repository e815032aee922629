//! Facts that only some answers need, fetched when a step of the conversation turns out to need them.

use super::{App, ServiceError, appointment, home_visit, point, round, survey};
use crate::dialogue::{Input, KeptFact, KeptPerson, KeptTicket, Need};
use crate::domain::clock::Timestamp;
use crate::domain::id::ContactId;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;
use crate::domain::ticket::ComplaintNumber;
use crate::store::person::Person;
use crate::store::{StoreError, Tx, complaint, kept, ticket};

/// Complaints of one conversation that may be under way; what more it tells is added to the last.
const MAX_COMPLAINTS: i64 = 5;

/// Whose conversation it is.
#[derive(Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) contact: ContactId,
    /// What its addresses are looked up by.
    pub(super) hashes: &'a [String],
    /// Those on file for them.
    pub(super) people: &'a [Person],
}

/// A day as citizens read it, by the office's clock.
pub(super) fn day_in_words(app: &App, at: Timestamp, language: Language) -> String {
    let zone = app.zone(None).offset();
    app.templates.vocabulary().speaking(language).day_and_year(at.in_zone(zone).date_naive())
}

/// Adds what an answer in a language turned out to need.
pub(super) async fn add_needed(
    app: &App,
    tx: &mut Tx,
    whose: Option<Whose<'_>>,
    (needs, language): (&[Need], Language),
    input: &mut Input,
) -> Result<(), ServiceError> {
    for need in needs {
        match need {
            Need::Number => {
                let contact = whose.as_ref().map(|whose| whose.contact);
                input.number = Some(next_number(tx, contact).await?.to_string());
            }
            Need::Queue => {
                input.waiting = Some(ticket::count_waiting(tx).await?);
                input.office_opens =
                    point::office_opens(app, tx, &input.area, language, input.now).await?;
            }
            Need::Kept => {
                let kept = match whose {
                    // Whose number was released from them is told nothing of these people.
                    Some(whose) if !input.is_registered => {
                        find_kept(app, tx, Whose { people: &[], ..whose }, language).await?
                    }
                    Some(whose) => find_kept(app, tx, whose, language).await?,
                    None => KeptFact::default(),
                };
                input.kept = Some(kept);
            }
            Need::Points => {
                input.points = Some(point::facts(app, tx, &input.area, input.now).await?);
                input.areas = point::areas(app, tx, &input.area).await?;
            }
            Need::Deliveries => {
                let people: Vec<_> = whose
                    .iter()
                    .flat_map(|whose| whose.people.iter().map(|person| person.id))
                    .collect();
                let speech = (language, input.channel);
                input.deliveries = Some(round::facts(app, tx, &people, speech, input.now).await?);
            }
            Need::Sessions => {
                let at = (language, input.now);
                input.sessions = Some(appointment::facts(app, tx, &input.area, at).await?);
            }
            Need::Served => {
                let served = appointment::served(app, tx, &input.area, input.now).await?;
                input.served_by_visit = Some(served);
            }
            Need::Booking => {
                let contact = whose.as_ref().map(|whose| whose.contact);
                let at = (language, input.now);
                input.booking = Some(appointment::own_facts(app, tx, contact, at).await?);
            }
            Need::Slot(id) => {
                let at = (language, input.now);
                input.slot = Some(appointment::slot_now(app, tx, *id, at).await?);
            }
            Need::Home => {
                let contact = whose.as_ref().map(|whose| whose.contact);
                input.home = Some(home_visit::chat::facts(app, tx, contact, language).await?);
            }
            Need::Desas => {
                input.desas = Some(home_visit::chat::desas(app, tx, &input.area).await?);
            }
            Need::Survey => input.survey = Some(survey::list_order(app, tx).await?),
        }
    }
    Ok(())
}

/// What is kept of a conversation, and of its owner where that is one person and no family.
async fn find_kept(
    app: &App,
    tx: &mut Tx,
    whose: Whose<'_>,
    language: Language,
) -> Result<KeptFact, ServiceError> {
    let Some(found) = kept::find_conversation(tx, whose.contact, whose.hashes).await? else {
        return Ok(KeptFact::default());
    };
    let words = |at| day_in_words(app, at, language);
    let own = match whose.people {
        [person] => kept::find_person(tx, person.id).await?.map(|kept| KeptPerson {
            who: person.name.as_ref().map(PersonName::masked).filter(|who| !who.is_empty()),
            phone: person.phone.as_ref().map(PhoneNumber::masked),
            since: words(kept.since),
            has_area: kept.has_area,
            has_address: kept.has_address,
            channel: person.channel.map(|channel| ChannelKind::as_str(channel).to_owned()),
            updates: kept.updates.iter().map(|(id, count)| (id.to_string(), *count)).collect(),
        }),
        _ => None,
    };
    let tickets = found.tickets.into_iter().map(|ticket| KeptTicket {
        kind: ticket.kind.as_str().to_owned(),
        // A number tells whoever shares the phone more than their own matters.
        number: ticket.number.filter(|_| whose.people.len() < 2),
        state: ticket.state.as_str().to_owned(),
    });
    Ok(KeptFact {
        since: words(found.since),
        received: found.received,
        sent: found.sent,
        questions: found.questions,
        consent_since: found.consent_at.map(words),
        is_stranger: found.is_stranger,
        tickets: tickets.collect(),
        appointments: found.appointments,
        home_visits: found.home_visits,
        people: whose.people.len(),
        own,
    })
}

/// The same for a conversation in a terminal. Changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn add_needed_facts(
    app: &App,
    needs: &[Need],
    language: Language,
    input: &mut Input,
) -> Result<(), ServiceError> {
    let mut tx = app.db.begin().await?;
    add_needed(app, &mut tx, None, (needs, language), input).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    Ok(())
}

/// The number that a complaint of a conversation gets: one that nobody has, and where very many are
/// under way that of the last, to which its words will be added.
async fn next_number(
    tx: &mut Tx,
    contact: Option<ContactId>,
) -> Result<ComplaintNumber, ServiceError> {
    const DRAWS: usize = 8;
    if let Some(contact) = contact
        && let Some(last) = complaint::find_last_of_many(tx, contact, MAX_COMPLAINTS).await?
    {
        return Ok(last);
    }
    let draw = || getrandom::u64().map_err(|_| ServiceError::Text("no randomness".to_owned()));
    let mut number = ComplaintNumber::from_random(draw()?);
    for _ in 0..DRAWS {
        if !complaint::is_number_taken(tx, &number).await? {
            break;
        }
        number = ComplaintNumber::from_random(draw()?);
    }
    Ok(number)
}
