//! Table `ticket_entry`: all that happened to a ticket, with who did it: messages of both sides, and
//! every look and change of an officer.

use sqlx::{AnyConnection, Row as _};

use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::id::{InboundId, MessageId, TicketEntryId, TicketId};
use crate::words;

words! {
    /// What happened to a ticket.
    pub enum Happening {
        /// It was opened.
        Opened = "opened",
        /// The citizen wrote.
        Inbound = "inbound",
        /// An officer wrote.
        Reply = "reply",
        /// An officer took it.
        Taken = "taken",
        /// An officer looked at it.
        Looked = "looked",
        /// It was closed.
        Closed = "closed",
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// Row id.
    pub id: TicketEntryId,
    /// To which ticket.
    pub ticket: TicketId,
    /// What.
    pub what: Happening,
    /// The citizen's message.
    pub inbound: Option<InboundId>,
    /// The officer's message.
    pub message: Option<MessageId>,
    /// Which officer.
    pub by: Option<&'a str>,
}

/// Entries that are shown of a ticket, the newest ones.
const MOST: i64 = 1_000;

/// Notes what happened to a ticket. A look touches nothing, and what the citizen writes to an
/// officer who has the ticket neither: the bot keeps silent for as long as it counts as touched.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_entry(
    conn: &mut AnyConnection,
    new: &NewEntry<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ticket_entry (id, ticket_id, what, inbound_id, message_id, by_whom, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.id.to_string())
    .bind(new.ticket.to_string())
    .bind(new.what.as_str())
    .bind(new.inbound.map(|id| id.to_string()))
    .bind(new.message.map(|id| id.to_string()))
    .bind(new.by.map(str::to_owned))
    .bind(now.as_ms())
    .execute(&mut *conn)
    .await?;
    if new.what != Happening::Looked {
        sqlx::query(
            "UPDATE ticket SET touched_at = $2 WHERE id = $1 AND ($3 <> 'inbound' OR state <> 'taken')",
        )
        .bind(new.ticket.to_string())
        .bind(now.as_ms())
        .bind(new.what.as_str())
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Notes that an officer looked, unless the same one did since then: a page that loads itself again
/// and again is one look. Gives whether it is a look of its own.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_look(
    conn: &mut AnyConnection,
    (id, ticket): (TicketEntryId, TicketId),
    by: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO ticket_entry (id, ticket_id, what, by_whom, at) SELECT $1, $2, 'looked', $3, $5 \
         WHERE NOT EXISTS (SELECT 1 FROM ticket_entry WHERE ticket_id = $2 AND what = 'looked' \
         AND at > $4 AND by_whom = $3)",
    )
    .bind(id.to_string())
    .bind(ticket.to_string())
    .bind(by.to_owned())
    .bind(since.as_ms())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Something that happened, as officers read it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What.
    pub what: Happening,
    /// The words of either side, as far as they are still kept.
    pub words: Option<String>,
    /// What was understood of a citizen's words, or became of an officer's message.
    pub note: Option<String>,
    /// Which officer.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What happened to a ticket, in order; of very much the newest.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_entries(
    conn: &mut AnyConnection,
    db: &Db,
    id: TicketId,
) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query(
        "SELECT e.what, e.by_whom, e.at, e.inbound_id, i.text_sealed, i.intent, e.message_id, \
         m.content_sealed, m.status FROM ticket_entry e LEFT JOIN inbound i ON i.id = e.inbound_id \
         LEFT JOIN message m ON m.id = e.message_id WHERE e.ticket_id = $1 ORDER BY e.id DESC LIMIT $2",
    )
    .bind(id.to_string())
    .bind(MOST)
    .fetch_all(conn)
    .await?;
    let key = id.to_string();
    rows.iter()
        .rev()
        .map(|row| {
            let what: String = row.try_get(0)?;
            let open = |place, owner: usize, value: usize| -> Result<Option<String>, StoreError> {
                let owner: Option<String> = row.try_get(owner)?;
                let sealed: Option<String> = row.try_get(value)?;
                match (owner, sealed) {
                    (Some(owner), Some(sealed)) => db.sealer.open(place, &owner, &sealed).map(Some),
                    _ => Ok(None),
                }
            };
            let written = open(Place { table: "inbound", column: "text_sealed" }, 3, 4)?;
            let content = open(Place { table: "message", column: "content_sealed" }, 6, 7)?;
            let said = content.and_then(|json| super::content::parse_content(&json));
            let intent: Option<String> = row.try_get(5)?;
            let status: Option<String> = row.try_get(8)?;
            Ok(Entry {
                what: parse("ticket_entry", "what", &key, &what)?,
                words: written.or_else(|| said.map(|content| content.text.expose().to_owned())),
                note: intent.or(status),
                by: row.try_get(1)?,
                at: Timestamp::from_ms(row.try_get(2)?),
            })
        })
        .collect()
}
