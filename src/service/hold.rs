//! Asks the office before a whole kecamatan is messaged: what a source changed in bulk is recorded at
//! once, so that who asks is told the truth, and announced only when somebody says that it is news.

use super::announce::{self, Holder};
use super::{App, ServiceError, notice, survey};
use crate::domain::card::{CardStatus, CardUpdate, PhoneGiven};
use crate::domain::card_plan::{self, UpdateOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, HoldId, UpdateId};
use crate::store::card::Card;
use crate::store::hold::{self, Decision};
use crate::store::notice::{NoticeKind, close_notice};
use crate::store::person::Person;
use crate::store::{StoreError, Tx, card, person, source_row};

/// Updates carried out in one transaction.
const CHUNK: i64 = 200;

/// The hold that a source's changes to one status wait in: the one that is undecided, or a new one,
/// which [`open`] opens once something waits in it.
///
/// # Errors
/// When the database fails.
pub(super) async fn find_or_name(
    app: &App,
    tx: &mut Tx,
    source: &str,
    status: CardStatus,
    now: Timestamp,
) -> Result<HoldId, ServiceError> {
    Ok(hold::find_undecided(tx, source, status).await?.unwrap_or_else(|| app.ids.next(now)))
}

/// Opens a hold over a source's changes to one status, or notes that it grew.
///
/// # Errors
/// When the database fails.
pub(super) async fn open(
    app: &App,
    tx: &mut Tx,
    id: HoldId,
    (source, status): (&str, CardStatus),
    now: Timestamp,
) -> Result<(), ServiceError> {
    hold::upsert_hold(tx, id, source, status, now).await?;
    let detail = format!(
        "{source} changed very many cards to {status} at once; they are recorded, and nobody is \
         told until somebody decides: `kabar source holds`"
    );
    notice::raise(app, tx, NoticeKind::Held, &id.to_string(), &detail, now).await
}

/// Notes what the office decided about a hold; it is carried out by [`step`]. `false` when somebody
/// decided before, or there is no such hold.
///
/// # Errors
/// When the database fails.
pub(super) async fn decide_in(
    app: &App,
    tx: &mut Tx,
    id: HoldId,
    decision: Decision,
    by: &str,
) -> Result<bool, ServiceError> {
    let now = app.now();
    let is_done = hold::mark_decided(tx, id, decision, by, now).await?;
    if is_done {
        close_notice(tx, NoticeKind::Held, &id.to_string(), now).await?;
    }
    Ok(is_done)
}

/// Carries out what was decided; returns how many updates it went through.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let mut count = 0;
    for (id, decision) in hold::list_decided(&app.db).await? {
        loop {
            let done = carry_out(app, id, decision).await?;
            count += done;
            if done == 0 {
                break;
            }
        }
    }
    if count > 0 {
        app.signals.wake_outbox();
    }
    Ok(count)
}

async fn carry_out(app: &App, id: HoldId, decision: Decision) -> Result<u64, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let waiting = hold::claim_waiting(&mut tx, &app.db, id, CHUNK).await?;
    if waiting.is_empty() {
        hold::mark_finished(&mut tx, id, now).await?;
    }
    for (update, card) in &waiting {
        let outcome = match decision {
            Decision::Silent => {
                // Nor does another number or name make news of it later.
                source_row::forget_news(&mut tx, *card).await?;
                UpdateOutcome::Silent
            }
            Decision::Announce => announce_now(app, &mut tx, *update, *card, now).await?,
        };
        hold::mark_outcome(&mut tx, *update, outcome).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(waiting.len() as u64)
}

/// Announces a card's present state, if it is still news: it may have gone on meanwhile.
async fn announce_now(
    app: &App,
    tx: &mut Tx,
    update: UpdateId,
    card: CardId,
    now: Timestamp,
) -> Result<UpdateOutcome, ServiceError> {
    let Some(said) = card::find_said(tx, update).await? else { return Ok(UpdateOutcome::Older) };
    let Some((holder, current, news)) = find_state(app, tx, card).await? else {
        return Ok(UpdateOutcome::Older);
    };
    if (current.on_file.status, current.on_file.status_at) != said {
        return Ok(UpdateOutcome::Older);
    }
    if super::card::is_absent(app, tx, &news).await? {
        return Ok(UpdateOutcome::HolderAbsent);
    }
    let zone = app.zone(holder.area.as_ref()).offset();
    let plan = card_plan::plan(Some(&current.on_file), &news, &app.settings.policy, zone, now);
    if let Some(announcement) = &plan.announcement {
        let whose = Holder { person: &holder, card, area: holder.area.as_ref() };
        let cause = update.to_string();
        if announce::plan_message(app, tx, &whose, announcement, &news, &cause, now).await? {
            card::note_announced(tx, card, &announcement.fingerprint).await?;
        }
    }
    let said = (news.status, news.occurred_at, plan.outcome);
    survey::take_news(app, tx, card, said, now).await?;
    Ok(plan.outcome)
}

/// A card as it is now, held until the end of the transaction, with its holder, and its state as if
/// it were told just now.
///
/// # Errors
/// When the database fails.
pub(super) async fn find_state(
    app: &App,
    tx: &mut Tx,
    id: CardId,
) -> Result<Option<(Person, Card, CardUpdate)>, ServiceError> {
    let Some(current) = card::lock_card(tx, &app.db, id).await? else { return Ok(None) };
    let Some(holder) = person::find_person(tx, &app.db, current.person_id).await? else {
        return Ok(None);
    };
    let Some(nik) = person::find_nik(tx, &app.db, current.person_id).await? else {
        return Ok(None);
    };
    let state = CardUpdate {
        external_id: String::new(),
        occurred_at: current.on_file.status_at,
        nik,
        document: current.document,
        status: current.on_file.status,
        name: None,
        phone: PhoneGiven::NotGiven,
        area: None,
        rt: None,
        rw: None,
        dusun: None,
        address: None,
        service_point: current.service_point.clone(),
        home_delivery: current.home_delivery.clone(),
        is_silent: false,
        is_state: false,
    };
    Ok(Some((holder, current, state)))
}
