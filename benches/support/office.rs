//! An office to measure: the built-in texts, no quiet hours, and a database of its own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kabar::dialogue::Script;
use kabar::domain::area::AreaCode;
use kabar::domain::card_plan::AnnouncePolicy;
use kabar::domain::clock::Clock;
use kabar::domain::message::{ChannelKind, UnknownWait};
use kabar::domain::quiet_hours::QuietHours;
use kabar::service::knowledge::Primer;
use kabar::service::watch::Watched;
use kabar::service::{Account, App, BroadcastPolicy, FallbackAfter, Parts, Settings};
use kabar::store::{Db, Key, Sealer};
use kabar::template::Templates;
use kabar::understand::LABELS;

/// Where it is.
pub const AREA: &str = "35.17";

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
    };
    let parts = Parts { db, settings, accounts, sources, templates, script, primer };
    Ok(App::new(parts, clock))
}
