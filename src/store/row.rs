//! Reading columns back as checked types; a value that does not fit names its table and row.

use std::str::FromStr;

use super::StoreError;
use crate::domain::clock::Timestamp;

/// Reads a stored word, id or code.
pub(super) fn parse<T: FromStr>(
    table: &'static str,
    column: &'static str,
    id: &str,
    value: &str,
) -> Result<T, StoreError> {
    value.parse().map_err(|_| StoreError::Corrupt {
        table,
        column,
        id: id.to_owned(),
        reason: "not a value of its kind",
    })
}

/// The same where the column may be empty.
pub(super) fn parse_opt<T: FromStr>(
    table: &'static str,
    column: &'static str,
    id: &str,
    value: Option<&str>,
) -> Result<Option<T>, StoreError> {
    value.map(|value| parse(table, column, id, value)).transpose()
}

/// A stored moment that may be missing.
pub(super) fn time(ms: Option<i64>) -> Option<Timestamp> {
    ms.map(Timestamp::from_ms)
}
