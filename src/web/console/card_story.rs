//! A card's page: whose it is, where it is, and everything that happened around it on one timeline.
//!
//! Opening it is a look at a person's data and stands in the audit log; what citizens wrote is shown to those only
//! who may read conversations.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::card::HERE;
use super::card_hands::hands;
use super::desk::Desk;
use super::label;
use super::page::{Page, show as shown};
use crate::domain::audit::Action;
use crate::domain::card::AnnouncementKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, ContactId, MessageId, OfficerId};
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus};
use crate::domain::officer::Right;
use crate::domain::phone::PhoneNumber;
use crate::domain::ticket::{TicketKind, TicketState};
use crate::service::officer::note_look;
use crate::store::card::{Card, HistoryLine, find_card, list_history};
use crate::store::message_list::{MessageLine, list_attempts, list_receipts};
use crate::store::officer::find_officer;
use crate::store::talk::{Speaker, list_said};
use crate::store::{audit, search, story};
use crate::web::Web;
use crate::web::error::Error;

/// Things of one kind on a timeline.
const MOST: i64 = 50;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// One thing that happened.
pub(super) struct Event {
    at: Timestamp,
    when: String,
    class: &'static str,
    title: String,
    lines: Vec<String>,
    words: String,
    /// The message that can be sent once more.
    again: Option<MessageId>,
    /// A page that tells more.
    link: String,
}

impl Event {
    pub(super) fn new(page: &Page, at: Timestamp, title: impl Into<String>) -> Self {
        Self {
            at,
            when: page.time(&at),
            class: "",
            title: title.into(),
            lines: Vec::new(),
            words: String::new(),
            again: None,
            link: String::new(),
        }
    }

    pub(super) fn line(mut self, line: impl Into<String>) -> Self {
        let line = line.into();
        if !line.is_empty() {
            self.lines.push(line);
        }
        self
    }
}

#[derive(Template)]
#[template(path = "card.html", config = "src/web/console/askama.toml")]
struct CardPage {
    page: Page,
    id: CardId,
    name: String,
    nik: String,
    phone: String,
    area: String,
    document: String,
    status: &'static str,
    since: String,
    point: String,
    home: String,
    events: Vec<Event>,
    done: String,
    may_mend: bool,
    may_read: bool,
}

#[derive(Deserialize)]
pub(super) struct Flash {
    #[serde(default)]
    selesai: String,
}

pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Query(flash): Query<Flash>,
) -> Result<Response, Error> {
    let id: CardId = id.parse().map_err(|_| Error::NotFound)?;
    let card = find_card(&web.app.db, id).await?.ok_or(Error::NotFound)?;
    let (person, nik) =
        search::find_whole(&web.app.db, card.person_id).await?.ok_or(Error::NotFound)?;
    desk.covers(&web, person.area.as_ref())?;
    note_look(&web.app, &desk.actor, Action::LookedAtCard, &id.to_string()).await?;
    let page = Page::new(&web, &desk, HERE);
    let may_read = desk.may(Right::SeeConversations);
    let mut events = updates(&page, &list_history(&web.app.db, id).await?);
    events.extend(messages(&web, &page, &card).await?);
    events.extend(around(&web, &page, &card).await?);
    events.extend(hands(&web, &page, id).await?);
    if may_read {
        let contacts = story::list_contacts(&web.app.db, &person).await?;
        let written = conversation(&web, &page, &contacts).await?;
        if !written.is_empty() {
            note_look(&web.app, &desk.actor, Action::ReadConversation, &id.to_string()).await?;
        }
        events.extend(written);
    }
    events.extend(looks(&web, &page, &[id.to_string(), person.id.to_string()]).await?);
    // Of one moment, what came of something stands above it.
    events.sort_by_key(|event| event.at);
    events.reverse();
    let line = crate::store::card_list::list_of_people(&web.app.db, &[person.id]).await?;
    let seen = line.iter().find(|line| line.id == id);
    let name = label::document(&page, card.document);
    shown(&CardPage {
        id,
        name: person.name.as_ref().map(|name| name.expose().to_owned()).unwrap_or_default(),
        nik: nik.map(|nik| masked_nik(nik.expose())).unwrap_or_default(),
        phone: person.phone.as_ref().map(PhoneNumber::masked).unwrap_or_default(),
        area: seen
            .and_then(|line| line.area_name.clone())
            .or(person.area.as_ref().map(ToString::to_string))
            .unwrap_or_default(),
        document: if card.serial > 1 {
            format!("{name} ({})", card.serial)
        } else {
            name.to_owned()
        },
        status: label::card_status(&page, card.on_file.status),
        since: page.time(&card.on_file.status_at),
        point: seen.and_then(|line| line.service_point.clone()).unwrap_or_default(),
        home: home(&page, &card),
        events,
        done: flash.selesai,
        may_mend: desk.may(Right::Mend),
        may_read,
        page,
    })
}

