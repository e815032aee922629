//! A bot's desk at Telegram: updates that wait for it, and the one of two ways they leave.
//!
//! With a webhook each is posted until it is taken, a person's in their order; without one they
//! wait for getUpdates, and the next question confirms what came before it. At most 10,000 wait;
//! the oldest make room.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::refusal::Refusal;
use super::{Args, Bot, number, part, text};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::post::Parcel;
use crate::sandbox::{Mark, Sandbox};

/// Updates that wait at one desk.
const MAX_UPDATES: usize = 10_000;
/// Pressed buttons that can still be acknowledged.
const MAX_PRESSES: usize = 1_000;
/// The longest wait of getUpdates.
const MAX_POLL: u64 = 50;
/// The longest wait before an update is posted again.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Where updates are posted.
#[derive(Clone)]
struct Webhook {
    url: String,
    secret: String,
}

/// An update on its way to the bot.
struct Update {
    id: i64,
    number: String,
    /// The citizen's message it tells of.
    message_id: String,
    body: Value,
    /// An errand has it in its hands.
    is_carried: bool,
}

/// A pressed button that is not acknowledged yet.
pub(super) struct Press {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) message_id: String,
}

/// What Telegram keeps for one bot.
pub(super) struct Desk {
    webhook: Option<Webhook>,
    allowed: Vec<String>,
    updates: VecDeque<Update>,
    next_id: i64,
    polls: u64,
    arrived: Arc<watch::Sender<u64>>,
    pub(super) commands: Value,
    pub(super) presses: VecDeque<Press>,
    /// Numbers of people who blocked the bot.
    pub(super) blocked: HashSet<String>,
}

impl Desk {
    fn new(seed: u64) -> Self {
        Self {
            webhook: None,
            allowed: Vec::new(),
            updates: VecDeque::new(),
            // A second start must not give out the ids of the first again.
            next_id: 100_000_000 + i64::try_from(seed % 1_000_000_000).unwrap_or_default(),
            polls: 0,
            arrived: Arc::default(),
            commands: json!([]),
            presses: VecDeque::new(),
            blocked: HashSet::new(),
        }
    }

    /// Wakes whoever waits in getUpdates.
    fn wake(&self) {
        self.arrived.send_modify(|count| *count += 1);
    }

    /// Notes a pressed button.
    pub(super) fn note_press(&mut self, press: Press) {
        self.presses.push_back(press);
        while self.presses.len() > MAX_PRESSES {
            self.presses.pop_front();
        }
    }
}

/// The desks of all bots.
#[derive(Default)]
pub(in crate::sandbox) struct Desks(Mutex<HashMap<String, Desk>>);

impl Desks {
    /// Looks at a bot's desk, or changes it. Nothing else may be locked inside.
    pub(super) fn with<R>(
        &self,
        sandbox: &Sandbox,
        bot: &Bot,
        act: impl FnOnce(&mut Desk) -> R,
    ) -> R {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(desks.entry(bot.id.clone()).or_insert_with(|| Desk::new(sandbox.0.seed)))
    }

    /// How often updates were asked for.
    #[cfg(test)]
    pub(in crate::sandbox) fn polls(&self, sandbox: &Sandbox, bot: &Bot) -> u64 {
        self.with(sandbox, bot, |desk| desk.polls)
    }

    /// Forgets what people did; webhooks and menus stay.
    pub(in crate::sandbox) fn clear(&self) {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for desk in desks.values_mut() {
            desk.updates.clear();
            desk.presses.clear();
            desk.blocked.clear();
        }
    }
}

/// Leaves an update at the desk, and has it posted if there is a webhook. `kind` is its field, and
/// `body` what stands in it.
pub(super) fn put(
    sandbox: &Sandbox,
    bot: &Bot,
    (number, message_id): (&str, &str),
    (kind, body): (&str, Value),
) {
    let id = sandbox.0.telegram.with(sandbox, bot, |desk| {
        if !desk.allowed.is_empty() && !desk.allowed.iter().any(|allowed| allowed == kind) {
            return None;
        }
        let id = desk.next_id;
        desk.next_id += 1;
        desk.updates.push_back(Update {
            id,
            number: number.to_owned(),
            message_id: message_id.to_owned(),
            body: json!({ "update_id": id, kind: body }),
            is_carried: desk.webhook.is_some(),
        });
        while desk.updates.len() > MAX_UPDATES {
            desk.updates.pop_front();
        }
        desk.wake();
        desk.webhook.is_some().then_some(id)
    });
    if let Some(id) = id {
        carry(sandbox, bot, number, id);
    }
}

