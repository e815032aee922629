//! Every page of the console, with something on it, before both screens: by daylight on the laptop, and on a phone
//! that is set to dark colours.

use std::collections::BTreeMap;

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;
use kabar::web::console::{Need, routes};

use super::busy::{newest, office};
use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::{Browser, add_officer};
use crate::support::{Start, TestApp, citizen, run};

/// Routes that give a file, a stream or nothing, and no page. A courier's round is looked at where one is played.
fn is_page(path: &str) -> bool {
    let file = [
        ".csv",
        ".xlsx",
        "/unduh/",
        "/assets/",
        "/langsung",
        "/hitung",
        "/lampiran",
        "{*rest}",
        "/kurir/putaran/",
        "/kurir/saya",
    ];
    !file.iter().any(|part| path.contains(part))
}

/// The office begins to say an answer in its own words.
async fn drafts(app: &TestApp) {
    let dinas = Browser::login(app, OfficerRole::Dinas, "35.17").await;
    let fields = [
        ("lead", "KTP-el hilang dicetak ulang di Mal Pelayanan Publik."),
        ("bring", "surat kehilangan dari kepolisian\r\nKK"),
        ("cost", "Gratis (UU 24/2013 Pasal 79A)"),
        ("source", "Keputusan Kepala Dinas 12/2026"),
        ("checked_on", "2026-11-20"),
    ];
    let draft = dinas.post_and_follow("/console/jawaban/isi/req_ktp_lost/ubah", &fields).await;
    assert!(draft.says("Mal Pelayanan Publik"), "{}", draft.text);
}

/// Cards lie ready, one of them at the desa; blank cards run out, and the printer has stopped.
async fn waits(app: &TestApp) {
    for n in [41, 42, 43] {
        app.card(&citizen(n), "READY_TO_COLLECT").await;
    }
    app.run_until_idle().await;
    app.asks(&citizen(41).e164, "sudah saya ambil").await;
    let dinas = Browser::login(app, OfficerRole::Dinas, "35.17").await;
    let newest = "SELECT id FROM card WHERE collect_since IS NOT NULL ORDER BY id DESC LIMIT 1";
    let card = app.query(newest).await.concat().concat();
    let list =
        dinas.post_and_follow("/console/ambil/desa/35.17.09.2018", &[("kartu", &card)]).await;
    assert!(list.says("BA-3517092018-"), "{}", list.text);
    for (kind, cards, day) in
        [("delivered", "12000", ""), ("counted", "0", ""), ("expected", "40000", "2026-12-31")]
    {
        let form = [("kind", kind), ("cards", cards), ("day", day)];
        let page = dinas.post_and_follow("/console/blanko/titik/kec-jabon", &form).await;
        assert!(page.says("Dicatat"), "{}", page.text);
    }
    let form = [("kind", "printer"), ("area", "35.17"), ("reason", "printer sedang diperbaiki")];
    dinas.post_and_follow("/console/gangguan", &form).await;
    app.run_until_idle().await;
}

/// A desa asks for officers to come, who get a day; and asks again.
async fn asks_for_visits(app: &TestApp) {
    app.names_areas().await;
    let office = Browser::login(app, OfficerRole::Kecamatan, "35.17.09").await;
    let place = ("place", "RT 03 RW 05, sebelah musala");
    for whom in ["elderly", "disabled"] {
        let form = [("whom", whom), ("work", "recording"), ("area", "35.17.09.2018"), place];
        let page = office.post_and_follow("/console/kunjungan-rumah", &form).await;
        assert!(page.says("Permintaan dicatat"), "{}", page.text);
    }
    let oldest = "SELECT id FROM home_visit ORDER BY id LIMIT 1";
    let way =
        format!("/console/kunjungan-rumah/{}/jadwal", app.query(oldest).await.concat().concat());
    let form =
        [("day", "2027-01-05"), ("from", "09:00"), ("to", "12:00"), ("officers", "Tini dan Budi")];
    assert!(office.post_and_follow(&way, &form).await.says("Jadwal dicatat"));
}

