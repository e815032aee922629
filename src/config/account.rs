//! The office's accounts at providers, one `[[account]]` each.

use secrecy::SecretString;
use serde::Deserialize;
use toml::{Table, Value};

use super::layer::first_line;
use super::{ConfigError, wrong};
use crate::domain::area::AreaCode;

/// A WhatsApp number at Meta.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsappAccount {
    /// Name of the account.
    pub id: String,
    /// Always `whatsapp`.
    pub channel: String,
    /// Whose citizens it serves.
    #[serde(default)]
    pub area: String,
    /// Address of the Graph API with its version.
    pub api_url: String,
    /// The number's id.
    pub phone_number_id: String,
    /// The business account's id.
    #[serde(default)]
    pub waba_id: String,
    /// The business portfolio; the business account's id when empty.
    #[serde(default)]
    pub portfolio: String,
    /// Token of a system user.
    pub access_token: SecretString,
    /// Signs webhooks.
    pub app_secret: SecretString,
    /// Proves webhooks' subscription.
    pub verify_token: SecretString,
    /// Messages a second.
    #[serde(default = "default_rate")]
    pub messages_per_second: u32,
    /// Requests at the same time.
    #[serde(default = "default_in_flight")]
    pub in_flight: usize,
}

const fn default_rate() -> u32 {
    80
}

const fn default_in_flight() -> usize {
    64
}

/// Reads the `[[account]]` tables, and names what this version cannot serve yet.
pub(super) fn read(
    name: &str,
    tables: Vec<Table>,
    sources: &[Table],
) -> Result<(Vec<WhatsappAccount>, Vec<String>), ConfigError> {
    let mut whatsapp: Vec<WhatsappAccount> = Vec::new();
    let mut not_served = Vec::new();
    for (n, table) in tables.into_iter().enumerate() {
        let word =
            |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = word("id");
        let is_name = !id.is_empty()
            && id.len() <= 60
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
        if !is_name {
            return Err(wrong(
                format!("{name}: account {}: id is missing or not usable", n + 1),
                "small letters, digits and dashes, like \"wa-jombang\"",
            ));
        }
        match word("channel").as_str() {
            "whatsapp" => {
                let account: WhatsappAccount = serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
                    wrong(
                        format!("{name}: account {id}: {}: {}", error.path(), first_line(error.inner())),
                        "a WhatsApp account needs api_url, phone_number_id, access_token, app_secret and verify_token",
                    )
                })?;
                account.check(name)?;
                if whatsapp.iter().any(|other| other.id == account.id) {
                    return Err(wrong(
                        format!("{name}: two accounts have the id {id}"),
                        "give each its own",
                    ));
                }
                whatsapp.push(account);
            }
            "telegram" | "sms" => not_served
                .push(format!("account {id}: this version does not serve {} yet", word("channel"))),
            _ => {
                return Err(wrong(
                    format!("{name}: account {id}: channel is missing or unknown"),
                    "whatsapp, telegram or sms",
                ));
            }
        }
    }
    for table in sources {
        let id = table.get("id").and_then(Value::as_str).unwrap_or("without id");
        not_served.push(format!("source {id}: this version does not watch sources yet"));
    }
    Ok((whatsapp, not_served))
}

impl WhatsappAccount {
    fn check(&self, name: &str) -> Result<(), ConfigError> {
        use secrecy::ExposeSecret as _;

        let at = |key: &str, hint: &str| {
            wrong(format!("{name}: account {}: {key} is missing or not usable", self.id), hint)
        };
        let is_url = self.api_url.parse::<axum::http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
        });
        if !is_url {
            return Err(at("api_url", "https://graph.facebook.com/v25.0"));
        }
        if self.phone_number_id.is_empty()
            || !self.phone_number_id.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return Err(at(
                "phone_number_id",
                "the number's id, not the number: digits, from Meta's WhatsApp Manager",
            ));
        }
        for (key, secret) in [
            ("access_token", &self.access_token),
            ("app_secret", &self.app_secret),
            ("verify_token", &self.verify_token),
        ] {
            if secret.expose_secret().is_empty() {
                return Err(at(key, "a secret has no default; give it or its _file"));
            }
        }
        if !self.area.is_empty() && AreaCode::parse(&self.area).is_err() {
            return Err(at("area", "an area code is written like 35.17"));
        }
        if self.messages_per_second == 0 || self.in_flight == 0 {
            return Err(at("messages_per_second or in_flight", "at least 1"));
        }
        Ok(())
    }

    /// The scope in which Meta's user ids name people.
    #[must_use]
    pub fn portfolio(&self) -> &str {
        [&self.portfolio, &self.waba_id, &self.phone_number_id]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("", String::as_str)
    }
}
