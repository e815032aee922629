//! Who calls the API: a bearer token, looked up by its keyed hash, and what of the office it may see.
//!
//! What a token may do is its role, what it may do it to its area: a handler asks for both, and what lies in no
//! area is the whole office's.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::Web;
use super::error::Error;
use crate::domain::area::AreaCode;
use crate::domain::officer::Actor;
use crate::store::token::{Role, Token, find_token};

/// The caller of the API; extracting it refuses everybody else.
#[derive(Debug)]
pub(super) struct Caller {
    token: Token,
    office: AreaCode,
}

impl Caller {
    /// May push card updates, or is refused.
    pub(super) fn to_push(&self) -> Result<(), Error> {
        if self.token.role.can_push() { self.to_whole() } else { Err(Error::Forbidden("source")) }
    }

    /// May read, or is refused.
    pub(super) fn to_read(&self) -> Result<(), Error> {
        if self.token.role.can_read() {
            Ok(())
        } else {
            Err(Error::Forbidden("office, auditor or admin"))
        }
    }

    /// May see everything.
    pub(super) fn is_admin(&self) -> bool {
        self.token.role == Role::Admin
    }

    /// Who it is, for the trail of what was done.
    pub(super) fn name(&self) -> String {
        self.token.id.to_string()
    }

    /// The same, for the rules about rights.
    pub(super) fn actor(&self) -> Actor {
        self.token.actor()
    }

    /// Whether they may mend what was rejected, and read what citizens wrote.
    pub(super) fn may_mend(&self) -> bool {
        self.token.role.can_mend()
    }

    /// May mend what was rejected, or is refused.
    pub(super) fn to_mend(&self) -> Result<(), Error> {
        if self.may_mend() { Ok(()) } else { Err(Error::Forbidden("office or admin")) }
    }

    /// Sees the whole office, or is refused: what is asked for lies in no area.
    pub(super) fn to_whole(&self) -> Result<(), Error> {
        match self.within() {
            None => Ok(()),
            Some(_) => Err(Error::Forbidden("any, made for the office's whole area")),
        }
    }

    /// The area that lists are kept to; nothing for a token of the whole office, which sees also what lies in none.
    pub(super) fn within(&self) -> Option<&AreaCode> {
        (!self.office.is_within(&self.token.area)).then_some(&self.token.area)
    }

    /// Refuses what is not in their area, as if it were not there.
    pub(super) fn covers(&self, area: Option<&AreaCode>) -> Result<(), Error> {
        let is_theirs = match self.within() {
            None => true,
            Some(within) => area.is_some_and(|area| area.is_within(within)),
        };
        if is_theirs { Ok(()) } else { Err(Error::NotFound) }
    }

    /// What is left of an area that was asked for: the whole of their own where none was. Nothing of another's.
    pub(super) fn narrowed(&self, asked: Option<AreaCode>) -> Result<Option<AreaCode>, Error> {
        match (self.within(), asked) {
            (None, asked) => Ok(asked),
            (Some(within), None) => Ok(Some(within.clone())),
            (Some(within), Some(asked)) if asked.is_within(within) => Ok(Some(asked)),
            (Some(within), Some(asked)) if within.is_within(&asked) => Ok(Some(within.clone())),
            (Some(_), Some(_)) => {
                Err(Error::BadParameter("area lies outside the area of the token".to_owned()))
            }
        }
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
        let token = find_token(&web.app.db, secret, web.app.now()).await?;
        let office = web.app.settings.office_area.clone();
        token.map(|token| Self { token, office }).ok_or(Error::Unauthorized)
    }
}
