//! `kabar suppression`: which numbers are not written to, and writing to them again.

use std::path::Path;
use std::sync::Arc;

use kabar::config::Config;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::{IdSource, SuppressionId};
use kabar::domain::message::ChannelKind;
use kabar::domain::outbound::Recipient;
use kabar::domain::phone::PhoneNumber;
use kabar::store::Db;
use kabar::store::suppression::{NewSuppression, SuppressionReason, insert_suppression};
use serde_json::Value;

use crate::support::{Office, list, word};

/// An office that does not write to two numbers; ids in their order.
async fn office() -> (Office, [String; 2]) {
    let office = Office::init().await;
    let config = Config::load(Path::new(&office.config()), std::iter::empty()).unwrap();
    let db = Db::open(&config.database_url, Arc::new(config.sealer)).await.unwrap();
    let (ids, now) = (IdSource::default(), SystemClock.now());
    let why = [
        (Some(ChannelKind::Whatsapp), SuppressionReason::NotReachable, Some("131026")),
        (None, SuppressionReason::WrongPerson, None),
    ];
    let mut tx = db.begin().await.unwrap();
    let mut made = Vec::new();
    for (n, (channel, reason, code)) in why.into_iter().enumerate() {
        let phone = PhoneNumber::parse(&format!("0812-3456-000{n}")).unwrap();
        let id: SuppressionId = ids.next(now);
        let address = Recipient::of_phone(phone);
        let hash = format!("hash {n}");
        let address = Some(&address);
        let new = NewSuppression { id, address_hash: &hash, address, channel, reason, code };
        insert_suppression(&mut tx, &db, &new, now).await.unwrap();
        made.push(id.to_string());
    }
    tx.commit().await.unwrap();
    db.close().await;
    (office, made.try_into().unwrap())
}

async fn listed(office: &Office) -> Vec<Value> {
    let ended = office.run(&["suppression", "list", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    list(&ended.json()["suppressions"])
}

#[tokio::test]
async fn the_list_says_why_and_shows_no_number_whole() {
    let (office, ids) = office().await;
    let ended = office.run(&["suppression", "list"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{ended:?}");
    for (line, id) in lines.iter().zip(&ids) {
        assert!(line.starts_with(id) && line.contains("+62 812-****-**0"), "{line}");
    }
    assert!(lines[0].contains("whatsapp") && lines[0].ends_with("not_reachable (131026)"));
    assert!(lines[1].contains("all") && lines[1].ends_with("wrong_person"), "{ended:?}");
    let all = format!("{}{:?}", ended.stdout, listed(&office).await);
    assert!(!all.contains("3456"), "{all}");
}

#[tokio::test]
async fn json_has_what_the_api_has() {
    let (office, _) = office().await;
    let own = listed(&office).await;
    assert_eq!(own.len(), 2);
    let token = office.token("auditor").await;
    office.change("127.0.0.1:8080", "127.0.0.1:0");
    let mut service = office.serve();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("{}/v1/suppressions", service.address().await);
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(list(&answer.json::<Value>().await.unwrap()["suppressions"]), own);
}

#[tokio::test]
async fn what_is_released_is_off_the_list_once() {
    let (office, ids) = office().await;
    let ended = office.run(&["suppression", "release", &ids[0], "--by", "Bu Rini"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "1 of 1 released\n"));
    let left: Vec<String> = listed(&office).await.iter().map(|row| word(&row["id"])).collect();
    assert_eq!(left, ids[1..]);
    let again = office.run(&["suppression", "release", &ids[0], &ids[1]]).await;
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), "1 of 2 released\n"));
    assert!(again.stderr.contains(&format!("{} is not in force", ids[0])), "{again:?}");
    let by = office.query("SELECT released_by FROM suppression ORDER BY id").await;
    assert_eq!(by, ["Bu Rini", "command line"]);
    let ended = office.run(&["suppression", "list"]).await;
    assert_eq!(ended.stdout, "Every address is written to.\n");
}

#[tokio::test]
async fn what_is_no_suppression_is_misuse() {
    let (office, ids) = office().await;
    for args in [&[][..], &[&ids[0], "sup_1"], &["vis_01JDXB3E7F0000000000000000"]] {
        let ended = office.run(&[&["suppression", "release"], args].concat()).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
    assert_eq!(listed(&office).await.len(), 2);
}
