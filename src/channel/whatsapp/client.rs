//! Sends through Meta's Graph API and reads its answers.
//!
//! One call is one request. Whether a request that brought no clear answer may be repeated is not
//! decided here: it is reported as unknown.

use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{codes, media, webhook};
use crate::channel::http_call::{cut, no_answer, read_bounded, retry_after, unreadable};
use crate::channel::{
    Accepted, Channel, Event, Form, HookAnswer, HookRefusal, HookRequest, Offer, Outbound, Scope,
    SendError, Shared, Upload, Uploaded,
};
use crate::domain::outbound::{Choice, Recipient, TemplateCall};
use crate::domain::redact::redact_digits;

/// One message in six seconds to one person, with bursts of 45 (Meta, pair rate limit).
const PAIR_RATE: (Duration, u32) = (Duration::from_secs(6), 45);
/// Longest words under a picture or a paper (Meta, media messages).
const MAX_CAPTION: usize = 1024;
/// Meta shows up to three reply buttons; more become a list.
const MAX_BUTTONS: usize = 3;

/// One WhatsApp number at Meta.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsappSettings {
    /// Address with version, `https://graph.facebook.com/v25.0`.
    pub api_url: String,
    /// The number's id.
    pub phone_number_id: String,
    /// The business account's id.
    #[serde(default)]
    pub waba_id: String,
    /// The business portfolio; the business account's id when empty.
    #[serde(default)]
    pub portfolio: String,
    /// Token of a system user.
    pub access_token: SecretString,
    /// Signs webhooks.
    pub app_secret: SecretString,
    /// Proves the webhook's subscription.
    pub verify_token: SecretString,
}

impl WhatsappSettings {
    /// The scope in which Meta's user ids name people.
    #[must_use]
    pub fn portfolio(&self) -> &str {
        [&self.portfolio, &self.waba_id, &self.phone_number_id]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or("", String::as_str)
    }
}

/// The adapter.
#[derive(Debug)]
pub struct WhatsappClient {
    http: reqwest::Client,
    url: String,
    probe_url: String,
    media_url: String,
    token: SecretString,
    app_secret: SecretString,
    verify_token: SecretString,
    timeout: Duration,
    list_button: String,
}

impl WhatsappClient {
    /// An adapter of that number.
    #[must_use]
    pub fn new(shared: &Shared, settings: WhatsappSettings) -> Self {
        let base =
            format!("{}/{}", settings.api_url.trim_end_matches('/'), settings.phone_number_id);
        Self {
            http: shared.http.clone(),
            url: format!("{base}/messages"),
            media_url: format!("{base}/media"),
            probe_url: base,
            token: settings.access_token,
            app_secret: settings.app_secret,
            verify_token: settings.verify_token,
            timeout: shared.timeout,
            list_button: shared.list_button.clone(),
        }
    }

    fn body(&self, message: &Outbound) -> Value {
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "biz_opaque_callback_data": message.id.to_string(),
        });
        address(&mut body, &message.to);
        match &message.form {
            Form::Template(call) => {
                body["type"] = "template".into();
                body["template"] = template(call);
            }
            Form::Free { text, choices } if choices.is_empty() => {
                body["type"] = "text".into();
                body["text"] = json!({"body": cut(text.expose(), 4096), "preview_url": false});
            }
            Form::Free { text, choices } => {
                body["type"] = "interactive".into();
                body["interactive"] = interactive(
                    text.expose(),
                    choices,
                    message.list_button.as_ref().unwrap_or(&self.list_button),
                );
            }
            Form::WithFile { file, source, template: Some(call), .. } => {
                body["type"] = "template".into();
                body["template"] = template(call);
                media::into_header(&mut body["template"], file, source);
            }
            Form::WithFile { file, source, text, .. } => {
                let (kind, mut part) = media::part(file, source);
                part["caption"] = cut(text.expose(), MAX_CAPTION).into();
                body["type"] = kind.into();
                body[kind] = part;
            }
            Form::Pin(pin) => {
                body["type"] = "location".into();
                body["location"] = json!({
                    "latitude": pin.place.latitude(), "longitude": pin.place.longitude(),
                    "name": cut(&pin.name, 1000), "address": cut(&pin.address, 1000),
                });
            }
        }
        body
    }
}

