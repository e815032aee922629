//! Every provider there is: what its account is configured with, and how its adapter is made. The
//! one place that lists them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;

use super::Channel;
use super::sms::android::{AndroidClient, AndroidSettings};
use super::sms::kannel::{KannelClient, KannelSettings};
use super::sms::smpp::{SmppClient, SmppSettings};
use super::sms::twilio::{TwilioClient, TwilioSettings};
use super::sms::zenziva::{ZenzivaClient, ZenzivaSettings};
use super::telegram::{TelegramClient, TelegramSettings};
use super::whatsapp::{WhatsappClient, WhatsappSettings};
use crate::domain::clock::Clock;
use crate::domain::message::ChannelKind;

/// What every adapter may need from the house.
#[derive(Clone)]
pub struct Shared {
    /// Connections, shared by all.
    pub http: reqwest::Client,
    /// How long an answer may take before the outcome counts as unknown.
    pub timeout: Duration,
    /// What stands on a button that opens a list, ≤ 20 characters.
    pub list_button: String,
    /// Where the provider calls us: `https://…/hooks/sms/kannel-1`, without a slash at the end. Empty
    /// when the office has no public address.
    pub hook_url: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("hook_url", &self.hook_url).finish_non_exhaustive()
    }
}

/// An account's settings at its provider.
#[derive(Clone, Debug)]
pub enum Provider {
    /// WhatsApp at Meta.
    Whatsapp(WhatsappSettings),
    /// A Telegram bot.
    Telegram(TelegramSettings),
    /// SMS Gateway for Android.
    Android(AndroidSettings),
    /// Twilio and whoever speaks its API.
    Twilio(TwilioSettings),
    /// Zenziva.
    Zenziva(ZenzivaSettings),
    /// Kannel.
    Kannel(KannelSettings),
    /// SMPP 3.4.
    Smpp(SmppSettings),
}

