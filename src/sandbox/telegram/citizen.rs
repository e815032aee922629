//! The citizen's side of Telegram: writing, pressing, sharing the number, blocking the bot.
//!
//! Turns what is done on a phone into the update Telegram would send about it.

use serde_json::{Map, Value, json};

use super::desk::{self, Press};
use super::message::{KEYBOARD, SHARE, bubble_id, next_message_id};
use super::{Bot, chat_id};
use crate::sandbox::{Bubble, Input, Mark, Phone, Sandbox, Side, WriteError};

/// The longest text of a message.
const MAX_TEXT: usize = 4_096;
/// People who blocked a bot that are remembered.
const MAX_BLOCKED: usize = 10_000;

/// What a citizen does, as far as the update about it goes.
enum Act {
    /// A message with these fields, and what of it stands on the screen.
    Message { fields: Map<String, Value>, text: String, kind: String },
    /// A button under that message was pressed.
    Press { data: String, title: String, bubble: Box<Bubble> },
    /// The bot was blocked, or let in again.
    Membership { is_in: bool },
}

/// Writes to the bot as the citizen whose phone has that number. Whoever writes first starts the
/// bot, and whoever blocked it lets it in again, as Telegram's apps do.
pub(in crate::sandbox) fn write(
    sandbox: &Sandbox,
    bot: &Bot,
    number: &str,
    input: Input,
) -> Result<String, WriteError> {
    if sandbox.is_full() {
        return Err(WriteError::Busy);
    }
    let (chat, now) = (chat_id(number), sandbox.now());
    let message_id = next_message_id(sandbox);
    let id = bubble_id(chat, message_id);
    let act = sandbox.look(|memory| read(memory.phones.get(number), bot, input))?;
    let name = sandbox.change(|memory| {
        let (text, kind) = shown(&act);
        let bubble = Bubble {
            id: id.clone(),
            at_ms: now.as_ms(),
            side: Side::Citizen,
            channel: "telegram",
            account: bot.id.clone(),
            kind,
            header: None,
            text,
            footer: None,
            buttons: Vec::new(),
            menu: None,
            file: None,
            mark: Mark::Sent,
            error_code: None,
            echo: None,
            is_by_number: true,
        };
        memory.phones.show(number, bubble, now);
        let phone = memory.phones.get_mut(number)?;
        phone.wrote_at.insert(bot.id.clone(), now);
        Some(phone.name.clone())
    });
    let from = json!({ "id": chat, "is_bot": false, "first_name": name.unwrap_or_default(),
        "language_code": "id" });
    let in_chat = json!({ "id": chat, "first_name": from["first_name"], "type": "private" });
    let date = now.as_ms() / 1_000;
    let is_in = !matches!(act, Act::Membership { is_in: false });
    let was_in = turn(sandbox, bot, number, is_in);
    let place = (number, id.as_str());
    if is_in != was_in || matches!(act, Act::Membership { .. }) {
        let member = |is_in: bool| {
            json!({ "user": bot.user(), "until_date": 0,
            "status": if is_in { "member" } else { "kicked" } })
        };
        let change = json!({ "chat": in_chat, "from": from, "date": date,
            "old_chat_member": member(was_in), "new_chat_member": member(is_in) });
        desk::put(sandbox, bot, place, ("my_chat_member", change));
    }
    let update = match act {
        Act::Membership { .. } => return Ok(id),
        Act::Press { data, bubble, .. } => {
            ("callback_query", press(sandbox, bot, place, &from, &in_chat, (&data, &bubble)))
        }
        Act::Message { mut fields, .. } => {
            if let Some(contact) = fields.get_mut("contact").filter(|contact| contact.is_null()) {
                // Telegram writes it without the plus sign.
                *contact = json!({ "phone_number": number, "first_name": from["first_name"],
                    "user_id": chat });
            }
            let own = json!({ "message_id": message_id, "from": from, "chat": in_chat,
                "date": date });
            fields.extend(own.as_object().cloned().unwrap_or_default());
            ("message", Value::Object(fields))
        }
    };
    desk::put(sandbox, bot, place, update);
    Ok(id)
}

