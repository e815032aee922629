//! Every error code of Meta, sent over the wire: each message ends where the code's meaning says.

use std::time::Duration;

use kabar::channel::whatsapp::codes::{CODES, Meaning};
use kabar::domain::quiet_hours::QuietHours;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Answer, Start, TestApp, citizen, on_both_engines, word};

const LONGEST_WAIT: Duration = Duration::from_secs(600);

on_both_engines! {
    async fn every_code_leads_where_its_meaning_demands(start: Start) {
        let mut start = start;
        start.settings.quiet_hours = QuietHours::off();
        let app = start.open().await;
        for (n, (code, meaning, words)) in CODES.iter().enumerate() {
            let number = citizen(n + 1).e164;
            app.whatsapp.next(Answer::code(*code));
            app.card(&citizen(n + 1), "CARD_PRINTED").await;
            app.run_until_idle().await;
            let first = app.messages().await.pop().unwrap();
            let case = format!("{code} {words}: {first}");
            let state = first["status"].as_str().unwrap();
            let (_, ready) = app.ask(kabar::store::token::Role::Auditor, "/readyz").await;
            let is_stopped = ready["ready"] == false;
            let stops = matches!(meaning, Meaning::Misconfigured | Meaning::Restricted);
            assert_eq!(is_stopped, stops, "{case}");
            match meaning {
                Meaning::Throttled | Meaning::Misconfigured | Meaning::Restricted => {
                    assert_eq!(state, "queued", "{case}");
                    assert_eq!(first["attempts"], 0, "the message must not burn: {case}");
                }
                Meaning::PairThrottled | Meaning::Later(_) => {
                    assert_eq!(state, "queued", "{case}");
                    assert_eq!(first["attempts"], 1, "{case}");
                }
                Meaning::WindowClosed => assert_eq!(state, "sent", "by template: {case}"),
                Meaning::RecipientGone
                | Meaning::NotReachable
                | Meaning::Rejected
                | Meaning::NoMarketing => {
                    assert_eq!(state, "failed", "{case}");
                    assert_eq!(word(&first["failure"]["code"]), code.to_string(), "{case}");
                    assert!(word(&first["failure"]["reason"]).starts_with(words), "{case}");
                }
                Meaning::Unknown => assert_eq!(state, "unknown", "{case}"),
            }
            app.advance(LONGEST_WAIT).await;
            let last = app.messages().await.pop().unwrap();
            let times = app.whatsapp.requests().iter().filter(|r| r.to() == number).count();
            if state == "failed" {
                assert_eq!((times, &last["status"]), (1, &Value::from("failed")), "{case}");
            } else {
                assert_eq!((times, &last["status"]), (2, &Value::from("sent")), "{case}");
                assert_eq!(last["failure"], Value::Null, "{case}");
            }
        }
    }

    async fn a_number_that_people_report_sends_answers_and_nothing_else(app: TestApp) {
        app.whatsapp.next(Answer::code(131_048));
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.card(&citizen(2), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 1, "nothing but answers");
        let (_, ready) = app.ask(kabar::store::token::Role::Auditor, "/readyz").await;
        assert_eq!(ready["problems"][0]["code"], "131048", "{ready}");
        for n in [3, 4] {
            let answer = app.asks(&citizen(n).e164, "halo").await;
            assert!(!answer.text().is_empty(), "who asks is answered");
        }
        assert_eq!(app.whatsapp.requests().len(), 3, "an answer that went through lifts nothing");
        app.advance(Duration::from_secs(59)).await;
        assert_eq!(app.whatsapp.requests().len(), 3);
        app.advance(Duration::from_secs(1)).await;
        assert_eq!(app.whatsapp.requests().len(), 5, "one tries, and the others follow");
        let (_, ready) = app.ask(kabar::store::token::Role::Auditor, "/readyz").await;
        assert_eq!(ready["ready"], true, "{ready}");
    }

    async fn who_wants_no_marketing_is_still_told_of_the_card(app: TestApp) {
        for (n, is_late) in [(1, false), (2, true)] {
            if !is_late {
                app.whatsapp.next(Answer::code(131_050));
            }
            app.card(&citizen(n), "CARD_PRINTED").await;
            app.run_until_idle().await;
            if is_late {
                app.failed_receipt(app.whatsapp.sent().last().unwrap(), 131_050).await;
            }
            app.run_until_idle().await;
            let ledger = "SELECT COUNT(*) FROM consent WHERE no_marketing_at IS NOT NULL";
            assert_eq!(app.query(ledger).await[0][0], n.to_string());
            assert_eq!(app.messages().await.pop().unwrap()["failure"]["code"], "131050");
            let before = app.whatsapp.sent().len();
            app.card(&citizen(n), "siap ambil").await;
            app.run_until_idle().await;
            assert_eq!(app.whatsapp.sent().len(), before + 1, "a card is no marketing");
        }
    }

    async fn a_number_that_is_not_on_whatsapp_is_not_tried_there_again_until_it_writes(
        app: TestApp,
    ) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.failed_receipt(&app.whatsapp.sent()[0], 131_026).await;
        app.run_until_idle().await;
        app.card(&siti, "siap ambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        assert_eq!(app.states().await[1], ("cancelled".to_owned(), "suppressed".to_owned()));
        app.asks(&siti.e164, "halo").await;
        app.card(&siti, "sudah diambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 3, "whoever writes can be reached");
    }

    async fn a_window_that_meta_finds_closed_later_brings_the_template(app: TestApp) {
        let siti = citizen(6);
        app.asks(&siti.e164, "halo").await;
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let free = app.whatsapp.sent().pop().unwrap();
        assert_eq!(free.body["type"], "text");
        app.failed_receipt(&free, 131_047).await;
        app.run_until_idle().await;
        let template = app.whatsapp.sent().pop().unwrap();
        assert_eq!(template.template(), "kabar_card_printed_v1");
        app.failed_receipt(&template, 131_047).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 3, "once, and no more");
        assert_eq!(app.states().await[1].0, "failed");
    }

    async fn a_code_nobody_knows_is_tried_again_and_given_up_in_the_end(app: TestApp) {
        app.whatsapp.always(Answer::code(987_654));
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.message().await["status"], "queued");
        app.advance(Duration::from_secs(4)).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        app.advance(Duration::from_secs(1)).await;
        assert_eq!(app.whatsapp.requests().len(), 2);
        for _ in 0..30 {
            app.advance(Duration::from_secs(300)).await;
        }
        assert_eq!(app.whatsapp.requests().len(), 8);
        let message = app.message().await;
        assert_eq!(message["status"], "failed");
        assert_eq!(message["failure"]["code"], "987654");
        let story = app.story(&message).await;
        assert_eq!(story["attempts_made"].as_array().unwrap().len(), 8);
    }

    async fn an_unknown_phone_number_id_stops_the_account_not_the_message(app: TestApp) {
        let answer = Answer::Error { code: 100, subcode: Some(33), retry_after: None };
        app.whatsapp.always(answer);
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.message().await["status"], "queued");
        let response = app.http.get(format!("{}/readyz", app.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    async fn without_a_code_the_http_status_decides_whose_fault_it_is(app: TestApp) {
        for (n, status, is_stopped) in [(1, 302, true), (2, 401, true), (3, 404, false)] {
            app.whatsapp.next(Answer::Raw(status, "<html></html>"));
            app.card(&citizen(n), "CARD_PRINTED").await;
            app.run_until_idle().await;
            let message = app.messages().await.pop().unwrap();
            assert_eq!((&message["status"], &message["attempts"]), (&"queued".into(), &0.into()));
            assert_eq!(message["failure"]["code"], format!("http_{status}"));
            let response = app.http.get(format!("{}/readyz", app.url)).send().await.unwrap();
            assert_eq!(
                response.status() == StatusCode::SERVICE_UNAVAILABLE,
                is_stopped,
                "{status}"
            );
            app.advance(LONGEST_WAIT).await;
        }
        assert_eq!(app.whatsapp.sent().len(), 3);
    }

    async fn the_providers_words_are_kept_without_the_numbers_in_them(app: TestApp) {
        app.whatsapp.next(Answer::Raw(
            400,
            r#"{"error": {"code": 131026, "message": "cannot reach +6281234560001"}}"#,
        ));
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let reason = word(&app.message().await["failure"]["reason"]);
        assert!(reason.contains("cannot reach"), "{reason}");
        assert!(!reason.contains("34560001"), "{reason}");
    }

    async fn a_reply_refused_because_the_window_closed_fails_and_is_not_repeated(app: TestApp) {
        app.whatsapp.always(Answer::code(131_047));
        app.writes(&citizen(1).e164, "halo").await;
        app.run_until_idle().await;
        app.advance(LONGEST_WAIT).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        assert_eq!(app.message().await["status"], "failed");
    }

    async fn free_words_are_used_inside_the_window_and_the_template_outside_it(app: TestApp) {
        let siti = citizen(6);
        app.asks(&siti.e164, "halo").await;
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let inside = app.whatsapp.sent().pop().unwrap();
        assert_eq!(inside.body["type"], "text");
        assert!(inside.text().contains("Siti A.") && inside.text().contains("sudah dicetak"));

        app.advance(Duration::from_secs(25 * 3600)).await;
        app.card(&siti, "siap ambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().pop().unwrap().template(), "kabar_ready_to_collect_v2");
    }

    async fn an_announcement_whose_window_closed_on_the_way_goes_out_as_its_template(app: TestApp) {
        let siti = citizen(6);
        app.asks(&siti.e164, "halo").await;
        app.whatsapp.next(Answer::code(131_047));
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let requests = app.whatsapp.requests();
        assert_eq!(requests[1].body["type"], "text");
        assert_eq!(requests[2].template(), "kabar_card_printed_v1");
        assert_eq!(requests.len(), 3);
    }
}
