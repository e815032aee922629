//! Reading columns back as checked types; a value that does not fit names its table and row.

use std::str::FromStr;

use super::StoreError;
use crate::domain::area::AreaCode;
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

/// From which digits, and up to which, the codes lie that are within an area: `replace(area, '.', '')` is at least
/// the first and less than the second.
pub(super) fn area_range(area: &AreaCode) -> [String; 2] {
    let from = area.plain().to_owned();
    // The code that follows has the same number of digits, unless this is the last: letters come behind digits.
    let next = from.parse::<u64>().ok().map(|code| (code + 1).to_string());
    let to = next.filter(|next| next.len() == from.len()).unwrap_or_else(|| "a".to_owned());
    [from, to]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_an_area_holds_all_within_it_and_nothing_else() {
        for (area, inside, outside) in [
            ("35.17", "3517", "3518"),
            ("35.17", "3517092018", "3516999999"),
            ("35.17.09", "351709", "351710"),
            ("99", "9999", "98"),
        ] {
            let [from, to] = area_range(&AreaCode::parse(area).unwrap());
            assert!(from.as_str() <= inside && inside < to.as_str(), "{area}");
            assert!(!(from.as_str() <= outside && outside < to.as_str()), "{area}");
        }
        let [from, to] = area_range(&AreaCode::nationwide());
        assert!(from.as_str() <= "1101" && "9999" < to.as_str());
    }
}
