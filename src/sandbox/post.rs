//! Posts webhooks: so many at once, and again until they are answered with 200.
//!
//! Knows nothing of what it carries. A body that nobody takes is posted with growing waits
//! until the sandbox shuts down.

use std::borrow::Borrow;
use std::time::Duration;

use http::Method;
use tokio::sync::Semaphore;

use super::Sandbox;

/// Requests under way at once.
const MAX_AT_ONCE: usize = 64;
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A request for somebody's webhook, with the headers that tell its form and prove its origin.
pub(super) struct Parcel {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Parcel {
    /// JSON to be posted.
    pub(super) fn json(url: String, proof: (&'static str, String), body: Vec<u8>) -> Self {
        let kind = ("content-type", "application/json".to_owned());
        Self { method: Method::POST, url, headers: vec![kind, proof], body }
    }
}

/// Carries parcels.
pub(super) struct Office {
    http: reqwest::Client,
    places: Semaphore,
    first_wait: Duration,
}

impl Office {
    pub(super) fn new(first_wait: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { http, places: Semaphore::new(MAX_AT_ONCE), first_wait })
    }

    /// Posts until it is taken. Gives up only when the sandbox shuts down.
    pub(super) async fn bring(&self, sandbox: &Sandbox, parcel: &Parcel) {
        self.bring_anew(sandbox, || parcel).await;
    }

    /// The same for those who sign the moment of each try.
    pub(super) async fn bring_anew<P: Borrow<Parcel> + Send + Sync>(
        &self,
        sandbox: &Sandbox,
        parcel: impl Fn() -> P + Send + Sync,
    ) {
        // Zero would ask a broken receiver without pause.
        let mut wait = self.first_wait.max(Duration::from_millis(1));
        while !sandbox.0.closing.is_cancelled() {
            let parcel = parcel();
            let parcel = parcel.borrow();
            if self.post(parcel).await {
                break;
            }
            tracing::debug!(url = parcel.url, ?wait, "webhook not taken, posting it again");
            sandbox.pause(wait).await;
            wait = (wait * 2).min(MAX_WAIT);
        }
    }

    /// One try. Redelivery is for anything but 200, other 2xx included.
    pub(super) async fn post(&self, parcel: &Parcel) -> bool {
        let Ok(_place) = self.places.acquire().await else { return false };
        let mut request = self.http.request(parcel.method.clone(), &parcel.url);
        for (name, value) in &parcel.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(parcel.body.clone()).send().await;
        matches!(answer, Ok(answer) if answer.status() == reqwest::StatusCode::OK)
    }
}
