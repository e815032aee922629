//! The providers besides Meta that the sandbox plays, and what they have in common. The one place
//! that lists them.

use axum::Router;

use super::{Input, Sandbox, WriteError};

/// One account at a provider that is played here.
#[derive(Clone)]
pub enum Counterpart {}

impl Counterpart {
    /// Its name among all accounts, by which a citizen's message is addressed to it.
    #[must_use]
    pub fn id(&self) -> &str {
        match *self {}
    }

    /// What stands above a chat with it.
    #[must_use]
    pub fn label(&self) -> &str {
        match *self {}
    }

    /// How its messages travel: `sms` or `telegram`.
    #[must_use]
    pub fn channel(&self) -> &'static str {
        match *self {}
    }

    /// Writes to it as the citizen whose phone has that number.
    pub(super) fn write(
        &self,
        _sandbox: &Sandbox,
        _number: &str,
        _input: Input,
    ) -> Result<String, WriteError> {
        match *self {}
    }
}

/// The routes of all of them.
pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}
