//! Text files: comma, semicolon, tab or bar between the values, in UTF-8, UTF-16 or Windows-1252.
//!
//! Reads row by row, whatever the size of the file. Never lets one open quotation mark swallow
//! the rows below it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder};
use encoding_rs::{Decoder, Encoding, UTF_8, WINDOWS_1252};

use super::cell::Cell;
use super::heading::{Layout, SEARCHED_ROWS, Wanted};
use super::{MAX_COLUMNS, Record, RowError, SheetError};

/// How much is read to tell what kind of file it is and where its headings are.
pub(super) const SAMPLE: u64 = 64 * 1024;
/// Longest row, in bytes.
const MAX_ROW: usize = 1024 * 1024;
const DELIMITERS: &[u8] = b",;\t|";

/// A text file.
#[derive(Debug)]
pub(super) struct TextFile {
    path: PathBuf,
    pub(super) size: u64,
    /// Its beginning, in UTF-8 where it is UTF-16.
    pub(super) sample: Vec<u8>,
    /// UTF-16, as Excel's "Unicode text" is, if the file says so with its first bytes.
    wide: Option<&'static Encoding>,
}

impl TextFile {
    pub(super) fn new(path: &Path, size: u64, mut sample: Vec<u8>) -> Self {
        let wide = Encoding::for_bom(&sample).map(|(encoding, _)| encoding);
        let wide = wide.filter(|encoding| *encoding != UTF_8);
        if let Some(encoding) = wide {
            sample = encoding.decode_with_bom_removal(&sample).0.into_owned().into_bytes();
        }
        Self { path: path.to_owned(), size, sample, wide }
    }

    /// The headings and the rows below them. The delimiter is the one with which most is found.
    pub(super) fn open(
        &self,
        wanted: &Wanted,
    ) -> Result<(Layout, TextRecords<Source>), SheetError> {
        let mut best: Option<(u8, Layout)> = None;
        for delimiter in DELIMITERS {
            let records: Vec<Record> = TextRecords::new(&self.sample[..], *delimiter, &self.sample)
                .map_while(Result::ok)
                .take(SEARCHED_ROWS + 2)
                .collect();
            let Some(layout) = Layout::find(&records, wanted) else { continue };
            if best.as_ref().is_none_or(|(_, best)| layout.score() > best.score()) {
                best = Some((*delimiter, layout));
            }
        }
        let (delimiter, layout) = best.ok_or_else(|| wanted.nothing_found())?;
        let file = File::open(&self.path).map_err(|source| SheetError::Open { source })?;
        let source: Source = match self.wide {
            Some(encoding) => Box::new(Decoded::new(file, encoding)),
            None => Box::new(file),
        };
        let mut records = TextRecords::new(source, delimiter, &self.sample);
        records.width = if self.wide.is_some() { 2 } else { 1 };
        for _ in 0..layout.rows_above {
            records.read().map_err(|error| match error {
                RowError::Broken { source, .. } => SheetError::Open { source },
                RowError::TooLong { .. } | RowError::OpenQuote { .. } => SheetError::Unreadable,
            })?;
        }
        // Only now, for what stands above the headings may be one long text with anything in it.
        records.last_column = layout.last_column();
        Ok((layout, records))
    }
}

type Source = Box<dyn Read + Send>;

/// The rows of a text file that are not blank.
#[derive(Debug)]
pub(super) struct TextRecords<R> {
    reader: Reader<Limited<R>>,
    record: ByteRecord,
    delimiter: u8,
    /// How many bytes of the file most characters take.
    width: u64,
    /// The rightmost column that is read; 0 while that is not known.
    last_column: usize,
    /// With `\r\n` the reader has not passed the `\n` yet when it returns a row.
    lines_behind: u64,
    /// Line breaks within values so far.
    breaks: u64,
    number: u64,
    is_done: bool,
}

