//! `kabar token`: made for an area and up to a day, listed, revoked.

use crate::support::{Office, word};

#[tokio::test]
async fn a_token_is_made_for_an_area_and_a_time_listed_and_revoked() {
    let office = Office::init().await;
    let create =
        |rest: &[&'static str]| [&["token", "create", "--json", "--name", "dasbor"], rest].concat();
    let made = office
        .run(&create(&["--role", "auditor", "--area", "35.17.09", "--expires", "2099-12-31"]))
        .await;
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.json()["token"].as_str().unwrap().starts_with("kbr_"), "{made:?}");
    let listed = office.run(&["token", "list", "--json"]).await;
    let token = listed.json();
    assert_eq!((word(&token["area"]), word(&token["state"])), ("35.17.09".into(), "valid".into()));
    assert_eq!((word(&token["name"]), word(&token["role"])), ("dasbor".into(), "auditor".into()));
    assert!(token["expires_at"].as_str().unwrap().starts_with("2099-12-31"), "{token}");

    for (rest, what) in [
        (&["--role", "office", "--expires", "2020-01-01"][..], "would be over already"),
        (&["--role", "source", "--area", "99.99.99"][..], "for the whole office"),
    ] {
        let refused = office.run(&create(rest)).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(what) && refused.stderr.contains("hint:"), "{refused:?}");
    }

    let id = word(&token["id"]);
    let revoked = office.run(&["token", "revoke", &id]).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert_eq!(word(&office.run(&["token", "list", "--json"]).await.json()["state"]), "revoked");
    let again = office.run(&["token", "revoke", &id]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("kabar token list"), "{again:?}");
    let trail = office.query("SELECT action FROM audit ORDER BY id").await;
    assert_eq!(trail, ["made_token", "revoked_token"]);
}
