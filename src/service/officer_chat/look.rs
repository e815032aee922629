//! `/kartu`: the console's search, answered in a chat with a few masked lines.
//!
//! A NIK never stands in an answer, and one that is typed never reaches this file: its hash does.

use super::super::officer::note_look;
use super::{Answer, Next, Seat, words};
use crate::domain::audit::Action;
use crate::domain::officer::Right;
use crate::domain::person::PersonName;
use crate::domain::redact;
use crate::service::find_card::{self, Kind, Sought};
use crate::service::{App, ServiceError};
use crate::store::card_list::CardLine;
use crate::store::story;
use crate::template::OfficerLine as Line;

/// Cards shown; who finds more adds a word.
const SHOWN: usize = 5;

pub(super) async fn look(
    app: &App,
    seat: &Seat<'_>,
    typed: &str,
    sought: Option<&str>,
) -> Result<Answer, ServiceError> {
    if !seat.may(Right::SeeCards) {
        return Ok(seat.refused(app));
    }
    let words = app.templates.officer_chat();
    let say = |line, values: &[(&str, &str)]| Answer::new(words.say(line, values), Next::Keep);
    if sought.is_none() && redact::is_marked(typed) {
        return Ok(say(Line::CardNumber, &[]));
    }
    let wanted = sought.map_or(Sought::Typed(typed), Sought::NikHash);
    let found = find_card::find(app, &seat.actor, wanted).await?;
    if matches!(found.kind, Kind::Empty | Kind::Digits) {
        return Ok(say(Line::CardAsk, &[]));
    }
    if found.lines.is_empty() {
        return Ok(say(Line::CardNone, &[]));
    }
    let mut shown = Vec::new();
    for line in found.lines.iter().take(SHOWN) {
        shown.push(hit(app, seat, line).await?);
    }
    let cards = shown.join("\n\n");
    let count = found.lines.len();
    if count <= SHOWN && !found.has_more {
        return Ok(say(Line::CardFound, &[("cards", &cards)]));
    }
    let more = if found.has_more { "+" } else { "" };
    let count = format!("{}{more}", words::number(u64::try_from(count).unwrap_or(u64::MAX)));
    Ok(say(
        Line::CardMore,
        &[("cards", &cards), ("count", &count), ("shown", &shown.len().to_string())],
    ))
}

async fn hit(app: &App, seat: &Seat<'_>, line: &CardLine) -> Result<String, ServiceError> {
    note_look(app, &seat.actor, Action::LookedAtCard, &line.id.to_string()).await?;
    let words = app.templates.officer_chat();
    let vocabulary = app.templates.vocabulary();
    let zone = app.zone(line.area.as_ref()).offset();
    let day = |at: crate::domain::clock::Timestamp| {
        vocabulary.day_and_year(at.in_zone(zone).date_naive())
    };
    let last = story::list_messages(&app.db, line.person, line.id, 1).await?.into_iter().next();
    let message = match last {
        None => words.say(Line::MessageNone, &[]),
        Some(last) => words.say(
            Line::MessageLast,
            &[
                ("state", &words.message(last.status)),
                ("channel", &words.channel(last.channel)),
                ("day", &day(last.created_at)),
            ],
        ),
    };
    let name = line.name.as_ref().map_or_else(|| "…".to_owned(), PersonName::masked);
    let code = line.area.as_ref().map(ToString::to_string);
    let area = line.area_name.clone().or(code).unwrap_or_else(|| "…".to_owned());
    let document =
        vocabulary.document(line.document, crate::domain::message::ChannelKind::Telegram);
    Ok(words.say(
        Line::CardHit,
        &[
            ("name", &name),
            ("area", &area),
            ("document", &document),
            ("status", &words.status(line.status)),
            ("since", &day(line.status_at)),
            ("message", &message),
        ],
    ))
}
