//! Takes what couriers report from the door, each report once, in whatever order a poor network
//! brings them.
//!
//! Nothing that a courier said is lost: what contradicts is kept for the office to decide.

use serde::{Deserialize, Serialize};

use super::view::{CourierItem, shown_now};
use super::{RoundError, follow, may_see, today};
use crate::domain::audit::Action;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{ItemId, RoundId};
use crate::domain::officer::{Actor, Right};
use crate::domain::redact::redact;
use crate::domain::round::{
    AtTheDoor, CodeWord, ItemState, OldCard, Outcome, Receipt, ReceivedBy, RoundState, Verdict,
    after_outcome, check_receipt, contradiction,
};
use crate::service::card::{self, OwnWord};
use crate::service::custody::{self, CustodyError};
use crate::service::{App, ServiceError, officer};
use crate::store::round::Round;
use crate::store::round_item::{self, Item};
use crate::store::round_report::{self, NewReport};
use crate::store::{StoreError, Tx, round as round_store};

/// Reports of one call, at most.
pub const MAX_REPORTS: usize = 500;
/// Longest text of a report that is kept.
const MAX_TEXT: usize = 500;
/// Two phones at once collide; the later one then finds what the first did.
const MAX_COLLISIONS: usize = 5;

/// What a courier's phone says happened at a door. Everything but the key may be missing: what is
/// wrong with one report rejects no other.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Report {
    /// Made by the phone; the same twice is one report.
    pub key: String,
    /// Which item.
    pub item: String,
    /// When, by the phone's clock, in milliseconds.
    pub at: i64,
    /// Word of the outcome.
    pub outcome: String,
    /// Who received it: self, family, override.
    pub by: String,
    /// Their name.
    pub receiver: String,
    /// The four digits.
    pub code: String,
    /// yes, no, `police_letter`.
    pub old_card: String,
    /// Why without a code.
    pub reason: String,
    /// Anything else.
    pub note: String,
    /// The item's version that the phone saw.
    pub version: i64,
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Report({}, {})", self.item, self.outcome)
    }
}

/// What became of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Reported {
    /// Its key.
    pub key: String,
    /// Word of what became of it; `repeated` when it was here before.
    pub result: String,
    /// The item as it is now; none when there is no such item.
    pub item: Option<CourierItem>,
    /// One word more: why not, and of a repeated one what became of it the first time.
    pub why: String,
}

/// Takes a courier's reports in their order; each is a transaction of its own. The answer names
/// every report by its key.
///
/// # Errors
/// [`RoundError::NotFound`] when the round is not theirs, or when the database fails; then all of
/// them may be sent again.
pub async fn report(
    app: &App,
    actor: &Actor,
    round: RoundId,
    reports: Vec<Report>,
) -> Result<Vec<Reported>, RoundError> {
    let mut results = Vec::with_capacity(reports.len().min(MAX_REPORTS));
    for report in reports.into_iter().take(MAX_REPORTS) {
        match take_or_try(app, actor, round, &report).await {
            Err(RoundError::Service(error)) if !is_passing(&error) => {
                // One that cannot be taken must not hold up those behind it.
                tracing::error!(%round, "cannot take a courier's report: {error}");
                results.push(Reported {
                    key: report.key,
                    result: Verdict::Refused.to_string(),
                    item: None,
                    why: "failed".to_owned(),
                });
            }
            other => results.push(other?),
        }
    }
    app.signals.wake_outbox();
    Ok(results)
}

/// Whether the same may go well a little later.
const fn is_passing(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Store(StoreError::Unavailable(_) | StoreError::Conflict(_)))
}

async fn take_or_try(
    app: &App,
    actor: &Actor,
    round: RoundId,
    report: &Report,
) -> Result<Reported, RoundError> {
    let mut collisions = 0;
    loop {
        match take(app, actor, round, report).await {
            Err(RoundError::Service(ServiceError::Store(StoreError::Conflict(_))))
                if collisions < MAX_COLLISIONS =>
            {
                collisions += 1;
            }
            other => return other,
        }
    }
}

