//! Watches a source: one reading from the position where the last one ended, and the position moved
//! only when everything before it is recorded.
//!
//! A reading that breaks off is begun again from the same place; what was recorded of it is known
//! by then and changes nothing. Never writes to a source.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveTime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::intake::{Intake, Plan, Tally};
use super::{App, ServiceError, folder, notice};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::source::{Reading, Record, Source, SourceError};
use crate::store::notice::{NoticeKind, close_notice, close_unwatched};
use crate::store::source::{self, SourceState};
use crate::store::{StoreError, Tx, rejection};

/// Records compared together.
pub(super) const BATCH: usize = 1000;
/// How long a source is ours unless we say so again: so long it rests when its process dies.
const LEASE: Duration = Duration::from_secs(8);
/// How often we say so.
const RENEW: Duration = Duration::from_secs(2);
/// A source that hands over nothing for so long is not waited for any more.
const PATIENCE: Duration = Duration::from_secs(300);
/// A source may fail for so long before somebody is troubled: it may only be starting anew.
const SHORT_OUTAGE: Duration = Duration::from_secs(15 * 60);

/// A source of the office that is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    /// As in the configuration.
    pub id: String,
    /// Whose citizens are in it.
    pub area: AreaCode,
    /// How often it is looked at.
    pub every: Duration,
    /// When in the night all of it is read, by the office's clock; none for never.
    pub scan_at: Option<NaiveTime>,
    /// So many changes to one status at once are still news without asking the office.
    pub hold_over: u64,
    /// What is read.
    pub source: Arc<dyn Source>,
}

/// What one step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another process watches it.
    NotOurs,
    /// It was read to its end.
    Read(Tally),
    /// It could not be read.
    Failed(SourceError),
}

/// Reads a source once, if no other process watches it.
///
/// # Errors
/// When our own database fails; the source is then read again from the same place.
pub async fn step(app: &App, watched: &Watched, owner: &str) -> Result<Step, ServiceError> {
    let result = step_once(app, watched, owner).await;
    if let Err(error) = &result {
        // Perhaps one record that cannot be written: somebody must hear of it if it goes on.
        let what = format!("what it says cannot be recorded: {error}; see the log");
        let state = source::find_state(&app.db, &watched.id).await?;
        fail(app, watched, owner, state, &SourceError::Unreachable(what)).await?;
    }
    result
}

async fn step_once(app: &App, watched: &Watched, owner: &str) -> Result<Step, ServiceError> {
    let now = app.now();
    if !source::claim_lease(&app.db, &watched.id, owner, now, now.after(LEASE)).await? {
        return Ok(Step::NotOurs);
    }
    let state = source::find_state(&app.db, &watched.id).await?;
    let is_first = state.first_read_at.is_none();
    if let Some(files) = watched.source.as_folder() {
        // Apart, so that whoever watches a database carries no folder about.
        let taking = Box::pin(folder::read(app, watched, files, owner, is_first));
        return match taking.await? {
            Ok((reading, tally)) => {
                finish(app, watched, owner, state, (&reading, tally), (true, now)).await
            }
            Err(error) => fail(app, watched, owner, state, &error).await,
        };
    }
    let is_full = is_first
        || state.position.is_none()
        || watched.scan_at.is_some_and(|at| is_scan_due(app, state.scanned_at, at, now));
    let hold_over = watched.hold_over;
    let parts = state.parts.clone();
    let plan = Plan { source: &watched.id, hold_over, is_first, is_full, parts: &parts };
    let mut intake = Intake::begin(app, plan).await?;
    let from = state.position.clone().filter(|_| !is_full);
    let result = read(app, watched, from, owner, &mut intake).await?;
    let tally = intake.end().await?;
    match result {
        Ok(reading) => finish(app, watched, owner, state, (&reading, tally), (is_full, now)).await,
        Err(error) => fail(app, watched, owner, state, &error).await,
    }
}

