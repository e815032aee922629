//! Who is on file for a broadcast, page by page, and everything that decides whether and where they may be
//! written to, each read once for a whole page.
//!
//! Reads tables `person`, `card`, `contact`, `binding`, `consent`, `suppression` and `broadcast_entry`, and
//! writes the last one only. What an audience asks for is `domain::audience`'s.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::content::parse_recipient;
use super::db::{Column, sql};
use super::row::{area_range, parse, parse_opt};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::audience::{Audience, CardCondition};
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::document::Document;
use crate::domain::id::{BroadcastId, ContactId, PersonId, RunId};
use crate::domain::message::ChannelKind;
use crate::domain::nik::Nik;
use crate::domain::outbound::{Bsuid, ChatId, Recipient};
use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;

const ENTRY: Place = Place { table: "broadcast_entry", column: "phone_sealed" };
const COLUMNS: &str = "p.id, p.area, p.channel, p.phone_hash, p.phone_sealed, p.nik_sealed, p.dusun_sealed, \
                       p.rw_sealed, p.rt_sealed";

/// Somebody who may be meant.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where the page goes on behind them.
    pub position: String,
    /// Who; none for a number that nobody on file has.
    pub person: Option<PersonId>,
    /// Where they live.
    pub area: Option<AreaCode>,
    /// The channel they asked to be told on.
    pub channel: Option<ChannelKind>,
    /// Hash of the number.
    pub phone_hash: Option<String>,
    /// The number.
    pub phone: Option<PhoneNumber>,
    /// Their NIK.
    pub nik: Option<Nik>,
    /// Dusun, RW and RT, where they are asked for.
    pub home: [Option<String>; 3],
}

fn read(
    db: &Db,
    row: &AnyRow,
    position: String,
    wants_home: bool,
) -> Result<Candidate, StoreError> {
    let id: String = row.try_get("id")?;
    let area: Option<String> = row.try_get("area")?;
    let channel: Option<String> = row.try_get("channel")?;
    let open = |column: &'static str| -> Result<Option<String>, StoreError> {
        let sealed: Option<String> = row.try_get(column)?;
        let place = Place { table: "person", column };
        sealed.map(|sealed| db.sealer.open(place, &id, &sealed)).transpose()
    };
    let home = |column| if wants_home { open(column) } else { Ok(None) };
    Ok(Candidate {
        position,
        area: parse_opt("person", "area", &id, area.as_deref())?,
        channel: parse_opt("person", "channel", &id, channel.as_deref())?,
        phone_hash: row.try_get("phone_hash")?,
        phone: open("phone_sealed")?.and_then(|raw| PhoneNumber::parse_international(&raw).ok()),
        nik: open("nik_sealed")?.and_then(|raw| Nik::parse(&raw).ok()),
        home: [home("dusun_sealed")?, home("rw_sealed")?, home("rt_sealed")?],
        person: Some(parse("person", "id", &id, &id)?),
    })
}

/// People of an audience behind a position, in the order of their areas: by area, paper and the state of the
/// card. The rest of an audience is for the caller to compare. A page with fewer than `limit` is the last one.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_people(
    db: &Db,
    audience: &Audience,
    after: Option<&str>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Candidate>, StoreError> {
    let (mut code, mut id) = after.and_then(|at| at.split_once('/')).unwrap_or(("", ""));
    let mut found = Vec::new();
    for area in &audience.areas {
        let [from, to] = area_range(area);
        // What lies behind this area was read before.
        if found.len() >= limit || code >= to.as_str() {
            continue;
        }
        let card = card_condition(audience, now);
        let statement = format!(
            "SELECT {COLUMNS} FROM person p WHERE p.area IS NOT NULL AND replace(p.area, '.', '') >= $1 \
             AND replace(p.area, '.', '') < $2 AND (replace(p.area, '.', ''), p.id) > ($3, $4) {} \
             ORDER BY replace(p.area, '.', ''), p.id LIMIT $5",
            card.as_ref().map_or("", |(condition, ..)| condition)
        );
        let mut query = sqlx::query(sql(statement))
            .bind(from)
            .bind(to)
            .bind(code.to_owned())
            .bind(id.to_owned())
            .bind(i64::try_from(limit - found.len()).unwrap_or(i64::MAX));
        if let Some((_, document, status, before)) = &card {
            query = query.bind(document.clone()).bind(status.clone()).bind(*before);
        }
        for row in query.fetch_all(db.reader()).await? {
            let area: String = row.try_get("area")?;
            let id: String = row.try_get("id")?;
            let position = format!("{}/{id}", area.replace('.', ""));
            found.push(read(db, &row, position, audience.asks_for_home())?);
        }
        (code, id) = ("", "");
    }
    Ok(found)
}

