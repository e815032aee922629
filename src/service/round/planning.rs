//! Plans rounds from printed cards: one transaction a round, so that nobody else waits for all of them.

use std::collections::{BTreeSet, HashMap};

use chrono::{Days, NaiveDate, NaiveTime};

use super::RoundError;
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{CardId, OfficerId, RoundId};
use crate::domain::officer::{Actor, Right};
use crate::domain::round::{
    self as rules, ItemState, Next, RoundState, Slot, ToBring, next_attempt,
};
use crate::service::{App, officer};
use crate::store::round::Round;
use crate::store::round_item::Item;
use crate::store::round_plan::{self, Candidate};
use crate::store::{
    StoreError, custody as custody_store, officer as officer_store, round as round_store,
    service_point,
};

/// Cards of one round, at most.
pub const MAX_CAPACITY: i64 = 500;
/// A round is planned so far ahead, at most.
const MAX_AHEAD: u64 = 60;

/// Cards put onto rounds in one transaction: each commit waits for the disk, and others wait for the writer meanwhile.
const WRITTEN_AT_ONCE: usize = 500;

/// What rounds are wanted.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where.
    pub area: AreaCode,
    /// Start of the window.
    pub from: NaiveTime,
    /// End of the window.
    pub to: NaiveTime,
    /// Cards on each, at most.
    pub capacity: i64,
    /// Which courier on which day.
    pub slots: Vec<(NaiveDate, OfficerId)>,
    /// Where cards lie of which nobody said where they are.
    pub point: Option<String>,
}

/// Plans rounds from printed cards that lie in an office and are on no other round. Gives those
/// that got cards. A few are made in each transaction: what was interrupted is planned again.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn plan(app: &App, actor: &Actor, wish: &Wish) -> Result<Vec<RoundId>, RoundError> {
    let now = app.now();
    if !actor.may(Right::PlanRounds) || !actor.covers(Some(&wish.area), &app.settings.office_area) {
        return Err(RoundError::Forbidden);
    }
    check(app, wish, now).await?;
    let mut reading = app.db.reading().await?;
    if let Some(code) = &wish.point {
        let point =
            service_point::find_point(&mut reading, code).await?.ok_or(RoundError::Point)?;
        if !point.area.is_within(&wish.area) && !wish.area.is_within(&point.area) {
            return Err(RoundError::Point);
        }
    }
    let today = now.in_zone(app.zone(Some(&wish.area)).offset()).date_naive();
    let found = round_plan::list_candidates(&mut reading, &app.db, &wish.area).await?;
    let mut waiting: HashMap<CardId, Candidate> = HashMap::new();
    let mut to_bring = Vec::new();
    for card in found.into_iter().filter(|card| is_free(card, wish.point.as_deref())) {
        // A day that has passed holds nobody back: the card is one of those that wait longest.
        let is_wish = |day: &NaiveDate| next_of(&card) == Some(Next::Day) && *day >= today;
        to_bring.push(ToBring {
            id: card.card,
            desa: card.area.clone(),
            rw: card.rw.clone(),
            rt: card.rt.clone(),
            since: card.since.as_ms(),
            wish: card.wish.filter(is_wish),
        });
        waiting.insert(card.card, card);
    }
    let mut slots = Vec::with_capacity(wish.slots.len());
    for (day, courier) in &wish.slots {
        let window = (wish.from, wish.to);
        let taken = round_store::count_taken(&mut reading, *courier, *day, window).await?;
        let taken = usize::try_from(taken).unwrap_or(usize::MAX);
        slots.push(Slot { day: *day, courier: *courier, taken });
    }
    drop(reading);
    let capacity = usize::try_from(wish.capacity).unwrap_or(0);
    let planned = rules::plan(&to_bring, capacity, &slots);
    let (mut made, mut batch, mut waits) = (Vec::new(), Vec::new(), 0);
    for (cards, slot) in planned.into_iter().zip(&slots) {
        let cards: Vec<&Candidate> = cards.iter().filter_map(|id| waiting.get(id)).collect();
        if waits + cards.len() > WRITTEN_AT_ONCE {
            made.extend(write(app, actor, wish, &std::mem::take(&mut batch)).await?);
            waits = 0;
        }
        waits += cards.len();
        batch.push((slot, cards));
    }
    made.extend(write(app, actor, wish, &batch).await?);
    if made.is_empty() {
        return Err(RoundError::Empty);
    }
    Ok(made)
}

