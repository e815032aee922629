//! From a text and its values to what is sent.
//!
//! Values are cleaned first: Meta refuses line breaks, tabs and rows of spaces in a parameter, and
//! an invisible character could turn a name into something else. None is read as template text.

use std::collections::BTreeMap;
use std::fmt;

use super::announcement::Wording;
use super::segment::{Segments, segments, to_gsm};
use super::text::{Engine, Text};
use crate::domain::message::ChannelKind;

/// Longest WhatsApp body, as registered and as filled.
pub(super) const MAX_BODY_CHARS: usize = 1024;

/// Longest value of one placeholder. The longest sensible one, a place with its address, needs
/// half of it.
pub const MAX_VALUE_CHARS: usize = 200;

/// A message as it leaves. Masks itself in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The whole text, without WhatsApp's footer.
    pub text: String,
    /// Name of the WhatsApp template with the same words.
    pub template: String,
    /// The template's named parameters, in the order of the text.
    pub params: Vec<(String, String)>,
    /// What it costs, for SMS.
    pub segments: Option<Segments>,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered")
            .field("template", &self.template)
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

/// Why a message cannot be made of its values.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A placeholder was given no value.
    #[error("the placeholder {placeholder} has no value")]
    Missing {
        /// Its name.
        placeholder: String,
    },
    /// Nothing is left of a value when it is cleaned; an empty place in a message helps nobody.
    #[error("the value of the placeholder {placeholder} is empty")]
    Empty {
        /// Its name.
        placeholder: String,
    },
    /// A value is longer than it may be.
    #[error(
        "the value of the placeholder {placeholder} has {chars} characters, {most} are allowed"
    )]
    ValueTooLong {
        /// Its name.
        placeholder: String,
        /// How long it is.
        chars: usize,
        /// How long it may be.
        most: usize,
    },
    /// The whole is longer than WhatsApp takes.
    #[error("the text has {chars} characters, 1024 are allowed")]
    TextTooLong {
        /// How long it is.
        chars: usize,
    },
    /// The engine refused; the checks at start-up should have found it.
    #[error("the text cannot be filled")]
    Engine(#[source] minijinja::Error),
}

/// Fills one text with values of at most `most` characters.
pub(super) fn fill(
    engine: &Engine,
    text: &Text,
    wording: &Wording,
    channel: ChannelKind,
    values: &BTreeMap<&str, String>,
    most: usize,
) -> Result<Rendered, RenderError> {
    let mut params = Vec::new();
    for name in text.placeholders() {
        let placeholder = name.to_owned();
        let Some(value) = values.get(name) else {
            return Err(RenderError::Missing { placeholder });
        };
        let value = cleaned(value);
        let chars = value.chars().count();
        if chars == 0 {
            return Err(RenderError::Empty { placeholder });
        }
        if chars > most {
            return Err(RenderError::ValueTooLong { placeholder, chars, most });
        }
        params.push((placeholder, value));
    }
    let values = params.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let mut filled = engine.fill(text, &values).map_err(RenderError::Engine)?;
    let mut cost = None;
    if channel == ChannelKind::Sms {
        filled = to_gsm(&filled);
        cost = Some(segments(&filled));
    }
    let chars = filled.chars().count();
    if chars > MAX_BODY_CHARS {
        return Err(RenderError::TextTooLong { chars });
    }
    Ok(Rendered { text: filled, template: wording.template.clone(), params, segments: cost })
}

/// A value on one line, single-spaced, without characters that cannot be seen.
fn cleaned(value: &str) -> String {
    let visible: String = value
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Zero-width characters and those that turn the direction of writing.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    ) || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_becomes_one_line_of_visible_characters() {
        assert_eq!(
            cleaned("  Kantor\r\n\tKecamatan \u{a0}   Jombang\n"),
            "Kantor Kecamatan Jombang"
        );
        assert_eq!(cleaned("Si\u{0}ti\u{200b} \u{202e}A.\u{7}"), "Siti A.");
        assert_eq!(cleaned(" \u{200b}\n\u{0} "), "");
    }

    proptest! {
        #[test]
        fn whatever_is_given_meta_would_take_the_cleaned_value(value in any::<String>()) {
            let value = cleaned(&value);
            prop_assert!(!value.contains(char::is_control));
            prop_assert!(!value.contains("  "));
            prop_assert_eq!(value.trim(), &value);
        }
    }
}
