//! Telegram's Bot API, played locally under `/telegram/bot<token>/<method>`.
//!
//! This file takes a call through the doors: token, method, parameters in any of the forms the Bot
//! API takes. What a message must look like is `message.rs`, where updates wait and how they are
//! brought is `desk.rs`, what citizens do is `citizen.rs`. There are no receipts on this wire.

mod citizen;
mod desk;
mod file;
mod message;
mod refusal;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::media::MAX_BYTES;
use super::{Mark, Sandbox};
use refusal::Refusal;

pub(super) use citizen::write;
pub(super) use desk::Desks;

/// A bot.
#[derive(Clone)]
pub struct Bot {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// The token its requests carry.
    pub token: String,
    /// Its name without `@`.
    pub username: String,
}

impl Bot {
    /// Its id as a user of Telegram's: what stands before the colon in its token.
    fn user_id(&self) -> i64 {
        self.token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(1)
    }

    fn user(&self) -> Value {
        json!({ "id": self.user_id(), "is_bot": true, "first_name": self.label,
            "username": self.username })
    }
}

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/telegram/{bot}/{method}", get(call).post(call))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
}

/// The parameters of a call.
type Args = Map<String, Value>;

async fn call(
    State(sandbox): State<Sandbox>,
    Path((bot, method)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(token) = bot.strip_prefix("bot") else { return Refusal::not_found("").answer() };
    let Some(bot) = find(&sandbox, token) else { return Refusal::unauthorized().answer() };
    let size = body.len();
    let read = if file::is_form(&headers) {
        file::form(&headers, body).await
    } else {
        args(&query.unwrap_or_default(), &headers, &body).map(|args| (args, Vec::new()))
    };
    let (mut args, pieces) = match read {
        Ok(read) => read,
        Err(refusal) => return refusal.answer(),
    };
    let brings = |field| match field {
        "photo" => file::read_photo,
        _ => file::read_document as fn(&Args) -> Result<message::Content, Refusal>,
    };
    if let Some(field) = method.to_ascii_lowercase().strip_prefix("send")
        && matches!(field, "photo" | "document")
    {
        if let Err(refusal) = file::settle(&sandbox, &bot, field, &mut args, pieces) {
            return refusal.answer();
        }
        return message::send(&sandbox, &bot, size, args, brings(field)).await;
    }
    let done = match method.to_ascii_lowercase().as_str() {
        "sendmessage" => {
            return message::send(&sandbox, &bot, size, args, message::read).await;
        }
        "sendvenue" => {
            return message::send(&sandbox, &bot, size, args, message::read_venue).await;
        }
        "getme" => Ok(me(&bot)),
        "setwebhook" => desk::set_webhook(&sandbox, &bot, &args),
        "deletewebhook" => Ok(desk::delete_webhook(&sandbox, &bot, &args)),
        "getwebhookinfo" => Ok(desk::webhook_info(&sandbox, &bot)),
        "getupdates" => desk::updates(&sandbox, &bot, &args).await,
        "setmycommands" => set_commands(&sandbox, &bot, &args),
        "getmycommands" => {
            Ok(sandbox.0.telegram.with(&sandbox, &bot, |desk| desk.commands.clone()))
        }
        "answercallbackquery" => answer_press(&sandbox, &bot, &args),
        _ => Err(Refusal::not_found("method not found")),
    };
    match done {
        Ok(result) => axum::Json(json!({ "ok": true, "result": result })).into_response(),
        Err(refusal) => refusal.answer(),
    }
}

fn find(sandbox: &Sandbox, token: &str) -> Option<Bot> {
    sandbox.0.settings.others.iter().find_map(|other| match other {
        super::Counterpart::Telegram(bot) if bot.token == token => Some(bot.clone()),
        _ => None,
    })
}

/// Parameters come in the address, as a form or as JSON, and mean the same. In the first two, what
/// is not a plain value is JSON inside a string.
fn args(query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Args, Refusal> {
    let bad = || Refusal::bad_request("can't parse the request");
    let pairs = |text: &[u8]| {
        serde_urlencoded::from_bytes::<Vec<(String, String)>>(text).map_err(|_| bad())
    };
    let mut args: Args =
        pairs(query.as_bytes())?.into_iter().map(|(key, text)| (key, text.into())).collect();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match kind.map(|kind| kind.split(';').next().unwrap_or_default().trim()) {
        _ if body.is_empty() => {}
        Some("application/json") => match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => args.extend(fields),
            _ => return Err(bad()),
        },
        Some("application/x-www-form-urlencoded") => {
            args.extend(pairs(body)?.into_iter().map(|(key, text)| (key, text.into())));
        }
        _ => return Err(bad()),
    }
    Ok(args)
}

/// A parameter that is a text; numbers are taken as well, as Telegram does.
fn text<'a>(args: &'a Args, key: &str) -> std::borrow::Cow<'a, str> {
    match args.get(key) {
        Some(Value::String(text)) => text.as_str().into(),
        Some(Value::Number(number)) => number.to_string().into(),
        Some(Value::Bool(is)) => is.to_string().into(),
        _ => "".into(),
    }
}

