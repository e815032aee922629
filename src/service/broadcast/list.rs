//! Reads a list of those a broadcast is for from a spreadsheet: numbers, or references of messages.
//!
//! What is no number is told by its row, and never repeated.

use std::io::Write as _;
use std::path::Path;

use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;
use crate::source::spreadsheet::{Columns, Mapping, RowError, Sheet, SheetError};
use crate::store::audience::ListEntry;

/// What stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Those it names.
    pub entries: Vec<ListEntry>,
    /// Rows that name nobody, and why.
    pub faults: Vec<(u64, String)>,
}

/// Why a file is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It cannot be read, or has neither numbers nor references.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// It breaks off.
    #[error(transparent)]
    Row(#[from] RowError),
    /// What was uploaded cannot be put down to be read.
    #[error("the list cannot be put down to be read")]
    Io(#[from] std::io::Error),
}

/// Reads CSV, XLSX, XLS or ODS with a column of numbers, else with one of references.
///
/// # Errors
/// [`ListError`].
pub fn read_list(path: &Path, mapping: &Mapping) -> Result<List, ListError> {
    let sheet = Sheet::open(path)?;
    let mut list = List::default();
    let (rows, is_phones) = match sheet.rows(Columns::Phones, mapping) {
        Ok(rows) => (rows, true),
        Err(no_phones) => match sheet.rows(Columns::References, mapping) {
            Ok(rows) => (rows, false),
            // What is usual is what is missed.
            Err(_) => return Err(no_phones.into()),
        },
    };
    for row in rows {
        let row = row?;
        let entry = if is_phones {
            let phone = PhoneNumber::parse(&row.to_phone());
            phone.map(ListEntry::Phone).map_err(|error| error.to_string())
        } else {
            let reference = Reference::parse(&row.to_reference());
            reference.map(ListEntry::Reference).map_err(|error| error.to_string())
        };
        match entry {
            Ok(entry) => list.entries.push(entry),
            Err(fault) => list.faults.push((row.number(), fault)),
        }
    }
    Ok(list)
}

/// The same of what was uploaded, with the usual headings. It takes a while: not for a task that answers others.
///
/// # Errors
/// [`ListError`].
pub fn read_uploaded(bytes: &[u8]) -> Result<List, ListError> {
    // Gone when it is dropped: numbers are nothing to leave lying about.
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    file.flush()?;
    read_list(file.path(), &Mapping::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<List, ListError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daftar.csv");
        std::fs::write(&path, content).unwrap();
        read_list(&path, &Mapping::default())
    }

    #[test]
    fn numbers_come_before_references_and_faults_are_told_by_their_row() {
        let list = read("Nama;No HP\nSiti;0812-3456-0001\nBudi;12\nAgus;0812-3456-0002\n").unwrap();
        assert_eq!(list.entries.len(), 2);
        assert!(matches!(list.entries[0], ListEntry::Phone(_)));
        assert_eq!(list.faults.len(), 1);
        assert_eq!(list.faults[0].0, 3);
        let list = read("Ref\nK7QX-3M\n").unwrap();
        assert!(matches!(list.entries[..], [ListEntry::Reference(_)]));
        assert!(read("Nama\nSiti\n").is_err());
    }
}
