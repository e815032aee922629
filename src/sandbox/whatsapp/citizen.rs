//! The citizen's side of WhatsApp: writing, pressing buttons, opening messages.
//!
//! Turns what is done on a phone into the webhook Meta would send about it.

use serde_json::{Map, Value, json};

use super::course::{citizen, tell_read};
use super::{WhatsappAccount, event, message_id};
use crate::sandbox::{
    Bubble, Choice, Input, Mark, Memory, Phone, Sandbox, Side, WriteError, phone,
};

/// The longest text of a chat message.
const MAX_TEXT: usize = 4_096;

/// See [`Sandbox::write`].
pub(in crate::sandbox) fn write(
    sandbox: &Sandbox,
    who: &str,
    account: Option<&str>,
    input: Input,
) -> Result<String, WriteError> {
    if sandbox.is_full() {
        return Err(WriteError::Busy);
    }
    let now = sandbox.now();
    let (account, number, id, message, line) = sandbox.change(|memory| {
        let known = memory.phones.find(who);
        let number = known
            .map(|phone| phone.number.clone())
            .or_else(|| phone::digits(who))
            .ok_or(WriteError::BadNumber)?;
        let account = addressee(sandbox, known, account)?.clone();
        let (mut message, text) = content(known, &account, input)?;
        let id = message_id(sandbox, &number, false);
        message.insert("id".into(), id.clone().into());
        message.insert("timestamp".into(), (now.as_ms() / 1_000).to_string().into());
        let kind = message.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let bubble = Bubble {
            id: id.clone(),
            at_ms: now.as_ms(),
            side: Side::Citizen,
            channel: "whatsapp",
            account: account.phone_number_id.clone(),
            kind,
            header: None,
            text,
            footer: None,
            buttons: Vec::new(),
            menu: None,
            file: None,
            mark: Mark::Accepted,
            error_code: None,
            echo: None,
            is_by_number: true,
        };
        memory.phones.show(&number, bubble, now);
        let Some(phone) = memory.phones.get_mut(&number) else { return Err(WriteError::Busy) };
        phone.wrote_at.insert(account.phone_number_id.clone(), now);
        Ok((account, number, id, Value::Object(message), phone.line.clone()))
    })?;
    // Who writes has seen what stands above.
    read(sandbox, &number);
    let (own, sent_id) = (sandbox.clone(), id.clone());
    sandbox.later(async move {
        let _in_order = line.lock().await;
        own.change(|memory| memory.phones.mark(&number, &sent_id, Mark::Sent, None));
        let Some(citizen) = citizen(&own, &number) else { return };
        event::deliver(&own, &account, event::message(&account, &citizen, message)).await;
        own.change(|memory| memory.phones.mark(&number, &sent_id, Mark::Delivered, None));
    });
    Ok(id)
}

/// Who is written to: the one asked for, else who wrote last, else the first of all.
fn addressee<'a>(
    sandbox: &'a Sandbox,
    phone: Option<&Phone>,
    asked: Option<&str>,
) -> Result<&'a WhatsappAccount, WriteError> {
    let accounts = &sandbox.0.settings.accounts;
    let last = phone
        .and_then(|phone| phone.bubbles.iter().rev().find(|bubble| bubble.side == Side::Office))
        .map(|bubble| bubble.account.as_str());
    match asked.or(last) {
        Some(id) => accounts.iter().find(|account| account.phone_number_id == id),
        None => accounts.first(),
    }
    .ok_or(WriteError::UnknownAccount)
}

/// The fields of the message that the input decides, and its text on the screen.
fn content(
    phone: Option<&Phone>,
    account: &WhatsappAccount,
    input: Input,
) -> Result<(Map<String, Value>, String), WriteError> {
    let mut fields = Map::new();
    match input {
        Input::Text(text) => {
            if text.is_empty() || text.chars().count() > MAX_TEXT {
                return Err(WriteError::BadText);
            }
            fields.insert("type".into(), "text".into());
            fields.insert("text".into(), json!({ "body": text }));
            Ok((fields, text))
        }
        Input::Raw(raw) => {
            let kind = raw.get("type").and_then(Value::as_str).ok_or(WriteError::BadText)?;
            let text = format!("[{}]", kind.chars().take(40).collect::<String>());
            Ok((raw, text))
        }
        Input::Press { button_id, message_id } => {
            let (bubble, choice, is_row) = phone
                .and_then(|phone| pressed(phone, &button_id, message_id.as_deref()))
                .ok_or(WriteError::NoSuchButton)?;
            fields.insert("context".into(), json!({ "from": account.digits(), "id": bubble.id }));
            let reply = json!({ "id": choice.id, "title": choice.title });
            if bubble.kind == "template" {
                fields.insert("type".into(), "button".into());
                let button = json!({ "payload": choice.id, "text": choice.title });
                fields.insert("button".into(), button);
            } else {
                fields.insert("type".into(), "interactive".into());
                let kind = if is_row { "list_reply" } else { "button_reply" };
                let mut interactive = json!({ "type": kind, kind: reply });
                if let Some(description) = &choice.description {
                    interactive[kind]["description"] = description.clone().into();
                }
                fields.insert("interactive".into(), interactive);
            }
            Ok((fields, choice.title.clone()))
        }
    }
}

/// The button or row of that id, on that message or the latest that has it.
fn pressed<'a>(
    phone: &'a Phone,
    id: &str,
    message_id: Option<&str>,
) -> Option<(&'a Bubble, &'a Choice, bool)> {
    phone.bubbles.iter().rev().filter(|bubble| message_id.is_none_or(|m| m == bubble.id)).find_map(
        |bubble| {
            let button = bubble.buttons.iter().map(|choice| (choice, false));
            let rows = bubble.menu.iter().flat_map(|menu| &menu.rows).map(|row| (row, true));
            let (choice, is_row) = button.chain(rows).find(|(choice, _)| choice.id == id)?;
            Some((bubble, choice, is_row))
        },
    )
}

/// See [`Sandbox::read`].
pub(in crate::sandbox) fn read(sandbox: &Sandbox, who: &str) {
    let Some((number, opened)) = sandbox.change(|memory| open_all(memory, who)) else { return };
    for (account_id, opened) in opened {
        let accounts = &sandbox.0.settings.accounts;
        let account = accounts.iter().find(|account| account.phone_number_id == account_id);
        let Some(account) = account.cloned() else { continue };
        let (own, number) = (sandbox.clone(), number.clone());
        sandbox.later(async move { tell_read(&own, &account, &number, opened).await });
    }
}

type Opened = (String, (String, Option<String>, bool));

/// Marks what has arrived on that screen as read, and names it.
fn open_all(memory: &mut Memory, who: &str) -> Option<(String, Vec<Opened>)> {
    let number = memory.phones.find(who)?.number.clone();
    let is_unread = |bubble: &Bubble| {
        bubble.channel == "whatsapp"
            && bubble.side == Side::Office
            && bubble.mark == Mark::Delivered
    };
    if !memory.phones.find(who)?.bubbles.iter().any(is_unread) {
        return None;
    }
    let phone = memory.phones.get_mut(&number)?;
    let unread = phone.bubbles.iter_mut().filter(|bubble| is_unread(bubble));
    let opened = unread.map(|bubble| {
        bubble.mark = Mark::Read;
        (bubble.account.clone(), (bubble.id.clone(), bubble.echo.clone(), bubble.is_by_number))
    });
    Some((number, opened.collect()))
}
