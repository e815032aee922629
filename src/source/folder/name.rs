//! Names of files that are not for us: what programs put beside a file they have open, what is still
//! on its way, and what systems leave everywhere.

use std::ffi::{OsStr, OsString};

/// Ends of the names under which programs write what is not complete yet.
const UNFINISHED: &[&str] =
    &["tmp", "temp", "part", "partial", "filepart", "crdownload", "download", "swp", "swx"];
/// What systems leave in every folder that somebody opens.
const LITTER: &[&str] = &["thumbs.db", "desktop.ini"];

/// Whether a file is left alone because of its name.
pub(super) fn is_left_alone(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    name.starts_with('.')
        || name.starts_with("~$")
        || name.ends_with('~')
        || UNFINISHED.contains(&end)
        || LITTER.contains(&name.as_str())
}

/// The names of the marks that Excel and `LibreOffice` put beside a file they have open.
pub(super) fn marks_of(name: &OsStr) -> [OsString; 2] {
    let around = |before: &str, after: &str| {
        let mut mark = OsString::from(before);
        mark.push(name);
        mark.push(after);
        mark
    };
    [around("~$", ""), around(".~lock.", "#")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_unfinished_or_hidden_is_left_alone() {
        for name in [
            "~$kartu.xlsx",
            ".~lock.kartu.ods#",
            ".kartu.csv.Xa3f",
            "kartu.csv.part",
            "KARTU.XLSX.TMP",
            "Belum 123.crdownload",
            "kartu.csv~",
            "Thumbs.db",
        ] {
            assert!(is_left_alone(OsStr::new(name)), "{name}");
        }
        for name in ["kartu.csv", "KARTU.XLSX", "kartu", "bagian.part.csv", "surat.pdf", "$kartu"] {
            assert!(!is_left_alone(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn every_mark_is_itself_left_alone() {
        for mark in marks_of(OsStr::new("kartu.xlsx")) {
            assert!(is_left_alone(&mark), "{}", mark.display());
        }
    }
}
