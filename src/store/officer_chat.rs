//! Tables `officer_chat`, `officer_chat_code` and `officer_chat_guess`: from which chat an officer gives commands,
//! the code that ties it, what they are in the middle of, and who tries codes.
//!
//! A chat stands here as in `contact`: hashed to be found, sealed to be written to.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::OfficerId;
use crate::domain::outbound::ChatId;

const CHAT: Place = Place { table: "officer_chat", column: "chat_sealed" };
const STEPS: Place = Place { table: "officer_chat", column: "steps_sealed" };
const COLUMNS: &str = "officer_id, account, chat_sealed, tied_at, steps_sealed, steps_until";
/// Chats that are told of one thing, at most.
const MOST: i64 = 200;

/// The chat of an officer.
#[derive(Clone, Debug)]
pub struct OfficerChat {
    /// Whose.
    pub officer: OfficerId,
    /// Our account they write to.
    pub account: String,
    /// The chat.
    pub chat: ChatId,
    /// Since when.
    pub tied_at: Timestamp,
    /// What they are in the middle of, as the service wrote it.
    pub steps: Option<String>,
    /// Until when that holds.
    pub steps_until: Option<Timestamp>,
}

fn read(db: &Db, row: &AnyRow) -> Result<OfficerChat, StoreError> {
    let id: String = row.try_get("officer_id")?;
    let sealed: String = row.try_get("chat_sealed")?;
    let chat = db.sealer.open(CHAT, &id, &sealed)?.parse().ok().and_then(ChatId::new);
    let steps: Option<String> = row.try_get("steps_sealed")?;
    Ok(OfficerChat {
        account: row.try_get("account")?,
        chat: chat.ok_or_else(|| StoreError::Corrupt {
            table: "officer_chat",
            column: "chat_sealed",
            id: id.clone(),
            reason: "no chat",
        })?,
        tied_at: Timestamp::from_ms(row.try_get("tied_at")?),
        steps: steps.map(|sealed| db.sealer.open(STEPS, &id, &sealed)).transpose()?,
        steps_until: super::row::time(row.try_get("steps_until")?),
        officer: parse("officer_chat", "officer_id", &id, &id)?,
    })
}

fn code_hash(db: &Db, code: &str) -> String {
    db.index("officer_chat_code", code)
}

/// Keeps a code; an earlier one of the same officer is void.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_code(
    conn: &mut AnyConnection,
    db: &Db,
    officer: OfficerId,
    code: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO officer_chat_code (officer_id, code_hash, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (officer_id) DO UPDATE SET code_hash = excluded.code_hash, expires_at = excluded.expires_at",
    )
    .bind(officer.to_string())
    .bind(code_hash(db, code))
    .bind(expires_at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses a code up and tells whose it was, and until when it was good; none when nobody was given it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_code(
    conn: &mut AnyConnection,
    db: &Db,
    code: &str,
) -> Result<Option<(OfficerId, Timestamp)>, StoreError> {
    let found: Option<(String, i64)> = sqlx::query_as(
        "DELETE FROM officer_chat_code WHERE code_hash = $1 RETURNING officer_id, expires_at",
    )
    .bind(code_hash(db, code))
    .fetch_optional(conn)
    .await?;
    found
        .map(|(id, at)| {
            let officer = parse("officer_chat_code", "officer_id", &id, &id)?;
            Ok((officer, Timestamp::from_ms(at)))
        })
        .transpose()
}

/// Ties a chat to an officer. Gives who had that chat before, where that is another.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn tie(
    conn: &mut AnyConnection,
    db: &Db,
    officer: OfficerId,
    (account, chat, chat_hash): (&str, ChatId, &str),
    now: Timestamp,
) -> Result<Option<OfficerId>, StoreError> {
    let id = officer.to_string();
    let before: Vec<String> = sqlx::query_scalar(
        "DELETE FROM officer_chat WHERE officer_id = $1 OR chat_hash = $2 RETURNING officer_id",
    )
    .bind(id.clone())
    .bind(chat_hash.to_owned())
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO officer_chat (officer_id, account, chat_hash, chat_sealed, tied_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.clone())
    .bind(account.to_owned())
    .bind(chat_hash.to_owned())
    .bind(db.sealer.seal(CHAT, &id, &chat.expose().to_string())?)
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    let other = before.into_iter().find(|other| *other != id);
    other.map(|other| parse("officer_chat", "officer_id", &other, &other)).transpose()
}

