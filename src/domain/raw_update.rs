//! Card updates as sources write them, checked part by part into a [`CardUpdate`].
//!
//! The one door for every source: API, import, watched databases and folders fill a [`RawUpdate`]
//! and get a checked update or a reason. Reasons never repeat the value they complain about.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Map, Value};

use super::area::AreaCode;
use super::card::{CardUpdate, HomeDelivery, PhoneGiven};
use super::clock::Timestamp;
use super::document::Document;
use super::nik::Nik;
use super::person::PersonName;
use super::phone::{PhoneError, PhoneNumber};
use super::status_word::{parse_document, parse_status};

/// Longest id, RT, RW or code taken.
const MAX_SHORT: usize = 200;
/// A source's clock may be this far ahead of ours before its update is refused: one from next
/// year would silence every true one until then.
const MAX_AHEAD_MS: i64 = 26 * 3600 * 1000;

/// 2009-01-01: no electronic card is older.
pub const EARLIEST_MS: i64 = 1_230_768_000_000;

/// The parts of an update as text; empty is not given.
#[derive(Clone, Debug, Default)]
pub struct RawUpdate {
    /// The source's id.
    pub id: String,
    /// When it happened.
    pub occurred_at: String,
    /// Whose.
    pub nik: String,
    /// The new status, in anybody's words.
    pub status: String,
    /// Which paper.
    pub document: String,
    /// The holder.
    pub name: String,
    /// The holder's number.
    pub phone: String,
    /// The holder's area.
    pub area: String,
    /// The holder's RT.
    pub rt: String,
    /// The holder's RW.
    pub rw: String,
    /// The holder's dusun.
    pub dusun: String,
    /// Street and number, where the holder lives.
    pub address: String,
    /// Where the card is.
    pub service_point: String,
    /// Day of a home delivery.
    pub home_date: String,
    /// Start of its window.
    pub home_from: String,
    /// End of its window.
    pub home_to: String,
    /// Record only.
    pub is_silent: bool,
    /// A register shows this state; nobody said that something happened.
    pub is_state: bool,
    /// The source gave no time and `occurred_at` is when the item was read: it says nothing.
    pub is_undated: bool,
}

/// Why an item cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// For programs.
    pub code: &'static str,
    /// For people; never the value itself.
    pub message: String,
}

