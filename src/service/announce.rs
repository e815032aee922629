//! Turns the announcement a card update causes into a message in the outbox.
//!
//! Decides through which account somebody is written to, and with which values; every word comes
//! from the templates. What is not sent is planned as a cancelled message that says why, and stands
//! on the list of those who must be told in person.

use std::collections::BTreeMap;

use super::outbox::{self, Draft};
use super::{Account, App, ServiceError, route};
use crate::domain::area::{AreaCode, Zone};
use crate::domain::card::{AnnouncementKind, CardUpdate};
use crate::domain::card_plan::Announcement;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Refusal;
use crate::domain::document::Document;
use crate::domain::id::{CardId, ContactId, PersonId};
use crate::domain::language::Language;
use crate::domain::message::{ChannelKind, MessageClass, MessageText};
use crate::domain::outbound::{Choice, Content, TemplateCall};
use crate::domain::reference::Reference;
use crate::store::message::{self, is_reference_taken};
use crate::store::person::Person;
use crate::store::round_item;
use crate::store::service_point::{self, ServicePoint};
use crate::store::visit::{self, NewVisit};
use crate::store::{StoreError, Tx};
use crate::store::{consent, contact};

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

/// Values that only some announcements have: the placeholder, its words in a chat, and in an SMS.
pub type More<'a> = &'a [(&'static str, String, String)];

/// Why something is told: the id of its cause, and what it says besides what is known of the card.
#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    /// Which announcement.
    pub announcement: &'a Announcement,
    /// What caused it; the same cause never plans two.
    pub cause: &'a str,
    /// What only this one says.
    pub more: More<'a>,
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
    let mut announcement = announcement.clone();
    if is_moved(app, tx, holder.card, &announcement, now).await? {
        announcement.kind = AnnouncementKind::HomeDeliveryMoved;
    }
    let news = News { announcement: &announcement, cause, more: &[] };
    plan_news(app, tx, holder, news, update, now).await
}

/// Whether the day that an announcement names takes the place of one its holder heard of and still waits for: then it
/// has to say that the other one is void.
async fn is_moved(
    app: &App,
    tx: &mut Tx,
    card: CardId,
    announcement: &Announcement,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let moved = AnnouncementKind::HomeDeliveryMoved;
    let is_day = announcement.kind == AnnouncementKind::HomeDeliveryScheduled;
    if !is_day || !app.settings.policy.enabled.contains(&moved) {
        return Ok(false);
    }
    Ok(message::waits_for_day(tx, card, now).await?)
}

/// The same of an announcement that says more than what is known of the card.
///
/// # Errors
/// As [`plan_message`].
pub async fn plan_news(
    app: &App,
    tx: &mut Tx,
    holder: &Holder<'_>,
    news: News<'_>,
    update: &CardUpdate,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let News { announcement, cause, .. } = news;
    let routes = route::list_routes(app, tx, holder.person).await?;
    let way = routes.iter().find(|route| route.refusal.is_none());
    let refusal = match way {
        Some(_) => None,
        None => Some(route::no_way(app, holder.person, &routes, holder.area)),
    };
    let shown = way.or(routes.first());
    let account = shown.map(|route| route.account);
    let first = app.settings.channels.first().copied().unwrap_or(ChannelKind::Whatsapp);
    let zone = app.zone(holder.area);
    let reference = free_reference(tx).await?;
    let draft = Draft {
        idem_key: key_of(cause),
        class: MessageClass::Announcement,
        account,
        channel: account.map_or(first, |account| account.channel),
        why: "card_update",
        refusal,
        template: announcement.kind.as_str().to_owned(),
        content: content(app, tx, holder, news, update, (zone, &reference, now)).await?,
        reference: Some(reference),
        to: shown.map(|route| (route.to.clone(), route.hash.clone())),
        contact_id: None,
        person_id: Some(holder.person.id),
        card_id: Some(holder.card),
        first_id: None,
        zone,
        expires_at: announcement.expires_at,
        has_next: announcement.kind.may_fall_back()
            && way.is_some_and(|way| route::has_next(&routes, &[way.account.channel])),
    };
    let id = outbox::enqueue(app, tx, draft, now).await?;
    if let (Some(refusal), Some(id)) = (refusal, id)
        && refusal != Refusal::OptedOut
        && announcement.kind.is_news()
    {
        let new = NewVisit {
            id: app.ids.next(now),
            message: id,
            person: holder.person.id,
            card: holder.card,
            template: announcement.kind.as_str(),
            reason: refusal.as_str(),
            area: holder.area,
        };
        visit::insert_visit(tx, &new, now).await?;
    }
    Ok(refusal.is_none())
}

/// Something told to a chat that asked for it, whoever is on file there.
#[derive(Clone, Copy, Debug)]
pub struct ToContact<'a> {
    /// The chat.
    pub contact: ContactId,
    /// Whom it belongs to, where that is one person.
    pub person: Option<PersonId>,
    /// By whose clock the night is, and whose account is used where there are several.
    pub area: &'a AreaCode,
    /// Which announcement.
    pub kind: AnnouncementKind,
    /// What caused it; the same cause never plans two.
    pub cause: &'a str,
    /// Not from then on.
    pub expires_at: Option<Timestamp>,
}

