//! Any database of an office: one query of its own over PostgreSQL, MySQL or SQLite.
//!
//! The query names its columns as the API names the parts of a card update; one of them tells how
//! far it was read. Everything is asked for as text, so that any type of column will do. Opens
//! sessions that cannot write, and never shows a value in an error.

use std::time::Duration;

use async_trait::async_trait;
use chrono::FixedOffset;
use futures_util::TryStreamExt as _;
use secrecy::SecretString;
use serde::Deserialize;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, SqlSafeStr as _,
    Statement as _, TypeInfo as _,
};
use tokio::sync::Mutex;

use super::database::{Address, PATIENCE, connected, duration, explain};
use super::{Reading, Record, Records, Source, SourceError, put};
use crate::domain::raw_update::{RawUpdate, parse_moment};

/// The parts of an update that a column can hold.
const PARTS: &[&str] = &[
    "id",
    "occurred_at",
    "nik",
    "status",
    "document",
    "name",
    "phone",
    "area",
    "rt",
    "rw",
    "dusun",
    "service_point",
    "home_date",
    "home_from",
    "home_to",
];
/// The parts that a query must have.
const NEEDED: &[&str] = &["nik", "status"];
/// Numbers are given out in another order than they become visible: so many are looked at again.
const BACK: i64 = 1000;
/// Numbers from here on are seconds of our time, and from the second on milliseconds.
const SECONDS: i64 = 1_000_000_000;
const MILLISECONDS: i64 = 1_000_000_000_000;
/// Wait before a lost ear is opened again.
const DEAF: Duration = Duration::from_secs(30);

/// How such a database is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlSettings {
    /// `postgres://…`, `mysql://…` or `sqlite://…`; may hold the password.
    pub url: SecretString,
    /// The password, if it does not stand in the address.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The query.
    pub query: String,
    /// Its column that grows with every change: a time of change or a number.
    pub cursor: String,
    /// A channel of PostgreSQL's NOTIFY that wakes us.
    #[serde(default)]
    pub notify: Option<String>,
    /// So far back every reading looks again, where the cursor is a time.
    #[serde(default = "ten_minutes", deserialize_with = "duration")]
    pub overlap: Duration,
}

const fn ten_minutes() -> Duration {
    Duration::from_secs(600)
}

impl SqlSettings {
    fn address(&self) -> Address<'_> {
        Address { url: &self.url, password: self.password.as_ref() }
    }

    /// Looks at what can be seen without the database.
    ///
    /// # Errors
    /// What is wrong: the key, in words, and what to do.
    pub fn check(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        let scheme = self.address().scheme();
        let engine = Engine::of(&scheme).ok_or((
            "url",
            "is of an unknown kind",
            "postgres://…, mysql://… or sqlite://…",
        ))?;
        if self.query.trim().is_empty() {
            return Err(("query", "is empty", "one SELECT with the columns nik and status"));
        }
        if self.cursor.trim().is_empty() {
            return Err(("cursor", "is empty", "the query's column that grows with every change"));
        }
        if self.notify.is_some() && engine != Engine::Postgres {
            return Err(("notify", "needs PostgreSQL", "leave it out; every is enough"));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Postgres,
    Mysql,
    Sqlite,
}

impl Engine {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }

    fn quoted(self, name: &str) -> String {
        match self {
            Self::Mysql => format!("q.`{}`", name.replace('`', "``")),
            Self::Postgres | Self::Sqlite => format!("q.\"{}\"", name.replace('"', "\"\"")),
        }
    }

    fn text(self, name: &str) -> String {
        let kind = if self == Self::Mysql { "CHAR" } else { "TEXT" };
        format!("CAST({} AS {kind})", self.quoted(name))
    }
}

/// A column of the office's query.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    name: String,
    kind: String,
}

/// A database with a query.
#[derive(Debug)]
pub struct Sql {
    settings: SqlSettings,
    engine: Engine,
    zone: FixedOffset,
    ear: Mutex<Option<PgListener>>,
}

enum Session {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// The same steps for a connection of each kind; the drivers' types have nothing in common.
macro_rules! on {
    ($session:expr, $connection:ident => $body:expr) => {
        match $session {
            Session::Postgres($connection) => $body,
            Session::Mysql($connection) => $body,
            Session::Sqlite($connection) => $body,
        }
    };
}

impl Sql {
    /// The query of an office whose clocks stand in that zone.
    #[must_use]
    pub fn new(settings: SqlSettings, zone: FixedOffset) -> Self {
        let engine = Engine::of(&settings.address().scheme()).unwrap_or(Engine::Postgres);
        Self { settings, engine, zone, ear: Mutex::default() }
    }

