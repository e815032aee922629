//! Days on which cards are brought: no weekend, and no holiday of the area.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};

use crate::domain::area::AreaCode;
use crate::service::{App, ServiceError};
use crate::store::holiday::{Holiday, list_holidays};

/// So far ahead a working day is looked for.
const LOOK_AHEAD: u64 = 60;

/// The span in which the working days after a day are looked for.
pub(super) fn ahead_of(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    (day, day.checked_add_days(Days::new(LOOK_AHEAD)).unwrap_or(day))
}

/// The next working days of an area after a day, at most so many, by the holidays of the span ahead of it.
pub(super) fn working_days(
    holidays: &[Holiday],
    area: &AreaCode,
    after: NaiveDate,
    count: usize,
) -> Vec<NaiveDate> {
    let (_, last) = ahead_of(after);
    let is_free = |day: NaiveDate| {
        holidays.iter().any(|holiday| {
            holiday.date == day
                && holiday.hours.is_none()
                && holiday.area.as_ref().is_none_or(|named| area.is_within(named))
        })
    };
    let days = after.iter_days().skip(1).take_while(|day| *day <= last);
    let is_work = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    days.filter(|day| is_work(day) && !is_free(*day)).take(count).collect()
}

/// The days of rounds one after the other. An office may choose any first day; those after it are working days.
///
/// # Errors
/// When the database fails.
pub async fn days_from(
    app: &App,
    area: &AreaCode,
    first: NaiveDate,
    count: usize,
) -> Result<Vec<NaiveDate>, ServiceError> {
    let holidays = list_holidays(&mut *app.db.reading().await?, ahead_of(first)).await?;
    let after = working_days(&holidays, area, first, count.saturating_sub(1));
    Ok(std::iter::once(first).chain(after).collect())
}
