//! A stand-in for the message providers, on this machine, with a page of phones to look at.
//!
//! This file is the frame: what the sandbox remembers, the queue of receipts and webhooks it
//! still has to send, the routes. Each provider is a module beside it and speaks that provider's
//! wire format as its documents describe it. Nothing here is shared with the adapters it stands
//! in for, so that a mistake in one cannot hide in the other. It never reaches out by itself:
//! it only posts to the webhook addresses it was given. All is kept in memory, within bounds.

mod android;
mod control;
mod counterpart;
mod course;
mod fault;
mod kannel;
mod media;
mod phone;
mod post;
mod smpp;
mod sms;
mod telegram;
#[cfg(test)]
mod test;
mod twilio;
mod whatsapp;
mod zenziva;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::clock::{Clock, Timestamp};

pub use android::AndroidPhone;
pub use counterpart::Counterpart;
pub use fault::{Fault, FaultKind};
pub use kannel::KannelUser;
pub use media::Enclosure;
pub use phone::{Bubble, Choice, Mark, Menu, Phone, Presence, Side};
pub use smpp::SmppAccount;
pub use telegram::Bot;
pub use twilio::TwilioAccount;
pub use whatsapp::{Template, WhatsappAccount};
pub use zenziva::ZenzivaAccount;

/// The largest request body that is read.
const MAX_BODY: usize = 1 << 20;
/// Errands that may wait at once; a message that would add one more is refused as throttled.
const MAX_PENDING: usize = 100_000;
/// How many requests the log of requests keeps, and how many bytes of them.
const MAX_LOG_ENTRIES: usize = 20_000;
const MAX_LOG_BYTES: usize = 64 << 20;

/// What a sandbox is started with.
pub struct Settings {
    /// The WhatsApp numbers it plays Meta for. The first one is who citizens write to unless
    /// another has written to them.
    pub accounts: Vec<WhatsappAccount>,
    /// What else it plays: bots, SMS gateways, a message centre.
    pub others: Vec<Counterpart>,
    /// Approved message templates. While there are none, every name is accepted.
    pub templates: Vec<Template>,
    /// Tells the time for windows, rates and timestamps.
    pub clock: Arc<dyn Clock>,
    /// The wait before each receipt.
    pub pace: Duration,
    /// The wait before a refused webhook is posted again; it doubles each time.
    pub redelivery: Duration,
    /// Whether every message is read by itself. Otherwise it is read when the page shows it,
    /// when [`Sandbox::read`] is called, or when its citizen writes.
    pub auto_read: bool,
}

impl Settings {
    /// Settings with the pace of a live demonstration, no templates, and phones that are read
    /// by those who look at them.
    #[must_use]
    pub fn new(accounts: Vec<WhatsappAccount>, clock: Arc<dyn Clock>) -> Self {
        Self {
            accounts,
            others: Vec::new(),
            templates: Vec::new(),
            clock,
            pace: Duration::from_millis(400),
            redelivery: Duration::from_millis(500),
            auto_read: false,
        }
    }
}

/// Why a sandbox cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client for webhooks is not available.
    #[error("the client that posts webhooks could not be made")]
    Client(#[from] reqwest::Error),
}

/// Why a citizen's message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Neither a phone number nor a known user id.
    #[error("not a phone number in international or Indonesian writing, nor a known user id")]
    BadNumber,
    /// There is no business number of that id, or none at all.
    #[error("there is no such business number")]
    UnknownAccount,
    /// Empty, or longer than a chat message can be.
    #[error("a message has 1 to 4096 characters")]
    BadText,
    /// No message on that phone has such a button.
    #[error("no message on this phone has such a button")]
    NoSuchButton,
    /// Too much waits to be sent already.
    #[error("too many webhooks are waiting")]
    Busy,
}

/// What a citizen does on the phone.
#[derive(Clone, Debug)]
pub enum Input {
    /// Types a text.
    Text(String),
    /// Presses a button or picks a row, on that message or on the latest that has it.
    Press {
        /// The id of the button or row.
        button_id: String,
        /// The message it stands on.
        message_id: Option<String>,
    },
    /// Sends something else: the fields of a message as the provider would pass them on, at
    /// least its `type`.
    Raw(serde_json::Map<String, Value>),
}