    fn postgres(&self) -> Result<PgConnectOptions, SourceError> {
        let address = self.settings.address();
        let mut options: PgConnectOptions = address.options()?;
        if let Some(password) = address.password() {
            options = options.password(password);
        }
        Ok(options.disable_statement_logging())
    }

    /// A session that cannot write, and whose clock is the office's: times come as the office
    /// reads them.
    async fn connect(&self) -> Result<Session, SourceError> {
        let address = self.settings.address();
        let zone = self.zone.to_string();
        Ok(match self.engine {
            Engine::Postgres => {
                let options = self
                    .postgres()?
                    .options([("default_transaction_read_only", "on"), ("datestyle", "ISO, YMD")]);
                let mut connection: PgConnection = connected(options.connect()).await?;
                // As SQL writes a zone: an interval of hours and minutes.
                let statement = format!("SET TIME ZONE INTERVAL '{zone}' HOUR TO MINUTE");
                connection.execute(AssertSqlSafe(statement)).await.map_err(|e| explain(&e))?;
                Session::Postgres(connection)
            }
            Engine::Mysql => {
                let mut options: MySqlConnectOptions = address.options()?;
                if let Some(password) = address.password() {
                    options = options.password(password);
                }
                let options = options.timezone(Some(zone)).disable_statement_logging();
                let mut connection: MySqlConnection = connected(options.connect()).await?;
                for statement in
                    ["SET SESSION TRANSACTION READ ONLY", "SET SESSION net_write_timeout = 600"]
                {
                    connection.execute(statement).await.map_err(|error| explain(&error))?;
                }
                Session::Mysql(connection)
            }
            Engine::Sqlite => {
                let options: SqliteConnectOptions = address.options()?;
                let options = options.read_only(true).create_if_missing(false);
                let options = options.busy_timeout(PATIENCE).disable_statement_logging();
                Session::Sqlite(connected(options.connect()).await?)
            }
        })
    }

    fn query(&self) -> &str {
        self.settings.query.trim().trim_end_matches(';').trim_end()
    }

    /// The columns that the query has.
    async fn columns(&self, session: &mut Session) -> Result<Vec<Found>, SourceError> {
        let query = AssertSqlSafe(self.query().to_owned()).into_sql_str();
        let found: Vec<Found> = on!(session, connection => {
            let statement = connection.prepare(query).await.map_err(|error| explain(&error))?;
            let column = |column: &_| {
                let (name, kind) = named(column);
                Found { name, kind }
            };
            statement.columns().iter().map(column).collect()
        });
        let has = |name: &str| found.iter().any(|column| column.name == name);
        let wanted = NEEDED.iter().copied().chain([self.settings.cursor.as_str()]);
        let missing: Vec<&str> = wanted.filter(|name| !has(name)).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let names: Vec<&str> = found.iter().map(|column| column.name.as_str()).collect();
        Err(SourceError::wrong(
            format!("the query has no column {}; it has {}", missing.join(", "), names.join(", ")),
            format!(
                "name them with AS: SELECT … AS nik, … AS status; known are {}",
                PARTS.join(", ")
            ),
        ))
    }

    /// The query around the office's own. The cursor comes first.
    fn wrapped(&self, parts: &[&str], cursor: &Found, from: Option<&str>) -> String {
        let of = |name: &str| self.engine.text(name);
        let columns: Vec<String> =
            std::iter::once(of(&cursor.name)).chain(parts.iter().map(|part| of(part))).collect();
        let at = self.engine.quoted(&cursor.name);
        let mut query = format!("SELECT {} FROM ({}) AS q", columns.join(", "), self.query());
        if let Some(from) = from {
            let place = match self.engine {
                Engine::Postgres => format!("CAST($1 AS {})", cursor.kind),
                Engine::Mysql => "?".to_owned(),
                // SQLite compares a text with a number by their kinds, not by what they say.
                Engine::Sqlite if from.parse::<i64>().is_ok() && cursor.kind != "TEXT" => {
                    "CAST($1 AS INTEGER)".to_owned()
                }
                Engine::Sqlite => "$1".to_owned(),
            };
            query += &format!(" WHERE {at} >= {place}");
        }
        query + &format!(" ORDER BY {at}")
    }

