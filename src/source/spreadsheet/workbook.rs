//! Workbooks: XLSX, XLS and ODS, told apart by their content.
//!
//! A workbook is read whole, so it never takes one that is larger than a machine can hold, small
//! as it may be packed. Macros and formulas are never run; of a formula its last result is read.

use std::fs::File;
use std::io::{BufReader, Cursor, Read as _, Seek as _, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, Ods, Range, Reader, Sheet as SheetInfo, SheetType, SheetVisible, Xls, Xlsx};

use super::cell::Cell;
use super::{MAX_COLUMNS, Record, SheetError};

/// Largest workbook file, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Largest content of a workbook once unpacked, in bytes.
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// Most cells of a workbook.
const MAX_CELLS: usize = 5_000_000;
/// The end record of a ZIP file with the longest comment it can have.
const END_RECORD: u64 = 22 + 65_535;

/// One sheet of a workbook.
#[derive(Debug)]
pub(super) struct BookSheet {
    pub(super) name: String,
    pub(super) records: Vec<Record>,
}

/// How a workbook is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// XLSX or ODS.
    Zip,
    /// XLS, or anything protected by a password.
    Compound,
}

/// The sheets of a workbook that are shown and not empty.
pub(super) fn read(
    mut file: File,
    size: u64,
    packing: Packing,
) -> Result<Vec<BookSheet>, SheetError> {
    if size > MAX_FILE {
        return Err(SheetError::TooLarge);
    }
    let names = match packing {
        Packing::Zip => Some(packed_names(&mut file)?),
        Packing::Compound => None,
    };
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(|source| SheetError::Open { source })?;
    let book = BufReader::new(Cursor::new(bytes));
    let is_inside = |part: &str| names.iter().flatten().any(|name| name == part);
    let read = || {
        if names.is_none() {
            read_xls(book)
        } else if is_inside("content.xml") {
            read_ods(book)
        } else if is_inside("xl/workbook.bin") {
            Err(SheetError::NotASpreadsheet { what: "a binary workbook (XLSB)" })
        } else if is_inside("[Content_Types].xml") {
            read_xlsx(book)
        } else {
            Err(SheetError::NotASpreadsheet { what: "a ZIP file" })
        }
    };
    // A file with nonsense inside can make its reader panic; the rest of us does not mind.
    let sheets = catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(SheetError::Unreadable))?;
    if sheets.is_empty() { Err(SheetError::Empty) } else { Ok(sheets) }
}

type Book = BufReader<Cursor<Vec<u8>>>;

fn read_xlsx(book: Book) -> Result<Vec<BookSheet>, SheetError> {
    let mut book = Xlsx::new(book).map_err(|_| SheetError::Unreadable)?;
    let is_1904 = book.has_1904_epoch();
    let names = shown_sheets(book.sheets_metadata());
    let mut sheets = Sheets::default();
    for name in names {
        // Cell by cell: a sheet with one cell at each end would otherwise be all cells between.
        let mut cells = book.worksheet_cells_reader(&name).map_err(|_| SheetError::Unreadable)?;
        sheets.begin(name);
        while let Some(cell) = cells.next_cell().map_err(|_| SheetError::Unreadable)? {
            let (row, column) = cell.get_position();
            let data = Data::from(cell.get_value().clone());
            sheets.put(u64::from(row) + 1, column as usize, Cell::from_data(data, is_1904))?;
        }
    }
    Ok(sheets.finish())
}

fn read_xls(book: Book) -> Result<Vec<BookSheet>, SheetError> {
    let mut book = Xls::new(book).map_err(|_| SheetError::Unreadable)?;
    let is_1904 = book.has_1904_epoch();
    let mut sheets = Sheets::default();
    for name in shown_sheets(book.sheets_metadata()) {
        let range = book.worksheet_range(&name).map_err(|_| SheetError::Unreadable)?;
        sheets.begin(name);
        sheets.put_all(&range, is_1904)?;
    }
    Ok(sheets.finish())
}

fn read_ods(book: Book) -> Result<Vec<BookSheet>, SheetError> {
    let mut book = Ods::new(book).map_err(|_| SheetError::Unreadable)?;
    let mut sheets = Sheets::default();
    for name in shown_sheets(book.sheets_metadata()) {
        let range = book.worksheet_range(&name).map_err(|_| SheetError::Unreadable)?;
        sheets.begin(name);
        sheets.put_all(&range, false)?;
    }
    Ok(sheets.finish())
}

