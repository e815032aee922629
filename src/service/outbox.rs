//! Puts messages into the outbox: what an SMS will cost, when the next channel is due, and that two
//! bots never talk to each other.

use std::time::Duration;

use super::send::deadline;
use super::{Account, App, ServiceError};
use crate::domain::area::Zone;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Refusal;
use crate::domain::id::{CardId, ContactId, MessageId, PersonId};
use crate::domain::message::{ChannelKind, MessageClass, MessageStatus, MessageText};
use crate::domain::outbound::{Content, Recipient};
use crate::domain::reference::Reference;
use crate::store::Tx;
use crate::store::message::{NewMessage, count_repeats, insert_message, text_hash};
use crate::template::{Encoding, segments, to_gsm};

/// The same words to one address in this time are more than a conversation.
const LOOP_WINDOW: Duration = Duration::from_secs(30 * 60);
/// So often the same words may go to one address in that time.
const SAME_WORDS: i64 = 5;
/// So many answers of any words may; whoever answers at once and without end is a machine.
const ANSWERS: i64 = 30;

/// Why an officer's words are sent.
pub const OFFICER: &str = "officer";
/// Why an officer is answered in their own chat.
pub const TO_OFFICER: &str = "officer_chat";

/// A message about to be planned.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// What caused it; the same cause never plans two.
    pub idem_key: String,
    /// What it is for.
    pub class: MessageClass,
    /// Through which account; none when there is none.
    pub account: Option<&'a Account>,
    /// On which channel it would be.
    pub channel: ChannelKind,
    /// Why it is sent.
    pub why: &'static str,
    /// Why it is only noted, and not sent.
    pub refusal: Option<Refusal>,
    /// Announcement kind, or the intent answered.
    pub template: String,
    /// What the citizen can quote.
    pub reference: Option<Reference>,
    /// To whom, with the hash of the address.
    pub to: Option<(Recipient, String)>,
    /// Whose conversation.
    pub contact_id: Option<ContactId>,
    /// Whose card.
    pub person_id: Option<PersonId>,
    /// Which card.
    pub card_id: Option<CardId>,
    /// The first message of the same news.
    pub first_id: Option<MessageId>,
    /// The words in every form.
    pub content: Content,
    /// The recipient's zone.
    pub zone: Zone,
    /// Not from then on.
    pub expires_at: Option<Timestamp>,
    /// Another channel would follow.
    pub has_next: bool,
}

/// Plans a message and gives its id; none when its cause has planned one already.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    app: &App,
    tx: &mut Tx,
    draft: Draft<'_>,
    now: Timestamp,
) -> Result<Option<MessageId>, ServiceError> {
    let (recipient, recipient_hash) = draft.to.unzip();
    let recipient_hash = recipient_hash.unwrap_or_default();
    let is_reply = draft.class == MessageClass::Reply;
    let mut content = draft.content;
    let takes_answers = draft.account.is_none_or(|account| account.adapter.offer().is_two_way);
    if draft.channel == ChannelKind::Sms {
        // One curly quote of a word processor would more than double the price.
        let mut words = to_gsm(content.words(ChannelKind::Sms).expose());
        if !is_reply {
            words = app.templates.vocabulary().with_stop(&words, takes_answers);
        }
        content.sms = Some(MessageText::new(words));
    }
    let words = content.words(draft.channel).expose();
    let (parts, rupiah) = cost(draft.channel, draft.account, words);
    let mut why = draft.refusal.map_or(draft.why, Refusal::as_str);
    let mut status =
        if draft.refusal.is_some() { MessageStatus::Cancelled } else { MessageStatus::Queued };
    let text_hash = text_hash(&app.db, &recipient_hash, words);
    // An officer is no machine, and nobody is told that their words were held back.
    let may_loop =
        draft.class != MessageClass::Announcement && ![OFFICER, TO_OFFICER].contains(&draft.why);
    if status == MessageStatus::Queued && may_loop {
        let since = now.before(LOOP_WINDOW);
        let (same, answers) = count_repeats(tx, &text_hash, &recipient_hash, since).await?;
        if same >= SAME_WORDS || (is_reply && answers >= ANSWERS) {
            (status, why) = (MessageStatus::Cancelled, "loop");
            app.metrics.loop_stopped(draft.account.map_or("", |account| &account.id));
            tracing::warn!(
                account = draft.account.map_or("", |account| &account.id),
                "a loop of messages was stopped: the same words to one address again and again"
            );
        }
    }
    let due_at = match draft.class {
        MessageClass::Reply => now,
        MessageClass::Announcement | MessageClass::Broadcast => {
            app.settings.quiet_hours.next_allowed(now, draft.zone.offset())
        }
    };
    // What is nobody's card goes to the chat that asked for it, and to no other channel.
    let may_fall_back = status == MessageStatus::Queued
        && draft.class == MessageClass::Announcement
        && draft.card_id.is_some();
    let new = NewMessage {
        id: app.ids.next(now),
        idem_key: draft.idem_key,
        account: draft.account.map(|account| account.id.clone()).unwrap_or_default(),
        channel: draft.channel,
        class: draft.class,
        status,
        why,
        template: draft.template,
        reference: draft.reference,
        recipient,
        recipient_hash,
        contact_id: draft.contact_id,
        person_id: draft.person_id,
        card_id: draft.card_id,
        content,
        zone: draft.zone,
        due_at,
        expires_at: draft.expires_at,
        first_id: draft.first_id,
        fallback_at: may_fall_back
            .then(|| deadline(&app.settings, draft.channel, draft.zone, due_at, draft.expires_at)),
        has_next: draft.has_next,
        text_hash: Some(text_hash),
        parts,
        rupiah,
        run_id: None,
        created_at: now,
    };
    Ok(insert_message(tx, &app.db, &new).await?.then_some(new.id))
}

/// Segments of an SMS and their price, as far as the account has one.
fn cost(
    channel: ChannelKind,
    account: Option<&Account>,
    words: &str,
) -> (Option<i64>, Option<i64>) {
    if channel != ChannelKind::Sms {
        return (None, None);
    }
    let counted = segments(words);
    if counted.encoding == Encoding::Ucs2 {
        tracing::debug!(units = counted.units, "an SMS with letters outside GSM-7");
    }
    let parts = i64::try_from(counted.parts).unwrap_or(i64::MAX);
    let price = account.and_then(|account| account.rupiah_per_segment);
    (Some(parts), price.map(|price| parts.saturating_mul(i64::from(price))))
}
