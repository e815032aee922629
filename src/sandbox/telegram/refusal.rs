//! Refusals in the Bot API's words and shape.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) description: String,
    retry_after: Option<u64>,
}

impl Refusal {
    /// The name of the status and, behind it, the reason.
    pub(super) fn new(code: u16, reason: &str) -> Self {
        let name = match code {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            409 => "Conflict",
            429 => "Too Many Requests",
            500.. => "Internal Server Error",
            _ => "Error",
        };
        let description =
            if reason.is_empty() { name.to_owned() } else { format!("{name}: {reason}") };
        Self { code, description, retry_after: None }
    }

    pub(super) fn bad_request(reason: &str) -> Self {
        Self::new(400, reason)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "")
    }

    pub(super) fn not_found(reason: &str) -> Self {
        Self::new(404, reason)
    }

    pub(super) fn blocked() -> Self {
        Self::new(403, "bot was blocked by the user")
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let reason = format!("retry after {seconds}");
        Self { retry_after: Some(seconds), ..Self::new(429, &reason) }
    }

    /// What a fault asks for by its code: the reason that is most common with it.
    pub(super) fn asked_for(code: u16) -> Self {
        match code {
            400 => Self::bad_request("chat not found"),
            403 => Self::blocked(),
            429 => Self::too_many(5),
            code => Self::new(code, ""),
        }
    }

    pub(super) fn answer(&self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::BAD_REQUEST);
        let mut body =
            json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(seconds) = self.retry_after {
            body["parameters"] = json!({ "retry_after": seconds });
        }
        let mut answer = (status, axum::Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
