//! Sends for one account: claims what may leave now, calls the provider, records what came of it.
//!
//! It holds the account's lease, its rate, and the order of each person's messages. It claims no
//! more than the rate and the free places allow at this moment, so that a crash leaves hardly a
//! message behind that was claimed and never called.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::inbox::AccountSink;
use super::lesson::{self, Taught};
use super::send::{self, Call};
use super::{Account, App, Rate, ServiceError, broadcast, file};
use crate::channel::{Accepted, Fault, Outbound, Scope, SendError};
use crate::domain::broadcast::Alarm;
use crate::domain::clock::{Clock, LastSeen, Timestamp};
use crate::domain::id::MessageId;
use crate::domain::message::MessageClass;
use crate::store::account::{self, Lease, Stop, StopScope};
use crate::store::message::{self, ClaimRefusal, Claimed};
use crate::store::settled::{self, Settled};
use crate::store::{StoreError, Tx};

/// How long a process that fell silent still holds its accounts.
const LEASE: Duration = Duration::from_secs(8);
const LEASE_RENEWAL: Duration = Duration::from_secs(2);
/// Messages claimed in one transaction, at most.
const BATCH: usize = 200;
/// One in so many requests in flight is kept for replies.
const REPLY_SHARE: usize = 8;
/// First wait of a stopped account until one message tries again, doubling up to the longest.
const FIRST_STOP: Duration = Duration::from_secs(60);
const LONGEST_STOP: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Our clock in the limiter's terms.
#[derive(Clone)]
struct LimiterClock(Arc<dyn Clock>);

impl governor::clock::Clock for LimiterClock {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.now().as_ms()).unwrap_or(0).saturating_mul(1_000_000))
    }
}

type AccountRate =
    RateLimiter<NotKeyed, InMemoryState, LimiterClock, governor::middleware::NoOpMiddleware<Nanos>>;
type PairRate = RateLimiter<
    String,
    HashMapStateStore<String>,
    LimiterClock,
    governor::middleware::NoOpMiddleware<Nanos>,
>;

/// What leaves at once after a rest and what is refilled within the same time are together the rate
/// that the provider allows.
fn quota(rate: Rate) -> Quota {
    let all = rate.messages;
    let burst = NonZeroU32::new(all.get() / 20).unwrap_or(NonZeroU32::MIN);
    let steady = match burst {
        // A slow account has no burst to speak of.
        NonZeroU32::MIN => all,
        _ => NonZeroU32::new(all.get() - burst.get()).unwrap_or(all),
    };
    let period = (rate.per / steady.get()).max(Duration::from_nanos(1));
    Quota::with_period(period).map_or(Quota::per_second(steady), |q| q.allow_burst(burst))
}

/// What an account may send, and what it may send to one recipient.
fn limiters(account: &Account, clock: &LimiterClock) -> (AccountRate, Option<PairRate>) {
    let rate = RateLimiter::direct_with_clock(quota(account.rate), clock.clone());
    let pairs = account.adapter.offer().pair_rate.and_then(|(period, burst)| {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period)?.allow_burst(burst);
        Some(RateLimiter::hashmap_with_clock(quota, clock.clone()))
    });
    (rate, pairs)
}

/// What a step did, and when the next makes sense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Messages handed to the provider or given back.
    pub claimed: usize,
    /// Outcomes recorded.
    pub recorded: usize,
    /// The rate allows more only after this.
    pub wait: Option<Duration>,
}

struct Finished {
    message: Claimed,
    call: Call,
    result: Result<Accepted, SendError>,
}

/// The link that an adapter keeps itself, as long as this process has the account. Cut when dropped.
struct Listening {
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Listening {
    fn start(app: &Arc<App>, account: &Account) -> Self {
        let stop = CancellationToken::new();
        let sink = Arc::new(AccountSink::new(Arc::clone(app), account.clone()));
        let (adapter, token) = (Arc::clone(&account.adapter), stop.clone());
        let task = tokio::spawn(async move { adapter.listen(sink, token).await });
        Self { stop: stop.drop_guard(), task }
    }

    async fn end(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the task that listens to a provider ended badly");
        }
    }
}