/// What is wrong with a provider's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The key, or a path to it.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl Provider {
    /// Reads the keys that are a provider's own.
    ///
    /// # Errors
    /// What is wrong, with the keys there are.
    pub fn read(
        channel: ChannelKind,
        gateway: &str,
        keys: toml::Table,
    ) -> Result<Self, SettingsError> {
        let provider = match (channel, gateway) {
            (ChannelKind::Whatsapp, "") => Self::Whatsapp(settings(
                keys,
                "api_url, phone_number_id, access_token, app_secret and verify_token",
            )?),
            (ChannelKind::Telegram, "") => {
                Self::Telegram(settings(keys, "api_url, bot_token, and webhook_secret or mode")?)
            }
            (ChannelKind::Sms, "android") => {
                Self::Android(settings(keys, "api_url, username, password and webhook_key")?)
            }
            (ChannelKind::Sms, "twilio") => {
                Self::Twilio(settings(keys, "api_url, account_sid, auth_token and sender")?)
            }
            (ChannelKind::Sms, "zenziva") => {
                Self::Zenziva(settings(keys, "api_url, userkey and passkey")?)
            }
            (ChannelKind::Sms, "kannel") => {
                Self::Kannel(settings(keys, "api_url, username, password and sender")?)
            }
            (ChannelKind::Sms, "smpp") => {
                Self::Smpp(settings(keys, "host, port, system_id, password and sender")?)
            }
            _ => {
                return Err(SettingsError {
                    key: "gateway".to_owned(),
                    what: "is missing or unknown".to_owned(),
                    hint: "an sms account names one: android, twilio, zenziva, kannel or smpp; \
                           others name none"
                        .to_owned(),
                });
            }
        };
        provider.check()?;
        Ok(provider)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let wrong = |key: &str, hint: &str| SettingsError {
            key: key.to_owned(),
            what: "is missing or not usable".to_owned(),
            hint: hint.to_owned(),
        };
        if let Some(url) = self.api_url() {
            let is_url = url.parse::<http::Uri>().is_ok_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
            });
            if !is_url {
                return Err(wrong("api_url", "an address like https://graph.facebook.com/v25.0"));
            }
        }
        for (key, secret) in self.secrets() {
            if secret.expose_secret().is_empty() {
                return Err(wrong(key, "a secret has no default; give it or its _file"));
            }
        }
        match self {
            Self::Whatsapp(settings) if !is_plain_id(&settings.phone_number_id) => Err(wrong(
                "phone_number_id",
                "the number's id, not the number: digits, from Meta's WhatsApp Manager",
            )),
            Self::Telegram(settings) => settings.check().map_err(|(key, hint)| wrong(key, hint)),
            Self::Smpp(settings) if settings.host.is_empty() || settings.window == 0 => {
                Err(wrong("host or window", "a host name, and at least 1"))
            }
            _ => Ok(()),
        }
    }

    fn secrets(&self) -> Vec<(&'static str, &SecretString)> {
        match self {
            Self::Whatsapp(s) => vec![
                ("access_token", &s.access_token),
                ("app_secret", &s.app_secret),
                ("verify_token", &s.verify_token),
            ],
            Self::Telegram(s) => vec![("bot_token", &s.bot_token)],
            Self::Android(s) => vec![("password", &s.password), ("webhook_key", &s.webhook_key)],
            Self::Twilio(s) => vec![("auth_token", &s.auth_token)],
            Self::Zenziva(s) => vec![("passkey", &s.passkey)],
            Self::Kannel(s) => vec![("password", &s.password)],
            Self::Smpp(s) => vec![("password", &s.password)],
        }
    }

    /// The address that is called, where that is HTTP.
    #[must_use]
    pub fn api_url(&self) -> Option<&str> {
        match self {
            Self::Whatsapp(s) => Some(&s.api_url),
            Self::Telegram(s) => Some(&s.api_url),
            Self::Android(s) => Some(&s.api_url),
            Self::Twilio(s) => Some(&s.api_url),
            Self::Zenziva(s) => Some(&s.api_url),
            Self::Kannel(s) => Some(&s.api_url),
            Self::Smpp(_) => None,
        }
    }

    /// The scope in which the provider's user ids name people; the account itself where they have none.
    #[must_use]
    pub fn portfolio(&self) -> Option<&str> {
        match self {
            Self::Whatsapp(settings) => Some(settings.portfolio()),
            _ => None,
        }
    }

    /// The provider's id of the account, where one webhook brings the events of several.
    #[must_use]
    pub fn provider_id(&self) -> &str {
        match self {
            Self::Whatsapp(settings) => &settings.phone_number_id,
            _ => "",
        }
    }

    /// What the provider allows where the configuration says nothing: messages, in how long, and
    /// requests at the same time.
    #[must_use]
    pub const fn pace(&self) -> (u32, Duration, usize) {
        const SECOND: Duration = Duration::from_secs(1);
        match self {
            // Meta's default of a number.
            Self::Whatsapp(_) => (80, SECOND, 64),
            // Telegram's broadcasting limit.
            Self::Telegram(_) => (25, SECOND, 16),
            // Operators cap a SIM at 30 to 200 an hour.
            Self::Android(_) => (100, Duration::from_secs(3600), 2),
            Self::Twilio(_) | Self::Zenziva(_) => (10, SECOND, 8),
            Self::Kannel(_) => (20, SECOND, 8),
            Self::Smpp(settings) => (20, SECOND, settings.window),
        }
    }

    /// Its adapter.
    #[must_use]
    pub fn adapter(self, shared: Shared) -> Arc<dyn Channel> {
        let shared = Arc::new(shared);
        match self {
            Self::Whatsapp(settings) => Arc::new(WhatsappClient::new(&shared, settings)),
            Self::Telegram(settings) => Arc::new(TelegramClient::new(&shared, settings)),
            Self::Android(settings) => Arc::new(AndroidClient::new(shared, settings)),
            Self::Twilio(settings) => Arc::new(TwilioClient::new(shared, settings)),
            Self::Zenziva(settings) => Arc::new(ZenzivaClient::new(shared, settings)),
            Self::Kannel(settings) => Arc::new(KannelClient::new(shared, settings)),
            Self::Smpp(settings) => Arc::new(SmppClient::new(shared, settings)),
        }
    }
}

fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn settings<S: DeserializeOwned>(keys: toml::Table, needs: &str) -> Result<S, SettingsError> {
    serde_path_to_error::deserialize(toml::Value::Table(keys)).map_err(|error| {
        let words = error.inner().to_string();
        SettingsError {
            key: error.path().to_string(),
            what: words.lines().next().unwrap_or_default().to_owned(),
            hint: format!("such an account needs {needs}"),
        }
    })
}