/// Lets go of an officer's chat; `false` when there was none.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn untie(conn: &mut AnyConnection, officer: OfficerId) -> Result<bool, StoreError> {
    sqlx::query("DELETE FROM officer_chat_code WHERE officer_id = $1")
        .bind(officer.to_string())
        .execute(&mut *conn)
        .await?;
    let done = sqlx::query("DELETE FROM officer_chat WHERE officer_id = $1")
        .bind(officer.to_string())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The officer whose chat that is.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_chat(
    conn: &mut AnyConnection,
    db: &Db,
    chat_hash: &str,
) -> Result<Option<OfficerChat>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM officer_chat WHERE chat_hash = $1")))
        .bind(chat_hash.to_owned())
        .fetch_optional(conn)
        .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// The chat of an officer.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_of(
    conn: &mut AnyConnection,
    db: &Db,
    officer: OfficerId,
) -> Result<Option<OfficerChat>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM officer_chat WHERE officer_id = $1")))
        .bind(officer.to_string())
        .fetch_optional(conn)
        .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// Since when an officer has a chat; none for no chat.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn tied_since(db: &Db, officer: OfficerId) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> =
        sqlx::query_scalar("SELECT tied_at FROM officer_chat WHERE officer_id = $1")
            .bind(officer.to_string())
            .fetch_optional(db.reader())
            .await?;
    Ok(super::row::time(at))
}

/// The chats of officers who may still come in.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_chats(conn: &mut AnyConnection, db: &Db) -> Result<Vec<OfficerChat>, StoreError> {
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM officer_chat WHERE EXISTS (SELECT 1 FROM officer o \
         WHERE o.id = officer_chat.officer_id AND o.disabled_at IS NULL) ORDER BY tied_at LIMIT $1"
    )))
    .bind(MOST)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Writes what an officer is in the middle of, or that they are in the middle of nothing.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_steps(
    conn: &mut AnyConnection,
    db: &Db,
    officer: OfficerId,
    steps: Option<(&str, Timestamp)>,
) -> Result<(), StoreError> {
    let id = officer.to_string();
    let (sealed, until) = match steps {
        Some((json, until)) => (Some(db.sealer.seal(STEPS, &id, json)?), Some(until.as_ms())),
        None => (None, None),
    };
    sqlx::query(
        "UPDATE officer_chat SET steps_sealed = $2, steps_until = $3 WHERE officer_id = $1",
    )
    .bind(id)
    .bind(sealed)
    .bind(until)
    .execute(conn)
    .await?;
    Ok(())
}

/// How many codes that nobody was given came from a chat since then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_guesses(
    conn: &mut AnyConnection,
    chat_hash: &str,
    since: Timestamp,
) -> Result<i64, StoreError> {
    let count: Option<i64> = sqlx::query_scalar(
        "SELECT count FROM officer_chat_guess WHERE chat_hash = $1 AND first_at > $2",
    )
    .bind(chat_hash.to_owned())
    .bind(since.as_ms())
    .fetch_optional(conn)
    .await?;
    Ok(count.unwrap_or(0))
}

/// Notes one more of them, and forgets those from before `since`.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_guess(
    conn: &mut AnyConnection,
    chat_hash: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM officer_chat_guess WHERE first_at <= $1")
        .bind(since.as_ms())
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO officer_chat_guess (chat_hash, count, first_at) VALUES ($1, 1, $2) \
         ON CONFLICT (chat_hash) DO UPDATE SET count = officer_chat_guess.count + 1",
    )
    .bind(chat_hash.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}
