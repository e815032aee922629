//! Cards that lie ready: their holders are reminded on the rungs of a ladder, may say that they have theirs, and what
//! nobody collects goes to the desa with a list.
//!
//! Where a card is stays what the source says until an officer confirms a citizen's word; whatever the office does is
//! recorded as an update like any other.

use std::time::Duration;

use super::announce::{self, Holder, News};
use super::card::{self as service_card, OwnWord};
use super::custody::{CustodyError, hand_over};
use super::officer::note;
use super::{App, ServiceError, hold};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::audit::Action;
use crate::domain::blanko::First;
use crate::domain::card::{AnnouncementKind, CardStatus, CardUpdate};
use crate::domain::card_plan::Announcement;
use crate::domain::clock::Timestamp;
use crate::domain::collection::days_lain;
use crate::domain::custody;
use crate::domain::document::Document;
use crate::domain::id::{CardId, CollectionId, PersonId};
use crate::domain::officer::{Actor, Right};
use crate::store::area::find_names;
use crate::store::collection as store;
use crate::store::collection_list::{self as list_store, CollectionList};
use crate::store::custody::find_holder;
use crate::store::hold::find_undecided_of_card;
use crate::store::message::cancel_waiting_of_kind;
use crate::store::service_point::{Detail, ServicePoint, find_point, upsert_point};
use crate::store::{StoreError, Tx, card as card_store, person};

/// Cards looked at in one round, at most.
const BATCH: i64 = 200;
/// A reminder that could not leave by then is not sent.
const REMINDS_FOR: Duration = Duration::from_secs(3 * 24 * 3600);
/// What cannot be looked at is looked at again after that.
const AGAIN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// By whose word a card on a desa's list was handed over when a source says so.
const SOURCE: &str = "source";
/// Cards of one list, at most: it is signed on paper.
pub const MOST_CARDS: usize = 500;

/// Notes what a card's new state means for its waiting: it begins to lie ready, or does not any more; it comes into the
/// queue for a blank card, or leaves it.
///
/// # Errors
/// When the database fails.
pub async fn take_state(
    app: &App,
    tx: &mut Tx,
    (card, (holder, area)): (CardId, (PersonId, Option<&AreaCode>)),
    was: Option<CardStatus>,
    update: &CardUpdate,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let was_ready = was == Some(CardStatus::ReadyToCollect);
    let is_ready = update.status == CardStatus::ReadyToCollect;
    if update.status == CardStatus::Issued {
        // Whoever says so, the desa's list says it too.
        list_store::set_item_handed(tx, card, SOURCE, now).await?;
    }
    if is_ready && !was_ready {
        let due = due(app, card, area, (update.occurred_at, 0), now);
        store::begin_lying(tx, card, update.occurred_at, due).await?;
    } else if was_ready && !is_ready {
        store::end_lying(tx, card).await?;
    }
    let waits = |status| matches!(status, CardStatus::ReadyToPrint | CardStatus::WaitingForBlank);
    let (waited, is_waiting) = (was.is_some_and(waits), waits(update.status));
    if is_waiting && !waited && update.document == Document::KtpEl {
        let rank = rank(app, tx, card, (holder, area)).await?;
        store::set_queued(tx, card, Some((update.occurred_at, rank))).await?;
    } else if waited && !is_waiting {
        store::set_queued(tx, card, None).await?;
    }
    Ok(())
}

/// When a card's holder is reminded next.
fn due(
    app: &App,
    card: CardId,
    area: Option<&AreaCode>,
    (since, step): (Timestamp, i64),
    now: Timestamp,
) -> Option<Timestamp> {
    let zone = app.zone(area).offset();
    app.settings.ladder.next(since, step, draw(card), zone, now).map(|rung| rung.at)
}

/// A number of the card's own: what falls on one day is spread over it.
fn draw(card: CardId) -> u64 {
    let id = card.to_string();
    id.bytes().rev().take(6).fold(0, |sum: u64, byte| sum * 37 + u64::from(byte))
}

