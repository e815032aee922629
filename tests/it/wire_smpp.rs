//! PDUs as they were captured between a real sender and a message centre, where they are at hand,
//! and receipts as other programs' tests have them: each is cut, read and answered by the adapter.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kabar::channel::sms::smpp::{ReceiptId, SmppClient, SmppSettings};
use kabar::channel::{Channel as _, Event, NotStored, RawEvent, Shared, Sink};
use kabar::domain::clock::SystemClock;
use kabar::domain::message::ReceiptKind;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Shelf(Mutex<Vec<RawEvent>>);

#[async_trait]
impl Sink for Shelf {
    async fn store(&self, events: Vec<RawEvent>) -> Result<(), NotStored> {
        self.0.lock().unwrap().extend(events);
        Ok(())
    }
}

/// Brings those `deliver_sm` to an adapter, one after the other, and tells what it stored of each.
async fn brought(deliveries: &[Vec<u8>]) -> Vec<Event> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Shared {
        http: reqwest::Client::new(),
        timeout: PATIENCE,
        list_button: String::new(),
        hook_url: String::new(),
        clock: Arc::new(SystemClock),
    };
    let settings = SmppSettings {
        host: address.ip().to_string(),
        port: address.port(),
        system_id: "desa".to_owned(),
        password: "rahasia".to_owned().into(),
        sender: "DESA".to_owned(),
        system_type: "VMA".to_owned(),
        window: 1,
        two_way: None,
        receipt_id: ReceiptId::Same,
    };
    let client = Arc::new(SmppClient::new(Arc::new(shared), settings));
    let (shelf, stop) = (Arc::new(Shelf::default()), CancellationToken::new());
    let sink: Arc<dyn Sink> = shelf.clone();
    let (own, ending) = (Arc::clone(&client), stop.clone());
    tokio::spawn(async move { own.listen(sink, ending).await });
    let (mut centre, _) = listener.accept().await.unwrap();
    let bind = next(&mut centre).await;
    // The bind of Kannel's capture, octet by octet but for the sequence number's owner.
    let captured = "0000002500000009000000000000000164657361007261686173696100564d410034000000";
    assert_eq!(hex::encode(bind), captured);
    let answer = "0000001980000009000000000000000146414b45534d534300";
    centre.write_all(&hex::decode(answer).unwrap()).await.unwrap();
    for delivery in deliveries {
        centre.write_all(delivery).await.unwrap();
        let answer = next(&mut centre).await;
        assert_eq!(answer[..12], hex::decode("000000118000000500000000").unwrap());
        assert_eq!(answer[12..16], delivery[12..16], "the answer bears its number");
    }
    stop.cancel();
    let events = shelf.0.lock().unwrap().clone();
    assert_eq!(events.len(), deliveries.len());
    events.iter().map(|event| client.read(&event.payload)).collect()
}

async fn next(centre: &mut TcpStream) -> Vec<u8> {
    let length = tokio::time::timeout(PATIENCE, centre.read_u32()).await.unwrap().unwrap();
    let mut pdu = length.to_be_bytes().to_vec();
    pdu.resize(usize::try_from(length).unwrap(), 0);
    centre.read_exact(&mut pdu[4..]).await.unwrap();
    pdu
}

fn receipt(event: &Event) -> (String, ReceiptKind) {
    match event {
        Event::Receipt(receipt) => (receipt.provider_message_id.clone(), receipt.kind),
        other => panic!("{other:?}"),
    }
}

