//! Sends through the Bot API and says whether the bot works.
//!
//! One call is one request. Whether a request that brought no clear answer may be repeated is not
//! decided here: it is reported as unknown. The token never leaves this adapter, not in an error,
//! not in a line of the log.

use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use teloxide::Bot;
use teloxide::payloads::GetMe;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use super::call::{bot, call, call_with_file};
use super::letter::Letter;
use super::{codes, letter, listen, webhook};
use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound, Scope,
    SendError, Shared, Sink,
};
use crate::domain::clock::{Clock, Timestamp};

/// About one message a second to one person; short bursts are let through (Telegram, Bots FAQ).
const PAIR_RATE: (Duration, u32) = (Duration::from_secs(1), 3);
/// How long ten megabytes may take on a village's line.
const WITH_FILE: Duration = Duration::from_secs(120);
/// Two chats refused within it mean that the whole bot is too fast.
const FLOOD: Duration = Duration::from_secs(10);
/// Pressed buttons that wait to be acknowledged, at most.
const MAX_PRESSES: usize = 256;

/// How a bot's updates reach us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Telegram posts them to our public address.
    #[default]
    Webhook,
    /// We ask for them, where there is no public address.
    Polling,
}

/// A bot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelegramSettings {
    /// Address of the Bot API, `https://api.telegram.org`.
    pub api_url: String,
    /// The token `BotFather` gave.
    pub bot_token: SecretString,
    /// Whether Telegram calls us or we ask it.
    #[serde(default)]
    pub mode: Mode,
    /// Proves that a webhook comes from Telegram: 1–256 of `A-Z a-z 0-9 _ -`.
    #[serde(default)]
    pub webhook_secret: Option<SecretString>,
    /// Its name without `@`, for the addresses that open a chat with it. Where it is not given, only
    /// the process that listens learns it from Telegram.
    #[serde(default)]
    pub username: String,
    /// What stands in the bot's menu: a word, and what it is for. Not configured, but a text that
    /// citizens read.
    #[serde(skip)]
    pub commands: Vec<(String, String)>,
}

