//! Hands messages to Twilio's Messages API.
//!
//! One call is one request. Twilio knows no key by which a repeat is recognised, so a request
//! without a clear answer is reported as unknown, and the callback alone can settle it. Source of
//! the forms: Twilio's published description of its API, version 2010-04-01.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{codes, webhook};
use crate::channel::http_call::{cut, no_answer, read_bounded, retry_after};
use crate::channel::sms::address::number_and_words;
use crate::channel::sms::takes_answers;
use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};

/// The longest text Twilio takes.
const MAX_CHARS: usize = 1_600;
/// The longest a message waits at Twilio, which is also its default.
const MAX_VALIDITY: u64 = 36_000;

/// An account at Twilio.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioSettings {
    /// Address without version, `https://api.twilio.com`.
    pub api_url: String,
    /// The account's id, `AC…`.
    pub account_sid: String,
    /// Its token; also signs webhooks.
    pub auth_token: SecretString,
    /// Number, name, or messaging service (`MG…`) that sends.
    pub sender: String,
    /// Whether citizens can answer; by default whether the sender is a number.
    #[serde(default)]
    pub two_way: Option<bool>,
}

/// The adapter.
#[derive(Debug)]
pub struct TwilioClient {
    settings: TwilioSettings,
    /// The account's own address, without `.json`.
    account_url: String,
    shared: Arc<Shared>,
}

impl TwilioClient {
    /// An adapter of that account.
    #[must_use]
    pub fn new(shared: Arc<Shared>, settings: TwilioSettings) -> Self {
        let base = settings.api_url.trim_end_matches('/');
        let account_url = format!("{base}/2010-04-01/Accounts/{}", settings.account_sid);
        Self { settings, account_url, shared }
    }

    fn form(&self, message: &Outbound) -> Result<Vec<(&'static str, String)>, SendError> {
        let (number, words) = number_and_words(message)?;
        let sender = &self.settings.sender;
        let from = if sender.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let mut form = vec![
            ("To", number.to_owned()),
            (from, sender.clone()),
            ("Body", cut(words, MAX_CHARS).to_owned()),
        ];
        let validity = message.validity(self.shared.clock.now()).map(|time| time.as_secs());
        if let Some(seconds) = validity.filter(|seconds| *seconds <= MAX_VALIDITY) {
            form.push(("ValidityPeriod", seconds.max(1).to_string()));
        }
        if !self.shared.hook_url.is_empty() {
            let callback = format!("{}/status?m={}", self.shared.hook_url, message.id);
            form.push(("StatusCallback", callback));
        }
        Ok(form)
    }

    /// Asks, and gives status, wait and answer.
    async fn call(
        &self,
        request: RequestBuilder,
    ) -> Result<(u16, Option<Duration>, Option<Value>), SendError> {
        let response = request
            .basic_auth(&self.settings.account_sid, Some(self.settings.auth_token.expose_secret()))
            .timeout(self.shared.timeout)
            .send()
            .await
            .map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        let answer = read_bounded(response).await.map_err(|error| no_answer(&error))?;
        Ok((status, after, serde_json::from_slice(&answer).ok()))
    }
}

#[async_trait]
impl Channel for TwilioClient {
    fn offer(&self) -> Offer {
        let takes = self.settings.two_way.unwrap_or_else(|| takes_answers(&self.settings.sender));
        let is_called_back = !self.shared.hook_url.is_empty();
        Offer { has_receipts: is_called_back, is_two_way: takes && is_called_back, pair_rate: None }
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        let form = serde_urlencoded::to_string(self.form(message)?).map_err(|_| {
            SendError::Rejected(Fault::new("not_encodable", "the message could not be encoded"))
        })?;
        let request = self
            .shared
            .http
            .post(format!("{}/Messages.json", self.account_url))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let (status, after, answer) = self.call(request).await?;
        codes::interpret(status, answer.as_ref(), after)
    }

    async fn probe(&self) -> Result<String, SendError> {
        let request = self.shared.http.get(format!("{}.json", self.account_url));
        let (status, after, answer) = self.call(request).await?;
        match answer {
            Some(answer) if status == 200 => match answer["status"].as_str() {
                Some("active") => {
                    let name = answer["friendly_name"].as_str().unwrap_or("?");
                    Ok(format!("{}, active", cut(name, 100)))
                }
                state => {
                    let state = cut(state.unwrap_or("without a state"), 40).to_owned();
                    let fault = Fault::new("not_active", format!("the account is {state}"));
                    Err(SendError::Misconfigured(fault))
                }
            },
            answer => Err(codes::refusal(status, answer.as_ref(), after)),
        }
    }

    fn receive(&self, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        webhook::receive(self.settings.auth_token.expose_secret(), request)
    }