/// The sending side of one account in this process.
pub struct Sender {
    app: Arc<App>,
    account: Account,
    owner: String,
    clock: LimiterClock,
    rate: AccountRate,
    pairs: Option<PairRate>,
    /// Permits drawn from the rate and not used yet: a claim may bring less than was allowed.
    permits: usize,
    calls: JoinSet<Finished>,
    /// Who is being written to now, and what waits behind that.
    busy: HashMap<String, VecDeque<Claimed>>,
    settled: Vec<Settled>,
    taught: Vec<Taught>,
    /// Messages of broadcasts that must hold themselves, with the reason and the provider's code.
    alarms: Vec<(MessageId, Alarm, String)>,
    lease: Option<Timestamp>,
    listening: Option<Listening>,
    paused_until: Timestamp,
    paused_at: Timestamp,
    pauses: i64,
    stop: Option<Stop>,
    stops: u32,
    /// The stop in hand is not written yet.
    is_stop_news: bool,
    /// Who may not be written to before when, by the provider's word.
    held: HashMap<String, Timestamp>,
    /// Calls that came back and have had no consequences yet.
    finished: Vec<Finished>,
    tidied_at: Timestamp,
    seen: LastSeen,
    /// Files that the provider has.
    handles: Arc<file::Handles>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("account", &self.account.id).finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender for one account; `owner` names this process.
    #[must_use]
    pub fn new(app: Arc<App>, account: Account, owner: String) -> Self {
        let clock = LimiterClock(Arc::clone(&app.clock));
        let (rate, pairs) = limiters(&account, &clock);
        let seen = LastSeen::at(app.now());
        Self {
            app,
            account,
            owner,
            clock,
            rate,
            pairs,
            permits: 0,
            calls: JoinSet::new(),
            busy: HashMap::new(),
            settled: Vec::new(),
            taught: Vec::new(),
            alarms: Vec::new(),
            lease: None,
            listening: None,
            paused_until: Timestamp::from_ms(0),
            paused_at: Timestamp::from_ms(0),
            pauses: 0,
            stop: None,
            stops: 0,
            is_stop_news: false,
            held: HashMap::new(),
            finished: Vec::new(),
            tidied_at: Timestamp::from_ms(0),
            seen,
            handles: Arc::default(),
        }
    }

    /// One round: hold the account, record what has come back, claim and call what may leave now.
    ///
    /// # Errors
    /// When the database fails. What came back stays in hand and is recorded in a later round.
    pub async fn step(&mut self) -> Result<Progress, ServiceError> {
        while let Some(done) = self.calls.try_join_next() {
            self.finished.extend(done);
        }
        self.take_back();
        if self.seen.look(self.app.now()).is_some() {
            self.forget_the_future();
        }
        let is_ours = self.hold_account().await?;
        let now = self.app.now();
        let (limit, bulk, wait) = if is_ours { self.allowed(now) } else { (0, 0, None) };
        if limit == 0 && !self.has_news() {
            return Ok(Progress { claimed: 0, recorded: 0, wait });
        }
        // What came back and what leaves next are one commit: a disk that must be sure twice is half as fast.
        let mut tx = self.app.db.begin().await?;
        let recorded = self.write(&mut tx).await?;
        let messages = if limit == 0 {
            Vec::new()
        } else {
            let count = |limit| i64::try_from(limit).unwrap_or(i64::MAX);
            let (account, portfolio) = (&self.account.id, &self.account.portfolio);
            let limits = (count(limit), count(bulk));
            let whose = (account.as_str(), self.owner.as_str());
            message::claim_due(&mut tx, &self.app.db, whose, portfolio, now, limits).await?
        };
        tx.commit().await.map_err(StoreError::from)?;
        self.forget_written();
        let claimed = messages.len();
        if claimed < limit {
            // Nothing else waits. Permits kept from a rest would let a later burst exceed the rate.
            self.permits = claimed;
        }
        for message in messages {
            self.take_up(message, now);
        }
        let recorded = recorded + self.record().await?;
        Ok(Progress { claimed, recorded, wait })
    }

    /// Waits for one call in flight to come back; `false` at once when there is none. May be given
    /// up at any moment: what has come back stays in hand for the next round.
    pub async fn wait_for_call(&mut self) -> bool {
        match self.calls.join_next().await {
            Some(done) => {
                self.finished.extend(done);
                true
            }
            None => false,
        }
    }

