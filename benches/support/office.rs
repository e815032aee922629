//! An office to measure: the built-in texts, no quiet hours, and a database of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kabar::dialogue::Script;
use kabar::domain::appointment_policy::AppointmentPolicy;
use kabar::domain::area::AreaCode;
use kabar::domain::blanko::BlankoPolicy;
use kabar::domain::card::{CardStatus, CardUpdate, PhoneGiven};
use kabar::domain::card_plan::AnnouncePolicy;
use kabar::domain::clock::{Clock, Timestamp};
use kabar::domain::collection::Ladder;
use kabar::domain::document::Document;
use kabar::domain::message::{ChannelKind, UnknownWait};
use kabar::domain::nik::Nik;
use kabar::domain::person::PersonName;
use kabar::domain::phone::PhoneNumber;
use kabar::domain::quiet_hours::QuietHours;
use kabar::service::knowledge::Primer;
use kabar::service::watch::Watched;
use kabar::service::{Account, App, BroadcastPolicy, FallbackAfter, Parts, RoundPolicy, Settings};
use kabar::store::{Db, Key, Sealer};
use kabar::template::Templates;
use kabar::understand::LABELS;

/// Where it is.
pub const AREA: &str = "35.17";

const NAMES: &[&str] = &["Contoh", "Warga", "Uji", "Coba", "Misal", "Umpama", "Andai", "Model"];
const SYLLABLES: &[&str] = &["ra", "di", "ku", "ma", "so", "ti", "le", "wa", "ni", "bu"];

/// The keys of a database that several processes open.
pub struct Keys {
    /// Seals.
    pub seal: String,
    /// Hashes.
    pub index: String,
}

impl Keys {
    /// Fresh ones.
    pub fn generate() -> anyhow::Result<Self> {
        let fresh = || Ok::<_, anyhow::Error>(Key::generate()?.to_base64().to_string());
        Ok(Self { seal: fresh()?, index: fresh()? })
    }

    /// Those that lie beside a kept database; fresh ones beside a new one.
    pub fn kept(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("keys.txt");
        if let Ok(text) = std::fs::read_to_string(&path) {
            let mut lines = text.lines().map(ToOwned::to_owned);
            let mut next = || lines.next().context("keys.txt has two lines");
            return Ok(Self { seal: next()?, index: next()? });
        }
        let keys = Self::generate()?;
        std::fs::write(path, format!("{}\n{}\n", keys.seal, keys.index))?;
        Ok(keys)
    }
}

/// Opens it on the database at that address, which nobody opens again.
pub async fn open(
    url: &str,
    accounts: Vec<Account>,
    sources: Vec<Watched>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<App> {
    open_with(url, &Keys::generate()?, accounts, sources, clock).await
}

/// The same with these keys.
pub async fn open_with(
    url: &str,
    keys: &Keys,
    accounts: Vec<Account>,
    sources: Vec<Watched>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<App> {
    let seal = Key::parse(&keys.seal.clone().into())?;
    let index = Key::parse(&keys.index.clone().into())?;
    let db = Db::open(url, Arc::new(Sealer::new((1, &seal), &[], &index)?)).await?;
    let templates = Templates::embedded().ok().context("the built-in announcements have faults")?;
    let script = Script::embedded(LABELS).ok().context("the built-in answers have faults")?;
    let primer = Primer::new(&script).ok().context("spelling.toml has faults")?;
    let primer = Arc::new(primer);
    let minutes = |count: u64| Duration::from_secs(count * 60);
    let settings = Settings {
        office_name: "Disdukcapil".to_owned(),
        office_area: AreaCode::parse(AREA)?,
        quiet_hours: QuietHours::off(),
        policy: AnnouncePolicy::default(),
        channels: vec![ChannelKind::Whatsapp],
        fallback_after: FallbackAfter::all(minutes(240)),
        unknown_wait: UnknownWait {
            reply: minutes(1),
            announcement: minutes(10),
            broadcast: minutes(10),
        },
        max_attempts: 8,
        ticket_close_after: Duration::from_secs(7 * 24 * 3600),
        needs_second_factor: false,
        broadcast: BroadcastPolicy::default(),
        round: RoundPolicy::default(),
        ladder: Ladder::default(),
        blanko: BlankoPolicy::default(),
        appointment: AppointmentPolicy::default(),
    };
    let parts = Parts { db, settings, accounts, sources, templates, script, primer };
    Ok(App::new(parts, clock))
}

/// One of many who live in its desa: each has a number, a NIK and an area of their own.
pub fn person(number: usize, now: Timestamp) -> anyhow::Result<CardUpdate> {
    let (day, serial) = (number / 9_999, number % 9_999 + 1);
    let (kecamatan, desa) = (number % 21 + 1, number % 300 + 2_001);
    let syllable = |index: usize| SYLLABLES.get(index % SYLLABLES.len()).copied().unwrap_or("a");
    let first = NAMES.get(number / 7 % NAMES.len()).copied().unwrap_or("Contoh");
    let name = format!(
        "{first} {}{}{}",
        syllable(number / 3),
        syllable(number / 31),
        syllable(number / 311)
    );
    let phone = PhoneNumber::parse(&format!("0812{number:08}"))?;
    Ok(CardUpdate {
        external_id: String::new(),
        occurred_at: now,
        nik: Nik::parse(&format!(
            "351709{:02}{:02}{:02}{serial:04}",
            day % 28 + 1,
            day / 28 % 12 + 1,
            70 + day / 336 % 20
        ))?,
        document: Document::KtpEl,
        status: CardStatus::Printed,
        name: PersonName::parse(&name),
        phone: PhoneGiven::Mobile(phone),
        area: Some(AreaCode::parse(&format!("35.17.{kecamatan:02}.{desa}"))?),
        rt: None,
        rw: None,
        dusun: None,
        address: None,
        service_point: None,
        home_delivery: None,
        is_silent: true,
        is_state: false,
    })
}
