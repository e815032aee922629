//! The staff of a service point: its dinas says who works there, and who does no more.
//!
//! Grants no right: what somebody may do goes by role and area alone.

use super::officer::note;
use super::{App, ServiceError};
use crate::domain::audit::Action;
use crate::domain::id::OfficerId;
use crate::domain::officer::{Actor, Right};
use crate::store::officer::{Officer, find_officer};
use crate::store::point_staff::{end_staff, insert_staff};
use crate::store::service_point::{ServicePoint, find_point};
use crate::store::{StoreError, Tx};

/// Why somebody cannot be made staff of a point, or be taken from it.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No such point, or officer, in the area of whoever asks.
    #[error("there is no such service point or officer in this area")]
    NotFound,
    /// No right to it.
    #[error("this role does not say who works at a point")]
    Forbidden,
    /// Their role, or where they work, does not fit.
    #[error("this officer serves no counter at that place: look at role and area")]
    Unfit,
}

impl From<StoreError> for StaffError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// Whether somebody may work at a point: they serve counters, and the point lies where they work, or around it.
#[must_use]
pub fn fits(officer: &Officer, point: &ServicePoint) -> bool {
    let is_near = point.area.is_within(&officer.area) || officer.area.is_within(&point.area);
    officer.disabled_at.is_none() && officer.role.may(Right::RunCounter) && is_near
}

async fn open(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    code: &str,
) -> Result<ServicePoint, StaffError> {
    if !actor.may(Right::ManageOfficers) {
        return Err(StaffError::Forbidden);
    }
    let point = find_point(tx, code).await?.ok_or(StaffError::NotFound)?;
    if !actor.covers(Some(&point.area), &app.settings.office_area) {
        return Err(StaffError::NotFound);
    }
    Ok(point)
}

/// Somebody works at a point from now on. Told twice it is noted once.
///
/// # Errors
/// [`StaffError`].
pub async fn assign(
    app: &App,
    actor: &Actor,
    code: &str,
    officer: OfficerId,
) -> Result<(), StaffError> {
    let found = find_officer(&app.db, officer).await?.ok_or(StaffError::NotFound)?;
    let mut tx = app.db.begin().await?;
    let point = open(app, &mut tx, actor, code).await?;
    if !fits(&found, &point) {
        return Err(StaffError::Unfit);
    }
    if insert_staff(&mut tx, code, officer, &actor.id, app.now()).await? {
        let detail = format!("{officer} since");
        note(app, &mut tx, actor, Action::ChangedStaff, code, Some(&detail)).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Somebody works at a point no more.
///
/// # Errors
/// [`StaffError`].
pub async fn end(
    app: &App,
    actor: &Actor,
    code: &str,
    officer: OfficerId,
) -> Result<(), StaffError> {
    let mut tx = app.db.begin().await?;
    open(app, &mut tx, actor, code).await?;
    if end_staff(&mut tx, code, officer, &actor.id, app.now()).await? {
        let detail = format!("{officer} until");
        note(app, &mut tx, actor, Action::ChangedStaff, code, Some(&detail)).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}
