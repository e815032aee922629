//! The language in which somebody is answered.
//!
//! Regional languages are understood, but answered in plain Indonesian; they have no value here.

use crate::words;

words! {
    /// In which language somebody is answered.
    pub enum Language {
        /// Plain Indonesian.
        Indonesian = "id",
        /// Plain English.
        English = "en",
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::Indonesian
    }
}
