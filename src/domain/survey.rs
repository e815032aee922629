//! The satisfaction survey of Permenpan RB 14/2017: its nine elements, and the index made of them.
//!
//! Each element weighs exactly a ninth; the 0.11 that is printed in many reports would make 99 the
//! best figure there is.

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// What is rated, by the names of the rule: numbers of elements differ between offices.
    #[derive(Serialize, Deserialize)]
    pub enum Element {
        /// How easy the requirements are.
        #[serde(rename = "persyaratan")]
        Requirements = "persyaratan",
        /// How easy the procedure is.
        #[serde(rename = "prosedur")]
        Procedure = "prosedur",
        /// How quick it is.
        #[serde(rename = "waktu")]
        Time = "waktu",
        /// What it costs, which is nothing.
        #[serde(rename = "biaya")]
        Cost = "biaya",
        /// Whether the paper is right.
        #[serde(rename = "produk")]
        Product = "produk",
        /// What the officers can do.
        #[serde(rename = "kompetensi")]
        Competence = "kompetensi",
        /// How the officers behave.
        #[serde(rename = "perilaku")]
        Behaviour = "perilaku",
        /// How complaints are dealt with.
        #[serde(rename = "pengaduan")]
        Complaints = "pengaduan",
        /// What the place is like.
        #[serde(rename = "sarana")]
        Facilities = "sarana",
    }
}

/// A rating, from 1 (not good) to 4 (very good).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// A rating of 1 to 4.
    #[must_use]
    pub const fn new(score: u8) -> Option<Self> {
        if score >= 1 && score <= 4 { Some(Self(score)) } else { None }
    }

    /// The figure.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Fewest answers to an element from which its mean says anything.
pub const MIN_ANSWERS: i64 = 30;

/// What was answered about one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The element.
    pub element: Element,
    /// How many answered.
    pub answers: i64,
    /// The sum of what they answered.
    pub sum: i64,
}

impl Tally {
    /// The mean, from 1 to 4; none without an answer.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.answers > 0).then(|| as_f64(self.sum) / as_f64(self.answers))
    }

    /// Whether enough answered.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.answers >= MIN_ANSWERS
    }
}

/// Counts of answers are far below where an `f64` loses whole numbers.
#[expect(clippy::cast_precision_loss, reason = "counts of answers are small")]
const fn as_f64(count: i64) -> f64 {
    count as f64
}

/// The index of the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Index {
    /// From 25 to 100, in two decimals.
    pub value: f64,
    /// A, B, C or D.
    pub grade: char,
}

/// The index of all nine elements; none as long as one of them has too few answers.
#[must_use]
pub fn index(tallies: &[Tally]) -> Option<Index> {
    let mut sum = 0.0;
    for element in Element::ALL {
        let tally = tallies.iter().find(|tally| tally.element == *element)?;
        if !tally.is_enough() {
            return None;
        }
        sum += tally.mean()?;
    }
    let ninth = 1.0 / as_f64(i64::try_from(Element::ALL.len()).unwrap_or(9));
    // Rounded before it is graded: the bands of the rule leave gaps between two decimals.
    // What lies in the middle of two of them goes up, also where binary figures fall a hair below.
    let value = (25.0 * sum * ninth * 100.0 + 1e-7).round() / 100.0;
    Some(Index { value, grade: grade(value) })
}

/// The band of an index in two decimals (Permenpan RB 14/2017, annex).
fn grade(value: f64) -> char {
    match value {
        value if value >= 88.31 => 'A',
        value if value >= 76.61 => 'B',
        value if value >= 65.00 => 'C',
        _ => 'D',
    }
}

/// The elements in the order in which they are asked: those with the fewest answers first, so that
/// all nine fill evenly.
#[must_use]
pub fn order(tallies: &[Tally]) -> Vec<Element> {
    let answers =
        |element: Element| tallies.iter().find(|t| t.element == element).map_or(0, |t| t.answers);
    let mut elements = Element::ALL.to_vec();
    elements.sort_by_key(|element| answers(*element));
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(answers: i64, sum: i64) -> Vec<Tally> {
        Element::ALL.iter().map(|&element| Tally { element, answers, sum }).collect()
    }

    fn value(tallies: &[Tally]) -> (f64, char) {
        index(tallies).map_or((0.0, '?'), |index| (index.value, index.grade))
    }

    #[test]
    fn the_best_is_100_and_the_worst_25() {
        assert_eq!(value(&all(30, 120)), (100.0, 'A'));
        assert_eq!(value(&all(30, 30)), (25.0, 'D'));
    }

    #[test]
    fn a_value_between_two_bands_is_rounded_into_one() {
        // 3.0642 on the mean is 76.605, which the printed bands leave out.
        assert_eq!(value(&all(10_000, 30_642)), (76.61, 'B'));
        assert_eq!(value(&all(10_000, 30_641)), (76.60, 'C'));
        assert_eq!(value(&all(1_000, 2_600)), (65.0, 'C'));
        assert_eq!(value(&all(10_000, 25_998)), (65.0, 'C'));
        assert_eq!(value(&all(10_000, 25_994)), (64.99, 'D'));
        assert_eq!(value(&all(10_000, 35_324)), (88.31, 'A'));
        assert_eq!(value(&all(10_000, 35_318)), (88.3, 'B'));
    }

    #[test]
    fn an_element_with_too_few_answers_keeps_the_index_back() {
        let mut tallies = all(30, 90);
        tallies[4].answers = 29;
        assert_eq!(index(&tallies), None);
        tallies.remove(4);
        assert_eq!(index(&tallies), None);
        assert_eq!(Tally { element: Element::Cost, answers: 0, sum: 0 }.mean(), None);
    }

    #[test]
    fn what_was_answered_least_is_asked_first() {
        let tally = |element, answers| Tally { element, answers, sum: 0 };
        let order = order(&[tally(Element::Requirements, 2), tally(Element::Procedure, 1)]);
        assert_eq!(order[0], Element::Time);
        assert_eq!(order[7..], [Element::Procedure, Element::Requirements]);
    }
}
