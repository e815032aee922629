//! Sends through Kannel's `sendsms` and reads its answers.
//!
//! One call is one request. The password stands in its address, so no part of that address may
//! reach a log or an error.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use super::{KannelSettings, codes, webhook};
use crate::channel::http_call::{no_answer, read_bounded, retry_after};
use crate::channel::sms::address::number_and_words;
use crate::channel::sms::takes_answers;
use crate::channel::{
    Accepted, Channel, Event, Fault, HookAnswer, HookRefusal, HookRequest, Offer, Outbound,
    SendError, Shared,
};
use crate::domain::gsm7::is_gsm7;
use crate::domain::id::MessageId;

/// Every type of receipt: delivered, failed, queued, accepted and refused by the SMSC.
const ALL_RECEIPTS: &str = "31";
/// A receiver and a coding that no message can have. Kannel looks at them in this order, after the
/// password, and refuses before anything is sent.
const HARMLESS: [(&str, &str); 3] = [("to", "+"), ("coding", "9"), ("text", "-")];

/// The adapter.
pub struct KannelClient {
    shared: Arc<Shared>,
    settings: KannelSettings,
    url: String,
    secret: SecretString,
}

impl fmt::Debug for KannelClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KannelClient").field("url", &self.url).finish_non_exhaustive()
    }
}

impl KannelClient {
    /// An adapter of that account.
    #[must_use]
    pub fn new(shared: Arc<Shared>, settings: KannelSettings) -> Self {
        let url = format!("{}/cgi-bin/sendsms", settings.api_url.trim_end_matches('/'));
        let secret = settings.proof();
        Self { shared, settings, url, secret }
    }

    fn is_called_back(&self) -> bool {
        !self.shared.hook_url.is_empty()
    }

    /// Where Kannel is to call with receipts. It fills in what follows a `%`; our own `%` are
    /// doubled.
    fn receipts_url(&self, id: MessageId) -> String {
        format!(
            "{}/dlr?m={id}&s={}&type=%d&ans=%A&fid=%F&ts=%T&smsc=%i",
            self.shared.hook_url.replace('%', "%%"),
            escaped(self.secret.expose_secret()).replace('%', "%%"),
        )
    }

    fn parameters(&self, message: &Outbound) -> Result<Vec<(&'static str, String)>, SendError> {
        let (phone, text) = number_and_words(message)?;
        // Kannel would send an unfit character as a question mark rather than change the coding.
        let coding = if is_gsm7(text) { "0" } else { "2" };
        let mut parameters = vec![
            ("from", self.settings.sender.clone()),
            ("to", phone.to_owned()),
            ("text", text.to_owned()),
            ("charset", "UTF-8".to_owned()),
            ("coding", coding.to_owned()),
        ];
        if let Some(validity) = message.validity(self.shared.clock.now()) {
            let minutes = (validity.as_secs() / 60).max(1);
            parameters.push(("validity", minutes.to_string()));
        }
        if self.is_called_back() {
            parameters.push(("dlr-mask", ALL_RECEIPTS.to_owned()));
            parameters.push(("dlr-url", self.receipts_url(message.id)));
        }
        Ok(parameters)
    }

