//! The sandbox seen from outside: a business with an HTTP client and a webhook of its own.

mod fault;
mod form;
mod kannel;
mod media;
mod rule;
mod smpp;
mod telegram;
mod webhook;
mod zenziva;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;

const TOKEN: &str = "token-1";
const SECRET: &str = "secret-1";
const SITI: &str = "+6281200000001";

/// A clock that stands still unless it is moved.
struct StillClock(AtomicI64);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

/// The webhook of the business: keeps every body, answers as told, else with 200.
#[derive(Default)]
struct Hook {
    bodies: Mutex<Vec<(String, Vec<u8>)>>,
    answers: Mutex<VecDeque<u16>>,
}

impl Hook {
    fn take(&self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut self.bodies.lock().unwrap())
    }

    /// The values of all changes of all entries of all bodies.
    fn values(&self) -> Vec<Value> {
        let bodies = self.take();
        let bodies = bodies.iter().map(|(_, body)| serde_json::from_slice(body).unwrap());
        bodies.flat_map(|body: Value| changes(&body)).collect()
    }

    /// The words of all receipts, in order.
    fn receipts(&self) -> Vec<String> {
        let values = self.values();
        let statuses = values.iter().filter_map(|value| value["statuses"].as_array());
        statuses.flatten().map(|s| s["status"].as_str().unwrap().to_owned()).collect()
    }
}

fn changes(body: &Value) -> Vec<Value> {
    assert_eq!(body["object"], "whatsapp_business_account");
    let entries = body["entry"].as_array().unwrap().iter();
    let changes = entries.flat_map(|entry| {
        assert_eq!(entry["id"], "waba-1");
        entry["changes"].as_array().unwrap()
    });
    changes.map(|change| change["value"].clone()).collect()
}

async fn hook(State(hook): State<Arc<Hook>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
    hook.bodies.lock().unwrap().push((signature, body.to_vec()));
    let answer = hook.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(answer).unwrap()
}

/// A sandbox on a free port, and the business beside it.
struct Bench {
    sandbox: Sandbox,
    base: String,
    http: reqwest::Client,
    hook: Arc<Hook>,
    clock: Arc<StillClock>,
    _stop: DropGuard,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        // An error only says that another test was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stop = CancellationToken::new();
        let hook_state = Arc::new(Hook::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook_url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(hook)).with_state(hook_state.clone());
        let ending = stop.clone().cancelled_owned();
        tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(ending).into_future());

        let clock = Arc::new(StillClock(AtomicI64::new(1_795_000_000_000)));
        let mut settings = Settings::new(vec![account(webhook_url)], clock.clone());
        settings.pace = Duration::ZERO;
        settings.redelivery = Duration::from_millis(1);
        change(&mut settings);
        let sandbox = Sandbox::new(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, sandbox.clone(), stop.clone().cancelled_owned()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, base, http, hook: hook_state, clock, _stop: stop.drop_guard() }
    }

    fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    fn request(&self, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/v25.0/number-1/messages", self.base);
        self.http.post(url).bearer_auth(TOKEN).json(body)
    }

    /// Sends and gives the status and the body of the answer.
    async fn send(&self, body: &Value) -> (u16, Value) {
        let answer = self.request(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Sends what must be refused, and gives the code.
    async fn refused(&self, body: &Value) -> u64 {
        let (status, answer) = self.send(body).await;
        assert!(status >= 400, "accepted: {body}");
        assert_eq!(answer["error"]["type"], "OAuthException");
        assert!(answer["error"]["fbtrace_id"].is_string());
        answer["error"]["code"].as_u64().unwrap()
    }

    /// Sends what must be accepted, and gives the id.
    async fn accepted(&self, body: &Value) -> String {
        let (status, answer) = self.send(body).await;
        assert_eq!(status, 200, "{answer}");
        answer["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Opens the service window.
    async fn writes(&self, who: &str, text: &str) -> String {
        let id = self.sandbox.write(who, None, Input::Text(text.to_owned())).unwrap();
        self.sandbox.idle().await;
        id
    }

    fn fault(&self, fault: Value) {
        self.sandbox.set_faults(vec![serde_json::from_value(fault).unwrap()]);
    }
}

fn account(webhook_url: String) -> WhatsappAccount {
    WhatsappAccount {
        phone_number_id: "number-1".into(),
        waba_id: "waba-1".into(),
        access_token: TOKEN.into(),
        app_secret: SECRET.into(),
        webhook_url,
        display_phone_number: "+62 321 000000".into(),
        label: "Kantor Contoh".into(),
    }
}

fn text(to: &str, body: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": to, "type": "text", "text": { "body": body } })
}

/// A call of a template with positional parameters.
fn template(to: &str, name: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<Value> =
        parameters.iter().map(|text| json!({ "type": "text", "text": text })).collect();
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to,
        "type": "template", "biz_opaque_callback_data": "msg_1",
        "template": { "name": name, "language": { "code": "id" },
            "components": [{ "type": "BODY", "parameters": parameters }] },
    })
}
