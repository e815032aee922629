//! The tickets of table `ticket` as officers list them: of one state, within their own area.
//!
//! Only looks; nobody's words are read here.

use sqlx::Row as _;

use super::db::sql;
use super::row::{area_range, parse};
use super::ticket::{COLUMNS, Ticket, read};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::id::TicketId;
use crate::domain::ticket::{TicketKind, TicketState};

/// Whose tickets somebody may see.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    /// Of people who live there.
    pub within: &'a AreaCode,
    /// And of those of whom that is not known.
    pub has_unplaced: bool,
}

/// Which of them are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Where they are.
    pub state: TicketState,
    /// What they are about; none for all.
    pub kind: Option<TicketKind>,
    /// The last one of the page before.
    pub after: Option<TicketId>,
}

/// `$1` and `$2` are the area's digits, `$3` is 1 where the unplaced are seen.
const SEEN: &str = "((replace(area, '.', '') >= $1 AND replace(area, '.', '') < $2) \
                    OR ($3 = 1 AND area IS NULL))";

/// Tickets of one state: what waits with the oldest first, what is over with the newest first.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_seen(
    db: &Db,
    sight: &Sight<'_>,
    wanted: Wanted,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    // Said in so many words, so that the index of what is not closed is known to fit.
    let which = match wanted.state {
        TicketState::Open => "closed_at IS NULL AND state = 'open' AND id > $4",
        TicketState::Taken => "closed_at IS NULL AND state = 'taken' AND id > $4",
        TicketState::Closed => "closed_at IS NOT NULL AND id < $4",
    };
    let (order, first) = match wanted.state {
        TicketState::Open | TicketState::Taken => ("id", ""),
        // Small letters come behind all that ids are made of.
        TicketState::Closed => ("id DESC", "tkt_zzzz"),
    };
    let [from, to] = area_range(sight.within);
    let rows = sqlx::query(sql(format!(
        "SELECT {COLUMNS} FROM ticket WHERE {which} AND {SEEN} AND ($5 = '' OR kind = $5) \
         ORDER BY {order} LIMIT $6"
    )))
    .bind(from)
    .bind(to)
    .bind(i64::from(sight.has_unplaced))
    .bind(wanted.after.map_or_else(|| first.to_owned(), |id| id.to_string()))
    .bind(wanted.kind.map_or("", TicketKind::as_str))
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// How many are not closed, by where they are and what they are about.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_seen(
    db: &Db,
    sight: &Sight<'_>,
) -> Result<Vec<(TicketState, TicketKind, i64)>, StoreError> {
    let [from, to] = area_range(sight.within);
    let rows = sqlx::query(sql(format!(
        "SELECT state, kind, COUNT(*) FROM ticket WHERE closed_at IS NULL AND {SEEN} GROUP BY state, kind"
    )))
    .bind(from)
    .bind(to)
    .bind(i64::from(sight.has_unplaced))
    .fetch_all(db.reader())
    .await?;
    rows.iter()
        .map(|row| {
            let word = |index: usize| row.try_get::<String, _>(index);
            let state = parse("ticket", "state", "count", &word(0)?)?;
            Ok((state, parse("ticket", "kind", "count", &word(1)?)?, row.try_get(2)?))
        })
        .collect()
}
