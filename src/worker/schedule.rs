//! Keeps broadcasts going: begins those whose time has come, and puts recipients into the outbox no faster
//! than the accounts take them.

use std::sync::Arc;

use tokio::sync::watch;

use super::{AFTER_FAILURE, rest, woken};
use crate::service::{App, broadcast};

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut signal = app.signals.broadcasts();
    while !*stop.borrow() {
        signal.mark_unchanged();
        let pause = match broadcast::step(&app).await {
            Ok(_) => broadcast::EVERY,
            Err(error) => {
                tracing::error!("broadcasts: {}", crate::telemetry::chain(&error));
                AFTER_FAILURE
            }
        };
        if rest(&mut stop, woken(&mut signal), pause).await {
            break;
        }
    }
}
