//! Coming in: a first password, one of one's own, a second factor, and what is wrong at the door.

use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::officer::add;
use kabar::store::Engine;

use super::log_out;
use crate::support::chrome::{Chrome, Screen};
use crate::support::console::PASSWORD;
use crate::support::{TestApp, run};

/// Comes in for the first time, and chooses a password.
async fn come_in(chrome: &mut Chrome, login: &str, password: &str) {
    chrome.goto("/console").await;
    chrome.fill("[name=login]", login).await;
    chrome.fill("[name=password]", password).await;
    chrome.press("Masuk").await;
    chrome.sees("Buat kata sandi sendiri").await;
    chrome.look("door_first").await;
    chrome.fill("[name=old]", password).await;
    chrome.fill("[name=new]", PASSWORD).await;
    chrome.press("Ganti").await;
    chrome.sees("Semua beres").await;
}

/// The letters that stand beside the picture for an app.
async fn letters(chrome: &Chrome) -> String {
    let words = chrome.words().await;
    let groups = words.split("Ketik huruf ini:").nth(1).unwrap().split_whitespace();
    let is_secret = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    groups.take_while(|group| group.chars().all(is_secret)).collect()
}

#[tokio::test]
async fn somebody_comes_in_for_the_first_time_and_sets_up_a_second_factor() {
    run(Engine::Sqlite, first_login).await;
}

async fn first_login(app: TestApp) {
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        let login = format!("rahma-{}", screen.width());
        let area = AreaCode::parse("35.17").unwrap();
        let role = OfficerRole::Dinas;
        let added = add(&app.app, &Actor::cli(), &login, "Rahma Hidayati", role, &area).await;
        let password = added.unwrap().1;
        chrome.goto("/console/kartu").await;
        assert!(chrome.path().await.starts_with("/console/masuk?next="));
        chrome.look("door").await;
        chrome.fill("[name=login]", &login).await;
        chrome.fill("[name=password]", "salah sekali").await;
        chrome.press("Masuk").await;
        chrome.sees("Nama atau kata sandi salah.").await;
        chrome.look("door_wrong").await;
        come_in(&mut chrome, &login, &password).await;
        chrome.goto("/console/akun").await;
        chrome.press("Aktifkan").await;
        chrome.has("[name=code]").await;
        let secret = totp_rs::Secret::try_from_base32(&letters(&chrome).await).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        let code = |after: u64| {
            let seconds = u64::try_from(app.now_s()).unwrap() + after;
            totp.generate(seconds).to_string()
        };
        chrome.look("second_factor").await;
        chrome.fill("[name=code]", &code(0)).await;
        chrome.press("Aktifkan").await;
        chrome.sees("Setiap masuk, kode dari aplikasi autentikator diminta.").await;
        log_out(&chrome).await;
        chrome.fill("[name=login]", &login).await;
        chrome.fill("[name=password]", PASSWORD).await;
        chrome.press("Masuk").await;
        chrome.sees("Kode dari aplikasi").await;
        chrome.look("code").await;
        // The code that was used once is worth nothing.
        chrome.fill("[name=code]", &code(0)).await;
        chrome.press("Lanjut").await;
        chrome.sees("Kode salah atau sudah dipakai.").await;
        chrome.fill("[name=code]", &code(30)).await;
        chrome.press("Lanjut").await;
        chrome.sees("Hari ini").await;
        log_out(&chrome).await;
    }
    chrome.close().await;
}
