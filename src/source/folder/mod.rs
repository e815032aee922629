//! A folder into which an office puts its spreadsheets: what lies there, what has stopped growing,
//! and where a file goes when it is done with.
//!
//! Follows no link, looks into no folder below, overwrites nothing and deletes nothing. Names of
//! files may name people: none stands in an error.

mod contents;
mod ending;
mod name;
mod shelf;

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::database::duration;
use super::spreadsheet::Mapping;
use super::{Reading, Records, Source, SourceError};
use crate::domain::clock::Timestamp;
pub use contents::{Contents, Fault};
pub use shelf::Shelf;

/// Longest time a disk or a server of files is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// A program that has a file open leaves a mark beside it, and forgets it when it crashes: for so
/// long after the file last changed it is believed.
const MARK_BELIEVED: Duration = Duration::from_secs(24 * 3600);
/// Files that are done with and cannot be moved away, at most; with more, nothing new is taken up.
const MAX_STUCK: usize = 20;
/// A text that does not end with a line break waits so many times as long: more of it may be on its
/// way over a poor network.
const OPEN_WAITS: u32 = 6;
/// Our clock and that of the machine's timers need not agree to the last bit.
const SLACK: Duration = Duration::from_millis(100);
const LONGEST_SETTLE: Duration = Duration::from_secs(3600);

/// How such a folder is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSettings {
    /// The folder.
    pub path: PathBuf,
    /// A file that has not changed for so long is taken; a text without a last line break waits
    /// longer.
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    pub settle: Duration,
    /// What the office calls the columns of its files.
    #[serde(skip)]
    pub columns: Mapping,
}

const fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

impl FolderSettings {
    /// Looks at what can be seen without the folder.
    ///
    /// # Errors
    /// What is wrong: the key, in words, and what to do.
    pub fn check(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        if self.settle.is_zero() || self.settle > LONGEST_SETTLE {
            return Err(("settle", "is not usable", "like \"10s\"; at most \"1h\""));
        }
        Ok(())
    }
}

/// A file that lies in the folder, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its name; may name people.
    pub name: OsString,
    print: Print,
}

/// By which is seen that a file changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Print {
    length: u64,
    modified: SystemTime,
}

impl Print {
    fn of(info: &Metadata) -> io::Result<Self> {
        Ok(Self { length: info.len(), modified: info.modified()? })
    }
}

/// What a look at the folder found.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Files that have stopped growing, oldest first.
    pub settled: Vec<Waiting>,
    /// Others are there that have not.
    pub is_growing: bool,
}

/// When the folder is to be looked at again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// When its time has come.
    #[default]
    InTime,
    /// As soon as what grows may have stopped.
    WhenSettled,
    /// At once: more is there than was taken up.
    AtOnce,
}

/// A file that is done with and could not be moved away.
#[derive(Debug)]
struct Stuck {
    print: Print,
    to: Shelf,
    report: String,
}

/// A watched folder. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Folder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: FolderSettings,
    /// Since when each file is as it is.
    seen: Mutex<HashMap<OsString, (Print, Timestamp)>>,
    stuck: Mutex<HashMap<OsString, Stuck>>,
    next: Mutex<Next>,
    /// Held by whoever touches the disk: one that does not answer must not take thread after thread.
    disk: Arc<tokio::sync::Mutex<()>>,
}

