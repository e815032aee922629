//! The form of requests: token, addresses, fields and their limits.

use super::*;

#[tokio::test]
async fn an_accepted_message_gets_an_id_and_its_address_back() {
    let bench = Bench::start().await;
    let (status, answer) = bench.send(&template("+62 812-0000-0001", "any", &["Siti"])).await;
    assert_eq!(status, 200);
    assert_eq!(answer["messaging_product"], "whatsapp");
    assert_eq!(
        answer["contacts"],
        json!([{ "input": "+62 812-0000-0001", "wa_id": "6281200000001" }])
    );
    let id = answer["messages"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("wamid.HBg"), "{id}");
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
    let sent = bench.sandbox.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].message_id.as_deref(), Some(id));
    assert_eq!(sent[0].phone.as_deref(), Some("6281200000001"));
    assert_eq!(sent[0].body["biz_opaque_callback_data"], "msg_1");
}

#[tokio::test]
async fn a_wrong_token_gets_190_and_a_strange_number_100_with_subcode_33() {
    let bench = Bench::start().await;
    let url = format!("{}/v25.0/number-1/messages", bench.base);
    let body = text(SITI, "halo");
    for request in [
        bench.http.post(&url),
        bench.http.post(&url).bearer_auth("no"),
        bench.http.post(&url).basic_auth("a", Some(TOKEN)),
    ] {
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["code"], 190);
    }
    let url = format!("{}/v25.0/elsewhere/messages", bench.base);
    let answer = bench.http.post(url).bearer_auth(TOKEN).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"]["code"], 100);
    assert_eq!(answer["error"]["error_subcode"], 33);
    assert_eq!(bench.sandbox.sent().len(), 0);
}

#[tokio::test]
async fn a_number_without_plus_goes_to_a_stranger() {
    let bench = Bench::start().await;
    let (_, answer) = bench.send(&template("81200000001", "any", &["Siti"])).await;
    assert_eq!(answer["contacts"][0]["wa_id"], "6281200000001");
    let (_, answer) = bench.send(&template("6281200000001", "any", &["Siti"])).await;
    assert_eq!(answer["contacts"][0]["wa_id"], "626281200000001");
    assert!(bench.sandbox.phone("+626281200000001").unwrap().is_stranger);
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    assert!(!bench.sandbox.phone(SITI).unwrap().is_stranger);
}

