//! Telegram's Bot API as the sandbox plays it: its doors, its refusals, and the two ways updates
//! leave.

use super::*;
use crate::sandbox::telegram::Bot;

const BOT_TOKEN: &str = "7000000001:contoh";

/// A bench with a bot and no WhatsApp in the way.
async fn bench() -> Bench {
    Bench::start_with(|settings| {
        settings.others = vec![Counterpart::Telegram(Bot {
            id: "bot-1".into(),
            label: "Kabar Contoh".into(),
            token: BOT_TOKEN.into(),
            username: "kabar_contoh_bot".into(),
        })];
    })
    .await
}

impl Bench {
    /// Calls a method of the bot and gives the status and the body.
    async fn bot(&self, method: &str, args: &Value) -> (u16, Value) {
        let url = format!("{}/telegram/bot{BOT_TOKEN}/{method}", self.base);
        let answer = self.http.post(url).json(args).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Calls what must succeed, and gives the result.
    async fn done(&self, method: &str, args: &Value) -> Value {
        let (status, answer) = self.bot(method, args).await;
        assert_eq!((status, &answer["ok"]), (200, &json!(true)), "{answer}");
        answer["result"].clone()
    }

    /// Calls what must be refused, and gives the description.
    async fn denied(&self, method: &str, args: &Value) -> String {
        let (status, answer) = self.bot(method, args).await;
        assert_eq!((&answer["ok"], &answer["error_code"]), (&json!(false), &json!(status)));
        answer["description"].as_str().unwrap().to_owned()
    }

    fn does(&self, input: Input) -> String {
        self.sandbox.write(SITI, Some("bot-1"), input).unwrap()
    }

    /// Siti starts the bot; gives her chat. The update about it is confirmed.
    async fn chat(&self) -> i64 {
        self.does(Input::Text("/start".into()));
        let updates = self.done("getUpdates", &json!({})).await;
        let next = updates[0]["update_id"].as_i64().unwrap() + 1;
        assert_eq!(self.done("getUpdates", &json!({ "offset": next })).await, json!([]));
        updates[0]["message"]["chat"]["id"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn only_the_right_token_gets_in_and_methods_are_known_in_any_case() {
    let bench = bench().await;
    for (path, status, description) in [
        ("botx:y/getMe", 401, "Unauthorized"),
        ("7000000001:contoh/getMe", 404, "Not Found"),
        (&format!("bot{BOT_TOKEN}/dance"), 404, "Not Found: method not found"),
    ] {
        let url = format!("{}/telegram/{path}", bench.base);
        let answer = bench.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), status);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["description"], description);
    }
    for method in ["getMe", "GetMe", "GETME"] {
        assert_eq!(bench.done(method, &json!({})).await["username"], "kabar_contoh_bot");
    }
    assert_eq!(bench.done("getMe", &json!({})).await["id"], 7_000_000_001_i64);
}

#[tokio::test]
async fn a_message_may_come_in_the_address_as_a_form_or_as_json() {
    let bench = bench().await;
    let chat = bench.chat().await.to_string();
    let url = format!("{}/telegram/bot{BOT_TOKEN}/sendMessage", bench.base);
    let args = [("chat_id", chat.as_str()), ("text", "halo")];
    let json = json!({ "chat_id": chat, "text": "halo" });
    for request in [
        bench.http.get(&url).query(&args),
        bench
            .http
            .post(&url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(serde_urlencoded::to_string(args).unwrap()),
        bench.http.post(&url).json(&json),
    ] {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["result"]["text"], "halo", "{answer}");
        assert_eq!(answer["result"]["chat"]["id"].to_string(), chat);
        assert_eq!(answer["result"]["from"]["is_bot"], true);
    }
    let phone = bench.sandbox.phone(SITI).unwrap();
    assert_eq!(phone.bubbles.iter().filter(|bubble| bubble.side == Side::Office).count(), 3);
}

#[tokio::test]
async fn a_message_that_is_wrong_in_itself_is_refused_in_telegrams_words() {
    let bench = bench().await;
    let chat = bench.chat().await;
    let inline = |button: Value| json!({ "chat_id": chat, "text": "x", "reply_markup": { "inline_keyboard": [[button]] } });
    for (args, description) in [
        (json!({ "text": "x" }), "Bad Request: chat_id is empty"),
        (json!({ "chat_id": chat }), "Bad Request: message text is empty"),
        (json!({ "chat_id": chat, "text": " " }), "Bad Request: message text is empty"),
        (json!({ "chat_id": chat, "text": "x".repeat(4097) }), "Bad Request: message is too long"),
        (json!({ "chat_id": "@siti", "text": "x" }), "Bad Request: chat not found"),
        (json!({ "chat_id": -5, "text": "x" }), "Bad Request: chat not found"),
        (json!({ "chat_id": chat + 1, "text": "x" }), "Bad Request: chat not found"),
        (
            inline(json!({ "text": "x", "callback_data": "x".repeat(65) })),
            "Bad Request: BUTTON_DATA_INVALID",
        ),
        (
            inline(json!({ "text": "x" })),
            "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the \
             inline keyboard",
        ),
        (
            json!({ "chat_id": chat, "text": "x", "reply_markup": 3 }),
            "Bad Request: object expected as reply markup",
        ),
    ] {
        assert_eq!(bench.denied("sendMessage", &args).await, description, "{args}");
    }
    assert_eq!(bench.sandbox.sent().len(), 10);
}

#[tokio::test]
async fn who_never_started_the_bot_and_who_blocked_it_is_not_written_to() {
    let bench = bench().await;
    let chat = bench.chat().await;
    let message = json!({ "chat_id": chat, "text": "halo" });
    let kicked = json!({ "type": "kicked" });
    bench.does(Input::Raw(kicked.as_object().unwrap().clone()));
    let description = bench.denied("sendMessage", &message).await;
    assert_eq!(description, "Forbidden: bot was blocked by the user");
    bench.sandbox.reset();
    assert_eq!(bench.denied("sendMessage", &message).await, "Bad Request: chat not found");
    bench.sandbox.add_phone(SITI, None, false).unwrap();
    let description = bench.denied("sendMessage", &message).await;
    assert_eq!(description, "Forbidden: bot can't initiate conversation with a user");
}

#[tokio::test]
async fn too_fast_says_how_long_to_wait_in_two_places() {
    let bench = bench().await;
    let chat = bench.chat().await;
    bench.fault(json!({ "kind": "throttle", "seconds": 35, "provider": "telegram" }));
    let url = format!("{}/telegram/bot{BOT_TOKEN}/sendMessage", bench.base);
    let request = bench.http.post(url).json(&json!({ "chat_id": chat, "text": "halo" }));
    let answer = request.send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"35".parse().unwrap())
    );
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["parameters"]["retry_after"], 35);
    assert_eq!(answer["description"], "Too Many Requests: retry after 35");
}

