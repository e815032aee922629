//! Zenziva, an Indonesian SMS provider without receipts.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;

use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};

/// An account at Zenziva.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZenzivaSettings {
    /// Address, `https://console.zenziva.net`; `/reguler` or another product may follow.
    pub api_url: String,
    /// User key.
    pub userkey: String,
    /// Pass key.
    pub passkey: SecretString,
}

/// The adapter.
#[derive(Debug)]
pub struct ZenzivaClient {
    #[allow(dead_code)]
    settings: ZenzivaSettings,
    #[allow(dead_code)]
    shared: Arc<Shared>,
}

impl ZenzivaClient {
    /// An adapter of that account.
    #[must_use]
    pub const fn new(shared: Arc<Shared>, settings: ZenzivaSettings) -> Self {
        Self { settings, shared }
    }
}

#[async_trait]
impl Channel for ZenzivaClient {
    fn offer(&self) -> Offer {
        Offer { has_receipts: false, is_two_way: false, pair_rate: None }
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
