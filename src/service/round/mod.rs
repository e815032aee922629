//! Brings cards home: rounds are planned and announced, citizens answer, couriers report, and what
//! could not be handed over goes its way.
//!
//! What each answer and outcome means is `domain::round`'s; where a card is says `custody`; and what
//! a citizen hears goes the way of every card update.

mod answer;
mod code;
mod day;
mod follow;
mod planning;
mod report;
mod settle;
mod source;
mod start;
mod telling;
mod view;

use crate::domain::card::HomeDelivery;
use crate::domain::clock::Timestamp;
use crate::domain::id::RoundId;
use crate::domain::officer::{Actor, OfficerRole, Right};
use crate::domain::round::RoundState;
use crate::store::round::Round;
use crate::store::{StoreError, Tx, round as round_store};

use super::{App, ServiceError};

pub use answer::{Announced, Said};
pub(in crate::service) use answer::{facts, release, take_all};
pub use code::step;
pub use day::days_from;
pub use planning::{MAX_CAPACITY, Wish, plan};
pub use report::{Report, Reported, report};
pub use settle::{
    Found, RightHome, hand_over_by_word, settle_conflict, settle_question, take_back_absence,
};
pub(in crate::service) use source::{Met, follow_source, meet};
pub use start::{close, reassign, start};
pub use telling::{announce, cancel, move_to};
pub use view::{CourierItem, CourierRound, for_courier};

/// Why something could not be done with a round.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// There is none of that id, or it is not theirs to see.
    #[error("there is no such round")]
    NotFound,
    /// It is not theirs to do.
    #[error("your role or area does not allow this")]
    Forbidden,
    /// The round is somewhere else on its way.
    #[error("the round is {0}: this cannot be done any more, or not yet")]
    State(RoundState),
    /// Not somebody who carries cards there.
    #[error("the courier is no officer who may carry cards in this area")]
    Courier,
    /// The day has passed, or is too far ahead.
    #[error("the day must be today or one of the next 60")]
    Day,
    /// Ends before it begins.
    #[error("the window must end after it begins")]
    Window,
    /// Begins before citizens are told their codes.
    #[error(
        "the window must begin at {0} or later: that is when the codes are told (round.code_at)"
    )]
    BeforeCodes(chrono::NaiveTime),
    /// None, or too many.
    #[error("a round takes 1 to 500 cards")]
    Capacity,
    /// There is no card to bring.
    #[error("no printed card waits in this area")]
    Empty,
    /// The point is not known.
    #[error("there is no service point of that code in this area")]
    Point,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for RoundError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// Whether somebody may see a round: couriers their own, others those of their area.
fn may_see(app: &App, actor: &Actor, round: &Round) -> bool {
    let is_own = actor.id == round.courier.to_string();
    let is_near = actor.role != OfficerRole::Courier
        && actor.covers(Some(&round.area), &app.settings.office_area);
    actor.may(Right::CarryCards) && (is_own || is_near)
}

/// The round, held until the end of the transaction, for somebody who may do something with it.
async fn open(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    right: Right,
    id: RoundId,
) -> Result<Round, RoundError> {
    let found = round_store::lock_round(tx, &app.db, id).await?.ok_or(RoundError::NotFound)?;
    if !actor.covers(Some(&found.area), &app.settings.office_area) {
        return Err(RoundError::NotFound);
    }
    if actor.may(right) { Ok(found) } else { Err(RoundError::Forbidden) }
}

/// The day it is where a round takes place.
fn today(app: &App, round: &Round, now: Timestamp) -> chrono::NaiveDate {
    now.in_zone(app.zone(Some(&round.area)).offset()).date_naive()
}

/// When it takes place, as citizens are told.
fn appointment(round: &Round) -> HomeDelivery {
    HomeDelivery { date: round.day, from: Some(round.from), to: Some(round.to) }
}

/// Whether its window is over.
fn is_over(app: &App, round: &Round, now: Timestamp) -> bool {
    appointment(round).ends_at(app.zone(Some(&round.area)).offset()) <= now
}

/// Whether the courier may be on the way by now without anybody having noted it: then a card of
/// the round may be in the bag, whatever is on file.
fn may_be_out(app: &App, round: &Round, now: Timestamp) -> bool {
    let local = now.in_zone(app.zone(Some(&round.area)).offset());
    round.state == RoundState::Announced
        && local.date_naive() == round.day
        && local.time() >= round.from
}
