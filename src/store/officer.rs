//! Table `officer`: people who work with the console.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::OfficerId;
use crate::domain::language::Language;
use crate::domain::officer::{Actor, OfficerRole};

const TOTP: Place = Place { table: "officer", column: "totp_sealed" };
const COLUMNS: &str = "id, login, name, role, area, language, password_hash, totp_sealed, totp_confirmed_at, \
                       totp_step, failures, locked_until, must_change_at, last_login_at, disabled_at, created_at";

/// An officer about to be added.
#[derive(Debug)]
pub struct NewOfficer<'a> {
    /// Row id.
    pub id: OfficerId,
    /// Name to log in with.
    pub login: &'a str,
    /// As colleagues call them.
    pub name: &'a str,
    /// What they are.
    pub role: OfficerRole,
    /// Where.
    pub area: &'a AreaCode,
    /// argon2id.
    pub password_hash: &'a str,
    /// Somebody else gave the password.
    pub must_change: bool,
}

/// An officer.
#[derive(Clone)]
pub struct Officer {
    /// Row id.
    pub id: OfficerId,
    /// Name to log in with.
    pub login: String,
    /// As colleagues call them.
    pub name: String,
    /// What they are.
    pub role: OfficerRole,
    /// Where.
    pub area: AreaCode,
    /// Of the console.
    pub language: Language,
    /// argon2id.
    pub password_hash: String,
    /// Secret of the second factor, base32.
    pub totp_secret: Option<String>,
    /// A code of it is asked for.
    pub has_totp: bool,
    /// Step of the last code taken.
    pub totp_step: i64,
    /// Wrong passwords or codes since the last right one.
    pub failures: i64,
    /// No password is looked at before.
    pub locked_until: Option<Timestamp>,
    /// The password must be changed.
    pub must_change: bool,
    /// Last time they came in.
    pub last_login_at: Option<Timestamp>,
    /// May no longer log in.
    pub disabled_at: Option<Timestamp>,
    /// Added.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Officer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Officer({})", self.id)
    }
}

impl Officer {
    /// Who they are to the rules about rights.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { id: self.id.to_string(), role: self.role, area: self.area.clone() }
    }
}

/// Adds an officer; `false` when the login is taken.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_officer(
    tx: &mut AnyConnection,
    new: &NewOfficer<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO officer (id, login, name, role, area, password_hash, must_change_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (login) DO NOTHING",
    )
    .bind(new.id.to_string())
    .bind(new.login.to_owned())
    .bind(new.name.to_owned())
    .bind(new.role.as_str())
    .bind(new.area.to_string())
    .bind(new.password_hash.to_owned())
    .bind(new.must_change.then_some(now.as_ms()))
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn read(db: &Db, row: &AnyRow) -> Result<Officer, StoreError> {
    let id: String = row.try_get("id")?;
    let word = |column: &'static str| row.try_get::<String, _>(column);
    let area = word("area")?;
    let sealed: Option<String> = row.try_get("totp_sealed")?;
    let must_change: Option<i64> = row.try_get("must_change_at")?;
    let confirmed: Option<i64> = row.try_get("totp_confirmed_at")?;
    Ok(Officer {
        login: word("login")?,
        name: word("name")?,
        role: parse("officer", "role", &id, &word("role")?)?,
        area: if area.is_empty() {
            AreaCode::nationwide()
        } else {
            parse("officer", "area", &id, &area)?
        },
        language: parse("officer", "language", &id, &word("language")?)?,
        password_hash: word("password_hash")?,
        totp_secret: sealed.map(|sealed| db.sealer.open(TOTP, &id, &sealed)).transpose()?,
        has_totp: confirmed.is_some(),
        totp_step: row.try_get("totp_step")?,
        failures: row.try_get("failures")?,
        locked_until: time(row.try_get("locked_until")?),
        must_change: must_change.is_some(),
        last_login_at: time(row.try_get("last_login_at")?),
        disabled_at: time(row.try_get("disabled_at")?),
        created_at: Timestamp::from_ms(row.try_get("created_at")?),
        id: parse("officer", "id", &id, &id)?,
    })
}

