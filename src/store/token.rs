//! Table `api_token`: who may call the API. Only a keyed hash of a token is kept.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::row::{parse, time};
use super::{Db, StoreError};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::clock::Timestamp;
use crate::domain::id::TokenId;
use crate::domain::officer::{Actor, OfficerRole};
use crate::words;

words! {
    /// What a token may do.
    pub enum Role {
        /// Push card updates.
        Source = "source",
        /// What an officer of its area may.
        Office = "office",
        /// Read.
        Auditor = "auditor",
        /// Everything.
        Admin = "admin",
    }
}

impl Role {
    /// May push card updates.
    #[must_use]
    pub const fn can_push(self) -> bool {
        matches!(self, Self::Source | Self::Admin)
    }

    /// May read messages, cards and rejections.
    #[must_use]
    pub const fn can_read(self) -> bool {
        matches!(self, Self::Office | Self::Auditor | Self::Admin)
    }

    /// May mend what was rejected.
    #[must_use]
    pub const fn can_mend(self) -> bool {
        matches!(self, Self::Office | Self::Admin)
    }
}

/// A token that is valid.
#[derive(Clone, Debug)]
pub struct Token {
    /// Row id.
    pub id: TokenId,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub area: AreaCode,
}

impl Token {
    /// Who it is to the rules about rights, and in the audit log: an office's token is an officer of its area. A
    /// source has no rights: it only brings.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let role = match (self.role, self.area.level()) {
            // The role with the fewest rights; those of its own, a token cannot use.
            (Role::Source, _) => OfficerRole::Courier,
            (Role::Auditor, _) => OfficerRole::Auditor,
            (Role::Admin, _) => OfficerRole::Admin,
            (Role::Office, AreaLevel::Desa) => OfficerRole::Desa,
            (Role::Office, AreaLevel::Kecamatan) => OfficerRole::Kecamatan,
            (Role::Office, _) => OfficerRole::Dinas,
        };
        Actor { id: self.id.to_string(), role, area: self.area.clone() }
    }
}

/// A token about to be kept.
#[derive(Debug)]
pub struct NewToken<'a> {
    /// Row id.
    pub id: TokenId,
    /// Who will use it.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub area: &'a AreaCode,
    /// The token itself.
    pub secret: &'a str,
    /// Not valid from then on.
    pub expires_at: Option<Timestamp>,
    /// Who makes it.
    pub by: &'a str,
}

/// A token as it stands on the list.
#[derive(Clone, Debug)]
pub struct TokenLine {
    /// Row id.
    pub id: TokenId,
    /// Who uses it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub area: AreaCode,
    /// Made.
    pub created_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// Not valid from then on.
    pub expires_at: Option<Timestamp>,
    /// No longer valid.
    pub revoked_at: Option<Timestamp>,
}

fn area(id: &str, code: &str) -> Result<AreaCode, StoreError> {
    if code.is_empty() { Ok(AreaCode::nationwide()) } else { parse("api_token", "area", id, code) }
}

/// Keeps a new token.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_token(
    tx: &mut AnyConnection,
    db: &Db,
    new: &NewToken<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_token (id, name, role, token_hash, created_at, area, expires_at, made_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new.id.to_string())
    .bind(new.name.to_owned())
    .bind(new.role.as_str())
    .bind(db.index("token", new.secret))
    .bind(now.as_ms())
    .bind(new.area.to_string())
    .bind(new.expires_at.map(Timestamp::as_ms))
    .bind(new.by.to_owned())
    .execute(tx)
    .await?;
    Ok(())
}

/// The token with that secret, unless revoked or expired.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_token(
    db: &Db,
    secret: &str,
    now: Timestamp,
) -> Result<Option<Token>, StoreError> {
    let row: Option<(String, String, String)> = sqlx::query_as(
        "SELECT id, role, area FROM api_token WHERE token_hash = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(db.index("token", secret))
    .bind(now.as_ms())
    .fetch_optional(db.reader())
    .await?;
    row.map(|(id, role, code)| {
        Ok(Token {
            role: parse("api_token", "role", &id, &role)?,
            area: area(&id, &code)?,
            id: parse("api_token", "id", &id, &id)?,
        })
    })
    .transpose()
}

/// Tokens, the newest first, before a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_tokens(
    db: &Db,
    before: Option<TokenId>,
    limit: i64,
) -> Result<Vec<TokenLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, name, role, area, created_at, made_by, expires_at, revoked_at FROM api_token \
         WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before.map_or_else(|| "tok_Z".to_owned(), |id| id.to_string()))
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(line).collect()
}

fn line(row: &AnyRow) -> Result<TokenLine, StoreError> {
    let id: String = row.try_get(0)?;
    let role: String = row.try_get(2)?;
    let code: String = row.try_get(3)?;
    Ok(TokenLine {
        name: row.try_get(1)?,
        role: parse("api_token", "role", &id, &role)?,
        area: area(&id, &code)?,
        created_at: Timestamp::from_ms(row.try_get(4)?),
        made_by: row.try_get(5)?,
        expires_at: time(row.try_get(6)?),
        revoked_at: time(row.try_get(7)?),
        id: parse("api_token", "id", &id, &id)?,
    })
}

/// Where a token may look, if there is one that is not revoked.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_area(
    tx: &mut AnyConnection,
    id: TokenId,
) -> Result<Option<AreaCode>, StoreError> {
    let id = id.to_string();
    let code: Option<String> =
        sqlx::query_scalar("SELECT area FROM api_token WHERE id = $1 AND revoked_at IS NULL")
            .bind(id.clone())
            .fetch_optional(tx)
            .await?;
    code.map(|code| area(&id, &code)).transpose()
}

/// Lets a token in no longer; `false` when there is none, or it was revoked before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_revoked(
    tx: &mut AnyConnection,
    id: TokenId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE api_token SET revoked_at = $3, revoked_by = $2 WHERE id = $1 AND revoked_at IS NULL",
    )
    .bind(id.to_string())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
