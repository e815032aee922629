//! Table `consent`: addresses that asked to stop, or that must not be written to.

use sqlx::AnyConnection;

use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::outbound::Recipient;
use crate::words;

words! {
    /// What changes about an address.
    pub enum ConsentChange {
        /// Asked to stop.
        OptOut = "opt_out",
        /// Asked to hear from us again.
        OptIn = "opt_in",
        /// Says that the messages are meant for somebody else.
        WrongPerson = "wrong_person",
    }
}

/// The hashes under which an address is known; consent of either part counts for the whole.
#[must_use]
pub fn address_hashes(db: &Db, portfolio: &str, to: &Recipient) -> Vec<String> {
    let phone = to.phone.as_ref().map(|phone| super::person::phone_hash(db, phone));
    let bsuid = to.bsuid.as_ref().map(|id| super::contact::bsuid_hash(db, portfolio, id));
    phone.into_iter().chain(bsuid).collect()
}

/// What is known of an address: the strictest of its parts.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_consent(
    conn: &mut AnyConnection,
    hashes: &[String],
) -> Result<Consent, StoreError> {
    let mut found = Consent::default();
    for hash in hashes {
        let row: Option<(Option<i64>, Option<i64>)> = sqlx::query_as(
            "SELECT opted_out_at, suppressed_at FROM consent WHERE address_hash = $1",
        )
        .bind(hash.clone())
        .fetch_optional(&mut *conn)
        .await?;
        if let Some((opted_out, suppressed)) = row {
            found.is_opted_out |= opted_out.is_some();
            found.is_suppressed |= suppressed.is_some();
        }
    }
    Ok(found)
}

/// Writes a change for every part of an address.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn apply(
    conn: &mut AnyConnection,
    hashes: &[String],
    change: ConsentChange,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = match change {
        ConsentChange::OptOut => {
            "INSERT INTO consent (address_hash, opted_out_at, updated_at) VALUES ($1, $2, $2) \
             ON CONFLICT (address_hash) DO UPDATE SET opted_out_at = excluded.opted_out_at, \
             updated_at = excluded.updated_at"
        }
        ConsentChange::OptIn => {
            "INSERT INTO consent (address_hash, opted_out_at, updated_at) VALUES ($1, NULL, $2) \
             ON CONFLICT (address_hash) DO UPDATE SET opted_out_at = NULL, \
             updated_at = excluded.updated_at"
        }
        ConsentChange::WrongPerson => {
            "INSERT INTO consent (address_hash, suppressed_at, suppression_reason, updated_at) \
             VALUES ($1, $2, 'wrong_person', $2) \
             ON CONFLICT (address_hash) DO UPDATE SET suppressed_at = excluded.suppressed_at, \
             suppression_reason = excluded.suppression_reason, updated_at = excluded.updated_at"
        }
    };
    for hash in hashes {
        sqlx::query(statement).bind(hash.clone()).bind(now.as_ms()).execute(&mut *conn).await?;
    }
    Ok(())
}
