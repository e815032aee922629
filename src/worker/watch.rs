//! Keeps watching one source.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{AFTER_FAILURE, rest};
use crate::service::App;
use crate::service::watch::{Step, Watched, forget_unwatched, release, step};

/// However often a source says that it changed, it is looked at once in that time.
const BREATH: Duration = Duration::from_millis(500);

pub(super) async fn run(
    app: Arc<App>,
    watched: Watched,
    owner: String,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        // Reading may take long, and is safe to break off anywhere.
        let result = tokio::select! {
            result = step(&app, &watched, &owner) => result,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let is_well = match result {
            Ok(Step::Read(_)) => true,
            Ok(Step::NotOurs | Step::Failed(_)) => false,
            Err(error) => {
                tracing::error!("source {}: {}", watched.id, crate::telemetry::chain(&error));
                false
            }
        };
        // What cannot be read now says so again at once; it is asked when its time has come.
        let never = std::future::pending();
        let is_over = if is_well {
            rest(&mut stop, never, BREATH).await
                || rest(&mut stop, watched.source.changed(), watched.every).await
        } else {
            rest(&mut stop, never, watched.every.max(AFTER_FAILURE)).await
        };
        if is_over {
            break;
        }
    }
    if let Err(error) = release(&app, &watched, &owner).await {
        tracing::error!("source {}: {}", watched.id, crate::telemetry::chain(&error));
    }
}

/// Looks once after what is no longer watched.
pub(super) async fn tidy(app: Arc<App>) {
    if let Err(error) = forget_unwatched(&app).await {
        tracing::error!("notices of former sources: {}", crate::telemetry::chain(&error));
    }
}
