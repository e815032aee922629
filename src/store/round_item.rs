//! Table `round_item`: one card on one round, what its holder answered and what became of it.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{parse, parse_opt, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::custody::Holder;
use crate::domain::id::{CardId, ItemId, PersonId, RoundId};
use crate::domain::round::{Answer, ItemState, Next, OldCard, Outcome, ReceivedBy};

const TABLE: &str = "round_item";
const COLUMNS: &str = "i.id, i.round_id, i.card_id, i.person_id, i.position, i.attempt, i.state, i.answer, \
                       i.outcome, i.next, i.next_done_at, i.next_done_by, i.wish_day, i.origin, \
                       i.before_status, i.reference, i.receiver_sealed, i.note_sealed, i.received_by, \
                       i.old_card, i.code_hash, i.code_at, i.wrong_codes, i.version, i.reported_at, \
                       i.said_at, i.reported_by, i.waits_since, i.heard_day, i.moved_at, \
                       i.missing_at";
const RECEIVER: Place = Place { table: TABLE, column: "receiver_sealed" };
const NOTE: Place = Place { table: TABLE, column: "note_sealed" };

/// A card on a round.
#[derive(Clone)]
pub struct Item {
    /// Row id.
    pub id: ItemId,
    /// Which round.
    pub round: RoundId,
    /// Which card.
    pub card: CardId,
    /// Whose.
    pub person: PersonId,
    /// Order on the way, from 1.
    pub position: i64,
    /// 1 or 2.
    pub attempt: i64,
    /// Where it is.
    pub state: ItemState,
    /// What its holder answered.
    pub answer: Option<Answer>,
    /// What became of the visit.
    pub outcome: Option<Outcome>,
    /// What follows.
    pub next: Option<Next>,
    /// It followed, or somebody settled it.
    pub next_done_at: Option<Timestamp>,
    /// Who settled it.
    pub next_done_by: Option<String>,
    /// The day asked for.
    pub wish: Option<chrono::NaiveDate>,
    /// From whom it came and to whom it goes back.
    pub origin: Holder,
    /// The card's status before it was planned.
    pub before: CardStatus,
    /// Of the message that announced it.
    pub reference: Option<String>,
    /// Who receives or received it.
    pub receiver: Option<String>,
    /// The courier's words.
    pub note: Option<String>,
    /// Who received it, and how that was proved.
    pub received_by: Option<ReceivedBy>,
    /// What became of the old card.
    pub old_card: Option<OldCard>,
    /// Keyed hash of the code, once it was told.
    pub code_hash: Option<String>,
    /// When the code was dealt with.
    pub code_at: Option<Timestamp>,
    /// Wrong codes so far.
    pub wrong_codes: i64,
    /// Counts every change.
    pub version: i64,
    /// When the outcome was heard.
    pub reported_at: Option<Timestamp>,
    /// When it happened, by the phone's clock.
    pub said_at: Option<Timestamp>,
    /// Who said it.
    pub reported_by: Option<String>,
    /// Since when the card waits to be brought, however often it went back.
    pub waits_since: Option<Timestamp>,
    /// The day its holder heard of before the round was moved.
    pub heard_day: Option<chrono::NaiveDate>,
    /// When the round was last moved: what was told before speaks of another day.
    pub moved_at: Option<Timestamp>,
    /// When it was not where the courier should have taken it from.
    pub missing_at: Option<Timestamp>,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Item({}, {})", self.id, self.state)
    }
}

fn read(db: &Db, row: &AnyRow) -> Result<Item, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let maybe = |index: usize| row.try_get::<Option<String>, _>(index);
    let open = |place: Place, index: usize| -> Result<Option<String>, StoreError> {
        maybe(index)?.map(|sealed| db.sealer.open(place, &id, &sealed)).transpose()
    };
    Ok(Item {
        round: parse(TABLE, "round_id", &id, &word(1)?)?,
        card: parse(TABLE, "card_id", &id, &word(2)?)?,
        person: parse(TABLE, "person_id", &id, &word(3)?)?,
        position: row.try_get(4)?,
        attempt: row.try_get(5)?,
        state: parse(TABLE, "state", &id, &word(6)?)?,
        answer: parse_opt(TABLE, "answer", &id, maybe(7)?.as_deref())?,
        outcome: parse_opt(TABLE, "outcome", &id, maybe(8)?.as_deref())?,
        next: parse_opt(TABLE, "next", &id, maybe(9)?.as_deref())?,
        next_done_at: time(row.try_get(10)?),
        next_done_by: maybe(11)?,
        wish: parse_opt(TABLE, "wish_day", &id, maybe(12)?.as_deref())?,
        origin: parse(TABLE, "origin", &id, &word(13)?)?,
        before: parse(TABLE, "before_status", &id, &word(14)?)?,
        reference: maybe(15)?,
        receiver: open(RECEIVER, 16)?,
        note: open(NOTE, 17)?,
        received_by: parse_opt(TABLE, "received_by", &id, maybe(18)?.as_deref())?,
        old_card: parse_opt(TABLE, "old_card", &id, maybe(19)?.as_deref())?,
        code_hash: maybe(20)?,
        code_at: time(row.try_get(21)?),
        wrong_codes: row.try_get(22)?,
        version: row.try_get(23)?,
        reported_at: time(row.try_get(24)?),
        said_at: time(row.try_get(25)?),
        reported_by: maybe(26)?,
        waits_since: time(row.try_get(27)?),
        heard_day: parse_opt(TABLE, "heard_day", &id, maybe(28)?.as_deref())?,
        moved_at: time(row.try_get(29)?),
        missing_at: time(row.try_get(30)?),
        id: parse(TABLE, "id", &id, &id)?,
    })
}

