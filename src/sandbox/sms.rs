//! What the SMS gateways that are played here have in common: what stands on a screen, and how a
//! citizen's message begins its way.
//!
//! Knows no gateway's wire format.

use std::future::Future;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Bubble, Input, Mark, Sandbox, Side, WriteError};
use crate::domain::clock::Timestamp;

/// The longest text of a citizen's message.
const MAX_TEXT: usize = 4_096;

/// One message on a screen.
pub(super) struct Line<'a> {
    pub(super) id: &'a str,
    pub(super) account: &'a str,
    pub(super) side: Side,
    pub(super) text: &'a str,
    pub(super) echo: Option<&'a str>,
    pub(super) at: Timestamp,
}

impl Line<'_> {
    pub(super) fn bubble(&self) -> Bubble {
        Bubble {
            id: self.id.to_owned(),
            at_ms: self.at.as_ms(),
            side: self.side,
            channel: "sms",
            account: self.account.to_owned(),
            kind: "text".to_owned(),
            header: None,
            text: self.text.to_owned(),
            footer: None,
            buttons: Vec::new(),
            menu: None,
            file: None,
            mark: Mark::Accepted,
            error_code: None,
            echo: self.echo.map(str::to_owned),
            is_by_number: true,
        }
    }
}

/// What a citizen sends by SMS.
pub(super) enum Writing {
    /// Words.
    Text(String),
    /// Something else, in the gateway's own fields; its `type` apart.
    Raw(String, Map<String, Value>),
}

impl Writing {
    /// Nothing on an SMS can be pressed.
    pub(super) fn read(input: Input) -> Result<Self, WriteError> {
        match input {
            Input::Text(text) if text.is_empty() || text.chars().count() > MAX_TEXT => {
                Err(WriteError::BadText)
            }
            Input::Text(text) => Ok(Self::Text(text)),
            Input::Press { .. } => Err(WriteError::NoSuchButton),
            Input::Raw(mut raw) => match raw.remove("type") {
                Some(Value::String(kind)) => Ok(Self::Raw(kind, raw)),
                _ => Err(WriteError::BadText),
            },
        }
    }

    /// What stands on the citizen's own screen.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Raw(kind, _) => format!("[{}]", kind.chars().take(40).collect::<String>()),
        }
    }
}

/// Puts a citizen's message on their screen and leaves bringing it to the queue, one message of a
/// phone after the other.
pub(super) fn send_in<T>(
    sandbox: &Sandbox,
    number: &str,
    line: &Line<'_>,
    bring: impl FnOnce(Sandbox) -> T + Send + 'static,
) -> Result<(), WriteError>
where
    T: Future<Output = ()> + Send,
{
    if sandbox.is_full() {
        return Err(WriteError::Busy);
    }
    let turn = sandbox.change(|memory| {
        memory.phones.show(number, line.bubble(), line.at);
        memory.phones.get(number).map(|phone| phone.line.clone())
    });
    let turn = turn.ok_or(WriteError::Busy)?;
    let (own, number, id) = (sandbox.clone(), number.to_owned(), line.id.to_owned());
    sandbox.later(async move {
        let _in_order = turn.lock().await;
        own.change(|memory| memory.phones.mark(&number, &id, Mark::Sent, None));
        bring(own.clone()).await;
        own.change(|memory| memory.phones.mark(&number, &id, Mark::Delivered, None));
    });
    Ok(())
}

/// User and password of a request.
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, pair) = value.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(pair.trim()).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (user.to_owned(), password.to_owned()))
}

/// What a broken machine between us and the gateway says.
pub(super) fn not_json(status: Option<u16>) -> Response {
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let page = "<html><body><h1>Bad gateway</h1></body></html>";
    let kind = [(header::CONTENT_TYPE, "text/html")];
    (status.unwrap_or(StatusCode::BAD_GATEWAY), kind, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_read_off_the_header() {
        let headers =
            |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        // "desa:a:b"
        let found = basic(&headers("Basic ZGVzYTphOmI="));
        assert_eq!(found, Some(("desa".to_owned(), "a:b".to_owned())));
        for wrong in ["Bearer ZGVzYTphOmI=", "Basic ???", "Basic", "Basic ZGVzYQ=="] {
            assert_eq!(basic(&headers(wrong)), None, "{wrong}");
        }
    }
}
