//! Who is refused reads it in plain words, and finds the way back to what is theirs.

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;

use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::add_officer;
use crate::support::{TestApp, citizen, run};

#[tokio::test]
async fn a_page_beyond_ones_role_or_area_says_so_in_plain_words() {
    run(Engine::Sqlite, refused).await;
}

async fn refused(app: TestApp) {
    add_officer(&app, "kader", "Bu Kader", OfficerRole::Partner, "35.17.09.2018").await;
    add_officer(&app, "desa", "Pak Desa", OfficerRole::Desa, "35.17.09.2018").await;
    app.card(&citizen(1).of_area("35.17.10.2001"), "CARD_PRINTED").await;
    let card = super::busy::newest(&app, "card").await;
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        for (login, role, refused, first) in [
            ("kader", "Mitra (RT, kader, LSM)", "/console/kartu", "/console/persetujuan"),
            ("desa", "Petugas desa", "/console/percakapan", "/console/hari-ini"),
        ] {
            log_in(&chrome, login).await;
            chrome.look(&format!("refused_{login}_home")).await;
            chrome.goto(refused).await;
            chrome.sees("Bukan untuk peran Anda").await;
            chrome.sees(role).await;
            let words = chrome.words().await;
            assert!(!words.contains("403"), "{words}");
            chrome.look(&format!("refused_{login}")).await;
            chrome.press("Ke halaman awal").await;
            chrome.has(&format!("nav a[href='{first}'][aria-current]")).await;
            log_out(&chrome).await;
        }
        log_in(&chrome, "desa").await;
        chrome.goto(&format!("/console/kartu/{card}")).await;
        chrome.sees("bukan wilayah Anda").await;
        chrome.look("refused_area").await;
        log_out(&chrome).await;
    }
    chrome.close().await;
}
