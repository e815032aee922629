//! The pieces a request is read in, and what it comes to on a screen.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::sandbox::{Choice, Enclosure, Menu};

/// What stands on the screen.
#[derive(Default)]
pub(super) struct Content {
    pub(super) kind: String,
    pub(super) header: Option<String>,
    pub(super) file: Option<Enclosure>,
    pub(super) text: String,
    pub(super) footer: Option<String>,
    pub(super) buttons: Vec<Choice>,
    pub(super) menu: Option<Menu>,
}

/// One object of the request, and its name for error texts.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    fields: &'a Map<String, Value>,
    pub(super) name: &'a str,
}

impl<'a> Part<'a> {
    pub(super) fn of(value: Option<&'a Value>, name: &'a str) -> Result<Self, Refusal> {
        match value {
            Some(Value::Object(fields)) => Ok(Self { fields, name }),
            None | Some(Value::Null) => {
                Err(Refusal::new(131_008, format!("Parameter {name} is missing.")))
            }
            Some(_) => Err(Refusal::new(100, format!("Param {name} must be a JSON object."))),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn part(&self, key: &'a str) -> Result<Part<'a>, Refusal> {
        Part::of(self.get(key), key)
    }

    /// An optional text of at most so many characters.
    pub(super) fn optional(&self, key: &str, max: usize) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let name = self.name;
        let text = value
            .as_str()
            .ok_or_else(|| Refusal::new(100, format!("Param {name}['{key}'] must be a string.")))?;
        if text.chars().count() > max {
            let details = format!("Param {name}['{key}'] must be at most {max} characters long.");
            return Err(Refusal::new(100, details));
        }
        Ok(Some(text))
    }

    /// A text that must be there and not be blank.
    pub(super) fn text(&self, key: &str, max: usize) -> Result<&'a str, Refusal> {
        match self.optional(key, max)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => {
                Err(Refusal::new(131_008, format!("Parameter {}['{key}'] is missing.", self.name)))
            }
        }
    }

    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], Refusal> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => {
                Err(Refusal::new(100, format!("Param {}['{key}'] must be an array.", self.name)))
            }
        }
    }
}
