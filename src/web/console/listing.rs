//! What every list has: its tabs, the cursor that a link carries, and whether another page follows.

use std::str::FromStr;

use crate::web::error::Error;

/// One of several lists, or the link to it.
pub(super) struct Tab {
    pub(super) name: &'static str,
    pub(super) href: String,
    pub(super) count: Option<i64>,
    pub(super) is_here: bool,
}

/// The word that stands for a value in links.
pub(super) fn slug<T: PartialEq>(of: &[(T, &'static str)], value: &T) -> &'static str {
    of.iter().find(|(one, _)| one == value).map_or("", |(_, slug)| slug)
}

/// The value for which a link has that word.
pub(super) fn named<T: Copy>(of: &[(T, &'static str)], word: &str) -> Option<T> {
    of.iter().find(|(_, slug)| *slug == word).map(|(one, _)| *one)
}

/// The row behind which a page begins; the first page has none.
pub(super) fn cursor<T: FromStr>(text: &str) -> Result<Option<T>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Error::NotFound)
}

/// The last row of a full page: behind it there may be more.
pub(super) fn last_of_full<T>(rows: &[T], page: i64) -> Option<&T> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == page);
    rows.last().filter(|_| is_full)
}
