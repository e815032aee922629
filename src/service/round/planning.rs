//! Plans rounds from printed cards, and tells, moves and cancels them.

use std::collections::HashMap;

use chrono::{Days, NaiveDate, NaiveTime};

use super::start::leave;
use super::{RoundError, follow, open, today};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::card::{AnnouncementKind, CardStatus, HomeDelivery};
use crate::domain::card_plan::{Announcement, UpdateOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{CardId, OfficerId, RoundId};
use crate::domain::officer::{Actor, Right};
use crate::domain::round::{
    self as rules, ItemState, Next, RoundState, Slot, ToBring, next_attempt,
};
use crate::service::announce;
use crate::service::card::{self, OwnWord};
use crate::service::{App, ServiceError, custody, hold, officer};
use crate::store::round::Round;
use crate::store::round_item::{self, Item};
use crate::store::round_plan::{self, Candidate};
use crate::store::{StoreError, Tx, officer as officer_store, round as round_store, service_point};

/// Cards of one round, at most.
pub const MAX_CAPACITY: i64 = 500;
/// A round is planned so far ahead, at most.
const MAX_AHEAD: u64 = 60;
/// Items told in one transaction.
const CHUNK: usize = 50;

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
/// that got cards.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn plan(app: &App, actor: &Actor, wish: &Wish) -> Result<Vec<RoundId>, RoundError> {
    let now = app.now();
    if !actor.may(Right::PlanRounds) || !actor.covers(Some(&wish.area), &app.settings.office_area) {
        return Err(RoundError::Forbidden);
    }
    check(app, wish, now).await?;
    let mut tx = app.db.begin().await?;
    if let Some(code) = &wish.point {
        let point = service_point::find_point(&mut tx, code).await?.ok_or(RoundError::Point)?;
        if !point.area.is_within(&wish.area) && !wish.area.is_within(&point.area) {
            return Err(RoundError::Point);
        }
    }
    let found = round_plan::list_candidates(&mut tx, &app.db, &wish.area).await?;
    let mut waiting: HashMap<CardId, Candidate> = HashMap::new();
    let mut to_bring = Vec::new();
    for card in found.into_iter().filter(|card| is_free(card, wish.point.as_deref())) {
        to_bring.push(ToBring {
            id: card.card,
            desa: card.area.clone(),
            rw: card.rw.clone(),
            rt: card.rt.clone(),
            since: card.since.as_ms(),
            wish: card.wish.filter(|_| next_of(&card) == Some(Next::Day)),
        });
        waiting.insert(card.card, card);
    }
    let slot =
        |(day, courier): &(NaiveDate, OfficerId)| Slot { day: *day, courier: *courier, taken: 0 };
    let slots: Vec<_> = wish.slots.iter().map(slot).collect();
    let capacity = usize::try_from(wish.capacity).unwrap_or(0);
    let mut made = Vec::new();
    for (cards, slot) in rules::plan(&to_bring, capacity, &slots).into_iter().zip(&slots) {
        if cards.is_empty() {
            continue;
        }
        let round = Round {
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
        };
        round_store::insert_round(&mut tx, &round).await?;
        let cards = cards.iter().filter_map(|id| waiting.get(id));
        for (position, candidate) in (1..).zip(cards) {
            let place = (&round, position);
            put_on(app, &mut tx, actor, place, candidate, wish.point.as_deref(), now).await?;
        }
        officer::note(app, &mut tx, actor, Action::PlannedRound, &round.id.to_string(), None)
            .await?;
        made.push(round.id);
    }
    if made.is_empty() {
        return Err(RoundError::Empty);
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(made)
}

async fn check(app: &App, wish: &Wish, now: Timestamp) -> Result<(), RoundError> {
    if wish.from >= wish.to {
        return Err(RoundError::Window);
    }
    if !(1..=MAX_CAPACITY).contains(&wish.capacity) || wish.slots.is_empty() {
        return Err(RoundError::Capacity);
    }
    let today = now.in_zone(app.zone(Some(&wish.area)).offset()).date_naive();
    for (day, courier) in &wish.slots {
        check_day(*day, today)?;
        check_courier(app, *courier, &wish.area).await?;
    }
    Ok(())
}

fn check_day(day: NaiveDate, today: NaiveDate) -> Result<(), RoundError> {
    let last = today.checked_add_days(Days::new(MAX_AHEAD)).unwrap_or(today);
    if (today..=last).contains(&day) { Ok(()) } else { Err(RoundError::Day) }
}

async fn check_courier(app: &App, id: OfficerId, area: &AreaCode) -> Result<(), RoundError> {
    let found = officer_store::find_officer(&app.db, id).await?.ok_or(RoundError::Courier)?;
    let is_near = area.is_within(&found.area) || found.area.is_within(area);
    let may = found.disabled_at.is_none() && found.role.may(Right::CarryCards) && is_near;
    if may { Ok(()) } else { Err(RoundError::Courier) }
}

fn next_of(card: &Candidate) -> Option<Next> {
    card.last.as_ref().and_then(|(_, next, _, _)| *next)
}

/// Whether a card lies where it can be taken along, and nothing else is to become of it.
fn is_free(card: &Candidate, point: Option<&str>) -> bool {
    let is_here = card.holder.as_ref().map_or(point.is_some(), Holder::is_office);
    let is_open = card.last.is_none() || matches!(next_of(card), Some(Next::Again | Next::Day));
    is_here && is_open
}

async fn put_on(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    (round, position): (&Round, i64),
    card: &Candidate,
    point: Option<&str>,
    now: Timestamp,
) -> Result<(), RoundError> {
    let origin = match (&card.holder, point) {
        (Some(holder), _) => holder.clone(),
        (None, Some(code)) => {
            let to = Holder::Point(code.to_owned());
            let why = round.id.to_string();
            let taken =
                custody::hand_over(tx, app, &actor.id, card.card, None, to.clone(), &why).await;
            taken.map_err(|_| RoundError::Point)?;
            to
        }
        (None, None) => return Ok(()),
    };
    let attempt = card.last.map_or(1, |(_, _, attempt, outcome)| next_attempt(attempt, outcome));
    if let Some((last, _, _, _)) = card.last
        && let Some(mut last) = round_item::lock_item(tx, &app.db, last).await?
        && last.next_done_at.is_none()
    {
        last.next_done_at = Some(now);
        round_item::save_item(tx, &app.db, &mut last, now).await?;
    }
    let key = (card.card, card.person);
    let item = new_item(app, (round.id, position), key, (origin, card.status, attempt), now);
    Ok(round_item::insert_item(tx, &item, now).await?)
}

/// A card about to go onto a round.
pub(super) fn new_item(
    app: &App,
    (round, position): (RoundId, i64),
    (card, person): (CardId, crate::domain::id::PersonId),
    (origin, before, attempt): (Holder, CardStatus, i64),
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
    }
}

