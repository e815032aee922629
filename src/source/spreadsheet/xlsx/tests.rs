//! Workbooks longer than memory, broken ones, and ones made to do harm.

use rust_xlsxwriter::Workbook;

use super::resolved;
use crate::source::spreadsheet::tests::{Case, NIK, try_open, zipped};
use crate::source::spreadsheet::{Columns, Mapping, Row, RowError, SheetError};

const RELS: &str = "<Relationships><Relationship Id=\"a\" Type=\"x/officeDocument\" \
                    Target=\"xl/workbook.xml\"/></Relationships>";
const BOOK: &str =
    "<workbook><sheets><sheet name=\"Data\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";
const BOOK_RELS: &str = "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" \
                         Target=\"worksheets/sheet1.xml\"/></Relationships>";

/// A workbook of these parts; what is left out is as it should be.
fn book(parts: &[(&str, &str)]) -> Result<Case, SheetError> {
    let usual = [
        ("[Content_Types].xml", ""),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
    ];
    let is_left = |(name, _): &&(&str, &str)| !parts.iter().any(|(given, _)| given == name);
    let members: Vec<(&str, &str)> = usual.iter().filter(is_left).chain(parts).copied().collect();
    try_open("book.xlsx", &zipped(&members))
}

fn sheet(rows: &str) -> Result<Case, SheetError> {
    let sheet = format!("<worksheet><sheetData>{HEADINGS}{rows}</sheetData></worksheet>");
    book(&[("xl/worksheets/sheet1.xml", &sheet)])
}

const HEADINGS: &str = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>NIK</t></is></c>\
                        <c r=\"B1\" t=\"str\"><v>Status</v></c></row>";

/// A row as some programs write it: without saying where its cells are.
fn row(status: &str) -> String {
    format!(
        "<row><c t=\"inlineStr\"><is><t>{NIK}</t></is></c><c t=\"str\"><v>{status}</v></c></row>"
    )
}

/// All that can be read, and what ended it.
fn rows(case: &Case) -> (Vec<Row>, Option<RowError>) {
    let mut good = Vec::new();
    for row in case.sheet.rows(Columns::Cards, &Mapping::default()).unwrap() {
        match row {
            Ok(row) => good.push(row),
            Err(error) => return (good, Some(error)),
        }
    }
    (good, None)
}

#[test]
fn texts_are_read_in_every_way_they_are_written() {
    let texts = "<sst><si><t>SITI &amp; &#66;UDI</t></si><si><r><t>CARD </t></r><r><rPr/>\
                 <t xml:space=\"preserve\">PRINTED</t></r><rPh><t>x</t></rPh></si>\
                 <si><t><![CDATA[0812]]></t></si></sst>";
    let cells = format!(
        "<row r=\"1\"><c t=\"s\" r=\"A1\"><v>0</v></c></row>\
         <row r=\"2\"><c r=\"A2\" t=\"str\"><v>NIK</v></c><c r=\"C2\" t=\"str\"><v>Status</v></c>\
         <c r=\"E2\" t=\"str\"><v>Nama</v></c><c t=\"str\"><v>No HP</v></c></row>\
         <row r=\"9\"><c r=\"A9\" t=\"str\"><f>\"x\"</f><v>{NIK}</v></c><c r=\"B9\"/>\
         <c r=\"C9\" t=\"s\"><v>1</v></c><c r=\"E9\" t=\"s\"><v>0</v></c><c t=\"s\"><v>2</v></c></row>"
    );
    let sheet = format!("<x:worksheet><x:sheetData>{cells}</x:sheetData></x:worksheet>");
    let case =
        book(&[("xl/sharedStrings.xml", texts), ("xl\\worksheets\\Sheet1.xml", &sheet)]).unwrap();
    let raw = &case.raw()[0];
    assert_eq!((raw.nik.as_str(), raw.status.as_str()), (NIK, "CARD PRINTED"));
    assert_eq!((raw.name.as_str(), raw.phone.as_str()), ("SITI & BUDI", "0812"));
    assert_eq!(case.rows(Columns::Cards)[0].number(), 9);
}