/// 0 for who goes first, 1 for everybody else. What is not known of a card counts as ordinary.
async fn rank(
    app: &App,
    tx: &mut Tx,
    card: CardId,
    (holder, area): (PersonId, Option<&AreaCode>),
) -> Result<i64, ServiceError> {
    let is_struck = |struck: &AreaCode| area.is_some_and(|area| area.is_within(struck));
    if app.settings.blanko.first_areas.iter().any(is_struck) {
        return Ok(0);
    }
    for first in &app.settings.blanko.first {
        let is_first = match first {
            First::FirstTime => store::was_recorded(tx, card).await?,
            First::Suket => store::has_suket(tx, holder).await?,
        };
        if is_first {
            return Ok(0);
        }
    }
    Ok(1)
}

/// Lets the cards of areas that a disaster struck go first that came into the queue before the office said so. Whoever
/// was let first once keeps the place. Gives how many.
///
/// # Errors
/// When the database fails.
pub async fn let_first(app: &App) -> Result<u64, ServiceError> {
    let mut count = 0;
    for area in &app.settings.blanko.first_areas {
        // Looked at first: whoever writes keeps others waiting.
        if store::waits_behind(&app.db, area).await? {
            let mut tx = app.db.begin().await?;
            count += store::let_first(&mut tx, area).await?;
            tx.commit().await.map_err(StoreError::from)?;
        }
    }
    Ok(count)
}

/// Reminds those whose day has come; returns how many cards were looked at.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let mut count = let_first(app).await?;
    let due = store::list_due(&app.db, app.now(), BATCH).await?;
    for card in due {
        match remind(app, card).await {
            Ok(is_done) => count += u64::from(is_done),
            Err(ServiceError::Store(error @ StoreError::Unavailable(_))) => {
                return Err(error.into());
            }
            // One that cannot be read must not hold up those behind it.
            Err(error) => {
                tracing::error!(card = %card, "cannot remind of a card: {error}");
                let mut tx = app.db.begin().await?;
                let step = store::find_lying(&mut tx, card).await?.map_or(0, |lying| lying.step);
                let again = Some(app.now().after(AGAIN_AFTER));
                store::set_rung(&mut tx, card, step, again).await?;
                tx.commit().await.map_err(StoreError::from)?;
            }
        }
    }
    if count > 0 {
        app.signals.wake_outbox();
    }
    Ok(count)
}

async fn remind(app: &App, id: CardId) -> Result<bool, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if !store::claim_due(&mut tx, id, now).await? {
        return Ok(false);
    }
    if let Some((holder, current, update)) = hold::find_state(app, &mut tx, id).await?
        && current.on_file.status == CardStatus::ReadyToCollect
        && let Some(lying) = store::find_lying(&mut tx, id).await?
        && lying.taken_said_at.is_none()
    {
        // Nobody has decided yet whether it lies ready at all.
        if find_undecided_of_card(&mut tx, id, CardStatus::ReadyToCollect).await?.is_some() {
            store::set_rung(&mut tx, id, lying.step, Some(now.after(AGAIN_AFTER))).await?;
            tx.commit().await.map_err(StoreError::from)?;
            return Ok(true);
        }
        let area = holder.area.as_ref();
        let zone = app.zone(area).offset();
        let rung = app.settings.ladder.next(lying.since, lying.step, draw(id), zone, now);
        // A rung still ahead after all: the ladder was changed, or this one is long past.
        let is_now = rung.is_some_and(|rung| rung.at <= now);
        let step = rung.filter(|_| is_now).map_or(lying.step, |rung| rung.step);
        store::set_rung(&mut tx, id, step, due(app, id, area, (lying.since, step), now)).await?;
        let kind = AnnouncementKind::CollectionReminder;
        if is_now
            && app.settings.policy.enabled.contains(&kind)
            && !service_card::is_absent(app, &mut tx, &update).await?
        {
            let reminder = Announcement {
                kind,
                expires_at: Some(now.after(REMINDS_FOR)),
                fingerprint: kind.as_str().to_owned(),
            };
            let days = days_lain(lying.since, now, zone).to_string();
            let more = [("days", days.clone(), days)];
            // The day tells two times apart that a card lay ready.
            let cause = format!("collect:{id}:{}:{step}", lying.since.as_ms());
            let news = News { announcement: &reminder, cause: &cause, more: &more };
            let whose = Holder { person: &holder, card: id, area };
            announce::plan_news(app, &mut tx, &whose, news, &update, now).await?;
        }
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

/// A citizen says that they have a card: reminders stop, and the office is asked to confirm. `false` when it does not
/// lie ready.
///
/// # Errors
/// When the database fails.
pub async fn say_taken(tx: &mut Tx, card: CardId, now: Timestamp) -> Result<bool, ServiceError> {
    let is_said = store::set_taken_said(tx, card, Some(now)).await?;
    if is_said {
        cancel_waiting_of_kind(tx, card, AnnouncementKind::CollectionReminder, now).await?;
    }
    Ok(is_said)
}

/// Why something cannot be done with a card that lies ready.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No such card or list in the officer's area.
    #[error("there is no such card or list in this area")]
    NotFound,
    /// No right to it.
    #[error("this role has no right to hand cards over")]
    Forbidden,
    /// Nothing fits.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What stands in the way of something with cards that lie ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is in a hand, or waits for something else.
    #[error("the card does not lie ready to be collected")]
    NotReady,
    /// A newer card took its place.
    #[error("the card was followed by another one")]
    Followed,
    /// It is on a round.
    #[error("a courier has the card")]
    Courier,
    /// It lies at another office still: a desa hands out what it has.
    #[error("the card does not lie in the desa: take its list over first")]
    NotInDesa,
    /// It was handed over in that very moment.
    #[error("somebody else has the card")]
    Elsewhere,
    /// None, or too many for one paper.
    #[error("a list has 1 to {MOST_CARDS} cards")]
    Count,
    /// Their holders live in different places.
    #[error("the cards of a list are of one desa")]
    OtherDesa,
    /// Somebody else put it onto one.
    #[error("a card already stands on a list")]
    Listed,
    /// They would be told to fetch what they say they have.
    #[error("the holder of a card says that they have it")]
    Said,
    /// Pressed twice, or by two.
    #[error("the desa has these cards already")]
    Taken,
    /// Its cards are free again.
    #[error("this list was cancelled")]
    Cancelled,
}

