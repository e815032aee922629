//! One cell: what a file holds, and the text that is meant by it.
//!
//! A number stays the number it was, so that a NIK which went through a float is recognised.
//! Never computes a formula and never hands one on.

use calamine::{Data, ExcelDateTime, ExcelDateTimeType};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::field::Field;

/// What stands for a formula of a text file, which holds no result that could be read.
const FORMULA: &str = "(formula)";
/// What stands for `#REF!` and the like.
const FAULT: &str = "(error)";
/// Longest text taken, in characters; longer than anything that is checked later.
pub(super) const MAX_CHARS: usize = 2000;
/// Numbers in a column of dates that can only be days since 1900: 1954 to 2119.
const DAYS: std::ops::Range<f64> = 20_000.0..80_000.0;

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    #[default]
    Empty,
    Text(String),
    Number(ExcelDateTime),
    /// A number shown as a date, a time or both.
    Moment(ExcelDateTime),
}

impl Cell {
    /// A field of a text file.
    pub(super) fn from_text(text: &str) -> Self {
        let text = shortened(text);
        // ="0812…" is how programs keep a spreadsheet from taking text for a number.
        let constant = text
            .trim()
            .strip_prefix("=\"")
            .and_then(|rest| rest.strip_suffix('"'))
            .filter(|inner| !inner.contains('"'));
        match constant {
            Some(constant) => Self::written(constant),
            None if text.trim_start().starts_with('=') => Self::Text(FORMULA.to_owned()),
            None => Self::written(text),
        }
    }

    /// A cell of a workbook.
    pub(super) fn from_data(data: Data, is_1904: bool) -> Self {
        match data {
            Data::Int(number) => match i32::try_from(number) {
                Ok(number) => Self::number(f64::from(number), is_1904),
                Err(_) => Self::Text(format!("{number}.0")),
            },
            Data::Float(number) => Self::number(number, is_1904),
            Data::String(text) => Self::written(&text),
            Data::Bool(value) => Self::Text(value.to_string()),
            Data::DateTime(moment) => Self::Moment(moment),
            Data::DateTimeIso(text) => Self::Text(text.trim_end_matches("T00:00:00").to_owned()),
            Data::DurationIso(text) => Self::Text(clock_time(&text).unwrap_or(text)),
            Data::Error(_) => Self::Text(FAULT.to_owned()),
            Data::Empty => Self::Empty,
        }
    }

    fn number(value: f64, is_1904: bool) -> Self {
        Self::Number(ExcelDateTime::new(value, ExcelDateTimeType::DateTime, is_1904))
    }

    /// Text, or nothing where a dash says so.
    pub(super) fn written(text: &str) -> Self {
        let is_nothing = text.chars().all(|c| c.is_whitespace() || matches!(c, '-' | '–' | '—'));
        if is_nothing { Self::Empty } else { Self::Text(shortened(text).to_owned()) }
    }

    pub(super) fn is_blank(&self) -> bool {
        *self == Self::Empty
    }

    /// Its text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text that it means in a column of that field; empty when there is none.
    pub(super) fn text(&self, field: Field) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => written_text(text, field),
            Self::Number(number) => number_text(*number, field),
            // A NIK in a cell shown as a date is a float all the same.
            Self::Moment(moment) if matches!(field, Field::Nik | Field::Phone) => {
                number_text(*moment, field)
            }
            Self::Moment(moment) => moment_text(*moment, field),
        }
    }
}

