//! Whom an SMS goes to, with which words, and who wrote one: what all gateways have in common.
//!
//! A writer whose number cannot be told for certain is nobody: short codes and names are other
//! people's machines, and an answer to them would be the beginning of a talk without end.

use crate::channel::{Fault, Form, Outbound, SendError};
use crate::domain::phone::PhoneNumber;

/// The number and the words of a message. What could be pressed stands in the words already.
///
/// # Errors
/// [`SendError::Rejected`] when there is no number, or a template, which SMS does not have.
pub(super) fn number_and_words(message: &Outbound) -> Result<(&str, &str), SendError> {
    let Some(phone) = &message.to.phone else {
        let fault = Fault::new("no_phone", "the recipient has no phone number");
        return Err(SendError::Rejected(fault));
    };
    match &message.form {
        Form::Free { text, .. } => Ok((phone.expose(), text.expose())),
        Form::Template(_) => {
            let fault = Fault::new("template_not_supported", "SMS knows no templates");
            Err(SendError::Rejected(fault))
        }
        Form::WithFile { .. } => {
            let fault = Fault::new("file_not_supported", "an SMS brings no files");
            Err(SendError::Rejected(fault))
        }
        Form::Pin(_) => {
            let fault = Fault::new("pin_not_supported", "SMS shows no maps");
            Err(SendError::Rejected(fault))
        }
    }
}

/// Who wrote: a number with its country code, or one written the Indonesian way.
pub(super) fn writer(raw: &str) -> Option<PhoneNumber> {
    // Longer than any number, and maybe meant to be: read no further.
    if raw.len() > 40 || raw.contains(char::is_alphabetic) {
        return None;
    }
    let raw = raw.trim();
    if raw.starts_with('+') {
        return PhoneNumber::parse_international(raw).ok();
    }
    PhoneNumber::parse(raw).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_known_by_an_international_or_an_indonesian_number_only() {
        for (raw, number) in [
            ("+6281200000001", Some("+6281200000001")),
            ("6281200000001", Some("+6281200000001")),
            ("0812-0000-0001", Some("+6281200000001")),
            ("006281200000001", Some("+6281200000001")),
            ("+15550001111", Some("+15550001111")),
            ("6505551212", None),
            ("98108", None),
            ("+123", None),
            ("TSEL", None),
            ("BANK 081200000001", None),
            ("", None),
        ] {
            assert_eq!(writer(raw).as_ref().map(PhoneNumber::expose), number, "{raw}");
        }
        assert_eq!(writer(&"0812".repeat(1000)), None);
    }
}
