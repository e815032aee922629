//! What citizens put before an officer, from either side: opened by a conversation, taken, answered
//! and closed by an officer, and closed by time alone.
//!
//! Every look and change is noted with who did it. An officer's words take the outbox like all
//! others, as a reply, and only while the channel still lets us write.

use std::time::Duration;

use serde_json::{Value, json};

use super::by::{By, is_officer};
use super::outbox::{self, Draft};
use super::{App, ServiceError, route, send};
use crate::dialogue::{Note, State};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ContactId, InboundId, MessageId, TicketId};
use crate::domain::language::Language;
use crate::domain::message::{ChannelKind, MessageClass, MessageText};
use crate::domain::outbound::Content;
use crate::domain::redact::redact;
use crate::domain::ticket::{ComplaintCategory, TicketKind, TicketState};
use crate::store::contact::{self, Contact};
use crate::store::message;
use crate::store::ticket::{self, NewTicket, Ticket, Untouched};
use crate::store::ticket_entry::{self, Entry, Happening, NewEntry};
use crate::store::{StoreError, Tx, complaint, consent};

/// Consent that is withdrawn must be followed within 3 × 24 hours (UU 27/2022).
const DELETION_WITHIN: Duration = Duration::from_secs(3 * 24 * 3600);
/// Longest reply of an officer, in characters: what every channel takes in one message.
pub(super) const MAX_REPLY: usize = 1_000;
/// Longest key by which a caller repeats a reply, in characters.
const MAX_KEY: usize = 100;
/// Words of one complaint, in characters, with all that was added.
const MAX_WORDS: usize = 10_000;
/// A wish that nobody took keeps its place in the queue for so long after its last word.
const WAITS_FOR: Duration = Duration::from_secs(90 * 24 * 3600);
/// Looks of one officer at one ticket in this time are one.
const ONE_LOOK: Duration = Duration::from_secs(3600);

/// Why an officer's wish cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// There is none of that id.
    #[error("there is no such ticket")]
    NotFound,
    /// Somebody has it already.
    #[error("the ticket does not wait any more: it was taken or closed")]
    NotOpen,
    /// It is over.
    #[error("the ticket is closed")]
    Closed,
    /// Another officer has it, and has not been relieved.
    #[error("another officer has the ticket: take it over first")]
    Elsewhere,
    /// The channel does not let us write any more.
    #[error(
        "the citizen wrote more than 24 hours ago, and WhatsApp takes no free words until they write again"
    )]
    WindowClosed,
    /// The account they wrote to is not configured any more.
    #[error("the account they wrote to is not configured")]
    NoAccount,
    /// Nothing to send, or too much.
    #[error("a reply has 1 to 1000 characters")]
    Length,
    /// A key that is none.
    #[error("the idempotency key has 1 to 100 letters, digits and signs, and no blanks")]
    Key,
    /// It holds what must never stand in a message.
    #[error("the reply holds something like a NIK, a phone number or a code")]
    Personal,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for TicketError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// What a conversation puts before an officer.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// What it is about.
    pub kind: TicketKind,
    /// Whose conversation.
    pub contact: ContactId,
    /// Our account they write to.
    pub account: &'a str,
    /// Where they live.
    pub area: Option<&'a AreaCode>,
    /// Number, category and words of a complaint.
    pub complaint: Option<(&'a str, ComplaintCategory, &'a str)>,
}

/// Opens a ticket, unless the conversation has one of its kind. Gives the new one; of a complaint
/// also the one to which its words were added.
///
/// # Errors
/// When the database fails.
pub async fn open(
    app: &App,
    tx: &mut Tx,
    wish: &Wish<'_>,
    now: Timestamp,
) -> Result<Option<TicketId>, ServiceError> {
    let new = NewTicket {
        id: app.ids.next(now),
        kind: wish.kind,
        number: wish.complaint.map(|(number, _, _)| number),
        contact: wish.contact,
        account: wish.account,
        area: wish.area,
        category: wish.complaint.map(|(_, category, _)| category),
        text: wish.complaint.map(|(_, _, text)| text),
        due_at: (wish.kind == TicketKind::Deletion).then(|| now.after(DELETION_WITHIN)),
    };
    if ticket::insert_ticket(tx, &app.db, &new, now).await? {
        note(app, tx, new.id, Happening::Opened, None, now).await?;
        return Ok(Some(new.id));
    }
    let Some((number, category, text)) = wish.complaint else { return Ok(None) };
    let (whose, words) = ((wish.contact, number), (category, text));
    match complaint::add_to_complaint(tx, &app.db, whose, words, MAX_WORDS).await? {
        Some(id) => Ok(Some(id)),
        // Its number was given to somebody else in that very moment.
        None => Err(StoreError::Conflict("ticket").into()),
    }
}

