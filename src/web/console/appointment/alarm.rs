//! What the morning page says of sessions: how many there are today, those that are over and that nobody settled,
//! and those in which people wait although places are kept free.

use chrono::Days;

use super::{is_unsettled, today};
use crate::domain::officer::Right;
use crate::service::appointment::{AppointmentError, list_sessions};
use crate::store::service_session::Counted;
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::error::Error;

/// So many days ahead a kept place can still be given to who waits.
const AHEAD: u64 = 3;

/// Sessions on the morning page.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::web::console) struct SessionsToday {
    /// Today, and not called off.
    pub(in crate::web::console) sessions: i64,
    /// Who has a place in them.
    pub(in crate::web::console) booked: i64,
    /// Over, and nobody said who came.
    pub(in crate::web::console) unsettled: i64,
    /// People wait although places are free.
    pub(in crate::web::console) stuck: i64,
}

impl SessionsToday {
    /// Whether something is to be done.
    pub(in crate::web::console) const fn is_quiet(&self) -> bool {
        self.unsettled == 0 && self.stuck == 0
    }
}

/// Looks at those of an officer's area; nothing for who runs no counter.
///
/// # Errors
/// When the database fails.
pub(in crate::web::console) async fn look_at_sessions(
    web: &Web,
    desk: &Desk,
) -> Result<SessionsToday, Error> {
    if !desk.may(Right::RunCounter) || !desk.may(Right::SeePoints) {
        return Ok(SessionsToday::default());
    }
    let (now, today) = (web.app.now(), today(web));
    let until = today.checked_add_days(Days::new(AHEAD)).unwrap_or(today);
    let found = list_sessions(&web.app, &desk.actor, (today, until)).await;
    let found = found.map_err(|error| match error {
        AppointmentError::Other(error) => error.into(),
        _ => Error::Forbidden("sessions"),
    })?;
    let of_today = |one: &&Counted| one.session.day == today && one.session.closed.is_none();
    let count = |fits: &dyn Fn(&Counted) -> bool| {
        i64::try_from(found.iter().filter(|one| fits(one)).count()).unwrap_or(i64::MAX)
    };
    let lead = web.app.settings.appointment.move_up_before;
    let is_stuck = |one: &Counted| {
        let is_in_time = now.after(lead) <= one.session.begins_at;
        one.session.is_ahead(now) && is_in_time && one.waiting > 0 && one.taken < one.session.quota
    };
    Ok(SessionsToday {
        sessions: count(&|one| of_today(&one)),
        booked: found.iter().filter(of_today).map(|one| one.taken).sum(),
        unsettled: count(&|one| is_unsettled(one, now)),
        stuck: count(&is_stuck),
    })
}
