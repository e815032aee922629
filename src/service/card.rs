//! Records card updates: the one path from every source to the outbox.
//!
//! Rules are `domain::card::plan`'s; here they meet the rows. A chunk of items is one transaction,
//! and each item stands alone within it: what is wrong with one is kept and rejects no other.

use super::announce::{self, Holder};
use super::{App, ServiceError, blanko, collection, custody, hold, round, survey};
use crate::domain::absence::Absence;
use crate::domain::area::AreaCode;
use crate::domain::card::{AnnouncementKind, CardStatus, CardUpdate, HomeDelivery, PhoneGiven};
use crate::domain::card_plan::{self, CardOnFile, CardPlan, UpdateOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, HoldId, PersonId};
use crate::domain::outbound::Recipient;
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;
use crate::domain::raw_update::{RawUpdate, Reason};
use crate::store::{
    StoreError, Tx, card as card_store, consent, hold as hold_store, message, person, rejection,
    source_row, survey as survey_store, visit,
};

/// How many items share a transaction.
pub const CHUNK: usize = 200;
/// Two requests naming the same new person at once collide; the later one then finds the row.
const MAX_COLLISIONS: usize = 5;

/// One item of a source.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its parts, or why they could not even be told apart.
    pub update: Result<RawUpdate, Reason>,
    /// The item as received, kept if it is rejected.
    pub raw: String,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Taken.
    Accepted {
        /// What became of it.
        outcome: UpdateOutcome,
        /// It is the first word of a card.
        is_new_card: bool,
        /// Taken, but somebody should look.
        warning: Option<Reason>,
    },
    /// Known already; nothing changed.
    Duplicate,
    /// Kept aside.
    Rejected {
        /// The source's id, as received.
        id: Option<String>,
        /// Why.
        reason: Reason,
    },
}

/// Records items of a source in order and plans what they cause. Either all of them are committed
/// or none is.
///
/// # Errors
/// When the database fails; then the items should be sent again.
pub async fn record(
    app: &App,
    source: &str,
    items: &[Item],
) -> Result<Vec<Recorded>, ServiceError> {
    record_or_try(app, source, items, true).await
}

/// What [`record`] would do with the items, changing nothing.
///
/// # Errors
/// As [`record`].
pub async fn try_out(
    app: &App,
    source: &str,
    items: &[Item],
) -> Result<Vec<Recorded>, ServiceError> {
    record_or_try(app, source, items, false).await
}

async fn record_or_try(
    app: &App,
    source: &str,
    items: &[Item],
    is_meant: bool,
) -> Result<Vec<Recorded>, ServiceError> {
    let mut collisions = 0;
    loop {
        match record_once(app, source, items, is_meant).await {
            Err(ServiceError::Store(StoreError::Conflict(_))) if collisions < MAX_COLLISIONS => {
                collisions += 1;
            }
            other => return other,
        }
    }
}

async fn record_once(
    app: &App,
    source: &str,
    items: &[Item],
    is_meant: bool,
) -> Result<Vec<Recorded>, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        results.push(record_in(app, &mut tx, source, item, None, now).await?);
    }
    if !is_meant {
        tx.rollback().await.map_err(StoreError::from)?;
        return Ok(results);
    }
    tx.commit().await.map_err(StoreError::from)?;
    recorded(app, source, &results);
    Ok(results)
}

/// Counts what was committed, and wakes those who send.
pub(super) fn recorded(app: &App, source: &str, results: &[Recorded]) {
    app.metrics.card_updates(source, results);
    let is_announced = |result: &Recorded| {
        matches!(result, Recorded::Accepted { outcome: UpdateOutcome::Announced, .. })
    };
    if results.iter().any(is_announced) {
        app.signals.wake_outbox();
    }
}

/// Records one item within a transaction that holds more. With a `hold` nobody is told before the
/// office has decided.
pub(super) async fn record_in(
    app: &App,
    tx: &mut Tx,
    source: &str,
    item: &Item,
    hold: Option<HoldId>,
    now: Timestamp,
) -> Result<Recorded, ServiceError> {
    let result = record_item(app, tx, source, item, hold, now).await?;
    if let Recorded::Rejected { reason, .. } = &result {
        let id = app.ids.next(now);
        let reason = (reason.code, reason.message.as_str());
        rejection::upsert_rejection(tx, &app.db, id, source, &item.raw, reason, now).await?;
    }
    Ok(result)
}

