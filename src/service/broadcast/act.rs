//! What people do with a broadcast: submit it, agree to it, let it go, hold it, take it back, try again.
//!
//! Each is one transaction with its line of the audit log. Whether a move can be made from a state is the
//! domain's word.

use super::letter::{Letter, Post};
use super::reach::{Rules, Verdict, Way, decide};
use super::{BroadcastError, Seen, after, close, find, invalid, note, open, tally};
use crate::domain::attachment::FileRefusal;
use crate::domain::audience::Audience;
use crate::domain::audit::Action;
use crate::domain::broadcast::{BroadcastState, Move, RunState, Schedule};
use crate::domain::clock::Timestamp;
use crate::domain::id::{BroadcastId, MessageId, RunId};
use crate::domain::message::ChannelKind;
use crate::domain::officer::{Actor, Right};
use crate::domain::outbound::Recipient;
use crate::domain::phone::PhoneNumber;
use crate::service::{Account, App, officer_chat, route};
use crate::store::broadcast::{self as rows, Broadcast};
use crate::store::broadcast_run::{self as runs, Run};
use crate::store::consent::address_hashes;
use crate::store::message::insert_message;
use crate::store::{StoreError, Tx, audience};

/// Longest reason for sending one back, in characters.
const LONGEST_NOTE: usize = 500;

/// Says that a broadcast is ready. Gives whether it waits for a second person or may go out.
///
/// # Errors
/// [`BroadcastError::Empty`] when nobody would get it, and what else [`BroadcastError`] says.
pub async fn submit(
    app: &App,
    actor: &Actor,
    seen: impl Into<Seen>,
) -> Result<BroadcastState, BroadcastError> {
    let seen = seen.into();
    let id = seen.id;
    let read = find(app, actor, Right::Broadcast, id).await?;
    after(&read, Move::Submit)?;
    seen.same(&read)?;
    let preview = tally::fresh(app, &read).await?;
    if let Some([what, hint]) = preview.file.map(FileRefusal::words) {
        return Err(invalid(what, hint));
    }
    if preview.recipients == 0 {
        return Err(BroadcastError::Empty);
    }
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    if found.updated_at != read.updated_at {
        return Err(BroadcastError::Changed);
    }
    found.state = after(&found, Move::Submit)?;
    found.recipients = Some(preview.recipients);
    found.note = None;
    if !preview.needs_second {
        found.state = after(&found, Move::Approve)?;
    }
    let state = found.state;
    if state == BroadcastState::Submitted {
        officer_chat::ask_approvers(app, &mut tx, &found, now).await?;
    }
    let detail = format!("{} recipients, {state}", preview.recipients);
    close(app, tx, actor, Action::SubmittedBroadcast, &mut found, Some(&detail), now).await?;
    app.signals.wake_outbox();
    Ok(state)
}

/// Agrees to what somebody else wrote.
///
/// # Errors
/// [`BroadcastError::Maker`] for whoever wrote any of it, and what else [`BroadcastError`] says.
pub async fn approve(
    app: &App,
    actor: &Actor,
    seen: impl Into<Seen>,
) -> Result<(), BroadcastError> {
    let now = app.now();
    let seen = seen.into();
    let id = seen.id;
    let (mut tx, mut found) = open(app, actor, Right::Approve, id).await?;
    found.state = after(&found, Move::Approve)?;
    seen.same(&found)?;
    if found.maker.id == actor.id || rows::has_written(&mut tx, id, &actor.id).await? {
        return Err(BroadcastError::Maker);
    }
    found.checker = Some(actor.id.clone());
    found.checked_at = Some(now);
    officer_chat::tell_maker(app, &mut tx, &found, actor, now).await?;
    close(app, tx, actor, Action::ApprovedBroadcast, &mut found, None, now).await?;
    app.signals.wake_outbox();
    Ok(())
}

