//! What officers do about news that did not arrive: send a failed message once more, note that somebody was told in
//! person.
//!
//! Each is one transaction with its line in the audit log, and none reaches beyond the area of whoever does it.

use std::str::FromStr as _;

use super::officer::note;
use super::outbox::{self, Draft};
use super::route::{self, Route};
use super::{App, ServiceError};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::{MessageId, VisitId};
use crate::domain::message::{MessageClass, MessageStatus};
use crate::domain::officer::Actor;
use crate::store::person::{self, Person};
use crate::store::trouble::{self, InHand};
use crate::store::{StoreError, Tx, visit};

/// What came of an officer's wish to send a message once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It waits in the outbox.
    Queued(MessageId),
    /// There is no such message in the officer's area.
    NotFound,
    /// It is no failed announcement, or somebody dealt with it.
    NotFailed,
    /// Something newer was said of the card.
    Replaced,
    /// Its moment has passed.
    TooLate,
    /// No channel is left on which the person may be written to.
    NoWay,
}

/// Notes that somebody was told in person; `false` when it does not stand on the list, or not on the officer's.
///
/// # Errors
/// When the database fails.
pub async fn told(app: &App, actor: &Actor, id: VisitId) -> Result<bool, ServiceError> {
    let mut tx = app.db.begin().await?;
    let Some(area) = visit::find_area(&mut tx, id).await? else { return Ok(false) };
    if !covers(app, actor, area.as_ref()) {
        return Ok(false);
    }
    let is_done = visit::mark_told_in(&mut tx, &app.db, id, &actor.id, app.now()).await?;
    if is_done {
        let words = Some("told in person");
        note(app, &mut tx, actor, Action::Resolved, &id.to_string(), words).await?;
        tx.commit().await.map_err(StoreError::from)?;
    }
    Ok(is_done)
}

/// Notes that nothing more is to be done about a failed message: the person was told in person, or nobody waits
/// for it. `false` when it is no open failure of the officer's area.
///
/// # Errors
/// When the database fails.
pub async fn set_aside(app: &App, actor: &Actor, id: MessageId) -> Result<bool, ServiceError> {
    let mut tx = app.db.begin().await?;
    let Some((message, _)) = take(app, &mut tx, actor, id).await? else { return Ok(false) };
    let now = app.now();
    if message.status != MessageStatus::Failed || !trouble::mark_handled(&mut tx, id, now).await? {
        return Ok(false);
    }
    if let Some(open) = visit::find_open_of_message(&mut tx, message.first_id).await? {
        visit::mark_told_in(&mut tx, &app.db, open, &actor.id, now).await?;
    }
    note(app, &mut tx, actor, Action::Resolved, &id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

/// Sends failed news once more, by the best way that there is now: a number may have been mended meanwhile, or an
/// account. It joins the chain of the first message, so that its arrival settles everything that waits for it.
///
/// # Errors
/// When the database fails.
pub async fn send_again(app: &App, actor: &Actor, id: MessageId) -> Result<Again, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let Some((message, person)) = take(app, &mut tx, actor, id).await? else {
        return Ok(Again::NotFound);
    };
    let Some(person) = person else { return Ok(Again::NotFailed) };
    if let Some(reason) = speaks_against(&message, now) {
        return Ok(reason);
    }
    let routes = route::list_routes(app, &mut tx, &person).await?;
    let Some(way) = routes.iter().find(|route| route.refusal.is_none()) else {
        return Ok(Again::NoWay);
    };
    if !trouble::mark_handled(&mut tx, id, now).await? {
        return Ok(Again::NotFailed);
    }
    let draft = again(app, &message, &person, &routes, way);
    let Some(new) = outbox::enqueue(app, &mut tx, draft, now).await? else {
        return Ok(Again::NotFailed);
    };
    let detail = new.to_string();
    note(app, &mut tx, actor, Action::SentAgain, &id.to_string(), Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(Again::Queued(new))
}

fn again<'a>(
    app: &App,
    message: &InHand,
    person: &Person,
    routes: &[Route<'a>],
    way: &Route<'a>,
) -> Draft<'a> {
    let channel = way.account.channel;
    Draft {
        idem_key: format!("again:{}", message.id),
        class: MessageClass::Announcement,
        account: Some(way.account),
        channel,
        why: "sent_again_by_officer",
        refusal: None,
        template: message.template.clone(),
        reference: message.reference.clone(),
        to: Some((way.to.clone(), way.hash.clone())),
        contact_id: None,
        person_id: message.person,
        card_id: message.card,
        first_id: Some(message.first_id),
        content: message.content.clone(),
        zone: app.zone(person.area.as_ref()),
        expires_at: message.expires_at,
        has_next: route::has_next(routes, &[channel]),
    }
}

/// What speaks against sending a message again, as far as the message itself tells.
fn speaks_against(message: &InHand, now: Timestamp) -> Option<Again> {
    let is_news =
        AnnouncementKind::from_str(&message.template).is_ok_and(AnnouncementKind::is_news);
    let is_open = matches!(message.status, MessageStatus::Failed | MessageStatus::Cancelled);
    if message.class != MessageClass::Announcement || !is_news || !is_open {
        Some(Again::NotFailed)
    } else if message.is_replaced {
        Some(Again::Replaced)
    } else if message.expires_at.is_some_and(|at| at <= now) {
        Some(Again::TooLate)
    } else {
        None
    }
}

/// Takes a message and its person for this transaction, if the officer may see them.
async fn take(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    id: MessageId,
) -> Result<Option<(InHand, Option<Person>)>, ServiceError> {
    // The person before the message, as whoever records newer news does.
    let person = person::lock_of_message(tx, &app.db, id).await?;
    if !covers(app, actor, person.as_ref().and_then(|person| person.area.as_ref())) {
        return Ok(None);
    }
    let Some(message) = trouble::lock_message(tx, &app.db, id).await? else { return Ok(None) };
    Ok(Some((message, person)))
}

fn covers(app: &App, actor: &Actor, area: Option<&AreaCode>) -> bool {
    actor.covers(area, &app.settings.office_area)
}