/// One request to send, as it came in.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// When it came.
    pub at_ms: i64,
    /// The number of ours it was for.
    pub account: String,
    /// The phone it went to, when it was accepted.
    pub phone: Option<String>,
    /// The id it was given, when it was accepted.
    pub message_id: Option<String>,
    /// The provider's error code, when it was refused.
    pub error_code: Option<u32>,
    /// The request; a string when it was not JSON.
    pub body: Value,
}

/// A running stand-in. Clones share one memory.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

type Errand = BoxFuture<'static, ()>;

struct Inner {
    settings: Settings,
    memory: Mutex<Memory>,
    revision: watch::Sender<u64>,
    pending: watch::Sender<usize>,
    errands: mpsc::UnboundedSender<Errand>,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Errand>>,
    closing: CancellationToken,
    post: post::Office,
    batches: whatsapp::Batches,
    telegram: telegram::Desks,
    centre: smpp::Centre,
    seed: u64,
    serial: AtomicU64,
}

/// Everything the sandbox remembers.
struct Memory {
    phones: phone::Phones,
    faults: fault::Faults,
    templates: Vec<Template>,
    android: android::Server,
    files: media::Files,
    log: VecDeque<(usize, Sent)>,
    log_bytes: usize,
}

impl Memory {
    fn record(&mut self, size: usize, sent: Sent) {
        self.log.push_back((size, sent));
        self.log_bytes += size;
        while self.log.len() > MAX_LOG_ENTRIES || self.log_bytes > MAX_LOG_BYTES {
            let Some((size, _)) = self.log.pop_front() else { break };
            self.log_bytes -= size;
        }
    }
}

