//! Reads the configuration: built-in defaults, the file, the environment; then checks all of it.
//!
//! The rest of the program sees typed values. An unknown key, a missing secret or a value that
//! cannot be meant stops start-up with the place and a hint; a secret never stands in an error.

mod account;
mod appointment;
mod layer;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use toml::{Table, Value};

pub use account::Account;
use layer::{first_line, merge, merge_env, place, read_secret_files};
pub use source::Source;

use crate::domain::appointment_policy::AppointmentPolicy;
use crate::domain::area::AreaCode;
use crate::domain::blanko::{BlankoPolicy, First};
use crate::domain::card::AnnouncementKind;
use crate::domain::card_plan::AnnouncePolicy;
use crate::domain::collection::Ladder;
use crate::domain::message::{ChannelKind, UnknownWait};
use crate::domain::quiet_hours::QuietHours;
use crate::source::spreadsheet::Mapping;
use crate::store::{Key, Sealer};
use crate::telemetry::Format;

/// Every key with its default and its explanation.
pub const DEFAULTS: &str = include_str!("default.toml");

/// What is wrong with a configuration, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct ConfigError {
    what: String,
    /// What to do about it.
    pub hint: String,
}

fn wrong(what: impl Into<String>, hint: impl Into<String>) -> ConfigError {
    ConfigError { what: what.into(), hint: hint.into() }
}

