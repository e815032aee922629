//! How providers reach us: a request at a webhook, or what an adapter fetched itself.

use async_trait::async_trait;
use http::{HeaderMap, Method};

use super::RawEvent;
use crate::domain::clock::Timestamp;

/// A request at one of our webhook addresses, `/hooks/<channel>/<account>[/<tail>]`.
#[derive(Clone, Copy, Debug)]
pub struct HookRequest<'a> {
    /// GET or POST.
    pub method: &'a Method,
    /// What stands behind the account, without the slash.
    pub tail: &'a str,
    /// The query as it came, without the question mark.
    pub query: &'a str,
    /// The address as the provider called it, query included; some sign it.
    pub url: &'a str,
    /// When it came.
    pub now: Timestamp,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The bytes, unread.
    pub body: &'a [u8],
}

/// What a genuine request brought, and what the provider wants to hear once that is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookAnswer {
    /// Its events.
    pub events: Vec<RawEvent>,
    /// Type of the answer's body; nothing for an empty one.
    pub content_type: Option<&'static str>,
    /// The answer's body.
    pub body: String,
}

impl HookAnswer {
    /// Events that need no words in return.
    #[must_use]
    pub fn quiet(events: Vec<RawEvent>) -> Self {
        Self { events, ..Self::default() }
    }
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// Nothing proves that it comes from the provider.
    #[error("not signed")]
    Unsigned,
    /// It proves something, but not the right thing.
    #[error("forbidden")]
    Forbidden,
    /// There is no such address.
    #[error("no such webhook")]
    NotFound,
}

/// Events could not be stored; the provider must keep them and be asked, or call, again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the events could not be stored")]
pub struct NotStored;

/// Where an adapter puts the events it fetched by itself.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Stores events; returns after they are committed. What is known already is passed over.
    ///
    /// # Errors
    /// [`NotStored`]; then none may be confirmed to the provider.
    async fn store(&self, events: Vec<RawEvent>) -> Result<(), NotStored>;
}