/// The condition on cards: its statement, the paper, the state and since when at the latest; empty words and a
/// moment far ahead where they do not matter.
fn card_condition(
    audience: &Audience,
    now: Timestamp,
) -> Option<(&'static str, String, String, i64)> {
    let document = audience.document.map_or("", Document::as_str).to_owned();
    let (document, status, before) = match audience.card {
        Some(CardCondition::NotRecorded) => {
            let card = audience.document.unwrap_or(Document::KtpEl);
            (card.as_str().to_owned(), CardStatus::Unregistered.as_str(), i64::MAX)
        }
        Some(CardCondition::Uncollected { days }) => {
            let wait = std::time::Duration::from_secs(u64::from(days) * 24 * 3600);
            (document, CardStatus::ReadyToCollect.as_str(), now.before(wait).as_ms())
        }
        None | Some(CardCondition::Turning17 { .. }) if document.is_empty() => return None,
        None | Some(CardCondition::Turning17 { .. }) => (document, "", i64::MAX),
    };
    let condition = "AND EXISTS (SELECT 1 FROM card c WHERE c.person_id = p.id \
                     AND (c.document = $6 OR $6 = '') AND (c.status = $7 OR $7 = '') AND c.status_at <= $8)";
    Some((condition, document, status.to_owned(), before))
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEntry {
    /// A number.
    Phone(PhoneNumber),
    /// The reference of a message: whom that was about.
    Reference(Reference),
}

/// The lines of a list without the numbers that nobody of that area has on file. Who lives elsewhere is no more
/// known to whoever asks than a stranger; with `with_unknown` those count whose area nobody knows.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn known_entries(
    db: &Db,
    entries: &[ListEntry],
    (area, with_unknown): (&AreaCode, bool),
) -> Result<Vec<ListEntry>, StoreError> {
    const CHUNK: usize = 1_000;
    let statement = format!(
        "SELECT r.h FROM {} WHERE EXISTS (SELECT 1 FROM person p WHERE p.phone_hash = r.h \
         AND (CASE WHEN p.area IS NULL THEN $4 WHEN replace(p.area, '.', '') >= $2 \
         AND replace(p.area, '.', '') < $3 THEN 1 ELSE 0 END) = 1)",
        db.rows(1, "r", &[Column::Text("h")])
    );
    let [from, to] = area_range(area);
    let mut known = Vec::new();
    for chunk in entries.chunks(CHUNK) {
        let hash = |entry: &ListEntry| match entry {
            ListEntry::Phone(phone) => Some(super::person::phone_hash(db, phone)),
            ListEntry::Reference(_) => None,
        };
        let hashes: Vec<Option<String>> = chunk.iter().map(hash).collect();
        let asked: BTreeSet<&str> = hashes.iter().flatten().map(String::as_str).collect();
        let found: Vec<String> = sqlx::query_scalar(sql(statement.clone()))
            .bind(hashes_json(&asked))
            .bind(from.clone())
            .bind(to.clone())
            .bind(i64::from(with_unknown))
            .fetch_all(db.reader())
            .await?;
        let found: BTreeSet<String> = found.into_iter().collect();
        // Whom a reference names is found out when it is written.
        let is_known = |hash: &Option<String>| hash.as_ref().is_none_or(|h| found.contains(h));
        let lines = chunk.iter().zip(&hashes).filter(|(_, hash)| is_known(hash));
        known.extend(lines.map(|(entry, _)| entry.clone()));
    }
    Ok(known)
}

