//! `/siarkan`: a broadcast from its first word to its draft, one question at a time.
//!
//! What is written here is only kept; the draft, its preview and all that follows are the broadcasts' own service.

use super::act::{self, of_error};
use super::{Answer, Next, Seat, Steps, button, words};
use crate::domain::area::AreaCode;
use crate::domain::audience::{Audience, CardCondition};
use crate::domain::broadcast::{BroadcastState, Notice, Schedule};
use crate::domain::clock::Timestamp;
use crate::domain::id::BroadcastId;
use crate::domain::officer::Right;
use crate::domain::outbound::Choice;
use crate::domain::redact;
use crate::service::broadcast::{self, Draft, Preview, Seen};
use crate::service::{App, ServiceError};
use crate::store::area;
use crate::store::broadcast::Broadcast;
use crate::template::{OfficerAudience, OfficerButton, OfficerLine as Line};

/// Months ahead in which somebody turns 17, and days a card lies: what a chat offers. The console takes any.
const MONTHS: u32 = 3;
const DAYS: u32 = 30;
/// Areas on buttons, at most.
const ON_BUTTONS: usize = 8;
/// Names looked through for what somebody typed.
const NAMES: i64 = 5_000;
/// Longest name on a button.
const BUTTON_CHARS: usize = 40;

fn say(app: &App, line: Line, values: &[(&str, &str)], next: Next) -> Answer {
    Answer::new(app.templates.officer_chat().say(line, values), next)
}

/// The first question.
pub(super) fn begin(app: &App, seat: &Seat<'_>) -> Answer {
    if !seat.may(Right::Broadcast) {
        return seat.refused(app);
    }
    let [most, ..] = Notice::LONGEST;
    say(app, Line::TitleAsk, &[("most", &most.to_string())], Next::Go(Steps::Title))
}

/// Leaves it. A draft that was written is withdrawn.
pub(super) async fn stop(app: &App, seat: &Seat<'_>) -> Result<Answer, ServiceError> {
    let line = match &seat.steps {
        None => Line::NothingOpen,
        Some(Steps::Preview { id }) => {
            // What went out meanwhile, from here or elsewhere, is taken back by its own button alone.
            if let Ok(id) = id.parse::<BroadcastId>()
                && let Ok(one) = broadcast::show(app, &seat.actor, id).await
                && one.state == BroadcastState::Draft
            {
                return act::withdraw(app, seat, id).await;
            }
            Line::Stopped
        }
        Some(_) => Line::Stopped,
    };
    Ok(say(app, line, &[], Next::End))
}

/// Words that answer the last question.
pub(super) async fn hear(app: &App, seat: &Seat<'_>, text: &str) -> Result<Answer, ServiceError> {
    let Some(steps) = seat.steps.clone() else {
        return Ok(say(app, Line::Over, &[], Next::End));
    };
    if let Steps::Reason { id, seen } = &steps {
        let changed_at = seen.map(Timestamp::from_ms);
        return match id.parse() {
            Ok(id) => act::send_back(app, seat, Seen { id, changed_at }, text).await,
            Err(_) => Ok(say(app, Line::NotThere, &[], Next::End)),
        };
    }
    if !seat.may(Right::Broadcast) {
        return Ok(Answer { next: Next::End, ..seat.refused(app) });
    }
    let [title_max, text_max, ..] = Notice::LONGEST;
    Ok(match steps {
        Steps::Title => match plain(app, text, title_max) {
            Err(again) => again,
            Ok(title) => {
                let most = text_max.to_string();
                say(app, Line::TextAsk, &[("most", &most)], Next::Go(Steps::Text { title }))
            }
        },
        Steps::Text { title } => match plain(app, text, text_max) {
            Err(again) => again,
            Ok(text) => {
                let choices = own_areas(app, seat).await?;
                say(app, Line::AreaAsk, &[], Next::Go(Steps::Area { title, text })).with(choices)
            }
        },
        Steps::Area { .. } => typed_area(app, seat, text).await?,
        Steps::Card { .. } | Steps::Preview { .. } | Steps::Reason { .. } => {
            say(app, Line::Press, &[], Next::Keep)
        }
    })
}