    /// A little before a position.
    fn step_back(&self, position: &str) -> String {
        let seconds = i64::try_from(self.settings.overlap.as_secs()).unwrap_or(0);
        if let Ok(number) = position.parse::<i64>() {
            let back = match number {
                MILLISECONDS.. => seconds.saturating_mul(1000),
                SECONDS.. => seconds,
                _ => BACK,
            };
            return number.saturating_sub(back).to_string();
        }
        match parse_moment(position, self.zone) {
            Some(at) => {
                let earlier = at.before(self.settings.overlap).in_zone(self.zone);
                let form = match (position.contains('T'), has_zone(position)) {
                    (true, true) => "%Y-%m-%dT%H:%M:%S%:z",
                    (true, false) => "%Y-%m-%dT%H:%M:%S",
                    (false, true) => "%Y-%m-%d %H:%M:%S%:z",
                    (false, false) => "%Y-%m-%d %H:%M:%S",
                };
                earlier.format(form).to_string()
            }
            None => position.to_owned(),
        }
    }

    async fn listen(&self) -> Result<Option<PgListener>, SourceError> {
        let Some(channel) = &self.settings.notify else { return Ok(None) };
        let pool = PgPoolOptions::new().max_connections(1).connect_with(self.postgres()?);
        let pool = connected(pool).await?;
        let mut ear = PgListener::connect_with(&pool).await.map_err(|error| explain(&error))?;
        ear.listen(channel).await.map_err(|error| explain(&error))?;
        Ok(Some(ear))
    }
}

fn named<C: sqlx::Column>(column: &C) -> (String, String) {
    (column.name().to_owned(), column.type_info().name().to_owned())
}

/// Whether a time ends with its distance from UTC.
fn has_zone(text: &str) -> bool {
    let clock = text.get(10..).unwrap_or_default();
    clock.contains(['+', '-', 'Z'])
}

#[async_trait]
impl Source for Sql {
    async fn read(&self, from: Option<&str>, records: Records) -> Result<Reading, SourceError> {
        let mut session = self.connect().await?;
        let columns = self.columns(&mut session).await?;
        let is_there = |part: &&&str| columns.iter().any(|column| column.name == ***part);
        let parts: Vec<&str> = PARTS.iter().filter(|part| is_there(part)).copied().collect();
        let cursor = columns.iter().find(|column| column.name == self.settings.cursor);
        let Some(cursor) = cursor else { return Ok(Reading::default()) };
        let from = from.map(|from| self.step_back(from));
        let query = self.wrapped(&parts, cursor, from.as_deref());
        let mut position = None;
        on!(&mut session, connection => {
            let mut query = sqlx::query(AssertSqlSafe(query));
            if let Some(from) = from {
                query = query.bind(from);
            }
            let mut rows = query.fetch(&mut *connection);
            while let Some(row) = rows.try_next().await.map_err(|error| explain(&error))? {
                let text = |at: usize| row.try_get::<Option<String>, _>(at);
                let at = text(0).map_err(|error| explain(&error))?;
                let mut record = Record {
                    changed_at: at.as_deref().and_then(|at| parse_moment(at, self.zone)),
                    ..Record::default()
                };
                for (n, part) in parts.iter().enumerate() {
                    let value = text(n + 1).map_err(|error| explain(&error))?.unwrap_or_default();
                    set(&mut record.update, part, value);
                }
                name_it(&mut record);
                put(&records, record).await?;
                position = at.or(position);
            }
        });
        on!(session, connection => { let _ = connection.close().await; });
        Ok(Reading { position, ..Reading::default() })
    }

    async fn probe(&self) -> Result<String, SourceError> {
        let mut session = self.connect().await?;
        let columns = self.columns(&mut session).await?;
        on!(session, connection => { let _ = connection.close().await; });
        let names = |is_used: bool| -> String {
            let is_part = |name: &str| PARTS.contains(&name) || name == self.settings.cursor;
            let of = columns.iter().map(|column| column.name.as_str());
            of.filter(|name| is_part(name) == is_used).collect::<Vec<_>>().join(", ")
        };
        let unused = names(false);
        let rest = if unused.is_empty() { unused } else { format!("; not used: {unused}") };
        Ok(format!("its query has {}{rest}", names(true)))
    }

