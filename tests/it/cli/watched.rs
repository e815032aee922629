//! Watching with real processes: the service is killed, OpenSID's server is killed, while its people go
//! on working; and still nobody is missed and nobody hears twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use sqlx::MySqlPool;
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use super::killed::{PATIENCE, SOON, receipts, settle_soon, wait_until_delivered};
use crate::support::mariadb::MariaDb;
use crate::support::meta::FakeMeta;
use crate::support::opensid::{OpenSid, Resident, Schema};
use crate::support::{Office, Running, list};

const PEOPLE: usize = 150;
/// How far the desa works ahead of what is sent, so that it still works at every kill.
const AHEAD: usize = 25;

/// The desa's work: card after card is printed, as soon as the server takes it.
async fn print_cards(meta: Arc<FakeMeta>, pool: MySqlPool, people: Vec<i32>) {
    let statement = "UPDATE tweb_penduduk SET status_rekam = 4 WHERE id = ?";
    let mut again = interval(SOON);
    for (n, id) in people.into_iter().enumerate() {
        meta.wait_for_requests(n.saturating_sub(AHEAD)).await;
        while sqlx::query(statement).bind(id).execute(&pool).await.is_err() {
            again.tick().await;
        }
    }
}

/// Waits until the source was read to its end.
async fn read_once(url: &str, token: &str) {
    let mut looks = interval(SOON);
    let read = async {
        loop {
            let request = reqwest::Client::new().get(format!("{url}/v1/sources"));
            let answer = request.bearer_auth(token).send().await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            if list(&answer["sources"]).iter().any(|source| source["read_at"].is_string()) {
                return;
            }
            looks.tick().await;
        }
    };
    timeout(PATIENCE, read).await.expect("the first reading ends");
}

#[tokio::test]
async fn nobody_is_missed_and_nobody_hears_twice_although_both_sides_are_killed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut server = MariaDb::private().await;
    let opensid = OpenSid::create(&server, Schema::Umum).await;
    let config = opensid.add_desa("3517092018", "Jabon").await;
    let mut people = Vec::new();
    let mut everybody = BTreeMap::new();
    for _ in 0..PEOPLE {
        let resident = Resident { config, status_rekam: Some(5), ..Resident::default() };
        let phone = resident.telepon.clone().unwrap();
        everybody.insert(format!("+62{}", phone.trim_start_matches('0')), 1);
        people.push(opensid.add_resident(resident).await);
    }

    let meta = Arc::new(FakeMeta::start().await);
    let office = Office::with_account(&meta).await;
    settle_soon(&office);
    let source = format!(
        "\n[[source]]\nid = \"opensid\"\nkind = \"opensid\"\nurl = \"{}\"\nevery = \"1s\"\n\
         hold_over = 1000\n\n[[account]]\nid",
        opensid.url()
    );
    office.change("\n[[account]]\nid", &source);
    let auditor = office.token("auditor").await;
    let (service, address) = watch::channel(String::new());
    let telling = tokio::spawn(receipts(Arc::clone(&meta), address));
    let start = async || {
        let mut running = office.serve();
        service.send_replace(running.address().await);
        running
    };
    let kill = async |running: Running| {
        running.signal("KILL");
        service.send_replace(String::new());
        assert_eq!(running.end().await.code, None, "it had no time to put things in order");
    };
    let reached = async |requests: usize| {
        timeout(PATIENCE, meta.wait_for_requests(requests)).await.expect("messages flow");
    };

    let first = start().await;
    read_once(&service.borrow().clone(), &auditor).await;
    assert!(meta.sent().is_empty(), "the first reading is silent");
    let working = tokio::spawn(print_cards(Arc::clone(&meta), opensid.pool.clone(), people));
    reached(20).await;
    kill(first).await;
    let second = start().await;
    reached(50).await;
    server.kill().await;
    server.start().await;
    reached(80).await;
    server.kill().await;
    kill(second).await;
    let third = start().await;
    server.start().await;
    reached(110).await;
    kill(third).await;
    assert!(!working.is_finished(), "the desa is still at it");
    let fourth = start().await;
    reached(PEOPLE).await;
    timeout(PATIENCE, working).await.expect("all cards are printed").unwrap();
    wait_until_delivered(&service.borrow().clone(), &auditor, PEOPLE).await;
    fourth.signal("TERM");
    assert_eq!(fourth.end().await.code, Some(0));
    telling.abort();

    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for sent in meta.sent() {
        *times.entry(sent.to().to_owned()).or_default() += 1;
    }
    assert_eq!(times, everybody, "each phone has exactly one message");
}
