//! Why somebody is no longer told of a card: died, moved away, not to be found.
//!
//! A register says it of its own residents. Another register may know better, so every word counts:
//! who lives somewhere is not gone, and nobody comes back from the dead.

use crate::words;

words! {
    /// Why a register does not count somebody among its residents.
    pub enum Absence {
        /// Died.
        Died = "died",
        /// Moved away.
        Moved = "moved",
        /// Missing.
        Missing = "missing",
        /// Left, without saying where to.
        Left = "left",
        /// The record is not valid.
        Invalid = "invalid",
    }
}

impl Absence {
    /// What several registers together say of somebody, each with its word or none for a resident.
    #[must_use]
    pub fn of(words: &[Option<Self>]) -> Option<Self> {
        if words.contains(&Some(Self::Died)) {
            return Some(Self::Died);
        }
        if words.contains(&None) { None } else { words.first().copied().flatten() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lives_in_one_register_is_not_gone_because_another_says_so() {
        assert_eq!(Absence::of(&[Some(Absence::Moved), None]), None);
        assert_eq!(Absence::of(&[Some(Absence::Moved)]), Some(Absence::Moved));
        assert_eq!(Absence::of(&[]), None);
    }

    #[test]
    fn one_word_of_a_death_is_enough() {
        assert_eq!(Absence::of(&[None, Some(Absence::Died)]), Some(Absence::Died));
    }
}
