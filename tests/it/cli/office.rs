//! `kabar init`, `token` and `check`: how an office begins, and how it learns what is wrong.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::meta::FakeMeta;
use crate::support::{Answer, Office, kabar, list};

/// What Meta says of a number that is well.
const WELL: &str = r#"{"verified_name": "Dukcapil Jombang", "quality_rating": "GREEN"}"#;

fn password(said: &str) -> String {
    let (_, after) = said.split_once("password: ").expect("the password is shown");
    after.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn init_writes_files_that_only_their_owner_may_read() {
    let office = Office::init().await;
    for name in ["kabar.toml", "kabar.db"] {
        let mode = std::fs::metadata(office.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}: {mode:o}");
    }
}

#[tokio::test]
async fn init_never_overwrites_a_configuration() {
    let office = Office::init().await;
    let before = std::fs::read(office.config()).unwrap();
    let rows = office.rows().await;
    let again = kabar(&["init", office.path("").to_str().unwrap(), "--yes"], b"").await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("exists already"), "{again:?}");
    assert!(again.stderr.contains("hint: name another folder"), "{again:?}");
    assert!(again.stdout.is_empty(), "{again:?}");
    assert_eq!(std::fs::read(office.config()).unwrap(), before);
    assert_eq!(office.rows().await, rows);
}

#[tokio::test]
async fn init_leaves_no_configuration_beside_a_database_that_other_keys_sealed() {
    let office = Office::init().await;
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(office.path("kabar.db"), copy.path().join("kabar.db")).unwrap();
    let ended = kabar(&["init", copy.path().to_str().unwrap(), "--yes"], b"").await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("sealed with other keys"), "{ended:?}");
    let left = copy.path().join("kabar.toml");
    assert!(!left.exists(), "its keys open nothing, and the next init would refuse because of it");
}

#[tokio::test]
async fn the_first_officers_password_is_shown_once_and_stored_nowhere() {
    let office = Office::init().await;
    let password = password(&office.said);
    assert!(password.len() >= 12, "{password}");
    assert_eq!(office.said.matches(&password).count(), 1, "{}", office.said);
    for file in std::fs::read_dir(office.path("")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let is_there = bytes.windows(password.len()).any(|part| part == password.as_bytes());
        assert!(!is_there, "the password can be read");
    }
    assert_eq!(office.count("officer").await, 1);
}

#[tokio::test]
async fn two_offices_share_neither_keys_nor_passwords() {
    let (one, other) = (Office::init().await, Office::init().await);
    let keys = |office: &Office| {
        let config = std::fs::read_to_string(office.config()).unwrap();
        let config: toml::Table = config.parse().unwrap();
        ["seal", "index"].map(|key| config["keys"][key].as_str().unwrap().to_owned())
    };
    let all: std::collections::BTreeSet<String> =
        keys(&one).into_iter().chain(keys(&other)).collect();
    assert_eq!(all.len(), 4);
    assert_ne!(password(&one.said), password(&other.said));
}

#[tokio::test]
async fn a_token_is_shown_once_as_json_and_stored_only_as_a_hash() {
    let office = Office::init().await;
    let ended =
        office.run(&["token", "create", "--role", "source", "--name", "siak", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let answer = ended.json();
    let token = answer["token"].as_str().unwrap();
    assert_eq!(answer, json!({"token": token}), "nothing else stands there");
    assert!(token.len() >= 32, "{token}");
    assert_ne!(office.token("source").await, token);
    assert_eq!(office.count("api_token").await, 2);
    let bytes = std::fs::read(office.path("kabar.db")).unwrap();
    assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()));
}

