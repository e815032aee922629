//! Kannel as an office meets it: its replies, the receipts it calls with, and citizens' messages.

use std::collections::HashMap;

use axum::extract::RawQuery;
use axum::routing::get;

use super::*;

const ID: &str = "msg_01KAHV6R00ABCDEFGHJKMNPQRS";
const USER: &str = "username=desa&password=hunter2";

type Calls = Arc<Mutex<Vec<String>>>;

/// A sandbox with a user of Kannel, and whoever Kannel calls.
struct Office {
    bench: Bench,
    hook: String,
    calls: Calls,
    _stop: DropGuard,
}

impl Office {
    async fn start() -> Self {
        let stop = CancellationToken::new();
        let calls = Calls::default();
        let kept = Arc::clone(&calls);
        let keep = move |uri: axum::http::Uri, RawQuery(query): RawQuery| async move {
            kept.lock().unwrap().push(format!("{} {}", uri.path(), query.unwrap_or_default()));
        };
        let router = Router::new().route("/{tail}", get(keep));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = format!("http://{}", listener.local_addr().unwrap());
        let ending = stop.clone().cancelled_owned();
        tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(ending).into_future());
        let user = KannelUser {
            id: "k".into(),
            label: "Kantor Contoh".into(),
            username: "desa".into(),
            password: "hunter2".into(),
            sender: "13013".into(),
            inbound_url: format!("{hook}/mo?s=1"),
        };
        let bench = Bench::start_with(|settings| {
            settings.others.push(Counterpart::Kannel(user));
        })
        .await;
        Self { bench, hook, calls, _stop: stop.drop_guard() }
    }

    /// Asks and gives the status and the words of the answer.
    async fn ask(&self, query: &str) -> (u16, String) {
        let url = format!("{}/kannel/cgi-bin/sendsms?{query}", self.bench.base);
        let answer = self.bench.http.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn send(&self, text: &str) -> (u16, String) {
        let hook = self.hook.replace(':', "%3A").replace('/', "%2F");
        let dlr =
            format!("{hook}%2Fdlr%3Fm%3D{ID}%26s%3D1%2525%26type%3D%25d%26ans%3D%25A%26fid%3D%25F");
        let answer = self
            .ask(&format!("{USER}&from=13013&to=%2B6281200000001&dlr-mask=31&dlr-url={dlr}&{text}"))
            .await;
        self.bench.sandbox.idle().await;
        answer
    }

    /// The types of the receipts, and all calls as they came.
    fn calls(&self) -> (Vec<String>, Vec<String>) {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        let kind = |call: &String| {
            let query = call.strip_prefix("/dlr ")?;
            let query: HashMap<String, String> = serde_urlencoded::from_str(query).unwrap();
            Some(query["type"].clone())
        };
        (calls.iter().filter_map(kind).collect(), calls)
    }
}

#[tokio::test]
async fn every_reply_is_worded_as_smsbox_words_it() {
    let office = Office::start().await;
    for (query, status, words) in [
        ("username=desa&password=x&to=1", 403, "Authorization failed for sendsms"),
        ("", 403, "Authorization failed for sendsms"),
        (&format!("{USER}&text=a"), 400, "Missing receiver number, rejected"),
        (&format!("{USER}&to=&text=a"), 400, "Empty receiver number not allowed, rejected"),
        (&format!("{USER}&to=08abc&text=a"), 400, DENIED),
        (&format!("{USER}&to=%2B&validity=x&text=-"), 400, "Validity field misformed, rejected"),
        (&format!("{USER}&to=%2B&coding=9&text=-"), 400, "Coding field misformed, rejected"),
        (&format!("{USER}&to=%2B6281200000001&text=a"), 202, "0: Accepted for delivery"),
    ] {
        assert_eq!(office.ask(query).await, (status, words.to_owned()), "{query}");
    }
    let shown = format!("{:?}", office.bench.sandbox.sent());
    assert!(!shown.contains("hunter2"));
}

const DENIED: &str = "Number(s) has/have been denied by white- and/or black-lists.";

#[tokio::test]
async fn a_message_is_on_the_phone_and_two_receipts_follow() {
    let office = Office::start().await;
    assert_eq!(office.send("text=halo+%E2%82%AC").await.0, 202);
    let (kinds, calls) = office.calls();
    assert_eq!(kinds, ["8", "1"]);
    assert!(
        calls[0].starts_with(&format!("/dlr m={ID}&s=1%25&type=8&ans=ACK%2F&fid=")),
        "{calls:?}"
    );
    assert!(calls[1].contains("stat%3ADELIVRD+err%3A000"), "{calls:?}");
    let bubble = office.bench.sandbox.phone(SITI).unwrap().bubbles[0].clone();
    assert_eq!((bubble.text.as_str(), bubble.mark), ("halo €", Mark::Delivered));
    assert_eq!((bubble.echo.as_deref(), bubble.channel), (Some(ID), "sms"));
}

#[tokio::test]
async fn faults_do_what_they_are_called() {
    let office = Office::start().await;
    let cases: [(Value, u16, &[&str]); 9] = [
        (json!({"kind": "silent"}), 202, &[]),
        (json!({"kind": "reorder_status"}), 202, &["1", "8"]),
        (json!({"kind": "duplicate_status"}), 202, &["8", "8", "1", "1"]),
        (json!({"kind": "fail"}), 202, &["2"]),
        (json!({"kind": "fail", "code": 16}), 202, &["16"]),
        (json!({"kind": "error_after_accept"}), 500, &["8", "1"]),
        (json!({"kind": "throttle"}), 503, &[]),
        (json!({"kind": "refuse"}), 400, &[]),
        (json!({"kind": "not_json"}), 502, &[]),
    ];
    for (mut fault, status, kinds) in cases {
        fault["provider"] = "kannel".into();
        office.bench.fault(fault.clone());
        assert_eq!(office.send("text=a").await.0, status, "{fault}");
        assert_eq!(office.calls().0, kinds, "{fault}");
    }
}

#[tokio::test]
async fn receipts_are_called_only_for_what_the_mask_asks() {
    let office = Office::start().await;
    let query =
        format!("{USER}&to=1234567&text=a&dlr-mask=1&dlr-url={}/dlr?type=%25d", office.hook);
    assert_eq!(office.ask(&query).await.0, 202);
    office.bench.sandbox.idle().await;
    assert_eq!(office.calls().0, ["1"]);
}

#[tokio::test]
async fn a_citizens_message_is_called_in_with_its_charset() {
    let office = Office::start().await;
    for text in ["STOP now", "Ж"] {
        office.bench.sandbox.write(SITI, Some("k"), Input::Text(text.to_owned())).unwrap();
        office.bench.sandbox.idle().await;
    }
    let (_, calls) = office.calls();
    assert!(calls[0].starts_with("/mo s=1&from=%2B6281200000001&to=13013&text=STOP+now&ts="));
    assert!(calls[0].ends_with("&charset=UTF-8&coding=0"));
    assert!(calls[1].contains("&text=%04%16&") && calls[1].ends_with("charset=UTF-16BE&coding=2"));
    let press = Input::Press { button_id: "x".into(), message_id: None };
    assert_eq!(office.bench.sandbox.write(SITI, Some("k"), press), Err(WriteError::NoSuchButton));
}