    fn read(&self, payload: &str) -> Event {
        webhook::read(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Form;
    use crate::domain::clock::{Clock, SystemClock, Timestamp};
    use crate::domain::id::IdSource;
    use crate::domain::message::MessageText;
    use crate::domain::outbound::{Recipient, TemplateCall};
    use crate::domain::phone::PhoneNumber;

    struct Stopped(Timestamp);

    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    fn client_at(now: Timestamp) -> TwilioClient {
        let TwilioClient { settings, shared, .. } = client("X", "", None);
        let shared = Shared { clock: Arc::new(Stopped(now)), ..shared.as_ref().clone() };
        TwilioClient::new(Arc::new(shared), settings)
    }

    fn client(sender: &str, hook_url: &str, two_way: Option<bool>) -> TwilioClient {
        // An error only says that another test was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Shared {
            http: reqwest::Client::new(),
            timeout: Duration::from_secs(1),
            list_button: String::new(),
            hook_url: hook_url.to_owned(),
            clock: Arc::new(SystemClock),
        };
        let settings = TwilioSettings {
            api_url: "http://127.0.0.1:9/".to_owned(),
            account_sid: "AC1".to_owned(),
            auth_token: "t".to_owned().into(),
            sender: sender.to_owned(),
            two_way,
        };
        TwilioClient::new(Arc::new(shared), settings)
    }

    fn outbound(form: Form) -> Outbound {
        Outbound {
            id: IdSource::default().next(Timestamp::from_ms(1_763_700_000_000)),
            to: Recipient::of_phone(PhoneNumber::parse("0812-0000-0001").unwrap()),
            form,
            list_button: None,
            valid_until: None,
        }
    }

    fn words(text: &str) -> Outbound {
        outbound(Form::Free { text: MessageText::new(text), choices: vec![] })
    }

    fn value(form: &[(&'static str, String)], name: &str) -> Option<String> {
        form.iter().find(|field| field.0 == name).map(|field| field.1.clone())
    }

    #[test]
    fn our_id_rides_in_the_address_that_is_called_back() {
        let message = words("KTP jadi");
        let hook = "https://kabar.example/hooks/sms/tw";
        let form = client("+15550001111", hook, None).form(&message).unwrap();
        assert_eq!(value(&form, "To").as_deref(), Some("+6281200000001"));
        assert_eq!(value(&form, "From").as_deref(), Some("+15550001111"));
        assert_eq!(value(&form, "Body").as_deref(), Some("KTP jadi"));
        let callback = value(&form, "StatusCallback").unwrap();
        assert_eq!(callback, format!("{hook}/status?m={}", message.id));
        let form = client("+15550001111", "", None).form(&message).unwrap();
        assert_eq!(value(&form, "StatusCallback"), None);
    }

    #[test]
    fn a_messaging_service_sends_by_its_own_field() {
        let form = client("MG12", "", None).form(&words("x")).unwrap();
        assert_eq!(value(&form, "MessagingServiceSid").as_deref(), Some("MG12"));
        assert_eq!(value(&form, "From"), None);
        let form = client("DUKCAPIL", "", None).form(&words(&"é".repeat(2_000))).unwrap();
        assert_eq!(value(&form, "Body").unwrap().chars().count(), MAX_CHARS);
    }

    #[test]
    fn twilio_is_told_how_long_to_try_where_that_is_shorter_than_it_would() {
        let now = Timestamp::from_ms(1_763_700_000_000);
        let client = client_at(now);
        let period = |valid_until| {
            let message = Outbound { valid_until, ..words("x") };
            value(&client.form(&message).unwrap(), "ValidityPeriod")
        };
        assert_eq!(period(None), None);
        for (seconds, expected) in [
            (0, Some("1")),
            (1, Some("1")),
            (90, Some("90")),
            (36_000, Some("36000")),
            (36_001, None),
        ] {
            let until = now.after(Duration::from_secs(seconds));
            assert_eq!(period(Some(until)).as_deref(), expected, "{seconds}");
        }
        assert_eq!(period(Some(now.before(Duration::from_secs(9)))).as_deref(), Some("1"));
    }

    #[test]
    fn receipts_need_a_public_address_and_answers_a_number_too() {
        let offer = |sender, hook, two_way| {
            let offer = client(sender, hook, two_way).offer();
            (offer.has_receipts, offer.is_two_way)
        };
        assert_eq!(offer("+15550001111", "https://k.example/h", None), (true, true));
        assert_eq!(offer("DUKCAPIL", "", None), (false, false));
        assert_eq!(offer("+15550001111", "", None), (false, false));
        assert_eq!(offer("MG12", "https://k.example/h", Some(true)), (true, true));
        assert_eq!(offer("MG12", "", Some(true)), (false, false));
        assert_eq!(offer("+15550001111", "https://k.example/h", Some(false)), (true, false));
    }

    #[test]
    fn a_template_cannot_go_by_sms() {
        let call = TemplateCall {
            name: "n".into(),
            language: "id".into(),
            params: vec![],
            buttons: vec![],
        };
        let error = client("X", "", None).form(&outbound(Form::Template(call))).unwrap_err();
        assert_eq!(error.fault().code, "template_not_supported");
    }

    #[tokio::test]
    async fn a_provider_that_is_not_there_took_nothing() {
        let error = client("X", "", None).send(&words("x")).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { .. }), "{error}");
    }
}
