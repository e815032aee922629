//! An account at a message centre: keeps the link up, sends over it, asks it.
//!
//! A text goes out part by part, each only after the one before was taken, and a receipt is asked
//! for the last part alone; its id is the message's. So a text of which only the first parts were
//! taken is certainly not on the phone as a whole, and may be sent again: it then has the same
//! reference, taken from our id, and the phone that holds the first parts already completes it
//! with the second try instead of showing two. Only when the last part was written and not
//! answered is the outcome unknown.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::link::{self, BindError, Link, Outcome};
use super::pdu::{self, DoesNotFit};
use super::{SmppSettings, codes, event};
use crate::channel::sms::takes_answers;
use crate::channel::{
    Accepted, Channel, Event, Fault, Form, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    Scope, SendError, Shared, Sink,
};
use crate::domain::gsm7;
use crate::domain::id::MessageId;

/// The wait before the first attempt to reconnect; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait, and the one after our credentials were refused.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Where the account stands.
#[derive(Clone, Debug)]
enum State {
    /// Nobody keeps a link in this process.
    Idle,
    /// There is none at the moment.
    Down(&'static str),
    /// The centre does not let us in.
    Refused(Fault),
    /// Bound.
    Up(Arc<Link>),
}

/// Where the account stands, and the how-manieth `listen` says so: the end of an earlier one may
/// come after the beginning of the next, and has nothing to say about its link.
#[derive(Debug)]
struct Standing {
    generation: u64,
    state: State,
}

/// The adapter.
#[derive(Debug)]
pub struct SmppClient {
    settings: SmppSettings,
    shared: Arc<Shared>,
    standing: Mutex<Standing>,
    window: Semaphore,
}

impl SmppClient {
    /// An adapter of that account.
    #[must_use]
    pub fn new(shared: Arc<Shared>, settings: SmppSettings) -> Self {
        let window = Semaphore::new(settings.window.clamp(1, Semaphore::MAX_PERMITS));
        let standing = Mutex::new(Standing { generation: 0, state: State::Idle });
        Self { settings, shared, standing, window }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> State {
        self.standing().state.clone()
    }

    /// From now on another `listen` speaks for the account.
    fn begin(&self) -> u64 {
        let mut standing = self.standing();
        standing.generation += 1;
        standing.state = State::Down("the link to the message centre is being made");
        standing.generation
    }

    fn set_state(&self, generation: u64, state: State) {
        let mut standing = self.standing();
        if standing.generation == generation {
            standing.state = state;
        }
    }

    /// The link there is.
    fn link(&self) -> Result<Arc<Link>, SendError> {
        match self.state() {
            State::Up(link) => Ok(link),
            State::Refused(fault) => Err(SendError::Misconfigured(fault)),
            State::Idle => Err(not_connected("the link to the message centre is not kept here")),
            State::Down(why) => Err(not_connected(why)),
        }
    }

    async fn open(&self) -> Result<(Link, link::Ends), SendError> {
        let SmppSettings { host, port, system_id, password, system_type, .. } = &self.settings;
        let bind = pdu::bind(system_id, password.expose_secret(), system_type)
            .map_err(|DoesNotFit(field)| SendError::Misconfigured(unfit(field)))?;
        match link::open(host, *port, bind, self.shared.timeout).await {
            Ok(opened) => Ok(opened),
            Err(BindError::Refused(status)) if codes::is_about_credentials(status) => {
                let said = codes::classify(status);
                let detail = format!("the message centre does not let us in: {}", said.fault());
                let fault = Fault::new(said.fault().code.clone(), detail);
                Err(SendError::Misconfigured(fault))
            }
            Err(BindError::Refused(status)) => {
                tracing::warn!(status, "the message centre refused to bind");
                Err(not_connected("the message centre refused to bind for now"))
            }
            Err(BindError::Unreachable(why)) => Err(not_connected(why)),
        }
    }

    /// Keeps one link for as long as it lasts. Tells whether there was one.
    async fn keep_link(&self, generation: u64, desk: &mut Desk, stop: &CancellationToken) -> Kept {
        let opened = tokio::select! {
            opened = self.open() => opened,
            () = stop.cancelled() => return Kept::Unreached,
        };
        match opened {
            Ok((link, ends)) => {
                let link = Arc::new(link);
                tracing::info!(centre = link.centre, "bound to the message centre");
                self.set_state(generation, State::Up(Arc::clone(&link)));
                let began = Instant::now();
                link.serve(ends, desk, stop).await;
                self.set_state(generation, State::Down("the link to the message centre broke"));
                desk.link_ended();
                if stop.is_cancelled() {
                    tracing::info!("unbound from the message centre");
                } else {
                    tracing::warn!("the link to the message centre broke; reconnecting");
                }
                Kept::For(began.elapsed())
            }
            Err(SendError::Misconfigured(fault)) => {
                tracing::error!(%fault, "the message centre refuses this account");
                self.set_state(generation, State::Refused(fault));
                Kept::Refused
            }
            Err(error) => {
                tracing::warn!(%error, "no link to the message centre");
                self.set_state(generation, State::Down("there is no link to the message centre"));
                Kept::Unreached
            }
        }
    }
}

/// How long a link was kept.
enum Kept {
    For(Duration),
    Unreached,
    Refused,
}

fn not_connected(why: &str) -> SendError {
    let fault = Fault::new("not_connected", why);
    SendError::Retry { after: None, scope: Scope::Account, fault }
}

fn unfit(field: &str) -> Fault {
    Fault::new("does_not_fit", format!("{field} is longer than SMPP allows, or not plain ASCII"))
}

/// Tells the parts of this message from those of another, again and again the same.
fn reference(id: MessageId) -> u8 {
    Sha256::digest(id.to_string().as_bytes())[0]
}

#[async_trait]
impl Channel for SmppClient {
    fn offer(&self) -> Offer {
        let is_two_way =
            self.settings.two_way.unwrap_or_else(|| takes_answers(&self.settings.sender));
        Offer { has_receipts: true, is_two_way, pair_rate: None }
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        let Form::Free { text, .. } = &message.form else {
            let fault = Fault::new("template_not_supported", "SMS knows no registered templates");
            return Err(SendError::Rejected(fault));
        };
        let Some(phone) = &message.to.phone else {
            let fault = Fault::new("no_phone", "the recipient has no phone number");
            return Err(SendError::Rejected(fault));
        };
        let sender = &self.settings.sender;
        let text = gsm7::encode(text.expose());
        let validity = message.validity(self.shared.clock.now());
        let submits = pdu::submits(sender, phone.expose(), &text, validity, reference(message.id));
        let mut submits = submits.map_err(|DoesNotFit(field)| match field {
            "sender" => SendError::Misconfigured(unfit(field)),
            _ => SendError::Rejected(unfit(field)),
        })?;
        let Some(last) = submits.pop() else {
            return Err(SendError::Rejected(unfit("text")));
        };
        let began = Instant::now();
        let deadline = began + self.shared.timeout;
        self.link()?;
        // Half of the time at most goes to waiting for a place. A message written in the last
        // moment would be answered too late, and nobody could say whether it was sent.
        let place_by = began + self.shared.timeout / 2;
        let Ok(Ok(_place)) = tokio::time::timeout_at(place_by, self.window.acquire()).await else {
            return Err(not_connected("too many messages wait for the message centre's answer"));
        };
        // It may be another one by now.
        let link = self.link()?;
        for submit in submits {
            match link.submit(submit, None, deadline).await {
                Outcome::Answered { status: 0, .. } => {}
                Outcome::Answered { status, .. } => return Err(codes::classify(status)),
                Outcome::NotWritten | Outcome::Lost | Outcome::Overdue => {
                    return Err(not_connected("the message centre took only the first parts"));
                }
            }
        }
        match link.submit(last, Some(message.id), deadline).await {
            // Without an id no receipt can be known as this message's.
            Outcome::Answered { status: 0, id } if id.is_empty() => {
                Ok(Accepted::of(format!("unnamed:{}", message.id)))
            }
            Outcome::Answered { status: 0, id } => {
                Ok(Accepted::of(self.settings.receipt_id.of_answer(&id)))
            }
            Outcome::Answered { status, .. } => Err(codes::classify(status)),
            Outcome::NotWritten => Err(not_connected("the message was not written")),
            Outcome::Lost => Err(SendError::Unknown(Fault::new(
                "no_answer",
                "the link broke before the message centre answered",
            ))),
            Outcome::Overdue => Err(SendError::Unknown(Fault::new(
                "timeout",
                "the message centre did not answer in time",
            ))),
        }
    }