fn open<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Folder {
    /// The folder of an office.
    #[must_use]
    pub fn new(settings: FolderSettings) -> Self {
        let inner = Inner {
            settings,
            seen: Mutex::default(),
            stuck: Mutex::default(),
            next: Mutex::default(),
            disk: Arc::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Looks what lies there. A file that is seen for the first time is never settled: it is when
    /// it looks the same later, by its own size and time alone, since a server of files may have
    /// another clock.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn look(&self, now: Timestamp) -> Result<Look, SourceError> {
        self.on_disk(move |inner| inner.look(now)).await?
    }

    /// Makes the folders in which files go that are done with.
    ///
    /// # Errors
    /// When they are not there and cannot be made.
    pub async fn prepare(&self) -> Result<(), SourceError> {
        self.on_disk(|inner| {
            if open(&inner.stuck).len() >= MAX_STUCK {
                return Err(SourceError::wrong(
                    format!("{MAX_STUCK} files are done with and cannot be moved away"),
                    "let the service write in the folder and in done and failed below it",
                ));
            }
            Shelf::ALL.iter().try_for_each(|shelf| shelf.make(&inner.settings.path))
        })
        .await?
    }

    /// A hash of what is in a file; none when it is gone, or no longer as it was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn hash(&self, file: &Waiting) -> Result<Option<String>, SourceError> {
        let file = file.clone();
        self.on_disk(move |inner| match inner.hash(&file) {
            Ok(hash) => Ok(hash),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused("a file in the folder cannot be read", &error)),
        })
        .await?
    }

    /// Reads the cards of a file. What is wrong with the file is part of the answer.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub async fn read(&self, file: &Waiting, records: Records) -> Result<Contents, SourceError> {
        let (inner, path) = (Arc::clone(&self.inner), self.inner.path_of(file));
        let disk = self.disk().await?;
        let reading = tokio::task::spawn_blocking(move || {
            let _disk = disk;
            contents::read(&path, &inner.settings.columns, &records)
        });
        // A file at which the reader gives up is one that cannot be read.
        Ok(reading.await.unwrap_or_else(|_| Contents::unreadable()))
    }

    /// Whether a file is still as it was when it was looked at.
    ///
    /// # Errors
    /// When the disk does not answer.
    pub async fn is_same(&self, file: &Waiting) -> Result<bool, SourceError> {
        let file = file.clone();
        self.on_disk(move |inner| inner.is_same(&file)).await
    }

    /// Moves a file away, with a report beside it; the text `at` tells it from another of its name.
    /// A file that changed meanwhile stays, for it is another one. One that cannot be moved is
    /// remembered with its report.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub async fn put_away(
        &self,
        file: &Waiting,
        to: Shelf,
        report: String,
        at: String,
    ) -> Result<(), SourceError> {
        let file = file.clone();
        self.on_disk(move |inner| inner.put_away(&file, to, report, &at)).await?
    }

    /// Tries once more to move a file away that is done with; none when it is no such file.
    pub async fn put_away_again(
        &self,
        file: &Waiting,
        at: String,
    ) -> Option<Result<(), SourceError>> {
        let stuck = open(&self.inner.stuck).remove(&file.name)?;
        if stuck.print != file.print {
            return None;
        }
        Some(self.put_away(file, stuck.to, stuck.report, at).await)
    }

    /// Says when to look again.
    pub fn look_again(&self, next: Next) {
        *open(&self.inner.next) = next;
    }

    async fn disk(&self) -> Result<tokio::sync::OwnedMutexGuard<()>, SourceError> {
        let disk = Arc::clone(&self.inner.disk).lock_owned();
        tokio::time::timeout(PATIENCE, disk).await.map_err(|_| silent())
    }

    /// Does something that may take its time away from everybody else's.
    async fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        let disk = self.disk().await?;
        let inner = Arc::clone(&self.inner);
        let job = tokio::task::spawn_blocking(move || {
            let _disk = disk;
            job(&inner)
        });
        match tokio::time::timeout(PATIENCE, job).await {
            Ok(Ok(done)) => Ok(done),
            _ => Err(silent()),
        }
    }
}

impl Inner {
    fn path_of(&self, file: &Waiting) -> PathBuf {
        self.settings.path.join(&file.name)
    }

    fn look(&self, now: Timestamp) -> Result<Look, SourceError> {
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

    fn hash(&self, file: &Waiting) -> io::Result<Option<String>> {
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

    fn is_same(&self, file: &Waiting) -> bool {
        let info = self.path_of(file).symlink_metadata();
        info.and_then(|info| Print::of(&info)).is_ok_and(|print| print == file.print)
    }

    fn put_away(
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

struct Found {
    files: Vec<Waiting>,
    /// Names of the files by which programs mark what they have open.
    marks: Vec<OsString>,
}

/// What is a file with something in it and may be meant for us.
fn files(folder: &Path) -> io::Result<Found> {
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
fn refused(what: &str, error: &io::Error) -> SourceError {
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

fn silent() -> SourceError {
    SourceError::Unreachable("the disk of the folder does not answer".to_owned())
}

#[async_trait]
impl Source for Folder {
    /// The cards of everything that lies there, as a trial: nothing is moved.
    async fn read(&self, _from: Option<&str>, records: Records) -> Result<Reading, SourceError> {
        let found = self.on_disk(|inner| files(&inner.settings.path)).await?;
        let found = found.map_err(|error| refused("the folder cannot be read", &error))?;
        let mut reading = Reading::default();
        for file in found.files {
            if records.is_closed() {
                return Err(SourceError::Stopped);
            }
            let contents = Self::read(self, &file, records.clone()).await?;
            if let Some(fault) = contents.fault {
                *reading.skipped.entry(fault.code).or_default() += 1;
            }
        }
        Ok(reading)
    }

    async fn probe(&self) -> Result<String, SourceError> {
        let found = self.on_disk(|inner| files(&inner.settings.path)).await?;
        let found = found.map_err(|error| refused("the folder cannot be read", &error))?;
        Ok(format!("the folder can be read; files waiting: {}", found.files.len()))
    }

    async fn changed(&self) {
        let next = {
            let mut next = open(&self.inner.next);
            let this = *next;
            // Said once: a step that fails before it looks must not be tried without end.
            if this == Next::AtOnce {
                *next = Next::InTime;
            }
            this
        };
        match next {
            Next::AtOnce => {}
            Next::WhenSettled => tokio::time::sleep(self.inner.settings.settle + SLACK).await,
            Next::InTime => std::future::pending().await,
        }
    }

    fn as_folder(&self) -> Option<&Folder> {
        Some(self)
    }
}
