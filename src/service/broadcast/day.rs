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

/// How many people may be begun with within a day: by the office's word of each account, and by the provider's of all
/// accounts of a portfolio, which draw on it together.
#[derive(Debug)]
pub(super) struct Limits {
    of_portfolio: BTreeMap<String, u64>,
}

impl Limits {
    pub(super) async fn load(app: &App) -> Result<Self, StoreError> {
        let told = list_day_limits(&app.db).await?;
        let mut of_portfolio: BTreeMap<String, u64> = BTreeMap::new();
        for account in &app.accounts {
            // The provider tells one account of a portfolio what all of them may.
            if let Some(limit) = told.get(&account.id) {
                let least = of_portfolio.entry(account.portfolio.clone()).or_insert(*limit);
                *least = (*least).min(*limit);
            }
        }
        Ok(Self { of_portfolio })
    }

    /// The smaller of both, for a broadcast that goes through this account alone.
    pub(super) fn of(&self, account: &Account) -> Option<u64> {
        let own = account.daily_limit.map(u64::from);
        let told = self.of_portfolio.get(&account.portfolio).copied();
        own.into_iter().chain(told).min()
    }
}

/// How many more people may be written to now, where that is limited.
#[derive(Debug, Default)]
pub(super) struct Room<'a> {
    of_account: BTreeMap<&'a str, u64>,
    of_portfolio: BTreeMap<&'a str, u64>,
}

impl<'a> Room<'a> {
    /// The room of all accounts that these people would hear of it through.
    pub(super) async fn left(
        app: &App,
        verdicts: &[Verdict<'a>],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let limits = Limits::load(app).await?;
        let mut room = Self::default();
        for verdict in verdicts {
            let Verdict::Way(Way { account, .. }) = verdict else { continue };
            let account: &'a Account = account;
            if let Some(limit) = account.daily_limit.map(u64::from)
                && !room.of_account.contains_key(account.id.as_str())
            {
                let used = runs::count_begun(&app.db, &account.id, now.before(DAY)).await?;
                room.of_account.insert(&account.id, limit.saturating_sub(used));
            }
            if let Some(limit) = limits.of_portfolio.get(&account.portfolio)
                && !room.of_portfolio.contains_key(account.portfolio.as_str())
            {
                let mut used = 0;
                for other in app.accounts.iter().filter(|one| one.portfolio == account.portfolio) {
                    used += runs::count_begun(&app.db, &other.id, now.before(DAY)).await?;
                }
                room.of_portfolio.insert(&account.portfolio, limit.saturating_sub(used));
            }
        }
        Ok(room)
    }

    /// Takes the place of one more; `false` where there is none.
    pub(super) fn take(&mut self, account: &'a Account) -> bool {
        let own = self.of_account.get_mut(account.id.as_str());
        let shared = self.of_portfolio.get_mut(account.portfolio.as_str());
        if own.as_deref() == Some(&0) || shared.as_deref() == Some(&0) {
            return false;
        }
        for left in own.into_iter().chain(shared) {
            *left -= 1;
        }
        true
    }
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
