//! The only place where an error becomes a reply: `application/problem+json` (RFC 9457) with fixed
//! public words. Causes go to the log, never to the caller.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::service::ServiceError;
use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(super) enum Error {
    /// The body cannot be read; says where.
    BadBody(String),
    /// A parameter cannot be read; says which.
    BadParameter(String),
    /// No token, or none that is valid.
    Unauthorized,
    /// The token may not do this.
    Forbidden(&'static str),
    /// Nothing of that name.
    NotFound,
    /// It stands against what is there; says how.
    Conflict(String),
    /// Too large.
    TooLarge(String),
    /// It did not come, or was not done, in time.
    Slow,
    /// Another kind of body is needed.
    UnsupportedType,
    /// The database is away; the same request may work later.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Error {
    fn parts(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::BadBody(what) => (StatusCode::BAD_REQUEST, "unreadable body", what.clone()),
            Self::BadParameter(what) => {
                (StatusCode::BAD_REQUEST, "unreadable parameter", what.clone())
            }
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "no valid token",
                "send Authorization: Bearer with a token made by `kabar token create`".to_owned(),
            ),
            Self::Forbidden(role) => {
                (StatusCode::FORBIDDEN, "not allowed", format!("this needs a token of role {role}"))
            }
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "not found", "there is nothing here".to_owned())
            }
            Self::Conflict(what) => (StatusCode::CONFLICT, "conflict", what.clone()),
            Self::TooLarge(what) => (StatusCode::PAYLOAD_TOO_LARGE, "body too large", what.clone()),
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "too slow",
                "the request took too long; send less at once, or try again".to_owned(),
            ),
            Self::UnsupportedType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported content type",
                "send application/json, application/x-ndjson, application/cloudevents+json or \
                 application/cloudevents-batch+json"
                    .to_owned(),
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily unavailable",
                "send the same again later".to_owned(),
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal error",
                "see the log of the service".to_owned(),
            ),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, title, detail) = self.parts();
        let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail});
        let mut response = (status, body.to_string()).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        tracing::error!("request failed: {}", crate::telemetry::chain(&error));
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

impl From<ServiceError> for Error {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::Text(_) => {
                tracing::error!("request failed: {error}");
                Self::Internal
            }
        }
    }
}

pub(super) async fn not_found() -> Response {
    Error::NotFound.into_response()
}

pub(super) async fn method_not_allowed() -> Response {
    let mut response = Error::NotFound.into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

pub(super) fn panicked() -> Response {
    tracing::error!("a request handler panicked");
    Error::Internal.into_response()
}
