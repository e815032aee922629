//! Turns the announcement a card update causes into a message in the outbox.
//!
//! Decides who is written to, through which account, when, and with which values; every word comes
//! from the templates. What is not sent is planned as a cancelled message that says why.

use std::collections::BTreeMap;

use super::{App, ServiceError};
use crate::domain::area::{AreaCode, Zone};
use crate::domain::card::CardUpdate;
use crate::domain::card_plan::Announcement;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Refusal;
use crate::domain::id::CardId;
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus, MessageText};
use crate::domain::outbound::{Content, Recipient, TemplateCall};
use crate::domain::reference::Reference;
use crate::store::message::{NewMessage, insert_message, is_reference_taken, recipient_hash};
use crate::store::person::Person;
use crate::store::{Tx, consent, service_point};

/// Whose card an announcement is about.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The person.
    pub person: &'a Person,
    /// The card.
    pub card: CardId,
    /// Where they live.
    pub area: Option<&'a AreaCode>,
}

/// Plans the message of an announcement. `cause` is the id of the update, so that it causes one
/// message however often the step is repeated. `false` when nobody will hear it: then the card's
/// state counts as not told yet.
///
/// # Errors
/// When the database fails, or a text cannot be made.
pub async fn plan_message(
    app: &App,
    tx: &mut Tx,
    holder: &Holder<'_>,
    announcement: &Announcement,
    update: &CardUpdate,
    cause: &str,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let recipient = holder.person.phone.clone().map(|phone| Recipient::of_phone(phone));
    let first = app.settings.channels.first().copied().unwrap_or(ChannelKind::Whatsapp);
    let account =
        app.settings.channels.iter().find_map(|&channel| app.account_for(channel, holder.area));
    let channel = account.map_or(first, |account| account.channel);
    let portfolio = account.map_or("", |account| account.portfolio.as_str());
    let refusal = match (&recipient, account) {
        (None, _) => Some(Refusal::NoPhone),
        (_, None) => Some(Refusal::NoAccount),
        (Some(to), Some(_)) => {
            let hashes = consent::address_hashes(&app.db, portfolio, to);
            let known = consent::find_consent(tx, &hashes, Some(channel)).await?;
            known.allows(MessageClass::Announcement).err()
        }
    };
    let zone = app.zone(holder.area);
    let reference = free_reference(tx).await?;
    let content =
        content(app, tx, holder, announcement, update, (channel, zone, &reference)).await?;
    let new = NewMessage {
        id: app.ids.next(now),
        idem_key: format!("announce:{cause}"),
        account: account.map(|account| account.id.clone()).unwrap_or_default(),
        channel,
        class: MessageClass::Announcement,
        status: if refusal.is_some() { MessageStatus::Cancelled } else { MessageStatus::Queued },
        why: refusal.map_or("card_update", Refusal::as_str),
        template: announcement.kind.as_str().to_owned(),
        reference: Some(reference),
        recipient_hash: recipient
            .as_ref()
            .map(|to| recipient_hash(&app.db, portfolio, to))
            .unwrap_or_default(),
        recipient,
        contact_id: None,
        person_id: Some(holder.person.id),
        card_id: Some(holder.card),
        content,
        zone,
        due_at: app.settings.quiet_hours.next_allowed(now, zone.offset()),
        expires_at: announcement.expires_at,
        created_at: now,
    };
    insert_message(tx, &app.db, &new).await?;
    Ok(refusal.is_none())
}

/// A reference nobody holds yet. There are 15 million; a taken one is drawn again.
async fn free_reference(tx: &mut Tx) -> Result<Reference, ServiceError> {
    const DRAWS: usize = 8;
    let draw = || getrandom::u64().map_err(|_| ServiceError::Text("no randomness".to_owned()));
    let mut reference = Reference::from_random(draw()?);
    for _ in 0..DRAWS {
        if !is_reference_taken(tx, &reference).await? {
            break;
        }
        reference = Reference::from_random(draw()?);
    }
    Ok(reference)
}

async fn content(
    app: &App,
    tx: &mut Tx,
    holder: &Holder<'_>,
    announcement: &Announcement,
    update: &CardUpdate,
    form: (ChannelKind, Zone, &Reference),
) -> Result<Content, ServiceError> {
    let (channel, zone, reference) = form;
    let words = app.templates.vocabulary();
    let is_sms = channel == ChannelKind::Sms;
    let point = match &update.service_point {
        Some(code) => service_point::find_point(tx, code).await?,
        None => None,
    };
    let (place, hours) = match point {
        Some(point) if is_sms => (point.short_name, point.hours_short),
        Some(point) => (point.name, point.hours),
        None => (words.place(channel), words.hours(channel)),
    };
    let name = holder.person.name.as_ref();
    let mut values = BTreeMap::from([
        ("addressee", words.addressee_for(update.document, name, channel)),
        ("document", words.document(update.document, channel)),
        ("bring", words.bring(update.document, channel)),
        ("ref", reference.to_string()),
        ("office", app.settings.office_name.clone()),
        ("place", place),
        ("hours", hours),
    ]);
    if let Some(home) = &update.home_delivery {
        let date = if is_sms { words.date_short(home.date) } else { words.date(home.date) };
        let window = if is_sms {
            words.window_short(home.from, home.to, zone)
        } else {
            words.window(home.from, home.to, zone)
        };
        values.insert("date", date);
        values.insert("window", window);
    }
    let rendered = app
        .templates
        .render_for(announcement.kind, update.document, channel, &values)
        .map_err(|error| ServiceError::Text(error.to_string()))?;
    let template = (channel == ChannelKind::Whatsapp).then(|| TemplateCall {
        name: rendered.template,
        language: app.templates.announcement(announcement.kind).language.clone(),
        params: rendered.params.into_iter().map(|(n, v)| (n, MessageText::new(v))).collect(),
    });
    Ok(Content { template, text: MessageText::new(rendered.text), sms: None, choices: Vec::new() })
}
