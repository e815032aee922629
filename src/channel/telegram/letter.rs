//! A message of ours as Telegram takes it: words, and a keyboard for what can be pressed.

use teloxide::payloads::{
    SendDocument, SendDocumentSetters as _, SendMessage, SendMessageSetters as _, SendPhoto,
    SendPhotoSetters as _, SendVenue,
};
use teloxide::types::{
    ButtonRequest, ChatId, FileId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile,
    KeyboardButton, KeyboardMarkup, LinkPreviewOptions, ReplyMarkup,
};

use crate::channel::{Fault, FileSource, Form, Outbound, SendError};
use crate::domain::attachment::Attachment;
use crate::domain::outbound::{Choice, Pin, SHARE_PHONE};

/// Longest text of a message (Bot API, sendMessage), counted in UTF-16 units as Telegram counts
/// everywhere else.
const MAX_TEXT: usize = 4096;
/// Longest words under a picture or a paper (Bot API, sendPhoto), in UTF-16 units.
const MAX_CAPTION: usize = 1024;
/// Longest id of a choice, in bytes (Bot API, `InlineKeyboardButton`).
const MAX_DATA: usize = 64;
/// Titles up to this length stand two in a row; longer ones would be cut on a narrow phone.
const HALF_A_ROW: usize = 16;

/// A request of ours.
#[derive(Debug)]
pub(super) enum Letter {
    /// Words.
    Words(Box<SendMessage>),
    /// A place on the map.
    Venue(Box<SendVenue>),
    /// A picture, and the words that do not fit under it.
    Photo(Box<SendPhoto>, Option<Box<SendMessage>>),
    /// A paper, and the words that do not fit under it.
    Document(Box<SendDocument>, Option<Box<SendMessage>>),
}

/// The request for a message, and the chat it goes to.
pub(super) fn write(message: &Outbound) -> Result<(i64, Letter), SendError> {
    let Some(chat) = message.to.chat else {
        let fault = Fault::new("no_chat", "no chat with the bot is known of the reader");
        return Err(SendError::Rejected(fault));
    };
    let chat = chat.expose();
    let letter = match &message.form {
        Form::Free { text, choices } => {
            Letter::Words(Box::new(words(chat, text.expose(), choices)))
        }
        Form::WithFile { file, source, text, .. } => {
            with_file(chat, (file, source), text.expose())?
        }
        Form::Pin(pin) => Letter::Venue(Box::new(venue(chat, pin))),
        Form::Template(_) => {
            let what = "Telegram knows no registered templates";
            return Err(SendError::Rejected(Fault::new("template_not_supported", what)));
        }
    };
    Ok((chat, letter))
}

/// A picture or a paper with the words below it; longer words follow by themselves.
fn with_file(
    chat: i64,
    (file, source): (&Attachment, &FileSource),
    text: &str,
) -> Result<Letter, SendError> {
    let input = match source {
        FileSource::Known(id) => InputFile::file_id(FileId(id.clone())),
        FileSource::Bytes(bytes) => InputFile::memory(bytes.clone()).file_name(file.name.clone()),
        FileSource::Unsettled => {
            let fault = Fault::new("no_file", "the file of the message is not there");
            return Err(SendError::Rejected(fault));
        }
    };
    let is_short = text.encode_utf16().count() <= MAX_CAPTION;
    let rest = (!is_short).then(|| Box::new(words(chat, text, &[])));
    Ok(if file.kind.is_picture() {
        let request = SendPhoto::new(ChatId(chat), input);
        Letter::Photo(Box::new(if is_short { request.caption(text) } else { request }), rest)
    } else {
        let request = SendDocument::new(ChatId(chat), input);
        Letter::Document(Box::new(if is_short { request.caption(text) } else { request }), rest)
    })
}

/// A place with its name and address, which the phone opens in its map.
fn venue(chat: i64, pin: &Pin) -> SendVenue {
    let (latitude, longitude) = (pin.place.latitude(), pin.place.longitude());
    SendVenue::new(ChatId(chat), latitude, longitude, pin.name.clone(), pin.address.clone())
}

fn words(chat: i64, text: &str, choices: &[Choice]) -> SendMessage {
    let mut request = SendMessage::new(ChatId(chat), units(text, MAX_TEXT)).link_preview_options(
        LinkPreviewOptions {
            is_disabled: true,
            url: None,
            prefer_small_media: false,
            prefer_large_media: false,
            show_above_text: false,
        },
    );
    if let Some(keyboard) = keyboard(choices) {
        request = request.reply_markup(keyboard);
    }
    request
}

/// Buttons under the message; where one asks for the phone number, keys in the place of the phone's
/// own, because Telegram hands a number over from there only. The other choices are then keys that
/// write their title.
fn keyboard(choices: &[Choice]) -> Option<ReplyMarkup> {
    if choices.is_empty() {
        return None;
    }
    if !choices.iter().any(|choice| choice.id == SHARE_PHONE) {
        let button = |choice: &Choice| {
            InlineKeyboardButton::callback(choice.title.clone(), bytes(&choice.id, MAX_DATA))
        };
        let rows = rows(choices).map(|row| row.iter().map(button).collect::<Vec<_>>());
        return Some(InlineKeyboardMarkup::new(rows).into());
    }
    let key = |choice: &Choice| {
        let key = KeyboardButton::new(choice.title.clone());
        if choice.id == SHARE_PHONE { key.request(ButtonRequest::Contact) } else { key }
    };
    let rows = rows(choices).map(|row| row.iter().map(key).collect::<Vec<_>>());
    Some(KeyboardMarkup::new(rows).resize_keyboard().one_time_keyboard().into())
}

