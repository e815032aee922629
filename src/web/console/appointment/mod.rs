//! `/console/kunjungan`: visits without queueing, as the office sees them: sessions by day, who comes to one, the
//! counter that opens a case by its code, recording days, stops of the van, and the weekly hours of counters.
//!
//! Who gets which place, and who is told of what, is the service's business. Here stands what all these pages share:
//! how a session is written, what a form says of a refusal, and how its fields are read.

mod alarm;
mod counter;
mod list;
mod new;
mod plan;
mod session;

pub(super) use alarm::{SessionsToday, look_at_sessions};
pub(super) use counter::COUNTER;

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};

use serde::Deserialize;

use super::area::Names;
use super::calendar::weekday;
use super::page::Page;
use super::point::service_name;
use super::{Need, Rooms};
use crate::domain::appointment::AppointmentState;
use crate::domain::clock::Timestamp;
use crate::domain::officer::Right;
use crate::domain::service_point::PointService;
use crate::domain::service_session::{ServiceSession, SessionError, SessionKind};
use crate::service::appointment::{AppointmentError, Closed};
use crate::store::service_session::Counted;
use crate::web::Web;
use crate::web::error::Error;

/// The page's way.
pub(super) const HERE: &str = "/console/kunjungan";

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, plan) = (Need::Right(Right::SeePoints), Need::Right(Right::ChangePoints));
    let run = Need::Right(Right::RunCounter);
    rooms
        .get("/console/kunjungan", see, list::show)
        .get("/console/kunjungan/kalender", see, list::show_month)
        .get("/console/kunjungan/baru", plan, new::show)
        .post("/console/kunjungan/baru", plan, new::add)
        .get("/console/kunjungan/loket", run, counter::show)
        .post("/console/kunjungan/loket", run, counter::find)
        .get("/console/kunjungan/janji/{id}", run, counter::show_case)
        .post("/console/kunjungan/janji/{id}/{what}", run, counter::note)
        .get("/console/kunjungan/sesi/{id}", run, session::show)
        .post("/console/kunjungan/sesi/{id}/janji", run, session::give)
        .post("/console/kunjungan/sesi/{id}/kuota", plan, session::resize)
        .get("/console/kunjungan/sesi/{id}/batal", plan, session::ask_off)
        .post("/console/kunjungan/sesi/{id}/batal", plan, session::take_off)
        .get("/console/tempat/titik/{code}/jadwal", see, plan::show)
        .post("/console/tempat/titik/{code}/jadwal", plan, plan::add)
        .post("/console/tempat/titik/{code}/jadwal/{id}/akhiri", plan, plan::end)
}

/// What a closure did to sessions, as the way to the page that says so carries it.
#[derive(Deserialize, Default)]
pub(super) struct Off {
    #[serde(default)]
    sesi: u64,
    #[serde(default)]
    diberi_tahu: u64,
    #[serde(default)]
    sendiri: u64,
}

impl Off {
    /// What follows in the query.
    pub(super) fn query(closed: Closed) -> String {
        match closed {
            Closed { sessions: 0, .. } => String::new(),
            Closed { sessions, told, untold } => {
                format!("&sesi={sessions}&diberi_tahu={told}&sendiri={untold}")
            }
        }
    }

    /// The same in words; nothing where no session was concerned.
    pub(super) fn words(&self, page: &Page) -> Option<String> {
        (self.sesi > 0).then(|| {
            format!(
                "{} {}. {} {}, {} {}.",
                page.t(
                    "Sesi yang dibatalkan atau dipendekkan:",
                    "Sessions called off or made shorter:"
                ),
                self.sesi,
                page.t(
                    "Warga yang diberi tahu lewat chat:",
                    "Citizens who are told in their chat:"
                ),
                self.diberi_tahu,
                page.t(
                    "warga dengan janji dari loket yang perlu Anda kabari sendiri:",
                    "citizens with a place from the counter whom you tell yourself:",
                ),
                self.sendiri,
            )
        })
    }
}

/// The fields of a form as they came: some stand in it more than once.
pub(super) type Fields = Vec<(String, String)>;

/// What a field says; nothing where it is missing.
fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
}

fn has(fields: &Fields, name: &str, value: &str) -> bool {
    fields.iter().any(|(key, is)| key == name && is == value)
}

/// A service that a form offers.
struct Tick {
    word: &'static str,
    name: &'static str,
    is_chosen: bool,
}

fn ticks(page: &Page, fields: &Fields) -> Vec<Tick> {
    let tick = |service: &PointService| Tick {
        word: service.as_str(),
        name: service_name(page, *service),
        is_chosen: has(fields, "service", service.as_str()),
    };
    PointService::ALL.iter().map(tick).collect()
}

fn services_of(fields: &Fields) -> Vec<PointService> {
    let all = PointService::ALL.iter().copied();
    all.filter(|service| has(fields, "service", service.as_str())).collect()
}

/// From when to when, how many may come, and how many of these places are kept.
type Terms = ((NaiveTime, NaiveTime), i64, Option<i64>);

