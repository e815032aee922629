//! The rows of one sheet of a workbook, read while they are asked for.
//!
//! Holds one row at a time, of that no more than the columns which are read. Never runs a formula:
//! of it the last result is read. After a fault it ends, for what follows may belong to anything.

use std::sync::Arc;

use calamine::{CellErrorType, Data, ExcelDateTime, ExcelDateTimeType};
use quick_xml::events::{BytesStart, Event};

use super::super::cell::Cell;
use super::super::xml::{Fault, Xml, attributes};
use super::super::zip::Unpacked;
use super::super::{MAX_COLUMNS, Record, RowError};
use super::style::Shown;
use super::text::Text;
use super::{Context, XlsxSheet};

/// The rows of a sheet that are not blank.
pub(in super::super) struct XlsxRecords {
    context: Arc<Context>,
    sheet: XlsxSheet,
    skipped: usize,
    /// Opened when the first row is asked for: a workbook may have many sheets.
    xml: Option<Xml>,
    is_done: bool,
    at: At,
    row: u64,
    cells: Vec<Cell>,
    column: usize,
    kind: Kind,
    style: usize,
    text: Text,
}

/// How far into the sheet reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before its rows.
    Head,
    /// Between two rows.
    Rows,
    /// In a row.
    Row,
    /// In the value of a cell.
    Value,
    /// Behind its rows.
    Foot,
}

/// What the text in a cell stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Number,
    /// The number of a shared text.
    Shared,
    /// A text in the cell itself.
    Inline,
    /// The text a formula gave.
    Formula,
    Truth,
    Fault,
    /// A date as a text.
    Date,
}

impl XlsxRecords {
    /// The rows of a sheet, but for the first ones.
    pub(in super::super) fn new(context: &Arc<Context>, sheet: &XlsxSheet, skipped: usize) -> Self {
        Self {
            context: Arc::clone(context),
            sheet: sheet.clone(),
            skipped,
            xml: None,
            is_done: false,
            at: At::Head,
            row: 0,
            cells: Vec::new(),
            column: 0,
            kind: Kind::Number,
            style: 0,
            text: Text::default(),
        }
    }

    fn read(&mut self) -> Result<Option<Record>, Fault> {
        let xml = match &mut self.xml {
            Some(xml) => xml,
            none => none.insert(Xml::new(Unpacked::open(&self.context.file, &self.sheet.member)?)),
        };
        loop {
            let is_inside = matches!(self.at, At::Rows | At::Row | At::Value);
            match xml.next()? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "sheetData" => self.at = At::Rows,
                    _ if !is_inside => {}
                    "row" => {
                        self.row = row_number(&tag)?.unwrap_or(self.row + 1);
                        (self.at, self.column) = (At::Row, 0);
                        self.cells.clear();
                    }
                    "c" => {
                        let (column, kind, style) = cell(&tag)?;
                        (self.kind, self.style) = (kind, style);
                        self.column = column.unwrap_or(self.column);
                        self.text.clear();
                    }
                    _ if self.kind == Kind::Inline => self.text.add(&Event::Start(tag))?,
                    "v" => self.at = At::Value,
                    _ => {}
                },
                Event::End(tag) if is_inside => match tag.local_name().as_ref() {
                    "sheetData" => self.at = At::Foot,
                    "row" => {
                        self.at = At::Rows;
                        if !self.cells.is_empty() {
                            let at = self.sheet.begins_at + xml.taken();
                            let cells = std::mem::take(&mut self.cells);
                            return Ok(Some(Record { number: self.row, at, cells }));
                        }
                    }
                    "c" => {
                        let content = self.text.finish();
                        let found = content_of(&self.context, self.kind, self.style, content)?;
                        put(&mut self.cells, self.column, found);
                        self.column += 1;
                    }
                    _ if self.kind == Kind::Inline => self.text.add(&Event::End(tag))?,
                    "v" => self.at = At::Row,
                    _ => {}
                },
                // To the very end, for only there it shows whether all of it was what was packed.
                Event::Eof if self.at == At::Foot => return Ok(None),
                Event::Eof => return Err(Fault::Malformed),
                event if self.at == At::Value => self.text.add_piece(&event)?,
                event if is_inside && self.kind == Kind::Inline => self.text.add(&event)?,
                _ => {}
            }
        }
    }
}

