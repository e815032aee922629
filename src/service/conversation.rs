//! Answers a citizen: brings together who writes, what is on file for them, and the dialogue.
//!
//! A person is known by the phone or user id they write from, never by a NIK; what they paste of
//! that kind is redacted before anything is stored. State, effects and replies are one transaction.

use super::needed::{Whose, add_needed, day_in_words};
use super::outbox::{self, Draft};
use super::{
    Account, App, ServiceError, collection, connect, knowledge, outage, question, round, route,
    stop, survey, ticket, visiting,
};
use crate::channel::{Inbound, InboundBody, OptOut, PhoneProof};
use crate::dialogue::{
    self, CardFact, ComplaintFact, Connection, Effect, Input, Meaning, OutageFact, ReferenceFact,
    State, Step, TicketFact,
};
use crate::domain::area::AreaCode;
use crate::domain::blanko::rounded;
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::id::{ContactId, TicketId};
use crate::domain::language::Language;
use crate::domain::message::{ChannelKind, MessageClass, MessageText};
use crate::domain::outage::OutageKind;
use crate::domain::outbound::{Content, Recipient};
use crate::domain::person::PersonName;
use crate::domain::phone::PhoneNumber;
use crate::domain::redact::redact;
use crate::domain::reference::Reference;
use crate::domain::ticket::{ComplaintNumber, TicketKind, TicketState};
use crate::store::card::{Card, forget_announced, list_current};
use crate::store::collection::count_before;
use crate::store::consent::{self, ConsentChange};
use crate::store::contact::{self, Contact, NewInbound};
use crate::store::message::{self, cancel_oldest_replies, cancel_waiting_of_address};
use crate::store::person::{self, Person};
use crate::store::service_point::ServicePoint;
use crate::store::suppression::{self, NewSuppression, SuppressionReason, insert_suppression};
use crate::store::visit::{self, NewVisit};
use crate::store::{
    StoreError, Tx, binding, complaint, follow, inbox, service_point, ticket as ticket_store,
};
use crate::template::Vocabulary;
use crate::understand::Understanding;

/// People listed for one phone, at most; a choice of more cannot be shown on a phone.
const MAX_PEOPLE: usize = 10;

/// Replies that may wait for one address when the next is planned.
const WAITING_REPLIES: i64 = 4;

/// Answers one stored message.
///
/// # Errors
/// When the database fails, or a stored state cannot be read.
pub async fn answer(
    app: &App,
    tx: &mut Tx,
    event: &inbox::Event,
    inbound: &Inbound,
) -> Result<(), ServiceError> {
    let writer = meet(app, tx, event, &inbound.from).await?;
    let (text, choice) = match &inbound.body {
        InboundBody::Text(text) => (text.expose(), None),
        InboundBody::Choice { id, title } => (title.expose(), Some(id.clone())),
        InboundBody::Unreadable | InboundBody::Silent => ("", None),
    };
    let language = read_state(writer.contact.dialogue.as_deref()).language;
    let code = connect::take_code(app, tx, (writer.contact.id, language), text, app.now()).await?;
    converse(app, tx, event, &writer, (text, choice), code).await
}

/// Somebody handed over their number: the chat belongs to those registered with it.
///
/// # Errors
/// As [`answer`].
pub async fn take_phone(
    app: &App,
    tx: &mut Tx,
    event: &inbox::Event,
    proof: &PhoneProof,
) -> Result<(), ServiceError> {
    let from = Recipient { phone: Some(proof.phone.clone()), ..proof.from.clone() };
    let writer = meet(app, tx, event, &from).await?;
    converse(app, tx, event, &writer, ("", None), Some(Connection::Phone)).await
}

