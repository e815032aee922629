//! Table `account`: which process sends for an account, and whether the account is stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::AnyConnection;

use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::words;

words! {
    /// How much of an account is stopped.
    pub enum StopScope {
        /// Everything.
        All = "all",
        /// All but answers.
        Bulk = "bulk",
    }
}

/// Why an account is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Since when.
    pub at: Timestamp,
    /// The provider's code.
    pub code: String,
    /// What is wrong and what to do.
    pub reason: String,
    /// How much of it.
    pub scope: StopScope,
    /// When one message tries whether it works again.
    pub retry_at: Timestamp,
}

/// How far the clocks of two processes may differ. A lease that ends later than that after a new one would was taken
/// before the clock was set back, and counts no more.
pub(super) const CLOCKS_APART: Duration = Duration::from_secs(60);

/// Takes or renews the lease on an account; `false` when another process holds it. Taking it anew
/// lifts a stop: whoever restarts has usually mended something, and one message will tell.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_lease(
    db: &Db,
    account: &str,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Lease, StoreError> {
    let mut tx = db.begin().await?;
    let renewed = sqlx::query("UPDATE account SET lease_until = $3 WHERE id = $1 AND owner = $2")
        .bind(account.to_owned())
        .bind(owner.to_owned())
        .bind(until.as_ms())
        .execute(&mut *tx)
        .await?;
    if renewed.rows_affected() == 1 {
        tx.commit().await?;
        return Ok(Lease::Renewed);
    }
    let taken = sqlx::query(
        "INSERT INTO account (id, owner, lease_until) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until, \
         stopped_at = NULL, stop_code = NULL, stop_reason = NULL, retry_at = NULL, \
         stop_scope = NULL \
         WHERE account.owner IS NULL OR account.lease_until IS NULL OR account.lease_until <= $4 \
         OR account.lease_until > $5",
    )
    .bind(account.to_owned())
    .bind(owner.to_owned())
    .bind(until.as_ms())
    .bind(now.as_ms())
    .bind(until.after(CLOCKS_APART).as_ms())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(if taken.rows_affected() == 1 { Lease::Taken } else { Lease::Held })
}

/// The answer to asking for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Ours already, for longer now.
    Renewed,
    /// Ours from now on; what its former owner left must be looked after first.
    Taken,
    /// Another process has it.
    Held,
}

/// Gives an account back, so that another process need not wait.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_lease(db: &Db, account: &str, owner: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE account SET owner = NULL, lease_until = NULL WHERE id = $1 AND owner = $2")
        .bind(account.to_owned())
        .bind(owner.to_owned())
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Stops an account, or lifts its stop.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_stop(
    conn: &mut AnyConnection,
    account: &str,
    stop: Option<&Stop>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO account (id, stopped_at, stop_code, stop_reason, retry_at, stop_scope) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET stopped_at = excluded.stopped_at, \
         stop_code = excluded.stop_code, stop_reason = excluded.stop_reason, retry_at = excluded.retry_at, stop_scope = excluded.stop_scope",
    )
    .bind(account.to_owned())
    .bind(stop.map(|s| s.at.as_ms()))
    .bind(stop.map(|s| s.code.clone()))
    .bind(stop.map(|s| s.reason.clone()))
    .bind(stop.map(|s| s.retry_at.as_ms()))
    .bind(stop.map(|s| s.scope.as_str()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps how many people an account may begin to write to within a day; none for as many as there are. What was
/// said later stays.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_day_limit(
    conn: &mut AnyConnection,
    account: &str,
    people: Option<u32>,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO account (id, day_limit, day_limit_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE \
         SET day_limit = excluded.day_limit, day_limit_at = excluded.day_limit_at \
         WHERE account.day_limit_at IS NULL OR account.day_limit_at <= excluded.day_limit_at",
    )
    .bind(account.to_owned())
    .bind(people.map_or(-1, i64::from))
    .bind(at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// How many people each account may begin to write to within a day, where its provider has set a limit.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_day_limits(db: &Db) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT id, day_limit FROM account WHERE day_limit >= 0")
            .fetch_all(db.reader())
            .await?;
    Ok(rows.into_iter().map(|(id, limit)| (id, u64::try_from(limit).unwrap_or(0))).collect())
}

/// The accounts that are stopped.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_stopped(db: &Db) -> Result<Vec<(String, Stop)>, StoreError> {
    type Row = (String, i64, Option<String>, Option<String>, Option<i64>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, stopped_at, stop_code, stop_reason, retry_at, stop_scope FROM account \
         WHERE stopped_at IS NOT NULL ORDER BY id",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, at, code, reason, retry_at, scope)| {
            let stop = Stop {
                at: Timestamp::from_ms(at),
                code: code.unwrap_or_default(),
                reason: reason.unwrap_or_default(),
                scope: scope.and_then(|word| word.parse().ok()).unwrap_or(StopScope::All),
                retry_at: Timestamp::from_ms(retry_at.unwrap_or(at)),
            };
            (id, stop)
        })
        .collect())
}
