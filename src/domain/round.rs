//! A courier's round: what each answer and each outcome does to a card on it, and how many cards
//! become rounds.
//!
//! Pure rules. Who holds a card is `custody`'s business, what a citizen hears `card_plan`'s.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::NaiveDate;

use crate::words;

/// Wrong codes that lock an item.
pub const MAX_WRONG_CODES: i64 = 5;
/// Attempts to bring a card home; after them it is collected.
pub const MAX_ATTEMPTS: i64 = 2;
/// Days that somebody is offered instead, at most.
pub const OFFERED_DAYS: usize = 3;

words! {
    /// Where a round is.
    pub enum RoundState {
        /// Planned; nobody knows of it.
        Planned = "planned",
        /// Its citizens were told.
        Announced = "announced",
        /// The courier has the cards.
        Out = "out",
        /// Over.
        Closed = "closed",
        /// Does not take place.
        Cancelled = "cancelled",
    }
}

impl RoundState {
    /// Whether it is still to come or under way.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Closed | Self::Cancelled)
    }
}

words! {
    /// Where a card is on its round.
    pub enum ItemState {
        /// On the list; nobody was told.
        Planned = "planned",
        /// Its holder was told.
        Announced = "announced",
        /// Handed over.
        Done = "done",
        /// The courier was there in vain.
        Failed = "failed",
        /// Not brought on this round.
        Left = "left",
    }
}

impl ItemState {
    /// Whether it is to be brought.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Announced)
    }
}

words! {
    /// What a citizen answers to the announced day.
    pub enum Answer {
        /// Somebody will be home.
        Home = "home",
        /// Another day, please.
        AnotherDay = "another_day",
        /// Family receives it.
        Family = "family",
        /// The address is wrong.
        WrongAddress = "wrong_address",
        /// They collect it themselves.
        WillCollect = "will_collect",
        /// They are somebody else.
        NotMe = "not_me",
    }
}

words! {
    /// What became of a visit.
    pub enum Outcome {
        /// Handed over.
        Received = "received",
        /// Nobody opened.
        NobodyHome = "nobody_home",
        /// Moved away.
        Moved = "moved",
        /// Died.
        Died = "died",
        /// The house was not found.
        UnclearAddress = "unclear_address",
        /// Did not want it.
        Refused = "refused",
        /// The old card, which the office demands, was not there.
        OldCardMissing = "old_card_missing",
    }
}

words! {
    /// Who received a card, and how that was proved.
    pub enum ReceivedBy {
        /// Its holder, with the code.
        Holder = "self",
        /// Family, with the code.
        Family = "family",
        /// Without a code, by an officer's word.
        Override = "override",
    }
}

words! {
    /// Whether the old card was given back.
    pub enum OldCard {
        /// It was.
        Yes = "yes",
        /// It was not.
        No = "no",
        /// The police certified that it is lost.
        PoliceLetter = "police_letter",
    }
}

words! {
    /// What follows for a card that was not handed over.
    pub enum Next {
        /// It goes onto another round.
        Again = "again",
        /// It goes onto a round of the day its holder wished for.
        Day = "day",
        /// It is collected where it lies.
        Collect = "collect",
        /// The desa is asked where the house is.
        AskDesa = "ask_desa",
        /// Its holder died or moved: nobody is told any more.
        Absent = "absent",
        /// It belongs to somebody whose number nobody has.
        NotReached = "not_reached",
    }
}

words! {
    /// What became of a courier's report.
    pub enum Verdict {
        /// Taken.
        Done = "done",
        /// Was here before.
        Repeated = "repeated",
        /// The item was changed meanwhile: kept for the office to decide.
        Conflict = "conflict",
        /// The code is wrong.
        WrongCode = "wrong_code",
        /// Too many wrong codes.
        Locked = "locked",
        /// Something is missing, or not theirs to do.
        Refused = "refused",
    }
}

/// What an answer does: whether the card stays on the round, and what follows if not.
#[must_use]
pub const fn after_answer(answer: Answer) -> Option<Next> {
    match answer {
        Answer::Home | Answer::Family => None,
        Answer::AnotherDay => Some(Next::Day),
        Answer::WrongAddress => Some(Next::AskDesa),
        Answer::WillCollect => Some(Next::Collect),
        Answer::NotMe => Some(Next::NotReached),
    }
}

/// What an outcome does: where the item is then, and what follows.
#[must_use]
pub const fn after_outcome(outcome: Outcome, attempt: i64) -> (ItemState, Option<Next>) {
    let next = match outcome {
        Outcome::Received => return (ItemState::Done, None),
        Outcome::NobodyHome | Outcome::OldCardMissing if attempt < MAX_ATTEMPTS => Next::Again,
        Outcome::NobodyHome | Outcome::OldCardMissing | Outcome::Refused => Next::Collect,
        Outcome::Moved | Outcome::Died => Next::Absent,
        Outcome::UnclearAddress => Next::AskDesa,
    };
    (ItemState::Failed, Some(next))
}

/// The number of the attempt that comes after an item which did not end in somebody's hand: only a
/// visit counts.
#[must_use]
pub const fn next_attempt(attempt: i64, outcome: Option<Outcome>) -> i64 {
    match outcome {
        Some(Outcome::NobodyHome | Outcome::OldCardMissing) => attempt + 1,
        _ => attempt,
    }
}

/// Why a report contradicts what is on file; nothing when it does not. Something that happened
/// later in the same round does not contradict a visit in vain: couriers come back.
#[must_use]
pub const fn contradiction(round: RoundState, item: ItemState) -> Option<&'static str> {
    match (round, item) {
        (_, ItemState::Done) => Some("already_received"),
        (RoundState::Cancelled, _) => Some("round_cancelled"),
        (_, ItemState::Left) => Some("left_round"),
        (RoundState::Closed, _) => Some("round_closed"),
        _ => None,
    }
}

