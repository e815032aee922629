//! The ZIP container of XLSX and ODS files (APPNOTE.TXT): what is packed in it, and one member at
//! a time as a stream.
//!
//! Believes no size it is told: a file that would unpack to more than any office writes is refused
//! before anything is unpacked, and a member that is longer, shorter or other than the directory
//! says ends with an error.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::SheetError;

/// What any file may unpack to, in bytes.
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// How many times its own size a larger one may unpack to. Sheets are packed to a tenth or so; a
/// file made to fill a machine reaches a thousandth.
const MAX_RATIO: u64 = 100;
/// Largest directory, in bytes; a workbook has some dozens of members.
const MAX_DIRECTORY: u64 = 4 * 1024 * 1024;
/// The end record with the longest comment it can have.
const END_RECORD: u64 = 22 + 65_535;
/// How much is read from the file at once.
const CHUNK: usize = 32 * 1024;
const STORED: u64 = 0;
const DEFLATED: u64 = 8;

/// A ZIP file and its directory.
pub(super) struct Archive {
    file: Arc<File>,
    members: Vec<Member>,
    /// What all members together unpack to.
    pub(super) unpacked: u64,
}

/// One packed file.
#[derive(Clone, Debug)]
pub(super) struct Member {
    name: String,
    flags: u64,
    method: u64,
    crc: u64,
    pub(super) packed: u64,
    unpacked: u64,
    header_at: u64,
}

impl Archive {
    /// Reads the directory (4.3.12), once it is sure that all of it together is not too large.
    pub(super) fn open(file: File, size: u64) -> Result<Self, SheetError> {
        let read = |from: u64, length: u64| {
            let length = usize::try_from(length).map_err(|_| SheetError::Unreadable)?;
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, from).map(|()| bytes).map_err(SheetError::or_broken_off)
        };
        let tail_at = size.saturating_sub(END_RECORD);
        let tail = read(tail_at, size - tail_at)?;
        let end_at = tail
            .windows(4)
            .rposition(|bytes| bytes == b"PK\x05\x06")
            .ok_or(SheetError::Unreadable)?;
        let end = tail.get(end_at..).unwrap_or_default();
        let (mut length, mut from) =
            number(end, 12, 4).zip(number(end, 16, 4)).ok_or(SheetError::Unreadable)?;
        // A file written as a stream may keep them in a longer record, whose place stands before.
        let locator = end_at.checked_sub(20).and_then(|at| tail.get(at..end_at));
        if let Some(locator) = locator.filter(|bytes| bytes.starts_with(b"PK\x06\x07")) {
            let at = number(locator, 8, 8).filter(|at| *at < size).ok_or(SheetError::Unreadable)?;
            let record = read(at, 56)?;
            (length, from) =
                number(&record, 40, 8).zip(number(&record, 48, 8)).ok_or(SheetError::Unreadable)?;
        }
        if length > MAX_DIRECTORY {
            return Err(SheetError::TooLarge);
        }
        let directory = read(from, length)?;
        let mut rest = directory.as_slice();
        let mut members = Vec::new();
        let mut unpacked: u64 = 0;
        while rest.starts_with(b"PK\x01\x02") {
            let (member, length) = Member::read(rest).ok_or(SheetError::Unreadable)?;
            unpacked = unpacked.saturating_add(member.unpacked);
            members.push(member);
            rest = rest.get(length..).unwrap_or_default();
        }
        if unpacked > MAX_UNPACKED.max(size.saturating_mul(MAX_RATIO)) {
            return Err(SheetError::TooLarge);
        }
        Ok(Self { file: Arc::new(file), members, unpacked })
    }

    /// The member of that name. Some programs write `\` between folders, or other capitals than
    /// where they refer to it.
    pub(super) fn find(&self, name: &str) -> Option<&Member> {
        let is_same = |member: &&Member| {
            let plain = |byte: u8| if byte == b'\\' { b'/' } else { byte.to_ascii_lowercase() };
            member.name.len() == name.len()
                && member.name.bytes().map(plain).eq(name.bytes().map(plain))
        };
        self.members.iter().find(is_same)
    }

    /// What is in a member.
    pub(super) fn unpack(&self, member: &Member) -> io::Result<Unpacked> {
        Unpacked::open(&self.file, member)
    }

    /// The file, for whoever unpacks a member later.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }
}

