//! What Zenziva answers, from either of its two forms.
//!
//! Decides nothing; whatever is missing or of another type stays empty.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event as Xml;
use serde_json::Value;

use crate::channel::http_call::cut;

/// Longest value that is kept.
const MAX_VALUE: usize = 300;
/// Most tags that are read; an answer has about ten.
const MAX_TAGS: usize = 200;

/// The form of an answer, which decides what counts as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 1 is success.
    Json,
    /// 0 is success.
    Xml,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its form.
    pub kind: Kind,
    /// The status, given as a number or as a text.
    pub status: Option<i64>,
    /// The provider's words.
    pub text: String,
    /// The provider's id of the message.
    pub message_id: Option<String>,
    /// What is left on the account.
    pub credit: Option<f64>,
    /// Until when.
    pub expired: Option<String>,
}

impl Answer {
    /// Reads an answer; none when it is neither JSON nor XML as Zenziva writes it.
    #[must_use]
    pub fn read(raw: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(raw);
        // Some of its servers put a byte order mark or a line break first.
        let text = text.trim_start_matches('\u{feff}').trim();
        let (kind, fields) = match serde_json::from_str::<Value>(text) {
            Ok(value) => (Kind::Json, json_fields(&value)?),
            Err(_) => (Kind::Xml, xml_fields(text)?),
        };
        let field = |name: &str| fields.get(name).filter(|value| !value.is_empty()).cloned();
        Some(Self {
            kind,
            status: field("status").and_then(|status| status.parse().ok()),
            text: field("text").or_else(|| field("response")).unwrap_or_default(),
            message_id: field("messageid"),
            credit: field("credit")
                .or_else(|| field("balance"))
                .and_then(|credit| credit.parse().ok())
                .filter(|credit: &f64| credit.is_finite()),
            expired: field("expired"),
        })
    }
}

/// Names in lower case, for the same one is written `credit` and `Credit`.
type Fields = HashMap<String, String>;

fn json_fields(value: &Value) -> Option<Fields> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(cut(text.trim(), MAX_VALUE).to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let fields = value.as_object()?.iter();
    Some(fields.filter_map(|(name, value)| Some((name.to_lowercase(), plain(value)?))).collect())
}

/// The text directly within each tag, of several with one name the first; only under `<response>`.
fn xml_fields(text: &str) -> Option<Fields> {
    let mut reader = Reader::from_str(text);
    let (mut fields, mut path) = (Fields::new(), Vec::new());
    let mut is_response = false;
    for _ in 0..MAX_TAGS * 4 {
        match reader.read_event().ok()? {
            Xml::Start(tag) => {
                let name = tag.local_name().as_ref().to_lowercase();
                is_response |= name == "response";
                path.push(name);
            }
            Xml::End(_) => drop(path.pop()),
            Xml::Text(words) => {
                let words = words.xml_content(quick_xml::XmlVersion::Implicit1_0);
                if let Some(name) = path.last().filter(|_| !words.trim().is_empty()) {
                    let value = cut(words.trim(), MAX_VALUE).to_owned();
                    fields.entry(name.clone()).or_insert(value);
                }
            }
            Xml::Eof => return (is_response && path.is_empty()).then_some(fields),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Answer {
        Answer::read(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_status_is_read_as_number_and_as_text_in_json_and_xml() {
        for (text, kind, status) in [
            (r#"{"status":"1"}"#, Kind::Json, Some(1)),
            (r#"{"status":1}"#, Kind::Json, Some(1)),
            ("\u{feff}\r\n{\"status\": \" 5 \"}", Kind::Json, Some(5)),
            (r#"{"status":null}"#, Kind::Json, None),
            (r#"{"status":"ok"}"#, Kind::Json, None),
            ("<response><message><status>0</status></message></response>", Kind::Xml, Some(0)),
            ("<response>\n <status> 99 </status>\n</response>", Kind::Xml, Some(99)),
            ("<response/>", Kind::Xml, None),
        ] {
            let Some(found) = Answer::read(text.as_bytes()) else {
                assert_eq!((status, text), (None, "<response/>"));
                continue;
            };
            assert_eq!((found.kind, found.status), (kind, status), "{text}");
        }
    }

    #[test]
    fn every_field_is_found_in_either_form() {
        let json = read(
            r#"{"messageId":157365,"to":"0812","status":"1","text":"Success","balance":20955}"#,
        );
        assert_eq!((json.message_id.as_deref(), json.credit), (Some("157365"), Some(20955.0)));
        let xml = read(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><response><message><messageId>59</messageId>\
             <to>+62</to><status>0</status><text>Userkey &amp; Passkey</text><balance>4695</balance>\
             </message></response>",
        );
        assert_eq!((xml.message_id.as_deref(), xml.credit), (Some("59"), Some(4695.0)));
        assert!(xml.text.starts_with("Userkey"), "{}", xml.text);
        let balance = read(r#"{"Credit":"20957.0","expired":"31 Desember 2030"}"#);
        assert_eq!(balance.credit, Some(20957.0));
        assert_eq!(balance.expired.as_deref(), Some("31 Desember 2030"));
        assert_eq!(read(r#"{"response":"Wrong Userkey or Passkey"}"#).text.len(), 24);
    }

    #[test]
    fn what_is_neither_form_is_no_answer() {
        for text in [
            "",
            "OK",
            "1",
            "[]",
            "null",
            "<html><body><p>status</p></body></html>",
            "<response><status>0</status>",
            "<response><status>0</wrong></response>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]>",
        ] {
            let found = Answer::read(text.as_bytes());
            assert!(found.is_none_or(|answer| answer.status.is_none()), "{text}");
        }
        let endless = "<response>".repeat(100_000);
        assert_eq!(Answer::read(endless.as_bytes()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw: Vec<u8>, text in "[<>/&;a-c\" ]{0,80}") {
            let _ = Answer::read(&raw);
            let _ = Answer::read(text.as_bytes());
        }
    }
}
