//! Faults that are injected on request, so that those who send can be seen to bear them.
//!
//! Decides only whether a fault strikes now; what striking means is the provider's part.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;

/// No fault lasts, and no answer is held back, longer than this.
const MAX_SECONDS: u64 = 600;
/// Faults that can be set at once.
pub(super) const MAX_FAULTS: usize = 100;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Accepted, but no receipt ever comes.
    Silent,
    /// The first receipt comes before the answer to the request.
    EarlyStatus,
    /// Every receipt comes twice.
    DuplicateStatus,
    /// Receipts come last first.
    ReorderStatus,
    /// The chat was open: `sent`, then `read`, never `delivered`.
    SkipDelivered,
    /// Refused at once with `code` (131047 unless given).
    Refuse,
    /// Accepted, then a `failed` receipt with `code` (131049 unless given).
    Fail,
    /// Refused as too fast for the whole number (130429).
    Throttle,
    /// Refused as too fast for one recipient (131056).
    PairLimit,
    /// Accepted, and answered with `status` (500 unless given) all the same.
    ErrorAfterAccept,
    /// Accepted, then the connection is closed without an answer.
    HangUp,
    /// Accepted, but answered only after `seconds` (30 unless given).
    Slow,
    /// Not accepted, and answered with `status` (502 unless given) and a body that is no JSON.
    NotJson,
    /// Updates are collected and posted `size` (1,000 unless given) in one body.
    Batch,
    /// Every webhook is posted twice, though the first was answered with 200.
    DuplicateWebhook,
    /// Users are known by their user id only.
    HideNumber,
}

/// One fault and when it strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many times; without end when absent.
    #[serde(default)]
    pub count: Option<u64>,
    /// Only every so many times: 7 strikes on the 7th, the 14th, …
    #[serde(default)]
    pub every_nth: Option<u64>,
    /// For [`FaultKind::Slow`] how long the answer is held back, else how long the fault lasts.
    #[serde(default)]
    pub seconds: Option<u64>,
    /// Only for this phone: a number or user id.
    #[serde(default)]
    pub phone: Option<String>,
    /// Only at this provider: `whatsapp`, `telegram`, `android`, `twilio`, `zenziva`, `kannel` or
    /// `smpp`.
    #[serde(default)]
    pub provider: Option<String>,
    /// The error code it gives.
    #[serde(default)]
    pub code: Option<u32>,
    /// The HTTP status it gives.
    #[serde(default)]
    pub status: Option<u16>,
    /// How many updates go into one body.
    #[serde(default)]
    pub size: Option<usize>,
}

impl Fault {
    /// A fault that strikes every time until it is taken away.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            count: None,
            every_nth: None,
            seconds: None,
            phone: None,
            provider: None,
            code: None,
            status: None,
            size: None,
        }
    }

    /// Its seconds, or else `default`, within bounds.
    pub(super) fn seconds_or(&self, default: u64) -> u64 {
        self.seconds.unwrap_or(default).min(MAX_SECONDS)
    }
}

struct Armed {
    fault: Fault,
    ends_at: Option<Timestamp>,
    seen: u64,
}

impl Armed {
    fn is_for(&self, kind: FaultKind, provider: &str, owner: &[&str], now: Timestamp) -> bool {
        self.fault.kind == kind
            && self.fault.provider.as_deref().is_none_or(|only| only == provider)
            && self.fault.count != Some(0)
            && self.ends_at.is_none_or(|end| now < end)
            && self.fault.phone.as_deref().is_none_or(|phone| {
                let number = super::phone::digits(phone);
                owner.iter().any(|name| *name == phone || Some(*name) == number.as_deref())
            })
    }
}

/// The faults in force.
#[derive(Default)]
pub(super) struct Faults(Vec<Armed>);