impl TelegramSettings {
    /// Whether the parts fit together.
    ///
    /// # Errors
    /// The key that is wrong, and what to do.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let is_secret = |secret: &SecretString| {
            let secret = secret.expose_secret();
            (1..=256).contains(&secret.len())
                && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        };
        if !self.username.is_empty() && !is_name(&self.username) {
            return Err(("username", "the bot's name without @: letters, digits, underscores"));
        }
        match (&self.webhook_secret, self.mode) {
            (None, Mode::Webhook) => {
                Err(("webhook_secret", "a secret of your own, or mode = \"polling\""))
            }
            (Some(secret), _) if !is_secret(secret) => {
                Err(("webhook_secret", "1 to 256 letters, digits, dashes and underscores"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether it can be the name of a user (Telegram, usernames).
fn is_name(name: &str) -> bool {
    (4..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The adapter.
pub struct TelegramClient {
    bot: Option<Bot>,
    username: OnceLock<String>,
    pub(super) mode: Mode,
    pub(super) secret: Option<SecretString>,
    pub(super) commands: Vec<(String, String)>,
    pub(super) hook_url: String,
    pub(super) timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    /// The chat that was last refused for being too fast, and when.
    last_flood: StdMutex<Option<(i64, Timestamp)>>,
    /// Ids of buttons pressed, on their way from the door to whoever acknowledges them. In a process
    /// that does not listen the queue fills up and the rest is dropped.
    pub(super) pressed: mpsc::Sender<String>,
    pub(super) presses: Mutex<mpsc::Receiver<String>>,
}

impl fmt::Debug for TelegramClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bot would print its token.
        f.debug_struct("TelegramClient").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl TelegramClient {
    /// An adapter of that account.
    #[must_use]
    pub fn new(shared: &Shared, settings: TelegramSettings) -> Self {
        let (pressed, queue) = mpsc::channel(MAX_PRESSES);
        let username = OnceLock::new();
        if !settings.username.is_empty() {
            // New, and so still empty.
            let _ = username.set(settings.username);
        }
        Self {
            username,
            bot: bot(&settings.api_url, &settings.bot_token),
            mode: settings.mode,
            secret: settings.webhook_secret,
            commands: settings.commands,
            hook_url: shared.hook_url.clone(),
            timeout: shared.timeout,
            clock: Arc::clone(&shared.clock),
            last_flood: StdMutex::default(),
            pressed,
            presses: Mutex::new(queue),
        }
    }

    /// Asks Telegram who the bot is, and remembers its name.
    pub(super) async fn introduce(&self) -> Result<(), SendError> {
        let me = call(self.bot()?, GetMe::new(), self.timeout)
            .await
            .map_err(|no| codes::classify(&no))?;
        match me["username"].as_str().filter(|name| is_name(name)) {
            Some(name) => {
                self.username.get_or_init(|| name.to_owned());
                Ok(())
            }
            None => Err(SendError::Unknown(Fault::new(
                "no_username",
                "Telegram's answer does not name the bot",
            ))),
        }
    }

    /// Decides whether a chat or the whole bot was too fast: the bot is when another chat was
    /// refused just before.
    fn weighed(&self, chat: i64, error: SendError) -> SendError {
        if !matches!(error, SendError::Retry { scope: Scope::Recipient, .. }) {
            return error;
        }
        let now = self.clock.now();
        let mut last = self.last_flood.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace((chat, now));
        match before {
            Some((other, at)) if other != chat && now.since(at) <= FLOOD => {
                codes::of_the_whole_bot(error)
            }
            _ => error,
        }
    }

    pub(super) fn bot(&self) -> Result<&Bot, SendError> {
        self.bot.as_ref().ok_or_else(|| {
            SendError::Misconfigured(Fault::new("api_url", "api_url is no address of a Bot API"))
        })
    }
}

/// The name by which Telegram knows the file of a message; of a picture's sizes the largest.
fn file_id(sent: &Value) -> Option<String> {
    let photo = sent["photo"].as_array().and_then(|sizes| sizes.last());
    let file = photo.unwrap_or(&sent["document"]);
    file["file_id"].as_str().filter(|id| (1..=512).contains(&id.len())).map(str::to_owned)
}

#[async_trait]
impl Channel for TelegramClient {
    fn offer(&self) -> Offer {
        Offer { has_receipts: false, is_two_way: true, pair_rate: Some(PAIR_RATE) }
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        let bot = self.bot()?;
        let (chat, letter) = letter::write(message)?;
        let (answer, rest) = match letter {
            Letter::Words(request) => (call(bot, *request, self.timeout).await, None),
            Letter::Venue(request) => (call(bot, *request, self.timeout).await, None),
            Letter::Photo(request, rest) => (call_with_file(bot, *request, WITH_FILE).await, rest),
            Letter::Document(request, rest) => {
                (call_with_file(bot, *request, WITH_FILE).await, rest)
            }
        };
        let sent = answer.map_err(|no| self.weighed(chat, codes::classify(&no)))?;
        if let Some(rest) = rest
            && let Err(no) = call(bot, *rest, self.timeout).await
        {
            // The picture is there: whatever the reason, nobody sends it a second time.
            let fault = codes::classify(&no).fault().clone();
            return Err(SendError::Unknown(fault));
        }
        match sent["message_id"].as_i64() {
            Some(id) => {
                Ok(Accepted { file: file_id(&sent), ..Accepted::of(format!("{chat}:{id}")) })
            }
            None => Err(SendError::Unknown(Fault::new(
                "no_message_id",
                "Telegram's answer names no message",
            ))),
        }
    }

    async fn probe(&self) -> Result<String, SendError> {
        self.introduce().await?;
        Ok(format!("@{}", self.username.get().map_or("?", String::as_str)))
    }

    fn invitation(&self, code: &str) -> Option<String> {
        // What may stand there (Bot API, deep linking).
        let is_fit = (1..=64).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        let name = self.username.get().filter(|_| is_fit)?;
        Some(format!("https://t.me/{name}?start={code}"))
    }

    fn receive(&self, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        let secret = self.secret.as_ref().map(SecretString::expose_secret);
        let (event, pressed) = webhook::receive(secret, request)?;
        if let Some(id) = pressed {
            // Full means that nobody listens here, or cannot keep up: a button that keeps turning
            // for a while is no loss.
            let _ = self.pressed.try_send(id);
        }
        Ok(HookAnswer::quiet(vec![event]))
    }

    fn read(&self, payload: &str) -> Event {
        webhook::read(payload)
    }

    async fn listen(&self, sink: Arc<dyn Sink>, stop: CancellationToken) {
        listen::run(self, sink.as_ref(), &stop).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn settings() -> TelegramSettings {
        TelegramSettings {
            api_url: "http://127.0.0.1:9".to_owned(),
            bot_token: "123:rahasia-token".to_owned().into(),
            mode: Mode::Polling,
            webhook_secret: Some("rahasia-hook".to_owned().into()),
            username: String::new(),
            commands: Vec::new(),
        }
    }

    fn client(settings: TelegramSettings) -> TelegramClient {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Shared {
            http: reqwest::Client::new(),
            timeout: Duration::from_secs(1),
            list_button: String::new(),
            hook_url: String::new(),
            clock: Arc::new(crate::domain::clock::SystemClock),
        };
        TelegramClient::new(&shared, settings)
    }

    #[test]
    fn the_token_is_in_no_debug_output() {
        let shown = format!("{:?} {:?}", settings(), client(settings()));
        assert!(!shown.contains("rahasia"), "{shown}");
    }

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_ms(self.0.load(Ordering::SeqCst))
        }
    }

    #[test]
    fn the_whole_bot_waits_only_when_another_chat_is_refused_within_ten_seconds() {
        let hand = Arc::new(Hand(AtomicI64::new(0)));
        let client = TelegramClient { clock: hand.clone(), ..client(settings()) };
        let refused = |chat, at_ms| {
            hand.0.store(at_ms, Ordering::SeqCst);
            let after = Some(Duration::from_secs(5));
            let fault = Fault::new("429", "too many messages");
            let error = SendError::Retry { after, scope: Scope::Recipient, fault };
            match client.weighed(chat, error) {
                SendError::Retry { scope, .. } => scope,
                other => panic!("{other}"),
            }
        };
        assert_eq!(refused(1, 0), Scope::Recipient);
        assert_eq!(refused(1, 9_000), Scope::Recipient, "the same chat again");
        assert_eq!(refused(2, 19_000), Scope::Account);
        assert_eq!(refused(1, 29_001), Scope::Recipient, "long after the other");
        let other = SendError::Unknown(Fault::new("timeout", ""));
        assert_eq!(client.weighed(3, other.clone()), other);
        assert_eq!(refused(1, 29_002), Scope::Recipient, "no other chat was refused since");
    }

    #[test]
    fn settings_that_do_not_fit_are_named() {
        let key = |settings: TelegramSettings| settings.check().err().map(|(key, _)| key);
        assert_eq!(key(settings()), None);
        let webhook = TelegramSettings { mode: Mode::Webhook, ..settings() };
        assert_eq!(key(webhook.clone()), None);
        let without = TelegramSettings { webhook_secret: None, ..webhook };
        assert_eq!(key(without), Some("webhook_secret"));
        for secret in ["", "a b", "kunci!", &"x".repeat(257)] {
            let webhook_secret = Some(secret.to_owned().into());
            let odd = TelegramSettings { webhook_secret, ..settings() };
            assert_eq!(key(odd), Some("webhook_secret"), "{secret}");
        }
        let named = TelegramSettings { username: "@kabar_bot".to_owned(), ..settings() };
        assert_eq!(key(named), Some("username"));
    }

    #[test]
    fn an_invitation_carries_a_code_once_the_bot_knows_its_name() {
        let named = TelegramSettings { username: "kabar_contoh_bot".to_owned(), ..settings() };
        let link = client(named.clone()).invitation("K7QX3M9P");
        assert_eq!(link.as_deref(), Some("https://t.me/kabar_contoh_bot?start=K7QX3M9P"));
        assert_eq!(client(settings()).invitation("K7QX3M9P"), None);
        for code in ["", "a b", "a&b=c", &"x".repeat(65)] {
            assert_eq!(client(named.clone()).invitation(code), None, "{code}");
        }
    }
}
