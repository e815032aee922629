//! Each fault does what it is called.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

#[tokio::test]
async fn silent_means_accepted_without_any_receipt() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "silent", "count": 1 }));
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.take().len(), 0);
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.receipts(), ["sent", "delivered"]);
}

#[tokio::test]
async fn an_early_status_is_there_before_the_answer() {
    let bench = Bench::start_with(|settings| settings.pace = Duration::from_secs(600)).await;
    bench.fault(json!({ "kind": "early_status" }));
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    assert_eq!(bench.hook.receipts(), ["sent"]);
}

#[tokio::test]
async fn receipts_are_doubled_turned_round_or_without_delivered() {
    let cases: [(&str, &[&str]); 3] = [
        ("duplicate_status", &["sent", "sent", "delivered", "delivered"]),
        ("reorder_status", &["delivered", "sent"]),
        ("skip_delivered", &["sent", "read"]),
    ];
    let bench = Bench::start().await;
    for (kind, words) in cases {
        bench.fault(json!({ "kind": kind }));
        bench.accepted(&template(SITI, "any", &["Siti"])).await;
        bench.sandbox.idle().await;
        assert_eq!(bench.hook.receipts(), words, "{kind}");
    }
}

#[tokio::test]
async fn a_message_is_refused_at_once_or_fails_later_with_the_code_asked_for() {
    let bench = Bench::start().await;
    bench.writes(SITI, "halo").await;
    bench.hook.take();
    bench.fault(json!({ "kind": "refuse" }));
    assert_eq!(bench.refused(&text(SITI, "x")).await, 131_047);
    bench.fault(json!({ "kind": "refuse", "code": 131_000 }));
    let (status, answer) = bench.send(&text(SITI, "x")).await;
    assert_eq!((status, &answer["error"]["code"]), (500, &json!(131_000)));
    assert_eq!(answer["error"]["message"], "(#131000) Something went wrong");
    bench.fault(json!({ "kind": "fail" }));
    bench.accepted(&text(SITI, "x")).await;
    bench.sandbox.idle().await;
    let values = bench.hook.values();
    assert_eq!(values.len(), 1);
    let status = &values[0]["statuses"][0];
    assert_eq!(status["status"], "failed");
    assert_eq!(status["errors"][0]["code"], 131_049);
    assert_eq!(status.get("recipient_user_id"), None);
    assert_eq!(values[0].get("contacts"), None);
    let bubble = bench.sandbox.phone(SITI).unwrap().bubbles[1].clone();
    assert_eq!((bubble.mark, bubble.error_code), (Mark::Failed, Some(131_049)));
}

#[tokio::test]
async fn throttling_lasts_its_seconds_and_says_when_to_come_again() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "throttle", "seconds": 30 }));
    bench.advance(10);
    let body = template(SITI, "any", &["Siti"]);
    let answer = bench.request(&body).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "20");
    assert!(answer.headers().contains_key("x-business-use-case-usage"));
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], 130_429);
    bench.advance(20);
    bench.accepted(&body).await;
}

#[tokio::test]
async fn the_pair_limit_strikes_one_phone() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "pair_limit", "phone": SITI }));
    assert_eq!(bench.refused(&template(SITI, "any", &["Siti"])).await, 131_056);
    bench.accepted(&template("+6281200000002", "any", &["Budi"])).await;
}

#[tokio::test]
async fn an_error_after_accepting_hides_a_message_that_was_taken() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "error_after_accept", "status": 503 }));
    let (status, answer) = bench.send(&template(SITI, "any", &["Siti"])).await;
    assert_eq!((status, &answer["error"]["code"]), (503, &json!(131_000)));
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.receipts(), ["sent", "delivered"]);
    assert!(bench.sandbox.sent()[0].message_id.is_some());
}

#[tokio::test]
async fn hanging_up_closes_the_connection_without_one_byte() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "hang_up" }));
    let error = bench.request(&template(SITI, "any", &["Siti"])).send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");

    let body = template(SITI, "any", &["Siti"]).to_string();
    let address = bench.base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v25.0/number-1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good a hang-up as an end.
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.receipts().len(), 4);
}

