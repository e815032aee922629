//! Refusals in Twilio's shape.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: u32,
    message: String,
    status: u16,
    retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(code: u32, message: impl Into<String>) -> Self {
        let status = match code {
            20_003 => 401,
            20_005 | 20_403 => 403,
            20_404 => 404,
            20_429 | 21_611 | 30_022 => 429,
            20_500 => 500,
            20_503 => 503,
            _ => 400,
        };
        Self { code, message: message.into(), status, retry_after: None }
    }

    /// Under another HTTP status.
    pub(super) fn with(self, status: Option<u16>) -> Self {
        Self { status: status.unwrap_or(self.status), ..self }
    }

    /// Says when to come again.
    pub(super) fn after(self, seconds: Option<u64>) -> Self {
        Self { retry_after: seconds, ..self }
    }

    pub(super) fn answer(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": status.as_u16(),
        });
        let mut answer = (status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
