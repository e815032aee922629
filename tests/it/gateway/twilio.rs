//! Twilio. It knows only its own ids; ours comes back in the address that its receipts go to.

use kabar::sandbox::{Counterpart, FaultKind, TwilioAccount};
use toml::toml;

use super::desk::Desk;
use super::{Gateway, Proof, SENDER};
use crate::support::{Start, citizen, list, on_both_engines};

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

on_both_engines! {
    async fn a_number_at_which_nobody_is_ever_reached_is_not_tried_any_more(start: Start) {
        let desk = Desk::open(start, &GATEWAY).await;
        let siti = citizen(6);
        // 30008, as an operator says it when a phone does not answer.
        desk.fault(FaultKind::Fail, 3);
        for status in ["CARD_PRINTED", "CARD_SHIPPED", "siap ambil"] {
            let rows = desk.app.get("/v1/suppressions").await;
            assert!(list(&rows["suppressions"]).is_empty(), "not yet: {rows}");
            desk.app.card(&siti, status).await;
            desk.settle().await;
            desk.advance(60).await;
        }
        let states = desk.app.states().await;
        assert!(states.iter().all(|(status, _)| status == "failed"), "{states:?}");
        let rows = desk.app.get("/v1/suppressions").await;
        assert_eq!(rows["suppressions"][0]["reason"], "undelivered", "{rows} {states:?}");
        let before = desk.on_phone(&siti).len();
        desk.app.card(&siti, "sudah diambil").await;
        desk.settle().await;
        assert_eq!(desk.on_phone(&siti).len(), before, "the fourth is not even tried");
        desk.write(&siti, "sudah jadi belum?").unwrap();
        desk.settle().await;
        let rows = desk.app.get("/v1/suppressions").await;
        assert!(list(&rows["suppressions"]).is_empty(), "whoever writes is there: {rows}");
    }
}
