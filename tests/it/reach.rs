//! One citizen, several channels: told once, through whichever works, and in person when none does.

use std::time::Duration;

use kabar::channel::{Provider, Shared};
use kabar::domain::message::ChannelKind;
use kabar::sandbox::{
    AndroidPhone, Bot, Bubble, Counterpart, Fault, FaultKind, Input, Presence, Sandbox, Settings,
    Side, WhatsappAccount,
};
use kabar::service::{Account, Rate};
use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::citizen::Citizen;
use crate::support::{Start, TestApp, citizen, list, on_both_engines, word};

const HOUR: Duration = Duration::from_secs(3600);
const WA: &str = "wa-kantor";
const SMS: &str = "sms-kantor";
const TELEGRAM: &str = "tg-kantor";
const BOT_TOKEN: &str = "7000000001:rahasia-AAAA_bbbb-1234";

/// An office with a number on WhatsApp, a phone for SMS and a bot.
struct Office {
    app: TestApp,
    sandbox: Sandbox,
    played: JoinHandle<()>,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.played.abort();
    }
}

impl Office {
    async fn open(start: Start) -> Self {
        Self::open_with(start, |_| ()).await
    }

    async fn open_with(mut start: Start, change: impl FnOnce(&mut Start)) -> Self {
        let (shared, clock) = start.prepare().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = format!("http://{}", listener.local_addr().unwrap());
        let hook = |channel: &str, id: &str| format!("{}/hooks/{channel}/{id}", shared.hook_url);
        let meta = WhatsappAccount {
            phone_number_id: "1001".to_owned(),
            waba_id: "2001".to_owned(),
            access_token: "token".to_owned(),
            app_secret: "secret".to_owned(),
            webhook_url: hook("whatsapp", WA),
            display_phone_number: "+62 811-0000-0000".to_owned(),
            label: "Kantor".to_owned(),
        };
        let phone = AndroidPhone {
            id: SMS.to_owned(),
            label: "SMS".to_owned(),
            username: "desa".to_owned(),
            password: "rahasia".to_owned(),
            webhook_key: "key".to_owned(),
            number: "+6281100000001".to_owned(),
            webhook_url: hook("sms", SMS),
        };
        let bot = Bot {
            id: TELEGRAM.to_owned(),
            label: "Bot".to_owned(),
            token: BOT_TOKEN.to_owned(),
            username: "kabar_contoh_bot".to_owned(),
        };
        let sandbox = Sandbox::new(Settings {
            others: vec![Counterpart::Android(phone), Counterpart::Telegram(bot)],
            pace: Duration::ZERO,
            redelivery: Duration::from_millis(1),
            ..Settings::new(vec![meta], clock)
        })
        .unwrap();
        let own = sandbox.clone();
        let played = tokio::spawn(async move {
            kabar::sandbox::serve(listener, own, std::future::pending()).await.unwrap();
        });
        start.accounts = vec![
            account(
                WA,
                "whatsapp",
                "",
                &shared,
                toml::toml! {
                    phone_number_id = "1001"
                    waba_id = "2001"
                    access_token = "token"
                    app_secret = "secret"
                    verify_token = "verify"
                },
                &format!("{home}/v25.0"),
            ),
            account(
                SMS,
                "sms",
                "android",
                &shared,
                toml::toml! {
                    username = "desa"
                    password = "rahasia"
                    webhook_key = "key"
                },
                &format!("{home}/android/3rdparty/v1"),
            ),
            account(
                TELEGRAM,
                "telegram",
                "",
                &shared,
                toml::toml! {
                    bot_token = "7000000001:rahasia-AAAA_bbbb-1234"
                    webhook_secret = "kunci"
                },
                &format!("{home}/telegram"),
            ),
        ];
        start.settings.channels = ChannelKind::ALL.to_vec();
        change(&mut start);
        let app = start.open().await;
        // The bot's webhook is set by whoever holds its account.
        app.step_every_account().await;
        let url = format!("{home}/telegram/bot{BOT_TOKEN}/getWebhookInfo");
        loop {
            let info: Value = app.http.get(&url).send().await.unwrap().json().await.unwrap();
            if info["result"]["url"].as_str().is_some_and(|url| !url.is_empty()) {
                break;
            }
            tokio::task::yield_now().await;
        }
        Self { app, sandbox, played }
    }

