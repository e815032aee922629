//! Where messages travel: one trait, and one folder per provider with three files each
//! (client, webhook, codes).
//!
//! An adapter speaks its provider's wire and turns every answer into our words. It decides
//! nothing about people, cards or retries, and never touches the database.

pub mod whatsapp;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::id::MessageId;
use crate::domain::message::{MessageText, ReceiptKind};
use crate::domain::outbound::{Choice, Recipient, TemplateCall};

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
}

/// The provider took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's id of it.
    pub provider_message_id: String,
}

/// A provider's reason, in its code and in words without personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The provider's code, or a word of ours where it gave none.
    pub code: String,
    /// What it means, and what the provider added.
    pub detail: String,
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
            Self::Misconfigured(_) => "misconfigured",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What a citizen sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboundBody {
    /// Words; for a picture its caption.
    Text(MessageText),
    /// Something pressed.
    Choice {
        /// Which.
        id: String,
        /// What stood on it.
        title: MessageText,
    },
    /// Something we cannot read: a picture, a voice, a place.
    Unreadable,
    /// Nothing that asks for an answer: a reaction, a system note.
    Silent,
}

/// A message of a citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Who wrote.
    pub from: Recipient,
    /// When, by the provider's clock.
    pub sent_at: Timestamp,
    /// What.
    pub body: InboundBody,
}

/// A provider's word about one of our messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Our own id, where the provider echoes it.
    pub message: Option<MessageId>,
    /// The provider's id.
    pub provider_message_id: String,
    /// What it says.
    pub kind: ReceiptKind,
    /// When, by the provider's clock.
    pub happened_at: Timestamp,
    /// Why it failed.
    pub fault: Option<Fault>,
}

/// A stored event, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody wrote.
    Message(Inbound),
    /// A word about one of our messages.
    Receipt(Receipt),
    /// Kept; nothing follows from it.
    Other,
}

/// One account at one provider, ready to send.
#[async_trait]
pub trait Channel: Send + Sync + fmt::Debug {
    /// Hands a message to the provider: exactly one request, never repeated inside.
    ///
    /// # Errors
    /// [`SendError`], classified by the adapter.
    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError>;

    /// Asks the provider whether the account works, without sending anything. Returns what it
    /// says of itself, for `kabar check`.
    ///
    /// # Errors
    /// [`SendError::Misconfigured`] with what is wrong, or why it could not be asked.
    async fn probe(&self) -> Result<String, SendError>;
}
