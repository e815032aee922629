//! Table `api_token`: who may call the API. Only a keyed hash of a token is kept.

use super::row::parse;
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
    /// Who it is to the rules about rights: an office's token is an officer of its area, and one that
    /// only brings card updates has none of an officer's rights.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let role = match (self.role, self.area.level()) {
            // Whoever brings card updates has none of an officer's rights.
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

/// Keeps a new token.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_token(
    db: &Db,
    id: TokenId,
    name: &str,
    role: Role,
    secret: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_token (id, name, role, token_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_string())
    .bind(name.to_owned())
    .bind(role.as_str())
    .bind(db.index("token", secret))
    .bind(now.as_ms())
    .execute(db.writer())
    .await?;
    Ok(())
}

/// The token with that secret, unless revoked.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_token(db: &Db, secret: &str) -> Result<Option<Token>, StoreError> {
    let row: Option<(String, String, String)> = sqlx::query_as(
        "SELECT id, role, area FROM api_token WHERE token_hash = $1 AND revoked_at IS NULL",
    )
    .bind(db.index("token", secret))
    .fetch_optional(db.reader())
    .await?;
    row.map(|(id, role, area)| {
        Ok(Token {
            area: match area.as_str() {
                "" => AreaCode::nationwide(),
                code => parse("api_token", "area", &id, code)?,
            },
            role: parse("api_token", "role", &id, &role)?,
            id: parse("api_token", "id", &id, &id)?,
        })
    })
    .transpose()
}