fn terms_of(fields: &Fields) -> Result<Terms, AppointmentError> {
    let time = |name| {
        let text = field(fields, name).replace('.', ":");
        NaiveTime::parse_from_str(&text, "%H:%M").map_err(|_| SessionError::Window)
    };
    let window = (time("from")?, time("to")?);
    let (quota, held) = places_of(fields)?;
    Ok((window, quota, held))
}

fn places_of(fields: &Fields) -> Result<(i64, Option<i64>), AppointmentError> {
    let quota = field(fields, "quota").parse().map_err(|_| SessionError::Quota)?;
    let held = match field(fields, "held") {
        "" => None,
        held => Some(held.parse().map_err(|_| SessionError::Held)?),
    };
    Ok((quota, held))
}

/// What came of a form, in the reader's language.
pub(super) struct Notice {
    is_good: bool,
    words: String,
}

impl Notice {
    fn good(words: impl Into<String>) -> Self {
        Self { is_good: true, words: words.into() }
    }

    fn bad(words: impl Into<String>) -> Self {
        Self { is_good: false, words: words.into() }
    }
}

/// What a form says about a refusal; what no form can mend is an error.
fn refused(page: &Page, error: AppointmentError) -> Result<Notice, Error> {
    let words = match error {
        AppointmentError::NotFound => return Err(Error::NotFound),
        AppointmentError::Forbidden => return Err(Error::Forbidden("sessions")),
        AppointmentError::Other(error) => return Err(error.into()),
        AppointmentError::Session(error) => session_words(page, error),
        AppointmentError::Point => page.t(
            "Tempat layanan itu tidak ada di wilayah Anda.",
            "There is no such service point in your area.",
        ),
        AppointmentError::Service => page.t(
            "Layanan itu tidak dilayani di sesi ini.",
            "This session does not serve that.",
        ),
        AppointmentError::Over => page.t(
            "Sesi ini sudah selesai atau sudah dibatalkan.",
            "This session is over or was called off.",
        ),
        AppointmentError::Full => page.t(
            "Semua tempat di sesi ini sudah terisi. Tambah kuota, atau pilih sesi lain.",
            "No place is free in this session. Raise its quota, or choose another one.",
        ),
        AppointmentError::Code(_) => page.t(
            "Itu bukan kode janji. Kode ditulis seperti J-7KQ4, dengan empat huruf atau angka.",
            "That is no code of an appointment. Codes look like J-7KQ4, with four letters or digits.",
        ),
        AppointmentError::State(state) => {
            return Ok(Notice::bad(format!(
                "{} {}.",
                page.t("Tidak bisa lagi: janji ini", "Not any more: this appointment is"),
                state_name(page, state),
            )));
        }
        AppointmentError::Planned(other) => {
            let services: Vec<&str> =
                other.services.iter().map(|service| service_name(page, *service)).collect();
            return Ok(Notice::bad(format!(
                "{} {} {}–{} ({}). {}",
                page.t("Sudah ada jadwal pada jam itu:", "There are hours at that time already:"),
                plan::weekday_name(page, other.weekday),
                clock(other.from),
                clock(other.to),
                services.join(", "),
                page.t(
                    "Akhiri dulu, atau pilih jam atau layanan lain. Tidak ada yang disimpan.",
                    "End them first, or choose other times or services. Nothing was saved.",
                ),
            )));
        }
        AppointmentError::Early => page.t(
            "Sesinya belum mulai, jadi belum bisa dicatat tidak datang.",
            "The session has not begun: nobody can have stayed away yet.",
        ),
        AppointmentError::Who => page.t(
            "Nama paling banyak 80 huruf, dalam satu baris.",
            "The name has at most 80 characters, on one line.",
        ),
    };
    Ok(Notice::bad(words))
}

/// The same where no form stands that could be mended.
fn failed(page: &Page, error: AppointmentError) -> Error {
    refused(page, error).err().unwrap_or(Error::NotFound)
}

fn session_words(page: &Page, error: SessionError) -> &'static str {
    let (id, en) = match error {
        SessionError::Window => (
            "Jam selesai harus sesudah jam mulai, pada hari yang sama. Tulis seperti 08:00.",
            "A session ends after it begins, on the same day. Write times like 08:00.",
        ),
        SessionError::Quota => {
            ("Kuota harus angka dari 1 sampai 500.", "The quota is a number from 1 to 500.")
        }
        SessionError::Taken => (
            "Kuota tidak bisa kurang dari tempat yang sudah terisi.",
            "The quota cannot be less than the places that are taken.",
        ),
        SessionError::Held => (
            "Tempat simpanan harus lebih sedikit dari kuota, paling sedikit 0.",
            "Fewer places can be kept than there are, and not less than 0.",
        ),
        SessionError::Services => {
            ("Pilih paling sedikit satu layanan.", "Choose at least one service.")
        }
        SessionError::Day => (
            "Pilih hari ini atau salah satu dari 120 hari ke depan, dan jam yang belum lewat.",
            "Choose today or one of the next 120 days, and hours that are still ahead.",
        ),
        SessionError::Place => (
            "Pilih tempat layanan, atau tulis nama tempat (paling banyak 80 huruf, nama pendek 30) dan kode wilayahnya.",
            "Choose a service point, or write a place (at most 80 characters, its short name 30) and its area code.",
        ),
        SessionError::Reason(_) => (
            "Tulis alasannya dalam satu baris, paling banyak 80 huruf, tanpa tautan, NIK, atau nomor telepon. Warga membacanya.",
            "Give the reason on one line, at most 80 characters, without a link, a NIK or a phone number. Citizens read it.",
        ),
    };
    page.t(id, en)
}