async fn record_item(
    app: &App,
    tx: &mut Tx,
    source: &str,
    item: &Item,
    hold: Option<HoldId>,
    now: Timestamp,
) -> Result<Recorded, ServiceError> {
    let raw = match &item.update {
        Ok(raw) => raw,
        Err(reason) => return Ok(Recorded::Rejected { id: None, reason: reason.clone() }),
    };
    let rejected = |reason| {
        let id = (!raw.id.is_empty()).then(|| raw.id.clone());
        Ok(Recorded::Rejected { id, reason })
    };
    let zone = app.zone(None).offset();
    let update = match raw.check(zone, now) {
        Ok(update) => update,
        Err(reason) => return rejected(reason),
    };
    let id_hash = app.db.index("external_id", &update.external_id);
    let content_hash = app.db.index("content", &raw.canonical());
    match card_store::find_update(tx, source, &id_hash).await? {
        Some(known) if known == content_hash => return Ok(Recorded::Duplicate),
        Some(_) => {
            return rejected(Reason::new(
                "conflicting_id",
                "this id was used before for an update with other content",
            ));
        }
        None => {}
    }
    let said = Said { source, id_hash: &id_hash, content_hash: &content_hash, hold };
    let plan = apply(app, tx, &update, said, now).await?;
    let warning = update.nik.warning().map(|what| Reason::new(what.code(), what.to_string()));
    Ok(Recorded::Accepted { outcome: plan.outcome, is_new_card: plan.is_new_card, warning })
}

/// Under which name the office's own acts within Kabar stand among the sources.
pub const OWN_SOURCE: &str = "kabar";

/// What the office says of a card by what it does within Kabar.
#[derive(Clone, Debug, Default)]
pub struct OwnWord {
    /// Where the card is now; none for where it was.
    pub status: Option<CardStatus>,
    /// The point that has it.
    pub service_point: Option<String>,
    /// The appointment of a home delivery.
    pub home_delivery: Option<HomeDelivery>,
    /// Nobody is told.
    pub is_silent: bool,
}

/// Records an act of the office as the update of a card that it is, within its transaction. `cause`
/// names the act; the same is said once. Nothing when the card was followed by another one.
///
/// # Errors
/// When the database fails, or a text cannot be made.
pub async fn say(
    app: &App,
    tx: &mut Tx,
    card: CardId,
    word: OwnWord,
    cause: &str,
    now: Timestamp,
) -> Result<Option<UpdateOutcome>, ServiceError> {
    let Some((holder, current, state)) = hold::find_state(app, tx, card).await? else {
        return Ok(None);
    };
    let latest = card_store::find_latest(tx, &app.db, holder.id, current.document).await?;
    if latest.is_none_or(|latest| latest.id != card) {
        return Ok(None);
    }
    // What was handed over has arrived; another word about it would begin another card.
    let status = word.status.unwrap_or(current.on_file.status);
    if current.on_file.status.is_final() && !status.is_final() {
        return Ok(None);
    }
    let id_hash = app.db.index("external_id", cause);
    if card_store::find_update(tx, OWN_SOURCE, &id_hash).await?.is_some() {
        return Ok(None);
    }
    // A source's clock may be ahead of ours; what the office does now comes after it all the same.
    let after = Timestamp::from_ms(current.on_file.status_at.as_ms() + 1);
    let update = CardUpdate {
        external_id: cause.to_owned(),
        occurred_at: now.max(after),
        status,
        service_point: word.service_point,
        home_delivery: word.home_delivery,
        is_silent: word.is_silent,
        ..state
    };
    let said = Said { source: OWN_SOURCE, id_hash: &id_hash, content_hash: &id_hash, hold: None };
    Ok(Some(apply(app, tx, &update, said, now).await?.outcome))
}

/// Who said it, and under which names it is kept.
#[derive(Clone, Copy)]
struct Said<'a> {
    source: &'a str,
    id_hash: &'a str,
    content_hash: &'a str,
    hold: Option<HoldId>,
}

async fn apply(
    app: &App,
    tx: &mut Tx,
    update: &CardUpdate,
    said: Said<'_>,
    now: Timestamp,
) -> Result<CardPlan, ServiceError> {
    let (plan, met) = take(app, tx, update, said, now).await?;
    if let Some(met) = met.filter(|_| plan.becomes_current) {
        round::follow_source(app, tx, met, now).await?;
    }
    Ok(plan)
}

