//! What only somebody of the office can decide: reports that contradict what is on file, and
//! addresses that a desa was asked about.

use serde_json::Value;

use super::report::{Report, apply};
use super::start::leave;
use super::{RoundError, follow, open};
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{ItemId, RoundId};
use crate::domain::officer::{Actor, Right};
use crate::domain::round::{
    ItemState, Next, Outcome, ReceivedBy, RoundState, after_outcome, next_attempt,
};
use crate::service::card::OWN_SOURCE;
use crate::service::{App, officer};
use crate::store::round_item::{self, Item};
use crate::store::{StoreError, Tx, custody, person, round, round_report, source_row};

/// Longest address that is kept.
const MAX_ADDRESS: usize = 200;
/// Longest number of an RT or RW.
const MAX_NUMBER: usize = 5;

/// Settles a report that contradicts what is on file. With `is_true` it counts after all: a card
/// that was handed over is in its holder's hand from then on, whatever else was planned for it, and
/// a visit in vain is one.
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
    if let (true, Ok(outcome)) = (is_true && item.state != ItemState::Done, report.outcome.parse())
    {
        let way = (actor, &report);
        match find_later(app, &mut tx, &item).await? {
            Some(mut later) if outcome == Outcome::Received => {
                // A card that is in a hand goes onto no other round.
                if later.state.is_open() {
                    leave(app, &mut tx, &mut later, Next::Again, now).await?;
                }
                done(app, &mut tx, &mut later, &actor.id, now).await?;
                apply(app, &mut tx, way, (outcome, &mut item), now).await?;
            }
            Some(mut later) => {
                note_visit(app, &mut tx, way, (outcome, &mut item, &mut later), now).await?;
            }
            // What its holder wished for meanwhile stands; the visit counts all the same.
            None if is_wished(&item) && next_attempt(0, Some(outcome)) > 0 => {
                visited(&mut item, way, outcome, now);
                round_item::save_item(&mut tx, &app.db, &mut item, now).await?;
            }
            None => apply(app, &mut tx, way, (outcome, &mut item), now).await?,
        }
    }
    round_report::mark_settled(&mut tx, (round, key), &actor.id, now).await?;
    let object = item.id.to_string();
    let detail = if is_true { "counts" } else { "does not count" };
    officer::note(app, &mut tx, actor, Action::SettledItem, &object, Some(detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(())
}

/// The item of the same card that came after one, with its round held.
async fn find_later(app: &App, tx: &mut Tx, item: &Item) -> Result<Option<Item>, RoundError> {
    let Some(last) = round_item::find_last(tx, &app.db, item.card).await? else { return Ok(None) };
    if last.id == item.id {
        return Ok(None);
    }
    round::lock_round(tx, &app.db, last.round).await?;
    Ok(round_item::lock_item(tx, &app.db, last.id).await?)
}

/// Whether its holder said what is to become of the card.
fn is_wished(item: &Item) -> bool {
    item.state == ItemState::Left
        && matches!(item.next, Some(Next::Day | Next::Collect | Next::AskDesa | Next::NotReached))
}

fn visited(item: &mut Item, (actor, report): (&Actor, &Report), outcome: Outcome, now: Timestamp) {
    item.outcome = Some(outcome);
    item.reported_at = Some(now);
    item.said_at = Some(Timestamp::from_ms(report.at));
    item.reported_by = Some(actor.id.clone());
}

/// Notes a visit that was heard of when the card was on its next round already: it counts as one,
/// and whoever died or moved is not visited again.
async fn note_visit(
    app: &App,
    tx: &mut Tx,
    way: (&Actor, &Report),
    (outcome, item, later): (Outcome, &mut Item, &mut Item),
    now: Timestamp,
) -> Result<(), RoundError> {
    visited(item, way, outcome, now);
    round_item::save_item(tx, &app.db, item, now).await?;
    let (_, next) = after_outcome(outcome, item.attempt);
    match next {
        Some(next @ (Next::Absent | Next::AskDesa | Next::Collect)) if later.state.is_open() => {
            later.outcome = Some(outcome);
            leave(app, tx, later, next, now).await?;
        }
        Some(Next::Again) if later.state.is_open() => {
            round_item::set_attempt(tx, later.id, next_attempt(item.attempt, Some(outcome)))
                .await?;
        }
        _ => {}
    }
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

/// Where somebody lives, in the words of their desa; empty where nothing is to be changed.
#[derive(Clone, Copy, Default)]
pub struct RightHome<'a> {
    /// RT.
    pub rt: &'a str,
    /// RW.
    pub rw: &'a str,
    /// Street and number, or the way there.
    pub address: &'a str,
}

fn cleaned(text: &str, most: usize) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(most).collect();
    (!text.is_empty()).then_some(text)
}

