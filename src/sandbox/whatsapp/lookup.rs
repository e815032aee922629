//! What a business can ask about itself: its number, account, templates and token.
//!
//! Read-only; enough for a program to check its settings against.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Template, WhatsappAccount, authorise};
use crate::sandbox::Sandbox;

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/{version}/{id}", get(object))
        .route("/{version}/{id}/message_templates", get(templates))
        .route("/{version}/{id}/phone_numbers", get(phone_numbers))
        .route("/{version}/debug_token", get(debug_token))
}

async fn object(
    State(sandbox): State<Sandbox>,
    Path((_version, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let found = authorise(&sandbox, &headers, &id, |account| {
        account.phone_number_id == id || account.waba_id == id
    });
    match found {
        Ok(account) if account.phone_number_id == id => {
            axum::Json(number_object(account)).into_response()
        }
        Ok(account) => axum::Json(json!({
            "id": account.waba_id, "name": account.label, "timezone_id": "66",
            "message_template_namespace": "sandbox",
        }))
        .into_response(),
        Err(refusal) => refusal.answer(sandbox.serial()),
    }
}

fn number_object(account: &WhatsappAccount) -> Value {
    json!({
        "id": account.phone_number_id,
        "display_phone_number": account.display_phone_number,
        "verified_name": account.label,
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": { "level": "STANDARD" },
    })
}

async fn phone_numbers(
    State(sandbox): State<Sandbox>,
    Path((_version, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match authorise(&sandbox, &headers, &id, |account| account.waba_id == id) {
        Ok(_) => {
            let accounts = sandbox.0.settings.accounts.iter();
            let numbers: Vec<Value> =
                accounts.filter(|account| account.waba_id == id).map(number_object).collect();
            axum::Json(json!({ "data": numbers })).into_response()
        }
        Err(refusal) => refusal.answer(sandbox.serial()),
    }
}

#[derive(Deserialize)]
struct TemplateQuery {
    name: Option<String>,
}

async fn templates(
    State(sandbox): State<Sandbox>,
    Path((_version, id)): Path<(String, String)>,
    Query(query): Query<TemplateQuery>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = authorise(&sandbox, &headers, &id, |account| account.waba_id == id) {
        return refusal.answer(sandbox.serial());
    }
    let is_wanted = |template: &Template| match &query.name {
        Some(name) => template.name.contains(name.as_str()),
        None => true,
    };
    let data: Vec<Value> = sandbox.look(|memory| {
        let all = memory.templates.iter().enumerate();
        all.filter(|(_, template)| is_wanted(template))
            .map(|(index, template)| template.entry(index))
            .collect()
    });
    axum::Json(json!({ "data": data, "paging": {} })).into_response()
}

#[derive(Deserialize)]
struct TokenQuery {
    input_token: Option<String>,
}

async fn debug_token(
    State(sandbox): State<Sandbox>,
    Path(_version): Path<String>,
    Query(query): Query<TokenQuery>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = authorise(&sandbox, &headers, "debug_token", |_| true) {
        return refusal.answer(sandbox.serial());
    }
    let asked = query.input_token.unwrap_or_default();
    let is_valid = sandbox.0.settings.accounts.iter().any(|account| account.access_token == asked);
    let scopes = ["whatsapp_business_messaging", "whatsapp_business_management"];
    axum::Json(json!({ "data": {
        "is_valid": is_valid, "type": "SYSTEM_USER", "app_id": "0", "expires_at": 0,
        "scopes": if is_valid { scopes.to_vec() } else { Vec::new() },
    } }))
    .into_response()
}
