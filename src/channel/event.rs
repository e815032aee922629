//! What providers tell us: at the door as it came, and later understood.

use super::Fault;
use crate::domain::clock::Timestamp;
use crate::domain::id::MessageId;
use crate::domain::message::{MessageText, ReceiptKind};
use crate::domain::nik::Nik;
use crate::domain::outbound::Recipient;
use crate::domain::phone::PhoneNumber;
use crate::domain::template_state::TemplateNews;

/// What an event is about, as far as the door must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// Somebody wrote, or did something else that may be answered.
    Message,
    /// A word about one of our messages.
    Receipt,
    /// Anything else.
    Other,
}

/// One event as it will be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// What makes it one; a repeat has the same.
    pub key: String,
    /// What it is about.
    pub kind: RawKind,
    /// The provider's id of the account it concerns, where one address takes the events of several.
    pub provider_id: Option<String>,
    /// A NIK by which an officer looks for a card: whoever stores the event keeps its hash alone, beside the
    /// payload that no longer has it.
    pub sought: Option<Nik>,
    /// The event, without what must not be stored: a NIK that a citizen typed is redacted here.
    pub payload: String,
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

/// A number that the provider vouches for as the writer's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneProof {
    /// Who handed it over.
    pub from: Recipient,
    /// Their number.
    pub phone: PhoneNumber,
}

/// Somebody shut us out, without a word that could be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// Who.
    pub from: Recipient,
    /// They let us in again.
    pub is_over: bool,
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
    /// Somebody proved which number is theirs.
    Phone(PhoneProof),
    /// Somebody blocked us, or unblocked us.
    OptOut(OptOut),
    /// A word about a registered template.
    Template(TemplateNews),
    /// How many people the account may begin to write to within a day.
    DayLimit(DayLimit),
    /// Kept; nothing follows from it.
    Other,
}

/// How many people an account may begin to write to within a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayLimit {
    /// So many; none for as many as there are.
    pub people: Option<u32>,
    /// When, by the provider's clock.
    pub happened_at: Option<Timestamp>,
}
