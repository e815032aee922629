//! Watching with real processes: the service is killed, OpenSID's server is killed, while its people go
//! on working; and still nobody is missed and nobody hears twice.

use std::sync::Arc;

use serde_json::Value;
use sqlx::MySqlPool;
use tokio::time::{interval, timeout};

use crate::support::lives::{Lives, PATIENCE, SOON, receipts, settle_soon, wait_until_delivered};
use crate::support::mariadb::MariaDb;
use crate::support::meta::FakeMeta;
use crate::support::opensid::{OpenSid, Resident, Schema};
use crate::support::{Office, list};

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

/// A number of messages after which something dies, another one in every run.
fn anywhere(from: usize, to: usize) -> usize {
    from + usize::try_from(getrandom::u32().unwrap()).unwrap() % (to - from)
}

#[tokio::test]
async fn nobody_is_missed_and_nobody_hears_twice_although_both_sides_are_killed() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut server = MariaDb::private().await;
    let opensid = OpenSid::create(&server, Schema::Umum).await;
    let config = opensid.add_desa("3517092018", "Jabon").await;
    let mut people = Vec::new();
    let mut everybody = Vec::new();
    for _ in 0..PEOPLE {
        let resident = Resident { config, status_rekam: Some(5), ..Resident::default() };
        let phone = resident.telepon.clone().unwrap();
        everybody.push(format!("+62{}", phone.trim_start_matches('0')));
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
    let lives = Lives::of(&office, &meta);
    let telling = tokio::spawn(receipts(Arc::clone(&meta), lives.address(), true));

    let first = lives.start().await;
    read_once(&lives.url(), &auditor).await;
    assert!(meta.sent().is_empty(), "the first reading is silent");
    let working = tokio::spawn(print_cards(Arc::clone(&meta), opensid.pool.clone(), people));
    lives.reached(anywhere(10, 30)).await;
    lives.kill(first).await;
    let second = lives.start().await;
    lives.reached(anywhere(35, 60)).await;
    server.kill().await;
    server.start().await;
    lives.reached(anywhere(65, 90)).await;
    server.kill().await;
    lives.kill(second).await;
    let third = lives.start().await;
    server.start().await;
    lives.reached(anywhere(95, 120)).await;
    lives.kill(third).await;
    assert!(!working.is_finished(), "the desa is still at it");
    let fourth = lives.start().await;
    lives.reached(PEOPLE).await;
    timeout(PATIENCE, working).await.expect("all cards are printed").unwrap();
    wait_until_delivered(&lives.url(), &auditor, PEOPLE).await;
    fourth.signal("TERM");
    assert_eq!(fourth.end().await.code, Some(0));
    telling.abort();

    lives.assert_each_told_once(everybody);
}
