//! Jawaban: what is not understood is taught in two clicks, and the office says an answer in its own words.

use kabar::domain::officer::OfficerRole;
use reqwest::StatusCode;

use crate::support::console::Browser;
use crate::support::{TestApp, citizen, on_both_engines};

const BU_RINI: &str = "+6281299990001";
const PAK_JOKO: &str = "+6281299990002";
/// Words no example has.
const STRANGE: &str = "qwrtzp xkcd blorf";
const LIST: &str = "/console/jawaban";
const LOST: &str = "/console/jawaban/isi/req_ktp_lost";

/// The answer of the file, in the fields of the form.
const FIELDS: &[(&str, &str)] = &[
    ("lead", "KTP-el hilang dicetak ulang di Mal Pelayanan Publik."),
    ("bring", "surat kehilangan dari kepolisian\r\nKK"),
    ("steps", "Minta surat kehilangan.\r\nDatang ke Mal Pelayanan Publik."),
    ("forms", "F-1.02 | Formulir Pendaftaran Peristiwa Kependudukan"),
    ("place", "Mal Pelayanan Publik"),
    ("cost", "Gratis (UU 24/2013 Pasal 79A)"),
    (
        "english",
        "A lost KTP-el is printed again at the Mal Pelayanan Publik. Free of charge by law.",
    ),
    ("source", "Keputusan Kepala Dinas 12/2026"),
    ("checked_on", "2026-11-20"),
];

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let rest = FIELDS.iter().filter(|(field, _)| *field != name).copied();
    rest.chain([(name, value)]).collect()
}

impl TestApp {
    async fn asked_by_two(&self) {
        for number in [BU_RINI, PAK_JOKO] {
            self.writes(number, STRANGE).await;
            self.run_until_idle().await;
        }
    }
}

/// The action of the first form that ends so.
fn action(page: &str, end: &str) -> String {
    let actions = page.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
    actions.filter(|action| action.ends_with(end)).map(str::to_owned).next().expect("such a form")
}

