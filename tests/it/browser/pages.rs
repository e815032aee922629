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
use crate::support::{Start, TestApp, run};

/// Routes that give a file, a stream or nothing, and no page.
fn is_page(path: &str) -> bool {
    let file =
        [".csv", ".xlsx", "/unduh/", "/assets/", "/langsung", "/hitung", "/lampiran", "{*rest}"];
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
    ])
}

#[tokio::test]
async fn every_page_fits_both_screens_and_has_no_serious_fault() {
    run(Engine::Sqlite, look_at_every_page).await;
}

async fn look_at_every_page(start: Start) {
    let app = office(start).await;
    add_officer(&app, "admin", "Joko Susilo", OfficerRole::Admin, "35.17").await;
    drafts(&app).await;
    crate::round::with_a_round(&app).await;
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
