//! Table `ticket`: what citizens put before an officer.

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse, parse_opt, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ContactId, TicketId};
use crate::domain::ticket::{ComplaintCategory, ComplaintNumber, TicketKind, TicketState};

const TEXT: Place = Place { table: "ticket", column: "text_sealed" };
const COLUMNS: &str = "id, kind, state, number, contact_id, account, area, category, due_at, opened_at, \
                       touched_at, taken_at, taken_by, closed_at, closed_by";

/// A ticket about to be opened.
#[derive(Debug)]
pub struct NewTicket<'a> {
    /// Row id.
    pub id: TicketId,
    /// What it is about.
    pub kind: TicketKind,
    /// The number of a complaint.
    pub number: Option<&'a str>,
    /// Whose conversation.
    pub contact: ContactId,
    /// Our account they write to.
    pub account: &'a str,
    /// Where they live.
    pub area: Option<&'a AreaCode>,
    /// What a complaint is about.
    pub category: Option<ComplaintCategory>,
    /// The complaint.
    pub text: Option<&'a str>,
    /// By when it must be dealt with.
    pub due_at: Option<Timestamp>,
}

/// A ticket, without its words.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Row id, the cursor.
    pub id: TicketId,
    /// What it is about.
    pub kind: TicketKind,
    /// Where it is.
    pub state: TicketState,
    /// The number of a complaint.
    pub number: Option<String>,
    /// Whose conversation.
    pub contact: ContactId,
    /// Our account they write to.
    pub account: String,
    /// Where they live.
    pub area: Option<AreaCode>,
    /// What a complaint is about.
    pub category: Option<ComplaintCategory>,
    /// By when it must be dealt with.
    pub due_at: Option<Timestamp>,
    /// Since when it is there.
    pub opened_at: Timestamp,
    /// When either side last did something.
    pub touched_at: Timestamp,
    /// When an officer took it.
    pub taken_at: Option<Timestamp>,
    /// Who.
    pub taken_by: Option<String>,
    /// Done.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
}

fn read(row: &sqlx::any::AnyRow) -> Result<Ticket, StoreError> {
    let id: String = row.try_get(0)?;
    let word = |index: usize| row.try_get::<String, _>(index);
    let area: Option<String> = row.try_get(6)?;
    let category: Option<String> = row.try_get(7)?;
    Ok(Ticket {
        kind: parse("ticket", "kind", &id, &word(1)?)?,
        state: parse("ticket", "state", &id, &word(2)?)?,
        number: row.try_get(3)?,
        contact: parse("ticket", "contact_id", &id, &word(4)?)?,
        account: word(5)?,
        area: parse_opt("ticket", "area", &id, area.as_deref())?,
        category: parse_opt("ticket", "category", &id, category.as_deref())?,
        due_at: time(row.try_get(8)?),
        opened_at: Timestamp::from_ms(row.try_get(9)?),
        touched_at: Timestamp::from_ms(row.try_get(10)?),
        taken_at: time(row.try_get(11)?),
        taken_by: row.try_get(12)?,
        closed_at: time(row.try_get(13)?),
        closed_by: row.try_get(14)?,
        id: parse("ticket", "id", &id, &id)?,
    })
}

/// Opens a ticket; `false` when this conversation has one of its kind that is not closed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_ticket(
    conn: &mut AnyConnection,
    db: &Db,
    new: &NewTicket<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let id = new.id.to_string();
    let text = new.text.map(|text| db.sealer.seal(TEXT, &id, text)).transpose()?;
    let done = sqlx::query(
        "INSERT INTO ticket (id, kind, state, number, contact_id, account, area, category, text_sealed, \
         due_at, opened_at, touched_at) VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $9, $10, $10) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(new.kind.as_str())
    .bind(new.number.map(str::to_owned))
    .bind(new.contact.to_string())
    .bind(new.account.to_owned())
    .bind(new.area.map(ToString::to_string))
    .bind(new.category.map(ComplaintCategory::as_str))
    .bind(text)
    .bind(new.due_at.map(Timestamp::as_ms))
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The talk with an officer that a conversation waits for or has, and its place among those that
/// wait.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_talk(
    conn: &mut AnyConnection,
    contact: ContactId,
) -> Result<Option<(TicketId, TicketState, i64)>, StoreError> {
    let row: Option<(String, String, i64)> = sqlx::query_as(
        "SELECT t.id, t.state, (SELECT COUNT(*) FROM ticket w WHERE w.kind = 'human' \
         AND w.state = 'open' AND w.closed_at IS NULL AND w.id <= t.id) FROM ticket t \
         WHERE t.contact_id = $1 AND t.kind = 'human' AND t.closed_at IS NULL",
    )
    .bind(contact.to_string())
    .fetch_optional(conn)
    .await?;
    row.map(|(id, state, place)| {
        Ok((parse("ticket", "id", &id, &id)?, parse("ticket", "state", &id, &state)?, place))
    })
    .transpose()
}

