//! Webhook bodies in Meta's shape: receipts and messages, escaped and signed as Meta does.
//!
//! Builds and collects bodies; the posting is the frame's.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::{Notify, oneshot};

use super::WhatsappAccount;
use crate::domain::clock::Timestamp;
use crate::sandbox::fault::FaultKind;
use crate::sandbox::post::Parcel;
use crate::sandbox::{Sandbox, phone};

/// Updates in one body, at most.
const MAX_UPDATES: usize = 1_000;
/// How long an unfilled batch waits for one more update.
const LINGER: Duration = Duration::from_millis(50);
/// 2026-10-01T00:00Z. By several independent secondary sources, replies inside the window and
/// utility templates there are charged for from that day on.
const WINDOW_CHARGED_FROM: Timestamp = Timestamp::from_ms(1_790_812_800_000);

/// The owner of a phone as a business sees them.
pub(super) struct Citizen {
    pub(super) number: String,
    pub(super) user_id: String,
    pub(super) name: String,
    pub(super) hides_number: bool,
}

impl Citizen {
    pub(super) fn of(phone: &phone::Phone, hides_number: bool) -> Self {
        Self {
            number: phone.number.clone(),
            user_id: phone.user_id.clone(),
            name: phone.name.clone(),
            hides_number: hides_number || phone.hides_number,
        }
    }

    fn contact(&self) -> Value {
        let mut contact = json!({ "profile": { "name": self.name }, "user_id": self.user_id });
        if !self.hides_number {
            contact["wa_id"] = self.number.clone().into();
        }
        contact
    }
}

/// The `value` of a change that brings one message; `message` lacks only its sender.
pub(super) fn message(account: &WhatsappAccount, citizen: &Citizen, mut message: Value) -> Value {
    message["from_user_id"] = citizen.user_id.clone().into();
    if !citizen.hides_number {
        message["from"] = citizen.number.clone().into();
    }
    json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(account),
        "contacts": [citizen.contact()],
        "messages": [message],
    })
}

/// What a receipt tells.
pub(super) struct Receipt<'a> {
    pub(super) id: &'a str,
    pub(super) status: &'static str,
    pub(super) at: Timestamp,
    pub(super) echo: Option<&'a str>,
    pub(super) is_by_number: bool,
    pub(super) pricing: Option<Value>,
    pub(super) errors: Option<Value>,
}

/// The `value` of a change that brings one receipt.
pub(super) fn receipt(account: &WhatsappAccount, citizen: &Citizen, receipt: Receipt<'_>) -> Value {
    let is_failed = receipt.errors.is_some();
    let mut status = json!({
        "id": receipt.id,
        "status": receipt.status,
        "timestamp": (receipt.at.as_ms() / 1_000).to_string(),
    });
    if !citizen.hides_number || (is_failed && receipt.is_by_number) {
        status["recipient_id"] = citizen.number.clone().into();
    }
    if !(is_failed && receipt.is_by_number) {
        status["recipient_user_id"] = citizen.user_id.clone().into();
    }
    let rest = [
        ("biz_opaque_callback_data", receipt.echo.map(Value::from)),
        ("pricing", receipt.pricing),
        ("errors", receipt.errors),
    ];
    for (key, value) in rest {
        if let Some(value) = value {
            status[key] = value;
        }
    }
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(account),
        "statuses": [status],
    });
    if !is_failed {
        value["contacts"] = json!([citizen.contact()]);
    }
    value
}

/// What a message costs: templates by category, anything else as `service`.
pub(super) fn pricing(template_category: Option<&str>, in_window: bool, at: Timestamp) -> Value {
    let category = template_category.unwrap_or("service");
    let could_be_free = in_window && matches!(category, "service" | "utility");
    let is_free = could_be_free && at < WINDOW_CHARGED_FROM;
    json!({
        "billable": !is_free,
        "pricing_model": "PMP",
        "type": if is_free { "free_customer_service" } else { "regular" },
        "category": category,
    })
}

fn metadata(account: &WhatsappAccount) -> Value {
    let digits: String =
        account.display_phone_number.chars().filter(char::is_ascii_digit).collect();
    json!({ "display_phone_number": digits, "phone_number_id": account.phone_number_id })
}

