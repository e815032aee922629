//! Applies providers' receipts to our messages, many in one transaction.

use std::collections::HashMap;

use super::lesson::{self, Taught};
use super::{App, ServiceError, broadcast};
use crate::channel::{Event, Fault};
use crate::domain::clock::Timestamp;
use crate::domain::consent::Lesson;
use crate::domain::id::MessageId;
use crate::domain::message::{MessageStatus, ReceiptKind};
use crate::store::inbox::{self, EventKind, EventState};
use crate::store::receipt::{self, NewReceipt};
use crate::store::{StoreError, Tx, follow, inbox::Event as Stored, message};

/// Receipts applied in one transaction, at most.
const BATCH: i64 = 500;
/// A receipt may outrun the answer to its own call; it is looked at again this often before it
/// counts as not ours.
const MAX_LOOKS: i64 = 6;

/// Applies waiting receipts; returns how many events were looked at.
///
/// # Errors
/// When the database fails; then all of them wait for the next round.
pub async fn step(app: &App) -> Result<usize, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let events = inbox::claim_events(&mut tx, &app.db, EventKind::Receipt, BATCH, now).await?;
    if events.is_empty() {
        return Ok(0);
    }
    let read: Vec<_> = events.iter().map(|event| (event, super::inbox::read(app, event))).collect();
    let named = |account: &str, id: &str| (account.to_owned(), id.to_owned());
    let nameless: Vec<_> = read
        .iter()
        .filter_map(|(stored, event)| match event {
            Event::Receipt(r) if r.message.is_none() => {
                Some(named(&stored.account, &r.provider_message_id))
            }
            _ => None,
        })
        .collect();
    let by_provider_id = receipt::find_messages(&mut tx, &app.db, &nameless).await?;
    let echoed: Vec<_> = read
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Receipt(word) => word.message,
            _ => None,
        })
        .collect();
    let accounts = receipt::find_accounts(&mut tx, &app.db, &echoed).await?;
    let mut settled = Vec::with_capacity(events.len());
    let mut later: Vec<&Stored> = Vec::new();
    let mut receipts = Vec::with_capacity(events.len());
    let mut lessons = Vec::new();
    for (event, word) in &read {
        let Event::Receipt(word) = word else {
            settled.push((event.id, EventState::Ignored));
            continue;
        };
        if is_foreign(app, &accounts, &event.account, word.message) {
            tracing::warn!(
                account = event.account,
                "a receipt for another account's message is ignored"
            );
            settled.push((event.id, EventState::Ignored));
            continue;
        }
        let by_id = named(&event.account, &word.provider_message_id);
        match word.message.or_else(|| by_provider_id.get(&by_id).copied()) {
            Some(message) => {
                settled.push((event.id, EventState::Done));
                let lesson = word.fault.as_ref().and_then(|fault| fault.lesson);
                if lesson == Some(Lesson::WindowClosed)
                    && message::requeue_window_closed(&mut tx, message, now).await?
                {
                    continue;
                }
                if let (Some(lesson), Some(fault)) = (lesson, &word.fault) {
                    lessons.push((message, lesson, fault.code.clone()));
                }
                raise(app, &mut tx, message, word.fault.as_ref(), now).await?;
                app.metrics.receipt(&event.account, word.kind);
                receipts.push(NewReceipt {
                    id: app.ids.next(now),
                    account: event.account.clone(),
                    message,
                    kind: word.kind,
                    happened_at: word.happened_at,
                    code: word.fault.as_ref().map(|fault| fault.code.clone()),
                    detail: word.fault.as_ref().map(|fault| fault.detail.clone()),
                    provider_message_id: Some(word.provider_message_id.clone()),
                });
            }
            None if event.attempts + 1 < MAX_LOOKS => later.push(event),
            None => settled.push((event.id, EventState::Ignored)),
        }
    }
    // Earlier words first, so that the first moment of each kind is the one that stays.
    receipts.sort_by_key(|r| (r.message, r.kind == ReceiptKind::Failed, r.happened_at));
    let after = receipt::apply_receipts(&mut tx, &app.db, &receipts, now).await?;
    let is_there =
        |status: &MessageStatus| matches!(status, MessageStatus::Delivered | MessageStatus::Read);
    let arrived: Vec<_> = after.iter().filter(|(_, s)| is_there(s)).map(|(id, _)| *id).collect();
    follow::mark_reached(&mut tx, &app.db, &arrived, now).await?;
    for (id, lesson, code) in lessons {
        let Some((channel, address_hash, address)) =
            message::find_recipient(&mut tx, &app.db, id).await?
        else {
            continue;
        };
        let taught = Taught { lesson, channel, address_hash, address, code };
        lesson::learn(app, &mut tx, &taught, now).await?;
    }
    inbox::mark_events(&mut tx, &app.db, &settled, None, now).await?;
    for event in later {
        let wait = super::send::backoff(event.attempts + 1);
        inbox::postpone_event(&mut tx, event.id, now.after(wait), "no message with this id yet")
            .await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(events.len())
}

/// A word about one message of a broadcast may hold all of it.
async fn raise(
    app: &App,
    tx: &mut Tx,
    message: MessageId,
    fault: Option<&Fault>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    match fault.and_then(|fault| Some((fault.alarm?, fault))) {
        Some((alarm, fault)) => broadcast::raise(app, tx, message, alarm, &fault.code, now).await,
        None => Ok(()),
    }
}

/// An id that is echoed proves nothing: it must be of a message of the very account whose provider
/// spoke. One that is no longer configured may have been renamed.
fn is_foreign(
    app: &App,
    accounts: &HashMap<MessageId, String>,
    speaker: &str,
    message: Option<MessageId>,
) -> bool {
    message
        .and_then(|id| accounts.get(&id))
        .is_some_and(|account| account != speaker && app.account(account).is_some())
}