/// How many wait for an officer to talk to.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_waiting(conn: &mut AnyConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM ticket WHERE kind = 'human' AND state = 'open' AND closed_at IS NULL",
    )
    .fetch_one(conn)
    .await?)
}

/// Where a complaint of that number is, if this conversation made it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_complaint(
    conn: &mut AnyConnection,
    number: &ComplaintNumber,
    contact: ContactId,
) -> Result<Option<TicketState>, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM ticket WHERE number = $1 AND contact_id = $2")
            .bind(number.to_string())
            .bind(contact.to_string())
            .fetch_optional(conn)
            .await?;
    state.map(|state| parse("ticket", "state", number.as_str(), &state)).transpose()
}

/// Whether a complaint has that number already.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn is_number_taken(
    conn: &mut AnyConnection,
    number: &ComplaintNumber,
) -> Result<bool, StoreError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM ticket WHERE number = $1")
            .bind(number.to_string())
            .fetch_optional(conn)
            .await?;
    Ok(found.is_some())
}

/// Which tickets are asked for; every part that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// In that state; without one, all that are not closed.
    pub state: Option<TicketState>,
    /// Closed ones too.
    pub is_all: bool,
    /// About that.
    pub kind: Option<TicketKind>,
    /// Of people in that area; those who are on no file are everybody's.
    pub area: Option<AreaCode>,
    /// Of people in that area, and of nobody else.
    pub within: Option<AreaCode>,
    /// After that one: the cursor of the page before.
    pub after: Option<TicketId>,
}

/// Tickets, oldest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_tickets(
    db: &Db,
    filter: &TicketFilter,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    let state = match filter.state {
        Some(state) => state.as_str(),
        None if filter.is_all => "all",
        None => "",
    };
    let [from, to] = filter.within.as_ref().map(area_range).unwrap_or_default();
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM ticket WHERE id > $1 \
         AND ($2 = 'all' OR ($2 = '' AND closed_at IS NULL) OR state = $2) \
         AND ($3 = '' OR kind = $3) \
         AND ($4 = '' OR area IS NULL OR area = $4 OR area LIKE $4 || '.%') \
         AND ($6 = '' OR (replace(area, '.', '') >= $6 AND replace(area, '.', '') < $7)) \
         ORDER BY id LIMIT $5"
    )))
    .bind(filter.after.map(|id| id.to_string()).unwrap_or_default())
    .bind(state)
    .bind(filter.kind.map_or("", TicketKind::as_str))
    .bind(filter.area.as_ref().map(ToString::to_string).unwrap_or_default())
    .bind(limit)
    .bind(from)
    .bind(to)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// One ticket.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_ticket(
    conn: &mut AnyConnection,
    id: TicketId,
) -> Result<Option<Ticket>, StoreError> {
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM ticket WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The words of a complaint, for the officer who deals with it.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_text(
    conn: &mut AnyConnection,
    db: &Db,
    id: TicketId,
) -> Result<Option<String>, StoreError> {
    let key = id.to_string();
    let sealed: Option<Option<String>> =
        sqlx::query_scalar("SELECT text_sealed FROM ticket WHERE id = $1")
            .bind(key.clone())
            .fetch_optional(conn)
            .await?;
    sealed.flatten().map(|sealed| db.sealer.open(TEXT, &key, &sealed)).transpose()
}

/// Gives a ticket that waits to an officer; `false` when it does not wait.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_taken(
    conn: &mut AnyConnection,
    id: TicketId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE ticket SET state = 'taken', taken_at = $3, taken_by = $2, touched_at = $3 \
         WHERE id = $1 AND state = 'open'",
    )
    .bind(id.to_string())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Closes a ticket; `false` when it is closed.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_closed(
    conn: &mut AnyConnection,
    id: TicketId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE ticket SET state = 'closed', closed_at = $3, closed_by = $2, touched_at = $3 \
         WHERE id = $1 AND closed_at IS NULL",
    )
    .bind(id.to_string())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Closes talks that nobody has touched since then; returns them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn close_untouched(
    conn: &mut AnyConnection,
    before: Timestamp,
    by: &str,
    now: Timestamp,
) -> Result<Vec<TicketId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "UPDATE ticket SET state = 'closed', closed_at = $3, closed_by = $2 \
         WHERE closed_at IS NULL AND kind = 'human' AND touched_at <= $1 RETURNING id",
    )
    .bind(before.as_ms())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(id,)| parse("ticket", "id", id, id)).collect()
}

/// Whether there are talks that nobody has touched since then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_untouched(db: &Db, before: Timestamp) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM ticket WHERE closed_at IS NULL AND kind = 'human' \
         AND touched_at <= $1 LIMIT 1",
    )
    .bind(before.as_ms())
    .fetch_optional(db.reader())
    .await?;
    Ok(found.is_some())
}
