//! What became of a broadcast: each run by the states of its messages, who was left out, and the failures with
//! their reasons.

use std::collections::BTreeMap;

use super::{BroadcastError, find};
use crate::domain::clock::Timestamp;
use crate::domain::id::{BroadcastId, MessageId, RunId};
use crate::domain::message::{ChannelKind, MessageStatus};
use crate::domain::officer::{Actor, Right};
use crate::service::App;
use crate::store::broadcast_run::{self as runs, FailureKind, Run};
use crate::store::message_list::find_message;

/// Failures of one kind.
pub type FailureCount = FailureKind;

/// What became of one run.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The run, with who was left out and how many each account writes to.
    pub run: Run,
    /// Its messages by state.
    pub states: BTreeMap<MessageStatus, u64>,
    /// Its failures by code, the most frequent first.
    pub failures: Vec<FailureCount>,
    /// How many have a final state: of the run's recipients so far.
    pub settled: u64,
}

/// A message that was not brought.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which.
    pub id: MessageId,
    /// On which channel.
    pub channel: ChannelKind,
    /// Masked number.
    pub recipient: Option<String>,
    /// The provider's code.
    pub code: Option<String>,
    /// The same in words.
    pub reason: Option<String>,
    /// When.
    pub failed_at: Option<Timestamp>,
}

/// All runs of a broadcast, newest first.
///
/// # Errors
/// [`BroadcastError::NotFound`], or when the database fails.
pub async fn report(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
) -> Result<Vec<RunReport>, BroadcastError> {
    find(app, actor, Right::SeeBroadcasts, id).await?;
    let found = runs::list_runs(&mut *app.db.reading().await?, id).await?;
    let mut reports = Vec::with_capacity(found.len());
    for run in found {
        let states = runs::count_states(&app.db, run.id).await?;
        let failures = runs::count_failures(&app.db, run.id).await?;
        let is_final = |status: &MessageStatus| match status {
            MessageStatus::Queued | MessageStatus::Sending | MessageStatus::Unknown => false,
            MessageStatus::Sent => run.state.is_over(),
            _ => true,
        };
        let settled = states.iter().filter(|(status, _)| is_final(status)).map(|(_, n)| n).sum();
        reports.push(RunReport { run, states, failures, settled });
    }
    Ok(reports)
}

/// Messages of a run that were not brought, in order, after a cursor.
///
/// # Errors
/// [`BroadcastError::NotFound`], or when the database fails.
pub async fn failures(
    app: &App,
    actor: &Actor,
    run: RunId,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Failure>, BroadcastError> {
    let found = runs::find_run(&app.db, run).await?.ok_or(BroadcastError::NotFound)?;
    find(app, actor, Right::SeeBroadcasts, found.broadcast).await?;
    let mut failures = Vec::new();
    for id in runs::list_failed(&app.db, run, after, limit).await? {
        let Some(line) = find_message(&app.db, id).await? else { continue };
        failures.push(Failure {
            id,
            channel: line.channel,
            recipient: line.recipient,
            code: line.failure_code,
            reason: line.failure_reason,
            failed_at: line.failed_at,
        });
    }
    Ok(failures)
}
