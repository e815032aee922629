//! The console's officers, API tokens and audit log.

use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::officer::{SignIn, add, sign_in};
use kabar::store::audit::{LineFilter, list_lines};
use reqwest::StatusCode;

use crate::support::console::Browser;
use crate::support::{TestApp, on_both_engines};

/// What stands as the secret on a page that shows one.
fn secret(page: &str) -> &str {
    let rest = page.split("<p class=\"once\"><code>").nth(1).expect("a secret is shown");
    rest.split('<').next().unwrap()
}

async fn comes_in(app: &TestApp, login: &str, password: &str) -> bool {
    matches!(sign_in(&app.app, login, password.to_owned()).await.unwrap(), SignIn::In(..))
}

async fn id_of(app: &TestApp, login: &str) -> String {
    app.query(&format!("SELECT id FROM officer WHERE login = '{login}'")).await.concat().concat()
}

on_both_engines! {
    async fn an_officer_is_added_moved_given_a_password_locked_and_let_in(app: TestApp) {
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert_eq!(browser.get("/console/petugas/baru").await.status, StatusCode::OK);
        let new = |login: &'static str, role: &'static str, area: &'static str| {
            [("login", login), ("name", "Wati"), ("role", role), ("area", area)]
        };
        for (fields, what) in [
            (new("W", "desa", "35.17.09.2018"), "3 sampai 40"),
            (new("wati", "desa", "jombang"), "tidak terbaca"),
            (new("wati", "desa", "35.18"), "di luar wewenang"),
            (new("wati", "admin", "35.17"), "di luar wewenang"),
        ] {
            let answer = browser.post("/console/petugas/baru", &fields).await;
            assert!(answer.says(what), "{what}: {}", answer.text);
        }
        let page = browser.post("/console/petugas/baru", &new("wati", "desa", "35.17.09.2018")).await;
        let password = secret(&page.text).to_owned();
        assert!(comes_in(&app, "wati", &password).await);
        let again = browser.post("/console/petugas/baru", &new("wati", "desa", "35.17.09.2018")).await;
        assert!(again.says("sudah dipakai"), "{}", again.text);
        assert!(browser.get("/console/petugas").await.says("Wati"));

        let here = format!("/console/petugas/{}", id_of(&app, "wati").await);
        let shown = browser.get(&here).await;
        assert!(!shown.says(&password), "a password is shown once");
        let page = browser
            .post_and_follow(&format!("{here}/tempat"), &[("role", "kecamatan"), ("area", "35.17.09")])
            .await;
        assert!(page.says("Tersimpan") && page.says("Petugas kecamatan"), "{}", page.text);
        let refused = browser.post(&format!("{here}/tempat"), &[("role", "admin"), ("area", "35.17.09")]).await;
        assert!(refused.says("Tidak diizinkan"), "{}", refused.text);
        let page = browser.post(&format!("{here}/sandi"), &[]).await;
        let next = secret(&page.text).to_owned();
        assert!(!comes_in(&app, "wati", &password).await && comes_in(&app, "wati", &next).await);
        let page = browser.post_and_follow(&format!("{here}/kunci"), &[]).await;
        assert!(page.says("Dikunci") && !comes_in(&app, "wati", &next).await, "{}", page.text);
        browser.post_and_follow(&format!("{here}/buka"), &[]).await;
        assert!(comes_in(&app, "wati", &next).await);
        app.query(&format!("UPDATE officer SET totp_confirmed_at = 1 WHERE id = '{}'", id_of(&app, "wati").await)).await;
        let page = browser.post_and_follow(&format!("{here}/kode"), &[]).await;
        assert!(page.says("Kata sandi saja"), "{}", page.text);
        let trail = app
            .query(&format!(
                "SELECT action FROM audit WHERE object = '{}' AND who = '{}' ORDER BY id",
                id_of(&app, "wati").await, browser.officer
            ))
            .await
            .concat();
        let changed = "changed_officer";
        assert_eq!(trail, ["added_officer", changed, changed, "disabled_officer", changed, changed]);
    }

    async fn nobody_manages_officers_beyond_their_area_or_above_themselves(app: TestApp) {
        let area = |code| AreaCode::parse(code).unwrap();
        for (login, role, code) in [
            ("tetangga", OfficerRole::Desa, "35.18.01.2001"),
            ("penguasa", OfficerRole::Admin, "35.17"),
        ] {
            add(&app.app, &Actor::cli(), login, login, role, &area(code)).await.unwrap();
        }
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert!(!browser.get("/console/petugas").await.says("tetangga"));
        for login in ["tetangga", "penguasa"] {
            let here = format!("/console/petugas/{}", id_of(&app, login).await);
            assert_eq!(browser.get(&here).await.status, StatusCode::NOT_FOUND, "{login}");
            for what in ["sandi", "kode", "kunci", "buka"] {
                let answer = browser.post(&format!("{here}/{what}"), &[]).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{login} {what}");
            }
        }
        let own = format!("/console/petugas/{}", browser.officer);
        let answer = browser.post(&format!("{own}/kunci"), &[]).await;
        assert!(answer.says("akun Anda sendiri"), "{}", answer.text);
        let kecamatan = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert_eq!(kecamatan.get("/console/petugas").await.status, StatusCode::FORBIDDEN);
    }

    async fn a_long_list_of_officers_has_pages(app: TestApp) {
        for n in 0..53 {
            let statement = format!(
                "INSERT INTO officer (id, login, password_hash, role, created_at, name, area) VALUES \
                 ('off_{n:026}', 'petugas-{n:03}', 'x', 'desa', 0, 'Nomor {n:03}', '35.17.09.2018')"
            );
            app.query(&statement).await;
        }
        let browser = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        let first = browser.get("/console/petugas").await;
        assert!(first.says("Nomor 048") && !first.says("Nomor 049"), "fifty with the admin");
        let next = first.attributes("href").into_iter().find(|to| to.contains("sesudah")).expect("a next page");
        let second = browser.get(&next).await;
        assert!(second.says("Nomor 049") && second.says("Nomor 052") && !second.says("Nomor 048"));
        assert!(!second.says("sesudah="), "it is the last");
    }

    async fn a_token_is_shown_once_and_revoked(app: TestApp) {
        let browser = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        let form = |name: &'static str, role: &'static str, area: &'static str, expires: &'static str| {
            [("name", name), ("role", role), ("area", area), ("expires", expires)]
        };
        for (fields, what) in [
            (form(" ", "office", "35.17", ""), "siapa yang akan memakai"),
            (form("SIAK", "office", "x", ""), "tidak terbaca"),
            (form("SIAK", "office", "35.17", "2020-01-01"), "sudah lewat"),
            (form("SIAK", "source", "35.17.09", ""), "seluruh kantor"),
            (form("SIAK", "office", "35.18", ""), "di luar wewenang"),
        ] {
            let answer = browser.post("/console/token", &fields).await;
            assert!(answer.says(what), "{what}: {}", answer.text);
        }
        let page = browser.post("/console/token", &form("Dasbor camat", "auditor", "35.17.09", "2030-01-31")).await;
        let token = secret(&page.text).to_owned();
        let status = async || {
            app.http.get(format!("{}/v1/messages", app.url)).bearer_auth(&token).send().await.unwrap().status()
        };
        assert_eq!(status().await, StatusCode::OK);
        let list = browser.get("/console/token").await;
        assert!(list.says("Dasbor camat") && list.says("1 Feb 2030") && !list.says(&token), "{}", list.text);
        let id = app.query("SELECT id FROM api_token WHERE name = 'Dasbor camat'").await.concat().concat();
        let page = browser.post_and_follow(&format!("/console/token/{id}/cabut"), &[]).await;
        assert!(page.says("dicabut"), "{}", page.text);
        assert_eq!(status().await, StatusCode::UNAUTHORIZED);
        let again = browser.post(&format!("/console/token/{id}/cabut"), &[]).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND);
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert_eq!(dinas.get("/console/token").await.status, StatusCode::FORBIDDEN);
    }

    async fn the_trail_tells_in_words_who_did_what_and_to_what(app: TestApp) {
        let admin = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        let fields = [("login", "wati"), ("name", "Wati"), ("role", "desa"), ("area", "35.17.09.2018")];
        admin.post("/console/petugas/baru", &fields).await;
        let wati = id_of(&app, "wati").await;
        admin.post(&format!("/console/petugas/{wati}/kunci"), &[]).await;
        let auditor = Browser::login(&app, OfficerRole::Auditor, "35.17").await;
        let all = auditor.get("/console/jejak").await;
        assert!(all.says("Menambah petugas") && all.says("Mengunci petugas") && all.says("Masuk"), "{}", all.text);
        let one = auditor.get(&format!("/console/jejak?objek={wati}")).await;
        assert!(one.says("Mengunci petugas") && !one.says("<td data-name=\"Apa\">Masuk"), "{}", one.text);
        let who = auditor.get(&format!("/console/jejak?petugas={}", auditor.officer)).await;
        assert!(!who.says("Mengunci petugas") && who.says("Masuk"), "{}", who.text);

        let file = auditor.get(&format!("/console/jejak.csv?objek={wati}")).await;
        assert!(file.kind.starts_with("text/csv"), "{}", file.kind);
        let lines: Vec<&str> = file.text.lines().collect();
        assert_eq!(lines[0], "id,at,who,role,action,object,detail");
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].contains("disabled_officer") && lines[2].contains("added_officer"), "{lines:?}");
        let taken = app.query("SELECT who FROM audit WHERE action = 'exported'").await.concat();
        assert_eq!(taken, std::slice::from_ref(&auditor.officer), "taking it out is a line itself");
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        assert_eq!(desa.get("/console/jejak").await.status, StatusCode::FORBIDDEN);
    }

    async fn whoever_keeps_a_part_of_the_office_sees_the_trail_of_that_part(app: TestApp) {
        let outside = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        outside.get("/console/jejak.csv").await;
        let inside = Browser::login(&app, OfficerRole::Dinas, "35.17.09").await;
        let page = inside.get("/console/jejak").await;
        assert!(page.says(&inside.officer) && !page.says(&outside.officer), "{}", page.text);
        let file = inside.get("/console/jejak.csv").await;
        assert!(!file.says(&outside.officer), "{}", file.text);
    }

    async fn a_long_trail_has_pages_and_its_file_is_whole(app: TestApp) {
        let browser = Browser::login(&app, OfficerRole::Admin, "35.17").await;
        let mut tx = app.app.db.begin().await.unwrap();
        for _ in 0..1_100 {
            kabar::store::audit::insert_line(
                &mut tx, app.app.ids.next(app.app.now()), &browser.actor,
                kabar::domain::audit::Action::Searched, "crd_uji", None, app.app.now(),
            ).await.unwrap();
        }
        tx.commit().await.unwrap();
        let first = browser.get("/console/jejak?objek=crd_uji").await;
        assert_eq!(first.text.matches("Mencari warga").count(), 50);
        let next = first.attributes("href").into_iter().find(|to| to.contains("sebelum")).unwrap();
        let second = browser.get(&next.replace("&amp;", "&").replace("&#38;", "&")).await;
        assert_eq!(second.text.matches("Mencari warga").count(), 50);
        let filter = LineFilter { object: Some("crd_uji".to_owned()), ..LineFilter::default() };
        let lines = list_lines(&app.app.db, &filter, 51).await.unwrap();
        assert!(!second.says(&lines[49].id.to_string()));
        let file = browser.get("/console/jejak.csv?objek=crd_uji").await;
        assert_eq!(file.text.lines().count(), 1_101);
    }
}
