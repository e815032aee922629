//! The addresses that Kannel calls: patterns whose escapes it fills, and every value encoded.

use std::fmt::Write as _;

use super::KannelUser;
use crate::domain::gsm7::is_gsm7;

/// Fills the escapes of an address; `%%` is a percent sign, and what is no escape stays.
pub(super) fn filled(pattern: &str, value: impl Fn(char) -> Option<String>) -> String {
    let mut out = String::with_capacity(pattern.len() + 64);
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('%') | None => out.push('%'),
            Some(escape) => match value(escape) {
                Some(value) => out.push_str(&escaped(&value)),
                None => out.extend(['%', escape]),
            },
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// The address of a message, as `get-url` with all its escapes gives it. A text outside the default
/// alphabet travels in UTF-16, bytes and all.
pub(super) fn inbound(
    user: &KannelUser,
    number: &str,
    text: &str,
    id: &str,
    seconds: i64,
) -> String {
    let is_plain = is_gsm7(text);
    let words = if is_plain {
        escaped(text)
    } else {
        text.encode_utf16().fold(String::new(), |mut out, unit| {
            let [high, low] = unit.to_be_bytes();
            // Writing to a string cannot fail.
            let _ = write!(out, "%{high:02X}%{low:02X}");
            out
        })
    };
    let (charset, coding) = if is_plain { ("UTF-8", 0) } else { ("UTF-16BE", 2) };
    let joint = if user.inbound_url.contains('?') { '&' } else { '?' };
    format!(
        "{}{joint}from=%2B{number}&to={}&text={words}&ts={seconds}&id={id}&charset={charset}\
         &coding={coding}",
        user.inbound_url,
        escaped(&user.sender),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_filled_and_encoded_and_doubled_ones_become_one() {
        let value = |c: char| (c == 'A').then(|| "NACK/0x0b/a b".to_owned());
        assert_eq!(
            filled("http://x/?a=%A&b=1%%2F%z%", value),
            "http://x/?a=NACK%2F0x0b%2Fa+b&b=1%2F%z%"
        );
    }
}
