//! Where deliveries of the centre become events and are stored, many at once, before the centre
//! hears that they were taken.
//!
//! Outlives links: what it knows of parts and repeats must survive a reconnection. It writes
//! nothing to the centre itself; it says what is to be answered.

use std::sync::Arc;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::parts::{Parts, Taken, Thread};
use super::pdu::Deliver;
use super::recall::Recall;
use super::receipt::{self, ReceiptId};
use super::{event, text};
use crate::channel::{NotStored, RawEvent, Sink};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::id::MessageId;

/// `ESME_RX_T_APPN`: the centre shall bring it again.
const AGAIN: u32 = 0x64;

/// A `deliver_sm` that waits for its answer.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) sequence: u32,
    pub(super) body: Bytes,
}

/// What the centre is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) sequence: u32,
    pub(super) status: u32,
}

/// What has to be remembered once an event is stored.
#[derive(Debug, Default)]
struct Notes {
    digests: Vec<String>,
    threads: Vec<Thread>,
}

/// The desk of one account.
pub(super) struct Desk {
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    /// Keys digests, so that nobody can find numbers by trying them out.
    secret: Vec<u8>,
    ids: ReceiptId,
    parts: Parts,
    recall: Recall,
}

impl Desk {
    pub(super) fn new(
        sink: Arc<dyn Sink>,
        clock: Arc<dyn Clock>,
        secret: &[u8],
        ids: ReceiptId,
    ) -> Self {
        let secret = secret.to_vec();
        Self { sink, clock, secret, ids, parts: Parts::default(), recall: Recall::default() }
    }

