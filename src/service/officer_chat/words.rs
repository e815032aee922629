//! What areas, audiences, amounts and times are called in an officer's chat.

use std::time::Duration;

use crate::domain::area::AreaCode;
use crate::domain::audience::{Audience, CardCondition};
use crate::domain::broadcast::Schedule;
use crate::domain::clock::Takes;
use crate::service::{App, ServiceError};
use crate::store::area;
use crate::store::broadcast::Broadcast;
use crate::template::{OfficerAudience, OfficerLine as Line};

/// An area's name, or its code where it has none here.
pub(super) async fn area_name(app: &App, code: &AreaCode) -> Result<String, ServiceError> {
    if code.plain().is_empty() {
        return Ok(app.settings.office_name.clone());
    }
    let names =
        area::find_names(&mut *app.db.reading().await?, &app.db, std::slice::from_ref(code))
            .await?;
    Ok(names.into_values().next().unwrap_or_else(|| code.to_string()))
}

/// The names of all areas of an audience.
pub(super) async fn area_names(app: &App, audience: &Audience) -> Result<String, ServiceError> {
    let names = area::find_names(&mut *app.db.reading().await?, &app.db, &audience.areas).await?;
    let said = audience
        .areas
        .iter()
        .map(|code| names.get(code).map_or_else(|| code.to_string(), Clone::clone));
    Ok(said.collect::<Vec<_>>().join(", "))
}

/// Whom of an area it is for.
pub(super) fn card(app: &App, audience: &Audience) -> String {
    let (kind, count) = match audience.card {
        None => (OfficerAudience::All, 0),
        Some(CardCondition::NotRecorded) => (OfficerAudience::NotRecorded, 0),
        Some(CardCondition::Turning17 { months }) => (OfficerAudience::Turning17, months),
        Some(CardCondition::Uncollected { days }) => (OfficerAudience::Uncollected, days),
    };
    app.templates.officer_chat().audience(kind, count)
}

/// Whether a chat tells less than all of what it brings, whom it is for and when.
pub(super) fn is_partly_told(one: &Broadcast) -> bool {
    let audience = &one.audience;
    let parts = [&audience.dusun, &audience.rw, &audience.rt];
    one.attachment.is_some()
        || audience.is_list
        || audience.document.is_some()
        || audience.language.is_some()
        || parts.iter().any(|part| part.is_some())
        || one.schedule != Schedule::Now
}

/// A number as it is written here: `12.500`.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(".")
}

/// How long something takes.
pub(super) fn takes(app: &App, takes: Duration) -> String {
    let (line, count) = match Takes::of(takes) {
        Takes::AMinute => (Line::TakesMinute, 0),
        Takes::Minutes(count) => (Line::TakesMinutes, count),
        Takes::Hours(count) => (Line::TakesHours, count),
        Takes::Days(count) => (Line::TakesDays, count),
    };
    app.templates.officer_chat().say(line, &[("count", &number(count))])
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_written_in_groups_of_three() {
        for (count, written) in [(0, "0"), (999, "999"), (1_000, "1.000"), (1_234_567, "1.234.567")]
        {
            assert_eq!(number(count), written);
        }
    }
}
