//! Table `taught_example`: questions whose answer the office taught, besides those of the texts.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::{QuestionGroupId, TaughtId};
use crate::domain::message::MessageText;

const PLACE: Place = Place { table: "taught_example", column: "text_sealed" };

/// How much was taught and taken back; it changes with every example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    taught: i64,
    withdrawn: i64,
}

impl Edition {
    /// The one that follows when nobody else teaches meanwhile.
    #[must_use]
    pub fn after(self, taught: usize, withdrawn: u64) -> Self {
        Self {
            taught: self.taught.saturating_add_unsigned(taught as u64),
            withdrawn: self.withdrawn.saturating_add_unsigned(withdrawn),
        }
    }
}

/// An example about to be taught.
#[derive(Clone, Copy, Debug)]
pub struct NewExample<'a> {
    /// Row id.
    pub id: TaughtId,
    /// What it means.
    pub label: &'a str,
    /// The question.
    pub text: &'a MessageText,
    /// Where it comes from.
    pub group: QuestionGroupId,
    /// Who teaches it.
    pub by: &'a str,
}

/// Keeps an example.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_example(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewExample<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = new.id.to_string();
    sqlx::query(
        "INSERT INTO taught_example (id, label, text_sealed, group_id, taught_by, taught_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.clone())
    .bind(new.label.to_owned())
    .bind(db.sealer.seal(PLACE, &id, new.text.expose())?)
    .bind(new.group.to_string())
    .bind(new.by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes back what a group's texts taught; how many examples that were.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn withdraw_group(
    conn: &mut AnyConnection,
    group: QuestionGroupId,
    by: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE taught_example SET withdrawn_by = $2, withdrawn_at = $3 \
         WHERE group_id = $1 AND withdrawn_at IS NULL",
    )
    .bind(group.to_string())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Which edition stands in the table.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_edition(db: &Db) -> Result<Edition, StoreError> {
    let (taught, withdrawn) =
        sqlx::query_as("SELECT COUNT(*), COUNT(withdrawn_at) FROM taught_example")
            .fetch_one(db.reader())
            .await?;
    Ok(Edition { taught, withdrawn })
}

/// All examples in force as label and question, in the order in which they were taught; without
/// those of a group that is about to be taught anew.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_examples(
    db: &Db,
    without: Option<QuestionGroupId>,
) -> Result<Vec<(String, MessageText)>, StoreError> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT id, label, text_sealed FROM taught_example WHERE withdrawn_at IS NULL \
         AND (group_id IS NULL OR group_id <> $1) ORDER BY id",
    )
    .bind(without.map(|group| group.to_string()).unwrap_or_default())
    .fetch_all(db.reader())
    .await?;
    rows.into_iter()
        .map(|(id, label, sealed)| {
            Ok((label, MessageText::new(db.sealer.open(PLACE, &id, &sealed)?)))
        })
        .collect()
}

/// How many examples in force each label has.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_by_label(db: &Db) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT label, COUNT(*) FROM taught_example WHERE withdrawn_at IS NULL GROUP BY label",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows.into_iter().collect())
}
