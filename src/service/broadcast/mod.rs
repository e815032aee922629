//! Broadcasts of sosialisasi: written, approved by a second person, sent piece by piece, stopped when something
//! is wrong, and told of afterwards.
//!
//! Every function asks who does it: the right, and that the whole audience lies in their area. What changes
//! something writes its line of the audit log in the same transaction. Nothing here waits for a provider.

mod act;
mod attach;
mod day;
mod expand;
mod letter;
mod list;
mod preview;
mod reach;
mod report;
mod tally;
mod view;
mod write;

pub use act::{approve, cancel, pause, reject, resume, retry, send, submit, test, test_in_chat};
pub use attach::{attach, detach, file};
pub use expand::{EVERY, raise, step};
pub use letter::{Look, carries_file, looks, next_dates, schedule_words};
pub use list::{List, ListError, read_list, read_uploaded};
pub use preview::{Preview, Way, preview};
pub use report::{Failure, FailureCount, RunReport, failures, report};
pub use tally::{Counted, Counts, counted};
pub use view::{view, view_preview, view_run};
pub use write::{Draft, MOST_ENTRIES, Taken, change, create, list, set_known_list, set_list, show};

use super::{App, ServiceError};
use crate::domain::audit::Action;
use crate::domain::broadcast::{BroadcastState, Move};
use crate::domain::clock::Timestamp;
use crate::domain::id::BroadcastId;
use crate::domain::officer::{Actor, Right};
use crate::store::broadcast::{self as rows, Broadcast};
use crate::store::{StoreError, Tx, audit};

/// Why something cannot be done with a broadcast.
#[derive(Debug, thiserror::Error)]
pub enum BroadcastError {
    /// There is none of that id that they may see.
    #[error("there is no such broadcast")]
    NotFound,
    /// They lack the right.
    #[error("your role does not let you do this")]
    Forbidden,
    /// It would reach people beyond their area.
    #[error("this reaches people outside your area")]
    OutsideArea,
    /// Whoever wrote it cannot approve it.
    #[error("whoever wrote a broadcast cannot approve it; a second person must")]
    Maker,
    /// It is not the moment for that.
    #[error("a broadcast that is {state} takes no {happens}")]
    State {
        /// Where it is.
        state: BroadcastState,
        /// What was asked for.
        happens: Move,
    },
    /// It is not what they saw any more.
    #[error("somebody changed this broadcast meanwhile; look at it again")]
    Changed,
    /// A part of it cannot be used.
    #[error("{what}; {hint}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Nobody would get it.
    #[error("nobody would get this broadcast; look at the preview for the reasons")]
    Empty,
    /// The one to test it with cannot be reached so.
    #[error("this number cannot be reached on that channel, or asked not to be")]
    NoWay,
    /// Nothing of the last run can be tried again.
    #[error("the last run has no failures that can be tried again")]
    NoFailures,
    /// Something below.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for BroadcastError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// A broadcast as somebody saw it who now decides about it.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Which.
    pub id: BroadcastId,
    /// When it had been changed last; none for whoever decides about it as it is.
    pub changed_at: Option<Timestamp>,
}

impl From<BroadcastId> for Seen {
    fn from(id: BroadcastId) -> Self {
        Self { id, changed_at: None }
    }
}

impl Seen {
    fn same(&self, broadcast: &Broadcast) -> Result<(), BroadcastError> {
        match self.changed_at {
            Some(at) if at != broadcast.updated_at => Err(BroadcastError::Changed),
            _ => Ok(()),
        }
    }
}

fn invalid(what: impl Into<String>, hint: impl Into<String>) -> BroadcastError {
    BroadcastError::Invalid { what: what.into(), hint: hint.into() }
}

fn to_have(actor: &Actor, right: Right) -> Result<(), BroadcastError> {
    if actor.may(right) { Ok(()) } else { Err(BroadcastError::Forbidden) }
}

/// A broadcast that somebody may see.
async fn find(
    app: &App,
    actor: &Actor,
    right: Right,
    id: BroadcastId,
) -> Result<Broadcast, BroadcastError> {
    to_have(actor, right)?;
    let found = rows::find_broadcast(&app.db, id).await?.ok_or(BroadcastError::NotFound)?;
    // Whether there is one elsewhere is nobody's business.
    if actor.covers(Some(&found.area), &app.settings.office_area) {
        Ok(found)
    } else {
        Err(BroadcastError::NotFound)
    }
}

/// The same, held to be changed.
async fn open(
    app: &App,
    actor: &Actor,
    right: Right,
    id: BroadcastId,
) -> Result<(Tx, Broadcast), BroadcastError> {
    to_have(actor, right)?;
    let mut tx = app.db.begin().await?;
    let found =
        rows::lock_broadcast(&mut tx, &app.db, id).await?.ok_or(BroadcastError::NotFound)?;
    if actor.covers(Some(&found.area), &app.settings.office_area) {
        Ok((tx, found))
    } else {
        Err(BroadcastError::NotFound)
    }
}

/// The state after a move, or that it cannot be made.
fn after(broadcast: &Broadcast, happens: Move) -> Result<BroadcastState, BroadcastError> {
    let state = broadcast.state;
    state.after(happens).ok_or(BroadcastError::State { state, happens })
}

/// Writes the broadcast and the line of the log, and commits.
async fn close(
    app: &App,
    mut tx: Tx,
    actor: &Actor,
    action: Action,
    broadcast: &mut Broadcast,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), BroadcastError> {
    broadcast.updated_at = now;
    rows::update_broadcast(&mut tx, broadcast).await?;
    note(app, &mut tx, actor, action, broadcast.id, detail, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

async fn note(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    id: BroadcastId,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), BroadcastError> {
    let line = app.ids.next(now);
    audit::insert_line(tx, line, actor, action, &id.to_string(), detail, now).await?;
    Ok(())
}