/// Somebody blocked us, or let us in again. That speaks of this chat alone: whoever wants to hear
/// nothing at all says so, and no card shall lie in a drawer for a chat that was closed.
///
/// # Errors
/// As [`answer`].
pub async fn take_opt_out(
    app: &App,
    tx: &mut Tx,
    event: &inbox::Event,
    opt_out: &OptOut,
) -> Result<(), ServiceError> {
    let now = app.now();
    let account = account_of(app, event)?;
    let hashes = consent::address_hashes(&app.db, &account.portfolio, &opt_out.from);
    let change = if opt_out.is_over { ConsentChange::OptIn } else { ConsentChange::OptOut };
    consent::apply(tx, &hashes, change, now).await?;
    if !opt_out.is_over {
        cancel_waiting_of_address(tx, &hashes, "opted_out", now).await?;
    }
    Ok(())
}

/// Who writes, as far as they are known.
struct Writer<'a> {
    account: &'a Account,
    contact: Contact,
    hashes: Vec<String>,
    known: Consent,
}

fn account_of<'a>(app: &'a App, event: &inbox::Event) -> Result<&'a Account, ServiceError> {
    app.account(&event.account)
        .ok_or_else(|| ServiceError::Text(format!("account {} is not configured", event.account)))
}

/// Notes that somebody wrote: their window opens, what was sent to them has arrived.
async fn meet<'a>(
    app: &'a App,
    tx: &mut Tx,
    event: &inbox::Event,
    from: &Recipient,
) -> Result<Writer<'a>, ServiceError> {
    let now = app.now();
    let account = account_of(app, event)?;
    let key = (account.channel, account.portfolio.as_str());
    // Counted from when it reached us: a provider's clock may be off, and an answer that comes too
    // late is refused by the provider anyway.
    let id = app.ids.next(now);
    let contact = contact::record_inbound(tx, &app.db, key, from, id, event.received_at).await?;
    let hashes = consent::address_hashes(&app.db, &account.portfolio, &contact.address);
    suppression::release_reached(tx, &hashes, account.channel, now).await?;
    let known = consent::find_consent(tx, &hashes, None).await?;
    Ok(Writer { account, contact, hashes, known })
}

async fn converse(
    app: &App,
    tx: &mut Tx,
    event: &inbox::Event,
    writer: &Writer<'_>,
    (text, choice): (&str, Option<String>),
    connection: Option<Connection>,
) -> Result<(), ServiceError> {
    let now = app.now();
    let Writer { account, contact, hashes, known } = writer;
    let office = &app.settings.office_name;
    let understanding = knowledge::understanding(app).await?;
    let mut input = read_text(&understanding, office, text, choice, account.channel, now);
    input.connection = connection;
    input.served.clone_from(&app.settings.channels);
    input.served.retain(|channel| app.accounts.iter().any(|other| other.channel == *channel));
    let people = people_of(app, tx, &contact.address, Some(contact.id)).await?;
    let state = read_state(contact.dialogue.as_deref());
    let language = state.language;
    add_facts_in(app, tx, &people, *known, (Some(contact.id), language), &mut input).await?;
    if input.area == AreaCode::nationwide() {
        input.area = account.area.as_ref().unwrap_or(&app.settings.office_area).clone();
    }
    input.outages = outages(app, tx, &input.area, language).await?;
    let talk = add_talk(tx, contact.id, &mut input).await?;
    if let Some(person) = people.first() {
        let routes = route::list_routes(app, tx, person).await?;
        input.reachable = routes.iter().map(|route| route.account.channel).collect();
    }
    let mut step = dialogue::step(&app.script(), &state, &input);
    if !step.needs.is_empty() {
        let whose = Some(Whose { contact: contact.id, hashes, people: &people });
        add_needed(app, tx, whose, (&step.needs, language), &mut input).await?;
        step = dialogue::step(&app.script(), &state, &input);
    }
    app.metrics.intent(&step.intent);
    let asker = question::Asker {
        contact: contact.id,
        address_hash: hashes.first().map_or("", String::as_str),
        area: people.first().and_then(|person| person.area.as_ref()).or(account.area.as_ref()),
    };
    question::note(app, tx, (&state, &input, &step), &asker).await?;
    let says_nothing = [Effect::WrongPerson, Effect::OptOut];
    if !step.effects.iter().any(|effect| says_nothing.contains(effect)) {
        // Whoever answers has what was sent, unless it is a stranger who says so; whoever stops is
        // told nothing more either way.
        let answered = follow::mark_answered(tx, hashes, account.channel, now).await?;
        follow::mark_reached(tx, &app.db, &answered, now).await?;
    }
    let opened = apply_effects(app, tx, &step, writer, &people, now).await?;
    let state =
        serde_json::to_string(&step.state).map_err(|e| ServiceError::Text(e.to_string()))?;
    contact::set_dialogue(tx, &app.db, contact.id, &state).await?;
    let inbound = NewInbound {
        id: app.ids.next(now),
        contact: contact.id,
        event: event.id,
        account: &account.id,
        text: &MessageText::new(input.text.clone()),
        intent: &step.intent,
        received_at: event.received_at,
    };
    contact::insert_inbound(tx, &app.db, &inbound).await?;
    for id in talk.into_iter().chain(opened) {
        ticket::hear(app, tx, id, inbound.id, now).await?;
    }
    if step.effects.contains(&Effect::CloseTicket)
        && let Some(id) = talk
    {
        ticket::end(app, tx, id, now).await?;
    }
    let to = (contact.id, contact.address.clone());
    plan_replies(app, tx, account, &to, &event.id.to_string(), step, now).await
}

