//! A Kannel SMS gateway of the office's own, through its `sendsms` service.
//!
//! Kannel gives no message id, so ours travels in the address it calls with receipts, beside a
//! secret, for Kannel signs nothing. Citizens' answers come when Kannel's `sms-service` group calls
//! us, with `max-messages = 0` (else Kannel answers them in our place) and
//!
//! ```text
//! get-url = "<hook_url>/mo?s=<webhook_secret>&from=%p&to=%P&text=%a&ts=%T&id=%I&charset=%C&coding=%c"
//! ```
//!
//! where a `%` within the secret is doubled, as everywhere in such an address.

pub mod client;
pub mod codes;
mod query;
pub mod webhook;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::Sha256;

pub use client::KannelClient;

/// A `sendsms` user of a Kannel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KannelSettings {
    /// Address of smsbox, `http://127.0.0.1:13013`.
    pub api_url: String,
    /// The `sendsms` user. Give it `concatenation = true` and `max-messages = 10`: without them
    /// Kannel cuts a long text and says nothing of it.
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

impl KannelSettings {
    /// What proves that it is this Kannel that calls: the setting, or the first half of
    /// HMAC-SHA256 of `kabar webhook` under the password, in hex.
    fn proof(&self) -> SecretString {
        let given = self.webhook_secret.as_ref().filter(|given| !given.expose_secret().is_empty());
        given.cloned().unwrap_or_else(|| {
            let password = self.password.expose_secret().as_bytes();
            // HMAC takes a key of any length; a failure would leave a secret nobody can give.
            let digest = Hmac::<Sha256>::new_from_slice(password)
                .map(|mac| hex::encode(mac.chain_update(b"kabar webhook").finalize().into_bytes()))
                .unwrap_or_default();
            digest.chars().take(32).collect::<String>().into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_the_setting_or_comes_from_the_password() {
        let mut settings = KannelSettings {
            api_url: String::new(),
            username: String::new(),
            password: "rahasia".to_owned().into(),
            sender: String::new(),
            webhook_secret: None,
            two_way: None,
        };
        // printf 'kabar webhook' | openssl dgst -sha256 -hmac rahasia
        assert_eq!(settings.proof().expose_secret(), "6e4678affdce5793d3a7757ed62cae70");
        settings.webhook_secret = Some(String::new().into());
        assert_eq!(settings.proof().expose_secret(), "6e4678affdce5793d3a7757ed62cae70");
        settings.webhook_secret = Some("own".to_owned().into());
        assert_eq!(settings.proof().expose_secret(), "own");
    }
}
