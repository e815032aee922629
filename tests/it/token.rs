//! Tokens of the API: what each may do, and that one of an area sees nothing of another.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::officer::Actor;
use kabar::service::token::{Mint, Order, TokenError, make, revoke};
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use kabar::store::token::{Role, list_tokens};
use kabar::web::api_routes;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::citizen::Citizen;
use crate::support::{TestApp, citizen, list, on_both_engines, word};

/// Somebody of another kecamatan than the tokens of these tests.
const OTHER: &str = "35.17.10.2001";
const OWN: &str = "35.17.09.2018";

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

fn mint(app: &TestApp) -> Mint<'_> {
    let office = &app.app.settings.office_area;
    Mint { db: &app.app.db, ids: &app.app.ids, office, now: app.app.now() }
}

fn order(role: Role, code: &str) -> Order {
    Order { name: "uji".to_owned(), role, area: area(code), expires_at: None }
}

async fn token_of(app: &TestApp, role: Role, code: &str) -> String {
    make(mint(app), &Actor::cli(), &order(role, code)).await.unwrap().1
}

async fn call(
    app: &TestApp,
    secret: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> (StatusCode, Value) {
    let method: Method = method.parse().unwrap();
    let request = app.http.request(method, format!("{}{path}", app.url)).bearer_auth(secret);
    let answer = request.json(body).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// A place of each of the two kecamatan.
async fn places(app: &TestApp) {
    let mut tx = app.app.db.begin().await.unwrap();
    for (code, of) in [("kec-sendiri", "35.17.09"), ("kec-lain", "35.17.10")] {
        let point = ServicePoint {
            code: code.to_owned(),
            name: code.to_owned(),
            short_name: code.to_owned(),
            area: area(of),
            address: None,
            hours: "Senin-Jumat".to_owned(),
            hours_short: "Sn-Jm".to_owned(),
            detail: Detail::default(),
        };
        upsert_point(&mut tx, &point, app.app.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Words for everybody of the other kecamatan.
fn written() -> Value {
    json!({"title": "Perekaman keliling", "text": "Petugas datang ke balai desa.",
           "audience": {"areas": ["35.17.10"]}})
}

/// Somebody with a card and a complaint, and their neighbour without a phone, in each kecamatan; a question and an
/// update that cannot be read; a broadcast to the other kecamatan.
async fn something_of_everything(app: &TestApp) -> [Citizen; 2] {
    places(app).await;
    let people = [citizen(1).of_area(OWN), citizen(2).of_area(OTHER)];
    for (n, person) in people.iter().enumerate() {
        app.card(person, "CARD_PRINTED").await;
        let code = if n == 0 { OWN } else { OTHER };
        let mut silent = app.update(&citizen(10 + n).of_area(code), "CARD_PRINTED");
        silent["phone"] = Value::Null;
        app.post(&silent).await;
        app.run_until_idle().await;
        app.writes(&person.e164, "saya mau bicara dengan petugas").await;
        app.run_until_idle().await;
    }
    app.post(&app.update(&citizen(3), "KARTU TERBANG")).await;
    app.run_until_idle().await;
    let secret = token_of(app, Role::Office, "35.17.10").await;
    let (status, answer) = call(app, &secret, "POST", "/v1/broadcasts", &written()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    people
}

/// An object of every kind that an address may name, of the other kecamatan.
async fn theirs(app: &TestApp, path: &str) -> String {
    let first = async |statement: &str| {
        let rows = app.query(statement).await;
        rows.first().and_then(|row| row.first()).cloned().unwrap_or_else(|| "none".to_owned())
    };
    let of_other = "(SELECT id FROM person WHERE area = '35.17.10.2001')";
    let id = match path.split('/').nth(2).unwrap() {
        "messages" => first(&format!("SELECT id FROM message WHERE person_id IN {of_other}")).await,
        "cards" => first(&format!("SELECT id FROM card WHERE person_id IN {of_other}")).await,
        "rejections" => first("SELECT id FROM rejection").await,
        "visits" => first("SELECT id FROM visit WHERE area = '35.17.10.2001'").await,
        "tickets" => first("SELECT id FROM ticket WHERE area = '35.17.10.2001'").await,
        "broadcasts" => first("SELECT id FROM broadcast WHERE area = '351710'").await,
        "service-points" => "kec-lain".to_owned(),
        // None of these lies in an area, so that an id of the right form is all that is needed.
        "suppressions" => format!("sup_{}", "0".repeat(26)),
        "holds" => format!("hld_{}", "0".repeat(26)),
        "questions" => format!("qgr_{}", "0".repeat(26)),
        other => panic!("{other} names something: say here what lies in another area"),
    };
    assert_ne!(id, "none", "{path}: there is something in the other kecamatan to be hidden");
    path.replace("{id}", &id).replace("{code}", &id)
}

/// A body that each route would take.
fn body_of(path: &str, other: &Citizen) -> Value {
    match path {
        "/v1/binding-codes" => json!({"nik": other.nik}),
        "/v1/opt-outs" => json!({"phone": other.e164}),
        "/v1/service-points/{code}" => json!({"status": "closed", "because": "uji"}),
        "/v1/tickets/{id}/reply" => json!({"text": "Baik, kami periksa."}),
        "/v1/broadcasts" | "/v1/broadcasts/{id}" => written(),
        "/v1/broadcasts/{id}/list" => json!({"phones": [other.e164]}),
        "/v1/broadcasts/{id}/test" => json!({"channel": "sms", "phone": other.e164}),
        "/v1/broadcasts/{id}/reject" => json!({"reason": "Mohon tulis tanggalnya."}),
        "/v1/questions/{id}/teach" => json!({"label": "fee"}),
        _ => Value::Null,
    }
}

on_both_engines! {
    async fn a_token_of_one_kecamatan_sees_and_changes_nothing_of_another(app: TestApp) {
        let [_, other] = something_of_everything(&app).await;
        let foreign = app
            .query(
                "SELECT id FROM person WHERE area = '35.17.10.2001' UNION ALL \
                 SELECT id FROM card WHERE person_id IN (SELECT id FROM person WHERE area = '35.17.10.2001') UNION ALL \
                 SELECT id FROM message WHERE person_id IN (SELECT id FROM person WHERE area = '35.17.10.2001') UNION ALL \
                 SELECT id FROM ticket WHERE area = '35.17.10.2001' UNION ALL \
                 SELECT id FROM broadcast UNION ALL \
                 SELECT id FROM visit WHERE area = '35.17.10.2001'",
            )
            .await
            .concat();
        assert!(foreign.len() >= 6, "{foreign:?}");
        let routes = api_routes();
        assert!(routes.len() > 30, "{routes:?}");
        for code in ["35.17.09", OWN] {
            for role in [Role::Office, Role::Auditor, Role::Admin] {
                let secret = token_of(&app, role, code).await;
                for route in &routes {
                    let (method, path) = route.split_once(' ').unwrap();
                    let body = body_of(path, &other);
                    let is_one = path.contains('{');
                    let at = if is_one { theirs(&app, path).await } else { path.to_owned() };
                    let (status, answer) = call(&app, &secret, method, &at, &body).await;
                    let refused =
                        [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST];
                    if route == "POST /v1/broadcasts" && role != Role::Auditor {
                        // What they may do, but not to those.
                        assert_eq!(status, StatusCode::CONFLICT, "{role} {code} {route}: {answer}");
                    } else if is_one || method == "POST" {
                        assert!(refused[..2].contains(&status), "{role} {code} {route}: {status} {answer}");
                    } else {
                        assert!(status == StatusCode::OK || refused.contains(&status), "{route}: {status}");
                    }
                    let text = answer.to_string();
                    let seen = foreign.iter().find(|id| text.contains(*id));
                    assert!(seen.is_none(), "{role} of {code} sees {seen:?} at {route}");
                    assert!(!text.contains("35.17.10"), "{role} of {code} at {route}: {text}");
                }
            }
        }
        // Nothing came of all those tries.
        assert_eq!(app.query("SELECT COUNT(*) FROM consent WHERE opted_out_at IS NOT NULL").await, [["0"]]);
        assert_eq!(app.query("SELECT COUNT(*) FROM binding_code").await, [["0"]]);
        assert_eq!(app.query("SELECT COUNT(*) FROM ticket WHERE taken_at IS NOT NULL").await, [["0"]]);
        assert_eq!(app.query("SELECT area, state FROM broadcast").await, [["351710", "draft"]]);
        assert_eq!(app.query("SELECT status FROM service_point WHERE code = 'kec-lain'").await, [["running"]]);
    }

    async fn a_token_of_a_kecamatan_works_within_it(app: TestApp) {
        let [own, _] = something_of_everything(&app).await;
        for code in ["35.17.09", OWN] {
            let secret = token_of(&app, Role::Office, code).await;
            let get = async |path: &str| call(&app, &secret, "GET", path, &Value::Null).await.1;
            let messages = get("/v1/messages").await;
            assert!(!list(&messages["messages"]).is_empty(), "{messages}");
            let id = word(&list(&messages["messages"])[0]["id"]);
            assert_eq!(get(&format!("/v1/messages/{id}")).await["id"], id.as_str());
            let card = word(&list(&messages["messages"])[0]["card"]);
            assert_eq!(get(&format!("/v1/cards/{card}")).await["id"], card.as_str());
            assert_eq!(list(&get("/v1/tickets").await["tickets"]).len(), 1);
            assert_eq!(list(&get("/v1/unreachable").await["people"]).len(), 1);
            assert_eq!(list(&get("/v1/visits").await["visits"]).len(), 1);
            assert_eq!(list(&get("/v1/visits?area=35.17").await["visits"]).len(), 1);
            let (status, _) = call(&app, &secret, "GET", "/v1/visits?area=35.17.10", &Value::Null).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(list(&get("/v1/broadcasts").await["broadcasts"]).is_empty());
            let mut own_words = written();
            own_words["audience"] = Value::Null;
            let (status, made) = call(&app, &secret, "POST", "/v1/broadcasts", &own_words).await;
            assert_eq!((status, &made["area"]), (StatusCode::CREATED, &json!(code)), "{made}");
            let made = word(&made["id"]);
            assert_eq!(get(&format!("/v1/broadcasts/{made}")).await["id"], made.as_str());
            // A filter still filters, and a page has its cursor.
            assert!(list(&get("/v1/messages?status=failed").await["messages"]).is_empty());
            let page = get("/v1/messages?limit=1").await;
            let next = get(&format!("/v1/messages?limit=1&cursor={}", word(&page["next_cursor"]))).await;
            assert_ne!(list(&page["messages"]), list(&next["messages"]));
        }
        let secret = token_of(&app, Role::Office, "35.17.09").await;
        let points = call(&app, &secret, "GET", "/v1/service-points", &Value::Null).await.1;
        assert_eq!(list(&points["service_points"]).len(), 1);
        let closed = json!({"status": "closed", "because": "uji"});
        let (status, _) = call(&app, &secret, "PATCH", "/v1/service-points/kec-sendiri", &closed).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let (status, _) = call(&app, &secret, "POST", "/v1/binding-codes", &json!({"nik": own.nik})).await;
        assert_eq!(status, StatusCode::CREATED);
        let (status, _) = call(&app, &secret, "POST", "/v1/opt-outs", &json!({"phone": own.e164})).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let trail = app.query("SELECT action FROM audit WHERE who LIKE 'tok_%' ORDER BY id").await.concat();
        assert!(trail.contains(&"looked_at_card".to_owned()), "{trail:?}");
        assert!(trail.contains(&"changed_point".to_owned()), "{trail:?}");
    }

    async fn a_token_ends_on_its_day_or_when_it_is_revoked(app: TestApp) {
        let order = Order {
            expires_at: Some(app.app.now().after(Duration::from_secs(3600))),
            ..order(Role::Auditor, "35.17")
        };
        let (_, short) = make(mint(&app), &Actor::cli(), &order).await.unwrap();
        let (id, long) = make(mint(&app), &Actor::cli(), &self::order(Role::Auditor, "35.17")).await.unwrap();
        let status = async |secret: &str| call(&app, secret, "GET", "/v1/messages", &Value::Null).await.0;
        assert_eq!(status(&short).await, StatusCode::OK);
        app.advance(Duration::from_secs(3600)).await;
        assert_eq!(status(&short).await, StatusCode::UNAUTHORIZED);
        assert_eq!(status(&long).await, StatusCode::OK);
        assert!(revoke(mint(&app), &Actor::cli(), id).await.unwrap());
        assert_eq!(status(&long).await, StatusCode::UNAUTHORIZED);
        assert!(!revoke(mint(&app), &Actor::cli(), id).await.unwrap(), "it was revoked before");
        let made = list_tokens(&app.app.db, None, 2).await.unwrap();
        assert_eq!((made[0].id, made[0].made_by.as_str()), (id, "cli"));
        assert!(made[0].revoked_at.is_some() && made[1].revoked_at.is_none());
        let next = list_tokens(&app.app.db, Some(made[1].id), 50).await.unwrap();
        assert!(next.iter().all(|token| token.name == "test"), "those before stand on the next page");
        let object = id.to_string();
        let trail = app.query(&format!("SELECT action FROM audit WHERE object = '{object}' ORDER BY id")).await;
        assert_eq!(trail.concat(), ["made_token", "revoked_token"]);
    }

    async fn nobody_makes_a_token_for_more_than_they_see(app: TestApp) {
        let admin = |code: &str| Actor {
            id: "off_uji".to_owned(),
            role: kabar::domain::officer::OfficerRole::Admin,
            area: area(code),
        };
        let wide = make(mint(&app), &admin("35.17.09"), &order(Role::Office, "35.17")).await;
        assert!(matches!(wide, Err(TokenError::Forbidden)), "{wide:?}");
        let partial = make(mint(&app), &admin("35.17"), &order(Role::Source, "35.17.09")).await;
        assert!(matches!(partial, Err(TokenError::PartialSource)), "{partial:?}");
        let nameless = Order { name: "  ".to_owned(), ..order(Role::Office, "35.17") };
        assert!(matches!(make(mint(&app), &admin("35.17"), &nameless).await, Err(TokenError::Name)));
        let over = Order { expires_at: Some(app.app.now()), ..order(Role::Office, "35.17") };
        assert!(matches!(make(mint(&app), &admin("35.17"), &over).await, Err(TokenError::Over)));
        let dinas = Actor { role: kabar::domain::officer::OfficerRole::Dinas, ..admin("35.17") };
        let made = make(mint(&app), &dinas, &order(Role::Office, "35.17")).await;
        assert!(matches!(made, Err(TokenError::Forbidden)), "{made:?}");
    }
}
