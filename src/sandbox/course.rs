//! What becomes of an accepted message at any provider: how the request is answered, which receipts
//! follow, in which order and how often.
//!
//! Faults are weighed once, when the message is accepted, so that its whole course is settled
//! before the answer goes out.

use std::future::Future;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::oneshot;

use super::fault::FaultKind;
use super::{Mark, Memory, Sandbox};
use crate::domain::clock::Timestamp;

/// How long an answer waits for a receipt that is to come before it.
const EARLY: Duration = Duration::from_secs(10);

/// How the request is answered.
#[derive(Clone, Default)]
pub(super) struct Ending {
    /// Only after so long.
    pub(super) wait: Option<Duration>,
    /// Not at all: the connection ends.
    pub(super) hangs_up: bool,
    /// With this HTTP status, as if it had not been accepted.
    pub(super) status: Option<u16>,
}

/// One receipt to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Sent,
    Delivered,
    Read,
    /// With the code asked for, or the provider's own choice.
    Failed {
        code: Option<u32>,
    },
}

impl Step {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed { .. } => "failed",
        }
    }

    pub(super) const fn mark(self) -> Mark {
        match self {
            Self::Sent => Mark::Sent,
            Self::Delivered => Mark::Delivered,
            Self::Read => Mark::Read,
            Self::Failed { .. } => Mark::Failed,
        }
    }

    /// The code of a failure.
    pub(super) fn error_code(self, default: u32) -> Option<u32> {
        match self {
            Self::Failed { code } => Some(code.unwrap_or(default)),
            _ => None,
        }
    }
}

/// Everything that will happen to an accepted message.
#[derive(Clone)]
pub(super) struct Fate {
    pub(super) ending: Ending,
    pub(super) steps: Vec<Step>,
    /// The first receipt comes before the answer.
    pub(super) starts_early: bool,
}

impl Fate {
    /// Weighs the faults in force at that provider for this phone.
    pub(super) fn weigh(
        memory: &mut Memory,
        provider: &str,
        owner: &[&str],
        now: Timestamp,
        auto_read: bool,
    ) -> Self {
        let mut strike = |kind| memory.faults.strike(kind, provider, owner, now);
        let ending = Ending {
            wait: strike(FaultKind::Slow).map(|f| Duration::from_secs(f.seconds_or(30))),
            hangs_up: strike(FaultKind::HangUp).is_some(),
            status: strike(FaultKind::ErrorAfterAccept).map(|f| f.status.unwrap_or(500)),
        };
        let mut steps = vec![Step::Sent, Step::Delivered];
        if auto_read {
            steps.push(Step::Read);
        }
        if strike(FaultKind::SkipDelivered).is_some() {
            steps = vec![Step::Sent, Step::Read];
        }
        if let Some(fault) = strike(FaultKind::Fail) {
            steps = vec![Step::Failed { code: fault.code }];
        }
        if strike(FaultKind::ReorderStatus).is_some() {
            steps.reverse();
        }
        if strike(FaultKind::DuplicateStatus).is_some() {
            steps = steps.into_iter().flat_map(|step| [step, step]).collect();
        }
        if strike(FaultKind::Silent).is_some() {
            steps.clear();
        }
        let starts_early = strike(FaultKind::EarlyStatus).is_some() && !steps.is_empty();
        Self { ending, steps, starts_early }
    }

    /// Leaves the receipts to the queue, each brought by `take`. When the first is to come before
    /// the answer, returns only after it was taken.
    pub(super) async fn start<F, T>(self, sandbox: &Sandbox, take: F)
    where
        F: Fn(Step) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send,
    {
        let (first, first_is_out) = oneshot::channel();
        let Self { steps, starts_early, .. } = self;
        let own = sandbox.clone();
        sandbox.later(async move {
            let mut first = Some(first);
            for step in steps {
                if !(starts_early && first.is_some()) {
                    own.pause(own.0.settings.pace).await;
                }
                take(step).await;
                if let Some(first) = first.take() {
                    // Nobody listens unless the receipt was to come early.
                    let _ = first.send(());
                }
            }
        });
        if starts_early {
            // Past that time, or at shutdown, the answer goes out first after all.
            let _ = tokio::time::timeout(EARLY, first_is_out).await;
        }
    }
}

impl Ending {
    /// Waits if the faults in force want it, and gives the answer that makes the server hang up, if
    /// they want that.
    pub(super) async fn before_answer(&self, sandbox: &Sandbox) -> Option<Response> {
        if let Some(wait) = self.wait {
            sandbox.pause(wait).await;
        }
        if !self.hangs_up {
            return None;
        }
        // A body that fails before its first byte makes the server close the connection with
        // nothing written, not even the head of the answer.
        let nothing: Result<Bytes, std::io::Error> =
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
        Some(Body::from_stream(futures_util::stream::iter([nothing])).into_response())
    }
}
