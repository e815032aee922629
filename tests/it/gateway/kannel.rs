//! Kannel. It gives no id; ours comes back in the address that its receipts go to.

use kabar::sandbox::{Counterpart, KannelUser};
use toml::toml;

use super::{Gateway, Proof, SENDER};

static GATEWAY: Gateway = Gateway {
    name: "kannel",
    has_receipts: true,
    is_two_way: true,
    has_echo: true,
    names_message: false,
    proof: Proof::Query("s"),
    keys: |place| {
        let mut keys = toml! {
            username = "desa"
            password = "rahasia"
            webhook_secret = "secret-of-the-test"
        };
        keys.insert("api_url".to_owned(), format!("{}/kannel", place.api_url).into());
        keys.insert("sender".to_owned(), SENDER.into());
        keys
    },
    counterpart: |place| {
        Counterpart::Kannel(KannelUser {
            id: place.id.clone(),
            label: "Kannel Desa".to_owned(),
            username: "desa".to_owned(),
            password: "rahasia".to_owned(),
            sender: SENDER.to_owned(),
            inbound_url: format!("{}/mo?s=secret-of-the-test", place.hook_url),
        })
    },
    ..Gateway::PLAIN
};

gateway_suite!(GATEWAY);