/// Makes rounds with their cards in one transaction. A card that is on another round by now, not
/// to be brought any more or somewhere else stays where it is; no round is made for none.
async fn write(
    app: &App,
    actor: &Actor,
    wish: &Wish,
    batch: &[(&Slot<OfficerId>, Vec<&Candidate>)],
) -> Result<Vec<RoundId>, RoundError> {
    let now = app.now();
    let ids: Vec<CardId> = batch.iter().flat_map(|(_, cards)| cards).map(|c| c.card).collect();
    let mut tx = app.db.begin().await?;
    let free = round_plan::lock_free(&mut tx, &app.db, &ids).await?;
    let (mut made, mut items, mut followed, mut held) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (slot, cards) in batch {
        let round = new_round(app, actor, wish, slot, now);
        let mut position = 0;
        for card in cards.iter().filter(|card| free.get(&card.card) == Some(&card.holder)) {
            let origin = match (&card.holder, &wish.point) {
                (Some(holder), _) => holder.clone(),
                (None, Some(code)) => {
                    let why = round.id.to_string();
                    held.push((app.ids.next(now), card.card, Holder::Point(code.clone()), why));
                    Holder::Point(code.clone())
                }
                (None, None) => continue,
            };
            position += 1;
            let attempt =
                card.last.map_or(1, |(_, _, attempt, outcome)| next_attempt(attempt, outcome));
            let key = (card.card, card.person);
            let about = (origin, card.status, attempt);
            items.push(new_item(app, (round.id, position), key, about, Some(card.since), now));
            followed.extend(card.last.map(|(last, ..)| last));
        }
        if position > 0 {
            round_store::insert_round(&mut tx, &round).await?;
            officer::note(app, &mut tx, actor, Action::PlannedRound, &round.id.to_string(), None)
                .await?;
            made.push(round.id);
        }
    }
    let put = round_plan::insert_items(&mut tx, &app.db, &items, now).await?;
    if usize::try_from(put).ok() != Some(items.len()) {
        // Nobody can have put one onto a round while it was held.
        return Err(StoreError::Conflict("round_item").into());
    }
    round_plan::follow(&mut tx, &app.db, &followed, now).await?;
    custody_store::begin(&mut tx, &app.db, &held, &actor.id, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(made)
}

fn new_round(
    app: &App,
    actor: &Actor,
    wish: &Wish,
    slot: &Slot<OfficerId>,
    now: Timestamp,
) -> Round {
    Round {
        id: app.ids.next(now),
        area: wish.area.clone(),
        day: slot.day,
        from: wish.from,
        to: wish.to,
        courier: slot.courier,
        capacity: wish.capacity,
        state: RoundState::Planned,
        made_by: actor.id.clone(),
        made_at: now,
        announced_at: None,
        started_at: None,
        ended_at: None,
    }
}

async fn check(app: &App, wish: &Wish, now: Timestamp) -> Result<(), RoundError> {
    check_window(app, (wish.from, wish.to))?;
    if !(1..=MAX_CAPACITY).contains(&wish.capacity) || wish.slots.is_empty() {
        return Err(RoundError::Capacity);
    }
    let today = now.in_zone(app.zone(Some(&wish.area)).offset()).date_naive();
    let mut couriers = BTreeSet::new();
    for (day, courier) in &wish.slots {
        check_day(*day, today)?;
        if couriers.insert(*courier) {
            check_courier(app, *courier, &wish.area).await?;
        }
    }
    Ok(())
}

/// A courier at the door before the code was told could prove nothing.
pub(super) fn check_window(
    app: &App,
    (from, to): (NaiveTime, NaiveTime),
) -> Result<(), RoundError> {
    let codes = app.settings.round.code_at;
    match () {
        () if from >= to => Err(RoundError::Window),
        () if from < codes => Err(RoundError::BeforeCodes(codes)),
        () => Ok(()),
    }
}

pub(super) fn check_day(day: NaiveDate, today: NaiveDate) -> Result<(), RoundError> {
    let last = today.checked_add_days(Days::new(MAX_AHEAD)).unwrap_or(today);
    if (today..=last).contains(&day) { Ok(()) } else { Err(RoundError::Day) }
}

pub(super) async fn check_courier(
    app: &App,
    id: OfficerId,
    area: &AreaCode,
) -> Result<(), RoundError> {
    let found = officer_store::find_officer(&app.db, id).await?.ok_or(RoundError::Courier)?;
    let is_near = area.is_within(&found.area) || found.area.is_within(area);
    let may = found.disabled_at.is_none() && found.role.may(Right::CarryCards) && is_near;
    if may { Ok(()) } else { Err(RoundError::Courier) }
}

fn next_of(card: &Candidate) -> Option<Next> {
    card.last.as_ref().and_then(|(_, next, _, _)| *next)
}

/// Whether a card lies where it can be taken along, and nothing else is to become of it. Whose
/// number belonged to somebody else has another one by now.
fn is_free(card: &Candidate, point: Option<&str>) -> bool {
    let is_here = card.holder.as_ref().map_or(point.is_some(), Holder::is_office);
    let is_open = match next_of(card) {
        Some(Next::Again | Next::Day) => true,
        Some(Next::NotReached) => card.has_phone,
        Some(_) => false,
        None => card.last.is_none(),
    };
    is_here && is_open
}

/// A card about to go onto a round.
pub(super) fn new_item(
    app: &App,
    (round, position): (RoundId, i64),
    (card, person): (CardId, crate::domain::id::PersonId),
    (origin, before, attempt): (Holder, CardStatus, i64),
    waits_since: Option<Timestamp>,
    now: Timestamp,
) -> Item {
    Item {
        id: app.ids.next(now),
        round,
        card,
        person,
        position,
        attempt,
        state: ItemState::Planned,
        answer: None,
        outcome: None,
        next: None,
        next_done_at: None,
        next_done_by: None,
        wish: None,
        origin,
        before,
        reference: None,
        receiver: None,
        note: None,
        received_by: None,
        old_card: None,
        code_hash: None,
        code_at: None,
        wrong_codes: 0,
        version: 1,
        reported_at: None,
        said_at: None,
        reported_by: None,
        waits_since,
        heard_day: None,
        moved_at: None,
        missing_at: None,
    }
}