    fn has(&self, citizen: &Citizen, presence: Presence) {
        self.sandbox.add_phone(&citizen.e164, None, false).unwrap();
        self.sandbox.set_presence(&citizen.e164, presence);
    }

    async fn settle(&self) {
        loop {
            self.sandbox.idle().await;
            if !self.app.run_until_idle().await {
                return;
            }
        }
    }

    async fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
        self.settle().await;
    }

    async fn update(&self, citizen: &Citizen, status: &str) {
        self.app.card(citizen, status).await;
        self.settle().await;
    }

    /// What the office put on that phone, channel and text.
    fn on_phone(&self, citizen: &Citizen) -> Vec<(&'static str, String)> {
        let phone = self.sandbox.phone(&citizen.e164);
        let bubbles = phone.map(|phone| phone.bubbles).unwrap_or_default();
        let shown = |bubble: &Bubble| bubble.side == Side::Office && bubble.error_code.is_none();
        bubbles.into_iter().filter(shown).map(|b| (b.channel, b.text)).collect()
    }

    fn channels(&self, citizen: &Citizen) -> Vec<&'static str> {
        self.on_phone(citizen).into_iter().map(|(channel, _)| channel).collect()
    }

    async fn writes(&self, citizen: &Citizen, account: &str, words: &str) -> String {
        self.does(citizen, account, Input::Text(words.to_owned())).await
    }

    async fn does(&self, citizen: &Citizen, account: &str, input: Input) -> String {
        // Telegram takes one message a second to one chat.
        self.app.clock.advance(Duration::from_secs(1));
        let before = self.on_phone(citizen).len();
        self.sandbox.write(&citizen.e164, Some(account), input).unwrap();
        self.settle().await;
        let mut after = self.on_phone(citizen);
        assert_eq!(after.len(), before + 1, "exactly one answer: {after:?}");
        after.pop().unwrap().1
    }

    /// Status, channel and reason of every message, oldest first.
    async fn states(&self) -> Vec<(String, String, String)> {
        let messages = self.app.messages().await;
        messages
            .iter()
            .map(|m| (word(&m["channel"]), word(&m["status"]), word(&m["why"])))
            .collect()
    }

    async fn visits(&self) -> Vec<Value> {
        list(&self.app.get("/v1/visits").await["visits"])
    }
}

fn account(
    id: &str,
    channel: &str,
    gateway: &str,
    shared: &Shared,
    mut keys: toml::Table,
    api_url: &str,
) -> Account {
    keys.insert("api_url".to_owned(), api_url.into());
    let channel: ChannelKind = channel.parse().unwrap();
    let provider = Provider::read(channel, gateway, keys).expect("its keys");
    let hook_url = format!("{}/hooks/{channel}/{id}", shared.hook_url);
    Account {
        id: id.to_owned(),
        channel,
        area: None,
        portfolio: provider.portfolio().unwrap_or(id).to_owned(),
        provider_id: provider.provider_id().to_owned(),
        rate: Rate::per_second(1_000_000),
        in_flight: 8,
        rupiah_per_segment: (channel == ChannelKind::Sms).then_some(350),
        rupiah_per_message: None,
        daily_limit: None,
        adapter: provider.adapter(Shared { hook_url, ..shared.clone() }),
    }
}

fn state(channel: &str, status: &str, why: &str) -> (String, String, String) {
    (channel.to_owned(), status.to_owned(), why.to_owned())
}

