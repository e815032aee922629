//! A courier on a cheap phone: the round is opened where there is network, carried through a valley without, and what
//! was reported there arrives once, whatever was closed and opened meanwhile.

use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::round::{Report, close, report};
use kabar::store::Engine;
use kabar::store::officer::find_by_login;

use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::{PASSWORD, add_officer};
use crate::support::line::Line;
use crate::support::round::{CODE, Carried};
use crate::support::{TestApp, run};

/// How many rounds and reports are on the phone.
const KEPT: &str = "return new Promise(done => { const asked = indexedDB.open('kurir', 1);
    asked.onsuccess = () => { const tx = asked.result.transaction(['rounds', 'reports']), found = [];
        tx.objectStore('rounds').count().onsuccess = e => found.push(e.target.result);
        tx.objectStore('reports').count().onsuccess = e => found.push(e.target.result);
        tx.oncomplete = () => { asked.result.close(); done(found.join(' ')); }; }; })";

/// The report that was written first, as it will be sent.
const FIRST: &str = "return new Promise(done => { const asked = indexedDB.open('kurir', 1);
    asked.onsuccess = () => asked.result.transaction('reports').objectStore('reports').getAll().onsuccess =
        e => { asked.result.close(); done(JSON.stringify(e.target.result[0].report)); }; })";

/// Joko carries so many cards, and sits before his phone at the end of a line.
async fn joko(app: &TestApp, cards: usize) -> (Carried, Line) {
    add_officer(app, "joko", "Joko Susilo", OfficerRole::Courier, "35.17.09").await;
    let round = Carried::begin(app, "joko", cards).await;
    (round, Line::to(&app.url).await)
}

/// Scrolls to something and presses it: the line about the network covers what stands at the lower edge.
async fn tap(chrome: &Chrome, item: &str, part: &str) {
    let selector = format!("#{item} {part}");
    chrome.has(&selector).await;
    let scroll =
        format!("document.querySelector('{selector}').scrollIntoView({{block: 'center'}})");
    chrome.ask(&scroll).await;
    chrome.click(&selector).await;
}

/// Hands a card over to its holder, with that code.
pub(super) async fn hand_over(chrome: &Chrome, item: &str, code: &str) {
    tap(chrome, item, ".got").await;
    tap(chrome, item, "[value=self]").await;
    chrome.fill(&format!("#{item} [name=code]"), code).await;
    tap(chrome, item, "form .main").await;
    chrome.has(&format!("#{item} .state.warn, #{item}.over")).await;
}

/// Stands before a closed door.
pub(super) async fn in_vain(chrome: &Chrome, item: &str, outcome: &str) {
    tap(chrome, item, ".not").await;
    tap(chrome, item, &format!("[value={outcome}]")).await;
    tap(chrome, item, "form .main").await;
    chrome.has(&format!("#{item} .state.warn, #{item}.over")).await;
}

/// Opens the round where there is network; then it can be carried.
async fn open_round(chrome: &mut Chrome, round: &Carried) {
    chrome.sit_before(Screen::Phone).await;
    log_in(chrome, "joko").await;
    assert_eq!(chrome.ask("return location.pathname").await, "/kurir/");
    chrome.look("courier_rounds").await;
    chrome.click(&format!("main a[href$='{}']", round.path())).await;
    chrome.has("ol.live").await;
    chrome.sees("Tersimpan di HP ini").await;
    chrome.sees("Tersambung").await;
}

fn said(place: usize, result: &str, why: &str) -> (usize, String, String) {
    (place, result.to_owned(), why.to_owned())
}

#[tokio::test]
async fn what_was_reported_without_network_arrives_once() {
    run(Engine::Sqlite, carried_offline).await;
}