/// `to` always with + and country code: without it Meta prepends the business's own country code
/// and the message may reach a stranger.
fn address(body: &mut Value, to: &Recipient) {
    if let Some(phone) = &to.phone {
        body["to"] = phone.expose().into();
    } else if let Some(bsuid) = &to.bsuid {
        body["recipient"] = bsuid.expose().into();
    }
}

fn template(call: &TemplateCall) -> Value {
    let params: Vec<Value> = call
        .params
        .iter()
        .map(
            |(name, value)| json!({"type": "text", "parameter_name": name, "text": value.expose()}),
        )
        .collect();
    let mut components = Vec::new();
    if !params.is_empty() {
        components.push(json!({"type": "body", "parameters": params}));
    }
    for (index, payload) in call.buttons.iter().enumerate() {
        components
            .push(json!({"type": "button", "sub_type": "quick_reply", "index": index.to_string(),
            "parameters": [{"type": "payload", "payload": payload}]}));
    }
    let mut template = json!({"name": call.name, "language": {"code": call.language}});
    if !components.is_empty() {
        template["components"] = components.into();
    }
    template
}

fn interactive(text: &str, choices: &[Choice], list_button: &str) -> Value {
    if choices.len() <= MAX_BUTTONS {
        let buttons: Vec<Value> = choices
            .iter()
            .map(|c| json!({"type": "reply", "reply": {"id": cut(&c.id, 256), "title": cut(&c.title, 20)}}))
            .collect();
        return json!({"type": "button", "body": {"text": cut(text, 1024)}, "action": {"buttons": buttons}});
    }
    let rows: Vec<Value> = choices
        .iter()
        .take(10)
        .map(|c| json!({"id": cut(&c.id, 200), "title": cut(&c.title, 24)}))
        .collect();
    json!({"type": "list", "body": {"text": cut(text, 4096)},
           "action": {"button": cut(list_button, 20), "sections": [{"rows": rows}]}})
}

#[async_trait]
impl Channel for WhatsappClient {
    fn offer(&self) -> Offer {
        Offer { has_receipts: true, is_two_way: true, pair_rate: Some(PAIR_RATE) }
    }

    fn receive(&self, request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        webhook::receive(
            self.app_secret.expose_secret(),
            self.verify_token.expose_secret(),
            request,
        )
    }

    fn read(&self, payload: &str) -> Event {
        webhook::read(payload)
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        let response = self
            .http
            .post(&self.url)
            .bearer_auth(self.token.expose_secret())
            .timeout(self.timeout)
            .json(&self.body(message))
            .send()
            .await
            .map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let after = wait_asked(response.headers());
        let answer = match read_bounded(response).await {
            Ok(answer) => answer,
            Err(error) => return Err(no_answer(&error)),
        };
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        interpret(status, answer.as_ref(), after)
    }

    async fn upload(&self, file: &Upload<'_>) -> Result<Option<Uploaded>, SendError> {
        let response = self
            .http
            .post(&self.media_url)
            .bearer_auth(self.token.expose_secret())
            .timeout(media::UPLOAD)
            .header(http::header::CONTENT_TYPE, media::content_type(file.file))
            .body(media::body(file))
            .send()
            .await
            .map_err(|error| media::not_handed_over(no_answer(&error)))?;
        let status = response.status().as_u16();
        let after = wait_asked(response.headers());
        let answer = read_bounded(response)
            .await
            .map_err(|error| media::not_handed_over(no_answer(&error)))?;
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        let id = answer.as_ref().and_then(|answer| answer["id"].as_str());
        match id.filter(|id| (200..300).contains(&status) && !id.is_empty()) {
            Some(id) => {
                Ok(Some(Uploaded { handle: cut(id, 512).to_owned(), lasts: Some(media::LASTS) }))
            }
            None => match interpret(status, answer.as_ref(), after) {
                Err(error) => Err(media::not_handed_over(error)),
                Ok(_) => Err(media::not_handed_over(SendError::Unknown(unreadable(status)))),
            },
        }
    }

    async fn probe(&self) -> Result<String, SendError> {
        let response = self
            .http
            .get(&self.probe_url)
            .query(&[("fields", "display_phone_number,verified_name,quality_rating")])
            .bearer_auth(self.token.expose_secret())
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let answer = read_bounded(response).await.map_err(|error| no_answer(&error))?;
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        match answer {
            Some(answer) if status == 200 => {
                let word = |name: &str| answer[name].as_str().unwrap_or("?").to_owned();
                Ok(format!("{}, quality {}", word("verified_name"), word("quality_rating")))
            }
            answer => match interpret(status, answer.as_ref(), None) {
                Err(error) => Err(error),
                Ok(_) => Err(SendError::Unknown(unreadable(status))),
            },
        }
    }
}

