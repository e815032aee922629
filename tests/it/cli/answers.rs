//! `kabar answers`: working off what the bot did not understand.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kabar::config::Config;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::{IdSource, QuestionGroupId};
use kabar::domain::message::MessageText;
use kabar::store::Db;
use kabar::store::question_group::{Asking, NewGroup, insert_group, insert_text, note_asked};
use serde_json::Value;

use crate::support::{Office, list, word};

const SHARED: &str = "qwrtzp xkcd\u{1b}[2J blorf";
const OTHER: &str = "zumwalt qwrtzp xkcd blorf";
const SINGLE: &str = "vrenk zumwalt";

/// An office that was asked something strange by three people, and something else by one.
async fn office() -> (Office, [String; 2]) {
    let office = Office::init().await;
    let config = Config::load(Path::new(&office.config()), std::iter::empty()).unwrap();
    let db = Db::open(&config.database_url, Arc::new(config.sealer)).await.unwrap();
    let (ids, now) = (IdSource::default(), SystemClock.now());
    let mut tx = db.begin().await.unwrap();
    let mut made = Vec::new();
    for (stems, sample, people) in [("blorf qwrtzp xkcd", SHARED, 3), ("vrenk zumwalt", SINGLE, 1)]
    {
        let id: QuestionGroupId = ids.next(now);
        let sample = &MessageText::new(sample);
        let new = NewGroup { id, stems, sample, asked_at: now };
        insert_group(&mut tx, &db, &new).await.unwrap();
        for n in 0..people {
            let asking = Asking {
                group: id,
                address_hash: &format!("citizen {n}"),
                day: "2026-11-22",
                near: &["fee".to_owned(), "duration".to_owned()],
                area: None,
                at: now,
                taught_before: now.before(Duration::from_secs(3600)),
            };
            assert!(note_asked(&mut tx, &db, &asking).await.unwrap());
        }
        made.push(id.to_string());
    }
    let wording = ("blorf qwrtzp xkcd zumwalt", &MessageText::new(OTHER));
    let first = made[0].parse().unwrap();
    insert_text(&mut tx, &db, first, wording, 4, now).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
    (office, made.try_into().unwrap())
}