/// The key that the message of a cause is kept under.
#[must_use]
pub fn key_of(cause: &str) -> String {
    format!("announce:{cause}")
}

/// Plans a message to a chat. It goes to that chat or nowhere: no other channel follows, and nobody is told at the
/// door. `false` when it will not be sent.
///
/// # Errors
/// When the database fails, or a text cannot be made.
pub async fn plan_for_contact(
    app: &App,
    tx: &mut Tx,
    to: &ToContact<'_>,
    values: More<'_>,
    now: Timestamp,
) -> Result<bool, ServiceError> {
    let Some((channel, portfolio)) = contact::find_key(tx, to.contact).await? else {
        return Ok(false);
    };
    let Some(chat) = contact::find_contact(tx, &app.db, to.contact).await? else {
        return Ok(false);
    };
    let is_its = |account: &&Account| account.channel == channel && account.portfolio == portfolio;
    let nearest = app.account_for(channel, Some(to.area)).filter(is_its);
    let account = nearest.or_else(|| app.accounts.iter().find(is_its));
    let hashes = consent::address_hashes(&app.db, &portfolio, &chat.address);
    let known = consent::find_consent(tx, &hashes, Some(channel)).await?;
    let refusal = match account {
        None => Some(Refusal::NoAccount),
        Some(_) => known.allows(MessageClass::Announcement).err(),
    };
    let reference = free_reference(tx).await?;
    let words = |on| {
        let mut all = BTreeMap::from([
            ("ref", reference.to_string()),
            ("office", app.settings.office_name.clone()),
        ]);
        for (name, text, sms) in values {
            all.insert(*name, if on == ChannelKind::Sms { sms.clone() } else { text.clone() });
        }
        app.templates
            .render_for(to.kind, Document::KtpEl, on, &all)
            .map_err(|error| ServiceError::Text(error.to_string()))
    };
    let rendered = words(ChannelKind::Whatsapp)?;
    let sms = (channel == ChannelKind::Sms).then(|| words(ChannelKind::Sms)).transpose()?;
    let template = TemplateCall {
        name: rendered.template,
        language: app.templates.announcement(to.kind).language.clone(),
        params: rendered.params.into_iter().map(|(n, v)| (n, MessageText::new(v))).collect(),
        buttons: Vec::new(),
    };
    let draft = Draft {
        idem_key: key_of(to.cause),
        class: MessageClass::Announcement,
        account,
        channel,
        why: "appointment",
        refusal,
        template: to.kind.as_str().to_owned(),
        content: Content {
            template: Some(template),
            text: MessageText::new(rendered.text),
            sms: sms.map(|sms| MessageText::new(sms.text)),
            choices: Vec::new(),
            list_button: None,
            pin: None,
            attachment: None,
        },
        reference: Some(reference),
        to: Some((chat.address, route::own_hash(channel, hashes))),
        contact_id: Some(to.contact),
        person_id: to.person,
        card_id: None,
        first_id: None,
        zone: app.zone(Some(to.area)),
        expires_at: to.expires_at,
        has_next: false,
    };
    outbox::enqueue(app, tx, draft, now).await?;
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

/// The words in every form they may take: which one leaves is known when it leaves.
async fn content(
    app: &App,
    tx: &mut Tx,
    holder: &Holder<'_>,
    news: News<'_>,
    update: &CardUpdate,
    (zone, reference, now): (Zone, &Reference, Timestamp),
) -> Result<Content, ServiceError> {
    let announcement = news.announcement;
    let point = match &update.service_point {
        Some(code) => service_point::find_with_condition(tx, code).await?,
        None => None,
    };
    let mut reopens = None;
    if let Some((point, condition)) = &point
        && says_hours(announcement.kind)
    {
        let at = app.settings.quiet_hours.next_allowed(now, zone.offset());
        reopens = super::point::reopening(tx, point, condition, at).await?;
    }
    let point = point.map(|(point, _)| point);
    let registered = app.templates.announcement(announcement.kind);
    let choices = choices(app, tx, announcement, holder.card).await?;
    let wording = if choices.is_empty() {
        registered.wording(update.document)
    } else {
        registered.answerable(update.document)
    };
    let words = |channel| {
        let mut values = values(app, holder, update, point.as_ref(), (channel, zone, reference));
        if let (Some(day), Some(hours)) = (reopens, values.get_mut("hours")) {
            *hours = app.templates.vocabulary().reopens(hours, day, channel);
        }
        for (name, text, sms) in news.more {
            let value = if channel == ChannelKind::Sms { sms } else { text };
            values.insert(*name, value.clone());
        }
        app.templates
            .render_wording(wording, channel, &values)
            .map_err(|error| ServiceError::Text(error.to_string()))
    };
    let rendered = words(ChannelKind::Whatsapp)?;
    let has_sms = app.account_for(ChannelKind::Sms, holder.area).is_some();
    let sms = has_sms.then(|| words(ChannelKind::Sms)).transpose()?;
    let template = TemplateCall {
        name: rendered.template,
        language: registered.language.clone(),
        params: rendered.params.into_iter().map(|(n, v)| (n, MessageText::new(v))).collect(),
        buttons: if choices.is_empty() { &wording.buttons } else { &choices }
            .iter()
            .map(|button| button.id.clone())
            .collect(),
    };
    Ok(Content {
        template: Some(template),
        text: MessageText::new(rendered.text),
        sms: sms.map(|sms| MessageText::new(sms.text)),
        choices,
        list_button: None,
        pin: None,
        attachment: None,
    })
}

/// What can be answered to the day of a round, as buttons where a channel has them.
async fn choices(
    app: &App,
    tx: &mut Tx,
    announcement: &Announcement,
    card: CardId,
) -> Result<Vec<Choice>, ServiceError> {
    if !announcement.kind.is_of_delivery_day() {
        return Ok(Vec::new());
    }
    let item = round_item::find_last(tx, &app.db, card).await?;
    let ours = item.filter(|item| item.state.is_open()).map(|item| item.id.to_string());
    let script = app.script();
    let choices = ours.map(|item| script.delivery_choices_of(&item, Language::Indonesian));
    Ok(choices.unwrap_or_default())
}

/// Whether somebody goes to a counter for it.
const fn says_hours(kind: AnnouncementKind) -> bool {
    matches!(kind, AnnouncementKind::ReadyToCollect | AnnouncementKind::CollectionReminder)
}

fn values(
    app: &App,
    holder: &Holder<'_>,
    update: &CardUpdate,
    point: Option<&ServicePoint>,
    (channel, zone, reference): (ChannelKind, Zone, &Reference),
) -> BTreeMap<&'static str, String> {
    let words = app.templates.vocabulary();
    let is_sms = channel == ChannelKind::Sms;
    let (place, hours) = match point {
        Some(point) if is_sms => (point.short_name.clone(), point.hours_short.clone()),
        Some(point) => (point.name.clone(), point.hours.clone()),
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
    values
}

/// What cannot be read or said of one must not keep everybody else from hearing: it counts as not told. After another
/// failure of the database nothing more can be done in its transaction.
///
/// # Errors
/// Every failure that is not of this one alone.
pub(super) fn or_pass_by<T: Default>(
    told: Result<T, ServiceError>,
    of: &dyn std::fmt::Display,
) -> Result<T, ServiceError> {
    match told {
        Err(error @ (ServiceError::Text(_) | ServiceError::Store(StoreError::Corrupt { .. }))) => {
            tracing::error!(of = %of, "cannot tell somebody: {error}");
            Ok(T::default())
        }
        told => told,
    }
}
