//! The alphabets in which SMS travel, septet by septet: the default alphabet of GSM 03.38 with its
//! extension table, UCS-2, and how a long text is cut. The one place that lists the alphabet.
//!
//! A part never holds more than the air interface takes, and neither an escape pair nor a
//! surrogate pair is ever cut in two.

/// The escape to the extension table.
const ESCAPE: u8 = 0x1b;
/// GSM 03.38, 128 places; the escape stands in its own.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What stands behind the escape.
const EXTENDED: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// The alphabet of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// GSM 03.38, one septet in an octet.
    Gsm7,
    /// UTF-16, big end first.
    Ucs2,
}

impl Alphabet {
    /// Octets that a text of one part may have, and that each of several parts may have beside the
    /// six of its header.
    const fn room(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (140, 134),
        }
    }
}

/// A text as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Its alphabet; one character outside GSM-7 turns the whole text to UCS-2.
    pub alphabet: Alphabet,
    /// Its parts, at least one, without headers.
    pub parts: Vec<Vec<u8>>,
}

/// Puts a text into octets and cuts it where it is too long for one message.
#[must_use]
pub fn encode(text: &str) -> Encoded {
    let septets: Option<Vec<Vec<u8>>> = text.chars().map(encode_char).collect();
    let (alphabet, characters) = match septets {
        Some(septets) => (Alphabet::Gsm7, septets),
        None => (Alphabet::Ucs2, text.chars().map(units).collect()),
    };
    let (single, each) = alphabet.room();
    let total: usize = characters.iter().map(Vec::len).sum();
    let room = if total <= single { single } else { each };
    let mut parts = vec![Vec::new()];
    for character in characters {
        match parts.last_mut() {
            Some(part) if part.len() + character.len() <= room => part.extend(character),
            _ => parts.push(character),
        }
    }
    Encoded { alphabet, parts }
}

/// How many septets a character takes, or `None` when GSM-7 does not have it.
#[must_use]
pub fn septets(c: char) -> Option<usize> {
    // Most characters are plain letters; no need to search the tables for those.
    if c.is_ascii_alphanumeric() || c == ' ' {
        return Some(1);
    }
    if EXTENDED.iter().any(|(_, extended)| *extended == c) {
        return Some(2);
    }
    (c != char::from(ESCAPE) && BASIC.contains(c)).then_some(1)
}

/// Whether a text can travel in GSM-7. One character outside it turns the whole text to UCS-2.
#[must_use]
pub fn is_gsm7(text: &str) -> bool {
    text.chars().all(|c| septets(c).is_some())
}

fn encode_char(c: char) -> Option<Vec<u8>> {
    // These stand where ASCII has them; no need to search for the most frequent.
    if c.is_ascii_alphanumeric() || c == ' ' {
        return u8::try_from(c).ok().map(|octet| vec![octet]);
    }
    if let Some((septet, _)) = EXTENDED.iter().find(|(_, extended)| *extended == c) {
        return Some(vec![ESCAPE, *septet]);
    }
    let place = BASIC.chars().position(|basic| basic == c)?;
    let septet = u8::try_from(place).ok()?;
    (septet != ESCAPE).then(|| vec![septet])
}

