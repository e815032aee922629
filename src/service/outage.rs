//! An office that cannot work says so once: those whose cards wait for it hear it in one message, and once more when it
//! is over.
//!
//! Telling goes on page by page, each in one transaction with how far it has come, so that nobody hears anything twice
//! whatever is broken off where.

use chrono::NaiveDate;

use super::announce::{self, Holder, News, or_pass_by};
use super::officer::note;
use super::{App, ServiceError, hold};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::card::AnnouncementKind;
use crate::domain::card_plan::Announcement;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, OutageId, PersonId};
use crate::domain::officer::{Actor, Right};
use crate::domain::outage::{Outage, OutageError, OutageKind, OutageWork, check};
use crate::store::outage as store;
use crate::store::{StoreError, Tx, waiting};

/// Cards looked at in one transaction.
const PAGE: i64 = 100;
/// Pages of one outage in one round: what else is due must not wait.
const PAGES: usize = 10;
/// Why it is not declared twice.
const DECLARED: &str = "this outage is declared already: lift it first";

/// Why an outage cannot be declared or lifted.
#[derive(Debug, thiserror::Error)]
pub enum OutageRefusal {
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Its words.
    #[error(transparent)]
    Words(#[from] OutageError),
    /// No such outage, or not in the officer's area.
    #[error("there is no such outage in this area")]
    NotFound,
    /// No right to it.
    #[error("this role declares no outages")]
    Forbidden,
    /// It is declared already, or over.
    #[error("{0}")]
    Refused(&'static str),
}

impl From<StoreError> for OutageRefusal {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

fn may(app: &App, actor: &Actor, area: &AreaCode) -> Result<(), OutageRefusal> {
    if !actor.may(Right::ChangePoints) {
        return Err(OutageRefusal::Forbidden);
    }
    if !actor.covers(Some(area), &app.settings.office_area) {
        return Err(OutageRefusal::NotFound);
    }
    Ok(())
}

/// Declares an outage; those whom it keeps waiting are told from then on.
///
/// # Errors
/// [`OutageRefusal`].
pub async fn declare(
    app: &App,
    actor: &Actor,
    (kind, area): (OutageKind, &AreaCode),
    reason: &str,
    since: Option<Timestamp>,
) -> Result<OutageId, OutageRefusal> {
    may(app, actor, area)?;
    let now = app.now();
    let since = since.unwrap_or(now);
    let reason = check(reason, since, now)?;
    let mut tx = app.db.begin().await?;
    let running = store::list_running(&mut tx).await?;
    if running.iter().any(|other| other.kind == kind && other.area == *area) {
        return Err(OutageRefusal::Refused(DECLARED));
    }
    let outage = Outage {
        id: app.ids.next(now),
        kind,
        area: area.clone(),
        reason,
        since,
        begun_at: now,
        begun_by: actor.id.clone(),
        lifted_at: None,
        work: Some(OutageWork::Begin),
        reached: String::new(),
    };
    match store::insert_outage(&mut tx, &outage).await {
        // Two officers in the same moment: the other was first.
        Err(StoreError::Conflict("row")) => return Err(OutageRefusal::Refused(DECLARED)),
        done => done?,
    }
    let detail = format!("{kind} {area}");
    note(app, &mut tx, actor, Action::DeclaredOutage, &outage.id.to_string(), Some(&detail))
        .await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(outage.id)
}

/// Lifts an outage; those who heard of it are told.
///
/// # Errors
/// [`OutageRefusal`].
pub async fn lift(app: &App, actor: &Actor, id: OutageId) -> Result<(), OutageRefusal> {
    let mut tx = app.db.begin().await?;
    let outage = store::lock_outage(&mut tx, &app.db, id).await?.ok_or(OutageRefusal::NotFound)?;
    may(app, actor, &outage.area)?;
    if !store::lift(&mut tx, id, &actor.id, app.now()).await? {
        return Err(OutageRefusal::Refused("this outage is over already"));
    }
    note(app, &mut tx, actor, Action::LiftedOutage, &id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Outages that run now where somebody is: in their area, around it, or within it.
///
/// # Errors
/// When the database fails.
pub async fn running_at(tx: &mut Tx, area: &AreaCode) -> Result<Vec<Outage>, ServiceError> {
    let mut running = store::list_running(tx).await?;
    running.retain(|outage| area.is_within(&outage.area));
    Ok(running)
}

/// Tells who is still to be told; returns how many pages were done.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let mut count = 0;
    for id in store::list_work(&app.db).await? {
        for _ in 0..PAGES {
            if !tell_page(app, id).await? {
                break;
            }
            count += 1;
        }
    }
    if count > 0 {
        app.signals.wake_outbox();
    }
    Ok(count)
}

/// One page of an outage; `false` when nothing is left to tell.
async fn tell_page(app: &App, id: OutageId) -> Result<bool, ServiceError> {
    let mut tx = app.db.begin().await?;
    let Some(outage) = store::lock_outage(&mut tx, &app.db, id).await? else { return Ok(false) };
    let is_done = match outage.work {
        None => return Ok(false),
        Some(OutageWork::Begin) => tell_begun(app, &mut tx, &outage).await?,
        Some(OutageWork::Over) => tell_over(app, &mut tx, &outage).await?,
    };
    if is_done {
        store::set_work(&mut tx, id, None, "").await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

/// Where telling has come: which of the states, and behind which area and card.
struct Place<'a> {
    state: usize,
    area: &'a str,
    card: &'a str,
}

impl<'a> Place<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split(' ');
        let state = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        Self { state, area: parts.next().unwrap_or(""), card: parts.next().unwrap_or("") }
    }
}

async fn tell_begun(app: &App, tx: &mut Tx, outage: &Outage) -> Result<bool, ServiceError> {
    let place = Place::read(&outage.reached);
    let Some(status) = outage.kind.holds_up().get(place.state) else { return Ok(true) };
    let from = (place.area, place.card);
    let of = (outage.kind.is_of_all_papers(), PAGE);
    let cards = store::list_waiting(tx, &outage.area, *status, from, of).await?;
    for (_, card, person) in &cards {
        or_pass_by(tell_one(app, tx, outage, (*person, *card)).await, card)?;
    }
    let is_full = i64::try_from(cards.len()).is_ok_and(|count| count == PAGE);
    let reached = match cards.last() {
        Some((area, card, _)) if is_full => format!("{} {area} {card}", place.state),
        _ => (place.state + 1).to_string(),
    };
    store::set_work(tx, outage.id, Some(OutageWork::Begin), &reached).await?;
    Ok(false)
}

fn day(app: &App, area: Option<&AreaCode>, now: Timestamp) -> NaiveDate {
    now.in_zone(app.zone(area).offset()).date_naive()
}

async fn tell_one(
    app: &App,
    tx: &mut Tx,
    outage: &Outage,
    (person, card): (PersonId, CardId),
) -> Result<(), ServiceError> {
    let now = app.now();
    let kind = AnnouncementKind::OutageBegun;
    if !app.settings.policy.enabled.contains(&kind) {
        return Ok(());
    }
    let Some((holder, _, update)) = hold::find_state(app, tx, card).await? else { return Ok(()) };
    let today = day(app, holder.area.as_ref(), now);
    if store::has_row(tx, outage.id, person).await?
        || super::card::is_absent(app, tx, &update).await?
    {
        return Ok(());
    }
    if store::heard_of_other(tx, outage.id, person, today).await? {
        // One message a day is enough; that this one is over they are told when it is the last.
        store::insert_told(tx, outage.id, (person, card), None).await?;
        return Ok(());
    }
    let more = [("reason", outage.reason.clone(), outage.reason.clone())];
    let is_told = tell(app, tx, (outage, kind), (&holder, card), &update, &more).await?;
    if is_told {
        store::insert_told(tx, outage.id, (person, card), Some(today)).await?;
    }
    Ok(())
}

async fn tell(
    app: &App,
    tx: &mut Tx,
    (outage, kind): (&Outage, AnnouncementKind),
    (holder, card): (&crate::store::person::Person, CardId),
    update: &crate::domain::card::CardUpdate,
    more: announce::More<'_>,
) -> Result<bool, ServiceError> {
    let announcement =
        Announcement { kind, expires_at: None, fingerprint: kind.as_str().to_owned() };
    let whose = Holder { person: holder, card, area: holder.area.as_ref() };
    let cause = cause(outage.id, holder.id, kind);
    let news = News { announcement: &announcement, cause: &cause, more };
    announce::plan_news(app, tx, &whose, news, update, app.now()).await
}

fn cause(outage: OutageId, person: PersonId, kind: AnnouncementKind) -> String {
    format!("{kind}:{outage}:{person}")
}

/// Tells one holder that it is over; while another outage keeps their card, the end of that one is told instead.
async fn tell_end(
    app: &App,
    tx: &mut Tx,
    outage: &Outage,
    (person, card): (PersonId, CardId),
) -> Result<(), ServiceError> {
    let kind = AnnouncementKind::OutageOver;
    let Some((holder, current, update)) = hold::find_state(app, tx, card).await? else {
        return Ok(());
    };
    let keeps = |other: &Outage| other.kind.keeps(current.on_file.status, update.document);
    // Whose card went on meanwhile has heard better news.
    if !app.settings.policy.enabled.contains(&kind)
        || !keeps(outage)
        || super::card::is_absent(app, tx, &update).await?
    {
        return Ok(());
    }
    let area = holder.area.clone().unwrap_or_else(|| app.settings.office_area.clone());
    let others = running_at(tx, &area).await?;
    if let Some(other) = others.iter().find(|other| other.id != outage.id && keeps(other)) {
        let today = day(app, holder.area.as_ref(), app.now());
        return Ok(store::pass_on(tx, (other.id, person), card, today).await?);
    }
    tell(app, tx, (outage, kind), (&holder, card), &update, &[]).await?;
    Ok(())
}

async fn tell_over(app: &App, tx: &mut Tx, outage: &Outage) -> Result<bool, ServiceError> {
    let now = app.now();
    let told = store::list_told(tx, outage.id, &outage.reached, PAGE).await?;
    for (person, card, was_told) in &told {
        let begun = cause(outage.id, *person, AnnouncementKind::OutageBegun);
        // Who has not heard yet that it began need not hear that it is over.
        let has_heard =
            *was_told && !waiting::take_back(tx, &announce::key_of(&begun), now).await?;
        if has_heard {
            or_pass_by(tell_end(app, tx, outage, (*person, *card)).await, card)?;
        }
        store::set_over(tx, outage.id, *person, now).await?;
    }
    let Some((last, ..)) = told.last() else { return Ok(true) };
    store::set_work(tx, outage.id, Some(OutageWork::Over), &last.to_string()).await?;
    Ok(false)
}
