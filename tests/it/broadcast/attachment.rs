//! The picture or the PDF of a broadcast: what is taken, where it goes, and that it is handed over once.

use std::time::Duration;

use kabar::domain::attachment::{FileKind, FileRefusal};
use kabar::domain::broadcast::BroadcastState;
use kabar::domain::id::BroadcastId;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::broadcast::{self, BroadcastError};
use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{JABON, desa, draft, people, register, state};
use crate::support::console::{Answer as Shown, Browser};
use crate::support::meta::{FakeMeta, Request};
use crate::support::{Answer, Office, TestApp, citizen, on_both_engines, word};

/// A picture of one pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n";

async fn with_file(app: &TestApp, name: &str, bytes: &[u8]) -> BroadcastId {
    let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
    broadcast::attach(&app.app, &desa(), id, name, bytes).await.unwrap();
    id
}

async fn go(app: &TestApp, id: BroadcastId) {
    broadcast::submit(&app.app, &desa(), id).await.unwrap();
    broadcast::send(&app.app, &desa(), id).await.unwrap();
    app.run_until_idle().await;
}

fn uploads(app: &TestApp) -> Vec<Value> {
    let requests = app.whatsapp.requests();
    requests.into_iter().filter(Request::is_upload).map(|r| r.body).collect()
}

/// Meta says of a template that it is held back, or not any more.
async fn told(app: &TestApp, name: &str, event: &str) {
    let value =
        json!({"message_template_name": name, "message_template_language": "id", "event": event});
    let change = json!({"field": "message_template_status_update", "value": value});
    let body = json!({"object": "whatsapp_business_account",
        "entry": [{"id": "9", "time": app.now_s(), "changes": [change]}]});
    assert_eq!(app.hook(&body).await, StatusCode::OK);
    app.run_until_idle().await;
}

