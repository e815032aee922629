//! Table `person`: who has a NIK, and where they can be reached.

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, is_few, parse, parse_opt};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::card::{CardUpdate, PhoneGiven};
use crate::domain::clock::Timestamp;
use crate::domain::id::{ContactId, MessageId, PersonId};
use crate::domain::message::ChannelKind;
use crate::domain::nik::Nik;
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;

const TABLE: &str = "person";
const COLUMNS: &str = "id, name_sealed, phone_sealed, phone_problem, area, channel";

const fn place(column: &'static str) -> Place {
    Place { table: TABLE, column }
}

/// A person on file.
#[derive(Clone, Debug)]
pub struct Person {
    /// Row id.
    pub id: PersonId,
    /// Name, if a source told it.
    pub name: Option<PersonName>,
    /// Number, if there is a usable one.
    pub phone: Option<PhoneNumber>,
    /// Why there is no usable number.
    pub phone_problem: Option<String>,
    /// Where they live.
    pub area: Option<AreaCode>,
    /// The channel they asked to be told on.
    pub channel: Option<ChannelKind>,
}

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Person, StoreError> {
    let id: String = row.try_get(0)?;
    let open = |column, value: Option<String>| {
        value.map(|sealed| db.sealer.open(place(column), &id, &sealed)).transpose()
    };
    let name = open("name_sealed", row.try_get(1)?)?;
    let phone = open("phone_sealed", row.try_get(2)?)?;
    let area: Option<String> = row.try_get(4)?;
    let channel: Option<String> = row.try_get(5)?;
    Ok(Person {
        name: name.as_deref().and_then(PersonName::parse),
        phone: phone
            .map(|raw| PhoneNumber::parse_international(&raw))
            .transpose()
            .map_err(|_| corrupt(&id, "phone_sealed"))?,
        phone_problem: row.try_get(3)?,
        area: parse_opt(TABLE, "area", &id, area.as_deref())?,
        channel: parse_opt(TABLE, "channel", &id, channel.as_deref())?,
        id: parse(TABLE, "id", &id, &id)?,
    })
}

fn corrupt(id: &str, column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: TABLE,
        column,
        id: id.to_owned(),
        reason: "not a value of its kind",
    }
}

/// The hash under which a number is looked up, here and in every other table.
#[must_use]
pub fn phone_hash(db: &Db, phone: &PhoneNumber) -> String {
    db.index("phone", phone.expose())
}

/// The hash under which a NIK is looked up, here and in every other table.
#[must_use]
pub fn nik_hash(db: &Db, nik: &Nik) -> String {
    db.index("nik", nik.expose())
}

/// The person with that NIK, if any update ever named it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_nik(
    conn: &mut AnyConnection,
    db: &Db,
    nik: &Nik,
) -> Result<Option<Person>, StoreError> {
    find_by_nik_hash(conn, db, &nik_hash(db, nik)).await
}

/// The same by the hash of the NIK.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_by_nik_hash(
    conn: &mut AnyConnection,
    db: &Db,
    hash: &str,
) -> Result<Option<Person>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM person WHERE nik_hash = $1{}", db.for_update());
    let row = sqlx::query(sql(statement)).bind(hash.to_owned()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// Those registered with that number, oldest first; a family may be many, so at most 50.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_by_phone(
    conn: &mut AnyConnection,
    db: &Db,
    phone: &PhoneNumber,
) -> Result<Vec<Person>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, name_sealed, phone_sealed, phone_problem, area, channel FROM person \
         WHERE phone_hash = $1 ORDER BY id LIMIT 50",
    )
    .bind(phone_hash(db, phone))
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// The person of that id.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_person(
    conn: &mut AnyConnection,
    db: &Db,
    id: PersonId,
) -> Result<Option<Person>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM person WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.map(|row| read(db, &row)).transpose()
}

