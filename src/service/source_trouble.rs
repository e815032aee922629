//! What went wrong at sources and sending accounts, for those whom it concerns: rejected updates, held changes,
//! silence. What belongs to a source or an account of an area is for the officers of that area too; all else is the
//! whole office's.
//!
//! Each decision is one transaction with its line in the audit log.

use super::hold::decide_in;
use super::officer::{note, note_look};
use super::watch::Watched;
use super::{Account, App, ServiceError};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::id::{HoldId, RejectionId};
use crate::domain::officer::Actor;
use crate::store::account::{self, Stop};
use crate::store::hold::{self, Decision, Hold};
use crate::store::notice::{self, Notice, NoticeKind};
use crate::store::rejection::{self, OfSources, Rejection};
use crate::store::trouble::{self, Pile};
use crate::store::{StoreError, source};

fn covers(app: &App, actor: &Actor, area: Option<&AreaCode>) -> bool {
    actor.covers(area, &app.settings.office_area)
}

/// Whether what a source said is theirs to see.
fn sees(app: &App, actor: &Actor, source: &str) -> bool {
    let watched = app.sources.iter().find(|watched| watched.id == source);
    covers(app, actor, watched.map(|watched| &watched.area))
}

/// The sources whose trouble is theirs.
#[must_use]
pub fn list_sources<'a>(app: &'a App, actor: &Actor) -> Vec<&'a Watched> {
    app.sources.iter().filter(|watched| covers(app, actor, Some(&watched.area))).collect()
}

fn of_sources(app: &App, actor: &Actor) -> OfSources {
    if covers(app, actor, None) {
        return OfSources::All;
    }
    OfSources::These(list_sources(app, actor).iter().map(|watched| watched.id.clone()).collect())
}

/// How far the sources are read that are theirs.
///
/// # Errors
/// When the database fails.
pub async fn list_states(
    app: &App,
    actor: &Actor,
) -> Result<Vec<(String, source::SourceState)>, ServiceError> {
    let seen = list_sources(app, actor);
    let mut states = source::list_states(&app.db).await?;
    states.retain(|(id, _)| seen.iter().any(|watched| watched.id == *id));
    Ok(states)
}

/// Open rejections by id after a cursor.
///
/// # Errors
/// When the database fails.
pub async fn list_rejections(
    app: &App,
    actor: &Actor,
    after: Option<RejectionId>,
    limit: i64,
) -> Result<Vec<Rejection>, ServiceError> {
    Ok(rejection::list_open(&app.db, &of_sources(app, actor), after, limit).await?)
}

/// How many there are.
///
/// # Errors
/// When the database fails.
pub async fn count_rejections(app: &App, actor: &Actor) -> Result<Pile, ServiceError> {
    Ok(trouble::count_rejections(&app.db, &of_sources(app, actor)).await?)
}

/// The item as it was received, for whoever mends it: it holds a citizen's data, so the look is noted. Nothing when
/// there is none, or it is not theirs.
///
/// # Errors
/// When the database fails.
pub async fn find_item(
    app: &App,
    actor: &Actor,
    id: RejectionId,
) -> Result<Option<String>, ServiceError> {
    let mut conn = app.db.reading().await?;
    let source = rejection::find_source(&mut conn, id).await?;
    drop(conn);
    if !source.is_some_and(|source| sees(app, actor, &source)) {
        return Ok(None);
    }
    let item = rejection::find_payload(&app.db, id).await?;
    if item.is_some() {
        note_look(app, actor, Action::LookedAtCard, &id.to_string()).await?;
    }
    Ok(item)
}

/// Notes that a rejected update was dealt with; `false` when it is not open, or not theirs to see.
///
/// # Errors
/// When the database fails.
pub async fn resolve(app: &App, actor: &Actor, id: RejectionId) -> Result<bool, ServiceError> {
    let mut tx = app.db.begin().await?;
    let source = rejection::find_source(&mut tx, id).await?;
    let is_done = source.is_some_and(|source| sees(app, actor, &source))
        && rejection::mark_resolved(&mut tx, id, app.now()).await?;
    if is_done {
        note(app, &mut tx, actor, Action::Resolved, &id.to_string(), None).await?;
        tx.commit().await.map_err(StoreError::from)?;
    }
    Ok(is_done)
}

/// Holds that are not carried out yet, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_holds(app: &App, actor: &Actor) -> Result<Vec<Hold>, ServiceError> {
    let mut holds = hold::list_open(&app.db).await?;
    holds.retain(|hold| sees(app, actor, &hold.source));
    Ok(holds)
}

/// Decides whether held updates are news; `false` when somebody decided before, or it is not theirs.
///
/// # Errors
/// When the database fails.
pub async fn decide(
    app: &App,
    actor: &Actor,
    id: HoldId,
    decision: Decision,
) -> Result<bool, ServiceError> {
    let mut tx = app.db.begin().await?;
    let source = hold::find_source(&mut tx, id).await?;
    let is_done = source.is_some_and(|source| sees(app, actor, &source))
        && decide_in(app, &mut tx, id, decision, &actor.id).await?;
    if is_done {
        let word = Some(decision.as_str());
        note(app, &mut tx, actor, Action::DecidedHold, &id.to_string(), word).await?;
        tx.commit().await.map_err(StoreError::from)?;
    }
    Ok(is_done)
}

/// The open notices, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list_notices(app: &App, actor: &Actor) -> Result<Vec<Notice>, ServiceError> {
    let holds = list_holds(app, actor).await?;
    let mut notices = notice::list_open(&app.db).await?;
    notices.retain(|notice| match notice.kind {
        NoticeKind::Held => holds.iter().any(|hold| hold.id.to_string() == notice.subject),
        NoticeKind::SourceFailing | NoticeKind::SourceSilent | NoticeKind::SourceRejects => {
            sees(app, actor, &notice.subject)
        }
    });
    Ok(notices)
}

/// Sending accounts that are stopped.
///
/// # Errors
/// When the database fails.
pub async fn list_stopped<'a>(
    app: &'a App,
    actor: &Actor,
) -> Result<Vec<(&'a Account, Stop)>, ServiceError> {
    let stopped = account::list_stopped(&app.db).await?;
    Ok(stopped
        .into_iter()
        .filter_map(|(id, stop)| Some((app.account(&id)?, stop)))
        .filter(|(account, _)| covers(app, actor, account.area.as_ref()))
        .collect())
}
