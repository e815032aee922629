//! Updates of every form, and what strangers may send.

use http::{HeaderMap, Method};

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

fn taken(update: &Value) -> RawEvent {
    event(update.clone(), NOW).0
}

fn understood(update: &Value) -> Event {
    read(&taken(update).payload)
}

fn message(fields: &Value) -> Value {
    let mut message = json!({"message_id": 7, "date": 1_763_700_000,
        "chat": {"id": 700_123, "type": "private", "first_name": "Siti"},
        "from": {"id": 700_123, "is_bot": false, "first_name": "Siti", "language_code": "id"}});
    for (key, value) in fields.as_object().unwrap() {
        message[key] = value.clone();
    }
    json!({"update_id": 1000, "message": message})
}

fn body_of(fields: &Value) -> InboundBody {
    match understood(&message(fields)) {
        Event::Message(inbound) => inbound.body,
        other => panic!("{other:?}"),
    }
}

fn siti() -> Recipient {
    Recipient { chat: ChatId::new(700_123), ..Recipient::default() }
}

fn knock(
    secret: Option<&str>,
    given: Option<&'static str>,
    body: &[u8],
) -> Result<Taken, HookRefusal> {
    let mut headers = HeaderMap::new();
    if let Some(given) = given {
        headers.insert(SECRET_HEADER, http::HeaderValue::from_static(given));
    }
    receive(
        secret,
        &HookRequest {
            method: &Method::POST,
            tail: "",
            query: "",
            url: "https://kabar.example.go.id/hooks/telegram/bot",
            now: NOW,
            headers: &headers,
            body,
        },
    )
}

#[test]
fn only_who_knows_the_secret_gets_in() {
    assert!(knock(Some("kunci_1"), Some("kunci_1"), b"{}").is_ok());
    for (secret, given) in [
        (Some("kunci_1"), Some("kunci_2")),
        (Some("kunci_1"), Some("kunci_")),
        (Some("kunci_1"), Some("")),
        (Some("kunci_1"), None),
        (None, Some("kunci_1")),
        (None, None),
    ] {
        assert_eq!(knock(secret, given, b"{}"), Err(HookRefusal::Unsigned), "{secret:?} {given:?}");
    }
}

#[test]
fn only_posts_to_the_address_itself_are_taken() {
    let mut headers = HeaderMap::new();
    headers.insert(SECRET_HEADER, http::HeaderValue::from_static("kunci"));
    let request = HookRequest {
        method: &Method::POST,
        tail: "more",
        query: "",
        url: "",
        now: NOW,
        headers: &headers,
        body: b"{}",
    };
    assert_eq!(receive(Some("kunci"), &request), Err(HookRefusal::NotFound));
    let request = HookRequest { method: &Method::GET, tail: "", ..request };
    assert_eq!(receive(Some("kunci"), &request), Err(HookRefusal::Forbidden));
}

#[test]
fn a_text_is_read_with_its_writer_and_its_time_and_a_repeat_has_the_same_key() {
    let update = message(&json!({"text": "/start ABCD"}));
    let Event::Message(inbound) = understood(&update) else { panic!() };
    assert_eq!(inbound.from, siti());
    assert_eq!(inbound.sent_at, Timestamp::from_ms(1_763_700_000_000));
    assert_eq!(inbound.body, InboundBody::Text(MessageText::new("/start ABCD")));
    let raw = taken(&update);
    assert_eq!((raw.key.as_str(), raw.kind), ("u:1000", RawKind::Message));
    assert_eq!(event(update, NOW.after(std::time::Duration::from_secs(9))).0.key, raw.key);
}

