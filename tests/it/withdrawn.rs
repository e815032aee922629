//! What is withdrawn while the provider's word on it is still out, and what is told late.

use std::time::Duration;

use serde_json::json;

use crate::support::{Answer, Start, TestApp, citizen, on_both_engines};

const TEN_MINUTES: Duration = Duration::from_secs(601);

on_both_engines! {
    async fn a_stop_holds_for_a_message_of_unclear_outcome_too(app: TestApp) {
        let siti = citizen(6);
        app.whatsapp.next(Answer::HangUp);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.asks(&siti.e164, "BERHENTI").await;
        app.advance(TEN_MINUTES).await;
        assert_eq!(app.whatsapp.sent_to(&siti.e164).len(), 1, "the answer to BERHENTI alone");
        assert!(app.states().await.iter().any(|(_, why)| why == "opted_out"));
    }

    async fn older_news_of_unclear_outcome_is_not_sent_after_newer_news(app: TestApp) {
        let siti = citizen(6);
        app.whatsapp.next(Answer::HangUp);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.clock.advance(Duration::from_secs(1));
        app.card(&siti, "siap ambil").await;
        app.run_until_idle().await;
        app.advance(TEN_MINUTES).await;
        let sent = app.whatsapp.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].template().contains("ready_to_collect"), "{}", sent[0].template());
    }

    async fn a_receipt_tells_the_truth_also_of_what_was_withdrawn(app: TestApp) {
        let siti = citizen(6);
        app.whatsapp.next(Answer::AcceptAndHangUp);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let printed = app.whatsapp.sent().pop().unwrap();
        app.clock.advance(Duration::from_secs(1));
        app.card(&siti, "siap ambil").await;
        app.advance(TEN_MINUTES).await;
        app.receipt(&printed, "delivered").await;
        app.run_until_idle().await;
        let messages = app.messages().await;
        let first = messages.iter().find(|m| m["template"] == "card_printed").unwrap();
        assert_eq!(first["status"], "delivered", "{first}");
        assert_eq!(app.whatsapp.requests().len(), 2);
    }

    async fn whose_number_comes_late_is_told_then(app: TestApp) {
        let siti = citizen(6);
        app.card_with(&siti, "CARD_PRINTED", &[("phone", json!(""))]).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 0);
        app.clock.advance(Duration::from_secs(1));
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(&siti.e164).len(), 1);
        app.clock.advance(Duration::from_secs(1));
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 1, "and not once more");
    }

    async fn a_silent_repetition_does_not_withdraw_what_waits_for_the_morning(start: Start) {
        let app = start.at("22:30 WIB").await;
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.clock.advance(Duration::from_secs(1));
        app.card_with(&siti, "CARD_PRINTED", &[("silent", json!(true))]).await;
        app.advance_to("07:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 1);
    }

    async fn a_limit_of_one_person_holds_everything_to_that_person_in_its_order(app: TestApp) {
        let siti = citizen(6);
        app.whatsapp.next(Answer::code(131_056));
        app.writes(&siti.e164, "halo").await;
        app.writes(&siti.e164, "syarat ktp hilang apa aja?").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 1, "nothing more is tried at once");
        app.advance(Duration::from_secs(60)).await;
        let sent = app.whatsapp.sent_to(&siti.e164);
        assert_eq!(sent.len(), 2);
        assert!(sent[1].text().contains("surat kehilangan"), "{}", sent[1].text());
    }
}
