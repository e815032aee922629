//! What the business hears: receipts and messages, escaped, signed, again until taken.

use super::*;

#[test]
fn signatures_are_those_of_the_known_vectors() {
    let cases = [
        (
            r#"{"object":"whatsapp_business_account"}"#,
            "b6978b21c4467654c466607663db9b43fae44b71083568df403e0a077089208e",
        ),
        (
            r#"{"message":"caf\u00e9"}"#,
            "5980113abfc4ffe911f1ae78f92dcf41e10b7d6bc792efd48dfe9ee94131aaf4",
        ),
    ];
    for (body, hex) in cases {
        let signature = whatsapp::signature("test-app-secret", body.as_bytes());
        assert_eq!(signature, format!("sha256={hex}"));
    }
}

#[test]
fn everything_beyond_ascii_is_escaped_in_lowercase_with_surrogates() {
    let escaped = whatsapp::escape(&json!({ "é": "a\u{0}\"\\ \u{1F355} –" }));
    assert_eq!(escaped, r#"{"\u00e9":"a\u0000\"\\ \ud83c\udf55 \u2013"}"#);
}

proptest::proptest! {
    #[test]
    fn escaping_changes_bytes_but_not_the_value(text: String) {
        let value = json!({ "text": text });
        let escaped = whatsapp::escape(&value);
        proptest::prop_assert!(escaped.is_ascii());
        proptest::prop_assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
    }
}

#[tokio::test]
async fn a_message_comes_signed_over_its_exact_escaped_bytes() {
    let bench = Bench::start().await;
    bench.sandbox.add_phone(SITI, Some("Siti"), false).unwrap();
    let id = bench.writes(SITI, "terima kasih 🙏 \u{0}").await;
    let bodies = bench.hook.take();
    assert_eq!(bodies.len(), 1);
    let (signature, body) = &bodies[0];
    assert_eq!(*signature, whatsapp::signature(SECRET, body));
    assert!(String::from_utf8_lossy(body).contains(r"terima kasih \ud83d\ude4f \u0000"));
    let value = &changes(&serde_json::from_slice(body).unwrap())[0];
    assert_eq!(value["metadata"]["phone_number_id"], "number-1");
    assert_eq!(value["metadata"]["display_phone_number"], "62321000000");
    assert_eq!(value["contacts"][0]["profile"]["name"], "Siti");
    assert_eq!(value["contacts"][0]["wa_id"], "6281200000001");
    assert_eq!(value["messages"][0]["from"], "6281200000001");
    assert_eq!(value["messages"][0]["id"], id.as_str());
    assert_eq!(value["messages"][0]["timestamp"], "1795000000");
    assert_eq!(value["messages"][0]["text"]["body"], "terima kasih 🙏 \u{0}");
}

#[tokio::test]
async fn receipts_come_in_order_with_echo_and_price_and_read_when_opened() {
    let bench = Bench::start().await;
    let id = bench.accepted(&template(SITI, "any", &["Siti"])).await;
    bench.sandbox.idle().await;
    let values = bench.hook.values();
    let statuses: Vec<&Value> = values.iter().map(|value| &value["statuses"][0]).collect();
    assert_eq!(statuses.len(), 2);
    for (status, word) in statuses.iter().zip(["sent", "delivered"]) {
        assert_eq!(status["status"], word);
        assert_eq!(status["id"], id.as_str());
        assert_eq!(status["recipient_id"], "6281200000001");
        assert_eq!(status["biz_opaque_callback_data"], "msg_1");
        assert_eq!(status["pricing"]["category"], "utility");
        assert_eq!(status["pricing"]["billable"], true);
    }
    bench.sandbox.read(SITI);
    bench.sandbox.idle().await;
    let values = bench.hook.values();
    assert_eq!(values[0]["statuses"][0]["status"], "read");
    assert_eq!(values[0]["statuses"][0]["biz_opaque_callback_data"], "msg_1");
    assert_eq!(values.len(), 1);
    bench.sandbox.read(SITI);
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.take().len(), 0);
}

