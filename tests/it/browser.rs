//! The officers' console in a real browser: as somebody sees it, on a laptop and on a phone.

use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::officer::add;
use kabar::store::Engine;
use kabar::web::console::{Need, routes};

use crate::support::chrome::{Chrome, Screen};
use crate::support::{TestApp, run};

const PASSWORD: &str = "padi menguning di sawah";

/// Adds an officer; gives the password they come in with the first time.
async fn officer(app: &TestApp, login: &str, role: OfficerRole, area: &str) -> String {
    let area = AreaCode::parse(area).unwrap();
    add(&app.app, &Actor::cli(), login, login, role, &area).await.unwrap().1
}

/// Comes in for the first time, and chooses a password.
async fn come_in(chrome: &Chrome, login: &str, password: &str) {
    chrome.goto("/console").await;
    chrome.fill("[name=login]", login).await;
    chrome.fill("[name=password]", password).await;
    chrome.press("Masuk").await;
    chrome.sees("Buat kata sandi sendiri").await;
    chrome.fill("[name=old]", password).await;
    chrome.fill("[name=new]", PASSWORD).await;
    chrome.press("Ganti").await;
}

#[tokio::test]
async fn somebody_comes_in_for_the_first_time_and_sets_up_a_second_factor() {
    run(Engine::Sqlite, first_login).await;
}

async fn first_login(app: TestApp) {
    for screen in [Screen::Laptop, Screen::Phone] {
        let login = format!("rahma-{}", screen.width());
        let password = officer(&app, &login, OfficerRole::Dinas, "35.17").await;
        let chrome = Chrome::open(&app.url, screen).await;
        chrome.goto("/console/kartu").await;
        assert!(chrome.path().await.starts_with("/console/masuk?next="));
        let mut faults = chrome.look("door").await;
        chrome.fill("[name=login]", &login).await;
        chrome.fill("[name=password]", "salah sekali").await;
        chrome.press("Masuk").await;
        chrome.sees("Nama atau kata sandi salah.").await;
        faults.extend(chrome.look("door_wrong").await);
        come_in(&chrome, &login, &password).await;
        chrome.goto("/console/akun").await;
        chrome.press("Aktifkan").await;
        let letters: String = chrome
            .words()
            .await
            .split("Ketik huruf ini:")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .take_while(|group| group.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
            .collect();
        let secret = totp_rs::Secret::try_from_base32(&letters).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        let code = |after: u64| {
            let seconds = u64::try_from(app.now_s()).unwrap() + after;
            totp.generate(seconds).to_string()
        };
        faults.extend(chrome.look("second_factor").await);
        chrome.fill("[name=code]", &code(0)).await;
        chrome.press("Aktifkan").await;
        chrome.sees("Setiap masuk, kode dari aplikasi autentikator diminta.").await;
        chrome.press("Keluar").await;
        chrome.fill("[name=login]", &login).await;
        chrome.fill("[name=password]", PASSWORD).await;
        chrome.press("Masuk").await;
        chrome.sees("Kode dari aplikasi").await;
        faults.extend(chrome.look("code").await);
        // The code that was used once is worth nothing.
        chrome.fill("[name=code]", &code(0)).await;
        chrome.press("Lanjut").await;
        chrome.sees("Kode salah atau sudah dipakai.").await;
        chrome.fill("[name=code]", &code(30)).await;
        chrome.press("Lanjut").await;
        chrome.sees("Hari ini").await;
        assert_eq!(faults, Vec::<String>::new());
        chrome.close().await;
    }
}

#[tokio::test]
async fn every_page_fits_both_screens_and_has_no_serious_fault() {
    run(Engine::Sqlite, look_at_every_page).await;
}

async fn look_at_every_page(app: TestApp) {
    let mut faults = Vec::new();
    for screen in [Screen::Laptop, Screen::Phone] {
        let login = format!("admin-{}", screen.width());
        let password = officer(&app, &login, OfficerRole::Admin, "35.17").await;
        let chrome = Chrome::open(&app.url, screen).await;
        come_in(&chrome, &login, &password).await;
        for route in routes() {
            let is_page = route.method == "GET" && !route.path.contains('{');
            if is_page && route.need != Need::Nothing {
                chrome.goto(route.path).await;
                let name = route.path.trim_start_matches("/console").replace('/', "_");
                faults.extend(chrome.look(&format!("page{name}")).await);
            }
        }
        chrome.close().await;
    }
    assert_eq!(faults, Vec::<String>::new());
}