/// Takes one update, and tells whether it met a round.
async fn take(
    app: &App,
    tx: &mut Tx,
    update: &CardUpdate,
    mut said: Said<'_>,
    now: Timestamp,
) -> Result<(CardPlan, Option<round::Met>), ServiceError> {
    let known = person::find_by_nik(tx, &app.db, &update.nik).await?;
    let released;
    let update = match &update.phone {
        PhoneGiven::Mobile(phone) if is_strangers(app, tx, phone).await? => {
            released = CardUpdate { phone: PhoneGiven::Unusable("wrong_person"), ..update.clone() };
            &released
        }
        _ => update,
    };
    let before = match &known {
        Some(person) => card_store::find_latest(tx, &app.db, person.id, update.document).await?,
        None => None,
    };
    let met = match said.source {
        OWN_SOURCE => None,
        _ => round::meet(app, tx, before.as_ref(), update).await?,
    };
    let quiet;
    let update = if met.as_ref().is_some_and(round::Met::is_silent) {
        quiet = CardUpdate { is_silent: true, ..update.clone() };
        &quiet
    } else {
        update
    };
    let kept;
    let update = match custody::kept_at(tx, before.as_ref(), update).await? {
        Some(point) if said.source != OWN_SOURCE => {
            kept = CardUpdate { service_point: Some(point), ..update.clone() };
            &kept
        }
        _ => update,
    };
    let area = update.area.as_ref().or(known.as_ref().and_then(|person| person.area.as_ref()));
    let zone = app.zone(area);
    let mut on_file = before.as_ref().map(|card| card.on_file.clone());
    if let (Some(on_file), PhoneGiven::Mobile(phone)) = (&mut on_file, &update.phone)
        && known.as_ref().and_then(|person| person.phone.as_ref()) != Some(phone)
    {
        // Whoever has the new number has heard nothing of this card.
        on_file.last_announced = None;
    }
    let plan = card_plan::plan(on_file.as_ref(), update, &app.settings.policy, zone.offset(), now);
    let card = before.as_ref().map(|card| card.id);
    let plan = withhold(app, tx, (plan, &mut said.hold), card, update).await?;
    // An older word about somebody must not bring back their old number or name.
    let person = match known {
        Some(known) if !plan.becomes_current => known,
        known => {
            let id = app.ids.next(now);
            person::upsert_person(tx, &app.db, known, id, update, now).await?
        }
    };
    // Who hears once more that a card was handed over puts nothing off.
    let is_repeated =
        !plan.is_new_card && on_file.as_ref().is_some_and(|card| card.status == update.status);
    let card_id = match &before {
        Some(card) if !plan.becomes_current => card.id,
        _ => {
            let known = (before.as_ref(), on_file.as_ref());
            keep_state(app, tx, (&plan, known), (&person, update), is_repeated, now).await?
        }
    };
    if plan.becomes_current && !is_repeated {
        let said = (update.status, update.occurred_at, plan.outcome);
        survey::take_news(app, tx, card_id, said, now).await?;
    }
    let new = card_store::NewUpdate {
        id: app.ids.next(now),
        source: said.source,
        external_id_hash: said.id_hash,
        content_hash: said.content_hash,
        card: card_id,
        update,
        outcome: plan.outcome,
        hold: said.hold.filter(|_| plan.outcome == UpdateOutcome::Held),
    };
    keep(app, tx, &new, (&plan, before.as_ref(), &person), now).await?;
    if let Some(announcement) = &plan.announcement {
        let holder = Holder { person: &person, card: card_id, area: person.area.as_ref() };
        let cause = new.id.to_string();
        let is_told =
            announce::plan_message(app, tx, &holder, announcement, update, &cause, now).await?;
        if !is_told {
            card_store::forget_announced(tx, card_id).await?;
        }
    }
    Ok((plan, met))
}

/// Writes an update's state into its card, and withdraws what is no longer true.
async fn keep_state(
    app: &App,
    tx: &mut Tx,
    (plan, (before, on_file)): (&CardPlan, (Option<&card_store::Card>, Option<&CardOnFile>)),
    (person, update): (&person::Person, &CardUpdate),
    is_repeated: bool,
    now: Timestamp,
) -> Result<CardId, ServiceError> {
    let mut last =
        on_file.filter(|_| !plan.is_new_card).and_then(|card| card.last_announced.clone());
    let says_nothing_new = match plan.outcome {
        UpdateOutcome::Unchanged => true,
        UpdateOutcome::Silent => on_file.is_some_and(|card| card.status == update.status),
        _ => false,
    };
    if let Some(card) = before
        && !says_nothing_new
    {
        // What still waits to be said of the card is no longer true, by whatever means.
        visit::close_superseded(tx, card.id, now).await?;
        if !is_repeated || update.status != CardStatus::Issued {
            survey_store::set_due(tx, card.id, None).await?;
        }
        let withdrawn = message::cancel_waiting_of_card(tx, card.id, "superseded", now).await?;
        if withdrawn > 0 {
            last = None;
        }
    }
    if let Some(card) = on_file
        && plan.outcome == UpdateOutcome::StepBack
        && card.status.is_final()
    {
        // Whoever mends the slip tells nothing new.
        last = last.or(Some(AnnouncementKind::CardIssued.as_str().to_owned()));
    }
    let announced = plan.announcement.as_ref().map(|a| a.fingerprint.clone()).or(last);
    let new_id: CardId = app.ids.next(now);
    let same_card = before.filter(|_| !plan.is_new_card);
    let owner = (person.id, new_id);
    Ok(card_store::upsert_card(tx, same_card, owner, update, announced.as_deref(), now).await?)
}