/// Closes what is said of sources that the configuration no longer has.
///
/// # Errors
/// When the database fails.
pub async fn forget_unwatched(app: &App) -> Result<(), ServiceError> {
    let ids: Vec<&str> = app.sources.iter().map(|watched| watched.id.as_str()).collect();
    let mut tx = app.db.begin().await?;
    close_unwatched(&mut tx, &ids, app.now()).await?;
    Ok(tx.commit().await.map_err(StoreError::from)?)
}

/// Gives a source back, so that another process need not wait for our lease to end.
///
/// # Errors
/// When the database fails.
pub async fn release(app: &App, watched: &Watched, owner: &str) -> Result<(), ServiceError> {
    Ok(source::release_lease(&app.db, &watched.id, owner).await?)
}

/// Whether a night's reading of everything has come due since the last one.
fn is_scan_due(app: &App, last: Option<Timestamp>, at: NaiveTime, now: Timestamp) -> bool {
    let local = now.in_zone(app.zone(None).offset());
    let today = local.date_naive().and_time(at);
    let latest = if local.naive_local() >= today { today } else { today - chrono::Days::new(1) };
    let latest = latest.and_local_timezone(app.zone(None).offset()).single().map(Timestamp::from);
    last.is_none_or(|last| latest.is_some_and(|latest| last < latest))
}

async fn read(
    app: &App,
    watched: &Watched,
    from: Option<String>,
    owner: &str,
    intake: &mut Intake<'_>,
) -> Result<Result<Reading, SourceError>, ServiceError> {
    let (give, mut take) = mpsc::channel(BATCH);
    let from_source = Arc::clone(&watched.source);
    // Ends with us, also when we are cancelled.
    let mut reading = JoinSet::new();
    reading.spawn(async move { from_source.read(from.as_deref(), give).await });
    if let Some(error) = take_in(app, watched, owner, intake, &mut take).await? {
        return Ok(Err(error));
    }
    Ok(match reading.join_next().await {
        Some(Ok(result)) => result,
        // A reader that panicked has read nothing we could rely on.
        _ => Err(SourceError::Unreachable("reading broke off".to_owned())),
    })
}

/// Takes what is handed over until it ends; an error when that is not to be waited for.
pub(super) async fn take_in(
    app: &App,
    watched: &Watched,
    owner: &str,
    intake: &mut Intake<'_>,
    take: &mut mpsc::Receiver<Record>,
) -> Result<Option<SourceError>, ServiceError> {
    let mut renewed_at = app.now();
    let mut waited = Duration::ZERO;
    loop {
        let mut batch = Vec::new();
        match tokio::time::timeout(RENEW, take.recv_many(&mut batch, BATCH)).await {
            Ok(0) => return Ok(None),
            Ok(_) => {
                waited = Duration::ZERO;
                intake.add(batch).await?;
            }
            Err(_) => waited += RENEW,
        }
        if waited >= PATIENCE {
            let what = format!("nothing came for {} s", PATIENCE.as_secs());
            return Ok(Some(SourceError::Unreachable(what)));
        }
        if waited > Duration::ZERO || app.now().since(renewed_at) >= RENEW {
            renewed_at = app.now();
            if let Some(error) = renew(app, watched, owner).await? {
                return Ok(Some(error));
            }
        }
    }
}

/// Waits for something that takes its time, and keeps the source ours meanwhile.
pub(super) async fn while_ours<T>(
    app: &App,
    watched: &Watched,
    owner: &str,
    job: impl Future<Output = Result<T, SourceError>>,
) -> Result<Result<T, SourceError>, ServiceError> {
    let mut job = std::pin::pin!(job);
    loop {
        match tokio::time::timeout(RENEW, &mut job).await {
            Ok(done) => return Ok(done),
            Err(_) => {
                if let Some(error) = renew(app, watched, owner).await? {
                    return Ok(Err(error));
                }
            }
        }
    }
}

/// Says again that a source is ours; an error when it is no longer.
pub(super) async fn renew(
    app: &App,
    watched: &Watched,
    owner: &str,
) -> Result<Option<SourceError>, ServiceError> {
    let now = app.now();
    let is_ours = source::claim_lease(&app.db, &watched.id, owner, now, now.after(LEASE)).await?;
    Ok((!is_ours)
        .then(|| SourceError::Unreachable("another process took over in the middle".to_owned())))
}