fn units(c: char) -> Vec<u8> {
    let mut buffer = [0; 2];
    c.encode_utf16(&mut buffer).iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

/// Reads unpacked septets. What the alphabet does not have is shown as phones do: behind an escape
/// as the basic character, and an octet that is no septet as Latin-1, which some centres send.
#[must_use]
pub fn decode_gsm7(octets: &[u8]) -> String {
    let basic: Vec<char> = BASIC.chars().collect();
    let mut text = String::with_capacity(octets.len());
    let mut is_escaped = false;
    for octet in octets {
        let extended = EXTENDED.iter().find(|(septet, _)| is_escaped && septet == octet);
        if let Some((_, extended)) = extended {
            text.push(*extended);
        } else if *octet == ESCAPE {
            // Two escapes stand for a further table that nobody has defined: a space.
            if is_escaped {
                text.push(' ');
            } else {
                is_escaped = true;
                continue;
            }
        } else {
            text.push(basic.get(usize::from(*octet)).copied().unwrap_or(char::from(*octet)));
        }
        is_escaped = false;
    }
    text
}

/// Reads UTF-16, big end first; what is broken is shown as such.
#[must_use]
pub fn decode_ucs2(octets: &[u8]) -> String {
    let units = octets.chunks(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0xfffd,
    });
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Reads Latin-1.
#[must_use]
pub fn decode_latin1(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(text: &str) -> (Alphabet, Vec<usize>) {
        let encoded = encode(text);
        (encoded.alphabet, encoded.parts.iter().map(Vec::len).collect())
    }

    fn decoded(encoded: &Encoded) -> String {
        let decode = match encoded.alphabet {
            Alphabet::Gsm7 => decode_gsm7,
            Alphabet::Ucs2 => decode_ucs2,
        };
        encoded.parts.iter().map(|part| decode(part)).collect()
    }

    #[test]
    fn the_alphabet_has_128_places_and_the_escape_is_none_of_its_characters() {
        assert_eq!(BASIC.chars().count(), 128);
        assert_eq!(BASIC.chars().position(|c| c == '\u{1b}'), Some(usize::from(ESCAPE)));
        assert_eq!(encode("\u{1b}").alphabet, Alphabet::Ucs2);
        assert_eq!(encode("@\nA¡à").parts, [[0x00, 0x0a, 0x41, 0x40, 0x7f]]);
    }

    #[test]
    fn braces_and_the_euro_sign_are_septets_behind_an_escape() {
        let octets = hex::decode("68616c6f201b28781b29201b65").unwrap();
        assert_eq!(decode_gsm7(&octets), "halo {x} €");
        assert_eq!(encode("halo {x} €").parts, [octets]);
    }

    #[test]
    fn a_character_beyond_the_alphabet_turns_everything_to_utf_16() {
        let octets = hex::decode("4f60597d0020d83dde00").unwrap();
        assert_eq!(encode("你好 😀"), Encoded { alphabet: Alphabet::Ucs2, parts: vec![octets] });
    }

    #[test]
    fn the_limits_of_one_and_of_several_parts_are_met_exactly() {
        assert_eq!(sizes(""), (Alphabet::Gsm7, vec![0]));
        assert_eq!(sizes(&"a".repeat(160)), (Alphabet::Gsm7, vec![160]));
        assert_eq!(sizes(&"a".repeat(200)), (Alphabet::Gsm7, vec![153, 47]));
        assert_eq!(sizes(&"€".repeat(81)), (Alphabet::Gsm7, vec![152, 10]));
        assert_eq!(sizes(&"Ж".repeat(70)), (Alphabet::Ucs2, vec![140]));
        assert_eq!(sizes(&"Ж".repeat(71)), (Alphabet::Ucs2, vec![134, 8]));
        assert_eq!(sizes(&"😀".repeat(36)), (Alphabet::Ucs2, vec![132, 12]));
    }

    #[test]
    fn broken_octets_are_read_as_phones_show_them() {
        assert_eq!(decode_gsm7(&[0x1b]), "");
        assert_eq!(decode_gsm7(&[0x1b, 0x41, 0x1b, 0x1b, 0x42]), "A B");
        assert_eq!(decode_gsm7(&[0xe9]), "é");
        assert_eq!(decode_ucs2(&[0xd8, 0x3d, 0x00, 0x41, 0x00]), "\u{fffd}A\u{fffd}");
        assert_eq!(decode_latin1(&[0x41, 0xe9]), "Aé");
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded_part_by_part_and_no_part_is_too_long(
            text in prop_oneof!["[ -~\\n€£éà{}\\[\\]|^]{0,700}", ".{0,400}", "[a€😀Ж]{0,400}"]
        ) {
            let encoded = encode(&text);
            // Decoding each part by itself would show a pair that was cut in two.
            prop_assert_eq!(decoded(&encoded), text);
            let (single, each) = encoded.alphabet.room();
            let room = if encoded.parts.len() == 1 { single } else { each };
            prop_assert!(encoded.parts.iter().all(|part| part.len() <= room));
            // A pair that does not fit leaves at most one place free.
            let least = room - if encoded.alphabet == Alphabet::Ucs2 { 2 } else { 1 };
            let full = encoded.parts.split_last().map(|(_, full)| full).unwrap_or_default();
            prop_assert!(full.iter().all(|part| part.len() >= least));
        }

        #[test]
        fn any_octets_are_read_without_complaint(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = (decode_gsm7(&octets), decode_ucs2(&octets), decode_latin1(&octets));
        }
    }

    #[test]
    fn the_alphabet_has_all_its_characters_and_no_more() {
        assert_eq!(BASIC.chars().count(), 128);
        for outside in ['`', '–', '’', '\u{a0}', '\t', 'ç', 'á'] {
            assert!(!is_gsm7(&format!("halo {outside}")), "{outside:?}");
        }
        let all = BASIC.chars().filter(|c| *c != char::from(ESCAPE));
        let all: String = all.chain(EXTENDED.iter().map(|(_, c)| *c)).collect();
        assert!(is_gsm7(&all) && is_gsm7(""));
        assert!(!is_gsm7("\u{1b}"));
    }

    #[test]
    fn extended_characters_cost_two() {
        assert_eq!((septets('a'), septets('€'), septets('Ж')), (Some(1), Some(2), None));
    }
}
