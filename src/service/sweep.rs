//! What time alone changes: unclear outcomes that have waited for a receipt long enough, messages
//! whose moment has passed, news that has not arrived in time, questions nobody understood,
//! invitations whose day has come, and talks that nobody goes on with; and names that cannot be searched for yet.
//!
//! What goes wrong with one of these must not hold up the others.

use std::pin::Pin;

use super::{
    App, ServiceError, appointment, collection, fallback, hold, home_visit, knowledge, outage,
    question, round, survey, ticket,
};
use crate::store::{StoreError, search, settled};

/// Calls of one message with an unclear outcome before it is given up. Each may have reached the
/// citizen, so the number bounds how often one can hear the same where no receipt ever comes.
const UNCLEAR_CALLS: i64 = 3;

/// People whose names are made searchable in one transaction, and how many of those a round has: catching up
/// must not keep what is due waiting.
const NAMES: (i64, usize) = (500, 10);

/// Looks once; returns how many messages changed.
///
/// # Errors
/// When the database fails. The last of several errors is returned and the others are logged; all
/// that could be done is done.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    type Work<'a> = Pin<Box<dyn Future<Output = Result<u64, ServiceError>> + Send + 'a>>;
    let works: [Work<'_>; 15] = [
        Box::pin(bring_back(app)),
        Box::pin(expire(app)),
        Box::pin(settle(app)),
        Box::pin(fallback::step(app)),
        Box::pin(hold::step(app)),
        Box::pin(question::step(app)),
        Box::pin(knowledge::step(app)),
        Box::pin(survey::step(app)),
        Box::pin(round::step(app)),
        Box::pin(ticket::step(app)),
        Box::pin(collection::step(app)),
        Box::pin(outage::step(app)),
        Box::pin(appointment::step(app)),
        Box::pin(home_visit::step(app)),
        Box::pin(name(app)),
    ];
    let mut count = 0;
    let mut failed: Option<ServiceError> = None;
    for work in works {
        match work.await {
            Ok(done) => count += done,
            // Each would wait for it anew.
            Err(error @ ServiceError::Store(StoreError::Unavailable(_))) => return Err(error),
            Err(error) => {
                if let Some(earlier) = failed.replace(error) {
                    tracing::error!(error = &earlier as &dyn std::error::Error, "sweeper");
                }
            }
        }
    }
    failed.map_or(Ok(count), Err)
}

/// After the clock was set back, nobody waits for as long as it was set back.
async fn bring_back(app: &App) -> Result<u64, ServiceError> {
    let Some(times) = app.was_set_back() else { return Ok(0) };
    let waits = &app.settings.unknown_wait;
    let longest = waits.reply.max(waits.announcement).max(waits.broadcast);
    let changed = settled::bring_back(&app.db, times, longest).await?;
    app.accept_time(times.0);
    tracing::warn!(
        seconds = times.1.since(times.0).as_secs(),
        messages = changed,
        "the clock was set back; what had been due is due still"
    );
    app.signals.wake_outbox();
    app.signals.wake_inbox();
    Ok(changed)
}

async fn expire(app: &App) -> Result<u64, ServiceError> {
    Ok(settled::expire_due(&app.db, app.now()).await?)
}

async fn settle(app: &App) -> Result<u64, ServiceError> {
    let settled = settled::settle_unknown(&app.db, UNCLEAR_CALLS, app.now()).await?;
    if settled > 0 {
        app.signals.wake_outbox();
    }
    Ok(settled)
}

async fn name(app: &App) -> Result<u64, ServiceError> {
    for _ in 0..NAMES.1 {
        if !search::catch_up(&app.db, NAMES.0).await? {
            break;
        }
    }
    Ok(0)
}
