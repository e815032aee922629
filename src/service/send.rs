//! Decides in which form a message leaves and what a provider's answer means for it.
//!
//! Pure rules: no clock, no database, no provider. `sender` carries them out.

use std::time::Duration;

use super::Settings;
use crate::channel::{Accepted, Fault, Form, Scope, SendError};
use crate::domain::clock::Timestamp;
use crate::domain::id::AttemptId;
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus};
use crate::store::message::{Attempt, Claimed, Settled};

/// WhatsApp takes free words this long after the recipient last wrote.
const SERVICE_WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Left of the window when it no longer counts as open: a message on its way must not miss it.
const WINDOW_MARGIN: Duration = Duration::from_secs(120);
/// The word under which a message waits whose free words were refused.
const WINDOW_CLOSED: &str = "window_closed";

const FIRST_BACKOFF: Duration = Duration::from_secs(5);
const LONGEST_BACKOFF: Duration = Duration::from_secs(15 * 60);

/// The form in which a message leaves now.
///
/// # Errors
/// A fault when there is no form the provider would take: free words outside the window.
pub fn choose_form(channel: ChannelKind, message: &Claimed, now: Timestamp) -> Result<Form, Fault> {
    let free = || Form::Free {
        text: message.content.text.clone(),
        choices: message.content.choices.clone(),
    };
    let is_open = message.why != WINDOW_CLOSED
        && message.last_inbound_at.is_some_and(|at| now.since(at) + WINDOW_MARGIN < SERVICE_WINDOW);
    if channel != ChannelKind::Whatsapp || is_open {
        return Ok(free());
    }
    message.content.template.clone().map(Form::Template).ok_or_else(|| Fault {
        code: WINDOW_CLOSED.to_owned(),
        detail: "more than 24 hours since the recipient wrote, and there is no template for it"
            .to_owned(),
    })
}

/// How long to wait before the next call after that many, growing and bounded.
#[must_use]
pub fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_BACKOFF.saturating_mul(1 << doublings).min(LONGEST_BACKOFF)
}

/// Earliest moment at which a message may be tried again: announcements not in the quiet hours.
#[must_use]
pub fn allowed_from(settings: &Settings, message: &Claimed, at: Timestamp) -> Timestamp {
    match message.class {
        MessageClass::Reply => at,
        MessageClass::Announcement | MessageClass::Broadcast => {
            settings.quiet_hours.next_allowed(at, message.zone.offset())
        }
    }
}

/// What becomes of a message that is given back without a call.
#[must_use]
pub fn postponed(message: &Claimed, until: Timestamp) -> Settled {
    Settled {
        id: message.id,
        status: MessageStatus::Queued,
        provider_message_id: None,
        next_at: Some(until),
        is_counted: false,
        why: None,
        code: None,
        reason: None,
        attempt: None,
    }
}

/// What becomes of a message that no provider would take in any form it has.
#[must_use]
pub fn refused(message: &Claimed, fault: &Fault) -> Settled {
    Settled {
        status: MessageStatus::Failed,
        next_at: None,
        code: Some(fault.code.clone()),
        reason: Some(fault.detail.clone()),
        ..postponed(message, Timestamp::from_ms(0))
    }
}

/// A call that was made.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Id of its row.
    pub id: AttemptId,
    /// Begun.
    pub started_at: Timestamp,
    /// Ended.
    pub finished_at: Timestamp,
}

/// What becomes of a message after a call.
#[must_use]
pub fn settle(
    settings: &Settings,
    message: &Claimed,
    call: Call,
    result: &Result<Accepted, SendError>,
) -> Settled {
    let now = call.finished_at;
    let outcome = match result {
        Ok(_) => "sent",
        Err(error) => error.word(),
    };
    let mut settled = Settled {
        is_counted: true,
        code: result.as_ref().err().map(|error| error.fault().code.clone()),
        reason: result.as_ref().err().map(|error| error.fault().detail.clone()),
        attempt: Some(Attempt {
            id: call.id,
            number: message.attempts,
            started_at: call.started_at,
            finished_at: Some(call.finished_at),
            outcome,
        }),
        ..postponed(message, now)
    };
    match result {
        Ok(accepted) => {
            settled.status = MessageStatus::Sent;
            settled.next_at = None;
            settled.provider_message_id = Some(accepted.provider_message_id.clone());
        }
        Err(SendError::Unknown(_)) => {
            settled.status = MessageStatus::Unknown;
            settled.next_at = Some(call.started_at.after(settings.unknown_wait.of(message.class)));
        }
        Err(SendError::Rejected(_) | SendError::RecipientGone(_)) => {
            settled.status = MessageStatus::Failed;
            settled.next_at = None;
        }
        Err(SendError::WindowClosed(_)) => {
            if message.content.template.is_some() && message.why != WINDOW_CLOSED {
                settled.why = Some(WINDOW_CLOSED);
                settled.next_at = Some(allowed_from(settings, message, now));
            } else {
                settled.status = MessageStatus::Failed;
                settled.next_at = None;
            }
        }
        // The account is at fault, not the message: it must not burn.
        Err(SendError::Misconfigured(_) | SendError::Retry { scope: Scope::Account, .. }) => {
            settled.is_counted = false;
            settled.next_at = Some(allowed_from(settings, message, now));
        }
        Err(SendError::Retry { after, scope, .. }) => {
            // The pair limit asks for powers of four seconds (Meta, error 131056).
            let own = match scope {
                Scope::Recipient => {
                    let power = u32::try_from(message.attempts).unwrap_or(1).clamp(1, 5);
                    Duration::from_secs(4_u64.pow(power))
                }
                Scope::Message | Scope::Account => backoff(message.attempts),
            };
            settled.next_at =
                Some(allowed_from(settings, message, now.after(after.unwrap_or(own))));
            if message.attempts >= settings.max_attempts {
                settled.status = MessageStatus::Failed;
                settled.next_at = None;
            }
        }
    }
    settled
}