impl Reason {
    /// A reason.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl RawUpdate {
    /// Reads the JSON form of `POST /v1/card-updates`.
    ///
    /// # Errors
    /// A reason when it is no object, or a part has a type that cannot be meant.
    pub fn from_json(value: &Value) -> Result<Self, Reason> {
        let Value::Object(map) = value else {
            return Err(Reason::new("invalid_item", "an update is a JSON object"));
        };
        let text = |name: &str| match map.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => Err(Reason::new("invalid_item", format!("{name} must be a text"))),
        };
        let home = match map.get("home_delivery") {
            None | Some(Value::Null) => &Value::Null,
            Some(home @ Value::Object(_)) => home,
            Some(_) => {
                return Err(Reason::new(
                    "invalid_home_delivery",
                    "home_delivery must be an object with date, from and to",
                ));
            }
        };
        let part = |name: &str| home[name].as_str().unwrap_or_default().to_owned();
        let is_silent = match map.get("silent") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(silent)) => *silent,
            Some(_) => return Err(Reason::new("invalid_item", "silent must be true or false")),
        };
        if home.is_object() && part("date").is_empty() {
            return Err(Reason::new("invalid_home_delivery", "home_delivery needs a date"));
        }
        Ok(Self {
            id: text("id")?,
            occurred_at: text("occurred_at")?,
            nik: text("nik")?,
            status: text("status")?,
            document: text("document")?,
            name: text("name")?,
            phone: text("phone")?,
            area: text("area")?,
            rt: text("rt")?,
            rw: text("rw")?,
            dusun: text("dusun")?,
            address: text("address")?,
            service_point: text("service_point")?,
            home_date: part("date"),
            home_from: part("from"),
            home_to: part("to"),
            is_silent,
            is_state: false,
            is_undated: false,
        })
    }

    /// Checks every part. `zone` reads times that name none; `now` bounds how far ahead they lie.
    ///
    /// # Errors
    /// The first part that cannot be taken, and why.
    pub fn check(&self, zone: FixedOffset, now: Timestamp) -> Result<CardUpdate, Reason> {
        for (name, value) in [
            ("id", &self.id),
            ("occurred_at", &self.occurred_at),
            ("nik", &self.nik),
            ("status", &self.status),
        ] {
            if value.trim().is_empty() {
                return Err(Reason::new("missing_field", format!("{name} is required")));
            }
        }
        for (name, value) in [
            ("id", &self.id),
            ("rt", &self.rt),
            ("rw", &self.rw),
            ("dusun", &self.dusun),
            ("address", &self.address),
            ("service_point", &self.service_point),
        ] {
            if value.chars().any(char::is_control) {
                return Err(Reason::new("invalid_item", format!("{name} has control characters")));
            }
            if value.chars().count() > MAX_SHORT {
                return Err(Reason::new(
                    "too_long",
                    format!("{name} has more than {MAX_SHORT} characters"),
                ));
            }
        }
        let nik = Nik::parse(&self.nik).map_err(|e| Reason::new(e.code(), e.to_string()))?;
        let status =
            parse_status(&self.status).map_err(|e| Reason::new("unknown_status", e.to_string()))?;
        let document = if self.document.trim().is_empty() {
            Document::KtpEl
        } else {
            parse_document(&self.document)
                .map_err(|e| Reason::new("unknown_document", e.to_string()))?
        };
        let area = if self.area.trim().is_empty() {
            None
        } else {
            Some(
                AreaCode::parse(&self.area)
                    .map_err(|e| Reason::new("invalid_area", e.to_string()))?,
            )
        };
        let occurred_at = moment(&self.occurred_at, zone)?;
        if occurred_at.as_ms() < EARLIEST_MS {
            return Err(Reason::new(
                "invalid_occurred_at",
                "occurred_at lies before the year 2009",
            ));
        }
        if occurred_at.as_ms() > now.as_ms() + MAX_AHEAD_MS {
            return Err(Reason::new(
                "invalid_occurred_at",
                "occurred_at lies more than a day in the future",
            ));
        }
        Ok(CardUpdate {
            external_id: self.id.trim().to_owned(),
            occurred_at,
            nik,
            document,
            status,
            name: PersonName::parse(&self.name),
            phone: phone(&self.phone),
            area,
            rt: short(&self.rt),
            rw: short(&self.rw),
            dusun: short(&self.dusun),
            address: short(&self.address),
            service_point: short(&self.service_point),
            home_delivery: self.home_delivery()?,
            is_silent: self.is_silent,
            is_state: self.is_state,
        })
    }

    fn home_delivery(&self) -> Result<Option<HomeDelivery>, Reason> {
        if self.home_date.trim().is_empty() {
            return Ok(None);
        }
        let wrong = |what: &str| Reason::new("invalid_home_delivery", what.to_owned());
        let date = parse_day(&self.home_date)
            .ok_or_else(|| wrong("the date of home_delivery must be like 2026-11-24"))?;
        let time = |text: &str| {
            if text.trim().is_empty() {
                return Ok(None);
            }
            let text = text.trim().replace('.', ":");
            NaiveTime::parse_from_str(&text, "%H:%M")
                .or_else(|_| NaiveTime::parse_from_str(&text, "%H:%M:%S"))
                .map(Some)
                .map_err(|_| wrong("the times of home_delivery must be like 09:00"))
        };
        let (from, to) = (time(&self.home_from)?, time(&self.home_to)?);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            return Err(wrong("the window of home_delivery ends before it begins"));
        }
        Ok(Some(HomeDelivery { date, from, to }))
    }

    /// Everything that makes two items say the same, in one text.
    #[must_use]
    pub fn canonical(&self) -> String {
        let phone = PhoneNumber::parse(&self.phone)
            .map_or_else(|_| self.phone.clone(), |phone| phone.expose().to_owned());
        let nothing = String::new();
        let parts = [
            if self.is_undated { &nothing } else { &self.occurred_at },
            &self.nik,
            &self.status,
            &self.document,
            &self.name,
            &phone,
            &self.area,
            &self.rt,
            &self.rw,
            &self.service_point,
            &self.home_date,
            &self.home_from,
            &self.home_to,
        ]
        .map(|part| part.trim());
        let mut canonical = parts.join("\u{1f}");
        // Behind all others and only where there is one: what was hashed before it was known stays
        // the same.
        if !self.dusun.trim().is_empty() {
            canonical.push('\u{1f}');
            canonical.push_str(self.dusun.trim());
        }
        // The street is no part of it: sheets had that column long before it was read, and the
        // same rows must not contradict themselves.
        canonical
    }

    /// The parts that are given, in the JSON form of `POST /v1/card-updates`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let given = |parts: &[(&str, &String)]| -> Map<String, Value> {
            let is_given = |(_, value): &&(&str, &String)| !value.is_empty();
            let part = |(name, value): &(&str, &String)| {
                ((*name).to_owned(), Value::String((*value).clone()))
            };
            parts.iter().filter(is_given).map(part).collect()
        };
        let mut map = given(&[
            ("id", &self.id),
            ("occurred_at", &self.occurred_at),
            ("nik", &self.nik),
            ("status", &self.status),
            ("document", &self.document),
            ("name", &self.name),
            ("phone", &self.phone),
            ("area", &self.area),
            ("rt", &self.rt),
            ("rw", &self.rw),
            ("dusun", &self.dusun),
            ("address", &self.address),
            ("service_point", &self.service_point),
        ]);
        let home =
            given(&[("date", &self.home_date), ("from", &self.home_from), ("to", &self.home_to)]);
        if !home.is_empty() {
            map.insert("home_delivery".to_owned(), Value::Object(home));
        }
        Value::Object(map)
    }
}

