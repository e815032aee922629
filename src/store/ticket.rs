//! Table `ticket`: what citizens put before an officer.

use sqlx::{AnyConnection, Row as _};

use super::db::{mark, sql};
use super::row::{area_range, parse, parse_opt, time};
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ContactId, TicketId};
use crate::domain::ticket::{ComplaintCategory, TicketKind, TicketState};

pub(super) const TEXT: Place = Place { table: "ticket", column: "text_sealed" };
pub(super) const COLUMNS: &str = "id, kind, state, number, contact_id, account, area, category, due_at, opened_at, \
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

pub(super) fn read(row: &sqlx::any::AnyRow) -> Result<Ticket, StoreError> {
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
    let [from, to] = filter.within.as_ref().map(area_range).unwrap_or_default();
    let rows = sqlx::query(sql(list_statement(filter)))
        .bind(filter.after.map(|id| id.to_string()).unwrap_or_default())
        .bind(filter.state.map_or("", TicketState::as_str))
        .bind(filter.kind.map_or("", TicketKind::as_str))
        .bind(filter.area.as_ref().map(ToString::to_string).unwrap_or_default())
        .bind(limit)
        .bind(from)
        .bind(to)
        .fetch_all(db.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// What is not closed is asked for in so many words: as a parameter no index would know of it, and
/// the list of what waits would read all there ever was.
fn list_statement(filter: &TicketFilter) -> String {
    let which = match filter.state {
        Some(TicketState::Closed) => "closed_at IS NOT NULL AND ",
        None if filter.is_all => "",
        Some(TicketState::Open | TicketState::Taken) | None => "closed_at IS NULL AND ",
    };
    format!(
        "SELECT {COLUMNS} FROM ticket WHERE {which}id > $1 AND ($2 = '' OR state = $2) \
         AND ($3 = '' OR kind = $3) \
         AND ($4 = '' OR area IS NULL OR area = $4 OR area LIKE $4 || '.%') \
         AND ($6 = '' OR (replace(area, '.', '') >= $6 AND replace(area, '.', '') < $7)) \
         ORDER BY id LIMIT $5"
    )
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

/// The same, held until the end of the transaction.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn lock_ticket(
    conn: &mut AnyConnection,
    db: &Db,
    id: TicketId,
) -> Result<Option<Ticket>, StoreError> {
    let lock = db.for_update();
    let row = sqlx::query(sql(format!("SELECT {COLUMNS} FROM ticket WHERE id = $1{lock}")))
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
    const TAKE: &str = "UPDATE ticket SET state = 'taken', taken_at = $3, taken_by = $2, \
                        touched_at = $3 WHERE id = $1 AND state = 'open'";
    mark(conn, TAKE, id.to_string(), by, now).await
}

/// Gives a ticket that somebody has to another; `false` when it is not theirs any more.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_relieved(
    conn: &mut AnyConnection,
    id: TicketId,
    (from, to): (&str, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE ticket SET taken_at = $4, taken_by = $3, touched_at = $4 \
         WHERE id = $1 AND state = 'taken' AND taken_by = $2",
    )
    .bind(id.to_string())
    .bind(from.to_owned())
    .bind(to.to_owned())
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
    const CLOSE: &str = "UPDATE ticket SET state = 'closed', closed_at = $3, closed_by = $2, \
                         touched_at = $3 WHERE id = $1 AND closed_at IS NULL";
    mark(conn, CLOSE, id.to_string(), by, now).await
}

/// Which talks are over: without an act of the officer who took them since then, or waiting for one
/// without a word of the citizen since then.
#[derive(Clone, Copy, Debug)]
pub struct Untouched {
    /// Those that an officer took.
    pub taken: Timestamp,
    /// Those that wait for one; not later than the other.
    pub open: Timestamp,
}

/// The first of the two moments is the later one, and finds both by their index.
const UNTOUCHED: &str = "closed_at IS NULL AND kind = 'human' AND touched_at <= $1 \
                         AND (state = 'taken' OR touched_at <= $2)";

/// Closes talks that are over; returns them.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn close_untouched(
    conn: &mut AnyConnection,
    since: Untouched,
    by: &str,
    now: Timestamp,
) -> Result<Vec<TicketId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(sql(format!(
        "UPDATE ticket SET state = 'closed', closed_at = $4, closed_by = $3 WHERE {UNTOUCHED} \
         RETURNING id"
    )))
    .bind(since.taken.as_ms())
    .bind(since.open.as_ms())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(id,)| parse("ticket", "id", id, id)).collect()
}

/// Whether there are talks that are over.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_untouched(db: &Db, since: Untouched) -> Result<bool, StoreError> {
    let statement = format!("SELECT CAST(1 AS BIGINT) FROM ticket WHERE {UNTOUCHED} LIMIT 1");
    let found: Option<i64> = sqlx::query_scalar(sql(statement))
        .bind(since.taken.as_ms())
        .bind(since.open.as_ms())
        .fetch_optional(db.reader())
        .await?;
    Ok(found.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_what_waits_asks_the_index_of_it() {
        let statement = |state, is_all| {
            list_statement(&TicketFilter { state, is_all, ..TicketFilter::default() })
        };
        for state in [None, Some(TicketState::Open), Some(TicketState::Taken)] {
            assert!(statement(state, false).contains("WHERE closed_at IS NULL AND"), "{state:?}");
        }
        assert!(!statement(None, true).contains("closed_at IS"));
        assert!(statement(Some(TicketState::Closed), false).contains("closed_at IS NOT NULL"));
    }
}
