//! Home visits: asked for by a chat or a desa, scheduled or declined by the office, told to whoever asked.
//!
//! A request and what is told of it change in one transaction. Nobody is promised a day before an officer gave one.

use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

pub(in crate::service) mod chat;

use super::announce::{self, ToContact};
use super::officer::note;
use super::{App, ServiceError};
use crate::domain::appointment::Origin;
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::audit::Action;
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::home_visit::{
    HomeVisit, HomeVisitEvent, HomeVisitNumber, HomeVisitState, HomeVisitWork, LONGEST_PLACE,
    Schedule, ScheduleError, VisitFor, line,
};
use crate::domain::id::{ContactId, HomeVisitId};
use crate::domain::officer::{Actor, Right};
use crate::domain::reason::{ReasonError, check_reason};
use crate::store::area::find_names;
use crate::store::home_visit::{self as store};
use crate::store::{StoreError, Tx, waiting};

/// Reminders of one transaction, and how many of those a round has.
const PAGE: (i64, usize) = (50, 10);

/// Why something could not be done with a request.
#[derive(Debug, thiserror::Error)]
pub enum HomeVisitError {
    /// There is none, or it is not theirs to see.
    #[error("there is no such request in this area")]
    NotFound,
    /// It is not theirs to do.
    #[error("this role does not do that with home visits")]
    Forbidden,
    /// No way there.
    #[error("say the way there, RT and RW, in 1 to {LONGEST_PLACE} characters on one line")]
    Place,
    /// Not in the area of whoever asks, or no desa that is on file.
    #[error("give the code of a desa on file within this area")]
    Area,
    /// The schedule does not hold.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A reason that the asker cannot be given.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// It is to come on a day that lies ahead.
    #[error("the day of the visit has not come: nobody was there yet")]
    Early,
    /// The request is somewhere else on its way.
    #[error("the request is {0}: this cannot be done any more")]
    State(HomeVisitState),
    /// The chat has as many open requests as one may have.
    #[error("this chat has as many open requests as one may have")]
    TooMany,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] ServiceError),
}

impl From<StoreError> for HomeVisitError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct HomeVisitWish {
    /// Where to go.
    pub area: AreaCode,
    /// To whom.
    pub whom: VisitFor,
    /// What for.
    pub work: HomeVisitWork,
    /// The way there, in words.
    pub place: String,
}

/// What an officer does with a request.
#[derive(Clone, Debug)]
pub enum HomeVisitWord {
    /// Says when they come, or that it is another day.
    Schedule {
        /// On which day.
        day: NaiveDate,
        /// From when.
        from: NaiveTime,
        /// Until when.
        to: NaiveTime,
        /// Who goes.
        officers: String,
    },
    /// Says that they were there.
    Finish,
    /// Says that they do not come, or not after all, and why.
    Decline(String),
    /// Notes that whoever asked does not want it any more: there is nothing to tell them.
    Withdraw,
}

async fn keep(
    app: &App,
    tx: &mut Tx,
    (origin, contact, by): (Origin, Option<ContactId>, &str),
    (wish, number): (HomeVisitWish, HomeVisitNumber),
) -> Result<HomeVisit, HomeVisitError> {
    let now = app.now();
    let place = line(&wish.place, LONGEST_PLACE).ok_or(HomeVisitError::Place)?;
    let is_desa = wish.area.level() == AreaLevel::Desa;
    let known = find_names(tx, &app.db, std::slice::from_ref(&wish.area)).await?;
    if !is_desa || known.is_empty() || !wish.area.is_within(&app.settings.office_area) {
        return Err(HomeVisitError::Area);
    }
    let visit = HomeVisit {
        id: app.ids.next(now),
        number,
        origin,
        contact,
        area: wish.area,
        whom: wish.whom,
        work: wish.work,
        place,
        state: HomeVisitState::Requested,
        schedule: None,
        because: None,
        changes: 0,
        made_at: now,
        made_by: by.to_owned(),
        ended_at: None,
    };
    store::insert_home_visit(tx, &app.db, &visit).await?;
    Ok(visit)
}

