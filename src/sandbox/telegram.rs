//! Telegram's Bot API, played locally.

use axum::Router;

use super::{Input, Sandbox, WriteError};

/// A bot.
#[derive(Clone)]
pub struct Bot {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// The token its requests carry.
    pub token: String,
    /// Its name without `@`.
    pub username: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    _sandbox: &Sandbox,
    _account: &Bot,
    _number: &str,
    _input: Input,
) -> Result<String, WriteError> {
    Err(WriteError::UnknownAccount)
}
