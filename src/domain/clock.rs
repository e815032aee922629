//! Moments as Unix milliseconds, and the clock that gives them.
//!
//! Everything that asks for the time is handed a [`Clock`]; nothing else may read the wall clock,
//! so that tests can stand at any minute of any day.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeZone as _, Utc};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that many milliseconds after the epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch, as the database keeps it.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// The moment `duration` later; stops at the end of time instead of wrapping.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(ms(duration)))
    }

    /// The moment `duration` earlier.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(ms(duration)))
    }

    /// How long after `earlier` this moment is; zero when it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same moment on a wall clock of that zone.
    #[must_use]
    pub fn in_zone(self, zone: FixedOffset) -> DateTime<FixedOffset> {
        self.utc().with_timezone(&zone)
    }

    /// The same moment as the API writes it: `2026-11-22T02:00:00.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    /// The same moment in UTC; the epoch for values outside chrono's range.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }
}

impl<Tz: chrono::TimeZone> From<DateTime<Tz>> for Timestamp {
    fn from(value: DateTime<Tz>) -> Self {
        Self(value.timestamp_millis())
    }
}

/// The moment at which somebody last looked at the clock, so that they notice when it was set back.
#[derive(Clone, Copy, Debug)]
pub struct LastSeen(Timestamp);

impl LastSeen {
    /// A clock that is corrected by less than this was not set back.
    const TOLERANCE: Duration = Duration::from_secs(2);

    /// They look for the first time.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(now)
    }

    /// They look again. If the clock was set back: the latest moment it had shown before, until they [`Self::accept`] it.
    pub fn look(&mut self, now: Timestamp) -> Option<Timestamp> {
        if now.after(Self::TOLERANCE) < self.0 {
            return Some(self.0);
        }
        self.0 = now;
        None
    }

    /// They have done what was to be done, and go by the new time.
    pub const fn accept(&mut self, now: Timestamp) {
        self.0 = now;
    }
}

/// Tells the present moment.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let elapsed =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(ms(elapsed))
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
/// How long something takes, as people say it: rounded up, in one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Up to a minute.
    AMinute,
    /// 2 to 120.
    Minutes(u64),
    /// 3 to 48.
    Hours(u64),
    /// 3 and more.
    Days(u64),
}

impl Takes {
    /// What a duration is called.
    #[must_use]
    pub const fn of(takes: Duration) -> Self {
        let minutes = takes.as_secs().div_ceil(60);
        match minutes {
            0..=1 => Self::AMinute,
            2..=120 => Self::Minutes(minutes),
            121..=2_880 => Self::Hours(minutes.div_ceil(60)),
            _ => Self::Days(minutes.div_ceil(1_440)),
        }
    }
}
