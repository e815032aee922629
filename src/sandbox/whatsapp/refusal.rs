//! Refusals in Meta's words and shape: one row per error code.
//!
//! Decides no rule; it only says what a code is called and how it looks on the wire.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Why a request is refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: u32,
    subcode: Option<u32>,
    details: String,
    retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(code: u32, details: impl Into<String>) -> Self {
        Self { code, subcode: None, details: details.into(), retry_after: None }
    }

    /// The refusal of a token that nobody knows.
    pub(super) fn bad_token() -> Self {
        Self::new(190, "Cannot parse access token")
    }

    /// The refusal of an object that is not there, or not for this token.
    pub(super) fn unknown_object(id: &str) -> Self {
        let id: String = id.chars().take(64).collect();
        let details = format!(
            "Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, \
             or does not support this operation"
        );
        Self { subcode: Some(33), ..Self::new(100, details) }
    }

    /// Says when to come again.
    pub(super) fn after(self, seconds: Option<u64>) -> Self {
        Self { retry_after: seconds, ..self }
    }

    /// The answer, with an id by which one would ask Meta about it.
    pub(super) fn answer(&self, trace: u64) -> Response {
        let meaning = meaning(self.code);
        let mut error = json!({
            "message": format!("(#{}) {}", self.code, meaning.title),
            "type": "OAuthException",
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.details },
            "fbtrace_id": format!("A{trace:020x}"),
            "is_transient": meaning.is_transient,
        });
        if matches!(self.code, 100 | 190) {
            error["message"] = format!("(#{}) {}", self.code, self.details).into();
        }
        if let Some(subcode) = self.subcode {
            error["type"] = "GraphMethodException".into();
            error["error_subcode"] = subcode.into();
        }
        let status = StatusCode::from_u16(meaning.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut answer = (status, axum::Json(json!({ "error": error }))).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            let usage = json!({ "sandbox": [{ "type": "messaging", "call_count": 100,
                "estimated_time_to_regain_access": seconds.div_ceil(60) }] });
            if let Ok(usage) = HeaderValue::from_str(&usage.to_string()) {
                let name = HeaderName::from_static("x-business-use-case-usage");
                answer.headers_mut().insert(name, usage);
            }
        }
        answer
    }
}

/// The `errors` of a `failed` receipt.
pub(super) fn late_error(code: u32) -> Value {
    let title = meaning(code).title;
    json!([{
        "code": code,
        "title": title,
        "message": title,
        "error_data": { "details": format!("{title}.") },
        "href": "/documentation/business-messaging/whatsapp/support/error-codes",
    }])
}

struct Meaning {
    status: u16,
    title: &'static str,
    is_transient: bool,
}

/// What Meta calls a code, and the HTTP status that comes with it.
fn meaning(code: u32) -> Meaning {
    let (status, title) = match code {
        0 => (401, "We were unable to authenticate the app user"),
        1 => (400, "Invalid request or possible server error"),
        2 => (503, "Temporary due to downtime or due to being overloaded"),
        3 => (500, "Capability or permissions issue"),
        4 => (400, "The app has reached its API call rate limit"),
        10 | 200..=299 => (403, "Permission is either not granted or has been removed"),
        33 => (400, "The business phone number has been deleted"),
        100 => (400, "Invalid parameter"),
        190 => (401, "Invalid OAuth access token"),
        368 => (403, "The account has been restricted from messaging"),
        613 => (400, "Calls to this API have exceeded the rate limit"),
        80007 => (400, "The account has reached its rate limit"),
        130_403 => (400, "The business has blocked the user"),
        130_429 => (400, "Rate limit hit"),
        130_472 => (400, "User's number is part of an experiment"),
        130_497 => (403, "The account may not message users in this country"),
        131_000 => (500, "Something went wrong"),
        131_005 => (403, "Access denied"),
        131_008 => (400, "Required parameter is missing"),
        131_009 => (400, "Parameter value is not valid"),
        131_016 => (500, "Service unavailable"),
        131_021 => (400, "Recipient cannot be sender"),
        131_026 => (400, "Message undeliverable"),
        131_030 => (400, "Recipient phone number not in allowed list"),
        131_031 => (403, "Business account has been locked"),
        131_037 => (400, "The display name of the number is not approved"),
        131_042 => (400, "Business eligibility payment issue"),
        131_045 => (500, "Incorrect certificate"),
        131_047 => (400, "Re-engagement message"),
        131_048 => (400, "Spam rate limit hit"),
        131_049 => (400, "Message not delivered to maintain healthy ecosystem engagement"),
        131_050 => (400, "The user has stopped marketing messages from this business"),
        131_051 => (400, "Unsupported message type"),
        131_052 => (400, "Media download error"),
        131_053 => (400, "Media upload error"),
        131_056 => (400, "Too many messages to this recipient from this number"),
        131_057 => (500, "Account in maintenance mode"),
        131_062 => (400, "This message cannot be sent to a business-scoped user id"),
        132_000 => (400, "Number of parameters does not match the expected number of params"),
        132_001 => (404, "Template name does not exist in the translation"),
        132_005 => (400, "Translated text too long"),
        132_007 => (400, "Template format character policy violated"),
        132_008 => (400, "Template value not valid"),
        132_012 => (400, "Parameter format does not match format in the created template"),
        132_015 => (400, "Template is paused"),
        132_016 => (400, "Template is disabled"),
        132_018 => (400, "There is an issue with the parameters of the template"),
        133_004 => (503, "Server temporarily unavailable"),
        133_010 => (400, "Phone number not registered"),
        133_016 => (400, "Registration rate limit exceeded"),
        134_101 => (400, "Template is still synchronising"),
        135_000 => (400, "Generic user error"),
        _ => (400, "Unknown error"),
    };
    let is_transient = matches!(code, 1 | 2 | 4 | 80007 | 130_429 | 131_000 | 131_016 | 131_056)
        || matches!(code, 131_057 | 133_004);
    Meaning { status, title, is_transient }
}
