//! The parameters with which Kannel calls, as bytes, and the words among them.
//!
//! Kannel encodes bytes, not text: what a phone sent in UTF-16 stands in the query as UTF-16.

use std::collections::HashMap;

use crate::channel::http_call::cut;

/// Longest value that is kept, texts aside.
const MAX_VALUE: usize = 200;

/// The parameters of a call, as bytes; of several with one name the first.
#[derive(Default)]
pub(super) struct Parameters(HashMap<String, Vec<u8>>);

impl Parameters {
    pub(super) fn read(raw: &[u8]) -> Self {
        let mut parameters = Self::default();
        parameters.add(raw);
        parameters
    }

    /// Adds those of another part of the call; what is there already stays.
    pub(super) fn add(&mut self, raw: &[u8]) {
        for pair in raw.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let name = String::from_utf8_lossy(&unescaped(&pair[..at])).into_owned();
            let value = unescaped(pair.get(at + 1..).unwrap_or_default());
            self.0.entry(name).or_insert(value);
        }
    }

    pub(super) fn bytes(&self, name: &str) -> &[u8] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// As text, cut to what any value needs.
    pub(super) fn text(&self, name: &str) -> String {
        cut(&String::from_utf8_lossy(self.bytes(name)), MAX_VALUE).to_owned()
    }
}

fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let hex = |at: usize| tail.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, hex(0), hex(1)) {
            (b'+', ..) => out.push(b' '),
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &tail[2..];
            }
            _ => out.push(byte),
        }
    }
    out
}

/// The words of a text: with coding 2 Kannel passes on UTF-16, and says so in `charset`.
pub(super) fn decoded(raw: &[u8], charset: &str, coding: &str) -> String {
    match charset.to_ascii_uppercase().as_str() {
        "UTF-16BE" | "UTF-16" | "UCS-2" => utf16(raw),
        "" if coding == "2" => utf16(raw),
        "ISO-8859-1" | "LATIN1" | "WINDOWS-1252" => raw.iter().map(|b| char::from(*b)).collect(),
        _ => String::from_utf8_lossy(raw).into_owned(),
    }
}

fn utf16(raw: &[u8]) -> String {
    let units = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_decoded_and_the_first_of_a_name_counts() {
        let mut parameters = Parameters::read(b"a=1+2&b=%FF%zz%2&a=3&&c&=x");
        parameters.add(b"a=4&d=%E2%82%AC");
        assert_eq!(parameters.bytes("a"), b"1 2");
        assert_eq!(parameters.bytes("b"), b"\xff%zz%2");
        assert_eq!((parameters.bytes("c"), parameters.bytes("e")), (&b""[..], &b""[..]));
        assert_eq!(parameters.text("d"), "€");
        assert_eq!(Parameters::read(&[b"x=", &[b'y'; 999][..]].concat()).text("x").len(), 200);
    }
}
