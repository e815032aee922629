//! Table `suppression`: addresses that a channel cannot use, and why, until somebody releases them.

use sqlx::AnyConnection;

use super::content::{parse_recipient, recipient_json};
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::SuppressionId;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Recipient;
use crate::words;

const PLACE: Place = Place { table: "suppression", column: "address_sealed" };

words! {
    /// Why an address is not written to.
    pub enum SuppressionReason {
        /// Whoever has it says that the messages are meant for somebody else.
        WrongPerson = "wrong_person",
        /// The provider says that nobody can be reached at it.
        NotReachable = "not_reachable",
        /// Message after message could not be brought.
        Undelivered = "undelivered",
    }
}

/// An address about to be suppressed.
#[derive(Clone, Copy, Debug)]
pub struct NewSuppression<'a> {
    /// Row id.
    pub id: SuppressionId,
    /// Hash of the address.
    pub address_hash: &'a str,
    /// The address itself, for the officer who looks at the list.
    pub address: Option<&'a Recipient>,
    /// Where; none for every channel.
    pub channel: Option<ChannelKind>,
    /// Why.
    pub reason: SuppressionReason,
    /// The provider's code that said so.
    pub code: Option<&'a str>,
}

/// Suppresses an address; one that is suppressed already stays as it is.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_suppression(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewSuppression<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = new.id.to_string();
    let sealed = new
        .address
        .map(|address| db.sealer.seal(PLACE, &id, &recipient_json(address)))
        .transpose()?;
    sqlx::query(
        "INSERT INTO suppression (id, address_hash, address_sealed, channel, reason, code, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (address_hash, channel) WHERE released_at IS NULL DO NOTHING",
    )
    .bind(id)
    .bind(new.address_hash.to_owned())
    .bind(sealed)
    .bind(new.channel.map_or("", ChannelKind::as_str))
    .bind(new.reason.as_str())
    .bind(new.code.map(str::to_owned))
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Releases what providers said of an address on a channel: whoever writes from there can be
/// reached there.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_reached(
    conn: &mut AnyConnection,
    hashes: &[String],
    channel: ChannelKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    for hash in hashes {
        sqlx::query(
            "UPDATE suppression SET released_at = $3, released_by = 'inbound' \
             WHERE address_hash = $1 AND channel = $2 AND released_at IS NULL",
        )
        .bind(hash.clone())
        .bind(channel.as_str())
        .bind(now.as_ms())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Releases one suppression; `false` when there is no such one in force.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release(
    db: &Db,
    id: SuppressionId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE suppression SET released_at = $3, released_by = $2 \
         WHERE id = $1 AND released_at IS NULL",
    )
    .bind(id.to_string())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(db.writer())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A suppression in force.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// Row id, the cursor.
    pub id: SuppressionId,
    /// The address, if it was kept.
    pub address: Option<Recipient>,
    /// Where; none for every channel.
    pub channel: Option<ChannelKind>,
    /// Why.
    pub reason: SuppressionReason,
    /// The provider's code.
    pub code: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// Suppressions in force in the order of their ids, after a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_active(
    db: &Db,
    after: Option<SuppressionId>,
    limit: i64,
) -> Result<Vec<Suppression>, StoreError> {
    type Row = (String, Option<String>, String, String, Option<String>, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, address_sealed, channel, reason, code, created_at FROM suppression \
         WHERE released_at IS NULL AND id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, address, channel, reason, code, at)| {
            let address = address
                .map(|sealed| db.sealer.open(PLACE, &id, &sealed))
                .transpose()?
                .and_then(|json| parse_recipient(&json));
            Ok(Suppression {
                id: parse("suppression", "id", &id, &id)?,
                address,
                channel: channel.parse().ok(),
                reason: parse("suppression", "reason", &id, &reason)?,
                code,
                created_at: Timestamp::from_ms(at),
            })
        })
        .collect()
}