async fn take(
    app: &App,
    actor: &Actor,
    id: RoundId,
    report: &Report,
) -> Result<Reported, RoundError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut round =
        round_store::lock_round(&mut tx, &app.db, id).await?.ok_or(RoundError::NotFound)?;
    if !may_see(app, actor, &round) {
        return Err(RoundError::NotFound);
    }
    let said = |result: Verdict, item, why: &str| Reported {
        key: report.key.clone(),
        result: result.to_string(),
        item,
        why: why.to_owned(),
    };
    if !is_key(&report.key) {
        return Ok(said(Verdict::Refused, None, "key"));
    }
    if let Some((item, first)) = round_report::find_report(&mut tx, id, &report.key).await? {
        let item = round_item::lock_item(&mut tx, &app.db, item).await?;
        let shown = match &item {
            Some(item) => Some(shown_now(app, &mut tx, item).await?),
            None => None,
        };
        return Ok(said(Verdict::Repeated, shown, first.as_str()));
    }
    let item = match report.item.parse::<ItemId>() {
        Ok(item) => round_item::lock_item(&mut tx, &app.db, item).await?,
        Err(_) => None,
    };
    let Some(mut item) = item.filter(|item| item.round == id) else {
        return Ok(said(Verdict::Refused, None, "item"));
    };
    let code = code_word(app, report, &item);
    let (result, why) = settle(app, &mut tx, (actor, report), (&mut round, &mut item), now).await?;
    let kept = Report { code: String::new(), ..report.clone() };
    let new = NewReport {
        round: id,
        key: &report.key,
        item: item.id,
        result,
        why,
        said: &serde_json::to_string(&kept)
            .map_err(|error| ServiceError::Text(error.to_string()))?,
        said_at: Timestamp::from_ms(report.at),
        by: &actor.id,
        code: code.filter(|_| result == Verdict::Conflict).map(CodeWord::as_str),
    };
    round_report::insert_report(&mut tx, &app.db, &new, now).await?;
    let shown = shown_now(app, &mut tx, &item).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(said(result, Some(shown), why))
}