    async fn ask<V: AsRef<str> + Sync>(
        &self,
        parameters: &[(&'static str, V)],
    ) -> Result<(), SendError> {
        let (user, password) = (&self.settings.username, self.settings.password.expose_secret());
        let mut query = vec![("username", user.as_str()), ("password", password)];
        query.extend(parameters.iter().map(|(name, value)| (*name, value.as_ref())));
        let response = self
            .shared
            .http
            .get(&self.url)
            .query(&query)
            .timeout(self.shared.timeout)
            .send()
            .await
            .map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let after = retry_after(response.headers());
        let reply = read_bounded(response).await.map_err(|error| no_answer(&error))?;
        codes::classify(status, &String::from_utf8_lossy(&reply), after)
    }
}

/// A text as a part of an address.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

#[async_trait]
impl Channel for KannelClient {
    fn offer(&self) -> Offer {
        let takes = self.settings.two_way.unwrap_or_else(|| takes_answers(&self.settings.sender));
        Offer {
            has_receipts: self.is_called_back(),
            is_two_way: takes && self.is_called_back(),
            pair_rate: None,
        }
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        self.ask(&self.parameters(message)?).await?;
        // Kannel gives none, and its receipts repeat ours.
        Ok(Accepted::of(message.id.to_string()))
    }

    async fn probe(&self) -> Result<String, SendError> {
        let mut question = vec![("from", self.settings.sender.as_str())];
        question.extend(HARMLESS);
        match self.ask(&question).await {
            Ok(()) => Ok("takes our password".to_owned()),
            Err(SendError::Rejected(fault)) if fault.code == "coding_misformed" => {
                Ok(if self.is_called_back() {
                    "takes our password; receipts come to our webhook".to_owned()
                } else {
                    "takes our password; no receipts, for there is no public address".to_owned()
                })
            }
            // The one receiver of this question is a bare plus sign.
            Err(SendError::RecipientGone(fault)) => Err(SendError::Misconfigured(Fault::new(
                fault.code,
                "sendsms-chars of Kannel has no plus sign, so every number would be denied",
            ))),
            Err(error) => Err(error),
        }
    }

    fn receive(&self, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        webhook::receive(self.secret.expose_secret(), request)
    }

    fn read(&self, payload: &str) -> Event {
        webhook::read(payload)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    fn client(sender: &str, hook_url: &str) -> KannelClient {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Shared {
            http: reqwest::Client::new(),
            timeout: Duration::from_secs(1),
            list_button: String::new(),
            hook_url: hook_url.to_owned(),
            clock: Arc::new(SystemClock),
        };
        let settings = KannelSettings {
            // Nobody listens there.
            api_url: "http://127.0.0.1:9/".to_owned(),
            username: "desa".to_owned(),
            password: "hunter2".to_owned().into(),
            sender: sender.to_owned(),
            webhook_secret: Some("a&b%".to_owned().into()),
            two_way: None,
        };
        KannelClient::new(Arc::new(shared), settings)
    }

    fn message(text: &str) -> Outbound {
        Outbound {
            id: IdSource::default().next(Timestamp::from_ms(1_795_000_000_000)),
            to: Recipient::of_phone(PhoneNumber::parse("0812-3456-7890").unwrap()),
            form: Form::Free { text: MessageText::new(text), choices: vec![] },
            list_button: None,
            valid_until: None,
        }
    }

    fn parameter(client: &KannelClient, message: &Outbound, name: &str) -> Option<String> {
        let parameters = client.parameters(message).unwrap();
        parameters.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    #[test]
    fn the_coding_follows_the_text() {
        let client = client("13013", "");
        for (text, coding) in [("halo {€", "0"), ("halo “Siti”", "2"), ("😀", "2"), ("", "0")]
        {
            assert_eq!(parameter(&client, &message(text), "coding").as_deref(), Some(coding));
        }
        let message = message("halo");
        assert_eq!(parameter(&client, &message, "to").as_deref(), Some("+6281234567890"));
        assert_eq!(parameter(&client, &message, "from").as_deref(), Some("13013"));
        assert_eq!(parameter(&client, &message, "dlr-url"), None, "nobody to be called");
    }

    #[test]
    fn receipts_are_asked_for_where_there_is_a_public_address() {
        let client = client("DESA", "https://kabar.example/hooks/sms/k%20");
        let message = message("halo");
        assert_eq!(parameter(&client, &message, "dlr-mask").as_deref(), Some("31"));
        assert_eq!(
            parameter(&client, &message, "dlr-url").unwrap(),
            format!(
                "https://kabar.example/hooks/sms/k%%20/dlr?m={}&s=a%%26b%%25\
                 &type=%d&ans=%A&fid=%F&ts=%T&smsc=%i",
                message.id
            )
        );
    }

    #[test]
    fn kannel_is_told_for_how_many_whole_minutes_to_try_and_for_one_at_least() {
        let now = Timestamp::from_ms(1_795_000_000_000);
        let KannelClient { settings, shared, .. } = client("13013", "");
        let shared = Shared { clock: Arc::new(Stopped(now)), ..shared.as_ref().clone() };
        let client = KannelClient::new(Arc::new(shared), settings);
        assert_eq!(parameter(&client, &message("halo"), "validity"), None);
        for (seconds, minutes) in [(0, "1"), (59, "1"), (179, "2"), (36_000, "600")] {
            let valid_until = Some(now.after(Duration::from_secs(seconds)));
            let message = Outbound { valid_until, ..message("halo") };
            assert_eq!(parameter(&client, &message, "validity").as_deref(), Some(minutes));
        }
    }

    #[test]
    fn receipts_need_an_address_and_answers_a_number_too() {
        let offer = |sender, hook_url| {
            let offer = client(sender, hook_url).offer();
            (offer.has_receipts, offer.is_two_way)
        };
        assert_eq!(offer("13013", "http://x/h"), (true, true));
        assert_eq!(offer("DESA", "http://x/h"), (true, false));
        assert_eq!(offer("13013", ""), (false, false));
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_refused_without_a_request() {
        let client = client("13013", "");
        let call = TemplateCall {
            name: "x".into(),
            language: "id".into(),
            params: vec![],
            buttons: vec![],
        };
        let template = Outbound { form: Form::Template(call), ..message("") };
        let nobody = Outbound { to: Recipient::default(), ..message("halo") };
        for (message, code) in [(template, "template_not_supported"), (nobody, "no_phone")] {
            let error = client.send(&message).await.unwrap_err();
            assert_eq!((error.word(), error.fault().code.as_str()), ("rejected", code));
        }
    }

    #[tokio::test]
    async fn a_kannel_that_is_not_there_is_tried_again_and_no_error_shows_the_password() {
        let client = client("13013", "");
        let error = client.send(&message("halo")).await.unwrap_err();
        assert_eq!(error.word(), "retry");
        let shown = format!("{error} {error:?} {client:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("a&b%"), "{shown}");
    }
}
