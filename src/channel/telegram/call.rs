//! One request to the Bot API through teloxide, and what became of it.
//!
//! Exactly one: nothing is repeated here, not even what HTTP would allow. No error that leaves this
//! file holds an address, for the address holds the bot's token.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use teloxide::requests::{JsonRequest, MultipartPayload, MultipartRequest, Payload, Request};
use teloxide::types::InputFile;
use teloxide::{ApiError, Bot, RequestError};
use tokio::sync::watch;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Finds out in time that the other side of a long poll is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Why a request brought no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The Bot API said no.
    Refused {
        /// The HTTP status, which is the Bot API's `error_code`.
        status: u16,
        /// Its reason.
        description: String,
        /// How long it wants us to wait.
        after: Option<Duration>,
    },
    /// An answer that is not of the Bot API's form.
    Unreadable(u16),
    /// The server failed while it had the request in its hands.
    ServerError(u16),
    /// The request never left.
    NotConnected,
    /// No answer in time.
    TimedOut,
    /// The connection ended before the answer.
    CutOff,
}

/// A method whose result is taken as it comes: a field that teloxide misses in Telegram's answer
/// must not make a message that was taken look as if its outcome were unknown.
#[derive(Serialize)]
#[serde(transparent)]
struct Plain<P>(P);

impl<P: Payload> Payload for Plain<P> {
    type Output = Value;

    const NAME: &'static str = P::NAME;
}

impl<P: MultipartPayload> MultipartPayload for Plain<P> {
    fn copy_files(&self, into: &mut dyn FnMut(InputFile)) {
        self.0.copy_files(into);
    }

    fn move_files(&mut self, into: &mut dyn FnMut(InputFile)) {
        self.0.move_files(into);
    }
}

tokio::task_local! {
    /// The HTTP status of the answer to the request under way.
    static STATUS: watch::Sender<u16>;
}

/// A bot, or nothing when its address cannot be used.
pub(super) fn bot(api_url: &str, token: &SecretString) -> Option<Bot> {
    // A path that ends with a slash would get an empty part in its middle.
    let url = teloxide_http::Url::parse(api_url.trim_end_matches('/')).ok()?;
    if url.cannot_be_a_base() {
        return None;
    }
    // teloxide sleeps ten seconds on every 5xx before it even reads the answer, and keeps the
    // status to itself. The place where reqwest asks whether to try again is told the status as
    // soon as the head of an answer is there; it notes it, and never wants another try. The scope
    // `never` does not keep it from being asked: it only forbids repeats.
    let watch = teloxide_http::retry::never().classify_fn(|answer| {
        if let Some(status) = answer.status() {
            // Outside of `call` nobody wants to know.
            let _ = STATUS.try_with(|seen| seen.send_replace(status.as_u16()));
        }
        answer.success()
    });
    let http = teloxide_http::Client::builder()
        .connect_timeout(CONNECT)
        .tcp_keepalive(KEEP_ALIVE)
        .redirect(teloxide_http::redirect::Policy::none())
        .retry(watch)
        .user_agent(concat!("kabar/", env!("CARGO_PKG_VERSION")))
        .build()
        .ok()?;
    Some(Bot::with_client(token.expose_secret(), http).set_api_url(url))
}

/// Calls a method and gives its result; an answer is waited for so long, but not a moment beyond
/// the head of one that says the server failed.
pub(super) async fn call<P>(bot: &Bot, method: P, within: Duration) -> Result<Value, Failure>
where
    P: Payload + Serialize + Send + 'static,
{
    answer_to(JsonRequest::new(bot.clone(), Plain(method)), within).await
}

/// The same with a method that brings a file.
pub(super) async fn call_with_file<P>(
    bot: &Bot,
    method: P,
    within: Duration,
) -> Result<Value, Failure>
where
    P: MultipartPayload + Serialize + Send + 'static,
{
    answer_to(MultipartRequest::new(bot.clone(), Plain(method)), within).await
}

