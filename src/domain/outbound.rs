//! What leaves: to whom, and in which forms it may be written.

use std::fmt;

use super::attachment::Attachment;
use super::message::{ChannelKind, MessageText};
use super::phone::PhoneNumber;
use super::service_point::GeoPoint;

/// A person's business-scoped user id at Meta, like `ID.13491208655302741918`. It names the person
/// to one business portfolio only, changes with their number, and may be all we know of them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bsuid(String);

impl Bsuid {
    /// Reads `CC.` or `CC.ENT.` followed by 1 to 128 letters and digits (Meta, business-scoped
    /// user ids, 2026).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (country, rest) = text.split_once('.')?;
        let body = rest.strip_prefix("ENT.").unwrap_or(rest);
        let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        let is_body =
            (1..=128).contains(&body.len()) && body.bytes().all(|b| b.is_ascii_alphanumeric());
        (is_country && is_body).then(|| Self(text.to_owned()))
    }

    /// The id itself, where it is really needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Bsuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bsuid(…)")
    }
}

/// A private chat at Telegram. It names the person to every bot, but only a bot they started may
/// write there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChatId(i64);

impl ChatId {
    /// A private chat; groups and channels have negative ids and are none (Telegram Bot API, Chat).
    #[must_use]
    pub fn new(id: i64) -> Option<Self> {
        (id > 0).then_some(Self(id))
    }

    /// The id itself, where it is really needed.
    #[must_use]
    pub const fn expose(self) -> i64 {
        self.0
    }
}

impl fmt::Debug for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatId(…)")
    }
}

/// How somebody is reached on a channel. At least one part is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// The phone number.
    pub phone: Option<PhoneNumber>,
    /// The id at Meta.
    pub bsuid: Option<Bsuid>,
    /// The chat at Telegram.
    pub chat: Option<ChatId>,
}

impl Recipient {
    /// Somebody of whom only the number is known.
    #[must_use]
    pub fn of_phone(phone: PhoneNumber) -> Self {
        Self { phone: Some(phone), ..Self::default() }
    }
}

/// The id of a choice that hands over the reader's own number, where a channel can do that.
pub const SHARE_PHONE: &str = "share_phone";

/// A button or list row the reader can press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What comes back when it is pressed; at most 200 characters.
    pub id: String,
    /// What stands on it; at most 20 characters where it becomes a button, 24 in a list.
    pub title: String,
}

/// A place shown on a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Where.
    pub place: GeoPoint,
    /// What stands above it.
    pub name: String,
    /// What stands below the name.
    pub address: String,
}

/// A call of a template registered with the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateCall {
    /// Its registered name.
    pub name: String,
    /// Its language code.
    pub language: String,
    /// Its named parameters in order. Values are personal.
    pub params: Vec<(String, MessageText)>,
    /// What comes back when its quick replies are pressed, in the order in which they are registered.
    pub buttons: Vec<String>,
}

/// A message in every form it may take; which one leaves is decided when it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The form that may be sent at any time, if there is one.
    pub template: Option<TemplateCall>,
    /// The words.
    pub text: MessageText,
    /// The words for SMS, where they are others.
    pub sms: Option<MessageText>,
    /// What can be pressed under the words.
    pub choices: Vec<Choice>,
    /// What stands on the button that opens a list of them, where it is not the office's usual words.
    pub list_button: Option<String>,
    /// A place on the map, in place of the words where a channel can show one.
    pub pin: Option<Pin>,
    /// A picture or a PDF above the words, where a channel brings such.
    pub attachment: Option<Attachment>,
}

impl Content {
    /// The words as they stand on a channel.
    #[must_use]
    pub fn words(&self, channel: ChannelKind) -> &MessageText {
        match channel {
            ChannelKind::Sms => self.sms.as_ref().unwrap_or(&self.text),
            ChannelKind::Whatsapp | ChannelKind::Telegram => &self.text,
        }
    }
}
