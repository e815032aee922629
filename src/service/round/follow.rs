//! What follows when a card was not handed over: where it goes, and what its holder hears of it.

use super::may_be_out;
use crate::domain::absence::Absence;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::round::{Next, Outcome};
use crate::service::card::{self, OWN_SOURCE, OwnWord};
use crate::service::collection::desa_code;
use crate::service::{App, ServiceError};
use crate::store::round_item::Item;
use crate::store::{Tx, custody, message, person, round, source_row};

/// Withdraws what the announcement of an item said of its card: nobody is told, and whoever asks
/// hears where the card really is.
pub(super) async fn take_back(
    app: &App,
    tx: &mut Tx,
    item: &Item,
    now: Timestamp,
) -> Result<u64, ServiceError> {
    // What a source said meanwhile stands.
    let card = crate::store::card::lock_card(tx, &app.db, item.card).await?;
    if card.is_none_or(|card| card.on_file.status != CardStatus::HomeDeliveryScheduled) {
        return Ok(0);
    }
    let withdrawn = message::cancel_waiting_of_card(tx, item.card, "superseded", now).await?;
    let point = if let Holder::Point(code) = &item.origin { Some(code.clone()) } else { None };
    let word = OwnWord {
        status: Some(item.before),
        service_point: point,
        home_delivery: None,
        is_silent: true,
    };
    card::say(app, tx, item.card, word, &cause(item, "back"), now).await?;
    crate::store::card::forget_announced(tx, item.card).await?;
    Ok(withdrawn)
}

/// Does what follows as soon as the card lies in an office again; before that nothing is said, as
/// it cannot be had there. Called whenever an item or its card moved.
pub(super) async fn go_on(
    app: &App,
    tx: &mut Tx,
    item: &mut Item,
    now: Timestamp,
) -> Result<(), ServiceError> {
    if item.next_done_at.is_some() {
        return Ok(());
    }
    let has = custody::find_holder(tx, item.card).await?.map(|held| held.holder);
    match item.next {
        // As long as the courier has the card, they may come back and find it was not so.
        Some(Next::Absent) if matches!(has, Some(Holder::Courier(_))) => {}
        Some(Next::Absent) => {
            let absence =
                if item.outcome == Some(Outcome::Died) { Absence::Died } else { Absence::Moved };
            note_absence(app, tx, item, absence, now).await?;
            item.next_done_at = Some(now);
        }
        Some(Next::Collect) => {
            let round = round::find_round(tx, item.round).await?;
            if round.is_some_and(|round| may_be_out(app, &round, now)) {
                return Ok(());
            }
            let point = match has {
                Some(Holder::Point(code)) => Some(code),
                Some(Holder::Desa(area)) => Some(desa_code(&area)),
                _ => return Ok(()),
            };
            let word = OwnWord {
                status: Some(CardStatus::ReadyToCollect),
                service_point: point,
                home_delivery: None,
                is_silent: false,
            };
            card::say(app, tx, item.card, word, &cause(item, "collect"), now).await?;
            item.next_done_at = Some(now);
        }
        _ => {}
    }
    Ok(())
}

async fn note_absence(
    app: &App,
    tx: &mut Tx,
    item: &Item,
    absence: Absence,
    now: Timestamp,
) -> Result<(), ServiceError> {
    if let Some(nik) = person::find_nik(tx, &app.db, item.person).await? {
        let hash = person::nik_hash(&app.db, &nik);
        source_row::note_absence(tx, OWN_SOURCE, &hash, absence, now).await?;
    }
    message::cancel_waiting_of_card(tx, item.card, "holder_absent", now).await?;
    Ok(())
}

/// Names what happens to an item now, so that it happens once.
pub(super) fn cause(item: &Item, what: &str) -> String {
    format!("round:{}:{what}:{}", item.id, item.version)
}
