//! sendMessage and sendVenue: reads a request as strictly as Telegram does, and puts it on its phone.
//!
//! A bot may write only to people who wrote to it and have not blocked it. There are no receipts;
//! the marks on the screen move by themselves.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{Args, Bot, number, number_of, part, text};
use crate::domain::clock::Timestamp;
use crate::sandbox::course::{Fate, Step};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::{Bubble, Choice, Enclosure, Mark, Memory, Sandbox, Sent, Side};

/// Longest text, in UTF-16 units.
const MAX_TEXT: usize = 4_096;
/// Seconds to wait when too fast and no fault says how long.
const WAIT: u64 = 5;
/// The name of a bubble whose buttons are keys in place of the phone's own.
pub(super) const KEYBOARD: &str = "keyboard";
/// The button that hands the phone's number over.
pub(super) const SHARE: &str = "share_phone";

/// What a request comes to on the screen.
#[derive(Default)]
pub(super) struct Content {
    pub(super) text: String,
    /// The field of a file, the file on the screen, and as the answer repeats it.
    pub(super) file: Option<(&'static str, Enclosure, Value)>,
    /// The place, as the answer repeats it; its `text` is only what the screen shows.
    venue: Option<Value>,
    buttons: Vec<Choice>,
    is_keyboard: bool,
    /// What the answer repeats: keys are not among it.
    markup: Option<Value>,
}

impl Content {
    /// A file with words below it.
    pub(super) fn with_file(file: (&'static str, Enclosure, Value), caption: String) -> Self {
        Self { file: Some(file), text: caption, ..Self::default() }
    }
}

enum Verdict {
    Accepted { number: String, name: String, message_id: i64, fate: Fate, content: Box<Content> },
    Refused(Refusal),
    NotJson(u16),
}

pub(super) async fn send(
    sandbox: &Sandbox,
    bot: &Bot,
    size: usize,
    args: Args,
    read: fn(&Args) -> Result<Content, Refusal>,
) -> Response {
    let now = sandbox.now();
    let is_blocked =
        |number: &str| sandbox.0.telegram.with(sandbox, bot, |desk| desk.blocked.contains(number));
    let chat = number(&args, "chat_id");
    let blocked = chat.and_then(number_of).is_some_and(|number| is_blocked(&number));
    let verdict = match read(&args) {
        Ok(content) => sandbox.change(|memory| judge(sandbox, memory, bot, chat, content, blocked)),
        Err(refusal) => Verdict::Refused(refusal),
    };
    let mut sent = Sent {
        at_ms: now.as_ms(),
        account: bot.id.clone(),
        phone: None,
        message_id: None,
        error_code: None,
        body: Value::Object(args),
    };
    let chat = chat.unwrap_or_default();
    match verdict {
        Verdict::Refused(refusal) => {
            sent.error_code = Some(refusal.code.into());
            sandbox.change(|memory| memory.record(size, sent));
            refusal.answer()
        }
        Verdict::NotJson(status) => {
            sandbox.change(|memory| memory.record(size, sent));
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let page = "<html><body><center><h1>Bad Gateway</h1></center></body></html>";
            (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        Verdict::Accepted { number, name, message_id, fate, content } => {
            let content = *content;
            let id = bubble_id(chat, message_id);
            sent.phone = Some(number.clone());
            sent.message_id = Some(id.clone());
            sandbox.change(|memory| memory.record(size, sent));
            let mut message = json!({
                "message_id": message_id,
                "from": bot.user(),
                "chat": { "id": chat, "first_name": name, "type": "private" },
                "date": now.as_ms() / 1_000,
            });
            match (content.file, content.venue) {
                (Some((field, _, told)), _) => {
                    message[field] = told;
                    message["caption"] = content.text.into();
                }
                (None, Some(venue)) => {
                    message["location"] = venue["location"].clone();
                    message["venue"] = venue;
                }
                (None, None) => message["text"] = content.text.into(),
            }
            if let Some(markup) = content.markup {
                message["reply_markup"] = markup;
            }
            answer(sandbox, (number, id), fate, &message).await
        }
    }
}

/// Answers an accepted request the way the faults in force want it, while the marks move.
async fn answer(
    sandbox: &Sandbox,
    (number, id): (String, String),
    fate: Fate,
    message: &Value,
) -> Response {
    let ending = fate.ending.clone();
    let own = sandbox.clone();
    fate.start(sandbox, move |step| {
        let (own, number, id) = (own.clone(), number.clone(), id.clone());
        async move { mark(&own, &number, &id, step) }
    })
    .await;
    if let Some(nothing) = ending.before_answer(sandbox).await {
        return nothing;
    }
    match ending.status {
        Some(status) => Refusal::new(status, "").answer(),
        None => axum::Json(json!({ "ok": true, "result": message })).into_response(),
    }
}

/// The name of a message among all of the sandbox: Telegram's own is one only within its chat.
pub(super) fn bubble_id(chat: i64, message_id: i64) -> String {
    format!("{chat}:{message_id}")
}

/// A message that was taken cannot fail later.
fn mark(sandbox: &Sandbox, number: &str, id: &str, step: Step) {
    if !matches!(step, Step::Failed { .. }) {
        sandbox.change(|memory| memory.phones.mark(number, id, step.mark(), None));
    }
}

/// A message id that was not given out before.
pub(super) fn next_message_id(sandbox: &Sandbox) -> i64 {
    let serial = i64::try_from(sandbox.serial()).unwrap_or_default();
    // A second start must not give out the ids of the first again.
    let first = i64::try_from(sandbox.0.seed % 1_000_000).unwrap_or_default() * 1_000;
    first + serial + 1
}

fn judge(
    sandbox: &Sandbox,
    memory: &mut Memory,
    bot: &Bot,
    chat: Option<i64>,
    content: Content,
    is_blocked: bool,
) -> Verdict {
    let now = sandbox.now();
    let Some(chat) = chat else {
        return Verdict::Refused(Refusal::bad_request("chat_id is empty"));
    };
    let unknown = || Verdict::Refused(Refusal::bad_request("chat not found"));
    let Some(number) = number_of(chat) else { return unknown() };
    if let Some(verdict) = refusing_fault(sandbox, memory, &number, now) {
        return verdict;
    }
    let Some(phone) = memory.phones.get(&number) else { return unknown() };
    if is_blocked {
        return Verdict::Refused(Refusal::blocked());
    }
    if !phone.wrote_at.contains_key(&bot.id) {
        let reason = "bot can't initiate conversation with a user";
        return Verdict::Refused(Refusal::new(403, reason));
    }
    let name = phone.name.clone();
    let message_id = next_message_id(sandbox);
    let bubble = Bubble {
        id: bubble_id(chat, message_id),
        at_ms: now.as_ms(),
        side: Side::Office,
        channel: "telegram",
        account: bot.id.clone(),
        kind: match (&content.file, &content.venue, content.is_keyboard) {
            (Some((field, ..)), ..) => field,
            (None, Some(_), _) => "venue",
            (None, None, true) => KEYBOARD,
            (None, None, false) => "text",
        }
        .to_owned(),
        header: None,
        text: content.text.clone(),
        footer: None,
        buttons: content.buttons.clone(),
        menu: None,
        file: content.file.as_ref().map(|(_, file, _)| file.clone()),
        mark: Mark::Accepted,
        error_code: None,
        echo: None,
        is_by_number: false,
    };
    memory.phones.show(&number, bubble, now);
    let auto_read = sandbox.0.settings.auto_read;
    let fate = Fate::weigh(memory, "telegram", &[&number], now, auto_read);
    Verdict::Accepted { number, name, message_id, fate, content: Box::new(content) }
}

/// A fault that keeps a good request from being accepted.
fn refusing_fault(
    sandbox: &Sandbox,
    memory: &mut Memory,
    number: &str,
    now: Timestamp,
) -> Option<Verdict> {
    if sandbox.is_full() {
        return Some(Verdict::Refused(Refusal::too_many(WAIT)));
    }
    let faults = &mut memory.faults;
    for kind in [FaultKind::Throttle, FaultKind::PairLimit] {
        if faults.strike(kind, "telegram", &[number], now).is_some() {
            let left = faults.seconds_left(kind, now).unwrap_or(WAIT);
            return Some(Verdict::Refused(Refusal::too_many(left)));
        }
    }
    if let Some(fault) = faults.strike(FaultKind::Refuse, "telegram", &[number], now) {
        let code = fault.code.and_then(|code| code.try_into().ok()).unwrap_or(403);
        return Some(Verdict::Refused(Refusal::asked_for(code)));
    }
    let fault = faults.strike(FaultKind::NotJson, "telegram", &[number], now)?;
    Some(Verdict::NotJson(fault.status.unwrap_or(502)))
}

/// A place: coordinates, and a title and an address that say something (Bot API, sendVenue).
pub(super) fn read_venue(args: &Args) -> Result<Content, Refusal> {
    check_chat(args)?;
    let degrees = |key: &str, limit: f64| {
        let value = match args.get(key) {
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_f64(),
            None => None,
        };
        let what = format!("{key} is not a coordinate");
        value
            .filter(|degrees: &f64| degrees.abs() <= limit)
            .ok_or_else(|| Refusal::bad_request(&what))
    };
    let (latitude, longitude) = (degrees("latitude", 90.0)?, degrees("longitude", 180.0)?);
    let (title, address) = (text(args, "title"), text(args, "address"));
    for (name, value) in [("title", &title), ("address", &address)] {
        if value.trim().is_empty() {
            return Err(Refusal::bad_request(&format!("venue {name} is empty")));
        }
    }
    Ok(Content {
        text: format!("📍 {title}\n{address}\n{latitude}, {longitude}"),
        venue: Some(json!({
            "location": {"latitude": latitude, "longitude": longitude},
            "title": title, "address": address,
        })),
        ..Content::default()
    })
}

pub(super) fn check_chat(args: &Args) -> Result<(), Refusal> {
    if text(args, "chat_id").is_empty() {
        return Err(Refusal::bad_request("chat_id is empty"));
    }
    if number(args, "chat_id").is_none() {
        return Err(Refusal::bad_request("chat not found"));
    }
    Ok(())
}

pub(super) fn read(args: &Args) -> Result<Content, Refusal> {
    check_chat(args)?;
    let text = text(args, "text").trim().to_owned();
    if text.is_empty() {
        return Err(Refusal::bad_request("message text is empty"));
    }
    if text.encode_utf16().count() > MAX_TEXT {
        return Err(Refusal::bad_request("message is too long"));
    }
    let markup = part(args, "reply_markup")?;
    if !markup.is_null() && !markup.is_object() {
        return Err(Refusal::bad_request("object expected as reply markup"));
    }
    if let Some(rows) = markup.get("inline_keyboard") {
        let buttons = each(rows)?.into_iter().map(button).collect::<Result<_, _>>()?;
        let markup = Some(markup);
        return Ok(Content { text, buttons, markup, ..Content::default() });
    }
    let keys = match markup.get("keyboard") {
        Some(rows) => each(rows)?.into_iter().map(key).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(Content { text, is_keyboard: !keys.is_empty(), buttons: keys, ..Content::default() })
}

/// The buttons of all rows.
fn each(rows: &Value) -> Result<Vec<&Value>, Refusal> {
    let bad = || Refusal::bad_request("can't parse reply keyboard markup JSON object");
    let rows = rows.as_array().ok_or_else(bad)?;
    let mut all = Vec::new();
    for row in rows {
        all.extend(row.as_array().ok_or_else(bad)?);
    }
    if all.len() > 100 {
        return Err(Refusal::bad_request("REPLY_MARKUP_TOO_LONG"));
    }
    Ok(all)
}

fn button(button: &Value) -> Result<Choice, Refusal> {
    let bad =
        |what: &str| Refusal::bad_request(&format!("can't parse inline keyboard button: {what}"));
    let title = button["text"].as_str().unwrap_or_default();
    if title.is_empty() {
        return Err(bad("Field \"text\" must be of type String"));
    }
    let Some(data) = button["callback_data"].as_str() else {
        return Err(bad("Text buttons are unallowed in the inline keyboard"));
    };
    if !(1..=64).contains(&data.len()) {
        return Err(Refusal::bad_request("BUTTON_DATA_INVALID"));
    }
    Ok(Choice { id: data.to_owned(), title: title.to_owned(), description: None })
}

fn key(key: &Value) -> Result<Choice, Refusal> {
    let title = key.as_str().or_else(|| key["text"].as_str()).unwrap_or_default();
    if title.is_empty() {
        let reason = "can't parse keyboard button: Field \"text\" must be of type String";
        return Err(Refusal::bad_request(reason));
    }
    // Any other key writes what stands on it.
    let id = if key["request_contact"] == true { SHARE } else { title };
    Ok(Choice { id: id.to_owned(), title: title.to_owned(), description: None })
}
