//! Opens an office: from its configuration to an [`App`] and the secrets of its webhooks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use kabar::channel::whatsapp::{WhatsappClient, WhatsappSettings};
use kabar::config::{Config, WhatsappAccount};
use kabar::dialogue::Script;
use kabar::domain::area::AreaCode;
use kabar::domain::clock::SystemClock;
use kabar::domain::message::ChannelKind;
use kabar::service::{Account, App, Parts, Settings};
use kabar::store::{Db, Sealer, StoreError};
use kabar::template::Templates;
use kabar::understand::{LABELS, Spelling, Understanding};
use kabar::web::{Web, WhatsappSecrets};

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
    match (templates, script) {
        (Ok(templates), Ok(script)) => Ok((templates, script)),
        (templates, script) => {
            let mut all: Vec<String> =
                templates.err().into_iter().flatten().map(|problem| problem.to_string()).collect();
            all.extend(script.err().into_iter().flatten());
            Err(hinted(
                format!("the texts have {} faults:\n  {}", all.len(), all.join("\n  ")),
                "mend the files named; `kabar templates check` looks at them alone",
            ))
        }
    }
}

/// Trains what citizens mean from the texts' own examples and spellings.
pub(super) fn train(script: &Script) -> anyhow::Result<Understanding> {
    let spelling = Spelling::parse(script.spelling())
        .map_err(|error| hinted(format!("spelling.toml: {error}"), "mend the file named"))?;
    Ok(Understanding::train_with(spelling, script.examples()))
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
    let (templates, script) = texts(config.templates.as_deref())?;
    let db = open_database(&config.database_url, config.sealer).await?;
    let http = http_client(&config.whatsapp)?;
    let accounts = config
        .whatsapp
        .iter()
        .map(|account| {
            make_account(account, &http, config.send_timeout, templates.vocabulary().list_button())
        })
        .collect();
    let secrets: HashMap<String, WhatsappSecrets> = config
        .whatsapp
        .iter()
        .map(|account| {
            let secrets = WhatsappSecrets {
                app_secret: account.app_secret.clone(),
                verify_token: account.verify_token.clone(),
            };
            (account.id.clone(), secrets)
        })
        .collect();
    let settings = Settings {
        office_name: config.office_name,
        office_area: config.office_area,
        quiet_hours: config.quiet_hours,
        policy: config.policy,
        channels: config.channels,
        unknown_wait: config.unknown_wait,
        max_attempts: config.max_attempts,
    };
    let understanding = Arc::new(train(&script)?);
    let parts = Parts { db, settings, accounts, templates, script, understanding };
    let app = Arc::new(App::new(parts, Arc::new(SystemClock)));
    let web = Web { app: Arc::clone(&app), whatsapp: Arc::new(secrets) };
    Ok(Office { app, web })
}

/// One client for all accounts, with as many idle connections as may be in flight: fewer would
/// open new ones at every burst.
fn http_client(accounts: &[WhatsappAccount]) -> anyhow::Result<reqwest::Client> {
    let in_flight = accounts.iter().map(|account| account.in_flight).sum::<usize>().max(1);
    reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(5))
        .pool_max_idle_per_host(in_flight)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("kabar/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("no HTTP client")
}

fn make_account(
    account: &WhatsappAccount,
    http: &reqwest::Client,
    timeout: std::time::Duration,
    list_button: &str,
) -> Account {
    let settings = WhatsappSettings {
        api_url: account.api_url.clone(),
        phone_number_id: account.phone_number_id.clone(),
        access_token: account.access_token.clone(),
        timeout,
        list_button: list_button.to_owned(),
    };
    Account {
        id: account.id.clone(),
        channel: ChannelKind::Whatsapp,
        area: AreaCode::parse(&account.area).ok(),
        portfolio: account.portfolio().to_owned(),
        provider_id: account.phone_number_id.clone(),
        messages_per_second: account.messages_per_second,
        in_flight: account.in_flight,
        adapter: Arc::new(WhatsappClient::new(http.clone(), settings)),
    }
}