impl From<StoreError> for CollectionError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// A card that lies ready, in the officer's area.
async fn theirs(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    card: CardId,
) -> Result<AreaCode, CollectionError> {
    if !actor.may(Right::CarryCards) || !actor.may(Right::SeeCards) {
        return Err(CollectionError::Forbidden);
    }
    let current = card_store::lock_card(tx, &app.db, card).await?;
    let current = current.ok_or(CollectionError::NotFound)?;
    let holder = person::find_person(tx, &app.db, current.person_id).await?;
    let area = holder.and_then(|holder| holder.area);
    if !actor.covers(area.as_ref(), &app.settings.office_area) {
        return Err(CollectionError::NotFound);
    }
    if current.on_file.status != CardStatus::ReadyToCollect {
        return Err(Refusal::NotReady.into());
    }
    Ok(area.unwrap_or_else(|| app.settings.office_area.clone()))
}

/// The office says that a citizen has their card: confirmed, or handed over just now.
///
/// # Errors
/// [`CollectionError`].
pub async fn hand_out(app: &App, actor: &Actor, card: CardId) -> Result<(), CollectionError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    theirs(app, &mut tx, actor, card).await?;
    if actor.area.level() == AreaLevel::Desa {
        let is_here = match find_holder(&mut tx, card).await?.map(|held| held.holder) {
            Some(custody::Holder::Desa(_)) => true,
            // A source may say that it lies at a point of the desa's own.
            Some(custody::Holder::Point(code)) => find_point(&mut tx, &code)
                .await?
                .is_some_and(|point| point.area.is_within(&actor.area)),
            _ => false,
        };
        if !is_here {
            return Err(Refusal::NotInDesa.into());
        }
    }
    let word = OwnWord { status: Some(CardStatus::Issued), ..OwnWord::default() };
    say(app, &mut tx, (actor, card), word, custody::Holder::Citizen, now).await?;
    list_store::set_item_handed(&mut tx, card, &actor.id, now).await?;
    note(app, &mut tx, actor, Action::HandedOutCard, &card.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(())
}

