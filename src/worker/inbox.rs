//! Keeps working off the inbox.

use std::sync::Arc;

use tokio::sync::watch;

use super::{AFTER_FAILURE, POLL, rest, woken};
use crate::service::{App, inbox};

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut signal = app.signals.inbox();
    while !*stop.borrow() {
        signal.mark_unchanged();
        let pause = match inbox::step(&app).await {
            Ok(0) => POLL,
            Ok(_) => continue,
            Err(error) => {
                tracing::error!("inbox: {}", crate::telemetry::chain(&error));
                AFTER_FAILURE
            }
        };
        if rest(&mut stop, woken(&mut signal), pause).await {
            break;
        }
    }
}
