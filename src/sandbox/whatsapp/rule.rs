//! The rules of the moment: may this request be accepted now?
//!
//! Service window, pair rate, known recipient and template, and the faults that refuse. Answers
//! nothing and sends nothing.

use super::course::{Course, Planned};
use super::part::Content;
use super::refusal::Refusal;
use super::request::{Payload, Request, To};
use super::{WhatsappAccount, media, message_id};
use crate::domain::clock::Timestamp;
use crate::sandbox::course::Step;
use crate::sandbox::fault::FaultKind;
use crate::sandbox::{Bubble, Mark, Memory, Presence, Sandbox, Side};

/// How long free-form messages may follow the citizen's last one.
const WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;
/// One message in so many milliseconds to one citizen, in the long run.
const PAIR_MS: i64 = 6_000;
/// How many messages may be borrowed from later.
const PAIR_BURST: i64 = 45;

/// How a request that is right in itself ends.
pub(super) enum Verdict {
    Accepted(Box<Course>),
    Refused(Refusal),
    NotJson(u16),
}

/// Decides about a request and, when it is accepted, puts the message on its screen.
pub(super) fn judge(
    sandbox: &Sandbox,
    memory: &mut Memory,
    account: &WhatsappAccount,
    request: Request,
) -> Verdict {
    let now = sandbox.now();
    let id = account.phone_number_id.as_str();
    let (number, user_id) = match recipient(memory, account, &request.to) {
        Ok(recipient) => recipient,
        Err(refusal) => return Verdict::Refused(refusal),
    };
    if let Some(verdict) = refusing_fault(sandbox, memory, &[&number, &user_id], now) {
        return verdict;
    }
    if let Err(refusal) = media::check(&request.payload, memory, id, now) {
        return Verdict::Refused(refusal);
    }
    let (template_category, content) = match request.payload {
        Payload::Template(call) => match call.fill(&memory.templates) {
            Ok((category, content)) => (Some(category), content),
            Err(refusal) => return Verdict::Refused(refusal),
        },
        Payload::Free(content) => (None, content),
    };
    let known = memory.phones.get(&number);
    let in_window = known
        .and_then(|phone| phone.wrote_at.get(id))
        .is_some_and(|at| now.as_ms() - at.as_ms() < WINDOW_MS);
    if template_category.is_none() && !in_window {
        let details = "More than 24 hours have passed since the recipient last wrote to this \
                       number.";
        return Verdict::Refused(Refusal::new(131_047, details));
    }
    let used_until = known.and_then(|phone| phone.paired_until.get(id)).copied();
    let used_until = match pair_rate(used_until, now) {
        Ok(used_until) => used_until,
        Err(refusal) => return Verdict::Refused(refusal),
    };
    let good = Good {
        number,
        user_id,
        to: request.to,
        echo: request.echo,
        template_category,
        content,
        in_window,
        used_until,
    };
    Verdict::Accepted(Box::new(accept(sandbox, memory, id, good)))
}

/// A request that passed every door.
struct Good {
    number: String,
    user_id: String,
    to: To,
    echo: Option<String>,
    template_category: Option<String>,
    content: Content,
    in_window: bool,
    used_until: Timestamp,
}

