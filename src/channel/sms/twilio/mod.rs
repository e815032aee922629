//! Twilio, and whoever speaks its Messages API.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;

use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};

/// An account at Twilio.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioSettings {
    /// Address without version, `https://api.twilio.com`.
    pub api_url: String,
    /// The account's id, `AC…`.
    pub account_sid: String,
    /// Its token; also signs webhooks.
    pub auth_token: SecretString,
    /// Number, name, or messaging service (`MG…`) that sends.
    pub sender: String,
    /// Whether citizens can answer; by default whether the sender is a number.
    #[serde(default)]
    pub two_way: Option<bool>,
}

/// The adapter.
#[derive(Debug)]
pub struct TwilioClient {
    #[allow(dead_code)]
    settings: TwilioSettings,
    #[allow(dead_code)]
    shared: Arc<Shared>,
}

impl TwilioClient {
    /// An adapter of that account.
    #[must_use]
    pub const fn new(shared: Arc<Shared>, settings: TwilioSettings) -> Self {
        Self { settings, shared }
    }
}

#[async_trait]
impl Channel for TwilioClient {
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
