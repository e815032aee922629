//! A conversation as an officer has it before them: both sides' words, whether they may still answer, and what an
//! answer would cost.
//!
//! Reading it is noted, once an hour for each officer. What officers do in it is in `ticket`.

use super::by::By;
use super::send::{is_window_open, window_until};
use super::ticket::{self, MAX_REPLY, TicketError};
use super::{App, ServiceError};
use crate::domain::clock::Timestamp;
use crate::domain::id::TicketId;
use crate::domain::message::ChannelKind;
use crate::domain::phone::PhoneNumber;
use crate::domain::redact::redact;
use crate::store::contact;
use crate::store::talk::{Said, list_said};
use crate::store::ticket::{Ticket, find_ticket};
use crate::store::ticket_entry::Entry;
use crate::template::{Encoding, segments, to_gsm};

/// Messages of a conversation that are shown at once.
const SHOWN: i64 = 40;

/// A conversation.
#[derive(Clone, Debug)]
pub struct Talk {
    /// What the citizen put before the office.
    pub ticket: Ticket,
    /// The words of a complaint.
    pub complaint: Option<String>,
    /// What happened to the ticket; empty where only the words were asked for.
    pub entries: Vec<Entry>,
    /// What both sides said, in order.
    pub said: Vec<Said>,
    /// From where older words go on, if there may be any.
    pub older: Option<Timestamp>,
    /// Where it goes on; none when that account is no more.
    pub channel: Option<ChannelKind>,
    /// Whose it is, masked; none where no number is known.
    pub who: Option<String>,
    /// Whether they may be answered in free words.
    pub is_window_open: bool,
    /// Until when, where that ends.
    pub window_until: Option<Timestamp>,
}

/// The ticket alone, to see whether somebody may open it; none when there is none.
///
/// # Errors
/// When the database fails.
pub async fn find(app: &App, id: TicketId) -> Result<Option<Ticket>, ServiceError> {
    Ok(find_ticket(&mut *app.db.reading().await?, id).await?)
}

/// Opens a conversation for an officer, and notes that they read it.
///
/// # Errors
/// [`TicketError::NotFound`], or when the database fails.
pub async fn open(
    app: &App,
    id: TicketId,
    before: Option<Timestamp>,
    by: &By,
) -> Result<Talk, TicketError> {
    let whole = ticket::show(app, id, by).await?;
    let mut talk = gather(app, whole.ticket, before).await?;
    talk.complaint = whole.text;
    talk.entries = whole.entries;
    Ok(talk)
}

/// The newest words of a conversation that an officer has open already.
///
/// # Errors
/// [`TicketError::NotFound`], or when the database fails.
pub async fn follow(app: &App, id: TicketId) -> Result<Talk, TicketError> {
    let ticket = find(app, id).await?.ok_or(TicketError::NotFound)?;
    gather(app, ticket, None).await
}

async fn gather(app: &App, ticket: Ticket, before: Option<Timestamp>) -> Result<Talk, TicketError> {
    let mut reading = app.db.reading().await?;
    let to = contact::find_contact(&mut reading, &app.db, ticket.contact).await?;
    let said = list_said(&mut reading, &app.db, ticket.contact, before, SHOWN).await?;
    let channel = app.account(&ticket.account).map(|account| account.channel);
    let last_inbound_at = to.as_ref().and_then(|to| to.last_inbound_at);
    let now = app.now();
    let is_full = i64::try_from(said.len()).is_ok_and(|count| count >= SHOWN);
    Ok(Talk {
        complaint: None,
        entries: Vec::new(),
        older: said.first().filter(|_| is_full).map(|first| first.at),
        said,
        who: to.and_then(|to| to.address.phone).as_ref().map(PhoneNumber::masked),
        is_window_open: channel
            .is_some_and(|channel| is_window_open(channel, last_inbound_at, now)),
        window_until: channel.and_then(|channel| window_until(channel, last_inbound_at, now)),
        channel,
        ticket,
    })
}

/// How long an answer is, and what stands in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Characters.
    pub characters: usize,
    /// So many at most.
    pub most: usize,
    /// Parts that it would have as SMS.
    pub parts: usize,
    /// Whether a character makes its parts shorter.
    pub is_dear: bool,
    /// Whether it holds what must never stand in a message.
    pub is_personal: bool,
}

/// Measures an answer.
#[must_use]
pub fn measure(words: &str) -> Measure {
    let words = words.trim();
    let cost = segments(&to_gsm(words));
    Measure {
        characters: words.chars().count(),
        most: MAX_REPLY,
        parts: cost.parts,
        is_dear: cost.encoding == Encoding::Ucs2,
        is_personal: redact(words).text != words,
    }
}

/// The ready answers: id, title and words.
#[must_use]
pub fn canned(app: &App) -> Vec<(String, String, String)> {
    let office = &app.settings.office_name;
    let all = app.templates.canned().iter();
    all.map(|one| (one.id.clone(), one.title.clone(), one.words(office))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_measured_as_it_would_leave() {
        let plain = measure("  Bapak/Ibu, mohon bawa “KK”.  ");
        assert_eq!((plain.characters, plain.parts, plain.is_dear), (27, 1, false));
        assert!(measure("☂").is_dear);
        assert_eq!(measure(&"a".repeat(161)).parts, 2);
        assert!(measure("NIK Anda 3517091204560001").is_personal);
        assert!(!plain.is_personal);
    }
}