/// Writes all that changes of an item, and counts the change.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn save_item(
    conn: &mut AnyConnection,
    db: &Db,
    item: &mut Item,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = item.id.to_string();
    let seal = |place, plain: &Option<String>| {
        plain.as_deref().map(|plain| db.sealer.seal(place, &key, plain)).transpose()
    };
    item.version += 1;
    sqlx::query(
        "UPDATE round_item SET position = $2, state = $3, answer = $4, outcome = $5, next = $6, \
         next_done_at = $7, next_done_by = $8, wish_day = $9, origin = $10, reference = $11, \
         receiver_sealed = $12, note_sealed = $13, received_by = $14, old_card = $15, code_hash = $16, \
         code_at = $17, wrong_codes = $18, version = $19, reported_at = $20, said_at = $21, \
         reported_by = $22, updated_at = $23, heard_day = $24, moved_at = $25, missing_at = $26 WHERE id = $1",
    )
    .bind(key.clone())
    .bind(item.position)
    .bind(item.state.as_str())
    .bind(item.answer.map(Answer::as_str))
    .bind(item.outcome.map(Outcome::as_str))
    .bind(item.next.map(Next::as_str))
    .bind(item.next_done_at.map(Timestamp::as_ms))
    .bind(item.next_done_by.clone())
    .bind(item.wish.map(|day| day.to_string()))
    .bind(item.origin.to_string())
    .bind(item.reference.clone())
    .bind(seal(RECEIVER, &item.receiver)?)
    .bind(seal(NOTE, &item.note)?)
    .bind(item.received_by.map(ReceivedBy::as_str))
    .bind(item.old_card.map(OldCard::as_str))
    .bind(item.code_hash.clone())
    .bind(item.code_at.map(Timestamp::as_ms))
    .bind(item.wrong_codes)
    .bind(item.version)
    .bind(item.reported_at.map(Timestamp::as_ms))
    .bind(item.said_at.map(Timestamp::as_ms))
    .bind(item.reported_by.clone())
    .bind(now.as_ms())
    .bind(item.heard_day.map(|day| day.to_string()))
    .bind(item.moved_at.map(Timestamp::as_ms))
    .bind(item.missing_at.map(Timestamp::as_ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts a visit that was heard of late.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_attempt(
    conn: &mut AnyConnection,
    id: ItemId,
    attempt: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE round_item SET attempt = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(attempt)
        .execute(conn)
        .await?;
    Ok(())
}

/// An item, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_item(
    conn: &mut AnyConnection,
    db: &Db,
    id: ItemId,
) -> Result<Option<Item>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM round_item i WHERE i.id = $1{}", db.for_update());
    let row = sqlx::query(sql(text)).bind(id.to_string()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// The last item of a card, whatever became of it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_last(
    conn: &mut AnyConnection,
    db: &Db,
    card: CardId,
) -> Result<Option<Item>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM round_item i WHERE i.card_id = $1 ORDER BY i.id DESC LIMIT 1{}",
        db.for_update()
    );
    let row = sqlx::query(sql(text)).bind(card.to_string()).fetch_optional(conn).await?;
    row.map(|row| read(db, &row)).transpose()
}

/// On which round an item is.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_round_of(
    conn: &mut AnyConnection,
    id: ItemId,
) -> Result<Option<RoundId>, StoreError> {
    let key = id.to_string();
    let round: Option<String> = sqlx::query_scalar("SELECT round_id FROM round_item WHERE id = $1")
        .bind(key.clone())
        .fetch_optional(conn)
        .await?;
    round.map(|round| parse(TABLE, "round_id", &key, &round)).transpose()
}

/// The last place on a round's way.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn last_position(conn: &mut AnyConnection, round: RoundId) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COALESCE(MAX(position), 0) FROM round_item WHERE round_id = $1")
        .bind(round.to_string())
        .fetch_one(conn)
        .await?)
}

