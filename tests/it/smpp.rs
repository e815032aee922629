//! The SMPP adapter against the message centre of the sandbox: over a real connection, with the
//! centre's faults, and with a store that cannot always store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kabar::channel::sms::smpp::{ReceiptId, SmppClient, SmppSettings};
use kabar::channel::{
    Accepted, Channel as _, Event, Form, InboundBody, NotStored, Outbound, RawEvent, Receipt,
    Scope, SendError, Shared, Sink,
};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::consent::Lesson;
use kabar::domain::id::{IdSource, MessageId};
use kabar::domain::message::{MessageText, ReceiptKind};
use kabar::domain::outbound::Recipient;
use kabar::domain::phone::PhoneNumber;
use kabar::sandbox::{
    Counterpart, Fault, FaultKind, Input, Mark, Sandbox, Settings, Side, SmppAccount,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

const PHONE: &str = "+6281234567890";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where events are stored, once each.
struct Shelf {
    events: watch::Sender<Vec<RawEvent>>,
    /// So many times more it fails.
    failures: AtomicUsize,
}

#[async_trait]
impl Sink for Shelf {
    async fn store(&self, events: Vec<RawEvent>) -> Result<(), NotStored> {
        let take_one = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one).is_ok() {
            return Err(NotStored);
        }
        self.events.send_modify(|stored| {
            for event in events {
                if stored.iter().all(|known| known.key != event.key) {
                    stored.push(event);
                }
            }
        });
        Ok(())
    }
}

impl Shelf {
    fn new() -> Arc<Self> {
        Arc::new(Self { events: watch::Sender::default(), failures: AtomicUsize::new(0) })
    }

    /// The events once there are so many.
    async fn wait_for(&self, count: usize) -> Vec<RawEvent> {
        let mut events = self.events.subscribe();
        let enough = events.wait_for(|events| events.len() >= count);
        tokio::time::timeout(PATIENCE, enough).await.expect("events come").unwrap().clone()
    }
}

/// A message centre, an adapter, and a shelf between.
struct Bench {
    sandbox: Sandbox,
    address: SocketAddr,
    client: Arc<SmppClient>,
    shelf: Arc<Shelf>,
    ids: IdSource,
    listening: CancellationToken,
    serving: CancellationToken,
    _stop: DropGuard,
}

fn shared(timeout: Duration) -> Arc<Shared> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Arc::new(Shared {
        http: reqwest::Client::new(),
        timeout,
        list_button: String::new(),
        hook_url: String::new(),
        clock: Arc::new(SystemClock),
    })
}

