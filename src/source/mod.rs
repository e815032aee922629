//! Foreign files and databases, read into the raw forms that `domain` checks.
//!
//! Tells what is where and keeps it as it was written; whether it is a NIK, a status or a number
//! is for `domain` to say. Never writes to a source and never touches our own database.

pub mod area_table;
mod database;
pub mod folder;
pub mod opensid;
pub mod spreadsheet;
pub mod sql;

use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::domain::absence::Absence;
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::outbound::ChatId;
use crate::domain::raw_update::RawUpdate;
use crate::domain::status_word::parse_document;
use folder::{Folder, FolderSettings};
use opensid::OpenSidSettings;
use sql::SqlSettings;

/// One record of a source as it is now.
#[derive(Clone, Default)]
pub struct Record {
    /// Names the record within its source, always the same; may hold a NIK.
    pub key: String,
    /// What it says of a card. Its id is not read, and its time may be missing.
    pub update: RawUpdate,
    /// When it was last changed, by the source's own clock.
    pub changed_at: Option<Timestamp>,
    /// Why its person is not told of cards.
    pub absence: Option<Absence>,
    /// The person's chat, and whether they want to be told there.
    pub chat: Option<VerifiedChat>,
    /// Where in a file it stands, for whoever mends it; none in a database.
    pub place: Option<Place>,
}

/// A place in a spreadsheet, as a spreadsheet program shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The sheet, in a workbook.
    pub sheet: Option<String>,
    /// The row, from 1.
    pub row: u64,
}

/// Never shows a person.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record(…)")
    }
}

/// A chat whose owner proved to the source that it is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedChat {
    /// The chat.
    pub chat: ChatId,
    /// They want to be told there.
    pub is_preferred: bool,
}

/// Every kind of source there is, with what it is configured with.
#[derive(Clone, Debug)]
pub enum Kind {
    /// OpenSID, the register of a desa.
    OpenSid(OpenSidSettings),
    /// Any database.
    Sql(SqlSettings),
    /// A folder of spreadsheets.
    Folder(FolderSettings),
}

/// Where records go while a source is read. Waits while the other side is busy, so that a source of
/// any size takes little memory.
pub type Records = mpsc::Sender<Record>;

/// What a reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// From where the next one goes on; none when the source has no such place.
    pub position: Option<String>,
    /// Records that say nothing of a card, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// What must be mended although all was read that could be.
    pub trouble: Option<SourceError>,
    /// More waits to be read: a first reading has not ended.
    pub is_partial: bool,
}

/// Why a source cannot be read. Holds no secret and no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It did not answer, or broke off; it may answer later.
    #[error("{0}")]
    Unreachable(String),
    /// It answers, and something about it must be mended first.
    #[error("{what}")]
    Misconfigured {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Whoever took the records has stopped.
    #[error("nobody takes the records any more")]
    Stopped,
}

impl SourceError {
    /// Something that must be mended.
    pub fn wrong(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Misconfigured { what: what.into(), hint: hint.into() }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::Unreachable(_) => "look whether it runs and whether this machine reaches it",
            Self::Misconfigured { hint, .. } => hint,
            Self::Stopped => "start again",
        }
    }
}

/// Something that is watched.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// Reads what may have changed since `from`, or everything. What is read twice does no harm.
    async fn read(&self, from: Option<&str>, records: Records) -> Result<Reading, SourceError>;

    /// Looks whether it can be read, and tells what was found.
    async fn probe(&self) -> Result<String, SourceError>;

    /// Returns when the source itself says that something changed.
    async fn changed(&self) {
        pending::<()>().await;
    }

    /// The folder that it is, where what was read has to be put away.
    fn as_folder(&self) -> Option<&Folder> {
        None
    }
}

/// Names a paper of somebody, the same in whatever words it is called. Where none is named it is a
/// KTP-el.
fn paper(whose: &str, document: &str) -> String {
    let document = match document.trim() {
        "" => Document::KtpEl.as_str().to_owned(),
        word => parse_document(word)
            .map_or_else(|_| word.to_lowercase(), |document| document.as_str().to_owned()),
    };
    format!("{whose}/{document}")
}

/// Hands a record over.
async fn put(records: &Records, record: Record) -> Result<(), SourceError> {
    records.send(record).await.map_err(|_| SourceError::Stopped)
}
