//! Home visits in a conversation: what a chat is told of its requests, and what it does: ask, and take back.

use super::{HomeVisitError, HomeVisitWish, keep, settle_before, withdraw_waiting};
use crate::dialogue::{AreaFact, HomeFact, HomeVisitFact};
use crate::domain::appointment::Origin;
use crate::domain::area::AreaCode;
use crate::domain::home_visit::{HomeVisit, HomeVisitEvent, HomeVisitNumber};
use crate::domain::id::{ContactId, HomeVisitId};
use crate::domain::language::Language;
use crate::service::{App, ServiceError, point};
use crate::store::Tx;
use crate::store::area::find_names;
use crate::store::home_visit as store;

/// A number that no open request has.
///
/// # Errors
/// When the database fails, or there is no randomness.
pub(in crate::service) async fn free_number(tx: &mut Tx) -> Result<HomeVisitNumber, ServiceError> {
    const DRAWS: usize = 8;
    let draw = || getrandom::u64().map_err(|_| ServiceError::Text("no randomness".to_owned()));
    let mut number = HomeVisitNumber::from_random(draw()?);
    for _ in 0..DRAWS {
        if !store::is_number_taken(tx, &number).await? {
            break;
        }
        number = HomeVisitNumber::from_random(draw()?);
    }
    Ok(number)
}

/// What a chat has asked for, and whether it may ask for more.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn facts(
    app: &App,
    tx: &mut Tx,
    contact: Option<ContactId>,
    language: Language,
) -> Result<HomeFact, ServiceError> {
    let visits = match contact {
        Some(contact) => store::list_open_of(tx, &app.db, contact, settle_before(app)).await?,
        None => Vec::new(),
    };
    let codes: Vec<AreaCode> = visits.iter().map(|visit| visit.area.clone()).collect();
    let names = find_names(tx, &app.db, &codes).await?;
    let policy = &app.settings.appointment;
    let name = |visit: &HomeVisit| names.get(&visit.area).cloned().unwrap_or_default();
    Ok(HomeFact {
        own: visits.iter().map(|visit| fact(app, visit, name(visit), language)).collect(),
        most: policy.most_home_visits,
        days: policy.home_visit_days,
        number: free_number(tx).await?.to_string(),
    })
}

fn fact(app: &App, visit: &HomeVisit, desa: String, language: Language) -> HomeVisitFact {
    let words = app.templates.vocabulary().speaking(language);
    let zone = visit.area.zone();
    let schedule = visit.schedule.as_ref();
    let say = |how: &dyn Fn(&super::Schedule) -> String| schedule.map(how).unwrap_or_default();
    HomeVisitFact {
        id: visit.id,
        number: visit.number.to_string(),
        desa,
        day: say(&|at| words.date(at.day)),
        day_short: say(&|at| words.date_short(at.day)),
        window: say(&|at| words.window(Some(at.from), Some(at.to), zone)),
        window_short: say(&|at| words.window_short(Some(at.from), Some(at.to), zone)),
    }
}

/// Where officers may be asked to come to: the kecamatan and desa on file round about that are the office's.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn desas(
    app: &App,
    tx: &mut Tx,
    area: &AreaCode,
) -> Result<Vec<AreaFact>, ServiceError> {
    let office = &app.settings.office_area;
    // Somebody of another kabupaten asks for somebody here.
    let near = if area.is_within(office) { area } else { office };
    let mut areas = point::areas(app, tx, near).await?;
    areas.retain(|area| area.code.is_within(office) || office.is_within(&area.code));
    Ok(areas)
}

/// A chat asks for somebody of its family, under the number that it is told, in the transaction of its answer.
///
/// # Errors
/// [`HomeVisitError`] with what stands in the way.
pub(in crate::service) async fn ask(
    app: &App,
    tx: &mut Tx,
    contact: ContactId,
    (wish, number): (HomeVisitWish, HomeVisitNumber),
) -> Result<HomeVisit, HomeVisitError> {
    let open = store::list_open_of(tx, &app.db, contact, settle_before(app)).await?.len();
    if i64::try_from(open).unwrap_or(i64::MAX) >= app.settings.appointment.most_home_visits {
        return Err(HomeVisitError::TooMany);
    }
    keep(app, tx, (Origin::Chat, Some(contact), "chat"), (wish, number)).await
}

/// Takes back a request of that chat; of another's, or of one that is over, nothing.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn withdraw(
    app: &App,
    tx: &mut Tx,
    contact: ContactId,
    id: HomeVisitId,
) -> Result<(), ServiceError> {
    let now = app.now();
    let found = store::lock_home_visit(tx, &app.db, id).await?;
    let Some(mut visit) = found.filter(|found| found.contact == Some(contact)) else {
        return Ok(());
    };
    if visit.happen(HomeVisitEvent::Cancel) {
        visit.ended_at = Some(now);
        withdraw_waiting(tx, &visit, now).await?;
        store::update_home_visit(tx, &visit, "chat").await?;
    }
    Ok(())
}