/// What a courier says about receiving, as far as rules about it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// Who received it.
    pub by: Option<ReceivedBy>,
    /// Their name.
    pub receiver: &'a str,
    /// The code they said.
    pub code: &'a str,
    /// What became of the old card.
    pub old_card: Option<OldCard>,
    /// Why without a code.
    pub reason: &'a str,
}

/// What is on file where a card is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtTheDoor {
    /// Whether the code said is the right one; none where none was told.
    pub code: Option<bool>,
    /// Wrong codes so far.
    pub wrong_codes: i64,
    /// The office demands the old card.
    pub is_old_card_demanded: bool,
    /// Whoever reports may do without the code.
    pub may_override: bool,
}

/// Whether a card may be handed over like that; else why not.
///
/// # Errors
/// The verdict and one word more.
pub fn check_receipt(said: &Receipt<'_>, door: &AtTheDoor) -> Result<(), (Verdict, &'static str)> {
    let refused = |why| Err((Verdict::Refused, why));
    let Some(by) = said.by else { return refused("by_missing") };
    if by != ReceivedBy::Holder && said.receiver.trim().is_empty() {
        return refused("receiver_missing");
    }
    if door.is_old_card_demanded
        && !matches!(said.old_card, Some(OldCard::Yes | OldCard::PoliceLetter))
    {
        return refused("old_card_demanded");
    }
    if by == ReceivedBy::Override {
        if said.reason.trim().is_empty() {
            return refused("reason_missing");
        }
        // Whoever was told a code shall say it, or an officer answers for it.
        return if door.may_override || door.code.is_none() {
            Ok(())
        } else {
            refused("needs_officer")
        };
    }
    let Some(is_right) = door.code else { return refused("no_code_told") };
    if door.wrong_codes >= MAX_WRONG_CODES {
        return Err((Verdict::Locked, "locked"));
    }
    if is_right { Ok(()) } else { Err((Verdict::WrongCode, "wrong_code")) }
}

/// The four digits of a hand-over code, by a random number.
#[must_use]
pub fn code(random: u64) -> String {
    format!("{:04}", random % 10_000)
}

/// A card to be brought, as far as planning goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToBring<Id> {
    /// Which.
    pub id: Id,
    /// Digits of the desa.
    pub desa: String,
    /// The RW, as the source wrote it.
    pub rw: String,
    /// The RT, as the source wrote it.
    pub rt: String,
    /// Since when it waits.
    pub since: i64,
    /// The day its holder wished for.
    pub wish: Option<NaiveDate>,
}

/// A courier on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot<Courier> {
    /// The day.
    pub day: NaiveDate,
    /// Who.
    pub courier: Courier,
    /// Cards that already go on that round.
    pub taken: usize,
}

/// Puts cards onto rounds, and gives those of each slot in the order of the way: by desa, RW, RT.
/// Whose day was wished for goes on that day; of the others those that wait longest go first, and
/// the desa that waits longest first. What does not fit is left out.
#[must_use]
pub fn plan<Id: Clone + Ord, Courier>(
    cards: &[ToBring<Id>],
    capacity: usize,
    slots: &[Slot<Courier>],
) -> Vec<Vec<Id>> {
    let mut rounds: Vec<Vec<&ToBring<Id>>> = slots.iter().map(|_| Vec::new()).collect();
    let mut room: Vec<usize> =
        slots.iter().map(|slot| capacity.saturating_sub(slot.taken)).collect();
    let mut oldest: Vec<&ToBring<Id>> = cards.iter().collect();
    oldest.sort_unstable_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    for card in oldest.iter().filter(|card| card.wish.is_some()) {
        let fits = |(index, slot): &(usize, &Slot<Courier>)| {
            Some(slot.day) == card.wish && room.get(*index).is_some_and(|room| *room > 0)
        };
        if let Some((index, _)) = slots.iter().enumerate().find(fits)
            && let (Some(round), Some(room)) = (rounds.get_mut(index), room.get_mut(index))
        {
            round.push(card);
            *room -= 1;
        }
    }
    let free: usize = room.iter().sum();
    let others = oldest.into_iter().filter(|card| card.wish.is_none());
    let mut others: Vec<&ToBring<Id>> = others.take(free).collect();
    let mut rank: HashMap<&str, usize> = HashMap::new();
    for card in &others {
        let next = rank.len();
        rank.entry(card.desa.as_str()).or_insert(next);
    }
    others.sort_by_cached_key(|card| (rank.get(card.desa.as_str()).copied(), way(card)));
    let mut others = others.into_iter();
    for (round, room) in rounds.iter_mut().zip(room) {
        round.extend(others.by_ref().take(room));
        round.sort_by_cached_key(|card| (rank.get(card.desa.as_str()).copied(), way(card)));
    }
    rounds
        .into_iter()
        .map(|cards| cards.into_iter().map(|card| card.id.clone()).collect())
        .collect()
}

type Way<Id> = (String, (u64, String), (u64, String), i64, Id);

fn way<Id: Clone>(card: &ToBring<Id>) -> Way<Id> {
    (card.desa.clone(), number(&card.rw), number(&card.rt), card.since, card.id.clone())
}

/// RT and RW in the order of their numbers; what has none comes last.
fn number(raw: &str) -> (u64, String) {
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    (digits.parse().unwrap_or(u64::MAX), raw.trim().to_owned())
}

/// How many cards of each kind of state a list holds.
#[must_use]
pub fn counts<K: Copy + Eq + Hash>(states: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut counts = HashMap::new();
    for state in states {
        *counts.entry(state).or_default() += 1;
    }
    counts
}
