//! Zenziva. It takes a message and never says a word of it again.

use kabar::sandbox::{Counterpart, ZenzivaAccount};
use toml::toml;

use super::Gateway;

static GATEWAY: Gateway = Gateway {
    name: "zenziva",
    keys: |place| {
        let mut keys = toml! {
            userkey = "desa01"
            passkey = "rahasia"
        };
        keys.insert("api_url".to_owned(), format!("{}/zenziva", place.api_url).into());
        keys
    },
    counterpart: |place| {
        Counterpart::Zenziva(ZenzivaAccount {
            id: place.id.clone(),
            label: "DUKCAPIL".to_owned(),
            userkey: "desa01".to_owned(),
            passkey: "rahasia".to_owned(),
        })
    },
    ..Gateway::PLAIN
};

gateway_suite!(GATEWAY);
