//! Sends through Zenziva's console API, and keeps an eye on what is left of the account.
//!
//! One call is one request. The keys stand in the address of the balance, so no part of that
//! address may reach a log or an error.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::{ZenzivaSettings, codes};
use crate::channel::http_call::{cut, no_answer, read_bounded, retry_after};
use crate::channel::sms::address::number_and_words;
use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared, Sink,
};

/// The wait between two looks at the balance.
const BALANCE_EVERY: Duration = Duration::from_secs(15 * 60);

/// The adapter.
pub struct ZenzivaClient {
    shared: Arc<Shared>,
    settings: ZenzivaSettings,
    send_url: String,
    balance_url: String,
}

impl fmt::Debug for ZenzivaClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZenzivaClient").field("url", &self.send_url).finish_non_exhaustive()
    }
}

/// What is left of an account.
#[derive(Clone, Debug, PartialEq)]
struct Balance {
    credit: f64,
    expired: Option<String>,
}

impl ZenzivaClient {
    /// An adapter of that account.
    #[must_use]
    pub fn new(shared: Arc<Shared>, settings: ZenzivaSettings) -> Self {
        let (send_url, balance_url) = settings.addresses();
        Self { shared, settings, send_url, balance_url }
    }

    fn keys(&self) -> [(&'static str, &str); 2] {
        [("userkey", &self.settings.userkey), ("passkey", self.settings.passkey.expose_secret())]
    }

    fn form(&self, message: &Outbound) -> Result<String, SendError> {
        let (phone, text) = number_and_words(message)?;
        let to = national(phone);
        let [userkey, passkey] = self.keys();
        let form = [userkey, passkey, ("to", to.as_str()), ("message", text)];
        serde_urlencoded::to_string(form).map_err(|_| {
            SendError::Rejected(Fault::new("not_written", "the request could not be written"))
        })
    }

    async fn balance(&self) -> Result<Balance, SendError> {
        let request = self.shared.http.get(&self.balance_url).query(&self.keys());
        let (status, after, answer) = self.ask(request).await?;
        let credit = answer.as_ref().and_then(|answer| answer.credit);
        match (credit, answer) {
            (Some(credit), Some(answer)) if (200..300).contains(&status) => {
                Ok(Balance { credit, expired: answer.expired })
            }
            (_, answer) => {
                codes::classify(status, answer.as_ref(), after)?;
                let words = "Zenziva answered without a balance";
                Err(SendError::Unknown(Fault::new("no_balance", words)))
            }
        }
    }

    async fn ask(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(u16, Option<Duration>, Option<Answer>), SendError> {
        let response =
            request.timeout(self.shared.timeout).send().await.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        let answer = read_bounded(response).await.map_err(|error| no_answer(&error))?;
        Ok((status, after, Answer::read(&answer)))
    }

    async fn look_at_balance(&self) {
        match self.balance().await {
            Ok(balance) if balance.credit < f64::from(self.settings.low_balance) => {
                let low_balance = self.settings.low_balance;
                tracing::warn!(balance.credit, low_balance, "the balance at Zenziva is low");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the balance at Zenziva could not be read"),
        }
    }
}

/// As people write it, `0812…`, which is how Zenziva's documents do; a foreign one without the plus.
fn national(phone: &str) -> String {
    let digits = phone.trim_start_matches('+');
    digits.strip_prefix("62").map_or_else(|| digits.to_owned(), |rest| format!("0{rest}"))
}

#[async_trait]
impl Channel for ZenzivaClient {
    fn offer(&self) -> Offer {
        Offer { has_receipts: false, is_two_way: false, pair_rate: None }
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        let form = self.form(message)?;
        let request = self
            .shared
            .http
            .post(&self.send_url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let (status, after, answer) = self.ask(request).await?;
        let id = codes::classify(status, answer.as_ref(), after)?;
        // Its XML gives none, and nothing ever refers to it.
        let id = id.unwrap_or_else(|| message.id.to_string());
        Ok(Accepted::of(cut(&id, 200).to_owned()))
    }

    async fn probe(&self) -> Result<String, SendError> {
        let balance = self.balance().await?;
        if balance.credit <= 0.0 {
            return Err(SendError::Misconfigured(Fault::new("99", "out of credit")));
        }
        let until = balance.expired.map(|day| format!(", until {day}")).unwrap_or_default();
        Ok(format!("balance {}{until}", balance.credit))
    }

    fn receive(&self, _request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        Err(HookRefusal::NotFound)
    }

    fn read(&self, _payload: &str) -> Event {
        Event::Other
    }

    /// There is no news to fetch; only the balance is looked at.
    async fn listen(&self, _sink: Arc<dyn Sink>, stop: CancellationToken) {
        if self.settings.low_balance == 0 {
            stop.cancelled().await;
            return;
        }
        let watch = async {
            loop {
                self.look_at_balance().await;
                tokio::time::sleep(BALANCE_EVERY).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Form;
    use crate::domain::clock::{SystemClock, Timestamp};
    use crate::domain::id::IdSource;
    use crate::domain::message::MessageText;
    use crate::domain::outbound::{Recipient, TemplateCall};
    use crate::domain::phone::PhoneNumber;

    fn client() -> ZenzivaClient {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Shared {
            http: reqwest::Client::new(),
            timeout: Duration::from_secs(1),
            list_button: String::new(),
            hook_url: String::new(),
            clock: Arc::new(SystemClock),
        };
        let settings = ZenzivaSettings {
            // Nobody listens there.
            api_url: "http://127.0.0.1:9".to_owned(),
            userkey: "user".to_owned(),
            passkey: "hunter2".to_owned().into(),
            low_balance: 1,
        };
        ZenzivaClient::new(Arc::new(shared), settings)
    }

    fn message() -> Outbound {
        Outbound {
            id: IdSource::default().next(Timestamp::from_ms(1_795_000_000_000)),
            to: Recipient::of_phone(PhoneNumber::parse("+62 812-3456-7890").unwrap()),
            form: Form::Free { text: MessageText::new("KTP & “siap”"), choices: vec![] },
            list_button: None,
            valid_until: None,
        }
    }

    #[test]
    fn a_message_goes_out_as_a_form_with_the_number_as_people_write_it() {
        assert_eq!(
            client().form(&message()).unwrap(),
            "userkey=user&passkey=hunter2&to=081234567890&message=KTP+%26+%E2%80%9Csiap%E2%80%9D"
        );
        assert_eq!(national("+60123456789"), "60123456789");
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_refused_without_a_request() {
        let call = TemplateCall {
            name: "x".into(),
            language: "id".into(),
            params: vec![],
            buttons: vec![],
        };
        let template = Outbound { form: Form::Template(call), ..message() };
        let nobody = Outbound { to: Recipient::default(), ..message() };
        for (message, code) in [(template, "template_not_supported"), (nobody, "no_phone")] {
            let error = client().send(&message).await.unwrap_err();
            assert_eq!((error.word(), error.fault().code.as_str()), ("rejected", code));
        }
    }

    #[tokio::test]
    async fn a_zenziva_that_is_not_there_is_tried_again_and_no_error_shows_the_keys() {
        let client = client();
        for error in [client.send(&message()).await.err(), client.probe().await.err()] {
            let error = error.unwrap();
            assert_eq!(error.word(), "retry");
            assert!(!format!("{error} {error:?} {client:?}").contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn it_watches_until_it_is_stopped() {
        struct Nobody;
        #[async_trait]
        impl Sink for Nobody {
            async fn store(
                &self,
                _events: Vec<crate::channel::RawEvent>,
            ) -> Result<(), crate::channel::NotStored> {
                panic!("there is nothing to store")
            }
        }
        let stop = CancellationToken::new();
        stop.cancel();
        client().listen(Arc::new(Nobody), stop).await;
    }
}
