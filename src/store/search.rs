//! Table `person_name`: finding people by the words of their names without reading every name.
//!
//! Words are kept as keyed hashes beside the area, so that a search reads nobody of another area. They are written
//! with the person; what is on file from before is caught up with a few at a time.

use std::fmt::Write as _;

use sqlx::AnyConnection;

use super::db::{Column, sql};
use super::person::{Person, find_nik, find_person, nik_hash, phone_hash};
use super::row::{area_ranges, parse};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::id::PersonId;
use crate::domain::nik::Nik;
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;

/// Rows of a word that are counted, to begin with the rarest word.
const COUNTED: i64 = 2000;
/// Where the catching up stands: the last person, or [`DONE`].
const CURSOR: &str = "person_name_after";
const DONE: &str = "done";

fn word_hash(db: &Db, word: &str) -> String {
    db.index("name_word", word)
}

/// Writes by which words somebody is found.
pub(super) async fn write_words(
    conn: &mut AnyConnection,
    db: &Db,
    person: &Person,
    is_new: bool,
) -> Result<(), StoreError> {
    let id = person.id.to_string();
    if !is_new {
        sqlx::query("DELETE FROM person_name WHERE person_id = $1")
            .bind(id.clone())
            .execute(&mut *conn)
            .await?;
    }
    let area = person.area.as_ref().map(AreaCode::plain).unwrap_or_default();
    let words = person.name.as_ref().map(PersonName::words).unwrap_or_default();
    let rows = words.iter().map(|word| row(db, word, area, &id)).collect();
    insert(conn, db, rows).await
}

fn row(db: &Db, word: &str, area: &str, person: &str) -> serde_json::Value {
    serde_json::json!({"word": word_hash(db, word), "area": area, "person": person})
}

async fn insert(
    conn: &mut AnyConnection,
    db: &Db,
    rows: Vec<serde_json::Value>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = [Column::Text("word"), Column::Text("area"), Column::Text("person")];
    let statement = format!(
        // Without a WHERE, SQLite takes ON for the condition of a join.
        "INSERT INTO person_name (word_hash, area, person_id) SELECT r.word, r.area, r.person FROM {} \
         WHERE true ON CONFLICT DO NOTHING",
        db.rows(1, "r", &columns)
    );
    let rows = serde_json::Value::Array(rows).to_string();
    sqlx::query(sql(statement)).bind(rows).execute(conn).await?;
    Ok(())
}

/// Writes the words of the next people that have none yet; `false` once everybody has.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn catch_up(db: &Db, limit: i64) -> Result<bool, StoreError> {
    let after = find_cursor(db).await?;
    if after.as_deref() == Some(DONE) {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    let statement = format!(
        "SELECT id, name_sealed, area FROM person WHERE id > $1 ORDER BY id LIMIT $2{}",
        db.for_update()
    );
    let people: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(sql(statement))
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut *tx)
        .await?;
    let mut rows = Vec::new();
    for (id, sealed, area) in &people {
        let Some(sealed) = sealed else { continue };
        let place = Place { table: "person", column: "name_sealed" };
        // One that cannot be read must not keep all others from being found.
        let Ok(name) = db.sealer.open(place, id, sealed) else { continue };
        let area = area.as_deref().unwrap_or_default().replace('.', "");
        let words = PersonName::parse(&name).map(|name| name.words()).unwrap_or_default();
        rows.extend(words.iter().map(|word| row(db, word, &area, id)));
    }
    insert(&mut tx, db, rows).await?;
    let reached = people.last().map_or(DONE, |(id, ..)| id);
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(CURSOR)
    .bind(reached.to_owned())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(!people.is_empty())
}

async fn find_cursor(db: &Db) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT value FROM meta WHERE name = $1")
        .bind(CURSOR)
        .fetch_optional(db.reader())
        .await?)
}

/// People of an area whose names have all these words; with `with_unknown` also those of whom no area is known.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_words(
    db: &Db,
    words: &[String],
    (within, with_unknown): (&AreaCode, bool),
    limit: i64,
) -> Result<Vec<PersonId>, StoreError> {
    let mut found = Vec::new();
    for range in area_ranges(within, with_unknown) {
        // The rarest word first: each of its people is asked for the others.
        let mut ranked = Vec::with_capacity(words.len());
        for word in words {
            let hash = word_hash(db, word);
            ranked.push((count_word(db, &hash, &range).await?, hash));
        }
        ranked.sort();
        let hashes: Vec<String> = ranked.into_iter().map(|(_, hash)| hash).collect();
        let left = limit - i64::try_from(found.len()).unwrap_or(limit);
        if left <= 0 {
            break;
        }
        found.extend(find_in_range(db, &hashes, &range, left).await?);
    }
    Ok(found)
}