#[test]
fn a_nik_does_not_get_past_the_door() {
    for fields in [
        json!({"text": "NIK 3517091204560001"}),
        json!({"photo": [], "caption": "3517 0912 0456 0001"}),
        json!({"document": {"file_name": "3517091204560001.pdf", "file_id": "x"}}),
        json!({"text": "x", "reply_to_message": {"text": "3517091204560001"}}),
    ] {
        let payload = taken(&message(&fields)).payload;
        assert!(!payload.replace(' ', "").contains("3517091204560001"), "{payload}");
    }
    let (raw, _) = knock(Some("k"), Some("k"), b"no json 3517091204560001").unwrap();
    assert!(!raw.payload.contains("3517091204560001"), "{}", raw.payload);
}

#[test]
fn what_cannot_be_read_is_said_to_be_so_and_notes_of_telegram_are_silent() {
    let caption = body_of(&json!({"photo": [{}], "caption": "KTP saya"}));
    assert_eq!(caption, InboundBody::Text(MessageText::new("KTP saya")));
    for kind in MEDIA {
        let fields = Value::Object([((*kind).to_owned(), json!({}))].into_iter().collect());
        assert_eq!(body_of(&fields), InboundBody::Unreadable, "{kind}");
    }
    for kind in ["pinned_message", "write_access_allowed", "message_auto_delete_timer_changed"] {
        let fields = Value::Object([(kind.to_owned(), json!({}))].into_iter().collect());
        assert_eq!(body_of(&fields), InboundBody::Silent, "{kind}");
    }
}

fn press(message: &Value) -> Value {
    json!({"update_id": 1001, "callback_query": {"id": "4382934720153342", "data": "do:menu",
        "chat_instance": "1", "message": message,
        "from": {"id": 700_123, "is_bot": false, "first_name": "Siti"}}})
}

#[test]
fn a_pressed_button_is_a_choice_with_its_label_at_the_time_it_came() {
    let update = press(&json!({"message_id": 9, "date": 1_700_000_000,
        "chat": {"id": 700_123, "type": "private"},
        "reply_markup": {"inline_keyboard": [[{"text": "Cek status", "callback_data": "do:status"}],
                                             [{"text": "Menu", "callback_data": "do:menu"}]]}}));
    let (raw, pressed) = event(update, NOW);
    assert_eq!(pressed.as_deref(), Some("4382934720153342"));
    let Event::Message(inbound) = read(&raw.payload) else { panic!() };
    let title = MessageText::new("Menu");
    assert_eq!(inbound.body, InboundBody::Choice { id: "do:menu".to_owned(), title });
    assert_eq!(inbound.sent_at, NOW);
}

#[test]
fn a_button_on_a_message_that_is_gone_is_named_by_its_id() {
    let update =
        press(&json!({"message_id": 9, "date": 0, "chat": {"id": 700_123, "type": "private"}}));
    let Event::Message(inbound) = understood(&update) else { panic!() };
    let title = MessageText::new("do:menu");
    assert_eq!(inbound.body, InboundBody::Choice { id: "do:menu".to_owned(), title });
}

#[test]
fn only_the_writers_own_contact_proves_a_number() {
    for number in ["6281234567890", "+6281234567890", "+62 812-3456-7890"] {
        let own =
            json!({"contact": {"phone_number": number, "first_name": "Siti", "user_id": 700_123}});
        let Event::Phone(proof) = understood(&message(&own)) else { panic!("{number}") };
        assert_eq!((proof.from, proof.phone.expose()), (siti(), "+6281234567890"));
    }
    for other in [
        json!({"phone_number": "6281234567890", "user_id": 700_124}),
        json!({"phone_number": "6281234567890"}),
        json!({"phone_number": "halo", "user_id": 700_123}),
    ] {
        let update = message(&json!({"contact": other}));
        let Event::Message(inbound) = understood(&update) else { panic!("{other}") };
        assert_eq!(inbound.body, InboundBody::Unreadable);
        assert!(!taken(&update).payload.contains("6281234567890"), "{other}");
    }
}

