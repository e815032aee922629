//! The cards of one file, row by row, and what is wrong with it if it cannot be read to its end.
//!
//! Names each row so that it is known again in another file. Never shows what stands in a row or a
//! heading.

use std::path::Path;

use super::super::spreadsheet::{Columns, Mapping, Row, RowError, Sheet, SheetError};
use super::super::{Place, Record, Records, paper};
use crate::domain::nik::Nik;

/// What a file was found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Why it was not read to its end; what was read before stays true.
    pub fault: Option<Fault>,
    /// Rows that held nothing that is needed: signatures, totals.
    pub skipped: u64,
    /// Sheets that were not read for want of headings.
    pub ignored_sheets: Vec<String>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// For programs.
    pub code: &'static str,
    /// Where in it, if somewhere.
    pub row: Option<u64>,
    /// Columns that are not there.
    pub missing: Vec<&'static str>,
}

impl Contents {
    /// Those of a file that cannot be read at all.
    pub(super) fn unreadable() -> Self {
        Self::at_fault(Fault { code: "unreadable", row: None, missing: Vec::new() })
    }

    fn at_fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }
}

/// Reads a file and hands its rows over. Ends early when nobody takes them any more.
pub(super) fn read(path: &Path, columns: &Mapping, records: &Records) -> Contents {
    let sheet = match Sheet::open(path) {
        Ok(sheet) => sheet,
        Err(error) => return Contents::at_fault(of_sheet(error)),
    };
    let mut rows = match sheet.rows(Columns::Cards, columns) {
        Ok(rows) => rows,
        Err(error) => return Contents::at_fault(of_sheet(error)),
    };
    let mut fault = None;
    for row in &mut rows {
        match row {
            Ok(row) if records.blocking_send(record(&row)).is_ok() => {}
            Ok(_) => break,
            Err(error) => fault = Some(of_row(&error)),
        }
    }
    Contents { fault, skipped: rows.skipped(), ignored_sheets: rows.ignored_sheets().to_vec() }
}

fn of_sheet(error: SheetError) -> Fault {
    let code = match error {
        SheetError::MissingColumns { missing, .. } => {
            let missing = missing.into_iter().map(|(_, name)| name).collect();
            return Fault { code: "missing_columns", row: None, missing };
        }
        SheetError::Open { .. } => "not_open",
        SheetError::NotAFile | SheetError::NotASpreadsheet { .. } => "not_a_spreadsheet",
        SheetError::Empty => "empty",
        SheetError::TooLarge => "too_large",
        SheetError::ColumnTwice { .. } => "column_twice",
        SheetError::Unreadable => "unreadable",
    };
    Fault { code, row: None, missing: Vec::new() }
}

fn of_row(error: &RowError) -> Fault {
    let code = match error {
        RowError::Broken { .. } => "broken_off",
        RowError::TooLong { .. } | RowError::OpenQuote { .. } => "open_quote",
    };
    Fault { code, row: Some(error.row()), missing: Vec::new() }
}

fn record(row: &Row) -> Record {
    // Without a moment: a row that has no time is dated when it is taken.
    let (mut update, _) = row.to_card("");
    let key = key(row, &update.id, &update.nik, &update.document);
    if !row.has_id() {
        // Made of the content; kept with a row that is rejected it would be taken for the office's.
        update.id.clear();
    }
    let place = Place { sheet: row.sheet().map(str::to_owned), row: row.number() };
    Record { key, update, place: Some(place), ..Record::default() }
}

/// By which a row is known again. One without a time is a state, and there is one of each paper of
/// each person, whatever file brings it. One with a time is an event and counts for itself. An id
/// alone is not trusted: many a program numbers the rows of each file anew.
fn key(row: &Row, id: &str, nik: &str, document: &str) -> String {
    let nik = Nik::parse(nik);
    let whose = nik.as_ref().map_or("", Nik::expose);
    let paper = paper(whose, document);
    if row.has_id() {
        format!("id/{paper}/{id}")
    } else if row.has_time() || nik.is_err() {
        format!("event/{id}")
    } else {
        format!("state/{paper}")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::sync::mpsc;

    use super::*;

    fn read_all(content: &str) -> (Vec<Record>, Contents) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kartu.csv");
        fs::write(&path, content).unwrap();
        let (give, mut take) = mpsc::channel(100);
        let contents = read(&path, &Mapping::default(), &give);
        drop(give);
        let mut records = Vec::new();
        while let Ok(record) = take.try_recv() {
            records.push(record);
        }
        (records, contents)
    }

    fn keys(content: &str) -> Vec<String> {
        read_all(content).0.into_iter().map(|record| record.key).collect()
    }

    const NIK: &str = "3517091204560001";

    #[test]
    fn a_row_without_a_time_is_the_state_of_a_paper_and_one_with_a_time_an_event() {
        let states = keys(&format!(
            "NIK;Status;Dokumen\n{NIK};tercetak;\n'{NIK};siap diambil;KTP\n{NIK};tercetak;KIA\n"
        ));
        assert_eq!(states[0], states[1]);
        assert_ne!(states[0], states[2]);
        let events = keys(&format!(
            "NIK;Status;Tanggal\n{NIK};tercetak;2026-11-20\n{NIK};tercetak;2026-11-21\n\
             {NIK};tercetak;2026-11-20\n"
        ));
        assert_ne!(events[0], events[1]);
        assert_eq!(events[0], events[2]);
    }

    #[test]
    fn damaged_numbers_are_not_one_person_and_numbered_rows_not_one_record() {
        let damaged = keys("NIK;Nama;Status\n3.51709E+15;Siti;cetak\n3.51709E+15;Budi;cetak\n");
        assert_ne!(damaged[0], damaged[1]);
        let first = keys(&format!("id;NIK;Status\n1;{NIK};cetak\n"));
        let other = keys("id;NIK;Status\n1;3517091204560002;cetak\n");
        assert_ne!(first, other);
    }

    #[test]
    fn a_row_says_where_it_stands_and_keeps_only_an_id_of_its_own() {
        let (records, contents) =
            read_all(&format!("Daftar kartu\nid;NIK;Status\nk-1;{NIK};cetak\n;{NIK};cetak\n"));
        assert_eq!(records[0].place, Some(Place { sheet: None, row: 3 }));
        assert_eq!((records[0].update.id.as_str(), records[1].update.id.as_str()), ("k-1", ""));
        assert!(records[0].update.is_undated && records[0].update.occurred_at.is_empty());
        assert_eq!(contents.fault, None);
    }

    #[test]
    fn a_file_without_headings_is_told_from_one_that_is_no_table_and_one_that_breaks() {
        let fault = |content: &str| read_all(content).1.fault.unwrap();
        let missing = fault(&format!("{NIK};Siti Aminah\n"));
        assert_eq!((missing.code, missing.missing), ("missing_columns", vec!["NIK", "status"]));
        assert_eq!(fault("%PDF-1.7").code, "not_a_spreadsheet");
        let more = "x".repeat(5000);
        let open = fault(&format!("NIK;Status\n{NIK};cetak\n{NIK};\"{}", more.repeat(300)));
        assert_eq!((open.code, open.row), ("open_quote", Some(3)));
    }
}
