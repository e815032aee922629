//! Texts of a workbook: the table that its cells share, and how a text is written in XML.
//!
//! A register of half a million people has two million different texts. They lie behind each other
//! in one piece of memory, and there is a limit to it.

use quick_xml::events::Event;

use super::super::cell::{MAX_CHARS, shortened};
use super::super::xml::{Fault, Xml, character};

/// Most that all shared texts together may have, in bytes.
const MAX_BYTES: usize = 160 * 1024 * 1024;
/// Most shared texts.
const MAX_TEXTS: usize = 8_000_000;
/// What is kept of one text, in bytes.
const MAX_TEXT: usize = MAX_CHARS * 4;

/// The shared texts.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Reads `sharedStrings.xml`.
    pub(super) fn read(mut xml: Xml) -> Result<Self, Fault> {
        let mut texts = Self::default();
        let mut text = Text::default();
        loop {
            match xml.next()? {
                Event::Start(tag) if tag.local_name().as_ref() == "si" => text.clear(),
                Event::End(tag) if tag.local_name().as_ref() == "si" => {
                    texts.push(text.finish())?;
                }
                Event::Eof => break,
                event => text.add(&event)?,
            }
        }
        texts.all.shrink_to_fit();
        texts.ends.shrink_to_fit();
        Ok(texts)
    }

    fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.all.len() + text.len() > MAX_BYTES || self.ends.len() == MAX_TEXTS {
            return Err(Fault::TooLarge);
        }
        self.all.push_str(text);
        self.ends.push(u32::try_from(self.all.len()).map_err(|_| Fault::TooLarge)?);
        Ok(())
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
        self.all.get(*start as usize..end as usize)
    }
}

/// One text, put together from the pieces in which it stands: `<t>…</t>`, in a rich text several.
#[derive(Debug, Default)]
pub(super) struct Text {
    so_far: String,
    is_open: bool,
    /// How a name is to be pronounced, which Japanese programs keep beside it.
    is_phonetic: bool,
}

impl Text {
    pub(super) fn clear(&mut self) {
        self.so_far.clear();
        (self.is_open, self.is_phonetic) = (false, false);
    }

    /// Takes a piece, if the event is one.
    pub(super) fn add(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => self.is_open = !self.is_phonetic,
                "rPh" => self.is_phonetic = true,
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => self.is_open = false,
                "rPh" => self.is_phonetic = false,
                _ => {}
            },
            event if self.is_open => self.add_piece(event)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes what stands between two tags.
    pub(super) fn add_piece(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        if self.so_far.len() >= MAX_TEXT {
            return Ok(());
        }
        match event {
            Event::Text(piece) => self.so_far.push_str(&piece.xml10_content()),
            Event::CData(piece) => self.so_far.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => self.so_far.push(character(reference)?),
            _ => {}
        }
        Ok(())
    }

    /// The text as it was meant.
    pub(super) fn finish(&mut self) -> &str {
        if self.so_far.contains("_x") {
            self.so_far = unescaped(&self.so_far);
        }
        shortened(&self.so_far)
    }
}

/// `_x000D_` stands for a character that XML cannot hold, and `_x005F_` for the `_` of what only
/// looks like that.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        let code = escape.get(2..6).filter(|_| escape.as_bytes().get(6) == Some(&b'_'));
        let character = code
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        plain.push_str(before);
        let length = if let Some(character) = character {
            plain.push(character);
            7
        } else {
            plain.push('_');
            1
        };
        rest = escape.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_texts_come_back_each_as_it_was() {
        let mut texts = Texts::default();
        for text in ["SITI", "", "RENÉ", "BUDI"] {
            texts.push(text).unwrap();
        }
        let all: Vec<_> = (0..5).map(|index| texts.get(index)).collect();
        assert_eq!(all, [Some("SITI"), Some(""), Some("RENÉ"), Some("BUDI"), None]);
    }

    #[test]
    fn more_shared_texts_than_a_machine_holds_are_refused() {
        let mut texts = Texts { all: " ".repeat(MAX_BYTES - 3), ends: Vec::new() };
        assert!(texts.push("abc").is_ok());
        assert!(matches!(texts.push("d"), Err(Fault::TooLarge)));
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_read_back() {
        assert_eq!(unescaped("CARD_x000D_PRINTED"), "CARD\rPRINTED");
        assert_eq!(unescaped("_x005F_x000D_"), "_x000D_");
        assert_eq!(unescaped("no_xtra_x12é_"), "no_xtra_x12é_");
        assert_eq!(unescaped("_xD83D_!_x"), "\u{fffd}!_x");
    }
}
