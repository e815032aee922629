//! Moves the sample office's cards: by itself, slowly enough to watch, and at the press of a button.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Days;
use kabar::domain::area::AreaCode;
use kabar::domain::calendar::{Week, parse_spans};
use kabar::domain::card::CardStatus;
use kabar::domain::document::Document;
use kabar::domain::nik::Nik;
use kabar::domain::raw_update::RawUpdate;
use kabar::domain::service_point::{GeoPoint, PointService, PointState};
use kabar::sandbox::Presence;
use kabar::service::App;
use kabar::service::card::{self, Item};
use kabar::store::holiday::{Holiday, upsert_holiday};
use kabar::store::service_point::{self, Change, Detail, ServicePoint};
use kabar::store::{card as card_store, person};
use serde::Deserialize;
use tokio::sync::{Mutex, watch};

/// Time between two cards that move by themselves.
const PACE: Duration = Duration::from_secs(7);
/// The name under which the updates of the demo are remembered.
const SOURCE: &str = "demo";

#[derive(Deserialize)]
struct Office {
    service_point: Vec<Point>,
    holiday: Vec<DayOff>,
    person: Vec<Person>,
}

#[derive(Deserialize)]
struct Point {
    code: String,
    name: String,
    short_name: String,
    area: String,
    address: String,
    hours: String,
    hours_short: String,
    #[serde(default)]
    week: Option<String>,
    #[serde(default)]
    map: Option<String>,
    #[serde(default)]
    services: String,
    #[serde(default)]
    schedule: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    because: Option<String>,
    #[serde(default)]
    blanko: Option<String>,
}