    async fn probe(&self) -> Result<String, SendError> {
        match self.state() {
            State::Up(link) => Ok(format!("bound to {}", named(&link.centre))),
            State::Idle => {
                // Nobody listens in this process: a short visit of its own.
                let (link, ends) = self.open().await?;
                link::leave(ends).await;
                Ok(format!("{} lets us in", named(&link.centre)))
            }
            State::Down(_) | State::Refused(_) => Err(self.link().err().unwrap_or_else(|| {
                not_connected("the link to the message centre has just come back")
            })),
        }
    }

    fn receive(&self, _request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        Err(HookRefusal::NotFound)
    }

    fn read(&self, payload: &str) -> Event {
        event::read(payload)
    }

    async fn listen(&self, sink: Arc<dyn Sink>, stop: CancellationToken) {
        let secret = self.settings.password.expose_secret().as_bytes();
        let clock = Arc::clone(&self.shared.clock);
        let mut desk = Desk::new(sink, clock, secret, self.settings.receipt_id);
        let mut wait = FIRST_WAIT;
        let generation = self.begin();
        while !stop.is_cancelled() {
            let pause = match self.keep_link(generation, &mut desk, &stop).await {
                Kept::Refused => LONGEST_WAIT,
                Kept::For(lived) if lived >= LONGEST_WAIT => {
                    wait = FIRST_WAIT;
                    wait
                }
                Kept::For(_) | Kept::Unreached => {
                    let pause = wait;
                    wait = (wait * 2).min(LONGEST_WAIT);
                    pause
                }
            };
            desk.pass_on(false).await;
            let _ = tokio::time::timeout(pause, stop.cancelled()).await;
        }
        desk.pass_on(true).await;
        self.set_state(generation, State::Idle);
    }
}

fn named(centre: &str) -> &str {
    if centre.is_empty() { "the message centre" } else { centre }
}
