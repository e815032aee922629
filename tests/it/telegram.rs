//! Telegram from our side of the wire to the phone and back: the real adapter against the bot API
//! the sandbox plays.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::post;
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
    }
}

fn stranger() -> Recipient {
    Recipient { chat: ChatId::new(4_100_000_000_000_000), ..Recipient::default() }
}

#[tokio::test]
async fn a_message_stands_on_the_phone_with_its_buttons_under_the_id_we_are_told() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let message = message(&siti, "KTP-el *Anda* sudah jadi.", &[("do:status", "Cek status")]);
    let accepted = in_time(bench.client.send(&message)).await.unwrap();
    let chat = siti.chat.unwrap().expose();
    assert!(accepted.provider_message_id.starts_with(&format!("{chat}:")));
    let phone = bench.sandbox.phone(SITI).unwrap();
    let bubble = phone.bubble(&accepted.provider_message_id).unwrap();
    assert_eq!((bubble.text.as_str(), bubble.channel), ("KTP-el *Anda* sudah jadi.", "telegram"));
    assert_eq!(bubble.buttons[0].title, "Cek status");
    let sent = bench.sandbox.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body["link_preview_options"]["is_disabled"], true);
    assert!(sent[0].body.get("parse_mode").is_none());
}

#[tokio::test]
async fn the_longest_text_and_a_longer_one_are_taken() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    for length in [4096, 5000] {
        let id = bench.sends(&siti, &"😀".repeat(length)).await.unwrap();
        let phone = bench.sandbox.phone(SITI).unwrap();
        assert_eq!(phone.bubble(&id).unwrap().text.encode_utf16().count(), 4096);
    }
}

#[tokio::test]
async fn a_bot_finds_out_who_never_started_it_and_who_blocked_it() {
    let bench = Bench::start().await;
    let lesson = async |to: &Recipient| match bench.sends(to, "halo").await {
        Err(SendError::RecipientGone(fault)) => fault.lesson,
        other => panic!("{other:?}"),
    };
    assert_eq!(lesson(&stranger()).await, Some(Lesson::NotReachable));
    let siti = bench.siti().await;
    bench.does(Input::Raw(json!({ "type": "kicked" }).as_object().unwrap().clone()));
    assert_eq!(lesson(&siti).await, Some(Lesson::OptedOut));
    bench.sandbox.reset();
    bench.sandbox.add_phone(SITI, None, false).unwrap();
    // "Forbidden: bot can't initiate conversation with a user", which teloxide does not know.
    assert_eq!(lesson(&siti).await, Some(Lesson::NotReachable));
}

#[tokio::test]
async fn refusals_asked_for_by_status_mean_what_the_status_says() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let refused = async |code: u16| {
        bench.fault(json!({ "kind": "refuse", "code": code, "provider": "telegram" }));
        bench.sends(&siti, "halo").await.unwrap_err()
    };
    assert!(matches!(refused(400).await, SendError::RecipientGone(_)));
    assert!(matches!(refused(401).await, SendError::Misconfigured(_)));
    assert!(matches!(refused(403).await, SendError::RecipientGone(_)));
    assert!(matches!(refused(404).await, SendError::Misconfigured(_)));
    assert!(matches!(refused(429).await, SendError::Retry { after: Some(_), .. }));
    assert!(matches!(refused(500).await, SendError::Unknown(_)));
}