/// No longer than what is taken of any text.
pub(super) fn shortened(text: &str) -> &str {
    // Most texts are too short for their characters to be counted.
    let end = if text.len() > MAX_CHARS { text.char_indices().nth(MAX_CHARS) } else { None };
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

fn written_text(text: &str, field: Field) -> String {
    let is_unchecked = matches!(
        field,
        Field::Name
            | Field::PointName
            | Field::ShortName
            | Field::Address
            | Field::Hours
            | Field::HoursShort
            | Field::Rt
            | Field::Rw
            | Field::RtRw
            | Field::ServicePoint
            | Field::Code
            | Field::Weekday(_)
            | Field::Services
            | Field::Schedule
            | Field::Contact
    );
    // Elsewhere the mark stays and is refused with the name of the field; here nothing would
    // refuse it, and it would be taken for a name.
    if is_unchecked && (text == FORMULA || text == FAULT) {
        return String::new();
    }
    match field {
        Field::Nik => text.to_owned(),
        Field::HomeDate | Field::Date | Field::Until => {
            text.split('T').next().unwrap_or_default().trim().to_owned()
        }
        _ => text.trim().to_owned(),
    }
}

fn number_text(number: ExcelDateTime, field: Field) -> String {
    let value = number.as_f64();
    match field {
        // `3517091204560001.0`, by which the NIK's own rules know that it went through a float.
        Field::Nik => format!("{value:?}"),
        Field::OccurredAt | Field::HomeDate | Field::Date | Field::Until
            if DAYS.contains(&value) =>
        {
            moment_text(number, field)
        }
        Field::HomeFrom | Field::HomeTo if (0.0..1.0).contains(&value) => {
            moment_text(number, field)
        }
        // 8.3 may be 08:30 or 08:18; in brackets it is refused instead of guessed.
        Field::HomeFrom | Field::HomeTo => format!("({value})"),
        // Whole numbers of this size print all their digits, and none that are not theirs.
        _ if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        _ => format!("{value:?}"),
    }
}

fn moment_text(moment: ExcelDateTime, field: Field) -> String {
    let is_time = moment.as_f64() < 1.0 || moment.is_duration();
    let Some(at) = rounded(moment) else { return format!("{:?}", moment.as_f64()) };
    match field {
        Field::HomeFrom | Field::HomeTo => at.format("%H:%M").to_string(),
        Field::HomeDate | Field::Date | Field::Until => at.format("%Y-%m-%d").to_string(),
        _ if is_time => at.format("%H:%M").to_string(),
        _ if at.time() == chrono::NaiveTime::MIN => at.format("%Y-%m-%d").to_string(),
        _ => at.format("%Y-%m-%dT%H:%M:%S").to_string(),
    }
}

/// To the nearest second: some programs write the fraction of 09:20 with so few decimals that it
/// lies a little below.
fn rounded(moment: ExcelDateTime) -> Option<NaiveDateTime> {
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day))?
        .and_hms_milli_opt(hour.into(), minute.into(), second.into(), milli.into())?
        .checked_add_signed(TimeDelta::milliseconds(500))
        .and_then(|at| chrono::Timelike::with_nanosecond(&at, 0))
}

/// `PT09H00M00S`, as `OpenDocument` keeps a time, as `09:00`.
fn clock_time(text: &str) -> Option<String> {
    let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
    let minutes = rest.split_once('M').map_or("0", |(minutes, _)| minutes);
    Some(format!("{:02}:{:02}", hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64, field: Field) -> String {
        Cell::number(value, false).text(field)
    }

    #[test]
    fn a_number_says_in_each_column_what_is_meant_there() {
        assert_eq!(number(3_517_091_204_560_000.0, Field::Nik), "3517091204560000.0");
        assert_eq!(number(81_234_567_890.0, Field::Phone), "81234567890");
        assert_eq!(number(5.0, Field::Status), "5");
        assert_eq!(number(3_517_092_018.0, Field::Area), "3517092018");
        assert_eq!(number(35.17, Field::Area), "35.17");
        assert_eq!(number(46_347.0, Field::HomeDate), "2026-11-21");
        assert_eq!(number(12.0, Field::HomeDate), "12");
        assert_eq!(number(0.375, Field::HomeFrom), "09:00");
        assert_eq!(number(8.3, Field::HomeFrom), "(8.3)");
    }

    #[test]
    fn a_time_stored_a_little_below_the_minute_is_that_minute() {
        let shown = |value| {
            let moment = ExcelDateTime::new(value, ExcelDateTimeType::DateTime, false);
            Cell::Moment(moment).text(Field::OccurredAt)
        };
        assert_eq!(shown(46_347.388_885), "2026-11-21T09:20:00");
        assert_eq!(shown(46_347.0), "2026-11-21");
        assert_eq!(shown(0.388_885), "09:20");
        assert_eq!(clock_time("PT09H05M00S").as_deref(), Some("09:05"));
    }

    #[test]
    fn a_formula_of_a_text_file_is_neither_computed_nor_handed_on() {
        let formula = Cell::from_text("=HYPERLINK(\"http://example.org\",\"Siti\")");
        assert_eq!(formula.text(Field::Name), "");
        assert_eq!(formula.text(Field::Status), FORMULA);
        assert_eq!(Cell::from_text("=\"08123\"").text(Field::Phone), "08123");
        assert_eq!(Cell::from_text("=\"\"").text(Field::Phone), "");
        assert_eq!(Cell::from_text(" - "), Cell::Empty);
    }
}
