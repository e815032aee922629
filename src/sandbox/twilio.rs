//! Twilio's Messages API, played locally.

use axum::Router;

use super::{Input, Sandbox, WriteError};

/// An account.
#[derive(Clone)]
pub struct TwilioAccount {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// Its id.
    pub account_sid: String,
    /// Its token, which also signs webhooks.
    pub auth_token: String,
    /// The number or name it sends from.
    pub sender: String,
    /// Where messages to its number go.
    pub inbound_url: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    _sandbox: &Sandbox,
    _account: &TwilioAccount,
    _number: &str,
    _input: Input,
) -> Result<String, WriteError> {
    Err(WriteError::UnknownAccount)
}