#[tokio::test]
async fn too_fast_means_to_wait_as_long_as_telegram_says() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    bench.fault(json!({ "kind": "throttle", "seconds": 35 }));
    match bench.sends(&siti, "halo").await.unwrap_err() {
        SendError::Retry { after: Some(after), scope: Scope::Account, fault } => {
            assert!((30..=35).contains(&after.as_secs()), "{after:?}");
            assert_eq!(fault.code, "429");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_failed_server_is_unknown_at_once_though_teloxide_would_sleep_on_it() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    for (kind, status) in [("not_json", 502), ("error_after_accept", 500), ("not_json", 503)] {
        bench.fault(json!({ "kind": kind, "status": status }));
        let error = bench.sends(&siti, "halo").await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{error}");
        assert_eq!(error.fault().code, format!("http_{status}"));
    }
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    bench.fault(json!({ "kind": "not_json", "status": 413 }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert!(matches!(error, SendError::Retry { scope: Scope::Account, .. }), "{error}");
    bench.fault(json!({ "kind": "not_json", "status": 200 }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert!(matches!(error, SendError::Unknown(_)), "{error}");
    bench.fault(json!({ "kind": "hang_up" }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert_eq!((error.word(), error.fault().code.as_str()), ("unknown", "no_answer"));
    assert_eq!(bench.sandbox.sent().len(), 3, "each was one request");
}

#[tokio::test]
async fn a_slow_answer_is_unknown_when_the_time_is_over_and_taken_before() {
    let bench = Bench::start_with(|shared, _| shared.timeout = Duration::from_millis(50)).await;
    let siti = bench.siti().await;
    bench.fault(json!({ "kind": "slow", "seconds": 60 }));
    let error = bench.sends(&siti, "halo").await.unwrap_err();
    assert_eq!((error.word(), error.fault().code.as_str()), ("unknown", "timeout"));
    let patient = Bench::start().await;
    let siti = patient.siti().await;
    patient.fault(json!({ "kind": "slow", "seconds": 1 }));
    patient.sends(&siti, "halo").await.unwrap();
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_address_say_so_without_the_token() {
    let wrong = Bench::start_with(|_, settings| {
        settings.bot_token = "7000000009:rahasia-lain".to_owned().into();
    })
    .await;
    let refused = wrong.sends(&stranger(), "halo").await.unwrap_err();
    assert!(matches!(refused, SendError::Misconfigured(_)), "{refused}");
    let nowhere = Bench::start_with(|_, settings| {
        settings.api_url = "http://127.0.0.1:9/".to_owned();
    })
    .await;
    let unreached = nowhere.sends(&stranger(), "halo").await.unwrap_err();
    assert!(matches!(unreached, SendError::Retry { scope: Scope::Account, .. }), "{unreached}");
    let broken = Bench::start_with(|_, settings| {
        settings.api_url = "http://[::1".to_owned();
    })
    .await;
    let not_made = broken.client.probe().await.unwrap_err();
    assert!(matches!(not_made, SendError::Misconfigured(_)), "{not_made}");
    for error in [refused, unreached, not_made] {
        assert!(!format!("{error} {error:?}").contains("rahasia"), "{error:?}");
    }
}

#[tokio::test]
async fn a_probe_gives_the_bots_name_and_sends_nothing() {
    let bench = Bench::start().await;
    assert_eq!(bench.client.invitation("K7QX3M9P"), None);
    assert_eq!(in_time(bench.client.probe()).await.unwrap(), "@kabar_contoh_bot");
    let link = bench.client.invitation("K7QX3M9P").unwrap();
    assert_eq!(link, "https://t.me/kabar_contoh_bot?start=K7QX3M9P");
    assert_eq!(bench.sandbox.sent().len(), 0);
}

#[tokio::test]
async fn updates_are_confirmed_only_after_they_are_stored() {
    let bench = Bench::start().await;
    let store = Store::new(1);
    bench.writes("/start");
    bench.writes("ktp saya?");
    let listening = bench.listen(&store);
    store.wait_for_calls(1).await;
    let waiting = bench.call("getWebhookInfo", &json!({})).await;
    assert_eq!(waiting["result"]["pending_update_count"], 2, "not stored, not confirmed");
    assert_eq!(store.keys().len(), 0);
    let events = store.events(&bench.client, 2).await;
    let texts: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Message(inbound) => inbound.body.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let text = |text| InboundBody::Text(MessageText::new(text));
    assert_eq!(texts, [text("/start"), text("ktp saya?")]);
    let last = bench.writes("terima kasih");
    store.events(&bench.client, 3).await;
    bench.marked(&last, Mark::Delivered).await;
    let keys = store.keys();
    assert_eq!(keys.len(), 3, "none came twice: {keys:?}");
    bench.stop.cancel();
    in_time(listening).await.unwrap();
}

#[tokio::test]
async fn a_long_poll_ends_at_once_when_told_to_stop() {
    let bench = Bench::start().await;
    let store = Store::new(0);
    let stop = CancellationToken::new();
    let (client, sink) = (Arc::clone(&bench.client), Arc::clone(&store));
    let own = stop.clone();
    let listening = tokio::spawn(async move { client.listen(sink, own).await });
    bench.writes("/start");
    store.events(&bench.client, 1).await;
    stop.cancel();
    in_time(listening).await.unwrap();
}

#[tokio::test]
async fn a_pressed_button_arrives_as_a_choice_and_stops_turning() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let store = Store::new(0);
    bench.listen(&store);
    let message = message(&siti, "Pilih", &[("do:status", "Cek status"), ("do:menu", "Menu")]);
    in_time(bench.client.send(&message)).await.unwrap();
    let press = bench.presses("do:menu");
    let events = store.events(&bench.client, 1).await;
    let Event::Message(inbound) = &events[0] else { panic!("{events:?}") };
    assert_eq!(inbound.from, siti);
    let title = MessageText::new("Menu");
    assert_eq!(inbound.body, InboundBody::Choice { id: "do:menu".to_owned(), title });
    bench.marked(&press, Mark::Read).await;
}

#[tokio::test]
async fn a_shared_number_is_proof_and_blocking_is_an_opt_out() {
    let bench = Bench::start().await;
    let siti = bench.siti().await;
    let store = Store::new(0);
    bench.listen(&store);
    let question = message(&siti, "Nomor?", &[(SHARE_PHONE, "Bagikan nomor"), ("x", "Nanti")]);
    in_time(bench.client.send(&question)).await.unwrap();
    bench.presses(SHARE_PHONE);
    let events = store.events(&bench.client, 1).await;
    let Event::Phone(proof) = &events[0] else { panic!("{events:?}") };
    assert_eq!((&proof.from, proof.phone.expose()), (&siti, "+6281200000001"));
    bench.presses("Nanti");
    let events = store.events(&bench.client, 2).await;
    let Event::Message(inbound) = &events[1] else { panic!("{events:?}") };
    assert_eq!(inbound.body, InboundBody::Text(MessageText::new("Nanti")));
    bench.does(Input::Raw(json!({ "type": "kicked" }).as_object().unwrap().clone()));
    bench.writes("halo lagi");
    let events = store.events(&bench.client, 5).await;
    let outs: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::OptOut(out) => Some((out.from.clone(), out.is_over)),
            _ => None,
        })
        .collect();
    assert_eq!(outs, [(siti.clone(), false), (siti, true)]);
}

#[tokio::test]
async fn the_menu_is_set_and_a_webhook_of_others_is_taken_away_again() {
    let bench = Bench::start().await;
    let elsewhere = json!({ "url": "https://kabar.example.go.id/elsewhere" });
    bench.call("setWebhook", &elsewhere).await;
    let store = Store::new(0);
    bench.listen(&store);
    bench.writes("/start");
    store.events(&bench.client, 1).await;
    let menu = bench.call("getMyCommands", &json!({})).await;
    let expected = json!([{ "command": "status", "description": "Cek keadaan KTP-el" }]);
    assert_eq!(menu["result"], expected);
    // While we ask: the question ends with 409, and the set-up is made anew.
    bench.call("setWebhook", &elsewhere).await;
    let info = async || bench.call("getWebhookInfo", &json!({})).await["result"]["url"].clone();
    in_time(async { while info().await != "" {} }).await;
    bench.writes("masih di sini");
    let keys = || store.keys().len();
    store.events(&bench.client, 2).await;
    assert_eq!(keys(), 2);
}

/// Our door, as the service has one.
struct Door {
    client: Arc<TelegramClient>,
    store: Arc<Store>,
}

async fn knock(
    State(door): State<Arc<Door>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let request = HookRequest {
        method: &method,
        tail: "",
        query: uri.query().unwrap_or_default(),
        url: uri.path(),
        now: SystemClock.now(),
        headers: &headers,
        body: &body,
    };
    match door.client.receive(&request).map(|answer| door.store.take(answer.events)) {
        Ok(Ok(())) => StatusCode::OK,
        Ok(Err(NotStored)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

#[tokio::test]
async fn a_webhook_is_set_up_and_brings_updates_until_they_are_stored() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/telegram/bot-1", listener.local_addr().unwrap());
    let bench = Bench::start_with(|shared, settings| {
        shared.hook_url.clone_from(&url);
        settings.mode = Mode::Webhook;
        settings.webhook_secret = Some(SECRET.to_owned().into());
    })
    .await;
    let store = Store::new(2);
    let door = Door { client: Arc::clone(&bench.client), store: Arc::clone(&store) };
    let router = Router::new().route("/hooks/telegram/bot-1", post(knock));
    let router = router.with_state(Arc::new(door));
    let ending = bench.stop.clone().cancelled_owned();
    tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(ending).into_future());
    let siti = bench.siti().await;

    let unsigned = bench.http.post(&url).body("{}").send().await.unwrap();
    assert_eq!(unsigned.status(), 401);

    bench.listen(&store);
    bench.fault(json!({ "kind": "duplicate_webhook", "count": 1 }));
    bench.writes("ktp saya?");
    // Turned away twice, then stored, then brought once more.
    store.wait_for_calls(4).await;
    let keys = store.keys();
    assert!(keys.len() == 2 && keys[0] == keys[1], "a repeat has the same key: {keys:?}");

    let question = message(&siti, "Pilih", &[("do:menu", "Menu")]);
    in_time(bench.client.send(&question)).await.unwrap();
    let press = bench.presses("do:menu");
    let events = store.events(&bench.client, 3).await;
    assert!(matches!(&events[2], Event::Message(inbound)
        if matches!(&inbound.body, InboundBody::Choice { id, .. } if id == "do:menu")));
    bench.marked(&press, Mark::Read).await;
    let info = bench.call("getWebhookInfo", &json!({})).await;
    assert_eq!(
        info["result"]["allowed_updates"],
        json!(["message", "callback_query", "my_chat_member"])
    );
}
