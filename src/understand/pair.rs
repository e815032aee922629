//! Two questions in one message: "what do I bring for a lost card, and does it cost anything?"
//!
//! Looks at both sides of every place where a second question may begin. How probable a pair is, was fitted by
//! logistic regression on the development set; whether both are answered is decided elsewhere.

use super::clause::Mark;
use super::decide::{odds, probability};
use super::label::{CLARIFY_TOPIC, is_aspect, is_offerable, is_outside};
use super::reading::{CutReading, Learned, Reading};

/// Share in its side from which a label is looked at.
const WORTH_LOOKING: f32 = 0.02;
/// Most labels looked at in one side.
const MOST_LOOKED_AT: usize = 8;
/// Share in the whole below which a label counts as hardly there.
const HARDLY: f32 = 0.003;
/// Share in the whole below which a service is not the one that is asked about, when another is named.
const HARDLY_MEANT: f32 = 0.01;
/// Share in the whole that a label needs to be answered before the other.
const MAY_BE_FIRST: f32 = 0.2;
/// Words that go with a question and are none.
const COURTESY: &[&str] = &["ack", "greeting", "thanks"];
/// Share in its side from which the question behind them is answered.
const CLEARLY_ASKED: f32 = 0.9;
/// Share in its side from which each of two questions that signs set apart is clear by itself.
const CLEAR: f32 = 0.6;
/// How probably both are asked then, at the least: of 4 such places in the development set 4 parted two questions.
const CLEARLY_BOTH: f32 = 0.3;
/// What is no question beside another one.
const NO_HALF: &[&str] = &["help_capabilities", "subscribe"];

/// Two questions, in the order in which they are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) first: &'a str,
    pub(crate) second: &'a str,
    /// How probably both are asked.
    pub(crate) confidence: f32,
    /// The place between them is marked with a sign.
    pub(crate) is_marked: bool,
}

impl Pair<'_> {
    /// The other one, if this is one of them.
    pub(crate) fn beside(&self, label: &str) -> Option<String> {
        let other = match (self.first == label, self.second == label) {
            (true, _) => self.second,
            (_, true) => self.first,
            _ => return None,
        };
        Some(other.to_owned())
    }
}

/// The likeliest pair, if the text can be read as two questions at all.
pub(crate) fn likeliest<'a>(learned: &'a Learned, reading: &Reading) -> Option<Pair<'a>> {
    let whole = Whole {
        learned,
        shares: &reading.shares,
        is_long: reading.is_long,
        service: service(learned, &reading.shares),
        most: reading.shares.iter().copied().fold(0.0, f32::max),
    };
    let pairs = reading.cuts.iter().flat_map(|cut| whole.pairs(cut));
    let (pair, [first, second]) = pairs.max_by(|a, b| a.0.confidence.total_cmp(&b.0.confidence))?;
    // What is hardly there is not what the message begins with.
    let is_turned = first < MAY_BE_FIRST && first < second;
    Some(if is_turned { Pair { first: pair.second, second: pair.first, ..pair } } else { pair })
}

