//! Reads a request to send a message as strictly as Meta does, and says what is wrong with it.
//!
//! Holds the rules that need nothing but the request: required fields, types, lengths. Whether
//! the moment is right (window, rate, template known) is decided elsewhere.

use serde_json::Value;

use super::part::{Content, Part};
use super::refusal::Refusal;
use super::template::Call;
use crate::sandbox::{Choice, Enclosure, Menu};

/// Whom a request is for.
pub(super) enum To {
    /// A number, as it was given and as it is dialled.
    Number { input: String, digits: String, is_stranger: bool },
    /// A user id.
    User(String),
}

/// Free content, or a template that is still to be filled.
pub(super) enum Payload {
    Free(Content),
    Template(Call),
}

/// A request that is right in itself.
pub(super) struct Request {
    pub(super) to: To,
    pub(super) payload: Payload,
    pub(super) echo: Option<String>,
}

/// Reads the whole request; `country` is the calling code of the number that sends.
pub(super) fn read(body: &Value, country: &str) -> Result<Request, Refusal> {
    let body = Part::of(Some(body), "messages")?;
    if body.get("messaging_product").and_then(Value::as_str) != Some("whatsapp") {
        return Err(Refusal::new(100, "The parameter messaging_product is required."));
    }
    if let Some(kind) = body.optional("recipient_type", 20)?
        && kind != "individual"
    {
        return Err(Refusal::new(100, "Param recipient_type must be 'individual'."));
    }
    let to = recipient(body, country)?;
    let echo = body.optional("biz_opaque_callback_data", 512)?.map(str::to_owned);
    if body.get("context").is_some() {
        body.part("context")?.text("message_id", 512)?;
    }
    let kind = body.optional("type", 40)?.unwrap_or("text");
    let payload = if kind == "template" {
        Payload::Template(Call::read(body.part("template")?)?)
    } else {
        Payload::Free(free(body, kind)?)
    };
    Ok(Request { to, payload, echo })
}

fn recipient(body: Part<'_>, country: &str) -> Result<To, Refusal> {
    if let Some(input) = body.optional("to", 64)?.filter(|to| !to.is_empty()) {
        let invalid = || Refusal::new(131_009, "Recipient phone number is not valid.");
        if !input.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c)) {
            return Err(invalid());
        }
        let mut digits: String = input.chars().filter(char::is_ascii_digit).collect();
        // Without the plus sign Meta takes the number for a national one, whatever it begins
        // with, and puts the country code of the business before it.
        let is_stranger = !input.trim_start().starts_with('+');
        if is_stranger {
            digits.insert_str(0, country);
        }
        if !(7..=15).contains(&digits.len()) {
            return Err(invalid());
        }
        return Ok(To::Number { input: input.to_owned(), digits, is_stranger });
    }
    match body.optional("recipient", 160)?.filter(|to| !to.is_empty()) {
        Some(user) if is_user_id(user) => Ok(To::User(user.to_owned())),
        Some(_) => Err(Refusal::new(131_009, "Param recipient is not a business-scoped user id.")),
        None => Err(Refusal::new(100, "The parameter to is required.")),
    }
}

fn is_user_id(text: &str) -> bool {
    let Some((country, tail)) = text.split_once('.') else { return false };
    let tail = tail.strip_prefix("ENT.").unwrap_or(tail);
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=128).contains(&tail.len())
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn free(body: Part<'_>, kind: &str) -> Result<Content, Refusal> {
    let content = |text: String| Content { kind: kind.to_owned(), text, ..Content::default() };
    match kind {
        "text" => Ok(content(body.part("text")?.text("body", 4_096)?.to_owned())),
        "interactive" => interactive(body.part("interactive")?),
        "location" => {
            let place = body.part("location")?;
            let latitude = coordinate(place, "latitude", 90.0)?;
            let longitude = coordinate(place, "longitude", 180.0)?;
            let name = place.optional("name", 1_000)?.unwrap_or_default();
            let address = place.optional("address", 1_000)?.unwrap_or_default();
            let text = format!("📍 {name}\n{address}\n{latitude}, {longitude}");
            Ok(content(text))
        }
        "document" | "image" | "video" | "audio" | "sticker" => {
            let file = enclosure(body, kind)?;
            let media = Part::of(body.get(kind), kind)?;
            let caption = media.optional("caption", 1_024)?.unwrap_or_default().to_owned();
            Ok(Content { file: Some(file), ..content(caption) })
        }
        "reaction" => {
            let reaction = body.part("reaction")?;
            reaction.text("message_id", 512)?;
            Ok(content(reaction.optional("emoji", 16)?.unwrap_or_default().to_owned()))
        }
        "contacts" if !body.list("contacts")?.is_empty() => Ok(content("👤".to_owned())),
        "contacts" => Err(Refusal::new(131_008, "Parameter contacts is missing.")),
        _ => Err(Refusal::new(131_051, format!("Message type {kind} is not supported."))),
    }
}

