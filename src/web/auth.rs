//! Who calls the API: a bearer token, looked up by its keyed hash.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::Web;
use super::error::Error;
use crate::domain::officer::Actor;
use crate::store::token::{Role, Token, find_token};

/// The caller of the API; extracting it refuses everybody else.
#[derive(Debug)]
pub(super) struct Caller(Token);

impl Caller {
    /// May push card updates, or is refused.
    pub(super) fn to_push(&self) -> Result<(), Error> {
        if self.0.role.can_push() { Ok(()) } else { Err(Error::Forbidden("source")) }
    }

    /// May read, or is refused.
    pub(super) fn to_read(&self) -> Result<(), Error> {
        if self.0.role.can_read() {
            Ok(())
        } else {
            Err(Error::Forbidden("office, auditor or admin"))
        }
    }

    /// May see everything.
    pub(super) fn is_admin(&self) -> bool {
        self.0.role == Role::Admin
    }

    /// Who it is, for the trail of what was done.
    pub(super) fn name(&self) -> String {
        self.0.id.to_string()
    }

    /// The same, for the rules about rights.
    pub(super) fn actor(&self) -> Actor {
        self.0.actor()
    }

    /// Whether they may mend what was rejected, and read what citizens wrote.
    pub(super) fn may_mend(&self) -> bool {
        self.0.role.can_mend()
    }

    /// May mend what was rejected, or is refused.
    pub(super) fn to_mend(&self) -> Result<(), Error> {
        if self.may_mend() { Ok(()) } else { Err(Error::Forbidden("office or admin")) }
    }
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Error> {
        let secret = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim())
            .ok_or(Error::Unauthorized)?;
        find_token(&web.app.db, secret).await?.map(Self).ok_or(Error::Unauthorized)
    }
}
