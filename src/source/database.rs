//! What the watched databases have in common: an address with its secret, and their errors in words.
//!
//! Never shows an address: it may hold a password.

use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::sqlite::SqliteError;

use super::SourceError;

/// Longest time a connection is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Where a database is.
#[derive(Clone, Copy)]
pub(super) struct Address<'a> {
    /// `mysql://user@host/name` or the like; may hold the password.
    pub(super) url: &'a SecretString,
    /// The password, if it does not stand in the address.
    pub(super) password: Option<&'a SecretString>,
}

impl<'a> Address<'a> {
    /// The kind of database, as the address names it.
    pub(super) fn scheme(self) -> String {
        self.url.expose_secret().split(':').next().unwrap_or_default().to_ascii_lowercase()
    }

    /// The driver's options.
    pub(super) fn options<O: FromStr<Err = sqlx::Error>>(self) -> Result<O, SourceError> {
        self.url.expose_secret().parse().map_err(|error| explain(&error))
    }

    /// The password that stands beside the address.
    pub(super) fn password(self) -> Option<&'a str> {
        self.password.map(ExposeSecret::expose_secret)
    }
}

/// A time like `12h`.
pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

/// Connects, or says why not.
pub(super) async fn connected<T>(
    connecting: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, SourceError> {
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(result) => result.map_err(|error| explain(&error)),
        Err(_) => Err(SourceError::Unreachable(format!(
            "the database did not answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// An error of a database in words. Values of rows never stand in them; who may not read what does.
pub(super) fn explain(error: &sqlx::Error) -> SourceError {
    match error {
        sqlx::Error::Database(inner) => refused(inner.as_ref()),
        sqlx::Error::Configuration(_) => SourceError::wrong(
            "the source's url cannot be read",
            "it is written like mysql://user@host:3306/name, postgres://user@host:5432/name or \
             sqlite:///folder/file.db",
        ),
        // Says which name is not known, and holds nothing of the address but that.
        sqlx::Error::Io(inner) => {
            SourceError::Unreachable(format!("the connection broke: {inner}"))
        }
        sqlx::Error::Tls(_) => SourceError::wrong(
            "no encrypted connection could be made",
            "look at the server's certificate, or at ssl-mode in the url",
        ),
        sqlx::Error::ColumnDecode { index, .. } => SourceError::wrong(
            format!("column {index} holds something that is no text"),
            "let the query turn it into text",
        ),
        _ => SourceError::Unreachable("the connection broke".to_owned()),
    }
}

/// What can pass by itself, and what somebody must mend.
enum Weight {
    Passing,
    Lasting,
    /// Lasting, and the database's words may quote a row.
    Quoting,
}

fn refused(error: &dyn DatabaseError) -> SourceError {
    let code = error.code().unwrap_or_default().into_owned();
    let mysql = error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
    let (weight, code) = match (mysql, error.try_downcast_ref::<SqliteError>()) {
        (_, Some(_)) => (of_sqlite(&code), code),
        (Some(number), _) => (of_mysql(&code, number), format!("{number}, {code}")),
        (None, None) => (of_sqlstate(&code), code),
    };
    let said = format!("the database says: {} ({code})", error.message());
    let is_sqlite = error.try_downcast_ref::<SqliteError>().is_some();
    match weight {
        Weight::Passing => SourceError::Unreachable(said),
        Weight::Lasting if is_sqlite => SourceError::wrong(
            said,
            "look whether the file of the source's url is there and readable, with its folder where \
             it has a log beside it (WAL), and at the source's query",
        ),
        Weight::Lasting => SourceError::wrong(
            said,
            "look at the source's url, at what its user may read, and at its query; \
             `kabar source try` shows what comes of it",
        ),
        Weight::Quoting => SourceError::wrong(
            format!("the database refuses to go on ({code})"),
            "its own words may quote a row and are not shown; run the query in the database to see \
             them",
        ),
    }
}

/// By SQLSTATE: 08 is the connection, 40 a collision, 53 and 57 a server that is full or closing,
/// 55 a lock; 28 is who it is, 42 what they may and whether it exists, 3D and 3F a database or
/// schema that is not there, 0A and 25 what a reader may not. The words of all others, like 22, may
/// quote what a row says.
fn of_sqlstate(code: &str) -> Weight {
    match code.get(..2).unwrap_or_default() {
        "08" | "40" | "53" | "55" | "57" | "58" | "70" => Weight::Passing,
        "28" | "42" | "3D" | "3F" | "0A" | "25" | "21" => Weight::Lasting,
        _ => Weight::Quoting,
    }
}

/// By MySQL's and MariaDB's own numbers, where their SQLSTATE says nothing: a host that may not
/// come, a mix of collations; a lock, a server that is full, closing or reading only.
fn of_mysql(code: &str, number: u16) -> Weight {
    match number {
        1130 | 1267 | 1271 => Weight::Lasting,
        1021 | 1040 | 1041 | 1053 | 1129 | 1203 | 1205 | 1226 | 1290 | 1317 | 1927 | 1969
        | 3024 => Weight::Passing,
        _ => of_sqlstate(code),
    }
}

/// By SQLite's primary code; its words quote names and never rows, but for those of functions.
fn of_sqlite(code: &str) -> Weight {
    match code.parse::<i32>().unwrap_or_default() & 0xff {
        // Somebody writes at the moment; the disk; the memory.
        5..=7 | 9 | 10 | 13 | 15 | 17 => Weight::Passing,
        19 | 20 => Weight::Quoting,
        _ => Weight::Lasting,
    }
}
