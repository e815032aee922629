//! A broadcast of a desa: written, previewed, tried, agreed to by somebody else, sent, held, let go on, and
//! reported with what failed, which is tried again alone.

use std::time::Duration;

use kabar::domain::officer::OfficerRole;
use kabar::service::broadcast;
use kabar::store::Engine;
use serde_json::{Value, json};

use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::citizen::Citizen;
use crate::support::console::add_officer;
use crate::support::webhook::status;
use crate::support::{Answer, Start, TestApp, citizen, run};

/// More than an officer of a desa may reach alone here.
const PEOPLE: usize = 12;

#[tokio::test]
async fn a_broadcast_is_written_approved_by_another_sent_held_and_reported() {
    run(Engine::Sqlite, played).await;
}

async fn played(mut start: Start) {
    start.settings.broadcast.approve_over = 10;
    start.messages_per_second = 2;
    let app = start.open().await;
    add_officer(&app, "camat", "Wati Lestari", OfficerRole::Kecamatan, "35.17.09").await;
    let mut chrome = Chrome::open(&app.url).await;
    for (round, screen) in Screen::BOTH.into_iter().enumerate() {
        chrome.sit_before(screen).await;
        // A desa of its own, so that the second round begins anew.
        let area = format!("35.17.09.20{}", 18 + round);
        let first = 100 * (round + 1);
        let people: Vec<Citizen> =
            (first..first + PEOPLE).map(|n| citizen(n).of_area(&area)).collect();
        register(&app, &people).await;
        let login = format!("desa-{round}");
        add_officer(&app, &login, "Budi Hartono", OfficerRole::Desa, &area).await;
        let title = format!("Perekaman KTP-el hari ke-{}", round + 1);
        written(&app, &mut chrome, &login, &title).await;
        approved(&mut chrome, &login, &title).await;
        sent(&app, &mut chrome, &people).await;
        retried(&app, &mut chrome, &people).await;
        log_out(&chrome).await;
    }
    chrome.close().await;
}

/// People on file of whom nobody was told anything.
async fn register(app: &TestApp, people: &[Citizen]) {
    let updates: Vec<Value> = people
        .iter()
        .map(|one| {
            let mut update = app.update(one, "CARD_PRINTED");
            update["silent"] = json!(true);
            update
        })
        .collect();
    app.post(&updates.into()).await;
}

async fn written(app: &TestApp, chrome: &mut Chrome, login: &str, title: &str) {
    log_in(chrome, login).await;
    chrome.press("Siaran").await;
    chrome.press("Tulis siaran").await;
    chrome.fill("[name=title]", title).await;
    chrome
        .fill("[name=text]", "Warga yang belum merekam silakan datang. NIK 3517091204560001")
        .await;
    chrome.press("Simpan dan lihat pratinjau").await;
    chrome.sees("Pengumuman memuat angka seperti NIK").await;
    chrome.look("broadcast_refused").await;
    chrome
        .fill("[name=text]", "Warga yang belum merekam silakan datang membawa fotokopi KK.")
        .await;
    chrome.fill("[name=place]", "Balai Desa Jabon").await;
    chrome.fill("[name=time]", "Selasa, 24 November, pukul 08.00").await;
    chrome.look("broadcast_written").await;
    chrome.press("Simpan dan lihat pratinjau").await;
    chrome.sees("Siaran ini perlu disetujui orang kedua").await;
    chrome.sees("Di HP warga").await;
    chrome.look("broadcast_preview").await;
    chrome.fill("[name=phone]", "0321-861234").await;
    chrome.press("Kirim uji").await;
    chrome.sees("Nomor ini tidak dapat dikirimi").await;
    chrome.fill("[name=phone]", "0812-9999-0007").await;
    chrome.press("Kirim uji").await;
    chrome.sees("Pesan uji sedang dikirim").await;
    app.advance(Duration::from_secs(2)).await;
    assert!(app.whatsapp.sent_to("+6281299990007").pop().unwrap().param("title").contains(title));
    chrome.press("Ajukan").await;
    chrome.sees("Siaran diajukan").await;
    let words = chrome.words().await;
    assert!(!words.contains("Setujui"), "nobody agrees to their own: {words}");
    log_out(chrome).await;
}

