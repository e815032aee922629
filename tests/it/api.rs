//! The API's front: the four forms in which card updates come, and everything it refuses.

use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApp, citizen, list, on_both_engines, word};

const NDJSON: &str = "application/x-ndjson";

fn lines(updates: &[Value]) -> String {
    updates.iter().flat_map(|update| [update.to_string(), "\n".to_owned()]).collect()
}

fn envelope(update: &Value) -> Value {
    let mut data = update.clone();
    let map = data.as_object_mut().unwrap();
    let (id, time) = (map.remove("id").unwrap(), map.remove("occurred_at").unwrap());
    json!({"specversion": "1.0", "type": "id.go.dukcapil.card", "source": "/siak", "id": id,
           "time": time, "datacontenttype": "application/json", "data": data})
}

on_both_engines! {
    async fn one_object_an_array_lines_and_cloud_events_are_the_same_to_it(app: TestApp) {
        let update = |n: usize| app.update(&citizen(n), "CARD_PRINTED");
        let single = app.post(&update(1)).await;
        assert_eq!(single, json!({"accepted": 1, "duplicates": 0, "rejected": []}));
        assert_eq!(app.post(&json!([update(2), update(3)])).await["accepted"], 2);
        let (status, answer) = app.post_as(NDJSON, lines(&[update(4), update(5)])).await;
        assert_eq!((status, &answer["accepted"]), (StatusCode::ACCEPTED, &json!(2)));
        let event = envelope(&update(6)).to_string();
        let (_, answer) = app.post_as("application/cloudevents+json; charset=utf-8", event).await;
        assert_eq!(answer["accepted"], 1, "{answer}");
        let batch = json!([envelope(&update(7)), envelope(&update(8))]).to_string();
        let (_, answer) = app.post_as("application/cloudevents-batch+json", batch.clone()).await;
        assert_eq!(answer["accepted"], 2, "{answer}");
        let (_, answer) = app.post_as("application/cloudevents-batch+json", batch).await;
        assert_eq!(answer["duplicates"], 2, "{answer}");
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 8);
    }

    async fn a_long_stream_of_lines_is_taken_whole(app: TestApp) {
        let updates: Vec<Value> =
            (1..=2500).map(|n| app.update(&citizen(n), "PRINT_READY_RECORD")).collect();
        let (status, answer) = app.post_as(NDJSON, lines(&updates)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(answer, json!({"accepted": 2500, "duplicates": 0, "rejected": []}));
        assert_eq!(app.query("SELECT COUNT(*) FROM card").await, [["2500"]]);
    }

    async fn one_bad_line_is_rejected_alone(app: TestApp) {
        let good = |n: usize| app.update(&citizen(n), "CARD_PRINTED").to_string();
        let too_long = format!("{{\"id\":\"{}\"}}", "x".repeat(70_000));
        let too_long_too = format!("{{\"id\":\"{}\"}}\r", "y".repeat(200_000));
        let text =
            format!("{}\n\n{{\"id\": nope}}\n[]\n{too_long}\n{too_long_too}\n", good(1));
        let body = [text.as_bytes(), b"{\"id\": \"\xff\"}\n", good(2).as_bytes()].concat();
        let (status, answer) = app.post_as(NDJSON, body).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(answer["accepted"], 2, "{answer}");
        let rejected = list(&answer["rejected"]);
        let codes: Vec<_> = rejected.iter().map(|item| word(&item["code"])).collect();
        assert_eq!(codes, ["invalid_json", "invalid_item", "too_long", "too_long", "invalid_json"]);
        let places: Vec<_> = rejected.iter().map(|item| item["index"].clone()).collect();
        assert_eq!(places, [1, 2, 3, 4, 5]);

        // What came is kept with its reason: of what is too long or no text, as much as can be.
        let kept = list(&app.get("/v1/rejections").await["rejections"]);
        assert_eq!(kept.len(), 5);
        let mut items = Vec::new();
        for row in &kept {
            let one = app.get(&format!("/v1/rejections/{}", word(&row["id"]))).await;
            items.push((word(&row["code"]), word(&one["item"])));
        }
        let has = |code: &str, part: &str| items.iter().any(|(c, i)| c == code && i.contains(part));
        assert!(has("too_long", "{\"id\":\"xxxx") && has("too_long", "{\"id\":\"yyyy"));
        assert!(has("invalid_json", "{\"id\": \"\u{fffd}\"}"), "{items:?}");
        assert!(items.iter().all(|(_, item)| item.len() <= 3 * 64 * 1024));
    }

    async fn fifty_good_ones_a_repeat_and_three_kinds_of_faults_are_told_apart(app: TestApp) {
        let mut updates: Vec<Value> =
            (1..=50).map(|n| app.update(&citizen(n), "CARD_PRINTED")).collect();
        updates.insert(20, updates[3].clone());
        let mut damaged = app.update(&citizen(51), "CARD_PRINTED");
        damaged["nik"] = "3.51709E+15".into();
        updates.insert(30, damaged);
        updates.insert(40, app.update(&citizen(52), "KARTU TERBANG"));
        let mut reused = app.update(&citizen(53), "CARD_PRINTED");
        reused["id"] = updates[0]["id"].clone();
        updates.push(reused);
        let (status, answer) = app.post_as(NDJSON, lines(&updates)).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(50), &json!(1)));
        let rejected = list(&answer["rejected"]);
        let codes: Vec<_> = rejected.iter().map(|item| word(&item["code"])).collect();
        assert_eq!(codes, ["invalid_nik", "unknown_status", "conflicting_id"]);

        app.run_until_idle().await;
        let sent = app.whatsapp.sent();
        assert_eq!(sent.len(), 50);
        let mut phones: Vec<_> = sent.iter().map(|sent| sent.to().to_owned()).collect();
        let mut echoes: Vec<_> = sent.iter().map(|sent| sent.echo().to_owned()).collect();
        for list in [&mut phones, &mut echoes] {
            list.sort();
            list.dedup();
            assert_eq!(list.len(), 50, "each has its own");
        }
        assert!(phones.iter().all(|phone| phone.starts_with("+62")));
        for sent in &sent {
            assert_eq!(sent.body["type"], "template");
            assert!(!sent.body.to_string().contains("3517"), "no NIK: {}", sent.body);
            app.receipt(sent, "delivered").await;
        }
        app.run_until_idle().await;
        assert_eq!(
            list(&app.get("/v1/messages?status=delivered&limit=500").await["messages"]).len(),
            50
        );
    }

    async fn a_body_that_is_no_json_is_refused_with_the_place_and_nothing_is_recorded(
        app: TestApp,
    ) {
        let good = app.update(&citizen(1), "CARD_PRINTED");
        let (status, problem) =
            app.post_as("application/json", format!("[{good},\n  {{oops}}]")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let detail = word(&problem["detail"]);
        assert!(detail.contains("line 2") && detail.contains("column 4"), "{detail}");
        for body in ["", "7", "\"text\"", "null"] {
            let (status, _) = app.post_as("application/json", body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{body:?}");
        }
        assert!(app.query("SELECT id FROM card_update").await.is_empty());
        assert!(app.query("SELECT id FROM rejection").await.is_empty());
    }

    async fn a_list_that_is_too_long_is_refused_and_nothing_is_recorded(app: TestApp) {
        let update = app.update(&citizen(1), "CARD_PRINTED");
        let body = Value::from(vec![update; 1001]).to_string();
        let (status, problem) = app.post_as("application/json", body).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(word(&problem["detail"]).contains("1000"), "{problem}");
        assert!(app.query("SELECT id FROM card_update").await.is_empty());
    }

    async fn a_form_nobody_knows_is_refused(app: TestApp) {
        let (status, problem) = app.post_as("text/csv", "nik;status").await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert!(word(&problem["detail"]).contains("application/x-ndjson"), "{problem}");
    }

    async fn without_a_token_or_with_one_of_another_role_nothing_opens(app: TestApp) {
        let url = format!("{}/v1/messages", app.url);
        for authorization in ["", "Bearer", "Bearer wrong", "Basic dG9rZW4="] {
            let request = app.http.get(&url).header("authorization", authorization);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{authorization:?}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
        }
        let refused = [
            (Method::GET, Role::Source, "/v1/messages"),
            (Method::GET, Role::Source, "/v1/unreachable"),
            (Method::GET, Role::Source, "/v1/rejections"),
            (Method::POST, Role::Office, "/v1/card-updates"),
            (Method::POST, Role::Auditor, "/v1/card-updates"),
            (Method::GET, Role::Auditor, "/v1/rejections/rej_01KAHV6R00ABCDEFGHJKMNPQRS"),
            (Method::POST, Role::Auditor, "/v1/rejections/rej_01KAHV6R00ABCDEFGHJKMNPQRS/resolve"),
        ];
        for (method, role, path) in refused {
            let (status, problem) = app.call(method, role, path).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{role} {path}: {problem}");
        }
        assert_eq!(app.ask(Role::Admin, "/v1/messages").await.0, StatusCode::OK);
    }

    async fn every_refusal_is_a_problem_in_the_agreed_shape(app: TestApp) {
        let paths = [
            ("/v1/messages/msg_nonsense", 404),
            ("/v1/messages/msg_01KAHV6R00ABCDEFGHJKMNPQRS", 404),
            ("/v1/cards/crd_01KAHV6R00ABCDEFGHJKMNPQRS", 404),
            ("/v1/messages?status=asleep", 400),
            ("/v1/messages?colour=red", 400),
            ("/v1/messages?limit=0", 400),
            ("/v1/messages?phone=123", 400),
            ("/nowhere", 404),
            ("/v1/card-updates", 405),
        ];
        for (path, expected) in paths {
            let request = app.http.get(format!("{}{path}", app.url));
            let request = request.bearer_auth(crate::support::app::token(Role::Admin));
            let response = request.send().await.unwrap();
            assert_eq!(response.status().as_u16(), expected, "{path}");
            let kind = &response.headers()["content-type"];
            assert_eq!(kind, "application/problem+json", "{path}");
            let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
            assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
            if expected != 405 {
                assert_eq!(problem["status"], expected, "{path}: {problem}");
            }
        }
    }

    async fn an_unknown_area_prefix_is_taken_with_a_warning(app: TestApp) {
        let mut update = app.update(&citizen(1), "CARD_PRINTED");
        update["nik"] = "9917091204900001".into();
        let answer = app.post(&update).await;
        assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(1), &json!([])));
        assert_eq!(answer["warnings"][0]["code"], "unknown_area_prefix", "{answer}");
        let answer = app.post(&app.update(&citizen(2), "CARD_PRINTED")).await;
        assert_eq!(answer["warnings"], Value::Null, "{answer}");
    }

    async fn what_is_counted_can_be_read_by_a_monitor(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.writes("+6281299990000", "halo").await;
        let read = async || {
            app.http.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap()
        };
        let before = read().await;
        assert!(before.contains("kabar_inbox_waiting 1"), "{before}");
        assert!(
            before.contains("kabar_outbox_waiting{account=\"wa\",class=\"announcement\"} 1"),
            "{before}"
        );
        app.run_until_idle().await;
        let after = read().await;
        assert!(after.contains("kabar_inbox_waiting 0"), "{after}");
        assert!(after.trim_end().ends_with("# EOF"), "{after}");
    }
}
