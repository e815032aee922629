//! Decides in which form a message leaves and what a provider's answer means for it.
//!
//! Pure rules: no clock, no database, no provider. `sender` carries them out.

use std::time::Duration;

use super::Settings;
use crate::channel::{Accepted, Fault, FileSource, Form, Scope, SendError};
use crate::domain::area::Zone;
use crate::domain::attachment::Attachment;
use crate::domain::clock::Timestamp;
use crate::domain::id::AttemptId;
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus};
use crate::store::message::Claimed;
use crate::store::settled::{Attempt, Fallback, Settled};

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
    let file = message.content.attachment.as_ref().filter(|_| channel != ChannelKind::Sms);
    let with_file = |file: &Attachment, template| Form::WithFile {
        file: file.clone(),
        source: FileSource::Unsettled,
        template,
        text: message.content.words(channel).clone(),
    };
    let free = || match (&message.content.pin, file) {
        (_, Some(file)) => with_file(file, None),
        (Some(pin), None) if channel != ChannelKind::Sms => Form::Pin(pin.clone()),
        _ => Form::Free {
            text: message.content.words(channel).clone(),
            choices: message.content.choices.clone(),
        },
    };
    let is_refused = channel == ChannelKind::Whatsapp && message.why == WINDOW_CLOSED;
    if !is_refused && is_window_open(channel, message.last_inbound_at, now) {
        return Ok(free());
    }
    let template = message.content.template.clone().map(|call| match file {
        Some(file) => with_file(file, Some(call)),
        None => Form::Template(call),
    });
    template.ok_or_else(|| {
        Fault::new(
            WINDOW_CLOSED,
            "more than 24 hours since the recipient wrote, and there is no template for it",
        )
    })
}

/// Whether somebody who last wrote at that moment may be written to in free words. Only WhatsApp
/// closes that window.
#[must_use]
pub fn is_window_open(
    channel: ChannelKind,
    last_inbound_at: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    channel != ChannelKind::Whatsapp
        || last_inbound_at.is_some_and(|at| now.since(at) + WINDOW_MARGIN < SERVICE_WINDOW)
}

/// Until when somebody who last wrote at that moment may be written to in free words; none where that never
/// ends, or is over.
#[must_use]
pub fn window_until(
    channel: ChannelKind,
    last_inbound_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let is_closing =
        channel == ChannelKind::Whatsapp && is_window_open(channel, last_inbound_at, now);
    last_inbound_at
        .filter(|_| is_closing)
        .map(|at| at.after(SERVICE_WINDOW.saturating_sub(WINDOW_MARGIN)))
}

/// How long to wait before the next call after that many, growing and bounded.
#[must_use]
pub fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 16)).unwrap_or(0);
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

/// By when a word of its arrival must have come, for a message that may leave at `from`: quiet hours
/// do not count, and news with an end of its own leaves half its time to the next channel.
#[must_use]
pub fn deadline(
    settings: &Settings,
    channel: ChannelKind,
    zone: Zone,
    from: Timestamp,
    expires_at: Option<Timestamp>,
) -> Timestamp {
    let wait = settings.fallback_after.on(channel);
    let deadline = settings.quiet_hours.after_waking(from, wait, zone.offset());
    match expires_at {
        Some(end) => deadline.min(from.after(end.since(from) / 2)),
        None => deadline,
    }
}

/// Until when a provider may still bring a message: until its moment has passed, and no longer than
/// until the next channel tells the same. Where no other follows it may come late.
#[must_use]
pub fn valid_until(
    settings: &Settings,
    channel: ChannelKind,
    message: &Claimed,
    now: Timestamp,
) -> Option<Timestamp> {
    if !message.has_next || message.class != MessageClass::Announcement {
        return message.expires_at;
    }
    Some(deadline(settings, channel, message.zone, now, message.expires_at))
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
        fallback: Fallback::Keep,
    }
}

/// What becomes of a message whose recipient asked to stop, or turned out to be somebody else,
/// after it was planned.
#[must_use]
pub fn withdrawn(message: &Claimed) -> Settled {
    Settled {
        status: MessageStatus::Cancelled,
        next_at: None,
        why: Some("opted_out"),
        fallback: Fallback::None,
        ..postponed(message, Timestamp::from_ms(0))
    }
}