/// The file that a part of that kind names: by the id it was given, or by an address.
pub(super) fn enclosure(part: Part<'_>, kind: &str) -> Result<Enclosure, Refusal> {
    let media = Part::of(part.get(kind), kind)?;
    if media.get("id").is_none() && media.get("link").is_none() {
        let details = format!("Parameter {kind}['id'] or {kind}['link'] is missing.");
        return Err(Refusal::new(131_008, details));
    }
    let link = media.optional("link", 2_048)?.unwrap_or_default();
    let name = media.optional("filename", 240)?.unwrap_or(link).to_owned();
    let id = media.optional("id", 512)?.unwrap_or_default().to_owned();
    Ok(Enclosure { id, kind: kind.to_owned(), name })
}

/// Meta's documents show coordinates as strings, its API description as numbers.
fn coordinate(place: Part<'_>, key: &str, limit: f64) -> Result<f64, Refusal> {
    let value = place.get(key).and_then(|value| match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    });
    value.filter(|degrees: &f64| degrees.abs() <= limit).ok_or_else(|| {
        Refusal::new(131_009, format!("Parameter location['{key}'] is not a coordinate."))
    })
}

fn interactive(part: Part<'_>) -> Result<Content, Refusal> {
    let kind = part.text("type", 40)?;
    let body_limit = if kind == "list" { 4_096 } else { 1_024 };
    let mut content = Content {
        kind: "interactive".to_owned(),
        text: part.part("body")?.text("text", body_limit)?.to_owned(),
        ..Content::default()
    };
    if part.get("footer").is_some() {
        content.footer = Some(part.part("footer")?.text("text", 60)?.to_owned());
    }
    if part.get("header").is_some() {
        let header = part.part("header")?;
        let header_kind = header.text("type", 20)?;
        if kind == "list" && header_kind != "text" {
            return Err(Refusal::new(131_009, "The header of a list must be of type text."));
        }
        content.header = match header_kind {
            "text" => Some(header.text("text", 60)?.to_owned()),
            other => Some(format!("📎 {other}")),
        };
    }
    match kind {
        "button" => content.buttons = reply_buttons(part.part("action")?)?,
        "list" => content.menu = Some(menu(part.part("action")?)?),
        "location_request_message" | "contact_request" => {
            part.part("action")?.text("name", 60)?;
        }
        "cta_url" => {
            let parameters = part.part("action")?.part("parameters")?;
            let label = parameters.text("display_text", 20)?;
            let url = parameters.text("url", 2_048)?;
            content.footer = Some(format!("🔗 {label}: {url}"));
        }
        _ => return Err(Refusal::new(131_009, "Interactive type is not supported.")),
    }
    Ok(content)
}

fn reply_buttons(action: Part<'_>) -> Result<Vec<Choice>, Refusal> {
    let buttons = action.list("buttons")?;
    if !(1..=3).contains(&buttons.len()) {
        return Err(Refusal::new(131_009, "Invalid buttons count. Min allowed: 1, max: 3."));
    }
    let mut choices: Vec<Choice> = Vec::new();
    for button in buttons {
        let button = Part::of(Some(button), "button")?;
        if button.get("type").and_then(Value::as_str) != Some("reply") {
            return Err(Refusal::new(131_009, "The type of a button must be reply."));
        }
        let reply = button.part("reply")?;
        choices.push(Choice {
            id: limited(reply, "id", 256)?,
            title: limited(reply, "title", 20)?,
            description: None,
        });
    }
    unique(&choices, true)?;
    Ok(choices)
}

fn menu(action: Part<'_>) -> Result<Menu, Refusal> {
    let button = limited(action, "button", 20)?;
    let sections = action.list("sections")?;
    if !(1..=10).contains(&sections.len()) {
        return Err(Refusal::new(131_009, "Invalid sections count. Min allowed: 1, max: 10."));
    }
    let mut rows = Vec::new();
    for section in sections {
        let part = Part::of(Some(section), "section")?;
        if part.get("title").is_some() || sections.len() > 1 {
            limited(part, "title", 24)?;
        }
        for row in part.list("rows")? {
            let row = Part::of(Some(row), "row")?;
            let description = match row.get("description") {
                None => None,
                Some(_) => Some(limited(row, "description", 72)?),
            };
            rows.push(Choice {
                id: limited(row, "id", 200)?,
                title: limited(row, "title", 24)?,
                description,
            });
        }
    }
    if !(1..=10).contains(&rows.len()) {
        return Err(Refusal::new(131_009, "Total row count is not allowed. Min: 1, max: 10."));
    }
    unique(&rows, false)?;
    Ok(Menu { button, rows })
}

/// A required text inside interactive parts, where too long is 131009 and not 100.
fn limited(part: Part<'_>, key: &str, max: usize) -> Result<String, Refusal> {
    let text = part.text(key, usize::MAX)?;
    if text.chars().count() > max {
        let details = format!("{} {key} length invalid. Min length: 1, max: {max}.", part.name);
        return Err(Refusal::new(131_009, details));
    }
    Ok(text.to_owned())
}

fn unique(choices: &[Choice], by_title_too: bool) -> Result<(), Refusal> {
    for (index, one) in choices.iter().enumerate() {
        for other in &choices[..index] {
            if one.id == other.id || (by_title_too && one.title == other.title) {
                return Err(Refusal::new(131_009, "Duplicated id or title among the choices."));
            }
        }
    }
    Ok(())
}
