//! Kannel's `sendsms`, played locally.

use axum::Router;

use super::{Input, Sandbox, WriteError};

/// A `sendsms` user.
#[derive(Clone)]
pub struct KannelUser {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
    /// The number or name it sends from.
    pub sender: String,
    /// Where messages to its number go, without a query.
    pub inbound_url: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    _sandbox: &Sandbox,
    _account: &KannelUser,
    _number: &str,
    _input: Input,
) -> Result<String, WriteError> {
    Err(WriteError::UnknownAccount)
}