/// An officer of a desa, or another, asks for somebody.
///
/// # Errors
/// [`HomeVisitError`] with what stands in the way.
pub async fn request(
    app: &App,
    actor: &Actor,
    wish: HomeVisitWish,
) -> Result<HomeVisit, HomeVisitError> {
    if !actor.may(Right::RunCounter) {
        return Err(HomeVisitError::Forbidden);
    }
    if !actor.covers(Some(&wish.area), &app.settings.office_area) {
        return Err(HomeVisitError::Area);
    }
    let mut tx = app.db.begin().await?;
    let number = chat::free_number(&mut tx).await?;
    let by = (Origin::Desk, None, actor.id.as_str());
    let visit = keep(app, &mut tx, by, (wish, number)).await?;
    note(app, &mut tx, actor, Action::RequestedHomeVisit, &visit.id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(visit)
}

/// Requests made before then have waited longer than the office takes to answer.
#[must_use]
pub fn answer_before(app: &App) -> Timestamp {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let days = u32::try_from(app.settings.appointment.home_visit_days).unwrap_or(1);
    app.now().before(DAY * days)
}

/// Visits of days before this one should long have been settled: they stand on the morning page, and a chat may ask
/// for another.
#[must_use]
pub fn settle_before(app: &App) -> NaiveDate {
    let today = app.now().in_zone(app.zone(None).offset()).date_naive();
    let days = u64::try_from(app.settings.appointment.home_visit_settle_days).unwrap_or(1);
    today.checked_sub_days(chrono::Days::new(days)).unwrap_or(today)
}

/// A request as an officer sees it, with the way there; the look is noted.
///
/// # Errors
/// [`HomeVisitError`]: none in their area, or no right.
pub async fn look_at(
    app: &App,
    actor: &Actor,
    id: HomeVisitId,
) -> Result<HomeVisit, HomeVisitError> {
    if !actor.may(Right::RunCounter) {
        return Err(HomeVisitError::Forbidden);
    }
    let mut tx = app.db.begin().await?;
    let visit = store::find_home_visit(&mut tx, &app.db, id).await?;
    let visit = visit.ok_or(HomeVisitError::NotFound)?;
    if !actor.covers(Some(&visit.area), &app.settings.office_area) {
        return Err(HomeVisitError::NotFound);
    }
    note(app, &mut tx, actor, Action::LookedAtHomeVisit, &id.to_string(), None).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(visit)
}

/// Does what an officer says with a request; whoever asked in a chat is told.
///
/// # Errors
/// [`HomeVisitError`] with what stands in the way.
pub async fn act(
    app: &App,
    actor: &Actor,
    id: HomeVisitId,
    word: HomeVisitWord,
) -> Result<HomeVisit, HomeVisitError> {
    let (needs, event, action) = match word {
        HomeVisitWord::Schedule { .. } => {
            (Right::ChangePoints, HomeVisitEvent::Schedule, Action::ScheduledHomeVisit)
        }
        HomeVisitWord::Decline(_) => {
            (Right::ChangePoints, HomeVisitEvent::Decline, Action::SettledHomeVisit)
        }
        HomeVisitWord::Finish => {
            (Right::RunCounter, HomeVisitEvent::Finish, Action::SettledHomeVisit)
        }
        HomeVisitWord::Withdraw => {
            (Right::RunCounter, HomeVisitEvent::Cancel, Action::SettledHomeVisit)
        }
    };
    if !actor.may(needs) {
        return Err(HomeVisitError::Forbidden);
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let visit = store::lock_home_visit(&mut tx, &app.db, id).await?;
    let mut visit = visit.ok_or(HomeVisitError::NotFound)?;
    if !actor.covers(Some(&visit.area), &app.settings.office_area) {
        return Err(HomeVisitError::NotFound);
    }
    let before = visit.state;
    if !visit.happen(event) {
        return Err(HomeVisitError::State(before));
    }
    let kind = match word {
        HomeVisitWord::Schedule { day, from, to, officers } => {
            let clock = now.in_zone(visit.area.zone().offset()).naive_local();
            let schedule = Schedule::parse(day, (from, to), &officers, clock)?;
            let is_told_anew = visit
                .schedule
                .as_ref()
                .is_none_or(|old| (old.day, old.from, old.to) != (day, from, to));
            visit.schedule = Some(schedule);
            // Other officers on the same day are nothing the asker has to hear of.
            if is_told_anew {
                // A day that nobody heard of yet is no day that changed.
                let unheard = withdraw_waiting(&mut tx, &visit, now).await?;
                visit.changes += 1;
                let is_first = before != HomeVisitState::Scheduled
                    || unheard.contains(&AnnouncementKind::HomeVisitScheduled);
                Some(if is_first {
                    AnnouncementKind::HomeVisitScheduled
                } else {
                    AnnouncementKind::HomeVisitMoved
                })
            } else {
                None
            }
        }
        HomeVisitWord::Decline(because) => {
            visit.because = Some(check_reason(&because)?);
            Some(AnnouncementKind::HomeVisitDeclined)
        }
        HomeVisitWord::Withdraw => None,
        HomeVisitWord::Finish => {
            let today = now.in_zone(visit.area.zone().offset()).date_naive();
            if visit.schedule.as_ref().is_some_and(|schedule| schedule.day > today) {
                return Err(HomeVisitError::Early);
            }
            None
        }
    };
    if !visit.state.is_open() {
        visit.ended_at = Some(now);
        withdraw_waiting(&mut tx, &visit, now).await?;
    }
    store::update_home_visit(&mut tx, &visit, &actor.id).await?;
    // Who hears of the day on its eve needs no second word the same evening.
    if visit.schedule.as_ref().is_some_and(|schedule| now >= remind_at(app, &visit, schedule)) {
        store::mark_reminded(&mut tx, id, now).await?;
    }
    if let Some(kind) = kind {
        tell(app, &mut tx, kind, &visit, now).await?;
    }
    note(app, &mut tx, actor, action, &id.to_string(), Some(event.as_str())).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(visit)
}

fn moment(visit: &HomeVisit, at: NaiveDateTime) -> Timestamp {
    // A fixed offset maps every local time to exactly one moment.
    let moment = at.and_local_timezone(visit.area.zone().offset()).single();
    moment.map_or(Timestamp::from_ms(0), Timestamp::from)
}

/// When somebody is reminded: the day before.
fn remind_at(app: &App, visit: &HomeVisit, schedule: &Schedule) -> Timestamp {
    let eve = schedule.day.pred_opt().unwrap_or(schedule.day);
    moment(visit, eve.and_time(app.settings.appointment.remind_at))
}

/// What the message of a kind about the schedule of this moment is known by: the same is planned once.
fn cause(kind: AnnouncementKind, visit: &HomeVisit) -> String {
    format!("{kind}:{}:{}", visit.id, visit.changes)
}

/// Withdraws what still waits to be told of the schedule of this moment. Returns what nobody heard.
async fn withdraw_waiting(
    tx: &mut Tx,
    visit: &HomeVisit,
    now: Timestamp,
) -> Result<Vec<AnnouncementKind>, ServiceError> {
    const KINDS: [AnnouncementKind; 3] = [
        AnnouncementKind::HomeVisitScheduled,
        AnnouncementKind::HomeVisitMoved,
        AnnouncementKind::HomeVisitReminder,
    ];
    let mut unheard = Vec::new();
    for kind in KINDS {
        let key = announce::key_of(&cause(kind, visit));
        if waiting::withdraw(tx, &key, "superseded", now).await? {
            unheard.push(kind);
        }
    }
    Ok(unheard)
}

/// Tells the chat that asked. `false` when there is none, or it must not be written to.
async fn tell(
    app: &App,
    tx: &mut Tx,
    kind: AnnouncementKind,
    visit: &HomeVisit,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let Some(contact) = visit.contact else { return Ok(false) };
    if !app.settings.policy.enabled.contains(&kind) {
        return Ok(false);
    }
    let words = app.templates.vocabulary();
    let same = |name, value: String| (name, value.clone(), value);
    let mut all = vec![same("number", visit.number.to_string())];
    let mut expires_at = None;
    if let Some(schedule) = &visit.schedule {
        let zone = visit.area.zone();
        let (from, to) = (Some(schedule.from), Some(schedule.to));
        all.push(("date", words.date(schedule.day), words.date_short(schedule.day)));
        let window = words.window(from, to, zone);
        all.push(("window", window, words.window_short(from, to, zone)));
        expires_at = Some(moment(visit, schedule.day.and_time(schedule.to)));
    }
    if let Some(because) = &visit.because {
        all.push(same("reason", because.clone()));
    }
    let cause = cause(kind, visit);
    let is_refusal = kind == AnnouncementKind::HomeVisitDeclined;
    let to = ToContact {
        contact,
        person: None,
        area: &visit.area,
        kind,
        cause: &cause,
        expires_at: expires_at.filter(|_| !is_refusal),
    };
    announce::plan_for_contact(app, tx, &to, &all, now).await
}

/// Reminds those to whom officers come tomorrow. Returns how many were dealt with.
///
/// # Errors
/// When the database fails, or a text cannot be made.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let (mut count, mut after) = (0, String::new());
    for _ in 0..PAGE.1 {
        let now = app.now();
        // Two days by the world's clock hold tomorrow in every zone.
        let until = now.utc().date_naive() + chrono::Days::new(2);
        let mut tx = app.db.begin().await?;
        let page = store::list_unreminded(&mut tx, &app.db, (until, &after), PAGE.0).await?;
        for visit in &page {
            let Some(schedule) = &visit.schedule else { continue };
            if now < remind_at(app, visit, schedule) {
                continue;
            }
            // Where nobody looked in time there is nothing left to remind of.
            if now < moment(visit, schedule.day.and_time(schedule.from)) {
                tell(app, &mut tx, AnnouncementKind::HomeVisitReminder, visit, now).await?;
            }
            store::mark_reminded(&mut tx, visit.id, now).await?;
            count += 1;
        }
        tx.commit().await.map_err(StoreError::from)?;
        match page.last() {
            Some(last) if page.len() == usize::try_from(PAGE.0).unwrap_or(usize::MAX) => {
                after = last.id.to_string();
            }
            _ => break,
        }
    }
    Ok(count)
}
