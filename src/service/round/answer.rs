//! What citizens answer to the day of a round, and what it does at once.

use chrono::NaiveDate;

use super::day::{ahead_of, working_days};
use super::planning::new_item;
use super::start::leave;
use super::telling::tell;
use super::{RoundError, is_over, today};
use crate::dialogue::DeliveryFact;
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ItemId, PersonId};
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::redact::redact;
use crate::domain::round::{Answer, Next, OFFERED_DAYS, RoundState, after_answer, next_attempt};
use crate::service::{App, ServiceError};
use crate::store::person::Person;
use crate::store::round::Round;
use crate::store::round_item::{self, Item};
use crate::store::{Tx, holiday, round as round_store, round_plan};

/// Longest name of a receiver.
const MAX_NAME: usize = 60;
/// Letters of a button.
const MAX_BUTTON: usize = 20;

/// What somebody answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// The answer.
    pub answer: Answer,
    /// The day wished for.
    pub day: Option<NaiveDate>,
    /// Who receives it.
    pub receiver: Option<String>,
}

/// An announced card of somebody, with the days it may be brought instead.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The item.
    pub item: Item,
    /// Its round.
    pub round: Round,
    /// Days that can be chosen instead.
    pub days: Vec<NaiveDate>,
}

/// The announced cards of people, those of the next visit first.
pub(in crate::service) async fn list_announced(
    app: &App,
    tx: &mut Tx,
    people: &[PersonId],
    now: Timestamp,
) -> Result<Vec<Announced>, ServiceError> {
    let mut found: Vec<Announced> = Vec::new();
    for person in people {
        for item in round_item::list_announced_of(tx, &app.db, *person).await? {
            let Some(round) = round_store::find_round(tx, item.round).await? else { continue };
            let is_to_come = matches!(round.state, RoundState::Announced | RoundState::Out);
            // What nobody ended on its day is no visit that could still be answered.
            if is_to_come && !is_over(app, &round, now) {
                found.push(Announced { item, round, days: Vec::new() });
            }
        }
    }
    found.sort_by_key(|one| (one.round.day, one.round.id, one.item.id));
    for at in 0..found.len() {
        let before = at.checked_sub(1).and_then(|before| found.get(before));
        let Some(one) = found.get(at) else { break };
        let known = before.filter(|before| before.round.id == one.round.id);
        let days = if let Some(before) = known {
            before.days.clone()
        } else {
            let home = round_item::find_home(tx, &app.db, one.item.person).await?.area;
            let home = home.and_then(|area| AreaCode::parse(&area).ok());
            let home = home.unwrap_or_else(|| one.round.area.clone());
            other_days(app, tx, &one.round, &home, now).await?
        };
        if let Some(one) = found.get_mut(at) {
            one.days = days;
        }
    }
    Ok(found)
}

/// Days of the next rounds there with room, else the next working days.
async fn other_days(
    app: &App,
    tx: &mut Tx,
    round: &Round,
    home: &AreaCode,
    now: Timestamp,
) -> Result<Vec<NaiveDate>, ServiceError> {
    let after = today(app, round, now);
    let mut days: Vec<NaiveDate> = Vec::new();
    for other in round_store::list_with_room(tx, home, after, 20).await? {
        if other.day != round.day && !days.contains(&other.day) && days.len() < OFFERED_DAYS {
            days.push(other.day);
        }
    }
    if !days.is_empty() {
        return Ok(days);
    }
    let start = after.max(round.day);
    let holidays = holiday::list_holidays(tx, ahead_of(start)).await?;
    Ok(working_days(&holidays, home, start, OFFERED_DAYS))
}

