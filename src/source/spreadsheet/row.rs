//! One row, in the raw forms that `domain` checks.
//!
//! Gives a row without an id one of its own, made of what it says, so that the same file twice
//! changes nothing. Judges no value, and shows none in `Debug`.

use std::fmt;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::field::Field;
use crate::domain::raw_update::RawUpdate;

/// One row of a sheet.
#[derive(Clone)]
pub struct Row {
    number: u64,
    sheet: Option<String>,
    values: Vec<(Field, String)>,
}

/// A person as a file has them; all texts as written, empty where nothing is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PersonRow {
    /// Whose.
    pub nik: String,
    /// The name in full.
    pub name: String,
    /// The number, in whatever way it is written.
    pub phone: String,
    /// Code of the area.
    pub area: String,
    /// RT.
    pub rt: String,
    /// RW.
    pub rw: String,
}

/// A place that serves citizens as a file has it; empty where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePointRow {
    /// As sources name it.
    pub code: String,
    /// The name in full.
    pub name: String,
    /// The name for SMS.
    pub short_name: String,
    /// Code of the area.
    pub area: String,
    /// Street.
    pub address: String,
    /// Opening hours in words.
    pub hours: String,
    /// The same for SMS.
    pub hours_short: String,
    /// Hours of each weekday, Monday first.
    pub weekdays: [String; 7],
    /// On the map.
    pub latitude: String,
    /// On the map.
    pub longitude: String,
    /// What is done there.
    pub services: String,
    /// Where a mobile place is when.
    pub schedule: String,
    /// Its public number.
    pub contact: String,
    /// Whether it works.
    pub status: String,
}

/// A day on which places are closed, or open at other hours, as a file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HolidayRow {
    /// The day, or the first of several.
    pub date: String,
    /// The last of several.
    pub until: String,
    /// What it is called.
    pub name: String,
    /// Code of the area where it holds.
    pub area: String,
    /// Its hours, where it is not closed.
    pub hours: String,
    /// The same for each weekday of several days, Monday first.
    pub weekdays: [String; 7],
}

/// An area as a file has it; empty where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AreaRow {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The code of the area it lies in, where the file says that too.
    pub parent: String,
}

impl Row {
    pub(super) const fn new(
        number: u64,
        sheet: Option<String>,
        values: Vec<(Field, String)>,
    ) -> Self {
        Self { number, sheet, values }
    }

