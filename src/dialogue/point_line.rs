//! A place that serves citizens, as a line of a transcript.
//!
//! `name | address | area: 35.17.09 | at: 2026-11-23 09.00 | mon-thu: 08.00-15.00 | fri: 08.00-11.00 | services: kk |
//! map: -7.5, 112.2 | holiday: 2026-11-23 Hari jadi | closed: 2026-12-01 renovasi | preparation: yes |
//! blanko: none 2026-11-21 | schedule: … | contact: …`. Made for tests only.

use chrono::{NaiveDate, NaiveDateTime};

use super::place::PointFact;
use crate::domain::area::AreaCode;
use crate::domain::calendar::{Calendar, Closure, Span, SpecialDay, Week, parse_spans};
use crate::domain::service_point::{BlankoStock, GeoPoint, PointService, PointState, PointStatus};

/// Short names of the weekdays, Monday first.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn point(value: &str) -> Result<PointFact, String> {
    let mut parts = value.split('|').map(str::trim);
    let name = parts.next().unwrap_or_default().to_owned();
    let mut point = PointFact {
        short_name: name.replace("Kantor Kecamatan", "Kec."),
        name,
        area: AreaCode::nationwide(),
        address: parts.next().filter(|address| !address.is_empty()).map(str::to_owned),
        hours: (String::new(), String::new()),
        calendar: None,
        at: NaiveDate::default().into(),
        services: Vec::new(),
        state: PointState::RUNNING,
        blanko: (BlankoStock::Unknown, None),
        schedule: None,
        contact: None,
        place: None,
    };
    let mut days: [Vec<Span>; 7] = Default::default();
    let mut calendar = Calendar::default();
    for part in parts {
        let (key, value) = part.split_once(": ").ok_or("a part of a point is `key: value`")?;
        match key {
            "at" => {
                point.at = NaiveDateTime::parse_from_str(value, "%Y-%m-%d %H.%M")
                    .map_err(|_| format!("`{value}` is no moment"))?;
            }
            "area" => point.area = value.parse().map_err(|_| "no area code".to_owned())?,
            "hours" => point.hours = (value.to_owned(), value.to_owned()),
            "services" => {
                point.services = PointService::parse_list(value)
                    .map_err(|word| format!("`{word}` is no service"))?;
            }
            "map" => point.place = GeoPoint::parse_stored(value),
            "holiday" => {
                let (date, name) = dated(value)?;
                let day = SpecialDay { name: name.to_owned(), hours: None };
                calendar.special.insert(date, day);
            }
            "closed" => {
                let (until, because) = dated(value)?;
                let (until, because) = (Some(until), because.to_owned());
                calendar.closure = Some(Closure { until, because: because.clone() });
                let because = Some(because);
                point.state = PointState { status: PointStatus::Closed, until, because };
            }
            "preparation" => point.state.status = PointStatus::Preparation,
            "blanko" => {
                let (stock, date) = value.split_once(' ').ok_or("blanko: a word and a day")?;
                let stock = stock.parse().map_err(|_| format!("`{stock}` is no stock"))?;
                point.blanko = (stock, Some(day(date)?));
            }
            "schedule" => point.schedule = Some(value.to_owned()),
            "contact" => point.contact = Some(value.to_owned()),
            _ => {
                let spans = parse_spans(value).map_err(|error| error.to_string())?;
                let (first, last) = key.split_once('-').unwrap_or((key, key));
                let at = |name| WEEKDAYS.iter().position(|known| *known == name);
                let (first, last) =
                    at(first).zip(at(last)).ok_or(format!("`{key}` is no part of a point"))?;
                for day in days.iter_mut().take(last + 1).skip(first) {
                    day.clone_from(&spans);
                }
            }
        }
    }
    calendar.week = Week::new(days);
    point.calendar = (!calendar.week.is_empty()).then_some(calendar);
    Ok(point)
}

fn dated(value: &str) -> Result<(NaiveDate, &str), String> {
    let (date, words) = value.split_once(' ').ok_or("a day, and words")?;
    Ok((day(date)?, words))
}

fn day(date: &str) -> Result<NaiveDate, String> {
    date.parse().map_err(|_| format!("`{date}` is no day"))
}