impl Faults {
    pub(super) fn new(faults: Vec<Fault>, now: Timestamp) -> Self {
        let arm = |fault: Fault| {
            let lasts = fault.seconds.filter(|_| fault.kind != FaultKind::Slow);
            let ends_at = lasts
                .map(|seconds| now.after(std::time::Duration::from_secs(seconds.min(MAX_SECONDS))));
            Armed { fault, ends_at, seen: 0 }
        };
        Self(faults.into_iter().take(MAX_FAULTS).map(arm).collect())
    }

    /// The fault of that kind if it strikes this time at that provider; `owner` names the phone
    /// (number, id).
    pub(super) fn strike(
        &mut self,
        kind: FaultKind,
        provider: &str,
        owner: &[&str],
        now: Timestamp,
    ) -> Option<Fault> {
        for armed in self.0.iter_mut().filter(|armed| armed.is_for(kind, provider, owner, now)) {
            armed.seen += 1;
            if armed.seen.is_multiple_of(armed.fault.every_nth.unwrap_or(1).max(1)) {
                if let Some(left) = &mut armed.fault.count {
                    *left -= 1;
                }
                return Some(armed.fault.clone());
            }
        }
        None
    }

    /// Whole seconds until the last fault of that kind ends, if they end.
    pub(super) fn seconds_left(&self, kind: FaultKind, now: Timestamp) -> Option<u64> {
        let ends =
            self.0.iter().filter(|armed| armed.fault.kind == kind && armed.fault.count != Some(0));
        let last = ends.filter_map(|armed| armed.ends_at).max()?;
        Some(last.since(now).as_millis().div_ceil(1_000).try_into().unwrap_or(MAX_SECONDS))
    }

    /// Those that can still strike.
    pub(super) fn list(&self, now: Timestamp) -> Vec<Fault> {
        let alive = |armed: &&Armed| {
            armed.fault.count != Some(0) && armed.ends_at.is_none_or(|end| now < end)
        };
        self.0.iter().filter(alive).map(|armed| armed.fault.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(0);

    #[test]
    fn every_seventh_means_the_seventh_and_the_fourteenth() {
        let fault = Fault { every_nth: Some(7), count: Some(2), ..Fault::new(FaultKind::HangUp) };
        let mut faults = Faults::new(vec![fault], NOW);
        let struck: Vec<u32> = (1..=30)
            .filter(|_| faults.strike(FaultKind::HangUp, "whatsapp", &["62812"], NOW).is_some())
            .collect();
        assert_eq!(struck, [7, 14]);
        assert_eq!(faults.list(NOW), []);
    }

    #[test]
    fn a_fault_ends_with_its_seconds_and_stays_with_its_phone() {
        let fault = Fault {
            seconds: Some(5),
            phone: Some("0812-0000-0001".into()),
            ..Fault::new(FaultKind::PairLimit)
        };
        let mut faults = Faults::new(vec![fault], NOW);
        let at = |seconds| NOW.after(Duration::from_secs(seconds));
        assert!(
            faults.strike(FaultKind::PairLimit, "whatsapp", &["6281200000002"], at(1)).is_none()
        );
        assert!(
            faults.strike(FaultKind::PairLimit, "whatsapp", &["6281200000001"], at(4)).is_some()
        );
        assert_eq!(faults.seconds_left(FaultKind::PairLimit, at(4)), Some(1));
        assert!(
            faults.strike(FaultKind::PairLimit, "whatsapp", &["6281200000001"], at(5)).is_none()
        );
    }

    #[test]
    fn seconds_are_bounded() {
        let fault = Fault { seconds: Some(u64::MAX), ..Fault::new(FaultKind::Throttle) };
        assert_eq!(fault.seconds_or(1), MAX_SECONDS);
        let mut faults = Faults::new(vec![fault], NOW);
        let after = NOW.after(Duration::from_secs(MAX_SECONDS));
        assert!(faults.strike(FaultKind::Throttle, "whatsapp", &[], after).is_none());
    }
}
