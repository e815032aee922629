//! Tokens of the API: made, shown once, revoked; each change with its line in the audit log.
//!
//! Works on the database alone, so that the command line makes a token where nothing else runs. It never keeps
//! nor shows a token again.

use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::id::{IdSource, TokenId};
use crate::domain::officer::{Actor, Right};
use crate::store::token::{self, NewToken, Role};
use crate::store::{Db, StoreError, audit};

/// Longest name of a token.
const LONGEST_NAME: usize = 80;
/// Random bytes of a token.
const SECRET_BYTES: usize = 30;

/// Where tokens are made: the database, the ids, the office's area, and the time.
#[derive(Clone, Copy, Debug)]
pub struct Mint<'a> {
    /// The database.
    pub db: &'a Db,
    /// Gives ids.
    pub ids: &'a IdSource,
    /// The office's area.
    pub office: &'a AreaCode,
    /// Now.
    pub now: Timestamp,
}

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who will use it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub area: AreaCode,
    /// Not valid from then on.
    pub expires_at: Option<Timestamp>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not allowed.
    #[error("not allowed")]
    Forbidden,
    /// It has no name, or a very long one.
    #[error("say in 1 to 80 characters who will use the token")]
    Name,
    /// It would be over before it begins.
    #[error("the token would be over already: give a day to come")]
    Over,
    /// Updates are not held against an area.
    #[error(
        "card updates come for the whole office: a token that pushes them cannot be kept to a part of its area"
    )]
    PartialSource,
    /// The database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a token; gives the token itself, which is shown this once.
///
/// # Errors
/// See [`TokenError`].
pub async fn make(
    mint: Mint<'_>,
    actor: &Actor,
    order: &Order,
) -> Result<(TokenId, String), TokenError> {
    if !actor.may(Right::ManageTokens) || !actor.covers(Some(&order.area), mint.office) {
        return Err(TokenError::Forbidden);
    }
    let name = order.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        return Err(TokenError::Name);
    }
    if order.expires_at.is_some_and(|at| at <= mint.now) {
        return Err(TokenError::Over);
    }
    if order.role == Role::Source && !mint.office.is_within(&order.area) {
        return Err(TokenError::PartialSource);
    }
    let mut bytes = [0_u8; SECRET_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|_| StoreError::Unusable("no randomness for a token".to_owned()))?;
    let secret = format!("kbr_{}", hex::encode(bytes));
    let id: TokenId = mint.ids.next(mint.now);
    let new = NewToken {
        id,
        name,
        role: order.role,
        area: &order.area,
        secret: &secret,
        expires_at: order.expires_at,
        by: &actor.id,
    };
    let mut tx = mint.db.begin().await?;
    token::insert_token(&mut tx, mint.db, &new, mint.now).await?;
    let detail = format!("{} {}", order.role, order.area);
    let line = mint.ids.next(mint.now);
    let object = id.to_string();
    audit::insert_line(
        &mut tx,
        line,
        actor,
        Action::MadeToken,
        &object,
        Some(detail.trim()),
        mint.now,
    )
    .await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok((id, secret))
}

/// Lets a token in no longer; `false` when there is none that was let in.
///
/// # Errors
/// See [`TokenError`].
pub async fn revoke(mint: Mint<'_>, actor: &Actor, id: TokenId) -> Result<bool, TokenError> {
    if !actor.may(Right::ManageTokens) {
        return Err(TokenError::Forbidden);
    }
    let mut tx = mint.db.begin().await?;
    let area = token::find_area(&mut tx, id).await?;
    // Whoever keeps the whole office ends also what was made for more than it.
    let is_theirs = area.is_some_and(|area| {
        actor.covers(Some(&area), mint.office) || actor.covers(None, mint.office)
    });
    if !is_theirs || !token::mark_revoked(&mut tx, id, &actor.id, mint.now).await? {
        return Ok(false);
    }
    let line = mint.ids.next(mint.now);
    audit::insert_line(&mut tx, line, actor, Action::RevokedToken, &id.to_string(), None, mint.now)
        .await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}