fn shown_sheets(sheets: &[SheetInfo]) -> Vec<String> {
    sheets
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect()
}

#[derive(Default)]
struct Sheets {
    all: Vec<BookSheet>,
    cells: usize,
    rows: u64,
}

impl Sheets {
    fn begin(&mut self, name: String) {
        self.all.push(BookSheet { name, records: Vec::new() });
    }

    fn put(&mut self, number: u64, column: usize, cell: Cell) -> Result<(), SheetError> {
        if cell.is_blank() || column >= MAX_COLUMNS {
            return Ok(());
        }
        let Some(sheet) = self.all.last_mut() else { return Ok(()) };
        if sheet.records.last().is_none_or(|record| record.number != number) {
            self.rows += 1;
            sheet.records.push(Record { number, at: self.rows, cells: Vec::new() });
        }
        let Some(record) = sheet.records.last_mut() else { return Ok(()) };
        if record.cells.len() <= column {
            self.cells += column + 1 - record.cells.len();
            if self.cells > MAX_CELLS {
                return Err(SheetError::TooLarge);
            }
            record.cells.resize(column + 1, Cell::Empty);
        }
        if let Some(place) = record.cells.get_mut(column) {
            *place = cell;
        }
        Ok(())
    }

    fn put_all(&mut self, range: &Range<Data>, is_1904: bool) -> Result<(), SheetError> {
        let (first_row, first_column) = range.start().unwrap_or_default();
        for (row, column, data) in range.used_cells() {
            let number = u64::from(first_row) + row as u64 + 1;
            let cell = Cell::from_data(data.clone(), is_1904);
            self.put(number, first_column as usize + column, cell)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<BookSheet> {
        self.all.retain(|sheet| !sheet.records.is_empty());
        self.all
    }
}

/// The names of what is packed in a ZIP file, once it is sure that all of it together is not too
/// large. Read from its directory (APPNOTE.TXT 4.3.12), before anything is unpacked.
fn packed_names(file: &mut File) -> Result<Vec<String>, SheetError> {
    let read = |file: &mut File, from: u64, length: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))
            .and_then(|_| file.take(length).read_to_end(&mut bytes))
            .map(|_| bytes)
            .map_err(|source| SheetError::Open { source })
    };
    let size = file.seek(SeekFrom::End(0)).map_err(|source| SheetError::Open { source })?;
    let tail_at = size.saturating_sub(END_RECORD);
    let tail = read(file, tail_at, END_RECORD)?;
    let end = tail
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x05\x06")
        .and_then(|at| tail.get(at..))
        .ok_or(SheetError::Unreadable)?;
    let (Some(length), Some(from)) = (number(end, 12, 4), number(end, 16, 4)) else {
        return Err(SheetError::Unreadable);
    };
    let directory = read(file, from, length)?;
    let mut rest = directory.as_slice();
    let mut names = Vec::new();
    let mut unpacked: u64 = 0;
    while rest.starts_with(b"PK\x01\x02") {
        let entry = Entry::read(rest).ok_or(SheetError::Unreadable)?;
        unpacked = unpacked.saturating_add(entry.unpacked);
        names.push(entry.name);
        rest = rest.get(entry.length..).unwrap_or_default();
    }
    if unpacked > MAX_UNPACKED { Err(SheetError::TooLarge) } else { Ok(names) }
}

struct Entry {
    name: String,
    unpacked: u64,
    length: usize,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        let part = |at| number(bytes, at, 2).and_then(|length| usize::try_from(length).ok());
        let (name, extra, comment) = (part(28)?, part(30)?, part(32)?);
        let mut unpacked = number(bytes, 24, 4)?;
        if unpacked == u64::from(u32::MAX) {
            // Written elsewhere by programs that did not know the size beforehand (4.5.3).
            unpacked = long_size(bytes.get(46 + name..46 + name + extra)?)?;
        }
        let name_text = String::from_utf8_lossy(bytes.get(46..46 + name)?).into_owned();
        Some(Self { name: name_text, unpacked, length: 46 + name + extra + comment })
    }
}

fn long_size(mut extra: &[u8]) -> Option<u64> {
    loop {
        let length = usize::try_from(number(extra, 2, 2)?).ok()?;
        if number(extra, 0, 2)? == 1 {
            return number(extra, 4, 8);
        }
        extra = extra.get(4 + length..)?;
    }
}

/// A number with its low byte first.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
