//! Table `hold`: so many changes of a source to one status at once that the office says first
//! whether they are news.

use sqlx::AnyConnection;

use super::row::{parse, parse_opt};
use super::{Db, StoreError};
use crate::domain::card::CardStatus;
use crate::domain::card_plan::UpdateOutcome;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, HoldId, UpdateId};
use crate::words;

words! {
    /// What the office decided.
    pub enum Decision {
        /// They are news: everybody is told.
        Announce = "announce",
        /// They are not: recorded, and nobody is told.
        Silent = "silent",
    }
}

/// A hold.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Row id.
    pub id: HoldId,
    /// The source.
    pub source: String,
    /// The status all of them changed to.
    pub status: CardStatus,
    /// When it became too many.
    pub opened_at: Timestamp,
    /// When the last one joined.
    pub last_at: Timestamp,
    /// What the office decided.
    pub decision: Option<Decision>,
    /// How many wait.
    pub waiting: i64,
}

/// Opens a hold, or notes that the one of that id grew.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_hold(
    conn: &mut AnyConnection,
    id: HoldId,
    source: &str,
    status: CardStatus,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO hold (id, source, status, opened_at, last_at) VALUES ($1, $2, $3, $4, $4) \
         ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at",
    )
    .bind(id.to_string())
    .bind(source.to_owned())
    .bind(status.as_str())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// The source whose changes a hold keeps.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_source(
    conn: &mut AnyConnection,
    id: HoldId,
) -> Result<Option<String>, StoreError> {
    let found = sqlx::query_scalar("SELECT source FROM hold WHERE id = $1");
    Ok(found.bind(id.to_string()).fetch_optional(conn).await?)
}

/// Holds that are not carried out yet, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_open(db: &Db) -> Result<Vec<Hold>, StoreError> {
    type Row = (String, String, String, i64, i64, Option<String>, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, source, status, opened_at, last_at, decision, \
         (SELECT COUNT(*) FROM card_update u WHERE u.hold_id = hold.id AND u.outcome = 'held') \
         FROM hold WHERE finished_at IS NULL ORDER BY id LIMIT 1000",
    )
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, source, status, opened_at, last_at, decision, waiting)| {
            Ok(Hold {
                source,
                status: parse("hold", "status", &id, &status)?,
                opened_at: Timestamp::from_ms(opened_at),
                last_at: Timestamp::from_ms(last_at),
                decision: parse_opt("hold", "decision", &id, decision.as_deref())?,
                waiting,
                id: parse("hold", "id", &id, &id)?,
            })
        })
        .collect()
}

/// The statuses of a source's holds that are undecided and were opened since then: the same work
/// still goes on.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_undecided(
    db: &Db,
    source: &str,
    since: Timestamp,
) -> Result<Vec<CardStatus>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT status FROM hold WHERE source = $1 AND decided_at IS NULL AND opened_at > $2",
    )
    .bind(source.to_owned())
    .bind(since.as_ms())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter().map(|(status,)| parse("hold", "status", source, &status)).collect()
}

/// Holds that are decided and not carried out yet, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_decided(db: &Db) -> Result<Vec<(HoldId, Decision)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, decision FROM hold WHERE finished_at IS NULL AND decision IS NOT NULL ORDER BY id",
    )
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, decision)| {
            Ok((parse("hold", "id", &id, &id)?, parse("hold", "decision", &id, &decision)?))
        })
        .collect()
}

/// Notes what the office decided; `false` when that was done before, or there is no such hold.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_decided(
    conn: &mut AnyConnection,
    id: HoldId,
    decision: Decision,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE hold SET decision = $2, decided_by = $3, decided_at = $4 \
         WHERE id = $1 AND decided_at IS NULL",
    )
    .bind(id.to_string())
    .bind(decision.as_str())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a decision was carried out.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_finished(
    conn: &mut AnyConnection,
    id: HoldId,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Another process may have the last of them in hand, and fail.
    sqlx::query(
        "UPDATE hold SET finished_at = $2 WHERE id = $1 AND NOT EXISTS \
         (SELECT 1 FROM card_update WHERE hold_id = $1 AND outcome = 'held')",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// The next updates that wait in a hold, each with its card. Those another process has in hand are
/// left to it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_waiting(
    conn: &mut AnyConnection,
    db: &Db,
    id: HoldId,
    limit: i64,
) -> Result<Vec<(UpdateId, CardId)>, StoreError> {
    let statement = format!(
        "SELECT id, card_id FROM card_update WHERE hold_id = $1 AND outcome = 'held' \
         ORDER BY id LIMIT $2{}",
        db.skip_locked()
    );
    let rows: Vec<(String, String)> = sqlx::query_as(super::db::sql(statement))
        .bind(id.to_string())
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|(id, card)| {
            Ok((
                parse("card_update", "id", &id, &id)?,
                parse("card_update", "card_id", &id, &card)?,
            ))
        })
        .collect()
}

/// The undecided hold in which a card's coming to that status waits.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_undecided_of_card(
    conn: &mut AnyConnection,
    card: CardId,
    status: CardStatus,
) -> Result<Option<HoldId>, StoreError> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT hold.id FROM card_update u JOIN hold ON hold.id = u.hold_id \
         WHERE u.card_id = $1 AND u.status = $2 AND u.outcome = 'held' AND hold.decided_at IS NULL \
         LIMIT 1",
    )
    .bind(card.to_string())
    .bind(status.as_str())
    .fetch_optional(conn)
    .await?;
    id.map(|id| parse("hold", "id", &id, &id)).transpose()
}

/// The undecided hold of a source's changes to a status.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_undecided(
    conn: &mut AnyConnection,
    source: &str,
    status: CardStatus,
) -> Result<Option<HoldId>, StoreError> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM hold WHERE source = $1 AND status = $2 AND decided_at IS NULL",
    )
    .bind(source.to_owned())
    .bind(status.as_str())
    .fetch_optional(conn)
    .await?;
    id.map(|id| parse("hold", "id", &id, &id)).transpose()
}

/// Notes what became of an update that waited.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_outcome(
    conn: &mut AnyConnection,
    id: UpdateId,
    outcome: UpdateOutcome,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE card_update SET outcome = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(outcome.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// How many were announced of a source since then, by status; those the office let go do not count.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_announced(
    db: &Db,
    source: &str,
    since: Timestamp,
) -> Result<Vec<(CardStatus, i64)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT status, COUNT(*) FROM card_update WHERE source = $1 AND received_at > $2 \
         AND outcome = 'announced' AND hold_id IS NULL GROUP BY status",
    )
    .bind(source.to_owned())
    .bind(since.as_ms())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(status, count)| Ok((parse("card_update", "status", source, &status)?, count)))
        .collect()
}
