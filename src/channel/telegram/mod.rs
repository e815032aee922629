//! Telegram through a bot.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Deserialize;

use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};

/// How a bot's updates reach us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Telegram posts them to our public address.
    #[default]
    Webhook,
    /// We ask for them, where there is no public address.
    Polling,
}

/// A bot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelegramSettings {
    /// Address of the Bot API, `https://api.telegram.org`.
    pub api_url: String,
    /// The token BotFather gave.
    pub bot_token: SecretString,
    /// Whether Telegram calls us or we ask it.
    #[serde(default)]
    pub mode: Mode,
    /// Proves that a webhook comes from Telegram: 1–256 of `A-Z a-z 0-9 _ -`.
    #[serde(default)]
    pub webhook_secret: Option<SecretString>,
}

impl TelegramSettings {
    /// Whether the parts fit together.
    ///
    /// # Errors
    /// The key that is wrong, and what to do.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        use secrecy::ExposeSecret as _;

        let is_secret = |secret: &SecretString| {
            let secret = secret.expose_secret();
            (1..=256).contains(&secret.len())
                && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        };
        match (&self.webhook_secret, self.mode) {
            (None, Mode::Webhook) => {
                Err(("webhook_secret", "a secret of your own, or mode = \"polling\""))
            }
            (Some(secret), _) if !is_secret(secret) => {
                Err(("webhook_secret", "1 to 256 letters, digits, dashes and underscores"))
            }
            _ => Ok(()),
        }
    }
}

/// The adapter.
#[derive(Debug)]
pub struct TelegramClient {
    #[allow(dead_code)]
    settings: TelegramSettings,
    #[allow(dead_code)]
    shared: Arc<Shared>,
}

impl TelegramClient {
    /// An adapter of that account.
    #[must_use]
    pub const fn new(shared: Arc<Shared>, settings: TelegramSettings) -> Self {
        Self { settings, shared }
    }
}

#[async_trait]
impl Channel for TelegramClient {
    fn offer(&self) -> Offer {
        Offer { has_receipts: false, is_two_way: true, pair_rate: None }
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
