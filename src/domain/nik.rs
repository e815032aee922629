//! The NIK, the sixteen digits that name one inhabitant for life.
//!
//! Refuses what cannot be one, above all what a spreadsheet has damaged, and says what to do about
//! it. Never derives sex from the digits, and a birthday only to leave children in peace and to find
//! who turns 17; never shows them, and never repeats a refused text, which may be somebody's NIK with
//! one digit amiss.

use std::fmt;

use chrono::{Datelike as _, NaiveDate};

use super::area::AreaCode;

/// A NIK. Masks itself wholly in `Debug`; has no `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nik(String);

/// Why a text is no NIK, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NikError {
    /// Nothing was given.
    #[error("the NIK is empty; give its 16 digits as text")]
    Empty,
    /// `3.517E+15`.
    #[error(
        "the NIK was turned into a number in scientific notation by a spreadsheet and its last \
         digits are lost; format the column as text and fill in the NIK again from the source"
    )]
    ScientificNotation,
    /// It went through a floating point number, whose last digit is not the NIK's.
    #[error(
        "the NIK was turned into a number by a spreadsheet, which keeps 15 digits and makes the \
         last ones 0; format the column as text and fill in the NIK again from the source"
    )]
    FloatDamaged,
    /// Fifteen digits.
    #[error(
        "the NIK has 15 digits instead of 16; probably a leading digit was lost when the column \
         was read as a number: format it as text and fill in the NIK again from the source"
    )]
    LostLeadingDigit,
    /// More than sixteen digits.
    #[error("the NIK has {digits} digits instead of 16; look for two values in one cell")]
    TooLong {
        /// How many there were.
        digits: usize,
    },
    /// Fewer than fifteen digits.
    #[error("the NIK has {digits} digits instead of 16; fill in the missing ones from the source")]
    WrongLength {
        /// How many there were.
        digits: usize,
    },
    /// Something else than digits and separators.
    #[error("the NIK holds something else than digits; give its 16 digits and nothing more")]
    NotDigits,
    /// OpenSID's stand-in for people without a NIK: `0`, the code of the desa, five digits.
    #[error(
        "this is a temporary number given by a desa (it begins with 0), not a NIK; send the \
         update again once the person has a NIK"
    )]
    Temporary,
}

/// What is odd about a NIK that is taken all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NikWarning {
    /// Its first two digits are no province that is known here.
    #[error("the NIK begins with an unknown province code")]
    UnknownProvince,
    /// Its middle digits are no date. The registry holds such NIKs, and a NIK never changes.
    #[error("the seventh to twelfth digit of the NIK are no possible date")]
    ImpossibleDate,
}

impl NikError {
    /// The code under which the API rejects an item for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "invalid_nik"
    }
}

impl NikWarning {
    /// For programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownProvince => "unknown_area_prefix",
            Self::ImpossibleDate => "impossible_birth_date",
        }
    }
}

impl Nik {
    /// Reads sixteen digits, tolerating white space, dots, commas and dashes between them and the
    /// apostrophe with which spreadsheets mark text.
    ///
    /// # Errors
    /// [`NikError`], which names the damage and never the digits.
    pub fn parse(raw: &str) -> Result<Self, NikError> {
        let raw = raw.trim_matches(|c: char| c.is_whitespace() || is_quote(c) || is_invisible(c));
        if is_scientific(raw) {
            return Err(NikError::ScientificNotation);
        }
        if is_formatted_number(raw) {
            return Err(NikError::FloatDamaged);
        }
        let mut digits = String::with_capacity(16);
        for c in raw.chars() {
            match c {
                '0'..='9' => digits.push(c),
                '.' | ',' | '-' | '–' | '—' | '_' => {}
                c if c.is_whitespace() || is_invisible(c) => {}
                _ => return Err(NikError::NotDigits),
            }
        }
        if digits.is_empty() {
            return Err(NikError::Empty);
        }
        if digits.bytes().all(|b| b == b'0') {
            return Err(NikError::Temporary);
        }
        match digits.len() {
            16 if digits.starts_with('0') => Err(NikError::Temporary),
            // Serial numbers run from 0001 (PP 37/2007, article 37).
            16 if digits.ends_with("0000") => Err(NikError::FloatDamaged),
            16 => Ok(Self(digits)),
            15 => Err(NikError::LostLeadingDigit),
            digits @ 17.. => Err(NikError::TooLong { digits }),
            digits => Err(NikError::WrongLength { digits }),
        }
    }