    /// The number of the row as a spreadsheet shows it.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The sheet it stands on, in a workbook.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        self.sheet.as_deref()
    }

    /// A card update, and the row as JSON in the form of the API, to be kept if it is rejected.
    ///
    /// A row without a time happened at `import_moment`. A row without an id gets one made of all
    /// it says; the moment of the import is no part of it.
    #[must_use]
    pub fn to_card(&self, import_moment: &str) -> (RawUpdate, String) {
        let (rt, rw) = self.neighbourhood();
        let mut update = RawUpdate {
            id: self.get(Field::Id),
            occurred_at: self.get(Field::OccurredAt),
            nik: self.get(Field::Nik),
            status: self.get(Field::Status),
            document: self.get(Field::Document),
            name: self.get(Field::Name),
            phone: self.get(Field::Phone),
            area: self.get(Field::Area),
            rt,
            rw,
            dusun: String::new(),
            address: self.get(Field::Address),
            service_point: self.get(Field::ServicePoint),
            home_date: self.get(Field::HomeDate),
            home_from: self.get(Field::HomeFrom),
            home_to: self.get(Field::HomeTo),
            is_silent: false,
            is_state: false,
            is_undated: !self.has_time(),
        };
        let json = as_json(&update);
        if update.id.is_empty() {
            update.id = content_id(&update);
        }
        if update.occurred_at.is_empty() {
            import_moment.clone_into(&mut update.occurred_at);
        }
        (update, json)
    }

    /// Whether the row itself says when it happened.
    #[must_use]
    pub fn has_time(&self) -> bool {
        !self.get(Field::OccurredAt).is_empty()
    }

    /// Whether the row has an id of its own.
    #[must_use]
    pub fn has_id(&self) -> bool {
        !self.get(Field::Id).is_empty()
    }

    /// A person.
    #[must_use]
    pub fn to_person(&self) -> PersonRow {
        let (rt, rw) = self.neighbourhood();
        PersonRow {
            nik: self.get(Field::Nik),
            name: self.get(Field::Name),
            phone: self.get(Field::Phone),
            area: self.get(Field::Area),
            rt,
            rw,
        }
    }

    /// A place that serves citizens.
    #[must_use]
    pub fn to_service_point(&self) -> ServicePointRow {
        ServicePointRow {
            code: self.get(Field::Code),
            name: self.get(Field::PointName),
            short_name: self.get(Field::ShortName),
            area: self.get(Field::Area),
            address: self.get(Field::Address),
            hours: self.get(Field::Hours),
            hours_short: self.get(Field::HoursShort),
            weekdays: std::array::from_fn(|day| self.get(Field::Weekday(day))),
            latitude: self.get(Field::Latitude),
            longitude: self.get(Field::Longitude),
            services: self.get(Field::Services),
            schedule: self.get(Field::Schedule),
            contact: self.get(Field::Contact),
            status: self.get(Field::PointStatus),
        }
    }

    /// A day that is not like others.
    #[must_use]
    pub fn to_holiday(&self) -> HolidayRow {
        HolidayRow {
            date: self.get(Field::Date),
            until: self.get(Field::Until),
            name: self.get(Field::PointName),
            area: self.get(Field::Area),
            hours: self.get(Field::Hours),
            weekdays: std::array::from_fn(|day| self.get(Field::Weekday(day))),
        }
    }

    /// The number to write to.
    #[must_use]
    pub fn to_phone(&self) -> String {
        self.get(Field::Phone)
    }

    /// The reference of a message.
    #[must_use]
    pub fn to_reference(&self) -> String {
        self.get(Field::Reference)
    }

    /// An area.
    #[must_use]
    pub fn to_area(&self) -> AreaRow {
        AreaRow {
            code: self.get(Field::Code),
            name: self.get(Field::PointName),
            parent: self.get(Field::Parent),
        }
    }

    fn get(&self, field: Field) -> String {
        self.values
            .iter()
            .find(|(found, _)| *found == field)
            .map(|(_, text)| text.clone())
            .unwrap_or_default()
    }

    /// RT and RW, from columns of their own or from one like `003/004`.
    fn neighbourhood(&self) -> (String, String) {
        let (rt, rw) = (self.get(Field::Rt), self.get(Field::Rw));
        if !rt.is_empty() || !rw.is_empty() {
            return (rt, rw);
        }
        let both = self.get(Field::RtRw);
        let mut numbers = both.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(rt), Some(rw), None) => (rt.to_owned(), rw.to_owned()),
            // Three numbers are what a spreadsheet makes of it that takes it for a date.
            _ => (String::new(), String::new()),
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({}, …)", self.number)
    }
}

impl fmt::Debug for PersonRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonRow(…)")
    }
}

/// An id that only the content decides. Called while a missing time is still missing.
fn content_id(update: &RawUpdate) -> String {
    let hash = Sha256::digest(update.canonical());
    hash.iter().take(16).fold("row-".to_owned(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

/// Without the number of the row, which changes as rows are added above it: the same row
/// rejected again is the same rejection.
fn as_json(update: &RawUpdate) -> String {
    let text = |value: &str| Value::String(value.to_owned());
    let part =
        |name: &str, value: &str| (!value.is_empty()).then(|| (name.to_owned(), text(value)));
    let mut map: Map<String, Value> = [
        ("id", &update.id),
        ("occurred_at", &update.occurred_at),
        ("nik", &update.nik),
        ("status", &update.status),
        ("document", &update.document),
        ("name", &update.name),
        ("phone", &update.phone),
        ("area", &update.area),
        ("rt", &update.rt),
        ("rw", &update.rw),
        ("address", &update.address),
        ("service_point", &update.service_point),
    ]
    .into_iter()
    .filter_map(|(name, value)| part(name, value))
    .collect();
    let home: Map<String, Value> =
        [("date", &update.home_date), ("from", &update.home_from), ("to", &update.home_to)]
            .into_iter()
            .filter_map(|(name, value)| part(name, value))
            .collect();
    if !home.is_empty() {
        map.insert("home_delivery".to_owned(), Value::Object(home));
    }
    Value::Object(map).to_string()
}