/// A `deliver_sm` with the bit of a receipt if it is one, those words and parameters.
fn delivery(words: &[u8], parameters: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let esm_class = if parameters.is_empty() { 4 } else { 0 };
    let mut body = b"\0\x01\x016281234567890\0\x05\0DESA\0".to_vec();
    body.extend([esm_class, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.push(u8::try_from(words.len()).unwrap());
    body.extend(words);
    for (tag, value) in parameters {
        body.extend(tag.to_be_bytes());
        body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        body.extend(value);
    }
    let length = u32::try_from(body.len() + 16).unwrap();
    let head = [length, 5, 0, 9].map(u32::to_be_bytes).concat();
    [head, body].concat()
}

#[tokio::test]
async fn receipts_with_words_parameters_or_both_are_read_over_the_wire() {
    let id = |id: &[u8]| (0x001e, id.to_vec());
    let state = |state| (0x0427, vec![state]);
    let events = brought(&[
        delivery(b"id:0000C0DE sub:001 dlvrd:001 stat:DELIVRD err:000 text:\xff", &[]),
        delivery(b"", &[id(b"0000C0DF\0"), state(5)]),
        delivery(b"id:1 stat:DELIVRD", &[id(b"0000C0E0"), state(6)]),
        delivery(b"id:1 stat:DELIVRD", &[(0x0204, vec![0, 1])]),
    ])
    .await;
    assert_eq!(receipt(&events[0]), ("0000C0DE".to_owned(), ReceiptKind::Delivered));
    assert_eq!(receipt(&events[1]), ("0000C0DF".to_owned(), ReceiptKind::Failed));
    assert_eq!(receipt(&events[2]), ("0000C0E0".to_owned(), ReceiptKind::Sent));
    assert!(matches!(events[3], Event::Message(_)), "words alone make no receipt");
}

#[tokio::test]
async fn captured_receipts_are_read_for_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("../shared/fixtures/smpp/kannel-1.4.5-esme-capture.jsonl");
    let Ok(lines) = std::fs::read_to_string(file) else { return };
    let pdus: Vec<Vec<u8>> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["cmd"].as_str().unwrap().starts_with("0x5 "))
        .map(|line| hex::decode(line["hex"].as_str().unwrap()).unwrap())
        .collect();
    assert!(pdus.len() >= 6, "{}", pdus.len());
    let events = brought(&pdus).await;
    let found: Vec<(String, ReceiptKind)> = events.iter().map(receipt).collect();
    let failed = found.iter().filter(|(_, kind)| *kind == ReceiptKind::Failed).count();
    assert_eq!(failed, 1);
    assert_eq!(found[0], ("000000A1".to_owned(), ReceiptKind::Delivered));
}

/// A literal of Python, as far as these files use them.
fn literal(text: &str) -> Vec<u8> {
    let inner = text.trim_matches('\'').as_bytes();
    let (mut octets, mut at) = (Vec::new(), 0);
    while at < inner.len() {
        if inner[at..].starts_with(b"\\x") {
            let digits = std::str::from_utf8(&inner[at + 2..at + 4]).unwrap();
            octets.push(u8::from_str_radix(digits, 16).unwrap());
            at += 4;
        } else {
            octets.push(inner[at]);
            at += 1;
        }
    }
    octets
}

#[tokio::test]
async fn every_variant_of_a_receipt_that_jasmin_knows_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("../shared/fixtures/smpp/jasmin-dlr-variants.json");
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let variants: Value = serde_json::from_str(&text).unwrap();
    let variants = variants["deliver_sm"].as_array().unwrap();
    let deliveries: Vec<Vec<u8>> = variants
        .iter()
        .map(|variant| {
            let words = literal(variant["short_message"].as_str().unwrap_or_default());
            let id = variant["receipted_message_id"].as_str();
            let state = match variant["message_state"].as_str() {
                Some("MessageState.ACCEPTED") => Some(6),
                Some(_) => Some(2),
                None => None,
            };
            let id = id.map(|id| (0x001e, [literal(id), vec![0]].concat()));
            let state = state.map(|state| (0x0427, vec![state]));
            delivery(&words, &id.into_iter().chain(state).collect::<Vec<_>>())
        })
        .collect();
    assert!(deliveries.len() >= 10);
    let events = brought(&deliveries).await;
    for (event, variant) in events.iter().zip(variants) {
        let (id, kind) = receipt(event);
        let is_accepted = variant["message_state"] == "MessageState.ACCEPTED";
        let expected = if is_accepted { ReceiptKind::Sent } else { ReceiptKind::Delivered };
        assert_eq!(kind, expected, "{variant}");
        let words = variant["receipted_message_id"].as_str().map_or_else(
            || variant["short_message"].as_str().unwrap()[4..].split(' ').next().unwrap(),
            |id| id.trim_matches('\''),
        );
        assert_eq!(id, words, "{variant}");
    }
}