    /// Whether calls are in flight.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Lets the calls in flight come back and records them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drain(&mut self) -> Result<usize, ServiceError> {
        loop {
            while self.wait_for_call().await {}
            self.take_back();
            if self.calls.is_empty() {
                return self.record().await;
            }
        }
    }

    /// Ends in good order: what is in flight is recorded, and another process may have the account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(mut self) -> Result<(), ServiceError> {
        // What waits behind a call in flight is given back, not called.
        self.lease = None;
        self.drain().await?;
        if let Some(listening) = self.listening.take() {
            listening.end().await;
        }
        account::release_lease(&self.app.db, &self.account.id, &self.owner).await?;
        Ok(())
    }

    async fn hold_account(&mut self) -> Result<bool, ServiceError> {
        let now = self.app.now();
        if self.lease.is_some_and(|until| now.after(LEASE).before(LEASE_RENEWAL) < until) {
            return Ok(true);
        }
        let until = now.after(LEASE);
        let id = self.account.id.as_str();
        match account::claim_lease(&self.app.db, id, &self.owner, now, until).await? {
            Lease::Held => {
                self.lease = None;
                self.listening = None;
                return Ok(false);
            }
            Lease::Taken => {
                let waits = &self.app.settings.unknown_wait;
                let app = &self.app;
                let ids = || app.ids.next(now);
                let left =
                    settled::release_abandoned(&app.db, id, &self.owner, waits, &ids, now).await?;
                if left > 0 {
                    tracing::warn!(
                        account = id,
                        messages = left,
                        "calls of an ended process have an unknown outcome"
                    );
                }
                self.stop = None;
                self.listening = Some(Listening::start(&self.app, &self.account));
            }
            Lease::Renewed => {}
        }
        self.lease = Some(until);
        self.tidy(now);
        Ok(true)
    }

    /// The clock was set back: what was to last for seconds would last as long as it was set back. Limits begin anew, and
    /// the lease, which lies too far ahead for any other process to believe in, is written again.
    fn forget_the_future(&mut self) {
        let now = self.app.now();
        self.seen.accept(now);
        (self.rate, self.pairs) = limiters(&self.account, &self.clock);
        self.permits = 0;
        self.lease = None;
        self.paused_until = now;
        self.held.clear();
        self.tidied_at = now;
        if let Some(stop) = &mut self.stop {
            stop.retry_at = now;
        }
    }

    /// Forgets recipients whose limit has long recovered.
    fn tidy(&mut self, now: Timestamp) {
        const EVERY: Duration = Duration::from_secs(300);
        if now.since(self.tidied_at) > EVERY {
            self.tidied_at = now;
            self.held.retain(|_, until| *until > now);
            if let Some(pairs) = &self.pairs {
                pairs.retain_recent();
                pairs.shrink_to_fit();
            }
        }
    }

    /// How many messages may be claimed now, how many of them in the lanes behind the replies, and
    /// how long until the rate allows more.
    fn allowed(&mut self, now: Timestamp) -> (usize, usize, Option<Duration>) {
        let mut bulk_limit = usize::MAX;
        if let Some(stop) = &self.stop {
            // One message tries whether the account works again.
            let tries = usize::from(stop.retry_at <= now && self.calls.is_empty());
            match stop.scope {
                StopScope::All => return (tries, tries, None),
                StopScope::Bulk => bulk_limit = tries,
            }
        }
        if self.paused_until > now {
            return (0, 0, Some(self.paused_until.since(now)));
        }
        let waiting: usize = self.busy.values().map(VecDeque::len).sum();
        let free = self.account.in_flight.saturating_sub(self.calls.len() + waiting).min(BATCH);
        let mut wait = None;
        while self.permits < free {
            match self.rate.check() {
                Ok(()) => self.permits += 1,
                Err(until) => {
                    wait = Some(until.wait_time_from(self.clock.now()));
                    break;
                }
            }
        }
        // Some places are the replies' own: a slow provider could else hold all of them with news
        // while somebody waits for an answer.
        let reserved = self.account.in_flight / REPLY_SHARE;
        let limit = self.permits.min(free);
        (limit, limit.min(free.saturating_sub(reserved)).min(bulk_limit), wait)
    }

    fn take_up(&mut self, message: Claimed, now: Timestamp) {
        match message.refusal {
            Some(ClaimRefusal::Withdrawn) => return self.settled.push(send::withdrawn(&message)),
            Some(ClaimRefusal::NotOnChannel) => {
                let fault =
                    Fault::new("suppressed", "the address cannot be reached on this channel");
                return self.settled.push(send::refused(&message, &fault, now));
            }
            None => {}
        }
        let held = self.held.get(&message.recipient_hash).copied();
        let allowed =
            send::allowed_from(&self.app.settings, &message, held.unwrap_or(now).max(now));
        if allowed > now {
            self.settled.push(send::postponed(&message, allowed));
            return;
        }
        if let Some(pairs) = &self.pairs
            && let Err(until) = pairs.check_key(&message.recipient_hash)
        {
            let wait = until.wait_time_from(self.clock.now());
            self.settled.push(send::postponed(&message, now.after(wait)));
            return;
        }
        self.permits = self.permits.saturating_sub(1);
        match self.busy.get_mut(&message.recipient_hash) {
            Some(queue) => queue.push_back(message),
            None => {
                self.call(message, now);
            }
        }
    }

    /// Begins a call; `false` when the message has no form that could leave.
    fn call(&mut self, message: Claimed, now: Timestamp) -> bool {
        let form = match send::choose_form(self.account.channel, &message, now) {
            Ok(form) => form,
            Err(fault) => {
                self.settled.push(send::refused(&message, &fault, now));
                return false;
            }
        };
        self.busy.entry(message.recipient_hash.clone()).or_default();
        let (settings, channel) = (&self.app.settings, self.account.channel);
        let valid_until = send::valid_until(settings, channel, &message, now);
        let outbound = Outbound {
            id: message.id,
            to: message.recipient.clone(),
            form,
            list_button: message.content.list_button.clone(),
            valid_until,
        };
        let (app, account) = (Arc::clone(&self.app), self.account.clone());
        let handles = Arc::clone(&self.handles);
        let id = self.app.ids.next(now);
        self.calls.spawn(async move {
            let started_at = app.now();
            let result = file::send(&app, &account, &handles, outbound).await;
            let call = Call { id, started_at, finished_at: app.now() };
            Finished { message, call, result }
        });
        true
    }

    /// Begins the next call to somebody whose last one came back. When nothing may leave any more,
    /// what waits behind it is given back.
    fn call_next(&mut self, recipient_hash: &str, now: Timestamp) {
        let may_leave = self.paused_until <= now && self.lease.is_some();
        let Some(mut queue) = self.busy.remove(recipient_hash) else { return };
        let held = self.held.get(recipient_hash).copied().unwrap_or(now).max(now);
        while let Some(message) = queue.pop_front() {
            if !may_leave || self.is_stopped_for(message.class) || held > now {
                self.settled.push(send::postponed(&message, held));
            } else if self.call(message, now) {
                self.busy.insert(recipient_hash.to_owned(), queue);
                return;
            }
        }
    }

    fn is_stopped_for(&self, class: MessageClass) -> bool {
        self.stop.as_ref().is_some_and(|stop| match stop.scope {
            StopScope::All => true,
            StopScope::Bulk => class != MessageClass::Reply,
        })
    }

    /// Draws the consequences of what has come back, in memory; [`Self::record`] writes them.
    fn take_back(&mut self) {
        for done in std::mem::take(&mut self.finished) {
            self.take_back_one(&done);
        }
    }

    fn take_back_one(&mut self, done: &Finished) {
        self.app.metrics.call(&self.account.id, &done.message, &done.call, &done.result);
        let way = (self.account.channel, self.account.adapter.offer().has_receipts);
        let settings = &self.app.settings;
        let settled = send::settle(settings, way, &done.message, done.call, &done.result);
        let now = self.app.now();
        match &done.result {
            Err(SendError::Misconfigured(fault)) => self.stop_account(fault, StopScope::All, now),
            Err(SendError::Restricted(fault)) => self.stop_account(fault, StopScope::Bulk, now),
            Err(SendError::Retry { scope: Scope::Recipient, .. }) => {
                // Whatever else waits for this person would be refused as well, and overtake.
                let until = settled.next_at.unwrap_or(now);
                self.held.insert(done.message.recipient_hash.clone(), until);
            }
            Err(SendError::Retry { scope: Scope::Account, after, fault }) => {
                let grown =
                    FIRST_PAUSE.saturating_mul(1 << self.pauses.clamp(0, 6)).min(LONGEST_PAUSE);
                let until = now.after(after.unwrap_or(grown));
                // Calls that were on their way when the pause began say nothing new.
                let is_news = after.is_some() || done.call.started_at >= self.paused_at;
                if until > self.paused_until && is_news {
                    self.paused_until = until;
                    self.paused_at = now;
                    self.pauses += 1;
                    tracing::warn!(account = %self.account.id, code = %fault.code, "account pauses: {}", fault.detail);
                }
            }
            Ok(_) => {
                self.pauses = 0;
                // An answer that goes through says nothing of the lanes behind the answers.
                if self.is_stopped_for(done.message.class) {
                    self.stop = None;
                    self.stops = 0;
                    self.is_stop_news = true;
                    tracing::info!(account = %self.account.id, "account works again");
                }
            }
            Err(_) => {}
        }
        if let Err(error) = &done.result
            && let Some(lesson) = error.fault().lesson
        {
            self.taught.push(Taught {
                lesson,
                channel: self.account.channel,
                address_hash: done.message.recipient_hash.clone(),
                address: done.message.recipient.clone(),
                code: error.fault().code.clone(),
            });
        }
        if let Err(error) = &done.result
            && let Some(alarm) = error.fault().alarm
            && done.message.class == MessageClass::Broadcast
        {
            self.alarms.push((done.message.id, alarm, error.fault().code.clone()));
        }
        self.settled.push(settled);
        self.call_next(&done.message.recipient_hash, now);
    }

    fn stop_account(&mut self, fault: &Fault, scope: StopScope, now: Timestamp) {
        let is_new = self.stop.as_ref().is_none_or(|stop| {
            stop.retry_at <= now || (stop.scope == StopScope::Bulk && scope == StopScope::All)
        });
        if is_new {
            let wait = FIRST_STOP.saturating_mul(1 << self.stops.min(4)).min(LONGEST_STOP);
            self.stops += 1;
            let stop = Stop {
                at: self.stop.as_ref().map_or(now, |stop| stop.at),
                code: fault.code.clone(),
                reason: fault.detail.clone(),
                scope,
                retry_at: now.after(wait),
            };
            tracing::error!(account = %self.account.id, code = %fault.code, "account stopped: {}", fault.detail);
            self.stop = Some(stop);
            self.is_stop_news = true;
        }
    }

    fn has_news(&self) -> bool {
        !self.settled.is_empty() || self.is_stop_news
    }

    /// Writes what came of calls, if anything did.
    async fn record(&mut self) -> Result<usize, ServiceError> {
        if !self.has_news() {
            return Ok(0);
        }
        let mut tx = self.app.db.begin().await?;
        let count = self.write(&mut tx).await?;
        tx.commit().await.map_err(StoreError::from)?;
        self.forget_written();
        Ok(count)
    }

    /// The same in a transaction of the caller, who says when it is committed.
    async fn write(&mut self, tx: &mut Tx) -> Result<usize, ServiceError> {
        let (app, now) = (&self.app, self.app.now());
        if self.is_stop_news {
            account::set_stop(tx, &self.account.id, self.stop.as_ref()).await?;
        }
        // The broadcast before its messages, as whoever withdraws one does.
        for (message, alarm, code) in &self.alarms {
            broadcast::raise(app, tx, *message, *alarm, code, now).await?;
        }
        let whose = (self.account.id.as_str(), self.owner.as_str());
        settled::mark_settled(tx, &app.db, whose, &self.settled, now).await?;
        for taught in &self.taught {
            lesson::learn(app, tx, taught, now).await?;
        }
        Ok(self.settled.len())
    }

    /// What is committed need not be written again.
    fn forget_written(&mut self) {
        self.is_stop_news = false;
        self.settled.clear();
        self.taught.clear();
        self.alarms.clear();
    }
}
