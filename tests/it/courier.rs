//! The courier's page and the printed sheet, as a browser asks for them: whose round it is, what a report must carry,
//! and what becomes of one that comes twice, broken, or far too large.

use kabar::domain::officer::OfficerRole;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::console::{Answer, Browser};
use crate::support::round::{CODE, Carried};
use crate::support::{TestApp, citizen, on_both_engines};

const JABON: &str = "35.17.09";

/// The courier of Jabon with three cards.
async fn courier(app: &TestApp) -> (Browser, Carried) {
    let browser = Browser::login(app, OfficerRole::Courier, JABON).await;
    let round = Carried::begin(app, "courier-351709", 3).await;
    (browser, round)
}

/// Somebody handed over a card to its holder.
fn received(key: &str, item: &str) -> Value {
    json!({"key": key, "item": item, "at": 1, "outcome": "received", "by": "self", "code": CODE, "version": 2})
}

async fn send(browser: &Browser, round: &Carried, body: String) -> (StatusCode, Value) {
    let path = format!("{}/laporan", round.path());
    let request = browser.request(Method::POST, &path).header("content-type", "application/json");
    let answer = request.body(body).send().await.unwrap();
    let status = answer.status();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

async fn sends(browser: &Browser, round: &Carried, reports: &[Value]) -> Vec<(String, String)> {
    let (status, answer) = send(browser, round, json!({"reports": reports}).to_string()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let word = |said: &Value, name: &str| said[name].as_str().unwrap_or_default().to_owned();
    let said = answer["reported"].as_array().unwrap().iter();
    said.map(|said| (word(said, "result"), word(said, "why"))).collect()
}

fn result(result: &str, why: &str) -> (String, String) {
    (result.to_owned(), why.to_owned())
}

/// No NIK and no phone number of anybody.
fn is_discreet(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    for n in 1..=3 {
        assert!(!answer.says(&citizen(n).nik), "{}", answer.text);
        let digits: String = answer.text.chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains(&citizen(n).e164[3..]), "{}", answer.text);
    }
}

on_both_engines! {
    async fn a_courier_lands_on_their_rounds_and_sees_no_others(app: TestApp) {
        let (browser, round) = courier(&app).await;
        assert_eq!(browser.get("/console").await.to, "/kurir/");
        assert_eq!(browser.get("/kurir").await.to, "/kurir/");
        let list = browser.get("/kurir/").await;
        assert!(list.says(&round.path()) && list.says("3 kartu"), "{}", list.text);
        let page = browser.get(&round.path()).await;
        is_discreet(&page);
        for words in ["1. Budi Santoso", "RT 01/RW 05, Krajan, Jalan Kenanga 1", "…3M", "Diterima keluarga: Wati, istri"] {
            assert!(page.says(words), "{words}: {}", page.text);
        }
        is_discreet(&browser.get(&format!("{}/data", round.path())).await);

        let doors = ["", "/data", "/lembar"].map(|door| format!("{}{door}", round.path()));
        for (role, area, expected) in [
            (OfficerRole::Courier, "35.17.08", StatusCode::NOT_FOUND),
            (OfficerRole::Courier, "35.17", StatusCode::NOT_FOUND),
            (OfficerRole::Kecamatan, "35.17.08", StatusCode::NOT_FOUND),
            (OfficerRole::Auditor, "35.17", StatusCode::FORBIDDEN),
            (OfficerRole::Partner, "35.17", StatusCode::FORBIDDEN),
            (OfficerRole::Kecamatan, JABON, StatusCode::OK),
        ] {
            let other = Browser::login(&app, role, area).await;
            for door in &doors {
                assert_eq!(other.get(door).await.status, expected, "{role} of {area}: {door}");
            }
            if expected != StatusCode::OK {
                let body = json!({"reports": [received("a-key-of-a-phone", &round.items[0])]});
                assert_eq!(send(&other, &round, body.to_string()).await.0, expected, "{role} of {area}");
            }
        }
        assert!(round.reports(&app).await.is_empty());
        let looks = app.query("SELECT who FROM audit WHERE action = 'looked_at_round'").await;
        assert_eq!(looks.len(), 2, "whoever looked is noted, once an hour: {looks:?}");
        for bad in ["/kurir/putaran/x", "/kurir/putaran/rnd_01ARZ3NDEKTSV4RRFFQ69G5FAV/data"] {
            assert_eq!(browser.get(bad).await.status, StatusCode::NOT_FOUND, "{bad}");
        }
    }

    async fn a_report_needs_the_token_of_its_session_and_counts_once(app: TestApp) {
        let (browser, round) = courier(&app).await;
        let path = format!("{}/laporan", round.path());
        let body = json!({"reports": [received("a-key-of-a-phone", &round.items[0])]}).to_string();
        let data: Value = serde_json::from_str(&browser.get(&format!("{}/data", round.path())).await.text).unwrap();
        assert_eq!(data["csrf"], browser.token());
        let foreign = browser.request(Method::POST, &path).header("origin", "https://contoh.test");
        assert_eq!(foreign.body(body.clone()).send().await.unwrap().status(), StatusCode::FORBIDDEN);
        assert_eq!(browser.post_raw(&path, &[("reports", "[]")]).await.status, StatusCode::FORBIDDEN);
        let outside = app.http.post(format!("{}{path}", app.url)).body(body).send().await.unwrap();
        assert!(outside.url().path().starts_with("/console/masuk"), "{}", outside.url());
        assert!(round.reports(&app).await.is_empty());

        let first = received("a-key-of-a-phone", &round.items[0]);
        assert_eq!(sends(&browser, &round, std::slice::from_ref(&first)).await, [result("done", "")]);
        assert_eq!(sends(&browser, &round, &[first.clone(), first]).await, [result("repeated", "done"), result("repeated", "done")]);
        let mut wrong = received("another-key-01", &round.items[2]);
        wrong["code"] = json!("0000");
        assert_eq!(sends(&browser, &round, std::slice::from_ref(&wrong)).await, [result("wrong_code", "wrong_code")]);
        assert_eq!(sends(&browser, &round, &[wrong]).await, [result("repeated", "wrong_code")]);
        let late = received("another-key-02", &round.items[0]);
        assert_eq!(sends(&browser, &round, &[late]).await, [result("conflict", "already_received")]);
        assert_eq!(round.reports(&app).await.len(), 3);
        let held = app.query("SELECT COUNT(*) FROM custody WHERE holder = 'citizen' AND until_at IS NULL").await;
        assert_eq!(held, [["1"]]);
    }

    async fn a_report_that_cannot_be_read_holds_up_none_behind_it(app: TestApp) {
        let (browser, round) = courier(&app).await;
        let broken = json!({"key": "a-broken-one", "item": 7, "version": "x"});
        let good = received("a-key-of-a-phone", &round.items[0]);
        let mine = [broken, json!("nothing"), good];
        let (status, answer) = send(&browser, &round, json!({"reports": mine}).to_string()).await;
        assert_eq!(status, StatusCode::OK);
        let of = |key: &str| {
            let said = answer["reported"].as_array().unwrap();
            said.iter().find(|said| said["key"] == key).unwrap()["result"].clone()
        };
        assert_eq!([of("a-broken-one"), of("a-key-of-a-phone")], ["refused", "done"], "{answer}");

        for (body, expected) in [
            ("{".to_owned(), StatusCode::BAD_REQUEST),
            ("[]".to_owned(), StatusCode::BAD_REQUEST),
            (json!({"reports": "all"}).to_string(), StatusCode::BAD_REQUEST),
            (json!({"reports": vec![json!({}); 101]}).to_string(), StatusCode::PAYLOAD_TOO_LARGE),
            (json!({"reports": ["x".repeat(300 * 1024)]}).to_string(), StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            assert_eq!(send(&browser, &round, body).await.0, expected);
        }
        assert_eq!(round.reports(&app).await, [(1, "done".to_owned(), String::new())]);
    }

    async fn without_a_script_the_page_takes_the_same_report_once(app: TestApp) {
        let (browser, round) = courier(&app).await;
        let item = round.items[0].as_str();
        let page = browser.get(&format!("{}?butir={item}", round.path())).await;
        let key = page.text.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let to = format!("{}/catat", round.path());
        let form = |key: &str, code: &str| {
            [("key", key.to_owned()), ("item", item.to_owned()), ("version", "2".to_owned()),
             ("outcome", "received".to_owned()), ("by", "self".to_owned()), ("code", code.to_owned())]
        };
        let fill = async |key: &str, code: &str| {
            let form = form(key, code);
            let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post_and_follow(&to, &fields).await
        };
        let page = fill("a-first-wrong-one", "0000").await;
        assert!(page.says("1. Budi Santoso: Kode salah.") && page.says("Sisa 4 kali"), "{}", page.text);
        assert!(page.says("name=\"code\""), "the form is open again: {}", page.text);
        for _ in 0..2 {
            let page = fill(&key, CODE).await;
            assert!(page.says("Tercatat.") && page.says("Sudah diterima"), "{}", page.text);
        }
        assert_eq!(round.reports(&app).await.len(), 2);
        let foreign = browser.post_raw(&to, &[("item", item)]).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    }

    async fn the_sheet_names_who_is_visited_and_leaves_room_to_sign(app: TestApp) {
        let (browser, round) = courier(&app).await;
        sends(&browser, &round, &[received("a-key-of-a-phone", &round.items[0])]).await;
        let sheet = browser.get(&format!("{}/lembar", round.path())).await;
        is_discreet(&sheet);
        for words in ["<td>2</td><td>Sri Wahyuni</td><td>02/05</td><td>Krajan, Jalan Kenanga 2</td><td>…3M</td>",
            "Diterima keluarga: Wati, istri", "☐ Tidak ada orang di rumah", "tanda tangan", "09.00–12.00", "courier-351709"] {
            assert!(sheet.says(words), "{words}: {}", sheet.text);
        }
        assert!(!sheet.says("Budi Santoso"), "has the card: {}", sheet.text);
    }

    async fn what_the_phone_keeps_is_small_and_of_this_house_alone(app: TestApp) {
        let (browser, _) = courier(&app).await;
        let script = browser.get("/console/assets/courier.js").await;
        assert!(script.bytes.len() < 16 * 1024, "{} bytes for a phone on a poor network", script.bytes.len());
        for (path, kind) in [
            ("/kurir/sw.js", "text/javascript; charset=utf-8"),
            ("/kurir/manifest.webmanifest", "application/manifest+json"),
        ] {
            let answer = app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert_eq!(answer.headers()["content-type"], kind);
        }
        let page = browser.request(Method::GET, "/kurir/").send().await.unwrap();
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        for part in ["script-src 'self';", "worker-src 'self';", "manifest-src 'self';"] {
            assert!(policy.contains(part), "{policy}");
        }
        // The page that is kept says nothing about anybody.
        let shell = browser.get("/kurir/luring").await;
        assert!(!shell.says(browser.token()) && !shell.says("courier-351709"), "{}", shell.text);
    }
}
