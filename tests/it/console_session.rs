//! The console's pages about sessions: from the plan to the counter, who may do what, and what a form refuses.

use std::time::Duration;

use kabar::domain::officer::OfficerRole;
use reqwest::StatusCode;

use crate::collection::place;
use crate::support::console::Browser;
use crate::support::meta::Request;
use crate::support::{TestApp, on_both_engines};

const HERE: &str = "/console/kunjungan";
const SITI: &str = "+6281299990001";
const BUDI: &str = "+6281299990002";
const DEWI: &str = "+6281299990003";

fn in_days(app: &TestApp, days: u64) -> String {
    let today = app.clock.wib().date_naive();
    today.checked_add_days(chrono::Days::new(days)).unwrap().to_string()
}

/// What a form says of a session at the kecamatan on that day.
fn form<'a>(day: &'a str, quota: &'a str, held: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("kind", "recording_day"),
        ("point", "kec-jombang"),
        ("day", day),
        ("from", "08:00"),
        ("to", "10:00"),
        ("service", "printing"),
        ("service", "recording"),
        ("quota", quota),
        ("held", held),
    ]
}

/// Puts a session down; gives its page.
async fn session(
    app: &TestApp,
    browser: &Browser,
    days: u64,
    (quota, held): (&str, &str),
) -> String {
    place(app).await;
    let day = in_days(app, days);
    let page = browser.post_and_follow(&format!("{HERE}/baru"), &form(&day, quota, held)).await;
    assert!(page.says("Sesi ditambahkan") && page.says("Hari perekaman"), "{}", page.text);
    let id = app.query("SELECT id FROM service_session ORDER BY id DESC LIMIT 1").await;
    format!("{HERE}/sesi/{}", id.concat().concat())
}

async fn press(app: &TestApp, who: &str, last: &Request, title: &str) -> Request {
    let choices = last.choices();
    let choice = choices.iter().find(|(_, name)| name.starts_with(title));
    let choice = choice.unwrap_or_else(|| panic!("no {title} in {choices:?}: {}", last.text()));
    app.presses(who, choice).await
}

/// Asks for a place to replace a lost card, with the first paper at hand or without.
pub async fn asks_for_a_place(app: &TestApp, who: &str, has: &str) -> Request {
    asks_for_a_place_with(app, who, ("Buat janji", has, "Ya")).await
}

/// The same in the words of some language.
pub async fn asks_for_a_place_with(
    app: &TestApp,
    who: &str,
    (book, has, yes): (&str, &str, &str),
) -> Request {
    let answer = app.asks(who, "syarat ktp hilang").await;
    let asked = press(app, who, &answer, book).await;
    let asked = press(app, who, &asked, has).await;
    let mut slots = press(app, who, &asked, yes).await;
    for _ in 0..3 {
        if slots.choices().iter().any(|(_, title)| title.starts_with("1. ")) {
            break;
        }
        slots = press(app, who, &slots, yes).await;
    }
    slots
}

/// Books one by chat; gives the code.
pub async fn books(app: &TestApp, who: &str, has: &str) -> String {
    let slots = asks_for_a_place(app, who, has).await;
    let booked = press(app, who, &slots, "1. ").await;
    let at = booked.text().find("J-").unwrap_or_else(|| panic!("no code: {}", booked.text()));
    booked.text()[at..at + 6].to_owned()
}

async fn case(app: &TestApp, code: &str) -> String {
    let id = app.query(&format!("SELECT id FROM appointment WHERE code = '{code}'")).await;
    format!("{HERE}/janji/{}", id.concat().concat())
}

