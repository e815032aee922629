//! What an office does about a round: hands a card over at the counter before it leaves, mends an address, chooses
//! days, and knows of the cards whose holders died.

use std::time::Duration;

use chrono::Days;
use kabar::domain::id::ItemId;
use kabar::domain::officer::OfficerRole;
use kabar::service::round::{self, Found, Report, RightHome, RoundError, Wish};
use kabar::store::holiday::{Holiday, upsert_holiday};
use serde_json::json;

use crate::round::{DESA, announced, at, holder, told, tomorrow, wish};
use crate::support::console::Browser;
use crate::support::{TestApp, citizen, on_both_engines};

async fn item_id(app: &TestApp, ground: &crate::round::Ground, n: usize) -> ItemId {
    ground.item(app, n).await.id.parse().unwrap()
}

/// A source says where citizen `n` lives.
async fn source_says(app: &TestApp, n: usize, address: &str, rt: &str) {
    app.advance(Duration::from_secs(60)).await;
    let home =
        [("address", json!(address)), ("rt", json!(rt)), ("service_point", json!("kec-jombang"))];
    app.card_with(&citizen(n), "CARD_PRINTED", &home).await;
    app.run_until_idle().await;
}

on_both_engines! {
    async fn whoever_comes_to_the_counter_before_the_round_leaves_gets_the_card_there(app: TestApp) {
        let ground = announced(&app, 2).await;
        let way = (ground.round, item_id(&app, &ground, 1).await);
        let nameless = round::hand_over_by_word(&app.app, &ground.office, way, (" ", "datang ke loket")).await;
        assert_eq!(nameless.unwrap(), "refused");
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = browser.get(&format!("/console/antar/putaran/{}", ground.round)).await;
        assert!(page.says("Serahkan di loket"), "{}", page.text);
        let form = [("kartu", way.1.to_string()), ("penerima", "Siti Aminah".into()), ("alasan", "datang ke loket".into())];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = browser.post_and_follow(&format!("/console/antar/putaran/{}/serahkan", ground.round), &form).await;
        assert!(page.says("Dicatat diterima"), "{}", page.text);
        app.run_until_idle().await;
        assert_eq!(holder(&app, 1).await, "citizen");
        assert_eq!(told(&app, 1).await.last().unwrap(), "card_issued");
        assert_eq!(app.query("SELECT state FROM delivery_round").await, [["announced"]], "it has not left");
        assert_eq!(holder(&app, 2).await, "point kec-jombang");
        let again = round::hand_over_by_word(&app.app, &ground.office, way, ("Siti", "datang")).await;
        assert_eq!(again.unwrap(), "not_here");
        app.advance_to("07:30 WIB").await;
        assert_eq!(round::start(&app.app, &ground.courier, ground.round).await.unwrap(), (1, 0));
        assert!(!told(&app, 1).await.contains(&"home_delivery_code".to_owned()));
        assert!(told(&app, 2).await.contains(&"home_delivery_code".to_owned()));
    }

    async fn where_somebody_lives_by_the_word_of_the_desa_outlives_a_source_that_repeats_itself(app: TestApp) {
        let ground = announced(&app, 1).await;
        ground.morning(&app).await;
        ground.outcome(&app, 1, 1, "unclear_address").await;
        let item = item_id(&app, &ground, 1).await;
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        let home = RightHome { rt: "003", rw: "", address: "Gang Mawar 7" };
        round::settle_question(&app.app, &ground.office, item, Found::Again, &home).await.unwrap();
        let next = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await.unwrap()[0];
        let stands = async || {
            let shown = round::for_courier(&app.app, &ground.courier, next).await.unwrap().items.remove(0);
            format!("RT {} RW {} {}", shown.rt, shown.rw, shown.address)
        };
        assert_eq!(stands().await, "RT 003 RW 002 Gang Mawar 7");
        source_says(&app, 1, "Jalan Melati 1", "008").await;
        assert_eq!(stands().await, "RT 003 RW 002 Gang Mawar 7", "what was wrong before is wrong still");
        source_says(&app, 1, "Jalan Anggrek 2", "008").await;
        assert_eq!(stands().await, "RT 003 RW 002 Jalan Anggrek 2", "they moved");
    }

    async fn rounds_one_after_the_other_leave_out_weekends_and_days_off(app: TestApp) {
        let date = "2026-11-25".parse().unwrap();
        let holiday = Holiday { date, area: None, name: "Hari libur".to_owned(), hours: None };
        let mut tx = app.app.db.begin().await.unwrap();
        upsert_holiday(&mut tx, &holiday, app.app.now()).await.unwrap();
        tx.commit().await.unwrap();
        let area = kabar::domain::area::AreaCode::parse(DESA).unwrap();
        let days = round::days_from(&app.app, &area, "2026-11-24".parse().unwrap(), 4).await.unwrap();
        let days: Vec<String> = days.iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-11-24", "2026-11-26", "2026-11-27", "2026-11-30"]);
        let sunday = round::days_from(&app.app, &area, "2026-11-29".parse().unwrap(), 1).await.unwrap();
        assert_eq!(sunday.len(), 1, "an office may choose any day");
    }

    async fn no_round_begins_before_its_codes_are_told(app: TestApp) {
        let ground = announced(&app, 1).await;
        let early = Wish { from: at(6), ..wish(&app, &ground.courier, 1) };
        let refused = round::plan(&app.app, &ground.office, &early).await;
        assert!(matches!(refused, Err(RoundError::BeforeCodes(_))), "{refused:?}");
        let to = (tomorrow(&app) + Days::new(1), at(6), at(9));
        let refused = round::move_to(&app.app, &ground.office, ground.round, to).await;
        assert!(matches!(refused, Err(RoundError::BeforeCodes(_))), "{refused:?}");
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let day = to.0.to_string();
        let form = [("hari", day.as_str()), ("dari", "06:00"), ("sampai", "09:00")];
        let page = browser.post_and_follow(&format!("/console/antar/putaran/{}/pindah", ground.round), &form).await;
        assert!(page.says("sebelum warga menerima kodenya"), "{}", page.text);
    }

    async fn cards_of_the_dead_are_listed_once_they_lie_in_the_office_and_the_old_card_is_noted(app: TestApp) {
        let ground = announced(&app, 2).await;
        ground.morning(&app).await;
        ground.outcome(&app, 1, 1, "died").await;
        let item = ground.item(&app, 2).await;
        let code = crate::round::code(&app, 2);
        let report = Report {
            item: item.id, outcome: "received".into(), by: "self".into(), code, old_card: "yes".into(),
            version: item.version, ..Report::default()
        };
        assert_eq!(ground.report(&app, 2, report).await.result, "done");
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let lying = "meninggal atau pindah";
        assert!(!browser.get("/console/antar").await.says(lying), "the courier has it");
        let page = browser.get(&format!("/console/antar/putaran/{}", ground.round)).await;
        assert!(page.says("KTP lama diserahkan"), "{}", page.text);
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        let page = browser.get("/console/antar").await;
        assert!(page.says(lying) && page.says("Jalan Melati 1"), "{}", page.text);
        let elsewhere = Browser::login(&app, OfficerRole::Kecamatan, "35.17.08").await;
        assert!(!elsewhere.get("/console/antar").await.says(lying));
        round::take_back_absence(&app.app, &ground.office, (ground.round, item_id(&app, &ground, 1).await)).await.unwrap();
        assert!(!browser.get("/console/antar").await.says(lying), "it is brought again");
    }
}
