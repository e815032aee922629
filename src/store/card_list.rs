//! Tables `card` and `person` as lists for officers: cards of an area by their status, the cards of people who were
//! searched for, and the people whom nobody can reach yet.

use sqlx::Row as _;

use super::db::{Column, sql};
use super::row::{area_ranges, parse, parse_opt};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::id::{CardId, PersonId};
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;

/// Cards that are counted of one status, at most.
pub const COUNTED: i64 = 10_000;

/// A card with as much of its holder as a list shows.
#[derive(Clone, Debug)]
pub struct CardLine {
    /// Row id, the cursor.
    pub id: CardId,
    /// Which paper.
    pub document: Document,
    /// 1 for the first of its kind, then its reprints.
    pub serial: i64,
    /// Where it is.
    pub status: CardStatus,
    /// Since when.
    pub status_at: Timestamp,
    /// Which point has it.
    pub service_point: Option<String>,
    /// Whose.
    pub person: PersonId,
    /// The holder's name.
    pub name: Option<PersonName>,
    /// The holder's number.
    pub phone: Option<PhoneNumber>,
    /// Where the holder lives.
    pub area: Option<AreaCode>,
    /// What that area is called, if its name was imported.
    pub area_name: Option<String>,
}

const FIELDS: &str = "c.id, c.document, c.serial, c.status, c.status_at, \
                      COALESCE(s.short_name, c.service_point), p.id, p.name_sealed, p.phone_sealed, p.area, a.name";
const JOINS: &str = "JOIN person p ON p.id = c.person_id LEFT JOIN area a ON a.code = p.area \
                     LEFT JOIN service_point s ON s.code = c.service_point";

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<CardLine, StoreError> {
    let id: String = row.try_get(0)?;
    let person: String = row.try_get(6)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let area: Option<String> = row.try_get(9)?;
    let phone = open(db, row, "phone_sealed", &person, 8)?;
    Ok(CardLine {
        document: parse("card", "document", &id, &word(1)?)?,
        serial: row.try_get(2)?,
        status: parse("card", "status", &id, &word(3)?)?,
        status_at: Timestamp::from_ms(row.try_get(4)?),
        service_point: row.try_get(5)?,
        name: open(db, row, "name_sealed", &person, 7)?.as_deref().and_then(PersonName::parse),
        phone: phone.and_then(|raw| PhoneNumber::parse_international(&raw).ok()),
        area: parse_opt("person", "area", &person, area.as_deref())?,
        area_name: row.try_get(10)?,
        person: parse("person", "id", &person, &person)?,
        id: parse("card", "id", &id, &id)?,
    })
}

fn open(
    db: &Db,
    row: &sqlx::any::AnyRow,
    column: &'static str,
    person: &str,
    index: usize,
) -> Result<Option<String>, StoreError> {
    let sealed: Option<String> = row.try_get(index)?;
    let place = Place { table: "person", column };
    sealed.map(|sealed| db.sealer.open(place, person, &sealed)).transpose()
}

