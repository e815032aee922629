//! SMPP 3.4: a link straight to an operator's message centre.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;

use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};

/// An account at a message centre.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppSettings {
    /// Host.
    pub host: String,
    /// Port, usually 2775.
    pub port: u16,
    /// The account.
    pub system_id: String,
    /// Its password, up to eight characters.
    pub password: SecretString,
    /// Number or name that sends.
    pub sender: String,
    /// What the message centre knows us as; usually empty.
    #[serde(default)]
    pub system_type: String,
    /// Submissions without an answer at the same time.
    #[serde(default = "default_window")]
    pub window: usize,
    /// Whether citizens can answer; by default whether the sender is a number.
    #[serde(default)]
    pub two_way: Option<bool>,
}

/// The adapter.
#[derive(Debug)]
pub struct SmppClient {
    #[allow(dead_code)]
    settings: SmppSettings,
    #[allow(dead_code)]
    shared: Arc<Shared>,
}

impl SmppClient {
    /// An adapter of that account.
    #[must_use]
    pub const fn new(shared: Arc<Shared>, settings: SmppSettings) -> Self {
        Self { settings, shared }
    }
}

#[async_trait]
impl Channel for SmppClient {
    fn offer(&self) -> Offer {
        Offer { has_receipts: true, is_two_way: true, pair_rate: None }
    }

    async fn send(&self, _message: &Outbound) -> Result<Accepted, SendError> {
        Err(SendError::Misconfigured(Fault::new("not_served", "not served yet")))
    }

    async fn probe(&self) -> Result<String, SendError> {
        Err(SendError::Misconfigured(Fault::new("not_served", "not served yet")))
    }

    fn receive(&self, _request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        Err(HookRefusal::NotFound)
    }

    fn read(&self, _payload: &str) -> Event {
        Event::Other
    }
}

const fn default_window() -> usize {
    10
}
