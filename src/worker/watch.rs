//! Keeps watching one source.

use std::sync::Arc;

use tokio::sync::watch;

use super::rest;
use crate::service::App;
use crate::service::watch::{Watched, release, step};

pub(super) async fn run(
    app: Arc<App>,
    watched: Watched,
    owner: String,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        // Reading may take long, and is safe to break off anywhere.
        tokio::select! {
            result = step(&app, &watched, &owner) => {
                if let Err(error) = result {
                    tracing::error!("source {}: {}", watched.id, crate::telemetry::chain(&error));
                }
            }
            _ = stop.wait_for(|stop| *stop) => break,
        }
        if rest(&mut stop, watched.source.changed(), watched.every).await {
            break;
        }
    }
    if let Err(error) = release(&app, &watched, &owner).await {
        tracing::error!("source {}: {}", watched.id, crate::telemetry::chain(&error));
    }
}
