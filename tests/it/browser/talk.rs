//! A conversation: taken over, followed live, answered, and handed back.

use std::time::Duration;

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;

use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::add_officer;
use crate::support::{TestApp, run};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_conversation_is_taken_over_answered_and_handed_back() {
    run(Engine::Sqlite, talk).await;
}

async fn talk(app: TestApp) {
    add_officer(&app, "rahma", "Rahma Hidayati", OfficerRole::Dinas, "35.17").await;
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        let number = format!("+62812999900{:02}", screen.width() % 97);
        for words in ["syarat ktp hilang apa aja?", "mau bicara dengan petugas"] {
            app.asks(&number, words).await;
            app.advance(MINUTE).await;
        }
        chrome.sit_before(screen).await;
        log_in(&chrome, "rahma").await;
        chrome.press("Ambil satu").await;
        chrome.sees("Minta petugas").await;
        chrome.look("talks").await;
        chrome.click("main a[href^='/console/percakapan/tkt_']").await;
        chrome.sees("surat kehilangan").await;
        chrome.press("Ambil alih").await;
        chrome.sees("Percakapan ini sekarang Anda tangani").await;

        let before = app.whatsapp.sent_to(&number).len();
        app.writes(&number, "nama saya salah di kartu").await;
        app.run_until_idle().await;
        // Without loading the page again.
        chrome.sees("nama saya salah di kartu").await;
        chrome.fill("[name=words]", "Mohon bawa KK ke kecamatan.").await;
        chrome.sees("27 dari 1000 huruf").await;
        chrome.look("talk_taken").await;
        app.clock.advance(MINUTE);
        chrome.press("Kirim").await;
        chrome.sees("Jawaban Anda sedang dikirim").await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(&number);
        assert_eq!(sent.len(), before + 1, "and the bot kept silent");
        assert_eq!(sent[before].text(), "Mohon bawa KK ke kecamatan.");
        chrome.sees("terkirim").await;
        chrome.look("talk_answered").await;

        chrome.press("Selesai, beri tahu warga").await;
        chrome.sees("Warga diberi tahu").await;
        app.run_until_idle().await;
        chrome.look("talk_over").await;
        let answer = app.asks(&number, "syarat ktp hilang apa aja?").await;
        assert!(answer.text().contains("surat kehilangan"), "the bot answers again");
        log_out(&chrome).await;
    }
    chrome.close().await;
}
