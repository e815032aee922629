//! Headings that one office uses and nobody else, as its configuration names them.
//!
//! They count more than the usual ones. Never lets one heading mean two things.

use super::field::Field;
use super::heading::{letters, plain};

/// Headings in the office's own words, with what stands below them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The headings in letters and digits only; of one field the more telling ones first.
    headings: Vec<(Field, String)>,
}

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// No such field.
    #[error("{key} is nothing that a column can hold")]
    UnknownKey {
        /// As written.
        key: String,
    },
    /// Nothing that could stand above a column.
    #[error("{key} has a heading without a letter or digit")]
    NoHeading {
        /// Whose.
        key: String,
    },
    /// The same heading twice.
    #[error("\"{heading}\" stands for {first} and for {second}")]
    Twice {
        /// As written.
        heading: String,
        /// The one field.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

impl MappingError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownKey { .. } => {
                let keys: Vec<&str> = Field::KEYS.iter().map(|(key, _)| *key).collect();
                format!("the keys are {}", keys.join(", "))
            }
            Self::NoHeading { key } => {
                format!("write what stands above the column, like {key} = \"Stat Cetak\"")
            }
            Self::Twice { .. } => "leave the heading to one of them".to_owned(),
        }
    }
}

impl Mapping {
    /// Fields by the names they have in the API, each with its headings as the files have them.
    ///
    /// # Errors
    /// [`MappingError`] for an unknown field, an empty heading, or one that stands for two fields.
    pub fn parse(
        entries: impl IntoIterator<Item = (String, Vec<String>)>,
    ) -> Result<Self, MappingError> {
        let mut headings: Vec<(Field, String)> = Vec::new();
        for (key, texts) in entries {
            let field =
                Field::of_key(&key).ok_or_else(|| MappingError::UnknownKey { key: key.clone() })?;
            for heading in texts {
                let plain = plain(&heading);
                if plain.is_empty() {
                    return Err(MappingError::NoHeading { key });
                }
                match headings.iter().find(|(_, known)| *known == plain) {
                    Some((other, _)) if *other != field => {
                        let (first, second) = (other.key(), field.key());
                        return Err(MappingError::Twice { heading, first, second });
                    }
                    Some(_) => {}
                    None => headings.push((field, plain)),
                }
            }
        }
        Ok(Self { headings })
    }

    /// The field that a heading stands for, and how telling it is; 0 is best. As it is written, or
    /// without its number and its remark in brackets, if the office left them out.
    pub(super) fn field(&self, heading: &str) -> Option<(Field, usize)> {
        let find = |text: String| self.headings.iter().position(|(_, known)| *known == text);
        let rank = find(plain(heading)).or_else(|| find(letters(heading)))?;
        self.headings.get(rank).map(|(field, _)| (*field, rank))
    }

    /// How many headings there are.
    pub(super) const fn len(&self) -> usize {
        self.headings.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Entries<'a> = &'a [(&'a str, &'a [&'a str])];

    fn mapping(entries: Entries<'_>) -> Result<Mapping, MappingError> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Mapping::parse(entries.iter().map(|(key, all)| ((*key).to_owned(), texts(all))))
    }

    #[test]
    fn a_heading_is_found_as_written_or_without_its_number() {
        let mapping = mapping(&[("status", &["Stat Cetak", "Status (KTP)"])]).unwrap();
        for heading in ["STAT\nCETAK", "12-Stat. Cetak (baru)"] {
            assert_eq!(mapping.field(heading), Some((Field::Status, 0)), "{heading}");
        }
        assert_eq!(mapping.field("Status (KTP)"), Some((Field::Status, 1)));
        assert_eq!(mapping.field("Status (Kawin)"), None);
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_a_hint() {
        let cases: [(Entries<'_>, &str); 3] = [
            (&[("nikk", &["NIK"])], "nikk is nothing that a column can hold"),
            (&[("nik", &["--"])], "nik has a heading without a letter or digit"),
            (
                &[("nik", &["No. Induk"]), ("id", &["NO INDUK"])],
                "\"NO INDUK\" stands for nik and for id",
            ),
        ];
        for (entries, expected) in cases {
            let error = mapping(entries).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(!error.hint().is_empty());
        }
    }
}
