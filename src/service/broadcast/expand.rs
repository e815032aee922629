//! Puts the recipients of a broadcast into the outbox, page by page and never far ahead of the provider, and
//! notices when it is over or must hold itself.
//!
//! A page and the place behind it are one transaction, and a message's key is made of run and number: a crash
//! anywhere loses nobody and repeats nobody.

use std::time::Duration;

use super::BroadcastError;
use super::act::{begin, settle};
use super::day::{self, Room};
use super::letter::{Letters, Post};
use super::preview::page;
use super::reach::{Rules, Verdict, Way, decide};
use crate::domain::area::AreaCode;
use crate::domain::broadcast::{
    Alarm, BroadcastState, LeftOut, Move, RunState, ahead, needs_second,
};
use crate::domain::clock::Timestamp;
use crate::domain::id::{BroadcastId, MessageId, OfficerId};
use crate::domain::officer::{Actor, Right};
use crate::service::{App, ServiceError};
use crate::store::audience::{self, Candidate};
use crate::store::broadcast::{self as rows, Broadcast};
use crate::store::broadcast_run::{self as runs, Run};
use crate::store::message::insert_message;
use crate::store::{StoreError, Tx, officer};

/// How often it is looked whether something is to be done.
pub const EVERY: Duration = Duration::from_millis(500);
/// People put into the outbox in one transaction: it must not keep a reply waiting.
const PAGE: usize = 250;
/// Pages of one run before the others have their turn.
const PAGES: usize = 8;
/// Messages of one run that wait at most, however many accounts share it.
const MOST_WAITING: u64 = 10_000;

/// Begins what is due and goes on with what has begun; returns how much was done.
///
/// # Errors
/// When the database fails; what was not done waits for the next round.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let mut done = 0;
    for id in rows::list_due(&app.db, app.now()).await? {
        done += u64::from(unless_lost(fire(app, id).await, id)?);
    }
    for run in runs::list_active(&app.db).await? {
        if run.state == RunState::Sending {
            let id = run.broadcast;
            done += unless_lost(go_on(app, run).await, id)?;
        }
    }
    Ok(done)
}

/// One broadcast that cannot go on must not hold up the others.
fn unless_lost<T: Default>(
    result: Result<T, BroadcastError>,
    id: BroadcastId,
) -> Result<T, ServiceError> {
    match result {
        Ok(done) => Ok(done),
        Err(BroadcastError::Service(error @ ServiceError::Store(StoreError::Unavailable(_)))) => {
            Err(error)
        }
        Err(error) => {
            tracing::error!(broadcast = %id, "a broadcast cannot go on: {error}");
            Ok(T::default())
        }
    }
}

/// Begins the run of a date that has come. One that has not left yet comes first: then it waits.
async fn fire(app: &App, id: BroadcastId) -> Result<bool, BroadcastError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let Some(mut found) = rows::lock_broadcast(&mut tx, &app.db, id).await? else {
        return Ok(false);
    };
    let Some(due_at) = found.next_at.filter(|at| *at <= now) else { return Ok(false) };
    let is_busy = |run: &Run| !run.state.is_over() && run.departed_at.is_none();
    if found.state.after(Move::Send).is_none()
        || runs::list_runs(&mut tx, id).await?.iter().any(is_busy)
    {
        return Ok(false);
    }
    begin(app, &mut tx, &mut found, (due_at, None), now).await?;
    found.next_at = found.schedule.next_after(now, app.zone(None));
    found.updated_at = now;
    rows::update_broadcast(&mut tx, &found).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

async fn go_on(app: &App, mut run: Run) -> Result<u64, BroadcastError> {
    let Some(broadcast) = rows::find_broadcast(&app.db, run.broadcast).await? else { return Ok(0) };
    if broadcast.state != BroadcastState::Sending {
        return Ok(0);
    }
    let Some(maker) = present_maker(app, &broadcast).await? else {
        return Ok(u64::from(hold(app, broadcast.id, Alarm::AreaLost).await?));
    };
    let mut letters = Letters::default();
    let (mut done, mut is_waiting) = (0, false);
    for _ in 0..PAGES {
        if run.expanded_at.is_some() {
            day::explain(app, &broadcast, false).await?;
            return Ok(done + u64::from(conclude(app, &run).await?));
        }
        if !has_room(app, &run).await? {
            return Ok(done);
        }
        match expand(app, &broadcast, &maker, &run, &mut letters).await? {
            Expanded::Page { next, is_full } => {
                run = *next;
                // Said of the last page of a round alone: a little room comes and goes.
                is_waiting = is_full;
            }
            Expanded::Nothing => return Ok(done),
            Expanded::Full => {
                day::explain(app, &broadcast, true).await?;
                return Ok(done);
            }
            Expanded::Alarm(alarm) => {
                return Ok(done + u64::from(hold(app, broadcast.id, alarm).await?));
            }
        }
        done += 1;
        app.signals.wake_outbox();
        if is_waiting {
            break;
        }
    }
    day::explain(app, &broadcast, is_waiting).await?;
    if is_waiting {
        return Ok(done);
    }
    // There is more: it need not wait for the clock.
    app.signals.wake_broadcasts();
    Ok(done)
}

