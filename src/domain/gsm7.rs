//! The default alphabet of SMS, GSM 03.38: which texts it holds, and what a character costs in it.
//!
//! Tells only what a text needs; splitting and sending are others' work. The one place that lists
//! the alphabet.

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Reached through an escape septet, so each costs two.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Septets of a character, or `None` when GSM-7 does not have it.
#[must_use]
pub fn septets(c: char) -> Option<usize> {
    // Most characters are plain letters; no need to search the table for those.
    if c.is_ascii_alphanumeric() || c == ' ' || BASIC.contains(c) {
        Some(1)
    } else {
        EXTENDED.contains(c).then_some(2)
    }
}

/// Whether a text can travel in GSM-7. One character outside it turns the whole text to UCS-2.
#[must_use]
pub fn is_gsm7(text: &str) -> bool {
    text.chars().all(|c| septets(c).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_all_its_characters_and_no_more() {
        assert_eq!(BASIC.chars().count(), 127, "128 places, one of them the escape");
        assert_eq!(EXTENDED.chars().count(), 10);
        for outside in ['`', '–', '’', '\u{a0}', '\t', 'ç', 'á'] {
            assert!(!is_gsm7(&format!("halo {outside}")), "{outside:?}");
        }
        assert!(is_gsm7(BASIC) && is_gsm7(EXTENDED) && is_gsm7(""));
    }

    #[test]
    fn extended_characters_cost_two() {
        assert_eq!((septets('a'), septets('€'), septets('Ж')), (Some(1), Some(2), None));
    }
}
