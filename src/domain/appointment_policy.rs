//! What an office decides about visits without queueing.
//!
//! Values only; they come from the configuration.

use std::time::Duration;

use chrono::NaiveTime;

/// What the office decided about visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppointmentPolicy {
    /// Of a hundred places, kept from the chat.
    pub held_percent: i64,
    /// Appointments still to come that one chat may have.
    pub most_open: i64,
    /// So many days ahead sessions are laid out and offered.
    pub days_ahead: u64,
    /// When those who come tomorrow are reminded, by the place's clock.
    pub remind_at: NaiveTime,
    /// So many days the office takes to answer who asked for a home visit.
    pub home_visit_days: i64,
    /// So many days after its day a home visit that nobody settled is an alarm.
    pub home_visit_settle_days: i64,
    /// Such requests still open that one chat may have; 0 where none are taken by chat.
    pub most_home_visits: i64,
    /// So long after its end a session is settled.
    pub grace: Duration,
    /// A place that gets free later before the session than that goes to those who walk in.
    pub move_up_before: Duration,
    /// So often somebody may not come before they have to ask at the counter.
    pub most_missed: i64,
    /// Within so long.
    pub missed_within: Duration,
    /// Where the office takes applications online itself.
    pub portal: Option<Portal>,
}

/// A portal of the office's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// What it is called; never a link.
    pub name: String,
    /// What to have at hand.
    pub prepare: String,
}

impl Default for AppointmentPolicy {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            held_percent: 20,
            most_open: 3,
            days_ahead: 14,
            remind_at: NaiveTime::MIN + chrono::TimeDelta::hours(16),
            home_visit_days: 3,
            home_visit_settle_days: 3,
            most_home_visits: 2,
            grace: HOUR * 2,
            move_up_before: HOUR * 12,
            most_missed: 2,
            missed_within: HOUR * 24 * 90,
            portal: None,
        }
    }
}
