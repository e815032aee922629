//! What the office says in its own words: written as a draft, tried on every channel, published, taken back.
//!
//! A draft may have faults; what citizens read never has. Every process reads anew what another published, within
//! a minute.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::by::By;
use super::{App, ServiceError};
use crate::dialogue::Script;
pub use crate::dialogue::{OwnAnswer, PaperForm};
use crate::domain::audit::Action;
use crate::store::StoreError;
use crate::store::area::find_names;
use crate::store::own_answer::{
    Version, VersionState, delete_draft, list_present, list_versions, mark_ended, mark_published,
    upsert_draft,
};

/// Versions of one answer that are shown.
const SHOWN: i64 = 50;
/// Longest answer that is kept, in bytes of its parts.
const MAX_PARTS: usize = 64 * 1024;

/// Why a draft does not become what citizens read.
#[derive(Debug, thiserror::Error)]
pub enum OwnAnswerError {
    /// No answer has that label.
    #[error("there is no such answer")]
    NotFound,
    /// It is another draft by now, or none.
    #[error("the draft was changed since")]
    Changed,
    /// It breaks a rule that every answer keeps; each is said.
    #[error("the draft has faults")]
    Faults(Vec<String>),
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for OwnAnswerError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// An answer with everything the office wrote about it.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What is being written, and what is wrong with it.
    pub draft: Option<(Version, OwnAnswer, Vec<String>)>,
    /// What citizens read in the office's own words.
    pub published: Option<(Version, OwnAnswer)>,
    /// What was told before, the newest first.
    pub before: Vec<(Version, OwnAnswer)>,
}

/// Shows an answer to whoever may edit it.
///
/// # Errors
/// [`OwnAnswerError::NotFound`], or when the database fails.
pub async fn show(app: &App, label: &str) -> Result<Desk, OwnAnswerError> {
    if app.files.answer(label).is_none() {
        return Err(OwnAnswerError::NotFound);
    }
    let mut desk = Desk { draft: None, published: None, before: Vec::new() };
    for version in list_versions(&app.db, label, SHOWN).await? {
        let parts = parts(&version)?;
        match version.state {
            VersionState::Draft => {
                let faults = faults(app, label, &parts);
                desk.draft = Some((version, parts, faults));
            }
            VersionState::Published => desk.published = Some((version, parts)),
            VersionState::Replaced | VersionState::Withdrawn => desk.before.push((version, parts)),
        }
    }
    Ok(desk)
}

fn faults(app: &App, label: &str, own: &OwnAnswer) -> Vec<String> {
    app.files.own_faults(&app.settings.office_area, label, own)
}

fn parts(version: &Version) -> Result<OwnAnswer, StoreError> {
    serde_json::from_str(&version.parts).map_err(|_| StoreError::Corrupt {
        table: "own_answer",
        column: "parts",
        id: version.id.to_string(),
        reason: "not the parts of an answer",
    })
}

/// The script as it would be if a draft were published.
#[must_use]
pub fn preview(app: &App, label: &str, own: &OwnAnswer) -> Script {
    app.files.with_own(&app.settings.office_area, None, std::iter::once((label, own)))
}

/// What an officer begins with: the parts as they hold for the office at present.
#[must_use]
pub fn present(app: &App, label: &str) -> Option<OwnAnswer> {
    app.script().parts(label, &app.settings.office_area)
}

/// Keeps a draft, with whatever faults it has.
///
/// # Errors
/// [`OwnAnswerError::NotFound`], or when the database fails.
pub async fn draft(app: &App, label: &str, own: &OwnAnswer, by: &By) -> Result<(), OwnAnswerError> {
    if app.files.answer(label).is_none() {
        return Err(OwnAnswerError::NotFound);
    }
    let parts = serde_json::to_string(own).unwrap_or_default();
    if parts.len() > MAX_PARTS {
        return Err(OwnAnswerError::Faults(vec!["it is far too long".to_owned()]));
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    upsert_draft(&mut tx, app.ids.next(now), (label, &parts), &by.name, now).await?;
    by.note(app, &mut tx, Action::ChangedAnswer, label, Some("draft")).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Throws a draft away.
///
/// # Errors
/// [`OwnAnswerError::Changed`] when there is none, or when the database fails.
pub async fn discard(app: &App, label: &str, by: &By) -> Result<(), OwnAnswerError> {
    let mut tx = app.db.begin().await?;
    if !delete_draft(&mut tx, label).await? {
        return Err(OwnAnswerError::Changed);
    }
    by.note(app, &mut tx, Action::ChangedAnswer, label, Some("draft discarded")).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Lets citizens read a draft: the one that was looked at, and no other.
///
/// # Errors
/// [`OwnAnswerError`] with what stands in the way.
pub async fn publish(
    app: &App,
    label: &str,
    written_at_ms: i64,
    by: &By,
) -> Result<(), OwnAnswerError> {
    let (version, _, faults) = show(app, label).await?.draft.ok_or(OwnAnswerError::Changed)?;
    if version.written_at.as_ms() != written_at_ms {
        return Err(OwnAnswerError::Changed);
    }
    if !faults.is_empty() {
        return Err(OwnAnswerError::Faults(faults));
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    mark_ended(&mut tx, label, VersionState::Replaced, &by.name, now).await?;
    if !mark_published(&mut tx, label, version.written_at, &by.name, now).await? {
        return Err(OwnAnswerError::Changed);
    }
    let detail = format!("published {}", version.id);
    by.note(app, &mut tx, Action::ChangedAnswer, label, Some(&detail)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    refresh(app).await?;
    Ok(())
}

/// Takes back what the office said: citizens read the file's words again.
///
/// # Errors
/// [`OwnAnswerError::Changed`] when there is nothing to take back, or when the database fails.
pub async fn withdraw(app: &App, label: &str, by: &By) -> Result<(), OwnAnswerError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if !mark_ended(&mut tx, label, VersionState::Withdrawn, &by.name, now).await? {
        return Err(OwnAnswerError::Changed);
    }
    by.note(app, &mut tx, Action::ChangedAnswer, label, Some("withdrawn")).await?;
    tx.commit().await.map_err(StoreError::from)?;
    refresh(app).await?;
    Ok(())
}

/// Takes up what is published at present. What no longer keeps the rules since the files changed is left out, and
/// the log says so.
///
/// # Errors
/// When the database fails.
pub async fn refresh(app: &App) -> Result<(), ServiceError> {
    let area = &app.settings.office_area;
    let mut own = BTreeMap::new();
    for version in list_present(&app.db).await? {
        if version.state != VersionState::Published {
            continue;
        }
        let parts = parts(&version)?;
        if faults(app, &version.label, &parts).is_empty() {
            own.insert(version.label, parts);
        } else {
            tracing::error!(answer = %version.id, "an answer of the office's own breaks a rule and is not told");
        }
    }
    let script = if own.is_empty() {
        Arc::clone(&app.files)
    } else {
        let codes = std::slice::from_ref(area);
        let names = find_names(&mut *app.db.reading().await?, &app.db, codes).await?;
        let own = own.iter().map(|(label, own)| (label.as_str(), own));
        Arc::new(app.files.with_own(area, names.get(area).map(String::as_str), own))
    };
    *app.script.write().unwrap_or_else(PoisonError::into_inner) = script;
    Ok(())
}
