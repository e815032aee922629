//! Where messages travel: one trait, and one folder per provider with three files each
//! (client, webhook, codes); SMS has one folder per gateway.
//!
//! An adapter speaks its provider's wire and turns every answer into our words. It decides
//! nothing about people, cards or retries, and never touches the database.

mod event;
mod file;
mod hook;
mod http_call;
mod provider;
pub mod sms;
pub mod telegram;
pub mod whatsapp;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::domain::attachment::Attachment;
use crate::domain::broadcast::Alarm;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Lesson;
use crate::domain::id::MessageId;
use crate::domain::message::MessageText;
use crate::domain::outbound::{Choice, Pin, Recipient, TemplateCall};

pub use event::{
    DayLimit, Event, Inbound, InboundBody, OptOut, PhoneProof, RawEvent, RawKind, Receipt,
};
pub use file::{FILE_LOST, FileSource, Upload, Uploaded};
pub use hook::{HookAnswer, HookRefusal, HookRequest, NotStored, Sink};
pub use provider::{Provider, SettingsError, Shared};

/// The form in which a message leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A template registered with the provider; may be sent at any time.
    Template(TemplateCall),
    /// Free words, with something to press under them.
    Free {
        /// The words.
        text: MessageText,
        /// What can be pressed.
        choices: Vec<Choice>,
    },
    /// A place on the map.
    Pin(Pin),
    /// A picture or a PDF above words.
    WithFile {
        /// What it is.
        file: Attachment,
        /// How the provider gets it.
        source: FileSource,
        /// The registered template whose header it is, where free words are not taken.
        template: Option<TemplateCall>,
        /// The words.
        text: MessageText,
    },
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// Our id, which the provider echoes where it can.
    pub id: MessageId,
    /// To whom.
    pub to: Recipient,
    /// What.
    pub form: Form,
    /// What stands on the button that opens a list, where it is not the office's usual words.
    pub list_button: Option<String>,
    /// The provider may give up from then on: by then the news is old, or told on another channel.
    pub valid_until: Option<Timestamp>,
}

impl Outbound {
    /// How long from `now` the provider is to try, where that ends.
    #[must_use]
    pub fn validity(&self, now: Timestamp) -> Option<Duration> {
        self.valid_until.map(|until| until.since(now))
    }
}

/// The provider took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's id of it.
    pub provider_message_id: String,
    /// The name by which the provider knows the file that came with it, to be used again.
    pub file: Option<String>,
}

impl Accepted {
    /// A message without a file, under the provider's id.
    #[must_use]
    pub fn of(provider_message_id: impl Into<String>) -> Self {
        Self { provider_message_id: provider_message_id.into(), file: None }
    }
}

/// A provider's reason, in its code and in words without personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The provider's code, or a word of ours where it gave none.
    pub code: String,
    /// What it means, and what the provider added.
    pub detail: String,
    /// What it teaches about the address.
    pub lesson: Option<Lesson>,
    /// Why a broadcast must hold itself.
    pub alarm: Option<Alarm>,
}

impl Fault {
    /// A fault that teaches nothing about the address and alarms nobody.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into(), lesson: None, alarm: None }
    }

    /// The same, teaching that.
    #[must_use]
    pub fn teaching(self, lesson: Lesson) -> Self {
        Self { lesson: Some(lesson), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

/// What a wait concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This message alone.
    Message,
    /// Everything that brings the same file: nobody was asked to take the message itself.
    File,
    /// Everything to this recipient.
    Recipient,
    /// Everything of this account.
    Account,
}

/// Why a message was not taken; each variant is a decision of the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Certainly not taken; the same may be sent again.
    #[error("try again: {fault}")]
    Retry {
        /// Not before this has passed; the caller's own backoff where there is none.
        after: Option<Duration>,
        /// What has to wait.
        scope: Scope,
        /// The reason.
        fault: Fault,
    },
    /// Will never be taken as it is.
    #[error("rejected: {0}")]
    Rejected(Fault),
    /// Free words outside the service window; a template would be taken.
    #[error("window closed: {0}")]
    WindowClosed(Fault),
    /// This person cannot be reached on this channel.
    #[error("recipient gone: {0}")]
    RecipientGone(Fault),
    /// The account may send nothing but answers until somebody looks; announcements and broadcasts
    /// would make it worse.
    #[error("account restricted: {0}")]
    Restricted(Fault),
    /// The account itself is at fault; nothing of it will be taken until somebody mends it.
    #[error("account stopped: {0}")]
    Misconfigured(Fault),
    /// May or may not have been taken.
    #[error("unknown outcome: {0}")]
    Unknown(Fault),
}

impl SendError {
    /// The reason.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        match self {
            Self::Retry { fault, .. }
            | Self::Rejected(fault)
            | Self::WindowClosed(fault)
            | Self::RecipientGone(fault)
            | Self::Restricted(fault)
            | Self::Misconfigured(fault)
            | Self::Unknown(fault) => fault,
        }
    }

    /// One word for the message's story.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Rejected(_) => "rejected",
            Self::WindowClosed(_) => "window_closed",
            Self::RecipientGone(_) => "recipient_gone",
            Self::Restricted(_) => "restricted",
            Self::Misconfigured(_) => "misconfigured",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What a provider offers, as far as our rules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// It says later what became of a message. Where it does not, `sent` is the last word.
    pub has_receipts: bool,
    /// Those addressed can answer on the same channel.
    pub is_two_way: bool,
    /// One recipient gets a message in so long, with bursts of so many.
    pub pair_rate: Option<(Duration, u32)>,
}

/// One account at one provider.
#[async_trait]
pub trait Channel: Send + Sync + fmt::Debug {
    /// What the provider offers.
    fn offer(&self) -> Offer;

    /// Hands a message to the provider: exactly one request, never repeated inside.
    ///
    /// # Errors
    /// [`SendError`], classified by the adapter.
    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError>;

    /// Hands over a file that messages then name, where the provider takes files by themselves; none where the
    /// first message brings it.
    ///
    /// # Errors
    /// [`SendError`]: no message has left in any case.
    async fn upload(&self, _file: &Upload<'_>) -> Result<Option<Uploaded>, SendError> {
        Ok(None)
    }

    /// Asks the provider whether the account works, without sending anything. Returns what it
    /// says of itself, for `kabar check`.
    ///
    /// # Errors
    /// [`SendError::Misconfigured`] with what is wrong, or why it could not be asked.
    async fn probe(&self) -> Result<String, SendError>;

    /// Proves that a request at our webhook comes from the provider, and cuts it into its events.
    ///
    /// # Errors
    /// [`HookRefusal`], which tells the caller nothing more.
    fn receive(&self, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal>;

    /// Reads a stored event. Whatever does not fit any form it knows is [`Event::Other`].
    fn read(&self, payload: &str) -> Event;

    /// An address that opens a chat with this account and hands a code over, where there is such.
    fn invitation(&self, _code: &str) -> Option<String> {
        None
    }

    /// Keeps a link of its own to the provider, or asks it for news, until `stop`: for providers
    /// that do not call us. Every event goes through `sink` before the provider is told that it
    /// was taken. Runs in the one process that sends for the account, and returns only when stopped.
    async fn listen(&self, _sink: Arc<dyn Sink>, stop: CancellationToken) {
        stop.cancelled().await;
    }
}
