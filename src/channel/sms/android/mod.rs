//! SMS Gateway for Android: an app on a phone with a SIM, what a desa can afford.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;

use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};

/// A phone, or several behind one server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AndroidSettings {
    /// Address of the server or of the phone itself: `https://api.sms-gate.app/3rdparty/v1`.
    pub api_url: String,
    /// User.
    pub username: String,
    /// Password.
    pub password: SecretString,
    /// Signs webhooks.
    pub webhook_key: SecretString,
    /// Which SIM sends, from 1; the phone's own choice when absent.
    #[serde(default)]
    pub sim_number: Option<u8>,
}

/// The adapter.
#[derive(Debug)]
pub struct AndroidClient {
    #[allow(dead_code)]
    settings: AndroidSettings,
    #[allow(dead_code)]
    shared: Arc<Shared>,
}

impl AndroidClient {
    /// An adapter of that account.
    #[must_use]
    pub const fn new(shared: Arc<Shared>, settings: AndroidSettings) -> Self {
        Self { settings, shared }
    }
}

#[async_trait]
impl Channel for AndroidClient {
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