fn settings(address: SocketAddr) -> SmppSettings {
    SmppSettings {
        host: address.ip().to_string(),
        port: address.port(),
        system_id: "desa".to_owned(),
        password: "rahasia".to_owned().into(),
        sender: "13013".to_owned(),
        system_type: String::new(),
        window: 10,
        two_way: None,
        receipt_id: ReceiptId::Same,
    }
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(PATIENCE, |_| ()).await
    }

    async fn start_with(timeout: Duration, change: impl FnOnce(&mut SmppSettings)) -> Self {
        let shared = shared(timeout);
        let mut sandbox = Settings::new(Vec::new(), Arc::new(SystemClock));
        sandbox.others = vec![Counterpart::Smpp(SmppAccount {
            id: "smsc".to_owned(),
            label: "Desa".to_owned(),
            system_id: "desa".to_owned(),
            password: "rahasia".to_owned(),
            sender: "13013".to_owned(),
        })];
        sandbox.pace = Duration::ZERO;
        sandbox.redelivery = Duration::from_millis(10);
        let sandbox = Sandbox::new(sandbox).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (own, ending) = (sandbox.clone(), stop.clone());
        tokio::spawn(async move { own.run(ending.cancelled()).await });
        let mut settings = settings(address);
        change(&mut settings);
        let bench = Self {
            sandbox,
            address,
            client: Arc::new(SmppClient::new(shared, settings)),
            shelf: Shelf::new(),
            ids: IdSource::default(),
            listening: stop.child_token(),
            serving: stop.child_token(),
            _stop: stop.drop_guard(),
        };
        bench.serve(listener, bench.serving.clone());
        bench.listen();
        bench
    }

    fn serve(&self, listener: TcpListener, ending: CancellationToken) {
        let own = self.sandbox.clone();
        tokio::spawn(async move { own.serve_smpp(listener, ending.cancelled()).await });
    }

    fn listen(&self) {
        self.listen_until(self.listening.clone());
    }

    fn listen_until(&self, ending: CancellationToken) -> JoinHandle<()> {
        let client = Arc::clone(&self.client);
        let sink: Arc<dyn Sink> = self.shelf.clone();
        tokio::spawn(async move { client.listen(sink, ending).await })
    }

    async fn bound() -> Self {
        let bench = Self::start().await;
        bench.is_bound().await;
        bench
    }

    async fn is_bound(&self) {
        is_bound(&self.client).await;
    }

    fn message(&self, text: &str) -> Outbound {
        let phone = PhoneNumber::parse_international(PHONE).unwrap();
        Outbound {
            id: self.ids.next(SystemClock.now()),
            to: Recipient::of_phone(phone),
            form: Form::Free { text: MessageText::new(text), choices: Vec::new() },
            list_button: None,
            valid_until: None,
        }
    }

    async fn send(&self, text: &str) -> Result<Accepted, SendError> {
        self.client.send(&self.message(text)).await
    }

    fn fault(&self, kind: FaultKind) {
        self.sandbox.set_faults(vec![Fault { count: Some(1), ..Fault::new(kind) }]);
    }

    /// What the office sent, as the phone shows it.
    fn shown(&self) -> Vec<String> {
        let Some(phone) = self.sandbox.phone(PHONE) else { return Vec::new() };
        let office = phone.bubbles.iter().filter(|bubble| bubble.side == Side::Office);
        office.map(|bubble| bubble.text.clone()).collect()
    }

    fn read(&self, event: &RawEvent) -> Event {
        self.client.read(&event.payload)
    }

    /// The receipts once there are so many.
    async fn receipts(&self, count: usize) -> Vec<Receipt> {
        let events = self.shelf.wait_for(count).await;
        let receipt = |event| match self.read(event) {
            Event::Receipt(receipt) => receipt,
            other => panic!("{other:?}"),
        };
        events.iter().map(receipt).collect()
    }

    /// What citizens wrote, once so many messages are there.
    async fn heard(&self, count: usize) -> Vec<String> {
        let events = self.shelf.wait_for(count).await;
        let words = |event| match self.read(event) {
            Event::Message(inbound) => match inbound.body {
                InboundBody::Text(text) => {
                    assert_eq!(inbound.from.phone.unwrap().expose(), PHONE);
                    text.expose().to_owned()
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        events.iter().map(words).collect()
    }

    fn write(&self, text: &str) {
        self.sandbox.write(PHONE, Some("smsc"), Input::Text(text.to_owned())).unwrap();
    }
}

/// Waits until the adapter says that it is bound; nothing else tells a test so.
async fn is_bound(client: &SmppClient) {
    let bound = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while client.probe().await.is_err() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, bound).await.expect("the link comes up");
}

fn waits(error: &SendError) -> (&str, Option<u64>, Scope) {
    match error {
        SendError::Retry { after, scope, fault } => {
            (&fault.code, after.map(|after| after.as_secs()), *scope)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_part_of_a_message_says_for_how_long_it_is_worth_bringing() {
    let bench = Bench::bound().await;
    let valid_until = Some(SystemClock.now().after(Duration::from_secs(2 * 86_400 - 1)));
    let message = Outbound { valid_until, ..bench.message(&"KTP-el sudah jadi. ".repeat(12)) };
    bench.client.send(&message).await.unwrap();
    let sent = bench.sandbox.sent();
    assert_eq!(sent.len(), 2);
    for part in sent {
        let period = part.body["validity_period"].as_str().unwrap();
        assert!(period.starts_with("00000123") && period.ends_with("000R"), "{period}");
    }
}

#[tokio::test]
async fn a_message_reaches_the_phone_and_its_receipt_comes_back_under_the_same_id() {
    let bench = Bench::bound().await;
    let accepted = bench.send("KTP Anda sudah jadi {1} €").await.unwrap();
    assert_eq!(bench.shown(), ["KTP Anda sudah jadi {1} €"]);
    let receipts = bench.receipts(1).await;
    assert_eq!(receipts[0].kind, ReceiptKind::Delivered);
    assert_eq!(receipts[0].provider_message_id, accepted.provider_message_id);
    bench.sandbox.idle().await;
    assert_eq!(bench.sandbox.phone(PHONE).unwrap().bubbles[0].mark, Mark::Delivered);
    assert_eq!(bench.client.probe().await.unwrap(), "bound to KABAR-SMSC");
}

#[tokio::test]
async fn long_and_foreign_texts_are_one_message_with_one_receipt() {
    let bench = Bench::bound().await;
    let texts = [
        "a".repeat(160),
        "a".repeat(161),
        "kurung {kurawal} €".repeat(40),
        "你好 😀".repeat(60),
        "Ж".repeat(70),
    ];
    for (at, text) in texts.iter().enumerate() {
        let accepted = bench.send(text).await.unwrap();
        assert_eq!(bench.shown()[at], *text);
        let receipts = bench.receipts(at + 1).await;
        assert_eq!(receipts[at].provider_message_id, accepted.provider_message_id);
    }
    bench.sandbox.idle().await;
    assert_eq!(bench.shelf.events.borrow().len(), texts.len());
    let sent = bench.sandbox.sent();
    let asked = sent.iter().filter(|sent| sent.body["registered_delivery"] == 1).count();
    assert_eq!((sent.len(), asked), (1 + 2 + 6 + 5 + 1, texts.len()));
}

#[tokio::test]
async fn what_the_centre_refuses_is_decided_by_its_status() {
    let bench = Bench::bound().await;
    bench.fault(FaultKind::Throttle);
    let error = bench.send("a").await.unwrap_err();
    assert_eq!(waits(&error), ("0x58", Some(2), Scope::Account));
    bench.fault(FaultKind::Refuse);
    let error = bench.send("a").await.unwrap_err();
    assert!(matches!(&error, SendError::RecipientGone(fault)
        if fault.lesson == Some(Lesson::Undelivered)));
    let full = Fault { count: Some(1), code: Some(0x14), ..Fault::new(FaultKind::Refuse) };
    bench.sandbox.set_faults(vec![full]);
    let error = bench.send("a").await.unwrap_err();
    assert_eq!(waits(&error), ("0x14", Some(10), Scope::Account));
    bench.fault(FaultKind::ErrorAfterAccept);
    let error = bench.send("a").await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(fault) if fault.code == "0x08"), "{error}");
    bench.fault(FaultKind::NotJson);
    let error = bench.send("b").await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)), "{error}");
    // Nobody heard of those that were refused.
    assert_eq!(bench.shown(), ["a"]);
}

