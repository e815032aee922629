//! The language in which somebody is answered.
//!
//! Regional languages are understood, but answered in plain Indonesian; they have no value here.

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// In which language somebody is answered.
    #[derive(Default, Serialize, Deserialize)]
    pub enum Language {
        /// Plain Indonesian.
        #[default]
        #[serde(rename = "id")]
        Indonesian = "id",
        /// Plain English.
        #[serde(rename = "en")]
        English = "en",
    }
}