impl<R: Read> TextRecords<R> {
    fn new(source: R, delimiter: u8, sample: &[u8]) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Limited { source, left: MAX_ROW });
        let is_crlf = sample.windows(2).any(|pair| pair == b"\r\n");
        Self {
            reader,
            record: ByteRecord::new(),
            delimiter,
            width: 1,
            last_column: 0,
            lines_behind: u64::from(!is_crlf),
            breaks: 0,
            number: 0,
            is_done: false,
        }
    }

    fn read(&mut self) -> Result<Option<Record>, RowError> {
        loop {
            self.reader.get_mut().left = MAX_ROW;
            let row = self.number + 1;
            let is_read = self.reader.read_byte_record(&mut self.record).map_err(|error| {
                let is_long = self.reader.get_ref().left == 0;
                if is_long { RowError::TooLong { row } } else { RowError::broken(row, error) }
            })?;
            if !is_read {
                return Ok(None);
            }
            self.count_lines();
            if self.has_swallowed_rows() {
                return Err(RowError::OpenQuote { row: self.number });
            }
            let mut cells: Vec<Cell> = self
                .record
                .iter()
                .take(MAX_COLUMNS)
                .map(|field| Cell::from_text(&decode(field)))
                .collect();
            while cells.last().is_some_and(Cell::is_blank) {
                cells.pop();
            }
            if !cells.is_empty() {
                let at = self.reader.position().byte() * self.width;
                return Ok(Some(Record { number: self.number, at, cells }));
            }
        }
    }

    /// Keeps the number of the row as a spreadsheet shows it: blank lines count, line breaks
    /// within a value do not.
    fn count_lines(&mut self) {
        let breaks = self.record.as_slice().split(|byte| *byte == b'\n').count() - 1;
        self.breaks += breaks as u64;
        let line = self.reader.position().line();
        self.number = line.saturating_sub(self.lines_behind + self.breaks).max(self.number + 1);
    }

    /// Whether a value holds what looks like a whole further row.
    fn has_swallowed_rows(&self) -> bool {
        let cells = |line: &[u8]| line.split(|byte| *byte == self.delimiter).count();
        self.last_column > 0
            && self.record.iter().any(|value| {
                let mut lines = value.split(|byte| *byte == b'\n').skip(1);
                lines.any(|line| cells(line) > self.last_column)
            })
    }
}

impl<R: Read> Iterator for TextRecords<R> {
    type Item = Result<Record, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.read().transpose();
        // After a fault nobody knows where the next row begins.
        self.is_done = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Refuses to read on within one row without end.
#[derive(Debug)]
struct Limited<R> {
    source: R,
    left: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("the row does not end"));
        }
        let count = self.source.read(buffer)?;
        self.left = self.left.saturating_sub(count);
        Ok(count)
    }
}

/// A file in UTF-16 as UTF-8.
struct Decoded {
    file: File,
    decoder: Decoder,
    ready: String,
    /// How much of what is ready was taken.
    taken: usize,
    is_done: bool,
}

impl Decoded {
    fn new(file: File, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { file, decoder, ready: String::new(), taken: 0, is_done: false }
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() && !self.is_done {
            let mut raw = [0; 8192];
            let count = self.file.read(&mut raw)?;
            self.is_done = count == 0;
            self.taken = 0;
            self.ready.clear();
            // As much as it can become, so that nothing is left over.
            self.ready.reserve(self.decoder.max_utf8_buffer_length(count).unwrap_or(raw.len() * 3));
            let raw = raw.get(..count).unwrap_or_default();
            let _ = self.decoder.decode_to_string(raw, &mut self.ready, self.is_done);
        }
        let count = self.ready.as_bytes().get(self.taken..).unwrap_or_default().read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

/// Each value by itself: what is no UTF-8 was written on an office computer in Windows-1252.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<u64> {
        TextRecords::new(text.as_bytes(), b',', text.as_bytes())
            .map(|record| record.unwrap().number)
            .collect()
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_shows_them() {
        let text = "a,b\n\n\nc,d\n\"x\ny\",z\n,,\ne,f";
        assert_eq!(numbers(text), [1, 4, 5, 7]);
        assert_eq!(numbers(&text.replace('\n', "\r\n")), [1, 4, 5, 7]);
        assert_eq!(numbers("a,b\rc,d\re,f"), [1, 2, 3]);
    }

    #[test]
    fn a_row_without_end_is_refused_before_it_fills_the_memory() {
        let text = format!("a,b\n\"{}", "x".repeat(3 * MAX_ROW));
        let last = TextRecords::new(text.as_bytes(), b',', b"").last().unwrap();
        assert!(matches!(last, Err(RowError::TooLong { row: 2 })), "{last:?}");
    }

    #[test]
    fn a_name_in_windows_1252_keeps_its_letters() {
        assert_eq!(decode(b"Ren\xe9 d\x92Artagnan"), "René d’Artagnan");
        assert_eq!(decode("René".as_bytes()), "René");
    }
}
