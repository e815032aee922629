//! Tells a citizen's message that the centre brings again from one that the citizen wrote again.
//!
//! SMPP gives these messages no id. The centre brings one again when our answer to it did not
//! arrive, so the same words from the same number are the same message
//! - while they have not been answered, or were refused because they could not be stored;
//! - for a quarter of an hour after a link broke within half a minute of their answer;
//! - for five seconds after they first came, which is faster than anybody types.
//!
//! Otherwise they are another message, counted within its minute. The key holds nothing but
//! what a restarted process finds again, so that even after a crash between storing and answering
//! a message that is brought again in the same minute is known. Later than that it counts as new.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::clock::Timestamp;

/// Faster than anybody writes the same twice.
const STUTTER: Duration = Duration::from_secs(5);
/// An answer that was written so long before its link broke did arrive.
const UNSURE: Duration = Duration::from_secs(30);
/// How long a centre may take to bring a message again.
const REDELIVERY: Duration = Duration::from_secs(900);
/// Messages that are remembered.
const MAX_SEEN: usize = 5_000;

#[derive(Clone, Copy, Debug)]
struct Seen {
    minute: i64,
    /// How many came before it in that minute.
    before: u32,
    at: Timestamp,
    answered_at: Option<Timestamp>,
}

/// The messages of the last minutes, by a digest of sender and words.
#[derive(Debug, Default)]
pub(super) struct Recall(HashMap<String, Seen>);

impl Recall {
    /// The key of a message that came now.
    pub(super) fn key(&mut self, digest: &str, now: Timestamp) -> String {
        let minute = now.as_ms().div_euclid(60_000);
        let seen = match self.0.get(digest).copied() {
            Some(seen) if seen.is_same(now) => seen,
            known => {
                let before = known
                    .filter(|seen| seen.minute == minute)
                    .map_or(0, |seen| seen.before.saturating_add(1));
                Seen { minute, before, at: now, answered_at: None }
            }
        };
        self.make_room(now);
        self.0.insert(digest.to_owned(), seen);
        format!("mo:{digest}:{}:{}", seen.minute, seen.before)
    }

    /// The centre was told that it was taken.
    pub(super) fn answered(&mut self, digest: &str, now: Timestamp) {
        if let Some(seen) = self.0.get_mut(digest) {
            seen.answered_at = Some(now);
        }
    }

    /// The link broke: what was answered just before may not have been heard.
    pub(super) fn link_ended(&mut self, now: Timestamp) {
        for seen in self.0.values_mut() {
            if seen.answered_at.is_some_and(|at| now.since(at) < UNSURE) {
                seen.answered_at = None;
            }
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.0.len() < MAX_SEEN {
            return;
        }
        self.0.retain(|_, seen| now.since(seen.at) < REDELIVERY);
        if self.0.len() >= MAX_SEEN {
            // A flood: what can be spared is everything that was answered.
            self.0.retain(|_, seen| seen.answered_at.is_none());
        }
        if self.0.len() >= MAX_SEEN {
            self.0.clear();
        }
    }
}

impl Seen {
    fn is_same(&self, now: Timestamp) -> bool {
        let age = now.since(self.at);
        age < STUTTER || (self.answered_at.is_none() && age < REDELIVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000).after(Duration::from_secs(seconds))
    }

    #[test]
    fn the_same_words_written_again_are_another_message() {
        let mut recall = Recall::default();
        let first = recall.key("d", at(0));
        recall.answered("d", at(0));
        assert_eq!(recall.key("d", at(4)), first, "nobody types that fast");
        let second = recall.key("d", at(6));
        recall.answered("d", at(6));
        let third = recall.key("d", at(20));
        recall.answered("d", at(20));
        let next_minute = recall.key("d", at(70));
        let mut all = vec![first, second, third, next_minute, recall.key("other", at(70))];
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 5);
    }

    #[test]
    fn what_was_not_answered_or_whose_answer_was_lost_is_the_same_when_it_comes_again() {
        let mut recall = Recall::default();
        let first = recall.key("d", at(0));
        assert_eq!(recall.key("d", at(600)), first, "not stored at the first time");
        recall.answered("d", at(600));
        recall.link_ended(at(620));
        assert_eq!(recall.key("d", at(700)), first, "the answer may have been lost");
        recall.answered("d", at(700));
        recall.link_ended(at(740));
        assert_ne!(recall.key("d", at(760)), first, "this answer had arrived");
    }

    #[test]
    fn a_new_process_gives_the_same_key_within_the_minute() {
        let key = Recall::default().key("d", at(1));
        assert_eq!(Recall::default().key("d", at(40)), key);
        assert_ne!(Recall::default().key("d", at(61)), key);
    }

    #[test]
    fn memory_is_bounded() {
        let mut recall = Recall::default();
        for index in 0..3 * MAX_SEEN {
            recall.key(&index.to_string(), at(0));
        }
        assert!(recall.0.len() <= MAX_SEEN);
    }
}
