//! `Kartu`: who finds whom, what a card's page tells and to whom, and what is taken out as a file.

use std::time::Duration;

use kabar::domain::officer::OfficerRole;
use kabar::store::search::{catch_up, find_by_words};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::console::Browser;
use crate::support::{Answer, TestApp, citizen, on_both_engines};

const CARDS: &str = "/console/kartu";
const JABON: &str = "35.17.09";
const OTHER: &str = "35.17.10";

async fn print(app: &TestApp, n: usize) {
    app.card(&citizen(n), "CARD_PRINTED").await;
}

async fn find(browser: &Browser, words: &str) -> crate::support::console::Answer {
    let page = browser.post("/console/kartu/cari", &[("q", words)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page
}

async fn card_path(app: &TestApp) -> String {
    let id = app.query("SELECT id FROM card ORDER BY id LIMIT 1").await[0][0].clone();
    format!("{CARDS}/{id}")
}

on_both_engines! {
    async fn a_card_is_found_by_name_reference_nik_and_number(app: TestApp) {
        print(&app, 1).await;
        print(&app, 2).await;
        app.run_until_idle().await;
        let reference = app.query("SELECT reference FROM message ORDER BY id").await[0][0].clone();
        let browser = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        for words in ["budi", "SANTOSO, Budi", "santoso", &citizen(1).nik, &citizen(1).phone, &reference] {
            let page = find(&browser, words).await;
            assert!(page.says("Budi S.") && !page.says("Sri W."), "{words}: {}", page.text);
            assert!(!page.says("Budi Santoso") && !page.says(&citizen(1).e164), "masked: {words}");
        }
        for words in ["budi wahyuni", "zainal", "12345678", ".", &citizen(9).nik] {
            assert!(!find(&browser, words).await.says("<tbody>"), "{words}");
        }
        let kinds = app.query("SELECT DISTINCT object FROM audit WHERE action = 'searched' ORDER BY 1").await;
        let kinds: Vec<String> = kinds.into_iter().flatten().collect();
        assert_eq!(kinds, ["digits", "name", "nik", "nothing", "phone", "reference"]);
    }

    async fn nobody_finds_or_opens_a_card_beyond_their_area(app: TestApp) {
        app.whatsapp.next(Answer::code(132_001));
        print(&app, 1).await;
        app.run_until_idle().await;
        let reference = app.query("SELECT reference FROM message").await[0][0].clone();
        let stranger = Browser::login(&app, OfficerRole::Kecamatan, OTHER).await;
        for words in ["budi", &citizen(1).nik, &citizen(1).phone, &reference] {
            let page = find(&stranger, words).await;
            assert!(page.says("Tidak ditemukan"), "{words}: {}", page.text);
        }
        assert_eq!(stranger.get(&card_path(&app).await).await.status, StatusCode::NOT_FOUND);
        assert!(!stranger.get("/console/kartu?status=printed").await.says("<tbody>"));
        let file = stranger.get("/console/kartu/unduh/printed/csv").await;
        assert!(!file.says("Budi"), "{}", file.text);
        let looked = app.query("SELECT COUNT(*) FROM audit WHERE action = 'looked_at_card'").await;
        assert_eq!(looked, [["0"]]);
    }

    async fn somebody_of_no_known_area_is_seen_by_the_whole_office_alone(app: TestApp) {
        let mut update = app.update(&citizen(1), "CARD_PRINTED");
        update.as_object_mut().unwrap().remove("area");
        app.post(&update).await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let kecamatan = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        for (browser, sees) in [(&dinas, true), (&kecamatan, false)] {
            assert_eq!(find(browser, "budi").await.says("<tbody>"), sees);
            assert_eq!(browser.get("/console/kartu?status=printed").await.says("<tbody>"), sees);
            let status = browser.get(&card_path(&app).await).await.status;
            assert_eq!(status == StatusCode::OK, sees, "{status}");
        }
    }

    async fn a_new_name_and_a_new_area_are_found_at_once_and_the_old_ones_no_more(app: TestApp) {
        print(&app, 1).await;
        app.clock.advance(Duration::from_secs(60));
        let moved = citizen(1).named("Siti Maryam").of_area("35.17.10.2001");
        app.card(&moved, "CARD_ISSUED").await;
        let old = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        let new = Browser::login(&app, OfficerRole::Kecamatan, OTHER).await;
        assert!(find(&new, "maryam").await.says("Siti M."));
        assert!(!find(&new, "budi").await.says("<tbody>"));
        assert!(!find(&old, "maryam").await.says("<tbody>"));
        assert!(new.get("/console/kartu?status=issued").await.says("Siti M."));
        assert!(!old.get("/console/kartu?status=issued").await.says("<tbody>"));
    }

    async fn names_on_file_from_before_are_caught_up_with(app: TestApp) {
        for n in 1..=5 {
            print(&app, n).await;
        }
        // As a database looks whose people came before names could be searched.
        app.query("DELETE FROM person_name").await;
        app.query("DELETE FROM meta WHERE name = 'person_name_after'").await;
        let db = &app.app.db;
        let (area, words) = (app.app.settings.office_area.clone(), ["budi".to_owned()]);
        assert_eq!(find_by_words(db, &words, (&area, true), 9).await.unwrap(), []);
        assert!(catch_up(db, 2).await.unwrap(), "more to do");
        assert!(catch_up(db, 2).await.unwrap());
        assert!(catch_up(db, 2).await.unwrap());
        assert!(!catch_up(db, 2).await.unwrap(), "the end");
        assert!(!catch_up(db, 2).await.unwrap(), "for good");
        assert_eq!(find_by_words(db, &words, (&area, true), 9).await.unwrap().len(), 1);
    }

    async fn a_cards_page_tells_its_whole_story_and_that_it_was_looked_at(app: TestApp) {
        print(&app, 1).await;
        app.run_until_idle().await;
        let sent = app.whatsapp.sent_to(&citizen(1).e164).pop().unwrap();
        app.receipt(&sent, "read").await;
        app.asks(&citizen(1).e164, "syarat ktp hilang apa").await;
        let kecamatan = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        let path = card_path(&app).await;
        let page = kecamatan.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        for words in
            ["Budi Santoso", "Status: Sudah dicetak", "sudah dibaca", "syarat ktp hilang apa", "Percobaan 1"]
        {
            assert!(page.says(words), "{words}: {}", page.text);
        }
        assert!(!page.says(&citizen(1).nik) && !page.says(&citizen(1).e164), "masked");
        assert!(page.says(&citizen(1).nik[12..]), "the last four");

        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        let page = desa.get(&path).await;
        assert!(page.says("kecamatan-351709: melihat kartu ini"), "{}", page.text);
        assert!(!page.says("syarat ktp hilang"), "conversations are not a desa's");
        let read = app.query("SELECT who FROM audit WHERE action = 'read_conversation'").await;
        assert_eq!(read, [[kecamatan.officer.clone()]]);
    }

    async fn a_failed_message_can_be_sent_again_from_its_card(app: TestApp) {
        app.whatsapp.next(Answer::code(132_001));
        print(&app, 1).await;
        app.run_until_idle().await;
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let path = card_path(&app).await;
        let page = browser.get(&path).await;
        let forms = page.attributes("action");
        let send = forms.iter().find(|action| action.ends_with("/lagi")).expect("a button");
        let card = path.rsplit('/').next().unwrap();
        let after = browser.post_and_follow(send, &[("kartu", card)]).await;
        assert!(after.says("masuk antrean") && after.says("Riwayat"), "{}", after.text);
        assert!(!after.attributes("action").iter().any(|action| action.ends_with("/lagi")));
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(&citizen(1).e164).len(), 1);
    }

    async fn a_list_goes_on_where_it_ended_and_shows_everybody_once(app: TestApp) {
        let updates: Vec<_> = (1..=120)
            .map(|n| {
                let area = if n % 2 == 0 { "35.17.09.2018" } else { "35.17.10.2001" };
                app.update(&citizen(n).of_area(area), "READY_TO_COLLECT_X".trim_end_matches("_X"))
            })
            .collect();
        let updates: Vec<_> = updates
            .into_iter()
            .map(|mut update| {
                update["status"] = json!("siap ambil");
                update
            })
            .collect();
        app.post(&json!(updates)).await;
        let browser = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let mut path = CARDS.to_owned();
        let mut seen = std::collections::BTreeSet::new();
        let mut pages = 0;
        loop {
            let page = browser.get(&path).await;
            pages += 1;
            let links = page.attributes("href");
            let cards = links.iter().filter(|link| link.starts_with("/console/kartu/crd_"));
            for card in cards {
                assert!(seen.insert(card.clone()), "{card} twice");
            }
            let next = links.iter().find(|link| link.contains("sesudah="));
            let Some(next) = next else { break };
            path = next.replace("&amp;", "&");
        }
        assert_eq!((seen.len(), pages), (120, 3));
        let kecamatan = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        let page = kecamatan.get(CARDS).await;
        assert!(page.says("Siap diambil (60)"), "{}", page.text);
    }

    async fn what_one_sees_is_taken_out_as_a_file_and_formulas_are_not(app: TestApp) {
        let evil = citizen(1).named("=cmd('calc')");
        app.card(&evil, "CARD_PRINTED").await;
        print(&app, 2).await;
        app.card(&citizen(3).of_area("35.17.10.2001"), "CARD_PRINTED").await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, JABON).await;
        let file = browser.get("/console/kartu/unduh/printed/csv").await;
        assert_eq!((file.status, file.kind.as_str()), (StatusCode::OK, "text/csv; charset=utf-8"));
        let text = file.text.trim_start_matches('\u{feff}');
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2, "{text}");
        for row in &rows {
            assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
        }
        assert!(!text.contains("Wahyuni") && !text.contains("3456"), "as masked as on the page");
        let file = browser.get("/console/kartu/unduh/printed/xlsx").await;
        assert_eq!(file.status, StatusCode::OK);
        assert!(file.bytes.starts_with(b"PK") && file.bytes.len() > 2000, "{}", file.bytes.len());
        let exported = app.query("SELECT object FROM audit WHERE action = 'exported' ORDER BY id").await;
        assert_eq!(exported, [["cards:printed:csv"], ["cards:printed:xlsx"]]);

        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        let refused = desa.get("/console/kartu/unduh/printed/csv").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
}
