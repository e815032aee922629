//! Tells officers in their chats what others did with a broadcast: that their word is asked for, and what the second
//! person said, wherever either of them works.
//!
//! Only those are told who may see it; whether they may act is judged again when they press.

use super::{Reply, act, plan, words};
use crate::domain::clock::Timestamp;
use crate::domain::officer::{Actor, Right};
use crate::service::officer::name_of;
use crate::service::{App, ServiceError, broadcast};
use crate::store::Tx;
use crate::store::broadcast::Broadcast;
use crate::store::officer::find_officer;
use crate::store::officer_chat as rows;
use crate::template::{OfficerButton, OfficerLine as Line};

/// Officers asked for their word on one broadcast, at most.
const ASKED: usize = 20;

/// Asks those who may agree to a broadcast that was submitted.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn ask_approvers(
    app: &App,
    tx: &mut Tx,
    one: &Broadcast,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let chats = rows::list_chats(tx, &app.db).await?;
    if chats.is_empty() {
        return Ok(());
    }
    let area = words::area_names(app, &one.audience).await?;
    let maker = name_of(app, &one.maker.id).await?;
    let said = app.templates.officer_chat();
    let more =
        if words::is_partly_told(one) { said.say(Line::ApproveMore, &[]) } else { String::new() };
    let text = said.say(
        Line::ApproveAsk,
        &[
            ("maker", &maker),
            ("title", &one.notice.title),
            ("text", &one.notice.text),
            ("area", &area),
            ("card", &words::card(app, &one.audience)),
            ("recipients", &words::number(one.recipients.unwrap_or(0))),
            ("when", &broadcast::schedule_words(app, &one.schedule)),
            ("more", &more),
        ],
    );
    let text = text.trim_end().to_owned();
    let mut asked = 0;
    for chat in chats {
        let Some(account) = app.account(&chat.account) else { continue };
        let Some(officer) = find_officer(&app.db, chat.officer).await? else { continue };
        let actor = officer.actor();
        let is_theirs = actor.may(Right::Approve)
            && actor.id != one.maker.id
            && actor.covers(Some(&one.area), &app.settings.office_area);
        if !is_theirs {
            continue;
        }
        let buttons = [OfficerButton::Approve, OfficerButton::Return];
        let choices = buttons.map(|button| act::choice(app, button, one.id, now)).to_vec();
        let reply = Reply { text: text.clone(), choices };
        let key = format!("{}:{}:{}", one.id, now.as_ms(), officer.id);
        plan(app, tx, (account, chat.chat), &key, vec![reply], now).await?;
        asked += 1;
        if asked == ASKED {
            break;
        }
    }
    Ok(())
}

/// Tells whoever wrote a broadcast that it was agreed to, or sent back and why.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn tell_maker(
    app: &App,
    tx: &mut Tx,
    one: &Broadcast,
    checker: &Actor,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let Ok(maker) = one.maker.id.parse() else { return Ok(()) };
    let Some(chat) = rows::find_of(tx, &app.db, maker).await? else { return Ok(()) };
    let Some(account) = app.account(&chat.account) else { return Ok(()) };
    let officer = find_officer(&app.db, maker).await?;
    if officer.is_none_or(|officer| officer.disabled_at.is_some()) {
        return Ok(());
    }
    let said = app.templates.officer_chat();
    let checker = name_of(app, &checker.id).await?;
    let title = ("title", one.notice.title.as_str());
    let (text, choices) = if let Some(reason) = &one.note {
        let values = [title, ("checker", &checker), ("reason", reason)];
        (said.say(Line::Returned, &values), Vec::new())
    } else {
        let text = said.say(Line::Approved, &[title, ("checker", &checker)]);
        let buttons = [OfficerButton::Send, OfficerButton::Cancel];
        (text, buttons.map(|button| act::choice(app, button, one.id, now)).to_vec())
    };
    let key = format!("{}:{}:{maker}", one.id, now.as_ms());
    plan(app, tx, (account, chat.chat), &key, vec![Reply { text, choices }], now).await
}
