//! What a watched record says compared with what it said last: nothing new, something to record in
//! silence, or news.
//!
//! Sources of this kind have no history of their own: they show a state, and we notice that it is
//! another one. Decides only; never looks at a clock or a database.

use std::time::Duration;

use super::card::CardStatus;
use super::clock::Timestamp;

/// What happened so long ago is no news when it is first heard of.
const NO_NEWS: Duration = Duration::from_secs(60 * 24 * 3600);

/// What was noted of a record when it was last taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Hash of what an announcement depends on: which paper, in which state, where.
    pub state_hash: String,
    /// Hash of everything it said.
    pub content_hash: String,
    /// How often it changed.
    pub version: i64,
    /// Since when the state is what it is.
    pub occurred_at: Timestamp,
    /// When it was last taken.
    pub seen_at: Timestamp,
    /// Its state came as news; otherwise it was there before anybody watched.
    pub is_news: bool,
    /// It could not be taken.
    pub is_rejected: bool,
}

/// What a record says now.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// As in [`Known`].
    pub state_hash: &'a str,
    /// As in [`Known`].
    pub content_hash: &'a str,
    /// Its state, where it can be read.
    pub status: Option<CardStatus>,
    /// When it was last changed, by the source's own clock.
    pub changed_at: Option<Timestamp>,
    /// When its state came about, if the record itself says that.
    pub dated_at: Option<Timestamp>,
    /// It is about the person it was about.
    pub is_same_person: bool,
}

/// What to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It says what it said.
    Unchanged,
    /// To be recorded without telling anybody.
    Silent {
        /// Since when its state is what it is.
        occurred_at: Timestamp,
    },
    /// To be recorded, and told.
    News {
        /// Since when its state is what it is.
        occurred_at: Timestamp,
    },
}

/// Compares. `is_first` while the source is read for the first time, when everything in it may be
/// years old.
#[must_use]
pub fn judge(known: Option<&Known>, seen: Seen<'_>, is_first: bool, now: Timestamp) -> Verdict {
    let in_past = |at: Option<Timestamp>| at.filter(|at| *at <= now).unwrap_or(now);
    let Some(known) = known else {
        let occurred_at = in_past(seen.changed_at);
        let is_old = match seen.dated_at {
            Some(at) => now.since(at) > NO_NEWS,
            // New to us, and with a card handed over already: somebody who moved here.
            None => seen.status.is_some_and(CardStatus::is_final),
        };
        return if is_first || is_old {
            Verdict::Silent { occurred_at }
        } else {
            Verdict::News { occurred_at }
        };
    };
    if known.content_hash == seen.content_hash {
        return Verdict::Unchanged;
    }
    if known.state_hash == seen.state_hash {
        // Another number or name. Whoever was to be told before can be told now; a state from before
        // anybody watched, or one that is over, is not brought up because of it. Nor is one that was
        // told already under a NIK that is mended now.
        let is_over = seen.status.is_none_or(CardStatus::is_final);
        let is_told = !known.is_rejected && (is_over || !seen.is_same_person);
        let occurred_at = known.occurred_at;
        return if is_first || !known.is_news || is_told {
            Verdict::Silent { occurred_at }
        } else {
            Verdict::News { occurred_at }
        };
    }
    // It cannot have changed before we saw it otherwise, whatever the source's clock says: that one
    // may stand in another zone.
    let is_believed = |at: &Timestamp| *at > known.seen_at && *at <= now;
    let occurred_at = seen.changed_at.filter(is_believed).unwrap_or(now);
    if is_first { Verdict::Silent { occurred_at } } else { Verdict::News { occurred_at } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_300_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn known() -> Known {
        Known {
            state_hash: "printed".to_owned(),
            content_hash: "printed, phone".to_owned(),
            version: 1,
            occurred_at: NOW.before(9 * HOUR),
            seen_at: NOW.before(HOUR),
            is_news: true,
            is_rejected: false,
        }
    }

    fn seen(state: &'static str, content: &'static str, status: CardStatus) -> Seen<'static> {
        Seen {
            state_hash: state,
            content_hash: content,
            status: Some(status),
            changed_at: None,
            dated_at: None,
            is_same_person: true,
        }
    }

    fn printed(content: &'static str) -> Seen<'static> {
        seen("printed", content, CardStatus::Printed)
    }

    #[test]
    fn what_says_the_same_is_unchanged_and_another_state_is_news() {
        let same = judge(Some(&known()), printed("printed, phone"), false, NOW);
        assert_eq!(same, Verdict::Unchanged);
        let other = seen("issued", "issued, phone", CardStatus::Issued);
        assert_eq!(judge(Some(&known()), other, false, NOW), Verdict::News { occurred_at: NOW });
    }

    #[test]
    fn what_was_there_when_we_came_is_no_news() {
        assert!(matches!(judge(None, printed("x"), true, NOW), Verdict::Silent { .. }));
        assert!(matches!(judge(None, printed("x"), false, NOW), Verdict::News { .. }));
        let moved_here = seen("issued", "issued", CardStatus::Issued);
        assert!(matches!(judge(None, moved_here, false, NOW), Verdict::Silent { .. }));
        let dated = |at| Seen { dated_at: Some(at), ..moved_here };
        let verdict = |at| judge(None, dated(at), false, NOW);
        assert!(matches!(verdict(NOW.before(24 * HOUR)), Verdict::News { .. }));
        assert!(matches!(verdict(NOW.before(9000 * HOUR)), Verdict::Silent { .. }));
    }

    #[test]
    fn a_new_number_brings_up_only_what_was_news_and_is_not_over() {
        let at = known().occurred_at;
        let verdict = |known: &Known, seen| judge(Some(known), seen, false, NOW);
        assert_eq!(verdict(&known(), printed("new")), Verdict::News { occurred_at: at });
        let old = Known { is_news: false, ..known() };
        assert_eq!(verdict(&old, printed("new")), Verdict::Silent { occurred_at: at });
        let over = seen("printed", "new", CardStatus::Issued);
        assert_eq!(verdict(&known(), over), Verdict::Silent { occurred_at: at });
    }

    #[test]
    fn a_mended_nik_repeats_nothing_but_what_could_not_be_said_before() {
        let at = known().occurred_at;
        let mended = Seen { is_same_person: false, ..printed("mended") };
        let verdict = |known: &Known| judge(Some(known), mended, false, NOW);
        assert_eq!(verdict(&known()), Verdict::Silent { occurred_at: at });
        let rejected = Known { is_rejected: true, ..known() };
        assert_eq!(verdict(&rejected), Verdict::News { occurred_at: at });
        let old = Known { is_news: false, ..rejected };
        assert_eq!(verdict(&old), Verdict::Silent { occurred_at: at });
    }

    #[test]
    fn a_clock_of_another_zone_cannot_move_a_change_to_before_we_looked() {
        let with = |changed_at| {
            let other = seen("shipped", "shipped", CardStatus::Shipped);
            let other = Seen { changed_at: Some(changed_at), ..other };
            judge(Some(&known()), other, false, NOW)
        };
        let between = NOW.before(HOUR / 2);
        assert_eq!(with(between), Verdict::News { occurred_at: between });
        assert_eq!(with(NOW.before(7 * HOUR)), Verdict::News { occurred_at: NOW });
        assert_eq!(with(NOW.after(7 * HOUR)), Verdict::News { occurred_at: NOW });
    }
}
