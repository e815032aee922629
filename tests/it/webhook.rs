//! The door Meta knocks at: who is let in, and that nothing is lost behind it.

use kabar::store::token::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::webhook::{APP_SECRET, VERIFY_TOKEN, body, change, escaped, signature};
use crate::support::webhook::{status, text};
use crate::support::{TestApp, citizen, on_both_engines};

const WRITER: &str = "+6281299990000";

async fn verify(app: &TestApp, account: &str, mode: &str, token: &str) -> (StatusCode, String) {
    let query = [("hub.mode", mode), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
    let url = format!("{}/hooks/whatsapp/{account}", app.url);
    let response = app.http.get(url).query(&query).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn events(app: &TestApp) -> usize {
    app.query("SELECT id FROM inbox").await.len()
}

on_both_engines! {
    async fn the_subscription_is_confirmed_to_whoever_knows_the_token_only(app: TestApp) {
        let right = verify(&app, "wa", "subscribe", VERIFY_TOKEN).await;
        assert_eq!(right, (StatusCode::OK, "1158201444".to_owned()));
        for (account, mode, token) in [
            ("wa", "subscribe", "a wrong word"),
            ("wa", "subscribe", ""),
            ("wa", "unsubscribe", VERIFY_TOKEN),
            ("nobody", "subscribe", VERIFY_TOKEN),
        ] {
            let (status, body) = verify(&app, account, mode, token).await;
            assert_eq!(status, StatusCode::FORBIDDEN);
            assert!(!body.contains("1158201444"));
        }
    }

    async fn a_body_that_is_not_signed_as_it_should_be_gets_in_nowhere(app: TestApp) {
        let bytes = escaped(&body(&[text("wamid.A", WRITER, "halo", app.now_s())], &[]));
        let right = signature(APP_SECRET, &bytes);
        for wrong in [
            String::new(),
            "sha256=".to_owned(),
            signature("another secret", &bytes),
            signature(APP_SECRET, b"another body"),
            right.trim_start_matches("sha256=").to_owned(),
        ] {
            assert_eq!(app.hook_raw(bytes.clone(), &wrong).await, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(events(&app).await, 0);
        assert_eq!(app.hook_raw(bytes, &right).await, StatusCode::OK);
        assert_eq!(events(&app).await, 1);
    }

    async fn a_body_larger_than_meta_ever_sends_is_refused(app: TestApp) {
        let bytes = vec![b' '; 3 * 1024 * 1024 + 1];
        let signed = signature(APP_SECRET, &bytes);
        assert_eq!(app.hook_raw(bytes, &signed).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(events(&app).await, 0);
        let largest = vec![b' '; 3 * 1024 * 1024];
        let signed = signature(APP_SECRET, &largest);
        assert_eq!(app.hook_raw(largest, &signed).await, StatusCode::OK);
    }

    async fn every_one_of_a_thousand_statuses_of_one_body_is_applied(app: TestApp) {
        let updates: Vec<Value> =
            (1..=500).map(|n| app.update(&citizen(n), "CARD_PRINTED")).collect();
        assert_eq!(app.post(&updates.into()).await["accepted"], 500);
        app.run_until_idle().await;
        let at = app.now_s();
        let sent = app.whatsapp.sent();
        let words = ["delivered", "sent"];
        let statuses: Vec<Value> =
            sent.iter().rev().flat_map(|sent| words.map(|word| status(sent, word, at))).collect();
        assert_eq!(statuses.len(), 1000);
        app.receipts(&statuses).await;
        app.run_until_idle().await;
        let states = app.query("SELECT status, COUNT(*) FROM message GROUP BY status").await;
        assert_eq!(states, [["delivered", "500"]]);
    }

    async fn a_body_of_several_entries_changes_and_kinds_is_taken_apart_wholly(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let about = app.whatsapp.sent().pop().unwrap();
        let at = app.now_s();
        let template = json!({"field": "message_template_status_update",
            "value": {"event": "APPROVED", "message_template_id": 1}});
        let written =
            |n: usize| text(&format!("wamid.{n}"), &format!("+628129999000{n}"), "halo", at);
        let word = |kind: &str| status(&about, kind, at);
        let first = change(&[written(1)], &[word("sent")]);
        let second = change(&[written(2), written(3)], &[word("delivered"), word("read")]);
        let mixed = json!({"object": "whatsapp_business_account", "entry": [
            {"id": "1", "changes": [first, template]},
            {"id": "1", "changes": [second]},
        ]});
        assert_eq!(app.hook(&mixed).await, StatusCode::OK);
        assert_eq!(events(&app).await, 7);
        app.run_until_idle().await;
        for n in 1..=3 {
            assert_eq!(app.whatsapp.sent_to(&format!("+628129999000{n}")).len(), 1);
        }
        assert_eq!(app.messages().await[0]["status"], "read");
    }

    async fn a_webhook_that_comes_twice_and_at_once_is_answered_once(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let question = text("wamid.A", &siti.e164, "ktp sy udah jadi blm ya?", app.now_s());
        let question = body(&[question], &[]);
        let posts = (0..8).map(|_| app.hook(&question));
        let answers = futures_util::future::join_all(posts).await;
        assert!(answers.iter().all(|answer| *answer == StatusCode::OK));
        app.run_until_idle().await;
        assert_eq!(app.hook(&question).await, StatusCode::OK);
        app.run_until_idle().await;
        let replies = &app.whatsapp.sent_to(&siti.e164)[1..];
        assert_eq!(replies.len(), 1);
        assert!(replies[0].text().contains("sudah dicetak"), "{}", replies[0].text());
    }

    async fn what_is_not_understood_is_kept_and_thanked_for(app: TestApp) {
        let at = app.now_s().to_string();
        let unsupported = json!({"id": "wamid.U", "from": "6281299990000", "timestamp": at,
            "type": "unsupported", "errors": [{"code": 131_051, "title": "Message type unknown"}]});
        let unheard_of = json!({"id": "wamid.V", "from": "6281299990000", "timestamp": at,
            "type": "hologram", "hologram": {"beam": 1}});
        let bodies = [
            body(&[unsupported], &[]),
            body(&[unheard_of], &[]),
            json!({"object": "whatsapp_business_account", "entry": [{"changes": [
                {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}]}]}),
            json!({"entry": "not a list"}),
            json!([1, 2, 3]),
        ];
        for body in &bodies {
            assert_eq!(app.hook(body).await, StatusCode::OK, "{body}");
        }
        let bytes = b"no JSON at all \xff".to_vec();
        let signed = signature(APP_SECRET, &bytes);
        assert_eq!(app.hook_raw(bytes, &signed).await, StatusCode::OK);
        assert_eq!(events(&app).await, 6);
        app.run_until_idle().await;
        let waiting = app.query("SELECT id FROM inbox WHERE state IN ('waiting', 'failed')").await;
        assert!(waiting.is_empty(), "{waiting:?}");
    }

    async fn letters_beyond_ascii_and_even_a_null_character_survive(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let answer = app.asks(&siti.e164, "ktp saya\u{0} sudah jadi belum 🙏 “tolong”").await;
        assert!(answer.text().contains("sudah dicetak"), "{}", answer.text());
        assert_eq!(app.query("SELECT id FROM inbound").await.len(), 1);
    }

    async fn who_hides_their_number_is_answered_by_their_user_id(app: TestApp) {
        let question = json!({"id": "wamid.A", "from_user_id": "ID.13491208655302741918",
            "timestamp": app.now_s().to_string(), "type": "text", "text": {"body": "cek status"}});
        assert_eq!(app.hook(&body(&[question], &[])).await, StatusCode::OK);
        app.run_until_idle().await;
        let sent = app.whatsapp.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].body["recipient"], "ID.13491208655302741918");
        assert!(sent[0].body.get("to").is_none(), "{}", sent[0].body);
        assert!(sent[0].text().contains("belum terdaftar"), "{}", sent[0].text());
    }

    async fn a_number_and_a_user_id_seen_together_become_one_person(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let message = |id: &str, phone: bool, user: bool, words: &str| {
            let mut message = text(id, &siti.e164, words, app.now_s());
            let map = message.as_object_mut().unwrap();
            if !phone {
                map.remove("from");
            }
            if user {
                map.insert("from_user_id".to_owned(), "ID.13491208655302741918".into());
            }
            body(&[message], &[])
        };
        for (id, phone, user) in [("wamid.A", true, false), ("wamid.B", false, true)] {
            app.hook(&message(id, phone, user, "halo")).await;
            app.run_until_idle().await;
        }
        assert_eq!(app.query("SELECT id FROM contact").await.len(), 2);
        app.hook(&message("wamid.C", true, true, "halo")).await;
        app.run_until_idle().await;
        assert_eq!(app.query("SELECT id FROM contact").await.len(), 1);
        // From now on the id alone is enough to be known.
        app.hook(&message("wamid.D", false, true, "sudah jadi belum?")).await;
        app.run_until_idle().await;
        let answer = app.whatsapp.sent().pop().unwrap();
        assert!(answer.text().contains("sudah dicetak"), "{}", answer.text());
        app.hook(&message("wamid.E", false, true, "BERHENTI")).await;
        app.run_until_idle().await;
        app.card(&siti, "siap ambil").await;
        assert_eq!(app.states().await.last().unwrap().1, "opted_out", "either part counts");
    }

    async fn while_the_database_is_away_everybody_is_asked_to_come_again(app: TestApp) {
        app.app.db.close().await;
        let question = body(&[text("wamid.A", WRITER, "halo", app.now_s())], &[]);
        assert_eq!(app.hook(&question).await, StatusCode::SERVICE_UNAVAILABLE);
        let (status, problem) = app.post_as("application/json", "{}").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
        let (status, ready) = app.ask(Role::Auditor, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ready["problems"][0]["what"], "database");
        let health = app.http.get(format!("{}/healthz", app.url)).send().await.unwrap();
        assert_eq!(health.status(), StatusCode::OK, "the process itself is well");
    }
}