/// Notes that the citizen wrote.
///
/// # Errors
/// When the database fails.
pub async fn hear(
    app: &App,
    tx: &mut Tx,
    id: TicketId,
    inbound: InboundId,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let entry = NewEntry {
        id: app.ids.next(now),
        ticket: id,
        what: Happening::Inbound,
        inbound: Some(inbound),
        message: None,
        by: None,
    };
    Ok(ticket_entry::insert_entry(tx, &entry, now).await?)
}

/// The citizen ends the talk.
///
/// # Errors
/// When the database fails.
pub async fn end(app: &App, tx: &mut Tx, id: TicketId, now: Timestamp) -> Result<(), ServiceError> {
    if ticket::mark_closed(tx, id, "citizen", now).await? {
        note(app, tx, id, Happening::Closed, Some("citizen"), now).await?;
    }
    Ok(())
}

async fn note(
    app: &App,
    tx: &mut Tx,
    id: TicketId,
    what: Happening,
    by: Option<&str>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let entry =
        NewEntry { id: app.ids.next(now), ticket: id, what, inbound: None, message: None, by };
    Ok(ticket_entry::insert_entry(tx, &entry, now).await?)
}

/// A ticket with its words and all that happened to it.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The ticket.
    pub ticket: Ticket,
    /// The words of a complaint.
    pub text: Option<String>,
    /// What happened, this look or the one just before included.
    pub entries: Vec<Entry>,
}

/// A ticket as the API and the command line have it.
#[must_use]
pub fn described(ticket: &Ticket) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    json!({"id": ticket.id.to_string(), "kind": ticket.kind.as_str(), "state": ticket.state.as_str(),
           "number": ticket.number, "category": ticket.category.map(ComplaintCategory::as_str),
           "is_pungli": ticket.category.is_some_and(ComplaintCategory::is_pungli),
           "area": ticket.area.as_ref().map(ToString::to_string), "account": ticket.account,
           "opened_at": ticket.opened_at.rfc3339(), "touched_at": ticket.touched_at.rfc3339(),
           "due_at": time(ticket.due_at), "taken_at": time(ticket.taken_at),
           "taken_by": ticket.taken_by, "closed_at": time(ticket.closed_at),
           "closed_by": ticket.closed_by})
}

/// Shows a ticket to an officer, and notes that they looked, once an hour.
///
/// # Errors
/// [`TicketError::NotFound`], or when the database fails.
pub async fn show(app: &App, id: TicketId, by: &By) -> Result<Whole, TicketError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let found = ticket::find_ticket(&mut tx, id).await?.ok_or(TicketError::NotFound)?;
    let look = (app.ids.next(now), id);
    if ticket_entry::insert_look(&mut tx, look, &by.name, now.before(ONE_LOOK), now).await? {
        by.note(app, &mut tx, Action::ReadConversation, &id.to_string(), None).await?;
    }
    let text = ticket::find_text(&mut tx, &app.db, id).await?;
    let entries = ticket_entry::list_entries(&mut tx, &app.db, id).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Whole { ticket: found, text, entries })
}