#[test]
fn who_blocks_the_bot_opts_out_and_who_unblocks_it_comes_back() {
    let change = |kind: &str, status: &str| {
        json!({"update_id": 1002, "my_chat_member": {"date": 1_763_700_000,
            "chat": {"id": 700_123, "type": kind}, "from": {"id": 700_123, "is_bot": false},
            "new_chat_member": {"status": status, "user": {"id": 1, "is_bot": true}}}})
    };
    for (status, is_over) in [("kicked", false), ("member", true)] {
        let expected = Event::OptOut(OptOut { from: siti(), is_over });
        assert_eq!(understood(&change("private", status)), expected);
    }
    assert_eq!(understood(&change("private", "new word")), Event::Other);
    assert_eq!(understood(&change("group", "kicked")), Event::Other);
}

#[test]
fn groups_channels_bots_edits_and_news_are_kept_and_never_answered() {
    let mut group = message(&json!({"text": "halo"}));
    group["message"]["chat"] = json!({"id": -100_123, "type": "supergroup"});
    let mut bot = message(&json!({"text": "halo"}));
    bot["message"]["from"]["is_bot"] = true.into();
    let mut nobody = message(&json!({"text": "halo"}));
    nobody["message"]["from"] = Value::Null;
    let inline = press(&Value::Null);
    let edited =
        json!({"update_id": 5, "edited_message": message(&json!({"text": "x"}))["message"]});
    let news = json!({"update_id": 6, "hologram": {"waves": true}});
    for update in [group, bot, nobody, inline, edited, news, json!([]), json!(3)] {
        let raw = taken(&update);
        assert_eq!(raw.kind, RawKind::Other, "{update}");
        assert_eq!(read(&raw.payload), Event::Other, "{update}");
    }
    assert!(taken(&json!({"update_id": 6, "hologram": {"waves": true}})).payload.contains("waves"));
}

#[test]
fn what_has_no_id_is_told_apart_by_its_content() {
    let one = taken(&json!({"a": 1}));
    assert_eq!(one.key, taken(&json!({"a": 1})).key);
    assert_ne!(one.key, taken(&json!({"a": 2})).key);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(raw: Vec<u8>) {
        let (event, _) = knock(Some("k"), Some("k"), &raw).unwrap();
        let _ = read(&event.payload);
        let _ = read(&String::from_utf8_lossy(&raw));
    }

    #[test]
    fn no_values_in_known_places_make_it_panic(id: i64, date: i64, chat: i64, text: String) {
        let mut update = message(&serde_json::json!({"text": text}));
        update["update_id"] = id.into();
        update["message"]["date"] = date.into();
        update["message"]["chat"]["id"] = chat.into();
        let is_private = chat > 0;
        let read = understood(&update);
        proptest::prop_assert_eq!(matches!(read, Event::Message(_)), is_private);
    }
}

#[test]
fn a_nik_that_is_looked_for_is_handed_over_apart_and_stands_nowhere_else() {
    const NIK: &str = "3517091204560001";
    let said = |chat: &str, text: &str| {
        let update = json!({ "update_id": 7, "message": {
            "message_id": 1, "date": 1_795_000_000, "text": text,
            "chat": { "id": 5, "type": chat }, "from": { "id": 5, "is_bot": false } } });
        taken(&update)
    };
    for text in [format!("/kartu {NIK}"), "/Kartu@kabar_bot 3517 0912 0456 0001".to_owned()] {
        let event = said("private", &text);
        assert_eq!(event.sought, Nik::parse(NIK).ok(), "{text}");
        assert!(!event.payload.contains("0456"), "{}", event.payload);
    }
    for (chat, text) in [
        ("private", NIK.to_owned()),
        ("private", format!("/status {NIK}")),
        ("private", format!("/kartu saya {NIK}")),
        ("group", format!("/kartu {NIK}")),
    ] {
        let event = said(chat, &text);
        assert_eq!(event.sought, None, "{text}");
        assert!(!event.payload.contains(NIK), "{}", event.payload);
    }
}
