//! One account at the provider: its rate, its lanes, its waits, and what happens when it is at
//! fault itself.

use std::time::Duration;

use kabar::service::inbox;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Answer, LEASE_OVER, Start, TestApp, citizen, on_both_engines};

const MINUTE: Duration = Duration::from_secs(60);

/// Cards of so many people are printed at once.
async fn print_cards(app: &TestApp, people: usize) {
    let all: Vec<usize> = (1..=people).collect();
    for some in all.chunks(1000) {
        let updates: Vec<Value> =
            some.iter().map(|n| app.update(&citizen(*n), "CARD_PRINTED")).collect();
        assert_eq!(app.post(&updates.into()).await["accepted"], some.len());
    }
}

async fn readiness(app: &TestApp) -> (StatusCode, Value) {
    app.ask(kabar::store::token::Role::Auditor, "/readyz").await
}

on_both_engines! {
    async fn a_dead_token_stops_the_account_and_burns_no_message(app: TestApp) {
        app.whatsapp.always(Answer::code(190));
        print_cards(&app, 10).await;
        app.run_until_idle().await;
        let tried = app.whatsapp.requests().len();
        assert!(tried <= 10);
        let messages = app.messages().await;
        assert!(messages.iter().all(|m| m["status"] == "queued" && m["attempts"] == 0));
        let (status, ready) = readiness(&app).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let problem = &ready["problems"][0];
        assert_eq!((&problem["account"], &problem["code"]), (&"wa".into(), &"190".into()));
        assert!(problem["reason"].as_str().unwrap().contains("token"), "{problem}");

        // One message tries whether it works again, and waits longer each time.
        app.advance(Duration::from_secs(59)).await;
        assert_eq!(app.whatsapp.requests().len(), tried);
        app.advance(Duration::from_secs(1)).await;
        assert_eq!(app.whatsapp.requests().len(), tried + 1);
        app.advance(MINUTE).await;
        assert_eq!(app.whatsapp.requests().len(), tried + 1);

        app.whatsapp.always(Answer::Accept);
        app.advance(MINUTE).await;
        assert_eq!(app.whatsapp.sent().len(), 10);
        assert_eq!(readiness(&app).await.0, StatusCode::OK);
    }

    async fn a_stop_outlives_the_process_that_saw_it_until_one_message_tells(app: TestApp) {
        app.whatsapp.always(Answer::code(190));
        print_cards(&app, 1).await;
        app.run_until_idle().await;
        app.close_senders().await;
        assert_eq!(readiness(&app).await.0, StatusCode::SERVICE_UNAVAILABLE);
        // Whoever restarts has usually mended something.
        app.whatsapp.always(Answer::Accept);
        app.new_sender("second process").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        assert_eq!(readiness(&app).await.0, StatusCode::OK);
    }

    async fn a_wait_that_the_provider_asks_for_is_kept(app: TestApp) {
        app.whatsapp.next(Answer::Error { code: 130_429, subcode: None, retry_after: Some(120) });
        print_cards(&app, 1).await;
        app.run_until_idle().await;
        app.advance(Duration::from_secs(119)).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        app.advance(Duration::from_secs(1)).await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        assert_eq!(readiness(&app).await.0, StatusCode::OK, "busy is not broken");
    }

    async fn a_throttled_number_pauses_as_a_whole(app: TestApp) {
        app.whatsapp.next(Answer::code(130_429));
        print_cards(&app, 1).await;
        app.run_until_idle().await;
        app.card(&citizen(2), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 1, "the second waits with the first");
        app.advance(MINUTE).await;
        assert_eq!(app.whatsapp.sent().len(), 2);
    }

    async fn a_provider_that_is_down_costs_no_attempt_and_nobody_a_message(app: TestApp) {
        app.whatsapp.go_down().await;
        print_cards(&app, 5).await;
        for _ in 0..20 {
            app.advance(MINUTE).await;
        }
        let messages = app.messages().await;
        assert!(messages.iter().all(|m| m["status"] == "queued" && m["attempts"] == 0));
        app.whatsapp.come_back().await;
        app.advance(MINUTE).await;
        assert_eq!(app.whatsapp.sent().len(), 5);
    }

    async fn a_reply_overtakes_a_thousand_announcements(start: Start) {
        let mut start = start;
        start.messages_per_second = 4;
        let app = start.open().await;
        print_cards(&app, 1000).await;
        app.send_round().await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        app.writes("+6281299990000", "halo").await;
        inbox::step(&app.app).await.unwrap();
        app.clock.advance(Duration::from_secs(1));
        app.send_round().await;
        let requests = app.whatsapp.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1].to(), "+6281299990000");
    }

    async fn the_rate_of_the_number_is_kept(start: Start) {
        let mut start = start;
        start.messages_per_second = 80;
        let app = start.open().await;
        print_cards(&app, 300).await;
        let mut sent = Vec::new();
        for _ in 0..80 {
            while app.send_round().await.claimed > 0 {}
            sent.push(app.whatsapp.requests().len());
            app.clock.advance(Duration::from_millis(25));
        }
        for (from, to) in std::iter::once(&0).chain(&sent).zip(&sent[39..]) {
            assert!(to - from <= 80, "{} in one second", to - from);
        }
        assert!(sent[79] >= 140, "and it is used: {} in two seconds", sent[79]);
    }

    async fn the_forty_sixth_message_to_one_person_waits_and_nobody_else_does(app: TestApp) {
        let phone = "0812-9999-0000";
        let family: Vec<Value> = (1..=46)
            .map(|n| app.update(&citizen(n).with_phone(phone), "CARD_PRINTED"))
            .collect();
        app.post(&family.into()).await;
        app.card(&citizen(47).with_phone("0812-9999-0001"), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to("+6281299990000").len(), 45);
        assert_eq!(app.whatsapp.sent_to("+6281299990001").len(), 1);
        app.advance(Duration::from_secs(6)).await;
        assert_eq!(app.whatsapp.sent_to("+6281299990000").len(), 46);
        assert!(app.messages().await.iter().all(|m| m["attempts"] == 1));
    }

    async fn messages_to_one_person_leave_in_their_order_one_after_the_other(app: TestApp) {
        app.whatsapp.hold();
        let questions = ["halo", "syarat ktp hilang apa aja?", "makasih ya"];
        for question in questions {
            app.writes("+6281299990000", question).await;
        }
        inbox::step(&app.app).await.unwrap();
        app.send_step().await;
        app.whatsapp.wait_for_requests(1).await;
        assert_eq!(app.whatsapp.requests().len(), 1, "the next waits for the answer to the first");
        app.whatsapp.release();
        app.run_until_idle().await;
        let sent = app.whatsapp.sent();
        let messages = app.messages().await;
        let echoes: Vec<_> = sent.iter().map(|sent| sent.echo().to_owned()).collect();
        let planned: Vec<_> = messages.iter().map(|m| m["id"].as_str().unwrap()).collect();
        assert_eq!(echoes, planned);
        assert!(sent[1].text().contains("surat kehilangan"), "{}", sent[1].text());
    }

    async fn two_processes_never_send_for_one_account_at_once(app: TestApp) {
        app.send_round().await;
        app.new_sender("second process").await;
        print_cards(&app, 3).await;
        assert_eq!(app.send_round().await.claimed, 0, "the first holds the account");
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 3);
        app.clock.advance(LEASE_OVER);
        app.card(&citizen(9), "CARD_PRINTED").await;
        assert_eq!(app.send_round().await.claimed, 1, "the lease ended unrenewed");
    }
}