/// Sends it back to be changed, with a reason for whoever wrote it.
///
/// # Errors
/// What [`BroadcastError`] says.
pub async fn reject(
    app: &App,
    actor: &Actor,
    seen: impl Into<Seen>,
    reason: &str,
) -> Result<(), BroadcastError> {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    if reason.is_empty() || reason.chars().count() > LONGEST_NOTE {
        return Err(invalid(
            "the reason has no words, or too many",
            "say in a sentence what to change",
        ));
    }
    let now = app.now();
    let seen = seen.into();
    let (mut tx, mut found) = open(app, actor, Right::Approve, seen.id).await?;
    found.state = after(&found, Move::Reject)?;
    seen.same(&found)?;
    found.checker = None;
    found.checked_at = None;
    found.note = Some(reason);
    officer_chat::tell_maker(app, &mut tx, &found, actor, now).await?;
    close(app, tx, actor, Action::RejectedBroadcast, &mut found, None, now).await?;
    app.signals.wake_outbox();
    Ok(())
}

/// Lets it go: at once, or when its time comes.
///
/// # Errors
/// [`BroadcastError::State`] unless it is approved, and what else [`BroadcastError`] says.
pub async fn send(
    app: &App,
    actor: &Actor,
    seen: impl Into<Seen>,
) -> Result<BroadcastState, BroadcastError> {
    let now = app.now();
    let seen = seen.into();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, seen.id).await?;
    if found.state != BroadcastState::Approved {
        return Err(BroadcastError::State { state: found.state, happens: Move::Send });
    }
    seen.same(&found)?;
    let next = found.schedule.next_after(now, app.zone(None));
    if next.is_some() {
        found.state = after(&found, Move::Schedule)?;
        found.next_at = next;
    } else {
        begin(app, &mut tx, &mut found, (now, None), now).await?;
    }
    let state = found.state;
    close(app, tx, actor, Action::SentBroadcast, &mut found, Some(state.as_str()), now).await?;
    app.signals.wake_broadcasts();
    Ok(state)
}

/// Begins a run in the caller's transaction.
pub(super) async fn begin(
    app: &App,
    tx: &mut Tx,
    broadcast: &mut Broadcast,
    (due_at, retry_of): (Timestamp, Option<RunId>),
    now: Timestamp,
) -> Result<(), BroadcastError> {
    let happens = if retry_of.is_some() { Move::Retry } else { Move::Send };
    broadcast.state = after(broadcast, happens)?;
    let run = Run::begin(app.ids.next(now), broadcast.id, due_at, retry_of, now);
    if !runs::insert_run(tx, &run).await? {
        return Err(BroadcastError::State { state: broadcast.state, happens });
    }
    Ok(())
}

/// Holds it: nothing of it leaves from now on but what is in a provider's hand.
///
/// # Errors
/// What [`BroadcastError`] says.
pub async fn pause(app: &App, actor: &Actor, id: BroadcastId) -> Result<(), BroadcastError> {
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    found.state = after(&found, Move::Pause)?;
    runs::set_states(&mut tx, id, RunState::Paused, now).await?;
    close(app, tx, actor, Action::PausedBroadcast, &mut found, None, now).await
}

/// Lets it go on where it was held; nobody gets it twice.
///
/// # Errors
/// What [`BroadcastError`] says.
pub async fn resume(app: &App, actor: &Actor, id: BroadcastId) -> Result<(), BroadcastError> {
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    found.state = after(&found, Move::Resume)?;
    found.alarm = None;
    found.alarm_code = None;
    runs::set_states(&mut tx, id, RunState::Sending, now).await?;
    if let (Schedule::Timetable(_), Some(_)) = (&found.schedule, found.next_at) {
        // Dates that passed while it was held stay passed.
        found.next_at = found.schedule.next_after(now, app.zone(None));
    }
    settle(&mut tx, &mut found).await?;
    close(app, tx, actor, Action::ResumedBroadcast, &mut found, None, now).await?;
    app.signals.wake_broadcasts();
    app.signals.wake_outbox();
    Ok(())
}