on_both_engines! {
    async fn who_has_no_receipt_by_the_deadline_is_told_by_sms_once(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Offline);
        office.update(&siti, "CARD_PRINTED").await;
        office.advance(Duration::from_secs(4 * 3600 - 1)).await;
        assert_eq!(office.channels(&siti), ["whatsapp"], "the receipt may still come");
        office.advance(Duration::from_secs(1)).await;
        let told = office.on_phone(&siti);
        assert_eq!(office.channels(&siti), ["whatsapp", "sms"]);
        assert!(told[1].1.contains("sudah dicetak") && told[1].1.contains("Ref "), "{told:?}");
        assert!(told[1].1.contains("STOP"), "how to stop stands at its end: {told:?}");
        let messages = office.app.messages().await;
        assert_eq!(messages[1]["follows"], messages[0]["id"]);
        assert_eq!(messages[1]["reference"], messages[0]["reference"]);
        assert_eq!((&messages[1]["segments"], &messages[1]["rupiah"]), (&json!(1), &json!(350)));
        office.advance(48 * HOUR).await;
        assert_eq!(office.channels(&siti), ["whatsapp", "sms"], "it arrived");
        assert!(office.visits().await.is_empty());
    }

    async fn who_is_not_on_whatsapp_is_told_by_sms_at_once_and_next_time_from_the_start(
        start: Start,
    ) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Missing);
        office.update(&siti, "CARD_PRINTED").await;
        assert_eq!(office.channels(&siti), ["sms"]);
        assert_eq!(office.states().await, [
            state("whatsapp", "failed", "card_update"),
            state("sms", "delivered", "next_channel"),
        ]);
        let list = office.app.get("/v1/suppressions").await;
        let row = &list["suppressions"][0];
        assert_eq!((word(&row["channel"]), word(&row["code"])), ("whatsapp".into(), "131026".into()));
        assert!(!row.to_string().contains(&siti.e164[4..]), "{row}");

        office.update(&siti, "siap ambil").await;
        assert_eq!(office.channels(&siti), ["sms", "sms"]);
        assert_eq!(office.states().await[2], state("sms", "delivered", "card_update"));

        let path = format!("/v1/suppressions/{}/release", word(&row["id"]));
        let (status, _) = office.app.call(Method::POST, Role::Auditor, &path).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let (status, _) = office.app.call(Method::POST, Role::Office, &path).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        office.has(&siti, Presence::Online);
        office.update(&siti, "sudah diambil").await;
        assert_eq!(office.channels(&siti), ["sms", "sms", "whatsapp"], "an officer released it");
    }

    async fn the_deadline_does_not_count_the_night(start: Start) {
        let office = Office::open(start.time("18:00 WIB")).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Offline);
        office.update(&siti, "CARD_PRINTED").await;
        office.app.clock.advance_to("08:59 WIB");
        office.settle().await;
        assert_eq!(office.channels(&siti), ["whatsapp"]);
        office.app.clock.advance_to("09:00 WIB");
        office.settle().await;
        assert_eq!(office.channels(&siti), ["whatsapp", "sms"], "two hours before the night, two after");
    }

    async fn a_channel_may_have_a_time_of_its_own(start: Start) {
        let office = Office::open_with(start, |start| {
            start.settings.fallback_after.own.insert(ChannelKind::Whatsapp, HOUR);
        })
        .await;
        let siti = citizen(6);
        office.has(&siti, Presence::Offline);
        office.update(&siti, "CARD_PRINTED").await;
        office.advance(HOUR).await;
        assert_eq!(office.channels(&siti), ["whatsapp", "sms"]);
    }

    async fn a_late_receipt_withdraws_what_has_not_left_on_the_next_channel(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Offline);
        office.update(&siti, "CARD_PRINTED").await;
        // The phone for SMS takes nothing for a while.
        let busy = Fault { provider: Some("android".into()), ..Fault::new(FaultKind::Throttle) };
        office.sandbox.set_faults(vec![busy]);
        office.advance(4 * HOUR).await;
        assert_eq!(office.states().await[1], state("sms", "queued", "next_channel"));
        let sent = office.sandbox.sent();
        let first = sent.iter().find(|sent| sent.account == "1001").unwrap();
        let echo = word(&first.body["biz_opaque_callback_data"]);
        receipt(&office, &echo, first.message_id.as_deref().unwrap(), "delivered").await;
        office.sandbox.set_faults(Vec::new());
        office.advance(HOUR).await;
        assert_eq!(office.states().await, [
            state("whatsapp", "delivered", "card_update"),
            state("sms", "cancelled", "reached"),
        ]);
        assert_eq!(office.channels(&siti), ["whatsapp"]);
    }

    async fn a_receipt_that_names_another_accounts_message_changes_nothing(start: Start) {
        use hmac::{Hmac, KeyInit as _, Mac as _};

        let office = Office::open(start).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Offline);
        office.update(&siti, "CARD_PRINTED").await;
        let message = word(&office.app.messages().await[0]["id"]);
        let body = json!({"deviceId": "d", "event": "sms:delivered", "id": "e", "webhookId": "w",
                          "payload": {"messageId": message, "sender": "x", "recipient": siti.e164,
                                      "deliveredAt": office.app.now()}})
        .to_string();
        let at = office.app.now_s().to_string();
        let mac = Hmac::<sha2::Sha256>::new_from_slice(b"key").unwrap();
        let signed = mac.chain_update(&body).chain_update(&at).finalize().into_bytes();
        let request = office
            .app
            .http
            .post(format!("{}/hooks/sms/{SMS}", office.app.url))
            .header("x-timestamp", at)
            .header("x-signature", hex::encode(signed))
            .body(body);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        office.settle().await;
        assert_eq!(office.states().await[0].1, "sent", "the proof was another account's");
        office.advance(4 * HOUR).await;
        assert_eq!(office.channels(&siti), ["whatsapp", "sms"], "nobody is missed by a forgery");
    }

    async fn whoever_answers_has_been_reached(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Offline);
        office.update(&siti, "CARD_PRINTED").await;
        office.writes(&siti, "1001", "terima kasih").await;
        assert_eq!(office.states().await[0], state("whatsapp", "delivered", "card_update"));
        office.advance(24 * HOUR).await;
        assert!(!office.channels(&siti).contains(&"sms"));
    }

    async fn what_no_channel_brings_stands_on_the_list_until_somebody_has_told_it(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Missing);
        let dead = Fault { provider: Some("android".into()), ..Fault::new(FaultKind::Fail) };
        office.sandbox.set_faults(vec![dead]);
        let parts = [("rt", json!("003")), ("rw", json!("004"))];
        office.app.card_with(&siti, "CARD_PRINTED", &parts).await;
        office.settle().await;
        let visits = office.visits().await;
        assert_eq!(visits.len(), 1, "{visits:?}");
        let visit = &visits[0];
        assert_eq!((word(&visit["rt"]), word(&visit["rw"])), ("003".into(), "004".into()));
        assert!(word(&visit["words"]).contains("sudah dicetak"), "{visit}");
        let path = format!("/v1/visits/{}/told", word(&visit["id"]));
        let (status, _) = office.app.call(Method::POST, Role::Office, &path).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert!(office.visits().await.is_empty());
        let (status, _) = office.app.call(Method::POST, Role::Office, &path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "once");
        let (status, _) = office.app.ask(Role::Auditor, "/v1/visits").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "names are for those who go there");
    }

    async fn who_has_no_phone_stands_on_the_list_until_something_newer_is_known(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6).with_phone("");
        office.update(&siti, "CARD_PRINTED").await;
        assert_eq!(word(&office.visits().await[0]["reason"]), "no_phone");
        office.update(&siti, "siap ambil").await;
        let visits = office.visits().await;
        assert_eq!(visits.len(), 1, "only the latest news is told");
        assert_eq!(word(&visits[0]["news"]), "ready_to_collect");
        let elsewhere = office.app.get("/v1/visits?area=35.18").await;
        assert!(list(&elsewhere["visits"]).is_empty());
        let here = office.app.get("/v1/visits?area=35.17.09").await;
        assert_eq!(list(&here["visits"]).len(), 1, "{here}");
    }

    async fn an_account_that_stands_still_hands_its_news_to_the_next_channel(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        let refused = Fault {
            provider: Some("whatsapp".into()),
            code: Some(190),
            ..Fault::new(FaultKind::Refuse)
        };
        office.sandbox.set_faults(vec![refused]);
        office.update(&siti, "CARD_PRINTED").await;
        for _ in 0..5 {
            office.advance(HOUR).await;
        }
        assert_eq!(office.channels(&siti), ["sms"]);
        assert_eq!(office.states().await[0], state("whatsapp", "cancelled", "next_channel"));
        office.sandbox.set_faults(Vec::new());
        office.advance(HOUR).await;
        assert_eq!(office.channels(&siti), ["sms"], "and nobody hears twice when it works again");
    }

    async fn the_persons_own_choice_comes_first(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.update(&siti, "PRINT_READY_RECORD").await;
        let answer = office.writes(&siti, "1001", "kirim lewat SMS saja").await;
        assert!(answer.contains("lewat SMS"), "{answer}");
        office.update(&siti, "CARD_PRINTED").await;
        assert_eq!(office.on_phone(&siti).pop().unwrap().0, "sms");
    }

    async fn a_code_of_the_counter_ties_a_chat_to_a_person_once(start: Start) {
        let office = Office::open(start).await;
        let (siti, budi) = (citizen(6).with_phone(""), citizen(7));
        office.update(&siti, "PRINT_READY_RECORD").await;
        let issue = |role, nik: String| office.app.send_json(role, "/v1/binding-codes", json!({"nik": nik}));
        let (status, _) = issue(Role::Auditor, siti.nik.clone()).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let (status, _) = issue(Role::Office, citizen(99).nik).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (status, issued) = issue(Role::Office, siti.nik.clone()).await;
        assert_eq!(status, StatusCode::CREATED, "{issued}");
        let code = word(&issued["code"]);
        let link = word(&issued["links"][0]);
        assert_eq!(link, format!("https://t.me/kabar_contoh_bot?start={}", code.replace('-', "")));

        // The phone is somebody's, but it is the chat that counts.
        let chat = citizen(8);
        let answer = office.writes(&chat, TELEGRAM, &format!("/start {}", code.replace('-', ""))).await;
        assert!(answer.contains("Terhubung") && answer.contains("Siti A."), "{answer}");
        office.update(&siti, "CARD_PRINTED").await;
        let (channel, text) = office.on_phone(&chat).pop().unwrap();
        assert_eq!(channel, "telegram");
        assert!(text.contains("sudah dicetak"), "{text}");
        assert!(office.visits().await.is_empty(), "Telegram's answer is the last word");
        let answer = office.writes(&chat, TELEGRAM, "/status").await;
        assert!(answer.contains("Siti A.: sudah dicetak"), "{answer}");

        office.writes(&budi, TELEGRAM, "/start").await;
        let answer = office.writes(&budi, TELEGRAM, &code).await;
        assert!(answer.contains("tidak kami kenal"), "once: {answer}");

        let answer = office.writes(&chat, TELEGRAM, "/stop").await;
        assert!(answer.contains("tidak akan mengirim"), "{answer}");
        office.update(&siti, "siap ambil").await;
        assert_eq!(office.states().await.pop().unwrap(), state("telegram", "cancelled", "opted_out"));
    }

    async fn a_number_that_its_owner_shares_ties_the_chat_to_it(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.update(&siti, "PRINT_READY_RECORD").await;
        let answer = office.writes(&siti, TELEGRAM, "/start").await;
        assert!(answer.contains("belum terhubung"), "a chat is no number: {answer}");
        let share = Input::Press { button_id: "share_phone".to_owned(), message_id: None };
        let answer = office.does(&siti, TELEGRAM, share).await;
        assert!(answer.contains("nomor Anda ada dalam data kami"), "{answer}");
        office.writes(&siti, TELEGRAM, "lewat telegram").await;
        office.update(&siti, "CARD_PRINTED").await;
        let (channel, text) = office.on_phone(&siti).pop().unwrap();
        assert_eq!(channel, "telegram");
        assert!(text.contains("sudah dicetak"), "{text}");
    }

    async fn a_chat_that_blocked_the_bot_is_opted_out_and_the_next_channel_tells(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.update(&siti, "PRINT_READY_RECORD").await;
        office.writes(&siti, TELEGRAM, "/start").await;
        let share = Input::Press { button_id: "share_phone".to_owned(), message_id: None };
        office.does(&siti, TELEGRAM, share).await;
        office.writes(&siti, TELEGRAM, "lewat telegram").await;
        let mut kicked = serde_json::Map::new();
        kicked.insert("type".to_owned(), "kicked".into());
        office.sandbox.write(&siti.e164, Some(TELEGRAM), Input::Raw(kicked)).unwrap();
        office.settle().await;
        let before = office.on_phone(&siti).len();
        office.update(&siti, "CARD_PRINTED").await;
        let after = office.on_phone(&siti).split_off(before);
        assert_eq!(after.len(), 1, "{after:?}");
        assert_eq!(after[0].0, "whatsapp");
    }

    async fn what_went_to_a_stranger_is_told_in_person(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.update(&siti, "CARD_PRINTED").await;
        assert!(office.visits().await.is_empty(), "it arrived, as far as anybody can tell");
        office.writes(&siti, "1001", "BUKAN SAYA").await;
        let visits = office.visits().await;
        assert_eq!(visits.len(), 1, "{visits:?}");
        assert_eq!(word(&visits[0]["reason"]), "wrong_person");
        let new = citizen(7);
        office.update(&siti.with_phone(&new.phone), "CARD_PRINTED").await;
        assert_eq!(office.channels(&new), ["whatsapp"], "the same news, to whom it is for");
        assert!(office.visits().await.is_empty());
    }

    async fn a_stop_at_one_address_holds_at_the_persons_others(start: Start) {
        let office = Office::open(start.time("19:00 WIB")).await;
        let siti = citizen(6);
        office.update(&siti, "PRINT_READY_RECORD").await;
        office.writes(&siti, TELEGRAM, "/start").await;
        let share = Input::Press { button_id: "share_phone".to_owned(), message_id: None };
        office.does(&siti, TELEGRAM, share).await;
        office.app.clock.advance_to("22:00 WIB");
        office.update(&siti, "CARD_PRINTED").await;
        office.writes(&siti, SMS, "STOP").await;
        let before = office.on_phone(&siti).len();
        office.app.clock.advance_to("12:00 WIB");
        office.settle().await;
        assert_eq!(office.on_phone(&siti).len(), before, "what waited for the chat is withdrawn");
        assert!(office.visits().await.is_empty(), "and nobody comes to the door");
        office.writes(&siti, SMS, "MULAI").await;
        office.update(&siti, "siap ambil").await;
        assert_eq!(office.on_phone(&siti).pop().unwrap().0, "telegram");
    }

    async fn the_counter_can_record_that_somebody_wants_no_messages(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        let stop = |role, phone: &str| {
            office.app.send_json(role, "/v1/opt-outs", json!({"phone": phone}))
        };
        let (status, _) = stop(Role::Auditor, &siti.phone).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        for wrong in ["12", "0812-3456-0006 atau 0812-3456-0007", "<b>081234560006</b>"] {
            let (status, _) = stop(Role::Office, wrong).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
        }
        let (status, _) = stop(Role::Office, &siti.phone).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        office.update(&siti, "CARD_PRINTED").await;
        assert!(office.on_phone(&siti).is_empty());
    }

    async fn an_appointment_reaches_the_next_channel_before_it_is_over(start: Start) {
        let office = Office::open(start.time("07:00 WIB")).await;
        let siti = citizen(6);
        office.has(&siti, Presence::Offline);
        let today = office.app.clock.wib().date_naive().to_string();
        let home = json!({"date": today, "from": "08:00", "to": "10:00"});
        let parts = [("home_delivery", home)];
        office.app.card_with(&siti, "HOME_DELIVERY_SCHEDULED", &parts).await;
        office.settle().await;
        office.advance(Duration::from_secs(90 * 60 + 60)).await;
        assert_eq!(office.channels(&siti), ["whatsapp", "sms"], "half of its time is left");
    }

    async fn what_was_told_in_person_is_not_sent_after_all(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        let out = |provider: &str, kind, code| Fault {
            provider: Some(provider.into()),
            code,
            ..Fault::new(kind)
        };
        office.sandbox.set_faults(vec![
            out("whatsapp", FaultKind::Refuse, Some(131_026)),
            out("android", FaultKind::Throttle, None),
        ]);
        office.update(&siti, "CARD_PRINTED").await;
        office.advance(4 * HOUR).await;
        let visits = office.visits().await;
        assert_eq!(word(&visits[0]["reason"]), "not_sent", "it still waits, and somebody may go");
        let path = format!("/v1/visits/{}/told", word(&visits[0]["id"]));
        office.app.call(Method::POST, Role::Office, &path).await;
        office.sandbox.set_faults(Vec::new());
        office.advance(24 * HOUR).await;
        assert!(office.on_phone(&siti).is_empty());
        assert_eq!(office.states().await[1], state("sms", "cancelled", "told"));
    }

    async fn a_code_cannot_be_found_by_trying(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6).with_phone("");
        office.update(&siti, "PRINT_READY_RECORD").await;
        let body = json!({"nik": siti.nik});
        let (_, issued) = office.app.send_json(Role::Office, "/v1/binding-codes", body).await;
        let code = word(&issued["code"]);
        let guesser = citizen(8);
        for n in 2..=6 {
            office.writes(&guesser, TELEGRAM, &format!("K7QX-3M{n}9")).await;
        }
        let wrong = office.sandbox.write(&guesser.e164, Some(TELEGRAM), Input::Text(code.clone()));
        wrong.unwrap();
        office.settle().await;
        assert!(!office.on_phone(&guesser).iter().any(|(_, text)| text.contains("Terhubung")));
        let answer = office.writes(&citizen(9), TELEGRAM, &code).await;
        assert!(answer.contains("Terhubung"), "it was not used up: {answer}");
    }

    async fn nobody_is_promised_a_channel_that_does_not_know_them(start: Start) {
        let office = Office::open(start).await;
        let siti = citizen(6);
        office.update(&siti, "PRINT_READY_RECORD").await;
        let answer = office.writes(&siti, "1001", "lewat telegram").await;
        assert!(answer.contains("tekan Bagikan nomor"), "{answer}");
        office.update(&siti, "CARD_PRINTED").await;
        assert_eq!(office.on_phone(&siti).pop().unwrap().0, "whatsapp");
    }

    async fn two_processes_that_look_at_overdue_news_send_it_on_once(start: Start) {
        let office = Office::open(start).await;
        let people: Vec<_> = (1..=20).map(citizen).collect();
        for siti in &people {
            office.has(siti, Presence::Offline);
            office.update(siti, "CARD_PRINTED").await;
        }
        office.app.clock.advance(4 * HOUR);
        let app = &office.app.app;
        let looks = (0..4).map(|_| kabar::service::fallback::step(app));
        for went_on in futures_util::future::join_all(looks).await {
            went_on.unwrap();
        }
        office.settle().await;
        for siti in &people {
            assert_eq!(office.channels(siti), ["whatsapp", "sms"]);
        }
    }

    async fn newer_news_and_the_next_channel_never_cross(start: Start) {
        let office = Office::open(start).await;
        let people: Vec<_> = (1..=12).map(citizen).collect();
        for siti in &people {
            office.has(siti, Presence::Offline);
            office.update(siti, "CARD_PRINTED").await;
        }
        office.app.clock.advance(4 * HOUR);
        let app = &office.app.app;
        let updates: Vec<Value> =
            people.iter().map(|siti| office.app.update(siti, "siap ambil")).collect();
        let updates = Value::from(updates);
        let (went_on, _) =
            tokio::join!(kabar::service::fallback::step(app), office.app.post(&updates));
        went_on.unwrap();
        office.settle().await;
        for siti in &people {
            let told = office.on_phone(siti);
            // Where no template is registered the sandbox shows a call's values alone.
            let is_newest = |text: &str| text.contains("bisa diambil") || text.contains("place:");
            assert!(told.last().is_some_and(|(_, text)| is_newest(text)), "{told:?}");
        }
    }

    async fn the_same_words_to_one_number_stop_after_five(start: Start) {
        let office = Office::open(start).await;
        let machine = citizen(6);
        for _ in 0..12 {
            office.sandbox.write(&machine.e164, Some(SMS), Input::Text("xyzzy plugh".into())).unwrap();
            office.settle().await;
        }
        assert_eq!(office.on_phone(&machine).len(), 5);
        let states = office.states().await;
        assert_eq!(states[5], state("sms", "cancelled", "loop"));
        let metrics = office.app.http.get(format!("{}/metrics", office.app.url)).send().await;
        let metrics = metrics.unwrap().text().await.unwrap();
        assert!(metrics.contains("kabar_loops_stopped_total{account=\"sms-kantor\"} 7"), "{metrics}");
        office.advance(Duration::from_secs(31 * 60)).await;
        office.sandbox.write(&machine.e164, Some(SMS), Input::Text("xyzzy plugh".into())).unwrap();
        office.settle().await;
        assert_eq!(office.on_phone(&machine).len(), 6, "half an hour later it may be somebody");
    }
}

/// Meta tells late of a message it took.
async fn receipt(office: &Office, echo: &str, id: &str, kind: &str) {
    use crate::support::webhook::{escaped, signature};

    let at = office.app.now_s().to_string();
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "2001", "changes": [
        {"field": "messages", "value": {"messaging_product": "whatsapp",
         "metadata": {"display_phone_number": "628110000000", "phone_number_id": "1001"},
         "statuses": [{"id": id, "status": kind, "timestamp": at, "biz_opaque_callback_data": echo}]}}]}]});
    let bytes = escaped(&body);
    let signature = signature("secret", &bytes);
    let url = format!("{}/hooks/whatsapp/{WA}", office.app.url);
    let request = office.app.http.post(url).header("x-hub-signature-256", signature).body(bytes);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    office.settle().await;
}
