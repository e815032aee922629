//! Who does something to what citizens put before the office, for both trails: the row itself, which keeps a
//! name, and the audit log, which keeps who may what and where.

use crate::domain::audit::Action;
use crate::domain::officer::Actor;
use crate::service::officer::note;
use crate::service::{App, ServiceError};
use crate::store::Tx;

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// As it is written beside what they did: an id, or the name somebody gave at the machine.
    pub name: String,
    /// Who that is for the audit log.
    pub actor: Actor,
}

impl By {
    /// Somebody at the machine itself, under the name they give.
    #[must_use]
    pub fn cli(name: &str) -> Self {
        Self { name: name.to_owned(), actor: Actor::cli() }
    }

    /// Whether that is somebody at a desk, and no machine.
    #[must_use]
    pub fn is_officer(&self) -> bool {
        is_officer(&self.name)
    }

    /// Adds a line to the audit log, in the transaction of what it tells of.
    pub(super) async fn note(
        &self,
        app: &App,
        tx: &mut Tx,
        action: Action,
        object: &str,
        detail: Option<&str>,
    ) -> Result<(), ServiceError> {
        note(app, tx, &self.actor, action, object, detail).await
    }
}

/// Whether a name beside a row is somebody's who sits at a desk.
#[must_use]
pub fn is_officer(name: &str) -> bool {
    name.starts_with("off_")
}

impl From<&Actor> for By {
    fn from(actor: &Actor) -> Self {
        Self { name: actor.id.clone(), actor: actor.clone() }
    }
}
