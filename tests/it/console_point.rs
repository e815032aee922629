//! The console's places and calendar: what an officer sets is told to the next citizen who asks, and nobody sets
//! anything beyond their area.

use kabar::domain::area::AreaCode;
use kabar::domain::calendar::Week;
use kabar::domain::officer::OfficerRole;
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use reqwest::StatusCode;

use crate::support::console::Browser;
use crate::support::{TestApp, on_both_engines};

const STRANGER: &str = "+6281299990000";

async fn places(app: &TestApp) {
    let mut tx = app.app.db.begin().await.unwrap();
    for (code, name, area) in [
        ("kec-jombang", "Kantor Kecamatan Jombang", "35.17.09"),
        ("kec-diwek", "Kantor Kecamatan Diwek", "35.17.08"),
    ] {
        let week = Week::parse(&format!("{}||", ["08.00-15.00"; 5].join("|")));
        let point = ServicePoint {
            code: code.to_owned(),
            name: name.to_owned(),
            short_name: name.to_owned(),
            area: AreaCode::parse(area).unwrap(),
            address: Some("Jalan Contoh 1".to_owned()),
            hours: "Senin-Jumat 08.00-15.00".to_owned(),
            hours_short: "Sn-Jm 08-15".to_owned(),
            detail: Detail { week, ..Detail::default() },
        };
        upsert_point(&mut tx, &point, app.app.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn a_place_that_is_closed_on_its_page_is_closed_to_the_next_citizen(app: TestApp) {
        places(&app).await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = browser.get("/console/tempat").await;
        assert!(page.says("Kantor Kecamatan Jombang") && !page.says("Diwek"), "{}", page.text);
        let here = "/console/tempat/titik/kec-jombang";
        let page = browser.get(here).await;
        assert!(page.says("Hari ini buka sampai 15.00"), "the preview: {}", page.text);
        let nothing = [("status", "closed"), ("because", "  "), ("until", "")];
        let refused = browser.post(&format!("{here}/keadaan"), &nothing).await;
        assert_eq!(refused.status, StatusCode::OK);
        assert!(refused.says("Tulis alasannya"), "{}", refused.text);
        let past = [("status", "closed"), ("because", "renovasi"), ("until", "2020-01-01")];
        assert!(browser.post(&format!("{here}/keadaan"), &past).await.says("sudah lewat"));

        let until = app.clock.wib().date_naive().succ_opt().unwrap().to_string();
        let form = [("status", "closed"), ("because", "renovasi loket"), ("until", until.as_str())];
        let page = browser.post_and_follow(&format!("{here}/keadaan"), &form).await;
        assert!(page.says("Tersimpan") && page.says("renovasi loket"), "{}", page.text);
        let answer = app.asks(STRANGER, "kantor kecamatan jombang buka jam berapa").await;
        assert!(answer.text().contains("renovasi loket"), "{}", answer.text());

        browser.post_and_follow(&format!("{here}/blanko"), &[("blanko", "none")]).await;
        browser.post_and_follow(&format!("{here}/keadaan"), &[("status", "running")]).await;
        let rows = app.query("SELECT status, blanko FROM service_point WHERE code = 'kec-jombang'").await;
        assert_eq!(rows, [["running", "none"]]);
        let trail = app
            .query("SELECT detail FROM audit WHERE action = 'changed_point' ORDER BY id")
            .await
            .concat();
        assert_eq!(trail, [format!("closed {until}"), "blanko none".to_owned(), "running".to_owned()]);
    }

    async fn a_place_of_another_area_is_not_there_and_an_auditor_changes_none(app: TestApp) {
        places(&app).await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        for (path, form) in [
            ("/console/tempat/titik/kec-diwek", None),
            ("/console/tempat/titik/kec-diwek/keadaan", Some([("status", "preparation")])),
            ("/console/tempat/titik/kec-diwek/blanko", Some([("blanko", "none")])),
        ] {
            let answer = match form {
                Some(form) => browser.post(path, &form).await,
                None => browser.get(path).await,
            };
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        let auditor = Browser::login(&app, OfficerRole::Auditor, "35.17").await;
        assert_eq!(auditor.get("/console/tempat/titik/kec-diwek").await.status, StatusCode::OK);
        let path = "/console/tempat/titik/kec-diwek/blanko";
        assert_eq!(auditor.post(path, &[("blanko", "none")]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(app.query("SELECT COUNT(*) FROM service_point WHERE blanko <> 'unknown'").await, [["0"]]);
    }

    async fn a_day_off_is_put_into_the_calendar_told_and_taken_out_again(app: TestApp) {
        places(&app).await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let today = app.clock.wib().date_naive().to_string();
        let day = |name: &'static str, hours: &'static str, area: &'static str| {
            [("from", today.clone()), ("to", String::new()), ("name", name.to_owned()),
             ("hours", hours.to_owned()), ("area", area.to_owned())]
        };
        let add = async |fields: [(&str, String); 5]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
            browser.post("/console/tempat/kalender", &fields).await
        };
        for (fields, what) in [
            (day("", "", "35.17.09"), "Tulis nama"),
            (day("Piket", "pagi", "35.17.09"), "Jamnya tidak terbaca"),
            (day("Libur", "", "35.17.08"), "di luar wilayah"),
            (day("Libur", "", ""), "di luar wilayah"),
        ] {
            let answer = add(fields).await;
            assert!(answer.status == StatusCode::OK && answer.says(what), "{what}: {}", answer.text);
        }
        assert_eq!(app.query("SELECT COUNT(*) FROM holiday").await, [["0"]]);
        assert_eq!(add(day("Sedekah bumi", "", "35.17.09")).await.status, StatusCode::SEE_OTHER);
        let page = browser.get("/console/tempat/kalender").await;
        assert!(page.says("Sedekah bumi") && page.says("35.17.09"), "{}", page.text);
        let answer = app.asks(STRANGER, "kantor kecamatan jombang buka jam berapa").await;
        assert!(answer.text().contains("Sedekah bumi"), "{}", answer.text());

        // What holds above is seen, and stays.
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let fields = [("from", today.as_str()), ("name", "Cuti bersama"), ("hours", "08.00-10.00"), ("area", "")];
        dinas.post_and_follow("/console/tempat/kalender", &fields).await;
        let page = browser.get("/console/tempat/kalender").await;
        assert!(page.says("Cuti bersama") && page.says("08.00-10.00"), "{}", page.text);
        assert_eq!(page.text.matches("/console/tempat/kalender/hapus").count(), 1);
        let all = [("date", today.as_str()), ("area", "")];
        let refused = browser.post("/console/tempat/kalender/hapus", &all).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        let own = [("date", today.as_str()), ("area", "35.17.09")];
        let page = browser.post_and_follow("/console/tempat/kalender/hapus", &own).await;
        assert!(!page.says("Sedekah bumi"), "{}", page.text);
        assert_eq!(browser.post("/console/tempat/kalender/hapus", &own).await.status, StatusCode::NOT_FOUND);
        let trail = app.query("SELECT object, detail FROM audit WHERE action = 'changed_calendar' ORDER BY id").await;
        let own = format!("{today} 35.17.09");
        assert_eq!(trail, [[own.clone(), "closed".into()], [today.clone(), "other hours".into()], [own, "removed".into()]]);
    }

    async fn several_days_are_written_at_once(app: TestApp) {
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let fields = [("from", "2027-03-08"), ("to", "2027-03-12"), ("name", "Cuti bersama"), ("hours", ""), ("area", "")];
        let page = dinas.post_and_follow("/console/tempat/kalender", &fields).await;
        assert_eq!(page.text.matches("Cuti bersama</td>").count(), 5, "{}", page.text);
        let fields = [("from", "2027-03-08"), ("to", "2028-03-12"), ("name", "Cuti"), ("hours", ""), ("area", "")];
        assert!(dinas.post("/console/tempat/kalender", &fields).await.says("lebih dari 62 hari"));
    }
}