#[tokio::test]
async fn updates_wait_until_the_next_question_confirms_them() {
    let bench = bench().await;
    bench.does(Input::Text("/start".into()));
    bench.does(Input::Text("halo".into()));
    let both = bench.done("getUpdates", &json!({})).await;
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert_eq!(bench.done("getUpdates", &json!({})).await, both, "nothing was confirmed");
    let second = &both[1]["update_id"];
    let left = bench.done("getUpdates", &json!({ "offset": second })).await;
    assert_eq!(left, json!([both[1]]));
    assert_eq!(second.as_i64(), both[0]["update_id"].as_i64().map(|id| id + 1));
    let waiting = bench.done("getWebhookInfo", &json!({})).await;
    assert_eq!(waiting["pending_update_count"], 1);
}

#[tokio::test]
async fn a_question_waits_for_an_update_and_a_second_one_sends_it_away() {
    let bench = bench().await;
    let args = json!({ "timeout": 50 });
    let ask = || bench.bot("getUpdates", &args);
    let (first, second) = tokio::join!(ask(), async {
        // The first is at the desk once it has been counted.
        let bots = &bench.sandbox.0.settings.others;
        let Counterpart::Telegram(bot) = &bots[0] else { panic!() };
        while bench.sandbox.0.telegram.polls(&bench.sandbox, bot) == 0 {
            tokio::task::yield_now().await;
        }
        let (answer, _) = tokio::join!(ask(), async {
            while bench.sandbox.0.telegram.polls(&bench.sandbox, bot) < 2 {
                tokio::task::yield_now().await;
            }
            bench.does(Input::Text("/start".into()))
        });
        answer
    });
    assert_eq!(first.0, 409);
    assert!(first.1["description"].as_str().unwrap().starts_with("Conflict: terminated by other"));
    assert_eq!(second.1["result"][0]["message"]["text"], "/start");
}

