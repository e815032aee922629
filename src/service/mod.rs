//! What the office does, one file per thing: record cards, announce, answer, send, settle.
//!
//! Services bring rules and rows together: pure floors decide, the store writes, and whatever
//! belongs together is one transaction. No provider is called while one is open.

pub mod announce;
pub mod appointment;
pub mod blanko;
pub mod broadcast;
pub mod by;
pub mod card;
pub mod collection;
pub mod connect;
pub mod consent;
pub mod conversation;
pub mod custody;
pub mod fallback;
mod file;
pub mod find_card;
mod folder;
pub mod hold;
pub mod home_visit;
pub mod inbox;
pub mod intake;
pub mod knowledge;
pub mod lesson;
pub mod look;
pub mod mend;
pub mod metric;
pub mod needed;
pub mod notice;
pub mod officer;
pub mod officer_chat;
pub mod outage;
pub mod outbox;
pub mod own_answer;
pub mod point;
pub mod point_staff;
pub mod question;
pub mod receipt;
pub mod report;
pub mod round;
pub mod route;
pub mod send;
pub mod sender;
pub mod source_trouble;
pub mod stop;
pub mod survey;
pub mod sweep;
pub mod talk;
pub mod teach;
pub mod ticket;
pub mod token;
mod visiting;
pub mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, watch as signal};

use crate::channel::Channel;
use crate::dialogue::Script;
use crate::domain::area::{AreaCode, Zone};
use crate::domain::blanko::BlankoPolicy;
use crate::domain::card_plan::AnnouncePolicy;
use crate::domain::clock::{Clock, LastSeen, Timestamp};
use crate::domain::collection::Ladder;
use crate::domain::id::IdSource;
use crate::domain::message::{ChannelKind, UnknownWait};
use crate::domain::quiet_hours::QuietHours;
use crate::store::group::Group;
use crate::store::inbox::{self as inbox_store, NewEvent};
use crate::store::{Db, StoreError};
pub use crate::template::BroadcastTemplate as BroadcastWords;
use crate::template::Templates;
use knowledge::{Knowledge, Primer};
use metric::Metrics;

/// What the office decided.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name, as citizens read it.
    pub office_name: String,
    /// Its area.
    pub office_area: AreaCode,
    /// When nobody is announced anything.
    pub quiet_hours: QuietHours,
    /// What is announced.
    pub policy: AnnouncePolicy,
    /// Channels in the order of preference.
    pub channels: Vec<ChannelKind>,
    /// How long a message waits for a word of its arrival before the next channel is tried, quiet
    /// hours not counted.
    pub fallback_after: FallbackAfter,
    /// How long unclear outcomes wait for a receipt.
    pub unknown_wait: UnknownWait,
    /// Calls made for one message before it counts as failed.
    pub max_attempts: i64,
    /// A talk with an officer that nobody touched for so long is over.
    pub ticket_close_after: Duration,
    /// Officers who see people's data need a second factor.
    pub needs_second_factor: bool,
    /// How broadcasts go.
    pub broadcast: BroadcastPolicy,
    /// How cards are brought home.
    pub round: RoundPolicy,
    /// When holders are reminded of a card that waits to be collected.
    pub ladder: Ladder,
    /// How blank cards are counted, and whose go first.
    pub blanko: BlankoPolicy,
    /// How visits without queueing go.
    pub appointment: appointment::AppointmentPolicy,
}

/// What the office decided about bringing cards home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundPolicy {
    /// When the code of the day is told, in the recipient's zone.
    pub code_at: chrono::NaiveTime,
    /// The old card, or a letter of the police, is demanded at the door.
    pub is_old_card_demanded: bool,
}

impl Default for RoundPolicy {
    fn default() -> Self {
        Self {
            code_at: chrono::NaiveTime::MIN + chrono::TimeDelta::hours(7),
            is_old_card_demanded: false,
        }
    }
}

/// What the office decided about broadcasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BroadcastPolicy {
    /// Recipients that an officer of a desa reaches without a second person's word.
    pub approve_over: u64,
    /// How long a broadcast waits for words of its arrival before `sent` is the last word.
    pub receipts_within: Duration,
}

impl Default for BroadcastPolicy {
    fn default() -> Self {
        Self { approve_over: 200, receipts_within: Duration::from_secs(24 * 3600) }
    }
}

