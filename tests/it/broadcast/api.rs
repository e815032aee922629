//! Broadcasts over HTTP and from the command line.

use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{people, register};
use crate::support::meta::FakeMeta;
use crate::support::{Office, TestApp, on_both_engines, word};

fn written() -> Value {
    json!({"title": "perekaman KTP-el", "text": "Silakan datang membawa KK.",
           "audience": {"areas": ["35.17.09"]}})
}

on_both_engines! {
    async fn a_broadcast_goes_its_way_over_the_api(app: TestApp) {
        register(&app, &people(3)).await;
        for role in [Role::Source, Role::Auditor] {
            let (status, _) = app.send_json(role, "/v1/broadcasts", written()).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{role}");
        }
        let (status, made) = app.send_json(Role::Office, "/v1/broadcasts", written()).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let path = format!("/v1/broadcasts/{}", word(&made["id"]));
        let preview = app.get(&format!("{path}/preview")).await;
        assert_eq!((&preview["recipients"], &preview["rupiah"]), (&json!(3), &Value::Null));
        assert!(word(&preview["looks"][0]["text"]).contains("perekaman KTP-el"));

        let act = async |what: &str| {
            app.call(Method::POST, Role::Office, &format!("{path}/{what}")).await
        };
        assert_eq!(act("send").await.0, StatusCode::CONFLICT);
        assert_eq!(act("submit").await.1["state"], "approved");
        assert_eq!(act("send").await.1["state"], "sending");
        assert_eq!(act("fly").await.0, StatusCode::NOT_FOUND);
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 3);
        let (_, shown) = app.ask(Role::Auditor, &path).await;
        assert_eq!(shown["runs"][0]["states"]["sent"], 3, "{shown}");
        let failures = app.get(&format!("{path}/failures")).await;
        assert_eq!(failures["failures"], json!([]));
        assert_eq!(act("cancel").await.1["state"], "cancelled");

        // A token of another desa knows of none of it.
        app.query("UPDATE api_token SET area = '35.17.10.2001' WHERE role = 'office' RETURNING id")
            .await;
        assert_eq!(app.ask(Role::Office, &path).await.0, StatusCode::NOT_FOUND);
        let (_, list) = app.ask(Role::Office, "/v1/broadcasts").await;
        assert_eq!(list["broadcasts"], json!([]));
        let (status, _) = app.send_json(Role::Office, "/v1/broadcasts", written()).await;
        assert_eq!(status, StatusCode::CONFLICT, "beyond its area");
    }

    async fn what_is_no_broadcast_is_refused_with_its_part(app: TestApp) {
        for (part, value, expected) in [
            ("title", json!(""), "title"),
            ("text", json!("x".repeat(501)), "501 characters"),
            ("audience", json!({"areas": ["Jabon"]}), "areas"),
            ("cron", json!("0 8 * * 1"), "by name"),
            ("at", json!("besok"), "2026-11-24T08:00:00+07:00"),
            ("picture", json!("x"), "picture"),
        ] {
            let mut body = written();
            body[part] = value;
            let (status, answer) = app.send_json(Role::Admin, "/v1/broadcasts", body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{part}: {answer}");
            assert!(word(&answer["detail"]).contains(expected), "{part}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_broadcast_is_written_and_looked_at_from_the_command_line() {
    let meta = FakeMeta::start().await;
    let office = Office::with_account(&meta).await;
    let list = office.file("daftar.csv", "No HP\n0812-3456-0001\n12\n");
    let args =
        ["broadcast", "draft", "--title", "perekaman", "--text", "Silakan datang.", "--list"];
    let made = office.run(&[&args[..], &[&list]].concat()).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.stderr.contains("row 3"), "{made:?}");
    let id = made.stdout.trim().to_owned();
    let preview = office.run(&["broadcast", "preview", "--json", &id]).await.json();
    assert_eq!(preview["recipients"], 1, "{preview}");
    let submitted = office.run(&["broadcast", "submit", "--json", &id]).await.json();
    assert_eq!(submitted["state"], "submitted", "nobody knows where that number lives");
    let approved = office.run(&["broadcast", "approve", &id]).await;
    assert_eq!(approved.code, Some(1), "the command line is one person: {approved:?}");
    let listed = office.run(&["broadcast", "list", "--json"]).await.json();
    assert_eq!(listed["broadcasts"][0]["id"], id.as_str());
    let stranger = office.run(&["broadcast", "list", "--as", "nobody"]).await;
    assert!(stranger.code == Some(1) && stranger.stderr.contains("hint:"), "{stranger:?}");
}