/// Who wrote it, as they are now; none when they may no longer write to all of its area.
async fn present_maker(app: &App, broadcast: &Broadcast) -> Result<Option<Actor>, StoreError> {
    let maker = &broadcast.maker;
    let Ok(id) = maker.id.parse::<OfficerId>() else { return Ok(Some(maker.clone())) };
    let known = officer::find_officer(&app.db, id).await?;
    let now = known.filter(|known| known.disabled_at.is_none()).map(|known| known.actor());
    let office = &app.settings.office_area;
    Ok(now.filter(|now| now.may(Right::Broadcast) && now.covers(Some(&broadcast.area), office)))
}

/// Whether the account that has most to do would soon have nothing more to send.
async fn has_room(app: &App, run: &Run) -> Result<bool, StoreError> {
    let waiting = runs::count_queued(&app.db, run.id).await?;
    if waiting.values().sum::<u64>() >= MOST_WAITING {
        return Ok(false);
    }
    let main = run.ways.iter().max_by_key(|(_, tally)| tally.recipients).map(|(id, _)| id);
    let Some(account) = main.and_then(|id| app.account(id)) else { return Ok(true) };
    let per_second = f64::from(account.rate.messages.get()) / account.rate.per.as_secs_f64();
    let waiting = waiting.get(&account.id).copied().unwrap_or(0);
    // Ours and the sender's rounds come twice a second each.
    Ok(waiting < ahead(per_second, EVERY.saturating_mul(4)))
}

enum Expanded {
    /// How far the run is now; no further today when the provider's day is full.
    Page { next: Box<Run>, is_full: bool },
    /// Not now: another process was first.
    Nothing,
    /// Not now: the provider takes no more today.
    Full,
    /// It must hold itself.
    Alarm(Alarm),
}

/// One page.
async fn expand(
    app: &App,
    broadcast: &Broadcast,
    maker: &Actor,
    run: &Run,
    letters: &mut Letters,
) -> Result<Expanded, BroadcastError> {
    let now = app.now();
    let after = run.position.as_deref();
    let people = match run.retry_of {
        Some(failed) => audience::list_unreached(&app.db, failed, after, PAGE).await?,
        None => page(app, broadcast, after, PAGE).await?,
    };
    let mut rules = Rules::new(app, maker, &broadcast.audience);
    if run.retry_of.is_some() {
        rules = rules.again();
    }
    let verdicts = decide(app, &rules, &people).await?;
    let mut room = Room::left(app, &verdicts, now).await?;
    let mut is_full = false;
    let mut next = run.clone();
    let mut taken = 0;
    let mut messages = Vec::new();
    for (one, verdict) in people.iter().zip(verdicts) {
        match verdict {
            Verdict::NotMeant => {}
            Verdict::LeftOut(reason) => *next.left_out.entry(reason).or_default() += 1,
            Verdict::Way(way) => {
                if !room.take(way.account) {
                    // Whoever comes from here on is taken up once there is room again.
                    is_full = true;
                    break;
                }
                messages.push((one, way));
            }
        }
        taken += 1;
        next.position = Some(one.position.clone());
    }
    if people.len() < PAGE && taken == people.len() {
        next.expanded_at = Some(now);
    } else if taken == 0 {
        return Ok(if is_full { Expanded::Full } else { Expanded::Nothing });
    }
    let mut tx = app.db.begin().await?;
    for (one, way) in messages {
        enqueue(app, &mut tx, broadcast, (&mut next, letters), (one, way), now).await?;
    }
    if is_too_many(app, broadcast, &next) {
        return Ok(Expanded::Alarm(Alarm::NeedsApproval));
    }
    if !runs::advance_run(&mut tx, &next, after).await? {
        return Ok(Expanded::Nothing);
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Expanded::Page { next: Box::new(next), is_full })
}

