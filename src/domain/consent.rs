//! Whether an address may be written to.

use super::message::MessageClass;
use crate::words;

words! {
    /// Why a planned message is not sent, or why it ended without reaching anybody.
    pub enum Refusal {
        /// The citizen asked to stop (BERHENTI).
        OptedOut = "opted_out",
        /// The citizen asked for no marketing, and a broadcast counts as such.
        NoMarketing = "no_marketing",
        /// The address is known to belong to somebody else, or to nobody.
        Suppressed = "suppressed",
        /// The person has no phone that can receive messages.
        NoPhone = "no_phone",
        /// No account of the office serves this channel or area.
        NoAccount = "no_account",
    }
}

words! {
    /// What a provider's refusal teaches about an address.
    pub enum Lesson {
        /// Nobody can be reached at it on this channel: not on WhatsApp, no such number, a landline.
        NotReachable = "not_reachable",
        /// It could not be brought this time; said again and again, nobody is there.
        Undelivered = "undelivered",
        /// Whoever has it told the provider to stop our messages.
        OptedOut = "opted_out",
        /// Whoever has it wants no marketing.
        NoMarketing = "no_marketing",
        /// The service window is closed; a template would be taken.
        WindowClosed = "window_closed",
    }
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Asked to stop.
    pub is_opted_out: bool,
    /// Wrong person, or a number that does not exist.
    pub is_suppressed: bool,
    /// Asked for no marketing, which is what broadcasts count as.
    pub is_without_marketing: bool,
}

impl Consent {
    /// Whether a message of that class may go out. Somebody who writes to us is always answered,
    /// also after BERHENTI: the answer is what they asked for.
    ///
    /// # Errors
    /// The reason why not.
    pub const fn allows(self, class: MessageClass) -> Result<(), Refusal> {
        match class {
            MessageClass::Reply => Ok(()),
            _ if self.is_suppressed => Err(Refusal::Suppressed),
            _ if self.is_opted_out => Err(Refusal::OptedOut),
            MessageClass::Broadcast if self.is_without_marketing => Err(Refusal::NoMarketing),
            MessageClass::Announcement | MessageClass::Broadcast => Ok(()),
        }
    }
}
