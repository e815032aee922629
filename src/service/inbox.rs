//! Takes provider events in: stores every one before the provider is answered, and later works
//! them off, receipts in bulk and messages one by one in the order of their arrival.

use std::sync::Arc;

use async_trait::async_trait;

use super::officer_chat::{self, Taken};
use super::{Account, App, ServiceError, conversation, knowledge, receipt};
use crate::channel::{Event, InboundBody, NotStored, RawEvent, RawKind, Sink};
use crate::store::account::set_day_limit;
use crate::store::group::GroupError;
use crate::store::inbox::{self, EventKind, EventState, NewEvent};
use crate::store::template_state::upsert_news;
use crate::store::{StoreError, Tx};

/// Messages worked off in one round, at most.
const MESSAGES: usize = 100;
/// Tries for one event before it is set aside as failed.
const MAX_TRIES: i64 = 8;

/// Stores events that came to an account. Returns after the commit.
///
/// # Errors
/// When they could not be committed; then the provider must send them again.
pub async fn store(app: &App, account: &Account, events: Vec<RawEvent>) -> Result<(), GroupError> {
    if events.is_empty() {
        return Ok(());
    }
    let now = app.now();
    let mut stored = Vec::with_capacity(events.len());
    for event in events {
        let payload = match &event.sought {
            Some(nik) => officer_chat::with_sought(app, account, event.payload, nik).await,
            None => event.payload,
        };
        stored.push(NewEvent {
            id: app.ids.next(now),
            key: event.key,
            // Meta posts the events of all numbers of a business to one address.
            account: event
                .provider_id
                .and_then(|id| {
                    app.accounts
                        .iter()
                        .find(|other| other.channel == account.channel && other.provider_id == id)
                })
                .map_or_else(|| account.id.clone(), |account| account.id.clone()),
            kind: match event.kind {
                RawKind::Message => EventKind::Message,
                RawKind::Receipt => EventKind::Receipt,
                RawKind::Other => EventKind::Other,
            },
            payload,
        });
    }
    app.events.submit(stored).await?;
    app.signals.wake_inbox();
    Ok(())
}

/// Takes in what an account's adapter fetches by itself.
#[derive(Debug)]
pub struct AccountSink {
    app: Arc<App>,
    account: Account,
}

impl AccountSink {
    /// The sink of one account.
    #[must_use]
    pub const fn new(app: Arc<App>, account: Account) -> Self {
        Self { app, account }
    }
}

#[async_trait]
impl Sink for AccountSink {
    async fn store(&self, events: Vec<RawEvent>) -> Result<(), NotStored> {
        store(&self.app, &self.account, events).await.map_err(|error| {
            tracing::error!(account = %self.account.id, "events not stored: {error}");
            NotStored
        })
    }
}

/// Understands a stored event, in the words of the account it came to.
pub(super) fn read(app: &App, event: &inbox::Event) -> Event {
    app.account(&event.account).map_or(Event::Other, |account| account.adapter.read(&event.payload))
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
    let mut understood = read(app, &event);
    if let Event::Message(inbound) = &understood {
        match officer_chat::take(app, &mut tx, &event, inbound).await {
            Ok(Taken::No) => {}
            Ok(Taken::Unknown(inbound)) => understood = Event::Message(inbound),
            Ok(Taken::Later) => {
                tx.commit().await.map_err(StoreError::from)?;
                app.signals.wake_officers();
                return Ok(true);
            }
            Ok(Taken::Done) => return settle(app, tx, &event).await,
            Err(error) => {
                tx.rollback().await.map_err(StoreError::from)?;
                return put_back(app, &event, &error).await.map(|()| true);
            }
        }
    }
    if !app.knowledge.is_ready() {
        // Training takes its time, and nothing else could be written meanwhile.
        tx.rollback().await.map_err(StoreError::from)?;
        knowledge::understanding(app).await?;
        return Ok(true);
    }
    let done = match understood {
        Event::Message(inbound) if inbound.body != InboundBody::Silent => {
            conversation::answer(app, &mut tx, &event, &inbound).await
        }
        Event::Phone(proof) => conversation::take_phone(app, &mut tx, &event, &proof).await,
        Event::OptOut(opt_out) => conversation::take_opt_out(app, &mut tx, &event, &opt_out).await,
        Event::Message(_)
        | Event::Receipt(_)
        | Event::Template(_)
        | Event::DayLimit(_)
        | Event::Other => {
            inbox::mark_events(&mut tx, &app.db, &[(event.id, EventState::Ignored)], None, now)
                .await?;
            tx.commit().await.map_err(StoreError::from)?;
            return Ok(true);
        }
    };
    if let Err(error) = done {
        tx.rollback().await.map_err(StoreError::from)?;
        return put_back(app, &event, &error).await.map(|()| true);
    }
    settle(app, tx, &event).await
}

/// An event's consequences are there.
async fn settle(app: &App, mut tx: Tx, event: &inbox::Event) -> Result<bool, ServiceError> {
    let settled = [(event.id, EventState::Done)];
    inbox::mark_events(&mut tx, &app.db, &settled, None, app.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(true)
}

/// One event that cannot be worked off must not hold up those behind it.
pub(super) async fn put_back(
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

/// What a provider says of a template is noted; the rest, from which nothing follows, is kept and leaves the
/// queue.
async fn set_others_aside(app: &App) -> Result<usize, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let events = inbox::claim_events(&mut tx, &app.db, EventKind::Other, 500, now).await?;
    let mut settled = Vec::with_capacity(events.len());
    for event in &events {
        let state = match read(app, event) {
            Event::Template(news) => {
                let at = news.happened_at.unwrap_or(event.received_at);
                upsert_news(&mut tx, &event.account, &news, at).await?;
                EventState::Done
            }
            Event::DayLimit(limit) => {
                let at = limit.happened_at.unwrap_or(event.received_at);
                set_day_limit(&mut tx, &event.account, limit.people, at).await?;
                EventState::Done
            }
            _ => EventState::Ignored,
        };
        settled.push((event.id, state));
    }
    inbox::mark_events(&mut tx, &app.db, &settled, None, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(events.len())
}