/// Has an update posted behind those of the same person.
fn carry(sandbox: &Sandbox, bot: &Bot, number: &str, id: i64) {
    let line = sandbox.look(|memory| memory.phones.get(number).map(|phone| phone.line.clone()));
    let (own, bot) = (sandbox.clone(), bot.clone());
    sandbox.later(async move {
        let line = line.unwrap_or_default();
        let _in_order = line.lock().await;
        bring(&own, &bot, id).await;
    });
}

/// Posts an update until it is taken, or until the webhook is gone: then it waits to be asked for.
async fn bring(sandbox: &Sandbox, bot: &Bot, id: i64) {
    // Zero would ask a broken receiver without pause.
    let mut wait = sandbox.0.settings.redelivery.max(Duration::from_millis(1));
    while !sandbox.0.closing.is_cancelled() {
        let Some(parcel) = parcel(sandbox, bot, id) else { return };
        if sandbox.0.post.post(&parcel).await {
            let now = sandbox.now();
            let again = sandbox.change(|memory| {
                memory.faults.strike(FaultKind::DuplicateWebhook, "telegram", &[], now)
            });
            if again.is_some() {
                sandbox.0.post.post(&parcel).await;
            }
            return confirm(sandbox, bot, |update| update.id == id);
        }
        sandbox.pause(wait).await;
        wait = (wait * 2).min(MAX_WAIT);
    }
}

/// The update as it is posted; nothing when it, or the webhook, is gone.
fn parcel(sandbox: &Sandbox, bot: &Bot, id: i64) -> Option<Parcel> {
    sandbox.0.telegram.with(sandbox, bot, |desk| {
        let update = desk.updates.iter_mut().find(|update| update.id == id)?;
        let Some(webhook) = &desk.webhook else {
            update.is_carried = false;
            desk.wake();
            return None;
        };
        let proof = ("x-telegram-bot-api-secret-token", webhook.secret.clone());
        let mut parcel =
            Parcel::json(webhook.url.clone(), proof, update.body.to_string().into_bytes());
        if webhook.secret.is_empty() {
            parcel.headers.truncate(1);
        }
        Some(parcel)
    })
}

/// Takes updates away, and shows on the phones that they arrived.
fn confirm(sandbox: &Sandbox, bot: &Bot, is_confirmed: impl Fn(&Update) -> bool) {
    let gone = sandbox.0.telegram.with(sandbox, bot, |desk| {
        let (gone, left): (VecDeque<Update>, VecDeque<Update>) =
            std::mem::take(&mut desk.updates).into_iter().partition(|update| is_confirmed(update));
        desk.updates = left;
        gone
    });
    if gone.is_empty() {
        return;
    }
    sandbox.change(|memory| {
        for update in gone {
            memory.phones.mark(&update.number, &update.message_id, Mark::Delivered, None);
        }
    });
}

/// Which kinds of updates the bot wants; absent means no change.
fn allowed(args: &Args) -> Result<Option<Vec<String>>, Refusal> {
    match part(args, "allowed_updates")? {
        Value::Null => Ok(None),
        Value::Array(kinds) => {
            Ok(Some(kinds.iter().take(100).filter_map(Value::as_str).map(str::to_owned).collect()))
        }
        _ => Err(Refusal::bad_request("can't parse allowed_updates JSON object")),
    }
}

/// Telegram posts to HTTPS only; on this machine HTTP will do.
fn is_postable(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let is_local = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_local,
        _ => false,
    }
}