/// What is asked behind a word of courtesy: "thank you for that; and are you open tomorrow?"
pub(crate) fn behind_courtesy<'a>(
    learned: &'a Learned,
    reading: &Reading,
) -> Option<(&'a str, f32)> {
    reading
        .cuts
        .iter()
        .filter(|cut| cut.mark != Mark::None)
        .filter_map(|cut| {
            let sides = [&cut.left, &cut.right].map(|side| {
                side.shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
            });
            let [left, right] = [sides[0]?, sides[1]?];
            let is_courtesy = |(label, _)| COURTESY.contains(&learned.label(label));
            let asked = match (is_courtesy(left), is_courtesy(right)) {
                (true, false) => right,
                (false, true) => left,
                _ => return None,
            };
            let label = learned.label(asked.0);
            (is_offerable(label) && asked.1 >= CLEARLY_ASKED).then_some((label, asked.1))
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// What of the whole text counts for any pair in it.
struct Whole<'a, 'r> {
    learned: &'a Learned,
    shares: &'r [f32],
    is_long: bool,
    /// The service it is rather about.
    service: Option<usize>,
    /// The largest share.
    most: f32,
}

/// A label in one side of a cut.
#[derive(Clone, Copy)]
struct Asked {
    label: usize,
    share: f32,
    /// It is not named in its side ("and what do I bring?") but in the other.
    is_of_whole: bool,
}

impl<'a> Whole<'a, '_> {
    /// The pairs around one place, each with the shares that its labels have in the whole.
    fn pairs(&self, cut: &CutReading) -> Vec<(Pair<'a>, [f32; 2])> {
        let of_cut = of_cut(cut);
        let is_marked = matches!(cut.mark, Mark::Sign | Mark::Question);
        let is_asked_twice =
            is_marked && cut.left.sound.is_question() && cut.right.sound.is_question();
        let [left, right] = [&cut.left, &cut.right].map(|side| asked(&side.shares));
        let mut pairs = Vec::new();
        for first in &left {
            for second in &right {
                if let Some((first, second)) = self.named(*first, *second) {
                    // The parts of a story are clear too, and are no questions.
                    let is_clear =
                        is_asked_twice && !self.is_long && first.share.min(second.share) >= CLEAR;
                    let pair = Pair {
                        first: self.learned.label(first.label),
                        second: self.learned.label(second.label),
                        confidence: probability(of_cut + self.odds(first, second))
                            .max(if is_clear { CLEARLY_BOTH } else { 0.0 }),
                        is_marked,
                    };
                    pairs.push((pair, [first, second].map(|asked| self.in_whole(asked))));
                }
            }
        }
        pairs
    }

    /// The pair, where both can be answered. A bare "what do I bring?" is about the service of the other side.
    fn named(&self, first: Asked, second: Asked) -> Option<(Asked, Asked)> {
        let is_topic = |asked: Asked| self.learned.label(asked.label) == CLARIFY_TOPIC;
        let of_other = |asked: Asked, other: Asked| {
            let is_service = self.learned.label(other.label).starts_with("req_");
            let label = self.service.filter(|_| !is_service)?;
            Some(Asked { label, is_of_whole: true, ..asked })
        };
        let (first, second) = match (is_topic(first), is_topic(second)) {
            (true, true) => return None,
            (true, false) => (of_other(first, second)?, second),
            (false, true) => (first, of_other(second, first)?),
            (false, false) => (first, second),
        };
        // "And what do I bring there?" sounds like some service; the one that the whole names is meant.
        let [first, second] = [(first, second), (second, first)].map(|(asked, other)| {
            let is_hardly_there = self.learned.label(asked.label).starts_with("req_")
                && self.in_whole(asked) < HARDLY_MEANT;
            match self.service.filter(|service| is_hardly_there && *service != other.label) {
                Some(label) => Asked { label, is_of_whole: true, ..asked },
                None => asked,
            }
        });
        let can_be_answered = |label: &str| is_offerable(label) && !NO_HALF.contains(&label);
        let [a, b] = [first, second].map(|asked| self.learned.label(asked.label));
        // What a driving licence costs and how long it takes, its own agency says.
        let is_of_other_agency = (is_outside(a) && is_aspect(b)) || (is_aspect(a) && is_outside(b));
        let is_pair = a != b && !is_of_other_agency && can_be_answered(a) && can_be_answered(b);
        is_pair.then_some((first, second))
    }

    fn in_whole(&self, asked: Asked) -> f32 {
        self.shares.get(asked.label).copied().unwrap_or(0.0)
    }

    fn odds(&self, first: Asked, second: Asked) -> f32 {
        let in_whole = |asked: Asked| self.in_whole(asked).max(HARDLY).ln();
        let [a, b] = [first, second].map(|asked| self.learned.label(asked.label));
        let mut sum = 0.68 * self.most + 0.48 * odds(first.share) + 0.26 * odds(second.share);
        sum += 0.30 * in_whole(first) + 0.61 * in_whole(second);
        for (holds, weight) in [
            (self.is_long, -1.18),
            (is_aspect(a) != is_aspect(b), 0.39),
            (is_outside(a) || is_outside(b), -1.17),
            (first.is_of_whole || second.is_of_whole, 1.34),
        ] {
            sum += if holds { weight } else { 0.0 };
        }
        sum
    }
}

/// What a side may ask.
fn asked(shares: &[f32]) -> Vec<Asked> {
    let mut asked: Vec<Asked> = shares
        .iter()
        .enumerate()
        .filter(|(_, share)| **share >= WORTH_LOOKING)
        .map(|(label, share)| Asked { label, share: *share, is_of_whole: false })
        .collect();
    asked.sort_by(|a, b| b.share.total_cmp(&a.share));
    asked.truncate(MOST_LOOKED_AT);
    asked
}

/// What the place itself says.
fn of_cut(cut: &CutReading) -> f32 {
    let mut sum = -3.77;
    for (holds, weight) in [
        (cut.mark == Mark::None, -1.27),
        (cut.mark == Mark::Question, 1.82),
        (cut.mark == Mark::Sign, 0.57),
        (cut.is_joined, 1.03),
        (cut.left.words == 1, -0.92),
        (cut.right.words == 1, -0.29),
        (cut.left.sound.is_asked, 0.59),
        (cut.left.sound.is_ended, 1.05),
    ] {
        sum += if holds { weight } else { 0.0 };
    }
    sum
}

/// The service that the whole text is rather about.
fn service(learned: &Learned, shares: &[f32]) -> Option<usize> {
    shares
        .iter()
        .enumerate()
        .filter(|(label, share)| {
            **share >= WORTH_LOOKING && learned.label(*label).starts_with("req_")
        })
        .max_by(|a, b| a.1.total_cmp(b.1))
        .map(|(label, _)| label)
}
