//! `/v1`: card updates in; messages, cards and rejections out.

pub(super) mod binding_code;
pub(super) mod broadcast;
pub(super) mod card;
pub(super) mod card_update;
pub(super) mod hold;
pub(super) mod message;
pub(super) mod opt_out;
pub(super) mod person;
pub(super) mod question;
pub(super) mod rejection;
pub(super) mod service_point;
pub(super) mod source;
pub(super) mod suppression;
pub(super) mod ticket;
pub(super) mod visit;

use std::collections::HashMap;
use std::str::FromStr;

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::Error;
use crate::domain::clock::Timestamp;

/// `GET /v1`: what there is.
pub(super) async fn index() -> Json<Value> {
    Json(json!({
        "name": "kabar", "version": env!("CARGO_PKG_VERSION"),
        "endpoints": [
            "POST /v1/card-updates", "GET /v1/messages", "GET /v1/messages/{id}", "GET /v1/cards/{id}",
            "GET /v1/rejections", "GET /v1/rejections/{id}", "POST /v1/rejections/{id}/resolve",
            "GET /v1/unreachable", "GET /v1/visits", "POST /v1/visits/{id}/told",
            "GET /v1/suppressions", "POST /v1/suppressions/{id}/release", "POST /v1/binding-codes",
            "POST /v1/opt-outs", "GET /v1/sources", "GET /v1/notices", "GET /v1/holds",
            "POST /v1/holds/{id}/announce", "POST /v1/holds/{id}/silence",
            "GET /v1/questions", "GET /v1/questions/{id}", "POST /v1/questions/{id}/teach",
            "POST /v1/questions/{id}/ignore", "POST /v1/questions/{id}/reopen", "GET /v1/tickets",
            "GET /v1/tickets/{id}", "POST /v1/tickets/{id}/take", "POST /v1/tickets/{id}/reply",
            "POST /v1/tickets/{id}/close",
            "GET /v1/broadcasts", "POST /v1/broadcasts", "GET /v1/broadcasts/{id}",
            "PUT /v1/broadcasts/{id}", "PUT /v1/broadcasts/{id}/list",
            "GET /v1/broadcasts/{id}/preview", "GET /v1/broadcasts/{id}/failures",
            "POST /v1/broadcasts/{id}/submit", "POST /v1/broadcasts/{id}/approve",
            "POST /v1/broadcasts/{id}/reject", "POST /v1/broadcasts/{id}/send",
            "POST /v1/broadcasts/{id}/pause", "POST /v1/broadcasts/{id}/resume",
            "POST /v1/broadcasts/{id}/cancel", "POST /v1/broadcasts/{id}/retry",
            "POST /v1/broadcasts/{id}/test",
            "GET /v1/service-points", "PATCH /v1/service-points/{code}",
        ],
    }))
}

/// Rows of a page unless asked otherwise, and at most.
const PAGE: i64 = 50;
const LONGEST_PAGE: i64 = 500;

type Params = HashMap<String, String>;

/// A query parameter of a kind, if given.
fn param<T: FromStr>(params: &Params, name: &str) -> Result<Option<T>, Error> {
    match params.get(name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) if value.chars().any(char::is_control) => {
            Err(Error::BadParameter(format!("{name} has control characters")))
        }
        Some(value) => value.parse().map(Some).map_err(|_| {
            Error::BadParameter(format!("{name} has a value that is none of its kind"))
        }),
    }
}

/// Refuses parameters nobody knows: a misspelt filter would otherwise show everything.
fn known_only(params: &Params, known: &[&str]) -> Result<(), Error> {
    match params.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(_) => Err(Error::BadParameter(format!("known parameters: {}", known.join(", ")))),
    }
}

fn page(params: &Params) -> Result<i64, Error> {
    let limit: i64 = param(params, "limit")?.unwrap_or(PAGE);
    if (1..=LONGEST_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Error::BadParameter(format!("limit is 1 to {LONGEST_PAGE}")))
    }
}

fn shown(at: Timestamp) -> String {
    at.rfc3339()
}

fn shown_opt(at: Option<Timestamp>) -> Option<String> {
    at.map(shown)
}

/// A page of rows under their name, with what gets the next one.
fn listed<T>(
    name: &str,
    rows: &[T],
    limit: i64,
    id: impl Fn(&T) -> String,
    view: impl Fn(&T) -> Value,
) -> Json<Value> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let cursor = rows.last().filter(|_| is_full).map(id);
    let rows: Vec<Value> = rows.iter().map(view).collect();
    Json(json!({ name: rows, "next_cursor": cursor }))
}

/// The row that a path names; what is no id names none.
fn row_id<T: FromStr>(raw: &str) -> Result<T, Error> {
    raw.parse().map_err(|_| Error::NotFound)
}

/// The answer to who did something to a row, or found none to do it to.
fn done(is_done: bool) -> Result<StatusCode, Error> {
    if is_done { Ok(StatusCode::NO_CONTENT) } else { Err(Error::NotFound) }
}