/// Those whose news goes to an address: registered with its number, or bound to it at the counter.
async fn people_of(
    app: &App,
    tx: &mut Tx,
    address: &Recipient,
    contact: Option<ContactId>,
) -> Result<Vec<Person>, ServiceError> {
    let mut people = match &address.phone {
        Some(phone) => person::list_by_phone(tx, &app.db, phone).await?,
        None => Vec::new(),
    };
    if let Some(contact) = contact {
        for bound in person::list_bound(tx, &app.db, contact).await? {
            if people.iter().all(|person| person.id != bound.id) {
                people.push(bound);
            }
        }
    }
    Ok(people)
}

/// Redacts and understands a text; nothing is known yet of who wrote it.
#[must_use]
pub fn read_text(
    understanding: &Understanding,
    office: &str,
    text: &str,
    choice: Option<String>,
    channel: ChannelKind,
    now: Timestamp,
) -> Input {
    let redacted = redact(text);
    let meaning = understanding.understand(&redacted.text);
    Input {
        text: redacted.text,
        had_nik: redacted.had_nik,
        choice,
        meaning: Meaning {
            intent: meaning.intent,
            confidence: meaning.confidence,
            alternatives: meaning.alternatives,
            also: meaning.also,
            perhaps: meaning.perhaps,
        },
        is_registered: false,
        is_opted_out: false,
        cards: Vec::new(),
        outages: Vec::new(),
        reference: None,
        connection: None,
        served: Vec::new(),
        reachable: Vec::new(),
        office: office.to_owned(),
        channel,
        area: AreaCode::nationwide(),
        points: None,
        areas: Vec::new(),
        ticket: None,
        complaint: None,
        number: None,
        waiting: None,
        office_opens: None,
        kept: None,
        survey: None,
        deliveries: None,
        sessions: None,
        served_by_visit: None,
        booking: None,
        slot: None,
        home: None,
        desas: None,
        now,
    }
}

/// Adds what is on file for a number, for a conversation in a terminal. Changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn add_facts(
    app: &App,
    phone: &PhoneNumber,
    language: Language,
    input: &mut Input,
) -> Result<(), ServiceError> {
    let mut tx = app.db.begin().await?;
    let address = Recipient::of_phone(phone.clone());
    let hashes = consent::address_hashes(&app.db, "", &address);
    let known = consent::find_consent(&mut tx, &hashes, None).await?;
    let people = people_of(app, &mut tx, &address, None).await?;
    add_facts_in(app, &mut tx, &people, known, (None, language), input).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    Ok(())
}