    async fn changed(&self) {
        if self.settings.notify.is_none() {
            return std::future::pending().await;
        }
        let mut ear = self.ear.lock().await;
        if let Some(open) = ear.as_mut() {
            if open.recv().await.is_err() {
                *ear = None;
            }
            return;
        }
        loop {
            match self.listen().await {
                Ok(open) => {
                    *ear = open;
                    // What was said while nobody listened.
                    return;
                }
                Err(error) => {
                    tracing::warn!("nobody listens for the source's changes: {error}");
                    tokio::time::sleep(DEAF).await;
                }
            }
        }
    }
}

fn set(update: &mut RawUpdate, part: &str, value: String) {
    let place = match part {
        "id" => &mut update.id,
        "occurred_at" => &mut update.occurred_at,
        "nik" => &mut update.nik,
        "status" => &mut update.status,
        "document" => &mut update.document,
        "name" => &mut update.name,
        "phone" => &mut update.phone,
        "area" => &mut update.area,
        "rt" => &mut update.rt,
        "rw" => &mut update.rw,
        "dusun" => &mut update.dusun,
        "service_point" => &mut update.service_point,
        "home_date" => &mut update.home_date,
        "home_from" => &mut update.home_from,
        _ => &mut update.home_to,
    };
    *place = value;
}

/// A record is what the office calls it, or else the card it is about.
fn name_it(record: &mut Record) {
    let update = &mut record.update;
    record.key = if update.id.trim().is_empty() {
        format!("{}/{}", update.nik.trim(), update.document.trim())
    } else {
        update.id.trim().to_owned()
    };
    update.is_undated = update.occurred_at.trim().is_empty();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(url: &str) -> Sql {
        let settings = SqlSettings {
            url: url.into(),
            password: None,
            query: " SELECT nik, status, at FROM kartu ; ".to_owned(),
            cursor: "at".to_owned(),
            notify: None,
            overlap: ten_minutes(),
        };
        Sql::new(settings, FixedOffset::east_opt(7 * 3600).unwrap())
    }

    fn found(kind: &str) -> Found {
        Found { name: "at".to_owned(), kind: kind.to_owned() }
    }

    #[test]
    fn the_offices_query_stands_inside_ours_and_its_cursor_keeps_its_type() {
        let query = sql("postgres://h/d").wrapped(&["nik"], &found("TIMESTAMPTZ"), Some("x"));
        assert_eq!(
            query,
            "SELECT CAST(q.\"at\" AS TEXT), CAST(q.\"nik\" AS TEXT) \
             FROM (SELECT nik, status, at FROM kartu) AS q \
             WHERE q.\"at\" >= CAST($1 AS TIMESTAMPTZ) ORDER BY q.\"at\""
        );
        let query = sql("mysql://h/d").wrapped(&[], &found("DATETIME"), None);
        assert!(query.ends_with("AS q ORDER BY q.`at`"), "{query}");
        let lite = sql("sqlite://f");
        assert!(lite.wrapped(&[], &found("INTEGER"), Some("5")).contains("CAST($1 AS INTEGER)"));
        assert!(lite.wrapped(&[], &found("TEXT"), Some("5")).contains(">= $1"));
    }

    #[test]
    fn a_reading_begins_a_little_before_the_last_one_ended() {
        let sql = sql("postgres://h/d");
        let cases = [
            ("2026-11-21 08:00:00", "2026-11-21 07:50:00"),
            ("2026-11-21 08:00:00.123456", "2026-11-21 07:50:00"),
            ("2026-11-21 08:00:00+07", "2026-11-21 07:50:00+07:00"),
            ("2026-11-21T08:00:00+07:00", "2026-11-21T07:50:00+07:00"),
            ("1795300000", "1795299400"),
            ("1795300000000", "1795299400000"),
            ("5000", "4000"),
            ("A-17", "A-17"),
        ];
        for (at, before) in cases {
            assert_eq!(sql.step_back(at), before, "{at}");
        }
    }

    #[test]
    fn a_record_is_named_by_its_id_or_by_its_card() {
        let mut record = Record::default();
        record.update.nik = "1".to_owned();
        record.update.document = "kia".to_owned();
        name_it(&mut record);
        assert_eq!(record.key, "1/kia");
        record.update.id = "77".to_owned();
        name_it(&mut record);
        assert_eq!(record.key, "77");
    }
}
