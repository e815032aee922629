//! `Persetujuan warga`: what proves that a number is a citizen's, what it changes, and how little it shows.

use kabar::domain::nik::Nik;
use kabar::domain::officer::OfficerRole;
use kabar::service::connect::issue_code;
use reqwest::StatusCode;

use crate::support::console::{Answer, Browser};
use crate::support::{TestApp, citizen, on_both_engines};

const PAGE: &str = "/console/persetujuan";
const NAMES: &str = "/console/persetujuan/nama";
const DESA: &str = "35.17.09.2018";

/// Somebody without a number has a card, and the reference that stands on the letter about it.
async fn silent_card(app: &TestApp, n: usize) -> String {
    app.card(&citizen(n).with_phone(""), "CARD_PRINTED").await;
    app.run_until_idle().await;
    app.query("SELECT reference FROM message ORDER BY id DESC LIMIT 1").await[0][0].clone()
}

async fn register(browser: &Browser, proof: &str, phone: &str) -> Answer {
    browser.post(PAGE, &[("proof", proof), ("phone", phone), ("agreed", "1")]).await
}

async fn code(app: &TestApp, n: usize) -> String {
    let nik = Nik::parse(&citizen(n).nik).unwrap();
    issue_code(&app.app, &nik, "test").await.unwrap().unwrap().code
}

on_both_engines! {
    async fn who_has_no_number_gets_news_at_the_one_they_agreed_to(app: TestApp) {
        let reference = silent_card(&app, 1).await;
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        let form = partner.get(PAGE).await;
        assert!(form.says("BERHENTI"), "{}", form.text);
        let answer = register(&partner, &reference.to_lowercase(), &citizen(1).phone).await;
        assert_eq!(answer.to, "/console/persetujuan?selesai=1", "{}", answer.text);
        assert!(!partner.get(&answer.to).await.says("Budi"), "nothing of the person is shown");
        app.card(&citizen(1).with_phone(""), "siap ambil").await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(&citizen(1).e164).len(), 1);
        let line = app.query("SELECT object, detail FROM audit WHERE action = 'registered_consent'").await;
        assert!(line[0][0].starts_with("per_") && line[0][1] == "reference", "{line:?}");
    }

    async fn without_the_tick_or_with_two_numbers_nothing_is_registered(app: TestApp) {
        let reference = silent_card(&app, 1).await;
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        let phone = citizen(1).phone;
        let answer = partner.post(PAGE, &[("proof", &reference), ("phone", &phone)]).await;
        assert!(answer.says("Centang dulu"), "{}", answer.text);
        let answer = register(&partner, &reference, "0812-3456-0001 / 0812-3456-0002").await;
        assert!(answer.says("tidak bisa dibaca"), "{}", answer.text);
        assert_eq!(app.query("SELECT COUNT(*) FROM person WHERE phone_hash IS NOT NULL").await, [["0"]]);
    }

    async fn a_reference_takes_nobodys_number_away_and_a_code_of_the_counter_does(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let reference = app.query("SELECT reference FROM message").await[0][0].clone();
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        let answer = register(&partner, &reference, &citizen(2).phone).await;
        assert!(answer.says("Tidak bisa didaftarkan"), "{}", answer.text);
        let code = code(&app, 1).await;
        let answer = register(&partner, &code, &citizen(2).phone).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let answer = register(&partner, &code, &citizen(3).phone).await;
        assert!(answer.says("Tidak bisa didaftarkan"), "a code is good once");
        app.card_with(&citizen(1).with_phone(""), "siap ambil", &[]).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(&citizen(2).e164).len(), 1);
    }

    async fn whoever_stopped_hears_again_once_they_agree_and_a_stranger_never(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let reference = app.query("SELECT reference FROM message").await[0][0].clone();
        app.asks(&citizen(1).e164, "BERHENTI").await;
        let opted = "SELECT COUNT(*) FROM consent WHERE opted_out_at IS NOT NULL";
        assert_eq!(app.query(opted).await, [["1"]]);
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        let answer = register(&partner, &reference, &citizen(1).phone).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert_eq!(app.query(opted).await, [["0"]]);

        app.asks(&citizen(1).e164, "salah orang").await;
        let suppressed = "SELECT COUNT(*) FROM suppression WHERE reason = 'wrong_person'";
        if app.query(suppressed).await == [["0"]] {
            app.asks(&citizen(1).e164, "ya").await;
        }
        assert_eq!(app.query(suppressed).await, [["1"]]);
        let answer = register(&partner, &reference, &citizen(1).phone).await;
        assert!(answer.says("Tidak bisa didaftarkan"), "{}", answer.text);
    }

    async fn beyond_ones_area_nothing_fits_and_no_code_is_used_up(app: TestApp) {
        let reference = silent_card(&app, 1).await;
        let code = code(&app, 1).await;
        let stranger = Browser::login(&app, OfficerRole::Partner, "35.17.10.2001").await;
        for proof in [&reference, &code] {
            let answer = register(&stranger, proof, &citizen(1).phone).await;
            assert!(answer.says("Tidak bisa didaftarkan"), "{}", answer.text);
        }
        assert!(!stranger.get(NAMES).await.says("<tbody>"));
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        let answer = register(&partner, &code, &citizen(1).phone).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "the code is still good");
    }

    async fn nobody_tries_out_references_without_end(app: TestApp) {
        let reference = silent_card(&app, 1).await;
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        for _ in 0..10 {
            let answer = register(&partner, "AAAA-AA", &citizen(1).phone).await;
            assert!(answer.says("Tidak bisa didaftarkan"), "{}", answer.text);
        }
        let answer = register(&partner, &reference, &citizen(1).phone).await;
        assert!(answer.says("Terlalu banyak percobaan"), "{}", answer.text);
        app.clock.advance(std::time::Duration::from_secs(3601));
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        let answer = register(&partner, &reference, &citizen(1).phone).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    }

    async fn a_partner_carries_names_rt_and_rw_and_nothing_else(app: TestApp) {
        silent_card(&app, 1).await;
        app.card(&citizen(2), "CARD_PRINTED").await;
        let parts = [("rt", "003".into()), ("rw", "007".into())];
        app.card_with(&citizen(3).with_phone(""), "CARD_PRINTED", &parts).await;
        let partner = Browser::login(&app, OfficerRole::Partner, DESA).await;
        let page = partner.get(NAMES).await;
        assert!(page.says("Budi Santoso") && page.says("Agus Setiawan"), "{}", page.text);
        assert!(page.says("003") && page.says("007"));
        assert!(!page.says("Sri Wahyuni"), "who has a number need not be asked");
        for words in [citizen(1).nik.as_str(), "crd_", "per_", "dicetak", "KTP"] {
            assert!(!page.says(words), "{words}: {}", page.text);
        }
        for path in ["/console/kartu", "/console/hari-ini", "/console/percakapan"] {
            let status = partner.get(path).await.status;
            assert!(matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), "{path}");
        }
        let line = app.query("SELECT object FROM audit WHERE action = 'exported'").await;
        assert_eq!(line, [["names"]]);
    }
}