pub(super) fn set_webhook(sandbox: &Sandbox, bot: &Bot, args: &Args) -> Result<Value, Refusal> {
    let url = text(args, "url").into_owned();
    if url.is_empty() {
        return Ok(delete_webhook(sandbox, bot, args));
    }
    if !is_postable(&url) {
        let reason = "bad webhook: HTTPS url must be provided for webhook";
        return Err(Refusal::bad_request(reason));
    }
    let secret = text(args, "secret_token").into_owned();
    if secret.len() > 256 {
        return Err(Refusal::bad_request("secret token is too long"));
    }
    if !secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) {
        return Err(Refusal::bad_request("secret token contains unallowed characters"));
    }
    let allowed = allowed(args)?;
    let waiting: Vec<(i64, String)> = sandbox.0.telegram.with(sandbox, bot, |desk| {
        desk.webhook = Some(Webhook { url, secret });
        if let Some(allowed) = allowed {
            desk.allowed = allowed;
        }
        drop_pending(desk, args);
        // Whoever waits in getUpdates is told.
        desk.wake();
        let waiting = desk.updates.iter_mut().filter(|update| !update.is_carried);
        waiting
            .map(|update| {
                update.is_carried = true;
                (update.id, update.number.clone())
            })
            .collect()
    });
    for (id, number) in waiting {
        carry(sandbox, bot, &number, id);
    }
    Ok(true.into())
}

fn drop_pending(desk: &mut Desk, args: &Args) {
    if text(args, "drop_pending_updates") == "true" {
        desk.updates.clear();
    }
}

pub(super) fn delete_webhook(sandbox: &Sandbox, bot: &Bot, args: &Args) -> Value {
    sandbox.0.telegram.with(sandbox, bot, |desk| {
        desk.webhook = None;
        drop_pending(desk, args);
    });
    true.into()
}

pub(super) fn webhook_info(sandbox: &Sandbox, bot: &Bot) -> Value {
    sandbox.0.telegram.with(sandbox, bot, |desk| {
        let url = desk.webhook.as_ref().map(|webhook| webhook.url.clone()).unwrap_or_default();
        let mut info = json!({ "url": url, "has_custom_certificate": false,
            "pending_update_count": desk.updates.len(), "max_connections": 40 });
        if !desk.allowed.is_empty() {
            info["allowed_updates"] = desk.allowed.clone().into();
        }
        info
    })
}

/// Answers with what waits, or waits for it. The offset confirms all that came before it.
pub(super) async fn updates(sandbox: &Sandbox, bot: &Bot, args: &Args) -> Result<Value, Refusal> {
    let with_webhook = || {
        Refusal::new(
            409,
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete \
             the webhook first",
        )
    };
    let limit = number(args, "limit").unwrap_or(100).clamp(1, 100);
    let limit = usize::try_from(limit).unwrap_or(1);
    let wait = number(args, "timeout").and_then(|seconds| u64::try_from(seconds).ok());
    let wait = Duration::from_secs(wait.unwrap_or(0).min(MAX_POLL));
    let allowed = allowed(args)?;
    let (mut arrived, poll) = sandbox.0.telegram.with(sandbox, bot, |desk| {
        if let Some(allowed) = allowed {
            desk.allowed = allowed;
        }
        desk.polls += 1;
        // Whoever else waits is sent away.
        desk.wake();
        (desk.arrived.subscribe(), desk.polls)
    });
    let offset = number(args, "offset").unwrap_or(0);
    let has_webhook = |desk: &mut Desk| desk.webhook.is_some();
    if sandbox.0.telegram.with(sandbox, bot, has_webhook) {
        return Err(with_webhook());
    }
    confirm(sandbox, bot, |update| update.id < offset);
    let look = |desk: &mut Desk| {
        if desk.webhook.is_some() {
            return Some(Err(with_webhook()));
        }
        if desk.polls != poll {
            let reason = "terminated by other getUpdates request; make sure that only one bot \
                          instance is running";
            return Some(Err(Refusal::new(409, reason)));
        }
        let waiting = desk.updates.iter().filter(|update| !update.is_carried);
        let found: Vec<Value> = waiting.take(limit).map(|update| update.body.clone()).collect();
        (!found.is_empty()).then(|| Ok(found.into()))
    };
    let found = async {
        loop {
            arrived.mark_unchanged();
            if let Some(found) = sandbox.0.telegram.with(sandbox, bot, look) {
                return found;
            }
            // The desk keeps the sender.
            if arrived.changed().await.is_err() {
                return Ok(json!([]));
            }
        }
    };
    tokio::select! {
        biased;
        found = found => found,
        () = sandbox.pause(wait.max(Duration::from_millis(1))) => Ok(json!([])),
    }
}
