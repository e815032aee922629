//! What is done on the disk itself, for as long as it takes: looking, hashing, moving.
//!
//! Blocks; whoever calls this does so apart from everybody else. No path stands in an error.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::super::SourceError;
use super::{
    Inner, Look, MARK_BELIEVED, OPEN_WAITS, Print, Shelf, Stuck, Waiting, ending, name, open,
};
use crate::domain::clock::Timestamp;

impl Inner {
    pub(super) fn path_of(&self, file: &Waiting) -> PathBuf {
        self.settings.path.join(&file.name)
    }

    pub(super) fn look(&self, now: Timestamp) -> Result<Look, SourceError> {
        let cannot = |error: io::Error| refused("the folder cannot be read", &error);
        let found = files(&self.settings.path).map_err(cannot)?;
        let marks: BTreeSet<&OsString> = found.marks.iter().collect();
        let mut seen = open(&self.seen);
        let mut now_seen = HashMap::with_capacity(found.files.len());
        let mut look = Look::default();
        for file in found.files {
            let before = seen.remove(&file.name).filter(|(print, _)| *print == file.print);
            let since = before.map_or(now, |(_, since)| since);
            now_seen.insert(file.name.clone(), (file.print.clone(), since));
            let age = now.since(since);
            if name::marks_of(&file.name).iter().any(|mark| marks.contains(mark))
                && age < MARK_BELIEVED
            {
                continue;
            }
            let settle = self.settings.settle;
            let is_settled = age >= settle
                && (age >= settle * OPEN_WAITS || !ending::is_open(&self.path_of(&file)));
            if is_settled {
                look.settled.push(file);
            } else {
                look.is_growing = true;
            }
        }
        *seen = now_seen;
        drop(seen);
        open(&self.stuck).retain(|name, _| look.settled.iter().any(|file| file.name == *name));
        look.settled.sort_by(|a, b| {
            (a.print.modified, a.name.as_os_str()).cmp(&(b.print.modified, b.name.as_os_str()))
        });
        Ok(look)
    }

    pub(super) fn hash(&self, file: &Waiting) -> io::Result<Option<String>> {
        let mut content = File::open(self.path_of(file))?;
        if Print::of(&content.metadata()?)? != file.print {
            return Ok(None);
        }
        let mut hash = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match content.read(&mut piece)? {
                0 => return Ok(Some(hex::encode(hash.finalize()))),
                length => hash.update(&piece[..length]),
            }
        }
    }

    pub(super) fn is_same(&self, file: &Waiting) -> bool {
        let info = self.path_of(file).symlink_metadata();
        info.and_then(|info| Print::of(&info)).is_ok_and(|print| print == file.print)
    }

    pub(super) fn put_away(
        &self,
        file: &Waiting,
        to: Shelf,
        report: String,
        at: &str,
    ) -> Result<(), SourceError> {
        if !self.is_same(file) {
            return Ok(());
        }
        let moved = to.take(&self.settings.path, &file.name, &report, at);
        moved.map_err(|error| {
            let stuck = Stuck { print: file.print.clone(), to, report };
            open(&self.stuck).insert(file.name.clone(), stuck);
            refused(&format!("a file that is done with cannot be moved to {to}"), &error)
        })
    }
}

pub(super) struct Found {
    pub(super) files: Vec<Waiting>,
    /// Names of the files by which programs mark what they have open.
    marks: Vec<OsString>,
}

/// What is a file with something in it and may be meant for us.
pub(super) fn files(folder: &Path) -> io::Result<Found> {
    let mut found = Found { files: Vec::new(), marks: Vec::new() };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name::is_left_alone(&name) {
            found.marks.push(name);
            continue;
        }
        // Says of a link that it is one, and nothing of where it leads.
        let info = match entry.metadata() {
            Ok(info) => info,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if info.is_file() && info.len() > 0 {
            found.files.push(Waiting { name, print: Print::of(&info)? });
        }
    }
    Ok(found)
}

/// An error of the operating system; without a path, which may name people.
pub(super) fn refused(what: &str, error: &io::Error) -> SourceError {
    let lasting = [
        io::ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::NotADirectory,
        io::ErrorKind::ReadOnlyFilesystem,
        io::ErrorKind::CrossesDevices,
        io::ErrorKind::StorageFull,
    ];
    let kind = error.kind();
    if !lasting.contains(&kind) {
        return SourceError::Unreachable(format!("{what}: {kind}"));
    }
    SourceError::wrong(
        format!("{what}: {kind}"),
        "look at the source's path; the service must read and write there, and done and failed \
         must be folders on the same disk",
    )
}

pub(super) fn silent() -> SourceError {
    SourceError::Unreachable("the disk of the folder does not answer".to_owned())
}
