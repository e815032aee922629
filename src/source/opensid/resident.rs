//! A resident of OpenSID, and what that says of a card.
//!
//! Knows the register's codes and its people's habits of filling it in. Judges no NIK and no number:
//! what is damaged goes on, and is rejected where the office sees it.

use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use super::Desa;
use crate::domain::absence::Absence;
use crate::domain::clock::Timestamp;
use crate::domain::nik::{Nik, NikError};
use crate::domain::outbound::ChatId;
use crate::domain::raw_update::RawUpdate;
use crate::source::{Record, VerifiedChat};

/// A row of `tweb_penduduk`, as text.
pub(super) struct Resident {
    id: String,
    nik: String,
    name: String,
    status: String,
    ktp_el: String,
    base_status: String,
    phone: String,
    telegram: String,
    is_verified: bool,
    preference: String,
    changed_at: Option<i64>,
    dusun: String,
    rw: String,
    rt: String,
}

impl Resident {
    pub(super) fn read(row: &MySqlRow) -> Result<Self, sqlx::Error> {
        let text = |at: usize| {
            row.try_get::<Option<String>, _>(at).map(|text| clean(&text.unwrap_or_default()))
        };
        Ok(Self {
            id: text(0)?,
            nik: text(1)?,
            name: text(2)?,
            status: text(3)?,
            ktp_el: text(4)?,
            base_status: text(5)?,
            phone: text(6)?,
            telegram: text(7)?,
            is_verified: text(8)? == "1",
            preference: text(9)?,
            // With microseconds where the column has them.
            changed_at: text(10)?.split('.').next().and_then(|seconds| seconds.parse().ok()),
            dusun: place(text(11)?),
            rw: place(text(12)?),
            rt: place(text(13)?),
        })
    }

    /// What it says of a card, or why nothing.
    pub(super) fn into_record(self, desa: &Desa) -> Result<Record, &'static str> {
        // A NIK that is damaged goes on and is rejected where the office sees it; one that does not
        // exist yet is nothing to mend.
        if matches!(Nik::parse(&self.nik), Err(NikError::Empty | NikError::Temporary)) {
            return Err("no_nik_yet");
        }
        match self.status.as_str() {
            "" | "0" => return Err("no_status"),
            // Children, of whom nothing needs to be kept before they may have a card.
            "1" => return Err("not_required_yet"),
            _ => {}
        }
        let document = if self.ktp_el == "3" { "kia" } else { "ktp-el" };
        let chat = self.telegram.parse().ok().and_then(ChatId::new).filter(|_| self.is_verified);
        let is_preferred = self.preference.eq_ignore_ascii_case("telegram");
        Ok(Record {
            key: format!("{}/{}", desa.config_id, self.id),
            absence: absence(&self.base_status),
            place: None,
            is_register: true,
            part: Some(desa.code.to_string()),
            chat: chat.map(|chat| VerifiedChat { chat, is_preferred }),
            changed_at: self.changed_at.map(|s| Timestamp::from_ms(s.saturating_mul(1000))),
            update: RawUpdate {
                nik: self.nik,
                status: self.status,
                document: document.to_owned(),
                name: self.name,
                phone: self.phone,
                area: desa.code.to_string(),
                rt: self.rt,
                rw: self.rw,
                dusun: self.dusun,
                address: String::new(),
                is_undated: true,
                is_state: true,
                ..RawUpdate::default()
            },
        })
    }
}

/// `status_dasar`: 1 lives there, and only who does stands in the view `penduduk_hidup`.
fn absence(code: &str) -> Option<Absence> {
    match code {
        "" | "1" => None,
        "2" => Some(Absence::Died),
        "3" => Some(Absence::Moved),
        "4" => Some(Absence::Missing),
        "6" => Some(Absence::Left),
        _ => Some(Absence::Invalid),
    }
}

/// Nobody's name or number holds a line break; one that does would be refused as a whole.
fn clean(text: &str) -> String {
    let no_control: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    no_control.trim().to_owned()
}

/// RT, RW and dusun that do not exist stand as `0` or `-`.
fn place(text: String) -> String {
    if text.chars().all(|c| matches!(c, '0' | '-' | ' ')) { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::area::AreaCode;

    fn resident() -> Resident {
        Resident {
            id: "7".to_owned(),
            nik: "3517182709800001".to_owned(),
            name: "Siti Aminah".to_owned(),
            status: "4".to_owned(),
            ktp_el: "2".to_owned(),
            base_status: "1".to_owned(),
            phone: "0812-3456-7890".to_owned(),
            telegram: "123456789".to_owned(),
            is_verified: true,
            preference: "Telegram".to_owned(),
            changed_at: Some(1_795_300_000),
            dusun: "Krajan".to_owned(),
            rw: "004".to_owned(),
            rt: "003".to_owned(),
        }
    }

    fn record(change: impl Fn(&mut Resident)) -> Result<Record, &'static str> {
        let mut resident = resident();
        change(&mut resident);
        let code = AreaCode::parse("3517092018").unwrap();
        resident.into_record(&Desa { config_id: 3, code })
    }

    #[test]
    fn a_resident_becomes_an_update_of_their_card_in_their_desa() {
        let record = record(|_| {}).unwrap();
        assert_eq!(record.key, "3/7");
        assert_eq!(record.update.area, "35.17.09.2018");
        assert_eq!((record.update.rt.as_str(), record.update.dusun.as_str()), ("003", "Krajan"));
        assert!(record.update.is_undated && record.absence.is_none());
        assert!(record.chat.unwrap().is_preferred);
    }

    #[test]
    fn who_has_no_nik_no_status_or_no_need_of_a_card_yet_is_passed_over() {
        let why = |change: fn(&mut Resident)| record(change).unwrap_err();
        for nik in ["", "0", "0351709201800012"] {
            assert_eq!(record(|r| nik.clone_into(&mut r.nik)).unwrap_err(), "no_nik_yet", "{nik}");
        }
        assert_eq!(why(|r| r.status = "0".to_owned()), "no_status");
        assert_eq!(why(|r| r.status = "1".to_owned()), "not_required_yet");
        assert!(record(|r| r.nik = "351718270980000".to_owned()).is_ok(), "damaged: to be mended");
    }

    #[test]
    fn only_a_verified_chat_is_taken_over() {
        assert!(record(|r| r.is_verified = false).unwrap().chat.is_none());
        assert!(record(|r| r.telegram = "-100123".to_owned()).unwrap().chat.is_none(), "a group");
        assert!(record(|r| r.telegram = "@siti".to_owned()).unwrap().chat.is_none());
        let other = record(|r| r.preference = "SMS".to_owned()).unwrap().chat.unwrap();
        assert!(!other.is_preferred);
    }

    #[test]
    fn every_base_status_but_alive_says_that_they_are_gone() {
        let codes = ["1", "2", "3", "4", "6", "9", "5"].map(absence);
        let words = codes.map(|a| a.map_or("here", Absence::as_str));
        assert_eq!(words, ["here", "died", "moved", "missing", "left", "invalid", "invalid"]);
    }

    #[test]
    fn a_childs_card_is_a_kia_and_placeholders_are_no_places() {
        assert_eq!(record(|r| r.ktp_el = "3".to_owned()).unwrap().update.document, "kia");
        assert_eq!(["0", "-", "00", "Krajan"].map(|t| place(t.to_owned())).concat(), "Krajan");
        assert_eq!(clean(" Siti\r\nAminah "), "Siti  Aminah");
    }
}
