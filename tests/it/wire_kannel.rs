//! Calls as Kannel makes them, our own and, where they are at hand, captured ones.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use kabar::channel::sms::kannel::KannelClient;
use kabar::channel::sms::kannel::codes::classify;
use kabar::channel::{Channel as _, Event, HookRequest, InboundBody, Provider, RawKind, Shared};
use kabar::domain::clock::{SystemClock, Timestamp};
use kabar::domain::message::ChannelKind;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn client() -> KannelClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let keys = toml::toml! {
        api_url = "http://127.0.0.1:9"
        username = "desa"
        password = "x"
        sender = "13013"
        webhook_secret = "rahasia"
    };
    let Ok(Provider::Kannel(settings)) = Provider::read(ChannelKind::Sms, "kannel", keys) else {
        panic!("these are settings of Kannel")
    };
    let shared = Shared {
        http: reqwest::Client::new(),
        timeout: Duration::from_secs(1),
        list_button: String::new(),
        hook_url: String::new(),
        clock: Arc::new(SystemClock),
    };
    KannelClient::new(Arc::new(shared), settings)
}

/// What a call `tail?query` brings, in one word, and as what it is kept.
fn told(client: &KannelClient, call: &str) -> (RawKind, String) {
    let (tail, query) = call.trim().split_once('?').unwrap();
    let request = HookRequest {
        method: &Method::GET,
        tail,
        query,
        url: "",
        now: Timestamp::from_ms(0),
        headers: &HeaderMap::new(),
        body: b"",
    };
    let answer = client.receive(&request).unwrap_or_else(|refusal| panic!("{call}: {refusal}"));
    let [event] = answer.events.as_slice() else { panic!("{call}: {answer:?}") };
    let word = match client.read(&event.payload) {
        Event::Receipt(receipt) => match receipt.fault {
            Some(fault) => format!("{} {} {:?}", receipt.kind.as_str(), fault.code, fault.lesson),
            None => receipt.kind.as_str().to_owned(),
        },
        Event::Message(inbound) => match inbound.body {
            InboundBody::Text(text) => text.expose().to_owned(),
            other => format!("{other:?}"),
        },
        other => format!("{other:?}"),
    };
    (event.kind, word)
}

#[test]
fn each_call_is_read_for_what_it_says() {
    let folder = root().join("tests/fixtures/kannel");
    let cases = [
        ("dlr_accepted.txt", RawKind::Receipt, "sent"),
        ("dlr_delivered.txt", RawKind::Receipt, "delivered"),
        ("dlr_delivered_without_words.txt", RawKind::Receipt, "delivered"),
        ("dlr_queued.txt", RawKind::Other, "Other"),
        ("dlr_refused.txt", RawKind::Receipt, "failed 0x0000000b Some(Undelivered)"),
        ("dlr_refused_for_now.txt", RawKind::Receipt, "failed 0x00000045 None"),
        ("dlr_undelivered.txt", RawKind::Receipt, "failed EXPIRED/027 Some(Undelivered)"),
        ("mo_text.txt", RawKind::Message, "BERHENTI ya"),
        ("mo_unicode.txt", RawKind::Message, "ktp 🙏"),
        ("mo_binary.txt", RawKind::Message, "Silent"),
        ("mo_operator.txt", RawKind::Other, "Other"),
    ];
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), cases.len(), "every file has a case");
    let client = client();
    for (file, kind, word) in cases {
        let call = std::fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(told(&client, &call), (kind, word.to_owned()), "{file}");
    }
}

#[test]
fn captured_calls_and_replies_are_understood() {
    let folder = root().join("../shared/fixtures/kannel");
    if !folder.is_dir() {
        return;
    }
    let client = client();
    let mut count = 0;
    for file in ["dlr-from-smpp-capture.txt", "http-dlr-and-mo-capture.txt"] {
        let capture = std::fs::read_to_string(folder.join(file)).unwrap();
        for line in capture.lines() {
            // The captures were made with other names for our id, and without a secret.
            let path = line.split_once("GET /").unwrap().1.split_once(" {").unwrap().0;
            let is_receipt = path.starts_with("dlr");
            let ours = "&s=rahasia&m=msg_01KAHV6R00ABCDEFGHJKMNPQRS";
            let (kind, word) = told(&client, &format!("{path}{ours}"));
            if is_receipt {
                assert_eq!(kind, RawKind::Receipt, "{line}");
                assert!(!word.contains("Other"), "{line}");
            }
            count += 1;
        }
    }
    assert!(count >= 13, "{count} calls");
    let transcript = std::fs::read_to_string(folder.join("sendsms-http-transcript.txt")).unwrap();
    let transcript = transcript.replace("\r\n", "\n");
    let mut taken = 0;
    for part in transcript.split(">>> ").filter(|part| part.contains("HTTP/1.1 ")) {
        let status: u16 = part.split_once("HTTP/1.1 ").unwrap().1[..3].parse().unwrap();
        let reply = part.split_once("no-cache\n\n").unwrap().1.split('\n').next().unwrap();
        let word = classify(status, reply, None).map_or_else(|error| error.word(), |()| "taken");
        let expected = match status {
            202 => "taken",
            403 => "misconfigured",
            _ => "recipient_gone",
        };
        assert_eq!(word, expected, "{part}");
        taken += 1;
    }
    assert!(taken >= 10, "{taken} replies");
}