/// The office says that a citizen does not have their card: it lies on, and they are reminded again.
///
/// # Errors
/// [`CollectionError`].
pub async fn deny_taken(app: &App, actor: &Actor, card: CardId) -> Result<(), CollectionError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let area = theirs(app, &mut tx, actor, card).await?;
    store::set_taken_said(&mut tx, card, None).await?;
    if let Some(lying) = store::find_lying(&mut tx, card).await? {
        let due = due(app, card, Some(&area), (lying.since, lying.step), now);
        store::set_rung(&mut tx, card, lying.step, due).await?;
    }
    note(app, &mut tx, actor, Action::DeniedCollection, &card.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// What a courier carries comes back by the round that it went out with.
async fn not_with_courier(tx: &mut Tx, card: CardId) -> Result<(), CollectionError> {
    let held = find_holder(tx, card).await?;
    if held.is_some_and(|held| matches!(held.holder, custody::Holder::Courier(_))) {
        return Err(Refusal::Courier.into());
    }
    Ok(())
}

/// Records what the office did with a card, and who has it from then on.
async fn say(
    app: &App,
    tx: &mut Tx,
    (actor, card): (&Actor, CardId),
    word: OwnWord,
    to: custody::Holder,
    now: Timestamp,
) -> Result<(), CollectionError> {
    not_with_courier(tx, card).await?;
    let status = word.status.unwrap_or(CardStatus::ReadyToCollect);
    let cause = format!("collect:{card}:{status}:{}", now.as_ms());
    if service_card::say(app, tx, card, word, &cause, now).await?.is_none() {
        return Err(Refusal::Followed.into());
    }
    match hand_over(tx, app, &actor.id, card, None, to, "collection").await {
        Ok(_) => Ok(()),
        Err(CustodyError::Elsewhere(_)) => Err(Refusal::Elsewhere.into()),
        Err(CustodyError::Service(error)) => Err(error.into()),
    }
}

/// Puts cards of one desa on a list with a number, to go there with them. Until the desa has them they lie where they
/// lay, and nobody is told anything else.
///
/// # Errors
/// [`CollectionError`].
pub async fn hand_to_desa(
    app: &App,
    actor: &Actor,
    area: &AreaCode,
    cards: &[CardId],
) -> Result<CollectionId, CollectionError> {
    let may_hand = actor.may(Right::ChangePoints);
    if !may_hand {
        return Err(CollectionError::Forbidden);
    }
    if !actor.covers(Some(area), &app.settings.office_area) || area.plain().len() != 10 {
        return Err(CollectionError::NotFound);
    }
    if cards.is_empty() || cards.len() > MOST_CARDS {
        return Err(Refusal::Count.into());
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let point = desa_point(app, &mut tx, area, now).await?;
    for card in cards {
        let lives = theirs(app, &mut tx, actor, *card).await?;
        if lives != *area {
            return Err(Refusal::OtherDesa.into());
        }
        if list_store::find_list_of(&mut tx, *card).await?.is_some() {
            return Err(Refusal::Listed.into());
        }
        let lying = store::find_lying(&mut tx, *card).await?;
        if lying.is_some_and(|lying| lying.taken_said_at.is_some()) {
            return Err(Refusal::Said.into());
        }
        not_with_courier(&mut tx, *card).await?;
    }
    let day = now.in_zone(app.zone(Some(area)).offset()).date_naive();
    let like = format!("BA-{}-{}", area.plain(), day.format("%Y%m%d"));
    let number = list_store::count_numbers(&mut tx, &format!("{like}-%")).await? + 1;
    let list = CollectionList {
        id: app.ids.next(now),
        number: format!("{like}-{number}"),
        area: area.clone(),
        place: point.name,
        made_at: now,
        made_by: actor.id.clone(),
        taken_at: None,
        taken_by: None,
        cancelled_at: None,
    };
    list_store::insert_list(&mut tx, &list, cards).await?;
    let count = cards.len().to_string();
    note(app, &mut tx, actor, Action::HandedToDesa, &list.number, Some(&count)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(list.id)
}

/// A list does not go to its desa after all: its cards lie where they lay and may stand on another one.
///
/// # Errors
/// [`CollectionError`].
pub async fn cancel_list(
    app: &App,
    actor: &Actor,
    id: CollectionId,
) -> Result<(), CollectionError> {
    if !actor.may(Right::ChangePoints) {
        return Err(CollectionError::Forbidden);
    }
    let mut tx = app.db.begin().await?;
    let list = list_store::find_list(&mut tx, id).await?.ok_or(CollectionError::NotFound)?;
    if !actor.covers(Some(&list.area), &app.settings.office_area) {
        return Err(CollectionError::NotFound);
    }
    if !list_store::cancel_list(&mut tx, id, &actor.id, app.now()).await? {
        let is_cancelled = list.cancelled_at.is_some();
        return Err(if is_cancelled { Refusal::Cancelled } else { Refusal::Taken }.into());
    }
    note(app, &mut tx, actor, Action::HandedToDesa, &list.number, Some("cancelled")).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// The desa says that it has the cards of a list: each holder hears where their card lies now. What came into a hand or
/// went another way meanwhile stays as it is.
///
/// # Errors
/// [`CollectionError`].
pub async fn take_list(app: &App, actor: &Actor, id: CollectionId) -> Result<(), CollectionError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let list = list_store::find_list(&mut tx, id).await?.ok_or(CollectionError::NotFound)?;
    if !actor.may(Right::CarryCards) || !actor.may(Right::SeeCards) {
        return Err(CollectionError::Forbidden);
    }
    if !actor.covers(Some(&list.area), &app.settings.office_area) {
        return Err(CollectionError::NotFound);
    }
    if !list_store::set_list_taken(&mut tx, id, &actor.id, now).await? {
        let is_cancelled = list.cancelled_at.is_some();
        return Err(if is_cancelled { Refusal::Cancelled } else { Refusal::Taken }.into());
    }
    let point = desa_point(app, &mut tx, &list.area, now).await?;
    for card in list_store::list_cards_of(&mut tx, id).await? {
        let lying = store::find_lying(&mut tx, card).await?;
        // Whoever says meanwhile that they have theirs is not sent to fetch it; an officer settles that.
        if lying.is_some_and(|lying| lying.taken_said_at.is_some()) {
            list_store::release_item(&mut tx, (id, card), now).await?;
            continue;
        }
        let word = OwnWord {
            status: Some(CardStatus::ReadyToCollect),
            service_point: Some(point.code.clone()),
            ..OwnWord::default()
        };
        let to = custody::Holder::Desa(list.area.clone());
        let done = match theirs(app, &mut tx, actor, card).await {
            Ok(_) => say(app, &mut tx, (actor, card), word, to, now).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => {}
            // It went another way: it may stand on a list again should it ever lie ready anew.
            Err(CollectionError::Refused(_) | CollectionError::NotFound) => {
                list_store::release_item(&mut tx, (id, card), now).await?;
            }
            Err(error) => return Err(error),
        }
    }
    note(app, &mut tx, actor, Action::HandedToDesa, &list.number, Some("taken")).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(())
}

/// The code under which the office of a desa is a service point.
pub(in crate::service) fn desa_code(area: &AreaCode) -> String {
    format!("desa-{area}")
}

/// The office of a desa as a place where cards are collected; it becomes one with the first list.
async fn desa_point(
    app: &App,
    tx: &mut Tx,
    area: &AreaCode,
    now: Timestamp,
) -> Result<ServicePoint, ServiceError> {
    let code = desa_code(area);
    if let Some(point) = find_point(tx, &code).await? {
        return Ok(point);
    }
    let names = find_names(tx, &app.db, std::slice::from_ref(area)).await?;
    let name = names.get(area).cloned().unwrap_or_else(|| area.to_string());
    let words = app.templates.vocabulary();
    let name = words.desa_office(&name, area.plain().as_bytes().get(6) == Some(&b'1'));
    let hours = |channel| words.hours(channel);
    let point = ServicePoint {
        code,
        short_name: name.clone(),
        name,
        area: area.clone(),
        address: None,
        hours: hours(crate::domain::message::ChannelKind::Whatsapp),
        hours_short: hours(crate::domain::message::ChannelKind::Sms),
        detail: Detail {
            services: vec![crate::domain::service_point::PointService::Collection],
            ..Detail::default()
        },
    };
    upsert_point(tx, &point, now).await?;
    Ok(point)
}
