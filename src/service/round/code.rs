//! Tells the hand-over code on the morning of a round: four digits, once, and only its hash is kept
//! beside the item.

use super::report::code_hash;
use super::telling::say_beside;
use super::{RoundError, today};
use crate::domain::area::Zone;
use crate::domain::card::{AnnouncementKind, CardStatus};
use crate::domain::clock::Timestamp;
use crate::domain::id::{ItemId, RoundId};
use crate::domain::round::{ItemState, RoundState, code};
use crate::service::{App, ServiceError};
use crate::store::round::Round;
use crate::store::{StoreError, card, round as round_store, round_item, round_plan};

/// Live rounds looked at in one step, at most.
const ROUNDS: i64 = 500;
/// Codes told in one step, at most.
const BATCH: i64 = 200;

/// Tells codes whose hour has come. Gives how many items were dealt with.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let now = app.now();
    // The day begins in the east and ends in the west; what is older has no morning any more.
    let day = |zone: Zone| now.in_zone(zone.offset()).date_naive();
    let days = (day(Zone::Wib), day(Zone::Wit));
    let mut reading = app.db.reading().await?;
    let rounds = round_store::list_live(&mut reading, days, ROUNDS).await?;
    let mut due = Vec::new();
    for round in rounds.iter().filter(|round| is_due(app, round, now)) {
        let items = round_plan::list_without_code(&mut reading, round.id, BATCH).await?;
        due.extend(items.into_iter().map(|item| (round.id, item)));
    }
    drop(reading);
    let mut count = 0;
    for (round, item) in due {
        match tell(app, round, item).await {
            Ok(is_told) => count += u64::from(is_told),
            Err(RoundError::Service(ServiceError::Store(error @ StoreError::Unavailable(_)))) => {
                return Err(error.into());
            }
            // One that cannot be told must not hold up the others; it is tried again.
            Err(error) => tracing::error!(item = %item, "cannot tell a hand-over code: {error}"),
        }
    }
    if count > 0 {
        app.signals.wake_outbox();
    }
    Ok(count)
}

/// Whether it is the round's morning, and not over yet.
fn is_due(app: &App, round: &Round, now: Timestamp) -> bool {
    let local = now.in_zone(app.zone(Some(&round.area)).offset());
    matches!(round.state, RoundState::Announced | RoundState::Out)
        && round.day == today(app, round, now)
        && local.time() >= app.settings.round.code_at
        && local.time() < round.to
}

async fn tell(app: &App, round: RoundId, item: ItemId) -> Result<bool, RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let Some(round) = round_store::lock_round(&mut tx, &app.db, round).await? else {
        return Ok(false);
    };
    let Some(mut item) = round_item::lock_item(&mut tx, &app.db, item).await? else {
        return Ok(false);
    };
    if !is_due(app, &round, now) || item.state != ItemState::Announced || item.code_at.is_some() {
        return Ok(false);
    }
    // Whose card is elsewhere by now is not told to wait for it.
    let card = card::lock_card(&mut tx, &app.db, item.card).await?;
    if card.is_none_or(|card| card.on_file.status != CardStatus::HomeDeliveryScheduled) {
        return Ok(false);
    }
    let random = getrandom::u64().map_err(|_| ServiceError::Text("no randomness".to_owned()))?;
    let code = code(random);
    let kind = AnnouncementKind::HomeDeliveryCode;
    let values = [("code", code.clone(), code.clone())];
    let said = (kind, "code", values.as_slice());
    let is_told = say_beside(app, &mut tx, (&item, &round), said, now).await?;
    // Whom nobody can tell has no code: the courier hands over by name and reason.
    item.code_hash = is_told.then(|| code_hash(app, item.id, &code));
    item.code_at = Some(now);
    round_item::save_item(&mut tx, &app.db, &mut item, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}
