//! From the rows of a query to records, and how far they reach.
//!
//! Keeps of each row no more than a hash of its name, to know it again within one reading. Whether a
//! record is a card's is for `domain` to say.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use chrono::FixedOffset;

use super::super::{Record, paper};
use super::position::{is_usable, moment};
use super::query::Order;
use crate::domain::clock::Timestamp;
use crate::domain::nik::Nik;
use crate::domain::raw_update::RawUpdate;

/// The parts of an update that a column can hold.
pub(super) const PARTS: &[&str] = &[
    "id",
    "occurred_at",
    "nik",
    "status",
    "document",
    "name",
    "phone",
    "area",
    "rt",
    "rw",
    "dusun",
    "address",
    "service_point",
    "home_date",
    "home_from",
    "home_to",
];

const NO_NIK: &str = "they have no NIK";
const TOLD_LATER: &str = "a later row tells of the same card, and no column is named id";
const TOLD_BEFORE: &str = "another row has the same id";
const NOT_TEXT: &str = "they hold bytes that are no text";

/// One way through the rows of a query.
pub(super) struct Pass {
    parts: Vec<&'static str>,
    zone: FixedOffset,
    now: Timestamp,
    hasher: RandomState,
    seen: HashSet<u64>,
    /// How far the rows reach so far.
    pub(super) position: Option<String>,
    /// Rows that are passed over, by reason.
    pub(super) skipped: BTreeMap<&'static str, u64>,
    /// There was a row.
    pub(super) is_any: bool,
}

impl Pass {
    /// Through rows with those parts, at that time of the database.
    pub(super) fn new(parts: Vec<&'static str>, zone: FixedOffset, now: Timestamp) -> Self {
        Self {
            parts,
            zone,
            now,
            hasher: RandomState::new(),
            seen: HashSet::new(),
            position: None,
            skipped: BTreeMap::new(),
            is_any: false,
        }
    }

    /// Events are told in the order in which they came. Rows without an id show the state of a
    /// card: of several the latest counts, and what follows it in the reading is old.
    pub(super) fn order(&self) -> Order {
        if self.parts.contains(&"id") { Order::OldestFirst } else { Order::NewestFirst }
    }

    /// Takes a row: its cursor, and its parts in their order.
    pub(super) fn take(&mut self, cursor: Option<String>, parts: Vec<String>) -> Option<Record> {
        let mut record = Record {
            changed_at: cursor.as_deref().and_then(|at| moment(at, self.zone)),
            ..Record::default()
        };
        self.reach(cursor);
        for (part, value) in self.parts.iter().zip(parts) {
            set(&mut record.update, part, value);
        }
        mend(&mut record.update, self.zone);
        match self.name(&record.update) {
            Ok(key) => record.key = key,
            Err(why) => {
                *self.skipped.entry(why).or_default() += 1;
                return None;
            }
        }
        Some(record)
    }

    /// Passes a row over that holds bytes which are no text: one of them must not stop the others.
    pub(super) fn pass_over(&mut self, cursor: Option<String>) {
        self.reach(cursor);
        *self.skipped.entry(NOT_TEXT).or_default() += 1;
    }

    fn reach(&mut self, cursor: Option<String>) {
        self.is_any = true;
        if let Some(at) = cursor.filter(|at| is_usable(at, self.zone, self.now))
            && (self.position.is_none() || self.order() == Order::OldestFirst)
        {
            self.position = Some(at);
        }
    }

    /// A record is what the office calls it, or else the card it is about, however that is written:
    /// a register that is tidied up does not make every card a new one. Told twice within one
    /// reading it would seem to change with every reading.
    fn name(&mut self, update: &RawUpdate) -> Result<String, &'static str> {
        let (id, nik) = (update.id.trim(), update.nik.trim());
        let (key, why) = match (id.is_empty(), nik.is_empty()) {
            (false, _) => (id.to_owned(), TOLD_BEFORE),
            (true, false) => {
                let parsed = Nik::parse(nik);
                let whose = parsed.as_ref().map_or(nik, Nik::expose);
                (paper(whose, &update.document), TOLD_LATER)
            }
            (true, true) => return Err(NO_NIK),
        };
        let is_new = self.seen.insert(self.hasher.hash_one(&key));
        if is_new { Ok(key) } else { Err(why) }
    }
}