/// What becomes of a message that no provider would take in any form it has: the next channel may.
#[must_use]
pub fn refused(message: &Claimed, fault: &Fault, now: Timestamp) -> Settled {
    Settled {
        status: MessageStatus::Failed,
        next_at: None,
        fallback: Fallback::At(now),
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

/// What becomes of a message after a call. Where no receipts follow, being sent is the last word; else
/// a word of its arrival must come in time.
#[must_use]
pub fn settle(
    settings: &Settings,
    (channel, has_receipts): (ChannelKind, bool),
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
            settled.fallback = if has_receipts {
                Fallback::At(deadline(settings, channel, message.zone, now, message.expires_at))
            } else {
                Fallback::None
            };
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
        Err(
            SendError::Misconfigured(_)
            | SendError::Restricted(_)
            | SendError::Retry { scope: Scope::Account, .. },
        ) => {
            settled.is_counted = false;
            settled.next_at = Some(allowed_from(settings, message, now));
        }
        Err(SendError::Retry { after, scope: Scope::File, .. }) => {
            settled.is_counted = false;
            let wait = after.unwrap_or_else(|| backoff(message.attempts));
            settled.next_at = Some(allowed_from(settings, message, now.after(wait)));
        }
        Err(SendError::Retry { after, scope, .. }) => {
            // The pair limit asks for powers of four seconds (Meta, error 131056).
            let own = match scope {
                Scope::Recipient => {
                    let power = u32::try_from(message.attempts).unwrap_or(1).clamp(1, 5);
                    Duration::from_secs(4_u64.pow(power))
                }
                Scope::Message | Scope::File | Scope::Account => backoff(message.attempts),
            };
            settled.next_at =
                Some(allowed_from(settings, message, now.after(after.unwrap_or(own))));
            if message.attempts >= settings.max_attempts {
                settled.status = MessageStatus::Failed;
                settled.next_at = None;
            }
        }
    }
    if settled.status == MessageStatus::Failed {
        settled.fallback = Fallback::At(now);
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::super::FallbackAfter;
    use super::*;
    use crate::domain::area::AreaCode;
    use crate::domain::card_plan::AnnouncePolicy;
    use crate::domain::id::IdSource;
    use crate::domain::message::{MessageText, UnknownWait};
    use crate::domain::outbound::{Content, Recipient, TemplateCall};
    use crate::domain::quiet_hours::QuietHours;

    const NOON: Timestamp = Timestamp::from_ms(1_795_323_600_000);

    fn settings() -> Settings {
        Settings {
            office_name: "Disdukcapil".to_owned(),
            office_area: AreaCode::parse("35.17").unwrap(),
            quiet_hours: QuietHours::parse("20:00-07:00").unwrap(),
            policy: AnnouncePolicy::default(),
            ticket_close_after: Duration::from_secs(7 * 24 * 3600),
            needs_second_factor: false,
            broadcast: super::super::BroadcastPolicy::default(),
            round: super::super::RoundPolicy::default(),
            ladder: crate::domain::collection::Ladder::default(),
            blanko: crate::domain::blanko::BlankoPolicy::default(),
            appointment: crate::domain::appointment_policy::AppointmentPolicy::default(),
            channels: vec![ChannelKind::Whatsapp],
            fallback_after: FallbackAfter::all(Duration::from_secs(4 * 3600)),
            unknown_wait: UnknownWait::default(),
            max_attempts: 3,
        }
    }

    fn message(class: MessageClass, attempts: i64, has_template: bool) -> Claimed {
        let call = TemplateCall {
            name: "t".to_owned(),
            language: "id".to_owned(),
            params: vec![],
            buttons: vec![],
        };
        Claimed {
            id: IdSource::default().next(NOON),
            class,
            recipient: Recipient::default(),
            recipient_hash: "r".to_owned(),
            content: Content {
                template: has_template.then_some(call),
                text: MessageText::new("halo"),
                sms: None,
                choices: vec![],
                list_button: None,
                pin: None,
                attachment: None,
            },
            attempts,
            zone: Zone::Wib,
            why: "card_update".to_owned(),
            last_inbound_at: None,
            refusal: None,
            expires_at: None,
            has_next: false,
        }
    }

    fn after(message: &Claimed, error: SendError) -> Settled {
        let call = Call { id: IdSource::default().next(NOON), started_at: NOON, finished_at: NOON };
        settle(&settings(), (ChannelKind::Whatsapp, true), message, call, &Err(error))
    }

    fn fault() -> Fault {
        Fault::new("x", "y")
    }

    #[test]
    fn free_words_leave_inside_the_window_only_and_templates_at_any_time() {
        let mut card = message(MessageClass::Announcement, 1, true);
        assert!(matches!(choose_form(ChannelKind::Whatsapp, &card, NOON), Ok(Form::Template(_))));
        card.last_inbound_at = Some(NOON.before(Duration::from_secs(23 * 3600)));
        assert!(matches!(choose_form(ChannelKind::Whatsapp, &card, NOON), Ok(Form::Free { .. })));
        card.last_inbound_at = Some(NOON.before(Duration::from_secs(24 * 3600 - 60)));
        assert!(matches!(choose_form(ChannelKind::Whatsapp, &card, NOON), Ok(Form::Template(_))));
        let reply = message(MessageClass::Reply, 1, false);
        assert_eq!(
            choose_form(ChannelKind::Whatsapp, &reply, NOON).unwrap_err().code,
            WINDOW_CLOSED
        );
        assert!(choose_form(ChannelKind::Sms, &reply, NOON).is_ok());
    }

    #[test]
    fn news_with_an_end_of_its_own_leaves_half_its_time_to_the_next_channel() {
        let hour = |n: u64| NOON.after(Duration::from_secs(n * 3600));
        let at =
            |expires_at| deadline(&settings(), ChannelKind::Whatsapp, Zone::Wib, NOON, expires_at);
        assert_eq!(at(None), hour(4));
        assert_eq!(at(Some(hour(20))), hour(4));
        assert_eq!(at(Some(hour(2))), hour(1));
        assert_eq!(at(Some(NOON)), NOON);
    }

    #[test]
    fn a_provider_may_bring_news_until_the_next_channel_tells_it() {
        let mut card = message(MessageClass::Announcement, 1, true);
        let until = |card: &Claimed| valid_until(&settings(), ChannelKind::Sms, card, NOON);
        assert_eq!(until(&card), None, "late is better than never");
        card.has_next = true;
        assert_eq!(until(&card), Some(NOON.after(Duration::from_secs(4 * 3600))));
        card.expires_at = Some(NOON.after(Duration::from_secs(3600)));
        assert_eq!(until(&card), Some(NOON.after(Duration::from_secs(1800))));
        card.has_next = false;
        assert_eq!(until(&card), card.expires_at);
    }

    #[test]
    fn a_closed_window_is_answered_with_the_template_once() {
        let mut card = message(MessageClass::Announcement, 1, true);
        card.last_inbound_at = Some(NOON);
        let settled = after(&card, SendError::WindowClosed(fault()));
        assert_eq!((settled.status, settled.why), (MessageStatus::Queued, Some(WINDOW_CLOSED)));
        card.why = WINDOW_CLOSED.to_owned();
        assert!(matches!(choose_form(ChannelKind::Whatsapp, &card, NOON), Ok(Form::Template(_))));
        assert_eq!(after(&card, SendError::WindowClosed(fault())).status, MessageStatus::Failed);
    }

    #[test]
    fn an_unknown_outcome_waits_for_its_receipt_as_long_as_its_class_says() {
        for (class, seconds) in [(MessageClass::Reply, 30), (MessageClass::Announcement, 600)] {
            let settled = after(&message(class, 1, true), SendError::Unknown(fault()));
            assert_eq!(settled.status, MessageStatus::Unknown);
            assert_eq!(settled.next_at, Some(NOON.after(Duration::from_secs(seconds))));
        }
    }

    #[test]
    fn faults_of_the_account_do_not_use_up_a_message() {
        let card = message(MessageClass::Announcement, 99, true);
        let wait = |scope| SendError::Retry { after: None, scope, fault: fault() };
        for error in [
            SendError::Misconfigured(fault()),
            SendError::Restricted(fault()),
            wait(Scope::Account),
        ] {
            let settled = after(&card, error);
            assert_eq!((settled.status, settled.is_counted), (MessageStatus::Queued, false));
        }
        assert_eq!(after(&card, wait(Scope::Message)).status, MessageStatus::Failed);
    }

    #[test]
    fn a_retry_never_lands_in_the_quiet_hours_unless_it_is_a_reply() {
        let evening = NOON.after(Duration::from_secs(8 * 3600 - 1));
        let call =
            Call { id: IdSource::default().next(NOON), started_at: evening, finished_at: evening };
        let error = SendError::Retry { after: None, scope: Scope::Message, fault: fault() };
        let due = |class| {
            settle(
                &settings(),
                (ChannelKind::Whatsapp, true),
                &message(class, 1, true),
                call,
                &Err(error.clone()),
            )
            .next_at
            .unwrap()
        };
        assert_eq!(due(MessageClass::Reply), evening.after(Duration::from_secs(5)));
        assert_eq!(due(MessageClass::Announcement), NOON.after(Duration::from_secs(19 * 3600)));
    }

    #[test]
    fn waits_grow_and_are_bounded() {
        assert_eq!(backoff(1), Duration::from_secs(5));
        assert_eq!(backoff(2), Duration::from_secs(10));
        assert_eq!(backoff(i64::MAX), LONGEST_BACKOFF);
        assert_eq!(backoff(i64::MIN), Duration::from_secs(5));
    }
}
