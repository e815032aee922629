//! The section `[appointment]`: how visits without queueing go, and the office's own portal.

use std::time::Duration;

use chrono::NaiveTime;
use serde::Deserialize;

use super::ConfigError;
use crate::domain::appointment_policy::{AppointmentPolicy, Portal};

/// Longest words about the portal, in characters.
const LONGEST: usize = 120;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Appointment {
    held_percent: i64,
    most_open: i64,
    days_ahead: u64,
    remind_at: String,
    home_visit_days: i64,
    home_visit_settle_days: i64,
    most_home_visits: i64,
    grace: String,
    move_up_before: String,
    most_missed: i64,
    missed_within: String,
    portal: String,
    portal_prepare: String,
}

impl Appointment {
    pub(super) fn check(
        self,
        at: &dyn Fn(&str, String, &str) -> ConfigError,
        wait: &dyn Fn(&str, &str) -> Result<Duration, ConfigError>,
    ) -> Result<AppointmentPolicy, ConfigError> {
        let within = |key: &str, value: i64, from: i64, to: i64| {
            let is_in = (from..=to).contains(&value);
            let key = format!("appointment.{key}");
            let what = format!("must be {from} to {to}");
            if is_in { Ok(value) } else { Err(at(&key, what, "see the file's own comments")) }
        };
        let remind_at = NaiveTime::parse_from_str(&self.remind_at, "%H:%M").map_err(|_| {
            at("appointment.remind_at", "is no time of day".to_owned(), "like \"16:00\"")
        })?;
        let days = i64::try_from(self.days_ahead).unwrap_or(i64::MAX);
        within("days_ahead", days, 1, 60)?;
        Ok(AppointmentPolicy {
            held_percent: within("held_percent", self.held_percent, 0, 90)?,
            most_open: within("most_open", self.most_open, 1, 20)?,
            days_ahead: self.days_ahead,
            remind_at,
            home_visit_days: within("home_visit_days", self.home_visit_days, 1, 90)?,
            home_visit_settle_days: within(
                "home_visit_settle_days",
                self.home_visit_settle_days,
                0,
                90,
            )?,
            most_home_visits: within("most_home_visits", self.most_home_visits, 0, 20)?,
            grace: wait("appointment.grace", &self.grace)?,
            move_up_before: wait("appointment.move_up_before", &self.move_up_before)?,
            most_missed: within("most_missed", self.most_missed, 1, 100)?,
            missed_within: wait("appointment.missed_within", &self.missed_within)?,
            portal: portal(self.portal.trim(), self.portal_prepare.trim(), at)?,
        })
    }
}

/// The portal, where the office has one. Citizens are told that we send no links, so it has a name and none.
fn portal(
    name: &str,
    prepare: &str,
    at: &dyn Fn(&str, String, &str) -> ConfigError,
) -> Result<Option<Portal>, ConfigError> {
    if name.is_empty() && prepare.is_empty() {
        return Ok(None);
    }
    for (key, text) in [("appointment.portal", name), ("appointment.portal_prepare", prepare)] {
        let has_link = ["http", "www.", "wa.me", "://"].iter().any(|link| text.contains(link));
        let is_fit = (1..=LONGEST).contains(&text.chars().count())
            && text.chars().all(|c| c.is_ascii() && !c.is_control());
        if has_link || !is_fit {
            let what = format!("must have 1 to {LONGEST} plain characters and no link");
            return Err(at(key, what, "its name, like \"Layanan Dukcapil Jombang\""));
        }
    }
    Ok(Some(Portal { name: name.to_owned(), prepare: prepare.to_owned() }))
}
