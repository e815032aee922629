//! One citizen's place in a session, or in the line for one: its code, its states, and who gets which place.
//!
//! Pure: everything that happens to a session's places happens to its [`Roll`], which never gives out more than there
//! are, keeps a share from the chat, and lets the first who waits move up.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveTime;

use super::id::{AppointmentId, ContactId};
use super::service_session::{ServiceSession, comes_at, is_held};
use crate::words;

words! {
    /// Where an appointment is.
    pub enum AppointmentState {
        /// In the line for a place.
        Waiting = "waiting",
        /// They have a place.
        Booked = "booked",
        /// They came.
        Served = "served",
        /// They did not come.
        NoShow = "no_show",
        /// They do not want it any more.
        Cancelled = "cancelled",
        /// The office called it off.
        CalledOff = "called_off",
        /// The session was over before they got a place, or nobody said who came.
        Lapsed = "lapsed",
    }
}

words! {
    /// Something that happens to an appointment.
    pub enum AppointmentEvent {
        /// A place got free, and they are the first in the line.
        MoveUp = "move_up",
        /// They came to the counter.
        Serve = "serve",
        /// They did not come.
        Miss = "miss",
        /// The session is over, and nobody said whether they came.
        Lapse = "lapse",
        /// They cancel.
        Cancel = "cancel",
        /// The office calls it off.
        CallOff = "call_off",
        /// That they did not come was noted by mistake.
        TakeBack = "take_back",
    }
}

words! {
    /// Where an appointment comes from.
    pub enum Origin {
        /// A citizen asked in a chat.
        Chat = "chat",
        /// An officer gave the place out.
        Desk = "desk",
    }
}

words! {
    /// What somebody is still to be told.
    pub enum Tell {
        /// The office called the session off.
        CalledOff = "called_off",
        /// They have a place now.
        MovedUp = "moved_up",
    }
}

impl AppointmentState {
    /// Whether it is still to come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Booked)
    }

    /// Whether it takes one of the places.
    #[must_use]
    pub const fn takes_seat(self) -> bool {
        matches!(self, Self::Booked | Self::Served)
    }

    /// What becomes of it; nothing when that cannot happen to it.
    #[must_use]
    pub const fn after(self, event: AppointmentEvent) -> Option<Self> {
        use AppointmentEvent as E;
        match (self, event) {
            (Self::Waiting, E::MoveUp) | (Self::NoShow, E::TakeBack) => Some(Self::Booked),
            (Self::Booked, E::Serve) => Some(Self::Served),
            (Self::Booked, E::Miss) => Some(Self::NoShow),
            (Self::Waiting | Self::Booked, E::Lapse) => Some(Self::Lapsed),
            (Self::Waiting | Self::Booked, E::Cancel) => Some(Self::Cancelled),
            (Self::Waiting | Self::Booked, E::CallOff) => Some(Self::CalledOff),
            (Self::Waiting, E::Serve | E::Miss | E::TakeBack)
            | (Self::Booked, E::MoveUp | E::TakeBack)
            | (Self::Served | Self::NoShow | Self::Cancelled | Self::CalledOff | Self::Lapsed, _) => {
                None
            }
        }
    }
}

/// Characters without `0 O 1 I L U V`, as in the references of messages.
const ALPHABET: &[u8; 29] = b"ABCDEFGHJKMNPQRSTWXYZ23456789";
const BASE: u64 = ALPHABET.len() as u64;
const LENGTH: usize = 4;

/// The code of an appointment: `J-7KQ4`. A name and no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppointmentCode(String);

/// A text that is no code of an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the code of an appointment is written like J-7KQ4")]
pub struct NotACode;