/// A parameter that is a whole number.
fn number(args: &Args, key: &str) -> Option<i64> {
    text(args, key).trim().parse().ok()
}

/// A parameter that is more than a plain value; `Null` when it is absent.
fn part(args: &Args, key: &str) -> Result<Value, Refusal> {
    match args.get(key) {
        Some(Value::String(text)) if text.is_empty() => Ok(Value::Null),
        Some(Value::String(text)) => serde_json::from_str(text)
            .map_err(|_| Refusal::bad_request(&format!("can't parse {key} JSON object"))),
        Some(value) => Ok(value.clone()),
        None => Ok(Value::Null),
    }
}

fn me(bot: &Bot) -> Value {
    let mut user = bot.user();
    for (key, value) in [
        ("can_join_groups", false),
        ("can_read_all_group_messages", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        user[key] = value.into();
    }
    user
}

/// Words of the bot's menu: 1–32 small letters, digits and underscores, with 1–256 characters each.
fn set_commands(sandbox: &Sandbox, bot: &Bot, args: &Args) -> Result<Value, Refusal> {
    let commands = part(args, "commands")?;
    let list = commands
        .as_array()
        .filter(|list| list.len() <= 100)
        .ok_or_else(|| Refusal::bad_request("can't parse commands JSON object"))?;
    for command in list {
        let word = command["command"].as_str().unwrap_or_default().trim_start_matches('/');
        let what = command["description"].as_str().unwrap_or_default().chars().count();
        let is_word = (1..=32).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_word {
            return Err(Refusal::bad_request("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&what) {
            return Err(Refusal::bad_request("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    sandbox.0.telegram.with(sandbox, bot, |desk| desk.commands = commands.clone());
    Ok(true.into())
}

/// The button stops turning: on the phone the press is read.
fn answer_press(sandbox: &Sandbox, bot: &Bot, args: &Args) -> Result<Value, Refusal> {
    let id = text(args, "callback_query_id");
    let press = sandbox.0.telegram.with(sandbox, bot, |desk| {
        let at = desk.presses.iter().position(|press| press.id == id)?;
        desk.presses.remove(at)
    });
    let Some(press) = press else {
        return Err(Refusal::bad_request(
            "query is too old and response timeout expired or query ID is invalid",
        ));
    };
    sandbox.change(|memory| {
        memory.phones.mark(&press.number, &press.message_id, Mark::Read, None);
    });
    Ok(true.into())
}

/// Telegram's ids name no phone; here they can be told back from the number, by multiplication
/// modulo the first prime after the longest number there is.
const IDS: u128 = 1_000_000_000_000_037;
const FACTOR: u128 = 271_828_182_845_905;

/// The chat with whoever has that number, always the same.
fn chat_id(number: &str) -> i64 {
    let number: u128 = number.parse().unwrap_or_default();
    i64::try_from(number * FACTOR % IDS).unwrap_or_default()
}

/// The number of whoever has that chat, if there can be one.
fn number_of(chat_id: i64) -> Option<String> {
    let id = u128::try_from(chat_id).ok().filter(|id| (1..IDS).contains(id))?;
    // The inverse of the factor, by Fermat's little theorem.
    let (mut inverse, mut base, mut power) = (1, FACTOR, IDS - 2);
    while power > 0 {
        if power % 2 == 1 {
            inverse = inverse * base % IDS;
        }
        base = base * base % IDS;
        power /= 2;
    }
    let number = (id * inverse % IDS).to_string();
    (7..=15).contains(&number.len()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_leads_back_to_its_phone_and_is_not_its_number() {
        for number in ["6281200000001", "6281200000002", "1555000", "999999999999999"] {
            let chat = chat_id(number);
            assert!(chat > 0 && chat.to_string() != number);
            assert_eq!(number_of(chat).as_deref(), Some(number));
        }
        for nobody in [0, -5, i64::MIN, i64::MAX] {
            assert_eq!(number_of(nobody), None);
        }
    }

    #[test]
    fn parameters_mean_the_same_in_the_address_in_a_form_and_as_json() {
        let kind = |kind: &'static str| {
            HeaderMap::from_iter([(header::CONTENT_TYPE, header::HeaderValue::from_static(kind))])
        };
        let form = kind("application/x-www-form-urlencoded");
        let json_kind = kind("application/json; charset=utf-8");
        let calls = [
            args("limit=3&allowed_updates=%5B%22message%22%5D", &HeaderMap::new(), b""),
            args("", &form, b"limit=3&allowed_updates=%5B%22message%22%5D"),
            args("", &json_kind, br#"{"limit":3,"allowed_updates":["message"]}"#),
        ];
        for args in calls {
            let args = args.unwrap();
            assert_eq!(number(&args, "limit"), Some(3));
            assert_eq!(part(&args, "allowed_updates").unwrap(), json!(["message"]));
        }
        for (headers, body) in [(&json_kind, "[]"), (&json_kind, "{"), (&HeaderMap::new(), "x")] {
            assert!(args("", headers, body.as_bytes()).is_err(), "{body}");
        }
    }
}
