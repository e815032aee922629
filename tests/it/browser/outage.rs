//! An outage declared and lifted by somebody before a laptop, and on a phone.

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;

use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::add_officer;
use crate::support::{TestApp, citizen, run};

#[tokio::test]
async fn an_outage_is_declared_and_lifted_on_both_screens() {
    run(Engine::Sqlite, outage).await;
}

async fn outage(app: TestApp) {
    app.card(&citizen(6), "PRINT_READY_RECORD").await;
    app.run_until_idle().await;
    add_officer(&app, "rahma", "Rahma", OfficerRole::Kecamatan, "35.17.09").await;
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        log_in(&chrome, "rahma").await;
        chrome.goto("/console/gangguan").await;
        chrome.sees("Tidak ada gangguan").await;
        chrome.look("outage_none").await;
        chrome.fill("[name=reason]", "printer sedang diperbaiki").await;
        chrome.press("Umumkan").await;
        chrome.sees("Gangguan diumumkan").await;
        app.run_until_idle().await;
        chrome.goto("/console/gangguan").await;
        chrome.sees("printer sedang diperbaiki").await;
        chrome.look("outage_running").await;
        chrome.goto("/console/hari-ini").await;
        chrome.sees("Gangguan layanan").await;
        chrome.click("main section a[href='/console/gangguan']").await;
        chrome.sees("Sudah pulih").await;
        chrome.click("main section form[action$='/selesai'] button").await;
        chrome.sees("Gangguan dinyatakan selesai").await;
        chrome.look("outage_over").await;
        app.run_until_idle().await;
        log_out(&chrome).await;
    }
    let told = "SELECT template FROM message WHERE template LIKE 'outage%' AND status <> 'cancelled' ORDER BY id";
    assert_eq!(
        app.query(told).await,
        [["outage_begun"], ["outage_over"], ["outage_begun"], ["outage_over"]],
        "what was over and begins again is news again"
    );
    chrome.close().await;
}
