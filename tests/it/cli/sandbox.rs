//! `kabar sandbox`: what it prints fits a service, as it stands.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{Office, Running, kabar, list, word};

const IDS: [&str; 7] = [
    "wa-sandbox",
    "tg-sandbox",
    "sms-android",
    "sms-twilio",
    "sms-zenziva",
    "sms-kannel",
    "sms-smpp",
];
/// Longest wait for an answer on a phone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sandbox, ready.
struct Sandbox {
    program: Running,
    /// Where its page of phones is.
    home: String,
    /// The accounts it printed.
    accounts: String,
}

impl Sandbox {
    /// Plays for a service at that address.
    async fn start(service: &str, more: &[&str]) -> Self {
        let args = ["sandbox", "--listen", "127.0.0.1:0", "--smpp", "127.0.0.1:0"];
        let mut program = Running::start(&[&args[..], &["--service", service], more].concat());
        let said = program.until("Ctrl-C ends it").await;
        let home = said[0].strip_prefix("Phones page: ").expect("it is said first");
        let begin = said.iter().position(|line| line == "[[account]]").unwrap();
        let accounts = said[begin..said.len() - 1].join("\n");
        Self { home: home.trim_end_matches('/').to_owned(), accounts, program }
    }

    /// An office that has read what the sandbox printed.
    async fn office(&self, public_url: &str) -> Office {
        let office = Office::init().await;
        office.change("# public_url = \"https://kabar.example.go.id\"", public_url);
        office.change("127.0.0.1:8080", "127.0.0.1:0");
        let config = std::fs::read_to_string(office.config()).unwrap();
        office.file("kabar.toml", format!("{config}\n{}\n", self.accounts));
        office
    }
}

#[tokio::test]
async fn every_account_it_prints_answers_a_check() {
    let sandbox = Sandbox::start("http://127.0.0.1:9/", &[]).await;
    let office = sandbox.office("public_url = \"http://127.0.0.1:9\"").await;
    let ended = office.run(&["check", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let findings = list(&ended.json());
    let accounts: Vec<&Value> = findings.iter().skip(3).collect();
    let names: Vec<String> = accounts.iter().map(|finding| word(&finding["what"])).collect();
    assert_eq!(names, IDS, "{ended:?}");
    for finding in accounts {
        assert_eq!(finding["ok"], true, "{finding}");
        assert!(word(&finding["detail"]).starts_with("answers: "), "{finding}");
    }
    sandbox.program.signal("INT");
    let ended = sandbox.program.end().await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
}

/// Leads whoever comes to `door` to the service, wherever that listens.
async fn lead(door: TcpListener, service: String) {
    loop {
        let (mut caller, _) = door.accept().await.unwrap();
        let service = service.clone();
        tokio::spawn(async move {
            let mut service = TcpStream::connect(service).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut caller, &mut service).await;
        });
    }
}

#[tokio::test]
async fn whoever_writes_to_an_account_is_answered_by_the_service() {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", door.local_addr().unwrap());
    let sandbox = Sandbox::start(&url, &[]).await;
    let office = sandbox.office(&format!("public_url = \"{url}\"")).await;
    let mut service = office.serve();
    let address = service.address().await.trim_start_matches("http://").to_owned();
    let led = tokio::spawn(lead(door, address));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let phones = format!("{}/control/phones", sandbox.home);
    let mut events = http.get(format!("{}/control/events", sandbox.home)).send().await.unwrap();
    // At WhatsApp a number has another id than its account, and Zenziva has no way back.
    let answering = IDS.into_iter().filter(|id| *id != "sms-zenziva").enumerate();
    for (n, id) in answering {
        let account = if id == "wa-sandbox" { "1000000001" } else { id };
        let number = format!("628123456{n:04}");
        http.post(&phones).json(&json!({ "number": number })).send().await.unwrap();
        let phone = format!("{phones}/{number}");
        let words = json!({"to": account, "text": "syarat ktp hilang apa aja?"});
        let answer = http.post(format!("{phone}/write")).json(&words).send().await.unwrap();
        assert!(answer.status().is_success(), "{id}: {answer:?}");
        let answered = async {
            loop {
                let seen: Value = http.get(&phone).send().await.unwrap().json().await.unwrap();
                let mut bubbles = list(&seen["bubbles"]).into_iter();
                if bubbles.any(|b| b["side"] == "office" && word(&b["text"]).contains("polisi")) {
                    return;
                }
                events.chunk().await.unwrap().expect("the stream goes on");
            }
        };
        timeout(PATIENCE, answered).await.unwrap_or_else(|_| panic!("{id} brought no answer"));
    }
    led.abort();
}

#[tokio::test]
async fn webhooks_of_whatsapp_may_go_elsewhere() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook = format!("http://{}/mine", elsewhere.local_addr().unwrap());
    let sandbox = Sandbox::start("http://127.0.0.1:9", &["--webhook", &webhook]).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let write = format!("{}/control/phones/6281234560001/write", sandbox.home);
    let answer = reqwest::Client::new().post(write).json(&json!({"text": "halo"})).send().await;
    assert!(answer.unwrap().status().is_success());
    let (stream, _) = timeout(PATIENCE, elsewhere.accept()).await.unwrap().unwrap();
    let mut first = [0; 10];
    let mut reader = stream;
    tokio::io::AsyncReadExt::read_exact(&mut reader, &mut first).await.unwrap();
    assert_eq!(&first, b"POST /mine");
}

#[tokio::test]
async fn a_port_that_is_taken_or_an_address_that_is_none_is_a_failure_with_a_hint() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases = [
        (["--listen", &taken, "--smpp", "127.0.0.1:0"], "choose one with --listen"),
        (["--listen", "127.0.0.1:0", "--smpp", &taken], "choose one with --smpp"),
        (["--listen", "127.0.0.1:0", "--service", "localhost:8080"], "write it like http://"),
        (["--listen", "127.0.0.1:0", "--webhook", "/hooks"], "write it like http://"),
    ];
    for (args, hint) in cases {
        let ended = kabar(&[&["sandbox"], &args[..]].concat(), b"").await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("hint: ") && ended.stderr.contains(hint), "{ended:?}");
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
}
