//! The courier takes the cards of a round, and gives back what was not handed over.

use super::planning::check_courier;
use super::telling::{call_off, say_missed};
use super::{RoundError, follow, may_see, open};
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{OfficerId, RoundId};
use crate::domain::officer::{Actor, Right};
use crate::domain::round::{ItemState, Next, RoundState};
use crate::service::custody::{self, CustodyError};
use crate::service::{App, officer};
use crate::store::round::Round;
use crate::store::round_item::{self, Item};
use crate::store::{StoreError, Tx, round as round_store};

/// Gives the courier the cards. Those that do not lie where they were planned from stay off the
/// round, and somebody has to look for them. Gives how many were handed over, and how many are
/// missing.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn start(app: &App, actor: &Actor, id: RoundId) -> Result<(usize, usize), RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut round =
        round_store::lock_round(&mut tx, &app.db, id).await?.ok_or(RoundError::NotFound)?;
    if !may_see(app, actor, &round) {
        return Err(RoundError::NotFound);
    }
    if round.state != RoundState::Announced {
        return Err(RoundError::State(round.state));
    }
    if super::today(app, &round, now) < round.day {
        return Err(RoundError::Day);
    }
    let count = begin(app, &mut tx, &actor.id, &mut round, now).await?;
    let object = id.to_string();
    officer::note(app, &mut tx, actor, Action::StartedRound, &object, None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(count)
}

/// Gives a round that has not left yet to another courier: somebody is ill, or away. Citizens were told of a day and
/// not of a person, so nobody hears of it.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn reassign(
    app: &App,
    actor: &Actor,
    id: RoundId,
    courier: OfficerId,
) -> Result<(), RoundError> {
    let mut reading = app.db.reading().await?;
    let found = round_store::find_round(&mut reading, id).await?.ok_or(RoundError::NotFound)?;
    drop(reading);
    check_courier(app, courier, &found.area).await?;
    let mut tx = app.db.begin().await?;
    let mut round = open(app, &mut tx, actor, Right::PlanRounds, id).await?;
    let may_be_out = super::may_be_out(app, &round, app.now());
    // A phone without network may hold reports of it already: they must still find their round.
    if may_be_out || !matches!(round.state, RoundState::Planned | RoundState::Announced) {
        return Err(RoundError::State(round.state));
    }
    if round.courier != courier {
        round.courier = courier;
        round_store::save_round(&mut tx, &round).await?;
        let (object, to) = (id.to_string(), courier.to_string());
        officer::note(app, &mut tx, actor, Action::ReassignedRound, &object, Some(&to)).await?;
        tx.commit().await.map_err(StoreError::from)?;
    }
    Ok(())
}

/// What starting a round does, within a transaction; one that is out already stays as it is.
pub(super) async fn begin(
    app: &App,
    tx: &mut Tx,
    by: &str,
    round: &mut Round,
    now: Timestamp,
) -> Result<(usize, usize), RoundError> {
    if round.state != RoundState::Announced {
        return Ok((0, 0));
    }
    let why = round.id.to_string();
    let (mut given, mut missing) = (0, 0);
    for mut item in round_item::list_of_round(tx, &app.db, round.id).await? {
        if item.state == ItemState::Planned {
            // Whose holder never heard of the round is not surprised at the door.
            leave(app, tx, &mut item, Next::Again, now).await?;
            continue;
        }
        // Who wants to collect it said so when it may have been in the bag already.
        let is_held = item.state == ItemState::Left
            && item.next == Some(Next::Collect)
            && item.next_done_at.is_none();
        if !item.state.is_open() && !is_held {
            continue;
        }
        let (from, to) = (Some(item.origin.clone()), Holder::Courier(round.courier));
        match custody::hand_over(tx, app, by, item.card, from, to, &why).await {
            Ok(_) => given += 1,
            Err(CustodyError::Elsewhere(Some(Holder::Courier(id)))) if id == round.courier => {
                given += 1;
            }
            Err(CustodyError::Elsewhere(_)) if is_held => {}
            Err(CustodyError::Elsewhere(_)) => {
                item.missing_at = Some(now);
                call_off(app, tx, round, &mut item, now).await?;
                missing += 1;
            }
            Err(CustodyError::Service(error)) => return Err(error.into()),
        }
    }
    round.state = RoundState::Out;
    round.started_at = Some(now);
    round_store::save_round(tx, round).await?;
    Ok((given, missing))
}

/// Takes an item off its round: what its announcement said is withdrawn, and what follows follows
/// as far as it can.
pub(super) async fn leave(
    app: &App,
    tx: &mut Tx,
    item: &mut Item,
    next: Next,
    now: Timestamp,
) -> Result<u64, RoundError> {
    let was_announced = item.state == ItemState::Announced;
    item.state = ItemState::Left;
    let today = now.in_zone(app.zone(None).offset()).date_naive();
    let has_wish = item.wish.is_some_and(|day| day >= today);
    item.next = Some(if next == Next::Again && has_wish { Next::Day } else { next });
    item.next_done_at = None;
    let withdrawn = if was_announced { follow::take_back(app, tx, item, now).await? } else { 0 };
    follow::go_on(app, tx, item, now).await?;
    round_item::save_item(tx, &app.db, item, now).await?;
    Ok(withdrawn)
}

/// Ends a round: what was not handed over goes back to where it came from. Gives how many.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn close(app: &App, actor: &Actor, id: RoundId) -> Result<usize, RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut round = open(app, &mut tx, actor, Right::PlanRounds, id).await?;
    if round.state != RoundState::Out {
        return Err(RoundError::State(round.state));
    }
    let courier = Holder::Courier(round.courier);
    let why = id.to_string();
    let mut back = 0;
    for mut item in round_item::list_of_round(&mut tx, &app.db, id).await? {
        let has =
            crate::store::custody::find_holder(&mut tx, item.card).await?.map(|held| held.holder);
        let is_back = has.as_ref() == Some(&courier)
            && item.state != ItemState::Done
            && !is_carried_on(&mut tx, app, &item).await?;
        if is_back {
            let (from, to) = (Some(courier.clone()), item.origin.clone());
            match custody::hand_over(&mut tx, app, &actor.id, item.card, from, to, &why).await {
                Ok(_) => back += 1,
                Err(CustodyError::Service(error)) => return Err(error.into()),
                Err(CustodyError::Elsewhere(_)) => {}
            }
        }
        if item.state.is_open() {
            call_off(app, &mut tx, &round, &mut item, now).await?;
            continue;
        }
        if item.state == ItemState::Failed {
            // The day is over: what was announced for it is no longer true.
            follow::take_back(app, &mut tx, &item, now).await?;
            say_missed(app, &mut tx, &round, &item, now).await?;
        }
        if item.next.is_some() && item.next_done_at.is_none() {
            follow::go_on(app, &mut tx, &mut item, now).await?;
            round_item::save_item(&mut tx, &app.db, &mut item, now).await?;
        }
    }
    round.state = RoundState::Closed;
    round.ended_at = Some(now);
    round_store::save_round(&mut tx, &round).await?;
    officer::note(app, &mut tx, actor, Action::ClosedRound, &why, None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(back)
}

/// Whether the courier has the card for another round that is under way.
async fn is_carried_on(tx: &mut Tx, app: &App, item: &Item) -> Result<bool, StoreError> {
    let Some(last) = round_item::find_last(tx, &app.db, item.card).await? else { return Ok(false) };
    if last.id == item.id || !last.state.is_open() {
        return Ok(false);
    }
    let round = round_store::find_round(tx, last.round).await?;
    Ok(round.is_some_and(|round| round.state == RoundState::Out))
}
