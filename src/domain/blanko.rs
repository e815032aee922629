//! Blank cards: what is left of them, for how many days that lasts, and how many cards wait before one.
//!
//! Pure counting. A place in the queue is never told exactly, and never as a date: nobody knows when the next blank
//! cards come.

use super::area::AreaCode;
use super::service_point::BlankoStock;
use crate::words;

/// So many working days show how fast blank cards are used.
pub const RATE_DAYS: u32 = 7;
/// A queue is not counted beyond that.
pub const MOST_COUNTED: i64 = 50_000;

words! {
    /// What somebody notes of blank cards.
    pub enum EntryKind {
        /// They came.
        Delivered = "delivered",
        /// They are to come on a day; the ledger does not hold them yet.
        Expected = "expected",
        /// They were printed on.
        Used = "used",
        /// They were spoiled.
        Spoiled = "spoiled",
        /// They were counted: what stood before does not matter any more.
        Counted = "counted",
    }
}

words! {
    /// Whose cards an office may print before others'.
    pub enum First {
        /// Recorded for the first time.
        FirstTime = "first_time",
        /// Holders of a suket or of a print-ready record, who have no card meanwhile.
        Suket = "suket",
    }
}

words! {
    /// How a ledger hears of used cards: by one of two ways, so that none is counted doubly.
    pub enum UsedBy {
        /// An officer enters them.
        Entry = "entry",
        /// Each card that is printed counts.
        Printed = "printed",
    }
}

/// What the office decided about blank cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlankoPolicy {
    /// Who goes first.
    pub first: Vec<First>,
    /// Whoever lives in one of these goes first as well: areas that a disaster struck.
    pub first_areas: Vec<AreaCode>,
    /// How the ledger hears of used cards.
    pub used_by: UsedBy,
    /// A stock that lasts for fewer days is low.
    pub low_days: i64,
}

impl Default for BlankoPolicy {
    fn default() -> Self {
        Self { first: Vec::new(), first_areas: Vec::new(), used_by: UsedBy::Entry, low_days: 5 }
    }
}

/// A line of the ledger that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What it is.
    pub kind: EntryKind,
    /// How many.
    pub cards: i64,
}

/// What is left after lines in their order.
#[must_use]
pub fn left(lines: impl Iterator<Item = Counted>) -> i64 {
    lines.fold(0, |left, line| match line.kind {
        EntryKind::Delivered => left + line.cards,
        EntryKind::Used | EntryKind::Spoiled => left - line.cards,
        EntryKind::Counted => line.cards,
        EntryKind::Expected => left,
    })
}

/// For how many working days a stock lasts when so many were used in so many; nothing where none was.
#[must_use]
pub fn days_left(left: i64, used: i64, in_days: i64) -> Option<i64> {
    (used > 0 && in_days > 0).then(|| left.max(0) * in_days / used)
}

/// A stock in one word.
#[must_use]
pub fn stock(left: i64, days: Option<i64>, low_days: i64) -> BlankoStock {
    match days {
        _ if left <= 0 => BlankoStock::None,
        Some(days) if days < low_days => BlankoStock::Low,
        _ => BlankoStock::Available,
    }
}

/// A place in the queue as it is told: rounded, the more the further away it is.
#[must_use]
pub const fn rounded(before: i64) -> i64 {
    let step = match before {
        ..10 => return before,
        10..100 => 10,
        100..500 => 50,
        500..10_000 => 100,
        _ => 1_000,
    };
    (before + step / 2) / step * step
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(kind: EntryKind, cards: i64) -> Counted {
        Counted { kind, cards }
    }

    #[test]
    fn a_count_outweighs_what_stood_before_and_what_is_expected_is_not_there() {
        use EntryKind as K;
        let lines = [
            line(K::Delivered, 12_000),
            line(K::Expected, 40_000),
            line(K::Used, 3_000),
            line(K::Spoiled, 12),
        ];
        assert_eq!(left(lines.into_iter()), 8_988);
        let counted = lines.into_iter().chain([line(K::Counted, 8_950), line(K::Used, 50)]);
        assert_eq!(left(counted), 8_900);
    }

    #[test]
    fn a_stock_is_low_by_the_days_it_lasts() {
        assert_eq!(days_left(8_900, 3_500, 7), Some(17));
        assert_eq!(days_left(8_900, 0, 7), None);
        assert_eq!(stock(8_900, Some(17), 5), BlankoStock::Available);
        assert_eq!(stock(900, Some(1), 5), BlankoStock::Low);
        assert_eq!(stock(10, None, 5), BlankoStock::Available);
        assert_eq!(stock(-3, None, 5), BlankoStock::None);
    }

    #[test]
    fn a_place_is_told_roughly() {
        let told = [(0, 0), (7, 7), (14, 10), (95, 100), (1_234, 1_200), (41_499, 41_000)];
        for (before, expected) in told {
            assert_eq!(rounded(before), expected);
        }
    }

    proptest! {
        #[test]
        fn nobody_is_told_to_be_far_ahead_or_behind_of_where_they_are(before in 0_i64..1_000_000) {
            let told = rounded(before);
            prop_assert!((told - before).abs() * 2 <= before.max(1), "{} for {}", told, before);
        }
    }
}