#[tokio::test]
async fn with_auto_read_a_message_is_read_by_itself() {
    let bench = Bench::start_with(|settings| settings.auto_read = true).await;
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.receipts(), ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn a_reply_inside_the_window_was_free_before_october_2026() {
    let bench = Bench::start().await;
    for (day, billable, kind) in
        [("2026-09-30", false, "free_customer_service"), ("2026-10-01", true, "regular")]
    {
        let at = format!("{day}T12:00:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        bench.clock.0.store(at.timestamp_millis(), Ordering::SeqCst);
        bench.writes(SITI, "halo").await;
        bench.hook.take();
        bench.accepted(&text(SITI, "halo juga")).await;
        bench.sandbox.idle().await;
        let pricing = bench.hook.values()[0]["statuses"][0]["pricing"].clone();
        assert_eq!(pricing["billable"], billable);
        assert_eq!(pricing["type"], kind);
        assert_eq!(pricing["category"], "service");
    }
}

#[tokio::test]
async fn a_webhook_comes_again_the_same_until_it_is_answered_with_200() {
    let bench = Bench::start().await;
    bench.hook.answers.lock().unwrap().extend([500, 503, 204]);
    bench.writes(SITI, "halo").await;
    let bodies = bench.hook.take();
    assert_eq!(bodies.len(), 4);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(bench.sandbox.phone(SITI).unwrap().bubbles[0].mark, Mark::Delivered);
}

#[tokio::test]
async fn messages_of_one_phone_stay_in_order_even_when_the_first_is_refused() {
    let bench = Bench::start().await;
    bench.hook.answers.lock().unwrap().extend([500]);
    for word in ["satu", "dua", "tiga"] {
        bench.sandbox.write(SITI, None, Input::Text(word.into())).unwrap();
    }
    bench.sandbox.idle().await;
    let values = bench.hook.values();
    let words: Vec<&str> =
        values.iter().map(|value| value["messages"][0]["text"]["body"].as_str().unwrap()).collect();
    assert_eq!(words, ["satu", "satu", "dua", "tiga"]);
}

#[tokio::test]
async fn pressing_a_button_or_a_row_says_which_message_it_answers() {
    let bench = Bench::start_with(|settings| {
        let mut template = Template::new("visit", "id", "Apakah ada yang di rumah?");
        template.buttons = vec!["Ada".into()];
        settings.templates = vec![template];
    })
    .await;
    let mut body = template(SITI, "visit", &[]);
    body["template"]["components"] = json!([{ "type": "button", "sub_type": "quick_reply",
        "index": "0", "parameters": [{ "type": "payload", "payload": "HOME" }] }]);
    let template_id = bench.accepted(&body).await;
    bench.sandbox.idle().await;
    bench.hook.take();
    let press = |id: &str| Input::Press { button_id: id.into(), message_id: None };
    bench.sandbox.write(SITI, None, press("HOME")).unwrap();
    bench.sandbox.idle().await;
    let values = bench.hook.values();
    // Pressing opens the chat first: a read receipt comes along.
    let message = values.iter().find_map(|value| value["messages"].get(0)).unwrap();
    assert_eq!(message["type"], "button");
    assert_eq!(message["button"], json!({ "payload": "HOME", "text": "Ada" }));
    assert_eq!(message["context"], json!({ "from": "62321000000", "id": template_id }));

    let list = json!({ "messaging_product": "whatsapp", "to": SITI, "type": "interactive",
        "interactive": { "type": "list", "body": { "text": "Pilih" }, "action": { "button": "Buka",
            "sections": [{ "rows": [{ "id": "r1", "title": "KTP hilang", "description": "Syarat" }] }] } } });
    bench.accepted(&list).await;
    bench.sandbox.idle().await;
    bench.hook.take();
    bench.sandbox.write(SITI, None, press("r1")).unwrap();
    bench.sandbox.idle().await;
    let values = bench.hook.values();
    let message = values.iter().find_map(|value| value["messages"].get(0)).unwrap();
    let reply = json!({ "id": "r1", "title": "KTP hilang", "description": "Syarat" });
    assert_eq!(message["interactive"], json!({ "type": "list_reply", "list_reply": reply }));
    let gone = bench.sandbox.write(SITI, None, press("gone"));
    assert_eq!(gone, Err(WriteError::NoSuchButton));
}

#[tokio::test]
async fn the_control_api_does_what_a_hand_at_the_page_does() {
    let bench = Bench::start().await;
    let url = |path: &str| format!("{}/control/{path}", bench.base);
    let post = async |path: &str, body: Value| {
        let answer = bench.http.post(url(path)).json(&body).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(post("phones", json!({ "number": "0812-0000-0001", "name": "Siti" })).await, 200);
    assert_eq!(post("phones", json!({ "number": "Siti" })).await, 422);
    assert_eq!(post("phones/081200000001/write", json!({ "text": "halo" })).await, 200);
    assert_eq!(post("phones/081200000001/write", json!({ "text": "" })).await, 422);
    assert_eq!(post("phones/081200000001/write", json!({})).await, 422);
    assert_eq!(post("phones/081200000001/write", json!({ "button_id": "x" })).await, 404);
    assert_eq!(post("phones/081200000001/write", json!({ "text": "x", "to": "y" })).await, 404);
    let raw = json!({ "raw": { "type": "sticker", "sticker": { "id": "1" } } });
    assert_eq!(post("phones/081200000001/write", raw).await, 200);
    assert_eq!(post("faults", json!({ "kind": "silent", "count": 2 })).await, 204);
    assert_eq!(post("faults", json!([{ "kind": "hologram" }])).await, 422);
    bench.sandbox.idle().await;
    let get = async |path: &str| {
        bench.http.get(url(path)).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let phones = get("phones?q=0812&messages=1").await;
    assert_eq!(phones["phones"][0]["name"], "Siti");
    assert_eq!(phones["phones"][0]["bubbles"].as_array().unwrap().len(), 1);
    let since = phones["revision"].as_u64().unwrap();
    assert_eq!(get(&format!("phones?since={since}")).await["phones"], json!([]));
    assert_eq!(get("phones?q=budi").await["matching"], 0);
    assert_eq!(get("faults").await[0]["kind"], "silent");
    bench.http.delete(url("faults")).send().await.unwrap();
    assert_eq!(get("faults").await, json!([]));
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    assert_eq!(get("sent").await.as_array().unwrap().len(), 1);
    assert_eq!(post("reset", json!({})).await, 204);
    assert_eq!(get("phones").await["total"], 0);
    let page = bench.http.get(&bench.base).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<html"));
    for secret in [TOKEN, SECRET] {
        assert!(!get("phones").await.to_string().contains(secret));
    }
}

#[tokio::test]
async fn an_open_event_stream_tells_of_changes_and_ends_at_shutdown() {
    let bench = Bench::start().await;
    let url = format!("{}/control/events", bench.base);
    let mut stream = bench.http.get(url).send().await.unwrap();
    let first = stream.chunk().await.unwrap().unwrap();
    assert_eq!(first, "data: 0\n\n");
    bench.sandbox.add_phone(SITI, None, false).unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: 1\n\n");
    bench.sandbox.0.closing.cancel();
    assert_eq!(stream.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let bench = Bench::start().await;
    let answer = bench.request(&text(SITI, &"x".repeat(MAX_BODY))).send().await.unwrap();
    assert_eq!(answer.status(), 413);
}
