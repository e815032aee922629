//! Reconciles what a source says of a card with the round it is on: a card is never said to be brought and to be
//! collected, and no code is told to whoever has it already.

use std::pin::Pin;

use super::telling::{tell, withdraw};
use super::{RoundError, follow};
use crate::domain::card::CardUpdate;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::ItemId;
use crate::domain::round::{AfterSource, ItemState, Next, RoundState, Where, after_source};
use crate::service::card::{self, OwnWord};
use crate::service::{App, ServiceError};
use crate::store::card::Card;
use crate::store::round::Round;
use crate::store::round_item::{self, Item};
use crate::store::{Tx, custody, round as round_store, round_plan};

/// A card of a round of which a source speaks, as it was before.
pub(in crate::service) struct Met {
    item: ItemId,
    round: Round,
    does: AfterSource,
    before: OwnWord,
}

impl Met {
    /// Whether the source's word is kept without telling anybody.
    pub(in crate::service) const fn is_silent(&self) -> bool {
        matches!(self.does, AfterSource::Stands | AfterSource::OnceBack)
    }
}

/// Whether a card is on a round that a source's word touches. Asked before the word is recorded.
pub(in crate::service) async fn meet(
    app: &App,
    tx: &mut Tx,
    before: Option<&Card>,
    update: &CardUpdate,
) -> Result<Option<Met>, ServiceError> {
    let Some(card) =
        before.filter(|card| card.on_file.status.is_printed() && !card.on_file.status.is_final())
    else {
        return Ok(None);
    };
    let Some(item) = round_item::find_last(tx, &app.db, card.id).await? else { return Ok(None) };
    let Some(round) = round_store::find_round(tx, item.round).await? else { return Ok(None) };
    let has = custody::find_holder(tx, card.id).await?.map(|held| held.holder);
    let is_out = round.state == RoundState::Out;
    let at = Where {
        is_in_bag: matches!(has, Some(Holder::Courier(_))),
        is_on_way: item.state.is_open() || (is_out && item.state == ItemState::Failed),
        is_announced: item.state == ItemState::Announced,
    };
    let is_other_day = update.home_delivery.as_ref().is_some_and(|home| home.date != round.day);
    let does = after_source(update.status, is_other_day, at);
    let before = OwnWord {
        status: Some(card.on_file.status),
        service_point: card.service_point.clone(),
        home_delivery: card.home_delivery.clone(),
        is_silent: true,
    };
    Ok((does != AfterSource::Nothing).then_some(Met { item: item.id, round, does, before }))
}

/// Lets follow what a source's word means for the round, after it was recorded. What the round says
/// is a card's update as well, hence the box.
pub(in crate::service) fn follow_source<'a>(
    app: &'a App,
    tx: &'a mut Tx,
    met: Met,
    now: Timestamp,
) -> Pin<Box<dyn Future<Output = Result<(), ServiceError>> + Send + 'a>> {
    Box::pin(async move {
        let Some(mut item) = round_item::lock_item(tx, &app.db, met.item).await? else {
            return Ok(());
        };
        match met.does {
            AfterSource::Nothing => Ok(()),
            AfterSource::Stands if item.state == ItemState::Announced => {
                say_again(app, tx, &met.round, &mut item, now).await
            }
            AfterSource::Stands => restate(app, tx, &mut item, met.before, now).await,
            AfterSource::OnceBack => {
                (item.next, item.next_done_at) = (Some(Next::Collect), None);
                restate(app, tx, &mut item, met.before, now).await
            }
            AfterSource::Leaves(is_again) => {
                take_off(app, tx, &met.round, &mut item, is_again, now).await
            }
        }
    })
}

/// The day of the round again: whoever heard it hears nothing, and what was withdrawn is told anew.
async fn say_again(
    app: &App,
    tx: &mut Tx,
    round: &Round,
    item: &mut Item,
    now: Timestamp,
) -> Result<(), ServiceError> {
    match tell(app, tx, round, item, now).await {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(RoundError::Service(error)) => return Err(error),
        Err(other) => return Err(ServiceError::Text(other.to_string())),
    }
    if let Some(at) = item.code_at
        && round_plan::is_code_withdrawn(tx, item.card, at).await?
    {
        (item.code_hash, item.code_at, item.wrong_codes) = (None, None, 0);
        round_item::save_item(tx, &app.db, item, now).await?;
    }
    Ok(())
}

async fn restate(
    app: &App,
    tx: &mut Tx,
    item: &mut Item,
    before: OwnWord,
    now: Timestamp,
) -> Result<(), ServiceError> {
    card::say(app, tx, item.card, before, &follow::cause(item, "stands"), now).await?;
    // Counted, so that the next word of a source is answered as well.
    Ok(round_item::save_item(tx, &app.db, item, now).await?)
}

async fn take_off(
    app: &App,
    tx: &mut Tx,
    round: &Round,
    item: &mut Item,
    is_again: bool,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let was_announced = item.state == ItemState::Announced;
    if item.state.is_open() {
        item.state = ItemState::Left;
        item.next = is_again.then_some(Next::Again);
    }
    item.next_done_at = (!is_again).then_some(now);
    round_item::save_item(tx, &app.db, item, now).await?;
    if was_announced && is_again {
        withdraw(app, tx, round, item, now).await?;
    }
    Ok(())
}
