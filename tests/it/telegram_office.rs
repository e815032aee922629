//! An office whose only channel is a Telegram bot: how a chat finds its card, what is told there,
//! and how it ends. The whole service on our side, the sandbox as Telegram, the real wire between.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use kabar::channel::Shared;
use kabar::channel::telegram::webhook::event;
use kabar::channel::telegram::{Mode, TelegramClient, TelegramSettings};
use kabar::domain::message::ChannelKind;
use kabar::domain::outbound::ChatId;
use kabar::sandbox::{Bot, Bubble, Counterpart, Input, Mark, Sandbox, Settings, Side};
use kabar::service::{Account, Rate, inbox};
use kabar::source::{Record, VerifiedChat};
use kabar::store::token::Role;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::app::token;
use crate::support::citizen::Citizen;
use crate::support::{LEASE_OVER, Start, TestApp, citizen, on_both_engines, word};
use crate::watch::Shelf;

const BOT: &str = "bot-1";
const BOT_TOKEN: &str = "7000000001:contoh-token";
/// No wait of these tests comes near it; what does hangs.
const HANG: Duration = Duration::from_secs(20);

/// The office, Telegram, and everybody's phones.
pub struct Desk {
    pub app: TestApp,
    pub sandbox: Sandbox,
    telegram: Telegram,
}

struct Telegram(JoinHandle<()>);

impl Drop for Telegram {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Desk {
    pub async fn open(mut start: Start) -> Self {
        let (shared, clock) = start.prepare().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = format!("http://{}/telegram", listener.local_addr().unwrap());
        let sandbox = Sandbox::new(Settings {
            others: vec![Counterpart::Telegram(Bot {
                id: BOT.to_owned(),
                label: "Kabar Contoh".to_owned(),
                token: BOT_TOKEN.to_owned(),
                username: "kabar_contoh_bot".to_owned(),
            })],
            pace: Duration::ZERO,
            redelivery: Duration::from_millis(1),
            ..Settings::new(Vec::new(), clock)
        })
        .unwrap();
        let played = sandbox.clone();
        let telegram = Telegram(tokio::spawn(async move {
            kabar::sandbox::serve(listener, played, std::future::pending()).await.unwrap();
        }));
        let shared =
            Shared { hook_url: format!("{}/hooks/telegram/{BOT}", shared.hook_url), ..shared };
        let settings = TelegramSettings {
            api_url: api_url.clone(),
            bot_token: BOT_TOKEN.to_owned().into(),
            mode: Mode::Webhook,
            webhook_secret: Some("kunci-kait".to_owned().into()),
            username: "kabar_contoh_bot".to_owned(),
            commands: Vec::new(),
        };
        start.accounts = vec![Account {
            id: BOT.to_owned(),
            channel: ChannelKind::Telegram,
            area: None,
            portfolio: BOT.to_owned(),
            provider_id: String::new(),
            rate: Rate {
                messages: NonZeroU32::new(1_000_000).unwrap(),
                per: Duration::from_secs(1),
            },
            in_flight: 16,
            rupiah_per_segment: None,
            rupiah_per_message: None,
            daily_limit: None,
            adapter: Arc::new(TelegramClient::new(&shared, settings)),
        }];
        start.settings.channels = vec![ChannelKind::Telegram];
        let app = start.open().await;
        // Whoever sends for the bot also tells Telegram where to call.
        app.step_every_account().await;
        let info = format!("{api_url}/bot{BOT_TOKEN}/getWebhookInfo");
        let is_set = async || {
            let answer: Value = app.http.get(&info).send().await.unwrap().json().await.unwrap();
            answer["result"]["url"] != ""
        };
        tokio::time::timeout(HANG, async { while !is_set().await {} }).await.expect("a webhook");
        Self { app, sandbox, telegram }
    }

    /// Lets both sides work until nothing moves any more at this moment.
    pub async fn settle(&self) {
        loop {
            self.sandbox.idle().await;
            if !self.app.run_until_idle().await {
                return;
            }
        }
    }

    /// The service dies and another begins on the same database; Telegram goes on.
    pub async fn restart(self) -> Self {
        let Self { app, sandbox, telegram } = self;
        let app = app.restart().await;
        app.advance(LEASE_OVER).await;
        Self { app, sandbox, telegram }
    }

