//! Codes of administrative areas, and the time zone that follows from them.
//!
//! A code says where something lies in the tree provinsi – kabupaten or kota – kecamatan – desa or
//! kelurahan. Whether an area of that code exists today is not known here: areas are split and
//! renamed every year, so an unfamiliar code is never refused.

use std::fmt;
use std::str::FromStr;

use chrono::{FixedOffset, Offset as _, Utc};

/// Where, counted in digits, each level of a code ends.
const ENDS: [usize; 4] = [2, 4, 6, 10];

/// An area, as its canonical dotted code: `35`, `35.17`, `35.17.09` or `35.17.09.2018`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode {
    digits: String,
}

/// Why a text is no area code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// Nothing was given.
    #[error("the area code is empty")]
    Empty,
    /// Something else than digits and dots.
    #[error("an area code consists of digits and dots, like 35.17.09.2018")]
    NotDigits,
    /// Not cut into 2, 2, 2 and 4 digits.
    #[error("an area code has 2, 4, 6 or 10 digits: 35, 35.17, 35.17.09 or 35.17.09.2018")]
    WrongLength,
    /// No province begins with a zero.
    #[error("no province code begins with 0")]
    NoProvince,
}

/// How deep in the tree an area lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AreaLevel {
    /// A province.
    Provinsi,
    /// A regency, or a city (kota) of the same rank.
    Kabupaten,
    /// A district of a regency.
    Kecamatan,
    /// A village, or a town ward (kelurahan) of the same rank.
    Desa,
}

/// A time zone of Indonesia. None of them has summer time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zone {
    /// Western Indonesian time, UTC+7.
    Wib,
    /// Central Indonesian time, UTC+8.
    Wita,
    /// Eastern Indonesian time, UTC+9.
    Wit,
}

impl AreaCode {
    /// Reads a code written with dots, spaces or dashes between its parts, or as plain digits.
    ///
    /// # Errors
    /// [`AreaError`] when it is empty, holds anything else, or is not cut at a level.
    pub fn parse(raw: &str) -> Result<Self, AreaError> {
        let raw = raw.trim().trim_start_matches(['\'', '’']);
        let mut digits = String::with_capacity(10);
        for part in raw.split(|c: char| c.is_whitespace() || matches!(c, '.' | '-')) {
            if part.is_empty() {
                continue;
            }
            if !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(AreaError::NotDigits);
            }
            digits.push_str(part);
            // Also what a spreadsheet made of `35.10` (3.51, 35.1) ends between two levels.
            if !ENDS.contains(&digits.len()) {
                return Err(AreaError::WrongLength);
            }
        }
        match digits.bytes().next() {
            None => Err(AreaError::Empty),
            Some(b'0') => Err(AreaError::NoProvince),
            Some(_) => Ok(Self { digits }),
        }
    }

    /// The kecamatan that the first six digits of a NIK name.
    pub(super) fn of_nik(six_digits: &str) -> Self {
        Self { digits: six_digits.to_owned() }
    }

    /// The whole country: what holds there holds where nobody knows where somebody lives.
    #[must_use]
    pub const fn nationwide() -> Self {
        Self { digits: String::new() }
    }

    /// The digits without dots.
    #[must_use]
    pub fn plain(&self) -> &str {
        &self.digits
    }

    /// Whether this area is `ancestor` or lies in it.
    #[must_use]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.digits.starts_with(&ancestor.digits)
    }

    /// The smallest area that holds both; none when they lie in different provinces.
    #[must_use]
    pub fn common(&self, other: &Self) -> Option<Self> {
        let holds = |end: &&usize| {
            let start = self.digits.get(..**end);
            start.is_some() && start == other.digits.get(..**end)
        };
        let end = ENDS.iter().rev().find(holds)?;
        self.digits.get(..*end).map(|digits| Self { digits: digits.to_owned() })
    }

    /// How deep in the tree this area lies.
    #[must_use]
    pub fn level(&self) -> AreaLevel {
        match self.digits.len() {
            ..=2 => AreaLevel::Provinsi,
            3..=4 => AreaLevel::Kabupaten,
            5..=6 => AreaLevel::Kecamatan,
            7.. => AreaLevel::Desa,
        }
    }

    /// The province it lies in.
    #[must_use]
    pub fn province(&self) -> Self {
        Self { digits: self.digits.chars().take(2).collect() }
    }

    /// The kabupaten or kota it lies in, or is; none for a whole province.
    #[must_use]
    pub fn kabupaten(&self) -> Option<Self> {
        self.digits.get(..4).map(|digits| Self { digits: digits.to_owned() })
    }

    /// The kecamatan it lies in, or is.
    #[must_use]
    pub fn kecamatan(&self) -> Option<Self> {
        self.digits.get(..6).map(|digits| Self { digits: digits.to_owned() })
    }

    /// Whether its province is one of the 38 that exist.
    #[must_use]
    pub fn has_known_province(&self) -> bool {
        self.known_zone().is_some()
    }

    /// The time zone of its province; WIB, where most people live, for an unknown province.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.known_zone().unwrap_or(Zone::Wib)
    }

    /// Zones as Keppres 41/1987 draws them, province by province.
    fn known_zone(&self) -> Option<Zone> {
        match self.digits.get(..2)?.parse::<u8>().ok()? {
            11..=19 | 21 | 31..=36 | 61 | 62 => Some(Zone::Wib),
            51..=53 | 63..=65 | 71..=76 => Some(Zone::Wita),
            81 | 82 | 91..=96 => Some(Zone::Wit),
            _ => None,
        }
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut start = 0;
        for end in ENDS {
            let Some(part) = self.digits.get(start..end) else { break };
            if start > 0 {
                f.write_str(".")?;
            }
            f.write_str(part)?;
            start = end;
        }
        Ok(())
    }
}