/// One errand that is not finished; finished when dropped.
struct Pending(Sandbox);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.0.pending.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Sandbox {
    /// A sandbox with no phones yet. Nothing is sent before [`Sandbox::run`].
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    ///
    /// # Panics
    /// When the process has installed no TLS provider; `main` does so first of all.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let (errands, queue) = mpsc::unbounded_channel();
        let post = post::Office::new(settings.redelivery)?;
        let memory = Memory {
            phones: phone::Phones::default(),
            faults: fault::Faults::default(),
            templates: settings.templates.clone(),
            android: android::Server::default(),
            files: media::Files::default(),
            log: VecDeque::new(),
            log_bytes: 0,
        };
        Ok(Self(Arc::new(Inner {
            settings,
            memory: Mutex::new(memory),
            revision: watch::Sender::new(0),
            pending: watch::Sender::new(0),
            errands,
            queue: tokio::sync::Mutex::new(queue),
            closing: CancellationToken::new(),
            post,
            batches: whatsapp::Batches::default(),
            telegram: telegram::Desks::default(),
            centre: smpp::Centre::default(),
            // A second start must not give out the ids of the first again.
            seed: getrandom::u64().unwrap_or_default(),
            serial: AtomicU64::new(0),
        })))
    }

    /// The providers' routes, the control API and the page of phones. May be nested under any
    /// prefix: the page finds its way by relative addresses.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(control::routes())
            .merge(whatsapp::routes())
            .merge(counterpart::routes())
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self.clone())
    }

    /// Sends receipts and webhooks until `shutdown` is done. What waits then is dropped, open
    /// event streams end, and nothing more is sent: a sandbox runs once.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut queue = self.0.queue.lock().await;
        let mut under_way = FuturesUnordered::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = self.0.closing.cancelled() => break,
                Some(errand) = queue.recv() => under_way.push(errand),
                Some(()) = under_way.next(), if !under_way.is_empty() => {}
            }
        }
        self.0.closing.cancel();
        queue.close();
        while queue.try_recv().is_ok() {}
    }

    /// Waits until no receipt and no webhook is left to send. Needs [`Sandbox::run`] beside it.
    pub async fn idle(&self) {
        // The sender lives in `self`, so this cannot fail while it is awaited.
        let _ = self.0.pending.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Every request to send that came in, oldest first, as far as the log reaches back.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.look(|memory| memory.log.iter().map(|(_, sent)| sent.clone()).collect())
    }

    /// The phone of that number or user id, with its messages.
    #[must_use]
    pub fn phone(&self, who: &str) -> Option<Phone> {
        self.look(|memory| memory.phones.find(who).cloned())
    }

    /// Adds a phone, or renames the one there is. `hides_number` makes its owner somebody with
    /// a username, whom businesses know by user id only. Returns its key.
    ///
    /// # Errors
    /// When `number` is no phone number.
    pub fn add_phone(
        &self,
        number: &str,
        name: Option<&str>,
        hides_number: bool,
    ) -> Result<String, WriteError> {
        let number = phone::digits(number).ok_or(WriteError::BadNumber)?;
        let now = self.now();
        self.change(|memory| {
            let phone = memory.phones.open(&number, now);
            if let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) {
                phone.name = name.chars().take(60).collect();
            }
            phone.hides_number = hides_number;
            phone.is_stranger = false;
            Ok(number.clone())
        })
    }

    /// Says what that phone has of WhatsApp.
    pub fn set_presence(&self, who: &str, presence: Presence) {
        self.change(|memory| {
            let number = memory.phones.find(who).map(|phone| phone.number.clone());
            if let Some(phone) = number.and_then(|number| memory.phones.get_mut(&number)) {
                phone.whatsapp = presence;
            }
        });
    }

    /// Writes as the citizen, to the business that wrote last, or to `account`. Returns the id
    /// of the message; its webhook is sent by [`Sandbox::run`].
    ///
    /// # Errors
    /// When the phone, the account or the button does not exist, or too much waits already.
    pub fn write(
        &self,
        who: &str,
        account: Option<&str>,
        input: Input,
    ) -> Result<String, WriteError> {
        let last = self.look(|memory| {
            let phone = memory.phones.find(who)?;
            let last = phone.bubbles.iter().rev().find(|bubble| bubble.side == Side::Office)?;
            Some(last.account.clone())
        });
        let meant = account.map(str::to_owned).or(last);
        let others = &self.0.settings.others;
        match others.iter().find(|other| Some(other.id()) == meant.as_deref()) {
            Some(other) => {
                let number = self
                    .look(|memory| memory.phones.find(who).map(|phone| phone.number.clone()))
                    .or_else(|| phone::digits(who))
                    .ok_or(WriteError::BadNumber)?;
                other.write(self, &number, input)
            }
            None => whatsapp::write(self, who, account, input),
        }
    }

    /// Opens every message on that phone.
    pub fn read(&self, who: &str) {
        whatsapp::read(self, who);
    }

    /// Replaces the faults that are injected; an empty list ends them all.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        let now = self.now();
        self.change(|memory| memory.faults = fault::Faults::new(faults, now));
    }

    /// Replaces the approved templates.
    pub fn set_templates(&self, templates: Vec<Template>) {
        self.change(|memory| memory.templates = templates);
    }

    /// Forgets phones, requests and faults; keeps accounts and templates.
    pub fn reset(&self) {
        self.change(|memory| {
            memory.phones.clear();
            memory.faults = fault::Faults::default();
            memory.android.forget_messages();
            memory.files.clear();
            memory.log.clear();
            memory.log_bytes = 0;
        });
        self.0.telegram.clear();
    }

    fn now(&self) -> Timestamp {
        self.0.settings.clock.now()
    }

    fn look<R>(&self, read: impl FnOnce(&Memory) -> R) -> R {
        read(&self.0.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the memory and tells those who watch.
    fn change<R>(&self, write: impl FnOnce(&mut Memory) -> R) -> R {
        let mut memory = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let result = write(&mut memory);
        let revision = memory.phones.step();
        drop(memory);
        self.0.revision.send_replace(revision);
        result
    }

    fn is_full(&self) -> bool {
        self.0.closing.is_cancelled() || *self.0.pending.borrow() >= MAX_PENDING
    }

    /// Leaves work to [`Sandbox::run`].
    fn later(&self, errand: impl Future<Output = ()> + Send + 'static) {
        self.0.pending.send_modify(|count| *count += 1);
        let guard = Pending(self.clone());
        let errand = Box::pin(async move {
            let _guard = guard;
            errand.await;
        });
        // Refused only after shutdown, when nothing is sent any more.
        let _ = self.0.errands.send(errand);
    }

    /// Waits, but not beyond shutdown.
    async fn pause(&self, wait: Duration) {
        if !wait.is_zero() {
            let _ = tokio::time::timeout(wait, self.0.closing.cancelled()).await;
        }
    }

    /// A number that is not given out twice.
    fn serial(&self) -> u64 {
        self.0.serial.fetch_add(1, Ordering::Relaxed)
    }
}

/// Serves the sandbox alone on `listener` until `shutdown` is done.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let closing = sandbox.0.closing.clone();
    let server = axum::serve(listener, sandbox.router())
        .with_graceful_shutdown(async move { closing.cancelled().await });
    let (result, ()) = tokio::join!(server.into_future(), sandbox.run(shutdown));
    result
}
