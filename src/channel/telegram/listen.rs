//! What the bot has to do besides sending: tell Telegram where updates go, fetch them where there
//! is no public address, and acknowledge pressed buttons.
//!
//! Runs in the one process that sends for the bot. An update is confirmed to Telegram, by asking
//! for the next one, only after it was stored. Never asks in a tight loop, whatever comes back.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::Value;
use teloxide::payloads::{
    AnswerCallbackQuery, DeleteWebhook, SetMyCommands, SetWebhook, SetWebhookSetters as _,
};
use teloxide::requests::Payload;
use teloxide::types::{AllowedUpdate, BotCommand, CallbackQueryId};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::client::{Mode, TelegramClient};
use super::{Failure, call, codes, webhook};
use crate::channel::{RawEvent, SendError, Sink};

/// What we want to hear of. Telegram leaves the rest out.
const KINDS: [AllowedUpdate; 3] =
    [AllowedUpdate::Message, AllowedUpdate::CallbackQuery, AllowedUpdate::MyChatMember];
/// How long Telegram holds a question for updates open when there are none.
const POLL: Duration = Duration::from_secs(25);
/// Updates in one answer, at most (Bot API, getUpdates).
const MAX_UPDATES: u8 = 100;
/// The first wait after something went wrong; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest of these waits.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How often the webhook is set again: Telegram removes one that answers 410 for a day, and
/// whoever knows the token may set another.
const SET_AGAIN: Duration = Duration::from_secs(3600);
/// How long acknowledging a button may take; it is only looks.
const ACKNOWLEDGE: Duration = Duration::from_secs(5);

/// getUpdates, with the updates as they come: teloxide's own keeps nothing of those it cannot read
/// in full.
#[derive(Serialize)]
struct FetchUpdates {
    offset: i64,
    limit: u8,
    timeout: u64,
    allowed_updates: [AllowedUpdate; 3],
}

impl Payload for FetchUpdates {
    type Output = Value;

    const NAME: &'static str = "GetUpdates";
}

/// Growing waits.
struct Waits(Duration);

impl Waits {
    const fn new() -> Self {
        Self(FIRST_WAIT)
    }

    /// Waits, at least as long as asked for.
    async fn rest(&mut self, asked: Option<Duration>) {
        sleep(self.0.max(asked.unwrap_or_default())).await;
        self.0 = (self.0 * 2).min(MAX_WAIT);
    }
}

/// See the head of the file. Returns at once when stopped: nothing here has to be finished.
pub(super) async fn run(client: &TelegramClient, sink: &dyn Sink, stop: &CancellationToken) {
    let work = async { tokio::join!(updates(client, sink), acknowledge(client)) };
    stop.run_until_cancelled(work).await;
}

async fn updates(client: &TelegramClient, sink: &dyn Sink) {
    let mut offset = 0;
    loop {
        set_up(client).await;
        match client.mode {
            Mode::Webhook => sleep(SET_AGAIN).await,
            Mode::Polling => poll(client, sink, &mut offset).await,
        }
    }
}

/// Tries until Telegram knows where updates go and what the bot's menu holds, and we its name.
async fn set_up(client: &TelegramClient) {
    if client.mode == Mode::Webhook && client.hook_url.is_empty() {
        tracing::error!(
            "no updates of Telegram will come: server.public_url is empty; give it, or set \
             mode = \"polling\" for this account"
        );
        return;
    }
    let mut waits = Waits::new();
    while let Err(error) = try_set_up(client).await {
        tracing::warn!("the Telegram bot could not be set up, trying again: {error}");
        waits.rest(wait_of(&error)).await;
    }
}