/// Tells the citizens of a round when it comes. What was interrupted goes on where it stopped.
/// Gives how many are on it now, and how many left it because nobody may be told.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn announce(app: &App, actor: &Actor, id: RoundId) -> Result<(usize, usize), RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut round = open(app, &mut tx, actor, Right::PlanRounds, id).await?;
    if !matches!(round.state, RoundState::Planned | RoundState::Announced) {
        return Err(RoundError::State(round.state));
    }
    if appointment(&round).ends_at(app.zone(Some(&round.area)).offset()) <= now {
        return Err(RoundError::Day);
    }
    if round.announced_at.is_none() {
        round.state = RoundState::Announced;
        round.announced_at = Some(now);
        round_store::save_round(&mut tx, &round).await?;
        officer::note(app, &mut tx, actor, Action::AnnouncedRound, &id.to_string(), None).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    let (mut told, mut left) = (0, 0);
    loop {
        let mut tx = app.db.begin().await?;
        let round = open(app, &mut tx, actor, Right::PlanRounds, id).await?;
        if round.state != RoundState::Announced {
            return Err(RoundError::State(round.state));
        }
        let items = round_item::list_of_round(&mut tx, &app.db, id).await?;
        let planned: Vec<Item> =
            items.into_iter().filter(|item| item.state == ItemState::Planned).take(CHUNK).collect();
        if planned.is_empty() {
            break;
        }
        for mut item in planned {
            if tell(app, &mut tx, &round, &mut item, app.now()).await? {
                told += 1;
            } else {
                left += 1;
            }
        }
        tx.commit().await.map_err(StoreError::from)?;
        app.signals.wake_outbox();
    }
    Ok((told, left))
}

fn appointment(round: &Round) -> HomeDelivery {
    HomeDelivery { date: round.day, from: Some(round.from), to: Some(round.to) }
}

/// Says the round's day of one card; `false` when its holder is not to be told, and it left.
pub(super) async fn tell(
    app: &App,
    tx: &mut Tx,
    round: &Round,
    item: &mut Item,
    now: Timestamp,
) -> Result<bool, RoundError> {
    let word = OwnWord {
        status: Some(CardStatus::HomeDeliveryScheduled),
        service_point: None,
        home_delivery: Some(appointment(round)),
        is_silent: false,
    };
    let cause = follow::cause(item, "day");
    item.state = ItemState::Announced;
    match card::say(app, tx, item.card, word, &cause, now).await? {
        Some(UpdateOutcome::HolderAbsent) => {
            item.state = ItemState::Left;
            item.next = Some(Next::Absent);
            item.next_done_at = Some(now);
            follow::take_back(app, tx, item, now).await?;
        }
        None => {
            leave(app, tx, item, Next::Again, now).await?;
            return Ok(false);
        }
        Some(_) => {
            let kind = AnnouncementKind::HomeDeliveryScheduled.as_str();
            item.reference = round_item::find_reference(tx, item.card, kind).await?;
        }
    }
    round_item::save_item(tx, &app.db, item, now).await?;
    Ok(item.state.is_open())
}