impl Member {
    /// Whether both are the same bytes.
    pub(super) const fn is_same(&self, other: &Self) -> bool {
        self.header_at == other.header_at
    }

    /// An entry of the directory and its length.
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let part = |at| number(bytes, at, 2).and_then(|length| usize::try_from(length).ok());
        let (name, extra, comment) = (part(28)?, part(30)?, part(32)?);
        let long = bytes.get(46 + name..46 + name + extra)?;
        let mut sizes = [number(bytes, 24, 4)?, number(bytes, 20, 4)?, number(bytes, 42, 4)?];
        let mut at = 0;
        // What does not fit there stands in a record of its own, in this order (4.5.3).
        for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
            *size = number(long_sizes(long)?, at, 8)?;
            at += 8;
        }
        let [unpacked, packed, header_at] = sizes;
        let member = Self {
            name: String::from_utf8_lossy(bytes.get(46..46 + name)?).into_owned(),
            flags: number(bytes, 8, 2)?,
            method: number(bytes, 10, 2)?,
            crc: number(bytes, 16, 4)?,
            packed,
            unpacked,
            header_at,
        };
        Some((member, 46 + name + extra + comment))
    }
}

fn long_sizes(mut extra: &[u8]) -> Option<&[u8]> {
    loop {
        let length = usize::try_from(number(extra, 2, 2)?).ok()?;
        let content = extra.get(4..4 + length)?;
        if number(extra, 0, 2)? == 1 {
            return Some(content);
        }
        extra = extra.get(4 + length..)?;
    }
}

/// A number with its low byte first.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The content of a member.
pub(super) struct Unpacked {
    content: Content,
    packed: u64,
    left: u64,
    crc: Crc,
    expected: u64,
}

enum Content {
    Stored(Slice),
    Deflated(Box<DeflateDecoder<BufReader<Slice>>>),
}

impl fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unpacked({} left)", self.left)
    }
}

impl Unpacked {
    pub(super) fn open(file: &Arc<File>, member: &Member) -> io::Result<Self> {
        let mut header = [0; 30];
        file.read_exact_at(&mut header, member.header_at)?;
        let (Some(name), Some(extra)) = (number(&header, 26, 2), number(&header, 28, 2)) else {
            return Err(damaged());
        };
        if !header.starts_with(b"PK\x03\x04") || member.flags & 1 == 1 {
            return Err(damaged());
        }
        let at = member.header_at + 30 + name + extra;
        let slice = Slice { file: Arc::clone(file), at, left: member.packed };
        let content = match member.method {
            STORED => Content::Stored(slice),
            DEFLATED => Content::Deflated(Box::new(DeflateDecoder::new(BufReader::with_capacity(
                CHUNK, slice,
            )))),
            _ => return Err(damaged()),
        };
        Ok(Self {
            content,
            packed: member.packed,
            left: member.unpacked,
            crc: Crc::new(),
            expected: member.crc,
        })
    }

    /// How many packed bytes were taken so far.
    pub(super) fn taken(&self) -> u64 {
        match &self.content {
            Content::Stored(slice) => self.packed - slice.left,
            Content::Deflated(decoder) => decoder.total_in(),
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.content {
            Content::Stored(slice) => slice.read(buffer)?,
            Content::Deflated(decoder) => decoder.read(buffer)?,
        };
        self.left = self.left.checked_sub(count as u64).ok_or_else(damaged)?;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        let is_end = count == 0 && !buffer.is_empty();
        if is_end && (self.left > 0 || u64::from(self.crc.sum()) != self.expected) {
            return Err(damaged());
        }
        Ok(count)
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what is packed in the file is damaged")
}

/// A part of a file, which others may read at the same time.
struct Slice {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Slice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
