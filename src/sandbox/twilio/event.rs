//! What Twilio calls back: the course of a message, and what citizens wrote; signed over address and
//! form.
//!
//! How often the real one tries again is configured there; here a webhook is posted until it is
//! taken, as everywhere in the sandbox.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use sha1::Sha1;

use super::TwilioAccount;
use crate::sandbox::Sandbox;
use crate::sandbox::course::{Fate, Step};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::post::Parcel;
use crate::sandbox::sms::Writing;

/// "Unknown error" of the network.
const UNKNOWN_ERROR: u32 = 30_008;

/// What is known of a message whose course is told.
pub(super) struct Told {
    pub(super) account: TwilioAccount,
    pub(super) sid: String,
    pub(super) number: String,
    pub(super) service: Option<String>,
    pub(super) callback: Option<String>,
}

/// Leaves the callbacks to the queue.
pub(super) async fn start(sandbox: &Sandbox, mut fate: Fate, told: Told) {
    // Nobody hears of an SMS that it was opened.
    fate.steps.retain(|step| *step != Step::Read);
    fate.starts_early &= !fate.steps.is_empty();
    let (own, told) = (sandbox.clone(), Arc::new(told));
    fate.start(sandbox, move |step| {
        let (own, told) = (own.clone(), Arc::clone(&told));
        async move { take(&own, &told, step).await }
    })
    .await;
}

async fn take(sandbox: &Sandbox, told: &Told, step: Step) {
    let code = step.error_code(UNKNOWN_ERROR);
    sandbox.change(|memory| memory.phones.mark(&told.number, &told.sid, step.mark(), code));
    let Some(url) = &told.callback else { return };
    let status = match (step, code) {
        // Given up before it left, or refused by the network.
        (Step::Failed { .. }, Some(30_001 | 30_002 | 21_610)) => "failed",
        (Step::Failed { .. }, _) => "undelivered",
        (step, _) => step.word(),
    };
    let mut fields = vec![
        ("MessageSid", told.sid.clone()),
        ("SmsSid", told.sid.clone()),
        ("MessageStatus", status.to_owned()),
        ("SmsStatus", status.to_owned()),
        ("To", format!("+{}", told.number)),
        ("From", told.account.sender.clone()),
        ("AccountSid", told.account.account_sid.clone()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ];
    if let Some(service) = &told.service {
        fields.push(("MessagingServiceSid", service.clone()));
    }
    if let Some(code) = code {
        fields.push(("ErrorCode", code.to_string()));
    }
    if step == Step::Delivered {
        fields.push(("RawDlrDoneDate", sandbox.now().utc().format("%y%m%d%H%M").to_string()));
    }
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    tell(sandbox, &told.account, url, fields).await;
}

/// Brings a citizen's message to the address of the number it went to.
pub(super) async fn bring_in(
    sandbox: &Sandbox,
    account: &TwilioAccount,
    number: &str,
    sid: &str,
    writing: Writing,
) {
    if account.inbound_url.is_empty() {
        return;
    }
    let text = match &writing {
        Writing::Text(text) => text.clone(),
        Writing::Raw(..) => String::new(),
    };
    let mut fields: Vec<(String, String)> = [
        ("ToCountry", "ID"),
        ("SmsMessageSid", sid),
        ("NumMedia", "0"),
        ("SmsSid", sid),
        ("SmsStatus", "received"),
        ("FromCountry", "ID"),
        ("Body", &text),
        ("To", &account.sender),
        ("NumSegments", &super::segments(&text).to_string()),
        ("MessageSid", sid),
        ("AccountSid", &account.account_sid),
        ("From", &format!("+{number}")),
        ("ApiVersion", "2010-04-01"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    if account.sender.starts_with("MG") {
        fields.push(("MessagingServiceSid".to_owned(), account.sender.clone()));
        // A messaging service names the words it knows itself.
        let word = text.trim().to_uppercase();
        if matches!(word.as_str(), "STOP" | "START" | "HELP") {
            fields.push(("OptOutType".to_owned(), word));
        }
    }
    if let Writing::Raw(_, raw) = writing {
        for (name, value) in raw {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.retain(|field| field.0 != name);
            fields.push((name, value));
        }
    }
    tell(sandbox, account, &account.inbound_url, fields).await;
}

/// Posts a form; returns when it was taken.
async fn tell(
    sandbox: &Sandbox,
    account: &TwilioAccount,
    url: &str,
    fields: Vec<(String, String)>,
) {
    let signature = signature(&account.auth_token, url, &fields);
    let Ok(body) = serde_urlencoded::to_string(&fields) else { return };
    let parcel = Parcel {
        method: Method::POST,
        url: url.to_owned(),
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded; charset=UTF-8".to_owned()),
            ("x-twilio-signature", signature),
            ("user-agent", "TwilioProxy/1.1".to_owned()),
        ],
        body: body.into_bytes(),
    };
    sandbox.0.post.bring(sandbox, &parcel).await;
    let now = sandbox.now();
    let again = sandbox
        .change(|memory| memory.faults.strike(FaultKind::DuplicateWebhook, "twilio", &[], now));
    if again.is_some() {
        sandbox.0.post.bring(sandbox, &parcel).await;
    }
}

/// The value of `X-Twilio-Signature`: over the address and the fields in the order of their names,
/// each pair once.
fn signature(token: &str, url: &str, fields: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = fields.iter().collect();
    pairs.sort_unstable();
    pairs.dedup();
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        // HMAC takes keys of every length.
        return String::new();
    };
    mac.update(url.as_bytes());
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_twilio_publishes() {
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let fields = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let plain = fields(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
            ("Caller", "+14158675309"),
        ]);
        assert_eq!(signature("12345", url, &plain), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let doubled = fields(&[
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]);
        assert_eq!(signature("12345", url, &doubled), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    }
}