    /// The digits, where they are really needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The kecamatan where it was given out; not where its holder lives now.
    #[must_use]
    pub fn area(&self) -> AreaCode {
        AreaCode::of_nik(self.0.get(..6).unwrap_or(&self.0))
    }

    /// What is odd about it, if anything.
    #[must_use]
    pub fn warning(&self) -> Option<NikWarning> {
        if !self.area().has_known_province() {
            Some(NikWarning::UnknownProvince)
        } else if !self.has_possible_date() {
            Some(NikWarning::ImpossibleDate)
        } else {
            None
        }
    }

    /// The birthday that the middle tells, never after `today`; none when it is no date. Of the two
    /// centuries that fit, the later one.
    #[must_use]
    pub fn birthday(&self, today: NaiveDate) -> Option<NaiveDate> {
        let pair = |at: usize| self.0.get(at..at + 2).and_then(|p| p.parse::<u32>().ok());
        let (day, month, year) = (pair(6)?, pair(8)?, pair(10)?);
        let day = if day > 40 { day - 40 } else { day };
        let century = i32::try_from(year).ok()? + today.year() / 100 * 100;
        let in_year = |year| NaiveDate::from_ymd_opt(year, month, day);
        in_year(century).filter(|date| *date <= today).or_else(|| in_year(century - 100))
    }

    /// Whether the middle is DDMMYY, with 40 added to a woman's day.
    fn has_possible_date(&self) -> bool {
        let pair = |at: usize| self.0.get(at..at + 2).and_then(|p| p.parse::<u8>().ok());
        let (Some(day), Some(month)) = (pair(6), pair(8)) else { return false };
        let day = if day > 40 { day - 40 } else { day };
        // The century is not told, so that 29 February may be right in any year.
        let longest = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=longest).contains(&day)
    }
}

impl fmt::Debug for Nik {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nik(…)")
    }
}

/// `'3517…`, `"3517…"`, and `="3517…"` by which spreadsheets are made to keep text.
const fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '"' | '=')
}

/// Marks without a shape that come along when a number is copied from a chat or a page.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}')
}

/// Whether this is a number like `3.517E+15` or `3,51709e15`.
fn is_scientific(raw: &str) -> bool {
    let Some((mantissa, exponent)) = raw.split_once(['e', 'E']) else { return false };
    let exponent = exponent.trim_start_matches(['+', '-']);
    let is_number = |text: &str, also: &[char]| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || also.contains(&c))
    };
    is_number(mantissa, &['.', ',', ' ']) && is_number(exponent, &[])
}

