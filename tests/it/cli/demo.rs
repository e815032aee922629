//! `kabar demo`: what somebody sees who has just heard of Kabar.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{Running, list, word};

/// Longest wait for something to happen on a phone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A demo, ready.
struct Demo {
    program: Running,
    /// What it said at its start.
    hello: String,
    home: String,
    token: String,
    http: reqwest::Client,
}

impl Demo {
    async fn start(data: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut program = Running::start(&["demo", "--listen", "127.0.0.1:0", "--data", data]);
        let hello = timeout(PATIENCE, program.until("Ctrl-C ends it"));
        let hello = hello.await.expect("ready in time").join("\n");
        let after = |words: &str| hello.split_once(words).expect("it is said").1;
        let home = after("http://").split('/').next().unwrap();
        let home = format!("http://{home}");
        let token = after("Bearer ").split('\'').next().unwrap().to_owned();
        Self { program, hello, home, token, http: reqwest::Client::new() }
    }

    async fn get(&self, address: &str) -> reqwest::Response {
        self.http.get(address).bearer_auth(&self.token).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> StatusCode {
        let request = self.http.post(format!("{}{path}", self.home)).json(body);
        request.send().await.unwrap().status()
    }

    /// Ids of the messages, as the API has them.
    async fn messages(&self) -> Vec<String> {
        let response = self.get(&format!("{}/v1/messages?limit=500", self.home)).await;
        assert_eq!(response.status(), StatusCode::OK, "the token works");
        let answer: Value = response.json().await.unwrap();
        list(&answer["messages"]).iter().map(|message| word(&message["id"])).collect()
    }

    /// Opens the page's stream of events, as a browser does.
    async fn watch(&self) -> Watch<'_> {
        let events = self.get(&format!("{}/sandbox/control/events", self.home)).await;
        assert_eq!(events.status(), StatusCode::OK);
        Watch { demo: self, events }
    }

    async fn ctrl_c(self) {
        self.program.signal("INT");
        let ended = self.program.end().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.stderr, "", "nothing to complain of");
    }
}

/// An open page of phones.
struct Watch<'a> {
    demo: &'a Demo,
    events: reqwest::Response,
}

impl Watch<'_> {
    /// Looks at the phones whenever something changed, until something is found on one.
    async fn find<T>(&mut self, seen: impl Fn(&Value) -> Option<T>) -> T {
        let found = async {
            loop {
                self.events.chunk().await.unwrap().expect("the stream goes on");
                let phones = format!("{}/sandbox/control/phones", self.demo.home);
                let phones: Value = self.demo.get(&phones).await.json().await.unwrap();
                if let Some(found) = list(&phones["phones"]).iter().find_map(&seen) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("it appears on a phone")
    }

    /// Number and owner of a phone that is told of a printed card.
    async fn printed(&mut self) -> (String, String) {
        self.find(|phone| {
            let is_told = bubbles(phone, "office").any(|text| text.contains("sudah dicetak"));
            is_told.then(|| (word(&phone["number"]), word(&phone["name"])))
        })
        .await
    }
}

/// What one side wrote on a phone, oldest first.
fn bubbles<'a>(phone: &'a Value, side: &'a str) -> impl Iterator<Item = &'a str> {
    let all = phone["bubbles"].as_array().unwrap().iter();
    all.filter(move |bubble| bubble["side"] == side).map(|bubble| bubble["text"].as_str().unwrap())
}

#[tokio::test]
async fn the_demo_is_ready_at_once_and_every_address_it_prints_answers() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path().join("demo").to_str().unwrap()).await;
    let addresses: Vec<&str> =
        demo.hello.split_whitespace().filter(|part| part.starts_with("http://")).collect();
    assert!(addresses.len() >= 4, "{}", demo.hello);
    for address in addresses {
        assert!(address.starts_with("http://127.0.0.1:"), "{address}");
        assert_eq!(demo.get(address).await.status(), StatusCode::OK, "{address}");
    }
    demo.ctrl_c().await;
}