    /// Telegram brings an update, past the sandbox: of a group, or where nobody has set a webhook.
    pub async fn brings(&self, update: Value) {
        self.app.clock.advance(Duration::from_secs(3));
        let (event, _) = event(update, self.app.app.now());
        let account = self.app.app.account(BOT).unwrap();
        inbox::store(&self.app.app, account, vec![event]).await.unwrap();
        self.settle().await;
    }

    async fn does(&self, citizen: &Citizen, input: Input) -> String {
        let id = self.sandbox.write(&citizen.e164, Some(BOT), input).unwrap();
        self.settle().await;
        id
    }

    pub async fn writes(&self, citizen: &Citizen, words: &str) {
        self.does(citizen, Input::Text(words.to_owned())).await;
    }

    pub async fn presses(&self, citizen: &Citizen, button: &str) -> String {
        let button_id = button.to_owned();
        self.does(citizen, Input::Press { button_id, message_id: None }).await
    }

    async fn blocks(&self, citizen: &Citizen) {
        let raw = json!({ "type": "kicked" });
        self.does(citizen, Input::Raw(raw.as_object().unwrap().clone())).await;
    }

    pub async fn card(&self, citizen: &Citizen, status: &str) {
        self.app.card(citizen, status).await;
        self.settle().await;
    }

    /// What the office wrote to that phone.
    pub fn on_phone(&self, citizen: &Citizen) -> Vec<Bubble> {
        let phone = self.sandbox.phone(&citizen.e164);
        let bubbles = phone.map(|phone| phone.bubbles).unwrap_or_default();
        bubbles.into_iter().filter(|bubble| bubble.side == Side::Office).collect()
    }

    /// The last of it.
    pub fn last(&self, citizen: &Citizen) -> String {
        self.on_phone(citizen).pop().map(|bubble| bubble.text).unwrap_or_default()
    }

    /// An officer at the counter issues a code for that citizen.
    async fn code(&self, citizen: &Citizen) -> Value {
        let url = format!("{}/v1/binding-codes", self.app.url);
        let request = self.app.http.post(url).bearer_auth(token(Role::Admin));
        let answer = request.json(&json!({ "nik": citizen.nik })).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json().await.unwrap()
    }