#[tokio::test]
async fn a_text_refused_in_the_middle_is_sent_again_and_shown_once() {
    let bench = Bench::bound().await;
    let second = Fault { count: Some(1), every_nth: Some(2), ..Fault::new(FaultKind::Throttle) };
    bench.sandbox.set_faults(vec![second]);
    let message = bench.message(&"pengumuman desa ".repeat(25));
    let error = bench.client.send(&message).await.unwrap_err();
    assert_eq!(waits(&error), ("0x58", Some(2), Scope::Account));
    assert_eq!(bench.sandbox.sent().len(), 2);
    assert!(bench.shown().is_empty(), "the first part alone is nothing to show");
    bench.client.send(&message).await.unwrap();
    assert_eq!(bench.shown(), ["pengumuman desa ".repeat(25)]);
    assert_eq!(bench.sandbox.sent().len(), 5);
}

#[tokio::test]
async fn a_link_dropped_after_acceptance_leaves_the_outcome_unknown_and_comes_back() {
    let bench = Bench::bound().await;
    bench.fault(FaultKind::HangUp);
    let error = bench.send("satu").await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(fault) if fault.code == "no_answer"), "{error}");
    assert_eq!(bench.shown(), ["satu"]);
    bench.is_bound().await;
    bench.send("dua").await.unwrap();
    // The receipt of the first comes over the new link; its id is nobody's.
    let receipts = bench.receipts(2).await;
    assert!(receipts.iter().all(|receipt| receipt.kind == ReceiptKind::Delivered));
}

