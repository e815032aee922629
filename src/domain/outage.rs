//! An office that cannot work: why, where, and whom that keeps waiting.
//!
//! Words and pure rules; who is told when stands in the service.

use super::area::AreaCode;
use super::card::CardStatus;
use super::clock::Timestamp;
use super::document::Document;
use super::id::OutageId;
use super::reason::{ReasonError, check_reason};
use crate::words;

words! {
    /// What does not work.
    pub enum OutageKind {
        /// There are no blank cards.
        NoBlanko = "no_blanko",
        /// The centre or its network.
        Server = "server",
        /// The printer.
        Printer = "printer",
    }
}

impl OutageKind {
    /// The states in which cards wait for it.
    #[must_use]
    pub const fn holds_up(self) -> &'static [CardStatus] {
        match self {
            Self::NoBlanko | Self::Printer => {
                &[CardStatus::ReadyToPrint, CardStatus::WaitingForBlank]
            }
            Self::Server => &[CardStatus::Recorded, CardStatus::Processing],
        }
    }

    /// Whether it keeps a card waiting. Blank cards and their printers are for KTP-el alone.
    #[must_use]
    pub fn keeps(self, status: CardStatus, document: Document) -> bool {
        self.holds_up().contains(&status)
            && (self.is_of_all_papers() || document == Document::KtpEl)
    }

    /// Whether it concerns every paper.
    #[must_use]
    pub const fn is_of_all_papers(self) -> bool {
        matches!(self, Self::Server)
    }
}

words! {
    /// What is still to be told of an outage.
    pub enum OutageWork {
        /// That it began.
        Begin = "begin",
        /// That it is over.
        Over = "over",
    }
}

/// An outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Row id.
    pub id: OutageId,
    /// What does not work.
    pub kind: OutageKind,
    /// Where.
    pub area: AreaCode,
    /// What citizens are told.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When that was declared.
    pub begun_at: Timestamp,
    /// By whom.
    pub begun_by: String,
    /// When it was over.
    pub lifted_at: Option<Timestamp>,
    /// What is still to be told.
    pub work: Option<OutageWork>,
    /// Behind which row telling goes on.
    pub reached: String,
}

/// Why an outage cannot be declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutageError {
    /// A reason that citizens cannot be given.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// It has not begun.
    #[error("since when lies ahead: an outage is declared once it has begun")]
    Ahead,
}

/// A reason as citizens read it, and since when.
///
/// # Errors
/// [`OutageError`] with what does not fit.
pub fn check(reason: &str, since: Timestamp, now: Timestamp) -> Result<String, OutageError> {
    let reason = check_reason(reason)?;
    if since > now {
        return Err(OutageError::Ahead);
    }
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_short_line_and_an_outage_has_begun() {
        let now = Timestamp::from_ms(1_795_400_000_000);
        assert_eq!(check(" printer rusak. ", now, now).unwrap(), "printer rusak");
        assert_eq!(check("Lihat HTTP://x", now, now), Err(OutageError::Reason(ReasonError::Link)));
        let ahead = Timestamp::from_ms(now.as_ms() + 1);
        assert_eq!(check("printer rusak", ahead, now), Err(OutageError::Ahead));
    }
}