fn state_name(page: &Page, state: AppointmentState) -> &'static str {
    match state {
        AppointmentState::Waiting => page.t("menunggu tempat", "waiting for a place"),
        AppointmentState::Booked => page.t("punya tempat", "booked"),
        AppointmentState::Served => page.t("datang", "came"),
        AppointmentState::NoShow => page.t("tidak datang", "did not come"),
        AppointmentState::Cancelled => page.t("dibatalkan warga", "cancelled by the citizen"),
        AppointmentState::CalledOff => page.t("dibatalkan kantor", "called off by the office"),
        AppointmentState::Lapsed => page.t("lewat tanpa catatan", "gone by without a note"),
    }
}

fn kind_name(page: &Page, kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Counter => page.t("Loket", "Counter"),
        SessionKind::RecordingDay => page.t("Hari perekaman", "Recording day"),
        SessionKind::Mobile => page.t("Mobil keliling", "Mobile van"),
    }
}

/// `12 jam 30 menit`.
fn span_words(page: &Page, span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    let part = |count: u64, id: &'static str, one: &'static str, more: &'static str| {
        (count > 0).then(|| format!("{count} {}", page.t(id, if count == 1 { one } else { more })))
    };
    let parts = [
        part(minutes / 60, "jam", "hour", "hours"),
        part(minutes % 60, "menit", "minute", "minutes"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn clock(time: NaiveTime) -> String {
    time.format("%H.%M").to_string()
}

/// `Selasa, 24 Nov 2026`.
fn day_name(page: &Page, day: NaiveDate) -> String {
    format!("{}, {}", weekday(page, day), page.date(day))
}

/// A session as the pages show it.
struct Line {
    id: String,
    kind: &'static str,
    place: String,
    area: String,
    day: String,
    hours: String,
    services: String,
    quota: i64,
    held: i64,
    taken: i64,
    by_desk: i64,
    waiting: i64,
    /// Colour and word of its badge.
    badge: Option<(&'static str, &'static str)>,
}

fn line(web: &Web, page: &Page, names: &Names, counted: &Counted) -> Line {
    let session = &counted.session;
    let services: Vec<&str> =
        session.services.iter().map(|service| service_name(page, *service)).collect();
    let (from, to) = (clock(session.from), clock(session.to));
    Line {
        id: session.id.to_string(),
        kind: kind_name(page, session.kind),
        place: session.place.clone(),
        area: names.show(page, &session.area),
        day: day_name(page, session.day),
        hours: format!("{from}–{to} {}", session.area.zone().label()),
        services: services.join(", "),
        quota: session.quota,
        held: session.held,
        taken: counted.taken,
        by_desk: counted.by_desk,
        waiting: counted.waiting,
        badge: badge(page, counted, web.app.now()),
    }
}

fn badge(page: &Page, counted: &Counted, now: Timestamp) -> Option<(&'static str, &'static str)> {
    let session = &counted.session;
    if session.closed.is_some() {
        return Some(("bad", page.t("dibatalkan", "called off")));
    }
    if is_unsettled(counted, now) {
        return Some(("warn", page.t("belum dicatat", "not settled")));
    }
    if !session.is_ahead(now) {
        return Some(("", page.t("selesai", "over")));
    }
    if session.begins_at <= now {
        return Some(("info", page.t("berlangsung", "running")));
    }
    (counted.taken >= session.quota).then_some(("warn", page.t("penuh", "full")))
}

/// Over, and of somebody who had a place nobody said whether they came.
fn is_unsettled(counted: &Counted, now: Timestamp) -> bool {
    let session = &counted.session;
    let is_open = session.closed.is_none() && session.settled_at.is_none();
    is_open && session.ends_at <= now && counted.taken > counted.served
}

/// Today, by the office's clock.
fn today(web: &Web) -> NaiveDate {
    web.app.now().in_zone(web.app.zone(None).offset()).date_naive()
}

/// How many of a session's places are taken, as its page counts them from the roll.
fn counted_of(session: ServiceSession, states: &[(AppointmentState, bool)]) -> Counted {
    let count = |fits: &dyn Fn(&(AppointmentState, bool)) -> bool| {
        i64::try_from(states.iter().filter(|one| fits(one)).count()).unwrap_or(i64::MAX)
    };
    Counted {
        taken: count(&|(state, _)| state.takes_seat()),
        served: count(&|(state, _)| *state == AppointmentState::Served),
        by_desk: count(&|(state, is_desk)| state.takes_seat() && *is_desk),
        waiting: count(&|(state, _)| *state == AppointmentState::Waiting),
        untold: 0,
        session,
    }
}