/// Replaces the list of a broadcast. Gives how many lines were taken: a reference that nobody was sent finds
/// nobody.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn replace_entries(
    tx: &mut AnyConnection,
    db: &Db,
    id: BroadcastId,
    entries: &[ListEntry],
) -> Result<u64, StoreError> {
    sqlx::query("DELETE FROM broadcast_entry WHERE broadcast_id = $1")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    let mut number = 0_i64;
    for entry in entries {
        let (hash, sealed, person) = match entry {
            ListEntry::Phone(phone) => {
                let row = format!("{id}:{}", number + 1);
                let sealed = db.sealer.seal(ENTRY, &row, phone.expose())?;
                (Some(super::person::phone_hash(db, phone)), Some(sealed), None)
            }
            ListEntry::Reference(reference) => {
                let person: Option<Option<String>> = sqlx::query_scalar(
                    "SELECT person_id FROM message WHERE reference = $1 ORDER BY id LIMIT 1",
                )
                .bind(reference.to_string())
                .fetch_optional(&mut *tx)
                .await?;
                let Some(person) = person.flatten() else { continue };
                (None, None, Some(person))
            }
        };
        number += 1;
        sqlx::query(
            "INSERT INTO broadcast_entry (broadcast_id, number, phone_hash, phone_sealed, person_id) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.to_string())
        .bind(number)
        .bind(hash)
        .bind(sealed)
        .bind(person)
        .execute(&mut *tx)
        .await?;
    }
    Ok(u64::try_from(number).unwrap_or(0))
}

/// Those on the list of a broadcast behind a position. A number that several on file have is one of theirs:
/// one within `area`, if there is one. Each line gives one candidate, so that a page with fewer than `limit`
/// is the last one.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_entries(
    db: &Db,
    id: BroadcastId,
    audience: &Audience,
    area: &AreaCode,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Candidate>, StoreError> {
    type Row = (i64, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT number, phone_hash, phone_sealed, person_id FROM broadcast_entry \
         WHERE broadcast_id = $1 AND number > $2 ORDER BY number LIMIT $3",
    )
    .bind(id.to_string())
    .bind(after.and_then(|at| at.parse::<i64>().ok()).unwrap_or(0))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(db.reader())
    .await?;
    let wanted: Vec<Value> = rows
        .iter()
        .map(|(number, hash, _, person)| json!({"n": number, "phone": hash, "person": person}))
        .collect();
    let mut known = find_people(db, wanted, audience.asks_for_home()).await?;
    rows.into_iter()
        .map(|(number, hash, sealed, _)| {
            let position = number.to_string();
            let mut people = known.remove(&position).unwrap_or_default();
            let is_near = |one: &Candidate| one.area.as_ref().is_some_and(|a| a.is_within(area));
            let best = people.iter().position(is_near).unwrap_or(0);
            if best < people.len() {
                return Ok(people.swap_remove(best));
            }
            let row = format!("{id}:{number}");
            let phone = sealed.map(|sealed| db.sealer.open(ENTRY, &row, &sealed)).transpose()?;
            Ok(stranger(position, hash, phone.as_deref()))
        })
        .collect()
}

/// Those whom a run did not reach, behind a position. Who may have got it all the same is left in peace.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_unreached(
    db: &Db,
    run: RunId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Candidate>, StoreError> {
    let rows: Vec<(String, Option<String>, String, Option<String>)> = sqlx::query_as(
        "SELECT id, person_id, recipient_hash, recipient_sealed FROM message \
         WHERE run_id = $1 AND status = 'failed' AND id > $2 \
         AND (failure_code IS NULL OR failure_code <> 'unknown_outcome') ORDER BY id LIMIT $3",
    )
    .bind(run.to_string())
    .bind(after.unwrap_or_default().to_owned())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(db.reader())
    .await?;
    let wanted: Vec<Value> = rows
        .iter()
        .map(|(id, person, ..)| json!({"n": id, "phone": null, "person": person}))
        .collect();
    let mut known = find_people(db, wanted, false).await?;
    rows.into_iter()
        .map(|(id, _, hash, sealed)| {
            if let Some(person) = known.remove(&id).and_then(|mut people| people.pop()) {
                return Ok(person);
            }
            let place = Place { table: "message", column: "recipient_sealed" };
            let to = sealed
                .map(|sealed| db.sealer.open(place, &id, &sealed))
                .transpose()?
                .and_then(|json| parse_recipient(&json))
                .unwrap_or_default();
            let phone = to.phone.as_ref().map(PhoneNumber::expose);
            Ok(stranger(id, Some(hash), phone))
        })
        .collect()
}

/// Whoever has that number, for a test to oneself.
#[must_use]
pub fn of_phone(db: &Db, phone: &PhoneNumber) -> Candidate {
    stranger(String::new(), Some(super::person::phone_hash(db, phone)), Some(phone.expose()))
}

fn stranger(position: String, phone_hash: Option<String>, phone: Option<&str>) -> Candidate {
    Candidate {
        position,
        person: None,
        area: None,
        channel: None,
        phone_hash,
        phone: phone.and_then(|raw| PhoneNumber::parse_international(raw).ok()),
        nik: None,
        home: [None, None, None],
    }
}

/// People by number or by id; the key is what the caller calls them.
async fn find_people(
    db: &Db,
    wanted: Vec<Value>,
    wants_home: bool,
) -> Result<BTreeMap<String, Vec<Candidate>>, StoreError> {
    let columns = [Column::Text("n"), Column::Text("phone"), Column::Text("person")];
    let rows = db.rows(1, "r", &columns);
    let statement = format!(
        "SELECT CAST(r.n AS TEXT) AS n, {COLUMNS} FROM {rows} JOIN person p ON p.id = r.person \
         UNION ALL SELECT CAST(r.n AS TEXT) AS n, {COLUMNS} FROM {rows} JOIN person p ON p.phone_hash = r.phone"
    );
    let found = sqlx::query(sql(statement))
        .bind(Value::Array(wanted).to_string())
        .fetch_all(db.reader())
        .await?;
    let mut people: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for row in &found {
        let name: String = row.try_get("n")?;
        let candidate = read(db, row, name.clone(), wants_home)?;
        people.entry(name).or_default().push(candidate);
    }
    // The oldest first, whatever order the engine gave.
    for found in people.values_mut() {
        found.sort_by_key(|one| one.person);
    }
    Ok(people)
}

/// A chat that a candidate is reached at.
#[derive(Clone, Debug)]
pub struct Reachable {
    /// Row id of the contact.
    pub contact: ContactId,
    /// On which channel.
    pub channel: ChannelKind,
    /// In which scope its ids name people.
    pub portfolio: String,
    /// How.
    pub address: Recipient,
    /// Hash of its number.
    pub phone_hash: Option<String>,
    last_inbound_at: Option<i64>,
}

/// The chats of candidates by their place in the page, the newest first: bound at the counter, or with a number
/// that its owner proved.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_chats(
    db: &Db,
    page: &[Candidate],
) -> Result<BTreeMap<usize, Vec<Reachable>>, StoreError> {
    let columns = [Column::Int("n"), Column::Text("phone"), Column::Text("person")];
    let rows = db.rows(1, "r", &columns);
    let picked = "r.n AS n, c.id, c.channel, c.portfolio, c.phone_hash, c.phone_sealed, c.bsuid_sealed, \
                  c.chat_sealed, c.last_inbound_at";
    let statement = format!(
        "SELECT {picked} FROM {rows} JOIN contact c ON c.phone_hash = r.phone AND c.chat_hash IS NOT NULL \
         UNION SELECT {picked} FROM {rows} JOIN binding b ON b.person_id = r.person JOIN contact c ON c.id = b.contact_id"
    );
    let found = sqlx::query(sql(statement)).bind(page_json(page)).fetch_all(db.reader()).await?;
    let mut chats: BTreeMap<usize, Vec<Reachable>> = BTreeMap::new();
    for row in &found {
        let id: String = row.try_get("id")?;
        let open = |column: &'static str| -> Result<Option<String>, StoreError> {
            let sealed: Option<String> = row.try_get(column)?;
            let place = Place { table: "contact", column };
            sealed.map(|sealed| db.sealer.open(place, &id, &sealed)).transpose()
        };
        let channel: String = row.try_get("channel")?;
        let address = Recipient {
            phone: open("phone_sealed")?
                .and_then(|raw| PhoneNumber::parse_international(&raw).ok()),
            bsuid: open("bsuid_sealed")?.as_deref().and_then(Bsuid::parse),
            chat: open("chat_sealed")?.and_then(|id| id.parse().ok()).and_then(ChatId::new),
        };
        let number = usize::try_from(row.try_get::<i64, _>("n")?).unwrap_or(usize::MAX);
        chats.entry(number).or_default().push(Reachable {
            channel: parse("contact", "channel", &id, &channel)?,
            portfolio: row.try_get("portfolio")?,
            phone_hash: row.try_get("phone_hash")?,
            last_inbound_at: row.try_get("last_inbound_at")?,
            contact: parse("contact", "id", &id, &id)?,
            address,
        });
    }
    for chats in chats.values_mut() {
        chats.sort_by_key(|chat| (std::cmp::Reverse(chat.last_inbound_at), chat.contact));
    }
    Ok(chats)
}

