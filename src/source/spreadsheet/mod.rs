//! Spreadsheets of offices: CSV in its many forms, XLSX, XLS and ODS, read row by row.
//!
//! Finds the columns by their headings and hands every value on as it was meant, damaged ones
//! included, so that `domain` can say what is wrong with them. Never guesses a value, never runs a
//! formula, and never shows a person in an error.

mod cell;
mod error;
mod field;
mod heading;
mod mapping;
mod ods;
mod row;
mod text;
mod workbook;
mod xlsx;
mod xml;
mod zip;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::domain::status_word::parse_status;
use cell::Cell;
pub use error::{RowError, SheetError};
use field::Field;
pub use heading::Columns;
use heading::{Layout, SEARCHED_ROWS, Wanted};
pub use mapping::{Mapping, MappingError};
pub use row::{AreaRow, HolidayRow, PersonRow, Row, ServicePointRow};
use text::TextFile;
use workbook::BookSheet;
use xlsx::{XlsxBook, XlsxRecords, XlsxSheet};

/// Columns further right are not read.
const MAX_COLUMNS: usize = 256;
/// Most rows over which one status is spread.
const MAX_STATUS_ROWS: usize = 5;

/// A row as it is in the file.
#[derive(Clone, Debug)]
struct Record {
    number: u64,
    /// How far into the file it ends, as [`Sheet::len_hint`] counts.
    at: u64,
    cells: Vec<Cell>,
}

/// An opened file.
pub struct Sheet {
    content: Content,
}

enum Content {
    Text(TextFile),
    Xlsx(XlsxBook),
    Book(Vec<BookSheet>),
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sheet(…)")
    }
}

impl Sheet {
    /// Opens a file and tells by its content what it is.
    ///
    /// # Errors
    /// [`SheetError`] when it is no spreadsheet or one that cannot be read.
    pub fn open(path: &Path) -> Result<Self, SheetError> {
        let cannot = |source| SheetError::Open { source };
        // Before it is opened, for opening a pipe waits for somebody to write into it.
        let info = path.metadata().map_err(cannot)?;
        if !info.is_file() {
            return Err(SheetError::NotAFile);
        }
        let mut file = File::open(path).map_err(cannot)?;
        let mut sample = Vec::new();
        file.by_ref().take(text::SAMPLE).read_to_end(&mut sample).map_err(cannot)?;
        let content = match sample.as_slice() {
            [] => return Err(SheetError::Empty),
            [b'P', b'K', 3, 4, ..] => workbook::open_zip(file, info.len())?,
            [0xD0, 0xCF, 0x11, 0xE0, ..] => workbook::open_compound(file, info.len())?,
            _ => {
                let file = TextFile::new(path, info.len(), sample);
                match not_a_table(&file.sample) {
                    Some(what) => return Err(SheetError::NotASpreadsheet { what }),
                    None => Content::Text(file),
                }
            }
        };
        Ok(Self { content })
    }

    /// The rows below the headings, of which the office may have some of its own. In a workbook
    /// every sheet that has the headings is read.
    ///
    /// # Errors
    /// [`SheetError`] when what such a file must have is not there.
    pub fn rows(&self, columns: Columns, mapping: &Mapping) -> Result<Rows<'_>, SheetError> {
        let wanted = Wanted { columns, mapping: mapping.clone() };
        let mut found = Found::default();
        match &self.content {
            Content::Text(file) => {
                let (layout, records) = file.open(&wanted)?;
                layout.check()?;
                let records = Box::new(records);
                found.parts.push_back(Part { sheet: None, layout, records, ends_at: file.size });
            }
            Content::Xlsx(book) => {
                for sheet in &book.sheets {
                    let records = |skipped| XlsxRecords::new(&book.context, sheet, skipped);
                    let (first, fault) = first_records(records(0));
                    if first.is_empty() && fault.is_some() {
                        return Err(SheetError::Unreadable);
                    }
                    found.add(&sheet.name, &first, &wanted, |layout| {
                        let records = Box::new(records(layout.rows_above));
                        let ends_at = sheet.ends_at();
                        Part { sheet: Some(&sheet.name), layout, records, ends_at }
                    })?;
                }
            }
            Content::Book(sheets) => {
                for sheet in sheets {
                    found.add(&sheet.name, &sheet.records, &wanted, |layout| {
                        let records = sheet.records.iter().skip(layout.rows_above).cloned().map(Ok);
                        let ends_at = sheet.records.last().map_or(0, |record| record.at);
                        let records = Box::new(records);
                        Part { sheet: Some(&sheet.name), layout, records, ends_at }
                    })?;
                }
            }
        }
        found.into_rows()
    }

    /// How long it is, in the unit of [`Rows::reached`].
    #[must_use]
    pub fn len_hint(&self) -> Option<u64> {
        match &self.content {
            Content::Text(file) => Some(file.size),
            Content::Xlsx(book) => book.sheets.last().map(XlsxSheet::ends_at),
            Content::Book(sheets) => sheets.last()?.records.last().map(|record| record.at),
        }
    }
}

/// What a file is instead of a table, if that can be seen.
fn not_a_table(bytes: &[u8]) -> Option<&'static str> {
    let start: Vec<u8> = bytes
        .iter()
        .copied()
        .skip_while(|byte| byte.is_ascii_whitespace() || matches!(byte, 0xEF | 0xBB | 0xBF))
        .take(5)
        .collect();
    match bytes {
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF"),
        // Many programs call a page with a table in it `.xls`.
        _ if start.starts_with(b"<") => Some("a web page or XML"),
        _ if bytes.contains(&0) => Some("a binary file"),
        _ => None,
    }
}

