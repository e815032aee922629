//! Listens for PostgreSQL's NOTIFY, so that a change is seen at once.
//!
//! Nothing is read here and nothing decided: it only says that somebody should look. What was said
//! while nobody listened counts as said.

use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Mutex;

use super::super::SourceError;
use super::super::database::{connected, explain};

/// Wait before a lost ear is opened again.
const DEAF: Duration = Duration::from_secs(30);

/// An ear for one channel.
#[derive(Debug, Default)]
pub(super) struct Ear(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: Option<PgListener>,
    /// Somebody was told that nobody listens.
    is_lost: bool,
}

impl Ear {
    /// Returns when something was said, or may have been. May be dropped at any time: what it would
    /// have returned for, the next call returns for.
    pub(super) async fn hear(&self, options: Result<PgConnectOptions, SourceError>, channel: &str) {
        let mut state = self.0.lock().await;
        if let Some(open) = &mut state.open
            && let Ok(Some(_)) = open.try_recv().await
        {
            // Many changes at once are one reason to look.
            let is_broken = loop {
                match tokio::task::unconstrained(open.try_recv()).now_or_never() {
                    Some(Ok(Some(_))) => {}
                    Some(_) => break true,
                    None => break false,
                }
            };
            if is_broken {
                state.open = None;
            }
            return;
        }
        // Whatever was said since it broke was not heard.
        state.open = None;
        loop {
            match listen(options.clone(), channel).await {
                Ok(open) => {
                    *state = State { open: Some(open), is_lost: false };
                    return;
                }
                Err(error) => {
                    if !state.is_lost {
                        tracing::warn!("nobody listens for the source's changes: {error}");
                        state.is_lost = true;
                    }
                    tokio::time::sleep(DEAF).await;
                }
            }
        }
    }
}

async fn listen(
    options: Result<PgConnectOptions, SourceError>,
    channel: &str,
) -> Result<PgListener, SourceError> {
    let pool = connected(PgPoolOptions::new().max_connections(1).connect_with(options?)).await?;
    let mut open = PgListener::connect_with(&pool).await.map_err(|error| explain(&error))?;
    // It would open itself again without a word, and nobody would look at what it missed.
    open.eager_reconnect(false);
    open.listen(channel).await.map_err(|error| explain(&error))?;
    Ok(open)
}