impl AppointmentCode {
    /// The code drawn by a random number. There are 700,000: whoever keeps them must be ready to draw again.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        let mut text = "J-".to_owned();
        let mut rest = random;
        for _ in 0..LENGTH {
            let index = usize::try_from(rest % BASE).unwrap_or_default();
            text.push(ALPHABET.get(index).copied().map_or('A', char::from));
            rest /= BASE;
        }
        Self(text)
    }

    /// The first code that stands in a text as it is printed, with its dash, in any case.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        Self::read_words(text).find_map(|(code, is_printed)| is_printed.then_some(code))
    }

    /// All that may be a code in a text: `J7KQ4` is one where somebody has it, and `jam23` a word.
    #[must_use]
    pub fn guesses_in(text: &str) -> Vec<Self> {
        Self::read_words(text).map(|(code, _)| code).collect()
    }

    /// Each with whether it stands there as it is printed; without its dash only where a digit shows that it is no
    /// word.
    fn read_words(text: &str) -> impl Iterator<Item = (Self, bool)> {
        text.split(|c: char| !c.is_alphanumeric() && c != '-').filter_map(|word| {
            let word = word.to_ascii_uppercase();
            let rest = word.strip_prefix('J')?;
            let (code, is_printed) = match rest.strip_prefix('-') {
                Some(code) => (code, true),
                None => (rest, false),
            };
            let is_marked = is_printed || code.bytes().any(|b| b.is_ascii_digit());
            let code = is_marked.then(|| Self::of(code)).flatten()?;
            Some((code, is_printed))
        })
    }

    /// Reads what an officer typed, who knows that it is one: in any case, with or without `J` and dash.
    ///
    /// # Errors
    /// [`NotACode`] when it cannot be one.
    pub fn parse_typed(raw: &str) -> Result<Self, NotACode> {
        let typed: String =
            raw.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect();
        let code =
            if typed.len() > LENGTH { typed.strip_prefix('J') } else { Some(typed.as_str()) };
        code.and_then(Self::of).ok_or(NotACode)
    }

    fn of(code: &str) -> Option<Self> {
        let is_plain = code.len() == LENGTH && code.bytes().all(|b| ALPHABET.contains(&b));
        is_plain.then(|| Self(format!("J-{code}")))
    }

    /// The code as it is shown and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppointmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AppointmentCode {
    type Err = NotACode;
    fn from_str(text: &str) -> Result<Self, NotACode> {
        Self::parse_typed(text)
    }
}

/// One appointment, as far as the places of its session go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub id: AppointmentId,
    /// Where it comes from.
    pub origin: Origin,
    /// Whose chat.
    pub contact: Option<ContactId>,
    /// What for.
    pub service: String,
    /// Which place; none while they wait.
    pub seat: Option<i64>,
    /// When they were told to come.
    pub comes: Option<NaiveTime>,
    /// Where it is.
    pub state: AppointmentState,
}

impl Entry {
    /// Whether it is still to come, and of the same chat for the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.state.is_open()
            && self.contact.is_some()
            && self.contact == other.contact
            && self.service == other.service
    }
}

/// What somebody who asked for a place got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// A place: come then.
    Seat(NaiveTime),
    /// The place in the line, from 1.
    Line(i64),
}

/// Why somebody gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// They have one for it, or wait for one.
    #[error("this chat has an appointment for this service in this session already")]
    Twice,
    /// None is free, and they do not want to wait.
    #[error("no place is free")]
    Full,
}

/// All appointments of a session, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// From when to when.
    pub window: (NaiveTime, NaiveTime),
    /// How many may come.
    pub quota: i64,
    /// Of these, kept from the chat.
    pub held: i64,
    /// While the place is open, where that is less than the session's hours: nobody gets a place outside of it.
    pub open: Option<(NaiveTime, NaiveTime)>,
    entries: Vec<Entry>,
}

/// Whether somebody who comes then finds a place open that is open in these hours; any, where none are given.
#[must_use]
pub fn finds_open(open: Option<(NaiveTime, NaiveTime)>, comes: NaiveTime) -> bool {
    open.is_none_or(|(from, to)| comes >= from && comes < to)
}

