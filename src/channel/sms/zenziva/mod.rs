//! Zenziva, an Indonesian SMS provider without receipts and without answers: what it says at once is
//! the last word.
//!
//! Its older servers answer in XML and count success as 0, its newer ones in JSON and count it as 1;
//! an error comes with HTTP 200 too.

pub mod answer;
pub mod client;
pub mod codes;

use secrecy::SecretString;
use serde::Deserialize;

pub use client::ZenzivaClient;

/// An account at Zenziva.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZenzivaSettings {
    /// Address, `https://console.zenziva.net`, to which `/reguler/api` is added; or that of another
    /// product, which ends in `/api`, like `https://console.zenziva.net/masking/api`.
    pub api_url: String,
    /// User key.
    pub userkey: String,
    /// Pass key.
    pub passkey: SecretString,
    /// A balance below this is warned of, in the unit in which Zenziva tells it; 0 for no warning.
    #[serde(default = "low_balance")]
    pub low_balance: u32,
}

const fn low_balance() -> u32 {
    50_000
}

impl ZenzivaSettings {
    /// Where messages go, and where the balance is asked: beside the product.
    fn addresses(&self) -> (String, String) {
        let url = self.api_url.trim_end_matches('/');
        let product = url.strip_suffix("/api").and_then(|product| product.rsplit_once('/'));
        match product {
            // What stands before the last slash of `https://host/api` is no host.
            Some((base, name)) if !base.ends_with('/') => {
                (format!("{base}/{name}/api/sendsms/"), format!("{base}/api/balance/"))
            }
            _ => (format!("{url}/reguler/api/sendsms/"), format!("{url}/api/balance/")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_ends_in_api_and_everything_else_gets_the_regular_one() {
        for (api_url, send, balance) in [
            (
                "https://z.test",
                "https://z.test/reguler/api/sendsms/",
                "https://z.test/api/balance/",
            ),
            (
                "https://z.test/",
                "https://z.test/reguler/api/sendsms/",
                "https://z.test/api/balance/",
            ),
            (
                "https://z.test/masking/api/",
                "https://z.test/masking/api/sendsms/",
                "https://z.test/api/balance/",
            ),
            (
                "http://127.0.0.1:1/zenziva",
                "http://127.0.0.1:1/zenziva/reguler/api/sendsms/",
                "http://127.0.0.1:1/zenziva/api/balance/",
            ),
            (
                "http://127.0.0.1:1/zenziva/reguler/api",
                "http://127.0.0.1:1/zenziva/reguler/api/sendsms/",
                "http://127.0.0.1:1/zenziva/api/balance/",
            ),
        ] {
            let keys = toml::toml! { userkey = "u" passkey = "p" };
            let mut keys = keys;
            keys.insert("api_url".to_owned(), api_url.into());
            let settings: ZenzivaSettings = keys.try_into().unwrap();
            assert_eq!(settings.addresses(), (send.to_owned(), balance.to_owned()), "{api_url}");
            assert_eq!(settings.low_balance, 50_000);
        }
    }
}
