//! Opens an office: from its configuration to an [`App`] and the secrets of its webhooks.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use kabar::channel::{Provider, Shared};
use kabar::config::{self, Config};
use kabar::dialogue::Script;
use kabar::domain::area::AreaCode;
use kabar::domain::clock::{Clock, SystemClock};
use kabar::service::knowledge::Primer;
use kabar::service::own_answer;
use kabar::service::watch::Watched;
use kabar::service::{
    Account, App, BroadcastPolicy, FallbackAfter, Parts, Rate, RoundPolicy, Settings,
};
use kabar::source::Kind;
use kabar::source::folder::Folder;
use kabar::source::opensid::OpenSid;
use kabar::source::sql::Sql;
use kabar::store::area::find_names;
use kabar::store::{Db, Sealer, StoreError};
use kabar::template::{Templates, VisitsPage};
use kabar::understand::{LABELS, Understanding};
use kabar::web::Web;

use super::{ConfigArg, hinted};

/// Where the configuration is looked for when nobody says.
const PLACES: [&str; 2] = ["kabar.toml", "/etc/kabar/kabar.toml"];

/// The configuration file meant.
pub(super) fn config_path(arg: &ConfigArg) -> anyhow::Result<PathBuf> {
    if let Some(path) = &arg.config {
        return Ok(path.clone());
    }
    PLACES.iter().map(PathBuf::from).find(|path| path.exists()).ok_or_else(|| {
        hinted(
            "there is no kabar.toml here and none in /etc/kabar",
            "`kabar init` writes one, and -c names another; `kabar demo` needs none",
        )
    })
}

/// Reads the configuration and starts logging as it says.
pub(super) fn load(arg: &ConfigArg) -> anyhow::Result<Config> {
    let config = Config::load(&config_path(arg)?, std::env::vars())?;
    kabar::telemetry::start(&config.log_level, config.log_format).map_err(anyhow::Error::msg)?;
    Ok(config)
}

/// Reads the texts: the folder's, or the built-in ones. All that is wrong is one error.
pub(super) fn texts(dir: Option<&Path>) -> anyhow::Result<(Templates, Script)> {
    let templates = match dir {
        Some(dir) => Templates::load(dir),
        None => Templates::embedded(),
    };
    let script = match dir {
        Some(dir) => Script::load(dir, LABELS),
        None => Script::embedded(LABELS),
    };
    let page = VisitsPage::load(dir).err();
    match (templates, script) {
        (Ok(templates), Ok(script)) if page.is_none() => Ok((templates, script)),
        (templates, script) => {
            let problems = templates.err().into_iter().flatten().chain(page);
            let mut all: Vec<String> = problems.map(|problem| problem.to_string()).collect();
            all.extend(script.err().into_iter().flatten());
            Err(hinted(
                format!("the texts have {} faults:\n  {}", all.len(), all.join("\n  ")),
                "mend the files named; `kabar templates check` looks at them alone",
            ))
        }
    }
}

/// The texts' own examples and spellings, for finding out what citizens mean.
pub(super) fn primer(script: &Script) -> anyhow::Result<Primer> {
    Primer::new(script)
        .map_err(|error| hinted(format!("spelling.toml: {error}"), "mend the file named"))
}

/// Trains what citizens mean from them.
pub(super) fn train(script: &Script) -> anyhow::Result<Arc<Understanding>> {
    Ok(primer(script)?.understanding())
}

/// Opens the database; when it cannot be used, says what to do.
pub(super) async fn open_database(url: &str, sealer: Sealer) -> anyhow::Result<Db> {
    Db::open(url, Arc::new(sealer)).await.map_err(|error| {
        let hint = match &error {
            StoreError::Unusable(what) if what.contains("other keys") => {
                "put the keys this database was made with into [keys]; nothing else opens it"
            }
            StoreError::Unusable(_) => {
                "look at database.url and at the file: a backup may be needed"
            }
            _ => "look at database.url and whether the database runs",
        };
        hinted(format!("the database cannot be used: {}", kabar::telemetry::chain(&error)), hint)
    })
}

/// An office, open.
pub(super) struct Office {
    pub(super) app: Arc<App>,
    pub(super) web: Web,
}