/// The items of a round in the order of the way.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_of_round(
    conn: &mut AnyConnection,
    db: &Db,
    round: RoundId,
) -> Result<Vec<Item>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM round_item i WHERE i.round_id = $1 ORDER BY i.position, i.id LIMIT 5000"
    );
    let rows = sqlx::query(sql(text)).bind(round.to_string()).fetch_all(conn).await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// What is announced to somebody and still to come, the oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_announced_of(
    conn: &mut AnyConnection,
    db: &Db,
    person: PersonId,
) -> Result<Vec<Item>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM round_item i WHERE i.person_id = $1 AND i.state IN ('planned', 'announced') \
         ORDER BY i.id LIMIT 20"
    );
    let rows = sqlx::query(sql(text)).bind(person.to_string()).fetch_all(conn).await?;
    let items = rows.iter().map(|row| read(db, row)).collect::<Result<Vec<_>, _>>()?;
    Ok(items.into_iter().filter(|item| item.state == ItemState::Announced).collect())
}

/// Items of which the office or a desa is asked what follows, the oldest first, of people who live
/// in an area: where the house is, or how to reach them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_questions(
    conn: &mut AnyConnection,
    db: &Db,
    area: &AreaCode,
    limit: i64,
) -> Result<Vec<Item>, StoreError> {
    let [from, to] = super::row::area_range(area);
    let text = format!(
        "SELECT {COLUMNS} FROM round_item i JOIN card c ON c.id = i.card_id \
         WHERE i.next IN ('ask_desa', 'not_reached') \
         AND i.next_done_at IS NULL AND c.area >= $1 AND c.area < $2 ORDER BY i.id LIMIT $3"
    );
    let rows = sqlx::query(sql(text)).bind(from).bind(to).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// Cards that lie in an office of an area though their holders died or moved away, the longest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_without_holder(
    conn: &mut AnyConnection,
    db: &Db,
    area: &AreaCode,
    limit: i64,
) -> Result<Vec<Item>, StoreError> {
    let [from, to] = super::row::area_range(area);
    let text = format!(
        "SELECT {COLUMNS} FROM round_item i JOIN card c ON c.id = i.card_id \
         JOIN custody h ON h.card_id = i.card_id AND h.until_at IS NULL \
         WHERE i.next = 'absent' AND i.next_done_at IS NOT NULL AND c.area >= $1 AND c.area < $2 \
         AND substr(h.holder, 1, 5) IN ('point', 'desa ') AND NOT EXISTS (SELECT 1 FROM round_item l \
         WHERE l.card_id = i.card_id AND l.id > i.id) ORDER BY i.id LIMIT $3"
    );
    let rows = sqlx::query(sql(text)).bind(from).bind(to).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|row| read(db, row)).collect()
}

/// The reference of the last message that named the day on which a card is brought.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_reference(
    conn: &mut AnyConnection,
    card: CardId,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT reference FROM message WHERE card_id = $1 AND reference IS NOT NULL \
         AND template IN ('home_delivery_scheduled', 'home_delivery_moved') ORDER BY id DESC LIMIT 1",
    )
    .bind(card.to_string())
    .fetch_optional(conn)
    .await?)
}

/// Where somebody lives, and whether they can be told something.
#[derive(Clone, Default)]
pub struct Home {
    /// Name as the source wrote it.
    pub name: Option<String>,
    /// RT.
    pub rt: Option<String>,
    /// RW.
    pub rw: Option<String>,
    /// Dusun.
    pub dusun: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// There is a number.
    pub has_phone: bool,
    /// Dotted code of the area.
    pub area: Option<String>,
}

/// Where the people of a round live, by their ids.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_homes(
    conn: &mut AnyConnection,
    db: &Db,
    round: RoundId,
) -> Result<std::collections::BTreeMap<PersonId, Home>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, name_sealed, rt_sealed, rw_sealed, dusun_sealed, address_sealed, phone_hash, area \
         FROM person WHERE id IN (SELECT person_id FROM round_item WHERE round_id = $1)",
    )
    .bind(round.to_string())
    .fetch_all(conn)
    .await?;
    let homes = rows.iter().map(|row| read_home(db, row));
    homes.collect()
}

/// The same of one person.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_home(
    conn: &mut AnyConnection,
    db: &Db,
    person: PersonId,
) -> Result<Home, StoreError> {
    let row = sqlx::query(
        "SELECT id, name_sealed, rt_sealed, rw_sealed, dusun_sealed, address_sealed, phone_hash, area \
         FROM person WHERE id = $1",
    )
    .bind(person.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| read_home(db, &row)).transpose()?.map(|(_, home)| home).unwrap_or_default())
}

fn read_home(db: &Db, row: &AnyRow) -> Result<(PersonId, Home), StoreError> {
    let id: String = row.try_get(0)?;
    let open = |column, index: usize| -> Result<Option<String>, StoreError> {
        let sealed: Option<String> = row.try_get(index)?;
        let place = Place { table: "person", column };
        sealed.map(|sealed| db.sealer.open(place, &id, &sealed)).transpose()
    };
    let phone: Option<String> = row.try_get(6)?;
    let home = Home {
        name: open("name_sealed", 1)?,
        rt: open("rt_sealed", 2)?,
        rw: open("rw_sealed", 3)?,
        dusun: open("dusun_sealed", 4)?,
        address: open("address_sealed", 5)?,
        has_phone: phone.is_some(),
        area: row.try_get(7)?,
    };
    Ok((parse("person", "id", &id, &id)?, home))
}
