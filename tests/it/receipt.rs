//! What the provider says later of a message: in any order, twice, early, and without our id.

use kabar::service::inbox;
use serde_json::{Value, json};

use crate::support::webhook::{failed, status};
use crate::support::{TestApp, citizen, list, on_both_engines, word};

on_both_engines! {
    async fn receipts_in_any_order_and_twice_end_at_the_same_status(app: TestApp) {
        let orders = [
            ["sent", "delivered", "read"],
            ["sent", "read", "delivered"],
            ["delivered", "sent", "read"],
            ["delivered", "read", "sent"],
            ["read", "sent", "delivered"],
            ["read", "delivered", "sent"],
        ];
        for n in 1..=orders.len() {
            app.card(&citizen(n), "CARD_PRINTED").await;
        }
        app.run_until_idle().await;
        let at = app.now_s();
        for step in 0..3 {
            for (n, order) in orders.iter().enumerate() {
                let sent = app.whatsapp.sent_to(&citizen(n + 1).e164).pop().unwrap();
                let word = status(&sent, order[step], at);
                app.receipts(&[word.clone(), word.clone()]).await;
                app.receipts(&[word]).await;
            }
            app.run_until_idle().await;
        }
        for message in app.messages().await {
            assert_eq!(message["status"], "read", "{message}");
            let story = app.story(&message).await;
            assert_eq!(list(&story["receipts"]).len(), 3);
            for moment in ["sent_at", "delivered_at", "read_at"] {
                assert!(message[moment].is_string(), "{moment} of {message}");
            }
        }
    }

    async fn all_receipts_of_one_body_are_applied_whatever_their_order(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent().pop().unwrap();
        let at = app.now_s();
        let words = ["read", "delivered", "sent"].map(|word| status(&sent, word, at));
        app.receipts(&words).await;
        app.run_until_idle().await;
        assert_eq!(app.message().await["status"], "read");
    }

    async fn a_receipt_that_outruns_the_answer_to_its_own_call_is_not_lost(app: TestApp) {
        app.whatsapp.hold();
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.send_step().await;
        app.whatsapp.wait_for_requests(1).await;
        let sent = app.whatsapp.sent().pop().unwrap();
        app.receipt(&sent, "delivered").await;
        inbox::step(&app.app).await.unwrap();
        assert_eq!(app.message().await["status"], "delivered");
        app.whatsapp.release();
        app.drain().await;
        let message = app.message().await;
        assert_eq!(message["status"], "delivered");
        assert_eq!(message["provider_message_id"], sent.id.unwrap());
    }

    async fn a_late_delivered_beats_failed_and_a_late_failed_does_not_beat_delivered(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.card(&citizen(2), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let at = app.now_s();
        let [first, second] = [1, 2].map(|n| app.whatsapp.sent_to(&citizen(n).e164).pop().unwrap());
        app.receipts(&[failed(&first, 131_026, at)]).await;
        app.receipts(&[status(&second, "delivered", at)]).await;
        app.run_until_idle().await;
        let failure = app.messages().await[0].clone();
        assert_eq!(failure["status"], "failed");
        assert_eq!(failure["failure"]["code"], "131026");
        assert!(word(&failure["failure"]["reason"]).starts_with("not on WhatsApp"), "{failure}");

        app.receipts(&[status(&first, "delivered", at)]).await;
        app.receipts(&[failed(&second, 131_026, at)]).await;
        app.run_until_idle().await;
        for message in app.messages().await {
            assert_eq!(message["status"], "delivered");
            assert_eq!(message["failure"], Value::Null);
            assert_eq!(message["failed_at"], Value::Null);
        }
    }

    async fn a_receipt_without_our_id_is_matched_by_the_providers(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent().pop().unwrap();
        let mut word = status(&sent, "delivered", app.now_s());
        word.as_object_mut().unwrap().remove("biz_opaque_callback_data");
        app.receipts(&[word]).await;
        app.run_until_idle().await;
        assert_eq!(app.message().await["status"], "delivered");
    }

    async fn a_receipt_of_a_message_that_is_not_ours_is_set_aside(app: TestApp) {
        let word = json!({"id": "wamid.FOREIGN", "status": "delivered",
                          "timestamp": app.now_s().to_string(), "recipient_id": "6281"});
        app.receipts(&[word]).await;
        for _ in 0..10 {
            app.advance(std::time::Duration::from_secs(600)).await;
        }
        assert_eq!(app.query("SELECT state FROM inbox").await, [["ignored"]]);
    }

    async fn a_message_failed_by_receipt_is_not_sent_again_by_itself(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent().pop().unwrap();
        app.receipts(&[failed(&sent, 131_049, app.now_s())]).await;
        app.advance(std::time::Duration::from_secs(3 * 3600)).await;
        assert_eq!(app.whatsapp.requests().len(), 1);
        assert_eq!(app.message().await["status"], "failed");
    }

    async fn the_list_of_messages_can_be_filtered_and_paged(app: TestApp) {
        for n in 1..=7 {
            app.card(&citizen(n), "CARD_PRINTED").await;
        }
        app.card(&citizen(8).with_phone(""), "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.receipt(&app.whatsapp.sent()[0], "delivered").await;
        app.run_until_idle().await;
        let count = async |query: &str| {
            list(&app.get(&format!("/v1/messages?{query}")).await["messages"]).len()
        };
        assert_eq!(count("status=delivered").await, 1);
        assert_eq!(count("status=sent").await, 6);
        assert_eq!(count("why=no_phone").await, 1);
        assert_eq!(count("phone=0812-3456-0003").await, 1);
        assert_eq!(count("class=reply").await, 0);
        let mut path = "/v1/messages?limit=3".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = app.get(&path).await;
            seen.extend(list(&page["messages"]).iter().map(|m| word(&m["id"])));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/messages?limit=3&cursor={cursor}");
        }
        assert_eq!(seen.len(), 8);
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first, none twice");
    }
}