on_both_engines! {
    async fn a_question_is_taught_set_aside_opened_and_withdrawn(app: TestApp) {
        app.asked_by_two().await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let page = dinas.get(LIST).await;
        assert!(page.says(STRANGE) && page.says("2×"), "{}", page.text);
        let aside = action(&page.text, "/sisihkan");
        let one = aside.replace("/sisihkan", "");
        let found = dinas.post(&format!("{one}/cari"), &[("words", "biaya")]).await;
        assert!(found.says("value=\"fee\""), "{}", found.text);
        assert!(dinas.post(&format!("{one}/cari"), &[("words", "zzz")]).await.says("Tidak ada jawaban"));
        let refused = dinas.post(&format!("{one}/ajar"), &[("label", "out_of_scope")]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);

        let taught = dinas.post_and_follow(&format!("{one}/ajar"), &[("label", "fee")]).await;
        assert!(taught.says("Sudah diajarkan"), "{}", taught.text);
        let answer = app.asks(BU_RINI, STRANGE).await;
        assert!(answer.text().to_lowercase().contains("gratis"), "{}", answer.text());
        let list = dinas.get(&format!("{LIST}?keadaan=diajarkan")).await;
        assert!(list.says("dinas-3517") && list.says("Tarik kembali"), "{}", list.text);
        let again = dinas.post_and_follow(&format!("{one}/ajar"), &[("label", "fee")]).await;
        assert!(again.says("sudah diputuskan"), "{}", again.text);

        dinas.post(&format!("{one}/buka"), &[]).await;
        assert!(dinas.get(LIST).await.says(STRANGE));
        dinas.post(&aside, &[]).await;
        assert!(dinas.get(&format!("{LIST}?keadaan=disisihkan")).await.says(STRANGE));
        let id = one.rsplit('/').next().unwrap();
        let trail = app
            .query(&format!("SELECT action FROM audit WHERE object = '{id}' AND action <> 'read_conversation' ORDER BY id"))
            .await;
        assert_eq!(trail.concat(), ["taught", "taught", "set_aside"]);
    }

    async fn what_would_change_other_questions_is_shown_before_it_is_taught(app: TestApp) {
        for number in [BU_RINI, PAK_JOKO] {
            app.writes(number, STRANGE).await;
            app.run_until_idle().await;
        }
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let one = action(&dinas.get(LIST).await.text, "/sisihkan").replace("/sisihkan", "");
        dinas.post(&format!("{one}/ajar"), &[("label", "fee")]).await;
        dinas.post(&format!("{one}/buka"), &[]).await;
        let sample = "SELECT id FROM question_group";
        let group = app.query(sample).await.concat().concat();
        assert!(one.ends_with(&group));
        let taught = dinas.post_and_follow(&format!("{one}/ajar"), &[("label", "duration"), ("sure", "1")]).await;
        assert!(taught.says("Sudah diajarkan"), "{}", taught.text);
    }

    async fn who_may_not_answer_citizens_reads_no_words_and_teaches_nothing(app: TestApp) {
        app.asked_by_two().await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let one = action(&dinas.get(LIST).await.text, "/sisihkan").replace("/sisihkan", "");
        let auditor = Browser::login(&app, OfficerRole::Auditor, "35.17").await;
        for path in [LIST, &one] {
            let page = auditor.get(path).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(!page.says(STRANGE) && !page.says("/ajar"), "{}", page.text);
        }
        let kecamatan = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(!kecamatan.get(LIST).await.says(&one), "it was asked by nobody known to live there");
        assert_eq!(kecamatan.get(&one).await.status, StatusCode::NOT_FOUND);
        for act in ["ajar", "sisihkan", "buka", "cari"] {
            let answer = kecamatan.post(&format!("{one}/{act}"), &[("label", "fee")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{act}");
        }
        let part = Browser::login(&app, OfficerRole::Dinas, "35.17.09").await;
        for path in [format!("{LOST}/ubah"), format!("{LOST}/draf")] {
            assert_eq!(part.get(&path).await.status, StatusCode::FORBIDDEN, "what all citizens read");
        }
        for act in ["ubah", "terbit", "buang", "tarik"] {
            let fields = [FIELDS, &[("written_at", "1")]].concat();
            let answer = part.post(&format!("{LOST}/{act}"), &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{act}");
        }
    }

    async fn every_answer_is_shown_as_citizens_read_it_with_its_source_and_age(app: TestApp) {
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        let all = desa.get("/console/jawaban/daftar").await;
        assert!(all.says("KTP-el hilang") && all.says("aturan nasional"), "{}", all.text);
        assert!(!all.says("lebih dari setahun: periksa lagi"), "{}", all.text);
        let one = desa.get(LOST).await;
        for words in ["surat kehilangan", "SE Dirjen Dukcapil", "bagian", "LENGKAP", "22 Nov 2026"] {
            assert!(one.says(words), "{words}: {}", one.text);
        }
        assert!(!one.says("/ubah"), "a desa officer changes nothing");
        assert!(desa.get(&format!("{LOST}?bahasa=en")).await.says("a police loss report"));
        assert_eq!(desa.get("/console/jawaban/isi/nothing").await.status, StatusCode::NOT_FOUND);
        let suket = desa.get("/console/jawaban/isi/suket_temporary?wilayah=35.17").await;
        assert!(suket.says("Aturan tiap daerah"), "{}", suket.text);
        app.advance(std::time::Duration::from_secs(400 * 24 * 3600)).await;
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        assert!(desa.get("/console/jawaban/daftar").await.says("lebih dari setahun: periksa lagi"));
    }

    async fn the_offices_own_words_are_written_looked_at_published_and_taken_back(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let form = dinas.get(&format!("{LOST}/ubah")).await;
        assert!(form.says("dicetak ulang tanpa perekaman lagi"), "it begins with what is read now");
        let draft = dinas.post_and_follow(&format!("{LOST}/ubah"), FIELDS).await;
        assert!(draft.says("Semua aturan penulisan terpenuhi"), "{}", draft.text);
        assert!(draft.says("di Mal Pelayanan Publik") && draft.says("bagian"), "{}", draft.text);
        let asked = app.asks(&siti.e164, "syarat ktp hilang apa aja?").await;
        assert!(!asked.text().contains("Mal Pelayanan"), "nobody reads a draft: {}", asked.text());

        let at = draft.text.split("name=\"written_at\" value=\"").nth(1).unwrap();
        let at = at.split('"').next().unwrap();
        let stale = dinas.post_and_follow(&format!("{LOST}/terbit"), &[("written_at", "1")]).await;
        assert!(stale.says("Sudah diubah orang lain"), "{}", stale.text);
        let live = dinas.post_and_follow(&format!("{LOST}/terbit"), &[("written_at", at)]).await;
        assert!(live.says("Terbit.") && live.says("dibaca warga sekarang"), "{}", live.text);
        let asked = app.asks(&siti.e164, "syarat ktp hilang apa aja?").await;
        assert!(asked.text().contains("di Mal Pelayanan Publik"), "{}", asked.text());
        let app = app.restart().await;
        app.advance(crate::support::LEASE_OVER).await;
        app.advance(std::time::Duration::from_secs(61)).await;
        let asked = app.asks(&siti.e164, "syarat ktp hilang apa aja?").await;
        assert!(asked.text().contains("di Mal Pelayanan Publik"), "another process knows it too");

        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let back = dinas.post_and_follow(&format!("{LOST}/tarik"), &[]).await;
        assert!(back.says("Ditarik.") && back.says("dinas-3517"), "{}", back.text);
        let asked = app.asks(&siti.e164, "syarat ktp hilang apa aja?").await;
        assert!(!asked.text().contains("Mal Pelayanan"), "{}", asked.text());
        let trail = app.query("SELECT detail FROM audit WHERE action = 'changed_answer' ORDER BY id").await.concat();
        assert_eq!((trail.len(), trail[0].as_str(), trail[2].as_str()), (3, "draft", "withdrawn"), "{trail:?}");
    }

    async fn a_draft_that_breaks_a_rule_says_which_in_indonesian_and_is_not_published(app: TestApp) {
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        for (name, value, said) in [
            ("lead", "Datang segera!", "tanda seru"),
            ("cost", "Rp10.000", "Biaya harus memuat kata Gratis"),
            ("note", "Lihat dukcapil.jombangkab.go.id", "tautan"),
            ("place", &"kantor ".repeat(150), "panjangnya"),
            ("english", "", "Teks bahasa Inggris harus diisi"),
        ] {
            let page = dinas.post_and_follow(&format!("{LOST}/ubah"), &with(name, value)).await;
            assert!(page.says("Belum bisa diterbitkan") && page.says(said), "{said}: {}", page.text);
            let at = app.query("SELECT written_at FROM own_answer").await.concat().concat();
            let refused = dinas.post_and_follow(&format!("{LOST}/terbit"), &[("written_at", &at)]).await;
            assert!(refused.says("Belum terbit"), "{}", refused.text);
        }
        let gone = dinas.post_and_follow(&format!("{LOST}/buang"), &[]).await;
        assert!(gone.says("Draf dibuang"));
        assert!(app.query("SELECT id FROM own_answer").await.is_empty());
    }
}
