//! When, where and whom: answers from the service points on file, and how officers change them.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::calendar::Week;
use kabar::domain::language::Language;
use kabar::domain::service_point::{BlankoStock, GeoPoint, PointService, PointState, PointStatus};
use kabar::service::point::office_opens;
use kabar::store::area::{list_names, upsert_areas};
use kabar::store::holiday::{Holiday, list_holidays, upsert_holiday};
use kabar::store::service_point::{
    Change, Detail, ServicePoint, find_with_condition, list_points, set_condition, upsert_point,
};
use kabar::store::survey::list_tallies;
use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::token;
use crate::support::{TestApp, citizen, list, on_both_engines, word};

const STRANGER: &str = "+6281299990000";
const WEEK: &str = "08.00-15.00|08.00-15.00|08.00-15.00|08.00-15.00|08.00-11.00||";

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

fn point(code: &str, name: &str, at: &str) -> ServicePoint {
    ServicePoint {
        code: code.to_owned(),
        name: name.to_owned(),
        short_name: name.replace("Kantor Kecamatan", "Kec."),
        area: area(at),
        address: Some("Jalan Contoh 1".to_owned()),
        hours: "hari kerja".to_owned(),
        hours_short: "hari kerja".to_owned(),
        detail: Detail {
            week: Week::parse(WEEK),
            map: GeoPoint::parse("-7.546", "112.233").ok(),
            services: vec![PointService::Recording, PointService::Kk],
            schedule: None,
            contact: None,
        },
    }
}

