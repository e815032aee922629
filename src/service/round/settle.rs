//! What only somebody of the office can decide: reports that contradict what is on file, and
//! addresses that a desa was asked about.

use serde_json::Value;

use super::report::{Report, apply};
use super::start::leave;
use super::{RoundError, follow, open};
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ItemId, RoundId};
use crate::domain::officer::{Actor, Right};
use crate::domain::round::{ItemState, Next, Outcome};
use crate::service::{App, officer};
use crate::store::round_item::{self, Item};
use crate::store::{StoreError, Tx, person, round_report};

/// Longest address that is kept.
const MAX_ADDRESS: usize = 200;

/// Settles a report that contradicts what is on file. With `is_true` it counts after all: a card
/// that was handed over is in its holder's hand from then on, whatever else was planned for it.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn settle_conflict(
    app: &App,
    actor: &Actor,
    (round, key): (RoundId, &str),
    is_true: bool,
) -> Result<(), RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    open(app, &mut tx, actor, Right::OverrideHandOver, round).await?;
    let conflicts = round_report::list_conflicts(&mut tx, &app.db, Some(round), 1000).await?;
    let found = conflicts.into_iter().find(|one| one.key == key).ok_or(RoundError::NotFound)?;
    let said: Value = serde_json::from_str(&found.said).unwrap_or_default();
    let report: Report = serde_json::from_value(said).unwrap_or_default();
    let mut item =
        round_item::lock_item(&mut tx, &app.db, found.item).await?.ok_or(RoundError::NotFound)?;
    let is_received = report.outcome.parse() == Ok(Outcome::Received);
    if is_true && is_received && item.state != ItemState::Done {
        // A card that is in a hand goes onto no other round.
        if let Some(mut other) = round_item::find_last(&mut tx, &app.db, item.card).await?
            && other.id != item.id
            && other.state.is_open()
        {
            leave(app, &mut tx, &mut other, Next::Again, now).await?;
            done(app, &mut tx, &mut other, &actor.id, now).await?;
        }
        apply(app, &mut tx, (actor, &report), (Outcome::Received, &mut item), now).await?;
    }
    round_report::mark_settled(&mut tx, (round, key), &actor.id, now).await?;
    let object = item.id.to_string();
    let detail = if is_true { "counts" } else { "does not count" };
    officer::note(app, &mut tx, actor, Action::SettledItem, &object, Some(detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(())
}

async fn done(
    app: &App,
    tx: &mut Tx,
    item: &mut Item,
    by: &str,
    now: Timestamp,
) -> Result<(), RoundError> {
    item.next_done_at = Some(now);
    item.next_done_by = Some(by.to_owned());
    Ok(round_item::save_item(tx, &app.db, item, now).await?)
}

/// What a desa says about an address it was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The card goes onto another round.
    Again,
    /// The card is collected.
    Collect,
    /// The holder moved away.
    Moved,
}

/// Answers a question to the desa. A new address replaces the one on file.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn settle_question(
    app: &App,
    actor: &Actor,
    id: ItemId,
    found: Found,
    address: &str,
) -> Result<(), RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let round = round_item::find_round_of(&mut tx, id).await?.ok_or(RoundError::NotFound)?;
    let mut item =
        round_item::lock_item(&mut tx, &app.db, id).await?.ok_or(RoundError::NotFound)?;
    let home = person::find_person(&mut tx, &app.db, item.person).await?.and_then(|one| one.area);
    if !actor.covers(home.as_ref(), &app.settings.office_area) {
        return Err(RoundError::NotFound);
    }
    if !actor.may(Right::PlanRounds) {
        return Err(RoundError::Forbidden);
    }
    if item.next != Some(Next::AskDesa) || item.next_done_at.is_some() {
        return Err(RoundError::NotFound);
    }
    let address: String =
        address.trim().chars().filter(|c| !c.is_control()).take(MAX_ADDRESS).collect();
    if !address.is_empty() {
        person::set_address(&mut tx, &app.db, item.person, &address, now).await?;
    }
    item.next = Some(match found {
        Found::Again => Next::Again,
        Found::Collect => Next::Collect,
        Found::Moved => Next::Absent,
    });
    item.next_done_by = Some(actor.id.clone());
    follow::go_on(app, &mut tx, &mut item, now).await?;
    round_item::save_item(&mut tx, &app.db, &mut item, now).await?;
    let detail = round.to_string();
    officer::note(app, &mut tx, actor, Action::SettledItem, &id.to_string(), Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(())
}

/// Hands a card of a round over by an officer's word: a lock, or nobody with a phone.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn hand_over_by_word(
    app: &App,
    actor: &Actor,
    (round, item): (RoundId, ItemId),
    (receiver, reason): (&str, &str),
) -> Result<&'static str, RoundError> {
    let mut tx = app.db.begin().await?;
    open(app, &mut tx, actor, Right::OverrideHandOver, round).await?;
    drop(tx);
    let key: crate::domain::id::CustodyId = app.ids.next(app.now());
    let report = Report {
        key: key.to_string().replace('_', "-"),
        item: item.to_string(),
        at: app.now().as_ms(),
        outcome: Outcome::Received.to_string(),
        by: crate::domain::round::ReceivedBy::Override.to_string(),
        receiver: receiver.to_owned(),
        reason: reason.to_owned(),
        ..Report::default()
    };
    let result = super::report(app, actor, round, vec![report]).await?;
    Ok(match result.first().map(|one| one.result.as_str()) {
        Some("done") => "done",
        Some("conflict") => "conflict",
        _ => "refused",
    })
}
