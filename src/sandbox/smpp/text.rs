//! Text in the octets of a short message, as a phone reads and writes it.

/// GSM 03.38, row by row of sixteen; the escape is not drawn.
const ROWS: [[char; 16]; 8] = [
    ['@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å'],
    ['Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{fffd}', 'Æ', 'æ', 'ß', 'É'],
    [' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/'],
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?'],
    ['¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O'],
    ['P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§'],
    ['¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o'],
    ['p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à'],
];
const ESCAPE: u8 = 0x1b;

/// The data coding of UTF-16.
const UCS2: u8 = 8;

fn extended(septet: u8) -> Option<char> {
    Some(match septet {
        0x0a => '\u{c}',
        0x14 => '^',
        0x28 => '{',
        0x29 => '}',
        0x2f => '\\',
        0x3c => '[',
        0x3d => '~',
        0x3e => ']',
        0x40 => '|',
        0x65 => '€',
        _ => return None,
    })
}

/// What a phone shows of a part in that data coding; `None` for a coding it does not show. A pair
/// that was cut in two shows as two broken characters.
pub(super) fn shown(data_coding: u8, octets: &[u8]) -> Option<String> {
    match data_coding {
        0 => Some(septets(octets)),
        1 | 3 => Some(octets.iter().map(|octet| char::from(*octet)).collect()),
        UCS2 => {
            let units: Vec<u16> = octets
                .chunks(2)
                .map(|pair| pair.iter().fold(0, |unit, octet| (unit << 8) | u16::from(*octet)))
                .collect();
            Some(String::from_utf16_lossy(&units))
        }
        _ => None,
    }
}

fn septets(octets: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = octets.iter().copied();
    while let Some(septet) = rest.next() {
        let c = if septet == ESCAPE {
            rest.next().and_then(extended)
        } else {
            ROWS.as_flattened().get(usize::from(septet)).copied()
        };
        text.push(c.unwrap_or('\u{fffd}'));
    }
    text
}

fn octets(c: char) -> Option<Vec<u8>> {
    let at = |c| ROWS.as_flattened().iter().position(|known| *known == c);
    if let Some(at) = at(c).filter(|_| c != '\u{fffd}') {
        return u8::try_from(at).ok().map(|septet| vec![septet]);
    }
    (0..128).find(|septet| extended(*septet) == Some(c)).map(|septet| vec![ESCAPE, septet])
}

fn wide(c: char) -> Vec<u8> {
    c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

/// A text as a phone sends it: the data coding and the octets of each part.
pub(super) fn parts(text: &str) -> (u8, Vec<Vec<u8>>) {
    let plain: Option<Vec<Vec<u8>>> = text.chars().map(octets).collect();
    let (data_coding, characters, single, each) = match plain {
        Some(characters) => (0, characters, 160, 153),
        None => (UCS2, text.chars().map(wide).collect(), 140, 134),
    };
    if characters.iter().map(Vec::len).sum::<usize>() <= single {
        return (data_coding, vec![characters.concat()]);
    }
    let mut parts = Vec::new();
    let mut part: Vec<u8> = Vec::new();
    for character in characters {
        if part.len() + character.len() > each {
            parts.push(std::mem::take(&mut part));
        }
        part.extend(character);
    }
    parts.push(part);
    (data_coding, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_reads_what_a_phone_writes() {
        for text in ["halo {x} €", "@\nÉ^\\~", "你好 😀", &"€".repeat(200), &"😀".repeat(200)]
        {
            let (data_coding, parts) = parts(text);
            let read: String = parts.iter().map(|part| shown(data_coding, part).unwrap()).collect();
            assert_eq!(read, text);
            assert!(parts.iter().all(|part| part.len() <= 160));
        }
        assert_eq!(parts("halo {x} €").1, [hex::decode("68616c6f201b28781b29201b65").unwrap()]);
        assert_eq!(parts("你好 😀").1, [hex::decode("4f60597d0020d83dde00").unwrap()]);
    }

    #[test]
    fn a_pair_cut_in_two_shows() {
        assert_eq!(shown(0, &[0x61, ESCAPE]).unwrap(), "a\u{fffd}");
        assert_eq!(shown(8, &[0xd8, 0x3d]).unwrap(), "\u{fffd}");
        assert_eq!(shown(4, &[1]), None);
    }
}
