//! A session as it stands in the head of a transcript, and what becomes of it there:
//! `Kantor Kecamatan Jombang | Kec. Jombang | counter | 35.17.09 | 2026-11-24 | Selasa, 24 November | Sel 24 Nov |
//! 07.30-11.30 | printing,kk | 07.30 07.40 | waiting: 2`. The times are those of the places that are free; none when it
//! is full, and `line: closed` where nobody can wait for one any more. Made for tests only.

use std::time::Duration;

use super::visit_fact::{AppointmentFact, BookingFact, SessionFact, SlotNow};
use crate::domain::clock::Timestamp;
use crate::domain::id::{AppointmentId, IdSource, ServiceSessionId};
use crate::domain::service_point::PointService;

/// The sessions and appointments of a transcript.
#[derive(Clone, Default)]
pub struct Visits {
    sessions: Vec<(SessionFact, Vec<String>)>,
    off: Option<String>,
    /// The appointments of the chat.
    pub booking: BookingFact,
    codes: Vec<String>,
}

/// A place that gets free goes to those who wait until then.
const HALF_A_DAY: Duration = Duration::from_secs(12 * 3600);
const CODES: [&str; 4] = ["J-7KQ4", "J-W4HT", "J-9PXB", "J-K3MS"];

impl Visits {
    /// Nothing, and the number of appointments that a chat may have.
    #[must_use]
    pub fn new() -> Self {
        let booking = BookingFact { most: 3, move_up_before: HALF_A_DAY, ..BookingFact::default() };
        let codes = CODES.iter().rev().map(|code| (*code).to_owned()).collect();
        Self { booking, codes, ..Self::default() }
    }

    /// Reads a session.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, value: &str) -> Result<(), String> {
        let mut parts = value.split('|').map(|part| part.trim().to_owned());
        let mut next = |what: &str| parts.next().ok_or(format!("the session has no {what}"));
        let n = i64::try_from(self.sessions.len()).unwrap_or(0);
        let id: ServiceSessionId = IdSource::default().next(Timestamp::from_ms(n + 1));
        let (place, place_short) = (next("place")?, next("short place")?);
        let kind = next("kind")?.parse().map_err(|_| "no such kind".to_owned())?;
        let area = next("area")?.parse().map_err(|_| "no area code".to_owned())?;
        let date = next("date")?.parse().map_err(|_| "no day like 2026-11-24".to_owned())?;
        let (day, day_short) = (next("day")?, next("short day")?);
        let window = next("window")?;
        let services = PointService::parse_list(&next("services")?)?;
        let times: Vec<String> =
            next("times").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let (mut waiting, mut may_wait) = (0, true);
        for part in parts {
            match part.split_once(": ") {
                Some(("waiting", count)) => {
                    waiting = count.parse().map_err(|_| format!("`{count}` is no number"))?;
                }
                Some(("line", "closed")) => may_wait = false,
                _ => return Err(format!("`{part}` is no part of a session")),
            }
        }
        let session = SessionFact {
            id,
            place,
            place_short,
            kind,
            area,
            day,
            day_short,
            date,
            comes: None,
            comes_short: None,
            window: format!("pukul {window} WIB"),
            window_short: format!("{window} WIB"),
            waiting,
            may_wait,
            is_reminded: true,
            services,
            pin: None,
        };
        self.sessions.push((session, times));
        Ok(())
    }

    /// All places are taken.
    pub fn fill(&mut self) {
        for (_, times) in &mut self.sessions {
            times.clear();
        }
    }

    /// All sessions are called off.
    pub fn call_off(&mut self) {
        self.off = Some("listrik padam".to_owned());
        self.sessions.clear();
    }

    /// What is told of the sessions.
    #[must_use]
    pub fn facts(&self) -> Vec<SessionFact> {
        self.sessions.iter().map(Self::fact).collect()
    }

    /// What is done at them.
    #[must_use]
    pub fn served(&self) -> Vec<PointService> {
        self.sessions.iter().flat_map(|(session, _)| session.services.clone()).collect()
    }

    fn fact((session, times): &(SessionFact, Vec<String>)) -> SessionFact {
        let first = times.first().filter(|_| session.waiting == 0);
        SessionFact {
            comes: first.map(|time| format!("{time} WIB")),
            comes_short: first.cloned(),
            ..session.clone()
        }
    }

    /// A session at this moment.
    #[must_use]
    pub fn slot(&self, id: ServiceSessionId) -> SlotNow {
        let found = self.sessions.iter().find(|(session, _)| session.id == id);
        SlotNow {
            session: found.map(Self::fact),
            code: self.codes.last().cloned().unwrap_or_default(),
            called_off: self.off.clone(),
        }
    }

    /// Books, or waits.
    pub fn book(&mut self, id: ServiceSessionId, service: &str, lacks: &[String]) {
        let Some((session, times)) = self.sessions.iter_mut().find(|(one, _)| one.id == id) else {
            return;
        };
        let now = Timestamp::from_ms(i64::try_from(self.booking.own.len()).unwrap_or(0));
        let is_free = session.waiting == 0 && !times.is_empty();
        let time = if is_free { format!("{} WIB", times.remove(0)) } else { String::new() };
        if !is_free {
            session.waiting += 1;
        }
        let appointment: AppointmentId = IdSource::default().next(now);
        self.booking.own.push(AppointmentFact {
            id: appointment,
            code: self.codes.pop().unwrap_or_default(),
            service: service.to_owned(),
            session: id,
            place: session.place.clone(),
            place_short: session.place_short.clone(),
            day: session.day.clone(),
            day_short: session.day_short.clone(),
            time,
            line: if is_free { 0 } else { session.waiting },
            lacks: lacks.to_vec(),
        });
    }

    /// Cancels.
    pub fn unbook(&mut self, id: AppointmentId) {
        self.booking.own.retain(|own| own.id != id);
    }
}
