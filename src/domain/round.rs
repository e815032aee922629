//! A courier's round: what each answer and each outcome does to a card on it, and how many cards
//! become rounds.
//!
//! Pure rules. Who holds a card is `custody`'s business, what a citizen hears `card_plan`'s.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::NaiveDate;

use super::card::CardStatus;
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

words! {
    /// Whether the code was right in a report that contradicts what is on file.
    pub enum CodeWord {
        /// It was.
        Right = "right",
        /// It was another.
        Wrong = "wrong",
        /// None was said, or none was told.
        None = "none",
    }
}

/// Where a card of a round is when a source speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Where {
    /// A courier has it.
    pub is_in_bag: bool,
    /// Its item is still to be brought, or was tried on a round that is under way.
    pub is_on_way: bool,
    /// Its holder was told of the round.
    pub is_announced: bool,
}

/// What a source's word does to a card that is on a round, or in a courier's bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSource {
    /// Nothing but what it says.
    Nothing,
    /// It is kept, and nobody is told: what the round says of the card stands.
    Stands,
    /// The same, and once the card is back it can be collected.
    OnceBack,
    /// The card leaves its round; with `true` it goes onto another.
    Leaves(bool),
}

/// What a source's word does to a card of a round. `is_other_day` tells that the source has an
/// appointment of its own for it.
#[must_use]
pub const fn after_source(said: CardStatus, is_other_day: bool, at: Where) -> AfterSource {
    use CardStatus as S;
    match said {
        S::Issued => AfterSource::Leaves(false),
        S::ReadyToCollect if at.is_in_bag && !at.is_on_way => AfterSource::OnceBack,
        S::ReadyToCollect | S::Printed | S::Shipped | S::HomeDeliveryScheduled if at.is_in_bag => {
            AfterSource::Stands
        }
        _ if at.is_in_bag || !at.is_on_way => AfterSource::Nothing,
        S::ReadyToCollect => AfterSource::Leaves(false),
        S::Printed | S::Shipped | S::HomeDeliveryScheduled if is_other_day => {
            AfterSource::Leaves(false)
        }
        S::Printed | S::Shipped | S::HomeDeliveryScheduled if at.is_announced => {
            AfterSource::Stands
        }
        S::Printed | S::Shipped => AfterSource::Nothing,
        _ => AfterSource::Leaves(true),
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
    /// None was told yet, but they have a number and will be.
    pub is_code_to_come: bool,
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
    let is_officers_word = by == ReceivedBy::Override && door.may_override;
    let is_given = matches!(said.old_card, Some(OldCard::Yes | OldCard::PoliceLetter));
    if door.is_old_card_demanded && !is_given && !is_officers_word {
        return refused("old_card_demanded");
    }
    if by == ReceivedBy::Override {
        if said.reason.trim().is_empty() {
            return refused("reason_missing");
        }
        // Whoever was told a code shall say it, or an officer answers for it.
        return match door.code {
            _ if door.may_override => Ok(()),
            Some(_) => refused("needs_officer"),
            None if door.is_code_to_come => refused("code_to_come"),
            None => Ok(()),
        };
    }
    let Some(is_right) = door.code else {
        return refused(if door.is_code_to_come { "code_to_come" } else { "no_code_told" });
    };
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
    /// The day its holder wished for, while it is still to come.
    pub wish: Option<NaiveDate>,
}

/// A courier on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot<Courier> {
    /// The day.
    pub day: NaiveDate,
    /// Who.
    pub courier: Courier,
    /// Cards that the courier brings in that window already.
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
    match digits.parse() {
        // `2` and `002` are the same.
        Ok(number) => (number, String::new()),
        Err(_) => (u64::MAX, raw.trim().to_owned()),
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    #[test]
    fn two_visits_in_vain_make_it_collection_and_a_refusal_at_once() {
        assert_eq!(after_outcome(Outcome::NobodyHome, 1), (ItemState::Failed, Some(Next::Again)));
        assert_eq!(after_outcome(Outcome::NobodyHome, 2), (ItemState::Failed, Some(Next::Collect)));
        assert_eq!(after_outcome(Outcome::Refused, 1).1, Some(Next::Collect));
        assert_eq!(next_attempt(1, Some(Outcome::NobodyHome)), 2);
        assert_eq!(next_attempt(1, Some(Outcome::UnclearAddress)), 1);
        assert_eq!(next_attempt(1, None), 1);
    }

    #[test]
    fn a_code_is_asked_of_whoever_was_told_one_and_an_officer_may_do_without() {
        let said = Receipt {
            by: Some(ReceivedBy::Holder),
            receiver: "",
            code: "0000",
            old_card: None,
            reason: "",
        };
        let door = AtTheDoor {
            code: Some(true),
            is_code_to_come: false,
            wrong_codes: 0,
            is_old_card_demanded: false,
            may_override: false,
        };
        assert_eq!(check_receipt(&said, &door), Ok(()));
        let wrong = AtTheDoor { code: Some(false), ..door };
        assert_eq!(check_receipt(&said, &wrong).unwrap_err().0, Verdict::WrongCode);
        let locked = AtTheDoor { wrong_codes: MAX_WRONG_CODES, ..door };
        assert_eq!(check_receipt(&said, &locked).unwrap_err().0, Verdict::Locked);
        let none = AtTheDoor { code: None, ..door };
        assert_eq!(check_receipt(&said, &none), Err((Verdict::Refused, "no_code_told")));
        let by_word = Receipt {
            by: Some(ReceivedBy::Override),
            receiver: "Siti",
            reason: "tanpa telepon",
            ..said
        };
        assert_eq!(check_receipt(&by_word, &none), Ok(()));
        let to_come = AtTheDoor { is_code_to_come: true, ..none };
        for said in [&said, &by_word] {
            assert_eq!(check_receipt(said, &to_come), Err((Verdict::Refused, "code_to_come")));
        }
        let officer = AtTheDoor { may_override: true, ..to_come };
        assert_eq!(check_receipt(&by_word, &officer), Ok(()));
        assert_eq!(check_receipt(&by_word, &door), Err((Verdict::Refused, "needs_officer")));
        let officer = AtTheDoor { may_override: true, ..locked };
        assert_eq!(check_receipt(&by_word, &officer), Ok(()));
        let demanded = AtTheDoor { is_old_card_demanded: true, ..door };
        assert_eq!(check_receipt(&said, &demanded).unwrap_err().1, "old_card_demanded");
        let letter = Receipt { old_card: Some(OldCard::PoliceLetter), ..said };
        assert_eq!(check_receipt(&letter, &demanded), Ok(()));
    }

    #[test]
    fn what_a_source_says_of_a_card_on_a_round_is_reconciled_with_it() {
        use AfterSource::{Leaves, Nothing, OnceBack, Stands};
        use CardStatus as S;
        let planned = Where { is_in_bag: false, is_on_way: true, is_announced: false };
        let announced = Where { is_announced: true, ..planned };
        let carried = Where { is_in_bag: true, ..announced };
        let to_go_back = Where { is_in_bag: true, is_on_way: false, is_announced: false };
        for at in [planned, announced, carried, to_go_back] {
            assert_eq!(after_source(S::Issued, false, at), Leaves(false));
        }
        for (said, expected) in [
            (S::ReadyToCollect, [Leaves(false), Leaves(false), Stands, OnceBack]),
            (S::Printed, [Nothing, Stands, Stands, Stands]),
            (S::Duplicate, [Leaves(true), Leaves(true), Nothing, Nothing]),
        ] {
            let found =
                [planned, announced, carried, to_go_back].map(|at| after_source(said, false, at));
            assert_eq!(found, expected, "{said}");
        }
        let theirs = after_source(S::HomeDeliveryScheduled, true, announced);
        assert_eq!(theirs, Leaves(false), "the source brings it itself");
    }

    #[test]
    fn a_round_goes_by_rw_and_rt_in_the_order_of_their_numbers() {
        let card = |id: u32, rw: &str, rt: &str| ToBring {
            id,
            desa: "3517092018".to_owned(),
            rw: rw.to_owned(),
            rt: rt.to_owned(),
            since: 0,
            wish: None,
        };
        let cards =
            [card(1, "10", "1"), card(2, "002", "10"), card(3, "2", "009"), card(4, "", "")];
        let slots = [Slot { day: day(24), courier: (), taken: 0 }];
        assert_eq!(plan(&cards, 10, &slots), [[3, 2, 1, 4]]);
    }

    fn any_card() -> impl Strategy<Value = (u8, u8, u8, i64, Option<u32>)> {
        (0..4_u8, 0..5_u8, 0..9_u8, 0..100_i64, prop::option::weighted(0.2, 24..28_u32))
    }

    proptest! {
        /// Each card at most once, no round above its capacity, wishes on their day only, nobody
        /// passed over who waits longer, and each desa's RW in one piece.
        #[test]
        fn rounds_hold_each_card_once_and_those_that_wait_longest(
            cards in prop::collection::vec(any_card(), 0..60),
            capacity in 1..20_usize,
            days in prop::collection::vec(24..27_u32, 1..4),
        ) {
            let cards: Vec<ToBring<usize>> = cards
                .into_iter()
                .enumerate()
                .map(|(id, (desa, rw, rt, since, wish))| ToBring {
                    id,
                    desa: format!("351709200{desa}"),
                    rw: rw.to_string(),
                    rt: rt.to_string(),
                    since,
                    wish: wish.map(day),
                })
                .collect();
            let slots: Vec<Slot<()>> =
                days.iter().map(|d| Slot { day: day(*d), courier: (), taken: 0 }).collect();
            let rounds = plan(&cards, capacity, &slots);
            prop_assert_eq!(rounds.len(), slots.len());
            let mut seen = BTreeSet::new();
            for (round, slot) in rounds.iter().zip(&slots) {
                prop_assert!(round.len() <= capacity);
                for id in round {
                    prop_assert!(seen.insert(*id));
                    prop_assert!(cards[*id].wish.is_none_or(|wish| wish == slot.day));
                }
                let order: Vec<_> = round.iter().map(|id| (&cards[*id].desa, &cards[*id].rw)).collect();
                let pieces: BTreeSet<_> = order.iter().collect();
                let changes = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
                prop_assert!(order.is_empty() || changes + 1 == pieces.len());
            }
            let free: Vec<_> = cards.iter().filter(|card| card.wish.is_none()).collect();
            let last_in = free.iter().filter(|c| seen.contains(&c.id)).map(|c| (c.since, c.id)).max();
            let first_out = free.iter().filter(|c| !seen.contains(&c.id)).map(|c| (c.since, c.id)).min();
            if let (Some(last_in), Some(first_out)) = (last_in, first_out) {
                prop_assert!(last_in < first_out);
                prop_assert!(rounds.iter().all(|round| round.len() == capacity));
            }
        }
    }
}