/// The states of the conversations of candidates, as the dialogue wrote them, by their place in the page.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_dialogues(
    db: &Db,
    page: &[Candidate],
) -> Result<BTreeMap<usize, Vec<String>>, StoreError> {
    let columns = [Column::Int("n"), Column::Text("phone"), Column::Text("person")];
    let rows = db.rows(1, "r", &columns);
    let statement = format!(
        "SELECT r.n AS n, c.id, c.dialogue_sealed FROM {rows} JOIN contact c ON c.phone_hash = r.phone \
         WHERE c.dialogue_sealed IS NOT NULL UNION SELECT r.n AS n, c.id, c.dialogue_sealed FROM {rows} \
         JOIN binding b ON b.person_id = r.person JOIN contact c ON c.id = b.contact_id \
         WHERE c.dialogue_sealed IS NOT NULL"
    );
    let found: Vec<(i64, String, String)> =
        sqlx::query_as(sql(statement)).bind(page_json(page)).fetch_all(db.reader()).await?;
    let mut dialogues: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let place = Place { table: "contact", column: "dialogue_sealed" };
    for (number, id, sealed) in found {
        let plain = db.sealer.open(place, &id, &sealed)?;
        dialogues.entry(usize::try_from(number).unwrap_or(usize::MAX)).or_default().push(plain);
    }
    Ok(dialogues)
}

