//! Files as offices send them, from the heading line to the checked update.

use chrono::FixedOffset;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use tempfile::TempDir;

use super::*;
use crate::domain::card::{CardStatus, CardUpdate};
use crate::domain::clock::Timestamp;
use crate::domain::raw_update::{RawUpdate, Reason};

pub(super) const NIK: &str = "3517091204560001";
const MOMENT: &str = "2026-11-21T08:00:00+07:00";
/// 2026-11-22T00:00:00Z.
const NOW: Timestamp = Timestamp::from_ms(1_795_305_600_000);

pub(super) struct Case {
    folder: TempDir,
    pub(super) sheet: Sheet,
}

pub(super) fn try_open(name: &str, bytes: &[u8]) -> Result<Case, SheetError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let sheet = Sheet::open(&path)?;
    Ok(Case { folder, sheet })
}

fn csv(text: impl AsRef<[u8]>) -> Case {
    try_open("cards.csv", text.as_ref()).unwrap()
}

fn xlsx(fill: impl FnOnce(&mut Worksheet)) -> Case {
    let mut book = Workbook::new();
    fill(book.add_worksheet());
    // By its content, whatever it is called.
    try_open("cards.csv", &book.save_to_buffer().unwrap()).unwrap()
}

fn write(sheet: &mut Worksheet, rows: &[&[&str]]) {
    for (row, cells) in (0..).zip(rows) {
        for (column, text) in (0..).zip(*cells) {
            sheet.write_string(row, column, *text).unwrap();
        }
    }
}

impl Case {
    pub(super) fn rows(&self, columns: Columns) -> Vec<Row> {
        self.sheet.rows(columns, &Mapping::default()).unwrap().map(Result::unwrap).collect()
    }

    pub(super) fn raw(&self) -> Vec<RawUpdate> {
        self.rows(Columns::Cards).iter().map(|row| row.to_card(MOMENT).0).collect()
    }

    fn checked(&self) -> Vec<Result<CardUpdate, Reason>> {
        let zone = FixedOffset::east_opt(7 * 3600).unwrap();
        self.raw().iter().map(|raw| raw.check(zone, NOW)).collect()
    }

    fn statuses(&self) -> Vec<String> {
        self.raw().into_iter().map(|raw| raw.status).collect()
    }

    fn fault(&self, columns: Columns) -> String {
        self.sheet.rows(columns, &Mapping::default()).unwrap_err().to_string()
    }
}

#[test]
fn a_semicolon_file_with_a_bom_and_a_letterhead_becomes_updates() {
    let case = csv(format!(
        "\u{feff}PEMERINTAH KABUPATEN JOMBANG;;;\r\n\r\nDaftar KTP-el, NIK dan status;;;\r\n\
         No;NIK;Nama Lengkap;No. HP;Stat Rkm;Tgl Cetak;RT/RW\r\n\
         1;'{NIK};SITI AMINAH;0812-3456-7890;CARD PRINTED;20/11/2026;003/004\r\n"
    ));
    let update = case.checked().remove(0).unwrap();
    assert_eq!(update.status, CardStatus::Printed);
    assert_eq!(update.occurred_at.as_ms(), 1_795_107_600_000);
    assert_eq!(update.name.unwrap().expose(), "SITI AMINAH");
    assert_eq!((update.rt.as_deref(), update.rw.as_deref()), (Some("003"), Some("004")));
    assert_eq!(case.rows(Columns::Cards)[0].number(), 5);
}

#[test]
fn every_delimiter_is_found_by_itself() {
    for delimiter in [",", ";", "\t", "|"] {
        let text = format!("NIK;Nama;Status\n{NIK};\"Aminah, Siti\";siap ambil\n");
        let case = csv(text.replace(';', delimiter));
        let raw = &case.raw()[0];
        assert_eq!((raw.name.as_str(), raw.status.as_str()), ("Aminah, Siti", "siap ambil"));
    }
}

