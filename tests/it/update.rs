//! Card updates: repeated, contradicting, out of order, damaged; and what is kept of them.

use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApp, citizen, list, on_both_engines, word};

on_both_engines! {
    async fn the_same_update_twice_changes_nothing(app: TestApp) {
        let update = app.update(&citizen(1), "CARD_PRINTED");
        assert_eq!(app.post(&update).await["accepted"], 1);
        let mut written_otherwise = update.clone();
        written_otherwise["phone"] = citizen(1).e164.into();
        for repeat in [&update, &written_otherwise] {
            let answer = app.post(repeat).await;
            assert_eq!(answer, json!({"accepted": 0, "duplicates": 1, "rejected": []}));
        }
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        assert_eq!(app.query("SELECT COUNT(*) FROM card_update").await, [["1"]]);
    }

    async fn an_id_that_was_used_for_something_else_is_a_conflict(app: TestApp) {
        let update = app.update(&citizen(1), "CARD_PRINTED");
        app.post(&update).await;
        let mut other = update.clone();
        other["status"] = "CARD_ISSUED".into();
        let answer = app.post(&other).await;
        assert_eq!(answer["accepted"], 0);
        assert_eq!(answer["rejected"][0]["code"], "conflicting_id");
        assert_eq!(answer["rejected"][0]["id"], update["id"]);
        assert_eq!(app.query("SELECT status FROM card").await, [["printed"]]);
    }

    async fn an_older_update_joins_the_history_and_is_never_announced_after_a_newer(app: TestApp) {
        let way = [
            ("PRINT_READY_RECORD", "ready_to_print", "2026-11-20T08:00:00+07:00"),
            ("CARD_PRINTED", "printed", "2026-11-21T08:00:00+07:00"),
            ("siap ambil", "ready_to_collect", "2026-11-22T08:00:00+07:00"),
            ("CARD_ISSUED", "issued", "2026-11-23T08:00:00+07:00"),
        ];
        let orders = permutations(&[0, 1, 2, 3]);
        for round in 0..way.len() {
            let updates: Vec<Value> = orders
                .iter()
                .enumerate()
                .map(|(who, order)| {
                    let (status, _, at) = way[order[round]];
                    citizen(who + 1).update(&format!("{who}-{}", order[round]), at, status)
                })
                .collect();
            assert_eq!(app.post(&updates.into()).await["accepted"], orders.len());
            app.run_until_idle().await;
        }
        let rank = |template: &str| {
            ["kabar_card_printed_v1", "kabar_ready_to_collect_v2", "kabar_card_issued_v1"]
                .iter()
                .position(|known| *known == template)
                .unwrap()
        };
        for (who, order) in orders.iter().enumerate() {
            let sent = app.whatsapp.sent_to(&citizen(who + 1).e164);
            let told: Vec<_> = sent.iter().map(|sent| rank(sent.template())).collect();
            assert!(told.is_sorted_by(|a, b| a < b), "{order:?} told {told:?}");
            assert_eq!(told.last(), Some(&2), "{order:?}");
        }
        let ends = app.query("SELECT DISTINCT status, serial FROM card").await;
        assert_eq!(ends, [["issued", "1"]]);
        let message = app.messages().await.pop().unwrap();
        let card = app.get(&format!("/v1/cards/{}", word(&message["card"]))).await;
        let history = list(&card["history"]);
        let states: Vec<_> = history.iter().map(|line| word(&line["status"])).collect();
        let mut expected: Vec<_> = way.iter().map(|step| step.1).collect();
        if states.first().map(String::as_str) != Some("ready_to_print") {
            expected.reverse();
        }
        assert_eq!(states, expected, "in the order in which it happened");
    }

    async fn a_card_printed_after_the_hand_over_is_a_new_card_and_announced_again(app: TestApp) {
        for status in ["CARD_PRINTED", "CARD_ISSUED", "CARD_PRINTED"] {
            app.card(&citizen(1), status).await;
            app.advance(std::time::Duration::from_secs(60)).await;
        }
        let sent = app.whatsapp.sent();
        let told: Vec<_> = sent.iter().map(|sent| sent.template().to_owned()).collect();
        let printed = "kabar_card_printed_v1";
        assert_eq!(told, [printed, "kabar_card_issued_v1", printed]);
        let cards = app.query("SELECT serial, status FROM card ORDER BY serial").await;
        assert_eq!(cards, [["1", "issued"], ["2", "printed"]]);
    }

    async fn another_appointment_is_told_and_the_same_one_is_not_told_twice(app: TestApp) {
        let day = |day: &str| [("home_delivery", json!({"date": day, "from": "09:00"}))];
        for date in ["2026-11-24", "2026-11-24", "2026-11-25"] {
            app.card_with(&citizen(1), "CARD_PRINTED", &day(date)).await;
            app.advance(std::time::Duration::from_secs(60)).await;
        }
        let days: Vec<_> = app.whatsapp.sent().iter().map(|sent| sent.param("date")).collect();
        assert_eq!(days, ["Selasa, 24 November", "Rabu, 25 November"]);
    }

    async fn what_a_spreadsheet_did_to_a_nik_is_named_and_kept_until_somebody_mends_it(
        app: TestApp,
    ) {
        let damages = [
            ("3.51709E+15", "scientific"),
            ("3517091204560000", "last ones 0"),
            ("517091204560001", "15 digits"),
            ("0351709201800001", "temporary"),
        ];
        for (n, (nik, reason)) in damages.iter().enumerate() {
            let mut update = app.update(&citizen(n + 1), "CARD_PRINTED");
            update["nik"] = (*nik).into();
            let answer = app.post(&update).await;
            let rejected = &answer["rejected"][0];
            assert_eq!(rejected["code"], "invalid_nik");
            assert_eq!((&rejected["index"], &rejected["id"]), (&json!(0), &update["id"]));
            let message = word(&rejected["message"]);
            assert!(message.contains(reason), "{message}");
            assert!(!message.contains(nik), "{message}");
        }
        let kept = list(&app.get("/v1/rejections").await["rejections"]);
        assert_eq!(kept.len(), damages.len());
        assert!(kept.iter().all(|kept| kept["code"] == "invalid_nik" && kept["source"] == "api"));

        let path = format!("/v1/rejections/{}", word(&kept[0]["id"]));
        let (status, shown) = app.ask(Role::Office, &path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(word(&shown["item"]).contains(damages[0].0), "{shown}");
        let resolve = format!("{path}/resolve");
        let (status, _) = app.call(Method::POST, Role::Office, &resolve).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let left = list(&app.get("/v1/rejections").await["rejections"]);
        assert_eq!(left.len(), damages.len() - 1);
        assert!(app.query("SELECT id FROM card").await.is_empty());
    }

    async fn an_unknown_status_is_rejected_with_the_nearest_known_ones(app: TestApp) {
        let answer = app.post(&app.update(&citizen(1), "CARD PRINTD")).await;
        let rejected = &answer["rejected"][0];
        assert_eq!(rejected["code"], "unknown_status");
        let message = word(&rejected["message"]);
        assert!(message.contains("CARD_PRINTED"), "{message}");
        assert!(!message.contains("PRINTD"), "{message}");
    }

    async fn a_rejected_item_that_comes_again_is_counted_not_listed_twice(app: TestApp) {
        let update = app.update(&citizen(1), "KARTU TERBANG");
        app.post(&update).await;
        app.post(&update).await;
        let kept = list(&app.get("/v1/rejections").await["rejections"]);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0]["times"], 2);
    }

    async fn an_older_update_does_not_bring_back_an_older_number(app: TestApp) {
        let today = citizen(1);
        app.card(&today, "CARD_PRINTED").await;
        let before = citizen(1).with_phone("0812-9999-0000");
        let update = before.update("late", "2026-11-01T08:00:00+07:00", "BIO_CAPTURED");
        assert_eq!(app.post(&update).await["accepted"], 1);
        app.run_until_idle().await;
        app.card(&today.clone().with_phone(""), "siap ambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(&today.e164).len(), 2);
        assert_eq!(app.whatsapp.requests().len(), 2);
    }
}

fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in items {
        let rest: Vec<usize> = items.iter().copied().filter(|item| item != first).collect();
        all.extend(permutations(&rest).into_iter().map(|tail| [vec![*first], tail].concat()));
    }
    all
}