#[test]
fn days_are_counted_from_1904_where_the_workbook_says_so() {
    let book_1904 = BOOK.replace("<sheets>", "<workbookPr date1904=\"1\"/><sheets>");
    let styles = "<styleSheet><numFmts><numFmt numFmtId=\"170\" formatCode=\"dd/mm/yyyy\"/></numFmts>\
                  <cellStyleXfs><xf numFmtId=\"0\"/><xf numFmtId=\"0\"/></cellStyleXfs>\
                  <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"170\"/></cellXfs></styleSheet>";
    let sheet = format!(
        "<worksheet><sheetData><row><c t=\"str\"><v>NIK</v></c><c t=\"str\"><v>Status</v></c>\
         <c t=\"str\"><v>Tanggal</v></c></row><row><c t=\"str\"><v>{NIK}</v></c>\
         <c t=\"str\"><v>JADI</v></c><c s=\"1\"><v>44885</v></c></row></sheetData></worksheet>"
    );
    let case = book(&[
        ("xl/workbook.xml", &book_1904),
        ("xl/styles.xml", styles),
        ("xl/worksheets/sheet1.xml", &sheet),
    ]);
    assert_eq!(case.unwrap().raw()[0].occurred_at, "2026-11-21");
}

#[test]
fn a_break_in_the_middle_is_an_error_at_that_row_and_what_came_before_stays() {
    let good = row("JADI").repeat(40);
    for broken in [
        "<row><c t=\"str\"><v>3517",
        "<row><c t=\"str\"></row>",
        "<row><c t=\"s\"><v>99</v></c></row>",
        "<row><c r=\"1A\"><v>1</v></c></row>",
        "<row><c t=\"str\"><v>&nothing;</v></c></row>",
    ] {
        let (read, error) = rows(&sheet(&format!("{good}{broken}")).unwrap());
        assert_eq!(read.len(), 40, "{broken}");
        let error = error.unwrap();
        assert_eq!(error.row(), 42, "{broken}");
        assert!(!format!("{error} {error:?}").contains("3517"), "{error:?}");
    }
}

#[test]
fn what_was_changed_after_packing_is_noticed() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, heading) in [(0, "NIK"), (1, "Status")] {
        sheet.write_string(0, column, heading).unwrap();
    }
    for row in 1..=20_000 {
        sheet.write_number(row, 0, f64::from(row).sqrt()).unwrap();
        sheet.write_string(row, 1, "JADI").unwrap();
    }
    let mut bytes = book.save_to_buffer().unwrap();
    let whole = try_open("whole.xlsx", &bytes).unwrap();
    let mut read = whole.sheet.rows(Columns::Cards, &Mapping::default()).unwrap();
    let half_way = read.by_ref().nth(9_999).unwrap().unwrap();
    assert_eq!(half_way.number(), 10_001);
    let share = |part: u64| part * 100 / whole.sheet.len_hint().unwrap();
    assert!((40..60).contains(&share(read.reached())), "{} %", share(read.reached()));
    assert_eq!(read.by_ref().count(), 10_000);
    assert_eq!(share(read.reached()), 100);

    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0);
    let (good, error) = rows(&try_open("damaged.xlsx", &bytes).unwrap());
    let at = error.expect("the damage is noticed").row();
    assert!(at > 1000 && at < 20_000 && good.len() as u64 >= at - 2, "{at}: {}", good.len());
}

#[test]
fn a_text_that_is_not_what_was_packed_ends_with_an_error() {
    let text = format!("<worksheet><sheetData>{HEADINGS}{}</sheetData></worksheet>", row("JADI"));
    let parts = [("[Content_Types].xml", ""), ("xl/worksheets/sheet1.xml", &text)];
    let rest = [
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
    ];
    let mut bytes = zipped(&[&parts[..], &rest[..]].concat());
    let at = bytes.windows(4).position(|four| four == b"JADI").unwrap();
    bytes[at] = b'T';
    let (read, error) = rows(&try_open("changed.xlsx", &bytes).unwrap());
    assert_eq!(read.len(), 1);
    assert!(error.is_some());
}

#[test]
fn a_text_a_tag_or_a_depth_without_end_is_refused_before_it_fills_the_memory() {
    let long = "x".repeat(3_000_000);
    for endless in [
        format!("<row><c t=\"str\"><v>{long}</v></c></row>"),
        format!("<row><c t=\"{long}\"><v>1</v></c></row>"),
        format!("<row>{}{}</row>", "<c>".repeat(1000), "</c>".repeat(1000)),
    ] {
        let (read, error) = rows(&sheet(&format!("{}{endless}", row("JADI"))).unwrap());
        assert_eq!((read.len(), error.unwrap().row()), (1, 3));
    }
    let texts = format!("<sst><si><t>{long}</t></si></sst>");
    assert!(matches!(book(&[("xl/sharedStrings.xml", &texts)]), Err(SheetError::Unreadable)));
}

