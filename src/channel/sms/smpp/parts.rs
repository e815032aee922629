//! Puts the parts of a citizen's long text together, in memory, within bounds of number and time.
//!
//! Best effort: the centre is told that a part was taken although only this process knows it, for
//! many centres bring the next part only then. A text whose parts do not all come within a minute
//! is passed on with what is there; so is everything when the link is closed in good order.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;

use super::text::Place;
use crate::domain::clock::Timestamp;

/// How long a text waits for its missing parts.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a complete text is remembered, because its last part may be brought again.
const MEMORY: Duration = Duration::from_secs(600);
/// Texts that are waited for or remembered.
const MAX_TEXTS: usize = 500;
/// More parts than anybody types.
const MAX_PARTS: u8 = 30;

/// What makes parts belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Thread {
    /// Type of the sender's number.
    pub(super) ton: u8,
    pub(super) source: String,
    pub(super) destination: String,
    pub(super) reference: u16,
    pub(super) total: u8,
}

/// A text as far as it has come.
#[derive(Clone, Debug)]
struct Gathered {
    data_coding: u8,
    parts: BTreeMap<u8, Bytes>,
    began_at: Timestamp,
    is_passed_on: bool,
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Others are missing.
    Waiting,
    /// The text is whole; passed on already if this is a repeat.
    Whole { data_coding: u8, octets: Bytes },
    /// There is no room to wait: to be passed on by itself.
    Alone,
}

/// Texts that are incomplete, or were so lately.
#[derive(Debug, Default)]
pub(super) struct Parts(HashMap<Thread, Gathered>);

impl Parts {
    /// Takes a part.
    pub(super) fn take(
        &mut self,
        thread: &Thread,
        place: Place,
        data_coding: u8,
        octets: &Bytes,
        now: Timestamp,
    ) -> Taken {
        self.0.retain(|_, text| !text.is_passed_on || now.since(text.began_at) < MEMORY);
        let is_new = match self.0.get(thread) {
            // The reference is in use again, for another text.
            Some(text) => text.parts.get(&place.at).is_some_and(|known| known != octets),
            None => true,
        };
        if is_new && self.has_unfinished(thread) {
            return Taken::Alone;
        }
        if is_new {
            if place.total > MAX_PARTS || (self.0.len() >= MAX_TEXTS && !self.make_room()) {
                return Taken::Alone;
            }
            let text = Gathered {
                data_coding,
                parts: BTreeMap::new(),
                began_at: now,
                is_passed_on: false,
            };
            self.0.insert(thread.clone(), text);
        }
        let Some(text) = self.0.get_mut(thread) else { return Taken::Alone };
        let is_more = text.parts.insert(place.at, octets.clone()).is_none();
        if is_more && text.is_passed_on {
            // Given up too early: what is there now is passed on once more.
            text.is_passed_on = false;
            text.began_at = now;
        }
        if text.parts.len() < usize::from(place.total) {
            return Taken::Waiting;
        }
        Taken::Whole { data_coding: text.data_coding, octets: text.joined() }
    }

    fn has_unfinished(&self, thread: &Thread) -> bool {
        self.0.get(thread).is_some_and(|text| !text.is_passed_on)
    }

    /// Forgets the oldest text that was passed on.
    fn make_room(&mut self) -> bool {
        let passed_on = self.0.iter().filter(|(_, text)| text.is_passed_on);
        let oldest = passed_on.min_by_key(|(_, text)| text.began_at).map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.0.remove(&key).is_some())
    }

    /// Notes that a text was stored.
    pub(super) fn passed_on(&mut self, thread: &Thread) {
        if let Some(text) = self.0.get_mut(thread) {
            text.is_passed_on = true;
        }
    }

    /// Texts that have waited long enough, or all that wait, with what there is of them.
    pub(super) fn overdue(&self, now: Timestamp, all: bool) -> Vec<(Thread, u8, Vec<Bytes>)> {
        let waits = |text: &Gathered| !text.is_passed_on;
        let is_due = |text: &Gathered| all || now.since(text.began_at) >= PATIENCE;
        let due = self.0.iter().filter(|(_, text)| waits(text) && is_due(text));
        due.map(|(thread, text)| (thread.clone(), text.data_coding, text.pieces())).collect()
    }
}

impl Gathered {
    fn joined(&self) -> Bytes {
        self.parts.values().flatten().copied().collect()
    }