async fn add_facts_in(
    app: &App,
    tx: &mut Tx,
    people: &[Person],
    known: Consent,
    (contact, language): (Option<ContactId>, Language),
    input: &mut Input,
) -> Result<(), ServiceError> {
    input.is_opted_out = known.is_opted_out;
    // A number whose owner said that these people are strangers to them is no key to their cards.
    if !known.is_suppressed {
        input.is_registered = !people.is_empty();
        if let Some(area) = people.iter().find_map(|person| person.area.clone()) {
            input.area = area;
        }
        let words = app.templates.vocabulary().speaking(language);
        for person in people.iter().take(MAX_PEOPLE) {
            for card in list_current(tx, person.id).await? {
                let fact =
                    fact(app, tx, (person, &card), &words, (input.channel, input.now)).await?;
                input.cards.push(fact);
            }
        }
    }
    if let Some(reference) = Reference::find_in(&input.text) {
        let found = message::find_reference(tx, &reference).await?;
        input.reference = Some(ReferenceFact {
            reference: reference.to_string(),
            sent_on: found.as_ref().map(|found| day_in_words(app, found.sent_at, language)),
            kind: found.as_ref().map(|found| found.template.clone()).unwrap_or_default(),
            document: found.and_then(|found| found.document).unwrap_or_default(),
        });
    }
    if let Some(number) = ComplaintNumber::find_in(&input.text) {
        let state = match contact {
            Some(contact) => complaint::find_complaint(tx, &number, contact).await?,
            None => None,
        };
        input.complaint = Some(ComplaintFact { number: number.to_string(), state });
    }
    Ok(())
}

/// What keeps the office from working in an area.
async fn outages(
    app: &App,
    tx: &mut Tx,
    area: &AreaCode,
    language: Language,
) -> Result<Vec<OutageFact>, ServiceError> {
    let words = app.templates.vocabulary().speaking(language);
    let zone = app.zone(Some(area)).offset();
    let running = outage::running_at(tx, area).await?;
    let fact = |outage: &crate::domain::outage::Outage| OutageFact {
        kind: outage.kind.as_str().to_owned(),
        reason: outage.reason.clone(),
        since: words.day(outage.since.in_zone(zone).date_naive()),
    };
    // One of each kind, the oldest: whatever keeps a card waiting is among them.
    let oldest = |kind: &OutageKind| running.iter().find(|outage| outage.kind == *kind);
    Ok(OutageKind::ALL.iter().filter_map(oldest).map(fact).collect())
}

/// Adds the talk with an officer that a conversation waits for or has.
async fn add_talk(
    tx: &mut Tx,
    contact: ContactId,
    input: &mut Input,
) -> Result<Option<TicketId>, ServiceError> {
    let found = ticket_store::find_talk(tx, contact).await?;
    Ok(found.map(|(id, state, place)| {
        input.ticket = Some(TicketFact { place, is_taken: state == TicketState::Taken });
        id
    }))
}

