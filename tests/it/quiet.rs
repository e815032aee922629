//! Nobody is announced anything at night, by the clock on their own wall.

use std::time::Duration;

use serde_json::json;

use crate::support::meta::Request;
use crate::support::{Answer, Start, citizen, on_both_engines};

on_both_engines! {
    async fn a_card_printed_at_night_is_announced_at_seven(start: Start) {
        let app = start.at("22:30 WIB").await;
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert!(app.whatsapp.requests().is_empty());
        app.advance_to("06:59 WIB").await;
        assert!(app.whatsapp.requests().is_empty());
        app.advance_to("07:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 1);
    }

    async fn the_night_ends_in_the_east_first(start: Start) {
        let app = start.at("22:30 WIB").await;
        let java = citizen(1);
        let bali = citizen(2).of_area("51.71.01.1001");
        let papua = citizen(3).of_area("91.03.01.1001");
        for who in [&java, &bali, &papua] {
            app.card(who, "CARD_PRINTED").await;
        }
        app.run_until_idle().await;
        for (time, expected) in [
            ("06:59 WIT", vec![]),
            ("07:00 WIT", vec![&papua.e164]),
            ("06:59 WITA", vec![&papua.e164]),
            ("07:00 WITA", vec![&papua.e164, &bali.e164]),
            ("07:00 WIB", vec![&papua.e164, &bali.e164, &java.e164]),
        ] {
            app.advance_to(time).await;
            let sent = app.whatsapp.sent();
            assert_eq!(sent.iter().map(Request::to).collect::<Vec<_>>(), expected, "{time}");
        }
    }

    async fn what_waits_is_superseded_by_what_is_known_later(start: Start) {
        let app = start.at("22:30 WIB").await;
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.advance(Duration::from_secs(600)).await;
        app.card(&citizen(1), "siap ambil").await;
        app.advance_to("07:00 WIB").await;
        let sent = app.whatsapp.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].template(), "kabar_ready_to_collect_v2");
        let states = app.states().await;
        assert_eq!(states[0], ("cancelled".to_owned(), "superseded".to_owned()));
        assert_eq!(states[1].0, "sent");
    }

    async fn an_appointment_that_passes_while_its_announcement_waits_is_not_announced(
        start: Start,
    ) {
        let app = start.at("22:30 WIB").await;
        let home = json!({"date": "2026-11-24", "from": "05:00", "to": "06:00"});
        app.card_with(&citizen(1), "CARD_PRINTED", &[("home_delivery", home)]).await;
        app.advance_to("07:00 WIB").await;
        assert!(app.whatsapp.requests().is_empty());
        let message = app.message().await;
        assert_eq!(message["status"], "expired");
        assert_eq!(message["why"], "moment_passed");
    }

    async fn who_writes_at_night_is_answered_at_night(start: Start) {
        let app = start.at("23:00 WIB").await;
        let answer = app.asks(&citizen(1).e164, "syarat ktp hilang apa aja?").await;
        assert!(answer.text().contains("surat kehilangan"), "{}", answer.text());
    }

    async fn an_announcement_tried_again_does_not_slip_into_the_night(start: Start) {
        let app = start.at("19:59 WIB").await;
        app.clock.advance(Duration::from_secs(58));
        app.whatsapp.next(Answer::code(134_101));
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        app.advance_to("06:59 WIB").await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        app.advance_to("07:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 1);
    }

    async fn an_announcement_held_up_by_a_stopped_account_does_not_leave_at_night(start: Start) {
        let app = start.at("19:59 WIB").await;
        app.whatsapp.always(Answer::code(190));
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.whatsapp.always(Answer::Accept);
        let tried = app.whatsapp.requests().len();
        app.advance_to("20:30 WIB").await;
        assert_eq!(app.whatsapp.requests().len(), tried);
        app.advance_to("07:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 1);
    }
}