/// Lets the bot in or shuts it out; returns how it was before.
fn turn(sandbox: &Sandbox, bot: &Bot, number: &str, is_in: bool) -> bool {
    sandbox.0.telegram.with(sandbox, bot, |desk| {
        if is_in {
            return !desk.blocked.remove(number);
        }
        if desk.blocked.len() >= MAX_BLOCKED {
            desk.blocked.clear();
        }
        desk.blocked.insert(number.to_owned())
    })
}

/// What of it stands on the screen, and what kind of thing it is.
fn shown(act: &Act) -> (String, String) {
    match act {
        Act::Message { text, kind, .. } => (text.clone(), kind.clone()),
        Act::Press { title, .. } => (title.clone(), "callback_query".to_owned()),
        Act::Membership { is_in } => {
            let word = if *is_in { "member" } else { "kicked" };
            (format!("[{word}]"), word.to_owned())
        }
    }
}

/// The query about a pressed button, with the message it stands on.
fn press(
    sandbox: &Sandbox,
    bot: &Bot,
    (number, id): (&str, &str),
    from: &Value,
    in_chat: &Value,
    (data, bubble): (&str, &Bubble),
) -> Value {
    let query = format!("{}{:08}", sandbox.0.seed >> 32, sandbox.serial());
    let press = Press { id: query.clone(), number: number.to_owned(), message_id: id.to_owned() };
    sandbox.0.telegram.with(sandbox, bot, |desk| desk.note_press(press));
    let on = bubble.id.rsplit(':').next().and_then(|id| id.parse::<i64>().ok());
    let rows: Vec<Value> = (bubble.buttons.iter())
        .map(|button| json!([{ "text": button.title, "callback_data": button.id }]))
        .collect();
    json!({
        "id": query,
        "from": from,
        "message": {
            "message_id": on.unwrap_or_default(),
            "from": bot.user(),
            "chat": in_chat,
            "date": bubble.at_ms / 1_000,
            "text": bubble.text,
            "reply_markup": { "inline_keyboard": rows },
        },
        "chat_instance": chat_id(number).to_string(),
        "data": data,
    })
}

/// Reads what is done on the phone.
fn read(phone: Option<&Phone>, bot: &Bot, input: Input) -> Result<Act, WriteError> {
    let message = |fields: Value, text: String, kind: &str| Act::Message {
        fields: fields.as_object().cloned().unwrap_or_default(),
        text,
        kind: kind.to_owned(),
    };
    match input {
        Input::Text(text) => {
            if text.is_empty() || text.encode_utf16().count() > MAX_TEXT {
                return Err(WriteError::BadText);
            }
            Ok(message(json!({ "text": text }), text, "text"))
        }
        Input::Raw(mut raw) => {
            let kind = raw.remove("type").ok_or(WriteError::BadText)?;
            let kind = kind.as_str().ok_or(WriteError::BadText)?;
            match kind {
                "kicked" => return Ok(Act::Membership { is_in: false }),
                "member" => return Ok(Act::Membership { is_in: true }),
                _ => {}
            }
            let shown = format!("[{}]", kind.chars().take(40).collect::<String>());
            Ok(message(Value::Object(raw), shown, kind))
        }
        Input::Press { button_id, message_id } => {
            let office = phone.into_iter().flat_map(|phone| phone.bubbles.iter().rev());
            let (bubble, choice) = office
                .filter(|bubble| bubble.side == Side::Office && bubble.account == bot.id)
                .filter(|bubble| message_id.as_ref().is_none_or(|id| *id == bubble.id))
                .find_map(|bubble| {
                    let choice = bubble.buttons.iter().find(|choice| choice.id == button_id)?;
                    Some((bubble, choice))
                })
                .ok_or(WriteError::NoSuchButton)?;
            let title = choice.title.clone();
            if bubble.kind != KEYBOARD {
                return Ok(Act::Press { data: button_id, title, bubble: Box::new(bubble.clone()) });
            }
            Ok(if button_id == SHARE {
                message(json!({ "contact": null }), title, "contact")
            } else {
                message(json!({ "text": title }), title, "text")
            })
        }
    }
}
