//! The XML in a workbook, event by event.
//!
//! Never holds more of it than one tag or one piece of text, and gives up on what no program
//! writes: a text without end, tags within tags without end, entities of its own.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::SheetError;
use super::zip::Unpacked;

/// Longest tag or piece of text, in bytes. A cell holds at most 32,767 characters.
const MAX_EVENT: usize = 1024 * 1024;
/// Deepest nesting; a worksheet has about six levels.
const MAX_DEPTH: usize = 64;
/// How much is unpacked at once.
const CHUNK: usize = 32 * 1024;

/// Why reading ends early.
#[derive(Debug)]
pub(super) enum Fault {
    /// What the operating system says, or that the packed data are damaged.
    Io(io::Error),
    /// Not what a workbook holds.
    Malformed,
    /// More than a machine should hold.
    TooLarge,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<quick_xml::Error> for Fault {
    fn from(error: quick_xml::Error) -> Self {
        match error {
            quick_xml::Error::Io(error) => {
                Self::Io(io::Error::new(error.kind(), error.to_string()))
            }
            // Its words may show a cell.
            _ => Self::Malformed,
        }
    }
}

impl From<Fault> for SheetError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io(source) => Self::or_broken_off(source),
            Fault::Malformed => Self::Unreadable,
            Fault::TooLarge => Self::TooLarge,
        }
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        let damaged = |what| Self::new(io::ErrorKind::InvalidData, what);
        match fault {
            Fault::Io(error) => error,
            Fault::Malformed => damaged("the workbook is damaged there"),
            Fault::TooLarge => damaged("the workbook holds more there than any program writes"),
        }
    }
}

/// One XML file of a workbook.
pub(super) struct Xml {
    reader: Reader<Limited>,
    buffer: Vec<u8>,
    depth: usize,
}

impl Xml {
    pub(super) fn new(content: Unpacked) -> Self {
        let source = BufReader::with_capacity(CHUNK, content);
        let mut reader = Reader::from_reader(Limited { source, left: MAX_EVENT });
        // `<c/>` means `<c></c>`.
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0 }
    }

    /// What comes next; [`Event::Eof`] at the end.
    pub(super) fn next(&mut self) -> Result<Event<'_>, Fault> {
        self.reader.get_mut().left = MAX_EVENT;
        self.buffer.clear();
        let event = self.reader.read_event_into(&mut self.buffer)?;
        match event {
            // The reader keeps the names of all open tags.
            Event::Start(_) if self.depth == MAX_DEPTH => return Err(Fault::Malformed),
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Eof if self.depth > 0 => return Err(Fault::Malformed),
            _ => {}
        }
        Ok(event)
    }

    /// How many packed bytes were taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.reader.get_ref().source.get_ref().taken()
    }
}

/// Refuses to read on within one event without end.
struct Limited {
    source: BufReader<Unpacked>,
    left: usize,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl BufRead for Limited {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            let what = "the workbook holds a text without end";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.source.consume(amount);
    }
}

/// The attributes of a tag, by their names without prefix.
pub(super) fn attributes<'a>(
    tag: &'a BytesStart<'_>,
) -> impl Iterator<Item = Result<(&'a str, Attribute<'a>), Fault>> {
    let mut all = tag.attributes();
    // Looking for the same name twice takes long in a tag of a thousand.
    all.with_checks(false);
    all.map(|attribute| {
        let attribute = attribute.map_err(|_| Fault::Malformed)?;
        let name = attribute.key.into_inner();
        Ok((name.rsplit(':').next().unwrap_or(name), attribute))
    })
}

/// What an attribute says.
pub(super) fn value<'a>(attribute: &Attribute<'a>) -> Result<Cow<'a, str>, Fault> {
    attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|_| Fault::Malformed)
}

/// The character that `&amp;` or `&#39;` stands for.
pub(super) fn character(reference: &BytesRef<'_>) -> Result<char, Fault> {
    Ok(match reference.as_ref() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => reference.resolve_char_ref()?.ok_or(Fault::Malformed)?,
    })
}
