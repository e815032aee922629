//! `Hari ini`: what needs a hand, whose it is to see, and what comes of pressing a button.

use kabar::domain::officer::OfficerRole;
use kabar::service::mend::{self, Again};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::console::Browser;
use crate::support::{Answer, TestApp, citizen, on_both_engines};

const TODAY: &str = "/console/hari-ini";
const FAILED: &str = "/console/hari-ini/gagal";
const JABON: &str = "35.17.09";
const OTHER: &str = "35.17.10";

/// A card is printed, and Meta refuses to tell its holder.
async fn refused(app: &TestApp, n: usize, code: i64) {
    app.whatsapp.next(Answer::code(code));
    app.card(&citizen(n), "CARD_PRINTED").await;
    app.run_until_idle().await;
}

async fn failed_id(app: &TestApp) -> String {
    app.query("SELECT id FROM message WHERE status = 'failed' ORDER BY id").await[0][0].clone()
}

async fn actions(app: &TestApp, browser: &Browser) -> Vec<String> {
    let lines = app
        .query(&format!(
            "SELECT action, object FROM audit WHERE who = '{}' ORDER BY id",
            browser.officer
        ))
        .await;
    lines.iter().map(|line| line.join(" ")).collect()
}

on_both_engines! {
    async fn an_empty_morning_says_so(app: TestApp) {
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let page = browser.get(TODAY).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.says("Semua beres"), "{}", page.text);
        assert!(!page.says("class=\"count\""));
    }

    async fn what_was_not_counted_to_its_end_says_so(app: TestApp) {
        refused(&app, 1, 132_001).await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        assert!(office.get(TODAY).await.says("class=\"count\">1<"));
        let begin = failed_id(&app).await[..24].to_owned();
        let rows: Vec<String> = (0..300)
            .map(|n| format!("('{begin}{n:06}', '{n}', 'wa-test', 'whatsapp', 'announcement', 1, 'failed', 'first', \
                'card_printed', '', 'x', 7, 0, 1, '131026', 0, 0, '3517091001')"))
            .collect();
        app.query(&format!("INSERT INTO message (id, idem_key, account, channel, class, lane, status, why, template, \
            recipient_hash, content_sealed, zone, due_at, attempts, failure_code, created_at, updated_at, area) VALUES {}",
            rows.join(", "))).await;
        let page = Browser::login(&app, OfficerRole::Dinas, "35.17").await.get(TODAY).await;
        assert!(page.says("+</p>"), "{}", page.text);
    }

    async fn a_failed_message_says_why_in_words_and_goes_out_once_more(app: TestApp) {
        refused(&app, 1, 132_001).await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        let page = browser.get(TODAY).await;
        assert!(page.says("Isi atau templat pesan ditolak."), "{}", page.text);
        let hrefs = page.attributes("href");
        let link = hrefs.iter().find(|link| link.contains("alasan=")).expect("a link to the list");
        let list = browser.get(link).await;
        assert!(list.says("Budi S.") && list.says("Kirim lagi"), "{}", list.text);
        assert!(!list.says("Budi Santoso") && !list.says(&citizen(1).e164), "masked");

        let id = failed_id(&app).await;
        let done = browser.post_and_follow(&format!("{FAILED}/{id}/lagi"), &[]).await;
        assert!(done.says("masuk antrean"), "{}", done.text);
        assert!(done.says("Tidak ada pesan gagal"), "it stands on the list no more");
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 2);
        assert_eq!(app.whatsapp.sent_to(&citizen(1).e164).len(), 1);
        let why = app.query("SELECT why, first_id FROM message ORDER BY id DESC LIMIT 1").await;
        assert_eq!(why, [["sent_again_by_officer".to_owned(), id.clone()]]);

        let again = browser.post(&format!("{FAILED}/{id}/lagi"), &[]).await;
        assert!(again.to.ends_with("selesai=diganti"), "{}", again.to);
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.requests().len(), 2, "nobody hears it twice");
        let lines = actions(&app, &browser).await;
        assert!(lines.contains(&format!("sent_again {id}")), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("sent_again")).count(), 1);
    }

    async fn who_is_not_on_whatsapp_is_not_sent_to_again_and_is_told_in_person(app: TestApp) {
        refused(&app, 1, 131_026).await;
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let page = browser.get(TODAY).await;
        assert!(page.says("tidak terdaftar di sana"), "{}", page.text);
        assert!(page.says("Perlu diberi tahu langsung"));
        let id = failed_id(&app).await;
        let answer = browser.post(&format!("{FAILED}/{id}/lagi"), &[]).await;
        assert!(answer.to.ends_with("selesai=buntu"), "{}", answer.to);

        let visits = browser.get("/console/hari-ini/kunjungan").await;
        assert!(visits.says("Budi Santoso"), "whoever goes there needs the name: {}", visits.text);
        let visit = app.query("SELECT id FROM visit").await[0][0].clone();
        let told = format!("/console/hari-ini/kunjungan/{visit}/sudah");
        let after = browser.post_and_follow(&told, &[]).await;
        assert!(after.says("Tidak ada yang perlu didatangi"), "{}", after.text);
        assert!(browser.get(TODAY).await.says("Semua beres"), "the failure is dealt with too");
        let closed = app.query("SELECT outcome, closed_by FROM visit").await;
        assert_eq!(closed, [["told".to_owned(), browser.officer.clone()]]);
        assert_eq!(browser.post(&told, &[]).await.status, StatusCode::NOT_FOUND, "only once");
    }

    async fn what_was_told_is_set_aside_with_its_visit(app: TestApp) {
        refused(&app, 1, 131_026).await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        let id = failed_id(&app).await;
        let page = browser.post_and_follow(&format!("{FAILED}/{id}/selesai"), &[]).await;
        assert!(page.says("Tidak ada pesan gagal"), "{}", page.text);
        assert_eq!(app.query("SELECT outcome FROM visit").await, [["told"]]);
        let again = browser.post(&format!("{FAILED}/{id}/selesai"), &[]).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND);
    }

    async fn nobody_sees_or_mends_what_lies_beyond_their_area(app: TestApp) {
        refused(&app, 1, 132_001).await;
        refused(&app, 2, 131_026).await;
        let id = failed_id(&app).await;
        let visit = app.query("SELECT id FROM visit LIMIT 1").await[0][0].clone();
        let stranger = Browser::login(&app, OfficerRole::Kecamatan, OTHER).await;
        assert!(stranger.get(TODAY).await.says("Semua beres"));
        for path in [FAILED, "/console/hari-ini/kunjungan"] {
            let page = stranger.get(path).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(!page.says("<tbody>"), "{path}");
        }
        for path in [
            format!("{FAILED}/{id}/lagi"),
            format!("{FAILED}/{id}/selesai"),
            format!("/console/hari-ini/kunjungan/{visit}/sudah"),
        ] {
            assert_eq!(stranger.post(&path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let mut update = app.update(&citizen(3), "CARD_PRINTED");
        update["nik"] = json!("12345");
        app.post(&update).await;
        let rejected = app.query("SELECT id FROM rejection").await[0][0].clone();
        for path in ["ditolak", "tertahan", "sistem"] {
            let page = stranger.get(&format!("{TODAY}/{path}")).await;
            assert!(!page.says("<tbody>"), "what came by the API is the whole office's: {path}");
        }
        let item = format!("{TODAY}/ditolak/{rejected}");
        assert_eq!(stranger.get(&item).await.status, StatusCode::NOT_FOUND);
        let settled = stranger.post(&format!("{item}/selesai"), &[]).await;
        assert_eq!(settled.status, StatusCode::NOT_FOUND);
        let lines = actions(&app, &stranger).await;
        assert!(!lines.iter().any(|line| line.starts_with("sent_again")), "{lines:?}");
        assert_eq!(app.query("SELECT COUNT(*) FROM message WHERE handled_at IS NOT NULL").await, [["0"]]);
    }

    async fn a_desa_officer_and_an_auditor_see_and_a_courier_does_not(app: TestApp) {
        refused(&app, 1, 132_001).await;
        let id = failed_id(&app).await;
        for (role, area) in [(OfficerRole::Desa, "35.17.09.2018"), (OfficerRole::Auditor, "35.17")] {
            let browser = Browser::login(&app, role, area).await;
            let list = browser.get(FAILED).await;
            assert!(list.says("Budi S.") && !list.says("Kirim lagi"), "{role}");
            let answer = browser.post(&format!("{FAILED}/{id}/lagi"), &[]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}");
        }
        let courier = Browser::login(&app, OfficerRole::Courier, JABON).await;
        assert_eq!(courier.get(TODAY).await.status, StatusCode::FORBIDDEN);
    }

    async fn a_rejected_update_is_looked_at_and_settled(app: TestApp) {
        let mut update = app.update(&citizen(1), "CARD_PRINTED");
        update["nik"] = json!("12345");
        app.post(&update).await;
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert!(browser.get(TODAY).await.says("Data yang ditolak"));
        let list = browser.get("/console/hari-ini/ditolak").await;
        assert!(list.says("NIK salah tulis"), "{}", list.text);
        assert!(!list.says("Budi"), "the list has no data of anybody");
        let id = app.query("SELECT id FROM rejection").await[0][0].clone();
        let item = browser.get(&format!("/console/hari-ini/ditolak/{id}")).await;
        assert!(item.says("Budi Santoso"), "{}", item.text);
        let settle = format!("/console/hari-ini/ditolak/{id}/selesai");
        let done = browser.post_and_follow(&settle, &[]).await;
        assert!(done.says("Tidak ada data yang ditolak"), "{}", done.text);
        let lines = actions(&app, &browser).await;
        assert!(lines.contains(&format!("looked_at_card {id}")), "{lines:?}");
        assert!(lines.contains(&format!("resolved {id}")), "{lines:?}");
    }

    async fn an_account_that_stands_still_is_explained(app: TestApp) {
        app.is_not_paid().await;
        let browser = Browser::login(&app, OfficerRole::Admin, "").await;
        assert!(browser.get(TODAY).await.says("Akun pengirim bermasalah"));
        let page = browser.get("/console/hari-ini/sistem").await;
        assert!(page.says("kunci, pulsa, atau pembayaran"), "{}", page.text);
    }

    async fn a_message_that_arrived_is_not_sent_again_by_anybody(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let id = app.query("SELECT id FROM message").await[0][0].parse().unwrap();
        let again = mend::send_again(&app.app, &browser.actor, id).await.unwrap();
        assert_eq!(again, Again::NotFailed);
        refused(&app, 2, 132_001).await;
        app.card(&citizen(2), "CARD_ISSUED").await;
        app.run_until_idle().await;
        let old = failed_id(&app).await.parse().unwrap();
        let again = mend::send_again(&app.app, &browser.actor, old).await.unwrap();
        assert_eq!(again, Again::Replaced, "newer news went out");
        assert!(browser.get(TODAY).await.says("Semua beres"));
    }
}