fn page_json(page: &[Candidate]) -> String {
    let rows: Vec<Value> = page
        .iter()
        .enumerate()
        .map(|(n, one)| {
            json!({"n": n, "phone": one.phone_hash, "person": one.person.map(|id| id.to_string())})
        })
        .collect();
    Value::Array(rows).to_string()
}

/// The NIK of everybody on file with one of these numbers, to see whether a grown-up is among them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_niks(
    db: &Db,
    phone_hashes: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Vec<Nik>>, StoreError> {
    let statement = format!(
        "SELECT p.phone_hash, p.id, p.nik_sealed FROM {} JOIN person p ON p.phone_hash = r.h",
        db.rows(1, "r", &[Column::Text("h")])
    );
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql(statement))
        .bind(hashes_json(phone_hashes))
        .fetch_all(db.reader())
        .await?;
    let mut found: BTreeMap<String, Vec<Nik>> = BTreeMap::new();
    let place = Place { table: "person", column: "nik_sealed" };
    for (hash, id, sealed) in rows {
        let nik = Nik::parse(&db.sealer.open(place, &id, &sealed)?).ok();
        found.entry(hash).or_default().extend(nik);
    }
    Ok(found)
}

/// What is known of addresses.
#[derive(Debug, Default)]
pub struct Consents {
    words: BTreeMap<String, (bool, bool)>,
    suppressed: BTreeSet<(String, String)>,
}

impl Consents {
    /// What is known of an address on a channel: the strictest of its parts.
    #[must_use]
    pub fn of(&self, hashes: &[String], channel: ChannelKind) -> Consent {
        let mut all = Consent::default();
        for hash in hashes {
            let (opted_out, no_marketing) = self.words.get(hash).copied().unwrap_or_default();
            let is_on =
                |channel: &str| self.suppressed.contains(&(hash.clone(), channel.to_owned()));
            all.is_opted_out |= opted_out;
            all.is_without_marketing |= no_marketing;
            all.is_suppressed |= is_on("") || is_on(channel.as_str());
        }
        all
    }
}

/// What is known of all these addresses.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_consents(db: &Db, hashes: &BTreeSet<&str>) -> Result<Consents, StoreError> {
    let rows = db.rows(1, "r", &[Column::Text("h")]);
    let bound = hashes_json(hashes);
    let words: Vec<(String, Option<i64>, Option<i64>)> = sqlx::query_as(sql(format!(
        "SELECT c.address_hash, c.opted_out_at, c.no_marketing_at FROM {rows} \
         JOIN consent c ON c.address_hash = r.h"
    )))
    .bind(bound.clone())
    .fetch_all(db.reader())
    .await?;
    let suppressed: Vec<(String, String)> = sqlx::query_as(sql(format!(
        "SELECT s.address_hash, s.channel FROM {rows} JOIN suppression s ON s.address_hash = r.h \
         AND s.released_at IS NULL"
    )))
    .bind(bound)
    .fetch_all(db.reader())
    .await?;
    Ok(Consents {
        words: words
            .into_iter()
            .map(|(hash, stopped, unwanted)| (hash, (stopped.is_some(), unwanted.is_some())))
            .collect(),
        suppressed: suppressed.into_iter().collect(),
    })
}

fn hashes_json(hashes: &BTreeSet<&str>) -> String {
    Value::Array(hashes.iter().map(|hash| json!({"h": hash})).collect()).to_string()
}
