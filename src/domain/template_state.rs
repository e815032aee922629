//! What a provider says of a template that is registered there.
//!
//! Words only; nothing is decided about sending here.

use crate::domain::clock::Timestamp;
use crate::words;

words! {
    /// Whether a template may be sent at present.
    pub enum TemplateState {
        /// Being looked at.
        Pending = "pending",
        /// May be sent.
        Approved = "approved",
        /// Was refused.
        Rejected = "rejected",
        /// Held back for some hours: recipients do not like it.
        Paused = "paused",
        /// Held back for good.
        Disabled = "disabled",
        /// About to be held back.
        Flagged = "flagged",
        /// The office objected to a refusal.
        InAppeal = "in_appeal",
        /// Taken away, or about to be.
        Deleted = "deleted",
        /// Put away by the provider because nobody uses it.
        Archived = "archived",
        /// Something else that the provider says.
        Other = "other",
    }
}

impl TemplateState {
    /// Whether a message with it would leave now.
    #[must_use]
    pub const fn is_sendable(self) -> bool {
        matches!(self, Self::Approved | Self::Flagged)
    }
}

/// What a provider says, as far as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateNews {
    /// The template's name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// Whether it may be sent.
    pub state: Option<TemplateState>,
    /// The provider's word for why.
    pub reason: Option<String>,
    /// Its advice.
    pub detail: Option<String>,
    /// Under which it is charged.
    pub category: Option<String>,
    /// How recipients take it.
    pub quality: Option<String>,
    /// When, by the provider's clock.
    pub happened_at: Option<Timestamp>,
}
