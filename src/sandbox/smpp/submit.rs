//! A `submit_sm`: judged, given an id, put on the phone once all its parts are there, and what
//! becomes of it then.

use std::sync::Arc;

use chrono::Datelike as _;
use rusmpp::pdus::{DeliverSm, SubmitSm};
use rusmpp::tlvs::{MessageDeliveryRequestTlvValue, TlvValue};
use rusmpp::types::COctetString;
use rusmpp::values::MessageState;
use serde_json::json;

use super::centre::{self, Part};
use super::{SmppAccount, account, address, delivery, message_id, text};
use crate::domain::clock::Timestamp;
use crate::sandbox::course::{Fate, Step};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::{Bubble, Mark, Memory, Sandbox, Sent, Side, phone};

/// Command statuses (SMPP 3.4, 5.1.3).
mod status {
    pub const MESSAGE_LENGTH: u32 = 0x01;
    pub const SYSTEM_ERROR: u32 = 0x08;
    pub const SOURCE: u32 = 0x0a;
    pub const DESTINATION: u32 = 0x0b;
    pub const QUEUE_FULL: u32 = 0x14;
    pub const ESM_CLASS: u32 = 0x43;
    pub const THROTTLED: u32 = 0x58;
}

/// How the request is answered.
pub(super) enum Reply {
    /// With a status, and an id where that is 0.
    Answer(u32, String),
    /// Not at all: the link is dropped.
    HangUp,
    /// With octets that are no PDU, and the link is dropped.
    Nonsense,
}

/// What is left to do for a submission after it was judged.
pub(super) enum Rest {
    /// Only the answer.
    Answer(u32, String),
    /// The message is not taken, and the answer is none that could be read.
    Nonsense,
    /// The message is whole and takes its course.
    Course(Box<Course>),
}

/// A whole message on its way.
pub(super) struct Course {
    id: String,
    account: String,
    number: String,
    fate: Fate,
    shown: Arc<Shown>,
}

/// What receipts tell of a message.
struct Shown {
    bubble_id: String,
    /// Parts for which a receipt was asked.
    asked: Vec<String>,
    text: String,
    submitted_at: Timestamp,
    is_double: bool,
}

/// The octets of a message and its place in a longer one: reference, which, of how many.
struct Content {
    octets: Vec<u8>,
    place: Option<(u16, u8, u8)>,
}

/// Reads header and payload; a status where they are wrong.
fn content(submit: &SubmitSm) -> Result<Content, u32> {
    let esm_class = u8::from(submit.esm_class);
    // Only messages and replies on their way to a phone: no bits of receipts and acknowledgements.
    if esm_class & 0x3c != 0 {
        return Err(status::ESM_CLASS);
    }
    let (mut octets, mut sar) = (submit.short_message().as_ref().to_vec(), [None; 3]);
    for tlv in submit.tlvs() {
        match tlv.value() {
            Some(TlvValue::MessagePayload(payload)) => {
                if !octets.is_empty() {
                    return Err(status::MESSAGE_LENGTH);
                }
                octets = payload.value.as_ref().to_vec();
            }
            Some(TlvValue::SarMsgRefNum(reference)) => sar[0] = Some(*reference),
            Some(TlvValue::SarSegmentSeqnum(at)) => sar[1] = Some(u16::from(*at)),
            Some(TlvValue::SarTotalSegments(total)) => sar[2] = Some(u16::from(*total)),
            _ => {}
        }
    }
    let room = if u8::from(submit.data_coding) == 0 { 160 } else { 140 };
    if !submit.short_message().is_empty() && octets.len() > room {
        return Err(status::MESSAGE_LENGTH);
    }
    let mut place = match sar {
        [Some(reference), Some(at), Some(total)] => {
            Some((reference, at.to_le_bytes()[0], total.to_le_bytes()[0]))
        }
        _ => None,
    };
    if esm_class & 0x40 != 0 {
        let length = octets.first().map_or(0, |length| usize::from(*length) + 1);
        if length > octets.len() || length == 0 {
            return Err(status::ESM_CLASS);
        }
        let rest = octets.split_off(length);
        place = match octets[1..] {
            [0, 3, reference, total, at] => Some((u16::from(reference), at, total)),
            [8, 4, high, low, total, at] => Some((u16::from_be_bytes([high, low]), at, total)),
            _ => return Err(status::ESM_CLASS),
        };
        octets = rest;
    }
    match place {
        Some((_, at, total)) if at == 0 || at > total => Err(status::ESM_CLASS),
        _ => Ok(Content { octets, place: place.filter(|(_, _, total)| *total > 1) }),
    }
}

