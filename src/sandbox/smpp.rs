//! A message centre speaking SMPP 3.4, played locally.

use axum::Router;

use super::{Input, Sandbox, WriteError};

/// An account at the message centre.
#[derive(Clone)]
pub struct SmppAccount {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// The account.
    pub system_id: String,
    /// Its password.
    pub password: String,
    /// The number or name it sends from.
    pub sender: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    _sandbox: &Sandbox,
    _account: &SmppAccount,
    _number: &str,
    _input: Input,
) -> Result<String, WriteError> {
    Err(WriteError::UnknownAccount)
}