fn is_key(key: &str) -> bool {
    (8..=64).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether the code of a hand-over was right; whoever decides about a contradiction must know.
fn code_word(app: &App, report: &Report, item: &Item) -> Option<CodeWord> {
    if report.outcome.parse() != Ok(Outcome::Received) {
        return None;
    }
    let code = report.code.trim();
    Some(match &item.code_hash {
        Some(hash) if !code.is_empty() && *hash == code_hash(app, item.id, code) => CodeWord::Right,
        Some(_) if !code.is_empty() => CodeWord::Wrong,
        _ => CodeWord::None,
    })
}

/// Does what a report says, or finds out why not.
async fn settle(
    app: &App,
    tx: &mut Tx,
    (actor, report): (&Actor, &Report),
    (round, item): (&mut Round, &mut Item),
    now: Timestamp,
) -> Result<(Verdict, &'static str), RoundError> {
    let Ok(outcome) = report.outcome.parse::<Outcome>() else {
        return Ok((Verdict::Refused, "outcome"));
    };
    if let Some(why) = contradiction(round.state, item.state) {
        return Ok((Verdict::Conflict, why));
    }
    // Of a round that nobody was told of no code is told either: nothing could prove a hand-over.
    if round.state == RoundState::Planned || item.state == ItemState::Planned {
        return Ok((Verdict::Refused, "not_announced"));
    }
    if round.state != RoundState::Out && today(app, round, now) < round.day {
        return Ok((Verdict::Refused, "not_today"));
    }
    if outcome == Outcome::Received
        && let Err((verdict, why)) = prove(app, tx, (actor, report), item, now).await?
    {
        return Ok((verdict, why));
    }
    // Whoever stands at the door has the cards: a start that nobody noted is noted now.
    super::start::begin(app, tx, &actor.id, round, now).await?;
    if let Some(fresh) = round_item::lock_item(tx, &app.db, item.id).await? {
        *item = fresh;
    }
    let has = crate::store::custody::find_holder(tx, item.card).await?.map(|held| held.holder);
    if outcome == Outcome::Received
        && matches!(has, Some(Holder::Point(_) | Holder::Desa(_)) | None)
    {
        // The chain says that it never left: somebody has to look before it is closed.
        return Ok((Verdict::Conflict, "not_with_courier"));
    }
    apply(app, tx, (actor, report), (outcome, item), now).await?;
    Ok((Verdict::Done, ""))
}

/// Whether the card may be handed over like that. Counts a wrong code.
async fn prove(
    app: &App,
    tx: &mut Tx,
    (actor, report): (&Actor, &Report),
    item: &mut Item,
    now: Timestamp,
) -> Result<Result<(), (Verdict, &'static str)>, RoundError> {
    let receipt = Receipt {
        by: report.by.parse::<ReceivedBy>().ok(),
        receiver: &report.receiver,
        code: &report.code,
        old_card: report.old_card.parse().ok(),
        reason: &report.reason,
    };
    let said = code_hash(app, item.id, report.code.trim());
    let is_dealt_with = item.code_hash.is_some() || item.code_at.is_some();
    let door = AtTheDoor {
        is_code_to_come: !is_dealt_with
            && round_item::find_home(tx, &app.db, item.person).await?.has_phone,
        code: item.code_hash.as_ref().map(|hash| *hash == said),
        wrong_codes: item.wrong_codes,
        is_old_card_demanded: app.settings.round.is_old_card_demanded,
        may_override: actor.may(Right::OverrideHandOver),
    };
    let checked = check_receipt(&receipt, &door);
    if matches!(checked, Err((Verdict::WrongCode, _))) {
        item.wrong_codes += 1;
        round_item::save_item(tx, &app.db, item, now).await?;
    }
    Ok(checked)
}

/// Under which hash a code is kept: it holds for its item alone.
pub(super) fn code_hash(app: &App, item: ItemId, code: &str) -> String {
    app.db.index("hand_over_code", &format!("{item}:{code}"))
}

/// Writes an outcome, and lets follow what follows at once.
pub(super) async fn apply(
    app: &App,
    tx: &mut Tx,
    (actor, report): (&Actor, &Report),
    (outcome, item): (Outcome, &mut Item),
    now: Timestamp,
) -> Result<(), RoundError> {
    let (state, next) = after_outcome(outcome, item.attempt);
    item.state = state;
    item.outcome = Some(outcome);
    item.next = next;
    item.next_done_at = None;
    item.note = text(&report.note).or(item.note.take());
    item.reported_at = Some(now);
    item.said_at = Some(Timestamp::from_ms(report.at));
    item.reported_by = Some(actor.id.clone());
    item.old_card = report.old_card.parse::<OldCard>().ok();
    if outcome == Outcome::Received {
        item.received_by = report.by.parse().ok();
        item.receiver = text(&report.receiver).or(item.receiver.take());
        hand_to_holder(app, tx, actor, item, now).await?;
        if item.received_by == Some(ReceivedBy::Override) {
            item.note = text(&report.reason).or(item.note.take());
            officer::note(app, tx, actor, Action::OverrodeCode, &item.id.to_string(), None).await?;
        }
    }
    follow::go_on(app, tx, item, now).await?;
    round_item::save_item(tx, &app.db, item, now).await?;
    Ok(())
}

async fn hand_to_holder(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    item: &Item,
    now: Timestamp,
) -> Result<(), RoundError> {
    let why = item.round.to_string();
    let to = Holder::Citizen;
    match custody::hand_over(tx, app, &actor.id, item.card, None, to, &why).await {
        Ok(_) => {}
        Err(CustodyError::Service(error)) => return Err(error.into()),
        Err(CustodyError::Elsewhere(_)) => return Err(RoundError::NotFound),
    }
    let word = OwnWord { status: Some(CardStatus::Issued), ..OwnWord::default() };
    card::say(app, tx, item.card, word, &follow::cause(item, "received"), now).await?;
    Ok(())
}

/// Words of a courier as they are kept: short, and without numbers that nobody asked for.
fn text(raw: &str) -> Option<String> {
    let short: String = raw.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    (!short.is_empty()).then(|| redact(&short).text)
}