/// What a broadcast does that no run keeps busy any more: it waits for its next date, or has ended.
pub(super) async fn settle(tx: &mut Tx, broadcast: &mut Broadcast) -> Result<(), BroadcastError> {
    let is_busy = runs::list_runs(tx, broadcast.id).await?.iter().any(|run| !run.state.is_over());
    if !is_busy {
        let happens = if broadcast.next_at.is_some() { Move::Schedule } else { Move::Finish };
        broadcast.state = after(broadcast, happens)?;
    }
    Ok(())
}

/// Withdraws it for good: what still waits does not leave.
///
/// # Errors
/// What [`BroadcastError`] says.
pub async fn cancel(app: &App, actor: &Actor, id: BroadcastId) -> Result<(), BroadcastError> {
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    found.state = after(&found, Move::Cancel)?;
    found.next_at = None;
    runs::set_states(&mut tx, id, RunState::Cancelled, now).await?;
    let count = runs::cancel_waiting(&mut tx, id, now).await?;
    let detail = format!("{count} that waited were withdrawn");
    close(app, tx, actor, Action::CancelledBroadcast, &mut found, Some(&detail), now).await
}

/// Tries those again whom the last run did not reach. Who may have got it all the same is left in peace.
///
/// # Errors
/// [`BroadcastError::NoFailures`] when there are none, and what else [`BroadcastError`] says.
pub async fn retry(app: &App, actor: &Actor, id: BroadcastId) -> Result<(), BroadcastError> {
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    after(&found, Move::Retry)?;
    let last = runs::list_runs(&mut tx, id).await?.into_iter().next();
    let last = last.ok_or(BroadcastError::NoFailures)?;
    if audience::list_unreached(&app.db, last.id, None, 1).await?.is_empty() {
        return Err(BroadcastError::NoFailures);
    }
    begin(app, &mut tx, &mut found, (now, Some(last.id)), now).await?;
    close(app, tx, actor, Action::RetriedBroadcast, &mut found, None, now).await?;
    app.signals.wake_broadcasts();
    Ok(())
}

/// Sends it to one number, to see it on a phone. It counts for nothing.
///
/// # Errors
/// [`BroadcastError::NoWay`] when nobody can be reached there on that channel, and what else [`BroadcastError`]
/// says.
pub async fn test(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
    channel: ChannelKind,
    phone: &PhoneNumber,
) -> Result<MessageId, BroadcastError> {
    let found = find(app, actor, Right::Broadcast, id).await?;
    let everybody = Audience::default();
    let rules = Rules::new(app, actor, &everybody).on(channel);
    let page = [audience::of_phone(&app.db, phone)];
    let Some(Verdict::Way(way)) = decide(app, &rules, &page).await?.into_iter().next() else {
        return Err(BroadcastError::NoWay);
    };
    queue_test(app, actor, &found, way).await
}

/// Sends it to the chat in which an officer works, to see it there. It counts for nothing.
///
/// # Errors
/// What [`BroadcastError`] says.
pub async fn test_in_chat(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
    account: &Account,
    to: Recipient,
) -> Result<MessageId, BroadcastError> {
    let found = find(app, actor, Right::Broadcast, id).await?;
    let hashes = address_hashes(&app.db, &account.portfolio, &to);
    let hash = route::own_hash(account.channel, hashes);
    queue_test(app, actor, &found, Way::to(account, to, hash)).await
}

async fn queue_test(
    app: &App,
    actor: &Actor,
    found: &Broadcast,
    way: Way<'_>,
) -> Result<MessageId, BroadcastError> {
    let channel = way.account.channel;
    let letter = Letter::write(app, (&found.notice, found.attachment.as_ref()), way.account)?;
    let (now, zone) = (app.now(), app.zone(None));
    let message: MessageId = app.ids.next(now);
    let post = Post {
        id: message,
        idem_key: format!("broadcast-test:{message}"),
        why: "broadcast_test",
        way,
        person: None,
        zone,
        run: None,
    };
    let new = letter.post(app, post, now);
    let mut tx = app.db.begin().await?;
    insert_message(&mut tx, &app.db, &new).await?;
    note(app, &mut tx, actor, Action::TestedBroadcast, found.id, Some(channel.as_str()), now)
        .await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(message)
}
