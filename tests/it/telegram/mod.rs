//! Telegram from our side of the wire to the phone and back: the real adapter against the bot API
//! the sandbox plays.

mod send;
mod update;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kabar::channel::telegram::{Mode, TelegramClient, TelegramSettings};
use kabar::channel::{
    Channel as _, Event, Form, HookRequest, InboundBody, NotStored, Outbound, RawEvent, Scope,
    SendError, Shared, Sink,
};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::consent::Lesson;
use kabar::domain::id::IdSource;
use kabar::domain::message::MessageText;
use kabar::domain::outbound::{ChatId, Choice, Recipient, SHARE_PHONE};
use kabar::sandbox::{self, Bot, Counterpart, Input, Mark, Sandbox, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

const TOKEN: &str = "7000000001:rahasia-AAAA_bbbb-1234";
const SECRET: &str = "kunci_kait-1";
const SITI: &str = "6281200000001";
/// No wait of these tests comes near it; what does hangs.
const HANG: Duration = Duration::from_secs(8);

/// What came in, and how often it must first be turned away.
struct Store {
    events: Mutex<Vec<RawEvent>>,
    refusals: Mutex<usize>,
    /// Calls so far, refused ones included.
    calls: watch::Sender<usize>,
}

impl Store {
    fn new(refusals: usize) -> Arc<Self> {
        let (events, refusals) = (Mutex::default(), Mutex::new(refusals));
        Arc::new(Self { events, refusals, calls: watch::Sender::new(0) })
    }

    fn take(&self, events: Vec<RawEvent>) -> Result<(), NotStored> {
        let mut refusals = self.refusals.lock().unwrap();
        let answer = if *refusals > 0 {
            *refusals -= 1;
            Err(NotStored)
        } else {
            self.events.lock().unwrap().extend(events);
            Ok(())
        };
        self.calls.send_modify(|calls| *calls += 1);
        answer
    }

    async fn wait_for_calls(&self, count: usize) {
        in_time(self.calls.subscribe().wait_for(|calls| *calls >= count)).await.unwrap();
    }

    /// All events there are once there are so many.
    async fn events(&self, client: &TelegramClient, count: usize) -> Vec<Event> {
        let enough = || self.events.lock().unwrap().len() >= count;
        in_time(self.calls.subscribe().wait_for(|_| enough())).await.unwrap();
        let events = self.events.lock().unwrap();
        events.iter().map(|event| client.read(&event.payload)).collect()
    }

    fn keys(&self) -> Vec<String> {
        self.events.lock().unwrap().iter().map(|event| event.key.clone()).collect()
    }
}

#[async_trait]
impl Sink for Store {
    async fn store(&self, events: Vec<RawEvent>) -> Result<(), NotStored> {
        self.take(events)
    }
}

async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// A bot of ours and the Telegram it talks to.
struct Bench {
    sandbox: Sandbox,
    client: Arc<TelegramClient>,
    api: String,
    http: reqwest::Client,
    stop: CancellationToken,
    _end: DropGuard,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(|_, _| ()).await
    }

    async fn start_with(change: impl FnOnce(&mut Shared, &mut TelegramSettings)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut settings = Settings::new(Vec::new(), Arc::new(SystemClock));
        settings.others = vec![Counterpart::Telegram(Bot {
            id: "bot-1".to_owned(),
            label: "Kabar Contoh".to_owned(),
            token: TOKEN.to_owned(),
            username: "kabar_contoh_bot".to_owned(),
        })];
        settings.pace = Duration::ZERO;
        settings.redelivery = Duration::from_millis(1);
        let sandbox = Sandbox::new(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}/telegram", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(sandbox::serve(listener, sandbox.clone(), stop.clone().cancelled_owned()));
        let mut shared = Shared {
            http: reqwest::Client::new(),
            timeout: Duration::from_secs(3600),
            list_button: "Pilih".to_owned(),
            hook_url: String::new(),
            clock: Arc::new(SystemClock),
        };
        let mut settings = TelegramSettings {
            api_url: api.clone(),
            bot_token: TOKEN.to_owned().into(),
            mode: Mode::Polling,
            webhook_secret: None,
            username: String::new(),
            commands: vec![("status".to_owned(), "Cek keadaan KTP-el".to_owned())],
        };
        change(&mut shared, &mut settings);
        let client = Arc::new(TelegramClient::new(&shared, settings));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, client, api, http, stop: stop.clone(), _end: stop.drop_guard() }
    }

    fn fault(&self, fault: Value) {
        self.sandbox.set_faults(vec![serde_json::from_value(fault).unwrap()]);
    }

    fn does(&self, input: Input) -> String {
        self.sandbox.write(SITI, Some("bot-1"), input).unwrap()
    }

    fn writes(&self, text: &str) -> String {
        self.does(Input::Text(text.to_owned()))
    }

    fn presses(&self, button: &str) -> String {
        self.does(Input::Press { button_id: button.to_owned(), message_id: None })
    }

    /// Siti's chat, as the bot gets to know it when she starts it.
    async fn siti(&self) -> Recipient {
        self.writes("/start");
        let found = self.call("getUpdates", &json!({})).await;
        let chat = found["result"][0]["message"]["chat"]["id"].as_i64().unwrap();
        let next = found["result"][0]["update_id"].as_i64().unwrap() + 1;
        self.call("getUpdates", &json!({ "offset": next })).await;
        Recipient { chat: ChatId::new(chat), ..Recipient::default() }
    }

    /// A call of the API past our adapter.
    async fn call(&self, method: &str, args: &Value) -> Value {
        let url = format!("{}/bot{TOKEN}/{method}", self.api);
        self.http.post(url).json(args).send().await.unwrap().json().await.unwrap()
    }

    async fn sends(&self, to: &Recipient, text: &str) -> Result<String, SendError> {
        let message = message(to, text, &[]);
        in_time(self.client.send(&message)).await.map(|accepted| accepted.provider_message_id)
    }

    /// Listens until the bench goes.
    fn listen(&self, store: &Arc<Store>) -> tokio::task::JoinHandle<()> {
        let (client, store) = (Arc::clone(&self.client), Arc::clone(store));
        let stop = self.stop.child_token();
        tokio::spawn(async move { client.listen(store, stop).await })
    }

    /// Waits until the message has come so far.
    async fn marked(&self, id: &str, mark: Mark) {
        let is_there = || {
            let phone = self.sandbox.phone(SITI).unwrap();
            phone.bubble(id).is_some_and(|bubble| bubble.mark >= mark)
        };
        in_time(async {
            while !is_there() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn message(to: &Recipient, text: &str, choices: &[(&str, &str)]) -> Outbound {
    let choices = choices
        .iter()
        .map(|(id, title)| Choice { id: (*id).to_owned(), title: (*title).to_owned() })
        .collect();
    Outbound {
        id: IdSource::default().next(SystemClock.now()),
        to: to.clone(),
        form: Form::Free { text: MessageText::new(text), choices },
        list_button: None,
        valid_until: None,
    }
}

fn stranger() -> Recipient {
    Recipient { chat: ChatId::new(4_100_000_000_000_000), ..Recipient::default() }
}