/// The words with their white space made plain, or why they cannot stand.
fn plain(app: &App, text: &str, most: usize) -> Result<String, Answer> {
    if redact::is_marked(text) {
        return Err(say(app, Line::Personal, &[], Next::Keep));
    }
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let chars = plain.chars().count();
    if chars > most {
        let values = [("chars", &*chars.to_string()), ("most", &*most.to_string())];
        return Err(say(app, Line::TooLong, &values, Next::Keep));
    }
    Ok(plain)
}

fn own(app: &App, seat: &Seat<'_>) -> AreaCode {
    let is_everywhere = seat.actor.area.plain().is_empty();
    if is_everywhere { app.settings.office_area.clone() } else { seat.actor.area.clone() }
}

fn area_button(code: &AreaCode, name: &str) -> Choice {
    let title = name.chars().take(BUTTON_CHARS).collect();
    button(&format!("area:{code}"), title)
}

/// Their own area and the first of those right below it.
async fn own_areas(app: &App, seat: &Seat<'_>) -> Result<Vec<Choice>, ServiceError> {
    let own = own(app, seat);
    let found = area::list_within(&app.db, &own, NAMES).await?;
    let name = found.iter().find(|(code, _)| *code == own).map(|(_, name)| name.clone());
    let below: Vec<_> = found.iter().filter(|(code, _)| *code != own).collect();
    let shortest = below.iter().map(|(code, _)| code.plain().len()).min();
    let mut choices = vec![area_button(&own, &name.unwrap_or_else(|| own.to_string()))];
    choices.extend(
        below
            .iter()
            .filter(|(code, _)| Some(code.plain().len()) == shortest)
            .take(ON_BUTTONS - 1)
            .map(|(code, name)| area_button(code, name)),
    );
    Ok(choices)
}

/// An area by its code, or by its name where one alone has it.
async fn typed_area(app: &App, seat: &Seat<'_>, text: &str) -> Result<Answer, ServiceError> {
    if let Ok(code) = AreaCode::parse(text) {
        return choose_area(app, seat, code).await;
    }
    let own = own(app, seat);
    let names = area::list_names(&mut *app.db.reading().await?, &own, NAMES).await?;
    let wanted = text.trim().to_lowercase();
    let mut found: Vec<_> =
        names.into_iter().filter(|(_, name)| name.to_lowercase() == wanted).collect();
    if found.len() == 1
        && let Some((code, _)) = found.pop()
    {
        return choose_area(app, seat, code).await;
    }
    let choices: Vec<Choice> = found
        .iter()
        .take(ON_BUTTONS)
        .map(|(code, name)| area_button(code, &format!("{name} ({code})")))
        .collect();
    let line = if choices.is_empty() { Line::AreaUnknown } else { Line::AreaAsk };
    Ok(say(app, line, &[("example", &own.to_string())], Next::Keep).with(choices))
}

/// The area is chosen: for whom there?
pub(super) async fn choose_area(
    app: &App,
    seat: &Seat<'_>,
    code: AreaCode,
) -> Result<Answer, ServiceError> {
    let Some(Steps::Area { title, text }) = seat.steps.clone() else {
        return Ok(say(app, Line::Over, &[], Next::Keep));
    };
    if !seat.may(Right::Broadcast) {
        return Ok(seat.refused(app));
    }
    if !code.is_within(&seat.actor.area) {
        return Ok(say(app, Line::AreaOutside, &[], Next::Keep));
    }
    let name = words::area_name(app, &code).await?;
    let words = app.templates.officer_chat();
    let choices = OfficerAudience::ALL
        .iter()
        .map(|&kind| {
            let count = condition(kind).map_or(0, |(_, count)| count);
            button(&format!("card:{kind}"), words.audience(kind, count))
        })
        .collect();
    let next = Next::Go(Steps::Card { title, text, area: code.to_string() });
    Ok(say(app, Line::CardChoice, &[("area", &name)], next).with(choices))
}

