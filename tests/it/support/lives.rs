//! The lives of a service that is killed and started again, and those outside who go on meanwhile: they ask whatever
//! process lives until it has taken what they bring.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kabar::domain::clock::{Clock as _, SystemClock};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use super::meta::FakeMeta;
use super::webhook::{APP_SECRET, body, escaped, signature, status};
use super::{Office, Running, list, word};

/// Longer than any step can take: a dead process keeps its account for eight seconds.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How soon something is tried again of which nobody is told when it is ready.
pub const SOON: Duration = Duration::from_millis(100);

/// Where the service is; empty while it is dead.
pub type Address = watch::Receiver<String>;

/// Posts until it is taken, to whatever process lives by then.
pub async fn post_until(
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

/// Meta's side of receipts: each message it took is told of until the service has taken that, with our id of it if the
/// provider echoes that.
pub async fn receipts(meta: Arc<FakeMeta>, service: Address, echoes: bool) {
    let http = reqwest::Client::new();
    let mut seen = 0;
    loop {
        meta.wait_for_requests(seen + 1).await;
        let asked = meta.requests_from(seen);
        seen += asked.len();
        let now = SystemClock.now().as_ms() / 1000;
        let statuses: Vec<Value> = asked
            .iter()
            .filter(|request| request.id.is_some())
            .flat_map(|sent| ["sent", "delivered"].map(|word| status(sent, word, now)))
            .map(|mut status| {
                if !echoes {
                    status.as_object_mut().unwrap().remove("biz_opaque_callback_data");
                }
                status
            })
            .collect();
        if statuses.is_empty() {
            continue;
        }
        let bytes = escaped(&body(&[], &statuses));
        let signed = signature(APP_SECRET, &bytes);
        post_until(service.clone(), StatusCode::OK, |url| {
            http.post(format!("{url}/hooks/whatsapp/wa"))
                .header("x-hub-signature-256", &signed)
                .body(bytes.clone())
        })
        .await;
    }
}

/// The status of every message, as officers see it.
pub async fn states(url: &str, token: &str) -> BTreeMap<String, usize> {
    let http = reqwest::Client::new();
    let (mut states, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let request = http.get(format!("{url}/v1/messages?limit=500&cursor={cursor}"));
        let answer = request.bearer_auth(token).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        for message in list(&answer["messages"]) {
            *states.entry(word(&message["status"])).or_default() += 1;
        }
        match answer["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return states,
        }
    }
}

/// What was claimed and never left is sent again within the time of a test.
pub fn settle_soon(office: &Office) {
    let send = "\n[send]\ntimeout = \"3s\"\nunknown_reply = \"5s\"\n\
                unknown_announcement = \"5s\"\nunknown_broadcast = \"5s\"\n";
    office.change("\n[announce]", &format!("{send}\n[announce]"));
}

/// Waits until there are so many messages and all of them have arrived.
pub async fn wait_until_delivered(url: &str, token: &str, count: usize) {
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
pub struct Lives<'a> {
    office: &'a Office,
    meta: Arc<FakeMeta>,
    service: watch::Sender<String>,
}

impl<'a> Lives<'a> {
    /// Of that office, with what that provider gets.
    pub fn of(office: &'a Office, meta: &Arc<FakeMeta>) -> Self {
        let service = watch::Sender::new(String::new());
        Self { office, meta: Arc::clone(meta), service }
    }

    /// Where it lives at the moment, to be watched.
    pub fn address(&self) -> Address {
        self.service.subscribe()
    }

    /// The same at this moment.
    pub fn url(&self) -> String {
        self.service.borrow().clone()
    }

    /// Begins the next one.
    pub async fn start(&self) -> Running {
        let mut running = self.office.serve();
        self.service.send_replace(running.address().await);
        running
    }

    /// Ends one at once.
    pub async fn kill(&self, running: Running) {
        running.signal("KILL");
        self.service.send_replace(String::new());
        assert_eq!(running.end().await.code, None, "it had no time to put things in order");
    }

    /// Waits until the provider has been asked so often.
    pub async fn reached(&self, requests: usize) {
        let sent = self.meta.wait_for_requests(requests);
        timeout(PATIENCE, sent).await.expect("messages flow");
    }

    /// Each of these numbers has one message, and nobody else has any.
    pub fn assert_each_told_once(&self, everybody: Vec<String>) {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for sent in self.meta.sent() {
            *times.entry(sent.to().to_owned()).or_default() += 1;
        }
        let once: BTreeMap<String, usize> = everybody.into_iter().map(|to| (to, 1)).collect();
        assert_eq!(times, once, "each phone has exactly one message");
    }
}