/// Gives a ticket to an officer; from then on the bot keeps silent in a talk.
///
/// # Errors
/// [`TicketError::NotFound`], [`TicketError::NotOpen`], or when the database fails.
pub async fn take(app: &App, id: TicketId, by: &By) -> Result<(), TicketError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    ticket::find_ticket(&mut tx, id).await?.ok_or(TicketError::NotFound)?;
    if !ticket::mark_taken(&mut tx, id, &by.name, now).await? {
        return Err(TicketError::NotOpen);
    }
    note_taken(app, &mut tx, id, by, None, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Gives a ticket that another officer has to this one, who has said so.
///
/// # Errors
/// [`TicketError::NotFound`], [`TicketError::Closed`], [`TicketError::NotOpen`] when it is not the one's any more
/// whom they mean to relieve, or when the database fails.
pub async fn relieve(app: &App, id: TicketId, from: &str, by: &By) -> Result<(), TicketError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let found = ticket::lock_ticket(&mut tx, &app.db, id).await?.ok_or(TicketError::NotFound)?;
    if found.state == TicketState::Closed {
        return Err(TicketError::Closed);
    }
    if !ticket::mark_relieved(&mut tx, id, (from, &by.name), now).await? {
        return Err(TicketError::NotOpen);
    }
    let detail = is_officer(from).then(|| format!("from {from}"));
    note_taken(app, &mut tx, id, by, detail.as_deref(), now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

async fn note_taken(
    app: &App,
    tx: &mut Tx,
    id: TicketId,
    by: &By,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    note(app, tx, id, Happening::Taken, Some(&by.name), now).await?;
    by.note(app, tx, Action::TookOver, &id.to_string(), detail).await
}

/// Sends an officer's words. Whoever answers a ticket that waits has taken it; one that another officer has is
/// answered by nobody else. With the same `key`
/// the same is sent once, however often it is asked for.
///
/// # Errors
/// [`TicketError`] with what stands in the way.
pub async fn reply(
    app: &App,
    id: TicketId,
    words: &str,
    by: &By,
    key: Option<&str>,
) -> Result<MessageId, TicketError> {
    let words = words.trim();
    if words.is_empty() || words.chars().count() > MAX_REPLY {
        return Err(TicketError::Length);
    }
    if redact(words).text != words {
        return Err(TicketError::Personal);
    }
    if !key.is_none_or(is_key) {
        return Err(TicketError::Key);
    }
    let now = app.now();
    let cause = match key {
        Some(key) => format!("ticket:{id}:key:{key}"),
        None => format!("ticket:{id}:{}", app.ids.next::<MessageId>(now)),
    };
    let mut tx = app.db.begin().await?;
    let found = ticket::lock_ticket(&mut tx, &app.db, id).await?.ok_or(TicketError::NotFound)?;
    // Whatever became of the ticket since: it was sent, and that is what is asked.
    if let Some(sent) = message::find_by_cause(&mut tx, &cause).await? {
        return Ok(sent);
    }
    if found.state == TicketState::Closed {
        return Err(TicketError::Closed);
    }
    if ticket::mark_taken(&mut tx, id, &by.name, now).await? {
        note_taken(app, &mut tx, id, by, None, now).await?;
    } else if is_anothers(&found, by) {
        return Err(TicketError::Elsewhere);
    }
    let to = contact::find_contact(&mut tx, &app.db, found.contact).await?;
    let to = to.ok_or(TicketError::NotFound)?;
    let message = write(app, &mut tx, &found, &to, cause, words.to_owned(), now).await?;
    let entry = NewEntry {
        id: app.ids.next(now),
        ticket: id,
        what: Happening::Reply,
        inbound: None,
        message: Some(message),
        by: Some(&by.name),
    };
    ticket_entry::insert_entry(&mut tx, &entry, now).await?;
    by.note(app, &mut tx, Action::Answered, &id.to_string(), Some(&message.to_string())).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(message)
}

/// Whether somebody else sits before it. A machine that works with the office's token is nobody in particular.
fn is_anothers(found: &Ticket, by: &By) -> bool {
    let has = found.taken_by.as_deref();
    by.is_officer() && has.is_some_and(|has| is_officer(has) && has != by.name)
}

fn is_key(key: &str) -> bool {
    (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Closes a ticket; the bot speaks again. With a farewell the citizen is told, if the channel still lets us.
/// Gives whether they are told.
///
/// # Errors
/// [`TicketError::NotFound`], [`TicketError::Closed`], or when the database fails.
pub async fn close(
    app: &App,
    id: TicketId,
    by: &By,
    has_farewell: bool,
) -> Result<bool, TicketError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let found = ticket::find_ticket(&mut tx, id).await?.ok_or(TicketError::NotFound)?;
    if is_anothers(&found, by) {
        return Err(TicketError::Elsewhere);
    }
    if !ticket::mark_closed(&mut tx, id, &by.name, now).await? {
        return Err(TicketError::Closed);
    }
    note(app, &mut tx, id, Happening::Closed, Some(&by.name), now).await?;
    by.note(app, &mut tx, Action::HandedBack, &id.to_string(), None).await?;
    let is_told = has_farewell && say_farewell(app, &mut tx, &found, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(is_told)
}

async fn say_farewell(
    app: &App,
    tx: &mut Tx,
    found: &Ticket,
    now: Timestamp,
) -> Result<bool, TicketError> {
    let to = contact::find_contact(tx, &app.db, found.contact).await?;
    let (Some(to), Some(account)) = (to, app.account(&found.account)) else { return Ok(false) };
    let last = match found.kind {
        TicketKind::Human => Note::HumanClosed,
        TicketKind::Complaint => Note::ComplaintClosed,
        TicketKind::Deletion => Note::DeletionClosed,
    };
    let number = found.number.as_deref().unwrap_or("");
    let words = app.script().note(last, number, language(&to), account.channel);
    let cause = format!("ticket:{}:closed", found.id);
    match write(app, tx, found, &to, cause, words, now).await {
        Ok(_) => Ok(true),
        Err(TicketError::WindowClosed) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The language somebody is answered in.
fn language(contact: &Contact) -> Language {
    let stored = contact.dialogue.as_deref();
    stored
        .and_then(|json| serde_json::from_str::<State>(json).ok())
        .map_or(Language::Indonesian, |state| state.language)
}

async fn write(
    app: &App,
    tx: &mut Tx,
    found: &Ticket,
    to: &Contact,
    cause: String,
    words: String,
    now: Timestamp,
) -> Result<MessageId, TicketError> {
    let account = app.account(&found.account).ok_or(TicketError::NoAccount)?;
    if !send::is_window_open(account.channel, to.last_inbound_at, now) {
        return Err(TicketError::WindowClosed);
    }
    let hashes = consent::address_hashes(&app.db, &account.portfolio, &to.address);
    let hash = route::own_hash(account.channel, hashes);
    let is_sms = account.channel == ChannelKind::Sms;
    let draft = Draft {
        idem_key: cause,
        class: MessageClass::Reply,
        account: Some(account),
        channel: account.channel,
        why: outbox::OFFICER,
        refusal: None,
        template: found.kind.as_str().to_owned(),
        reference: None,
        to: Some((to.address.clone(), hash)),
        contact_id: Some(found.contact),
        person_id: None,
        card_id: None,
        first_id: None,
        content: Content {
            template: None,
            text: MessageText::new(words.clone()),
            sms: is_sms.then(|| MessageText::new(words)),
            choices: Vec::new(),
            list_button: None,
            pin: None,
            attachment: None,
        },
        zone: app.zone(found.area.as_ref()),
        expires_at: None,
        has_next: false,
    };
    let id = outbox::enqueue(app, tx, draft, now).await?;
    id.ok_or_else(|| ServiceError::Text("a reply was planned before".to_owned()).into())
}

/// Closes talks that an officer took and does not go on with, and wishes that nobody took for very
/// long; says nothing to anybody. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<u64, ServiceError> {
    let now = app.now();
    let close_after = app.settings.ticket_close_after;
    let since =
        Untouched { taken: now.before(close_after), open: now.before(close_after.max(WAITS_FOR)) };
    if !ticket::has_untouched(&app.db, since).await? {
        return Ok(0);
    }
    let mut tx = app.db.begin().await?;
    let closed = ticket::close_untouched(&mut tx, since, "time", now).await?;
    for id in &closed {
        note(app, &mut tx, *id, Happening::Closed, Some("time"), now).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(closed.len() as u64)
}
