//! What the outside does to the service: sources post, officers read, citizens write, Meta tells.

use kabar::domain::area::AreaCode;
use kabar::store::area::upsert_areas;
use std::sync::atomic::Ordering;

use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::app::{TestApp, token};
use super::citizen::Citizen;
use super::meta::Request;
use super::webhook;

impl TestApp {
    /// A number nobody has used yet in this test.
    pub fn unique(&self) -> usize {
        self.counter.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The present moment as a source writes it.
    pub fn now(&self) -> String {
        self.clock.wib().to_rfc3339()
    }

    /// What a source says of a card at this moment, under an id of its own.
    pub fn update(&self, citizen: &Citizen, status: &str) -> Value {
        citizen.update(&format!("siak-{}", self.unique()), &self.now(), status)
    }

    /// Posts card updates as JSON and returns the answer.
    pub async fn post(&self, updates: &Value) -> Value {
        let (status, answer) = self.post_as("application/json", updates.to_string()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer
    }

    /// Posts a body of any kind to the card updates, as a source.
    pub async fn post_as(&self, kind: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let request = self
            .http
            .post(format!("{}/v1/card-updates", self.url))
            .bearer_auth(token(Role::Source))
            .header("content-type", kind)
            .body(body);
        answer(request).await
    }

    /// A card changes its status; the service must take it.
    pub async fn card(&self, citizen: &Citizen, status: &str) {
        self.card_with(citizen, status, &[]).await;
    }

    /// The same with further parts of the update.
    pub async fn card_with(&self, citizen: &Citizen, status: &str, parts: &[(&str, Value)]) {
        let mut update = self.update(citizen, status);
        for (name, value) in parts {
            update[*name] = value.clone();
        }
        let answer = self.post(&update).await;
        assert_eq!(answer["accepted"], 1, "{answer}");
    }

    /// Asks the API as somebody of that role.
    pub async fn ask(&self, role: Role, path: &str) -> (StatusCode, Value) {
        answer(self.http.get(format!("{}{path}", self.url)).bearer_auth(token(role))).await
    }

    /// Reads from the API what must be there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Role::Admin, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// Sends JSON under a key by which it can be repeated, as the office.
    pub async fn send_once(&self, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
        let request =
            self.http.post(format!("{}{path}", self.url)).bearer_auth(token(Role::Office));
        answer(request.header("idempotency-key", key).json(body)).await
    }

    /// Does something to a path of the API as somebody of that role.
    pub async fn call(&self, method: Method, role: Role, path: &str) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}{path}", self.url));
        answer(request.bearer_auth(token(role))).await
    }

    /// Posts JSON to a path of the API as somebody of that role.
    pub async fn send_json(&self, role: Role, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).json(&body);
        answer(request.bearer_auth(token(role))).await
    }

    /// The messages as officers see them, oldest first.
    pub async fn messages(&self) -> Vec<Value> {
        let mut messages = list(&self.get("/v1/messages?limit=500").await["messages"]);
        messages.reverse();
        messages
    }

    /// The one message there is.
    pub async fn message(&self) -> Value {
        let messages = self.messages().await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.into_iter().next().unwrap()
    }

    /// The whole story of a message.
    pub async fn story(&self, message: &Value) -> Value {
        self.get(&format!("/v1/messages/{}", message["id"].as_str().unwrap())).await
    }

    /// Status and reason of every message, oldest first.
    pub async fn states(&self) -> Vec<(String, String)> {
        let messages = self.messages().await;
        messages.iter().map(|m| (word(&m["status"]), word(&m["why"]))).collect()
    }

    /// Meta posts a webhook, signed as it should be.
    pub async fn hook(&self, body: &Value) -> StatusCode {
        let bytes = webhook::escaped(body);
        let signature = webhook::signature(webhook::APP_SECRET, &bytes);
        self.hook_raw(bytes, &signature).await
    }

    /// Somebody posts bytes as a webhook.
    pub async fn hook_raw(&self, bytes: Vec<u8>, signature: &str) -> StatusCode {
        let request = self
            .http
            .post(format!("{}/hooks/whatsapp/wa", self.url))
            .header("content-type", "application/json")
            .header("x-hub-signature-256", signature)
            .body(bytes);
        request.send().await.unwrap().status()
    }

    /// Meta tells something of messages it took.
    pub async fn receipts(&self, statuses: &[Value]) {
        assert_eq!(self.hook(&webhook::body(&[], statuses)).await, StatusCode::OK);
    }

    /// Meta tells one thing of a message it took, now.
    pub async fn receipt(&self, about: &Request, kind: &str) {
        self.receipts(&[webhook::status(about, kind, self.now_s())]).await;
    }

    /// Meta tells that it could not bring a message it took.
    pub async fn failed_receipt(&self, about: &Request, code: i64) {
        self.receipts(&[webhook::failed(about, code, self.now_s())]).await;
    }

    /// A citizen writes.
    pub async fn writes(&self, number: &str, words: &str) {
        let id = format!("wamid.IN{}", self.unique());
        let message = webhook::text(&id, number, words, self.now_s());
        assert_eq!(self.hook(&webhook::body(&[message], &[])).await, StatusCode::OK);
    }

    /// A citizen writes and gets exactly one answer.
    pub async fn asks(&self, number: &str, words: &str) -> Request {
        self.writes(number, words).await;
        self.one_new_to(number).await
    }

    /// A citizen presses what stands under a message and gets exactly one answer.
    pub async fn presses(&self, number: &str, choice: &(String, String)) -> Request {
        let id = format!("wamid.IN{}", self.unique());
        let message = webhook::pressed(&id, number, choice, self.now_s());
        assert_eq!(self.hook(&webhook::body(&[message], &[])).await, StatusCode::OK);
        self.one_new_to(number).await
    }

    async fn one_new_to(&self, number: &str) -> Request {
        let before = self.whatsapp.sent_to(number).len();
        self.run_until_idle().await;
        let mut sent = self.whatsapp.sent_to(number);
        assert_eq!(sent.len(), before + 1, "exactly one answer");
        sent.pop().unwrap()
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A JSON array as a list.
pub fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().expect("a list")
}

/// A JSON text as a text.
pub fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl TestApp {
    /// The kecamatan and desa round about are on file, two desa by the same name.
    pub async fn names_areas(&self) {
        let names = [
            ("35.17", "Kabupaten Jombang"),
            ("35.17.09", "Kecamatan Jombang"),
            ("35.17.09.2018", "Jabon"),
            ("35.17.14", "Ngoro"),
            ("35.17.14.2003", "Jabon"),
        ];
        let names = names.map(|(code, name)| (AreaCode::parse(code).unwrap(), name.to_owned()));
        let mut tx = self.app.db.begin().await.unwrap();
        upsert_areas(&mut tx, &self.app.db, &names.into(), self.app.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}