/// Puts the message on its screen and settles what will become of it.
fn accept(sandbox: &Sandbox, memory: &mut Memory, account_id: &str, good: Good) -> Course {
    let now = sandbox.now();
    let Good { number, content, .. } = good;
    let (is_by_number, is_stranger) = match good.to {
        To::Number { is_stranger, .. } => (true, is_stranger),
        To::User(_) => (false, false),
    };
    let is_new = memory.phones.get(&number).is_none();
    let planned = Planned {
        message_id: message_id(sandbox, &number, true),
        number: number.clone(),
        is_by_number,
        echo: good.echo.clone(),
        template_category: good.template_category,
        in_window: good.in_window,
        auto_read: sandbox.0.settings.auto_read,
    };
    let bubble = Bubble {
        id: planned.message_id.clone(),
        at_ms: now.as_ms(),
        side: Side::Office,
        channel: "whatsapp",
        account: account_id.to_owned(),
        kind: content.kind,
        header: content.header,
        text: content.text,
        footer: content.footer,
        buttons: content.buttons,
        menu: content.menu,
        file: content.file,
        mark: Mark::Accepted,
        error_code: None,
        echo: good.echo,
        is_by_number,
    };
    memory.phones.show(&number, bubble, now);
    if let Some(phone) = memory.phones.get_mut(&number) {
        phone.paired_until.insert(account_id.to_owned(), good.used_until);
        phone.is_stranger = (phone.is_stranger || is_new) && is_stranger;
    }
    let presence = memory.phones.get(&number).map(|phone| phone.whatsapp).unwrap_or_default();
    let mut course = Course::plan(memory, &[number.as_str(), good.user_id.as_str()], now, planned);
    match presence {
        Presence::Online => {}
        // The one tick: taken by the provider, and nothing more.
        Presence::Offline => course.fate.steps.retain(|step| *step == Step::Sent),
        // Meta takes such a message as well and says so later.
        Presence::Missing => course.fate.steps = vec![Step::Failed { code: Some(131_026) }],
    }
    course
}

/// The number and user id of the phone a request is for; the id is empty while it is new.
fn recipient(
    memory: &Memory,
    account: &WhatsappAccount,
    to: &To,
) -> Result<(String, String), Refusal> {
    match to {
        To::Number { digits, .. } if *digits == account.digits() => {
            Err(Refusal::new(131_021, "Recipient is the sender."))
        }
        To::Number { digits, .. } => {
            let known = memory.phones.get(digits);
            Ok((digits.clone(), known.map(|phone| phone.user_id.clone()).unwrap_or_default()))
        }
        To::User(user_id) => match memory.phones.find(user_id) {
            Some(phone) => Ok((phone.number.clone(), user_id.clone())),
            None => Err(Refusal::new(131_026, "Unknown user id.")),
        },
    }
}

/// Up to when the allowance towards one citizen is used, with one more message.
fn pair_rate(used_until: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let used_ms = used_until.unwrap_or(now).max(now).as_ms() + PAIR_MS;
    let too_much_ms = used_ms - now.as_ms() - PAIR_BURST * PAIR_MS;
    if too_much_ms > 0 {
        let details = "Too many messages from this number to the same recipient.";
        let wait = u64::try_from(too_much_ms).unwrap_or(0).div_ceil(1_000);
        return Err(Refusal::new(131_056, details).after(Some(wait)));
    }
    Ok(Timestamp::from_ms(used_ms))
}

/// A fault that keeps a good request from being accepted.
fn refusing_fault(
    sandbox: &Sandbox,
    memory: &mut Memory,
    owner: &[&str],
    now: Timestamp,
) -> Option<Verdict> {
    if sandbox.is_full() {
        return Some(Verdict::Refused(Refusal::new(130_429, "Too much waits already.")));
    }
    let faults = &mut memory.faults;
    if faults.strike(FaultKind::Throttle, "whatsapp", owner, now).is_some() {
        let left = faults.seconds_left(FaultKind::Throttle, now);
        let refusal = Refusal::new(130_429, "Cloud API message throughput has been reached.");
        return Some(Verdict::Refused(refusal.after(left)));
    }
    if faults.strike(FaultKind::PairLimit, "whatsapp", owner, now).is_some() {
        let details = "Too many messages from this number to the same recipient.";
        let left = faults.seconds_left(FaultKind::PairLimit, now);
        return Some(Verdict::Refused(Refusal::new(131_056, details).after(left)));
    }
    if let Some(fault) = faults.strike(FaultKind::Refuse, "whatsapp", owner, now) {
        let code = fault.code.unwrap_or(131_047);
        return Some(Verdict::Refused(Refusal::new(code, "Refused on request.")));
    }
    let fault = faults.strike(FaultKind::NotJson, "whatsapp", owner, now)?;
    Some(Verdict::NotJson(fault.status.unwrap_or(502)))
}