on_both_engines! {
    async fn a_day_without_sessions_leads_to_the_next_that_has_some(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        session(&app, &office, 3, ("10", "2")).await;
        let next = format!("{HERE}?hari={}", in_days(&app, 3));
        for empty in [HERE.to_owned(), format!("{HERE}?hari={}", in_days(&app, 1))] {
            let page = office.get(&empty).await;
            assert!(page.says("Sesi berikutnya") && page.attributes("href").contains(&next), "{}", page.text);
        }
        assert!(!office.get(&next).await.says("Sesi berikutnya"));
    }

    async fn a_case_is_opened_by_its_code_however_it_is_typed_and_settled(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 1, ("10", "2")).await;
        let code = books(&app, SITI, "Ya").await;
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        let typed = code.to_lowercase().replace('-', "  ");
        let elsewhere = desa.post(&format!("{HERE}/loket"), &[("kode", &typed)]).await;
        assert!(elsewhere.says("Tidak ada janji dengan kode itu"), "{}", elsewhere.text);
        let wrong = office.post(&format!("{HERE}/loket"), &[("kode", "halo semua \u{0}<b>")]).await;
        assert!(wrong.says("Itu bukan kode janji") && !wrong.says("<b>"), "{}", wrong.text);
        let page = office.post_and_follow(&format!("{HERE}/loket"), &[("kode", &typed)]).await;
        assert!(page.says(&code) && page.says("08.00 WIB"), "{}", page.text);
        assert!(page.says("surat kehilangan dari kepolisian") && page.says(">ada<"), "{}", page.text);
        assert!(page.says("Janji ini untuk hari lain") && !page.says("Tidak datang<"), "{}", page.text);
        let case = case(&app, &code).await;
        let early = office.post(&format!("{case}/tidak-hadir"), &[]).await;
        assert!(early.status == StatusCode::OK && early.says("Sesinya belum mulai"), "{}", early.text);
        app.advance_to("08:10 WIB").await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = office.post_and_follow(&format!("{case}/hadir"), &[]).await;
        assert!(page.says("Dicatat: datang") && page.says("kode"), "the next citizen: {}", page.text);
        let twice = office.post(&format!("{case}/tidak-hadir"), &[]).await;
        assert!(twice.says("Tidak bisa lagi: janji ini datang"), "{}", twice.text);
        assert!(office.get(&way).await.says("badge good"), "the list shows it");
        let looks = "SELECT COUNT(*) FROM audit WHERE action = 'opened_appointment'";
        assert_eq!(app.query(looks).await, [["2"]], "once an hour");
    }

    async fn a_case_says_what_the_citizen_lacks_and_no_more_than_it_holds(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 2, ("10", "2")).await;
        let form = [("service", "req_ktp_lost"), ("who", "Sri Wahyuni")];
        let page = office.post_and_follow(&format!("{way}/janji"), &form).await;
        assert!(page.says("Tempat diberikan. Kode J-") && page.says("Sri W."), "{}", page.text);
        assert!(!page.says("Wahyuni"), "{}", page.text);
        let code = app.query("SELECT code FROM appointment").await.concat().concat();
        let page = office.get(&case(&app, &code).await).await;
        assert!(page.says("Sri W.") && page.says("belum ditanyakan") && !page.says("Wahyuni"), "{}", page.text);
        let long = "x".repeat(81);
        let refused = office.post(&format!("{way}/janji"), &[("service", "req_ktp_lost"), ("who", &long)]).await;
        assert!(refused.says("paling banyak 80 huruf"), "{}", refused.text);
        let refused = office.post(&format!("{way}/janji"), &[("service", "req_kia")]).await;
        assert!(refused.says("tidak dilayani di sesi ini"), "{}", refused.text);
        let cancelled = office.post_and_follow(&format!("{}/batal", case(&app, &code).await), &[]).await;
        assert!(cancelled.says("Janji dibatalkan"), "{}", cancelled.text);
        assert_eq!(app.query("SELECT state FROM appointment").await, [["cancelled"]]);
    }

    async fn the_share_kept_for_the_counter_is_given_there_and_let_go_for_who_waits(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 2, ("3", "2")).await;
        books(&app, SITI, "Ya").await;
        let full = asks_for_a_place(&app, BUDI, "Ya").await;
        press(&app, BUDI, &full, "1. ").await;
        let page = office.post_and_follow(&format!("{way}/janji"), &[("service", "req_ktp_lost")]).await;
        assert!(page.says("Daftar tunggu") && page.says("2 dari 3"), "{}", page.text);
        assert!(office.get("/console/hari-ini").await.says("Ada yang menunggu, padahal masih ada tempat"));
        let none = office.post(&format!("{way}/kuota"), &[("quota", "3"), ("held", "3")]).await;
        assert!(none.says("Tempat simpanan harus lebih sedikit"), "{}", none.text);
        let less = office.post(&format!("{way}/kuota"), &[("quota", "1"), ("held", "0")]).await;
        assert!(less.says("tidak bisa kurang dari tempat"), "{}", less.text);
        let page = office.post_and_follow(&format!("{way}/kuota"), &[("quota", "3"), ("held", "0")]).await;
        assert!(page.says("Kuota diubah") && page.says("3 dari 3") && !page.says("Daftar tunggu"), "{}", page.text);
        app.run_until_idle().await;
        let told = app.whatsapp.sent_to(BUDI);
        assert!(told.iter().any(|sent| sent.text().contains("Ada tempat untuk Anda")));
        assert!(!office.get("/console/hari-ini").await.says("padahal masih ada tempat"));
        let refused = office.post(&format!("{way}/janji"), &[("service", "req_ktp_lost")]).await;
        assert!(refused.says("Semua tempat di sesi ini sudah terisi"), "{}", refused.text);
    }

    async fn calling_off_says_first_how_many_will_be_told_and_tells_them(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 2, ("10", "2")).await;
        books(&app, SITI, "Ya").await;
        books(&app, DEWI, "Ya").await;
        office.post_and_follow(&format!("{way}/janji"), &[("service", "req_ktp_lost")]).await;
        let asked = office.get(&format!("{way}/batal")).await;
        assert!(asked.says("<strong>2</strong>") && asked.says("<strong>1</strong>"), "{}", asked.text);
        for bad in ["", "  ", "lihat www.x.id", "a\nb"] {
            let refused = office.post(&format!("{way}/batal"), &[("because", bad)]).await;
            assert!(refused.says("Tulis alasannya"), "{bad}: {}", refused.text);
        }
        assert_eq!(app.query("SELECT closed_at FROM service_session").await, [["NULL"]]);
        let page = office.post_and_follow(&format!("{way}/batal"), &[("because", "alat rekam rusak")]).await;
        assert!(page.says("Sesi dibatalkan") && page.says("karena alat rekam rusak"), "{}", page.text);
        app.run_until_idle().await;
        for who in [SITI, DEWI] {
            let told = app.whatsapp.sent_to(who);
            assert!(told.iter().any(|sent| sent.text().contains("tidak jadi karena alat rekam rusak")), "{who}");
        }
        let twice = office.post(&format!("{way}/batal"), &[("because", "lagi")]).await;
        assert!(twice.says("sudah selesai atau sudah dibatalkan"), "{}", twice.text);
        assert!(office.get(&format!("{HERE}?hari={}", in_days(&app, 2))).await.says("dibatalkan"));
    }

    async fn weekly_hours_are_saved_for_each_day_laid_out_with_their_share_and_ended(app: TestApp) {
        place(&app).await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let here = "/console/tempat/titik/kec-jombang/jadwal";
        assert!(office.get("/console/tempat/titik/kec-jombang").await.says(here));
        let mut form = vec![("from", "08:00"), ("to", "11:30"), ("service", "printing"), ("quota", "20"), ("held", "7")];
        assert!(office.post(here, &form).await.says("Pilih paling sedikit satu hari"));
        form.extend([("day", "tue"), ("day", "thu")]);
        let page = office.post_and_follow(here, &form).await;
        let twice = office.post(here, &form).await;
        assert!(twice.says("Sudah ada jadwal pada jam itu: Selasa 08.00–11.30"), "{}", twice.text);
        assert!(page.says("Selasa") && page.says("Kamis") && page.says("08.00–11.30 WIB"), "{}", page.text);
        app.run_until_idle().await;
        kabar::service::appointment::step(&app.app).await.unwrap();
        let laid = app.query("SELECT DISTINCT held FROM service_session").await;
        assert_eq!(laid, [["7"]]);
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09").await;
        let seen = desa.get(here).await;
        assert!(seen.says("Selasa") && !seen.says("Tambah jadwal") && !seen.says("/akhiri"), "{}", seen.text);
        let diwek = Browser::login(&app, OfficerRole::Kecamatan, "35.17.08").await;
        assert_eq!(diwek.get(here).await.status, StatusCode::NOT_FOUND);
        assert_eq!(diwek.post(here, &form).await.status, StatusCode::NOT_FOUND);
        for id in app.query("SELECT id FROM session_plan ORDER BY id").await.concat() {
            assert_eq!(diwek.post(&format!("{here}/{id}/akhiri"), &[]).await.status, StatusCode::NOT_FOUND);
            let page = office.post_and_follow(&format!("{here}/{id}/akhiri"), &[]).await;
            assert!(page.says("Jadwal diakhiri"), "{}", page.text);
        }
        assert!(app.query("SELECT id FROM service_session").await.is_empty(), "nobody had booked");
    }

    async fn closing_a_place_or_a_day_says_how_many_are_told_and_how_many_the_office_tells(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 1, ("10", "2")).await;
        books(&app, SITI, "Ya").await;
        office.post_and_follow(&format!("{way}/janji"), &[("service", "req_ktp_lost")]).await;
        let until = in_days(&app, 1);
        let closed = [("status", "closed"), ("because", "renovasi loket"), ("until", until.as_str())];
        let point = "/console/tempat/titik/kec-jombang";
        let page = office.post_and_follow(&format!("{point}/keadaan"), &closed).await;
        assert!(page.says("Sesi yang dibatalkan atau dipendekkan: 1."), "{}", page.text);
        assert!(page.says("lewat chat: 1,") && page.says("kabari sendiri: 1."), "{}", page.text);
        let page = office.post_and_follow(&format!("{point}/keadaan"), &closed).await;
        assert!(page.says("Tersimpan") && !page.says("dipendekkan"), "{}", page.text);
        assert_eq!(office.get(&format!("{point}?selesai=ya&sesi=x")).await.status, StatusCode::BAD_REQUEST);
        office.post_and_follow(&format!("{point}/keadaan"), &[("status", "running")]).await;
        session(&app, &office, 3, ("10", "2")).await;
        let day = in_days(&app, 3);
        let holiday = [("from", day.as_str()), ("to", ""), ("name", "Libur daerah"), ("hours", ""), ("area", "35.17.09")];
        let page = office.post_and_follow("/console/tempat/kalender", &holiday).await;
        assert!(page.says("dipendekkan: 1.") && page.says("lewat chat: 0,"), "{}", page.text);
    }

    async fn what_was_noted_by_mistake_is_taken_back_and_a_paper_stands_in_the_readers_language(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 1, ("10", "2")).await;
        let code = books(&app, SITI, "Belum").await;
        assert!(office.get(&way).await.says("surat kehilangan dari kepolisian"));
        app.advance_to("08:10 WIB").await;
        app.query("UPDATE officer SET language = 'en'").await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        app.query("UPDATE officer SET language = 'en'").await;
        let case = case(&app, &code).await;
        let page = office.get(&case).await;
        assert!(page.says("police loss report") && page.says("not yet"), "{}", page.text);
        assert!(office.get(&way).await.says("police loss report"));
        assert!(!page.says("Take it back"), "{}", page.text);
        office.post_and_follow(&format!("{case}/tidak-hadir"), &[]).await;
        assert!(office.get(&way).await.says(&format!("{case}/urungkan")), "on the list as well");
        let page = office.get(&case).await;
        assert!(page.says("Noted by mistake?"), "{}", page.text);
        let page = office.post_and_follow(&format!("{case}/urungkan"), &[]).await;
        assert!(page.says("was taken back"), "{}", page.text);
        let page = office.post_and_follow(&format!("{case}/hadir"), &[]).await;
        assert!(page.says("Noted: they came"), "{}", page.text);
        let again = office.post(&format!("{case}/urungkan"), &[]).await;
        assert!(again.says("Not any more"), "{}", again.text);
    }

    async fn a_form_that_does_not_fit_says_why_and_keeps_what_was_typed(app: TestApp) {
        place(&app).await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let (tomorrow, way) = (in_days(&app, 1), format!("{HERE}/baru"));
        for (name, value, words) in [
            ("from", "11:00", "Jam selesai harus sesudah"),
            ("to", "siang", "Jam selesai harus sesudah"),
            ("quota", "0", "Kuota harus angka"),
            ("quota", "banyak", "Kuota harus angka"),
            ("held", "10", "Tempat simpanan harus lebih sedikit"),
            ("held", "-1", "Tempat simpanan harus lebih sedikit"),
            ("day", "2020-01-01", "Pilih hari ini"),
            ("day", "besok", "Pilih hari ini"),
            ("point", "nowhere", "tidak ada di wilayah Anda"),
            ("point", "", "Pilih tempat layanan, atau tulis nama"),
            ("area", "99.99", "di luar wilayah Anda"),
            ("area", "x", "Pilih tempat layanan, atau tulis nama"),
        ] {
            let mut fields = form(&tomorrow, "10", "2");
            fields.retain(|(key, _)| *key != name);
            fields.push((name, value));
            let refused = office.post(&way, &fields).await;
            assert!(refused.status == StatusCode::OK && refused.says(words), "{name}={value}: {}", refused.text);
            assert!(name == "quota" || refused.says("value=\"10\""), "{name}={value}: {}", refused.text);
        }
        let mut fields = form(&tomorrow, "10", "2");
        fields.retain(|(key, _)| *key != "service");
        assert!(office.post(&way, &fields).await.says("paling sedikit satu layanan"));
        assert!(app.query("SELECT id FROM service_session").await.is_empty());
        for path in ["sesi/x", "janji/x", "sesi/svs_01JD0000000000000000000000", "janji/apt_01JD0000000000000000000000"] {
            assert_eq!(office.get(&format!("{HERE}/{path}")).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for query in ["hari=x", "hari=9999-99-99", "hari=2026-11-24&lihat=minggu", "lihat=%00"] {
            assert_eq!(office.get(&format!("{HERE}?{query}")).await.status, StatusCode::OK, "{query}");
        }
        for month in ["x", "2026-13", "2100-12", "2020-01"] {
            assert_eq!(office.get(&format!("{HERE}/kalender?bulan={month}")).await.status, StatusCode::OK, "{month}");
        }
    }

    async fn who_runs_a_counter_sees_and_settles_but_plans_nothing_and_no_other_area_is_theirs(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 1, ("10", "2")).await;
        let code = books(&app, SITI, "Ya").await;
        let case = case(&app, &code).await;
        let counter = Browser::login(&app, OfficerRole::Desa, "35.17.09").await;
        let page = counter.get(&way).await;
        assert!(page.says(&code) && page.says("Beri tempat") && !page.says("Ubah kuota"), "{}", page.text);
        assert!(!counter.get(HERE).await.says("Tambah sesi"));
        for path in [format!("{way}/kuota"), format!("{way}/batal"), format!("{HERE}/baru")] {
            assert_eq!(counter.post(&path, &[]).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let other = Browser::login(&app, OfficerRole::Kecamatan, "35.17.08").await;
        for path in [&way, &case, &format!("{way}/batal")] {
            assert_eq!(other.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in [format!("{way}/janji"), format!("{case}/hadir"), format!("{case}/batal")] {
            assert_eq!(other.post(&path, &[("service", "req_ktp_lost")]).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let quota = other.post(&format!("{way}/kuota"), &[("quota", "9")]).await;
        assert_eq!(quota.status, StatusCode::NOT_FOUND);
        let auditor = Browser::login(&app, OfficerRole::Auditor, "35.17").await;
        let list = auditor.get(&format!("{HERE}?hari={}", in_days(&app, 1))).await;
        assert!(list.says("1 dari 10") && !list.says(&way), "counts, and no way to a list: {}", list.text);
        app.advance_to("08:05 WIB").await;
        let counter = Browser::login(&app, OfficerRole::Desa, "35.17.09").await;
        let page = counter.post_and_follow(&format!("{case}/hadir"), &[]).await;
        assert!(page.says("Dicatat: datang"), "{}", page.text);
    }

    async fn the_calendar_names_the_stops_of_the_van_and_no_counter(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        session(&app, &office, 1, ("10", "2")).await;
        let day = in_days(&app, 3);
        let mut stop = form(&day, "30", "");
        stop.retain(|(key, _)| !["kind", "point"].contains(key));
        stop.extend([("kind", "mobile"), ("place", "Balai Desa Sumbermulyo"), ("area", "35.17.09.2018")]);
        office.post_and_follow(&format!("{HERE}/baru"), &stop).await;
        let mut hours = form(&day, "30", "");
        hours.retain(|(key, _)| *key != "kind");
        hours.push(("kind", "counter"));
        office.post_and_follow(&format!("{HERE}/baru"), &hours).await;
        let page = office.get(&format!("{HERE}/kalender?bulan=2026-11")).await;
        assert!(page.says("Mobil keliling: Balai Desa Sumbermulyo") && page.says("Hari perekaman: "), "{}", page.text);
        assert!(!page.says("Loket: ") && page.says("Nov 2026"), "{}", page.text);
        assert!(office.get(&format!("{HERE}/kalender?bulan=2026-12")).await.says("Belum ada hari perekaman"));
        let answer = app.asks(SITI, "mobil keliling kapan ke desa?").await;
        assert!(answer.text().contains("Balai Desa Sumbermulyo"), "{}", answer.text());
    }

    async fn a_session_that_nobody_settled_stands_on_the_morning_page_until_somebody_does(app: TestApp) {
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let way = session(&app, &office, 1, ("10", "2")).await;
        let code = books(&app, SITI, "Ya").await;
        app.advance_to("09:00 WIB").await;
        let words = "Sesi selesai, belum dicatat siapa yang datang";
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = office.get("/console/hari-ini").await;
        assert!(page.says("Sesi hari ini") && !page.says(words), "{}", page.text);
        app.advance(Duration::from_secs(75 * 60)).await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(office.get("/console/hari-ini").await.says(words));
        assert!(office.get(&format!("{HERE}/loket")).await.says(&way), "the counter leads to it");
        office.post_and_follow(&format!("{}/hadir", case(&app, &code).await), &[]).await;
        assert!(!office.get("/console/hari-ini").await.says(words));
    }

    async fn who_works_at_a_counter_begins_there(app: TestApp) {
        place(&app).await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert_eq!(office.get("/console").await.to, "/console/hari-ini");
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let staff = "/console/tempat/titik/kec-jombang/petugas";
        dinas.post_and_follow(staff, &[("officer", &office.officer)]).await;
        assert_eq!(office.get("/console").await.to, format!("{HERE}/loket"));
    }
}
