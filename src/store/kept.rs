//! What the tables hold about one conversation and about one person, counted for whoever asks what
//! is kept about them.
//!
//! Reads only, and opens nothing that is sealed: whether something is kept is told, never what.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::StoreError;
use super::row::{parse, time};
use super::suppression::SuppressionReason;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, ContactId, PersonId};
use crate::domain::ticket::{TicketKind, TicketState};

/// Tickets looked at, the newest first.
const MAX_TICKETS: i64 = 100;

const OPEN_APPOINTMENTS: &str = "SELECT code FROM appointment WHERE contact_id = $1 AND state IN ('booked', 'waiting') ORDER BY id";
const OPEN_HOME_VISITS: &str = "SELECT number FROM home_visit WHERE contact_id = $1 AND state IN ('requested', 'scheduled') ORDER BY id";

/// What is kept of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptConversation {
    /// Since when it is known.
    pub since: Timestamp,
    /// Messages that came from it.
    pub received: i64,
    /// Messages that went to its addresses.
    pub sent: i64,
    /// Questions of it that wait to be put with those of others.
    pub questions: i64,
    /// When its owner stopped the news, or asked for it again; nothing when they did neither.
    pub consent_at: Option<Timestamp>,
    /// Its owner said that they are not whom we wrote to.
    pub is_stranger: bool,
    /// What it put before an officer, the newest first.
    pub tickets: Vec<KeptTicket>,
    /// Codes of its appointments that are open.
    pub appointments: Vec<String>,
    /// Numbers of its requests for officers to come that are open.
    pub home_visits: Vec<String>,
}

/// A ticket of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTicket {
    /// What it is about.
    pub kind: TicketKind,
    /// The number of a complaint.
    pub number: Option<String>,
    /// Where it is.
    pub state: TicketState,
}

/// What is kept of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPerson {
    /// Since when they are on file.
    pub since: Timestamp,
    /// The area of their residence is kept.
    pub has_area: bool,
    /// RT, RW or dusun is kept.
    pub has_address: bool,
    /// How many states are kept of each of their cards, old ones too.
    pub updates: BTreeMap<CardId, i64>,
}

/// What is kept of a conversation, known under these addresses.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_conversation(
    conn: &mut AnyConnection,
    id: ContactId,
    hashes: &[String],
) -> Result<Option<KeptConversation>, StoreError> {
    let found: Option<(i64, i64, i64)> = sqlx::query_as(
        "SELECT created_at, (SELECT COUNT(*) FROM inbound WHERE contact_id = contact.id), \
         (SELECT COUNT(*) FROM question WHERE contact_id = contact.id) FROM contact WHERE id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    let Some((since, received, questions)) = found else { return Ok(None) };
    let mut kept = KeptConversation {
        since: Timestamp::from_ms(since),
        received,
        sent: 0,
        questions,
        consent_at: None,
        is_stranger: false,
        tickets: list_tickets(conn, id).await?,
        appointments: list_codes(conn, id, OPEN_APPOINTMENTS).await?,
        home_visits: list_codes(conn, id, OPEN_HOME_VISITS).await?,
    };
    for hash in hashes {
        let (sent, consent_at, strangers): (i64, Option<i64>, i64) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM message WHERE recipient_hash = $1 AND sent_at IS NOT NULL), \
             (SELECT COALESCE(opted_out_at, updated_at) FROM consent WHERE address_hash = $1), \
             (SELECT COUNT(*) FROM suppression WHERE address_hash = $1 AND reason = $2 \
              AND released_at IS NULL)",
        )
        .bind(hash.clone())
        .bind(SuppressionReason::WrongPerson.as_str())
        .fetch_one(&mut *conn)
        .await?;
        kept.sent += sent;
        kept.consent_at = kept.consent_at.max(time(consent_at));
        kept.is_stranger |= strangers > 0;
    }
    Ok(Some(kept))
}

async fn list_codes(
    conn: &mut AnyConnection,
    id: ContactId,
    statement: &'static str,
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(statement).bind(id.to_string()).fetch_all(conn).await?)
}

async fn list_tickets(
    conn: &mut AnyConnection,
    id: ContactId,
) -> Result<Vec<KeptTicket>, StoreError> {
    let rows: Vec<(String, String, Option<String>, String)> = sqlx::query_as(
        "SELECT id, kind, number, state FROM ticket WHERE contact_id = $1 \
         ORDER BY id DESC LIMIT $2",
    )
    .bind(id.to_string())
    .bind(MAX_TICKETS)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(id, kind, number, state)| {
            Ok(KeptTicket {
                kind: parse("ticket", "kind", &id, &kind)?,
                state: parse("ticket", "state", &id, &state)?,
                number,
            })
        })
        .collect()
}

/// What is kept of a person.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_person(
    conn: &mut AnyConnection,
    person: PersonId,
) -> Result<Option<KeptPerson>, StoreError> {
    let found: Option<(i64, i64, i64)> = sqlx::query_as(
        "SELECT created_at, CAST(CASE WHEN area IS NULL THEN 0 ELSE 1 END AS BIGINT), \
         CAST(CASE WHEN rt_sealed IS NULL AND rw_sealed IS NULL AND dusun_sealed IS NULL \
         AND address_sealed IS NULL \
         THEN 0 ELSE 1 END AS BIGINT) FROM person WHERE id = $1",
    )
    .bind(person.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    let Some((since, has_area, has_address)) = found else { return Ok(None) };
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT card.id, COUNT(card_update.id) FROM card \
         LEFT JOIN card_update ON card_update.card_id = card.id \
         WHERE card.person_id = $1 GROUP BY card.id",
    )
    .bind(person.to_string())
    .fetch_all(conn)
    .await?;
    let updates = rows
        .into_iter()
        .map(|(id, count)| Ok((parse("card", "id", &id, &id)?, count)))
        .collect::<Result<_, StoreError>>()?;
    Ok(Some(KeptPerson {
        since: Timestamp::from_ms(since),
        has_area: has_area > 0,
        has_address: has_address > 0,
        updates,
    }))
}
