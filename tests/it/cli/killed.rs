//! Once, not twice, with real processes: the service is killed while it sends, its provider hangs
//! up on it, and still nobody is missed and nobody hears twice.

use std::sync::Arc;

use kabar::domain::clock::{Clock as _, SystemClock};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::timeout;

use crate::support::lives::{
    Address, Lives, PATIENCE, post_until, receipts, settle_soon, wait_until_delivered,
};
use crate::support::meta::FakeMeta;
use crate::support::{Answer, Office, citizen};

const PEOPLE: usize = 120;
/// Updates in one request of the source.
const BATCH: usize = 10;
/// How far the source runs ahead of what is sent, so that it still posts at every kill.
const AHEAD: usize = 30;

/// A source that sends each batch again until it is taken.
async fn source(meta: Arc<FakeMeta>, service: Address, token: String) {
    let http = reqwest::Client::new();
    for from in (0..PEOPLE).step_by(BATCH) {
        meta.wait_for_requests(from.saturating_sub(AHEAD)).await;
        let now = SystemClock.now().utc().to_rfc3339();
        let updates: Vec<Value> = (from + 1..=from + BATCH)
            .map(|n| citizen(n).update(&format!("u-{n}"), &now, "CARD_PRINTED"))
            .collect();
        let updates = Value::from(updates);
        post_until(service.clone(), StatusCode::ACCEPTED, |url| {
            http.post(format!("{url}/v1/card-updates")).bearer_auth(&token).json(&updates)
        })
        .await;
    }
}

#[tokio::test]
async fn nobody_is_missed_and_nobody_hears_twice_although_the_process_is_killed_twice() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let meta = Arc::new(FakeMeta::start().await);
    for _ in 0..PEOPLE {
        for _ in 0..6 {
            meta.next(Answer::Accept);
        }
        meta.next(Answer::AcceptAndHangUp);
    }
    let office = Office::with_account(&meta).await;
    settle_soon(&office);
    let (source_token, auditor) = (office.token("source").await, office.token("auditor").await);

    let lives = Lives::of(&office, &meta);
    let posting = tokio::spawn(source(Arc::clone(&meta), lives.address(), source_token));
    let telling = tokio::spawn(receipts(Arc::clone(&meta), lives.address(), true));

    // The first process dies while its provider has taken messages and said nothing yet.
    meta.hold();
    let first = lives.start().await;
    lives.reached(20).await;
    lives.kill(first).await;
    meta.release();
    // The second dies anywhere.
    let second = lives.start().await;
    lives.reached(70).await;
    assert!(!posting.is_finished(), "the source is still at it");
    lives.kill(second).await;
    let third = lives.start().await;
    lives.reached(PEOPLE).await;
    timeout(PATIENCE, posting).await.expect("all updates are taken").unwrap();

    wait_until_delivered(&lives.url(), &auditor, PEOPLE).await;
    third.signal("TERM");
    assert_eq!(third.end().await.code, Some(0));
    telling.abort();

    let everybody = (1..=PEOPLE).map(|n| citizen(n).e164).collect();
    lives.assert_each_told_once(everybody);
}