/// Judges a submission and puts what is whole on its phone.
pub(super) fn judge(sandbox: &Sandbox, account: &SmppAccount, submit: &SubmitSm) -> Rest {
    let now = sandbox.now();
    let destination = submit.destination_addr.as_str();
    let number = phone::digits(destination);
    let body = json!({
        "command": "submit_sm",
        "source": submit.source_addr.as_str(),
        "destination": destination,
        "esm_class": u8::from(submit.esm_class),
        "validity_period": submit.validity_period.as_str(),
        "data_coding": u8::from(submit.data_coding),
        "registered_delivery": u8::from(submit.registered_delivery),
        "short_message": hex::encode(submit.short_message().as_ref()),
    });
    let is_full = sandbox.is_full();
    sandbox.change(|memory| {
        let owner = [number.as_deref().unwrap_or_default()];
        if memory.faults.strike(FaultKind::NotJson, "smpp", &owner, now).is_some() {
            let (at_ms, account) = (now.as_ms(), account.id.clone());
            let (phone, message_id, error_code) = (None, None, None);
            memory.record(200, Sent { at_ms, account, phone, message_id, error_code, body });
            return Rest::Nonsense;
        }
        let judged = if is_full {
            Err(status::QUEUE_FULL)
        } else {
            check(memory, account, submit, number.as_deref(), now)
        };
        let id = message_id(sandbox);
        let sent = Sent {
            at_ms: now.as_ms(),
            account: account.id.clone(),
            phone: number.clone().filter(|_| judged.is_ok()),
            message_id: judged.is_ok().then(|| id.clone()),
            error_code: judged.as_ref().err().copied(),
            body,
        };
        memory.record(submit.short_message().len() + 200, sent);
        match judged {
            Err(status) => Rest::Answer(status, String::new()),
            Ok(taken) => take(sandbox, memory, account, submit, taken, id, now),
        }
    })
}

/// What is known of a submission that is not refused.
struct Checked {
    number: String,
    text: String,
    place: Option<(u16, u8, u8)>,
}

fn check(
    memory: &mut Memory,
    account: &SmppAccount,
    submit: &SubmitSm,
    number: Option<&str>,
    now: Timestamp,
) -> Result<Checked, u32> {
    let owner = [number.unwrap_or_default()];
    if memory.faults.strike(FaultKind::Throttle, "smpp", &owner, now).is_some() {
        return Err(status::THROTTLED);
    }
    if let Some(fault) = memory.faults.strike(FaultKind::Refuse, "smpp", &owner, now) {
        return Err(fault.code.unwrap_or(status::DESTINATION));
    }
    let source = submit.source_addr.as_str();
    // An empty source is filled in by the centre.
    if !source.is_empty() && source != address(&account.sender).2.as_str() {
        return Err(status::SOURCE);
    }
    let number = number.ok_or(status::DESTINATION)?.to_owned();
    let Content { octets, place } = content(submit)?;
    // Binary data arrives, and the phone shows nothing of it.
    let text = text::shown(u8::from(submit.data_coding), &octets).unwrap_or_default();
    Ok(Checked { number, text, place })
}

fn take(
    sandbox: &Sandbox,
    memory: &mut Memory,
    account: &SmppAccount,
    submit: &SubmitSm,
    checked: Checked,
    id: String,
    now: Timestamp,
) -> Rest {
    let Checked { number, text, place } = checked;
    let wants_receipt = u8::from(submit.registered_delivery) & 0x03 != 0;
    let part = Part { id: id.clone(), text, wants_receipt };
    let parts = match place {
        None => vec![part],
        Some((reference, at, total)) => {
            let key = (account.id.clone(), number.clone(), reference, total);
            match sandbox.0.centre.gather(&key, at, part) {
                Some(parts) => parts,
                None => return Rest::Answer(0, id),
            }
        }
    };
    let asked: Vec<String> =
        parts.iter().filter(|part| part.wants_receipt).map(|part| part.id.clone()).collect();
    let bubble_id = asked.first().unwrap_or(&id).clone();
    let text: String = parts.iter().map(|part| part.text.as_str()).collect();
    let bubble = Bubble {
        id: bubble_id.clone(),
        at_ms: now.as_ms(),
        side: Side::Office,
        channel: "sms",
        account: account.id.clone(),
        kind: "text".to_owned(),
        header: None,
        text: text.clone(),
        footer: None,
        buttons: Vec::new(),
        menu: None,
        file: None,
        mark: Mark::Accepted,
        error_code: None,
        // SMPP has no field for it.
        echo: None,
        is_by_number: true,
    };
    memory.phones.show(&number, bubble, now);
    let owner = [number.as_str()];
    let mut fate = Fate::weigh(memory, "smpp", &owner, now, sandbox.0.settings.auto_read);
    let double = memory.faults.strike(FaultKind::DuplicateWebhook, "smpp", &owner, now);
    keep_receipts(&mut fate);
    let is_double = double.is_some();
    let shown = Shown { bubble_id, asked, text, submitted_at: now, is_double };
    let account = account.id.clone();
    Rest::Course(Box::new(Course { id, account, number, fate, shown: Arc::new(shown) }))
}