fn read_state(stored: Option<&str>) -> State {
    // A state of an older version that no longer reads is forgotten: the citizen is asked anew.
    stored.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

async fn fact(
    app: &App,
    tx: &mut Tx,
    (person, card): (&Person, &Card),
    words: &Vocabulary,
    (channel, now): (ChannelKind, Timestamp),
) -> Result<CardFact, ServiceError> {
    let zone = app.zone(person.area.as_ref());
    let status = card.on_file.status;
    let mut place = None;
    if status == CardStatus::ReadyToCollect {
        let point = match &card.service_point {
            Some(code) => service_point::find_with_condition(tx, code).await?,
            None => None,
        };
        place = Some(match point {
            Some((point, condition)) => {
                // Nobody is sent to a place that is closed all day.
                let reopens = super::point::reopening(tx, &point, &condition, now).await?;
                hours_and_place(&point, reopens, words, channel)
            }
            None => words.place(channel),
        });
    }
    let appointment = card
        .home_delivery
        .as_ref()
        .filter(|home| {
            status.is_printed() && status != CardStatus::Issued && home.ends_at(zone.offset()) > now
        })
        .map(|home| {
            format!("{}, {}", words.date(home.date), words.window(home.from, home.to, zone))
        });
    let bring =
        (place.is_some() || appointment.is_some()).then(|| words.bring(card.document, channel));
    let is_waiting = matches!(status, CardStatus::ReadyToPrint | CardStatus::WaitingForBlank);
    let before = if is_waiting { count_before(tx, card.id).await? } else { None };
    Ok(CardFact {
        id: card.id.to_string(),
        who: person
            .name
            .as_ref()
            .map_or_else(|| words.addressee(None, channel), PersonName::masked),
        document: words.document(card.document, channel),
        status: words.status(status),
        as_of: words.day(card.on_file.status_at.in_zone(zone.offset()).date_naive()),
        place,
        appointment,
        bring,
        is_ready: status == CardStatus::ReadyToCollect,
        kept_by: OutageKind::ALL
            .iter()
            .filter(|kind| kind.keeps(status, card.document))
            .map(|kind| kind.as_str().to_owned())
            .collect(),
        ahead: before
            .map(|before| if before < 10 { "0".to_owned() } else { words.number(rounded(before)) }),
    })
}

/// A service point with its hours, and when it opens again if it is closed today.
fn hours_and_place(
    point: &ServicePoint,
    reopens: Option<chrono::NaiveDate>,
    words: &Vocabulary,
    channel: ChannelKind,
) -> String {
    let (name, written) = match channel {
        ChannelKind::Sms => (&point.short_name, &point.hours_short),
        ChannelKind::Whatsapp | ChannelKind::Telegram => (&point.name, &point.hours),
    };
    let mut hours = words.hours_of(written, point.detail.week.as_ref(), channel);
    if let Some(day) = reopens {
        hours = words.reopens(&hours, day, channel);
    }
    format!("{name}, {hours}")
}

/// Does what a step asks for, and gives the tickets that it opened.
async fn apply_effects(
    app: &App,
    tx: &mut Tx,
    step: &Step,
    writer: &Writer<'_>,
    people: &[Person],
    now: Timestamp,
) -> Result<Vec<TicketId>, ServiceError> {
    let Writer { account, contact, hashes, .. } = writer;
    let address = &contact.address;
    let mut opened = Vec::new();
    let wish = |kind, complaint| ticket::Wish {
        kind,
        contact: contact.id,
        account: &account.id,
        area: people.iter().find_map(|person| person.area.as_ref()),
        complaint,
    };
    for effect in &step.effects {
        match effect {
            Effect::OptOut => stop::opt_out(app, tx, hashes, people, now).await?,
            Effect::OptIn => stop::opt_in(app, tx, hashes, people, now).await?,
            Effect::WrongPerson => {
                round::release(app, tx, people, now).await?;
                tell_in_person(app, tx, hashes, now).await?;
                for hash in hashes {
                    let new = NewSuppression {
                        id: app.ids.next(now),
                        address_hash: hash,
                        address: Some(address),
                        channel: None,
                        reason: SuppressionReason::WrongPerson,
                        code: None,
                    };
                    insert_suppression(tx, &app.db, &new, now).await?;
                }
                cancel_waiting_of_address(tx, hashes, "suppressed", now).await?;
                if let Some(phone) = &address.phone {
                    person::release_phone(tx, &app.db, phone, "wrong_person", now).await?;
                }
                binding::delete_bindings(tx, contact.id).await?;
            }
            Effect::Prefer(channel) => {
                let ids: Vec<_> = people.iter().map(|person| person.id).collect();
                person::set_channel(tx, &ids, Some(*channel), now).await?;
            }
            // The one is noted already, together with what was asked back; the other is done once
            // the message that asks for it is kept with its ticket.
            Effect::UnknownQuestion | Effect::CloseTicket => {}
            Effect::OpenTicket => {
                opened.extend(ticket::open(app, tx, &wish(TicketKind::Human, None), now).await?);
            }
            Effect::Complain { number, category, text } => {
                let complaint = Some((number.as_str(), *category, text.as_str()));
                let wish = wish(TicketKind::Complaint, complaint);
                opened.extend(ticket::open(app, tx, &wish, now).await?);
            }
            Effect::RequestDeletion => {
                opened.extend(ticket::open(app, tx, &wish(TicketKind::Deletion, None), now).await?);
            }
            Effect::AnswerDelivery { items, answer, day, receiver } => {
                let said = round::Said { answer: *answer, day: *day, receiver: receiver.clone() };
                round::take_all(app, tx, people, items, &said, now).await?;
            }
            Effect::Taken(id) => {
                if let Ok(card) = id.parse() {
                    collection::say_taken(tx, card, now).await?;
                }
            }
            Effect::Book { .. }
            | Effect::Unbook(_)
            | Effect::AskVisit { .. }
            | Effect::Withdraw(_) => {
                visiting::apply(app, tx, effect, (contact.id, people), now).await?;
            }
            Effect::Rate { element, score } => {
                survey::rate(app, tx, people, (*element, *score), now).await?;
            }
        }
    }
    Ok(opened)
}

/// What went to a stranger has not been heard by those it was for.
async fn tell_in_person(
    app: &App,
    tx: &mut Tx,
    hashes: &[String],
    now: Timestamp,
) -> Result<(), ServiceError> {
    for news in follow::list_misdirected(tx, hashes).await? {
        let person = person::find_person(tx, &app.db, news.person_id).await?;
        let new = NewVisit {
            id: app.ids.next(now),
            message: news.first_id,
            person: news.person_id,
            card: news.card_id,
            template: &news.template,
            reason: SuppressionReason::WrongPerson.as_str(),
            area: person.as_ref().and_then(|person| person.area.as_ref()),
        };
        visit::insert_visit(tx, &new, now).await?;
        // The same news is news again once there is a number that is theirs.
        forget_announced(tx, news.card_id).await?;
    }
    Ok(())
}

async fn plan_replies(
    app: &App,
    tx: &mut Tx,
    account: &super::Account,
    to: &(ContactId, Recipient),
    event: &str,
    step: Step,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let hashes = consent::address_hashes(&app.db, &account.portfolio, &to.1);
    let hash = route::own_hash(account.channel, hashes);
    if step.replies.is_empty() {
        return Ok(());
    }
    cancel_oldest_replies(tx, &hash, WAITING_REPLIES, now).await?;
    let words = app.templates.vocabulary().speaking(step.state.language);
    let list_button = Some(words.list_button().to_owned());
    for (n, reply) in step.replies.into_iter().enumerate() {
        let draft = Draft {
            idem_key: format!("reply:{event}:{n}"),
            class: MessageClass::Reply,
            account: Some(account),
            channel: account.channel,
            why: "asked",
            refusal: None,
            template: step.intent.clone(),
            reference: None,
            to: Some((to.1.clone(), hash.clone())),
            contact_id: Some(to.0),
            person_id: None,
            card_id: None,
            first_id: None,
            content: Content {
                template: None,
                text: MessageText::new(reply.text),
                sms: None,
                list_button: list_button.clone(),
                choices: reply.choices,
                pin: reply.pin,
                attachment: None,
            },
            zone: app.zone(None),
            expires_at: None,
            has_next: false,
        };
        outbox::enqueue(app, tx, draft, now).await?;
    }
    Ok(())
}
