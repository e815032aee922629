//! Why a file, or the rest of it, cannot be read, and what to do about it.
//!
//! Names headings and rows, never what stands in a row.

use std::io;

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
    #[error("no column for {}; {}", names(missing), found_text(found))]
    MissingColumns {
        /// What is needed: its key in `[spreadsheet.columns]` if it has one, and its name.
        missing: Vec<(&'static str, &'static str)>,
        /// The headings that are there.
        found: Vec<String>,
        /// Those of them that mean nothing yet.
        free: Vec<String>,
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
    pub(super) fn or_broken_off(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Self::Unreadable,
            _ => Self::Open { source },
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let plain = match self {
            Self::Open { .. } => "look at the name of the file and who may read it",
            Self::NotAFile => "give the name of a CSV, XLSX, XLS or ODS file",
            Self::Empty => "look whether it was saved completely",
            Self::TooLarge => {
                "save it as XLSX or CSV, which may have any length, or import it in parts: an XLS or \
                 ODS file may have 64 MB, 5 million cells (an ODS file 128 MB of text) and 512 MB \
                 unpacked, and an XLSX file 160 MB of different texts"
            }
            Self::NotASpreadsheet { .. } => {
                "open it in a spreadsheet program and save it as XLSX or as CSV (UTF-8)"
            }
            Self::Unreadable => {
                "remove the password, or open it in a spreadsheet program and save it anew as XLSX"
            }
            Self::MissingColumns { missing, free, .. } => return missing_hint(missing, free),
            Self::ColumnTwice { .. } => {
                "rename or remove the column that is not meant, or name the one that is in \
                 [spreadsheet.columns] of kabar.toml"
            }
        };
        plain.to_owned()
    }
}

/// How to name the columns, and the lines of the configuration that do it for good.
fn missing_hint(missing: &[(&str, &str)], free: &[String]) -> String {
    let quoted = |text: &String| toml::Value::from(text.as_str()).to_string();
    let keys: Vec<&str> =
        missing.iter().map(|(key, _)| *key).filter(|key| !key.is_empty()).collect();
    let lines = keys.iter().map(|key| match free {
        [only] if keys.len() == 1 => format!("\n{key} = {}", quoted(only)),
        [] => format!("\n{key} = \"what stands above that column\""),
        several => {
            let several: Vec<String> = several.iter().map(quoted).collect();
            format!("\n{key} = \"…\"  # one of {}", several.join(", "))
        }
    });
    let usual = "write headings like NIK, Nama, No. HP, Status, Tanggal above the columns, within \
                 the first 20 rows";
    if keys.is_empty() {
        return usual.to_owned();
    }
    let lines: String = lines.collect();
    format!("{usual}, or say in kabar.toml which column it is:\n[spreadsheet.columns]{lines}")
}

fn names(missing: &[(&str, &str)]) -> String {
    missing.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(" and ")
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
    pub(super) fn broken(row: u64, error: csv::Error) -> Self {
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