/// Whether this was printed from a number: with decimals that are zero (`3517091208560001.0`), or
/// in groups of three with the last digit 0 (`3.517.091.208.560.000`), as 15 kept digits leave it.
fn is_formatted_number(raw: &str) -> bool {
    let parts: Vec<&str> = raw.split(['.', ',']).collect();
    let [whole @ .., last] = parts.as_slice() else { return false };
    let [first, thousands @ ..] = whole else { return false };
    if last.is_empty() || !raw.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',') {
        return false;
    }
    let is_decimals = last.bytes().all(|b| b == b'0');
    let is_grouped = first.len() <= 3
        && !thousands.is_empty()
        && thousands.iter().chain([last]).all(|part| part.len() == 3);
    is_decimals || (is_grouped && last.ends_with('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(raw: &str) -> NikError {
        Nik::parse(raw).unwrap_err()
    }

    fn warned(raw: &str) -> Option<NikWarning> {
        Nik::parse(raw).unwrap().warning()
    }

    #[test]
    fn sixteen_digits_are_taken_however_they_are_set_apart() {
        for raw in [
            "3517091208560001",
            " 3517091208560001\n",
            "'3517091208560001",
            "=\"3517091208560001\"",
            "\u{feff}3517091208560001\u{202c}",
            "3517 0912 0856 0001",
            "35.17.09.120856.0001",
            "3517-0912-0856-0001",
            "35.17.09\u{a0}120856–0001",
            "3517091208560001.",
            "3.517.091.208.560.001",
        ] {
            assert_eq!(
                Nik::parse(raw).map(|nik| nik.0),
                Ok("3517091208560001".to_owned()),
                "{raw}"
            );
        }
    }

    #[test]
    fn scientific_notation_is_told_apart_from_other_nonsense() {
        for raw in ["3.517E+15", "3,517E+15", "3.51709E15", "3,51709120856E+15", "3.5e15", "4E+15"]
        {
            assert_eq!(refused(raw), NikError::ScientificNotation, "{raw}");
        }
        for raw in ["E15", "3517E", "3517E+", "SITI", "3517O91208560001", "-E-"] {
            assert_eq!(refused(raw), NikError::NotDigits, "{raw}");
        }
    }

    #[test]
    fn what_went_through_a_float_is_refused_as_damaged() {
        for raw in [
            "3517091208560000.0",
            "3517091208560000,0",
            "3517091208560001.0",
            "3517091208560010.00",
            "351709120856000.0",
            "3.517.091.208.560.000",
            "3,517,091,208,560,010",
            "3517091208560000",
            "3517 0912 0856 0000",
        ] {
            assert_eq!(refused(raw), NikError::FloatDamaged, "{raw}");
        }
    }

    #[test]
    fn a_serial_number_may_end_in_zeros_but_not_be_zero() {
        for raw in ["3517091208560010", "3517091208560100", "3517091208561000", "3517091208569990"]
        {
            assert!(Nik::parse(raw).is_ok(), "{raw}");
        }
        assert_eq!(refused("3517091208560000"), NikError::FloatDamaged);
    }

    #[test]
    fn a_wrong_number_of_digits_is_named_without_the_digits() {
        assert_eq!(refused("517091208560001"), NikError::LostLeadingDigit);
        assert_eq!(refused("35170912085600011"), NikError::TooLong { digits: 17 });
        assert_eq!(refused("35170912085600013517091208560002"), NikError::TooLong { digits: 32 });
        assert_eq!(refused("351709"), NikError::WrongLength { digits: 6 });
        for raw in ["", "  ", "'", "-", "\u{feff}"] {
            assert_eq!(refused(raw), NikError::Empty, "{raw:?}");
        }
    }

    #[test]
    fn a_temporary_nik_of_a_desa_is_never_taken_for_a_real_one() {
        for raw in ["0351709201800001", "0", "0000000000000000", "00", "0.0.0"] {
            assert!(matches!(refused(raw), NikError::Temporary | NikError::FloatDamaged), "{raw}");
        }
        assert_eq!(refused("0351709201800001"), NikError::Temporary);
        assert_eq!(refused("0"), NikError::Temporary);
    }

    #[test]
    fn an_unknown_province_is_a_warning_and_no_error() {
        assert_eq!(warned("2017091208560001"), Some(NikWarning::UnknownProvince));
        assert_eq!(warned("9917091208560001"), Some(NikWarning::UnknownProvince));
        for province in [11, 19, 21, 31, 36, 51, 53, 61, 65, 71, 76, 81, 82, 91, 96] {
            assert_eq!(warned(&format!("{province}17091208560001")), None, "{province}");
        }
    }

    #[test]
    fn a_date_that_cannot_be_is_a_warning_and_no_error() {
        for date in [
            "123456", "000190", "320190", "400190", "410090", "411390", "720190", "300290",
            "710480",
        ] {
            let nik = format!("351709{date}0001");
            assert_eq!(warned(&nik), Some(NikWarning::ImpossibleDate), "{date}");
        }
        for date in ["010190", "310190", "410190", "710190", "290201", "690201", "300480", "700480"]
        {
            assert_eq!(warned(&format!("351709{date}0001")), None, "{date}");
        }
    }

    #[test]
    fn the_area_is_the_kecamatan_of_the_first_six_digits() {
        let nik = Nik::parse("3517091208560001").unwrap();
        assert_eq!(nik.area().to_string(), "35.17.09");
        assert_eq!(Ok(nik.area()), AreaCode::parse("351709"));
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_digit_of_it() {
        let nik = Nik::parse("3517091208560001").unwrap();
        assert_eq!(format!("{nik:?}"), "Nik(…)");
        for raw in ["351709120856987", "3517091208569871", "3.51709120856987E+15", "98765x"] {
            if let Err(error) = Nik::parse(raw) {
                assert!(!format!("{error} {error:?}").contains("987"), "{error}");
                assert_eq!(error.code(), "invalid_nik");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_sixteen_digits_and_reads_back_as_itself(raw in "[0-9 .,eE+'-]{0,24}|.{0,24}") {
            if let Ok(nik) = Nik::parse(&raw) {
                prop_assert_eq!(nik.expose().len(), 16);
                prop_assert!(nik.expose().bytes().all(|b| b.is_ascii_digit()));
                prop_assert_eq!(Nik::parse(nik.expose()), Ok(nik.clone()));
                let _ = nik.warning();
            }
        }
    }
}
