//! Tables of area codes as they are published: a spreadsheet or CSV of code and name, like those
//! of idn-area-data, or the SQL dump of cahyadsn/wilayah.
//!
//! Tells by the content which it is. A dump is read as a text, tuple by tuple: nothing in it is
//! ever executed.

mod dump;

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use dump::Dump;

use super::spreadsheet::{Columns, Mapping, RowError, Rows, Sheet, SheetError};

/// How much is read to tell what kind of file it is.
const SAMPLE: u64 = 64 * 1024;

/// An opened table.
#[derive(Debug)]
pub struct AreaTable(Content);

#[derive(Debug)]
enum Content {
    Sheet(Sheet),
    Dump { path: PathBuf, size: u64 },
}

/// One row, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AreaEntry {
    /// The sheet it stands on, in a workbook.
    pub sheet: Option<String>,
    /// The number of the row, or of the line.
    pub row: u64,
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The code of the area it lies in, where the table says that too.
    pub parent: String,
}

impl AreaTable {
    /// Opens a file and tells by its content what it is.
    ///
    /// # Errors
    /// [`SheetError`] when it is neither a spreadsheet nor a dump.
    pub fn open(path: &Path) -> Result<Self, SheetError> {
        let cannot = |source| SheetError::Open { source };
        let info = path.metadata().map_err(cannot)?;
        if info.is_file() {
            let mut sample = Vec::new();
            File::open(path)
                .and_then(|file| file.take(SAMPLE).read_to_end(&mut sample))
                .map_err(cannot)?;
            if is_dump(&sample) {
                return Ok(Self(Content::Dump { path: path.to_owned(), size: info.len() }));
            }
        }
        Sheet::open(path).map(|sheet| Self(Content::Sheet(sheet)))
    }

    /// What is in it.
    ///
    /// # Errors
    /// [`SheetError`] when a column is missing.
    pub fn rows(&self) -> Result<AreaRows<'_>, SheetError> {
        match &self.0 {
            Content::Sheet(sheet) => {
                sheet.rows(Columns::Areas, &Mapping::default()).map(AreaRows::Sheet)
            }
            Content::Dump { path, .. } => {
                let file = File::open(path).map_err(|source| SheetError::Open { source })?;
                Ok(AreaRows::Dump(Dump::new(BufReader::new(file))))
            }
        }
    }

    /// How long it is, in the unit of [`AreaRows::reached`].
    #[must_use]
    pub fn len_hint(&self) -> Option<u64> {
        match &self.0 {
            Content::Sheet(sheet) => sheet.len_hint(),
            Content::Dump { size, .. } => Some(*size),
        }
    }
}

/// Whether a file begins as SQL does and puts rows somewhere.
fn is_dump(sample: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sample).to_ascii_lowercase();
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let words = ["--", "/*", "#", "insert ", "create ", "drop ", "set ", "use ", "begin", "start "];
    words.iter().any(|word| start.starts_with(word))
        && (text.contains("insert into") || text.contains("create table"))
}

/// The rows of a table. After an error there are no more.
#[derive(Debug)]
pub enum AreaRows<'a> {
    /// Of a spreadsheet.
    Sheet(Rows<'a>),
    /// Of a dump.
    Dump(Dump<BufReader<File>>),
}

impl AreaRows<'_> {
    /// How far reading has come, in the unit of [`AreaTable::len_hint`].
    #[must_use]
    pub const fn reached(&self) -> u64 {
        match self {
            Self::Sheet(rows) => rows.reached(),
            Self::Dump(dump) => dump.reached(),
        }
    }
}

impl Iterator for AreaRows<'_> {
    type Item = Result<AreaEntry, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Dump(dump) => dump.next(),
            Self::Sheet(rows) => Some(rows.next()?.map(|row| {
                let area = row.to_area();
                AreaEntry {
                    sheet: row.sheet().map(ToOwned::to_owned),
                    row: row.number(),
                    code: area.code,
                    name: area.name,
                    parent: area.parent,
                }
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, String, String, String)> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let table = AreaTable::open(file.path()).unwrap();
        let mut rows = table.rows().unwrap();
        let all = rows.by_ref().map(Result::unwrap);
        let all = all.map(|entry| (entry.row, entry.code, entry.name, entry.parent)).collect();
        assert_eq!(Some(rows.reached()), table.len_hint());
        all
    }

    fn row(row: u64, code: &str, name: &str, parent: &str) -> (u64, String, String, String) {
        (row, code.to_owned(), name.to_owned(), parent.to_owned())
    }

    #[test]
    fn every_form_of_the_table_is_told_apart_by_its_content() {
        let plain = read("kode;nama\n11;Aceh\n11.01;Kabupaten Aceh Selatan\n");
        assert_eq!(
            plain,
            [row(2, "11", "Aceh", ""), row(3, "11.01", "Kabupaten Aceh Selatan", "")]
        );
        let villages = read("code,district_code,name\n1101012001,110101,KEUDE BAKONGAN\n");
        assert_eq!(villages, [row(2, "1101012001", "KEUDE BAKONGAN", "110101")]);
        let dump = read(
            "/* a */\nDROP TABLE x;\nINSERT INTO wilayah (kode, nama)\nVALUES\n('11','Aceh');\n",
        );
        assert_eq!(dump, [row(5, "11", "Aceh", "")]);
    }
}
