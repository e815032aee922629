//! Foreign files and databases, read into the raw forms that `domain` checks.
//!
//! Tells what is where and keeps it as it was written; whether it is a NIK, a status or a number
//! is for `domain` to say. Never writes to a source and never touches our own database.

pub mod area_table;
pub mod spreadsheet;
