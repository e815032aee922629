//! Once, not twice: processes die at the worst moments, providers hang up, and still nobody is
//! missed and nobody hears twice.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::webhook::status;
use crate::support::{Answer, LEASE_OVER, Start, TestApp, citizen, on_both_engines};

const TEN_MINUTES: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

on_both_engines! {
    async fn a_crash_after_the_claim_leaves_an_unknown_outcome_that_is_sent_again_later(
        app: TestApp,
    ) {
        app.whatsapp.hold();
        app.whatsapp.next(Answer::HangUp);
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.send_step().await;
        assert_eq!(app.message().await["status"], "sending", "committed before the call");
        app.crash().await;
        app.whatsapp.release();

        app.new_sender("second process").await;
        app.run_until_idle().await;
        assert_eq!(app.message().await["status"], "sending", "the lease still holds");
        app.advance(LEASE_OVER).await;
        assert_eq!(app.message().await["status"], "unknown");

        app.advance(Duration::from_secs(600 - 9 - 1)).await;
        assert!(app.whatsapp.sent().is_empty(), "a receipt may still come");
        app.advance(SECOND).await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        let story = app.story(&app.message().await).await;
        assert_eq!(story["why"], "sent_again_after_unknown");
        let attempts = story["attempts_made"].as_array().unwrap();
        let outcomes: Vec<_> = attempts.iter().map(|a| a["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["unknown", "sent"]);
    }

    async fn a_crash_after_the_provider_accepted_is_settled_by_the_receipt(app: TestApp) {
        app.whatsapp.hold();
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.send_step().await;
        app.whatsapp.wait_for_requests(1).await;
        app.crash().await;
        app.whatsapp.release();
        app.new_sender("second process").await;
        app.advance(LEASE_OVER).await;
        assert_eq!(app.message().await["status"], "unknown");

        let sent = app.whatsapp.sent().pop().unwrap();
        app.receipt(&sent, "sent").await;
        app.run_until_idle().await;
        let message = app.message().await;
        assert_eq!(message["status"], "sent");
        assert_eq!(message["provider_message_id"], sent.id.unwrap());
        app.advance(Duration::from_secs(3600)).await;
        assert_eq!(app.whatsapp.requests().len(), 1, "never sent again");
    }

    async fn a_crash_between_the_answer_and_its_commit_is_settled_by_the_receipt(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.send_step().await;
        assert!(app.wait_for_call().await);
        app.crash().await;
        assert_eq!(app.message().await["status"], "sending");

        app.receipt(&app.whatsapp.sent()[0], "delivered").await;
        app.new_sender("second process").await;
        app.advance(LEASE_OVER).await;
        assert_eq!(app.message().await["status"], "delivered");
        app.advance(Duration::from_secs(3600)).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
    }

    async fn a_provider_that_hangs_up_after_accepting_is_not_asked_twice(app: TestApp) {
        app.whatsapp.next(Answer::AcceptAndHangUp);
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let message = app.message().await;
        assert_eq!(message["status"], "unknown");
        assert_eq!(message["failure"]["code"], "no_answer");
        app.advance(Duration::from_secs(599)).await;
        app.receipt(&app.whatsapp.sent()[0], "delivered").await;
        app.advance(SECOND).await;
        let message = app.message().await;
        assert_eq!(message["status"], "delivered");
        assert_eq!(message["failure"], Value::Null);
        app.advance(Duration::from_secs(3600)).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
    }

    async fn a_reply_whose_outcome_stays_unknown_is_sent_again_after_thirty_seconds(app: TestApp) {
        app.whatsapp.next(Answer::HangUp);
        app.writes(&citizen(1).e164, "halo").await;
        app.run_until_idle().await;
        app.advance(Duration::from_secs(29)).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        app.advance(SECOND).await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        assert_eq!(app.whatsapp.requests().len(), 2);
    }

    async fn an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown(start: Start) {
        let mut start = start;
        start.timeout = Duration::from_millis(200);
        let app = start.open().await;
        app.whatsapp.hold();
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let message = app.message().await;
        assert_eq!(message["status"], "unknown");
        assert_eq!(message["failure"]["code"], "timeout");
        app.whatsapp.release();
        app.receipt(&app.whatsapp.sent()[0], "sent").await;
        app.advance(Duration::from_secs(3600)).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
    }

    async fn an_answer_nobody_can_read_leaves_the_outcome_unknown(app: TestApp) {
        let answers = [
            Answer::Raw(502, "<html>Bad Gateway</html>"),
            Answer::Raw(500, ""),
            Answer::Raw(200, "not JSON"),
            Answer::Raw(200, "{\"messages\": []}"),
        ];
        for (n, answer) in answers.into_iter().enumerate() {
            app.whatsapp.next(answer.clone());
            app.card(&citizen(n + 1), "CARD_PRINTED").await;
            app.run_until_idle().await;
            let message = app.messages().await.pop().unwrap();
            assert_eq!(message["status"], "unknown", "{answer:?}");
        }
        app.advance(TEN_MINUTES).await;
        assert_eq!(app.whatsapp.sent().len(), 4, "no receipt came, so each is sent again");
    }

    async fn three_unclear_calls_are_enough_where_no_receipt_ever_comes(app: TestApp) {
        app.whatsapp.always(Answer::HangUp);
        app.card(&citizen(1), "CARD_PRINTED").await;
        for _ in 0..10 {
            app.advance(TEN_MINUTES).await;
        }
        assert_eq!(app.whatsapp.requests().len(), 3);
        let message = app.message().await;
        assert_eq!(message["status"], "failed");
        assert_eq!(message["failure"]["code"], "unknown_outcome");
    }

    async fn calls_that_were_clearly_refused_do_not_count_as_unclear(app: TestApp) {
        for _ in 0..4 {
            app.whatsapp.next(Answer::code(131_056));
        }
        app.whatsapp.next(Answer::HangUp);
        app.card(&citizen(1), "CARD_PRINTED").await;
        for _ in 0..7 {
            app.advance(TEN_MINUTES).await;
        }
        assert_eq!(app.whatsapp.sent().len(), 1, "nobody is missed");
    }

    async fn what_was_accepted_before_a_restart_is_sent_after_it(app: TestApp) {
        app.send_round().await;
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.writes(&citizen(2).e164, "halo").await;
        let app = app.restart().await;
        app.run_until_idle().await;
        assert!(app.whatsapp.requests().is_empty(), "the lease of the process before still holds");
        app.advance(LEASE_OVER).await;
        assert_eq!(app.whatsapp.sent().len(), 2);
    }

    async fn an_orderly_end_hands_the_account_over_at_once(app: TestApp) {
        app.send_round().await;
        app.close_senders().await;
        app.new_sender("second process").await;
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 1);
    }

    async fn nobody_is_missed_and_nobody_hears_twice_whatever_dies(app: TestApp) {
        const PEOPLE: usize = 140;
        let mut app = app;
        for crash in 0..4 {
            let from = crash * PEOPLE / 4;
            let updates: Vec<Value> = (from..from + PEOPLE / 4)
                .map(|n| {
                    // Every seventh message is taken without a word.
                    if n % 7 == 6 {
                        app.whatsapp.always_to(&citizen(n + 1).e164, Answer::AcceptAndHangUp);
                    }
                    citizen(n + 1).update(&format!("u-{n}"), &app.now(), "CARD_PRINTED")
                })
                .collect();
            app.post(&updates.clone().into()).await;
            app.send_step().await;
            app.whatsapp.wait_for_requests(from + 1).await;
            // The process dies with calls in flight, and the source sends its batch again.
            app = app.restart().await;
            assert_eq!(app.post(&updates.into()).await["duplicates"], PEOPLE / 4);
            app.clock.advance(LEASE_OVER);
            deliver_receipts(&app).await;
            app.run_until_idle().await;
        }
        for _ in 0..40 {
            deliver_receipts(&app).await;
            app.advance(Duration::from_secs(30)).await;
        }
        let mut times: HashMap<String, usize> = HashMap::new();
        for sent in app.whatsapp.sent() {
            *times.entry(sent.to().to_owned()).or_default() += 1;
        }
        assert_eq!(times.len(), PEOPLE, "nobody is missed");
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let states = app.states().await;
        assert!(states.iter().all(|(status, _)| status == "delivered"), "{states:?}");
    }
}

/// Meta tells of everything it took so far, again and again, as it does until it gets a 200.
async fn deliver_receipts(app: &TestApp) {
    let at = app.now_s();
    let sent = app.whatsapp.sent();
    let words = ["delivered", "sent"];
    let statuses: Vec<Value> =
        sent.iter().flat_map(|sent| words.map(|word| status(sent, word, at))).collect();
    if !statuses.is_empty() {
        app.receipts(&statuses).await;
    }
}