/// A made-up day off.
#[derive(Deserialize)]
struct DayOff {
    date: String,
    name: String,
    area: String,
    #[serde(default)]
    hours: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Person {
    name: String,
    nik: String,
    phone: String,
    area: String,
    rt: String,
    rw: String,
    /// Whoever has one has their card brought home by the demo's round, and moves with nothing else.
    #[serde(default)]
    address: String,
    service_point: String,
    #[serde(default)]
    whatsapp: Presence,
}

impl Person {
    fn is_on_round(&self) -> bool {
        !self.address.is_empty()
    }
}

/// The phone of somebody in the sample office.
#[derive(Clone, Debug)]
pub(super) struct SamplePhone {
    pub(super) phone: String,
    pub(super) name: String,
    pub(super) whatsapp: Presence,
}

/// Something one can make happen.
#[derive(Debug)]
pub(super) struct Action {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    from: &'static [CardStatus],
    to: CardStatus,
}

use CardStatus as S;

/// The buttons of the phones page.
pub(super) const ACTIONS: &[Action] = &[
    Action {
        id: "print",
        label: "Cetak satu kartu",
        from: &[S::ReadyToPrint, S::WaitingForBlank],
        to: S::Printed,
    },
    Action {
        id: "home",
        label: "Jadwalkan antar ke rumah",
        from: &[S::Printed, S::Shipped, S::ReadyToPrint, S::WaitingForBlank],
        to: S::HomeDeliveryScheduled,
    },
    Action {
        id: "collect",
        label: "Siap diambil di kecamatan",
        from: &[S::Printed, S::Shipped, S::ReadyToPrint, S::WaitingForBlank],
        to: S::ReadyToCollect,
    },
    Action {
        id: "issue",
        label: "Serahkan satu kartu",
        from: &[S::HomeDeliveryScheduled, S::ReadyToCollect],
        to: S::Issued,
    },
    Action {
        id: "blank",
        label: "Blangko habis untuk satu orang",
        from: &[S::ReadyToPrint],
        to: S::WaitingForBlank,
    },
    Action {
        id: "failed",
        label: "Satu perekaman gagal",
        from: &[S::Recorded, S::ReadyToPrint],
        to: S::EnrollmentFailed,
    },
];

struct Cast {
    people: Vec<(Person, Option<CardStatus>)>,
    next: usize,
}

/// Plays card updates into the office. Cheap to clone.
#[derive(Clone)]
pub(super) struct Player {
    app: Arc<App>,
    cast: Arc<Mutex<Cast>>,
    phones: Arc<Vec<SamplePhone>>,
}

impl Player {
    /// Reads the sample people, writes the service points, and looks up where each card was left.
    pub(super) async fn open(app: Arc<App>) -> anyhow::Result<Self> {
        let office: Office =
            toml::from_str(include_str!("office.toml")).context("sample office")?;
        let mut tx = app.db.begin().await?;
        for day in office.holiday {
            let hours = day.hours.as_deref().map(parse_spans).transpose()?;
            let area = Some(AreaCode::parse(&day.area)?);
            let holiday = Holiday { date: day.date.parse()?, area, name: day.name, hours };
            upsert_holiday(&mut tx, &holiday, app.now()).await?;
        }
        for point in office.service_point {
            let mut changes = Vec::new();
            if let Some(status) = point.status.as_deref() {
                let status = status.parse()?;
                changes.push(Change::State(PointState {
                    status,
                    until: None,
                    because: point.because,
                }));
            }
            if let Some(stock) = point.blanko.as_deref() {
                changes.push(Change::Blanko(stock.parse()?));
            }
            let services = PointService::parse_list(&point.services).map_err(anyhow::Error::msg)?;
            let detail = Detail {
                week: point.week.as_deref().and_then(Week::parse),
                map: point.map.as_deref().and_then(GeoPoint::parse_stored),
                services,
                schedule: point.schedule,
                contact: None,
            };
            let point = ServicePoint {
                detail,
                area: AreaCode::parse(&point.area)?,
                code: point.code,
                name: point.name,
                short_name: point.short_name,
                address: Some(point.address),
                hours: point.hours,
                hours_short: point.hours_short,
            };
            // What somebody has set by hand since the first start stays.
            let is_new = service_point::find_point(&mut tx, &point.code).await?.is_none();
            service_point::upsert_point(&mut tx, &point, app.now()).await?;
            for change in changes.iter().filter(|_| is_new) {
                let now = app.now();
                service_point::set_condition(&mut tx, &point.code, change, SOURCE, now).await?;
            }
        }
        let mut people = Vec::with_capacity(office.person.len());
        for sample in office.person {
            let nik = Nik::parse(&sample.nik)?;
            let status = match person::find_by_nik(&mut tx, &app.db, &nik).await? {
                Some(known) => card_store::find_latest(&mut tx, &app.db, known.id, Document::KtpEl)
                    .await?
                    .map(|card| card.on_file.status),
                None => None,
            };
            people.push((sample, status));
        }
        tx.commit().await?;
        let phones = people
            .iter()
            .filter(|(person, _)| !person.phone.is_empty())
            .map(|(person, _)| SamplePhone {
                phone: person.phone.clone(),
                name: person.name.clone(),
                whatsapp: person.whatsapp,
            })
            .rev()
            .collect();
        let cast = Arc::new(Mutex::new(Cast { people, next: 0 }));
        let player = Self { app, cast, phones: Arc::new(phones) };
        player.begin().await?;
        Ok(player)
    }

    /// The phones of the sample people; a family's phone comes more than once.
    pub(super) fn phones(&self) -> Vec<SamplePhone> {
        self.phones.to_vec()
    }

    /// A file as an office would bring it: cards of people whose turn comes last, so that nobody
    /// has moved them before.
    pub(super) async fn sample_file(&self) -> String {
        let cast = self.cast.lock().await;
        let heading = "NIK;Nama;No HP;Status;Kode Wilayah;RT;RW;Tempat Ambil";
        let rows = cast.people.iter().rev().filter(|(person, _)| !person.phone.is_empty()).take(5);
        let rows = rows.map(|(person, _)| {
            let Person { nik, name, phone, area, rt, rw, service_point, .. } = person;
            format!("{nik};{name};{phone};siap diambil;{area};{rt};{rw};{service_point}\r\n")
        });
        format!("{heading}\r\n{}", rows.collect::<String>())
    }

    /// Everybody not on file yet was recorded some time ago; that is no news.
    async fn begin(&self) -> anyhow::Result<()> {
        let mut cast = self.cast.lock().await;
        for at in 0..cast.people.len() {
            if cast.people[at].1.is_none() {
                self.tell(&mut cast, at, CardStatus::ReadyToPrint, true).await?;
            }
        }
        Ok(())
    }

