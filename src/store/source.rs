//! Table `source`: who watches a source, how far it is read, and what is usual for it.

use std::collections::BTreeSet;

use sqlx::AnyConnection;

use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::rhythm::Rhythm;

/// Where a source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// How far it is read, in its own words.
    pub position: Option<String>,
    /// The first reading ended.
    pub first_read_at: Option<Timestamp>,
    /// When the last reading that succeeded began.
    pub read_at: Option<Timestamp>,
    /// The same of the last reading of everything.
    pub scanned_at: Option<Timestamp>,
    /// When something in it was last found changed.
    pub changed_at: Option<Timestamp>,
    /// Since when readings fail.
    pub failed_at: Option<Timestamp>,
    /// Why.
    pub failure: Option<String>,
    /// Its parts that were read to their end, where it has any.
    pub parts: BTreeSet<String>,
    /// What is usual for it.
    pub rhythm: Rhythm,
}

/// Takes or renews the watch over a source; `false` when another process has it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn claim_lease(
    db: &Db,
    id: &str,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO source (id, owner, lease_until, parts, rhythm, updated_at) \
         VALUES ($1, $2, $3, '[]', '{}', $4) \
         ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until \
         WHERE source.owner IS NULL OR source.owner = excluded.owner \
         OR source.lease_until IS NULL OR source.lease_until <= $4 OR source.lease_until > $5",
    )
    .bind(id.to_owned())
    .bind(owner.to_owned())
    .bind(until.as_ms())
    .bind(now.as_ms())
    .bind(until.after(super::account::CLOCKS_APART).as_ms())
    .execute(db.writer())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a source back, so that another process need not wait.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_lease(db: &Db, id: &str, owner: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE source SET owner = NULL, lease_until = NULL WHERE id = $1 AND owner = $2")
        .bind(id.to_owned())
        .bind(owner.to_owned())
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Where every source stands that was ever read, by id.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_states(db: &Db) -> Result<Vec<(String, SourceState)>, StoreError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT id FROM source ORDER BY id").fetch_all(db.reader()).await?;
    let mut states = Vec::with_capacity(rows.len());
    for (id,) in rows {
        let state = find_state(db, &id).await?;
        states.push((id, state));
    }
    Ok(states)
}

type Row = (
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    String,
    String,
);

/// Where a source stands; as at its beginning when it was never read.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_state(db: &Db, id: &str) -> Result<SourceState, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT position, first_read_at, read_at, scanned_at, changed_at, failed_at, failure, parts, rhythm \
         FROM source WHERE id = $1",
    )
    .bind(id.to_owned())
    .fetch_optional(db.reader())
    .await?;
    let Some((position, first_read, read, scanned, changed, failed, failure, parts, rhythm)) = row
    else {
        return Ok(SourceState::default());
    };
    let time = super::row::time;
    Ok(SourceState {
        position,
        first_read_at: time(first_read),
        read_at: time(read),
        scanned_at: time(scanned),
        changed_at: time(changed),
        failed_at: time(failed),
        failure,
        parts: serde_json::from_str(&parts).unwrap_or_default(),
        rhythm: rhythm_of(&rhythm),
    })
}

/// Writes where a source stands, unless another process took it over meanwhile: `false`. What the
/// position covers is committed by then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn write_state(
    conn: &mut AnyConnection,
    (id, owner): (&str, &str),
    state: &SourceState,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let ms = |at: Option<Timestamp>| at.map(Timestamp::as_ms);
    let done = sqlx::query(
        "UPDATE source SET position = $2, first_read_at = $3, read_at = $4, scanned_at = $5, \
         changed_at = $6, failed_at = $7, failure = $8, rhythm = $9, updated_at = $10, parts = $11 \
         WHERE id = $1 AND owner = $12",
    )
    .bind(id.to_owned())
    .bind(state.position.clone())
    .bind(ms(state.first_read_at))
    .bind(ms(state.read_at))
    .bind(ms(state.scanned_at))
    .bind(ms(state.changed_at))
    .bind(ms(state.failed_at))
    .bind(state.failure.clone())
    .bind(rhythm_text(&state.rhythm))
    .bind(now.as_ms())
    .bind(serde_json::json!(state.parts).to_string())
    .bind(owner.to_owned())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn rhythm_text(rhythm: &Rhythm) -> String {
    serde_json::json!({
        "silences": rhythm.silences, "usual_permille": rhythm.usual_permille,
        "seen": rhythm.seen, "rejected": rhythm.rejected,
    })
    .to_string()
}

/// What is usual can be learned again; a value that cannot be read is nothing learned.
fn rhythm_of(text: &str) -> Rhythm {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let number = |name: &str| value[name].as_i64();
    Rhythm {
        silences: value["silences"]
            .as_array()
            .map(|all| all.iter().filter_map(serde_json::Value::as_u64).collect())
            .unwrap_or_default(),
        usual_permille: number("usual_permille"),
        seen: number("seen").unwrap_or_default(),
        rejected: number("rejected").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_survives_being_written() {
        let rhythm =
            Rhythm { silences: vec![5, 7], usual_permille: Some(30), seen: 9, rejected: 1 };
        assert_eq!(rhythm_of(&rhythm_text(&rhythm)), rhythm);
        assert_eq!(rhythm_of("{}"), Rhythm::default());
    }
}
