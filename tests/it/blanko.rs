//! Blank cards: the ledger that says a point's stock, and the queue of those who wait for one.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::blanko::{EntryKind, First, UsedBy};
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::domain::service_point::BlankoStock;
use kabar::service::blanko::{BlankoError, enter, find_ledger};
use kabar::service::point::change;
use kabar::store::service_point::{Change, find_with_condition};
use reqwest::StatusCode;
use serde_json::json;

use crate::collection::place;
use crate::support::console::Browser;
use crate::support::{Start, TestApp, citizen, on_both_engines};

const POINT: &str = "kec-jombang";

async fn stock(app: &TestApp) -> BlankoStock {
    let mut tx = app.app.db.begin().await.unwrap();
    find_with_condition(&mut tx, POINT).await.unwrap().unwrap().1.blanko
}

async fn note(app: &TestApp, kind: EntryKind, cards: i64) {
    enter(&app.app, &Actor::cli(), POINT, (kind, cards), (None, None)).await.unwrap();
}

on_both_engines! {
    async fn a_ledger_says_the_stock_until_somebody_says_otherwise(app: TestApp) {
        place(&app).await;
        note(&app, EntryKind::Delivered, 12_000).await;
        assert_eq!(stock(&app).await, BlankoStock::Available);
        note(&app, EntryKind::Used, 11_000).await;
        note(&app, EntryKind::Spoiled, 10).await;
        let ledger = find_ledger(&app.app, POINT).await.unwrap();
        assert_eq!((ledger.left, ledger.used, ledger.days), (990, 11_000, Some(0)));
        assert_eq!(stock(&app).await, BlankoStock::Low);
        note(&app, EntryKind::Counted, 0).await;
        assert_eq!(stock(&app).await, BlankoStock::None);
        app.advance(Duration::from_secs(60)).await;
        let by_hand = [Change::Blanko(BlankoStock::Available)];
        change(&app.app, POINT, &by_hand, &Actor::cli()).await.unwrap();
        assert_eq!(stock(&app).await, BlankoStock::Available);
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let form = [("kind", "expected"), ("cards", "40.000"), ("day", "2026-11-30"), ("note", "")];
        let page = office.post_and_follow("/console/blanko/titik/kec-jombang", &form).await;
        assert!(page.says("40.000") && page.says("30 Nov 2026"), "{}", page.text);
        assert_eq!(stock(&app).await, BlankoStock::Available, "what is expected is not there");
        note(&app, EntryKind::Counted, 5).await;
        let ledger = find_ledger(&app.app, POINT).await.unwrap();
        assert_eq!(ledger.expected.len(), 1, "a count says nothing of what is still to come");
    }

    async fn what_was_printed_before_anybody_counted_is_in_the_count(start: Start) {
        let mut start = start;
        start.settings.blanko.used_by = UsedBy::Printed;
        let app = start.open().await;
        place(&app).await;
        note(&app, EntryKind::Spoiled, 3).await;
        assert_eq!(stock(&app).await, BlankoStock::Unknown, "nobody said yet how many there are");
        let printed_at = app.app.now().rfc3339();
        app.advance(Duration::from_secs(3600)).await;
        note(&app, EntryKind::Counted, 100).await;
        let place = ("service_point", json!(POINT));
        app.card_with(&citizen(4), "CARD_PRINTED", &[place.clone(), ("occurred_at", json!(printed_at))]).await;
        assert_eq!(find_ledger(&app.app, POINT).await.unwrap().left, 100);
        app.advance(Duration::from_secs(60)).await;
        app.card_with(&citizen(5), "CARD_PRINTED", &[place]).await;
        assert_eq!(find_ledger(&app.app, POINT).await.unwrap().left, 99);
    }

    async fn a_printed_card_is_counted_once_and_by_one_way_only(start: Start) {
        let mut start = start;
        start.settings.blanko.used_by = UsedBy::Printed;
        let app = start.open().await;
        place(&app).await;
        note(&app, EntryKind::Counted, 2).await;
        let refused = enter(&app.app, &Actor::cli(), POINT, (EntryKind::Used, 1), (None, None)).await;
        assert!(matches!(refused, Err(BlankoError::Refused(_))));
        for status in ["PRINT_READY_RECORD", "CARD_PRINTED", "CARD_SHIPPED", "CARD_PRINTED", "READY_TO_COLLECT"] {
            app.card(&citizen(1), status).await;
            app.advance(Duration::from_secs(60)).await;
        }
        assert_eq!(find_ledger(&app.app, POINT).await.unwrap().left, 1);
        app.card_with(&citizen(2), "CARD_PRINTED", &[("service_point", json!(POINT))]).await;
        assert_eq!(find_ledger(&app.app, POINT).await.unwrap().left, 0);
        assert_eq!(stock(&app).await, BlankoStock::None);
        // A count sets it right, and what was printed before it does not count again.
        note(&app, EntryKind::Counted, 100).await;
        assert_eq!(find_ledger(&app.app, POINT).await.unwrap().left, 100);
    }

    async fn who_waits_hears_roughly_how_many_are_before_them(app: TestApp) {
        for n in 1..=24 {
            app.card(&citizen(n), "PRINT_READY_RECORD").await;
            app.advance(Duration::from_secs(1)).await;
        }
        let last = citizen(24);
        app.card(&last, "WAITING_FOR_BLANK").await;
        app.run_until_idle().await;
        let text = app.asks(&last.e164, "STATUS").await.text().to_owned();
        assert!(text.contains("Sekitar 20 kartu lain dicetak lebih dulu") && text.contains("Tidak perlu datang"), "{text}");
        let text = app.asks(&citizen(3).e164, "STATUS").await.text().to_owned();
        assert!(text.contains("Termasuk yang terdepan"), "{text}");
        let elsewhere = citizen(30).of_area("62.03.01.1001");
        app.card(&elsewhere, "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        let text = app.asks(&elsewhere.e164, "STATUS").await.text().to_owned();
        assert!(text.contains("Termasuk yang terdepan"), "another kabupaten, another queue: {text}");
        app.card(&citizen(3), "CARD_PRINTED").await;
        assert_eq!(app.query("SELECT id FROM card WHERE queue_at IS NOT NULL").await.len(), 24);
    }

    async fn those_whom_the_office_lets_go_first_are_before_everybody_else(start: Start) {
        let mut start = start;
        start.settings.blanko.first = vec![First::FirstTime, First::Suket];
        let app = start.open().await;
        for n in 1..=12 {
            app.card(&citizen(n), "PRINT_READY_RECORD").await;
        }
        let (first, suket) = (citizen(20), citizen(21));
        app.card(&first, "BIO_CAPTURED").await;
        app.card_with(&suket, "CARD_ISSUED", &[("document", json!("suket"))]).await;
        app.advance(Duration::from_secs(60)).await;
        for who in [&first, &suket] {
            app.card(who, "PRINT_READY_RECORD").await;
        }
        let ranks = "SELECT queue_rank, COUNT(*) FROM card WHERE queue_at IS NOT NULL GROUP BY queue_rank ORDER BY 1";
        assert_eq!(app.query(ranks).await, [["0", "2"], ["1", "12"]]);
        app.run_until_idle().await;
        let text = app.asks(&citizen(12).e164, "STATUS").await.text().to_owned();
        assert!(text.contains("Sekitar 10 kartu lain"), "{text}");
    }

    async fn those_whom_a_disaster_struck_go_first_also_where_they_waited_already(start: Start) {
        let mut start = start;
        start.settings.blanko.first_areas = vec![AreaCode::parse("35.17.09.2019").unwrap()];
        let app = start.open().await;
        let (early, late) = (citizen(20).of_area("35.17.09.2019"), citizen(21).of_area("35.17.09.2019"));
        for n in 1..=12 {
            app.card(&citizen(n), "PRINT_READY_RECORD").await;
        }
        app.card(&early, "PRINT_READY_RECORD").await;
        // As if it had come before the office said so.
        app.query("UPDATE card SET queue_rank = 1").await;
        app.advance(Duration::from_secs(60)).await;
        app.card(&late, "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        let ranks = "SELECT queue_rank, COUNT(*) FROM card WHERE queue_at IS NOT NULL GROUP BY queue_rank ORDER BY 1";
        assert_eq!(app.query(ranks).await, [["0", "2"], ["1", "12"]]);
        let text = app.asks(&late.e164, "STATUS").await.text().to_owned();
        assert!(!text.contains("Sekitar 10"), "{text}");
    }

    async fn a_place_in_the_queue_is_found_by_an_index(app: TestApp) {
        let plan = match app.engine() {
            kabar::store::Engine::Sqlite => "EXPLAIN QUERY PLAN ",
            kabar::store::Engine::Postgres => "SET enable_seqscan = off; EXPLAIN ",
        };
        if plan.starts_with("SET") {
            // Of an empty table PostgreSQL reads all; that the index fits is seen on the other engine.
            return;
        }
        let rows = app
            .query(&format!(
                "{plan} SELECT COUNT(*) FROM (SELECT 1 AS one FROM card WHERE queue_at IS NOT NULL \
                 AND substr(area, 1, 4) = '3517' AND queue_rank = 1 AND (queue_at, id) < (5, 'x') LIMIT 50000) AS e"
            ))
            .await;
        let plan = rows.concat().concat();
        assert!(plan.contains("card_queue") && plan.contains("(queue_at,id)<"), "{plan}");
    }

    async fn nobody_keeps_the_ledger_of_a_point_beyond_their_area_or_role(app: TestApp) {
        place(&app).await;
        let form = [("kind", "delivered"), ("cards", "10")];
        let path = "/console/blanko/titik/kec-jombang";
        let elsewhere = Browser::login(&app, OfficerRole::Kecamatan, "35.17.08").await;
        assert_eq!(elsewhere.post(path, &form).await.status, StatusCode::NOT_FOUND);
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        assert_eq!(desa.post(path, &form).await.status, StatusCode::FORBIDDEN);
        let here = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        for bad in [[("kind", "delivered"), ("cards", "0")], [("kind", "delivered"), ("cards", "banyak")]] {
            let page = here.post(path, &bad).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        }
        assert!(app.query("SELECT id FROM blanko_entry").await.is_empty());
        let area = AreaCode::parse("35.17.09").unwrap();
        assert_eq!(kabar::store::blanko::list_ledgers(&app.app.db, &area).await.unwrap().len(), 0);
    }
}
