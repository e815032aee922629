//! Counts beside whoever asks: a page says how far it is, and what was counted a moment ago is not counted again.
//!
//! Everybody's number and age are sealed, so that a million people take their time whatever the database does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::preview::{Preview, count};
use super::{BroadcastError, attach, find};
use crate::domain::clock::Timestamp;
use crate::domain::id::BroadcastId;
use crate::domain::officer::{Actor, Right};
use crate::service::App;
use crate::store::broadcast::Broadcast;

/// How long a count is good for: people move, stop and come of age meanwhile, and are asked again when it leaves.
const GOOD_FOR: Duration = Duration::from_secs(5 * 60);
/// Fewer people are counted anew where something is decided by their number: it takes no time.
const FEW: u64 = 10_000;
/// Counts that are kept at once.
const MOST: usize = 50;

/// What was counted lately, and what is being counted.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<BroadcastId, Counting>>);

#[derive(Clone, Debug)]
struct Counting {
    /// The broadcast as it was last changed then.
    of: Timestamp,
    begun_at: Timestamp,
    seen: Arc<AtomicU64>,
    /// None while it is being counted.
    result: watch::Receiver<Option<Result<Preview, Uncounted>>>,
}

/// The database failed; the log says how.
#[derive(Clone, Copy, Debug)]
struct Uncounted;

/// How far a count is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Over.
    Done(Box<Preview>),
    /// So many people so far.
    SoFar(u64),
}

/// The same as [`super::preview()`], but not longer than so long: then how far it is. It goes on without the asker.
///
/// # Errors
/// [`BroadcastError::NotFound`], or when the database fails.
pub async fn counted(
    app: &Arc<App>,
    actor: &Actor,
    id: BroadcastId,
    patience: Duration,
) -> Result<Counted, BroadcastError> {
    let broadcast = find(app, actor, Right::SeeBroadcasts, id).await?;
    let counting = match app.counts.find(app, &broadcast) {
        Some(known) => known,
        None => app.counts.begin(app, broadcast.clone()),
    };
    let mut result = counting.result.clone();
    let done = tokio::time::timeout(patience, result.wait_for(Option::is_some)).await;
    let done = done.ok().and_then(Result::ok).and_then(|found| (*found).clone());
    match done {
        None if counting.result.has_changed().is_ok() => {
            Ok(Counted::SoFar(counting.seen.load(Ordering::Relaxed)))
        }
        Some(Ok(mut preview)) => {
            // The provider may have said another word about the template since.
            preview.file = attach::refusal(app, &broadcast).await?;
            Ok(Counted::Done(Box::new(preview)))
        }
        // It failed, or its task is gone: whoever asks hears why.
        None | Some(Err(Uncounted)) => Ok(Counted::Done(Box::new(fresh(app, &broadcast).await?))),
    }
}

/// What was counted lately of a broadcast to very many; what is counted now of all others.
pub(super) async fn fresh(app: &App, broadcast: &Broadcast) -> Result<Preview, BroadcastError> {
    let known = app.counts.find(app, broadcast).and_then(|known| known.result.borrow().clone());
    if let Some(Ok(mut preview)) = known
        && preview.people >= FEW
    {
        preview.file = attach::refusal(app, broadcast).await?;
        return Ok(preview);
    }
    Ok(count(app, broadcast, &AtomicU64::new(0)).await?)
}

impl Counts {
    fn find(&self, app: &App, broadcast: &Broadcast) -> Option<Counting> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |one: &&Counting| {
            let is_counting = one.result.borrow().is_none() && one.result.has_changed().is_ok();
            one.of == broadcast.updated_at
                && (is_counting || app.now().since(one.begun_at) < GOOD_FOR)
        };
        kept.get(&broadcast.id).filter(is_good).cloned()
    }

    fn begin(&self, app: &Arc<App>, broadcast: Broadcast) -> Counting {
        let (sender, result) = watch::channel(None);
        let seen = Arc::new(AtomicU64::new(0));
        let counting = Counting {
            of: broadcast.updated_at,
            begun_at: app.now(),
            seen: Arc::clone(&seen),
            result,
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, one| one.result.borrow().is_none());
        }
        kept.insert(broadcast.id, counting.clone());
        let app = Arc::clone(app);
        tokio::spawn(async move {
            let counted = count(&app, &broadcast, &seen).await;
            if let Err(error) = &counted {
                tracing::error!(broadcast = %broadcast.id, "recipients cannot be counted: {error}");
            }
            // Nobody may be waiting any more.
            let _ = sender.send(Some(counted.map_err(|_| Uncounted)));
        });
        counting
    }
}