#[test]
fn too_many_columns_and_a_long_text_in_pieces_are_cut_off() {
    let many = "<c t=\"str\"><v>x</v></c>".repeat(50_000);
    let pieces = "<r><t>yyyyyyyyyy</t></r>".repeat(5_000);
    let case = sheet(&format!(
        "<row><c t=\"str\"><v>{NIK}</v></c><c t=\"inlineStr\"><is>{pieces}</is></c>{many}</row>"
    ));
    let raw = &case.unwrap().raw()[0];
    assert_eq!((raw.nik.as_str(), raw.status.len()), (NIK, 2000));
}

#[test]
fn a_workbook_that_refers_to_what_is_not_there_is_damaged() {
    let sheet1 = format!("<worksheet><sheetData>{HEADINGS}</sheetData></worksheet>");
    let good = ("xl/worksheets/sheet1.xml", sheet1.as_str());
    let elsewhere = RELS.replace("xl/workbook.xml", "nowhere.xml");
    let no_such_sheet = BOOK_RELS.replace("sheet1", "sheet2");
    let no_such_id = BOOK.replace("r1", "r2");
    let same_again = BOOK.replace("</sheets>", "<sheet name=\"x\" r:id=\"r1\"/></sheets>");
    for part in [
        ("_rels/.rels", elsewhere.as_str()),
        ("xl/_rels/workbook.xml.rels", &no_such_sheet),
        ("xl/workbook.xml", &no_such_id),
        ("xl/workbook.xml", &same_again),
        ("xl/workbook.xml", "<workbook><sheets>"),
        ("xl/styles.xml", "<styleSheet></wrong>"),
    ] {
        assert!(matches!(book(&[part, good]), Err(SheetError::Unreadable)), "{part:?}");
    }
    let a_chart = BOOK_RELS.replace("x/worksheet", "x/chartsheet");
    let case = book(&[("xl/_rels/workbook.xml.rels", &a_chart), good]).unwrap();
    let none = case.sheet.rows(Columns::Cards, &Mapping::default()).unwrap_err();
    assert!(matches!(none, SheetError::Empty), "{none}");
    let no_rows = book(&[("xl/worksheets/sheet1.xml", "<chartsheet/>")]).unwrap();
    let none = no_rows.sheet.rows(Columns::Cards, &Mapping::default()).unwrap_err();
    assert!(matches!(none, SheetError::Unreadable), "{none}");
}

#[test]
fn no_wrong_byte_and_no_cut_makes_the_reader_panic() {
    let texts = "<sst><si><t>JADI</t></si></sst>";
    let sheet = format!(
        "<worksheet><sheetData>{HEADINGS}<row><c r=\"A2\" t=\"str\"><v>{NIK}</v></c>\
         <c r=\"B2\" t=\"s\"><v>0</v></c></row></sheetData></worksheet>"
    );
    let whole = zipped(&[
        ("[Content_Types].xml", ""),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/sharedStrings.xml", texts),
        ("xl/worksheets/sheet1.xml", &sheet),
    ]);
    let read = |bytes: &[u8]| {
        let case = try_open("wrong.xlsx", bytes).ok()?;
        let rows = case.sheet.rows(Columns::Cards, &Mapping::default()).ok()?;
        Some(rows.count())
    };
    assert_eq!(read(&whole), Some(1));
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(read(&bytes).is_none_or(|count| count <= 3), "{at}");
    }
    for length in (4..whole.len()).step_by(7) {
        assert_eq!(read(&whole[..length]), None, "{length}");
    }
}

#[test]
fn a_reference_leads_to_the_same_part_however_it_is_written() {
    for target in [
        "worksheets/sheet1.xml",
        "/xl/worksheets/sheet1.xml",
        "./worksheets/sheet1.xml",
        "../xl/worksheets/sheet1.xml",
        "worksheets\\sheet1.xml",
    ] {
        assert_eq!(resolved("xl/", target), "xl/worksheets/sheet1.xml", "{target}");
    }
    assert_eq!(resolved("", "../../etc/passwd"), "etc/passwd");
}
