//! Twilio. It knows only its own ids; ours comes back in the address that its receipts go to.

use kabar::sandbox::{Counterpart, TwilioAccount};
use toml::toml;

use super::{Gateway, Proof, SENDER};

const SID: &str = "AC00000000000000000000000000000001";

static GATEWAY: Gateway = Gateway {
    name: "twilio",
    has_receipts: true,
    is_two_way: true,
    has_echo: true,
    proof: Proof::Signature("x-twilio-signature"),
    keys: |place| {
        let mut keys = toml! { auth_token = "token of the test account" };
        keys.insert("api_url".to_owned(), format!("{}/twilio", place.api_url).into());
        keys.insert("account_sid".to_owned(), SID.into());
        keys.insert("sender".to_owned(), SENDER.into());
        keys
    },
    counterpart: |place| {
        Counterpart::Twilio(TwilioAccount {
            id: place.id.clone(),
            label: "Disdukcapil".to_owned(),
            account_sid: SID.to_owned(),
            auth_token: "token of the test account".to_owned(),
            sender: SENDER.to_owned(),
            inbound_url: format!("{}/inbound", place.hook_url),
        })
    },
    ..Gateway::PLAIN
};

gateway_suite!(GATEWAY);
