//! Table `ticket`, as far as it holds complaints: their numbers, and words that are added.
//!
//! A complaint is opened, shown and moved as every other ticket, by `ticket`.

use sqlx::AnyConnection;

use super::db::sql;
use super::row::parse;
use super::ticket::TEXT;
use super::{Db, StoreError};
use crate::domain::id::{ContactId, TicketId};
use crate::domain::ticket::{ComplaintCategory, ComplaintNumber, TicketState};

/// Where a complaint of that number is, if this conversation made it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_complaint(
    conn: &mut AnyConnection,
    number: &ComplaintNumber,
    contact: ContactId,
) -> Result<Option<TicketState>, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM ticket WHERE number = $1 AND contact_id = $2")
            .bind(number.to_string())
            .bind(contact.to_string())
            .fetch_optional(conn)
            .await?;
    state.map(|state| parse("ticket", "state", number.as_str(), &state)).transpose()
}

/// The number of the last complaint of a conversation, once `most` of them are not closed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_last_of_many(
    conn: &mut AnyConnection,
    contact: ContactId,
    most: i64,
) -> Result<Option<ComplaintNumber>, StoreError> {
    let numbers: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, number FROM ticket WHERE contact_id = $1 AND kind = 'complaint' \
         AND closed_at IS NULL AND number IS NOT NULL ORDER BY id DESC LIMIT $2",
    )
    .bind(contact.to_string())
    .bind(most)
    .fetch_all(conn)
    .await?;
    let is_many = i64::try_from(numbers.len()).is_ok_and(|count| count >= most);
    let last = numbers.first().filter(|_| is_many);
    last.map(|(id, number)| parse("ticket", "number", id, number)).transpose()
}

/// Adds words to a complaint that this conversation made and that is not closed, as long as it does
/// not grow beyond `longest` characters; gives it. Where money was asked for, it is about that from
/// then on: a crime must not be overlooked.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn add_to_complaint(
    conn: &mut AnyConnection,
    db: &Db,
    (contact, number): (ContactId, &str),
    (category, text): (ComplaintCategory, &str),
    longest: usize,
) -> Result<Option<TicketId>, StoreError> {
    let statement = format!(
        "SELECT id, text_sealed FROM ticket WHERE contact_id = $1 AND number = $2 \
         AND closed_at IS NULL{}",
        db.for_update()
    );
    let found: Option<(String, Option<String>)> = sqlx::query_as(sql(statement))
        .bind(contact.to_string())
        .bind(number.to_owned())
        .fetch_optional(&mut *conn)
        .await?;
    let Some((id, sealed)) = found else { return Ok(None) };
    let known = sealed.map(|sealed| db.sealer.open(TEXT, &id, &sealed)).transpose()?;
    let whole = match known {
        Some(known) if known.chars().count() + text.chars().count() >= longest => known,
        Some(known) => format!("{known}\n{text}"),
        None => text.to_owned(),
    };
    sqlx::query(
        "UPDATE ticket SET text_sealed = $2, category = CASE WHEN $3 = 1 THEN $4 ELSE category END \
         WHERE id = $1",
    )
    .bind(id.clone())
    .bind(db.sealer.seal(TEXT, &id, &whole)?)
    .bind(i64::from(category.is_pungli()))
    .bind(category.as_str())
    .execute(conn)
    .await?;
    parse("ticket", "id", &id, &id).map(Some)
}

/// Whether a complaint has that number already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_number_taken(
    conn: &mut AnyConnection,
    number: &ComplaintNumber,
) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM ticket WHERE number = $1")
            .bind(number.to_string())
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}