/// Cards of an area in a status, area by area, after a cursor; with `with_unknown` also, and first, those of whose
/// holders no area is known.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_by_status(
    db: &Db,
    status: CardStatus,
    (within, with_unknown): (&AreaCode, bool),
    after: Option<CardId>,
    limit: i64,
) -> Result<Vec<CardLine>, StoreError> {
    let (mut reached, mut after) = match after {
        None => (String::new(), String::new()),
        Some(id) => {
            let area: Option<String> = sqlx::query_scalar("SELECT area FROM card WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(db.reader())
                .await?;
            (area.unwrap_or_default(), id.to_string())
        }
    };
    let mut lines = Vec::new();
    for [from, to] in area_ranges(within, with_unknown) {
        if from > reached {
            (reached, after) = (from, String::new());
        }
        let left = limit - i64::try_from(lines.len()).unwrap_or(limit);
        if reached >= to || left <= 0 {
            continue;
        }
        let rows = sqlx::query(sql(format!(
            "SELECT {FIELDS} FROM card c {JOINS} WHERE c.status = $1 AND c.area >= $2 AND c.area < $3 \
             AND (c.area > $2 OR c.id > $4) ORDER BY c.area, c.id LIMIT $5"
        )))
        .bind(status.as_str())
        .bind(reached.clone())
        .bind(to)
        .bind(after.clone())
        .bind(left)
        .fetch_all(db.reader())
        .await?;
        for row in &rows {
            lines.push(read(db, row)?);
        }
    }
    Ok(lines)
}

/// How many cards of an area are in a status, as far as [`COUNTED`].
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_by_status(
    db: &Db,
    status: CardStatus,
    (within, with_unknown): (&AreaCode, bool),
) -> Result<i64, StoreError> {
    let mut count = 0;
    for [from, to] in area_ranges(within, with_unknown) {
        let part: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 FROM card WHERE status = $1 AND area >= $2 AND area < $3 \
             LIMIT $4) AS few",
        )
        .bind(status.as_str())
        .bind(from)
        .bind(to)
        .bind(COUNTED)
        .fetch_one(db.reader())
        .await?;
        count += part;
    }
    Ok(count.min(COUNTED))
}

/// The latest card of each kind of these people, in their order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_of_people(db: &Db, people: &[PersonId]) -> Result<Vec<CardLine>, StoreError> {
    let rows: Vec<_> = people
        .iter()
        .enumerate()
        .map(|(at, id)| serde_json::json!({"person": id.to_string(), "at": at}))
        .collect();
    let statement = format!(
        "SELECT {FIELDS} FROM {} JOIN card c ON c.person_id = r.person {JOINS} WHERE NOT EXISTS \
         (SELECT 1 FROM card newer WHERE newer.person_id = c.person_id AND newer.document = c.document \
         AND newer.serial > c.serial) ORDER BY r.at, c.document",
        db.rows(1, "r", &[Column::Text("person"), Column::Int("at")])
    );
    let rows = sqlx::query(sql(statement))
        .bind(serde_json::Value::Array(rows).to_string())
        .fetch_all(db.reader())
        .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Somebody without a usable number, with as much as a list to carry shows.
#[derive(Clone, Debug)]
pub struct NameLine {
    /// Row id, the cursor.
    pub id: PersonId,
    /// Name.
    pub name: Option<PersonName>,
    /// RT.
    pub rt: Option<String>,
    /// RW.
    pub rw: Option<String>,
}

/// People of an area without a usable number, area by area, after a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_names(
    db: &Db,
    within: &AreaCode,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<NameLine>, StoreError> {
    let [from, to] = super::row::area_range(within);
    let (reached, after) = match after {
        None => (from, String::new()),
        Some(id) => {
            let area: Option<Option<String>> =
                sqlx::query_scalar("SELECT replace(area, '.', '') FROM person WHERE id = $1")
                    .bind(id.to_string())
                    .fetch_optional(db.reader())
                    .await?;
            // A cursor from elsewhere leads nowhere beyond one's own area.
            match area.flatten().filter(|area| *area >= from) {
                Some(area) => (area, id.to_string()),
                None => (from, String::new()),
            }
        }
    };
    let rows = sqlx::query(
        "SELECT id, name_sealed, rt_sealed, rw_sealed FROM person WHERE phone_hash IS NULL AND area IS NOT NULL \
         AND replace(area, '.', '') >= $1 AND replace(area, '.', '') < $2 \
         AND (replace(area, '.', '') > $1 OR id > $3) ORDER BY replace(area, '.', ''), id LIMIT $4",
    )
    .bind(reached)
    .bind(to)
    .bind(after)
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter()
        .map(|row| {
            let id: String = row.try_get(0)?;
            let text = |column, index| open(db, row, column, &id, index);
            Ok(NameLine {
                name: text("name_sealed", 1)?.as_deref().and_then(PersonName::parse),
                rt: text("rt_sealed", 2)?,
                rw: text("rw_sealed", 3)?,
                id: parse("person", "id", &id, &id)?,
            })
        })
        .collect()
}
