//! Keeps working off what officers ask for in their chats. A loop of its own: what a broadcast to a whole kabupaten
//! would come to takes seconds to count, and no citizen waits for that.

use std::sync::Arc;

use tokio::sync::watch;

use super::{AFTER_FAILURE, POLL, rest, woken};
use crate::service::{App, officer_chat};

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut signal = app.signals.officers();
    while !*stop.borrow() {
        signal.mark_unchanged();
        let pause = match officer_chat::step(&app).await {
            Ok(0) => POLL,
            Ok(_) => continue,
            Err(error) => {
                tracing::error!("officers' chats: {}", crate::telemetry::chain(&error));
                AFTER_FAILURE
            }
        };
        if rest(&mut stop, woken(&mut signal), pause).await {
            break;
        }
    }
}