impl Roll {
    /// Those of a session.
    #[must_use]
    pub fn new(session: &ServiceSession, mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| entry.id);
        let (quota, held) = (session.quota, session.held);
        Self { window: (session.from, session.to), quota, held, open: None, entries }
    }

    /// Everything on it.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn count(&self, fits: impl Fn(&Entry) -> bool) -> i64 {
        i64::try_from(self.entries.iter().filter(|entry| fits(entry)).count()).unwrap_or(i64::MAX)
    }

    /// How many places are taken.
    #[must_use]
    pub fn taken(&self) -> i64 {
        self.count(|entry| entry.state.takes_seat())
    }

    /// How many wait for one.
    #[must_use]
    pub fn waiting(&self) -> i64 {
        self.count(|entry| entry.state == AppointmentState::Waiting)
    }

    /// The place of somebody in the line, from 1; none when they do not wait.
    #[must_use]
    pub fn place_in_line(&self, id: AppointmentId) -> Option<i64> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        (entry.state == AppointmentState::Waiting)
            .then(|| self.count(|other| other.state == AppointmentState::Waiting && other.id <= id))
    }

    /// The free places that somebody may have who comes no earlier than then, those first that they should have.
    fn free_seats(&self, origin: Origin, not_before: NaiveTime) -> Vec<i64> {
        if self.taken() >= self.quota {
            return Vec::new();
        }
        let taken: BTreeSet<i64> = self
            .entries
            .iter()
            .filter(|entry| entry.state.takes_seat())
            .filter_map(|entry| entry.seat)
            .collect();
        let is_free = |seat: &i64| {
            let comes = comes_at(self.window, self.quota, *seat);
            !taken.contains(seat) && comes >= not_before && finds_open(self.open, comes)
        };
        let mut free: Vec<i64> = (0..self.quota).filter(is_free).collect();
        let is_kept = |seat: &i64| is_held(self.quota, self.held, *seat);
        match origin {
            Origin::Chat => free.retain(|seat| !is_kept(seat)),
            Origin::Desk => free.sort_by_key(|seat| !is_kept(seat)),
        }
        // After the quota was made less, places lie beyond it that are taken all the same.
        let left = self.quota - self.taken();
        free.truncate(usize::try_from(left).unwrap_or(0));
        free
    }

    /// When somebody would come who asked for a place now in a chat; none when they would have to wait. Who comes
    /// later does not pass those who wait.
    #[must_use]
    pub fn next_for_chat(&self, not_before: NaiveTime) -> Option<NaiveTime> {
        if self.waiting() > 0 {
            return None;
        }
        let seat = self.free_seats(Origin::Chat, not_before).first().copied()?;
        Some(comes_at(self.window, self.quota, seat))
    }

    /// Somebody asks for a place; who comes later than all on the roll must have a greater id. `may_wait` lets them
    /// wait where none is free.
    ///
    /// # Errors
    /// [`NoPlace`]; then nothing has changed.
    pub fn join(
        &mut self,
        mut new: Entry,
        not_before: NaiveTime,
        may_wait: bool,
    ) -> Result<Given, NoPlace> {
        if self.entries.iter().any(|entry| entry.is_same(&new)) {
            return Err(NoPlace::Twice);
        }
        let may_pass = new.origin == Origin::Desk || self.waiting() == 0;
        let seat = self.free_seats(new.origin, not_before).first().copied().filter(|_| may_pass);
        let given = match seat {
            Some(seat) => {
                let comes = comes_at(self.window, self.quota, seat);
                (new.seat, new.comes, new.state) =
                    (Some(seat), Some(comes), AppointmentState::Booked);
                Given::Seat(comes)
            }
            None if may_wait => {
                (new.seat, new.comes, new.state) = (None, None, AppointmentState::Waiting);
                Given::Line(self.waiting() + 1)
            }
            None => return Err(NoPlace::Full),
        };
        self.entries.push(new);
        Ok(given)
    }

    /// Something happens to one of them; `false` when it cannot.
    pub fn happen(&mut self, id: AppointmentId, event: AppointmentEvent) -> bool {
        // Who moves up needs a place, which `fill` looks for, and who is taken back does: see `take_back`.
        if matches!(event, AppointmentEvent::MoveUp | AppointmentEvent::TakeBack) {
            return false;
        }
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else {
            return false;
        };
        let Some(state) = entry.state.after(event) else { return false };
        entry.state = state;
        true
    }

    /// Gives what is free to those who wait, the first of them first; gives who moved up.
    pub fn fill(&mut self, not_before: NaiveTime) -> Vec<AppointmentId> {
        let mut moved = Vec::new();
        while let Some(seat) = self.free_seats(Origin::Chat, not_before).first().copied() {
            let comes = comes_at(self.window, self.quota, seat);
            let first =
                self.entries.iter_mut().find(|entry| entry.state == AppointmentState::Waiting);
            let Some(first) = first else { break };
            let Some(state) = first.state.after(AppointmentEvent::MoveUp) else { break };
            (first.state, first.seat, first.comes) = (state, Some(seat), Some(comes));
            moved.push(first.id);
        }
        moved
    }

    /// Takes back that somebody did not come: they have their place again, or come besides those who have one where it
    /// went to another. Gives how they stand then; nothing where nobody said that they did not come.
    pub fn take_back(&mut self, mut missed: Entry) -> Option<Entry> {
        missed.state = missed.state.after(AppointmentEvent::TakeBack)?;
        let has_other = |other: &Entry| {
            other.state.takes_seat() && other.seat == missed.seat && other.id != missed.id
        };
        if self.entries.iter().any(has_other) || self.taken() >= self.quota {
            missed.seat = None;
        }
        self.entries.retain(|entry| entry.id != missed.id);
        self.entries.push(missed.clone());
        self.entries.sort_by_key(|entry| entry.id);
        Some(missed)
    }

    /// Keeps what lies in these hours: who was to come at another time is called off, and all others keep theirs.
    pub fn shorten(&mut self, (from, to): (NaiveTime, NaiveTime)) {
        let lies_in = |time: NaiveTime| time >= from && time < to;
        let is_left = |seat: &i64| lies_in(comes_at(self.window, self.quota, *seat));
        let left: Vec<i64> = (0..self.quota).filter(is_left).collect();
        let held = left.iter().filter(|seat| is_held(self.quota, self.held, **seat)).count();
        for entry in &mut self.entries {
            let is_out = entry.comes.is_some_and(|comes| !lies_in(comes));
            if is_out
                && entry.state == AppointmentState::Booked
                && let Some(state) = entry.state.after(AppointmentEvent::CallOff)
            {
                entry.state = state;
            }
        }
        let left = i64::try_from(left.len()).unwrap_or(i64::MAX);
        self.quota = left.max(self.taken()).max(1);
        self.held = i64::try_from(held).unwrap_or(0).min(self.quota - 1);
        self.window = (from, to);
        self.seat_anew();
    }

    /// Gives everybody the free place nearest to the time that they were told.
    fn seat_anew(&mut self) {
        let (window, quota) = (self.window, self.quota);
        let mut free: Vec<i64> = (0..quota).collect();
        let mut seated: Vec<&mut Entry> =
            self.entries.iter_mut().filter(|entry| entry.state.takes_seat()).collect();
        seated.sort_by_key(|entry| (entry.comes, entry.id));
        for entry in seated {
            let told = entry.comes.unwrap_or(window.0);
            let far = |seat: &i64| (comes_at(window, quota, *seat) - told).num_minutes().abs();
            entry.seat = free.iter().min_by_key(|seat| far(seat)).copied();
            free.retain(|seat| Some(*seat) != entry.seat);
        }
    }

    /// Changes how many may come; `false` when more than that are on it already.
    pub fn resize(&mut self, quota: i64, held: i64) -> bool {
        if self.taken() > quota {
            return false;
        }
        (self.quota, self.held) = (quota, held);
        true
    }
}

#[cfg(test)]
mod tests;