#[tokio::test]
async fn a_card_printed_at_a_button_reaches_a_phone_and_its_owner_is_answered() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path().to_str().unwrap()).await;
    let mut page = demo.watch().await;
    assert_eq!(demo.post("/sandbox/demo/actions/print", &json!({})).await, 204);
    let (number, name) = page.printed().await;

    let write = format!("/sandbox/control/phones/{number}/write");
    assert_eq!(demo.post(&write, &json!({"text": "sudah jadi belum?"})).await, StatusCode::OK);
    let answer = page
        .find(|phone| {
            let mine = phone["number"] == number.as_str();
            let is_asked = mine && bubbles(phone, "citizen").next().is_some();
            // An announcement tells of a card for somebody, an answer of somebody's card.
            let mut answers = bubbles(phone, "office").filter(|text| text.starts_with("KTP-el "));
            answers.next().filter(|_| is_asked).map(str::to_owned)
        })
        .await;
    let first = name.split_whitespace().next().unwrap();
    assert!(answer.contains(first), "{answer}");
    assert!(!answer.contains(&name), "the name is masked: {answer}");
    demo.ctrl_c().await;
}

#[tokio::test]
async fn a_file_put_into_the_folder_makes_phones_ring() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path().to_str().unwrap()).await;
    let mut page = demo.watch().await;
    let sample = data.path().join("contoh.csv");
    assert!(demo.hello.contains(&format!("cp {}", sample.display())), "{}", demo.hello);
    std::fs::copy(&sample, data.path().join("masuk/contoh.csv")).unwrap();
    let number = page
        .find(|phone| {
            let is_told = bubbles(phone, "office").any(|text| text.contains("bisa diambil di"));
            is_told.then(|| word(&phone["number"]))
        })
        .await;
    let told = std::fs::read_to_string(&sample).unwrap().replace('-', "");
    assert!(told.contains(&number.replacen("62", "0", 1)), "{number} of {told}");
    demo.ctrl_c().await;
}

#[tokio::test]
async fn a_citizen_of_the_demo_gets_a_place_at_a_counter_and_a_family_a_day_for_a_visit() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path().to_str().unwrap()).await;
    let mut page = demo.watch().await;
    let number = page
        .find(|phone| {
            let is_visited =
                bubbles(phone, "office").any(|text| text.contains("petugas tidak memungut biaya"));
            let is_told = bubbles(phone, "office")
                .any(|text| text.contains("Petugas kami datang untuk kunjungan"));
            (is_visited && is_told).then(|| word(&phone["number"]))
        })
        .await;
    let write = format!("/sandbox/control/phones/{number}/write");
    let talk = [
        ("buat janji ktp hilang", "surat kehilangan dari kepolisian sudah ada"),
        ("ada", "Apakah Kartu Keluarga (KK) ada"),
        ("ada", "Kantor Kecamatan Jombang"),
        ("1", "Janji Anda tercatat"),
    ];
    for (words, answer) in talk {
        assert_eq!(demo.post(&write, &json!({"text": words})).await, StatusCode::OK);
        page.find(|phone| bubbles(phone, "office").any(|text| text.contains(answer)).then_some(()))
            .await;
    }
    demo.ctrl_c().await;
}

#[tokio::test]
async fn ctrl_c_ends_the_demo_while_a_page_is_open() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path().to_str().unwrap()).await;
    let mut events = demo.watch().await.events;
    demo.ctrl_c().await;
    while let Ok(Some(_)) = events.chunk().await {}
}

#[tokio::test]
async fn a_second_start_goes_on_with_the_same_data() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let demo = Demo::start(data).await;
    let mut page = demo.watch().await;
    assert_eq!(demo.post("/sandbox/demo/actions/print", &json!({})).await, 204);
    let (first, _) = page.printed().await;
    let (token, before) = (demo.token.clone(), demo.messages().await);
    assert!(!before.is_empty());
    demo.ctrl_c().await;

    let demo = Demo::start(data).await;
    assert_eq!(demo.token, token, "what was noted from the first start still works");
    let after = demo.messages().await;
    assert!(before.iter().all(|id| after.contains(id)), "{before:?} {after:?}");
    let mut page = demo.watch().await;
    assert_eq!(demo.post("/sandbox/demo/actions/print", &json!({})).await, 204);
    let (next, _) = page.printed().await;
    assert_ne!(next, first, "the first card is printed already");
    demo.ctrl_c().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_failure_with_a_hint() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let data = data.path().join("demo");
    let args = ["demo", "--listen", &address, "--data", data.to_str().unwrap()];
    let ended = crate::support::kabar(&args, b"").await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&format!("error: cannot listen on {address}")), "{ended:?}");
    assert!(ended.stderr.contains("hint: "), "{ended:?}");
    assert!(!data.exists(), "nothing is written before it can start");
}
