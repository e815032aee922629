//! A broadcast, its preview and its runs as JSON: the one form that the API and the command line give.
//!
//! Holds what officers may see and nothing of those it is for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Preview, RunReport, carries_file, looks, next_dates, schedule_words};
use crate::domain::broadcast::{LeftOut, Schedule};
use crate::domain::clock::Timestamp;
use crate::service::broadcast::BroadcastError;
use crate::service::{App, BroadcastWords};
use crate::store::broadcast::Broadcast;

/// Dates of a timetable that are told.
const DATES: usize = 5;

fn shown(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::rfc3339)
}

/// A broadcast.
#[must_use]
pub fn view(app: &App, one: &Broadcast) -> Value {
    let words = app.templates.broadcast();
    let schedule = match &one.schedule {
        Schedule::Now => json!({"kind": "now"}),
        Schedule::At(at) => json!({"kind": "at", "at": at.rfc3339()}),
        Schedule::Timetable(line) => json!({"kind": "cron", "cron": line.to_string()}),
    };
    let attachment =
        one.attachment.as_ref().map(|file| json!({"name": file.name, "kind": file.kind.as_str()}));
    let alarm = one.alarm.map(|alarm| {
        let said = words.alarm(alarm);
        json!({"alarm": alarm.as_str(), "code": one.alarm_code, "what": said.what, "next": said.next})
    });
    json!({"id": one.id.to_string(), "state": one.state.as_str(), "title": one.notice.title,
           "text": one.notice.text, "attachment": attachment, "place": one.notice.place, "time": one.notice.time,
           "audience": one.audience.to_json(), "schedule": schedule,
           "schedule_words": schedule_words(app, &one.schedule),
           "area": one.area.to_string(), "maker": one.maker.id, "checker": one.checker,
           "checked_at": shown(one.checked_at), "note": one.note, "recipients": one.recipients,
           "alarm": alarm, "next_at": shown(one.next_at), "created_at": one.created_at.rfc3339(),
           "updated_at": one.updated_at.rfc3339()})
}

/// What became of one run.
#[must_use]
pub fn view_run(app: &App, report: &RunReport) -> Value {
    let run = &report.run;
    let states: Map<String, Value> =
        report.states.iter().map(|(state, count)| (state.to_string(), json!(count))).collect();
    let failures: Vec<Value> = report
        .failures
        .iter()
        .map(|kind| json!({"channel": kind.channel.as_str(), "code": kind.code, "reason": kind.reason, "count": kind.count}))
        .collect();
    json!({"id": run.id.to_string(), "state": run.state.as_str(), "due_at": run.due_at.rfc3339(),
           "retry_of": run.retry_of.map(|id| id.to_string()), "recipients": run.recipients,
           "settled": report.settled, "states": states, "failures": failures,
           "left_out": left_out(app.templates.broadcast(), &run.left_out), "ways": run.ways,
           "started_at": run.started_at.rfc3339(), "expanded_at": shown(run.expanded_at),
           "departed_at": shown(run.departed_at), "finished_at": shown(run.finished_at)})
}

/// What it would come to, and how it looks.
///
/// # Errors
/// As [`looks`].
pub fn view_preview(
    app: &App,
    preview: &Preview,
    one: &Broadcast,
) -> Result<Value, BroadcastError> {
    let ways: Vec<Value> = preview
        .ways
        .iter()
        .map(|way| {
            json!({"account": way.account, "channel": way.channel.as_str(),
                   "recipients": way.recipients, "parts": way.parts, "rupiah": way.rupiah,
                   "seconds": way.takes.as_secs(), "days": way.days})
        })
        .collect();
    let looks: Vec<Value> = looks(app, &one.notice)?
        .iter()
        .map(|look| {
            json!({"channel": look.channel.as_str(), "text": look.text, "footer": look.footer,
                   "parts": look.parts,
                   "attachment": one.attachment.is_some() && carries_file(look.channel)})
        })
        .collect();
    let refusal = preview.file.map(|refusal| {
        let words = app.templates.broadcast().file_refusal(refusal);
        json!({"reason": refusal.as_str(), "words": words})
    });
    let dates: Vec<String> =
        next_dates(app, &one.schedule, DATES).into_iter().map(Timestamp::rfc3339).collect();
    Ok(json!({"people": preview.people, "recipients": preview.recipients, "ways": ways,
              "left_out": left_out(app.templates.broadcast(), &preview.left_out),
              "rupiah": preview.rupiah, "seconds": preview.takes.as_secs(),
              "needs_second": preview.needs_second, "attachment_refused": refusal, "looks": looks, "next_dates": dates}))
}

fn left_out(words: &BroadcastWords, counts: &BTreeMap<LeftOut, u64>) -> Vec<Value> {
    counts
        .iter()
        .map(|(reason, count)| {
            json!({"reason": reason.as_str(), "words": words.left_out(*reason), "count": count})
        })
        .collect()
}
