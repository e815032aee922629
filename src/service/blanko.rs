//! The ledger of blank cards: what came, what was used, what is left, and for how many days that lasts.
//!
//! Says a place's stock, unless somebody said otherwise since. How many cards are used is heard of by one way only:
//! entered by hand, or counted as cards are printed.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};

use super::officer::note;
use super::{App, ServiceError};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::blanko::{Counted, EntryKind, RATE_DAYS, UsedBy, days_left, left, stock};
use crate::domain::card::{CardStatus, CardUpdate};
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::id::CardId;
use crate::domain::officer::{Actor, Right};
use crate::store::blanko::{self as store, Entry};
use crate::store::holiday::list_holidays;
use crate::store::service_point::find_point;
use crate::store::{Conn, StoreError, Tx};

/// No entry speaks of more cards.
const MOST_CARDS: i64 = 1_000_000;
/// Longest note.
const LONGEST_NOTE: usize = 120;
/// So far back working days are looked for.
const LOOK_BACK: u64 = 40;

/// How a ledger stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Cards that are left.
    pub left: i64,
    /// Cards used within the last working days.
    pub used: i64,
    /// For how many working days the rest lasts.
    pub days: Option<i64>,
    /// What is to come: the day, and how many.
    pub expected: Vec<(NaiveDate, i64)>,
    /// The last lines, the newest first.
    pub entries: Vec<Entry>,
}