/// A person's NIK, for comparing it with what a register says.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_nik(
    conn: &mut AnyConnection,
    db: &Db,
    id: PersonId,
) -> Result<Option<Nik>, StoreError> {
    let key = id.to_string();
    let sealed: Option<String> = sqlx::query_scalar("SELECT nik_sealed FROM person WHERE id = $1")
        .bind(key.clone())
        .fetch_optional(conn)
        .await?;
    let plain = sealed.map(|sealed| db.sealer.open(place("nik_sealed"), &key, &sealed));
    plain
        .transpose()?
        .map(|nik| Nik::parse(&nik).map_err(|_| corrupt(&key, "nik_sealed")))
        .transpose()
}

/// The person a message is about, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_of_message(
    conn: &mut AnyConnection,
    db: &Db,
    message: MessageId,
) -> Result<Option<Person>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM person WHERE id = (SELECT person_id FROM message WHERE message.id = $1){}",
        db.for_update()
    );
    let row = sqlx::query(sql(statement)).bind(message.to_string()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// Those bound to a contact by a code of the counter, oldest first, at most 50.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_bound(
    conn: &mut AnyConnection,
    db: &Db,
    contact: ContactId,
) -> Result<Vec<Person>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, name_sealed, phone_sealed, phone_problem, area, channel FROM person \
         WHERE id IN (SELECT person_id FROM binding WHERE contact_id = $1) ORDER BY id LIMIT 50",
    )
    .bind(contact.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Notes on which channel people asked to be told; none for the office's order.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_channel(
    conn: &mut AnyConnection,
    people: &[PersonId],
    channel: Option<ChannelKind>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for person in people {
        sqlx::query("UPDATE person SET channel = $2, updated_at = $3 WHERE id = $1")
            .bind(person.to_string())
            .bind(channel.map(ChannelKind::as_str))
            .bind(now.as_ms())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Up to so many people are picked out by their area and put in order.
const FEW: i64 = 5_000;

/// People without a usable number, by id after `after`, for the list that an officer carries.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_unreachable(
    db: &Db,
    within: Option<&AreaCode>,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Person>, StoreError> {
    let [from, to] = within.map(area_range).unwrap_or_default();
    let of_area = |from: &str, to: &str| {
        format!(
            "phone_hash IS NULL AND area IS NOT NULL AND replace(area, '.', '') >= {from} \
             AND replace(area, '.', '') < {to}"
        )
    };
    let range = [from.clone(), to.clone()];
    let is_few =
        !from.is_empty() && is_few(db, ("person", &of_area("$1", "$2")), range, FEW).await?;
    // In either case an index alone tells who it is, and only those are fetched.
    let whom = if is_few {
        format!("{} AND id || '' > $1 ORDER BY id || ''", of_area("$3", "$4"))
    } else {
        "phone_hash IS NULL AND id > $1 \
         AND ($3 = '' OR (replace(area, '.', '') >= $3 AND replace(area, '.', '') < $4)) ORDER BY id".to_owned()
    };
    let rows = sqlx::query(sql(format!(
        "SELECT id, name_sealed, phone_sealed, phone_problem, area, channel FROM person \
         WHERE id IN (SELECT id FROM person WHERE {whom} LIMIT $2) ORDER BY id"
    )))
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .bind(from)
    .bind(to)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Writes what an update says about its person: a new row, or what is new of it. What an update
/// leaves out stays as it is; a number that is unusable replaces none that works.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_person(
    conn: &mut AnyConnection,
    db: &Db,
    on_file: Option<Person>,
    id: PersonId,
    update: &CardUpdate,
    now: Timestamp,
) -> Result<Person, StoreError> {
    let id = on_file.as_ref().map_or(id, |person| person.id);
    let key = id.to_string();
    let is_new = on_file.is_none();
    let mut person = on_file.unwrap_or(Person {
        id,
        name: None,
        phone: None,
        phone_problem: None,
        area: None,
        channel: None,
    });
    let mut changed = is_new;
    let found_by = (person.name.clone(), person.area.clone());
    if update.name.is_some() && update.name != person.name {
        person.name.clone_from(&update.name);
        changed = true;
    }
    if update.area.is_some() && update.area != person.area {
        person.area.clone_from(&update.area);
        changed = true;
    }
    match &update.phone {
        PhoneGiven::NotGiven if person.phone.is_none() && person.phone_problem.is_none() => {
            person.phone_problem = Some("not_given".to_owned());
            changed = true;
        }
        PhoneGiven::Mobile(phone) if person.phone.as_ref() != Some(phone) => {
            person.phone = Some(phone.clone());
            person.phone_problem = None;
            changed = true;
        }
        PhoneGiven::Unusable(problem) if person.phone.is_none() => {
            person.phone_problem = Some((*problem).to_owned());
            changed = true;
        }
        PhoneGiven::NotGiven | PhoneGiven::Mobile(_) | PhoneGiven::Unusable(_) => {}
    }
    changed |= update.rt.is_some() || update.rw.is_some() || update.dusun.is_some();
    changed |= update.address.is_some();
    if changed {
        write(conn, db, &person, &key, update, is_new, now).await?;
    }
    if is_new || found_by != (person.name.clone(), person.area.clone()) {
        super::search::write_words(conn, db, &person, is_new).await?;
        if !is_new {
            move_along(conn, person.id, person.area.as_ref()).await?;
        }
    }
    Ok(person)
}

/// Takes over where somebody lives now into their cards and messages.
async fn move_along(
    conn: &mut AnyConnection,
    id: PersonId,
    area: Option<&AreaCode>,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE card SET area = $2 WHERE person_id = $1 AND area <> $2",
        "UPDATE message SET area = $2 WHERE person_id = $1 AND area <> $2",
    ] {
        sqlx::query(statement)
            .bind(id.to_string())
            .bind(area.map(AreaCode::plain).unwrap_or_default().to_owned())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Gives somebody a number that works, in place of what is on file.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_phone(
    conn: &mut AnyConnection,
    db: &Db,
    id: PersonId,
    phone: &PhoneNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = id.to_string();
    sqlx::query(
        "UPDATE person SET phone_hash = $2, phone_sealed = $3, phone_problem = NULL, updated_at = $4 \
         WHERE id = $1",
    )
    .bind(key.clone())
    .bind(phone_hash(db, phone))
    .bind(db.sealer.seal(place("phone_sealed"), &key, phone.expose())?)
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Where somebody lives by the word of their desa; what is none stays as it is.
#[derive(Clone, Copy, Default)]
pub struct MendedHome<'a> {
    /// RT.
    pub rt: Option<&'a str>,
    /// RW.
    pub rw: Option<&'a str>,
    /// Street and number, or the way there.
    pub address: Option<&'a str>,
}

/// Notes where somebody lives, by the word of their desa. A source that goes on saying what it said before changes
/// nothing of that.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mend_home(
    conn: &mut AnyConnection,
    db: &Db,
    id: PersonId,
    home: MendedHome<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = id.to_string();
    // Statements are whole sentences: no name of a column is ever put together.
    let parts = [
        (
            "address_sealed",
            home.address,
            "SELECT address_sealed FROM person WHERE id = $1",
            "UPDATE person SET address_sealed = $2, address_was = COALESCE(address_was, $3), updated_at = $4 WHERE id = $1",
        ),
        (
            "rt_sealed",
            home.rt,
            "SELECT rt_sealed FROM person WHERE id = $1",
            "UPDATE person SET rt_sealed = $2, rt_was = COALESCE(rt_was, $3), updated_at = $4 WHERE id = $1",
        ),
        (
            "rw_sealed",
            home.rw,
            "SELECT rw_sealed FROM person WHERE id = $1",
            "UPDATE person SET rw_sealed = $2, rw_was = COALESCE(rw_was, $3), updated_at = $4 WHERE id = $1",
        ),
    ];
    for (column, value, find, set) in parts {
        let Some(value) = value else { continue };
        let sealed: Option<String> =
            sqlx::query_scalar(find).bind(key.clone()).fetch_one(&mut *conn).await?;
        let was = sealed.map(|sealed| db.sealer.open(place(column), &key, &sealed)).transpose()?;
        sqlx::query(set)
            .bind(key.clone())
            .bind(db.sealer.seal(place(column), &key, value)?)
            .bind(was.map(|was| was_hash(db, &key, column, &was)))
            .bind(now.as_ms())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Under which hash a part of a home that was mended is known again: it holds for that person alone.
fn was_hash(db: &Db, key: &str, column: &str, value: &str) -> String {
    db.index("home_was", &format!("{key}:{column}:{value}"))
}

async fn write(
    conn: &mut AnyConnection,
    db: &Db,
    person: &Person,
    key: &str,
    update: &CardUpdate,
    is_new: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let seal = |column, value: Option<&str>| {
        value.map(|plain| db.sealer.seal(place(column), key, plain)).transpose()
    };
    let statement = if is_new {
        "INSERT INTO person (id, name_sealed, phone_hash, phone_sealed, phone_problem, area, rt_sealed, \
         rw_sealed, updated_at, dusun_sealed, address_sealed, nik_hash, nik_sealed, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $9)"
    } else {
        "UPDATE person SET name_sealed = $2, phone_hash = $3, phone_sealed = $4, phone_problem = $5, \
         area = $6, updated_at = $9, dusun_sealed = COALESCE($10, dusun_sealed), \
         rt_sealed = CASE WHEN $7 IS NULL OR rt_was = $12 THEN rt_sealed ELSE $7 END, \
         rt_was = CASE WHEN $7 IS NULL OR rt_was = $12 THEN rt_was ELSE NULL END, \
         rw_sealed = CASE WHEN $8 IS NULL OR rw_was = $13 THEN rw_sealed ELSE $8 END, \
         rw_was = CASE WHEN $8 IS NULL OR rw_was = $13 THEN rw_was ELSE NULL END, \
         address_sealed = CASE WHEN $11 IS NULL OR address_was = $14 THEN address_sealed ELSE $11 END, \
         address_was = CASE WHEN $11 IS NULL OR address_was = $14 THEN address_was ELSE NULL END WHERE id = $1"
    };
    let query = sqlx::query(statement)
        .bind(key.to_owned())
        .bind(seal("name_sealed", person.name.as_ref().map(PersonName::expose))?)
        .bind(person.phone.as_ref().map(|phone| phone_hash(db, phone)))
        .bind(seal("phone_sealed", person.phone.as_ref().map(PhoneNumber::expose))?)
        .bind(person.phone_problem.clone())
        .bind(person.area.as_ref().map(ToString::to_string))
        .bind(seal("rt_sealed", update.rt.as_deref())?)
        .bind(seal("rw_sealed", update.rw.as_deref())?)
        .bind(now.as_ms())
        .bind(seal("dusun_sealed", update.dusun.as_deref())?)
        .bind(seal("address_sealed", update.address.as_deref())?);
    let query = if is_new {
        query.bind(nik_hash(db, &update.nik)).bind(db.sealer.seal(
            place("nik_sealed"),
            key,
            update.nik.expose(),
        )?)
    } else {
        let was = |column, value: Option<&str>| value.map(|value| was_hash(db, key, column, value));
        query
            .bind(was("rt_sealed", update.rt.as_deref()))
            .bind(was("rw_sealed", update.rw.as_deref()))
            .bind(was("address_sealed", update.address.as_deref()))
    };
    query.execute(conn).await?;
    Ok(())
}

/// Takes the number away from one person, and says why in their row.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_phone_of(
    conn: &mut AnyConnection,
    id: PersonId,
    problem: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE person SET phone_hash = NULL, phone_sealed = NULL, phone_problem = $2, updated_at = $3 \
         WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(problem.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a number away from everybody registered with it, and says why in their rows.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn release_phone(
    conn: &mut AnyConnection,
    db: &Db,
    phone: &PhoneNumber,
    problem: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE person SET phone_hash = NULL, phone_sealed = NULL, phone_problem = $2, updated_at = $3 \
         WHERE phone_hash = $1",
    )
    .bind(phone_hash(db, phone))
    .bind(problem.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