    /// The citizen is on file and their chat is tied to them.
    pub async fn joined(start: Start) -> (Self, Citizen) {
        let desk = Self::open(start).await;
        let siti = citizen(6);
        desk.card(&siti, "CARD_PRINTED").await;
        let code = desk.code(&siti).await;
        let link = word(&code["links"][0]);
        let payload = link.strip_prefix("https://t.me/kabar_contoh_bot?start=").expect("a link");
        desk.writes(&siti, &format!("/start {payload}")).await;
        (desk, siti)
    }
}

on_both_engines! {
    async fn who_opens_the_link_with_a_code_hears_of_the_card_in_that_chat(start: Start) {
        let (desk, siti) = Desk::joined(start).await;
        assert!(desk.last(&siti).starts_with("Terhubung."), "{}", desk.last(&siti));
        let before = desk.on_phone(&siti).len();
        desk.card(&siti, "siap ambil").await;
        let bubbles = desk.on_phone(&siti);
        assert_eq!(bubbles.len(), before + 1, "{bubbles:?}");
        assert_eq!(bubbles[before].channel, "telegram");
        let message = desk.app.messages().await.pop().unwrap();
        assert_eq!((&message["status"], &message["attempts"]), (&"sent".into(), &1.into()));
        assert!(!bubbles[before].text.contains(&siti.nik));
    }

    async fn a_stranger_may_ask_and_is_tied_by_sharing_the_number(start: Start) {
        let desk = Desk::open(start).await;
        let siti = citizen(6);
        desk.card(&siti, "CARD_PRINTED").await;
        desk.writes(&siti, "/status").await;
        assert!(desk.last(&siti).contains("belum terhubung"), "{}", desk.last(&siti));
        desk.presses(&siti, "share_phone").await;
        assert!(desk.last(&siti).contains("nomor Anda ada dalam data kami"), "{}", desk.last(&siti));
        desk.writes(&siti, "sudah jadi belum?").await;
        assert!(desk.last(&siti).contains("sudah dicetak"), "{}", desk.last(&siti));
    }

    async fn the_chat_a_register_has_verified_is_taken_over_until_it_has_none(start: Start) {
        let shelf = Arc::new(Shelf::default());
        let mut start = start;
        start.sources = vec![shelf.watched()];
        let desk = Desk::open(start).await;
        let siti = citizen(6);
        shelf.put(&siti, "PRINT_READY_RECORD", |_| {});
        desk.app.look().await;
        desk.writes(&siti, "/start").await;
        let asked = desk.sandbox.sent().pop().unwrap().body["chat_id"].clone();
        let chat = ChatId::new(asked.as_i64().unwrap()).unwrap();
        let of_chat = |record: &mut Record| {
            record.chat = Some(VerifiedChat { chat, is_preferred: true });
        };
        shelf.put(&siti, "CARD_PRINTED", of_chat);
        desk.app.look().await;
        desk.settle().await;
        assert!(desk.last(&siti).contains("sudah dicetak"), "{}", desk.last(&siti));
        assert_eq!(desk.app.query("SELECT channel FROM person").await.concat(), ["telegram"]);

        shelf.put(&siti, "CARD_SHIPPED", |_| {});
        desk.app.look().await;
        desk.settle().await;
        let states = desk.app.states().await;
        assert_eq!(states.last().unwrap().0, "cancelled", "nobody knows the chat: {states:?}");
    }

    async fn a_pressed_button_is_answered_once_and_stops_turning(start: Start) {
        let (desk, siti) = Desk::joined(start).await;
        let before = desk.on_phone(&siti).len();
        let press = desk.presses(&siti, "do:status").await;
        let bubbles = desk.on_phone(&siti);
        assert_eq!(bubbles.len(), before + 1, "one answer: {bubbles:?}");
        assert!(bubbles[before].text.contains("sudah dicetak"), "{}", bubbles[before].text);
        let is_read = || {
            let phone = desk.sandbox.phone(&siti.e164).unwrap();
            phone.bubble(&press).unwrap().mark == Mark::Read
        };
        tokio::time::timeout(HANG, async {
            while !is_read() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("it is acknowledged");
    }

    async fn who_blocks_the_bot_hears_nothing_until_they_write_again(start: Start) {
        let (desk, siti) = Desk::joined(start).await;
        desk.blocks(&siti).await;
        let asked = desk.sandbox.sent().len();
        desk.card(&siti, "siap ambil").await;
        assert_eq!(desk.sandbox.sent().len(), asked, "Telegram is not even asked");
        let (status, why) = desk.app.states().await.pop().unwrap();
        assert_eq!((status.as_str(), why.as_str()), ("cancelled", "opted_out"));
        desk.writes(&siti, "status kartu saya?").await;
        assert!(desk.last(&siti).contains("diambil"), "{}", desk.last(&siti));
    }

    async fn who_writes_berhenti_hears_nothing_more(start: Start) {
        let (desk, siti) = Desk::joined(start).await;
        desk.writes(&siti, "/berhenti").await;
        assert!(desk.last(&siti).contains("tidak akan"), "{}", desk.last(&siti));
        let before = desk.on_phone(&siti).len();
        desk.card(&siti, "siap ambil").await;
        assert_eq!(desk.on_phone(&siti).len(), before);
    }

    async fn a_call_whose_outcome_nobody_heard_is_repeated_after_its_wait(start: Start) {
        let (desk, siti) = Desk::joined(start).await;
        let before = desk.on_phone(&siti).len();
        let fault = json!([{ "kind": "error_after_accept", "status": 502, "count": 1 }]);
        desk.sandbox.set_faults(serde_json::from_value(fault).unwrap());
        desk.card(&siti, "siap ambil").await;
        let message = desk.app.messages().await.pop().unwrap();
        assert_eq!(message["status"], "unknown", "{message}");
        assert_eq!(desk.on_phone(&siti).len(), before + 1);
        desk.app.advance(Duration::from_secs(600)).await;
        desk.settle().await;
        let message = desk.app.messages().await.pop().unwrap();
        assert_eq!((&message["status"], &message["attempts"]), (&"sent".into(), &2.into()));
        // Telegram takes no id of ours by which it could tell a repeat.
        assert_eq!(desk.on_phone(&siti).len(), before + 2);
    }
}