async fn listed(office: &Office, more: &[&str]) -> Vec<Value> {
    let ended = office.run(&[&["answers", "unknown", "--json"], more].concat()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    list(&ended.json()["questions"])
}

#[tokio::test]
async fn the_list_shows_what_several_asked_and_counts_the_rest() {
    let (office, ids) = office().await;
    let ended = office.run(&["answers", "unknown"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{ended:?}");
    assert!(lines[0].starts_with(&format!("{}     3  ", ids[0])), "{ended:?}");
    assert!(lines[0].ends_with("qwrtzp xkcd [2J blorf  (fee, duration)"), "{ended:?}");
    assert!(lines[2].starts_with("1 more were asked by one person each"), "{ended:?}");
    assert!(!ended.stdout.contains(SINGLE), "{ended:?}");
    let ended = office.run(&["answers", "unknown", "--all"]).await;
    assert!(ended.stdout.contains(SINGLE) && !ended.stdout.contains("more were"), "{ended:?}");
    assert!(listed(&office, &["--all", "--since", "2999-01-01"]).await.is_empty());
    assert_eq!(listed(&office, &["--all", "--since", "2026-01-01"]).await.len(), 2);
    let ended = office.run(&["answers", "unknown", "--state", "taught"]).await;
    assert_eq!(ended.stdout, "Nothing is on the list.\n");
}

#[tokio::test]
async fn one_question_is_shown_with_every_wording() {
    let (office, ids) = office().await;
    let ended = office.run(&["answers", "show", &ids[0]]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in ["asked 3 times by several people", "near to fee, duration", "open", OTHER] {
        assert!(ended.stdout.contains(words), "{words}: {ended:?}");
    }
    assert!(!ended.stdout.contains('\u{1b}'), "a terminal obeys no citizen: {ended:?}");
    let ended = office.run(&["answers", "show", "qgr_01KAHV6R00ABCDEFGHJKMNPQRS"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("hint: `kabar answers unknown"), "{ended:?}");
}

#[tokio::test]
async fn json_has_what_the_api_has() {
    let (office, ids) = office().await;
    let own = listed(&office, &["--all"]).await;
    assert_eq!(own.len(), 2);
    let shown = office.run(&["answers", "show", "--json", &ids[0]]).await.json();
    let token = office.token("office").await;
    office.change("127.0.0.1:8080", "127.0.0.1:0");
    let mut service = office.serve();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("{}/v1/questions", service.address().await);
    let get = async |url: String| -> Value {
        let request = reqwest::Client::new().get(url).bearer_auth(&token);
        request.send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(list(&get(format!("{url}?all=true")).await["questions"]), own);
    assert_eq!(get(format!("{url}/{}", ids[0])).await, shown);
}

#[tokio::test]
async fn what_is_taught_is_understood_and_can_be_taken_back() {
    let (office, ids) = office().await;
    let ended = office.run(&["answers", "teach", &ids[0], "fee", "--by", "Bu Rini"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("0 of ") && ended.stdout.contains("2 taught as fee"),
        "{ended:?}"
    );
    let by = office.query("SELECT taught_by FROM taught_example").await;
    assert_eq!(by, ["Bu Rini", "Bu Rini"]);
    let count = async || {
        let ended = office.run(&["answers", "list", "--json"]).await;
        let answers = list(&ended.json()["answers"]);
        answers.iter().find(|row| row["label"] == "fee").unwrap()["taught"].clone()
    };
    assert_eq!(count().await, 2);
    let again = office.run(&["answers", "teach", &ids[0], "fee"]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("is not open"), "{again:?}");
    let asked = office.run_with(&["chat", "--as", "081299990001"], b"xkcd blorf qwrtzp\n").await;
    assert!(asked.stdout.contains("ratis"), "the answer on what it costs: {asked:?}");
    let ended = office.run(&["answers", "reopen", &ids[0]]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "1 of 1 opened again\n"));
    assert_eq!(count().await, 0);
    assert_eq!(word(&listed(&office, &[]).await[0]["decided_by"]), "command line");
}

#[tokio::test]
async fn a_label_nobody_knows_is_refused_with_the_way_on() {
    let (office, ids) = office().await;
    for label in ["req_sim", "out_of_scope", "clarify_topic"] {
        let ended = office.run(&["answers", "teach", &ids[0], label]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("hint: `kabar answers list`"), "{ended:?}");
    }
    for args in
        [&["teach", "qgr_1", "fee"][..], &["ignore"], &["show"], &["unknown", "--state", "x"]]
    {
        let ended = office.run(&[&["answers"], args].concat()).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

#[tokio::test]
async fn what_is_set_aside_is_off_the_list() {
    let (office, ids) = office().await;
    let ended = office.run(&["answers", "ignore", &ids[0], &ids[1], "--by", "Bu Rini"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "2 of 2 set aside\n"));
    assert!(listed(&office, &["--all"]).await.is_empty());
    assert_eq!(listed(&office, &["--state", "ignored"]).await.len(), 2);
    let again = office.run(&["answers", "ignore", &ids[0]]).await;
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), "0 of 1 set aside\n"));
}

#[tokio::test]
async fn a_draft_is_for_its_owners_eyes_and_overwrites_nothing() {
    let (office, ids) = office().await;
    let file = office.path("luntur.toml");
    let path = file.to_str().unwrap();
    let ended = office.run(&["answers", "draft", &ids[0], path]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let draft: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    let examples = draft["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 2, "{draft}");
    assert_eq!(examples[1].as_str(), Some(OTHER));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = office.run(&["answers", "draft", &ids[1], path]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("exists already"), "{again:?}");
}

#[tokio::test]
async fn every_answer_stands_on_the_list_with_its_title() {
    let (office, _) = office().await;
    let ended = office.run(&["answers", "list"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for label in kabar::understand::LABELS {
        let line = ended.stdout.lines().find(|line| line.starts_with(&format!("{label} ")));
        assert!(line.is_some_and(|line| line.contains("      0  ")), "{label}: {ended:?}");
    }
}