#[tokio::test]
async fn without_a_link_nothing_is_sent_and_a_centre_that_comes_back_is_bound_again() {
    let bench = Bench::bound().await;
    bench.serving.cancel();
    let gone = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while bench.client.probe().await.is_ok() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    let error = bench.send("a").await.unwrap_err();
    assert_eq!(waits(&error), ("not_connected", None, Scope::Account));
    bench.write("halo");
    let listener = TcpListener::bind(bench.address).await.unwrap();
    bench.serve(listener, bench.listening.clone());
    bench.is_bound().await;
    bench.send("a").await.unwrap();
    assert_eq!(bench.shown(), ["a"]);
    let events = bench.shelf.wait_for(2).await;
    let is_words = |event: &RawEvent| matches!(bench.read(event), Event::Message(_));
    assert_eq!(events.iter().filter(|event| is_words(event)).count(), 1);
}

#[tokio::test]
async fn a_receipt_may_come_before_the_answer() {
    let bench = Bench::bound().await;
    bench.fault(FaultKind::EarlyStatus);
    let accepted = bench.send("a").await.unwrap();
    let stored = bench.shelf.events.borrow().clone();
    assert_eq!(stored.len(), 1, "stored while the answer was still to come");
    let Event::Receipt(receipt) = bench.read(&stored[0]) else { panic!() };
    assert_eq!(receipt.provider_message_id, accepted.provider_message_id);
}

#[tokio::test]
async fn receipts_of_every_kind_are_stored_once() {
    let bench = Bench::bound().await;
    bench.fault(FaultKind::DuplicateStatus);
    bench.send("a").await.unwrap();
    bench.sandbox.idle().await;
    let receipts = bench.receipts(1).await;
    assert_eq!(receipts.iter().map(|r| r.kind).collect::<Vec<_>>(), [ReceiptKind::Delivered]);
    bench.sandbox.set_faults(vec![Fault { code: Some(11), ..Fault::new(FaultKind::Fail) }]);
    bench.send("b").await.unwrap();
    let failed = bench.receipts(2).await.remove(1);
    assert_eq!(failed.kind, ReceiptKind::Failed);
    let fault = failed.fault.unwrap();
    assert_eq!((fault.code.as_str(), fault.lesson), ("UNDELIV", Some(Lesson::Undelivered)));
    assert!(fault.detail.contains("011"), "{fault}");
    bench.fault(FaultKind::ReorderStatus);
    bench.send("c").await.unwrap();
    let kinds: Vec<_> = bench.receipts(4).await.iter().map(|receipt| receipt.kind).collect();
    assert_eq!(kinds[2..], [ReceiptKind::Delivered, ReceiptKind::Sent]);
    bench.fault(FaultKind::Silent);
    bench.send("d").await.unwrap();
    bench.fault(FaultKind::DuplicateWebhook);
    bench.send("e").await.unwrap();
    bench.sandbox.idle().await;
    assert_eq!(bench.shelf.events.borrow().len(), 5);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_still_settles_its_message() {
    let bench = Bench::start_with(Duration::from_millis(300), |_| ()).await;
    bench.is_bound().await;
    let slow = Fault { count: Some(1), seconds: Some(1), ..Fault::new(FaultKind::Slow) };
    bench.sandbox.set_faults(vec![slow, Fault::new(FaultKind::Silent)]);
    let message = bench.message("a");
    let error = bench.client.send(&message).await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(fault) if fault.code == "timeout"), "{error}");
    let settled = bench.receipts(1).await.remove(0);
    assert_eq!((settled.message, settled.kind), (Some(message.id), ReceiptKind::Sent));
    let bubble = &bench.sandbox.phone(PHONE).unwrap().bubbles[0];
    assert_eq!(bubble.id, settled.provider_message_id);
}

