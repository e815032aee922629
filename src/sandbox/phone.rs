//! The phones of the sandbox: who they belong to, what stands on their screens.
//!
//! At most 10,000 phones with 500 messages each; the least recently used make room. Knows no
//! provider's wire format and sends nothing.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::media::Enclosure;
use crate::domain::clock::Timestamp;

/// Phones that are kept.
pub(super) const MAX_PHONES: usize = 10_000;
/// Messages that are kept on one phone.
const MAX_BUBBLES: usize = 500;

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The business.
    Office,
    /// The owner of the phone.
    Citizen,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Taken by the provider.
    Accepted,
    /// On its way.
    Sent,
    /// On the phone; for a citizen's message: its webhook was answered with 200.
    Delivered,
    /// Opened by the other side.
    Read,
    /// Given up.
    Failed,
}

/// Something to press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What the business hears.
    pub id: String,
    /// What the citizen sees.
    pub title: String,
    /// A second line under a row of a list.
    pub description: Option<String>,
}

/// A list that opens at the press of a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Menu {
    /// The label of the button.
    pub button: String,
    /// Its rows.
    pub rows: Vec<Choice>,
}

/// One message on a screen.
#[derive(Clone, Debug, Serialize)]
pub struct Bubble {
    /// The provider's id of the message.
    pub id: String,
    /// When it was written.
    pub at_ms: i64,
    /// Who wrote it.
    pub side: Side,
    /// How it travels: `whatsapp`, `sms` or `telegram`.
    pub channel: &'static str,
    /// The business number it came from or goes to.
    pub account: String,
    /// The provider's name of its type.
    pub kind: String,
    /// A line above the text.
    pub header: Option<String>,
    /// The text.
    pub text: String,
    /// A line below the text.
    pub footer: Option<String>,
    /// A picture or a paper above it.
    pub file: Option<Enclosure>,
    /// Buttons under it.
    pub buttons: Vec<Choice>,
    /// A list under it.
    pub menu: Option<Menu>,
    /// How far it has come.
    pub mark: Mark,
    /// The error code with which it failed.
    pub error_code: Option<u32>,
    /// What the business wants repeated in receipts.
    #[serde(skip)]
    pub(super) echo: Option<String>,
    /// Whether the business addressed a number rather than a user id.
    #[serde(skip)]
    pub(super) is_by_number: bool,
}

/// What a phone has of WhatsApp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there and online.
    #[default]
    Online,
    /// It is there, but without a data plan: nothing arrives, and no receipt comes.
    Offline,
    /// The number is not on WhatsApp.
    Missing,
}

/// One phone.
#[derive(Clone, Debug, Serialize)]
pub struct Phone {
    /// The number, digits only with country code; the phone's key.
    pub number: String,
    /// The id under which businesses know the owner even without the number.
    pub user_id: String,
    /// The owner's name as the provider shows it.
    pub name: String,
    /// Whether the owner hides the number from businesses.
    pub hides_number: bool,
    /// What it has of WhatsApp.
    pub whatsapp: Presence,
    /// Whether a message came here only because its address lacked the country code.
    pub is_stranger: bool,
    /// Until when "is typing" stands on the screen.
    pub typing_until_ms: i64,
    /// What is on the screen, oldest first.
    pub bubbles: VecDeque<Bubble>,
    /// Changes with every change of this phone.
    pub revision: u64,
    /// Orders phones by their last message.
    pub activity: u64,
    /// When the owner last wrote to each business number.
    #[serde(skip)]
    pub(super) wrote_at: HashMap<String, Timestamp>,
    /// Up to when each business number has used up its allowance towards this phone.
    #[serde(skip)]
    pub(super) paired_until: HashMap<String, Timestamp>,
    /// Keeps the owner's messages in order on their way to the business.
    #[serde(skip)]
    pub(super) line: Arc<tokio::sync::Mutex<()>>,
}

impl Phone {
    /// The message of that id.
    #[must_use]
    pub fn bubble(&self, id: &str) -> Option<&Bubble> {
        self.bubbles.iter().rev().find(|bubble| bubble.id == id)
    }
}

/// All phones.
#[derive(Default)]
pub(super) struct Phones {
    by_number: HashMap<String, Phone>,
    by_user: HashMap<String, String>,
    by_activity: BTreeSet<(u64, String)>,
    revision: u64,
    activity: u64,
}

