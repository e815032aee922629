//! Keeps one account sending.

use std::sync::Arc;

use tokio::sync::watch;

use super::{AFTER_FAILURE, POLL, rest, woken};
use crate::service::sender::Sender;
use crate::service::{Account, App};

pub(super) async fn run(
    app: Arc<App>,
    account: Account,
    owner: String,
    mut stop: watch::Receiver<bool>,
) {
    let mut signal = app.signals.outbox();
    let mut sender = Sender::new(Arc::clone(&app), account, owner);
    while !*stop.borrow() {
        signal.mark_unchanged();
        let pause = match sender.step().await {
            Ok(progress) if progress.claimed > 0 => continue,
            Ok(progress) => progress.wait.map_or(POLL, |wait| wait.min(POLL)),
            Err(error) => {
                tracing::error!("sender: {}", crate::telemetry::chain(&error));
                AFTER_FAILURE
            }
        };
        let is_busy = sender.is_busy();
        let next = async {
            if is_busy {
                tokio::select! {
                    _ = sender.wait_for_call() => {}
                    () = woken(&mut signal) => {}
                }
            } else {
                woken(&mut signal).await;
            }
        };
        if rest(&mut stop, next, pause).await {
            break;
        }
    }
    if let Err(error) = sender.close().await {
        tracing::error!("sender: {}", crate::telemetry::chain(&error));
    }
}