#[tokio::test]
async fn no_more_than_the_window_waits_for_answers_at_once() {
    let bench = Bench::start_with(PATIENCE, |settings| settings.window = 2).await;
    bench.is_bound().await;
    let slow = Fault { seconds: Some(1), ..Fault::new(FaultKind::Slow) };
    bench.sandbox.set_faults(vec![slow]);
    let sends = (0..4).map(|at| bench.send(["a", "b", "c", "d"][at]));
    let outcomes = futures_util::future::join_all(sends).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let at: Vec<i64> = bench.sandbox.sent().iter().map(|sent| sent.at_ms).collect();
    assert!(at[1] - at[0] < 900, "{at:?}");
    assert!(at[2] - at[0] >= 900, "{at:?}");
}

#[tokio::test]
async fn a_window_that_stays_full_is_a_wait_and_not_an_unknown_outcome() {
    let bench = Bench::start_with(Duration::from_secs(1), |settings| settings.window = 1).await;
    bench.is_bound().await;
    let slow = Fault { seconds: Some(30), ..Fault::new(FaultKind::Slow) };
    bench.sandbox.set_faults(vec![slow]);
    let (first, second) = tokio::join!(bench.send("a"), bench.send("b"));
    assert!(matches!(first.unwrap_err(), SendError::Unknown(_)));
    assert_eq!(waits(&second.unwrap_err()).0, "not_connected");
    assert_eq!(bench.shown(), ["a"]);
}

#[tokio::test]
async fn what_citizens_write_is_heard_in_every_alphabet_and_length() {
    let bench = Bench::bound().await;
    let texts = [
        "STATUS".to_owned(),
        "caf\u{e9} {a} €".to_owned(),
        "你好 😀".to_owned(),
        "panjang sekali ".repeat(30).trim_end().to_owned(),
        "😀".repeat(100),
    ];
    for (at, text) in texts.iter().enumerate() {
        bench.write(text);
        assert_eq!(bench.heard(at + 1).await[at], *text);
    }
    bench.sandbox.idle().await;
    assert_eq!(bench.shelf.events.borrow().len(), texts.len());
    let bubbles = bench.sandbox.phone(PHONE).unwrap().bubbles;
    assert!(bubbles.iter().all(|bubble| bubble.mark == Mark::Delivered));
}

#[tokio::test]
async fn a_nik_is_not_stored() {
    let bench = Bench::bound().await;
    bench.write("NIK saya 3517091204560001");
    assert_eq!(bench.heard(1).await, ["NIK saya [NIK]"]);
    assert!(!bench.shelf.events.borrow()[0].payload.contains("3517091204560001"));
}

#[tokio::test]
async fn what_could_not_be_stored_is_brought_again_and_stored_once() {
    let bench = Bench::bound().await;
    bench.shelf.failures.store(3, Ordering::SeqCst);
    bench.fault(FaultKind::DuplicateWebhook);
    bench.write("STOP");
    assert_eq!(bench.heard(1).await, ["STOP"]);
    bench.sandbox.idle().await;
    bench.shelf.failures.store(2, Ordering::SeqCst);
    bench.send("a").await.unwrap();
    bench.sandbox.idle().await;
    assert_eq!(bench.shelf.events.borrow().len(), 2);
    assert_eq!(bench.shelf.failures.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn credentials_that_are_refused_stop_the_account() {
    for (system_id, password, code) in [("desa", "salah", "0x0e"), ("kota", "rahasia", "0x0f")] {
        let bench = Bench::start_with(PATIENCE, |settings| {
            settings.system_id = system_id.to_owned();
            settings.password = password.to_owned().into();
        })
        .await;
        let refused = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(2));
            loop {
                match bench.send("a").await.unwrap_err() {
                    SendError::Misconfigured(fault) => return fault,
                    _ => ticks.tick().await,
                };
            }
        };
        let fault = tokio::time::timeout(PATIENCE, refused).await.unwrap();
        assert_eq!(fault.code, code);
        assert!(matches!(bench.client.probe().await, Err(SendError::Misconfigured(_))));
        bench.listening.cancel();
    }
}

