//! Keeps looking for what time alone changes: unclear outcomes that have waited long enough, and
//! messages whose moment has passed; and counts what the reports show.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::rest;
use crate::service::{App, report, sweep};

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !rest(&mut stop, std::future::pending(), EVERY).await {
        if let Err(error) = sweep::step(&app).await {
            tracing::error!("sweeper: {}", crate::telemetry::chain(&error));
        }
        if let Err(error) = report::step(&app).await {
            tracing::error!("reports: {}", crate::telemetry::chain(&error));
        }
    }
}