/// A centre writes one receipt, of the end. Only where receipts come in the wrong order does one
/// that the message is on its way come after it.
fn keep_receipts(fate: &mut Fate) {
    let end = fate.steps.iter().position(|step| !matches!(step, Step::Sent | Step::Read));
    let mut at = 0;
    fate.steps.retain(|step| {
        at += 1;
        *step != Step::Sent || end.is_some_and(|end| at > end + 1)
    });
    fate.steps.sort_by_key(|step| matches!(step, Step::Read));
}

impl Rest {
    /// Starts the course and tells how the request is answered, when that time has come.
    pub(super) async fn reply(self, sandbox: &Sandbox) -> Reply {
        let course = match self {
            Self::Answer(status, id) => return Reply::Answer(status, id),
            Self::Nonsense => return Reply::Nonsense,
            Self::Course(course) => *course,
        };
        let Course { id, account, number, fate, shown } = course;
        let ending = fate.ending.clone();
        sandbox.change(|memory| memory.phones.mark(&number, &shown.bubble_id, Mark::Sent, None));
        let own = sandbox.clone();
        fate.start(sandbox, move |step| {
            let (own, account, number) = (own.clone(), account.clone(), number.clone());
            let shown = Arc::clone(&shown);
            async move { tell(&own, &account, &number, &shown, step).await }
        })
        .await;
        if let Some(wait) = ending.wait {
            sandbox.pause(wait).await;
        }
        match ending.status {
            _ if ending.hangs_up => Reply::HangUp,
            Some(_) => Reply::Answer(status::SYSTEM_ERROR, String::new()),
            None => Reply::Answer(0, id),
        }
    }
}

/// One step of a message's course: on the screen, and as a receipt.
async fn tell(sandbox: &Sandbox, account_id: &str, number: &str, shown: &Shown, step: Step) {
    let error_code = step.error_code(1);
    sandbox.change(|memory| {
        memory.phones.mark(number, &shown.bubble_id, step.mark(), error_code);
    });
    let (word, state) = match step {
        Step::Sent => ("ENROUTE", MessageState::Enroute),
        Step::Delivered => ("DELIVRD", MessageState::Delivered),
        Step::Failed { .. } => ("UNDELIV", MessageState::Undeliverable),
        // Nobody learns that an SMS was read.
        Step::Read => return,
    };
    let Some(account) = account(sandbox, account_id) else { return };
    for id in &shown.asked {
        let words = words(id, shown, word, error_code.unwrap_or_default(), sandbox.now());
        let mut receipt: DeliverSm = delivery(number, account, 0x04, 0, words.into_bytes());
        let named = COctetString::from_string(id.clone()).unwrap_or_default();
        receipt.push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(named));
        receipt.push_tlv(MessageDeliveryRequestTlvValue::MessageState(state));
        centre::bring(sandbox, account_id, &receipt, shown.is_double).await;
    }
}

/// The words of a receipt (SMPP 3.4, appendix B).
fn words(id: &str, shown: &Shown, word: &str, error: u32, now: Timestamp) -> String {
    let date = |at: Timestamp| {
        let at = at.utc();
        format!("{:02}{}", at.year().rem_euclid(100), at.format("%m%d%H%M"))
    };
    let dlvrd = u8::from(word == "DELIVRD");
    let submitted = date(shown.submitted_at);
    let text: String = shown.text.chars().filter(|c| matches!(c, ' '..='~')).take(20).collect();
    format!(
        "id:{id} sub:001 dlvrd:00{dlvrd} submit date:{submitted} done date:{} stat:{word} \
         err:{error:03} text:{text}",
        date(now)
    )
}
