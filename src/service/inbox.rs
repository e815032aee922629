//! Takes provider events in: stores every one before the provider is answered, and later works
//! them off, receipts in bulk and messages one by one in the order of their arrival.

use super::{App, ServiceError, conversation, receipt};
use crate::channel::whatsapp::webhook::{self, RawKind};
use crate::channel::{Event, InboundBody};
use crate::domain::message::ChannelKind;
use crate::store::StoreError;
use crate::store::group::GroupError;
use crate::store::inbox::{self, EventKind, EventState, NewEvent};

/// Messages worked off in one round, at most.
const MESSAGES: usize = 100;
/// Tries for one event before it is set aside as failed.
const MAX_TRIES: i64 = 8;

/// Stores every event of a webhook body that has passed its signature. Returns after the commit.
///
/// # Errors
/// When the events could not be committed; then the provider must send them again.
pub async fn store_whatsapp(app: &App, account: &str, raw: &[u8]) -> Result<(), GroupError> {
    let now = app.now();
    let events = webhook::split(raw)
        .into_iter()
        .map(|event| NewEvent {
            id: app.ids.next(now),
            key: event.key,
            // Meta posts the events of all numbers of a business to one address.
            account: event
                .phone_number_id
                .and_then(|number| {
                    app.accounts.iter().find(|account| {
                        account.channel == ChannelKind::Whatsapp && account.provider_id == number
                    })
                })
                .map_or_else(|| account.to_owned(), |account| account.id.clone()),
            kind: match event.kind {
                RawKind::Message => EventKind::Message,
                RawKind::Receipt => EventKind::Receipt,
                RawKind::Other => EventKind::Other,
            },
            payload: event.payload,
        })
        .collect();
    app.events.submit(events).await?;
    app.signals.wake_inbox();
    Ok(())
}

/// Works off waiting events; returns how many were looked at.
///
/// # Errors
/// When the database fails; then the events wait for the next round.
pub async fn step(app: &App) -> Result<usize, ServiceError> {
    let mut count = receipt::step(app).await?;
    for _ in 0..MESSAGES {
        if !step_message(app).await? {
            break;
        }
        count += 1;
    }
    count += set_others_aside(app).await?;
    Ok(count)
}

async fn step_message(app: &App) -> Result<bool, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut events = inbox::claim_events(&mut tx, &app.db, EventKind::Message, 1, now).await?;
    let Some(event) = events.pop() else { return Ok(false) };
    let state = match webhook::read(&event.payload) {
        Event::Message(inbound) if inbound.body != InboundBody::Silent => {
            match conversation::answer(app, &mut tx, &event, &inbound).await {
                Ok(()) => EventState::Done,
                Err(error) => {
                    tx.rollback().await.map_err(StoreError::from)?;
                    return put_back(app, &event, &error).await.map(|()| true);
                }
            }
        }
        _ => EventState::Ignored,
    };
    inbox::mark_events(&mut tx, &app.db, &[(event.id, state)], None, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(true)
}

/// One event that cannot be worked off must not hold up those behind it.
async fn put_back(
    app: &App,
    event: &inbox::Event,
    error: &ServiceError,
) -> Result<(), ServiceError> {
    let now = app.now();
    tracing::error!(event = %event.id, attempts = event.attempts + 1, "an event could not be worked off: {error}");
    let mut tx = app.db.begin().await?;
    if event.attempts + 1 >= MAX_TRIES {
        let settled = [(event.id, EventState::Failed)];
        inbox::mark_events(&mut tx, &app.db, &settled, Some(&error.to_string()), now).await?;
    } else {
        let due_at = now.after(super::send::backoff(event.attempts + 1));
        inbox::postpone_event(&mut tx, event.id, due_at, &error.to_string()).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Events nothing follows from are kept, and leave the queue.
async fn set_others_aside(app: &App) -> Result<usize, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let events = inbox::claim_events(&mut tx, &app.db, EventKind::Other, 500, now).await?;
    let settled: Vec<_> = events.iter().map(|event| (event.id, EventState::Ignored)).collect();
    inbox::mark_events(&mut tx, &app.db, &settled, None, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(events.len())
}