/// Why a line cannot be entered.
#[derive(Debug, thiserror::Error)]
pub enum BlankoError {
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No such point in the officer's area.
    #[error("there is no such service point in this area")]
    NotFound,
    /// No right to it.
    #[error("this role keeps no ledger of blank cards")]
    Forbidden,
    /// It does not fit.
    #[error("{0}")]
    Refused(&'static str),
}

impl From<StoreError> for BlankoError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// Enters a line. The day is that of the delivery for what is expected, else of the entry.
///
/// # Errors
/// [`BlankoError`].
pub async fn enter(
    app: &App,
    actor: &Actor,
    code: &str,
    (kind, cards): (EntryKind, i64),
    (on, text): (Option<NaiveDate>, Option<&str>),
) -> Result<(), BlankoError> {
    if !actor.may(Right::ChangePoints) {
        return Err(BlankoError::Forbidden);
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let point = find_point(&mut tx, code).await?.ok_or(BlankoError::NotFound)?;
    if !actor.covers(Some(&point.area), &app.settings.office_area) {
        return Err(BlankoError::NotFound);
    }
    let least = i64::from(kind != EntryKind::Counted);
    if !(least..=MOST_CARDS).contains(&cards) {
        return Err(BlankoError::Refused("give a number of cards from 1 to 1,000,000"));
    }
    if kind == EntryKind::Used && app.settings.blanko.used_by == UsedBy::Printed {
        return Err(BlankoError::Refused(
            "used cards are counted as they are printed: enter a count, or set blanko.used = \"entry\"",
        ));
    }
    let today = now.in_zone(point.area.zone().offset()).date_naive();
    let day = on.unwrap_or(today);
    let is_expected = kind == EntryKind::Expected;
    if (is_expected && day <= today) || day > today + Days::new(366) {
        return Err(BlankoError::Refused(
            "what is expected lies ahead; everything else is of today",
        ));
    }
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > LONGEST_NOTE) {
        return Err(BlankoError::Refused("a note has at most 120 characters"));
    }
    let entry = Entry {
        id: app.ids.next(now),
        point: code.to_owned(),
        kind,
        cards,
        day: if is_expected { day } else { today },
        note: text.map(str::to_owned),
        by: actor.id.clone(),
        at: now,
    };
    store::insert_entry(&mut tx, &entry).await?;
    if !is_expected {
        say_stock(app, &mut tx, code, true, now).await?;
    }
    let detail = format!("{kind} {cards}");
    note(app, &mut tx, actor, Action::EnteredBlanko, code, Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Counts the blank card of a card that was printed, where the office wants that.
///
/// # Errors
/// When the database fails.
pub async fn take_state(
    app: &App,
    tx: &mut Tx,
    (card, area): (CardId, Option<&AreaCode>),
    was: Option<CardStatus>,
    update: &CardUpdate,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let is_printed = update.status.is_printed() && update.status != CardStatus::Issued;
    if app.settings.blanko.used_by != UsedBy::Printed
        || update.document != Document::KtpEl
        || !is_printed
        || was.is_some_and(CardStatus::is_printed)
    {
        return Ok(());
    }
    let named = update.service_point.as_deref();
    let Some(point) = store::find_ledger(tx, named, area).await? else { return Ok(()) };
    // What was printed before somebody counted, or before the ledger began, is in that count.
    let is_counted =
        store::find_count_at(tx, &point).await?.is_some_and(|at| update.occurred_at <= at);
    if store::claim_used(tx, card, now).await? && !is_counted {
        let day = now.in_zone(app.zone(area).offset()).date_naive();
        store::count_printed(tx, &point, day, now).await?;
        say_stock(app, tx, &point, false, now).await?;
    }
    Ok(())
}

async fn say_stock(
    app: &App,
    tx: &mut Tx,
    point: &str,
    is_entry: bool,
    now: Timestamp,
) -> Result<(), ServiceError> {
    // Before anybody said how many there are, nothing is known of what is left.
    if store::find_count_at(tx, point).await?.is_none() {
        return Ok(());
    }
    let ledger = find_ledger_in(app, tx, point, now).await?;
    let stock = stock(ledger.left, ledger.days, app.settings.blanko.low_days);
    Ok(store::set_stock(tx, point, stock, is_entry, now).await?)
}

/// How the ledger of a point stands.
///
/// # Errors
/// When the database fails.
pub async fn find_ledger(app: &App, point: &str) -> Result<Ledger, ServiceError> {
    let mut reading = app.db.reading().await?;
    let mut ledger = find_ledger_in(app, &mut reading, point, app.now()).await?;
    ledger.entries = store::list_last(&mut reading, point).await?;
    Ok(ledger)
}

async fn find_ledger_in(
    app: &App,
    tx: &mut Conn,
    point: &str,
    now: Timestamp,
) -> Result<Ledger, ServiceError> {
    let lines = store::list_since_count(tx, point).await?;
    let area = find_point(tx, point).await?.map(|point| point.area);
    let today = now.in_zone(app.zone(area.as_ref()).offset()).date_naive();
    let by_hand = left(lines.iter().map(|line| Counted { kind: line.kind, cards: line.cards }));
    let left = by_hand - store::count_printed_since_count(tx, point).await?;
    let working = working_days(tx, area.as_ref(), today).await?;
    let since = working.last().copied().unwrap_or(today);
    let mut used = store::list_used(tx, point, since).await?;
    used.extend(store::list_printed(tx, point, since).await?);
    let first = used.iter().map(|(day, _)| *day).min();
    let in_days = working.iter().filter(|day| first.is_some_and(|first| **day >= first)).count();
    let used = used.iter().map(|(_, cards)| cards).sum();
    let expected = store::list_expected(tx, point, today).await?;
    let in_days = i64::try_from(in_days.max(1)).unwrap_or(1);
    let days = days_left(left, used, in_days);
    Ok(Ledger { left, used, days, expected, entries: Vec::new() })
}

/// The last working days up to today, the latest first: no weekends, and no days off.
async fn working_days(
    tx: &mut Conn,
    area: Option<&AreaCode>,
    today: NaiveDate,
) -> Result<Vec<NaiveDate>, ServiceError> {
    let from = today - Days::new(LOOK_BACK);
    let holidays = list_holidays(tx, (from, today)).await?;
    let is_off = |day: NaiveDate| {
        let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let here = |of: Option<&AreaCode>| match (of, area) {
            (None, _) => true,
            (Some(of), Some(area)) => area.is_within(of),
            (Some(_), None) => false,
        };
        is_weekend
            || holidays
                .iter()
                .any(|off| off.date == day && off.hours.is_none() && here(off.area.as_ref()))
    };
    let days = (0..=LOOK_BACK).filter_map(|back| today.checked_sub_days(Days::new(back)));
    Ok(days.filter(|day| !is_off(*day)).take(RATE_DAYS as usize).collect())
}
