//! Whether an address may be written to.

use super::message::MessageClass;
use crate::words;

words! {
    /// Why a planned message is not sent, or why it ended without reaching anybody.
    pub enum Refusal {
        /// The citizen asked to stop (BERHENTI).
        OptedOut = "opted_out",
        /// The address is known to belong to somebody else, or to nobody.
        Suppressed = "suppressed",
        /// The person has no phone that can receive messages.
        NoPhone = "no_phone",
        /// No account of the office serves this channel or area.
        NoAccount = "no_account",
    }
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Asked to stop.
    pub is_opted_out: bool,
    /// Wrong person, or a number that does not exist.
    pub is_suppressed: bool,
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
            MessageClass::Announcement | MessageClass::Broadcast => {
                if self.is_suppressed {
                    Err(Refusal::Suppressed)
                } else if self.is_opted_out {
                    Err(Refusal::OptedOut)
                } else {
                    Ok(())
                }
            }
        }
    }
}