/// Moves a round to another day or window; whoever was told hears it. What they answered to the
/// other day no longer counts. Gives how many are on it.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn move_to(
    app: &App,
    actor: &Actor,
    id: RoundId,
    (day, from, to): (NaiveDate, NaiveTime, NaiveTime),
) -> Result<usize, RoundError> {
    let now = app.now();
    if from >= to {
        return Err(RoundError::Window);
    }
    let mut tx = app.db.begin().await?;
    let mut round = open(app, &mut tx, actor, Right::PlanRounds, id).await?;
    if !matches!(round.state, RoundState::Planned | RoundState::Announced) {
        return Err(RoundError::State(round.state));
    }
    check_day(day, today(app, &round, now))?;
    (round.day, round.from, round.to) = (day, from, to);
    if appointment(&round).ends_at(app.zone(Some(&round.area)).offset()) <= now {
        return Err(RoundError::Day);
    }
    round_store::save_round(&mut tx, &round).await?;
    let mut count = 0;
    for mut item in round_item::list_of_round(&mut tx, &app.db, id).await? {
        if item.state != ItemState::Announced {
            count += usize::from(item.state.is_open());
            continue;
        }
        (item.answer, item.receiver) = (None, None);
        (item.code_hash, item.code_at, item.wrong_codes) = (None, None, 0);
        count += usize::from(tell(app, &mut tx, &round, &mut item, now).await?);
    }
    officer::note(app, &mut tx, actor, Action::MovedRound, &id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(count)
}

/// Cancels a round as a whole; whoever had heard of its day hears that it does not hold. The cards
/// stay where they are and wait for another round. Gives how many were told.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn cancel(app: &App, actor: &Actor, id: RoundId) -> Result<usize, RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut round = open(app, &mut tx, actor, Right::PlanRounds, id).await?;
    if !matches!(round.state, RoundState::Planned | RoundState::Announced) {
        return Err(RoundError::State(round.state));
    }
    let mut told = 0;
    for mut item in round_item::list_of_round(&mut tx, &app.db, id).await? {
        if !item.state.is_open() {
            continue;
        }
        let was_announced = item.state == ItemState::Announced;
        leave(app, &mut tx, &mut item, Next::Again, now).await?;
        let since = round.announced_at.unwrap_or(now);
        if was_announced && round_plan::is_told(&mut tx, item.card, since).await? {
            let kind = AnnouncementKind::HomeDeliveryCancelled;
            let said = say_beside(app, &mut tx, (&item, &round), (kind, "cancelled", &[]), now);
            told += usize::from(said.await?);
        }
    }
    round.state = RoundState::Cancelled;
    round.ended_at = Some(now);
    round_store::save_round(&mut tx, &round).await?;
    officer::note(app, &mut tx, actor, Action::CancelledRound, &id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(told)
}

/// Tells a holder something about their card that is no state of it; `false` when nobody hears it.
pub(super) async fn say_beside(
    app: &App,
    tx: &mut Tx,
    (item, round): (&Item, &Round),
    (kind, what, values): (AnnouncementKind, &str, &[(&'static str, String)]),
    now: Timestamp,
) -> Result<bool, ServiceError> {
    if !app.settings.policy.enabled.contains(&kind) {
        return Ok(false);
    }
    let Some((holder, _, mut state)) = hold::find_state(app, tx, item.card).await? else {
        return Ok(false);
    };
    if card::is_absent(app, tx, &state).await? {
        return Ok(false);
    }
    // The words speak of the round's day, whatever the card's own state says by now.
    state.home_delivery = Some(appointment(round));
    let announcement = Announcement {
        kind,
        expires_at: state
            .home_delivery
            .as_ref()
            .map(|home| home.ends_at(app.zone(holder.area.as_ref()).offset())),
        fingerprint: kind.as_str().to_owned(),
    };
    let whose = announce::Holder { person: &holder, card: item.card, area: holder.area.as_ref() };
    let cause = follow::cause(item, what);
    let more: Vec<_> =
        values.iter().map(|(name, value)| (*name, value.clone(), value.clone())).collect();
    let news = announce::News { announcement: &announcement, cause: &cause, more: &more };
    announce::plan_news(app, tx, &whose, news, &state, now).await
}
