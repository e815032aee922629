//! Which cells of a workbook show their number as a date or a time.
//!
//! Knows nothing else of how a cell looks.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use super::super::xml::{Fault, Xml, attributes, value};

/// Most styles of cells; spreadsheet programs stop at about 65,000.
const MAX_STYLES: usize = 100_000;

/// How a number is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    #[default]
    Number,
    /// A date, a time of day or both.
    Moment,
    /// Hours that may be more than a day has.
    Duration,
}

/// How the numbers of each style of cells are shown.
#[derive(Debug, Default)]
pub(super) struct Styles(Vec<Shown>);

impl Styles {
    /// Reads `styles.xml`.
    pub(super) fn read(mut xml: Xml) -> Result<Self, Fault> {
        let mut own: HashMap<u32, Shown> = HashMap::new();
        let mut styles = Vec::new();
        let mut is_inside = false;
        loop {
            match xml.next()? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "numFmt" => {
                        let (id, code) = format(&tag)?;
                        own.insert(id, shown(&code));
                    }
                    "cellXfs" => is_inside = true,
                    "xf" if is_inside => {
                        let (id, _) = format(&tag)?;
                        styles.push(own.get(&id).copied().unwrap_or_else(|| built_in(id)));
                    }
                    _ => {}
                },
                Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => is_inside = false,
                Event::Eof => return Ok(Self(styles)),
                _ => {}
            }
            if styles.len() > MAX_STYLES || own.len() > MAX_STYLES {
                return Err(Fault::TooLarge);
            }
        }
    }

    pub(super) fn get(&self, style: usize) -> Shown {
        self.0.get(style).copied().unwrap_or_default()
    }
}

/// `numFmtId`, which stands for a format, and `formatCode`, which describes it.
fn format(tag: &BytesStart<'_>) -> Result<(u32, String), Fault> {
    let (mut id, mut code) = (0, String::new());
    for attribute in attributes(tag) {
        let (name, attribute) = attribute?;
        match name {
            "numFmtId" => id = attribute.value.parse().unwrap_or(0),
            "formatCode" => code = value(&attribute)?.into_owned(),
            _ => {}
        }
    }
    Ok((id, code))
}

/// Formats that every program knows by their number (ECMA-376, 18.8.30).
const fn built_in(id: u32) -> Shown {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Shown::Moment,
        46 => Shown::Duration,
        _ => Shown::Number,
    }
}

/// What a format like `dd/mm/yyyy`, `[h]:mm` or `#,##0.00` makes of a number.
fn shown(code: &str) -> Shown {
    let mut rest = code.chars();
    while let Some(c) = rest.next() {
        match c.to_ascii_lowercase() {
            // What follows is for negative numbers.
            ';' => break,
            // The next character stands for itself or for its width.
            '\\' | '_' | '*' => drop(rest.next()),
            '"' => drop(rest.find(|c| *c == '"')),
            '[' => {
                let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                // Others name a colour, a language or a condition.
                let is_time = |c: char| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's');
                if !inside.is_empty() && inside.chars().all(is_time) {
                    return Shown::Duration;
                }
            }
            'd' | 'm' | 'y' | 'h' | 's' => return Shown::Moment,
            _ => {}
        }
    }
    Shown::Number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_says_whether_a_number_is_a_date() {
        for code in ["dd/mm/yyyy", "[$-421]d mmmm yyyy;@", "hh:mm", "\\T h", "[Red]yyyy", "AM/PM"] {
            assert_eq!(shown(code), Shown::Moment, "{code}");
        }
        for code in ["0", "#,##0.00", "General", "\"hari\" 0", "[Red]0", "0\\d", "0_d", "0;dd", "@"]
        {
            assert_eq!(shown(code), Shown::Number, "{code}");
        }
        assert_eq!(shown("[hh]:mm"), Shown::Duration);
    }
}
