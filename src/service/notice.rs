//! Tells the officers what to look at: a notice stands open until what it says is no longer so.

use super::{App, ServiceError};
use crate::domain::clock::Timestamp;
use crate::store::Tx;
use crate::store::notice::{self, NoticeKind};

/// Opens a notice, which is logged once, or brings its words up to date.
///
/// # Errors
/// When the database fails.
pub async fn raise(
    app: &App,
    tx: &mut Tx,
    kind: NoticeKind,
    subject: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let id = app.ids.next(now);
    if notice::upsert_notice(tx, id, (kind, subject), detail, now).await? {
        tracing::warn!("notice for the office: {subject}: {detail}");
    }
    Ok(())
}
