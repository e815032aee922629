//! Once, not twice, with real processes: the service is killed while it sends, its provider hangs
//! up on it, and still nobody is missed and nobody hears twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kabar::domain::clock::{Clock as _, SystemClock};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use crate::support::meta::FakeMeta;
use crate::support::webhook::{APP_SECRET, body, escaped, signature, status};
use crate::support::{Answer, Office, Running, citizen, list, word};

const PEOPLE: usize = 120;
/// Updates in one request of the source.
const BATCH: usize = 10;
/// How far the source runs ahead of what is sent, so that it still posts at every kill.
const AHEAD: usize = 30;
/// Longer than any step can take: a dead process keeps its account for eight seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How soon something is tried again of which nobody is told when it is ready.
pub(super) const SOON: Duration = Duration::from_millis(100);

/// Where the service is; empty while it is dead.
pub(super) type Address = watch::Receiver<String>;

/// Posts until it is taken, to whatever process lives by then.
async fn post_until(
    mut service: Address,
    wanted: StatusCode,
    make: impl Fn(&str) -> reqwest::RequestBuilder,
) {
    loop {
        let url = service.wait_for(|url| !url.is_empty()).await.unwrap().clone();
        match make(&url).send().await {
            Ok(response) if response.status() == wanted => return,
            // The process may be dying; its successor has another address.
            _ => drop(timeout(SOON, service.changed()).await),
        }
    }
}

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

/// Meta's side of receipts: each message it took is told of until the service has taken that.
pub(super) async fn receipts(meta: Arc<FakeMeta>, service: Address) {
    let http = reqwest::Client::new();
    let mut told = 0;
    loop {
        meta.wait_for_requests(told + 1).await;
        let sent = meta.sent();
        let now = SystemClock.now().as_ms() / 1000;
        let statuses: Vec<Value> = sent[told..]
            .iter()
            .flat_map(|sent| ["sent", "delivered"].map(|word| status(sent, word, now)))
            .collect();
        let bytes = escaped(&body(&[], &statuses));
        let signed = signature(APP_SECRET, &bytes);
        post_until(service.clone(), StatusCode::OK, |url| {
            http.post(format!("{url}/hooks/whatsapp/wa"))
                .header("x-hub-signature-256", &signed)
                .body(bytes.clone())
        })
        .await;
        told = sent.len();
    }
}

/// The status of every message, as officers see it.
pub(super) async fn states(url: &str, token: &str) -> BTreeMap<String, usize> {
    let request = reqwest::Client::new().get(format!("{url}/v1/messages?limit=500"));
    let answer = request.bearer_auth(token).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let mut states = BTreeMap::new();
    for message in list(&answer["messages"]) {
        *states.entry(word(&message["status"])).or_default() += 1;
    }
    states
}

/// What was claimed and never left is sent again within the time of a test.
pub(super) fn settle_soon(office: &Office) {
    let send = "\n[send]\ntimeout = \"3s\"\nunknown_reply = \"5s\"\n\
                unknown_announcement = \"5s\"\nunknown_broadcast = \"5s\"\n";
    office.change("\n[announce]", &format!("{send}\n[announce]"));
}

/// Waits until there are so many messages and all of them have arrived.
pub(super) async fn wait_until_delivered(url: &str, token: &str, count: usize) {
    let all_delivered = BTreeMap::from([("delivered".to_owned(), count)]);
    let settled = async {
        let mut looks = interval(SOON);
        while states(url, token).await != all_delivered {
            looks.tick().await;
        }
    };
    let settled = timeout(PATIENCE, settled).await;
    assert!(settled.is_ok(), "not settled: {:?}", states(url, token).await);
}

/// The lives of a service, one after the other, and what all of them send.
pub(super) struct Lives<'a> {
    office: &'a Office,
    meta: Arc<FakeMeta>,
    service: watch::Sender<String>,
}

impl<'a> Lives<'a> {
    pub(super) fn of(office: &'a Office, meta: &Arc<FakeMeta>) -> Self {
        let service = watch::Sender::new(String::new());
        Self { office, meta: Arc::clone(meta), service }
    }

    pub(super) fn address(&self) -> Address {
        self.service.subscribe()
    }

    pub(super) fn url(&self) -> String {
        self.service.borrow().clone()
    }

    pub(super) async fn start(&self) -> Running {
        let mut running = self.office.serve();
        self.service.send_replace(running.address().await);
        running
    }

    pub(super) async fn kill(&self, running: Running) {
        running.signal("KILL");
        self.service.send_replace(String::new());
        assert_eq!(running.end().await.code, None, "it had no time to put things in order");
    }

    pub(super) async fn reached(&self, requests: usize) {
        let sent = self.meta.wait_for_requests(requests);
        timeout(PATIENCE, sent).await.expect("messages flow");
    }

    pub(super) fn assert_each_told_once(&self, everybody: Vec<String>) {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for sent in self.meta.sent() {
            *times.entry(sent.to().to_owned()).or_default() += 1;
        }
        let once: BTreeMap<String, usize> = everybody.into_iter().map(|to| (to, 1)).collect();
        assert_eq!(times, once, "each phone has exactly one message");
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
    let telling = tokio::spawn(receipts(Arc::clone(&meta), lives.address()));

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