#[tokio::test]
async fn a_probe_without_a_listener_visits_by_itself() {
    let bench = Bench::bound().await;
    let visitor = SmppClient::new(shared(PATIENCE), settings(bench.address));
    assert_eq!(visitor.probe().await.unwrap(), "KABAR-SMSC lets us in");
    let error = visitor.send(&bench.message("a")).await.unwrap_err();
    assert_eq!(waits(&error).0, "not_connected");
    let mut wrong = settings(bench.address);
    wrong.password = "salah".to_owned().into();
    let wrong = SmppClient::new(shared(PATIENCE), wrong);
    assert!(matches!(wrong.probe().await, Err(SendError::Misconfigured(_))));
    wrong_address().await;
}

async fn wrong_address() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let lost = SmppClient::new(shared(PATIENCE), settings(free));
    assert_eq!(waits(&lost.probe().await.unwrap_err()).0, "not_connected");
}

#[tokio::test]
async fn several_links_of_one_account_share_what_is_brought() {
    let bench = Bench::bound().await;
    let second = Arc::new(SmppClient::new(shared(PATIENCE), settings(bench.address)));
    let other = Shelf::new();
    let (client, ending) = (Arc::clone(&second), bench.listening.clone());
    let sink: Arc<dyn Sink> = other.clone();
    tokio::spawn(async move { client.listen(sink, ending).await });
    // Bound, and not by a visit of the probe.
    let listens = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while !second.probe().await.is_ok_and(|said| said.starts_with("bound")) {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, listens).await.unwrap();
    for text in ["satu", "dua", "tiga", "empat"] {
        bench.write(text);
    }
    bench.sandbox.idle().await;
    assert_eq!((bench.shelf.events.borrow().len(), other.events.borrow().len()), (2, 2));
}

#[tokio::test]
async fn at_the_end_the_link_is_unbound_and_half_a_text_is_passed_on() {
    let (client, shelf, mut centre, stop) = by_hand().await;
    let part = delivery(0x40, b"\x05\0\x03\x07\x02\x01separuh");
    centre.write_all(&pdu(5, 0, 77, &part)).await.unwrap();
    assert_eq!(hear(&mut centre).await[..3], [0x8000_0005, 0, 77]);
    stop.cancel();
    let [command, _, sequence, _] = hear(&mut centre).await;
    assert_eq!(command, 6);
    centre.write_all(&pdu(0x8000_0006, 0, sequence, &[])).await.unwrap();
    let events = shelf.wait_for(1).await;
    assert!(matches!(client.read(&events[0].payload), Event::Message(inbound)
        if inbound.body == InboundBody::Text(MessageText::new("separuh"))));
    assert_eq!(centre.read(&mut [0; 16]).await.unwrap(), 0, "the connection is closed");
}

#[tokio::test]
async fn what_makes_no_sense_neither_breaks_the_link_nor_is_lost() {
    let (client, shelf, mut centre, _stop) = by_hand().await;
    for (command, body) in [
        (5, &b"\xff\xff"[..]),
        (0x0000_0103, b"data_sm"),
        (0x0000_0102, b"alert"),
        (0x8000_0004, b"an answer to nothing"),
        (0x8000_0000, b""),
        (0x0000_0015, b""),
    ] {
        centre.write_all(&pdu(command, 0, 9, body)).await.unwrap();
    }
    let mut heard = [hear(&mut centre).await, hear(&mut centre).await, hear(&mut centre).await];
    heard.sort_unstable();
    let commands: Vec<[u32; 2]> = heard.iter().map(|pdu| [pdu[0], pdu[1]]).collect();
    assert_eq!(commands, [[0x8000_0000, 3], [0x8000_0005, 0], [0x8000_0015, 0]]);
    let events = shelf.wait_for(1).await;
    assert_eq!(client.read(&events[0].payload), Event::Other);
    assert!(client.probe().await.unwrap().starts_with("bound"));
    // A centre that unbinds is answered, and left.
    centre.write_all(&pdu(6, 0, 10, &[])).await.unwrap();
    assert_eq!(hear(&mut centre).await[..3], [0x8000_0006, 0, 10]);
}

