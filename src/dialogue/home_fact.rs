//! What the conversation is told of officers who come to somebody, and what its lines about them are filled with.
//! Plain data, filled by the service.

use std::fmt;

use serde::Serialize;

use crate::domain::clock::Timestamp;
use crate::domain::id::HomeVisitId;

/// What a chat has asked for, and whether it may ask for more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HomeFact {
    /// Its requests that are open.
    pub own: Vec<HomeVisitFact>,
    /// How many it may have; 0 where the office takes none by chat.
    pub most: i64,
    /// So many days the office takes to answer.
    pub days: i64,
    /// The number that the next request gets.
    pub number: String,
}

/// A request of the chat that writes.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HomeVisitFact {
    /// Which.
    #[serde(skip)]
    pub id: HomeVisitId,
    /// As printed: `R-7KQ4`.
    pub number: String,
    /// Where to go, as far as a name is known.
    pub desa: String,
    /// The day, in words; empty before the office gave one.
    pub day: String,
    /// The same for SMS.
    pub day_short: String,
    /// From when to when, in words.
    pub window: String,
    /// The same for SMS.
    pub window_short: String,
}

impl fmt::Debug for HomeVisitFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HomeVisitFact({})", self.number)
    }
}

/// What lines about home visits are filled with.
#[derive(Clone, Default, Serialize)]
pub(super) struct HomeHoles {
    /// Words of whom it is for, and of what for.
    pub(super) whom: &'static str,
    pub(super) work: &'static str,
    pub(super) desa: String,
    pub(super) kecamatan: String,
    /// The way there, as it was told.
    pub(super) place: String,
    /// Why the way there is asked for once more: long, number; else it was not understood.
    pub(super) trouble: &'static str,
    /// Areas that share a name.
    pub(super) areas: Vec<Named>,
    pub(super) own: Vec<HomeVisitFact>,
    pub(super) most: i64,
    pub(super) days: i64,
    pub(super) number: String,
}

/// A desa by its name and that of its kecamatan.
#[derive(Clone, Serialize)]
pub(super) struct Named {
    pub(super) desa: String,
    pub(super) kecamatan: String,
}

impl HomeHoles {
    /// Made up, with nothing optional, with something, and with as much as there may be.
    pub(super) fn sample(size: usize) -> Self {
        let named = || Named { desa: "Sumbermulyo".to_owned(), kecamatan: "Jogoroto".to_owned() };
        let own = |is_scheduled: bool| {
            let when = |text: &str| if is_scheduled { text.to_owned() } else { String::new() };
            HomeVisitFact {
                id: HomeVisitId::floor(Timestamp::from_ms(1)),
                number: "R-7KQ4".to_owned(),
                desa: "Sumbermulyo".to_owned(),
                day: when("Selasa, 24 November"),
                day_short: when("Sel 24 Nov"),
                window: when("pukul 09.00-12.00 WIB"),
                window_short: when("09-12 WIB"),
            }
        };
        Self {
            whom: ["elderly", "mental_disorder", "confined"][size % 3],
            work: ["recording", "hand_over", "family_card"][size % 3],
            desa: "Sumbermulyo".to_owned(),
            kecamatan: if size == 0 { String::new() } else { "Jogoroto".to_owned() },
            place: "RT 03 RW 05, Dusun Krajan, rumah cat hijau di sebelah musala".to_owned(),
            trouble: ["", "long", "number"][size % 3],
            areas: (0..=size).map(|_| named()).collect(),
            own: (0..=size).map(|at| own(at > 0)).collect(),
            most: 2,
            days: 3,
            number: "R-7KQ4".to_owned(),
        }
    }
}
