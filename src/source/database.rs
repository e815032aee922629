//! What the watched databases have in common: an address with its secret, and their errors in words.
//!
//! Never shows an address: it may hold a password.

use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

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
        sqlx::Error::Database(inner) => {
            let code = inner.code().unwrap_or_default().into_owned();
            let what = format!("the database says: {} ({code})", inner.message());
            // SQLSTATE: 28 is who it is, 42 what they may and whether it exists; 3D and HY000/1049
            // a database that is not there. Everything else may pass.
            let is_lasting = ["28", "42", "3D"].iter().any(|class| code.starts_with(class));
            if is_lasting {
                SourceError::wrong(
                    what,
                    "look at the source's url, at what its user may read, and at its query; \
                     `kabar source try` shows what comes of it",
                )
            } else {
                SourceError::Unreachable(what)
            }
        }
        sqlx::Error::Configuration(_) => SourceError::wrong(
            "the source's url cannot be read",
            "it is written like mysql://user@host:3306/name",
        ),
        sqlx::Error::Io(inner) => {
            SourceError::Unreachable(format!("the connection broke: {}", inner.kind()))
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
