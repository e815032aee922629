//! What comes to the service's webhooks: written down as it came, and turned away where a test wants
//! to look at it first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;

/// Marks what a test sends itself.
const OWN: &str = "x-of-the-test";
/// A provider that has not called by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request at a webhook.
#[derive(Clone, Debug)]
pub struct Hook {
    /// How.
    pub method: Method,
    /// Where, from the first slash on, query included.
    pub path: String,
    /// With which headers.
    pub headers: HeaderMap,
    /// With what.
    pub body: Bytes,
    /// What it was answered.
    pub status: StatusCode,
}

impl Hook {
    /// Sends it to a service, whatever became of it there before.
    pub async fn post(&self, http: &reqwest::Client, url: &str) -> StatusCode {
        let mut headers = self.headers.clone();
        headers.remove("content-length");
        headers.insert(OWN, "1".parse().unwrap());
        let request = http.request(self.method.clone(), format!("{url}{}", self.path));
        let answer = request.headers(headers).body(self.body.clone()).send().await;
        answer.unwrap().status()
    }
}

/// Everything providers brought to the webhooks of a service.
#[derive(Debug, Default)]
pub struct Hooks {
    seen: Mutex<Vec<Hook>>,
    count: watch::Sender<usize>,
    is_shut: AtomicBool,
}

impl Hooks {
    /// Turns away what providers bring, as a service does whose database is away.
    pub fn shut(&self) {
        self.is_shut.store(true, Ordering::SeqCst);
    }

    /// Lets it through again.
    pub fn open(&self) {
        self.is_shut.store(false, Ordering::SeqCst);
    }

    /// What came so far, but for what tests sent themselves.
    pub fn seen(&self) -> Vec<Hook> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits for the first that comes.
    pub async fn first(&self) -> Hook {
        let mut count = self.count.subscribe();
        let came = tokio::time::timeout(PATIENCE, count.wait_for(|count| *count > 0)).await;
        came.expect("a provider calls").unwrap();
        self.seen().swap_remove(0)
    }

    fn note(&self, hook: Hook) {
        self.seen.lock().unwrap().push(hook);
        self.count.send_modify(|count| *count += 1);
    }
}

/// The same routes, looked at by `hooks`.
pub fn watched(router: Router, hooks: Option<&Arc<Hooks>>) -> Router {
    match hooks {
        Some(hooks) => router.layer(from_fn_with_state(Arc::clone(hooks), watch_one)),
        None => router,
    }
}

async fn watch_one(State(hooks): State<Arc<Hooks>>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/hooks/") || request.headers().contains_key(OWN) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut hook = Hook {
        method: parts.method.clone(),
        path: parts.uri.path_and_query().unwrap().to_string(),
        headers: parts.headers.clone(),
        body: body.clone(),
        status: StatusCode::SERVICE_UNAVAILABLE,
    };
    let answer = if hooks.is_shut.load(Ordering::SeqCst) {
        hook.status.into_response()
    } else {
        next.run(Request::from_parts(parts, Body::from(body))).await
    };
    hook.status = answer.status();
    hooks.note(hook);
    answer
}