on_both_engines! {
    async fn a_picture_is_handed_over_once_and_stands_above_every_message(app: TestApp) {
        register(&app, &people(40)).await;
        let id = with_file(&app, "Poster.PNG", PNG).await;
        go(&app, id).await;
        let [upload] = &uploads(&app)[..] else { panic!("once: {:?}", uploads(&app)) };
        let form = upload.as_str().unwrap();
        for part in ["name=\"messaging_product\"\r\n\r\nwhatsapp", "filename=\"Poster.png\"", "Content-Type: image/png"] {
            assert!(form.contains(part), "{part}: {form}");
        }
        let sent = app.whatsapp.sent();
        assert_eq!(sent.len(), 40);
        let first = sent[0].file().expect("a file").to_owned();
        assert!(sent.iter().all(|one| one.file() == Some(&first)));
        assert!(sent.iter().all(|one| one.template() == "kabar_sosialisasi_gambar_v1"));
        assert_eq!(sent[0].param("title"), "perekaman KTP-el");

        // The same picture again: known, until the provider forgets it.
        go(&app, with_file(&app, "lagi.png", PNG).await).await;
        assert_eq!((uploads(&app).len(), app.whatsapp.sent().len()), (1, 80));
        let kept = app.query("SELECT CAST(COUNT(*) AS BIGINT) FROM attachment").await.concat();
        assert_eq!(kept, ["1"], "kept once by what is in it");
        app.advance(Duration::from_secs(30 * 24 * 3600)).await;
        go(&app, with_file(&app, "lagi.png", PNG).await).await;
        assert_eq!((uploads(&app).len(), app.whatsapp.sent().len()), (2, 120));
        assert_ne!(app.whatsapp.sent()[119].file(), Some(first.as_str()));
    }

    async fn a_pdf_has_its_name_and_within_the_window_stands_above_free_words(app: TestApp) {
        let siti = citizen(1);
        register(&app, std::slice::from_ref(&siti)).await;
        let id = with_file(&app, "C:\\Siaran\\Undangan rekam.pdf", PDF).await;
        go(&app, id).await;
        let header = app.whatsapp.sent()[0].body["template"]["components"][0].clone();
        assert_eq!(header["parameters"][0]["document"]["filename"], "Undangan rekam.pdf");
        assert_eq!(app.whatsapp.sent()[0].template(), "kabar_sosialisasi_pdf_v1");

        app.asks(&siti.e164, "halo").await;
        go(&app, with_file(&app, "b.pdf", PDF).await).await;
        let last = app.whatsapp.sent().pop().unwrap();
        assert_eq!(last.body["type"], "document");
        assert!(word(&last.body["document"]["caption"]).contains("perekaman KTP-el"));
        assert_eq!(uploads(&app).len(), 1, "it is the same file");
    }

    async fn a_file_that_cannot_be_handed_over_holds_no_answer_and_nobody_gets_it_twice(app: TestApp) {
        register(&app, &people(3)).await;
        app.whatsapp.next(Answer::HangUp);
        go(&app, with_file(&app, "a.png", PNG).await).await;
        assert!(app.whatsapp.sent().is_empty(), "nothing leaves without its picture");
        assert!(!app.asks(&citizen(9000).e164, "halo").await.text().is_empty());
        // Of three who wait for the same file one tries, and the others do not try the same at once.
        for answer in [Answer::Raw(502, "<html>"), Answer::code(131_053)] {
            app.whatsapp.next(answer);
            app.advance(Duration::from_secs(3600)).await;
            assert!(!app.asks(&citizen(9000).e164, "halo").await.text().is_empty());
        }
        app.advance(Duration::from_secs(3600)).await;
        let with_picture = app.whatsapp.sent().iter().filter(|one| one.file().is_some()).count();
        assert_eq!(with_picture, 3);
    }

    async fn without_an_approved_template_for_it_a_file_is_refused_at_the_preview(app: TestApp) {
        register(&app, &people(2)).await;
        let id = with_file(&app, "a.png", PNG).await;
        let preview = async || broadcast::preview(&app.app, &desa(), id).await.unwrap().file;
        assert_eq!(preview().await, None, "of a template that Meta has said nothing of");
        told(&app, "kabar_sosialisasi_gambar_v1", "REJECTED").await;
        assert_eq!(preview().await, Some(FileRefusal::NotApproved));
        let refused = broadcast::submit(&app.app, &desa(), id).await.unwrap_err();
        assert!(matches!(refused, BroadcastError::Invalid { .. }), "{refused}");
        let browser = Browser::login(&app, OfficerRole::Desa, JABON).await;
        let page = browser.get(&format!("/console/siaran/{id}")).await;
        assert!(page.says("belum disetujui") && !page.says("/ajukan\""), "{}", page.text);
        broadcast::detach(&app.app, &desa(), id).await.unwrap();
        assert_eq!(preview().await, None);
        let kept = app.query("SELECT CAST(COUNT(*) AS BIGINT) FROM attachment").await.concat();
        assert_eq!(kept, ["0"], "what no broadcast brings is not kept");
        go(&app, id).await;
        assert_eq!(app.whatsapp.sent()[0].template(), "kabar_sosialisasi_v1");
    }

    async fn a_file_given_after_the_word_of_a_second_person_withdraws_it(app: TestApp) {
        register(&app, &people(2)).await;
        let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
        broadcast::submit(&app.app, &desa(), id).await.unwrap();
        broadcast::attach(&app.app, &desa(), id, "a.pdf", PDF).await.unwrap();
        assert_eq!(state(&app, id).await, BroadcastState::Draft);
        go(&app, id).await;
        let refused = broadcast::attach(&app.app, &desa(), id, "b.pdf", PDF).await.unwrap_err();
        assert!(matches!(refused, BroadcastError::State { .. }), "{refused}");
        let stranger = super::actor(OfficerRole::Desa, "35.17.10.2001");
        let hidden = broadcast::file(&app.app, &stranger, id).await.unwrap_err();
        assert!(matches!(hidden, BroadcastError::NotFound), "{hidden}");
    }

    async fn files_come_and_go_over_the_api(app: TestApp) {
        register(&app, &people(1)).await;
        let id = broadcast::create(&app.app, &Actor::cli(), &draft(json!({}))).await.unwrap();
        let path = format!("/v1/broadcasts/{id}/attachment");
        let put = async |name: &str, bytes: Vec<u8>| {
            let request = app.http.put(format!("{}{path}?name={name}", app.url));
            let request = request.bearer_auth("token-of-the-office").body(bytes);
            let answer = request.send().await.unwrap();
            (answer.status(), answer.json::<Value>().await.unwrap())
        };
        let mut large = PNG.to_vec();
        large.resize(5 * 1024 * 1024 + 1, 0);
        for (bytes, what) in [(b"GIF89a".to_vec(), "neither"), (vec![], "empty"), (large, "at most 5 MB")] {
            let (status, answer) = put("a.png", bytes).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
            assert!(word(&answer["detail"]).contains(what), "{answer}");
        }
        let (status, answer) = put("a.pdf", vec![0; 10 * 1024 * 1024 + 2]).await;
        assert_eq!((status, &answer["title"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("body too large")));
        let (status, answer) = put("surat.exe", PDF.to_vec()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["attachment"], json!({"name": "surat.exe.pdf", "kind": "application/pdf"}));
        let preview = app.get(&format!("/v1/broadcasts/{id}/preview")).await;
        assert_eq!(preview["looks"][0]["attachment"], true, "{preview}");
        let (status, answer) = app.call(Method::POST, Role::Office, &format!("{path}/remove")).await;
        assert_eq!((status, &answer["attachment"]), (StatusCode::OK, &Value::Null));
    }

    async fn files_are_uploaded_with_the_form_of_the_console(app: TestApp) {
        register(&app, &people(3)).await;
        let browser = Browser::login(&app, OfficerRole::Desa, JABON).await;
        let post = async |path: &str, parts: Vec<(&str, Option<&str>, &[u8])>| -> Shown {
            let words = [("csrf", browser.token()), ("title", "rekam"), ("text", "Silakan datang.")];
            let words = words.into_iter().chain([("areas", JABON), ("when", "now")]);
            let words = words.map(|(name, word)| (name, None, word.as_bytes()));
            browser.post_files(path, &words.chain(parts).collect::<Vec<_>>()).await
        };
        let new = "/console/siaran/baru";
        for (name, bytes, words) in [
            ("foto.png", &b"GIF89a"[..], "bukan salah satunya"),
            ("surat.pdf", b"", "kosong"),
        ] {
            let page = post(new, vec![("lampiran", Some(name), bytes)]).await;
            assert!(page.says(words) && page.says("Silakan datang."), "{words}: {}", page.text);
        }
        let list = ("daftar", Some("daftar.csv"), &b"No HP\n0812-9999-0001\n"[..]);
        let page = post(new, vec![list, ("card", None, b"not_recorded")]).await;
        assert!(page.says("Pilih lagi berkasnya.") && !page.says("Tetap pakai daftar"), "{}", page.text);
        let mut large = PNG.to_vec();
        large.resize(6 * 1024 * 1024, 0);
        let page = post(new, vec![("lampiran", Some("besar.png"), &large)]).await;
        assert!(page.says("paling besar 5 MB"), "{}", page.text);
        large.resize(14_950_000, 0);
        let page = post(new, vec![("lampiran", Some("besar.png"), &large)]).await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(page.says("Terlalu besar") && !page.says("at most"), "{}", page.text);

        let [one, two, _] = &people(3)[..] else { panic!() };
        let mut elsewhere = citizen(8);
        "35.17.10.2001".clone_into(&mut elsewhere.area);
        register(&app, &[elsewhere.clone()]).await;
        let list = format!(
            "Nama;No HP\nA;{}\nB;{}\nC;0812-9999-0001\nD;12\nE;{}\n",
            one.phone, two.phone, elsewhere.phone
        );
        let parts = vec![("lampiran", Some("poster.png"), PNG), ("daftar", Some("daftar.csv"), list.as_bytes())];
        let answer = post(new, parts).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let page = browser.get(&answer.to).await;
        for words in ["2 dipakai", "2 tidak dikenal dan tidak disimpan", "1 tidak terbaca", "poster.png"] {
            assert!(page.says(words), "{words}: {}", page.text);
        }
        let here = answer.to.split('?').next().unwrap().to_owned();
        let entries = app.query("SELECT CAST(COUNT(*) AS BIGINT) FROM broadcast_entry").await.concat();
        assert_eq!(entries, ["2"]);
        let picture = browser.get(&format!("{here}/lampiran")).await;
        assert_eq!((picture.kind.as_str(), picture.bytes.as_slice()), (FileKind::Png.as_str(), PNG));

        // Changed without new files: both stay.
        let again = post(&format!("{here}/ubah"), vec![("list", None, &b"1"[..]), ("lampiran", Some(""), b"")]).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.text);
        let page = browser.get(&here).await;
        assert!(page.says("poster.png"), "{}", page.text);
        let page = browser.post_and_follow(&format!("{here}/lampiran/hapus"), &[]).await;
        assert!(page.says("Lampiran dihapus") && !page.says("poster.png"), "{}", page.text);
        browser.post_and_follow(&format!("{here}/ajukan"), &[]).await;
        let neighbour = Browser::login(&app, OfficerRole::Desa, "35.17.10.2001").await;
        assert_eq!(neighbour.get(&format!("{here}/lampiran")).await.status, StatusCode::NOT_FOUND);

        // A form of files is no way around the token.
        for path in [new.to_owned(), format!("{here}/batal")] {
            let bare = browser.post_files(&path, &[("lampiran", Some("a.png"), PNG)]).await;
            assert_eq!(bare.status, StatusCode::FORBIDDEN, "{path}");
            assert!(bare.says("Belum tersimpan"), "{path}: {}", bare.text);
        }
    }
}

#[tokio::test]
async fn a_file_is_given_on_the_command_line_and_looked_at_first() {
    let meta = FakeMeta::start().await;
    let office = Office::with_account(&meta).await;
    let args = ["broadcast", "draft", "--title", "rekam", "--text", "Silakan datang.", "--attach"];
    let wrong = office.file("poster.png", "bukan gambar");
    let refused = office.run(&[&args[..], &[&wrong]].concat()).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("neither"), "{refused:?}");
    let listed = office.run(&["broadcast", "list", "--json"]).await.json();
    assert_eq!(listed["broadcasts"], json!([]), "nothing is kept");
    let right = office.file("undangan.pdf", std::str::from_utf8(PDF).unwrap());
    let made = office.run(&[&args[..], &[&right, "--json"]].concat()).await.json();
    assert_eq!(made["attachment"]["name"], "undangan.pdf", "{made}");
}
