//! Writing and reading broadcasts: what they say, whom they are for, and who may see them.

use super::{BroadcastError, after, close, find, invalid, note, open, to_have};
use crate::domain::area::AreaCode;
use crate::domain::audience::Audience;
use crate::domain::audit::Action;
use crate::domain::broadcast::{BroadcastState, Move, Notice, Schedule};
use crate::domain::clock::Timestamp;
use crate::domain::id::BroadcastId;
use crate::domain::officer::{Actor, Right};
use crate::service::App;
use crate::store::StoreError;
use crate::store::audience::{ListEntry, known_entries, replace_entries};
use crate::store::broadcast::{self as rows, Broadcast};

/// Lines of a list, at most.
pub const MOST_ENTRIES: usize = 100_000;

/// A broadcast as somebody writes it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it says.
    pub notice: Notice,
    /// Whom it is for; an audience without areas is for their own.
    pub audience: Audience,
    /// When it goes out.
    pub schedule: Schedule,
}

/// Keeps a new draft.
///
/// # Errors
/// [`BroadcastError::OutsideArea`] when it reaches beyond the area of who writes it, and what else
/// [`BroadcastError`] says.
pub async fn create(
    app: &App,
    actor: &Actor,
    draft: &Draft,
) -> Result<BroadcastId, BroadcastError> {
    to_have(actor, Right::Broadcast)?;
    let now = app.now();
    let (audience, area) = checked(app, actor, draft, now)?;
    let id: BroadcastId = app.ids.next(now);
    let new = Broadcast {
        id,
        state: BroadcastState::Draft,
        notice: draft.notice.clone(),
        attachment: None,
        audience,
        schedule: draft.schedule.clone(),
        area,
        maker: actor.clone(),
        checker: None,
        checked_at: None,
        note: None,
        recipients: None,
        alarm: None,
        alarm_code: None,
        next_at: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.db.begin().await?;
    rows::insert_broadcast(&mut tx, &new).await?;
    note(app, &mut tx, actor, Action::WroteBroadcast, id, None, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(id)
}

/// Changes a draft, or what has not gone out yet: then an approval is withdrawn. Whoever changes it answers for
/// it from then on.
///
/// # Errors
/// As [`create`], and [`BroadcastError::State`] once it has begun.
pub async fn change(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
    draft: &Draft,
) -> Result<(), BroadcastError> {
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    withdraw(&mut found, actor)?;
    (found.audience, found.area) = checked(app, actor, draft, now)?;
    if !found.audience.is_list {
        replace_entries(&mut tx, &app.db, id, &[]).await?;
    }
    found.notice = draft.notice.clone();
    found.schedule = draft.schedule.clone();
    close(app, tx, actor, Action::WroteBroadcast, &mut found, None, now).await
}

/// What became of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Lines that name somebody on file.
    pub kept: u64,
    /// Lines that name nobody on file in the area of who uploads it: not kept.
    pub unknown: u64,
}

/// The same as [`set_list`] for those on file in their area alone: whom nobody knows is counted, and not kept.
///
/// # Errors
/// As [`set_list`].
pub async fn set_known_list(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
    entries: &[ListEntry],
) -> Result<Taken, BroadcastError> {
    to_have(actor, Right::Broadcast)?;
    let office = &app.settings.office_area;
    let known = known_entries(&app.db, entries, (&actor.area, actor.covers(None, office))).await?;
    let kept = set_list(app, actor, id, &known).await?;
    let all = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    Ok(Taken { kept, unknown: all.saturating_sub(kept) })
}

/// Replaces the list of those it is for. Gives how many lines name somebody.
///
/// # Errors
/// As [`change`], and [`BroadcastError::Invalid`] when it has too many lines.
pub async fn set_list(
    app: &App,
    actor: &Actor,
    id: BroadcastId,
    entries: &[ListEntry],
) -> Result<u64, BroadcastError> {
    if entries.len() > MOST_ENTRIES {
        let what = format!("the list has {} lines", entries.len());
        return Err(invalid(
            what,
            format!("at most {MOST_ENTRIES}; cut it into several broadcasts"),
        ));
    }
    let now = app.now();
    let (mut tx, mut found) = open(app, actor, Right::Broadcast, id).await?;
    withdraw(&mut found, actor)?;
    found.audience.is_list = true;
    found.audience.card = None;
    found.audience.document = None;
    let count = replace_entries(&mut tx, &app.db, id, entries).await?;
    let detail = format!("a list of {count}");
    close(app, tx, actor, Action::WroteBroadcast, &mut found, Some(&detail), now).await?;
    Ok(count)
}

/// One broadcast.
///
/// # Errors
/// [`BroadcastError::NotFound`] also where it lies outside their area.
pub async fn show(app: &App, actor: &Actor, id: BroadcastId) -> Result<Broadcast, BroadcastError> {
    find(app, actor, Right::SeeBroadcasts, id).await
}

/// Broadcasts of their area, newest first, before a cursor.
///
/// # Errors
/// [`BroadcastError::Forbidden`], or when the database fails.
pub async fn list(
    app: &App,
    actor: &Actor,
    before: Option<BroadcastId>,
    limit: i64,
) -> Result<Vec<Broadcast>, BroadcastError> {
    to_have(actor, Right::SeeBroadcasts)?;
    Ok(rows::list_broadcasts(&app.db, &actor.area, before, limit).await?)
}

/// Makes it a draft again, of whoever changes it.
pub(super) fn withdraw(broadcast: &mut Broadcast, actor: &Actor) -> Result<(), BroadcastError> {
    broadcast.state = after(broadcast, Move::Change)?;
    broadcast.maker = actor.clone();
    broadcast.checker = None;
    broadcast.checked_at = None;
    broadcast.recipients = None;
    broadcast.next_at = None;
    Ok(())
}

/// The audience with its areas filled in, and the smallest area that holds them.
fn checked(
    app: &App,
    actor: &Actor,
    draft: &Draft,
    now: Timestamp,
) -> Result<(Audience, AreaCode), BroadcastError> {
    let mut audience = draft.audience.clone();
    if audience.areas.is_empty() {
        let is_everywhere = actor.area.plain().is_empty();
        let own = if is_everywhere { &app.settings.office_area } else { &actor.area };
        audience.areas.push(own.clone());
    }
    let audience = audience.tidied();
    if !audience.areas.iter().all(|area| area.is_within(&actor.area)) {
        return Err(BroadcastError::OutsideArea);
    }
    if audience.is_list && (audience.card.is_some() || audience.document.is_some()) {
        return Err(invalid(
            "a list is taken as it is",
            "leave out the state of the card and the document, or the list",
        ));
    }
    // What cannot be read back would take every list it stands on with it.
    Audience::parse(&audience.to_json()).map_err(|error| {
        invalid(error.to_string(), "months are 1 to 24, days 1 to 3650, and areas at most 100")
    })?;
    if let Schedule::At(at) = draft.schedule
        && at <= now
    {
        return Err(invalid("the moment has passed", "give one that is still to come"));
    }
    let area = audience.reach();
    Ok((audience, area))
}