/// The choices in rows of one or two.
fn rows(choices: &[Choice]) -> impl Iterator<Item = &[Choice]> {
    let is_short = |choice: &Choice| choice.title.chars().count() <= HALF_A_ROW;
    let mut rest = choices;
    std::iter::from_fn(move || {
        let len = match rest {
            [] => return None,
            [one, two, ..] if is_short(one) && is_short(two) => 2,
            _ => 1,
        };
        let (row, after) = rest.split_at(len);
        rest = after;
        Some(row)
    })
}

/// The first so many UTF-16 units of a text, whole characters only.
fn units(text: &str, most: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, character)| {
        used += character.len_utf16();
        used > most
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// The first so many bytes of an id, whole characters only.
fn bytes(id: &str, most: usize) -> &str {
    let fits = (0..=most.min(id.len())).rev().find(|at| id.is_char_boundary(*at));
    &id[..fits.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::id::IdSource;
    use crate::domain::message::MessageText;
    use crate::domain::outbound::{ChatId as OurChat, Recipient, TemplateCall};
    use crate::domain::service_point::GeoPoint;

    fn outbound(form: Form) -> Outbound {
        Outbound {
            id: IdSource::default().next(Timestamp::from_ms(1_763_700_000_000)),
            to: Recipient { chat: OurChat::new(700_123), ..Recipient::default() },
            form,
            list_button: None,
            valid_until: None,
        }
    }

    fn written(text: &str, choices: &[(&str, &str)]) -> Value {
        let choices = choices
            .iter()
            .map(|(id, title)| Choice { id: (*id).to_owned(), title: (*title).to_owned() })
            .collect();
        let form = Form::Free { text: MessageText::new(text), choices };
        match write(&outbound(form)).unwrap().1 {
            Letter::Words(request) => serde_json::to_value(request).unwrap(),
            other => panic!("words were asked for: {other:?}"),
        }
    }

    #[test]
    fn a_place_is_a_venue_with_name_and_address() {
        let pin = Pin {
            place: GeoPoint::parse("-7.546", "112.233").unwrap(),
            name: "Kantor Kecamatan Jombang".to_owned(),
            address: "Jombang".to_owned(),
        };
        let Letter::Venue(request) = write(&outbound(Form::Pin(pin))).unwrap().1 else { panic!() };
        let request = serde_json::to_value(request).unwrap();
        assert_eq!(
            (&request["chat_id"], &request["latitude"], &request["longitude"]),
            (&json!(700_123), &json!(-7.546), &json!(112.233))
        );
        assert_eq!(
            (&request["title"], &request["address"]),
            (&json!("Kantor Kecamatan Jombang"), &json!("Jombang"))
        );
    }

    #[test]
    fn words_go_out_plain_without_a_preview_of_links() {
        let request = written("Halo *Siti* https://kabar.example.go.id", &[]);
        assert_eq!(request["chat_id"], 700_123);
        assert_eq!(request["text"], "Halo *Siti* https://kabar.example.go.id");
        assert_eq!(request["link_preview_options"]["is_disabled"], true);
        assert!(request.get("parse_mode").is_none() && request.get("reply_markup").is_none());
    }

    #[test]
    fn a_long_text_is_cut_at_4096_units_and_never_inside_a_character() {
        let length =
            |text: &str| written(text, &[])["text"].as_str().unwrap().encode_utf16().count();
        assert_eq!(length(&"a".repeat(5000)), 4096);
        assert_eq!(length(&format!("a{}", "😀".repeat(3000))), 4095);
        assert_eq!(length("pendek"), 6);
    }

    #[test]
    fn choices_become_buttons_two_in_a_row_where_they_are_short() {
        let request = written(
            "Pilih",
            &[
                ("do:status", "Cek status"),
                ("do:menu", "Menu"),
                ("ask:req_ktp_lost", "KTP hilang atau rusak"),
                ("do:stop", "Berhenti"),
            ],
        );
        assert_eq!(
            request["reply_markup"],
            json!({"inline_keyboard": [
                [{"text": "Cek status", "callback_data": "do:status"},
                 {"text": "Menu", "callback_data": "do:menu"}],
                [{"text": "KTP hilang atau rusak", "callback_data": "ask:req_ktp_lost"}],
                [{"text": "Berhenti", "callback_data": "do:stop"}],
            ]})
        );
    }

    #[test]
    fn the_id_of_a_choice_has_64_bytes_at_most() {
        let long = format!("{}é", "x".repeat(63));
        let request = written("Pilih", &[(&long, "Satu")]);
        let data = &request["reply_markup"]["inline_keyboard"][0][0]["callback_data"];
        assert_eq!(data.as_str().unwrap().len(), 63);
    }

    #[test]
    fn asking_for_the_number_puts_keys_in_place_of_the_phones_own() {
        let request = written("Nomor?", &[(SHARE_PHONE, "Bagikan nomor"), ("do:menu", "Menu")]);
        let markup = &request["reply_markup"];
        assert_eq!(
            markup["keyboard"],
            json!([[{"text": "Bagikan nomor", "request_contact": true}, {"text": "Menu"}]])
        );
        assert_eq!(
            (&markup["one_time_keyboard"], &markup["resize_keyboard"]),
            (&true.into(), &true.into())
        );
    }

    #[test]
    fn a_template_and_a_reader_without_a_chat_are_refused_before_any_request() {
        let call = TemplateCall {
            name: "x".into(),
            language: "id".into(),
            params: vec![],
            buttons: vec![],
        };
        let refused = write(&outbound(Form::Template(call))).unwrap_err();
        assert_eq!(refused.fault().code, "template_not_supported");
        let form = Form::Free { text: MessageText::new("halo"), choices: vec![] };
        let nowhere = Outbound { to: Recipient::default(), ..outbound(form) };
        assert_eq!(write(&nowhere).unwrap_err().fault().code, "no_chat");
    }
}