/// One signed body with these changes. Two and more are spread over two entries, as Meta does
/// when updates pile up: who reads only the first entry or change loses the others.
fn parcel(account: &WhatsappAccount, values: Vec<Value>, at: Timestamp) -> Parcel {
    let mut changes: Vec<Value> =
        values.into_iter().map(|value| json!({ "value": value, "field": "messages" })).collect();
    let second = changes.split_off(changes.len().div_ceil(2));
    let entries: Vec<Value> = [changes, second]
        .into_iter()
        .filter(|changes| !changes.is_empty())
        .map(|changes| {
            json!({ "id": account.waba_id, "time": at.as_ms() / 1_000, "changes": changes })
        })
        .collect();
    let body = escape(&json!({ "object": "whatsapp_business_account", "entry": entries }));
    let header = ("x-hub-signature-256", signature(&account.app_secret, body.as_bytes()));
    Parcel::json(account.webhook_url.clone(), header, body.into_bytes())
}

/// JSON with everything beyond ASCII as `\uxxxx`, as Meta sends and signs it.
pub(in crate::sandbox) fn escape(value: &Value) -> String {
    let plain = value.to_string();
    let mut escaped = String::with_capacity(plain.len());
    for character in plain.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            // Beyond ASCII there is nothing in JSON but the inside of strings.
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// The value of `X-Hub-Signature-256` for these bytes.
pub(in crate::sandbox) fn signature(secret: &str, body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
        }
        // HMAC takes keys of every length.
        Err(_) => String::new(),
    }
}

/// Updates that wait for others to share a body with, by account.
#[derive(Default)]
pub(in crate::sandbox) struct Batches {
    held: Mutex<HashMap<String, Held>>,
    grew: Notify,
}

#[derive(Default)]
struct Held {
    values: Vec<Value>,
    waiting: Vec<oneshot::Sender<()>>,
}

/// Posts one change, alone or in a batch if that fault is on; returns when it was taken.
pub(super) async fn deliver(sandbox: &Sandbox, account: &WhatsappAccount, value: Value) {
    let now = sandbox.now();
    let fault =
        sandbox.change(|memory| memory.faults.strike(FaultKind::Batch, "whatsapp", &[], now));
    let Some(fault) = fault else {
        return post(sandbox, account, vec![value]).await;
    };
    let size = fault.size.unwrap_or(MAX_UPDATES).clamp(1, MAX_UPDATES);
    if let Some(posted) = sandbox.0.batches.join(&account.phone_number_id, value) {
        // Somebody else posts it; an error means that the sandbox is shutting down.
        return drop(posted.await);
    }
    let held = sandbox.0.batches.collect(&account.phone_number_id, size).await;
    let mut values = held.values;
    while !values.is_empty() {
        let rest = values.split_off(values.len().min(size));
        post(sandbox, account, std::mem::replace(&mut values, rest)).await;
    }
    for waiting in held.waiting {
        let _ = waiting.send(());
    }
}

async fn post(sandbox: &Sandbox, account: &WhatsappAccount, values: Vec<Value>) {
    let now = sandbox.now();
    let parcel = parcel(account, values, now);
    sandbox.0.post.bring(sandbox, &parcel).await;
    let again = sandbox
        .change(|memory| memory.faults.strike(FaultKind::DuplicateWebhook, "whatsapp", &[], now));
    if again.is_some() {
        sandbox.0.post.bring(sandbox, &parcel).await;
    }
}

impl Batches {
    /// Adds an update; None for the first one, which has to collect the others.
    fn join(&self, account: &str, value: Value) -> Option<oneshot::Receiver<()>> {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all.entry(account.to_owned()).or_default();
        held.values.push(value);
        if held.values.len() == 1 {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        held.waiting.push(sender);
        self.grew.notify_waiters();
        Some(receiver)
    }

    /// Waits until so many updates are there, or no more come.
    async fn collect(&self, account: &str, size: usize) -> Held {
        loop {
            let grew = self.grew.notified();
            let count = {
                let all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                all.get(account).map_or(0, |held| held.values.len())
            };
            if count >= size || tokio::time::timeout(LINGER, grew).await.is_err() {
                let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                return all.remove(account).unwrap_or_default();
            }
        }
    }
}