/// Does what somebody answered about their card; `false` when it is no longer on a round that could
/// be changed.
pub(in crate::service) async fn take(
    app: &App,
    tx: &mut Tx,
    item: ItemId,
    said: &Said,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    match take_in(app, tx, item, said, now).await {
        Ok(is_done) => Ok(is_done),
        Err(RoundError::Service(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

async fn take_in(
    app: &App,
    tx: &mut Tx,
    id: ItemId,
    said: &Said,
    now: Timestamp,
) -> Result<bool, RoundError> {
    let Some(round) = round_item::find_round_of(tx, id).await? else { return Ok(false) };
    let Some(round) = round_store::lock_round(tx, &app.db, round).await? else { return Ok(false) };
    let Some(mut item) = round_item::lock_item(tx, &app.db, id).await? else { return Ok(false) };
    if !round.state.is_live() || !item.state.is_open() {
        return Ok(false);
    }
    item.answer = Some(said.answer);
    item.receiver = match said.answer {
        Answer::Family => said.receiver.as_deref().and_then(name),
        _ => None,
    };
    if said.answer == Answer::AnotherDay {
        item.wish = said.day;
    }
    match after_answer(said.answer) {
        None => round_item::save_item(tx, &app.db, &mut item, now).await?,
        Some(next) => {
            leave(app, tx, &mut item, next, now).await?;
            if let (Next::Day, Some(day)) = (next, said.day) {
                join(app, tx, (&round, &mut item), day, now).await?;
            }
        }
    }
    Ok(true)
}

/// Goes onto a round of the wished day if there is one with room; else the wish waits for one.
async fn join(
    app: &App,
    tx: &mut Tx,
    (round, item): (&Round, &mut Item),
    day: NaiveDate,
    now: Timestamp,
) -> Result<(), RoundError> {
    let home = round_item::find_home(tx, &app.db, item.person).await?.area;
    let home = home.and_then(|area| AreaCode::parse(&area).ok());
    let home = home.unwrap_or_else(|| round.area.clone());
    let after = today(app, round, now);
    let rounds = round_store::list_with_room(tx, &home, after, 50).await?;
    let Some(other) = rounds.into_iter().find(|other| other.day == day && other.id != round.id)
    else {
        return Ok(());
    };
    let Some(other) = round_store::lock_round(tx, &app.db, other.id).await? else { return Ok(()) };
    // Somebody else may have taken the last place, or moved it, before it was held.
    let has_room = round_store::count_open(tx, other.id).await? < other.capacity;
    let is_before = matches!(other.state, RoundState::Planned | RoundState::Announced);
    if !is_before || other.day != day || !has_room {
        return Ok(());
    }
    let position = round_item::last_position(tx, other.id).await? + 1;
    let about = (item.origin.clone(), item.before, next_attempt(item.attempt, None));
    let (place, key) = ((other.id, position), (item.card, item.person));
    let mut new = new_item(app, place, key, about, item.waits_since, now);
    // Should that round not come about either, the day still holds.
    new.wish = Some(day);
    if round_plan::insert_items(tx, &app.db, std::slice::from_ref(&new), now).await? == 0 {
        return Ok(());
    }
    item.next_done_at = Some(now);
    round_item::save_item(tx, &app.db, item, now).await?;
    if other.state == RoundState::Announced {
        tell(app, tx, &other, &mut new, now).await?;
    }
    Ok(())
}

/// A name as somebody gives it: short, and nothing that looks like a number.
fn name(raw: &str) -> Option<String> {
    let short: String = raw
        .chars()
        .filter(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '\'' | '-' | ','))
        .take(MAX_NAME)
        .collect();
    let short = redact(short.trim()).text;
    (!short.is_empty()).then_some(short)
}

/// The same as the conversation needs it, in words.
pub(in crate::service) async fn facts(
    app: &App,
    tx: &mut Tx,
    people: &[PersonId],
    (language, channel): (Language, ChannelKind),
    now: Timestamp,
) -> Result<Vec<DeliveryFact>, ServiceError> {
    let words = app.templates.vocabulary().speaking(language);
    let found = list_announced(app, tx, people, now).await?;
    // A chat says a day in words, as far as a button holds them.
    let label = |day: &NaiveDate| {
        let long = words.date(*day);
        let is_short = channel == ChannelKind::Sms || long.chars().count() > MAX_BUTTON;
        (*day, if is_short { words.date_short(*day) } else { long })
    };
    let fact = |one: Announced| {
        let zone = app.zone(Some(&one.round.area));
        let window = words.window(Some(one.round.from), Some(one.round.to), zone);
        DeliveryFact {
            item: one.item.id.to_string(),
            visit: one.round.id.to_string(),
            day: format!("{}, {window}", words.date(one.round.day)),
            days: one.days.iter().map(label).collect(),
        }
    };
    Ok(found.into_iter().map(fact).collect())
}

/// Does what somebody answered about cards of theirs; others' are left alone.
pub(in crate::service) async fn take_all(
    app: &App,
    tx: &mut Tx,
    people: &[Person],
    items: &[String],
    said: &Said,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let people: Vec<PersonId> = people.iter().map(|person| person.id).collect();
    for one in list_announced(app, tx, &people, now).await? {
        if items.contains(&one.item.id.to_string()) {
            take(app, tx, one.item.id, said, now).await?;
        }
    }
    Ok(())
}

/// Takes the cards of people off their rounds whose number belongs to somebody else.
pub(in crate::service) async fn release(
    app: &App,
    tx: &mut Tx,
    people: &[Person],
    now: Timestamp,
) -> Result<(), ServiceError> {
    let said = Said { answer: Answer::NotMe, day: None, receiver: None };
    for person in people {
        for item in round_item::list_announced_of(tx, &app.db, person.id).await? {
            take(app, tx, item.id, &said, now).await?;
        }
    }
    Ok(())
}