#[tokio::test]
async fn every_field_that_is_missing_or_wrong_has_its_code() {
    let bench = Bench::start().await;
    bench.writes(SITI, "halo").await;
    let with = |fields: Value| {
        let mut body = json!({ "messaging_product": "whatsapp", "to": SITI });
        for (key, value) in fields.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let cases = [
        (json!({ "to": SITI, "text": { "body": "x" } }), 100),
        (json!([]), 100),
        (json!({ "messaging_product": "whatsapp", "text": { "body": "x" } }), 100),
        (with(json!({ "to": 62 })), 100),
        (with(json!({ "to": "siti" })), 131_009),
        (with(json!({ "to": "+62" })), 131_009),
        (with(json!({ "to": "+62 321 000000", "text": { "body": "x" } })), 131_021),
        (with(json!({ "to": null, "recipient": "siti" })), 131_009),
        (with(json!({ "to": null, "recipient": "ID.123" , "text": { "body": "x" } })), 131_026),
        (with(json!({})), 131_008),
        (with(json!({ "text": "x" })), 100),
        (with(json!({ "text": { "body": " " } })), 131_008),
        (with(json!({ "text": { "body": "x".repeat(4_097) } })), 100),
        (with(json!({ "text": { "body": "x" }, "recipient_type": "group" })), 100),
        (
            with(json!({ "text": { "body": "x" }, "biz_opaque_callback_data": "x".repeat(513) })),
            100,
        ),
        (with(json!({ "text": { "body": "x" }, "context": {} })), 131_008),
        (with(json!({ "type": "hologram" })), 131_051),
        (
            with(json!({ "type": "location", "location": { "latitude": 91, "longitude": 0 } })),
            131_009,
        ),
        (with(json!({ "type": "document", "document": {} })), 131_008),
        (with(json!({ "type": "template", "template": { "name": "a" } })), 131_008),
        (with(json!({ "status": "gone" })), 131_009),
    ];
    for (body, code) in cases {
        assert_eq!(bench.refused(&body).await, code, "{body}");
    }
    let raw = bench.request(&json!({})).body("{no json").send().await.unwrap();
    assert_eq!(raw.status(), 400);
    bench.accepted(&with(json!({ "text": { "body": "é".repeat(4_096) } }))).await;
    let place = json!({ "latitude": "-7.5", "longitude": 112.2, "name": "Balai Desa" });
    bench.accepted(&with(json!({ "type": "location", "location": place }))).await;
}

#[tokio::test]
async fn buttons_and_lists_keep_their_limits() {
    let bench = Bench::start().await;
    bench.writes(SITI, "halo").await;
    let wrap = |interactive: Value| {
        json!({ "messaging_product": "whatsapp", "to": SITI,
        "type": "interactive", "interactive": interactive })
    };
    let buttons = |titles: &[&str]| {
        let buttons: Vec<Value> = (0..titles.len())
            .map(|i| json!({ "type": "reply", "reply": { "id": i.to_string(), "title": titles[i] } }))
            .collect();
        wrap(
            json!({ "type": "button", "body": { "text": "Pilih" }, "action": { "buttons": buttons } }),
        )
    };
    let list = |titles: &[String]| {
        let rows: Vec<Value> =
            (0..titles.len()).map(|i| json!({ "id": i.to_string(), "title": titles[i] })).collect();
        wrap(json!({ "type": "list", "body": { "text": "Pilih" },
            "action": { "button": "Buka", "sections": [{ "title": "A", "rows": rows }] } }))
    };
    bench.accepted(&buttons(&["satu", "dua", "12345678901234567890"])).await;
    let titles: Vec<String> = (0..10).map(|i| format!("baris {i:018}")).collect();
    bench.accepted(&list(&titles)).await;
    let many: Vec<String> = (0..11).map(|i| i.to_string()).collect();
    for body in [
        buttons(&[]),
        buttons(&["a", "b", "c", "d"]),
        buttons(&["a", "a"]),
        buttons(&["123456789012345678901"]),
        list(&[]),
        list(&many),
        list(&["1234567890123456789012345".to_owned()]),
        wrap(json!({ "type": "sphere", "body": { "text": "x" } })),
    ] {
        assert_eq!(bench.refused(&body).await, 131_009, "{body}");
    }
    let phone = bench.sandbox.phone(SITI).unwrap();
    assert_eq!(phone.bubbles[1].buttons.len(), 3);
    assert_eq!(phone.bubbles[2].menu.as_ref().unwrap().rows.len(), 10);
}

#[tokio::test]
async fn templates_are_filled_or_refused_with_the_code_of_their_fault() {
    let bench = Bench::start_with(|settings| {
        let mut printed = Template::new("printed", "id", "Halo {{1}}, Ref {{2}}. Salam {{1}}.");
        printed.buttons = vec!["Ada".into(), "Ganti hari".into()];
        settings.templates = vec![printed, Template::new("named", "id", "Halo {{nama}}.")];
    })
    .await;
    bench.accepted(&template(SITI, "printed", &["Siti", "K7"])).await;
    let phone = bench.sandbox.phone(SITI).unwrap();
    assert_eq!(phone.bubbles[0].text, "Halo Siti, Ref K7. Salam Siti.");
    assert_eq!(phone.bubbles[0].buttons[1].id, "Ganti hari");
    let mut named = template(SITI, "named", &["Siti"]);
    named["template"]["components"][0]["parameters"][0]["parameter_name"] = "nama".into();
    bench.accepted(&named).await;

    let mut mixed = template(SITI, "printed", &["Siti", "K7"]);
    mixed["template"]["components"][0]["parameters"][0]["parameter_name"] = "nama".into();
    let mut other_language = template(SITI, "printed", &["Siti", "K7"]);
    other_language["template"]["language"]["code"] = "jv".into();
    let cases = [
        (template(SITI, "printed", &["Siti"]), 132_000),
        (template(SITI, "gone", &[]), 132_001),
        (other_language, 132_001),
        (template(SITI, "printed", &[&"x".repeat(1_000), "K7"]), 132_005),
        (mixed, 132_012),
        (template(SITI, "named", &["Siti"]), 132_012),
        (template(SITI, "printed", &["Siti\nAminah", "K7"]), 132_018),
        (template(SITI, "printed", &["Siti\tA", "K7"]), 132_018),
        (template(SITI, "printed", &["Siti     A", "K7"]), 132_018),
        (template(SITI, "printed", &["", "K7"]), 131_008),
    ];
    for (body, code) in cases {
        assert_eq!(bench.refused(&body).await, code, "{body}");
    }
}

#[tokio::test]
async fn accounts_and_templates_can_be_looked_up() {
    let bench = Bench::start_with(|settings| {
        settings.templates = vec![Template::new("printed", "id", "Halo {{1}}.")];
    })
    .await;
    let get = async |path: &str| {
        let url = format!("{}/v25.0/{path}", bench.base);
        let answer = bench.http.get(url).bearer_auth(TOKEN).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, number) = get("number-1?fields=id").await;
    assert_eq!((status, &number["quality_rating"]), (200, &json!("GREEN")));
    assert_eq!(number["display_phone_number"], "+62 321 000000");
    let (_, templates) = get("waba-1/message_templates").await;
    assert_eq!(templates["data"][0]["status"], "APPROVED");
    assert_eq!(templates["data"][0]["parameter_format"], "POSITIONAL");
    assert_eq!(get("waba-1").await.0, 200);
    assert_eq!(get("waba-1/phone_numbers").await.1["data"][0]["id"], "number-1");
    assert_eq!(get("elsewhere").await.0, 400);
    let (_, token) = get("debug_token?input_token=token-1").await;
    assert_eq!(token["data"]["is_valid"], true);
    assert_eq!(get("debug_token?input_token=x").await.1["data"]["is_valid"], false);
}