async fn answer_to<P, R>(request: R, within: Duration) -> Result<Value, Failure>
where
    P: Payload<Output = Value>,
    R: Request<Payload = P, Err = RequestError>,
{
    let (sender, status) = watch::channel(0);
    let answer = STATUS.scope(sender, request.send());
    let mut head = status.clone();
    let failed = async move {
        let seen = head.wait_for(|status| *status >= 500).await.ok().map(|status| *status);
        match seen {
            Some(status) => status,
            // The request is over; its end decides.
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        answer = answer => answer.map_err(|error| failure(&error, *status.borrow())),
        status = failed => Err(Failure::ServerError(status)),
        () = tokio::time::sleep(within) => Err(Failure::TimedOut),
    }
}

fn failure(error: &RequestError, status: u16) -> Failure {
    let refused = |description: &str, status| Failure::Refused {
        status: if status == 0 { status_of(description) } else { status },
        description: description.to_owned(),
        after: None,
    };
    match error {
        RequestError::Api(ApiError::Unknown(description)) => refused(description, status),
        // Two descriptions that teloxide makes one.
        RequestError::Api(ApiError::InvalidToken) => refused("Unauthorized", 401),
        RequestError::Api(known) => refused(&known.to_string(), status),
        RequestError::MigrateToChatId(_) => {
            refused("Bad Request: group chat was upgraded to a supergroup chat", 400)
        }
        RequestError::RetryAfter(seconds) => Failure::Refused {
            status: 429,
            description: "Too Many Requests".to_owned(),
            after: Some(seconds.duration()),
        },
        RequestError::InvalidJson { raw, .. } => without_form(raw, status),
        RequestError::Network(error) if error.is_connect() || error.is_builder() => {
            Failure::NotConnected
        }
        RequestError::Network(error) if error.is_timeout() => Failure::TimedOut,
        RequestError::Network(_) | RequestError::Io(_) => Failure::CutOff,
    }
}

/// The status by the name with which a description begins. A request with a file cannot be sent twice, and so
/// nobody is asked whether it should be, and told the status.
fn status_of(description: &str) -> u16 {
    const NAMES: [(&str, u16); 10] = [
        ("Bad Request", 400),
        ("Unauthorized", 401),
        ("Forbidden", 403),
        ("Not Found", 404),
        ("Conflict", 409),
        ("Request Entity Too Large", 413),
        ("Too Many Requests", 429),
        ("Internal Server Error", 500),
        ("Bad Gateway", 502),
        ("Gateway Timeout", 504),
    ];
    // What nobody knows may have failed behind the door, after the message left.
    NAMES.iter().find(|(name, _)| description.starts_with(name)).map_or(500, |(_, status)| *status)
}

/// What teloxide cannot read may still be a refusal, with parameters it does not know.
fn without_form(raw: &str, status: u16) -> Failure {
    let answer: Value = serde_json::from_str(raw).unwrap_or_default();
    match answer["description"].as_str() {
        Some(description) if answer["ok"] == false => Failure::Refused {
            status: answer["error_code"].as_u64().and_then(|n| n.try_into().ok()).unwrap_or(status),
            description: description.to_owned(),
            after: answer["parameters"]["retry_after"].as_u64().map(Duration::from_secs),
        },
        _ => Failure::Unreadable(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_with_parameters_nobody_knows_is_a_refusal_all_the_same() {
        let raw = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 9",
            "parameters":{"retry_after":9,"adaptive":true}}"#;
        let Failure::Refused { status, after, .. } = without_form(raw, 429) else { panic!() };
        assert_eq!((status, after), (429, Some(Duration::from_secs(9))));
        assert_eq!(without_form("<html>", 502), Failure::Unreadable(502));
        assert_eq!(without_form(r#"{"ok":true}"#, 200), Failure::Unreadable(200));
    }

    #[test]
    fn descriptions_survive_teloxides_names_for_them() {
        let description = |error: ApiError| match failure(&RequestError::Api(error), 403) {
            Failure::Refused { description, .. } => description,
            other => panic!("{other:?}"),
        };
        let blocked = description(ApiError::BotBlocked);
        assert_eq!(blocked, "Forbidden: bot was blocked by the user");
        assert_eq!(description(ApiError::Unknown("Forbidden: x".to_owned())), "Forbidden: x");
    }

    #[test]
    fn an_address_that_is_none_makes_no_bot() {
        let token = "1:a".to_owned().into();
        assert!(bot("https://api.telegram.org/", &token).is_some());
        for wrong in ["", "telegram", "mailto:a@b.id", "http://[::1"] {
            assert!(bot(wrong, &token).is_none(), "{wrong}");
        }
    }
}
