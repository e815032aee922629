//! Where files go that are done with, each with its report beside it.
//!
//! A name that is taken is never used again: a file keeps its own if it can, and gets the time and a
//! number otherwise.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::super::SourceError;
use super::disk::refused;
use crate::words;

/// Behind the name of a file, that of its report.
const REPORT: &str = ".laporan.txt";
/// Longest name of a file that leaves room for what is added; file systems take 255 bytes.
const MAX_NAME: usize = 200;
/// Files of one name in one second, at most.
const MAX_COPIES: usize = 1000;

words! {
    /// A folder below the watched one.
    pub enum Shelf {
        /// Read to its end.
        Done = "done",
        /// Not readable, or not to its end.
        Failed = "failed",
    }
}

impl Shelf {
    /// Makes it, if it is not there.
    pub(super) fn make(self, folder: &Path) -> Result<(), SourceError> {
        let path = folder.join(self.as_str());
        let made = match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Something else of that name.
                if path.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
            }
            other => other,
        };
        made.map_err(|error| refused(&format!("{} cannot be made", self.as_str()), &error))
    }

    /// Moves a file of the folder here, and writes its report. Either both are here or none is.
    pub(super) fn take(
        self,
        folder: &Path,
        name: &OsStr,
        report: &str,
        at: &str,
    ) -> io::Result<()> {
        let below = folder.join(self.as_str());
        for free in names(name, at) {
            if fs::symlink_metadata(below.join(&free)).is_ok() {
                continue;
            }
            let mut beside = free.clone();
            beside.push(REPORT);
            let beside = below.join(beside);
            // Whoever makes the report has the name.
            let mut file = match File::create_new(&beside) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            let moved = file
                .write_all(report.as_bytes())
                .and_then(|()| fs::rename(folder.join(name), below.join(&free)));
            if moved.is_err() {
                // Nothing is lost with it: it is written again when the file can be moved.
                let _ = fs::remove_file(&beside);
            }
            return moved;
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// The names a file may get, in the order in which they are tried.
fn names(name: &OsStr, at: &str) -> impl Iterator<Item = OsString> {
    let text = name.to_string_lossy().into_owned();
    let own = (name.len() <= MAX_NAME).then(|| name.to_owned());
    let (stem, end) = match text.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && end.len() <= 10 => (stem, format!(".{end}")),
        _ => (text.as_str(), String::new()),
    };
    let mut stem = stem.to_owned();
    while stem.len() > MAX_NAME - 11 {
        stem.pop();
    }
    let at = at.to_owned();
    let more = (1..MAX_COPIES).map(move |copy| {
        let number = if copy == 1 { String::new() } else { format!("-{copy}") };
        format!("{stem} {at}{number}{end}").into()
    });
    own.into_iter().chain(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "20261123-090000";

    fn shelved(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder.join("done")).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_name_that_is_taken_gets_the_time_and_then_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        Shelf::Done.make(folder).unwrap();
        Shelf::Done.make(folder).unwrap();
        for content in ["a", "b", "c"] {
            fs::write(folder.join("kartu.csv"), content).unwrap();
            Shelf::Done.take(folder, OsStr::new("kartu.csv"), content, AT).unwrap();
        }
        let expected = [
            ("kartu 20261123-090000-2.csv", "c"),
            ("kartu 20261123-090000.csv", "b"),
            ("kartu.csv", "a"),
        ];
        let found = shelved(folder);
        assert_eq!(found.len(), 6, "{found:?}");
        for (name, content) in expected {
            let read = |name: &str| fs::read_to_string(folder.join("done").join(name)).unwrap();
            assert_eq!(read(name), content);
            assert_eq!(read(&format!("{name}{REPORT}")), content, "its own report");
        }
    }

    #[test]
    fn a_name_too_long_for_its_report_is_shortened_and_keeps_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        Shelf::Done.make(folder).unwrap();
        for name in [format!("{}.xlsx", "é".repeat(120)), "x".repeat(255)] {
            fs::write(folder.join(&name), "a").unwrap();
            Shelf::Done.take(folder, OsStr::new(&name), "r", AT).unwrap();
            assert!(!folder.join(&name).exists());
        }
        let found = shelved(folder);
        assert_eq!(found.iter().filter(|name| name.ends_with(REPORT)).count(), 2);
        assert!(found.iter().any(|name| name.ends_with("00.xlsx")), "{found:?}");
    }

    #[test]
    fn a_file_that_cannot_be_moved_leaves_no_report() {
        let folder = tempfile::tempdir().unwrap();
        Shelf::Done.make(folder.path()).unwrap();
        let gone = Shelf::Done.take(folder.path(), OsStr::new("kartu.csv"), "r", AT);
        assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(shelved(folder.path()).is_empty());
    }

    #[test]
    fn a_file_in_the_place_of_a_shelf_is_said() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("done"), "").unwrap();
        let error = Shelf::Done.make(folder.path()).unwrap_err();
        assert!(error.to_string().contains("done"), "{error}");
    }
}
