//! OpenSID, the register of a desa, read straight from its MySQL or MariaDB.
//!
//! Tables, codes and traps as of OpenSID v2410 (branch umum, migrations `2023_12_22_015242`, and
//! app/Enums/StatusKTPEnum.php); columns that another version lacks are done without. It keeps no
//! history: we see what a row says now. Reads the columns of [`COLUMNS`] and no other, of the desa
//! in its area and no other, and never writes.

mod resident;
mod schema;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use secrecy::SecretString;
use serde::Deserialize;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::database::{Address, connected, duration, explain};
use super::{Reading, Records, Source, SourceError, put};
use crate::domain::area::AreaCode;
use resident::Resident;
pub use schema::{COLUMNS, grants};
use schema::{RESIDENT, Schema};

/// How OpenSID is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSidSettings {
    /// `mysql://user@host/name`; may hold the password.
    pub url: SecretString,
    /// The password, if it does not stand in the address.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// One desa of it, by the id in its table config; all within the area if left out.
    #[serde(default)]
    pub config_id: Option<i64>,
    /// So far back every reading looks again: PHP and MySQL may write times of different zones.
    #[serde(default = "half_a_day", deserialize_with = "duration")]
    pub overlap: Duration,
}

impl OpenSidSettings {
    fn address(&self) -> Address<'_> {
        Address { url: &self.url, password: self.password.as_ref() }
    }

    /// Looks at what can be seen without the database.
    ///
    /// # Errors
    /// What is wrong: the key, in words, and what to do.
    pub fn check(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        if matches!(self.address().scheme().as_str(), "mysql" | "mariadb") {
            Ok(())
        } else {
            Err(("url", "names no MySQL or MariaDB", "mysql://kabar_ro@127.0.0.1/opensid"))
        }
    }
}

const fn half_a_day() -> Duration {
    Duration::from_secs(12 * 3600)
}

/// An OpenSID.
#[derive(Debug)]
pub struct OpenSid {
    settings: OpenSidSettings,
    area: AreaCode,
}

/// A desa of it.
#[derive(Debug)]
struct Desa {
    config_id: i64,
    code: AreaCode,
}

impl OpenSid {
    /// The desa of that area, or the one desa named.
    #[must_use]
    pub const fn new(settings: OpenSidSettings, area: AreaCode) -> Self {
        Self { settings, area }
    }

    async fn connect(&self) -> Result<MySqlConnection, SourceError> {
        let address = self.settings.address();
        let mut options: MySqlConnectOptions = address.options()?;
        if let Some(password) = address.password() {
            options = options.password(password);
        }
        let options = options.disable_statement_logging();
        let mut connection = connected(options.connect()).await?;
        // The driver's own session already speaks utf8mb4 and UTC. While we record what we read, the
        // server may have to wait for us longer than its usual minute.
        for statement in
            ["SET SESSION TRANSACTION READ ONLY", "SET SESSION net_write_timeout = 600"]
        {
            sqlx::query(statement).execute(&mut connection).await.map_err(|e| explain(&e))?;
        }
        Ok(connection)
    }

    async fn schema(connection: &mut MySqlConnection) -> Result<Schema, SourceError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT CAST(TABLE_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR) \
             FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = DATABASE()",
        )
        .fetch_all(connection)
        .await
        .map_err(|error| explain(&error))?;
        let lower = |(table, column): (String, String)| {
            (table.to_ascii_lowercase(), column.to_ascii_lowercase())
        };
        let schema = Schema(rows.into_iter().map(lower).collect());
        schema.check()?;
        Ok(schema)
    }

    /// The desa that are ours to read.
    async fn list_desa(&self, connection: &mut MySqlConnection) -> Result<Vec<Desa>, SourceError> {
        let rows: Vec<(i64, Option<String>)> = sqlx::query_as(
            "SELECT CAST(id AS SIGNED), CAST(kode_desa AS CHAR) FROM config ORDER BY id",
        )
        .fetch_all(connection)
        .await
        .map_err(|error| explain(&error))?;
        let all = rows.len();
        let is_meant = |id: i64| self.settings.config_id.is_none_or(|only| only == id);
        let found: Vec<Desa> = rows
            .into_iter()
            .filter(|(id, _)| is_meant(*id))
            .filter_map(|(id, code)| Some((id, AreaCode::parse(&code?).ok()?)))
            .filter(|(_, code)| code.is_within(&self.area))
            .map(|(config_id, code)| Desa { config_id, code })
            .collect();
        if found.is_empty() {
            return Err(SourceError::wrong(
                format!("none of the {all} desa in its table config is within {}", self.area),
                "look at the source's area and config_id, and at kode_desa in OpenSID's settings",
            ));
        }
        Ok(found)
    }
}

#[async_trait]
impl Source for OpenSid {
    async fn read(&self, from: Option<&str>, records: Records) -> Result<Reading, SourceError> {
        let mut connection = self.connect().await?;
        let schema = Self::schema(&mut connection).await?;
        let desa = self.list_desa(&mut connection).await?;
        // The database's own clock, and before anything is read: what changes meanwhile is read
        // again next time.
        let now: i64 = sqlx::query_scalar("SELECT CAST(UNIX_TIMESTAMP() AS SIGNED)")
            .fetch_one(&mut connection)
            .await
            .map_err(|error| explain(&error))?;
        let overlap = i64::try_from(self.settings.overlap.as_secs()).unwrap_or(i64::MAX);
        let since = from
            .and_then(|from| from.parse::<i64>().ok())
            .filter(|_| schema.has(RESIDENT, "updated_at"))
            // A clock that was set back would otherwise hide what was changed since.
            .map(|from| from.min(now).saturating_sub(overlap).max(1));
        let mut reading = Reading {
            position: Some(now.to_string()),
            parts: desa.iter().map(|desa| desa.code.to_string()).collect(),
            ..Reading::default()
        };
        for desa in &desa {
            let query = AssertSqlSafe(schema.query(since.is_some()));
            let mut query = sqlx::query(query).bind(desa.config_id);
            if let Some(since) = since {
                query = query.bind(since);
            }
            let mut rows = query.fetch(&mut connection);
            while let Some(row) = rows.try_next().await.map_err(|error| explain(&error))? {
                match Resident::read(&row).map_err(|error| explain(&error))?.into_record(desa) {
                    Ok(record) => put(&records, record).await?,
                    Err(why) => *reading.skipped.entry(why).or_default() += 1,
                }
            }
        }
        let _ = connection.close().await;
        Ok(reading)
    }

    async fn probe(&self) -> Result<String, SourceError> {
        let mut connection = self.connect().await?;
        let schema = Self::schema(&mut connection).await?;
        let desa = self.list_desa(&mut connection).await?;
        let mut residents = 0;
        let is_shared = schema.has(RESIDENT, "config_id");
        for desa in &desa {
            let filter = if is_shared { " WHERE config_id = ?" } else { " WHERE ? IS NOT NULL" };
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
                "SELECT COUNT(id) FROM {RESIDENT}{filter}"
            )))
            .bind(desa.config_id)
            .fetch_one(&mut connection)
            .await
            .map_err(|error| explain(&error))?;
            residents += count;
        }
        let _ = connection.close().await;
        let lacks: Vec<String> = COLUMNS
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(move |column| (*table, *column)))
            .filter(|(table, column)| !schema.has(table, column))
            .map(|(table, column)| format!("{table}.{column}"))
            .collect();
        let without = if lacks.is_empty() {
            String::new()
        } else {
            format!("; without {}", lacks.join(", "))
        };
        Ok(format!("OpenSID with {} desa and {residents} residents{without}", desa.len()))
    }
}
