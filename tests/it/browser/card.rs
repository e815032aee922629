//! A card's whole story: it is searched, and its updates, messages, receipts and what its holder wrote stand on
//! one timeline.

use std::time::Duration;

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;

use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::add_officer;
use crate::support::{Answer, TestApp, citizen, run};

const MINUTES: Duration = Duration::from_secs(7 * 60);

#[tokio::test]
async fn a_card_is_found_and_its_whole_story_is_on_one_timeline() {
    run(Engine::Sqlite, timeline).await;
}

async fn timeline(app: TestApp) {
    let siti = citizen(6);
    let receipt = async |kind: &str| {
        app.advance(MINUTES).await;
        let sent = app.whatsapp.sent_to(&siti.e164).pop().expect("a message");
        app.receipt(&sent, kind).await;
        app.run_until_idle().await;
    };
    app.card(&siti, "PRINT_READY_RECORD").await;
    app.advance(MINUTES).await;
    app.card(&siti, "CARD_PRINTED").await;
    app.run_until_idle().await;
    receipt("delivered").await;
    receipt("read").await;
    app.advance(MINUTES).await;
    app.asks(&siti.e164, "kartu saya bisa diambil di mana?").await;
    app.advance(MINUTES).await;
    app.asks(&siti.e164, "mau bicara dengan petugas").await;
    app.advance(MINUTES).await;
    app.whatsapp.next(Answer::code(132_001));
    app.card(&siti, "siap ambil").await;
    app.run_until_idle().await;
    app.advance(MINUTES).await;

    add_officer(&app, "wati", "Wati Lestari", OfficerRole::Kecamatan, "35.17.09").await;
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        log_in(&chrome, "wati").await;
        chrome.press("Kartu").await;
        chrome.fill("[name=q]", "aminah").await;
        chrome.press("Cari").await;
        chrome.sees("Siti A.").await;
        chrome.look("card_found").await;
        chrome.press("Siti A.").await;
        for words in [
            "Siti Aminah",
            "Status: Sudah dicetak",
            "diterima penyedia",
            "Sampai di HP",
            "Dibaca",
            "kartu saya bisa diambil di mana?",
            "Jawaban otomatis lewat WhatsApp",
            "Minta bicara dengan petugas",
            "Isi atau templat pesan ditolak.",
        ] {
            chrome.sees(words).await;
        }
        chrome.look("card_story").await;
        log_out(&chrome).await;
    }
    chrome.close().await;
}