    /// Stores what came, and tells how each is to be answered.
    pub(super) async fn take(&mut self, deliveries: &[Delivery]) -> Vec<Answer> {
        let now = self.clock.now();
        let (mut events, mut notes) = (Vec::new(), Notes::default());
        let mut answers = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let before = events.len();
            self.understand(&delivery.body, now, &mut events, &mut notes);
            answers.push((delivery.sequence, events.len() > before));
        }
        let is_stored = self.store(events, notes, now).await.is_ok();
        let status = |has_event: bool| if has_event && !is_stored { AGAIN } else { 0 };
        let answer = |(sequence, has_event)| Answer { sequence, status: status(has_event) };
        answers.into_iter().map(answer).collect()
    }

    /// Passes on texts that have waited long enough for their missing parts, or `all` that wait.
    /// What cannot be stored now is tried again.
    pub(super) async fn pass_on(&mut self, all: bool) {
        let now = self.clock.now();
        let (mut events, mut notes) = (Vec::new(), Notes::default());
        for (thread, data_coding, pieces) in self.parts.overdue(now, all) {
            let words: Option<Vec<String>> =
                pieces.iter().map(|piece| text::decode(data_coding, piece)).collect();
            let words = words.map(|words| words.join(" … "));
            let digest = self.digest(&[&thread.source, &thread.destination], &pieces.concat());
            let key = self.recall.key(&digest, now);
            events.push(event::message(key, thread.ton, &thread.source, words.as_deref(), now));
            notes.digests.push(digest);
            notes.threads.push(thread);
        }
        // Tried again at the next occasion.
        let _ = self.store(events, notes, now).await;
    }

    /// Stores an answer that nobody waited for any more.
    pub(super) async fn note_late(&mut self, message: MessageId, id: &str, status: u32) {
        let id = self.ids.of_answer(id);
        let event = event::late_answer(message, id, status, self.clock.now());
        if self.sink.store(vec![event]).await.is_err() {
            tracing::warn!("a late answer of the message centre could not be stored");
        }
    }

    /// The link broke: the last answers may not have arrived.
    pub(super) fn link_ended(&mut self) {
        self.recall.link_ended(self.clock.now());
    }

    async fn store(
        &mut self,
        events: Vec<RawEvent>,
        notes: Notes,
        now: Timestamp,
    ) -> Result<(), NotStored> {
        if events.is_empty() {
            return Ok(());
        }
        self.sink.store(events).await?;
        for digest in &notes.digests {
            self.recall.answered(digest, now);
        }
        for thread in &notes.threads {
            self.parts.passed_on(thread);
        }
        Ok(())
    }

    fn understand(
        &mut self,
        body: &Bytes,
        now: Timestamp,
        events: &mut Vec<RawEvent>,
        notes: &mut Notes,
    ) {
        let Some(deliver) = Deliver::read(body) else {
            // Refusing it would only bring it again.
            let key = format!("o:{}", self.digest(&[], body));
            events.push(event::other(key, "a delivery that cannot be read"));
            return;
        };
        if receipt::is_receipt(&deliver) {
            let digest = self.digest(&[], body);
            events.push(match receipt::read(&deliver, self.ids) {
                Some(said) => event::receipt(format!("r:{digest}"), said, now),
                None => event::other(format!("o:{digest}"), "a receipt that names no message"),
            });
            return;
        }
        // Bits 5 to 2 of esm_class: a phone's or network's own note, not somebody's words.
        if deliver.esm_class & 0x3c != 0 {
            let key = format!("o:{}", self.digest(&[], body));
            events.push(event::other(key, "a note about a message"));
            return;
        }
        let (place, octets) = text::split(&deliver);
        let (data_coding, octets) = match place {
            None => (deliver.data_coding, octets),
            Some(place) => {
                let thread = Thread {
                    ton: deliver.source_ton,
                    source: deliver.source.clone(),
                    destination: deliver.destination.clone(),
                    reference: place.reference,
                    total: place.total,
                };
                match self.parts.take(&thread, place, deliver.data_coding, &octets, now) {
                    Taken::Waiting => return,
                    Taken::Alone => (deliver.data_coding, octets),
                    Taken::Whole { data_coding, octets } => {
                        notes.threads.push(thread);
                        (data_coding, octets)
                    }
                }
            }
        };
        let digest = self.digest(&[&deliver.source, &deliver.destination], &octets);
        let key = self.recall.key(&digest, now);
        let words = text::decode(data_coding, &octets);
        events.push(event::message(
            key,
            deliver.source_ton,
            &deliver.source,
            words.as_deref(),
            now,
        ));
        notes.digests.push(digest);
    }

    fn digest(&self, addresses: &[&str], octets: &[u8]) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else {
            // A key of any length is taken.
            return String::new();
        };
        for address in addresses {
            mac.update(address.as_bytes());
            mac.update(&[0]);
        }
        mac.update(octets);
        hex::encode(&mac.finalize().into_bytes()[..16])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
    use std::time::Duration;

    use async_trait::async_trait;

    use super::*;
    use crate::channel::{Event, InboundBody, RawKind};

    #[derive(Default)]
    struct Shelf {
        events: Mutex<Vec<RawEvent>>,
        is_broken: AtomicBool,
    }

    #[async_trait]
    impl Sink for Shelf {
        async fn store(&self, events: Vec<RawEvent>) -> Result<(), NotStored> {
            if self.is_broken.load(Ordering::SeqCst) {
                return Err(NotStored);
            }
            let mut stored = self.events.lock().unwrap();
            for event in events {
                if stored.iter().all(|known| known.key != event.key) {
                    stored.push(event);
                }
            }
            Ok(())
        }
    }

    #[derive(Clone)]
    struct Hands(Arc<AtomicI64>);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_ms(self.0.load(Ordering::SeqCst))
        }
    }

    struct Scene {
        desk: Desk,
        shelf: Arc<Shelf>,
        hands: Hands,
        sequence: u32,
    }

    impl Scene {
        fn new() -> Self {
            let shelf = Arc::new(Shelf::default());
            let hands = Hands(Arc::new(AtomicI64::new(1_800_000_000_000)));
            let sink: Arc<dyn Sink> = shelf.clone();
            let clock: Arc<dyn Clock> = Arc::new(hands.clone());
            let desk = Desk::new(sink, clock, b"secret", ReceiptId::Same);
            Self { desk, shelf, hands, sequence: 0 }
        }

        fn wait(&self, seconds: u64) {
            let ms = i64::try_from(Duration::from_secs(seconds).as_millis()).unwrap();
            self.hands.0.fetch_add(ms, Ordering::SeqCst);
        }

        /// Brings a message of a citizen; tells the status of the answer.
        async fn bring(&mut self, esm_class: u8, message: &[u8]) -> u32 {
            let mut body = b"\0\x01\x016281234567890\0\x03\x0013013\0".to_vec();
            body.extend([esm_class, 0, 0, 0, 0, 0, 0, 0, 0]);
            body.push(u8::try_from(message.len()).unwrap());
            body.extend(message);
            self.sequence += 1;
            let delivery = Delivery { sequence: self.sequence, body: body.into() };
            let answers = self.desk.take(&[delivery]).await;
            let [Answer { sequence, status }] = answers[..] else { panic!() };
            assert_eq!(sequence, self.sequence);
            status
        }

        fn texts(&self) -> Vec<String> {
            let text = |event: &RawEvent| match event::read(&event.payload) {
                Event::Message(inbound) => match inbound.body {
                    InboundBody::Text(text) => Some(text.expose().to_owned()),
                    other => panic!("{other:?}"),
                },
                _ => None,
            };
            self.shelf.events.lock().unwrap().iter().filter_map(text).collect()
        }
    }

    #[tokio::test]
    async fn what_cannot_be_stored_is_refused_for_now_and_is_one_message_when_it_comes_again() {
        let mut scene = Scene::new();
        scene.shelf.is_broken.store(true, Ordering::SeqCst);
        assert_eq!(scene.bring(0, b"STATUS").await, AGAIN);
        scene.wait(40);
        scene.shelf.is_broken.store(false, Ordering::SeqCst);
        assert_eq!(scene.bring(0, b"STATUS").await, 0);
        // The answer is lost with the link.
        scene.desk.link_ended();
        scene.wait(60);
        assert_eq!(scene.bring(0, b"STATUS").await, 0);
        assert_eq!(scene.texts(), ["STATUS"]);
        // The citizen asks again.
        scene.wait(60);
        assert_eq!(scene.bring(0, b"STATUS").await, 0);
        assert_eq!(scene.texts(), ["STATUS", "STATUS"]);
    }

    #[tokio::test]
    async fn a_long_text_is_one_message_even_if_its_last_part_cannot_be_stored_at_first() {
        let mut scene = Scene::new();
        assert_eq!(scene.bring(0x40, b"\x05\0\x03\x09\x02\x02 sudah jadi?").await, 0);
        assert!(scene.texts().is_empty());
        scene.shelf.is_broken.store(true, Ordering::SeqCst);
        assert_eq!(scene.bring(0x40, b"\x05\0\x03\x09\x02\x01KTP saya").await, AGAIN);
        scene.shelf.is_broken.store(false, Ordering::SeqCst);
        assert_eq!(scene.bring(0x40, b"\x05\0\x03\x09\x02\x01KTP saya").await, 0);
        assert_eq!(scene.bring(0x40, b"\x05\0\x03\x09\x02\x01KTP saya").await, 0);
        scene.wait(120);
        scene.desk.pass_on(false).await;
        assert_eq!(scene.texts(), ["KTP saya sudah jadi?"]);
    }

    #[tokio::test]
    async fn a_text_that_stays_incomplete_is_passed_on_after_a_minute_or_when_the_link_is_closed() {
        let mut scene = Scene::new();
        scene.bring(0x40, b"\x05\0\x03\x09\x03\x01satu").await;
        scene.bring(0x40, b"\x05\0\x03\x09\x03\x03tiga").await;
        scene.desk.pass_on(false).await;
        assert!(scene.texts().is_empty());
        scene.wait(60);
        scene.shelf.is_broken.store(true, Ordering::SeqCst);
        scene.desk.pass_on(false).await;
        scene.shelf.is_broken.store(false, Ordering::SeqCst);
        scene.desk.pass_on(false).await;
        scene.desk.pass_on(false).await;
        assert_eq!(scene.texts(), ["satu … tiga"]);
        scene.bring(0x40, b"\x05\0\x03\x0a\x02\x01halo").await;
        scene.desk.pass_on(true).await;
        assert_eq!(scene.texts(), ["satu … tiga", "halo"]);
    }

    #[tokio::test]
    async fn a_receipt_brought_again_is_one_event_and_notes_and_nonsense_are_kept_and_taken() {
        let mut scene = Scene::new();
        for _ in 0..2 {
            assert_eq!(scene.bring(4, b"id:00A1 stat:DELIVRD err:000").await, 0);
            assert_eq!(scene.bring(4, b"halo").await, 0);
            assert_eq!(scene.bring(0x20, b"id:00A1 stat:ENROUTE").await, 0);
            let nonsense = Delivery { sequence: 1, body: Bytes::from_static(b"\xff\xff") };
            let answers = scene.desk.take(&[nonsense]).await;
            assert_eq!(answers, [Answer { sequence: 1, status: 0 }]);
            scene.wait(3600);
        }
        let events = scene.shelf.events.lock().unwrap();
        let kinds: Vec<RawKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [RawKind::Receipt, RawKind::Other, RawKind::Other, RawKind::Other]);
        let Event::Receipt(word) = event::read(&events[0].payload) else { panic!() };
        assert_eq!(word.provider_message_id, "00A1");
    }
}
