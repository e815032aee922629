//! Hands messages to the gateway, and tells it once where its webhooks are to go.
//!
//! One call is one request. Whether a request that brought no clear answer may be repeated is not
//! decided here: it is reported as unknown. Source of the forms: the gateway's own documentation
//! and server as of 2026.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::SecondsFormat;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{codes, webhook};
use crate::channel::http_call::{no_answer, read_bounded, retry_after};
use crate::channel::sms::address::number_and_words;
use crate::channel::{
    Accepted, Channel, Event, HookAnswer, HookRefusal, HookRequest, Offer, Outbound, SendError,
    Shared, Sink,
};

/// What the gateway is asked to tell us.
const EVENTS: [&str; 4] = ["sms:received", "sms:sent", "sms:delivered", "sms:failed"];
/// The wait before webhooks are registered again after it failed; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest such wait.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// The shortest time a message is given, for the phone's clock may be ahead of ours.
const SHORTEST_VALIDITY: Duration = Duration::from_secs(60);

/// A phone, or several behind one server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AndroidSettings {
    /// Address of the server or of the phone itself: `https://api.sms-gate.app/3rdparty/v1`.
    pub api_url: String,
    /// User.
    pub username: String,
    /// Password.
    pub password: SecretString,
    /// Signs webhooks.
    pub webhook_key: SecretString,
    /// Which SIM sends, from 1; the phone's own choice when absent.
    #[serde(default)]
    pub sim_number: Option<u8>,
}

/// The adapter.
#[derive(Debug)]
pub struct AndroidClient {
    settings: AndroidSettings,
    base: String,
    shared: Arc<Shared>,
}

impl AndroidClient {
    /// An adapter of that account.
    #[must_use]
    pub fn new(shared: Arc<Shared>, settings: AndroidSettings) -> Self {
        let base = settings.api_url.trim_end_matches('/').to_owned();
        Self { settings, base, shared }
    }

    fn body(&self, message: &Outbound) -> Result<Value, SendError> {
        let (number, words) = number_and_words(message)?;
        let mut body = json!({
            "id": message.id.to_string(),
            "textMessage": { "text": words },
            "phoneNumbers": [number],
            "withDeliveryReport": true,
            "priority": 0,
        });
        if let Some(sim) = self.settings.sim_number {
            body["simNumber"] = sim.into();
        }
        if let Some(until) = message.valid_until {
            let until = until.max(self.shared.clock.now().after(SHORTEST_VALIDITY));
            body["validUntil"] = until.utc().to_rfc3339_opts(SecondsFormat::Millis, true).into();
        }
        Ok(body)
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .basic_auth(&self.settings.username, Some(self.settings.password.expose_secret()))
            .timeout(self.shared.timeout)
    }

    /// Asks, and gives what a success brought.
    async fn call(&self, request: RequestBuilder) -> Result<Value, SendError> {
        let response = self.authorised(request).send().await.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        let answer = read_bounded(response).await.map_err(|error| no_answer(&error))?;
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        match answer {
            Some(answer) if (200..300).contains(&status) => Ok(answer),
            answer => Err(codes::classify(status, answer.as_ref(), after)),
        }
    }

    /// Which of our events the gateway does not yet post to us.
    async fn missing_events(&self) -> Result<Vec<&'static str>, SendError> {
        let known = self.call(self.shared.http.get(format!("{}/webhooks", self.base))).await?;
        let known = known.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_known = |event: &&str| {
            known
                .iter()
                .any(|hook| hook["event"] == *event && hook["url"] == self.shared.hook_url.as_str())
        };
        Ok(EVENTS.into_iter().filter(|event| !is_known(event)).collect())
    }

    async fn register_webhooks(&self) -> Result<(), SendError> {
        for event in self.missing_events().await? {
            let hook = json!({ "url": self.shared.hook_url, "event": event });
            let url = format!("{}/webhooks", self.base);
            self.call(self.shared.http.post(url).json(&hook)).await?;
            tracing::info!(event, "webhook registered at the Android gateway");
        }
        Ok(())
    }
}

#[async_trait]
impl Channel for AndroidClient {
    fn offer(&self) -> Offer {
        // All it has to tell comes to our webhook.
        let is_called_back = !self.shared.hook_url.is_empty();
        Offer { has_receipts: is_called_back, is_two_way: is_called_back, pair_rate: None }
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        let request = self
            .shared
            .http
            .post(format!("{}/messages", self.base))
            // Our numbers are checked already; the gateway would look them up once more, by the
            // country its phone is in.
            .query(&[("skipPhoneValidation", "true")])
            .json(&self.body(message)?);
        let response = self.authorised(request).send().await.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        let answer = read_bounded(response).await.map_err(|error| no_answer(&error))?;
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        codes::interpret(status, answer.as_ref(), after, &message.id.to_string())
    }

    async fn probe(&self) -> Result<String, SendError> {
        let missing = self.missing_events().await?;
        Ok(if self.shared.hook_url.is_empty() {
            "works; posts nothing to us without a public address".to_owned()
        } else if missing.is_empty() {
            "works; posts its events to us".to_owned()
        } else {
            format!("works; {} will be registered when the service starts", missing.join(", "))
        })
    }

