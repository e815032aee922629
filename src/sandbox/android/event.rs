//! What the phone tells: what became of a message, and what citizens wrote; signed as the app does.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::AndroidPhone;
use crate::domain::clock::Timestamp;
use crate::sandbox::Sandbox;
use crate::sandbox::course::{Fate, Step};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::post::Parcel;
use crate::sandbox::sms::Writing;

/// Android's `RESULT_ERROR_GENERIC_FAILURE`.
const GENERIC_FAILURE: u32 = 1;

/// What is known of a message whose course is told.
pub(super) struct Told {
    pub(super) account: AndroidPhone,
    pub(super) id: String,
    pub(super) number: String,
    pub(super) wants_receipt: bool,
    pub(super) sim: Option<u64>,
}

/// Leaves the receipts to the queue.
pub(super) async fn start(sandbox: &Sandbox, mut fate: Fate, told: Told) {
    // Nobody hears of an SMS that it was opened, nor that it arrived unless the network was asked.
    fate.steps.retain(|step| match step {
        Step::Read => false,
        Step::Delivered => told.wants_receipt,
        Step::Sent | Step::Failed { .. } => true,
    });
    fate.starts_early &= !fate.steps.is_empty();
    let (own, told) = (sandbox.clone(), Arc::new(told));
    fate.start(sandbox, move |step| {
        let (own, told) = (own.clone(), Arc::clone(&told));
        async move { take(&own, &told, step).await }
    })
    .await;
}

async fn take(sandbox: &Sandbox, told: &Told, step: Step) {
    let code = step.error_code(GENERIC_FAILURE);
    sandbox.change(|memory| memory.phones.mark(&told.number, &told.id, step.mark(), code));
    let number = format!("+{}", told.number);
    let mut payload = json!({
        "messageId": told.id,
        "sender": told.account.number,
        "recipient": number,
        "phoneNumber": number,
        "simNumber": told.sim,
    });
    let at = written(sandbox.now());
    match step {
        Step::Sent => {
            payload["partsCount"] = 1.into();
            payload["sentAt"] = at.into();
        }
        Step::Delivered | Step::Read => payload["deliveredAt"] = at.into(),
        Step::Failed { .. } => {
            payload["failedAt"] = at.into();
            payload["reason"] = reason(code.unwrap_or(GENERIC_FAILURE)).into();
        }
    }
    tell(sandbox, &told.account, &format!("sms:{}", step.word()), payload).await;
}

/// The word of Android's `SmsManager` for a result code.
fn reason(code: u32) -> String {
    let name = match code {
        GENERIC_FAILURE => "ERROR_GENERIC_FAILURE",
        2 => "ERROR_RADIO_OFF",
        4 => "ERROR_NO_SERVICE",
        5 => "ERROR_LIMIT_EXCEEDED",
        10 => "NETWORK_REJECT",
        17 => "NETWORK_ERROR",
        102 => "RIL_NETWORK_REJECT",
        120 => "RIL_SIM_ABSENT",
        other => return format!("RESULT_{other}"),
    };
    format!("RESULT_{name}")
}

/// A citizen's message as an event: its name and what it holds.
pub(super) fn heard(
    account: &AndroidPhone,
    number: &str,
    at: Timestamp,
    writing: Writing,
) -> (String, Value) {
    let from = format!("+{number}");
    let mut payload = json!({
        "sender": from,
        "phoneNumber": from,
        "recipient": account.number,
        "simNumber": 1,
        "receivedAt": written(at),
    });
    let word = match writing {
        Writing::Text(text) => {
            // Made from the content alone, as the app does it.
            payload["messageId"] = short_digest(&text, 8).into();
            payload["message"] = text.into();
            "sms:received".to_owned()
        }
        Writing::Raw(word, fields) => {
            for (name, value) in fields {
                payload[name] = value;
            }
            word
        }
    };
    (word, payload)
}

/// Posts one event to everybody who asked for it; returns when all have taken it.
pub(super) async fn tell(sandbox: &Sandbox, account: &AndroidPhone, word: &str, payload: Value) {
    let now = sandbox.now();
    let (places, is_doubled) = sandbox.change(|memory| {
        let places = memory.android.hooks.places(account, word);
        let doubled = memory.faults.strike(FaultKind::DuplicateWebhook, "android", &[], now);
        (places, doubled.is_some())
    });
    for (webhook_id, url) in places {
        let id = format!("{:016x}{:05}", sandbox.0.seed, sandbox.serial() % 100_000);
        let body = json!({ "deviceId": device_id(account), "event": word, "id": id,
            "webhookId": webhook_id, "payload": payload });
        let body = body.to_string().into_bytes();
        for _ in 0..=u8::from(is_doubled) {
            // Signed at each try: a signature grows old.
            let parcel = || parcel(account, url.clone(), body.clone(), sandbox.now());
            sandbox.0.post.bring_anew(sandbox, parcel).await;
        }
    }
}

fn parcel(account: &AndroidPhone, url: String, body: Vec<u8>, now: Timestamp) -> Parcel {
    let seconds = (now.as_ms() / 1_000).to_string();
    let proof = ("x-signature", signature(&account.webhook_key, &body, &seconds));
    let mut parcel = Parcel::json(url, proof, body);
    parcel.headers.push(("x-timestamp", seconds));
    parcel
}

/// The value of `X-Signature`: over the bytes and the seconds behind them.
pub(in crate::sandbox) fn signature(key: &str, body: &[u8], seconds: &str) -> String {
    match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            mac.update(seconds.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        }
        // HMAC takes keys of every length.
        Err(_) => String::new(),
    }
}

/// The id of the phone, 21 characters.
pub(super) fn device_id(account: &AndroidPhone) -> String {
    short_digest(&account.id, 21)
}

fn short_digest(text: &str, length: usize) -> String {
    let mut digest = hex::encode(Sha256::digest(text.as_bytes()));
    digest.truncate(length);
    digest
}

/// A moment on the phone's own clock, in West Indonesia.
fn written(at: Timestamp) -> String {
    let zone = chrono::FixedOffset::east_opt(7 * 3_600);
    let format = "%Y-%m-%dT%H:%M:%S%.3f%:z";
    match zone {
        Some(zone) => at.in_zone(zone).format(format).to_string(),
        None => at.utc().format(format).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_carry_milliseconds_and_the_phones_zone() {
        let at = Timestamp::from_ms(1_795_000_000_007);
        assert_eq!(written(at), "2026-11-18T18:06:40.007+07:00");
    }

    #[test]
    fn the_signature_covers_the_body_and_the_seconds() {
        let known = "b4ee1c6fba111dae5b747eae692108e3f80dbce661d1d827b7af9bc8a335ea38";
        assert_eq!(signature("test-key", br#"{"event":"sms:received"}"#, "1700000000"), known);
    }
}
