//! What time alone changes: unclear outcomes that have waited for a receipt long enough, messages
//! whose moment has passed, news that has not arrived in time, questions nobody understood,
//! invitations whose day has come, and talks that nobody goes on with; and names that cannot be searched for yet.

use super::{App, ServiceError, fallback, hold, knowledge, question, survey, ticket};
use crate::store::{search, settled};

/// Calls of one message with an unclear outcome before it is given up. Each may have reached the
/// citizen, so the number bounds how often one can hear the same where no receipt ever comes.
const UNCLEAR_CALLS: i64 = 3;

/// People whose names are made searchable in one transaction, and how many of those a round has: catching up
/// must not keep what is due waiting.
const NAMES: (i64, usize) = (500, 10);

/// Looks once; returns how many messages changed.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let now = app.now();
    let expired = settled::expire_due(&app.db, now).await?;
    let settled = settled::settle_unknown(&app.db, UNCLEAR_CALLS, now).await?;
    if settled > 0 {
        app.signals.wake_outbox();
    }
    let followed = fallback::step(app).await?;
    let released = hold::step(app).await?;
    let grouped = question::step(app).await?;
    let learnt = knowledge::step(app).await?;
    let invited = survey::step(app).await?;
    let closed = ticket::step(app).await?;
    for _ in 0..NAMES.1 {
        if !search::catch_up(&app.db, NAMES.0).await? {
            break;
        }
    }
    Ok(expired + settled + followed + released + grouped + learnt + invited + closed)
}