impl FromStr for AreaCode {
    type Err = AreaError;
    fn from_str(text: &str) -> Result<Self, AreaError> {
        Self::parse(text)
    }
}

impl Zone {
    /// Its distance from UTC.
    #[must_use]
    pub fn offset(self) -> FixedOffset {
        let hours = match self {
            Self::Wib => 7,
            Self::Wita => 8,
            Self::Wit => 9,
        };
        FixedOffset::east_opt(hours * 3600).unwrap_or_else(|| Utc.fix())
    }

    /// What stands behind a time of day: `WIB`, `WITA` or `WIT`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Wib => "WIB",
            Self::Wita => "WITA",
            Self::Wit => "WIT",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn area(raw: &str) -> AreaCode {
        AreaCode::parse(raw).unwrap()
    }

    #[test]
    fn every_way_of_writing_a_code_becomes_the_dotted_one() {
        for raw in [
            "35.17.09.2018",
            "3517092018",
            " 35.17.09.2018 ",
            "35 17 09 2018",
            "35.17. 09.2018",
            "35-17-09-2018",
            "351709.2018",
            "'3517092018",
        ] {
            assert_eq!(area(raw).to_string(), "35.17.09.2018", "{raw}");
        }
        assert_eq!(area("35").to_string(), "35");
        assert_eq!(area("3517").to_string(), "35.17");
        assert_eq!(area("35.17.09").to_string(), "35.17.09");
        assert_eq!(area("35.17.09.2018").plain(), "3517092018");
    }

    #[test]
    fn what_is_cut_between_levels_is_refused() {
        for raw in
            ["3", "351", "35.1", "35.170", "35.17.9", "35.17.09.201", "35.17.09.20181", "3.51"]
        {
            assert_eq!(AreaCode::parse(raw), Err(AreaError::WrongLength), "{raw}");
        }
        assert_eq!(AreaCode::parse(" . "), Err(AreaError::Empty));
        assert_eq!(AreaCode::parse("Jabon"), Err(AreaError::NotDigits));
        assert_eq!(AreaCode::parse("３５"), Err(AreaError::NotDigits));
        assert_eq!(AreaCode::parse("05.17"), Err(AreaError::NoProvince));
    }

    #[test]
    fn an_area_lies_in_itself_and_in_all_above_it_only() {
        let jabon = area("35.17.09.2018");
        for ancestor in ["35", "35.17", "35.17.09", "35.17.09.2018"] {
            assert!(jabon.is_within(&area(ancestor)), "{ancestor}");
        }
        for other in ["36", "35.18", "35.17.08", "35.17.09.2019"] {
            assert!(!jabon.is_within(&area(other)), "{other}");
        }
        assert!(!area("35.17").is_within(&jabon));
        assert_eq!(jabon.province(), area("35"));
    }

    #[test]
    fn two_areas_meet_in_the_smallest_that_holds_both() {
        let jabon = area("35.17.09.2018");
        for (other, both) in [
            ("35.17.09.2018", Some("35.17.09.2018")),
            ("35.17.09.2019", Some("35.17.09")),
            ("35.17.08", Some("35.17")),
            ("35.18", Some("35")),
            ("36", None),
        ] {
            assert_eq!(jabon.common(&area(other)), both.map(area), "{other}");
        }
    }

    #[test]
    fn the_level_follows_from_the_length() {
        use AreaLevel as L;
        let levels = ["35", "35.17", "35.17.09", "35.17.09.2018"].map(|raw| area(raw).level());
        assert_eq!(levels, [L::Provinsi, L::Kabupaten, L::Kecamatan, L::Desa]);
    }

    #[test]
    fn kapuas_and_banjarmasin_are_neighbours_an_hour_apart() {
        assert_eq!(area("62.03").zone(), Zone::Wib);
        assert_eq!(area("63.71").zone(), Zone::Wita);
        assert_eq!(area("63.71").zone().label(), "WITA");
        assert_eq!(area("91").zone().offset().local_minus_utc(), 9 * 3600);
        assert_eq!(Zone::Wib.offset().local_minus_utc(), 7 * 3600);
    }

    #[test]
    fn there_are_38_provinces_and_an_unknown_one_keeps_western_time() {
        let all = (10..100).map(|n: u8| area(&n.to_string()));
        assert_eq!(all.filter(AreaCode::has_known_province).count(), 38);
        assert_eq!(area("99").zone(), Zone::Wib);
    }

    proptest! {
        #[test]
        fn a_printed_code_reads_back_as_itself(digits in "[1-9][0-9]{9}", level in 0..4_usize) {
            let code = area(&digits[..ENDS[level]]);
            prop_assert_eq!(AreaCode::parse(&code.to_string()), Ok(code.clone()));
            prop_assert_eq!(AreaCode::parse(code.plain()), Ok(code));
        }

        #[test]
        fn no_text_makes_the_parser_stumble(raw in ".{0,40}") {
            let _ = AreaCode::parse(&raw);
        }
    }
}