/// Notes what a card's state means for those that wait to be collected, or for a blank card.
async fn take_waiting(
    app: &App,
    tx: &mut Tx,
    (card, holder): (CardId, &person::Person),
    was: Option<CardStatus>,
    update: &CardUpdate,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let area = holder.area.as_ref();
    collection::take_state(app, tx, (card, (holder.id, area)), was, update, now).await?;
    blanko::take_state(app, tx, (card, area), was, update, now).await
}

/// Adds an update to its card's history, and notes who holds the card by a source's word, and for
/// what it waits.
async fn keep(
    app: &App,
    tx: &mut Tx,
    new: &card_store::NewUpdate<'_>,
    (plan, before, holder): (&CardPlan, Option<&card_store::Card>, &person::Person),
    now: Timestamp,
) -> Result<(), ServiceError> {
    card_store::insert_update(tx, &app.db, new, now).await?;
    if plan.becomes_current {
        let was = before.filter(|_| !plan.is_new_card).map(|card| card.on_file.status);
        take_waiting(app, tx, (new.card, holder), was, new.update, now).await?;
        if new.source != OWN_SOURCE {
            custody::follow(tx, app, new.source, new.card, new.update, now).await?;
        }
    }
    Ok(())
}

/// Takes the announcement out of a plan where nobody is to be told, or the office has yet to say
/// whether it is news.
async fn withhold(
    app: &App,
    tx: &mut Tx,
    (plan, hold): (CardPlan, &mut Option<HoldId>),
    card: Option<CardId>,
    update: &CardUpdate,
) -> Result<CardPlan, ServiceError> {
    if plan.announcement.is_none() {
        return Ok(plan);
    }
    let outcome = if is_absent(app, tx, update).await? {
        UpdateOutcome::HolderAbsent
    } else if app.sources.is_empty() {
        return Ok(plan);
    } else {
        if let Some(card) = card.filter(|_| hold.is_none()) {
            *hold = hold_store::find_undecided_of_card(tx, card, update.status).await?;
        }
        if hold.is_none() {
            return Ok(plan);
        }
        UpdateOutcome::Held
    };
    Ok(CardPlan { announcement: None, outcome, ..plan })
}

/// Whether a watched register or a courier says that the holder died or moved away.
pub(super) async fn is_absent(
    app: &App,
    tx: &mut Tx,
    update: &CardUpdate,
) -> Result<bool, ServiceError> {
    let words = source_row::list_absences(tx, &person::nik_hash(&app.db, &update.nik)).await?;
    Ok(Absence::of(&words).is_some())
}

/// Whether whoever has this number said that they are somebody else. The source may not have heard
/// of it yet and name it again.
async fn is_strangers(app: &App, tx: &mut Tx, phone: &PhoneNumber) -> Result<bool, ServiceError> {
    let to = Recipient::of_phone(phone.clone());
    let hashes = consent::address_hashes(&app.db, "", &to);
    Ok(consent::find_consent(tx, &hashes, None).await?.is_suppressed)
}

/// What is known of a person's reachability, for the list an officer works through.
#[derive(Clone, Debug)]
pub struct Unreachable {
    /// First name and initial.
    pub name: Option<String>,
    /// Row id, the cursor.
    pub id: String,
    /// Where they live.
    pub area: Option<String>,
    /// Why they cannot be reached.
    pub problem: String,
}

/// People whom no message can reach, for somebody to tell in person.
///
/// # Errors
/// When the database fails.
pub async fn list_unreachable(
    app: &App,
    within: Option<&AreaCode>,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Unreachable>, ServiceError> {
    let people = person::list_unreachable(&app.db, within, after, limit).await?;
    Ok(people
        .into_iter()
        .map(|person| Unreachable {
            name: person.name.as_ref().map(PersonName::masked),
            id: person.id.to_string(),
            area: person.area.as_ref().map(ToString::to_string),
            problem: person.phone_problem.unwrap_or_else(|| "not_given".to_owned()),
        })
        .collect())
}