/// Reads times in the forms that only databases write.
fn mend(update: &mut RawUpdate, zone: FixedOffset) {
    update.is_undated = update.occurred_at.trim().is_empty();
    if update.occurred_at.trim().parse::<f64>().is_ok()
        && let Some(at) = moment(&update.occurred_at, zone)
    {
        update.occurred_at = at.in_zone(zone).to_rfc3339();
    }
    // Of a column with a day and a time the day is meant.
    if let Some((day, _)) = update.home_date.trim().split_once([' ', 'T']) {
        update.home_date = day.to_owned();
    }
    for time in [&mut update.home_from, &mut update.home_to] {
        if let Some((seconds, _)) = time.trim().split_at_checked(8)
            && seconds.matches(':').count() == 2
        {
            *time = seconds.to_owned();
        }
    }
}

fn set(update: &mut RawUpdate, part: &str, value: String) {
    let place = match part {
        "id" => &mut update.id,
        "occurred_at" => &mut update.occurred_at,
        "nik" => &mut update.nik,
        "status" => &mut update.status,
        "document" => &mut update.document,
        "name" => &mut update.name,
        "phone" => &mut update.phone,
        "area" => &mut update.area,
        "rt" => &mut update.rt,
        "rw" => &mut update.rw,
        "dusun" => &mut update.dusun,
        "address" => &mut update.address,
        "service_point" => &mut update.service_point,
        "home_date" => &mut update.home_date,
        "home_from" => &mut update.home_from,
        _ => &mut update.home_to,
    };
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_300_000_000);

    fn pass(parts: &[&'static str]) -> Pass {
        Pass::new(parts.to_vec(), FixedOffset::east_opt(7 * 3600).unwrap(), NOW)
    }

    fn take(pass: &mut Pass, at: &str, parts: &[&str]) -> Option<Record> {
        pass.take(Some(at.to_owned()), parts.iter().map(|part| (*part).to_owned()).collect())
    }

    #[test]
    fn a_record_is_named_by_its_id_or_by_its_card() {
        let mut events = pass(&["id", "nik"]);
        assert_eq!(take(&mut events, "1", &[" 77 ", "1"]).unwrap().key, "77");
        assert_eq!(take(&mut events, "2", &["", "1"]).unwrap().key, "1/ktp-el");
        assert!(take(&mut events, "3", &["77", "2"]).is_none(), "the same id again");
        assert_eq!(events.order(), Order::OldestFirst);
        assert_eq!(events.position.as_deref(), Some("3"), "the last row");

        let mut states = pass(&["nik", "document"]);
        assert_eq!(take(&mut states, "3", &["1", "kia"]).unwrap().key, "1/kia");
        assert!(take(&mut states, "2", &["1 ", "kia"]).is_none(), "an older row");
        assert!(take(&mut states, "1", &["", "kia"]).is_none(), "nobody");
        assert_eq!(states.order(), Order::NewestFirst);
        assert_eq!(states.position.as_deref(), Some("3"), "the first row");
        assert_eq!(states.skipped.values().sum::<u64>(), 2);
    }

    #[test]
    fn a_register_that_is_tidied_up_names_its_cards_as_before() {
        let key = |nik: &str, document: &str| {
            let mut states = pass(&["nik", "document"]);
            take(&mut states, "1", &[nik, document]).unwrap().key
        };
        for (nik, document) in [
            ("3517091204560001", ""),
            (" 3517 0912 0456 0001 ", "KTP"),
            ("35.17.09.120456.0001", "e-KTP"),
            ("'3517091204560001", "ktp elektronik"),
        ] {
            assert_eq!(key(nik, document), "3517091204560001/ktp-el", "{nik} {document}");
        }
        assert_eq!(key("3517091204560001", "Kartu Identitas Anak"), "3517091204560001/kia");
        assert_eq!(key("3.51709E+15", "Paspor"), "3.51709E+15/paspor");
    }

    #[test]
    fn forms_that_only_databases_write_are_read() {
        let parts = ["nik", "occurred_at", "home_date", "home_from", "home_to"];
        let row = ["1", "1795300000", "2026-11-24 00:00:00", "09:00:00.000000", "12.30"];
        let update = take(&mut pass(&parts), "1", &row).unwrap().update;
        assert_eq!(update.occurred_at, "2026-11-22T05:26:40+07:00");
        assert_eq!(
            [update.home_date, update.home_from, update.home_to],
            ["2026-11-24", "09:00:00", "12.30"]
        );
        assert!(!update.is_undated);
    }
}
