//! Tables `binding` and `binding_code`: whose news goes to a contact because an officer handed them a
//! one-time code at the counter.

use sqlx::AnyConnection;

use super::row::parse;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::{BindingCodeId, ContactId, PersonId};

/// The hash under which a code is looked up.
fn code_hash(db: &Db, code: &str) -> String {
    db.index("binding_code", code)
}

/// Writes a code down; earlier ones of the same person that were not used are void.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_code(
    conn: &mut AnyConnection,
    db: &Db,
    id: BindingCodeId,
    (person, code): (PersonId, &str),
    by: &str,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM binding_code WHERE person_id = $1 AND used_at IS NULL")
        .bind(person.to_string())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO binding_code (id, code_hash, person_id, created_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(code_hash(db, code))
    .bind(person.to_string())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .bind(expires_at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses a code up and tells whose it was; none when it is unknown, used or too old.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_code(
    conn: &mut AnyConnection,
    db: &Db,
    code: &str,
    now: Timestamp,
) -> Result<Option<PersonId>, StoreError> {
    let found: Option<(String,)> = sqlx::query_as(
        "UPDATE binding_code SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL \
         AND expires_at > $2 RETURNING person_id",
    )
    .bind(code_hash(db, code))
    .bind(now.as_ms())
    .fetch_optional(conn)
    .await?;
    found.map(|(id,)| parse("binding_code", "person_id", &id, &id)).transpose()
}

/// Binds a contact to a person.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_binding(
    conn: &mut AnyConnection,
    person: PersonId,
    contact: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO binding (person_id, contact_id, bound_at) VALUES ($1, $2, $3) \
         ON CONFLICT (person_id, contact_id) DO NOTHING",
    )
    .bind(person.to_string())
    .bind(contact.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Binds a contact to a person because a register says so, and lets go of what it said before.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn replace_of_source(
    conn: &mut AnyConnection,
    source: &str,
    person: PersonId,
    contact: Option<ContactId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let contact = contact.map(|contact| contact.to_string());
    sqlx::query("DELETE FROM binding WHERE person_id = $1 AND source = $2 AND contact_id <> $3")
        .bind(person.to_string())
        .bind(source.to_owned())
        .bind(contact.clone().unwrap_or_default())
        .execute(&mut *conn)
        .await?;
    if let Some(contact) = contact {
        sqlx::query(
            "INSERT INTO binding (person_id, contact_id, bound_at, source) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (person_id, contact_id) DO NOTHING",
        )
        .bind(person.to_string())
        .bind(contact)
        .bind(now.as_ms())
        .bind(source.to_owned())
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Lets go of everybody bound to a contact, who says that they are strangers to them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn delete_bindings(
    conn: &mut AnyConnection,
    contact: ContactId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM binding WHERE contact_id = $1")
        .bind(contact.to_string())
        .execute(conn)
        .await?;
    Ok(())
}