async fn carried_offline(app: TestApp) {
    let (round, line) = joko(&app, 4).await;
    let phone = tempfile::tempdir().unwrap();
    let mut chrome = Chrome::open_again(&line.url, phone.path()).await;
    open_round(&mut chrome, &round).await;
    chrome.look("courier_round").await;

    line.cut();
    chrome.goto(&round.path()).await;
    chrome.sees("Tanpa sinyal: tidak ada laporan").await;
    chrome.sees("Jalan Kenanga 4").await;
    chrome.look("courier_offline").await;
    hand_over(&chrome, &round.items[0], CODE).await;
    tap(&chrome, &round.items[1], ".got").await;
    chrome.look("courier_form").await;
    tap(&chrome, &round.items[1], ".got").await;
    hand_over(&chrome, &round.items[2], "0000").await;
    in_vain(&chrome, &round.items[3], "nobody_home").await;
    chrome.sees("Tanpa sinyal: 3 laporan menunggu").await;
    chrome.look("courier_waiting").await;

    // The office heard meanwhile that the last one was received.
    let courier = find_by_login(&app.app.db, "joko").await.unwrap().unwrap().actor();
    let by_office = Report {
        key: "from-the-office".to_owned(),
        item: round.items[3].clone(),
        outcome: "received".to_owned(),
        by: "self".to_owned(),
        code: CODE.to_owned(),
        ..Report::default()
    };
    report(&app.app, &courier, round.id, vec![by_office]).await.unwrap();

    chrome.next_tab(true).await;
    chrome.goto("/kurir/").await;
    chrome.sees("Putaran di HP ini").await;
    chrome.look("courier_rounds_offline").await;
    chrome.click(&format!("main a[href$='{}']", round.path())).await;
    chrome.sees("Tanpa sinyal: 3 laporan menunggu").await;
    chrome.close().await;
    let mut chrome = Chrome::open_again(&line.url, phone.path()).await;
    chrome.sit_before(Screen::Phone).await;
    chrome.in_the_dark().await;
    chrome.goto(&round.path()).await;
    chrome.sees("Tanpa sinyal: 3 laporan menunggu").await;
    assert_eq!(round.reports(&app).await.len(), 1, "only the office's own");

    line.mend();
    chrome.press("Kirim sekarang").await;
    chrome.has("#jaringan.good").await;
    chrome.sees("sudah tercatat diterima").await;
    chrome.sees("Kode salah. Tanyakan lagi kodenya, lalu catat lagi. Sisa 4 kali.").await;
    chrome.look("courier_told").await;
    let mut expected = vec![
        said(1, "done", ""),
        said(3, "wrong_code", "wrong_code"),
        said(4, "conflict", "already_received"),
        said(4, "done", ""),
    ];
    assert_eq!(round.reports(&app).await, expected);

    // What was told stays until it was seen, and nothing is sent again.
    chrome.goto(&round.path()).await;
    chrome.sees("sudah tercatat diterima").await;
    tap(&chrome, &round.items[3], ".told button").await;
    hand_over(&chrome, &round.items[2], CODE).await;
    chrome.has(&format!("#{}.over .state.good", round.items[2])).await;
    expected.insert(1, said(3, "done", ""));
    assert_eq!(round.reports(&app).await, expected);
    chrome.sees("Sisa 1").await;
    assert_eq!(chrome.ask(KEPT).await, "1 0");
    chrome.look("courier_done").await;

    // Whoever leaves takes no address along.
    log_out(&chrome).await;
    assert_eq!(chrome.ask(KEPT).await, "0 0");
    chrome.close().await;
}

#[tokio::test]
async fn a_session_that_ended_on_the_way_and_a_second_tab_lose_and_double_nothing() {
    run(Engine::Sqlite, ended_on_the_way).await;
}

async fn ended_on_the_way(app: TestApp) {
    let (round, line) = joko(&app, 3).await;
    let mut chrome = Chrome::open(&line.url).await;
    open_round(&mut chrome, &round).await;
    line.cut();
    hand_over(&chrome, &round.items[0], CODE).await;
    chrome.sees("Tanpa sinyal: 1 laporan menunggu").await;
    chrome.next_tab(false).await;
    chrome.goto(&round.path()).await;
    chrome.sees("Tanpa sinyal: 1 laporan menunggu").await;
    in_vain(&chrome, &round.items[1], "unclear_address").await;
    chrome.sees("Tanpa sinyal: 2 laporan menunggu").await;
    // The first one had arrived; only the answer was lost.
    let first = chrome.ask(FIRST).await.as_str().map(serde_json::from_str::<Report>);
    let first = first.unwrap().unwrap();
    let courier = find_by_login(&app.app.db, "joko").await.unwrap().unwrap().actor();
    assert_eq!(first.item, round.items[0]);
    report(&app.app, &courier, round.id, vec![first]).await.unwrap();
    app.query("DELETE FROM session").await;
    line.mend();
    chrome.press("Kirim sekarang").await;
    chrome.sees("Masuk lagi untuk mengirim: 2 laporan menunggu di HP ini").await;
    chrome.look("courier_door").await;
    chrome.press("Masuk lagi").await;
    chrome.fill("[name=login]", "joko").await;
    chrome.fill("[name=password]", PASSWORD).await;
    chrome.press("Masuk").await;
    chrome.has("ol.live").await;
    assert_eq!(chrome.ask("return location.pathname").await, round.path());
    chrome.has(&format!("#{}.over .state.good", round.items[0])).await;
    chrome.sees("Sisa 1").await;
    assert_eq!(round.reports(&app).await, [said(1, "done", ""), said(2, "done", "")]);

    // Leaving with something unsent is asked about; the round goes, the report stays.
    line.cut();
    in_vain(&chrome, &round.items[2], "nobody_home").await;
    chrome.sees("Tanpa sinyal: 1 laporan menunggu").await;
    line.mend();
    chrome.press("Keluar").await;
    assert!(chrome.agree().await.contains("1 laporan belum terkirim"));
    chrome.has("[name=login]").await;
    assert_eq!(chrome.ask(KEPT).await, "0 1");
    log_in(&chrome, "joko").await;
    chrome.has("#jaringan.good").await;
    assert_eq!(round.reports(&app).await.len(), 3);

    // What is over is wiped.
    chrome.click(&format!("main a[href$='{}']", round.path())).await;
    chrome.has("ol.live").await;
    assert_eq!(chrome.ask(KEPT).await, "1 0");
    close(&app.app, &Actor::cli(), round.id).await.unwrap();
    chrome.goto(&round.path()).await;
    chrome.sees("Putaran ini sudah ditutup").await;
    assert_eq!(chrome.ask(KEPT).await, "0 0");
    chrome.close().await;
}