#[test]
fn a_name_in_windows_1252_is_read() {
    let mut text = format!("NIK,Nama,Status\n{NIK},").into_bytes();
    text.extend(b"REN\xc9 D\x92SOUZA,5\n");
    assert_eq!(csv(text).raw()[0].name, "RENÉ D’SOUZA");
}

#[test]
fn a_nik_damaged_by_a_spreadsheet_is_rejected_with_that_reason() {
    let case = xlsx(|sheet| {
        write(sheet, &[&["NIK", "Status"]]);
        sheet.write_number(1, 0, 3_517_091_204_560_001.0).unwrap();
        sheet.write_string(1, 1, "CARD PRINTED").unwrap();
        sheet.write_string(2, 0, "3.51709E+15").unwrap();
        sheet.write_string(2, 1, "CARD PRINTED").unwrap();
        sheet.write_string(3, 0, NIK).unwrap();
        sheet.write_number(3, 1, 4).unwrap();
    });
    let checked = case.checked();
    for damaged in &checked[..2] {
        let reason = damaged.as_ref().unwrap_err();
        assert_eq!(reason.code, "invalid_nik");
        assert!(reason.message.contains("spreadsheet"), "{}", reason.message);
    }
    assert_eq!(checked[2].as_ref().unwrap().status, CardStatus::Printed);
}

#[test]
fn numbers_and_dates_of_a_workbook_become_the_texts_they_mean() {
    let case = xlsx(|sheet| {
        let headings =
            ["NIK", "No HP", "Status", "Tanggal", "Tgl Antar", "Jam Mulai", "Jam Selesai"];
        write(sheet, &[&headings, &[NIK]]);
        let (day, time) = (
            Format::new().set_num_format("dd/mm/yyyy hh:mm"),
            Format::new().set_num_format("hh:mm"),
        );
        let moment = ExcelDateTime::from_ymd(2026, 11, 20).unwrap().and_hms(9, 20, 0).unwrap();
        let clock = |hour, minute| ExcelDateTime::from_hms(hour, minute, 0).unwrap();
        sheet.write_number(1, 1, 81_234_567_890.0).unwrap();
        sheet.write_string(1, 2, "jadwal antar").unwrap();
        sheet.write_datetime_with_format(1, 3, moment, &day).unwrap();
        sheet.write_number(1, 4, 46_350).unwrap();
        sheet.write_datetime_with_format(1, 5, clock(9, 20), &time).unwrap();
        sheet.write_datetime_with_format(1, 6, clock(12, 0), &time).unwrap();
    });
    let raw = &case.raw()[0];
    assert_eq!(raw.phone, "81234567890");
    assert_eq!(raw.occurred_at, "2026-11-20T09:20:00");
    assert_eq!((raw.home_date.as_str(), raw.home_from.as_str()), ("2026-11-24", "09:20"));
    assert!(case.checked()[0].as_ref().unwrap().home_delivery.is_some());
}

#[test]
fn merged_wrapped_and_numbered_headings_are_understood() {
    let case = xlsx(|sheet| {
        let plain = Format::new();
        sheet.merge_range(0, 0, 0, 5, "REKAPITULASI", &plain).unwrap();
        sheet.merge_range(2, 0, 3, 0, "NOMOR INDUK\nKEPENDUDUKAN", &plain).unwrap();
        sheet.merge_range(2, 1, 2, 2, "Alamat", &plain).unwrap();
        sheet.merge_range(2, 3, 3, 3, "19-Stat\nRkm", &plain).unwrap();
        sheet.write_string(2, 4, "18-Status").unwrap();
        sheet.write_string(3, 1, "R T").unwrap();
        sheet.write_string(3, 2, "RW.").unwrap();
        for column in 0..4 {
            sheet.write_number(4, column, column + 1).unwrap();
        }
        write_at(sheet, 7, &[NIK, "003", "004", "BIO\nCAPTURED", "KAWIN"]);
    });
    let rows = case.rows(Columns::Cards);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].number(), 8);
    let (raw, _) = rows[0].to_card(MOMENT);
    assert_eq!((raw.rt.as_str(), raw.rw.as_str()), ("003", "004"));
    assert_eq!(case.checked()[0].as_ref().unwrap().status, CardStatus::Recorded);
}

