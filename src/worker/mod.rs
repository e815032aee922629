//! Starts, wakes, drains and stops the loops. No rules and no SQL: each loop calls its service.

mod inbox;
mod officer;
mod schedule;
mod sender;
mod sweeper;
mod watch;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as signal;
use tokio::task::JoinSet;

use crate::service::App;

/// Longest time a worker waits before it looks again: what another process left, what became due.
const POLL: Duration = Duration::from_millis(500);
/// Wait after a failure of the database, so that a log is not flooded.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Longest time a stop waits for calls in flight.
const DRAIN: Duration = Duration::from_secs(10);

/// The loops of this process.
#[derive(Debug)]
pub struct Workers {
    stop: signal::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Starts all loops; `owner` names this process among others.
    #[must_use]
    pub fn start(app: &Arc<App>, owner: &str) -> Self {
        let stop = signal::Sender::new(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(inbox::run(Arc::clone(app), stop.subscribe()));
        tasks.spawn(officer::run(Arc::clone(app), stop.subscribe()));
        tasks.spawn(sweeper::run(Arc::clone(app), stop.subscribe()));
        tasks.spawn(schedule::run(Arc::clone(app), stop.subscribe()));
        for account in &app.accounts {
            let (app, account) = (Arc::clone(app), account.clone());
            tasks.spawn(sender::run(app, account, owner.to_owned(), stop.subscribe()));
        }
        tasks.spawn(watch::tidy(Arc::clone(app)));
        for watched in &app.sources {
            let (app, watched) = (Arc::clone(app), watched.clone());
            tasks.spawn(watch::run(app, watched, owner.to_owned(), stop.subscribe()));
        }
        Self { stop, tasks }
    }

    /// Stops all loops: nothing new is begun, what is in flight is recorded, accounts are handed
    /// over. Gives up after ten seconds; what was in flight then is unknown and settled later.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, all).await.is_err() {
            tracing::warn!("stopped with calls still in flight");
        }
    }
}

/// Waits until woken, told to stop, or the time is over. `true` means stop.
async fn rest<F>(stop: &mut signal::Receiver<bool>, woken: F, longest: Duration) -> bool
where
    F: Future<Output = ()>,
{
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => true,
        () = woken => false,
        () = tokio::time::sleep(longest) => false,
    }
}

/// A wake-up; without a sender left there is none, and only the time wakes.
async fn woken(signal: &mut signal::Receiver<u64>) {
    if signal.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
