//! Spreadsheets of offices: CSV in its many forms, XLSX, XLS and ODS, read row by row.
//!
//! Finds the columns by their headings and hands every value on as it was meant, damaged ones
//! included, so that `domain` can say what is wrong with them. Never guesses a value, never runs a
//! formula, and never shows a person in an error.

mod cell;
mod field;
mod heading;
mod row;
mod text;
mod workbook;
mod xlsx;
mod zip;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::domain::status_word::parse_status;
use cell::Cell;
use field::Field;
pub use heading::Columns;
use heading::{Layout, SEARCHED_ROWS};
pub use row::{PersonRow, Row, ServicePointRow};
use text::TextFile;
use workbook::BookSheet;
use xlsx::{XlsxBook, XlsxRecords, XlsxSheet};

/// Columns further right are not read.
const MAX_COLUMNS: usize = 256;
/// Most rows over which one status is spread.
const MAX_STATUS_ROWS: usize = 5;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The operating system refuses.
    #[error("the file cannot be read")]
    Open {
        /// What it says.
        source: io::Error,
    },
    /// A folder, a pipe.
    #[error("this is not a file")]
    NotAFile,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// More than a machine should hold.
    #[error("the workbook is too large")]
    TooLarge,
    /// Something else.
    #[error("this is {what}, not a spreadsheet")]
    NotASpreadsheet {
        /// What it is.
        what: &'static str,
    },
    /// A spreadsheet, but broken or locked.
    #[error("the file is damaged or protected by a password")]
    Unreadable,
    /// Something that is needed has no heading.
    #[error("no column for {}; {}", missing.join(" and "), found_text(found))]
    MissingColumns {
        /// What is needed.
        missing: Vec<&'static str>,
        /// The headings that are there.
        found: Vec<String>,
    },
    /// Two columns claim to be the same.
    #[error("more than one column has the heading \"{heading}\"")]
    ColumnTwice {
        /// What stands above them.
        heading: String,
    },
}

impl SheetError {
    /// What is no fault of the machine's is one of the file.
    fn or_broken_off(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Self::Unreadable,
            _ => Self::Open { source },
        }
    }

    fn nothing_found(columns: Columns) -> Self {
        let missing = columns.required().iter().map(|(_, name)| *name).collect();
        Self::MissingColumns { missing, found: Vec::new() }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Open { .. } => "look at the name of the file and who may read it",
            Self::NotAFile => "give the name of a CSV, XLSX, XLS or ODS file",
            Self::Empty => "look whether it was saved completely",
            Self::TooLarge => {
                "save it as XLSX or CSV, which may have any length, or import it in parts: an XLS or \
                 ODS file may have 64 MB, 5 million cells and 512 MB unpacked, and an XLSX file 160 MB \
                 of different texts"
            }
            Self::NotASpreadsheet { .. } => {
                "open it in a spreadsheet program and save it as XLSX or as CSV (UTF-8)"
            }
            Self::Unreadable => {
                "remove the password, or open it in a spreadsheet program and save it anew as XLSX"
            }
            Self::MissingColumns { .. } => {
                "write headings like NIK, Nama, No. HP, Status, Tanggal above the columns, within \
                 the first 20 rows"
            }
            Self::ColumnTwice { .. } => "rename or remove the column that is not meant",
        }
    }
}

fn found_text(found: &[String]) -> String {
    if found.is_empty() {
        "no headings were found".to_owned()
    } else {
        format!("found: {}", found.join(", "))
    }
}

/// Why reading stops at a row. What was read before stays true.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The file ends or breaks.
    #[error("row {row} cannot be read")]
    Broken {
        /// Its number.
        row: u64,
        /// What the operating system says.
        source: io::Error,
    },
    /// Longer than any true row.
    #[error("row {row} does not end; look for a quotation mark that is not closed")]
    TooLong {
        /// Its number.
        row: u64,
    },
    /// A value that holds the rows below it.
    #[error("row {row} holds further rows; look for a quotation mark that is not closed")]
    OpenQuote {
        /// Its number.
        row: u64,
    },
}

impl RowError {
    fn broken(row: u64, error: csv::Error) -> Self {
        Self::Broken { row, source: error.into() }
    }

    /// The number of the row as a spreadsheet shows it.
    #[must_use]
    pub const fn row(&self) -> u64 {
        match self {
            Self::Broken { row, .. } | Self::TooLong { row } | Self::OpenQuote { row } => *row,
        }
    }
}

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
            bytes => match not_a_table(bytes) {
                Some(what) => return Err(SheetError::NotASpreadsheet { what }),
                None => Content::Text(TextFile::new(path, info.len(), sample)),
            },
        };
        Ok(Self { content })
    }

    /// The rows below the headings. In a workbook every sheet that has the headings is read.
    ///
    /// # Errors
    /// [`SheetError`] when what such a file must have is not there.
    pub fn rows(&self, columns: Columns) -> Result<Rows<'_>, SheetError> {
        let mut found = Found::default();
        match &self.content {
            Content::Text(file) => {
                let (layout, records) = file.open(columns)?;
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
                    found.add(&sheet.name, &first, columns, |layout| {
                        let records = Box::new(records(layout.rows_above));
                        let ends_at = sheet.ends_at();
                        Part { sheet: Some(&sheet.name), layout, records, ends_at }
                    })?;
                }
            }
            Content::Book(sheets) => {
                for sheet in sheets {
                    found.add(&sheet.name, &sheet.records, columns, |layout| {
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
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("text in UTF-16"),
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
        columns: Columns,
        part: impl FnOnce(Layout) -> Part<'a>,
    ) -> Result<(), SheetError> {
        if first.is_empty() {
            return Ok(());
        }
        let layout = Layout::find(first, columns);
        let score = layout.as_ref().map_or(0, Layout::score);
        let checked = layout.ok_or_else(|| SheetError::nothing_found(columns));
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