async fn finish(
    app: &App,
    watched: &Watched,
    owner: &str,
    mut state: SourceState,
    (reading, tally): (&Reading, Tally),
    (is_full, began_at): (bool, Timestamp),
) -> Result<Step, ServiceError> {
    let id = watched.id.as_str();
    let now = app.now();
    let is_first = state.first_read_at.is_none();
    state.position = reading.position.clone().or(state.position);
    if !reading.is_partial {
        state.first_read_at.get_or_insert(now);
    }
    state.read_at = Some(began_at);
    if is_full {
        state.scanned_at = Some(began_at);
        state.parts.clone_from(&reading.parts);
    } else if !reading.parts.is_subset(&state.parts) {
        // A part joined, of which only what changed lately was read: next time all of it, in silence.
        state.position = None;
    }
    state.failed_at = reading.trouble.as_ref().map(|_| state.failed_at.unwrap_or(now));
    state.failure = reading.trouble.as_ref().map(ToString::to_string);
    let new = tally.changed + tally.rejected;
    if new > 0 {
        if !is_first {
            state.rhythm.note_change(state.changed_at, now);
        }
        state.changed_at = Some(now);
    }
    let is_unusual = state.rhythm.note_items(new, tally.rejected);
    let silence = state.changed_at.map(|at| now.since(at)).unwrap_or_default();
    let is_silent = state.rhythm.longest_silence().is_some_and(|longest| silence > longest);
    let mut tx = app.db.begin().await?;
    if !source::write_state(&mut tx, (id, owner), &state, now).await? {
        return Ok(Step::NotOurs);
    }
    match &reading.trouble {
        Some(error) => raise_failing(app, &mut tx, id, error, now).await?,
        None => close_notice(&mut tx, NoticeKind::SourceFailing, id, now).await?,
    }
    if is_silent {
        let days = silence.as_secs() / 86_400;
        let detail = format!("nothing has changed in it for {days} days, longer than usual");
        notice::raise(app, &mut tx, NoticeKind::SourceSilent, id, &detail, now).await?;
    } else {
        close_notice(&mut tx, NoticeKind::SourceSilent, id, now).await?;
    }
    match is_unusual {
        Some(true) => {
            let detail = "more of it is rejected than usual; /v1/rejections says why";
            notice::raise(app, &mut tx, NoticeKind::SourceRejects, id, detail, now).await?;
        }
        Some(false) => close_notice(&mut tx, NoticeKind::SourceRejects, id, now).await?,
        None if (is_full || new > 0) && !rejection::has_open(&mut tx, id).await? => {
            close_notice(&mut tx, NoticeKind::SourceRejects, id, now).await?;
        }
        None => {}
    }
    tx.commit().await.map_err(StoreError::from)?;
    if is_first || tally.held > 0 {
        tracing::info!(source = id, ?tally, skipped = ?reading.skipped, "read");
    }
    Ok(Step::Read(tally))
}

async fn fail(
    app: &App,
    watched: &Watched,
    owner: &str,
    mut state: SourceState,
    error: &SourceError,
) -> Result<Step, ServiceError> {
    let (id, now) = (watched.id.as_str(), app.now());
    let since = *state.failed_at.get_or_insert(now);
    state.failure = Some(error.to_string());
    let mut tx = app.db.begin().await?;
    if !source::write_state(&mut tx, (id, owner), &state, now).await? {
        return Ok(Step::NotOurs);
    }
    let is_lasting = matches!(error, SourceError::Misconfigured { .. });
    if is_lasting || now.since(since) >= SHORT_OUTAGE {
        raise_failing(app, &mut tx, id, error, now).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    tracing::debug!(source = id, "not read: {error}");
    Ok(Step::Failed(error.clone()))
}

async fn raise_failing(
    app: &App,
    tx: &mut Tx,
    id: &str,
    error: &SourceError,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let detail = format!("it cannot be read: {error}; {}", error.hint());
    notice::raise(app, tx, NoticeKind::SourceFailing, id, &detail, now).await
}