fn interpret(
    status: u16,
    answer: Option<&Value>,
    after: Option<Duration>,
) -> Result<Accepted, SendError> {
    let Some(answer) = answer else { return Err(without_code(status, after)) };
    if let Some(code) = answer["error"]["code"].as_i64() {
        let error = &answer["error"];
        let details = error["error_data"]["details"]
            .as_str()
            .or_else(|| error["message"].as_str())
            .unwrap_or_default();
        let details = redact_digits(cut(details, 300));
        return Err(codes::classify(code, error["error_subcode"].as_i64(), &details, after));
    }
    match answer["messages"][0]["id"].as_str() {
        Some(id) if (200..300).contains(&status) => Ok(Accepted::of(cut(id, 512).to_owned())),
        _ => Err(without_code(status, after)),
    }
}

/// An answer that gives no code of Meta's: all there is to go by is the HTTP status.
fn without_code(status: u16, after: Option<Duration>) -> SendError {
    let fault = unreadable(status);
    match status {
        // The token is not taken, or the address is not that of the API.
        300..=399 | 401 => SendError::Misconfigured(fault),
        // Something between us and Meta refused; the message itself was not looked at.
        400..=499 => SendError::Retry { after, scope: Scope::Account, fault },
        _ => SendError::Unknown(fault),
    }
}

