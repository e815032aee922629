//! Who has a card in their hands: a service point, a courier, a desa, its holder.
//!
//! Between two hands there is nothing: one hands over and the other takes in the same moment.

use std::fmt;
use std::str::FromStr;

use super::area::AreaCode;
use super::id::OfficerId;
use super::word::UnknownWord;

/// Who has a card.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A service point, by its code.
    Point(String),
    /// An officer who carries it.
    Courier(OfficerId),
    /// The office of a desa or kelurahan.
    Desa(AreaCode),
    /// Whoever it belongs to, or who received it for them.
    Citizen,
}

impl Holder {
    /// Whether it lies in an office, from where it may be taken along or collected.
    #[must_use]
    pub const fn is_office(&self) -> bool {
        matches!(self, Self::Point(_) | Self::Desa(_))
    }

    /// The courier who carries it.
    #[must_use]
    pub const fn courier(&self) -> Option<OfficerId> {
        if let Self::Courier(id) = self { Some(*id) } else { None }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(code) => write!(f, "point {code}"),
            Self::Courier(id) => write!(f, "courier {id}"),
            Self::Desa(area) => write!(f, "desa {}", area.plain()),
            Self::Citizen => f.write_str("citizen"),
        }
    }
}

impl FromStr for Holder {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = UnknownWord { kind: "Holder" };
        if text == "citizen" {
            return Ok(Self::Citizen);
        }
        match text.split_once(' ').ok_or(unknown)? {
            ("point", code) if !code.is_empty() => Ok(Self::Point(code.to_owned())),
            ("courier", id) => id.parse().map(Self::Courier).map_err(|_| unknown),
            ("desa", area) => AreaCode::parse(area).map(Self::Desa).map_err(|_| unknown),
            _ => Err(unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::id::IdSource;

    #[test]
    fn every_holder_reads_back_as_itself() {
        let courier = IdSource::default().next(Timestamp::from_ms(1));
        for holder in [
            Holder::Point("kec-jombang".into()),
            Holder::Point("mal pelayanan".into()),
            Holder::Courier(courier),
            Holder::Desa(AreaCode::parse("35.17.09.2018").unwrap()),
            Holder::Citizen,
        ] {
            assert_eq!(holder.to_string().parse(), Ok(holder));
        }
        for wrong in
            ["", "point", "point ", "courier off_1", "desa", "desa x", "nobody", "citizens"]
        {
            assert!(wrong.parse::<Holder>().is_err(), "{wrong}");
        }
    }
}
