//! SMPP 3.4: a link straight to an operator's message centre.
//!
//! One transceiver bind, kept by `listen`. `rusmpp` writes the PDUs; the session is our own rather
//! than that of its companion `rusmppc`, which queues what the centre brings without bound, insists
//! on version 5.0 unless told otherwise, cannot tell a submission that was never written from one
//! whose answer was lost, ends the link at a PDU it cannot read, and logs PDUs, passwords
//! and citizens' words included.
//!
//! SMPP echoes nothing of ours. After a crash between the centre's acceptance and our commit no
//! receipt can settle the message: it waits as unknown and is then sent again, or not, as its class
//! decides. An answer that merely comes too late does settle it, through an event.

mod client;
pub mod codes;
mod desk;
mod event;
mod link;
mod parts;
mod pdu;
mod recall;
mod receipt;
mod text;

use secrecy::SecretString;
use serde::Deserialize;

pub use client::SmppClient;
pub use receipt::ReceiptId;

/// An account at a message centre.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppSettings {
    /// Host.
    pub host: String,
    /// Port, usually 2775.
    pub port: u16,
    /// The account.
    pub system_id: String,
    /// Its password, up to eight characters.
    pub password: SecretString,
    /// Number or name that sends.
    pub sender: String,
    /// What the message centre knows us as; usually empty.
    #[serde(default)]
    pub system_type: String,
    /// Submissions without an answer at the same time.
    #[serde(default = "default_window")]
    pub window: usize,
    /// Whether citizens can answer; by default whether the sender is a number.
    #[serde(default)]
    pub two_way: Option<bool>,
    /// How receipts write the id: the `same` as the answer to a submission, the same in a `loose`
    /// sense, without regard to case and leading zeros, or the same number in `hex` or `decimal`
    /// digits where the answer has it the other way.
    #[serde(default)]
    pub receipt_id: ReceiptId,
}

const fn default_window() -> usize {
    10
}