    /// Prints the cards that the round brings home. Gives their holders' phones, empty where there is none.
    pub(super) async fn print_for_round(&self) -> anyhow::Result<Vec<SamplePhone>> {
        let mut cast = self.cast.lock().await;
        let mut phones = Vec::new();
        for at in 0..cast.people.len() {
            let person = &cast.people[at].0;
            if person.is_on_round() {
                let (phone, name) = (person.phone.clone(), person.name.clone());
                phones.push(SamplePhone { phone, name, whatsapp: person.whatsapp });
                self.tell(&mut cast, at, CardStatus::Printed, false).await?;
            }
        }
        Ok(phones)
    }

    /// Moves a card every few seconds until told to stop.
    pub(super) async fn play(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(PACE) => {}
            }
            if let Err(error) = self.advance().await {
                tracing::error!("demo: {error:#}");
            }
        }
    }

    /// The next card's next step.
    async fn advance(&self) -> anyhow::Result<()> {
        let mut cast = self.cast.lock().await;
        // Four people at a time, so that one sees a card go all its way.
        let group = cast.next / 16 * 4;
        let at = (group + cast.next % 4) % cast.people.len();
        cast.next += 1;
        // A card in the hand stays there; when all are, the day begins anew.
        let is_over = cast
            .people
            .iter()
            .all(|(person, status)| person.is_on_round() || *status == Some(S::Issued));
        let is_there = cast.people[at].1 == Some(S::Issued) && !is_over;
        if is_there || cast.people[at].0.is_on_round() {
            return Ok(());
        }
        let to = match cast.people[at].1 {
            Some(S::ReadyToPrint | S::WaitingForBlank) => S::Printed,
            Some(S::Printed | S::Shipped) if at.is_multiple_of(2) => S::HomeDeliveryScheduled,
            Some(S::Printed | S::Shipped) => S::ReadyToCollect,
            Some(S::HomeDeliveryScheduled | S::ReadyToCollect) => S::Issued,
            _ => S::ReadyToPrint,
        };
        self.tell(&mut cast, at, to, false).await
    }

    /// What a button stands for, for the first card it fits; `false` when there is none.
    pub(super) async fn act(&self, action: &Action) -> anyhow::Result<bool> {
        let mut cast = self.cast.lock().await;
        // What comes first in the action's list is preferred: a printed card before one to print.
        let found = action.from.iter().find_map(|from| {
            cast.people
                .iter()
                .position(|(person, status)| !person.is_on_round() && *status == Some(*from))
        });
        let Some(at) = found else { return Ok(false) };
        self.tell(&mut cast, at, action.to, false).await?;
        Ok(true)
    }

    async fn tell(
        &self,
        cast: &mut Cast,
        at: usize,
        status: CardStatus,
        is_silent: bool,
    ) -> anyhow::Result<()> {
        let person = &cast.people[at].0;
        let now = self.app.now();
        let zone = self.app.zone(None).offset();
        let tomorrow = now.in_zone(zone).date_naive().checked_add_days(Days::new(1));
        let is_home = status == CardStatus::HomeDeliveryScheduled;
        let update = RawUpdate {
            id: format!("demo-{at}-{}", now.as_ms()),
            occurred_at: now.utc().to_rfc3339(),
            nik: person.nik.clone(),
            status: status.as_str().to_owned(),
            name: person.name.clone(),
            phone: person.phone.clone(),
            area: person.area.clone(),
            rt: person.rt.clone(),
            rw: person.rw.clone(),
            address: person.address.clone(),
            service_point: person.service_point.clone(),
            home_date: tomorrow.filter(|_| is_home).map(|day| day.to_string()).unwrap_or_default(),
            home_from: if is_home { "09:00".to_owned() } else { String::new() },
            home_to: if is_home { "12:00".to_owned() } else { String::new() },
            is_silent,
            ..RawUpdate::default()
        };
        let item = Item { update: Ok(update), raw: String::new() };
        card::record(&self.app, SOURCE, &[item]).await?;
        cast.people[at].1 = Some(status);
        Ok(())
    }
}
