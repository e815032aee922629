//! The message centre against PDUs written by hand: what it refuses, and what it makes of parts.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::domain::clock::SystemClock;
use crate::sandbox::{Counterpart, Sandbox, Settings, SmppAccount};

const PHONE: &str = "6281234567890";
const BIND: &[u8] = b"desa\0rahasia\0\0\x34\0\0\0";

struct Line {
    sandbox: Sandbox,
    stream: TcpStream,
    sequence: u32,
    _stop: DropGuard,
}

impl Line {
    async fn open() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut settings = Settings::new(Vec::new(), Arc::new(SystemClock));
        settings.others = vec![Counterpart::Smpp(SmppAccount {
            id: "smsc".into(),
            label: "Desa".into(),
            system_id: "desa".into(),
            password: "rahasia".into(),
            sender: "DESA".into(),
        })];
        let sandbox = Sandbox::new(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stop = CancellationToken::new();
        let (own, ending) = (sandbox.clone(), stop.clone());
        tokio::spawn(async move { own.serve_smpp(listener, ending.cancelled()).await });
        Self { sandbox, stream, sequence: 0, _stop: stop.drop_guard() }
    }

    async fn bound() -> Self {
        let mut line = Self::open().await;
        let (answer, body) = line.ask(9, BIND).await;
        assert_eq!(answer, [0x8000_0009, 0]);
        assert_eq!(body, b"KABAR-SMSC\0\x02\x10\0\x01\x34");
        line
    }

    /// Command and status of the answer, and its body.
    async fn ask(&mut self, command: u32, body: &[u8]) -> ([u32; 2], Vec<u8>) {
        self.sequence += 1;
        let length = u32::try_from(body.len() + 16).unwrap();
        let head = [length, command, 0, self.sequence].map(u32::to_be_bytes).concat();
        self.stream.write_all(&[&head[..], body].concat()).await.unwrap();
        let answer = async {
            let mut fields = [0; 4];
            for field in &mut fields {
                *field = self.stream.read_u32().await.unwrap();
            }
            let mut body = vec![0; usize::try_from(fields[0] - 16).unwrap()];
            self.stream.read_exact(&mut body).await.unwrap();
            assert_eq!(fields[3], self.sequence);
            ([fields[1], fields[2]], body)
        };
        tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap()
    }

    /// Submits; tells the status.
    async fn submit(&mut self, source: &str, to: &str, esm_class: u8, message: &[u8]) -> u32 {
        let mut body = format!("\0\x05\0{source}\0\x01\x01{to}\0").into_bytes();
        body.extend([esm_class, 0, 0, 0, 0, 0, 0, 0, 0]);
        body.push(u8::try_from(message.len()).unwrap());
        body.extend(message);
        let ([command, status], body) = self.ask(4, &body).await;
        assert_eq!(command, 0x8000_0004);
        assert_eq!(body.len(), if status == 0 { 9 } else { 0 }, "no body with a refusal");
        status
    }

    fn shown(&self) -> Vec<String> {
        let phone = self.sandbox.phone(PHONE);
        let bubbles = phone.map(|phone| phone.bubbles).unwrap_or_default();
        bubbles.iter().map(|bubble| bubble.text.clone()).collect()
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_the_right_name_and_password() {
    for (bind, status) in [
        (&b"kota\0rahasia\0\0\x34\0\0\0"[..], 0x0f),
        (b"desa\0salah\0\0\x34\0\0\0", 0x0e),
        (b"desa\0\0\0\x34\0\0\0", 0x0e),
    ] {
        let mut line = Line::open().await;
        assert_eq!(line.ask(9, bind).await, ([0x8000_0009, status], vec![]));
    }
}

#[tokio::test]
async fn a_link_does_what_it_was_bound_for_and_binds_once() {
    let mut line = Line::open().await;
    assert_eq!(line.submit("DESA", PHONE, 0, b"a").await, 0x04);
    assert_eq!(line.ask(1, BIND).await.0, [0x8000_0001, 0]);
    assert_eq!(line.submit("DESA", PHONE, 0, b"a").await, 0x04, "bound as a receiver");
    let mut line = Line::bound().await;
    assert_eq!(line.ask(9, BIND).await.0, [0x8000_0009, 0x05]);
    assert_eq!(line.ask(0x15, b"").await.0, [0x8000_0015, 0]);
    assert_eq!(line.ask(0x0150, b"?").await.0, [0x8000_0000, 0x03]);
    assert_eq!(line.ask(6, b"").await.0, [0x8000_0006, 0]);
    assert_eq!(line.stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_submission_that_a_strict_centre_refuses_is_refused() {
    let mut line = Line::bound().await;
    for (source, to, esm_class, message, status) in [
        ("KOTA", PHONE, 0, &b"a"[..], 0x0a),
        ("DESA", "halo", 0, b"a", 0x0b),
        ("DESA", "", 0, b"a", 0x0b),
        ("DESA", PHONE, 4, b"a", 0x43),
        ("DESA", PHONE, 0x40, b"", 0x43),
        ("DESA", PHONE, 0x40, b"\x09\0\x03\x01\x02\x01a", 0x43),
        ("DESA", PHONE, 0x40, b"\x05\0\x03\x01\x02\x03a", 0x43),
        ("DESA", PHONE, 0, &[b'a'; 161], 0x01),
        ("DESA", PHONE, 0, b"halo", 0),
        ("", PHONE, 3, b"\x1b\x65", 0),
    ] {
        assert_eq!(line.submit(source, to, esm_class, message).await, status, "{message:?}");
    }
    assert_eq!(line.shown(), ["halo", "€"]);
    let codes: Vec<_> = line.sandbox.sent().iter().filter_map(|sent| sent.error_code).collect();
    assert_eq!(codes, [0x0a, 0x0b, 0x0b, 0x43, 0x43, 0x43, 0x43, 0x01]);
}

#[tokio::test]
async fn parts_in_any_order_are_one_message_and_a_pair_cut_in_two_shows() {
    let mut line = Line::bound().await;
    assert_eq!(line.submit("DESA", PHONE, 0x43, b"\x05\0\x03\x07\x02\x02 warga").await, 0);
    assert!(line.shown().is_empty());
    assert_eq!(line.submit("DESA", PHONE, 0x43, b"\x05\0\x03\x07\x02\x01halo").await, 0);
    assert_eq!(line.shown(), ["halo warga"]);
    line.submit("DESA", PHONE, 0x40, b"\x05\0\x03\x08\x02\x01a\x1b").await;
    line.submit("DESA", PHONE, 0x40, b"\x05\0\x03\x08\x02\x02\x65b").await;
    assert_eq!(line.shown()[1], "a\u{fffd}eb");
}