impl Iterator for XlsxRecords {
    type Item = Result<Record, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_done {
            match self.read() {
                Ok(Some(_)) if self.skipped > 0 => self.skipped -= 1,
                Ok(Some(record)) => return Some(Ok(record)),
                Ok(None) => self.is_done = true,
                Err(fault) => {
                    self.is_done = true;
                    self.xml = None;
                    let is_begun = matches!(self.at, At::Row | At::Value);
                    let row = if is_begun { self.row } else { self.row + 1 };
                    return Some(Err(RowError::Broken { row, source: fault.into() }));
                }
            }
        }
        self.xml = None;
        None
    }
}

fn row_number(tag: &BytesStart<'_>) -> Result<Option<u64>, Fault> {
    for attribute in attributes(tag) {
        let (name, attribute) = attribute?;
        if name == "r" {
            let number: u32 = attribute.value.parse().map_err(|_| Fault::Malformed)?;
            return Ok(Some(number.into()));
        }
    }
    Ok(None)
}

/// Where a cell stands if it says so, what is in it and its style.
fn cell(tag: &BytesStart<'_>) -> Result<(Option<usize>, Kind, usize), Fault> {
    let (mut column, mut kind, mut style) = (None, Kind::Number, 0);
    for attribute in attributes(tag) {
        let (name, attribute) = attribute?;
        let value = attribute.value.as_ref();
        match name {
            "r" => column = Some(column_of(value).ok_or(Fault::Malformed)?),
            "s" => style = value.parse().unwrap_or(0),
            "t" => {
                kind = match value {
                    "s" => Kind::Shared,
                    "inlineStr" => Kind::Inline,
                    "str" => Kind::Formula,
                    "b" => Kind::Truth,
                    "e" => Kind::Fault,
                    "d" => Kind::Date,
                    _ => Kind::Number,
                }
            }
            _ => {}
        }
    }
    Ok((column, kind, style))
}

/// 1 of `B12`.
fn column_of(place: &str) -> Option<usize> {
    let mut column: usize = 0;
    for letter in place.bytes().take_while(u8::is_ascii_alphabetic) {
        let digit = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(digit)?;
    }
    column.checked_sub(1)
}

fn content_of(context: &Context, kind: Kind, style: usize, text: &str) -> Result<Cell, Fault> {
    let data = match kind {
        _ if text.is_empty() => return Ok(Cell::Empty),
        Kind::Shared => {
            let index = text.trim().parse().map_err(|_| Fault::Malformed)?;
            return Ok(Cell::written(context.texts.get(index).ok_or(Fault::Malformed)?));
        }
        Kind::Inline | Kind::Formula => return Ok(Cell::written(text)),
        Kind::Number => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => {
                let moment =
                    |kind| Data::DateTime(ExcelDateTime::new(number, kind, context.is_1904));
                match context.styles.get(style) {
                    Shown::Number => Data::Float(number),
                    Shown::Moment => moment(ExcelDateTimeType::DateTime),
                    Shown::Duration => moment(ExcelDateTimeType::TimeDelta),
                }
            }
            _ => return Ok(Cell::written(text)),
        },
        Kind::Truth => Data::Bool(matches!(text.trim(), "1" | "true")),
        Kind::Fault => Data::Error(CellErrorType::Value),
        Kind::Date => Data::DateTimeIso(text.to_owned()),
    };
    Ok(Cell::from_data(data, context.is_1904))
}

fn put(cells: &mut Vec<Cell>, column: usize, cell: Cell) {
    if cell.is_blank() || column >= MAX_COLUMNS {
        return;
    }
    if cells.len() <= column {
        cells.resize(column + 1, Cell::Empty);
    }
    if let Some(place) = cells.get_mut(column) {
        *place = cell;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_letters() {
        assert_eq!(
            ["A1", "Z9", "AA10", "XFD1", "b2"].map(column_of),
            [Some(0), Some(25), Some(26), Some(16_383), Some(1)]
        );
        assert_eq!([column_of("12"), column_of(""), column_of(&"Z".repeat(40))], [None; 3]);
    }
}
