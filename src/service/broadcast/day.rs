//! The provider's day: how many people an account may begin to write to within 24 hours, by the office's word and
//! the provider's, and what a broadcast says while it waits for room.
//!
//! Answers and announcements are never held back for it; other broadcasts go on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::BroadcastError;
use super::reach::{Verdict, Way};
use crate::domain::broadcast::{Alarm, BroadcastState};
use crate::domain::clock::Timestamp;
use crate::service::{Account, App};
use crate::store::account::list_day_limits;
use crate::store::broadcast::{self as rows, Broadcast};
use crate::store::{StoreError, broadcast_run as runs};

/// A day as providers count it: any 24 hours.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// The limits of all accounts that have one: the smaller of what the office and the provider say.
#[derive(Debug)]
pub(super) struct Limits(BTreeMap<String, u64>);

impl Limits {
    pub(super) async fn load(app: &App) -> Result<Self, StoreError> {
        let mut limits = list_day_limits(&app.db).await?;
        for account in &app.accounts {
            if let Some(own) = account.daily_limit.map(u64::from) {
                let limit = limits.entry(account.id.clone()).or_insert(own);
                *limit = own.min(*limit);
            }
        }
        // The provider tells one account of a portfolio what all of them may.
        let mut of_all: BTreeMap<String, u64> = BTreeMap::new();
        for account in &app.accounts {
            let of_portfolio = app.accounts.iter().filter(|one| one.portfolio == account.portfolio);
            if let Some(limit) = of_portfolio.filter_map(|one| limits.get(&one.id)).min() {
                of_all.insert(account.id.clone(), *limit);
            }
        }
        Ok(Self(of_all))
    }

    pub(super) fn of(&self, account: &Account) -> Option<u64> {
        self.0.get(&account.id).copied()
    }
}

/// How many more people each account may write to now, where that is limited.
pub(super) async fn left_today<'a>(
    app: &App,
    verdicts: &[Verdict<'a>],
    now: Timestamp,
) -> Result<BTreeMap<&'a str, u64>, StoreError> {
    let limits = Limits::load(app).await?;
    let mut left = BTreeMap::new();
    for verdict in verdicts {
        let Verdict::Way(Way { account, .. }) = verdict else { continue };
        let account: &'a Account = account;
        if let Some(limit) = limits.of(account)
            && !left.contains_key(account.id.as_str())
        {
            // The limit is the portfolio's: all its accounts draw on it.
            let mut used = 0;
            for other in app.accounts.iter().filter(|one| one.portfolio == account.portfolio) {
                used += runs::count_begun(&app.db, &other.id, now.before(DAY)).await?;
            }
            left.insert(account.id.as_str(), limit.saturating_sub(used));
        }
    }
    Ok(left)
}

/// Says why a broadcast that is going out waits, or that it goes on: it needs nobody for that.
pub(super) async fn explain(
    app: &App,
    broadcast: &Broadcast,
    is_waiting: bool,
) -> Result<(), BroadcastError> {
    let is_said = |one: &Broadcast| one.alarm == Some(Alarm::TierReached);
    if is_said(broadcast) == is_waiting {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    let Some(mut found) = rows::lock_broadcast(&mut tx, &app.db, broadcast.id).await? else {
        return Ok(());
    };
    if found.state != BroadcastState::Sending || is_said(&found) == is_waiting {
        return Ok(());
    }
    found.alarm = is_waiting.then_some(Alarm::TierReached);
    found.alarm_code = None;
    rows::update_broadcast(&mut tx, &found).await?;
    tx.commit().await.map_err(StoreError::from)?;
    if is_waiting {
        tracing::info!(broadcast = %found.id, "a broadcast waits for the provider's next day");
    }
    Ok(())
}