/// Joko has reported a closed door where there is no network, and Tini is a courier as well.
async fn reported_in_a_valley(app: &TestApp) -> (Carried, Line, Chrome) {
    let (round, line) = joko(app, 2).await;
    add_officer(app, "tini", "Tini", OfficerRole::Courier, "35.17.09").await;
    let mut chrome = Chrome::open(&line.url).await;
    open_round(&mut chrome, &round).await;
    line.cut();
    in_vain(&chrome, &round.items[0], "nobody_home").await;
    chrome.sees("Tanpa sinyal: 1 laporan menunggu").await;
    (round, line, chrome)
}

#[tokio::test]
async fn what_was_reported_of_a_round_that_is_somebody_elses_by_now_is_not_kept_in_silence() {
    run(Engine::Sqlite, taken_away).await;
}

async fn taken_away(app: TestApp) {
    let (round, line, mut chrome) = reported_in_a_valley(&app).await;
    app.query(
        "UPDATE delivery_round SET courier_id = (SELECT id FROM officer WHERE login = 'tini')",
    )
    .await;
    line.mend();
    chrome.press("Kirim sekarang").await;
    chrome.sees("Putaran ini bukan milik Anda lagi").await;
    chrome.look("courier_taken_away").await;
    assert!(round.reports(&app).await.is_empty());
    tap(&chrome, &round.items[0], ".told button").await;
    log_out(&chrome).await;
    assert_eq!(chrome.ask(KEPT).await, "0 0");
    chrome.close().await;
}

#[tokio::test]
async fn on_a_phone_of_two_couriers_a_report_waits_for_its_own() {
    run(Engine::Sqlite, shared_phone).await;
}

async fn shared_phone(app: TestApp) {
    let (round, line, chrome) = reported_in_a_valley(&app).await;
    line.mend();
    chrome.press("Keluar").await;
    assert!(chrome.agree().await.contains("1 laporan belum terkirim"));
    chrome.has("[name=login]").await;

    log_in(&chrome, "tini").await;
    chrome.has("#kurir h1, #kurir p").await;
    // What the page does by itself is through.
    chrome.ask("return navigator.locks.request('kurir', () => true)").await;
    assert_eq!(chrome.ask(KEPT).await, "0 1");
    assert_eq!(chrome.ask("return document.getElementById('lepas').textContent.trim()").await, "");
    assert!(round.reports(&app).await.is_empty());
    log_out(&chrome).await;

    log_in(&chrome, "joko").await;
    chrome.has("#jaringan.good").await;
    assert_eq!(round.reports(&app).await, [said(1, "done", "")]);
    chrome.close().await;
}

#[tokio::test]
async fn on_paper_and_without_a_script_a_round_is_carried_too() {
    run(Engine::Sqlite, on_paper).await;
}

async fn on_paper(app: TestApp) {
    let (round, line) = joko(&app, 4).await;
    let mut chrome = Chrome::open(&line.url).await;
    log_in(&chrome, "joko").await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        chrome.goto(&format!("{}/lembar", round.path())).await;
        chrome.sees("Lembar antar KTP-el").await;
        chrome.look("courier_sheet").await;
    }
    chrome.without_scripts().await;
    chrome.goto(&round.path()).await;
    chrome.keep_picture("courier_bare").await;
    chrome.click(&format!("main a[href$='#{}']", round.items[2])).await;
    chrome.fill("[name=code]", CODE).await;
    chrome.click("[name=outcome] [value=received]").await;
    chrome.click("[name=by] [value=self]").await;
    chrome.keep_picture("courier_bare_form").await;
    chrome.press("Kirim").await;
    chrome.sees("3. Agus Setiawan: Tercatat.").await;
    assert_eq!(round.reports(&app).await, [said(3, "done", "")]);
    chrome.close().await;
}