/// The officer with that login, also one who may no longer come in.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_login(db: &Db, login: &str) -> Result<Option<Officer>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM officer WHERE login = $1")))
        .bind(login.to_owned())
        .fetch_optional(db.reader())
        .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// An officer.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_officer(db: &Db, id: OfficerId) -> Result<Option<Officer>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM officer WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db.reader())
        .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// What officers are called, by their ids, to name who did something.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_names(db: &Db) -> Result<BTreeMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id, name FROM officer LIMIT 10000").fetch_all(db.reader()).await?;
    Ok(rows.into_iter().collect())
}

/// The officers of an area, by login, after a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_officers(
    db: &Db,
    within: &AreaCode,
    after: &str,
    limit: i64,
) -> Result<Vec<Officer>, StoreError> {
    let [from, to] = area_range(within);
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM officer WHERE login > $1 AND replace(area, '.', '') >= $2 \
         AND replace(area, '.', '') < $3 ORDER BY login LIMIT $4"
    )))
    .bind(after.to_owned())
    .bind(from)
    .bind(to)
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Notes a wrong password or code, and until when none is looked at.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_failure(
    tx: &mut AnyConnection,
    id: OfficerId,
    locked_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE officer SET failures = failures + 1, locked_until = $2, updated_at = $3 WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(locked_until.map(Timestamp::as_ms))
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes that somebody came in.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_login(
    tx: &mut AnyConnection,
    id: OfficerId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE officer SET failures = 0, locked_until = NULL, last_login_at = $2, updated_at = $2 \
         WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes a code of the second factor; `false` when that step, or a later one, was taken before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_totp_step(
    tx: &mut AnyConnection,
    id: OfficerId,
    step: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE officer SET totp_step = $2 WHERE id = $1 AND totp_step < $2")
        .bind(id.to_string())
        .bind(step)
        .execute(tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the secret of a second factor, to be confirmed with a code; nothing when one is confirmed already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_totp(
    tx: &mut AnyConnection,
    db: &Db,
    id: OfficerId,
    secret: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE officer SET totp_sealed = $2, updated_at = $3 WHERE id = $1 AND totp_confirmed_at IS NULL",
    )
    .bind(id.to_string())
    .bind(db.sealer.seal(TOTP, &id.to_string(), secret)?)
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// From now on a code is asked for.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn confirm_totp(
    tx: &mut AnyConnection,
    id: OfficerId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE officer SET totp_confirmed_at = $2, updated_at = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(now.as_ms())
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets the second factor: the phone with it is lost.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn clear_totp(
    tx: &mut AnyConnection,
    id: OfficerId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE officer SET totp_sealed = NULL, totp_confirmed_at = NULL, updated_at = $2 WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(())
}

/// Gives a new password.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_password(
    tx: &mut AnyConnection,
    id: OfficerId,
    password_hash: &str,
    must_change: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE officer SET password_hash = $2, must_change_at = $3, failures = 0, locked_until = NULL, \
         updated_at = $4 WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(password_hash.to_owned())
    .bind(must_change.then_some(now.as_ms()))
    .bind(now.as_ms())
    .execute(tx)
    .await?;
    Ok(())
}

/// Changes what somebody is and where.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_place(
    tx: &mut AnyConnection,
    id: OfficerId,
    role: OfficerRole,
    area: &AreaCode,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE officer SET role = $2, area = $3, updated_at = $4 WHERE id = $1")
        .bind(id.to_string())
        .bind(role.as_str())
        .bind(area.to_string())
        .bind(now.as_ms())
        .execute(tx)
        .await?;
    Ok(())
}

/// Changes the language of their console.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_language(db: &Db, id: OfficerId, language: Language) -> Result<(), StoreError> {
    sqlx::query("UPDATE officer SET language = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(language.as_str())
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Locks somebody out, or lets them in again.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_disabled(
    tx: &mut AnyConnection,
    id: OfficerId,
    is_disabled: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE officer SET disabled_at = $2, updated_at = $3 WHERE id = $1")
        .bind(id.to_string())
        .bind(is_disabled.then_some(now.as_ms()))
        .bind(now.as_ms())
        .execute(tx)
        .await?;
    Ok(())
}