/// How long the provider asks to wait: `Retry-After` in seconds, or the minutes of the business
/// usage header. At most a day, whatever it says.
fn wait_asked(headers: &HeaderMap) -> Option<Duration> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let minutes = || {
        let usage: Value = serde_json::from_str(header("x-business-use-case-usage")?).ok()?;
        usage
            .as_object()?
            .values()
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(|use_case| use_case["estimated_time_to_regain_access"].as_u64())
            .max()
            .filter(|minutes| *minutes > 0)
    };
    retry_after(headers).or_else(|| {
        minutes().map(|minutes| Duration::from_secs(minutes.saturating_mul(60).min(86_400)))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::id::IdSource;
    use crate::domain::message::MessageText;
    use crate::domain::phone::PhoneNumber;
    use crate::domain::service_point::GeoPoint;

    fn client() -> WhatsappClient {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Shared {
            http: reqwest::Client::new(),
            timeout: Duration::from_secs(1),
            list_button: "Pilih".to_owned(),
            hook_url: String::new(),
            clock: Arc::new(crate::domain::clock::SystemClock),
        };
        let settings = WhatsappSettings {
            api_url: "http://127.0.0.1:9/v25.0/".to_owned(),
            phone_number_id: "1065".to_owned(),
            waba_id: String::new(),
            portfolio: String::new(),
            access_token: "t".to_owned().into(),
            app_secret: "s".to_owned().into(),
            verify_token: "v".to_owned().into(),
        };
        WhatsappClient::new(&shared, settings)
    }

    fn outbound(form: Form) -> Outbound {
        Outbound {
            id: IdSource::default().next(Timestamp::from_ms(1_763_700_000_000)),
            to: Recipient::of_phone(PhoneNumber::parse("0812-3456-7890").unwrap()),
            form,
            list_button: None,
            valid_until: None,
        }
    }

    fn choices(n: usize) -> Vec<Choice> {
        (0..n)
            .map(|i| Choice {
                id: format!("c{i}"),
                title: format!("Pilihan nomor {i} panjang sekali"),
            })
            .collect()
    }

    #[test]
    fn the_number_goes_out_with_plus_and_country_code_and_our_id_rides_along() {
        let message = outbound(Form::Free { text: MessageText::new("halo"), choices: vec![] });
        let body = client().body(&message);
        assert_eq!(body["to"], "+6281234567890");
        assert_eq!(body["biz_opaque_callback_data"], message.id.to_string());
        assert_eq!(body["text"]["body"], "halo");
    }

    #[test]
    fn three_choices_are_buttons_and_four_a_list_within_metas_lengths() {
        let free = |n| Form::Free { text: MessageText::new("x".repeat(2000)), choices: choices(n) };
        let buttons = client().body(&outbound(free(3)));
        assert_eq!(buttons["interactive"]["action"]["buttons"].as_array().unwrap().len(), 3);
        let title = &buttons["interactive"]["action"]["buttons"][0]["reply"]["title"];
        assert_eq!(title.as_str().unwrap().chars().count(), 20);
        assert_eq!(buttons["interactive"]["body"]["text"].as_str().unwrap().len(), 1024);
        let list = client().body(&outbound(free(12)));
        assert_eq!(list["interactive"]["type"], "list");
        let rows = list["interactive"]["action"]["sections"][0]["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 10);
    }

    #[test]
    fn a_place_goes_out_as_a_location_with_name_and_address() {
        let pin = crate::domain::outbound::Pin {
            place: GeoPoint::parse("-7.546", "112.233").unwrap(),
            name: "Kantor Kecamatan Jombang".to_owned(),
            address: "Jombang".to_owned(),
        };
        let body = client().body(&outbound(Form::Pin(pin)));
        assert_eq!(body["type"], "location");
        assert_eq!(
            body["location"],
            json!({"latitude": -7.546, "longitude": 112.233,
                   "name": "Kantor Kecamatan Jombang", "address": "Jombang"})
        );
    }

    #[test]
    fn a_template_carries_named_parameters_and_what_its_buttons_send_back() {
        let call = TemplateCall {
            name: "kabar_card_printed_v1".to_owned(),
            language: "id".to_owned(),
            params: vec![("ref".to_owned(), MessageText::new("K7QX-3M"))],
            buttons: vec!["do:delivery_home".to_owned(), "do:delivery_day".to_owned()],
        };
        let body = client().body(&outbound(Form::Template(call)));
        assert_eq!(body["template"]["language"]["code"], "id");
        let param = &body["template"]["components"][0]["parameters"][0];
        assert_eq!(
            (param["parameter_name"].as_str(), param["text"].as_str()),
            (Some("ref"), Some("K7QX-3M"))
        );
        let second = &body["template"]["components"][2];
        assert_eq!(
            (second["type"].as_str(), second["sub_type"].as_str(), second["index"].as_str()),
            (Some("button"), Some("quick_reply"), Some("1"))
        );
        assert_eq!(second["parameters"][0]["payload"], "do:delivery_day");
    }

    #[test]
    fn answers_without_a_clear_word_are_unknown_and_digits_of_details_are_removed() {
        assert!(matches!(interpret(502, None, None), Err(SendError::Unknown(_))));
        assert!(matches!(interpret(200, Some(&json!({})), None), Err(SendError::Unknown(_))));
        assert!(matches!(interpret(401, None, None), Err(SendError::Misconfigured(_))));
        let odd = json!({"error": "nope"});
        assert!(matches!(interpret(401, Some(&odd), None), Err(SendError::Misconfigured(_))));
        assert!(matches!(interpret(302, None, None), Err(SendError::Misconfigured(_))));
        assert!(matches!(interpret(404, Some(&odd), None), Err(SendError::Retry { .. })));
        assert!(matches!(interpret(500, Some(&odd), None), Err(SendError::Unknown(_))));
        let error = json!({"error": {"code": 131_026, "error_data": {"details": "to 6281234567890 failed"}}});
        let Err(found) = interpret(400, Some(&error), None) else { panic!() };
        assert!(!found.fault().detail.contains("6281234567890"));
    }

    #[test]
    fn the_wait_a_provider_asks_for_is_read_from_either_header_and_bounded() {
        let headers = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(
                reqwest::header::HeaderName::from_static(name),
                value.parse().unwrap(),
            )])
        };
        assert_eq!(wait_asked(&headers("retry-after", "7")), Some(Duration::from_secs(7)));
        assert_eq!(
            wait_asked(&headers("retry-after", "99999999")),
            Some(Duration::from_secs(86_400))
        );
        let usage = r#"{"1":[{"type":"messages","estimated_time_to_regain_access":3}]}"#;
        assert_eq!(
            wait_asked(&headers("x-business-use-case-usage", usage)),
            Some(Duration::from_secs(180))
        );
        assert_eq!(wait_asked(&headers("retry-after", "soon")), None);
    }

    #[tokio::test]
    async fn a_provider_that_cannot_be_reached_has_certainly_not_taken_the_message() {
        let message = outbound(Form::Free { text: MessageText::new("halo"), choices: vec![] });
        let error = client().send(&message).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { scope: Scope::Account, .. }), "{error}");
    }
}