fn short(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A number that cannot be reached does not spoil the update: the card is true all the same.
fn phone(raw: &str) -> PhoneGiven {
    match PhoneNumber::parse(raw) {
        Ok(phone) => PhoneGiven::Mobile(phone),
        Err(PhoneError::Empty) => PhoneGiven::NotGiven,
        Err(error) => PhoneGiven::Unusable(error.as_str()),
    }
}

fn moment(raw: &str, zone: FixedOffset) -> Result<Timestamp, Reason> {
    parse_moment(raw, zone).ok_or_else(|| {
        Reason::new(
            "invalid_occurred_at",
            "occurred_at must be a time like 2026-11-21T08:00:00+07:00",
        )
    })
}

/// Reads a time in the ways offices and databases write it; `zone` is meant where none is named.
#[must_use]
pub fn parse_moment(raw: &str, zone: FixedOffset) -> Option<Timestamp> {
    let raw = raw.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(raw) {
        return Some(moment.into());
    }
    // PostgreSQL's own form: 2026-11-21 08:00:00.5+07.
    if let Ok(moment) = DateTime::parse_from_str(raw, "%Y-%m-%d %H:%M:%S%.f%#z") {
        return Some(moment.into());
    }
    let local = |text: &str| {
        let formats = [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
            "%d/%m/%Y %H:%M:%S",
            "%d/%m/%Y %H:%M",
        ];
        formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    };
    local(raw)
        .or_else(|| parse_day(raw).map(|day| day.and_time(NaiveTime::MIN)))
        .and_then(|local| local.and_local_timezone(zone).single())
        .map(Timestamp::from)
}

/// Reads a day in the ways offices write it: `2026-11-21`, `21/11/2026`, `21-11-2026`.
#[must_use]
pub fn parse_day(raw: &str) -> Option<NaiveDate> {
    let raw = raw.trim();
    ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(raw, format).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::card::CardStatus;

    const NOW: Timestamp = Timestamp::from_ms(1_795_300_000_000);

    fn check(value: &Value) -> Result<CardUpdate, Reason> {
        RawUpdate::from_json(value)?.check(FixedOffset::east_opt(7 * 3600).unwrap(), NOW)
    }

    fn example() -> Value {
        json!({"id": "siak-1", "occurred_at": "2026-11-21T08:00:00+07:00", "nik": "3517091234560001",
               "status": "card printed", "name": "Siti Aminah", "phone": "0812-3456-7890",
               "area": "35.17.09.2018", "home_delivery": {"date": "2026-11-24", "from": "09:00", "to": "12:00"}})
    }

    #[test]
    fn the_example_of_the_interface_is_taken() {
        let mut item = example();
        item["nik"] = "3517091204560001".into();
        let update = check(&item).unwrap();
        assert_eq!(update.status, CardStatus::Printed);
        assert_eq!(update.document, Document::KtpEl);
        assert!(matches!(update.phone, PhoneGiven::Mobile(_)));
        assert_eq!(update.home_delivery.unwrap().to, NaiveTime::from_hms_opt(12, 0, 0));
    }

    #[test]
    fn each_wrong_part_has_a_code_of_its_own_and_is_not_repeated_in_the_reason() {
        let cases = [
            ("nik", json!("3.51709E+15"), "invalid_nik"),
            ("nik", Value::Null, "missing_field"),
            ("status", json!("KARTU TERBANG"), "unknown_status"),
            ("document", json!("sim"), "unknown_document"),
            ("area", json!("jombang"), "invalid_area"),
            ("occurred_at", json!("kemarin"), "invalid_occurred_at"),
            ("occurred_at", json!("2036-01-01T00:00:00Z"), "invalid_occurred_at"),
            ("occurred_at", json!("0001-01-01T00:00:00Z"), "invalid_occurred_at"),
            ("service_point", json!("kec\u{0}"), "invalid_item"),
            ("home_delivery", json!({"date": "besok"}), "invalid_home_delivery"),
            (
                "home_delivery",
                json!({"date": "2026-11-24", "from": "12:00", "to": "09:00"}),
                "invalid_home_delivery",
            ),
            ("home_delivery", json!({}), "invalid_home_delivery"),
            ("silent", json!("ya"), "invalid_item"),
            ("id", json!("x".repeat(201)), "too_long"),
        ];
        for (part, value, code) in cases {
            let mut item = example();
            item["nik"] = "3517091204560001".into();
            item[part] = value.clone();
            let reason = check(&item).unwrap_err();
            assert_eq!(reason.code, code, "{part} = {value}");
            let shown = value.as_str().unwrap_or("\u{0}");
            assert!(!reason.message.contains(shown), "{}", reason.message);
        }
    }

    #[test]
    fn a_number_that_cannot_be_reached_does_not_spoil_the_update() {
        let mut item = example();
        item["nik"] = "3517091204560001".into();
        item["phone"] = "(0321) 861234".into();
        assert_eq!(check(&item).unwrap().phone, PhoneGiven::Unusable("landline"));
    }

    #[test]
    fn the_same_number_written_otherwise_is_the_same_content() {
        let mut other = example();
        other["phone"] = "+62 812 3456 7890".into();
        let canonical = |value: &Value| RawUpdate::from_json(value).unwrap().canonical();
        assert_eq!(canonical(&example()), canonical(&other));
        other["status"] = "CARD_ISSUED".into();
        assert_ne!(canonical(&example()), canonical(&other));
    }
}
