//! Files on their way to a provider: their bytes, or the name by which it knows them already.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::attachment::Attachment;

/// Code of a refusal because the provider does not know a file by its name any more, where it has none of its own.
pub const FILE_LOST: &str = "file_lost";

/// How the provider gets a file.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum FileSource {
    /// Not settled yet.
    #[default]
    Unsettled,
    /// It has it, under that name.
    Known(String),
    /// It comes with the message.
    Bytes(Bytes),
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsettled => f.write_str("Unsettled"),
            Self::Known(_) => f.write_str("Known(…)"),
            Self::Bytes(bytes) => write!(f, "Bytes({} B)", bytes.len()),
        }
    }
}

/// A file that is handed over by itself.
#[derive(Clone, Debug)]
pub struct Upload<'a> {
    /// What it is.
    pub file: &'a Attachment,
    /// All of it.
    pub bytes: Bytes,
}

/// The provider has a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Under that name.
    pub handle: String,
    /// For so long; for ever where it says nothing.
    pub lasts: Option<Duration>,
}