#[tokio::test]
async fn with_a_webhook_updates_are_posted_with_the_secret_until_they_are_taken() {
    let bench = bench().await;
    bench.does(Input::Text("/start".into()));
    let url = format!("{}/nowhere", bench.base);
    bench.done("setWebhook", &json!({ "url": url, "secret_token": "kunci_1" })).await;
    let conflict = bench.denied("getUpdates", &json!({})).await;
    assert!(conflict.starts_with("Conflict: can't use getUpdates method while webhook is active"));
    let waiting = bench.done("getWebhookInfo", &json!({})).await;
    assert_eq!((&waiting["pending_update_count"], &waiting["url"]), (&json!(1), &json!(url)));
    // Nobody takes it there. Without the webhook it waits to be asked for again.
    bench.done("deleteWebhook", &json!({})).await;
    let updates = bench.done("getUpdates", &json!({ "timeout": 50 })).await;
    assert_eq!(updates[0]["message"]["text"], "/start");
    bench.done("deleteWebhook", &json!({ "drop_pending_updates": true })).await;
    assert_eq!(bench.done("getUpdates", &json!({})).await, json!([]));
}

#[tokio::test]
async fn only_kinds_that_were_asked_for_come() {
    let bench = bench().await;
    bench.done("getUpdates", &json!({ "allowed_updates": ["callback_query"] })).await;
    bench.does(Input::Text("/start".into()));
    assert_eq!(bench.done("getUpdates", &json!({})).await, json!([]));
    bench.done("getUpdates", &json!({ "allowed_updates": ["message"] })).await;
    bench.does(Input::Text("halo".into()));
    assert_eq!(bench.done("getUpdates", &json!({})).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_webhook_needs_https_beyond_this_machine_and_a_plain_secret() {
    let bench = bench().await;
    for (args, description) in [
        (
            json!({ "url": "http://kabar.example.go.id/hook" }),
            "Bad Request: bad webhook: HTTPS url must be provided for webhook",
        ),
        (
            json!({ "url": "https://kabar.example.go.id/hook", "secret_token": "a b" }),
            "Bad Request: secret token contains unallowed characters",
        ),
        (
            json!({ "url": "https://kabar.example.go.id/hook", "secret_token": "x".repeat(257) }),
            "Bad Request: secret token is too long",
        ),
    ] {
        assert_eq!(bench.denied("setWebhook", &args).await, description);
    }
}

#[tokio::test]
async fn a_pressed_button_can_be_acknowledged_once() {
    let bench = bench().await;
    let chat = bench.chat().await;
    let markup = json!({ "inline_keyboard": [[{ "text": "Menu", "callback_data": "do:menu" }]] });
    let args = json!({ "chat_id": chat, "text": "Pilih", "reply_markup": markup });
    let sent = bench.done("sendMessage", &args).await;
    assert_eq!(sent["reply_markup"], markup);
    let press = Input::Press { button_id: "do:menu".into(), message_id: None };
    let id = bench.does(press);
    let updates = bench.done("getUpdates", &json!({})).await;
    let query = &updates[0]["callback_query"];
    assert_eq!((&query["data"], &query["from"]["id"]), (&json!("do:menu"), &json!(chat)));
    assert_eq!(query["message"]["message_id"], sent["message_id"]);
    assert_eq!(query["message"]["reply_markup"], markup);
    let args = json!({ "callback_query_id": query["id"] });
    bench.done("answerCallbackQuery", &args).await;
    assert_eq!(bench.sandbox.phone(SITI).unwrap().bubble(&id).unwrap().mark, Mark::Read);
    let description = bench.denied("answerCallbackQuery", &args).await;
    assert!(description.starts_with("Bad Request: query is too old"), "{description}");
    let nothing = Input::Press { button_id: "do:dance".into(), message_id: None };
    let refused = bench.sandbox.write(SITI, Some("bot-1"), nothing);
    assert_eq!(refused, Err(WriteError::NoSuchButton));
}

#[tokio::test]
async fn sharing_the_number_sends_a_contact_that_is_the_writers_own() {
    let bench = bench().await;
    let chat = bench.chat().await;
    let keyboard = json!([[{ "text": "Bagikan nomor", "request_contact": true }, "Nanti saja"]]);
    let args = json!({ "chat_id": chat, "text": "Nomor?", "reply_markup":
        { "keyboard": keyboard, "one_time_keyboard": true } });
    let sent = bench.done("sendMessage", &args).await;
    assert!(sent.get("reply_markup").is_none(), "keys are not repeated: {sent}");
    bench.does(Input::Press { button_id: "share_phone".into(), message_id: None });
    bench.does(Input::Press { button_id: "Nanti saja".into(), message_id: None });
    let updates = bench.done("getUpdates", &json!({})).await;
    let contact = &updates[0]["message"]["contact"];
    assert_eq!(
        (&contact["phone_number"], &contact["user_id"]),
        (&json!("6281200000001"), &json!(chat))
    );
    assert_eq!(updates[1]["message"]["text"], "Nanti saja");
}

#[tokio::test]
async fn whoever_blocked_the_bot_lets_it_in_again_by_writing() {
    let bench = bench().await;
    let chat = bench.chat().await;
    bench.does(Input::Raw(json!({ "type": "kicked" }).as_object().unwrap().clone()));
    bench.does(Input::Text("halo".into()));
    let photo = json!({ "type": "photo", "photo": [{ "file_id": "x" }], "caption": "kartu" });
    bench.does(Input::Raw(photo.as_object().unwrap().clone()));
    let updates = bench.done("getUpdates", &json!({})).await;
    let status = |at: usize| &updates[at]["my_chat_member"]["new_chat_member"]["status"];
    assert_eq!((status(0), status(1)), (&json!("kicked"), &json!("member")));
    assert_eq!(updates[1]["my_chat_member"]["old_chat_member"]["status"], "kicked");
    assert_eq!(updates[2]["message"]["text"], "halo");
    assert_eq!(updates[3]["message"]["caption"], "kartu");
    bench.done("sendMessage", &json!({ "chat_id": chat, "text": "halo" })).await;
}

#[tokio::test]
async fn a_menu_is_kept_when_its_words_are_small_and_plain() {
    let bench = bench().await;
    let menu = json!([{ "command": "status", "description": "Cek status" }]);
    bench.done("setMyCommands", &json!({ "commands": menu })).await;
    assert_eq!(bench.done("getMyCommands", &json!({})).await, menu);
    for (command, description) in [("Status", "x"), ("cek status", "x"), ("", "x"), ("status", "")]
    {
        let menu = json!([{ "command": command, "description": description }]);
        bench.denied("setMyCommands", &json!({ "commands": menu })).await;
    }
}
