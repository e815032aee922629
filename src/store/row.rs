//! Reading columns back as checked types; a value that does not fit names its table and row.

use std::str::FromStr;

use super::db::sql;
use super::{Db, StoreError};
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

/// Whether a condition on the range `$1` to `$2` finds so few rows, at most: what is few is picked out and put in order,
/// what is much is walked in its order.
pub(super) async fn is_few(
    db: &Db,
    (table, condition): (&str, &str),
    [from, to]: [String; 2],
    few: i64,
) -> Result<bool, StoreError> {
    let count: i64 = sqlx::query_scalar(sql(format!(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM {table} WHERE {condition} LIMIT $3) AS few"
    )))
    .bind(from)
    .bind(to)
    .bind(few + 1)
    .fetch_one(db.reader())
    .await?;
    Ok(count <= few)
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

/// The same as ranges that follow each other: with `with_unknown` also those of whom no area is known, who come
/// first.
pub(super) fn area_ranges(area: &AreaCode, with_unknown: bool) -> Vec<[String; 2]> {
    let known = area_range(area);
    // No code begins with a letter, or with less than a digit: this holds the empty text alone.
    let unknown = [String::new(), "0".to_owned()];
    if with_unknown && !known[0].is_empty() {
        vec![unknown, known]
    } else if with_unknown {
        vec![known]
    } else {
        // A range from nothing on would hold also what has no area.
        let [from, to] = known;
        vec![[if from.is_empty() { "0".to_owned() } else { from }, to]]
    }
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

    #[test]
    fn who_has_no_area_is_in_the_ranges_of_the_whole_office_alone() {
        let holds = |area: &AreaCode, with_unknown, code: &str| {
            let ranges = area_ranges(area, with_unknown);
            ranges.iter().filter(|[from, to]| from.as_str() <= code && code < to.as_str()).count()
        };
        let office = AreaCode::parse("35.17").unwrap();
        for area in [office, AreaCode::nationwide()] {
            assert_eq!(holds(&area, true, ""), 1);
            assert_eq!(holds(&area, false, ""), 0);
            assert_eq!(holds(&area, true, "351709"), 1);
            assert_eq!(holds(&area, false, "351709"), 1);
        }
    }
}
