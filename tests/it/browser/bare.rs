//! An old browser that runs no script, and somebody who uses no mouse: what an officer cannot do without still
//! works.

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;

use super::log_out;
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::{PASSWORD, add_officer};
use crate::support::{TestApp, citizen, run};

const STRANGER: &str = "+6281299990000";
const ENTER: &str = "\u{e007}";

#[tokio::test]
async fn without_a_script_and_by_the_keyboard_alone_the_essentials_work() {
    run(Engine::Sqlite, bare).await;
}

async fn bare(app: TestApp) {
    add_officer(&app, "rahma", "Rahma Hidayati", OfficerRole::Dinas, "35.17").await;
    app.card(&citizen(6), "CARD_PRINTED").await;
    app.run_until_idle().await;
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        by_keyboard(&mut chrome).await;
    }
    chrome.without_scripts().await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        without_script(&app, &chrome, screen).await;
    }
    chrome.close().await;
}

/// Logs in and searches a card; the mouse lies still.
async fn by_keyboard(chrome: &mut Chrome) {
    chrome.goto("/console").await;
    assert!(chrome.is_focused("[name=login]").await, "one can begin to type");
    chrome.keys(&format!("rahma\u{e004}{PASSWORD}{ENTER}")).await;
    chrome.has(".who .name").await;
    chrome.keys("\u{e004}").await;
    assert!(chrome.is_focused(".skip").await, "the first stop leads past the menu");
    chrome.look("keyboard_skip").await;
    chrome.tab_to("nav a[href='/console/kartu']").await;
    chrome.keys(ENTER).await;
    chrome.has("[name=q]").await;
    chrome.tab_to(".skip").await;
    chrome.keys(ENTER).await;
    chrome.tab_to("[name=q]").await;
    chrome.keys(&format!("aminah{ENTER}")).await;
    chrome.sees("Siti A.").await;
    chrome.tab_to("main td a[href^='/console/kartu/']").await;
    chrome.look("keyboard_found").await;
    chrome.keys(ENTER).await;
    chrome.sees("Siti Aminah").await;
    chrome.tab_to("form[action='/console/keluar'] button").await;
    chrome.keys(ENTER).await;
    chrome.has("[name=login]").await;
}

/// Logs in, sees the morning, searches a card and answers a citizen; no script runs.
async fn without_script(app: &TestApp, chrome: &Chrome, screen: Screen) {
    app.asks(STRANGER, "mau bicara dengan petugas").await;
    chrome.goto("/console").await;
    assert_eq!(chrome.ask("return typeof window.htmx").await, "undefined", "no script runs");
    chrome.fill("[name=login]", "rahma").await;
    chrome.fill("[name=password]", PASSWORD).await;
    chrome.press("Masuk").await;
    chrome.sees("Warga menunggu petugas").await;
    chrome.keep_picture("bare_morning").await;
    chrome.press("Kartu").await;
    chrome.fill("[name=q]", "aminah").await;
    chrome.press("Cari").await;
    chrome.press("Siti A.").await;
    chrome.sees("Siti Aminah").await;
    chrome.press("Percakapan").await;
    chrome.click("main a[href^='/console/percakapan/tkt_']").await;
    chrome.press("Ambil alih").await;
    chrome.sees("sekarang Anda tangani").await;
    chrome.fill("[name=words]", "Mohon bawa KK ke kecamatan.").await;
    chrome.press("Hitung panjangnya").await;
    chrome.sees("27 dari 1000 huruf").await;
    chrome.keep_picture("bare_talk").await;
    chrome.press("Kirim").await;
    chrome.sees("Jawaban Anda sedang dikirim").await;
    app.run_until_idle().await;
    let sent = app.whatsapp.sent_to(STRANGER).pop().unwrap();
    assert_eq!(sent.text(), "Mohon bawa KK ke kecamatan.", "at {}", screen.width());
    chrome.press("Selesai, beri tahu warga").await;
    chrome.sees("Warga diberi tahu").await;
    app.run_until_idle().await;
    log_out(chrome).await;
}