/// The last four digits: enough to compare with a card in the hand.
fn masked_nik(digits: &str) -> String {
    let last = digits.get(digits.len().saturating_sub(4)..).unwrap_or_default();
    format!("{}{last}", "•".repeat(digits.len().saturating_sub(4)))
}

fn home(page: &Page, card: &Card) -> String {
    let Some(home) = &card.home_delivery else { return String::new() };
    let clock = |time: chrono::NaiveTime| time.format("%H.%M").to_string();
    match (home.from, home.to) {
        (Some(from), Some(to)) => {
            format!("{}, {}–{}", page.date(home.date), clock(from), clock(to))
        }
        _ => page.date(home.date),
    }
}

fn updates(page: &Page, history: &[HistoryLine]) -> Vec<Event> {
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let newest = history.iter().skip(history.len().saturating_sub(most));
    newest
        .map(|line| {
            let title = format!(
                "{} {}",
                page.t("Status:", "Status:"),
                label::card_status(page, line.status)
            );
            Event::new(page, line.occurred_at, title)
                .line(format!("{} {}", page.t("Sumber:", "Source:"), line.source))
                .line(label::outcome(page, line.outcome))
        })
        .collect()
}

async fn messages(web: &Web, page: &Page, card: &Card) -> Result<Vec<Event>, Error> {
    let db = &web.app.db;
    let messages = story::list_messages(db, card.person_id, card.id, MOST).await?;
    let newest = messages
        .iter()
        .find(|message| message.class == MessageClass::Announcement)
        .map(|message| message.id);
    let mut events = Vec::new();
    for message in &messages {
        let mut event = message_event(page, message, newest == Some(message.id));
        for attempt in list_attempts(db, message.id).await? {
            let said = match attempt.outcome.as_str() {
                "sent" => page.t("diterima penyedia", "taken by the provider").to_owned(),
                "unknown" => page.t("tanpa jawaban jelas", "no clear answer").to_owned(),
                _ => attempt.code.as_deref().map_or_else(
                    || page.t("ditolak", "refused").to_owned(),
                    |code| label::reason(page, Some(message.channel), code).why.to_owned(),
                ),
            };
            let try_word = page.t("Percobaan", "Attempt");
            let at = page.time(&attempt.started_at);
            event = event.line(format!("{try_word} {}, {at}: {said}", attempt.number));
        }
        for receipt in list_receipts(db, message.id).await? {
            let at = page.time(&receipt.happened_at);
            event = event.line(format!("{}, {at}", label::receipt(page, receipt.kind)));
        }
        events.push(event);
    }
    Ok(events)
}

fn message_event(page: &Page, message: &MessageLine, is_newest: bool) -> Event {
    let title = format!(
        "{} {}: {} ({})",
        page.t("Pesan", "Message"),
        label::channel(message.channel),
        label::subject(page, &message.template),
        label::message_status(page, message.status),
    );
    let mut event = Event::new(page, message.created_at, title);
    if let Some(reference) = &message.reference {
        event = event.line(format!("{} {reference}", page.t("Nomor referensi", "Reference")));
    }
    let refused = ["no_phone", "suppressed", "no_account", "opted_out"];
    let is_refused = refused.contains(&message.why.as_str());
    match message.status {
        MessageStatus::Failed => {
            event.class = "bad";
            let code = message.failure_code.as_deref().unwrap_or_default();
            let reason = label::reason(page, Some(message.channel), code);
            event = event.line(reason.why).line(reason.next);
        }
        MessageStatus::Cancelled if is_refused => {
            event.class = "warn";
            event = event.line(label::reason(page, None, &message.why).why);
        }
        MessageStatus::Expired | MessageStatus::Unknown => event.class = "warn",
        _ => {}
    }
    let is_news = message.template.parse::<AnnouncementKind>().is_ok_and(AnnouncementKind::is_news);
    let is_stuck = message.status == MessageStatus::Failed
        || (message.status == MessageStatus::Cancelled && is_refused && message.why != "opted_out");
    event.again = (is_newest && is_news && is_stuck).then_some(message.id);
    event
}

/// Visits for its news, and the survey.
async fn around(web: &Web, page: &Page, card: &Card) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    for visit in story::list_visits(&web.app.db, card.person_id, card.id, MOST).await? {
        let title = page.t("Perlu diberi tahu langsung", "To be told in person");
        let mut event = Event::new(page, visit.created_at, title);
        event.class = "warn";
        event = event.line(label::reason(page, None, &visit.reason).why);
        if let (Some(at), Some(outcome)) = (visit.closed_at, visit.outcome.as_deref()) {
            let (id, en) = match outcome {
                "told" => ("Sudah disampaikan langsung", "Told in person"),
                "reached" => ("Ternyata pesannya sampai", "The message arrived after all"),
                _ => ("Diganti kabar yang lebih baru", "Replaced by newer news"),
            };
            event = event.line(format!("{}, {}", page.t(id, en), page.time(&at)));
        }
        events.push(event);
    }
    if let Some(at) = story::find_survey(&web.app.db, card.id).await? {
        events.push(Event::new(page, at, page.t("Diminta menilai layanan", "Asked how it was")));
    }
    Ok(events)
}

