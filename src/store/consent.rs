//! Table `consent`: addresses that asked to stop. Whether an address may be written to also takes
//! table `suppression` into account.

use sqlx::AnyConnection;

use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Recipient;
use crate::words;

words! {
    /// What changes about an address.
    pub enum ConsentChange {
        /// Asked to stop.
        OptOut = "opt_out",
        /// Asked to hear from us again.
        OptIn = "opt_in",
        /// Asked for no marketing.
        NoMarketing = "no_marketing",
    }
}

/// The hashes under which an address is known; consent of either part counts for the whole.
#[must_use]
pub fn address_hashes(db: &Db, portfolio: &str, to: &Recipient) -> Vec<String> {
    let phone = to.phone.as_ref().map(|phone| super::person::phone_hash(db, phone));
    let bsuid = to.bsuid.as_ref().map(|id| super::contact::bsuid_hash(db, portfolio, id));
    let chat = to.chat.map(|id| super::contact::chat_hash(db, portfolio, id));
    phone.into_iter().chain(bsuid).chain(chat).collect()
}

/// What is known of an address on a channel (without one: on all of them): the strictest of its parts.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_consent(
    conn: &mut AnyConnection,
    hashes: &[String],
    channel: Option<ChannelKind>,
) -> Result<Consent, StoreError> {
    let mut found = Consent::default();
    for hash in hashes {
        let (opted_out, no_marketing, suppressed): (Option<i64>, Option<i64>, i64) =
            sqlx::query_as(
                "SELECT (SELECT opted_out_at FROM consent WHERE address_hash = $1), \
                 (SELECT no_marketing_at FROM consent WHERE address_hash = $1), \
                 (SELECT COUNT(*) FROM suppression WHERE address_hash = $1 \
                  AND channel IN ('', $2) AND released_at IS NULL)",
            )
            .bind(hash.clone())
            .bind(channel.map_or("", ChannelKind::as_str))
            .fetch_one(&mut *conn)
            .await?;
        found.is_opted_out |= opted_out.is_some();
        found.is_without_marketing |= no_marketing.is_some();
        found.is_suppressed |= suppressed > 0;
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
             ON CONFLICT (address_hash) DO UPDATE SET opted_out_at = NULL, no_marketing_at = NULL, \
             updated_at = excluded.updated_at"
        }
        ConsentChange::NoMarketing => {
            "INSERT INTO consent (address_hash, no_marketing_at, updated_at) VALUES ($1, $2, $2) \
             ON CONFLICT (address_hash) DO UPDATE SET no_marketing_at = excluded.no_marketing_at, \
             updated_at = excluded.updated_at"
        }
    };
    for hash in hashes {
        sqlx::query(statement).bind(hash.clone()).bind(now.as_ms()).execute(&mut *conn).await?;
    }
    Ok(())
}