    /// Neighbouring parts joined; a gap between two pieces is a missing part.
    fn pieces(&self) -> Vec<Bytes> {
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        let mut last = None;
        for (at, octets) in &self.parts {
            match pieces.last_mut() {
                Some(piece) if last == at.checked_sub(1) => piece.extend(octets),
                _ => pieces.push(octets.to_vec()),
            }
            last = Some(*at);
        }
        pieces.into_iter().map(Bytes::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_000_000);

    fn thread(reference: u16, total: u8) -> Thread {
        Thread { ton: 1, source: "62812".into(), destination: "13013".into(), reference, total }
    }

    fn take(parts: &mut Parts, thread: &Thread, at: u8, octets: &'static str) -> Taken {
        let place = Place { reference: thread.reference, at, total: thread.total };
        parts.take(thread, place, 0, &Bytes::from_static(octets.as_bytes()), START)
    }

    fn whole(octets: &'static str) -> Taken {
        Taken::Whole { data_coding: 0, octets: octets.into() }
    }

    #[test]
    fn parts_in_any_order_and_brought_again_make_the_text_once_whole() {
        let (mut parts, key) = (Parts::default(), thread(7, 3));
        assert_eq!(take(&mut parts, &key, 3, "c"), Taken::Waiting);
        assert_eq!(take(&mut parts, &key, 1, "a"), Taken::Waiting);
        assert_eq!(take(&mut parts, &key, 1, "a"), Taken::Waiting);
        assert_eq!(take(&mut parts, &key, 2, "b"), whole("abc"));
        // Not stored yet, or the answer was lost: the last part comes again.
        assert_eq!(take(&mut parts, &key, 2, "b"), whole("abc"));
        parts.passed_on(&key);
        assert_eq!(take(&mut parts, &key, 2, "b"), whole("abc"));
        assert_eq!(parts.overdue(START.after(PATIENCE), true).len(), 0);
    }

    #[test]
    fn a_reference_used_again_begins_a_new_text() {
        let (mut parts, key) = (Parts::default(), thread(7, 2));
        take(&mut parts, &key, 1, "a");
        assert_eq!(take(&mut parts, &key, 2, "b"), whole("ab"));
        parts.passed_on(&key);
        assert_eq!(take(&mut parts, &key, 1, "x"), Taken::Waiting);
        // The same while the first still waits: neither is lost.
        assert_eq!(take(&mut parts, &key, 1, "y"), Taken::Alone);
        assert_eq!(take(&mut parts, &key, 2, "z"), whole("xz"));
    }

    #[test]
    fn what_stays_incomplete_is_due_after_a_minute_with_its_gap() {
        let (mut parts, key) = (Parts::default(), thread(7, 4));
        for (at, octets) in [(1, "a"), (2, "b"), (4, "d")] {
            take(&mut parts, &key, at, octets);
        }
        assert!(parts.overdue(START.after(Duration::from_secs(59)), false).is_empty());
        assert_eq!(parts.overdue(START, true).len(), 1);
        let due = parts.overdue(START.after(PATIENCE), false);
        assert_eq!(due, [(key.clone(), 0, vec![Bytes::from("ab"), Bytes::from("d")])]);
        parts.passed_on(&key);
        assert!(parts.overdue(START.after(PATIENCE), true).is_empty());
        assert_eq!(take(&mut parts, &key, 4, "d"), Taken::Waiting);
        assert!(parts.overdue(START, true).is_empty(), "a repeat tells nothing new");
        assert_eq!(take(&mut parts, &key, 3, "c"), whole("abcd"));
    }

    #[test]
    fn memory_is_bounded_and_the_finished_make_room() {
        let mut parts = Parts::default();
        for reference in 0..600 {
            let expected = if reference < 500 { Taken::Waiting } else { Taken::Alone };
            assert_eq!(take(&mut parts, &thread(reference, 2), 1, "a"), expected);
        }
        assert_eq!(take(&mut parts, &thread(0, 2), 2, "b"), whole("ab"));
        parts.passed_on(&thread(0, 2));
        assert_eq!(take(&mut parts, &thread(999, 2), 1, "a"), Taken::Waiting);
        assert_eq!(take(&mut parts, &thread(998, 2), 1, "a"), Taken::Alone);
        assert_eq!(take(&mut parts, &thread(7, 31), 1, "a"), Taken::Alone);
        assert!(parts.0.len() <= MAX_TEXTS);
    }
}