/// Whether more would get it than may without a second person's word. The people of an area become more
/// between the word and the day.
fn is_too_many(app: &App, broadcast: &Broadcast, run: &Run) -> bool {
    let over = app.settings.broadcast.approve_over;
    let reach: AreaCode = broadcast.maker.area.clone();
    broadcast.checker.is_none()
        && run.recipients > over
        && needs_second(broadcast.maker.role, run.recipients, Some(&reach), over)
}

async fn enqueue(
    app: &App,
    tx: &mut Tx,
    broadcast: &Broadcast,
    (run, letters): (&mut Run, &mut Letters),
    (one, way): (&Candidate, Way<'_>),
    now: Timestamp,
) -> Result<(), BroadcastError> {
    let letter = letters.of(app, broadcast, way.account)?;
    let account = way.account.id.clone();
    let post = Post {
        id: app.ids.next(now),
        idem_key: format!("broadcast:{}:{}", run.id, way.key),
        why: "broadcast",
        way,
        person: one.person,
        zone: app.zone(one.area.as_ref()),
        run: Some(run.id),
    };
    let new = letter.post(app, post, now);
    if insert_message(tx, &app.db, &new).await? {
        run.recipients += 1;
        let tally = run.ways.entry(account).or_default();
        let number = |value: Option<i64>| value.and_then(|v| u64::try_from(v).ok()).unwrap_or(0);
        tally.recipients += 1;
        tally.parts += number(letter.parts);
        tally.rupiah += number(letter.rupiah);
    } else {
        *run.left_out.entry(LeftOut::Shared).or_default() += 1;
    }
    Ok(())
}

/// Notes that nothing of a run waits any more, and ends it once there is no word left to wait for. `false`
/// when nothing changed.
async fn conclude(app: &App, run: &Run) -> Result<bool, BroadcastError> {
    let (is_waiting, is_unheard) = runs::find_open(&app.db, run.id).await?;
    if is_waiting {
        return Ok(false);
    }
    let now = app.now();
    let within = app.settings.broadcast.receipts_within;
    let is_told = |id: &String| app.account(id).is_some_and(|a| a.adapter.offer().has_receipts);
    let is_over = !is_unheard
        || !run.ways.keys().any(is_told)
        || run.departed_at.is_some_and(|at| at.after(within) <= now);
    if !is_over && run.departed_at.is_some() {
        return Ok(false);
    }
    let mut tx = app.db.begin().await?;
    let Some(mut found) = rows::lock_broadcast(&mut tx, &app.db, run.broadcast).await? else {
        return Ok(false);
    };
    if !runs::mark_departed(&mut tx, run.id, is_over, now).await? {
        return Ok(false);
    }
    if is_over {
        settle(&mut tx, &mut found).await?;
        found.updated_at = now;
        rows::update_broadcast(&mut tx, &found).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

/// A broadcast holds itself for a reason of our own.
async fn hold(app: &App, id: BroadcastId, alarm: Alarm) -> Result<bool, BroadcastError> {
    let mut tx = app.db.begin().await?;
    let is_held = stop(app, &mut tx, id, alarm, None, app.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(is_held)
}

/// A message of a broadcast met what must hold the whole of it: a provider's word that people complain. What is
/// no broadcast's is left alone, and so are the account's answers.
///
/// # Errors
/// When the database fails.
pub async fn raise(
    app: &App,
    tx: &mut Tx,
    message: MessageId,
    alarm: Alarm,
    code: &str,
    now: Timestamp,
) -> Result<(), ServiceError> {
    if let Some(id) = runs::find_of_message(tx, message).await? {
        stop(app, tx, id, alarm, Some(code), now).await?;
    }
    Ok(())
}

async fn stop(
    app: &App,
    tx: &mut Tx,
    id: BroadcastId,
    alarm: Alarm,
    code: Option<&str>,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let Some(mut found) = rows::lock_broadcast(tx, &app.db, id).await? else { return Ok(false) };
    let Some(state) = found.state.after(Move::Stop) else { return Ok(false) };
    tracing::warn!(broadcast = %id, alarm = %alarm, code, "a broadcast holds itself");
    found.state = state;
    found.alarm = Some(alarm);
    found.alarm_code = code.map(str::to_owned);
    found.updated_at = now;
    runs::set_states(tx, id, RunState::Stopped, now).await?;
    rows::update_broadcast(tx, &found).await?;
    Ok(true)
}
