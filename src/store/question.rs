//! Table `question`: what was not understood, until it has found its group.

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{parse, parse_opt};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ContactId, QuestionId};
use crate::domain::message::MessageText;

const TABLE: &str = "question";
const PLACE: Place = Place { table: TABLE, column: "text_sealed" };

/// A question that was not understood.
#[derive(Clone, Debug)]
pub struct Question {
    /// Row id.
    pub id: QuestionId,
    /// In whose conversation it was asked.
    pub contact: ContactId,
    /// Hash of the address it came from.
    pub address_hash: String,
    /// The redacted text.
    pub text: MessageText,
    /// Labels it seemed near to, the nearest first.
    pub near: Vec<String>,
    /// Where whoever asked lives.
    pub area: Option<AreaCode>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it goes into its group.
    pub due_at: Timestamp,
}

/// Keeps a question.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_question(
    conn: &mut AnyConnection,
    db: &Db,
    new: &Question,
) -> Result<(), StoreError> {
    let id = new.id.to_string();
    sqlx::query(
        "INSERT INTO question (id, contact_id, address_hash, text_sealed, near, area, asked_at, due_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.clone())
    .bind(new.contact.to_string())
    .bind(new.address_hash.clone())
    .bind(db.sealer.seal(PLACE, &id, new.text.expose())?)
    .bind(new.near.join(" "))
    .bind(new.area.as_ref().map(ToString::to_string))
    .bind(new.asked_at.as_ms())
    .bind(new.due_at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what was asked back in a conversation: the citizen took an answer.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn forget_asked_back(
    conn: &mut AnyConnection,
    contact: ContactId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM question WHERE contact_id = $1 AND due_at > asked_at")
        .bind(contact.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// What was asked back in a conversation waits no longer: the citizen took none of the answers.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_asked_back(
    conn: &mut AnyConnection,
    contact: ContactId,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE question SET due_at = asked_at WHERE contact_id = $1 AND due_at > asked_at",
    )
    .bind(contact.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a question is due.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_due(db: &Db, now: Timestamp) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM question WHERE due_at <= $1 LIMIT 1")
            .bind(now.as_ms())
            .fetch_optional(db.reader())
            .await?;
    Ok(found.is_some())
}

/// Takes the oldest question that is due out of the table, for this transaction alone; beside its
/// id, by which it can be put off if it cannot be read.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn take_due(
    conn: &mut AnyConnection,
    db: &Db,
    now: Timestamp,
) -> Result<Option<(String, Result<Question, StoreError>)>, StoreError> {
    let statement = format!(
        "DELETE FROM question WHERE id = (SELECT id FROM question WHERE due_at <= $1 \
         ORDER BY due_at, id LIMIT 1{}) \
         RETURNING id, contact_id, address_hash, text_sealed, near, area, asked_at, due_at",
        db.skip_locked()
    );
    let row = sqlx::query(sql(statement)).bind(now.as_ms()).fetch_optional(conn).await?;
    row.map(|row| Ok((row.try_get(0)?, read(db, &row)))).transpose()
}

/// Puts a question off; it finds its group later.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn put_off(db: &Db, id: &str, until: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE question SET due_at = $2 WHERE id = $1")
        .bind(id.to_owned())
        .bind(until.as_ms())
        .execute(db.writer())
        .await?;
    Ok(())
}

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Question, StoreError> {
    let id: String = row.try_get(0)?;
    let contact: String = row.try_get(1)?;
    let sealed: String = row.try_get(3)?;
    let near: String = row.try_get(4)?;
    let area: Option<String> = row.try_get(5)?;
    Ok(Question {
        contact: parse(TABLE, "contact_id", &id, &contact)?,
        address_hash: row.try_get(2)?,
        text: MessageText::new(db.sealer.open(PLACE, &id, &sealed)?),
        near: super::question_group::labels(&near),
        area: parse_opt(TABLE, "area", &id, area.as_deref())?,
        asked_at: Timestamp::from_ms(row.try_get(6)?),
        due_at: Timestamp::from_ms(row.try_get(7)?),
        id: parse(TABLE, "id", &id, &id)?,
    })
}