/// A recording day, to which somebody comes.
async fn holds_a_session(app: &TestApp) {
    let office = Browser::login(app, OfficerRole::Kecamatan, "35.17.09").await;
    let day = app.clock.wib().date_naive().to_string();
    let form = [
        ("kind", "recording_day"),
        ("point", "kec-jabon"),
        ("day", &day),
        ("from", "00:10"),
        ("to", "23:50"),
        ("service", "printing"),
        ("quota", "20"),
    ];
    assert!(
        office.post_and_follow("/console/kunjungan/baru", &form).await.says("Sesi ditambahkan")
    );
    let way = format!("/console/kunjungan/sesi/{}/janji", newest(app, "service_session").await);
    let page = office.post_and_follow(&way, &[("service", "req_ktp_lost")]).await;
    assert!(page.says("Tempat diberikan"), "{}", page.text);
    let hours = [
        ("day", "mon"),
        ("from", "08:00"),
        ("to", "11:00"),
        ("service", "printing"),
        ("quota", "20"),
    ];
    let page = office.post_and_follow("/console/tempat/titik/kec-jabon/jadwal", &hours).await;
    assert!(page.says("Jadwal disimpan"), "{}", page.text);
}

/// What stands in the hole of a path, by what comes before it.
async fn fillings(app: &TestApp) -> BTreeMap<&'static str, String> {
    let told = "SELECT id FROM card WHERE person_id IN (SELECT person_id FROM message \
                  WHERE status = 'read') LIMIT 1";
    let card = app.query(told).await.concat().concat();
    let rahma = app.query("SELECT id FROM officer WHERE login = 'rahma'").await.concat().concat();
    BTreeMap::from([
        ("/console/siaran/", newest(app, "broadcast").await),
        ("/console/antar/putaran/", newest(app, "delivery_round").await),
        ("/console/hari-ini/ditolak/", newest(app, "rejection").await),
        ("/console/kartu/", card),
        ("/console/percakapan/", newest(app, "ticket").await),
        ("/console/jawaban/isi/", "req_ktp_lost".to_owned()),
        ("/console/jawaban/tanya/", newest(app, "question_group").await),
        ("/console/tempat/titik/", "kec-jabon".to_owned()),
        ("/console/templat/kabar/", "card_printed".to_owned()),
        ("/console/petugas/", rahma),
        ("/console/kunjungan-rumah/", newest(app, "home_visit").await),
        ("/console/kunjungan/sesi/", newest(app, "service_session").await),
        ("/console/kunjungan/janji/", newest(app, "appointment").await),
        ("/console/ambil/desa/", "35.17.09.2018".to_owned()),
        ("/console/ambil/daftar/", newest(app, "collection_list").await),
    ])
}

#[tokio::test]
async fn every_page_fits_both_screens_and_has_no_serious_fault() {
    Box::pin(run(Engine::Sqlite, look_at_every_page)).await;
}

async fn look_at_every_page(start: Start) {
    let app = Box::pin(office(start)).await;
    add_officer(&app, "admin", "Joko Susilo", OfficerRole::Admin, "35.17").await;
    drafts(&app).await;
    crate::round::with_a_round(&app).await;
    waits(&app).await;
    asks_for_visits(&app).await;
    holds_a_session(&app).await;
    let fillings = fillings(&app).await;
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        if screen == Screen::Phone {
            chrome.in_the_dark().await;
        }
        log_in(&chrome, "admin").await;
        for route in routes() {
            if route.method != "GET" || route.need == Need::Nothing || !is_page(route.path) {
                continue;
            }
            let mut path = route.path.to_owned();
            if let Some((before, rest)) = route.path.split_once('{') {
                let filling = fillings.get(before).expect("something to fill its hole with");
                path = format!("{before}{filling}{}", rest.split_once('}').unwrap().1);
            }
            chrome.goto(&path).await;
            let words = chrome.words().await;
            assert!(!words.contains("Tidak ditemukan"), "{path}: {words}");
            let name = route.path.trim_start_matches("/console").replace('/', "_");
            chrome.look(&format!("page{}", name.replace(['{', '}'], ""))).await;
        }
        log_out(&chrome).await;
    }
    chrome.close().await;
}
