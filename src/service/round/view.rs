//! A round as its courier sees it: no NIK and no phone number.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{RoundError, may_see};
use crate::domain::id::{PersonId, RoundId};
use crate::domain::officer::Actor;
use crate::domain::person::PersonName;
use crate::domain::round::{Answer, MAX_WRONG_CODES};
use crate::service::App;
use crate::store::round::Round;
use crate::store::round_item::{self, Home, Item};
use crate::store::{StoreError, round as round_store};

/// A round as its courier sees it.
#[derive(Clone, Debug, Serialize)]
pub struct CourierRound {
    /// Its id.
    pub id: String,
    /// Its day, `2026-11-24`.
    pub date: String,
    /// Start of the window, `09:00`.
    pub from: String,
    /// End of the window.
    pub to: String,
    /// Dotted code of its area.
    pub area: String,
    /// Word of its state.
    pub state: String,
    /// Its cards in the order of the way.
    pub items: Vec<CourierItem>,
}

/// A card as the courier sees it.
#[derive(Clone, Serialize, serde::Deserialize, PartialEq, Eq)]
pub struct CourierItem {
    /// Its id.
    pub id: String,
    /// Order on the way, from 1.
    pub position: i64,
    /// The holder's name, as it stands on the card.
    pub name: String,
    /// RT.
    pub rt: String,
    /// RW.
    pub rw: String,
    /// Dusun.
    pub dusun: String,
    /// Street and number.
    pub address: String,
    /// Last part of the announcement's reference.
    pub tail: String,
    /// The holder was told a code, or will be: without a number there is none.
    pub phone: bool,
    /// Word of what the citizen answered; empty for nothing.
    pub answer: String,
    /// Who receives or received it; empty for nobody in particular.
    pub receiver: String,
    /// The courier's words.
    pub note: String,
    /// Word of its state.
    pub state: String,
    /// Word of the outcome; empty before there is one.
    pub outcome: String,
    /// Codes that may still be tried.
    pub attempts_left: i64,
    /// Counts every change.
    pub version: i64,
    /// The office demands the old card, or a letter of the police.
    pub old_card_demanded: bool,
}

impl std::fmt::Debug for CourierItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CourierItem({}, {})", self.id, self.state)
    }
}

/// A round for its courier, or an officer of its area.
///
/// # Errors
/// [`RoundError::NotFound`] when there is none, or it is not theirs to see.
pub async fn for_courier(
    app: &App,
    actor: &Actor,
    id: RoundId,
) -> Result<CourierRound, RoundError> {
    let mut reading = app.db.reading().await.map_err(RoundError::from)?;
    let round = round_store::find_round(&mut reading, id).await?.ok_or(RoundError::NotFound)?;
    if !may_see(app, actor, &round) {
        return Err(RoundError::NotFound);
    }
    let items = round_item::list_of_round(&mut reading, &app.db, id).await?;
    let homes = round_item::list_homes(&mut reading, &app.db, id).await?;
    Ok(view(app, &round, &items, &homes))
}

fn view(
    app: &App,
    round: &Round,
    items: &[Item],
    homes: &BTreeMap<PersonId, Home>,
) -> CourierRound {
    let nowhere = Home::default();
    CourierRound {
        id: round.id.to_string(),
        date: round.day.to_string(),
        from: round.from.format("%H:%M").to_string(),
        to: round.to.format("%H:%M").to_string(),
        area: round.area.to_string(),
        state: round.state.to_string(),
        items: items
            .iter()
            .map(|item| shown(app, item, homes.get(&item.person).unwrap_or(&nowhere)))
            .collect(),
    }
}

/// One card as its courier sees it.
pub(super) fn shown(app: &App, item: &Item, home: &Home) -> CourierItem {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let tail = item.reference.as_deref().and_then(|reference| reference.rsplit_once('-'));
    CourierItem {
        id: item.id.to_string(),
        position: item.position,
        name: home
            .name
            .as_deref()
            .and_then(PersonName::parse)
            .map(|name| name.expose().to_owned())
            .unwrap_or_default(),
        rt: text(&home.rt),
        rw: text(&home.rw),
        dusun: text(&home.dusun),
        address: text(&home.address),
        tail: tail.map(|(_, tail)| tail.to_owned()).unwrap_or_default(),
        phone: item.code_hash.is_some() || (item.code_at.is_none() && home.has_phone),
        answer: item.answer.map_or("", Answer::as_str).to_owned(),
        receiver: text(&item.receiver),
        note: text(&item.note),
        state: item.state.to_string(),
        outcome: item.outcome.map(|outcome| outcome.to_string()).unwrap_or_default(),
        attempts_left: (MAX_WRONG_CODES - item.wrong_codes).max(0),
        version: item.version,
        old_card_demanded: app.settings.round.is_old_card_demanded,
    }
}

/// One card as it is now, within a transaction.
pub(super) async fn shown_now(
    app: &App,
    tx: &mut crate::store::Tx,
    item: &Item,
) -> Result<CourierItem, StoreError> {
    let home = round_item::find_home(tx, &app.db, item.person).await?;
    Ok(shown(app, item, &home))
}
