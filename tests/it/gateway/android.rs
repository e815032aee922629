//! SMS Gateway for Android: a phone with a SIM. It takes our own id, and each id once.

use kabar::sandbox::{AndroidPhone, Counterpart};
use toml::toml;

use super::{Gateway, Proof, SENDER};

static GATEWAY: Gateway = Gateway {
    name: "android",
    has_receipts: true,
    is_two_way: true,
    has_echo: true,
    repeat_is_safe: true,
    proof: Proof::Signature("x-signature"),
    keys: |place| {
        let mut keys = toml! {
            username = "desa"
            password = "rahasia"
            webhook_key = "key of the test phone"
        };
        keys.insert("api_url".to_owned(), format!("{}/android/3rdparty/v1", place.api_url).into());
        keys
    },
    counterpart: |place| {
        Counterpart::Android(AndroidPhone {
            id: place.id.clone(),
            label: "HP Desa".to_owned(),
            username: "desa".to_owned(),
            password: "rahasia".to_owned(),
            webhook_key: "key of the test phone".to_owned(),
            number: SENDER.to_owned(),
            webhook_url: place.hook_url.clone(),
        })
    },
    ..Gateway::PLAIN
};

gateway_suite!(GATEWAY);