/// How long a message waits for a word of its arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallbackAfter {
    /// On every channel that has no time of its own.
    pub any: Duration,
    /// On these.
    pub own: BTreeMap<ChannelKind, Duration>,
}

impl FallbackAfter {
    /// The same on every channel.
    #[must_use]
    pub const fn all(any: Duration) -> Self {
        Self { any, own: BTreeMap::new() }
    }

    /// The time of a channel.
    #[must_use]
    pub fn on(&self, channel: ChannelKind) -> Duration {
        self.own.get(&channel).copied().unwrap_or(self.any)
    }
}

/// Messages that may leave in a time, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many.
    pub messages: NonZeroU32,
    /// In so long.
    pub per: Duration,
}

impl Rate {
    /// So many a second, at least one.
    #[must_use]
    pub fn per_second(messages: u32) -> Self {
        Self::new(messages, Duration::from_secs(1))
    }

    /// So many an hour, at least one.
    #[must_use]
    pub fn per_hour(messages: u32) -> Self {
        Self::new(messages, Duration::from_secs(3600))
    }

    fn new(messages: u32, per: Duration) -> Self {
        Self { messages: NonZeroU32::new(messages).unwrap_or(NonZeroU32::MIN), per }
    }
}

/// One of the office's accounts at a provider.
#[derive(Clone, Debug)]
pub struct Account {
    /// As in the configuration.
    pub id: String,
    /// Which channel.
    pub channel: ChannelKind,
    /// Whose citizens it serves.
    pub area: Option<AreaCode>,
    /// The scope in which user ids of the provider name people.
    pub portfolio: String,
    /// The provider's id of the account, by which its events name it.
    pub provider_id: String,
    /// How fast it may send.
    pub rate: Rate,
    /// Requests in flight, at most.
    pub in_flight: usize,
    /// Price of one SMS segment.
    pub rupiah_per_segment: Option<u32>,
    /// Price of one message of a broadcast on a channel without segments.
    pub rupiah_per_message: Option<u32>,
    /// Recipients of broadcasts within a day.
    pub daily_limit: Option<u32>,
    /// Its adapter.
    pub adapter: Arc<dyn Channel>,
}

/// Wakes the workers of this process; other processes poll. A worker that is busy when it is woken
/// sees it when it looks next.
#[derive(Debug)]
pub struct Signals {
    inbox: signal::Sender<u64>,
    outbox: signal::Sender<u64>,
    broadcasts: signal::Sender<u64>,
    officers: signal::Sender<u64>,
}

impl Default for Signals {
    fn default() -> Self {
        let new = || signal::Sender::new(0);
        Self { inbox: new(), outbox: new(), broadcasts: new(), officers: new() }
    }
}

impl Signals {
    /// Something waits in the inbox.
    pub fn wake_inbox(&self) {
        self.inbox.send_modify(|count| *count += 1);
    }

    /// Something waits in the outbox.
    pub fn wake_outbox(&self) {
        self.outbox.send_modify(|count| *count += 1);
    }

    /// A broadcast begins or goes on.
    pub fn wake_broadcasts(&self) {
        self.broadcasts.send_modify(|count| *count += 1);
    }

    /// Hears of broadcasts that begin or go on.
    #[must_use]
    pub fn broadcasts(&self) -> signal::Receiver<u64> {
        self.broadcasts.subscribe()
    }

    /// An officer's command waits.
    pub fn wake_officers(&self) {
        self.officers.send_modify(|count| *count += 1);
    }

    /// Hears of officers' commands.
    #[must_use]
    pub fn officers(&self) -> signal::Receiver<u64> {
        self.officers.subscribe()
    }

    /// Hears of what waits in the inbox.
    #[must_use]
    pub fn inbox(&self) -> signal::Receiver<u64> {
        self.inbox.subscribe()
    }

    /// Hears of what waits in the outbox.
    #[must_use]
    pub fn outbox(&self) -> signal::Receiver<u64> {
        self.outbox.subscribe()
    }
}