/// Opens the database and puts everything together.
pub(super) async fn open(config: Config) -> anyhow::Result<Office> {
    let (templates, mut script) = texts(config.templates.as_deref())?;
    let db = open_database(&config.database_url, config.sealer).await?;
    name_areas(&db, &mut script).await?;
    let http = http_client(&config.accounts)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let public_url = config.public_url.trim_end_matches('/').to_owned();
    let accounts = config
        .accounts
        .into_iter()
        .map(|account| {
            let shared = Shared {
                http: http.clone(),
                timeout: config.send_timeout,
                list_button: templates.vocabulary().list_button().to_owned(),
                hook_url: hook_url(&public_url, &account),
                clock: Arc::clone(&clock),
            };
            make_account(account, shared, &script)
        })
        .collect();
    let settings = Settings {
        office_name: config.office_name,
        office_area: config.office_area,
        quiet_hours: config.quiet_hours,
        policy: config.policy,
        channels: config.channels,
        fallback_after: FallbackAfter { any: config.fallback_after, own: config.fallback_on },
        unknown_wait: config.unknown_wait,
        max_attempts: config.max_attempts,
        ticket_close_after: config.ticket_close_after,
        needs_second_factor: config.needs_second_factor,
        broadcast: BroadcastPolicy {
            approve_over: config.approve_over,
            receipts_within: config.receipts_within,
        },
        round: RoundPolicy {
            code_at: config.round.code_at,
            is_old_card_demanded: config.round.is_old_card_demanded,
        },
        ladder: config.ladder,
        blanko: config.blanko,
        appointment: config.appointment,
    };
    let primer = Arc::new(primer(&script)?);
    let sources = config
        .sources
        .into_iter()
        .map(|source| make_source(source, &settings.office_area))
        .collect();
    let parts = Parts { db, settings, accounts, sources, templates, script, primer };
    let app = Arc::new(App::new(parts, clock));
    own_answer::refresh(&app).await?;
    let web = Web { app: Arc::clone(&app), public_url: public_url.into() };
    Ok(Office { app, web })
}

/// Gives the rules of areas the names that the table of areas has for them.
async fn name_areas(db: &Db, script: &mut Script) -> anyhow::Result<()> {
    let codes: Vec<AreaCode> = script.local_areas().into_iter().collect();
    if !codes.is_empty() {
        script.name_areas(find_names(&mut *db.reading().await?, db, &codes).await?);
    }
    Ok(())
}

/// What is watched, and how.
pub(super) fn make_source(source: config::Source, office: &AreaCode) -> Watched {
    let area = source.area.unwrap_or_else(|| office.clone());
    let zone = area.zone().offset();
    Watched {
        id: source.id,
        area: area.clone(),
        every: source.every,
        scan_at: source.scan_at,
        hold_over: source.hold_over,
        source: match source.kind {
            Kind::OpenSid(settings) => Arc::new(OpenSid::new(settings, area)),
            Kind::Sql(settings) => Arc::new(Sql::new(settings, zone)),
            Kind::Folder(settings) => Arc::new(Folder::new(settings)),
        },
    }
}

/// One client for all accounts, with as many idle connections as may be in flight: fewer would
/// open new ones at every burst.
fn http_client(accounts: &[config::Account]) -> anyhow::Result<reqwest::Client> {
    let in_flight = accounts.iter().map(|account| account.in_flight).sum::<usize>().max(1);
    reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(5))
        .pool_max_idle_per_host(in_flight)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("kabar/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("no HTTP client")
}

/// Where an account's provider calls us.
fn hook_url(public_url: &str, account: &config::Account) -> String {
    if public_url.is_empty() {
        return String::new();
    }
    format!("{public_url}/hooks/{}/{}", account.channel, account.id)
}

fn make_account(mut account: config::Account, shared: Shared, script: &Script) -> Account {
    if let Provider::Telegram(settings) = &mut account.provider {
        settings.commands = script.menu();
    }
    let (messages, per) = account.rate;
    Account {
        channel: account.channel,
        area: account.area,
        portfolio: account.provider.portfolio().unwrap_or(&account.id).to_owned(),
        provider_id: account.provider.provider_id().to_owned(),
        rate: Rate { messages: NonZeroU32::new(messages).unwrap_or(NonZeroU32::MIN), per },
        in_flight: account.in_flight,
        rupiah_per_segment: account.rupiah_per_segment,
        rupiah_per_message: account.rupiah_per_message,
        daily_limit: account.daily_limit,
        adapter: account.provider.adapter(shared),
        id: account.id,
    }
}
