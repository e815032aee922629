//! One adapter at its desk: on one side the provider as the sandbox plays it, on the other a webhook
//! that keeps what the adapter understood. No service and no database between them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use kabar::channel::{
    Channel, Event, Form, HookRefusal, HookRequest, Inbound, InboundBody, Outbound, Provider,
    RawEvent, Receipt, Shared,
};
use kabar::domain::clock::Clock as _;
use kabar::domain::id::IdSource;
use kabar::domain::message::{ChannelKind, MessageText};
use kabar::domain::outbound::Recipient;
use kabar::domain::phone::PhoneNumber;
use kabar::sandbox::{Counterpart, Sandbox, Settings};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clock::MockClock;

/// The phone most tests write to.
pub const SITI: &str = "+6281200000001";

/// What came to the webhook.
#[derive(Default)]
struct Tray {
    channel: Mutex<Option<Arc<dyn Channel>>>,
    home: String,
    clock: Option<Arc<MockClock>>,
    events: Mutex<Vec<(RawEvent, Event)>>,
    refused: Mutex<Vec<HookRefusal>>,
}

/// See above.
pub struct Desk {
    /// The provider.
    pub sandbox: Sandbox,
    /// The adapter.
    pub channel: Arc<dyn Channel>,
    /// Where the sandbox listens.
    pub base: String,
    /// Everybody's clock.
    pub clock: Arc<MockClock>,
    /// Where the adapter's provider posts to.
    pub hook_url: String,
    ids: IdSource,
    tray: Arc<Tray>,
    _end: DropGuard,
}

async fn hook(
    State(tray): State<Arc<Tray>>,
    Path(tail): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(channel) = tray.channel.lock().unwrap().clone() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let request = HookRequest {
        method: &method,
        tail: tail.strip_prefix("desk").unwrap().trim_start_matches('/'),
        query: uri.query().unwrap_or_default(),
        url: &format!("{}{uri}", tray.home),
        now: tray.clock.as_ref().unwrap().now(),
        headers: &headers,
        body: &body,
    };
    match channel.receive(&request) {
        Ok(answer) => {
            let read = answer.events.into_iter().map(|raw| {
                let event = channel.read(&raw.payload);
                (raw, event)
            });
            tray.events.lock().unwrap().extend(read);
            answer.body.into_response()
        }
        Err(refusal) => {
            tray.refused.lock().unwrap().push(refusal);
            // Taken all the same, so that the sandbox does not come again without end.
            StatusCode::OK.into_response()
        }
    }
}

impl Desk {
    /// A desk whose adapter is made from the keys that `keys` gives for the sandbox's address, and
    /// whose counterpart is made for the webhook's.
    pub async fn start(
        gateway: &str,
        keys: impl FnOnce(&str) -> String,
        counterpart: impl FnOnce(&str) -> Counterpart,
    ) -> Self {
        // An error only says that another test was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stop = CancellationToken::new();
        let clock = Arc::new(MockClock::at("09:00 WIB"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let home = format!("http://{}", listener.local_addr().unwrap());
        let hook_url = format!("{home}/hooks/sms/desk");
        let tray = Arc::new(Tray {
            home: home.clone(),
            clock: Some(Arc::clone(&clock)),
            ..Tray::default()
        });
        let router = Router::new().route("/hooks/sms/{*tail}", any(hook)).with_state(tray.clone());
        let ending = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            axum::serve(listener, router).with_graceful_shutdown(ending).await.unwrap();
        });

        let mut settings = Settings::new(vec![], clock.clone());
        settings.others = vec![counterpart(&hook_url)];
        settings.pace = Duration::ZERO;
        settings.redelivery = Duration::from_millis(1);
        let sandbox = Sandbox::new(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let serving =
            kabar::sandbox::serve(listener, sandbox.clone(), stop.clone().cancelled_owned());
        tokio::spawn(serving);

        let shared = Shared {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            timeout: Duration::from_millis(700),
            list_button: "Pilih".to_owned(),
            hook_url: hook_url.clone(),
            clock: clock.clone(),
        };
        let keys: toml::Table = keys(&base).parse().unwrap();
        let provider = Provider::read(ChannelKind::Sms, gateway, keys)
            .unwrap_or_else(|error| panic!("{error:?}"));
        let channel = provider.adapter(shared);
        *tray.channel.lock().unwrap() = Some(Arc::clone(&channel));
        let ids = IdSource::default();
        Self { sandbox, channel, base, clock, hook_url, ids, tray, _end: stop.drop_guard() }
    }

    /// A message to that phone.
    pub fn outbound(&self, to: &str, text: &str) -> Outbound {
        Outbound {
            id: self.ids.next(self.clock.now()),
            to: Recipient::of_phone(PhoneNumber::parse(to).unwrap()),
            form: Form::Free { text: MessageText::new(text), choices: vec![] },
            list_button: None,
            valid_until: None,
        }
    }

    /// Replaces the faults.
    pub fn fault(&self, fault: Value) {
        self.sandbox.set_faults(vec![serde_json::from_value(fault).unwrap()]);
    }

    /// What came to the webhook since, once nothing is under way any more.
    pub async fn heard(&self) -> Vec<(RawEvent, Event)> {
        self.sandbox.idle().await;
        assert_eq!(*self.tray.refused.lock().unwrap(), [], "nothing is refused");
        std::mem::take(&mut self.tray.events.lock().unwrap())
    }

    /// The receipts among it.
    pub async fn receipts(&self) -> Vec<Receipt> {
        let heard = self.heard().await.into_iter();
        heard
            .filter_map(|(_, event)| match event {
                Event::Receipt(receipt) => Some(receipt),
                _ => None,
            })
            .collect()
    }

    /// Their words.
    pub async fn words(&self) -> Vec<&'static str> {
        self.receipts().await.iter().map(|receipt| receipt.kind.as_str()).collect()
    }

    /// The texts that citizens wrote, with their numbers.
    pub async fn texts(&self) -> Vec<(String, String)> {
        let heard = self.heard().await.into_iter();
        heard
            .filter_map(|(_, event)| match event {
                Event::Message(Inbound { from, body: InboundBody::Text(text), .. }) => {
                    Some((from.phone.unwrap().expose().to_owned(), text.expose().to_owned()))
                }
                _ => None,
            })
            .collect()
    }
}