/// Everything a service needs; made once, handed to all.
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for new rows.
    pub ids: IdSource,
    /// The office's decisions.
    pub settings: Settings,
    /// The office's accounts.
    pub accounts: Vec<Account>,
    /// What is watched.
    pub sources: Vec<watch::Watched>,
    /// Announcements and words.
    pub templates: Templates,
    /// Conversation and answers, as the files have them.
    files: Arc<Script>,
    /// The same under the office's own words.
    script: RwLock<Arc<Script>>,
    /// What citizens mean, with what the office taught.
    pub knowledge: Knowledge,
    /// Stores events in groups.
    pub events: Group<NewEvent>,
    /// Wakes the workers.
    pub signals: Signals,
    /// What broadcasts would come to, as counted lately.
    pub counts: broadcast::Counts,
    /// Counts for operators.
    pub metrics: Metrics,
    last_write: Mutex<Option<Timestamp>>,
    seen: RwLock<LastSeen>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The office's decisions.
    pub settings: Settings,
    /// The office's accounts.
    pub accounts: Vec<Account>,
    /// What is watched.
    pub sources: Vec<watch::Watched>,
    /// Announcements and words.
    pub templates: Templates,
    /// Conversation and answers.
    pub script: Script,
    /// The script's examples, for finding out what citizens mean.
    pub primer: Arc<Primer>,
}

impl App {
    /// Puts the parts together. Must be called within a runtime: the
    /// task that commits events in groups starts here.
    #[must_use]
    pub fn new(parts: Parts, clock: Arc<dyn Clock>) -> Self {
        let (db, at) = (parts.db.clone(), Arc::clone(&clock));
        let seen = RwLock::new(LastSeen::at(clock.now()));
        let events = Group::start(1000, 10_000, move |events: Vec<NewEvent>| {
            let (db, now) = (db.clone(), at.now());
            async move {
                let mut tx = db.begin().await?;
                inbox_store::insert_events(&mut tx, &db, &events, now).await?;
                Ok(tx.commit().await?)
            }
        });
        let files = Arc::new(parts.script);
        Self {
            db: parts.db,
            clock,
            ids: IdSource::default(),
            settings: parts.settings,
            accounts: parts.accounts,
            sources: parts.sources,
            templates: parts.templates,
            script: RwLock::new(Arc::clone(&files)),
            files,
            knowledge: Knowledge::new(parts.primer),
            events,
            signals: Signals::default(),
            counts: broadcast::Counts::default(),
            metrics: Metrics::default(),
            last_write: Mutex::new(None),
            seen,
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// If the clock was set back: what it shows, and what it had shown. The same again until it is accepted.
    fn was_set_back(&self) -> Option<(Timestamp, Timestamp)> {
        let now = self.now();
        let before = self.seen.write().unwrap_or_else(PoisonError::into_inner).look(now)?;
        Some((now, before))
    }

    /// What followed from the clock being set back to that moment is done.
    fn accept_time(&self, now: Timestamp) {
        self.seen.write().unwrap_or_else(PoisonError::into_inner).accept(now);
    }

    /// Conversation and answers, with what the office says in its own words.
    #[must_use]
    pub fn script(&self) -> Arc<Script> {
        Arc::clone(&self.script.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the database takes a write. Asked often, it writes once in a while only.
    ///
    /// # Errors
    /// When it does not.
    pub async fn try_write(&self) -> Result<(), StoreError> {
        const EVERY: Duration = Duration::from_secs(2);
        let now = self.now();
        let mut last = self.last_write.lock().await;
        if last.is_none_or(|at| now.since(at) >= EVERY || at > now) {
            *last = None;
            self.db.try_write(now.as_ms()).await?;
            *last = Some(now);
        }
        Ok(())
    }

    /// The zone of somebody in that area; the office's own where it is not known.
    #[must_use]
    pub fn zone(&self, area: Option<&AreaCode>) -> Zone {
        area.unwrap_or(&self.settings.office_area).zone()
    }

    /// The account that serves an area on a channel: the one with the longest fitting prefix,
    /// else one that names no area; of equals the first.
    #[must_use]
    pub fn account_for(&self, channel: ChannelKind, area: Option<&AreaCode>) -> Option<&Account> {
        let area = area.unwrap_or(&self.settings.office_area);
        self.accounts
            .iter()
            .filter(|account| account.channel == channel)
            .filter(|account| account.area.as_ref().is_none_or(|of| area.is_within(of)))
            // Of several that fit equally well the first: `max_by_key` would take the last.
            .rev()
            .max_by_key(|account| account.area.as_ref().map_or(0, |of| of.plain().len()))
    }

    /// The account with that id.
    #[must_use]
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }
}

/// Why a service could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A text could not be made; a fault of a template that its check did not see.
    #[error("a text could not be made: {0}")]
    Text(String),
}
