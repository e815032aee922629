//! One outbound message: its lane, its life from queued to read, and what a receipt does to it.
//!
//! The only rules here are those of order: a status never moves back.

use std::fmt;
use std::time::Duration;

use crate::words;

words! {
    /// Where messages travel.
    pub enum ChannelKind {
        /// WhatsApp through Meta's Cloud API.
        Whatsapp = "whatsapp",
        /// Telegram through a bot.
        Telegram = "telegram",
        /// SMS through one of several gateways.
        Sms = "sms",
    }
}

words! {
    /// What a message is for; decides its lane and what becomes of it when its outcome is unknown.
    pub enum MessageClass {
        /// Answers somebody who wrote.
        Reply = "reply",
        /// Tells somebody about a card.
        Announcement = "announcement",
        /// Tells many people the same.
        Broadcast = "broadcast",
    }
}

impl MessageClass {
    /// The lane of the queue: lower numbers leave first.
    #[must_use]
    pub const fn lane(self) -> i64 {
        match self {
            Self::Reply => 0,
            Self::Announcement => 1,
            Self::Broadcast => 2,
        }
    }
}

words! {
    /// Where a message is in its life.
    pub enum MessageStatus {
        /// Waits for its moment.
        Queued = "queued",
        /// Handed to the provider just now; committed before the call.
        Sending = "sending",
        /// The call ended without a clear answer; a receipt or the waiting time settles it.
        Unknown = "unknown",
        /// The provider took it.
        Sent = "sent",
        /// It is on the phone.
        Delivered = "delivered",
        /// It was opened.
        Read = "read",
        /// The provider refused it, or said later that it could not bring it.
        Failed = "failed",
        /// Its moment passed before it could leave.
        Expired = "expired",
        /// Not sent on purpose: superseded, opted out, no phone, or withdrawn.
        Cancelled = "cancelled",
    }
}

words! {
    /// A provider's later word about a message.
    pub enum ReceiptKind {
        /// It left the provider.
        Sent = "sent",
        /// It is on the phone.
        Delivered = "delivered",
        /// It was opened.
        Read = "read",
        /// It could not be brought.
        Failed = "failed",
    }
}

impl MessageStatus {
    /// The status after a receipt: total, and never a step back. `read` implies delivered, a late
    /// `sent` is ignored, a late `delivered` beats `failed`, and also a withdrawal that came while
    /// the message was in the provider's hand.
    #[must_use]
    pub const fn advance(self, receipt: ReceiptKind) -> Self {
        use MessageStatus as S;
        match (self, receipt) {
            // A receipt for one that waits again proves that the earlier, unclear call went
            // through: it must not leave twice.
            // One that was withdrawn while its call was under way was brought all the same, and that
            // is the truth.
            (
                S::Queued | S::Sending | S::Unknown | S::Expired | S::Cancelled,
                ReceiptKind::Sent,
            ) => S::Sent,
            (S::Queued | S::Sending | S::Unknown | S::Sent, ReceiptKind::Failed) => S::Failed,
            (
                S::Queued
                | S::Sending
                | S::Unknown
                | S::Sent
                | S::Failed
                | S::Expired
                | S::Cancelled,
                ReceiptKind::Delivered,
            ) => S::Delivered,
            (_, ReceiptKind::Read) => S::Read,
            (S::Sent | S::Delivered | S::Read | S::Failed, ReceiptKind::Sent)
            | (
                S::Delivered | S::Read | S::Failed | S::Expired | S::Cancelled,
                ReceiptKind::Failed,
            )
            | (S::Delivered | S::Read, ReceiptKind::Delivered) => self,
        }
    }

    /// How far a message has come, for the rule that a status never moves back.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending => 1,
            Self::Unknown | Self::Expired | Self::Cancelled => 2,
            Self::Sent => 3,
            Self::Failed => 4,
            Self::Delivered => 5,
            Self::Read => 6,
        }
    }
}

/// How long a message whose outcome is unknown waits for a receipt before its class decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWait {
    /// Wait of a reply, then it is sent again.
    pub reply: Duration,
    /// Wait of an announcement, then it is sent again.
    pub announcement: Duration,
    /// Wait of a broadcast, then it is reported as failed, never sent again.
    pub broadcast: Duration,
}

impl UnknownWait {
    /// The wait of one class.
    #[must_use]
    pub const fn of(&self, class: MessageClass) -> Duration {
        match class {
            MessageClass::Reply => self.reply,
            MessageClass::Announcement => self.announcement,
            MessageClass::Broadcast => self.broadcast,
        }
    }
}

impl Default for UnknownWait {
    fn default() -> Self {
        Self {
            reply: Duration::from_secs(30),
            announcement: Duration::from_secs(600),
            broadcast: Duration::from_secs(600),
        }
    }
}

/// Words that a citizen wrote or reads. Masks itself in `Debug`; has no `Display`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MessageText(String);

impl MessageText {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, where it is really needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageText({} characters)", self.0.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_receipt_ever_moves_a_status_back() {
        for &status in MessageStatus::ALL {
            for &receipt in ReceiptKind::ALL {
                let next = status.advance(receipt);
                assert!(next.rank() >= status.rank(), "{status} + {receipt} = {next}");
                assert_eq!(next.advance(receipt), next, "a repeated {receipt} changes nothing");
            }
        }
    }

    #[test]
    fn the_end_is_the_same_in_whatever_order_receipts_arrive() {
        let all = [ReceiptKind::Sent, ReceiptKind::Delivered, ReceiptKind::Read];
        for a in all {
            for b in all {
                for c in all {
                    if a != b && b != c && a != c {
                        let end = [a, b, c]
                            .into_iter()
                            .fold(MessageStatus::Sending, MessageStatus::advance);
                        assert_eq!(end, MessageStatus::Read);
                    }
                }
            }
        }
    }

    #[test]
    fn a_late_delivered_beats_failed_but_a_late_failed_does_not_beat_delivered() {
        assert_eq!(MessageStatus::Failed.advance(ReceiptKind::Delivered), MessageStatus::Delivered);
        assert_eq!(MessageStatus::Delivered.advance(ReceiptKind::Failed), MessageStatus::Delivered);
    }
}