async fn try_set_up(client: &TelegramClient) -> Result<(), SendError> {
    let bot = client.bot()?;
    client.introduce().await?;
    let meant = |no: Failure| codes::classify(&no);
    match client.mode {
        Mode::Webhook => {
            let url = client.hook_url.parse().map_err(|_| {
                SendError::Misconfigured(crate::channel::Fault::new(
                    "public_url",
                    "server.public_url is no address",
                ))
            })?;
            let mut request = SetWebhook::new(url).allowed_updates(KINDS);
            if let Some(secret) = &client.secret {
                request = request.secret_token(secret.expose_secret());
            }
            call::call(bot, request, client.timeout).await.map_err(meant)?;
        }
        Mode::Polling => {
            call::call(bot, DeleteWebhook::new(), client.timeout).await.map_err(meant)?;
        }
    }
    if client.commands.is_empty() {
        return Ok(());
    }
    let commands = client.commands.iter().map(|(word, text)| BotCommand::new(word, text));
    call::call(bot, SetMyCommands::new(commands), client.timeout).await.map_err(meant)?;
    Ok(())
}

/// Asks for updates until the set-up has to be made again.
async fn poll(client: &TelegramClient, sink: &dyn Sink, offset: &mut i64) {
    let mut waits = Waits::new();
    loop {
        let asked_at = Instant::now();
        match fetch(client, *offset).await {
            Ok(updates) => match take(client, sink, updates, offset).await {
                Progress::Confirmed => waits = Waits::new(),
                // Nothing new: Telegram has waited in our place, unless the answer came at once.
                Progress::None if asked_at.elapsed() >= FIRST_WAIT => waits = Waits::new(),
                Progress::None | Progress::NotStored => waits.rest(None).await,
            },
            Err(error) => {
                tracing::warn!("Telegram gave no updates, asking again: {error}");
                waits.rest(wait_of(&error)).await;
                if error.fault().code == "409" {
                    // Somebody set a webhook, or asks as well; ours is set up anew.
                    return;
                }
            }
        }
    }
}

async fn fetch(client: &TelegramClient, offset: i64) -> Result<Vec<Value>, SendError> {
    let request = FetchUpdates {
        offset,
        limit: MAX_UPDATES,
        timeout: POLL.as_secs(),
        allowed_updates: KINDS,
    };
    match call::call(client.bot()?, request, POLL + client.timeout).await {
        Ok(Value::Array(updates)) => Ok(updates),
        Ok(_) => Err(codes::classify(&Failure::Unreadable(200))),
        Err(no) => Err(codes::classify(&no)),
    }
}

/// How far an answer brought us.
enum Progress {
    /// Its updates are stored, and the next question confirms them.
    Confirmed,
    /// There was nothing in it that could be confirmed.
    None,
    /// They could not be stored; Telegram keeps them.
    NotStored,
}

async fn take(
    client: &TelegramClient,
    sink: &dyn Sink,
    updates: Vec<Value>,
    offset: &mut i64,
) -> Progress {
    let last = updates.iter().filter_map(|update| update["update_id"].as_i64()).max();
    let now = client.clock.now();
    let (events, presses): (Vec<RawEvent>, Vec<Option<String>>) =
        updates.into_iter().map(|update| webhook::event(update, now)).unzip();
    if !events.is_empty() && sink.store(events).await.is_err() {
        return Progress::NotStored;
    }
    for id in presses.into_iter().flatten() {
        // A full queue drops it: a button that keeps turning for a while is no loss.
        let _ = client.pressed.try_send(id);
    }
    match last.map(|last| last.saturating_add(1)) {
        // Not only onwards: after a quiet week Telegram starts at a new id (Bot API, Update).
        Some(next) if next != *offset => {
            *offset = next;
            Progress::Confirmed
        }
        _ => Progress::None,
    }
}

/// Ends the turning of pressed buttons. What fails is not tried again: the citizen has the answer.
async fn acknowledge(client: &TelegramClient) {
    let Ok(bot) = client.bot() else { return };
    let mut presses = client.presses.lock().await;
    while let Some(id) = presses.recv().await {
        let request = AnswerCallbackQuery::new(CallbackQueryId(id));
        if let Err(no) = call::call(bot, request, ACKNOWLEDGE).await {
            tracing::debug!("a pressed button was not acknowledged: {}", codes::classify(&no));
        }
    }
}

/// The wait Telegram asks for.
const fn wait_of(error: &SendError) -> Option<Duration> {
    match error {
        SendError::Retry { after, .. } => *after,
        _ => None,
    }
}