/// As many rows as are looked at for the headings, and what ended them too early.
fn first_records(
    mut records: impl Iterator<Item = Result<Record, RowError>>,
) -> (Vec<Record>, Option<RowError>) {
    let mut first = Vec::new();
    while first.len() < SEARCHED_ROWS + 2 {
        match records.next() {
            Some(Ok(record)) => first.push(record),
            Some(Err(error)) => return (first, Some(error)),
            None => break,
        }
    }
    (first, None)
}

struct Part<'a> {
    sheet: Option<&'a str>,
    layout: Layout,
    records: Box<dyn Iterator<Item = Result<Record, RowError>> + Send + 'a>,
    /// How far into the file its end is.
    ends_at: u64,
}

/// What was found while looking for headings.
#[derive(Default)]
struct Found<'a> {
    parts: VecDeque<Part<'a>>,
    ignored_sheets: Vec<String>,
    /// Of the sheets without headings the one that has most of them, and what it lacks.
    nearest: Option<(usize, SheetError)>,
}

impl<'a> Found<'a> {
    /// A sheet that begins with these rows.
    fn add(
        &mut self,
        name: &str,
        first: &[Record],
        wanted: &Wanted,
        part: impl FnOnce(Layout) -> Part<'a>,
    ) -> Result<(), SheetError> {
        if first.is_empty() {
            return Ok(());
        }
        let layout = Layout::find(first, wanted);
        let score = layout.as_ref().map_or(0, Layout::score);
        let checked = layout.ok_or_else(|| wanted.nothing_found());
        match checked.and_then(|layout| layout.check().map(|()| layout)) {
            Ok(layout) => self.parts.push_back(part(layout)),
            Err(error @ SheetError::ColumnTwice { .. }) => return Err(error),
            Err(error) => {
                self.ignored_sheets.push(name.to_owned());
                if self.nearest.as_ref().is_none_or(|(nearest, _)| score > *nearest) {
                    self.nearest = Some((score, error));
                }
            }
        }
        Ok(())
    }

    fn into_rows(self) -> Result<Rows<'a>, SheetError> {
        if self.parts.is_empty() {
            return Err(self.nearest.map_or(SheetError::Empty, |(_, error)| error));
        }
        Ok(Rows {
            parts: self.parts,
            waiting: VecDeque::new(),
            ignored_sheets: self.ignored_sheets,
            skipped: 0,
            position: 0,
        })
    }
}

/// The rows of a file. After an error there are no more.
pub struct Rows<'a> {
    parts: VecDeque<Part<'a>>,
    waiting: VecDeque<Result<Record, RowError>>,
    ignored_sheets: Vec<String>,
    skipped: u64,
    position: u64,
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows(at {}, …)", self.position)
    }
}

impl Rows<'_> {
    /// How far reading has come, in the unit of [`Sheet::len_hint`].
    #[must_use]
    pub const fn reached(&self) -> u64 {
        self.position
    }

    /// How many rows so far held nothing that is needed: signatures, totals, repeated headings.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Sheets of the workbook that are not read, for want of headings.
    #[must_use]
    pub fn ignored_sheets(&self) -> &[String] {
        &self.ignored_sheets
    }

    fn take(&mut self) -> Option<Result<Record, RowError>> {
        self.waiting.pop_front().or_else(|| self.parts.front_mut()?.records.next())
    }

    /// A status too long for its cell stands in several rows, of which the others are blank. They
    /// are one when they are a known status only together.
    fn join_status(&mut self, record: &Record, values: &mut [(Field, String)]) {
        let Some(part) = self.parts.front_mut() else { return };
        let Some((_, status)) = values.iter_mut().find(|(field, _)| *field == Field::Status) else {
            return;
        };
        let mut joined = status.clone();
        let mut known = None;
        for count in 1..MAX_STATUS_ROWS {
            if self.waiting.len() < count {
                match part.records.next() {
                    Some(next) => self.waiting.push_back(next),
                    None => break,
                }
            }
            let Some(Ok(next)) = self.waiting.get(count - 1) else { break };
            let is_below = next.number == record.number + count as u64;
            let Some(more) = part.layout.lone_status(&next.cells).filter(|_| is_below) else {
                break;
            };
            joined = format!("{joined} {more}");
            if parse_status(&joined).is_ok() {
                known = Some((count, joined.clone()));
            }
        }
        if let Some((count, joined)) = known {
            *status = joined;
            self.waiting.drain(..count);
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let record = match self.take() {
                Some(Ok(record)) => record,
                Some(Err(error)) => {
                    self.parts.clear();
                    self.waiting.clear();
                    return Some(Err(error));
                }
                None => {
                    self.position = self.parts.pop_front()?.ends_at;
                    continue;
                }
            };
            self.position = record.at;
            let Some(part) = self.parts.front() else { continue };
            let sheet = part.sheet.map(ToOwned::to_owned);
            let mut values = part.layout.read(&record.cells);
            if part.layout.is_outside(&values) {
                self.skipped += 1;
                continue;
            }
            self.join_status(&record, &mut values);
            return Some(Ok(Row::new(record.number, sheet, values)));
        }
    }
}