async fn approved(chrome: &mut Chrome, login: &str, title: &str) {
    log_in(chrome, "camat").await;
    chrome.press("Siaran").await;
    chrome.sees(title).await;
    chrome.look("broadcast_list").await;
    chrome.press(title).await;
    chrome.sees("Budi Hartono").await;
    chrome.look("broadcast_to_approve").await;
    chrome.press("Setujui").await;
    chrome.sees("Siaran disetujui").await;
    log_out(chrome).await;
    log_in(chrome, login).await;
    chrome.press("Siaran").await;
    chrome.press(title).await;
    chrome.sees("Wati Lestari").await;
    chrome.press("Kirim").await;
    assert_eq!(chrome.agree().await, "Kirim siaran ini kepada semua penerima?");
    chrome.sees("Siaran mulai dikirim").await;
}

async fn sent(app: &TestApp, chrome: &mut Chrome, people: &[Citizen]) {
    app.whatsapp.always_to(&people[2].e164, Answer::code(130_472));
    app.whatsapp.always_to(&people[5].e164, Answer::code(131_009));
    app.whatsapp.always_to(&people[7].e164, Answer::code(131_026));
    broadcast::step(&app.app).await.unwrap();
    app.clock.advance(Duration::from_secs(1));
    app.send_round().await;
    let reached =
        || people.iter().filter(|one| !app.whatsapp.sent_to(&one.e164).is_empty()).count();
    let before = reached();
    assert!((1..PEOPLE).contains(&before), "{before}");
    // Told by the page itself, as it happens.
    chrome.sees("menunggu").await;
    chrome.look("broadcast_sending").await;
    chrome.press("Jeda").await;
    chrome.sees("Siaran dijeda").await;
    app.advance(Duration::from_secs(60)).await;
    assert_eq!(reached(), before, "nothing leaves while it is held");
    chrome.look("broadcast_held").await;
    chrome.press("Lanjutkan").await;
    chrome.sees("Siaran dilanjutkan").await;
    everything_leaves_and_arrives(app).await;
    assert_eq!(reached(), PEOPLE - 3);
}

async fn everything_leaves_and_arrives(app: &TestApp) {
    for _ in 0..2 * PEOPLE {
        app.advance(Duration::from_secs(1)).await;
    }
    let at = app.now_s();
    let words: Vec<Value> =
        app.whatsapp.sent().iter().map(|sent| status(sent, "delivered", at)).collect();
    app.receipts(&words).await;
    app.run_until_idle().await;
}

async fn retried(app: &TestApp, chrome: &mut Chrome, people: &[Citizen]) {
    // The page that is open comes to know of the end by itself.
    chrome.sees("Coba lagi yang gagal").await;
    chrome.sees("12 dari 12").await;
    chrome.look("broadcast_report").await;
    chrome.press("Daftar yang gagal").await;
    chrome.sees("Kode 130472").await;
    chrome.sees("Nomor ini tidak terdaftar di sana").await;
    chrome.look("broadcast_failures").await;
    chrome.press("← Ke siaran").await;
    let times = |one: &Citizen| {
        app.whatsapp.requests().iter().filter(|request| request.to() == one.e164).count()
    };
    let before: Vec<usize> = people.iter().map(times).collect();
    for one in [2, 5] {
        app.whatsapp.always_to(&people[one].e164, Answer::Accept);
    }
    chrome.press("Coba lagi yang gagal").await;
    chrome.sees("Yang gagal sedang dikirim lagi").await;
    everything_leaves_and_arrives(app).await;
    chrome.sees("2 dari 2").await;
    chrome.look("broadcast_retried").await;
    let again: Vec<usize> = (0..PEOPLE).filter(|n| times(&people[*n]) > before[*n]).collect();
    assert_eq!(again, [2, 5], "who got it, and who is on no WhatsApp, is left in peace");
}
