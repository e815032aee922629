//! A round from the plan to the last hand: planned and announced before a laptop, answered in a chat, carried without
//! network on a phone, sent when there is some, and closed; and one that is moved.

use kabar::domain::officer::OfficerRole;
use kabar::store::Engine;

use super::courier::{hand_over, in_vain};
use super::{log_in, log_out};
use crate::round::{code, print, told};
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::add_officer;
use crate::support::line::Line;
use crate::support::{TestApp, citizen, run};

#[tokio::test]
async fn a_round_is_planned_announced_carried_offline_and_closed() {
    Box::pin(run(Engine::Sqlite, whole_round)).await;
}

/// The item of a card on the courier's page, by its address.
async fn item_at(chrome: &Chrome, address: &str) -> String {
    let found = chrome
        .ask(&format!(
            "return [...document.querySelectorAll('ol.live > li')].find(li => li.innerText.includes('{address}')).id"
        ))
        .await;
    found.as_str().expect("the item").to_owned()
}

/// Plans a round of tomorrow with everything that lies at the kecamatan, and tells the citizens.
async fn plans_and_tells(app: &TestApp, chrome: &mut Chrome) -> String {
    chrome.goto("/console/hari-ini").await;
    chrome.goto("/console/antar").await;
    chrome.sees("Belum ada putaran antar").await;
    chrome.look("delivery_none").await;
    chrome.press("Buat putaran").await;
    chrome.sees("Kabarkan ke warga").await;
    chrome.sees("Jalan Melati 3").await;
    assert!(told(app, 1).await.iter().all(|kind| kind == "card_printed"), "nobody heard yet");
    chrome.look("delivery_planned").await;
    chrome.press("Kabarkan ke warga").await;
    chrome.sees("Warga dikabari").await;
    app.run_until_idle().await;
    let path = chrome.path().await;
    path.split('?').next().unwrap_or_default().to_owned()
}

async fn whole_round(app: TestApp) {
    print(&app, 3).await;
    add_officer(&app, "rahma", "Rahma", OfficerRole::Kecamatan, "35.17.09").await;
    add_officer(&app, "joko", "Joko Susilo", OfficerRole::Courier, "35.17.09").await;
    let line = Line::to(&app.url).await;
    let mut chrome = Chrome::open(&line.url).await;
    log_in(&chrome, "rahma").await;
    let round = plans_and_tells(&app, &mut chrome).await;
    app.asks(&citizen(1).e164, "ada di rumah").await;
    app.asks(&citizen(2).e164, "diterima istri saya Wati").await;
    chrome.goto(&round).await;
    chrome.sees("istri Wati").await;
    chrome.look("delivery_answered").await;
    log_out(&chrome).await;

    app.advance_to("07:30 WIB").await;
    log_in(&chrome, "rahma").await;
    chrome.goto(&round).await;
    chrome.press("Serahkan kartu ke kurir").await;
    chrome.sees("3 kartu tercatat di tangan kurir").await;
    log_out(&chrome).await;

    chrome.sit_before(Screen::Phone).await;
    log_in(&chrome, "joko").await;
    chrome.click("main a[href^='/kurir/putaran/']").await;
    chrome.has("ol.live").await;
    chrome.sees("Tersimpan di HP ini").await;
    chrome.sees("istri Wati").await;
    let items =
        [item_at(&chrome, "Jalan Melati 1").await, item_at(&chrome, "Jalan Melati 3").await];
    line.cut();
    hand_over(&chrome, &items[0], &code(&app, 1)).await;
    in_vain(&chrome, &items[1], "nobody_home").await;
    chrome.sees("Tanpa sinyal: 2 laporan menunggu").await;
    assert_eq!(app.query("SELECT COUNT(*) FROM round_report").await, [["0"]]);
    line.mend();
    chrome.press("Kirim sekarang").await;
    chrome.has(&format!("#{}.over .state.good", items[0])).await;
    let arrived = "SELECT result FROM round_report ORDER BY received_at";
    assert_eq!(app.query(arrived).await, [["done"], ["done"]]);
    app.run_until_idle().await;
    assert_eq!(told(&app, 1).await.last().unwrap(), "card_issued");
    log_out(&chrome).await;

    chrome.sit_before(Screen::Laptop).await;
    log_in(&chrome, "rahma").await;
    chrome.goto(&round).await;
    chrome.sees("rumah kosong").await;
    chrome.look("delivery_out").await;
    chrome.press("Tutup putaran").await;
    chrome.sees("Putaran ditutup").await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        chrome.goto(&round).await;
        chrome.look("delivery_closed").await;
        chrome.goto("/console/antar?lihat=lewat").await;
        chrome.look("delivery_past").await;
    }
    let held = "SELECT holder FROM custody WHERE until_at IS NULL ORDER BY holder";
    let back = ["citizen", "point kec-jombang", "point kec-jombang"].map(|holder| [holder]);
    assert_eq!(app.query(held).await, back, "what was not handed over lies where it came from");
    chrome.close().await;
}

#[tokio::test]
async fn a_round_is_moved_on_a_phone_and_everybody_on_it_hears_so() {
    Box::pin(run(Engine::Sqlite, moved)).await;
}

async fn moved(app: TestApp) {
    print(&app, 3).await;
    add_officer(&app, "rahma", "Rahma", OfficerRole::Kecamatan, "35.17.09").await;
    add_officer(&app, "joko", "Joko Susilo", OfficerRole::Courier, "35.17.09").await;
    let mut chrome = Chrome::open(&app.url).await;
    chrome.sit_before(Screen::Phone).await;
    log_in(&chrome, "rahma").await;
    plans_and_tells(&app, &mut chrome).await;
    let day = app.clock.wib().date_naive() + chrono::Days::new(3);
    // What a date looks like while it is typed depends on the browser's country.
    let set =
        format!("document.querySelector('form[action$=\"/pindah\"] [name=hari]').value = '{day}'");
    chrome.ask(&set).await;
    chrome.press("Pindahkan dan kabari warga").await;
    chrome.sees("Putaran dipindah: ").await;
    chrome.look("delivery_moved").await;
    app.run_until_idle().await;
    for n in 1..=3 {
        assert_eq!(told(&app, n).await.last().unwrap(), "home_delivery_moved");
    }
    chrome.close().await;
}