async fn write(app: &TestApp, points: &[ServicePoint]) {
    let mut tx = app.app.db.begin().await.unwrap();
    for point in points {
        upsert_point(&mut tx, point, app.app.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// The offices of two kecamatan and of the kabupaten.
async fn three(app: &TestApp) {
    let points = [
        point("dinas", "Dinas Dukcapil Kabupaten", "35.17"),
        point("kec-diwek", "Kantor Kecamatan Diwek", "35.17.08"),
        point("kec-jombang", "Kantor Kecamatan Jombang", "35.17.09"),
    ];
    write(app, &points).await;
}

async fn patch(app: &TestApp, role: Role, code: &str, body: Value) -> StatusCode {
    let url = format!("{}/v1/service-points/{code}", app.url);
    let request = app.http.request(Method::PATCH, url).json(&body).bearer_auth(token(role));
    request.send().await.unwrap().status()
}

on_both_engines! {
    async fn who_lists_the_places_waits_for_nobody_who_writes(app: TestApp) {
        write(&app, &[point("kec-jombang", "Kantor Kecamatan Jombang", "35.17.09")]).await;
        let mut busy = app.app.db.begin().await.unwrap();
        upsert_point(&mut busy, &point("kec-diwek", "Kantor Kecamatan Diwek", "35.17.08"), app.app.now())
            .await
            .unwrap();
        let listed = app.get("/v1/service-points").await;
        assert_eq!(list(&listed["service_points"]).len(), 1);
        let mut reading = app.app.db.reading().await.unwrap();
        assert!(list_tallies(&mut reading, None, None).await.unwrap().is_empty());
        busy.rollback().await.unwrap();
    }

    async fn the_office_of_ones_own_kecamatan_comes_first_and_says_how_today_is(app: TestApp) {
        three(&app).await;
        let siti = citizen(6).of_area("35.17.08.2014");
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let answer = app.asks(&siti.e164, "kantor buka sampai jam berapa").await;
        let lines: Vec<&str> = answer.text().lines().collect();
        assert_eq!(lines[0], "Kantor Kecamatan Diwek: Hari ini buka sampai 15.00. \
                              Senin-Kamis 08.00-15.00, Jumat 08.00-11.00.");
        assert!(lines[1].starts_with("Dinas Dukcapil"), "{lines:?}");
        assert!(lines[2].starts_with("Kantor Kecamatan Jombang"), "{lines:?}");
        app.advance_to("15:00 WIB").await;
        let answer = app.asks(&siti.e164, "kecamatan jombang buka jam berapa").await;
        assert!(answer.text().starts_with(
            "Kantor Kecamatan Jombang: Hari ini sudah tutup; buka lagi Selasa pukul 08.00."
        ), "{}", answer.text());
        assert!(!answer.text().contains("Diwek"), "{}", answer.text());
    }

    async fn without_points_the_general_answer_stands(app: TestApp) {
        let answer = app.asks(STRANGER, "kantor buka jam berapa").await;
        assert!(answer.text().contains("Umumnya kantor melayani"), "{}", answer.text());
    }

    async fn one_place_is_told_in_words_and_then_shown_on_the_map(app: TestApp) {
        three(&app).await;
        app.writes(STRANGER, "alamat kantor kecamatan jombang di mana").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(STRANGER);
        assert_eq!(sent.len(), 2);
        assert!(sent[0].text().contains("Kantor Kecamatan Jombang, Jalan Contoh 1"), "{}", sent[0].text());
        assert!(sent[0].text().contains("perekaman, KK"), "{}", sent[0].text());
        assert_eq!(sent[1].body["type"], "location");
        assert_eq!(
            sent[1].body["location"],
            json!({"latitude": -7.546, "longitude": 112.233,
                   "name": "Kantor Kecamatan Jombang", "address": "Jalan Contoh 1"})
        );
    }

    async fn a_holiday_and_other_hours_hold_where_they_were_declared(app: TestApp) {
        three(&app).await;
        let today = app.clock.wib().date_naive();
        let mut tx = app.app.db.begin().await.unwrap();
        let day = |at: Option<&str>, name: &str, hours: Option<&str>| Holiday {
            date: today,
            area: at.map(area),
            name: name.to_owned(),
            hours: hours.map(|hours| kabar::domain::calendar::parse_spans(hours).unwrap()),
        };
        let days = [
            day(None, "Libur bersama", None),
            day(Some("35.17.08"), "Piket", Some("08.00-10.30")),
            day(Some("35.18"), "Daerah lain", None),
        ];
        for day in &days {
            upsert_holiday(&mut tx, day, app.app.now()).await.unwrap();
        }
        assert_eq!(list_holidays(&mut tx, (today, today)).await.unwrap(), days);
        tx.commit().await.unwrap();
        let answer = app.asks(STRANGER, "kecamatan jombang buka jam berapa").await;
        assert!(answer.text().contains("Hari ini libur: Libur bersama; buka lagi Selasa"), "{}", answer.text());
        let answer = app.asks(STRANGER, "kecamatan diwek buka jam berapa").await;
        assert!(answer.text().contains("Hari ini buka sampai 10.30."), "{}", answer.text());
    }

    async fn the_day_asked_about_is_answered_with_the_holidays_of_that_place(app: TestApp) {
        three(&app).await;
        let mut tx = app.app.db.begin().await.unwrap();
        let date = app.clock.wib().date_naive().succ_opt().unwrap();
        let at = Some(area("35.17.08"));
        let day = Holiday { date, area: at, name: "Sedekah bumi".to_owned(), hours: None };
        upsert_holiday(&mut tx, &day, app.app.now()).await.unwrap();
        tx.commit().await.unwrap();
        let answer = app.asks(STRANGER, "kecamatan diwek besok buka jam berapa").await;
        assert_eq!(answer.text(), "Kantor Kecamatan Diwek: Besok, Selasa, 24 November, libur: \
                                   Sedekah bumi; buka lagi Rabu pukul 08.00.");
        let answer = app.asks(STRANGER, "kecamatan jombang besok buka jam berapa").await;
        assert_eq!(answer.text(), "Kantor Kecamatan Jombang: Besok, Selasa, 24 November, buka 08.00-15.00.");
    }

    async fn a_place_without_a_point_is_said_to_have_none_before_the_nearest_are_named(app: TestApp) {
        three(&app).await;
        let mut tx = app.app.db.begin().await.unwrap();
        let names = [
            ("35.17", "Jombang"),
            ("35.17.13", "Mojowarno"),
            ("35.17.09.2003", "Candimulyo"),
            ("35.18.01", "Wringinpitu"),
            ("35.170", "Tidak ada"),
        ];
        let names = names.into_iter().filter_map(|(code, name)| {
            AreaCode::parse(code).ok().map(|code| (code, name.to_owned()))
        });
        upsert_areas(&mut tx, &app.app.db, &names.collect(), app.app.now()).await.unwrap();
        let listed = list_names(&mut tx, &area("35.17"), 10).await.unwrap();
        let codes: Vec<String> = listed.into_iter().map(|(code, _)| code.to_string()).collect();
        assert_eq!(codes, ["35.17", "35.17.09.2003", "35.17.13"], "and none of the neighbours");
        tx.commit().await.unwrap();
        let siti = citizen(6).of_area("35.17.08.2014");
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let answer = app.asks(&siti.e164, "kecamatan mojowarno buka jam berapa").await;
        let lines: Vec<&str> = answer.text().lines().collect();
        assert_eq!(lines[0], "Di Kecamatan Mojowarno belum ada tempat layanan pada data saya.");
        assert_eq!(lines[1], "Yang terdekat:");
        let answer = app.asks(&siti.e164, "kantor desa candimulyo buka jam berapa").await;
        let lines: Vec<&str> = answer.text().lines().collect();
        assert_eq!(lines[0], "Di Desa/Kelurahan Candimulyo belum ada tempat layanan pada data saya.");
        assert!(lines[2].starts_with("Kantor Kecamatan Jombang"), "its own kecamatan: {lines:?}");
        let answer = app.asks(&siti.e164, "kecamatan wringinpitu buka jam berapa").await;
        assert!(answer.text().starts_with("Tempat yang Anda sebut tidak ada pada data saya."), "{}", answer.text());
    }

    async fn a_place_that_was_named_is_still_meant_when_the_choice_comes(app: TestApp) {
        three(&app).await;
        let answer = app.asks(STRANGER, "alamat kecamatan diwek").await;
        assert!(answer.text().contains("Maksudnya yang mana"), "{}", answer.text());
        app.writes(STRANGER, "1").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(STRANGER);
        let text = sent[1].text();
        assert!(text.contains("Kantor Kecamatan Diwek, Jalan Contoh 1"), "{text}");
        assert!(!text.contains("Jombang"), "{text}");
    }

    async fn an_officer_closes_a_point_and_citizens_are_told_until_when_and_why(app: TestApp) {
        three(&app).await;
        let close = json!({"status": "closed", "until": "2026-11-25", "because": "perbaikan gedung"});
        assert_eq!(patch(&app, Role::Auditor, "kec-diwek", close.clone()).await, StatusCode::FORBIDDEN);
        assert_eq!(patch(&app, Role::Office, "kec-nirwana", close.clone()).await, StatusCode::NOT_FOUND);
        for bad in [
            json!({"status": "closed"}),
            json!({"status": "closed", "because": "x", "until": "2026-11-20"}),
            json!({"status": "running", "because": "x"}),
            json!({"status": "tutup"}),
            json!({"because": "x"}),
            json!({"blanko": "habis"}),
            json!({"state": "closed"}),
            json!({}),
        ] {
            let status = patch(&app, Role::Office, "kec-diwek", bad.clone()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
        }
        assert_eq!(patch(&app, Role::Office, "kec-diwek", close).await, StatusCode::NO_CONTENT);
        let points = list(&app.get("/v1/service-points").await["service_points"]);
        let diwek = points.iter().find(|point| point["code"] == "kec-diwek").unwrap();
        assert_eq!((word(&diwek["status"]), word(&diwek["until"])), ("closed".into(), "2026-11-25".into()));
        assert!(!word(&diwek["said_by"]).is_empty());
        let answer = app.asks(STRANGER, "kecamatan diwek buka jam berapa").await;
        assert_eq!(answer.text(), "Kantor Kecamatan Diwek: tutup sementara sampai 25 November karena perbaikan gedung.");
        app.advance(Duration::from_secs(3 * 24 * 3600)).await;
        let answer = app.asks(STRANGER, "kecamatan diwek buka jam berapa").await;
        assert!(answer.text().contains("Hari ini buka sampai 15.00."), "{}", answer.text());
    }

    async fn the_stock_of_blank_cards_is_told_as_of_its_day(app: TestApp) {
        three(&app).await;
        let answer = app.asks(STRANGER, "blangko masih kosong kah").await;
        assert!(answer.text().contains("hanya datang dari Kementerian"), "{}", answer.text());
        let none = json!({"blanko": "none"});
        assert_eq!(patch(&app, Role::Office, "kec-jombang", none).await, StatusCode::NO_CONTENT);
        let answer = app.asks(STRANGER, "blangko masih kosong kah").await;
        assert!(answer.text().starts_with(
            "Blangko KTP-el di Kantor Kecamatan Jombang: sedang kosong (per 23 November)."
        ), "{}", answer.text());
    }

    async fn an_import_does_not_undo_what_an_officer_said(app: TestApp) {
        three(&app).await;
        let mut tx = app.app.db.begin().await.unwrap();
        let now = app.app.now();
        let state = PointState { status: PointStatus::Preparation, until: None, because: None };
        for change in [Change::State(state.clone()), Change::Blanko(BlankoStock::Low)] {
            assert!(set_condition(&mut tx, "dinas", &change, "Budi", now).await.unwrap());
        }
        assert!(!set_condition(&mut tx, "none", &Change::State(state.clone()), "Budi", now).await.unwrap());
        let mut changed = point("dinas", "Dinas baru", "35.17");
        changed.detail = Detail { schedule: Some("Senin".to_owned()), ..Detail::default() };
        upsert_point(&mut tx, &changed, now).await.unwrap();
        let (found, condition) = find_with_condition(&mut tx, "dinas").await.unwrap().unwrap();
        assert_eq!(found, changed);
        assert_eq!((condition.state, condition.blanko), (state, BlankoStock::Low));
        assert_eq!((condition.blanko_at, condition.said_by.as_deref()), (Some(now), Some("Budi")));
        assert_eq!(list_points(&mut tx, 2).await.unwrap().len(), 2);
        tx.rollback().await.unwrap();
    }

    async fn the_next_opening_of_the_office_is_said_in_words(app: TestApp) {
        let opens_in = async |language| {
            let mut tx = app.app.db.begin().await.unwrap();
            let (at, now) = (area("35.17.09"), app.app.now());
            let opens = office_opens(&app.app, &mut tx, &at, language, now).await;
            tx.rollback().await.unwrap();
            opens.unwrap()
        };
        let opens = async || opens_in(Language::Indonesian).await;
        assert_eq!(opens().await, None, "no hours are on file");
        three(&app).await;
        assert_eq!(opens().await, None, "it is open");
        app.advance_to("15:00 WIB").await;
        assert_eq!(opens().await.as_deref(), Some("Selasa, 24 November, mulai pukul 08.00 WIB"));
        let english = opens_in(Language::English).await;
        assert_eq!(english.as_deref(), Some("Tuesday, 24 November, from 08.00 WIB"));
    }

    async fn an_area_hears_its_own_rule_and_others_do_not(app: TestApp) {
        let siti = citizen(6);
        let budi = citizen(7).of_area("35.18.01.2001");
        for one in [&siti, &budi] {
            app.card(one, "PRINT_READY_RECORD").await;
        }
        app.run_until_idle().await;
        let own = app.asks(&siti.e164, "bisa minta suket gak").await;
        assert!(own.text().contains("Suket tidak lagi diterbitkan"), "{}", own.text());
        assert!(own.text().contains("Ini aturan Kabupaten Jombang."), "{}", own.text());
        let other = app.asks(&budi.e164, "bisa minta suket gak").await;
        assert!(!other.text().contains("Jombang"), "{}", other.text());
    }
}
