//! The rules of the moment: service window, pair rate, who can be reached.

use super::*;

#[tokio::test]
async fn free_text_is_refused_until_the_citizen_writes_and_again_after_24_hours() {
    let bench = Bench::start().await;
    let body = text(SITI, "halo");
    assert_eq!(bench.refused(&body).await, 131_047);
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    assert_eq!(bench.refused(&body).await, 131_047);
    bench.writes(SITI, "sudah jadi?").await;
    bench.advance(24 * 3_600 - 1);
    bench.accepted(&body).await;
    bench.advance(1);
    assert_eq!(bench.refused(&body).await, 131_047);
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
}

#[tokio::test]
async fn the_46th_message_at_once_is_too_much_for_one_citizen_only() {
    let bench = Bench::start().await;
    let body = template(SITI, "any", &["Siti"]);
    for _ in 0..45 {
        bench.accepted(&body).await;
    }
    let answer = bench.request(&body).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "6");
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], 131_056);
    bench.accepted(&template("+6281200000002", "any", &["Budi"])).await;
    bench.advance(6);
    bench.accepted(&body).await;
    assert_eq!(bench.refused(&body).await, 131_056);
}

#[tokio::test]
async fn a_citizen_who_hides_the_number_is_known_and_reached_by_user_id() {
    let bench = Bench::start().await;
    bench.sandbox.add_phone(SITI, Some("Siti"), true).unwrap();
    bench.writes(SITI, "halo").await;
    let value = bench.hook.values().remove(0);
    let user_id = value["contacts"][0]["user_id"].as_str().unwrap().to_owned();
    assert!(user_id.starts_with("ID."), "{user_id}");
    assert_eq!(value["contacts"][0].get("wa_id"), None);
    assert_eq!(value["messages"][0].get("from"), None);
    assert_eq!(value["messages"][0]["from_user_id"], user_id.as_str());

    let mut body = text("", "halo juga");
    body["recipient"] = user_id.clone().into();
    let (status, answer) = bench.send(&body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["contacts"], json!([{ "input": user_id, "user_id": user_id }]));
    bench.sandbox.idle().await;
    let receipt = &bench.hook.values()[0]["statuses"][0];
    assert_eq!(receipt.get("recipient_id"), None);
    assert_eq!(receipt["recipient_user_id"], user_id.as_str());
}

#[tokio::test]
async fn marking_read_turns_the_ticks_blue_and_shows_typing() {
    let bench = Bench::start().await;
    let id = bench.writes(SITI, "halo").await;
    let body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id,
        "typing_indicator": { "type": "text" } });
    assert_eq!(bench.send(&body).await, (200, json!({ "success": true })));
    let phone = bench.sandbox.phone(SITI).unwrap();
    assert_eq!(phone.bubbles[0].mark, Mark::Read);
    assert!(phone.typing_until_ms > bench.clock.now().as_ms());
    let strange = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "x" });
    assert_eq!(bench.refused(&strange).await, 131_009);
}
