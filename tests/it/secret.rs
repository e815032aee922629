//! After a whole journey nothing personal can be read in the database or in the logs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kabar::store::Engine;
use serde_json::json;

use crate::support::log::Log;
use crate::support::webhook::{body, failed, status, text};
use crate::support::{Answer, LEASE_OVER, TestApp, citizen, on_both_engines};

const WORDS: &str = "mohon tolong saudara sepupu kakek";

/// The forms in which somebody could read a value: as it is, in small letters, and in base64 at
/// each of its three offsets.
fn readable(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned(), value.to_lowercase()];
    for offset in 0..3 {
        let code = STANDARD.encode(format!("{}{value}", " ".repeat(offset)));
        // The first and last letters also carry bits of what stands beside the value.
        let inner = code.trim_end_matches('=');
        let inner = &inner[4 * usize::from(offset > 0)..inner.len() - 2];
        if inner.len() >= 8 {
            forms.push(inner.to_owned());
            forms.push(inner.replace('+', "-").replace('/', "_"));
        }
    }
    forms
}

/// Everything that the database holds.
async fn dump(app: &TestApp) -> String {
    if app.engine() == Engine::Sqlite {
        return String::from_utf8_lossy(&app.database.bytes()).into_owned();
    }
    let tables = app
        .query(
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
             WHERE table_schema = 'public'",
        )
        .await;
    let mut text = String::new();
    for table in tables {
        let name = &table[0];
        for row in app.query(&format!("SELECT CAST(t AS TEXT) FROM {name} t")).await {
            text.push_str(&row[0]);
        }
    }
    text
}

on_both_engines! {
    async fn nothing_personal_can_be_read_in_the_database_or_the_logs(app: TestApp) {
        let log = Log::listen();
        let siti = citizen(6);
        let secrets = vec![
            siti.nik.clone(),
            citizen(7).nik,
            "Siti Aminah".to_owned(),
            "Aminah".to_owned(),
            // With any prefix: +62, 62, 0.
            "81234560006".to_owned(),
            "81299990000".to_owned(),
            "0812-3456-0006".to_owned(),
            "13491208655302741918".to_owned(),
            WORDS.to_owned(),
            "sepupu".to_owned(),
            "token-of-the-source".to_owned(),
            "token at Meta".to_owned(),
            "a secret of the test app".to_owned(),
        ];

        // Announced, refused, unknown, tried again, crashed; accepted and rejected updates.
        let parts = [("rt", json!("007")), ("rw", json!("009"))];
        app.card_with(&siti, "CARD_PRINTED", &parts).await;
        app.run_until_idle().await;
        app.whatsapp.next(Answer::code(131_056));
        app.whatsapp.next(Answer::AcceptAndHangUp);
        app.card(&siti, "siap ambil").await;
        app.advance(std::time::Duration::from_secs(60)).await;
        let mut broken = app.update(&siti, "KARTU TERBANG");
        broken["catatan"] = WORDS.into();
        app.post(&broken).await;
        let mut conflict = app.update(&siti, "CARD_ISSUED");
        conflict["id"] = siti.nik.clone().into();
        app.post(&conflict).await;
        conflict["status"] = "CARD_PRINTED".into();
        assert_eq!(app.post(&conflict).await["rejected"][0]["code"], "conflicting_id");
        app.post_as("application/x-ndjson", format!("{{\"nik\": {} {WORDS}\n", siti.nik)).await;
        app.post_as("application/json", format!("{{{WORDS} {}", siti.nik)).await;

        // Until the person may be written to again.
        app.advance(std::time::Duration::from_secs(60)).await;

        // Written in, in every way; told of in receipts; read through the API.
        app.asks(&siti.e164, &format!("CEK#KTP#{} {WORDS}", siti.nik)).await;
        app.asks("+6281299990000", &format!("NIK saya {} {WORDS}", citizen(7).nik)).await;
        app.asks(&siti.e164, "sudah jadi belum?").await;
        let hidden = json!({"id": "wamid.HID", "from_user_id": "ID.13491208655302741918",
            "timestamp": app.now_s().to_string(), "type": "text", "text": {"body": WORDS}});
        app.hook(&body(&[hidden], &[])).await;
        app.hook(&body(&[text("wamid.BAD", "bukan nomor", WORDS, 0)], &[])).await;
        let sent = app.whatsapp.sent();
        let at = app.now_s();
        app.receipts(&[status(&sent[0], "delivered", at), failed(&sent[1], 131_026, at)]).await;
        app.hook_raw(WORDS.as_bytes().to_vec(), "sha256=00").await;
        app.run_until_idle().await;
        app.get("/v1/messages?phone=0812-3456-0006").await;
        app.get("/v1/rejections").await;
        app.get("/v1/unreachable").await;

        // A call whose process dies.
        app.whatsapp.hold();
        app.clock.advance(std::time::Duration::from_secs(60));
        app.card(&siti, "CARD_PRINTED").await;
        app.send_step().await;
        app.crash().await;
        app.whatsapp.release();
        app.new_sender("second process").await;
        app.advance(LEASE_OVER).await;
        app.asks(&siti.e164, "BUKAN SAYA").await;
        app.asks("+6281299990000", "BERHENTI").await;

        let logged = String::from_utf8_lossy(&log.bytes()).into_owned();
        let stored = dump(&app).await;
        assert!(logged.contains("INSERT INTO message"), "the finest level is listened to");
        assert!(stored.contains("card_printed"), "the dump holds the rows");
        for secret in &secrets {
            for form in readable(secret) {
                assert!(!stored.contains(&form), "{secret} is in the database as {form}");
                let line = logged.lines().find(|line| line.contains(&form));
                assert_eq!(line, None, "{secret} is in the logs as {form}");
            }
        }
    }
}

#[test]
fn a_value_is_found_in_base64_wherever_it_stands() {
    for before in ["", "a", "ab", "abc"] {
        let code = STANDARD.encode(format!("{before}3517091204560006 and more"));
        assert!(readable("3517091204560006").iter().any(|form| code.contains(form)), "{before}");
    }
}
