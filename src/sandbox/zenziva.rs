//! Zenziva's console API, played locally.

use axum::Router;

use super::{Input, Sandbox, WriteError};

/// An account.
#[derive(Clone)]
pub struct ZenzivaAccount {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// User key.
    pub userkey: String,
    /// Pass key.
    pub passkey: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    _sandbox: &Sandbox,
    _account: &ZenzivaAccount,
    _number: &str,
    _input: Input,
) -> Result<String, WriteError> {
    Err(WriteError::UnknownAccount)
}