#[tokio::test]
async fn check_is_content_with_an_office_whose_provider_answers() {
    let meta = FakeMeta::start().await;
    let office = Office::with_account(&meta).await;
    meta.always(Answer::Raw(200, WELL));
    let ended = office.run(&["check"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("FAIL"), "{ended:?}");
    assert!(ended.stdout.contains("Dukcapil Jombang, quality GREEN"), "{ended:?}");

    let findings = list(&office.run(&["check", "--json"]).await.json());
    // One day the answers that came with the program will be old enough to be noted.
    let firm = findings.iter().filter(|f| f["warning"] == false);
    let names: Vec<&str> = firm.map(|f| f["what"].as_str().unwrap()).collect();
    assert_eq!(names, ["configuration", "texts", "database", "wa"]);
    for finding in &findings {
        let keys: Vec<&String> = finding.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["detail", "hint", "ok", "warning", "what"]);
        assert_eq!(finding["ok"], true, "{finding}");
    }
}

#[tokio::test]
async fn check_says_that_an_office_without_an_account_sends_nothing() {
    let office = Office::init().await;
    let ended = office.run(&["check"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("FAIL accounts: there is none"), "{ended:?}");
    assert!(ended.stdout.contains("hint: add an [[account]]"), "{ended:?}");
    assert!(ended.stdout.contains("ok   database"), "the rest is looked at all the same");
}

#[tokio::test]
async fn check_names_an_account_whose_token_is_refused_and_one_that_cannot_be_reached() {
    let meta = FakeMeta::start().await;
    let office = Office::with_account(&meta).await;
    meta.always(Answer::code(190));
    let refused = office.run(&["check", "--json"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(hint_for(&refused.json(), "wa").contains("access_token"), "{refused:?}");
    meta.go_down().await;
    let unreachable = office.run(&["check", "--json"]).await;
    assert_eq!(unreachable.code, Some(1), "{unreachable:?}");
    assert!(hint_for(&unreachable.json(), "wa").contains("api_url"), "{unreachable:?}");
    assert!(!unreachable.stdout.contains("token at Meta"), "{unreachable:?}");
}

/// The hint of the one finding that is not well.
fn hint_for(findings: &Value, what: &str) -> String {
    let bad: Vec<Value> = list(findings).into_iter().filter(|f| f["ok"] == false).collect();
    assert_eq!(bad.len(), 1, "{findings}");
    assert_eq!(bad[0]["what"], what, "{findings}");
    bad[0]["hint"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_nobody_knows_stops_the_start_and_is_named_with_its_place() {
    let office = Office::init().await;
    office.change("[server]\n", "[server]\nlisten_on = \"x\"\n");
    let place = format!("{}: server.listen_on: unknown field", office.config());
    let ended = office.run(&["serve"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&format!("error: {place}")), "{ended:?}");
    assert!(ended.stderr.contains("hint: every key stands"), "{ended:?}");
    let ended = office.run(&["check"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains(&place), "{ended:?}");
    assert!(ended.stdout.contains("hint: every key stands"), "{ended:?}");
}

#[tokio::test]
async fn a_configuration_that_is_no_toml_is_refused_with_its_line() {
    let office = Office::init().await;
    office.change("[server]", "[server");
    let ended = office.run(&["serve"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("hint: look at line 3"), "{ended:?}");
}

#[tokio::test]
async fn keys_of_another_database_open_nothing_and_show_nothing() {
    let (office, other) = (Office::init().await, Office::init().await);
    let keys = |office: &Office| {
        let config = std::fs::read_to_string(office.config()).unwrap();
        let (_, keys) = config.split_once("[keys]").unwrap();
        keys.split_once("\n\n").unwrap().0.to_owned()
    };
    office.change(&keys(&office), &keys(&other));
    let before = office.rows().await;
    for command in [&["serve"][..], &["token", "create", "--role", "admin", "--name", "x"]] {
        let ended = office.run(command).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("sealed with other keys"), "{ended:?}");
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
    assert_eq!(office.run(&["check"]).await.code, Some(1));
    assert_eq!(office.rows().await, before);
}

#[tokio::test]
async fn keys_of_another_database_are_refused_with_a_hint() {
    let (office, other) = (Office::init().await, Office::init().await);
    std::fs::copy(other.path("kabar.db"), office.path("kabar.db")).unwrap();
    let ended = office.run(&["serve"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("\nhint: "), "{ended:?}");
}
