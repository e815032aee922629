//! A session that cannot write, with a database of each kind, and what its columns are.
//!
//! Its clock is the office's: times come as the office reads them.

use chrono::FixedOffset;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _,
};

use super::super::SourceError;
use super::super::database::{Address, PATIENCE, connected, explain};
use super::query::{Engine, Found};
use crate::domain::clock::Timestamp;

/// The drivers' types have nothing in common.
pub(super) enum Session {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// The same steps for a connection of each kind.
macro_rules! on {
    ($session:expr, $connection:ident => $body:expr) => {
        match $session {
            Session::Postgres($connection) => $body,
            Session::Mysql($connection) => $body,
            Session::Sqlite($connection) => $body,
        }
    };
}
pub(super) use on;

/// How a PostgreSQL is reached.
pub(super) fn postgres(address: Address<'_>) -> Result<PgConnectOptions, SourceError> {
    let mut options: PgConnectOptions = address.options()?;
    if let Some(password) = address.password() {
        options = options.password(password);
    }
    Ok(options.application_name("kabar").disable_statement_logging())
}

fn mysql(address: Address<'_>, zone: FixedOffset) -> Result<MySqlConnectOptions, SourceError> {
    let mut options: MySqlConnectOptions = address.options()?;
    if let Some(password) = address.password() {
        options = options.password(password);
    }
    // The office's query means here what it means at the office.
    let options = options.pipes_as_concat(false).no_engine_substitution(false);
    Ok(options.timezone(Some(zone.to_string())).disable_statement_logging())
}

impl Session {
    /// Opens one.
    pub(super) async fn open(
        engine: Engine,
        address: Address<'_>,
        zone: FixedOffset,
    ) -> Result<Self, SourceError> {
        let (session, statements) = match engine {
            Engine::Postgres => {
                let connection = connected(postgres(address)?.connect()).await?;
                // All in one transaction: so it stays even if a pooler stands between.
                let statements = vec![
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
                    // As SQL writes a zone: an interval of hours and minutes.
                    format!("SET LOCAL TIME ZONE INTERVAL '{zone}' HOUR TO MINUTE"),
                    "SET LOCAL datestyle TO ISO, YMD".to_owned(),
                ];
                (Self::Postgres(connection), statements)
            }
            Engine::Mysql => {
                let connection = connected(mysql(address, zone)?.connect()).await?;
                // While we record what we read, the server may have to wait for us longer than its
                // usual minute.
                let statements = [
                    "SET SESSION net_write_timeout = 600",
                    "SET SESSION TRANSACTION READ ONLY",
                    "START TRANSACTION READ ONLY",
                ];
                (Self::Mysql(connection), statements.map(str::to_owned).to_vec())
            }
            Engine::Sqlite => {
                let options: SqliteConnectOptions = address.options()?;
                let options = options.read_only(true).create_if_missing(false);
                let options = options.busy_timeout(PATIENCE).disable_statement_logging();
                let connection = connected(options.connect()).await?;
                (Self::Sqlite(connection), vec!["PRAGMA query_only = ON".to_owned()])
            }
        };
        let mut session = session;
        for statement in statements {
            session.execute(statement).await?;
        }
        Ok(session)
    }

    async fn execute(&mut self, statement: String) -> Result<(), SourceError> {
        on!(self, connection => {
            connection.execute(AssertSqlSafe(statement)).await.map_err(|error| explain(&error))?;
        });
        Ok(())
    }

    async fn text(&mut self, query: String) -> Result<Option<String>, SourceError> {
        let query = AssertSqlSafe(query);
        let found = on!(self, connection => {
            sqlx::query_scalar::<_, Option<String>>(query).fetch_optional(connection).await
        });
        Ok(found.map_err(|error| explain(&error))?.flatten())
    }

    /// The database's own time.
    pub(super) async fn now(&mut self) -> Result<Timestamp, SourceError> {
        let seconds = match self {
            Self::Postgres(_) => "SELECT CAST(CAST(EXTRACT(EPOCH FROM now()) AS BIGINT) AS TEXT)",
            Self::Mysql(_) => "SELECT CAST(UNIX_TIMESTAMP() AS CHAR)",
            Self::Sqlite(_) => "SELECT CAST(strftime('%s', 'now') AS TEXT)",
        };
        let seconds = self.text(seconds.to_owned()).await?;
        let seconds: Option<i64> = seconds.and_then(|seconds| seconds.parse().ok());
        seconds.map(|seconds| Timestamp::from_ms(seconds.saturating_mul(1000))).ok_or_else(|| {
            SourceError::Unreachable("the database does not tell the time".to_owned())
        })
    }

    /// The columns of a query.
    pub(super) async fn columns(&mut self, table: &str) -> Result<Vec<Found>, SourceError> {
        let query = AssertSqlSafe(format!("SELECT * FROM {table}")).into_sql_str();
        Ok(on!(self, connection => {
            let statement = connection.prepare(query).await.map_err(|error| explain(&error))?;
            let found = |(name, kind): (&str, &str)| {
                Found { name: name.to_owned(), kind: kind.to_owned() }
            };
            let columns = statement.columns().iter();
            columns.map(|column| found((column.name(), column.type_info().name()))).collect()
        }))
    }

    /// The column with its type in words that a cast understands; the drivers' names of types are
    /// their own: what PostgreSQL's calls CHAR is of any length.
    pub(super) async fn castable(
        &mut self,
        table: &str,
        column: Found,
    ) -> Result<Found, SourceError> {
        let Self::Postgres(connection) = self else { return Ok(column) };
        let name = Engine::Postgres.quoted(&column.name);
        let query = AssertSqlSafe(format!("SELECT {name} FROM {table}")).into_sql_str();
        let statement = connection.prepare(query).await.map_err(|error| explain(&error))?;
        let oid = statement.columns().first().and_then(|column| column.type_info().oid());
        let Some(oid) = oid else { return Ok(column) };
        let kind = self.text(format!("SELECT format_type({}, -1)", oid.0)).await?;
        Ok(Found { kind: kind.unwrap_or(column.kind), name: column.name })
    }

    /// Those of the columns that hold bytes and no text.
    pub(super) async fn with_bytes(
        &mut self,
        table: &str,
        columns: &[&Found],
    ) -> Result<Vec<String>, SourceError> {
        let is_binary = |kind: &str| {
            ["BYTEA", "BLOB", "BINARY", "BIT"].iter().any(|bytes| kind.ends_with(bytes))
        };
        let suspects = columns.iter().filter(|column| is_binary(&column.kind));
        let mut found = Vec::new();
        for column in suspects {
            // Of a text that is compared byte by byte the driver says the same.
            if let Self::Mysql(_) = self {
                let name = Engine::Mysql.quoted(&column.name);
                let query = format!("SELECT CHARSET({name}) FROM {table} LIMIT 1");
                if self.text(query).await?.is_none_or(|charset| charset != "binary") {
                    continue;
                }
            }
            found.push(column.name.clone());
        }
        Ok(found)
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        on!(self, connection => {
            let _ = connection.close().await;
        });
    }
}
