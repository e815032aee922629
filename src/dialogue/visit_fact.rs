//! What the conversation is told of sessions and appointments. Plain data, filled by the service.

use std::fmt;
use std::time::Duration;

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{AppointmentId, ServiceSessionId};
use crate::domain::outbound::Pin;
use crate::domain::service_point::PointService;
use crate::domain::service_session::SessionKind;

/// What lines about appointments are filled with.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct VisitHoles {
    /// What it is for.
    pub(super) service: String,
    /// The paper asked for, how many are still to be asked, and whether this is the first.
    pub(super) ask: String,
    pub(super) left: usize,
    pub(super) is_first: bool,
    pub(super) papers: Vec<Lack>,
    pub(super) slots: Vec<SessionFact>,
    pub(super) own: Vec<AppointmentFact>,
    pub(super) code: String,
    /// The place in the line.
    pub(super) line: i64,
    /// How many one chat may have.
    pub(super) most: i64,
    /// So long before a session who waits hears of a place at the latest, in hours and minutes.
    pub(super) ahead: (u64, u64),
    /// Why a session was called off.
    pub(super) reason: String,
    pub(super) portal: String,
    pub(super) prepare: String,
}

impl VisitHoles {
    /// Made up, with as much as there may be, something, and nothing optional.
    pub(super) fn sample(size: usize) -> Self {
        let paper = |name: &str, how: &str, is_missing| Lack {
            id: String::new(),
            name: name.to_owned(),
            how: how.to_owned(),
            is_missing,
        };
        let papers = [
            paper("surat kehilangan dari kepolisian", "Minta di kantor polisi terdekat.", true),
            paper("KK", "Bila KK juga hilang, katakan di loket.", false),
            paper("KTP-el orang tua atau wali", "Bawa KTP-el asli salah satu.", size == 2),
        ];
        let session = |n: i64| SessionFact {
            id: ServiceSessionId::floor(Timestamp::from_ms(n)),
            place: "Balai Desa Sumbermulyo Kecamatan Jogoroto".to_owned(),
            place_short: "Balai Desa Sumbermulyo".to_owned(),
            kind: SessionKind::Mobile,
            area: AreaCode::nationwide(),
            day: "Selasa, 24 November".to_owned(),
            day_short: "Sel 24 Nov".to_owned(),
            date: NaiveDate::default(),
            comes: Some("07.30 WIB".to_owned()),
            comes_short: Some("07.30".to_owned()),
            window: "pukul 07.30-11.30 WIB".to_owned(),
            window_short: "07.30-11.30 WIB".to_owned(),
            waiting: n,
            may_wait: n != 1,
            is_reminded: n == 1,
            services: Vec::new(),
            pin: None,
        };
        let own = |line| AppointmentFact {
            id: AppointmentId::floor(Timestamp::from_ms(1)),
            code: "J-7KQ4".to_owned(),
            service: "req_ktp_lost".to_owned(),
            session: ServiceSessionId::floor(Timestamp::from_ms(1)),
            place: "Kantor Kecamatan Jombang".to_owned(),
            place_short: "Kec. Jombang".to_owned(),
            day: "Selasa, 24 November".to_owned(),
            day_short: "Sel 24 Nov".to_owned(),
            time: if line == 0 { "07.30 WIB".to_owned() } else { String::new() },
            line,
            lacks: Vec::new(),
        };
        let shown = i64::try_from(size).unwrap_or(0) + 1;
        Self {
            service: "Kartu Identitas Anak".to_owned(),
            ask: "Apakah surat kehilangan dari kepolisian sudah ada?".to_owned(),
            left: 3,
            is_first: size == 0,
            papers: papers[..=size].to_vec(),
            slots: (1..=shown).map(session).collect(),
            own: (0..shown).map(own).collect(),
            code: "J-7KQ4".to_owned(),
            line: shown,
            most: 3,
            ahead: [(12, 0), (1, 30), (0, 0)].get(size).copied().unwrap_or_default(),
            reason: if size == 1 { "listrik padam".to_owned() } else { String::new() },
            portal: if size == 2 { "Layanan Dukcapil Jombang".to_owned() } else { String::new() },
            prepare: "foto KK asli".to_owned(),
        }
    }
}

/// A paper to bring.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Lack {
    #[serde(skip)]
    pub(super) id: String,
    pub(super) name: String,
    pub(super) how: String,
    pub(super) is_missing: bool,
}

/// A session that citizens can come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionFact {
    /// Which; comes back in the choice and in the effect.
    #[serde(skip)]
    pub id: ServiceSessionId,
    /// Where.
    pub place: String,
    /// The same for SMS and buttons.
    pub place_short: String,
    /// What it is.
    #[serde(skip)]
    pub kind: SessionKind,
    /// In which area.
    #[serde(skip)]
    pub area: AreaCode,
    /// The day, in words.
    pub day: String,
    /// The same for SMS and buttons.
    pub day_short: String,
    /// The day.
    #[serde(skip)]
    pub date: NaiveDate,
    /// When whoever asks now would come, in words; nothing when no place is free.
    pub comes: Option<String>,
    /// The same for SMS and buttons.
    pub comes_short: Option<String>,
    /// From when to when, in words.
    pub window: String,
    /// The same for SMS.
    pub window_short: String,
    /// How many wait for a place.
    pub waiting: i64,
    /// There is still time to tell somebody who waits that they have a place.
    pub may_wait: bool,
    /// Whoever books now is reminded the day before.
    pub is_reminded: bool,
    /// What is done there.
    #[serde(skip)]
    pub services: Vec<PointService>,
    /// On the map.
    #[serde(skip)]
    pub pin: Option<Pin>,
}

/// A session at this moment, held while it is answered of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotNow {
    /// How it is; nothing when nobody can come to it any more.
    pub session: Option<SessionFact>,
    /// The code of whoever gets a place.
    pub code: String,
    /// Why it does not take place, where it was called off.
    pub called_off: Option<String>,
}

/// What a chat has, and whether it may have more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookingFact {
    /// What it has that is still to come.
    pub own: Vec<AppointmentFact>,
    /// It did not come too often, and asks at the counter.
    pub is_blocked: bool,
    /// How many it may have.
    pub most: i64,
    /// Who waits hears of a place so long before the session at the latest.
    pub move_up_before: Duration,
    /// The office's own portal, and what to have at hand for it.
    pub portal: Option<(String, String)>,
}

/// An appointment of the chat that writes.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AppointmentFact {
    /// Which.
    #[serde(skip)]
    pub id: AppointmentId,
    /// As printed: `J-7KQ4`.
    pub code: String,
    /// What for: a label.
    pub service: String,
    /// In which session.
    #[serde(skip)]
    pub session: ServiceSessionId,
    /// Where.
    pub place: String,
    /// The same for SMS.
    pub place_short: String,
    /// The day, in words.
    pub day: String,
    /// The same for SMS.
    pub day_short: String,
    /// When to come; empty while they wait for a place.
    pub time: String,
    /// The place in the line; 0 for who has a place.
    pub line: i64,
    /// What they lacked.
    pub lacks: Vec<String>,
}

impl fmt::Debug for AppointmentFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppointmentFact({})", self.code)
    }
}