#[tokio::test]
async fn a_submission_the_centre_does_not_understand_is_refused() {
    let (client, _shelf, mut centre, _stop) = by_hand().await;
    let phone = PhoneNumber::parse_international(PHONE).unwrap();
    let id: MessageId = IdSource::default().next(SystemClock.now());
    let form = Form::Free { text: MessageText::new("a"), choices: Vec::new() };
    let message =
        Outbound { id, to: Recipient::of_phone(phone), form, list_button: None, valid_until: None };
    let centre = async {
        let [command, _, sequence, _] = hear(&mut centre).await;
        assert_eq!(command, 4);
        centre.write_all(&pdu(0x8000_0000, 0x03, sequence, &[])).await.unwrap();
        let [_, _, sequence, _] = hear(&mut centre).await;
        // Accepted without a name: nothing can be told of it later.
        centre.write_all(&pdu(0x8000_0004, 0, sequence, b"\0")).await.unwrap();
    };
    let sends = async {
        let error = client.send(&message).await.unwrap_err();
        assert!(matches!(error, SendError::Misconfigured(_)), "{error}");
        let accepted = client.send(&message).await.unwrap();
        assert_eq!(accepted.provider_message_id, format!("unnamed:{id}"));
    };
    tokio::join!(centre, sends);
}

#[tokio::test]
async fn a_link_that_ends_late_leaves_the_next_one_standing() {
    let bench = Bench::bound().await;
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let ending = bench.listen_until(first.clone());
    tokio::task::yield_now().await;
    bench.is_bound().await;
    let lasting = bench.listen_until(second.clone());
    tokio::task::yield_now().await;
    bench.is_bound().await;
    first.cancel();
    tokio::time::timeout(PATIENCE, ending).await.expect("it ends").unwrap();
    bench.send("masih ada").await.unwrap();
    second.cancel();
    tokio::time::timeout(PATIENCE, lasting).await.expect("it ends").unwrap();
    let error = bench.send("tidak ada").await.unwrap_err();
    assert_eq!(error.fault().code, "not_connected");
}

/// An adapter bound to a centre that the test plays by hand.
async fn by_hand() -> (Arc<SmppClient>, Arc<Shelf>, TcpStream, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client =
        Arc::new(SmppClient::new(shared(PATIENCE), settings(listener.local_addr().unwrap())));
    let (shelf, stop) = (Shelf::new(), CancellationToken::new());
    let sink: Arc<dyn Sink> = shelf.clone();
    let (own, ending) = (Arc::clone(&client), stop.clone());
    tokio::spawn(async move { own.listen(sink, ending).await });
    let (mut centre, _) = listener.accept().await.unwrap();
    let [command, _, sequence, _] = hear(&mut centre).await;
    assert_eq!(command, 9);
    centre.write_all(&pdu(0x8000_0009, 0, sequence, b"CENTRE\0")).await.unwrap();
    is_bound(&client).await;
    (client, shelf, centre, stop)
}

fn pdu(command: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 16).unwrap();
    let head = [length, command, status, sequence].map(u32::to_be_bytes).concat();
    [&head[..], body].concat()
}

/// Command, status, sequence number and length of the body of the next PDU.
async fn hear(centre: &mut TcpStream) -> [u32; 4] {
    let mut fields = [0; 4];
    for field in &mut fields {
        *field = tokio::time::timeout(PATIENCE, centre.read_u32()).await.unwrap().unwrap();
    }
    let [length, command, status, sequence] = fields;
    let mut body = vec![0; usize::try_from(length - 16).unwrap()];
    centre.read_exact(&mut body).await.unwrap();
    [command, status, sequence, length - 16]
}

/// The body of a `deliver_sm` of the phone.
fn delivery(esm_class: u8, message: &[u8]) -> Vec<u8> {
    let mut body = b"\0\x01\x016281234567890\0\x03\x0013013\0".to_vec();
    body.extend([esm_class, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.push(u8::try_from(message.len()).unwrap());
    body.extend(message);
    body
}
