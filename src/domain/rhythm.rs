//! What is usual for a source: how long it stays silent, and how much of it cannot be taken.
//!
//! Learned from the source itself, so that a desa with one change a week and a dinas with a
//! thousand a day are both noticed when they stop. Decides only; whoever watches opens the notice.

use std::time::Duration;

use super::clock::Timestamp;

/// Changes nearer to each other than this belong to one piece of work.
const ONE_GO: Duration = Duration::from_secs(3600);
/// Silences remembered, and how many are needed before anything is called usual.
const REMEMBERED: usize = 30;
const NEEDED: usize = 5;
/// Nobody is troubled about a silence shorter than this.
const SHORTEST: Duration = Duration::from_secs(24 * 3600);
/// So many items are judged together.
const SAMPLE: i64 = 20;
/// A share of rejected items that nobody is troubled about.
const FEW_PERMILLE: i64 = 100;

/// How a source usually behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// Lengths of its last silences, oldest first, in milliseconds.
    pub silences: Vec<u64>,
    /// The usual share of rejected items, in thousandths; none while it is not known.
    pub usual_permille: Option<i64>,
    /// Items since they were last judged.
    pub seen: i64,
    /// How many of those were rejected.
    pub rejected: i64,
}

impl Rhythm {
    /// Notes that the source changed, having changed before at `last`.
    pub fn note_change(&mut self, last: Option<Timestamp>, now: Timestamp) {
        let Some(silence) = last.map(|last| now.since(last)).filter(|s| *s >= ONE_GO) else {
            return;
        };
        self.silences.push(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX));
        let surplus = self.silences.len().saturating_sub(REMEMBERED);
        self.silences.drain(..surplus);
    }

    /// The silence from which on somebody should look; none while nothing is usual yet. Twice the
    /// longest one known, which leaves room for weekends and holidays.
    #[must_use]
    pub fn longest_silence(&self) -> Option<Duration> {
        let longest = self.silences.iter().max().filter(|_| self.silences.len() >= NEEDED)?;
        Some(Duration::from_millis(longest.saturating_mul(2)).max(SHORTEST))
    }

    /// Notes what became of items, and tells, once enough came together, whether more of them were
    /// rejected than usual.
    pub fn note_items(&mut self, seen: u64, rejected: u64) -> Option<bool> {
        self.seen += i64::try_from(seen).unwrap_or(i64::MAX / 2);
        self.rejected += i64::try_from(rejected).unwrap_or(i64::MAX / 2);
        if self.seen < SAMPLE {
            return None;
        }
        let share = self.rejected.saturating_mul(1000) / self.seen;
        let usual = self.usual_permille.unwrap_or(0);
        let is_unusual = share > FEW_PERMILLE.max(usual.saturating_mul(3));
        // What happens again and again becomes usual, slowly.
        self.usual_permille = Some(self.usual_permille.map_or(share, |u| (u * 9 + share) / 10));
        (self.seen, self.rejected) = (0, 0);
        Some(is_unusual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const START: Timestamp = Timestamp::from_ms(1_795_300_000_000);

    fn after_changes(gaps: &[Duration]) -> Rhythm {
        let mut rhythm = Rhythm::default();
        let mut at = START;
        for gap in gaps {
            rhythm.note_change(Some(at), at.after(*gap));
            at = at.after(*gap);
        }
        rhythm
    }

    #[test]
    fn a_source_that_rests_at_weekends_may_rest_twice_as_long() {
        let rhythm = after_changes(&[DAY, DAY, DAY, DAY, 3 * DAY]);
        assert_eq!(rhythm.longest_silence(), Some(6 * DAY));
    }

    #[test]
    fn nothing_is_usual_after_a_few_changes_and_a_day_is_never_long() {
        assert_eq!(after_changes(&[DAY; 4]).longest_silence(), None);
        let busy = after_changes(&[Duration::from_secs(7200); 9]);
        assert_eq!(busy.longest_silence(), Some(DAY));
        let one_go = after_changes(&[Duration::from_secs(60); 99]);
        assert_eq!(one_go.longest_silence(), None);
    }

    #[test]
    fn only_so_many_silences_are_remembered() {
        let mut gaps = vec![9 * DAY];
        gaps.extend([DAY; REMEMBERED]);
        assert_eq!(after_changes(&gaps).longest_silence(), Some(2 * DAY));
    }

    #[test]
    fn rejecting_more_than_usual_is_noticed_and_what_is_usual_is_not() {
        let mut rhythm = Rhythm::default();
        assert_eq!(rhythm.note_items(19, 19), None, "too few to tell");
        assert_eq!(rhythm.note_items(1000, 10), Some(false));
        assert_eq!(rhythm.note_items(100, 40), Some(true));
        let mut dirty = Rhythm { usual_permille: Some(200), ..Rhythm::default() };
        assert_eq!(dirty.note_items(100, 25), Some(false));
    }
}