/// Answers a question to the desa. What it says of the home replaces what is on file.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn settle_question(
    app: &App,
    actor: &Actor,
    id: ItemId,
    found: Found,
    home: &RightHome<'_>,
) -> Result<(), RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let round = round_item::find_round_of(&mut tx, id).await?.ok_or(RoundError::NotFound)?;
    // Whoever closes or moves the round meanwhile writes its items as a whole.
    round::lock_round(&mut tx, &app.db, round).await?;
    let mut item =
        round_item::lock_item(&mut tx, &app.db, id).await?.ok_or(RoundError::NotFound)?;
    let area = person::find_person(&mut tx, &app.db, item.person).await?.and_then(|one| one.area);
    if !actor.covers(area.as_ref(), &app.settings.office_area) {
        return Err(RoundError::NotFound);
    }
    if !actor.may(Right::PlanRounds) {
        return Err(RoundError::Forbidden);
    }
    let is_asked = matches!(item.next, Some(Next::AskDesa | Next::NotReached));
    if !is_asked || item.next_done_at.is_some() {
        return Err(RoundError::NotFound);
    }
    let [rt, rw, address] =
        [(home.rt, MAX_NUMBER), (home.rw, MAX_NUMBER), (home.address, MAX_ADDRESS)]
            .map(|(text, most)| cleaned(text, most));
    let home =
        person::MendedHome { rt: rt.as_deref(), rw: rw.as_deref(), address: address.as_deref() };
    person::mend_home(&mut tx, &app.db, item.person, home, now).await?;
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

/// Hands a card of a round over by an officer's word: a lock, nobody with a phone, or a holder who came to the counter
/// while the card still lay there.
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
    let found = open(app, &mut tx, actor, Right::OverrideHandOver, round).await?;
    if matches!(found.state, RoundState::Planned | RoundState::Announced) {
        return at_the_counter(app, tx, actor, (round, item), (receiver, reason)).await;
    }
    drop(tx);
    let key: crate::domain::id::CustodyId = app.ids.next(app.now());
    let report = Report {
        key: key.to_string().replace('_', "-"),
        item: item.to_string(),
        at: app.now().as_ms(),
        outcome: Outcome::Received.to_string(),
        by: ReceivedBy::Override.to_string(),
        receiver: receiver.to_owned(),
        reason: reason.to_owned(),
        ..Report::default()
    };
    let result = super::report(app, actor, round, vec![report]).await?;
    let first = result.first();
    let came = first.map(|one| (one.result.as_str(), one.why.as_str()));
    Ok(match came {
        Some(("done", _)) => "done",
        Some(("conflict", _)) => "conflict",
        Some((_, "not_announced" | "not_today")) => "too_early",
        _ => "refused",
    })
}

/// Hands over a card that still lies in the office. Its round goes on without it, and nobody else's card counts as out.
async fn at_the_counter(
    app: &App,
    mut tx: Tx,
    actor: &Actor,
    (round, item): (RoundId, ItemId),
    (receiver, reason): (&str, &str),
) -> Result<&'static str, RoundError> {
    let now = app.now();
    let found = round_item::lock_item(&mut tx, &app.db, item).await?;
    let mut item = found.filter(|item| item.round == round).ok_or(RoundError::NotFound)?;
    let has = custody::find_holder(&mut tx, item.card).await?.map(|held| held.holder);
    let is_here = has.as_ref().is_some_and(Holder::is_office);
    if !item.state.is_open() || !is_here {
        return Ok("not_here");
    }
    if receiver.trim().is_empty() || reason.trim().is_empty() {
        return Ok("refused");
    }
    let report = Report {
        at: now.as_ms(),
        by: ReceivedBy::Override.to_string(),
        receiver: receiver.to_owned(),
        reason: reason.to_owned(),
        ..Report::default()
    };
    apply(app, &mut tx, (actor, &report), (Outcome::Received, &mut item), now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok("done")
}

/// Takes back that somebody died or moved away, which a courier said of them: the card goes onto a
/// round again.
///
/// # Errors
/// [`RoundError`] with what stands in the way.
pub async fn take_back_absence(
    app: &App,
    actor: &Actor,
    (round, item): (RoundId, ItemId),
) -> Result<(), RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    open(app, &mut tx, actor, Right::PlanRounds, round).await?;
    let found = round_item::lock_item(&mut tx, &app.db, item).await?;
    let is_theirs = |one: &Item| one.round == round && one.next == Some(Next::Absent);
    let mut item = found.filter(is_theirs).ok_or(RoundError::NotFound)?;
    if let Some(nik) = person::find_nik(&mut tx, &app.db, item.person).await? {
        let hash = person::nik_hash(&app.db, &nik);
        source_row::take_back_absence(&mut tx, OWN_SOURCE, &hash).await?;
    }
    (item.next, item.next_done_at) = (Some(Next::Again), None);
    item.next_done_by = Some(actor.id.clone());
    round_item::save_item(&mut tx, &app.db, &mut item, now).await?;
    let object = item.id.to_string();
    let detail = Some("still lives there");
    officer::note(app, &mut tx, actor, Action::SettledItem, &object, detail).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}
