//! A Kannel SMS gateway of the office's own, through its `sendsms` service.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;

use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};

/// A `sendsms` user of a Kannel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KannelSettings {
    /// Address of smsbox, `http://127.0.0.1:13013`.
    pub api_url: String,
    /// The `sendsms` user.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// Number or name that sends.
    pub sender: String,
    /// Stands in the addresses that Kannel calls; derived from the password when absent.
    #[serde(default)]
    pub webhook_secret: Option<SecretString>,
    /// Whether citizens can answer; by default whether the sender is a number.
    #[serde(default)]
    pub two_way: Option<bool>,
}

/// The adapter.
#[derive(Debug)]
pub struct KannelClient {
    #[allow(dead_code)]
    settings: KannelSettings,
    #[allow(dead_code)]
    shared: Arc<Shared>,
}

impl KannelClient {
    /// An adapter of that account.
    #[must_use]
    pub const fn new(shared: Arc<Shared>, settings: KannelSettings) -> Self {
        Self { settings, shared }
    }
}

#[async_trait]
impl Channel for KannelClient {
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
