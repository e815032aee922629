//! Hands cards over from one to another, so that each is always in exactly one place.
//!
//! What a source says of a card moves it only where that cannot contradict what the office did
//! itself: into a hand where nobody had it, and into its holder's.

use super::{App, ServiceError};
use crate::domain::card::{CardStatus, CardUpdate};
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::CardId;
use crate::store::card::Card;
use crate::store::{StoreError, Tx, custody};

/// What became of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// Who had it before.
    pub from: Option<Holder>,
    /// It was not there already.
    pub is_new: bool,
}

/// Why a card was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// Somebody else has it, or nobody.
    #[error("the card is not where it was taken from")]
    Elsewhere(Option<Holder>),
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for CustodyError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// Hands a card over, within the transaction of what causes it. `by` is whoever does it; `why` one
/// word, or the id of the round or list. To whom has it already nothing happens.
///
/// # Errors
/// [`CustodyError::Elsewhere`] when `from` is given and does not have it; then nothing changed.
pub async fn hand_over(
    tx: &mut Tx,
    app: &App,
    by: &str,
    card: CardId,
    from: Option<Holder>,
    to: Holder,
    why: &str,
) -> Result<HandedOver, CustodyError> {
    let has = custody::lock_holder(tx, &app.db, card).await?.map(|held| held.holder);
    if from.is_some() && from != has {
        return Err(CustodyError::Elsewhere(has));
    }
    if has.as_ref() == Some(&to) {
        return Ok(HandedOver { from: has, is_new: false });
    }
    let now = app.now();
    custody::pass_on(tx, app.ids.next(now), (card, &to), (by, why), now).await?;
    Ok(HandedOver { from: has, is_new: true })
}

/// Where a card lies, when a desa has it and a source only says once more that it lies ready: the source knows nothing
/// of what the office handed on, and nobody must be sent back to where the card was before.
pub(super) async fn kept_at(
    tx: &mut Tx,
    before: Option<&Card>,
    update: &CardUpdate,
) -> Result<Option<String>, ServiceError> {
    let is_ready = |status| status == CardStatus::ReadyToCollect;
    let Some(card) = before.filter(|card| is_ready(card.on_file.status) && is_ready(update.status))
    else {
        return Ok(None);
    };
    let held = custody::find_holder(tx, card.id).await?;
    let is_at_desa = held.is_some_and(|held| matches!(held.holder, Holder::Desa(_)));
    Ok(card.service_point.clone().filter(|_| is_at_desa))
}

/// Notes where a card is by a source's word.
pub(super) async fn follow(
    tx: &mut Tx,
    app: &App,
    source: &str,
    card: CardId,
    update: &CardUpdate,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let to = match (update.status, &update.service_point) {
        (CardStatus::Issued, _) => Holder::Citizen,
        (CardStatus::Printed | CardStatus::ReadyToCollect, Some(code)) => {
            Holder::Point(code.clone())
        }
        _ => return Ok(()),
    };
    let has = custody::find_holder(tx, card).await?.map(|held| held.holder);
    let is_moved = match (&has, &to) {
        (None, _)
        | (Some(Holder::Point(_) | Holder::Desa(_) | Holder::Courier(_)), Holder::Citizen) => true,
        // From one point to another a source moves it; out of a courier's bag it does not.
        (Some(Holder::Point(_)), Holder::Point(_)) => {
            has.as_ref() != Some(&to) && update.status == CardStatus::ReadyToCollect
        }
        _ => false,
    };
    if is_moved {
        custody::pass_on(tx, app.ids.next(now), (card, &to), (source, "source"), now).await?;
    }
    Ok(())
}