fn write_at(sheet: &mut Worksheet, row: u32, cells: &[&str]) {
    for (column, text) in (0..).zip(cells) {
        sheet.write_string(row, column, *text).unwrap();
    }
}

#[test]
fn a_status_broken_over_rows_is_one_only_if_it_is_known_so() {
    let case = csv(format!(
        "NIK,Nama,Status\n{NIK},Siti,SENT FOR\n,,CARD\n,,PRINTING\n{NIK},Siti,CARD PRINTED\n\
         ,,Kepala Dinas\n\n{NIK},Siti,CARD\n\n,,PRINTED\n"
    ));
    let statuses = case.statuses();
    assert_eq!(
        statuses,
        ["SENT FOR CARD PRINTING", "CARD PRINTED", "Kepala Dinas", "CARD", "PRINTED"]
    );
}

#[test]
fn totals_signatures_and_headings_of_the_next_page_are_skipped_and_counted() {
    let case = csv(format!(
        "NIK,Nama,Status\n{NIK},Siti,JADI\n,Jumlah: 1,\nNIK,Nama,Status\n{NIK},Siti,DIAMBIL\n"
    ));
    let mut rows = case.sheet.rows(Columns::Cards, &Mapping::default()).unwrap();
    assert_eq!(rows.by_ref().map(Result::unwrap).map(|r| r.number()).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(rows.skipped(), 2);
    assert_eq!(Some(rows.reached()), case.sheet.len_hint());
}

#[test]
fn a_missing_column_is_named_beside_those_found_and_nobody_is_shown() {
    let case = csv("NIK,Nama Lengkap,Keterangan\n");
    assert_eq!(
        case.fault(Columns::Cards),
        "no column for status; found: NIK, Nama Lengkap, Keterangan"
    );
    let case = csv(format!("{NIK},Siti Aminah,CARD PRINTED\n"));
    assert_eq!(case.fault(Columns::Cards), "no column for NIK and status; no headings were found");
    let case = csv("NIK,Status,NIK\n");
    assert_eq!(case.fault(Columns::Cards), "more than one column has the heading \"NIK\"");
}

#[test]
fn the_same_row_has_the_same_id_whenever_and_wherever_it_is_imported() {
    let first = csv(format!("NIK,Nama,Status\n{NIK},Siti,CARD PRINTED\n"));
    let again = csv(format!("Status;Nama;NIK\n;;\nCARD PRINTED;Siti;{NIK}\n"));
    let (row, later) = (&first.rows(Columns::Cards)[0], &again.rows(Columns::Cards)[0]);
    let ((one, json), (two, same_json)) = (row.to_card(MOMENT), later.to_card("2026-11-22"));
    assert_eq!(one.id, two.id);
    assert_eq!(json, same_json);
    assert_ne!(one.occurred_at, two.occurred_at);
    assert!(!row.has_time() && !json.contains("occurred_at") && !one.id.contains(NIK));
    let other = csv(format!("NIK,Nama,Status\n{NIK},Siti,CARD ISSUED\n"));
    assert_ne!(one.id, other.raw()[0].id);
    let own = csv(format!("ID,NIK,Status,Waktu\nsiak-7,{NIK},JADI,2026-11-20 10:00\n"));
    assert_eq!(own.raw()[0].id, "siak-7");
    assert_eq!(own.raw()[0].occurred_at, "2026-11-20 10:00");
}

#[test]
fn the_json_of_a_row_is_what_the_api_takes() {
    let case = csv(format!(
        "id,nik,status,occurred_at,phone,service_point,home_delivery_date,home_delivery_from,rt\n\
         a,{NIK},JADI,{MOMENT},08123456789,kec-jombang,2026-11-24,09:00,003\n"
    ));
    let (raw, json) = case.rows(Columns::Cards)[0].to_card("never");
    let back = RawUpdate::from_json(&serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(back.canonical(), raw.canonical());
    assert_eq!(back.id, "a");
}

#[test]
fn of_a_formula_only_its_last_result_is_read() {
    let case = xlsx(|sheet| {
        write(sheet, &[&["NIK", "Nama", "Status"], &[NIK]]);
        let name = Formula::new("=HYPERLINK(\"http://example.org\",\"x\")").set_result("SITI");
        sheet.write_formula(1, 1, name).unwrap();
        sheet.write_formula(1, 2, Formula::new("=1+3").set_result("4")).unwrap();
    });
    let raw = &case.raw()[0];
    assert_eq!((raw.name.as_str(), raw.status.as_str()), ("SITI", "4"));
    let case = csv(format!("NIK,Nama,Status\n{NIK},=cmd|'/c calc'!A1,=A1\n"));
    let (raw, json) = case.rows(Columns::Cards)[0].to_card(MOMENT);
    assert_eq!(raw.name, "");
    assert!(!json.contains("cmd") && !json.contains("=A1"));
    assert_eq!(case.checked()[0].as_ref().unwrap_err().code, "unknown_status");
}

#[test]
fn every_shown_sheet_with_the_headings_is_read_and_the_others_are_named() {
    let mut book = Workbook::new();
    for (name, status) in [("Jabon", "JADI"), ("Ngudirejo", "DIAMBIL")] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        write(sheet, &[&["NIK", "Status"], &[NIK, status]]);
    }
    write(book.add_worksheet().set_name("Rekap").unwrap(), &[&["Jumlah", "2"]]);
    let hidden = book.add_worksheet().set_name("Lama").unwrap().set_hidden(true);
    write(hidden, &[&["NIK", "Status"], &[NIK, "BELUM REKAM"]]);
    let case = try_open("desa.xlsx", &book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(case.statuses(), ["JADI", "DIAMBIL"]);
    assert_eq!(case.rows(Columns::Cards)[1].sheet(), Some("Ngudirejo"));
    assert_eq!(
        case.sheet.rows(Columns::Cards, &Mapping::default()).unwrap().ignored_sheets(),
        ["Rekap"]
    );
}

#[test]
fn a_cell_at_the_far_end_of_a_sheet_fills_no_memory() {
    let case = xlsx(|sheet| {
        write(sheet, &[&["NIK", "Status"], &[NIK, "JADI"]]);
        sheet.write_string(1_048_575, 16_383, "x").unwrap();
    });
    assert_eq!(case.statuses(), ["JADI"]);
}

#[test]
fn a_quotation_mark_left_open_does_not_swallow_rows_silently() {
    let case =
        csv(format!("NIK,Nama,Status\n{NIK},\"Siti,JADI\n{NIK},Budi,JADI\n{NIK},Ali,JADI\n"));
    let rows: Vec<_> = case.sheet.rows(Columns::Cards, &Mapping::default()).unwrap().collect();
    assert!(matches!(rows.as_slice(), [Err(RowError::OpenQuote { row: 2 })]), "{rows:?}");
}

#[test]
fn people_and_service_points_are_read_by_their_own_headings() {
    let case =
        csv(format!("NIK,Nama,No WA,No HP,Kode Desa,RT,RW\n{NIK},Siti,,0812,35.17.09.2018,3,4\n"));
    let person = case.rows(Columns::People)[0].to_person();
    assert_eq!((person.phone.as_str(), person.area.as_str()), ("0812", "35.17.09.2018"));
    assert!(!format!("{person:?} {:?}", case.rows(Columns::People)).contains(NIK));
    let case = csv(
        "Kode,Nama,Kode Wilayah,Alamat,Jam Buka\nkec-jombang,Kantor Kecamatan,35.17.09,-,08.00-14.00\n",
    );
    let point = case.rows(Columns::ServicePoints)[0].to_service_point();
    assert_eq!((point.code.as_str(), point.hours.as_str()), ("kec-jombang", "08.00-14.00"));
    assert_eq!((point.address.as_str(), point.short_name.as_str()), ("", ""));
}

#[test]
fn the_unicode_text_of_excel_is_read_to_its_end() {
    let row = format!("{NIK}\tRENÉ 😀\tJADI\r\n");
    let text = format!("NIK\tNama\tStatus\r\n{}", row.repeat(9000));
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    for bytes in [
        [b"\xff\xfe".as_slice(), &little(&text)].concat(),
        [b"\xfe\xff".as_slice(), &big(&text)].concat(),
    ] {
        let case = csv(bytes);
        let mut rows = case.sheet.rows(Columns::Cards, &Mapping::default()).unwrap();
        let first = rows.next().unwrap().unwrap().to_card(MOMENT).0;
        assert_eq!((first.name.as_str(), first.status.as_str()), ("RENÉ 😀", "JADI"));
        assert_eq!(rows.by_ref().map(Result::unwrap).last().unwrap().number(), 9001);
        assert_eq!(Some(rows.reached()), case.sheet.len_hint());
    }
}

#[test]
fn a_heading_of_the_office_counts_more_than_the_usual_ones() {
    let text = format!(
        "No. Induk,Status,Stat Cetak Dinas,Keadaan (KTP),Keadaan (Kawin)\n\
         {NIK},KAWIN,JADI,DIAMBIL,CERAI\n"
    );
    let case = csv(text);
    let mapping = |key: &str, heading: &str| {
        let nik = ("nik".to_owned(), vec!["No Induk".to_owned()]);
        Mapping::parse([nik, (key.to_owned(), vec![heading.to_owned()])]).unwrap()
    };
    for (heading, status) in [("Stat Cetak Dinas", "JADI"), ("Keadaan (KTP)", "DIAMBIL")] {
        let rows = case.sheet.rows(Columns::Cards, &mapping("status", heading)).unwrap();
        let raw = rows.map(|row| row.unwrap().to_card(MOMENT).0).next().unwrap();
        assert_eq!((raw.nik.as_str(), raw.status.as_str()), (NIK, status));
    }
    let twice = case.sheet.rows(Columns::Cards, &mapping("status", "Keadaan")).unwrap_err();
    assert!(matches!(twice, SheetError::ColumnTwice { .. }), "{twice}");
}

#[test]
fn a_missing_column_comes_with_the_lines_that_name_it_for_good() {
    let hint = |text: &str| {
        let case = csv(text);
        case.sheet.rows(Columns::Cards, &Mapping::default()).unwrap_err().hint()
    };
    let lines =
        |text: &str| hint(text).split_once("\n[spreadsheet.columns]\n").unwrap().1.to_owned();
    assert_eq!(lines("NIK,Nama,\"Ket \"\"A\"\"\"\n"), r#"status = 'Ket "A"'"#);
    assert_eq!(lines("Induk,Nama,Ket,NIK\n"), "status = \"…\"  # one of \"Induk\", \"Ket\"");
    assert_eq!(
        lines("3517091204560001,Siti\n"),
        "nik = \"what stands above that column\"\nstatus = \"what stands above that column\""
    );
    for toml in [lines("NIK,Ket\n"), lines("Induk,Ket\n")] {
        assert!(toml.parse::<toml::Table>().is_ok(), "{toml}");
    }
}

#[test]
fn what_is_no_spreadsheet_is_called_what_it_is() {
    let refused = |bytes: &[u8]| try_open("cards.xlsx", bytes).err().unwrap().to_string();
    assert_eq!(refused(b""), "the file is empty");
    assert_eq!(refused(b"%PDF-1.7"), "this is a PDF, not a spreadsheet");
    assert_eq!(refused(b" <html>"), "this is a web page or XML, not a spreadsheet");
    assert_eq!(refused(b"\xff\xfe<\0"), "this is a web page or XML, not a spreadsheet");
    assert_eq!(refused(b"\xff\xfeN\0\0\0"), "this is a binary file, not a spreadsheet");
    let damaged = "the file is damaged or protected by a password";
    assert_eq!(refused(b"PK\x03\x04 nothing"), damaged);
    assert_eq!(refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nothing"), damaged);
    let case = csv("NIK,Status\n");
    assert!(matches!(Sheet::open(case.folder.path()), Err(SheetError::NotAFile)));
}

#[test]
fn a_workbook_that_unpacks_to_more_than_a_machine_holds_is_refused_unopened() {
    let mut book = Workbook::new();
    write(book.add_worksheet(), &[&["NIK", "Status"], &[NIK, "JADI"]]);
    let mut bytes = book.save_to_buffer().unwrap();
    // The directory stands behind everything it lists; its entries keep their size at 24.
    let at = bytes.windows(4).rposition(|part| part == b"PK\x01\x02").unwrap();
    bytes[at + 24..at + 28].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
    assert!(matches!(try_open("bomb.xlsx", &bytes), Err(SheetError::TooLarge)));
}

#[test]
fn an_opendocument_sheet_is_read_like_any_other() {
    let text = |text: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let value = |kind: &str, value: &str| {
        format!("<table:table-cell office:value-type=\"{kind}\" {value}/>")
    };
    let row = |cells: &[String]| format!("<table:table-row>{}</table:table-row>", cells.concat());
    let headings = row(&["NIK", "Status", "HP", "Tgl Antar", "Jam Mulai"].map(text));
    let cells = row(&[
        text(NIK),
        text("jadwal antar"),
        value("float", "office:value=\"81234567890\""),
        value("date", "office:date-value=\"2026-11-24\""),
        value("time", "office:time-value=\"PT09H05M00S\""),
    ]);
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content><office:body><office:spreadsheet>\
         <table:table table:name=\"Kartu\"><table:table-row table:number-rows-repeated=\"3\">\
         <table:table-cell/></table:table-row>{headings}{cells}</table:table>\
         </office:spreadsheet></office:body></office:document-content>"
    );
    let bytes = zipped(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
        ("content.xml", &content),
    ]);
    let case = try_open("kartu", &bytes).unwrap();
    let raw = &case.raw()[0];
    assert_eq!(case.rows(Columns::Cards)[0].number(), 5);
    assert_eq!((raw.phone.as_str(), raw.home_date.as_str()), ("81234567890", "2026-11-24"));
    assert_eq!(raw.home_from, "09:05");
}

/// A ZIP file whose members are stored as they are.
pub(super) fn zipped(members: &[(&str, &str)]) -> Vec<u8> {
    let long = |length: usize| u32::try_from(length).unwrap();
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in members {
        let (at, size) = (long(bytes.len()), long(text.len()));
        let mut shared = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        for number in [crc.sum(), size, size, long(name.len())] {
            shared.extend(number.to_le_bytes());
        }
        bytes.extend([b"PK\x03\x04", &shared[..], name.as_bytes(), text.as_bytes()].concat());
        let place = [[0; 10].as_slice(), &at.to_le_bytes(), name.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\0", &shared[..], &place].concat());
    }
    let (at, size) = (long(bytes.len()), long(directory.len()));
    let count = u8::try_from(members.len()).unwrap();
    bytes.extend(directory);
    bytes.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &[count, 0, count, 0]].concat());
    bytes.extend([&size.to_le_bytes()[..], &at.to_le_bytes(), &[0, 0]].concat());
    bytes
}
