//! A folder into which an office puts its spreadsheets.

use std::path::PathBuf;

use serde::Deserialize;

/// Where such a folder is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSettings {
    /// The folder.
    pub path: PathBuf,
}
