//! SMPP: a link that is kept. Its message centre names messages by ids of its own only.

use kabar::sandbox::{Counterpart, SmppAccount};
use toml::toml;

use super::{Gateway, SENDER};

static GATEWAY: Gateway = Gateway {
    name: "smpp",
    has_receipts: true,
    is_two_way: true,
    hears_late_answers: true,
    has_link: true,
    keys: |place| {
        let mut keys = toml! {
            system_id = "desa"
            password = "rahasia"
        };
        keys.insert("host".to_owned(), place.link.ip().to_string().into());
        keys.insert("port".to_owned(), i64::from(place.link.port()).into());
        keys.insert("sender".to_owned(), SENDER.into());
        keys
    },
    counterpart: |place| {
        Counterpart::Smpp(SmppAccount {
            id: place.id.clone(),
            label: "SMSC".to_owned(),
            system_id: "desa".to_owned(),
            password: "rahasia".to_owned(),
            sender: SENDER.to_owned(),
        })
    },
    start: |sandbox, listener| {
        Some(Box::pin(async move {
            sandbox.serve_smpp(listener, std::future::pending()).await.unwrap();
        }))
    },
    ..Gateway::PLAIN
};

gateway_suite!(GATEWAY);