fn condition(kind: OfficerAudience) -> Option<(CardCondition, u32)> {
    match kind {
        OfficerAudience::All => None,
        OfficerAudience::NotRecorded => Some((CardCondition::NotRecorded, 0)),
        OfficerAudience::Turning17 => Some((CardCondition::Turning17 { months: MONTHS }, MONTHS)),
        OfficerAudience::Uncollected => Some((CardCondition::Uncollected { days: DAYS }, DAYS)),
    }
}

/// All is said: the draft is written and counted.
pub(super) async fn choose_card(
    app: &App,
    seat: &Seat<'_>,
    kind: OfficerAudience,
) -> Result<Answer, ServiceError> {
    let Some(Steps::Card { title, text, area }) = seat.steps.clone() else {
        return Ok(say(app, Line::Over, &[], Next::Keep));
    };
    let (Ok(notice), Ok(area)) = (Notice::parse(&title, &text, "", ""), AreaCode::parse(&area))
    else {
        return Ok(say(app, Line::Personal, &[], Next::End));
    };
    let card = condition(kind).map(|(card, _)| card);
    let audience = Audience { card, ..Audience::of_area(area) };
    let draft = Draft { notice, audience, schedule: Schedule::Now };
    let written = async {
        let id = broadcast::create(app, &seat.actor, &draft).await?;
        let one = broadcast::show(app, &seat.actor, id).await?;
        Ok((one, broadcast::preview(app, &seat.actor, id).await?))
    };
    match written.await {
        Ok((one, preview)) => look_at(app, &one, &preview).await,
        Err(error) => of_error(app, seat, error),
    }
}

/// What the draft would come to, and what can be done with it.
async fn look_at(app: &App, one: &Broadcast, found: &Preview) -> Result<Answer, ServiceError> {
    let said = app.templates.officer_chat();
    let area = words::area_names(app, &one.audience).await?;
    let ways: Vec<String> = found
        .ways
        .iter()
        .map(|way| {
            let (channel, count) = (said.channel(way.channel), words::number(way.recipients));
            said.say(Line::Way, &[("channel", &channel), ("count", &count)])
        })
        .collect();
    let left_out: Vec<String> = found
        .left_out
        .iter()
        .map(|(reason, count)| {
            let reason = app.templates.broadcast().left_out(*reason);
            let count = words::number(*count);
            said.say(Line::LeftOutOne, &[("count", &count), ("reason", reason)])
        })
        .collect();
    let left_out =
        if left_out.is_empty() { said.say(Line::LeftOutNone, &[]) } else { left_out.join(", ") };
    let rupiah = match found.rupiah {
        Some(amount) => said.say(Line::Rupiah, &[("amount", &words::number(amount))]),
        None => said.say(Line::RupiahUnknown, &[]),
    };
    let second = match (found.recipients, found.needs_second) {
        (0, _) => Line::Nobody,
        (_, true) => Line::SecondNeeded,
        (_, false) => Line::SecondFree,
    };
    let values = [
        ("title", one.notice.title.as_str()),
        ("text", &one.notice.text),
        ("area", &area),
        ("card", &words::card(app, &one.audience)),
        ("recipients", &words::number(found.recipients)),
        ("people", &words::number(found.people)),
        ("ways", &ways.join("\n")),
        ("left_out", &left_out),
        ("rupiah", &rupiah),
        ("takes", &words::takes(app, found.takes)),
        ("second", &said.say(second, &[])),
    ];
    let id = one.id.to_string();
    let go = if found.needs_second { OfficerButton::Ask } else { OfficerButton::Send };
    let mut choices = Vec::new();
    if found.recipients > 0 {
        choices.push(act::choice(app, OfficerButton::Test, one.id, one.updated_at));
        choices.push(act::choice(app, go, one.id, one.updated_at));
    }
    choices.push(act::choice(app, OfficerButton::Cancel, one.id, one.updated_at));
    let next = Next::Go(Steps::Preview { id });
    Ok(say(app, Line::Preview, &values, next).with(choices))
}