/// What was written from the person's chats and answered there, and what officers were asked.
async fn conversation(
    web: &Web,
    page: &Page,
    contacts: &[(ContactId, ChannelKind)],
) -> Result<Vec<Event>, Error> {
    let ids: Vec<ContactId> = contacts.iter().map(|(id, _)| *id).collect();
    let mut events = Vec::new();
    let mut reading = web.app.db.reading().await?;
    for (contact, channel) in contacts {
        let channel = label::channel(*channel);
        for said in list_said(&mut reading, &web.app.db, *contact, None, MOST).await? {
            let (id, en) = match said.from {
                Speaker::Citizen { .. } => ("Warga menulis lewat", "The citizen wrote on"),
                Speaker::Office { class: MessageClass::Reply, by: None, .. } => {
                    ("Jawaban otomatis lewat", "Answered automatically on")
                }
                Speaker::Office { class: MessageClass::Reply, .. } => {
                    ("Petugas membalas lewat", "An officer answered on")
                }
                // The messages about the card stand here already, with their receipts.
                Speaker::Office { .. } => continue,
            };
            let mut event = Event::new(page, said.at, format!("{} {channel}", page.t(id, en)));
            said.words.expose().clone_into(&mut event.words);
            events.push(event);
        }
    }
    drop(reading);
    for ticket in story::list_tickets(&web.app.db, &ids, MOST).await? {
        let (id, en) = match ticket.kind {
            TicketKind::Human => ("Minta bicara dengan petugas", "Asked for an officer"),
            TicketKind::Complaint => ("Pengaduan", "Complaint"),
            TicketKind::Deletion => ("Minta data dihapus", "Asked to have data deleted"),
        };
        let (state_id, state_en) = match ticket.state {
            TicketState::Open => ("menunggu", "waiting"),
            TicketState::Taken => ("ditangani", "taken"),
            TicketState::Closed => ("selesai", "closed"),
        };
        let number = ticket.number.as_deref().unwrap_or_default();
        let state = page.t(state_id, state_en);
        let title = format!("{} {number} ({state})", page.t(id, en));
        let mut event = Event::new(page, ticket.opened_at, title);
        event.link = format!("/console/percakapan/{}", ticket.id);
        events.push(event);
    }
    Ok(events)
}

/// Who looked at it, and what they did.
async fn looks(web: &Web, page: &Page, objects: &[String]) -> Result<Vec<Event>, Error> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut events = Vec::new();
    // Whoever opens a page five times a day has looked at it that day.
    let mut days = BTreeSet::new();
    for object in objects {
        for line in audit::list_of_object(&web.app.db, object, MOST).await? {
            let is_look = matches!(line.action, Action::LookedAtCard | Action::ReadConversation);
            let day = (line.who.clone(), line.action.as_str(), line.at.as_ms() / DAY_MS);
            if is_look && !days.insert(day) {
                continue;
            }
            if !names.contains_key(&line.who) {
                let name = officer_name(web, page, &line.who).await?;
                names.insert(line.who.clone(), name);
            }
            let who = names.get(&line.who).map(String::as_str).unwrap_or_default();
            events.push(Event::new(page, line.at, format!("{who}: {}", done(page, line.action))));
        }
    }
    Ok(events)
}

pub(super) async fn officer_name(web: &Web, page: &Page, who: &str) -> Result<String, Error> {
    let Ok(id) = who.parse::<OfficerId>() else {
        let (id, en) =
            if who == "cli" { ("Administrator server", "Server") } else { ("Program", "Program") };
        return Ok(page.t(id, en).to_owned());
    };
    let officer = find_officer(&web.app.db, id).await?;
    Ok(officer.map_or_else(|| who.to_owned(), |officer| officer.name))
}

fn done(page: &Page, action: Action) -> &'static str {
    let (id, en) = match action {
        Action::LookedAtCard => ("melihat kartu ini", "looked at this card"),
        Action::ReadConversation => ("membaca tulisan warga", "read what the citizen wrote"),
        Action::RegisteredConsent => ("mendaftarkan persetujuan", "registered consent"),
        Action::SentAgain => ("mengirim lagi", "sent again"),
        _ => ("mengerjakan sesuatu", "did something"),
    };
    page.t(id, en)
}
