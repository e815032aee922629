//! A recording day from the plan to the counter, before a laptop and on a phone: planned, booked by chat and at the
//! desk, opened by its code, settled; and another one called off, of which the chat hears.

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;

use super::{log_in, log_out};
use crate::console_session::books;
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::add_officer;
use crate::support::{TestApp, run};

const CHATS: [&str; 2] = ["+6281299990011", "+6281299990012"];

#[tokio::test]
async fn a_recording_day_is_planned_booked_settled_and_another_called_off() {
    Box::pin(run(Engine::Sqlite, recording_days)).await;
}

/// An administrator puts a recording day down in the village hall, two of four places kept.
async fn plans(chrome: &Chrome, day: &str) {
    chrome.goto("/console/kunjungan").await;
    chrome.press("Tambah sesi").await;
    chrome.fill("[name=place]", "Balai Desa Sumbermulyo").await;
    chrome.fill("[name=area]", "35.17.09.2018").await;
    for (field, value) in [("day", day), ("from", "08:00"), ("to", "10:00")] {
        // What a date looks like while it is typed depends on the browser's country.
        let set = format!("document.querySelector('[name={field}]').value = '{value}'");
        chrome.ask(&set).await;
    }
    chrome.click("[name=service][value=printing]").await;
    chrome.fill("[name=quota]", "4").await;
    chrome.fill("[name=held]", "2").await;
    chrome.click("main form[action$='/baru'] button.main").await;
    chrome.sees("Sesi ditambahkan").await;
    chrome.sees("0 dari 4").await;
}

async fn recording_days(app: TestApp) {
    add_officer(&app, "joko", "Joko", OfficerRole::Admin, "35.17").await;
    add_officer(&app, "tini", "Tini", OfficerRole::Desa, "35.17.09.2018").await;
    let mut chrome = Chrome::open(&app.url).await;
    for (screen, chat) in Screen::BOTH.into_iter().zip(CHATS) {
        chrome.sit_before(screen).await;
        let day = app.clock.wib().date_naive() + chrono::Days::new(1);
        log_in(&chrome, "joko").await;
        chrome.goto("/console/kunjungan/baru").await;
        chrome.look("session_new").await;
        plans(&chrome, &day.to_string()).await;
        chrome.look("session_list").await;
        chrome.goto(&format!("/console/kunjungan/kalender?bulan={}", day.format("%Y-%m"))).await;
        chrome.sees("Balai Desa Sumbermulyo").await;
        chrome.look("session_month").await;
        log_out(&chrome).await;

        let code = books(&app, chat, "Belum").await;
        app.advance_to("08:05 WIB").await;
        log_in(&chrome, "tini").await;
        chrome.goto("/console/kunjungan/loket").await;
        chrome.look("counter").await;
        chrome.fill("[name=kode]", &code.to_lowercase().replace('-', " ")).await;
        chrome.press("Buka").await;
        chrome.sees("belum ada").await;
        chrome.look("counter_case").await;
        chrome.press("Datang dan dilayani").await;
        chrome.sees("Dicatat: datang").await;
        // Somebody old who has no chat gets a place that no chat could take.
        chrome.click("main section li a[href^='/console/kunjungan/sesi/']").await;
        chrome.fill("[name=who]", "Sri Wahyuni").await;
        chrome.press("Beri tempat").await;
        chrome.sees("Tempat diberikan").await;
        chrome.sees("2; 1 diberi di loket").await;
        chrome.look("session_list_of").await;
        log_out(&chrome).await;

        // The next day's is called off; whoever booked it hears so.
        app.advance_to("13:00 WIB").await;
        log_in(&chrome, "joko").await;
        let next = day + chrono::Days::new(1);
        plans(&chrome, &next.to_string()).await;
        books(&app, chat, "Ya").await;
        chrome.goto(&format!("/console/kunjungan?hari={next}")).await;
        chrome.click("main td a[href^='/console/kunjungan/sesi/']").await;
        chrome.press("Batalkan sesi").await;
        chrome.sees("1 orang yang memesan atau menunggu lewat chat").await;
        chrome.look("session_off").await;
        chrome.fill("[name=because]", "alat rekam rusak").await;
        chrome.press("Batalkan dan beri tahu").await;
        chrome.sees("Sesi dibatalkan").await;
        app.run_until_idle().await;
        let heard = app.whatsapp.sent_to(chat);
        let is_off = |words: &str| words.contains("tidak jadi karena alat rekam rusak");
        assert_eq!(heard.iter().filter(|sent| is_off(sent.text())).count(), 1);
        log_out(&chrome).await;
    }
    let states = "SELECT state, COUNT(*) FROM appointment GROUP BY state ORDER BY state";
    assert_eq!(
        app.query(states).await,
        [["called_off", "2"], ["no_show", "2"], ["served", "2"]],
        "whoever the counter did not see has not come"
    );
    chrome.close().await;
}