impl Phones {
    /// Counts one more change; what changed carries the number this gives next.
    pub(super) fn step(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// The phone of that number (however written) or user id.
    pub(super) fn find(&self, who: &str) -> Option<&Phone> {
        let number = self.by_user.get(who).cloned().or_else(|| digits(who))?;
        self.by_number.get(&number)
    }

    /// The phone of that key.
    pub(super) fn get(&self, number: &str) -> Option<&Phone> {
        self.by_number.get(number)
    }

    /// The phone of that key, to be changed.
    pub(super) fn get_mut(&mut self, number: &str) -> Option<&mut Phone> {
        let revision = self.revision + 1;
        let phone = self.by_number.get_mut(number)?;
        phone.revision = revision;
        Some(phone)
    }

    /// The phone of that key, made when there is none, at the front of all phones.
    pub(super) fn open(&mut self, number: &str, now: Timestamp) -> &mut Phone {
        let revision = self.revision + 1;
        self.activity += 1;
        let activity = self.activity;
        if !self.by_number.contains_key(number) && self.by_number.len() >= MAX_PHONES {
            self.drop_least_active();
        }
        let phone = self.by_number.entry(number.to_owned()).or_insert_with(|| Phone {
            number: number.to_owned(),
            user_id: user_id(number),
            name: format!("+{number}"),
            hides_number: false,
            whatsapp: Presence::Online,
            is_stranger: false,
            typing_until_ms: now.as_ms(),
            bubbles: VecDeque::new(),
            revision,
            activity: 0,
            wrote_at: HashMap::new(),
            paired_until: HashMap::new(),
            line: Arc::default(),
        });
        self.by_activity.remove(&(phone.activity, number.to_owned()));
        phone.activity = activity;
        phone.revision = revision;
        self.by_activity.insert((activity, number.to_owned()));
        self.by_user.insert(phone.user_id.clone(), number.to_owned());
        phone
    }

    /// Puts a message on a screen.
    pub(super) fn show(&mut self, number: &str, bubble: Bubble, now: Timestamp) {
        let phone = self.open(number, now);
        if bubble.side == Side::Office {
            phone.typing_until_ms = now.as_ms();
        }
        phone.bubbles.push_back(bubble);
        while phone.bubbles.len() > MAX_BUBBLES {
            phone.bubbles.pop_front();
        }
    }

    /// Moves a message on; never back, except that failure is final.
    pub(super) fn mark(&mut self, number: &str, id: &str, mark: Mark, error_code: Option<u32>) {
        let Some(phone) = self.get_mut(number) else { return };
        if let Some(bubble) = phone.bubbles.iter_mut().rev().find(|bubble| bubble.id == id) {
            bubble.mark = bubble.mark.max(mark);
            bubble.error_code = bubble.error_code.or(error_code);
        }
    }

    /// Phones from the most recently active on.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Phone> {
        self.by_activity.iter().rev().filter_map(|(_, number)| self.by_number.get(number))
    }

    /// Forgets all phones. Revisions go on, so that a page notices.
    pub(super) fn clear(&mut self) {
        self.by_number.clear();
        self.by_user.clear();
        self.by_activity.clear();
    }

    fn drop_least_active(&mut self) {
        if let Some((_, number)) = self.by_activity.pop_first()
            && let Some(phone) = self.by_number.remove(&number)
        {
            self.by_user.remove(&phone.user_id);
        }
    }
}

/// The digits of a number with country code, from any usual writing; a leading 0 is Indonesia's.
/// None when it cannot be a number.
pub(super) fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c)) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.strip_prefix('0') {
        Some(rest) if !text.starts_with('+') => format!("62{rest}"),
        _ => digits,
    };
    (7..=15).contains(&digits.len()).then_some(digits)
}

/// A made-up user id of the provider's form, always the same for a number.
fn user_id(number: &str) -> String {
    let country = match number.as_bytes() {
        [b'6', b'2', ..] => "ID",
        [b'6', b'0', ..] => "MY",
        [b'6', b'5', ..] => "SG",
        [b'1', ..] => "US",
        _ => "NL",
    };
    let hash = Sha256::digest(number.as_bytes());
    let tail = hash.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    format!("{country}.{tail:020}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    #[test]
    fn a_number_is_found_in_every_usual_writing() {
        let mut phones = Phones::default();
        phones.open("6281200000001", NOW);
        for writing in ["+62 812-0000-0001", "081200000001", "6281200000001"] {
            assert!(phones.find(writing).is_some(), "{writing}");
        }
        let user = user_id("6281200000001");
        assert!(phones.find(&user).is_some());
        for nonsense in ["", "halo", "+62x", "12345", "1234567890123456"] {
            assert!(phones.find(nonsense).is_none(), "{nonsense}");
        }
    }

    #[test]
    fn the_least_active_phone_makes_room() {
        let mut phones = Phones::default();
        for index in 0..=MAX_PHONES {
            phones.open(&format!("62812{index:07}"), NOW);
            if index == 1 {
                phones.open("628120000000", NOW);
            }
        }
        assert_eq!(phones.len(), MAX_PHONES);
        assert!(phones.find("628120000000").is_some());
        assert!(phones.find("628120000001").is_none());
        assert_eq!(phones.by_user.len(), MAX_PHONES);
        assert_eq!(phones.newest_first().next().map(|p| p.number.as_str()), Some("628120010000"));
    }

    #[test]
    fn a_mark_never_moves_back() {
        let mut phones = Phones::default();
        let bubble = Bubble {
            id: "m".into(),
            at_ms: 0,
            side: Side::Office,
            channel: "whatsapp",
            account: "a".into(),
            kind: "text".into(),
            header: None,
            text: "t".into(),
            footer: None,
            buttons: vec![],
            menu: None,
            file: None,
            mark: Mark::Accepted,
            error_code: None,
            echo: None,
            is_by_number: true,
        };
        for _ in 0..=MAX_BUBBLES {
            phones.show("6281200000001", bubble.clone(), NOW);
        }
        phones.mark("6281200000001", "m", Mark::Read, None);
        phones.mark("6281200000001", "m", Mark::Sent, None);
        let phone = phones.find("6281200000001").unwrap();
        assert_eq!(phone.bubble("m").unwrap().mark, Mark::Read);
        assert_eq!(phone.bubbles.len(), MAX_BUBBLES);
    }
}
