//! The words of a broadcast as each account sends them, and what one message of it costs.

use std::collections::BTreeMap;

use super::BroadcastError;
use super::reach::Way;
use crate::domain::area::Zone;
use crate::domain::attachment::Attachment;
use crate::domain::broadcast::{Notice, Schedule};
use crate::domain::clock::Timestamp;
use crate::domain::id::{MessageId, PersonId, RunId};
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus, MessageText};
use crate::domain::outbound::{Content, TemplateCall};
use crate::service::{Account, App, ServiceError};
use crate::store::broadcast::Broadcast;
use crate::store::message::NewMessage;

/// How a notice looks on a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Where.
    pub channel: ChannelKind,
    /// What stands there.
    pub text: String,
    /// The line below, on WhatsApp.
    pub footer: Option<String>,
    /// Segments of an SMS.
    pub parts: Option<usize>,
}

/// How a notice looks on every channel that the office has.
///
/// # Errors
/// [`BroadcastError::Invalid`] when a part of it cannot be sent.
pub fn looks(app: &App, notice: &Notice) -> Result<Vec<Look>, BroadcastError> {
    let mut looks = Vec::new();
    for &channel in &app.settings.channels {
        let Some(account) = app.account_for(channel, None) else { continue };
        let letter = Letter::write(app, (notice, None), account)?;
        let footer = app.templates.broadcast().footer.clone();
        looks.push(Look {
            channel,
            text: letter.content.words(channel).expose().to_owned(),
            footer: footer.filter(|_| channel == ChannelKind::Whatsapp),
            parts: letter.parts.and_then(|parts| usize::try_from(parts).ok()),
        });
    }
    Ok(looks)
}

/// Whether a picture or a PDF can be sent there.
#[must_use]
pub const fn carries_file(channel: ChannelKind) -> bool {
    !matches!(channel, ChannelKind::Sms)
}

/// When it goes out, in words.
#[must_use]
pub fn schedule_words(app: &App, schedule: &Schedule) -> String {
    app.templates.schedule_words(schedule, app.zone(None))
}

/// The next dates on which it goes out, at most so many.
#[must_use]
pub fn next_dates(app: &App, schedule: &Schedule, count: usize) -> Vec<Timestamp> {
    let now = app.now();
    match schedule {
        Schedule::Now => Vec::new(),
        Schedule::At(at) => vec![*at],
        Schedule::Timetable(timetable) => timetable.next_dates(now, app.zone(None), count),
    }
}

/// A notice as one account sends it.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) content: Content,
    pub(super) parts: Option<i64>,
    pub(super) rupiah: Option<i64>,
}

impl Letter {
    pub(super) fn write(
        app: &App,
        (notice, file): (&Notice, Option<&Attachment>),
        account: &Account,
    ) -> Result<Self, ServiceError> {
        let takes_answers = account.adapter.offer().is_two_way;
        let office = app.settings.office_name.as_str();
        let render = |channel| {
            app.templates
                .render_broadcast(office, notice, channel, takes_answers)
                .map_err(|error| ServiceError::Text(error.to_string()))
        };
        let chat = render(ChannelKind::Whatsapp)?;
        let is_sms = account.channel == ChannelKind::Sms;
        let sms = if is_sms { Some(render(ChannelKind::Sms)?) } else { None };
        let parts = sms
            .as_ref()
            .and_then(|sms| sms.segments)
            .map(|found| i64::try_from(found.parts).unwrap_or(i64::MAX));
        let template = app.templates.broadcast();
        let file = file.filter(|_| carries_file(account.channel)).cloned();
        let is_whatsapp = account.channel == ChannelKind::Whatsapp;
        // A template without a header for it cannot bring it: then the words go alone.
        let header = file.as_ref().and_then(|file| template.with_file(file.kind));
        let attachment = file.filter(|_| !is_whatsapp || header.is_some());
        Ok(Self {
            parts,
            rupiah: price(account, parts),
            content: Content {
                template: is_whatsapp.then(|| TemplateCall {
                    name: header.map_or(chat.template, str::to_owned),
                    language: template.language.clone(),
                    params: chat
                        .params
                        .into_iter()
                        .map(|(name, value)| (name, MessageText::new(value)))
                        .collect(),
                    buttons: Vec::new(),
                }),
                text: MessageText::new(chat.text),
                sms: sms.map(|sms| MessageText::new(sms.text)),
                choices: Vec::new(),
                list_button: None,
                pin: None,
                attachment,
            },
        })
    }
}

/// What messages of broadcasts are called on the list of messages.
const TEMPLATE: &str = "sosialisasi";

/// A letter to somebody on its way to the outbox.
pub(super) struct Post<'a> {
    pub(super) id: MessageId,
    pub(super) idem_key: String,
    pub(super) why: &'static str,
    pub(super) way: Way<'a>,
    pub(super) person: Option<PersonId>,
    pub(super) zone: Zone,
    pub(super) run: Option<RunId>,
}

impl Letter {
    /// The row of the outbox: due at once, but for the quiet hours of where its reader lives.
    pub(super) fn post(&self, app: &App, post: Post<'_>, now: Timestamp) -> NewMessage {
        let Post { id, idem_key, why, way, person, zone, run } = post;
        NewMessage {
            id,
            idem_key,
            account: way.account.id.clone(),
            channel: way.account.channel,
            class: MessageClass::Broadcast,
            status: MessageStatus::Queued,
            why,
            template: TEMPLATE.to_owned(),
            reference: None,
            recipient: Some(way.to),
            recipient_hash: way.hash,
            contact_id: way.contact,
            person_id: person,
            card_id: None,
            content: self.content.clone(),
            zone,
            due_at: app.settings.quiet_hours.next_allowed(now, zone.offset()),
            expires_at: None,
            first_id: None,
            fallback_at: None,
            has_next: false,
            text_hash: None,
            parts: self.parts,
            rupiah: self.rupiah,
            run_id: run,
            created_at: now,
        }
    }
}

/// What one message costs; none where nobody told us.
fn price(account: &Account, parts: Option<i64>) -> Option<i64> {
    match account.channel {
        ChannelKind::Sms => Some(parts?.saturating_mul(i64::from(account.rupiah_per_segment?))),
        ChannelKind::Whatsapp => account.rupiah_per_message.map(i64::from),
        ChannelKind::Telegram => Some(0),
    }
}

/// The letters of a broadcast, each written when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Letters {
    written: BTreeMap<String, Letter>,
}

impl Letters {
    pub(super) fn of(
        &mut self,
        app: &App,
        broadcast: &Broadcast,
        account: &Account,
    ) -> Result<&Letter, ServiceError> {
        if !self.written.contains_key(&account.id) {
            let what = (&broadcast.notice, broadcast.attachment.as_ref());
            let letter = Letter::write(app, what, account)?;
            self.written.insert(account.id.clone(), letter);
        }
        Ok(&self.written[&account.id])
    }
}
