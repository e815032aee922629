//! A place that serves citizens: where it is on the map, what it does, and how it is just now.
//!
//! Words and checked values only. When it is open is decided in `calendar`.

use std::fmt;

use chrono::NaiveDate;

use crate::words;

words! {
    /// What is done at a place.
    pub enum PointService {
        /// Photo, fingerprints, iris.
        Recording = "recording",
        /// Cards are printed there.
        Printing = "printing",
        /// Cards are handed over there.
        Collection = "collection",
        /// Family cards.
        Kk = "kk",
        /// Certificates of birth, death, marriage.
        Akta = "akta",
        /// Child cards.
        Kia = "kia",
        /// Digital identity.
        Ikd = "ikd",
        /// Moving in and out.
        Move = "move",
    }
}

words! {
    /// Whether a place works.
    pub enum PointStatus {
        /// It serves.
        Running = "running",
        /// It does not serve yet.
        Preparation = "preparation",
        /// It does not serve for some time.
        Closed = "closed",
    }
}

words! {
    /// Whether a place has blank cards.
    pub enum BlankoStock {
        /// Nobody has said.
        Unknown = "unknown",
        /// Enough.
        Available = "available",
        /// Few.
        Low = "low",
        /// None.
        None = "none",
    }
}

/// Words by which offices name a service, besides those of [`PointService`].
const SERVICE_WORDS: &[(&str, PointService)] = &[
    ("rekam", PointService::Recording),
    ("perekaman", PointService::Recording),
    ("cetak", PointService::Printing),
    ("pencetakan", PointService::Printing),
    ("ambil", PointService::Collection),
    ("pengambilan", PointService::Collection),
    ("kartu keluarga", PointService::Kk),
    ("akte", PointService::Akta),
    ("pindah", PointService::Move),
];

impl PointService {
    /// Reads a list like `rekam, cetak, KK`; each at most once.
    ///
    /// # Errors
    /// The word that is no service.
    pub fn parse_list(raw: &str) -> Result<Vec<Self>, String> {
        let mut found = Vec::new();
        for part in raw.split([',', ';', '/']).map(str::trim).filter(|part| !part.is_empty()) {
            let word = part.to_lowercase();
            let other = || SERVICE_WORDS.iter().find(|(known, _)| *known == word).map(|(_, s)| *s);
            let service = word.parse().ok().or_else(other).ok_or_else(|| part.to_owned())?;
            if !found.contains(&service) {
                found.push(service);
            }
        }
        Ok(found)
    }
}

/// How a place is just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointState {
    /// Whether it works.
    pub status: PointStatus,
    /// The last day of a closure, where that is known.
    pub until: Option<NaiveDate>,
    /// Why it is closed.
    pub because: Option<String>,
}

impl PointState {
    /// It serves.
    pub const RUNNING: Self = Self { status: PointStatus::Running, until: None, because: None };

    /// The same on that day: a closure that is over is none.
    #[must_use]
    pub fn on(&self, today: NaiveDate) -> Self {
        match self.until {
            Some(until) if self.status == PointStatus::Closed && until < today => Self::RUNNING,
            _ => self.clone(),
        }
    }
}

/// A place on the map, in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeoPoint {
    latitude: i32,
    longitude: i32,
}

/// Why a place on the map cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeoError {
    /// No decimal number.
    #[error("latitude and longitude are decimal numbers like -7.5460 and 112.2330")]
    Unreadable,
    /// Swapped.
    #[error("latitude and longitude are swapped: latitude is the one near 0")]
    Swapped,
    /// Somewhere else.
    #[error("this place is not in Indonesia: look at the numbers again")]
    Outside,
}

impl GeoPoint {
    /// Reads decimal degrees, with a point or a comma.
    ///
    /// # Errors
    /// [`GeoError`] when they are no numbers, or not in Indonesia.
    pub fn parse(latitude: &str, longitude: &str) -> Result<Self, GeoError> {
        let (latitude, longitude) = (micro(latitude)?, micro(longitude)?);
        let is_here = |latitude: i32, longitude: i32| {
            // Sabang to Merauke, Miangas to Rote, with some water around.
            (-11_500_000..=6_500_000).contains(&latitude)
                && (94_500_000..=141_500_000).contains(&longitude)
        };
        if is_here(latitude, longitude) {
            Ok(Self { latitude, longitude })
        } else if is_here(longitude, latitude) {
            Err(GeoError::Swapped)
        } else {
            Err(GeoError::Outside)
        }
    }

    /// Reads what `Display` wrote.
    #[must_use]
    pub fn parse_stored(text: &str) -> Option<Self> {
        let (latitude, longitude) = text.split_once(", ")?;
        Self::parse(latitude, longitude).ok()
    }

    /// Degrees north of the equator.
    #[must_use]
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude) / 1e6
    }

    /// Degrees east of Greenwich.
    #[must_use]
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude) / 1e6
    }
}

impl fmt::Display for GeoPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}, {:.6}", self.latitude(), self.longitude())
    }
}

fn micro(raw: &str) -> Result<i32, GeoError> {
    let degrees: f64 = raw.trim().replace(',', ".").parse().map_err(|_| GeoError::Unreadable)?;
    if !(-180.0..=180.0).contains(&degrees) {
        return Err(GeoError::Outside);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 180 million")]
    Ok((degrees * 1e6).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_map_is_in_indonesia_and_reads_back_as_itself() {
        let place = GeoPoint::parse(" -7.546 ", "112,233001").unwrap();
        assert_eq!(place.to_string(), "-7.546000, 112.233001");
        assert_eq!(GeoPoint::parse_stored(&place.to_string()), Some(place));
        assert_eq!(GeoPoint::parse("112.2", "-7.5"), Err(GeoError::Swapped));
        assert_eq!(GeoPoint::parse("52.5", "13.4"), Err(GeoError::Outside));
        for raw in ["", "selatan", "NaN°"] {
            assert_eq!(GeoPoint::parse(raw, "112.2"), Err(GeoError::Unreadable), "{raw}");
        }
        assert_eq!(GeoPoint::parse("NaN", "112.2"), Err(GeoError::Outside));
    }

    #[test]
    fn services_are_read_in_the_words_of_offices() {
        use PointService as S;
        let found = PointService::parse_list("Rekam, cetak; KK / akta, perekaman").unwrap();
        assert_eq!(found, [S::Recording, S::Printing, S::Kk, S::Akta]);
        assert_eq!(PointService::parse_list("rekam, SIM"), Err("SIM".to_owned()));
        assert_eq!(PointService::parse_list(" "), Ok(vec![]));
    }

    #[test]
    fn a_closure_that_is_over_is_none() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let state = PointState {
            status: PointStatus::Closed,
            until: Some(day(25)),
            because: Some("renovasi".into()),
        };
        assert_eq!(state.on(day(25)), state);
        assert_eq!(state.on(day(26)), PointState::RUNNING);
        let open_ended = PointState { until: None, ..state };
        assert_eq!(open_ended.on(day(30)), open_ended);
    }
}