/// A configuration that can be worked with.
#[derive(Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: String,
    /// How the outside reaches this service; empty when it was not told.
    pub public_url: String,
    /// The database, with an SQLite path made absolute.
    pub database_url: String,
    /// The office's name.
    pub office_name: String,
    /// The office's area.
    pub office_area: AreaCode,
    /// Seals personal data.
    pub sealer: Sealer,
    /// When nobody is announced anything.
    pub quiet_hours: QuietHours,
    /// Channels in the order of preference.
    pub channels: Vec<ChannelKind>,
    /// How long a message waits for a word of its arrival before the next channel is tried.
    pub fallback_after: Duration,
    /// The same on a channel of its own, where that differs.
    pub fallback_on: BTreeMap<ChannelKind, Duration>,
    /// What is announced.
    pub policy: AnnouncePolicy,
    /// How long a provider's answer may take.
    pub send_timeout: Duration,
    /// Calls for one message.
    pub max_attempts: i64,
    /// A talk with an officer that nobody touched for so long is over.
    pub ticket_close_after: Duration,
    /// Officers who see people's data need a second factor.
    pub needs_second_factor: bool,
    /// Recipients that an officer of a desa reaches without a second person's word.
    pub approve_over: u64,
    /// How long a broadcast waits for words of its arrival.
    pub receipts_within: Duration,
    /// How cards are brought home.
    pub round: RoundConfig,
    /// When holders are reminded of a card that waits to be collected.
    pub ladder: Ladder,
    /// How blank cards are counted, and whose go first.
    pub blanko: BlankoPolicy,
    /// How visits without queueing go.
    pub appointment: AppointmentPolicy,
    /// How long unknown outcomes wait.
    pub unknown_wait: UnknownWait,
    /// A folder of templates; none for the built-in ones.
    pub templates: Option<PathBuf>,
    /// Headings of spreadsheets that only this office uses.
    pub columns: Mapping,
    /// What is logged.
    pub log_level: String,
    /// How it is logged.
    pub log_format: Format,
    /// The office's accounts at providers.
    pub accounts: Vec<Account>,
    /// What is watched.
    pub sources: Vec<Source>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    server: Server,
    database: Database,
    office: Office,
    keys: Keys,
    announce: Announce,
    send: Send,
    ticket: Ticket,
    console: Console,
    broadcast: Broadcast,
    round: Round,
    collection: Collection,
    blanko: Blanko,
    appointment: appointment::Appointment,
    templates: TemplateDir,
    spreadsheet: Spreadsheet,
    log: Log,
    #[serde(default)]
    account: Vec<Table>,
    #[serde(default)]
    source: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    listen: String,
    public_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Office {
    name: String,
    area: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    seal: SecretString,
    seal_version: u32,
    index: SecretString,
    previous: Vec<SecretString>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Announce {
    quiet_hours: String,
    channels: Vec<String>,
    fallback_after: String,
    fallback_on: BTreeMap<String, String>,
    statuses: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    timeout: String,
    max_attempts: i64,
    unknown_reply: String,
    unknown_announcement: String,
    unknown_broadcast: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ticket {
    close_after: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Console {
    second_factor: SecondFactor,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecondFactor {
    Required,
    Optional,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broadcast {
    approve_over: u64,
    receipts_within: String,
}

/// How cards are brought home.
#[derive(Clone, Copy, Debug)]
pub struct RoundConfig {
    /// When the code of the day is told.
    pub code_at: chrono::NaiveTime,
    /// Couriers hand a card over only for the old one.
    pub is_old_card_demanded: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Round {
    code_at: String,
    old_card_demanded: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    reminders: Vec<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Blanko {
    first: Vec<String>,
    first_areas: Vec<String>,
    used: String,
    low_days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateDir {
    dir: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spreadsheet {
    columns: BTreeMap<String, Headings>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a heading or a list of headings")]
enum Headings {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    level: String,
    format: Format,
}

impl Config {
    /// Reads the file at `path` above the defaults and below the environment.
    ///
    /// # Errors
    /// [`ConfigError`] with what is wrong, where, and what to do.
    pub fn load(
        path: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            wrong(
                format!("{} cannot be read: {error}", path.display()),
                "`kabar init` writes a configuration, and -c names another",
            )
        })?;
        let base = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::parse(&text, &path.display().to_string(), base, env)
    }

    fn parse(
        text: &str,
        name: &str,
        base: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let defaults: Table =
            DEFAULTS.parse().map_err(|error| wrong(format!("built-in defaults: {error}"), ""))?;
        let file: Table = text.parse().map_err(|error: toml::de::Error| {
            wrong(format!("{name}: {}", error.message()), place(text, error.span()))
        })?;
        let mut all = defaults;
        merge(&mut all, file);
        merge_env(&mut all, env)?;
        read_secret_files(&mut all, base)?;
        let file: File = serde_path_to_error::deserialize(Value::Table(all)).map_err(|error| {
            let at = error.path().to_string();
            wrong(
                format!("{name}: {at}: {}", first_line(error.inner())),
                "every key stands with its meaning in `kabar init`'s file and in the README",
            )
        })?;
        file.check(name, base)
    }
}

impl File {
    fn check(self, name: &str, base: &Path) -> Result<Config, ConfigError> {
        let at =
            |key: &str, what: String, hint: &str| wrong(format!("{name}: {key}: {what}"), hint);
        let area = |key: &str, text: &str| {
            AreaCode::parse(text)
                .map_err(|error| at(key, error.to_string(), "an area code is written like 35.17"))
        };
        if self.office.area.trim().is_empty() {
            return Err(at(
                "office.area",
                "is missing".to_owned(),
                "the office's area code, like \"35.17\"",
            ));
        }
        if self.office.name.trim().is_empty() || self.office.name.chars().count() > 100 {
            return Err(at(
                "office.name",
                "must have 1 to 100 characters".to_owned(),
                "the name as citizens know it",
            ));
        }
        let wait = |key: &str, text: &str| {
            humantime::parse_duration(text).map_err(|error| {
                at(key, error.to_string(), "a time is written like \"30s\", \"10m\" or \"4h\"")
            })
        };
        let quiet_hours = QuietHours::parse(&self.announce.quiet_hours).map_err(|error| {
            at("announce.quiet_hours", error.to_string(), "like \"20:00-07:00\", or \"off\"")
        })?;
        let fallback_after = wait("announce.fallback_after", &self.announce.fallback_after)?;
        let fallback_on = fallback_on(&self.announce.fallback_on, &at, &wait)?;
        let channels = self
            .announce
            .channels
            .iter()
            .map(|word| {
                word.parse().map_err(|_| {
                    at(
                        "announce.channels",
                        "names an unknown channel".to_owned(),
                        "whatsapp, telegram, sms",
                    )
                })
            })
            .collect::<Result<Vec<ChannelKind>, _>>()?;
        if !(1..=1000).contains(&self.send.max_attempts) {
            return Err(at(
                "send.max_attempts",
                "must be 1 to 1000".to_owned(),
                "8 is the default",
            ));
        }
        let enabled = enabled(&self.announce.statuses, &at)?;
        let unknown_wait = UnknownWait {
            reply: wait("send.unknown_reply", &self.send.unknown_reply)?,
            announcement: wait("send.unknown_announcement", &self.send.unknown_announcement)?,
            broadcast: wait("send.unknown_broadcast", &self.send.unknown_broadcast)?,
        };
        let send_timeout = wait("send.timeout", &self.send.timeout)?;
        let shortest =
            unknown_wait.reply.min(unknown_wait.announcement).min(unknown_wait.broadcast);
        if send_timeout.is_zero() || send_timeout >= shortest {
            let what = "must be longer than nothing and shorter than the unknown_ times";
            return Err(at("send.timeout", what.to_owned(), "like \"15s\""));
        }
        let ticket_close_after = wait("ticket.close_after", &self.ticket.close_after)?;
        if ticket_close_after.is_zero() {
            let what = "must be longer than nothing".to_owned();
            return Err(at("ticket.close_after", what, "like \"7d\""));
        }
        let columns = columns(self.spreadsheet.columns, &at)?;
        Ok(Config {
            listen: self.server.listen,
            public_url: self.server.public_url,
            database_url: absolute_sqlite(&self.database.url, base),
            office_name: self.office.name.trim().to_owned(),
            office_area: area("office.area", &self.office.area)?,
            sealer: sealer(name, &self.keys)?,
            quiet_hours,
            channels,
            fallback_after,
            fallback_on,
            policy: AnnouncePolicy { enabled },
            send_timeout,
            max_attempts: self.send.max_attempts,
            ticket_close_after,
            needs_second_factor: self.console.second_factor == SecondFactor::Required,
            approve_over: self.broadcast.approve_over,
            receipts_within: wait("broadcast.receipts_within", &self.broadcast.receipts_within)?,
            round: self.round.check(&at)?,
            ladder: ladder(self.collection, &at)?,
            blanko: blanko(&self.blanko, &at)?,
            appointment: self.appointment.check(&at, &wait)?,
            unknown_wait,
            templates: (!self.templates.dir.is_empty()).then(|| base.join(&self.templates.dir)),
            log_level: self.log.level,
            log_format: self.log.format,
            accounts: account::read(name, self.account)?,
            sources: source::read(name, base, &columns, self.source)?,
            columns,
        })
    }
}

impl Round {
    fn check(
        self,
        at: &dyn Fn(&str, String, &str) -> ConfigError,
    ) -> Result<RoundConfig, ConfigError> {
        let code_at = chrono::NaiveTime::parse_from_str(&self.code_at, "%H:%M")
            .map_err(|_| at("round.code_at", "is no time of day".to_owned(), "like \"07:00\""))?;
        Ok(RoundConfig { code_at, is_old_card_demanded: self.old_card_demanded })
    }
}

/// The announcements that are switched on.
fn enabled(
    statuses: &BTreeMap<String, bool>,
    at: &dyn Fn(&str, String, &str) -> ConfigError,
) -> Result<Vec<AnnouncementKind>, ConfigError> {
    let mut enabled = Vec::new();
    for (word, is_on) in statuses {
        let kind: AnnouncementKind = word.parse().map_err(|_| {
            let known: Vec<&str> = AnnouncementKind::ALL.iter().map(|kind| kind.as_str()).collect();
            at("announce.statuses", format!("{word} is no announcement"), &known.join(", "))
        })?;
        if *is_on {
            enabled.push(kind);
        }
    }
    Ok(enabled)
}

/// When holders are reminded.
fn ladder(
    file: Collection,
    at: &dyn Fn(&str, String, &str) -> ConfigError,
) -> Result<Ladder, ConfigError> {
    Ladder::new(file.reminders).map_err(|error| {
        at("collection.reminders", error.to_string(), "like [7, 30, 90], or [] for never")
    })
}

/// How blank cards are counted.
fn blanko(
    file: &Blanko,
    at: &dyn Fn(&str, String, &str) -> ConfigError,
) -> Result<BlankoPolicy, ConfigError> {
    let first = file.first.iter().map(|word| word.parse::<First>());
    let first = first.collect::<Result<Vec<_>, _>>().map_err(|error| {
        at("blanko.first", error.to_string(), "a list of \"first_time\" and \"suket\", or []")
    })?;
    let areas = file.first_areas.iter().map(|code| {
        let wrong = |what: String| {
            at("blanko.first_areas", what, "codes of a kabupaten or within one, like \"35.17.09\"")
        };
        let area = AreaCode::parse(code).map_err(|error| wrong(error.to_string()))?;
        match area.kabupaten() {
            Some(_) => Ok(area),
            None => Err(wrong(format!("{code} is larger than a kabupaten"))),
        }
    });
    let first_areas = areas.collect::<Result<Vec<_>, _>>()?;
    let used_by = file.used.parse().map_err(|_| {
        at("blanko.used", "is neither of two ways".to_owned(), "\"entry\" or \"printed\"")
    })?;
    if !(1..=365).contains(&file.low_days) {
        return Err(at("blanko.low_days", "must be 1 to 365".to_owned(), "5 is the default"));
    }
    Ok(BlankoPolicy { first, first_areas, used_by, low_days: file.low_days })
}

/// The times of channels that have one of their own.
fn fallback_on(
    times: &BTreeMap<String, String>,
    at: &dyn Fn(&str, String, &str) -> ConfigError,
    wait: &dyn Fn(&str, &str) -> Result<Duration, ConfigError>,
) -> Result<BTreeMap<ChannelKind, Duration>, ConfigError> {
    let mut own = BTreeMap::new();
    for (word, time) in times {
        let key = format!("announce.fallback_on.{word}");
        let channel: ChannelKind = word
            .parse()
            .map_err(|_| at(&key, "is no channel".to_owned(), "whatsapp, telegram or sms"))?;
        own.insert(channel, wait(&key, time)?);
    }
    Ok(own)
}

/// Whether a text can be the id of an account or a source.
fn is_name(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 60
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

fn columns(
    headings: BTreeMap<String, Headings>,
    at: &dyn Fn(&str, String, &str) -> ConfigError,
) -> Result<Mapping, ConfigError> {
    let entries = headings.into_iter().map(|(key, headings)| match headings {
        Headings::One(heading) => (key, vec![heading]),
        Headings::Several(headings) => (key, headings),
    });
    Mapping::parse(entries)
        .map_err(|error| at("spreadsheet.columns", error.to_string(), &error.hint()))
}

/// A relative SQLite path means: beside the configuration, from wherever the program is started.
fn absolute_sqlite(url: &str, base: &Path) -> String {
    match url.strip_prefix("sqlite:") {
        Some(path) => {
            let path =
                base.join(path.trim_start_matches("//").split('?').next().unwrap_or_default());
            let path = std::path::absolute(&path).unwrap_or(path);
            format!("sqlite://{}", path.display())
        }
        None => url.to_owned(),
    }
}

fn sealer(name: &str, keys: &Keys) -> Result<Sealer, ConfigError> {
    use secrecy::ExposeSecret as _;

    let hint =
        "`kabar init` writes fresh keys; for a database that exists, use the keys it was made with";
    let parse = |key: &str, text: &SecretString| {
        if text.expose_secret().is_empty() {
            return Err(wrong(format!("{name}: keys.{key} is missing"), hint));
        }
        Key::parse(text).map_err(|error| wrong(format!("{name}: keys.{key}: {error}"), hint))
    };
    let seal = parse("seal", &keys.seal)?;
    let index = parse("index", &keys.index)?;
    let mut previous = Vec::new();
    for text in &keys.previous {
        let bad = || {
            wrong(
                format!("{name}: keys.previous has an entry that cannot be read"),
                "each is written \"version:base64\"",
            )
        };
        let (version, key) = text.expose_secret().split_once(':').ok_or_else(bad)?;
        let key = Key::parse(&SecretString::from(key)).map_err(|_| bad())?;
        previous.push((version.parse().map_err(|_| bad())?, key));
    }
    Sealer::new((keys.seal_version, &seal), &previous, &index)
        .map_err(|error| wrong(format!("{name}: keys: {error}"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = "[keys]\nseal = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\nindex = \"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\"\n";
    const OFFICE: &str = "[office]\nname = \"Disdukcapil Jombang\"\narea = \"35.17\"\n";
    const ACCOUNT: &str = "[[account]]\nid = \"wa\"\nchannel = \"whatsapp\"\napi_url = \"http://127.0.0.1:1/v25.0\"\nphone_number_id = \"1\"\naccess_token = \"a\"\napp_secret = \"b\"\nverify_token = \"c\"\n";

    const COLUMNS: &str = "[spreadsheet.columns]\n";

    fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::parse(text, "kabar.toml", Path::new("/etc/kabar"), env)
    }

    #[test]
    fn defaults_file_and_environment_stand_above_each_other() {
        let text = format!("{OFFICE}{KEYS}[announce]\nquiet_hours = \"21:00-06:00\"\n{ACCOUNT}");
        let config = parse(
            &text,
            &[("KABAR_SERVER__LISTEN", "127.0.0.1:0"), ("KABAR_SEND__MAX_ATTEMPTS", "3")],
        )
        .unwrap();
        assert_eq!(config.listen, "127.0.0.1:0");
        assert_eq!(config.max_attempts, 3);
        assert_eq!(config.quiet_hours.to_string(), "21:00-06:00");
        assert_eq!(config.database_url, "sqlite:///etc/kabar/kabar.db");
        assert_eq!(config.accounts[0].rate, (80, Duration::from_secs(1)));
        assert!(!config.policy.enabled.contains(&AnnouncementKind::ReadyToPrint));
    }

    #[test]
    fn headings_of_the_office_are_one_text_or_a_list_in_the_file_or_the_environment() {
        let text = format!("{OFFICE}{KEYS}{COLUMNS}nik = \"No. Induk\"\n");
        let env = [("KABAR_SPREADSHEET__COLUMNS__STATUS", "[\"Cetak\", \"Stat Cetak\"]")];
        let entries = [("nik", vec!["No. Induk"]), ("status", vec!["Cetak", "Stat Cetak"])];
        let expected = entries
            .map(|(key, texts)| (key.to_owned(), texts.into_iter().map(str::to_owned).collect()));
        assert_eq!(parse(&text, &env).unwrap().columns, Mapping::parse(expected).unwrap());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_secrets_are_not_shown() {
        let cases = [
            (format!("{OFFICE}{KEYS}[server]\nlisten_on = \"x\"\n"), "listen_on"),
            (KEYS.to_owned(), "office.area"),
            (OFFICE.to_owned(), "keys.seal"),
            (
                format!("{OFFICE}{KEYS}[announce]\nquiet_hours = \"nachts\"\n"),
                "announce.quiet_hours",
            ),
            (format!("{OFFICE}{KEYS}[announce.statuses]\nprinted = true\n"), "announce.statuses"),
            (format!("{OFFICE}{KEYS}{}", ACCOUNT.replace("app_secret", "secret")), "account wa"),
            (format!("{OFFICE}{KEYS}{}", ACCOUNT.replace("http://", "")), "api_url"),
            (format!("{OFFICE}{KEYS}{ACCOUNT}{ACCOUNT}"), "two accounts"),
            (format!("{OFFICE}{KEYS}[collection]\nreminders = [30, 7]\n"), "collection.reminders"),
            (format!("{OFFICE}{KEYS}[blanko]\nfirst = [\"friends\"]\n"), "blanko.first"),
            (format!("{OFFICE}{KEYS}[blanko]\nfirst_areas = [\"Jabon\"]\n"), "blanko.first_areas"),
            (format!("{OFFICE}{KEYS}[blanko]\nfirst_areas = [\"35\"]\n"), "blanko.first_areas"),
            (format!("{OFFICE}{KEYS}[blanko]\nused = \"both\"\n"), "blanko.used"),
            (format!("{OFFICE}{KEYS}[blanko]\nlow_days = 0\n"), "blanko.low_days"),
            (format!("{OFFICE}{KEYS}{COLUMNS}nikk = \"NIK\"\n"), "spreadsheet.columns: nikk"),
            (format!("{OFFICE}{KEYS}{COLUMNS}nik = \"A\"\nid = [\"a\"]\n"), "for id and for nik"),
            (format!("{OFFICE}{KEYS}{COLUMNS}nik = 3\n"), "expected a heading or a list"),
            ("[office".to_owned(), "kabar.toml"),
        ];
        for (text, expected) in cases {
            let error = parse(&text, &[]).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!error.hint.is_empty(), "{error}");
            assert!(!error.to_string().contains("AAAAAAA"), "{error}");
        }
    }

    #[test]
    fn a_secret_may_stand_in_a_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "from-the-file\n").unwrap();
        let account = ACCOUNT.replace("access_token = \"a\"", "access_token_file = \"token\"");
        let text = format!("{OFFICE}{KEYS}{account}");
        let config = Config::parse(&text, "kabar.toml", dir.path(), std::iter::empty()).unwrap();
        let crate::channel::Provider::Whatsapp(settings) = &config.accounts[0].provider else {
            panic!("another provider")
        };
        let token = secrecy::ExposeSecret::expose_secret(&settings.access_token);
        assert_eq!(token, "from-the-file");
    }

    #[test]
    fn an_environment_variable_that_names_nothing_is_refused() {
        let text = format!("{OFFICE}{KEYS}");
        assert!(
            parse(&text, &[("KABAR_SERVER__PORT", "1")])
                .unwrap_err()
                .to_string()
                .contains("KABAR_SERVER__PORT")
        );
    }
}
