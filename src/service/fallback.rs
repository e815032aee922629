//! News that did not arrive goes on: to the person's next channel, and in the end onto the list of those
//! who must be told in person.

use std::str::FromStr as _;

use super::outbox::{self, Draft};
use super::{App, ServiceError, route, send};
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Refusal;
use crate::domain::id::MessageId;
use crate::domain::message::{MessageClass, MessageStatus};
use crate::store::follow::{self, Overdue};
use crate::store::visit::{self, NewVisit};
use crate::store::{StoreError, person};

/// News looked at in one round, at most.
const BATCH: i64 = 200;

/// Looks after news whose deadline is over; returns how many went on.
///
/// # Errors
/// When the database fails; what was not looked at waits for the next round.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let overdue = follow::list_overdue(&app.db, app.now(), BATCH).await?;
    let mut count = 0;
    for id in overdue {
        match go_on(app, id).await {
            Ok(went_on) => count += u64::from(went_on),
            Err(ServiceError::Store(error @ StoreError::Unavailable(_))) => {
                return Err(error.into());
            }
            // One that cannot be read must not hold up those behind it.
            Err(error) => {
                tracing::error!(message = %id, "cannot go on to the next channel: {error}");
            }
        }
    }
    if count > 0 {
        app.signals.wake_outbox();
    }
    Ok(count)
}

async fn go_on(app: &App, id: MessageId) -> Result<bool, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    // The person before the message, as whoever records newer news does: one of the two goes first,
    // and the other sees what it did.
    let Some(person) = person::lock_of_message(&mut tx, &app.db, id).await? else {
        return Ok(false);
    };
    let Some(overdue) = follow::claim_overdue(&mut tx, &app.db, id, now).await? else {
        return Ok(false);
    };
    let kind = AnnouncementKind::from_str(&overdue.template).ok();
    let is_news = kind.is_some_and(AnnouncementKind::is_news);
    let may_go_on = kind.is_some_and(AnnouncementKind::may_fall_back);
    let is_over = !may_go_on || overdue.expires_at.is_some_and(|at| at <= now);
    let routes = route::list_routes(app, &mut tx, &person).await?;
    // Whoever asked to stop gets nobody at the door either.
    let has_stopped = routes.iter().any(|route| route.refusal == Some(Refusal::OptedOut));
    let next = routes
        .iter()
        .find(|route| route.refusal.is_none() && !overdue.tried.contains(&route.account.channel));
    let mut deadline = None;
    match next {
        _ if is_over => {}
        None if has_stopped || !is_news => {}
        Some(next) => {
            let draft = Draft {
                idem_key: format!("fallback:{}:{}", overdue.first_id, next.account.channel),
                class: MessageClass::Announcement,
                account: Some(next.account),
                channel: next.account.channel,
                why: "next_channel",
                refusal: None,
                template: overdue.template.clone(),
                reference: overdue.reference.clone(),
                to: Some((next.to.clone(), next.hash.clone())),
                contact_id: None,
                person_id: Some(overdue.person_id),
                card_id: Some(overdue.card_id),
                first_id: Some(overdue.first_id),
                content: overdue.content.clone(),
                zone: overdue.zone,
                expires_at: overdue.expires_at,
                has_next: {
                    let mut tried = overdue.tried.clone();
                    tried.push(next.account.channel);
                    route::has_next(&routes, &tried)
                },
            };
            outbox::enqueue(app, &mut tx, draft, now).await?;
            follow::mark_followed(&mut tx, id, None, true, now).await?;
            tx.commit().await.map_err(StoreError::from)?;
            return Ok(true);
        }
        // It has not left yet, and nothing else is left to try: it goes on waiting.
        None if overdue.status == MessageStatus::Queued => {
            let (settings, zone) = (&app.settings, overdue.zone);
            deadline =
                Some(send::deadline(settings, overdue.channel, zone, now, overdue.expires_at));
            put_on_list(app, &mut tx, &overdue, &person, "not_sent", now).await?;
        }
        None => {
            let reason = match (&overdue.failure_code, overdue.status) {
                (Some(code), MessageStatus::Failed) => code.as_str(),
                _ => "no_receipt",
            };
            put_on_list(app, &mut tx, &overdue, &person, reason, now).await?;
        }
    }
    follow::mark_followed(&mut tx, id, deadline, false, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

async fn put_on_list(
    app: &App,
    tx: &mut crate::store::Tx,
    overdue: &Overdue,
    person: &person::Person,
    reason: &str,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let new = NewVisit {
        id: app.ids.next(now),
        message: overdue.first_id,
        person: overdue.person_id,
        card: overdue.card_id,
        template: &overdue.template,
        reason,
        area: person.area.as_ref(),
    };
    visit::insert_visit(tx, &new, now).await?;
    Ok(())
}