#[tokio::test]
async fn hanging_up_every_seventh_time_spares_the_others() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "hang_up", "every_nth": 7 }));
    let mut failed = Vec::new();
    for index in 1..=21 {
        let body = template(&format!("+62812000{index:05}"), "any", &["Siti"]);
        if bench.request(&body).send().await.is_err() {
            failed.push(index);
        }
    }
    assert_eq!(failed, [7, 14, 21]);
    assert_eq!(bench.sandbox.sent().iter().filter(|sent| sent.message_id.is_some()).count(), 21);
}

#[tokio::test]
async fn a_slow_answer_outlasts_the_patience_of_the_client() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "slow", "seconds": 600 }));
    let request = bench.request(&template(SITI, "any", &["Siti"]));
    let error = request.timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(error.is_timeout());
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.receipts(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_page_of_html_comes_instead_of_json_and_nothing_was_accepted() {
    let bench = Bench::start().await;
    for (fault, expected) in
        [(json!({ "kind": "not_json" }), 502), (json!({ "kind": "not_json", "status": 500 }), 500)]
    {
        bench.fault(fault);
        let answer = bench.request(&template(SITI, "any", &["Siti"])).send().await.unwrap();
        assert_eq!(answer.status(), expected);
        assert!(answer.text().await.unwrap().starts_with("<html"));
    }
    assert!(bench.sandbox.phone(SITI).is_none());
    assert!(bench.sandbox.sent().iter().all(|sent| sent.message_id.is_none()));
}

#[tokio::test]
async fn updates_are_posted_by_the_thousand_over_two_entries() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "batch" }));
    for index in 0..1_000 {
        let who = format!("+62812{index:07}");
        bench.sandbox.write(&who, None, Input::Text("halo".into())).unwrap();
    }
    bench.sandbox.idle().await;
    let bodies = bench.hook.take();
    assert_eq!(bodies.len(), 1);
    let (signature, body) = &bodies[0];
    assert_eq!(*signature, whatsapp::signature(SECRET, body));
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["entry"].as_array().unwrap().len(), 2);
    assert_eq!(changes(&body).len(), 1_000);
}

#[tokio::test]
async fn a_batch_that_does_not_fill_is_posted_all_the_same() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "batch", "size": 4 }));
    for index in 0..6 {
        let who = format!("+62812{index:07}");
        bench.sandbox.write(&who, None, Input::Text("halo".into())).unwrap();
    }
    bench.sandbox.idle().await;
    let bodies = bench.hook.take();
    let sizes: Vec<usize> = bodies
        .iter()
        .map(|(_, body)| changes(&serde_json::from_slice(body).unwrap()).len())
        .collect();
    assert!(sizes.iter().all(|size| *size <= 4), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 6);
}

#[tokio::test]
async fn a_webhook_comes_twice_though_it_was_taken() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "duplicate_webhook", "count": 1 }));
    bench.writes(SITI, "halo").await;
    let bodies = bench.hook.take();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn hiding_numbers_leaves_only_the_user_id() {
    let bench = Bench::start().await;
    bench.fault(json!({ "kind": "hide_number", "phone": SITI }));
    bench.writes(SITI, "halo").await;
    bench.writes("+6281200000002", "halo").await;
    let values = bench.hook.values();
    assert_eq!(values[0]["messages"][0].get("from"), None);
    assert_eq!(values[1]["messages"][0]["from"], "6281200000002");
}

#[tokio::test]
async fn shutdown_ends_everything_that_waits() {
    let bench = Bench::start_with(|settings| settings.pace = Duration::from_secs(600)).await;
    bench.accepted(&template(SITI, "any", &["Siti"])).await;
    bench.sandbox.0.closing.cancel();
    bench.sandbox.idle().await;
    assert_eq!(bench.hook.take().len(), 0);
    let late = bench.sandbox.write(SITI, None, Input::Text("halo".into()));
    assert_eq!(late, Err(WriteError::Busy));
}
