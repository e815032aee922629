//! SMS Gateway for Android, played locally.

use axum::Router;

use super::{Input, Sandbox, WriteError};

/// A phone with a SIM behind its server.
#[derive(Clone)]
pub struct AndroidPhone {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// User of its API.
    pub username: String,
    /// Password of its API.
    pub password: String,
    /// What its webhooks are signed with.
    pub webhook_key: String,
    /// Its SIM's number.
    pub number: String,
    /// Where its webhooks go.
    pub webhook_url: String,
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    _sandbox: &Sandbox,
    _account: &AndroidPhone,
    _number: &str,
    _input: Input,
) -> Result<String, WriteError> {
    Err(WriteError::UnknownAccount)
}
