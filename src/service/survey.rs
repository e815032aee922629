//! The satisfaction survey: a day after a card was handed over its holder is asked once, and what
//! anybody answers is counted without them.

use std::time::Duration;

use chrono::{Days, NaiveDate};

use super::announce::{self, Holder};
use super::{App, ServiceError, hold};
use crate::domain::card::{AnnouncementKind, CardStatus};
use crate::domain::card_plan::{Announcement, UpdateOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::id::CardId;
use crate::domain::survey::{Element, Score, order};
use crate::store::person::Person;
use crate::store::survey::{self, Rating};
use crate::store::{StoreError, Tx, card};

/// Asked so long after the office said that the card was handed over.
const ASK_AFTER: Duration = Duration::from_secs(24 * 3600);
/// What is older news by then is no occasion any more.
const RECENT: Duration = Duration::from_secs(7 * 24 * 3600);
/// An invitation that could not leave by then is not sent.
const INVITES_FOR: Duration = Duration::from_secs(3 * 24 * 3600);
/// The elements are put into an order by the ratings of so many days.
const COUNTED: Days = Days::new(90);
/// An invitation that cannot be made is looked at again after that.
const AGAIN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Cards looked at in one round, at most.
const BATCH: i64 = 200;

/// Notes what news of a card means for the survey: handed over, its holder is asked a day later.
///
/// # Errors
/// When the database fails.
pub async fn take_news(
    app: &App,
    tx: &mut Tx,
    card: CardId,
    (status, occurred_at, outcome): (CardStatus, Timestamp, UpdateOutcome),
    now: Timestamp,
) -> Result<(), ServiceError> {
    let is_news = matches!(outcome, UpdateOutcome::Announced | UpdateOutcome::NotAnnounced);
    if status == CardStatus::Issued
        && is_news
        && now.since(occurred_at) < RECENT
        && app.settings.policy.enabled.contains(&AnnouncementKind::SurveyInvitation)
    {
        survey::set_due(tx, card, Some(now.after(ASK_AFTER))).await?;
    }
    Ok(())
}

/// Asks those whose day has come; returns how many cards were looked at.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let due = survey::list_due(&app.db, app.now(), BATCH).await?;
    let mut count = 0;
    for card in due {
        match invite(app, card).await {
            Ok(is_done) => count += u64::from(is_done),
            Err(ServiceError::Store(error @ StoreError::Unavailable(_))) => {
                return Err(error.into());
            }
            // One that cannot be read must not hold up those behind it.
            Err(error) => {
                tracing::error!(card = %card, "cannot invite to the survey: {error}");
                let mut tx = app.db.begin().await?;
                survey::set_due(&mut tx, card, Some(app.now().after(AGAIN_AFTER))).await?;
                tx.commit().await.map_err(StoreError::from)?;
            }
        }
    }
    if count > 0 {
        app.signals.wake_outbox();
    }
    Ok(count)
}

async fn invite(app: &App, id: CardId) -> Result<bool, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if !survey::claim_due(&mut tx, id, now).await? {
        return Ok(false);
    }
    if let Some((holder, current, update)) = hold::find_state(app, &mut tx, id).await?
        && current.on_file.status == CardStatus::Issued
        && !super::card::is_absent(app, &mut tx, &update).await?
    {
        let kind = AnnouncementKind::SurveyInvitation;
        let invitation = Announcement {
            kind,
            expires_at: Some(now.after(INVITES_FOR)),
            fingerprint: kind.as_str().to_owned(),
        };
        let whose = Holder { person: &holder, card: id, area: holder.area.as_ref() };
        let cause = format!("survey:{id}");
        announce::plan_message(app, &mut tx, &whose, &invitation, &update, &cause, now).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

/// The elements in the order in which they are asked.
///
/// # Errors
/// When the database fails.
pub async fn list_order(app: &App, tx: &mut Tx) -> Result<Vec<Element>, ServiceError> {
    let since = today(app, app.now()).checked_sub_days(COUNTED);
    Ok(order(&survey::list_tallies(tx, None, since).await?))
}

fn today(app: &App, now: Timestamp) -> NaiveDate {
    now.in_zone(app.zone(None).offset()).date_naive()
}

/// Counts a rating, for the paper handed over last to whoever rates, where they live.
///
/// # Errors
/// When the database fails.
pub async fn rate(
    app: &App,
    tx: &mut Tx,
    people: &[Person],
    (element, score): (Element, Score),
    now: Timestamp,
) -> Result<(), ServiceError> {
    let mut last: Option<(Timestamp, card::Card, &Person)> = None;
    for person in people {
        for card in card::list_current(tx, person.id).await? {
            let at = card.on_file.status_at;
            let is_later = last.as_ref().is_none_or(|(other, _, _)| at > *other);
            if card.on_file.status == CardStatus::Issued && is_later {
                last = Some((at, card, person));
            }
        }
    }
    let person = last.as_ref().map(|(_, _, person)| *person).or(people.first());
    let area = person.and_then(|person| person.area.as_ref());
    let rating = Rating {
        document: last.as_ref().map(|(_, card, _)| card.document),
        area: area.unwrap_or(&app.settings.office_area),
        element,
        score,
        day: today(app, now),
    };
    Ok(survey::count_rating(tx, &rating).await?)
}
