//! Workbooks that are read whole, XLS and ODS; and which kind of workbook a file is.
//!
//! Never takes one that is larger than a machine can hold, small as it may be packed. Macros and
//! formulas are never run; of a formula its last result is read.

use std::fs::File;
use std::io::{BufReader, Cursor, Read as _, Seek as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, Ods, Range, Reader, Sheet as SheetInfo, SheetType, SheetVisible, Xls};

use super::cell::Cell;
use super::xlsx::XlsxBook;
use super::xml::Xml;
use super::zip::Archive;
use super::{Content, MAX_COLUMNS, Record, SheetError, ods};

/// Largest file, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Largest content once unpacked, in bytes.
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// Most cells.
const MAX_CELLS: usize = 5_000_000;

/// One sheet of a workbook.
#[derive(Debug)]
pub(super) struct BookSheet {
    pub(super) name: String,
    pub(super) records: Vec<Record>,
}

/// A workbook in a ZIP file.
pub(super) fn open_zip(file: File, size: u64) -> Result<Content, SheetError> {
    let mut whole = file.try_clone().map_err(|source| SheetError::Open { source })?;
    let archive = Archive::open(file, size)?;
    if let Some(content) = archive.find("content.xml") {
        if archive.unpacked > MAX_UNPACKED {
            return Err(SheetError::TooLarge);
        }
        let content = archive.unpack(content).map_err(SheetError::or_broken_off)?;
        ods::check(Xml::new(content), MAX_CELLS as u64)?;
        return read(&mut whole, size, read_ods).map(Content::Book);
    }
    if archive.find("xl/workbook.bin").is_some() {
        return Err(SheetError::NotASpreadsheet { what: "a binary workbook (XLSB)" });
    }
    if archive.find("[Content_Types].xml").is_none() {
        return Err(SheetError::NotASpreadsheet { what: "a ZIP file" });
    }
    XlsxBook::open(&archive).map(Content::Xlsx)
}

/// A workbook of the time before, or anything protected by a password.
pub(super) fn open_compound(mut file: File, size: u64) -> Result<Content, SheetError> {
    read(&mut file, size, read_xls).map(Content::Book)
}

/// The sheets that are shown and not empty.
fn read(
    file: &mut File,
    size: u64,
    by: fn(Book) -> Result<Vec<BookSheet>, SheetError>,
) -> Result<Vec<BookSheet>, SheetError> {
    if size > MAX_FILE {
        return Err(SheetError::TooLarge);
    }
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(|source| SheetError::Open { source })?;
    let book = BufReader::new(Cursor::new(bytes));
    // A file with nonsense inside can make its reader panic; the rest of us does not mind.
    let sheets =
        catch_unwind(AssertUnwindSafe(|| by(book))).unwrap_or(Err(SheetError::Unreadable))?;
    if sheets.is_empty() { Err(SheetError::Empty) } else { Ok(sheets) }
}

type Book = BufReader<Cursor<Vec<u8>>>;

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
