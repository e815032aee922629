//! Any database of an office: one query of its own over PostgreSQL, MySQL or SQLite.
//!
//! The query names its columns as the API names the parts of a card update; one of them tells how
//! far it was read. Everything is asked for as text, so that any type of column will do. Opens
//! sessions that cannot write, and never shows a value in an error.

mod ear;
mod pass;
mod position;
mod query;
mod session;

use std::str::Utf8Error;
use std::string::FromUtf8Error;
use std::time::Duration;

use async_trait::async_trait;
use chrono::FixedOffset;
use futures_util::TryStreamExt as _;
use secrecy::SecretString;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Row as _};

use super::database::{Address, duration, explain};
use super::{Reading, Records, Source, SourceError, put};
use ear::Ear;
use pass::{PARTS, Pass};
use query::{Engine, Found};
use session::{Session, on, postgres};

/// The parts that a query must have.
const NEEDED: &[&str] = &["nik", "status"];

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

/// A database with a query.
#[derive(Debug)]
pub struct Sql {
    settings: SqlSettings,
    engine: Engine,
    zone: FixedOffset,
    ear: Ear,
}

/// The columns of the office's query, as far as they are read.
struct Columns {
    all: Vec<Found>,
    cursor: Found,
    /// What a part is called there.
    parts: Vec<(&'static str, String)>,
}

impl Sql {
    /// The query of an office whose clocks stand in that zone.
    #[must_use]
    pub fn new(settings: SqlSettings, zone: FixedOffset) -> Self {
        let engine = Engine::of(&settings.address().scheme()).unwrap_or(Engine::Postgres);
        Self { settings, engine, zone, ear: Ear::default() }
    }

    async fn open(&self) -> Result<Session, SourceError> {
        Session::open(self.engine, self.settings.address(), self.zone).await
    }

    /// The columns that the query has, if they are enough.
    async fn columns(&self, session: &mut Session) -> Result<Columns, SourceError> {
        let table = self.engine.table(&self.settings.query);
        let all = session.columns(&table).await?;
        // Databases disagree on who may write a name in which case.
        let find = |name: &str| {
            let exact = all.iter().find(|column| column.name == name);
            exact.or_else(|| all.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
        };
        let name = self.settings.cursor.trim();
        let wanted = NEEDED.iter().copied().chain([name]);
        let missing: Vec<&str> = wanted.filter(|name| find(name).is_none()).collect();
        let Some(cursor) = find(name).filter(|_| missing.is_empty()) else {
            return Err(lacking(&missing, &all));
        };
        let found = |part: &&'static str| Some((*part, find(part)?));
        let parts: Vec<(&str, &Found)> = PARTS.iter().filter_map(found).collect();
        let used: Vec<&Found> = parts.iter().map(|(_, column)| *column).chain([cursor]).collect();
        let bytes = session.with_bytes(&table, &used).await?;
        if !bytes.is_empty() {
            return Err(SourceError::wrong(
                format!("the query's column {} holds bytes and no text", bytes.join(", ")),
                "let the query turn it into text, with ENCODE, HEX, CONVERT or CAST",
            ));
        }
        let parts = parts.iter().map(|(part, column)| (*part, column.name.clone())).collect();
        let cursor = session.castable(&table, cursor.clone()).await?;
        Ok(Columns { all, cursor, parts })
    }

    /// Reads the rows from a position on, or all.
    async fn pass(
        &self,
        session: &mut Session,
        columns: &Columns,
        from: Option<&str>,
        records: &Records,
    ) -> Result<Pass, SourceError> {
        let now = session.now().await?;
        let parts = columns.parts.iter().map(|(part, _)| *part).collect();
        let mut pass = Pass::new(parts, self.zone, now);
        let names: Vec<&str> = columns.parts.iter().map(|(_, name)| name.as_str()).collect();
        let query = &self.settings.query;
        let query = self.engine.wrapped(query, &names, &columns.cursor, from, pass.order());
        on!(session, connection => {
            let mut query = sqlx::query(AssertSqlSafe(query));
            if let Some(from) = from {
                query = query.bind(from.to_owned());
            }
            let mut rows = query.fetch(connection);
            while let Some(row) = rows.try_next().await.map_err(|error| explain(&error))? {
                let text = |at: usize, name: &str| value(row.try_get(at), name);
                let cursor = text(0, &columns.cursor.name)?.filter(|cursor| !cursor.is_empty());
                let mut parts = Some(Vec::with_capacity(names.len()));
                for (n, name) in names.iter().enumerate() {
                    let part = text(n + 1, name)?;
                    parts = parts.zip(part).map(|(mut parts, part)| {
                        parts.push(part);
                        parts
                    });
                }
                let Some(parts) = parts else {
                    pass.pass_over(cursor);
                    continue;
                };
                if let Some(record) = pass.take(cursor, parts) {
                    put(records, record).await?;
                }
            }
        });
        Ok(pass)
    }
}

fn lacking(missing: &[&str], all: &[Found]) -> SourceError {
    let names: Vec<&str> = all.iter().map(|column| column.name.as_str()).collect();
    SourceError::wrong(
        format!("the query has no column {}; it has {}", missing.join(", "), names.join(", ")),
        format!(
            "name them with AS: SELECT … AS nik, … AS status, and the cursor as it is named in the \
             source; known are {}",
            PARTS.join(", ")
        ),
    )
}

/// A value, empty where there is none; nothing when its bytes are no text, which SQLite lets anybody
/// write.
fn value(
    got: Result<Option<String>, sqlx::Error>,
    name: &str,
) -> Result<Option<String>, SourceError> {
    match got {
        Ok(value) => Ok(Some(value.unwrap_or_default())),
        Err(sqlx::Error::ColumnDecode { source, .. })
            if source.is::<Utf8Error>() || source.is::<FromUtf8Error>() =>
        {
            Ok(None)
        }
        Err(_) => Err(SourceError::wrong(
            format!("the query's column {name} holds something that is no text"),
            "let the query turn it into text",
        )),
    }
}

#[async_trait]
impl Source for Sql {
    async fn read(&self, from: Option<&str>, records: Records) -> Result<Reading, SourceError> {
        let mut session = self.open().await?;
        let columns = self.columns(&mut session).await?;
        let from = from.map(|from| position::step_back(from, self.settings.overlap));
        let mut pass = self.pass(&mut session, &columns, from.as_deref(), &records).await?;
        if from.is_some() && !pass.is_any {
            // The row where we ended is gone: the office may have gone back to an older copy.
            pass = self.pass(&mut session, &columns, None, &records).await?;
        }
        session.close().await;
        Ok(Reading { position: pass.position, skipped: pass.skipped, ..Reading::default() })
    }

    async fn probe(&self) -> Result<String, SourceError> {
        let mut session = self.open().await?;
        let columns = self.columns(&mut session).await?;
        session.close().await;
        let is_used = |name: &str| {
            name == columns.cursor.name || columns.parts.iter().any(|(_, used)| used == name)
        };
        let names = |wanted: bool| -> String {
            let of = columns.all.iter().map(|column| column.name.as_str());
            of.filter(|name| is_used(name) == wanted).collect::<Vec<_>>().join(", ")
        };
        let unused = names(false);
        let rest = if unused.is_empty() { unused } else { format!("; not used: {unused}") };
        Ok(format!("its query has {}{rest}", names(true)))
    }

    async fn changed(&self) {
        match &self.settings.notify {
            Some(channel) => self.ear.hear(postgres(self.settings.address()), channel).await,
            None => std::future::pending().await,
        }
    }
}
