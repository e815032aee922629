//! How much an ODS workbook comes to once its repeated cells and rows are written out.
//!
//! One cell of it can stand for a sheet full of them, and the reader of such workbooks writes them
//! all out. So it is counted before, one tag at a time, and what would fill a machine is refused.
//! Looks at no value, and counts too much rather than too little.

use quick_xml::events::{BytesStart, Event};

use super::xml::{Fault, Xml, attributes, value};

/// Most characters of text, in bytes.
const MAX_TEXT: u64 = 128 * 1024 * 1024;
/// What a cell holds that is not empty. Others only say how it looks.
const FILLED: &[&str] = &[
    "value-type",
    "value",
    "string-value",
    "date-value",
    "time-value",
    "boolean-value",
    "formula",
];

/// Refuses a workbook of more cells than that, in all its sheets, shown or not.
pub(super) fn check(mut xml: Xml, most: u64) -> Result<(), Fault> {
    let mut size = Size { most, ..Size::default() };
    loop {
        match xml.next()? {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "table" => size.begin_table()?,
                "table-row" => size.begin_row(&tag)?,
                "table-cell" | "covered-table-cell" => size.begin_cell(&tag)?,
                name => size.child(name, &tag)?,
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "table" => size.end_table(),
                "table-row" => size.end_row()?,
                "table-cell" | "covered-table-cell" => size.end_cell()?,
                _ => {}
            },
            Event::Text(text) => size.text(text.len()),
            Event::CData(text) => size.text(text.len()),
            Event::GeneralRef(text) => size.text(text.len()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Within which tag reading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum In {
    #[default]
    Book,
    Table,
    Row,
    Cell,
}

#[derive(Default)]
struct Size {
    most: u64,
    at: In,
    /// Cells of the tables before this one.
    before: u64,
    text: u64,
    table: Table,
    row: Row,
    cell: Filling,
}

/// What a table is so far: as wide as its widest row, from its first row with something in it to
/// the last.
#[derive(Default)]
struct Table {
    rows: u64,
    blank_rows: u64,
    width: u64,
}

#[derive(Default)]
struct Row {
    times: u64,
    /// Up to the last cell with something in it.
    width: u64,
    blank_cells: u64,
}

#[derive(Default)]
struct Filling {
    times: u64,
    text: u64,
    is_filled: bool,
}

impl Size {
    /// Tables within tables are no spreadsheet's, and would be counted wrongly.
    fn enter(&mut self, from: In, to: In) -> Result<(), Fault> {
        if self.at != from {
            return Err(Fault::Malformed);
        }
        self.at = to;
        Ok(())
    }

    fn begin_table(&mut self) -> Result<(), Fault> {
        self.table = Table::default();
        self.enter(In::Book, In::Table)
    }

    fn begin_row(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        self.row = Row { times: times(tag, "number-rows-repeated")?, ..Row::default() };
        self.enter(In::Table, In::Row)
    }

    fn begin_cell(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        self.cell = Filling { times: times(tag, "number-columns-repeated")?, ..Filling::default() };
        for attribute in attributes(tag) {
            let (name, attribute) = attribute?;
            if FILLED.contains(&name) {
                self.cell.is_filled = true;
                self.cell.text += attribute.value.len() as u64;
            }
        }
        self.enter(In::Row, In::Cell)
    }

    fn child(&mut self, name: &str, tag: &BytesStart<'_>) -> Result<(), Fault> {
        if self.at == In::Cell {
            self.cell.is_filled = true;
            // Blanks are counted and not written.
            let blanks = if name == "s" { times(tag, "c")? } else { 1 };
            self.cell.text = self.cell.text.saturating_add(blanks);
        }
        Ok(())
    }

    fn text(&mut self, length: usize) {
        if self.at == In::Cell {
            self.cell.is_filled = true;
            self.cell.text = self.cell.text.saturating_add(length as u64);
        }
    }

    fn end_cell(&mut self) -> Result<(), Fault> {
        let (cell, row) = (&self.cell, &mut self.row);
        if cell.is_filled {
            row.width = row.width.saturating_add(row.blank_cells).saturating_add(cell.times);
            row.blank_cells = 0;
            let text = cell.text.saturating_mul(cell.times).saturating_mul(row.times);
            self.text = self.text.saturating_add(text);
        } else {
            row.blank_cells = row.blank_cells.saturating_add(cell.times);
        }
        self.at = In::Row;
        self.look()
    }

    fn end_row(&mut self) -> Result<(), Fault> {
        let (row, table) = (&self.row, &mut self.table);
        if row.width > 0 {
            table.rows = table.rows.saturating_add(table.blank_rows).saturating_add(row.times);
            table.blank_rows = 0;
            table.width = table.width.max(row.width);
        } else if table.rows > 0 {
            table.blank_rows = table.blank_rows.saturating_add(row.times);
        }
        self.at = In::Table;
        self.look()
    }

    fn end_table(&mut self) {
        self.before = self.cells();
        self.table = Table::default();
        self.at = In::Book;
    }

    fn cells(&self) -> u64 {
        self.before.saturating_add(self.table.rows.saturating_mul(self.table.width))
    }

    fn look(&self) -> Result<(), Fault> {
        let is_too_large =
            self.cells().saturating_add(self.row.width) > self.most || self.text > MAX_TEXT;
        if is_too_large { Err(Fault::TooLarge) } else { Ok(()) }
    }
}

/// How often something is to be repeated.
fn times(tag: &BytesStart<'_>, name: &str) -> Result<u64, Fault> {
    let mut times = 1;
    for attribute in attributes(tag) {
        let (found, attribute) = attribute?;
        if found == name {
            let given: u64 = value(&attribute)?.parse().map_err(|_| Fault::Malformed)?;
            times = given.max(times);
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::super::SheetError;
    use super::super::tests::{NIK, try_open, zipped};

    /// A workbook of one sheet with these rows.
    fn open(rows: &str) -> Result<usize, SheetError> {
        let content = format!(
            "<office:document-content><office:spreadsheet><table:table table:name=\"a\">{}{rows}\
             </table:table></office:spreadsheet></office:document-content>",
            row(1, &[cell(1, "NIK"), cell(1, "Status")])
        );
        let members = [
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("META-INF/manifest.xml", "<m/>"),
            ("content.xml", &content),
        ];
        try_open("kartu.ods", &zipped(&members)).map(|case| case.raw().len())
    }

    fn row(times: u64, cells: &[String]) -> String {
        let cells = cells.concat();
        format!("<table:table-row table:number-rows-repeated=\"{times}\">{cells}</table:table-row>")
    }

    fn cell(times: u64, text: &str) -> String {
        format!(
            "<table:table-cell table:number-columns-repeated=\"{times}\" \
             office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    }

    fn blank(times: u64) -> String {
        format!(
            "<table:table-cell table:style-name=\"a\" table:number-columns-repeated=\"{times}\"/>"
        )
    }

    #[test]
    fn a_small_workbook_that_stands_for_more_than_a_machine_holds_is_refused_unread() {
        let blanks = "<table:table-cell office:value-type=\"string\"><text:s text:c=\"4000000000\"/>\
                      </table:table-cell>";
        for rows in [
            row(10_000, &[cell(16_000, "x")]),
            row(1, &[cell(16_000, "x")]).repeat(7000),
            row(1, &[blank(16_000), cell(1, "x")]).repeat(7000),
            row(1_000_000, &[blank(100)]) + &row(48_000, &[cell(110, "x")]),
            row(900_000, &[cell(1, "x")]) + &row(1, &[blank(110), cell(1, "x")]),
            row(1, &[cell(1, "x")]) + &row(900_000, &[]) + &row(1, &[blank(120), cell(1, "x")]),
            row(100_000, &[cell(1, &"x".repeat(100_000))]),
            row(1, &[blanks.to_owned()]),
            row(u64::MAX, &[cell(u64::MAX, "x")]),
        ] {
            assert!(matches!(open(&rows), Err(SheetError::TooLarge)), "{rows:.300}");
        }
        let within = row(1, &[cell(1, &row(1, &[cell(1, "x")]))]);
        assert!(matches!(open(&within), Err(SheetError::Unreadable)));
    }

    #[test]
    fn what_is_blank_to_the_end_of_a_sheet_takes_no_room() {
        let card = row(2, &[cell(1, NIK), cell(1, "cetak"), blank(16_382)]);
        let rest = row(1_048_573, &[blank(16_384)]);
        assert_eq!(open(&(card + &rest)).unwrap(), 2);
    }
}
