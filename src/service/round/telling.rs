//! Tells citizens the day of a round, and that it moved or does not take place.

use chrono::{NaiveDate, NaiveTime};

use super::planning::{check_day, check_window};
use super::start::leave;
use super::{RoundError, appointment, follow, is_over, open, today};
use crate::domain::audit::Action;
use crate::domain::card::{AnnouncementKind, CardStatus};
use crate::domain::card_plan::{Announcement, UpdateOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::id::RoundId;
use crate::domain::officer::{Actor, Right};
use crate::domain::round::{ItemState, Next, RoundState};
use crate::service::announce;
use crate::service::card::{self, OwnWord};
use crate::service::{App, ServiceError, hold, officer};
use crate::store::round::Round;
use crate::store::round_item::{self, Item};
use crate::store::{StoreError, Tx, round as round_store, round_plan};

/// Items told in one transaction.
const CHUNK: usize = 50;
/// So long after its day it is still worth hearing that a card was not brought.
const LATE_WORD: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

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
    if is_over(app, &round, now) {
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
            item.reference = round_item::find_reference(tx, item.card).await?;
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
    check_window(app, (from, to))?;
    let mut tx = app.db.begin().await?;
    let mut round = open(app, &mut tx, actor, Right::PlanRounds, id).await?;
    if !matches!(round.state, RoundState::Planned | RoundState::Announced) {
        return Err(RoundError::State(round.state));
    }
    if (round.day, round.from, round.to) == (day, from, to) {
        let count = round_store::count_open(&mut tx, id).await?;
        return Ok(usize::try_from(count).unwrap_or(0));
    }
    check_day(day, today(app, &round, now))?;
    let before = round.clone();
    (round.day, round.from, round.to) = (day, from, to);
    if is_over(app, &round, now) {
        return Err(RoundError::Day);
    }
    round_store::save_round(&mut tx, &round).await?;
    let mut count = 0;
    for mut item in round_item::list_of_round(&mut tx, &app.db, id).await? {
        if item.state != ItemState::Announced {
            count += usize::from(item.state.is_open());
            continue;
        }
        item.heard_day = heard_of(&mut tx, &before, &item, now).await?;
        item.moved_at = Some(now);
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
    round.state = RoundState::Cancelled;
    round.ended_at = Some(now);
    round_store::save_round(&mut tx, &round).await?;
    for mut item in round_item::list_of_round(&mut tx, &app.db, id).await? {
        if !item.state.is_open() {
            // What waited for the courier to set out waits no longer.
            if item.next.is_some() && item.next_done_at.is_none() {
                follow::go_on(app, &mut tx, &mut item, now).await?;
                round_item::save_item(&mut tx, &app.db, &mut item, now).await?;
            }
            continue;
        }
        told += usize::from(call_off(app, &mut tx, &round, &mut item, now).await?);
    }
    officer::note(app, &mut tx, actor, Action::CancelledRound, &id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(told)
}

/// The day that a holder heard of for their card; nothing when they heard of none.
async fn heard_of(
    tx: &mut Tx,
    round: &Round,
    item: &Item,
    now: Timestamp,
) -> Result<Option<NaiveDate>, StoreError> {
    let since = item.moved_at.or(round.announced_at).unwrap_or(now);
    let is_told = round_plan::is_told(tx, item.card, since).await?;
    Ok(if is_told { Some(round.day) } else { item.heard_day })
}

/// Takes a card off its round that is not brought on it after all; whoever heard of a day hears
/// that it does not hold. `false` when nobody has to hear it.
pub(super) async fn call_off(
    app: &App,
    tx: &mut Tx,
    round: &Round,
    item: &mut Item,
    now: Timestamp,
) -> Result<bool, RoundError> {
    let heard = if item.state == ItemState::Announced {
        heard_of(tx, round, item, now).await?
    } else {
        None
    };
    leave(app, tx, item, Next::Again, now).await?;
    match heard {
        Some(day) => Ok(say_off(app, tx, (item, round, day), now).await?),
        None => Ok(false),
    }
}

/// The same where a source's word took it off, as far as its holder heard of a day.
pub(super) async fn withdraw(
    app: &App,
    tx: &mut Tx,
    round: &Round,
    item: &Item,
    now: Timestamp,
) -> Result<(), ServiceError> {
    if let Some(day) = heard_of(tx, round, item, now).await? {
        say_off(app, tx, (item, round, day), now).await?;
    }
    Ok(())
}

async fn say_off(
    app: &App,
    tx: &mut Tx,
    (item, round, day): (&Item, &Round, NaiveDate),
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let heard = Round { day, ..round.clone() };
    let kind = AnnouncementKind::HomeDeliveryCancelled;
    say_beside(app, tx, (item, &heard), (kind, "cancelled", &[]), now).await
}

/// Tells whoever was not home or not found, or had no old card at hand, what comes next.
pub(super) async fn say_missed(
    app: &App,
    tx: &mut Tx,
    round: &Round,
    item: &Item,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let why = item.outcome.and_then(|outcome| app.templates.vocabulary().missed(outcome));
    if let (Some(Next::Again | Next::AskDesa), Some(more)) = (item.next, why) {
        let said = (AnnouncementKind::HomeDeliveryMissed, "missed", more.as_slice());
        say_beside(app, tx, (item, round), said, now).await?;
    }
    Ok(())
}

/// Tells a holder something about their card that is no state of it; `false` when nobody hears it.
pub(super) async fn say_beside(
    app: &App,
    tx: &mut Tx,
    (item, round): (&Item, &Round),
    (kind, what, more): (AnnouncementKind, &str, announce::More<'_>),
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
    let ends_at = appointment(round).ends_at(app.zone(holder.area.as_ref()).offset());
    let is_late = matches!(
        kind,
        AnnouncementKind::HomeDeliveryCancelled | AnnouncementKind::HomeDeliveryMissed
    );
    let expires_at = if is_late { ends_at.max(now.after(LATE_WORD)) } else { ends_at };
    let fingerprint = kind.as_str().to_owned();
    let announcement = Announcement { kind, expires_at: Some(expires_at), fingerprint };
    let whose = announce::Holder { person: &holder, card: item.card, area: holder.area.as_ref() };
    let cause = follow::cause(item, what);
    let news = announce::News { announcement: &announcement, cause: &cause, more };
    announce::plan_news(app, tx, &whose, news, &state, now).await
}
