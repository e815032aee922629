//! The sealed parts of a message as text: its recipient and its words in every form.

use crate::domain::area::Zone;
use crate::domain::attachment::Attachment;
use crate::domain::message::MessageText;
use crate::domain::outbound::{Bsuid, ChatId, Choice, Content, Pin, Recipient, TemplateCall};
use crate::domain::phone::PhoneNumber;
use crate::domain::service_point::GeoPoint;

pub(super) fn zone_hours(zone: Zone) -> i64 {
    i64::from(zone.offset().local_minus_utc() / 3600)
}

pub(super) const fn zone_from_hours(hours: i64) -> Zone {
    match hours {
        8 => Zone::Wita,
        9 => Zone::Wit,
        _ => Zone::Wib,
    }
}

pub(super) fn recipient_json(to: &Recipient) -> String {
    serde_json::json!({
        "phone": to.phone.as_ref().map(PhoneNumber::expose),
        "bsuid": to.bsuid.as_ref().map(Bsuid::expose),
        "chat": to.chat.map(ChatId::expose),
    })
    .to_string()
}

pub(super) fn parse_recipient(json: &str) -> Option<Recipient> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    Some(Recipient {
        phone: value["phone"].as_str().and_then(|p| PhoneNumber::parse_international(p).ok()),
        bsuid: value["bsuid"].as_str().and_then(Bsuid::parse),
        chat: value["chat"].as_i64().and_then(ChatId::new),
    })
}

pub(super) fn content_json(content: &Content) -> String {
    let template = content.template.as_ref().map(|call| {
        let params: Vec<_> =
            call.params.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        serde_json::json!({"name": call.name, "language": call.language, "params": params,
            "buttons": call.buttons})
    });
    let choices: Vec<_> =
        content.choices.iter().map(|c| (c.id.as_str(), c.title.as_str())).collect();
    let sms = content.sms.as_ref().map(MessageText::expose);
    let pin = content
        .pin
        .as_ref()
        .map(|pin| (pin.place.to_string(), pin.name.as_str(), pin.address.as_str()));
    let file = content
        .attachment
        .as_ref()
        .map(|file| (file.hash.as_str(), file.kind.as_str(), file.name.as_str()));
    serde_json::json!({
        "template": template, "text": content.text.expose(), "sms": sms, "choices": choices,
        "list_button": content.list_button, "pin": pin, "file": file,
    })
    .to_string()
}

pub(super) fn parse_content(json: &str) -> Option<Content> {
    #[derive(serde::Deserialize)]
    struct Call {
        name: String,
        language: String,
        params: Vec<(String, String)>,
        #[serde(default)]
        buttons: Vec<String>,
    }
    #[derive(serde::Deserialize)]
    struct Stored {
        template: Option<Call>,
        text: String,
        #[serde(default)]
        sms: Option<String>,
        choices: Vec<(String, String)>,
        #[serde(default)]
        list_button: Option<String>,
        #[serde(default)]
        pin: Option<(String, String, String)>,
        #[serde(default)]
        file: Option<(String, String, String)>,
    }
    let stored: Stored = serde_json::from_str(json).ok()?;
    Some(Content {
        template: stored.template.map(|call| TemplateCall {
            name: call.name,
            language: call.language,
            params: call.params.into_iter().map(|(n, v)| (n, MessageText::new(v))).collect(),
            buttons: call.buttons,
        }),
        text: MessageText::new(stored.text),
        sms: stored.sms.map(MessageText::new),
        choices: stored.choices.into_iter().map(|(id, title)| Choice { id, title }).collect(),
        list_button: stored.list_button,
        pin: match stored.pin {
            Some((place, name, address)) => {
                Some(Pin { place: GeoPoint::parse_stored(&place)?, name, address })
            }
            None => None,
        },
        attachment: match stored.file {
            Some((hash, kind, name)) => Some(Attachment { hash, kind: kind.parse().ok()?, name }),
            None => None,
        },
    })
}