    fn receive(&self, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        webhook::receive(self.settings.webhook_key.expose_secret(), request)
    }

    fn read(&self, payload: &str) -> Event {
        webhook::read(payload)
    }

    /// Registers what is missing of our webhooks, once; there is nothing to be fetched later.
    async fn listen(&self, _sink: Arc<dyn Sink>, stop: CancellationToken) {
        let mut wait = FIRST_WAIT;
        while !self.shared.hook_url.is_empty() {
            let registered = tokio::select! {
                registered = self.register_webhooks() => registered,
                () = stop.cancelled() => return,
            };
            let Err(error) = registered else { break };
            tracing::warn!("webhooks not registered at the Android gateway: {error}");
            if tokio::time::timeout(wait, stop.cancelled()).await.is_ok() {
                return;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        stop.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Form;
    use crate::domain::clock::{Clock as _, SystemClock, Timestamp};
    use crate::domain::id::IdSource;
    use crate::domain::message::MessageText;
    use crate::domain::outbound::{Recipient, TemplateCall};
    use crate::domain::phone::PhoneNumber;

    fn client(sim_number: Option<u8>) -> AndroidClient {
        // An error only says that another test was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Shared {
            http: reqwest::Client::new(),
            timeout: Duration::from_secs(1),
            list_button: String::new(),
            hook_url: String::new(),
            clock: Arc::new(SystemClock),
        };
        let settings = AndroidSettings {
            api_url: "http://127.0.0.1:9/3rdparty/v1/".to_owned(),
            username: "desa".to_owned(),
            password: "p".to_owned().into(),
            webhook_key: "k".to_owned().into(),
            sim_number,
        };
        AndroidClient::new(Arc::new(shared), settings)
    }

    fn outbound(to: Recipient, form: Form) -> Outbound {
        let id = IdSource::default().next(Timestamp::from_ms(1_763_700_000_000));
        Outbound { id, to, form, list_button: None, valid_until: None }
    }

    fn siti() -> Recipient {
        Recipient::of_phone(PhoneNumber::parse("0812-0000-0001").unwrap())
    }

    #[test]
    fn our_id_goes_along_with_one_number_the_words_and_the_sim() {
        let free = Form::Free { text: MessageText::new("KTP jadi"), choices: vec![] };
        let message = outbound(siti(), free);
        let body = client(Some(2)).body(&message).unwrap();
        assert_eq!(body["id"], message.id.to_string());
        assert!(message.id.to_string().len() <= 36, "the gateway takes no longer id");
        assert_eq!(body["phoneNumbers"], json!(["+6281200000001"]));
        assert_eq!(body["textMessage"]["text"], "KTP jadi");
        assert_eq!(body["withDeliveryReport"], true);
        assert_eq!(body["simNumber"], 2);
        assert!(client(None).body(&message).unwrap().get("simNumber").is_none());
    }

    #[test]
    fn the_phone_is_told_until_when_to_try_and_given_a_minute_at_least() {
        let client = client(None);
        let free = Form::Free { text: MessageText::new("x"), choices: vec![] };
        let message = outbound(siti(), free);
        assert!(client.body(&message).unwrap().get("validUntil").is_none());
        let until = |at| {
            let message = Outbound { valid_until: Some(at), ..message.clone() };
            client.body(&message).unwrap()["validUntil"].as_str().unwrap().to_owned()
        };
        // 2096-10-02T07:06:40Z
        assert_eq!(until(Timestamp::from_ms(4_000_000_000_123)), "2096-10-02T07:06:40.123Z");
        let now = SystemClock.now();
        let given = chrono::DateTime::parse_from_rfc3339(&until(now)).unwrap();
        assert!(Timestamp::from(given) >= now.after(SHORTEST_VALIDITY));
    }

    #[test]
    fn what_cannot_go_by_sms_is_rejected_here() {
        let call = TemplateCall {
            name: "n".into(),
            language: "id".into(),
            params: vec![],
            buttons: vec![],
        };
        let free = Form::Free { text: MessageText::new("x"), choices: vec![] };
        for (message, code) in [
            (outbound(siti(), Form::Template(call)), "template_not_supported"),
            (outbound(Recipient::default(), free), "no_phone"),
        ] {
            let Err(SendError::Rejected(fault)) = client(None).body(&message) else { panic!() };
            assert_eq!(fault.code, code);
        }
    }

    #[test]
    fn receipts_and_answers_need_a_public_address() {
        let AndroidClient { settings, shared, .. } = client(None);
        for (hook_url, comes) in [("", false), ("https://kabar.example/hooks/sms/hp", true)] {
            let shared = Shared { hook_url: hook_url.to_owned(), ..shared.as_ref().clone() };
            let offer = AndroidClient::new(Arc::new(shared), settings.clone()).offer();
            assert_eq!((offer.has_receipts, offer.is_two_way), (comes, comes), "{hook_url}");
        }
    }

    #[tokio::test]
    async fn a_gateway_that_is_not_there_took_nothing() {
        let free = Form::Free { text: MessageText::new("x"), choices: vec![] };
        let error = client(None).send(&outbound(siti(), free)).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { .. }), "{error}");
    }
}
