//! A thing in two forms: the full one for WhatsApp and Telegram, the short one for SMS.
//!
//! Nothing is shortened here; both forms are written by whoever writes the texts.

use serde::Deserialize;

use crate::domain::message::ChannelKind;

/// The full and the short form of the same thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Given<T>", bound = "T: Clone + Deserialize<'de>")]
pub struct ByChannel<T> {
    /// For WhatsApp and Telegram.
    pub text: T,
    /// For SMS.
    pub sms: T,
}

impl<T> ByChannel<T> {
    /// The form that a channel takes.
    #[must_use]
    pub const fn on(&self, channel: ChannelKind) -> &T {
        match channel {
            ChannelKind::Whatsapp | ChannelKind::Telegram => &self.text,
            ChannelKind::Sms => &self.sms,
        }
    }
}

/// In the files one text stands for both forms.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text, or { text = \"…\", sms = \"…\" }")]
enum Given<T> {
    One(T),
    Both(Both<T>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Both<T> {
    text: T,
    sms: T,
}

impl<T: Clone> From<Given<T>> for ByChannel<T> {
    fn from(given: Given<T>) -> Self {
        match given {
            Given::One(one) => Self { text: one.clone(), sms: one },
            Given::Both(Both { text, sms }) => Self { text, sms },
        }
    }
}