async fn count_word(db: &Db, hash: &str, [from, to]: &[String; 2]) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM person_name WHERE word_hash = $1 AND area >= $2 \
         AND area < $3 LIMIT $4) AS few",
    )
    .bind(hash.to_owned())
    .bind(from.clone())
    .bind(to.clone())
    .bind(COUNTED)
    .fetch_one(db.reader())
    .await?)
}

async fn find_in_range(
    db: &Db,
    hashes: &[String],
    [from, to]: &[String; 2],
    limit: i64,
) -> Result<Vec<PersonId>, StoreError> {
    let Some((first, others)) = hashes.split_first() else { return Ok(Vec::new()) };
    let mut also = String::new();
    for n in 0..others.len() {
        let _ = write!(
            also,
            " AND EXISTS (SELECT 1 FROM person_name o WHERE o.word_hash = ${} AND o.area = f.area \
             AND o.person_id = f.person_id)",
            n + 5
        );
    }
    let statement = format!(
        "SELECT f.person_id FROM person_name f WHERE f.word_hash = $1 AND f.area >= $2 AND f.area < $3{also} \
         ORDER BY f.area, f.person_id LIMIT $4"
    );
    let mut query = sqlx::query_as::<_, (String,)>(sql(statement))
        .bind(first.clone())
        .bind(from.clone())
        .bind(to.clone())
        .bind(limit);
    for hash in others {
        query = query.bind(hash.clone());
    }
    let rows = query.fetch_all(db.reader()).await?;
    rows.iter().map(|(id,)| parse("person_name", "person_id", id, id)).collect()
}

/// Whoever has that NIK.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_nik(db: &Db, nik: &Nik) -> Result<Vec<PersonId>, StoreError> {
    list_ids(db, "SELECT id FROM person WHERE nik_hash = $1", nik_hash(db, nik)).await
}

/// Whoever has the NIK with that hash.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_nik_hash(db: &Db, hash: &str) -> Result<Vec<PersonId>, StoreError> {
    list_ids(db, "SELECT id FROM person WHERE nik_hash = $1", hash.to_owned()).await
}

/// Those registered with that number, at most 50.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_phone(db: &Db, phone: &PhoneNumber) -> Result<Vec<PersonId>, StoreError> {
    let statement = "SELECT id FROM person WHERE phone_hash = $1 ORDER BY id LIMIT 50";
    list_ids(db, statement, phone_hash(db, phone)).await
}

async fn list_ids(
    db: &Db,
    statement: &'static str,
    hash: String,
) -> Result<Vec<PersonId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(statement).bind(hash).fetch_all(db.reader()).await?;
    rows.iter().map(|(id,)| parse("person", "id", id, id)).collect()
}

/// Whom the messages with that reference are about, outside of any transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn look_up_reference(
    db: &Db,
    reference: &Reference,
) -> Result<Option<PersonId>, StoreError> {
    find_by_reference(&mut *db.reader().acquire().await?, reference).await
}

/// A person with their NIK, for the page of a card.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_whole(
    db: &Db,
    id: PersonId,
) -> Result<Option<(Person, Option<Nik>)>, StoreError> {
    let mut conn = db.reader().acquire().await?;
    let Some(person) = find_person(&mut conn, db, id).await? else { return Ok(None) };
    let nik = find_nik(&mut conn, db, id).await?;
    Ok(Some((person, nik)))
}

/// Whom the messages with that reference are about.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_reference(
    conn: &mut AnyConnection,
    reference: &Reference,
) -> Result<Option<PersonId>, StoreError> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT person_id FROM message WHERE reference = $1 AND person_id IS NOT NULL ORDER BY id LIMIT 1",
    )
    .bind(reference.to_string())
    .fetch_optional(conn)
    .await?;
    id.map(|id| parse("message", "person_id", &id, &id)).transpose()
}
